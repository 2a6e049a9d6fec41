//! Lists in YAML, in block style: a key, and below it items that begin with `- `. That is how people
//! write the folders that are to be saved. Whatever else YAML can say is passed over.

use super::{Entry, numbered, unquoted};

pub(super) fn read(bytes: &[u8]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut list: Option<(Vec<u8>, usize)> = None;
    for (number, line) in numbered(bytes) {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        if let Some(item) = line.strip_prefix(b"- ") {
            if let Some((key, count)) = &mut list {
                let key = vec![key.clone(), count.to_string().into_bytes()];
                *count += 1;
                entries.push(Entry { key, value: scalar(item), line: Some(number) });
            }
            continue;
        }
        list = None;
        if let Some(key) = line.strip_suffix(b":") {
            list = Some((unquoted(key).to_vec(), 0));
        } else if let Some(at) = line.windows(2).position(|two| two == b": ") {
            let (key, value) = line.split_at(at);
            let key = vec![unquoted(key).to_vec()];
            let value = scalar(value.get(2..).unwrap_or_default());
            entries.push(Entry { key, value, line: Some(number) });
        }
    }
    entries
}

/// A value without its quotes, and without a remark behind it.
fn scalar(value: &[u8]) -> Vec<u8> {
    let value = value.trim_ascii();
    if let Some((quote @ (b'"' | b'\''), rest)) = value.split_first()
        && let Some(end) = rest.iter().position(|byte| byte == quote)
    {
        return rest.get(..end).unwrap_or_default().to_vec();
    }
    let end = value.windows(2).position(|two| two == b" #").unwrap_or(value.len());
    value.get(..end).unwrap_or_default().trim_ascii_end().to_vec()
}
