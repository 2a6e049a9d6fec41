//! Room that files of a tree share among themselves: which stretch of the original's volume was first
//! copied to where, so that the next file that has it shares it there again.
//!
//! Where something lies on the volume is a hint and no more: it may be stale, and of what is compressed
//! only the beginning is told. What is to share is compared byte by byte first (see `clone`).

use super::Order;
use super::entry::Copied;
use crate::folder::Folder;
use crate::system::System;
use linkwell_calls::extents::{self, Cached, Extent};
use linkwell_model::name::Name;
use rustix::fd::BorrowedFd;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// So many stretches are remembered: some 40 MB if each is of a file of its own. Those that come later
/// are copied, and counted.
pub(super) const MOST: usize = 200_000;

/// How often a thread that waits for another one looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(100);

/// Where a copy lies that others may share from.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) folder: Arc<Folder>,
    pub(super) name: Name,
    pub(super) copy: Copied,
}

#[derive(Debug)]
enum State {
    /// One of the threads is copying it.
    Busy,
    Done(Arc<Place>),
    /// It was not copied after all.
    Gone,
}

/// A stretch of the original's volume that was copied.
#[derive(Clone, Copy, Debug)]
struct Piece {
    length: u64,
    /// The number of the file.
    file: u32,
    /// Where in that file it begins.
    at: u64,
}

#[derive(Debug, Default)]
struct Table {
    /// By where they begin on the original's volume; no two of them overlap.
    pieces: BTreeMap<u64, Piece>,
    /// The same for what is packed, of which only the beginning is known.
    packed: BTreeMap<u64, Piece>,
    files: Vec<State>,
}

/// All that is known.
#[derive(Debug)]
pub(super) struct Shared {
    /// Whether it may matter: on both sides files can share.
    asked: bool,
    /// The size of a block of the copy.
    pub(super) block: u64,
    /// The copy's volume turned out not to be able to.
    pub(super) refused: AtomicBool,
    most: usize,
    table: Mutex<Table>,
    settled: Condvar,
}

/// A part of a file that may be in a copy already.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Hint {
    range: Range<u64>,
    file: u32,
    at: u64,
}

/// Where a stretch may be had from.
#[derive(Clone, Debug)]
pub(super) enum Had {
    /// Nowhere: it is to be copied.
    Nowhere,
    /// Another copy, from this place on.
    Copy(Arc<Place>, u64),
    /// The same file, from this place on.
    Itself(u64),
}

/// What is known of the stretches of one file, and the duty to say what came of those that are new.
#[derive(Debug)]
pub(super) struct Claim<'s> {
    shared: &'s Shared,
    hints: Vec<Hint>,
    /// Its number, if it has stretches that nobody had before.
    file: Option<u32>,
    /// Where these begin.
    new: Vec<(bool, u64)>,
    done: bool,
    /// Some stretches could not be remembered.
    pub(super) forgets: bool,
}

impl Shared {
    pub(super) fn new(order: &Order<'_>) -> Self {
        let shares = |system: System, held| system.may_share(held);
        Self {
            asked: shares(order.system, order.from.0) && shares(order.system, order.to.0),
            block: rustix::fs::fstatvfs(order.to.0).map_or(4096, |found| found.f_frsize.max(512)),
            refused: AtomicBool::new(false),
            most: MOST,
            table: Mutex::default(),
            settled: Condvar::new(),
        }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is worth asking which room is shared.
    pub(super) fn is_asked(&self) -> bool {
        self.asked && !self.refused.load(Ordering::Relaxed)
    }

    /// What of an open file others share, which may lie outside the tree; nothing where that is not told.
    pub(super) fn extents(
        &self,
        from: BorrowedFd<'_>,
        size: u64,
        buffer: &mut extents::Buffer,
    ) -> Vec<Extent> {
        let mut found = Vec::new();
        let asked = extents::each(from, 0..size, Cached::Left, buffer, |extent| {
            if extent.is_shared() && extent.is_placed() && !extent.is_unwritten() {
                found.push(Extent { length: extent.end().min(size) - extent.logical, ..extent });
            }
            found.len() < self.most
        });
        if asked.is_err() {
            found.clear();
        }
        found
    }

    /// Looks up what a file shares, and claims what nobody has copied yet. Waits while another thread
    /// copies some of it; `stops` says when to wait no longer.
    pub(super) fn claim(&self, found: &[Extent], stops: &dyn Fn() -> bool) -> Option<Claim<'_>> {
        if found.is_empty() {
            return None;
        }
        let mut table = self.table();
        while found.iter().any(|extent| table.is_busy(extent)) && !stops() {
            let waited = self.settled.wait_timeout(table, LOOK);
            table = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let mut claim = Claim {
            shared: self,
            hints: Vec::new(),
            file: None,
            new: Vec::new(),
            done: false,
            forgets: false,
        };
        for extent in found {
            table.take(extent, &mut claim, self.most);
        }
        Some(claim)
    }
}

impl Table {
    /// The pieces that lie in a stretch of the volume, if only in part.
    fn within(&self, physical: Range<u64>) -> impl Iterator<Item = (u64, Piece)> {
        let before = self.pieces.range(..=physical.start).next_back();
        let before =
            before.filter(|(start, piece)| start.saturating_add(piece.length) > physical.start);
        let from = before.map_or(physical.start, |(start, _)| *start);
        self.pieces.range(from..physical.end.max(from)).map(|(start, piece)| (*start, *piece))
    }

