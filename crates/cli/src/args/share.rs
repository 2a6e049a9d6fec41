//! What can be typed to the verbs about sharing.

use super::change::Change;
use clap::builder::PossibleValuesParser;
use clap::{Args as ClapArgs, ValueHint};
use linkwell_model::share::arrangement::Arrangement;
use std::ffi::OsString;

pub(crate) const SHARE: &str = "\
Examples:
  linkwell share ~/Photos --with dropbox   Photos arrives on the other computers, and is still found at ~/Photos
  linkwell share ~/Photos --into ~/Sync    the same, for a folder that something else keeps
  linkwell share --check                   whether all that was shared still is";

pub(crate) const UNSHARE: &str = "\
Examples:
  linkwell unshare ~/Photos                brings the folder home, in place of the link
  linkwell unshare -n ~/Photos             only shows what would be done
  linkwell share --list                    what is shared";

/// `linkwell share`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Share {
    /// The folder to be shared.
    #[arg(value_name = "FOLDER", value_hint = ValueHint::DirPath,
        required_unless_present_any = ["list", "check"], conflicts_with_all = ["list", "check"])]
    pub(crate) folder: Option<OsString>,

    /// With this client: its name, as `linkwell clients` has it.
    #[arg(long, value_name = "CLIENT")]
    pub(crate) with: Option<String>,

    /// Into this folder, which is synced.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::DirPath)]
    pub(crate) into: Option<OsString>,

    /// What it is called there; by default as it is called here.
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) name: Option<OsString>,

    /// How it is arranged; by default what is best with this client.
    #[arg(long, value_name = "ARRANGEMENT")]
    #[arg(value_parser = PossibleValuesParser::new(Arrangement::ALL.map(Arrangement::word)))]
    pub(crate) by: Option<String>,

    /// With this computer alone, by the name that the client has for it; more than once for several.
    #[arg(long, value_name = "NAME")]
    pub(crate) to: Vec<String>,

    /// Also if a client may be syncing it where it is now, and would delete the other side's copy.
    #[arg(long)]
    pub(crate) synced_anyway: bool,

    /// Show what is shared.
    #[arg(long, conflicts_with = "check")]
    pub(crate) list: bool,

    /// Look whether all that was shared still is; the exit status is 1 if something is not.
    #[arg(long)]
    pub(crate) check: bool,

    #[command(flatten)]
    pub(crate) refs: Refs,

    #[command(flatten)]
    pub(crate) change: Change,
}

/// `linkwell unshare`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Unshare {
    /// The folder that was shared, by its old place.
    #[arg(value_name = "FOLDER", value_hint = ValueHint::AnyPath)]
    pub(crate) folder: OsString,

    #[command(flatten)]
    pub(crate) refs: Refs,

    #[command(flatten)]
    pub(crate) change: Change,
}

/// Links elsewhere that lead into what moves.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(crate) struct Refs {
    /// Let links elsewhere that lead into it lead straight to its new place.
    #[arg(long, conflicts_with = "no_refs")]
    pub(crate) follow_refs: bool,

    /// Look for links that lead into it below this folder; more than once for several.
    #[arg(long, value_name = "ROOT", value_hint = ValueHint::DirPath)]
    pub(crate) under: Vec<OsString>,

    /// Do not look for links that lead into it.
    #[arg(long, conflicts_with = "under")]
    pub(crate) no_refs: bool,
}
