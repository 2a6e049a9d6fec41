//! How a step is taken back: by another step.

use super::step::{Fate, Leave, Make, Object, Step};

/// Why a step has no inverse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Irrevocable {
    /// What stood there was freed, as was asked.
    Freed,
    /// It is not recorded how to make again what stood there.
    Unknown,
}

/// The step that takes `step` back, after which `made` stands at its slot.
///
/// The inverse of a step that removed something needs no `made`.
///
/// # Errors
/// Where nothing can take it back.
pub fn inverse(step: &Step, made: Option<&Object>) -> Result<Step, Irrevocable> {
    let made = || made.cloned().ok_or(Irrevocable::Unknown);
    Ok(match step {
        Step::Put { at, make } => {
            Step::Remove { at: at.clone(), old: made()?, fate: gone(make, &made()?) }
        }
        Step::Replace { at, old, make, fate } => Step::Replace {
            at: at.clone(),
            old: made()?,
            make: again(old, fate)?,
            fate: gone(make, &made()?),
        },
        Step::Remove { at, old, fate } => Step::Put { at: at.clone(), make: again(old, fate)? },
        Step::Move { at, old, to, leave, over } => Step::Move {
            at: to.clone(),
            old: old.clone(),
            to: at.clone(),
            leave: over.as_ref().and_then(left),
            over: if leave.is_some() { Some(made()?) } else { None },
        },
    })
}

/// The link that has to be left again where `link` was.
fn left(link: &Object) -> Option<Leave> {
    match link {
        Object::Link { target, attributes, .. } => {
            Some(Leave { target: target.clone(), attributes: Some(attributes.clone()) })
        }
        _ => None,
    }
}

/// What becomes of something that a step had made, when the step is taken back.
fn gone(make: &Make, made: &Object) -> Fate {
    match make {
        Make::Moved { from, .. } => Fate::Kept(from.clone()),
        // Nobody's but ours, as long as it is what we made; the one who plans the inverse looks.
        Make::Copy { .. } => Fate::Dropped { again: Some(Box::new(make.clone())) },
        Make::Name { of, id } => {
            Fate::Dropped { again: Some(Box::new(Make::Name { of: of.clone(), id: *id })) }
        }
        Make::File { bytes, mode, modified, carried } => {
            // With the time that it has got, so that it can be known again.
            let since = match made {
                Object::File { modified, .. } => Some(*modified),
                _ => *modified,
            };
            let again = Make::File {
                bytes: bytes.clone(),
                mode: *mode,
                modified: since,
                carried: carried.clone(),
            };
            Fate::Dropped { again: Some(Box::new(again)) }
        }
        Make::Link { .. } | Make::Folder | Make::CommonFolder => {
            let folder = matches!(made, Object::Folder { .. });
            Fate::Dropped { again: folder.then(|| Box::new(Make::Folder)) }
        }
    }
}

/// How to make again what a step took away.
fn again(old: &Object, fate: &Fate) -> Result<Make, Irrevocable> {
    match (fate, old) {
        (Fate::Kept(slot), old) => {
            Ok(Make::Moved { from: slot.clone(), object: Box::new(old.clone()) })
        }
        (_, Object::Link { target, attributes, .. }) => {
            Ok(Make::Link { target: target.clone(), attributes: Some(attributes.clone()) })
        }
        (Fate::Dropped { again: Some(make) }, _) => Ok((**make).clone()),
        (Fate::Freed, _) => Err(Irrevocable::Freed),
        (Fate::Dropped { again: None }, _) => Err(Irrevocable::Unknown),
    }
}
