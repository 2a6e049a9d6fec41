//! Through the original, folder by folder: what is to be copied is handed out, and a folder is dressed
//! when all in it is done.
//!
//! What changed while it was copied is found by walking once more, in the manner of a run that goes on
//! with what an earlier one left: what is on record and the same on both sides stays.

use super::contents::{Tally, Tools};
use super::crew::{Crew, run_all};
use super::dress::{Made, Origin};
use super::early::Early;
use super::entry::{Copied, Entry};
use super::first::Firsts;
use super::leaf::{Hand, Inside};
use super::loss::Losses;
use super::record::{NONE, Record};
use super::shared::Shared;
use super::{Brought, Order, Phase, Side, Slip, Trouble, Watch};
use crate::descent::Descent;
use crate::disk::Disk;
use crate::folder::Folder;
use crate::system::{Access, EndMark, Facts, System};
use linkwell_calls::attributes::Attributes;
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Loss, Rewritten, Verify};
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::collections::{HashMap, HashSet};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// How often the whole is walked again because something changed meanwhile.
const PASSES: usize = 3;

/// So many files and folders are synced one by one; for more, the whole volume is: that takes all that
/// others have written to it lately along.
const SYNCED_ALONE: usize = 20;

/// So many names are handed out at once.
const CHUNK: usize = 128;

/// What is to be done at the very end, since nothing can be changed afterwards.
#[derive(Debug)]
pub(super) struct Late {
    pub(super) folder: Arc<Folder>,
    /// None: the folder itself.
    pub(super) name: Option<Name>,
    pub(super) attributes: Attributes,
}

/// One run.
pub(super) struct Job<'a> {
    pub(super) disk: &'a dyn Disk,
    pub(super) system: System,
    pub(super) watch: &'a dyn Watch,
    made_top: &'a Mutex<Option<Copied>>,
    pub(super) verify: Verify,
    pub(super) links: &'a [Rewritten],
    pub(super) alone: bool,
    /// Whether the original is looked at again by what is on record.
    pub(super) kept_on_record: bool,
    /// The original lies on a file system of the kernel's own, whose files do not tell their length.
    pub(super) made_up: bool,
    /// Whether files can be read without a trace at the first try.
    pub(super) quietly: bool,
    /// Sharing was refused.
    pub(super) unshared: AtomicBool,
    /// The original's file system knows no flags.
    pub(super) flagless: AtomicBool,
    /// The permission bits that this process' mask was seen to take away.
    pub(super) mask: AtomicU32,
    /// Owners and groups that were refused.
    pub(super) refused: Mutex<HashSet<(u32, u32)>>,
    pub(super) firsts: Firsts,
    /// Room that files share.
    pub(super) shared: Shared,
    record: Mutex<&'a mut Record>,
    pub(super) losses: Losses,
    late: Mutex<Vec<Late>>,
    /// The first of what changed meanwhile.
    dirty: Mutex<Option<Vec<u8>>>,
    used: Mutex<HashSet<usize>>,
    entries: AtomicU64,
    bytes: AtomicU64,
    /// How many entries an earlier run had copied.
    pub(super) kept: AtomicU64,
    since: (AtomicU64, AtomicU64),
    pub(super) early: Early,
    /// The folder that the copy lies in, opened before anything was written: what the disk refuses from then
    /// on is told here, though somebody else's sync has been told of it (syncfs(2)).
    volume: OnceLock<OwnedFd>,
    small: Mutex<Vec<(Arc<Folder>, Option<Name>)>>,
    made: AtomicUsize,
    /// Whether this run goes on with what another one left.
    pub(super) resumed: bool,
    /// The top of the copy.
    top: OnceLock<Arc<Folder>>,
    /// How listings of the original end: asked once, since it lies on one volume.
    end: OnceLock<EndMark>,
}

/// What an earlier run left of a folder.
#[derive(Debug, Default)]
struct Known {
    entries: HashMap<Box<[u8]>, Entry>,
    folders: HashMap<Box<[u8]>, u32>,
}

/// A folder that is being copied.
pub(super) struct Level {
    pub(super) number: u32,
    /// Where its copy lies, as seen from the top of the copy.
    pub(super) folder: Arc<Folder>,
    /// The original, before it was listed.
    facts: Facts,
    /// To whom belongs what is made in the copy.
    pub(super) made_as: (u32, u32),
    /// Whether what is made in the copy may be given an access list.
    pub(super) inherits: bool,
    /// How the copy's folder itself was made.
    made: Option<Made>,
    above: Option<Arc<Level>>,
    known: Option<Mutex<Known>>,
    /// How much is still to be done in it; the walk itself counts for one.
    pending: AtomicUsize,
    /// Both sides, once the walk has left it.
    closing: Mutex<Option<(Arc<OwnedFd>, Arc<OwnedFd>)>>,
}

