//! What an earlier move is on record to have changed in what it moved.

use crate::journal::record::{How, Operation};
use linkwell_model::entry::Identity;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Bytes, Item, Make, Object, Rewritten, Step};

/// The links that an operation has given another text in what stands at `place` now, with the text that it
/// gave them, and the one that they had: of the last operation that has left the link `link`, which leads
/// there. `operations` come last first.
///
/// A link that was made anew when an operation was taken back is known by the record of that.
pub fn texts(
    operations: impl Iterator<Item = Operation>,
    link: &Object,
    place: &AbsPath,
) -> Vec<Rewritten> {
    let mut link = link.clone();
    for operation in operations {
        if let Some(before) = made_anew(&operation, &link) {
            link = before;
        } else if let Some(found) = left_by(&operation, &link, place) {
            return found;
        }
    }
    Vec::new()
}

/// What stood there before, if taking this operation back has made the link anew.
fn made_anew(operation: &Operation, link: &Object) -> Option<Object> {
    let steps: Vec<&Step> = operation.plan.items.iter().flat_map(|item| &item.steps).collect();
    let number = operation.back.iter().find_map(|(number, made)| {
        made.is_still(link, Identity::is_after_restart).then_some(*number)
    })?;
    match steps.get(usize::try_from(number).ok()?)? {
        Step::Move { over, .. } => over.clone(),
        step => step.old().cloned(),
    }
}

fn left_by(operation: &Operation, link: &Object, place: &AbsPath) -> Option<Vec<Rewritten>> {
    let done = operation.ended.as_ref().is_some_and(|ended| ended.how == How::Done);
    if !done {
        return None;
    }
    let mut first = 0_u64;
    for (number, item) in (0_u64..).zip(&operation.plan.items) {
        let mut numbers = first..;
        first += u64::try_from(item.steps.len()).unwrap_or(0);
        if operation.failed.contains_key(&number) {
            continue;
        }
        let left = item.steps.iter().zip(&mut numbers).any(|(_, number)| {
            let made = operation.did.get(&number).and_then(Option::as_ref);
            made.is_some_and(|made| made.is_still(link, Identity::is_after_restart))
        });
        if left && let Some(found) = of_item(operation, item, place) {
            return Some(found);
        }
    }
    None
}

fn of_item(operation: &Operation, item: &Item, place: &AbsPath) -> Option<Vec<Rewritten>> {
    let plan = &operation.plan;
    for step in &item.steps {
        match step {
            Step::Put { at, make: Make::Copy { manner, .. } } if plan.place(at) == *place => {
                return Some(manner.as_ref()?.reversed().links);
            }
            Step::Move { at, to, .. } if plan.place(to) == *place => {
                let ends = [plan.place(at), plan.place(to)];
                let links = item.steps.iter().filter_map(|step| changed(operation, step, &ends));
                return Some(links.collect());
            }
            _ => {}
        }
    }
    None
}

fn changed(operation: &Operation, step: &Step, ends: &[AbsPath; 2]) -> Option<Rewritten> {
    let Step::Replace { at, old, make, .. } = step else { return None };
    let (Object::Link { target: now, .. }, Make::Link { target: was, .. }) = (old, make) else {
        return None;
    };
    let place = operation.plan.place(at);
    let below = ends.iter().find_map(|end| place.below(end)).filter(|below| !below.is_empty())?;
    Some(Rewritten { below: Bytes(below.into()), was: was.clone(), now: now.clone() })
}
