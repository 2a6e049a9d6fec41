//! The record of what is changed: where it is, the right to write to it, and what in it is unfinished.

use super::TIME_LIMIT;
use crate::World;
use crate::commands::{system, volumes_alone};
use crate::error::{Exit, Failure, say};
use crate::interrupt;
use linkwell_engine::disk::Unix;
use linkwell_engine::journal::{Lock, NoLock, Store};
use linkwell_engine::state::Trouble;
use linkwell_engine::volumes::Volumes;
use linkwell_model::path::AbsPath;
use std::time::{Duration, Instant};

/// How long another linkwell is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The state folder, if it can be looked at without hanging.
pub(in crate::commands) fn state(world: &World) -> Result<&AbsPath, Failure> {
    let Some(state) = &world.state else { return Err(trouble(&Trouble::Nowhere)) };
    if volumes_alone(world, TIME_LIMIT).is_in_reach(state) {
        return Ok(state);
    }
    Err(Failure::Refused {
        what: "the record of what is changed cannot be reached; nothing was changed".into(),
        cause: Some(format!("the volume of `{}` does not answer", state.shown())),
        hint: Some("set `XDG_STATE_HOME` to a folder on this computer".into()),
        exit: Exit::Found,
    })
}

/// Opens the journals, and makes the folder for them if need be.
pub(in crate::commands) fn open_store(world: &World) -> Result<Store, Failure> {
    let state = state(world)?;
    Store::open_or_make(&Unix, system(world), state).map_err(|found| trouble(&found))
}

/// Opens the journals; none when nothing was ever written down.
pub(in crate::commands) fn store_if_any(world: &World) -> Result<Option<Store>, Failure> {
    match Store::open(system(world), state(world)?) {
        Ok(store) => Ok(Some(store)),
        Err(Trouble::Missing) => Ok(None),
        Err(found) => Err(trouble(&found)),
    }
}

/// Why the state folder cannot be used, in words.
pub(in crate::commands) fn trouble(trouble: &Trouble) -> Failure {
    use linkwell_engine::operator::Refusal;
    let cause = match trouble {
        Trouble::Nowhere => "there is no home folder, and `XDG_STATE_HOME` is not set".into(),
        Trouble::Missing => "nothing was ever written there".into(),
        Trouble::Foreign(place, owner) => {
            format!("`{}` belongs to somebody else (user {owner})", place.shown())
        }
        Trouble::Open(place) => format!("others may write to `{}`", place.shown()),
        Trouble::Way(place, Refusal::Foreign { link, owner }) => format!(
            "the way to `{}` leads through the link `{}`, which belongs to user {owner}",
            place.shown(),
            link.shown()
        ),
        Trouble::Way(place, refusal) => match refusal {
            Refusal::System(error) => {
                format!("`{}`: {}", place.shown(), crate::error::reason(*error))
            }
            _ => format!("`{}` leads to no folder", place.shown()),
        },
        Trouble::System(place, error) => {
            format!("`{}`: {}", place.shown(), crate::error::reason(*error))
        }
    };
    let hint = match trouble {
        Trouble::Open(place) => {
            format!("`chmod go-w {}`", linkwell_model::shown::quoted(place.as_bytes()))
        }
        _ => "set `XDG_STATE_HOME` to a folder that only you can write to".into(),
    };
    Failure::Refused {
        what: "there is no safe place for the record of what is changed; nothing was changed"
            .into(),
        cause: Some(cause),
        hint: Some(hint),
        exit: Exit::Found,
    }
}

/// Takes the lock; waits a while if another linkwell has it.
pub(in crate::commands) fn lock(store: &Store) -> Result<Lock, Failure> {
    let since = Instant::now();
    let mut told = false;
    loop {
        match store.lock(&Unix) {
            Ok(lock) => return Ok(lock),
            Err(NoLock::Held(process)) => {
                let who =
                    process.map_or_else(String::new, |process| format!(" (process {process})"));
                if since.elapsed() > PATIENCE || interrupt::came() {
                    return Err(Failure::Refused {
                        what: format!(
                            "another linkwell is changing something{who}; nothing was changed by this one"
                        ),
                        cause: None,
                        hint: Some("wait until it has ended, and try again".into()),
                        exit: Exit::Found,
                    });
                }
                if !told && since.elapsed() > Duration::from_millis(500) {
                    say(&format!("note: waiting for another linkwell{who}"));
                    told = true;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(NoLock::System(error)) => {
                return Err(Failure::Refused {
                    what: "could not take the lock; nothing was changed".into(),
                    cause: Some(crate::error::reason(error)),
                    hint: None,
                    exit: Exit::Found,
                });
            }
        }
    }
}

/// Refuses to change anything while an earlier operation is unfinished. The lock is held, so it is
/// nobody's work of this moment.
pub(in crate::commands) fn refuse_unfinished(store: &Store) -> Result<(), Failure> {
    let unfinished = really_unfinished(store);
    let Some(first) = unfinished.first() else { return Ok(()) };
    Err(Failure::Refused {
        what: format!("operation {first} was begun and is not finished; nothing was changed now"),
        cause: None,
        hint: Some("`linkwell recover` finishes it or takes it back".into()),
        exit: Exit::Unfinished,
    })
}

/// The operations that did not end. One whose end is recorded, and whose file only did not get its last
/// name, has ended.
pub(in crate::commands) fn really_unfinished(store: &Store) -> Vec<u64> {
    let mut numbers = store.unfinished().unwrap_or_default();
    numbers.retain(|number| store.read(*number).map_or(true, |found| found.ended.is_none()));
    numbers
}

/// Says so if an earlier operation is unfinished: for the verbs that only look.
pub(in crate::commands) fn remind(world: &World, volumes: &Volumes) {
    let Some(state) = world.state.as_ref().filter(|state| volumes.is_in_reach(state)) else {
        return;
    };
    let Ok(store) = Store::open(system(world), state) else { return };
    let any = store.unfinished().is_ok_and(|numbers| !numbers.is_empty());
    if !any || store.is_busy() {
        return;
    }
    if let Some(first) = really_unfinished(&store).first() {
        say(&format!(
            "note: operation {first} was begun and is not finished; `linkwell recover` finishes it or \
             takes it back"
        ));
    }
}
