//! `linkwell show`: one path, explained to a person.

use super::{refuse_if_lost, start, system, typed, volumes};
use crate::World;
use crate::args::{Args, Show};
use crate::error::{Exit, Failure};
use crate::interrupt;
use crate::output::paint::Paint;
use crate::output::progress::Bar;
use crate::output::{Output, explained};
use linkwell_engine::explain::{Explained, explain};
use linkwell_model::note::Note;

pub(super) fn run(show: &Show, args: &Args, world: &World) -> Result<Exit, Failure> {
    let output = Output::new(&interrupt::stop(), Bar::new(true));
    let paths = typed(&show.paths)?;
    refuse_if_lost(world, &paths)?;
    let volumes = volumes(world, show.time_limit);
    let paint = Paint::new(args.color);
    let start = start(world)?;
    let mut worst = Exit::Done;
    for (at, path) in paths.iter().enumerate() {
        let found = explain(system(world), &volumes, &start, path);
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
