//! One thread of a scan: reads folders, hands out what it finds, and leaves the folders below for
//! whoever is free.

use super::crew::Crew;
use super::points::PointsAt;
use super::siblings::Siblings;
use super::task::{Batch, Below, Task, Volume, What};
use super::watch::{Doing, Watch};
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
        self.crew.watch.get(self.number).is_some_and(Watch::is_left)
    }

    /// Says that a look begins from which this thread may never come back.
    fn begin(&mut self, doing: Doing) {
        if let Some(watch) = self.crew.watch.get(self.number) {
            self.visitor.settle();
            watch.begin(self.started, doing);
        }
    }

    /// Says that it came back; `false` when nobody waits for it any more.
    fn finish(&self) -> bool {
        self.crew.watch.get(self.number).is_none_or(Watch::finish)
    }

    /// Does the next part of a task and leaves the rest of it to be taken by anyone.
    fn take(&mut self, mut task: Task) {
        if task.what == What::Root {
            return self.enter_root(&task);
        }
        let rest = task.names.get(task.next..).unwrap_or_default();
        let Ok(name) = CStr::from_bytes_until_nul(rest) else { return };
        let name = name.to_owned();
        task.next += name.as_bytes_with_nul().len();
        let (root, parent) = (Arc::clone(&task.root), Arc::clone(&task.folder));
        let (what, points, volume) = (task.what, task.points.clone(), task.volume);
        if task.next < task.names.len() {
            self.crew.push(&self.own, task);
        }
        if what == What::Links {
            return self.judge_with_care(&root, &parent, name.to_bytes(), volume);
        }
        let inner = points.and_then(|points| points.at(name.to_bytes())).map(|(_, inner)| inner);
        self.enter(&root, &parent, &name, inner, volume);
    }

    fn enter_root(&mut self, task: &Task) {
        let folder = &task.folder;
        if task.volume.remote {
            self.begin(Doing::Folder(task.root.typed.clone()));
        }
        let opened = match folder.descriptor() {
            // Opening `.` would need the right to search, and reading does not.
            Some(held) => rustix::io::fcntl_dupfd_cloexec(held, 0),
            None => self.crew.system.open_typed(&task.root.typed, Access::List),
        };
        match opened {
            Ok(held) => self.read(&task.root, folder, held, task.points.clone(), task.volume),
            Err(error) if self.finish() => {
                let path = task.root.typed.clone();
                self.visitor.problem(Problem { path, trouble: Trouble::System(error) });
            }
            Err(_) => {}
        }
    }

    fn enter(
        &mut self,
        root: &Arc<Root>,
        parent: &Arc<Folder>,
        name: &CStr,
        points: Option<PointsAt>,
        volume: Volume,
    ) {
        if volume.remote {
            self.begin(Doing::Folder(root.path_of(parent, name.to_bytes())));
        }
        let held = match self.open_child(parent, name) {
            Ok(held) => held,
            Err(error) => {
                if self.finish() {
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
        self.read(root, &folder, held, points, volume);
    }

    /// Judges a link that may lead to where nobody answers.
    fn judge_with_care(
        &mut self,
        root: &Arc<Root>,
        folder: &Arc<Folder>,
        name: &[u8],
        volume: Volume,
    ) {
        let (in_root, in_folder) = (Arc::clone(root), Arc::clone(folder));
        let remote = volume.remote;
        self.begin(Doing::Link { root: in_root, folder: in_folder, name: name.into(), remote });
        let opened = folder.open(self.crew.system, Access::Hold);
        match opened {
            Ok(held) => {
                let found = Found::new(folder, held.as_fd(), name);
                let watch = self.crew.watch.get(self.number);
                let claim = || watch.is_none_or(Watch::finish);
                self.visitor.link(root, found, &Siblings::default(), &claim);
            }
            Err(error) if self.finish() => {
                let path = root.path_of(folder, name);
                self.visitor.problem(Problem { path, trouble: Trouble::System(error) });
            }
            Err(_) => {}
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
                    let found = Found::new(parent, held.as_fd(), name.to_bytes());
                    self.visitor.link(root, found, &Siblings::default(), &|| true);
                    self.crew.handle.progress.links.fetch_add(1, Ordering::Relaxed);
                }
            }
            other => {
                let path = root.path_of(parent, name.to_bytes());
                self.visitor.problem(Problem { path, trouble: Trouble::System(other) });
            }
        }
    }

    /// Reads one folder, gives its links, and leaves what lies below as tasks.
    fn read(
        &mut self,
        root: &Arc<Root>,
        folder: &Arc<Folder>,
        held: OwnedFd,
        points: Option<PointsAt>,
        volume: Volume,
    ) {
        let crew = Arc::clone(&self.crew);
        let (mut below, mut entries) = (Below::default(), 0_u64);
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut batch = std::mem::take(&mut self.batch);
        let listed = crew.system.list(held.as_fd(), &mut buffer, volume.end, |entry| {
            entries += 1;
            let found = Found::new(folder, held.as_fd(), entry.name.to_bytes());
            if V::ENTRIES {
                self.visitor.entry(found, entry);
            }
            match self.kind(root, found, entry) {
                None => {}
                Some(EntryKind::Folder) => below.add_folder(points.as_ref(), entry.name),
                Some(EntryKind::Symlink) if volume.remote => below.add_link(entry.name.to_bytes()),
                Some(EntryKind::Symlink) => batch.add_link(entry.name),
                Some(other) => {
                    if other == EntryKind::File {
                        batch.files.add(entry.name);
                    }
                    if crew.options.files_too {
                        self.visitor.file(root, found, other);
                    }
                }
            }
            if batch.is_full() {
                self.give(root, folder, held.as_fd(), &mut batch, &mut below);
            }
            !crew.handle.stop.load(Ordering::Relaxed)
        });
        self.buffer = buffer;
        if !self.finish() {
            return;
        }
        self.give(root, folder, held.as_fd(), &mut batch, &mut below);
        self.batch = batch;
        crew.handle.progress.entries.fetch_add(entries, Ordering::Relaxed);
        if let Err(error) = listed {
            let path = root.path_of(folder, b"");
            self.visitor.problem(Problem { path, trouble: Trouble::System(error) });
        }
        if crew.options.files_too {
            self.visitor.folder_read(root, Found::new(folder, held.as_fd(), b""));
        }
        self.leave(root, folder, held, below, points, volume);
    }

    /// The kind of an entry; `None` when it has gone, or could not be looked at, which is told.
    fn kind(&mut self, root: &Arc<Root>, found: Found<'_>, entry: Listed<'_>) -> Option<EntryKind> {
        if entry.kind.is_some() {
            return entry.kind;
        }
        match self.crew.system.status(found.held, entry.name, Links::Kept) {
            Ok(status) => Some(status.kind),
            Err(Errno::NOENT) => None,
            Err(error) => {
                let path = root.path_of(found.folder, found.name);
                self.visitor.problem(Problem { path, trouble: Trouble::System(error) });
                None
            }
        }
    }

    /// Gives the links of a batch, and empties it. Those that may lead to where nobody answers
    /// are put off.
    fn give(
        &mut self,
        root: &Arc<Root>,
        folder: &Arc<Folder>,
        held: BorrowedFd<'_>,
        batch: &mut Batch,
        below: &mut Below,
    ) {
        let crew = Arc::clone(&self.crew);
        let careful = crew.volumes.may_hang();
        for name in batch.links.split(|&byte| byte == 0).filter(|name| !name.is_empty()) {
            if crew.handle.stop.load(Ordering::Relaxed) {
                break;
            }
            let found = Found::new(folder, held, name);
            if !careful {
                self.visitor.link(root, found, &batch.files, &|| true);
            } else if !self.visitor.link_at_once(root, found, &batch.files) {
                below.add_link(name);
            }
        }
        crew.handle.progress.links.fetch_add(batch.count, Ordering::Relaxed);
        batch.clear();
    }

    /// Leaves what was found below as tasks.
    fn leave(
        &mut self,
        root: &Arc<Root>,
        folder: &Arc<Folder>,
        held: OwnedFd,
        below: Below,
        points: Option<PointsAt>,
        volume: Volume,
    ) {
        if below.names.is_empty() && below.links.is_empty() && below.crossings.is_empty() {
            return;
        }
        // The tasks need a way in, before anyone can take them: this descriptor, if it may be
        // kept.
        if let Some(held) = folder.keep(held, &self.crew.budget) {
            self.last = Some((Arc::clone(folder), held));
        }
        for (name, mount) in below.crossings {
            self.cross(root, folder, &name, mount, points.as_ref());
        }
        for (what, names) in [(What::Links, below.links), (What::Folders, below.names)] {
            if !names.is_empty() {
                let more = Task {
                    what,
                    root: Arc::clone(root),
                    folder: Arc::clone(folder),
                    names: names.into_boxed_slice(),
                    next: 0,
                    points: points.clone(),
                    volume,
                };
                self.crew.push(&self.own, more);
            }
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
            what: What::Folders,
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
