//! The catalogue, as the verbs use it: opened, begun anew when it is damaged, brought up to date.

use super::change::state;
use super::system;
use crate::World;
use crate::error::{Exit, Failure, say};
use linkwell_engine::catalogue::{Catalogue, Opened, Trouble};
use linkwell_engine::disk::Unix;
use linkwell_engine::journal::Store;
use linkwell_engine::operator::Held;
use linkwell_engine::recording::after::{Touched, bring_up, touched};
use linkwell_engine::state as folder;
use linkwell_engine::volumes::Volumes;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::Plan;
use std::sync::Arc;

/// The catalogue, open, and the state folder that it lies in.
pub(super) struct Open {
    pub(super) catalogue: Catalogue,
    pub(super) state: Held,
}

/// Opens the catalogue for a verb that is about nothing else, and makes it if need be.
pub(super) fn open_or_make(world: &World) -> Result<Open, Failure> {
    let state = folder::open_or_make(&Unix, system(world), state(world)?)
        .map_err(|found| super::change::trouble(&found))?;
    let (catalogue, opened) = Catalogue::open_or_make(&state).map_err(|found| unusable(&found))?;
    say_aside(&opened);
    Ok(Open { catalogue, state })
}

/// Opens the catalogue if there is one.
pub(super) fn open_if_any(world: &World) -> Result<Option<Open>, Failure> {
    let state = match folder::open(system(world), state(world)?) {
        Ok(state) => state,
        Err(folder::Trouble::Missing) => return Ok(None),
        Err(found) => return Err(super::change::trouble(&found)),
    };
    let found = Catalogue::open_if_any(&state).map_err(|found| unusable(&found))?;
    Ok(found.map(|catalogue| Open { catalogue, state }))
}

/// Does something with the catalogue; if that finds it damaged, once more with a new one.
pub(super) fn twice<T>(
    open: &mut Option<Open>,
    mut act: impl FnMut(&mut Catalogue) -> Result<T, Trouble>,
) -> Result<T, Failure> {
    let Some(Open { mut catalogue, state }) = open.take() else {
        return Err(unusable(&Trouble::System(rustix::io::Errno::NOENT)));
    };
    match act(&mut catalogue) {
        Err(trouble) if trouble.is_damage() => {
            let (mut anew, aside) =
                catalogue.begin_anew(&state).map_err(|found| unusable(&found))?;
            say_aside(&Opened::SetAside(aside));
            let done = act(&mut anew).map_err(|found| unusable(&found));
            *open = Some(Open { catalogue: anew, state });
            done
        }
        answer => {
            *open = Some(Open { catalogue, state });
            answer.map_err(|found| unusable(&found))
        }
    }
}

fn say_aside(opened: &Opened) {
    if let Opened::SetAside(place) = opened {
        say(&set_aside(place));
    }
}

fn set_aside(place: &AbsPath) -> String {
    format!(
        "note: the catalogue of links was damaged; it is kept at `{}`, and a new one was begun, which \
         `linkwell track` fills. Nothing else is lost",
        place.shown()
    )
}

/// Why the catalogue cannot be used.
pub(super) fn unusable(trouble: &Trouble) -> Failure {
    let hint = match trouble {
        Trouble::Newer(_) => "use that version of linkwell".into(),
        _ => "it can be deleted at any time: `linkwell track` fills a new one".into(),
    };
    Failure::Refused {
        what: "the catalogue of links cannot be used".into(),
        cause: Some(trouble.to_string()),
        hint: Some(hint),
        exit: Exit::Found,
    }
}

/// Whether an operation undoes a repair: that leaves the file that was saved over its link, which is still to
/// be repaired.
pub(super) fn undoes_repair(store: &Store, undoes: Option<u64>) -> bool {
    let undone = undoes.and_then(|number| store.read(number).ok());
    undone.is_some_and(|it| it.header.verb() == Some(b"repair"))
}

/// Brings the catalogue up to date after an operation: never the reason that something fails. `keeps`: see
/// [`Touched::keeps`].
pub(super) fn after(
    plan: &Plan,
    items: impl IntoIterator<Item = usize>,
    volumes: &Arc<Volumes>,
    quiet: bool,
    world: &World,
    keeps: bool,
) {
    let touched = Touched { keeps, ..touched(plan, items) };
    if touched.is_empty() {
        return;
    }
    let Some(place) = &world.state else { return };
    let done = folder::open_or_make(&Unix, system(world), place)
        .map_err(|_| "its folder cannot be used".to_owned())
        .and_then(|state| {
            let (mut catalogue, opened) =
                Catalogue::open_or_make(&state).map_err(|found| found.to_string())?;
            say_aside(&opened);
            let bring = |catalogue: &mut Catalogue| {
                // What is much is worth being put where it belongs at once.
                if touched.names.len() < SMALL {
                    catalogue.leave_log();
                }
                bring_up(catalogue, system(world), volumes, &touched, world.now.0)
            };
            match bring(&mut catalogue) {
                Err(found) if found.is_damage() => {
                    let (mut anew, aside) =
                        catalogue.begin_anew(&state).map_err(|found| found.to_string())?;
                    say_aside(&Opened::SetAside(aside));
                    bring(&mut anew).map_err(|found| found.to_string())
                }
                answer => answer.map_err(|found| found.to_string()),
            }
        });
    if let Err(why) = done
        && !quiet
    {
        say(&format!(
            "note: the catalogue of links could not be brought up to date: {why} (`linkwell track` does it)"
        ));
    }
}

/// So many changed names are few.
const SMALL: usize = 1000;
