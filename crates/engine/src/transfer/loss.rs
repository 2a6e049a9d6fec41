//! What a copy lacks, gathered over a whole tree.

use linkwell_model::plan::Loss;
use std::sync::{Mutex, PoisonError};

/// So many paths are kept of each kind.
const SOME: usize = 5;

/// What a copy lacks, of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// What.
    pub kind: Loss,
    /// In how many entries.
    pub count: u64,
    /// The first few of them, below the top.
    pub paths: Vec<Vec<u8>>,
}

/// All that a copy lacks.
#[derive(Debug, Default)]
pub(super) struct Losses {
    all: Mutex<Vec<Lost>>,
}

impl Losses {
    pub(super) fn add(&self, kind: Loss, path: impl FnOnce() -> Vec<u8>) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lost) = all.iter_mut().find(|lost| lost.kind == kind) {
            lost.count += 1;
            if lost.paths.len() < SOME {
                lost.paths.push(path());
            }
        } else {
            all.push(Lost { kind, count: 1, paths: vec![path()] });
        }
    }

    /// All of it, in the order in which the kinds are documented.
    pub(super) fn all(&self) -> Vec<Lost> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner).clone();
        all.sort_by_key(|lost| lost.kind);
        all
    }
}
