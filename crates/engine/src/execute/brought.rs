//! Copies, and the giving up of what was copied: the room `transfer`, as the executor uses it.
//!
//! What is copied for good leaves a record of every entry in the folder of the journals. By it the original
//! is looked at again before a link takes its place, and freed entry by entry: what is not on record,
//! or is otherwise by then, is somebody's, and stays.

use super::{Fail, Work};
use crate::in_use::{self, Subject};
use crate::system::{Access, System};
use crate::transfer::{
    self, Copied, Manifest, Order, Phase, Record, Released, Side, Stays, Trouble, Watch,
};
use linkwell_calls::lease;
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Fate, Loss, Make, Manner, Object, Plan, Slot, Step, Verify};
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How many threads copy, look again and free.
const THREADS: usize = 2;

/// What a copy may lack that was asked for as a copy, where the place or the user cannot give it. A move says
/// itself what it may lack.
const AS_FAR_AS_CAN_BE: [Loss; 10] = [
    Loss::Owner,
    Loss::Times,
    Loss::Attributes,
    Loss::AccessLists,
    Loss::Capabilities,
    Loss::Flags,
    Loss::Project,
    Loss::Holes,
    Loss::Preallocation,
    Loss::Sharing,
];

/// A file that is about to get another name, by its record, and what keeps it from being opened for writing.
pub(super) type HeldStill = (Arc<Manifest>, Option<OwnedFd>);

/// The copies of a plan whose originals are given up, and their records.
#[derive(Default)]
pub(super) struct Copies {
    /// The folder that the records lie in, and the number of the operation.
    folder: Option<(OwnedFd, u64)>,
    /// By the number of the step: what it copies, and to where.
    all: HashMap<usize, (Slot, Slot)>,
    /// By what is copied: to where, and the number of the step. There are as many as a merge has entries.
    originals: HashMap<Slot, Vec<(Slot, usize)>>,
    read: HashMap<usize, Arc<Manifest>>,
}

impl Copies {
    pub(super) fn new(plan: &Plan, folder: Option<(OwnedFd, u64)>) -> Self {
        let steps = plan.items.iter().flat_map(|item| &item.steps).enumerate();
        let copies = steps.filter_map(|(number, step)| match step.make() {
            Some(Make::Copy { of, manner: Some(_), .. }) => {
                Some((number, (of.clone(), step.at().clone())))
            }
            _ => None,
        });
        let all: HashMap<usize, (Slot, Slot)> = copies.collect();
        let mut originals: HashMap<Slot, Vec<(Slot, usize)>> = HashMap::new();
        for (step, (of, to)) in &all {
            originals.entry(of.clone()).or_default().push((to.clone(), *step));
        }
        Self { folder, all, originals, read: HashMap::new() }
    }

    fn name(operation: u64, step: usize) -> Name {
        let name = format!("{operation:06}.tree-{step}");
        Name::new(name.into_bytes()).unwrap_or_else(|| unreachable!("letters, digits, dots"))
    }

    /// Begins the record of a step; none where the step is not one of these.
    fn begin(&self, work: &Work<'_>, step: usize) -> Result<Option<Record>, Errno> {
        let (Some((folder, operation)), true) = (&self.folder, self.all.contains_key(&step)) else {
            return Ok(None);
        };
        let name = Self::name(*operation, step);
        let (disk, system, folder) = (work.disk, work.system, folder.as_fd());
        if work.resume {
            return Record::resume(disk, system, folder, &name).map(Some);
        }
        // Of a copy that was taken back.
        match disk.drop_name(folder, &name) {
            Ok(()) | Err(Errno::NOENT) => Record::begin(disk, system, folder, &name).map(Some),
            Err(error) => Err(error),
        }
    }

    /// Where what stands at `at` is copied to by this operation.
    fn made_of(&self, at: &Slot) -> Option<Slot> {
        self.originals.get(at)?.first().map(|(to, _)| to.clone())
    }

