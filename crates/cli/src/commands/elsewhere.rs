//! The search for links elsewhere that need what a command is about to move or remove.

use super::system;
use crate::World;
use crate::args::Args;
use crate::interrupt;
use crate::output::preview::things;
use crate::output::progress::Bar;
use linkwell_engine::judge::Depth;
use linkwell_engine::live::Live;
use linkwell_engine::refer::Going;
use linkwell_engine::scan::judged::{self, Item, Sink, Wanted as Scanned};
use linkwell_engine::scan::{Handle, Options, Problem};
use linkwell_engine::volumes::Volumes;
use linkwell_model::path::AbsPath;
use linkwell_model::shown::shown;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long links elsewhere are looked for where nobody said where to look: most of a disk may have to
/// be read for that, and who removes something does not want to wait for it.
const LONGEST: Duration = Duration::from_secs(5);

/// What is searched for, and where.
pub(super) struct Search<'s> {
    /// What goes.
    pub(super) going: Going,
    /// Where that lies: links to it are most likely on the same volumes.
    pub(super) places: Vec<AbsPath>,
    /// Where to look, as typed; at home and on the volumes of the places if nothing was.
    pub(super) under: &'s [Vec<u8>],
    /// The volumes.
    pub(super) volumes: &'s Arc<Volumes>,
}

/// A link that needs something of what goes.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// The number of what it needs.
    pub(super) number: usize,
    /// Where it stands, physically; of a bind mount, as it was found.
    pub(super) place: AbsPath,
    path: Vec<u8>,
    target: Vec<u8>,
}

impl Found {
    /// The link, for a remark.
    pub(super) fn shown(&self) -> String {
        format!("`{} → {}`", shown(&self.path), shown(&self.target))
    }
}

/// What was found.
pub(super) struct Elsewhere {
    /// The links, in the order of their paths, each once.
    pub(super) found: Vec<Found>,
    roots: Vec<Vec<u8>>,
    cut_short: bool,
    problems: usize,
}

impl Elsewhere {
    /// What is to be said of the search, where `would` is what a link would that was found; `no` is `no link`,
    /// or says that there are some besides.
    pub(super) fn remarks(&self, no: &str, would: &str) -> Vec<String> {
        let mut all = Vec::new();
        if self.found.is_empty() {
            let roots: Vec<String> =
                self.roots.iter().map(|root| format!("`{}`", shown(root))).collect();
            all.push(format!("{no} found below {} {would}", roots.join(", ")));
        }
        if self.cut_short {
            all.push(
                "links elsewhere were looked for as long as 5 seconds, and not everywhere; \
                 `--under ROOT` looks at all below ROOT, `--no-refs` nowhere"
                    .into(),
            );
        }
        if self.problems > 0 {
            let places = things(self.problems, "place", "places");
            all.push(format!("{places} could not be looked at; there may be more such links"));
        }
        all
    }
}

#[derive(Default)]
struct Gathered {
    found: Vec<Found>,
    /// Those that are known, by where they stand: places are looked at twice.
    known: HashSet<AbsPath>,
    problems: usize,
}

struct Gather {
    going: Arc<Going>,
    live: Live,
    gathered: Arc<Mutex<Gathered>>,
}

impl Sink for Gather {
    fn item(&mut self, item: &Item<'_>) {
        let needed = match item.verdict {
            // A bind mount: what it shows is all there is to its way.
            None => {
                let number = item.physical.as_ref().and_then(|shown| self.going.holds(shown));
                number.zip(AbsPath::cleaned(item.path))
            }
            Some(verdict) => {
                let chain = verdict.chain.as_ref();
                chain.and_then(|chain| self.going.needed_by(&self.live, chain))
            }
        };
        let Some((number, place)) = needed else { return };
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        if !gathered.known.insert(place.clone()) {
            return;
        }
        let (path, target) = (item.path.to_vec(), item.target.unwrap_or_default().to_vec());
        gathered.found.push(Found { number, place, path, target });
    }

    fn problem(&mut self, _: &Problem) {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner).problems += 1;
    }

    fn other_volume(&mut self, _: &[u8]) {}

    fn pause(&mut self) {}

    fn settle(&mut self) {}
}

impl Search<'_> {
    /// Looks for the links. Where nobody said where to look, it ends after some seconds.
    pub(super) fn run(self, args: &Args, world: &World) -> Elsewhere {
        let Search { going, places, under, volumes } = self;
        // Home comes first: most links that a person made are there, and the time may not do for more.
        let rounds = if under.is_empty() {
            let home: Vec<Vec<u8>> =
                world.home.iter().map(|home| home.as_bytes().to_vec()).collect();
            let mut others = super::refs::roots_for(world, volumes, places.iter());
            others.retain(|other| !home.contains(other));
            vec![home, others]
        } else {
            vec![under.to_vec()]
        };
        let limit = under.is_empty().then_some(LONGEST);
        let stop = Arc::new(AtomicBool::new(false));
        let handle = Handle { stop: Arc::clone(&stop), ..Handle::default() };
        let wanted = Scanned {
            depth: Depth::Everything,
            doubled: false,
            hard: false,
            shortcuts: false,
            options: Options { current: world.current.clone(), ..Options::default() },
        };
        let gathered = Arc::new(Mutex::new(Gathered::default()));
        let going = Arc::new(going);
        let started = Instant::now();
        let bar = Bar::new(args.quiet);
        let mut draw = bar.ticker();
        let mut tick = |progress: &_| {
            if interrupt::came() || limit.is_some_and(|limit| started.elapsed() > limit) {
                stop.store(true, Ordering::SeqCst);
            }
            draw(progress);
        };
        for roots in rounds.iter().filter(|roots| !roots.is_empty()) {
            let (system, volumes_too) = (system(world), Arc::clone(volumes));
            let (going, gathered) = (Arc::clone(&going), Arc::clone(&gathered));
            let make = move || Gather {
                going: Arc::clone(&going),
                live: Live::new(system, Arc::clone(&volumes_too)),
                gathered: Arc::clone(&gathered),
            };
            judged::scan(system, volumes, &wanted, roots, &handle, make, &mut tick);
        }
        bar.finish();
        let gathered =
            std::mem::take(&mut *gathered.lock().unwrap_or_else(PoisonError::into_inner));
        let mut found = gathered.found;
        found.sort_by(|one, two| one.path.cmp(&two.path));
        Elsewhere {
            found,
            roots: rounds.concat(),
            cut_short: stop.load(Ordering::SeqCst),
            problems: gathered.problems,
        }
    }
}
