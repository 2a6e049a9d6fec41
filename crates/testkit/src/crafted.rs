//! What trees written as text cannot hold: names and contents of any bytes, permissions, and the
//! files of other systems that stand where a link should be.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Makes a symbolic link of any bytes in `folder`.
pub fn link(folder: &Path, name: &[u8], target: &[u8]) {
    std::os::unix::fs::symlink(OsStr::from_bytes(target), at(folder, name)).expect("a link");
}

/// Writes a file of any name in `folder`.
pub fn file(folder: &Path, name: &[u8], content: &[u8]) {
    std::fs::write(at(folder, name), content).expect("a file");
}

/// Sets permissions.
pub fn allow(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("permissions");
}

/// Copies the program at `program` to where every user may start it.
pub fn copy_program(program: &str, folder: &Path) -> PathBuf {
    let copy = folder.join("program");
    // By a process of its own: a file that this one has open for writing is inherited by whatever another
    // thread starts at that moment, and cannot be started itself until that one has closed it (ETXTBSY).
    let copied = std::process::Command::new("cp").arg(program).arg(&copy).status();
    assert!(copied.is_ok_and(|status| status.success()), "a copy of the program");
    allow(&copy, 0o755);
    copy
}

/// A chain of `count` links `l1 → l2 → … → end` in `folder`.
pub fn chain(folder: &Path, count: usize, end: &str) {
    for number in 1..=count {
        let target = if number == count { end.to_owned() } else { format!("l{}", number + 1) };
        link(folder, format!("l{number}").as_bytes(), target.as_bytes());
    }
}

/// Every file below `folder`, with its content.
pub fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(here) = todo.pop() {
        for entry in std::fs::read_dir(&here).expect("a folder that may be read") {
            let path = entry.expect("an entry").path();
            if path.symlink_metadata().expect("an entry").is_dir() {
                todo.push(path);
            } else {
                let below = path.strip_prefix(folder).expect("a path below").to_path_buf();
                found.insert(below, std::fs::read(&path).expect("a file that may be read"));
            }
        }
    }
    found
}

/// A Windows shell link that holds nothing but a relative path ([MS-SHLLINK] 2.1, 2.4).
pub fn lnk(relative: &str) -> Vec<u8> {
    let mut bytes = vec![0x4c, 0, 0, 0, 1, 0x14, 2, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46];
    // HasRelativePath | IsUnicode.
    bytes.extend(0x88_u32.to_le_bytes());
    bytes.resize(0x4c, 0);
    // ShowCommand: SW_SHOWNORMAL.
    if let Some(show) = bytes.get_mut(0x3c) {
        *show = 1;
    }
    let wide: Vec<u16> = relative.encode_utf16().collect();
    bytes.extend(u16::try_from(wide.len()).expect("a short path").to_le_bytes());
    bytes.extend(wide.iter().flat_map(|unit| unit.to_le_bytes()));
    // The terminal block.
    bytes.extend([0; 4]);
    bytes
}

/// A link file of Interix.
pub fn interix(target: &str) -> Vec<u8> {
    let mut bytes = b"IntxLNK\x01".to_vec();
    bytes.extend(target.encode_utf16().flat_map(u16::to_le_bytes));
    bytes
}

fn at(folder: &Path, name: &[u8]) -> PathBuf {
    folder.join(OsStr::from_bytes(name))
}
