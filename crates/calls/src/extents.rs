//! Where the data of a file lie (FIEMAP; Documentation/filesystems/fiemap.rst): what is reserved and
//! was never written, and what is shared with other files.
//!
//! Data are read by `SEEK_DATA` and never by this: what it says is behind what is in the cache.

use rustix::fd::AsFd;
use rustix::io::Errno;
use std::ops::Range;

/// A stretch of a file that has space on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Where in the file it begins, in bytes.
    pub logical: u64,
    /// Where on the volume it begins, in bytes; means something with [`Extent::is_placed`] only.
    pub physical: u64,
    /// How long it is, in bytes.
    pub length: u64,
    /// The system's own flags (linux/fiemap.h, `FIEMAP_EXTENT_…`).
    pub flags: u32,
}

impl Extent {
    const LAST: u32 = 0x1;
    const UNKNOWN: u32 = 0x2;
    const DELAYED: u32 = 0x4;
    const PACKED: u32 = 0x8;
    const INLINE: u32 = 0x200;
    const UNWRITTEN: u32 = 0x800;
    const SHARED: u32 = 0x2000;

    /// None follows in the range that was asked for: so ext4 and xfs mean it (measured on Linux
    /// 6.18), while btrfs means the file. It is the last one of the file when the range ends with
    /// the numbers.
    pub const fn is_last(&self) -> bool {
        self.flags & Self::LAST != 0
    }

    /// The space is reserved, and reads as zeros.
    pub const fn is_unwritten(&self) -> bool {
        self.flags & Self::UNWRITTEN != 0
    }

    /// Other files, or other places of this one, share the space.
    pub const fn is_shared(&self) -> bool {
        self.flags & Self::SHARED != 0
    }

    /// It is compressed, or packed otherwise: `physical` is where the whole of it begins, of which this
    /// may be any part, and `length` is not the room that it takes there.
    pub const fn is_packed(&self) -> bool {
        self.flags & Self::PACKED != 0
    }

    /// It has a place on the volume that `physical` names: it is not still in the cache alone, and
    /// does not lie among the file's own records.
    pub const fn is_placed(&self) -> bool {
        self.flags & (Self::UNKNOWN | Self::DELAYED | Self::INLINE) == 0
    }

    /// Where in the file it ends.
    pub const fn end(&self) -> u64 {
        self.logical.saturating_add(self.length)
    }
}

/// What becomes of what is still in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cached {
    /// It is written out first, which may take a while; then all extents have a place.
    WrittenFirst,
    /// It stays there: new data have no place yet, and written to reserved space they may still be
    /// called unwritten.
    Left,
}

/// Memory for the answers of the system: about 14 KiB, to be used for many files.
#[derive(Debug, Default)]
pub struct Buffer(system::Buffer);

/// The extents of an open regular file that touch `range`, in order. Holes have none.
///
/// # Errors
/// ENOTSUP (ENOTTY) where the file system does not tell; EIO when its answer makes no sense. ENOTSUP
/// on other systems than Linux.
pub fn map(
    fd: impl AsFd,
    range: Range<u64>,
    cached: Cached,
    buffer: &mut Buffer,
) -> Result<Vec<Extent>, Errno> {
    let mut found = Vec::new();
    each(fd, range, cached, buffer, |extent| {
        found.push(extent);
        true
    })?;
    Ok(found)
}

