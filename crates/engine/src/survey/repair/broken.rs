//! Which links are broken, and at which step: the link that is mended is the one whose own step leads
//! nowhere, and that may be another one than the link that was asked about.

use super::{Asleep, Broken, Replaced, Survey};
use crate::catalogue::links::Entry;
use crate::catalogue::{Catalogue, Trouble};
use crate::folder::Folder;
use crate::judge::{self, Found, Verdict};
use crate::likeness;
use crate::live::Live;
use crate::look;
use crate::scan::Problem;
use crate::scan::judged::{Item, Sink};
use crate::system::{Access, System};
use crate::track::{Found as Stepped, Tracker};
use crate::volumes::Volumes;
use linkwell_model::chain::{Chain, End, Hop};
use linkwell_model::entry::{EntryKind, LinkKind, Time};
use linkwell_model::health::Health;
use linkwell_model::keep::likeness::Likeness;
use linkwell_model::keep::link::{By, Kept, Policy};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::Object;
use linkwell_model::target::Target;
use rustix::io::Errno;
use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

/// A link that a scan found broken.
#[derive(Debug)]
pub(super) struct Dead {
    folder: AbsPath,
    name: Name,
    /// Its own step, if that is what leads nowhere, as the scan saw it just now: not to be looked at again.
    step: Option<Step>,
}

/// What a link says, and where that is.
#[derive(Debug)]
struct Step {
    target: Target,
    to: AbsPath,
}

/// Of one link the whole way is its step, and if nothing is at its end, that is known.
fn only_step(chain: &Chain<Arc<Folder>>) -> Option<(&Hop<Arc<Folder>>, AbsPath)> {
    let ([hop], End::Missing) = (&*chain.hops, &chain.end) else { return None };
    let mut to = chain.folder.place();
    if !chain.name.is_empty() {
        to.push(&chain.name);
    }
    to.extend_as_text(&chain.rest);
    Some((hop, to))
}

/// Looks at links one by one.
pub(super) struct Gatherer<'g> {
    system: System,
    live: Live,
    tracker: Tracker<'g>,
    catalogue: Option<&'g Catalogue>,
    survey: &'g mut Survey,
    /// The broken ones, with where they led and what that was like.
    pub(super) found: Vec<(Broken, AbsPath, Option<Likeness>)>,
    known: HashMap<(AbsPath, Name), usize>,
    /// What a scan saw of links that come now.
    scanned: HashMap<(AbsPath, Name), Step>,
    seen: std::collections::HashSet<(AbsPath, Name)>,
    last: Option<(AbsPath, Arc<Folder>)>,
    /// The record of the link that is looked at: to ask for it again costs as much as the look.
    asked: Option<Entry>,
}

impl<'g> Gatherer<'g> {
    pub(super) fn new(
        system: System,
        volumes: &'g Arc<Volumes>,
        catalogue: Option<&'g Catalogue>,
        survey: &'g mut Survey,
    ) -> Self {
        Self {
            system,
            live: Live::new(system, Arc::clone(volumes)),
            tracker: Tracker::new(system, volumes, likeness::Depth::Facts),
            catalogue,
            survey,
            found: Vec::new(),
            known: HashMap::new(),
            scanned: HashMap::new(),
            seen: std::collections::HashSet::new(),
            last: None,
            asked: None,
        }
    }

    /// Every link on record in or below `folder`; all of them if there is none.
    pub(super) fn recorded(&mut self, folder: Option<&AbsPath>) -> Result<(), Trouble> {
        let Some(catalogue) = self.catalogue else { return Ok(()) };
        let mut all = Vec::new();
        let each = |entry| {
            all.push(entry);
            ControlFlow::Continue(())
        };
        match folder {
            Some(folder) => catalogue.below(folder, each)?,
            None => catalogue.all(each)?,
        }
        for entry in all.into_iter().filter(|entry| entry.link.kind == LinkKind::Symlink) {
            let (folder, name) = (entry.link.folder.clone(), entry.link.name.clone());
            self.look(&folder, &name, Some(entry));
        }
        Ok(())
    }

