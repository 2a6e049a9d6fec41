//! Doing a step.
//!
//! What takes more than one call is made under a staged name beside its slot and then put in place by
//! one call, so nobody ever sees half of it; what was replaced is looked at where it comes out, under
//! a name that nobody else has chosen. A step that fails leaves what it did to `back`.

use super::moved::Way;
use super::{Fail, Placed, Work};
use crate::look;
use crate::system::Access;
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::plan::{Attributes, Fate, Make, Manner, Object, Slot, Step};
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::sync::Arc;

/// Records what a copy is before it is put in place.
pub(super) type Announce<'a> = &'a mut dyn FnMut(&Object) -> Result<(), Errno>;

impl Work<'_> {
    /// Does a step, and gives what stands at its slot then.
    pub(super) fn forward(
        &mut self,
        number: usize,
        step: &Step,
        announce: Announce<'_>,
    ) -> Result<Option<Object>, Fail> {
        let staged = self.token.staged(number);
        (self.begun, self.placed) = (false, Placed::Not);
        self.step = Some(number);
        let done = self.step_forward(number, step, &staged, announce);
        self.step = None;
        done
    }

    fn step_forward(
        &mut self,
        number: usize,
        step: &Step,
        staged: &Name,
        announce: Announce<'_>,
    ) -> Result<Option<Object>, Fail> {
        match step {
            Step::Put { at, make } => self.put(at, make, staged, announce).map(Some),
            Step::Replace { at, old, make, fate } => {
                self.replace(at, old, make, fate, staged, announce).map(Some)
            }
            Step::Remove { at, old, fate } => self.remove(at, old, fate, staged).map(|()| None),
            Step::Move { .. } => match Way::of(step, number, &self.token) {
                Some(way) => self.relocate(&way),
                None => Err(Fail::Record),
            },
        }
    }

    pub(super) fn put(
        &mut self,
        at: &Slot,
        make: &Make,
        staged: &Name,
        announce: Announce<'_>,
    ) -> Result<Object, Fail> {
        let folder = self.places.folder(at)?;
        // Cheaper than building for nothing; what decides is the last call, which never replaces.
        if !matches!(make, Make::Link { attributes: None, .. })
            && self.look(&folder, &at.name, at)?.is_some()
        {
            return Err(Fail::Taken(self.places.place(at)));
        }
        self.places.touch(at);
        let doing = "make it";
        match make {
            Make::Link { target, attributes: None } => {
                let made = self.disk.make_link(folder.as_fd(), &at.name, target);
                made.map_err(|error| self.refused(at, doing, error))?;
                (self.begun, self.placed) = (true, Placed::Unknown);
            }
            Make::Moved { from, object } => {
                self.placed = Placed::Unknown;
                self.bring(from, object, at, &folder, &at.name)?;
            }
            Make::Folder | Make::CommonFolder => {
                let made = match make {
                    Make::CommonFolder => self.disk.make_common_folder(folder.as_fd(), &at.name),
                    _ => self.disk.make_folder(folder.as_fd(), &at.name),
                };
                made.map_err(|error| self.refused(at, doing, error))?;
                (self.begun, self.placed) = (true, Placed::Unknown);
            }
            _ => {
                self.begun = true;
                self.build(at, &folder, staged, make, announce)?;
                self.put_in_place(&folder, staged, at)?;
                self.last(at, &folder, make)?;
            }
        }
        self.read_back(at, &folder, make)
    }

    pub(super) fn replace(
        &mut self,
        at: &Slot,
        old: &Object,
        make: &Make,
        fate: &Fate,
        staged: &Name,
        announce: Announce<'_>,
    ) -> Result<Object, Fail> {
        let folder = self.places.folder(at)?;
        let changed = || Fail::Changed(self.places.place(at));
        match self.look(&folder, &at.name, at)? {
            Some(now) if old.is_still(&now, self.same) => self.last_name(at, &now, fate)?,
            _ => return Err(changed()),
        }
        self.still_as_copied(at, &folder, &at.name, fate)?;
        self.nothing_new(at, fate)?;
        self.places.touch(at);
        if let Make::Moved { from, object } = make {
            self.bring(from, object, at, &folder, staged)?;
            self.placed = Placed::Unknown;
        } else {
            self.begun = true;
            self.build(at, &folder, staged, make, announce)?;
        }
        let link = self.staged_link(old, make, fate);
        let held = self.hold_still(at, &folder, old, fate)?;
        if self.swap_in(at, &folder, old, fate, staged)? {
            return self.read_back_or(at, &folder, make, link);
        }
        self.renamed(held, &folder, staged);
        // What came out must be what was planned with. If not, `back` exchanges the two again.
        match self.look(&folder, staged, at)? {
            Some(out) if old.is_still(&out, self.same) => self.last_name(at, &out, fate)?,
            _ => return Err(Fail::Changed(self.places.place(at))),
        }
        self.only_a_copy(at, &folder, staged, fate)?;
        self.nothing_new_behind(at, &folder, staged, fate)?;
        let made = self.read_back_or(at, &folder, make, link)?;
        self.dispose(at, &folder, staged, old, fate)?;
        self.last(at, &folder, make)?;
        Ok(made)
    }

    /// The link under a staged name, when it takes the place of one that is dropped.
    fn staged_link(&self, old: &Object, make: &Make, fate: &Fate) -> Option<Object> {
        match (old, make, fate, &self.placed) {
            (
                Object::Link { .. },
                Make::Link { target, .. },
                Fate::Dropped { .. },
                Placed::This(link @ Object::Link { target: is, .. }),
            ) if is == target => Some(link.clone()),
            _ => None,
        }
    }

    /// What was made, as it stands at its slot. A link that took the old one's place was there, whatever
    /// somebody has done with its name since: whoever moves it on at once must not find the old one back.
    fn read_back_or(
        &self,
        at: &Slot,
        folder: &Arc<OwnedFd>,
        make: &Make,
        link: Option<Object>,
    ) -> Result<Object, Fail> {
        let Some(link) = link else { return self.read_back(at, folder, make) };
        let now = self.look(folder, &at.name, at)?;
        match now.filter(|now| (self.same)(now.id(), link.id())) {
            Some(now) => self.as_made(at, make, now),
            None => Ok(link),
        }
    }

    /// Makes the name of a copy last: what comes next gives up its original, and relies on it.
    fn last(&self, at: &Slot, folder: &Arc<OwnedFd>, make: &Make) -> Result<(), Fail> {
        if !matches!(make, Make::Copy { .. }) {
            return Ok(());
        }
        let list = self.system.open(folder.as_fd(), c".", Access::List);
        let synced = list.and_then(|list| self.disk.sync(list.as_fd()));
        synced.map_err(|error| self.refused(at, "make it last", error))
    }

    pub(super) fn remove(
        &mut self,
        at: &Slot,
        old: &Object,
        fate: &Fate,
        staged: &Name,
    ) -> Result<(), Fail> {
        let folder = self.places.folder(at)?;
        match self.look(&folder, &at.name, at)? {
            Some(now) if old.is_still(&now, self.same) => self.last_name(at, &now, fate)?,
            _ => return Err(Fail::Changed(self.places.place(at))),
        }
        self.still_as_copied(at, &folder, &at.name, fate)?;
        self.places.touch(at);
        if let Fate::Kept(slot) = fate {
            return self.keep(&folder, &at.name, old, at, slot);
        }
        self.begun = true;
        let held = self.hold_still(at, &folder, old, fate)?;
        let aside = self.rename(&folder, &at.name, &folder, staged);
        aside.map_err(|error| self.refused(at, "set it aside", error))?;
        self.renamed(held, &folder, staged);
        match self.look(&folder, staged, at)? {
            Some(out) if old.is_still(&out, self.same) => self.last_name(at, &out, fate)?,
            _ => return Err(Fail::Changed(self.places.place(at))),
        }
        self.only_a_copy(at, &folder, staged, fate)?;
        self.dispose(at, &folder, staged, old, fate)
    }

    /// Refuses to give up what is more than a copy of what stands elsewhere: somebody has written to
    /// it since it was compared for the plan.
    pub(super) fn only_a_copy(
        &mut self,
        at: &Slot,
        folder: &Arc<OwnedFd>,
        name: &Name,
        fate: &Fate,
    ) -> Result<(), Fail> {
        if let Some(may) = self.may_give_up(at, folder, name, fate) {
            return may;
        }
        let Some((of, manner)) = fate.copied() else { return Ok(()) };
        // One that this operation made, and nobody has touched since, whatever became of the original.
        if self.is_untouched(at, of, folder, name) == Some(true) {
            return Ok(());
        }
        self.nobody_writes(at, folder, name)?;
        if self.is_copy_of(folder, name, of, manner) {
            Ok(())
        } else {
            Err(Fail::Changed(self.places.place(at)))
        }
    }

    /// Whether what stands at `name` holds nothing that does not stand at `of` as well. Some of it may be
    /// missing: it may have been half freed already.
    pub(super) fn is_copy_of(
        &mut self,
        folder: &Arc<OwnedFd>,
        name: &Name,
        of: &Slot,
        manner: Option<&Manner>,
    ) -> bool {
        let Ok(home) = self.places.folder(of) else { return false };
        let (original, copy) = ((home.as_fd(), &of.name), (folder.as_fd(), name));
        look::is_part(self.system, original, copy, manner).unwrap_or(false)
    }

    /// Refuses to drop a file's last name.
    fn last_name(&self, at: &Slot, now: &Object, fate: &Fate) -> Result<(), Fail> {
        let second = matches!(fate, Fate::Dropped { again: Some(make) }
            if matches!(**make, Make::Name { .. }));
        match now {
            Object::File { names, .. } if second && *names < 2 => {
                Err(Fail::LastName(self.places.place(at)))
            }
            _ => Ok(()),
        }
    }

    /// Does what shall become of `old`, which stands at `staged` and was looked at there.
    pub(super) fn dispose(
        &mut self,
        at: &Slot,
        folder: &Arc<OwnedFd>,
        staged: &Name,
        old: &Object,
        fate: &Fate,
    ) -> Result<(), Fail> {
        match fate {
            Fate::Kept(slot) => self.keep(folder, staged, old, at, slot),
            // Last of all.
            fate if fate.frees() => Ok(()),
            _ => {
                let dropped = if old.kind() == EntryKind::Folder {
                    self.disk.drop_folder(folder.as_fd(), staged)
                } else {
                    self.disk.drop_name(folder.as_fd(), staged)
                };
                dropped.map_err(|error| self.refused(at, "remove it", error))
            }
        }
    }

    /// Renames `old` from `name` to the slot where it shall be kept.
    fn keep(
        &mut self,
        folder: &Arc<OwnedFd>,
        name: &Name,
        old: &Object,
        at: &Slot,
        slot: &Slot,
    ) -> Result<(), Fail> {
        let to = self.places.folder(slot)?;
        self.places.touch(slot);
        // Also when it fails: where a rename is made of two calls, the first may have been done.
        self.begun = true;
        let renamed = self.rename_new(folder, name, &to, &slot.name);
        renamed.map_err(|error| match error {
            Errno::EXIST => Fail::Taken(self.places.place(slot)),
            error => self.refused(at, "set it aside", error),
        })?;
        match self.look(&to, &slot.name, slot)? {
            Some(out) if old.is_still(&out, self.same) => Ok(()),
            _ => {
                self.return_stranger(&to, &slot.name, folder, name, slot);
                Err(Fail::Changed(self.places.place(at)))
            }
        }
    }

    /// Renames `object` from its slot to `name`.
    fn bring(
        &mut self,
        from: &Slot,
        object: &Object,
        at: &Slot,
        folder: &Arc<OwnedFd>,
        name: &Name,
    ) -> Result<(), Fail> {
        let source = self.places.folder(from)?;
        match self.look(&source, &from.name, from)? {
            Some(now) if object.is_still(&now, self.same) => {}
            _ => return Err(Fail::Changed(self.places.place(from))),
        }
        self.places.touch(from);
        self.begun = true;
        let renamed = self.rename_new(&source, &from.name, folder, name);
        renamed.map_err(|error| self.refused(at, "bring it back", error))?;
        match self.look(folder, name, at)? {
            Some(now) if object.is_still(&now, self.same) => Ok(()),
            _ => {
                self.return_stranger(folder, name, &source, &from.name, at);
                Err(Fail::Changed(self.places.place(from)))
            }
        }
    }

    /// Something was renamed that somebody had put there between the last look and the call: it goes
    /// back to where it stood, or is reported.
    pub(super) fn return_stranger(
        &mut self,
        folder: &Arc<OwnedFd>,
        name: &Name,
        home: &Arc<OwnedFd>,
        was: &Name,
        slot: &Slot,
    ) {
        match self.rename_new(folder, name, home, was) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(_) => {
                let mut place = self.places.place(slot).parent();
                place.push(name.as_bytes());
                self.kept.push(place);
            }
        }
    }

    /// Puts what was built under `staged` at its slot.
    fn put_in_place(&self, folder: &Arc<OwnedFd>, staged: &Name, at: &Slot) -> Result<(), Fail> {
        let renamed = self.rename_new(folder, staged, folder, &at.name);
        renamed.map_err(|error| self.refused(at, "put it in place", error))
    }

    /// Makes what is wanted under a staged name.
    fn build(
        &mut self,
        at: &Slot,
        folder: &Arc<OwnedFd>,
        staged: &Name,
        make: &Make,
        announce: Announce<'_>,
    ) -> Result<(), Fail> {
        let fd = folder.as_fd();
        let refused = |work: &Self, error| work.refused(at, "make it", error);
        self.built = None;
        match make {
            Make::Link { target, attributes } => {
                let made = self.disk.make_link(fd, staged, target);
                made.map_err(|error| refused(self, error))?;
                if let Some(attributes) = attributes {
                    self.carry(fd, staged, attributes).map_err(|error| refused(self, error))?;
                }
            }
            Make::Name { of, id } => {
                let from = self.places.folder(of)?;
                let changed = || Fail::Changed(self.places.place(of));
                let file = self.system.hold(from.as_fd(), of.name.as_bytes());
                let file = file.map_err(|_| changed())?;
                let facts = self.system.facts_of(file.as_fd()).map_err(|_| changed())?;
                if !(self.same)(*id, facts.id) {
                    return Err(changed());
                }
                let made = self.disk.make_name(file.as_fd(), from.as_fd(), &of.name, fd, staged);
                made.map_err(|error| refused(self, error))?;
                let facts = self.system.facts(fd, staged.as_bytes());
                let facts = facts.map_err(|error| refused(self, error))?;
                if !(self.same)(*id, facts.id) {
                    return Err(changed());
                }
            }
            Make::File { bytes, mode, modified, carried } => {
                let write = || {
                    let file = self.disk.make_file(fd, staged)?;
                    self.disk.write(file.as_fd(), &bytes.0)?;
                    if let Some(carried) = carried {
                        may(self.disk.own(file.as_fd(), carried.owner, carried.group))?;
                        for (name, value) in &carried.extended {
                            may(self.disk.mark(file.as_fd(), &name.0, &value.0))?;
                        }
                    }
                    self.disk.permit(file.as_fd(), *mode)?;
                    if let Some(carried) = carried {
                        self.disk.times(file.as_fd(), carried.accessed, carried.modified)?;
                    }
                    if let Some(modified) = modified {
                        self.disk.times(file.as_fd(), *modified, *modified)?;
                    }
                    self.disk.sync(file.as_fd())
                };
                write().map_err(|error| refused(self, error))?;
            }
            Make::Copy { .. } => {
                self.copy(make, folder, staged, at)?;
                let made = look::object(self.system, fd, staged.as_bytes());
                let made = made.map_err(|error| refused(self, error))?;
                let made = made.ok_or_else(|| Fail::Changed(self.places.place(at)))?;
                announce(&made).map_err(|error| refused(self, error))?;
            }
            // Never a common one: nothing gives way to such a folder.
            Make::Folder | Make::CommonFolder => {
                let made = self.disk.make_folder(fd, staged);
                made.map_err(|error| refused(self, error))?;
            }
            Make::Moved { .. } => return Err(Fail::Record),
        }
        // From here on it may be put in place: what was made is known again by what it is, not by how
        // it looks.
        self.placed = match self.look(folder, staged, at)? {
            None => Placed::Unknown,
            Some(made) => {
                // Not while something is taken back: what the step made comes out under that name then.
                self.built = self.step.map(|_| (staged.clone(), made.id()));
                Placed::This(made)
            }
        };
        Ok(())
    }

    /// Gives a link that was just made what another carried, as far as the user may. Only what is held
    /// is touched, and only while it is a link: were its name given to something else meanwhile, that
    /// would not be changed.
    pub(super) fn carry(
        &self,
        folder: BorrowedFd<'_>,
        name: &Name,
        attributes: &Attributes,
    ) -> Result<(), Errno> {
        let link = self.system.hold(folder, name.as_bytes())?;
        let facts = self.system.facts_of(link.as_fd())?;
        if facts.kind != EntryKind::Symlink || facts.names != 1 {
            return Err(Errno::AGAIN);
        }
        if (facts.owner, facts.group) != (attributes.owner, attributes.group) {
            may(self.disk.own(link.as_fd(), attributes.owner, attributes.group))?;
        }
        for (name, value) in &attributes.extended {
            may(self.disk.mark(link.as_fd(), &name.0, &value.0))?;
        }
        may(self.disk.times(link.as_fd(), attributes.accessed, attributes.modified))
    }

    /// Looks at what was made, and whether it is what was to be made.
    fn read_back(&self, at: &Slot, folder: &Arc<OwnedFd>, make: &Make) -> Result<Object, Fail> {
        let not = || Fail::NotAsMade(self.places.place(at));
        let made = self.look(folder, &at.name, at)?.ok_or_else(not)?;
        self.as_made(at, make, made)
    }

    fn as_made(&self, at: &Slot, make: &Make, made: Object) -> Result<Object, Fail> {
        let not = || Fail::NotAsMade(self.places.place(at));
        let right = match (make, &made) {
            (Make::Link { target, .. }, Object::Link { target: found, .. }) => target == found,
            (Make::Name { id, .. }, found) => (self.same)(*id, found.id()),
            (Make::File { bytes, .. }, Object::File { size, .. }) => {
                u64::try_from(bytes.0.len()) == Ok(*size)
            }
            (Make::Copy { folder, .. }, found) => *folder == matches!(found, Object::Folder { .. }),
            (Make::Moved { object, .. }, found) => object.is_still(found, self.same),
            (Make::Folder | Make::CommonFolder, Object::Folder { .. }) => true,
            _ => false,
        };
        if right { Ok(made) } else { Err(not()) }
    }

    /// What stands at `name`.
    pub(super) fn look(
        &self,
        folder: &Arc<OwnedFd>,
        name: &Name,
        at: &Slot,
    ) -> Result<Option<Object>, Fail> {
        let found = look::object(self.system, folder.as_fd(), name.as_bytes());
        found.map_err(|error| self.refused(at, "look at it", error))
    }

    pub(super) fn refused(&self, at: &Slot, doing: &'static str, error: Errno) -> Fail {
        let place = self.places.place(at);
        if error == Errno::EXIST {
            Fail::Taken(place)
        } else {
            Fail::System { doing, place, error }
        }
    }
}

/// What this user, or this file system, may not do is left undone.
fn may(answer: Result<(), Errno>) -> Result<(), Errno> {
    match answer {
        Err(
            Errno::PERM
            | Errno::ACCESS
            | Errno::NOTSUP
            | Errno::INVAL
            | Errno::NOSYS
            | Errno::NOENT,
        ) => Ok(()),
        answer => answer,
    }
}
