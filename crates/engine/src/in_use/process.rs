//! What the files of `/proc` say (proc_pid_stat(5), proc_pid_status(5), proc_pid_maps(5),
//! proc_swaps(5)).

/// What matters of `/proc/PID/stat`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    /// Who started it; 0 for none.
    pub(crate) parent: u32,
    /// It is a thread of the kernel's, or has ended: it holds nothing.
    pub(crate) empty: bool,
}

/// Reads `/proc/PID/stat`. The name in it may hold anything, so the last `)` counts.
pub(crate) fn stat(text: &[u8]) -> Option<Stat> {
    const PF_KTHREAD: u32 = 0x0020_0000;
    let end = text.iter().rposition(|byte| *byte == b')')?;
    let rest = std::str::from_utf8(text.get(end + 1..)?).ok()?;
    let mut fields = rest.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let flags: u32 = fields.nth(4)?.parse().ok()?;
    Some(Stat { parent, empty: matches!(state, "Z" | "X") || flags & PF_KTHREAD != 0 })
}

/// The user that a process acts as, from `/proc/PID/status`.
pub(crate) fn user(text: &[u8]) -> Option<u32> {
    let line = text.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(b"Uid:"))?;
    std::str::from_utf8(line).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// A file in the memory of a process: a line of `/proc/PID/maps`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mapping<'a> {
    /// Where, as `/proc/PID/map_files` calls it.
    pub(super) range: &'a [u8],
    /// Shared and writable.
    pub(super) changes: bool,
    /// The device, as the file system itself has it: btrfs tells another one by `stat`.
    pub(super) device: (u32, u32),
    /// The file's number.
    pub(super) inode: u64,
    /// Its path, with line ends still written as `\012`.
    pub(super) path: &'a [u8],
}

/// Reads a line of `/proc/PID/maps`; `None` when it is not of a file.
pub(super) fn mapping(line: &[u8]) -> Option<Mapping<'_>> {
    let mut rest = line;
    let mut field = || {
        let end = rest.iter().position(|byte| *byte == b' ').unwrap_or(rest.len());
        let (field, after) = rest.split_at_checked(end)?;
        rest = after.get(1..).unwrap_or_default();
        Some(field)
    };
    let (range, rights, _offset) = (field()?, field()?, field()?);
    let (device, inode) = (field()?, field()?);
    if inode == b"0" {
        return None;
    }
    let inode = std::str::from_utf8(inode).ok()?.parse().ok()?;
    let (major, minor) = std::str::from_utf8(device).ok()?.split_once(':')?;
    let number = |text| u32::from_str_radix(text, 16).ok();
    Some(Mapping {
        range,
        changes: rights.get(1) == Some(&b'w') && rights.get(3) == Some(&b's'),
        device: (number(major)?, number(minor)?),
        inode,
        path: rest.trim_ascii_start(),
    })
}

/// A path as the kernel writes it in a table: some bytes as `\` and three octal digits.
pub(super) fn unescaped(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    let mut rest = path;
    while let Some((first, after)) = rest.split_first() {
        let byte = match after.get(..3) {
            Some(digits) if *first == b'\\' => std::str::from_utf8(digits)
                .ok()
                .and_then(|digits| u8::from_str_radix(digits, 8).ok()),
            _ => None,
        };
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { after.get(3..).unwrap_or_default() } else { after };
    }
    out
}

/// The files among the places that the system swaps to.
pub(super) fn swaps(text: &[u8]) -> Vec<Vec<u8>> {
    let line = |line: &[u8]| {
        let mut fields =
            line.split(|byte| byte.is_ascii_whitespace()).filter(|one| !one.is_empty());
        let path = fields.next()?;
        (fields.next()? == b"file").then(|| unescaped(path))
    };
    text.split(|byte| *byte == b'\n').filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_may_look_like_the_rest_of_its_line() {
        let line = b"42 (x) Z 1 (y)) S 7 42 42 0 -1 4194560 1 2";
        assert_eq!(stat(line), Some(Stat { parent: 7, empty: false }));
        assert_eq!(
            stat(b"2 (kthreadd) S 0 0 0 0 -1 2129984 0"),
            Some(Stat { parent: 0, empty: true })
        );
        assert_eq!(stat(b"9 (gone) Z 1 9 9 0 -1 4227084 0"), Some(Stat { parent: 1, empty: true }));
        assert_eq!(stat(b"9 (cut"), None);
    }

    #[test]
    fn it_acts_as_the_second_user() {
        assert_eq!(user(b"Name:\tUid:\nUid:\t1000\t0\t0\t0\nGid:\t1 1 1 1\n"), Some(0));
        assert_eq!(user(b"Name:\tx\n"), None);
    }

    #[test]
    fn a_line_of_the_memory() {
        let line =
            b"7f00-7f10 rw-s 00001000 fe:1f 4711                       /a b/c\\012 (deleted)";
        let found = mapping(line).expect("a mapping");
        assert_eq!((found.range, found.changes, found.inode), (&b"7f00-7f10"[..], true, 4711));
        assert_eq!((found.device, found.path), ((0xfe, 0x1f), &b"/a b/c\\012 (deleted)"[..]));
        assert!(!mapping(b"7f00-7f10 rw-p 0 fe:00 1 /x").expect("one").changes);
        assert!(!mapping(b"7f00-7f10 r--s 0 fe:00 1 /x").expect("one").changes);
        assert_eq!(mapping(b"7f00-7f10 rw-s 00000000 00:00 0 "), None);
        assert_eq!(
            mapping(b"7f00-7f10 rw-p 00000000 00:00 0                          [heap]"),
            None
        );
        assert_eq!(mapping(b"7f00"), None);
    }

    #[test]
    fn escapes_of_the_kernel() {
        assert_eq!(unescaped(b"/a\\040b\\012\\134\\9\\0"), b"/a b\n\\\\9\\0");
        let text =
            b"Filename\tType\tSize\n/dev/dm-1  partition 1 0 -2\n/a\\040b    file\t\t5 0 -3\n";
        assert_eq!(swaps(text), [b"/a b".to_vec()]);
    }
}