    /// The record by which what stands at `at` was copied to `to`.
    fn manifest(&mut self, system: System, at: &Slot, to: &Slot) -> Option<Arc<Manifest>> {
        let step = self.originals.get(at)?.iter().find(|(copy, _)| copy == to)?.1;
        if let Some(read) = self.read.get(&step) {
            return Some(Arc::clone(read));
        }
        let read = self.half(system, step)?;
        // Half a record is none: what it does not hold would be taken for new.
        if !read.is_complete() {
            return None;
        }
        let read = Arc::new(read);
        self.read.insert(step, Arc::clone(&read));
        Some(read)
    }

    /// The record of a step, whole or not.
    fn half(&self, system: System, step: usize) -> Option<Manifest> {
        let (folder, operation) = self.folder.as_ref()?;
        Manifest::open(system, folder.as_fd(), &Self::name(*operation, step)).ok()
    }

    /// The record of a copy that was interrupted, and can be gone on with; and which folder was made.
    pub(super) fn begun(&self, system: System, at: &Slot, to: &Slot) -> Option<(bool, Copied)> {
        let step = self.originals.get(at)?.iter().find(|(copy, _)| copy == to)?.1;
        let half = self.half(system, step)?;
        Some((half.is_lasting(), half.top().ok()?.copy?))
    }

    /// Removes the records of copies that nobody has any more.
    pub(super) fn forget(&self, work: &Work<'_>) {
        let Some((folder, operation)) = &self.folder else { return };
        for step in self.all.keys() {
            let dropped = work.disk.drop_name(folder.as_fd(), &Self::name(*operation, *step));
            dropped.unwrap_or_default();
        }
    }
}

