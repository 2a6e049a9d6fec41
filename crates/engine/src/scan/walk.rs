//! One thread of a scan: reads folders, hands out what it finds, and leaves the folders below for
//! whoever is free.

use super::crew::Crew;
use super::points::PointsAt;
use super::siblings::Siblings;
use super::{Problem, Root, Trouble, Visitor};
use crate::folder::Folder;
use crate::judge::Found;
use crate::system::{Access, EndMark, Links, Listed};
use crossbeam_deque::Worker;
use linkwell_model::entry::EntryKind;
use linkwell_model::volume::{self, Manner};
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// What getdents64 is given room for. 4, 32 and 256 KiB made no difference (measured).
const LISTING: usize = 32 * 1024;

/// How often a full table of descriptors is waited for, a millisecond each.
const DESCRIPTOR_TRIES: usize = 200;

/// What is the same for all folders of one volume below one root.
#[derive(Clone, Copy, Debug)]
struct Volume {
    end: EndMark,
    /// Reading may hang.
    remote: bool,
    /// The device, where crossings must be seen by it since mountinfo is not to be had.
    device: Option<u64>,
}

/// Folders to be read.
pub(super) struct Task {
    root: Arc<Root>,
    /// The folder that holds them, or for a root the folder itself.
    folder: Arc<Folder>,
    /// Their names, each ended by a NUL; empty for a root.
    names: Box<[u8]>,
    /// Where the next name begins.
    next: usize,
    points: Option<PointsAt>,
    volume: Volume,
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
        Self { root, folder, names: Box::default(), next: 0, points, volume }
    }
}

/// Names of folders found in one listing, still to be entered.
#[derive(Default)]
struct Below {
    names: Vec<u8>,
    crossings: Vec<(Box<[u8]>, u64)>,
}

/// Entries of one folder are taken in batches of this many, so that a folder of a million needs
/// no more memory than one of a thousand.
const BATCH: usize = 4096;

/// Part of one folder's entries: its links, and the files beside them.
#[derive(Default)]
struct Batch {
    links: Vec<u8>,
    count: u64,
    files: Siblings,
    entries: usize,
}

impl Batch {
    fn add_link(&mut self, name: &CStr) {
        self.links.extend_from_slice(name.to_bytes_with_nul());
        self.count += 1;
        self.entries += 1;
    }

    fn is_full(&self) -> bool {
        self.entries + self.files.count >= BATCH
    }

    fn clear(&mut self) {
        self.links.clear();
        self.files.clear();
        (self.count, self.entries) = (0, 0);
    }
}

pub(super) struct Walker<V> {
    crew: Arc<Crew>,
    own: Worker<Task>,
    number: usize,
    visitor: V,
    buffer: Vec<MaybeUninit<u8>>,
    batch: Batch,
    /// The folder read last, when its descriptor did not fit the budget: its children come next.
    last: Option<(Arc<Folder>, OwnedFd)>,
    started: Instant,
}

impl<V: Visitor> Walker<V> {
    pub(super) fn new(
        crew: Arc<Crew>,
        own: Worker<Task>,
        number: usize,
        visitor: V,
        started: Instant,
    ) -> Self {
        let buffer = vec![MaybeUninit::uninit(); LISTING];
        Self { crew, own, number, visitor, buffer, batch: Batch::default(), last: None, started }
    }

    pub(super) fn work(mut self) {
        while let Some(task) = self.crew.next(&self.own, self.number) {
            self.take(task);
            if self.was_left() {
                return;
            }
            self.crew.done();
            self.visitor.pause();
        }
        self.visitor.settle();
    }

    fn was_left(&self) -> bool {
        self.crew.watch.get(self.number).is_some_and(|watch| watch.left.load(Ordering::Acquire))
    }

    /// Reads the next folder of a task and leaves the rest of it to be taken by anyone.
    fn take(&mut self, mut task: Task) {
        if task.names.is_empty() {
            let folder = Arc::clone(&task.folder);
            let Some(held) = folder.descriptor() else {
                return;
            };
            let below = self.read(&task.root, &folder, held, task.points.as_ref(), task.volume);
            self.leave(&task.root, &folder, below, task.points, task.volume);
            return;
        }
        let rest = task.names.get(task.next..).unwrap_or_default();
        let Ok(name) = CStr::from_bytes_until_nul(rest) else {
            return;
        };
        let name = name.to_owned();
        task.next += name.as_bytes_with_nul().len();
        let (root, parent) = (Arc::clone(&task.root), Arc::clone(&task.folder));
        let (points, volume) = (task.points.clone(), task.volume);
        if task.next < task.names.len() {
            self.crew.push(&self.own, task);
        }
        let inner = points.and_then(|points| points.at(name.to_bytes())).map(|(_, inner)| inner);
        self.enter(&root, &parent, &name, inner, volume);
    }

