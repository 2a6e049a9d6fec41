//! Names in a folder that is asked about again and again, listed once instead of looked up one by one.
//!
//! What it says is as old as the listing. That is enough for a plan: the steps look for themselves, and
//! what puts a name never replaces one.

use crate::system::System;
use hashbrown::HashMap;
use linkwell_model::entry::EntryKind;
use linkwell_model::path::AbsPath;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::mem::MaybeUninit;

/// After so many questions about one folder it is listed.
const PATIENCE: usize = 8;

/// A folder is not listed for fewer questions than one in so many of its names.
const WORTH: usize = 32;

/// What a listing says of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It is not among the names.
    Absent,
    /// It is, and this is its kind.
    Is(EntryKind),
    /// Nothing: look.
    Unknown,
}

/// One folder at a time.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    place: Option<AbsPath>,
    asked: usize,
    /// How many questions it takes until it is listed.
    patience: usize,
    names: Option<HashMap<Box<[u8]>, Option<EntryKind>>>,
}

impl Neighbours {
    /// What the listing of the folder at `place` says of `name`. `open` opens it for reading.
    pub(super) fn ask(
        &mut self,
        system: System,
        place: &AbsPath,
        name: &[u8],
        open: impl FnOnce() -> Result<OwnedFd, Errno>,
    ) -> Heard {
        if self.place.as_ref() != Some(place) {
            *self = Self { place: Some(place.clone()), patience: PATIENCE, ..Self::default() };
        }
        self.asked += 1;
        if self.names.is_none() && self.asked >= self.patience {
            let listed = open().ok().map(|folder| list(system, folder.as_fd(), self.asked * WORTH));
            match listed {
                Some(Some(names)) => self.names = Some(names),
                _ => self.patience = self.patience.saturating_mul(4),
            }
        }
        match self.names.as_ref().map(|names| names.get(name)) {
            None | Some(Some(None)) => Heard::Unknown,
            Some(None) => Heard::Absent,
            Some(Some(Some(kind))) => Heard::Is(*kind),
        }
    }
}

/// Every name with its kind; `None` when there are more than `most`, or they cannot be read.
fn list(
    system: System,
    folder: BorrowedFd<'_>,
    most: usize,
) -> Option<HashMap<Box<[u8]>, Option<EntryKind>>> {
    let mut names = HashMap::new();
    let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
    let mut whole = true;
    let listed = system.list(folder, &mut buffer, system.end_mark(folder), |entry| {
        names.insert(entry.name.to_bytes().into(), entry.kind);
        whole = names.len() <= most;
        whole
    });
    (whole && listed.is_ok()).then_some(names)
}
