//! The record as a file: frames one behind the other, each with a check that holds all before it.
//!
//! A frame is its length (4 bytes, the lowest first), one byte that says what it is, that many bytes,
//! and the first 16 bytes of BLAKE3 over the check before it, the kind and the bytes. So the half of a
//! frame that a power cut left, or any byte that is another, ends what is believed.

use crate::disk::Disk;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::io::Errno;

/// What a record begins with; the number is the version of the format.
const BEGINNING: &[u8; 16] = b"linkwell tree 1\n";

pub(super) type Check = [u8; 16];

/// Longer than any frame that is written: a thousand of the longest names make less.
const LONGEST: u32 = 1 << 24;

/// So much is gathered before it is written.
const FULL: usize = 256 * 1024;

const HEAD: usize = 5;

/// What a frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A folder, before its entries.
    Folder = 1,
    /// Some of the entries of a folder that are no folders.
    Entries = 2,
    /// Names that are not in a folder any more.
    Gone = 3,
    /// A folder that is not there any more, with all below it.
    FolderGone = 4,
    /// Everything before it was made to last, in the copy too.
    Checkpoint = 5,
    /// The copy is whole and was verified.
    End = 6,
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        let all = [
            Self::Folder,
            Self::Entries,
            Self::Gone,
            Self::FolderGone,
            Self::Checkpoint,
            Self::End,
        ];
        all.into_iter().find(|kind| *kind as u8 == byte)
    }
}

fn check(before: &Check, kind: u8, bytes: &[u8]) -> Check {
    let mut hasher = blake3::Hasher::new();
    hasher.update(before).update(&[kind]).update(bytes);
    let mut check = Check::default();
    for (to, from) in check.iter_mut().zip(hasher.finalize().as_bytes()) {
        *to = *from;
    }
    check
}

/// Where the frames are kept.
#[derive(Debug)]
pub(super) enum Place {
    /// In a file.
    File(OwnedFd),
    /// Here, for as long as this process lasts.
    Memory(Vec<u8>),
}

/// Frames, to be read and written.
#[derive(Debug)]
pub(super) struct Frames {
    place: Place,
    /// How many bytes of it are in their place.
    written: u64,
    waiting: Vec<u8>,
    last: Check,
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

impl Frames {
    /// Begins in an empty place.
    pub(super) fn begin(place: Place) -> Self {
        Self { place, written: 0, waiting: BEGINNING.to_vec(), last: Check::default() }
    }

    /// Those that are there already, each given to `each`, with where it begins and ends, as far as
    /// they are sound. What follows is to be cut off before more is written.
    ///
    /// # Errors
    /// The system's; INVAL when it is no record of this version.
    pub(super) fn open(
        file: OwnedFd,
        mut each: impl FnMut(Kind, &[u8], u64, u64) -> bool,
    ) -> Result<Self, Errno> {
        let mut beginning = [0; BEGINNING.len()];
        if fill(&file, &mut beginning, 0)? < beginning.len() || beginning != *BEGINNING {
            return Err(Errno::INVAL);
        }
        let mut at = length(BEGINNING);
        let mut last = Check::default();
        // Much at a time: frames are small.
        let mut ahead = Ahead { file: &file, bytes: vec![0; 1 << 20], from: 0, filled: 0 };
        while let Some((kind, bytes, found)) = ahead.frame(at)? {
            if check(&last, kind as u8, bytes) != found {
                break;
            }
            let end = at + length(bytes) + 5 + 16;
            if !each(kind, bytes, at, end) {
                break;
            }
            (at, last) = (end, found);
        }
        Ok(Self { place: Place::File(file), written: at, waiting: Vec::new(), last })
    }

    /// Where the next frame begins.
    pub(super) fn end(&self) -> u64 {
        self.written + length(&self.waiting)
    }

    /// Adds a frame, and gives where it begins.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn add(&mut self, disk: &dyn Disk, kind: Kind, bytes: &[u8]) -> Result<u64, Errno> {
        let at = self.end();
        let size = u32::try_from(bytes.len()).map_err(|_| Errno::OVERFLOW)?;
        self.waiting.extend_from_slice(&size.to_le_bytes());
        self.waiting.push(kind as u8);
        self.waiting.extend_from_slice(bytes);
        self.last = check(&self.last, kind as u8, bytes);
        self.waiting.extend_from_slice(&self.last);
        if self.waiting.len() >= FULL {
            self.flush(disk)?;
        }
        Ok(at)
    }

