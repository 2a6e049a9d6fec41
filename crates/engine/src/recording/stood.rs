//! Whether links that are not there were deleted, or went with the volume that they stood on.
//!
//! A mount point that was left looks like an empty folder, and not every one is known beforehand. What is on
//! record tells: the number of a link's device, and which volume that was, if what the link led to lay
//! on it, too; what is so known of a device counts for all links that stood on it.

use crate::catalogue::links::Entry;
use crate::folder::Folder;
use crate::system::{Access, System};
use linkwell_model::path::AbsPath;
use linkwell_model::volume_id::VolumeId;
use rustix::fd::AsFd as _;
use rustix::io::Errno;
use std::collections::HashMap;

/// As statfs(2) numbers types of file systems (linux/magic.h).
const OVERLAY: u64 = 0x794c_7630;

/// What a folder lies on.
#[derive(Clone, Copy, Debug)]
struct Ground {
    device: u64,
    volume: Option<VolumeId>,
}

/// A link of which only the number of its device is known.
#[derive(Clone, Copy, Debug)]
struct Numbered {
    number: i64,
    device: u64,
    /// Whether what is where it stood has that number.
    is_there: bool,
}

/// Takes one link after the other; neighbours are asked about once.
pub(super) struct Stood {
    system: System,
    last: Option<(AbsPath, Option<Ground>)>,
    deleted: Vec<i64>,
    away: Vec<i64>,
    numbered: Vec<Numbered>,
    /// Whether the volumes that had these numbers are where links stood on them; `false` if one is not.
    devices: HashMap<u64, bool>,
}

impl Stood {
    pub(super) fn new(system: System) -> Self {
        let (deleted, away, numbered) = (Vec::new(), Vec::new(), Vec::new());
        Self { system, last: None, deleted, away, numbered, devices: HashMap::new() }
    }

    /// Takes a link that is not there.
    pub(super) fn take(&mut self, entry: &Entry) {
        let Some(now) = self.ground(&entry.link.folder) else {
            return self.away.push(entry.id);
        };
        let (number, device) = (entry.id, entry.link.id.device);
        let target = entry.target.as_ref().filter(|target| target.device == device);
        let was = target.and_then(|target| target.volume);
        // What is in memory never comes back.
        let known = was.and_then(|was| {
            let is = || now.volume.and_then(|is| was.is_on_one_with(&is));
            if was.is_in_memory() { Some(true) } else { is() }
        });
        if let Some(is_there) = known {
            *self.devices.entry(device).or_insert(true) &= is_there;
            return if is_there { self.deleted.push(number) } else { self.away.push(number) };
        }
        // The layers of an overlay have numbers of their own.
        let layer = now.volume.is_some_and(|is| is.kind == OVERLAY);
        let is_there = device == now.device || layer && rustix::fs::major(device) == 0;
        self.numbered.push(Numbered { number, device, is_there });
    }

    /// Those that were deleted, and those whose volume is not where they stood. In doubt it is not: a link that
    /// is kept can be forgotten at any time, and what was chosen for one that is forgotten is lost.
    pub(super) fn told_apart(mut self) -> (Vec<i64>, Vec<i64>) {
        for one in self.numbered {
            if self.devices.get(&one.device).copied().unwrap_or(one.is_there) {
                self.deleted.push(one.number);
            } else {
                self.away.push(one.number);
            }
        }
        (self.deleted, self.away)
    }

    /// What the nearest folder lies on that is still there.
    fn ground(&mut self, folder: &AbsPath) -> Option<Ground> {
        if let Some((place, ground)) = &self.last
            && place == folder
        {
            return *ground;
        }
        let ground = self.look(folder);
        self.last = Some((folder.clone(), ground));
        ground
    }

    fn look(&self, folder: &AbsPath) -> Option<Ground> {
        let (mut place, root) = (folder.clone(), AbsPath::root());
        let held = loop {
            match Folder::of_place(&place).open(self.system, Access::Hold) {
                Ok(held) => break held,
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) if place != root => place.pop(),
                Err(_) => return None,
            }
        };
        let device = self.system.facts_of(held.as_fd()).ok()?.id.device;
        Some(Ground { device, volume: self.system.volume_of(held.as_fd()) })
    }
}
