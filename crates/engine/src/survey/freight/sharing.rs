//! Room that files share among themselves, and that they would not share where they go.

use crate::look;
use crate::system::{Access, System};
use linkwell_calls::extents::{self, Cached, Extent};
use rustix::fd::{AsFd as _, BorrowedFd};
use std::collections::BTreeMap;

/// So many stretches are remembered: some 10 MB. What comes later counts as met for the first time.
const MOST: usize = 200_000;

/// What of a volume has been met.
#[derive(Debug, Default)]
pub(super) struct Met {
    /// By where they begin, how long they are; no two of them overlap.
    stretches: BTreeMap<u64, u64>,
    /// The same for what is packed, of which only the beginning is known.
    packed: BTreeMap<u64, u64>,
    buffer: extents::Buffer,
}

impl Met {
    /// How much of a file lies where another one does, or another part of it, that was met before.
    pub(super) fn add(
        &mut self,
        system: System,
        at: BorrowedFd<'_>,
        name: &[u8],
        size: u64,
    ) -> u64 {
        let open = system.open_quietly(at, name).or_else(|_| {
            let file = system.open(at, name, Access::Read)?;
            look::without_trace(file.as_fd());
            Ok::<_, rustix::io::Errno>(file)
        });
        let Ok(file) = open else { return 0 };
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut again = 0_u64;
        let asked = extents::each(&file, 0..size, Cached::Left, &mut buffer, |extent| {
            if extent.is_shared() && extent.is_placed() && !extent.is_unwritten() {
                again = again.saturating_add(self.meet(&extent));
            }
            true
        });
        self.buffer = buffer;
        asked.map_or(0, |()| again)
    }

    fn meet(&mut self, extent: &Extent) -> u64 {
        let full = self.stretches.len() + self.packed.len() >= MOST;
        if extent.is_packed() {
            let met = self.packed.get(&extent.physical).map(|met| extent.length.min(*met));
            if met.is_none() && !full {
                self.packed.insert(extent.physical, extent.length);
            }
            return met.unwrap_or(0);
        }
        let (start, end) = (extent.physical, extent.physical.saturating_add(extent.length));
        let before = self.stretches.range(..=start).next_back();
        let before = before.filter(|(begin, length)| begin.saturating_add(**length) > start);
        let from = before.map_or(start, |(begin, _)| *begin);
        let (mut at, mut again, mut new) = (start, 0, Vec::new());
        for (begin, length) in self.stretches.range(from..end.max(from)) {
            let (begin, to) = ((*begin).max(at), begin.saturating_add(*length).min(end));
            if begin > at {
                new.push((at, begin - at));
            }
            again += to.saturating_sub(begin);
            at = to.max(at);
        }
        if at < end {
            new.push((at, end - at));
        }
        if !full {
            self.stretches.extend(new);
        }
        again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(physical: u64, length: u64, packed: bool) -> Extent {
        Extent { logical: 0, physical, length, flags: if packed { 0x8 } else { 0 } }
    }

    #[test]
    fn what_was_met_before_is_counted_and_nothing_twice() {
        let mut met = Met::default();
        assert_eq!(met.meet(&extent(100, 50, false)), 0);
        assert_eq!(met.meet(&extent(100, 50, false)), 50);
        assert_eq!(met.meet(&extent(90, 20, false)), 10);
        assert_eq!(met.meet(&extent(80, 100, false)), 60);
        assert_eq!(met.meet(&extent(0, 300, false)), 100);
        assert_eq!(met.meet(&extent(0, 300, false)), 300);
        assert_eq!(met.meet(&extent(300, 1, false)), 0);
    }

    #[test]
    fn of_what_is_packed_only_the_beginning_counts() {
        let mut met = Met::default();
        assert_eq!(met.meet(&extent(100, 50, true)), 0);
        assert_eq!(met.meet(&extent(110, 50, true)), 0);
        assert_eq!(met.meet(&extent(100, 20, true)), 20);
        assert_eq!(met.meet(&extent(100, 90, true)), 50);
    }
}
