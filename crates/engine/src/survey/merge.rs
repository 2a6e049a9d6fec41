//! Planning how a folder is made one with another that is there already, with a link left in its place.
//!
//! What the other has not goes there; what both have and is the same stays as it is there; what differs is
//! kept there under a second name. Only then a link takes the old place, and what is left of the old one is
//! kept beside it: nothing is deleted. Each entry goes the way in which a single thing is moved, so that
//! every path leads to something at every moment: through a link in the old folder while that is there,
//! and through the link in its place afterwards.

mod bent;
mod difference;
pub(super) mod named;
mod same;
mod walk;

use super::freight;
use super::giving::links_made_anew;
use super::guard::{Destination, may_move};
use super::relocate::{self, Looked, Moving, no};
use super::room::{holding_at, room};
use super::synced::synced;
use super::{Surveyor, conflict, style};
use crate::folder::Folder;
use crate::look;
use crate::operator::{Held, Spot};
use crate::system::{Access, Facts};
use linkwell_model::entry::{EntryKind, FileId};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::spelling::{Style, written};
use linkwell_model::plan::{Fate, Item, Loss, Make, Object, Plan, Slot, Step, Why};
use linkwell_model::shown::quoted;
use linkwell_model::target::Target;
use std::sync::Arc;
use walk::Walk;

/// What is wanted of a merge.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// What is wanted of the move that it is.
    pub moving: relocate::Wanted,
    /// What stands at the destination by then is given up in the old place, instead of being kept there.
    pub free: bool,
    /// The link leads to the destination in any case: of two files that differ, the one here is kept in its own folder.
    pub exact: bool,
}

/// Two things that are made one.
struct Ends {
    from: Spot,
    object: Object,
    facts: Facts,
    to: Spot,
    there: Object,
    /// The folders that the destination lies in.
    above: Vec<FileId>,
}

/// How the links are written that are left.
#[derive(Clone, Copy, Debug)]
struct Manner {
    style: Style,
    /// Renaming will do.
    by_name: bool,
}

/// Plans making what is at the typed path `path` one with what is at `dest`. Where nothing is at `dest` it
/// is a plain move.
pub fn plan(surveyor: &mut Surveyor, wanted: &Wanted, path: &[u8], dest: &[u8]) -> Looked {
    let ends = match ends(surveyor, wanted, path, dest) {
        Ok(Some(ends)) => ends,
        Ok(None) => return relocate::plan(surveyor, &wanted.moving, path, dest),
        Err(why) => return refusal(path, why),
    };
    let mut plan = Plan::default();
    let planned = match (&ends.object, &ends.there) {
        (Object::Folder { .. }, Object::Folder { .. }) => {
            folders(surveyor, &mut plan, wanted, &ends, path).map(Some)
        }
        (Object::File { .. }, Object::File { .. }) => {
            match files(surveyor, &mut plan, wanted, &ends, path) {
                Ok(Some(other)) => return other,
                Ok(None) => Ok(None),
                Err(why) => Err(why),
            }
        }
        (one, other) => Err(no(
            format!(
                "it is a {}, and `{}` is a {}",
                one.kind().word(),
                ends.to.place().shown(),
                other.kind().word()
            ),
            (other.kind() == EntryKind::Folder).then(|| {
                let inside = quoted(&[dest, b"/"].concat());
                format!("to move it into that folder, end the path in a slash: `{inside}`")
            }),
        )),
    };
    let moving = planned.unwrap_or_else(|why| {
        conflict(&mut plan, path, why);
        None
    });
    // All of it is one item: a part that cannot be done leaves nothing to do.
    if !plan.conflicts.is_empty() {
        plan.items.clear();
    }
    Looked::alone(plan, moving)
}

fn refusal(path: &[u8], why: Why) -> Looked {
    let mut plan = Plan::default();
    conflict(&mut plan, path, why);
    Looked::alone(plan, None)
}

/// The two; `None` when nothing is at the destination.
fn ends(
    surveyor: &mut Surveyor,
    wanted: &Wanted,
    path: &[u8],
    dest: &[u8],
) -> Result<Option<Ends>, Why> {
    relocate::has_both(path, dest)?;
    let from = surveyor.spot(path)?;
    let object = surveyor.object(&from)?.ok_or_else(|| Why::Nothing(path.into()))?;
    let to = relocate::destination(surveyor, path, dest, &from)?;
    let Some(there) = surveyor.object(&to)? else { return Ok(None) };
    let place = Destination { spot: &to, object: Some(&there) };
    let state = wanted.moving.state.as_ref();
    let (facts, above) = may_move(surveyor, path, (&from, &object), place, state)?;
    if let Object::Link { .. } = &there {
        let led = surveyor.led(Some(&to.held.place), to.name.as_bytes());
        let hint = led.physical.map(|place| {
            format!("to merge it with what the link leads to: `{}`", quoted(place.as_bytes()))
        });
        return Err(no(format!("`{}` is a link", to.place().shown()), hint));
    }
    Ok(Some(Ends { from, object, facts, to, there, above }))
}

