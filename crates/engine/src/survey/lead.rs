//! Planning that links on record lead to where their targets are now: what `repair` and the watcher do.
//!
//! A record is a hint. The folder is opened through no link, and what stands at the name must be the link
//! with the very text that is on record; the step then changes it by compare-and-swap. The new text is
//! written as the old one was: relative or from `/`, with its slash at the end.

use super::{Fare, Surveyor, conflict, create, refused};
use crate::folder::Folder;
use crate::look;
use crate::parts::in_parts;
use crate::system::{Access, Facts, System};
use linkwell_model::entry::{EntryKind, Identity};
use linkwell_model::keep::link::Kept;
use linkwell_model::path::{self, AbsPath};
use linkwell_model::plan::spelling::{Style, written};
use linkwell_model::plan::{Fate, Item, Make, Object, Plan, Slot, Step, Why};
use linkwell_model::target::Target;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::io::Errno;
use std::collections::HashSet;

/// The longest text that a link can hold (PATH_MAX without its NUL).
const LONGEST: usize = 4095;

/// A link on record, and where it is to lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lead {
    /// The link.
    pub link: Kept,
    /// The entry that its text is to name, physically.
    pub to: AbsPath,
    /// The object that was found there: see [`still_there`]. Absent if whoever leads compares by themselves.
    pub object: Option<(Identity, EntryKind)>,
}

/// Whether what was found for a link still stands where the link is to lead: asked right before, since
/// something else may have taken its place while a person thought about the question.
///
/// # Errors
/// That something else, or nothing, is there.
pub fn still_there(surveyor: &Surveyor, lead: &Lead) -> Result<(), Why> {
    let Some((id, kind)) = lead.object else { return Ok(()) };
    let Some((folder, name)) = lead.to.split() else { return Ok(()) };
    let system = surveyor.system();
    let held = Folder::of_place(&folder).open(system, Access::Hold);
    match held.and_then(|held| system.facts(held.as_fd(), name.as_bytes())) {
        Ok(facts) if facts.kind == kind && id.is(facts.id) => Ok(()),
        Ok(_) => Err(Why::Other {
            what: format!("something else stands at `{}` by now", lead.to.shown()),
            hint: Some("look once more, with `linkwell repair`".into()),
        }),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {
            Err(Why::Nothing(lead.to.as_bytes().into()))
        }
        Err(error) => Err(refused("what it is to lead to cannot be looked at", error)),
    }
}

/// Plans it. Each link is an item of its own; one that cannot be led there is a conflict, and the others
/// stay. The items that come of `leads` are in their order.
pub fn plan(surveyor: &mut Surveyor, leads: &[Lead]) -> Plan {
    let mut plan = Plan::default();
    let system = surveyor.system();
    let links = leads.iter().map(|lead| &lead.link).collect();
    let seen = in_parts(links, &mut None, |_| None, |last, link| see(system, last, link));
    for (lead, seen) in leads.iter().zip(seen) {
        match seen.and_then(|seen| item(surveyor, &mut plan, seen, lead)) {
            Ok(Some(item)) => {
                for step in &item.steps {
                    surveyor.lay(&plan, step);
                }
                plan.items.push(item);
            }
            Ok(None) => plan.already += 1,
            Err(why) => conflict(&mut plan, lead.link.place().as_bytes(), why),
        }
    }
    // Who had put a link to a folder that holds it meant that.
    let cycles: HashSet<AbsPath> = leads
        .iter()
        .map(|lead| &lead.link)
        .filter(|link| link.folder.is_at_or_below(&link.to))
        .map(Kept::place)
        .collect();
    judge(surveyor, &mut plan, &cycles);
    plan
}

/// The text that the link gets.
pub fn text(link: &Kept, to: &AbsPath) -> Target {
    let old = link.target.as_bytes();
    let style = if path::is_absolute(old) { Style::Absolute } else { Style::Relative };
    let mut text = written(style, &link.folder, to);
    if old.ends_with(b"/") && !text.ends_with(b"/") {
        text.push(b'/');
    }
    Target::new(text)
}

