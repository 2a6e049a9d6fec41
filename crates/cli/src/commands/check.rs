//! `linkwell check`: what needs a person, grouped by cause, with a remedy each.

use super::recorded::Looking;
use super::{Channel, Outcome, Scanning, options, typed, volumes};
use crate::World;
use crate::args::{Args, Check};
use crate::error::{Exit, Failure, say};
use crate::output::paint::Paint;
use crate::output::{groups, json};
use linkwell_engine::judge::Depth;
use linkwell_engine::scan::Problem;
use linkwell_engine::scan::judged::{Item, Sink, Wanted};
use linkwell_model::cause::{Cause, Causes, Member};
use linkwell_model::entry::LinkKind;
use linkwell_model::health::Health;
use linkwell_model::note::Note;
use linkwell_model::shown::quoted;
use linkwell_model::tally::Tally;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::{Arc, Mutex, PoisonError};

struct Gatherer {
    channel: Channel,
    causes: Causes,
    all: Arc<Mutex<Causes>>,
}

/// What is wrong with a link; `None` when nothing is.
fn cause(item: &Item<'_>) -> Option<Cause> {
    let place = || item.ends_at.clone();
    if item.notes.has(Note::Web) || item.notes.has(Note::Foreign) {
        return None;
    }
    Some(match item.health {
        Health::Ok => return None,
        _ if item.is_refused() => Cause::Refused,
        Health::Broken if item.kind == LinkKind::Bind => Cause::DeletedBind,
        Health::Broken => match place() {
            Some(place) => Cause::Missing(place),
            None => Cause::Unknown(None),
        },
        Health::NotADirectory => match place() {
            Some(place) => Cause::NotADirectory(place),
            None => Cause::Unknown(None),
        },
        Health::Loop if item.notes.has(Note::TooDeep) => Cause::TooDeep,
        Health::Loop => Cause::Loop,
        Health::Asleep => match item.absent {
            Some(absent) => Cause::asleep(absent),
            None => Cause::Unknown(place()),
        },
        // What is closed is the folder, whatever name was looked for in it.
        Health::Denied => Cause::Denied(item.closed_folder()),
        Health::Unknown => Cause::Unknown(place()),
        Health::Replaced => Cause::Replaced,
        Health::Retargeted => Cause::Retargeted,
    })
}

impl Sink for Gatherer {
    fn item(&mut self, item: &Item<'_>) {
        let Some(cause) = cause(item) else { return };
        if !self.channel.link_for_programs(item, None) {
            let member = Member { path: item.path.into(), target: item.target.map(Into::into) };
            self.causes.add(cause, member);
        }
    }

    fn problem(&mut self, problem: &Problem) {
        self.channel.problem(problem);
    }

    fn other_volume(&mut self, path: &[u8]) {
        self.channel.other_volume(path);
    }

    fn pause(&mut self) {
        self.channel.lines.pause();
    }

    fn settle(&mut self) {
        self.channel.lines.flush();
        let causes = std::mem::take(&mut self.causes);
        self.all.lock().unwrap_or_else(PoisonError::into_inner).merge(causes);
    }
}

pub(super) fn run(check: &Check, args: &Args, world: &World) -> Result<Exit, Failure> {
    let format = check.format;
    let all = Arc::new(Mutex::new(Causes::default()));
    let outcome = if check.tracked {
        let looking = Looking {
            world,
            args,
            depth: Depth::Destination,
            doubled: true,
            paths: &check.paths,
            scan: &check.scan,
        };
        let all = &all;
        looking.run(format, |channel| Gatherer {
            channel,
            causes: Causes::default(),
            all: Arc::clone(all),
        })?
    } else {
        walk(check, args, world, &all)?
    };
    let mut out = Vec::new();
    if format.json {
        json::summary(&mut out, &outcome.tally, outcome.took);
    } else if !format.null {
        let causes = std::mem::take(&mut *all.lock().unwrap_or_else(PoisonError::into_inner));
        let paint = Paint::new(args.color);
        groups::write(&mut out, causes, check.verbose, paint);
        groups::summary(&mut out, &outcome.tally, outcome.took, paint);
    }
    outcome.output.write(&out);
    outcome.aside.say(args.quiet);
    outcome.output.finish()?;
    // A broken shortcut counts as well, and is not what `repair` mends.
    if !args.quiet && !format.json && !format.null && !check.shortcuts {
        point_to_repair(&outcome.tally, check);
    }
    Ok(if outcome.tally.anything_wrong() {
        Exit::Found
    } else if outcome.tally.anything_unjudged() {
        Exit::Partly
    } else {
        Exit::Done
    })
}

/// Says, last of all, who looks for what broken links led to.
fn point_to_repair(tally: &Tally, check: &Check) {
    if tally.of(Health::Broken) == 0 {
        return;
    }
    let paths = match &*check.paths {
        [] if check.tracked => String::new(),
        [] => " .".into(),
        [path] => format!(" {}", quoted(path.as_bytes())),
        _ => " PATH…".into(),
    };
    say(&format!("hint: `linkwell repair{paths}` looks for what broken links led to"));
}

/// Looks for every link.
fn walk(
    check: &Check,
    args: &Args,
    world: &World,
    all: &Arc<Mutex<Causes>>,
) -> Result<Outcome, Failure> {
    let scanning = Scanning {
        world,
        args,
        wanted: Wanted {
            depth: Depth::Destination,
            doubled: true,
            hard: false,
            shortcuts: check.shortcuts,
            options: options(&check.scan, world),
        },
        paths: typed(&check.paths)?,
        volumes: volumes(world, check.scan.time_limit),
    };
    let gathered = Arc::clone(all);
    Ok(scanning.run(check.format, move |channel| Gatherer {
        channel,
        causes: Causes::default(),
        all: Arc::clone(&gathered),
    }))
}
