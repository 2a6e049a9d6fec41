//! *Mirror*: hard links to the same files where it is synced. For files that never change again: the first program that
//! writes a new file in the place of one parts the two.

use super::wanted::{Wanted, refused};
use super::{kept, words};
use crate::World;
use crate::args::Args;
use crate::args::share::{Share, Unshare};
use crate::commands::change::{self, Manner, carry_out, carry_out_prepared};
use crate::error::{Exit, Failure, say};
use linkwell_engine::placements::mirror::{Mirror, compare, place};
use linkwell_engine::survey::create::{self, Kind, Pair, Whither};
use linkwell_engine::survey::{Surveyor, conflict};
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Fate, Item, Make, Object, Plan, Slot, Step, Why};
use linkwell_model::share::placement::Placement;
use linkwell_model::shown::shown;

/// Larger folders are not mirrored: each file is a name more, and looked at by hand in the end.
const MOST: usize = 200_000;

/// So many paths are named.
const NAMED: usize = 10;

pub(super) fn share(
    share: &Share,
    wanted: &Wanted,
    args: &Args,
    world: &World,
) -> Result<Exit, Failure> {
    let placement = wanted.placement(world);
    let there = placement.there();
    if wanted.root.is_at_or_below(&wanted.folder) {
        return Err(refused("a folder cannot be mirrored in itself".into(), None));
    }
    let mut first = change::surveyor(world)?;
    let found = compared(&mut first, &wanted.folder, &there)?;
    if found.more {
        let what = format!("more than {MOST} things are in `{}`", wanted.folder.shown());
        return Err(refused(what, Some("share it by another way: `--by inverted`".into())));
    }
    one_volume(&mut first, wanted)?;
    let mut plan = folders(&mut first, &there, &found.folders, 0);
    if let Some(item) = plan.items.first_mut() {
        item.remarks.extend(words::before(wanted));
        item.remarks.extend(not_carried(&found));
    }
    let before = kept::all(world)?;
    let mut manner = Manner { change: share.change, each: None, undoes: None, amount: None };
    let prepare = |plan: &mut Plan| kept::prepare(placement.clone(), plan, world);
    let exit = carry_out_prepared(plan, &manner, &first, args, world, prepare);
    if share.change.dry_run {
        return exit;
    }
    if exit.as_ref().ok() != Some(&Exit::Done) {
        if !kept::may_come(&exit) {
            kept::restore(&placement, &before, world)?;
        }
        return exit;
    }
    // It was agreed to the whole.
    manner.change.yes = true;
    let deepest = found.folders.iter().map(|below| depth(below)).max().unwrap_or(0);
    for level in 1..=deepest {
        let mut surveyor = change::surveyor(world)?;
        let plan = folders(&mut surveyor, &there, &found.folders, level);
        let exit = carry_out(plan, &manner, &surveyor, args, world)?;
        if exit != Exit::Done {
            return Ok(exit);
        }
    }
    let links = create::Wanted {
        kind: Kind::Hard,
        style: None,
        force: false,
        backup: None,
        allow_broken: false,
        allow_cycle: false,
        exact: true,
    };
    let pair = |below: &Vec<u8>| {
        let link = place(&there, below).as_bytes().to_vec();
        Pair::new(place(&wanted.folder, below).as_bytes().to_vec(), Whither::At(link))
    };
    let pairs: Vec<Pair> = found.missing.iter().map(pair).collect();
    let mut surveyor = change::surveyor(world)?;
    let plan = create::plan(&mut surveyor, &links, &pairs);
    carry_out(plan, &manner, &surveyor, args, world)
}

fn compared(surveyor: &mut Surveyor, folder: &AbsPath, there: &AbsPath) -> Result<Mirror, Failure> {
    compare(surveyor, folder, there, MOST)
        .map_err(|why| refused(format!("`{}`: {why}", folder.shown()), why.hint()))
}

/// A file has its names on one volume.
fn one_volume(surveyor: &mut Surveyor, wanted: &Wanted) -> Result<(), Failure> {
    let mut device = |place: &AbsPath| {
        let held = surveyor.folder(place.as_bytes())?;
        surveyor.identity(&held).map(|id| id.device)
    };
    match (device(&wanted.folder), device(&wanted.root)) {
        (Ok(one), Ok(other)) if one == other => Ok(()),
        (Ok(_), Ok(_)) => Err(refused(
            format!(
                "`{}` and `{}` lie on different volumes, and a file has its names on one",
                wanted.folder.shown(),
                wanted.root.shown()
            ),
            Some("share it by another way: `--by inverted`".into()),
        )),
        (Err(why), _) | (_, Err(why)) => Err(refused(why.to_string(), why.hint())),
    }
}

fn not_carried(found: &Mirror) -> Vec<String> {
    let count = found.missing.len();
    let mut lines = vec![
        format!("{count} file{} get a second name there", if count == 1 { "" } else { "s" }),
        "only for files that never change again: a program that saves a new file in the place of one parts the two, \
         and what is new here or deleted here is not carried over"
            .into(),
    ];
    if found.left_out > 0 {
        lines.push(format!("{} links and other things in it are not carried", found.left_out));
    }
    lines
}

