//! Which files share room on the disk.

use linkwell_calls::extents;
use rustix::fd::BorrowedFd;
use std::collections::BTreeMap;

/// Extents on the disk, in bytes, of the files looked at so far.
#[derive(Debug, Default)]
pub(super) struct Extents {
    all: Vec<Extent>,
}

#[derive(Debug)]
struct Extent {
    path: Vec<u8>,
    file: (u64, u64),
    from: u64,
    to: u64,
}

impl Extents {
    /// Adds what a file shares with whomever.
    pub(super) fn add(&mut self, path: &[u8], file: (u64, u64), held: BorrowedFd<'_>) {
        let mut buffer = extents::Buffer::default();
        let found = extents::map(held, 0..u64::MAX, extents::Cached::WrittenFirst, &mut buffer);
        for extent in found.unwrap_or_default().iter().filter(|extent| extent.is_shared()) {
            let (from, to) = (extent.physical, extent.physical + extent.length - 1);
            self.all.push(Extent { path: path.to_vec(), file, from, to });
        }
    }

    /// Every two files that share something, and how many bytes.
    pub(super) fn pairs(&self) -> BTreeMap<(Vec<u8>, Vec<u8>), u64> {
        let mut pairs = BTreeMap::new();
        for (count, one) in self.all.iter().enumerate() {
            for other in self.all.iter().skip(count + 1) {
                let overlap = one.from <= other.to && other.from <= one.to;
                if overlap && one.file != other.file {
                    let (low, high) = (&one.path, &other.path);
                    let ordered = if low < high { (low, high) } else { (high, low) };
                    let bytes = one.to.min(other.to) - one.from.max(other.from) + 1;
                    *pairs.entry((ordered.0.clone(), ordered.1.clone())).or_insert(0) += bytes;
                }
            }
        }
        pairs
    }
}
