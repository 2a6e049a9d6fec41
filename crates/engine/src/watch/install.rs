//! Files of linkwell's own in a person's settings: put there, and removed again.

use crate::disk::Disk;
use crate::operator::Held;
use crate::state::{self, Trouble};
use crate::system::{Access, System};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use rustix::fd::AsFd as _;
use rustix::io::Errno;
use std::sync::Arc;

/// Why a file was not put there, or not removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A file that somebody else wrote stands there.
    Foreign,
    /// The way there cannot be trusted, or walked.
    Way(Trouble),
    /// The system's reason.
    System(Errno),
}

/// What such a file holds; `None` when there is none.
///
/// # Errors
/// The system's.
pub fn read(system: System, place: &AbsPath) -> Result<Option<Vec<u8>>, Errno> {
    let Some((folder, name)) = place.split() else { return Err(Errno::INVAL) };
    let (held, missing) = state::nearest(system, &folder).map_err(|_| Errno::IO)?;
    if !missing.is_empty() {
        return Ok(None);
    }
    match system.open(held.folder.as_fd(), name.as_bytes(), Access::Read) {
        Ok(file) => system.read_all(file.as_fd()).map(Some),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts a file there, whole or not at all; folders that are missing are made. One that holds `mark` is
/// replaced.
///
/// # Errors
/// When somebody else's stands there, or it cannot be written.
pub fn put(
    disk: &dyn Disk,
    system: System,
    place: &AbsPath,
    text: &[u8],
    mark: &[u8],
) -> Result<(), Refused> {
    let Some((folder, name)) = place.split() else { return Err(Refused::System(Errno::INVAL)) };
    check(system, place, mark)?;
    let held = open_or_make(disk, system, &folder)?;
    let staged = Name::new([b".", name.as_bytes(), b".new"].concat());
    let staged = staged.ok_or(Refused::System(Errno::NAMETOOLONG))?;
    let at = held.folder.as_fd();
    disk.drop_name(at, &staged).unwrap_or_default();
    let written = disk.make_file(at, &staged).and_then(|file| {
        disk.write(file.as_fd(), text)?;
        disk.sync(file.as_fd())?;
        disk.rename_over(at, &staged, at, &name)?;
        disk.sync(system.open(at, c".", Access::List)?.as_fd())
    });
    written.map_err(|error| {
        disk.drop_name(at, &staged).unwrap_or_default();
        Refused::System(error)
    })
}

/// Removes a file that holds `mark`; whether there was one.
///
/// # Errors
/// When somebody else's stands there, or it cannot be removed.
pub fn remove(
    disk: &dyn Disk,
    system: System,
    place: &AbsPath,
    mark: &[u8],
) -> Result<bool, Refused> {
    let Some((folder, name)) = place.split() else { return Err(Refused::System(Errno::INVAL)) };
    if !check(system, place, mark)? {
        return Ok(false);
    }
    let (held, _) = state::nearest(system, &folder).map_err(Refused::Way)?;
    disk.drop_name(held.folder.as_fd(), &name).map_err(Refused::System)?;
    Ok(true)
}

fn check(system: System, place: &AbsPath, mark: &[u8]) -> Result<bool, Refused> {
    match read(system, place).map_err(Refused::System)? {
        None => Ok(false),
        Some(text) if memchr::memmem::find(&text, mark).is_some() => Ok(true),
        Some(_) => Err(Refused::Foreign),
    }
}

fn open_or_make(disk: &dyn Disk, system: System, folder: &AbsPath) -> Result<Held, Refused> {
    let (mut held, mut missing) = state::nearest(system, folder).map_err(Refused::Way)?;
    while let Some(name) = missing.pop() {
        match disk.make_folder(held.folder.as_fd(), &name) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(Refused::System(error)),
        }
        let open = system.open(held.folder.as_fd(), name.as_bytes(), Access::Hold);
        let folder = Arc::new(open.map_err(Refused::System)?);
        held = Held { folder, place: held.place.joined(name.as_bytes()) };
    }
    Ok(held)
}