fn facts(surveyor: &Surveyor, spot: &Spot) -> Result<Facts, Why> {
    let facts = surveyor.system().facts(spot.at(), spot.name.as_bytes());
    facts.map_err(|error| super::refused("it cannot be looked at", error))
}

/// Opens a folder by its physical place.
fn hold(surveyor: &Surveyor, place: AbsPath) -> Result<Held, Why> {
    let opened = Folder::of_place(&place).open(surveyor.system(), Access::Hold);
    let folder =
        opened.map_err(|error| super::refused("a folder in it cannot be opened", error))?;
    Ok(Held { folder: Arc::new(folder), place })
}

fn folders(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    wanted: &Wanted,
    ends: &Ends,
    path: &[u8],
) -> Result<Moving, Why> {
    let (from, to) = (ends.from.place(), ends.to.place());
    let (here, there) = (hold(surveyor, from.clone())?, hold(surveyor, to.clone())?);
    let manner = manner(surveyor, wanted, ends, &here, &there)?;
    let word = named::word(&from, &to);
    let mut said = Vec::new();
    let moving = look_through(surveyor, plan, wanted, ends, (&there, !manner.by_name), &mut said)?;
    let mut walk = Walk::new(surveyor, plan, wanted, manner, from, word);
    walk.all(here, there)?;
    let (mut steps, mut remarks) = walk.end();
    remarks.append(&mut said);
    let opens = same::opens(&ends.facts, &facts(surveyor, &ends.to)?, &[]);
    if opens {
        remarks
            .push("the folder there is open to others than this one; its permissions stay".into());
    }
    let kept = named::aside(surveyor, &ends.from, "merged")?;
    remarks.push(if wanted.free {
        "what is left of it, folders and links, is kept there; `linkwell undo` needs that".into()
    } else {
        "nothing of it is deleted: remove what is kept when you are content (`linkwell undo` needs it)"
            .into()
    });
    steps.push(last(surveyor, plan, manner, ends, &kept)?);
    if manner.by_name {
        let accepted = wanted.moving.accept.contains(&Loss::Owner);
        remarks.extend(links_made_anew(surveyor, plan, steps.iter(), accepted));
    }
    plan.items.push(Item { path: path.into(), steps, remarks });
    Ok(moving)
}

/// Looks at all that goes over, as for a single thing; what speaks against it are conflicts. Whether there
/// is room is not asked: how much is needed depends on what both have, and where it does not suffice, all
/// is taken back.
fn look_through(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    wanted: &Wanted,
    ends: &Ends,
    (there, copied): (&Held, bool),
    remarks: &mut Vec<String>,
) -> Result<Moving, Why> {
    let path = ends.from.place();
    if let Some(synced) = synced(surveyor, &ends.from, ends.facts.kind) {
        if synced.holds(&ends.above) || wanted.moving.synced_anyway {
            remarks.push(synced.remark());
        } else {
            return Err(synced.why("--synced-anyway"));
        }
    }
    let here = holding_at(surveyor, &ends.from.held);
    let to = holding_at(surveyor, there);
    let name = to.word;
    let asked = if copied {
        let block = room(rustix::fd::AsFd::as_fd(&there.folder))?.block;
        freight::Wanted::across(here, to, block)
    } else {
        freight::Wanted::within(here)
    };
    let sharing = copied && surveyor.system().may_share(ends.from.at());
    let asked = freight::Wanted { above_destination: ends.above.clone(), sharing, ..asked };
    let freight = freight::look(surveyor, &ends.from, &ends.facts, &asked);
    let against = if copied {
        freight.against_copying(name, &wanted.moving.accept)
    } else {
        freight.against_renaming()
    };
    for why in against {
        conflict(plan, path.as_bytes(), why);
    }
    remarks.extend(freight.unshared("a merge does not keep that"));
    Ok(Moving {
        from: path,
        id: ends.facts.id,
        kind: ends.facts.kind,
        to: ends.to.place(),
        copied,
        leaves: true,
        freight,
    })
}

/// The last step: the link takes the old place.
fn last(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    manner: Manner,
    ends: &Ends,
    kept: &Name,
) -> Result<Step, Why> {
    let at = surveyor.slot(plan, &ends.from)?;
    let make = link(manner.style, &ends.from.held.place, &ends.to.place())?;
    let fate = Fate::Kept(Slot { folder: at.folder, name: kept.clone() });
    Ok(Step::Replace { at, old: ends.object.clone(), make, fate })
}

/// A link in the folder at `folder` that leads to `place`.
fn link(style: Style, folder: &AbsPath, place: &AbsPath) -> Result<Make, Why> {
    let text = written(style, folder, place);
    if text.len() > 4095 {
        return Err(Why::Name(
            "a link's target would be longer than 4,095 bytes, the most a link can hold",
        ));
    }
    Ok(Make::Link { target: Target::new(text), attributes: None })
}

