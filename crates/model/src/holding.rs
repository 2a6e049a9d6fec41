//! What a file system can hold, and what of an entry it cannot: known before anything is copied there.
//!
//! The table is knowledge about types of file systems. A type that is not in it, or a row that says
//! [`Answer::Unknown`], raises no objection: whether it holds something is found out when it is tried,
//! and the copy is looked at again whatever the table says.

mod names;
mod table;

pub use names::{Fold, Longest, NameTrouble, Names};
pub use table::{Served, holding};

use crate::entry::{EntryKind, Time};
use crate::plan::Loss;

/// Whether something can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It can.
    Yes,
    /// It never can.
    No,
    /// It depends, or nobody has tried.
    Unknown,
}

/// What one type of file system can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Its name, as people call it.
    pub word: &'static str,
    /// Which names.
    pub names: Names,
    /// Symbolic links.
    pub links: Answer,
    /// The longest text of a link in bytes, if less than the system's own 4,095.
    pub longest_text: Option<usize>,
    /// Several names of one file.
    pub hard_links: Answer,
    /// Pipes, sockets and devices.
    pub special: Answer,
    /// Owners and groups, of each entry.
    pub owners: Answer,
    /// The greatest number of a user or group, if less than all.
    pub greatest_owner: Option<u32>,
    /// Permissions, of each entry.
    pub modes: Answer,
    /// Extended attributes.
    pub attributes: Answer,
    /// The longest value of one in bytes, if less than the system's own 65,536.
    pub longest_value: Option<usize>,
    /// Access lists.
    pub lists: Answer,
    /// Capabilities of programs.
    pub capabilities: Answer,
    /// File flags (`chattr`).
    pub flags: Answer,
    /// Project numbers.
    pub projects: Answer,
    /// Which times of change.
    pub times: Times,
    /// The longest file in bytes, if there is a bound that files meet.
    pub longest_file: Option<u64>,
    /// Long runs of zeroes that take no room.
    pub holes: Answer,
    /// Room that is reserved beyond the contents.
    pub reserved: Answer,
    /// Files that share the room of equal contents.
    pub sharing: Answer,
    /// Two names exchanged in one step, a link against a folder.
    pub exchange: Answer,
    /// Bytes that each entry takes in all beside its contents, where these come out of the same room.
    pub per_entry: u64,
}

/// Which times of change can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// The step from one to the next, in nanoseconds; `None` where that depends.
    pub step: Option<u64>,
    /// The first and the last second, since 1970.
    pub range: Option<(i64, i64)>,
    /// Fractions of seconds before 1970 are kept.
    pub fractions_before_1970: bool,
}

impl Times {
    /// Whether it can hold this one exactly; `true` where that is not known.
    pub fn hold(&self, time: Time) -> bool {
        let Time(seconds, nanos) = time;
        if self.range.is_some_and(|(first, last)| seconds < first || seconds > last) {
            return false;
        }
        if !self.fractions_before_1970 && seconds < 0 && nanos != 0 {
            return false;
        }
        const SECOND: u64 = 1_000_000_000;
        match self.step {
            None | Some(0 | 1) => true,
            Some(step) if step <= SECOND => u64::from(nanos).is_multiple_of(step),
            Some(step) => nanos == 0 && seconds.rem_euclid((step / SECOND).cast_signed()) == 0,
        }
    }
}

/// All about one entry that a file system may not hold.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// What it is.
    pub kind: EntryKind,
    /// Its length in bytes; of a link, that of its text.
    pub size: u64,
    /// How many names it has.
    pub names: u64,
    /// It has long runs of zeroes that take no room.
    pub has_holes: bool,
    /// Its owner and its group.
    pub owners: (u32, u32),
    /// Its permission bits.
    pub mode: u32,
    /// When its contents were last changed.
    pub modified: Time,
    /// What else it carries.
    pub carried: Carried,
}

/// What an entry carries beside what every entry has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Carried {
    /// Extended attributes other than the next two.
    pub attributes: bool,
    /// The length of the longest value.
    pub longest_value: usize,
    /// Access lists.
    pub lists: bool,
    /// Capabilities.
    pub capabilities: bool,
    /// File flags that are meant to be kept.
    pub flags: bool,
}

