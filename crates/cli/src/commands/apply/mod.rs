//! `linkwell apply`: links that are written down, made where they are missing.

mod placements;
mod sources;

use super::catalogue;
use super::change::{Manner, carry_out, surveyor};
use super::relocate;
use crate::World;
use crate::args::Args;
use crate::args::links_file::Apply;
use crate::error::{Exit, Failure};
use linkwell_engine::other_tools::Asked;
use linkwell_engine::survey::create::{self, Kind, Pair, Whither};
use linkwell_engine::survey::{Surveyor, conflict};
use linkwell_model::entry::EntryKind;
use linkwell_model::keep::link::Policy;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Item, Make, Object, Plan, Step, Why};
use std::collections::{BTreeSet, HashMap};

/// Folders in folders that are not there are made one level at a time, and no deeper than this.
const DEEPEST: usize = 100;

pub(super) fn run(apply: &Apply, args: &Args, world: &World) -> Result<Exit, Failure> {
    let sources::Wanted { read, policies, placements } = sources::wanted(apply, world)?;
    let unknown = placements::unknown(placements, world)?;
    let mut change = apply.change;
    change.dry_run |= apply.check;
    let manner = Manner { change, each: None, undoes: None, amount: None };
    let mut worst = Exit::Done;
    let mut folders: BTreeSet<AbsPath> = read.folders.clone();
    folders.extend(will_stand(&read.links, apply, world)?.map(|one| one.at.parent()));
    let (missing, above) = make_folders(&folders, &manner, args, world)?;
    if missing == Exit::Interrupted || (missing != Exit::Done && !change.dry_run) {
        return Ok(missing);
    }
    let mut folded: BTreeSet<AbsPath> = BTreeSet::new();
    if apply.merge {
        for one in &read.links {
            let Some(exit) = fold(one, apply, args, world)? else { continue };
            if exit == Exit::Interrupted {
                return Ok(exit);
            }
            if exit == Exit::Done {
                folded.insert(one.at.clone());
            }
            worst = worse(worst, exit);
        }
    }
    let wanted = create::Wanted {
        kind: Kind::Symlink,
        style: None,
        force: apply.force,
        backup: None,
        allow_broken: apply.allow_broken,
        allow_cycle: false,
        exact: true,
    };
    let pairs: Vec<Pair> = read.links.iter().map(pair).collect();
    let mut surveyor = surveyor(world)?;
    let mut plan = create::plan(&mut surveyor, &wanted, &pairs);
    let mut waiting = 0_usize;
    if change.dry_run {
        plan.conflicts.retain(|found| {
            let place = AbsPath::cleaned(&found.path);
            let waits = |place: &AbsPath| above.iter().any(|up| place.is_at_or_below(up));
            let waits = place.as_ref().is_some_and(waits);
            waiting += usize::from(waits);
            // What would be merged first is in nobody's way then.
            !waits && !place.is_some_and(|place| folded.contains(&place))
        });
    }
    if waiting > 0 {
        let s = if waiting == 1 { "" } else { "s" };
        plan.remarks.push(format!("{waiting} link{s} more in folders that are to be made first"));
    }
    if !apply.merge {
        plan.conflicts.iter_mut().for_each(|conflict| offer_merge(&mut conflict.why));
    }
    for (path, why) in read.problems {
        conflict(&mut plan, &path, why);
    }
    plan.remarks.extend(read.remarks);
    let drifted = !plan.items.is_empty()
        || !plan.conflicts.is_empty()
        || waiting > 0
        || !unknown.is_empty()
        || missing != Exit::Done;
    let exit = carry_out(plan, &manner, &surveyor, args, world)?;
    if change.dry_run {
        placements::announce(&unknown, args);
    }
    if apply.check {
        return Ok(if drifted { Exit::Found } else { Exit::Done });
    }
    if !change.dry_run {
        set_policies(&policies, world)?;
        placements::record(unknown, args, world)?;
    }
    Ok(worse(worst, exit))
}

/// Those that lead to something: for others no folder is made.
fn will_stand<'r>(
    links: &'r [Asked],
    apply: &Apply,
    world: &World,
) -> Result<impl Iterator<Item = &'r Asked>, Failure> {
    let mut surveyor = surveyor(world)?;
    let broken = apply.allow_broken;
    let mut leads = move |one: &Asked| surveyor.led(None, one.to.as_bytes()).kind.is_some();
    Ok(links.iter().filter(move |one| broken || leads(one)))
}

