//! The command line of linkwell.
//!
//! Only this file reads the environment, the arguments, the current directory and the clock's
//! start; everything below gets them as values.

mod args;
mod commands;
mod error;
mod interrupt;
mod output;

use args::Args;
use clap::Parser as _;
use error::Exit;
use linkwell_model::path::AbsPath;
use linkwell_model::shown::shown;
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

/// What the world outside says, read once.
#[derive(Debug)]
pub(crate) struct World {
    /// The home folder of the person.
    home: Option<AbsPath>,
    /// Where programs keep their settings.
    config: Option<AbsPath>,
    /// Where programs keep what they remember.
    states: Option<AbsPath>,
    /// linkwell's own state folder.
    state: Option<AbsPath>,
    /// Where programs keep what they can make again.
    cache: Option<AbsPath>,
    /// Where this person's programs keep their data: the trash is there.
    data: Option<AbsPath>,
    /// The current folder; none when it has been removed.
    current: Option<AbsPath>,
    /// The current folder as the shell says it was reached (`$PWD`); to be believed only if it leads
    /// there.
    seen_from: Option<AbsPath>,
    /// This program, for starting itself.
    program: Option<std::path::PathBuf>,
    /// When this run began: for the journal, and nothing is decided by it.
    now: linkwell_model::entry::Time,
    /// The arguments as typed, without the program's name.
    typed: Vec<Vec<u8>>,
    /// How GNU's tools are told which backups to make, and with which suffix.
    version_control: Option<std::ffi::OsString>,
    backup_suffix: Option<std::ffi::OsString>,
    /// How a service is told of its surroundings: the journal, the manager, the bus of the session.
    journal: Option<std::ffi::OsString>,
    manager: Option<std::ffi::OsString>,
    bus: Option<std::ffi::OsString>,
    /// As if the newer system calls were absent: for tests.
    plain_calls: bool,
}

impl World {
    #[expect(clippy::disallowed_methods, reason = "here, and nowhere else, the world is read")]
    fn read() -> Self {
        let place = |path: std::path::PathBuf| AbsPath::cleaned(path.as_os_str().as_bytes());
        let home = std::env::home_dir().and_then(place);
        // The XDG base directory specification: a relative value is to be ignored.
        let states = std::env::var_os("XDG_STATE_HOME")
            .and_then(|folder| place(folder.into()))
            .or_else(|| home.as_ref().map(|home| home.joined(b".local").joined(b"state")));
        let state = states.as_ref().map(|folder| folder.joined(b"linkwell"));
        let cache = std::env::var_os("XDG_CACHE_HOME")
            .and_then(|folder| place(folder.into()))
            .or_else(|| home.as_ref().map(|home| home.joined(b".cache")));
        let config = std::env::var_os("XDG_CONFIG_HOME")
            .and_then(|path| place(path.into()))
            .or_else(|| home.as_ref().map(|home| home.joined(b".config")));
        let data = std::env::var_os("XDG_DATA_HOME")
            .and_then(|folder| place(folder.into()))
            .or_else(|| home.as_ref().map(|home| home.joined(b".local").joined(b"share")));
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let since = since.unwrap_or_default();
        let seconds = i64::try_from(since.as_secs()).unwrap_or(i64::MAX);
        let arguments = std::env::args_os().skip(1);
        Self {
            now: linkwell_model::entry::Time(seconds, since.subsec_nanos()),
            typed: arguments.map(|typed| typed.as_bytes().to_vec()).collect(),
            version_control: std::env::var_os("VERSION_CONTROL"),
            backup_suffix: std::env::var_os("SIMPLE_BACKUP_SUFFIX"),
            journal: std::env::var_os("JOURNAL_STREAM"),
            manager: std::env::var_os("NOTIFY_SOCKET"),
            bus: std::env::var_os("DBUS_SESSION_BUS_ADDRESS"),
            home,
            config,
            states,
            state,
            cache,
            data,
            current: std::env::current_dir().ok().and_then(place),
            seen_from: std::env::var_os("PWD").and_then(|folder| place(folder.into())),
            program: std::env::current_exe().ok(),
            plain_calls: std::env::var_os("LINKWELL_PLAIN_CALLS").is_some(),
        }
    }
}

fn main() -> ExitCode {
    if let Some(exit) = reached() {
        return exit.into();
    }
    interrupt::heed();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(refusal) => return error::usage(&shown_safely(refusal)),
    };
    let exit = match commands::run(&args, &World::read()) {
        Ok(exit) => exit,
        Err(failure) => error::report(&failure),
    };
    if interrupt::came() {
        return Exit::Interrupted.into();
    }
    exit.into()
}

/// What a child of linkwell's own is started for: it takes namespaces, which a process with threads may not.
#[expect(clippy::disallowed_methods, reason = "here, and nowhere else, the world is read")]
fn reached() -> Option<Exit> {
    let word = std::env::args_os().nth(1)?;
    if word.as_bytes() != linkwell_engine::reach::WORD.as_bytes() {
        return None;
    }
    Some(linkwell_engine::reach::serve().map_or(Exit::Partly, |()| Exit::Done))
}

/// The same refusal, of arguments that are safe to show: the parser repeats what was typed.
#[expect(clippy::disallowed_methods, reason = "here, and nowhere else, the world is read")]
fn shown_safely(refusal: clap::Error) -> clap::Error {
    let shown = std::env::args_os().map(|typed| shown(typed.as_bytes()).to_string());
    Args::try_parse_from(shown).err().unwrap_or(refusal)
}
