//! How a file system will look when a plan has been carried out.
//!
//! The future is judged by the code that judges the present: [`crate::chain::resolve`] on this view
//! says whether a link will be sound.

use crate::entry::EntryKind;
use crate::path::{AbsPath, Component};
use crate::target::Target;
use crate::view::{Seen, View};
use std::collections::{HashMap, HashSet};

/// What a plan lays over a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Laid {
    /// Nothing will be there.
    Nothing,
    /// A link will.
    Link(Target),
    /// Something that is neither link nor folder will.
    Other(EntryKind),
    /// A folder will that looks as the one at this place does now: a copy, or the same one moved.
    Like(AbsPath),
}

/// What a plan lays over a file system.
#[derive(Debug, Default)]
pub struct Overlay {
    /// By place.
    places: HashMap<AbsPath, Laid>,
    /// The last names of these places: most names that are asked for are not among them, and the place
    /// of a folder costs more to find out.
    names: HashSet<Box<[u8]>>,
}

impl Overlay {
    /// Lays something over the name `name` in the folder at `folder`. What was laid there before no
    /// longer counts.
    pub fn lay(&mut self, folder: &AbsPath, name: &[u8], laid: Laid) {
        self.places.insert(folder.joined(name), laid);
        if !self.names.contains(name) {
            self.names.insert(name.into());
        }
    }

    /// What was laid over that name, if anything.
    pub fn at(&self, folder: &AbsPath, name: &[u8]) -> Option<&Laid> {
        self.places.get(&folder.joined(name))
    }

    /// Whether anything was laid over this name, in whatever folder.
    pub fn at_name(&self, name: &[u8]) -> bool {
        self.names.contains(name)
    }

    /// Whether nothing is laid over anything.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

/// A view with an overlay.
pub struct Planned<'a, V: View> {
    /// How it looks now.
    pub now: &'a mut V,
    /// What will be otherwise.
    pub overlay: &'a Overlay,
}

impl<V: View> View for Planned<'_, V> {
    type Folder = V::Folder;

    fn root(&self) -> V::Folder {
        self.now.root()
    }

    fn look(&mut self, folder: &V::Folder, component: Component<'_>) -> Seen<V::Folder> {
        let Component::Name(name) = component else { return self.now.look(folder, component) };
        if !self.overlay.at_name(name) {
            return self.now.look(folder, component);
        }
        match self.overlay.at(&self.now.place(folder), name) {
            None => self.now.look(folder, component),
            Some(Laid::Nothing) => Seen::Missing,
            Some(Laid::Link(target)) => Seen::Link(target.clone()),
            Some(Laid::Other(kind)) => Seen::Other(*kind),
            Some(Laid::Like(place)) => {
                let mut like = self.now.root();
                for name in place.names() {
                    match self.now.look(&like, Component::Name(name)) {
                        Seen::Folder(folder) => like = folder,
                        seen => return seen,
                    }
                }
                Seen::Folder(like)
            }
        }
    }

    fn place(&self, folder: &V::Folder) -> AbsPath {
        self.now.place(folder)
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;
    use crate::chain::tests::world;
    use crate::chain::{End, resolve};

    fn place(text: &str) -> AbsPath {
        AbsPath::cleaned(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_link_is_judged_as_it_will_be() {
        let mut now = world(&[("/a", None), ("/a/f", Some("")), ("/a/old", Some("f"))]);
        let mut overlay = Overlay::default();
        overlay.lay(&place("/a"), b"new", Laid::Link(Target::new(&b"old"[..])));
        let mut end = |overlay: &Overlay, path: &[u8]| {
            let mut planned = Planned { now: &mut now, overlay };
            let root = planned.root();
            resolve(&mut planned, &root, path).end.word()
        };
        assert_eq!(end(&overlay, b"/a/new"), "found");
        overlay.lay(&place("/a"), b"old", Laid::Nothing);
        assert_eq!(end(&overlay, b"/a/new"), "missing");
        overlay.lay(&place("/a"), b"old", Laid::Link(Target::new(&b"new"[..])));
        assert_eq!(end(&overlay, b"/a/new"), End::<()>::Loop.word());
        overlay.lay(&place("/a"), b"copy", Laid::Like(place("/a")));
        assert_eq!(end(&overlay, b"/a/copy/f"), "found");
    }
}
