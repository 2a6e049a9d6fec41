//! What is to be done, as inert data.
//!
//! A plan is all that is shown, recorded and executed: nothing else is looked up on the way, so the
//! preview cannot lie. It is made of items, each of which is done whole or not at all, and an item of
//! steps, each of which says what must be there before, what is there after, and how it is undone.

mod conflict;
mod inverse;
mod manner;
pub mod spelling;
mod step;

pub use conflict::{Conflict, Why};
pub use inverse::{Irrevocable, inverse};
pub use manner::{Loss, Manner, Rewritten, Verify};
pub use step::{Attributes, Bytes, Fate, Leave, Make, Object, Slot, Step};

use crate::entry::{Identity, Time};
use crate::name::Name;
use crate::path::AbsPath;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A folder in which something is to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFolder {
    /// Where it lies, physically.
    pub place: AbsPath,
    /// Which folder it is. At that place must stand this very folder when a step is done.
    pub id: Identity,
}

/// When a folder was last changed whose entries come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderTime {
    /// Which folder of the plan.
    pub folder: u32,
    /// When it was last changed before.
    pub before: Time,
    /// The time that it is given when all is done, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub give: Option<Time>,
}

/// What must still stand in a folder when a link takes its place, besides what steps leave there: whatever else
/// is in it by then, somebody has put there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderSeen {
    /// Which folder of the plan.
    pub folder: u32,
    /// What stood in it, but for the slots of steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<EntrySeen>,
}

/// One entry of a folder, as it was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntrySeen {
    /// Its name.
    pub name: Name,
    /// What it was.
    pub object: Object,
    /// When anything about it was last changed, where that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<Time>,
}

/// What is done whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The path that it is about, as the person wrote it.
    #[serde(
        serialize_with = "crate::encoded::serialize",
        deserialize_with = "crate::encoded::deserialize"
    )]
    pub path: Box<[u8]>,
    /// What is done, in order.
    pub steps: Vec<Step>,
    /// What else the person should know beforehand, in whole sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
}

impl Item {
    /// Every slot that its steps speak of.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.steps.iter().flat_map(Step::slots)
    }
}

/// What is to be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The folders that slots speak of, by number.
    pub folders: Vec<PlanFolder>,
    /// What is to be done, in order.
    pub items: Vec<Item>,
    /// Times of folders that are given back when this is undone.
    pub times: Vec<FolderTime>,
    /// Folders that are looked at again right before and right behind their giving way to a link.
    pub seen: Vec<FolderSeen>,
    /// What cannot be done, and why.
    pub conflicts: Vec<Conflict>,
    /// What concerns the whole, in whole sentences.
    pub remarks: Vec<String>,
    /// How many things are already as they are wanted.
    pub already: u64,
    /// Items, by number, that are only done if this other one was done. Not in the record: what was not
    /// done is on record as failed.
    pub needs: BTreeMap<usize, usize>,
}

impl Plan {
    /// The number of a folder, which is added if it is not there yet.
    ///
    /// Looks at the last few only: plans come in the order of a walk, and a folder that is there twice
    /// does no harm.
    pub fn folder(&mut self, place: &AbsPath, id: Identity) -> u32 {
        let known = self.folders.iter().enumerate().rev().take(8);
        for (number, folder) in known {
            if folder.id == id && folder.place == *place {
                return u32::try_from(number).unwrap_or(u32::MAX);
            }
        }
        self.folders.push(PlanFolder { place: place.clone(), id });
        u32::try_from(self.folders.len() - 1).unwrap_or(u32::MAX)
    }

    /// The path of a slot, physically.
    pub fn place(&self, slot: &Slot) -> AbsPath {
        let folder = usize::try_from(slot.folder).ok().and_then(|at| self.folders.get(at));
        let folder = folder.map_or_else(AbsPath::root, |folder| folder.place.clone());
        folder.joined(slot.name.as_bytes())
    }

    /// How many steps there are in all.
    pub fn steps(&self) -> usize {
        self.items.iter().map(|item| item.steps.len()).sum()
    }
}

/// 128 random bits that an operation puts into the names of what it sets aside for a moment.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Token(String);

impl Token {
    /// The token made of these bits.
    pub fn new(bits: u128) -> Self {
        Self(format!("{bits:032x}"))
    }

    /// The name under which step `number` keeps something for a moment, beside its slot: nobody
    /// else has chosen it, and it says whose it is.
    pub fn staged(&self, number: usize) -> Name {
        self.name(number, "")
    }

    /// The same for taking that step back.
    pub fn staged_back(&self, number: usize) -> Name {
        self.name(number, "-back")
    }

    /// The name for what stands in the way of `staged` while two names are exchanged by hand.
    pub fn out_of(staged: &Name) -> Name {
        let name = [staged.as_bytes(), b"-out"].concat();
        Name::new(name).unwrap_or_else(|| unreachable!("a name with more behind it"))
    }

    fn name(&self, number: usize, end: &str) -> Name {
        let name = format!(".linkwell-{}-{number}{end}", self.0);
        Name::new(name.into_bytes()).unwrap_or_else(|| unreachable!("letters, digits and hyphens"))
    }

    /// Whether this is 32 hexadecimal digits, as it must be in a record that is acted upon.
    pub fn is_sound(&self) -> bool {
        self.0.len() == 32 && self.0.bytes().all(|byte| byte.is_ascii_hexdigit())
    }
}
