//! Whole trees: copied, and freed. By held folders, never through a link or into another volume.

use super::aside::same_object;
use super::{Fail, Work};
use crate::system::{Access, Facts, System};
use linkwell_model::entry::{EntryKind, Identity};
use linkwell_model::name::Name;
use linkwell_model::plan::{Object, Slot, Step};
use linkwell_model::target::Target;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::sync::Arc;

/// How deep a tree may be that is copied or freed: each level holds a descriptor.
const DEEPEST: usize = 400;

impl Work<'_> {
    /// Frees what a step had set aside. What cannot be freed gets its name back, and is told.
    pub(super) fn free(&mut self, number: usize, step: &Step) -> Result<Option<Fail>, Fail> {
        let at = step.at();
        let staged = self.token.staged(number);
        let folder = self.places.folder(at)?;
        self.places.touch(at);
        if let (None, Some(now), Some(old)) =
            (self.look(&folder, &staged, at)?, self.look(&folder, &at.name, at)?, step.old())
            && same_object(old, &now, self.same)
        {
            // It could not be freed, and has its name back. What was put into it since is not known,
            // so it stays.
            return Ok(Some(self.refused(at, "remove it", Errno::INTR)));
        }
        let Err(fail) = self.free_tree(&folder, &staged, at) else { return Ok(None) };
        match self.rename_new(&folder, &staged, &folder, &at.name) {
            Ok(()) => Ok(Some(fail)),
            Err(_) => Err(fail),
        }
    }

    /// Removes what stands at `name`, with all that is in it.
    pub(super) fn free_tree(
        &self,
        folder: &Arc<OwnedFd>,
        name: &Name,
        at: &Slot,
    ) -> Result<(), Fail> {
        let found = self.look(folder, name, at)?;
        let refused = |error| match error {
            Errno::XDEV => Fail::Mounted(self.places.place(at)),
            error => self.refused(at, "remove it", error),
        };
        match found {
            None => Ok(()),
            Some(Object::Folder { id }) => {
                self.free_folder(folder.as_fd(), name, id, 0).map_err(refused)
            }
            Some(_) => self.disk.drop_name(folder.as_fd(), name).map_err(refused),
        }
    }

    fn free_folder(
        &self,
        above: BorrowedFd<'_>,
        name: &Name,
        id: Identity,
        depth: usize,
    ) -> Result<(), Errno> {
        if depth > DEEPEST {
            return Err(Errno::NAMETOOLONG);
        }
        let folder = self.system.open(above, name.as_bytes(), Access::List)?;
        // A mount point would be another folder than the name's own.
        if !self.system.facts_of(folder.as_fd())?.id.is(id) {
            return Err(Errno::XDEV);
        }
        for entry in names(self.system, folder.as_fd())? {
            let facts = self.system.facts(folder.as_fd(), entry.as_bytes())?;
            if facts.kind != EntryKind::Folder {
                self.disk.drop_name(folder.as_fd(), &entry)?;
            } else if facts.id.device == id.device {
                self.free_folder(folder.as_fd(), &entry, facts.id, depth + 1)?;
            } else {
                return Err(Errno::XDEV);
            }
        }
        self.disk.drop_folder(above, name)
    }

    /// Copies what is at the slot `of` to the name `staged`: contents, permissions, times, extended
    /// attributes, owners as far as the user may, links as links, names of one file as names of one.
    pub(super) fn copy(
        &self,
        from: &Arc<OwnedFd>,
        of: &Slot,
        id: Identity,
        to: &Arc<OwnedFd>,
        staged: &Name,
        at: &Slot,
    ) -> Result<(), Fail> {
        let changed = || Fail::Changed(self.places.place(of));
        let facts = self.system.facts(from.as_fd(), of.name.as_bytes()).map_err(|_| changed())?;
        if !(self.same)(id, facts.id) {
            return Err(changed());
        }
        let mut copying = Copying { work: self, seen: HashMap::new() };
        let copied = copying.entry(from.as_fd(), &of.name, &facts, to.as_fd(), staged, 0);
        copied.map_err(|error| match error {
            Errno::XDEV => Fail::Mounted(self.places.place(of)),
            Errno::AGAIN => changed(),
            error => self.refused(at, "copy it", error),
        })?;
        let folder = self.system.open(to.as_fd(), c".", Access::List);
        let synced = folder.and_then(|folder| self.disk.sync_volume(folder.as_fd()));
        synced.map_err(|error| self.refused(at, "make the copy last", error))
    }
}

/// A copy that is being made.
struct Copying<'w, 'a> {
    work: &'w Work<'a>,
    /// Files with several names, and where the first of them was copied to.
    seen: HashMap<(u64, u64), (OwnedFd, Name)>,
}