/// The same, one by one, until `take` answers `false`: for files of a million pieces.
///
/// # Errors
/// As for [`map`].
pub fn each(
    fd: impl AsFd,
    range: Range<u64>,
    cached: Cached,
    buffer: &mut Buffer,
    mut take: impl FnMut(Extent) -> bool,
) -> Result<(), Errno> {
    let mut from = range.start;
    while from < range.end {
        let part = system::part(fd.as_fd(), from..range.end, cached, &mut buffer.0)?;
        let mut end = from;
        for extent in part {
            if extent.logical >= range.end {
                return Ok(());
            }
            end = extent.end();
            if !take(extent) || extent.is_last() {
                return Ok(());
            }
        }
        if end == from {
            // The rest is a hole.
            return Ok(());
        }
        if end < from {
            return Err(Errno::IO);
        }
        from = end;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
mod system {
    use super::{Cached, Extent};
    use rustix::fd::BorrowedFd;
    use rustix::io::{Errno, retry_on_intr};
    use rustix::ioctl::{Opcode, Updater, ioctl, opcode};
    use std::ops::Range;

    const COUNT: usize = 256;

    /// `struct fiemap` without its extents (linux/fiemap.h).
    #[repr(C)]
    #[derive(Clone, Copy, Debug, Default)]
    struct Head {
        start: u64,
        length: u64,
        flags: u32,
        mapped: u32,
        count: u32,
        reserved: u32,
    }

    /// `struct fiemap_extent`.
    #[repr(C)]
    #[derive(Clone, Copy, Debug, Default)]
    struct Raw {
        logical: u64,
        physical: u64,
        length: u64,
        reserved: [u64; 2],
        flags: u32,
        more: [u32; 3],
    }

    #[repr(C)]
    #[derive(Debug)]
    struct Request {
        head: Head,
        extents: [Raw; COUNT],
    }

    const _: () = assert!(size_of::<Head>() == 32, "as the kernel has it");
    const _: () = assert!(size_of::<Raw>() == 56, "as the kernel has it");
    const _: () = assert!(size_of::<Request>() == 32 + 56 * COUNT, "no gap between the two");

    const FIEMAP: Opcode = opcode::read_write::<Head>(b'f', 11);
    /// FIEMAP_FLAG_SYNC.
    const SYNC: u32 = 1;

    #[derive(Debug)]
    pub(super) struct Buffer(Box<Request>);

    impl Default for Buffer {
        fn default() -> Self {
            let request = Request { head: Head::default(), extents: [Raw::default(); COUNT] };
            Self(Box::new(request))
        }
    }

    pub(super) fn part(
        fd: BorrowedFd<'_>,
        range: Range<u64>,
        cached: Cached,
        buffer: &mut Buffer,
    ) -> Result<impl Iterator<Item = Extent>, Errno> {
        retry_on_intr(|| {
            buffer.0.head = Head {
                start: range.start,
                length: range.end.saturating_sub(range.start),
                flags: if cached == Cached::WrittenFirst { SYNC } else { 0 },
                mapped: 0,
                count: u32::try_from(COUNT).unwrap_or(0),
                reserved: 0,
            };
            // SAFETY: FIEMAP reads a `struct fiemap`, and writes to it and to as many extents after
            // it as `count` says; `Request` is that, with room for `COUNT`. It is all numbers, so
            // that whatever is written there is valid.
            let request = unsafe { Updater::<FIEMAP, Request>::new(&mut buffer.0) };
            // SAFETY: the request borrows the memory until the call is over, and the kernel writes
            // to nothing else.
            unsafe { ioctl(fd, request) }
        })?;
        let mapped = usize::try_from(buffer.0.head.mapped).unwrap_or(COUNT);
        let extent = |raw: &Raw| Extent {
            logical: raw.logical,
            physical: raw.physical,
            length: raw.length,
            flags: raw.flags,
        };
        Ok(buffer.0.extents.iter().take(mapped).map(extent))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{Cached, Extent};
    use rustix::fd::BorrowedFd;
    use rustix::io::Errno;
    use std::ops::Range;

    #[derive(Debug, Default)]
    pub(super) struct Buffer;

    pub(super) fn part(
        _: BorrowedFd<'_>,
        _: Range<u64>,
        _: Cached,
        _: &mut Buffer,
    ) -> Result<impl Iterator<Item = Extent>, Errno> {
        Err::<std::iter::Empty<Extent>, Errno>(Errno::NOTSUP)
    }
}
