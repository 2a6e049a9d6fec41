//! `linkwell remove`: files, folders and links go; what links lead to stays.

use super::change::{Manner, carry_out_prepared, surveyor};
use super::elsewhere::{Found, Search};
use super::refuse_if_lost;
use crate::World;
use crate::args::Args;
use crate::args::change::Remove;
use crate::error::{Exit, Failure};
use crate::interrupt;
use crate::output::preview::things;
use linkwell_engine::disk::Unix;
use linkwell_engine::refer::Going;
use linkwell_engine::survey::remove::{Removal, Wanted, plan};
use linkwell_engine::survey::trash::Trashes;
use linkwell_engine::volumes::Volumes;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Conflict, Plan, Step};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::sync::Arc;

/// So many links that would be left broken are named for each path.
const MOST_NAMED: usize = 5;

pub(super) fn run(remove: &Remove, args: &Args, world: &World) -> Result<Exit, Failure> {
    let paths: Vec<Vec<u8>> = remove.paths.iter().cloned().map(OsString::into_vec).collect();
    let under: Vec<Vec<u8>> = remove.under.iter().cloned().map(OsString::into_vec).collect();
    if paths.iter().chain(&under).any(Vec::is_empty) {
        return Err(Failure::Usage {
            what: "one of the paths is empty; nothing was changed".into(),
            hint: None,
        });
    }
    refuse_if_lost(world, &paths)?;
    refuse_if_lost(world, &under)?;
    let mut surveyor = surveyor(world)?;
    let wanted = Wanted {
        forever: remove.forever,
        when: local_time(world),
        trash: world.data.as_ref().map(|data| data.joined(b"Trash")),
        state: world.state.clone(),
    };
    let Removal { mut plan, trashes, going } = plan(&mut surveyor, &wanted, &paths);
    // For nobody to read, nothing is looked for.
    let read = !args.quiet || remove.change.dry_run || remove.change.json;
    if read && !remove.no_refs && !plan.items.is_empty() {
        tell_broken(&mut plan, going, &under, surveyor.volumes(), args, world);
    }
    if interrupt::came() {
        return Ok(Exit::Interrupted);
    }
    let removes: fn(&Step) -> bool = |step| matches!(step, Step::Remove { .. });
    let each = (remove.interactive && !remove.change.yes).then_some(removes);
    let manner = Manner { change: remove.change, each, undoes: None, amount: None };
    carry_out_prepared(plan, &manner, &surveyor, args, world, |plan| make_trashes(&trashes, plan))
}

/// The time as the trash records it: local, to the second.
fn local_time(world: &World) -> String {
    let moment = jiff::Timestamp::from_second(world.now.0).unwrap_or_default();
    let local = moment.to_zoned(jiff::tz::TimeZone::system());
    local.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Makes the trash folders that are missing. What was to go into one that cannot be made stays.
fn make_trashes(trashes: &Trashes, plan: &mut Plan) {
    let Err(refused) = trashes.prepare(&Unix, plan) else { return };
    for (folder, why) in refused {
        let items = std::mem::take(&mut plan.items);
        for item in items {
            if item.slots().any(|slot| slot.folder == folder) {
                plan.conflicts.push(Conflict { path: item.path, why: why.clone() });
            } else {
                plan.items.push(item);
            }
        }
    }
}

/// Looks for links elsewhere that need what goes, and adds to each item which would be left broken.
/// That is no reason against it, only something to know.
fn tell_broken(
    plan: &mut Plan,
    going: Going,
    under: &[Vec<u8>],
    volumes: &Arc<Volumes>,
    args: &Args,
    world: &World,
) {
    let places = plan.items.iter().filter_map(|item| item.steps.last());
    let places: Vec<AbsPath> = places.map(|step| plan.place(step.at())).collect();
    let search = Search { going, places, under, volumes };
    let elsewhere = search.run(args, world);
    let mut by_item: BTreeMap<usize, Vec<&Found>> = BTreeMap::new();
    for found in &elsewhere.found {
        by_item.entry(found.number).or_default().push(found);
    }
    for (number, found) in by_item {
        let Some(item) = plan.items.get_mut(number) else { continue };
        let named: Vec<String> = found.iter().take(MOST_NAMED).map(|found| found.shown()).collect();
        let more = found.len().saturating_sub(named.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        item.remarks.push(format!(
            "{} elsewhere would be left broken: {}{more}",
            things(found.len(), "link", "links"),
            named.join(", ")
        ));
    }
    // It concerns them all, and is told with the first, where programs find it as well.
    if let Some(item) = plan.items.first_mut() {
        item.remarks.extend(elsewhere.remarks("no link", "would be left broken"));
    }
}
