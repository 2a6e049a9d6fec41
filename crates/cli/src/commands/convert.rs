//! `linkwell convert`: links become other links, or the real thing.

use super::change::{Manner, carry_out, surveyor};
use super::{Scanning, refuse_if_lost, volumes_alone};
use crate::World;
use crate::args::change::{Become, Convert};
use crate::args::{Args, LinkFormat};
use crate::error::{Exit, Failure};
use crate::interrupt;
use linkwell_engine::judge::Depth;
use linkwell_engine::scan::judged::{Item, Sink, Wanted as Scanned};
use linkwell_engine::scan::{Options, Problem};
use linkwell_engine::survey::conflict;
use linkwell_engine::survey::convert::{Stub, To, Wanted, plan, revive};
use linkwell_model::entry::LinkKind;
use linkwell_model::plan::spelling::Style;
use linkwell_model::plan::{Plan, Why};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

pub(super) fn run(convert: &Convert, args: &Args, world: &World) -> Result<Exit, Failure> {
    let links: Vec<Vec<u8>> = convert.links.iter().cloned().map(OsString::into_vec).collect();
    refuse_if_lost(world, &links)?;
    let (plan, surveyor) = match convert.to {
        Some(to) => {
            let mut surveyor = surveyor(world)?;
            (plan(&mut surveyor, &wanted(convert, to), &links), surveyor)
        }
        None => {
            let found = scan(convert, args, world)?;
            if interrupt::came() {
                return Ok(Exit::Interrupted);
            }
            let mut surveyor = surveyor(world)?;
            let mut plan = revive(&mut surveyor, &found.stubs);
            unlooked(&mut plan, &found.problems);
            (plan, surveyor)
        }
    };
    let each = (convert.interactive && !convert.change.yes).then_some(every as fn(&_) -> bool);
    let manner = Manner { change: convert.change, each, undoes: None, amount: None };
    carry_out(plan, &manner, &surveyor, args, world)
}

fn every(_: &linkwell_model::plan::Step) -> bool {
    true
}

fn wanted(convert: &Convert, to: Become) -> Wanted {
    Wanted {
        to: match to {
            Become::Symlink => To::Symlink,
            Become::Hard => To::Hard,
            Become::Contents => To::Contents,
            Become::Shortcut => To::Shortcut,
        },
        style: if convert.relative {
            Some(Style::Relative)
        } else {
            convert.absolute.then_some(Style::Absolute)
        },
        of: convert.of.as_ref().map(|of| of.as_bytes().to_vec()),
        allow_broken: convert.unsound.allow_broken,
        allow_cycle: convert.unsound.allow_cycle,
    }
}

/// What a scan for stubs came to.
#[derive(Default)]
struct Found {
    stubs: Vec<Stub>,
    problems: Vec<Problem>,
}

/// One thread's way to what all of them find.
struct Gatherer(Arc<Mutex<Found>>);

impl Sink for Gatherer {
    fn item(&mut self, item: &Item<'_>) {
        let (LinkKind::Stub, Some(text)) = (item.kind, item.target) else { return };
        let stub = Stub { path: item.path.to_vec(), text: text.to_vec() };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).stubs.push(stub);
    }

    fn problem(&mut self, problem: &Problem) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.problems.push(problem.clone());
    }

    fn other_volume(&mut self, _path: &[u8]) {}

    fn pause(&mut self) {}

    fn settle(&mut self) {}
}

/// The stubs below the folders that were named, by path; each once, even where two of them overlap.
fn scan(convert: &Convert, args: &Args, world: &World) -> Result<Found, Failure> {
    let paths = super::typed(&convert.revive)?;
    let options = Options {
        cross_volumes: false,
        virtual_too: false,
        files_too: false,
        threads: None,
        current: world.current.clone(),
    };
    let wanted =
        Scanned { depth: Depth::Health, doubled: false, hard: false, shortcuts: true, options };
    let volumes = volumes_alone(world, Duration::from_secs(5));
    let scanning = Scanning { world, args, wanted, paths, volumes };
    let found = Arc::new(Mutex::new(Found::default()));
    let outcome = {
        let found = Arc::clone(&found);
        scanning.run(LinkFormat { json: false, null: false }, move |_| Gatherer(Arc::clone(&found)))
    };
    outcome.output.finish()?;
    let mut found = std::mem::take(&mut *found.lock().unwrap_or_else(PoisonError::into_inner));
    found.stubs.sort_by(|one, two| one.path.cmp(&two.path));
    found.stubs.dedup_by(|one, two| one.path == two.path);
    found.problems.sort_by(|one, two| one.path.cmp(&two.path));
    Ok(found)
}

/// What could not be looked at is not known to hold no stubs.
fn unlooked(plan: &mut Plan, problems: &[Problem]) {
    for problem in problems {
        let why = crate::error::trouble(problem.trouble);
        let what = format!("could not look there: {why}");
        conflict(plan, &problem.path, Why::Other { what, hint: None });
    }
}
