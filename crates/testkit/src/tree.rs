//! Trees of files and links, written as text.

use rustix::fs::{CWD, Mode};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// A temporary folder that goes when it is dropped.
#[derive(Debug)]
pub struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// An empty folder below the system's temporary one, by its physical path.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new()
            .prefix("linkwell-test-")
            .tempdir()
            .expect("a temporary folder can be made");
        Self { folder }
    }

    /// The same in memory where the system has such a place: for tests that make thousands of trees.
    pub fn in_memory() -> Self {
        let made = tempfile::Builder::new().prefix("linkwell-test-").tempdir_in("/dev/shm");
        made.map_or_else(|_| Self::new(), |folder| Self { folder })
    }

    /// A folder holding a tree; see [`make`].
    pub fn with(lines: &[&str]) -> Self {
        let scratch = Self::new();
        make(&scratch.path(), lines);
        scratch
    }

    /// Where it is, links resolved.
    pub fn path(&self) -> PathBuf {
        std::fs::canonicalize(self.folder.path()).expect("the folder was just made")
    }

    /// The path of something in it.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path().join(name)
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

/// Makes a tree below `folder`, one entry a line: `a/b/` a folder, `a/f` a file that holds its own
/// name, `a/l -> target` a symbolic link, `a/h == other` a second name of a file, `a/p |` a named
/// pipe. Folders above an entry are made.
pub fn make(folder: &Path, lines: &[&str]) {
    for line in lines {
        let (name, what) = match line.split_once(" -> ") {
            Some((name, target)) => (name, Some(target)),
            None => (*line, None),
        };
        if let Some((name, other)) = line.split_once(" == ") {
            parents(folder, name);
            std::fs::hard_link(folder.join(other), folder.join(name)).expect("a second name");
        } else if let Some(name) = line.strip_suffix(" |") {
            parents(folder, name);
            let path = folder.join(name);
            rustix::fs::mknodat(CWD, path, rustix::fs::FileType::Fifo, Mode::RUSR, 0)
                .expect("a named pipe");
        } else if let Some(target) = what {
            parents(folder, name);
            std::os::unix::fs::symlink(target, folder.join(name)).expect("a link");
        } else if let Some(name) = name.strip_suffix('/') {
            std::fs::create_dir_all(folder.join(name)).expect("a folder");
        } else {
            parents(folder, name);
            std::fs::write(folder.join(name), name.as_bytes()).expect("a file");
        }
    }
}

fn parents(folder: &Path, name: &str) {
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).expect("the folders above");
    }
}

/// The bytes of a path.
pub fn bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}