impl Work<'_> {
    /// Makes a copy under the name `staged`, verified and durable but for its name.
    pub(super) fn copy(
        &mut self,
        make: &Make,
        to: &Arc<OwnedFd>,
        staged: &Name,
        at: &Slot,
    ) -> Result<(), Fail> {
        let Make::Copy { of, id, manner, .. } = make else { return Err(Fail::Record) };
        let from = self.places.folder(of)?;
        let changed = || Fail::Changed(self.places.place(of));
        let facts = self.system.facts(from.as_fd(), of.name.as_bytes()).map_err(|_| changed())?;
        if !(self.same)(*id, facts.id) {
            return Err(changed());
        }
        let plain =
            Manner { verify: Verify::Full, accept: AS_FAR_AS_CAN_BE.to_vec(), links: Vec::new() };
        let how = manner.as_deref().unwrap_or(&plain);
        let made = if self.resume { self.copies.begun(self.system, of, at) } else { None };
        let made = Mutex::new(made.map(|(_, made)| made));
        let begun = self.step.map(|step| (step, self.copies.begin(self, step)));
        let (step, mut record) = match begun {
            None => (0, None),
            Some((step, record)) => {
                (step, record.map_err(|error| self.refused(at, "begin its record", error))?)
            }
        };
        let counting = Counting {
            heeding: Stopping { stop: self.stop, watch: self.watch },
            entries: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        };
        let order = Order {
            disk: self.disk,
            system: self.system,
            from: (from.as_fd(), &of.name),
            facts: &facts,
            to: (to.as_fd(), staged),
            made: &made,
            verify: how.verify,
            accept: &how.accept,
            links: &how.links,
            alone: manner.is_some(),
            threads: THREADS,
            watch: &counting,
        };
        let brought = transfer::bring(&order, record.as_mut());
        let made = made.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.top = made.map(|made| (staged.clone(), made));
        if let Ok(brought) = &brought
            && self.resume
        {
            self.went_on = Some((brought.kept, brought.entries));
        }
        self.copied.0 += counting.entries.into_inner();
        self.copied.1 += counting.bytes.into_inner();
        if brought == Err(Trouble::Foreign) {
            // What stands under the staged name is not to be removed, as what was made would be.
            self.begun = false;
        }
        let brought = brought.map_err(|trouble| self.trouble(trouble, of, at))?;
        if let Some(lost) = brought.lost.iter().find(|lost| lost.kind == Loss::Sharing) {
            let mut place = self.places.place(at);
            place.extend_as_text(lost.paths.first().map(Vec::as_slice).unwrap_or_default());
            let (count, _) = self.unshared.get_or_insert((0, place));
            *count += lost.count;
        }
        if let Some(record) = record {
            self.copies.read.insert(step, Arc::new(record.into_manifest()));
        }
        Ok(())
    }

    fn trouble(&self, trouble: Trouble, of: &Slot, at: &Slot) -> Fail {
        let place = |slot: &Slot, path: &[u8]| {
            let mut place = self.places.place(slot);
            place.extend_as_text(path);
            place
        };
        match trouble {
            Trouble::Changed(path) | Trouble::Unexpected(path) => Fail::Changed(place(of, &path)),
            Trouble::InUse(path) => Fail::InUse { place: place(of, &path), by: None },
            Trouble::Mounted(path) => Fail::Mounted(place(of, &path)),
            Trouble::Differs(path) => Fail::NotAsMade(place(at, &path)),
            Trouble::Foreign => Fail::NotAsMade(self.places.place(at)),
            Trouble::Lossy(lost) => Fail::Lossy { place: self.places.place(of), lost },
            Trouble::System { doing, side: Side::Original, path, error } => {
                Fail::System { doing, place: place(of, &path), error }
            }
            Trouble::System { doing, side: Side::Copy, path, error } => {
                Fail::System { doing, place: place(at, &path), error }
            }
            Trouble::System { doing, side: Side::Record, error, .. } => {
                Fail::System { doing, place: AbsPath::root(), error }
            }
            Trouble::Stopped => Fail::Interrupted,
        }
    }

    /// Where what a step gives up at `at` was copied to: also where it is kept aside, as nobody looks
    /// there for what they have written.
    fn copied_to(&self, at: &Slot, fate: &Fate) -> Option<Slot> {
        match fate {
            Fate::Kept(_) => self.copies.made_of(at),
            _ => fate.original().cloned(),
        }
    }

    /// The record by which what a step at `at` gives up was copied.
    fn manifest(&mut self, at: &Slot, fate: &Fate) -> Option<Arc<Manifest>> {
        let to = self.copied_to(at, fate)?;
        self.copies.manifest(self.system, at, &to)
    }

    /// Looks again at one entry, at `name`, that was copied from the slot `of` to `to`.
    pub(super) fn is_as_copied(
        &mut self,
        (of, to): (&Slot, &Slot),
        manner: Option<&Manner>,
        folder: &Arc<OwnedFd>,
    ) -> Result<(), Fail> {
        let Some(manifest) = self.copies.manifest(self.system, of, to) else {
            let is = self.is_copy_of(folder, &of.name, to, manner);
            return if is { Ok(()) } else { Err(Fail::Changed(self.places.place(of))) };
        };
        self.is_as_recorded(&manifest, of, folder, &of.name)
    }

    fn is_as_recorded(
        &self,
        manifest: &Manifest,
        at: &Slot,
        folder: &Arc<OwnedFd>,
        name: &Name,
    ) -> Result<(), Fail> {
        let watch = Stopping { stop: self.stop, watch: self.watch };
        let found = transfer::still(self.system, manifest, (folder.as_fd(), name), THREADS, &watch);
        let found = found.map_err(|trouble| self.trouble(trouble, at, at))?;
        match found.first() {
            None => Ok(()),
            Some(path) => {
                let mut place = self.places.place(at);
                place.extend_as_text(path);
                Err(Fail::Changed(place))
            }
        }
    }

    /// Looks again at what was copied, which stands at `name`: right before a link takes its place, so
    /// that a link to what is stale is never seen, and right behind that, when nobody finds the old one
    /// any more.
    pub(super) fn still_as_copied(
        &mut self,
        at: &Slot,
        folder: &Arc<OwnedFd>,
        name: &Name,
        fate: &Fate,
    ) -> Result<(), Fail> {
        if let Some(to) = self.copied_to(at, fate) {
            self.places.still_there(&to)?;
        }
        let Some(manifest) = self.manifest(at, fate) else { return Ok(()) };
        if let Some(to) = self.copied_to(at, fate) {
            let home = self.places.folder(&to)?;
            if !transfer::is_there(self.system, &manifest, (home.as_fd(), &to.name)) {
                return Err(Fail::Changed(self.places.place(&to)));
            }
        }
        self.is_as_recorded(&manifest, at, folder, name)
    }

    /// Looks at a single file that was copied right before it gets another name. That changes the time of any
    /// change, and so would hide what is written meanwhile by who gives the other time back: nobody opens it
    /// for writing until [`Self::renamed`], where the system can see to it.
    pub(super) fn hold_still(
        &mut self,
        at: &Slot,
        folder: &Arc<OwnedFd>,
        old: &Object,
        fate: &Fate,
    ) -> Result<Option<HeldStill>, Fail> {
        if old.kind() != EntryKind::File {
            return Ok(None);
        }
        let Some(manifest) = self.manifest(at, fate) else { return Ok(None) };
        let file = self.system.open(folder.as_fd(), at.name.as_bytes(), Access::Read).ok();
        if file.as_ref().is_some_and(|file| lease::take_read(file) == Err(Errno::AGAIN)) {
            return Err(Fail::InUse { place: self.places.place(at), by: None });
        }
        self.is_as_recorded(&manifest, at, folder, &at.name)?;
        Ok(Some((manifest, file)))
    }

    /// It has got the name `name`: from now on the time of any change counts that this has left.
    pub(super) fn renamed(&self, held: Option<HeldStill>, folder: &Arc<OwnedFd>, name: &Name) {
        if let Some((manifest, lease)) = held {
            if let Ok(now) = self.system.facts(folder.as_fd(), name.as_bytes()) {
                manifest.renamed(&now);
            }
            drop(lease);
        }
    }

    /// Whether nobody has touched the copy that stands at `name`; `None` where it is not on record.
    pub(super) fn is_untouched(
        &mut self,
        at: &Slot,
        of: &Slot,
        folder: &Arc<OwnedFd>,
        name: &Name,
    ) -> Option<bool> {
        let manifest = self.copies.manifest(self.system, of, at)?;
        let watch = Stopping { stop: None, watch: self.watch };
        let found =
            transfer::untouched(self.system, &manifest, (folder.as_fd(), name), THREADS, &watch);
        Some(found.is_ok_and(|found| found.is_none()))
    }

    /// Whether what was set aside under `name` may be given up: `None` where it is not on record, and so
    /// has to be compared.
    pub(super) fn may_give_up(
        &mut self,
        at: &Slot,
        folder: &Arc<OwnedFd>,
        name: &Name,
        fate: &Fate,
    ) -> Option<Result<(), Fail>> {
        self.manifest(at, fate)?;
        // What was written until then is seen by looking, afterwards.
        let unused = self.nobody_writes(at, folder, name);
        Some(unused.and_then(|()| self.still_as_copied(at, folder, name, fate)))
    }

    /// Refuses to go on while somebody has something open for writing in what stood at the slot, and is under
    /// `name` now: who opened it before the exchange writes to the old one, and what they write next would be
    /// lost from sight.
    pub(super) fn nobody_writes(
        &self,
        at: &Slot,
        folder: &Arc<OwnedFd>,
        name: &Name,
    ) -> Result<(), Fail> {
        let place = self.places.place(at).parent().joined(name.as_bytes());
        let facts = self.system.facts(folder.as_fd(), name.as_bytes());
        let Ok(id) = facts.map(|facts| facts.id.file()) else { return Ok(()) };
        let belongs = |other| other == id;
        let subject = Subject { place: &place, id, belongs: &belongs };
        match in_use::look(self.system, &subject).filter(in_use::Found::hinders) {
            // It sees only what this user may, and by which way it was opened; a lease sees every writer.
            None if in_use::written_to(self.system, folder.as_fd(), name.as_bytes())
                == Some(true) =>
            {
                Err(Fail::InUse { place: self.places.place(at), by: None })
            }
            None => Ok(()),
            Some(found) => {
                let by = found.users.first().map(|user| (user.process, user.name.clone()));
                Err(Fail::InUse { place: self.places.place(at), by })
            }
        }
    }

    /// Frees by its record what was set aside under `staged`; `None` where there is none. What is new in
    /// it, or was changed, stays beside the old name.
    pub(super) fn release(
        &mut self,
        step: &Step,
        folder: &Arc<OwnedFd>,
        staged: &Name,
    ) -> Option<Result<(), Fail>> {
        let at = step.at();
        let manifest = self.manifest(at, step.fate()?)?;
        let to = self.copied_to(at, step.fate()?)?;
        let home = match self.places.folder(&to) {
            Ok(home) => home,
            Err(fail) => return Some(Err(fail)),
        };
        let watch = Stopping { stop: None, watch: self.watch };
        let released = transfer::release(
            self.disk,
            self.system,
            &manifest,
            (folder.as_fd(), staged),
            (home.as_fd(), &to.name),
            THREADS,
            &watch,
        );
        Some(match released {
            Ok(released) => self.left_over(&released, folder, staged, at),
            Err(trouble) => Err(self.trouble(trouble, at, at)),
        })
    }

    /// Removes a copy of our own, of `of`, that lies under `name` and had its own name before: somebody may
    /// have seen it. What is as it was made goes, by its record; what is not stays, and is named, and so
    /// does all of it while somebody has something in it open for writing. `None` where it is not on record.
    pub(super) fn give_up_copy(
        &mut self,
        at: &Slot,
        of: &Slot,
        folder: &Arc<OwnedFd>,
        name: &Name,
    ) -> Option<Result<(), Fail>> {
        let manifest = self.copies.manifest(self.system, of, at)?;
        if self.is_in_use(at, folder, name) {
            self.keep_beside(folder, name, at);
            return Some(Ok(()));
        }
        let watch = Stopping { stop: None, watch: self.watch };
        let at_name = (folder.as_fd(), name);
        let released =
            transfer::release_copy(self.disk, self.system, &manifest, at_name, THREADS, &watch);
        Some(match released {
            Ok(released) => self.refused_release(&released, name, at).map(|()| {
                if released.stays > 0 {
                    self.keep_beside(folder, name, at);
                }
            }),
            Err(trouble) => Err(self.trouble(trouble, at, at)),
        })
    }

    /// Whether somebody has something open for writing in the copy that stands at `name`. The leases tell;
    /// the processes are asked where there are none.
    pub(super) fn is_in_use(&self, at: &Slot, folder: &Arc<OwnedFd>, name: &Name) -> bool {
        let told = match self.system.open(folder.as_fd(), name.as_bytes(), Access::List) {
            Ok(top) => match in_use::lease_walk(self.system, top.as_fd(), u64::MAX) {
                Ok(walked) if !walked.written.is_empty() => Some(true),
                Ok(walked) if walked.unasked == 0 => Some(false),
                _ => None,
            },
            Err(_) => in_use::written_to(self.system, folder.as_fd(), name.as_bytes()),
        };
        told.unwrap_or_else(|| self.nobody_writes(at, folder, name).is_err())
    }

    fn left_over(
        &mut self,
        released: &Released,
        folder: &Arc<OwnedFd>,
        staged: &Name,
        at: &Slot,
    ) -> Result<(), Fail> {
        self.refused_release(released, staged, at)?;
        if released.stays > 0 {
            self.keep_left_over(folder, staged, at);
        }
        Ok(())
    }

    /// Whether something stays because it could not be removed: that is tried again.
    fn refused_release(&self, released: &Released, staged: &Name, at: &Slot) -> Result<(), Fail> {
        let mut aside = self.places.place(at).parent().joined(staged.as_bytes());
        for left in &released.left {
            if let Stays::Refused(error) = left.why {
                aside.extend_as_text(&left.path);
                return Err(Fail::System { doing: "remove it", place: aside, error });
            }
            if left.why == Stays::Mounted {
                aside.extend_as_text(&left.path);
                return Err(Fail::Mounted(aside));
            }
        }
        Ok(())
    }

    /// Keeps what is left of something given up, under a name that a person recognises if that is free.
    pub(super) fn keep_left_over(&mut self, folder: &Arc<OwnedFd>, staged: &Name, at: &Slot) {
        let place = self.beside(folder, staged, at);
        self.left.push(place);
    }

    /// The same for something that is not removed when a step is taken back.
    pub(super) fn keep_beside(&mut self, folder: &Arc<OwnedFd>, staged: &Name, at: &Slot) {
        let place = self.beside(folder, staged, at);
        self.kept.push(place);
    }

    fn beside(&self, folder: &Arc<OwnedFd>, staged: &Name, at: &Slot) -> AbsPath {
        let mut aside = self.places.place(at).parent().joined(staged.as_bytes());
        for number in 1..100 {
            let number = if number == 1 { String::new() } else { format!(" {number}") };
            let seen = [at.name.as_bytes(), format!(" (left over{number})").as_bytes()].concat();
            let Some(seen) = Name::new(seen).filter(|name| name.as_bytes().len() <= 255) else {
                break;
            };
            match self.rename_new(folder, staged, folder, &seen) {
                Ok(()) => {
                    aside = self.places.place(at).parent().joined(seen.as_bytes());
                    break;
                }
                Err(Errno::EXIST) => {}
                Err(_) => break,
            }
        }
        aside
    }
}

