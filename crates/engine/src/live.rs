//! The disk as a [`View`], for the resolver.
//!
//! Folders and links that were seen are remembered for the life of one `Live`, since thousands of
//! links lead through the same few folders. What a path ends in is always looked at anew.

use crate::folder::Folder;
use crate::system::{Links, System};
use crate::volumes::Volumes;
use hashbrown::HashMap;
use linkwell_model::chain::{Destination, End, resolve};
use linkwell_model::entry::EntryKind;
use linkwell_model::path::{self, AbsPath, Component};
use linkwell_model::target::Target;
use linkwell_model::view::{Seen, View};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// How many folders and links are remembered before all are forgotten: about half a megabyte, for
/// each of up to 64 threads. A walk goes depth first, so what comes next is mostly near.
const MOST_REMEMBERED: usize = 2 * 1024;

/// A name in a folder that is kept alive by this very key.
struct Place {
    folder: Arc<Folder>,
    name: Box<[u8]>,
}

impl Hash for Place {
    fn hash<H: Hasher>(&self, state: &mut H) {
        PlaceRef { folder: &self.folder, name: &self.name }.hash(state);
    }
}

impl PartialEq for Place {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.folder, &other.folder) && self.name == other.name
    }
}

impl Eq for Place {}

struct PlaceRef<'a> {
    folder: &'a Arc<Folder>,
    name: &'a [u8],
}

impl Hash for PlaceRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(self.folder).hash(state);
        self.name.hash(state);
    }
}

impl hashbrown::Equivalent<Place> for PlaceRef<'_> {
    fn equivalent(&self, key: &Place) -> bool {
        Arc::ptr_eq(self.folder, &key.folder) && *self.name == *key.name
    }
}

/// What the remembered things are.
enum Known {
    Folder(Arc<Folder>),
    Link(Target),
}

/// The live file system, seen by one thread.
pub struct Live {
    system: System,
    volumes: Arc<Volumes>,
    root: Arc<Folder>,
    known: HashMap<Place, Known>,
    /// How much doubt there was when the first of it was learned.
    doubts: u64,
    buffer: Vec<u8>,
}

impl Live {
    /// The disk with these volumes.
    pub fn new(system: System, volumes: Arc<Volumes>) -> Self {
        Self {
            system,
            volumes,
            root: Folder::root(),
            known: HashMap::new(),
            doubts: 0,
            buffer: Vec::new(),
        }
    }

    /// The system's calls that this view uses.
    pub fn system(&self) -> System {
        self.system
    }

    /// The volumes that this view respects.
    pub fn volumes(&self) -> &Volumes {
        &self.volumes
    }

    /// Forgets all that was seen.
    pub fn forget(&mut self) {
        self.known.clear();
    }

    /// The place that gives no answer on the way to `path`, if there is one: looking at the path by
    /// a call of the system would hang, or wake an automount. What a link at the path itself
    /// leads to does not count, unless a slash follows.
    pub fn unanswered(&mut self, start: &Arc<Folder>, path: &[u8]) -> Option<AbsPath> {
        let last = path::components(path).next_back();
        let (way, name) = match last {
            Some(Component::Name(name)) if !path::ends_as_folder(path) => {
                (path.get(..path.len() - name.len()).unwrap_or_default(), Some(name))
            }
            _ => (path, None),
        };
        let mut folder = Arc::clone(start);
        if !way.is_empty() {
            let chain = resolve(self, start, way);
            match &chain.end {
                End::Unavailable => return Some(chain.end_at(self)),
                End::Found(Destination::Folder(found)) => folder = Arc::clone(found),
                _ => return None,
            }
        }
        let name = name?;
        let seen = self.look(&folder, Component::Name(name));
        matches!(seen, Seen::Unavailable).then(|| folder.place().joined(name))
    }

