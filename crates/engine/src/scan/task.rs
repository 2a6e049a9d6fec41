//! What there is to do in a scan, and what one listing leaves to be done.

use super::Root;
use super::crew::Crew;
use super::points::PointsAt;
use super::siblings::Siblings;
use crate::folder::Folder;
use crate::system::EndMark;
use linkwell_model::volume::{self, Manner};
use std::ffi::CStr;
use std::sync::Arc;

/// What is the same for all folders of one volume below one root.
#[derive(Clone, Copy, Debug)]
pub(super) struct Volume {
    pub(super) end: EndMark,
    /// Reading may hang.
    pub(super) remote: bool,
    /// The device, where crossings must be seen by it since mountinfo is not to be had.
    pub(super) device: Option<u64>,
}

/// What a task is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// The task's folder itself.
    Root,
    /// Folders in it, to be read.
    Folders,
    /// Links in it that may lead to where nobody answers, to be judged one by one.
    Links,
}

/// Something to be looked at.
pub(super) struct Task {
    pub(super) what: What,
    pub(super) root: Arc<Root>,
    pub(super) folder: Arc<Folder>,
    /// Names in the folder, each ended by a NUL.
    pub(super) names: Box<[u8]>,
    /// Where the next name begins.
    pub(super) next: usize,
    pub(super) points: Option<PointsAt>,
    pub(super) volume: Volume,
}

impl Task {
    /// The task to read a root and all below it.
    pub(super) fn root(crew: &Crew, root: Arc<Root>, folder: Arc<Folder>, end: EndMark) -> Self {
        let mounts = crew.volumes.mounts();
        let mount = mounts.covering(&root.place);
        let remote = mount.is_some_and(|mount| volume::manner(&mount.fs_type) == Manner::Remote);
        let device =
            mounts.is_empty().then(|| folder.id(crew.system).map(|id| id.device)).flatten();
        let points = PointsAt::below(mounts, &root.place);
        let volume = Volume { end, remote, device };
        Self { what: What::Root, root, folder, names: Box::default(), next: 0, points, volume }
    }
}

/// What one listing leaves to be done.
#[derive(Default)]
pub(super) struct Below {
    /// Folders to be entered.
    pub(super) names: Vec<u8>,
    /// Links to be judged with care.
    pub(super) links: Vec<u8>,
    /// Mount points.
    pub(super) crossings: Vec<(Box<[u8]>, u64)>,
}

impl Below {
    /// A folder was listed: it is to be entered, or it is a mount point.
    pub(super) fn add_folder(&mut self, points: Option<&PointsAt>, name: &CStr) {
        if let Some((Some(mount), _)) = points.and_then(|points| points.at(name.to_bytes())) {
            self.crossings.push((name.to_bytes().into(), mount));
            return;
        }
        self.names.extend_from_slice(name.to_bytes_with_nul());
    }

    pub(super) fn add_link(&mut self, name: &[u8]) {
        self.links.extend_from_slice(name);
        self.links.push(0);
    }
}

/// Entries of one folder are taken in batches of this many, so that a folder of a million needs
/// no more memory than one of a thousand.
const BATCH: usize = 4096;

/// Part of one folder's entries: its links, and the files beside them.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) links: Vec<u8>,
    pub(super) count: u64,
    pub(super) files: Siblings,
    pub(super) entries: usize,
}

impl Batch {
    pub(super) fn add_link(&mut self, name: &CStr) {
        self.links.extend_from_slice(name.to_bytes_with_nul());
        self.count += 1;
        self.entries += 1;
    }

    pub(super) fn is_full(&self) -> bool {
        self.entries + self.files.count >= BATCH
    }

    pub(super) fn clear(&mut self) {
        self.links.clear();
        self.files.clear();
        (self.count, self.entries) = (0, 0);
    }
}
