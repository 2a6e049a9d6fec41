//! `linkwell log`: what linkwell did.

use super::change;
use super::change::really_unfinished;
use super::undo::{cannot_read, cannot_use, first_lost, is_left, read_all, unreadable};
use crate::World;
use crate::args::Args;
use crate::args::change::Log;
use crate::error::{Exit, Failure, say};
use crate::interrupt;
use crate::output::paint::Paint;
use crate::output::preview::{self, things};
use crate::output::progress::Bar;
use crate::output::{Output, json};
use linkwell_engine::journal::Store;
use linkwell_engine::journal::record::{How, Operation};
use linkwell_model::entry::Time;
use linkwell_model::shown::{quoted, shown};
use std::io::Write as _;

pub(super) fn run(log: &Log, args: &Args, world: &World) -> Result<Exit, Failure> {
    let output = Output::new(&interrupt::stop(), Bar::new(true));
    let Some(store) = change::store_if_any(world)? else {
        if !args.quiet && !log.json {
            say("note: linkwell has not changed anything yet");
        }
        return Ok(Exit::Done);
    };
    let sound;
    let mut out = Vec::new();
    match log.id {
        Some(id) => {
            let operation = store.read(id).map_err(|error| match error {
                rustix::io::Errno::NOENT => Failure::Refused {
                    what: format!("there is no operation {id}"),
                    cause: None,
                    hint: Some("`linkwell log` shows them all".into()),
                    exit: Exit::Found,
                },
                error => Failure::Refused {
                    what: format!("the record of operation {id} cannot be used"),
                    cause: Some(unreadable(error)),
                    hint: None,
                    exit: Exit::Found,
                },
            })?;
            sound = !operation.is_mutilated() || is_left(&operation);
            if log.json {
                json::operation(&mut out, &operation, store.is_running(id));
                json::plan(&mut out, &operation.plan);
            } else {
                whole(&mut out, &store, &operation, args);
            }
        }
        None => {
            let read = read_all(&store)?;
            let mut readable = read.unusable.is_empty();
            let mut all = read.operations;
            for number in store.unfinished().map_err(|error| cannot_read(&store, error))? {
                match store.read(number) {
                    Ok(operation) => all.push(operation),
                    // It has got its last name meanwhile, and is read by that, or the next time.
                    Err(rustix::io::Errno::NOENT) => {}
                    Err(error) => {
                        readable = false;
                        say(&cannot_use(number, error));
                    }
                }
            }
            sound = readable && !all.iter().any(|one| one.is_mutilated() && !is_left(one));
            for operation in &all {
                if log.json {
                    let runs = store.is_running(operation.header.operation);
                    json::operation(&mut out, operation, runs);
                } else {
                    line(&mut out, &store, &all, operation);
                }
            }
            if all.is_empty() && !args.quiet && !log.json {
                say("note: linkwell has not changed anything yet");
            }
        }
    }
    output.write(&out);
    output.finish()?;
    Ok(if !really_unfinished(&store).is_empty() && !store.is_busy() {
        Exit::Unfinished
    } else if sound {
        Exit::Done
    } else {
        Exit::Found
    })
}

/// One operation on one line.
fn line(out: &mut Vec<u8>, store: &Store, all: &[Operation], operation: &Operation) {
    let number = operation.header.operation;
    let state = state(store, operation);
    let undone = all.iter().any(|other| {
        other.header.undoes == Some(number)
            && other.ended.as_ref().is_some_and(|ended| ended.how == How::Done && ended.done > 0)
    });
    let undone = if undone { ", taken back since" } else { "" };
    drop(writeln!(
        out,
        "{number:>5}  {}  {}  ({state}{undone})",
        moment(operation.header.time),
        command(operation)
    ));
}

/// Everything about one operation.
fn whole(out: &mut Vec<u8>, store: &Store, operation: &Operation, args: &Args) {
    drop(writeln!(out, "operation {}: {}", operation.header.operation, command(operation)));
    drop(writeln!(out, "  when     {}", moment(operation.header.time)));
    if let Some(folder) = &operation.header.folder {
        drop(writeln!(out, "  where    {}", shown(&folder.0)));
    }
    drop(writeln!(out, "  how      {}", state(store, operation)));
    if let Some(undoes) = operation.header.undoes {
        drop(writeln!(out, "  undoes   operation {undoes}"));
    }
    drop(writeln!(out, "  record   {}", store.path(operation.header.operation).shown()));
    if let Some(line) = operation.damaged {
        drop(writeln!(
            out,
            "  damaged  from line {line} on; what stood there is not shown, and not acted upon"
        ));
    }
    preview::plan(out, &operation.plan, true, Paint::new(args.color));
    for (item, why) in &operation.failed {
        let path = usize::try_from(*item).ok().and_then(|at| operation.plan.items.get(at));
        let path = path.map(|item| &*item.path).unwrap_or_default();
        drop(writeln!(out, "  not done: {} ({why})", shown(path)));
    }
    for place in operation.ended.iter().flat_map(|ended| &ended.kept) {
        drop(writeln!(out, "  left at: {}", shown(&place.0)));
    }
}

fn state(store: &Store, operation: &Operation) -> String {
    if operation.is_mutilated() && !is_left(operation) {
        return format!("its record is damaged from line {} on", first_lost(operation));
    }
    match &operation.ended {
        None if store.is_running(operation.header.operation) => "running".into(),
        None => "not finished: `linkwell recover`".into(),
        Some(ended) => match ended.how {
            How::Done => {
                things(usize::try_from(ended.done).unwrap_or(usize::MAX), "change", "changes")
            }
            How::TakenBack => "stopped and taken back: nothing was changed".into(),
            How::Left => "interrupted, and left as it was then".into(),
        },
    }
}

/// The command as it could be typed again.
pub(super) fn command(operation: &Operation) -> String {
    let words = operation.header.command.iter().map(|word| quoted(&word.0));
    let mut line: String =
        std::iter::once("linkwell".to_owned()).chain(words).collect::<Vec<_>>().join(" ");
    if line.chars().count() > 200 {
        line = line.chars().take(199).collect();
        line.push('…');
    }
    line
}

/// A moment in UTC, to the second: `2026-11-22 19:00:05Z`.
///
/// The civil calendar from days since 1970 (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms"); a library for dates would be the largest dependency for one line.
fn moment(time: Time) -> String {
    let days = time.0.div_euclid(86_400);
    let seconds = time.0.rem_euclid(86_400);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        // As `date -u -d @N` has them.
        for (seconds, text) in [
            (0, "1970-01-01 00:00:00Z"),
            (951_782_399, "2000-02-28 23:59:59Z"),
            (951_868_799, "2000-02-29 23:59:59Z"),
            (4_107_542_400, "2100-03-01 00:00:00Z"),
            (-1, "1969-12-31 23:59:59Z"),
            (1_795_374_000, "2026-11-22 19:00:00Z"),
        ] {
            assert_eq!(moment(Time(seconds, 0)), text);
        }
    }
}
