//! A scan whose links come judged.
//!
//! Each thread judges what it finds with a resolver of its own and hands it to a sink of its own;
//! only the counts and the set of destinations already seen are shared.

pub use super::item::{Item, Sink, Wanted};

use super::shortcuts::{self, Pointed};
use super::{Handle, Problem, Progress, Root, Siblings, Trouble, Visitor, binds, hard};
use crate::folder::Folder;
use crate::judge::{self, Depth, Found, Verdict};
use crate::live::Live;
use crate::system::System;
use crate::volumes::Volumes;
use hashbrown::HashSet;
use linkwell_model::entry::{EntryKind, FileId, LinkKind};
use linkwell_model::health::Health;
use linkwell_model::keep::link::Terms;
use linkwell_model::note::{Note, Notes};
use linkwell_model::path::AbsPath;
use linkwell_model::tally::Tally;
use linkwell_model::target::Target;
use rustix::io::Errno;
use std::sync::{Arc, Mutex, PoisonError};

const SHARDS: usize = 16;

/// Destinations that some link has led to.
#[derive(Debug, Default)]
pub(super) struct Destinations([Mutex<HashSet<(usize, FileId)>>; SHARDS]);

impl Destinations {
    /// Notes a destination below one root; `true` when it was known.
    fn again(&self, root: &Arc<Root>, id: FileId) -> bool {
        let shard = usize::try_from(id.inode).unwrap_or_default() % SHARDS;
        let Some(shard) = self.0.get(shard) else {
            return false;
        };
        let key = (Arc::as_ptr(root).addr(), id);
        !shard.lock().unwrap_or_else(PoisonError::into_inner).insert(key)
    }
}

/// What the threads share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) tally: Mutex<Tally>,
    destinations: Destinations,
    pub(super) roots: Mutex<Vec<Arc<Root>>>,
    names: hard::Names,
}

/// Scans `typed` and gives each link, judged, to a sink; returns the counts.
///
/// With [`Handle::stop`] set meanwhile, what was found so far was given and is counted.
pub fn scan<S: Sink>(
    system: System,
    volumes: &Arc<Volumes>,
    wanted: &Wanted,
    typed: &[Vec<u8>],
    handle: &Handle,
    sink: impl Fn() -> S + Send + Sync + 'static,
    tick: impl FnMut(&Progress),
) -> Tally {
    let shared = Arc::new(Shared::default());
    let sink = Arc::new(sink);
    let judging = {
        let (shared, sink) = (Arc::clone(&shared), Arc::clone(&sink));
        let (volumes, wanted) = (Arc::clone(volumes), wanted.clone());
        move || Judging::new(system, &volumes, &wanted, Arc::clone(&shared), sink())
    };
    let mut last = judging();
    let mut options = wanted.options.clone();
    options.files_too = wanted.hard || wanted.shortcuts;
    super::scan(system, volumes, &options, typed, handle, judging, tick);
    last.tell_binds(volumes);
    last.tell_groups();
    last.settle();
    let mut tally = shared.tally.lock().unwrap_or_else(PoisonError::into_inner).clone();
    tally.entries = handle.progress.entries();
    tally
}

pub(super) struct Judging<S> {
    pub(super) live: Live,
    wanted: Wanted,
    shared: Arc<Shared>,
    pub(super) sink: S,
    tally: Tally,
    target: Vec<u8>,
    /// The path of the folder whose links come now, and how long it is.
    pub(super) path: Vec<u8>,
    prefix: usize,
    path_of: Option<Arc<Folder>>,
    root: Option<Arc<Root>>,
    /// The text that is on record of the link that comes next; a link with another one is *retargeted*.
    pub(super) recorded: Option<(Target, Terms)>,
}

impl<S: Sink> Judging<S> {
    pub(super) fn new(
        system: System,
        volumes: &Arc<Volumes>,
        wanted: &Wanted,
        shared: Arc<Shared>,
        sink: S,
    ) -> Self {
        Self {
            live: Live::new(system, Arc::clone(volumes)),
            wanted: wanted.clone(),
            shared,
            sink,
            tally: Tally::default(),
            target: Vec::new(),
            path: Vec::new(),
            prefix: 0,
            path_of: None,
            root: None,
            recorded: None,
        }
    }