/// Some names of a folder, one behind the other with a zero behind each.
struct Task {
    level: Arc<Level>,
    from: Arc<OwnedFd>,
    to: Arc<OwnedFd>,
    names: Vec<u8>,
    /// Whether the listing said that it is a file.
    files: Vec<bool>,
}

type Work<'scope, 'env, W> = Crew<'scope, 'env, Task, Hand, W>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is guarded is whole after each statement.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Level {
    /// Whether only its owner can come here: the top of the copy is closed while it is made.
    pub(super) fn is_private(&self) -> bool {
        self.number != NONE
    }

    /// Whether something in it belongs to another volume. Files in layered file systems may bear other
    /// device numbers than their folder.
    pub(super) fn is_elsewhere(&self, facts: &Facts) -> bool {
        let elsewhere = match (self.facts.mount, facts.mount) {
            (Some(here), Some(there)) => here != there,
            _ => false,
        };
        elsewhere || (facts.kind == EntryKind::Folder && facts.id.device != self.facts.id.device)
    }

    /// What is on record of an entry.
    pub(super) fn known(&self, name: &Name) -> Option<Entry> {
        lock(self.known.as_ref()?).entries.get(name.as_bytes()).cloned()
    }

    /// What was on record of an entry is settled.
    pub(super) fn forget(&self, name: &Name) {
        if let Some(known) = &self.known {
            lock(known).entries.remove(name.as_bytes());
        }
    }

    /// The path below the top, with a slash behind each name.
    pub(super) fn below(&self, job: &Job<'_>) -> Vec<u8> {
        let mut path = Vec::new();
        if let Some(top) = job.top.get() {
            self.folder.append_path_below(top, &mut path);
        }
        path
    }

    pub(super) fn path(&self, job: &Job<'_>, name: &Name) -> Vec<u8> {
        if self.number == NONE {
            return Vec::new();
        }
        let mut path = self.below(job);
        path.extend_from_slice(name.as_bytes());
        path
    }

    fn own_path(&self, job: &Job<'_>) -> Vec<u8> {
        let mut path = self.below(job);
        path.pop();
        path
    }
}

impl Drop for Level {
    /// One by one: a recursive drop of 10,000 levels would overflow the stack.
    fn drop(&mut self) {
        let mut above = self.above.take();
        while let Some(level) = above {
            match Arc::into_inner(level) {
                Some(mut level) => above = level.above.take(),
                None => break,
            }
        }
    }
}

/// Copies a tree to a name that is free, or goes on with what an interrupted run left there and on
/// record. When it returns, all of it lasts but for the name at its top, and the record, if there is
/// one, is whole.
///
/// Without a record nothing can be gone on with, and [`super::still`] and [`super::release`] have
/// nothing to go by.
///
/// # Errors
/// Why not. What was copied until then stands at the name, and can be gone on with if it is on record.
pub fn bring(order: &Order<'_>, record: Option<&mut Record>) -> Result<Brought, Trouble> {
    match record {
        Some(record) => Job::new(order, record, true).run(order),
        None => Job::new(order, &mut Record::in_memory(), false).run(order),
    }
}

impl<'a> Job<'a> {
    fn new(order: &Order<'a>, record: &'a mut Record, kept_on_record: bool) -> Self {
        Self {
            disk: order.disk,
            system: order.system,
            watch: order.watch,
            made_top: order.made,
            verify: order.verify,
            links: order.links,
            alone: order.alone,
            kept_on_record,
            made_up: order.system.is_made_up(order.from.0),
            quietly: rustix::process::geteuid().is_root(),
            unshared: AtomicBool::new(false),
            flagless: AtomicBool::new(false),
            mask: AtomicU32::new(0),
            refused: Mutex::default(),
            firsts: Firsts::default(),
            shared: Shared::new(order),
            resumed: record.is_resumed(),
            record: Mutex::new(record),
            losses: Losses::default(),
            late: Mutex::default(),
            dirty: Mutex::default(),
            used: Mutex::default(),
            entries: AtomicU64::new(0),
            kept: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            since: (AtomicU64::new(0), AtomicU64::new(0)),
            early: Early::default(),
            volume: OnceLock::new(),
            small: Mutex::default(),
            made: AtomicUsize::new(0),
            top: OnceLock::new(),
            end: OnceLock::new(),
        }
    }

