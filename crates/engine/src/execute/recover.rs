//! After a crash: the operation is taken back, or finished, by looking.

use super::brought::{Copies, folder_of};
use super::{Fail, Means, Placed, Work, ended};
use crate::journal::record::{How, Operation};
use crate::journal::{Lock, Store};
use linkwell_model::entry::Identity;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::Step;

/// What recovering an operation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// It had ended; only its record had not been put away.
    Settled,
    /// All of it was taken back. What could not return to its name is at these places.
    TakenBack(Vec<AbsPath>),
    /// It was finished, since something had been freed already.
    Finished {
        /// What could not be freed, and why.
        left: Vec<Fail>,
        /// Where something of that lies whose name somebody else has taken.
        kept: Vec<AbsPath>,
    },
    /// It was left as it is.
    Left,
}

/// Recovers an operation that did not end.
///
/// It is taken back: every step is judged by what stands at its names, and what somebody else put
/// there meanwhile stays. Only when it had begun to free what it was asked to free, it is finished.
/// Recovering twice is recovering once.
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
    leave: bool,
) -> Result<Recovered, Fail> {
    let number = operation.header.operation;
    if operation.ended.is_some() {
        store.settle(means.disk, lock, number);
        return Ok(Recovered::Settled);
    }
    let plan = &operation.plan;
    let same = Identity::is_after_restart;
    let mut work = Work::new(means, plan, same, operation.header.token.clone());
    work.copies = Copies::new(plan, folder_of(store.folder()).map(|held| (held, number)));
    let has_failed =
        |item: usize| u64::try_from(item).is_ok_and(|item| operation.failed.contains_key(&item));
    let mut fails: Vec<(usize, Fail)> = Vec::new();
    let mut anew = Vec::new();
    let steps: Vec<(usize, &Step)> = plan
        .items
        .iter()
        .enumerate()
        .flat_map(|(item, its)| its.steps.iter().map(move |step| (item, step)))
        .collect();
    let how = if leave {
        How::Left
    } else if operation.freeing {
        for (number, (item, step)) in steps.iter().enumerate() {
            if !step.frees() || has_failed(*item) {
                continue;
            }
            if let Some(fail) = work.free(number, step)? {
                fails.push((*item, fail));
            }
        }
        work.sync()?;
        How::Done
    } else {
        for (number, (item, step)) in steps.iter().enumerate().rev() {
            let did = u64::try_from(number).ok().and_then(|number| operation.did.get(&number));
            let placed = match did {
                // It was taken back when it failed, and what stands there now is none of its doing.
                // But that it was may be lost; what is surely its own goes now.
                None if has_failed(*item) => Placed::Not,
                did => Placed::recorded(did),
            };
            if work.is_elsewhere(step, steps.get(..number).unwrap_or_default()) {
                continue;
            }
            work.back(number, step, &placed)?;
            anew.extend(work.made_anew(step).map(|object| (number, object)));
        }
        work.sync()?;
        How::TakenBack
    };
    let error = |error| Fail::System {
        doing: "write down that it was recovered",
        place: store.place().clone(),
        error,
    };
    let mut journal = store.resume(means.disk, lock, operation).map_err(error)?;
    for (number, object) in &anew {
        journal.back(*number, object).map_err(error)?;
    }
    for (item, fail) in &fails {
        journal.failed(*item, &format!("{fail:?}")).map_err(error)?;
    }
    let done = match how {
        How::Done => plan.items.len().saturating_sub(operation.failed.len() + fails.len()),
        How::TakenBack | How::Left => 0,
    };
    let end = journal.end(ended(how, done, &work.all_kept()));
    end.map_err(|unended| error(unended.error))?;
    if how == How::TakenBack {
        work.copies.forget(&work);
    }
    let kept = work.all_kept();
    Ok(match how {
        How::Done => {
            let left = fails.into_iter().map(|(_, fail)| fail).collect();
            Recovered::Finished { left, kept }
        }
        How::TakenBack => Recovered::TakenBack(kept),
        How::Left => Recovered::Left,
    })
}
