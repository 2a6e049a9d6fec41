//! How a found object compares with what is on record, and why.

use super::likeness::Likeness;
use super::trust::Trust;
use crate::entry::EntryKind;

/// How sure it is that two looks saw one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likened {
    /// It is another one.
    Unlike,
    /// Something speaks for it, and not enough to be chosen.
    Faint,
    /// All that can be compared says so, but a copy would look the same.
    Alike,
    /// It is the same object.
    Same,
}

/// Something that speaks for it, or that a person should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The kernel's handle is the same.
    Handle,
    /// The number is the same, and the moment of birth.
    NumberAndBirth,
    /// The number is the same; nothing tells whether it was given out again.
    Number,
    /// All of the contents are the same.
    Contents,
    /// The length, and the contents at both ends, are the same.
    Ends,
    /// The name, the length and the time of the last change are the same.
    NameSizeTime,
    /// The length and the time of the last change are the same.
    SizeTime,
    /// The name and the length are the same.
    NameSize,
    /// Only the name is the same.
    Name,
    /// So many of a hundred things in the folder are the same.
    Shape(u8),
    /// The text of the link is the same.
    Text,
    /// So many broken links would find what they lead to in the same place.
    Together(u32),
    /// So many things that lay beside it are in that folder now.
    Beside(u32),
}

impl Likened {
    /// The word used in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unlike => "unlike",
            Self::Faint => "faint",
            Self::Alike => "alike",
            Self::Same => "same",
        }
    }
}

impl Evidence {
    /// The word used in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Handle => "handle",
            Self::NumberAndBirth => "number_and_birth",
            Self::Number => "number",
            Self::Contents => "contents",
            Self::Ends => "ends",
            Self::NameSizeTime => "name_size_time",
            Self::SizeTime => "size_time",
            Self::NameSize => "name_size",
            Self::Name => "name",
            Self::Shape(_) => "shape",
            Self::Text => "text",
            Self::Together(_) => "together",
            Self::Beside(_) => "beside",
        }
    }

    /// For a person.
    pub fn words(self) -> String {
        match self {
            Self::Handle => "the file system says that it is the same object".into(),
            Self::NumberAndBirth => "it has the same number and was made at the same moment".into(),
            Self::Number => "it has the same number, which may have been given out again".into(),
            Self::Contents => "its contents are the same, byte by byte".into(),
            Self::Ends => "its length, beginning and end are the same".into(),
            Self::NameSizeTime => "its name, length and time of change are the same".into(),
            Self::SizeTime => "its length and time of change are the same".into(),
            Self::NameSize => "its name and length are the same".into(),
            Self::Name => "it has the same name".into(),
            Self::Shape(100) => "it holds the same names, with the same lengths".into(),
            Self::Shape(percent) => format!("{percent} of 100 things in it are the same"),
            Self::Text => "it is a link with the same text".into(),
            Self::Beside(1) => "one thing that lay beside it is in that folder now".into(),
            Self::Beside(things) => {
                format!("{things} things that lay beside it are in that folder now")
            }
            Self::Together(links) => {
                format!(
                    "{links} broken links would find what they lead to there, by the same change"
                )
            }
        }
    }
}

/// From so many shared children of a hundred on, a folder is taken for alike. Chosen so that a folder in
/// which a fifth was added or changed since is still known, while two releases of one program are not.
const MUCH: u8 = 80;

/// Compares what is found with what is on record.
///
/// [`Likened::Same`] means: the same handle, or the same number and birth, on the same volume, of a
/// file system on which these can be relied upon. Everything else, however alike, a copy can have too.
pub fn liken(was: &Likeness, is: &Likeness) -> (Likened, Vec<Evidence>) {
    if was.kind != is.kind {
        return (Likened::Unlike, Vec::new());
    }
    let mut evidence = Vec::new();
    let by_identity = identity(was, is, &mut evidence);
    if by_identity == Likened::Same {
        return (Likened::Same, evidence);
    }
    let by_attributes = attributes(was, is, &mut evidence);
    (by_identity.max(by_attributes), evidence)
}

fn identity(was: &Likeness, is: &Likeness, evidence: &mut Vec<Evidence>) -> Likened {
    let volume = was.volume.zip(is.volume).and_then(|(one, other)| one.is(&other));
    if volume == Some(false) {
        return Likened::Unlike;
    }
    // Where nobody can tell which volume it is, the device number may be that of another one by now.
    let here = volume == Some(true) && was.trust > Trust::Attributes;
    let births = was.born.zip(is.born).map(|(one, other)| one == other);
    if was.trust == Trust::Handle
        && let Some((one, other)) = was.handle.as_ref().zip(is.handle.as_ref())
    {
        if one != other {
            return Likened::Unlike;
        }
        if here && !one.is_bare_number() && births != Some(false) {
            evidence.push(Evidence::Handle);
            return Likened::Same;
        }
    }
    if was.inode != is.inode || births == Some(false) {
        return Likened::Unlike;
    }
    if here && births == Some(true) {
        evidence.push(Evidence::NumberAndBirth);
        return Likened::Same;
    }
    if here {
        evidence.push(Evidence::Number);
        return Likened::Faint;
    }
    Likened::Unlike
}

fn attributes(was: &Likeness, is: &Likeness, evidence: &mut Vec<Evidence>) -> Likened {
    let name = was.name == is.name;
    match was.kind {
        EntryKind::File => {
            let (size, time) = (was.size == is.size, was.modified == is.modified);
            let whole = was.sums.whole.zip(is.sums.whole).map(|(one, other)| one == other);
            let ends = was.sums.ends.zip(is.sums.ends).map(|(one, other)| one == other);
            // An empty file is like every other one.
            let empty = was.size == 0;
            match (size, whole, ends) {
                // What differs inside is something else, whatever its name and time.
                (true, Some(false), _) | (true, _, Some(false)) if !name => Likened::Unlike,
                (true, Some(false), _) | (true, _, Some(false)) => {
                    evidence.push(Evidence::Name);
                    Likened::Faint
                }
                (true, Some(true), _) if !empty => {
                    evidence.push(Evidence::Contents);
                    Likened::Alike
                }
                (true, None, Some(true)) if !empty && (name || time) => {
                    evidence.push(Evidence::Ends);
                    Likened::Alike
                }
                (true, ..) if name && time => {
                    evidence.push(Evidence::NameSizeTime);
                    Likened::Alike
                }
                (true, ..) if time && !empty => {
                    evidence.push(Evidence::SizeTime);
                    Likened::Faint
                }
                (true, ..) if name => {
                    evidence.push(Evidence::NameSize);
                    Likened::Faint
                }
                _ => only_name(name, evidence),
            }
        }
        EntryKind::Folder => {
            let shared = was.shape.as_ref().zip(is.shape.as_ref());
            match shared.and_then(|(one, other)| one.shared(other)) {
                Some(percent) if percent >= MUCH => {
                    evidence.push(Evidence::Shape(percent));
                    Likened::Alike
                }
                Some(percent) if percent > 0 && name => {
                    evidence.push(Evidence::Shape(percent));
                    Likened::Faint
                }
                _ => only_name(name, evidence),
            }
        }
        EntryKind::Symlink if was.sums.ends.is_some() && was.sums.ends == is.sums.ends => {
            evidence.push(Evidence::Text);
            if name { Likened::Alike } else { Likened::Faint }
        }
        _ => only_name(name, evidence),
    }
}

fn only_name(name: bool, evidence: &mut Vec<Evidence>) -> Likened {
    if name {
        evidence.push(Evidence::Name);
        Likened::Faint
    } else {
        Likened::Unlike
    }
}