    fn run(&self, order: &Order<'a>) -> Result<Brought, Trouble> {
        if let Ok(volume) = self.system.open(order.to.0, c".", Access::List) {
            self.volume.get_or_init(|| volume);
        }
        for pass in 1..=PASSES {
            let facts = self.system.facts(order.from.0, order.from.1.as_bytes());
            let facts = facts.map_err(|_| Trouble::Changed(Vec::new()))?;
            if !facts.id.is(order.facts.id) || facts.kind != order.facts.kind {
                return Err(Trouble::Changed(Vec::new()));
            }
            self.watch.phase(Phase::Copying);
            self.entries.store(0, Ordering::Relaxed);
            self.made.store(0, Ordering::Relaxed);
            lock(&self.small).clear();
            let known = pass > 1 || self.resumed;
            if facts.kind == EntryKind::Folder {
                let work = |hand: &mut Hand, task: Task| self.task(hand, task);
                let walked = self.with_early(order, || {
                    run_all(order.threads, work, |crew| self.walk(order, &facts, known, crew))
                });
                if walked == Err(Trouble::Stopped) {
                    // What was done by then can be gone on with.
                    self.keep_so_far()?;
                }
                walked?;
            } else {
                self.with_early(order, || self.top_leaf(order, &facts, known))?;
            }
            match lock(&self.dirty).take() {
                None => break,
                Some(path) if pass == PASSES => return Err(Trouble::Changed(path)),
                Some(_) => {}
            }
        }
        self.finish(order)
    }

    /// Does some copying, and sends to its disk meanwhile what was copied, once that is much.
    fn with_early<T>(&self, order: &Order<'_>, copying: impl FnOnce() -> T) -> T {
        let Some(volume) = self.volume.get().filter(|_| order.threads > 1) else {
            return copying();
        };
        std::thread::scope(|scope| {
            let closing = self.early.open();
            scope.spawn(|| self.early.serve(|| self.disk.sync_volume(volume.as_fd())));
            let copied = copying();
            drop(closing);
            copied
        })
    }

    /// Copies a top that is no folder.
    fn top_leaf(&self, order: &Order<'_>, facts: &Facts, known: bool) -> Result<(), Trouble> {
        let at = |slip: Slip| slip.at(Vec::new());
        if known {
            let name = std::slice::from_ref(order.from.1);
            self.record().gone(self.disk, NONE, name)?;
            if let Ok(now) = self.system.facts(order.to.0, order.to.1.as_bytes()) {
                self.is_own(&now).map_err(at)?;
            }
            super::clear(self.disk, self.system, order.to)
                .map_err(|error| at(Slip::copy("begin anew")(error)))?;
        }
        let held = rustix::io::fcntl_dupfd_cloexec(order.to.0, 0)
            .map_err(|error| at(Slip::copy("find its folder")(error)))?;
        let folder = self.top.get_or_init(|| Folder::held(&AbsPath::root(), held));
        let to = self.system.facts_of(order.to.0);
        let to = to.map_err(|error| at(Slip::copy("look at its folder")(error)))?;
        let level = Arc::new(Level {
            number: NONE,
            folder: Arc::clone(folder),
            facts: Facts { mount: facts.mount, ..to },
            made_as: made_as(&to),
            inherits: true,
            made: None,
            above: None,
            known: None,
            pending: AtomicUsize::new(1),
            closing: Mutex::default(),
        });
        let mut hand = Hand::default();
        let renamed = Some(order.to.1);
        let inside = Inside { level: &level, from: order.from.0, to: order.to.0, renamed };
        let done = self.leaf(&mut hand, inside, order.from.1, facts.kind == EntryKind::File);
        self.tell(&mut hand.tools);
        done.map_err(at)?;
        self.put_down(&mut hand)
    }

