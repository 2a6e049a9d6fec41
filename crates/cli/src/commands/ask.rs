//! The question before anything is changed.

use super::change::{Manner, say_conflicts};
use crate::args::Args;
use crate::args::change::Change;
use crate::error::{Exit, Failure, say};
use crate::output::preview::things;
use linkwell_model::plan::{Plan, Step};
use linkwell_model::shown::shown;
use std::io::{BufRead as _, IsTerminal as _};

/// What the person said, and whether the conflicts were told with the question.
pub(super) enum Agreed {
    /// Go on.
    Yes {
        /// The conflicts were told.
        told: bool,
    },
    /// Do nothing.
    No {
        /// The conflicts were told.
        told: bool,
    },
}

impl Agreed {
    fn to(yes: bool, told: bool) -> Self {
        if yes { Self::Yes { told } } else { Self::No { told } }
    }
}

/// Asks, once or for each item. No when nothing is left to do.
pub(super) fn agreed(plan: &mut Plan, manner: &Manner, args: &Args) -> Result<Agreed, Failure> {
    if manner.change.yes {
        return Ok(Agreed::Yes { told: false });
    }
    // Where there is nothing to be asked one by one, the whole is asked about.
    let asks = |each: &fn(&Step) -> bool| plan.items.iter().any(|item| item.steps.iter().any(each));
    if let Some(each) = manner.each.filter(asks) {
        let items = std::mem::take(&mut plan.items);
        for item in items {
            let asks = item.steps.iter().any(each);
            if !asks || answer(&format!("change `{}`? [y/N] ", shown(&item.path))) {
                plan.items.push(item);
            }
        }
        return Ok(Agreed::to(!plan.items.is_empty(), false));
    }
    can_be_asked()?;
    if !plan.conflicts.is_empty() && !args.quiet {
        say_conflicts(plan);
        let cannot = things(plan.conflicts.len(), "thing cannot", "things cannot");
        say(&format!("note: {cannot} be done, as said above; the rest can"));
        return Ok(Agreed::to(answer("Do the rest? [y/N] "), true));
    }
    Ok(Agreed::to(answer("Go ahead? [y/N] "), false))
}

/// Asks whether something that is no plan shall be done.
pub(super) fn go_ahead(change: Change) -> Result<bool, Failure> {
    if change.yes {
        return Ok(true);
    }
    can_be_asked()?;
    Ok(answer("Go ahead? [y/N] "))
}

fn can_be_asked() -> Result<(), Failure> {
    if std::io::stdin().is_terminal() && std::io::stderr().is_terminal() {
        return Ok(());
    }
    Err(Failure::Refused {
        what: "there is no terminal to ask at; nothing was changed".into(),
        cause: None,
        hint: Some("add `--yes` to do it without being asked, or `--dry-run` to see only".into()),
        exit: Exit::Usage,
    })
}

/// Asks one question. Whatever is not a yes is a no.
fn answer(question: &str) -> bool {
    use std::io::Write as _;
    let mut err = std::io::stderr().lock();
    // Whoever cannot read the question cannot say yes to it either.
    if err.write_all(question.as_bytes()).and_then(|()| err.flush()).is_err() {
        return false;
    }
    drop(err);
    let mut line = Vec::new();
    let read = std::io::stdin().lock().read_until(b'\n', &mut line);
    let word = line.trim_ascii().to_ascii_lowercase();
    read.is_ok() && matches!(word.as_slice(), b"y" | b"yes")
}
