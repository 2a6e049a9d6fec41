//! The record of what linkwell did: one file an operation, written before anything is changed.
//!
//! `operations/000012.unfinished` while the operation runs, `operations/000012.jsonl` when it has
//! ended; the format is in `docs/journal.md`. The whole plan is in it, durably, before the first
//! step, so that whatever happens, what was going to be done can be read, judged by looking, and
//! taken back. One lock, held by an open file, lets one linkwell at a time change anything: when its
//! holder dies, by whatever death, the system lets go of it.

mod line;
pub mod record;

use crate::disk::Disk;
use crate::operator::Held;
use crate::state::{self, Trouble};
use crate::system::{Access, System};
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Object, Plan, Token};
use record::{Ended, Header, Operation, Record};
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use std::borrow::Cow;
use std::mem::MaybeUninit;

/// Where journals are kept, in the state folder.
const FOLDER: &[u8] = b"operations";
const LOCK: &[u8] = b"lock";
/// A journal that is being written; nothing has been begun.
const NEW: &str = "new";
const UNFINISHED: &str = "unfinished";
const FINISHED: &str = "jsonl";

/// A journal longer than this is not read: ten million links make about 3 GB.
const LONGEST: u64 = 8 << 30;

/// All journals of this user.
#[derive(Debug)]
pub struct Store {
    system: System,
    state: Held,
    operations: OwnedFd,
    place: AbsPath,
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

/// Gives a journal another name. Where the file system cannot promise not to replace (NFS, most of FUSE),
/// a look comes first: the lock is held, so nobody else makes names here.
fn rename(
    disk: &dyn Disk,
    system: System,
    at: BorrowedFd<'_>,
    from: &Name,
    to: &Name,
) -> Result<(), Errno> {
    match disk.rename_new(at, from, at, to) {
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => {}
        answer => return answer,
    }
    match system.facts(at, to.as_bytes()) {
        Err(Errno::NOENT) => disk.rename_over(at, from, at, to),
        Ok(_) => Err(Errno::EXIST),
        Err(error) => Err(error),
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
        Ok(Self { system, state, operations, place })
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
        let made = || match disk.make_file(self.state.folder.as_fd(), &name(LOCK)) {
            Err(Errno::EXIST) => self.lock_file(),
            answer => answer,
        };
        let file = match self.lock_file() {
            Err(Errno::NOENT) => made(),
            answer => answer,
        };
        let file = file.map_err(NoLock::System)?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(Errno::WOULDBLOCK) => return Err(NoLock::Held(self.holder())),
            Err(error) => return Err(NoLock::System(error)),
        }
        // For the one who finds it taken. The lock holds without it.
        let me = format!("{}\n", std::process::id());
        let told = disk.cut(file.as_fd(), 0).and_then(|()| disk.write(file.as_fd(), me.as_bytes()));
        told.unwrap_or_default();
        Ok(Lock { _file: file })
    }

    fn lock_file(&self) -> Result<OwnedFd, Errno> {
        let file = crate::system::open_own_for_writing(self.state.folder.as_fd(), LOCK)?;
        let status = self.system.status_of(file.as_fd())?;
        let me = rustix::process::geteuid().as_raw();
        let own = status.kind == EntryKind::File && status.owner == me;
        if own { Ok(file) } else { Err(Errno::PERM) }
    }

    fn holder(&self) -> Option<u32> {
        let file = self.system.open(self.state.folder.as_fd(), LOCK, Access::Read).ok()?;
        let text = self.system.read_all(file.as_fd()).ok()?;
        std::str::from_utf8(&text).ok()?.trim().parse().ok()
    }

    /// Whether another linkwell is at work right now.
    pub fn is_busy(&self) -> bool {
        let Ok(file) = self.system.open(self.state.folder.as_fd(), LOCK, Access::Read) else {
            return false;
        };
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
    }

