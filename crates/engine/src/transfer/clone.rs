//! Contents that share their room in the copy as they do in the original.
//!
//! Nothing is shared unseen: the stretch of the original and that of the earlier copy are read and
//! compared, and the sum of the file is made of what was read of the original. So a hint that is wrong
//! costs time and nothing else. Between the look and the clone nobody changes the earlier copy, which
//! lies where only its owner comes; a change of the original shows as in every other file.

use super::contents::{Tools, cannot};
use super::shared::{Claim, Had, Place};
use super::sum::Sum;
use super::walk::Job;
use super::{At, Slip};
use crate::look;
use crate::system::Access;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// A file that is being copied, of which some may be in other copies already.
pub(super) struct Sharing<'s, 'n> {
    pub(super) claim: Claim<'s>,
    /// Where the copy stands.
    at: At<'n>,
    /// The length that it will have.
    size: u64,
    /// The last one that was shared from.
    open: Option<(Option<Arc<Place>>, Arc<OwnedFd>)>,
    /// Something that might have been shared was copied.
    pub(super) lost: bool,
}

impl Job<'_> {
    /// What is known of the room that an original shares with others; nothing if it shares none.
    pub(super) fn sharing<'n>(
        &self,
        tools: &mut Tools,
        from: BorrowedFd<'_>,
        at: At<'n>,
        size: u64,
    ) -> Result<Option<Sharing<'_, 'n>>, Slip> {
        if size == 0 || !self.shared.is_asked() {
            return Ok(None);
        }
        let found = self.shared.extents(from, size, &mut tools.extents);
        let claim = self.shared.claim(&found, &|| self.watch.stops());
        self.heed()?;
        Ok(claim.map(|claim| {
            let lost = claim.forgets;
            Sharing { claim, at, size, open: None, lost }
        }))
    }

    /// Copies a stretch of data, or shares it where that can be; gives the place that was reached.
    pub(super) fn copy_or_share(
        &self,
        tools: &mut Tools,
        (from, to): (BorrowedFd<'_>, BorrowedFd<'_>),
        data: Range<u64>,
        mut sum: Option<&mut Sum>,
        sharing: &mut Sharing<'_, '_>,
    ) -> Result<u64, Slip> {
        let mut at = data.start;
        while at < data.end {
            let (first, end) = sharing.claim.from(at, data.end);
            let shared = match first {
                Had::Nowhere => at,
                first => {
                    let sum = sum.as_deref_mut();
                    self.share_some(tools, (from, to), at..end, sum, (sharing, first))?
                }
            };
            let reached = self.stretch(tools, from, to, shared..end, sum.as_deref_mut())?;
            if reached < end {
                return Ok(reached);
            }
            at = end;
        }
        Ok(at)
    }

    /// Shares as much of a stretch, from its beginning on, as is the same; gives where that ends.
    fn share_some(
        &self,
        tools: &mut Tools,
        (from, to): (BorrowedFd<'_>, BorrowedFd<'_>),
        data: Range<u64>,
        mut sum: Option<&mut Sum>,
        (sharing, first): (&mut Sharing<'_, '_>, Had),
    ) -> Result<u64, Slip> {
        let (start, block) = (data.start, self.shared.block);
        let (place, begin) = match first {
            Had::Copy(place, begin) => (Some(place), begin),
            Had::Itself(begin) => (None, begin),
            Had::Nowhere => return Ok(start),
        };
        let opened = self.shared_from(sharing, place);
        let Some((file, length)) = opened.filter(|_| self.shared.is_asked()) else {
            sharing.lost = true;
            return Ok(start);
        };
        // Whole blocks, but for the end of both.
        let wanted = data.end - start;
        let to_both_ends = data.end == sharing.size && begin + wanted == length;
        let whole = wanted.min(length.saturating_sub(begin)) / block * block;
        let end = start + if to_both_ends { wanted } else { whole };
        if !start.is_multiple_of(block) || !begin.is_multiple_of(block) || end == start {
            sharing.lost |= wanted >= block;
            return Ok(start);
        }
        let mut at = start;
        while at < end {
            self.heed()?;
            let half = tools.piece.len() / 2;
            let most = usize::try_from(end - at).unwrap_or(half).min(half);
            let (one, other) = tools.piece.split_at_mut(half);
            let one = one.get_mut(..most).unwrap_or_default();
            let other = other.get_mut(..most).unwrap_or_default();
            let count = read(from, one, at).map_err(Slip::original("read it"))?;
            let there = read(file.as_fd(), other, begin + (at - start));
            let there = there.map_err(Slip::copy("read it back"))?;
            if count < most || there < most || one != other {
                break;
            }
            if let Some(sum) = sum.as_deref_mut() {
                sum.take(at, one);
            }
            let count = u64::try_from(count).unwrap_or(0);
            self.watch.done(0, count);
            at += count;
        }
        if at > start {
            match self.disk.share_stretch((file.as_fd(), begin), to, start..at) {
                Ok(()) => {}
                Err(error) if cannot(error) => {
                    self.shared.refused.store(true, Ordering::Relaxed);
                    sharing.lost = true;
                    let copied = self.disk.copy(from, to, start..at);
                    if copied.map_err(Slip::copy("copy it"))? < at {
                        return Err(Slip::Changed);
                    }
                }
                Err(error) => return Err(Slip::copy("copy it")(error)),
            }
        }
        Ok(at)
    }

    /// Opens the copy that is to be shared from, and gives its length; nothing when it is not what it
    /// was.
    fn shared_from(
        &self,
        sharing: &mut Sharing<'_, '_>,
        place: Option<Arc<Place>>,
    ) -> Option<(Arc<OwnedFd>, u64)> {
        let same = |one: &Option<Arc<Place>>| match (one, &place) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (None, None) => true,
            _ => false,
        };
        if !sharing.open.as_ref().is_some_and(|(open, _)| same(open)) {
            let file = match &place {
                Some(place) => {
                    let folder = place.folder.open(self.system, Access::Hold).ok()?;
                    self.open_copy((folder.as_fd(), &place.name))
                }
                None => self.open_copy(sharing.at),
            };
            sharing.open = Some((place.clone(), Arc::new(file.ok()?)));
        }
        let (_, file) = sharing.open.as_ref()?;
        let now = self.system.facts_of(file.as_fd()).ok()?;
        let is_as_copied = place.is_none_or(|place| place.copy.is(&now));
        is_as_copied.then(|| (Arc::clone(file), now.size))
    }

    /// Reading a copy leaves no trace either: it has got its times already.
    fn open_copy(&self, (at, name): At<'_>) -> Result<OwnedFd, Errno> {
        self.system.open_quietly(at, name.as_bytes()).or_else(|_| {
            let file = self.system.open(at, name.as_bytes(), Access::Read)?;
            look::without_trace(file.as_fd());
            Ok(file)
        })
    }
}

/// Reads until `room` is full or the file ends.
fn read(file: BorrowedFd<'_>, room: &mut [u8], at: u64) -> Result<usize, Errno> {
    let mut count = 0;
    while let Some(rest) = room.get_mut(count..).filter(|rest| !rest.is_empty()) {
        match rustix::io::pread(file, rest, at + u64::try_from(count).unwrap_or(0)) {
            Ok(0) => break,
            Ok(more) => count += more,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(count)
}
