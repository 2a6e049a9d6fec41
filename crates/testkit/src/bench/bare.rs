//! The yardstick: the least that any program must do to see every name of a tree by itself.
//!
//! One thread; for each folder one `openat`, `getdents64` with a buffer of 32 KiB until it
//! returns 0, and one `close`; nothing else. A folder is read to its end before its subfolders
//! are entered, and stays open while they are, so that each is opened by its bare name.

use std::ffi::{CStr, OsStr};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;

use rustix::fs::{CWD, FileType, Mode, OFlags, RawDir, openat};

use super::Outcome;

/// The size of the buffer of `getdents64`: what the C library's `readdir` uses.
const BUFFER: usize = 32 * 1024;

/// How a folder is opened.
const FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// An open folder, and where the names of its subfolders begin among the names.
struct Level {
    handle: OwnedFd,
    first: usize,
}

/// Reads the whole tree in `folder`.
pub(crate) fn walk(folder: &OsStr) -> Outcome<()> {
    let mut buffer = [MaybeUninit::uninit(); BUFFER];
    // The waiting names, one after another, each with the NUL that the kernel gave it, and the
    // place where each begins.
    let mut names: Vec<u8> = Vec::new();
    let mut starts: Vec<usize> = Vec::new();
    let mut levels: Vec<Level> = Vec::new();
    let mut opened = openat(CWD, folder, FLAGS, Mode::empty())?;
    loop {
        let first = starts.len();
        read(&opened, &mut buffer, &mut names, &mut starts)?;
        levels.push(Level { handle: opened, first });
        while levels.pop_if(|level| level.first == starts.len()).is_some() {}
        let (Some(level), Some(start)) = (levels.last(), starts.pop()) else {
            return Ok(());
        };
        let name = names.get(start..).unwrap_or_default();
        let name = CStr::from_bytes_with_nul(name)?;
        opened = openat(&level.handle, name, FLAGS, Mode::empty())?;
        names.truncate(start);
    }
}

/// Reads one folder to its end and keeps the names of its subfolders.
fn read(
    folder: &OwnedFd,
    buffer: &mut [MaybeUninit<u8>],
    names: &mut Vec<u8>,
    starts: &mut Vec<usize>,
) -> Outcome<()> {
    let mut entries = RawDir::new(folder, buffer);
    while let Some(entry) = entries.next() {
        let entry = entry?;
        match entry.file_type() {
            FileType::Directory => {
                let name = entry.file_name();
                if name != c"." && name != c".." {
                    starts.push(names.len());
                    names.extend_from_slice(name.to_bytes_with_nul());
                }
            }
            FileType::Unknown => return Err("this filesystem does not tell entry types".into()),
            _ => {}
        }
    }
    Ok(())
}
