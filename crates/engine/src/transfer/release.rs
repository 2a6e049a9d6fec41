//! Frees an original by what is on record: what was copied and is as it was then goes, if its copy stands
//! and nobody has it open for writing; and nothing else.

use super::crew::{Crew, run_all};
use super::entry::Entry;
use super::record::{Manifest, Names};
use super::still::{fits, is_it, list};
use super::{At, Phase, Side, Trouble, Watch};
use crate::descent::{Descent, Place};
use crate::disk::Disk;
use crate::system::{Access, Facts, System};
use linkwell_calls::lease;
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many paths are kept of what stays.
const MOST: usize = 100;

/// Why something stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stays {
    /// It was not there when the tree was copied.
    New,
    /// It has changed since, or is another object.
    Changed,
    /// Somebody has it open for writing, and would write on to what nobody finds any more.
    Written,
    /// Its copy is not there any more, or is shorter than it was made.
    Alone,
    /// Another volume is mounted there.
    Mounted,
    /// The system refuses, for this reason.
    Refused(Errno),
}

/// Something that stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Its path below the top; empty for the top.
    pub path: Vec<u8>,
    /// Why.
    pub why: Stays,
}

/// What came of freeing a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// How many entries were freed in this run.
    pub freed: u64,
    /// How much stays that is not only a folder on the way to such.
    pub stays: u64,
    /// The first of it.
    pub left: Vec<Left>,
}

impl Released {
    fn leave(&mut self, why: Stays, path: impl FnOnce() -> Vec<u8>) {
        self.stays += 1;
        if self.left.len() < MOST {
            self.left.push(Left { path: path(), why });
        }
    }
}

/// So many folders that the walk has left may wait for what is still being freed in them: each is held.
const MOST_LEFT: usize = 32;

/// So many entries are handed out at once.
const CHUNK: usize = 128;

/// Frees the original that stands at `at`, under whatever name it has now: every entry that is on
/// record, is the same object and has not changed since, and every folder that is empty then. What is
/// new, has changed, or cannot be removed stays, with the folders that lead to it.
///
/// Each entry goes only while its copy stands below `copy`: found by its name, of its kind, and of a
/// file the object that was made or one as old and as long, and not shorter. Of each file a lease is held
/// while it goes, where the system has leases for this user: so nobody has it open for writing, however they came
/// to it. Not guaranteed: that nobody opens it in the microseconds in which its name is dropped.
///
/// So many `threads` do it, once there is more than a little to do. May be called again when it was
/// interrupted: what is gone already is no matter. Nothing is synced.
///
/// # Errors
/// The record's; [`Trouble::Stopped`].
pub fn release(
    disk: &dyn Disk,
    system: System,
    manifest: &Manifest,
    at: At<'_>,
    copy: At<'_>,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Released, Trouble> {
    release_side(Side::Original, disk, system, manifest, (at, Some(copy)), threads, watch)
}

/// [`release`] for the other side: frees the copy that stands at `at`, every entry that is as it was made.
///
/// # Errors
/// As [`release`].
pub fn release_copy(
    disk: &dyn Disk,
    system: System,
    manifest: &Manifest,
    at: At<'_>,
    threads: usize,
    watch: &dyn Watch,
) -> Result<Released, Trouble> {
    release_side(Side::Copy, disk, system, manifest, (at, None), threads, watch)
}

fn release_side(
    side: Side,
    disk: &dyn Disk,
    system: System,
    manifest: &Manifest,
    (at, copy): (At<'_>, Option<At<'_>>),
    threads: usize,
    watch: &dyn Watch,
) -> Result<Released, Trouble> {
    watch.phase(Phase::Freeing);
    let (found, left) = (Mutex::default(), AtomicUsize::new(0));
    let freeing = Freeing { side, disk, system, manifest, at, copy, watch, found, left };
    if let Some(now) = freeing.top()? {
        let work = |_: &mut (), task: Task| freeing.task(&task);
        run_all(threads, work, |crew| freeing.walk(&now, crew))?;
    }
    Ok(freeing.found.into_inner().unwrap_or_else(PoisonError::into_inner))
}

struct Freeing<'a> {
    side: Side,
    disk: &'a dyn Disk,
    system: System,
    manifest: &'a Manifest,
    at: At<'a>,
    /// Where the copy of what is freed is; none of a copy.
    copy: Option<At<'a>>,
    watch: &'a dyn Watch,
    found: Mutex<Released>,
    /// How many folders were left by the walk and are not empty yet.
    left: AtomicUsize,
}

/// A folder that is being emptied.
struct Emptied {
    number: u32,
    name: Name,
    above: Option<Arc<Emptied>>,
    /// What stays and was told.
    told: Mutex<Names>,
    /// The permissions that it had, if it was given others.
    mode: Option<u32>,
    /// How much is still to be done in it; the walk itself counts for one, and so does each folder.
    pending: AtomicUsize,
    /// It, and the folder that it lies in, once the walk has left it; no folder for the top.
    closing: Mutex<Option<(Place, Option<Arc<OwnedFd>>)>>,
}

