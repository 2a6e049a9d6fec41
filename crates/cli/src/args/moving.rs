//! What can be typed to `linkwell move`.

use super::change::Change;
use clap::builder::PossibleValuesParser;
use clap::{Args as ClapArgs, ValueEnum, ValueHint};
use linkwell_model::plan::Loss;
use std::ffi::OsString;

pub(crate) const MOVE: &str = "\
Examples:
  linkwell move ~/Music /mnt/big/Music     Music lies on the big drive, and a link in its old place leads there
  linkwell move ~/Music /mnt/big/          the same: into that folder, under its own name
  linkwell move --back ~/Music             brings it home again, in place of the link
  linkwell move --merge ~/Music /mnt/big/Music   there is such a folder already: the two become one";

/// How a copy is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Verify {
    /// By contents: the copy is read back from its disk.
    Full,
    /// By sizes, times, owners and permissions.
    Sizes,
}

/// `linkwell move`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Move {
    /// The file or folder to move; with `--back`, the link in its old place.
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) path: OsString,

    /// Where to: into this folder if it ends in a slash, else exactly this name.
    #[arg(value_name = "DEST", value_hint = ValueHint::AnyPath)]
    #[arg(required_unless_present = "back", conflicts_with = "back")]
    pub(crate) dest: Option<OsString>,

    /// Bring home what the link PATH leads to, in place of the link.
    #[arg(long)]
    pub(crate) back: bool,

    /// Leave no link at the old place.
    #[arg(long, conflicts_with = "back")]
    pub(crate) no_link: bool,

    /// Write the link's target as seen from the link.
    #[arg(short, long, conflicts_with_all = ["absolute", "no_link", "back"])]
    pub(crate) relative: bool,

    /// Write the link's target from `/`.
    #[arg(long, conflicts_with_all = ["no_link", "back"])]
    pub(crate) absolute: bool,

    /// To another volume: keep the old one aside instead of freeing it.
    #[arg(long, conflicts_with = "back")]
    pub(crate) keep: bool,

    /// To another volume: how the copy is compared before the old one is given up.
    #[arg(long, value_name = "HOW", default_value = "full")]
    pub(crate) verify: Verify,

    /// To another volume: go on though this cannot be kept there (may be given several times).
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    #[arg(value_parser = PossibleValuesParser::new(Loss::ALL.map(Loss::word)))]
    pub(crate) accept_loss: Vec<String>,

    /// Absolute links inside that lead into the old place lead straight to the new one.
    #[arg(long, conflicts_with = "back")]
    pub(crate) rewrite_inner: bool,

    /// Within a volume: do not look into it, which takes as long as its folders are many; relative links
    /// inside keep their texts, and those that lead out of it may lead elsewhere then.
    #[arg(long, conflicts_with_all = ["rewrite_inner", "no_link"])]
    pub(crate) as_is: bool,

    /// Links elsewhere that lead into it lead straight to the new place.
    #[arg(long, conflicts_with = "no_refs")]
    pub(crate) follow_refs: bool,

    /// Where to look for links that lead into it; by default in the home folder and on the volume of
    /// PATH.
    #[arg(long, value_name = "ROOT", value_hint = ValueHint::DirPath)]
    pub(crate) under: Vec<OsString>,

    /// Do not look for links that lead into it.
    #[arg(long, conflicts_with = "under")]
    pub(crate) no_refs: bool,

    /// Go on though links would be left broken.
    #[arg(long)]
    pub(crate) allow_broken: bool,

    /// DEST is there already: make the two one. What both have and is the same stays once; what
    /// differs is kept twice, as `name (from PATH)`.
    #[arg(long, conflicts_with_all = ["back", "no_link", "keep"])]
    pub(crate) merge: bool,

    /// Another verb asks for it: the link leads to DEST itself, also if the two are files that differ.
    #[arg(skip)]
    pub(crate) exact: bool,

    /// With `--merge`: give up in the old place what stands at DEST by then, instead of keeping it aside.
    #[arg(long, requires = "merge")]
    pub(crate) free: bool,

    /// Of Music, Documents, Pictures, Videos, Downloads or Desktop: tell the desktop of the new place, too.
    #[arg(long)]
    pub(crate) set_known_folder: bool,

    /// Move it though a sync client syncs it, or the folder that it lies in.
    #[arg(long)]
    pub(crate) synced_anyway: bool,

    #[command(flatten)]
    pub(crate) change: Change,
}
