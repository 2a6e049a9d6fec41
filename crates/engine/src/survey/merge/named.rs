//! The names that tell two things apart.

use crate::operator::{Held, Spot};
use crate::survey::{Surveyor, refused};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::Why;
use rustix::fd::AsFd as _;
use rustix::io::Errno;

/// The most bytes that a name has.
const LONGEST: usize = 255;

/// The most bytes of a name that say where it is from.
const WORD: usize = 60;

/// The most bytes of an ending, with its dot.
const ENDING: usize = 16;

/// What says where things are from: the name of the folder, or, where both have that, of the first folder
/// above that tells the two apart.
pub(super) fn word(from: &AbsPath, to: &AbsPath) -> Vec<u8> {
    let (mut here, mut there) = (from.clone(), to.clone());
    loop {
        match (here.split(), there.split()) {
            (Some((above, name)), Some((above_there, other))) if name == other => {
                (here, there) = (above, above_there);
            }
            (Some((_, name)), _) => return cut(name.as_bytes(), WORD).to_vec(),
            // It lies above all of the other: the name itself must do.
            (None, _) => {
                let name = from.split().map(|(_, name)| name.as_bytes().to_vec());
                return cut(&name.unwrap_or_default(), WORD).to_vec();
            }
        }
    }
}

/// The beginning of `bytes`, of at most so many bytes, that does not end within a character.
fn cut(bytes: &[u8], most: usize) -> &[u8] {
    let mut end = bytes.len().min(most);
    if end < bytes.len() {
        while end > 0 && bytes.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
            end -= 1;
        }
    }
    bytes.get(..end).unwrap_or_default()
}

/// A name before its ending, and the ending with its dot: `photo` and `.jpg`, `a` and `.tar.gz`.
fn parts(name: &[u8]) -> (&[u8], &[u8]) {
    let ending = |name: &[u8]| {
        let dot = memchr::memrchr(b'.', name)?;
        let ending = name.get(dot..)?;
        let letters = ending.iter().skip(1).all(u8::is_ascii_alphanumeric);
        (dot > 0 && (2..=ENDING).contains(&ending.len()) && letters).then_some(dot)
    };
    let Some(mut dot) = ending(name) else { return (name, b"") };
    let stem = name.get(..dot).unwrap_or_default();
    if stem.ends_with(b".tar") && stem.len() > 4 {
        dot = stem.len() - 4;
    }
    (name.get(..dot).unwrap_or_default(), name.get(dot..).unwrap_or_default())
}

/// `photo.jpg` from `Music`, the n-th: `photo (from Music).jpg`, `photo (from Music 2).jpg`.
fn told_apart(name: &[u8], word: &[u8], number: u32) -> Option<Name> {
    let (stem, ending) = parts(name);
    let mut middle = b" (from ".to_vec();
    middle.extend_from_slice(word);
    if number > 1 {
        middle.extend_from_slice(format!(" {number}").as_bytes());
    }
    middle.push(b')');
    let stem = cut(stem, LONGEST.saturating_sub(middle.len() + ending.len()));
    Name::new([stem, &middle, ending].concat())
}

/// A name like `name` that is free in `held` and none of `claimed`.
pub(super) fn beside(
    surveyor: &Surveyor,
    held: &Held,
    name: &Name,
    word: &[u8],
    claimed: &[Name],
) -> Result<Name, Why> {
    for number in 1..10_000 {
        let new = told_apart(name.as_bytes(), word, number);
        let new = new.ok_or(Why::Name("no second name can be made of it"))?;
        if !claimed.contains(&new) && is_free(surveyor, held, &new)? {
            return Ok(new);
        }
    }
    Err(Why::Name("no free name was found for it"))
}

/// The name under which the old is kept: one that is free, and says what was `done` to it.
pub(in crate::survey) fn aside(surveyor: &Surveyor, spot: &Spot, done: &str) -> Result<Name, Why> {
    for number in 1..10_000 {
        let end = match number {
            1 => format!(" (before it was {done})"),
            number => format!(" (before it was {done} {number})"),
        };
        let stem = cut(spot.name.as_bytes(), LONGEST - end.len());
        let name = Name::new([stem, end.as_bytes()].concat());
        let name = name.ok_or(Why::Name("no second name can be made of it"))?;
        if is_free(surveyor, &spot.held, &name)? {
            return Ok(name);
        }
    }
    Err(Why::Name("no free name was found for it"))
}

fn is_free(surveyor: &Surveyor, held: &Held, name: &Name) -> Result<bool, Why> {
    match surveyor.system().facts(held.folder.as_fd(), name.as_bytes()) {
        Err(Errno::NOENT) => Ok(true),
        Ok(_) => Ok(false),
        Err(error) => Err(refused("a second name for it cannot be looked at", error)),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn the_ending_stays_the_ending() {
        let rows: [(&str, u32, &str); 8] = [
            ("photo.jpg", 1, "photo (from Music).jpg"),
            ("photo.jpg", 2, "photo (from Music 2).jpg"),
            ("a.tar.gz", 1, "a (from Music).tar.gz"),
            (".tar.gz", 1, ".tar (from Music).gz"),
            (".hidden", 1, ".hidden (from Music)"),
            ("Mr. Jones", 1, "Mr. Jones (from Music)"),
            ("dot.", 1, "dot. (from Music)"),
            ("plain", 1, "plain (from Music)"),
        ];
        for (name, number, new) in rows {
            let made = told_apart(name.as_bytes(), b"Music", number).unwrap();
            assert_eq!(String::from_utf8_lossy(made.as_bytes()), new);
        }
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let long = format!("{}.jpg", "ä".repeat(125));
        let made = told_apart(long.as_bytes(), b"Music", 1).unwrap();
        assert!(made.as_bytes().len() <= LONGEST);
        let text = std::str::from_utf8(made.as_bytes()).unwrap();
        assert!(text.ends_with("ä (from Music).jpg"), "{text}");
    }

    #[test]
    fn the_word_is_what_tells_them_apart() {
        let rows = [
            ("/home/a/Music", "/mnt/Songs", "Music"),
            ("/home/a/Music", "/mnt/Music", "a"),
            ("/x/Music", "/y/x/Music", "Music"),
        ];
        for (from, to, expected) in rows {
            let place = |text: &str| AbsPath::cleaned(text.as_bytes()).unwrap();
            assert_eq!(word(&place(from), &place(to)), expected.as_bytes(), "{from} {to}");
        }
    }
}
