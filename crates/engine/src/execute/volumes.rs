//! Which volumes a plan is about: recorded with it, and compared when it is recovered or undone.

use crate::folder::Folder;
use crate::journal::record::Volumes;
use crate::system::{Access, Facts, System};
use linkwell_model::entry::Identity;
use linkwell_model::plan::Plan;
use rustix::fd::{AsFd as _, BorrowedFd};

/// The volumes that the folders of a plan lie on. One is left out that cannot be asked: then the folders
/// on it are known by themselves alone.
pub(super) fn of(system: System, plan: &Plan) -> Volumes {
    let mut found = Volumes::new();
    let mut asked = std::collections::BTreeSet::new();
    for folder in &plan.folders {
        if asked.contains(&folder.id.device) {
            continue;
        }
        let opened = Folder::of_place(&folder.place).open(system, Access::Hold);
        let is_it = |facts: Facts| facts.id.is(folder.id);
        // One that is not there yet, or is another one: the next of the same volume may answer.
        let Some(opened) =
            opened.ok().filter(|opened| system.facts_of(opened.as_fd()).is_ok_and(is_it))
        else {
            continue;
        };
        asked.insert(folder.id.device);
        found.extend(system.volume_of(opened.as_fd()).map(|id| (folder.id.device, id)));
    }
    found
}

/// Whether a folder that is held now lies on another volume than the one that is recorded of it.
pub(crate) fn is_another(
    system: System,
    volumes: &Volumes,
    recorded: Identity,
    now: BorrowedFd<'_>,
) -> bool {
    let then = volumes.get(&recorded.device);
    then.is_some_and(|then| system.volume_of(now).is_some_and(|now| then.is_another(&now)))
}