fn manner(
    surveyor: &mut Surveyor,
    wanted: &Wanted,
    ends: &Ends,
    here: &Held,
    there: &Held,
) -> Result<Manner, Why> {
    let shared = match wanted.moving.style {
        Some(_) => None,
        None => surveyor.shared(&ends.from.place(), &ends.to.place()),
    };
    let style = style(wanted.moving.style, shared.as_ref());
    // As for a single thing, device numbers alone do not decide, and what is refused is planned again.
    let of = |held: &Held| surveyor.system().facts_of(rustix::fd::AsFd::as_fd(&held.folder));
    let look = |error| super::refused("it cannot be looked at", error);
    let (here, there) = (of(here).map_err(look)?, of(there).map_err(look)?);
    let by_name =
        !wanted.moving.copy && here.mount == there.mount && here.id.device == there.id.device;
    Ok(Manner { style, by_name })
}

/// Two files: the same become one; else the one is moved beside the other, under a name that tells them
/// apart, and a link leads to that.
fn files(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    wanted: &Wanted,
    ends: &Ends,
    path: &[u8],
) -> Result<Option<Looked>, Why> {
    let there = facts(surveyor, &ends.to)?;
    let (one, other) = (ends.from.at(), ends.to.at());
    let same = same::files(
        surveyor.system(),
        (one, &ends.from.name, &ends.facts),
        (other, &ends.to.name, &there),
        &wanted.moving.accept,
    )?;
    let Some(same) = same else {
        let told =
            difference::told(surveyor.system(), (&ends.from, &ends.facts), (&ends.to, &there));
        if wanted.exact {
            beside(surveyor, plan, wanted, ends, path, told)?;
            return Ok(None);
        }
        let word = named::word(&ends.from.held.place, &ends.to.held.place);
        let name = named::beside(surveyor, &ends.to.held, &ends.to.name, &word, &[])?;
        let new = ends.to.held.place.joined(name.as_bytes());
        let mut other = relocate::plan(surveyor, &wanted.moving, path, new.as_bytes());
        if let Some(item) = other.plan.items.first_mut() {
            item.remarks
                .push("the two differ: both are kept, and the link leads to this one".into());
            // Of the whole, since what is said of an item is put on record, and lines of people's files have no place there.
            other.plan.remarks.extend(told);
        }
        return Ok(Some(other));
    };
    let shared = surveyor.shared(&ends.from.place(), &ends.to.place());
    let style = style(wanted.moving.style, shared.as_ref());
    let at = surveyor.slot(plan, &ends.from)?;
    let make = link(style, &ends.from.held.place, &ends.to.place())?;
    let of = surveyor.slot(plan, &ends.to)?;
    let again =
        same.again(of, there.id).filter(|_| wanted.free && ends.facts.names == 1 || same.one);
    let fate = match again {
        Some(again) => Fate::Dropped { again: Some(Box::new(again)) },
        None => Fate::Kept(Slot {
            folder: at.folder,
            name: named::aside(surveyor, &ends.from, "merged")?,
        }),
    };
    let remarks = vec!["the two are the same, compared byte by byte; the one there stays".into()];
    let step = Step::Replace { at, old: ends.object.clone(), make, fate };
    plan.items.push(Item { path: path.into(), steps: vec![step], remarks });
    Ok(None)
}

/// A link to what is there takes the place of a file that differs, which stays beside it.
fn beside(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    wanted: &Wanted,
    ends: &Ends,
    path: &[u8],
    told: Vec<String>,
) -> Result<(), Why> {
    let shared = surveyor.shared(&ends.from.place(), &ends.to.place());
    let style = style(wanted.moving.style, shared.as_ref());
    let at = surveyor.slot(plan, &ends.from)?;
    let make = link(style, &ends.from.held.place, &ends.to.place())?;
    let name = named::aside(surveyor, &ends.from, "merged")?;
    let remarks = vec!["the two differ: the link leads to the one there, and both are kept".into()];
    // Not of the item, which is put on record.
    plan.remarks.extend(told);
    let fate = Fate::Kept(Slot { folder: at.folder, name });
    let step = Step::Replace { at, old: ends.object.clone(), make, fate };
    plan.items.push(Item { path: path.into(), steps: vec![step], remarks });
    Ok(())
}

/// What stands at a name, links in full.
fn object(surveyor: &Surveyor, held: &Held, name: &Name) -> Result<Object, Why> {
    let folder = rustix::fd::AsFd::as_fd(&held.folder);
    let found = look::object_in_full(surveyor.system(), folder, name.as_bytes());
    let found = found.map_err(|error| super::refused("it cannot be looked at", error))?;
    found.ok_or_else(|| Why::Nothing(held.place.joined(name.as_bytes()).as_bytes().into()))
}
