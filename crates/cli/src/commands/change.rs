//! How every verb changes something: plan, preview, question, lock, journal, steps, report.

use super::ask::{Agreed, agreed};
use super::{catalogue, system, volumes_alone};
use crate::World;
use crate::args::Args;
use crate::args::change::Change;
use crate::error::{Exit, Failure, say};
use crate::interrupt;
use crate::output::course::{Amount, Course};
use crate::output::paint::Paint;
use crate::output::preview::{self, things};
use crate::output::progress::Bar;
use crate::output::{Output, json};
use linkwell_engine::disk::Unix;
use linkwell_engine::execute::{self, Fail, Means, Report, State};
use linkwell_engine::journal::record::{Header, VERSION};
use linkwell_engine::journal::{Lock, NoLock, Store};
use linkwell_engine::state::Trouble;
use linkwell_engine::survey::Surveyor;
use linkwell_engine::volumes::Volumes;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Bytes, Fate, Plan, Step, Token};
use linkwell_model::shown::shown;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long another linkwell is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// The default answer time of remote volumes, for verbs without an option for it.
pub(super) const TIME_LIMIT: Duration = Duration::from_secs(5);

/// How a plan is to be carried out.
pub(super) struct Manner {
    /// What all verbs understand.
    pub(super) change: Change,
    /// Ask for each item of this kind, instead of once.
    pub(super) each: Option<fn(&Step) -> bool>,
    /// The operation that this one takes back.
    pub(super) undoes: Option<u64>,
    /// How much is copied, where that was counted.
    pub(super) amount: Option<Amount>,
}

/// A surveyor that reads relative paths from the current folder.
pub(super) fn surveyor(world: &World) -> Result<Surveyor, Failure> {
    let current = world.current.clone().unwrap_or_else(AbsPath::root);
    let volumes = volumes_alone(world, TIME_LIMIT);
    Surveyor::new(system(world), volumes, &current, world.home.clone()).map_err(Failure::Current)
}

/// Shows a plan, asks, and carries it out.
pub(super) fn carry_out(
    plan: Plan,
    manner: &Manner,
    surveyor: &Surveyor,
    args: &Args,
    world: &World,
) -> Result<Exit, Failure> {
    carry_out_prepared(plan, manner, surveyor, args, world, |_| {})
}

/// The same. `prepare` is called when the person has said yes and nobody else changes anything, right
/// before the plan is recorded.
pub(super) fn carry_out_prepared(
    plan: Plan,
    manner: &Manner,
    surveyor: &Surveyor,
    args: &Args,
    world: &World,
    prepare: impl FnOnce(&mut Plan),
) -> Result<Exit, Failure> {
    Ok(match carry(plan, manner, surveyor, args, world, prepare)? {
        Came::Ended(exit) => exit,
        // Only a move renames to where that may be refused.
        Came::OtherVolume => Exit::Found,
    })
}

/// What carrying out a plan came to.
pub(super) enum Came {
    /// It was told.
    Ended(Exit),
    /// Nothing was changed or told: what was to be renamed can only be copied to there.
    OtherVolume,
}

