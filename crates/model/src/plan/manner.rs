//! How a tree is copied: how it is verified, what may be lost on the way, which links get another text.

use super::step::Bytes;
use crate::target::Target;
use serde::{Deserialize, Serialize};

/// How a copy is compared with its original before anything relies on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verify {
    /// By contents: what was read of the original against what the copy's disk gives back.
    #[default]
    Full,
    /// By sizes, times, owners and permissions only.
    Sizes,
}

impl Verify {
    /// The word used on the command line and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Sizes => "sizes",
        }
    }
}

/// Something that a copy can lack, because the place that it goes to, or the user, cannot give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Who owns it, and its group.
    Owner,
    /// Permissions.
    Mode,
    /// When it was last changed, to the nanosecond.
    Times,
    /// Extended attributes.
    Attributes,
    /// Access lists, and those that a folder gives to what is made in it.
    AccessLists,
    /// The capabilities of a program.
    Capabilities,
    /// File flags (`chattr`).
    Flags,
    /// The project number that quotas go by.
    Project,
    /// That several names are one file.
    HardLinks,
    /// That long runs of zeroes take no room.
    Holes,
    /// Room that is reserved beyond the contents.
    Preallocation,
    /// That several files share the room of equal contents.
    Sharing,
    /// Pipes, sockets and devices.
    Special,
    /// Symbolic links.
    Links,
    /// That Windows, whose file system it goes to, can open it by its name.
    Names,
}

impl Loss {
    /// Every kind, in the order in which they are documented.
    pub const ALL: [Self; 15] = [
        Self::Owner,
        Self::Mode,
        Self::Times,
        Self::Attributes,
        Self::AccessLists,
        Self::Capabilities,
        Self::Flags,
        Self::Project,
        Self::HardLinks,
        Self::Holes,
        Self::Preallocation,
        Self::Sharing,
        Self::Special,
        Self::Links,
        Self::Names,
    ];

    /// The word used on the command line and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Mode => "mode",
            Self::Times => "times",
            Self::Attributes => "attributes",
            Self::AccessLists => "access-lists",
            Self::Capabilities => "capabilities",
            Self::Flags => "flags",
            Self::Project => "project",
            Self::HardLinks => "hard-links",
            Self::Holes => "holes",
            Self::Preallocation => "preallocation",
            Self::Sharing => "sharing",
            Self::Special => "special",
            Self::Links => "links",
            Self::Names => "names",
        }
    }

    /// The kind that `word` names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|loss| loss.word() == word)
    }

    /// What is lost, as the end of "there it cannot keep …".
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Owner => "who owns it",
            Self::Mode => "its permissions",
            Self::Times => "when it was last changed, as exactly as here",
            Self::Attributes => "all of its extended attributes",
            Self::AccessLists => "its access list",
            Self::Capabilities => "the capabilities of the program",
            Self::Flags => "its flags (see `lsattr`)",
            Self::Project => "the project that its room is counted to",
            Self::HardLinks => {
                "that these are several names of one file; each becomes a file of its own"
            }
            Self::Holes => "its holes; it takes more room there",
            Self::Preallocation => "the room that is reserved for it",
            Self::Sharing => "that it shares its room with another file; it takes more room there",
            Self::Special => "pipes, sockets or devices; it is left out",
            Self::Links => "symbolic links; it is left out",
            Self::Names => "a name that Windows can open; it is kept, for this system",
        }
    }
}

/// A link inside a tree that gets another text in the copy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rewritten {
    /// Where it lies below the top of the tree: names joined by slashes.
    pub below: Bytes,
    /// The text that it must have in the original.
    pub was: Target,
    /// The text that it gets in the copy.
    pub now: Target,
}

/// How a tree is copied.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manner {
    /// How the copy is compared with the original.
    #[serde(default)]
    pub verify: Verify,
    /// What it may lack.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accept: Vec<Loss>,
    /// The links that get another text, in the order of their bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Rewritten>,
}

impl Manner {
    /// How what was copied in this manner is copied back: its links get their first texts again.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let back = |link: &Rewritten| Rewritten {
            below: link.below.clone(),
            was: link.now.clone(),
            now: link.was.clone(),
        };
        Self {
            verify: self.verify,
            accept: self.accept.clone(),
            links: self.links.iter().map(back).collect(),
        }
    }

    /// The text that the link at `below` has in the copy, if it is another one than in the original.
    pub fn now(&self, below: &[u8]) -> Option<&Rewritten> {
        let at = self.links.binary_search_by(|link| (*link.below.0).cmp(below)).ok()?;
        self.links.get(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_loss_is_known_by_its_word() {
        for loss in Loss::ALL {
            assert_eq!(Loss::from_word(loss.word()), Some(loss));
            assert_eq!(serde_json::to_value(loss).ok(), Some(loss.word().into()), "{loss:?}");
        }
        assert_eq!(Loss::from_word("everything"), None);
    }
}
