//! Writing a journal: lines are gathered, and made durable where something depends on them.

use super::record::{Ended, Header, Record, Volumes};
use super::{FINISHED, UNFINISHED, file_name, line};
use crate::disk::Disk;
use crate::system::System;
use linkwell_model::name::Name;
use linkwell_model::plan::{Object, Plan, Token};
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::borrow::Cow;

/// The journal of an operation that is being carried out.
pub struct Journal<'d> {
    pub(super) disk: &'d dyn Disk,
    pub(super) system: System,
    pub(super) file: OwnedFd,
    pub(super) folder: OwnedFd,
    pub(super) number: u64,
    pub(super) token: Token,
    pub(super) buffer: Vec<u8>,
    pub(super) chain: line::Chain,
    /// How much of the file is whole lines.
    pub(super) length: u64,
    /// Half a line may stand behind them.
    pub(super) torn: bool,
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

    pub(super) fn write_plan(
        &mut self,
        header: &Header,
        plan: &Plan,
        volumes: &Volumes,
    ) -> Result<(), Errno> {
        self.add(&Record::Operation(Cow::Borrowed(header)))?;
        for folder in &plan.folders {
            self.add(&Record::Folder(Cow::Borrowed(folder)))?;
        }
        for (device, id) in volumes {
            self.add(&Record::Volume { device: *device, id: *id })?;
        }
        for time in &plan.times {
            self.add(&Record::Time(*time))?;
        }
        for seen in &plan.seen {
            self.add(&Record::Seen(Cow::Borrowed(seen)))?;
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

    /// Records that what a step had set aside could not be freed; durable as [`Journal::did`].
    ///
    /// # Errors
    /// The system's.
    pub fn stuck(&mut self, step: usize, why: &str) -> Result<(), Errno> {
        let step = u64::try_from(step).unwrap_or(u64::MAX);
        self.add(&Record::Stuck { step, why: why.into() })
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

/// Gives a journal another name. Where the file system cannot promise not to replace (NFS, most of FUSE),
/// a look comes first: the lock is held, so nobody else makes names here.
pub(super) fn rename(
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
