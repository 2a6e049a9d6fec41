//! To whom this user may give what is made: owners and groups that can be kept, and those that cannot.

use super::freight::Named;
use super::freight::words::places;
use super::{Surveyor, conflict};
use crate::folder::Folder;
use crate::system::{Access, Facts};
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Loss, Make, Object, Plan, Slot, Step, Why};
use rustix::fd::AsFd as _;
use rustix::process::{getegid, geteuid, getgroups};
use rustix::thread::{CapabilitySet, capabilities};

/// Whom this process may give what it makes to.
#[derive(Clone, Debug)]
pub(super) struct Giving {
    /// Anybody (`CAP_CHOWN`: root has that mostly).
    anybody: bool,
    me: u32,
    groups: Vec<u32>,
}

impl Giving {
    pub(super) fn of_this_process() -> Self {
        let able = capabilities(None).map(|sets| sets.effective.contains(CapabilitySet::CHOWN));
        let groups = getgroups().unwrap_or_default().into_iter().chain([getegid()]);
        Self {
            anybody: able.unwrap_or_else(|_| geteuid().is_root()),
            me: geteuid().as_raw(),
            groups: groups.map(rustix::process::Gid::as_raw).collect(),
        }
    }

    /// Whether what is made can belong to these (chown(2)): one's own can be given to one's own groups.
    pub(super) fn may(&self, (owner, group): (u32, u32)) -> bool {
        self.anybody || owner == self.me && self.groups.contains(&group)
    }

    /// The same in a folder that may give its own group to what is made in it.
    pub(super) fn may_in(&self, folder: &Facts, (owner, group): (u32, u32)) -> bool {
        let given = folder.mode & 0o2000 != 0 && folder.group == group;
        self.may((owner, group)) || owner == self.me && given
    }
}

/// Looks for links of others' that steps make anew, which would be this user's then: they are a conflict,
/// or where that was accepted, said.
pub(super) fn links_made_anew<'s>(
    surveyor: &Surveyor,
    plan: &mut Plan,
    steps: impl Iterator<Item = &'s Step>,
    accepted: bool,
) -> Option<String> {
    let giving = Giving::of_this_process();
    let mut lost = Named::default();
    let mut first: Option<AbsPath> = None;
    for step in steps {
        let Some((at, whose)) = made_anew(step) else { continue };
        if giving.may(whose) || gives_its_group(surveyor, plan, at, &giving, whose) {
            continue;
        }
        let place = plan.place(at);
        first.get_or_insert_with(|| place.clone());
        lost.add(|| place);
    }
    let first = first?;
    let what = if lost.count == 1 {
        "a link that belongs to somebody else is made anew, and would be yours then"
    } else {
        "links that belong to somebody else are made anew, and would be yours then"
    };
    let what = format!("{what}: {}", places(&lost));
    if accepted {
        return Some(format!("{what}, as you accepted"));
    }
    let hint = format!("if that is what you want, add `--accept-loss {}`", Loss::Owner.word());
    conflict(plan, first.as_bytes(), Why::Other { what, hint: Some(hint) });
    None
}

/// The link that a step makes as another is or was, and to whom that belongs.
fn made_anew(step: &Step) -> Option<(&Slot, (u32, u32))> {
    let (at, make) = match step {
        Step::Replace { at, old: Object::Link { .. }, make, .. } | Step::Put { at, make } => {
            (at, make)
        }
        _ => return None,
    };
    match make {
        Make::Link { attributes: Some(attributes), .. } => {
            Some((at, (attributes.owner, attributes.group)))
        }
        _ => None,
    }
}

fn gives_its_group(
    surveyor: &Surveyor,
    plan: &Plan,
    at: &Slot,
    giving: &Giving,
    whose: (u32, u32),
) -> bool {
    let Some(folder) = plan.place(at).split().map(|(folder, _)| folder) else { return false };
    let system = surveyor.system();
    let opened = Folder::of_place(&folder).open(system, Access::Hold);
    let facts = opened.and_then(|folder| system.facts_of(folder.as_fd()));
    facts.is_ok_and(|facts| giving.may_in(&facts, whose))
}