    /// The link that was named.
    pub(super) fn named(&mut self, folder: &AbsPath, name: &Name) -> Result<(), Trouble> {
        let entry = match self.catalogue {
            Some(catalogue) => catalogue.at(folder, name)?,
            None => None,
        };
        self.look(folder, name, entry);
        Ok(())
    }

    /// Takes over what a scan saw; to be called first. The links come when they are asked for.
    pub(super) fn after_scan(&mut self, dead: &mut [Dead]) {
        for Dead { folder, name, step } in dead {
            if let Some(step) = step.take() {
                self.scanned.insert((folder.clone(), name.clone()), step);
            }
        }
    }

    /// A link that a scan found.
    pub(super) fn scanned(&mut self, Dead { folder, name, .. }: &Dead) {
        self.look(folder, name, None);
    }

    fn folder(&mut self, place: &AbsPath) -> Result<Arc<Folder>, Errno> {
        if let Some((known, folder)) = &self.last
            && known == place
        {
            return Ok(Arc::clone(folder));
        }
        let held = Folder::of_place(place).open(self.system, Access::Hold)?;
        let folder = Folder::held(place, held);
        self.last = Some((place.clone(), Arc::clone(&folder)));
        Ok(folder)
    }

    fn look(&mut self, place: &AbsPath, name: &Name, entry: Option<Entry>) {
        let key = (place.clone(), name.clone());
        let step = self.scanned.remove(&key);
        if !self.seen.insert(key) {
            return;
        }
        self.survey.looked += 1;
        // A link on record may stand on a server that gives no answer.
        let root = Folder::root();
        if self.live.volumes().may_hang() && self.live.unanswered(&root, place.as_bytes()).is_some()
        {
            self.survey.unjudged.push(place.joined(name.as_bytes()));
            return;
        }
        if let Some(Step { target, to }) = step
            && let Ok(folder) = self.folder(place)
        {
            self.asked = entry;
            self.add(&Hop { folder, name: name.as_bytes().into(), target }, to, None);
            return;
        }
        let looked = self.folder(place).and_then(|folder| {
            let held = folder.descriptor().ok_or(Errno::BADF)?;
            let found = look::object(self.system, held, name.as_bytes())?;
            Ok((folder, found))
        });
        match (looked, entry) {
            (Ok((folder, Some(Object::Link { target, .. }))), entry) => {
                self.asked = entry;
                self.judge(&folder, name, &target);
            }
            (Ok((_, Some(other))), Some(entry)) => {
                self.survey.replaced.push(Replaced { entry, kind: other.kind() });
            }
            (Ok((_, None)) | Err(Errno::NOENT | Errno::NOTDIR), Some(entry)) => {
                drop(entry);
                self.survey.missing += 1;
            }
            (Ok(_) | Err(Errno::NOENT | Errno::NOTDIR), None) => {}
            (Err(_), _) => self.survey.unjudged.push(place.joined(name.as_bytes())),
        }
    }

    fn judge(&mut self, folder: &Arc<Folder>, name: &Name, target: &Target) {
        let Some(held) = folder.descriptor() else { return };
        let found = Found::new(folder, held, name.as_bytes());
        let top = AbsPath::root();
        let verdict =
            judge::judge(&mut self.live, found, target.as_bytes(), &top, judge::Depth::Health);
        let Verdict { health, chain, absent, .. } = verdict;
        let place = || folder.place().joined(name.as_bytes());
        match (health, chain) {
            (Health::Broken, Some(chain)) => self.broken(folder, name, chain),
            (Health::Asleep, _) => {
                let volume = absent.map(|absent| absent.point);
                self.survey.asleep.push(Asleep { link: place(), volume });
            }
            (Health::Broken | Health::Denied | Health::Unknown, _) => {
                self.survey.unjudged.push(place());
            }
            (Health::Ok | Health::Loop | Health::NotADirectory, _) => {}
            // Verdicts of the record, which a look at the disk does not give.
            (Health::Replaced | Health::Retargeted, _) => {}
        }
    }

