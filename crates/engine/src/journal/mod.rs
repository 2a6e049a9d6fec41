//! The record of what linkwell did: one file an operation, written before anything is changed.
//!
//! `operations/000012.unfinished` while the operation runs, `operations/000012.jsonl` when it has
//! ended; the format is in `docs/journal.md`. The whole plan is in it, durably, before the first
//! step, so that whatever happens, what was going to be done can be read, judged by looking, and
//! taken back. One lock, held by an open file, lets one linkwell at a time change anything: when its
//! holder dies, by whatever death, the system lets go of it.

mod line;
pub mod record;
mod write;

pub use write::{Journal, Unended};

use crate::disk::Disk;
use crate::operator::Held;
use crate::state::{self, Trouble};
use crate::system::{Access, System};
use linkwell_model::entry::{EntryKind, Time};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::Plan;
use record::{Header, Operation};
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use std::mem::MaybeUninit;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use write::rename;

/// Where journals are kept, in the state folder.
const FOLDER: &[u8] = b"operations";
const LOCK: &[u8] = b"lock";
/// The same for being the watcher.
const WATCHER: &[u8] = b"watcher";
/// A journal that is being written; nothing has been begun.
const NEW: &str = "new";
const UNFINISHED: &str = "unfinished";
const FINISHED: &str = "jsonl";
const DAMAGED: &str = "damaged";

/// A journal longer than this is not read: ten million links make about 3 GB.
const LONGEST: u64 = 8 << 30;

/// All journals of this user.
#[derive(Debug)]
pub struct Store {
    system: System,
    state: Held,
    operations: OwnedFd,
    place: AbsPath,
    /// When all were last listed, and the number up to which all had ended.
    all_ended: Mutex<Option<(Instant, u64)>>,
}

/// For so long a listing is not repeated while it is enough to ask for the names that come next. A watcher begins
/// thousands of operations, and the folder holds them all.
const LISTED: Duration = Duration::from_secs(5);

/// What a listing shows.
struct Numbers {
    /// The highest that was given to an operation which was begun; 0 if there is none.
    last: u64,
    unfinished: Vec<u64>,
    /// Those that were never begun.
    fresh: Vec<u64>,
}

/// The right to change something; there is one at a time.
#[derive(Debug)]
pub struct Lock {
    _file: OwnedFd,
}

/// Why there is no lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoLock {
    /// Another linkwell holds it: the process of this number, if it says so.
    Held(Option<u32>),
    /// The system refuses.
    System(Errno),
}

fn name(text: impl Into<Vec<u8>>) -> Name {
    Name::new(text.into()).unwrap_or_else(|| unreachable!("letters, digits and dots"))
}

fn file_name(number: u64, end: &str) -> Name {
    name(format!("{number:06}.{end}"))
}

/// The number of the operation whose file has this name, and this state.
fn number_of(name: &[u8], end: &str) -> Option<u64> {
    let digits = name.strip_suffix(end.as_bytes())?.strip_suffix(b".")?;
    // As `file_name` writes it: `7.jsonl` and `+000007.jsonl` are somebody else's.
    let is_ours = digits.iter().all(u8::is_ascii_digit)
        && (digits.len() == 6 || digits.len() > 6 && !digits.starts_with(b"0"));
    std::str::from_utf8(digits).ok().filter(|_| is_ours)?.parse().ok()
}

/// For [`Store::is_running`]. Where the file system has no locks, or somebody is just asking, it goes on
/// without: the right to change anything does not hang on it.
fn say_that_it_runs(journal: &OwnedFd) {
    for _ in 0..100 {
        match rustix::fs::flock(journal, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::WOULDBLOCK) => std::thread::yield_now(),
            _ => return,
        }
    }
}

impl Store {
    /// The journals in the state folder at `state`.
    ///
    /// # Errors
    /// [`Trouble::Missing`] when nothing was ever recorded; else when the folder cannot be trusted.
    pub fn open(system: System, state: &AbsPath) -> Result<Self, Trouble> {
        Self::in_folder(system, state::open(system, state)?)
    }

