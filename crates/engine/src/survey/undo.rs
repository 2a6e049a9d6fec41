//! Planning how an operation is taken back: anew, against the disk as it is today.
//!
//! What was done is taken back item by item, last first. An item whose names no longer hold what the
//! operation left there is a conflict: what somebody did since is not thrown away.

use super::{Surveyor, conflict, refused};
use crate::folder::Folder;
use crate::journal::record::Operation;
use crate::look;
use crate::operator::{Held, Spot};
use crate::system::Access;
use linkwell_model::entry::Identity;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Fate, Irrevocable, Item, Make, Object, Plan, Slot, Step, Why, inverse};
use linkwell_model::target::Target;
use std::collections::HashMap;
use std::sync::Arc;

/// What operations are on record to have made, by inode number, and where.
type Ours = HashMap<u64, Vec<(Identity, AbsPath)>>;

/// Plans how `operation` is taken back. `since` are the operations after it: what one of them removed
/// and another brought back in the same place is another object of the same contents, and is known
/// by their records.
pub fn plan(surveyor: &mut Surveyor, operation: &Operation, since: &[&Operation]) -> Plan {
    let mut plan = Plan::default();
    let ours = ours(since);
    let mut returns = Returns::new();
    let mut first = 0;
    let mut numbered = Vec::new();
    for (number, item) in operation.plan.items.iter().enumerate() {
        numbered.push((number, first, item));
        first += item.steps.len();
    }
    for (number, first, item) in numbered.into_iter().rev() {
        let failed = u64::try_from(number).is_ok_and(|item| operation.failed.contains_key(&item));
        if failed {
            continue;
        }
        let known = Known { operation, ours: &ours };
        match back(surveyor, &mut plan, &known, &mut returns, first, &item.steps) {
            Ok(steps) => {
                plan.items.push(Item { path: item.path.clone(), steps, remarks: Vec::new() });
            }
            Err(why) => conflict(&mut plan, &item.path, why),
        }
    }
    plan
}

fn ours(since: &[&Operation]) -> Ours {
    let mut ours = Ours::new();
    for operation in since {
        let steps = operation.plan.items.iter().flat_map(|item| &item.steps);
        for (number, step) in steps.enumerate() {
            let number = u64::try_from(number).unwrap_or(u64::MAX);
            let did = operation.did.get(&number).and_then(Option::as_ref);
            let back = operation.back.get(&number).map(|made| match step {
                Step::Move { to, .. } => (made, to),
                _ => (made, step.at()),
            });
            for (made, at) in did.map(|made| (made, step.at())).into_iter().chain(back) {
                let at = operation.plan.place(at);
                ours.entry(made.id().inode).or_default().push((made.id(), at));
            }
        }
    }
    ours
}

/// The steps that take an item back.
fn back(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    known: &Known<'_>,
    returns: &mut Returns,
    first: usize,
    steps: &[Step],
) -> Result<Vec<Step>, Why> {
    let mut inverses = Vec::new();
    for (number, step) in steps.iter().enumerate().rev() {
        let number = first + number;
        // A folder that was made for others to use as well stays.
        if matches!(step, Step::Put { make: Make::Folder, .. }) {
            continue;
        }
        let made = u64::try_from(number).ok();
        let made = made.and_then(|number| known.operation.did.get(&number));
        let made = made.ok_or_else(|| other("the record does not say that it was done", None))?;
        let inverse = inverse(step, made.as_ref()).map_err(|why| match why {
            Irrevocable::Freed => {
                other("it was freed, as was asked, and nothing can bring it back", None)
            }
            Irrevocable::Unknown => other("the record does not say what stood there before", None),
        })?;
        let today = today(surveyor, plan, known, returns, (step, &inverses), inverse)?;
        inverses.push(today);
    }
    Ok(inverses)
}

fn other(what: &str, hint: Option<String>) -> Why {
    Why::Other { what: what.into(), hint }
}

