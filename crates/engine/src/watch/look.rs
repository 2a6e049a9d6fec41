//! How one link stands now.

use crate::catalogue::links::Seen;
use crate::folder::Folder;
use crate::judge::{self, Found};
use crate::likeness::{Depth, Looker};
use crate::live::Live;
use crate::look;
use crate::system::{Access, Facts, System};
use crate::track::{self, Step, Tracker};
use crate::volumes::Volumes;
use linkwell_model::entry::{EntryKind, Identity};
use linkwell_model::health::Health;
use linkwell_model::keep::likeness::Likeness;
use linkwell_model::keep::link::Kept;
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::Object;
use linkwell_model::target::Target;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::io::Errno;
use std::sync::Arc;

/// What a look at a link came to.
#[derive(Debug)]
pub(super) enum Looked {
    /// The link stands with its text, and there is what it leads to.
    Sound(Identity, AbsPath, Box<Likeness>),
    /// The link stands with its text, and leads to nothing.
    Vacant,
    /// It, or what it leads to, may not be looked at.
    Unseen,
    /// A link with another text stands there.
    Retargeted(Target),
    /// Something real stands there.
    Replaced(EntryKind),
    /// Nothing stands there.
    Gone,
}

/// So many folders are kept open in a round: links and what they lead to alternate, and come in the order of
/// their folders.
const MOST_OPEN: usize = 8;

/// A folder by names only, open.
#[derive(Clone)]
struct Open {
    place: AbsPath,
    folder: Arc<Folder>,
    descriptor: Arc<OwnedFd>,
    facts: Facts,
}

/// One round of looking: what is learned of the way to things is remembered until its end, and no longer.
pub(super) struct Round<'v> {
    pub(super) system: System,
    tracker: Tracker<'v>,
    volumes: &'v Volumes,
    looker: Looker<'v>,
    deep: Looker<'v>,
    live: Live,
    /// The one that was used last comes last.
    open: Vec<Open>,
}

impl<'v> Round<'v> {
    pub(super) fn new(system: System, volumes: &'v Arc<Volumes>) -> Self {
        Self {
            system,
            tracker: Tracker::new(system, volumes, Depth::Facts),
            volumes,
            looker: Looker::new(system, volumes.mounts()),
            deep: Looker::new(system, volumes.mounts()),
            live: Live::new(system, Arc::clone(volumes)),
            open: Vec::with_capacity(MOST_OPEN),
        }
    }

    fn open(&mut self, place: &AbsPath) -> Result<Open, Errno> {
        if let Some(known) = self.open.iter().rposition(|open| open.place == *place) {
            let known = self.open.remove(known);
            self.open.push(known.clone());
            return Ok(known);
        }
        if !self.volumes.gives_answer(place) {
            return Err(Errno::TIMEDOUT);
        }
        let descriptor = Folder::of_place(place).open(self.system, Access::Hold)?;
        let facts = self.system.facts_of(descriptor.as_fd())?;
        let folder = Folder::held(place, rustix::io::fcntl_dupfd_cloexec(&descriptor, 0)?);
        let descriptor = Arc::new(descriptor);
        let open = Open { place: place.clone(), folder, descriptor, facts };
        if self.open.len() >= MOST_OPEN {
            self.open.remove(0);
        }
        self.open.push(open.clone());
        Ok(open)
    }

    /// What is to be recorded of a link; `target` is what it leads to.
    pub(super) fn seen(&mut self, link: Kept, target: Option<Likeness>) -> Seen {
        let ties = self.open(&link.folder).map(|open| {
            let held = open.descriptor.as_fd();
            self.tracker.ties(&open.folder, held, &link.name, &link.target, &link.to)
        });
        Seen { link, target, ties: ties.unwrap_or_default() }
    }

    pub(super) fn look(&mut self, link: &Kept) -> Looked {
        let open = match self.open(&link.folder) {
            Ok(opened) => opened,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Looked::Gone,
            Err(_) => return Looked::Unseen,
        };
        // Something may have been mounted in the place of the link.
        if !self.volumes.may_enter(&link.place()) {
            return Looked::Unseen;
        }
        let held = open.descriptor.as_fd();
        let id = match look::object(self.system, held, link.name.as_bytes()) {
            Ok(Some(Object::Link { target, id, .. })) if target == link.target => id,
            Ok(Some(Object::Link { target, .. })) => return Looked::Retargeted(target),
            Ok(Some(other)) => return Looked::Replaced(other.kind()),
            Ok(None) => return Looked::Gone,
            Err(_) => return Looked::Unseen,
        };
        let step = self.tracker.step(&open.folder, &link.target);
        match step.found {
            track::Found::Here(found) => Looked::Sound(id, step.to, found),
            track::Found::Nothing => Looked::Vacant,
            track::Found::Unseen => Looked::Unseen,
        }
    }

    /// Where a text leads from a folder.
    pub(super) fn step(&mut self, folder: &AbsPath, text: &Target) -> Option<Step> {
        let open = self.open(folder).ok()?;
        Some(self.tracker.step(&open.folder, text))
    }

    /// What stands at a place, by names only, with the facts of its folder; `deep` with its sums.
    pub(super) fn at(&mut self, place: &AbsPath, deep: bool) -> Result<(Likeness, Facts), Errno> {
        let Some((above, name)) = place.split() else { return Err(Errno::NOENT) };
        let open = self.open(&above)?;
        if !self.volumes.may_enter(place) {
            return Err(Errno::TIMEDOUT);
        }
        let held = open.descriptor.as_fd();
        let found = if deep {
            self.deep.look(held, &name, Depth::Ends)
        } else {
            self.looker.look(held, &name, Depth::Facts)
        };
        found.map(|found| (found, open.facts))
    }

    /// Which object stands at a place, by names only, and of what kind.
    pub(super) fn which(&mut self, place: &AbsPath) -> Result<(Identity, EntryKind), Errno> {
        let Some((above, name)) = place.split() else { return Err(Errno::NOENT) };
        let open = self.open(&above)?;
        if !self.volumes.may_enter(place) {
            return Err(Errno::TIMEDOUT);
        }
        let facts = self.system.facts(open.descriptor.as_fd(), name.as_bytes())?;
        Ok((facts.id, facts.kind))
    }

    /// Which link stands at a place, with which text.
    pub(super) fn link_at(&mut self, place: &AbsPath) -> Option<(Identity, Target)> {
        let (above, name) = place.split()?;
        let open = self.open(&above).ok()?;
        if !self.volumes.may_enter(place) {
            return None;
        }
        match look::object(self.system, open.descriptor.as_fd(), name.as_bytes()) {
            Ok(Some(Object::Link { target, id, .. })) => Some((id, target)),
            _ => None,
        }
    }

    /// The health of a link that leads to nothing: whether its volume is away, or nobody can say.
    pub(super) fn health(&mut self, folder: &AbsPath, name: &Name, text: &Target) -> Health {
        let Ok(open) = self.open(folder) else { return Health::Unknown };
        let found = Found::new(&open.folder, open.descriptor.as_fd(), name.as_bytes());
        let depth = judge::Depth::Health;
        judge::judge(&mut self.live, found, text.as_bytes(), &AbsPath::root(), depth).health
    }

    /// The links on the way of a text, that is before its last step, as places.
    pub(super) fn way(&mut self, folder: &AbsPath, text: &Target) -> Vec<AbsPath> {
        let Ok(open) = self.open(folder) else { return Vec::new() };
        let chain = linkwell_model::chain::resolve(&mut self.live, &open.folder, text.as_bytes());
        chain.hops.iter().map(|hop| hop.folder.place().joined(&hop.name)).collect()
    }
}
