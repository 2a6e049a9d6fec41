//! How a file system looks, whoever looked.

use crate::entry::EntryKind;
use crate::path::{AbsPath, Component};
use crate::target::Target;

/// What a view sees at one component of one folder, not followed.
#[derive(Clone, Debug)]
pub enum Seen<Folder> {
    /// A folder.
    Folder(Folder),
    /// A symbolic link, with its text.
    Link(Target),
    /// Anything else that exists.
    Other(EntryKind),
    /// Nothing has this name.
    Missing,
    /// The system does not let us look.
    Denied,
    /// No answer: the volume is hung, asleep behind an automount, or failing.
    Unavailable,
}

/// A file system as somebody sees it: the live disk, a survey, or a survey with a plan laid over.
///
/// A view never follows a link; [`crate::chain::resolve`] does, one hop at a time.
pub trait View {
    /// A folder of this view. Two equal folders are the same physical place.
    type Folder: Clone + PartialEq;

    /// The root of the file system.
    fn root(&self) -> Self::Folder;

    /// What stands at `component` of `folder`. For [`Component::Here`] and [`Component::Up`] the
    /// answer is a folder, or `Denied` when `folder` may not be searched; `..` is physical.
    fn look(&mut self, folder: &Self::Folder, component: Component<'_>) -> Seen<Self::Folder>;

    /// Where the folder lies, physically.
    fn place(&self, folder: &Self::Folder) -> AbsPath;
}
