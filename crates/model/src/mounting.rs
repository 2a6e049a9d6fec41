//! How others write down that a folder is mounted a second time: a line of `/etc/fstab`, and a unit of
//! systemd. Nothing here mounts anything.

use crate::path::AbsPath;

/// A place as a field of `/etc/fstab`: what would end the field, or begin a comment, in octal.
///
/// fstab(5); the reader undoes every `\` with three octal digits (libmount's `unmangle`).
pub fn fstab_field(place: &AbsPath) -> Vec<u8> {
    let mut field = Vec::new();
    for byte in place.as_bytes() {
        match byte {
            0..=b' ' | b'\\' | b'#' | 0x7f => {
                field.extend_from_slice(format!("\\{byte:03o}").as_bytes());
            }
            byte => field.push(*byte),
        }
    }
    field
}

/// The line of `/etc/fstab` that shows the folder `from` at `at` as well.
///
/// `nofail`: a computer whose other disk is away starts all the same. The folder is empty then.
pub fn fstab_line(from: &AbsPath, at: &AbsPath) -> Vec<u8> {
    let from = fstab_field(from);
    let at = fstab_field(at);
    [&from[..], b" ", &at, b" none bind,nofail 0 0"].concat()
}

/// The name of the unit that mounts something at `at`, which systemd demands to be made of the place
/// (systemd.unit(5), "String escaping for inclusion in unit names"). `None` where it would be longer
/// than names may be.
pub fn unit_name(at: &AbsPath) -> Option<String> {
    let mut name = String::new();
    for (number, part) in at.names().enumerate() {
        if number > 0 {
            name.push('-');
        }
        for (place, byte) in part.iter().enumerate() {
            let first = number == 0 && place == 0;
            let plain = byte.is_ascii_alphanumeric()
                || matches!(byte, b':' | b'_')
                || *byte == b'.' && !first;
            if plain {
                name.push(char::from(*byte));
            } else {
                name.push_str(&format!("\\x{byte:02x}"));
            }
        }
    }
    if name.is_empty() {
        name.push('-');
    }
    name.push_str(".mount");
    (name.len() <= 255).then_some(name)
}

/// The text of the unit that shows the folder `from` at `at` as well, with `what` to describe it. `None` where a place cannot be
/// written in a unit: it holds a control character or is no UTF-8, ends in a backslash (the line would go on), or begins or
/// ends in a space.
pub fn unit(from: &AbsPath, at: &AbsPath, what: &str) -> Option<String> {
    let (from, at) = (unit_value(from)?, unit_value(at)?);
    Some(format!(
        "[Unit]\nDescription={what}\n\n[Mount]\nWhat={from}\n\
         Where={at}\nType=none\nOptions=bind\n\n[Install]\nWantedBy=local-fs.target\n"
    ))
}

/// `%` begins a specifier (systemd.unit(5)).
fn unit_value(place: &AbsPath) -> Option<String> {
    let text = std::str::from_utf8(place.as_bytes()).ok()?;
    let sound = !text.chars().any(char::is_control) && !text.ends_with('\\') && text.trim() == text;
    sound.then(|| text.replace('%', "%%"))
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;
    use crate::volume::unescape_octal;

    fn place(bytes: &[u8]) -> AbsPath {
        AbsPath::cleaned(bytes).expect("absolute")
    }

    #[test]
    fn a_field_is_read_back_as_it_was() {
        let rows: &[(&[u8], &[u8])] = &[
            (b"/a/b", b"/a/b"),
            (b"/my music", b"/my\\040music"),
            (b"/a\tb\nc\\d#e", b"/a\\011b\\012c\\134d\\043e"),
            (b"/\xff\x7f", b"/\xff\\177"),
            (b"/a\\040b", b"/a\\134040b"),
        ];
        for (bytes, wanted) in rows {
            let field = fstab_field(&place(bytes));
            assert_eq!(field.escape_ascii().to_string(), wanted.escape_ascii().to_string());
            assert_eq!(unescape_octal(&field), *bytes);
        }
        let line = fstab_line(&place(b"/mnt/my music"), &place(b"/home/u/Music"));
        assert_eq!(line, b"/mnt/my\\040music /home/u/Music none bind,nofail 0 0");
    }

    #[test]
    fn units_are_named_as_systemd_does() {
        let rows: &[(&[u8], &str)] = &[
            (b"/", "-.mount"),
            (b"/home/u/Music", "home-u-Music.mount"),
            (b"/.x/.y", "\\x2ex-.y.mount"),
            (b"/a-b c@\\\xff", "a\\x2db\\x20c\\x40\\x5c\\xff.mount"),
            (b"/a:b_c.d", "a:b_c.d.mount"),
        ];
        for (bytes, wanted) in rows {
            assert_eq!(unit_name(&place(bytes)).as_deref(), Some(*wanted));
        }
        let long = [&b"/"[..], &[b'n'; 255]].concat();
        assert_eq!(unit_name(&place(&long)), None);
    }

    #[test]
    fn units_hold_only_what_reads_back() {
        let unit_of = |bytes: &[u8]| {
            unit(&place(bytes), &place(b"/home/u/M"), "A folder that was moved, at its old place")
        };
        let text = unit_of(b"/mnt/100% mine").expect("it can be written");
        assert!(text.contains("\nWhat=/mnt/100%% mine\nWhere=/home/u/M\n"), "{text}");
        for bad in [&b"/a\nb"[..], b"/a\\", b"/a ", b"/\xff", b"/a\x1b"] {
            assert_eq!(unit_of(bad), None, "{}", bad.escape_ascii());
        }
        assert!(unit_of(b"/a\\b").is_some() && unit_of(b"/a /b").is_some());
    }
}
