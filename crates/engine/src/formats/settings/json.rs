//! JSON (RFC 8259), with the remarks of JavaScript, which Resilio writes into its own. The reader refuses
//! what is nested deeper than 128 levels.

use super::{Entry, Malformed};
use serde_json::Value;

pub(super) fn read(bytes: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let value = serde_json::from_slice(&bare(bytes)).map_err(|error| Malformed {
        line: u64::try_from(error.line()).ok(),
        detail: "it is not JSON",
    })?;
    let mut entries = Vec::new();
    flatten(&value, &mut Vec::new(), &mut entries);
    Ok(entries)
}

/// The same without remarks; the lines stay where they are.
fn bare(bytes: &[u8]) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut at = 0;
    let mut quoted = false;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let length = match rest {
            [b'\\', _, ..] if quoted => 2,
            [b'"', ..] => {
                quoted = !quoted;
                1
            }
            [b'/', b'/', ..] if !quoted => {
                rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
            }
            [b'/', b'*', inner @ ..] if !quoted => {
                inner.windows(2).position(|two| two == b"*/").map_or(rest.len(), |end| end + 4)
            }
            _ => 1,
        };
        if length > 1 && !quoted {
            for byte in out.iter_mut().skip(at).take(length).filter(|byte| **byte != b'\n') {
                *byte = b' ';
            }
        }
        at += length;
    }
    out
}

fn flatten(value: &Value, key: &mut Vec<Vec<u8>>, entries: &mut Vec<Entry>) {
    let text = match value {
        Value::Object(object) => {
            for (name, value) in object {
                key.push(name.as_bytes().to_vec());
                flatten(value, key, entries);
                key.pop();
            }
            return;
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                key.push(at.to_string().into_bytes());
                flatten(value, key, entries);
                key.pop();
            }
            return;
        }
        Value::Null => return,
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    };
    entries.push(Entry { key: key.clone(), value: text.into_bytes(), line: None });
}
