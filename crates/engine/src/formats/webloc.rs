//! Reads macOS web locations (`.webloc`): a property list, XML or binary, whose outermost
//! dictionary holds the target under `URL`.
//!
//! Format facts: Finder's own files; Apple's property list DTD and `CFBinaryPList.c` by way of the
//! crate `plist`.
//!
//! The crate's ready-made value tree is not used: a binary list may name one array twice in another
//! (thirty such levels are a billion values), and a tree nested tens of thousands deep overflows
//! the stack when dropped. Its stream of events has neither fault, as long as events and depth are
//! counted.

use std::io::Cursor;

use plist::stream::{BinaryReader, Event, XmlReader};

use super::address::{Origin, pointer_of};
use super::{FormatError, Pointer, limited};

/// How messages name the format.
const FORMAT: &str = "web location";

/// A web location has some two hundred bytes; the binary reader's work grows with the number of
/// events times this.
const WEBLOC_SIZE_LIMIT: usize = 64 * 1024;

/// A web location has four events.
const EVENT_LIMIT: usize = 512;

/// A web location nests nothing. The binary reader keeps a list of members for every open array,
/// and arrays may claim the same bytes for their members, so that depth multiplies a file's size.
const DEPTH_LIMIT: usize = 8;

/// Reads where a web location points; `Ok(None)` for a property list without `URL`.
pub(super) fn read(bytes: &[u8]) -> Result<Option<Pointer>, FormatError> {
    limited(FORMAT, bytes, WEBLOC_SIZE_LIMIT)?;
    let address = if bytes.starts_with(b"bplist") {
        address_in(BinaryReader::new(Cursor::new(bytes)))
    } else {
        address_in(XmlReader::new(Cursor::new(bytes)))
    };
    match address? {
        Some(address) => pointer_of(FORMAT, address.as_bytes(), Origin::Unix).map(Some),
        None => Ok(None),
    }
}

/// What an event of the outermost dictionary is: keys and values alternate.
enum Expected {
    /// A key.
    Key,
    /// The value of `URL`.
    Address,
    /// The value of another key.
    Other,
}

