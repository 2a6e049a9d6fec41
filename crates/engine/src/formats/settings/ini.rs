//! INI as Qt and rclone write it: sections, keys and values. Qt divides keys at `\` and escapes in values
//! (`QSettings`, IniFormat: <https://doc.qt.io/qt-6/qsettings.html>).

use super::{Entry, Malformed, Settings, numbered};

pub(super) fn read(bytes: &[u8]) -> Settings {
    let mut settings = Settings::default();
    let mut section: Option<Vec<u8>> = None;
    for (number, line) in numbered(bytes) {
        let line = line.trim_ascii();
        if line.is_empty() || matches!(line.first(), Some(b';' | b'#')) {
            continue;
        }
        if let Some(name) = line.strip_prefix(b"[").and_then(|line| line.strip_suffix(b"]")) {
            section = Some(name.to_vec());
            continue;
        }
        let equals = line.iter().position(|byte| *byte == b'=');
        let Some((key, value)) = equals.and_then(|at| line.split_at_checked(at)) else {
            settings.malformed.get_or_insert(Malformed {
                line: Some(number),
                detail: "the line is neither a section nor a key with a value",
            });
            continue;
        };
        let parts = key.trim_ascii_end().split(|byte| *byte == b'\\').map(<[u8]>::to_vec);
        let key = section.iter().cloned().chain(parts).collect();
        let value = plain(value.get(1..).unwrap_or_default().trim_ascii_start());
        settings.entries.push(Entry { key, value, line: Some(number) });
    }
    settings
}

/// A value without its quotes, its escapes and the words for its type.
fn plain(value: &[u8]) -> Vec<u8> {
    let value = super::unquoted(value);
    let value = value
        .strip_prefix(b"@ByteArray(")
        .and_then(|value| value.strip_suffix(b")"))
        .or_else(|| value.starts_with(b"@@").then(|| value.get(1..).unwrap_or_default()))
        .unwrap_or(value);
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            out.push(*byte);
            continue;
        }
        let Some((escape, after)) = rest.split_first() else { break };
        rest = after;
        match escape {
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'x' => {
                let digits = rest.iter().take_while(|byte| byte.is_ascii_hexdigit()).count().min(6);
                let (digits, after) = rest.split_at(digits);
                rest = after;
                let digits = std::str::from_utf8(digits).unwrap_or_default();
                let letter = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
                out.extend_from_slice(
                    letter.unwrap_or('\u{fffd}').encode_utf8(&mut [0; 4]).as_bytes(),
                );
            }
            other => out.push(*other),
        }
    }
    out
}
