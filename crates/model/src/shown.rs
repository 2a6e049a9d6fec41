//! Names as they may be shown to a person or written to a log.
//!
//! A name is bytes that somebody else chose. Shown raw, it can move the cursor, set the window's
//! title, reverse the reading direction or forge a line of our own report (CWE-117, CWE-150;
//! rsync 3.5.0 fixed the same in its log). Output for programs is exact and does not come
//! through here.

use std::fmt::{self, Write as _};

/// Shows `bytes` with everything escaped that a terminal could interpret.
///
/// The escapes are `\n`, `\t`, `\r`, `\e`, `\xHH` for a byte, `\u{H…}` for a character that is
/// invisible or changes direction, and `\\` for a backslash: what is shown can be told from every
/// other name. `→` is escaped too, since `link → target` must not be forged by a name.
pub fn shown(bytes: &[u8]) -> Shown<'_> {
    Shown(bytes)
}

/// `bytes` as a word that can be typed into a shell: as it is where that is safe, in single quotes
/// where it is not, and in `$'…'` (bash, zsh, ksh) where it holds what cannot be typed.
pub fn quoted(bytes: &[u8]) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+,:@%=".contains(byte);
    let text = std::str::from_utf8(bytes).ok();
    match text.filter(|text| text.chars().all(|character| !character.is_control())) {
        Some(text) if !text.is_empty() && bytes.iter().all(plain) => text.to_owned(),
        Some(text) if shown(bytes).to_string().replace("\\\\", "\\") == text => {
            format!("'{}'", text.replace('\'', "'\\''"))
        }
        _ => {
            let byte = |byte: &u8| match byte {
                b' '..=b'~' if !matches!(byte, b'\'' | b'\\') => char::from(*byte).to_string(),
                byte => format!("\\x{byte:02x}"),
            };
            format!("$'{}'", bytes.iter().map(byte).collect::<String>())
        }
    }
}

/// Bytes that display themselves safely; see [`shown`].
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a>(&'a [u8]);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            let mut plain_from = 0;
            let text = chunk.valid();
            for (at, character) in text.char_indices() {
                if is_plain(character) {
                    continue;
                }
                formatter.write_str(text.get(plain_from..at).unwrap_or_default())?;
                plain_from = at + character.len_utf8();
                write_escape(formatter, character)?;
            }
            formatter.write_str(text.get(plain_from..).unwrap_or_default())?;
            for byte in chunk.invalid() {
                write!(formatter, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

fn write_escape(formatter: &mut fmt::Formatter<'_>, character: char) -> fmt::Result {
    match character {
        '\n' => formatter.write_str("\\n"),
        '\t' => formatter.write_str("\\t"),
        '\r' => formatter.write_str("\\r"),
        '\u{1b}' => formatter.write_str("\\e"),
        '\\' => formatter.write_str("\\\\"),
        control if (control as u32) < 0x80 => write!(formatter, "\\x{:02x}", control as u32),
        other => {
            formatter.write_str("\\u{")?;
            write!(formatter, "{:x}", other as u32)?;
            formatter.write_char('}')
        }
    }
}

/// Whether a character may be shown as it is: it is visible (or a plain space) and neither
/// controls the terminal nor the direction of the text, nor hides.
fn is_plain(character: char) -> bool {
    match character {
        ' '..='~' => character != '\\',
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => false,
        // Soft hyphen, Arabic letter mark, Mongolian vowel separator, zero-width and direction
        // marks, separators, invisible operators, byte-order mark, annotation marks, our arrow.
        '\u{ad}'
        | '\u{61c}'
        | '\u{180e}'
        | '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{2192}' => false,
        // Tag characters: invisible copies of ASCII.
        '\u{e0000}'..='\u{e007f}' => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_and_every_low_character_is_safe_and_distinct() {
        let mut seen = std::collections::HashSet::new();
        for byte in 0..=255_u8 {
            let text = shown(&[b'a', byte, b'z']).to_string();
            assert!(!text.chars().any(char::is_control), "{byte:#x} gave a control character");
            assert!(seen.insert(text), "{byte:#x} is shown like another byte");
        }
        for code in 0..0x3000_u32 {
            let Some(character) = char::from_u32(code) else {
                continue;
            };
            let text = shown(character.to_string().as_bytes()).to_string();
            assert!(!text.chars().any(char::is_control), "U+{code:04X}");
        }
    }

    #[test]
    fn direction_marks_terminal_codes_and_forged_lines_are_escaped() {
        assert_eq!(shown("gpj\u{202e}exe.".as_bytes()).to_string(), "gpj\\u{202e}exe.");
        assert_eq!(shown(b"\x1b]0;x\x07").to_string(), "\\e]0;x\\x07");
        assert_eq!(shown(b"a\nb -> ok").to_string(), "a\\nb -> ok");
        assert_eq!(shown("a → b".as_bytes()).to_string(), "a \\u{2192} b");
        assert_eq!(shown(b"\x9b2J\xff").to_string(), "\\x9b2J\\xff");
        assert_eq!(shown("é日本".as_bytes()).to_string(), "é日本");
    }

    #[test]
    fn a_literal_escape_is_told_from_an_escaped_byte() {
        assert_ne!(shown(b"a\\x1b").to_string(), shown(b"a\x1b").to_string());
    }

    #[test]
    fn what_is_quoted_can_be_typed() {
        for (name, typed) in [
            (&b"plain/x.txt"[..], "plain/x.txt"),
            (b"", "''"),
            (b"two words", "'two words'"),
            (b"it's", "'it'\\''s'"),
            ("é".as_bytes(), "'é'"),
            (b"a\\b", "'a\\b'"),
            (b"a\nb\xff'", "$'a\\x0ab\\xff\\x27'"),
        ] {
            assert_eq!(quoted(name), typed);
        }
    }
}