/// The same step against the disk as it is today: folders and objects must be those that the
/// operation left, and are named as they are known now.
fn today(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    known: &Known<'_>,
    returns: &mut Returns,
    (done, before): (&Step, &[Step]),
    inverse: Step,
) -> Result<Step, Why> {
    let (operation, ours) = (known.operation, known.ours);
    let mut slots = Slots { surveyor, plan, operation, ours, returns };
    let (at, spot) = slots.slot(inverse.at())?;
    let now = slots.surveyor.object(&spot)?;
    let step = match inverse {
        Step::Put { make, .. } => {
            if now.is_some() {
                return Err(other("something else has this name now", None));
            }
            Step::Put { at, make: slots.make(make)? }
        }
        Step::Replace { old, make, fate, .. } => {
            let old = slots.given_up((done, before), &at, old, now, &fate, &spot)?;
            Step::Replace { at, old, make: slots.make(make)?, fate: slots.fate(fate)? }
        }
        // What an earlier step of this very plan leaves there.
        Step::Remove { old: Object::Link { target, attributes, .. }, fate, .. }
            if slots.is_left(before, &spot, &target) =>
        {
            let old = Object::Link { target, id: Identity::TO_COME, attributes };
            Step::Remove { at, old, fate: slots.fate(fate)? }
        }
        Step::Remove { old, fate, .. } => {
            let old = slots.given_up((done, before), &at, old, now, &fate, &spot)?;
            slots.not_the_last(&old, &fate)?;
            Step::Remove { at, old, fate: slots.fate(fate)? }
        }
        Step::Move { old, to, leave, over, .. } => {
            // What an earlier step of this very plan keeps there is there by then.
            let now = now.or_else(|| kept_there(before, &at));
            let old = itself(&old, now)?;
            let (to, there) = slots.slot(&to)?;
            let found = slots.surveyor.object(&there)?;
            let over = match over {
                // One that an earlier step of this very plan makes.
                Some(Object::Link { target, attributes, .. })
                    if slots.is_left(before, &there, &target) =>
                {
                    Some(Object::Link { target, id: Identity::TO_COME, attributes })
                }
                Some(over) => Some(slots.still(&over, found, &there)?),
                None if found.is_some() => {
                    let place = there.place();
                    let what = format!("there is something at `{}` now", place.shown());
                    return Err(other(&what, None));
                }
                None => None,
            };
            Step::Move { at, old, to, leave, over }
        }
    };
    let plan = &*slots.plan;
    if let Step::Move { at, old: Object::Folder { .. }, to, .. } = &step {
        slots.returns.push((plan.place(to), plan.place(at)));
    }
    if let Some(Make::Moved { from, .. }) = step.make() {
        slots.returns.push((plan.place(step.at()), plan.place(from)));
    }
    if let (Some(Fate::Kept(slot)), Some(Object::Folder { .. })) = (step.fate(), step.old()) {
        slots.returns.push((plan.place(slot), plan.place(step.at())));
    }
    Ok(step)
}

/// What stands there now, if it is what the operation left, or was brought back since.
fn still(left: &Object, now: Option<Object>, ours: &Ours, at: &AbsPath) -> Result<Object, Why> {
    let brought_back = |now: &Object| {
        let known = ours.get(&now.id().inode).into_iter().flatten();
        known.into_iter().any(|(id, place)| id.is_after_restart(now.id()) && place == at)
            && left.is_still(now, |_, _| true)
    };
    match now {
        None => Err(other("it is gone", None)),
        Some(now) if left.is_still(&now, Identity::is_after_restart) => Ok(now),
        Some(now) if brought_back(&now) => Ok(now),
        Some(Object::Link { target, .. }) => Err(other(
            &format!(
                "it was changed since: a link to `{}` is there now",
                linkwell_model::shown::shown(target.as_bytes())
            ),
            None,
        )),
        Some(now) => Err(other(
            &format!("it was changed since: another {} is there now", now.kind().word()),
            None,
        )),
    }
}

/// What stands there now, if it is that very object, whatever was written to it since.
fn itself(left: &Object, now: Option<Object>) -> Result<Object, Why> {
    match now {
        None => Err(other("it is gone", None)),
        Some(now) if left.kind() == now.kind() && left.id().is_after_restart(now.id()) => Ok(now),
        Some(now) => Err(other(
            &format!("it was changed since: another {} is there now", now.kind().word()),
            None,
        )),
    }
}

/// What one of these steps keeps at a slot.
fn kept_there(before: &[Step], at: &Slot) -> Option<Object> {
    let keeps = |step: &&Step| matches!(step.fate(), Some(Fate::Kept(slot)) if slot == at);
    before.iter().find(keeps)?.old().cloned()
}

