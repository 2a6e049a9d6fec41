//! Where volumes have been attached before: the one thing that looking remembers.
//!
//! A link into a volume that was mounted by hand can be told from a dead one only by somebody who
//! saw the volume there. The places are kept in linkwell's own state folder, one a line, with
//! mountinfo's escapes; losing the file loses nothing but that knowledge.

use crate::system::{Access, Links, System};
use linkwell_model::entry::EntryKind;
use linkwell_model::expected;
use linkwell_model::path::AbsPath;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::collections::BTreeSet;

/// The file's name in the state folder.
const NAME: &str = "mounts";

/// More places than this are not remembered, and a longer file is not read.
const MOST: usize = 1000;

/// The places remembered in the state folder `state`; none when it cannot be trusted.
pub fn recall(system: System, state: &AbsPath) -> BTreeSet<AbsPath> {
    let Some(folder) = open_own(system, state) else { return BTreeSet::new() };
    recall_in(system, folder.as_fd())
}

fn recall_in(system: System, folder: BorrowedFd<'_>) -> BTreeSet<AbsPath> {
    let Ok(file) = system.open(folder, NAME, Access::Read) else { return BTreeSet::new() };
    let trusted = system.status_of(file.as_fd()).is_ok_and(|status| {
        status.kind == EntryKind::File && status.owner == me() && status.size < 4 << 20
    });
    if !trusted {
        return BTreeSet::new();
    }
    let text = system.read_all(file.as_fd()).unwrap_or_default();
    expected::remembered(&text).into_iter().take(MOST).collect()
}

/// Adds places to what is remembered. Where that cannot be done safely it is left undone: nothing
/// depends on it.
///
/// The folder is made 0700 if its parent is there and belongs to this user; the file is replaced in
/// one step. Nothing is followed and nothing else is touched.
pub fn remember(system: System, state: &AbsPath, places: &BTreeSet<AbsPath>) {
    if places.is_empty() {
        return;
    }
    let Some(folder) = open_own(system, state).or_else(|| make_own(system, state)) else { return };
    let mut all = recall_in(system, folder.as_fd());
    let before = all.len();
    all.extend(places.iter().cloned());
    if all.len() > before && all.len() <= MOST {
        // Whatever the reason, the next run tries again.
        replace(folder.as_fd(), &expected::to_remember(&all)).unwrap_or_default();
    }
}

fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Opens the state folder if it is this user's own and nobody else may write to it.
fn open_own(system: System, state: &AbsPath) -> Option<OwnedFd> {
    let folder = open_here(system, state)?;
    let stat = rustix::fs::fstat(&folder).ok()?;
    let open_to_others = Mode::from_raw_mode(stat.st_mode).intersects(Mode::WGRP | Mode::WOTH);
    (stat.st_uid == me() && !open_to_others).then_some(folder)
}

fn open_here(system: System, place: &AbsPath) -> Option<OwnedFd> {
    let status = system.status(rustix::fs::CWD, place.as_bytes(), Links::Kept).ok()?;
    let folder = system.open_typed(place.as_bytes(), Access::List).ok()?;
    // Not a link at its last step; the steps above are the person's own setting.
    let same = system.status_of(folder.as_fd()).is_ok_and(|held| held.id == status.id);
    same.then_some(folder)
}

#[expect(clippy::disallowed_methods, reason = "linkwell's own state folder, not the user's data")]
fn make_own(system: System, state: &AbsPath) -> Option<OwnedFd> {
    // `~/.local/state` may not be there yet on a new computer; no more than these two are made.
    let mut missing = Vec::new();
    let mut above = state.clone();
    let held = loop {
        let name = above.names().next_back()?.to_vec();
        missing.push(name);
        above.pop();
        if let Some(held) = open_own(system, &above) {
            break held;
        }
        if missing.len() == 3 {
            return None;
        }
    };
    let mut held = held;
    for name in missing.iter().rev() {
        match rustix::fs::mkdirat(&held, name.as_slice(), Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(_) => return None,
        }
        held = system.open(held.as_fd(), name.as_slice(), Access::List).ok()?;
    }
    Some(held)
}

#[expect(clippy::disallowed_methods, reason = "linkwell's own state folder, not the user's data")]
fn replace(folder: BorrowedFd<'_>, text: &[u8]) -> Result<(), Errno> {
    let fresh = format!("{NAME}.{}", std::process::id());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(folder, &fresh, flags, Mode::RUSR | Mode::WUSR)?;
    let mut rest = text;
    let written = loop {
        if rest.is_empty() {
            break rustix::fs::fsync(&file);
        }
        match rustix::io::write(&file, rest) {
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(error) => break Err(error),
        }
    };
    let replaced = written.and_then(|()| rustix::fs::renameat(folder, &fresh, folder, NAME));
    if replaced.is_err() {
        // It was made a moment ago, by us, under a name of ours.
        rustix::fs::unlinkat(folder, &fresh, rustix::fs::AtFlags::empty()).unwrap_or_default();
    }
    replaced
}
