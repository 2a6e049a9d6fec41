//! Where did the targets of broken links go? Looking, and nothing else: what is found is weighed, and what
//! a person agrees to is planned by [`super::lead`].
//!
//! * [`survey`]: which links are broken, and for each lost target what may be it now.
//! * `broken`: which links, and at which step.
//! * `present`: whether the volume is attached at all; if not, nothing is lost.
//! * `handles`: what needs no walk.
//! * `seek`: the one walk for everything that is lost. `weigh`: a look at each place that fits.
//! * `texts`: links that were never on record.
//! * [`replaced`]: links that a program has saved a file over; links that lead nowhere any more.
//! * [`renew`]: the record afterwards.
//!
//! The ladder: the handles of the object, of its folder; then one walk from the nearest folder that is still
//! there, then all local volumes, by inode number and name; then by length, and by what is in folders. Every place that any
//! of these gives is only a hint: what stands there is compared with what is on record.

mod broken;
mod handles;
mod present;
mod renew;
pub mod replaced;
mod seek;
mod texts;
pub(crate) mod weigh;

pub use renew::renew;

use super::Surveyor;
use super::lead::Lead;
use crate::catalogue::links::Entry;
use crate::catalogue::{Catalogue, Trouble};
use crate::folder::Folder;
use crate::judge::Depth;
use crate::parts::in_parts;
use crate::scan::judged::{self, Wanted as Scanned};
use crate::scan::{Handle, Options, Problem, Progress};
use crate::system::{Access, Links, System};
use crate::volumes::Volumes;
use broken::{Collector, Gatherer};
use handles::{Listing, reach};
use linkwell_model::entry::EntryKind;
use linkwell_model::keep::choice::{Candidate, Choice, Doubt, choose};
use linkwell_model::keep::evidence::{Evidence, Likened};
use linkwell_model::keep::likeness::Likeness;
use linkwell_model::keep::link::Kept;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::Why;
use present::{Present, Whereabouts};
use seek::Sought;
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use weigh::{Looked, Weigher};

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The links, and the folders below which all links are meant, as typed. Every link on record if empty.
    pub paths: Vec<Vec<u8>>,
    /// Look for links on other volumes that are mounted below, too.
    pub cross_volumes: bool,
    /// Look for what is lost below these as well, as typed.
    pub search: Vec<Vec<u8>>,
    /// Look only from the nearest folder that is still there, and below `search`; not on whole volumes.
    pub near: bool,
    /// This program, which [`crate::reach`] starts as a child.
    pub program: Option<PathBuf>,
}

/// A link that is broken, by its own step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The link.
    pub link: Kept,
    /// Its number in the catalogue, if it is on record.
    pub number: Option<i64>,
    /// It is on record at another place, where it stands no more.
    pub moved: bool,
    /// Links that lead through it, and work again when it does.
    pub mends: Vec<AbsPath>,
}

/// A place to which links lead, and where nothing is any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The place.
    pub to: AbsPath,
    /// What was there, if it was ever seen.
    pub was: Option<Likeness>,
    /// The links.
    pub links: Vec<Broken>,
}

/// What was found for one lost place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The lost place.
    pub lost: Lost,
    /// What may be it now, best first as far as [`Choice`] says.
    pub candidates: Vec<Candidate>,
    /// What is made of them.
    pub choice: Choice,
    /// There are more places of its name, or of its length, than were looked at.
    pub too_many: bool,
}

impl Found {
    /// The one that was chosen, if one was.
    pub fn chosen(&self) -> Option<&Candidate> {
        match self.choice {
            Choice::Certain(number) | Choice::Likely(number) => self.candidates.get(number),
            Choice::Ambiguous(_) | Choice::None => None,
        }
    }

