//! After a crash: the operation is taken back, gone on with, or finished, by looking.

use super::aside::same_object;
use super::brought::{Copies, folder_of};
use super::onward::did;
use super::times::Own;
use super::{Begun, Fail, Means, Placed, Report, Run, State, Work, ended, run_back};
use crate::journal::record::{How, Operation};
use crate::journal::{Journal, Lock, Store};
use linkwell_model::entry::Identity;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Make, Object, Plan, Step};
use rustix::io::Errno;

/// What is wanted of an operation that did not end. One that has begun to free things is finished, whatever
/// is wanted but to leave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// That it is taken back.
    Back,
    /// That it is gone on with.
    Forward,
    /// That it is left as it is.
    Leave,
}

/// What recovering an operation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// It had ended; only its record had not been put away.
    Settled,
    /// All of it was taken back. What could not return to its name is at these places.
    TakenBack(Vec<AbsPath>),
    /// It was gone on with, and could not be done; so it was taken back.
    CouldNot {
        /// Why not.
        why: Fail,
        /// Where something lies that could not return to its name.
        kept: Vec<AbsPath>,
    },
    /// It was gone on with, and has ended.
    WentOn {
        /// How many items are done.
        done: usize,
        /// How many entries of a copy were there already, and of how many, where one was gone on with.
        there: Option<(u64, u64)>,
        /// Which could not be done, or not be freed, and why.
        failed: Vec<(usize, Fail)>,
        /// Where something lies that does not belong there.
        kept: Vec<AbsPath>,
    },
    /// It was finished, since something had been freed already.
    Finished {
        /// What could not be freed, and why.
        left: Vec<Fail>,
        /// Where what is left of that lies, if it does not have its name.
        kept: Vec<AbsPath>,
    },
    /// It was left as it is.
    Left,
}

/// How an operation that did not end stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Whether something was freed already, so that it can only be finished.
    pub ahead: bool,
    /// Whether it moves something by copying it: that can take long, and is gone on with.
    pub copies: bool,
    /// The folders of the plan that are not there, or are other ones now: on a drive that is not attached.
    pub away: Vec<AbsPath>,
    /// What would be given up in the end, and still has its name.
    pub whole: Vec<AbsPath>,
    /// What would be given up in the end, and where it lies at the moment.
    pub aside: Vec<(AbsPath, AbsPath)>,
}

/// Looks how an operation stands that did not end. Changes nothing.
pub fn standing(means: &Means<'_>, operation: &Operation) -> Standing {
    let plan = &operation.plan;
    let token = operation.header.token.clone();
    let mut work = Work::new(means, plan, Identity::is_after_restart, token);
    work.places.only_on(&operation.volumes);
    let copies = |step: &Step| matches!(step.make(), Some(Make::Copy { manner: Some(_), .. }));
    let mut found = Standing {
        ahead: operation.freeing,
        copies: plan.items.iter().flat_map(|item| &item.steps).any(copies),
        ..Standing::default()
    };
    for (number, (_, step)) in steps(plan).enumerate() {
        for slot in step.slots() {
            if let Err(Fail::Folder { place, .. }) = work.places.folder(slot)
                && !found.away.contains(&place)
            {
                found.away.push(place);
            }
        }
        let Some(old) = step.old().filter(|_| step.frees()) else { continue };
        let (at, staged) = (step.at(), work.token.staged(number));
        let Ok(folder) = work.places.folder(at) else { continue };
        let is_old = |found: Result<Option<Object>, Fail>| {
            found.is_ok_and(|found| found.is_some_and(|now| same_object(old, &now, work.same)))
        };
        let place = work.places.place(at);
        if is_old(work.look(&folder, &at.name, at)) {
            found.whole.push(place);
        } else if is_old(work.look(&folder, &staged, at)) {
            let aside = place.parent().joined(staged.as_bytes());
            found.aside.push((place, aside));
        }
    }
    found
}

/// Every step, with the number of its item.
fn steps(plan: &Plan) -> impl DoubleEndedIterator<Item = (usize, &Step)> {
    let items = plan.items.iter().enumerate();
    items.flat_map(|(item, its)| its.steps.iter().map(move |step| (item, step)))
}