/// Some entries of a folder.
struct Task {
    folder: Arc<Emptied>,
    place: Place,
    /// Where the copies of them are.
    copy: Option<Place>,
    entries: Vec<Entry>,
}

type Work<'scope, 'env, W> = Crew<'scope, 'env, Task, (), W>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is guarded is whole after each statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Emptied {
    /// One by one: a recursive drop of 10,000 levels would overflow the stack.
    fn drop(&mut self) {
        let mut above = self.above.take();
        while let Some(folder) = above {
            match Arc::into_inner(folder) {
                Some(mut folder) => above = folder.above.take(),
                None => break,
            }
        }
    }
}

/// The way through the copy, beside that through the original.
struct Beside {
    /// None once it could not be followed.
    descent: Option<Descent>,
    /// So many folders at the end of the way are not there.
    missing: usize,
}

impl Beside {
    fn down(&mut self, name: &Name) {
        let entered = self.missing == 0
            && self.descent.as_mut().is_some_and(|descent| {
                descent.look(name).and_then(|now| descent.down(name, &now)).is_ok()
            });
        if !entered {
            self.missing += 1;
        }
    }

    fn up(&mut self) {
        if self.missing > 0 {
            self.missing -= 1;
        } else if self.descent.as_mut().is_some_and(|descent| descent.up().is_err()) {
            // It was moved: there is no way back to the rest.
            self.descent = None;
        }
    }

    fn place(&self) -> Option<Place> {
        self.descent.as_ref().filter(|_| self.missing == 0).map(Descent::place)
    }
}

/// Whether these are facts of what was made of an entry, whole as far as they tell. File systems that make their
/// numbers up as they go give other ones later.
pub(super) fn is_its_copy(entry: &Entry, now: &Facts) -> bool {
    let Some(made) = &entry.copy else { return true };
    if entry.facts.kind != EntryKind::File {
        return entry.facts.kind == now.kind;
    }
    let same = made.inode == now.id.inode
        && (made.born.is_none() || now.id.born.is_none() || made.born == now.id.born);
    let alike = made.modified == now.modified && now.size == entry.facts.size;
    now.kind == EntryKind::File && now.size >= entry.facts.size && (same || alike)
}

/// Whether an entry is what was copied, or made. Each name of a file that goes changes the time of any
/// change.
fn is_as_copied(side: Side, entry: &Entry, now: &Facts) -> bool {
    fits(side, entry, now, entry.facts.names < 2)
}

