//! Tells apart what the address in a link-like file is: a local path, a web address, or a path of
//! another system; and percent-encoding both ways.
//!
//! Format facts: RFC 3986 (schemes, percent-encoding, query and fragment), RFC 8089 with its
//! appendix E (`file:` in the wild: `localhost`, drive letters, `|` for `:`, server shares).

use super::{FormatError, Pointer};

/// The system whose programs write the file, and so what a drive letter in it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// `/C:/x` is an ordinary path: a folder may be called `C:` here.
    Unix,
    /// `/C:/x` is the drive C, and `//server` a server.
    Windows,
}

/// What an address found in a file of the given format stands for.
pub(super) fn pointer_of(
    format: &'static str,
    address: &[u8],
    origin: Origin,
) -> Result<Pointer, FormatError> {
    let malformed = |detail| FormatError::Malformed { format, detail };
    if address.is_empty() {
        return Err(malformed("the address is empty"));
    }
    let pointer = match scheme_of(address) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case(b"file") => {
            file_pointer(rest, origin).ok_or(malformed("the file: address names no path"))?
        }
        Some(_) => Pointer::Web(address.to_vec()),
        None if is_foreign(address) => Pointer::Foreign(address.to_vec()),
        None => Pointer::Path(address.to_vec()),
    };
    let (Pointer::Path(bytes) | Pointer::Web(bytes) | Pointer::Foreign(bytes)) = &pointer;
    // No system takes a path with NUL; handing one on would let `a\0b` be cut to `a` further down.
    if bytes.contains(&0) {
        return Err(malformed("the address holds a NUL byte"));
    }
    Ok(pointer)
}

/// Splits `scheme:rest`. One letter is no scheme but a drive: no registered scheme is that short.
fn scheme_of(address: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = address.iter().position(|byte| *byte == b':')?;
    let (scheme, rest) = address.split_at_checked(colon)?;
    let (first, others) = scheme.split_first()?;
    let follows = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
    if others.is_empty() || !first.is_ascii_alphabetic() || !others.iter().all(follows) {
        return None;
    }
    Some((scheme, rest.strip_prefix(b":")?))
}

/// A path in Windows' own spelling: `C:\x`, `C:/x`, `C:`, `\\server\share` or `\x`.
pub(super) fn is_foreign(path: &[u8]) -> bool {
    path.starts_with(b"\\") || has_drive(path)
}

/// Whether the path begins with a drive letter; `c:x` without a separator is left alone, as it is
/// far likelier a file's name than a path relative to a drive.
fn has_drive(path: &[u8]) -> bool {
    match path {
        [letter, b':' | b'|'] | [letter, b':' | b'|', b'/' | b'\\', ..] => {
            letter.is_ascii_alphabetic()
        }
        _ => false,
    }
}

/// What the part of a `file:` address after the scheme names.
fn file_pointer(rest: &[u8], origin: Origin) -> Option<Pointer> {
    // An unencoded `?` or `#` ends the path (RFC 3986, 3.3); in a path they are encoded.
    let end = rest.iter().position(|byte| matches!(byte, b'?' | b'#')).unwrap_or(rest.len());
    let rest = rest.get(..end)?;
    let (host, path) = match rest.strip_prefix(b"//") {
        Some(after) => {
            let slash = after.iter().position(|byte| *byte == b'/').unwrap_or(after.len());
            after.split_at_checked(slash)?
        }
        None => (&b""[..], rest),
    };
    if has_drive(host) || host.contains(&b'\\') {
        // `file://C:/x` and `file://\\server\share` are wrong, but widespread.
        return Some(Pointer::Foreign(windows_path(&[
            percent_decoded(host),
            percent_decoded(path),
        ])));
    }
    let path = percent_decoded(path);
    if !host.is_empty() && !host.eq_ignore_ascii_case(b"localhost") {
        return Some(Pointer::Foreign(windows_path(&[
            b"//".to_vec(),
            percent_decoded(host),
            path,
        ])));
    }
    if path.is_empty() {
        return None;
    }
    if origin == Origin::Windows {
        let without_slash = path.strip_prefix(b"/").unwrap_or(&path);
        if has_drive(without_slash) {
            return Some(Pointer::Foreign(windows_path(&[without_slash.to_vec()])));
        }
        if path.starts_with(b"//") {
            let share = path.trim_ascii_start_matches(b'/');
            return Some(Pointer::Foreign(windows_path(&[b"//".to_vec(), share.to_vec()])));
        }
        if is_foreign(&path) {
            return Some(Pointer::Foreign(windows_path(&[path])));
        }
    }
    Some(Pointer::Path(path))
}

/// Taking leading bytes of one kind off a slice, which the standard library has only for text.
trait TrimStart {
    /// The slice without the leading bytes equal to `unwanted`.
    fn trim_ascii_start_matches(&self, unwanted: u8) -> &[u8];
}

impl TrimStart for [u8] {
    fn trim_ascii_start_matches(&self, unwanted: u8) -> &[u8] {
        let mut rest = self;
        while let Some((first, others)) = rest.split_first() {
            if *first != unwanted {
                break;
            }
            rest = others;
        }
        rest
    }
}

/// The parts as one path in Windows' spelling.
fn windows_path(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut path = parts.concat();
    for byte in &mut path {
        if *byte == b'/' {
            *byte = b'\\';
        }
    }
    // RFC 8089, E.2.2: `|` stands for the colon of a drive in old addresses.
    if let [letter, bar @ b'|', ..] = path.as_mut_slice()
        && letter.is_ascii_alphabetic()
    {
        *bar = b':';
    }
    path
}

