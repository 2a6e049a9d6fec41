//! One change of one name, with what must hold before it and how it is undone.

use super::manner::Manner;
use crate::entry::{EntryKind, Identity, Time};
use crate::name::Name;
use crate::target::Target;
use serde::{Deserialize, Serialize};

/// A name in one of the plan's folders.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Slot {
    /// The number of the folder in the plan.
    pub folder: u32,
    /// The name in it.
    pub name: Name,
}

/// What a link carries beside its text, to be carried over when the text changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// The user who owns it.
    pub owner: u32,
    /// The group it belongs to.
    pub group: u32,
    /// When it was last read.
    pub accessed: Time,
    /// When it was last changed.
    pub modified: Time,
    /// Extended attributes (only `security.*` and `trusted.*` can stand at a link: xattr(7)).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extended: Vec<(Bytes, Bytes)>,
}

/// Bytes that are nobody's text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bytes(
    /// The bytes.
    #[serde(
        serialize_with = "crate::encoded::serialize",
        deserialize_with = "crate::encoded::deserialize"
    )]
    pub Box<[u8]>,
);

/// What stands at a slot, as far as a step must know it again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    /// A symbolic link.
    Link {
        /// Its text.
        target: Target,
        /// Which.
        id: Identity,
        /// What it carries.
        attributes: Attributes,
    },
    /// A regular file.
    File {
        /// Which.
        id: Identity,
        /// Its length in bytes.
        size: u64,
        /// When its contents were last changed.
        modified: Time,
        /// How many names it has.
        names: u64,
    },
    /// A folder, with all that is in it.
    Folder {
        /// Which.
        id: Identity,
    },
    /// A pipe, a socket or a device.
    Special {
        /// What.
        kind: EntryKind,
        /// Which.
        id: Identity,
    },
}

impl Object {
    /// Which object it is.
    pub fn id(&self) -> Identity {
        match self {
            Self::Link { id, .. }
            | Self::File { id, .. }
            | Self::Folder { id }
            | Self::Special { id, .. } => *id,
        }
    }

    /// What kind it is.
    pub fn kind(&self) -> EntryKind {
        match self {
            Self::Link { .. } => EntryKind::Symlink,
            Self::File { .. } => EntryKind::File,
            Self::Folder { .. } => EntryKind::Folder,
            Self::Special { kind, .. } => *kind,
        }
    }

    /// Whether `other`, seen later, is still this object in this state: the same link with the same
    /// text, the same file with the same contents as far as its length and time tell, the same folder
    /// whatever is in it now. A link that the plan itself makes is known by its text alone, which is all
    /// that could be lost with it.
    pub fn is_still(&self, other: &Self, same: fn(Identity, Identity) -> bool) -> bool {
        let to_come = matches!(self, Self::Link { .. }) && self.id() == Identity::TO_COME;
        (to_come || same(self.id(), other.id()))
            && match (self, other) {
                (Self::Link { target: one, .. }, Self::Link { target: other, .. }) => one == other,
                (
                    Self::File { size: one, modified: then, .. },
                    Self::File { size: other, modified: now, .. },
                ) => one == other && then == now,
                (Self::Folder { .. }, Self::Folder { .. }) => true,
                (Self::Special { kind: one, .. }, Self::Special { kind: other, .. }) => {
                    one == other
                }
                _ => false,
            }
    }
}

/// What a step puts at a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Make {
    /// A symbolic link.
    Link {
        /// Its text.
        target: Target,
        /// What it shall carry, as far as the user may; nothing special if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attributes: Option<Attributes>,
    },
    /// Another name of an existing file.
    Name {
        /// Where it has a name already.
        of: Slot,
        /// Which file.
        id: Identity,
    },
    /// A small file.
    File {
        /// Its contents.
        bytes: Bytes,
        /// Its permission bits.
        mode: u32,
        /// Its time of change; now if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        modified: Option<Time>,
        /// What else it carries: its owner, its times, its attributes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        carried: Option<Box<Attributes>>,
    },
    /// A copy of a file, or of a folder with all that is in it, links as links.
    Copy {
        /// The original.
        of: Slot,
        /// Which object it is.
        id: Identity,
        /// Whether it is a folder.
        folder: bool,
        /// How it is copied; to the last bit, and with nothing changed, if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        manner: Option<Box<Manner>>,
    },
    /// The object that stands at another slot, which is empty afterwards.
    Moved {
        /// Where it stands.
        from: Slot,
        /// What it is.
        object: Box<Object>,
    },
    /// An empty folder, for nobody but its owner: one that is made again had rights that are not on record.
    Folder,
    /// An empty folder that others may use as far as the person's umask lets them.
    CommonFolder,
}