    /// Puts everything in its place.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn flush(&mut self, disk: &dyn Disk) -> Result<(), Errno> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        match &mut self.place {
            Place::File(file) => disk.write_at(file.as_fd(), &self.waiting, self.written)?,
            Place::Memory(bytes) => bytes.extend_from_slice(&self.waiting),
        }
        self.written += length(&self.waiting);
        self.waiting.clear();
        Ok(())
    }

    /// Makes everything last.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn sync(&mut self, disk: &dyn Disk) -> Result<(), Errno> {
        self.flush(disk)?;
        match &self.place {
            Place::File(file) => disk.sync(file.as_fd()),
            Place::Memory(_) => Ok(()),
        }
    }

    /// Cuts off what follows the last sound frame.
    ///
    /// # Errors
    /// The system's.
    pub(super) fn cut(&mut self, disk: &dyn Disk) -> Result<(), Errno> {
        match &self.place {
            Place::File(file) => disk.cut(file.as_fd(), self.written),
            Place::Memory(_) => Ok(()),
        }
    }

    /// Reads the frame that begins at `at`, which is in its place.
    ///
    /// # Errors
    /// The system's; IO when it makes no sense.
    pub(super) fn read(&self, at: u64) -> Result<(Kind, Vec<u8>), Errno> {
        let mut bytes = match &self.place {
            Place::Memory(bytes) => {
                let from = usize::try_from(at).unwrap_or(usize::MAX);
                let rest = bytes.get(from..).unwrap_or_default();
                let size = size(rest).ok_or(Errno::IO)?;
                rest.get(..HEAD + size).ok_or(Errno::IO)?.to_vec()
            }
            Place::File(file) => {
                // Most are no longer than this.
                let mut bytes = vec![0; 32 * 1024];
                let found = fill(file, &mut bytes, at)?;
                let whole = HEAD + size(bytes.get(..found).unwrap_or_default()).ok_or(Errno::IO)?;
                bytes.resize(whole, 0);
                if let Some(missing) = bytes.get_mut(found..) {
                    let behind = at + u64::try_from(found).unwrap_or(0);
                    if fill(file, missing, behind)? < missing.len() {
                        return Err(Errno::IO);
                    }
                }
                bytes
            }
        };
        let kind = bytes.get(HEAD - 1).copied().and_then(Kind::of).ok_or(Errno::IO)?;
        bytes.drain(..HEAD.min(bytes.len()));
        Ok((kind, bytes))
    }
}

/// The size that a frame says it has.
fn size(head: &[u8]) -> Option<usize> {
    let size: [u8; 4] = head.get(..4)?.try_into().ok()?;
    head.get(4)?;
    let size = u32::from_le_bytes(size);
    if size <= LONGEST { usize::try_from(size).ok() } else { None }
}

/// A frame, with the check that it bears.
type Found<'f> = (Kind, &'f [u8], Check);

/// Reads a file from front to back.
struct Ahead<'f> {
    file: &'f OwnedFd,
    bytes: Vec<u8>,
    from: u64,
    filled: usize,
}

impl Ahead<'_> {
    /// So many bytes at `at`; none when the file ends before.
    fn get(&mut self, at: u64, count: usize) -> Result<Option<&[u8]>, Errno> {
        let mut offset = usize::try_from(at.saturating_sub(self.from)).unwrap_or(usize::MAX);
        if at < self.from || offset.saturating_add(count) > self.filled {
            if self.bytes.len() < count {
                self.bytes.resize(count, 0);
            }
            self.filled = fill(self.file, &mut self.bytes, at)?;
            self.from = at;
            offset = 0;
        }
        let filled = self.bytes.get(..self.filled).unwrap_or_default();
        Ok(filled.get(offset..offset.saturating_add(count)))
    }

    fn frame(&mut self, at: u64) -> Result<Option<Found<'_>>, Errno> {
        let Some(head) = self.get(at, HEAD)? else { return Ok(None) };
        let kind = head.get(4).copied().and_then(Kind::of);
        let (Some(kind), Some(size)) = (kind, size(head)) else { return Ok(None) };
        let Some(whole) = self.get(at, HEAD + size + 16)? else { return Ok(None) };
        let (bytes, found) = whole.split_at(HEAD + size);
        let check = Check::try_from(found).map_err(|_| Errno::IO)?;
        Ok(Some((kind, bytes.get(HEAD..).unwrap_or_default(), check)))
    }
}

/// Reads until `buffer` is full or the file ends.
fn fill(file: &OwnedFd, buffer: &mut [u8], at: u64) -> Result<usize, Errno> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match rustix::io::pread(file, rest, at + u64::try_from(filled).unwrap_or(0)) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
