//! How things are called and recorded in a trash.

use crate::system::System;
use linkwell_model::name::Name;
use linkwell_model::plan::Why;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::io::Errno;
use std::collections::{HashMap, HashSet};

const ENDING: &[u8] = b".trashinfo";
/// The longest name that Linux file systems have.
const LONGEST: usize = 255;

/// The names that a plan has given in one trash.
#[derive(Default)]
pub(super) struct Taken {
    used: HashSet<Vec<u8>>,
    /// Which number to try next, by the name that was wanted.
    next: HashMap<Vec<u8>, u64>,
}

impl Taken {
    /// A name that is free in the trash for the record and for the thing; `held` are the folders of
    /// the two, if they exist.
    pub(super) fn choose(
        &mut self,
        system: System,
        held: Option<&(OwnedFd, OwnedFd)>,
        wanted: &Name,
    ) -> Result<(Name, Name), Why> {
        let wanted = wanted.as_bytes();
        let next = self.next.entry(wanted.to_vec()).or_insert(1);
        loop {
            let end = if *next == 1 { String::new() } else { format!(".{next}") };
            *next += 1;
            let most = LONGEST - ENDING.len() - end.len();
            let mut name = cut(wanted, most).to_vec();
            name.extend_from_slice(end.as_bytes());
            let record = [name.as_slice(), ENDING].concat();
            if self.used.contains(&name) {
                continue;
            }
            if let Some((info, files)) = held
                && (is_there(system, info, &record)? || is_there(system, files, &name)?)
            {
                continue;
            }
            self.used.insert(name.clone());
            let names = Name::new(record).zip(Name::new(name));
            return names.ok_or(Why::Name("the name cannot be used in the trash"));
        }
    }
}

fn is_there(system: System, folder: &OwnedFd, name: &[u8]) -> Result<bool, Why> {
    match system.facts(folder.as_fd(), name) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(super::refused("the trash cannot be looked at", error)),
    }
}

/// The beginning of a name, not cut within a character where it is text.
fn cut(name: &[u8], most: usize) -> &[u8] {
    let mut end = name.len().min(most);
    if std::str::from_utf8(name).is_ok() {
        while end > 0 && name.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
            end -= 1;
        }
    }
    name.get(..end).unwrap_or(name)
}

/// The record of something in the trash.
pub(super) fn info(path: &[u8], when: &str) -> Vec<u8> {
    let mut text = b"[Trash Info]\nPath=".to_vec();
    for byte in path {
        // RFC 2396's unreserved characters that every reader takes as they are.
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(byte) {
            text.push(*byte);
        } else {
            text.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    text.extend_from_slice(format!("\nDeletionDate={when}\n").as_bytes());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_holds_any_path() {
        let text = info(b"/a b/\xff%\n\xc3\xa9-_.~", "2026-01-02T03:04:05");
        let wanted =
            "[Trash Info]\nPath=/a%20b/%FF%25%0A%C3%A9-_.~\nDeletionDate=2026-01-02T03:04:05\n";
        assert_eq!(String::from_utf8_lossy(&text), wanted);
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        assert_eq!(cut("aé".as_bytes(), 2), b"a");
        assert_eq!(cut("aé".as_bytes(), 3), "aé".as_bytes());
        assert_eq!(cut(b"a\x80\x80", 2), b"a\x80");
    }
}