/// Recovers an operation that did not end, as is wanted.
///
/// Every step is judged by what stands at its names, and what somebody else put there meanwhile stays.
/// Going on is heeding `means.stop` while it copies: then it fails with [`Fail::Interrupted`], and can be
/// gone on with again. Recovering twice is recovering once.
///
/// It goes by what of the record is sound. Whether a person wants that when a part is lost, which
/// [`Operation::is_mutilated`] tells, is to be asked before.
///
/// # Errors
/// What kept it from being recovered; it can be tried again.
pub fn recover(
    means: &Means<'_>,
    store: &Store,
    lock: &Lock,
    operation: &Operation,
    wish: Wish,
) -> Result<Recovered, Fail> {
    if operation.ended.is_some() {
        store.settle(means.disk, lock, operation.header.operation);
        return Ok(Recovered::Settled);
    }
    let token = operation.header.token.clone();
    let mut work = Work::new(means, &operation.plan, Identity::is_after_restart, token);
    work.places.only_on(&operation.volumes);
    let folder = folder_of(store.folder()).map(|held| (held, operation.header.operation));
    work.copies = Copies::new(&operation.plan, folder);
    let until = store.last_written(operation.header.operation);
    let mut own = Own::new(&operation.plan, until);
    for (_, step) in steps(&operation.plan) {
        own.look(&mut work, step);
    }
    let mut recovery = Recovery { means, store, lock, operation, work, own };
    match wish {
        Wish::Leave => {
            let mut journal = recovery.journal()?;
            recovery.end(&mut journal, How::Left, 0)?;
            Ok(Recovered::Left)
        }
        Wish::Back | Wish::Forward if operation.freeing => recovery.finish(),
        Wish::Back => recovery.back(),
        Wish::Forward => recovery.forward(),
    }
}

struct Recovery<'r> {
    means: &'r Means<'r>,
    store: &'r Store,
    lock: &'r Lock,
    operation: &'r Operation,
    work: Work<'r>,
    /// The folders that nobody else has changed.
    own: Own,
}

impl<'r> Recovery<'r> {
    fn unrecorded(&self, error: Errno) -> Fail {
        let place = self.store.place().clone();
        Fail::System { doing: "write down that it was recovered", place, error }
    }

