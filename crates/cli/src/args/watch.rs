//! What `linkwell watch` understands.

use super::Format;
use clap::Args as ClapArgs;

pub(super) const WATCH: &str = "\
Examples:
  linkwell watch                        links on record follow what they lead to, until Ctrl-C
  linkwell watch --install              the same from now on, whenever you are logged in
  linkwell watch --once                 look at everything on record once, mend it, and end";

/// `linkwell watch`.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Watch {
    /// Let the system run it whenever you are logged in.
    #[arg(long, conflicts_with_all = ["uninstall", "status", "once", "json"])]
    pub(crate) install: bool,

    /// Take that back.
    #[arg(long, conflicts_with_all = ["status", "once", "json"])]
    pub(crate) uninstall: bool,

    /// Say whether it runs.
    #[arg(long, conflicts_with_all = ["once", "json"])]
    pub(crate) status: bool,

    /// With --install or --uninstall: only show what would be done.
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,

    /// Look at everything on record once, and end.
    #[arg(long)]
    pub(crate) once: bool,

    /// How long a name may be away, in thousandths of a second, before its link follows.
    #[arg(long, value_name = "MS", default_value = "250",
        value_parser = clap::value_parser!(u32).range(1..=3_600_000))]
    pub(crate) grace: u32,

    /// As root: one mark for each volume, instead of one for each folder.
    #[arg(long)]
    pub(crate) whole_volumes: bool,

    /// Show nothing on the desktop.
    #[arg(long)]
    pub(crate) no_notifications: bool,

    #[command(flatten)]
    pub(crate) format: Format,
}