    /// The same; the folders are made where they are missing.
    ///
    /// # Errors
    /// When they cannot be trusted, or made.
    pub fn open_or_make(disk: &dyn Disk, system: System, state: &AbsPath) -> Result<Self, Trouble> {
        let state = state::open_or_make(disk, system, state)?;
        let place = state.place.joined(FOLDER);
        match disk.make_folder(state.folder.as_fd(), &name(FOLDER)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(Trouble::System(place, error)),
        }
        Self::in_folder(system, state)
    }

    fn in_folder(system: System, state: Held) -> Result<Self, Trouble> {
        let place = state.place.joined(FOLDER);
        let trouble = |error| match error {
            Errno::NOENT => Trouble::Missing,
            error => Trouble::System(place.clone(), error),
        };
        let operations =
            system.open(state.folder.as_fd(), FOLDER, Access::List).map_err(trouble)?;
        let facts = system.facts_of(operations.as_fd()).map_err(trouble)?;
        let me = rustix::process::geteuid().as_raw();
        if facts.owner != me {
            return Err(Trouble::Foreign(place, facts.owner));
        }
        if facts.mode & 0o022 != 0 {
            return Err(Trouble::Open(place));
        }
        Ok(Self { system, state, operations, place, all_ended: Mutex::new(None) })
    }

    /// Where the journals lie.
    pub fn place(&self) -> &AbsPath {
        &self.place
    }

    /// Where the journal of an operation lies that has ended.
    pub fn path(&self, number: u64) -> AbsPath {
        self.place.joined(file_name(number, FINISHED).as_bytes())
    }

    /// Takes the lock, if it is free.
    ///
    /// # Errors
    /// When it is not, or cannot be had.
    pub fn lock(&self, disk: &dyn Disk) -> Result<Lock, NoLock> {
        self.lock_by(disk, LOCK)
    }

    /// Takes the lock of the watcher, if it is free: there is one at a time. It does not give the right to
    /// change anything.
    ///
    /// # Errors
    /// When it is not, or cannot be had.
    pub fn lock_of_watcher(&self, disk: &dyn Disk) -> Result<Lock, NoLock> {
        self.lock_by(disk, WATCHER)
    }

    /// Whether a process watches now, and its number if it says so.
    pub fn watcher(&self) -> Option<Option<u32>> {
        self.is_taken(WATCHER).then(|| self.holder(WATCHER))
    }

