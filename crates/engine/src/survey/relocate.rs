//! Planning how something is moved elsewhere, with a link left at its old place, and how it comes home.
//!
//! Where names can be exchanged, within a volume, that is one step of one call. Elsewhere it is a copy,
//! which is verified and durable before a link takes the old place, and the freeing of the old, last.

mod after;
mod inside;
mod outside;
mod record;

pub use outside::{Follow, lead};
pub use record::texts as recorded;

use super::create::{goes_inside, last_name};
use super::freight::{self, Freight};
use super::room::holding_at;
use super::{Surveyor, conflict, refused, style};
use crate::operator::Spot;
use crate::refer::Going;
use crate::system::Facts;
use after::Moved;
use inside::{Inside, Renewed, Way};
use linkwell_model::entry::{EntryKind, Identity, Time};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::spelling::{Shared, Style, written};
use linkwell_model::plan::{
    Attributes, Fate, Item, Leave, Loss, Make, Manner, Object, Plan, Rewritten, Slot, Step, Verify,
    Why,
};
use linkwell_model::shown::{quoted, shown};
use linkwell_model::target::Target;

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
    /// Absolute links inside that lead into the old place lead into the new one.
    pub rewrite_inner: bool,
    /// Links that would be broken are left so.
    pub allow_broken: bool,
    /// The texts that links inside get again, where an earlier move changed them: what it is on record to
    /// have written, and what stood there before.
    pub record: Vec<Rewritten>,
}

/// A planned move, and what must be known of it to plan for the links elsewhere that need what is moved.
#[derive(Debug)]
pub struct Relocation {
    /// The plan.
    pub plan: Plan,
    /// What leaves its place. Nothing if nothing is planned.
    pub going: Going,
    /// Whether links elsewhere that say the old place go on working through a link that stands there.
    pub leaves: bool,
    path: Box<[u8]>,
    shape: Option<Shape>,
}

/// What a planned move comes to.
#[derive(Debug)]
struct Shape {
    moved: Moved,
    leaves: bool,
    /// A link at the new name that leads to the old one, and how it is known: it lets texts lead there
    /// before anything is moved.
    bridge: Option<(Step, Object)>,
}

/// What goes where.
struct Ends {
    /// Where it stands.
    from: Spot,
    /// What.
    object: Object,
    /// All about it.
    facts: Facts,
    /// Where it shall stand.
    to: Spot,
    /// The link that stands there now and goes, when something comes home.
    over: Option<Object>,
}

/// Plans moving what is at the typed path `path` to `dest`: into that folder if the path ends in a slash,
/// else to exactly that name.
pub fn plan(surveyor: &mut Surveyor, wanted: &Wanted, path: &[u8], dest: &[u8]) -> Relocation {
    let mut plan = Plan::default();
    let ends = out(surveyor, path, dest);
    let planned = ends.map_err(Refusal::one);
    let planned = planned.and_then(|ends| steps(surveyor, &mut plan, wanted, &ends));
    settle(surveyor, plan, path, planned)
}

/// Plans bringing home what the link at the typed path `link` leads to: it takes the link's place.
/// `record` gives, for that link and the place of what it leads to, what [`recorded`] finds.
pub fn home(
    surveyor: &mut Surveyor,
    wanted: &Wanted,
    link: &[u8],
    record: impl FnOnce(&Object, &AbsPath) -> Vec<Rewritten>,
) -> Relocation {
    let mut plan = Plan::default();
    let ends = back(surveyor, link);
    let planned = ends.map_err(Refusal::one).and_then(|ends| {
        let record = ends.over.as_ref().map(|over| record(over, &ends.from.place()));
        let wanted = Wanted { record: record.unwrap_or_default(), ..wanted.clone() };
        steps(surveyor, &mut plan, &wanted, &ends)
    });
    settle(surveyor, plan, link, planned)
}

/// Why nothing is planned: at which places, or at the path that was typed.
struct Refusal(Vec<(Option<AbsPath>, Why)>);

impl Refusal {
    fn one(why: Why) -> Self {
        Self(vec![(None, why)])
    }
}

impl From<Why> for Refusal {
    fn from(why: Why) -> Self {
        Self::one(why)
    }
}