    /// Walks the original, once.
    fn walk<W>(
        &self,
        order: &Order<'_>,
        facts: &Facts,
        known: bool,
        crew: &mut Work<'_, '_, W>,
    ) -> Result<(), Trouble>
    where
        W: Fn(&mut Hand, Task) -> Result<(), Trouble> + Sync,
    {
        let mut tools = Tools::default();
        let top = |slip: Slip| slip.at(Vec::new());
        let begun = Descent::begin(self.system, order.from.0, order.from.1, facts);
        let mut original = begun.map_err(|error| top(entering(error)))?;
        let number = if known { self.known_top()? } else { None };
        let door = Door { parent: NONE, above: None, old: number, known };
        let (facts, made) = self.door(order.to, &door).map_err(top)?;
        *lock(self.made_top) = Some(Copied::of(&facts));
        let own = facts.id;
        let begun = Descent::begin(self.system, order.to.0, order.to.1, &facts);
        let mut copy = begun.map_err(|error| top(Slip::copy("open it")(error)))?;
        let mut level = self.level(&mut tools, order.from.1, &door, (&original, &copy), made)?;
        // Before anything is in it: whoever removes it after a crash must know which folder it is.
        self.record().so_far(self.disk)?;
        let mut open = vec![self.listed(&level, &original, &copy, crew)?];
        loop {
            let Some(rest) = open.last_mut() else { return Ok(()) };
            if self.watch.stops() {
                return Err(Trouble::Stopped);
            }
            let Some(name) = rest.pop() else {
                open.pop();
                // Up first: what is left may not be searched any more when it is dressed.
                let at = |error| Slip::copy("leave it")(error).at(level.own_path(self));
                let below = |error| Slip::original("leave it")(error).at(level.own_path(self));
                let left = match (original.up().map_err(below)?, copy.up().map_err(at)?) {
                    (Some((from, _)), Some((to, _))) => (from, to),
                    _ => (original.kept(), copy.kept()),
                };
                *lock(&level.closing) = Some(left);
                self.one_less(&mut tools, &level)?;
                match level.above.clone() {
                    Some(above) => level = above,
                    None => return Ok(()),
                }
                continue;
            };
            let here = |slip: Slip| slip.at(level.path(self, &name));
            let inner = match original.look(&name) {
                Ok(inner) if inner.kind == EntryKind::Folder => inner,
                Ok(_) | Err(Errno::NOENT) => {
                    self.changed(level.path(self, &name));
                    continue;
                }
                Err(error) => return Err(here(entering(error))),
            };
            if inner.id.is(own) {
                // The copy lies in its original.
                return Err(here(Slip::original("copy it into itself")(Errno::INVAL)));
            }
            match original.down(&name, &inner) {
                Ok(()) => {}
                // It was moved between two looks.
                Err(Errno::AGAIN | Errno::NOENT) => {
                    self.changed(level.path(self, &name));
                    continue;
                }
                Err(error) => return Err(here(entering(error))),
            }
            let old =
                level.known.as_ref().and_then(|known| lock(known).folders.remove(name.as_bytes()));
            if level.known(&name).is_some() {
                // It was no folder then.
                self.forget(&level, &name).map_err(here)?;
            }
            let door = Door { parent: level.number, above: Some(&level), old, known };
            let (facts, made) = self.door((copy.here(), &name), &door).map_err(here)?;
            copy.down(&name, &facts).map_err(|error| here(Slip::copy("open it")(error)))?;
            let inner = self.level(&mut tools, &name, &door, (&original, &copy), made)?;
            let rest = self.listed(&inner, &original, &copy, crew)?;
            level = inner;
            open.push(rest);
        }
    }

    /// The number of the top, if it is on record.
    fn known_top(&self) -> Result<Option<u32>, Trouble> {
        let mut record = self.record();
        Ok(record.so_far(self.disk)?.folder(0)?.map(|_| 0))
    }

    /// Makes the copy of a folder, or finds the one that an earlier run made.
    fn door(&self, at: super::At<'_>, door: &Door<'_>) -> Result<(Facts, Made), Slip> {
        let system = self.system;
        let seen = |facts: &Facts| Made {
            owner: facts.owner,
            group: facts.group,
            mode: facts.mode,
            inherits: door.known,
        };
        if door.known {
            let old = match door.old {
                Some(number) => self.on_record(number)?,
                None => None,
            };
            let now = match system.facts(at.0, at.1.as_bytes()) {
                Ok(now) => Some(now),
                Err(Errno::NOENT) => None,
                Err(error) => return Err(Slip::copy("look at it")(error)),
            };
            let copy = old.and_then(|old| old.copy);
            if let (Some(now), Some(copy)) = (now, copy)
                && now.kind == EntryKind::Folder
                && copy.is(&now)
            {
                if now.mode & 0o700 != 0o700 {
                    let folder = system.open(at.0, at.1.as_bytes(), Access::Hold);
                    let folder = folder.map_err(Slip::copy("open it"))?;
                    let mode = now.mode | 0o700;
                    self.disk.permit(folder.as_fd(), mode).map_err(Slip::copy("open it"))?;
                    return Ok((now, Made { mode, ..seen(&now) }));
                }
                return Ok((now, seen(&now)));
            }
            if let Some(now) = now {
                if door.above.is_none() {
                    self.is_own(&now)?;
                }
                super::clear(self.disk, system, at).map_err(Slip::copy("begin anew"))?;
            }
        }
        self.disk.make_folder(at.0, at.1).map_err(Slip::copy("make it"))?;
        let made = match door.above {
            Some(_) => system.facts(at.0, at.1.as_bytes()).map_err(Slip::copy("look at it"))?,
            None => self.made_by_us(at)?,
        };
        if made.kind != EntryKind::Folder {
            return Err(Slip::System("make it", Side::Copy, Errno::AGAIN));
        }
        Ok((made, Made { inherits: door.above.is_none() || door.known, ..seen(&made) }))
    }

