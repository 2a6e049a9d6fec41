//! What can be typed to the verbs about links on record.

use super::{LinkFormat, Scan};
use clap::{Args as ClapArgs, ValueHint};
use linkwell_model::keep::link::Policy;
use std::ffi::OsString;

pub(crate) const TRACK: &str = "\
Examples:
  linkwell track ~                      every link in your home folder is on record from now on
  linkwell track ~/Music                this one link, and what it leads to
  linkwell track --policy ask ~/work    of these you are asked before one follows its target";

pub(crate) const UNTRACK: &str = "\
Examples:
  linkwell untrack ~/old                forgets what is on record of the links in this folder
  linkwell untrack ~/Music              of this one link
  linkwell list --tracked               what is on record";

pub(crate) const STATUS: &str = "\
Examples:
  linkwell status                       how the links on record are, and what waits for you
  linkwell status --json                the same for another program
  linkwell status -q || echo look       only whether something waits for you or is broken";

/// `linkwell track`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Track {
    /// Links, or folders with all links below.
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<OsString>,

    /// What the watcher does when a target has moved: the link follows when it is certain where to
    /// (this is the default), a person is asked, or nothing is done.
    #[arg(long, value_name = "POLICY", value_parser = policy_parser())]
    pub(crate) policy: Option<Policy>,

    #[command(flatten)]
    pub(crate) scan: Scan,

    /// Print one JSON object a line (documented in docs/json.md).
    #[arg(long)]
    pub(crate) json: bool,
}

/// `linkwell untrack`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Untrack {
    /// Links, or folders with all links below; they need not exist any more.
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<OsString>,

    #[command(flatten)]
    pub(crate) format: LinkFormat,
}

/// `linkwell status`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Status {
    /// Print one JSON object (documented in docs/json.md).
    #[arg(long)]
    pub(crate) json: bool,

    /// How long a remote volume may take to answer.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = super::seconds)]
    pub(crate) time_limit: std::time::Duration,
}

fn policy_parser() -> impl clap::builder::TypedValueParser<Value = Policy> {
    super::words(&Policy::ALL, Policy::word)
}
