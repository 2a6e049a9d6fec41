//! `refs` from the record: when all links below the roots were recorded a short while ago.
//!
//! A record is a hint: each link that it names is read again before anything is said of it. What it cannot
//! know are links that somebody else has made since; how long that is, is said.

use super::super::recorded::{Chosen, Judged, asked};
use super::super::{catalogue, start, system};
use super::{Printer, conclusion};
use crate::World;
use crate::args::{Args, Refs};
use crate::error::{Exit, Failure, say};
use crate::output::json;
use crate::output::paint::Paint;
use linkwell_engine::catalogue::Catalogue;
use linkwell_engine::judge::Depth;
use linkwell_engine::live::Live;
use linkwell_engine::scan::judged::Wanted;
use linkwell_engine::scan::recorded::{Told, folder, root};
use linkwell_engine::volumes::Volumes;
use linkwell_model::path::AbsPath;
use linkwell_model::reference::Place;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Older records are not relied upon without being asked for: long enough for a few questions in a row,
/// short enough that who asks remembers what was done since.
const FRESH: i64 = 15 * 60;

/// What the catalogue can say.
pub(super) enum Recalled {
    /// Everything below the roots is on record, and that is to be taken.
    Known(Known),
    /// It is on record, and too old: so many seconds.
    Stale(i64),
    /// It is not on record, or something is asked that is not recorded.
    Nothing,
}

/// All links below some roots, by the record.
pub(super) struct Known {
    catalogue: Catalogue,
    /// As typed, and where they lie.
    roots: Vec<(Vec<u8>, AbsPath)>,
    /// How old the oldest record is, in seconds.
    age: i64,
}

/// Looks whether the catalogue can answer.
pub(super) fn recall(
    refs: &Refs,
    world: &World,
    volumes: &Arc<Volumes>,
    places: &[Place],
    roots: &[Vec<u8>],
) -> Result<Recalled, Failure> {
    let scan = &refs.scan;
    if refs.walk || refs.shortcuts || scan.cross_volumes || scan.virtual_too || places.is_empty() {
        return Ok(Recalled::Nothing);
    }
    let unknown = || {
        if !refs.recorded {
            return Ok(Recalled::Nothing);
        }
        Err(Failure::Refused {
            what: "not all links below these folders are on record; nothing was looked at".into(),
            cause: None,
            hint: Some(
                "`linkwell track FOLDER` records them; without `--recorded` they are looked for"
                    .into(),
            ),
            exit: Exit::Found,
        })
    };
    let open = match catalogue::open_if_any(world) {
        Ok(Some(open)) => open,
        Ok(None) => return unknown(),
        Err(failure) if refs.recorded => return Err(failure),
        // Then it is looked for, as if there were none.
        Err(_) => return Ok(Recalled::Nothing),
    };
    let found = known(open.catalogue, world, volumes, roots).or_else(|trouble| {
        if refs.recorded { Err(catalogue::unusable(&trouble)) } else { Ok(None) }
    })?;
    let Some(known) = found else { return unknown() };
    let fresh = (0..=FRESH).contains(&known.age);
    Ok(if fresh || refs.recorded { Recalled::Known(known) } else { Recalled::Stale(known.age) })
}

/// The record of the roots, if all of them are on record in full.
fn known(
    catalogue: Catalogue,
    world: &World,
    volumes: &Arc<Volumes>,
    roots: &[Vec<u8>],
) -> Result<Option<Known>, linkwell_engine::catalogue::Trouble> {
    let Ok(start) = start(world) else { return Ok(None) };
    let recorded = catalogue.recorded()?;
    let volume = |place: &AbsPath| volumes.mounts().covering(place).map(|mount| mount.id);
    let mut known = Vec::new();
    let mut age = 0;
    for typed in roots {
        // What is no folder, or not there, is for a scan to tell.
        let place = folder(system(world), volumes, &start, typed);
        let Some(place) = place else { return Ok(None) };
        let covers = |record: &&linkwell_engine::catalogue::links::Recorded| {
            place.is_at_or_below(&record.place) && volume(&place) == volume(&record.place)
        };
        let Some(record) = recorded.iter().filter(covers).max_by_key(|record| record.at) else {
            return Ok(None);
        };
        // What was recorded in the future was recorded by another clock.
        let since = world.now.0.saturating_sub(record.at);
        age = if since < 0 || age < 0 { -1 } else { since.max(age) };
        known.push((typed.clone(), place));
    }
    Ok(Some(Known { catalogue, roots: known, age }))
}

