//! What is to be known of an undo before it is agreed to: how much is copied, and which links get other
//! texts.

use crate::folder::Folder;
use crate::operator::{Held, Spot};
use crate::survey::freight::{self, Freight};
use crate::survey::room::holding_at;
use crate::survey::{Surveyor, amount::counted};
use crate::system::Access;
use linkwell_model::plan::{Item, Make, Object, Plan, Slot, Step};
use linkwell_model::shown::shown;
use linkwell_model::target::Target;
use std::sync::Arc;

/// Says of each item how much is copied, and how many links in what is brought back get other texts. How much
/// that is in all: entries, and bytes of their contents; `None` where nothing is copied.
pub fn told(surveyor: &mut Surveyor, plan: &mut Plan) -> Option<(u64, u64)> {
    let mut all: Option<(u64, u64)> = None;
    for number in 0..plan.items.len() {
        let Some(item) = plan.items.get(number) else { break };
        let copied: Vec<Slot> = item.steps.iter().filter_map(copied_from).cloned().collect();
        let links = links(plan, item);
        let mut freight: Option<Freight> = None;
        for from in copied {
            if let Some(found) = looked_at(surveyor, plan, &from) {
                let sum = freight.get_or_insert_default();
                sum.files += found.files;
                sum.folders += found.folders;
                sum.links += found.links;
                sum.pipes.count += found.pipes.count;
                sum.sockets.count += found.sockets.count;
                sum.devices.count += found.devices.count;
                sum.bytes = sum.bytes.saturating_add(found.bytes);
            }
        }
        if let Some(freight) = &freight {
            let (entries, bytes) = all.get_or_insert((0, 0));
            *entries += freight.entries();
            *bytes = bytes.saturating_add(freight.bytes);
        }
        if let Some(item) = plan.items.get_mut(number) {
            item.remarks.extend(freight.map(|freight| freight.summary()));
            item.remarks.extend(links);
        }
    }
    all
}

fn copied_from(step: &Step) -> Option<&Slot> {
    match step.make() {
        Some(Make::Copy { of, .. }) => Some(of),
        _ => None,
    }
}

/// What is at a slot; nothing where it is not there yet.
fn looked_at(surveyor: &mut Surveyor, plan: &Plan, at: &Slot) -> Option<Freight> {
    let (place, name) = plan.place(at).split()?;
    let system = surveyor.system();
    let folder = Folder::of_place(&place).open(system, Access::Hold).ok()?;
    let spot = Spot { held: Held { folder: Arc::new(folder), place }, name, as_folder: false };
    let facts = system.facts(spot.at(), spot.name.as_bytes()).ok()?;
    let here = holding_at(surveyor, &spot.held);
    // Nothing is asked but how much it is.
    Some(freight::look(surveyor, &spot, &facts, &freight::Wanted::across(here, here, 1)))
}

/// The links in what is moved or copied that get other texts on the way.
fn links(plan: &Plan, item: &Item) -> Option<String> {
    let moves = item.steps.iter().any(|step| matches!(step, Step::Move { .. }));
    let mut count = 0;
    let mut first: Option<(Vec<u8>, &Target, &Target)> = None;
    for step in &item.steps {
        match step {
            Step::Replace {
                at,
                old: Object::Link { target: was, .. },
                make: Make::Link { target: now, .. },
                ..
            } if moves => {
                count += 1;
                first.get_or_insert_with(|| (plan.place(at).as_bytes().to_vec(), was, now));
            }
            step => {
                let Some(Make::Copy { manner: Some(manner), .. }) = step.make() else { continue };
                count += manner.links.len() as u64;
                if let (None, Some(link)) = (&first, manner.links.first()) {
                    first = Some((link.below.0.to_vec(), &link.was, &link.now));
                }
            }
        }
    }
    let (link, was, now) = first?;
    let links =
        if count == 1 { "1 link gets".into() } else { format!("{} links get", counted(count)) };
    let texts = if count == 1 { "its old text" } else { "their old texts" };
    Some(format!(
        "{links} {texts} again (`{} → {}` will be `{}`)",
        shown(&link),
        shown(was.as_bytes()),
        shown(now.as_bytes())
    ))
}
