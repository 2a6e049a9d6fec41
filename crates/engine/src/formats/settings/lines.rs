//! Lines of a key and a value, `key = value`, as `onedrive` and Unison have them. All else is theirs.

use super::{Entry, numbered, unquoted};

pub(super) fn read(bytes: &[u8]) -> Vec<Entry> {
    let entry = |(number, line): (u64, &[u8])| {
        let line = line.trim_ascii();
        let at = line.iter().position(|byte| *byte == b'=')?;
        let (key, value) = line.split_at_checked(at)?;
        if matches!(key.first(), None | Some(b'#' | b';')) {
            return None;
        }
        let value = unquoted(value.get(1..)?.trim_ascii()).to_vec();
        Some(Entry { key: vec![key.trim_ascii().to_vec()], value, line: Some(number) })
    };
    numbered(bytes).filter_map(entry).collect()
}