    fn lock_by(&self, disk: &dyn Disk, which: &[u8]) -> Result<Lock, NoLock> {
        let made = || match disk.make_file(self.state.folder.as_fd(), &name(which)) {
            Err(Errno::EXIST) => self.lock_file(which),
            answer => answer,
        };
        let file = match self.lock_file(which) {
            Err(Errno::NOENT) => made(),
            answer => answer,
        };
        let file = file.map_err(NoLock::System)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(NoLock::Held(self.holder(which))),
            Err(error) => return Err(NoLock::System(error)),
        }
        // For the one who finds it taken. The lock holds without it.
        let me = format!("{}\n", std::process::id());
        let told = disk.cut(file.as_fd(), 0).and_then(|()| disk.write(file.as_fd(), me.as_bytes()));
        told.unwrap_or_default();
        Ok(Lock { _file: file })
    }

    fn lock_file(&self, which: &[u8]) -> Result<OwnedFd, Errno> {
        let file = crate::system::open_own_for_writing(self.state.folder.as_fd(), which)?;
        let status = self.system.status_of(file.as_fd())?;
        let me = rustix::process::geteuid().as_raw();
        let own = status.kind == EntryKind::File && status.owner == me;
        if own { Ok(file) } else { Err(Errno::PERM) }
    }

    fn holder(&self, which: &[u8]) -> Option<u32> {
        let file = self.system.open(self.state.folder.as_fd(), which, Access::Read).ok()?;
        let text = self.system.read_all(file.as_fd()).ok()?;
        std::str::from_utf8(&text).ok()?.trim().parse().ok()
    }

    /// Whether another linkwell is at work right now.
    pub fn is_busy(&self) -> bool {
        self.is_taken(LOCK)
    }

    fn is_taken(&self, which: &[u8]) -> bool {
        let Ok(file) = self.system.open(self.state.folder.as_fd(), which, Access::Read) else {
            return false;
        };
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
    }

    /// The folder of the journals, held.
    pub(crate) fn folder(&self) -> BorrowedFd<'_> {
        self.operations.as_fd()
    }

    /// The numbers of all operations with each of these states, in order; by one listing.
    fn numbers<const ENDS: usize>(&self, ends: [&str; ENDS]) -> Result<[Vec<u64>; ENDS], Errno> {
        let mut all = [const { Vec::new() }; ENDS];
        let mut buffer = vec![MaybeUninit::uninit(); 16 * 1024];
        // A descriptor of its own: a listing has a position.
        let folder = self.system.open(self.operations.as_fd(), c".", Access::List)?;
        let mark = self.system.end_mark(folder.as_fd());
        self.system.list(folder.as_fd(), &mut buffer, mark, |entry| {
            let name = entry.name.to_bytes();
            for (end, numbers) in ends.iter().zip(&mut all) {
                numbers.extend(number_of(name, end));
            }
            true
        })?;
        all.iter_mut().for_each(|numbers| numbers.sort_unstable());
        Ok(all)
    }

    /// The numbers of the operations that ended, in order: also of those whose file did not get its last
    /// name.
    ///
    /// # Errors
    /// The system's.
    pub fn ended(&self) -> Result<Vec<u64>, Errno> {
        let [mut numbers, unfinished] = self.numbers([FINISHED, UNFINISHED])?;
        numbers.extend(unfinished.into_iter().filter(|number| self.is_unsettled(*number)));
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }

    /// Whether the end of an operation is recorded whose file has not got its last name.
    fn is_unsettled(&self, number: u64) -> bool {
        self.read(number).is_ok_and(|found| found.ended.is_some())
    }

    /// The numbers of the operations that were begun and have not ended, in order. One of them is
    /// being carried out while the lock is held.
    ///
    /// # Errors
    /// The system's.
    pub fn unfinished(&self) -> Result<Vec<u64>, Errno> {
        if self.last_if_all_ended().is_some() {
            return Ok(Vec::new());
        }
        Ok(self.look_through()?.unfinished)
    }

    /// Lists all, and remembers if they have all ended.
    fn look_through(&self) -> Result<Numbers, Errno> {
        let now = Instant::now();
        let [finished, unfinished, fresh] = self.numbers([FINISHED, UNFINISHED, NEW])?;
        let last = finished.last().max(unfinished.last()).copied().unwrap_or(0);
        let quiet = unfinished.is_empty() && fresh.is_empty();
        *self.all_ended.lock().unwrap_or_else(PoisonError::into_inner) =
            quiet.then_some((now, last));
        Ok(Numbers { last, unfinished, fresh })
    }

    /// The number of the last operation, if a listing a moment ago has shown that all had ended, and all that were begun
    /// since have, too. An operation takes the number behind the highest that is there; so while the last one's file is
    /// there, whoever began something since took the next number, and left a file of it, whatever became of them.
    ///
    /// Not guaranteed: for [`LISTED`] it does not see a file with a higher number that no operation has put there.
    fn last_if_all_ended(&self) -> Option<u64> {
        let mut known = self.all_ended.lock().unwrap_or_else(PoisonError::into_inner);
        let (listed, mut last) = known.filter(|(listed, _)| listed.elapsed() < LISTED)?;
        let at = self.operations.as_fd();
        let is_there = |number, end| match self.system.facts(at, file_name(number, end).as_bytes())
        {
            Ok(_) => Some(true),
            Err(Errno::NOENT) => Some(false),
            Err(_) => None,
        };
        // Somebody may have removed it, and others have taken its number, or the one before.
        if last > 0 && !is_there(last, FINISHED)? {
            return None;
        }
        loop {
            let next = last.checked_add(1)?;
            if !is_there(next, FINISHED)? {
                let mut others = [UNFINISHED, NEW, DAMAGED].into_iter();
                *known = Some((listed, last));
                return others.all(|end| is_there(next, end) == Some(false)).then_some(last);
            }
            last = next;
        }
    }

    /// Whether an operation that has not ended is being carried out, or recovered, right now: whoever writes
    /// its journal holds a lock on that very file, which ends with them.
    pub fn is_running(&self, number: u64) -> bool {
        let name = file_name(number, UNFINISHED);
        let Ok(file) = self.system.open(self.operations.as_fd(), name.as_bytes(), Access::Read)
        else {
            return false;
        };
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
    }

    /// When the journal of an operation that has not ended was last written to.
    pub(crate) fn last_written(&self, number: u64) -> Option<Time> {
        let name = file_name(number, UNFINISHED);
        let facts = self.system.facts(self.operations.as_fd(), name.as_bytes());
        facts.ok().map(|facts| facts.modified)
    }

    /// Reads the journal of an operation.
    ///
    /// # Errors
    /// The system's; ENOENT when there is none, EILSEQ when not even its beginning is sound.
    pub fn read(&self, number: u64) -> Result<Operation, Errno> {
        let at = self.operations.as_fd();
        let open = |end| self.system.open(at, file_name(number, end).as_bytes(), Access::Read);
        let (file, ended) = match open(FINISHED) {
            Err(Errno::NOENT) => (open(UNFINISHED)?, false),
            answer => (answer?, true),
        };
        let facts = self.system.facts_of(file.as_fd())?;
        let me = rustix::process::geteuid().as_raw();
        if facts.owner != me || facts.mode & 0o022 != 0 {
            return Err(Errno::PERM);
        }
        if facts.kind != EntryKind::File || facts.size > LONGEST {
            return Err(Errno::FBIG);
        }
        let read = record::read(&self.system.read_all(file.as_fd())?);
        let mut operation = read.ok_or(Errno::ILSEQ)?;
        // It gets its last name when its end is on record: there was one, and it is missing.
        if ended && operation.ended.is_none() {
            operation.damaged = operation.damaged.or(Some(operation.lines + 1));
        }
        operation.put_away = ended;
        let fits = (1..=record::VERSION).contains(&operation.header.linkwell)
            && operation.header.operation == number
            && operation.header.user == me;
        if fits { Ok(operation) } else { Err(Errno::ILSEQ) }
    }

    /// Records a plan, durably, with the volumes that its folders lie on: after this, and only then, its
    /// first step may be done.
    ///
    /// # Errors
    /// The system's; then nothing is recorded, and nothing may be done.
    pub fn begin<'d>(
        &self,
        disk: &'d dyn Disk,
        lock: &Lock,
        header: impl FnOnce(u64) -> Header,
        plan: &Plan,
        volumes: &record::Volumes,
    ) -> Result<Journal<'d>, Errno> {
        let last = match self.last_if_all_ended() {
            Some(last) => last,
            None => {
                let found = self.look_through()?;
                self.sweep(disk, lock, &found.unfinished, &found.fresh)?;
                found.last
            }
        };
        let number = last.checked_add(1).ok_or(Errno::OVERFLOW)?;
        let header = header(number);
        let fresh = file_name(number, NEW);
        let at = self.operations.as_fd();
        let file = disk.make_file(at, &fresh)?;
        say_that_it_runs(&file);
        let token = header.token.clone();
        let mut journal = Journal {
            disk,
            system: self.system,
            file,
            folder: rustix::io::fcntl_dupfd_cloexec(at, 0)?,
            number,
            token,
            buffer: Vec::new(),
            chain: line::Chain::default(),
            length: 0,
            torn: false,
        };
        let written = journal.write_plan(&header, plan, volumes).and_then(|()| {
            rename(disk, self.system, at, &fresh, &file_name(number, UNFINISHED))?;
            disk.sync(at)
        });
        if let Err(error) = written {
            // Nothing was begun; the next run sweeps what cannot be removed now.
            disk.drop_name(at, &file_name(number, UNFINISHED)).unwrap_or_default();
            disk.drop_name(at, &fresh).unwrap_or_default();
            return Err(error);
        }
        Ok(journal)
    }

    /// Removes journals that were never begun (`fresh`), and gives those that ended their last name.
    fn sweep(
        &self,
        disk: &dyn Disk,
        lock: &Lock,
        unfinished: &[u64],
        fresh: &[u64],
    ) -> Result<(), Errno> {
        for number in unfinished.iter().filter(|number| self.is_unsettled(**number)) {
            self.settle(disk, lock, *number);
        }
        for number in fresh {
            disk.drop_name(self.operations.as_fd(), &file_name(*number, NEW))?;
        }
        Ok(())
    }

    /// Goes on writing the journal of an operation that has not ended. What is not sound at its end
    /// is cut off: it was never acted upon.
    ///
    /// # Errors
    /// The system's.
    pub fn resume<'d>(
        &self,
        disk: &'d dyn Disk,
        _lock: &Lock,
        operation: &Operation,
    ) -> Result<Journal<'d>, Errno> {
        let number = operation.header.operation;
        let at = self.operations.as_fd();
        let name = file_name(number, UNFINISHED);
        let file = crate::system::open_own_for_writing(at, name.as_bytes())?;
        say_that_it_runs(&file);
        if operation.damaged.is_some() {
            disk.cut(file.as_fd(), operation.sound)?;
        }
        Ok(Journal {
            disk,
            system: self.system,
            file,
            folder: rustix::io::fcntl_dupfd_cloexec(at, 0)?,
            number,
            token: operation.header.token.clone(),
            buffer: Vec::new(),
            chain: operation.chain.clone(),
            length: operation.sound,
            torn: false,
        })
    }

    /// Gives the journal of an operation that has ended its last name, if a crash left it with the
    /// other.
    pub fn settle(&self, disk: &dyn Disk, _lock: &Lock, number: u64) {
        let at = self.operations.as_fd();
        let (from, to) = (file_name(number, UNFINISHED), file_name(number, FINISHED));
        // If not now, then the next time.
        rename(disk, self.system, at, &from, &to).unwrap_or_default();
    }

    /// Sets aside a journal of which not even the beginning is sound, so that nobody stumbles over it
    /// again: its name then ends in `.damaged`.
    ///
    /// # Errors
    /// The system's.
    pub fn set_aside(&self, disk: &dyn Disk, _lock: &Lock, number: u64) -> Result<(), Errno> {
        let at = self.operations.as_fd();
        let (from, to) = (file_name(number, UNFINISHED), file_name(number, DAMAGED));
        rename(disk, self.system, at, &from, &to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_it_is_written_and_not_otherwise() {
        for number in [1, 999_999, 1_000_000, u64::MAX] {
            assert_eq!(number_of(file_name(number, FINISHED).as_bytes(), FINISHED), Some(number));
            assert_eq!(number_of(file_name(number, FINISHED).as_bytes(), UNFINISHED), None);
        }
        for theirs in ["7", "+000007", "0000007", "00000x", "", "18446744073709551616"] {
            assert_eq!(number_of(format!("{theirs}.{FINISHED}").as_bytes(), FINISHED), None);
        }
        assert_eq!(number_of(format!("000007{FINISHED}").as_bytes(), FINISHED), None);
    }
}
