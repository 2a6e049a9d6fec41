//! The UUID of a file system (`FS_IOC_GETFSUUID`, Linux 6.9): ext4, xfs, tmpfs and others; not btrfs, not
//! FUSE.

use rustix::fd::AsFd;
use rustix::io::Errno;

/// The UUID of the file system that a descriptor lies on, which must be opened for reading. Image builders
/// may have left it all zero, which means nothing.
///
/// # Errors
/// ENOTTY where the file system, or the kernel, does not tell; ENOTSUP on other systems than Linux.
pub fn of(fd: impl AsFd) -> Result<[u8; 16], Errno> {
    system::of(fd.as_fd())
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::fd::BorrowedFd;
    use rustix::io::Errno;
    use rustix::ioctl::{Getter, Opcode, ioctl, opcode};

    /// `struct fsuuid2` (linux/fs.h).
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Raw {
        length: u8,
        uuid: [u8; 16],
    }

    const _: () = assert!(size_of::<Raw>() == 17, "as the kernel has it");

    const GET: Opcode = opcode::read::<Raw>(0x15, 0);

    pub(super) fn of(fd: BorrowedFd<'_>) -> Result<[u8; 16], Errno> {
        // SAFETY: GET is FS_IOC_GETFSUUID, which fills a `struct fsuuid2`, and `Raw` is one.
        let request = unsafe { Getter::<GET, Raw>::new() };
        // SAFETY: the kernel writes to the request's own memory alone.
        let raw = unsafe { ioctl(fd, request) }?;
        if usize::from(raw.length) == raw.uuid.len() { Ok(raw.uuid) } else { Err(Errno::NOTTY) }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use rustix::fd::BorrowedFd;
    use rustix::io::Errno;

    pub(super) fn of(_: BorrowedFd<'_>) -> Result<[u8; 16], Errno> {
        Err(Errno::NOTSUP)
    }
}