/// The same, for the verb that may have to plan anew.
pub(super) fn carry(
    mut plan: Plan,
    manner: &Manner,
    surveyor: &Surveyor,
    args: &Args,
    world: &World,
    prepare: impl FnOnce(&mut Plan),
) -> Result<Came, Failure> {
    let change = manner.change;
    let output = Output::new(&interrupt::stop(), Bar::new(true));
    surveyor.say_where_names_may_be_missing(&mut plan);
    show(&plan, change, args, &output);
    output.finish()?;
    if change.dry_run {
        say_conflicts(&plan);
        if !args.quiet && !change.json {
            say("note: a dry run; nothing was changed");
        }
        let exit = if plan.conflicts.is_empty() { Exit::Done } else { Exit::Found };
        return Ok(Came::Ended(exit));
    }
    if plan.items.is_empty() {
        say_conflicts(&plan);
        if !plan.conflicts.is_empty() {
            // What stands in the way may be what an interrupted operation has left: then that is the thing
            // to be told.
            if let Some(store) = store_if_any(world)?.filter(|store| !store.is_busy()) {
                refuse_unfinished(&store)?;
            }
        }
        if plan.conflicts.is_empty() {
            if !args.quiet && !change.json {
                say("note: everything is as it was asked for; nothing was changed");
            }
            return Ok(Came::Ended(Exit::Done));
        }
        return Ok(Came::Ended(Exit::Found));
    }
    let told = match agreed(&mut plan, manner, args)? {
        Agreed::Yes { told } => told,
        Agreed::No { told } => {
            if !told {
                say_conflicts(&plan);
            }
            say("note: nothing was changed");
            return Ok(Came::Ended(Exit::Found));
        }
    };
    let store = open_store(world)?;
    let lock = lock(&store)?;
    refuse_unfinished(&store)?;
    prepare(&mut plan);
    if plan.items.is_empty() {
        say_conflicts(&plan);
        say("note: nothing was changed");
        return Ok(Came::Ended(Exit::Found));
    }
    let stop = interrupt::stop();
    let course = Course::new(change.json.then(|| Arc::clone(&output)), args.quiet, manner.amount);
    let means = Means {
        disk: &Unix,
        system: system(world),
        current: Some(surveyor.current()),
        stop: &stop,
        watch: &course,
    };
    let token = fresh_token()?;
    let header = |number| header(number, token, manner.undoes, world);
    let executed = interrupt::unbroken(|| execute::execute(&means, &store, &lock, header, &plan));
    drop(lock);
    course.finish();
    if executed.as_ref().is_ok_and(|report| !matches!(report.state, State::TakenBack(_))) {
        interrupt::forget();
    }
    let report = executed.map_err(|error| Failure::Refused {
        what: "could not write down what would be done; nothing was changed".into(),
        cause: Some(format!("`{}`: {}", store.place().shown(), crate::error::reason(error))),
        hint: None,
        exit: Exit::Found,
    })?;
    let refused = |(_, fail): &(usize, Fail)| matches!(fail, Fail::OtherVolume(_));
    if report.state == State::Ended && report.done.is_empty() && report.failed.iter().any(refused) {
        return Ok(Came::OtherVolume);
    }
    let exit = tell(&plan, &report, told, change, args, &output);
    // By looking, so what was not done, or was taken back, is no danger.
    let items = match report.state {
        State::Ended => report.done.clone(),
        State::TakenBack(_) | State::Unfinished(..) => (0..plan.items.len()).collect(),
    };
    catalogue::after(&plan, items, surveyor.volumes(), args.quiet, world);
    output.finish()?;
    Ok(Came::Ended(exit))
}

/// The first line of a journal.
fn header(number: u64, token: Token, undoes: Option<u64>, world: &World) -> Header {
    Header {
        linkwell: VERSION,
        operation: number,
        time: world.now,
        command: world.typed.iter().map(|typed| Bytes(typed.as_slice().into())).collect(),
        folder: world.current.as_ref().map(|place| Bytes(place.as_bytes().into())),
        user: rustix::process::geteuid().as_raw(),
        token,
        undoes,
    }
}

fn fresh_token() -> Result<Token, Failure> {
    linkwell_engine::system::random().map(Token::new).map_err(|error| Failure::Refused {
        what: "could not get random numbers from the system; nothing was changed".into(),
        cause: Some(crate::error::reason(error)),
        hint: None,
        exit: Exit::Found,
    })
}

fn show(plan: &Plan, change: Change, args: &Args, output: &Output) {
    let mut out = Vec::new();
    if change.json {
        json::plan(&mut out, plan);
    } else if !args.quiet || change.dry_run {
        preview::plan(&mut out, plan, change.verbose, Paint::new(args.color));
    }
    output.write(&out);
}

pub(super) fn say_conflicts(plan: &Plan) {
    for conflict in plan.conflicts.iter().take(super::MOST_NAMED) {
        for line in preview::conflict(conflict) {
            say(&line);
        }
    }
    let more = plan.conflicts.len().saturating_sub(super::MOST_NAMED);
    if more > 0 {
        say(&format!("error: and {more} more could not be done"));
    }
}

/// The state folder, if it can be looked at without hanging.
pub(super) fn state(world: &World) -> Result<&AbsPath, Failure> {
    let Some(state) = &world.state else { return Err(trouble(&Trouble::Nowhere)) };
    if volumes_alone(world, TIME_LIMIT).is_in_reach(state) {
        return Ok(state);
    }
    Err(Failure::Refused {
        what: "the record of what is changed cannot be reached; nothing was changed".into(),
        cause: Some(format!("the volume of `{}` does not answer", state.shown())),
        hint: Some("set `XDG_STATE_HOME` to a folder on this computer".into()),
        exit: Exit::Found,
    })
}

