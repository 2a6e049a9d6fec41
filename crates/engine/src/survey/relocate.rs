//! Planning how something is moved elsewhere, with a link left at its old place, and how it comes home.
//!
//! Where names can be exchanged, within a volume, that is one step of one call. Elsewhere it is a copy,
//! which is verified and durable before a link takes the old place, and the freeing of the old, last.

mod after;
mod inside;
mod links;
mod outside;
mod record;

pub use outside::{Follow, lead};
pub use record::texts as recorded;

use super::create::{goes_inside, last_name};
use super::freight::{self, Freight};
use super::guard::{Destination, may_move};
use super::merge::named::aside;
use super::room::{holding_at, room};
use super::synced::synced;
use super::{Surveyor, conflict, refused, style};
use crate::operator::Spot;
use crate::refer::Going;
use crate::system::Facts;
use after::Moved;
use links::{bridge, by_name_with, links_inside};
use linkwell_model::entry::{EntryKind, FileId, Identity};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::spelling::{Shared, Style, written};
use linkwell_model::plan::{
    Fate, Item, Leave, Loss, Make, Manner, Object, Plan, Rewritten, Slot, Step, Verify, Why,
};
use linkwell_model::shown::quoted;
use linkwell_model::target::Target;
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
    /// What must be known to plan for these.
    shape: Option<Shape>,
}