    /// Refuses a folder at the top's name that was not made there.
    fn is_own(&self, now: &Facts) -> Result<(), Slip> {
        let own = lock(self.made_top).is_some_and(|made| made.is(now));
        if own || now.kind != EntryKind::Folder {
            return Ok(());
        }
        Err(Slip::System("begin anew", Side::Copy, Errno::EXIST))
    }

    fn on_record(&self, number: u32) -> Result<Option<Entry>, Slip> {
        let mut record = self.record();
        let found = record.so_far(self.disk).and_then(|so_far| so_far.folder(number));
        found.map_err(|error| Slip::System("use the record", Side::Record, error))
    }

    /// Begins a folder that was entered on both sides: records it, and reads what is on record.
    fn level(
        &self,
        tools: &mut Tools,
        name: &Name,
        door: &Door<'_>,
        sides: (&Descent, &Descent),
        made: Made,
    ) -> Result<Arc<Level>, Trouble> {
        let (original, copy) = sides;
        let folder = match door.above {
            Some(above) => Folder::below(&above.folder, name.as_bytes()),
            None => {
                let held = rustix::io::fcntl_dupfd_cloexec(copy.here(), 0);
                let held = held.map_err(|error| Slip::copy("hold it")(error).at(Vec::new()))?;
                let top = self.top.get_or_init(|| Folder::held(&AbsPath::root(), held));
                Arc::clone(top)
            }
        };
        let (facts, now) = (*original.facts(), *copy.facts());
        let entry = Entry {
            name: name.clone(),
            facts,
            sum: None,
            carries: false,
            copy: Some(Copied::of(&now)),
        };
        let mut record = self.record();
        let number = record.folder(self.disk, door.old, door.parent, &entry)?;
        let known = match door.old {
            Some(_) => {
                let so_far = record.so_far(self.disk)?;
                let mut known = Known::default();
                so_far.entries::<Errno>(number, &mut |entry| {
                    known.entries.insert(entry.name.as_bytes().into(), entry);
                    Ok(())
                })?;
                for child in so_far.children(number) {
                    if let Some(entry) = so_far.folder(child)? {
                        known.folders.insert(entry.name.as_bytes().into(), child);
                    }
                }
                Some(known)
            }
            None => None,
        };
        drop(record);
        let level = Level {
            number,
            folder,
            facts,
            made_as: made_as(&now),
            inherits: door.known || (door.above.is_none() && !self.closed_to_lists(tools, copy)),
            made: Some(made),
            above: door.above.cloned(),
            known: known.map(Mutex::new),
            pending: AtomicUsize::new(1),
            closing: Mutex::default(),
        };
        self.sweep(&level, copy)?;
        Ok(Arc::new(level))
    }

    /// Takes from the fresh top of a copy what its folder has given it, and what it would give to all
    /// that is made in it. Whether it is without now.
    fn closed_to_lists(&self, tools: &mut Tools, copy: &Descent) -> bool {
        self.without_lists(tools, copy.here()).unwrap_or(false)
    }

    /// Removes from an old copy what was made in it after the last checkpoint.
    fn sweep(&self, level: &Level, copy: &Descent) -> Result<(), Trouble> {
        let Some(known) = level.known.as_ref().filter(|_| self.resumed) else { return Ok(()) };
        let at = |error| Slip::copy("begin anew")(error).at(level.own_path(self));
        let known = lock(known);
        for name in crate::execute::names(self.system, copy.here()).map_err(at)? {
            let is_known = known.entries.contains_key(name.as_bytes())
                || known.folders.contains_key(name.as_bytes());
            if !is_known {
                super::clear(self.disk, self.system, (copy.here(), &name)).map_err(at)?;
            }
        }
        Ok(())
    }

    /// Lists a folder: hands out what is no folder, and gives the names of those that are.
    fn listed<W>(
        &self,
        level: &Arc<Level>,
        original: &Descent,
        copy: &Descent,
        crew: &mut Work<'_, '_, W>,
    ) -> Result<Vec<Name>, Trouble>
    where
        W: Fn(&mut Hand, Task) -> Result<(), Trouble> + Sync,
    {
        let system = self.system;
        let fresh = || Task {
            level: Arc::clone(level),
            from: original.kept(),
            to: copy.kept(),
            names: Vec::new(),
            files: Vec::new(),
        };
        let mut folders = Vec::new();
        let mut task = fresh();
        let mut given = Ok(());
        let mut give = |task: Task| {
            let count = task.files.len();
            if count == 0 {
                return Ok(());
            }
            level.pending.fetch_add(1, Ordering::AcqRel);
            crew.give(task, count)
        };
        let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
        let here = original.here();
        let end = *self.end.get_or_init(|| system.end_mark(here));
        let listed = system.list(here, &mut buffer, end, |entry| {
            let kind = match entry.kind {
                Some(kind) => Some(kind),
                None => system.facts(here, entry.name.to_bytes()).ok().map(|facts| facts.kind),
            };
            if kind == Some(EntryKind::Folder) {
                folders.extend(Name::new(entry.name.to_bytes()));
                return true;
            }
            task.names.extend_from_slice(entry.name.to_bytes_with_nul());
            task.files.push(kind == Some(EntryKind::File));
            if task.files.len() >= CHUNK {
                given = give(std::mem::replace(&mut task, fresh()));
            }
            given.is_ok()
        });
        given?;
        match listed {
            Ok(()) => {}
            // It was removed since it was entered.
            Err(Errno::NOENT) => self.changed(level.own_path(self)),
            Err(error) => return Err(Slip::original("list it")(error).at(level.own_path(self))),
        }
        give(task)?;
        Ok(folders)
    }

