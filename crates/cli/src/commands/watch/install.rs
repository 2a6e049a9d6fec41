//! Letting the system run the watcher, and taking that back.

use super::super::{change, system};
use crate::World;
use crate::args::watch::Watch;
use crate::error::{Exit, Failure, say};
use crate::output::Output;
use crate::output::progress::Bar;
use linkwell_engine::disk::Unix;
use linkwell_engine::watch::install::{self, Refused};
use linkwell_model::path::AbsPath;
use linkwell_model::service::{self, MARK, Service};
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Stdio};

const UNIT: &str = "linkwell-watch.service";

fn refused(what: &str, cause: Option<String>, hint: &str) -> Failure {
    Failure::Refused { what: what.into(), cause, hint: Some(hint.into()), exit: Exit::Found }
}

/// Where the unit stands.
fn place(world: &World) -> Result<AbsPath, Failure> {
    let config = world.config.as_ref().ok_or_else(|| {
        refused(
            "there is no place for the unit; nothing was changed",
            None,
            "set `HOME` or `XDG_CONFIG_HOME`",
        )
    })?;
    Ok(config.joined(b"systemd").joined(b"user").joined(UNIT.as_bytes()))
}

fn unit(watch: &Watch, world: &World) -> Result<String, Failure> {
    let program = world.program.as_ref().ok_or_else(|| {
        refused(
            "where this program is could not be told; nothing was changed",
            None,
            "start it by its path",
        )
    })?;
    let mut arguments = vec![b"watch".to_vec()];
    if watch.grace != 250 {
        arguments.push(format!("--grace={}", watch.grace).into_bytes());
    }
    if watch.no_notifications {
        arguments.push(b"--no-notifications".to_vec());
    }
    let state = change::state(world)?.parent();
    let environment = vec![("XDG_STATE_HOME".to_owned(), state.as_bytes().to_vec())];
    let program = program.as_os_str().as_bytes().to_vec();
    Ok(service::systemd(&Service { program, arguments, environment }))
}

fn print(text: &str) -> Result<(), Failure> {
    let output = Output::new(&crate::interrupt::stop(), Bar::new(true));
    output.write(text.as_bytes());
    output.finish()
}

/// Runs a line, or only prints it; whether it did what it should.
fn line(words: &[&str], dry_run: bool) -> Result<bool, Failure> {
    print(&format!("{}\n", words.join(" ")))?;
    let Some((program, arguments)) = words.split_first().filter(|_| !dry_run) else {
        return Ok(true);
    };
    let ran = Command::new(program).args(arguments).stdin(Stdio::null()).status();
    Ok(ran.is_ok_and(|status| status.success()))
}

fn not_written(place: &AbsPath, why: Refused) -> Failure {
    let cause = match why {
        Refused::Foreign => "somebody else's file stands there".into(),
        Refused::Way(_) => "the way there cannot be walked".into(),
        Refused::System(error) => crate::error::reason(error),
    };
    let what = format!("`{}` was not changed", place.shown());
    refused(&what, Some(cause), "`linkwell watch` runs without it, for as long as you let it")
}

pub(super) fn install(watch: &Watch, world: &World) -> Result<Exit, Failure> {
    let (place, unit) = (place(world)?, unit(watch, world)?);
    if watch.dry_run {
        print(&format!("{} would hold:\n{unit}", place.shown()))?;
    } else {
        install::put(&Unix, system(world), &place, unit.as_bytes(), MARK.as_bytes())
            .map_err(|why| not_written(&place, why))?;
        print(&format!("written: {}\n", place.shown()))?;
    }
    let reloaded = line(&["systemctl", "--user", "daemon-reload"], watch.dry_run)?;
    let enabled =
        reloaded && line(&["systemctl", "--user", "enable", "--now", UNIT], watch.dry_run)?;
    if watch.dry_run {
        say("note: a dry run; nothing was changed");
        return Ok(Exit::Done);
    }
    if !enabled {
        say("error: the service manager did not take it; the unit is written, and is not running");
        say("hint: the lines above can be tried again when you are logged in");
        return Ok(Exit::Partly);
    }
    Ok(Exit::Done)
}

