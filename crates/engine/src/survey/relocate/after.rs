//! The disk as it will be when something has been moved: places, `..`, and texts that are others by then.
//!
//! The code that judges the present judges this, so a link that a move would break is known before.

use crate::folder::Folder;
use crate::live::Live;
use linkwell_model::entry::EntryKind;
use linkwell_model::path::{AbsPath, Component};
use linkwell_model::target::Target;
use linkwell_model::view::{Seen, View};
use std::collections::HashMap;
use std::sync::Arc;

/// What a move changes.
#[derive(Clone, Debug)]
pub(super) struct Moved {
    /// Where it stands.
    pub(super) top: AbsPath,
    /// Where it will stand.
    pub(super) dest: AbsPath,
    /// What it is.
    pub(super) kind: EntryKind,
    /// The link that is left at its old place.
    pub(super) leave: Option<Target>,
    /// Links that have another text then, by where they lie now.
    pub(super) texts: HashMap<AbsPath, Target>,
}

impl Moved {
    /// Where something will be that is at `place` now.
    pub(super) fn then(&self, place: &AbsPath) -> AbsPath {
        place.below(&self.top).map_or_else(|| place.clone(), |below| self.below_dest(below))
    }

    /// The place below the destination.
    pub(super) fn below_dest(&self, below: &[u8]) -> AbsPath {
        let mut place = self.dest.clone();
        below.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).for_each(|name| {
            place.push(name);
        });
        place
    }
}

/// The disk after a move. Its folders are named by where they lie now.
pub(super) struct After<'a> {
    pub(super) now: &'a mut Live,
    pub(super) moved: &'a Moved,
}

impl View for After<'_> {
    type Folder = Arc<Folder>;

    fn root(&self) -> Arc<Folder> {
        self.now.root()
    }

    fn look(&mut self, folder: &Arc<Folder>, component: Component<'_>) -> Seen<Arc<Folder>> {
        let moved = self.moved;
        let name = match component {
            Component::Here => return self.now.look(folder, component),
            Component::Up if folder.place() == moved.top => {
                return Seen::Folder(Folder::of_place(&moved.dest.parent()));
            }
            Component::Up => return self.now.look(folder, component),
            Component::Name(name) => name,
        };
        let place = folder.place().joined(name);
        if place == moved.dest {
            return match moved.kind {
                EntryKind::Folder => Seen::Folder(Folder::of_place(&moved.top)),
                kind => Seen::Other(kind),
            };
        }
        if place == moved.top {
            return match &moved.leave {
                Some(target) => Seen::Link(target.clone()),
                None => Seen::Missing,
            };
        }
        match moved.texts.get(&place) {
            Some(target) => Seen::Link(target.clone()),
            None => self.now.look(folder, component),
        }
    }

    fn place(&self, folder: &Arc<Folder>) -> AbsPath {
        self.moved.then(&folder.place())
    }
}
