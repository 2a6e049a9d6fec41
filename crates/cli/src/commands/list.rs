//! `linkwell list`: every link, one a line.

use super::recorded::Looking;
use super::{Channel, Outcome, Scanning, options, typed, volumes};
use crate::World;
use crate::args::{Args, List};
use crate::error::{Exit, Failure};
use crate::output::paint::Paint;
use crate::output::{json, text};
use linkwell_engine::judge::Depth;
use linkwell_engine::scan::Problem;
use linkwell_engine::scan::judged::{Item, Sink, Wanted};
use linkwell_model::entry::LinkKind;
use linkwell_model::health::Health;
use linkwell_model::note::Note;

/// Which links are wanted; an empty list is no condition.
#[derive(Clone, Debug)]
struct Filter {
    kind: Vec<LinkKind>,
    health: Vec<Health>,
    note: Vec<Note>,
}

impl Filter {
    fn passes(&self, item: &Item<'_>) -> bool {
        (self.kind.is_empty() || self.kind.contains(&item.kind))
            && (self.health.is_empty() || self.health.contains(&item.health))
            && (self.note.is_empty() || self.note.iter().any(|note| item.notes.has(*note)))
    }
}

struct Printer {
    channel: Channel,
    filter: Filter,
    verbose: bool,
    paint: Paint,
}

impl Sink for Printer {
    fn item(&mut self, item: &Item<'_>) {
        if !self.filter.passes(item) {
            return;
        }
        if !self.channel.link_for_programs(item, None) {
            text::link(&mut self.channel.lines.buffer, item, self.verbose, self.paint);
            self.channel.lines.flush_if_full();
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
    }
}

pub(super) fn run(list: &List, args: &Args, world: &World) -> Result<Exit, Failure> {
    let format = list.format;
    let paint = Paint::new(args.color);
    // Asking for a kind that takes more work is asking for that work.
    let asks = |kind| list.kind.contains(&kind);
    let shortcuts = list.shortcuts || asks(LinkKind::Shortcut) || asks(LinkKind::Stub);
    let everything = format.json || !list.note.is_empty();
    let wanted = Wanted {
        depth: if everything { Depth::Everything } else { Depth::Health },
        doubled: format.json || list.note.contains(&Note::Doubled),
        hard: list.hard || asks(LinkKind::HardLink),
        shortcuts,
        options: options(&list.scan, world),
    };
    let filter =
        Filter { kind: list.kind.clone(), health: list.health.clone(), note: list.note.clone() };
    if list.tracked {
        return tracked(list, args, world, &wanted, &filter);
    }
    let scanning = Scanning {
        world,
        args,
        wanted,
        paths: typed(&list.paths)?,
        volumes: volumes(world, list.scan.time_limit),
    };
    let outcome = scanning.run(format, move |channel| Printer {
        channel,
        filter: filter.clone(),
        verbose: false,
        paint,
    });
    finish(outcome, list, args)
}

/// The links on record.
fn tracked(
    list: &List,
    args: &Args,
    world: &World,
    wanted: &Wanted,
    filter: &Filter,
) -> Result<Exit, Failure> {
    let paint = Paint::new(args.color);
    let looking = Looking {
        world,
        args,
        depth: wanted.depth,
        doubled: wanted.doubled,
        paths: &list.paths,
        scan: &list.scan,
    };
    let verbose = list.verbose;
    let sink = |channel| Printer { channel, filter: filter.clone(), verbose, paint };
    finish(looking.run(list.format, sink)?, list, args)
}

fn finish(outcome: Outcome, list: &List, args: &Args) -> Result<Exit, Failure> {
    if list.format.json {
        let mut out = Vec::new();
        json::summary(&mut out, &outcome.tally, outcome.took);
        outcome.output.write(&out);
    }
    outcome.aside.say(args.quiet);
    outcome.output.finish()?;
    Ok(if outcome.tally.problems > 0 { Exit::Partly } else { Exit::Done })
}
