//! `linkwell recover`: finishes or takes back what was interrupted.

use super::change::{lock, open_store};
use super::system;
use crate::World;
use crate::args::Args;
use crate::args::change::Recover;
use crate::error::{Exit, Failure, say};
use crate::interrupt;
use crate::output::preview;
use linkwell_engine::disk::Unix;
use linkwell_engine::execute::Means;
use linkwell_engine::execute::recover::{Recovered, recover};
use linkwell_engine::journal::{Lock, Store};
use rustix::io::Errno;
use std::sync::atomic::AtomicBool;

pub(super) fn run(wanted: &Recover, args: &Args, world: &World) -> Result<Exit, Failure> {
    let store = open_store(world)?;
    let lock = lock(&store)?;
    let numbers = store.unfinished().map_err(|error| super::undo::cannot_read(&store, error))?;
    if numbers.is_empty() {
        if !args.quiet {
            say("note: nothing was interrupted; there is nothing to recover");
        }
        return Ok(Exit::Done);
    }
    let mut exit = Exit::Done;
    // The last one first, as they were done one upon the other.
    for number in numbers.into_iter().rev() {
        if !interrupt::unbroken(|| one(wanted, args, world, &store, &lock, number)) {
            exit = Exit::Unfinished;
        }
    }
    Ok(exit)
}

/// Recovers one operation; `false` when it stays unfinished.
fn one(
    wanted: &Recover,
    args: &Args,
    world: &World,
    store: &Store,
    lock: &Lock,
    number: u64,
) -> bool {
    let operation = match store.read(number) {
        Ok(operation) => operation,
        Err(Errno::ILSEQ) => return unreadable(wanted, store, lock, number),
        Err(error) => {
            say(&format!(
                "error: the record of operation {number} cannot be used: {}",
                super::undo::unreadable(error)
            ));
            return false;
        }
    };
    if !args.quiet {
        say(&format!("operation {number} was interrupted: {}", super::log::command(&operation)));
    }
    if let Some(line) = operation.damaged.filter(|_| operation.ended.is_none() && !operation.ready)
    {
        say(&format!(
            "note: its record is damaged from line {line} on; what stood there is not acted upon"
        ));
    }
    if wanted.change.dry_run {
        say("note: a dry run; nothing was changed");
        return operation.ended.is_some();
    }
    // What is recovered is not stopped half way: that would only be the next interruption.
    let never = AtomicBool::new(false);
    let means = Means { disk: &Unix, system: system(world), current: None, stop: &never };
    match recover(&means, store, lock, &operation, wanted.leave) {
        Ok(recovered) => {
            if !args.quiet {
                for line in words(&recovered, operation.damaged.is_none() || operation.ready) {
                    say(&line);
                }
            }
            true
        }
        Err(fail) => {
            say(&format!("error: it could not be recovered: {}", preview::fail(&fail)));
            say(
                "hint: nothing of yours is lost; mend that and type `linkwell recover` again, or type \
                 `linkwell recover --leave` to leave everything as it is",
            );
            false
        }
    }
}

/// `whole`: all that was planned is on record.
fn words(recovered: &Recovered, whole: bool) -> Vec<String> {
    match recovered {
        Recovered::Settled => {
            vec!["done: it had ended; only its record had not been put away".into()]
        }
        Recovered::Finished(fails) => {
            let mut lines: Vec<String> = fails
                .iter()
                .map(|fail| {
                    format!(
                        "error: what could not be freed has its name back: {}",
                        preview::fail(fail)
                    )
                })
                .collect();
            lines.push("done: it was finished".into());
            lines
        }
        Recovered::Left => vec!["done: everything was left as it is".into()],
        Recovered::TakenBack(kept) => {
            let mut lines: Vec<String> = kept
                .iter()
                .map(|place| {
                    format!(
                        "note: something could not return to its name, which is taken now; it is at `{}`",
                        place.shown()
                    )
                })
                .collect();
            lines.push(if whole {
                "done: it was taken back; everything is as it was before".into()
            } else {
                "done: what is on record was taken back; nothing is known of the rest".into()
            });
            lines
        }
    }
}

/// Not even the beginning of its record can be read, so nothing is known of it.
fn unreadable(wanted: &Recover, store: &Store, lock: &Lock, number: u64) -> bool {
    say(&format!(
        "error: the record of operation {number} is damaged from its first line on, so nobody can say what \
         it did"
    ));
    if !wanted.leave || wanted.change.dry_run {
        say("hint: `linkwell recover --leave` sets the record aside, and changes nothing else");
        return false;
    }
    match store.set_aside(&Unix, lock, number) {
        Ok(()) => true,
        Err(error) => {
            say(&format!("error: it could not be set aside: {}", crate::error::reason(error)));
            false
        }
    }
}
