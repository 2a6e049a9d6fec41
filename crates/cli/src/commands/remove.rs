//! `linkwell remove`: files, folders and links go; what links lead to stays.

use super::change::{Manner, carry_out_prepared, surveyor};
use super::{refuse_if_lost, system};
use crate::World;
use crate::args::Args;
use crate::args::change::Remove;
use crate::error::{Exit, Failure};
use crate::interrupt;
use crate::output::preview::things;
use crate::output::progress::Bar;
use linkwell_engine::disk::Unix;
use linkwell_engine::judge::Depth;
use linkwell_engine::live::Live;
use linkwell_engine::refer::Going;
use linkwell_engine::scan::judged::{self, Item, Sink, Wanted as Scanned};
use linkwell_engine::scan::{Handle, Options, Problem};
use linkwell_engine::survey::remove::{Removal, Wanted, plan};
use linkwell_engine::survey::trash::Trashes;
use linkwell_engine::volumes::Volumes;
use linkwell_model::plan::{Conflict, Plan, Step};
use linkwell_model::shown::shown;
use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long links elsewhere are looked for where nobody said where to look: most of a disk may have to
/// be read for that, and who removes something does not want to wait for it.
const LONGEST: Duration = Duration::from_secs(5);

/// So many links that would be left broken are named for each path.
const MOST_NAMED: usize = 5;

pub(super) fn run(remove: &Remove, args: &Args, world: &World) -> Result<Exit, Failure> {
    let paths: Vec<Vec<u8>> = remove.paths.iter().cloned().map(OsString::into_vec).collect();
    let under: Vec<Vec<u8>> = remove.under.iter().cloned().map(OsString::into_vec).collect();
    if paths.iter().chain(&under).any(Vec::is_empty) {
        return Err(Failure::Usage {
            what: "one of the paths is empty; nothing was changed".into(),
            hint: None,
        });
    }
    refuse_if_lost(world, &paths)?;
    refuse_if_lost(world, &under)?;
    let mut surveyor = surveyor(world)?;
    let wanted = Wanted {
        forever: remove.forever,
        when: local_time(world),
        trash: world.data.as_ref().map(|data| data.joined(b"Trash")),
        state: world.state.clone(),
    };
    let Removal { mut plan, trashes, going } = plan(&mut surveyor, &wanted, &paths);
    // For nobody to read, nothing is looked for.
    let read = !args.quiet || remove.change.dry_run || remove.change.json;
    if read && !remove.no_refs && !plan.items.is_empty() {
        tell_broken(&mut plan, going, &under, surveyor.volumes(), args, world);
    }
    if interrupt::came() {
        return Ok(Exit::Interrupted);
    }
    let removes: fn(&Step) -> bool = |step| matches!(step, Step::Remove { .. });
    let each = (remove.interactive && !remove.change.yes).then_some(removes);
    let manner = Manner { change: remove.change, each, undoes: None, amount: None };
    carry_out_prepared(plan, &manner, &surveyor, args, world, |plan| make_trashes(&trashes, plan))
}

