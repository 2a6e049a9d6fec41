//! Links on record, as `list`, `check` and `status` tell of them.

use super::{Aside, Channel, Outcome, catalogue, options, start, system, typed, volumes};
use crate::World;
use crate::args::{Args, LinkFormat, Scan};
use crate::error::{Failure, say};
use crate::interrupt;
use crate::output::progress::Bar;
use crate::output::{Lines, Output};
use linkwell_engine::catalogue::Catalogue;
use linkwell_engine::catalogue::links::Entry;
use linkwell_engine::judge::Depth;
use linkwell_engine::refer;
use linkwell_engine::scan::judged::{Sink, Wanted};
use linkwell_engine::scan::recorded::{Asked, Told, root, scan, whole};
use linkwell_engine::scan::{Handle, Root};
use linkwell_engine::volumes::Volumes;
use linkwell_model::keep::link::Terms;
use linkwell_model::path::AbsPath;
use std::ffi::OsString;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The links on record that somebody asks about.
#[derive(Default)]
pub(super) struct Chosen {
    pub(super) roots: Vec<Arc<Root>>,
    pub(super) asked: Vec<Asked>,
}

impl Chosen {
    /// Every link on record.
    pub(super) fn all(catalogue: &Catalogue) -> Result<Self, Failure> {
        let mut chosen = Self { roots: vec![whole()], asked: Vec::new() };
        let all = &mut chosen.asked;
        let each = |folder, name, text, terms| {
            all.push(Asked { folder, name, text, terms, root: 0 });
        };
        catalogue.texts(None, each).map_err(|found| catalogue::unusable(&found))?;
        Ok(chosen)
    }

    /// Those at or below a place that was typed; whether there are any.
    pub(super) fn add(
        &mut self,
        catalogue: &Catalogue,
        typed: &[u8],
        place: &AbsPath,
    ) -> Result<bool, Failure> {
        let unusable = |found| catalogue::unusable(&found);
        let number = self.roots.len();
        if let Some((folder, name)) = place.split()
            && let Some(entry) = catalogue.at(&folder, &name).map_err(unusable)?
        {
            self.roots.push(root(typed, &folder, false));
            self.asked.push(asked(entry, number));
            return Ok(true);
        }
        let before = self.asked.len();
        let all = &mut self.asked;
        let each = |folder, name, text, terms| {
            all.push(Asked { folder, name, text, terms, root: number });
        };
        catalogue.texts(Some(place), each).map_err(unusable)?;
        self.roots.push(root(typed, place, true));
        Ok(self.asked.len() > before)
    }
}

pub(super) fn asked(entry: Entry, root: usize) -> Asked {
    let link = entry.link;
    let terms = Terms { by: link.by, policy: link.policy };
    Asked { folder: link.folder, name: link.name, text: link.target, terms, root }
}

/// Where typed paths lie: the entries themselves, not what links lead to.
pub(super) fn places(
    world: &World,
    volumes: &Arc<Volumes>,
    paths: &[Vec<u8>],
) -> Result<Vec<(Vec<u8>, AbsPath)>, Failure> {
    let start = start(world)?;
    let place = |path: &Vec<u8>| {
        let place = refer::place(system(world), volumes, &start, path);
        place.seen_at.into_iter().next().map(|place| (path.clone(), place))
    };
    Ok(paths.iter().filter_map(place).collect())
}

/// A look at links on record, as `list` and `check` do it.
pub(super) struct Looking<'w> {
    pub(super) world: &'w World,
    pub(super) args: &'w Args,
    pub(super) depth: Depth,
    pub(super) doubled: bool,
    pub(super) paths: &'w [OsString],
    pub(super) scan: &'w Scan,
}

impl Looking<'_> {
    /// Judges them. `sink` makes one sink a thread, from that thread's way to standard output.
    pub(super) fn run<S: Sink>(
        self,
        format: LinkFormat,
        sink: impl Fn(Channel) -> S + Sync,
    ) -> Result<Outcome, Failure> {
        let volumes = volumes(self.world, self.scan.time_limit);
        let chosen = match catalogue::open_if_any(self.world)? {
            None => Chosen::default(),
            Some(open) if self.paths.is_empty() => Chosen::all(&open.catalogue)?,
            Some(open) => {
                let paths = typed(self.paths)?;
                super::refuse_if_lost(self.world, &paths)?;
                let mut chosen = Chosen::default();
                for (path, place) in places(self.world, &volumes, &paths)? {
                    if !chosen.add(&open.catalogue, &path, &place)? {
                        // A link to a folder: what is meant is in the folder.
                        let inside = [path.as_slice(), b"/"].concat();
                        for (_, place) in places(self.world, &volumes, &[inside])? {
                            chosen.add(&open.catalogue, &path, &place)?;
                        }
                    }
                }
                chosen
            }
        };
        if chosen.asked.is_empty() && !self.args.quiet {
            let whose = if self.paths.is_empty() { "" } else { " there" };
            say(&format!("note: no link is on record{whose}; `linkwell track PATH` records them"));
        }
        let wanted = Wanted {
            depth: self.depth,
            doubled: self.doubled,
            hard: false,
            shortcuts: false,
            options: options(self.scan, self.world),
        };
        let judged = Judged {
            world: self.world,
            args: self.args,
            volumes: &volumes,
            wanted: &wanted,
            told: Told::Standing,
            chosen: &chosen,
        };
        Ok(judged.run(format, sink))
    }
}

/// Links on record that are to be judged, and how.
pub(super) struct Judged<'a> {
    pub(super) world: &'a World,
    pub(super) args: &'a Args,
    pub(super) volumes: &'a Arc<Volumes>,
    pub(super) wanted: &'a Wanted,
    pub(super) told: Told,
    pub(super) chosen: &'a Chosen,
}

impl Judged<'_> {
    /// Judges them. `sink` makes one sink a thread, from that thread's way to standard output.
    pub(super) fn run<S: Sink>(
        &self,
        format: LinkFormat,
        sink: impl Fn(Channel) -> S + Sync,
    ) -> Outcome {
        let started = Instant::now();
        let handle = Handle { stop: interrupt::stop(), ..Handle::default() };
        let bar = Bar::new(self.args.quiet);
        let output = Output::new(&handle.stop, bar.clone());
        let aside = Arc::new(Mutex::new(Aside::default()));
        let make =
            || sink(Channel { lines: Lines::new(&output), aside: Arc::clone(&aside), format });
        let tally = scan(
            system(self.world),
            self.volumes,
            self.wanted,
            self.told,
            &self.chosen.roots,
            &self.chosen.asked,
            &handle,
            make,
            bar.ticker(),
        );
        bar.finish();
        let aside = std::mem::take(&mut *aside.lock().unwrap_or_else(PoisonError::into_inner));
        Outcome { tally, took: started.elapsed(), output, aside }
    }
}
