//! `user-dirs.dirs`: where desktops look for a person's Music, Documents and the like.
//!
//! The format is the one of xdg-user-dirs: a piece of shell with one `XDG_…_DIR="…"` a line, whose
//! value begins with `$HOME/` or `/`. Readers take it line by line, and the last line of a name counts.

/// The folders that people know by name, and the name of each in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Known {
    /// `XDG_DESKTOP_DIR`.
    Desktop,
    /// `XDG_DOCUMENTS_DIR`.
    Documents,
    /// `XDG_DOWNLOAD_DIR`.
    Downloads,
    /// `XDG_MUSIC_DIR`.
    Music,
    /// `XDG_PICTURES_DIR`.
    Pictures,
    /// `XDG_PUBLICSHARE_DIR`.
    Public,
    /// `XDG_TEMPLATES_DIR`.
    Templates,
    /// `XDG_VIDEOS_DIR`.
    Videos,
}

impl Known {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Desktop,
        Self::Documents,
        Self::Downloads,
        Self::Music,
        Self::Pictures,
        Self::Public,
        Self::Templates,
        Self::Videos,
    ];

    /// Its name in the file.
    pub fn key(self) -> &'static str {
        match self {
            Self::Desktop => "XDG_DESKTOP_DIR",
            Self::Documents => "XDG_DOCUMENTS_DIR",
            Self::Downloads => "XDG_DOWNLOAD_DIR",
            Self::Music => "XDG_MUSIC_DIR",
            Self::Pictures => "XDG_PICTURES_DIR",
            Self::Public => "XDG_PUBLICSHARE_DIR",
            Self::Templates => "XDG_TEMPLATES_DIR",
            Self::Videos => "XDG_VIDEOS_DIR",
        }
    }

    /// What people call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Desktop => "Desktop",
            Self::Documents => "Documents",
            Self::Downloads => "Downloads",
            Self::Music => "Music",
            Self::Pictures => "Pictures",
            Self::Public => "Public",
            Self::Templates => "Templates",
            Self::Videos => "Videos",
        }
    }
}

/// Where the file says that a folder is: an absolute path. `home` stands for `$HOME`. `None` where it
/// says nothing that readers would take.
pub fn folder(text: &[u8], known: Known, home: &[u8]) -> Option<Vec<u8>> {
    let value = lines(text).filter_map(|(_, line)| value(line, known)).last()?;
    match value.strip_prefix(b"$HOME") {
        Some(b"") => Some(home.to_vec()),
        Some(rest) if rest.starts_with(b"/") => {
            let mut path = home.strip_suffix(b"/").unwrap_or(home).to_vec();
            path.extend_from_slice(&unescaped(rest));
            Some(path)
        }
        _ if value.starts_with(b"/") => Some(unescaped(value)),
        _ => None,
    }
}

/// The file with one folder at another place, and every other byte as it was. A line that is missing is
/// added. `None` where the place cannot be written: it holds a line break, or is not absolute.
pub fn with(text: &[u8], known: Known, home: &[u8], place: &[u8]) -> Option<Vec<u8>> {
    if place.contains(&b'\n') || place.contains(&0) || !place.starts_with(b"/") {
        return None;
    }
    let below = (home != b"/")
        .then(|| place.strip_prefix(home.strip_suffix(b"/").unwrap_or(home)))
        .flatten()
        .filter(|below| below.starts_with(b"/"));
    let mut line = format!("{}=\"", known.key()).into_bytes();
    if below.is_some() {
        line.extend_from_slice(b"$HOME");
    }
    for byte in below.unwrap_or(place) {
        if matches!(byte, b'"' | b'\\' | b'$' | b'`') {
            line.push(b'\\');
        }
        line.push(*byte);
    }
    line.push(b'"');
    let last = lines(text).filter(|(_, line)| value(line, known).is_some()).last();
    let mut all = Vec::with_capacity(text.len() + line.len() + 1);
    match last {
        Some((at, old)) => {
            all.extend_from_slice(text.get(..at)?);
            all.extend_from_slice(&line);
            all.extend_from_slice(text.get(at + old.len()..)?);
        }
        None => {
            all.extend_from_slice(text);
            if !matches!(text.last(), None | Some(b'\n')) {
                all.push(b'\n');
            }
            all.extend_from_slice(&line);
            all.push(b'\n');
        }
    }
    Some(all)
}

/// The lines with where each begins, without their ends.
fn lines(text: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    text.split(|byte| *byte == b'\n').map(move |line| {
        let begin = at;
        at += line.len() + 1;
        (begin, line)
    })
}