    /// All its links, to be led to the candidate at `place`.
    pub fn leads<'f>(&'f self, place: &'f AbsPath) -> impl Iterator<Item = Lead> + 'f {
        let chosen = self.candidates.iter().find(|candidate| candidate.place == *place);
        let object = chosen.map(|candidate| (candidate.id, candidate.kind));
        let lead = move |link: &Kept| Lead { link: link.clone(), to: place.clone(), object };
        self.lost.links.iter().map(move |broken| lead(&broken.link))
    }
}

/// A link on record, at whose place something real stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The record.
    pub entry: Entry,
    /// What stands there.
    pub kind: EntryKind,
}

/// A link whose volume is not attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asleep {
    /// The link.
    pub link: AbsPath,
    /// The place of the volume, if that is known.
    pub volume: Option<AbsPath>,
}

/// One answer to many questions: a folder that many lost places lay in, and where it seems to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What the lost places begin with.
    pub old: AbsPath,
    /// What the found ones begin with.
    pub new: AbsPath,
    /// How many links.
    pub links: usize,
}

/// All that was found.
#[derive(Debug, Default)]
pub struct Survey {
    /// What is lost, by place.
    pub found: Vec<Found>,
    /// Links that a program saved over.
    pub replaced: Vec<Replaced>,
    /// Links that are asleep: nothing is to be done about them.
    pub asleep: Vec<Asleep>,
    /// Links about which nothing can be said.
    pub unjudged: Vec<AbsPath>,
    /// Folders of links that could not be looked at.
    pub problems: Vec<Problem>,
    /// Paths that could not be taken.
    pub refused: Vec<(Vec<u8>, Why)>,
    /// Volumes below the paths that were not looked into.
    pub other_volumes: Vec<Vec<u8>>,
    /// How many links were looked at.
    pub looked: u64,
    /// How many links on record are not at their place any more.
    pub missing: u64,
    /// How many places could not be searched for what is lost.
    pub unsearched: u64,
    /// What helped less than it might, for who wants to know.
    pub notes: Vec<String>,
}

impl Survey {
    /// Whether it is known that nothing is left of it: every place was searched, and nothing that may be it
    /// was found, however unlike.
    pub fn is_gone(&self, found: &Found) -> bool {
        found.choice == Choice::None
            && found.candidates.is_empty()
            && !found.too_many
            && self.unsearched == 0
    }

    /// Changes that explain several links each, the most first.
    pub fn answers(&self) -> Vec<Answer> {
        let mut counts: HashMap<(AbsPath, AbsPath), usize> = HashMap::new();
        for found in &self.found {
            if let Some(chosen) = found.chosen() {
                let change = texts::change(&found.lost.to, &chosen.place);
                *counts.entry(change).or_default() += found.lost.links.len();
            }
        }
        let several = counts.into_iter().filter(|(_, links)| *links > 1);
        let mut answers: Vec<Answer> =
            several.map(|((old, new), links)| Answer { old, new, links }).collect();
        answers.sort_by(|one, two| (two.links, &one.old).cmp(&(one.links, &two.old)));
        answers
    }
}

/// The search for one lost place.
pub(in crate::survey) struct Hunt {
    lost: Lost,
    found: Vec<Looked>,
    tried: HashSet<AbsPath>,
    /// As in [`Found`].
    too_many: bool,
}

impl Hunt {
    fn new(lost: Lost) -> Self {
        Self { lost, found: Vec::new(), tried: HashSet::new(), too_many: false }
    }

    fn consider(&mut self, weigher: &mut Weigher<'_>, place: &AbsPath) {
        let own = self.lost.links.iter().any(|broken| broken.link.place() == *place);
        if own || *place == self.lost.to {
            return;
        }
        self.weigh(weigher, place);
    }

    /// What is on record may stand where it stood: then the link was moved, or the way that it leads by.
    fn consider_where_it_stood(&mut self, weigher: &mut Weigher<'_>) {
        // Where the text of one leads now that was not moved itself, nothing is.
        let is_empty = |broken: &&Broken| !broken.moved && broken.link.to == self.lost.to;
        let stood = self.lost.links.iter().filter(|broken| !is_empty(broken));
        let stood: HashSet<AbsPath> = stood.map(|broken| broken.link.to.clone()).collect();
        for place in stood {
            self.weigh(weigher, &place);
        }
    }