    /// The numbers of all operations with that state, in order.
    fn numbers(&self, end: &str) -> Result<Vec<u64>, Errno> {
        let mut numbers = Vec::new();
        let mut buffer = vec![MaybeUninit::uninit(); 16 * 1024];
        // A descriptor of its own: a listing has a position.
        let folder = self.system.open(self.operations.as_fd(), c".", Access::List)?;
        let mark = self.system.end_mark(folder.as_fd());
        self.system.list(folder.as_fd(), &mut buffer, mark, |entry| {
            let name = entry.name.to_bytes();
            let number = name.strip_suffix(end.as_bytes()).and_then(|name| name.strip_suffix(b"."));
            let digits = number.and_then(|digits| std::str::from_utf8(digits).ok());
            let number = digits.and_then(|digits| digits.parse::<u64>().ok());
            // `7.jsonl` and `+000007.jsonl` are somebody else's.
            numbers.extend(number.filter(|number| file_name(*number, end).as_bytes() == name));
            true
        })?;
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The numbers of the operations that ended, in order: also of those whose file did not get its last
    /// name.
    ///
    /// # Errors
    /// The system's.
    pub fn ended(&self) -> Result<Vec<u64>, Errno> {
        let mut numbers = self.numbers(FINISHED)?;
        numbers.extend(self.unsettled()?);
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }

    /// Those whose end is recorded, and whose file has not got its last name.
    fn unsettled(&self) -> Result<Vec<u64>, Errno> {
        let mut numbers = self.numbers(UNFINISHED)?;
        numbers.retain(|number| self.read(*number).is_ok_and(|found| found.ended.is_some()));
        Ok(numbers)
    }

    /// The numbers of the operations that were begun and have not ended, in order. One of them is
    /// being carried out while the lock is held.
    ///
    /// # Errors
    /// The system's.
    pub fn unfinished(&self) -> Result<Vec<u64>, Errno> {
        self.numbers(UNFINISHED)
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
        let fits = operation.header.linkwell == record::VERSION
            && operation.header.operation == number
            && operation.header.user == me;
        if fits { Ok(operation) } else { Err(Errno::ILSEQ) }
    }

    /// Records a plan, durably: after this, and only then, its first step may be done.
    ///
    /// # Errors
    /// The system's; then nothing is recorded, and nothing may be done.
    pub fn begin<'d>(
        &self,
        disk: &'d dyn Disk,
        lock: &Lock,
        header: impl FnOnce(u64) -> Header,
        plan: &Plan,
    ) -> Result<Journal<'d>, Errno> {
        self.sweep(disk, lock)?;
        let last = [FINISHED, UNFINISHED].map(|end| self.numbers(end));
        let mut number = 1;
        for numbers in last {
            let last = numbers?.last().copied().unwrap_or(0);
            number = number.max(last.checked_add(1).ok_or(Errno::OVERFLOW)?);
        }
        let header = header(number);
        let fresh = file_name(number, NEW);
        let at = self.operations.as_fd();
        let file = disk.make_file(at, &fresh)?;
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
        let written = journal.write_plan(&header, plan).and_then(|()| {
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

    /// Removes journals that were never begun, and gives those that ended their last name.
    fn sweep(&self, disk: &dyn Disk, lock: &Lock) -> Result<(), Errno> {
        for number in self.unsettled()? {
            self.settle(disk, lock, number);
        }
        for number in self.numbers(NEW)? {
            disk.drop_name(self.operations.as_fd(), &file_name(number, NEW))?;
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
        let (from, to) = (file_name(number, UNFINISHED), file_name(number, "damaged"));
        rename(disk, self.system, at, &from, &to)
    }
}

/// The journal of an operation that is being carried out.
pub struct Journal<'d> {
    disk: &'d dyn Disk,
    system: System,
    file: OwnedFd,
    folder: OwnedFd,
    number: u64,
    token: Token,
    buffer: Vec<u8>,
    chain: line::Chain,
    /// How much of the file is whole lines.
    length: u64,
    /// Half a line may stand behind them.
    torn: bool,
}

/// So much is gathered before it is written.
const FULL: usize = 256 * 1024;

impl Journal<'_> {
    /// The number of the operation.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// What is in the names that it keeps things under for a moment.
    pub fn token(&self) -> &Token {
        &self.token
    }

    fn folder(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    fn write_plan(&mut self, header: &Header, plan: &Plan) -> Result<(), Errno> {
        self.add(&Record::Operation(Cow::Borrowed(header)))?;
        for folder in &plan.folders {
            self.add(&Record::Folder(Cow::Borrowed(folder)))?;
        }
        for item in &plan.items {
            self.add(&Record::Item(Cow::Borrowed(item)))?;
        }
        let items = u64::try_from(plan.items.len()).unwrap_or(u64::MAX);
        self.add(&Record::Ready { items })?;
        self.sync()
    }

    fn add(&mut self, record: &Record<'_>) -> Result<(), Errno> {
        line::append(&mut self.buffer, &mut self.chain, record);
        if self.buffer.len() >= FULL { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Errno> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        if self.torn {
            self.disk.cut(self.file.as_fd(), self.length)?;
            self.torn = false;
        }
        match self.disk.write(self.file.as_fd(), &self.buffer) {
            Ok(()) => {
                self.length += u64::try_from(self.buffer.len()).unwrap_or(0);
                self.buffer.clear();
                Ok(())
            }
            Err(error) => {
                // A part may have been written. What follows must not stand behind half a line; the
                // lines are kept, and come with the next try.
                self.torn = self.disk.cut(self.file.as_fd(), self.length).is_err();
                Err(error)
            }
        }
    }

    fn sync(&mut self) -> Result<(), Errno> {
        self.flush()?;
        self.disk.sync(self.file.as_fd())
    }

    /// Records that a step was done; durable with the next [`Journal::freeing`] or
    /// [`Journal::end`].
    ///
    /// # Errors
    /// The system's.
    pub fn did(&mut self, step: usize, made: Option<&Object>) -> Result<(), Errno> {
        let step = u64::try_from(step).unwrap_or(u64::MAX);
        self.add(&Record::Did { step, made: made.map(Cow::Borrowed) })
    }

    /// Records what was made anew when a step was taken back, so that it is known again later;
    /// durable as [`Journal::did`].
    ///
    /// # Errors
    /// The system's.
    pub fn back(&mut self, step: usize, made: &Object) -> Result<(), Errno> {
        let step = u64::try_from(step).unwrap_or(u64::MAX);
        self.add(&Record::Back { step, made: Cow::Borrowed(made) })
    }

    /// Records that an item was not done; durable as [`Journal::did`].
    ///
    /// # Errors
    /// The system's.
    pub fn failed(&mut self, item: usize, why: &str) -> Result<(), Errno> {
        let item = u64::try_from(item).unwrap_or(u64::MAX);
        self.add(&Record::Failed { item, why: why.into() })
    }

    /// Writes what was recorded so far, so that it outlives this process.
    ///
    /// # Errors
    /// The system's.
    pub fn write(&mut self) -> Result<(), Errno> {
        self.flush()
    }

    /// Makes what was recorded so far durable.
    ///
    /// # Errors
    /// The system's.
    pub fn settle(&mut self) -> Result<(), Errno> {
        self.sync()
    }

    /// Records, durably, that from here on the operation is finished and not taken back.
    ///
    /// # Errors
    /// As [`Journal::end`].
    pub fn freeing(&mut self) -> Result<(), Unended> {
        self.decide(&Record::Freeing {})
    }

    /// Records durably what decides how the operation is recovered.
    fn decide(&mut self, record: &Record<'_>) -> Result<(), Unended> {
        self.flush().map_err(|error| Unended { error, gone: true })?;
        let (length, chain) = (self.length, self.chain.clone());
        let Err(error) = self.add(record).and_then(|()| self.sync()) else { return Ok(()) };
        self.buffer.clear();
        (self.length, self.chain) = (length, chain);
        let cut = self.disk.cut(self.file.as_fd(), length);
        self.torn = cut.is_err();
        let gone = cut.and_then(|()| self.disk.sync(self.file.as_fd())).is_ok();
        Err(Unended { error, gone })
    }

    /// Records, durably, how the operation ended.
    ///
    /// # Errors
    /// The system's, and whether the record is again as it was before. If it is not, then it may be
    /// read either way later: as ended, or as unfinished.
    pub fn end(&mut self, ended: Ended) -> Result<(), Unended> {
        self.decide(&Record::Ended(ended))?;
        // It has ended, whatever its file is called; if not now, it gets its last name the next time.
        let (from, to) = (file_name(self.number, UNFINISHED), file_name(self.number, FINISHED));
        rename(self.disk, self.system, self.folder(), &from, &to).unwrap_or_default();
        Ok(())
    }
}

/// What decides how an operation is recovered could not be recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unended {
    /// The system's reason.
    pub error: Errno,
    /// Whether nothing of it is in the record now.
    pub gone: bool,
}