/// What stands between the quotes of a line that sets this name, escapes and all. The rules are those of
/// readers (GLib's `load_user_special_dirs`): blanks around the name and the `=`, double quotes, and
/// whatever follows.
fn value(line: &[u8], known: Known) -> Option<&[u8]> {
    let rest = line.trim_ascii_start().strip_prefix(known.key().as_bytes())?;
    let rest = rest.trim_ascii_start().strip_prefix(b"=")?;
    let rest = rest.trim_ascii_start().strip_prefix(b"\"")?;
    let mut escaped = false;
    let end = rest.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    })?;
    rest.get(..end)
}

fn unescaped(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut bytes = value.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => out.extend(bytes.next()),
            byte => out.push(*byte),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const USUAL: &[u8] = b"# This file is written by xdg-user-dirs-update\n# XDG_MUSIC_DIR=\"/no\"\n\
        XDG_DESKTOP_DIR=\"$HOME/Desktop\"\nXDG_MUSIC_DIR=\"$HOME/My \\\"Music\\\"\"\n  XDG_VIDEOS_DIR = \"/mnt/v\"  # mine\n";

    fn of(text: &[u8], known: Known) -> Option<String> {
        folder(text, known, b"/home/u").map(|path| String::from_utf8_lossy(&path).into_owned())
    }

    #[test]
    fn folders_are_read_as_desktops_read_them() {
        assert_eq!(of(USUAL, Known::Desktop).as_deref(), Some("/home/u/Desktop"));
        assert_eq!(of(USUAL, Known::Music).as_deref(), Some("/home/u/My \"Music\""));
        assert_eq!(of(USUAL, Known::Videos).as_deref(), Some("/mnt/v"));
        assert_eq!(of(USUAL, Known::Documents), None);
        // The last line counts.
        let twice = b"XDG_MUSIC_DIR=\"/a\"\nXDG_MUSIC_DIR=\"/b\"";
        assert_eq!(of(twice, Known::Music).as_deref(), Some("/b"));
        assert_eq!(of(b"XDG_MUSIC_DIR=\"$HOME/\"", Known::Music).as_deref(), Some("/home/u/"));
        assert_eq!(of(b"XDG_MUSIC_DIR=\"$HOME\"", Known::Music).as_deref(), Some("/home/u"));
    }

    #[test]
    fn hostile_files_say_nothing() {
        for bad in [
            &b""[..],
            b"\0\xff\n\n==\"\"",
            b"XDG_MUSIC_DIR",
            b"XDG_MUSIC_DIR=",
            b"XDG_MUSIC_DIR=/unquoted",
            b"XDG_MUSIC_DIR=\"/never ends",
            b"XDG_MUSIC_DIR=\"/ends \\\"",
            b"XDG_MUSIC_DIR=\"relative\"",
            b"XDG_MUSIC_DIR=\"$HOMES/x\"",
            b"XDG_MUSIC_DIR=\"$(reboot)\"",
            b"XDG_MUSIC_DIRS=\"/x\"",
            b"export XDG_MUSIC_DIR=\"/x\"",
        ] {
            assert_eq!(of(bad, Known::Music), None, "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn only_one_line_changes() {
        let changed = with(USUAL, Known::Music, b"/home/u", b"/mnt/d/M$1`x`").unwrap_or_default();
        let old = String::from_utf8_lossy(USUAL).into_owned();
        let new = String::from_utf8_lossy(&changed).into_owned();
        let differ: Vec<_> = old.lines().zip(new.lines()).filter(|(one, two)| one != two).collect();
        let (before, after) =
            ("XDG_MUSIC_DIR=\"$HOME/My \\\"Music\\\"\"", "XDG_MUSIC_DIR=\"/mnt/d/M\\$1\\`x\\`\"");
        assert_eq!(differ, [(before, after)]);
        assert_eq!(old.lines().count(), new.lines().count());
        for place in ["/home/u/a b/\"c\"\\d", "/mnt/$HOME", "/home/user", "/home/u2/x"] {
            let text = with(USUAL, Known::Music, b"/home/u", place.as_bytes()).unwrap_or_default();
            assert_eq!(of(&text, Known::Music).as_deref(), Some(place));
        }
        let below = with(b"", Known::Music, b"/home/u", b"/home/u/x");
        assert_eq!(below.as_deref(), Some(&b"XDG_MUSIC_DIR=\"$HOME/x\"\n"[..]));
        let added = with(b"# c", Known::Videos, b"/home/u", b"/v");
        assert_eq!(added.as_deref(), Some(&b"# c\nXDG_VIDEOS_DIR=\"/v\"\n"[..]));
        assert_eq!(with(USUAL, Known::Music, b"/home/u", b"/a\nb"), None);
        assert_eq!(with(USUAL, Known::Music, b"/home/u", b"a"), None);
    }
}
