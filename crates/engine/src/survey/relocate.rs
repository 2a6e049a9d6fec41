//! Planning how something is moved elsewhere, with a link left at its old place, and how it comes home.
//!
//! Where names can be exchanged, within a volume, that is one step of one call. Elsewhere it is a copy,
//! which is verified and durable before a link takes the old place, and the freeing of the old, last.

mod after;
mod climb;
mod ends;
mod inside;
mod links;
mod made;
mod outside;
mod record;

pub(super) use ends::{destination, has_both};
pub use outside::{Follow, lead};
pub use record::texts as recorded;

use super::freight::{self, Freight};
use super::giving::links_made_anew;
use super::room::{holding_at, room};
use super::synced::synced;
use super::{Surveyor, conflict, refused};
use crate::operator::Spot;
use crate::refer::Going;
use crate::system::Facts;
use after::Moved;
use ends::{back, on_the_way_to, out};
use links::{bridge, by_name_with, links_inside};
use linkwell_model::entry::{EntryKind, FileId, Identity};
use linkwell_model::path::AbsPath;
use linkwell_model::plan::spelling::Style;
use linkwell_model::plan::{Item, Loss, Object, Plan, Rewritten, Step, Verify, Why};
use linkwell_model::shown::quoted;
use made::{copied, left};
use std::collections::HashMap;

/// What is wanted of a move.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// No link is left.
    pub no_link: bool,
    /// How the link's target is written; by what both ends share if none was asked for.
    pub style: Option<Style>,
    /// The old is kept aside instead of freed, where it is copied.
    pub keep: bool,
    /// How a copy is compared.
    pub verify: Verify,
    /// What a copy may lack.
    pub accept: Vec<Loss>,
    /// It is copied even if it looks as if a rename would do: that was tried, and refused.
    pub copy: bool,
    /// Within a volume it is not looked into: links inside keep their texts, wherever these lead then.
    pub as_is: bool,
    /// What a client syncs is moved all the same.
    pub synced_anyway: bool,
    /// linkwell's own state folder, which stays.
    pub state: Option<AbsPath>,
    /// Absolute links inside that lead into the old place lead into the new one.
    pub rewrite_inner: bool,
    /// Links that would be broken are left so.
    pub allow_broken: bool,
}

/// A plan, and what it is about.
#[derive(Debug)]
pub struct Looked {
    /// What is to be done.
    pub plan: Plan,
    /// What is moved; none where that could not be found out.
    pub moving: Option<Moving>,
    /// What leaves its place, for the search for links that lead there.
    pub going: Going,
    /// Links that lead into it, besides the one that it takes the place of: that one leads there by them.
    pub on_the_way: Vec<AbsPath>,
    /// What must be known to plan for these.
    shape: Option<Shape>,
}

impl Looked {
    /// A plan without regard to links elsewhere: they go on working as they are.
    pub(super) fn alone(plan: Plan, moving: Option<Moving>) -> Self {
        Self { plan, moving, going: Going::default(), on_the_way: Vec::new(), shape: None }
    }
}

/// What a planned move comes to.
#[derive(Debug)]
struct Shape {
    moved: Moved,
    /// A link stands at the old place, through which links elsewhere go on working.
    leaves: bool,
    /// A link at the new name that leads to the old one, and how it is known: it lets texts lead there
    /// before anything is moved.
    bridge: Option<(Step, Object)>,
}

/// What is moved.
#[derive(Debug)]
pub struct Moving {
    /// Where it stands.
    pub from: AbsPath,
    /// Which object it is.
    pub id: Identity,
    /// What it is.
    pub kind: EntryKind,
    /// Where it shall stand.
    pub to: AbsPath,
    /// It is copied there, and freed here.
    pub copied: bool,
    /// A link is left at its old place.
    pub leaves: bool,
    /// What is in it.
    pub freight: Freight,
}

/// What goes where.
struct Ends {
    /// Where it stands.
    from: Spot,
    /// What.
    object: Object,
    /// All about it.
    facts: Facts,
    /// The folders that the new place lies in.
    above: Vec<FileId>,
    /// Where it shall stand.
    to: Spot,
    /// The link that stands there now and goes, when something comes home.
    over: Option<Object>,
    /// The texts that links inside get again, where an earlier move changed them: what it is on record to
    /// have written, and what stood there before.
    record: Vec<Rewritten>,
}

/// Plans moving what is at the typed path `path` to `dest`: into that folder if the path ends in a slash,
/// else to exactly that name.
pub fn plan(surveyor: &mut Surveyor, wanted: &Wanted, path: &[u8], dest: &[u8]) -> Looked {
    let ends = out(surveyor, wanted, path, dest);
    planned(surveyor, wanted, path, ends, |_, _| Vec::new())
}

/// Plans bringing home what the link at the typed path `link` leads to: it takes the link's place.
/// `record` gives, for that link and the place of what it leads to, what [`recorded`] finds.
pub fn home(
    surveyor: &mut Surveyor,
    wanted: &Wanted,
    link: &[u8],
    record: impl FnOnce(&Object, &AbsPath) -> Vec<Rewritten>,
) -> Looked {
    let ends = back(surveyor, wanted, link);
    planned(surveyor, wanted, link, ends, record)
}

