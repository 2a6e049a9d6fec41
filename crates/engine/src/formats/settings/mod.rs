//! Configurations of other programs, each brought to one form: keys of several parts, with values.
//!
//! So a table can say which key is wanted, and no code knows any one program. Parts of lists are
//! numbered. What breaks the rules of its format says nothing at all, since half a configuration may mean
//! something else than the whole; only single lines that are wrong are passed over.

mod ini;
mod json;
mod lines;
mod list;
mod toml;
mod xml;

use linkwell_model::share::config::Shape;

/// A value and its key. There may be secrets among them, so it cannot be printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// The parts of the key.
    pub key: Vec<Vec<u8>>,
    /// The value.
    pub value: Vec<u8>,
    /// In which line it stands, where that is known.
    pub line: Option<u64>,
}

/// What breaks the rules of a format. The text itself is not repeated: it may hold a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// In which line.
    pub line: Option<u64>,
    /// What is wrong.
    pub detail: &'static str,
}

/// What was read.
#[derive(Default)]
pub struct Settings {
    /// The values.
    pub entries: Vec<Entry>,
    /// The first thing that is wrong.
    pub malformed: Option<Malformed>,
}

/// Reads a configuration.
pub fn read(shape: Shape, bytes: &[u8]) -> Settings {
    let whole = |read: Result<Vec<Entry>, Malformed>| match read {
        Ok(entries) => Settings { entries, malformed: None },
        Err(malformed) => Settings { entries: Vec::new(), malformed: Some(malformed) },
    };
    match shape {
        Shape::Json => whole(json::read(bytes)),
        Shape::Toml => whole(toml::read(bytes)),
        Shape::Xml => whole(xml::read(bytes)),
        Shape::Ini => ini::read(bytes),
        Shape::Lines => Settings { entries: lines::read(bytes), malformed: None },
        Shape::List => Settings { entries: list::read(bytes), malformed: None },
        Shape::Bisync | Shape::Presence => Settings::default(),
    }
}

/// The lines, numbered from 1, without their ends.
fn numbered(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    let lines = bytes.split(|byte| *byte == b'\n');
    (1..).zip(lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line)))
}

/// In which line the byte at `offset` stands.
fn line_of(bytes: &[u8], offset: usize) -> u64 {
    let before = bytes.get(..offset.min(bytes.len())).unwrap_or_default();
    u64::try_from(before.split(|byte| *byte == b'\n').count()).unwrap_or(u64::MAX)
}

/// The text of a format that is UTF-8 by its rules.
fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|error| Malformed {
        line: Some(line_of(bytes, error.valid_up_to())),
        detail: "it is not UTF-8",
    })
}

/// A value without the quotes around it.
fn unquoted(value: &[u8]) -> &[u8] {
    let between = |mark: &[u8]| value.strip_prefix(mark)?.strip_suffix(mark);
    between(b"\"").or_else(|| between(b"'")).unwrap_or(value)
}

#[cfg(test)]
mod tests;
