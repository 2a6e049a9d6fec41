//! What a move makes of the links inside: found, put into its steps, and said.

use super::after::Moved;
use super::inside::{self, Inside, Renewed, Way};
use super::{Ends, Shape, Wanted};
use crate::survey::Surveyor;
use crate::survey::freight::Freight;
use crate::survey::freight::words::places;
use crate::survey::room::holding_at;
use linkwell_model::entry::{EntryKind, Identity, Time};
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Attributes, Fate, FolderTime, Make, Object, Plan, Slot, Step, Why};
use linkwell_model::shown::shown;
use linkwell_model::target::Target;

/// What becomes of the links inside, and what is to be said of them.
///
/// # Errors
/// Which of them would be broken.
pub(super) fn links_inside(
    surveyor: &mut Surveyor,
    wanted: &Wanted,
    ends: &Ends,
    (moved, by_name): (&mut Moved, bool),
    freight: &Freight,
    remarks: &mut Vec<String>,
) -> Result<Inside, Vec<(AbsPath, Why)>> {
    if moved.kind != EntryKind::Folder {
        return Ok(Inside::default());
    }
    let there = holding_at(surveyor, &ends.to.held);
    let longest = there.longest_text.unwrap_or(4095).min(4095);
    let absolute = wanted.rewrite_inner || moved.leave.is_none();
    let way = Way { wanted, by_name, absolute, longest };
    let inside = inside::inside(surveyor, ends, moved, freight, &way);
    if !inside.broken.is_empty() && !wanted.allow_broken {
        let whys = inside.broken.into_iter().map(|(place, why)| {
            let what = format!("this link would be broken: {why}");
            let hint = Some("to move it all the same, add `--allow-broken`".into());
            (place, Why::Other { what, hint })
        });
        return Err(whys.collect());
    }
    told(&inside, freight, absolute, remarks);
    Ok(inside)
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
            count => {
                (format!("{count} links in it that lead {which}"), "they lead where they lead")
            }
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
    let nowhere = say(
        freight.broken.count,
        "leads nowhere now, and goes on naming the place that it names",
        "lead nowhere now, and go on naming the places that they name",
    );
    remarks.extend(nowhere.map(|words| format!("{words}: {}", places(&freight.broken))));
    for (place, why) in &inside.broken {
        remarks.push(format!("the link `{}` would be broken: {why}", place.shown()));
    }
}

/// A link at the new name that leads to the old one.
pub(super) fn bridge(to: &Slot, moved: &Moved) -> (Step, Object) {
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
pub(super) fn by_name_with(
    plan: &mut Plan,
    shape: &mut Shape,
    inside: &Inside,
    mut last: Step,
) -> Vec<Step> {
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
    let folder = plan.folder(&inside::joined(end, below), *id);
    // It is changed only because the link is.
    if let Some(before) = link.changed
        && plan.times.last().is_none_or(|last| last.folder != folder)
    {
        plan.times.push(FolderTime { folder, before, give: Some(before) });
    }
    let at = Slot { folder, name: name.clone() };
    let (target, attributes) = (link.text.now.clone(), Some(attributes.clone()));
    let make = Make::Link { target, attributes };
    Some(Step::Replace { at, old: old.clone(), make, fate: Fate::Dropped { again: None } })
}
