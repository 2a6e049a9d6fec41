//! Where a path leads: every hop, and the end.
//!
//! One pure function, component by component, as the kernel walks (path_resolution(7)): a link
//! pushes the components of its target, `..` is taken on the physical folder reached so far, and
//! the 41st link is refused.

use crate::entry::EntryKind;
use crate::path::{self, AbsPath, Component};
use crate::target::Target;
use crate::view::{Seen, View};

/// How many links one path may pass on Linux (`MAXSYMLINKS`, include/linux/namei.h); one more
/// is ELOOP.
pub const MOST_HOPS: usize = 40;

/// One link passed on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hop<Folder> {
    /// The folder in which the link physically stands.
    pub folder: Folder,
    /// The link's name there.
    pub name: Box<[u8]>,
    /// The text it holds.
    pub target: Target,
}

/// What a chain ends in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End<Folder> {
    /// It ends in something that exists.
    Found(Destination<Folder>),
    /// A component is not there.
    Missing,
    /// A component that must be a folder is something else.
    NotADirectory(EntryKind),
    /// The chain returns to itself.
    Loop,
    /// No loop, but more than [`MOST_HOPS`] links.
    TooManyHops,
    /// The system does not let us look further.
    Denied,
    /// No answer from there.
    Unavailable,
}

/// The existing thing that a chain leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination<Folder> {
    /// A folder.
    Folder(Folder),
    /// Anything else.
    Other(EntryKind),
}

impl<Folder> End<Folder> {
    /// The word used in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Found(_) => "found",
            Self::Missing => "missing",
            Self::NotADirectory(_) => "not_a_directory",
            Self::Loop => "loop",
            Self::TooManyHops => "too_many_hops",
            Self::Denied => "denied",
            Self::Unavailable => "unavailable",
        }
    }
}

/// A path followed to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain<Folder> {
    /// Each link passed, in order.
    pub hops: Vec<Hop<Folder>>,
    /// What it ends in.
    pub end: End<Folder>,
    /// The last folder that was reached: for an end that is not found, the nearest existing
    /// folder above what failed.
    pub folder: Folder,
    /// The component of `folder` at which it ended; empty when it ended in `folder` itself.
    pub name: Box<[u8]>,
    /// What of the path was still to be walked when it failed, without the failing component.
    pub rest: Vec<u8>,
    /// Every folder that was entered or asked on the way, in order.
    pub passed: Vec<Folder>,
}

impl<Folder: Clone> Chain<Folder> {
    /// The physical place where the chain ended: the destination, or what failed.
    pub fn end_at<V: View<Folder = Folder>>(&self, view: &V) -> AbsPath {
        let mut place = view.place(&self.folder);
        if !self.name.is_empty() {
            place.push(&self.name);
        }
        place
    }
}

/// Work still to do, last first.
enum Todo {
    Component(Box<[u8]>),
    /// The trailing slash of a target or path.
    MustBeFolder,
    /// All of the target of the hop with this number has been walked.
    Walked(usize),
}

/// Follows `path`, read from `start` when it is relative, through every link.
///
/// At most [`MOST_HOPS`] links are passed and one more is looked at, whatever the tree. A link that
/// needs itself to be resolved (`x → x/y`) is [`End::Loop`] at once. The empty path is
/// [`End::Missing`], as for the kernel (ENOENT).
///
/// Not guaranteed: a consistent picture of a tree that changes meanwhile.
pub fn resolve<V: View>(view: &mut V, start: &V::Folder, path: &[u8]) -> Chain<V::Folder> {
    let mut walk = Walk {
        todo: Vec::new(),
        open: Vec::new(),
        chain: Chain {
            hops: Vec::new(),
            end: End::Missing,
            folder: start.clone(),
            name: Box::default(),
            rest: Vec::new(),
            passed: Vec::new(),
        },
    };
    if path.is_empty() {
        return walk.chain;
    }
    walk.push_text(path);
    if path::is_absolute(path) {
        walk.chain.folder = view.root();
    }
    walk.chain.passed.push(walk.chain.folder.clone());
    walk.run(view);
    walk.chain
}