struct Planned {
    steps: Vec<Step>,
    remarks: Vec<String>,
    shape: Shape,
}

fn settle(
    surveyor: &mut Surveyor,
    mut plan: Plan,
    path: &[u8],
    planned: Result<Planned, Refusal>,
) -> Relocation {
    let mut going = Going::default();
    let shape = match planned {
        Ok(Planned { steps, remarks, shape }) => {
            for step in &steps {
                surveyor.lay(&plan, step);
            }
            plan.items.push(Item { path: path.into(), steps, remarks });
            for seen in surveyor.volumes().mounts().aliases(&shape.moved.top) {
                going.add(seen, 0);
            }
            Some(shape)
        }
        Err(Refusal(whys)) => {
            for (place, why) in whys {
                let place = place.as_ref().map_or(path, AbsPath::as_bytes);
                conflict(&mut plan, place, why);
            }
            None
        }
    };
    let leaves = shape.as_ref().is_none_or(|shape| shape.leaves);
    Relocation { plan, going, leaves, path: path.into(), shape }
}

fn no(what: String, hint: Option<String>) -> Why {
    Why::Other { what, hint }
}

/// The ends of a move to `dest`.
fn out(surveyor: &mut Surveyor, path: &[u8], dest: &[u8]) -> Result<Ends, Why> {
    if path.is_empty() || dest.is_empty() {
        return Err(Why::Name("the path is empty"));
    }
    let from = surveyor.spot(path)?;
    let object = surveyor.object(&from)?;
    let object = object.ok_or_else(|| Why::Nothing(path.into()))?;
    if let Object::Link { .. } = &object {
        let typed = quoted(path);
        return Err(no(
            "it is a link".into(),
            Some(format!(
                "`linkwell move --back {typed}` brings home what it leads to; \
                 `linkwell retarget {typed} --to TARGET` makes it lead elsewhere"
            )),
        ));
    }
    if from.as_folder && object.kind() != EntryKind::Folder {
        return Err(Why::NotFolder(path.into()));
    }
    let to = destination(surveyor, path, dest, &from)?;
    let facts = facts(surveyor, &from)?;
    Ok(Ends { from, object, facts, to, over: None })
}

fn facts(surveyor: &Surveyor, spot: &Spot) -> Result<Facts, Why> {
    let facts = surveyor.system().facts(spot.at(), spot.name.as_bytes());
    facts.map_err(|error| refused("it cannot be looked at", error))
}

