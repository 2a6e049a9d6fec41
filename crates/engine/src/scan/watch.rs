//! Looks that may never return: who is at what, since when, and who may tell of it.
//!
//! A thread that is about to look at a remote volume says so first. When it has taken too long, the
//! keeper of the scan leaves it behind and tells of the place; when it comes back in time, the
//! thread tells. One atomic word decides between the two, so that each place is told of once.

use super::Root;
use crate::folder::Folder;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const IDLE: u64 = 0;
const LEFT: u64 = u64::MAX;

/// What a thread is looking at.
pub(super) enum Doing {
    /// A folder of a remote volume, by its path.
    Folder(Vec<u8>),
    /// A link that may lead into one.
    Link {
        /// The root it was found below.
        root: Arc<Root>,
        /// The folder it stands in.
        folder: Arc<Folder>,
        /// Its name there.
        name: Box<[u8]>,
        /// The folder itself is on a remote volume.
        remote: bool,
    },
}

/// One thread, as the keeper sees it.
#[derive(Default)]
pub(super) struct Watch {
    /// When the look began, in milliseconds of the scan, plus one; or one of the constants.
    since: AtomicU64,
    doing: Mutex<Option<Doing>>,
}

impl Watch {
    /// A look begins.
    pub(super) fn begin(&self, started: Instant, doing: Doing) {
        *self.doing.lock().unwrap_or_else(PoisonError::into_inner) = Some(doing);
        self.since.store(millis(started) + 1, Ordering::Release);
    }

    /// The look has ended, if there was one. `false` when the thread has been left behind
    /// meanwhile: it has nothing to tell any more.
    pub(super) fn finish(&self) -> bool {
        let since = self.since.load(Ordering::Acquire);
        since != LEFT
            && self.since.compare_exchange(since, IDLE, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Whether the thread has been left behind.
    pub(super) fn is_left(&self) -> bool {
        self.since.load(Ordering::Acquire) == LEFT
    }

    /// Leaves the thread behind if its look has taken longer than `limit`, and says what it was.
    pub(super) fn leave_if_late(&self, started: Instant, limit: Duration) -> Option<Doing> {
        let since = self.since.load(Ordering::Acquire);
        let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX / 2);
        if since == IDLE || since == LEFT || millis(started) < since.saturating_add(limit) {
            return None;
        }
        self.since.compare_exchange(since, LEFT, Ordering::AcqRel, Ordering::Acquire).ok()?;
        self.doing.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn millis(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_the_thread_tells_or_the_keeper() {
        let started = Instant::now();
        let watch = Watch::default();
        assert!(watch.finish(), "no look, nothing lost");
        watch.begin(started, Doing::Folder(b"a".to_vec()));
        assert!(watch.leave_if_late(started, Duration::from_secs(60)).is_none());
        assert!(watch.finish() && !watch.is_left());
        assert!(watch.leave_if_late(started, Duration::ZERO).is_none(), "it came back");
        watch.begin(started, Doing::Folder(b"b".to_vec()));
        while started.elapsed() < Duration::from_millis(3) {
            std::hint::spin_loop();
        }
        let told = watch.leave_if_late(started, Duration::from_millis(1));
        assert!(matches!(told, Some(Doing::Folder(path)) if path == b"b"));
        assert!(watch.is_left() && !watch.finish(), "the keeper told");
        assert!(watch.leave_if_late(started, Duration::ZERO).is_none(), "once");
    }
}
