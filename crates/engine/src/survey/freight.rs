//! All that is in what is to be moved, found by one walk before the first byte is copied: how much it is,
//! what cannot be held where it goes, what could not be removed here, and where its links lead.
//!
//! Held folders only, never through a link and never into another volume, however deep; its memory
//! does not grow with the tree but for files of several names (17 bytes each) and for links that must
//! get another text.

mod carried;
mod hard;
mod links;
mod names;
mod sharing;
mod walk;
pub(super) mod words;

pub use links::Leaving;
pub use walk::{look, unseen};

use crate::system::Facts;
use linkwell_model::entry::FileId;
use linkwell_model::holding::{Carried, Holding, Objection};
use linkwell_model::path::AbsPath;
use rustix::io::Errno;
use std::collections::BTreeMap;

/// So many places of a kind are named; the others are counted.
pub const MOST_NAMED: usize = 5;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What the volume that it stands on can hold.
    pub from: Holding,
    /// What the volume that it goes to can hold, if that is another one: within a volume nothing is
    /// copied, and nothing can be lost.
    pub to: Option<Holding>,
    /// The size of a block where it goes, in bytes (statvfs, `f_frsize`).
    pub block: u64,
    /// Gather the absolute links that lead into the old place, too, so that they can be rewritten.
    pub absolute: bool,
    /// Ask which room its files share among themselves: three calls more a file.
    pub sharing: bool,
    /// The folder that it goes to, and all that this one lies in.
    pub above_destination: Vec<FileId>,
    /// All about the folder that it goes to, which may give its own group to what is made in it.
    pub into: Option<Facts>,
}

impl Wanted {
    /// For something that stays on its volume. Files are only counted then, without a look at each:
    /// their sizes, names elsewhere and marks are left out.
    pub fn within(from: Holding) -> Self {
        Self {
            from,
            to: None,
            block: 4096,
            absolute: false,
            sharing: false,
            above_destination: Vec::new(),
            into: None,
        }
    }

    /// For something that is copied to a volume that can hold `to`.
    pub fn across(from: Holding, to: Holding, block: u64) -> Self {
        Self { to: Some(to), block, ..Self::within(from) }
    }
}

/// Places of one kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// How many there are.
    pub count: u64,
    /// The first of them.
    pub first: Vec<AbsPath>,
}

impl Named {
    pub(super) fn add(&mut self, place: impl FnOnce() -> AbsPath) {
        self.count += 1;
        if self.first.len() < MOST_NAMED {
            self.first.push(place());
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// What is in something that is to be moved, itself included.
#[derive(Clone, Debug, Default)]
pub struct Freight {
    /// Files; one of several names counts once a name.
    pub files: u64,
    /// Folders.
    pub folders: u64,
    /// Symbolic links.
    pub links: u64,
    /// Named pipes.
    pub pipes: Named,
    /// Sockets.
    pub sockets: Named,
    /// Devices.
    pub devices: Named,
    /// The lengths of its files in bytes, each file once.
    pub bytes: u64,
    /// The room that they take in bytes.
    pub stored: u64,
    /// The room that a copy takes where it goes, in bytes: whole blocks, and what folders and entries
    /// take. An estimate from above, but for what attributes take.
    pub needed: u64,
    /// How many inodes a copy takes.
    pub inodes: u64,
    /// The longest file.
    pub largest: Option<(u64, AbsPath)>,
    /// How many levels there are below it.
    pub deepest: usize,
    /// Files of several names, each once.
    pub grouped: u64,
    /// Files that have names elsewhere, too: from then on each would be a file of its own.
    pub split: Named,
    /// Files that share room with others in it, the first of each excepted; if that was asked for.
    pub sharing: Named,
    /// How many bytes these take more where that cannot be.
    pub shared: u64,
    /// Where other volumes are mounted in it, and automounts.
    pub mounted: Vec<AbsPath>,
    /// Where subvolumes of the same volume begin in it. They are not looked into.
    pub subvolumes: Named,
    /// Entries that nobody may change (`chattr +i`).
    pub immutable: Named,
    /// Entries that may only grow (`chattr +a`).
    pub append_only: Named,
    /// Files that this user cannot read.
    pub unread: Named,
    /// Folders that this user cannot list, or remove something from.
    pub closed: Named,
    /// Folders that this user cannot enter or list: what links are in them is not known.
    pub shut: Named,
    /// Entries of others' in a sticky folder, which this user cannot remove.
    pub foreign: Named,
    /// Entries of others', to whom this user cannot give the copy.
    pub others: Named,
    /// What could not be looked at, and the first reason.
    pub unseen: Named,
    /// The reason for the first of `unseen`.
    pub reason: Option<Errno>,
    /// What entries carry, all in all. Attributes, access lists and capabilities only where they had to
    /// be asked for.
    pub carried: Carried,
    /// What cannot be held where it goes.
    pub objections: BTreeMap<Objection, Named>,
    /// How many names would meet another one of the same folder there.
    pub clashes: u64,
    /// The first of them.
    pub clashing: Vec<(AbsPath, AbsPath)>,
    /// Relative links that stay inside, and so lead where they led.
    pub inner: u64,
    /// Relative links that leave it by `..`, all of them: a text that leads there from the new place
    /// is another one.
    pub leaving: Vec<Leaving>,
    /// Absolute links into the old place, which go on working through the link that is left there.
    pub absolute_in: u64,
    /// These, if they were asked for.
    pub absolute: Vec<Leaving>,
    /// Absolute links to elsewhere.
    pub absolute_out: u64,
    /// Links that led nowhere before.
    pub broken: Named,
    /// The destination lies in this folder, which is to be moved, or is it.
    pub destination: Option<AbsPath>,
}

impl Freight {
    /// How many entries there are.
    pub fn entries(&self) -> u64 {
        let special = self.pipes.count + self.sockets.count + self.devices.count;
        self.files + self.folders + self.links + special
    }

    fn unseen(&mut self, error: Errno, place: impl FnOnce() -> AbsPath) {
        self.reason.get_or_insert(error);
        self.unseen.add(place);
    }

    fn marks(&mut self, facts: &Facts, place: impl Fn() -> AbsPath) {
        if facts.marks.immutable {
            self.immutable.add(&place);
        }
        if facts.marks.append_only {
            self.append_only.add(&place);
        }
        self.carried.flags |= facts.marks.others;
    }
}