/// Opens the journals, and makes the folder for them if need be.
pub(super) fn open_store(world: &World) -> Result<Store, Failure> {
    let state = state(world)?;
    Store::open_or_make(&Unix, system(world), state).map_err(|found| trouble(&found))
}

/// Opens the journals; none when nothing was ever written down.
pub(super) fn store_if_any(world: &World) -> Result<Option<Store>, Failure> {
    match Store::open(system(world), state(world)?) {
        Ok(store) => Ok(Some(store)),
        Err(Trouble::Missing) => Ok(None),
        Err(found) => Err(trouble(&found)),
    }
}

/// Why the state folder cannot be used, in words.
pub(super) fn trouble(trouble: &Trouble) -> Failure {
    use linkwell_engine::operator::Refusal;
    let cause = match trouble {
        Trouble::Nowhere => "there is no home folder, and `XDG_STATE_HOME` is not set".into(),
        Trouble::Missing => "nothing was ever written there".into(),
        Trouble::Foreign(place, owner) => {
            format!("`{}` belongs to somebody else (user {owner})", place.shown())
        }
        Trouble::Open(place) => format!("others may write to `{}`", place.shown()),
        Trouble::Way(place, Refusal::Foreign { link, owner }) => format!(
            "the way to `{}` leads through the link `{}`, which belongs to user {owner}",
            place.shown(),
            link.shown()
        ),
        Trouble::Way(place, refusal) => match refusal {
            Refusal::System(error) => {
                format!("`{}`: {}", place.shown(), crate::error::reason(*error))
            }
            _ => format!("`{}` leads to no folder", place.shown()),
        },
        Trouble::System(place, error) => {
            format!("`{}`: {}", place.shown(), crate::error::reason(*error))
        }
    };
    let hint = match trouble {
        Trouble::Open(place) => {
            format!("`chmod go-w {}`", linkwell_model::shown::quoted(place.as_bytes()))
        }
        _ => "set `XDG_STATE_HOME` to a folder that only you can write to".into(),
    };
    Failure::Refused {
        what: "there is no safe place for the record of what is changed; nothing was changed"
            .into(),
        cause: Some(cause),
        hint: Some(hint),
        exit: Exit::Found,
    }
}

