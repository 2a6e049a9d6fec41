//! Every entry under some folders, each found once; links are reported and never followed.
//!
//! A scan never fails because of one entry: what could not be looked at is an item, too. It stays
//! on the volume of each root unless asked otherwise, holds few descriptors whatever the depth,
//! and keeps in memory only the names of folders that it has yet to enter.

mod crew;
mod item;
mod points;
mod siblings;
mod task;
mod walk;
mod watch;

pub mod binds;
pub mod hard;
pub mod judged;
pub mod recorded;
pub mod shortcuts;

pub use siblings::Siblings;

use crate::folder::Folder;
use crate::judge::Found;
use crate::system::{Listed, System};
use crate::volumes::Volumes;
use linkwell_model::entry::EntryKind;
use linkwell_model::path::AbsPath;
use rustix::io::Errno;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What a scan looks at.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Enter other volumes that are mounted below a root.
    pub cross_volumes: bool,
    /// Enter file systems that the kernel makes up, such as `/proc`.
    pub virtual_too: bool,
    /// Report files as well as links.
    pub files_too: bool,
    /// How many threads at the most; `None` to let the disk decide.
    pub threads: Option<NonZeroUsize>,
    /// The current directory, for telling where a relative path will be looked up.
    pub current: Option<AbsPath>,
}

/// A path that a person asked about.
#[derive(Debug)]
pub struct Root {
    /// As it was typed.
    pub typed: Vec<u8>,
    /// The folder to walk; `None` when the typed path is an entry of its own.
    pub top: Option<Arc<Folder>>,
    /// Where it lies: the folder, or the folder that holds the entry.
    pub place: AbsPath,
}

impl Root {
    /// The path of an entry as a person would type it: the typed root and the way below it.
    pub fn path_of(&self, folder: &Folder, name: &[u8]) -> Vec<u8> {
        let mut path = self.prefix(folder);
        if self.top.is_some() {
            path.extend_from_slice(name);
        }
        path
    }

    /// The path of a folder below this root, ready for a name to be appended; the whole typed
    /// path when the root is an entry of its own.
    pub fn prefix(&self, folder: &Folder) -> Vec<u8> {
        let mut path = self.typed.clone();
        if let Some(top) = &self.top {
            if path.last() != Some(&b'/') {
                path.push(b'/');
            }
            folder.append_path_below(top, &mut path);
        }
        path
    }
}

/// Why something could not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The system's refusal.
    System(Errno),
    /// A volume gave no answer in time.
    NoAnswer,
    /// An automount point, which was not touched so as not to wake it.
    OnDemand,
    /// A file system that the kernel makes up, and none was asked for.
    Virtual,
    /// A git index that could not be read.
    GitIndex,
}

/// One place that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// As a person would type it.
    pub path: Vec<u8>,
    /// Why.
    pub trouble: Trouble,
}

/// What a scan tells, thread by thread. Each thread has a visitor of its own.
pub trait Visitor: Send + 'static {
    /// Whether [`Visitor::entry`] is called.
    const ENTRIES: bool = false;

    /// Any entry as its folder's listing names it, folders and links too; only with
    /// [`Visitor::ENTRIES`].
    fn entry(&mut self, found: Found<'_>, listed: Listed<'_>) {
        let _ = (found, listed);
    }

    /// A root that is a folder, before anything in it.
    fn root(&mut self, root: &Arc<Root>);

    /// A symbolic link, and some of the files that its folder's listing named beside it.
    ///
    /// `claim` is to be called when nothing is left to be looked at and before anything is told;
    /// when it answers `false`, somebody else has told of this link.
    fn link(
        &mut self,
        root: &Arc<Root>,
        found: Found<'_>,
        files: &Siblings,
        claim: &dyn Fn() -> bool,
    );

    /// The same, if it can be done without any chance of waiting for a remote volume; `false` when
    /// it cannot, and nothing was told.
    fn link_at_once(&mut self, root: &Arc<Root>, found: Found<'_>, files: &Siblings) -> bool;

    /// A symbolic link that could not be judged in time.
    fn unanswered(&mut self, root: &Arc<Root>, found: Found<'_>);

    /// Anything else that is no folder; only with [`Options::files_too`].
    fn file(&mut self, root: &Arc<Root>, found: Found<'_>, kind: EntryKind);

    /// The folder's entries have all been given; only with [`Options::files_too`].
    fn folder_read(&mut self, root: &Arc<Root>, found: Found<'_>);

    /// Something could not be looked at.
    fn problem(&mut self, problem: Problem);

    /// Another volume, mounted here, was not entered.
    fn other_volume(&mut self, path: Vec<u8>);

    /// A convenient moment to pass on what has gathered; called between folders.
    fn pause(&mut self);

    /// Pass on everything now: the thread ends, or is about to do what may never return.
    fn settle(&mut self);
}

/// How far a scan has come.
#[derive(Debug, Default)]
pub struct Progress {
    entries: AtomicU64,
    links: AtomicU64,
}

impl Progress {
    /// Entries seen so far.
    pub fn entries(&self) -> u64 {
        self.entries.load(Ordering::Relaxed)
    }

    /// Links seen so far.
    pub fn links(&self) -> u64 {
        self.links.load(Ordering::Relaxed)
    }
}

/// A scan that can be watched and stopped from outside.
#[derive(Clone, Debug, Default)]
pub struct Handle {
    /// Set to stop the scan; it ends within a few milliseconds.
    pub stop: Arc<AtomicBool>,
    /// How far it has come.
    pub progress: Arc<Progress>,
}

/// Scans `typed` paths. `visitor` is called once for each thread.
///
/// Returns when every reachable entry was given, or soon after [`Handle::stop`] was set. A thread
/// that hangs in a volume without an answer is left behind after the volumes' time limit and the
/// place reported. `tick` is called some hundred times a second, for progress.
///
/// Not guaranteed: an order; a consistent picture of a tree that changes meanwhile.
pub fn scan<V: Visitor>(
    system: System,
    volumes: &Arc<Volumes>,
    options: &Options,
    typed: &[Vec<u8>],
    handle: &Handle,
    visitor: impl Fn() -> V + Send + Sync + 'static,
    tick: impl FnMut(&Progress),
) {
    crew::run(system, volumes, options, typed, handle, visitor, tick);
}
