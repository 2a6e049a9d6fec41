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

#[cfg(target_os = "linux")]
mod system {
    use rustix::fd::{AsRawFd as _, BorrowedFd};
    use rustix::io::{Errno, retry_on_intr};
    use rustix::ioctl::{Opcode, Setter, ioctl, opcode};

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
