//! Readers of the file formats that stand in for a link where the file system holds none: desktop
//! entries, Windows shortcuts, web locations, the text stubs other systems leave behind, and the
//! list of links in a git index.
//!
//! This is the room for bytes only. Nothing in here opens a file, asks the system or follows what
//! it read; every reader takes a slice and gives a value, so that all of it can be tested with
//! hostile input. The input is untrusted: no reader panics on it, and none reserves memory by a
//! number the input names.

mod address;
pub mod desktop;
pub mod git_index;
mod lnk;
pub mod settings;
pub mod stub;
mod url;
pub mod user_dirs;
mod webloc;

/// Larger files of these formats do not occur (the usual one has under four kibibytes); the limit
/// keeps a wrongly named video from being parsed.
const SIZE_LIMIT: usize = 1024 * 1024;

/// Where a link-like file points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pointer {
    /// A local path, absolute or relative to the file's own folder, as bytes.
    Path(Vec<u8>),
    /// A URL with another scheme than `file:`.
    Web(Vec<u8>),
    /// A path of another system (such as `C:\x` or `\\server\share`) that this system cannot
    /// follow.
    Foreign(Vec<u8>),
}

/// Why a file could not be read as what its name says it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// The bytes break the rules of the format.
    #[error("malformed {format}: {detail}")]
    Malformed {
        /// The format the file was read as.
        format: &'static str,
        /// The rule that is broken.
        detail: &'static str,
    },
    /// The bytes may be correct, but say something this program does not handle.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The file is larger than a file of this format ever is.
    #[error("the {format} is larger than {limit} bytes and is not read")]
    TooLarge {
        /// The format the file was read as.
        format: &'static str,
        /// The largest number of bytes that is read.
        limit: usize,
    },
}

/// The link-like file formats that are recognised by a file's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A freedesktop desktop entry, `.desktop`.
    Desktop,
    /// A Windows internet shortcut, `.url`.
    Url,
    /// A Windows shell link, `.lnk`.
    Lnk,
    /// A macOS web location, `.webloc`.
    Webloc,
}

/// The format a file's name promises, by its extension and without regard to ASCII case.
///
/// A name that is only the extension (`.url`) is a hidden file without one and promises nothing.
/// A whole path may be given too: what counts is what follows its last slash.
pub fn by_name(name: &[u8]) -> Option<Format> {
    let name = name.rsplit(|byte| *byte == b'/').next()?;
    let dot = name.iter().rposition(|byte| *byte == b'.')?;
    if dot == 0 {
        return None;
    }
    let extension = name.get(dot.checked_add(1)?..)?;
    [
        (&b"desktop"[..], Format::Desktop),
        (&b"url"[..], Format::Url),
        (&b"lnk"[..], Format::Lnk),
        (&b"webloc"[..], Format::Webloc),
    ]
    .into_iter()
    .find(|(known, _)| extension.eq_ignore_ascii_case(known))
    .map(|(_, format)| format)
}

/// Reads where a file of the given format points; `Ok(None)` is a well-formed file that is no link,
/// such as a `.desktop` file of `Type=Application`.
///
/// # Errors
///
/// [`FormatError::Malformed`] when the bytes break the format's rules, [`FormatError::Unsupported`]
/// when the target cannot be told from the file alone, [`FormatError::TooLarge`] above the size
/// limit.
pub fn read(format: Format, bytes: &[u8]) -> Result<Option<Pointer>, FormatError> {
    match format {
        Format::Desktop => desktop::read(bytes),
        Format::Url => url::read(bytes),
        Format::Lnk => lnk::read(bytes),
        Format::Webloc => webloc::read(bytes),
    }
}

/// Refuses what is too large to be a file of the format.
fn limited(format: &'static str, bytes: &[u8], limit: usize) -> Result<(), FormatError> {
    if bytes.len() > limit {
        return Err(FormatError::TooLarge { format, limit });
    }
    Ok(())
}

/// UTF-8 bytes of UTF-16LE bytes; `None` for an odd length or an unpaired surrogate, neither of
/// which has a UTF-8 form.
fn utf8_of_utf16le(bytes: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let mut text = String::new();
    for character in char::decode_utf16(pairs.iter().map(|pair| u16::from_le_bytes(*pair))) {
        text.push(character.ok()?);
    }
    Some(text.into_bytes())
}

