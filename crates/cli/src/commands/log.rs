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
use linkwell_model::moment::moment;
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