/// Passes on what is watched, and heeds a stop.
struct Stopping<'a> {
    stop: Option<&'a AtomicBool>,
    watch: &'a dyn Watch,
}

impl Watch for Stopping<'_> {
    fn stops(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::SeqCst)) || self.watch.stops()
    }

    fn phase(&self, phase: Phase) {
        self.watch.phase(phase);
    }

    fn done(&self, entries: u64, bytes: u64) {
        self.watch.done(entries, bytes);
    }

    fn at(&self, below: &dyn Fn() -> Vec<u8>, name: &Name) {
        self.watch.at(below, name);
    }
}

/// Counts what is done, besides.
struct Counting<'a> {
    heeding: Stopping<'a>,
    entries: AtomicU64,
    bytes: AtomicU64,
}

impl Watch for Counting<'_> {
    fn stops(&self) -> bool {
        self.heeding.stops()
    }

    fn phase(&self, phase: Phase) {
        self.heeding.phase(phase);
    }

    fn done(&self, entries: u64, bytes: u64) {
        self.entries.fetch_add(entries, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.heeding.done(entries, bytes);
    }

    fn at(&self, below: &dyn Fn() -> Vec<u8>, name: &Name) {
        self.heeding.at(below, name);
    }
}

/// Whether it is recorded what is copied: of what a move makes.
pub(super) fn is_on_record(make: &Make) -> bool {
    matches!(make, Make::Copy { manner: Some(_), .. })
}

/// A descriptor of the folder of the journals of one's own.
pub(super) fn folder_of(held: BorrowedFd<'_>) -> Option<OwnedFd> {
    rustix::io::fcntl_dupfd_cloexec(held, 0).ok()
}
