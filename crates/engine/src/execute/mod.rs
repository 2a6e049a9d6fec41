//! Carries a plan out, and takes it back.
//!
//! The plan is recorded durably, then each item is done, whole or not at all; then every volume that
//! was changed is synced once, then the end is recorded. What is asked to be freed is first only set
//! aside; it is freed when all the rest is durable. A step that fails is taken back by looking at
//! what stands where, by the same code that recovers after a crash.

mod aside;
mod back;
mod brought;
mod forward;
mod many;
mod moved;
mod onward;
mod places;
pub mod recover;
mod rename;
mod tree;

pub(crate) use tree::names;

use crate::disk::Disk;
use crate::journal::record::{Ended, Header, How};
use crate::journal::{Journal, Lock, Store};
use crate::operator::Held;
use crate::system::System;
use crate::transfer::{Lost, Watch};
use brought::{Copies, folder_of};
use linkwell_model::entry::Identity;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Bytes, Make, Object, Plan, Step, Token};
use places::Places;
use rustix::fd::AsFd as _;
use rustix::io::Errno;
use std::collections::HashSet;
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
    /// Somebody has this open for writing: the process of this number and name, where that is known.
    InUse {
        /// What.
        place: AbsPath,
        /// Who.
        by: Option<(u32, Vec<u8>)>,
    },
    /// A copy would lack something that was not accepted.
    Lossy {
        /// What was copied.
        place: AbsPath,
        /// All that the copy would lack; the paths are below the place.
        lost: Vec<Lost>,
    },
    /// A folder in it belongs to another volume, or something in it is of an unknown kind.
    Mounted(AbsPath),
    /// It cannot be moved here by renaming: the two places belong to different volumes, or to parts of one
    /// that names cannot be moved between.
    OtherVolume(AbsPath),
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
    /// What it relies on was not done.
    Needs,
    /// The record makes no sense.
    Record,
    /// The person asked to stop.
    Interrupted,
}

