//! The place of a mount, closed: who looks into it while nothing is mounted meets an error, and not an empty folder.
//!
//! Measured as a plain user: Syncthing 1.19.2, Unison 2.52.1, `rclone sync` 1.60.1 and rsync 3.5.0 keep the other side's
//! copy then, and delete it when the folder is open and empty; `rclone bisync` 1.60.1 deletes it even so. Root looks
//! into closed folders, too.

use crate::disk::Disk;
use crate::operator::Held;
use crate::system::{Access, EndMark, System};
use rustix::fd::AsFd as _;
use rustix::io::Errno;
use std::mem::MaybeUninit;

/// Takes all permissions of an empty folder.
///
/// # Errors
/// The system's; ENOTEMPTY when something is in it.
pub fn close(system: System, disk: &dyn Disk, held: &Held) -> Result<(), Errno> {
    let list = system.open(held.folder.as_fd(), c".", Access::List)?;
    let mut buffer = vec![MaybeUninit::uninit(); 4096];
    let mut empty = true;
    system.list(list.as_fd(), &mut buffer, EndMark::EmptyRead, |_| {
        empty = false;
        false
    })?;
    if empty { disk.permit(held.folder.as_fd(), 0) } else { Err(Errno::NOTEMPTY) }
}
