//! Planning how something is moved elsewhere, with a link left at its old place, and how it comes home.
//!
//! Where names can be exchanged, within a volume, that is one step of one call. Elsewhere it is a copy,
//! which is verified and durable before a link takes the old place, and the freeing of the old, last.

use super::create::{goes_inside, last_name};
use super::{Surveyor, conflict, refused, style};
use crate::operator::Spot;
use crate::system::Facts;
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::plan::spelling::{Shared, Style, written};
use linkwell_model::plan::{
    Fate, Item, Leave, Loss, Make, Manner, Object, Plan, Slot, Step, Verify, Why,
};
use linkwell_model::shown::quoted;
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
pub fn plan(surveyor: &mut Surveyor, wanted: &Wanted, path: &[u8], dest: &[u8]) -> Plan {
    let mut plan = Plan::default();
    let ends = out(surveyor, path, dest);
    let planned = ends.and_then(|ends| steps(surveyor, &mut plan, wanted, &ends));
    settle(surveyor, &mut plan, path, planned);
    plan
}

/// Plans bringing home what the link at the typed path `link` leads to: it takes the link's place.
pub fn home(surveyor: &mut Surveyor, wanted: &Wanted, link: &[u8]) -> Plan {
    let mut plan = Plan::default();
    let ends = back(surveyor, link);
    let planned = ends.and_then(|ends| steps(surveyor, &mut plan, wanted, &ends));
    settle(surveyor, &mut plan, link, planned);
    plan
}

type Planned = (Vec<Step>, Vec<String>);

fn settle(surveyor: &mut Surveyor, plan: &mut Plan, path: &[u8], planned: Result<Planned, Why>) {
    match planned {
        Ok((steps, remarks)) => {
            for step in &steps {
                surveyor.lay(plan, step);
            }
            plan.items.push(Item { path: path.into(), steps, remarks });
        }
        Err(why) => conflict(plan, path, why),
    }
}

pub(super) fn no(what: String, hint: Option<String>) -> Why {
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

pub(super) fn facts(surveyor: &Surveyor, spot: &Spot) -> Result<Facts, Why> {
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
) -> Result<Planned, Why> {
    let by_name = !wanted.copy && is_one_volume(surveyor, ends)?;
    surveyor.claim(&ends.from)?;
    surveyor.claim(&ends.to)?;
    let (from, to) = (surveyor.slot(plan, &ends.from)?, surveyor.slot(plan, &ends.to)?);
    let mut remarks = Vec::new();
    let leave = match &ends.over {
        None if !wanted.no_link => Some(left(surveyor, wanted, ends, &mut remarks)?),
        _ => None,
    };
    if by_name {
        let (old, over) = (ends.object.clone(), ends.over.clone());
        return Ok((vec![Step::Move { at: from, old, to, leave, over }], remarks));
    }
    Ok((copied(wanted, ends, from, to, leave), remarks))
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
fn copied(wanted: &Wanted, ends: &Ends, from: Slot, to: Slot, leave: Option<Leave>) -> Vec<Step> {
    let folder = ends.facts.kind == EntryKind::Folder;
    let manner = Manner { verify: wanted.verify, accept: wanted.accept.clone(), links: Vec::new() };
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
