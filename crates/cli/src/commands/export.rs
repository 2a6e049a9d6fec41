//! `linkwell export`: the links and the placements on record as a file that another computer can read.

mod placements;

use super::catalogue;
use super::recorded::places;
use super::{refuse_if_lost, system, typed, volumes};
use crate::World;
use crate::args::Args;
use crate::args::links_file::Export;
use crate::error::{Exit, Failure, say};
use crate::interrupt;
use crate::output::Output;
use crate::output::progress::Bar;
use linkwell_engine::catalogue::Catalogue;
use linkwell_engine::catalogue::links::Entry;
use linkwell_engine::named_volumes::of_places;
use linkwell_model::entry::LinkKind;
use linkwell_model::keep::link::By;
use linkwell_model::links_file::{Bases, Link, LinksFile, VERSION, Written, named};
use linkwell_model::path::AbsPath;
use linkwell_model::shown::shown;
use std::collections::BTreeMap;
use std::ops::ControlFlow;

const HEAD: &str = "\
# Links and what is shared, as linkwell has them on record: `linkwell apply FILE` makes the links that are missing.
# `~` is the home folder; a name in braces is a volume, wherever it is attached.

";

pub(super) fn run(export: &Export, args: &Args, world: &World) -> Result<Exit, Failure> {
    let paths = if export.paths.is_empty() { Vec::new() } else { typed(&export.paths)? };
    refuse_if_lost(world, &paths)?;
    let volumes = volumes(world, super::change::TIME_LIMIT);
    let places = places(world, &volumes, &paths)?;
    let mut shared = placements::chosen(&places, paths.is_empty(), world)?;
    let (mut entries, mut unknown) = (Vec::new(), Vec::new());
    if let Some(open) = catalogue::open_if_any(world)? {
        unknown = gather(&open.catalogue, &places, paths.is_empty(), &mut entries)?;
    } else {
        unknown.extend(places);
    }
    unknown.retain(|(_, place)| !shared.iter().any(|one| one.is_below(place)));
    // The link at the place of what is shared goes with it: where it leads is each computer's own.
    entries.retain(|entry| !shared.iter_mut().any(|one| one.takes(&entry.link)));
    if entries.is_empty() && shared.is_empty() && unknown.is_empty() {
        return Err(nothing());
    }
    let ends: Vec<(AbsPath, AbsPath)> = entries.iter().map(ends).collect();
    let all = ends.iter().flat_map(|(at, to)| [at, to]);
    let all = all.chain(shared.iter().flat_map(placements::Chosen::places));
    let found = of_places(system(world), &volumes, world.home.as_ref(), all);
    let points = found.iter().map(|(name, (point, _))| (name.clone(), point.clone()));
    let bases = Bases { home: world.home.clone(), volumes: points.collect() };
    let links = entries.iter().zip(&ends).map(|(entry, (at, to))| Link {
        at: bases.spell(at),
        to: bases.spell(to),
        written: Written::of(entry.link.target.as_bytes()),
        policy: entry.link.policy,
    });
    let links: Vec<Link> = links.collect();
    let placements = shared.iter().map(|one| one.spelled(&bases)).collect();
    let named: BTreeMap<_, _> =
        found.into_iter().map(|(name, (_, volume))| (name, volume)).collect();
    let file = LinksFile { version: VERSION, volumes: named, links, placements };
    let text = toml::to_string(&file).map_err(|error| Failure::Refused {
        what: "could not write the links down".into(),
        cause: Some(error.to_string()),
        hint: None,
        exit: Exit::Found,
    })?;
    let output = Output::new(&interrupt::stop(), Bar::new(true));
    output.write(HEAD.as_bytes());
    output.write(text.as_bytes());
    output.finish()?;
    if !args.quiet {
        let (count, s) = (file.links.len(), if file.links.len() == 1 { "" } else { "s" });
        let placements = match file.placements.len() {
            0 => String::new(),
            1 => " and 1 folder that is shared".into(),
            count => format!(" and {count} folders that are shared"),
        };
        say(&format!("done: {count} link{s}{placements} written"));
    }
    for (path, _) in &unknown {
        say(&format!("error: nothing is on record of `{}`", shown(path)));
    }
    Ok(if unknown.is_empty() { Exit::Done } else { Exit::Found })
}

/// The links on record that are asked for: all, or those at or below some places. Of which places nothing is on record.
fn gather(
    catalogue: &Catalogue,
    places: &[(Vec<u8>, AbsPath)],
    all: bool,
    entries: &mut Vec<Entry>,
) -> Result<Vec<(Vec<u8>, AbsPath)>, Failure> {
    let unusable = |found| catalogue::unusable(&found);
    let mut each = |entry: Entry| {
        if entry.link.by != By::Way && entry.link.kind == LinkKind::Symlink {
            entries.push(entry);
        }
        ControlFlow::<()>::Continue(())
    };
    if all {
        catalogue.all(&mut each).map_err(unusable)?;
    }
    let mut unknown = Vec::new();
    for (path, place) in places {
        let mut any = false;
        if let Some((folder, name)) = place.split()
            && let Some(entry) = catalogue.at(&folder, &name).map_err(unusable)?
        {
            any = true;
            if each(entry).is_break() {
                break;
            }
        }
        let below = |entry| {
            any = true;
            each(entry)
        };
        catalogue.below(place, below).map_err(unusable)?;
        if !any {
            unknown.push((path.clone(), place.clone()));
        }
    }
    entries.sort_by_key(|entry| entry.link.place());
    entries.dedup_by_key(|entry| entry.id);
    Ok(unknown)
}

/// Where a link stands, and where it leads as it is named.
fn ends(entry: &Entry) -> (AbsPath, AbsPath) {
    let to = named(&entry.link.folder, entry.link.target.as_bytes());
    (entry.link.place(), to.unwrap_or_else(|| entry.link.to.clone()))
}

fn nothing() -> Failure {
    Failure::Refused {
        what: "no link is on record, and nothing is shared, so nothing was written".into(),
        cause: None,
        hint: Some("`linkwell track ~` puts the links of your home folder on record".into()),
        exit: Exit::Found,
    }
}