/// What is known of the operation.
struct Known<'a> {
    operation: &'a Operation,
    ours: &'a Ours,
}

/// The folders that the plan brings back: where each will be, and where it is now.
type Returns = Vec<(AbsPath, AbsPath)>;

struct Slots<'a> {
    surveyor: &'a mut Surveyor,
    plan: &'a mut Plan,
    operation: &'a Operation,
    ours: &'a Ours,
    returns: &'a mut Returns,
}

impl Slots<'_> {
    fn still(&self, left: &Object, now: Option<Object>, spot: &Spot) -> Result<Object, Why> {
        still(left, now, self.ours, &spot.place())
    }

    /// A slot of the operation's, in today's plan.
    fn slot(&mut self, slot: &Slot) -> Result<(Slot, Spot), Why> {
        let folder = usize::try_from(slot.folder).ok();
        let folder = folder.and_then(|at| self.operation.plan.folders.get(at));
        let folder = folder.ok_or_else(|| other("the record is damaged", None))?;
        let held = self.hold(&folder.place)?;
        let id = self.surveyor.identity(&held)?;
        if !id.is_after_restart(folder.id) {
            return Err(other(&format!("`{}` is another folder now", folder.place.shown()), None));
        }
        let number = self.plan.folder(&folder.place, id);
        let spot = Spot { held, name: slot.name.clone(), as_folder: false };
        Ok((Slot { folder: number, name: slot.name.clone() }, spot))
    }

    fn hold(&mut self, place: &AbsPath) -> Result<Held, Why> {
        // What lies in a folder that is brought back first is looked at where that folder is now.
        let mut now = place.clone();
        for (then, here) in self.returns.iter().rev() {
            if let Some(below) = now.below(then) {
                let below = below.to_vec();
                now = here.clone();
                now.extend_as_text(&below);
            }
        }
        let opened = Folder::of_place(&now).open(self.surveyor.system(), Access::Hold);
        let folder = opened.map_err(|error| refused("its folder cannot be opened", error))?;
        Ok(Held { folder: Arc::new(folder), place: place.clone() })
    }

    /// Whether one of these steps leaves a link with this text there.
    fn is_left(&self, before: &[Step], spot: &Spot, text: &Target) -> bool {
        let place = spot.place();
        before.iter().any(|step| match step {
            Step::Move { at, leave: Some(leave), .. } => {
                leave.target == *text && self.plan.place(at) == place
            }
            Step::Put { at, make: Make::Link { target, .. } } => {
                *target == *text && self.plan.place(at) == place
            }
            _ => false,
        })
    }

    /// What the operation is on record to have put at a slot of its own.
    fn made_at(&self, slot: &Slot) -> Option<Identity> {
        let steps = self.operation.plan.items.iter().flat_map(|item| &item.steps);
        let number = steps.enumerate().find(|(_, step)| step.at() == slot)?.0;
        let made = self.operation.did.get(&u64::try_from(number).ok()?)?;
        made.as_ref().map(Object::id)
    }

    fn make(&mut self, make: Make) -> Result<Make, Why> {
        Ok(match make {
            Make::Name { of, id } => {
                let (of, spot) = self.slot(&of)?;
                let now = self.surveyor.object(&spot)?;
                let now = now.filter(|now| now.id().is_after_restart(id));
                let now = now.ok_or_else(|| {
                    other(&format!("the file is no longer at `{}`", spot.place().shown()), None)
                })?;
                Make::Name { of, id: now.id() }
            }
            Make::Moved { from, object } => {
                let (from, spot) = self.slot(&from)?;
                let now = self.surveyor.object(&spot)?;
                let object = self.still(&object, now, &spot).map_err(|why| {
                    other(&format!("what was kept at `{}`: {why}", spot.place().shown()), None)
                })?;
                Make::Moved { from, object: Box::new(object) }
            }
            Make::Copy { of, id, folder, manner } => {
                // What was made in the same operation was not known yet when it was planned.
                let id = self.made_at(&of).unwrap_or(id);
                let (of, spot) = self.slot(&of)?;
                let now = self.surveyor.object(&spot)?;
                let now = now.filter(|now| now.id().is_after_restart(id));
                let now = now.ok_or_else(|| other("what was copied is gone", None))?;
                Make::Copy { of, id: now.id(), folder, manner }
            }
            make => make,
        })
    }

    fn fate(&mut self, fate: Fate) -> Result<Fate, Why> {
        Ok(match fate {
            Fate::Kept(slot) => {
                let (slot, spot) = self.slot(&slot)?;
                if self.surveyor.object(&spot)?.is_some() {
                    let place = spot.place();
                    return Err(other(
                        &format!("there is something at `{}` now", place.shown()),
                        None,
                    ));
                }
                Fate::Kept(slot)
            }
            // It was compared with what is there now, whichever object that is.
            Fate::Dropped { again: Some(make) } if matches!(*make, Make::Copy { .. }) => {
                let Make::Copy { of, id, folder, manner } = *make else {
                    return Err(other("the record is damaged", None));
                };
                let (of, spot) = self.slot(&of)?;
                let id = self.surveyor.object(&spot)?.map_or(id, |now| now.id());
                Fate::Dropped { again: Some(Box::new(Make::Copy { of, id, folder, manner })) }
            }
            Fate::Dropped { again: Some(make) } => {
                Fate::Dropped { again: Some(Box::new(self.make(*make)?)) }
            }
            fate => fate,
        })
    }

    /// What stands at a slot and is to go, if it may go.
    fn given_up(
        &mut self,
        (done, before): (&Step, &[Step]),
        at: &Slot,
        old: Object,
        now: Option<Object>,
        fate: &Fate,
        spot: &Spot,
    ) -> Result<Object, Why> {
        // What was moved away by copying goes home as it is now, and is given up for that.
        let home = match fate.original() {
            Some(home) => Some(self.slot(home)?.0),
            None => None,
        };
        let goes_home = home.is_some_and(|home| {
            let brings =
                |step: &Step| matches!(step.make(), Some(Make::Copy { of, .. }) if of == at);
            before.iter().any(|step| *step.at() == home && brings(step))
        });
        if goes_home {
            return itself(&old, now);
        }
        let old = self.still(&old, now, spot)?;
        self.may_free(done, fate, spot)?;
        Ok(old)
    }

    /// A copy is given up only while it is nothing but a copy: the same stands where it was made of.
    fn may_free(&mut self, done: &Step, fate: &Fate, copy: &Spot) -> Result<(), Why> {
        let (true, Some(Make::Copy { of, manner, .. })) = (fate.frees(), done.make()) else {
            return Ok(());
        };
        let (_, original) = self.slot(of)?;
        let original = self.as_it_stands(original)?;
        if self.surveyor.object(&original)?.is_none() {
            return Err(other(
                "what it was made of is gone, so the copy is all that is left of it, and stays",
                None,
            ));
        }
        let system = self.surveyor.system();
        // By contents alone: the original may have been removed and brought back since.
        let (whole, part) = ((original.at(), &original.name), (copy.at(), &copy.name));
        let equal = look::is_part(system, whole, part, manner.as_deref())
            .map_err(|error| refused("the copy cannot be compared with its original", error))?;
        if equal {
            return Ok(());
        }
        Err(other(
            "the copy differs from what it was made of, so it is not given up",
            Some("to put the link back all the same, move the copy away first".into()),
        ))
    }

    /// Where something is now that the plan brings back to this spot.
    fn as_it_stands(&mut self, spot: Spot) -> Result<Spot, Why> {
        let place = spot.place();
        let returns = self.returns.iter().rev().find(|(then, _)| *then == place);
        let Some((folder, name)) = returns.and_then(|(_, now)| now.split()) else {
            return Ok(spot);
        };
        Ok(Spot { held: self.hold(&folder)?, name, as_folder: false })
    }

    /// A second name is given up only while there is another.
    fn not_the_last(&self, old: &Object, fate: &Fate) -> Result<(), Why> {
        match (old, fate) {
            (Object::File { names, .. }, Fate::Dropped { again: Some(make) })
                if *names < 2 && matches!(**make, Make::Name { .. }) =>
            {
                Err(other("it is the only name left of its file, which would be lost", None))
            }
            _ => Ok(()),
        }
    }
}
