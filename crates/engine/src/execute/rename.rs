//! Renames and exchanges, on file systems that can them and on those that cannot.

use super::aside::same_object;
use super::{Fail, Work};
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::plan::{Fate, Object, Slot, Token};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::io::Errno;
use std::sync::Arc;

impl Work<'_> {
    /// Renames without replacing. Where the file system cannot promise that, a file or link gets a
    /// second name, which never replaces, and loses the first: an error may then leave it with both,
    /// which `back` sees. A folder cannot get a second name; it is renamed plainly after a look, and
    /// that replaces nothing but an empty folder that somebody makes in this very moment.
    pub(super) fn rename_new(
        &self,
        from: &Arc<OwnedFd>,
        name: &Name,
        to: &Arc<OwnedFd>,
        new: &Name,
    ) -> Result<(), Errno> {
        match self.disk.rename_new(from.as_fd(), name, to.as_fd(), new) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
            answer => return answer,
        }
        let held = self.system.hold(from.as_fd(), name.as_bytes())?;
        if self.system.facts_of(held.as_fd())?.kind != EntryKind::Folder {
            self.disk.make_name(held.as_fd(), from.as_fd(), name, to.as_fd(), new)?;
            return self.disk.drop_name(from.as_fd(), name);
        }
        match self.system.facts(to.as_fd(), new.as_bytes()) {
            Err(Errno::NOENT) => self.disk.rename_over(from.as_fd(), name, to.as_fd(), new),
            Ok(_) => Err(Errno::EXIST),
            Err(error) => Err(error),
        }
    }

    /// Renames to a staged name, which nobody else has chosen.
    pub(super) fn rename(
        &self,
        from: &Arc<OwnedFd>,
        name: &Name,
        to: &Arc<OwnedFd>,
        staged: &Name,
    ) -> Result<(), Errno> {
        match self.disk.rename_new(from.as_fd(), name, to.as_fd(), staged) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {
                self.disk.rename_over(from.as_fd(), name, to.as_fd(), staged)
            }
            answer => answer,
        }
    }

    /// Exchanges what is under a staged name with what stands at its slot. Where that cannot be done in
    /// one call it is done in three, and for a moment nothing has the slot's name.
    pub(super) fn swap(
        &self,
        folder: &Arc<OwnedFd>,
        staged: &Name,
        at: &Slot,
    ) -> Result<(), Errno> {
        match self.disk.exchange(folder.as_fd(), staged, folder.as_fd(), &at.name) {
            Err(Errno::INVAL | Errno::NOSYS | Errno::XDEV | Errno::NOTSUP) => {}
            answer => return answer,
        }
        let out = Token::out_of(staged);
        self.rename(folder, &at.name, folder, &out)?;
        self.rename_new(folder, staged, folder, &at.name)?;
        self.rename(folder, &out, folder, staged)
    }

    /// Puts what is under `staged` at its slot, and what stands there under `staged`; `true` when
    /// nothing came out.
    ///
    /// Where two names cannot be exchanged, a link, whose text is on record, is replaced by a plain
    /// rename, right after a last look: so its name is never missing, but what somebody puts there
    /// between the two calls would be lost.
    pub(super) fn swap_in(
        &self,
        at: &Slot,
        folder: &Arc<OwnedFd>,
        old: &Object,
        fate: &Fate,
        staged: &Name,
    ) -> Result<bool, Fail> {
        let refused = |error| self.refused(at, "put it in place", error);
        if !matches!((old, fate), (Object::Link { .. }, Fate::Dropped { .. })) {
            return self.swap(folder, staged, at).map(|()| false).map_err(refused);
        }
        match self.disk.exchange(folder.as_fd(), staged, folder.as_fd(), &at.name) {
            Ok(()) => return Ok(false),
            Err(Errno::INVAL | Errno::NOSYS | Errno::XDEV | Errno::NOTSUP) => {}
            Err(error) => return Err(refused(error)),
        }
        match self.look(folder, staged, at)? {
            // A folder cannot take a link's name by a plain rename.
            Some(Object::Folder { .. }) => {
                return self.swap(folder, staged, at).map(|()| false).map_err(refused);
            }
            Some(_) => {}
            None => return Err(refused(Errno::NOENT)),
        }
        match self.look(folder, &at.name, at)? {
            Some(now) if old.is_still(&now, self.same) => {}
            _ => return Err(Fail::Changed(self.places.place(at))),
        }
        let renamed = self.disk.rename_over(folder.as_fd(), staged, folder.as_fd(), &at.name);
        renamed.map(|()| true).map_err(refused)
    }

    /// Settles an exchange by hand that stopped in the middle: what was taken out of the way goes
    /// back, or on.
    pub(super) fn settle_out(
        &mut self,
        folder: &Arc<OwnedFd>,
        staged: &Name,
        at: &Slot,
        known: &dyn Fn(&Object) -> bool,
    ) -> Result<(), Fail> {
        let out = Token::out_of(staged);
        let Some(aside) = self.look(folder, &out, at)? else { return Ok(()) };
        let Some(now) = self.look(folder, &at.name, at)? else {
            return self.put_back(folder, &out, at);
        };
        let mut inside = self.look(folder, staged, at)?;
        let is_folder = now.kind() == EntryKind::Folder;
        // It went back by two calls, and only the first was done.
        if !is_folder && same_object(&now, &aside, self.same) {
            return self.drop_double(folder, &out, at);
        }
        // The second of the three renames was made of two calls, and only the first was done.
        if inside.as_ref().is_some_and(|inside| !is_folder && same_object(&now, inside, self.same))
        {
            self.drop_double(folder, staged, at)?;
            inside = self.look(folder, staged, at)?;
        }
        if inside.is_none() {
            let renamed = self.rename(folder, &out, folder, staged);
            return renamed.map_err(|error| self.refused(at, "put it back", error));
        }
        self.cannot_return(folder, &out, &aside, at, known(&aside))
    }
}
