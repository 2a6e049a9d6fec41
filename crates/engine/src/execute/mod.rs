//! Carries a plan out, and takes it back.
//!
//! The plan is recorded durably, then each item is done, whole or not at all; then every volume that
//! was changed is synced once, then the end is recorded. What is asked to be freed is first only set
//! aside; it is freed when all the rest is durable. A step that fails is taken back by looking at
//! what stands where, by the same code that recovers after a crash.

mod back;
mod copy;
mod forward;
mod places;
pub mod recover;
mod tree;

pub(crate) use tree::names;

use crate::disk::Disk;
use crate::journal::record::{Ended, Header, How};
use crate::journal::{Journal, Lock, Store};
use crate::operator::Held;
use crate::system::System;
use linkwell_model::entry::Identity;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Bytes, Object, Plan, Step, Token};
use places::Places;
use rustix::fd::AsFd as _;
use rustix::io::Errno;
use std::sync::atomic::{AtomicBool, Ordering};

/// Why a step was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fail {
    /// The folder at this place cannot be opened, or is another one than was planned with.
    Folder {
        /// Where.
        place: AbsPath,
        /// The system's reason; none when it is another folder.
        error: Option<Errno>,
    },
    /// Something has taken the name meanwhile.
    Taken(AbsPath),
    /// What stands here is not what was planned with.
    Changed(AbsPath),
    /// It is the last name of its file, which would be lost.
    LastName(AbsPath),
    /// What was made does not read back as it should.
    NotAsMade(AbsPath),
    /// A folder in it belongs to another volume, or something in it is of an unknown kind.
    Mounted(AbsPath),
    /// The system refuses.
    System {
        /// What could not be done.
        doing: &'static str,
        /// Where.
        place: AbsPath,
        /// The system's reason.
        error: Errno,
    },
    /// Not all of it could be freed, for this reason; what is left has its name again, unless somebody
    /// has taken that.
    Left(Box<Fail>),
    /// The record makes no sense.
    Record,
    /// The person asked to stop.
    Interrupted,
}

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
}

/// The work on one plan.
struct Work<'a> {
    disk: &'a dyn Disk,
    system: System,
    places: Places<'a>,
    same: fn(Identity, Identity) -> bool,
    token: Token,
    kept: Vec<AbsPath>,
    /// Set when the person asks to stop: heeded in the middle of a long copy.
    stop: Option<&'a AtomicBool>,
    /// Whether the step at hand may have changed anything.
    begun: bool,
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
    let mut journal = store.begin(means.disk, lock, header, plan)?;
    let mut work = Work {
        disk: means.disk,
        system: means.system,
        places: Places::new(means.system, &plan.folders, Identity::is, means.current),
        same: Identity::is,
        token: journal.token().clone(),
        kept: Vec::new(),
        stop: Some(means.stop),
        begun: false,
    };
    let number = journal.number();
    let mut report = Report {
        number,
        done: Vec::new(),
        failed: Vec::new(),
        state: State::Ended,
        kept: Vec::new(),
    };
    let mut made = Made::default();
    let mut run = Run { work: &mut work, journal: &mut journal, plan, made: &mut made };
    let outcome = run.items(means.stop, &mut report);
    let outcome = outcome.and_then(|()| run.settle(&mut report));
    let end = |how, done: usize, kept: &[AbsPath]| Ended {
        how,
        done: u64::try_from(done).unwrap_or(u64::MAX),
        kept: kept.iter().map(|place| Bytes(place.as_bytes().into())).collect(),
    };
    let why = match outcome {
        Ok(()) => {
            let ended = journal.end(end(How::Done, report.done.len(), &work.kept));
            report.kept = work.kept;
            if let Err(error) = ended {
                // All is done and durable; only its record is not. It is found by looking.
                let fail =
                    Fail::System { doing: "record the end", place: store.place().clone(), error };
                report.state = State::Unfinished(fail.clone(), fail);
            }
            return Ok(report);
        }
        Err(stop) => stop,
    };
    if why.1 {
        // Freeing has begun: the only way is forward.
        report.kept = work.kept;
        report.state = State::Unfinished(why.0.clone(), why.0);
        return Ok(report);
    }
    let taken_back = run_back(&mut work, plan, &made).and_then(|()| work.sync()).and_then(|()| {
        let error =
            |error| Fail::System { doing: "record the end", place: store.place().clone(), error };
        journal.end(end(How::TakenBack, 0, &work.kept)).map_err(error)
    });
    report.kept = work.kept;
    report.done.clear();
    report.state = match taken_back {
        Ok(()) => State::TakenBack(why.0),
        Err(second) => State::Unfinished(why.0, second),
    };
    Ok(report)
}

/// What steps have made, by number; a step that is not in it was not done.
type Made = std::collections::BTreeMap<usize, Option<Object>>;

