//! What can be typed to `linkwell repair`.

use super::change::Change;
use clap::{ArgAction, Args as ClapArgs, ValueEnum, ValueHint};
use std::ffi::OsString;

pub(crate) const REPAIR: &str = "\
Examples:
  linkwell repair                       what the broken ones of all tracked links led to, and where it is now
  linkwell repair ~/Documents           the same for every broken link below Documents, tracked or not
  linkwell repair --certain             mends what is certain, without asking
  linkwell repair -i ~                  asks for each, with what speaks for every candidate";

/// What becomes of a file that a program saved over a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Keep {
    /// It goes to where the link led, and the link comes back; what was there is kept beside it.
    Target,
    /// The link comes back, and the file is kept beside it.
    Both,
    /// The file stays, and the link is forgotten.
    Forget,
}

/// `linkwell repair`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Repair {
    /// Links, and folders below which all broken links are meant; by default every tracked link.
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<OsString>,

    /// Mend only what is certain, and ask nothing.
    #[arg(long, conflicts_with_all = ["likely", "interactive", "delete"])]
    pub(crate) certain: bool,

    /// Also mend what is only likely: what looks the same, and is the only one that does.
    #[arg(long)]
    pub(crate) likely: bool,

    /// Ask for each link, with all candidates.
    #[arg(short, long)]
    pub(crate) interactive: bool,

    /// Also look for what is lost below this folder, such as a share; all local volumes are searched anyway.
    #[arg(long, value_name = "ROOT", value_hint = ValueHint::DirPath, action = ArgAction::Append)]
    pub(crate) search: Vec<OsString>,

    /// Look for what is lost only below the nearest folder that is still there, and below `--search`.
    #[arg(long)]
    pub(crate) near: bool,

    /// Remove links whose targets were found nowhere that was searched; never those whose volume is away, or that could not be
    /// judged.
    #[arg(long)]
    pub(crate) delete: bool,

    /// What becomes of files that a program saved over a tracked link.
    #[arg(long, value_name = "KEEP")]
    pub(crate) replaced: Option<Keep>,

    /// Also look for broken links on other volumes that are mounted below.
    #[arg(long)]
    pub(crate) cross_volumes: bool,

    #[command(flatten)]
    pub(crate) change: Change,
}
