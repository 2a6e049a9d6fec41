//! Links on record that a program has saved a real file over. There are two versions then, and neither is
//! ever overwritten: what gives way is kept under a name that the plan says.

use super::Replaced;
use crate::folder::Folder;
use crate::likeness::Depth;
use crate::look;
use crate::operator::Held;
use crate::survey::{Surveyor, refused};
use crate::system::Access;
use crate::track::{Found, Tracker};
use linkwell_model::entry::EntryKind;
use linkwell_model::keep::link::Kept;
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Fate, Item, Leave, Make, Object, Plan, Slot, Step, Why};
use linkwell_model::shown::shown;
use rustix::fd::AsFd as _;
use rustix::io::Errno;
use std::sync::Arc;

/// What becomes of the two versions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The new one goes to where the link led, and the link comes back. The old one is kept beside it.
    IntoTarget,
    /// The link comes back; the new one is kept beside it, and the old one stays where it is.
    Both,
}

/// Adds to the plan what `keep` says about one replaced link.
///
/// # Errors
/// Why it cannot be done.
pub fn add(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    replaced: &Replaced,
    keep: Keep,
) -> Result<(), Why> {
    let link = &replaced.entry.link;
    let home = hold(surveyor, &link.folder)?;
    let new = object(surveyor, &home, &link.name)?
        .ok_or_else(|| Why::Nothing(link.place().as_bytes().into()))?;
    if new.kind() == EntryKind::Symlink {
        return Err(Why::Other { what: "it is a link again".into(), hint: None });
    }
    let at = slot(surveyor, plan, &home, &link.name)?;
    let (steps, remark) = match keep {
        Keep::Both => both(surveyor, &home, link, at, new)?,
        Keep::IntoTarget => into_target(surveyor, plan, &home, link, at, new)?,
    };
    for step in &steps {
        surveyor.lay(plan, step);
    }
    plan.items.push(Item { path: link.place().as_bytes().into(), steps, remarks: vec![remark] });
    Ok(())
}

fn both(
    surveyor: &Surveyor,
    home: &Held,
    link: &Kept,
    at: Slot,
    new: Object,
) -> Result<(Vec<Step>, String), Why> {
    let name = free(surveyor, home, &link.name, None)?;
    let remark = format!("the new one is kept as `{}`", shown(name.as_bytes()));
    let make = Make::Link { target: link.target.clone(), attributes: None };
    let fate = Fate::Kept(Slot { folder: at.folder, name });
    Ok((vec![Step::Replace { at, old: new, make, fate }], remark))
}

fn into_target(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    home: &Held,
    link: &Kept,
    at: Slot,
    new: Object,
) -> Result<(Vec<Step>, String), Why> {
    let Some((folder, name)) = link.to.split() else {
        return Err(Why::Name("the link led to `/`, which nothing can take the place of"));
    };
    let volumes = Arc::clone(surveyor.volumes());
    let step = Tracker::new(surveyor.system(), &volumes, Depth::Facts)
        .step(&Folder::of_place(&link.folder), &link.target);
    if step.to != link.to {
        // What was saved would not be seen through the link.
        return Err(Why::Other {
            what: format!(
                "the link led to `{}`, and its text leads to `{}` by now",
                link.to.shown(),
                step.to.shown()
            ),
            hint: Some("keep both with `--replaced both`".into()),
        });
    }
    let there = hold(surveyor, &folder)?;
    let system = surveyor.system();
    let facts = |held: &Held| {
        let facts = system.facts_of(held.folder.as_fd());
        facts.map_err(|error| refused("its folder cannot be looked at", error))
    };
    let (own, other) = (facts(home)?, facts(&there)?);
    if own.mount != other.mount || own.id.device != other.id.device {
        return Err(Why::Other {
            what: "the new one and what the link led to lie on different volumes".into(),
            hint: Some(
                "keep both with `--replaced both`, then `linkwell move` brings the new one there"
                    .into(),
            ),
        });
    }
    let old = object(surveyor, &there, &name)?;
    let to = slot(surveyor, plan, &there, &name)?;
    let leave = Some(Leave { target: link.target.clone(), attributes: None });
    let Some(old) = old else {
        let remark =
            format!("what the link led to is gone; the new one goes to `{}`", link.to.shown());
        let step = Step::Move { at, old: new, to, leave, over: None };
        return Ok((vec![step], remark));
    };
    if old.kind() != new.kind() {
        return Err(Why::Other {
            what: format!(
                "the new one is a {}, and the link led to a {}",
                new.kind().word(),
                old.kind().word()
            ),
            hint: Some("keep both with `--replaced both`".into()),
        });
    }
    // First the new one goes beside the old one, and the link comes back: it leads to the old one for that
    // moment. Then the two exchange their names. No name is missing in between.
    let aside = free(surveyor, &there, &name, None)?;
    let between = free(surveyor, &there, &name, Some(&aside))?;
    let between = Slot { folder: to.folder, name: between };
    let remark = format!(
        "the new one goes to `{}`; the old one is kept beside it as `{}`",
        link.to.shown(),
        shown(aside.as_bytes())
    );
    let first = Step::Move { at, old: new.clone(), to: between.clone(), leave, over: None };
    let fate = Fate::Kept(Slot { folder: to.folder, name: aside });
    let make = Make::Moved { from: between, object: Box::new(new) };
    Ok((vec![first, Step::Replace { at: to, old, make, fate }], remark))
}

