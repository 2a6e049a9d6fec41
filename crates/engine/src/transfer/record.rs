//! The record of a transfer: every entry of a tree, as it was when it was copied, and what was made of
//! it. On disk; in memory is only where each folder's part of it begins.

use super::entry::{Entry, Reader, put, put_entry, put_name};
use super::frame::{Frames, Kind, Place};
use crate::disk::Disk;
use crate::system::{Access, Facts, System};
use linkwell_model::entry::{EntryKind, Time};
use linkwell_model::name::Name;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The number of no folder: of that in which the top of the tree lies.
pub(super) const NONE: u32 = u32::MAX;

/// What is kept in memory of a folder.
#[derive(Debug)]
struct Indexed {
    /// Where its own frame begins; 0 when it is gone.
    at: u64,
    /// Where the frames of its entries begin.
    blocks: Vec<u64>,
    /// The last folder in it that was met, and the one that was met before this one beside it.
    child: u32,
    beside: u32,
}

#[derive(Debug, Default)]
struct Index {
    folders: Vec<Indexed>,
    /// The frames of a top that is no folder.
    top: Vec<u64>,
    /// Whether some of it was replaced by what follows.
    patched: bool,
    /// Whether some of it lasts.
    lasting: bool,
    complete: bool,
}

impl Index {
    fn folder(&self, number: u32) -> Option<&Indexed> {
        self.folders.get(usize::try_from(number).ok()?)
    }

    fn folder_mut(&mut self, number: u32) -> Option<&mut Indexed> {
        self.folders.get_mut(usize::try_from(number).ok()?)
    }

    fn blocks_mut(&mut self, number: u32) -> Option<&mut Vec<u64>> {
        if number == NONE {
            return Some(&mut self.top);
        }
        self.folder_mut(number).map(|folder| &mut folder.blocks)
    }

    /// Takes note of a frame. `None` when it makes no sense.
    fn take(&mut self, kind: Kind, bytes: &[u8], at: u64) -> Option<()> {
        let mut reader = Reader { rest: bytes };
        match kind {
            Kind::Folder => {
                let (number, parent) = (reader.small()?, reader.small()?);
                if let Some(known) = self.folder_mut(number) {
                    known.at = at;
                    self.patched = true;
                    return Some(());
                }
                if usize::try_from(number).ok()? != self.folders.len() {
                    return None;
                }
                let beside = match self.folder_mut(parent) {
                    Some(parent) => std::mem::replace(&mut parent.child, number),
                    None => NONE,
                };
                self.folders.push(Indexed { at, blocks: Vec::new(), child: NONE, beside });
            }
            Kind::Entries => {
                let number = reader.small()?;
                self.blocks_mut(number)?.push(at);
            }
            Kind::Gone => {
                let number = reader.small()?;
                self.patched = true;
                self.blocks_mut(number)?.push(at);
            }
            Kind::FolderGone => {
                let number = reader.small()?;
                self.patched = true;
                self.folder_mut(number)?.at = 0;
            }
            Kind::Checkpoint => self.lasting = true,
            Kind::End => self.complete = true,
        }
        Some(())
    }
}

/// A record that can be read.
#[derive(Debug)]
pub struct Manifest {
    frames: Frames,
    index: Index,
    /// When a top was last changed that is a file of one name: as it was copied, or by the new name that it
    /// got since. Unknown of what an earlier run copied.
    top_changed: Mutex<Option<Time>>,
}

impl Manifest {
    /// Opens the record `name` in `folder`, a file of linkwell's own.
    ///
    /// # Errors
    /// The system's; INVAL when it is no record that this version reads.
    pub fn open(system: System, folder: BorrowedFd<'_>, name: &Name) -> Result<Self, Errno> {
        let file = system.open(folder, name.as_bytes(), Access::Read)?;
        Self::of(file, u64::MAX)
    }

    fn of(file: OwnedFd, limit: u64) -> Result<Self, Errno> {
        let mut index = Index::default();
        let frames = Frames::open(file, |kind, bytes, at, end| {
            end <= limit && index.take(kind, bytes, at).is_some()
        })?;
        Ok(Self { frames, index, top_changed: Mutex::default() })
    }

    fn empty(frames: Frames) -> Self {
        Self { frames, index: Index::default(), top_changed: Mutex::default() }
    }

