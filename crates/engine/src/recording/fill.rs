//! Every link below some folders, put on record by a walk.

use super::stood::Stood;
use super::{Asked, Gaze, Standing};
use crate::catalogue::links::{Recorded, Seen};
use crate::catalogue::{Catalogue, Trouble as Refused};
use crate::folder::Folder;
use crate::judge::Found;
use crate::likeness::Depth;
use crate::scan::{self, Handle, Options, Problem, Progress, Root, Siblings, Trouble, Visitor};
use crate::system::System;
use crate::track::Tracker;
use crate::volumes::Volumes;
use linkwell_model::entry::EntryKind;
use linkwell_model::keep::link::{By, Policy};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use rustix::io::Errno;
use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// What is wanted.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// How much is found out about what links lead to.
    pub depth: Depth,
    /// What the watcher shall do; as it is, or as it is by itself, if absent.
    pub policy: Option<Policy>,
    /// Where to look.
    pub options: Options,
    /// The moment, in seconds since 1970.
    pub now: i64,
}

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// Links put on record, without those that only lie on the way of others.
    pub links: u64,
    /// Links forgotten, since nothing is there any more.
    pub forgotten: u64,
    /// Links that are not there and stay on record, since the volume that they stood on is away.
    pub away: u64,
    /// The folders that are now on record in full.
    pub whole: Vec<AbsPath>,
    /// What could not be looked at: then no folder counts as on record in full.
    pub problems: Vec<Problem>,
    /// Mount points that were not entered.
    pub other_volumes: Vec<Vec<u8>>,
}

/// So many links go into one transaction: others that want to write wait no longer than it takes.
const AT_ONCE: usize = 20_000;

/// So many links a thread gathers before it hands them over.
const BATCH: usize = 512;

enum Message {
    Seen(Vec<Seen>),
    /// A folder, or a single entry, that was asked for.
    Root(Arc<Root>),
    Problem(Problem),
    OtherVolume(Vec<u8>),
    End,
}

/// The links that a walk has met, each as a number that hardly two have in common. Of two that have, one that
/// is gone stays on record until the next walk.
#[derive(Default)]
struct Met {
    hasher: RandomState,
    numbers: HashSet<u64>,
}

impl Met {
    fn add(&mut self, folder: &[u8], name: &[u8]) {
        self.numbers.insert(self.hasher.hash_one((folder, name)));
    }

    fn has(&self, folder: &[u8], name: &[u8]) -> bool {
        self.numbers.contains(&self.hasher.hash_one((folder, name)))
    }
}

/// Puts every link at or below `typed` on record.
///
/// With [`Handle::stop`] set meanwhile, what was found by then is on record, and no folder counts as whole.
///
/// # Errors
/// The database's; the walk is stopped then.
pub fn fill(
    catalogue: &mut Catalogue,
    system: System,
    volumes: &Arc<Volumes>,
    wanted: &Wanted,
    typed: &[Vec<u8>],
    handle: &Handle,
    tick: impl FnMut(&Progress),
) -> Result<Filled, Refused> {
    let (sender, receiver) = sync_channel(64);
    let visitor = {
        let (sender, volumes, wanted) = (sender.clone(), Arc::clone(volumes), wanted.clone());
        move || Filling {
            tracker: Tracker::shared(system, &volumes, wanted.depth),
            policy: wanted.policy,
            batch: Vec::new(),
            sender: sender.clone(),
        }
    };
    let (mut filled, roots, met) = std::thread::scope(|scope| {
        let lent = &mut *catalogue;
        let written = scope.spawn(move || write(lent, wanted, &receiver, handle));
        scan::scan(system, volumes, &wanted.options, typed, handle, visitor, tick);
        // A thread that was left behind in a dead volume keeps its end of the channel.
        let told = sender.send(Message::End);
        told.unwrap_or_default();
        written.join().unwrap_or(Err(Refused::System(Errno::IO)))
    })?;
    if filled.problems.is_empty() && !handle.stop.load(Ordering::SeqCst) {
        let mut away = HashSet::new();
        for root in roots.iter().filter(|root| root.top.is_some()) {
            let gone = forget_gone(catalogue, system, volumes, &root.place, &met, &mut away)?;
            filled.forgotten += gone;
            let links = catalogue.count_below(&root.place)?;
            let place = root.place.clone();
            catalogue.set_recorded(&Recorded { place: place.clone(), at: wanted.now, links })?;
            filled.whole.push(place);
        }
        filled.away = u64::try_from(away.len()).unwrap_or(u64::MAX);
    }
    Ok(filled)
}

/// Writes what the threads find.
fn write(
    catalogue: &mut Catalogue,
    wanted: &Wanted,
    receiver: &Receiver<Message>,
    handle: &Handle,
) -> Result<(Filled, Vec<Arc<Root>>, Met), Refused> {
    let (mut filled, mut roots, mut met) = (Filled::default(), Vec::new(), Met::default());
    let mut waiting: Vec<Seen> = Vec::new();
    let mut failed: Option<Refused> = None;
    for message in receiver {
        match message {
            // What comes after a failure is taken, so that nobody waits for room, and dropped.
            Message::Seen(_) if failed.is_some() => {}
            Message::Seen(seen) => {
                for seen in &seen {
                    met.add(seen.link.folder.as_bytes(), seen.link.name.as_bytes());
                }
                waiting.extend(seen);
            }
            Message::Root(root) => roots.push(root),
            Message::Problem(problem) => filled.problems.push(problem),
            Message::OtherVolume(path) => filled.other_volumes.push(path),
            Message::End => break,
        }
        if waiting.len() >= AT_ONCE
            && let Err(refused) = put(catalogue, wanted, &mut waiting, &mut filled)
        {
            handle.stop.store(true, Ordering::SeqCst);
            failed = Some(refused);
            waiting.clear();
        }
    }
    if let Some(refused) = failed {
        return Err(refused);
    }
    put(catalogue, wanted, &mut waiting, &mut filled)?;
    Ok((filled, roots, met))
}

