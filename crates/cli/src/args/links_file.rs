//! What can be typed to the verbs about files of links.

use super::change::Change;
use clap::{Args as ClapArgs, ValueHint};
use std::ffi::OsString;

pub(crate) const EXPORT: &str = "\
Examples:
  linkwell export > ~/dotfiles/links.toml   the links on record, for another computer
  linkwell export ~/Music ~/work            only those at or below these places";

pub(crate) const APPLY: &str = "\
Examples:
  linkwell apply ~/dotfiles/links.toml      shows which links are missing here, asks, and makes them
  linkwell apply --check links.toml         only says whether all of them are as the file has them
  linkwell apply --from-stow ~/dotfiles     the links that GNU Stow would make of these packages";

/// `linkwell export`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Export {
    /// Only the links on record at or below these places.
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<OsString>,
}

/// `linkwell apply`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Apply {
    /// What `linkwell export` has written.
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath,
        required_unless_present_any = ["from_stow", "from_dotbot"],
        conflicts_with_all = ["from_stow", "from_dotbot"])]
    pub(crate) file: Option<OsString>,

    /// Make the links that GNU Stow would make of the packages in this folder.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "from_dotbot")]
    pub(crate) from_stow: Option<OsString>,

    /// With --from-stow: where the links go, by default into the folder above DIR.
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, requires = "from_stow")]
    pub(crate) target: Option<OsString>,

    /// With --from-stow: links to files alone, in real folders.
    #[arg(long, requires = "from_stow")]
    pub(crate) no_folding: bool,

    /// With --from-stow: what is called `dot-NAME` is wanted as `.NAME`.
    #[arg(long, requires = "from_stow")]
    pub(crate) dotfiles: bool,

    /// Make the links of this configuration of dotbot. Nothing in it is run.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) from_dotbot: Option<OsString>,

    /// Only say whether all links are as the file has them; the exit status is 1 if they are not.
    #[arg(long, conflicts_with_all = ["yes", "force", "merge"])]
    pub(crate) check: bool,

    /// Where a volume of the file is attached here.
    #[arg(long, value_name = "NAME=PATH")]
    pub(crate) volume: Vec<OsString>,

    /// Where a client of the file syncs here, if its configuration does not tell.
    #[arg(long, value_name = "CLIENT=PATH")]
    pub(crate) root: Vec<OsString>,

    /// Replace links that lead elsewhere; real files and folders never.
    #[arg(short, long)]
    pub(crate) force: bool,

    /// Where a real folder or file stands in the place of a link, make it one with what the link leads to: what is the
    /// same folds, what differs is kept beside.
    #[arg(long)]
    pub(crate) merge: bool,

    /// Also make links that lead to nothing here.
    #[arg(long)]
    pub(crate) allow_broken: bool,

    #[command(flatten)]
    pub(crate) change: Change,
}
