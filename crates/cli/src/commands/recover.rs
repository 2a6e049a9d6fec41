//! `linkwell recover`: finishes or takes back what was interrupted.

use super::change::lock;
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
use linkwell_engine::transfer::Unwatched;
use linkwell_model::path::AbsPath;
use rustix::io::Errno;
use std::sync::atomic::AtomicBool;

pub(super) fn run(wanted: &Recover, args: &Args, world: &World) -> Result<Exit, Failure> {
    let nothing = || {
        if !args.quiet {
            say("note: nothing was interrupted; there is nothing to recover");
        }
        Ok(Exit::Done)
    };
    // Nothing is made or written to find out that there is nothing to do.
    let Some(store) = super::change::store_if_any(world)? else { return nothing() };
    let unfinished = || store.unfinished().map_err(|error| super::undo::cannot_read(&store, error));
    if unfinished()?.is_empty() {
        return nothing();
    }
    let lock = lock(&store)?;
    let numbers = unfinished()?;
    if numbers.is_empty() {
        return nothing();
    }
    let mut exit = Exit::Done;
    // The last one first, as they were done one upon the other.
    for number in numbers.into_iter().rev() {
        match interrupt::unbroken(|| one(wanted, args, world, &store, &lock, number)) {
            Exit::Done => {}
            Exit::Partly if exit == Exit::Unfinished => {}
            other => exit = other,
        }
    }
    Ok(exit)
}

/// Recovers one operation; and says how far that came.
fn one(
    wanted: &Recover,
    args: &Args,
    world: &World,
    store: &Store,
    lock: &Lock,
    number: u64,
) -> Exit {
    let operation = match store.read(number) {
        Ok(operation) => operation,
        Err(Errno::ILSEQ) => return unreadable(wanted, store, lock, number),
        Err(error) => {
            say(&format!(
                "error: the record of operation {number} cannot be used: {}",
                super::undo::unreadable(error)
            ));
            return Exit::Unfinished;
        }
    };
    if !args.quiet {
        say(&format!("operation {number} was interrupted: {}", super::log::command(&operation)));
    }
    if operation.ended.is_none() && operation.is_mutilated() && !wanted.leave {
        say(&format!(
            "error: its record is damaged from line {} on, so nobody can say exactly what it did; nothing \
             was changed now",
            super::undo::first_lost(&operation)
        ));
        say(&format!(
            "hint: `linkwell log {number}` shows what can still be read; `linkwell recover --leave` leaves \
             everything as it is, and closes the record"
        ));
        return Exit::Unfinished;
    }
    if wanted.change.dry_run {
        say("note: a dry run; nothing was changed");
        return if operation.ended.is_some() { Exit::Done } else { Exit::Unfinished };
    }
    // What is recovered is not stopped half way: that would only be the next interruption.
    let never = AtomicBool::new(false);
    let means = Means {
        disk: &Unix,
        system: system(world),
        current: None,
        stop: &never,
        watch: &Unwatched,
    };
    match recover(&means, store, lock, &operation, wanted.leave) {
        Ok(recovered) => {
            if !args.quiet {
                for line in words(&recovered, operation.damaged.is_none() || operation.ready) {
                    say(&line);
                }
            }
            let Recovered::Finished { left, .. } = recovered else { return Exit::Done };
            for fail in &left {
                say(&format!("error: {}", preview::fail(fail)));
            }
            if left.is_empty() { Exit::Done } else { Exit::Partly }
        }
        Err(fail) => {
            say(&format!("error: it could not be recovered: {}", preview::fail(&fail)));
            say(
                "hint: nothing of yours is lost; mend that and type `linkwell recover` again, or type \
                 `linkwell recover --leave` to leave everything as it is",
            );
            Exit::Unfinished
        }
    }
}

/// `whole`: all that was planned is on record.
fn words(recovered: &Recovered, whole: bool) -> Vec<String> {
    match recovered {
        Recovered::Settled => {
            vec!["done: it had ended; only its record had not been put away".into()]
        }
        Recovered::Finished { left, kept } => {
            let mut lines = displaced(kept);
            if left.is_empty() {
                lines.push("done: it was finished".into());
            }
            lines
        }
        Recovered::Left => vec!["done: everything was left as it is".into()],
        Recovered::TakenBack(kept) => {
            let mut lines = displaced(kept);
            lines.push(if whole {
                "done: it was taken back; everything is as it was before".into()
            } else {
                "done: what is on record was taken back; nothing is known of the rest".into()
            });
            lines
        }
    }
}

fn displaced(kept: &[AbsPath]) -> Vec<String> {
    let line = |place: &AbsPath| {
        format!(
            "note: something could not return to its name, which is taken now; it is at `{}`",
            place.shown()
        )
    };
    kept.iter().map(line).collect()
}

/// Not even the beginning of its record can be read, so nothing is known of it.
fn unreadable(wanted: &Recover, store: &Store, lock: &Lock, number: u64) -> Exit {
    say(&format!(
        "error: the record of operation {number} is damaged from its first line on, so nobody can say what \
         it did"
    ));
    if !wanted.leave || wanted.change.dry_run {
        say("hint: `linkwell recover --leave` sets the record aside, and changes nothing else");
        return Exit::Unfinished;
    }
    match store.set_aside(&Unix, lock, number) {
        Ok(()) => Exit::Done,
        Err(error) => {
            say(&format!("error: it could not be set aside: {}", crate::error::reason(error)));
            Exit::Unfinished
        }
    }
}
