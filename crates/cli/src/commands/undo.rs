//! `linkwell undo`: takes back what an operation did, as an operation of its own.

use super::change::{Manner, carry_out, open_store, really_unfinished, surveyor};
use crate::World;
use crate::args::Args;
use crate::args::change::Undo;
use crate::error::{Exit, Failure, say};
use linkwell_engine::journal::Store;
use linkwell_engine::journal::record::{How, Operation};
use linkwell_engine::survey::undo::plan;
use rustix::io::Errno;

pub(super) fn run(undo: &Undo, args: &Args, world: &World) -> Result<Exit, Failure> {
    let store = open_store(world)?;
    if let Some(first) = really_unfinished(&store).first() {
        return Err(Failure::Refused {
            what: format!(
                "operation {first} was begun and is not finished; nothing was changed now"
            ),
            cause: None,
            hint: Some("`linkwell recover` finishes it or takes it back".into()),
            exit: Exit::Unfinished,
        });
    }
    let all = read_all(&store)?;
    let operation = match undo.id {
        Some(id) => chosen(&all, id)?,
        None => last(&all).ok_or_else(|| Failure::Refused {
            what: "there is nothing to take back".into(),
            cause: None,
            hint: Some("`linkwell log` shows what was done".into()),
            exit: Exit::Found,
        })?,
    };
    let number = operation.header.operation;
    if !args.quiet && !undo.change.json {
        say(&format!("taking back operation {number}: {}", super::log::command(operation)));
    }
    let mut surveyor = surveyor(world)?;
    let since: Vec<&Operation> =
        all.iter().filter(|other| other.header.operation > number).collect();
    let plan = plan(&mut surveyor, operation, &since);
    let manner = Manner { change: undo.change, each: None, undoes: Some(number) };
    carry_out(plan, &manner, &surveyor, args, world)
}

/// Every operation that ended and can be read.
pub(super) fn read_all(store: &Store) -> Result<Vec<Operation>, Failure> {
    let numbers = store.ended().map_err(|error| cannot_read(store, error))?;
    let mut all = Vec::new();
    for number in numbers {
        match store.read(number) {
            Ok(operation) => all.push(operation),
            Err(error) => say(&format!(
                "error: the record of operation {number} cannot be used: {}",
                unreadable(error)
            )),
        }
    }
    Ok(all)
}

/// Why a record cannot be used.
pub(super) fn unreadable(error: Errno) -> String {
    match error {
        Errno::ILSEQ => "it is damaged, or of another version of linkwell".into(),
        Errno::PERM => "it belongs to somebody else, or others may write to it".into(),
        error => crate::error::reason(error),
    }
}

pub(super) fn cannot_read(store: &Store, error: Errno) -> Failure {
    Failure::Refused {
        what: format!("could not read what was done, in `{}`", store.place().shown()),
        cause: Some(crate::error::reason(error)),
        hint: None,
        exit: Exit::Found,
    }
}

/// Whether an operation changed anything that is not taken back yet, as far as it is known.
fn is_standing(all: &[Operation], operation: &Operation) -> bool {
    let number = operation.header.operation;
    let done =
        operation.ended.as_ref().is_some_and(|ended| ended.how == How::Done && ended.done > 0);
    // Taken back by an operation that itself stands.
    let undone = all
        .iter()
        .filter(|other| other.header.undoes == Some(number))
        .any(|other| other.header.operation > number && is_standing(all, other));
    done && !undone
}

/// The operation that `undo` means without a number: the last that stands and takes nothing back.
fn last(all: &[Operation]) -> Option<&Operation> {
    all.iter().rev().find(|one| one.header.undoes.is_none() && is_standing(all, one))
}

fn chosen(all: &[Operation], id: u64) -> Result<&Operation, Failure> {
    let refused = |what: String| Failure::Refused {
        what,
        cause: None,
        hint: Some("`linkwell log` shows what was done".into()),
        exit: Exit::Found,
    };
    let found = all.iter().find(|one| one.header.operation == id);
    let found = found.ok_or_else(|| refused(format!("there is no operation {id}")))?;
    if !is_standing(all, found) {
        return Err(refused(format!("operation {id} changed nothing, or was taken back already")));
    }
    Ok(found)
}