    fn weigh(&mut self, weigher: &mut Weigher<'_>, place: &AbsPath) {
        if !self.tried.insert(place.clone()) {
            return;
        }
        let Some(looked) = weigher.look(place, &self.lost.to, self.lost.was.as_ref()) else {
            return;
        };
        // One object seen through two mounts is one; two names of a file are two.
        let again = self.found.iter().any(|known| {
            known.is.names == 1
                && looked.is.kind != EntryKind::Folder
                && known.is.inode == looked.is.inode
                && known.is.device == looked.is.device
                || known.is.kind == EntryKind::Folder
                    && known.is.inode == looked.is.inode
                    && known.is.device == looked.is.device
        });
        if !again {
            self.found.push(looked);
        }
    }

    /// Nothing better can be found: it is there, under every name that it has.
    fn is_settled(&self) -> bool {
        let same = |looked: &&Looked| looked.candidate.likened == Likened::Same;
        let mut all = self.found.iter().filter(same);
        let Some(first) = all.next() else { return false };
        let others = u64::try_from(all.count()).unwrap_or(u64::MAX);
        first.is.kind == EntryKind::Folder || others.saturating_add(1) >= first.is.names
    }
}

/// Looks at the links, and for what the broken ones led to.
///
/// A catalogue that cannot be read is said in the notes, and counts as none. With [`Handle::stop`] set
/// meanwhile, the answer is not whole, and nothing in it says that something is gone.
pub fn survey(
    surveyor: &mut Surveyor,
    catalogue: Option<&Catalogue>,
    wanted: &Wanted,
    handle: &Handle,
    tick: &mut impl FnMut(&Progress),
) -> Survey {
    let mut survey = Survey::default();
    let (system, volumes) = (surveyor.system(), Arc::clone(surveyor.volumes()));
    let gathered = gather(surveyor, &volumes, catalogue, wanted, &mut survey, handle, tick);
    let lost = match gathered {
        Ok(lost) => lost,
        Err((trouble, lost)) => {
            survey.notes.push(format!("the record of links cannot be read: {trouble}"));
            lost
        }
    };
    let present = Present::look(system, &volumes);
    let lost = awake(&present, lost, &mut survey);
    let mut hunts: Vec<Hunt> = lost.into_iter().map(Hunt::new).collect();
    let mut weigher = Weigher::new(system, &volumes);
    let roots = search_roots(surveyor, wanted, &mut survey);
    for hunt in &mut hunts {
        hunt.consider_where_it_stood(&mut weigher);
    }
    if !hunts.is_empty() {
        let is_walked = |folder: &AbsPath| roots.iter().any(|root| covers(&volumes, root, folder));
        reach(&present, wanted, is_walked, &mut weigher, &mut hunts, &mut survey);
        let mut all = roots.clone();
        if !wanted.near {
            all.extend(present.all());
        }
        let mut search =
            Search { system, volumes: &volumes, handle, walked: Vec::new(), problems: 0 };
        let first = near(system, &hunts, is_walked);
        search.round(&mut weigher, &mut hunts, &first, By::Name, tick);
        search.round(&mut weigher, &mut hunts, &all, By::Name, tick);
        // What the wide walk has not found may stand beside where it stood, behind a folder that cannot be listed, or
        // among more of its name than are looked at.
        let mut left = near(system, &hunts, |_| false);
        left.retain(|area| !first.contains(area) && is_walked(area));
        search.round(&mut weigher, &mut hunts, &left, By::NameAgain, tick);
        if wanted.near {
            all.extend(first);
        }
        search.round(&mut weigher, &mut hunts, &all, By::Length, tick);
        survey.unsearched = search.problems;
    }
    survey.found = weighed(&mut weigher, hunts);
    survey
}

