//! What a volume can hold, and how much room there is.

use super::amount::{counted, size};
use super::freight::Freight;
use super::{Surveyor, refused};
use crate::operator::Held;
use crate::system::Access;
use linkwell_model::holding::{Fold, Holding, Served, holding};
use linkwell_model::plan::Why;
use linkwell_model::volume::Mount;
use rustix::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use rustix::fs::CWD;

/// The room on a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// The size of a block in bytes: a file takes whole ones.
    pub block: u64,
    /// How many bytes this user may still take. What is kept back for root is root's.
    pub free: u64,
    /// How many inodes this user may still take; `None` where the file system does not count them.
    pub inodes: Option<u64>,
}

/// The room on the volume of a held folder.
///
/// # Errors
/// Why it cannot be asked for.
pub fn room(at: BorrowedFd<'_>) -> Result<Room, Why> {
    let found = rustix::fs::fstatvfs(at);
    let found = found.map_err(|error| refused("the free space cannot be asked for", error))?;
    let root = rustix::process::geteuid().is_root();
    let (free, inodes) =
        if root { (found.f_bfree, found.f_ffree) } else { (found.f_bavail, found.f_favail) };
    Ok(Room {
        block: found.f_frsize.max(1),
        free: free.saturating_mul(found.f_frsize),
        inodes: (found.f_files > 0).then_some(inodes),
    })
}

impl Room {
    /// Whether a copy fits in.
    ///
    /// # Errors
    /// What it takes, and what there is.
    pub fn is_enough(&self, freight: &Freight) -> Result<(), Why> {
        let no = |what| Err(Why::Other { what, hint: None });
        if freight.needed > self.free {
            return no(format!(
                "a copy takes {}, and there is room for {} only",
                size(freight.needed),
                size(self.free)
            ));
        }
        match self.inodes {
            Some(free) if freight.inodes > free => no(format!(
                "a copy takes {} inodes (one for each file, folder and link), and there are {} left only",
                counted(freight.inodes),
                counted(free)
            )),
            _ => Ok(()),
        }
    }
}

/// What the volume of a held folder can hold, in this folder.
pub fn holding_at(surveyor: &Surveyor, held: &Held) -> Holding {
    let at = held.folder.as_fd();
    let mounts = surveyor.volumes().mounts();
    let id = surveyor.system().facts_of(at).ok().and_then(|facts| facts.mount);
    let mount = id.and_then(|id| mounts.by_id(id)).or_else(|| mounts.covering(&held.place));
    let Some(mount) = mount else { return holding(b"", Served::Unknown) };
    let fuse = mount.fs_type.starts_with(b"fuse");
    let served = if fuse { served(surveyor, at, mount) } else { Served::Unknown };
    let mut found = holding(&mount.fs_type, served);
    if found.names.fold.is_none() && folds(surveyor, at) {
        found.names.fold = Some(Fold::Both);
    }
    found
}

/// What a program serves. ntfs-3g answers for an attribute of its own; exFAT says its name at the head
/// of its disk, where this user may read that.
fn served(surveyor: &Surveyor, at: BorrowedFd<'_>, mount: &Mount) -> Served {
    let path = format!("/proc/self/fd/{}", at.as_raw_fd());
    let asked = rustix::fs::getxattr(&*path, "system.ntfs_attrib", &mut [0_u8; 64]);
    if asked.is_ok() {
        return Served::Ntfs;
    }
    if mount.fs_type != b"fuseblk" || !mount.source.starts_with(b"/dev/") {
        return Served::Unknown;
    }
    let mut head = [0; 11];
    let disk = surveyor.system().open(CWD, &*mount.source, Access::Read);
    match disk.and_then(|disk| rustix::io::read(disk, &mut head)) {
        // The exFAT specification, 3.1.2.
        Ok(11) if head.ends_with(b"EXFAT   ") => Served::Exfat,
        _ => Served::Unknown,
    }
}

/// Whether this one folder folds case, as ext4, F2FS and tmpfs can be made to (`chattr +F`). Forms are
/// folded with it (Documentation/admin-guide/ext4.rst).
fn folds(surveyor: &Surveyor, at: BorrowedFd<'_>) -> bool {
    const FS_CASEFOLD_FL: u32 = 0x4000_0000;
    let folder = surveyor.system().open(at, c".", Access::List);
    let flags = folder.and_then(rustix::fs::ioctl_getflags);
    flags.is_ok_and(|flags| flags.bits() & FS_CASEFOLD_FL != 0)
}
