//! What is moved, and what is left of it.

use super::chance::Chance;
use crate::tree;
use rustix::fs::XattrFlags;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// How the names begin that linkwell makes for a moment.
pub(super) const STAGED: &[u8] = b".linkwell-";

/// An entry of a tree: what it is and carries, as text, and what is in it if it is a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    about: String,
    /// When it was last changed: seconds and nanoseconds.
    time: (i64, i64),
    content: Option<Vec<u8>>,
}

impl Entry {
    pub(super) const fn is_file(&self) -> bool {
        self.content.is_some()
    }
}

/// A tree, by the paths below its top; the top is the empty one.
pub(super) type Tree = BTreeMap<PathBuf, Entry>;

/// What is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goods {
    /// A tree of sixty files.
    Tree,
    /// Two files in a folder: so few are made durable one by one.
    Few,
    /// A thousand files: so many are copied by several threads.
    Many,
    /// A file.
    File,
}

impl Goods {
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "tree" => Self::Tree,
            "few" => Self::Few,
            "many" => Self::Many,
            "file" => Self::File,
            _ => return None,
        })
    }

    /// Makes it.
    pub(super) fn make(self, top: &Path) {
        let content = vec![b'x'; 150_000];
        match self {
            Self::Tree => make(top),
            Self::Many => {
                for number in 0..1000 {
                    let folder = top.join(format!("d{}/e{}", number % 7, number % 11));
                    std::fs::create_dir_all(&folder).expect("a folder");
                    let content = content.get(..number * 13).unwrap_or_default();
                    std::fs::write(folder.join(format!("f{number}")), content).expect("a file");
                }
            }
            Self::File => std::fs::write(top, content).expect("a file"),
            Self::Few => {
                tree::make(top, &["a/b/short", "a/link -> b", "a/empty/"]);
                std::fs::write(top.join("a/long"), content).expect("a file");
            }
        }
    }
}

/// Makes a tree: sixty files from nothing to 3 MiB, some with holes, modes, attributes, second names
/// and old times; links, and a named pipe.
fn make(top: &Path) {
    let mut chance = Chance::new(60);
    let sizes = [0, 1, 37, 700, 4096, 5000, 20_000, 131_079, 300_000, 3 << 20];
    for (number, size) in sizes.into_iter().cycle().take(54).enumerate() {
        // One large file is enough.
        let size = if number > 10 { size % 200_000 } else { size };
        let folder = top.join(format!("d{}/e{}", number % 3, number % 7));
        std::fs::create_dir_all(&folder).expect("a folder");
        let content: Vec<u8> = std::iter::repeat_with(|| chance.next().to_ne_bytes())
            .take(size / 8 + 1)
            .flatten()
            .take(size)
            .collect();
        let file = folder.join(format!("f{number:02}"));
        std::fs::write(&file, content).expect("a file");
        let mode = [0o644, 0o600, 0o755, 0o444].get(number % 4).copied().unwrap_or(0o640);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).expect("a mode");
        if number % 9 == 0 {
            rustix::fs::setxattr(&file, "user.note", b"kept", XattrFlags::empty()).expect("a note");
        }
    }
    for number in 0..6 {
        let file = std::fs::File::create(top.join(format!("holes{number}"))).expect("a file");
        file.set_len(100_000 + number).expect("a hole");
        file.write_all_at(b"after a hole", 70_000).expect("its end");
    }
    tree::make(
        top,
        &[
            "d0/again == d0/e3/f03",
            "links/inside -> ../d0/e0/f00",
            "links/outside -> /etc/hostname",
            "links/nowhere -> gone/for ever",
            "links/pipe |",
            "empty/",
            "deep/a/b/c/d/e/f/",
        ],
    );
    // So that times must be carried over.
    let old = rustix::fs::Timespec { tv_sec: 1_000_000_000, tv_nsec: 123_456_789 };
    let times = rustix::fs::Timestamps { last_access: old, last_modification: old };
    for below in ["d1", "holes1", "links/nowhere", "empty"] {
        let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
        rustix::fs::utimensat(rustix::fs::CWD, top.join(below), &times, flags).expect("a time");
    }
}

