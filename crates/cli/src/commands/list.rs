//! `linkwell list`: every link, one a line.

use super::{Aside, Scanning, options, typed, volumes};
use crate::World;
use crate::args::{Args, LinkFormat, List};
use crate::error::{Exit, Failure};
use crate::output::paint::Paint;
use crate::output::{Lines, json, text};
use linkwell_engine::judge::Depth;
use linkwell_engine::scan::Problem;
use linkwell_engine::scan::judged::{Item, Sink, Wanted};
use linkwell_model::entry::LinkKind;
use linkwell_model::health::Health;
use linkwell_model::note::Note;
use std::sync::{Arc, Mutex, PoisonError};

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
    lines: Lines,
    aside: Arc<Mutex<Aside>>,
    filter: Filter,
    format: LinkFormat,
    paint: Paint,
}

impl Sink for Printer {
    fn item(&mut self, item: &Item<'_>) {
        if !self.filter.passes(item) {
            return;
        }
        let out = &mut self.lines.buffer;
        if self.format.json {
            json::link(out, item, None);
        } else if self.format.null {
            out.extend_from_slice(item.path);
            out.push(0);
        } else {
            text::link(out, item, self.paint);
        }
        self.lines.flush_if_full();
    }

    fn problem(&mut self, problem: &Problem) {
        if self.format.json {
            json::problem(&mut self.lines.buffer, problem);
        }
        self.aside.lock().unwrap_or_else(PoisonError::into_inner).add_problem(problem);
    }

    fn other_volume(&mut self, path: &[u8]) {
        let mut aside = self.aside.lock().unwrap_or_else(PoisonError::into_inner);
        aside.other_volumes.push(path.to_vec());
    }

    fn pause(&mut self) {
        self.lines.pause();
    }

    fn settle(&mut self) {
        self.lines.flush();
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
    let scanning = Scanning {
        world,
        args,
        wanted,
        paths: typed(&list.paths)?,
        volumes: volumes(world, list.scan.time_limit),
    };
    let outcome = scanning.run(move |lines, aside| Printer {
        lines,
        aside,
        filter: filter.clone(),
        format,
        paint,
    });
    if format.json {
        let mut out = Vec::new();
        json::summary(&mut out, &outcome.tally, outcome.took);
        outcome.output.write(&out);
    }
    outcome.aside.say(args.quiet);
    outcome.output.finish()?;
    Ok(if outcome.tally.problems > 0 { Exit::Partly } else { Exit::Done })
}
