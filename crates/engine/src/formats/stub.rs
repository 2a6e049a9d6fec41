//! Reads the small files that stand where a link should be: Cygwin's and Interix's link files, and
//! the plain text files git leaves when links are switched off.
//!
//! Format facts: Cygwin's `path.h` and `path.cc` (`SYMLINK_COOKIE`, `INTERIX_SYMLINK_COOKIE`,
//! `symlink_info::check_sysfile`) and its user's guide on symbolic links; git's `core.symlinks`
//! (git-config(1)): with it off, "symbolic links are checked out as small plain files that contain
//! the link text", nothing added.

use super::utf8_of_utf16le;

/// How Cygwin's link file begins; to Cygwin it is a link only with the Windows attribute "system"
/// set, which the bytes do not tell, so the mark alone has to do here.
const CYGWIN_MARK: &[u8] = b"!<symlink>";

/// How the link file of Interix (Services for Unix) begins.
const INTERIX_MARK: &[u8] = b"IntxLNK\x01";

/// The longest target that Linux takes: `PATH_MAX` counts the closing NUL.
const LONGEST_TARGET: usize = 4095;

/// The target of a Cygwin or Interix link file as bytes (UTF-16 becomes UTF-8), or `None` when the
/// bytes are no such file, or hold a target that is empty, too long for a link, or no valid text.
pub fn read(bytes: &[u8]) -> Option<Vec<u8>> {
    let target = if let Some(rest) = bytes.strip_prefix(CYGWIN_MARK) {
        match rest.strip_prefix(b"\xff\xfe") {
            Some(wide) => utf8_of_utf16le(until_wide_nul(wide))?,
            None => until_nul(rest).to_vec(),
        }
    } else {
        utf8_of_utf16le(until_wide_nul(bytes.strip_prefix(INTERIX_MARK)?))?
    };
    (1..=LONGEST_TARGET).contains(&target.len()).then_some(target)
}

/// Whether a file that begins so is a Cygwin or Interix link file, to be read whole.
pub fn has_mark(head: &[u8]) -> bool {
    head.starts_with(CYGWIN_MARK) || head.starts_with(INTERIX_MARK)
}

/// Whether the whole content could be the target of a link that git checked out as a plain file.
///
/// Git writes the target and nothing else. A newline is allowed in a target but stands in none that
/// anyone makes on purpose, while nearly every text file ends with one; so a newline says no.
pub fn is_path_text(bytes: &[u8]) -> bool {
    (1..=LONGEST_TARGET).contains(&bytes.len())
        && !bytes.iter().any(|byte| matches!(byte, b'\0' | b'\n'))
}

/// What comes before the first NUL, or all of it when there is none.
fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// What comes before the first 16-bit NUL, or all of it.
fn until_wide_nul(bytes: &[u8]) -> &[u8] {
    let nul = bytes.as_chunks::<2>().0.iter().position(|pair| *pair == [0, 0]);
    nul.and_then(|place| bytes.get(..place.checked_mul(2)?)).unwrap_or(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::test_support::Random;
    use super::*;

    fn wide(mark: &[u8], text: &str) -> Vec<u8> {
        let mut bytes = mark.to_vec();
        bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        bytes
    }

    #[test]
    fn cygwin_in_both_encodings() {
        assert_eq!(read(b"!<symlink>../a \xff\0"), Some(b"../a \xff".to_vec()));
        assert_eq!(read(b"!<symlink>/x"), Some(b"/x".to_vec()));
        let file = wide(b"!<symlink>\xff\xfe", "/home/ä😀\0");
        assert_eq!(read(&file), Some("/home/ä😀".as_bytes().to_vec()));
    }

    #[test]
    fn interix() {
        assert_eq!(read(&wide(b"IntxLNK\x01", "../Ā")), Some("../Ā".as_bytes().to_vec()));
        assert_eq!(read(&wide(b"IntxLNK\x01", "a\0rest")), Some(b"a".to_vec()));
    }

    #[test]
    fn no_stub() {
        for bytes in [
            &b""[..],
            b"!<symlink>",
            b"!<symlink>\0",
            b"!<symlink>\xff\xfe",
            b"!<symlink>\xff\xfe\0\0",
            b"!<symlink>\xff\xfea",
            b"!<symlink>\xff\xfe\x3d\xd8\0\0",
            b"!<socket >x",
            b"IntxLNK\x01",
            b"IntxLNK\x01a",
            b"IntxLNK\x02a\0",
            b"IntxLNK\x01\x00\xdc",
        ] {
            assert_eq!(read(bytes), None, "{bytes:?}");
        }
        let mut long = b"!<symlink>".to_vec();
        long.resize(10 + LONGEST_TARGET, b'a');
        assert!(read(&long).is_some());
        long.push(b'a');
        assert_eq!(read(&long), None);
    }

    #[test]
    fn text_that_could_be_a_target() {
        assert!(is_path_text(b"../a b\xff"));
        assert!(is_path_text(b"x"));
        assert!(is_path_text(&[b'a'; LONGEST_TARGET]));
        assert!(!is_path_text(&[b'a'; LONGEST_TARGET + 1]));
        for bytes in [&b""[..], b"a\n", b"a\nb", b"a\0"] {
            assert!(!is_path_text(bytes));
        }
    }

    #[test]
    fn mutations_do_no_harm() {
        let mut random = Random::new(0x57b);
        let valid = [
            b"!<symlink>../a\0".to_vec(),
            wide(b"!<symlink>\xff\xfe", "/home/ä😀\0"),
            wide(b"IntxLNK\x01", "../Ā😀"),
        ];
        for _ in 0..7_000 {
            for file in &valid {
                let bytes = random.mutated(file);
                drop(read(&bytes));
                let _: bool = is_path_text(&bytes);
            }
        }
    }
}