/// The tree at `top`, which may be a link to it.
///
/// # Errors
/// When something of it cannot be read.
pub(super) fn read(top: &Path) -> io::Result<Tree> {
    let top = std::fs::canonicalize(top)?;
    let mut tree = Tree::new();
    let mut todo = vec![top.clone()];
    while let Some(path) = todo.pop() {
        let status = std::fs::symlink_metadata(&path)?;
        let kind = status.file_type();
        let mut about = format!("{:o} {}:{}", status.mode(), status.uid(), status.gid());
        let time = (status.mtime(), status.mtime_nsec());
        let mut content = None;
        if kind.is_dir() {
            for entry in std::fs::read_dir(&path)? {
                todo.push(entry?.path());
            }
        } else if kind.is_symlink() {
            about.push_str(&format!(" → {}", std::fs::read_link(&path)?.display()));
        } else if kind.is_file() {
            let mut value = [0; 16];
            let noted = rustix::fs::lgetxattr(&path, "user.note", &mut value).unwrap_or(0);
            about.push_str(&format!(" ×{} {noted}", status.nlink()));
            content = Some(std::fs::read(&path)?);
        }
        let below = path.strip_prefix(&top).expect("it is below").to_path_buf();
        tree.insert(below, Entry { about, time, content });
    }
    Ok(tree)
}

/// Which times are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Times {
    All,
    /// All but that of the top: xfs changes it when names are exchanged, and it is set back a moment later.
    Below,
}

/// What of `wanted` is not so at `top`; `None` when all is, and nothing else is there.
pub(super) fn differs(wanted: &Tree, top: &Path, times: Times) -> Option<String> {
    let mut found = match read(top) {
        Ok(found) => found,
        Err(error) => return Some(format!("{}: {error}", top.display())),
    };
    if times == Times::Below
        && let (Some(wanted), Some(found)) =
            (wanted.get(Path::new("")), found.get_mut(Path::new("")))
    {
        found.time = wanted.time;
    }
    let paths: BTreeSet<&PathBuf> = wanted.keys().chain(found.keys()).collect();
    let other = paths.into_iter().find(|path| wanted.get(*path) != found.get(*path))?;
    let say = |entry: Option<&Entry>| match entry {
        None => "nothing".to_owned(),
        Some(Entry { about, time, content }) => {
            let length = content.as_ref().map(Vec::len);
            format!(
                "{about} {time:?}{}",
                length.map(|length| format!(", {length} bytes")).unwrap_or_default()
            )
        }
    };
    let (wanted, found) = (say(wanted.get(other)), say(found.get(other)));
    Some(format!("{}/{}: wanted {wanted}; found {found}", top.display(), other.display()))
}

/// The files of `wanted` whose whole content is at none of `tops`.
pub(super) fn lost(wanted: &Tree, tops: &[PathBuf]) -> Vec<PathBuf> {
    let is_at = |path: &Path, content: &[u8]| {
        tops.iter().any(|top| std::fs::read(at(top, path)).is_ok_and(|found| found == content))
    };
    let files = wanted.iter().filter_map(|(path, entry)| Some((path, entry.content.as_ref()?)));
    files.filter(|(path, content)| !is_at(path, content)).map(|(path, _)| path.clone()).collect()
}

/// A path below a top, which itself has none.
fn at(top: &Path, below: &Path) -> PathBuf {
    if below.as_os_str().is_empty() { top.to_path_buf() } else { top.join(below) }
}

/// Every name that linkwell made for a moment and left, below `top`, but for what is in `but`.
pub(super) fn debris(top: &Path, but: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut todo = vec![top.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path == but {
                continue;
            }
            if entry.file_name().as_bytes().starts_with(STAGED) {
                found.push(path);
            } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                todo.push(path);
            }
        }
    }
    found
}
