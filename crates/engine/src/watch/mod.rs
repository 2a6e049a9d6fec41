//! Links on record follow what they lead to while it moves.
//!
//! An event is a hint to look, a record is a hint where to look. What is changed is decided by what is
//! found then: the link with the very text on record, its old name still away after the grace, and the
//! very object at another place. All that is due at one moment is one plan, recorded in the journal like
//! any other, and `undo` takes it back.
//!
//! * `nodes`: the places that matter, as a tree. * `source`: who hears of changes; `queue`: hints on
//!   their way. * `held`, `moves`: where an object went. * `grace`: the time in which a name may come
//!   back. * `watcher`: the work; `look`, `settle`, `strayed`, `heal` its steps.

mod find;
mod grace;
mod heal;
mod held;
pub mod install;
mod look;
mod moves;
mod nodes;
mod queue;
mod settle;
mod source;
mod strayed;
mod watcher;

pub use queue::{Hint, Queue, Spot};

use crate::catalogue::questions::{Event, Proposal};
use crate::disk::Unix;
use crate::journal::{Lock, NoLock, Store};
use crate::system::System;
use crate::{catalogue, state, volumes};
use linkwell_model::path::AbsPath;
use std::time::Duration;

/// How often is looked again at what nothing is heard of ([`Settings::again`]).
pub const AGAIN: Duration = Duration::from_secs(30);

/// How to watch.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The calls to use.
    pub system: System,
    /// What the rules of volumes need; their state folder is the watcher's.
    pub volumes: volumes::Settings,
    /// linkwell's own state folder.
    pub state: AbsPath,
    /// How long a name may be away before anything is done.
    pub grace: Duration,
    /// How often is looked at again what nothing is heard of: all of it where not every folder can be watched,
    /// else what could not be looked at. [`AGAIN`] is meant for everybody.
    pub again: Duration,
    /// One mark for a whole volume, where that is allowed.
    pub whole: bool,
    /// So many objects are held at the most; as many as the system allows when absent.
    pub most_held: Option<usize>,
    /// What the journal says that was typed.
    pub command: Vec<Vec<u8>>,
    /// End as soon as everything was looked at, and what is vacant has had its grace.
    pub once: bool,
}

/// How the watcher stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Links on record.
    pub links: usize,
    /// Folders watched.
    pub watched: usize,
    /// Objects held.
    pub held: usize,
    /// Links healed since it began.
    pub healed: u64,
    /// Links that lead to nothing.
    pub lost: usize,
    /// Links whose volume is away.
    pub asleep: usize,
    /// Links that wait for a person.
    pub asked: usize,
    /// Who hears of changes: `inotify` or `fanotify`.
    pub source: &'static str,
}

/// Something to be told.
#[derive(Clone, Debug)]
pub enum News {
    /// It watches from now on.
    Ready(Counts),
    /// Something happened to a link.
    Happened {
        /// What is on record of it.
        event: Event,
        /// More about it, for a person.
        words: Option<String>,
        /// Where it may lead, when a person is asked.
        proposals: Vec<Proposal>,
    },
    /// Something is in the way, and it goes on.
    Trouble(String),
    /// It is alive, and stands like this; at least every few seconds.
    Alive(Counts),
}

/// Who is told.
pub trait Tell {
    /// Something is told.
    fn tell(&mut self, news: &News);
}

/// Why there is no watching.
#[derive(Debug)]
pub enum Refusal {
    /// Another watcher is at work: the process of this number, if it says so.
    Other(Option<u32>),
    /// The state folder cannot be used.
    State(state::Trouble),
    /// The lock cannot be had.
    Lock(rustix::io::Errno),
    /// The catalogue cannot be used.
    Catalogue(catalogue::Trouble),
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// How it stood then.
    pub counts: Counts,
    /// The operation that held it up: it is unfinished, and nothing may be changed before it is finished or taken
    /// back.
    pub held_up: Option<u64>,
}

/// Watches until it is asked to end ([`Hint::Stop`]); with [`Settings::once`] until nothing waits.
///
/// # Errors
/// When another one watches, or the records cannot be used.
pub fn watch(settings: &Settings, queue: &Queue, tell: &mut dyn Tell) -> Result<Ended, Refusal> {
    let store = Store::open_or_make(&Unix, settings.system, &settings.state);
    let store = store.map_err(Refusal::State)?;
    let lock: Lock = store.lock_of_watcher(&Unix).map_err(|refused| match refused {
        NoLock::Held(process) => Refusal::Other(process),
        NoLock::System(error) => Refusal::Lock(error),
    })?;
    let ended = watcher::Watcher::new(settings, store, queue.clone(), tell)?.run();
    drop(lock);
    ended
}
