//! A tree with every kind of entry that a move can meet, in parts: each part lies in a folder of its
//! own, so that a destination which loses something can be tried part by part. Made by root.

mod links;
mod parts;

pub use parts::Part;

use crate::volume::Kind;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Timespec, Timestamps, XattrFlags};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// When the entries were changed last, unless a part says otherwise; each a nanosecond later.
const THEN: i64 = 1_234_567_890;

/// What was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// The tree.
    pub top: PathBuf,
    /// A folder beside it that links of the tree lead into.
    pub outside: PathBuf,
    /// Paths below the top of the links whose text must change when the tree stands elsewhere.
    pub leaving: BTreeSet<Vec<u8>>,
}

/// Makes the parts in the new folder `top`, and `out` beside it.
///
/// # Panics
/// When something cannot be made: see [`Part::fits`].
pub fn make(top: &Path, parts: &[Part]) -> Made {
    let outside = top.parent().expect("a folder above").join("out");
    for folder in [top, &outside] {
        std::fs::create_dir_all(folder).expect("a folder");
    }
    std::fs::write(outside.join("there"), "outside").expect("a file");
    let mut maker = Maker {
        made: Made { top: top.into(), outside, leaving: BTreeSet::new() },
        at: PathBuf::new(),
        times: Vec::new(),
        flags: Vec::new(),
    };
    for part in parts {
        maker.at = top.join(part.word());
        std::fs::create_dir(&maker.at).expect("a folder");
        parts::make(*part, &mut maker);
    }
    let mut count = 0;
    age(rustix::fs::open(top, OFlags::RDONLY, Mode::empty()).expect("a folder"), &mut count);
    set_times(top, (THEN, count));
    for (path, time) in std::mem::take(&mut maker.times) {
        set_times(&path, time);
    }
    // Last: what may not be changed could not be given its times.
    for (path, words) in std::mem::take(&mut maker.flags) {
        let ran = Command::new("chattr").args(words).arg(&path).status();
        assert!(ran.is_ok_and(|ran| ran.success()), "chattr {words:?} {}", path.display());
    }
    maker.made
}

/// Makes it possible to remove a tree: takes the flags away that forbid it.
pub fn release(top: &Path) {
    let ran = Command::new("chattr").args(["-R", "-f", "-i", "-a"]).arg(top).status();
    drop(ran);
}

/// Gives everything below a folder a time of its own; the folders after what is in them.
fn age(folder: rustix::fd::OwnedFd, count: &mut i64) {
    let mut names = Vec::new();
    for entry in rustix::fs::Dir::read_from(&folder).expect("a folder") {
        let name = entry.expect("an entry").file_name().to_owned();
        if name.to_bytes() != b"." && name.to_bytes() != b".." {
            names.push(name);
        }
    }
    names.sort();
    for name in names {
        let stat = rustix::fs::statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW).expect("an entry");
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let below = rustix::fs::openat(&folder, &name, flags, Mode::empty());
            age(below.expect("a folder"), count);
        }
        *count += 1;
        rustix::fs::utimensat(&folder, &name, &times((THEN, *count)), AtFlags::SYMLINK_NOFOLLOW)
            .expect("its times can be set");
    }
}

fn set_times(path: &Path, time: (i64, i64)) {
    rustix::fs::utimensat(CWD, path, &times(time), AtFlags::SYMLINK_NOFOLLOW)
        .expect("its times can be set");
}

fn times((tv_sec, tv_nsec): (i64, i64)) -> Timestamps {
    let time = Timespec { tv_sec, tv_nsec };
    Timestamps { last_access: time, last_modification: time }
}

/// The hands of the parts.
struct Maker {
    made: Made,
    /// The folder of the part.
    at: PathBuf,
    /// Times that are set at the end.
    times: Vec<(PathBuf, (i64, i64))>,
    /// Flags that are set after that.
    flags: Vec<(PathBuf, &'static [&'static str])>,
}

impl Maker {
    fn path(&self, name: impl AsRef<[u8]>) -> PathBuf {
        self.at.join(OsStr::from_bytes(name.as_ref()))
    }

    /// A file with something in it, different for every name.
    fn file(&self, name: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(&name);
        std::fs::write(&path, [b"I am ", name.as_ref(), b"\n"].concat()).expect("a file");
        path
    }

    /// A file of so many bytes that do not compress and hold no zeroes in a row.
    fn big(&self, name: &str, length: usize) -> PathBuf {
        let path = self.path(name);
        let mut state = 0x9e37_79b9_7f4a_7c15_u64 ^ length as u64;
        let mut bytes = Vec::with_capacity(length + 8);
        while bytes.len() < length {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            bytes.extend(state.to_le_bytes());
        }
        bytes.truncate(length);
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    fn folder(&self, name: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(&path).expect("a folder");
        path
    }

    fn link(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        symlink(OsStr::from_bytes(text.as_ref()), &path).expect("a link");
        path
    }

    /// A link whose text leads out of the tree by `..`.
    fn leaving(&mut self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.link(name, text);
        let below = path.strip_prefix(&self.made.top).expect("it is below");
        self.made.leaving.insert(below.as_os_str().as_bytes().to_vec());
    }

    /// A file of `length` bytes of which only these pieces were written.
    fn sparse(&self, name: &str, length: u64, pieces: &[(u64, usize)]) {
        let file = File::create(self.path(name)).expect("a file");
        file.set_len(length).expect("a length");
        for (at, length) in pieces {
            file.write_all_at(&vec![b'x'; *length], *at).expect("it can be written");
        }
    }

    fn attribute(&self, path: &Path, name: &str, value: &[u8]) {
        rustix::fs::lsetxattr(path, name, value, XattrFlags::empty())
            .unwrap_or_else(|error| unreachable!("{name}: {error}: {}", path.display()));
    }

    fn own(&self, path: &Path, owner: u32, group: u32) {
        lchown(path, Some(owner), Some(group)).expect("an owner");
    }

    fn special(&self, name: &str, kind: FileType, device: u64) -> PathBuf {
        let path = self.path(name);
        rustix::fs::mknodat(CWD, &path, kind, Mode::from_raw_mode(0o640), device)
            .unwrap_or_else(|error| unreachable!("{name}: {error}"));
        path
    }
}

/// Which parts a volume of some kind can hold.
pub fn fitting(kind: Kind) -> Vec<Part> {
    Part::ALL.into_iter().filter(|part| part.fits(kind)).collect()
}
