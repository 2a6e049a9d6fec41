//! What people had other link tools make, read so that it can be made here.
//!
//! Nothing of theirs is run, and nothing is changed by reading: what comes of it are links that are wanted.

pub mod dotbot;
pub mod stow;

use linkwell_model::path::AbsPath;
use linkwell_model::plan::Why;
use linkwell_model::plan::spelling::Style;
use std::collections::BTreeSet;

/// A link that is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Where it shall stand.
    pub at: AbsPath,
    /// Where it shall lead.
    pub to: AbsPath,
    /// How it shall be written.
    pub style: Style,
}

/// What was read.
#[derive(Clone, Debug, Default)]
pub struct Read {
    /// The links, in order.
    pub links: Vec<Asked>,
    /// Real folders that are wanted, whether links will stand in them or not.
    pub folders: BTreeSet<AbsPath>,
    /// What cannot be taken over, by its path; all the rest can.
    pub problems: Vec<(Vec<u8>, Why)>,
    /// What else a person should know.
    pub remarks: Vec<String>,
}

impl Read {
    fn problem(&mut self, path: &[u8], what: String, hint: Option<&str>) {
        let why = Why::Other { what, hint: hint.map(Into::into) };
        self.problems.push((path.to_vec(), why));
    }
}
