//! The form of one line: a JSON object whose last field is a checksum, chained to the line before.
//!
//! `{"item":{…},"check":"0123456789abcdef"}`: the check is the first 64 bits of BLAKE3 over the check
//! of the line before (16 digits; none for the first line) and over all that stands before `,"check"`.
//! So a line that is changed, missing, doubled or moved is seen. It protects against accidents, not
//! against somebody who can write to the state folder; that is what the folder's rights are for.

use super::record::Record;

/// The chained checksum.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chain(String);

impl Chain {
    fn next(&self, body: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.0.as_bytes()).update(body);
        Self(hasher.finalize().to_hex().as_str().chars().take(DIGITS).collect())
    }
}

const DIGITS: usize = 16;
const FIELD: &[u8] = b",\"check\":\"";

/// Appends `record` as a line to `out`.
pub(super) fn append(out: &mut Vec<u8>, chain: &mut Chain, record: &Record<'_>) {
    let from = out.len();
    // Writing into memory cannot fail, and every record has a JSON form.
    drop(serde_json::to_writer(&mut *out, record));
    seal(out, from, chain);
}

/// Makes a line of the JSON object that stands in `out` from `from` on.
pub(super) fn seal(out: &mut Vec<u8>, from: usize, chain: &mut Chain) {
    // The closing brace comes again at the end.
    out.pop();
    *chain = chain.next(out.get(from..).unwrap_or_default());
    out.extend_from_slice(FIELD);
    out.extend_from_slice(chain.0.as_bytes());
    out.extend_from_slice(b"\"}\n");
}

/// The record in a line without its end, if it is sound.
pub(super) fn parse(line: &[u8], chain: &mut Chain) -> Option<Record<'static>> {
    let body_end = line.len().checked_sub(FIELD.len() + DIGITS + 2)?;
    let (body, end) = line.split_at(body_end);
    let check = end.strip_prefix(FIELD)?.strip_suffix(b"\"}")?;
    let next = chain.next(body);
    if next.0.as_bytes() != check {
        return None;
    }
    let mut whole = body.to_vec();
    whole.push(b'}');
    let record = serde_json::from_slice(&whole).ok()?;
    *chain = next;
    Some(record)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::super::record::{Ended, Header, How};
    use super::*;
    use linkwell_model::entry::Time;
    use linkwell_model::plan::Token;
    use std::borrow::Cow;

    #[test]
    fn every_record_is_a_line_that_reads_back() {
        let header = Header {
            linkwell: 1,
            operation: 1,
            time: Time(0, 0),
            command: Vec::new(),
            folder: None,
            user: 0,
            token: Token::new(1),
            undoes: None,
        };
        let records = [
            Record::Operation(Cow::Owned(header)),
            Record::Ready { items: 0 },
            Record::Did { step: 0, made: None },
            Record::Failed { item: 0, why: "x".into() },
            Record::Freeing {},
            Record::Ended(Ended { how: How::Done, done: 0, times: Vec::new(), kept: Vec::new() }),
        ];
        let (mut bytes, mut chain) = (Vec::new(), Chain::default());
        for record in &records {
            append(&mut bytes, &mut chain, record);
        }
        let mut chain = Chain::default();
        for (line, record) in bytes.split(|byte| *byte == b'\n').zip(&records) {
            assert_eq!(parse(line, &mut chain).unwrap(), *record);
        }
        let read = super::super::record::read(&bytes).unwrap();
        assert!(read.freeing && read.ended.is_some() && read.damaged.is_none());
    }
}