impl Known {
    /// Reads the links again that the record names, and tells of them.
    pub(super) fn tell(
        self,
        refs: &Refs,
        args: &Args,
        world: &World,
        volumes: &Arc<Volumes>,
        places: &Arc<Vec<Place>>,
        typed: &[Vec<u8>],
    ) -> Result<Exit, Failure> {
        let mut wanted_places: Vec<AbsPath> = Vec::new();
        for place in places.iter() {
            wanted_places.extend(place.seen_at.iter().cloned());
            wanted_places.push(place.written.clone());
        }
        wanted_places.sort_unstable();
        wanted_places.dedup();
        let found = self
            .catalogue
            .depending(&wanted_places)
            .map_err(|found| catalogue::unusable(&found))?;
        let mut chosen = Chosen::default();
        chosen.roots.extend(self.roots.iter().map(|(typed, place)| root(typed, place, true)));
        let mounts = volumes.mounts();
        let volume = |place: &AbsPath| mounts.covering(place).map(|mount| mount.id);
        for entry in found {
            let its = entry.link.folder.clone();
            // The scan of a root does not leave its volume, and finds each link once.
            let of = self
                .roots
                .iter()
                .position(|(_, root)| its.is_at_or_below(root) && volume(&its) == volume(root));
            if let Some(number) = of {
                chosen.asked.push(asked(entry, number));
            }
        }
        chosen.asked.sort_by(|one, other| {
            (one.root, &one.folder, one.name.as_bytes()).cmp(&(
                other.root,
                &other.folder,
                other.name.as_bytes(),
            ))
        });
        let wanted = Wanted {
            depth: Depth::Everything,
            doubled: false,
            hard: false,
            shortcuts: false,
            options: super::options(&refs.scan, world),
        };
        let paint = Paint::new(args.color);
        let counted = Arc::new(AtomicU64::new(0));
        let judged =
            Judged { world, args, volumes, wanted: &wanted, told: Told::Links, chosen: &chosen };
        let outcome = judged.run(refs.format, |channel| Printer {
            channel,
            places: Arc::clone(places),
            live: Live::new(system(world), Arc::clone(volumes)),
            paint,
            found: Arc::clone(&counted),
        });
        let roots: Vec<Vec<u8>> = self.roots.iter().map(|(typed, _)| typed.clone()).collect();
        if refs.format.json {
            let mut out = Vec::new();
            json::summary_of_record(&mut out, &outcome.tally, outcome.took, self.age);
            outcome.output.write(&out);
        } else if !args.quiet && outcome.output.finish().is_ok() {
            say(&conclusion(typed, &roots, counted.load(Ordering::Relaxed)));
            say(&format!(
                "note: by the record of {}; links that other programs have made since are not in it \
                 (`--scan` looks for them)",
                ago(self.age)
            ));
        }
        outcome.aside.say(args.quiet);
        outcome.output.finish()?;
        Ok(if outcome.tally.problems > 0 { Exit::Partly } else { Exit::Done })
    }
}

/// So many seconds, for a person.
pub(in crate::commands) fn ago(seconds: i64) -> String {
    let (count, unit) = match seconds {
        ..0 => return "a moment that is still to come".into(),
        0..60 => (seconds, "second"),
        60..3600 => (seconds / 60, "minute"),
        3600..86_400 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{s} ago")
}

#[cfg(test)]
mod tests {
    use super::ago;

    #[test]
    fn an_age_is_told_in_one_unit() {
        let told: Vec<String> = [-1, 0, 1, 59, 60, 3599, 3600, 86_399, 172_800].map(ago).into();
        assert_eq!(
            told,
            [
                "a moment that is still to come",
                "0 seconds ago",
                "1 second ago",
                "59 seconds ago",
                "1 minute ago",
                "59 minutes ago",
                "1 hour ago",
                "23 hours ago",
                "2 days ago",
            ]
        );
    }
}