    fn top_changed(&self) -> MutexGuard<'_, Option<Time>> {
        // One value, whole after each statement.
        self.top_changed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether these are still the facts of the top. A new name changes the time of any change: that counts
    /// as far as it is known.
    pub(super) fn is_top(&self, top: &Entry, now: &Facts) -> bool {
        top.is_still(now, false) && self.top_changed().is_none_or(|known| known == now.changed)
    }

    /// The top has got another name, and this is what it is since: nobody could write to it meanwhile.
    pub fn renamed(&self, now: &Facts) {
        if let Some(known) = &mut *self.top_changed() {
            *known = now.changed;
        }
    }

    /// Whether it holds a whole tree, copied, verified and made to last.
    pub fn is_complete(&self) -> bool {
        self.index.complete
    }

    /// Whether it can be gone on with.
    pub fn is_lasting(&self) -> bool {
        self.index.lasting
    }

    /// The top of the tree.
    ///
    /// # Errors
    /// The system's; IO when the record makes no sense.
    pub fn top(&self) -> Result<Entry, Errno> {
        if let Some(folder) = self.folder(0)? {
            return Ok(folder);
        }
        let mut top = None;
        self.entries(NONE, &mut |entry| {
            top = Some(entry);
            Ok(())
        })?;
        top.ok_or(Errno::IO)
    }

    /// The folder of a number; `None` when it is gone, or there is none.
    pub(super) fn folder(&self, number: u32) -> Result<Option<Entry>, Errno> {
        Ok(self.folder_and_parent(number)?.map(|(folder, _)| folder))
    }

    /// The same, with the number of the folder that it lies in.
    pub(super) fn folder_and_parent(&self, number: u32) -> Result<Option<(Entry, u32)>, Errno> {
        let Some(found) = self.index.folder(number).filter(|folder| folder.at > 0) else {
            return Ok(None);
        };
        let (_, bytes) = self.frames.read(found.at)?;
        let mut reader = Reader { rest: &bytes };
        let read = |reader: &mut Reader<'_>| {
            reader.small()?;
            let parent = reader.small()?;
            Some((reader.entry()?, parent))
        };
        read(&mut reader).map(Some).ok_or(Errno::IO)
    }

    /// The numbers of the folders in a folder.
    pub(super) fn children(&self, number: u32) -> Vec<u32> {
        let mut all = Vec::new();
        let mut next = self.index.folder(number).map_or(NONE, |folder| folder.child);
        while let Some(folder) = self.index.folder(next) {
            if folder.at > 0 {
                all.push(next);
            }
            next = folder.beside;
        }
        all.reverse();
        all
    }

    /// Where the frames with a folder's entries begin. Without [`Manifest::entries`]' care: right for
    /// what was never patched.
    pub(super) fn blocks(&self, number: u32) -> &[u64] {
        if number == NONE {
            return &self.index.top;
        }
        self.index.folder(number).map_or(&[], |folder| &folder.blocks)
    }

    /// The entries of a frame.
    pub(super) fn block(&self, at: u64) -> Result<Vec<Entry>, Errno> {
        let (kind, bytes) = self.frames.read(at)?;
        let mut all = Vec::new();
        if kind == Kind::Entries {
            let mut reader = Reader { rest: &bytes };
            reader.small().ok_or(Errno::IO)?;
            while !reader.rest.is_empty() {
                all.push(reader.entry().ok_or(Errno::IO)?);
            }
        }
        Ok(all)
    }

    fn gone(&self, at: u64) -> Result<Vec<Name>, Errno> {
        let (kind, bytes) = self.frames.read(at)?;
        let mut all = Vec::new();
        if kind == Kind::Gone {
            let mut reader = Reader { rest: &bytes };
            reader.small().ok_or(Errno::IO)?;
            while !reader.rest.is_empty() {
                all.push(reader.name().ok_or(Errno::IO)?);
            }
        }
        Ok(all)
    }

    /// Every entry of a folder that is no folder, each once, as it was recorded last.
    pub(super) fn entries<E: From<Errno>>(
        &self,
        number: u32,
        each: &mut dyn FnMut(Entry) -> Result<(), E>,
    ) -> Result<(), E> {
        if !self.index.patched {
            for at in self.blocks(number) {
                for entry in self.block(*at)? {
                    each(entry)?;
                }
            }
            return Ok(());
        }
        // The last one that speaks of a name is right.
        let mut seen = Names::default();
        for at in self.blocks(number).iter().rev() {
            for name in self.gone(*at)? {
                seen.add(name.as_bytes());
            }
            for entry in self.block(*at)?.into_iter().rev() {
                if seen.add(entry.name.as_bytes()) {
                    each(entry)?;
                }
            }
        }
        Ok(())
    }
}

