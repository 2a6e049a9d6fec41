//! `linkwell show`: one path, explained to a person.

use super::{system, typed, volumes};
use crate::World;
use crate::args::{Args, Show};
use crate::error::{Exit, Failure};
use crate::interrupt;
use crate::output::paint::Paint;
use crate::output::progress::Bar;
use crate::output::{Output, explained};
use linkwell_engine::explain::{Explained, explain};
use linkwell_model::note::Note;
use linkwell_model::path::AbsPath;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub(super) fn run(show: &Show, args: &Args, world: &World) -> Result<Exit, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    interrupt::heed(&stop);
    let output = Output::new(&stop, Bar::new(true));
    let volumes = volumes(world, show.time_limit);
    let paint = Paint::new(args.color);
    let current = world.current.clone().unwrap_or_else(AbsPath::root);
    let mut worst = Exit::Done;
    for (at, path) in typed(&show.paths)?.iter().enumerate() {
        let found = explain(system(world), &volumes, &current, path);
        let mut out = Vec::new();
        if show.format.json {
            explained::json(&mut out, path, &found);
        } else {
            if at > 0 {
                out.push(b'\n');
            }
            explained::text(&mut out, path, &found, paint);
        }
        output.write(&out);
        worst = worse(worst, exit(&found));
    }
    output.finish()?;
    Ok(worst)
}

fn exit(found: &Explained) -> Exit {
    let health = found.health;
    // As in `check`: nobody's fault, and nothing left unseen.
    if found.notes.has(Note::Web) || found.notes.has(Note::Foreign) {
        return Exit::Done;
    }
    if health.is_wrong() {
        Exit::Found
    } else if health.is_unjudged() {
        Exit::Partly
    } else {
        Exit::Done
    }
}

/// Something wrong outweighs something unseen, as in `check`.
fn worse(one: Exit, two: Exit) -> Exit {
    match (one, two) {
        (Exit::Found, _) | (_, Exit::Found) => Exit::Found,
        (Exit::Partly, _) | (_, Exit::Partly) => Exit::Partly,
        _ => Exit::Done,
    }
}
