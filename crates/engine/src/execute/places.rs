//! The folders of a plan, held: each where the plan has it, or where the plan brings it from or to.

use super::{Fail, is_another};
use crate::folder::Folder;
use crate::journal::record::Volumes;
use crate::operator::Held;
use crate::system::{Access, System};
use linkwell_model::entry::Identity;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Fate, Make, Object, Plan, PlanFolder, Slot, Step, Token};
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// How many folders are held at once.
const MOST: usize = 200;

/// Opens the folders of a plan by their physical places, through no link, and only if each is still
/// the folder that was planned with.
pub(super) struct Places<'a> {
    system: System,
    plan: &'a Plan,
    token: Token,
    same: fn(Identity, Identity) -> bool,
    /// Where this process stands: its places can be reached even when the way from `/` cannot.
    current: Option<&'a Held>,
    /// The volumes on record, after a restart: the folders must lie on these.
    volumes: Option<&'a Volumes>,
    held: HashMap<u32, Arc<OwnedFd>>,
    /// One changed folder of each volume, and whether there are others.
    touched: BTreeMap<u64, (u32, bool)>,
}

impl<'a> Places<'a> {
    pub(super) fn new(
        system: System,
        plan: &'a Plan,
        token: Token,
        same: fn(Identity, Identity) -> bool,
        current: Option<&'a Held>,
    ) -> Self {
        let held = HashMap::new();
        let touched = BTreeMap::new();
        Self { system, plan, token, same, current, volumes: None, held, touched }
    }

    /// Takes folders for those of the plan only if they lie on these volumes.
    pub(super) fn only_on(&mut self, volumes: &'a Volumes) {
        self.volumes = Some(volumes);
    }