    /// Copies some entries of a folder; dresses it if they were the last.
    fn task(&self, hand: &mut Hand, task: Task) -> Result<(), Trouble> {
        let Task { level, from, to, names, files } = task;
        let inside = Inside { level: &level, from: from.as_fd(), to: to.as_fd(), renamed: None };
        let names = names.split(|byte| *byte == 0).filter_map(Name::new);
        let mut done = Ok(());
        for (name, file) in names.zip(files) {
            match self.leaf(hand, inside, &name, file) {
                Ok(()) => {}
                // It vanished between two looks; the next walk sees how it is.
                Err(Slip::Vanished) => self.changed(level.path(self, &name)),
                Err(slip) => {
                    done = Err(slip.at(level.path(self, &name)));
                    break;
                }
            }
        }
        self.tell(&mut hand.tools);
        done?;
        self.put_down(hand)?;
        drop((from, to));
        self.one_less(&mut hand.tools, &level)
    }

    /// Records what a thread has gathered; after much of it, makes all of it last.
    fn put_down(&self, hand: &mut Hand) -> Result<(), Trouble> {
        let mut record = self.record();
        record.entries(self.disk, &mut hand.block)?;
        let (bytes, entries) = &self.since;
        if !record.is_due(bytes.load(Ordering::Relaxed), entries.load(Ordering::Relaxed)) {
            return Ok(());
        }
        bytes.store(0, Ordering::Relaxed);
        entries.store(0, Ordering::Relaxed);
        self.checkpoint(&mut record)
    }

    /// Makes what is on record so far last.
    fn keep_so_far(&self) -> Result<(), Trouble> {
        let mut record = self.record();
        if record.is_kept() { self.checkpoint(&mut record) } else { Ok(()) }
    }

    /// The record stays locked: what is recorded from now on stands behind the checkpoint.
    fn checkpoint(&self, record: &mut Record) -> Result<(), Trouble> {
        if let Some(top) = self.top.get().and_then(|top| top.descriptor()) {
            let synced = self.disk.sync_volume(top);
            synced.map_err(|error| Slip::copy("make it last")(error).at(Vec::new()))?;
            record.checkpoint(self.disk)?;
        }
        Ok(())
    }

    /// Counts one piece of work in a folder as done; the last one dresses it.
    fn one_less(&self, tools: &mut Tools, level: &Arc<Level>) -> Result<(), Trouble> {
        if level.pending.fetch_sub(1, Ordering::AcqRel) > 1 {
            return Ok(());
        }
        let Some((from, to)) = lock(&level.closing).take() else { return Ok(()) };
        let done = self.close(tools, level, from.as_fd(), to.as_fd());
        done.map_err(|slip| slip.at(level.own_path(self)))
    }

    /// Dresses the copy of a folder, in which all is copied now.
    fn close(
        &self,
        tools: &mut Tools,
        level: &Arc<Level>,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
    ) -> Result<(), Slip> {
        self.drop_vanished(level, to)?;
        let before = &level.facts;
        let after = self.system.facts_of(from).map_err(Slip::original("look at it"))?;
        if (after.modified, after.changed) != (before.modified, before.changed) {
            self.changed(level.own_path(self));
        }
        if let Some(made) = level.made {
            let lose = |kind| self.losses.add(kind, || level.own_path(self));
            let dressed = self.dress(tools, Origin::Open(from), to, before, made, &lose)?;
            match dressed.late {
                // It could not be given its name any more.
                Some(_) if level.above.is_none() => lose(Loss::Flags),
                Some(attributes) => {
                    let folder = Arc::clone(&level.folder);
                    self.later(Late { folder, name: None, attributes });
                }
                None => {}
            }
        }
        self.settle(&level.folder, None);
        tools.tally.entries += 1;
        self.tell(tools);
        Ok(())
    }

