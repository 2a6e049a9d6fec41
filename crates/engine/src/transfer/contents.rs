//! The contents of one file: data, holes, reserved room, shared blocks.

use super::clone::Sharing;
use super::sum::Sum;
use super::walk::Job;
use super::{At, Side, Slip};
use crate::system::Facts;
use linkwell_calls::extents::{self, Cached};
use linkwell_model::plan::Loss;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::ops::Range;
use std::sync::atomic::Ordering;

/// How much is read at once. More falls out of the nearer caches (measured: 1 MiB takes twice as long).
pub(super) const PIECE: usize = 128 * 1024;

/// From this length on it is asked where a file has holes even when its room says it has none: what is
/// reserved and unwritten counts as room.
const LARGE: u64 = 1 << 20;

/// Room beyond the length is looked into when it is more than a file system needs for itself.
const SPARE: u64 = 64 * 1024;

/// What one thread works with.
#[derive(Debug)]
pub(super) struct Tools {
    pub(super) piece: Vec<u8>,
    pub(super) extents: extents::Buffer,
    pub(super) names: Vec<u8>,
    pub(super) value: Vec<u8>,
    pub(super) text: Vec<u8>,
    pub(super) tally: Tally,
}

/// What one thread has done and not told yet: threads that tell of every small file wait for each other's
/// caches.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Entries that are done.
    pub(super) entries: u64,
    /// The bytes in these.
    pub(super) bytes: u64,
    /// How many bytes were read or written.
    pub(super) moved: u64,
}

/// So many bytes are told of at once.
const TOLD: u64 = 1 << 20;

impl Default for Tools {
    fn default() -> Self {
        Self {
            piece: vec![0; PIECE],
            extents: extents::Buffer::default(),
            names: Vec::with_capacity(4096),
            value: Vec::with_capacity(1 << 16),
            text: Vec::with_capacity(4096),
            tally: Tally::default(),
        }
    }
}

/// What was copied of a file.
#[derive(Default)]
pub(super) struct Filled<'j, 'n> {
    pub(super) sum: Option<[u8; 32]>,
    /// How many bytes were read and written.
    pub(super) bytes: u64,
    /// Whether there were holes.
    pub(super) holes: bool,
    /// What could not be kept.
    pub(super) lost: Option<Loss>,
    /// What it shares with other files.
    pub(super) sharing: Option<Sharing<'j, 'n>>,
}

/// The system's answers that say that something cannot be done there at all.
pub(super) fn cannot(error: Errno) -> bool {
    matches!(
        error,
        Errno::XDEV | Errno::NOTSUP | Errno::INVAL | Errno::NOTTY | Errno::NOSYS | Errno::PERM
    )
}

