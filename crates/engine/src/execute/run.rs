//! One run through a plan: every item, whole or not at all, and what is freed when all is durable.

use super::{Begun, Fail, Means, Placed, Report, Work};
use crate::journal::Journal;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Make, Object, Plan, Step};
use rustix::io::Errno;
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether a step only makes a link where nothing is.
pub(super) fn is_new_link(step: &Step) -> bool {
    matches!(step, Step::Put { make: Make::Link { attributes: None, .. }, .. })
}

/// One run through a plan.
pub(super) struct Run<'r, 'w, 'd> {
    pub(super) work: &'r mut Work<'w>,
    pub(super) journal: &'r mut Journal<'d>,
    pub(super) plan: &'r Plan,
    pub(super) begun: &'r mut Begun,
}

/// Why the whole stops, and whether it cannot be taken back any more: something was freed, or the record
/// may say that it ended.
pub(super) type Stop = (Fail, bool);

impl Run<'_, '_, '_> {
    /// Does every item.
    pub(super) fn items(&mut self, stop: &AtomicBool, report: &mut Report) -> Result<(), Stop> {
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
    pub(super) fn all_links(&mut self, means: &Means<'_>, report: &mut Report) -> Result<(), Stop> {
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
    pub(super) fn item(&mut self, first: usize, steps: &[Step]) -> Result<Result<(), Fail>, Stop> {
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
    pub(super) fn take_back(&mut self, first: usize, steps: &[Step]) -> Result<(), Fail> {
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
    pub(super) fn settle(&mut self, report: &mut Report) -> Result<bool, Stop> {
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

    pub(super) fn record(&self, error: Errno) -> Fail {
        Fail::System { doing: "write down what was done", place: AbsPath::root(), error }
    }
}
