//! Reads Windows shell links (`.lnk`).
//!
//! Format facts: Microsoft's \[MS-SHLLINK\]: ShellLinkHeader (2.1), LinkTargetIDList (2.2), LinkInfo
//! (2.3), StringData (2.4).
//!
//! LinkInfo and StringData are read by the crate `lnk`, part by part: its own entry,
//! `ShellLink::open`, takes a path only, and gives up on a whole file over an unknown flag or
//! extra block that says nothing about the target. Each part is given a slice of its own, because
//! the crate adds untrusted offsets to the position in the file without a check.

use std::io::Cursor;
use std::panic::catch_unwind;

use binrw::BinReaderExt;
use lnk::encoding::WINDOWS_1252;
use lnk::{LinkFlags, LinkInfo, StringData};

use super::address::is_foreign;
use super::{FormatError, Pointer, SIZE_LIMIT, limited};

/// What is said of a link without any path.
const WITHOUT_PATH: FormatError = FormatError::Unsupported(
    "the shell link names its target by Windows' item list alone, without a path",
);

/// How messages name the format.
const FORMAT: &str = "shell link";

/// HeaderSize and LinkCLSID, the same in every shell link.
const HEADER_START: &[u8; 20] = b"\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";

/// What the header is long.
const HEADER_LENGTH: usize = 0x4c;

/// Reads where a shell link points: the path relative to the file if it holds one, as that alone
/// means something on this system, and else the path on the Windows machine.
///
/// Never `Ok(None)`, as every shell link is a link; one to what has no path (the control panel), or
/// whose path is in the shell's item list alone, is unsupported: the items' form is not documented.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Pointer>, FormatError> {
    limited(FORMAT, bytes, SIZE_LIMIT)?;
    // The crate's sources hold `expect`, `unwrap` and unchecked sums. The slices and checks below
    // keep hostile input away from all that were found, but a later version may have others.
    catch_unwind(|| read_unguarded(bytes))
        .unwrap_or(Err(malformed("the library that reads it stopped in the middle")))
}

/// The same without the guard, so that the tests see a panic in place of an error.
fn read_unguarded(bytes: &[u8]) -> Result<Option<Pointer>, FormatError> {
    let rest =
        bytes.strip_prefix(HEADER_START).ok_or(malformed("it does not begin like a shell link"))?;
    let (flags, _) = rest.split_first_chunk::<4>().ok_or(malformed("the header is cut short"))?;
    let flags = LinkFlags::from_bits_truncate(u32::from_le_bytes(*flags));
    let mut rest = bytes.get(HEADER_LENGTH..).ok_or(malformed("the header is cut short"))?;

    if flags.contains(LinkFlags::HAS_LINK_TARGET_ID_LIST) {
        let (size, list) =
            rest.split_first_chunk::<2>().ok_or(malformed("the item list is cut short"))?;
        rest = list
            .get(usize::from(u16::from_le_bytes(*size))..)
            .ok_or(malformed("the item list is cut short"))?;
    }

    let mut link_info = None;
    if flags.contains(LinkFlags::HAS_LINK_INFO) {
        let short = malformed("the link information is cut short");
        let size = rest.first_chunk::<4>().ok_or(short.clone())?;
        let size = usize::try_from(u32::from_le_bytes(*size)).map_err(|_| short.clone())?;
        let (part, after) = rest.split_at_checked(size).ok_or(short.clone())?;
        if part.len() < 4 {
            return Err(short);
        }
        link_info = Some(part);
        rest = after;
    }

    if let Some(pointer) = relative_pointer(rest, flags)? {
        return Ok(Some(pointer));
    }
    match link_info {
        // The flag says that what LinkInfo holds is to be passed over.
        Some(part) if !flags.contains(LinkFlags::FORCE_NO_LINK_INFO) => machine_path(part),
        _ => Err(WITHOUT_PATH),
    }
}

/// An error of this format.
fn malformed(detail: &'static str) -> FormatError {
    FormatError::Malformed { format: FORMAT, detail }
}

/// The pointer that StringData's RELATIVE_PATH makes.
fn relative_pointer(part: &[u8], flags: LinkFlags) -> Result<Option<Pointer>, FormatError> {
    if !flags.contains(LinkFlags::HAS_RELATIVE_PATH) {
        return Ok(None);
    }
    if !lengths_fit(part, flags) {
        return Err(malformed("the strings are cut short"));
    }
    // The code page of a file without Unicode strings is that of the machine it was made on, which
    // the file does not tell; Western European is the likeliest, and ASCII is the same in all.
    let strings: StringData = Cursor::new(part)
        .read_le_args((flags, WINDOWS_1252))
        .map_err(|_| malformed("the strings are not readable"))?;
    let Some(path) = strings.relative_path().as_deref().filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    let path = path.as_bytes();
    if path.contains(&0) {
        return Err(malformed("the relative path holds a NUL"));
    }
    if is_foreign(path) {
        return Ok(Some(Pointer::Foreign(path.to_vec())));
    }
    let path = path.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect();
    Ok(Some(Pointer::Path(path)))
}

