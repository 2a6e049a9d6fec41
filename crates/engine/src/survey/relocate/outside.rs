//! The links elsewhere that lead into what is moved: which of them keep working, and which get another
//! text.

use super::after::After;
use super::inside::{may_change, may_change_in};
use super::{Looked, Shape};
use crate::folder::Folder;
use crate::look;
use crate::operator::{Held, Spot};
use crate::survey::giving::links_made_anew;
use crate::survey::retarget::text::{Made, Rule, Standing, remade};
use crate::survey::{Surveyor, conflict, refused};
use crate::system::Access;
use linkwell_model::chain::{Chain, Destination, End, resolve};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Fate, Item, Make, Object, Plan, Step, Why};
use linkwell_model::shown::shown;
use linkwell_model::target::Target;
use rustix::fd::AsFd as _;
use std::sync::Arc;

/// What is to become of links elsewhere.
#[derive(Clone, Copy, Debug, Default)]
pub struct Follow {
    /// They lead straight to the new place, though a link is left at the old one.
    pub follow: bool,
    /// They may be left broken.
    pub allow_broken: bool,
    /// Those that belong to somebody else may become this user's.
    pub accept_owner: bool,
}

/// One link elsewhere.
struct Outer {
    place: AbsPath,
    spot: Spot,
    old: Object,
    /// Where it leads now.
    end: AbsPath,
    /// The text with which it leads straight to the new place, if it says the old one.
    new: Option<Target>,
    /// Why it cannot be changed, if it cannot.
    closed: Option<Why>,
}

/// Adds to a planned move what becomes of links elsewhere that need what is moved: `links` are the places
/// where they stand, physically. What was said of them is in the remarks of its item.
pub fn lead(surveyor: &mut Surveyor, looked: &mut Looked, links: &[AbsPath], follow: Follow) {
    let Some(mut shape) = looked.shape.take() else { return };
    let plan = &mut looked.plan;
    let typed = plan.items.first().map(|item| item.path.clone()).unwrap_or_default();
    let mut outer: Vec<Outer> = links
        .iter()
        .filter(|place| **place != shape.moved.dest && !place.is_at_or_below(&shape.moved.top))
        .filter_map(|place| look_at(surveyor, &shape, place))
        .collect();
    outer.sort_by(|one, two| one.place.cmp(&two.place));
    outer.dedup_by(|one, two| one.place == two.place);
    let must = !shape.leaves;
    let changes = must || follow.follow;
    for link in outer.iter().filter(|link| changes && link.closed.is_none()) {
        if let Some(new) = &link.new {
            shape.moved.texts.insert(link.place.clone(), new.clone());
        }
    }
    let mut steps: Vec<(Vec<u8>, Step)> = Vec::new();
    let (mut working, mut broken) = (0_usize, Vec::new());
    for link in &outer {
        if then(surveyor, &shape, link).as_ref() != Some(&link.end) {
            broken.push(link);
            continue;
        }
        match &link.new {
            Some(new) if shape.moved.texts.get(&link.place) == Some(new) => {
                match step(surveyor, plan, link, new) {
                    Ok(step) => steps.push((link.place.as_bytes().to_vec(), step)),
                    Err(why) => conflict(plan, link.place.as_bytes(), why),
                }
            }
            _ => working += 1,
        }
    }
    let mut told = Vec::new();
    if working > 0 {
        let (links, they) = links_lead(working);
        let how = match (must, changes) {
            (false, false) => {
                "through the link; `--follow-refs` lets them lead straight to the new place"
            }
            (false, true) => "through the link",
            (true, _) => "",
        };
        told.push(format!("{links} into it; {they} working {how}").trim_end().to_owned());
    }
    if !steps.is_empty() {
        let (links, _) = links_lead(steps.len());
        let when = if must { "" } else { ", one by one, when it has been moved" };
        told.push(format!(
            "{links} into it, and {} there straight from then on{when}",
            leads(steps.len())
        ));
    }
    for link in broken {
        let text = match &link.old {
            Object::Link { target, .. } => shown(target.as_bytes()).to_string(),
            _ => String::new(),
        };
        let why = link.closed.as_ref().filter(|_| link.new.is_some());
        let why = why.map_or(String::new(), |why| format!("; it cannot be changed: {why}"));
        let words = format!("`{} → {text}` elsewhere would be broken{why}", link.place.shown());
        if follow.allow_broken {
            told.push(words);
        } else {
            let hint = if changes || link.new.is_none() {
                "to move it all the same, add `--allow-broken`"
            } else {
                "`--follow-refs` lets such links lead to the new place; to move it all the same, add \
                 `--allow-broken`"
            };
            conflict(plan, &typed, Why::Other { what: words, hint: Some(hint.into()) });
        }
    }
    let anew = steps.iter().map(|(_, step)| step);
    told.extend(links_made_anew(surveyor, plan, anew, follow.accept_owner));
    if let Some(item) = plan.items.first_mut() {
        item.remarks.extend(told);
    }
    if !plan.conflicts.is_empty() {
        plan.items.clear();
    } else if must {
        within_the_item(plan, &shape, steps);
    } else {
        for (path, step) in steps {
            plan.needs.insert(plan.items.len(), 0);
            plan.items.push(Item { path: path.into(), steps: vec![step], remarks: Vec::new() });
        }
    }
    looked.shape = Some(shape);
}