/// The plan for something that goes from one end to the other. All that speaks against it is found, not
/// only the first.
fn planned(
    surveyor: &mut Surveyor,
    wanted: &Wanted,
    typed: &[u8],
    ends: Result<Ends, Why>,
    record: impl FnOnce(&Object, &AbsPath) -> Vec<Rewritten>,
) -> Looked {
    let mut plan = Plan::default();
    let (mut going, mut on_the_way, mut shape) = (Going::default(), Vec::new(), None);
    let moving = ends.and_then(|mut ends| {
        let mut remarks = Vec::new();
        if let Some(over) = &ends.over {
            ends.record = record(over, &ends.from.place());
            on_the_way = on_the_way_to(surveyor, &ends);
        }
        let (moving, against) = look(surveyor, wanted, &ends, &mut remarks)?;
        if against.is_empty() {
            let steps = steps(surveyor, &mut plan, wanted, &ends, &moving, &mut remarks)?;
            match steps {
                Ok((steps, found)) => {
                    let accepted = wanted.accept.contains(&Loss::Owner);
                    remarks.extend(links_made_anew(surveyor, &mut plan, steps.iter(), accepted));
                    for step in &steps {
                        surveyor.lay(&plan, step);
                    }
                    if plan.conflicts.is_empty() {
                        plan.items.push(Item { path: typed.into(), steps, remarks });
                    }
                    for seen in surveyor.volumes().mounts().aliases(&moving.from) {
                        going.add(seen, 0);
                    }
                    shape = Some(found);
                }
                Err(broken) => {
                    for (place, why) in broken {
                        conflict(&mut plan, place.as_bytes(), why);
                    }
                }
            }
        }
        for why in against {
            conflict(&mut plan, typed, why);
        }
        Ok(moving)
    });
    let moving = moving.map_err(|why| conflict(&mut plan, typed, why)).ok();
    Looked { plan, moving, going, on_the_way, shape }
}

/// Looks at all that is to be moved; gives what speaks against it.
fn look(
    surveyor: &mut Surveyor,
    wanted: &Wanted,
    ends: &Ends,
    remarks: &mut Vec<String>,
) -> Result<(Moving, Vec<Why>), Why> {
    let copied = wanted.copy || !is_one_volume(surveyor, ends)?;
    let leaves = ends.over.is_none() && !wanted.no_link;
    let mut against = Vec::new();
    // A name goes from one folder, and comes into the other.
    for held in [&ends.from.held, &ends.to.held] {
        if let Err(why) = inside::may_change_in(held) {
            let hint = why.hint();
            against.push(Why::Other { what: format!("`{}`: {why}", held.place.shown()), hint });
        }
    }
    if let Some(synced) = synced(surveyor, &ends.from, ends.facts.kind) {
        if synced.holds(&ends.above) || wanted.synced_anyway {
            remarks.push(synced.remark());
        } else {
            against.push(synced.why("--synced-anyway"));
        }
    }
    against.extend(lower_layer(surveyor, wanted, ends));
    let here = holding_at(surveyor, &ends.from.held);
    let absolute = wanted.rewrite_inner || !leaves;
    let freight = if copied {
        let there = holding_at(surveyor, &ends.to.held);
        let room = room(ends.to.at())?;
        let name = there.word;
        let system = surveyor.system();
        let (shares, kept) = (system.may_share(ends.from.at()), system.may_share(ends.to.at()));
        let mut asked = freight::Wanted {
            above_destination: ends.above.clone(),
            absolute,
            sharing: shares && !kept,
            into: surveyor.system().facts_of(ends.to.at()).ok(),
            ..freight::Wanted::across(here, there, room.block)
        };
        let mut freight = freight::look(surveyor, &ends.from, &ends.facts, &asked);
        if shares && kept && room.is_enough(&freight).is_err() {
            // What is shared takes room once. It is asked only now, since that takes three calls a file.
            asked.sharing = true;
            freight = freight::look(surveyor, &ends.from, &ends.facts, &asked);
            freight.needed = freight.needed.saturating_sub(std::mem::take(&mut freight.shared));
            freight.sharing = Default::default();
        }
        against.extend(freight.against_copying(name, &wanted.accept));
        against.extend(room.is_enough(&freight).err());
        remarks.extend(freight.remarks(name, &wanted.accept));
        remarks.extend(in_memory(surveyor, ends));
        freight
    } else if wanted.as_is {
        let freight = freight::unseen(surveyor, &ends.from);
        against.extend(freight.against_renaming());
        if ends.facts.kind == EntryKind::Folder {
            remarks.push(
                "links in it are not looked at, as you asked: those that lead out of it by `..` may lead \
                 elsewhere then"
                    .into(),
            );
        }
        freight
    } else {
        let asked = freight::Wanted {
            above_destination: ends.above.clone(),
            absolute,
            ..freight::Wanted::within(here)
        };
        let freight = freight::look(surveyor, &ends.from, &ends.facts, &asked);
        against.extend(freight.against_renaming());
        remarks.extend(freight.subvolumes_in_it());
        if wanted.allow_broken {
            remarks.extend(freight.links_not_known());
        } else {
            let hint = "to move it all the same, add `--allow-broken`";
            let unknown = freight.links_not_known().into_iter();
            against.extend(unknown.map(|what| no(what, Some(hint.into()))));
        }
        freight
    };
    let moving = Moving {
        from: ends.from.place(),
        id: ends.facts.id,
        kind: ends.facts.kind,
        to: ends.to.place(),
        copied,
        leaves,
        freight,
    };
    Ok((moving, against))
}

