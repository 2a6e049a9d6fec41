//! Files with more than one name, grouped.

use crate::system::Status;
use hashbrown::{HashMap, HashSet};
use linkwell_model::entry::FileId;
use std::sync::{Mutex, PoisonError};

/// The names of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// Which file.
    pub id: FileId,
    /// How many names it has in all.
    pub names: u64,
    /// How many of them lie outside the scanned folders; `None` when they were not counted.
    pub outside: Option<u64>,
    /// The length of the file in bytes.
    pub size: u64,
}

/// Names of files with several, as they are found.
#[derive(Debug, Default)]
pub(super) struct Names(Mutex<HashMap<FileId, Known>>);

#[derive(Debug)]
struct Known {
    names: u64,
    size: u64,
    /// Each path, with the folder that holds the name.
    paths: Vec<(Vec<u8>, Option<FileId>)>,
}

impl Names {
    /// Notes one name.
    pub(super) fn add(&self, status: Status, folder: Option<FileId>, path: Vec<u8>) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = files.entry(status.id).or_insert_with(|| Known {
            names: status.names,
            size: status.size,
            paths: Vec::new(),
        });
        known.names = status.names;
        known.paths.push((path, folder));
    }

    /// The groups, by their first path; each path is given once even if two roots overlap.
    pub(super) fn groups(&self) -> Vec<(Group, Vec<Vec<u8>>)> {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut groups: Vec<_> = files
            .drain()
            .map(|(id, mut known)| {
                known.paths.sort();
                known.paths.dedup();
                // One name can be seen by several paths, through two roots or a bind mount.
                let names: HashSet<_> = known
                    .paths
                    .iter()
                    .map(|(path, folder)| (folder, path.rsplit(|&byte| byte == b'/').next()))
                    .collect();
                let here = u64::try_from(names.len()).unwrap_or(u64::MAX);
                drop(names);
                let outside = known.names.saturating_sub(here);
                let group =
                    Group { id, names: known.names, outside: Some(outside), size: known.size };
                (group, known.paths.into_iter().map(|(path, _)| path).collect::<Vec<_>>())
            })
            .collect();
        groups.sort_by(|(_, one), (_, two)| one.first().cmp(&two.first()));
        groups
    }
}
