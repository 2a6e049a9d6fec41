//! Taking a step back, by looking.
//!
//! Nothing is taken on trust: what stands at the slot and under the staged names decides. So the same
//! code serves when a step has just failed, when a run is stopped, and after a crash, when nobody knows
//! how far it came; and doing it twice is doing it once. What is found there and was not put there by
//! this step is somebody else's, and stays.

use super::aside::same_object;
use super::moved::Way;
use super::{Fail, Placed, Work};
use linkwell_model::entry::Identity;
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Fate, Make, Object, Slot, Step, inverse};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::io::Errno;
use std::sync::Arc;

/// What is known of a step that is to be taken back.
pub(super) struct Past<'s> {
    pub(super) step: &'s Step,
    pub(super) placed: &'s Placed,
}

impl Past<'_> {
    /// What becomes of a link that cannot return: it is dropped if its text is on record here.
    pub(super) fn records(&self, aside: &Object) -> bool {
        let Object::Link { target: found, .. } = aside else { return false };
        let old = matches!(self.step.old(), Some(Object::Link { target, .. }) if target == found);
        let made = matches!(self.step.make(), Some(Make::Link { target, .. }) if target == found);
        old || made
    }
}

impl Work<'_> {
    /// Takes a step back, wherever it stopped.
    pub(super) fn back(&mut self, number: usize, step: &Step, placed: &Placed) -> Result<(), Fail> {
        let (staged, back) = (self.token.staged(number), self.token.staged_back(number));
        let at = step.at();
        let past = Past { step, placed };
        if let Some(way) = Way::of(step, number, &self.token) {
            return self.relocate_back(&past, &way);
        }
        let folder = match self.places.folder(at) {
            Err(Fail::Folder { place, .. }) if self.is_moved(&place) => return Ok(()),
            folder => folder?,
        };
        self.places.touch(at);
        for name in [&back, &staged] {
            self.settle_out(&folder, name, at, &|aside| past.records(aside))?;
        }
        self.settle_doubles(step, &folder, [&back, &staged])?;
        self.settle_back(&past, &folder, &back)?;
        self.settle_staged(&past, &folder, &staged)?;
        let now = self.look(&folder, &at.name, at)?;
        let undone = match (step, now) {
            (Step::Put { .. } | Step::Replace { .. }, Some(now))
                if self.is_made(&past, &folder, &at.name, &now) =>
            {
                self.undo(&past, &now, &back)
            }
            (Step::Remove { fate: Fate::Kept(slot), old, .. }, now) => {
                // It may stand where it was to be kept, or was never removed by us.
                let there = self.places.folder(slot)?;
                match (self.look(&there, &slot.name, slot)?, now) {
                    (Some(kept), None) if same_object(old, &kept, self.same) => {
                        self.undo(&past, &kept, &back)
                    }
                    (Some(kept), Some(_)) if same_object(old, &kept, self.same) => {
                        self.keep_where_it_is(slot);
                        Ok(())
                    }
                    _ => Ok(()),
                }
            }
            (Step::Remove { old, .. }, None) if *placed != Placed::Not => {
                // What stands at the slot after a removal is nothing; any object will do.
                self.undo(&past, old, &back)
            }
            _ => Ok(()),
        };
        match undone {
            // Its other names are gone by now: this one is the file's last, and stays.
            Err(Fail::LastName(_)) => {
                self.keep_where_it_is(at);
                Ok(())
            }
            undone => undone,
        }
    }

    /// Whether a folder that is not where the plan has it lies in something that the plan moves. Then it
    /// is at the other end: what was to be done in it after the move was not done, or has been taken
    /// back; and where the move could not be taken back, what was done before it stands, which is right
    /// at both ends.
    fn is_moved(&self, folder: &AbsPath) -> bool {
        let mut ends = self.moves.iter().flat_map(|(at, to)| [at, to]);
        ends.any(|end| folder.is_at_or_below(end))
    }

    /// What stands at a step's slot after it was taken back, if that is not the old object itself but
    /// one made anew: a later undo must know it.
    pub(super) fn made_anew(&mut self, step: &Step) -> Option<Object> {
        // What a move dropped stood at its other end.
        let (at, old) = match step {
            Step::Move { to, over, .. } => (to, over.as_ref()?),
            _ => (step.at(), step.old()?),
        };
        let folder = self.places.folder(at).ok()?;
        let now = self.look(&folder, &at.name, at).ok()??;
        let known = old.id() != Identity::TO_COME && old.is_still(&now, self.same);
        (!known && as_before(old, &now)).then_some(now)
    }

    /// Does the inverse of a step that was done.
    fn undo(&mut self, past: &Past<'_>, made: &Object, back: &Name) -> Result<(), Fail> {
        let at = past.step.at();
        if matches!(past.step, Step::Put { make: Make::Folder | Make::CommonFolder, .. }) {
            let folder = self.places.folder(at)?;
            // What somebody has put into it since stays, and the folder with it.
            return match self.disk.drop_folder(folder.as_fd(), &at.name) {
                Ok(()) | Err(Errno::NOTEMPTY | Errno::EXIST) => Ok(()),
                Err(error) => Err(self.refused(at, "remove it", error)),
            };
        }
        let Ok(inverse) = inverse(past.step, Some(made)) else { return Ok(()) };
        if let Some((of, manner)) = inverse.fate().and_then(Fate::copied) {
            let folder = self.places.folder(at)?;
            // Somebody has written to the copy, or will, or its original is gone: it is all that is left of
            // that.
            let untouched = self.is_untouched(at, of, &folder, &at.name);
            if (untouched != Some(true) && !self.is_copy_of(&folder, &at.name, of, manner))
                || self.is_in_use(at, &folder, &at.name)
            {
                self.keep_where_it_is(at);
                return Ok(());
            }
        }
        match inverse {
            Step::Put { at, make } => {
                let make = self.as_it_is_now(make)?;
                self.put(&at, &make, back, &mut |_| Ok(())).map(drop)
            }
            Step::Replace { at, old, make, fate } => {
                // Somebody has taken the old away before it was kept: it cannot return, and what was made
                // stays in its place.
                if self.is_taken_away(&make)? {
                    self.keep_where_it_is(&at);
                    return Ok(());
                }
                let make = self.as_it_is_now(make)?;
                let replaced = self.replace(&at, &old, &make, &fate, back, &mut |_| Ok(()));
                self.free_aside(replaced.map(drop), (&at, &old), back, &fate)
            }
            Step::Remove { at, old, fate } => {
                let removed = self.remove(&at, &old, &fate, back);
                self.free_aside(removed, (&at, &old), back, &fate)
            }
            // See `relocate_back`.
            Step::Move { .. } => Ok(()),
        }
    }

    /// Whether what was to return stands neither where it was kept nor anywhere that is known of.
    fn is_taken_away(&mut self, make: &Make) -> Result<bool, Fail> {
        let Make::Moved { from, object } = make else { return Ok(false) };
        let folder = self.places.folder(from)?;
        let now = self.look(&folder, &from.name, from)?;
        Ok(!now.is_some_and(|now| same_object(object, &now, self.same)))
    }

    /// What was kept returns as it is now, also if somebody has written to it since.
    fn as_it_is_now(&mut self, make: Make) -> Result<Make, Fail> {
        let Make::Moved { from, object } = make else { return Ok(make) };
        let folder = self.places.folder(&from)?;
        let now = self.look(&folder, &from.name, &from)?;
        let now = now.filter(|now| same_object(&object, now, self.same)).map(Box::new);
        Ok(Make::Moved { from, object: now.unwrap_or(object) })
    }

    /// Frees a copy of our own that the inverse has set aside. One that somebody has got at between the last
    /// look and that stays, and is named.
    fn free_aside(
        &mut self,
        done: Result<(), Fail>,
        (at, old): (&Slot, &Object),
        back: &Name,
        fate: &Fate,
    ) -> Result<(), Fail> {
        let Some(of) = fate.original() else { return done };
        let folder = self.places.folder(at)?;
        match done {
            Ok(()) => match self.give_up_copy(at, of, &folder, back) {
                Some(given_up) => given_up,
                None => self.free_tree(&folder, back, at),
            },
            Err(Fail::Changed(_) | Fail::InUse { .. })
                if self
                    .look(&folder, back, at)?
                    .is_some_and(|aside| same_object(old, &aside, self.same)) =>
            {
                self.keep_beside(&folder, back, at);
                Ok(())
            }
            failed => failed,
        }
    }

    /// Whether what stands at `name`, which is `now`, is what the step made.
    pub(super) fn is_made(
        &self,
        past: &Past<'_>,
        folder: &Arc<OwnedFd>,
        name: &Name,
        now: &Object,
    ) -> bool {
        match past.placed {
            Placed::Not => return false,
            // A file that got another name may be written to under any of them.
            Placed::This(made) if matches!(past.step.make(), Some(Make::Name { .. })) => {
                return same_object(made, now, self.same);
            }
            Placed::This(made) => return made.is_still(now, self.same),
            Placed::Unknown => {}
        }
        if past.step.old().is_some_and(|old| old.is_still(now, self.same)) {
            return false;
        }
        match (past.step.make(), now) {
            (Some(Make::Link { target, .. }), Object::Link { target: found, .. }) => {
                target == found
            }
            (Some(Make::Name { id, .. }), now) => (self.same)(*id, now.id()),
            (Some(Make::Moved { object, .. }), now) => same_object(object, now, self.same),
            // By its contents, all of them: then nothing is lost that the plan does not hold.
            (Some(Make::File { bytes, .. }), Object::File { size, .. }) => {
                u64::try_from(bytes.0.len()) == Ok(*size) && self.holds(folder, name, &bytes.0)
            }
            (Some(Make::Folder | Make::CommonFolder), Object::Folder { .. }) => true,
            _ => false,
        }
    }

    pub(super) fn holds(&self, folder: &Arc<OwnedFd>, name: &Name, bytes: &[u8]) -> bool {
        self.reads(folder, name).is_ok_and(|read| read == bytes)
    }

    /// What a file holds.
    pub(super) fn reads(&self, folder: &Arc<OwnedFd>, name: &Name) -> Result<Vec<u8>, Errno> {
        let file =
            self.system.open(folder.as_fd(), name.as_bytes(), crate::system::Access::Read)?;
        self.system.read_all(file.as_fd())
    }
}

/// Whether `now` is made again as `old` was: another object, of the same contents as far as can be
/// seen.
fn as_before(old: &Object, now: &Object) -> bool {
    match (old, now) {
        (Object::Link { target, .. }, Object::Link { target: found, .. }) => target == found,
        (Object::File { size, modified, .. }, Object::File { size: found, modified: then, .. }) => {
            size == found && modified == then
        }
        _ => false,
    }
}
