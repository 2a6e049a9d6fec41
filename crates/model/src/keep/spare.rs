//! New names that say: what has the old name soon is another one. Programs that save put the old file aside
//! before the new one is there, logs are rotated, folders are kept as they were before an update. How long
//! the name is away then is anybody's guess, so a link is not led after such an object without asking.

use crate::path::AbsPath;

/// Whether what stood at `old` stands at `new` as a spare one: at the first step in which the two places differ, in
/// the same folder, it has the name that backups and old logs have. What lies below has kept its names.
///
/// Not guaranteed: such names are conventions, and one that is not known here is an ordinary one.
pub fn is_spare(old: &AbsPath, new: &AbsPath) -> bool {
    let differ = old.names().zip(new.names()).position(|(old, new)| old != new);
    let Some(at) = differ else { return false };
    let mut below = (old.names().skip(at), new.names().skip(at));
    let first = below.0.next().zip(below.1.next());
    first.is_some_and(|(old, new)| is_spare_name(old, new)) && below.0.eq(below.1)
}

/// Whether `new` is a name that is given to what was called `old` when something else is to be called so.
fn is_spare_name(old: &[u8], new: &[u8]) -> bool {
    if old.is_empty() || new.is_empty() {
        return false;
    }
    if let Some(rest) = new.strip_prefix(old) {
        return is_spare_ending(rest);
    }
    // `app.log` to `app-20261128.log`, `notes.txt` to `notes.bak.txt` or `notes.bak`.
    if let Some(dot) = old.iter().rposition(|byte| *byte == b'.').filter(|dot| *dot > 0) {
        let (stem, ending) = old.split_at(dot);
        let counted = ending.iter().skip(1).all(u8::is_ascii_digit);
        if let Some(rest) = new.strip_prefix(stem).filter(|_| !counted) {
            let rest = rest.strip_suffix(ending).unwrap_or(rest);
            if is_spare_ending(rest) {
                return true;
            }
        }
    }
    // `#notes#`, `.notes.old`, `old-notes`
    let wrapped = new.strip_prefix(b"#").and_then(|new| new.strip_suffix(b"#"));
    let hidden = new.strip_prefix(b".").and_then(|new| new.strip_prefix(old));
    let marked = [&b"old"[..], b"bak", b"backup"].iter().any(|word| {
        let rest = new.get(..word.len()).filter(|start| start.eq_ignore_ascii_case(word));
        let rest = rest.and_then(|_| new.get(word.len()..));
        let joined = |rest: &[u8]| matches!(rest.first(), Some(b'.' | b'-' | b'_' | b' '));
        rest.is_some_and(|rest| joined(rest) && rest.get(1..) == Some(old))
    });
    wrapped == Some(old)
        || hidden.is_some_and(|rest| rest.is_empty() || is_spare_ending(rest))
        || marked
        || is_next(old, new)
}

/// What follows the old name: `~`, `.~1~`, `.1`, `.bak`, `-20261128`, ` (old)` and their like, also several.
fn is_spare_ending(rest: &[u8]) -> bool {
    let rest_start = rest.first().copied();
    let inside = rest.strip_prefix(b" (").and_then(|rest| rest.strip_suffix(b")"));
    let joined = match rest_start {
        Some(b'.' | b'-' | b'_' | b' ' | b'@' | b'~') => rest.get(1..).unwrap_or_default(),
        _ => return false,
    };
    let rest = inside.unwrap_or(joined).trim_ascii();
    // `2026-11-28`, `20261128T101500Z`, seconds since 1970: that many digits are a moment.
    let of_moment = |byte: &u8| byte.is_ascii_digit() || b"-_:.TZ".contains(byte);
    let digits = rest.iter().filter(|byte| byte.is_ascii_digit()).count();
    if digits >= 6 && rest.iter().all(of_moment) {
        return true;
    }
    let split = |byte: &u8| matches!(byte, b'.' | b'-' | b'_' | b' ' | b':' | b'~' | b'@');
    let mut parts = rest.split(split).filter(|part| !part.is_empty());
    let first = parts.next();
    // `chapter-2` and `photo (2)` are names like others; `a.log.2` is not.
    let counted = matches!(rest_start, Some(b'.' | b'~'));
    first.is_none_or(|part| is_spare_part(part, counted))
        && parts.all(|part| is_spare_part(part, true))
}

fn is_spare_part(part: &[u8], counted: bool) -> bool {
    const WORDS: [&[u8]; 19] = [
        b"bak",
        b"backup",
        b"bck",
        b"bkp",
        b"old",
        b"orig",
        b"original",
        b"save",
        b"saved",
        b"prev",
        b"previous",
        b"sav",
        b"rotated",
        b"gz",
        b"xz",
        b"zst",
        b"bz2",
        b"dpkg",
        b"rpmsave",
    ];
    let digits = part.iter().all(u8::is_ascii_digit);
    let number = digits && ((counted && part.len() <= 3) || part.len() >= 6);
    let word = part.iter().take_while(|byte| !byte.is_ascii_digit()).count();
    let (word, count) = part.split_at(word);
    let known = WORDS.iter().any(|known| known.eq_ignore_ascii_case(word));
    number || (known && count.iter().all(u8::is_ascii_digit))
}

/// `daily.0` to `daily.1`: folders of backups are rotated so, and the new one takes its time to be made.
fn is_next(old: &[u8], new: &[u8]) -> bool {
    let split = |name: &[u8]| {
        let digits = name.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let (stem, number) = name.split_at(name.len() - digits);
        let number: u64 = std::str::from_utf8(number).ok()?.parse().ok()?;
        Some((stem.to_vec(), number))
    };
    match (split(old), split(new)) {
        (Some((old, first)), Some((new, next))) => {
            old == new && old.ends_with(b".") && first.checked_add(1) == Some(next)
        }
        _ => false,
    }
}