/// Looks for what is lost by what needs no walk: its handles, the handle of its folder, and the names in the
/// folder in which it stood. What is not found so may still be there.
pub(crate) fn at_hand(
    system: System,
    volumes: &Arc<Volumes>,
    program: Option<PathBuf>,
    lost: Vec<Lost>,
) -> Survey {
    let mut survey = Survey::default();
    let present = Present::look(system, volumes);
    let lost = awake(&present, lost, &mut survey);
    let mut hunts: Vec<Hunt> = lost.into_iter().map(Hunt::new).collect();
    let mut weigher = Weigher::new(system, volumes);
    let wanted = Wanted { program, ..Wanted::default() };
    reach(&present, &wanted, |_| false, &mut weigher, &mut hunts, &mut survey);
    let mut folders: HashMap<AbsPath, Option<Listing>> = HashMap::new();
    for hunt in hunts.iter_mut().filter(|hunt| !hunt.is_settled()) {
        let Some(was) = hunt.lost.was.clone() else { continue };
        let listing = folders
            .entry(hunt.lost.to.parent())
            .or_insert_with_key(|folder| Listing::of(system, folder.clone()));
        let Some(listing) = listing else { continue };
        for name in listing.names(was.inode) {
            hunt.consider(&mut weigher, &listing.place.joined(name));
        }
    }
    survey.found = weighed(&mut weigher, hunts);
    survey
}

/// The links, and what they led to, each lost place once.
fn gather(
    surveyor: &mut Surveyor,
    volumes: &Arc<Volumes>,
    catalogue: Option<&Catalogue>,
    wanted: &Wanted,
    survey: &mut Survey,
    handle: &Handle,
    tick: &mut impl FnMut(&Progress),
) -> Result<Vec<Lost>, (Trouble, Vec<Lost>)> {
    let system = surveyor.system();
    let mut typed = Vec::new();
    let mut folders = Vec::new();
    let mut named = Vec::new();
    for path in &wanted.paths {
        match meant(surveyor, path) {
            Ok(Meant::Below(place, path)) => {
                folders.push(place);
                typed.push(path);
            }
            Ok(Meant::Link(spot)) => named.push((spot.held.place.clone(), spot.name)),
            Err(why) => survey.refused.push((path.clone(), why)),
        }
    }
    let scanned = if typed.is_empty() {
        broken::Scanned::default()
    } else {
        let options = Options {
            cross_volumes: wanted.cross_volumes,
            current: Some(surveyor.current().place.clone()),
            ..Options::default()
        };
        let asked = Scanned {
            depth: Depth::Health,
            doubled: false,
            hard: false,
            shortcuts: false,
            options,
        };
        let all = Arc::new(Mutex::new(broken::Scanned::default()));
        let sink = {
            let all = Arc::clone(&all);
            move || Collector(Arc::clone(&all))
        };
        judged::scan(system, volumes, &asked, &typed, handle, sink, &mut *tick);
        std::mem::take(&mut *all.lock().unwrap_or_else(PoisonError::into_inner))
    };
    let broken::Scanned { mut broken, asleep, unjudged, problems, other_volumes, links } = scanned;
    survey.looked += links;
    survey.problems = problems;
    survey.other_volumes = other_volumes;
    let mut gatherer = Gatherer::new(system, volumes, catalogue, survey);
    gatherer.after_scan(&mut broken);
    let mut trouble = None;
    let mut note = |result: Result<(), Trouble>| {
        if let Err(error) = result {
            trouble.get_or_insert(error);
        }
    };
    if wanted.paths.is_empty() {
        note(gatherer.recorded(None));
    }
    for folder in &folders {
        note(gatherer.recorded(Some(folder)));
    }
    for (folder, name) in &named {
        note(gatherer.named(folder, name));
    }
    for dead in &broken {
        gatherer.scanned(dead);
    }
    note(gatherer.find_moved());
    let found = std::mem::take(&mut gatherer.found);
    drop(gatherer);
    survey.asleep.extend(asleep);
    survey.asleep.sort_by(|one, two| one.link.cmp(&two.link));
    survey.asleep.dedup_by(|one, two| one.link == two.link);
    survey.unjudged.extend(unjudged);
    survey.unjudged.sort();
    survey.unjudged.dedup();
    let mut lost: Vec<Lost> = Vec::new();
    // Two links that lead to one place now, and led to two, have lost two things.
    let mut known: HashMap<(AbsPath, AbsPath), usize> = HashMap::new();
    for (broken, to, was) in found {
        let number = *known.entry((to.clone(), broken.link.to.clone())).or_insert_with(|| {
            lost.push(Lost { to, was: None, links: Vec::new() });
            lost.len() - 1
        });
        if let Some(lost) = lost.get_mut(number) {
            lost.was = lost.was.take().or(was);
            lost.links.push(broken);
        }
    }
    lost.sort_by(|one, two| one.to.cmp(&two.to));
    match trouble {
        None => Ok(lost),
        Some(trouble) => Err((trouble, lost)),
    }
}