/// Whether the strings up to the relative path are as long as they say, and short enough for the
/// crate: it doubles a 16-bit count of characters in 16 bits, which from 32768 on stops a debug
/// build and reads the wrong bytes in a release build.
fn lengths_fit(part: &[u8], flags: LinkFlags) -> bool {
    let width = if flags.contains(LinkFlags::IS_UNICODE) { 2 } else { 1 };
    let mut rest = part;
    for flag in [
        LinkFlags::HAS_NAME,
        LinkFlags::HAS_RELATIVE_PATH,
        LinkFlags::HAS_WORKING_DIR,
        LinkFlags::HAS_ARGUMENTS,
        LinkFlags::HAS_ICON_LOCATION,
    ] {
        if !flags.contains(flag) {
            continue;
        }
        let Some((count, text)) = rest.split_first_chunk::<2>() else {
            return false;
        };
        let length = usize::from(u16::from_le_bytes(*count)).saturating_mul(width);
        if length > usize::from(u16::MAX) {
            return false;
        }
        let Some(after) = text.get(length..) else {
            return false;
        };
        rest = after;
    }
    true
}

/// The path on the Windows machine that LinkInfo holds.
fn machine_path(part: &[u8]) -> Result<Option<Pointer>, FormatError> {
    let info: LinkInfo = Cursor::new(part)
        .read_le_args((WINDOWS_1252,))
        .map_err(|_| malformed("the link information is not readable"))?;
    // `ShellLink::link_target` joins the same parts, but panics when one is missing.
    let network;
    let mut base = info
        .local_base_path_unicode()
        .as_deref()
        .filter(|path| !path.is_empty())
        .or(info.local_base_path())
        .unwrap_or_default();
    if base.is_empty()
        && let Some(link) = info.common_network_relative_link().as_ref()
        && network_name_is_safe(part, *info.common_network_relative_link_offset())
    {
        network = link.name();
        base = &network;
    }
    let suffix = info
        .common_path_suffix_unicode()
        .as_deref()
        .filter(|suffix| !suffix.is_empty())
        .unwrap_or(info.common_path_suffix());
    let mut path = base.as_bytes().to_vec();
    if path.is_empty() {
        return Err(WITHOUT_PATH);
    }
    if !suffix.is_empty() {
        if !path.ends_with(b"\\") {
            path.push(b'\\');
        }
        path.extend(suffix.bytes());
    }
    Ok(Some(Pointer::Foreign(path)))
}