/// Many names, of which only is kept whether they are among them: 16 bytes each.
#[derive(Debug, Default)]
pub(super) struct Names {
    one: RandomState,
    other: RandomState,
    seen: HashSet<(u64, u64)>,
}

impl Names {
    fn key(&self, name: &[u8]) -> (u64, u64) {
        (self.one.hash_one(name), self.other.hash_one(name))
    }

    /// Adds a name; whether it is new.
    pub(super) fn add(&mut self, name: &[u8]) -> bool {
        self.seen.insert(self.key(name))
    }

    pub(super) fn has(&self, name: &[u8]) -> bool {
        self.seen.contains(&self.key(name))
    }
}

/// So much is copied between two checkpoints: bytes, and entries.
const CHECKPOINT: (u64, u64) = (4 << 30, 200_000);

/// A record that is being written.
#[derive(Debug)]
pub struct Record {
    manifest: Manifest,
    /// The folder that it lies in.
    folder: Option<OwnedFd>,
    /// Whether it was begun by an earlier run.
    resumed: bool,
    every: (u64, u64),
}

impl Record {
    /// Begins the record `name`, which is free, in the folder of the journals.
    ///
    /// # Errors
    /// The system's.
    pub fn begin(
        disk: &dyn Disk,
        system: System,
        folder: BorrowedFd<'_>,
        name: &Name,
    ) -> Result<Self, Errno> {
        let held = system.open(folder, c".", Access::List)?;
        let file = disk.make_file(held.as_fd(), name)?;
        let frames = Frames::begin(Place::File(file));
        let manifest = Manifest::empty(frames);
        Ok(Self { manifest, folder: Some(held), resumed: false, every: CHECKPOINT })
    }

    /// Goes on with the record that an interrupted run left: with what was on record, in the copy too,
    /// at its last checkpoint. Without one, or without a record, that is nothing.
    ///
    /// # Errors
    /// The system's.
    pub fn resume(
        disk: &dyn Disk,
        system: System,
        folder: BorrowedFd<'_>,
        name: &Name,
    ) -> Result<Self, Errno> {
        let held = system.open(folder, c".", Access::List)?;
        let file = match crate::system::open_own_for_writing(held.as_fd(), name.as_bytes()) {
            Err(Errno::NOENT) => disk.make_file(held.as_fd(), name)?,
            answer => answer?,
        };
        // `open_own_for_writing` appends, and this writes to places.
        let flags = rustix::fs::fcntl_getfl(&file)?;
        rustix::fs::fcntl_setfl(&file, flags - rustix::fs::OFlags::APPEND)?;
        let mut lasting = 0;
        let found = Frames::open(rustix::io::fcntl_dupfd_cloexec(&file, 0)?, |kind, _, _, end| {
            if kind == Kind::Checkpoint {
                lasting = end;
            }
            true
        });
        let manifest = match found {
            Ok(_) if lasting > 0 => {
                let mut manifest = Manifest::of(file, lasting)?;
                manifest.frames.cut(disk)?;
                manifest
            }
            Ok(_) | Err(Errno::INVAL) => {
                disk.cut(file.as_fd(), 0)?;
                let frames = Frames::begin(Place::File(file));
                Manifest::empty(frames)
            }
            Err(error) => return Err(error),
        };
        Ok(Self { manifest, folder: Some(held), resumed: true, every: CHECKPOINT })
    }

    /// A record that is not kept.
    pub(super) fn in_memory() -> Self {
        let frames = Frames::begin(Place::Memory(Vec::new()));
        let manifest = Manifest::empty(frames);
        Self { manifest, folder: None, resumed: false, every: CHECKPOINT }
    }

    /// Makes a checkpoint after so many bytes, or so many entries. Each waits for the copy's disk.
    #[must_use]
    pub fn with_checkpoints(mut self, bytes: u64, entries: u64) -> Self {
        self.every = (bytes, entries);
        self
    }

