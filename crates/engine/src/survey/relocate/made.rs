//! The link that is left, and the steps of a copy.

use super::{Ends, Wanted};
use crate::survey::merge::named::aside;
use crate::survey::{Surveyor, style};
use linkwell_model::entry::EntryKind;
use linkwell_model::plan::spelling::{Shared, written};
use linkwell_model::plan::{Fate, Leave, Make, Manner, Rewritten, Slot, Step, Why};
use linkwell_model::target::Target;

/// The link that is left.
pub(super) fn left(
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
pub(super) fn copied(
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