/// Whether the network part has the flag for a device (a mapped drive) or for a network type: the
/// crate's `name`, the only way to that part's text, panics without either.
fn network_name_is_safe(part: &[u8], offset: u32) -> bool {
    let flags = usize::try_from(offset)
        .ok()
        .and_then(|offset| part.get(offset..))
        .and_then(|network| network.get(4..))
        .and_then(<[u8]>::first_chunk::<4>);
    flags.is_some_and(|flags| u32::from_le_bytes(*flags) & 0b11 != 0)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test fails")]
mod tests {
    use super::super::test_support::Random;
    use super::*;

    fn header(flags: LinkFlags) -> Vec<u8> {
        let mut bytes = HEADER_START.to_vec();
        bytes.extend(flags.bits().to_le_bytes());
        bytes.resize(HEADER_LENGTH, 0);
        bytes
    }

    fn wide(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn string(text: &str) -> Vec<u8> {
        let mut bytes = u16::try_from(text.encode_utf16().count()).unwrap().to_le_bytes().to_vec();
        bytes.extend(wide(text));
        bytes
    }

    fn id_list() -> Vec<u8> {
        b"\x09\0\x07\0\x1f\x50\xe0\x4f\xd0\0\0".to_vec()
    }

    fn numbers(values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn with_size(mut part: Vec<u8>) -> Vec<u8> {
        let size = u32::try_from(part.len()).unwrap();
        part[..4].copy_from_slice(&size.to_le_bytes());
        part
    }

    /// LinkInfo with a volume, a local base path and an empty suffix, with or without Unicode.
    fn local_info(narrow: &[u8], unicode: Option<&str>) -> Vec<u8> {
        let header_size = if unicode.is_some() { 0x24 } else { 0x1c };
        let volume_at = header_size;
        let base_at = volume_at + 0x11;
        let suffix_at = base_at + u32::try_from(narrow.len()).unwrap() + 1;
        let unicode_at = suffix_at + 1;
        let mut part = numbers(&[0, header_size, 1, volume_at, base_at, 0, suffix_at]);
        if let Some(text) = unicode {
            let end = unicode_at + u32::try_from(wide(text).len()).unwrap() + 2;
            part.extend(numbers(&[unicode_at, end]));
        }
        part.extend(numbers(&[0x11, 3, 0x1234, 0x10]));
        part.push(0);
        part.extend(narrow);
        part.extend([0, 0]);
        if let Some(text) = unicode {
            part.extend(wide(text));
            part.extend([0; 4]);
        }
        with_size(part)
    }

    /// LinkInfo with a server share and a suffix.
    fn network_info() -> Vec<u8> {
        let mut part = numbers(&[0, 0x1c, 2, 0, 0, 0x1c, 0x1c + 0x14 + 15]);
        part.extend(numbers(&[0x14 + 15, 2, 0x14, 0, 0x0002_0000]));
        part.extend(b"\\\\server\\share\0docs\\a.txt\0");
        with_size(part)
    }

    fn unicode_link() -> Vec<u8> {
        let mut file = header(
            LinkFlags::HAS_LINK_TARGET_ID_LIST
                | LinkFlags::HAS_LINK_INFO
                | LinkFlags::HAS_NAME
                | LinkFlags::HAS_RELATIVE_PATH
                | LinkFlags::HAS_WORKING_DIR
                | LinkFlags::IS_UNICODE,
        );
        file.extend(id_list());
        file.extend(local_info(b"C:\\docs\\a.txt", Some("C:\\docs\\ä.txt")));
        file.extend(string("Shortcut"));
        file.extend(string("..\\docs\\ä😀.txt"));
        file.extend(string("C:\\docs"));
        file.extend([0; 4]);
        file
    }

    fn local_link(unicode: Option<&str>) -> Vec<u8> {
        let mut file = header(LinkFlags::HAS_LINK_INFO | LinkFlags::IS_UNICODE);
        file.extend(local_info(b"C:\\docs\\a.txt", unicode));
        file.extend([0; 4]);
        file
    }

    fn network_link() -> Vec<u8> {
        let mut file = header(LinkFlags::HAS_LINK_INFO);
        file.extend(network_info());
        file
    }

    #[test]
    fn a_relative_path_comes_first() {
        assert_eq!(
            read(&unicode_link()).unwrap(),
            Some(Pointer::Path("../docs/ä😀.txt".as_bytes().to_vec()))
        );
    }

    #[test]
    fn strings_in_a_code_page() {
        let mut file = header(LinkFlags::HAS_RELATIVE_PATH);
        file.extend(b"\x05\0.\\\xe4.x");
        assert_eq!(read(&file).unwrap(), Some(Pointer::Path("./ä.x".as_bytes().to_vec())));
    }

    #[test]
    fn a_relative_path_that_is_none_is_foreign() {
        for text in ["D:\\x", "\\\\server\\share\\x"] {
            let mut file = header(LinkFlags::HAS_RELATIVE_PATH | LinkFlags::IS_UNICODE);
            file.extend(string(text));
            assert_eq!(read(&file).unwrap(), Some(Pointer::Foreign(text.as_bytes().to_vec())));
        }
    }

    #[test]
    fn the_local_base_path_comes_second_unicode_first() {
        assert_eq!(
            read(&local_link(None)).unwrap(),
            Some(Pointer::Foreign(b"C:\\docs\\a.txt".to_vec()))
        );
        assert_eq!(
            read(&local_link(Some("C:\\docs\\Ω.txt"))).unwrap(),
            Some(Pointer::Foreign("C:\\docs\\Ω.txt".as_bytes().to_vec()))
        );
    }

    #[test]
    fn a_share_with_a_suffix() {
        assert_eq!(
            read(&network_link()).unwrap(),
            Some(Pointer::Foreign(b"\\\\server\\share\\docs\\a.txt".to_vec()))
        );
    }

    #[test]
    fn a_link_to_an_item_without_a_path_is_unsupported() {
        let mut file = header(LinkFlags::HAS_LINK_TARGET_ID_LIST);
        file.extend(id_list());
        assert_eq!(read(&file), Err(WITHOUT_PATH));
    }

    #[test]
    fn unknown_flags_do_not_matter() {
        let mut file = unicode_link();
        file[0x17] |= 0x80;
        assert!(matches!(read(&file), Ok(Some(Pointer::Path(_)))));
    }

    #[test]
    fn a_string_too_long_for_the_library_is_malformed() {
        let mut file = header(LinkFlags::HAS_RELATIVE_PATH | LinkFlags::IS_UNICODE);
        file.extend([0x00, 0x80]);
        file.extend([b'a'; 70_000]);
        assert!(matches!(read_unguarded(&file), Err(FormatError::Malformed { .. })));
    }

    #[test]
    fn every_truncation_before_the_end_of_the_strings_is_malformed() {
        let file = unicode_link();
        for length in 0..file.len() - 4 {
            assert!(matches!(read_unguarded(&file[..length]), Err(FormatError::Malformed { .. })));
        }
    }

    #[test]
    fn mutations_do_no_harm() {
        let mut random = Random::new(0x11c);
        let valid =
            [unicode_link(), local_link(None), local_link(Some("C:\\docs\\Ω.txt")), network_link()];
        for _ in 0..5_000 {
            for file in &valid {
                drop(read_unguarded(&random.mutated(file)));
            }
        }
    }
}
