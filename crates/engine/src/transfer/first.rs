//! Files with several names: the first that is met is copied, and its copy gets the other names.

use super::entry::Copied;
use crate::folder::Folder;
use linkwell_model::name::Name;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

/// Where the first name of a file was copied to.
#[derive(Debug)]
pub(super) struct First {
    pub(super) folder: Arc<Folder>,
    pub(super) name: Name,
    pub(super) copy: Copied,
    pub(super) sum: Option<[u8; 32]>,
    pub(super) carries: bool,
}

/// Which file: its device and number.
pub(super) type Key = (u64, u64);

#[derive(Debug)]
enum State {
    /// It is being copied by one of the threads.
    Busy,
    Done(Arc<First>),
}

/// Every file with several names that was met.
#[derive(Debug, Default)]
pub(super) struct Firsts {
    all: Mutex<HashMap<Key, State>>,
    settled: Condvar,
}

/// The right to copy a file, and the duty to say what came of it. Dropped without: somebody else may.
pub(super) struct Claim<'f> {
    firsts: &'f Firsts,
    key: Key,
    done: Option<Arc<First>>,
}

impl Claim<'_> {
    pub(super) fn settle(mut self, first: First) {
        self.done = Some(Arc::new(first));
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut all = self.firsts.all();
        match self.done.take() {
            Some(first) => all.insert(self.key, State::Done(first)),
            None => all.remove(&self.key),
        };
        self.firsts.settled.notify_all();
    }
}

impl Firsts {
    fn all(&self) -> MutexGuard<'_, HashMap<Key, State>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first name of a file; or the right to copy it. Waits while another thread is copying it.
    pub(super) fn claim(&self, key: Key) -> Result<Arc<First>, Claim<'_>> {
        let mut all = self.all();
        loop {
            match all.entry(key) {
                Entry::Vacant(vacant) => {
                    vacant.insert(State::Busy);
                    return Err(Claim { firsts: self, key, done: None });
                }
                Entry::Occupied(occupied) => {
                    if let State::Done(first) = occupied.get() {
                        return Ok(Arc::clone(first));
                    }
                }
            }
            all = self.settled.wait(all).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Notes that a name was copied in an earlier run.
    pub(super) fn know(&self, key: Key, first: impl FnOnce() -> First) {
        self.all().entry(key).or_insert_with(|| State::Done(Arc::new(first())));
    }

    /// Forgets a first name that is being replaced.
    pub(super) fn forget(&self, key: Key, name: &Name, folder: &Arc<Folder>) {
        let mut all = self.all();
        let same = match all.get(&key) {
            Some(State::Done(first)) => first.name == *name && first.folder == *folder,
            _ => false,
        };
        if same {
            all.remove(&key);
        }
    }
}
