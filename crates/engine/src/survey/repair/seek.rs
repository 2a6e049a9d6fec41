//! The walk: one for everything that is lost. Inode numbers and names come with each listing, so nothing
//! is looked at but what fits; with lengths asked for, each file is.

use crate::judge::Found;
use crate::likeness::mark;
use crate::scan::{self, Handle, Options, Problem, Progress, Root, Siblings, Visitor};
use crate::system::{Listed, System};
use crate::volumes::Volumes;
use hashbrown::HashMap;
use linkwell_model::entry::EntryKind;
use linkwell_model::path::AbsPath;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// So many places with a fitting name, or length, are looked at for each lost thing. More say nothing.
const MOST: u32 = 512;

/// What is looked for; the numbers are those of the lost.
#[derive(Debug, Default)]
pub(super) struct Sought {
    pub(super) inodes: HashMap<u64, Vec<usize>>,
    pub(super) names: HashMap<Box<[u8]>, Vec<usize>>,
    /// Of files, by length; looked at one by one only when there are any.
    pub(super) sizes: HashMap<u64, Vec<usize>>,
    /// Of folders, by the marks of what is in them; looked at as well only when there are any.
    pub(super) marks: HashMap<u64, Vec<usize>>,
    /// How many places were found for each of the lost.
    counts: Vec<AtomicU32>,
}

impl Sought {
    /// For so many of the lost.
    pub(super) fn new(lost: usize) -> Self {
        Self { counts: (0..lost).map(|_| AtomicU32::new(0)).collect(), ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.inodes.is_empty() && self.names.is_empty() && !self.looks()
    }

    /// Whether every entry is looked at.
    fn looks(&self) -> bool {
        !self.sizes.is_empty() || !self.marks.is_empty()
    }
}

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Hits {
    /// Which of the lost may be where.
    pub(super) places: Vec<(usize, AbsPath)>,
    /// Of which of the lost more places fit than are looked at.
    pub(super) too_many: Vec<usize>,
    /// Places that could not be looked at.
    pub(super) problems: u64,
}

/// Walks below `areas`, each on its own volume alone.
pub(super) fn walk(
    system: System,
    volumes: &Arc<Volumes>,
    sought: Sought,
    areas: &[AbsPath],
    handle: &Handle,
    tick: &mut impl FnMut(&Progress),
) -> Hits {
    let (sought, all) = (Arc::new(sought), Arc::new(Mutex::new(Hits::default())));
    let seeker = {
        let (sought, all) = (Arc::clone(&sought), Arc::clone(&all));
        move || Seeker {
            system,
            sought: Arc::clone(&sought),
            all: Arc::clone(&all),
            own: Hits::default(),
            last: None,
        }
    };
    let typed: Vec<Vec<u8>> = areas.iter().map(|area| area.as_bytes().to_vec()).collect();
    scan::scan(system, volumes, &Options::default(), &typed, handle, seeker, tick);
    let mut hits = std::mem::take(&mut *all.lock().unwrap_or_else(PoisonError::into_inner));
    hits.places.sort();
    hits.places.dedup();
    let counts = sought.counts.iter().enumerate();
    let too_many = counts.filter(|(_, count)| count.load(Ordering::Relaxed) > MOST);
    hits.too_many = too_many.map(|(number, _)| number).collect();
    hits
}

struct Seeker {
    system: System,
    sought: Arc<Sought>,
    all: Arc<Mutex<Hits>>,
    own: Hits,
    /// The last folder in which something was that a lost folder had.
    last: Option<(usize, AbsPath)>,
}

impl Seeker {
    /// Of a file its length is asked, of everything else nothing.
    fn look(&mut self, sought: &Sought, found: Found<'_>, listed: Listed<'_>) {
        let (kind, size) = match listed.kind {
            Some(kind) if kind != EntryKind::File => (kind, 0),
            _ => match self.system.facts(found.held, found.name) {
                Ok(facts) => (facts.kind, facts.size),
                Err(_) => return,
            },
        };
        if kind == EntryKind::File
            && let Some(lost) = sought.sizes.get(&size)
        {
            self.hit(found, lost, true);
        }
        if sought.marks.is_empty() {
            return;
        }
        let Some(lost) = mark(found.name, kind, size).and_then(|mark| sought.marks.get(&mark))
        else {
            return;
        };
        let place = found.folder.place();
        for number in lost {
            // Most children of one folder come one after another.
            if self.last.as_ref() != Some(&(*number, place.clone())) {
                self.last = Some((*number, place.clone()));
                self.put(*number, place.clone(), true);
            }
        }
    }

    fn hit(&mut self, found: Found<'_>, lost: &[usize], bounded: bool) {
        for number in lost {
            self.put(*number, found.folder.place().joined(found.name), bounded);
        }
    }

    fn put(&mut self, number: usize, place: AbsPath, bounded: bool) {
        let count = self.sought.counts.get(number);
        let before = count.map_or(0, |count| count.fetch_add(1, Ordering::Relaxed));
        if !bounded || before < MOST {
            self.own.places.push((number, place));
        }
    }
}

impl Visitor for Seeker {
    const ENTRIES: bool = true;

    fn entry(&mut self, found: Found<'_>, listed: Listed<'_>) {
        let sought = Arc::clone(&self.sought);
        if let Some(lost) = sought.inodes.get(&listed.inode) {
            self.hit(found, lost, false);
        }
        if let Some(lost) = sought.names.get(found.name) {
            self.hit(found, lost, true);
        }
        if sought.looks() {
            self.look(&sought, found, listed);
        }
    }

    fn root(&mut self, _: &Arc<Root>) {}

    fn link(&mut self, _: &Arc<Root>, _: Found<'_>, _: &Siblings, claim: &dyn Fn() -> bool) {
        claim();
    }

    fn link_at_once(&mut self, _: &Arc<Root>, _: Found<'_>, _: &Siblings) -> bool {
        true
    }

    fn unanswered(&mut self, _: &Arc<Root>, _: Found<'_>) {
        self.own.problems += 1;
    }

    fn file(&mut self, _: &Arc<Root>, _: Found<'_>, _: EntryKind) {}

    fn folder_read(&mut self, _: &Arc<Root>, _: Found<'_>) {}

    fn problem(&mut self, _: Problem) {
        self.own.problems += 1;
    }

    fn other_volume(&mut self, _: Vec<u8>) {}

    fn pause(&mut self) {
        if self.own.places.len() > 4096 {
            self.settle();
        }
    }

    fn settle(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.places.append(&mut self.own.places);
        all.problems += std::mem::take(&mut self.own.problems);
    }
}
