//! Times of folders that change only because entries come and go: noted when a plan is done, and given back
//! when that is undone, or what was begun is taken back.

use super::Work;
use linkwell_model::entry::Time;
use linkwell_model::name::Name;
use linkwell_model::plan::{FolderTime, Plan, Slot, Step};
use rustix::fd::AsFd as _;
use std::collections::{HashMap, HashSet};

/// The folders of an interrupted plan that nobody is known to have changed since.
///
/// The last change of each is looked at before anything is taken back, which changes it: what came no later
/// than the last word in the record is taken for the operation's own. What it did right after that word and
/// what somebody else does meanwhile cannot be told apart, so a moment counts as the same.
pub(super) struct Own {
    /// When the record was last written to.
    until: Option<Time>,
    asked: HashSet<u32>,
    found: HashMap<u32, bool>,
}

/// Seconds that count as the same moment: file systems keep times in steps of up to two (FAT).
const MOMENT: i64 = 2;

impl Own {
    pub(super) fn new(plan: &Plan, until: Option<Time>) -> Self {
        let asked = plan.times.iter().map(|one| one.folder).collect();
        Self { until, asked, found: HashMap::new() }
    }

    /// Looks at the folders of a step that were not looked at yet. Some can be found only when later steps
    /// have been taken back.
    pub(super) fn look(&mut self, work: &mut Work<'_>, step: &Step) {
        for slot in step.slots() {
            if !self.asked.contains(&slot.folder) || self.found.contains_key(&slot.folder) {
                continue;
            }
            let Ok(held) = work.places.folder(slot) else { continue };
            let Ok(now) = work.system.facts_of(held.as_fd()) else { continue };
            let own =
                self.until.is_some_and(|until| now.modified.0 <= until.0.saturating_add(MOMENT));
            self.found.insert(slot.folder, own);
        }
    }

    pub(super) fn has(&self, folder: u32) -> bool {
        self.found.get(&folder) == Some(&true)
    }
}

impl Work<'_> {
    /// Gives the folders of a plan the times that it has for them. A time that may not be set, or of a folder
    /// that is not there, stays: nothing relies on it.
    pub(super) fn give_times(&mut self, plan: &Plan) {
        self.set_times(plan, |one| one.give);
    }

    /// Gives them the times that they had before, when all was taken back: those of which `own` says that
    /// nobody else has changed them.
    pub(super) fn give_times_before(&mut self, plan: &Plan, own: impl Fn(u32) -> bool) {
        self.set_times(plan, |one| own(one.folder).then_some(one.before));
    }

    fn set_times(&mut self, plan: &Plan, time: impl Fn(&FolderTime) -> Option<Time>) {
        for (folder, time) in plan.times.iter().filter_map(|one| Some((one, time(one)?))) {
            let Some(slot) = slot(folder) else { continue };
            let Ok(held) = self.places.folder(&slot) else { continue };
            let Ok(now) = self.system.facts_of(held.as_fd()) else { continue };
            if now.modified != time {
                self.places.touch(&slot);
                self.disk.times(held.as_fd(), now.accessed, time).unwrap_or_default();
            }
        }
    }

    /// When each folder of which the plan knows a time was last changed, by its number.
    pub(super) fn times_now(&mut self, plan: &Plan) -> Vec<(u32, Time)> {
        let mut found = Vec::new();
        for folder in &plan.times {
            let Some(slot) = slot(folder) else { continue };
            let Ok(held) = self.places.folder(&slot) else { continue };
            found.extend(
                self.system.facts_of(held.as_fd()).map(|now| (folder.folder, now.modified)),
            );
        }
        found
    }
}

/// Any slot in the folder.
fn slot(folder: &FolderTime) -> Option<Slot> {
    Some(Slot { folder: folder.folder, name: Name::new(b"any".to_vec())? })
}