impl Make {
    /// The slot that it takes something from, if any.
    pub fn slot(&self) -> Option<&Slot> {
        match self {
            Self::Name { of: slot, .. }
            | Self::Copy { of: slot, .. }
            | Self::Moved { from: slot, .. } => Some(slot),
            Self::Link { .. } | Self::File { .. } | Self::Folder | Self::CommonFolder => None,
        }
    }
}

/// A link that stays where something is moved away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leave {
    /// Its text.
    pub target: Target,
    /// What it shall carry, as far as the user may; nothing special if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<Attributes>,
}

/// What becomes of what stood at a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is dropped, and nothing of a person's is lost by it: a link, whose text is in the plan; or
    /// what `again` can make anew.
    Dropped {
        /// How it is made again; for a link that is known anyway.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again: Option<Box<Make>>,
    },
    /// It is kept under this name.
    Kept(Slot),
    /// It is freed, as was asked: what was in it is gone then.
    Freed,
}

impl Fate {
    /// Whether contents are deleted: as was asked, or because they are nothing but a copy.
    pub fn frees(&self) -> bool {
        *self == Self::Freed || self.original().is_some()
    }

    /// What the old is nothing but a copy of, if it is given up for that reason.
    pub fn original(&self) -> Option<&Slot> {
        self.copied().map(|(of, _)| of)
    }

    /// The same, with how it was copied from there.
    pub fn copied(&self) -> Option<(&Slot, Option<&Manner>)> {
        match self {
            Self::Dropped { again: Some(make) } => match &**make {
                Make::Copy { of, manner, .. } => Some((of, manner.as_deref())),
                _ => None,
            },
            _ => None,
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Before: nothing is at the slot. After: what is made.
    Put {
        /// Where.
        at: Slot,
        /// What.
        make: Make,
    },
    /// Before: `old` is at the slot. After: what is made. The name is never missing in between, where
    /// the file system can exchange two names.
    Replace {
        /// Where.
        at: Slot,
        /// What stands there.
        old: Object,
        /// What shall stand there.
        make: Make,
        /// What becomes of the old.
        fate: Fate,
    },
    /// Before: `old` is at the slot. After: nothing.
    Remove {
        /// Where.
        at: Slot,
        /// What stands there.
        old: Object,
        /// What becomes of it.
        fate: Fate,
    },
    /// Before: `old` is at the slot, and at `to` is nothing, or the link `over`. After: `old` is at `to`,
    /// and at the slot is the link `leave`, or nothing. Both slots belong to one volume.
    ///
    /// With a link on one of the two sides, the two names are exchanged in one call where the file system
    /// can: no name is missing at any moment.
    Move {
        /// Where it stands.
        at: Slot,
        /// What.
        old: Object,
        /// Where it shall stand.
        to: Slot,
        /// What is left at the slot.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        leave: Option<Leave>,
        /// The link that has the new name now. It is dropped.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        over: Option<Object>,
    },
}

impl Step {
    /// The slot that it changes.
    pub fn at(&self) -> &Slot {
        match self {
            Self::Put { at, .. }
            | Self::Replace { at, .. }
            | Self::Remove { at, .. }
            | Self::Move { at, .. } => at,
        }
    }

    /// What it makes, if anything.
    pub fn make(&self) -> Option<&Make> {
        match self {
            Self::Put { make, .. } | Self::Replace { make, .. } => Some(make),
            Self::Remove { .. } | Self::Move { .. } => None,
        }
    }

    /// What must stand at the slot before, if anything.
    pub fn old(&self) -> Option<&Object> {
        match self {
            Self::Put { .. } => None,
            Self::Replace { old, .. } | Self::Remove { old, .. } | Self::Move { old, .. } => {
                Some(old)
            }
        }
    }

    /// What becomes of the old, if there is one.
    pub fn fate(&self) -> Option<&Fate> {
        match self {
            Self::Put { .. } | Self::Move { .. } => None,
            Self::Replace { fate, .. } | Self::Remove { fate, .. } => Some(fate),
        }
    }

    /// Every slot that it speaks of.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        let again = match self.fate() {
            Some(Fate::Dropped { again: Some(make) }) => make.slot(),
            Some(Fate::Kept(slot)) => Some(slot),
            _ => None,
        };
        let to = match self {
            Self::Move { to, .. } => Some(to),
            _ => None,
        };
        [Some(self.at()), self.make().and_then(Make::slot), again, to].into_iter().flatten()
    }

    /// Whether it deletes contents, which is left until all the rest is durable.
    pub fn frees(&self) -> bool {
        self.fate().is_some_and(Fate::frees)
    }
}