pub(super) fn uninstall(watch: &Watch, world: &World) -> Result<Exit, Failure> {
    let place = place(world)?;
    let found = install::read(system(world), &place).ok().flatten();
    let Some(found) = found else {
        say("note: it is not installed; nothing was changed");
        return Ok(Exit::Done);
    };
    if !found.windows(MARK.len()).any(|part| part == MARK.as_bytes()) {
        return Err(not_written(&place, Refused::Foreign));
    }
    let stopped = line(&["systemctl", "--user", "disable", "--now", UNIT], watch.dry_run)?;
    if watch.dry_run {
        print(&format!("{} would be removed\n", place.shown()))?;
        say("note: a dry run; nothing was changed");
        return Ok(Exit::Done);
    }
    install::remove(&Unix, system(world), &place, MARK.as_bytes())
        .map_err(|why| not_written(&place, why))?;
    print(&format!("removed: {}\n", place.shown()))?;
    let reloaded = line(&["systemctl", "--user", "daemon-reload"], false)?;
    if !(stopped && reloaded) {
        say("note: the service manager was not there to be told");
    }
    Ok(Exit::Done)
}

/// How the service stands by the words of the service manager, if there is one for this person.
fn ask_manager() -> Option<String> {
    let properties = "--property=LoadState,UnitFileState,ActiveState";
    let asked = ["--user", "show", properties, UNIT];
    let said = Command::new("systemctl").args(asked).stdin(Stdio::null()).output().ok()?;
    said.status.success().then(|| standing(&String::from_utf8_lossy(&said.stdout))).flatten()
}

/// What `systemctl show` says, for a person: `enabled and active`.
fn standing(said: &str) -> Option<String> {
    let of = |name: &str| {
        let mut lines = said.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).map(str::trim)
    };
    let active = of("ActiveState").filter(|word| !word.is_empty())?;
    match (of("LoadState")?, of("UnitFileState").unwrap_or_default()) {
        ("not-found", _) => Some(format!("not known to the service manager, and {active}")),
        // It is there, and nothing starts it by itself.
        (_, "") => Some(format!("not enabled, and {active}")),
        (_, enabled) => Some(format!("{enabled} and {active}")),
    }
}

pub(super) fn status(world: &World) -> Result<Exit, Failure> {
    let installed = place(world)
        .ok()
        .and_then(|place| install::read(system(world), &place).ok().flatten().map(|_| place));
    let watcher = change::store_if_any(world)?.and_then(|store| store.watcher());
    match watcher {
        Some(Some(process)) => print(&format!("a watcher runs (process {process})\n"))?,
        Some(None) => print("a watcher runs\n")?,
        None => print("no watcher runs\n")?,
    }
    match installed {
        Some(place) => print(&format!("installed: {}\n", place.shown()))?,
        None => print("not installed\n")?,
    }
    match ask_manager() {
        Some(unit) => print(&format!("the service is {unit}\n"))?,
        None => print("the service manager cannot be asked\n")?,
    }
    Ok(if watcher.is_some() { Exit::Done } else { Exit::Found })
}

#[cfg(test)]
mod tests {
    use super::standing;

    #[test]
    fn what_the_service_manager_says_is_told_in_its_words() {
        let said = |load, file, active| {
            format!("LoadState={load}\nActiveState={active}\nUnitFileState={file}\n")
        };
        let told = |load, file, active| standing(&said(load, file, active)).unwrap_or_default();
        assert_eq!(told("loaded", "enabled", "active"), "enabled and active");
        assert_eq!(told("loaded", "disabled", "inactive"), "disabled and inactive");
        assert_eq!(told("loaded", "", "failed"), "not enabled, and failed");
        let unknown = "not known to the service manager, and inactive";
        assert_eq!(told("not-found", "", "inactive"), unknown);
        assert_eq!(standing("Failed to connect to bus\n"), None);
        assert_eq!(standing(""), None);
    }
}
