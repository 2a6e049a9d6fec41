//! Placements on record, under the same lock as operations.

use crate::World;
use crate::commands::change::{lock, open_store, state, trouble};
use crate::commands::system;
use crate::error::{Exit, Failure};
use linkwell_engine::disk::Unix;
use linkwell_engine::operator::Held;
use linkwell_engine::placements::{self, Trouble};
use linkwell_engine::state as folder;
use linkwell_model::share::placement::Placement;

/// All that is on record.
pub(in crate::commands) fn all(world: &World) -> Result<Vec<Placement>, Failure> {
    match folder::open(system(world), state(world)?) {
        Ok(held) => placements::read(system(world), &held).map_err(|found| unusable(&found, &held)),
        Err(folder::Trouble::Missing) => Ok(Vec::new()),
        Err(found) => Err(trouble(&found)),
    }
}

/// One more.
pub(in crate::commands) fn add(placement: Placement, world: &World) -> Result<(), Failure> {
    change(world, |all| {
        all.retain(|known| known.folder != placement.folder);
        all.push(placement);
    })
}

/// One less.
pub(super) fn remove(placement: &Placement, world: &World) -> Result<(), Failure> {
    change(world, |all| all.retain(|known| known != placement))
}

fn change(world: &World, act: impl FnOnce(&mut Vec<Placement>)) -> Result<(), Failure> {
    let store = open_store(world)?;
    let held = folder::open_or_make(&Unix, system(world), state(world)?)
        .map_err(|found| trouble(&found))?;
    let lock = lock(&store)?;
    let mut all =
        placements::read(system(world), &held).map_err(|found| unusable(&found, &held))?;
    act(&mut all);
    let written = placements::write(&held, &all);
    drop(lock);
    written.map_err(|error| unusable(&Trouble::System(error), &held))
}

fn unusable(found: &Trouble, held: &Held) -> Failure {
    let cause = match found {
        Trouble::Untrusted => "others could have written it, or it is no plain file".to_owned(),
        Trouble::Malformed(why) => why.clone(),
        Trouble::Newer(version) => format!("a newer linkwell wrote it (version {version})"),
        Trouble::System(error) => crate::error::reason(*error),
    };
    Failure::Refused {
        what: format!(
            "the record of what is shared cannot be used: `{}`",
            held.place.joined(b"placements.json").shown()
        ),
        cause: Some(cause),
        hint: Some("the one before is kept beside it, as `placements.before.json`".into()),
        exit: Exit::Found,
    }
}
