//! Reads Windows internet shortcuts (`.url`).
//!
//! Format facts: an INI file as `GetPrivateProfileString` of Windows reads it (names without regard
//! to case, the first of equal keys counts, one pair of quotes around a value is dropped, `;` begins
//! a comment), with the target in `[InternetShortcut]` under `URL`; written in the system's code
//! page, or in UTF-16LE with a byte order mark. `[InternetShortcut.W]` repeats the target in UTF-7
//! for names outside the code page; it is passed over, as `URL` holds the same, percent-encoded.

use super::address::{Origin, pointer_of};
use super::{FormatError, Pointer, SIZE_LIMIT, limited, utf8_of_utf16le};

/// How messages name the format.
const FORMAT: &str = "internet shortcut";

/// Reads where an internet shortcut points.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Pointer>, FormatError> {
    limited(FORMAT, bytes, SIZE_LIMIT)?;
    let malformed = |detail| FormatError::Malformed { format: FORMAT, detail };
    let decoded;
    let text = if let Some(wide) = bytes.strip_prefix(b"\xff\xfe") {
        decoded = utf8_of_utf16le(wide).ok_or(malformed("the text is no valid UTF-16"))?;
        decoded.as_slice()
    } else {
        bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
    };
    let mut seen_section = false;
    let mut in_section = false;
    for line in text.split(|byte| matches!(byte, b'\n' | b'\r')) {
        let line = line.trim_ascii();
        if line.starts_with(b";") {
            continue;
        }
        if let Some(header) = line.strip_prefix(b"[") {
            let name = header.split(|byte| *byte == b']').next().unwrap_or_default();
            in_section = name.eq_ignore_ascii_case(b"InternetShortcut");
            seen_section |= in_section;
            continue;
        }
        if !in_section {
            continue;
        }
        if let Some(value) = value_of_url(line) {
            return pointer_of(FORMAT, value, Origin::Windows).map(Some);
        }
    }
    Err(malformed(if seen_section {
        "the key URL is missing"
    } else {
        "the section [InternetShortcut] is missing"
    }))
}

/// The value of a line when its key is `URL`.
fn value_of_url(line: &[u8]) -> Option<&[u8]> {
    let equals = line.iter().position(|byte| *byte == b'=')?;
    let (key, value) = line.split_at_checked(equals)?;
    if !key.trim_ascii_end().eq_ignore_ascii_case(b"URL") {
        return None;
    }
    let value = value.strip_prefix(b"=")?.trim_ascii_start();
    Some(match value {
        [b'"', inner @ .., b'"'] | [b'\'', inner @ .., b'\''] => inner,
        _ => value,
    })
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::super::test_support::Random;
    use super::*;

    fn target(line: &str) -> Pointer {
        read(format!("[InternetShortcut]\r\n{line}\r\n").as_bytes()).unwrap().unwrap()
    }

    fn wide(text: &str) -> Vec<u8> {
        let mut bytes = b"\xff\xfe".to_vec();
        bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        bytes
    }

    #[test]
    fn web_and_local_targets() {
        assert_eq!(
            target("URL=https://example.org/?a=b"),
            Pointer::Web(b"https://example.org/?a=b".to_vec())
        );
        assert_eq!(target("URL=file:///home/x%20y"), Pointer::Path(b"/home/x y".to_vec()));
        assert_eq!(target("URL=file:///C:/Users/x"), Pointer::Foreign(b"C:\\Users\\x".to_vec()));
        assert_eq!(
            target("URL=file://server/share/x"),
            Pointer::Foreign(b"\\\\server\\share\\x".to_vec())
        );
        assert_eq!(target("URL=C:\\x"), Pointer::Foreign(b"C:\\x".to_vec()));
    }

    #[test]
    fn names_without_regard_to_case_quotes_comments_and_other_sections() {
        let file = b"\xef\xbb\xbf[{000214A0-0000-0000-C000-000000000046}]\nProp3=19,2\nURL=no:x\n\
                     [InternetShortcut.W]\nURL=no:y\n[INTERNETSHORTCUT]\n;URL=no:z\nBaseURL=no:w\n\
                     url = \"https://a/\"\nURL=https://b/\n";
        assert_eq!(read(file).unwrap(), Some(Pointer::Web(b"https://a/".to_vec())));
    }

    #[test]
    fn utf16() {
        let file = wide("[InternetShortcut]\r\nURL=file:///home/ä😀\r\n");
        assert_eq!(read(&file).unwrap(), Some(Pointer::Path("/home/ä😀".as_bytes().to_vec())));
        let mut cut = file;
        cut.pop();
        assert!(matches!(read(&cut), Err(FormatError::Malformed { .. })));
    }

    #[test]
    fn what_is_missing_is_malformed() {
        for file in
            [&b"URL=https://x\n"[..], b"[InternetShortcut]\n", b"[InternetShortcut]\nURL=\n"]
        {
            assert!(matches!(read(file), Err(FormatError::Malformed { .. })));
        }
    }

    #[test]
    fn mutations_do_no_harm() {
        let mut random = Random::new(0x0071);
        let narrow = b"[InternetShortcut]\r\nURL='file:///C:/a%20b'\r\nIconIndex=0\r\n".to_vec();
        let wide = wide("[InternetShortcut]\r\nURL=file://localhost/ä😀\r\n");
        for _ in 0..10_000 {
            drop(read(&random.mutated(&narrow)));
            drop(read(&random.mutated(&wide)));
        }
    }
}