/// Takes back every step that was done, last first.
fn run_back(work: &mut Work<'_>, plan: &Plan, made: &Made) -> Result<(), Fail> {
    let steps: Vec<&Step> = plan.items.iter().flat_map(|item| &item.steps).collect();
    for (number, made) in made.iter().rev() {
        if let Some(step) = steps.get(*number) {
            work.back(*number, step, made.as_ref())?;
        }
    }
    Ok(())
}

/// One run through a plan.
struct Run<'r, 'w, 'd> {
    work: &'r mut Work<'w>,
    journal: &'r mut Journal<'d>,
    plan: &'r Plan,
    made: &'r mut Made,
}

/// Why the whole stops, and whether something was freed already.
type Stop = (Fail, bool);

impl Run<'_, '_, '_> {
    /// Does every item.
    fn items(&mut self, stop: &AtomicBool, report: &mut Report) -> Result<(), Stop> {
        let mut first = 0;
        for (number, item) in self.plan.items.iter().enumerate() {
            if stop.load(Ordering::SeqCst) {
                return Err((Fail::Interrupted, false));
            }
            match self.item(first, &item.steps)? {
                Ok(()) => report.done.push(number),
                Err(fail) => {
                    // Written at once: were this process killed, what failed here must not be taken
                    // for done because it looks so.
                    let recorded = self.journal.failed(number, &format!("{fail:?}"));
                    let recorded = recorded.and_then(|()| self.journal.write());
                    recorded.map_err(|error| (self.record(error), false))?;
                    report.failed.push((number, fail));
                }
            }
            first += item.steps.len();
        }
        Ok(())
    }

    /// Does one item, whose first step has the number `first`. A step that fails takes the whole item
    /// back, which must not fail.
    fn item(&mut self, first: usize, steps: &[Step]) -> Result<Result<(), Fail>, Stop> {
        for (at, step) in steps.iter().enumerate() {
            let number = first + at;
            // What a copy is says nobody but the one who made it.
            let mut announced = None;
            let done = self.work.forward(number, step, &mut |made| {
                announced = Some(made.clone());
                self.journal.did(number, Some(made)).and_then(|()| self.journal.settle())
            });
            let fail = match done {
                Ok(made) => {
                    if !matches!(step.make(), Some(linkwell_model::plan::Make::Copy { .. })) {
                        let recorded = self.journal.did(number, made.as_ref());
                        recorded.map_err(|error| (self.record(error), false))?;
                    }
                    self.made.insert(number, made);
                    continue;
                }
                Err(fail) => fail,
            };
            // What was refused at the first look has changed nothing, and what somebody else did
            // meanwhile is not to be taken back.
            if self.work.begun {
                let back = self.work.back(number, step, announced.as_ref());
                back.map_err(|second| (second, false))?;
            }
            for (number, step) in (first..number).zip(steps).rev() {
                let made = self.made.remove(&number).flatten();
                self.work.back(number, step, made.as_ref()).map_err(|second| (second, false))?;
            }
            return if fail == Fail::Interrupted { Err((fail, false)) } else { Ok(Err(fail)) };
        }
        Ok(Ok(()))
    }

    /// Makes everything durable, and frees what is to be freed.
    fn settle(&mut self, report: &mut Report) -> Result<(), Stop> {
        self.work.sync().map_err(|fail| (fail, false))?;
        let steps: Vec<&Step> = self.plan.items.iter().flat_map(|item| &item.steps).collect();
        let freed = |number: &usize| steps.get(*number).is_some_and(|step| step.frees());
        let to_free: Vec<usize> = self.made.keys().copied().filter(freed).collect();
        if to_free.is_empty() {
            return Ok(());
        }
        self.journal.freeing().map_err(|error| (self.record(error), false))?;
        for number in to_free {
            let Some(step) = steps.get(number) else { continue };
            if let Some(fail) = self.work.free(number, step).map_err(|fail| (fail, true))? {
                let item = self.item_of(number);
                report.done.retain(|done| *done != item);
                report.failed.push((item, fail));
            }
        }
        self.work.sync().map_err(|fail| (fail, true))
    }

    /// The item that a step belongs to.
    fn item_of(&self, step: usize) -> usize {
        let mut first = 0;
        let ends = self.plan.items.iter().map(|item| {
            first += item.steps.len();
            first
        });
        ends.take_while(|end| *end <= step).count()
    }

    fn record(&self, error: Errno) -> Fail {
        Fail::System { doing: "write down what was done", place: AbsPath::root(), error }
    }
}

impl Work<'_> {
    /// Makes durable what was done: one call a volume.
    fn sync(&mut self) -> Result<(), Fail> {
        for (held, several) in self.places.take_touched() {
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
        Ok(())
    }
}