/// A folder of links, held: many stand in one.
struct Home {
    place: AbsPath,
    held: OwnedFd,
    facts: Facts,
}

impl Home {
    fn of(system: System, place: &AbsPath) -> Result<Self, Why> {
        let held = Folder::of_place(place).open(system, Access::Hold);
        let held = held.map_err(|error| match error {
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP => Why::NoFolder(place.as_bytes().into()),
            error => refused("its folder cannot be opened", error),
        })?;
        let facts = system.facts_of(held.as_fd());
        let facts = facts.map_err(|error| refused("it cannot be looked at", error))?;
        Ok(Self { place: place.clone(), held, facts })
    }
}

/// What stands where a link is on record, and what is known of the folder.
struct Seen {
    old: Option<Object>,
    own: Facts,
}

fn see(system: System, last: &mut Option<Home>, link: &Kept) -> Result<Seen, Why> {
    let home = match last.take() {
        Some(home) if home.place == link.folder => home,
        _ => Home::of(system, &link.folder)?,
    };
    let Home { held: folder, facts: own, .. } = last.insert(home);
    let found = look::object_in_full(system, folder.as_fd(), link.name.as_bytes());
    let old = found.map_err(|error| refused("it cannot be looked at", error))?;
    Ok(Seen { old, own: *own })
}

fn item(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    Seen { old, own }: Seen,
    lead: &Lead,
) -> Result<Option<Item>, Why> {
    let link = &lead.link;
    let target = text(link, &lead.to);
    if target.as_bytes().len() > LONGEST {
        return Err(Why::Name(
            "the target would be longer than 4,095 bytes, the most a link can hold",
        ));
    }
    let old = match old {
        Some(old @ Object::Link { .. }) => old,
        Some(other) => return Err(Why::NotLink(other.kind())),
        None => return Err(Why::Nothing(link.place().as_bytes().into())),
    };
    let Object::Link { target: now, attributes, .. } = &old else { return Ok(None) };
    if *now == target {
        return Ok(None);
    }
    if *now != link.target {
        return Err(Why::Other {
            what: format!(
                "it leads to `{}` by now, and not to what is on record",
                linkwell_model::shown::shown(now.as_bytes())
            ),
            hint: None,
        });
    }
    // Another user's link in a folder like `/tmp` is not changed, not even by root.
    let me = rustix::process::geteuid().as_raw();
    if own.mode & 0o1002 == 0o1002 && attributes.owner != me && attributes.owner != 0 {
        let owner = surveyor.owner(attributes.owner);
        let what = format!("it belongs to {owner}, in a folder that anyone may write to");
        return Err(Why::Other { what, hint: None });
    }
    let at = Slot { folder: plan.folder(&link.folder, own.id), name: link.name.clone() };
    let make = Make::Link { target, attributes: Some(attributes.clone()) };
    let step = Step::Replace { at, old, make, fate: Fate::Dropped { again: None } };
    Ok(Some(Item { path: link.place().as_bytes().into(), steps: vec![step], remarks: Vec::new() }))
}

/// Takes out what would not work when all is done.
fn judge(surveyor: &mut Surveyor, plan: &mut Plan, cycles: &HashSet<AbsPath>) {
    let mut sound = Vec::with_capacity(plan.items.len());
    for item in std::mem::take(&mut plan.items) {
        let slot = item.steps.first().map(|step| step.at().clone());
        let meant = slot.as_ref().is_some_and(|slot| cycles.contains(&plan.place(slot)));
        let fare = slot.map_or(Fare::Sound, |slot| surveyor.judge(plan, &slot));
        match create::weighed(fare, false, meant) {
            (Some(why), _) => conflict(plan, &item.path, why),
            (None, _) => sound.push(item),
        }
    }
    plan.items = sound;
}