    fn journal(&self) -> Result<Journal<'r>, Fail> {
        let journal = self.store.resume(self.means.disk, self.lock, self.operation);
        journal.map_err(|error| self.unrecorded(error))
    }

    fn end(&mut self, journal: &mut Journal<'_>, how: How, done: usize) -> Result<(), Fail> {
        let mut end = ended(how, done, &self.work.all_kept());
        let plan = &self.operation.plan;
        if how == How::Done && !plan.times.is_empty() {
            if done == plan.items.len() {
                self.work.give_times(plan);
                self.work.sync()?;
            }
            end.times = self.work.times_now(plan);
        }
        let end = journal.end(end);
        end.map_err(|unended| self.unrecorded(unended.error))?;
        if how == How::TakenBack {
            self.work.copies.forget(&self.work);
        }
        Ok(())
    }

    fn has_failed(&self, item: usize) -> bool {
        u64::try_from(item).is_ok_and(|item| self.operation.failed.contains_key(&item))
    }

    /// What is known of a step.
    fn placed(&self, number: usize, item: usize) -> Placed {
        match did(self.operation, number) {
            // It was taken back when it failed, and what stands there now is none of its doing.
            // But that it was may be lost; what is surely its own goes now.
            None if self.has_failed(item) => Placed::Not,
            did => Placed::recorded(did),
        }
    }

    /// Frees what is left to be freed.
    fn finish(mut self) -> Result<Recovered, Fail> {
        let plan = &self.operation.plan;
        let mut fails: Vec<(usize, Fail)> = Vec::new();
        let mut journal = self.journal()?;
        let mut stuck = None;
        for (number, (item, step)) in steps(plan).enumerate() {
            if !step.frees() || self.has_failed(item) {
                continue;
            }
            match self.work.free(number, step) {
                Ok(fail) => fails.extend(fail.map(|fail| (item, fail))),
                // It was tried before, and failed in the same way: it would for ever.
                Err(fail) if self.was_stuck(number, &fail) => {
                    self.work.keep_staged(number, step);
                    fails.push((item, Fail::Left(Box::new(fail))));
                }
                Err(fail) => {
                    let recorded = journal.stuck(number, &format!("{fail:?}"));
                    recorded.map_err(|error| self.unrecorded(error))?;
                    stuck = stuck.or(Some(fail));
                }
            }
        }
        self.work.sync()?;
        if let Some(fail) = stuck {
            journal.settle().map_err(|error| self.unrecorded(error))?;
            return Err(fail);
        }
        for (item, fail) in &fails {
            let recorded = journal.failed(*item, &format!("{fail:?}"));
            recorded.map_err(|error| self.unrecorded(error))?;
        }
        let done = plan.items.len().saturating_sub(self.operation.failed.len() + fails.len());
        self.end(&mut journal, How::Done, done)?;
        let left = fails.into_iter().map(|(_, fail)| fail).collect();
        Ok(Recovered::Finished { left, kept: self.work.all_kept() })
    }

    fn was_stuck(&self, number: usize, fail: &Fail) -> bool {
        let stuck = u64::try_from(number).ok();
        let stuck = stuck.and_then(|number| self.operation.stuck.get(&number));
        stuck.is_some_and(|why| *why == format!("{fail:?}"))
    }

    /// All was taken back.
    fn give_times_before(&mut self) {
        let own = &self.own;
        self.work.give_times_before(&self.operation.plan, |folder| own.has(folder));
    }

    /// Takes all back, last first.
    fn back(mut self) -> Result<Recovered, Fail> {
        let mut anew = Vec::new();
        let plan = &self.operation.plan;
        let all: Vec<(usize, &Step)> = steps(plan).collect();
        let bare: Vec<&Step> = all.iter().map(|(_, step)| *step).collect();
        for (number, (item, step)) in all.into_iter().enumerate().rev() {
            let placed = self.placed(number, item).or_anew(step, plan, &bare, &anew);
            self.own.look(&mut self.work, step);
            self.work.back(number, step, &placed)?;
            anew.extend(self.work.made_anew(step).map(|object| (number, object)));
        }
        self.give_times_before();
        self.work.sync()?;
        let mut journal = self.journal()?;
        for (number, object) in &anew {
            journal.back(*number, object).map_err(|error| self.unrecorded(error))?;
        }
        self.end(&mut journal, How::TakenBack, 0)?;
        Ok(Recovered::TakenBack(self.work.all_kept()))
    }

    /// Goes on with what was not done; an item that cannot be done is taken back.
    fn forward(mut self) -> Result<Recovered, Fail> {
        let plan = &self.operation.plan;
        let mut journal = self.journal()?;
        // What failed was taken back then. That this was whole may be lost.
        let all: Vec<(usize, &Step)> = steps(plan).collect();
        let bare: Vec<&Step> = all.iter().map(|(_, step)| *step).collect();
        let mut anew = Vec::new();
        for (number, (item, step)) in all.into_iter().enumerate().rev() {
            if !self.has_failed(item) {
                continue;
            }
            let placed = self.placed(number, item).or_anew(step, plan, &bare, &anew);
            self.work.back(number, step, &placed)?;
            if let Some(made) = self.work.made_anew(step) {
                journal.back(number, &made).map_err(|error| self.unrecorded(error))?;
                anew.push((number, made));
            }
        }
        self.work.stop = Some(self.means.stop);
        let mut report = Report {
            number: self.operation.header.operation,
            done: Vec::new(),
            failed: Vec::new(),
            state: State::Ended,
            kept: Vec::new(),
            left: Vec::new(),
            unshared: None,
            made: Vec::new(),
        };
        let mut begun = Begun::default();
        for (number, (item, _)) in steps(plan).enumerate() {
            // Whatever happens, what an earlier run has left of it can be taken back.
            if !self.has_failed(item) {
                begun.insert(number, self.placed(number, item));
            }
        }
        let (work, record) = (&mut self.work, &mut journal);
        let mut run = Run { work, journal: record, plan, begun: &mut begun };
        let gone_on = run.rest(self.operation, &mut report);
        let freed = match gone_on.and_then(|()| run.settle(&mut report)) {
            Ok(freed) => freed,
            Err((why, true)) => return Err(why),
            Err((why, false)) => return self.could_not(journal, &begun, why),
        };
        if !freed
            && report.done.is_empty()
            && let Some((_, why)) = report.failed.first()
        {
            self.give_times_before();
            self.work.sync()?;
            self.end(&mut journal, How::TakenBack, 0)?;
            return Ok(Recovered::CouldNot { why: why.clone(), kept: self.work.all_kept() });
        }
        self.end(&mut journal, How::Done, report.done.len())?;
        let Report { done, failed, .. } = report;
        let there = self.work.went_on;
        Ok(Recovered::WentOn { done: done.len(), there, failed, kept: self.work.all_kept() })
    }

    /// Takes all back after all.
    fn could_not(
        mut self,
        mut journal: Journal<'_>,
        begun: &Begun,
        why: Fail,
    ) -> Result<Recovered, Fail> {
        let anew = run_back(&mut self.work, &self.operation.plan, begun)?;
        self.give_times_before();
        self.work.sync()?;
        for (number, object) in &anew {
            journal.back(*number, object).map_err(|error| self.unrecorded(error))?;
        }
        self.end(&mut journal, How::TakenBack, 0)?;
        Ok(Recovered::CouldNot { why, kept: self.work.all_kept() })
    }
}
