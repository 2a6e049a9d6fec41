//! Copying a tree with all that it carries.
//!
//! What is copied is looked at before and after it was read: a copy of something that changed
//! meanwhile would be neither the old nor the new.

use super::tree::names;
use crate::descent::Descent;
use crate::disk::Disk;
use crate::folder::Folder;
use crate::look;
use crate::system::{Access, Facts, System};
use linkwell_model::entry::{EntryKind, Identity};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Manner, Rewritten};
use linkwell_model::target::Target;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One name in a held folder.
type At<'a> = (BorrowedFd<'a>, &'a Name);

/// So many files and folders are synced one by one; for more, the whole volume is: that takes all that
/// others have written to it lately along.
const SYNCED_ALONE: u32 = 64;

/// A copy that is being made.
pub(super) struct Copying<'a> {
    disk: &'a dyn Disk,
    system: System,
    stop: Option<&'a AtomicBool>,
    synced: u32,
    manner: Option<&'a Manner>,
    /// The folder at hand, below the top.
    way: Vec<u8>,
    /// Files with several names, and where the first of them was copied to: the folder below the top of
    /// the copy, the name, and which file it is.
    seen: HashMap<(u64, u64), (Arc<Folder>, Name, Identity)>,
}

/// A folder of which a part is still to be copied.
struct Level {
    rest: Vec<Name>,
    copy: Arc<Folder>,
}

impl<'a> Copying<'a> {
    pub(super) fn new(
        disk: &'a dyn Disk,
        system: System,
        stop: Option<&'a AtomicBool>,
        manner: Option<&'a Manner>,
    ) -> Self {
        Self { disk, system, stop, synced: 0, manner, way: Vec::new(), seen: HashMap::new() }
    }

    /// Copies one entry with all that is in it to a name that is free.
    ///
    /// # Errors
    /// The system's; EAGAIN when it changes meanwhile, EXDEV when another volume is mounted in it,
    /// NOTSUP for a socket or device, EINTR when the person asks to stop.
    pub(super) fn copy(&mut self, from: At<'_>, facts: &Facts, to: At<'_>) -> Result<(), Errno> {
        if facts.kind != EntryKind::Folder {
            let top = Folder::held(&AbsPath::root(), rustix::io::fcntl_dupfd_cloexec(to.0, 0)?);
            return self.leaf(from, facts, to, &top);
        }
        let system = self.system;
        let mut original = Descent::begin(system, from.0, from.1, facts)?;
        let made = self.make_folder(to)?;
        let mut copy = Descent::begin(system, to.0, to.1, &made)?;
        let top = rustix::io::fcntl_dupfd_cloexec(copy.here(), 0)?;
        let top = Folder::held(&AbsPath::root(), top);
        let mut levels = vec![Level { rest: names(system, original.here())?, copy: top }];
        while let Some(level) = levels.last_mut() {
            self.heed()?;
            let Some(name) = level.rest.pop() else {
                levels.pop();
                self.way.truncate(memchr::memrchr(b'/', &self.way).unwrap_or(0));
                // Up first: what is left may not be searched any more when it has got its permissions.
                match (original.up()?, copy.up()?) {
                    (Some((left, facts)), Some((new, _))) => {
                        self.finish(left.as_fd(), new.as_fd(), &facts)?;
                    }
                    _ => self.finish(original.here(), copy.here(), original.facts())?,
                }
                continue;
            };
            let inner = original.look(&name)?;
            if inner.kind == EntryKind::Folder {
                original.down(&name, &inner)?;
                let made = self.make_folder((copy.here(), &name))?;
                copy.down(&name, &made)?;
                let below = Folder::below(&level.copy, name.as_bytes());
                if !self.way.is_empty() {
                    self.way.push(b'/');
                }
                self.way.extend_from_slice(name.as_bytes());
                levels.push(Level { rest: names(system, original.here())?, copy: below });
            } else {
                let folder = Arc::clone(&level.copy);
                self.leaf((original.here(), &name), &inner, (copy.here(), &name), &folder)?;
            }
        }
        Ok(())
    }