/// What a typed path means.
enum Meant {
    /// All links below this place; and how it is to be scanned.
    Below(AbsPath, Vec<u8>),
    /// This one.
    Link(crate::operator::Spot),
}

fn meant(surveyor: &mut Surveyor, path: &[u8]) -> Result<Meant, Why> {
    let entry = surveyor.system().status(rustix::fs::CWD, path, Links::Kept);
    if entry.is_ok_and(|entry| entry.kind == EntryKind::Folder) {
        let held = surveyor.folder(path)?;
        return Ok(Meant::Below(held.place, path.to_vec()));
    }
    let spot = surveyor.spot(path)?;
    if spot.as_folder {
        let held = surveyor.folder(path)?;
        return Ok(Meant::Below(held.place, path.to_vec()));
    }
    match surveyor.object(&spot)? {
        Some(_) => Ok(Meant::Link(spot)),
        None => Err(Why::Nothing(path.into())),
    }
}

/// Leaves out what lay on a volume that is not attached: that is not lost.
fn awake(present: &Present, lost: Vec<Lost>, survey: &mut Survey) -> Vec<Lost> {
    let mut awake = Vec::with_capacity(lost.len());
    for lost in lost {
        let away = |was: &Likeness| present.of(was.volume.as_ref()) == Whereabouts::Away;
        if lost.was.as_ref().is_some_and(away) {
            let links = lost.links.iter().map(|broken| broken.link.place());
            survey.asleep.extend(links.map(|link| Asleep { link, volume: None }));
        } else {
            awake.push(lost);
        }
    }
    awake
}

/// So many folders are walked by themselves though a larger walk will come by them: what was only renamed is found
/// there.
const FEW: usize = 16;

/// For each lost place the nearest folder that is still there, each once. If there are many, those in what a person has
/// named (`is_walked`) are left out: that is walked once, and not piece by piece before.
fn near(system: System, hunts: &[Hunt], is_walked: impl Fn(&AbsPath) -> bool) -> Vec<AbsPath> {
    let lost = hunts.iter().filter(|hunt| !hunt.is_settled());
    let mut parents: HashSet<AbsPath> = lost.map(|hunt| hunt.lost.to.parent()).collect();
    if parents.len() > FEW {
        parents.retain(|parent| !is_walked(parent));
    }
    let mut known: HashMap<AbsPath, AbsPath> = HashMap::new();
    for parent in parents {
        let mut here = parent.clone();
        while here != AbsPath::root() && Folder::of_place(&here).open(system, Access::Hold).is_err()
        {
            here.pop();
        }
        known.insert(parent, here);
    }
    topmost(known.into_values().collect())
}

