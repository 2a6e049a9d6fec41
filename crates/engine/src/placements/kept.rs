//! The file of placements in linkwell's state folder. Unlike the catalogue it is no cache: nothing else tells what a
//! person has arranged. So it is replaced as a whole, made durable before it has its name, and the one before is kept.

use crate::operator::Held;
use crate::state;
use crate::system::{Access, System};
use linkwell_model::share::placement::{Placement, Placements, VERSION};
use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

const NAME: &str = "placements.json";
const BEFORE: &str = "placements.before.json";
const FRESH: &str = "placements.new.json";

/// More than this many bytes nobody has arranged.
const MOST: u64 = 16 << 20;

/// Why the placements cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The file is not this user's alone, or no plain file.
    Untrusted,
    /// It breaks the rules of its format.
    Malformed(String),
    /// A newer linkwell wrote it.
    Newer(u32),
    /// The system refuses.
    System(Errno),
}

/// What is on record; nothing where there is no file.
///
/// # Errors
/// Why it cannot be read. Then it is left as it is, and must not be written over.
pub fn read(system: System, folder: &Held) -> Result<Vec<Placement>, Trouble> {
    let at = folder.folder.as_fd();
    match system.facts(at, NAME.as_bytes()) {
        Err(Errno::NOENT) => return Ok(Vec::new()),
        Err(error) => return Err(Trouble::System(error)),
        Ok(facts) => {
            let own = state::check(&facts, &folder.place.joined(NAME.as_bytes()), true).is_ok();
            let file = facts.kind == linkwell_model::entry::EntryKind::File;
            if !own || !file || facts.size > MOST {
                return Err(Trouble::Untrusted);
            }
        }
    }
    let file = system.open(at, NAME, Access::Read).map_err(Trouble::System)?;
    let bytes = system.read_all(file.as_fd()).map_err(Trouble::System)?;
    let found: Placements =
        serde_json::from_slice(&bytes).map_err(|error| Trouble::Malformed(error.to_string()))?;
    if found.version > VERSION { Err(Trouble::Newer(found.version)) } else { Ok(found.placements) }
}

/// Puts these in place of what is on record. Whoever does it holds the lock of operations.
///
/// # Errors
/// The system's; then what was on record is still there.
#[expect(clippy::disallowed_methods, reason = "linkwell's own state folder, not the user's data")]
pub fn write(folder: &Held, placements: &[Placement]) -> Result<(), Errno> {
    let at = folder.folder.as_fd();
    let all = Placements { version: VERSION, placements: placements.to_vec() };
    let mut text = serde_json::to_vec_pretty(&all).map_err(|_| Errno::INVAL)?;
    text.push(b'\n');
    // What a run that was ended by force has left.
    forgive(rustix::fs::unlinkat(at, FRESH, AtFlags::empty()))?;
    fresh(at, FRESH.as_bytes(), &text)?;
    forgive(rustix::fs::unlinkat(at, BEFORE, AtFlags::empty()))?;
    forgive(rustix::fs::linkat(at, NAME, at, BEFORE, AtFlags::empty()))?;
    rustix::fs::renameat(at, FRESH, at, NAME)?;
    let list = rustix::fs::openat(
        at,
        c".",
        OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    rustix::fs::fsync(list)
}

/// Writes a unit beside it, from where root takes it.
///
/// # Errors
/// The system's.
pub fn write_unit(folder: &Held, name: &[u8], text: &[u8]) -> Result<(), Errno> {
    drop_unit(folder, name)?;
    fresh(folder.folder.as_fd(), name, text)
}

/// Drops it again, if it is there.
///
/// # Errors
/// The system's.
#[expect(clippy::disallowed_methods, reason = "linkwell's own state folder, not the user's data")]
pub fn drop_unit(folder: &Held, name: &[u8]) -> Result<(), Errno> {
    forgive(rustix::fs::unlinkat(folder.folder.as_fd(), name, AtFlags::empty()))
}

fn forgive(done: Result<(), Errno>) -> Result<(), Errno> {
    match done {
        Err(Errno::NOENT) => Ok(()),
        done => done,
    }
}

fn fresh(at: BorrowedFd<'_>, name: &[u8], text: &[u8]) -> Result<(), Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(at, name, flags, Mode::RUSR | Mode::WUSR)?;
    let mut rest = text;
    while !rest.is_empty() {
        match rustix::io::write(&file, rest) {
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    rustix::fs::fsync(&file)
}
