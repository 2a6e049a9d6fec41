//! Brings a tree to another place, usually another volume: with all that it carries, verified, and so
//! that an interrupted run can go on; says later whether the original is still as it was copied; and
//! frees the original by what is on record.
//!
//! * [`bring`]: copies a tree to a name that is free.
//! * [`still`]: whether the original has changed since.
//! * [`release`]: frees the original, and nothing but what was copied.
//! * [`record`]: every entry, as it was and what was made of it.
//!
//! Everything goes by held folders and single names, through no link and into no other volume, however
//! deep. Originals are looked at on the descriptor that they were read through. What is read leaves no
//! trace where the system allows that: times of reading stay.

mod clear;
mod clone;
mod contents;
mod crew;
mod dress;
mod early;
pub mod entry;
mod first;
mod frame;
mod leaf;
mod loss;
mod ours;
pub mod record;
mod release;
mod settled;
mod shared;
mod still;
mod sum;
mod verify;
mod walk;

pub use clear::clear;
pub use entry::Copied;
pub use loss::Lost;
pub use record::{Manifest, Record};
pub use release::{Left, Released, Stays, release, release_copy};
pub use still::{Changes, Few, is_there, still, untouched};
pub use walk::bring;

use crate::disk::Disk;
use crate::system::{Facts, System};
use linkwell_model::name::Name;
use linkwell_model::plan::{Loss, Rewritten, Verify};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::sync::Mutex;

/// One name in a held folder.
pub type At<'a> = (BorrowedFd<'a>, &'a Name);

/// What is to be brought where, and how.
pub struct Order<'a> {
    /// The door.
    pub disk: &'a dyn Disk,
    /// The calls that look.
    pub system: System,
    /// The original.
    pub from: At<'a>,
    /// What it must be: its identity is compared.
    pub facts: &'a Facts,
    /// Where to: a name that is free, unless an interrupted run is gone on with.
    pub to: At<'a>,
    /// Which folder of our own stands there, if one does: known of an earlier run, or of this one as soon as
    /// it is made. No other is emptied: whoever may rename there can put one in its place.
    pub made: &'a Mutex<Option<Copied>>,
    /// How the copy is compared with the original.
    pub verify: Verify,
    /// What it may lack.
    pub accept: &'a [Loss],
    /// The links that get another text, in the order of their bytes.
    pub links: &'a [Rewritten],
    /// Refuse what somebody has open for writing, and let nobody open for writing what is being read.
    pub alone: bool,
    /// How many threads copy, once there is more than a little to do.
    pub threads: usize,
    /// Who is told how far it is, and says when to stop.
    pub watch: &'a dyn Watch,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// How many entries there are, the top among them.
    pub entries: u64,
    /// How many bytes were copied in this run, holes not counted.
    pub bytes: u64,
    /// How many entries, folders not counted, an earlier run had copied.
    pub kept: u64,
    /// What the copy lacks, all of it accepted.
    pub lost: Vec<Lost>,
}

/// Which part of the work is being done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Contents and all the rest are copied.
    Copying,
    /// What was copied is being made to last.
    Syncing,
    /// What was copied is read back.
    Verifying,
    /// It is looked whether the original is still as it was.
    Looking,
    /// The original is freed.
    Freeing,
}

/// Who watches. Any thread may call, often; so each call has to be cheap.
pub trait Watch: Sync {
    /// Whether the person asks to stop.
    fn stops(&self) -> bool {
        false
    }

    /// Another part of the work begins.
    fn phase(&self, _phase: Phase) {}

    /// So many more entries, and bytes of their contents, are done in this part.
    fn done(&self, _entries: u64, _bytes: u64) {}

    /// This is being worked at: a name in the folder that `below` gives when asked, from the top of
    /// the tree with a slash behind each name.
    fn at(&self, _below: &dyn Fn() -> Vec<u8>, _name: &Name) {}
}

/// Nobody watches.
#[derive(Clone, Copy, Debug)]
pub struct Unwatched;

impl Watch for Unwatched {}

/// On which side something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// In the original.
    Original,
    /// In the copy.
    Copy,
    /// In the record.
    Record,
}

/// Why a tree was not brought. The paths are below its top, names joined by slashes; empty for the top.
///
/// What was copied until then stands where it was copied to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It changes all the time, or is not what it is said to be.
    Changed(Vec<u8>),
    /// Somebody has it open for writing.
    InUse(Vec<u8>),
    /// Another volume is mounted there.
    Mounted(Vec<u8>),
    /// The link that was to get another text is not there, or has not the text that it should have.
    Unexpected(Vec<u8>),
    /// What was copied does not read back as it was written.
    Differs(Vec<u8>),
    /// Somebody else's stands where the copy was to be made.
    Foreign,
    /// The copy would lack something that was not accepted; all that it would lack.
    Lossy(Vec<Lost>),
    /// The system refuses.
    System {
        /// What could not be done.
        doing: &'static str,
        /// On which side.
        side: Side,
        /// With what.
        path: Vec<u8>,
        /// The system's reason.
        error: Errno,
    },
    /// The person asked to stop.
    Stopped,
}

impl From<Errno> for Trouble {
    /// What went wrong with the record.
    fn from(error: Errno) -> Self {
        Self::System { doing: "use the record", side: Side::Record, path: Vec::new(), error }
    }
}

/// What went wrong with one entry, whose path is told by who knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slip {
    /// It is not what it was a moment ago.
    Changed,
    /// It is not there any more.
    Vanished,
    InUse,
    Mounted,
    Unexpected,
    /// In place of what was made, something of somebody else's is there.
    Foreign,
    Stopped,
    System(&'static str, Side, Errno),
}

impl Slip {
    fn original(doing: &'static str) -> impl Fn(Errno) -> Self {
        move |error| Self::System(doing, Side::Original, error)
    }

    fn copy(doing: &'static str) -> impl Fn(Errno) -> Self {
        move |error| Self::System(doing, Side::Copy, error)
    }

    fn at(self, path: Vec<u8>) -> Trouble {
        match self {
            Self::Changed | Self::Vanished => Trouble::Changed(path),
            Self::InUse => Trouble::InUse(path),
            Self::Mounted => Trouble::Mounted(path),
            Self::Unexpected => Trouble::Unexpected(path),
            Self::Foreign => Trouble::Foreign,
            Self::Stopped => Trouble::Stopped,
            Self::System(doing, side, error) => Trouble::System { doing, side, path, error },
        }
    }
}