    fn is_busy(&self, extent: &Extent) -> bool {
        let busy = |piece: &Piece| {
            let file = usize::try_from(piece.file).ok().and_then(|file| self.files.get(file));
            matches!(file, Some(State::Busy))
        };
        if extent.is_packed() {
            return self.packed.get(&extent.physical).is_some_and(busy);
        }
        let physical = extent.physical..extent.physical.saturating_add(extent.length);
        self.within(physical).any(|(_, piece)| busy(&piece))
    }

    /// Adds what is known of an extent to a claim, and what is new to both.
    fn take(&mut self, extent: &Extent, claim: &mut Claim<'_>, most: usize) {
        if extent.is_packed() {
            return match self.packed.get(&extent.physical) {
                Some(piece) => {
                    let end = extent.logical + extent.length.min(piece.length);
                    let range = extent.logical..end;
                    claim.hints.push(Hint { range, file: piece.file, at: piece.at });
                }
                None => {
                    self.add(extent.physical, extent.length, extent.logical, claim, (most, true))
                }
            };
        }
        let (start, end) = (extent.physical, extent.physical.saturating_add(extent.length));
        let known: Vec<(u64, Piece)> = self.within(start..end).collect();
        let mut at = start;
        for (begin, piece) in known {
            let from = begin.max(at);
            let to = begin.saturating_add(piece.length).min(end);
            if from > at {
                self.add(at, from - at, extent.logical + (at - start), claim, (most, false));
            }
            let range = extent.logical + (from - start)..extent.logical + (to - start);
            claim.hints.push(Hint { range, file: piece.file, at: piece.at + (from - begin) });
            at = to;
        }
        if at < end {
            self.add(at, end - at, extent.logical + (at - start), claim, (most, false));
        }
    }

    fn add(
        &mut self,
        physical: u64,
        length: u64,
        at: u64,
        claim: &mut Claim<'_>,
        (most, packed): (usize, bool),
    ) {
        let full = self.pieces.len() + self.packed.len() >= most;
        let number = u32::try_from(self.files.len());
        let (false, Ok(number)) = (full, number) else {
            claim.forgets = true;
            return;
        };
        let file = *claim.file.get_or_insert_with(|| {
            self.files.push(State::Busy);
            number
        });
        let pieces = if packed { &mut self.packed } else { &mut self.pieces };
        pieces.insert(physical, Piece { length, file, at });
        claim.new.push((packed, physical));
    }
}

impl Claim<'_> {
    /// From where the bytes from `at` on may be had, and up to where that holds, `end` at most.
    pub(super) fn from(&self, at: u64, end: u64) -> (Had, u64) {
        let next = self.hints.partition_point(|hint| hint.range.end <= at);
        let Some(hint) = self.hints.get(next).filter(|hint| hint.range.start < end) else {
            return (Had::Nowhere, end);
        };
        if hint.range.start > at {
            return (Had::Nowhere, hint.range.start);
        }
        let (from, end) = (hint.at + (at - hint.range.start), hint.range.end.min(end));
        if Some(hint.file) == self.file {
            return (Had::Itself(from), end);
        }
        let table = self.shared.table();
        let state = usize::try_from(hint.file).ok().and_then(|file| table.files.get(file));
        match state {
            Some(State::Done(place)) => (Had::Copy(Arc::clone(place), from), end),
            _ => (Had::Nowhere, end),
        }
    }

    /// The file is copied: others may share from it.
    pub(super) fn settle(mut self, place: impl FnOnce() -> Place) {
        if let Some(number) = self.file.and_then(|file| usize::try_from(file).ok()) {
            let place = State::Done(Arc::new(place()));
            if let Some(state) = self.shared.table().files.get_mut(number) {
                *state = place;
            }
        }
        self.done = true;
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        if !self.done {
            let mut table = self.shared.table();
            for (packed, physical) in &self.new {
                let pieces = if *packed { &mut table.packed } else { &mut table.pieces };
                pieces.remove(physical);
            }
            let number = self.file.and_then(|file| usize::try_from(file).ok());
            if let Some(state) = number.and_then(|number| table.files.get_mut(number)) {
                *state = State::Gone;
            }
        }
        if self.file.is_some() {
            self.shared.settled.notify_all();
        }
    }
}

#[cfg(test)]
#[path = "shared_tests.rs"]
mod tests;
