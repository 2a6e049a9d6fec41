//! Which volume a file system is, by the number that it was given when it was made (Linux 6.9,
//! `FS_IOC_GETFSUUID` in linux/fs.h). It stays when the volume is attached elsewhere, or anew.

use rustix::fd::AsFd;
use rustix::io::Errno;

/// The volume's own number; `None` where it has none (all zeros).
///
/// A copy of a whole volume has the number of its original.
///
/// # Errors
/// ENOTTY where the kernel or the file system has no such answer (btrfs, FUSE); EBADF for a descriptor
/// that only holds a place (O_PATH). ENOTSUP on other systems than Linux.
pub fn uuid(folder: impl AsFd) -> Result<Option<[u8; 16]>, Errno> {
    let found = system::uuid(folder.as_fd())?;
    Ok((found != [0; 16]).then_some(found))
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::fd::BorrowedFd;
    use rustix::io::Errno;
    use rustix::ioctl::{Getter, Opcode, ioctl, opcode};

    /// `struct fsuuid2` (linux/fs.h). Shorter numbers are followed by zeros.
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Raw {
        length: u8,
        uuid: [u8; 16],
    }

    const _: () = assert!(size_of::<Raw>() == 17, "as the kernel has it");

    const GET: Opcode = opcode::read::<Raw>(0x15, 0);

    pub(super) fn uuid(folder: BorrowedFd<'_>) -> Result<[u8; 16], Errno> {
        // SAFETY: GET is FS_IOC_GETFSUUID, which fills in a `struct fsuuid2`, and `Raw` is one; it is
        // all numbers, so that whatever is written there is valid.
        let request = unsafe { Getter::<GET, Raw>::new() };
        // SAFETY: the request holds the memory that the kernel writes to, and reads nothing else.
        let raw = unsafe { ioctl(folder, request) }?;
        let length = usize::from(raw.length).min(16);
        let mut uuid = [0; 16];
        for (to, from) in uuid.iter_mut().zip(raw.uuid.iter().take(length)) {
            *to = *from;
        }
        Ok(uuid)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use rustix::fd::BorrowedFd;
    use rustix::io::Errno;

    pub(super) fn uuid(_: BorrowedFd<'_>) -> Result<[u8; 16], Errno> {
        Err(Errno::NOTSUP)
    }
}
