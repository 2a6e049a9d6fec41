//! A link as it is put on record: itself, what it leads to, and the links on its way.
//!
//! What a link leads to is one step: the entry that its text names, links on the way followed, the last
//! one not. So of a chain each link has its own record, and when something moves only the link that broke
//! is mended.

use crate::catalogue::links::Seen;
use crate::folder::Folder;
use crate::likeness::{Depth, Looker};
use crate::live::Live;
use crate::look;
use crate::operator::Held;
use crate::system::{Access, System};
use crate::volumes::Volumes;
use linkwell_model::chain::{Chain, Destination, End, resolve};
use linkwell_model::entry::LinkKind;
use linkwell_model::keep::likeness::Likeness;
use linkwell_model::keep::link::{By, Kept, Policy};
use linkwell_model::name::Name;
use linkwell_model::path::{self, AbsPath, Component};
use linkwell_model::plan::Object;
use linkwell_model::target::Target;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::sync::Arc;

/// Where one step of a link leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The entry that the text names, physically as far as the way exists, and as written from there on.
    pub to: AbsPath,
    /// What is there.
    pub found: Found,
}

/// What a look at the end of a step came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// This.
    Here(Box<Likeness>),
    /// Nothing: a component is not there, or is no folder.
    Nothing,
    /// It may not be looked at, gives no answer, or the way is a circle.
    Unseen,
}

/// Looks at links for the record. One for each thread.
pub struct Tracker<'v> {
    system: System,
    live: Live,
    looker: Looker<'v>,
    depth: Depth,
    /// The folder that the last step led into, open.
    last: Option<(AbsPath, Arc<OwnedFd>)>,
}

impl<'v> Tracker<'v> {
    /// `depth`: how much is found out about what links lead to.
    pub fn new(system: System, volumes: &'v Arc<Volumes>, depth: Depth) -> Self {
        Self {
            system,
            live: Live::new(system, Arc::clone(volumes)),
            looker: Looker::new(system, volumes.mounts()),
            depth,
            last: None,
        }
    }

    /// The same, for a thread that outlives whoever starts it.
    pub fn shared(system: System, volumes: &Arc<Volumes>, depth: Depth) -> Tracker<'static> {
        Tracker {
            system,
            live: Live::new(system, Arc::clone(volumes)),
            looker: Looker::shared(system, Arc::clone(volumes)),
            depth,
            last: None,
        }
    }

    /// What is to be recorded of the link `name` in a held folder: itself first, then each link on its way,
    /// as *by the way*. Empty when it is no link.
    ///
    /// # Errors
    /// The system's, when the link itself cannot be looked at.
    pub fn link(
        &mut self,
        folder: &Arc<Folder>,
        held: BorrowedFd<'_>,
        name: &Name,
        by: By,
    ) -> Result<Vec<Seen>, Errno> {
        let Some(Object::Link { target, id, .. }) =
            look::object(self.system, held, name.as_bytes())?
        else {
            return Ok(Vec::new());
        };
        let read = Some((name.as_bytes(), target.as_bytes()));
        let chain = resolve(&mut self.live.from(folder, held, read), folder, name.as_bytes());
        let own = self.step(folder, &target);
        let depends = ties(&self.live, folder, &target, &chain, &own.to);
        let mut first = seen(folder.place(), name.clone(), target, id, by, own);
        first.ties = depends;
        let mut all = vec![first];
        for hop in chain.hops.iter().skip(1) {
            let Some(name) = Name::new(&*hop.name) else { continue };
            let Ok(at) = hop.folder.open(self.system, Access::Hold) else { continue };
            let Ok(found) = self.system.facts(at.as_fd(), name.as_bytes()) else { continue };
            let read = Some((name.as_bytes(), hop.target.as_bytes()));
            let mut view = self.live.from(&hop.folder, at.as_fd(), read);
            let its = resolve(&mut view, &hop.folder, name.as_bytes());
            let step = self.step(&hop.folder, &hop.target);
            let depends = ties(&self.live, &hop.folder, &hop.target, &its, &step.to);
            let place = hop.folder.place();
            let mut way = seen(place, name, hop.target.clone(), found.id, By::Way, step);
            way.ties = depends;
            all.push(way);
        }
        Ok(all)
    }

    /// The places beside its step `to` on which the link `name` with this text depends ([`Seen::ties`]).
    pub fn ties(
        &mut self,
        folder: &Arc<Folder>,
        held: BorrowedFd<'_>,
        name: &Name,
        text: &Target,
        to: &AbsPath,
    ) -> Vec<AbsPath> {
        let read = Some((name.as_bytes(), text.as_bytes()));
        let chain = resolve(&mut self.live.from(folder, held, read), folder, name.as_bytes());
        ties(&self.live, folder, text, &chain, to)
    }

    /// Where a text leads from the folder that its link stands in.
    pub fn step(&mut self, folder: &Arc<Folder>, text: &Target) -> Step {
        let bytes = text.as_bytes();
        let last = path::components(bytes).next_back();
        let Some(Component::Name(last)) = last else {
            return self.folder_step(folder, bytes);
        };
        let trimmed = bytes.iter().rposition(|byte| *byte != b'/').map_or(0, |end| end + 1);
        let way = bytes.get(..trimmed.saturating_sub(last.len())).unwrap_or_default();
        let way = if way.is_empty() { b"." } else { way };
        let chain = resolve(&mut self.live, folder, way);
        let into = match &chain.end {
            End::Found(Destination::Folder(into)) => Arc::clone(into),
            end => {
                let mut to = chain.end_at(&self.live);
                to.extend_as_text(&chain.rest);
                to.push(last);
                return Step { to, found: unfound(end) };
            }
        };
        let to = into.place().joined(last);
        let Some(name) = Name::new(last) else { return Step { to, found: Found::Nothing } };
        if !self.live.volumes().may_enter(&to) {
            return Step { to, found: Found::Unseen };
        }
        let found = self.open(&into).and_then(|at| self.looker.look(at.as_fd(), &name, self.depth));
        Step { to, found: of_look(found) }
    }

    /// The step of a text that ends in `.`, `..` or is `/`: a folder without a name of its own.
    fn folder_step(&mut self, folder: &Arc<Folder>, bytes: &[u8]) -> Step {
        let chain = resolve(&mut self.live, folder, bytes);
        let End::Found(Destination::Folder(into)) = &chain.end else {
            let mut to = chain.end_at(&self.live);
            to.extend_as_text(&chain.rest);
            return Step { to, found: unfound(&chain.end) };
        };
        let place = into.place();
        let found = self.open(into).and_then(|at| {
            let held = Held { folder: at, place: place.clone() };
            self.looker.of_folder(&held, self.depth)
        });
        Step { to: place, found: of_look(found) }
    }

    fn open(&mut self, folder: &Arc<Folder>) -> Result<Arc<OwnedFd>, Errno> {
        let place = folder.place();
        if let Some((known, open)) = &self.last
            && *known == place
        {
            return Ok(Arc::clone(open));
        }
        let open = Arc::new(folder.open(self.system, Access::Hold)?);
        self.last = Some((place, Arc::clone(&open)));
        Ok(open)
    }

    /// Forgets what was seen of the disk, since it may have changed.
    pub fn forget(&mut self) {
        self.live.forget();
        self.last = None;
    }
}

