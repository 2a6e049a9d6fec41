//! What a judged scan is asked for, and what it gives.

use super::{Options, Problem, hard};
use crate::judge::{Depth, Verdict};
use linkwell_model::chain::End;
use linkwell_model::entry::LinkKind;
use linkwell_model::expected::Absent;
use linkwell_model::health::Health;
use linkwell_model::keep::link::Terms;
use linkwell_model::note::Notes;
use linkwell_model::path::AbsPath;

/// What is wanted of a scan.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// How much is to be found out about each link.
    pub depth: Depth,
    /// Count and note second links to one destination.
    pub doubled: bool,
    /// Group the names of files that have several.
    pub hard: bool,
    /// Open files, to find shortcuts and text stubs.
    pub shortcuts: bool,
    /// Where to look.
    pub options: Options,
}

/// A link, found and judged.
#[derive(Debug)]
pub struct Item<'a> {
    /// Its path, as a person would type it.
    pub path: &'a [u8],
    /// What kind of link.
    pub kind: LinkKind,
    /// The text it holds; `None` when it holds none or could not be read.
    pub target: Option<&'a [u8]>,
    /// Its health.
    pub health: Health,
    /// Its notes.
    pub notes: Notes,
    /// Where its destination lies; only with [`Depth::Everything`].
    pub physical: Option<AbsPath>,
    /// Links passed on the way, itself included; only with [`Depth::Everything`].
    pub hops: usize,
    /// For a link that leads nowhere: the place that is missing, refused or unanswering.
    pub ends_at: Option<AbsPath>,
    /// The volume that should hold its destination and is not attached.
    pub absent: Option<&'a Absent>,
    /// For one of several names of a file: the group.
    pub group: Option<hard::Group>,
    /// For a link on record: by whom, and its policy.
    pub record: Option<Terms>,
    /// The way, where it was walked.
    pub verdict: Option<&'a Verdict>,
}

impl Item<'_> {
    /// Whether the way is whole, and the kernel refuses to go it all the same: on volumes where
    /// links are not followed, and where links of other people are not.
    pub fn is_refused(&self) -> bool {
        matches!(self.health, Health::Denied | Health::Loop)
            && self
                .verdict
                .and_then(|verdict| verdict.chain.as_ref())
                .is_some_and(|chain| matches!(chain.end, End::Found(_)))
    }

    /// For a link that is denied: the folder that may not be searched, where the way ended there.
    pub fn closed_folder(&self) -> Option<AbsPath> {
        let chain = self.verdict?.chain.as_ref()?;
        matches!(chain.end, End::Denied).then(|| chain.folder.place())
    }
}

/// Where a thread of a judged scan puts what it finds.
pub trait Sink: Send + 'static {
    /// A link.
    fn item(&mut self, item: &Item<'_>);
    /// Something could not be looked at.
    fn problem(&mut self, problem: &Problem);
    /// Another volume is mounted here and was not entered.
    fn other_volume(&mut self, path: &[u8]);
    /// A convenient moment to pass things on.
    fn pause(&mut self);
    /// Pass on everything now.
    fn settle(&mut self);
}
