//! Carries a plan out, and takes it back.
//!
//! The plan is recorded durably, then each item is done, whole or not at all; then every volume that
//! was changed is synced once, then the end is recorded. What is asked to be freed is first only set
//! aside; it is freed when all the rest is durable. A step that fails is taken back by looking at
//! what stands where, by the same code that recovers after a crash.

mod aside;
mod back;
mod brought;
mod fail;
mod forward;
mod many;
mod merged;
mod moved;
mod onward;
mod places;
pub mod recover;
mod rename;
mod run;
mod times;
mod tree;
mod volumes;

pub use fail::Fail;
pub(crate) use tree::names;
pub(crate) use volumes::is_another;

use crate::disk::Disk;
use crate::journal::record::{Ended, Header, How};
use crate::journal::{Lock, Store};
use crate::operator::Held;
use crate::system::System;
use crate::transfer::{Copied, Watch};
use brought::{Copies, folder_of};
use linkwell_model::entry::Identity;
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Bytes, Object, Plan, Step, Token};
use places::Places;
use run::{Run, Stop, is_new_link};
use rustix::fd::AsFd as _;
use rustix::io::Errno;
use std::sync::atomic::AtomicBool;

/// What came of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its number.
    pub number: u64,
    /// Which items were done, by number in the plan.
    pub done: Vec<usize>,
    /// Which were not, and why.
    pub failed: Vec<(usize, Fail)>,
    /// How it stands.
    pub state: State,
    /// Where something lies that does not belong there, and that a person may want.
    pub kept: Vec<AbsPath>,
    /// Where something lies that was new, or changed, in what was to be given up.
    pub left: Vec<AbsPath>,
    /// How many copies, or parts of them, share no room though their originals did, against what the plan
    /// said; and the first of them.
    pub unshared: Option<(u64, AbsPath)>,
    /// What the steps made, by their numbers in the plan, where that is known. It may have been moved on
    /// since.
    pub made: Vec<(usize, Object)>,
}

/// How an operation stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It has ended; what is reported as done is done and durable.
    Ended,
    /// It was stopped by this, and all of it was taken back.
    TakenBack(Fail),
    /// It was stopped by this, and could not be taken back (the second reason): it is to be recovered.
    Unfinished(Fail, Fail),
}

/// What an operation needs of the world around it.
#[derive(Clone, Copy)]
pub struct Means<'a> {
    /// The door.
    pub disk: &'a dyn Disk,
    /// The calls that look.
    pub system: System,
    /// The folder that this process stands in.
    pub current: Option<&'a Held>,
    /// Set when the person asks to stop.
    pub stop: &'a AtomicBool,
    /// Who is told how far a copy is.
    pub watch: &'a dyn Watch,
}

/// The work on one plan.
struct Work<'a> {
    disk: &'a dyn Disk,
    system: System,
    places: Places<'a>,
    same: fn(Identity, Identity) -> bool,
    token: Token,
    kept: Vec<AbsPath>,
    left: Vec<AbsPath>,
    /// As in the report.
    unshared: Option<(u64, AbsPath)>,
    /// What is copied for good.
    copies: Copies,
    /// The step at hand, while it is done for the first time.
    step: Option<usize>,
    watch: &'a dyn Watch,
    /// Set when the person asks to stop: heeded in the middle of a long copy.
    stop: Option<&'a AtomicBool>,
    /// Whether the step at hand may have changed anything.
    begun: bool,
    /// What is known of what the step at hand made.
    placed: Placed,
    /// Whether the copy that is made next goes on with what lies under its staged name.
    resume: bool,
    /// What this run has built last, and its staged name: a copy that an earlier run has recorded may have been
    /// begun anew since.
    built: Option<(Name, Identity)>,
    /// The last folder that was made to copy into, and its staged name.
    top: Option<(Name, Copied)>,
    /// How many entries and bytes were copied in this run.
    copied: (u64, u64),
    /// How many entries of a copy were there already, and of how many.
    went_on: Option<(u64, u64)>,
    /// What the plan moves: where each thing stands before, and after.
    moves: Vec<(AbsPath, AbsPath)>,
}

