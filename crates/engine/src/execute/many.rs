//! Many new links, by several threads.
//!
//! New links where nothing stands do not depend on each other, and most of the time is the kernel's, which
//! works in several folders at once. Each thread has work of its own; what came of it is recorded when
//! all are done, in the order of the plan. Until then the text of a link tells that it was made.

use super::{Fail, Means, Placed, Run, Stop, Work, is_new_link};
use linkwell_model::plan::{Item, Object};
use std::sync::atomic::{AtomicBool, Ordering};

/// Fewer items than this are not worth a thread.
const WORTH: usize = 512;

/// More threads than this wait for each other in the file system.
const MOST_THREADS: usize = 4;

/// What came of one item: what was made, or why not.
type Outcome = Result<Object, (Fail, Option<Placed>)>;

impl Run<'_, '_, '_> {
    /// Whether the plan is of that kind.
    pub(super) fn is_many_links(&self) -> bool {
        let items = &self.plan.items;
        items.len() >= 2 * WORTH
            && items.iter().all(|item| item.steps.len() == 1 && item.steps.iter().all(is_new_link))
    }

    /// Does every item of such a plan, and gives what came of those that were tried.
    pub(super) fn many_links(&mut self, means: &Means<'_>) -> Result<Vec<(usize, Outcome)>, Stop> {
        let items = &self.plan.items;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = processors.min(MOST_THREADS).min(items.len() / WORTH).max(1);
        let size = items.len().div_ceil(threads);
        let fatal = AtomicBool::new(false);
        let (plan, token, same) = (self.plan, &self.work.token, self.work.same);
        let parts: Vec<(Work<'_>, Part)> = std::thread::scope(|scope| {
            let part = |(number, part)| {
                let fatal = &fatal;
                let part = (number * size, part);
                scope.spawn(move || {
                    let mut work = Work::new(means, plan, same, token.clone());
                    let done = run(&mut work, means.stop, fatal, part);
                    (work, done)
                })
            };
            let running: Vec<_> = items.chunks(size).enumerate().map(part).collect();
            // If one died, nobody knows what it did, and nothing may be taken for taken back: this one dies as
            // well, and recovery finds out by looking.
            let ended = running.into_iter().map(std::thread::ScopedJoinHandle::join);
            ended
                .map(|part| part.unwrap_or_else(|death| std::panic::resume_unwind(death)))
                .collect()
        });
        let mut all = Vec::with_capacity(items.len());
        let mut stopped = None;
        for (work, part) in parts {
            self.work.places.take_over(&work.places);
            self.work.kept.extend(work.kept);
            all.extend(part.outcomes);
            stopped = stopped.or(part.stopped);
        }
        match stopped {
            None if all.len() == items.len() => Ok(all),
            stopped => {
                // What was done is taken back by what is noted here.
                for (number, outcome) in all {
                    if let Some(placed) = placed(outcome) {
                        self.begun.insert(number, placed);
                    }
                }
                Err((stopped.unwrap_or(Fail::Interrupted), false))
            }
        }
    }
}

/// What is known of what an item put at its slot, if it put anything there.
fn placed(outcome: Outcome) -> Option<Placed> {
    match outcome {
        Ok(made) => Some(Placed::This(made)),
        Err((_, placed)) => placed,
    }
}

/// What one thread came to.
#[derive(Default)]
struct Part {
    outcomes: Vec<(usize, Outcome)>,
    /// Why it stopped before its end.
    stopped: Option<Fail>,
}

/// Does some items, the first of which has this number.
fn run(
    work: &mut Work<'_>,
    stop: &AtomicBool,
    fatal: &AtomicBool,
    (first, items): (usize, &[Item]),
) -> Part {
    let mut part = Part::default();
    for (at, item) in items.iter().enumerate() {
        let number = first + at;
        if stop.load(Ordering::SeqCst) || fatal.load(Ordering::SeqCst) {
            part.stopped = Some(Fail::Interrupted);
            break;
        }
        let Some(step) = item.steps.first() else { continue };
        let outcome = match work.forward(number, step, &mut |_| Ok(())) {
            Ok(Some(made)) => Ok(made),
            Ok(None) => Err((Fail::Record, None)),
            Err(fail) if work.begun => {
                let placed = work.placed.clone();
                match work.back(number, step, &placed) {
                    Ok(()) => Err((fail, None)),
                    Err(second) => {
                        fatal.store(true, Ordering::SeqCst);
                        part.stopped = Some(second);
                        Err((fail, Some(placed)))
                    }
                }
            }
            Err(fail) => Err((fail, None)),
        };
        part.outcomes.push((number, outcome));
        if part.stopped.is_some() {
            break;
        }
    }
    part
}