/// Takes the lock; waits a while if another linkwell has it.
pub(super) fn lock(store: &Store) -> Result<Lock, Failure> {
    let since = Instant::now();
    let mut told = false;
    loop {
        match store.lock(&Unix) {
            Ok(lock) => return Ok(lock),
            Err(NoLock::Held(process)) => {
                let who =
                    process.map_or_else(String::new, |process| format!(" (process {process})"));
                if since.elapsed() > PATIENCE || interrupt::came() {
                    return Err(Failure::Refused {
                        what: format!(
                            "another linkwell is changing something{who}; nothing was changed by this one"
                        ),
                        cause: None,
                        hint: Some("wait until it has ended, and try again".into()),
                        exit: Exit::Found,
                    });
                }
                if !told && since.elapsed() > Duration::from_millis(500) {
                    say(&format!("note: waiting for another linkwell{who}"));
                    told = true;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            Err(NoLock::System(error)) => {
                return Err(Failure::Refused {
                    what: "could not take the lock; nothing was changed".into(),
                    cause: Some(crate::error::reason(error)),
                    hint: None,
                    exit: Exit::Found,
                });
            }
        }
    }
}

/// Refuses to change anything while an earlier operation is unfinished. The lock is held, so it is
/// nobody's work of this moment.
pub(super) fn refuse_unfinished(store: &Store) -> Result<(), Failure> {
    let unfinished = really_unfinished(store);
    let Some(first) = unfinished.first() else { return Ok(()) };
    Err(Failure::Refused {
        what: format!("operation {first} was begun and is not finished; nothing was changed now"),
        cause: None,
        hint: Some("`linkwell recover` finishes it or takes it back".into()),
        exit: Exit::Unfinished,
    })
}

/// The operations that did not end. One whose end is recorded, and whose file only did not get its last
/// name, has ended.
pub(super) fn really_unfinished(store: &Store) -> Vec<u64> {
    let mut numbers = store.unfinished().unwrap_or_default();
    numbers.retain(|number| store.read(*number).map_or(true, |found| found.ended.is_none()));
    numbers
}

/// Says so if an earlier operation is unfinished: for the verbs that only look.
pub(super) fn remind(world: &World, volumes: &Volumes) {
    let Some(state) = world.state.as_ref().filter(|state| volumes.is_in_reach(state)) else {
        return;
    };
    let Ok(store) = Store::open(system(world), state) else { return };
    let any = store.unfinished().is_ok_and(|numbers| !numbers.is_empty());
    if !any || store.is_busy() {
        return;
    }
    if let Some(first) = really_unfinished(&store).first() {
        say(&format!(
            "note: operation {first} was begun and is not finished; `linkwell recover` finishes it or \
             takes it back"
        ));
    }
}

/// Tells what came of it.
fn tell(
    plan: &Plan,
    report: &Report,
    told: bool,
    change: Change,
    args: &Args,
    output: &Output,
) -> Exit {
    let mut out = Vec::new();
    if change.json {
        json::report(&mut out, plan, report);
    }
    output.write(&out);
    for (item, why) in report.failed.iter().take(super::MOST_NAMED) {
        let path = plan.items.get(*item).map(|item| &*item.path).unwrap_or_default();
        let what = if matches!(why, Fail::Left(_)) { "is still there" } else { "was not changed" };
        say(&format!("error: `{}` {what}: {}", shown(path), preview::fail(why)));
    }
    let more = report.failed.len().saturating_sub(super::MOST_NAMED);
    if more > 0 {
        say(&format!("error: and {more} more were not changed"));
    }
    for place in &report.kept {
        say(&format!(
            "note: something that belongs there could not return to its name; it is at `{}`",
            place.shown()
        ));
    }
    for place in &report.left {
        say(&format!(
            "error: not all of the old place was given up: something in it was new, or was changed in the last \
             moment; it is kept at `{}`",
            place.shown()
        ));
    }
    if !told {
        say_conflicts(plan);
    }
    let undone = plan.conflicts.len() + report.failed.len();
    match &report.state {
        State::Ended if report.done.is_empty() => {
            let else_ = if report.kept.is_empty() { "nothing" } else { "nothing else" };
            say(&format!("note: {else_} was changed"));
            Exit::Found
        }
        State::Ended => {
            if !args.quiet && !change.json {
                let done = things(report.done.len(), "change", "changes");
                let freed = report.done.iter().filter_map(|item| plan.items.get(*item));
                let freed = freed.flat_map(|item| &item.steps);
                let freed = freed.filter_map(Step::fate).any(|fate| *fate == Fate::Freed);
                let undo = if freed {
                    "what was freed cannot be brought back"
                } else {
                    "`linkwell undo` takes it back"
                };
                say(&format!("done: {done} (operation {}; {undo})", report.number));
            }
            if undone == 0 && report.left.is_empty() { Exit::Done } else { Exit::Partly }
        }
        State::TakenBack(Fail::Interrupted) => {
            say("note: stopped; everything is as it was before");
            Exit::Interrupted
        }
        State::TakenBack(why) => {
            say(&format!("error: {}", preview::fail(why)));
            say("note: all of it was taken back; everything is as it was before");
            Exit::Found
        }
        State::Unfinished(Fail::Interrupted, Fail::Interrupted) => {
            say(
                "note: stopped; what was copied by then is kept, and everything else is as it was before",
            );
            say(
                "hint: `linkwell recover` goes on where it stopped, `linkwell recover --back` takes it back",
            );
            Exit::Unfinished
        }
        State::Unfinished(why, second) => {
            say(&format!("error: {}", preview::fail(why)));
            if why != second {
                say(&format!("error: and it could not be taken back: {}", preview::fail(second)));
            }
            if why == second {
                // Something was freed already, or whether the end is on record cannot be told.
                say("note: what was done by then stands, until it is recovered");
            }
            say(
                "hint: `linkwell recover` finishes it or takes it back, and says which; nothing of yours \
                 is lost",
            );
            Exit::Unfinished
        }
    }
}
