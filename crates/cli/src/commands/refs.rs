//! `linkwell refs`: the links that lead to or into a path.

mod recall;

pub(super) use recall::ago;
use recall::{Recalled, recall};

use super::{Channel, Scanning, options, refuse_if_lost, start, system, typed, volumes};
use crate::World;
use crate::args::{Args, Refs};
use crate::error::{Exit, Failure, say};
use crate::output::paint::{Paint, Painted};
use crate::output::progress::grouped;
use crate::output::{json, text};
use linkwell_engine::judge::Depth;
use linkwell_engine::live::Live;
use linkwell_engine::refer;
use linkwell_engine::scan::Problem;
use linkwell_engine::scan::judged::{Item, Sink, Wanted};
use linkwell_engine::volumes::Volumes;
use linkwell_model::path::AbsPath;
use linkwell_model::reference::{Place, Refers};
use linkwell_model::shown::shown;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

struct Printer {
    channel: Channel,
    places: Arc<Vec<Place>>,
    live: Live,
    paint: Paint,
    found: Arc<AtomicU64>,
}

impl Printer {
    fn refers(&self, item: &Item<'_>) -> Option<Refers> {
        let Some(verdict) = item.verdict else {
            // A bind mount: what it shows is all there is to its way.
            let target = item.physical.as_ref()?;
            return self.places.iter().filter_map(|place| place.shown_by(target)).min();
        };
        let chain = verdict.chain.as_ref()?;
        self.places.iter().filter_map(|place| place.referred_by(&self.live, chain)).min()
    }
}

impl Sink for Printer {
    fn item(&mut self, item: &Item<'_>) {
        let Some(refers) = self.refers(item) else {
            return;
        };
        self.found.fetch_add(1, Ordering::Relaxed);
        if !self.channel.link_for_programs(item, Some(refers.word())) {
            let out = &mut self.channel.lines.buffer;
            text::padded(out, refers.word(), Painted::default());
            text::link(out, item, false, self.paint);
            self.channel.lines.flush_if_full();
        }
    }

    fn problem(&mut self, problem: &Problem) {
        self.channel.problem(problem);
    }

    fn other_volume(&mut self, path: &[u8]) {
        self.channel.other_volume(path);
    }

    fn pause(&mut self) {
        self.channel.lines.pause();
    }

    fn settle(&mut self) {
        self.channel.lines.flush();
    }
}

pub(super) fn run(refs: &Refs, args: &Args, world: &World) -> Result<Exit, Failure> {
    let asked = typed(&refs.paths)?;
    let volumes = volumes(world, refs.scan.time_limit);
    refuse_if_lost(world, &asked)?;
    let start = start(world)?;
    let places: Vec<Place> =
        asked.iter().map(|path| refer::place(system(world), &volumes, &start, path)).collect();
    let roots = if refs.under.is_empty() {
        default_roots(world, &volumes, &places)
    } else {
        typed(&refs.under)?
    };
    let format = refs.format;
    let paint = Paint::new(args.color);
    let places = Arc::new(places);
    match recall(refs, world, &volumes, &places, &roots)? {
        Recalled::Known(known) => return known.tell(refs, args, world, &volumes, &places, &asked),
        Recalled::Stale(age) if !args.quiet && !format.json => say(&format!(
            "note: the record of these links is too old to be relied upon (it was made {}), so they are \
             looked for; `--recorded` takes it all the same",
            ago(age)
        )),
        Recalled::Stale(_) | Recalled::Nothing => {}
    }
    let found = Arc::new(AtomicU64::new(0));
    let scanning = Scanning {
        world,
        args,
        wanted: Wanted {
            depth: Depth::Everything,
            doubled: false,
            hard: false,
            shortcuts: refs.shortcuts,
            options: options(&refs.scan, world),
        },
        paths: roots.clone(),
        volumes: Arc::clone(&volumes),
    };
    let (system, counted) = (system(world), Arc::clone(&found));
    let outcome = scanning.run(format, move |channel| Printer {
        channel,
        places: Arc::clone(&places),
        live: Live::new(system, Arc::clone(&volumes)),
        paint,
        found: Arc::clone(&counted),
    });
    if format.json {
        let mut out = Vec::new();
        json::summary(&mut out, &outcome.tally, outcome.took);
        outcome.output.write(&out);
    } else if !args.quiet && outcome.output.finish().is_ok() {
        say(&conclusion(&asked, &roots, found.load(Ordering::Relaxed)));
    }
    outcome.aside.say(args.quiet);
    outcome.output.finish()?;
    Ok(if outcome.tally.problems > 0 { Exit::Partly } else { Exit::Done })
}

/// The home folder, and the volume of each path; a root that lies in another is left out.
fn default_roots(world: &World, volumes: &Volumes, places: &[Place]) -> Vec<Vec<u8>> {
    roots_for(world, volumes, places.iter().filter_map(|place| place.seen_at.first()))
}

/// The same for places as they lie.
pub(super) fn roots_for<'p>(
    world: &World,
    volumes: &Volumes,
    places: impl Iterator<Item = &'p AbsPath>,
) -> Vec<Vec<u8>> {
    let mounts = volumes.mounts();
    let mut roots: Vec<AbsPath> = Vec::new();
    for place in places {
        let volume = mounts.covering(place).map_or_else(AbsPath::root, |mount| mount.point.clone());
        if !roots.contains(&volume) {
            roots.push(volume);
        }
    }
    if let Some(home) = &world.home {
        let volume = mounts.covering(home).map(|mount| mount.point.clone());
        if volume.is_none_or(|volume| !roots.contains(&volume)) && !roots.contains(home) {
            roots.push(home.clone());
        }
    }
    roots.iter().map(|root| root.as_bytes().to_vec()).collect()
}

fn conclusion(asked: &[Vec<u8>], roots: &[Vec<u8>], found: u64) -> String {
    let quoted = |paths: &[Vec<u8>]| {
        let paths: Vec<String> = paths.iter().map(|path| format!("`{}`", shown(path))).collect();
        paths.join(", ")
    };
    let (asked, roots) = (quoted(asked), quoted(roots));
    match found {
        0 => format!("no link below {roots} leads to or into {asked}"),
        1 => format!("1 link below {roots} leads to or into {asked}"),
        many => format!("{} links below {roots} lead to or into {asked}", grouped(many)),
    }
}
