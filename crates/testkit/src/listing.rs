//! A tree as text, for comparing it before and after.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

/// Every entry below `folder`, one a line, sorted: kind, permission bits, owner, number of names, and
/// what is in it: the text of a link with its time, the bytes of a file with their time. Inode numbers
/// and the times of folders are left out: they change with what is made and removed beside.
pub fn listing(folder: &Path) -> String {
    let mut lines = Vec::new();
    add(folder, folder, &mut lines);
    lines.sort();
    lines.join("\n")
}

fn add(top: &Path, folder: &Path, lines: &mut Vec<String>) {
    let entries = std::fs::read_dir(folder).expect("a folder of the test's own");
    for entry in entries {
        let path = entry.expect("it can be read").path();
        let status = std::fs::symlink_metadata(&path).expect("it is there");
        let below = path.strip_prefix(top).expect("it is below");
        let name = linkwell_model::shown::shown(below.as_os_str().as_bytes()).to_string();
        let kind = status.file_type();
        let mut line = format!("{name} {:o} {}:{}", status.mode(), status.uid(), status.gid());
        if kind.is_dir() {
            lines.push(format!("{line} folder"));
            add(top, &path, lines);
            continue;
        }
        let time = (status.mtime(), status.mtime_nsec());
        let written = if kind.is_symlink() {
            let target = std::fs::read_link(&path).expect("a link");
            let target = linkwell_model::shown::shown(target.as_os_str().as_bytes()).to_string();
            write!(line, " link {time:?} -> {target}")
        } else if kind.is_file() {
            let bytes = std::fs::read(&path).unwrap_or_default();
            let bytes = linkwell_model::shown::shown(&bytes).to_string();
            write!(line, " file {time:?} x{} {bytes}", status.nlink())
        } else {
            write!(line, " special {}", kind.is_fifo())
        };
        written.expect("writing into memory cannot fail");
        lines.push(line);
    }
}
