//! Reads and writes freedesktop desktop entries (`.desktop`) of `Type=Link`.
//!
//! Format facts: Desktop Entry Specification 1.5 (groups, comments, escapes, `Type`, `URL`); KDE's
//! KConfig for what follows a key or a group in brackets (`URL[$e]=`: expand variables); GLib's
//! GKeyFile for spaces around `=` and for the last of several equal keys to count.

use super::address::{Origin, percent_encoded, pointer_of};
use super::{FormatError, Pointer, SIZE_LIMIT, limited};

/// How messages name the format.
const FORMAT: &str = "desktop entry";

/// Reads where a desktop entry points; `Ok(None)` for every `Type` other than `Link`.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Pointer>, FormatError> {
    limited(FORMAT, bytes, SIZE_LIMIT)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut seen_group = false;
    let mut in_group = false;
    let mut kind: Option<Vec<u8>> = None;
    let mut address: Option<(Vec<u8>, bool)> = None;
    for line in bytes.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let line = line.trim_ascii();
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        if let Some(header) = line.strip_prefix(b"[") {
            let name = header.split(|byte| *byte == b']').next();
            in_group = name == Some(b"Desktop Entry");
            seen_group |= in_group;
            continue;
        }
        if !in_group {
            continue;
        }
        // One damaged line does not make the target any less clear, so it is passed over.
        let Some((key, value)) = split_at_equals(line) else {
            continue;
        };
        match key {
            b"Type" => kind = Some(unescaped(value)),
            _ => match options_of_url_key(key) {
                Some(UrlKey::Plain) => address = Some((unescaped(value), false)),
                Some(UrlKey::Expanded) => address = Some((unescaped(value), true)),
                Some(UrlKey::Deleted) => address = None,
                None => {}
            },
        }
    }
    let malformed = |detail| FormatError::Malformed { format: FORMAT, detail };
    if !seen_group {
        return Err(malformed("the group [Desktop Entry] is missing"));
    }
    match kind.as_deref() {
        Some(b"Link") => {}
        Some(_) => return Ok(None),
        None => return Err(malformed("the key Type is missing")),
    }
    let (address, expand) = address.ok_or(malformed("Type is Link, but the key URL is missing"))?;
    let address = if expand { without_variables(&address)? } else { address };
    pointer_of(FORMAT, &address, Origin::Unix).map(Some)
}

/// Makes a desktop entry that points at the path; [`super::read`] gives exactly this path back.
///
/// An absolute path becomes a `file://` address that every desktop follows. A relative one becomes
/// `file:` without slashes, which the specification knows nothing of: other programs may not follow
/// it.
pub fn write(name: &[u8], target_path: &[u8]) -> Vec<u8> {
    let mut file = b"[Desktop Entry]\nType=Link\nName=".to_vec();
    file.extend(escaped(name));
    file.extend(if target_path.starts_with(b"/") { &b"\nURL=file://"[..] } else { b"\nURL=file:" });
    file.extend(percent_encoded(target_path));
    file.push(b'\n');
    file
}

/// What the brackets after `URL` ask for.
enum UrlKey {
    /// `URL`, or brackets without a meaning for reading, such as `[$i]`.
    Plain,
    /// `[$e]`: variables stand in the value.
    Expanded,
    /// `[$d]`: the key counts as not there.
    Deleted,
}

/// Recognises `URL` and `URL[$letters]`; a translated `URL[de]` is another key.
fn options_of_url_key(key: &[u8]) -> Option<UrlKey> {
    let brackets = key.strip_prefix(b"URL")?;
    if brackets.is_empty() {
        return Some(UrlKey::Plain);
    }
    let letters = brackets.strip_prefix(b"[$")?.strip_suffix(b"]")?;
    if !letters.iter().all(u8::is_ascii_lowercase) {
        return None;
    }
    if letters.contains(&b'd') {
        Some(UrlKey::Deleted)
    } else if letters.contains(&b'e') {
        Some(UrlKey::Expanded)
    } else {
        Some(UrlKey::Plain)
    }
}

