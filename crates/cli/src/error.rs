//! What went wrong, in words; and the only place with exit numbers.

use linkwell_engine::scan::Trouble;
use linkwell_model::shown::shown;
use rustix::io::Errno;
use std::io::Write as _;
use std::process::ExitCode;

/// How a run ended. The numbers are documented in the manual; an unknown one counts as failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, and nothing wrong.
    Done,
    /// Problems were found.
    Found,
    /// The command was not understood.
    Usage,
    /// Done or looked at in part only.
    Partly,
    /// Something was begun and is not finished: `linkwell recover` goes on.
    Unfinished,
    /// Interrupted by a signal.
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Found => 1,
            Exit::Usage => 2,
            Exit::Partly => 3,
            Exit::Unfinished => 4,
            Exit::Interrupted => 130,
        })
    }
}

/// Ends the program at once, for when a thread hangs in the system and cannot be waited for.
#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "a hung thread would keep `main` from returning"
)]
pub(crate) fn end_interrupted() -> ! {
    std::process::exit(130)
}

/// A failure that ends a command.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was asked makes no sense as it stands.
    Usage {
        /// What could not be done.
        what: String,
        /// What to type instead.
        hint: Option<String>,
    },
    /// The current folder cannot be held: it is gone, most often.
    Current(Errno),
    /// Nothing was changed, for this reason.
    Refused {
        /// What could not be done, and what is still true.
        what: String,
        /// The reason, if there is one beside.
        cause: Option<String>,
        /// What to type instead.
        hint: Option<String>,
        /// How the run ends.
        exit: Exit,
    },
    /// Output could not be written.
    Output(Errno),
    /// A file could not be written.
    Write {
        /// Which.
        path: Vec<u8>,
        /// The system's reason.
        error: std::io::Error,
    },
}

/// Prints what the argument parser refused, or the help that was asked for.
pub(crate) fn usage(refusal: &clap::Error) -> ExitCode {
    // If even this cannot be printed there is nobody to tell.
    drop(refusal.print());
    if refusal.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() }
}

/// Prints a failure and says how the run ended.
pub(crate) fn report(failure: &Failure) -> Exit {
    match failure {
        Failure::Usage { what, hint } => {
            say(&format!("error: {what}"));
            if let Some(hint) = hint {
                say(&format!("hint: {hint}"));
            }
            Exit::Usage
        }
        Failure::Refused { what, cause, hint, exit } => {
            say(&format!("error: {what}"));
            if let Some(cause) = cause {
                say(&format!("caused by: {cause}"));
            }
            if let Some(hint) = hint {
                say(&format!("hint: {hint}"));
            }
            *exit
        }
        Failure::Current(error) => {
            say("error: could not look at the current folder; nothing was looked at");
            say(&format!("caused by: {}", reason(*error)));
            say("hint: go to a folder that exists, or write whole paths, from `/` on");
            Exit::Partly
        }
        // The reader has seen enough (`| head`): nobody is left to complain to.
        Failure::Output(Errno::PIPE) => Exit::Partly,
        Failure::Output(error) => {
            say("error: could not write the output; what was printed is not the whole");
            say(&format!("caused by: {}", reason(*error)));
            Exit::Partly
        }
        Failure::Write { path, error } => {
            say(&format!("error: could not write `{}`", shown(path)));
            say(&format!(
                "caused by: {}",
                Errno::from_io_error(error).map_or_else(|| error.to_string(), reason)
            ));
            Exit::Partly
        }
    }
}

/// Writes one line for a person on standard error.
pub(crate) fn say(line: &str) {
    // Whoever closed standard error does not want to know.
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

/// The system's reason in plain words, without its number.
pub(crate) fn reason(error: Errno) -> String {
    linkwell_engine::survey::reason(error)
}

/// Why a place could not be looked at, in words.
pub(crate) fn trouble(trouble: Trouble) -> String {
    match trouble {
        Trouble::System(error) => reason(error),
        Trouble::NoAnswer => "the volume gave no answer in time".into(),
        Trouble::OnDemand => "it would be attached by looking at it, so nobody looked".into(),
        Trouble::Virtual => {
            "the kernel makes it up, and it is looked at only with `--virtual`".into()
        }
        Trouble::GitIndex => "this git index could not be read".into(),
    }
}