    /// Whether all of it lasts already, but for the name at its top.
    pub(super) fn lasts(&self) -> bool {
        self.synced <= SYNCED_ALONE
    }

    fn sync(&mut self, copy: BorrowedFd<'_>) -> Result<(), Errno> {
        self.synced = self.synced.saturating_add(1);
        if self.lasts() { self.disk.sync(copy) } else { Ok(()) }
    }

    fn heed(&self) -> Result<(), Errno> {
        let stop = self.stop.is_some_and(|stop| stop.load(Ordering::SeqCst));
        if stop { Err(Errno::INTR) } else { Ok(()) }
    }

    fn make_folder(&self, at: At<'_>) -> Result<Facts, Errno> {
        self.disk.make_folder(at.0, at.1)?;
        let made = self.system.facts(at.0, at.1.as_bytes())?;
        if made.kind == EntryKind::Folder { Ok(made) } else { Err(Errno::AGAIN) }
    }

    /// Dresses the copy of a folder, in which all is copied now.
    fn finish(
        &mut self,
        original: BorrowedFd<'_>,
        copy: BorrowedFd<'_>,
        before: &Facts,
    ) -> Result<(), Errno> {
        self.unchanged(original, before)?;
        self.dress(original, copy, before)?;
        self.sync(copy)
    }

    /// Copies what is no folder. `folder` is the copy's folder, as seen from the top of the copy.
    fn leaf(
        &mut self,
        from: At<'_>,
        facts: &Facts,
        to: At<'_>,
        folder: &Arc<Folder>,
    ) -> Result<(), Errno> {
        let (system, disk) = (self.system, self.disk);
        let key = (facts.id.device, facts.id.inode);
        if let Some((folder, first, id)) = self.seen.get(&key) {
            let at = folder.open(system, Access::Hold)?;
            let held = system.hold(at.as_fd(), first.as_bytes())?;
            if !system.facts_of(held.as_fd())?.id.is(*id) {
                return Err(Errno::AGAIN);
            }
            return disk.make_name(held.as_fd(), at.as_fd(), first, to.0, to.1);
        }
        match facts.kind {
            EntryKind::File => self.file(from, facts, to)?,
            EntryKind::Symlink => {
                let mut text = Vec::new();
                system.read_link(from.0, from.1.as_bytes(), &mut text)?;
                if let Some(link) = self.rewritten(from.1) {
                    if text != link.was.as_bytes() {
                        return Err(Errno::AGAIN);
                    }
                    text = link.now.as_bytes().to_vec();
                }
                disk.make_link(to.0, to.1, &Target::new(text))?;
                self.dress_held(from, facts, to)?;
            }
            EntryKind::Fifo => {
                disk.make_pipe(to.0, to.1)?;
                self.dress_held(from, facts, to)?;
            }
            EntryKind::Socket | EntryKind::Device | EntryKind::Folder => {
                return Err(Errno::NOTSUP);
            }
        }
        if facts.names > 1 {
            let made = system.facts(to.0, to.1.as_bytes())?.id;
            self.seen.insert(key, (Arc::clone(folder), to.1.clone(), made));
        }
        Ok(())
    }