/// Without those that lie below another one.
fn topmost(places: HashSet<AbsPath>) -> Vec<AbsPath> {
    let below = |place: &AbsPath| {
        let mut above = place.clone();
        while above != AbsPath::root() {
            above.pop();
            if places.contains(&above) {
                return true;
            }
        }
        false
    };
    let mut top: Vec<AbsPath> = places.iter().filter(|place| !below(place)).cloned().collect();
    top.sort();
    top
}

/// Where else is to be searched, as asked.
fn search_roots(surveyor: &mut Surveyor, wanted: &Wanted, survey: &mut Survey) -> Vec<AbsPath> {
    let mut roots = Vec::new();
    for typed in &wanted.search {
        match surveyor.folder(typed) {
            Ok(held) => roots.push(held.place),
            Err(why) => survey.refused.push((typed.clone(), why)),
        }
    }
    roots
}

/// What a walk looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    /// Inode numbers and names, where was not walked yet.
    Name,
    /// The same, also where was walked.
    NameAgain,
    /// Files of a fitting length, and folders that hold something fitting, whatever their names.
    Length,
}

/// The walks.
struct Search<'s> {
    system: System,
    volumes: &'s Arc<Volumes>,
    handle: &'s Handle,
    /// Where was walked already, by inode and name.
    walked: Vec<AbsPath>,
    problems: u64,
}

/// Whether a walk below `one` comes by `other`: it stays on its volume.
fn covers(volumes: &Volumes, one: &AbsPath, other: &AbsPath) -> bool {
    let mount = |place| volumes.mounts().covering(place).map(|mount| mount.id);
    other.is_at_or_below(one) && mount(one) == mount(other)
}

impl Search<'_> {
    /// One walk for all that is not yet found.
    fn round(
        &mut self,
        weigher: &mut Weigher<'_>,
        hunts: &mut [Hunt],
        areas: &[AbsPath],
        by: By,
        tick: &mut impl FnMut(&Progress),
    ) {
        let mut wanted: Vec<AbsPath> = Vec::with_capacity(areas.len());
        for area in areas {
            let mut walked = self.walked.iter().filter(|_| by == By::Name);
            let known = walked.any(|known| covers(self.volumes, known, area))
                || wanted.iter().any(|known| covers(self.volumes, known, area));
            if !known {
                wanted.push(area.clone());
            }
        }
        let areas = wanted;
        let sought = sought(hunts, by == By::Length);
        if areas.is_empty() || sought.is_empty() || self.handle.stop.load(Ordering::SeqCst) {
            return;
        }
        let hits = seek::walk(self.system, self.volumes, sought, &areas, self.handle, tick);
        self.problems = self.problems.max(hits.problems);
        let mut places: Vec<Vec<AbsPath>> = hunts.iter().map(|_| Vec::new()).collect();
        for (number, place) in hits.places {
            if let Some(its) = places.get_mut(number) {
                its.push(place);
            }
        }
        let both: Vec<(&mut Hunt, Vec<AbsPath>)> = hunts.iter_mut().zip(places).collect();
        in_parts(both, weigher, Weigher::another, |weigher, (hunt, places)| {
            places.iter().for_each(|place| hunt.consider(weigher, place));
        });
        for number in hits.too_many {
            if let Some(hunt) = hunts.get_mut(number) {
                hunt.too_many = true;
            }
        }
        self.walked.extend(areas);
    }
}

fn sought(hunts: &[Hunt], by_length: bool) -> Sought {
    let mut sought = Sought::new(hunts.len());
    for (number, hunt) in hunts.iter().enumerate().filter(|(_, hunt)| !hunt.is_settled()) {
        let Some((_, name)) = hunt.lost.to.split() else { continue };
        let was = hunt.lost.was.as_ref();
        if by_length {
            // Also where something alike was found: a second one makes it doubtful.
            let Some(was) = was else { continue };
            if was.kind == EntryKind::File && was.size > 0 {
                sought.sizes.entry(was.size).or_default().push(number);
            }
            for mark in was.shape.iter().flat_map(|shape| shape.marks()) {
                sought.marks.entry(*mark).or_default().push(number);
            }
            continue;
        }
        if let Some(was) = was {
            sought.inodes.entry(was.inode).or_default().push(number);
        }
        sought.names.entry(name.as_bytes().into()).or_default().push(number);
    }
    sought
}