fn put(
    catalogue: &mut Catalogue,
    wanted: &Wanted,
    waiting: &mut Vec<Seen>,
    filled: &mut Filled,
) -> Result<(), Refused> {
    // In the order of the table that is searched most: the next page is the one at hand.
    waiting.sort_by(|one, other| {
        let place = |seen: &Seen| (seen.link.folder.clone(), seen.link.name.clone());
        place(one).0.cmp(&place(other).0)
    });
    catalogue.record(&*waiting, wanted.now)?;
    if let Some(policy) = wanted.policy {
        let asked = waiting.iter().filter(|seen| seen.link.by != By::Way);
        catalogue.set_policy_at(asked.map(|seen| (&seen.link.folder, &seen.link.name)), policy)?;
    }
    filled.links += u64::try_from(waiting.iter().filter(|seen| seen.link.by != By::Way).count())
        .unwrap_or(u64::MAX);
    waiting.clear();
    Ok(())
}

/// Forgets the links below a folder that the walk did not meet, and that are not there. Those that went with
/// their volume stay, and are added to `away` by their numbers.
fn forget_gone(
    catalogue: &mut Catalogue,
    system: System,
    volumes: &Arc<Volumes>,
    place: &AbsPath,
    met: &Met,
    away: &mut HashSet<i64>,
) -> Result<u64, Refused> {
    let mut gaze = Gaze::new(system, volumes, Depth::Facts);
    let mut stood = Stood::new(system);
    let unmet = catalogue.places_below(place, |folder, name| !met.has(folder, name))?;
    for (number, folder, name) in unmet {
        let asked = Asked { folder, name, by: By::Way };
        match gaze.at(&asked) {
            // A real file in the place of a link is what a person wants to be told of.
            Standing::None if is_empty(system, &asked) => {
                if let Some(entry) = catalogue.numbered(number)? {
                    stood.take(&entry);
                }
            }
            Standing::Unseen if gaze.is_absent(&asked) => {
                away.insert(number);
            }
            Standing::None | Standing::Unseen | Standing::Link(_) => {}
        }
    }
    let (gone, kept) = stood.told_apart();
    away.extend(kept);
    catalogue.forget(&gone)?;
    Ok(u64::try_from(gone.len()).unwrap_or(u64::MAX))
}

/// Whether nothing at all stands at a place.
fn is_empty(system: System, asked: &Asked) -> bool {
    use crate::system::{Access, Links};
    use rustix::fd::AsFd as _;
    let gone = |error| matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::LOOP);
    match Folder::of_place(&asked.folder).open(system, Access::Hold) {
        Ok(held) => {
            let status = system.status(held.as_fd(), asked.name.as_bytes(), Links::Kept);
            status.is_err_and(gone)
        }
        Err(error) => gone(error),
    }
}

struct Filling {
    tracker: Tracker<'static>,
    policy: Option<Policy>,
    batch: Vec<Seen>,
    sender: SyncSender<Message>,
}

impl Filling {
    fn send(&self, message: Message) {
        // Nobody listens any more when the run has ended without this thread.
        self.sender.send(message).unwrap_or_default();
    }

    fn hand_over(&mut self) {
        if !self.batch.is_empty() {
            let batch = std::mem::take(&mut self.batch);
            self.send(Message::Seen(batch));
        }
    }
}

impl Visitor for Filling {
    fn root(&mut self, root: &Arc<Root>) {
        self.send(Message::Root(Arc::clone(root)));
    }

    fn link(
        &mut self,
        root: &Arc<Root>,
        found: Found<'_>,
        _files: &Siblings,
        claim: &dyn Fn() -> bool,
    ) {
        let Some(name) = Name::new(found.name) else { return };
        let seen = self.tracker.link(found.folder, found.held, &name, By::Tracked);
        if !claim() {
            return;
        }
        match seen {
            Ok(mut seen) => {
                if let Some(policy) = self.policy {
                    for seen in seen.iter_mut().filter(|seen| seen.link.by != By::Way) {
                        seen.link.policy = policy;
                    }
                }
                self.batch.extend(seen);
                if self.batch.len() >= BATCH {
                    self.hand_over();
                }
            }
            Err(Errno::NOENT) => {}
            Err(error) => {
                let path = root.path_of(found.folder, found.name);
                self.problem(Problem { path, trouble: Trouble::System(error) });
            }
        }
    }

    fn link_at_once(&mut self, _: &Arc<Root>, _: Found<'_>, _: &Siblings) -> bool {
        false
    }

    fn unanswered(&mut self, root: &Arc<Root>, found: Found<'_>) {
        let path = root.path_of(found.folder, found.name);
        self.problem(Problem { path, trouble: Trouble::NoAnswer });
    }

    fn file(&mut self, _: &Arc<Root>, _: Found<'_>, _: EntryKind) {}

    fn folder_read(&mut self, _: &Arc<Root>, _: Found<'_>) {}

    fn problem(&mut self, problem: Problem) {
        self.send(Message::Problem(problem));
    }

    fn other_volume(&mut self, path: Vec<u8>) {
        self.send(Message::OtherVolume(path));
    }

    fn pause(&mut self) {}

    fn settle(&mut self) {
        self.hand_over();
        // What was seen of the disk may be old by the time that this thread goes on.
        self.tracker.forget();
    }
}
