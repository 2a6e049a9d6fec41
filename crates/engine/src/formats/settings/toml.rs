//! TOML. The reader refuses what is nested deeper than 80 levels.

use super::{Entry, Malformed, line_of, text};
use ::toml::{Table, Value};

pub(super) fn read(bytes: &[u8]) -> Result<Vec<Entry>, Malformed> {
    let table: Table = ::toml::from_str(text(bytes)?).map_err(|error| Malformed {
        line: error.span().map(|span| line_of(bytes, span.start)),
        detail: "it is not TOML",
    })?;
    let mut entries = Vec::new();
    flatten(&Value::Table(table), &mut Vec::new(), &mut entries);
    Ok(entries)
}

fn flatten(value: &Value, key: &mut Vec<Vec<u8>>, entries: &mut Vec<Entry>) {
    let text = match value {
        Value::Table(table) => {
            for (name, value) in table {
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
        Value::String(text) => text.clone(),
        Value::Boolean(is) => is.to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Float(_) | Value::Datetime(_) => return,
    };
    entries.push(Entry { key: key.clone(), value: text.into_bytes(), line: None });
}