/// The text under `URL` in the outermost dictionary.
fn address_in<Failure>(
    events: impl Iterator<Item = Result<Event<'static>, Failure>>,
) -> Result<Option<String>, FormatError> {
    let malformed = |detail| FormatError::Malformed { format: FORMAT, detail };
    let mut address = None;
    let mut depth = 0_usize;
    let mut seen_dictionary = false;
    let mut expected = Expected::Key;
    for (count, event) in events.enumerate() {
        let event = event.map_err(|_| malformed("it is no valid property list"))?;
        if count >= EVENT_LIMIT {
            return Err(malformed("it holds far more than a web location does"));
        }
        if count == 0 && !matches!(event, Event::StartDictionary(_)) {
            return Err(malformed("the outermost value is no dictionary"));
        }
        seen_dictionary = true;
        if depth == 1 {
            expected = match (expected, &event) {
                (Expected::Key, Event::String(key)) if key == "URL" => Expected::Address,
                (Expected::Key, _) => Expected::Other,
                (Expected::Address, Event::String(text)) => {
                    address = Some(text.clone().into_owned());
                    Expected::Key
                }
                (Expected::Address, _) => return Err(malformed("the value of URL is no text")),
                (Expected::Other, _) => Expected::Key,
            };
        }
        match event {
            Event::StartArray(_) | Event::StartDictionary(_) if depth >= DEPTH_LIMIT => {
                return Err(malformed("it is nested far deeper than a web location is"));
            }
            Event::StartArray(_) | Event::StartDictionary(_) => depth = depth.saturating_add(1),
            Event::EndCollection => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    // The XML reader ends at the end of the file without an error, wherever that is.
    if depth != 0 || !seen_dictionary {
        return Err(malformed("it is cut short"));
    }
    Ok(address)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
mod tests {
    use super::super::test_support::{Random, bytes_of_hex};
    use super::*;

    const XML: &[u8] = br#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
	<key>Inner</key>
	<dict><key>URL</key><string>https://no/</string></dict>
	<key>URL</key>
	<string>https://example.org/?a=1&amp;b=2</string>
</dict>
</plist>
"#;

    /// Made by Python's plistlib: `{"Name": "x", "URL": "https://example.org/"}`.
    const BINARY_WEB: &str = "
        62706c6973743030d201020304544e616d655355524c51785f101468747470733a2f2f6578616d706c652e6f
        72672f080d121618000000000000010100000000000000050000000000000000000000000000002f";

    /// Made by Python's plistlib: `{"URL": "file:///Users/a%20b"}`.
    const BINARY_FILE: &str = "
        62706c6973743030d101025355524c5f101366696c653a2f2f2f55736572732f6125323062080b0f00000000
        00000101000000000000000300000000000000000000000000000025";

    #[test]
    fn xml() {
        assert_eq!(
            read(XML).unwrap(),
            Some(Pointer::Web(b"https://example.org/?a=1&b=2".to_vec()))
        );
    }

    #[test]
    fn binary() {
        assert_eq!(
            read(&bytes_of_hex(BINARY_WEB)).unwrap(),
            Some(Pointer::Web(b"https://example.org/".to_vec()))
        );
        assert_eq!(
            read(&bytes_of_hex(BINARY_FILE)).unwrap(),
            Some(Pointer::Path(b"/Users/a b".to_vec()))
        );
    }

    #[test]
    fn a_list_without_url_is_no_link() {
        let file = b"<plist version=\"1.0\"><dict><key>a</key><string>URL</string></dict></plist>";
        assert_eq!(read(file).unwrap(), None);
    }

    #[test]
    fn malformed_lists() {
        for file in [
            &b"no list"[..],
            b"bplist00",
            b"<plist><string>URL</string></plist>",
            b"<plist><array><string>URL</string><string>x</string></array></plist>",
            b"<plist><dict><key>URL</key><dict></dict></dict></plist>",
            b"<plist><dict><key>URL</key>",
        ] {
            assert!(matches!(read(file), Err(FormatError::Malformed { .. })), "{file:?}");
        }
    }

    fn refusal(file: &[u8]) -> String {
        read(file).unwrap_err().to_string()
    }

    /// A binary list of the objects, the first of which is the outermost.
    fn binary_list(objects: &[Vec<u8>]) -> Vec<u8> {
        let mut file = b"bplist00".to_vec();
        let mut offsets = Vec::new();
        for object in objects {
            offsets.extend(u16::try_from(file.len()).unwrap().to_be_bytes());
            file.extend(object);
        }
        let table = u64::try_from(file.len()).unwrap();
        file.extend(offsets);
        file.extend([0, 0, 0, 0, 0, 0, 2, 1]);
        for number in [u64::try_from(objects.len()).unwrap(), 0, table] {
            file.extend(number.to_be_bytes());
        }
        file
    }

    #[test]
    fn deep_nesting_is_refused() {
        let mut file = b"<plist><dict><key>a</key>".to_vec();
        for _ in 0..8_000 {
            file.extend(b"<array>");
        }
        assert!(refusal(&file).ends_with("it is nested far deeper than a web location is"));
    }

    #[test]
    fn arrays_that_share_their_members_are_refused() {
        // Two hundred arrays, each of which claims all that follows as its members.
        let mut objects = vec![b"\xd1\x01\x02".to_vec(), b"\x51a".to_vec()];
        for next in 3..203_u8 {
            objects.push(vec![0xaf, 0x11, 0xea, 0x60, next]);
        }
        objects.push([vec![0x51, b'b'], vec![1; 60_000]].concat());
        assert!(
            refusal(&binary_list(&objects))
                .ends_with("it is nested far deeper than a web location is")
        );
    }

    #[test]
    fn members_named_twice_do_not_multiply() {
        // Six arrays, each of which names the next one ten times: a million values.
        let mut objects = vec![b"\xd1\x01\x02".to_vec(), b"\x51a".to_vec()];
        for next in 3..9_u8 {
            objects.push([vec![0xaa], vec![next; 10]].concat());
        }
        objects.push(b"\x51b".to_vec());
        assert!(
            refusal(&binary_list(&objects)).ends_with("it holds far more than a web location does")
        );
    }

    #[test]
    fn mutations_do_no_harm() {
        let mut random = Random::new(0x9115);
        let binary = bytes_of_hex(BINARY_WEB);
        for _ in 0..5_000 {
            drop(read(&random.mutated(XML)));
            for _ in 0..3 {
                drop(read(&random.mutated(&binary)));
            }
        }
    }
}