/// Whether a step only makes a link where nothing is.
fn is_new_link(step: &Step) -> bool {
    matches!(step, Step::Put { make: Make::Link { attributes: None, .. }, .. })
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
    /// Where something lies that was new, or changed, in what was to be given up.
    pub left: Vec<AbsPath>,
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
    let mut journal = store.begin(means.disk, lock, header, plan)?;
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
        made: Vec::new(),
    };
    let mut begun = Begun::default();
    let mut run = Run { work: &mut work, journal: &mut journal, plan, begun: &mut begun };
    let outcome = if run.is_many_links() {
        run.all_links(means, &mut report)
    } else {
        run.items(means.stop, &mut report)
    };
    let outcome = outcome.and_then(|()| run.settle(&mut report));
    let unrecorded =
        |error| Fail::System { doing: "record the end", place: store.place().clone(), error };
    let stop = match outcome {
        Ok(freed) => match journal.end(ended(How::Done, report.done.len(), &work.all_kept())) {
            Ok(()) => {
                report.kept = work.kept;
                report.left = work.left;
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

/// One run through a plan.
struct Run<'r, 'w, 'd> {
    work: &'r mut Work<'w>,
    journal: &'r mut Journal<'d>,
    plan: &'r Plan,
    begun: &'r mut Begun,
}

/// Why the whole stops, and whether it cannot be taken back any more: something was freed, or the record
/// may say that it ended.
type Stop = (Fail, bool);

impl Run<'_, '_, '_> {
    /// Does every item.
    fn items(&mut self, stop: &AtomicBool, report: &mut Report) -> Result<(), Stop> {
        let mut first = 0;
        for (number, item) in self.plan.items.iter().enumerate() {
            if stop.load(Ordering::SeqCst) {
                return Err((Fail::Interrupted, false));
            }
            let needs = self.plan.needs.get(&number);
            let outcome = if needs.is_some_and(|needs| !report.done.contains(needs)) {
                Ok(Err(Fail::Needs))
            } else {
                self.item(first, &item.steps)
            };
            match outcome? {
                Ok(()) => {
                    // So that it is known exactly what was done, should this process be killed. Of a new
                    // link, its text tells that as well.
                    if !item.steps.iter().all(is_new_link) {
                        let written = self.journal.write();
                        written.map_err(|error| (self.record(error), false))?;
                    }
                    report.done.push(number);
                }
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

    /// Does every item of a plan that makes nothing but links, by several threads.
    fn all_links(&mut self, means: &Means<'_>, report: &mut Report) -> Result<(), Stop> {
        for (number, outcome) in self.many_links(means)? {
            let recorded = match outcome {
                Ok(made) => {
                    let recorded = self.journal.did(number, Some(&made));
                    self.begun.insert(number, Placed::This(made));
                    report.done.push(number);
                    recorded
                }
                Err((fail, _)) => {
                    let recorded = self.journal.failed(number, &format!("{fail:?}"));
                    report.failed.push((number, fail));
                    recorded
                }
            };
            recorded.map_err(|error| (self.record(error), false))?;
        }
        Ok(())
    }

    /// Does one item, whose first step has the number `first`. A step that fails takes the whole item
    /// back, which must not fail.
    fn item(&mut self, first: usize, steps: &[Step]) -> Result<Result<(), Fail>, Stop> {
        for (at, step) in steps.iter().enumerate() {
            let number = first + at;
            let done = self.work.forward(number, step, &mut |made| {
                self.journal.did(number, Some(made)).and_then(|()| self.journal.settle())
            });
            match done {
                Ok(made) => {
                    let placed = made.clone().map_or(Placed::Unknown, Placed::This);
                    self.begun.insert(number, placed);
                    if !matches!(step.make(), Some(Make::Copy { .. })) {
                        let recorded = self.journal.did(number, made.as_ref());
                        recorded.map_err(|error| (self.record(error), false))?;
                    }
                }
                Err(fail) => {
                    // What was refused at the first look has changed nothing.
                    if self.work.begun {
                        let placed = self.work.placed.clone();
                        // For the case that what takes it back is lost in a power cut, and this not.
                        let recorded = match &placed {
                            Placed::This(made) => self.journal.did(number, Some(made)),
                            Placed::Not | Placed::Unknown => Ok(()),
                        };
                        self.begun.insert(number, placed);
                        recorded.map_err(|error| (self.record(error), false))?;
                    }
                    // What has taken a while is not thrown away: it can be gone on with.
                    if fail == Fail::Interrupted && self.work.is_worth_keeping() {
                        return Err((fail, true));
                    }
                    self.take_back(first, steps).map_err(|second| (second, false))?;
                    // Asked to stop in the middle of something long: that is for the whole.
                    return if fail == Fail::Interrupted {
                        Err((fail, false))
                    } else {
                        Ok(Err(fail))
                    };
                }
            }
        }
        Ok(Ok(()))
    }

    /// Takes back what was begun of an item.
    fn take_back(&mut self, first: usize, steps: &[Step]) -> Result<(), Fail> {
        let all: Vec<&Step> = steps.iter().collect();
        let mut anew: Vec<(usize, Object)> = Vec::new();
        for (at, step) in steps.iter().enumerate().rev() {
            let number = first + at;
            if let Some(placed) = self.begun.get(&number) {
                self.work.back(number, step, &placed.or_anew(step, self.plan, &all, &anew))?;
                self.begun.remove(&number);
                if let Some(made) = self.work.made_anew(step) {
                    self.journal.back(number, &made).map_err(|error| self.record(error))?;
                    anew.push((at, made));
                }
            }
        }
        Ok(())
    }

    /// Makes everything durable, and frees what is to be freed; whether that was anything.
    fn settle(&mut self, report: &mut Report) -> Result<bool, Stop> {
        self.work.sync().map_err(|fail| (fail, false))?;
        let steps = self.plan.items.iter().enumerate();
        let steps = steps.flat_map(|(item, its)| its.steps.iter().map(move |step| (item, step)));
        let to_free: Vec<(usize, (usize, &Step))> = steps
            .enumerate()
            .filter(|(number, (_, step))| step.frees() && self.begun.contains_key(number))
            .collect();
        if to_free.is_empty() {
            return Ok(false);
        }
        let freeing = self.journal.freeing();
        freeing.map_err(|unended| (self.record(unended.error), !unended.gone))?;
        for (number, (item, step)) in to_free {
            let freed = self.work.free(number, step);
            if let Err(fail) = &freed {
                // So that it is not tried for ever. Were it not recorded, it is tried once more.
                let recorded = self.journal.stuck(number, &format!("{fail:?}"));
                recorded.and_then(|()| self.journal.settle()).unwrap_or_default();
            }
            if let Some(fail) = freed.map_err(|fail| (fail, true))? {
                let recorded = self.journal.failed(item, &format!("{fail:?}"));
                recorded.map_err(|error| (self.record(error), true))?;
                report.failed.push((item, fail));
            }
        }
        let failed: HashSet<usize> = report.failed.iter().map(|(item, _)| *item).collect();
        report.done.retain(|done| !failed.contains(done));
        self.work.sync().map_err(|fail| (fail, true)).map(|()| true)
    }

    fn record(&self, error: Errno) -> Fail {
        Fail::System { doing: "write down what was done", place: AbsPath::root(), error }
    }
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
            copies: Copies::default(),
            step: None,
            watch: means.watch,
            stop: None,
            begun: false,
            placed: Placed::Not,
            resume: false,
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