impl Job<'_> {
    /// Copies the contents of an open file into an open empty one, which stands at `at`.
    pub(super) fn fill<'n>(
        &self,
        tools: &mut Tools,
        from: BorrowedFd<'_>,
        (to, at): (BorrowedFd<'_>, At<'n>),
        facts: &Facts,
    ) -> Result<Filled<'_, 'n>, Slip> {
        if facts.size > 0 && self.share(from, to)? {
            return Ok(Filled::default());
        }
        let sharing = self.sharing(tools, from, at, facts.size)?;
        let mut filled = Filled { sharing, ..Filled::default() };
        let mut sum = self.reads_back().then(Sum::new);
        if facts.size == 0 && !self.made_up {
            // Nothing, if what it says of itself is true.
        } else if facts.size > 0 && (facts.stored < facts.size || facts.size >= LARGE) {
            let mut at = 0;
            while let Some(data) = next_data(from, at, facts.size) {
                if at == 0 && (data.start > 0 || data.end < facts.size) {
                    filled.holes = true;
                    self.lengthen(to, facts.size)?;
                }
                let sharing = filled.sharing.as_mut();
                at = self.data(tools, (from, to), data.clone(), sum.as_mut(), sharing)?;
                filled.bytes += at.saturating_sub(data.start);
                if at < data.end {
                    return Err(Slip::Changed);
                }
            }
            if at == 0 {
                filled.holes = true;
                self.lengthen(to, facts.size)?;
            }
        } else {
            let end = if self.made_up { u64::MAX } else { facts.size };
            let sharing = filled.sharing.as_mut();
            filled.bytes = self.data(tools, (from, to), 0..end, sum.as_mut(), sharing)?;
            if filled.bytes < facts.size {
                return Err(Slip::Changed);
            }
        }
        if !self.made_up && is_longer(from, facts.size)? {
            return Err(Slip::Changed);
        }
        if facts.stored > facts.size.next_multiple_of(4096) + SPARE || filled.holes {
            filled.lost = self.reserve(tools, from, to)?;
        }
        let size = if self.made_up { filled.bytes } else { facts.size };
        filled.sum = sum.map(|sum| sum.end(size));
        Ok(filled)
    }

    /// Gives an empty file its length, before anything is written into it: where a file grows while it is
    /// written, XFS reserves room ahead, and leaves it in the holes (as much as the data before them).
    fn lengthen(&self, to: BorrowedFd<'_>, size: u64) -> Result<(), Slip> {
        self.disk.cut(to, size).map_err(Slip::copy("set its length"))?;
        let begin = rustix::fs::seek(to, rustix::fs::SeekFrom::Start(0));
        begin.map(drop).map_err(Slip::copy("set its length"))
    }

    /// Lets the copy share the original's blocks, where that has not been refused before.
    fn share(&self, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<bool, Slip> {
        if self.unshared.load(Ordering::Relaxed) {
            return Ok(false);
        }
        match self.disk.share(from, to) {
            Ok(()) => Ok(true),
            Err(error) if cannot(error) => {
                self.unshared.store(true, Ordering::Relaxed);
                Ok(false)
            }
            Err(error) => Err(Slip::copy("copy it")(error)),
        }
    }

    /// Copies a stretch of data, or shares it with other copies; gives the place that was reached.
    fn data(
        &self,
        tools: &mut Tools,
        (from, to): (BorrowedFd<'_>, BorrowedFd<'_>),
        data: Range<u64>,
        sum: Option<&mut Sum>,
        sharing: Option<&mut Sharing<'_, '_>>,
    ) -> Result<u64, Slip> {
        match sharing {
            Some(sharing) => self.copy_or_share(tools, (from, to), data, sum, sharing),
            None => self.stretch(tools, from, to, data, sum),
        }
    }

    /// Copies a stretch of data; gives the place that was reached.
    pub(super) fn stretch(
        &self,
        tools: &mut Tools,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        data: Range<u64>,
        sum: Option<&mut Sum>,
    ) -> Result<u64, Slip> {
        // A gigabyte at a time, so that stopping does not take long.
        const MOST: u64 = 1 << 28;
        let Some(sum) = sum else {
            let mut at = data.start;
            while at < data.end {
                self.heed()?;
                let end = data.end.min(at.saturating_add(MOST));
                let reached = self.disk.copy(from, to, at..end).map_err(of_copy)?;
                self.moved(tools, reached - at);
                at = reached;
                if at < end {
                    break;
                }
            }
            return Ok(at);
        };
        let mut at = data.start;
        while at < data.end {
            self.heed()?;
            let most = usize::try_from(data.end - at).unwrap_or(PIECE).min(PIECE);
            let room = tools.piece.get_mut(..most).unwrap_or_default();
            let count = match rustix::io::pread(from, &mut *room, at) {
                Ok(0) => break,
                Ok(count) => count,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(Slip::original("read it")(error)),
            };
            let read = room.get(..count).unwrap_or_default();
            self.disk.write_at(to, read, at).map_err(Slip::copy("write it"))?;
            sum.take(at, read);
            let count = u64::try_from(count).unwrap_or(0);
            self.moved(tools, count);
            at += count;
        }
        Ok(at)
    }

    /// So many bytes more were read or written.
    pub(super) fn moved(&self, tools: &mut Tools, bytes: u64) {
        tools.tally.moved += bytes;
        if tools.tally.moved >= TOLD {
            self.tell(tools);
        }
    }

    /// Reserves the room that the original has reserved and not written.
    fn reserve(
        &self,
        tools: &mut Tools,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
    ) -> Result<Option<Loss>, Slip> {
        let found = extents::map(from, 0..u64::MAX, Cached::Left, &mut tools.extents);
        let reserved: Vec<Range<u64>> = match found {
            Ok(found) => {
                let reserved = found.iter().filter(|extent| extent.is_unwritten());
                reserved.map(|extent| extent.logical..extent.end()).collect()
            }
            Err(_) if self.system.is_in_memory(from) => match in_memory(from) {
                Some(reserved) => reserved.into_iter().collect(),
                None => return Ok(Some(Loss::Preallocation)),
            },
            Err(_) => Vec::new(),
        };
        for stretch in reserved {
            match self.disk.allocate(to, stretch) {
                Ok(()) => {}
                Err(error) if cannot(error) || error == Errno::FBIG => {
                    return Ok(Some(Loss::Preallocation));
                }
                Err(error) => return Err(Slip::copy("reserve its room")(error)),
            }
        }
        Ok(None)
    }
}