impl Looked {
    /// A plan without regard to links elsewhere: they go on working as they are.
    pub(super) fn alone(plan: Plan, moving: Option<Moving>) -> Self {
        Self { plan, moving, going: Going::default(), shape: None }
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
    let (mut going, mut shape) = (Going::default(), None);
    let moving = ends.and_then(|mut ends| {
        let mut remarks = Vec::new();
        if let Some(over) = &ends.over {
            ends.record = record(over, &ends.from.place());
        }
        let (moving, against) = look(surveyor, wanted, &ends, &mut remarks)?;
        if against.is_empty() {
            let steps = steps(surveyor, &mut plan, wanted, &ends, &moving, &mut remarks)?;
            match steps {
                Ok((steps, found)) => {
                    for step in &steps {
                        surveyor.lay(&plan, step);
                    }
                    plan.items.push(Item { path: typed.into(), steps, remarks });
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
    Looked { plan, moving, going, shape }
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
        let asked = freight::Wanted {
            above_destination: ends.above.clone(),
            absolute,
            ..freight::Wanted::across(here, there, room.block)
        };
        let freight = freight::look(surveyor, &ends.from, &ends.facts, &asked);
        against.extend(freight.against_copying(name, &wanted.accept));
        against.extend(room.is_enough(&freight).err());
        remarks.extend(freight.remarks(name, &wanted.accept));
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

/// The ends of a move to `dest`.
fn out(surveyor: &mut Surveyor, wanted: &Wanted, path: &[u8], dest: &[u8]) -> Result<Ends, Why> {
    if path.is_empty() || dest.is_empty() {
        return Err(Why::Name("the path is empty"));
    }
    let from = surveyor.spot(path)?;
    let object = surveyor.object(&from)?;
    let object = object.ok_or_else(|| Why::Nothing(path.into()))?;
    let to = destination(surveyor, path, dest, &from)?;
    let there = surveyor.object(&to)?;
    let place = Destination { spot: &to, object: there.as_ref() };
    let state = wanted.state.as_ref();
    let (facts, above) = may_move(surveyor, path, (&from, &object), place, state)?;
    if let Some(there) = there {
        return Err(taken(surveyor, dest, &to, &there));
    }
    Ok(Ends { from, object, facts, above, to, over: None, record: Vec::new() })
}

/// Where something goes that is to go to `dest`.
pub(super) fn destination(
    surveyor: &mut Surveyor,
    path: &[u8],
    dest: &[u8],
    from: &Spot,
) -> Result<Spot, Why> {
    if !goes_inside(dest) {
        return surveyor.spot(dest);
    }
    let held = surveyor.folder(dest)?;
    let name = last_name(path).and_then(Name::new).unwrap_or_else(|| from.name.clone());
    Ok(Spot { held, name, as_folder: false })
}

/// Something stands where it is to go.
fn taken(surveyor: &mut Surveyor, dest: &[u8], to: &Spot, there: &Object) -> Why {
    let inside = quoted(&[dest, b"/"].concat());
    let led = surveyor.led(None, dest);
    let hint = match (there, led.kind) {
        _ if goes_inside(dest) => None,
        (Object::Folder { .. }, _) => Some(format!(
            "to move it into that folder, end the path in a slash: `{inside}`; to make one folder of the \
             two, add `--merge`"
        )),
        (Object::Link { .. }, Some(EntryKind::Folder)) => Some(format!(
            "to move it into the folder behind the link, end the path in a slash: `{inside}`"
        )),
        _ => None,
    };
    no(format!("there is a {} at `{}` already", there.kind().word(), to.place().shown()), hint)
}

/// The ends of a way home, in place of the link at `link`.
fn back(surveyor: &mut Surveyor, wanted: &Wanted, link: &[u8]) -> Result<Ends, Why> {
    if link.is_empty() {
        return Err(Why::Name("the path is empty"));
    }
    let trimmed = link.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    let to = surveyor.spot(link.get(..trimmed).unwrap_or_default())?;
    let object = surveyor.object(&to)?;
    let object = object.ok_or_else(|| Why::Nothing(link.into()))?;
    let Object::Link { attributes, .. } = &object else {
        let what = format!("it is a {}, not a link", object.kind().word());
        return Err(no(
            what,
            Some("`--back` is given the link that stands in the old place".into()),
        ));
    };
    super::create::may_replace(surveyor, &to, attributes.owner)?;
    let led = surveyor.led(Some(&to.held.place), to.name.as_bytes());
    if led.physical.is_none() {
        return Err(no(
            "it leads nowhere now, so there is nothing to bring home".into(),
            Some(format!("`linkwell show {}` says why", quoted(link))),
        ));
    }
    if led.physical.is_some_and(|place| place.split().is_none()) {
        return Err(no("it leads to the top of all folders".into(), None));
    }
    // Whoever has made a link on the way says what is moved: that may be the user and root.
    let from = surveyor.behind(&to)?;
    let place = from.place();
    let there = surveyor.object(&from)?;
    let there = there.ok_or_else(|| Why::Nothing(place.as_bytes().into()))?;
    let end = Destination { spot: &to, object: Some(&object) };
    let state = wanted.state.as_ref();
    let (facts, above) = may_move(surveyor, place.as_bytes(), (&from, &there), end, state)?;
    Ok(Ends { from, object: there, facts, above, to, over: Some(object), record: Vec::new() })
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

/// The link that is left.
fn left(
    surveyor: &mut Surveyor,
    wanted: &Wanted,
    ends: &Ends,
    remarks: &mut Vec<String>,
) -> Result<Leave, Why> {
    let (link, place) = (ends.from.place(), ends.to.place());
    let shared = if wanted.style.is_some() { None } else { surveyor.shared(&link, &place) };
    let style = style(wanted.style, shared.as_ref());
    let text = written(style, &ends.from.held.place, &place);
    if text.len() > 4095 {
        return Err(Why::Name(
            "the link's target would be longer than 4,095 bytes, the most a link can hold",
        ));
    }
    if wanted.style.is_none() {
        remarks.push(Shared::why(shared.as_ref()));
    }
    Ok(Leave { target: Target::new(text), attributes: None })
}

/// The steps of a copy: it is made, a link takes the old place, the old is freed.
fn copied(
    surveyor: &Surveyor,
    wanted: &Wanted,
    ends: &Ends,
    (from, to): (Slot, Slot),
    leave: Option<Leave>,
    links: Vec<Rewritten>,
) -> Result<Vec<Step>, Why> {
    let folder = ends.facts.kind == EntryKind::Folder;
    let manner = Manner { verify: wanted.verify, accept: wanted.accept.clone(), links };
    let id = ends.facts.id;
    // The old is a copy of the new by then: so it can be given up, and made again.
    let reversed = Some(Box::new(manner.reversed()));
    let again = Make::Copy { of: to.clone(), id, folder, manner: reversed };
    let fate = match &ends.over {
        None if wanted.keep => {
            let name = aside(surveyor, &ends.from, "moved")?;
            Fate::Kept(Slot { folder: from.folder, name })
        }
        _ => Fate::Dropped { again: Some(Box::new(again)) },
    };
    let make = Make::Copy { of: from.clone(), id, folder, manner: Some(Box::new(manner)) };
    let (at, old) = (from, ends.object.clone());
    let first = match &ends.over {
        Some(link) => {
            let fate = Fate::Dropped { again: None };
            Step::Replace { at: to, old: link.clone(), make, fate }
        }
        None => Step::Put { at: to, make },
    };
    let second = match leave {
        Some(Leave { target, attributes }) => {
            Step::Replace { at, old, make: Make::Link { target, attributes }, fate }
        }
        None => Step::Remove { at, old, fate },
    };
    Ok(vec![first, second])
}