/// The bytes an encoded text stands for; a `%` without two hexadecimal digits stands for itself,
/// as sloppy writers put plain paths behind `file://`.
pub(super) fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut rest = text;
    while let Some((first, others)) = rest.split_first() {
        if *first == b'%'
            && let [high, low, after @ ..] = others
            && let (Some(high), Some(low)) = (hexadecimal_digit(*high), hexadecimal_digit(*low))
        {
            decoded.push(high << 4 | low);
            rest = after;
        } else {
            decoded.push(*first);
            rest = others;
        }
    }
    decoded
}

/// The path with every byte encoded that RFC 3986 does not leave unreserved, slashes excepted.
pub(super) fn percent_encoded(path: &[u8]) -> Vec<u8> {
    let mut encoded = Vec::new();
    for byte in path {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'/') {
            encoded.push(*byte);
        } else {
            encoded.extend([b'%', digit_character(byte >> 4), digit_character(byte & 0x0f)]);
        }
    }
    encoded
}

/// The value of a hexadecimal digit.
fn hexadecimal_digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => character.checked_sub(b'0'),
        b'a'..=b'f' => character.checked_sub(b'a' - 10),
        b'A'..=b'F' => character.checked_sub(b'A' - 10),
        _ => None,
    }
}

/// The hexadecimal digit of a value below 16, in upper case as RFC 3986, 2.1 wants it.
fn digit_character(value: u8) -> u8 {
    if value < 10 { b'0'.wrapping_add(value) } else { (b'A' - 10).wrapping_add(value) }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    fn unix(address: &[u8]) -> Pointer {
        pointer_of("test file", address, Origin::Unix).unwrap()
    }

    fn windows(address: &[u8]) -> Pointer {
        pointer_of("test file", address, Origin::Windows).unwrap()
    }

    fn path(bytes: &[u8]) -> Pointer {
        Pointer::Path(bytes.to_vec())
    }

    fn foreign(bytes: &[u8]) -> Pointer {
        Pointer::Foreign(bytes.to_vec())
    }

    #[test]
    fn local_addresses_are_paths() {
        for address in [&b"file:///home/x"[..], b"FILE://LocalHost/home/x", b"file:/home/x"] {
            assert_eq!(unix(address), path(b"/home/x"));
            assert_eq!(windows(address), path(b"/home/x"));
        }
        assert_eq!(unix(b"/home/100%20x"), path(b"/home/100%20x"));
        assert_eq!(unix(b"../x"), path(b"../x"));
        assert_eq!(unix(b"file:x/y"), path(b"x/y"));
        assert_eq!(unix(b"./a:b"), path(b"./a:b"));
    }

    #[test]
    fn decoding_gives_bytes_and_keeps_what_is_not_encoded() {
        assert_eq!(unix(b"file:///a%FF%e4%20b"), path(b"/a\xff\xe4 b"));
        assert_eq!(unix(b"file:///100%/%zz%4"), path(b"/100%/%zz%4"));
        assert_eq!(unix(b"file:///a%23b%3Fc#part"), path(b"/a#b?c"));
        assert_eq!(unix(b"file:///a?q"), path(b"/a"));
    }

    #[test]
    fn every_byte_survives_encoding() {
        let all: Vec<u8> = (0..=u8::MAX).collect();
        assert_eq!(percent_decoded(&percent_encoded(&all)), all);
        assert!(percent_encoded(&all).iter().all(u8::is_ascii_graphic));
    }

    #[test]
    fn drives_and_servers_are_foreign() {
        assert_eq!(windows(b"file:///C:/Users/a%20b"), foreign(b"C:\\Users\\a b"));
        assert_eq!(windows(b"file:///c|/x"), foreign(b"c:\\x"));
        assert_eq!(windows(b"file://C:/x"), foreign(b"C:\\x"));
        assert_eq!(windows(b"file:C:\\x"), foreign(b"C:\\x"));
        assert_eq!(windows(b"file://server/share/x"), foreign(b"\\\\server\\share\\x"));
        assert_eq!(windows(b"file:////server/share"), foreign(b"\\\\server\\share"));
        assert_eq!(windows(b"file://///server/share"), foreign(b"\\\\server\\share"));
        assert_eq!(windows(b"file://\\\\server\\share"), foreign(b"\\\\server\\share"));
        for address in [&b"C:\\x"[..], b"z:/x", b"C:", b"\\\\server\\share", b"\\x"] {
            assert_eq!(windows(address), foreign(address));
            assert_eq!(unix(address), foreign(address));
        }
    }

    #[test]
    fn a_folder_may_be_called_like_a_drive_here() {
        assert_eq!(unix(b"file:///C:/x"), path(b"/C:/x"));
        assert_eq!(unix(b"file:////x/y"), path(b"//x/y"));
        assert_eq!(unix(b"file://server/x"), foreign(b"\\\\server\\x"));
    }

    #[test]
    fn other_schemes_are_web_addresses() {
        for address in [&b"https://example.org/a%20b#c"[..], b"mailto:a@b", b"git+ssh://x"] {
            assert_eq!(unix(address), Pointer::Web(address.to_vec()));
            assert_eq!(windows(address), Pointer::Web(address.to_vec()));
        }
    }

    #[test]
    fn what_names_nothing_is_malformed() {
        for address in
            [&b""[..], b"file:", b"file://", b"file://localhost", b"file:///a%00b", b"a\0"]
        {
            assert!(matches!(
                pointer_of("test file", address, Origin::Unix),
                Err(FormatError::Malformed { .. })
            ));
        }
    }
}