fn pair(one: &Asked) -> Pair {
    Pair {
        target: one.to.as_bytes().to_vec(),
        link: Whither::At(one.at.as_bytes().to_vec()),
        as_named: Some(one.style),
    }
}

/// Makes the folders that are missing, the upper ones first: a step needs its folder to be there, so each level is an
/// operation of its own. [`Exit::Found`] when some are missing still, and which would have come next.
fn make_folders(
    wanted: &BTreeSet<AbsPath>,
    manner: &Manner,
    args: &Args,
    world: &World,
) -> Result<(Exit, Vec<AbsPath>), Failure> {
    for _ in 0..DEEPEST {
        let mut surveyor = surveyor(world)?;
        let plan = folders(&mut surveyor, wanted);
        if plan.items.is_empty() {
            break;
        }
        let above = plan.items.iter().filter_map(|item| AbsPath::cleaned(&item.path)).collect();
        let exit = carry_out(plan, manner, &surveyor, args, world)?;
        if exit != Exit::Done || manner.change.dry_run {
            return Ok((worse(exit, Exit::Found), above));
        }
    }
    Ok((Exit::Done, Vec::new()))
}

/// The uppermost of the folders that are missing. What else is in the way is found when the links are planned.
fn folders(surveyor: &mut Surveyor, wanted: &BTreeSet<AbsPath>) -> Plan {
    let mut plan = Plan::default();
    for place in wanted {
        let Err(Why::NoFolder(_)) = surveyor.folder(place.as_bytes()) else { continue };
        // The uppermost that is missing, as it is named.
        let mut missing = place.clone();
        while matches!(surveyor.folder(missing.parent().as_bytes()), Err(Why::NoFolder(_))) {
            missing.pop();
        }
        let made = surveyor.spot(missing.as_bytes()).and_then(|spot| {
            // A link that leads to nothing is somebody's, and not to be made a folder.
            if surveyor.object(&spot)?.is_some() {
                return Err(Why::Twice);
            }
            surveyor.claim(&spot)?;
            surveyor.slot(&mut plan, &spot)
        });
        if let Ok(at) = made {
            let steps = vec![Step::Put { at, make: Make::CommonFolder }];
            let path = missing.as_bytes().into();
            plan.items.push(Item { path, steps, remarks: Vec::new() });
        }
    }
    plan
}

/// The one that says more of what is wrong.
fn worse(one: Exit, other: Exit) -> Exit {
    let rank = |exit: &Exit| match exit {
        Exit::Done => 0,
        Exit::Found => 1,
        Exit::Partly => 2,
        Exit::Unfinished => 3,
        Exit::Interrupted | Exit::Usage => 4,
    };
    if rank(&other) > rank(&one) { other } else { one }
}

/// A real thing in the way may be what the link is to lead to.
fn offer_merge(why: &mut Why) {
    if let Why::Taken(EntryKind::File | EntryKind::Folder) = why {
        let hint = Some("to make it one with what the link leads to, add `--merge`".into());
        *why = Why::Other { what: why.to_string(), hint };
    }
}

/// Makes what stands in the place of a link one with what the link leads to; `None` where nothing real does.
fn fold(one: &Asked, apply: &Apply, args: &Args, world: &World) -> Result<Option<Exit>, Failure> {
    let mut surveyor = surveyor(world)?;
    let real = surveyor
        .spot(one.at.as_bytes())
        .ok()
        .and_then(|spot| surveyor.object(&spot).ok().flatten());
    if !matches!(real, Some(Object::File { .. } | Object::Folder { .. })) {
        return Ok(None);
    }
    let mut moving = relocate::meant(&one.at, Some(&one.to), true, Some(one.style), apply.change);
    // Twice is to be once, and in a folder of packages nothing shall appear that would be linked the next time.
    moving.exact = true;
    relocate::run(&moving, args, world).map(Some)
}

/// What the watcher does with each, as the file has it.
fn set_policies(policies: &HashMap<AbsPath, Policy>, world: &World) -> Result<(), Failure> {
    let others = policies.iter().filter(|(_, policy)| **policy != Policy::default());
    let others: Vec<(&AbsPath, &Policy)> = others.collect();
    if others.is_empty() {
        return Ok(());
    }
    let Some(mut open) = catalogue::open_if_any(world)? else { return Ok(()) };
    let unusable = |found| catalogue::unusable(&found);
    for (at, policy) in others {
        let Some((folder, name)) = at.split() else { continue };
        if let Some(entry) = open.catalogue.at(&folder, &name).map_err(unusable)? {
            open.catalogue.set_policy(&[entry.id], *policy).map_err(unusable)?;
        }
    }
    Ok(())
}