/// What is reserved of a file in memory, which has no map of its extents: all of it, as far as its room
/// goes, or nothing; and `None` where some is reserved beside holes, and nothing tells which is which.
fn in_memory(file: BorrowedFd<'_>) -> Option<Option<Range<u64>>> {
    let about = rustix::fs::fstat(file).ok()?;
    let number = |number: i64| u64::try_from(number).unwrap_or(0);
    let (size, room) = (number(about.st_size), number(about.st_blocks) * 512);
    // A huge page where these are used.
    let block = u64::try_from(about.st_blksize).unwrap_or(4096).max(4096);
    let (mut data, mut at) = (0, 0);
    while let Some(part) = next_data(file, at, size) {
        data += part.end.next_multiple_of(block) - part.start / block * block;
        at = part.end;
    }
    if room <= data {
        return Some(None);
    }
    (room >= size).then_some(Some(0..room))
}

/// Whether there is more in a file than it says: mounts of a cloud say that a file is empty whose length
/// they have not asked for.
fn is_longer(file: BorrowedFd<'_>, size: u64) -> Result<bool, Slip> {
    loop {
        let read = match size {
            // Of some it cannot be said where to read.
            0 => rustix::io::read(file, &mut [0]),
            size => rustix::io::pread(file, &mut [0], size),
        };
        match read {
            Err(Errno::INTR) => {}
            Ok(count) => return Ok(count > 0),
            Err(error) => return Err(Slip::original("read it")(error)),
        }
    }
}

/// What went wrong in a copy by the system alone: a bad disk is most likely the one that is read.
fn of_copy(error: Errno) -> Slip {
    let side = if error == Errno::IO { Side::Original } else { Side::Copy };
    Slip::System("copy it", side, error)
}

/// The next stretch of a file, from `at` on, that holds data; to the end of the file where the file
/// system does not tell. `None` when only a hole is left.
pub(super) fn next_data(file: BorrowedFd<'_>, at: u64, size: u64) -> Option<Range<u64>> {
    if at >= size {
        return None;
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{SeekFrom, seek};
        let data = match seek(file, SeekFrom::Data(at)) {
            Ok(data) => data,
            Err(Errno::NXIO) => return None,
            Err(_) => return Some(at..size),
        };
        let hole = seek(file, SeekFrom::Hole(data)).ok().filter(|hole| *hole > data);
        (data < size).then(|| data..hole.unwrap_or(size).min(size))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = file;
        Some(at..size)
    }
}
