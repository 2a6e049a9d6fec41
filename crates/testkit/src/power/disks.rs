//! The disks of a recording: what is on them, what was written to them in what order, and how they
//! would look had the power failed at some moment.

use super::chance::Chance;
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

/// What a disk writes at once, in bytes: of a longer write, some blocks may be there and some not.
pub(super) const BLOCK: usize = 4096;

/// What is on a disk, by the number of the block. What is missing is zeros.
type Image = HashMap<u64, Arc<Vec<u8>>>;

/// Part of a block that was written.
#[derive(Debug)]
struct Piece {
    block: u64,
    from: usize,
    bytes: Vec<u8>,
}

#[derive(Debug)]
enum Event {
    Write { disk: usize, pieces: Vec<Piece> },
    Flush { disk: usize },
}

/// What a power cut leaves of what was written before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Model {
    /// All of it: a disk without a cache.
    All,
    /// On each disk what a flush had covered: a disk whose cache is lost.
    Flushed,
    /// That, and each block written since by an even chance: a disk that writes as it likes.
    Subset,
}

impl Model {
    pub(super) const EACH: [Self; 3] = [Self::All, Self::Flushed, Self::Subset];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Flushed => "flushed",
            Self::Subset => "subset",
        }
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        Self::EACH.into_iter().find(|model| model.word() == word)
    }
}

/// The disks, and the one order in which they were written to.
#[derive(Debug)]
pub(super) struct Disks {
    /// Of each disk, in bytes.
    pub(super) size: u64,
    now: Vec<Image>,
    base: Vec<Image>,
    log: Vec<Event>,
    recording: bool,
}

impl Disks {
    /// Empty ones.
    pub(super) fn new(count: usize, size: u64) -> Self {
        let empty = || (0..count).map(|_| Image::new()).collect();
        Self { size, now: empty(), base: empty(), log: Vec::new(), recording: false }
    }

    pub(super) fn count(&self) -> usize {
        self.now.len()
    }

    /// Reads; `count` is cut at the end of the disk.
    pub(super) fn read(&self, disk: usize, offset: u64, count: usize) -> Vec<u8> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; count.min(left)];
        let Some(image) = self.now.get(disk) else { return Vec::new() };
        for (block, from, at, length) in blocks(offset, bytes.len()) {
            let stored = image.get(&block).and_then(|stored| stored.get(from..from + length));
            if let (Some(stored), Some(wanted)) = (stored, bytes.get_mut(at..at + length)) {
                wanted.copy_from_slice(stored);
            }
        }
        bytes
    }

    /// Writes, and writes that down.
    pub(super) fn write(&mut self, disk: usize, offset: u64, bytes: &[u8]) {
        let pieces: Vec<Piece> = blocks(offset, bytes.len())
            .map(|(block, from, at, length)| {
                let bytes = bytes.get(at..at + length).unwrap_or_default().to_vec();
                Piece { block, from, bytes }
            })
            .collect();
        if let Some(image) = self.now.get_mut(disk) {
            pieces.iter().for_each(|piece| put(image, piece));
        }
        if self.recording {
            self.log.push(Event::Write { disk, pieces });
        }
    }

    /// Writes down that all of a disk that was written before is to be durable now.
    pub(super) fn flush(&mut self, disk: usize) {
        if self.recording {
            self.log.push(Event::Flush { disk });
        }
    }

    /// Forgets what was recorded, and records from now on.
    pub(super) fn record(&mut self) {
        self.base.clone_from(&self.now);
        self.log.clear();
        self.recording = true;
    }

    /// Records nothing from now on.
    pub(super) fn stop(&mut self) {
        self.recording = false;
    }

    /// How much was recorded.
    pub(super) fn point(&self) -> usize {
        self.log.len()
    }

    /// Where the flushes stand in the record.
    pub(super) fn flushes(&self) -> Vec<usize> {
        let events = self.log.iter().enumerate();
        events.filter(|(_, event)| matches!(event, Event::Flush { .. })).map(|(at, _)| at).collect()
    }

    /// Makes the disks what they would be had the power failed after the first `point` events.
    ///
    /// A flush covers every write that came before it, also one that was still under way when the
    /// flush was asked for; a real disk promises a little less.
    pub(super) fn cut(&mut self, model: Model, point: usize, seed: u64) {
        self.recording = false;
        let mut chance = Chance::new(seed);
        let until = self.log.get(..point).unwrap_or(&self.log);
        let flushed: Vec<usize> = (0..self.now.len())
            .map(|disk| {
                let is_it = |event: &Event| matches!(event, Event::Flush { disk: flushed } if *flushed == disk);
                until.iter().rposition(is_it).unwrap_or(0)
            })
            .collect();
        self.now.clone_from(&self.base);
        for (at, event) in until.iter().enumerate() {
            let Event::Write { disk, pieces } = event else { continue };
            let durable =
                model == Model::All || flushed.get(*disk).is_some_and(|flush| at < *flush);
            let Some(image) = self.now.get_mut(*disk) else { continue };
            for piece in pieces {
                if durable || (model == Model::Subset && chance.even()) {
                    put(image, piece);
                }
            }
        }
    }

    /// Writes what is on a disk into a file with holes.
    pub(super) fn save(&self, disk: usize, path: &Path) -> io::Result<()> {
        let file = File::create(path)?;
        file.set_len(self.size)?;
        for (block, bytes) in self.now.get(disk).into_iter().flatten() {
            file.write_all_at(bytes, block * BLOCK as u64)?;
        }
        Ok(())
    }
}

