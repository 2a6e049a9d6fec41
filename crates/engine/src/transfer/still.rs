//! Whether an original is still as it was copied, and a copy as it was made.

use super::crew::{Crew, run_all};
use super::entry::Entry;
use super::record::{Manifest, Names};
use super::release::is_its_copy;
use super::{At, Phase, Side, Slip, Trouble, Watch};
use crate::descent::{Descent, Place};
use crate::system::{EndMark, Facts, System};
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::mem::MaybeUninit;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many paths are kept.
const MOST: usize = 20;

/// So many are told of at once.
const TOLD: u64 = 128;

/// Some things, of which the first are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Few {
    /// How many.
    pub count: u64,
    /// The first of them, below the top.
    pub paths: Vec<Vec<u8>>,
}

impl Few {
    fn add(&mut self, path: impl FnOnce() -> Vec<u8>) {
        self.count += 1;
        if self.paths.len() < MOST {
            self.paths.push(path());
        }
    }
}

/// What is not as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// What is another object, or has changed.
    pub changed: Few,
    /// What was not there.
    pub appeared: Few,
    /// What is not there any more.
    pub vanished: Few,
}

impl Changes {
    /// Whether everything is as it was.
    pub fn is_none(&self) -> bool {
        self.changed.count + self.appeared.count + self.vanished.count == 0
    }

    /// The first path of all.
    pub fn first(&self) -> Option<&[u8]> {
        let all = [&self.changed, &self.appeared, &self.vanished];
        all.into_iter().find_map(|few| few.paths.first()).map(Vec::as_slice)
    }
}

/// Looks whether the tree at `at`, under whatever name it stands now, is what was copied: which objects
/// these are, their lengths and times, and which names there are. Contents are not read: whoever
/// changes them changes a time, as far as the clock of the file system is fine enough.
///
/// Of the top, whose name may be another by now, the time of any change counts only where it is known
/// what it should be: of a file, see [`Manifest::renamed`].
///
/// # Errors
/// The system's, where it could not be looked; [`Trouble::Stopped`].
pub fn still(
    system: System,
    manifest: &Manifest,
    at: At<'_>,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Changes, Trouble> {
    watch.phase(Phase::Looking);
    look(
        Looking { system, manifest, watch, side: Side::Original, found: Mutex::default() },
        at,
        threads,
    )
}

/// Looks whether the copy that stands at `at` is as it was made: nobody has written to it, or put
/// anything into it. As with [`still`], contents are not read.
///
/// # Errors
/// The system's, where it could not be looked; [`Trouble::Stopped`].
pub fn untouched(
    system: System,
    manifest: &Manifest,
    at: At<'_>,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Changes, Trouble> {
    look(
        Looking { system, manifest, watch, side: Side::Copy, found: Mutex::default() },
        at,
        threads,
    )
}

/// Whether the copy of the top stands at `at`; what is in it is not looked at.
pub fn is_there(system: System, manifest: &Manifest, at: At<'_>) -> bool {
    let (top, now) = (manifest.top(), system.facts(at.0, at.1.as_bytes()));
    top.is_ok_and(|top| now.is_ok_and(|now| is_its_copy(&top, &now)))
}