    /// Finds the step that broke: of the links on the way the last one whose own step leads nowhere.
    fn broken(&mut self, folder: &Arc<Folder>, name: &Name, chain: Chain<Arc<Folder>>) {
        if let Some((hop, to)) = only_step(&chain) {
            return self.add(hop, to, None);
        }
        let asked = folder.place().joined(name.as_bytes());
        for (number, hop) in chain.hops.iter().enumerate().rev() {
            let step = self.tracker.step(&hop.folder, &hop.target);
            match step.found {
                Stepped::Here(_) => {}
                Stepped::Unseen => return self.survey.unjudged.push(asked),
                Stepped::Nothing => {
                    let through = (number > 0).then_some(asked);
                    return self.add(hop, step.to, through);
                }
            }
        }
        // It works by now.
    }

    fn add(&mut self, hop: &Hop<Arc<Folder>>, to: AbsPath, through: Option<AbsPath>) {
        let Some(name) = Name::new(&*hop.name) else { return };
        let place = hop.folder.place();
        let key = (place, name);
        let number = match self.known.get(&key) {
            Some(number) => *number,
            None => {
                let Some(found) = self.record(hop, &key, to) else { return };
                self.found.push(found);
                self.known.insert(key, self.found.len() - 1);
                self.found.len() - 1
            }
        };
        if let Some((broken, ..)) = self.found.get_mut(number) {
            broken.mends.extend(through);
        }
    }

    /// What is on record of a broken link: by its place, by itself if it has moved, or by what others led to.
    fn record(
        &mut self,
        hop: &Hop<Arc<Folder>>,
        (folder, name): &(AbsPath, Name),
        to: AbsPath,
    ) -> Option<(Broken, AbsPath, Option<Likeness>)> {
        let held = hop.folder.open(self.system, Access::Hold).ok()?;
        let facts = self.system.facts(rustix::fd::AsFd::as_fd(&held), name.as_bytes()).ok()?;
        if facts.kind != EntryKind::Symlink {
            return None;
        }
        let is_it = |entry: &mut Entry| entry.link.folder == *folder && entry.link.name == *name;
        let here = match self.asked.take_if(is_it) {
            Some(asked) => Some(asked),
            None => self.catalogue.and_then(|catalogue| catalogue.at(folder, name).ok().flatten()),
        };
        let here = here.filter(|entry| entry.link.target == hop.target);
        if let Some(entry) = here {
            let link = Kept {
                folder: folder.clone(),
                name: name.clone(),
                id: facts.id,
                ..entry.link.clone()
            };
            let was = entry.target.or_else(|| self.led_by_others(&link.to));
            let broken = Broken { link, number: Some(entry.id), moved: false, mends: Vec::new() };
            return Some((broken, to, was));
        }
        let was = self.led_by_others(&to);
        let link = Kept {
            folder: folder.clone(),
            name: name.clone(),
            target: hop.target.clone(),
            kind: LinkKind::Symlink,
            id: facts.id,
            to: to.clone(),
            by: By::Made,
            policy: Policy::default(),
        };
        Some((Broken { link, number: None, moved: false, mends: Vec::new() }, to, was))
    }

