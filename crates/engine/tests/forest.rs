//! Random trees and random paths in them.

use crate::support::{Random, path, shown};
use linkwell_testkit::tree::Scratch;
use rustix::fs::{CWD, FileType, Mode};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;

/// Names that a walk might mistake for something else.
const ODD: [&[u8]; 12] = [
    b"...",
    b"..a",
    b".a",
    b" ",
    b"-n",
    b"new\nline",
    b"\x1b[31m",
    b"\xff\xfe",
    b"\\",
    b"a b",
    b"*",
    b"\xe2\x80\xaeb",
];

/// A tree on the disk, and what was made, in order.
pub(crate) struct Grown {
    pub(crate) scratch: Scratch,
    pub(crate) lines: Vec<String>,
    /// Folders as paths below the top, `""` for the top itself.
    pub(crate) folders: Vec<Vec<u8>>,
    /// All entries as paths below the top.
    pub(crate) entries: Vec<Vec<u8>>,
    top: Vec<u8>,
}

impl Grown {
    /// Grows about `size` entries.
    pub(crate) fn new(random: &mut Random, size: usize) -> Self {
        let scratch = Scratch::new();
        let top = scratch.path().as_os_str().as_bytes().to_vec();
        let mut grown = Self {
            scratch,
            lines: Vec::new(),
            folders: vec![Vec::new()],
            entries: Vec::new(),
            top,
        };
        let mut taken = BTreeSet::new();
        for _ in 0..size {
            let folder = random.pick(&grown.folders).clone();
            let place = below(&folder, &name(random));
            if taken.insert(place.clone()) {
                grown.grow(random, &folder, place);
            }
        }
        if random.percent(30) {
            grown.chain(random);
        }
        grown
    }

    fn grow(&mut self, random: &mut Random, folder: &[u8], place: Vec<u8>) {
        let depth = place.iter().filter(|&&byte| byte == b'/').count();
        match random.below(100) {
            0..30 if depth < 5 => {
                std::fs::create_dir(path(&self.full(&place))).expect("a folder");
                self.lines.push(format!("{}/", shown(&place)));
                self.folders.push(place.clone());
                self.entries.push(place);
            }
            30..42 => {
                std::fs::write(path(&self.full(&place)), b"").expect("a file");
                self.lines.push(shown(&place));
                self.entries.push(place);
            }
            42..46 => {
                let full = self.full(&place);
                rustix::fs::mknodat(CWD, path(&full), FileType::Fifo, Mode::RUSR, 0)
                    .expect("a named pipe");
                self.lines.push(format!("{} |", shown(&place)));
                self.entries.push(place);
            }
            _ => {
                let target = match random.below(20) {
                    0 => place.rsplit(|&byte| byte == b'/').next().unwrap_or(b"x").to_vec(),
                    1 => {
                        [place.rsplit(|&byte| byte == b'/').next().unwrap_or(b"x"), b"/y"].concat()
                    }
                    _ => self.text(random, folder),
                };
                self.link(&place, &target);
            }
        }
    }

    pub(crate) fn link(&mut self, place: &[u8], target: &[u8]) {
        let target = if target.is_empty() { b"." } else { target };
        std::os::unix::fs::symlink(path(target), path(&self.full(place))).expect("a link");
        self.lines.push(format!("{} -> {}", shown(place), shown(target)));
        self.entries.push(place.to_vec());
    }

    /// A chain of 38 to 43 links, about the number that the kernel passes.
    fn chain(&mut self, random: &mut Random) {
        let length = 38 + random.below(6);
        let folder = random.pick(&self.folders).clone();
        let mut target = self.text(random, &folder);
        for number in 0..length {
            let name = format!("chain{number}");
            let place = below(&folder, name.as_bytes());
            self.link(&place, &target);
            target = name.into_bytes();
            if random.percent(10) {
                target.insert_if(random.percent(50), b"./");
            }
        }
    }

    pub(crate) fn full(&self, place: &[u8]) -> Vec<u8> {
        below(&self.top, place)
    }

    /// A path as somebody might write it in `folder`: half of them lead to something.
    pub(crate) fn text(&self, random: &mut Random, folder: &[u8]) -> Vec<u8> {
        let mut text = match random.below(10) {
            0..5 if !self.entries.is_empty() => {
                let to = random.pick(&self.entries).clone();
                self.way(random, folder, &to)
            }
            5 if !self.entries.is_empty() => {
                // The same short way again and again: counts of links about the limit.
                let last = random.pick(&self.entries);
                let name = last.rsplit(|&byte| byte == b'/').next().unwrap_or(b"x");
                let times = if random.percent(30) { 36 + random.below(10) } else { 2 };
                if name.len() < 20 { vec![name; times].join(&b'/') } else { name.to_vec() }
            }
            _ => {
                let count = 1 + random.below(5);
                let pieces: Vec<Vec<u8>> = (0..count).map(|_| piece(random)).collect();
                pieces.join(&b'/')
            }
        };
        if random.percent(12) {
            const MORE: [&[u8]; 5] = [b"/x", b"/.", b"/..", b"/a/b", b"/../a"];
            text.extend_from_slice(MORE[random.below(MORE.len())]);
        }
        if random.percent(12) {
            text.extend_from_slice(if random.percent(70) { b"/" } else { b"//" });
        }
        text
    }

    /// A way from a folder to an entry, both below the top.
    fn way(&self, random: &mut Random, folder: &[u8], to: &[u8]) -> Vec<u8> {
        if random.percent(20) {
            return self.full(to);
        }
        let mut text = Vec::new();
        let ups = folder.split(|&byte| byte == b'/').filter(|name| !name.is_empty()).count();
        for _ in 0..ups {
            text.extend_from_slice(if random.percent(5) { b".././" } else { b"../" });
        }
        for (number, name) in to.split(|&byte| byte == b'/').enumerate() {
            if number > 0 {
                text.extend_from_slice(if random.percent(8) { b"//" } else { b"/" });
            }
            text.extend_from_slice(name);
        }
        text
    }

    /// The tree as lines, for a person who looks for a mistake.
    pub(crate) fn told(&self) -> String {
        let mut told = format!("below {}:\n", shown(&self.top));
        for line in &self.lines {
            writeln!(told, "  {line}").expect("memory");
        }
        told
    }
}

trait InsertIf {
    fn insert_if(&mut self, holds: bool, front: &[u8]);
}

impl InsertIf for Vec<u8> {
    fn insert_if(&mut self, holds: bool, front: &[u8]) {
        if holds {
            self.splice(0..0, front.iter().copied());
        }
    }
}

fn below(folder: &[u8], name: &[u8]) -> Vec<u8> {
    if folder.is_empty() {
        return name.to_vec();
    }
    [folder, b"/", name].concat()
}

/// A name for an entry.
fn name(random: &mut Random) -> Vec<u8> {
    match random.below(40) {
        0..4 => random.pick(&ODD).to_vec(),
        4 => vec![b'L'; 255],
        _ => random.pick(&[&b"a"[..], b"b", b"c", b"d", b"e", b"f", b"g", b"h"]).to_vec(),
    }
}

/// A component of a path.
fn piece(random: &mut Random) -> Vec<u8> {
    match random.below(24) {
        0..5 => b"..".to_vec(),
        5..7 => b".".to_vec(),
        7 => Vec::new(),
        8 => vec![b'L'; 256],
        _ => name(random),
    }
}
