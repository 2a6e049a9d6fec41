//! What is copied is sent to its disk while more is copied, so that little is left to wait for at the end.
//!
//! This makes nothing last that has to last: the sync at the end does. But whoever is told first of a
//! write that failed is the only one who is told, so what was told here counts.

use rustix::io::Errno;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// After so much more it is sent: bytes, and entries. Each time waits for the disk, though nobody else does.
const MUCH: (u64, u64) = (64 << 20, 16_384);

#[derive(Debug, Default)]
struct State {
    closed: bool,
    failed: Option<Errno>,
}

/// Counts what was copied, and says when it is enough.
#[derive(Debug, Default)]
pub(super) struct Early {
    bytes: AtomicU64,
    entries: AtomicU64,
    state: Mutex<State>,
    rung: Condvar,
}

/// Sends nothing more when it is dropped.
pub(super) struct Closing<'e>(&'e Early);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.state().closed = true;
        self.0.rung.notify_all();
    }
}

impl Early {
    fn state(&self) -> MutexGuard<'_, State> {
        // What is guarded is whole after each statement.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So much more was copied. No lock is taken but when it gets due: every file comes here twice.
    pub(super) fn add(&self, entries: u64, bytes: u64) {
        // Each by itself: whoever fills one up rings, however the other stands.
        let full = [passes(&self.bytes, bytes, MUCH.0), passes(&self.entries, entries, MUCH.1)];
        if full.contains(&true) {
            // Locked, so that whoever is about to wait is waiting, or sees it.
            drop(self.state());
            self.rung.notify_all();
        }
    }

    fn is_due(&self) -> bool {
        self.bytes.load(Ordering::Relaxed) >= MUCH.0
            || self.entries.load(Ordering::Relaxed) >= MUCH.1
    }

    /// Has `send` called, again and again as it gets due, until what is given is dropped.
    pub(super) fn serve(&self, send: impl Fn() -> Result<(), Errno>) {
        let mut state = self.state();
        loop {
            if state.closed || state.failed.is_some() {
                return;
            }
            if self.is_due() {
                self.bytes.store(0, Ordering::Relaxed);
                self.entries.store(0, Ordering::Relaxed);
                drop(state);
                let sent = send();
                state = self.state();
                state.failed = sent.err();
            } else {
                state = self.rung.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// To be dropped when nothing more comes.
    pub(super) fn open(&self) -> Closing<'_> {
        self.state().closed = false;
        Closing(self)
    }

    /// What was told of writes that failed.
    pub(super) fn answer(&self) -> Result<(), Errno> {
        self.state().failed.map_or(Ok(()), Err)
    }
}

/// Adds to a count; whether it comes to so much by that.
fn passes(count: &AtomicU64, more: u64, much: u64) -> bool {
    if more == 0 {
        return false;
    }
    let before = count.fetch_add(more, Ordering::Relaxed);
    before < much && before.saturating_add(more) >= much
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// How often it was sent, after so many times so much.
    fn sent(times: usize, bytes: u64, answer: Result<(), Errno>) -> (usize, Result<(), Errno>) {
        let (early, sent) = (Early::default(), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            let closing = early.open();
            let serving = scope.spawn(|| {
                early.serve(|| {
                    sent.fetch_add(1, Ordering::SeqCst);
                    answer
                });
            });
            for _ in 0..times {
                early.add(1, bytes);
                while early.is_due() && !serving.is_finished() {
                    std::thread::yield_now();
                }
            }
            drop(closing);
        });
        (sent.into_inner(), early.answer())
    }

    #[test]
    fn little_is_not_sent_and_much_is_sent_again_and_again() {
        assert_eq!(sent(1000, 1024, Ok(())), (0, Ok(())));
        assert_eq!(sent(5, MUCH.0, Ok(())), (5, Ok(())));
        assert_eq!(sent(6, MUCH.0 / 2, Ok(())), (3, Ok(())));
    }

    #[test]
    fn what_failed_is_told_and_nothing_more_is_sent() {
        assert_eq!(sent(5, MUCH.0, Err(Errno::IO)), (1, Err(Errno::IO)));
    }
}
