//! What an interrupted step, or an interrupted taking back, left beside its slot.

use super::back::Past;
use super::{Fail, Placed, Work};
use linkwell_model::entry::{EntryKind, Identity};
use linkwell_model::name::Name;
use linkwell_model::plan::{Fate, Make, Object, Slot, Step};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::io::Errno;
use std::sync::Arc;

/// Whether both are one object, whatever was written to it since.
pub(super) fn same_object(
    one: &Object,
    other: &Object,
    same: fn(Identity, Identity) -> bool,
) -> bool {
    one.kind() == other.kind() && same(one.id(), other.id())
}

impl Work<'_> {
    /// Where a rename is two calls, one object may have been left with two names. One goes: that under
    /// a name of our own, then the one that the step was to give.
    pub(super) fn settle_doubles(
        &mut self,
        step: &Step,
        folder: &Arc<OwnedFd>,
        ours: [&Name; 2],
    ) -> Result<(), Fail> {
        let at = step.at();
        let mut found = Vec::new();
        for name in ours {
            if let Some(aside) = self.look(folder, name, at)? {
                found.push((name, aside));
            }
        }
        let now = self.look(folder, &at.name, at)?;
        let twice = |object: &Object, other: &Object| {
            object.kind() != EntryKind::Folder && same_object(object, other, self.same)
        };
        if let Some(Make::Moved { from, object }) = step.make() {
            let home = self.places.folder(from)?;
            let there = self.look(&home, &from.name, from)?;
            if there.is_some_and(|there| twice(object, &there)) {
                let is_at = now.as_ref().is_some_and(|now| twice(object, now));
                if is_at && matches!(step, Step::Replace { .. }) {
                    // It replaced something, which is to return: so it is taken for moved, whole.
                    self.places.touch(from);
                    return self.drop_double(&home, &from.name, from);
                }
                if is_at {
                    found.push((&at.name, object.as_ref().clone()));
                }
                for (name, _) in found.iter().filter(|(_, aside)| twice(object, aside)) {
                    self.drop_double(folder, name, at)?;
                }
                return Ok(());
            }
        }
        if let (Some(Fate::Kept(slot)), Some(old)) = (step.fate(), step.old()) {
            let home = self.places.folder(slot)?;
            let kept = self.look(&home, &slot.name, slot)?;
            let is_here = |one: &Object| twice(old, one);
            let here =
                now.as_ref().is_some_and(is_here) || found.iter().any(|(_, aside)| is_here(aside));
            if kept.is_some_and(|kept| twice(old, &kept)) && here {
                self.places.touch(slot);
                self.drop_double(&home, &slot.name, slot)?;
            }
        }
        for (name, aside) in &found {
            if now.as_ref().is_some_and(|now| twice(now, aside)) {
                self.drop_double(folder, name, at)?;
            }
        }
        Ok(())
    }

    pub(super) fn drop_double(
        &self,
        folder: &Arc<OwnedFd>,
        name: &Name,
        at: &Slot,
    ) -> Result<(), Fail> {
        let facts = self.system.facts(folder.as_fd(), name.as_bytes());
        // Two names were seen; with one it would be the last.
        if facts.is_ok_and(|facts| facts.names < 2) {
            return Ok(());
        }
        let dropped = self.disk.drop_name(folder.as_fd(), name);
        dropped.map_err(|error| self.refused(at, "remove it", error))
    }

    /// Settles what an interrupted step left under its staged name.
    pub(super) fn settle_staged(
        &mut self,
        past: &Past<'_>,
        folder: &Arc<OwnedFd>,
        staged: &Name,
    ) -> Result<(), Fail> {
        let at = past.step.at();
        let Some(aside) = self.look(folder, staged, at)? else { return Ok(()) };
        let now = self.look(folder, &at.name, at)?;
        let old = past.step.old();
        let is_old = |object: &Object| old.is_some_and(|old| same_object(old, object, self.same));
        match (past.step, now) {
            (Step::Put { .. }, _) => self.clear(past, folder, staged, &aside),
            // Exchanged: what is at the name is ours, and what came out is the old, or what somebody
            // else had put there just before.
            (Step::Replace { .. }, Some(now))
                if !is_old(&now) && self.is_made(past, folder, &at.name, &now) =>
            {
                self.swap_back(past, folder, staged)
            }
            (Step::Replace { .. }, None) if is_old(&aside) => self.put_back(folder, staged, at),
            // Not exchanged: what is under the staged name is what was being made.
            (Step::Replace { .. }, Some(now)) if is_old(&now) => {
                self.clear(past, folder, staged, &aside)
            }
            // Somebody put something else at the name, and the old is here.
            (Step::Replace { .. } | Step::Remove { .. }, Some(now)) if is_old(&aside) => {
                if self.is_made_again(past, folder, (&at.name, &now), (staged, &aside)) {
                    return self.free_tree(folder, staged, at);
                }
                let known = past.records(&aside);
                self.cannot_return(folder, staged, &aside, at, known)
            }
            (Step::Replace { .. }, _) => {
                if self.is_half_made(past, folder, staged, &aside) {
                    self.clear(past, folder, staged, &aside)
                } else {
                    self.cannot_return(folder, staged, &aside, at, false)
                }
            }
            (Step::Remove { .. }, None) => self.put_back(folder, staged, at),
            (Step::Remove { .. }, Some(_)) => self.cannot_return(folder, staged, &aside, at, false),
            // It stages nothing.
            (Step::Move { .. }, _) => Ok(()),
        }
    }

    /// Whether the old was made again at its name by an earlier taking back, and is here as well: both
    /// hold what is on record, byte for byte.
    fn is_made_again(
        &self,
        past: &Past<'_>,
        folder: &Arc<OwnedFd>,
        now: (&Name, &Object),
        aside: (&Name, &Object),
    ) -> bool {
        let Some(Fate::Dropped { again: Some(again) }) = past.step.fate() else { return false };
        let both = [now, aside];
        match &**again {
            Make::File { bytes, .. } => both.iter().all(|(name, object)| {
                object.kind() == EntryKind::File && self.holds(folder, name, &bytes.0)
            }),
            Make::Folder => both.iter().all(|(name, object)| {
                object.kind() == EntryKind::Folder && self.is_empty(folder, name)
            }),
            _ => false,
        }
    }

    fn is_empty(&self, folder: &Arc<OwnedFd>, name: &Name) -> bool {
        let opened = self.system.open(folder.as_fd(), name.as_bytes(), crate::system::Access::List);
        let names = opened.and_then(|inner| super::names(self.system, inner.as_fd()));
        names.is_ok_and(|names| names.is_empty())
    }

    /// Whether what is under a staged name, and is not the old, can only be what was being made.
    fn is_half_made(
        &self,
        past: &Past<'_>,
        folder: &Arc<OwnedFd>,
        staged: &Name,
        aside: &Object,
    ) -> bool {
        match (past.placed, past.step.make(), aside) {
            (Placed::Not, Some(_), _) => true,
            // What a copy is was recorded, durably, before it was put in place.
            (Placed::Unknown, Some(Make::Copy { .. }), _) => true,
            (_, Some(Make::File { bytes, .. }), Object::File { size, .. }) => {
                u64::try_from(bytes.0.len()).is_ok_and(|whole| *size < whole)
                    || self.is_made(past, folder, staged, aside)
            }
            _ => self.is_made(past, folder, staged, aside),
        }
    }

    /// Settles what an interrupted taking back left under its staged name.
    pub(super) fn settle_back(
        &mut self,
        past: &Past<'_>,
        folder: &Arc<OwnedFd>,
        back: &Name,
    ) -> Result<(), Fail> {
        let at = past.step.at();
        let Some(aside) = self.look(folder, back, at)? else { return Ok(()) };
        let now = self.look(folder, &at.name, at)?;
        let ours = now.as_ref().is_some_and(|now| self.is_made(past, folder, &at.name, now));
        let made = self.is_made(past, folder, back, &aside);
        match past.step {
            // What the step had made was set aside, to be removed.
            Step::Put { .. } if made => self.clear(past, folder, back, &aside),
            // It itself is here, about to return, or what was made came out and is to go.
            Step::Replace { old, fate: Fate::Kept(_), .. }
                if same_object(old, &aside, self.same) =>
            {
                match now {
                    Some(_) if ours => self.swap_back(past, folder, back),
                    Some(_) => {
                        let known = past.records(&aside);
                        self.cannot_return(folder, back, &aside, at, known)
                    }
                    None => self.put_back(folder, back, at),
                }
            }
            // It was being made again: that begins anew, unless it itself is there.
            Step::Replace { old, fate: Fate::Dropped { .. }, .. }
                if ours || now.as_ref().is_some_and(|now| same_object(old, now, self.same)) =>
            {
                self.clear_again(past, folder, back, &aside)
            }
            Step::Replace { .. } if made => self.clear(past, folder, back, &aside),
            Step::Remove { fate: Fate::Dropped { .. }, .. } => {
                self.clear_again(past, folder, back, &aside)
            }
            // It stages nothing.
            Step::Move { .. } => Ok(()),
            Step::Put { .. } | Step::Replace { .. } | Step::Remove { .. } => {
                if now.is_none() {
                    self.put_back(folder, back, at)
                } else {
                    let known = past.records(&aside);
                    self.cannot_return(folder, back, &aside, at, known)
                }
            }
        }
    }

    /// Exchanges what is under a name of our own with what this step had put at its slot, and removes
    /// that. Between the look and the exchange somebody may have put something else at the slot: it
    /// came out then, and is not ours to remove.
    fn swap_back(
        &mut self,
        past: &Past<'_>,
        folder: &Arc<OwnedFd>,
        ours: &Name,
    ) -> Result<(), Fail> {
        let at = past.step.at();
        let exchanged = self.swap(folder, ours, at);
        exchanged.map_err(|error| self.refused(at, "put it back", error))?;
        match self.look(folder, ours, at)? {
            None => Ok(()),
            Some(out) if self.is_made(past, folder, ours, &out) => {
                self.clear(past, folder, ours, &out)
            }
            Some(out) => self.cannot_return(folder, ours, &out, at, false),
        }
    }

    /// Removes what was being made again, from a name of our own.
    fn clear_again(
        &mut self,
        past: &Past<'_>,
        folder: &Arc<OwnedFd>,
        back: &Name,
        aside: &Object,
    ) -> Result<(), Fail> {
        let at = past.step.at();
        let again = match past.step.fate() {
            Some(Fate::Dropped { again }) => again.as_deref(),
            _ => None,
        };
        if let (Some(Make::Name { .. }), Object::File { names, .. }) = (again, aside)
            && *names < 2
        {
            return self.cannot_return(folder, back, aside, at, false);
        }
        // Nothing is made again as a folder with something in it; see `clear`.
        let own = match again {
            Some(Make::Copy { of, .. }) => {
                self.is_own_folder(&Placed::Unknown, (of, at), folder, back, aside)?
            }
            _ => !matches!(aside, Object::Folder { .. }),
        };
        if !own {
            return self.cannot_return(folder, back, aside, at, false);
        }
        self.free_tree(folder, back, at)
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
        if let Some(Make::Copy { of, manner, .. }) = past.step.make() {
            if let Some(given_up) = self.give_up_copy(at, of, folder, staged) {
                return given_up;
            }
            // It is whole, and not on record: then by its contents, once more. Under its first name nobody
            // has seen it.
            let had_its_name =
                !matches!(past.step, Step::Put { .. }) || staged.as_bytes().ends_with(b"-back");
            // A part of another one was begun anew by a later run, and has not had its name.
            let is_whole =
                matches!(past.placed, Placed::This(made) if same_object(made, aside, self.same));
            let seen = had_its_name && is_whole;
            if seen && !self.is_copy_of(folder, staged, of, manner.as_deref()) {
                self.keep_beside(folder, staged, at);
                return Ok(());
            }
            if !self.is_own_folder(past.placed, (of, at), folder, staged, aside)? {
                self.keep_beside(folder, staged, at);
                return Ok(());
            }
        }
        match (past.step.make(), aside) {
            // It is the thing itself, and goes back to where it came from.
            (Some(Make::Moved { from, object }), _) if same_object(object, aside, self.same) => {
                let home = self.places.folder(from)?;
                self.places.touch(from);
                match self.rename_new(folder, staged, &home, &from.name) {
                    Ok(()) => Ok(()),
                    Err(Errno::EXIST) => self.cannot_return(folder, staged, aside, from, false),
                    Err(error) => Err(self.refused(at, "put it back", error)),
                }
            }
            (Some(Make::Moved { .. }) | None, _) => {
                self.cannot_return(folder, staged, aside, at, false)
            }
            // Its other names have gone meanwhile: this one is all that is left of the file.
            (Some(Make::Name { .. }), Object::File { names, .. }) if *names < 2 => {
                self.cannot_return(folder, staged, aside, at, false)
            }
            // No step but a copy makes a folder under such a name. Whoever may rename here has put it
            // there, and must not have it emptied by somebody with more rights.
            (Some(make), Object::Folder { .. }) if !matches!(make, Make::Copy { .. }) => {
                self.cannot_return(folder, staged, aside, at, false)
            }
            // What came out of an exchange, and was somebody else's by then: the old has its name again,
            // by their doing.
            (Some(make), _) if !self.can_be(make, folder, staged, aside) => {
                self.cannot_return(folder, staged, aside, at, false)
            }
            // Another name of a file that has others, or a link, or a copy of our own.
            (Some(_), _) => self.free_tree(folder, staged, at),
        }
    }

    /// Whether what is under a name of our own can be what a step makes there, or a part of it: by what it is, if
    /// this run made it, else by how it looks.
    fn can_be(&self, make: &Make, folder: &Arc<OwnedFd>, staged: &Name, aside: &Object) -> bool {
        if let Some((_, id)) = self.built.as_ref().filter(|(name, _)| name == staged) {
            return (self.same)(*id, aside.id());
        }
        match (make, aside) {
            (Make::Link { target, .. }, Object::Link { target: found, .. }) => target == found,
            (Make::Name { id, .. }, _) => (self.same)(*id, aside.id()),
            // It is written from its beginning. After a power cut its length may have outlasted its bytes:
            // then it ends in zeros.
            (Make::File { bytes, .. }, Object::File { size, .. }) => {
                let written = |read: &[u8]| {
                    let end = read.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
                    read.get(..end).is_some_and(|read| bytes.0.starts_with(read))
                };
                usize::try_from(*size).is_ok_and(|size| size <= bytes.0.len())
                    && self.reads(folder, staged).is_ok_and(|read| written(&read))
            }
            // Asked before: by its record, or which folder was made. It may be begun anew, and not recorded yet.
            (Make::Copy { .. }, _) => true,
            _ => false,
        }
    }

    /// Whether a folder under a name of our own is the one that was made there to copy `of` to `at`. Whoever
    /// may rename in there can put another in its place, and must not have it emptied by somebody with
    /// more rights.
    fn is_own_folder(
        &mut self,
        placed: &Placed,
        (of, at): (&Slot, &Slot),
        folder: &Arc<OwnedFd>,
        name: &Name,
        aside: &Object,
    ) -> Result<bool, Fail> {
        let facts = match self.system.facts(folder.as_fd(), name.as_bytes()) {
            Ok(facts) if facts.kind == EntryKind::Folder => facts,
            _ => return Ok(true),
        };
        let is_top = self.top.as_ref().is_some_and(|(top, made)| top == name && made.is(&facts));
        let is_placed = matches!(placed, Placed::This(made) if same_object(made, aside, self.same));
        let begun = self.copies.begun(self.system, of, at);
        if is_top || is_placed || begun.is_some_and(|(_, made)| made.is(&facts)) {
            return Ok(true);
        }
        // It is not on record, after a power cut: nobody else may rename where only its owner writes.
        let around = self.system.facts_of(folder.as_fd());
        let around = around.map_err(|error| self.refused(at, "look at its folder", error))?;
        let user = rustix::process::geteuid().as_raw();
        let alone = [user, 0].contains(&around.owner) && around.mode & 0o022 == 0;
        Ok(begun.is_none() && (alone || self.is_empty(folder, name)))
    }

    /// Renames back to its slot what was set aside.
    pub(super) fn put_back(
        &mut self,
        folder: &Arc<OwnedFd>,
        staged: &Name,
        at: &Slot,
    ) -> Result<(), Fail> {
        let renamed = self.rename_new(folder, staged, folder, &at.name);
        renamed.map_err(|error| self.refused(at, "put it back", error))
    }

    /// Its old name is taken by somebody else. A link whose text is on record is dropped; anything else
    /// stays where it is and is reported.
    pub(super) fn cannot_return(
        &mut self,
        folder: &Arc<OwnedFd>,
        staged: &Name,
        aside: &Object,
        at: &Slot,
        recorded: bool,
    ) -> Result<(), Fail> {
        if recorded && matches!(aside, Object::Link { .. }) {
            let dropped = self.disk.drop_name(folder.as_fd(), staged);
            return dropped.map_err(|error| self.refused(at, "remove it", error));
        }
        self.keep_where_it_is(&Slot { folder: at.folder, name: staged.clone() });
        Ok(())
    }

    /// Notes that something stays at a place where it does not belong.
    pub(super) fn keep_where_it_is(&mut self, slot: &Slot) {
        let place = self.places.place(slot);
        if !self.kept.contains(&place) {
            self.kept.push(place);
        }
    }
}