/// Makes a choice for each.
fn weighed(weigher: &mut Weigher<'_>, mut hunts: Vec<Hunt>) -> Vec<Found> {
    texts::weigh(weigher, &mut hunts);
    contest(&mut hunts);
    let mut all = in_parts(hunts, weigher, Weigher::another, |weigher, hunt| {
        let Hunt { lost, found, too_many, .. } = hunt;
        let links: Vec<&Kept> = lost.links.iter().map(|broken| &broken.link).collect();
        let mut candidates: Vec<Candidate> = Vec::with_capacity(found.len());
        let led = lost.links.iter().filter(|broken| !broken.moved);
        let mut led = led.map(|broken| &broken.link.to).filter(|to| **to != lost.to);
        let changed = led.any(|then| weigher.is_way_changed((then, lost.was.as_ref()), &lost.to));
        for Looked { is, mut candidate } in found {
            let was = lost.was.as_ref();
            let doubts = weigher.doubts(&candidate.place, &lost.to, &is, was, &links);
            candidate.doubts.extend(doubts);
            if changed {
                candidate.doubts.push(Doubt::WayChanged);
            }
            candidates.push(candidate);
        }
        let choice = choose(&candidates);
        Found { lost, candidates, choice, too_many }
    });
    neighbours(&mut all);
    all
}

/// Marks what two lost things may both be. One object cannot be two; being the same settles it.
fn contest(hunts: &mut [Hunt]) {
    let mut claims: HashMap<AbsPath, (usize, bool)> = HashMap::new();
    for hunt in &*hunts {
        for looked in &hunt.found {
            if looked.candidate.likened >= Likened::Alike {
                let claim = claims.entry(looked.candidate.place.clone()).or_default();
                claim.0 += 1;
                claim.1 |= looked.candidate.likened == Likened::Same;
            }
        }
    }
    for hunt in hunts {
        for looked in &mut hunt.found {
            let (claims, same) = claims.get(&looked.candidate.place).copied().unwrap_or_default();
            let alike = looked.candidate.likened == Likened::Alike;
            if alike && (claims > 1 || same) {
                looked.candidate.doubts.push(Doubt::Contested);
            }
        }
    }
}

/// Where several are alike, the one that stands where its neighbours went comes first.
///
/// It is not chosen for that: in one of 3,000 scenarios by chance it was a copy, which a neighbour's folder
/// happened to hold, and not the thing itself.
fn neighbours(all: &mut [Found]) {
    let mut went: HashMap<AbsPath, HashMap<AbsPath, u32>> = HashMap::new();
    for found in &*all {
        if let Some(chosen) = found.chosen() {
            let there = went.entry(found.lost.to.parent()).or_default();
            *there.entry(chosen.place.parent()).or_default() += 1;
        }
    }
    for found in all {
        let Choice::Ambiguous(numbers) = &mut found.choice else { continue };
        let Some(there) = went.get(&found.lost.to.parent()) else { continue };
        let mut votes: HashMap<usize, u32> = HashMap::new();
        for number in &*numbers {
            let Some(candidate) = found.candidates.get_mut(*number) else { continue };
            let count = there.get(&candidate.place.parent()).copied().unwrap_or(0);
            if count > 0 {
                candidate.evidence.push(Evidence::Beside(count));
                votes.insert(*number, count);
            }
        }
        numbers.sort_by_key(|number| std::cmp::Reverse(votes.get(number).copied().unwrap_or(0)));
    }
}
