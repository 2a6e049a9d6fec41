//! How every verb changes something: plan, preview, question, lock, journal, steps, report.

mod store;
mod tell;

pub(super) use store::{
    lock, open_store, really_unfinished, refuse_unfinished, remind, state, store_if_any, trouble,
};

use super::ask::{Agreed, agreed};
use super::{catalogue, system, volumes_alone};
use crate::World;
use crate::args::Args;
use crate::args::change::Change;
use crate::error::{Exit, Failure, say};
use crate::interrupt;
use crate::output::course::{Amount, Course};
use crate::output::paint::Paint;
use crate::output::preview;
use crate::output::progress::Bar;
use crate::output::{Output, json};
use linkwell_engine::disk::Unix;
use linkwell_engine::execute::{self, Fail, Means, State};
use linkwell_engine::journal::record::{Header, VERSION};
use linkwell_engine::survey::Surveyor;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Bytes, Plan, Step, Token};
use std::sync::Arc;
use std::time::Duration;
use tell::tell;

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
    // On a new computer the state folder was made only now, and could remember nothing before.
    surveyor.volumes().remember();
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
    let executed = interrupt::unbroken(|| {
        let executed = execute::execute(&means, &store, &lock, header, &plan);
        if executed.as_ref().is_ok_and(|report| !matches!(report.state, State::TakenBack(_))) {
            interrupt::forget();
        }
        executed
    });
    drop(lock);
    course.finish();
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
    let exit = tell(&plan, &report, told, manner, args, &output);
    // By looking, so what was not done, or was taken back, is no danger.
    let ended = matches!(report.state, State::Ended);
    let items = match report.state {
        State::Ended => report.done,
        State::TakenBack(_) | State::Unfinished(..) => (0..plan.items.len()).collect(),
    };
    let keeps = !ended || catalogue::undoes_repair(&store, manner.undoes);
    catalogue::after(&plan, items, surveyor.volumes(), args.quiet, world, keeps);
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