/// What is known of what a step put at its slot.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Placed {
    /// It put nothing there: whatever stands there is somebody else's.
    Not,
    /// It may have; what it would be is to be told by looking.
    Unknown,
    /// This, if anything.
    This(Object),
}

impl Placed {
    /// What is recorded of a step; absent when nothing is.
    fn recorded(did: Option<&Option<Object>>) -> Self {
        did.and_then(Option::as_ref).map_or(Self::Unknown, |made| Self::This(made.clone()))
    }

    /// The same; or what taking back a later step has made anew in the same place. `anew` is by the numbers
    /// of `steps`.
    fn or_anew(&self, step: &Step, plan: &Plan, steps: &[&Step], anew: &[(usize, Object)]) -> Self {
        let Self::This(_) = self else { return self.clone() };
        let place = plan.place(step.at());
        // A link that a later step drops may have been made again for it, more than once: its text tells.
        let is_dropped_later = steps.iter().any(|later| {
            matches!(later, Step::Move { to, over: Some(over), .. }
                if over.id() == Identity::TO_COME && plan.place(to) == place)
        });
        if is_dropped_later {
            return Self::Unknown;
        }
        if anew.is_empty() {
            return self.clone();
        }
        let made = anew.iter().rev().find(|(number, _)| match steps.get(*number) {
            Some(Step::Move { to, .. }) => plan.place(to) == place,
            Some(later) => plan.place(later.at()) == place,
            None => false,
        });
        made.map_or_else(|| self.clone(), |(_, made)| Self::This(made.clone()))
    }
}

/// Carries out `plan`: records it, does it, makes it durable, records its end.
///
/// An item that fails is taken back, and the others go on. When the person asks to stop, or what was
/// done cannot be made durable, all of it is taken back.
///
/// # Errors
/// The system's, when the plan cannot be recorded: then nothing was done.
pub fn execute(
    means: &Means<'_>,
    store: &Store,
    lock: &Lock,
    header: impl FnOnce(u64) -> Header,
    plan: &Plan,
) -> Result<Report, Errno> {
    let mut journal =
        store.begin(means.disk, lock, header, plan, &volumes::of(means.system, plan))?;
    let mut work = Work::new(means, plan, Identity::is, journal.token().clone());
    work.copies = Copies::new(plan, folder_of(store.folder()).map(|held| (held, journal.number())));
    work.stop = Some(means.stop);
    let number = journal.number();
    let mut report = Report {
        number,
        done: Vec::new(),
        failed: Vec::new(),
        state: State::Ended,
        kept: Vec::new(),
        left: Vec::new(),
        unshared: None,
        made: Vec::new(),
    };
    let mut begun = Begun::default();
    let mut run = Run { work: &mut work, journal: &mut journal, plan, begun: &mut begun };
    let outcome = if run.is_many_links() {
        run.all_links(means, &mut report)
    } else {
        run.items(means.stop, &mut report)
    };
    let outcome = outcome.and_then(|()| run.settle(&mut report)).and_then(|freed| {
        if !plan.times.is_empty() && (report.failed.is_empty() || report.done.is_empty()) {
            if report.failed.is_empty() {
                work.give_times(plan);
            } else if !freed {
                // None was done, and each was taken back.
                work.give_times_before(plan, |_| true);
            }
            work.sync().map_err(|fail| (fail, freed))?;
        }
        Ok(freed)
    });
    let unrecorded =
        |error| Fail::System { doing: "record the end", place: store.place().clone(), error };
    let stop = match outcome {
        Ok(freed) => match journal.end(Ended {
            times: work.times_now(plan),
            ..ended(How::Done, report.done.len(), &work.all_kept())
        }) {
            Ok(()) => {
                report.kept = work.kept;
                report.left = work.left;
                report.unshared = work.unshared;
                report.made = made(begun);
                return Ok(report);
            }
            // All is done and durable, only its record is not; and what is not on record cannot be
            // taken back later. So it is taken back now, unless the record may say after all that
            // it ended.
            Err(unended) => (unrecorded(unended.error), freed || !unended.gone),
        },
        Err(stop) => stop,
    };
    if stop.1 {
        report.kept = work.kept;
        report.state = State::Unfinished(stop.0.clone(), stop.0);
        return Ok(report);
    }
    let taken_back = run_back(&mut work, plan, &begun).and_then(|anew| {
        work.give_times_before(plan, |_| true);
        work.sync()?;
        for (number, object) in &anew {
            journal.back(*number, object).map_err(unrecorded)?;
        }
        let end = journal.end(ended(How::TakenBack, 0, &work.kept));
        end.map_err(|unended| unrecorded(unended.error))
    });
    if taken_back.is_ok() {
        work.copies.forget(&work);
    }
    report.kept = work.kept;
    report.done.clear();
    report.state = match taken_back {
        Ok(()) => State::TakenBack(stop.0),
        Err(second) => State::Unfinished(stop.0, second),
    };
    Ok(report)
}

