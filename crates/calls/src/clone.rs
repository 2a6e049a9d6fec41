//! Parts of files that share their data until one of them is written to (ioctl_ficlonerange(2)):
//! xfs, btrfs, bcachefs.

use rustix::fd::AsFd;
use rustix::io::Errno;

/// Makes `length` bytes of `to`, from `to_offset` on, share the data of `from` at `from_offset`. A
/// length of 0 means to the end of `from`. Nothing is copied; the file grows where that is needed.
///
/// Offsets and length must be whole blocks of the file system, but for a part that ends with `from`.
///
/// # Errors
/// EXDEV across volumes; ENOTSUP, EINVAL or ENOTTY where the file system, or these offsets, do not
/// allow it; ENOSPC, EDQUOT. Nothing or a first part was shared then. ENOTSUP on other systems than
/// Linux.
pub fn range(
    to: impl AsFd,
    to_offset: u64,
    from: impl AsFd,
    from_offset: u64,
    length: u64,
) -> Result<(), Errno> {
    system::range(to.as_fd(), to_offset, from.as_fd(), from_offset, length)
}

/// Whether the XFS volume of an open file or folder was made so that files can share (`mkfs.xfs -m
/// reflink=1`; ioctl_xfs_fsgeometry(2)).
///
/// A descriptor on another file system must not be given: the request may mean something else there.
///
/// # Errors
/// ENOTTY for what is not on XFS; EBADF for a descriptor that only holds a place (O_PATH). ENOTSUP on
/// other systems than Linux.
pub fn is_possible_on_xfs(fd: impl AsFd) -> Result<bool, Errno> {
    system::is_possible_on_xfs(fd.as_fd())
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::fd::{AsRawFd as _, BorrowedFd};
    use rustix::io::{Errno, retry_on_intr};
    use rustix::ioctl::{Getter, Opcode, Setter, ioctl, opcode};

    /// `struct xfs_fsop_geom_v1` (xfs_fs.h): of its 112 bytes only the flags are of interest.
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Geometry {
        before: [u64; 11],
        version: i32,
        flags: u32,
        after: [u64; 2],
    }

    const _: () = assert!(size_of::<Geometry>() == 112, "as the kernel has it");

    /// XFS_IOC_FSGEOMETRY_V1.
    const GEOMETRY: Opcode = opcode::read::<Geometry>(b'X', 100);
    /// XFS_FSOP_GEOM_FLAGS_REFLINK.
    const REFLINK: u32 = 1 << 20;

    pub(super) fn is_possible_on_xfs(fd: BorrowedFd<'_>) -> Result<bool, Errno> {
        // SAFETY: GEOMETRY fills in a `struct xfs_fsop_geom_v1`, and `Geometry` has its size; it is
        // all numbers, so that whatever is written there is valid.
        let request = unsafe { Getter::<GEOMETRY, Geometry>::new() };
        // SAFETY: the request holds the memory that the kernel writes to, and reads nothing else.
        let found = unsafe { ioctl(fd, request) }?;
        Ok(found.flags & REFLINK != 0)
    }

    /// `struct file_clone_range` (linux/fs.h).
    #[repr(C)]
    struct Raw {
        from: i64,
        from_offset: u64,
        length: u64,
        to_offset: u64,
    }

    const _: () = assert!(size_of::<Raw>() == 32, "as the kernel has it");

    const CLONE: Opcode = opcode::write::<Raw>(0x94, 13);

    pub(super) fn range(
        to: BorrowedFd<'_>,
        to_offset: u64,
        from: BorrowedFd<'_>,
        from_offset: u64,
        length: u64,
    ) -> Result<(), Errno> {
        retry_on_intr(|| {
            let raw = Raw { from: i64::from(from.as_raw_fd()), from_offset, length, to_offset };
            // SAFETY: CLONE is FICLONERANGE, which reads a `struct file_clone_range`, and `Raw` is
            // one; the descriptor in it is open as long as it is borrowed.
            let request = unsafe { Setter::<CLONE, Raw>::new(raw) };
            // SAFETY: the kernel reads the request's own memory and writes to none of this process.
            unsafe { ioctl(to, request) }
        })
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use rustix::fd::BorrowedFd;
    use rustix::io::Errno;

    pub(super) fn is_possible_on_xfs(_: BorrowedFd<'_>) -> Result<bool, Errno> {
        Err(Errno::NOTSUP)
    }

    pub(super) fn range(
        _: BorrowedFd<'_>,
        _: u64,
        _: BorrowedFd<'_>,
        _: u64,
        _: u64,
    ) -> Result<(), Errno> {
        Err(Errno::NOTSUP)
    }
}
