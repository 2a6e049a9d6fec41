//! The attributes of a file or folder beyond its mode (ioctl_fsgetxattr(2)): ext4, xfs, btrfs, f2fs
//! and, since Linux 6.6, tmpfs have them.

use rustix::fd::AsFd;
use rustix::io::Errno;

/// The attributes of a file or folder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// What is on.
    pub flags: Flags,
    /// The project that its space is counted for; 0 is none.
    pub project: u32,
    /// The size in bytes in which its space is allocated; 0 is the file system's own choice.
    pub extent_size: u32,
    /// The same for space that stops being shared when it is written to.
    pub unshared_extent_size: u32,
}

/// A set of attributes that are on or off (linux/fs.h, `FS_XFLAG_…`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags(u32);

impl Flags {
    /// No attribute.
    pub const NONE: Self = Self(0);
    /// xfs: the data lie on the real-time device.
    pub const REALTIME: Self = Self(0x1);
    /// xfs: space was reserved. Cannot be set.
    pub const RESERVED: Self = Self(0x2);
    /// Nothing of it may be changed, not even by root.
    pub const IMMUTABLE: Self = Self(0x8);
    /// It can only be appended to.
    pub const APPEND: Self = Self(0x10);
    /// Each write waits for the disk.
    pub const SYNC: Self = Self(0x20);
    /// The time of its last reading is not kept.
    pub const NO_ATIME: Self = Self(0x40);
    /// Left out by dump(8).
    pub const NO_DUMP: Self = Self(0x80);
    /// xfs: files made in this folder are `REALTIME`.
    pub const REALTIME_INHERITED: Self = Self(0x100);
    /// What is made in this folder gets its project.
    pub const PROJECT_INHERITED: Self = Self(0x200);
    /// xfs: no links can be made in this folder.
    pub const NO_LINKS: Self = Self(0x400);
    /// `extent_size` is in use.
    pub const EXTENT_SIZE: Self = Self(0x800);
    /// Files made in this folder get its `extent_size`.
    pub const EXTENT_SIZE_INHERITED: Self = Self(0x1000);
    /// xfs: not to be defragmented.
    pub const NO_DEFRAGMENT: Self = Self(0x2000);
    /// xfs: files made in this folder are laid side by side.
    pub const STREAMED: Self = Self(0x4000);
    /// Its data are used where they lie, past the cache.
    pub const DAX: Self = Self(0x8000);
    /// `unshared_extent_size` is in use.
    pub const UNSHARED_EXTENT_SIZE: Self = Self(0x1_0000);
    /// Its contents are sealed by fs-verity. Cannot be set.
    pub const VERITY: Self = Self(0x2_0000);
    /// xfs: it has extended attributes. Cannot be set.
    pub const HAS_EXTENDED: Self = Self(0x8000_0000);
    /// What the file system itself switches on and off. A copy cannot be given these.
    pub const OBSERVED: Self = Self(Self::RESERVED.0 | Self::VERITY.0 | Self::HAS_EXTENDED.0);

