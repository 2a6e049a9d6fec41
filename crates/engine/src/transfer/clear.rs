//! Removes what linkwell itself made: a copy, whole or half.

use super::At;
use super::dress::LATE;
use crate::descent::Descent;
use crate::disk::Disk;
use crate::system::{Access, System};
use linkwell_calls::attributes::{self, Attributes};
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::io::Errno;

/// Removes what stands at a name with all that is in it, by held folders, through no link and into no
/// other volume. Flags and permissions that a copy got, and that keep it from being removed, are taken
/// away. Nothing there is no error.
///
/// # Errors
/// The system's; EXDEV when another volume is mounted inside, EAGAIN when folders are moved meanwhile.
/// A part may be gone then.
pub fn clear(disk: &dyn Disk, system: System, at: At<'_>) -> Result<(), Errno> {
    let facts = match system.facts(at.0, at.1.as_bytes()) {
        Err(Errno::NOENT) => return Ok(()),
        answer => answer?,
    };
    if facts.kind != EntryKind::Folder {
        return drop_name(disk, system, at);
    }
    let mut descent = Descent::begin(system, at.0, at.1, &facts)?;
    open_up(disk, &descent)?;
    let names = |descent: &Descent| crate::execute::names(system, descent.here());
    let mut todo = vec![(at.1.clone(), names(&descent)?)];
    while let Some((_, rest)) = todo.last_mut() {
        if let Some(entry) = rest.pop() {
            let facts = descent.look(&entry)?;
            if facts.kind == EntryKind::Folder {
                descent.down(&entry, &facts)?;
                open_up(disk, &descent)?;
                let inside = names(&descent)?;
                todo.push((entry, inside));
            } else {
                drop_name(disk, system, (descent.here(), &entry))?;
            }
        } else if let Some((name, _)) = todo.pop() {
            match descent.up()? {
                Some(_) => disk.drop_folder(descent.here(), &name)?,
                None => disk.drop_folder(at.0, &name)?,
            }
        }
    }
    Ok(())
}

fn drop_name(disk: &dyn Disk, system: System, at: (BorrowedFd<'_>, &Name)) -> Result<(), Errno> {
    match disk.drop_name(at.0, at.1) {
        Err(Errno::PERM) => {}
        answer => return answer,
    }
    // It may be immutable: as its original is.
    let kind = system.facts(at.0, at.1.as_bytes())?.kind;
    if kind != EntryKind::File {
        return Err(Errno::PERM);
    }
    let file = system.open(at.0, at.1.as_bytes(), Access::Read)?;
    loosen(disk, file.as_fd())?;
    disk.drop_name(at.0, at.1)
}

/// Takes the flags away that forbid changes.
fn loosen(disk: &dyn Disk, held: BorrowedFd<'_>) -> Result<(), Errno> {
    let now = attributes::of(held).map_err(|_| Errno::PERM)?;
    if !now.flags.has_any(LATE) {
        return Err(Errno::PERM);
    }
    disk.flag(held, &Attributes { flags: now.flags.without(LATE), ..now })
}

/// Lets its owner write to a folder that is being emptied.
fn open_up(disk: &dyn Disk, descent: &Descent) -> Result<(), Errno> {
    match loosen(disk, descent.here()) {
        Ok(()) | Err(Errno::PERM) => {}
        Err(error) => return Err(error),
    }
    let facts = descent.facts();
    if facts.mode & 0o300 == 0o300 || facts.owner != rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    disk.permit(descent.here(), facts.mode | 0o700)
}
