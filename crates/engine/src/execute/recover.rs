//! After a crash: the operation is taken back, or finished, by looking.

use super::places::Places;
use super::{Fail, Means, Work};
use crate::journal::record::{Ended, How, Operation};
use crate::journal::{Lock, Store};
use linkwell_model::entry::Identity;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Bytes, Step};

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
/// # Errors
/// What kept it from being recovered; it can be tried again. [`Fail::Record`] when its record is
/// mutilated: then it can only be left.
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
    if operation.is_mutilated() && !leave {
        return Err(Fail::Record);
    }
    let plan = &operation.plan;
    let same = Identity::is_after_restart;
    let mut work = Work {
        disk: means.disk,
        system: means.system,
        places: Places::new(means.system, &plan.folders, same, means.current),
        same,
        token: operation.header.token.clone(),
        kept: Vec::new(),
        stop: None,
        begun: false,
    };
    let steps: Vec<&Step> = plan.items.iter().flat_map(|item| &item.steps).collect();
    let mut left = Vec::new();
    let how = if leave {
        How::Left
    } else if operation.freeing {
        for (number, step) in steps.iter().enumerate().filter(|(_, step)| step.frees()) {
            left.extend(work.free(number, step)?);
        }
        work.sync()?;
        How::Done
    } else {
        let mut first: Vec<(usize, usize)> = Vec::new();
        for (item, steps) in plan.items.iter().map(|item| &item.steps).enumerate() {
            first.extend(steps.iter().map(|_| item).zip(first.len()..));
        }
        for ((item, number), step) in first.into_iter().zip(&steps).rev() {
            // It was taken back when it failed; what stands there now is none of its doing.
            if u64::try_from(item).is_ok_and(|item| operation.failed.contains_key(&item)) {
                continue;
            }
            let made = u64::try_from(number).ok().and_then(|number| operation.did.get(&number));
            work.back(number, step, made.and_then(Option::as_ref))?;
        }
        work.sync()?;
        How::TakenBack
    };
    let error = |error| Fail::System {
        doing: "write down that it was recovered",
        place: store.place().clone(),
        error,
    };
    let journal = store.resume(means.disk, lock, operation).map_err(error)?;
    let kept = work.kept.iter().map(|place| Bytes(place.as_bytes().into())).collect();
    let done = if how == How::Done { u64::try_from(plan.items.len()).unwrap_or(0) } else { 0 };
    journal.end(Ended { how, done, kept }).map_err(error)?;
    Ok(match how {
        How::Done => Recovered::Finished { left, kept: work.kept },
        How::TakenBack => Recovered::TakenBack(work.kept),
        How::Left => Recovered::Left,
    })
}
