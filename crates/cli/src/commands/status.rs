//! `linkwell status`: how the links on record are, and what waits for a person.

use super::catalogue::{self, Open};
use super::recorded::{Chosen, Judged};
use super::refs::ago;
use super::{Channel, Outcome, change, options, volumes};
use crate::World;
use crate::args::track::Status;
use crate::args::{Args, LinkFormat, Scan};
use crate::error::{Exit, Failure, say};
use crate::interrupt;
use crate::output::paint::Paint;
use crate::output::progress::Bar;
use crate::output::{Output, status as words};
use linkwell_engine::catalogue::links::Recorded;
use linkwell_engine::catalogue::questions::{Event, Question};
use linkwell_engine::judge::Depth;
use linkwell_engine::scan::Problem;
use linkwell_engine::scan::judged::{Item, Sink, Wanted};
use linkwell_engine::scan::recorded::Told;
use linkwell_model::health::Health;
use linkwell_model::path::AbsPath;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// So many of the latest things that the watcher did are told.
const EVENTS: u32 = 10;

/// So many links of one health are named.
pub(crate) const NAMED: usize = 5;

/// A link as it is named: its path, and its text.
pub(crate) type Named = (Vec<u8>, Vec<u8>);

/// What is to be told.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// How many links are on record.
    pub(crate) links: u64,
    /// By health.
    pub(crate) by_health: Vec<(Health, u64)>,
    /// Some of those that are wrong, in order, with their targets.
    pub(crate) named: BTreeMap<Health, Vec<Named>>,
    /// Volumes that are not attached, and how many links wait for each.
    pub(crate) asleep: BTreeMap<AbsPath, u64>,
    /// Places on record where nothing is any more.
    pub(crate) gone: Vec<Vec<u8>>,
    /// How many there are.
    pub(crate) gone_count: u64,
    /// What waits for an answer: the link, and the question.
    pub(crate) questions: Vec<(AbsPath, Question)>,
    /// What the watcher did of late, the latest first.
    pub(crate) events: Vec<Event>,
    /// Whether a watcher runs, and its process number where that is known.
    pub(crate) watcher: Option<Option<u32>>,
    /// Folders that are on record in full.
    pub(crate) roots: Vec<Recorded>,
    /// When something was last recorded.
    pub(crate) latest: Option<i64>,
}

/// What one thread gathers.
struct Gatherer {
    found: Found,
    all: Arc<Mutex<Found>>,
    _channel: Channel,
}

impl Sink for Gatherer {
    fn item(&mut self, item: &Item<'_>) {
        if let Some(absent) = item.absent {
            *self.found.asleep.entry(absent.point.clone()).or_default() += 1;
        }
        if item.health.is_wrong() || item.health == Health::Retargeted {
            let named = self.found.named.entry(item.health).or_default();
            named.push((item.path.to_vec(), item.target.unwrap_or_default().to_vec()));
            if named.len() > 64 * NAMED {
                named.sort_unstable();
                named.truncate(NAMED);
            }
        }
    }

    fn problem(&mut self, problem: &Problem) {
        self.found.gone_count += 1;
        if self.found.gone.len() < 64 * NAMED {
            self.found.gone.push(problem.path.clone());
        }
    }

    fn other_volume(&mut self, _path: &[u8]) {}

    fn pause(&mut self) {}

    fn settle(&mut self) {
        let found = std::mem::take(&mut self.found);
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        for (health, mut named) in found.named {
            let its = all.named.entry(health).or_default();
            its.append(&mut named);
            its.sort_unstable();
            its.truncate(NAMED);
        }
        for (point, count) in found.asleep {
            *all.asleep.entry(point).or_default() += count;
        }
        all.gone.extend(found.gone);
        all.gone.sort_unstable();
        all.gone.truncate(NAMED);
        all.gone_count += found.gone_count;
    }
}

pub(super) fn run(status: &Status, args: &Args, world: &World) -> Result<Exit, Failure> {
    let volumes = volumes(world, status.time_limit);
    let output = Output::new(&interrupt::stop(), Bar::new(true));
    let Some(open) = catalogue::open_if_any(world)? else {
        let found = Found::default();
        show(&found, status, args, world, &output);
        output.finish()?;
        return Ok(Exit::Done);
    };
    let mut found = from_catalogue(&open, world)?;
    let chosen = Chosen::all(&open.catalogue)?;
    let scan = Scan {
        cross_volumes: false,
        one_file_system: false,
        virtual_too: false,
        time_limit: status.time_limit,
        threads: None,
    };
    let wanted = Wanted {
        depth: Depth::Health,
        doubled: false,
        hard: false,
        shortcuts: false,
        options: options(&scan, world),
    };
    let judged = Judged {
        world,
        args,
        volumes: &volumes,
        wanted: &wanted,
        told: Told::Standing,
        chosen: &chosen,
    };
    let all = Arc::new(Mutex::new(Found::default()));
    let format = LinkFormat { json: false, null: false };
    let Outcome { tally, .. } = judged.run(format, |channel| Gatherer {
        found: Found::default(),
        all: Arc::clone(&all),
        _channel: channel,
    });
    let gathered = std::mem::take(&mut *all.lock().unwrap_or_else(PoisonError::into_inner));
    found.named = gathered.named;
    found.asleep = gathered.asleep;
    found.gone = gathered.gone;
    found.gone_count = gathered.gone_count;
    found.by_health = Health::ALL.into_iter().map(|health| (health, tally.of(health))).collect();
    show(&found, status, args, world, &output);
    output.finish()?;
    let wrong = tally.anything_wrong() || !found.questions.is_empty();
    Ok(if wrong { Exit::Found } else { Exit::Done })
}

/// What the catalogue knows without a look at the links.
fn from_catalogue(open: &Open, world: &World) -> Result<Found, Failure> {
    let Open { catalogue, .. } = open;
    let unusable = |found| catalogue::unusable(&found);
    let asked = catalogue.questions().map_err(unusable)?;
    let mut questions = Vec::with_capacity(asked.len());
    for question in asked {
        if let Some(entry) = catalogue.numbered(question.link).map_err(unusable)? {
            questions.push((entry.link.place(), question));
        }
    }
    Ok(Found {
        links: catalogue.count().map_err(unusable)?,
        questions,
        events: catalogue.events(EVENTS).map_err(unusable)?,
        watcher: change::store_if_any(world)?.and_then(|store| store.watcher()),
        roots: catalogue.recorded().map_err(unusable)?,
        latest: catalogue.latest().map_err(unusable)?,
        ..Found::default()
    })
}

fn show(found: &Found, status: &Status, args: &Args, world: &World, output: &Output) {
    let mut out = Vec::new();
    if status.json {
        words::json(&mut out, found);
    } else if !args.quiet {
        words::people(&mut out, found, world.now.0, ago, Paint::new(args.color));
        if found.links == 0 {
            say("note: no link is on record; `linkwell track PATH` records them");
        }
    }
    output.write(&out);
}