/// Where something goes that is to go to `dest`. Nothing is there yet.
fn destination(
    surveyor: &mut Surveyor,
    path: &[u8],
    dest: &[u8],
    from: &Spot,
) -> Result<Spot, Why> {
    let to = if goes_inside(dest) {
        let held = surveyor.folder(dest)?;
        let name = last_name(path).and_then(Name::new).unwrap_or_else(|| from.name.clone());
        Spot { held, name, as_folder: false }
    } else {
        surveyor.spot(dest)?
    };
    let Some(there) = surveyor.object(&to)? else { return Ok(to) };
    let inside = quoted(&[dest, b"/"].concat());
    let led = surveyor.led(None, dest);
    let hint = match (&there, led.kind) {
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
    Err(no(format!("there is a {} at `{}` already", there.kind().word(), to.place().shown()), hint))
}

/// The ends of a way home, in place of the link at `link`.
fn back(surveyor: &mut Surveyor, link: &[u8]) -> Result<Ends, Why> {
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
    let Some(place) = led.physical else {
        return Err(no(
            "it leads nowhere now, so there is nothing to bring home".into(),
            Some(format!("`linkwell show {}` says why", quoted(link))),
        ));
    };
    let Some((folder, name)) = place.split() else {
        return Err(no("it leads to the top of all folders".into(), None));
    };
    let held = surveyor.folder(folder.as_bytes())?;
    let from = Spot { held, name, as_folder: false };
    let there = surveyor.object(&from)?;
    let there = there.ok_or_else(|| Why::Nothing(place.as_bytes().into()))?;
    let facts = facts(surveyor, &from)?;
    Ok(Ends { from, object: there, facts, to, over: Some(object) })
}

/// The steps from one end to the other, and what is to be said of them.
fn steps(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    wanted: &Wanted,
    ends: &Ends,
) -> Result<Planned, Refusal> {
    let by_name = !wanted.copy && is_one_volume(surveyor, ends)?;
    surveyor.claim(&ends.from)?;
    surveyor.claim(&ends.to)?;
    let (from, to) = (surveyor.slot(plan, &ends.from)?, surveyor.slot(plan, &ends.to)?);
    let mut remarks = Vec::new();
    let leave = match &ends.over {
        None if !wanted.no_link => Some(left(surveyor, wanted, ends, &mut remarks)?),
        _ => None,
    };
    let leaves = leave.is_some();
    let mut moved = Moved {
        top: ends.from.place(),
        dest: ends.to.place(),
        kind: ends.object.kind(),
        leave: leave.as_ref().map(|leave| leave.target.clone()),
        texts: std::collections::HashMap::new(),
    };
    let inside = links_inside(surveyor, wanted, ends, &mut moved, by_name, &mut remarks)?;
    let bridge = (by_name && !leaves && ends.over.is_none()).then(|| bridge(&to, &moved));
    let mut shape = Shape { moved, leaves, bridge };
    let steps = if by_name {
        let (old, over) = (ends.object.clone(), ends.over.clone());
        let last = Step::Move { at: from, old, to, leave, over };
        by_name_with(plan, &mut shape, &inside, last)
    } else {
        let links = inside.renewed.values().map(|link| link.text.clone()).collect();
        copied(wanted, ends, from, to, leave, links)
    };
    Ok(Planned { steps, remarks, shape })
}

/// What becomes of the links inside, and what is to be said of them.
fn links_inside(
    surveyor: &mut Surveyor,
    wanted: &Wanted,
    ends: &Ends,
    moved: &mut Moved,
    by_name: bool,
    remarks: &mut Vec<String>,
) -> Result<Inside, Refusal> {
    if moved.kind != EntryKind::Folder {
        return Ok(Inside::default());
    }
    let there = holding_at(surveyor, &ends.to.held);
    let longest = there.longest_text.unwrap_or(4095).min(4095);
    let absolute = wanted.rewrite_inner || moved.leave.is_none();
    let freight = freight(surveyor, ends, absolute);
    let way = Way { wanted, by_name, absolute, longest };
    let inside = inside::inside(surveyor, ends, moved, &freight, &way);
    if !inside.broken.is_empty() && !wanted.allow_broken {
        let hint = || Some("to move it all the same, add `--allow-broken`".to_owned());
        let whys = inside.broken.into_iter().map(|(place, why)| {
            let what = format!("this link would be broken: {why}");
            (Some(place), Why::Other { what, hint: hint() })
        });
        return Err(Refusal(whys.collect()));
    }
    told(&inside, &freight, absolute, remarks);
    Ok(inside)
}

/// What is in it, as far as links are concerned.
fn freight(surveyor: &mut Surveyor, ends: &Ends, absolute: bool) -> Freight {
    let here = holding_at(surveyor, &ends.from.held);
    let wanted = freight::Wanted { absolute, ..freight::Wanted::within(here) };
    freight::look(surveyor, &ends.from, &ends.facts, &wanted)
}

/// What is said of the links inside.
fn told(inside: &Inside, freight: &Freight, absolute: bool, remarks: &mut Vec<String>) {
    let renewed = |leads_out: bool| {
        let links = inside.renewed.values().filter(move |link| link.leads_out == leads_out);
        let count = links.clone().count();
        links.into_iter().next().map(|link| (count, link))
    };
    for (leads_out, which) in [(true, "out of it"), (false, "into it from `/`")] {
        let Some((count, Renewed { text, .. })) = renewed(leads_out) else { continue };
        let (links, they) = match count {
            1 => (format!("1 link in it that leads {which}"), "it leads where it leads"),
            count => (format!("{count} links in it that lead {which}"), "they lead where they lead"),
        };
        remarks.push(format!(
            "rewrites {links} (`{} → {}` will be `{}`), so that {they} now",
            shown(&text.below.0),
            shown(text.was.as_bytes()),
            shown(text.now.as_bytes())
        ));
    }
    let say = |count: u64, one: &str, several: &str| match count {
        0 => None,
        1 => Some(format!("1 link in it {one}")),
        count => Some(format!("{count} links in it {several}")),
    };
    if !absolute {
        remarks.extend(say(
            freight.absolute_in,
            "leads into it from `/`; it keeps working through the link, and `--rewrite-inner` rewrites it",
            "lead into it from `/`; they keep working through the link, and `--rewrite-inner` rewrites them",
        ));
    }
    remarks.extend(say(
        freight.broken.count,
        "leads nowhere now; it stays as it is",
        "lead nowhere now; they stay as they are",
    ));
    for (place, why) in &inside.broken {
        remarks.push(format!("the link `{}` would be broken: {why}", place.shown()));
    }
}

/// A link at the new name that leads to the old one.
fn bridge(to: &Slot, moved: &Moved) -> (Step, Object) {
    let target = Target::new(moved.top.as_bytes());
    let make = Make::Link { target: target.clone(), attributes: None };
    let attributes = Attributes {
        owner: rustix::process::geteuid().as_raw(),
        group: rustix::process::getegid().as_raw(),
        accessed: Time(0, 0),
        modified: Time(0, 0),
        extended: Vec::new(),
    };
    let known = Object::Link { target, id: Identity::TO_COME, attributes };
    (Step::Put { at: to.clone(), make }, known)
}

/// The steps of a rename, with the links inside that get another text before it and after it.
fn by_name_with(plan: &mut Plan, shape: &mut Shape, inside: &Inside, mut last: Step) -> Vec<Step> {
    let mut all = |after: bool, leads_out: Option<bool>, end: &AbsPath| -> Vec<Step> {
        let links = inside.renewed.values().filter(|link| {
            link.after == after && leads_out.is_none_or(|leads_out| leads_out == link.leads_out)
        });
        links.filter_map(|link| renewed(plan, link, end)).collect()
    };
    let (top, dest) = (shape.moved.top.clone(), shape.moved.dest.clone());
    let mut steps = all(false, Some(true), &top);
    let into = all(false, Some(false), &top);
    let after = all(true, None, &dest);
    if !into.is_empty()
        && let Some((bridge, known)) = shape.bridge.take()
    {
        steps.push(bridge);
        if let Step::Move { over, .. } = &mut last {
            *over = Some(known);
        }
    }
    steps.extend(into);
    steps.push(last);
    steps.extend(after);
    steps
}

/// The step that gives a link inside its new text, where what it lies in stands at `end`.
fn renewed(plan: &mut Plan, link: &Renewed, end: &AbsPath) -> Option<Step> {
    let (below, id, name, old) = link.folder.as_ref()?;
    let Object::Link { attributes, .. } = old else { return None };
    let at = Slot { folder: plan.folder(&inside::joined(end, below), *id), name: name.clone() };
    let (target, attributes) = (link.text.now.clone(), Some(attributes.clone()));
    let make = Make::Link { target, attributes };
    Some(Step::Replace { at, old: old.clone(), make, fate: Fate::Dropped { again: None } })
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
    wanted: &Wanted,
    ends: &Ends,
    from: Slot,
    to: Slot,
    leave: Option<Leave>,
    links: Vec<Rewritten>,
) -> Vec<Step> {
    let folder = ends.facts.kind == EntryKind::Folder;
    let manner = Manner { verify: wanted.verify, accept: wanted.accept.clone(), links };
    let id = ends.facts.id;
    // The old is a copy of the new by then: so it can be given up, and made again.
    let reversed = Some(Box::new(manner.reversed()));
    let again = Make::Copy { of: to.clone(), id, folder, manner: reversed };
    let fate = match &ends.over {
        None if wanted.keep => Fate::Kept(Slot { folder: from.folder, name: aside(&from.name) }),
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
    vec![first, second]
}

/// The name under which the old is kept.
fn aside(name: &Name) -> Name {
    let kept = [name.as_bytes(), b" (before it was moved)"].concat();
    Name::new(kept).filter(|name| name.as_bytes().len() <= 255).unwrap_or_else(|| name.clone())
}