/// The time as the trash records it: local, to the second.
fn local_time(world: &World) -> String {
    let moment = jiff::Timestamp::from_second(world.now.0).unwrap_or_default();
    let local = moment.to_zoned(jiff::tz::TimeZone::system());
    local.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

/// Makes the trash folders that are missing. What was to go into one that cannot be made stays.
fn make_trashes(trashes: &Trashes, plan: &mut Plan) {
    let Err(refused) = trashes.prepare(&Unix, plan) else { return };
    for (folder, why) in refused {
        let items = std::mem::take(&mut plan.items);
        for item in items {
            if item.slots().any(|slot| slot.folder == folder) {
                plan.conflicts.push(Conflict { path: item.path, why: why.clone() });
            } else {
                plan.items.push(item);
            }
        }
    }
}

/// Links elsewhere that would be left broken, by the item that they need.
#[derive(Default)]
struct Broken {
    found: BTreeMap<usize, (usize, Vec<String>)>,
    /// Those that were told, by where they stand: places are looked at twice.
    told: HashSet<Vec<u8>>,
    problems: usize,
}

struct Gather {
    going: Arc<Going>,
    live: Live,
    broken: Arc<Mutex<Broken>>,
}

impl Sink for Gather {
    fn item(&mut self, item: &Item<'_>) {
        let needed = match item.verdict {
            // A bind mount: what it shows is all there is to its way.
            None => {
                let number = item.physical.as_ref().and_then(|shown| self.going.holds(shown));
                number.map(|number| (number, item.path.to_vec()))
            }
            Some(verdict) => {
                let chain = verdict.chain.as_ref();
                let needed = chain.and_then(|chain| self.going.needed_by(&self.live, chain));
                needed.map(|(number, place)| (number, place.as_bytes().to_vec()))
            }
        };
        let Some((number, place)) = needed else { return };
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        if !broken.told.insert(place) {
            return;
        }
        let (count, named) = broken.found.entry(number).or_default();
        *count += 1;
        if named.len() < MOST_NAMED {
            let target = item.target.unwrap_or_default();
            named.push(format!("`{} → {}`", shown(item.path), shown(target)));
        }
    }

    fn problem(&mut self, _: &Problem) {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner).problems += 1;
    }

    fn other_volume(&mut self, _: &[u8]) {}

    fn pause(&mut self) {}

    fn settle(&mut self) {}
}

/// Looks for links elsewhere that need what goes, and adds to each item which would be left broken.
/// That is no reason against it, only something to know.
fn tell_broken(
    plan: &mut Plan,
    going: Going,
    under: &[Vec<u8>],
    volumes: &Arc<Volumes>,
    args: &Args,
    world: &World,
) {
    // Home comes first: most links that a person made are there, and the time may not do for more.
    let rounds = if under.is_empty() {
        let places = plan.items.iter().filter_map(|item| item.steps.last());
        let places: Vec<_> = places.map(|step| plan.place(step.at())).collect();
        let home: Vec<Vec<u8>> = world.home.iter().map(|home| home.as_bytes().to_vec()).collect();
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
    let broken = Arc::new(Mutex::new(Broken::default()));
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
        let (going, broken) = (Arc::clone(&going), Arc::clone(&broken));
        let make = move || Gather {
            going: Arc::clone(&going),
            live: Live::new(system, Arc::clone(&volumes_too)),
            broken: Arc::clone(&broken),
        };
        judged::scan(system, volumes, &wanted, roots, &handle, make, &mut tick);
    }
    bar.finish();
    let roots = rounds.concat();
    let mut broken = broken.lock().unwrap_or_else(PoisonError::into_inner);
    let found = std::mem::take(&mut broken.found);
    let none = found.is_empty();
    for (number, (count, mut named)) in found {
        let Some(item) = plan.items.get_mut(number) else { continue };
        named.sort();
        let more = count.saturating_sub(named.len());
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        item.remarks.push(format!(
            "{} elsewhere would be left broken: {}{more}",
            things(count, "link", "links"),
            named.join(", ")
        ));
    }
    let roots: Vec<String> = roots.iter().map(|root| format!("`{}`", shown(root))).collect();
    let mut whole = Vec::new();
    if none {
        whole.push(format!("no link found below {} would be left broken", roots.join(", ")));
    }
    if stop.load(Ordering::SeqCst) {
        whole.push(
            "links elsewhere were looked for as long as 5 seconds, and not everywhere; \
             `--under ROOT` looks at all below ROOT, `--no-refs` nowhere"
                .into(),
        );
    }
    if broken.problems > 0 {
        let places = things(broken.problems, "place", "places");
        whole.push(format!("{places} could not be looked at; there may be more such links"));
    }
    // It concerns them all, and is told with the first, where programs find it as well.
    if let Some(item) = plan.items.first_mut() {
        item.remarks.extend(whole);
    }
}