    /// Whether a checkpoint is due after so much.
    pub(super) fn is_due(&self, bytes: u64, entries: u64) -> bool {
        self.is_kept() && (bytes >= self.every.0 || entries >= self.every.1)
    }

    /// What is on record, after [`super::bring`].
    pub fn into_manifest(self) -> Manifest {
        // Whatever gets, or loses, another name changes with each of them.
        let is_known = |top: &Entry| top.facts.kind == EntryKind::File && top.facts.names < 2;
        let top = self.manifest.top().ok().filter(is_known);
        *self.manifest.top_changed() = top.map(|top| top.facts.changed);
        self.manifest
    }

    /// Whether it is kept in a file.
    pub(super) fn is_kept(&self) -> bool {
        self.folder.is_some()
    }

    pub(super) fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// What is on record so far, to be read.
    pub(super) fn so_far(&mut self, disk: &dyn Disk) -> Result<&Manifest, Errno> {
        self.manifest.frames.flush(disk)?;
        Ok(&self.manifest)
    }

    fn add(&mut self, disk: &dyn Disk, kind: Kind, bytes: &[u8]) -> Result<(), Errno> {
        let at = self.manifest.frames.add(disk, kind, bytes)?;
        self.manifest.index.take(kind, bytes, at).ok_or(Errno::IO)
    }

    /// Records a folder under its number, or under the next one.
    pub(super) fn folder(
        &mut self,
        disk: &dyn Disk,
        number: Option<u32>,
        parent: u32,
        entry: &Entry,
    ) -> Result<u32, Errno> {
        let next = u32::try_from(self.manifest.index.folders.len()).map_err(|_| Errno::NFILE)?;
        let number = number.unwrap_or(next);
        let mut bytes = Vec::with_capacity(160);
        put(&mut bytes, number.into());
        put(&mut bytes, parent.into());
        put_entry(&mut bytes, entry);
        self.add(disk, Kind::Folder, &bytes)?;
        Ok(number)
    }

    /// Records entries that were gathered.
    pub(super) fn entries(&mut self, disk: &dyn Disk, block: &mut Block) -> Result<(), Errno> {
        let bytes = block.take();
        if bytes.is_empty() { Ok(()) } else { self.add(disk, Kind::Entries, &bytes) }
    }

    /// Records that names are not in a folder any more.
    pub(super) fn gone(
        &mut self,
        disk: &dyn Disk,
        number: u32,
        names: &[Name],
    ) -> Result<(), Errno> {
        for some in names.chunks(256) {
            let mut bytes = Vec::new();
            put(&mut bytes, number.into());
            some.iter().for_each(|name| put_name(&mut bytes, name));
            self.add(disk, Kind::Gone, &bytes)?;
        }
        Ok(())
    }

    /// Records that a folder is not there any more.
    pub(super) fn folder_gone(&mut self, disk: &dyn Disk, number: u32) -> Result<(), Errno> {
        let mut bytes = Vec::new();
        put(&mut bytes, number.into());
        self.add(disk, Kind::FolderGone, &bytes)
    }

    /// Records that everything so far lasts, which it does in the copy.
    pub(super) fn checkpoint(&mut self, disk: &dyn Disk) -> Result<(), Errno> {
        self.add(disk, Kind::Checkpoint, &[])?;
        self.sync(disk)
    }

    /// Records that the copy is whole.
    pub(super) fn complete(&mut self, disk: &dyn Disk) -> Result<(), Errno> {
        // First, so that a run that was killed right here is gone on with from its end.
        self.add(disk, Kind::Checkpoint, &[])?;
        self.add(disk, Kind::End, &[])?;
        self.sync(disk)
    }

    fn sync(&mut self, disk: &dyn Disk) -> Result<(), Errno> {
        self.manifest.frames.sync(disk)?;
        match &self.folder {
            Some(folder) => disk.sync(folder.as_fd()),
            None => Ok(()),
        }
    }
}

/// Entries of one folder, gathered.
#[derive(Debug, Default)]
pub(super) struct Block {
    bytes: Vec<u8>,
}

impl Block {
    pub(super) fn add(&mut self, folder: u32, entry: &Entry) {
        if self.bytes.is_empty() {
            put(&mut self.bytes, folder.into());
        }
        put_entry(&mut self.bytes, entry);
    }

    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.bytes)
    }
}
