//! Which files share room on the disk, out of `filefrag -v`.

use super::beside;
use rustix::fd::BorrowedFd;
use std::collections::BTreeSet;

/// Extents on the disk, in blocks, of the files looked at so far.
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
    pub(super) fn add(
        &mut self,
        path: &[u8],
        file: (u64, u64),
        parent: BorrowedFd<'_>,
        name: &[u8],
    ) {
        let said = beside(parent, name, "filefrag", &["-v"]).unwrap_or_default();
        for (from, to) in said.lines().filter_map(shared) {
            self.all.push(Extent { path: path.to_vec(), file, from, to });
        }
    }

    /// Every two files that share something.
    pub(super) fn pairs(&self) -> BTreeSet<(Vec<u8>, Vec<u8>)> {
        let mut pairs = BTreeSet::new();
        for (count, one) in self.all.iter().enumerate() {
            for other in self.all.iter().skip(count + 1) {
                let overlap = one.from <= other.to && other.from <= one.to;
                if overlap && one.file != other.file {
                    let (low, high) = (&one.path, &other.path);
                    let ordered = if low < high { (low, high) } else { (high, low) };
                    pairs.insert((ordered.0.clone(), ordered.1.clone()));
                }
            }
        }
        pairs
    }
}

/// The blocks of a line such as `  0:  0..  15:  24..  39:  16:  last,shared,eof`.
fn shared(line: &str) -> Option<(u64, u64)> {
    let fields: Vec<&str> = line.split(':').map(str::trim).collect();
    let flags = fields.last()?;
    if !flags.split(',').any(|flag| flag == "shared") {
        return None;
    }
    let (from, to) = fields.get(2)?.split_once("..")?;
    Some((from.trim().parse().ok()?, to.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::shared;

    #[test]
    fn only_shared_extents_count() {
        let line =
            "   0:        0..      15:         24..        39:     16:             last,shared,eof";
        assert_eq!(shared(line), Some((24, 39)));
        assert_eq!(shared(&line.replace("shared,", "")), None);
        assert_eq!(shared(" ext:     logical_offset:        physical_offset: length:"), None);
    }
}
