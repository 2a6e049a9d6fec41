//! Who uses what is about to be moved, asked of two witnesses.
//!
//! [`look`] reads what the system tells of its processes: it names them, and it also knows who stands
//! in a folder or runs a program of it. It sees other users' processes with rights alone, and only this
//! moment. [`written_to`] and [`lease_walk`] ask the kernel for a lease on each file: that sees every
//! writer on this machine, whoever it is, and also one without a process (a loop device, a swap file),
//! but gives no names. Neither sees a writer on another machine that shares the volume.

mod lease;
pub(crate) mod process;
#[cfg(target_os = "linux")]
mod scout;

pub use lease::{Walked, lease_walk, written_to, written_to_this};

use crate::system::System;
use linkwell_model::entry::FileId;
use linkwell_model::path::AbsPath;
use std::fmt;

/// What is about to be moved: a file, or a folder with all that is in it.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// Where it lies.
    pub place: &'a AbsPath,
    /// Which object it is.
    pub id: FileId,
    /// Whether an object is in it, besides by its path: for what is in use under a path elsewhere (a
    /// bind mount, another process's own mounts, another name of the file). It is asked of files and
    /// folders, several times each. Without such knowledge, answer `false`.
    pub belongs: &'a dyn Fn(FileId) -> bool,
}

impl fmt::Debug for Subject<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Subject").field("place", self.place).finish_non_exhaustive()
    }
}

/// How a process uses something; the graver first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum How {
    /// It has a file open for writing.
    Writes,
    /// It has a file mapped into its memory, shared and writable; the descriptor may be closed.
    Maps,
    /// It is its current folder.
    Stands,
    /// It is its root folder.
    Rooted,
    /// It is the program that it runs.
    Runs,
    /// It has it open, or mapped, and cannot change it that way.
    Reads,
}

impl How {
    /// Whether what the process does next may be lost when the thing is copied and the old one freed.
    pub fn changes(self) -> bool {
        matches!(self, Self::Writes | Self::Maps)
    }
}

/// One thing that a process uses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Use {
    /// How.
    pub how: How,
    /// What: below the place where `inside`, and nothing for the place itself; otherwise as the
    /// process has it.
    pub path: Vec<u8>,
    /// Whether `path` leads on from the place.
    pub inside: bool,
}

/// A process that uses it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub process: u32,
    /// Its name, up to 15 bytes that it chose itself.
    pub name: Vec<u8>,
    /// Whose it is, by number.
    pub user: u32,
    /// It started this one, or started what did: the person's own shell.
    pub above: bool,
    /// What it uses, the gravest first; at most [`MOST`].
    pub uses: Vec<Use>,
    /// How much more it uses.
    pub more: u64,
}

/// So many things are told of one process.
pub const MOST: usize = 64;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The processes, those with the gravest uses first. This one is left out.
    pub users: Vec<User>,
    /// Files that the system swaps to, as [`Use::path`] when they are inside, else as they are called.
    pub swaps: Vec<Vec<u8>>,
    /// So many processes could not be looked into: they belong to others, or guard themselves.
    pub unseen: u64,
    /// So many of these are this user's own: the system guards them (ptrace(2), "access mode checking").
    pub guarded: u64,
    /// Processes of others are hidden, and not even counted.
    pub hidden: bool,
}

impl Found {
    /// Whether anybody may change it.
    pub fn changes(&self) -> bool {
        !self.swaps.is_empty() || self.uses().any(How::changes)
    }

    /// Whether anybody uses it in a way other than reading.
    pub fn hinders(&self) -> bool {
        !self.swaps.is_empty() || self.uses().any(|how| how != How::Reads)
    }

    fn uses(&self) -> impl Iterator<Item = How> {
        self.users.iter().flat_map(|user| user.uses.iter().map(|one| one.how))
    }
}

/// Who uses it now; `None` where the system does not tell of its processes.
///
/// One pass over all processes, while they go on: what is opened meanwhile may be missed. Files that
/// have no name any more do not count. Not seen: processes outside the view of this one's `/proc`
/// (a container sees its own alone), threads that keep descriptors or a current folder of their own,
/// and what is on its way through a socket.
pub fn look(system: System, subject: &Subject<'_>) -> Option<Found> {
    #[cfg(target_os = "linux")]
    return scout::look(system, subject);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (system, subject);
        None
    }
}
