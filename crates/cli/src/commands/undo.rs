//! `linkwell undo`: takes back what an operation did, as an operation of its own.

use super::change::{Manner, carry_out, refuse_unfinished, store_if_any, surveyor};
use crate::World;
use crate::args::Args;
use crate::args::change::Undo;
use crate::error::{Exit, Failure, say};
use crate::output::course::Amount;
use linkwell_engine::journal::Store;
use linkwell_engine::journal::record::{How, Operation};
use linkwell_engine::survey::undo::{plan, told};
use rustix::io::Errno;

pub(super) fn run(undo: &Undo, args: &Args, world: &World) -> Result<Exit, Failure> {
    let nothing = || Failure::Refused {
        what: "there is nothing to take back".into(),
        cause: None,
        hint: Some("`linkwell log` shows what was done".into()),
        exit: Exit::Found,
    };
    let store = store_if_any(world)?.ok_or_else(nothing)?;
    // What is unfinished while another linkwell is at work is that one's work.
    if !store.is_busy() {
        refuse_unfinished(&store)?;
    }
    let read = read_all(&store)?;
    let all = read.operations;
    let operation = match undo.id {
        Some(id) => chosen(&all, id)?,
        None => last(&all, &read.unusable)?.ok_or_else(|| nothing_but_undone(&all, nothing()))?,
    };
    let number = operation.header.operation;
    if !args.quiet && !undo.change.json {
        if undo.id.is_none()
            && let Some(healed) = passed_over(&all, operation)
        {
            say(&format!(
                "note: operation {healed} is the watcher's, and stays; `linkwell undo {healed}` takes it back"
            ));
        }
        let command = super::log::command(operation);
        // What is shown next is what that one did, and not what is typed here.
        say(&match operation.header.undoes {
            None => format!("taking back operation {number}: {command}"),
            Some(first) => format!(
                "taking back operation {number}, which took back operation {first}: {command}"
            ),
        });
    }
    let mut surveyor = surveyor(world)?;
    let since: Vec<&Operation> =
        all.iter().filter(|other| other.header.operation > number).collect();
    let mut plan = plan(&mut surveyor, operation, &since);
    let amount = told(&mut surveyor, &mut plan).map(|(entries, bytes)| Amount { entries, bytes });
    let manner = Manner { change: undo.change, each: None, undoes: Some(number), amount };
    carry_out(plan, &manner, &surveyor, args, world)
}

/// The refusal when there is nothing to take back; with what to type if something was, and that can be.
fn nothing_but_undone(all: &[Operation], refusal: Failure) -> Failure {
    let undone = all.iter().rev().find(|one| one.header.undoes.is_some() && is_standing(all, one));
    let Some((last, first)) =
        undone.and_then(|one| Some((one.header.operation, one.header.undoes?)))
    else {
        return refusal;
    };
    Failure::Refused {
        what: "there is nothing to take back: all that was done was taken back already".into(),
        cause: None,
        hint: Some(format!(
            "operation {last} took back operation {first}; `linkwell undo {last}` takes that back in turn"
        )),
        exit: Exit::Found,
    }
}

/// The operations that ended.
pub(super) struct Read {
    /// Those whose records can be read, perhaps in part.
    pub(super) operations: Vec<Operation>,
    /// The numbers of the others.
    pub(super) unusable: Vec<u64>,
}

/// Every operation that ended and can be read; the others are told.
pub(super) fn read_all(store: &Store) -> Result<Read, Failure> {
    let numbers = store.ended().map_err(|error| cannot_read(store, error))?;
    let mut read = Read { operations: Vec::new(), unusable: Vec::new() };
    for number in numbers {
        match store.read(number) {
            Ok(operation) => read.operations.push(operation),
            Err(error) => {
                say(&cannot_use(number, error));
                read.unusable.push(number);
            }
        }
    }
    Ok(read)
}

/// That a record cannot be used, and why.
pub(super) fn cannot_use(number: u64, error: Errno) -> String {
    format!("error: the record of operation {number} cannot be used: {}", unreadable(error))
}

/// The first line of a mutilated record that is lost.
pub(super) fn first_lost(operation: &Operation) -> u64 {
    operation.damaged.unwrap_or(operation.lines + 1)
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

/// Whether the watcher did it, and no person.
fn is_watchers(operation: &Operation) -> bool {
    operation.header.verb() == Some(b"watch")
}

/// The last operation of the watcher that was done after this one of a person's, and stands.
fn passed_over(all: &[Operation], chosen: &Operation) -> Option<u64> {
    let mut later =
        all.iter().rev().take_while(|one| one.header.operation > chosen.header.operation);
    let healed = later.find(|one| is_watchers(one) && is_standing(all, one));
    healed.filter(|_| !is_watchers(chosen)).map(|one| one.header.operation)
}

/// The operation that `undo` means without a number: the last that stands and takes nothing back. What the
/// watcher did meanwhile, nobody typed; it is meant only if there is nothing else.
///
/// One whose record is damaged may be the last one done, so what came before it is not taken back
/// unless it is named.
fn last<'a>(all: &'a [Operation], unusable: &[u64]) -> Result<Option<&'a Operation>, Failure> {
    let mut standing = all
        .iter()
        .rev()
        .filter(|one| one.header.undoes.is_none() && !one.is_mutilated() && is_standing(all, one));
    let latest = standing.clone().next();
    let found = standing.find(|one| !is_watchers(one)).or(latest);
    let from = found.map_or(0, |found| found.header.operation);
    let mutilated = all.iter().filter(|one| one.is_mutilated() && !is_left(one));
    let damaged = mutilated.map(|one| one.header.operation).chain(unusable.iter().copied());
    match damaged.max().filter(|damaged| *damaged > from) {
        None => Ok(found),
        Some(damaged) => Err(Failure::Refused {
            what: format!(
                "the record of operation {damaged} is damaged, so nobody can say whether it is the last one \
                 to be taken back; nothing was changed"
            ),
            cause: None,
            hint: Some(match found {
                Some(_) => {
                    format!("to take back the one before it, name it: `linkwell undo {from}`")
                }
                None => "`linkwell log` shows what was done".into(),
            }),
            exit: Exit::Found,
        }),
    }
}

/// Whether some of it could not be taken back when that was tried, and was not since.
fn is_standing_in_part(all: &[Operation], operation: &Operation) -> bool {
    let done = |one: &Operation| one.ended.as_ref().map_or(0, |ended| ended.done);
    let number = operation.header.operation;
    let undone = all.iter().filter(|other| other.header.undoes == Some(number));
    let undone: u64 = undone.filter(|other| is_standing(all, other)).map(done).sum();
    undone < done(operation)
}

/// Whether it was closed because a person said so.
pub(super) fn is_left(operation: &Operation) -> bool {
    operation.ended.as_ref().is_some_and(|ended| ended.how == How::Left)
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
    if found.is_mutilated() && !is_left(found) {
        return Err(refused(format!(
            "the record of operation {id} is damaged from line {} on, so nobody can say exactly what it did; \
             nothing was changed",
            first_lost(found)
        )));
    }
    if !is_standing(all, found) && !is_standing_in_part(all, found) {
        return Err(refused(format!("operation {id} changed nothing, or was taken back already")));
    }
    Ok(found)
}
