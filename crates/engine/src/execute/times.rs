//! Times of folders that change only because entries come and go: noted when a plan is done, and given back
//! when that is undone.

use super::Work;
use linkwell_model::entry::Time;
use linkwell_model::name::Name;
use linkwell_model::plan::{FolderTime, Plan, Slot};
use rustix::fd::AsFd as _;

impl Work<'_> {
    /// Gives the folders of a plan the times that it has for them. A time that may not be set, or of a folder
    /// that is not there, stays: nothing relies on it.
    pub(super) fn give_times(&mut self, plan: &Plan) {
        for (folder, time) in plan.times.iter().filter_map(|one| Some((one, one.give?))) {
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