/// Adds to the plan that a link whose target is gone goes, too.
///
/// # Errors
/// Why it cannot be done: most often, it is another link by now.
pub fn remove(surveyor: &mut Surveyor, plan: &mut Plan, link: &Kept) -> Result<(), Why> {
    let home = hold(surveyor, &link.folder)?;
    let found = object(surveyor, &home, &link.name)?;
    let old = match found {
        Some(old @ Object::Link { .. }) => old,
        Some(other) => return Err(Why::NotLink(other.kind())),
        None => return Err(Why::Nothing(link.place().as_bytes().into())),
    };
    let Object::Link { target, attributes, .. } = &old else { return Ok(()) };
    if *target != link.target {
        return Err(Why::Other { what: "it leads elsewhere by now".into(), hint: None });
    }
    leads_nowhere(surveyor, link)?;
    let facts = surveyor.system().facts_of(home.folder.as_fd());
    let facts = facts.map_err(|error| refused("its folder cannot be looked at", error))?;
    let me = rustix::process::geteuid().as_raw();
    if facts.mode & 0o1002 == 0o1002 && attributes.owner != me && attributes.owner != 0 {
        let owner = surveyor.owner(attributes.owner);
        let what = format!("it belongs to {owner}, in a folder that anyone may write to");
        return Err(Why::Other { what, hint: None });
    }
    let at = slot(surveyor, plan, &home, &link.name)?;
    let step = Step::Remove { at, old, fate: Fate::Dropped { again: None } };
    surveyor.lay(plan, &step);
    let remarks = vec![format!("it led to `{}`, which is gone", link.to.shown())];
    plan.items.push(Item { path: link.place().as_bytes().into(), steps: vec![step], remarks });
    Ok(())
}

/// Whether a link leads nowhere at this moment: neither by its text, nor is anything where it led once. Asked
/// when its removal is planned, and again right before, since a person may have taken long to say yes.
///
/// # Errors
/// That something is there, or that nobody can tell.
pub fn leads_nowhere(surveyor: &Surveyor, link: &Kept) -> Result<(), Why> {
    let there = |place: &AbsPath| Why::Other {
        what: format!("there is something at `{}` again", place.shown()),
        hint: Some("look once more, with `linkwell repair`".into()),
    };
    let volumes = Arc::clone(surveyor.volumes());
    let mut tracker = Tracker::new(surveyor.system(), &volumes, Depth::Facts);
    let step = tracker.step(&Folder::of_place(&link.folder), &link.target);
    match step.found {
        Found::Here(_) => return Err(there(&step.to)),
        Found::Unseen => return Err(refused("where it leads cannot be looked at", Errno::ACCESS)),
        Found::Nothing => {}
    }
    let Some((folder, name)) = link.to.split().filter(|_| link.to != step.to) else {
        return Ok(());
    };
    match hold(surveyor, &folder) {
        Err(Why::NoFolder(_)) => Ok(()),
        Err(why) => Err(why),
        Ok(held) => match object(surveyor, &held, &name)? {
            None => Ok(()),
            Some(_) => Err(there(&link.to)),
        },
    }
}

/// Opens a folder by its physical place, through no link.
fn hold(surveyor: &Surveyor, place: &AbsPath) -> Result<Held, Why> {
    let opened = Folder::of_place(place).open(surveyor.system(), Access::Hold);
    let folder = opened.map_err(|error| match error {
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP => Why::NoFolder(place.as_bytes().into()),
        error => refused("its folder cannot be opened", error),
    })?;
    Ok(Held { folder: Arc::new(folder), place: place.clone() })
}

fn slot(surveyor: &mut Surveyor, plan: &mut Plan, held: &Held, name: &Name) -> Result<Slot, Why> {
    let id = surveyor.identity(held)?;
    Ok(Slot { folder: plan.folder(&held.place, id), name: name.clone() })
}

fn object(surveyor: &Surveyor, held: &Held, name: &Name) -> Result<Option<Object>, Why> {
    let found = look::object_in_full(surveyor.system(), held.folder.as_fd(), name.as_bytes());
    found.map_err(|error| refused("it cannot be looked at", error))
}

/// A name like `name.~1~` that is free.
fn free(surveyor: &Surveyor, held: &Held, name: &Name, taken: Option<&Name>) -> Result<Name, Why> {
    for number in 1_u32..10_000 {
        let ending = format!(".~{number}~");
        // What is too long loses of its end.
        let room = 255_usize.saturating_sub(ending.len()).min(name.as_bytes().len());
        let stem = name.as_bytes().get(..room).unwrap_or_default();
        let Some(made) = Name::new([stem, ending.as_bytes()].concat()) else { continue };
        if taken == Some(&made) {
            continue;
        }
        match surveyor.system().facts(held.folder.as_fd(), made.as_bytes()) {
            Err(Errno::NOENT) => return Ok(made),
            Err(error) => return Err(refused("its folder cannot be looked at", error)),
            Ok(_) => {}
        }
    }
    Err(Why::Name("there is no free name for what is to be kept"))
}