impl Freeing<'_> {
    fn leave(&self, why: Stays, path: impl FnOnce() -> Vec<u8>) {
        lock(&self.found).leave(why, path);
    }

    /// Whether a top that is no folder is as it was.
    fn is_top(&self, top: &Entry, now: &Facts) -> bool {
        match self.side {
            Side::Copy => fits(self.side, top, now, false),
            _ => self.manifest.is_top(top, now),
        }
    }

    /// Frees a top that is no folder; of a folder, gives what it is.
    fn top(&self) -> Result<Option<Facts>, Trouble> {
        let at = self.at;
        let top = self.manifest.top()?;
        let now = match self.system.facts(at.0, at.1.as_bytes()) {
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => {
                self.leave(Stays::Refused(error), Vec::new);
                return Ok(None);
            }
            Ok(now) => now,
        };
        let same = is_it(self.side, &top, &now);
        if !same || (now.kind != EntryKind::Folder && !self.is_top(&top, &now)) {
            self.leave(Stays::Changed, Vec::new);
            return Ok(None);
        }
        if let Some((above, name)) = self.copy {
            let copy = self.system.facts(above, name.as_bytes());
            if !copy.is_ok_and(|copy| is_its_copy(&top, &copy)) {
                self.leave(Stays::Alone, Vec::new);
                return Ok(None);
            }
        }
        if now.kind == EntryKind::Folder {
            return Ok(Some(now));
        }
        let looked = || self.system.facts(at.0, at.1.as_bytes()).map_err(why);
        match self.drop(at.0, &top, at.1, &looked, &|now| self.is_top(&top, now)) {
            Ok(()) | Err(Stays::Refused(Errno::NOENT)) => lock(&self.found).freed += 1,
            Err(why) => self.leave(why, Vec::new),
        }
        Ok(None)
    }

    /// Drops the name of an entry that is no folder, which is looked at right before.
    fn drop(
        &self,
        folder: BorrowedFd<'_>,
        entry: &Entry,
        name: &Name,
        look: &dyn Fn() -> Result<Facts, Stays>,
        is_still: &dyn Fn(&Facts) -> bool,
    ) -> Result<(), Stays> {
        // Held until its name is gone. Who may not read it, or has no leases there, goes by its looks alone.
        let leased = match entry.facts.kind {
            EntryKind::File => match self.system.open(folder, name.as_bytes(), Access::Read) {
                Ok(file) => match lease::take_read(&file) {
                    Ok(()) => Some(file),
                    Err(Errno::AGAIN) => return Err(Stays::Written),
                    Err(_) => None,
                },
                // Somebody else has the file to itself.
                Err(Errno::AGAIN) => return Err(Stays::Written),
                Err(_) => None,
            },
            _ => None,
        };
        let now = look()?;
        if !is_still(&now) {
            return Err(Stays::Changed);
        }
        let gone = self.disk.drop_name(folder, name).map_err(why);
        drop(leased);
        gone
    }

    /// Goes through the folders, and hands out what is in them.
    fn walk<W>(&self, now: &Facts, crew: &mut Work<'_, '_, W>) -> Result<(), Trouble>
    where
        W: Fn(&mut (), Task) -> Result<(), Trouble> + Sync,
    {
        let mut descent = match Descent::begin(self.system, self.at.0, self.at.1, now) {
            Ok(descent) => descent,
            Err(error) => {
                self.leave(why(error), Vec::new);
                return Ok(());
            }
        };
        let copy = self.copy.and_then(|(above, name)| {
            let now = self.system.facts(above, name.as_bytes()).ok()?;
            Descent::begin(self.system, above, name, &now).ok()
        });
        let mut copy = Beside { descent: copy, missing: 0 };
        let mut folder = self.begin(0, self.at.1.clone(), None, (&descent, &copy), crew)?;
        // The folders in each that are still to be emptied.
        let mut todo = vec![self.manifest.children(0)];
        while let Some(rest) = todo.last_mut() {
            if self.watch.stops() {
                return Err(Trouble::Stopped);
            }
            let Some(number) = rest.pop() else {
                todo.pop();
                crew.until(|| self.left.load(Ordering::Acquire) < MOST_LEFT)?;
                self.up(&folder, &mut descent)?;
                copy.up();
                match folder.above.clone() {
                    Some(above) => folder = above,
                    None => return Ok(()),
                }
                continue;
            };
            let Some(inner) = self.manifest.folder(number)? else { continue };
            let entered = descent.look(&inner.name).and_then(|now| {
                let same = is_it(self.side, &inner, &now) && now.kind == EntryKind::Folder;
                if same {
                    descent.down(&inner.name, &now)?;
                }
                Ok(same)
            });
            let stays = match entered {
                Ok(true) => {
                    folder.pending.fetch_add(1, Ordering::AcqRel);
                    copy.down(&inner.name);
                    let here = (&descent, &copy);
                    folder = self.begin(number, inner.name, Some(&folder), here, crew)?;
                    todo.push(self.manifest.children(number));
                    continue;
                }
                Ok(false) => Stays::Changed,
                Err(Errno::NOENT) => continue,
                Err(error) => why(error),
            };
            lock(&folder.told).add(inner.name.as_bytes());
            self.leave(stays, || self.manifest.path(number, None));
        }
        Ok(())
    }

    /// Hands out what is in a folder and is no folder.
    fn begin<W>(
        &self,
        number: u32,
        name: Name,
        above: Option<&Arc<Emptied>>,
        (here, copy): (&Descent, &Beside),
        crew: &mut Work<'_, '_, W>,
    ) -> Result<Arc<Emptied>, Trouble>
    where
        W: Fn(&mut (), Task) -> Result<(), Trouble> + Sync,
    {
        let folder = Arc::new(Emptied {
            number,
            name,
            above: above.cloned(),
            told: Mutex::default(),
            mode: self.open_up(here),
            pending: AtomicUsize::new(1),
            closing: Mutex::default(),
        });
        let mut give = |entries: &mut Vec<Entry>| {
            let count = entries.len();
            let entries = std::mem::take(entries);
            folder.pending.fetch_add(1, Ordering::AcqRel);
            let (place, copy) = (here.place(), copy.place());
            crew.give(Task { folder: Arc::clone(&folder), place, copy, entries }, count)
        };
        let mut entries = Vec::new();
        self.manifest.entries::<Trouble>(number, &mut |entry| {
            entries.push(entry);
            if entries.len() < CHUNK { Ok(()) } else { give(&mut entries) }
        })?;
        if !entries.is_empty() {
            give(&mut entries)?;
        }
        Ok(folder)
    }

    /// Frees some entries, each looked at right before.
    fn task(&self, task: &Task) -> Result<(), Trouble> {
        let Task { folder, place, copy, entries } = task;
        let mut freed = 0;
        for entry in entries {
            if self.watch.stops() {
                lock(&self.found).freed += freed;
                return Err(Trouble::Stopped);
            }
            let look = || place.look(&entry.name).map_err(why);
            let copied = |now: &Facts| is_as_copied(self.side, entry, now);
            let gone = if self.copy.is_none() || stands(entry, copy.as_ref()) {
                self.drop(place.held(), entry, &entry.name, &look, &copied)
            } else {
                // What is gone already needs no copy.
                look().and(Err(Stays::Alone))
            };
            match gone {
                Ok(()) => freed += 1,
                Err(Stays::Refused(Errno::NOENT)) => {}
                Err(why) => {
                    lock(&folder.told).add(entry.name.as_bytes());
                    self.leave(why, || self.manifest.path(folder.number, Some(&entry.name)));
                }
            }
        }
        lock(&self.found).freed += freed;
        self.watch.done(u64::try_from(entries.len()).unwrap_or(0), 0);
        self.one_less(folder);
        Ok(())
    }

    /// Leaves a folder, which is removed when all in it is done.
    fn up(&self, folder: &Arc<Emptied>, descent: &mut Descent) -> Result<(), Trouble> {
        let place = descent.place();
        let from = match descent.up() {
            Ok(came_up) => came_up.map(|_| descent.kept()),
            Err(_) => {
                // It was moved: there is no way back to the rest.
                let path = self.manifest.path(folder.number, None);
                self.leave(Stays::Changed, || path.clone());
                return Err(Trouble::Changed(path));
            }
        };
        self.left.fetch_add(1, Ordering::AcqRel);
        *lock(&folder.closing) = Some((place, from));
        self.one_less(folder);
        Ok(())
    }

    /// Counts one piece of work in a folder as done; with the last one it goes, and counts as done in the
    /// folder above.
    fn one_less(&self, folder: &Arc<Emptied>) {
        let mut folder = Arc::clone(folder);
        while folder.pending.fetch_sub(1, Ordering::AcqRel) == 1 {
            if let Some((place, from)) = lock(&folder.closing).take() {
                self.end(&folder, &place, from.as_ref().map(|from| from.as_fd()));
                drop((place, from));
                self.left.fetch_sub(1, Ordering::AcqRel);
            }
            match folder.above.clone() {
                Some(above) => folder = above,
                None => return,
            }
        }
    }

    /// Removes a folder that is empty now, or tells what is still in it.
    fn end(&self, folder: &Emptied, place: &Place, from: Option<BorrowedFd<'_>>) {
        let path = || self.manifest.path(folder.number, None);
        let mut new = Vec::new();
        let told = lock(&folder.told);
        let listed = list(self.system, place.held(), &mut |name| {
            if !told.has(name) {
                new.extend(Name::new(name));
            }
        });
        drop(told);
        if let Err(error) = listed {
            self.leave(why(error), path);
        }
        for name in &new {
            self.leave(Stays::New, || self.manifest.path(folder.number, Some(name)));
        }
        let (from, name) = match from {
            Some(from) => (from, &folder.name),
            None => self.at,
        };
        // An empty folder that somebody has put in its place is theirs.
        let gone = match self.system.facts(from, name.as_bytes()) {
            Ok(now) if now.id.is(place.facts().id) => self.disk.drop_folder(from, name),
            Ok(_) => Err(Errno::AGAIN),
            Err(error) => Err(error),
        };
        let Err(error) = gone else {
            lock(&self.found).freed += 1;
            return;
        };
        if let Some(above) = &folder.above {
            lock(&above.told).add(folder.name.as_bytes());
        }
        let full = matches!(error, Errno::NOTEMPTY | Errno::EXIST);
        if !full && error != Errno::NOENT {
            self.leave(why(error), path);
        }
        // What stays in it is told already; it gets its permissions back.
        if let Some(mode) = folder.mode {
            self.disk.permit(place.held(), mode).unwrap_or_default();
        }
    }

    /// Lets its owner write to a folder that is being emptied; gives the permissions that it had.
    fn open_up(&self, here: &Descent) -> Option<u32> {
        let facts = here.facts();
        let mine = facts.owner == rustix::process::geteuid().as_raw();
        if facts.mode & 0o300 == 0o300 || !mine || rustix::process::geteuid().is_root() {
            return None;
        }
        self.disk.permit(here.here(), facts.mode | 0o700).ok().map(|()| facts.mode)
    }
}

/// Whether the copy of an entry is there.
fn stands(entry: &Entry, copy: Option<&Place>) -> bool {
    entry.copy.is_none()
        || copy.is_some_and(|copy| copy.look(&entry.name).is_ok_and(|now| is_its_copy(entry, &now)))
}

fn why(error: Errno) -> Stays {
    match error {
        Errno::XDEV => Stays::Mounted,
        Errno::AGAIN => Stays::Changed,
        error => Stays::Refused(error),
    }
}
