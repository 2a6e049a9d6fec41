//! Placements on record, under the same lock as operations.

use crate::World;
use crate::commands::change::{lock, open_store, state, trouble};
use crate::commands::system;
use crate::error::{Exit, Failure};
use linkwell_engine::disk::Unix;
use linkwell_engine::operator::Held;
use linkwell_engine::placements::{self, Stands, Trouble};
use linkwell_engine::state as folder;
use linkwell_engine::survey::{Surveyor, conflict};
use linkwell_model::plan::{Plan, Why};
use linkwell_model::share::arrangement::Arrangement;
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
    change(world, |all| put(placement, all))
}

/// One more, while the lock is held already. What cannot be recorded is not done.
pub(super) fn prepare(placement: Placement, plan: &mut Plan, world: &World) {
    let place = placement.folder.as_bytes().to_vec();
    let written = opened(world).and_then(|held| change_in(&held, world, |all| put(placement, all)));
    let (what, hint) = match written {
        Ok(()) => return,
        Err(Failure::Refused { what, cause, hint, .. }) => {
            (cause.map_or(what.clone(), |cause| format!("{what}: {cause}")), hint)
        }
        Err(_) => ("it could not be put on record".to_owned(), None),
    };
    plan.items.clear();
    conflict(plan, &place, Why::Other { what, hint });
}

/// Whether what was not arranged may still come to be, by `linkwell recover`: then it stays on record. What was taken
/// back in the end is known to be at home by a look.
pub(super) fn may_come(exit: &Result<Exit, Failure>) -> bool {
    matches!(exit, Ok(Exit::Unfinished | Exit::Interrupted))
}

/// Takes back what [`prepare`] has put on record.
pub(super) fn restore(
    placement: &Placement,
    before: &[Placement],
    world: &World,
) -> Result<(), Failure> {
    if !all(world)?.contains(placement) {
        return Ok(());
    }
    let old = before.iter().find(|known| known.folder == placement.folder).cloned();
    change(world, |all| {
        all.retain(|known| known != placement);
        all.extend(old);
    })
}

fn put(placement: Placement, all: &mut Vec<Placement>) {
    all.retain(|known| known.folder != placement.folder);
    all.push(placement);
}

/// What is shared now. What was brought home is not, whether by `unshare` or because sharing it was undone; what was
/// taken back and stands all the same is, since taking it back was undone.
pub(in crate::commands) fn shared(
    surveyor: &mut Surveyor,
    world: &World,
) -> Result<Vec<Placement>, Failure> {
    let mut all = all(world)?;
    all.retain(|one| match placements::stands(surveyor, one) {
        Stands::Home => false,
        Stands::True | Stands::Renamed(_) => !one.ended || one.arrangement != Arrangement::Native,
        _ => !one.ended,
    });
    all.iter_mut().for_each(|one| one.ended = false);
    Ok(all)
}

/// One less. It stays in the record as what was: taking it back may be undone.
pub(super) fn remove(placement: &Placement, world: &World) -> Result<(), Failure> {
    change(world, |all| {
        for one in all.iter_mut().filter(|one| one.folder == placement.folder) {
            one.ended = true;
        }
    })
}

fn change(world: &World, act: impl FnOnce(&mut Vec<Placement>)) -> Result<(), Failure> {
    let store = open_store(world)?;
    let held = opened(world)?;
    let lock = lock(&store)?;
    let done = change_in(&held, world, act);
    drop(lock);
    done
}

/// The state folder.
pub(super) fn opened(world: &World) -> Result<Held, Failure> {
    folder::open_or_make(&Unix, system(world), state(world)?).map_err(|found| trouble(&found))
}

fn change_in(
    held: &Held,
    world: &World,
    act: impl FnOnce(&mut Vec<Placement>),
) -> Result<(), Failure> {
    let mut all = placements::read(system(world), held).map_err(|found| unusable(&found, held))?;
    act(&mut all);
    placements::write(held, &all).map_err(|error| unusable(&Trouble::System(error), held))
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