    /// Removes the copy of a folder whose name is that of something else now.
    pub(super) fn drop_folder_of(&self, level: &Level, at: super::At<'_>) -> Result<(), Slip> {
        let Some(known) = &level.known else { return Ok(()) };
        let Some(number) = lock(known).folders.remove(at.1.as_bytes()) else { return Ok(()) };
        super::clear(self.disk, self.system, at).map_err(Slip::copy("begin anew"))?;
        let gone = self.record().folder_gone(self.disk, number);
        gone.map_err(|error| Slip::System("use the record", Side::Record, error))
    }

    /// Removes from the copy of an earlier run what is not in the original any more.
    fn drop_vanished(&self, level: &Level, to: BorrowedFd<'_>) -> Result<(), Slip> {
        let Some(known) = &level.known else { return Ok(()) };
        let known = std::mem::take(&mut *lock(known));
        let record = |error| Slip::System("use the record", Side::Record, error);
        for entry in known.entries.into_values() {
            super::clear(self.disk, self.system, (to, &entry.name))
                .map_err(Slip::copy("remove it"))?;
            let name = std::slice::from_ref(&entry.name);
            self.record().gone(self.disk, level.number, name).map_err(record)?;
        }
        for (name, number) in known.folders {
            if let Some(name) = Name::new(name) {
                super::clear(self.disk, self.system, (to, &name))
                    .map_err(Slip::copy("remove it"))?;
            }
            self.record().folder_gone(self.disk, number).map_err(record)?;
        }
        Ok(())
    }

    /// Everything is copied: sets what comes last, makes it last, reads it back, completes the record.
    fn finish(&self, order: &Order<'_>) -> Result<Brought, Trouble> {
        let used = lock(&self.used).len();
        if used < self.links.len() {
            let used = lock(&self.used);
            let unused = self.links.iter().enumerate().find(|(at, _)| !used.contains(at));
            let path = unused.map_or_else(Vec::new, |(_, link)| link.below.0.to_vec());
            return Err(Trouble::Unexpected(path));
        }
        self.set_late()?;
        self.accepted(order)?;
        self.watch.phase(Phase::Syncing);
        self.make_last(order)?;
        let mut record = self.record();
        if self.reads_back() {
            self.watch.phase(Phase::Verifying);
            self.read_back(order, record.so_far(self.disk)?)?;
        }
        // What was kept at first may not have come to the disk.
        let lost = self.accepted(order)?;
        record.complete(self.disk)?;
        let entries = self.entries.load(Ordering::Relaxed);
        let (bytes, kept) = (self.bytes.load(Ordering::Relaxed), self.kept.load(Ordering::Relaxed));
        Ok(Brought { entries, bytes, kept, lost })
    }

    /// What the copy lacks, if that was accepted. Room that is no longer shared needs nobody's leave: no
    /// byte is lost by it, and there was room enough.
    fn accepted(&self, order: &Order<'_>) -> Result<Vec<super::Lost>, Trouble> {
        let lost = self.losses.all();
        let may = |kind| kind == Loss::Sharing || order.accept.contains(&kind);
        if lost.iter().all(|lost| may(lost.kind)) { Ok(lost) } else { Err(Trouble::Lossy(lost)) }
    }

    fn set_late(&self) -> Result<(), Trouble> {
        let late = std::mem::take(&mut *lock(&self.late));
        for Late { folder, name, attributes } in late {
            let path = || {
                let mut path = Vec::new();
                if let Some(top) = self.top.get() {
                    folder.append_path_below(top, &mut path);
                }
                path.extend_from_slice(name.as_ref().map_or(&[], |name| name.as_bytes()));
                path
            };
            let open = self.open_again(&folder, name.as_ref());
            let open = open.map_err(|error| Slip::copy("open it")(error).at(path()))?;
            let lose = |kind| self.losses.add(kind, path);
            self.flag(open.as_fd(), &attributes, &lose).map_err(|slip| slip.at(path()))?;
        }
        Ok(())
    }

    fn open_again(&self, folder: &Folder, name: Option<&Name>) -> Result<OwnedFd, Errno> {
        match name {
            None => folder.open(self.system, Access::List),
            Some(name) => {
                let folder = folder.open(self.system, Access::Hold)?;
                self.system.open(folder.as_fd(), name.as_bytes(), Access::Read)
            }
        }
    }

