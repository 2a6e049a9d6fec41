//! Links for people: one a line, nothing in it that a terminal could interpret.

use super::paint::{Paint, Painted};
use linkwell_engine::scan::judged::Item;
use linkwell_model::entry::LinkKind;
use linkwell_model::shown::shown;
use std::io::Write as _;

/// `health kind path → target`; `verbose`: and how it is on record.
pub(crate) fn link(out: &mut Vec<u8>, item: &Item<'_>, verbose: bool, paint: Paint) {
    padded(out, item.health.word(), paint.health(item.health));
    padded(out, item.kind.word(), Painted::default());
    path(out, item.path);
    if item.kind == LinkKind::HardLink {
        if let Some(group) = item.group {
            drop(write!(out, "  (file {}: {} names", group.id.inode, group.names));
            if let Some(outside) = group.outside.filter(|outside| *outside > 0) {
                drop(write!(out, ", {outside} of them elsewhere"));
            }
            out.push(b')');
        }
    } else {
        out.extend_from_slice(" → ".as_bytes());
        match item.target {
            Some(target) => path(out, target),
            None => out.extend_from_slice(b"?"),
        }
    }
    if let Some(record) = item.record.filter(|_| verbose) {
        drop(write!(out, "  ({}; {})", record.by.words(), record.policy.word()));
    }
    out.push(b'\n');
}

/// A word and a space, 9 columns at least.
pub(crate) fn padded(out: &mut Vec<u8>, word: &str, style: Painted) {
    style.write(out, word);
    out.extend(std::iter::repeat_n(b' ', 9_usize.saturating_sub(word.len()).max(1)));
}

/// A name, escaped. Most names need no escape, and a million of them are looked at.
pub(crate) fn path(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.iter().all(|byte| matches!(byte, b' '..=b'~') && *byte != b'\\') {
        out.extend_from_slice(bytes);
    } else {
        drop(write!(out, "{}", shown(bytes)));
    }
}