    /// Finds the records of broken links that stand elsewhere than they did when they were recorded: the same
    /// link, made at the same moment, with the same text.
    pub(super) fn find_moved(&mut self) -> Result<(), Trouble> {
        let Some(catalogue) = self.catalogue else { return Ok(()) };
        let mut strangers: HashMap<u64, Vec<usize>> = HashMap::new();
        for (number, (broken, ..)) in self.found.iter().enumerate() {
            // Without a birth, a number says nothing: it may have been given out again.
            if broken.number.is_none() && broken.link.id.born.is_some_and(|born| born != Time(0, 0))
            {
                strangers.entry(broken.link.id.inode).or_default().push(number);
            }
        }
        if strangers.is_empty() {
            return Ok(());
        }
        let mut records = Vec::new();
        catalogue.all(|entry| {
            if strangers.contains_key(&entry.link.id.inode) {
                records.push(entry);
            }
            ControlFlow::Continue(())
        })?;
        for entry in records {
            for number in strangers.get(&entry.link.id.inode).into_iter().flatten() {
                let Some((broken, ..)) = self.found.get(*number) else { continue };
                let (id, was) = (broken.link.id, entry.link.id);
                let same = was.born.is_some()
                    && was.is_after_restart(id)
                    && entry.link.target == broken.link.target;
                // A second name of the same link would still be there.
                if !same || self.stands(&entry.link.folder, &entry.link.name) {
                    continue;
                }
                let was = entry.target.clone().or_else(|| self.led_by_others(&entry.link.to));
                if let Some((broken, to, known)) = self.found.get_mut(*number) {
                    broken.number = Some(entry.id);
                    broken.moved = true;
                    broken.link.to = entry.link.to.clone();
                    broken.link.by = entry.link.by;
                    broken.link.policy = entry.link.policy;
                    *to = entry.link.to.clone();
                    *known = was;
                }
            }
        }
        Ok(())
    }

    fn stands(&mut self, folder: &AbsPath, name: &Name) -> bool {
        let found = self.folder(folder).and_then(|folder| {
            let held = folder.descriptor().ok_or(Errno::BADF)?;
            self.system.facts(held, name.as_bytes())
        });
        !matches!(found, Err(Errno::NOENT | Errno::NOTDIR))
    }

    fn led_by_others(&self, to: &AbsPath) -> Option<Likeness> {
        let mut found = None;
        let each = |entry: Entry| {
            if entry.link.to != *to {
                return ControlFlow::Continue(());
            }
            found = entry.target;
            ControlFlow::Break(())
        };
        self.catalogue?.leading_into(to, each).ok()?;
        found
    }
}

/// Where a scan puts the links that are broken, and what it could not look at.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    pub(super) broken: Vec<Dead>,
    pub(super) asleep: Vec<Asleep>,
    pub(super) unjudged: Vec<AbsPath>,
    pub(super) problems: Vec<Problem>,
    pub(super) other_volumes: Vec<Vec<u8>>,
    pub(super) links: u64,
}

pub(super) struct Collector(pub(super) Arc<Mutex<Scanned>>);

impl Sink for Collector {
    fn item(&mut self, item: &Item<'_>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if item.kind != LinkKind::Symlink {
            return;
        }
        all.links += 1;
        if item.health == Health::Ok {
            return;
        }
        // By the first hop: it is the link itself, where it physically stands.
        let chain = item.verdict.and_then(|verdict| verdict.chain.as_ref());
        let first = chain.and_then(|chain| chain.hops.first());
        let Some((place, name)) =
            first.and_then(|hop| Name::new(&*hop.name).map(|name| (hop.folder.place(), name)))
        else {
            return;
        };
        match item.health {
            Health::Broken => {
                let step = chain.and_then(only_step);
                let step = step.map(|(hop, to)| Step { target: hop.target.clone(), to });
                all.broken.push(Dead { folder: place, name, step });
            }
            Health::Asleep => {
                let volume = item.absent.map(|absent| absent.point.clone());
                all.asleep.push(Asleep { link: place.joined(name.as_bytes()), volume });
            }
            Health::Denied | Health::Unknown => {
                all.unjudged.push(place.joined(name.as_bytes()));
            }
            Health::Ok | Health::Loop | Health::NotADirectory => {}
            // Verdicts of the record, which a look at the disk does not give.
            Health::Replaced | Health::Retargeted => {}
        }
    }

    fn problem(&mut self, problem: &Problem) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).problems.push(problem.clone());
    }

    fn other_volume(&mut self, path: &[u8]) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.other_volumes.push(path.to_vec());
    }

    fn pause(&mut self) {}

    fn settle(&mut self) {}
}