/// Why an entry cannot be had there as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Objection {
    /// It can never be had there.
    Hindrance(Hindrance),
    /// It can be had without this.
    Loss(Loss),
}

/// Why an entry can never be had there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Hindrance {
    /// Its name cannot be.
    Name(NameTrouble),
    /// The text of the link is too long.
    Text,
    /// The file is too long.
    Size,
}

impl Objection {
    /// What is so, as the end of "there it cannot …".
    pub fn words(self) -> &'static str {
        match self {
            Self::Hindrance(Hindrance::Name(trouble)) => trouble.words(),
            Self::Hindrance(Hindrance::Text) => "the text of the link is too long for there",
            Self::Hindrance(Hindrance::Size) => "the file is too long for there",
            Self::Loss(loss) => loss.sentence(),
        }
    }
}

impl Holding {
    /// What speaks against this entry. It costs nothing that is allocated.
    pub fn objections(&self, entry: &Entry<'_>) -> impl Iterator<Item = Objection> {
        let no = |answer: Answer| answer == Answer::No;
        let file = entry.kind == EntryKind::File;
        let link = entry.kind == EntryKind::Symlink;
        let carried = &entry.carried;
        let loss = |lost: bool, loss| lost.then_some(Objection::Loss(loss));
        let hindrance = |is: bool, why| is.then_some(Objection::Hindrance(why));
        let (bad_name, foreign) = self.names.trouble(entry.name);
        let length = usize::try_from(entry.size).unwrap_or(usize::MAX);
        let special = matches!(entry.kind, EntryKind::Fifo | EntryKind::Socket | EntryKind::Device);
        // What is left out loses nothing else.
        let left_out = link && no(self.links) || special && no(self.special);
        let kept = !left_out;
        let (owner, group) = entry.owners;
        let great = self.greatest_owner.is_some_and(|most| owner > most || group > most);
        let most = self.longest_value.unwrap_or(usize::MAX);
        [
            loss(link && no(self.links), Loss::Links),
            loss(special && no(self.special), Loss::Special),
            bad_name.filter(|_| kept).map(|trouble| Objection::Hindrance(Hindrance::Name(trouble))),
            loss(kept && foreign, Loss::Names),
            hindrance(
                kept && link && self.longest_text.is_some_and(|most| length > most),
                Hindrance::Text,
            ),
            hindrance(
                file && self.longest_file.is_some_and(|most| entry.size > most),
                Hindrance::Size,
            ),
            loss(file && entry.names > 1 && no(self.hard_links), Loss::HardLinks),
            loss(file && entry.has_holes && no(self.holes), Loss::Holes),
            loss(kept && (no(self.owners) || great), Loss::Owner),
            // A link's own permissions mean nothing (symlink(7)).
            loss(kept && !link && no(self.modes), Loss::Mode),
            loss(kept && !self.times.hold(entry.modified), Loss::Times),
            loss(
                kept && carried.attributes && (no(self.attributes) || carried.longest_value > most),
                Loss::Attributes,
            ),
            loss(kept && carried.lists && no(self.lists), Loss::AccessLists),
            loss(kept && carried.capabilities && no(self.capabilities), Loss::Capabilities),
            loss(kept && carried.flags && no(self.flags), Loss::Flags),
        ]
        .into_iter()
        .flatten()
    }

    /// Whether extended attributes, and what is kept in them, must be asked for, since what is held
    /// where they come from may not be held here.
    pub fn asks_for_attributes(&self, from: &Self) -> bool {
        let less = |here: Answer, there: Answer| here == Answer::No && there != Answer::No;
        less(self.attributes, from.attributes)
            || less(self.lists, from.lists)
            || less(self.capabilities, from.capabilities)
            || from.attributes != Answer::No
                && self
                    .longest_value
                    .is_some_and(|here| from.longest_value.is_none_or(|there| there > here))
    }
}

#[cfg(test)]
#[path = "holding_tests.rs"]
mod tests;
