//! A door that counts what goes through it, fails the n-th primitive, or stops there, as if the
//! process had been killed; and one to a file system that lacks what not all have.

use linkwell_calls::attributes::Attributes;
use linkwell_engine::disk::{Disk, Special, Unix};
use linkwell_model::entry::Time;
use linkwell_model::name::Name;
use linkwell_model::target::Target;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// Primitive `at` gives `errno`; with `ever` all that follow as well.
    Fail { at: usize, errno: Errno, ever: bool },
    /// Nothing is done from primitive `at` on: the process is gone.
    Stop { at: usize },
    /// Primitive `fail` gives EIO, and nothing is done from primitive `stop` on.
    Both { fail: usize, stop: usize },
}

/// What the file system below lacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lacks {
    pub(crate) exchange: Option<Errno>,
    pub(crate) rename_new: Option<Errno>,
    /// A file can have one name only.
    pub(crate) names: bool,
}

/// The door.
pub(crate) struct Faulty {
    fault: Fault,
    lacks: Lacks,
    count: AtomicUsize,
    fired: Mutex<Option<&'static str>>,
}

/// What a stopped process leaves behind.
pub(crate) struct Stopped;

/// Runs `work`; `Err` when it was stopped in the middle.
pub(crate) fn until_stopped<T>(work: impl FnOnce() -> T) -> Result<T, Stopped> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| match payload.downcast::<Stopped>() {
        Ok(stopped) => *stopped,
        Err(other) => resume_unwind(other),
    })
}

impl Faulty {
    pub(crate) fn new(fault: Fault, lacks: Lacks) -> Self {
        Self { fault, lacks, count: AtomicUsize::new(0), fired: Mutex::new(None) }
    }

    /// How many primitives were asked for.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// The primitive at which the fault came first, if it did.
    pub(crate) fn fired(&self) -> Option<&'static str> {
        *self.fired.lock().expect("unpoisoned")
    }

    /// Counts one primitive. When it is to fail, what it may have done by then is done first.
    fn pass(&self, primitive: &'static str, partly: impl FnOnce()) -> Result<(), Errno> {
        let number = self.count.fetch_add(1, Ordering::SeqCst) + 1;
        let fire = || {
            self.fired.lock().expect("unpoisoned").get_or_insert(primitive);
        };
        let fault = match self.fault {
            Fault::Both { fail, .. } if number == fail => {
                Fault::Fail { at: fail, errno: Errno::IO, ever: false }
            }
            Fault::Both { stop, .. } => Fault::Stop { at: stop },
            fault => fault,
        };
        match fault {
            Fault::Fail { at, errno, ever } if number == at || (ever && number > at) => {
                fire();
                partly();
                // That an owner, a time or a mark cannot be kept is no failure; see `may`.
                let undone = [Errno::PERM, Errno::ACCESS, Errno::NOTSUP, Errno::INVAL];
                let left = matches!(primitive, "own" | "times" | "mark" | "allocate" | "flag")
                    && undone.contains(&errno);
                Err(if left { Errno::IO } else { errno })
            }
            Fault::Stop { at } if number >= at => {
                fire();
                partly();
                resume_unwind(Box::new(Stopped))
            }
            _ => Ok(()),
        }
    }

    /// Counts a primitive that does all or nothing.
    pub(crate) fn whole(&self, primitive: &'static str) -> Result<(), Errno> {
        self.pass(primitive, || {})
    }
}

fn lacking(errno: Option<Errno>) -> Result<(), Errno> {
    errno.map_or(Ok(()), Err)
}

impl Disk for Faulty {
    fn make_folder(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        self.whole("make_folder")?;
        Unix.make_folder(at, name)
    }

    fn make_common_folder(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        self.whole("make_common_folder")?;
        Unix.make_common_folder(at, name)
    }

    fn make_link(&self, at: BorrowedFd<'_>, name: &Name, target: &Target) -> Result<(), Errno> {
        self.whole("make_link")?;
        Unix.make_link(at, name, target)
    }

    fn make_name(
        &self,
        file: BorrowedFd<'_>,
        from: BorrowedFd<'_>,
        of: &Name,
        at: BorrowedFd<'_>,
        name: &Name,
    ) -> Result<(), Errno> {
        self.whole("make_name")?;
        lacking(self.lacks.names.then_some(Errno::PERM))?;
        Unix.make_name(file, from, of, at, name)
    }