/// Whether a text only goes up, and then only down: `../../a/b`, `/a/b`.
fn is_plain(text: &[u8]) -> bool {
    let mut down = false;
    path::components(text).all(|component| match component {
        Component::Here => true,
        Component::Up => !down,
        Component::Name(_) => {
            down = true;
            true
        }
    })
}

/// The places beside its step that a link depends on: links on its way, folders that it passes and leaves
/// again, and where its text seems to lead. Of most links there are none.
fn ties(
    live: &Live,
    folder: &Arc<Folder>,
    text: &Target,
    chain: &Chain<Arc<Folder>>,
    to: &AbsPath,
) -> Vec<AbsPath> {
    let bytes = text.as_bytes();
    if chain.hops.len() == 1 && is_plain(bytes) {
        return Vec::new();
    }
    let own = folder.place();
    let end = chain.end_at(live);
    let mut all = Vec::new();
    for hop in chain.hops.iter().skip(1) {
        all.push(hop.folder.place().joined(&hop.name));
    }
    // Going up from the link itself is leaving, not passing.
    let mut leaving = (!text.is_absolute()).then(|| own.clone());
    for (number, passed) in chain.passed.iter().enumerate() {
        let place = passed.place();
        if let Some(last) = &leaving {
            if number == 0 || place == last.parent() {
                leaving = Some(place);
                continue;
            }
            leaving = None;
        }
        if !to.is_at_or_below(&place) && !end.is_at_or_below(&place) {
            all.push(place);
        }
    }
    let mut written = if text.is_absolute() { AbsPath::root() } else { own };
    written.extend_as_text(bytes);
    all.push(written);
    all.push(end);
    all.sort_unstable();
    all.dedup();
    all.retain(|place| place != to);
    all
}

fn of_look(found: Result<Likeness, Errno>) -> Found {
    match found {
        Ok(found) => Found::Here(Box::new(found)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG) => Found::Nothing,
        Err(_) => Found::Unseen,
    }
}

fn unfound<F>(end: &End<F>) -> Found {
    match end {
        End::Missing | End::NotADirectory(_) | End::Found(_) => Found::Nothing,
        End::Loop | End::TooManyHops | End::Denied | End::Unavailable => Found::Unseen,
    }
}

fn seen(
    folder: AbsPath,
    name: Name,
    target: Target,
    id: linkwell_model::entry::Identity,
    by: By,
    step: Step,
) -> Seen {
    let found = match step.found {
        Found::Here(found) => Some(*found),
        Found::Nothing | Found::Unseen => None,
    };
    let policy = Policy::default();
    let kind = LinkKind::Symlink;
    let link = Kept { folder, name, target, kind, id, to: step.to, by, policy };
    Seen { link, target: found, ties: Vec::new() }
}
