//! A link on record, and how it stands.

use crate::entry::{EntryKind, Identity, LinkKind};
use crate::name::Name;
use crate::path::AbsPath;
use crate::target::Target;

/// What the watcher does when a target has moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Policy {
    /// The link follows, when it is certain where to.
    #[default]
    Follow,
    /// A person is asked.
    Ask,
    /// Nothing is done.
    Leave,
}

impl Policy {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Follow, Self::Ask, Self::Leave];

    /// The word used on the command line, in the catalogue and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Follow => "follow",
            Self::Ask => "ask",
            Self::Leave => "leave",
        }
    }

    /// The policy of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.word() == word)
    }
}

/// Who put a link on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum By {
    /// linkwell made or changed it.
    Made,
    /// A person asked for it to be tracked.
    Tracked,
    /// It lies on the way of another one.
    Way,
}

impl By {
    /// Every way to be recorded.
    pub const ALL: [Self; 3] = [Self::Made, Self::Tracked, Self::Way];

    /// The word used in the catalogue and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Tracked => "tracked",
            Self::Way => "way",
        }
    }

    /// For a person.
    pub fn words(self) -> &'static str {
        match self {
            Self::Made => "made here",
            Self::Tracked => "tracked",
            Self::Way => "on the way of another link",
        }
    }

    /// The one of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.word() == word)
    }
}

/// Who put a link on record, and what is done when its target moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Terms {
    /// Who.
    pub by: By,
    /// What is done.
    pub policy: Policy,
}

/// A link on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The folder in which it stands, physically.
    pub folder: AbsPath,
    /// Its name there.
    pub name: Name,
    /// The text it held.
    pub target: Target,
    /// What kind of link.
    pub kind: LinkKind,
    /// Which object it was.
    pub id: Identity,
    /// The entry that its text names, physically: links on the way followed, the last one not.
    pub to: AbsPath,
    /// Who recorded it.
    pub by: By,
    /// What the watcher does about it.
    pub policy: Policy,
}

impl Kept {
    /// Where it stands.
    pub fn place(&self) -> AbsPath {
        self.folder.joined(self.name.as_bytes())
    }
}

/// What stands at the place of a recorded link now, as far as the record is concerned. Whether it works is
/// another question ([`crate::health::Health`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The link, with its text.
    Unchanged,
    /// A link with another text: somebody retargeted it.
    Retargeted(Target),
    /// Something real: a program saved over it.
    Replaced(EntryKind),
    /// Nothing. It may have moved.
    Gone,
    /// It may not be looked at, or its volume is away or gives no answer.
    Unseen,
}