    fn make_file(&self, at: BorrowedFd<'_>, name: &Name) -> Result<OwnedFd, Errno> {
        self.whole("make_file")?;
        Unix.make_file(at, name)
    }

    fn make_file_as(&self, at: BorrowedFd<'_>, name: &Name, mode: u32) -> Result<OwnedFd, Errno> {
        self.whole("make_file_as")?;
        Unix.make_file_as(at, name, mode)
    }

    fn make_special(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        special: Special,
        mode: u32,
    ) -> Result<(), Errno> {
        self.whole("make_special")?;
        Unix.make_special(at, name, special, mode)
    }

    fn write(&self, file: BorrowedFd<'_>, bytes: &[u8]) -> Result<(), Errno> {
        let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
        self.pass("write", || Unix.write(file, half).expect("half of it can be written"))?;
        Unix.write(file, bytes)
    }

    fn write_at(&self, file: BorrowedFd<'_>, bytes: &[u8], at: u64) -> Result<(), Errno> {
        let half = bytes.get(..bytes.len() / 2).unwrap_or_default();
        self.pass("write_at", || Unix.write_at(file, half, at).expect("half can be written"))?;
        Unix.write_at(file, bytes, at)
    }

    fn copy(
        &self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        stretch: Range<u64>,
    ) -> Result<u64, Errno> {
        self.pass("copy", || Unix.write(to, b"d").expect("a part can be written"))?;
        Unix.copy(from, to, stretch)
    }

    fn share(&self, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<(), Errno> {
        self.whole("share")?;
        Unix.share(from, to)
    }

    fn share_stretch(
        &self,
        from: (BorrowedFd<'_>, u64),
        to: BorrowedFd<'_>,
        stretch: Range<u64>,
    ) -> Result<(), Errno> {
        self.whole("share_stretch")?;
        Unix.share_stretch(from, to, stretch)
    }

    fn allocate(&self, file: BorrowedFd<'_>, stretch: Range<u64>) -> Result<(), Errno> {
        self.whole("allocate")?;
        Unix.allocate(file, stretch)
    }

    fn cut(&self, file: BorrowedFd<'_>, length: u64) -> Result<(), Errno> {
        self.whole("cut")?;
        Unix.cut(file, length)
    }

    fn exchange(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        other: BorrowedFd<'_>,
        with: &Name,
    ) -> Result<(), Errno> {
        self.whole("exchange")?;
        lacking(self.lacks.exchange)?;
        Unix.exchange(at, name, other, with)
    }

    fn rename_new(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        to: BorrowedFd<'_>,
        new: &Name,
    ) -> Result<(), Errno> {
        self.whole("rename_new")?;
        lacking(self.lacks.rename_new)?;
        Unix.rename_new(at, name, to, new)
    }

    fn rename_over(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        to: BorrowedFd<'_>,
        new: &Name,
    ) -> Result<(), Errno> {
        self.whole("rename_over")?;
        Unix.rename_over(at, name, to, new)
    }

    fn drop_name(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        self.whole("drop_name")?;
        Unix.drop_name(at, name)
    }

    fn drop_folder(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        self.whole("drop_folder")?;
        Unix.drop_folder(at, name)
    }

    fn own(&self, held: BorrowedFd<'_>, owner: u32, group: u32) -> Result<(), Errno> {
        self.whole("own")?;
        Unix.own(held, owner, group)
    }

    fn permit(&self, held: BorrowedFd<'_>, mode: u32) -> Result<(), Errno> {
        self.whole("permit")?;
        Unix.permit(held, mode)
    }

    fn times(&self, held: BorrowedFd<'_>, accessed: Time, modified: Time) -> Result<(), Errno> {
        self.whole("times")?;
        Unix.times(held, accessed, modified)
    }

    fn mark(&self, held: BorrowedFd<'_>, name: &[u8], value: &[u8]) -> Result<(), Errno> {
        self.whole("mark")?;
        Unix.mark(held, name, value)
    }

    fn flag(&self, held: BorrowedFd<'_>, attributes: &Attributes) -> Result<(), Errno> {
        self.whole("flag")?;
        Unix.flag(held, attributes)
    }

    // What a power cut would leave is the subject of another test; here a sync only counts.
    fn sync(&self, _held: BorrowedFd<'_>) -> Result<(), Errno> {
        self.whole("sync")
    }

    fn sync_volume(&self, _held: BorrowedFd<'_>) -> Result<(), Errno> {
        self.whole("sync_volume")
    }
}