impl Copying<'_, '_> {
    fn entry(
        &mut self,
        from: BorrowedFd<'_>,
        name: &Name,
        facts: &Facts,
        to: BorrowedFd<'_>,
        new: &Name,
        depth: usize,
    ) -> Result<(), Errno> {
        if depth > DEEPEST {
            return Err(Errno::NAMETOOLONG);
        }
        let (system, disk) = (self.work.system, self.work.disk);
        match facts.kind {
            EntryKind::Folder => {
                let folder = system.open(from, name.as_bytes(), Access::List)?;
                same(&system.facts_of(folder.as_fd())?, facts)?;
                disk.make_folder(to, new)?;
                let copy = system.open(to, new.as_bytes(), Access::List)?;
                for entry in names(system, folder.as_fd())? {
                    let inner = system.facts(folder.as_fd(), entry.as_bytes())?;
                    if inner.id.device != facts.id.device {
                        return Err(Errno::XDEV);
                    }
                    self.entry(folder.as_fd(), &entry, &inner, copy.as_fd(), &entry, depth + 1)?;
                }
                self.dress(folder.as_fd(), copy.as_fd(), facts)
            }
            EntryKind::File => self.file(from, name, facts, to, new),
            EntryKind::Symlink => {
                let mut text = Vec::new();
                system.read_link(from, name.as_bytes(), &mut text)?;
                disk.make_link(to, new, &Target::new(text))?;
                let link = system.hold(to, new.as_bytes())?;
                may(disk.own(link.as_fd(), facts.owner, facts.group))?;
                may(disk.times(link.as_fd(), facts.accessed, facts.modified))
            }
            EntryKind::Fifo => {
                disk.make_pipe(to, new)?;
                let pipe = system.hold(to, new.as_bytes())?;
                may(disk.own(pipe.as_fd(), facts.owner, facts.group))?;
                may(disk.times(pipe.as_fd(), facts.accessed, facts.modified))
            }
            EntryKind::Socket | EntryKind::Device => Err(Errno::NOTSUP),
        }
    }

    fn file(
        &mut self,
        from: BorrowedFd<'_>,
        name: &Name,
        facts: &Facts,
        to: BorrowedFd<'_>,
        new: &Name,
    ) -> Result<(), Errno> {
        let (system, disk) = (self.work.system, self.work.disk);
        let key = (facts.id.device, facts.id.inode);
        if let Some((folder, first)) = self.seen.get(&key) {
            let held = system.hold(folder.as_fd(), first.as_bytes())?;
            return disk.make_name(held.as_fd(), folder.as_fd(), first, to, new);
        }
        let file = system.open(from, name.as_bytes(), Access::Read)?;
        let before = system.facts_of(file.as_fd())?;
        same(&before, facts)?;
        let copy = disk.make_file(to, new)?;
        disk.copy(file.as_fd(), copy.as_fd())?;
        // Looked at again after reading: what changed meanwhile was not copied whole.
        let after = system.facts_of(file.as_fd())?;
        let found = system.facts_of(copy.as_fd())?;
        if (after.size, after.modified) != (before.size, before.modified)
            || found.size != after.size
        {
            return Err(Errno::AGAIN);
        }
        self.dress(file.as_fd(), copy.as_fd(), facts)?;
        if facts.names > 1 {
            self.seen.insert(key, (rustix::io::fcntl_dupfd_cloexec(to, 0)?, new.clone()));
        }
        Ok(())
    }

    /// Gives a copy what its original carries: owner first, then permissions (without the set-id bits
    /// where the owner could not be kept), times last.
    fn dress(
        &self,
        original: BorrowedFd<'_>,
        copy: BorrowedFd<'_>,
        facts: &Facts,
    ) -> Result<(), Errno> {
        let disk = self.work.disk;
        may(disk.own(copy, facts.owner, facts.group))?;
        let owned = self.work.system.facts_of(copy)?;
        let kept = (owned.owner, owned.group) == (facts.owner, facts.group);
        for (name, value) in extended(original) {
            may(disk.mark(copy, &name, &value))?;
        }
        disk.permit(copy, if kept { facts.mode } else { facts.mode & 0o1777 })?;
        disk.times(copy, facts.accessed, facts.modified)
    }
}

/// The extended attributes of an open file or folder, as far as they may be read.
fn extended(held: BorrowedFd<'_>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut names = Vec::with_capacity(1 << 16);
    if rustix::fs::flistxattr(held, rustix::buffer::spare_capacity(&mut names)).is_err() {
        return Vec::new();
    }
    let mut all = Vec::new();
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let mut value = Vec::with_capacity(1 << 16);
        let read = rustix::fs::fgetxattr(held, name, rustix::buffer::spare_capacity(&mut value));
        if read.is_ok() {
            all.push((name.to_vec(), value));
        }
    }
    all
}

fn same(now: &Facts, then: &Facts) -> Result<(), Errno> {
    if now.id.is(then.id) && now.kind == then.kind { Ok(()) } else { Err(Errno::XDEV) }
}

/// The names in a folder, all read before anything in it is changed.
pub(crate) fn names(system: System, folder: BorrowedFd<'_>) -> Result<Vec<Name>, Errno> {
    let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
    let mut all = Vec::new();
    system.list(folder, &mut buffer, system.end_mark(folder), |entry| {
        all.extend(Name::new(entry.name.to_bytes()));
        true
    })?;
    Ok(all)
}

/// What this user, or this file system, may not do is left undone.
fn may(answer: Result<(), Errno>) -> Result<(), Errno> {
    match answer {
        Err(Errno::PERM | Errno::ACCESS | Errno::NOTSUP | Errno::INVAL | Errno::NOSYS) => Ok(()),
        answer => answer,
    }
}
