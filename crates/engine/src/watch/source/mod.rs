//! Who hears of changes.
//!
//! All of them only give hints: a name in a watched folder. A watch is of the folder itself, whatever it
//! is called by now, so the same folder has the same number wherever it went.

#[cfg(target_os = "linux")]
pub(super) mod fanotify;
#[cfg(target_os = "linux")]
pub(super) mod inotify;

use super::queue::Queue;
use linkwell_model::path::AbsPath;
#[cfg(target_os = "linux")]
use rustix::event::{PollFd, PollFlags, Timespec};
#[cfg(target_os = "linux")]
use rustix::fd::OwnedFd;
use rustix::io::Errno;

/// Hears of changes in folders.
pub(super) trait Source: Send {
    /// Watches the folder at a place; with `creation` names that are made are told of, too, from then on. The number
    /// is the folder's, under whichever of its names it was asked for.
    ///
    /// # Errors
    /// The system's; ENOSPC when there are too many.
    fn watch(&mut self, place: &AbsPath, creation: bool) -> Result<i32, Errno>;

    /// Watches it as [`Self::watch`] does; names that are made need not be told of any more.
    ///
    /// # Errors
    /// As there.
    fn quiet(&mut self, place: &AbsPath) -> Result<i32, Errno>;

    /// Ends a watch. Nothing is said when it has ended already.
    fn unwatch(&mut self, watch: i32);

    /// Which kind it is, for people.
    fn word(&self) -> &'static str;
}

/// So long a thread that hears does not ask again once it has heard something. What comes in bursts comes together then,
/// and who makes it (the watcher itself, when it heals many links) is not held up by being heard of at each name. It
/// takes one program that does nothing but rename 70 ms to fill the kernel's queue (16,384 events; measured in memory).
#[cfg(target_os = "linux")]
const REST: Timespec = Timespec { tv_sec: 0, tv_nsec: 2_000_000 };

/// Waits that long, or until `end` can be read.
#[cfg(target_os = "linux")]
fn rest(end: &OwnedFd) {
    let mut polled = [PollFd::new(end, PollFlags::IN)];
    rustix::event::poll(&mut polled, Some(&REST)).unwrap_or_default();
}

/// Nobody hears of anything: all that is left is to look from time to time.
#[derive(Debug)]
pub(super) struct Deaf;

impl Source for Deaf {
    fn watch(&mut self, _: &AbsPath, _: bool) -> Result<i32, Errno> {
        Err(Errno::NOSYS)
    }

    fn quiet(&mut self, _: &AbsPath) -> Result<i32, Errno> {
        Err(Errno::NOSYS)
    }

    fn unwatch(&mut self, _: i32) {}

    fn word(&self) -> &'static str {
        "nothing"
    }
}

/// The best that there is here. `whole`: one mark for a whole volume where that is allowed.
pub(super) fn best(queue: &Queue, whole: bool) -> Box<dyn Source> {
    #[cfg(target_os = "linux")]
    {
        let Ok(inotify) = inotify::Inotify::start(queue.clone()) else { return Box::new(Deaf) };
        if whole && let Ok(fanotify) = fanotify::Fanotify::start(queue.clone()) {
            return Box::new(fanotify::Either::new(fanotify, inotify));
        }
        Box::new(inotify)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (queue, whole);
        Box::new(Deaf)
    }
}