/// `3 links elsewhere lead`, and that they keep.
fn links_lead(count: usize) -> (String, &'static str) {
    if count == 1 {
        ("1 link elsewhere leads".into(), "it keeps")
    } else {
        (format!("{count} links elsewhere lead"), "they keep")
    }
}

fn leads(count: usize) -> &'static str {
    if count == 1 { "leads" } else { "lead" }
}

/// Puts steps where no link is broken at any moment: before the old place is given up, and when the new
/// one leads to it.
fn within_the_item(plan: &mut Plan, shape: &Shape, outer: Vec<(Vec<u8>, Step)>) {
    let Some(item) = plan.items.first_mut() else { return };
    let is_giving_up = |step: &Step| matches!(step, Step::Move { .. });
    let before = item.steps.iter().position(is_giving_up);
    let before = before.unwrap_or(item.steps.len().saturating_sub(1));
    let mut tail = item.steps.split_off(before);
    if let (Some((bridge, known)), Some(Step::Move { over: over @ None, .. }), false) =
        (&shape.bridge, tail.first_mut(), outer.is_empty())
    {
        item.steps.push(bridge.clone());
        *over = Some(known.clone());
    }
    item.steps.extend(outer.into_iter().map(|(_, step)| step));
    item.steps.append(&mut tail);
}

fn look_at(surveyor: &mut Surveyor, shape: &Shape, place: &AbsPath) -> Option<Outer> {
    let (folder, name) = place.split()?;
    let system = surveyor.system();
    let held = Folder::of_place(&folder).open(system, Access::Hold).ok()?;
    let old = look::object_in_full(system, held.as_fd(), name.as_bytes()).ok()??;
    let Object::Link { target, attributes, .. } = &old else { return None };
    let held = Held { folder: Arc::new(held), place: folder.clone() };
    let at = Folder::of_place(&folder);
    let chain = resolve(&mut surveyor.live, &at, name.as_bytes());
    let end = found(&chain)?;
    let rule = Rule::Prefix {
        old: vec![shape.moved.top.clone()],
        new: shape.moved.dest.clone(),
        absolute: shape.moved.dest.clone(),
        style: None,
    };
    let standing = Standing { folder: &at, place: &folder };
    let new = match remade(&mut surveyor.live, standing, target.as_bytes(), &rule) {
        Made::Text(new) if new.len() <= 4095 => Some(Target::new(new)),
        _ => None,
    };
    let closed = may_change_in(&held).and_then(|()| {
        let facts = system.facts_of(held.folder.as_fd());
        let mode = facts.map_err(|error| refused("its folder cannot be looked at", error))?.mode;
        if mode & 0o1002 == 0o1002 { may_change(surveyor, attributes) } else { Ok(()) }
    });
    let spot = Spot { held, name: Name::new(name.as_bytes())?, as_folder: false };
    Some(Outer { place: place.clone(), spot, old, end, new, closed: closed.err() })
}

/// Where a link will lead, by how places are called now.
fn then(surveyor: &mut Surveyor, shape: &Shape, link: &Outer) -> Option<AbsPath> {
    let folder = Folder::of_place(&link.spot.held.place);
    let mut after = After { now: &mut surveyor.live, moved: &shape.moved };
    let end = found(&resolve(&mut after, &folder, link.spot.name.as_bytes()))?;
    // A file that is moved has its new name there; a folder, and all in it, the old.
    Some(if end == shape.moved.dest { shape.moved.top.clone() } else { end })
}

/// Where a chain ends, by how places are called now.
pub(super) fn found(chain: &Chain<Arc<Folder>>) -> Option<AbsPath> {
    match &chain.end {
        End::Found(Destination::Folder(folder)) => Some(folder.place()),
        End::Found(_) => Some(chain.folder.place().joined(&chain.name)),
        _ => None,
    }
}

fn step(surveyor: &mut Surveyor, plan: &mut Plan, link: &Outer, new: &Target) -> Result<Step, Why> {
    surveyor.claim(&link.spot)?;
    let at = surveyor.slot(plan, &link.spot)?;
    let Object::Link { attributes, .. } = &link.old else { return Err(Why::Twice) };
    let make = Make::Link { target: new.clone(), attributes: Some(attributes.clone()) };
    Ok(Step::Replace { at, old: link.old.clone(), make, fate: Fate::Dropped { again: None } })
}
