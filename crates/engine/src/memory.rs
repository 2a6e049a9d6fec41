//! Where volumes have been attached before: the one thing that looking remembers.
//!
//! A link into a volume that was mounted by hand can be told from a dead one only by somebody who
//! saw the volume there. The places are kept in linkwell's own state folder, one a line, with
//! mountinfo's escapes; losing the file loses nothing but that knowledge.

use crate::folder::Folder;
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
    let Ok(folder) = open_own(system, state) else { return BTreeSet::new() };
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
    // A place that is not even a folder any more is where nothing will be attached again.
    let is_there = |place: &AbsPath| {
        let status = system.status(rustix::fs::CWD, place.as_bytes(), Links::Kept);
        !matches!(status, Err(Errno::NOENT))
    };
    expected::remembered(&text).into_iter().take(MOST).filter(is_there).collect()
}

/// Adds places to what is remembered. Where that cannot be done safely it is left undone: nothing
/// depends on it.
///
/// The folder is made 0700 if its parent, or the parent's, is there and belongs to this user alone;
/// the file is replaced in one step. Nothing is followed and nothing else is touched.
pub fn remember(system: System, state: &AbsPath, places: &BTreeSet<AbsPath>) {
    if places.is_empty() {
        return;
    }
    let folder = match open_own(system, state) {
        Ok(folder) => Some(folder),
        Err(Errno::NOENT) => make_own(system, state),
        Err(_) => None,
    };
    let Some(folder) = folder else { return };
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

/// Opens a folder that is this user's own, that nobody else may write to, and that no link leads
/// to.
///
/// # Errors
/// ENOENT when it is not there, and only then; any other refusal is final.
fn open_own(system: System, place: &AbsPath) -> Result<OwnedFd, Errno> {
    let folder = Folder::of_place(place).open(system, Access::List)?;
    if is_own(&folder) { Ok(folder) } else { Err(Errno::PERM) }
}

fn is_own(folder: &OwnedFd) -> bool {
    rustix::fs::fstat(folder).is_ok_and(|stat| {
        let mode = Mode::from_raw_mode(stat.st_mode);
        stat.st_uid == me() && !mode.intersects(Mode::WGRP | Mode::WOTH)
    })
}

/// Makes the state folder and, on a new computer, the one above it; no more, and only in a folder
/// of this user's own.
#[expect(clippy::disallowed_methods, reason = "linkwell's own state folder, not the user's data")]
fn make_own(system: System, state: &AbsPath) -> Option<OwnedFd> {
    let mut missing = vec![state.names().next_back()?.to_vec()];
    let mut above = state.parent();
    let mut held = loop {
        match open_own(system, &above) {
            Ok(held) => break held,
            Err(Errno::NOENT) if missing.len() < 2 => {
                missing.push(above.names().next_back()?.to_vec());
                above.pop();
            }
            Err(_) => return None,
        }
    };
    for name in missing.iter().rev() {
        match rustix::fs::mkdirat(&held, name.as_slice(), Mode::RWXU) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(_) => return None,
        }
        held = system.open(held.as_fd(), name.as_slice(), Access::List).ok().filter(is_own)?;
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