/// The key and the value of a line, without the spaces around `=`.
fn split_at_equals(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = line.iter().position(|byte| *byte == b'=')?;
    let (key, value) = line.split_at_checked(equals)?;
    Some((key.trim_ascii_end(), value.strip_prefix(b"=")?.trim_ascii_start()))
}

/// Undoes the escapes of a value; the specification is silent on others, so they stay as they are.
fn unescaped(value: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut rest = value;
    while let Some((first, others)) = rest.split_first() {
        rest = others;
        let meaning = match (first, others.first()) {
            (b'\\', Some(b's')) => Some(b' '),
            (b'\\', Some(b'n')) => Some(b'\n'),
            (b'\\', Some(b't')) => Some(b'\t'),
            (b'\\', Some(b'r')) => Some(b'\r'),
            (b'\\', Some(b'\\')) => Some(b'\\'),
            _ => None,
        };
        match (meaning, others.split_first()) {
            (Some(meaning), Some((_, after))) => {
                plain.push(meaning);
                rest = after;
            }
            _ => plain.push(*first),
        }
    }
    plain
}

/// A value in which no byte ends the line or is lost as a space at the edge.
fn escaped(value: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let last = value.len().saturating_sub(1);
    for (place, byte) in value.iter().enumerate() {
        match byte {
            b'\\' => file.extend(b"\\\\"),
            b'\n' => file.extend(b"\\n"),
            b'\r' => file.extend(b"\\r"),
            b'\t' => file.extend(b"\\t"),
            b' ' if place == 0 || place == last => file.extend(b"\\s"),
            _ => file.push(*byte),
        }
    }
    file
}

