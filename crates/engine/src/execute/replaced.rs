//! Links that were replaced, and are dropped together behind all the others of their operation.
//!
//! ext4 gives out no inode number again that was freed within the last minutes, and passes all of those for each new
//! inode (`recently_deleted` in fs/ext4/ialloc.c): dropping each old link before the next new one is made took three
//! quarters of the time of 10,000 (measured on Linux 6.18). What stands under a staged name meanwhile is what `back`
//! and `onward` find there when a run ends in the middle, as between any two calls of a step.

use super::{Fail, Run, Stop, Work};
use linkwell_model::plan::{Fate, Make, Object, Plan, Step};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::process::{Resource, getrlimit};
use std::sync::Arc;

/// So many links wait at the most: so many staged names may be seen at once, and be left when this process is killed.
const MOST: usize = 1 << 14;

/// What waits to be dropped.
#[derive(Debug, Default)]
pub(super) struct Replaced {
    /// Whether links may wait: [`may_wait`].
    pub(super) may_wait: bool,
    /// By the number of the step, with its folder, which may be called otherwise by then.
    waiting: Vec<(usize, Arc<OwnedFd>)>,
    /// How many folders are held for that at the most.
    folders: usize,
}

impl Replaced {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether what waits is to be dropped before anything else waits.
    pub(super) fn is_full(&self) -> bool {
        self.waiting.len() >= MOST || self.folders >= most_folders()
    }
}

/// Whether a plan does nothing but lead links elsewhere, each by itself: then nothing else in it comes by the staged
/// names.
pub(super) fn may_wait(plan: &Plan) -> bool {
    let leads = |step: &Step| matches!(step, Step::Replace { old, make, fate, .. } if is_led(old, make, fate));
    plan.needs.is_empty()
        && plan.items.iter().all(|item| matches!(&*item.steps, [step] if leads(step)))
}

fn is_led(old: &Object, make: &Make, fate: &Fate) -> bool {
    matches!((old, make, fate), (Object::Link { .. }, Make::Link { .. }, Fate::Dropped { .. }))
}

/// A small part of the descriptors that this process may have.
fn most_folders() -> usize {
    let limit = getrlimit(Resource::Nofile).current.and_then(|limit| usize::try_from(limit).ok());
    (limit.unwrap_or(usize::MAX) / 32).clamp(16, 4096)
}

impl Work<'_> {
    /// Whether the old link of the step at hand can wait; if so it does, under its staged name in this folder.
    pub(super) fn lets_wait(&mut self, folder: &Arc<OwnedFd>) -> bool {
        // While it is taken back there is no step at hand.
        let Some(step) = self.step.filter(|_| self.replaced.may_wait) else { return false };
        let last = self.replaced.waiting.last();
        if last.is_none_or(|(_, last)| !Arc::ptr_eq(last, folder)) {
            self.replaced.folders += 1;
        }
        self.replaced.waiting.push((step, Arc::clone(folder)));
        true
    }

    /// Drops the link that a step has replaced. What somebody has put in its place under that name stays, and is named.
    fn drop_replaced(
        &mut self,
        number: usize,
        step: &Step,
        folder: &Arc<OwnedFd>,
    ) -> Result<(), Fail> {
        let Step::Replace { at, old, .. } = step else { return Ok(()) };
        let staged = self.token.staged(number);
        match self.look(folder, &staged, at)? {
            None => Ok(()),
            Some(aside) if old.is_still(&aside, self.same) => {
                let dropped = self.disk.drop_name(folder.as_fd(), &staged);
                dropped.map_err(|error| self.refused(at, "remove it", error))
            }
            Some(_) => {
                self.kept.push(self.places.place(at).parent().joined(staged.as_bytes()));
                Ok(())
            }
        }
    }
}

impl Run<'_, '_, '_> {
    /// Drops all that waits; what cannot be dropped is taken back like any step that fails.
    pub(super) fn drop_replaced(&mut self) -> Result<Vec<(usize, Fail)>, Stop> {
        let mut failed = Vec::new();
        if self.work.replaced.is_empty() {
            return Ok(failed);
        }
        let items = self.plan.items.iter().enumerate();
        let steps: Vec<(usize, &Step)> =
            items.flat_map(|(item, its)| its.steps.iter().map(move |step| (item, step))).collect();
        self.work.replaced.folders = 0;
        for (number, folder) in std::mem::take(&mut self.work.replaced.waiting) {
            let Some((item, step)) = steps.get(number) else { continue };
            if let Err(fail) = self.work.drop_replaced(number, step, &folder) {
                // All items are of one step.
                let back = self.take_back(number, std::slice::from_ref(*step));
                back.map_err(|second| (second, false))?;
                failed.push((*item, fail));
            }
        }
        Ok(failed)
    }
}