    /// The other text that the link of this name in the folder at hand gets.
    fn rewritten(&self, name: &Name) -> Option<&'a Rewritten> {
        let manner = self.manner.filter(|manner| !manner.links.is_empty())?;
        let below = [&*self.way, name.as_bytes()].join(&b"/"[..]);
        manner.now(below.strip_prefix(b"/").unwrap_or(&below))
    }

    fn file(&mut self, from: At<'_>, facts: &Facts, to: At<'_>) -> Result<(), Errno> {
        let (system, disk) = (self.system, self.disk);
        let file = system.open(from.0, from.1.as_bytes(), Access::Read).map_err(gone)?;
        look::without_trace(file.as_fd());
        let before = system.facts_of(file.as_fd())?;
        if !before.id.is(facts.id) || before.kind != EntryKind::File {
            return Err(Errno::AGAIN);
        }
        let copy = disk.make_file(to.0, to.1)?;
        disk.copy(file.as_fd(), copy.as_fd())?;
        self.unchanged(file.as_fd(), &before)?;
        if system.facts_of(copy.as_fd())?.size != before.size {
            return Err(Errno::AGAIN);
        }
        self.dress(file.as_fd(), copy.as_fd(), facts)?;
        self.sync(copy.as_fd())
    }

    /// Whether what was read is as it was before reading: what changed meanwhile was not copied whole.
    fn unchanged(&self, read: BorrowedFd<'_>, before: &Facts) -> Result<(), Errno> {
        let after = self.system.facts_of(read)?;
        let same = (after.size, after.modified, after.changed)
            == (before.size, before.modified, before.changed);
        if same { Ok(()) } else { Err(Errno::AGAIN) }
    }

    /// Gives a copy what its original carries: owner first, since a change of it takes set-id bits and
    /// capabilities away, then attributes, then permissions (without the set-id bits where the owner
    /// could not be kept), times last.
    fn dress(
        &self,
        original: BorrowedFd<'_>,
        copy: BorrowedFd<'_>,
        facts: &Facts,
    ) -> Result<(), Errno> {
        let disk = self.disk;
        may(disk.own(copy, facts.owner, facts.group))?;
        let owned = self.system.facts_of(copy)?;
        let kept = (owned.owner, owned.group) == (facts.owner, facts.group);
        let carried = extended(original);
        for (name, value) in &carried {
            may(disk.mark(copy, name, value))?;
        }
        // What a folder gives to all that is made in it, and the original has not. An access list of a
        // version and no entries takes the list away (posix_acl_from_xattr in the kernel).
        for (name, _) in extended(copy) {
            let inherited = name.starts_with(b"system.posix_acl_")
                && !carried.iter().any(|(carried, _)| *carried == name);
            if inherited {
                may(disk.mark(copy, &name, &[2, 0, 0, 0]))?;
            }
        }
        disk.permit(copy, if kept { facts.mode } else { facts.mode & 0o1777 })?;
        disk.times(copy, facts.accessed, facts.modified)
    }

    /// The same for what cannot be opened: a link, a pipe.
    fn dress_held(&self, from: At<'_>, facts: &Facts, to: At<'_>) -> Result<(), Errno> {
        let disk = self.disk;
        let held = self.system.hold(to.0, to.1.as_bytes())?;
        let made = self.system.facts_of(held.as_fd())?;
        if made.kind != facts.kind || made.names != 1 {
            return Err(Errno::AGAIN);
        }
        may(disk.own(held.as_fd(), facts.owner, facts.group))?;
        for (name, value) in look::extended(from.0, from.1.as_bytes()) {
            may(disk.mark(held.as_fd(), &name.0, &value.0))?;
        }
        if facts.kind == EntryKind::Fifo {
            // A pipe is opened for reading without waiting for a writer, and its bits are set then.
            let pipe: OwnedFd = self.system.open(to.0, to.1.as_bytes(), Access::Read)?;
            if !self.system.facts_of(pipe.as_fd())?.id.is(made.id) {
                return Err(Errno::AGAIN);
            }
            disk.permit(pipe.as_fd(), facts.mode)?;
        }
        may(disk.times(held.as_fd(), facts.accessed, facts.modified))
    }
}

/// What was there when it was looked at, and is no file any more.
fn gone(error: Errno) -> Errno {
    match error {
        Errno::NOENT | Errno::LOOP | Errno::NXIO => Errno::AGAIN,
        error => error,
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

/// What this user, or this file system, may not do is left undone.
fn may(answer: Result<(), Errno>) -> Result<(), Errno> {
    match answer {
        Err(Errno::PERM | Errno::ACCESS | Errno::NOTSUP | Errno::INVAL | Errno::NOSYS) => Ok(()),
        answer => answer,
    }
}