fn depth(below: &[u8]) -> usize {
    if below.is_empty() { 0 } else { below.split(|byte| *byte == b'/').count() }
}

/// The folders of one level. A step needs its folder to be there, so each level is an operation of its own.
fn folders(surveyor: &mut Surveyor, there: &AbsPath, all: &[Vec<u8>], level: usize) -> Plan {
    let mut plan = Plan::default();
    for below in all.iter().filter(|below| depth(below) == level) {
        let at = place(there, below);
        match free(surveyor, &mut plan, &at) {
            Ok(slot) => {
                let steps = vec![Step::Put { at: slot, make: Make::CommonFolder }];
                plan.items.push(Item { path: at.as_bytes().into(), steps, remarks: Vec::new() });
            }
            Err(why) => conflict(&mut plan, at.as_bytes(), why),
        }
    }
    plan
}

fn free(surveyor: &mut Surveyor, plan: &mut Plan, at: &AbsPath) -> Result<Slot, Why> {
    let spot = surveyor.spot(at.as_bytes())?;
    if let Some(object) = surveyor.object(&spot)? {
        return Err(Why::Taken(object.kind()));
    }
    surveyor.claim(&spot)?;
    surveyor.slot(plan, &spot)
}

/// The second names go, and the folders that are empty then. What is not one file with that in the folder stays.
pub(super) fn unshare(
    placement: &Placement,
    name: &str,
    unshare: &Unshare,
    args: &Args,
    world: &World,
) -> Result<Exit, Failure> {
    let there = placement.there();
    let mut surveyor = change::surveyor(world)?;
    let found = compared(&mut surveyor, &placement.folder, &there)?;
    let mut plan = Plan::default();
    for below in &found.same {
        remove(&mut surveyor, &mut plan, placement, below)
            .unwrap_or_else(|why| conflict(&mut plan, place(&there, below).as_bytes(), why));
    }
    let stays: Vec<&Vec<u8>> = found.parted.iter().chain(&found.new).collect();
    let holds = |folder: &Vec<u8>| {
        stays.iter().any(|below| {
            folder.is_empty()
                || below.strip_prefix(&folder[..]).is_some_and(|rest| rest.starts_with(b"/"))
        })
    };
    if let Some(item) = plan.items.first_mut() {
        item.remarks.push(format!("`{}` stays as it is", placement.folder.shown()));
        item.remarks.push(format!(
            "{name} then deletes its copy on the other side: it is no longer synced"
        ));
    }
    for below in stays.iter().take(NAMED) {
        say(&format!(
            "note: `{}` is not what is in the folder, and stays",
            shown(place(&there, below).as_bytes())
        ));
    }
    if stays.len() > NAMED {
        say(&format!("note: and {} more stay", stays.len() - NAMED));
    }
    let mut manner = Manner { change: unshare.change, each: None, undoes: None, amount: None };
    let exit = carry_out(plan, &manner, &surveyor, args, world)?;
    if unshare.change.dry_run || exit != Exit::Done {
        return Ok(exit);
    }
    // It was agreed to the whole. Each level is an operation of its own, as when they were made.
    manner.change.yes = true;
    let empty: Vec<&Vec<u8>> = found.folders_there.iter().filter(|folder| !holds(folder)).collect();
    for level in (0..=empty.iter().map(|below| depth(below)).max().unwrap_or(0)).rev() {
        let mut surveyor = change::surveyor(world)?;
        let mut plan = Plan::default();
        for below in empty.iter().filter(|below| depth(below) == level) {
            remove(&mut surveyor, &mut plan, placement, below)
                .unwrap_or_else(|why| conflict(&mut plan, place(&there, below).as_bytes(), why));
        }
        if plan.items.is_empty() {
            continue;
        }
        let exit = carry_out(plan, &manner, &surveyor, args, world)?;
        if exit != Exit::Done {
            return Ok(exit);
        }
    }
    kept::remove(placement, world)?;
    Ok(Exit::Done)
}

fn remove(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    placement: &Placement,
    below: &[u8],
) -> Result<(), Why> {
    let path = place(&placement.there(), below);
    let spot = surveyor.spot(path.as_bytes())?;
    let Some(old) = surveyor.object(&spot)? else { return Ok(()) };
    surveyor.claim(&spot)?;
    let at = surveyor.slot(plan, &spot)?;
    let again = match &old {
        Object::Folder { .. } => Make::Folder,
        Object::File { id, .. } => {
            let original = surveyor.spot(place(&placement.folder, below).as_bytes())?;
            Make::Name { of: surveyor.slot(plan, &original)?, id: *id }
        }
        other => return Err(Why::Taken(other.kind())),
    };
    let fate = Fate::Dropped { again: Some(Box::new(again)) };
    let steps = vec![Step::Remove { at, old, fate }];
    plan.items.push(Item { path: path.as_bytes().into(), steps, remarks: Vec::new() });
    Ok(())
}
