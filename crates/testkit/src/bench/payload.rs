//! The trees that are moved: made from a seed, so that they are the same on every machine.

use super::Outcome;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// How many files stand in one folder.
const IN_ONE: usize = 100;

/// Numbers from a fixed seed (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }
}

/// Writes files and remembers how much.
pub(crate) struct Payload {
    random: Random,
    noise: Vec<u8>,
    pub(crate) entries: usize,
    pub(crate) bytes: u64,
}

impl Payload {
    pub(crate) fn new() -> Self {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let mut noise = Vec::with_capacity(8 << 20);
        while noise.len() < 8 << 20 {
            noise.extend(random.next().to_le_bytes());
        }
        Self { random, noise, entries: 0, bytes: 0 }
    }

    /// So many small files, of `average` bytes in the middle, 100 in a folder.
    pub(crate) fn small(&mut self, top: &Path, files: usize, average: u64) -> Outcome<()> {
        for number in 0..files {
            let folder = top.join(format!("group {}", number / IN_ONE / 20));
            let folder = folder.join(format!("folder {}", number / IN_ONE));
            if number % IN_ONE == 0 {
                fs::create_dir_all(&folder)?;
                self.entries += 1;
            }
            let length = if average == 0 { 0 } else { self.random.below(2 * average + 1) };
            self.file(&folder.join(format!("file-{number}")), length)?;
        }
        Ok(())
    }

    /// One file of so many bytes.
    pub(crate) fn file(&mut self, path: &Path, length: u64) -> Outcome<()> {
        let mut file = File::create(path)?;
        let mut left = length;
        while left > 0 {
            // Never the same twice: what finds equal files would find them.
            let from = usize::try_from(self.random.below(4096))?;
            let piece = self.noise.get(from..).unwrap_or_default();
            let piece = piece.get(..usize::try_from(left)?).unwrap_or(piece);
            file.write_all(piece)?;
            left -= piece.len() as u64;
        }
        self.entries += 1;
        self.bytes += length;
        Ok(())
    }

    /// Small and large files, links of both kinds, and one file that is a hole of so many bytes.
    pub(crate) fn mixed(&mut self, top: &Path, small: usize, hole: u64) -> Outcome<()> {
        self.small(top, small, 4150)?;
        let more = top.join("large");
        fs::create_dir(&more)?;
        for number in 0..small.div_ceil(134) {
            let length = (1 << 20) + self.random.below(6 << 20);
            self.file(&more.join(format!("large-{number}")), length)?;
        }
        for number in 0..20 {
            let name = format!("file-{number}");
            fs::hard_link(top.join("group 0/folder 0").join(&name), more.join(&name))?;
        }
        for number in 0..200 {
            let text = format!("../group 0/folder 0/file-{}", number % 100);
            std::os::unix::fs::symlink(text, more.join(format!("link-{number}")))?;
        }
        let file = File::create(more.join("hole"))?;
        file.set_len(hole)?;
        file.write_all_at(b"end", hole.saturating_sub(3))?;
        self.entries += 222;
        Ok(())
    }
}
