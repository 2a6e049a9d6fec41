//! `linkwell recover`: finishes or takes back what was interrupted.

use super::change::lock;
use super::system;
use crate::World;
use crate::args::Args;
use crate::args::change::Recover;
use crate::error::{Exit, Failure, say};
use crate::interrupt;
use crate::output::course::Course;
use crate::output::preview;
use crate::output::progress::grouped;
use linkwell_engine::disk::Unix;
use linkwell_engine::execute::recover::{Recovered, Standing, Wish, recover, standing};
use linkwell_engine::execute::{Fail, Means};
use linkwell_engine::journal::record::Operation;
use linkwell_engine::journal::{Lock, Store};
use linkwell_model::path::AbsPath;
use rustix::io::Errno;

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
    carry_out(wanted, args, world, store, lock, &operation)
}

/// Recovers an operation whose record can be relied on.
fn carry_out(
    wanted: &Recover,
    args: &Args,
    world: &World,
    store: &Store,
    lock: &Lock,
    operation: &Operation,
) -> Exit {
    let stop = interrupt::stop();
    let course = Course::new(None, args.quiet, None);
    let means =
        Means { disk: &Unix, system: system(world), current: None, stop: &stop, watch: &course };
    let found = standing(&means, operation);
    let wish = wish(wanted, &found);
    // Nothing is written to a drive that is not the one that was planned with. What was exchanged can be
    // taken back without it, up to what lies there.
    let needs_all = wish == Wish::Forward || found.ahead && wish != Wish::Leave;
    if operation.ended.is_none() && needs_all && !found.away.is_empty() {
        say_away(&found);
        return Exit::Unfinished;
    }
    let recovered = recover(&means, store, lock, operation, wish);
    course.finish();
    let went_on = matches!(
        recovered,
        Ok(Recovered::Settled | Recovered::WentOn { .. } | Recovered::Finished { .. })
    );
    let volumes = super::volumes_alone(world, super::change::TIME_LIMIT);
    super::catalogue::after(
        &operation.plan,
        0..operation.plan.items.len(),
        &volumes,
        args.quiet,
        world,
        // What was taken back changed nothing, so a link that had been saved over before still was.
        !went_on || super::catalogue::undoes_repair(store, operation.header.undoes),
    );
    match recovered {
        Ok(recovered) => {
            if !args.quiet {
                for line in words(&recovered, operation.damaged.is_none() || operation.ready) {
                    say(&line);
                }
            }
            after(&recovered)
        }
        Err(Fail::Interrupted) => {
            say("note: stopped; what was copied by then is kept");
            say(
                "hint: `linkwell recover` goes on where it stopped, `linkwell recover --back` takes it back",
            );
            Exit::Unfinished
        }
        Err(fail @ Fail::Folder { .. }) if !standing(&means, operation).away.is_empty() => {
            say(&format!("error: it could not be recovered yet: {}", preview::fail(&fail)));
            say_away(&standing(&means, operation));
            Exit::Unfinished
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

/// What is wanted of an operation; what copies is gone on with unless something else was asked for.
fn wish(wanted: &Recover, found: &Standing) -> Wish {
    if wanted.leave {
        Wish::Leave
    } else if wanted.forward || found.copies && !wanted.back {
        Wish::Forward
    } else {
        Wish::Back
    }
}

/// Says that a part of what is needed is not there, and what that means.
fn say_away(found: &Standing) {
    for place in &found.away {
        say(&format!(
            "error: the folder `{}` is not there now, or is another one: most often its drive is not attached, or \
             another drive is attached in its place",
            place.shown()
        ));
    }
    for place in &found.whole {
        say(&format!("note: `{}` is whole and untouched", place.shown()));
    }
    for (place, aside) in &found.aside {
        say(&format!(
            "note: what was at `{}` is whole; it is at `{}` until this is recovered",
            place.shown(),
            aside.shown()
        ));
    }
    let back = if found.ahead || found.aside.is_empty() {
        String::new()
    } else {
        "; `linkwell recover --back` gives it its name again even now".to_owned()
    };
    say(&format!(
        "hint: attach the drive and type `linkwell recover` again{back}; `linkwell recover --leave` leaves \
         everything as it is, and closes the record"
    ));
}

/// Says what could not be done, and how the run ends.
fn after(recovered: &Recovered) -> Exit {
    let (fails, exit) = match recovered {
        Recovered::CouldNot { why, .. } => (vec![why], Exit::Found),
        Recovered::WentOn { failed, .. } => {
            (failed.iter().map(|(_, fail)| fail).collect(), Exit::Partly)
        }
        Recovered::Finished { left, .. } => (left.iter().collect(), Exit::Partly),
        Recovered::Settled | Recovered::TakenBack(_) | Recovered::Left => return Exit::Done,
    };
    for fail in &fails {
        say(&format!("error: {}", preview::fail(fail)));
    }
    let all = fails.is_empty()
        && !matches!(recovered, Recovered::Finished { kept, .. } if !kept.is_empty());
    if all { Exit::Done } else { exit }
}

/// `whole`: all that was planned is on record.
fn words(recovered: &Recovered, whole: bool) -> Vec<String> {
    match recovered {
        Recovered::Settled => {
            vec!["done: it had ended; only its record had not been put away".into()]
        }
        Recovered::Finished { left, kept } => {
            let line = |place: &AbsPath| {
                format!("note: what is left of it is at `{}`, and stays there", place.shown())
            };
            let lines = kept.iter().map(if left.is_empty() { preview::left_over } else { line });
            let mut lines: Vec<String> = lines.collect();
            if left.is_empty() {
                lines.push("done: it was finished".into());
            }
            lines
        }
        Recovered::Left => vec!["done: everything was left as it is".into()],
        Recovered::WentOn { failed, kept, there, .. } => {
            let mut lines = displaced(kept);
            let there = there.map_or_else(String::new, |(there, all)| {
                format!(": {} of {} entries were there already", grouped(there), grouped(all))
            });
            lines.push(format!("note: it went on where it stopped{there}"));
            if failed.is_empty() {
                lines.push("done: it was finished".into());
            }
            lines
        }
        Recovered::CouldNot { kept, .. } => {
            let mut lines = displaced(kept);
            let else_ = if kept.is_empty() { "" } else { " else" };
            lines.push(format!(
                "note: it could not go on, and was taken back; everything{else_} is as it was before"
            ));
            lines
        }
        Recovered::TakenBack(kept) => {
            let mut lines = displaced(kept);
            let else_ = if kept.is_empty() { "" } else { " else" };
            lines.push(if whole {
                format!("done: it was taken back; everything{else_} is as it was before")
            } else {
                "done: what is on record was taken back; nothing is known of the rest".into()
            });
            lines
        }
    }
}

fn displaced(kept: &[AbsPath]) -> Vec<String> {
    let line = |place: &AbsPath| {
        format!("note: something could not get its own name back; it is at `{}` now", place.shown())
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