struct Walk<Folder> {
    todo: Vec<Todo>,
    /// The hops whose targets are being walked: meeting one of them again is a loop.
    open: Vec<usize>,
    chain: Chain<Folder>,
}

impl<Folder: Clone + PartialEq> Walk<Folder> {
    fn push_text(&mut self, text: &[u8]) {
        if path::ends_as_folder(text) {
            self.todo.push(Todo::MustBeFolder);
        }
        for piece in text.split(|&byte| byte == b'/').rev().filter(|piece| !piece.is_empty()) {
            self.todo.push(Todo::Component(piece.into()));
        }
    }

    fn run<V: View<Folder = Folder>>(&mut self, view: &mut V) {
        while let Some(todo) = self.todo.pop() {
            match todo {
                Todo::MustBeFolder => {}
                Todo::Walked(hop) => self.open.retain(|&open| open != hop),
                Todo::Component(name) => {
                    if !self.step(view, name) {
                        self.chain.rest = self.rest();
                        return;
                    }
                }
            }
        }
        self.chain.end = End::Found(Destination::Folder(self.chain.folder.clone()));
    }

    /// Walks one component; `false` when the chain has ended.
    fn step<V: View<Folder = Folder>>(&mut self, view: &mut V, name: Box<[u8]>) -> bool {
        let component = match &*name {
            b"." => Component::Here,
            b".." => Component::Up,
            other => Component::Name(other),
        };
        let end = match view.look(&self.chain.folder, component) {
            Seen::Folder(folder) => {
                self.chain.folder = folder.clone();
                self.chain.passed.push(folder);
                return true;
            }
            Seen::Link(target) => return self.hop(view, name, target),
            Seen::Other(kind) if self.needs_folder() => End::NotADirectory(kind),
            Seen::Other(kind) => End::Found(Destination::Other(kind)),
            Seen::Missing => End::Missing,
            Seen::Denied => End::Denied,
            Seen::Unavailable => End::Unavailable,
        };
        self.chain.end = end;
        self.chain.name = if matches!(&*name, b"." | b"..") { Box::default() } else { name };
        false
    }

    fn hop<V: View<Folder = Folder>>(
        &mut self,
        view: &mut V,
        name: Box<[u8]>,
        target: Target,
    ) -> bool {
        let again = self
            .open
            .iter()
            .filter_map(|&hop| self.chain.hops.get(hop))
            .any(|open| open.name == name && open.folder == self.chain.folder);
        if again || self.chain.hops.len() == MOST_HOPS {
            self.chain.end = if again { End::Loop } else { End::TooManyHops };
            self.chain.name = name;
            return false;
        }
        let number = self.chain.hops.len();
        self.open.push(number);
        self.todo.push(Todo::Walked(number));
        self.push_text(target.as_bytes());
        let folder = self.chain.folder.clone();
        if target.is_absolute() {
            self.chain.folder = view.root();
            self.chain.passed.push(self.chain.folder.clone());
        }
        self.chain.hops.push(Hop { folder, name, target });
        true
    }

    /// Whether what was just looked at must be a folder for the walk to go on.
    fn needs_folder(&self) -> bool {
        self.todo.iter().any(|todo| !matches!(todo, Todo::Walked(_)))
    }

    fn rest(&self) -> Vec<u8> {
        let mut rest = Vec::new();
        for todo in self.todo.iter().rev() {
            if let Todo::Component(name) = todo {
                if !rest.is_empty() {
                    rest.push(b'/');
                }
                rest.extend_from_slice(name);
            }
        }
        rest
    }
}

#[cfg(test)]
#[path = "chain_tests.rs"]
pub(crate) mod tests;
