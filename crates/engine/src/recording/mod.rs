//! The catalogue, brought up to date: after an operation, and by a walk.
//!
//! Always by looking at the disk, never by what was planned: so it is right after an operation that was
//! carried out, taken back or recovered, and doing it twice is doing it once.
//!
//! * [`after`]: what an operation has touched.
//! * [`fill`]: every link below some folders. * `stood`: whether a link's volume is where it was.

pub mod after;
pub mod fill;
mod stood;

use crate::catalogue::links::Seen;
use crate::folder::Folder;
use crate::likeness::Depth;
use crate::system::{Access, System};
use crate::track::Tracker;
use crate::volumes::Volumes;
use linkwell_model::keep::link::By;
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::io::Errno;
use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A place at which a link may stand, and who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Asked {
    folder: AbsPath,
    name: Name,
    by: By,
}

/// What stands there.
#[derive(Clone, Debug)]
enum Standing {
    /// A link: what is to be recorded of it, and of the links on its way.
    Link(Vec<Seen>),
    /// No link: nothing, or something real.
    None,
    /// Nobody can tell.
    Unseen,
}

/// Looks at one place after another; a folder stays open as long as the next one lies in it, too.
struct Gaze<'v> {
    system: System,
    volumes: &'v Arc<Volumes>,
    tracker: Tracker<'v>,
    folder: Option<(Arc<Folder>, AbsPath, Result<OwnedFd, Errno>)>,
    /// Links on the way of others that are in hand already.
    ways: HashSet<AbsPath>,
}

impl<'v> Gaze<'v> {
    fn new(system: System, volumes: &'v Arc<Volumes>, depth: Depth) -> Self {
        let tracker = Tracker::new(system, volumes, depth);
        Self { system, volumes, tracker, folder: None, ways: HashSet::new() }
    }

    fn at(&mut self, asked: &Asked) -> Standing {
        let known = self.folder.as_ref().is_some_and(|(_, place, _)| *place == asked.folder);
        if !known {
            let folder = Folder::of_place(&asked.folder);
            let open = if self.volumes.gives_answer(&asked.folder) {
                folder.open(self.system, Access::Hold)
            } else {
                Err(Errno::IO)
            };
            self.folder = Some((folder, asked.folder.clone(), open));
        }
        let Some((folder, _, open)) = &self.folder else { return Standing::Unseen };
        let held = match open {
            Ok(held) => held.as_fd(),
            // The chain of names is walked without following links: a link on it is no folder.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {
                return if self.is_absent(asked) { Standing::Unseen } else { Standing::None };
            }
            Err(_) => return Standing::Unseen,
        };
        if !self.volumes.may_enter(&asked.folder.joined(asked.name.as_bytes())) {
            return Standing::Unseen;
        }
        let folder = Arc::clone(folder);
        match self.tracker.link(&folder, held, &asked.name, asked.by) {
            Ok(seen) if seen.is_empty() => Standing::None,
            Ok(mut seen) => {
                let ways = &mut self.ways;
                seen.retain(|seen| seen.link.by != By::Way || ways.insert(seen.link.place()));
                Standing::Link(seen)
            }
            Err(Errno::NOENT | Errno::NOTDIR) => Standing::None,
            Err(_) => Standing::Unseen,
        }
    }

    /// Whether a volume is expected at a place that is missing, and not attached.
    fn is_absent(&self, asked: &Asked) -> bool {
        self.volumes.absent(&asked.folder, asked.name.as_bytes()).is_some()
    }
}

/// So many places are looked at by one thread before it asks for more.
const BLOCK: usize = 256;

/// Looks at many places, by threads if there are many; the answers come in the order of the places.
fn look_at(system: System, volumes: &Arc<Volumes>, depth: Depth, asked: &[Asked]) -> Vec<Standing> {
    let most = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let threads = most.min(asked.len().div_ceil(BLOCK));
    if threads < 2 {
        let mut gaze = Gaze::new(system, volumes, depth);
        return asked.iter().map(|asked| gaze.at(asked)).collect();
    }
    let blocks: Vec<&[Asked]> = asked.chunks(BLOCK).collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let mut gaze = Gaze::new(system, volumes, depth);
        let mut done: Vec<(usize, Vec<Standing>)> = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(block) = blocks.get(number) else { return done };
            done.push((number, block.iter().map(|asked| gaze.at(asked)).collect()));
        }
    };
    let mut all: Vec<(usize, Vec<Standing>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        // A thread that panicked has none of its answers; its places count as not seen.
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    all.sort_unstable_by_key(|(number, _)| *number);
    let mut answers = Vec::with_capacity(asked.len());
    for (number, block) in all {
        answers.resize(number * BLOCK, Standing::Unseen);
        answers.extend(block);
    }
    answers.resize(asked.len(), Standing::Unseen);
    answers
}
