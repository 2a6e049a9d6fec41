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
    sieve: Sieve,
}

/// Tells of almost every entry that it is none of those that are sought, before the tables are asked and the
/// count of who shares them is touched: of a million entries that is a fourteenth of the walk.
#[derive(Debug, Default)]
struct Sieve {
    bits: Box<[u64]>,
    /// By how much a hash is shifted to be the number of a bit.
    shift: u32,
}

/// Odd, and without a pattern (the fraction of the golden ratio): the highest bits of a product with it depend on all of
/// the other factor.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Sieve {
    /// What can tell so many apart: of others about one in 32 passes.
    fn of(many: usize) -> Self {
        let words = many.saturating_mul(32).next_power_of_two().clamp(1 << 10, 1 << 24) / 64;
        Self { bits: vec![0; words].into(), shift: 64 - (words * 64).trailing_zeros() }
    }

    fn at(&self, hash: u64) -> (usize, u64) {
        let number = hash >> self.shift;
        (usize::try_from(number / 64).unwrap_or(usize::MAX), 1 << (number % 64))
    }

    fn put(&mut self, hash: u64) {
        let (word, bit) = self.at(hash);
        if let Some(word) = self.bits.get_mut(word) {
            *word |= bit;
        }
    }

    /// Never `false` of what was put into it.
    fn may_hold(&self, hash: u64) -> bool {
        let (word, bit) = self.at(hash);
        self.bits.get(word).is_some_and(|word| word & bit != 0)
    }
}

fn inode_hash(inode: u64) -> u64 {
    inode.wrapping_mul(SPREAD)
}

/// By its length and its last eight bytes: numbered names differ at their ends.
fn name_hash(name: &[u8]) -> u64 {
    let last = match name.last_chunk::<8>() {
        Some(last) => u64::from_le_bytes(*last),
        None => name.iter().fold(0, |all, byte| all << 8 | u64::from(*byte)),
    };
    let length = u64::try_from(name.len()).unwrap_or(u64::MAX);
    (last ^ length.rotate_right(8)).wrapping_mul(SPREAD)
}

impl Sought {
    /// For so many of the lost.
    pub(super) fn new(lost: usize) -> Self {
        Self { counts: (0..lost).map(|_| AtomicU32::new(0)).collect(), ..Self::default() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.inodes.is_empty() && self.names.is_empty() && !self.looks()
    }

    /// Lets the walk begin: nothing is sought from here on that is not sought yet.
    fn sieved(mut self) -> Self {
        self.sieve = Sieve::of(self.inodes.len() + self.names.len());
        self.inodes.keys().for_each(|inode| self.sieve.put(inode_hash(*inode)));
        self.names.keys().for_each(|name| self.sieve.put(name_hash(name)));
        self
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
    let (sought, all) = (Arc::new(sought.sieved()), Arc::new(Mutex::new(Hits::default())));
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
        let by_inode = self.sought.sieve.may_hold(inode_hash(listed.inode));
        let by_name = self.sought.sieve.may_hold(name_hash(found.name));
        if !by_inode && !by_name && !self.sought.looks() {
            return;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sieve_lets_through_what_is_sought_and_little_else() {
        let name = |number: u64| format!("{}f{number}", "x".repeat((number % 11) as usize));
        let mut sought = Sought::new(0);
        for number in 0..1000 {
            sought.inodes.entry(number * 4096).or_default().push(0);
            sought.names.entry(name(number).into_bytes().into()).or_default().push(0);
        }
        let sieve = sought.sieved().sieve;
        let inodes = |range: std::ops::Range<u64>| {
            range.filter(|number| sieve.may_hold(inode_hash(number * 4096))).count()
        };
        let names = |range: std::ops::Range<u64>| {
            range.filter(|number| sieve.may_hold(name_hash(name(*number).as_bytes()))).count()
        };
        assert_eq!((inodes(0..1000), names(0..1000)), (1000, 1000));
        let others = 2000..102_000;
        assert!(inodes(others.clone()) < 10_000, "{}", inodes(others));
        assert!(names(others.clone()) < 10_000, "{}", names(others));
        // What was never filled holds nothing, and an empty one is asked without harm.
        assert!(!Sieve::default().may_hold(u64::MAX));
    }
}