/// What is moved from a disk into memory does not outlast the next start.
fn in_memory(surveyor: &Surveyor, ends: &Ends) -> Option<String> {
    let mounts = surveyor.volumes().mounts();
    let is_memory = |spot: &Spot| {
        let mount = mounts.covering(&spot.held.place);
        mount.is_some_and(|mount| matches!(&*mount.fs_type, b"tmpfs" | b"ramfs"))
    };
    (is_memory(&ends.to) && !is_memory(&ends.from)).then(|| {
        format!(
            "`{}` lies in memory and on no disk: all of it is gone when the computer is switched off",
            ends.to.place().shown()
        )
    })
}

/// A folder that was refused a rename within an overlay: it comes from a lower layer, and a link cannot be
/// exchanged with it either (EXDEV; overlayfs.rst, "redirect_dir"). So a copy of it could not take its place.
fn lower_layer(surveyor: &Surveyor, wanted: &Wanted, ends: &Ends) -> Option<Why> {
    let mount = surveyor.volumes().mounts().covering(&ends.from.held.place)?;
    let refused = wanted.copy && is_one_volume(surveyor, ends).unwrap_or(false);
    if !refused || &*mount.fs_type != b"overlay" || ends.facts.kind != EntryKind::Folder {
        return None;
    }
    let path = ends.from.place();
    let fresh = [path.as_bytes(), b".new"].concat();
    let (path, fresh) = (quoted(path.as_bytes()), quoted(&fresh));
    Some(no(
        "it lies in a lower layer of an overlay, where a folder can neither be renamed nor exchanged for a \
         link"
            .into(),
        Some(format!("a copy of it can be moved: `cp -a {path} {fresh}`, then move that")),
    ))
}

pub(super) fn no(what: String, hint: Option<String>) -> Why {
    Why::Other { what, hint }
}

/// The steps from one end to the other; or which links would be broken.
type Steps = Result<(Vec<Step>, Shape), Vec<(AbsPath, Why)>>;

fn steps(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    wanted: &Wanted,
    ends: &Ends,
    moving: &Moving,
    remarks: &mut Vec<String>,
) -> Result<Steps, Why> {
    surveyor.claim(&ends.from)?;
    surveyor.claim(&ends.to)?;
    let (from, to) = (surveyor.slot(plan, &ends.from)?, surveyor.slot(plan, &ends.to)?);
    let leave = if moving.leaves { Some(left(surveyor, wanted, ends, remarks)?) } else { None };
    let mut moved = Moved {
        top: moving.from.clone(),
        dest: moving.to.clone(),
        kind: moving.kind,
        leave: leave.as_ref().map(|leave| leave.target.clone()),
        texts: HashMap::new(),
    };
    let by_name = !moving.copied;
    let way = (&mut moved, by_name);
    let inside = match links_inside(surveyor, wanted, ends, way, &moving.freight, remarks) {
        Ok(inside) => inside,
        Err(broken) => return Ok(Err(broken)),
    };
    let bridged = by_name && !moving.leaves && ends.over.is_none();
    let bridge = bridged.then(|| bridge(&to, &moved));
    let mut shape = Shape { moved, leaves: moving.leaves, bridge };
    let steps = if by_name {
        let (old, over) = (ends.object.clone(), ends.over.clone());
        by_name_with(plan, &mut shape, &inside, Step::Move { at: from, old, to, leave, over })
    } else {
        let links = inside.renewed.into_values().map(|link| link.text).collect();
        copied(surveyor, wanted, ends, (from, to), leave, links)?
    };
    Ok(Ok((steps, shape)))
}

/// Whether a rename should do, as far as that can be known beforehand: it is tried, and may be refused.
/// The device number alone says nothing: a bind mount has that of its original, and parts of one btrfs
/// have several.
fn is_one_volume(surveyor: &Surveyor, ends: &Ends) -> Result<bool, Why> {
    let facts = |spot: &Spot| {
        let facts = surveyor.system().facts_of(spot.at());
        facts.map_err(|error| refused("its folder cannot be looked at", error))
    };
    let (here, there) = (facts(&ends.from)?, facts(&ends.to)?);
    let mount = match (here.mount, there.mount) {
        (Some(here), Some(there)) => here == there,
        _ => true,
    };
    Ok(mount && here.id.device == there.id.device)
}
