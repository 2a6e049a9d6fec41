//! `linkwell track` and `untrack`: links put on record, and forgotten.

use super::catalogue::{self, Open, twice};
use super::recorded::places;
use super::{Aside, options, refuse_if_lost, system, typed, volumes};
use crate::World;
use crate::args::Args;
use crate::args::track::{Track, Untrack};
use crate::error::{Exit, Failure, say};
use crate::interrupt;
use crate::output::json::Object;
use crate::output::progress::{Bar, grouped};
use crate::output::{Output, json};
use linkwell_engine::catalogue::Catalogue;
use linkwell_engine::catalogue::links::Entry;
use linkwell_engine::likeness::Depth;
use linkwell_engine::recording::fill::{Filled, Wanted, fill};
use linkwell_engine::scan::Handle;
use linkwell_model::keep::link::{By, Policy};
use linkwell_model::path::AbsPath;
use linkwell_model::shown::shown;
use std::ops::ControlFlow;

pub(super) fn run(track: &Track, args: &Args, world: &World) -> Result<Exit, Failure> {
    let paths = typed(&track.paths)?;
    refuse_if_lost(world, &paths)?;
    let volumes = volumes(world, track.scan.time_limit);
    let mut open: Option<Open> = Some(catalogue::open_or_make(world)?);
    let handle = Handle { stop: interrupt::stop(), ..Handle::default() };
    let bar = Bar::new(args.quiet);
    let output = Output::new(&handle.stop, bar.clone());
    let wanted = Wanted {
        depth: Depth::Shape,
        policy: track.policy,
        options: options(&track.scan, world),
        now: world.now.0,
    };
    let filled = twice(&mut open, |catalogue| {
        fill(catalogue, system(world), &volumes, &wanted, &paths, &handle, bar.ticker())
    });
    bar.finish();
    let filled = filled?;
    let mut out = Vec::new();
    if track.json {
        for problem in &filled.problems {
            json::problem(&mut out, problem);
        }
        let mut object = Object::line(&mut out, "tracked");
        object.number("version", 1);
        object.number("links", filled.links);
        object.number("forgotten", filled.forgotten);
        object.number("away", filled.away);
        object.objects("whole", &filled.whole, |object, place| {
            object.bytes("path", place.as_bytes());
        });
        object.end();
    }
    output.write(&out);
    if !args.quiet && !track.json {
        for line in words(&filled, track.policy) {
            say(&line);
        }
    }
    let problems = !filled.problems.is_empty();
    let mut aside = Aside { other_volumes: filled.other_volumes, ..Aside::default() };
    for problem in &filled.problems {
        aside.add_problem(problem);
    }
    aside.say(args.quiet);
    output.finish()?;
    Ok(if problems { Exit::Partly } else { Exit::Done })
}

fn words(filled: &Filled, policy: Option<Policy>) -> Vec<String> {
    let links = |count: u64| {
        if count == 1 { "1 link".into() } else { format!("{} links", grouped(count)) }
    };
    let mut lines = Vec::new();
    let verb = if filled.links == 1 { "is" } else { "are" };
    let policy = policy.map_or_else(String::new, |policy| format!(" (policy: {})", policy.word()));
    lines.push(format!("done: {} {verb} on record{policy}", links(filled.links)));
    if filled.forgotten > 0 {
        let verb = if filled.forgotten == 1 { "is" } else { "are" };
        lines.push(format!(
            "note: {} {verb} not there any more, and forgotten",
            links(filled.forgotten)
        ));
    }
    if filled.away > 0 {
        let (verb, they) = if filled.away == 1 { ("is", "it") } else { ("are", "they") };
        lines.push(format!(
            "note: {} {verb} kept on record: the volume {they} stood on is not attached there",
            links(filled.away)
        ));
    }
    lines
}

/// `linkwell untrack`.
pub(super) fn forget(untrack: &Untrack, args: &Args, world: &World) -> Result<Exit, Failure> {
    let paths = typed(&untrack.paths)?;
    refuse_if_lost(world, &paths)?;
    let volumes = volumes(world, super::change::TIME_LIMIT);
    let output = Output::new(&interrupt::stop(), Bar::new(true));
    let mut open = catalogue::open_if_any(world)?;
    let mut forgotten: Vec<Entry> = Vec::new();
    let mut unknown: Vec<Vec<u8>> = Vec::new();
    for (path, place) in places(world, &volumes, &paths)? {
        if open.is_none() {
            unknown.push(path);
            continue;
        }
        let found = twice(&mut open, |catalogue| one(catalogue, &place))?;
        if found.is_empty() {
            unknown.push(path);
        }
        forgotten.extend(found);
    }
    let mut out = Vec::new();
    for entry in &forgotten {
        let place = entry.link.place();
        if untrack.format.json {
            let mut object = Object::line(&mut out, "forgotten");
            object.number("version", 1);
            object.bytes("path", place.as_bytes());
            object.bytes("target", entry.link.target.as_bytes());
            object.end();
        } else if untrack.format.null {
            out.extend_from_slice(place.as_bytes());
            out.push(0);
        }
    }
    output.write(&out);
    if !args.quiet && !untrack.format.json && !untrack.format.null {
        let (count, s) = (forgotten.len(), if forgotten.len() == 1 { "" } else { "s" });
        say(&format!("done: {} link{s} forgotten", grouped(u64::try_from(count).unwrap_or(0))));
    }
    for path in &unknown {
        say(&format!("error: nothing is on record of `{}`", shown(path)));
    }
    output.finish()?;
    Ok(if unknown.is_empty() { Exit::Done } else { Exit::Found })
}

/// Forgets what is on record at or below a place; below, links that are known only for the sake of others stay.
fn one(
    catalogue: &mut Catalogue,
    place: &AbsPath,
) -> Result<Vec<Entry>, linkwell_engine::catalogue::Trouble> {
    let mut found = Vec::new();
    if let Some((folder, name)) = place.split() {
        found.extend(catalogue.at(&folder, &name)?);
    }
    catalogue.below(place, |entry| {
        found.push(entry);
        ControlFlow::Continue(())
    })?;
    found.retain(|entry| entry.link.by != By::Way || entry.link.place() == *place);
    let numbers: Vec<i64> = found.iter().map(|entry| entry.id).collect();
    catalogue.forget(&numbers)?;
    catalogue.unset_recorded(place)?;
    Ok(found)
}
