//! Taking a step back, by looking.
//!
//! Nothing is taken on trust: what stands at the slot and under the staged names decides. So the same
//! code serves when a step has just failed, when a run is stopped, and after a crash, when nobody knows
//! how far it came; and doing it twice is doing it once. What is found there and was not put there by
//! this step is somebody else's, and stays.

use super::{Fail, Work};
use crate::system::Access;
use linkwell_model::name::Name;
use linkwell_model::plan::{Fate, Make, Object, Slot, Step, inverse};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::io::Errno;
use std::sync::Arc;

/// What is known of a step that is to be taken back.
struct Past<'s> {
    number: usize,
    step: &'s Step,
    made: Option<&'s Object>,
}

impl Work<'_> {
    /// Takes a step back, wherever it stopped. `made` is what it made, where that is known.
    pub(super) fn back(
        &mut self,
        number: usize,
        step: &Step,
        made: Option<&Object>,
    ) -> Result<(), Fail> {
        let (staged, back) = (self.token.staged(number), self.token.staged_back(number));
        let at = step.at();
        let folder = self.places.folder(at)?;
        let past = Past { number, step, made };
        self.places.touch(at);
        self.settle_back(&past, &folder, &back)?;
        self.settle_staged(&past, &folder, &staged)?;
        let now = self.look(&folder, &at.name, at)?;
        match (step, now) {
            (Step::Put { .. } | Step::Replace { .. }, Some(now))
                if self.is_made(&past, &now, &folder) =>
            {
                self.undo(&past, &now, &back)
            }
            (Step::Remove { fate: Fate::Kept(slot), old, .. }, None) => {
                // It may stand where it was to be kept, or was never removed by us.
                let there = self.places.folder(slot)?;
                match self.look(&there, &slot.name, slot)? {
                    Some(now) if old.is_still(&now, self.same) => self.undo(&past, &now, &back),
                    _ => Ok(()),
                }
            }
            (Step::Remove { .. }, None) => {
                let nothing = Object::Folder { id: step.old().ok_or(Fail::Record)?.id() };
                self.undo(&past, &nothing, &back)
            }
            _ => Ok(()),
        }
    }

    /// What stands at a step's slot after it was taken back, if that is not the old object itself but
    /// one made anew: a later undo must know it.
    pub(super) fn made_anew(&mut self, step: &Step) -> Option<Object> {
        let (at, old) = (step.at(), step.old()?);
        let folder = self.places.folder(at).ok()?;
        let now = self.look(&folder, &at.name, at).ok()??;
        (!old.is_still(&now, self.same) && as_before(old, &now)).then_some(now)
    }

    /// Does the inverse of a step that was done.
    fn undo(&mut self, past: &Past<'_>, made: &Object, back: &Name) -> Result<(), Fail> {
        let Ok(inverse) = inverse(past.step, Some(made)) else { return Ok(()) };
        // A name may go with what is left of a file: it was made by this step, and took nothing away.
        match &inverse {
            Step::Put { at, make } => self.put(at, make, back, &mut |_| Ok(())).map(drop),
            Step::Replace { at, old, make, fate } => {
                self.replace(at, old, make, fate, back, &mut |_| Ok(()))?;
                self.free_aside(at, back, fate)
            }
            Step::Remove { at, old, fate } => {
                self.remove(at, old, fate, back)?;
                self.free_aside(at, back, fate)
            }
        }
    }

    /// Frees a copy of our own that the inverse has set aside.
    fn free_aside(&mut self, at: &Slot, back: &Name, fate: &Fate) -> Result<(), Fail> {
        if *fate == Fate::Freed {
            let folder = self.places.folder(at)?;
            self.free_tree(&folder, back, at)?;
        }
        Ok(())
    }

    /// Settles what an interrupted step left under its staged name.
    fn settle_staged(
        &mut self,
        past: &Past<'_>,
        folder: &Arc<OwnedFd>,
        staged: &Name,
    ) -> Result<(), Fail> {
        let at = past.step.at();
        let Some(aside) = self.look(folder, staged, at)? else { return Ok(()) };
        let now = self.look(folder, &at.name, at)?;
        let old = past.step.old();
        let is_old =
            |work: &Self, object: &Object| old.is_some_and(|old| old.is_still(object, work.same));
        match (past.step, now) {
            (Step::Put { .. }, _) => self.clear(past, folder, staged, &aside),
            // Exchanged: what is at the name is ours, and what came out is the old, or what somebody
            // else had put there just before.
            (Step::Replace { .. }, Some(now))
                if self.is_made(past, &now, folder) && !is_old(self, &now) =>
            {
                self.exchange_back(past, folder, staged)
            }
            (Step::Replace { .. }, None) if is_old(self, &aside) => {
                self.put_back(folder, staged, at)
            }
            // Not exchanged: what is under the staged name is what was being made.
            (Step::Replace { .. }, Some(now))
                if is_old(self, &now) || self.is_made(past, &aside, folder) =>
            {
                self.clear(past, folder, staged, &aside)
            }
            // Somebody put something else at the name, and the old is here.
            (Step::Replace { .. }, _) if is_old(self, &aside) => {
                self.cannot_return(past, folder, staged, &aside, at)
            }
            (Step::Replace { .. }, _) => self.clear_or_keep(past, folder, staged, &aside),
            (Step::Remove { .. }, None) => self.put_back(folder, staged, at),
            (Step::Remove { .. }, Some(_)) => self.cannot_return(past, folder, staged, &aside, at),
        }
    }

    /// Settles what an interrupted taking back left under its staged name.
    fn settle_back(
        &mut self,
        past: &Past<'_>,
        folder: &Arc<OwnedFd>,
        back: &Name,
    ) -> Result<(), Fail> {
        let at = past.step.at();
        let Some(aside) = self.look(folder, back, at)? else { return Ok(()) };
        let now = self.look(folder, &at.name, at)?;
        match past.step {
            // What the step had made was set aside, to be removed.
            Step::Put { .. } => {
                if self.is_made(past, &aside, folder) {
                    self.clear(past, folder, back, &aside)
                } else if now.is_none() {
                    self.put_back(folder, back, at)
                } else {
                    self.cannot_return(past, folder, back, &aside, at)
                }
            }
            Step::Replace { old, .. } => {
                let ours = now.as_ref().is_some_and(|now| self.is_made(past, now, folder));
                let again = whole_again(old, &aside) || old.is_still(&aside, self.same);
                if self.is_made(past, &aside, folder) && !again {
                    // The exchange was done; ours is what came out.
                    self.clear(past, folder, back, &aside)
                } else if ours && again {
                    self.exchange_back(past, folder, back)
                } else if ours {
                    // Half made again.
                    self.free_tree(folder, back, at).map(drop)
                } else if now.is_none() {
                    self.put_back(folder, back, at)
                } else {
                    self.cannot_return(past, folder, back, &aside, at)
                }
            }
            // It was being made again.
            Step::Remove { old, .. } => {
                if now.is_none() && (whole_again(old, &aside) || old.is_still(&aside, self.same)) {
                    self.put_back(folder, back, at)
                } else if as_before(old, &aside) || now.is_none() {
                    self.free_tree(folder, back, at).map(drop)
                } else {
                    self.cannot_return(past, folder, back, &aside, at)
                }
            }
        }
    }

    /// Exchanges what is under a name of our own with what this step had put at its slot, and removes
    /// that. Between the look and the exchange somebody may have put something else at the slot: it
    /// came out then, and is not ours to remove.
    fn exchange_back(
        &mut self,
        past: &Past<'_>,
        folder: &Arc<OwnedFd>,
        staged: &Name,
    ) -> Result<(), Fail> {
        let at = past.step.at();
        let exchanged = self.disk.exchange(folder.as_fd(), staged, folder.as_fd(), &at.name);
        exchanged.map_err(|error| self.refused(at, "put it back", error))?;
        match self.look(folder, staged, at)? {
            None => Ok(()),
            Some(out) if self.is_made(past, &out, folder) => self.clear(past, folder, staged, &out),
            Some(out) => self.cannot_return(past, folder, staged, &out, at),
        }
    }

    /// Removes what this step had made, from a name of our own.
    fn clear(
        &mut self,
        past: &Past<'_>,
        folder: &Arc<OwnedFd>,
        staged: &Name,
        aside: &Object,
    ) -> Result<(), Fail> {
        let at = past.step.at();
        match past.step.make() {
            // It is the thing itself, and goes back to where it came from.
            Some(Make::Moved { from, object }) if object.is_still(aside, self.same) => {
                let home = self.places.folder(from)?;
                self.places.touch(from);
                match self.rename_new(folder, staged, &home, &from.name) {
                    Ok(()) => Ok(()),
                    Err(Errno::EXIST) => self.cannot_return(past, folder, staged, aside, from),
                    Err(error) => Err(self.refused(at, "put it back", error)),
                }
            }
            Some(Make::Moved { .. }) | None => self.cannot_return(past, folder, staged, aside, at),
            // A copy of our own, perhaps half made.
            Some(Make::Copy { .. }) => self.free_tree(folder, staged, at).map(drop),
            // No step but a copy makes a folder under such a name. Whoever may rename here has put it
            // there, and must not have it emptied by somebody with more rights.
            Some(_) if matches!(aside, Object::Folder { .. }) => {
                self.cannot_return(past, folder, staged, aside, at)
            }
            // Another name of a file that has others, or a link, or a file of our own.
            Some(_) => self.free_tree(folder, staged, at).map(drop),
        }
    }

    /// Removes what is under a staged name if it can only be ours, half made; else keeps it.
    fn clear_or_keep(
        &mut self,
        past: &Past<'_>,
        folder: &Arc<OwnedFd>,
        staged: &Name,
        aside: &Object,
    ) -> Result<(), Fail> {
        let at = past.step.at();
        match (past.step.make(), aside) {
            (Some(Make::Link { .. }), Object::Link { .. }) => {
                self.clear(past, folder, staged, aside)
            }
            _ => self.cannot_return(past, folder, staged, aside, at),
        }
    }

    /// Renames back to its slot what was set aside.
    fn put_back(&mut self, folder: &Arc<OwnedFd>, staged: &Name, at: &Slot) -> Result<(), Fail> {
        let renamed = self.rename_new(folder, staged, folder, &at.name);
        renamed.map_err(|error| self.refused(at, "put it back", error))
    }

    /// Its old name is taken by somebody else. A link of this step's is dropped, since its text is on
    /// record; anything else stays where it is and is reported.
    fn cannot_return(
        &mut self,
        past: &Past<'_>,
        folder: &Arc<OwnedFd>,
        staged: &Name,
        aside: &Object,
        at: &Slot,
    ) -> Result<(), Fail> {
        let old = past.step.old();
        let on_record = self.is_made(past, aside, folder)
            || old.is_some_and(|old| as_before(old, aside) || old.is_still(aside, self.same));
        if matches!(aside, Object::Link { .. }) && on_record {
            let dropped = self.disk.drop_name(folder.as_fd(), staged);
            return dropped.map_err(|error| self.refused(at, "remove it", error));
        }
        let mut place = self.places.place(at).parent();
        place.push(staged.as_bytes());
        if !self.kept.contains(&place) {
            self.kept.push(place);
        }
        Ok(())
    }

    /// Whether `object` stands at `name`, and holds these bytes.
    fn holds(&self, folder: &Arc<OwnedFd>, name: &Name, object: &Object, bytes: &[u8]) -> bool {
        let Object::File { size, .. } = object else { return false };
        if u64::try_from(bytes.len()) != Ok(*size) {
            return false;
        }
        let Ok(file) = self.system.open(folder.as_fd(), name.as_bytes(), Access::Read) else {
            return false;
        };
        let facts = self.system.facts_of(file.as_fd());
        facts.is_ok_and(|facts| facts.id.is(object.id()))
            && self.system.read_all(file.as_fd()).is_ok_and(|found| found == bytes)
    }

    /// Whether `now` is what the step makes.
    fn is_made(&self, past: &Past<'_>, now: &Object, folder: &Arc<OwnedFd>) -> bool {
        let known = |made: &Object| made.is_still(now, self.same);
        if let Some(made) = past.made {
            return known(made);
        }
        if past.step.old().is_some_and(|old| old.is_still(now, self.same)) {
            return false;
        }
        match (past.step.make(), now) {
            (Some(Make::Link { target, .. }), Object::Link { target: found, .. }) => {
                target == found
            }
            (Some(Make::Name { id, .. }), now) => (self.same)(*id, now.id()),
            (Some(Make::Moved { object, .. }), now) => object.is_still(now, self.same),
            // Of the same length is not enough: somebody else's would be taken for it, and removed.
            (Some(Make::File { bytes, .. }), Object::File { .. }) => {
                [&past.step.at().name, &self.token.staged(past.number)]
                    .into_iter()
                    .chain([&self.token.staged_back(past.number)])
                    .any(|name| self.holds(folder, name, now, &bytes.0))
            }
            (Some(Make::Folder), Object::Folder { .. }) => true,
            _ => false,
        }
    }
}

/// The same, and it has got all that is given to it after it was made: its time comes last.
fn whole_again(old: &Object, now: &Object) -> bool {
    let dressed = match (old, now) {
        (Object::Link { attributes: one, .. }, Object::Link { attributes: other, .. }) => {
            one.modified == other.modified
        }
        _ => true,
    };
    dressed && as_before(old, now)
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