    /// Makes `self.path` the path of an entry.
    pub(super) fn set_path(&mut self, root: &Arc<Root>, found: Found<'_>) {
        let same_root = self.root.as_ref().is_some_and(|known| Arc::ptr_eq(known, root));
        let same_folder =
            self.path_of.as_ref().is_some_and(|known| Arc::ptr_eq(known, found.folder));
        if !same_root {
            self.root = Some(Arc::clone(root));
        }
        if !same_root || !same_folder {
            self.path = root.prefix(found.folder);
            self.prefix = self.path.len();
            self.path_of = Some(Arc::clone(found.folder));
        }
        self.path.truncate(self.prefix);
        if root.top.is_some() {
            self.path.extend_from_slice(found.name);
        }
    }

    pub(super) fn give(&mut self, item: &Item<'_>) {
        self.tally.count(item.health, item.notes);
        self.sink.item(item);
    }

    /// Gives a shortcut or stub, whose text was read from a file.
    fn give_pointed(&mut self, root: &Arc<Root>, found: Found<'_>, pointed: &Pointed) {
        let verdict = shortcuts::judge(&mut self.live, found, pointed, &root.place);
        let path = std::mem::take(&mut self.path);
        self.give(&Item {
            path: &path,
            kind: pointed.kind,
            target: Some(pointed.text()),
            health: verdict.health,
            notes: verdict.notes,
            physical: verdict.physical(),
            hops: verdict.chain.as_ref().map_or(0, |chain| chain.hops.len()),
            ends_at: verdict.ends_at(),
            absent: verdict.absent.as_ref(),
            group: None,
            record: None,
            verdict: Some(&verdict),
        });
        self.path = path;
    }

    pub(super) fn tell_binds(&mut self, volumes: &Volumes) {
        let roots =
            std::mem::take(&mut *self.shared.roots.lock().unwrap_or_else(PoisonError::into_inner));
        for root in &roots {
            for found in binds::below(volumes, root, self.wanted.options.virtual_too) {
                let mut notes = Notes::default();
                let target = found.bind.target.as_ref();
                notes.add_if(Note::Outer, target.is_some_and(|to| !to.is_at_or_below(&root.place)));
                let cycle = target.is_some_and(|to| found.place.is_at_or_below(to));
                notes.add_if(Note::Cycle, cycle);
                notes.add(Note::Absolute);
                let health = if found.bind.deleted { Health::Broken } else { Health::Ok };
                let text = target.map_or(found.bind.mount.root.as_slice(), AbsPath::as_bytes);
                self.give(&Item {
                    path: &found.path,
                    kind: LinkKind::Bind,
                    target: Some(text),
                    health,
                    notes,
                    physical: (health == Health::Ok).then(|| target.cloned()).flatten(),
                    hops: 1,
                    ends_at: None,
                    absent: None,
                    group: None,
                    record: None,
                    verdict: None,
                });
            }
        }
    }

    fn tell_groups(&mut self) {
        let shared = Arc::clone(&self.shared);
        for (group, paths) in shared.names.groups() {
            for path in paths {
                self.give(&Item {
                    path: &path,
                    kind: LinkKind::HardLink,
                    target: None,
                    health: Health::Ok,
                    notes: Notes::default(),
                    physical: None,
                    hops: 0,
                    ends_at: None,
                    absent: None,
                    group: Some(group),
                    record: None,
                    verdict: None,
                });
            }
        }
    }
}

