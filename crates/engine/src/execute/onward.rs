//! Going on with an operation that was interrupted, by looking.
//!
//! The other way out of an interruption than taking back (`back`), and it rests on the same looks: what is
//! done stays; what a copy had come to by then is gone on with; what was half done otherwise is taken back,
//! and done from its beginning. Where what a step needs is not there any more, the item is taken back.

use super::aside::same_object;
use super::back::Past;
use super::brought::is_on_record;
use super::forward::Announce;
use super::moved::Way;
use super::{Fail, Placed, Report, Run, Stop, Work};
use crate::journal::record::Operation;
use linkwell_model::name::Name;
use linkwell_model::plan::{Fate, Make, Object, Slot, Step};
use rustix::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

impl Run<'_, '_, '_> {
    /// Goes on with every item that did not fail. `begun` holds what is known of their steps.
    pub(super) fn rest(&mut self, operation: &Operation, report: &mut Report) -> Result<(), Stop> {
        let mut first = 0;
        for (number, item) in self.plan.items.iter().enumerate() {
            let failed = |number| operation.failed.contains_key(&number);
            if !u64::try_from(number).is_ok_and(failed) {
                match self.onward(operation, first, &item.steps)? {
                    Ok(()) => report.done.push(number),
                    Err(fail) => {
                        let recorded = self.journal.failed(number, &format!("{fail:?}"));
                        recorded.map_err(|error| (self.record(error), false))?;
                        report.failed.push((number, fail));
                    }
                }
            }
            first += item.steps.len();
        }
        Ok(())
    }

    /// Goes on with one item, whose first step has the number `first`; takes it back when it cannot.
    fn onward(
        &mut self,
        operation: &Operation,
        first: usize,
        steps: &[Step],
    ) -> Result<Result<(), Fail>, Stop> {
        for (number, step) in (first..).zip(steps) {
            let done = self.work.onward(number, step, did(operation, number), &mut |made| {
                self.journal.did(number, Some(made)).and_then(|()| self.journal.settle())
            });
            match done {
                Ok(made) => {
                    if !matches!(step.make(), Some(Make::Copy { .. })) {
                        let recorded = self.journal.did(number, made.as_ref());
                        recorded.map_err(|error| (self.record(error), false))?;
                    }
                    self.begun.insert(number, made.map_or(Placed::Unknown, Placed::This));
                }
                // Nothing is worse than before: the next run goes on from here.
                Err(Fail::Interrupted) => return Err((Fail::Interrupted, true)),
                Err(fail) => {
                    if self.work.begun {
                        self.begun.insert(number, self.work.placed.clone());
                    }
                    self.take_back(first, steps).map_err(|second| (second, false))?;
                    return Ok(Err(fail));
                }
            }
        }
        Ok(Ok(()))
    }
}

/// What is on record of a step; absent when nothing is.
pub(super) fn did(operation: &Operation, number: usize) -> Option<&Option<Object>> {
    u64::try_from(number).ok().and_then(|number| operation.did.get(&number))
}

impl Work<'_> {
    /// Does what is left of a step, and gives what stands at its slot then.
    fn onward(
        &mut self,
        number: usize,
        step: &Step,
        did: Option<&Option<Object>>,
        announce: Announce<'_>,
    ) -> Result<Option<Object>, Fail> {
        (self.begun, self.placed) = (false, Placed::Not);
        let placed = Placed::recorded(did);
        let past = Past { step, placed: &placed };
        if let Some(way) = Way::of(step, number, &self.token) {
            if let Some(made) = self.has_moved(&past, &way)? {
                return Ok(made);
            }
            self.relocate_back(&past, &way)?;
            return self.forward(number, step, announce);
        }
        let at = step.at();
        let (staged, back) = (self.token.staged(number), self.token.staged_back(number));
        let folder = self.places.folder(at)?;
        self.places.touch(at);
        for name in [&back, &staged] {
            self.settle_out(&folder, name, at, &|aside| past.records(aside))?;
        }
        self.settle_doubles(step, &folder, [&back, &staged])?;
        self.settle_back(&past, &folder, &back)?;
        if let Some(made) = self.has_done(&past, &folder, &staged)? {
            return Ok(made);
        }
        self.resume = self.can_resume(&past, &folder, &staged)?;
        if !self.resume {
            self.back(number, step, &placed)?;
        }
        let done = self.forward(number, step, announce);
        self.resume = false;
        done
    }

    /// What stands at the slot of a step that needs nothing more; what was replaced meets its fate here if
    /// it has not yet.
    fn has_done(
        &mut self,
        past: &Past<'_>,
        folder: &Arc<OwnedFd>,
        staged: &Name,
    ) -> Result<Option<Option<Object>>, Fail> {
        let at = past.step.at();
        let now = self.look(folder, &at.name, at)?;
        let aside = self.look(folder, staged, at)?;
        let is_old = |object: &Object| {
            past.step.old().is_some_and(|old| same_object(old, object, self.same))
        };
        let made = match (past.step, now) {
            (Step::Put { .. } | Step::Replace { .. }, Some(now))
                if self.is_made(past, folder, &at.name, &now) =>
            {
                Some(now)
            }
            (Step::Remove { .. }, None) => None,
            _ => return Ok(None),
        };
        let (Some(old), Some(fate)) = (past.step.old(), past.step.fate()) else {
            return Ok(aside.is_none().then_some(made));
        };
        let Some(aside) = aside else {
            // Where it is kept it must be; what is dropped is gone; and what is to be freed later, and is
            // nowhere, somebody else has taken.
            let met = match fate {
                Fate::Kept(slot) => self.is_kept(old, slot)?,
                fate => !fate.frees(),
            };
            return Ok(met.then_some(made));
        };
        if !is_old(&aside) || !old.is_still(&aside, self.same) {
            return Ok(None);
        }
        if past.placed == &Placed::Unknown {
            self.only_a_copy(at, folder, staged, fate)?;
            self.nothing_new_behind(at, folder, staged, fate)?;
        }
        self.begun = true;
        self.placed = made.clone().map_or(Placed::Unknown, Placed::This);
        self.dispose(at, folder, staged, old, fate)?;
        Ok(Some(made))
    }

    fn is_kept(&mut self, old: &Object, slot: &Slot) -> Result<bool, Fail> {
        let home = self.places.folder(slot)?;
        let kept = self.look(&home, &slot.name, slot)?;
        Ok(kept.is_some_and(|kept| same_object(old, &kept, self.same)))
    }

    /// Whether there is a part of the copy that a step makes, and that step can still be done.
    ///
    /// Also where the whole of it is on record: it may have been half removed since, by a taking back that
    /// was interrupted in its turn.
    fn can_resume(
        &mut self,
        past: &Past<'_>,
        folder: &Arc<OwnedFd>,
        staged: &Name,
    ) -> Result<bool, Fail> {
        let at = past.step.at();
        let Some(make @ Make::Copy { of, .. }) = past.step.make() else { return Ok(false) };
        let can = match (past.step.old(), self.look(folder, &at.name, at)?) {
            (None, None) => true,
            (Some(old), Some(now)) => old.is_still(&now, self.same),
            _ => false,
        };
        if !can || !is_on_record(make) {
            return Ok(false);
        }
        let Ok(facts) = self.system.facts(folder.as_fd(), staged.as_bytes()) else {
            return Ok(false);
        };
        // What else stands there goes, or stays, like what is taken back.
        let begun = self.copies.begun(self.system, of, at);
        Ok(begun.is_some_and(|(lasting, made)| lasting && made.is(&facts)))
    }
}
