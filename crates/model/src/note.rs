//! Notes that a link may bear beside its health.

use crate::path::{self, AbsPath, Component};
use crate::target::Target;

/// Something worth knowing about a link that is no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Note {
    /// The target is written from the root.
    Absolute,
    /// The target could be written shorter and lead to the same place.
    Lengthy,
    /// The target leads through another link.
    Chained,
    /// The destination lies outside the folder that was looked at.
    Outer,
    /// It leads to one of its own ancestors.
    Cycle,
    /// Another link in the same tree leads to the same destination.
    Doubled,
    /// The destination lies on another volume.
    CrossesVolume,
    /// No loop, but more links in a row than the system follows.
    TooDeep,
    /// A shortcut to a page of the web, which no file system can judge.
    Web,
    /// A path of another system, which cannot be followed here.
    Foreign,
}

impl Note {
    /// Every note, in the order in which they are printed.
    pub const ALL: [Self; 10] = [
        Self::Absolute,
        Self::Lengthy,
        Self::Chained,
        Self::Outer,
        Self::Cycle,
        Self::Doubled,
        Self::CrossesVolume,
        Self::TooDeep,
        Self::Web,
        Self::Foreign,
    ];

    /// The word used on the command line and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Absolute => "absolute",
            Self::Lengthy => "lengthy",
            Self::Chained => "chained",
            Self::Outer => "outer",
            Self::Cycle => "cycle",
            Self::Doubled => "doubled",
            Self::CrossesVolume => "crosses_volume",
            Self::TooDeep => "too_deep",
            Self::Web => "web",
            Self::Foreign => "foreign",
        }
    }

    /// Why it matters, in one sentence.
    pub fn why(self) -> &'static str {
        match self {
            Self::Absolute => {
                "the target is written from `/`, so it breaks when the volume is attached elsewhere \
                 or the tree is copied to another computer"
            }
            Self::Lengthy => "the target could be written shorter and lead to the same place",
            Self::Chained => {
                "it leads through another link, and breaks when any link on the way does"
            }
            Self::Outer => {
                "its destination lies outside this folder, so a copy or backup of the folder alone \
                 does not hold it"
            }
            Self::Cycle => {
                "it leads to a folder that contains it, so a program that follows links can walk in \
                 circles"
            }
            Self::Doubled => {
                "another link here leads to the same place, so a program that follows links meets \
                 it twice"
            }
            Self::CrossesVolume => {
                "its destination lies on another volume, so it works only while that one is attached"
            }
            Self::TooDeep => {
                "it leads through more than 40 links in a row, and the system stops there"
            }
            Self::Web => "it leads to a page of the web, which cannot be judged from here",
            Self::Foreign => "it holds a path of another system, which cannot be followed here",
        }
    }
}

/// A set of notes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notes(u16);

impl Notes {
    /// Adds a note.
    pub fn add(&mut self, note: Note) {
        self.0 |= 1 << note as u8;
    }

    /// Adds a note if `holds`.
    pub fn add_if(&mut self, note: Note, holds: bool) {
        if holds {
            self.add(note);
        }
    }

    /// Whether the note is there.
    pub fn has(self, note: Note) -> bool {
        self.0 & (1 << note as u8) != 0
    }

    /// The notes, in the order of [`Note::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Note> {
        Note::ALL.into_iter().filter(move |note| self.has(*note))
    }
}

/// A shorter text for `target` that leads to the same place, if there is one.
///
/// `folder` is where the link physically stands. `plain` says that no component of the target is
/// itself a link, so that `name/..` cancels out; without that knowledge it is left as it is.
/// A relative target stays relative and an absolute one absolute.
pub fn shorter(target: &Target, folder: &AbsPath, plain: bool) -> Option<Vec<u8>> {
    let text = target.as_bytes();
    let absolute = target.is_absolute();
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut folder_at_end = path::ends_as_folder(text);
    for component in path::components(text) {
        folder_at_end |= component == Component::Here && text.ends_with(b"/.");
        match component {
            Component::Here => {}
            Component::Up => match kept.last() {
                None if absolute => {}
                Some(&last) if last != b".." && plain => {
                    kept.pop();
                }
                _ => kept.push(b".."),
            },
            Component::Name(name) => kept.push(name),
        }
    }
    if !absolute {
        leave_out_the_way_back(&mut kept, folder);
    }
    let mut shorter = if absolute { vec![b'/'] } else { Vec::new() };
    shorter.extend_from_slice(&kept.join(&b'/'));
    if shorter.is_empty() {
        shorter.push(b'.');
    }
    if folder_at_end && kept.last().is_some_and(|last| *last != b"..") {
        shorter.push(b'/');
    }
    (shorter.len() < text.len()).then_some(shorter)
}

/// `../../a/c` from a link in `…/a/b` goes up past `a` and down into it again: `../c`.
fn leave_out_the_way_back(kept: &mut Vec<&[u8]>, folder: &AbsPath) {
    let above: Vec<&[u8]> = folder.names().rev().collect();
    let ups = kept.iter().take_while(|piece| **piece == b"..").count();
    let mut first = ups;
    let mut left = ups;
    while left > 0 {
        // After `left` steps up we stand in the parent of `above[left - 1]`.
        let back = above.get(left - 1).zip(kept.get(first)).is_some_and(|(a, b)| a == b);
        if !back {
            break;
        }
        left -= 1;
        first += 1;
    }
    kept.drain(left..first);
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    fn short(target: &str, plain: bool) -> Option<String> {
        let folder = AbsPath::cleaned(b"/t/a/b").unwrap();
        shorter(&Target::new(target.as_bytes()), &folder, plain)
            .map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn what_adds_nothing_is_left_out() {
        assert_eq!(short("./x//y/./z", true).as_deref(), Some("x/y/z"));
        assert_eq!(short("/x/../y", true).as_deref(), Some("/y"));
        assert_eq!(short("/../y", false).as_deref(), Some("/y"));
        assert_eq!(short("x/../y", false), None, "x may be a link");
        assert_eq!(short("x/..", true).as_deref(), Some("."));
        assert_eq!(short("x/.", true).as_deref(), Some("x/"), "it still demands a folder");
        assert_eq!(short("x/./.", true).as_deref(), Some("x/"));
    }

    #[test]
    fn the_way_up_and_back_is_left_out() {
        assert_eq!(short("../../a/c", true).as_deref(), Some("../c"));
        assert_eq!(short("../../a/b/c", true).as_deref(), Some("c"));
        assert_eq!(short("../../../t/a/b", true).as_deref(), Some("."));
        assert_eq!(short("../../b/c", true), None, "b above is not the b here");
        assert_eq!(short("../c", true), None);
        assert_eq!(short("..", true), None);
    }

    #[test]
    fn notes_are_a_set_in_order() {
        let mut notes = Notes::default();
        notes.add(Note::Outer);
        notes.add(Note::Absolute);
        notes.add_if(Note::Cycle, false);
        let words: Vec<_> = notes.iter().map(Note::word).collect();
        assert_eq!(words, ["absolute", "outer"]);
    }
}
