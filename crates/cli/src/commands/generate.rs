//! `linkwell generate FOLDER`: writes the shell completions and manual pages, which are checked
//! in; a test says when they no longer are what this writes.

use crate::args::Args;
use crate::error::{Exit, Failure};
use clap::CommandFactory as _;
use clap_complete::Shell;
use std::ffi::OsStr;
use std::io::Error;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

const SHELLS: [Shell; 4] = [Shell::Bash, Shell::Zsh, Shell::Fish, Shell::PowerShell];

/// The pages' date. Without one the page's version stands in its place, where no reader of manual
/// pages expects it.
const DATE: &str = "2026-11-22";

pub(super) fn run(folder: &OsStr) -> Result<Exit, Failure> {
    let folder = Path::new(folder);
    let (completions, man) = (folder.join("completions"), folder.join("man"));
    for made in [&completions, &man] {
        make_folder(made).map_err(|error| failure(made, error))?;
    }
    for shell in SHELLS {
        let written = clap_complete::generate_to(shell, &mut visible(), "linkwell", &completions);
        written.map_err(|error| failure(&completions, error))?;
    }
    for (path, page) in pages(&man).map_err(|error| failure(&man, error))? {
        write_file(&path, &page).map_err(|error| failure(&path, error))?;
    }
    Ok(Exit::Done)
}

/// The manual page of the program and of each verb that is shown.
fn pages(man: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>, Error> {
    let mut command = Args::command();
    command.build();
    let mut pages = Vec::new();
    let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned();
    for page in std::iter::once(command.clone()).chain(verbs) {
        let name = page.get_display_name().unwrap_or_else(|| page.get_name()).to_owned();
        if name.ends_with("help") {
            continue;
        }
        // The page maker knows what comes after the options only: the examples go there, too.
        let examples = page.get_before_help().map(ToString::to_string).unwrap_or_default();
        let after = page.get_after_help().map(ToString::to_string).unwrap_or_default();
        let page = page.after_help(format!("{examples}\n\n{after}"));
        let mut text = Vec::new();
        let whole = concat!("linkwell ", env!("CARGO_PKG_VERSION"));
        clap_mangen::Man::new(page.display_name(name.clone()))
            .date(DATE)
            .source(whole)
            .render(&mut text)?;
        pages.push((man.join(format!("{name}.1")), text));
    }
    Ok(pages)
}

#[expect(clippy::disallowed_methods, reason = "writes only into the folder that was named for it")]
fn make_folder(path: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(path)
}

#[expect(clippy::disallowed_methods, reason = "writes only into the folder that was named for it")]
fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    std::fs::write(path, bytes)
}

fn failure(path: &Path, error: Error) -> Failure {
    Failure::Write { path: path.as_os_str().as_bytes().to_vec(), error }
}

/// The command without what is not for people, which completions would offer all the same.
fn visible() -> clap::Command {
    let whole = Args::command();
    let verbs = whole.get_subcommands().filter(|verb| !verb.is_hide_set()).cloned();
    clap::Command::new("linkwell")
        .version(env!("CARGO_PKG_VERSION"))
        .propagate_version(true)
        .args(whole.get_arguments().cloned())
        .subcommands(verbs)
}