    fn enter(
        &mut self,
        root: &Arc<Root>,
        parent: &Arc<Folder>,
        name: &CStr,
        points: Option<PointsAt>,
        volume: Volume,
    ) {
        self.watch(root, parent, name, volume);
        let opened = self.open_child(parent, name);
        let held = match opened {
            Ok(held) => held,
            Err(error) => {
                self.unwatch(volume);
                if !self.was_left() {
                    self.refused(root, parent, name, error);
                }
                return;
            }
        };
        if let Some(device) = volume.device
            && !self.crew.options.cross_volumes
            && self.crew.system.status_of(held.as_fd()).is_ok_and(|now| now.id.device != device)
        {
            self.visitor.other_volume(root.path_of(parent, name.to_bytes()));
            return;
        }
        parent.was_searched();
        let folder = Folder::below(parent, name.to_bytes());
        let below = self.read(root, &folder, held.as_fd(), points.as_ref(), volume);
        self.unwatch(volume);
        if below.names.is_empty() && below.crossings.is_empty() {
            return;
        }
        // The tasks below need a way in, before anyone can take them: this descriptor, if it may
        // be kept.
        if let Some(held) = folder.keep(held, &self.crew.budget) {
            self.last = Some((Arc::clone(&folder), held));
        }
        self.leave(root, &folder, below, points, volume);
    }

    fn watch(&mut self, root: &Root, parent: &Folder, name: &CStr, volume: Volume) {
        if volume.remote
            && let Some(watch) = self.crew.watch.get(self.number)
        {
            self.visitor.settle();
            watch.begin(self.started, root.path_of(parent, name.to_bytes()));
        }
    }

    fn unwatch(&self, volume: Volume) {
        if volume.remote
            && let Some(watch) = self.crew.watch.get(self.number)
        {
            watch.end();
        }
    }

    fn open_child(&mut self, parent: &Arc<Folder>, name: &CStr) -> Result<OwnedFd, Errno> {
        let system = self.crew.system;
        let mut tries = 0;
        loop {
            let opened = if let Some(held) = parent.descriptor() {
                system.open(held, name, Access::List)
            } else if let Some((folder, held)) = &self.last
                && Arc::ptr_eq(folder, parent)
            {
                system.open(held.as_fd(), name, Access::List)
            } else {
                Folder::below(parent, name.to_bytes()).open(system, Access::List)
            };
            match opened {
                Err(Errno::INTR) => {}
                // Other threads hold descriptors for a moment only.
                Err(Errno::MFILE | Errno::NFILE) if tries < DESCRIPTOR_TRIES => {
                    self.last = None;
                    std::thread::sleep(Duration::from_millis(1));
                    tries += 1;
                }
                answer => return answer,
            }
        }
    }

    /// A folder that was listed could not be opened.
    fn refused(&mut self, root: &Arc<Root>, parent: &Arc<Folder>, name: &CStr, error: Errno) {
        match error {
            // It has gone since it was listed: there is nothing to look at.
            Errno::NOENT => {}
            // It has been replaced since it was listed; a link in its place is a link found.
            Errno::LOOP | Errno::NOTDIR => {
                let system = self.crew.system;
                let Ok(held) = parent.open(system, Access::Hold) else {
                    return;
                };
                let now = system.status(held.as_fd(), name, Links::Kept);
                if now.is_ok_and(|now| now.kind == EntryKind::Symlink) {
                    let found = Found { folder: parent, held: held.as_fd(), name: name.to_bytes() };
                    self.visitor.link(root, found, &Siblings::default());
                    self.crew.handle.progress.links.fetch_add(1, Ordering::Relaxed);
                }
            }
            other => {
                let path = root.path_of(parent, name.to_bytes());
                self.visitor.problem(Problem { path, trouble: Trouble::System(other) });
            }
        }
    }