    /// The plan that they belong to.
    pub(super) fn plan(&self) -> &'a Plan {
        self.plan
    }

    /// Whether what is held at a folder's place is that folder.
    fn is_it(&self, folder: &PlanFolder, id: Identity, held: BorrowedFd<'_>) -> bool {
        let elsewhere = |volumes| is_another(self.system, volumes, folder.id, held);
        (self.same)(folder.id, id) && !self.volumes.is_some_and(elsewhere)
    }

    /// The folder of a slot, held.
    pub(super) fn folder(&mut self, slot: &Slot) -> Result<Arc<OwnedFd>, Fail> {
        if let Some(held) = self.held.get(&slot.folder) {
            return Ok(Arc::clone(held));
        }
        let folder = self.planned(slot.folder)?;
        let opened = match self.is_at(folder, &folder.place) {
            Ok(opened) => opened,
            Err(fail) => self.is_elsewhere(folder).ok_or(fail)?,
        };
        if self.held.len() >= MOST {
            self.held.clear();
        }
        let held = Arc::new(opened);
        self.held.insert(slot.folder, Arc::clone(&held));
        Ok(held)
    }

    /// A folder of the plan, if it stands at this place.
    fn is_at(&self, folder: &PlanFolder, place: &AbsPath) -> Result<OwnedFd, Fail> {
        let gone = |error| Fail::Folder { place: folder.place.clone(), error };
        let opened = self.open(place, Access::Hold).map_err(|error| gone(Some(error)))?;
        let facts = self.system.facts_of(opened.as_fd()).map_err(|_| gone(None))?;
        if self.is_it(folder, facts.id, opened.as_fd()) { Ok(opened) } else { Err(gone(None)) }
    }

    /// The same where the plan itself moves it, or what it lies in: it may not have come to its place yet,
    /// or have left it already.
    fn is_elsewhere(&self, folder: &PlanFolder) -> Option<OwnedFd> {
        let steps = self.plan.items.iter().flat_map(|item| &item.steps);
        steps.enumerate().find_map(|(number, step)| {
            // Most steps bring no folder anywhere, and of those nothing is worked out: a plan of thousands may ask
            // for each of its folders.
            let other = match step {
                Step::Move { old: Object::Folder { .. }, to, .. }
                | Step::Replace { old: Object::Folder { .. }, fate: Fate::Kept(to), .. }
                | Step::Remove { old: Object::Folder { .. }, fate: Fate::Kept(to), .. } => to,
                Step::Put { make: Make::Moved { from, .. }, .. }
                | Step::Replace { make: Make::Moved { from, .. }, .. } => from,
                _ => return None,
            };
            let mut all = vec![self.place(step.at()), self.place(other)];
            // On the way between the two it has a name of our own.
            for staged in [self.token.staged(number), self.token.staged_back(number)] {
                all.push(self.place(step.at()).parent().joined(staged.as_bytes()));
            }
            let below = all.iter().find_map(|place| folder.place.below(place))?;
            all.iter().find_map(|place| {
                let mut there = place.clone();
                there.extend_as_text(below);
                self.is_at(folder, &there).ok()
            })
        })
    }

    /// Whether the folder of a slot is still found at its place: what is held can be reached also after
    /// its drive was detached, and then by nobody else.
    pub(super) fn still_there(&self, slot: &Slot) -> Result<(), Fail> {
        let folder = self.planned(slot.folder)?;
        let found = self.open(&folder.place, Access::Hold);
        let found = found.and_then(|opened| {
            let facts = self.system.facts_of(opened.as_fd())?;
            Ok(self.is_it(folder, facts.id, opened.as_fd()))
        });
        match found {
            Ok(true) => Ok(()),
            Ok(_) => Err(Fail::Folder { place: folder.place.clone(), error: None }),
            Err(error) => Err(Fail::Folder { place: folder.place.clone(), error: Some(error) }),
        }
    }

    fn planned(&self, number: u32) -> Result<&'a PlanFolder, Fail> {
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        self.plan.folders.get(at).ok_or(Fail::Record)
    }

    fn open(&self, place: &AbsPath, access: Access) -> Result<OwnedFd, rustix::io::Errno> {
        let below = self.current.and_then(|held| Some((held, place.below(&held.place)?)));
        if let Some((held, below)) = below {
            let opened = if below.is_empty() {
                self.system.open(held.folder.as_fd(), c".", access)
            } else if below.len() < 3800 {
                self.system.open_below(held.folder.as_fd(), below, access)
            } else {
                Err(rustix::io::Errno::NAMETOOLONG)
            };
            if opened.is_ok() {
                return opened;
            }
        }
        Folder::of_place(place).open(self.system, access)
    }

    /// Where a slot is, for words.
    pub(super) fn place(&self, slot: &Slot) -> AbsPath {
        let folder = self.planned(slot.folder).map(|folder| folder.place.clone());
        folder.unwrap_or_else(|_| AbsPath::root()).joined(slot.name.as_bytes())
    }

    /// Takes over what other work on the same plan has changed.
    pub(super) fn take_over(&mut self, other: &Places<'_>) {
        for (volume, (folder, several)) in &other.touched {
            let touched = self.touched.entry(*volume).or_insert((*folder, *several));
            touched.1 |= *several || touched.0 != *folder;
        }
    }

    /// Notes that something in the slot's folder changes.
    pub(super) fn touch(&mut self, slot: &Slot) {
        let Ok(folder) = self.planned(slot.folder) else { return };
        let touched = self.touched.entry(folder.id.device).or_insert((slot.folder, false));
        touched.1 |= touched.0 != slot.folder;
    }

    /// Forgets what changed: it was made durable.
    pub(super) fn forget_touched(&mut self) {
        self.touched.clear();
    }

    /// One descriptor to sync for each volume on which something changed, and whether more than one
    /// folder of it did.
    pub(super) fn touched(&self) -> Vec<(OwnedFd, bool)> {
        let mut all = Vec::new();
        for (number, several) in self.touched.values().copied() {
            let Ok(folder) = self.planned(number) else { continue };
            // A folder that may be written and not read cannot be synced by itself, and one that was
            // removed needs not be: its volume is, by the nearest folder above that can be opened.
            let mut place = folder.place.clone();
            let mut whole = several;
            loop {
                if let Ok(opened) = self.open(&place, Access::List) {
                    all.push((opened, whole));
                    break;
                }
                whole = true;
                if place == AbsPath::root() {
                    break;
                }
                place.pop();
            }
        }
        all
    }
}
