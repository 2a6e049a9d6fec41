//! What `linkwell clients` understands.

use clap::Args as ClapArgs;

pub(super) const CLIENTS: &str = "\
Examples:
  linkwell clients                      which sync and backup clients are here
  linkwell clients dropbox              all that is known of Dropbox, and whose word it is
  linkwell clients --json | jq -r 'select(.type == \"client\") | .roots[].path'
                                        the folders that are synced, for another program";

/// `linkwell clients`.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Clients {
    /// Clients to tell everything about, whether they are on this computer or not.
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,

    /// Every client that is known, whether it is on this computer or not.
    #[arg(long, conflicts_with = "names")]
    pub(crate) all: bool,

    /// Everything that is known of each, and whose word it is.
    #[arg(short, long)]
    pub(crate) verbose: bool,

    /// Print one JSON object a line (documented in docs/json.md).
    #[arg(long)]
    pub(crate) json: bool,

    /// How long a remote volume may take to answer.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = super::seconds)]
    pub(crate) time_limit: std::time::Duration,
}