    /// Reads one folder and gives its links; what is left are the folders below it.
    fn read(
        &mut self,
        root: &Arc<Root>,
        folder: &Arc<Folder>,
        held: BorrowedFd<'_>,
        points: Option<&PointsAt>,
        volume: Volume,
    ) -> Below {
        let crew = Arc::clone(&self.crew);
        let mut below = Below::default();
        let mut entries = 0_u64;
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut batch = std::mem::take(&mut self.batch);
        let listed = crew.system.list(held, &mut buffer, volume.end, |entry| {
            entries += 1;
            let kind = match entry.kind {
                Some(kind) => kind,
                None => match crew.system.status(held, entry.name, Links::Kept) {
                    Ok(status) => status.kind,
                    // It has gone since it was listed.
                    Err(_) => return true,
                },
            };
            match kind {
                EntryKind::Folder => note_folder(&mut below, points, entry),
                EntryKind::Symlink => batch.add_link(entry.name),
                other => {
                    if other == EntryKind::File {
                        batch.files.add(entry.name);
                    }
                    if crew.options.files_too {
                        let name = entry.name.to_bytes();
                        self.visitor.file(root, Found { folder, held, name }, other);
                    }
                }
            }
            if batch.is_full() {
                self.give(root, folder, held, &mut batch);
            }
            !crew.handle.stop.load(Ordering::Relaxed)
        });
        self.give(root, folder, held, &mut batch);
        self.buffer = buffer;
        self.batch = batch;
        if self.was_left() {
            return Below::default();
        }
        crew.handle.progress.entries.fetch_add(entries, Ordering::Relaxed);
        if let Err(error) = listed {
            let path = root.path_of(folder, b"");
            self.visitor.problem(Problem { path, trouble: Trouble::System(error) });
        }
        if crew.options.files_too {
            self.visitor.folder_read(root, Found { folder, held, name: b"" });
        }
        below
    }

    /// Gives the links of a batch, and empties it.
    fn give(
        &mut self,
        root: &Arc<Root>,
        folder: &Arc<Folder>,
        held: BorrowedFd<'_>,
        batch: &mut Batch,
    ) {
        let crew = Arc::clone(&self.crew);
        for name in batch.links.split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
            if crew.handle.stop.load(Ordering::Relaxed) {
                break;
            }
            self.visitor.link(root, Found { folder, held, name }, &batch.files);
        }
        crew.handle.progress.links.fetch_add(batch.count, Ordering::Relaxed);
        batch.clear();
    }

    /// Leaves the folders found below as tasks.
    fn leave(
        &mut self,
        root: &Arc<Root>,
        folder: &Arc<Folder>,
        below: Below,
        points: Option<PointsAt>,
        volume: Volume,
    ) {
        for (name, mount) in below.crossings {
            self.cross(root, folder, &name, mount, points.as_ref());
        }
        if !below.names.is_empty() {
            let more = Task {
                root: Arc::clone(root),
                folder: Arc::clone(folder),
                names: below.names.into_boxed_slice(),
                next: 0,
                points,
                volume,
            };
            self.crew.push(&self.own, more);
        }
    }

    /// A mount point: entered only if asked, never if that would wake or hang something.
    fn cross(
        &mut self,
        root: &Arc<Root>,
        folder: &Arc<Folder>,
        name: &[u8],
        mount: u64,
        points: Option<&PointsAt>,
    ) {
        let crew = Arc::clone(&self.crew);
        let path = || root.path_of(folder, name);
        let Some(mount) = crew.volumes.mounts().by_id(mount) else {
            return;
        };
        let manner = volume::manner(&mount.fs_type);
        if manner == Manner::Virtual && !crew.options.virtual_too {
            return;
        }
        if !crew.options.cross_volumes {
            self.visitor.other_volume(path());
            return;
        }
        if !crew.volumes.answers(mount) {
            let trouble = match manner {
                Manner::OnDemand => Trouble::OnDemand,
                _ => Trouble::NoAnswer,
            };
            self.visitor.problem(Problem { path: path(), trouble });
            return;
        }
        let mut names = name.to_vec();
        names.push(0);
        // Another volume may list differently; the extra read is right everywhere.
        let volume =
            Volume { end: EndMark::EmptyRead, remote: manner == Manner::Remote, device: None };
        let more = Task {
            root: Arc::clone(root),
            folder: Arc::clone(folder),
            names: names.into_boxed_slice(),
            next: 0,
            points: points.cloned(),
            volume,
        };
        crew.push(&self.own, more);
    }
}

fn note_folder(below: &mut Below, points: Option<&PointsAt>, entry: Listed<'_>) {
    let name = entry.name;
    if let Some((Some(mount), _)) = points.and_then(|points| points.at(name.to_bytes())) {
        below.crossings.push((name.to_bytes().into(), mount));
        return;
    }
    below.names.extend_from_slice(name.to_bytes_with_nul());
}
