//! Files with several names: each counted once, and those that have names elsewhere found.

use super::Named;
use crate::system::Facts;
use hashbrown::HashMap;
use linkwell_model::path::AbsPath;

/// So many files whose names have not all been seen keep one of them, so that it can be told.
const MOST_KEPT: usize = 64;

/// How many names of each file have not been seen yet.
#[derive(Debug)]
pub(super) struct Groups {
    device: u64,
    /// By number, on the device of the top.
    here: HashMap<u64, u32>,
    /// By device and number: layers of an overlay have devices of their own.
    elsewhere: HashMap<(u64, u64), u32>,
    /// One name each of the first of them that miss one.
    kept: Vec<((u64, u64), AbsPath)>,
}

impl Groups {
    pub(super) fn new(device: u64) -> Self {
        Self { device, here: HashMap::new(), elsewhere: HashMap::new(), kept: Vec::new() }
    }

    /// Counts one name; `true` for the first of its file.
    pub(super) fn add(&mut self, facts: &Facts, place: impl FnOnce() -> AbsPath) -> bool {
        let key = (facts.id.device, facts.id.inode);
        let names = u32::try_from(facts.names).unwrap_or(u32::MAX);
        let mut first = false;
        let fresh = || {
            first = true;
            names
        };
        let left = if facts.id.device == self.device {
            self.here.entry(facts.id.inode).or_insert_with(fresh)
        } else {
            self.elsewhere.entry(key).or_insert_with(fresh)
        };
        *left = left.saturating_sub(1);
        if first && self.kept.len() < MOST_KEPT {
            self.kept.push((key, place()));
        } else if *left == 0
            && let Some(at) = self.kept.iter().position(|(kept, _)| *kept == key)
        {
            self.kept.swap_remove(at);
        }
        first
    }

    /// How many files there are.
    pub(super) fn count(&self) -> u64 {
        (self.here.len() + self.elsewhere.len()) as u64
    }

    /// Those that have names elsewhere.
    pub(super) fn split(self) -> Named {
        let left = self.here.values().chain(self.elsewhere.values());
        let count = left.filter(|left| **left > 0).count() as u64;
        let mut first: Vec<AbsPath> = self.kept.into_iter().map(|(_, place)| place).collect();
        first.sort();
        first.truncate(super::MOST_NAMED);
        Named { count, first }
    }
}
