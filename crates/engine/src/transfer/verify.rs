//! Reads a copy back from its disk, and compares it with what was read of the original.

use super::contents::{PIECE, Tools, next_data};
use super::crew::{Crew, run_all};
use super::dress::{Origin, is_carried};
use super::entry::Entry;
use super::record::{Manifest, NONE};
use super::sum::Sum;
use super::walk::Job;
use super::{At, Order, Slip, Trouble};
use crate::descent::Descent;
use crate::look;
use crate::system::Access;
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

/// So many entries are handed out at once.
const CHUNK: usize = 128;

/// Some entries of a folder.
struct Task {
    folder: u32,
    from: Arc<OwnedFd>,
    to: Arc<OwnedFd>,
    entries: Vec<Entry>,
}

type Read = Mutex<HashSet<u64>>;

impl Job<'_> {
    /// Reads back every file of the copy, and compares attributes where there are any.
    pub(super) fn read_back(&self, order: &Order<'_>, record: &Manifest) -> Result<(), Trouble> {
        let top = record.top()?;
        // Files with several names are read once.
        let read = Read::default();
        if top.facts.kind != EntryKind::Folder {
            let mut tools = Tools::default();
            let sides = (order.from, order.to);
            let done = self.check(&mut tools, &read, sides, &top, &Vec::new);
            self.tell(&mut tools);
            self.watch.done(1, 0);
            return done.map_err(|slip| different(slip, Vec::new()));
        }
        let work = |tools: &mut Tools, task: Task| {
            for entry in &task.entries {
                let from = (task.from.as_fd(), &entry.name);
                let to = (task.to.as_fd(), &entry.name);
                let path = || record.path(task.folder, Some(&entry.name));
                let done = self.check(tools, &read, (from, to), entry, &path);
                done.map_err(|slip| different(slip, path()))?;
            }
            self.watch.done(u64::try_from(task.entries.len()).unwrap_or(0), 0);
            self.tell(tools);
            Ok(())
        };
        run_all(order.threads, work, |crew| self.each_folder(order, record, crew))
    }

    /// Hands out the entries of every folder.
    fn each_folder<W: Fn(&mut Tools, Task) -> Result<(), Trouble> + Sync>(
        &self,
        order: &Order<'_>,
        record: &Manifest,
        crew: &mut Crew<'_, '_, Task, Tools, W>,
    ) -> Result<(), Trouble> {
        let system = self.system;
        let begin = |at: At<'_>| {
            let facts = system.facts(at.0, at.1.as_bytes())?;
            Descent::begin(system, at.0, at.1, &facts)
        };
        let path = |number| record.path(number, None);
        let mut from = begin(order.from).map_err(|_| Trouble::Changed(Vec::new()))?;
        let unreadable = |error| Slip::copy("read it back")(error);
        let mut to = begin(order.to).map_err(|error| unreadable(error).at(Vec::new()))?;
        let mut todo = vec![self.entries_of(record, 0, (&from, &to), crew)?];
        while let Some(rest) = todo.last_mut() {
            if self.watch.stops() {
                return Err(Trouble::Stopped);
            }
            let Some(number) = rest.pop() else {
                todo.pop();
                from.up().map_err(|_| Trouble::Changed(Vec::new()))?;
                to.up().map_err(|error| unreadable(error).at(Vec::new()))?;
                continue;
            };
            let Some(folder) = record.folder(number)? else { continue };
            let down = |descent: &mut Descent| {
                let facts = descent.look(&folder.name)?;
                if facts.kind == EntryKind::Folder {
                    descent.down(&folder.name, &facts)
                } else {
                    Err(Errno::NOTDIR)
                }
            };
            down(&mut from).map_err(|_| Trouble::Changed(path(number)))?;
            down(&mut to).map_err(|error| unreadable(error).at(path(number)))?;
            todo.push(self.entries_of(record, number, (&from, &to), crew)?);
        }
        Ok(())
    }

    /// Hands out the entries of one folder, and gives the folders in it.
    fn entries_of<W: Fn(&mut Tools, Task) -> Result<(), Trouble> + Sync>(
        &self,
        record: &Manifest,
        folder: u32,
        sides: (&Descent, &Descent),
        crew: &mut Crew<'_, '_, Task, Tools, W>,
    ) -> Result<Vec<u32>, Trouble> {
        let mut entries = Vec::new();
        let mut give = |entries: &mut Vec<Entry>| {
            let count = entries.len();
            let (from, to) = (sides.0.kept(), sides.1.kept());
            let entries = std::mem::take(entries);
            crew.give(Task { folder, from, to, entries }, count)
        };
        record.entries::<Trouble>(folder, &mut |entry| {
            let is_to_read = entry.copy.is_some() && (entry.sum.is_some() || entry.carries);
            if is_to_read {
                entries.push(entry);
            } else {
                self.watch.done(1, 0);
            }
            if entries.len() >= CHUNK { give(&mut entries) } else { Ok(()) }
        })?;
        if !entries.is_empty() {
            give(&mut entries)?;
        }
        Ok(record.children(folder))
    }

    fn check(
        &self,
        tools: &mut Tools,
        read: &Read,
        (from, to): (At<'_>, At<'_>),
        entry: &Entry,
        path: &dyn Fn() -> Vec<u8>,
    ) -> Result<(), Slip> {
        self.heed()?;
        let Some(copy) = entry.copy else { return Ok(()) };
        let again = entry.facts.names > 1
            && !read.lock().unwrap_or_else(PoisonError::into_inner).insert(copy.inode);
        if again || entry.facts.kind != EntryKind::File {
            return Ok(());
        }
        let unreadable = Slip::copy("read it back");
        let file = match self.system.open_quietly(to.0, to.1.as_bytes()) {
            Err(Errno::PERM) => self.system.open(to.0, to.1.as_bytes(), Access::Read),
            answer => answer,
        };
        let file = file.map_err(unreadable)?;
        let facts = self.system.facts_of(file.as_fd()).map_err(Slip::copy("look at it"))?;
        if facts.id.inode != copy.inode || facts.size != entry.facts.size && !self.made_up {
            return Err(Slip::Unexpected);
        }
        if let Some(sum) = entry.sum
            && self.sum_of(tools, file.as_fd(), facts.size)? != sum
        {
            return Err(Slip::Unexpected);
        }
        if entry.carries {
            let original = self.system.open(from.0, from.1.as_bytes(), Access::Read);
            let original = original.map_err(|_| Slip::Changed)?;
            look::without_trace(original.as_fd());
            for (name, value) in self.carried(tools, Origin::Open(original.as_fd()))? {
                if !is_carried(tools, file.as_fd(), &name, &value) {
                    self.losses.add(super::dress::kind_of(&name), path);
                }
            }
        }
        Ok(())
    }

    /// What is in a file, from its disk: what is in the cache, and was made to last, is dropped first.
    fn sum_of(&self, tools: &mut Tools, file: BorrowedFd<'_>, size: u64) -> Result<[u8; 32], Slip> {
        #[cfg(target_os = "linux")]
        rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed).unwrap_or_default();
        let mut sum = Sum::new();
        let mut at = 0;
        while let Some(data) = next_part(file, at, size) {
            at = data.start;
            while at < data.end {
                self.heed()?;
                let most = usize::try_from(data.end - at).unwrap_or(PIECE).min(PIECE);
                let room = tools.piece.get_mut(..most).unwrap_or_default();
                match rustix::io::pread(file, &mut *room, at) {
                    Ok(0) => return Err(Slip::Unexpected),
                    Ok(count) => {
                        sum.take(at, room.get(..count).unwrap_or_default());
                        let count = u64::try_from(count).unwrap_or(0);
                        self.moved(tools, count);
                        at += count;
                    }
                    Err(Errno::INTR) => {}
                    Err(error) => return Err(Slip::copy("read it back")(error)),
                }
            }
        }
        Ok(sum.end(size))
    }
}

/// Holes are asked for where they may be worth it.
fn next_part(file: BorrowedFd<'_>, at: u64, size: u64) -> Option<std::ops::Range<u64>> {
    if size < 1 << 20 { (at < size).then_some(at..size) } else { next_data(file, at, size) }
}

/// What does not read back is of the copy.
fn different(slip: Slip, path: Vec<u8>) -> Trouble {
    match slip {
        Slip::Unexpected => Trouble::Differs(path),
        slip => slip.at(path),
    }
}

impl Manifest {
    /// The path of a folder, or of a name in it, below the top.
    pub(super) fn path(&self, folder: u32, name: Option<&Name>) -> Vec<u8> {
        let mut names: Vec<Name> = name.cloned().into_iter().collect();
        let mut number = folder;
        while number != 0 && number != NONE {
            let Ok(Some((entry, parent))) = self.folder_and_parent(number) else { break };
            names.push(entry.name);
            number = parent;
        }
        let names: Vec<&[u8]> = names.iter().rev().map(Name::as_bytes).collect();
        names.join(&b'/')
    }
}