    fn make_last(&self, order: &Order<'_>) -> Result<(), Trouble> {
        let failed = |error| Slip::copy("make it last")(error).at(Vec::new());
        self.early.answer().map_err(failed)?;
        let few = self.made.load(Ordering::Relaxed) <= SYNCED_ALONE;
        let alone = || {
            for (folder, name) in lock(&self.small).iter() {
                let open = self.open_again(folder, name.as_ref()).ok()?;
                if let Err(error) = self.disk.sync(open.as_fd()) {
                    return Some(Err(error));
                }
            }
            Some(Ok(()))
        };
        if few && let Some(synced) = alone() {
            return synced.map_err(failed);
        }
        let late = match self.volume.get() {
            Some(_) => None,
            None => Some(self.system.open(order.to.0, c".", Access::List).map_err(failed)?),
        };
        match late.as_ref().or(self.volume.get()) {
            Some(volume) => self.disk.sync_volume(volume.as_fd()).map_err(failed),
            None => Ok(()),
        }
    }

    pub(super) fn record(&self) -> MutexGuard<'_, &'a mut Record> {
        lock(&self.record)
    }

    /// Whether contents are compared.
    pub(super) fn reads_back(&self) -> bool {
        self.verify == Verify::Full
    }

    pub(super) fn heed(&self) -> Result<(), Slip> {
        if self.watch.stops() { Err(Slip::Stopped) } else { Ok(()) }
    }

    pub(super) fn mask(&self) -> u32 {
        self.mask.load(Ordering::Relaxed)
    }

    /// Tells what a thread has done.
    pub(super) fn tell(&self, tools: &mut Tools) {
        let Tally { entries, bytes, moved } = std::mem::take(&mut tools.tally);
        self.entries.fetch_add(entries, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.since.0.fetch_add(bytes, Ordering::Relaxed);
        self.since.1.fetch_add(entries, Ordering::Relaxed);
        self.early.add(entries, moved);
        self.watch.done(entries, moved);
    }

    pub(super) fn lose(&self, level: &Level, name: &Name, kind: Loss) {
        self.losses.add(kind, || level.path(self, name));
    }

    pub(super) fn later(&self, late: Late) {
        lock(&self.late).push(late);
    }

    /// The link that has this number in the order was met.
    pub(super) fn used(&self, number: usize) {
        lock(&self.used).insert(number);
    }

    /// Something changed meanwhile: the whole is walked once more.
    fn changed(&self, path: Vec<u8>) {
        lock(&self.dirty).get_or_insert(path);
    }

    /// Notes what is to be made to last by itself, as long as there is not much of it.
    pub(super) fn settle(&self, folder: &Arc<Folder>, name: Option<&Name>) {
        if self.made.fetch_add(1, Ordering::Relaxed) < SYNCED_ALONE {
            lock(&self.small).push((Arc::clone(folder), name.cloned()));
        }
    }

    /// What is on record of an entry does not hold any more.
    pub(super) fn forget(&self, level: &Level, name: &Name) -> Result<(), Slip> {
        level.forget(name);
        let gone = self.record().gone(self.disk, level.number, std::slice::from_ref(name));
        gone.map_err(|error| Slip::System("use the record", Side::Record, error))
    }

    /// What an earlier run copied is to get its last flags again; that run may not have come to it.
    pub(super) fn late_again(
        &self,
        at: Inside<'_>,
        name: &Name,
        facts: &Facts,
    ) -> Result<(), Slip> {
        let asked = self.resumed && facts.kind == EntryKind::File;
        if !asked || self.flagless.load(Ordering::Relaxed) {
            return Ok(());
        }
        let file = self.system.open(at.from, name.as_bytes(), Access::Read);
        let file = file.map_err(|_| Slip::Changed)?;
        let found = linkwell_calls::attributes::of(&file).unwrap_or_default();
        if found.flags.has_any(super::dress::LATE) {
            let folder = Arc::clone(&at.level.folder);
            let flags = found.flags.without(linkwell_calls::attributes::Flags::OBSERVED);
            let attributes = Attributes { flags, ..found };
            self.later(Late { folder, name: Some(name.clone()), attributes });
        }
        Ok(())
    }
}

/// A folder that is about to be entered.
struct Door<'l> {
    /// The number of the folder that it lies in.
    parent: u32,
    above: Option<&'l Arc<Level>>,
    /// Its number on record.
    old: Option<u32>,
    /// Whether there may be something of an earlier run.
    known: bool,
}

/// To whom belongs what this process makes in a folder.
fn made_as(folder: &Facts) -> (u32, u32) {
    let group = rustix::process::getegid().as_raw();
    let owner = rustix::process::geteuid().as_raw();
    (owner, if folder.mode & 0o2000 != 0 { folder.group } else { group })
}

/// Why a folder of the original could not be entered.
fn entering(error: Errno) -> Slip {
    match error {
        Errno::XDEV => Slip::Mounted,
        Errno::AGAIN | Errno::NOENT | Errno::NOTDIR | Errno::LOOP => Slip::Changed,
        error => Slip::System("open it", Side::Original, error),
    }
}
