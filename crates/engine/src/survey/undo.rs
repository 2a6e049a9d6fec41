//! Planning how an operation is taken back: anew, against the disk as it is today.
//!
//! What was done is taken back item by item, last first. An item whose names no longer hold what the
//! operation left there is a conflict: what somebody did since is not thrown away.

mod amount;
mod slots;

pub use amount::told;

use super::{Surveyor, conflict};
use crate::journal::record::Operation;
use linkwell_model::entry::Identity;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{
    Fate, Irrevocable, Item, Loss, Make, Object, Plan, Slot, Step, Why, inverse,
};
use slots::Slots;
use std::collections::HashMap;

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
                let remarks = apart(&item.steps).into_iter().collect();
                plan.items.push(Item { path: item.path.clone(), steps, remarks });
            }
            Err(why) => conflict(&mut plan, &item.path, why),
        }
    }
    if plan.conflicts.is_empty() && !operation.plan.times.is_empty() {
        let (returns, plan) = (&mut returns, &mut plan);
        Slots { surveyor, plan, operation, ours: &ours, returns }.times();
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
        if matches!(step, Step::Put { make: Make::Folder | Make::CommonFolder, .. }) {
            if steps.len() == 1 {
                let place = known.operation.plan.place(step.at());
                plan.remarks.push(format!(
                    "the folder `{}` that was made stays: by now others may use it",
                    place.shown()
                ));
            }
            continue;
        }
        let made = u64::try_from(number).ok();
        let made = made.and_then(|number| known.operation.did.get(&number));
        let made = made.ok_or_else(|| {
            other("linkwell's record does not say that this was done, so it is left as it is", None)
        })?;
        let inverse = inverse(step, made.as_ref()).map_err(|why| match why {
            Irrevocable::Freed => {
                other("it was freed, as was asked, and nothing can bring it back", None)
            }
            Irrevocable::Unknown => other(
                "linkwell's record does not say what stood there before, so it is left as it is",
                None,
            ),
        })?;
        let today = today(surveyor, plan, known, returns, (step, &inverses), inverse)?;
        inverses.push(today);
    }
    Ok(inverses)
}

/// What is to be known of an item that gave up names of one file, each of which was a copy of its own by then:
/// the copies come back, as what they are.
fn apart(steps: &[Step]) -> Option<String> {
    let accepted = |step: &Step| {
        let copied = step.fate().and_then(Fate::copied).and_then(|(_, manner)| manner);
        copied.is_some_and(|manner| manner.accept.contains(&Loss::HardLinks))
            && match step.old() {
                Some(Object::File { names, .. }) => *names > 1,
                Some(Object::Folder { .. }) => true,
                _ => false,
            }
    };
    steps.iter().any(accepted).then(|| {
        "names of one file that became files of their own, as was accepted, come back as files of their own"
            .into()
    })
}

/// Something has the name that something else is to get back.
fn taken(place: &AbsPath) -> Why {
    other(
        &format!("there is something else at `{}` now", place.shown()),
        Some("move that away, and type the same again".into()),
    )
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
                return Err(taken(&spot.place()));
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
            let old = itself(&old, now, &spot.place())?;
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
                    return Err(taken(&there.place()));
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
        None => Err(gone(at)),
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

/// What is gone is not always at the path that was typed: it may be what was moved away from there.
fn gone(at: &AbsPath) -> Why {
    other(&format!("it is gone: there is nothing at `{}` now", at.shown()), None)
}

/// What stands there now, if it is that very object, whatever was written to it since.
fn itself(left: &Object, now: Option<Object>, at: &AbsPath) -> Result<Object, Why> {
    match now {
        None => Err(gone(at)),
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