    /// Each with the word that it goes by.
    const NAMED: [(Self, &'static str); 18] = [
        (Self::REALTIME, "real-time"),
        (Self::RESERVED, "preallocated"),
        (Self::IMMUTABLE, "immutable"),
        (Self::APPEND, "append-only"),
        (Self::SYNC, "synchronous"),
        (Self::NO_ATIME, "no access times"),
        (Self::NO_DUMP, "not dumped"),
        (Self::REALTIME_INHERITED, "real-time for new files"),
        (Self::PROJECT_INHERITED, "project for new files"),
        (Self::NO_LINKS, "no links"),
        (Self::EXTENT_SIZE, "extent size"),
        (Self::EXTENT_SIZE_INHERITED, "extent size for new files"),
        (Self::NO_DEFRAGMENT, "not defragmented"),
        (Self::STREAMED, "streamed"),
        (Self::DAX, "direct access"),
        (Self::UNSHARED_EXTENT_SIZE, "extent size when unshared"),
        (Self::VERITY, "sealed"),
        (Self::HAS_EXTENDED, "extended attributes"),
    ];

    /// The set with these bits, known here or not.
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The bits as the system counts them.
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Whether all of `other` are on.
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` is on.
    pub const fn has_any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// These and those.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These but not those.
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether nothing is on.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// What is on, in words; bits that are not known here are left out.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        Self::NAMED.into_iter().filter(move |(flag, _)| self.has(*flag)).map(|(_, word)| word)
    }
}

/// The attributes of the regular file or folder that is open.
///
/// A descriptor of a device must not be given: its driver may take the request for one of its own.
///
/// # Errors
/// ENOTTY, ENOTSUP or EINVAL where the file system has none; EBADF for a descriptor that only holds a
/// place (O_PATH). ENOTSUP on other systems than Linux.
pub fn of(fd: impl AsFd) -> Result<Attributes, Errno> {
    system::of(fd.as_fd())
}

/// Gives the regular file or folder that is open these attributes, all at once. [`Flags::OBSERVED`]
/// are left as they are.
///
/// # Errors
/// As for [`of`]. EPERM without the right to: it needs the owner, and CAP_LINUX_IMMUTABLE for
/// `IMMUTABLE` and `APPEND`. EINVAL or ENOTSUP for what the file system, or this kind of file,
/// cannot have, and nothing is changed then. A file system may also ignore in silence what it does not know, so that
/// what was set must be read back.
pub fn set(fd: impl AsFd, attributes: &Attributes) -> Result<(), Errno> {
    system::set(fd.as_fd(), attributes)
}

#[cfg(target_os = "linux")]
mod system {
    use super::{Attributes, Flags};
    use rustix::fd::BorrowedFd;
    use rustix::io::Errno;
    use rustix::ioctl::{Getter, Opcode, Setter, ioctl, opcode};

    /// `struct fsxattr` (linux/fs.h).
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Raw {
        flags: u32,
        extent_size: u32,
        extents: u32,
        project: u32,
        unshared_extent_size: u32,
        padding: [u8; 8],
    }

    const _: () = assert!(size_of::<Raw>() == 28, "as the kernel has it");

    const GET: Opcode = opcode::read::<Raw>(b'X', 31);
    const SET: Opcode = opcode::write::<Raw>(b'X', 32);

    pub(super) fn of(fd: BorrowedFd<'_>) -> Result<Attributes, Errno> {
        // SAFETY: GET is FS_IOC_FSGETXATTR, which fills in a `struct fsxattr`, and `Raw` is one;
        // it is all numbers, so that whatever is written there is valid.
        let request = unsafe { Getter::<GET, Raw>::new() };
        // SAFETY: the request holds the memory that the kernel writes to, and reads nothing else.
        let raw = unsafe { ioctl(fd, request) }?;
        Ok(Attributes {
            flags: Flags::from_bits(raw.flags),
            project: raw.project,
            extent_size: raw.extent_size,
            unshared_extent_size: raw.unshared_extent_size,
        })
    }

    pub(super) fn set(fd: BorrowedFd<'_>, attributes: &Attributes) -> Result<(), Errno> {
        let raw = Raw {
            flags: attributes.flags.without(Flags::OBSERVED).bits(),
            extent_size: attributes.extent_size,
            extents: 0,
            project: attributes.project,
            unshared_extent_size: attributes.unshared_extent_size,
            padding: [0; 8],
        };
        // SAFETY: SET is FS_IOC_FSSETXATTR, which reads a `struct fsxattr`, and `Raw` is one.
        let request = unsafe { Setter::<SET, Raw>::new(raw) };
        // SAFETY: the kernel reads the request's own memory and writes to none of this process.
        unsafe { ioctl(fd, request) }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::Attributes;
    use rustix::fd::BorrowedFd;
    use rustix::io::Errno;

    pub(super) fn of(_: BorrowedFd<'_>) -> Result<Attributes, Errno> {
        Err(Errno::NOTSUP)
    }

    pub(super) fn set(_: BorrowedFd<'_>, _: &Attributes) -> Result<(), Errno> {
        Err(Errno::NOTSUP)
    }
}