fn look(looking: Looking<'_>, at: At<'_>, threads: usize) -> Result<Changes, Trouble> {
    if let Some(now) = looking.top(at)? {
        let work = |_: &mut (), task: Task| looking.folder(&task);
        run_all(threads, work, |crew| looking.walk(at, &now, crew))?;
    }
    Ok(looking.found.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// A folder, in which all is compared.
struct Task {
    number: u32,
    place: Place,
}

struct Looking<'a> {
    system: System,
    manifest: &'a Manifest,
    watch: &'a dyn Watch,
    side: Side,
    found: Mutex<Changes>,
}

/// Whether an entry is what is on record, on this side. `changed`: whether the time of any change counts,
/// which is on record of the original alone.
pub(super) fn fits(side: Side, entry: &Entry, now: &Facts, changed: bool) -> bool {
    match (side, &entry.copy) {
        // A folder is on record as it was before anything was put into it; what is in it is compared.
        (Side::Copy, Some(copy)) => {
            is_it(side, entry, now)
                && copy.is(now)
                && (now.kind != EntryKind::File || entry.facts.size == now.size)
        }
        (Side::Copy, None) => false,
        _ => entry.is_still(now, changed),
    }
}

/// Whether it is that very object.
pub(super) fn is_it(side: Side, entry: &Entry, now: &Facts) -> bool {
    match (side, &entry.copy) {
        (Side::Copy, Some(copy)) => {
            let born = copy.born.is_none() || now.id.born.is_none() || copy.born == now.id.born;
            entry.facts.kind == now.kind && copy.inode == now.id.inode && born
        }
        (Side::Copy, None) => false,
        _ => entry.facts.kind == now.kind && entry.facts.id.is_after_restart(now.id),
    }
}

impl Looking<'_> {
    fn found(&self) -> MutexGuard<'_, Changes> {
        // What is guarded is whole after each statement.
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compares the top; gives what it is if it is the folder that it was.
    fn top(&self, at: At<'_>) -> Result<Option<Facts>, Trouble> {
        let top = self.manifest.top()?;
        let now = match self.system.facts(at.0, at.1.as_bytes()) {
            Err(Errno::NOENT) => {
                self.found().vanished.add(Vec::new);
                return Ok(None);
            }
            answer => answer.map_err(|error| looked(error, Vec::new()))?,
        };
        let same = match self.side {
            Side::Copy => fits(self.side, &top, &now, false),
            _ => self.manifest.is_top(&top, &now),
        };
        if !same {
            self.found().changed.add(Vec::new);
        }
        let entered = is_it(self.side, &top, &now) && now.kind == EntryKind::Folder;
        Ok(entered.then_some(now))
    }

    /// Goes through the folders, and hands each out.
    fn walk<W>(
        &self,
        at: At<'_>,
        now: &Facts,
        crew: &mut Crew<'_, '_, Task, (), W>,
    ) -> Result<(), Trouble>
    where
        W: Fn(&mut (), Task) -> Result<(), Trouble> + Sync,
    {
        let begun = Descent::begin(self.system, at.0, at.1, now);
        let mut descent = begun.map_err(|error| looked(error, Vec::new()))?;
        let mut give = |number, descent: &Descent| {
            // What it counts for is a guess: nothing depends on it but when the threads begin.
            let entries = 1 + self.manifest.blocks(number).len() * 16;
            crew.give(Task { number, place: descent.place() }, entries)?;
            Ok::<_, Trouble>(self.manifest.children(number))
        };
        let mut todo = vec![give(0, &descent)?];
        while let Some(rest) = todo.last_mut() {
            if self.watch.stops() {
                return Err(Trouble::Stopped);
            }
            let Some(number) = rest.pop() else {
                todo.pop();
                descent.up().map_err(|error| looked(error, Vec::new()))?;
                continue;
            };
            let Some(folder) = self.manifest.folder(number)? else { continue };
            let path = || self.manifest.path(number, None);
            match descent.look(&folder.name).and_then(|now| {
                let same = fits(self.side, &folder, &now, true);
                let entered = is_it(self.side, &folder, &now) && now.kind == EntryKind::Folder;
                if entered {
                    descent.down(&folder.name, &now)?;
                }
                Ok((same, entered))
            }) {
                Ok((same, entered)) => {
                    if !same {
                        self.found().changed.add(path);
                    }
                    if entered {
                        todo.push(give(number, &descent)?);
                    }
                }
                Err(Errno::NOENT) => self.found().vanished.add(path),
                Err(Errno::XDEV | Errno::AGAIN) => self.found().changed.add(path),
                Err(error) => return Err(looked(error, path())),
            }
        }
        Ok(())
    }

    /// Compares what is in one folder.
    fn folder(&self, task: &Task) -> Result<(), Trouble> {
        let Task { number, place } = task;
        let (system, manifest, number) = (self.system, self.manifest, *number);
        let mut there = 0_u64;
        let (watch, mut untold) = (self.watch, 0_u64);
        manifest.entries::<Trouble>(number, &mut |entry| {
            if watch.stops() {
                return Err(Trouble::Stopped);
            }
            untold += 1;
            if untold == TOLD {
                watch.done(std::mem::take(&mut untold), 0);
            }
            let path = || manifest.path(number, Some(&entry.name));
            match place.look(&entry.name) {
                Ok(now) => {
                    there += 1;
                    if !fits(self.side, &entry, &now, true) {
                        self.found().changed.add(path);
                    }
                    Ok(())
                }
                Err(Errno::NOENT) => {
                    self.found().vanished.add(path);
                    Ok(())
                }
                Err(Errno::XDEV) => {
                    there += 1;
                    self.found().changed.add(path);
                    Ok(())
                }
                Err(error) => Err(looked(error, path())),
            }
        })?;
        watch.done(untold, 0);
        let folders = manifest.children(number);
        let listed = |error| Slip::original("list it")(error).at(manifest.path(number, None));
        let mut count = 0_u64;
        list(system, place.held(), &mut |_| count += 1).map_err(listed)?;
        let known = u64::try_from(folders.len()).unwrap_or(u64::MAX);
        if count == there + known {
            return Ok(());
        }
        // There is more, or less: by name then. A folder that is missing is found when it is entered.
        let mut names = Names::default();
        for folder in folders {
            if let Some(folder) = manifest.folder(folder)? {
                names.add(folder.name.as_bytes());
            }
        }
        manifest.entries::<Trouble>(number, &mut |entry| {
            names.add(entry.name.as_bytes());
            Ok(())
        })?;
        list(system, place.held(), &mut |name| {
            if !names.has(name) {
                let name = Name::new(name);
                self.found().appeared.add(|| manifest.path(number, name.as_ref()));
            }
        })
        .map_err(listed)
    }
}

fn looked(error: Errno, path: Vec<u8>) -> Trouble {
    Slip::original("look at it")(error).at(path)
}

/// Gives every name in a folder.
pub(super) fn list(
    system: System,
    held: BorrowedFd<'_>,
    each: &mut dyn FnMut(&[u8]),
) -> Result<(), Errno> {
    // A descriptor of its own: a listing has a position.
    let folder = system.open(held, c".", crate::system::Access::List)?;
    crate::look::without_trace(rustix::fd::AsFd::as_fd(&folder));
    let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
    system.list(rustix::fd::AsFd::as_fd(&folder), &mut buffer, EndMark::EmptyRead, |entry| {
        each(entry.name.to_bytes());
        true
    })
}
