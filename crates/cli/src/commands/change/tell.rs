//! What came of a change, in words.

use super::{Manner, say_conflicts};
use crate::args::Args;
use crate::error::{Exit, say};
use crate::output::preview::{self, things};
use crate::output::{Output, json};
use linkwell_engine::execute::{Fail, Report, State};
use linkwell_model::plan::{Fate, Plan, Step};
use linkwell_model::shown::shown;

/// Tells what came of it.
pub(super) fn tell(
    plan: &Plan,
    report: &Report,
    told: bool,
    manner: &Manner,
    args: &Args,
    output: &Output,
) -> Exit {
    let change = manner.change;
    let mut out = Vec::new();
    if change.json {
        json::report(&mut out, plan, report);
    }
    output.write(&out);
    for (item, why) in report.failed.iter().take(crate::commands::MOST_NAMED) {
        let path = plan.items.get(*item).map(|item| &*item.path).unwrap_or_default();
        let what = if matches!(why, Fail::Left(_)) { "is still there" } else { "was not changed" };
        say(&format!("error: `{}` {what}: {}", shown(path), preview::fail(why)));
    }
    let more = report.failed.len().saturating_sub(crate::commands::MOST_NAMED);
    if more > 0 {
        say(&format!("error: and {more} more were not changed"));
    }
    for place in &report.kept {
        say(&format!(
            "note: something could not get its own name back; it is at `{}` now",
            place.shown()
        ));
    }
    if let Some((count, place)) = &report.unshared {
        let files = if *count == 1 { "1 file".into() } else { format!("{count} files") };
        say(&format!(
            "note: {files} may take more room than before: what was shared with other files was copied; the \
             first of them is `{}`",
            place.shown()
        ));
    }
    for place in &report.left {
        say(&preview::left_over(place));
    }
    if !told {
        say_conflicts(plan);
    }
    let undone = plan.conflicts.len() + report.failed.len();
    match &report.state {
        State::Ended if report.done.is_empty() => {
            let (else_, exit) = match report.kept.is_empty() {
                true => ("", Exit::Found),
                // What could not be taken back is a change.
                false => (" else", Exit::Partly),
            };
            say(&format!("note: nothing{else_} was changed"));
            exit
        }
        State::Ended => {
            if !args.quiet && !change.json {
                let done = things(report.done.len(), "change", "changes");
                let freed = report.done.iter().filter_map(|item| plan.items.get(*item));
                let freed = freed.flat_map(|item| &item.steps);
                let freed = freed.filter_map(Step::fate).any(|fate| *fate == Fate::Freed);
                let undo = match manner.undoes {
                    _ if freed => "what was freed cannot be brought back".to_owned(),
                    None => "`linkwell undo` takes it back".to_owned(),
                    // Without a number, undo means what was done, not what was undone.
                    Some(_) => format!("`linkwell undo {}` takes it back", report.number),
                };
                say(&format!("done: {done} (operation {}; {undo})", report.number));
            }
            if undone == 0 && report.left.is_empty() { Exit::Done } else { Exit::Partly }
        }
        State::TakenBack(why) if !report.kept.is_empty() => {
            if *why != Fail::Interrupted {
                say(&format!("error: {}", preview::fail(why)));
            }
            say("note: the rest was taken back; everything else is as it was before");
            Exit::Partly
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