fn moves(plan: &Plan) -> Vec<(AbsPath, AbsPath)> {
    let steps = plan.items.iter().flat_map(|item| &item.steps);
    let places = steps.filter_map(|step| match step {
        Step::Move { at, to, .. } => Some((plan.place(at), plan.place(to))),
        _ => None,
    });
    places.collect()
}

fn ended(how: How, done: usize, kept: &[AbsPath]) -> Ended {
    Ended {
        how,
        done: u64::try_from(done).unwrap_or(u64::MAX),
        times: Vec::new(),
        kept: kept.iter().map(|place| Bytes(place.as_bytes().into())).collect(),
    }
}

fn made(begun: Begun) -> Vec<(usize, Object)> {
    let known = begun.into_iter().filter_map(|(number, placed)| match placed {
        Placed::This(object) => Some((number, object)),
        Placed::Not | Placed::Unknown => None,
    });
    known.collect()
}

/// A copy that has come so far is kept when the person asks to stop: entries, or bytes.
const KEPT: (u64, u64) = (1000, 64 << 20);

/// The steps that may have changed something, by number, and what is known of what they made.
type Begun = std::collections::BTreeMap<usize, Placed>;

/// Takes back every step that may have changed something, last first; gives what had to be made anew.
fn run_back(work: &mut Work<'_>, plan: &Plan, begun: &Begun) -> Result<Vec<(usize, Object)>, Fail> {
    let mut anew = Vec::new();
    let steps: Vec<&Step> = plan.items.iter().flat_map(|item| &item.steps).collect();
    for (number, placed) in begun.iter().rev() {
        if let Some(step) = steps.get(*number) {
            work.back(*number, step, &placed.or_anew(step, plan, &steps, &anew))?;
            anew.extend(work.made_anew(step).map(|object| (*number, object)));
        }
    }
    Ok(anew)
}

impl<'a> Work<'a> {
    fn new(
        means: &Means<'a>,
        plan: &'a Plan,
        same: fn(Identity, Identity) -> bool,
        token: Token,
    ) -> Self {
        Self {
            disk: means.disk,
            system: means.system,
            places: Places::new(means.system, plan, token.clone(), same, means.current),
            same,
            token,
            kept: Vec::new(),
            left: Vec::new(),
            unshared: None,
            copies: Copies::default(),
            step: None,
            watch: means.watch,
            stop: None,
            begun: false,
            placed: Placed::Not,
            resume: false,
            built: None,
            top: None,
            copied: (0, 0),
            went_on: None,
            moves: moves(plan),
        }
    }

    /// Whether what was copied is more than a moment's work.
    fn is_worth_keeping(&self) -> bool {
        self.copied.0 >= KEPT.0 || self.copied.1 >= KEPT.1
    }

    /// Every place where something was left that a person may want.
    fn all_kept(&self) -> Vec<AbsPath> {
        self.kept.iter().chain(&self.left).cloned().collect()
    }

    /// Makes durable what was done: one call a volume.
    fn sync(&mut self) -> Result<(), Fail> {
        for (held, several) in self.places.touched() {
            let synced = if several {
                self.disk.sync_volume(held.as_fd())
            } else {
                self.disk.sync(held.as_fd())
            };
            synced.map_err(|error| Fail::System {
                doing: "make it last",
                place: AbsPath::root(),
                error,
            })?;
        }
        // Only now: what one call could not make durable is tried again by the next.
        self.places.forget_touched();
        Ok(())
    }
}
