//! The lease as a witness: it is to be had exactly when nobody has the file open for writing.

use crate::descent::Descent;
use crate::look::without_trace;
use crate::system::{Access, System};
use linkwell_calls::lease;
use linkwell_model::entry::{EntryKind, Identity};
use linkwell_model::name::Name;
use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::io::Errno;
use std::mem::MaybeUninit;

/// Whether anybody on this machine has the regular file `name` in the folder `at` open for writing, or
/// mapped shared and writable; also when it was opened so and can only be read in this moment.
///
/// `None` when that cannot be asked: it is no regular file, is gone or replaced, cannot be read, or
/// belongs to somebody else and this process lacks CAP_LEASE; or its file system has no leases. Its
/// time of reading stays. A writer that comes in the few microseconds between waits as long.
pub fn written_to(system: System, at: BorrowedFd<'_>, name: &[u8]) -> Option<bool> {
    let before = system.facts(at, name).ok()?;
    if before.kind != EntryKind::File {
        // A device might act on being opened.
        return None;
    }
    written_to_this(system, at, name, before.id)
}

/// The same of a regular file that was looked at before: `None` also when another object stands at the
/// name now.
pub fn written_to_this(
    system: System,
    at: BorrowedFd<'_>,
    name: &[u8],
    id: Identity,
) -> Option<bool> {
    let file = match system.open(at, name, Access::Read) {
        Ok(file) => file,
        // Somebody else has a write lease, and with it the file to itself.
        Err(Errno::AGAIN) => return Some(true),
        Err(_) => return None,
    };
    if !system.facts_of(file.as_fd()).ok()?.id.is(id) {
        return None;
    }
    asked(file.as_fd())
}

fn asked(file: BorrowedFd<'_>) -> Option<bool> {
    match lease::take_read(file) {
        Ok(()) => {
            // If this fails, closing the file gives it up.
            lease::release(file).unwrap_or(());
            Some(false)
        }
        Err(Errno::AGAIN) => Some(true),
        Err(_) => None,
    }
}

/// What the leases of a whole tree said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walked {
    /// The files that somebody has open for writing, as paths below the top.
    pub written: Vec<Vec<u8>>,
    /// How many files were asked about and nobody writes to.
    pub quiet: u64,
    /// How many files and folders could not be asked about, or lie on another volume.
    pub unasked: u64,
    /// Whether all of the tree was seen: the limit was not reached.
    pub whole: bool,
}

/// Asks about every regular file below the folder `top`, up to `limit` of them. No link is followed and
/// no other volume entered.
///
/// # Errors
/// The system's, where `top` itself cannot be read; EAGAIN when the tree is moved meanwhile.
pub fn lease_walk(system: System, top: BorrowedFd<'_>, limit: u64) -> Result<Walked, Errno> {
    let mut walk = Walk {
        system,
        descent: Descent::at(system, top)?,
        listing: vec![MaybeUninit::uninit(); 32 * 1024],
        way: Vec::new(),
        found: Walked::default(),
    };
    without_trace(walk.descent.here());
    walk.found.whole = walk.all(limit)?;
    Ok(walk.found)
}

struct Walk {
    system: System,
    descent: Descent,
    listing: Vec<MaybeUninit<u8>>,
    way: Vec<Name>,
    found: Walked,
}

impl Walk {
    /// Whether the end was reached before the limit.
    fn all(&mut self, limit: u64) -> Result<bool, Errno> {
        let mut todo = vec![self.folder(limit)?];
        loop {
            if self.found.quiet + self.found.unasked >= limit {
                return Ok(false);
            }
            let Some(rest) = todo.last_mut() else { return Ok(true) };
            let Some(name) = rest.pop() else {
                todo.pop();
                self.descent.up()?;
                self.way.pop();
                continue;
            };
            let down = self.descent.look(&name).and_then(|facts| self.descent.down(&name, &facts));
            match down {
                Ok(()) => {
                    self.way.push(name);
                    todo.push(self.folder(limit)?);
                }
                Err(Errno::NOENT) => {}
                Err(_) => self.found.unasked += 1,
            }
        }
    }

    /// Asks about the files of the folder at hand, and gives the names of its folders.
    fn folder(&mut self, limit: u64) -> Result<Vec<Name>, Errno> {
        let mut folders = Vec::new();
        let mut files = Vec::new();
        let system = self.system;
        let here = self.descent.here();
        system.list(here, &mut self.listing, system.end_mark(here), |entry| {
            let Some(name) = Name::new(entry.name.to_bytes()) else { return true };
            let kind = entry.kind.or_else(|| Some(system.facts(here, name.as_bytes()).ok()?.kind));
            match kind {
                Some(EntryKind::Folder) => folders.push(name),
                Some(EntryKind::File) => files.push(name),
                _ => {}
            }
            true
        })?;
        for name in files {
            if self.found.quiet + self.found.unasked >= limit {
                break;
            }
            // Only regular files have leases, so that nothing else need be looked at; what stands at
            // the name now is what counts.
            let open = system.open(self.descent.here(), name.as_bytes(), Access::Read);
            let answer = match open {
                Ok(file) => asked(file.as_fd()),
                Err(Errno::AGAIN) => Some(true),
                Err(Errno::NOENT) => continue,
                Err(_) => None,
            };
            match answer {
                Some(true) => {
                    let mut path = Vec::new();
                    for name in self.way.iter().chain([&name]) {
                        if !path.is_empty() {
                            path.push(b'/');
                        }
                        path.extend_from_slice(name.as_bytes());
                    }
                    self.found.written.push(path);
                }
                Some(false) => self.found.quiet += 1,
                None => self.found.unasked += 1,
            }
        }
        Ok(folders)
    }
}