impl<S: Sink> Visitor for Judging<S> {
    fn root(&mut self, root: &Arc<Root>) {
        self.shared.roots.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(root));
    }

    fn link(
        &mut self,
        root: &Arc<Root>,
        found: Found<'_>,
        files: &Siblings,
        claim: &dyn Fn() -> bool,
    ) {
        let mut target = std::mem::take(&mut self.target);
        let group = self.wanted.hard.then(|| self.names_of_link(found)).flatten();
        let judged = self.judge(root, found, files, &mut target);
        if !claim() {
            return;
        }
        if let Some((text, mut verdict)) = judged {
            if let Some((recorded, _)) = &self.recorded
                && text
                && verdict.health == Health::Ok
                && *recorded.as_bytes() != *target
            {
                verdict.health = Health::Retargeted;
            }
            self.set_path(root, found);
            let path = std::mem::take(&mut self.path);
            let everything = self.wanted.depth == Depth::Everything;
            self.give(&Item {
                path: &path,
                kind: LinkKind::Symlink,
                target: text.then_some(target.as_slice()),
                health: verdict.health,
                notes: verdict.notes,
                physical: everything.then(|| verdict.physical()).flatten(),
                hops: verdict.chain.as_ref().map_or(1, |chain| chain.hops.len()),
                ends_at: if verdict.health == Health::Ok { None } else { verdict.ends_at() },
                absent: verdict.absent.as_ref(),
                group,
                record: self.recorded.as_ref().map(|(_, terms)| *terms),
                verdict: Some(&verdict),
            });
            self.path = path;
        }
        self.target = target;
    }

    fn link_at_once(&mut self, root: &Arc<Root>, found: Found<'_>, files: &Siblings) -> bool {
        let system = self.live.system();
        let answer = system
            .follow_in_cache(found.held, found.name)
            .filter(|status| self.live.volumes().is_prompt(status.mount));
        if answer.is_none() {
            let mut target = std::mem::take(&mut self.target);
            let read = system.read_link(found.held, found.name, &mut target);
            let beside = read.is_ok() && files.hold(&target) && self.follows_freely(found);
            self.target = target;
            if !beside || self.wanted.depth != Depth::Health {
                return false;
            }
        }
        self.link(root, Found { answer, ..found }, files, &|| true);
        true
    }

    fn unanswered(&mut self, root: &Arc<Root>, found: Found<'_>) {
        let mut target = std::mem::take(&mut self.target);
        let read = self.live.system().read_link(found.held, found.name, &mut target);
        self.set_path(root, found);
        let path = std::mem::take(&mut self.path);
        self.give(&Item {
            path: &path,
            kind: LinkKind::Symlink,
            target: read.is_ok().then_some(target.as_slice()),
            health: Health::Unknown,
            notes: Notes::default(),
            physical: None,
            hops: 1,
            ends_at: None,
            absent: None,
            group: None,
            record: None,
            verdict: None,
        });
        self.path = path;
        self.target = target;
    }

    fn file(&mut self, root: &Arc<Root>, found: Found<'_>, kind: EntryKind) {
        if self.wanted.hard {
            self.remember_name(root, found);
        }
        if self.wanted.shortcuts && kind == EntryKind::File {
            match shortcuts::read(self.live.system(), found) {
                Ok(Some(pointed)) => {
                    self.set_path(root, found);
                    self.give_pointed(root, found, &pointed);
                }
                Ok(None) | Err(Trouble::System(Errno::NOENT)) => {}
                Err(trouble) => {
                    let path = root.path_of(found.folder, found.name);
                    self.problem(Problem { path, trouble });
                }
            }
        }
    }

    fn folder_read(&mut self, root: &Arc<Root>, found: Found<'_>) {
        if !self.wanted.shortcuts {
            return;
        }
        match shortcuts::git_stubs(self.live.system(), found) {
            Ok(stubs) => {
                for stub in stubs {
                    let Some(held) = stub.folder.descriptor() else {
                        continue;
                    };
                    let inner = Found::new(&stub.folder, held, &stub.name);
                    self.set_path(root, inner);
                    self.give_pointed(root, inner, &stub.pointed);
                }
            }
            Err(trouble) => {
                let path = root.path_of(found.folder, b".git");
                self.problem(Problem { path, trouble });
            }
        }
    }

    fn problem(&mut self, problem: Problem) {
        self.tally.problems += 1;
        self.sink.problem(&problem);
    }

    fn other_volume(&mut self, path: Vec<u8>) {
        self.sink.other_volume(&path);
    }

    fn pause(&mut self) {
        self.sink.pause();
    }

    fn settle(&mut self) {
        self.sink.settle();
        let tally = std::mem::take(&mut self.tally);
        self.shared.tally.lock().unwrap_or_else(PoisonError::into_inner).add(&tally);
    }
}