/// What the tests of several readers share.
#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "test code: indices are reduced to the length first")]
mod test_support {
    /// A xorshift generator with a fixed start, so that a failing run can be repeated.
    pub(super) struct Random(u64);

    impl Random {
        pub(super) fn new(seed: u64) -> Self {
            Self(seed | 1)
        }

        pub(super) fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }

        pub(super) fn byte(&mut self) -> u8 {
            self.next().to_le_bytes()[3]
        }

        pub(super) fn below(&mut self, bound: usize) -> usize {
            let bound = u64::try_from(bound.max(1)).unwrap_or(1);
            usize::try_from(self.next() % bound).unwrap_or(0)
        }

        /// One of the ways a valid file goes bad: cut short, bytes changed, a byte pushed to an
        /// extreme, a part doubled, or a part removed.
        pub(super) fn mutated(&mut self, valid: &[u8]) -> Vec<u8> {
            let mut bytes = valid.to_vec();
            for _ in 0..=self.below(3) {
                if bytes.is_empty() {
                    break;
                }
                let place = self.below(bytes.len());
                let end = place + self.below(bytes.len() - place);
                match self.below(6) {
                    0 => bytes.truncate(place),
                    1 => bytes[place] = self.byte(),
                    2 => bytes[place] ^= 1 << self.below(8),
                    3 => bytes[place] = [0x00, 0x01, 0x7f, 0x80, 0xff][self.below(5)],
                    4 => {
                        let part = bytes[place..end].to_vec();
                        bytes.splice(place..place, part);
                    }
                    _ => {
                        bytes.drain(place..end);
                    }
                }
            }
            bytes
        }
    }

    /// The bytes that lines of hexadecimal digits stand for.
    pub(super) fn bytes_of_hex(text: &str) -> Vec<u8> {
        let digit = |byte: u8| match byte {
            b'0'..=b'9' => byte - b'0',
            _ => byte - b'a' + 10,
        };
        let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).map(digit).collect();
        digits.as_chunks::<2>().0.iter().map(|[high, low]| high << 4 | low).collect()
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides_without_regard_to_case() {
        assert_eq!(by_name(b"Home.desktop"), Some(Format::Desktop));
        assert_eq!(by_name(b"site.URL"), Some(Format::Url));
        assert_eq!(by_name(b"a.b.Lnk"), Some(Format::Lnk));
        assert_eq!(by_name(b"x.webloc"), Some(Format::Webloc));
        assert_eq!(by_name(b"folder.d/\xff.url"), Some(Format::Url));
    }

    #[test]
    fn other_names_promise_nothing() {
        for name in
            [&b""[..], b"url", b".url", b"a/.lnk", b"x.url.bak", b"x.", b"a.url/", b"a.url/b"]
        {
            assert_eq!(by_name(name), None);
        }
    }

    #[test]
    fn every_format_refuses_too_much() {
        let large = vec![b' '; SIZE_LIMIT + 1];
        for format in [Format::Desktop, Format::Url, Format::Lnk, Format::Webloc] {
            assert!(matches!(read(format, &large), Err(FormatError::TooLarge { .. })));
        }
    }

    #[test]
    fn no_format_takes_an_empty_file() {
        for format in [Format::Desktop, Format::Url, Format::Lnk, Format::Webloc] {
            assert!(matches!(read(format, b""), Err(FormatError::Malformed { .. })));
        }
    }

    #[test]
    fn utf16_without_a_utf8_form_is_refused() {
        assert_eq!(utf8_of_utf16le(b"a\0\x3d\xd8\x00\xde").unwrap(), "a😀".as_bytes());
        assert_eq!(utf8_of_utf16le(b"a\0\x3d\xd8"), None);
        assert_eq!(utf8_of_utf16le(b"a\0b"), None);
        assert_eq!(utf8_of_utf16le(b"").unwrap(), b"");
    }

    #[test]
    fn no_reader_panics_on_noise() {
        let mut random = test_support::Random::new(0x5eed);
        for _ in 0..2_000 {
            let length = random.below(200);
            let noise: Vec<u8> = (0..length).map(|_| random.byte()).collect();
            for format in [Format::Desktop, Format::Url, Format::Lnk, Format::Webloc] {
                drop(read(format, &noise));
            }
            drop(stub::read(&noise));
            drop(git_index::link_entries(&noise, 20));
        }
    }
}