/// The value of a key marked `[$e]` when no variable is in it; `$$` is a plain `$` there.
///
/// A variable's value is the desktop session's, not the file's: guessing it here would give a path
/// nobody wrote.
fn without_variables(value: &[u8]) -> Result<Vec<u8>, FormatError> {
    let mut plain = Vec::new();
    let mut rest = value;
    while let Some((first, others)) = rest.split_first() {
        rest = others;
        if *first == b'$' {
            match others.split_first() {
                Some((b'$', after)) => rest = after,
                Some((b'{' | b'(' | b'_' | b'a'..=b'z' | b'A'..=b'Z', _)) => {
                    return Err(FormatError::Unsupported(
                        "the desktop entry's URL contains an environment variable, which only the \
                         desktop session can fill in",
                    ));
                }
                _ => {}
            }
        }
        plain.push(*first);
    }
    Ok(plain)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::super::test_support::Random;
    use super::*;

    fn path(bytes: &[u8]) -> Option<Pointer> {
        Some(Pointer::Path(bytes.to_vec()))
    }

    #[test]
    fn a_link_gives_its_target() {
        let file = b"[Desktop Entry]\nType=Link\nURL=file:///a%20b\n";
        assert_eq!(read(file).unwrap(), path(b"/a b"));
        let file = b"[Desktop Entry]\nType=Link\nURL=https://example.org/\n";
        assert_eq!(read(file).unwrap(), Some(Pointer::Web(b"https://example.org/".to_vec())));
    }

    #[test]
    fn mark_line_ends_comments_spaces_and_other_groups() {
        let file = b"\xef\xbb\xbf# first\r\n\r\n[Desktop Entry][$i]\r\nType = Link\r\n#URL=/no\r\n\
                     URL = /a\\sb\\\\c\\x \r\nURL[de]=/no\r\njunk\r\n[Other]\r\nURL=/no\r\nType=x\r\n";
        assert_eq!(read(file).unwrap(), path(b"/a b\\c\\x"));
    }

    #[test]
    fn escapes_of_control_characters() {
        let file = b"[Desktop Entry]\nType=Link\nURL=/a\\nb\\tc\\rd\\";
        assert_eq!(read(file).unwrap(), path(b"/a\nb\tc\rd\\"));
    }

    #[test]
    fn the_last_of_equal_keys_counts() {
        let file = b"[Desktop Entry]\nType=Link\nURL=/a\nURL[$i]=/b\n";
        assert_eq!(read(file).unwrap(), path(b"/b"));
    }

    #[test]
    fn variables_are_refused_only_where_they_are_meant() {
        let with = |line: &str| read(format!("[Desktop Entry]\nType=Link\n{line}\n").as_bytes());
        assert_eq!(with("URL[$e]=file:///plain").unwrap(), path(b"/plain"));
        assert_eq!(with("URL[$ie]=/a$$b/5$").unwrap(), path(b"/a$b/5$"));
        assert_eq!(with("URL=file:///$HOME").unwrap(), path(b"/$HOME"));
        for line in ["URL[$e]=file://$HOME/x", "URL[$e]=${HOME}/x", "URL[$e]=/x$(id)"] {
            assert!(matches!(with(line), Err(FormatError::Unsupported(_))));
        }
        assert!(matches!(with("URL=/a\nURL[$d]="), Err(FormatError::Malformed { .. })));
    }

    #[test]
    fn an_application_is_no_link() {
        let file = b"[Desktop Entry]\nType=Application\nExec=x\nURL=file:///x\n";
        assert_eq!(read(file).unwrap(), None);
    }

    #[test]
    fn what_is_missing_is_malformed() {
        for file in [
            &b"Type=Link\nURL=/x\n"[..],
            b"[Desktop Action x]\nType=Link\nURL=/x\n",
            b"[Desktop Entry]\nURL=/x\n",
            b"[Desktop Entry]\nType=Link\n",
            b"[Desktop Entry]\nType=Link\nURL=\n",
        ] {
            assert!(matches!(read(file), Err(FormatError::Malformed { .. })));
        }
    }

    #[test]
    fn every_path_written_is_read_back() {
        let mut every: Vec<u8> = (1..=u8::MAX).collect();
        assert_eq!(read(&write(&every, &every)).unwrap(), path(&every));
        every.insert(0, b'/');
        assert_eq!(read(&write(&every, &every)).unwrap(), path(&every));
        for target in [
            &b"/C:/x"[..],
            b"//x/y",
            b"C:/x",
            b"C:\\x",
            b"\\\\server\\x",
            b"x",
            b" ",
            b"$HOME",
            b"https://x",
            b"a#b?c",
            b"%41",
            b"/",
            b"../x",
            b"localhost/x",
            b"/localhost/x",
            b"file:x",
        ] {
            assert_eq!(read(&write(b"x", target)).unwrap(), path(target));
        }
        // `file:` followed by two slashes would be a host; an absolute path never takes that form.
        assert_eq!(write(b"n", b"/a"), b"[Desktop Entry]\nType=Link\nName=n\nURL=file:///a\n");
    }

    #[test]
    fn a_name_cannot_add_lines() {
        let file = write(b" a\nURL=/evil\r\\ ", b"/x");
        assert_eq!(file.split(|byte| *byte == b'\n').count(), 5);
        assert!(file.windows(21).any(|part| part == b"Name=\\sa\\nURL=/evil\\r"));
        assert_eq!(read(&file).unwrap(), path(b"/x"));
    }

    #[test]
    fn random_paths_are_read_back_and_mutations_do_no_harm() {
        let mut random = Random::new(0xde5c);
        let valid = b"\xef\xbb\xbf[Desktop Entry]\r\nType=Link\r\nName[de]=x\r\nURL[$e]=file:///a%20$$b\\s\r\n";
        assert!(read(valid).is_ok());
        for _ in 0..20_000 {
            drop(read(&random.mutated(valid)));
        }
        for _ in 0..500 {
            let length = 1 + random.below(40);
            let target: Vec<u8> = (0..length).map(|_| random.byte().max(1)).collect();
            assert_eq!(read(&write(&target, &target)).unwrap(), path(&target[..]));
        }
    }
}