impl<S: Sink> Judging<S> {
    /// Reads and judges a link. The text is read into `target` where it is wanted; the answer says
    /// whether it is there. `None` when there is no link any more.
    fn judge(
        &mut self,
        root: &Arc<Root>,
        found: Found<'_>,
        files: &Siblings,
        target: &mut Vec<u8>,
    ) -> Option<(bool, Verdict)> {
        // The text of a link on record is always wanted, to be compared with that.
        let depth = match self.wanted.depth {
            Depth::Destination if self.recorded.is_some() => Depth::Everything,
            depth => depth,
        };
        if depth == Depth::Destination {
            // Of a healthy link nobody will see the text: reading it would be for nothing.
            let mut verdict = judge::judge(&mut self.live, found, b"", &root.place, depth);
            if verdict.health == Health::Ok {
                self.note_doubled(root, &mut verdict);
                return Some((false, verdict));
            }
            return match self.live.system().read_link(found.held, found.name, target) {
                // What needs a person is looked at in full, so that its notes are complete.
                Ok(()) => {
                    let depth = Depth::Everything;
                    let place = &root.place;
                    Some((true, judge::judge(&mut self.live, found, target, place, depth)))
                }
                Err(Errno::NOENT | Errno::INVAL) => self.unreadable(found),
                Err(error) => Some((false, Verdict::unread(error))),
            };
        }
        match self.live.system().read_link(found.held, found.name, target) {
            Ok(()) => {}
            Err(Errno::NOENT | Errno::INVAL) => return self.unreadable(found),
            Err(error) => return Some((false, Verdict::unread(error))),
        }
        found.folder.was_searched();
        if depth == Depth::Health && files.hold(target) && self.follows_freely(found) {
            return Some((true, Verdict::beside_its_file()));
        }
        let mut verdict = judge::judge(&mut self.live, found, target, &root.place, depth);
        self.note_doubled(root, &mut verdict);
        Some((true, verdict))
    }

    /// A link whose text is not there to be read: it has gone or become something else since it was
    /// listed, or it never has one (`/proc/PID/exe` of a thread of the kernel).
    fn unreadable(&self, found: Found<'_>) -> Option<(bool, Verdict)> {
        let kept = crate::system::Links::Kept;
        let status = self.live.system().status(found.held, found.name, kept).ok()?;
        let is_link = status.kind == EntryKind::Symlink;
        is_link.then(|| (false, Verdict::unread(Errno::NOENT)))
    }

    /// Whether the kernel refuses no link of this folder for what it is.
    fn follows_freely(&self, found: Found<'_>) -> bool {
        !self.live.volumes().refuse_links()
            && !found.folder.is_shared(self.live.system(), found.held)
    }

    fn note_doubled(&self, root: &Arc<Root>, verdict: &mut Verdict) {
        if self.wanted.doubled
            && let Some(destination) = verdict.destination
        {
            let doubled = self.shared.destinations.again(root, destination.id);
            verdict.notes.add_if(Note::Doubled, doubled);
        }
    }

    /// A symbolic link may have several names, too. They are all links of their own and listed as
    /// such; what they share is said with each.
    fn names_of_link(&self, found: Found<'_>) -> Option<hard::Group> {
        let kept = crate::system::Links::Kept;
        let status = self.live.system().status(found.held, found.name, kept).ok()?;
        (status.names > 1).then_some(hard::Group {
            id: status.id,
            names: status.names,
            outside: None,
            size: status.size,
        })
    }

    fn remember_name(&mut self, root: &Arc<Root>, found: Found<'_>) {
        let status = self.live.system().status(found.held, found.name, crate::system::Links::Kept);
        if let Ok(status) = status
            && status.names > 1
        {
            let folder = found.folder.id(self.live.system());
            self.shared.names.add(status, folder, root.path_of(found.folder, found.name));
        }
    }
}
