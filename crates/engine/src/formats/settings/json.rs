//! JSON (RFC 8259). The reader refuses what is nested deeper than 128 levels.

use super::{Entry, Malformed};
use serde_json::Value;

pub(super) fn read(bytes: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let value = serde_json::from_slice(bytes).map_err(|error| Malformed {
        line: u64::try_from(error.line()).ok(),
        detail: "it is not JSON",
    })?;
    let mut entries = Vec::new();
    flatten(&value, &mut Vec::new(), &mut entries);
    Ok(entries)
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
