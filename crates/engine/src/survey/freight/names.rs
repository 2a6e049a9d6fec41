//! Names of one folder that are one name where they go.

use crate::system::System;
use hashbrown::HashSet;
use linkwell_model::holding::Names;
use linkwell_model::path::AbsPath;
use rustix::fd::BorrowedFd;
use std::hash::{BuildHasher as _, RandomState};

/// The names of the folder at hand, as numbers of how they are compared there. Where two are equal, the
/// folder is listed once more to tell which.
#[derive(Debug)]
pub(super) struct Clashes {
    names: Option<Names>,
    state: RandomState,
    seen: HashSet<u64>,
    twice: HashSet<u64>,
}

impl Clashes {
    /// For a file system that compares names as `names` says; `None` where it does so byte by byte.
    pub(super) fn new(names: Option<Names>) -> Self {
        Self { names, state: RandomState::new(), seen: HashSet::new(), twice: HashSet::new() }
    }

    pub(super) fn add(&mut self, name: &[u8]) {
        let Some(folded) = self.names.as_ref().and_then(|names| names.folded(name)) else { return };
        let number = self.state.hash_one(folded);
        if !self.seen.insert(number) {
            self.twice.insert(number);
        }
    }

    /// Whether there are two in the folder at hand; if there are none, the next folder is at hand.
    pub(super) fn found(&mut self) -> bool {
        self.seen.clear();
        !self.twice.is_empty()
    }

    /// How many there are, and the first of them with those that they meet. The next folder is at hand
    /// then.
    pub(super) fn tell(
        &mut self,
        system: System,
        folder: BorrowedFd<'_>,
        place: &AbsPath,
    ) -> (u64, Vec<(AbsPath, AbsPath)>) {
        let twice = std::mem::take(&mut self.twice);
        let (Some(names), Ok(listed)) = (self.names, again(system, folder)) else {
            return (twice.len() as u64, Vec::new());
        };
        let mut all: Vec<(Vec<u8>, Vec<u8>)> = listed
            .into_iter()
            .filter_map(|name| Some((names.folded(&name)?, name)))
            .filter(|(folded, _)| twice.contains(&self.state.hash_one(folded)))
            .collect();
        all.sort();
        let mut count = 0;
        let mut first = Vec::new();
        for pair in all.windows(2) {
            let [(one, name), (other, next)] = pair else { continue };
            if one == other {
                count += 1;
                if first.len() < super::MOST_NAMED {
                    first.push((place.joined(name), place.joined(next)));
                }
            }
        }
        (count, first)
    }
}

/// The names of a folder that has been listed already, through a descriptor of its own: the first one
/// has been read to its end.
fn again(system: System, folder: BorrowedFd<'_>) -> Result<Vec<Vec<u8>>, rustix::io::Errno> {
    let folder = system.open(folder, c".", crate::system::Access::List)?;
    let names = crate::execute::names(system, rustix::fd::AsFd::as_fd(&folder))?;
    Ok(names.into_iter().map(|name| name.as_bytes().to_vec()).collect())
}
