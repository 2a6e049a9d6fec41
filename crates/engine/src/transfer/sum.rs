//! What is in a file, as 32 bytes: the same however much of it lies in holes.

/// In such pieces zeros are told from data. Holes begin and end at multiples of this.
const PIECE: usize = 4096;

/// BLAKE3 over the pieces that are not all zeros, and where they lie.
///
/// Holes are not hashed, so a terabyte of them costs nothing; and a hole and zeros that were written
/// give the same.
#[derive(Debug)]
pub(super) struct Sum {
    data: blake3::Hasher,
    /// The runs of pieces that hold data, but the last one.
    runs: Option<blake3::Hasher>,
    /// The last run.
    run: (u64, u64),
    /// A piece of which only the beginning is known.
    part: Vec<u8>,
    /// Where the next byte is taken to lie.
    at: u64,
}

impl Sum {
    pub(super) fn new() -> Self {
        Self { data: blake3::Hasher::new(), runs: None, run: (0, 0), part: Vec::new(), at: 0 }
    }

    /// Takes bytes that lie at `at`, behind all that was taken before; what lies between is zeros.
    pub(super) fn take(&mut self, at: u64, bytes: &[u8]) {
        if at > self.at {
            self.skip(at);
        }
        let mut rest = bytes;
        if !self.part.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(PIECE - self.part.len()));
            self.part.extend_from_slice(now);
            self.at += length(now);
            rest = later;
            if self.part.len() < PIECE {
                return;
            }
            self.settle();
        }
        let whole = rest.len() - rest.len() % PIECE;
        let (whole, part) = rest.split_at(whole);
        self.pieces(self.at, whole);
        self.at += length(whole);
        self.part.extend_from_slice(part);
        self.at += length(part);
    }

    /// Takes zeros up to `to`.
    fn skip(&mut self, to: u64) {
        if !self.part.is_empty() {
            let missing = PIECE - self.part.len();
            let gap = usize::try_from(to - self.at).unwrap_or(missing).min(missing);
            self.part.resize(self.part.len() + gap, 0);
            self.at += u64::try_from(gap).unwrap_or(0);
            if self.part.len() == PIECE {
                self.settle();
            }
        }
        if to > self.at {
            let piece = u64::try_from(PIECE).unwrap_or(1);
            let odd = to % piece;
            // A piece that begins in a hole.
            let zeros = usize::try_from(odd.min(to - self.at)).unwrap_or(0);
            self.part.resize(zeros, 0);
            self.at = to;
        }
    }

    fn settle(&mut self) {
        let part = std::mem::take(&mut self.part);
        self.pieces(self.at - length(&part), &part);
        self.part = part;
        self.part.clear();
    }

    /// Takes pieces, all of them whole but perhaps the last of all.
    fn pieces(&mut self, at: u64, bytes: &[u8]) {
        let mut from = 0;
        let mut end = 0;
        for piece in bytes.chunks(PIECE) {
            if is_zero(piece) {
                self.run(at, bytes, from, end);
                from = end + piece.len();
            }
            end += piece.len();
        }
        self.run(at, bytes, from, end);
    }

    fn run(&mut self, at: u64, bytes: &[u8], from: usize, end: usize) {
        let Some(run) = bytes.get(from..end).filter(|run| !run.is_empty()) else { return };
        let start = at + u64::try_from(from).unwrap_or(0);
        let stop = start + length(run);
        self.data.update(run);
        if start == self.run.1 {
            self.run.1 = stop;
            return;
        }
        let last = std::mem::replace(&mut self.run, (start, stop));
        if last.1 > last.0 {
            put(self.runs.get_or_insert_with(blake3::Hasher::new), last);
        }
    }

    /// The sum of a file of `size` bytes, all of which was taken but for zeros at the end.
    pub(super) fn end(mut self, size: u64) -> [u8; 32] {
        if size > self.at {
            self.skip(size);
        }
        if !self.part.is_empty() {
            self.settle();
        }
        let Self { mut data, runs, run, .. } = self;
        put(&mut data, run);
        if let Some(runs) = runs {
            data.update(runs.finalize().as_bytes());
        }
        data.update(&size.to_le_bytes());
        *data.finalize().as_bytes()
    }
}

fn put(to: &mut blake3::Hasher, run: (u64, u64)) {
    to.update(&run.0.to_le_bytes());
    to.update(&run.1.to_le_bytes());
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(0)
}

/// Most data shows in its first bytes.
fn is_zero(piece: &[u8]) -> bool {
    piece.first().is_none_or(|first| *first == 0)
        && piece.chunks(64).all(|some| some.iter().fold(0, |all, byte| all | byte) == 0)
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    fn whole(bytes: &[u8]) -> [u8; 32] {
        let mut sum = Sum::new();
        sum.take(0, bytes);
        sum.end(length(bytes))
    }

    /// The same bytes, in pieces of this length, without those that are zeros where `holes`.
    fn pieces(bytes: &[u8], step: usize, holes: bool) -> [u8; 32] {
        let mut sum = Sum::new();
        let mut at = 0;
        for piece in bytes.chunks(step) {
            if !(holes && piece.iter().all(|byte| *byte == 0)) {
                sum.take(at, piece);
            }
            at += length(piece);
        }
        sum.end(length(bytes))
    }

    #[test]
    fn holes_and_pieces_do_not_matter() {
        let mut bytes = vec![0; 50_000];
        for (number, byte) in bytes.iter_mut().enumerate() {
            if !(5_000..21_000).contains(&number) && !(30_000..30_010).contains(&number) {
                *byte = u8::try_from(number % 251).unwrap_or(0) + 1;
            }
        }
        for cut in [0, 1, 4095, 4096, 4097, 20_000, 50_000] {
            for zeros in [0, 1, 5000] {
                let mut bytes = bytes[..cut].to_vec();
                bytes.resize(cut + zeros, 0);
                for step in [1, 7, 512, 1000, 4096, 5000, 8192, 100_000] {
                    for holes in [false, true] {
                        assert_eq!(
                            whole(&bytes),
                            pieces(&bytes, step, holes),
                            "{cut} {zeros} {step}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn whatever_differs_shows() {
        let bytes: Vec<u8> = [vec![1; 4096], vec![0; 8192], vec![2; 100]].concat();
        let mut seen = vec![whole(&bytes)];
        let mut other = |change: &dyn Fn(&mut Vec<u8>)| {
            let mut bytes = bytes.clone();
            change(&mut bytes);
            let sum = whole(&bytes);
            assert!(!seen.contains(&sum));
            seen.push(sum);
        };
        other(&|bytes| bytes[0] = 9);
        other(&|bytes| bytes[5000] = 1);
        other(&|bytes| bytes[12_300] = 1);
        other(&|bytes| bytes.push(0));
        other(&|bytes| bytes.truncate(12_300));
        other(&|bytes| bytes.rotate_right(4096));
        other(&|bytes| bytes.rotate_left(4096));
        other(&|bytes| drop(bytes.drain(4096..8192)));
        other(&Vec::clear);
        other(&|bytes| bytes.fill(0));
    }
}