fn put(image: &mut Image, piece: &Piece) {
    let whole = piece.bytes.len() == BLOCK;
    if whole && piece.bytes.iter().all(|byte| *byte == 0) {
        image.remove(&piece.block);
        return;
    }
    let block = image.entry(piece.block).or_insert_with(|| Arc::new(vec![0; BLOCK]));
    let range = piece.from..piece.from + piece.bytes.len();
    if let Some(there) = Arc::make_mut(block).get_mut(range) {
        there.copy_from_slice(&piece.bytes);
    }
}

/// The blocks that so many bytes from an offset on lie in: number, offset in the block, offset in the
/// bytes, length.
fn blocks(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, usize, usize)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let here = offset + at as u64;
        let from = usize::try_from(here % BLOCK as u64).expect("less than a block");
        let part = (BLOCK - from).min(length - at);
        let found = (here / BLOCK as u64, from, at, part);
        at += part;
        (part > 0).then_some(found)
    })
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, Disks, Model};

    /// Two disks: what was there before, then a write, a flush, and two writes that no flush covers.
    fn recorded() -> Disks {
        let mut disks = Disks::new(2, 1 << 20);
        disks.write(0, 0, b"before");
        disks.record();
        disks.write(0, 10, b"flushed");
        disks.flush(0);
        disks.write(0, 20, b"later");
        disks.write(1, BLOCK as u64 - 2, b"over an edge");
        disks.flush(1);
        disks
    }

    fn text(disks: &Disks, disk: usize, offset: u64, count: usize) -> String {
        String::from_utf8(disks.read(disk, offset, count)).expect("letters")
    }

    #[test]
    fn all_is_all_up_to_the_cut() {
        let mut disks = recorded();
        assert_eq!((disks.point(), disks.flushes()), (5, vec![1, 4]));
        disks.cut(Model::All, 3, 0);
        assert_eq!(text(&disks, 0, 20, 5), "later");
        assert_eq!(text(&disks, 1, BLOCK as u64 - 2, 12), "\0".repeat(12));
        disks.cut(Model::All, 4, 0);
        assert_eq!(text(&disks, 1, BLOCK as u64 - 2, 12), "over an edge");
    }

    #[test]
    fn flushed_is_what_a_flush_of_that_disk_covered() {
        let mut disks = recorded();
        disks.cut(Model::Flushed, 4, 0);
        assert_eq!(text(&disks, 0, 0, 17), "before\0\0\0\0flushed");
        assert_eq!(text(&disks, 0, 20, 5), "\0".repeat(5));
        assert_eq!(text(&disks, 1, BLOCK as u64 - 2, 12), "\0".repeat(12));
        disks.cut(Model::Flushed, 5, 0);
        assert_eq!(text(&disks, 1, BLOCK as u64 - 2, 12), "over an edge");
        disks.cut(Model::Flushed, 1, 0);
        assert_eq!(text(&disks, 0, 0, 17), "before\0\0\0\0\0\0\0\0\0\0\0");
    }

    #[test]
    fn a_subset_tears_writes_at_blocks_and_can_be_had_again() {
        let mut disks = recorded();
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..64 {
            disks.cut(Model::Subset, 4, seed);
            let found = text(&disks, 1, BLOCK as u64 - 2, 12);
            disks.cut(Model::Subset, 4, seed);
            assert_eq!(found, text(&disks, 1, BLOCK as u64 - 2, 12));
            assert_eq!(text(&disks, 0, 10, 7), "flushed");
            seen.insert(found);
        }
        assert_eq!(seen.len(), 4, "{seen:?}");
    }

    #[test]
    fn nothing_is_recorded_after_a_cut() {
        let mut disks = recorded();
        disks.cut(Model::All, 5, 0);
        disks.write(0, 0, b"BEFORE");
        disks.flush(0);
        assert_eq!((disks.point(), text(&disks, 0, 0, 6)), (5, "BEFORE".into()));
        disks.cut(Model::All, 0, 0);
        assert_eq!(text(&disks, 0, 0, 17), "before\0\0\0\0\0\0\0\0\0\0\0");
    }

    #[test]
    fn what_lies_past_the_end_is_not_there() {
        let disks = recorded();
        assert_eq!(disks.read(0, (1 << 20) - 3, 100).len(), 3);
        assert_eq!(disks.read(0, 2 << 20, 100).len(), 0);
    }
}