    /// A view for judging one link: its folder is held open by the caller, and its text has been
    /// read already.
    pub fn from<'a>(
        &'a mut self,
        folder: &'a Arc<Folder>,
        descriptor: BorrowedFd<'a>,
        read: Option<(&'a [u8], &'a [u8])>,
    ) -> LiveFrom<'a> {
        let doubts = self.volumes.doubts();
        if doubts != std::mem::replace(&mut self.doubts, doubts) {
            self.forget();
        }
        LiveFrom { live: self, folder, descriptor, read }
    }

    fn look_with(
        &mut self,
        folder: &Arc<Folder>,
        component: Component<'_>,
        here: Option<BorrowedFd<'_>>,
    ) -> Seen<Arc<Folder>> {
        let name = match component {
            Component::Name(name) => name,
            Component::Here | Component::Up => {
                if !folder.is_searchable(self.system, here) {
                    return Seen::Denied;
                }
                return match component {
                    Component::Up => Seen::Folder(folder.parent()),
                    _ => Seen::Folder(Arc::clone(folder)),
                };
            }
        };
        match self.known.get(&PlaceRef { folder, name }) {
            Some(Known::Folder(folder)) => return Seen::Folder(Arc::clone(folder)),
            Some(Known::Link(target)) => return Seen::Link(target.clone()),
            None => {}
        }
        if self.volumes.may_hang() && !self.volumes.may_enter(&folder.place().joined(name)) {
            return Seen::Unavailable;
        }
        let seen = self.look_anew(folder, name, here);
        let known = match &seen {
            Seen::Folder(folder) => Known::Folder(Arc::clone(folder)),
            Seen::Link(target) => Known::Link(target.clone()),
            _ => return seen,
        };
        if self.known.len() >= MOST_REMEMBERED {
            self.known.clear();
        }
        self.known.insert(Place { folder: Arc::clone(folder), name: name.into() }, known);
        seen
    }

    fn look_anew(
        &mut self,
        folder: &Arc<Folder>,
        name: &[u8],
        here: Option<BorrowedFd<'_>>,
    ) -> Seen<Arc<Folder>> {
        let system = self.system;
        let buffer = &mut self.buffer;
        let found = folder.at(system, here, name, |at, path| {
            let status = system.status(at, path, Links::Kept)?;
            if status.kind == EntryKind::Symlink {
                system.read_link(at, path, buffer)?;
            }
            Ok(status.kind)
        });
        match found {
            Ok(EntryKind::Folder) => Seen::Folder(Folder::below(folder, name)),
            Ok(EntryKind::Symlink) => Seen::Link(Target::new(self.buffer.as_slice())),
            Ok(kind) => Seen::Other(kind),
            Err(error) => seen_error(error),
        }
    }
}

/// What an error of a look means. A name too long for the file system cannot exist there; a
/// folder that turned into something else meanwhile no longer holds the name.
fn seen_error<Folder>(error: Errno) -> Seen<Folder> {
    match error {
        Errno::NOENT | Errno::NOTDIR | Errno::NAMETOOLONG => Seen::Missing,
        Errno::ACCESS | Errno::PERM => Seen::Denied,
        _ => Seen::Unavailable,
    }
}

impl View for Live {
    type Folder = Arc<Folder>;

    fn root(&self) -> Arc<Folder> {
        Arc::clone(&self.root)
    }

    fn look(&mut self, folder: &Arc<Folder>, component: Component<'_>) -> Seen<Arc<Folder>> {
        self.look_with(folder, component, None)
    }

    fn place(&self, folder: &Arc<Folder>) -> AbsPath {
        folder.place()
    }
}

/// [`Live`], with one folder held open by somebody else and one link there read already.
pub struct LiveFrom<'a> {
    live: &'a mut Live,
    folder: &'a Arc<Folder>,
    descriptor: BorrowedFd<'a>,
    /// A link's name in that folder, and its text.
    read: Option<(&'a [u8], &'a [u8])>,
}

impl View for LiveFrom<'_> {
    type Folder = Arc<Folder>;

    fn root(&self) -> Arc<Folder> {
        self.live.root()
    }

    fn look(&mut self, folder: &Arc<Folder>, component: Component<'_>) -> Seen<Arc<Folder>> {
        let is_here = Arc::ptr_eq(self.folder, folder);
        match (self.read, component) {
            (Some((name, text)), Component::Name(asked)) if is_here && asked == name => {
                Seen::Link(Target::new(text))
            }
            _ => self.live.look_with(folder, component, is_here.then_some(self.descriptor)),
        }
    }

    fn place(&self, folder: &Arc<Folder>) -> AbsPath {
        folder.place()
    }
}
