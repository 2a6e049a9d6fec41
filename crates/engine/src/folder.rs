//! Folders: a chain of names up to `/`, some of them held open.
//!
//! A folder is opened from its nearest held ancestor, never by its whole path from text that
//! somebody could have changed, and never through a link. So trees deeper than PATH_MAX work, and
//! few descriptors are enough for any depth.

use crate::system::{Access, System};
use linkwell_model::entry::FileId;
use linkwell_model::path::AbsPath;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

/// Longest relative path that is handed to the system in one call. PATH_MAX is 4,096 with the
/// NUL, and the last name may have 255.
const LONGEST: usize = 3800;

/// How many descriptors may be kept for folders that still have work below them.
#[derive(Debug)]
pub struct Budget {
    kept: AtomicUsize,
    most: usize,
}

impl Budget {
    /// A budget of `most` descriptors.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { kept: AtomicUsize::new(0), most })
    }
}

/// A descriptor that counts against a [`Budget`] while it is kept.
#[derive(Debug)]
struct Kept {
    descriptor: OwnedFd,
    budget: Option<Arc<Budget>>,
}

impl Drop for Kept {
    fn drop(&mut self) {
        if let Some(budget) = &self.budget {
            budget.kept.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// A folder, as the walk reached it.
#[derive(Debug)]
pub struct Folder {
    above: Option<Arc<Folder>>,
    name: Box<[u8]>,
    kept: OnceLock<Kept>,
    id: OnceLock<Option<FileId>>,
    searchable: OnceLock<bool>,
    shared: OnceLock<bool>,
}

impl Folder {
    /// `/`.
    pub fn root() -> Arc<Self> {
        Arc::new(Self::new(None, Box::default()))
    }

    fn new(above: Option<Arc<Self>>, name: Box<[u8]>) -> Self {
        Self {
            above,
            name,
            kept: OnceLock::new(),
            id: OnceLock::new(),
            searchable: OnceLock::new(),
            shared: OnceLock::new(),
        }
    }

    /// The current folder, held: its place may have gone, or lie below folders that may not be
    /// searched, and relative paths lead from it all the same.
    ///
    /// # Errors
    /// The system's.
    pub fn current(system: System, place: &AbsPath) -> Result<Arc<Self>, Errno> {
        Ok(Self::held(place, system.open_typed(b".", Access::Hold)?))
    }

    /// The folder called `name` in `above`.
    pub fn below(above: &Arc<Self>, name: &[u8]) -> Arc<Self> {
        Arc::new(Self::new(Some(Arc::clone(above)), name.into()))
    }

    /// The folder at a physical place, by names only.
    pub fn of_place(place: &AbsPath) -> Arc<Self> {
        place.names().fold(Self::root(), |above, name| Self::below(&above, name))
    }

    /// The folder at a physical place, held by `descriptor` from now on.
    pub fn held(place: &AbsPath, descriptor: OwnedFd) -> Arc<Self> {
        let folder = Self::of_place(place);
        folder.hold(descriptor);
        folder
    }

    /// Keeps the descriptor for as long as the folder is known, outside any budget. Does nothing
    /// when one is kept already.
    pub fn hold(&self, descriptor: OwnedFd) {
        drop(self.kept.set(Kept { descriptor, budget: None }));
    }

    /// Keeps the descriptor for as long as the folder is known, if the budget allows; otherwise
    /// gives it back.
    pub fn keep(&self, descriptor: OwnedFd, budget: &Arc<Budget>) -> Option<OwnedFd> {
        if budget.kept.fetch_add(1, Ordering::Relaxed) >= budget.most {
            budget.kept.fetch_sub(1, Ordering::Relaxed);
            return Some(descriptor);
        }
        let kept = Kept { descriptor, budget: Some(Arc::clone(budget)) };
        drop(self.kept.set(kept));
        None
    }

    /// The descriptor, if it is kept.
    pub fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        self.kept.get().map(|kept| kept.descriptor.as_fd())
    }

    /// The folder above; `/` is above itself.
    pub fn parent(self: &Arc<Self>) -> Arc<Self> {
        self.above.as_ref().map_or_else(|| Arc::clone(self), Arc::clone)
    }

    /// The folder above, or `None` for `/`.
    pub fn above(&self) -> Option<&Arc<Self>> {
        self.above.as_ref()
    }

    /// The folder's own name; empty for `/`.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// Where it lies, as the walk went.
    pub fn place(&self) -> AbsPath {
        let mut place = AbsPath::root();
        for name in self.names_from_above(None) {
            place.push(name);
        }
        place
    }

    /// The names from below `stop` (or from `/`) down to this folder.
    fn names_from_above(&self, stop: Option<&Self>) -> Vec<&[u8]> {
        let mut names = Vec::new();
        let mut current = self;
        while let Some(above) = &current.above {
            if stop.is_some_and(|stop| std::ptr::eq(stop, current)) {
                break;
            }
            names.push(&*current.name);
            current = above;
        }
        names.reverse();
        names
    }

    /// Appends the path from `top` (exclusive) down to this folder, each name followed by `/`.
    pub fn append_path_below(&self, top: &Self, out: &mut Vec<u8>) {
        for name in self.names_from_above(Some(top)) {
            out.extend_from_slice(name);
            out.push(b'/');
        }
    }

    /// Opens this folder, from the nearest ancestor that is held.
    ///
    /// # Errors
    /// The system's. ENOENT, ENOTDIR and ELOOP mean that the tree changed on the way.
    pub fn open(&self, system: System, access: Access) -> Result<OwnedFd, Errno> {
        let mut start: Option<&Self> = Some(self);
        while let Some(folder) = start {
            if folder.descriptor().is_some() {
                break;
            }
            start = folder.above.as_deref();
        }
        let names = self.names_from_above(start);
        let start = start.and_then(Self::descriptor);
        match start {
            Some(descriptor) if names.is_empty() && access == Access::Hold => {
                // Opening `.` would need the right to search.
                return rustix::io::fcntl_dupfd_cloexec(descriptor, 0);
            }
            Some(descriptor) if names.is_empty() => {
                return system.open(descriptor, c".", access);
            }
            None if names.is_empty() => return system.open(rustix::fs::CWD, c"/", access),
            _ => {}
        }
        let mut held: Option<OwnedFd> = None;
        let mut chunk: Vec<u8> = Vec::new();
        let mut names = names.into_iter().peekable();
        while let Some(name) = names.next() {
            if !chunk.is_empty() {
                chunk.push(b'/');
            }
            chunk.extend_from_slice(name);
            let last = names.peek().is_none();
            if last || chunk.len() >= LONGEST {
                let access = if last { access } else { Access::Hold };
                let from = held.as_ref().map(OwnedFd::as_fd).or(start);
                held = Some(match from {
                    Some(from) => system.open_below(from, &chunk, access)?,
                    None => system.open_from_root(&chunk, access)?,
                });
                chunk.clear();
            }
        }
        held.ok_or(Errno::NOENT)
    }

    /// Does `act` with a descriptor and a path relative to it that lead to `name` in this folder:
    /// without opening anything where the path is short, else from the opened folder.
    ///
    /// `here` is this folder's own descriptor, if the caller happens to have it.
    ///
    /// # Errors
    /// Those of opening the folder, and those of `act`.
    pub fn at<T>(
        &self,
        system: System,
        here: Option<BorrowedFd<'_>>,
        name: &[u8],
        act: impl FnOnce(BorrowedFd<'_>, &[u8]) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        if let Some(descriptor) = here.or_else(|| self.descriptor()) {
            return act(descriptor, name);
        }
        let mut start = self.above.as_deref();
        while let Some(folder) = start {
            if folder.descriptor().is_some() {
                break;
            }
            start = folder.above.as_deref();
        }
        let mut path = Vec::with_capacity(256);
        let descriptor = start.and_then(Self::descriptor);
        if descriptor.is_none() {
            path.push(b'/');
        }
        for piece in self.names_from_above(start) {
            path.extend_from_slice(piece);
            path.push(b'/');
        }
        path.extend_from_slice(name);
        if path.len() <= LONGEST {
            return act(descriptor.unwrap_or(rustix::fs::CWD), &path);
        }
        let opened = self.open(system, Access::Hold)?;
        act(opened.as_fd(), name)
    }

    /// Which folder this is now; asked once. `None` when it cannot be asked.
    pub fn id(&self, system: System) -> Option<FileId> {
        *self.id.get_or_init(|| {
            let status = match self.descriptor() {
                Some(descriptor) => system.status_of(descriptor),
                None => self.at(system, None, b".", |at, path| {
                    system.status(at, path, crate::system::Links::Kept)
                }),
            };
            status.ok().map(|status| status.id)
        })
    }

    /// Notes that a name has been looked up in it, so that nobody needs to ask whether that may be
    /// done.
    pub fn was_searched(&self) {
        self.searchable.get_or_init(|| true);
    }

    /// Whether names may be looked up in it; asked once. `here` as in [`Folder::at`].
    pub fn is_searchable(&self, system: System, here: Option<BorrowedFd<'_>>) -> bool {
        *self.searchable.get_or_init(|| {
            // path_resolution(7): looking up `.` needs the right to search, as any name does.
            let found = self.at(system, here, b"./.", |at, path| {
                system.status(at, path, crate::system::Links::Kept)
            });
            !matches!(found, Err(Errno::ACCESS))
        })
    }

    /// Whether the kernel may refuse to follow links that stand in it, because anyone may write
    /// there (proc_sys_fs(5), protected_symlinks); asked once, of the held folder.
    pub fn is_shared(&self, system: System, here: BorrowedFd<'_>) -> bool {
        *self.shared.get_or_init(|| system.status_of(here).is_ok_and(|status| status.shared))
    }

    /// Whether two chains of names are the same place.
    fn is_same_place(&self, other: &Self) -> bool {
        let (mut one, mut two) = (self, other);
        loop {
            if std::ptr::eq(one, two) {
                return true;
            }
            match (&one.above, &two.above) {
                (None, None) => return true,
                (Some(above_one), Some(above_two)) if one.name == two.name => {
                    (one, two) = (above_one, above_two);
                }
                _ => return false,
            }
        }
    }
}

impl PartialEq for Folder {
    fn eq(&self, other: &Self) -> bool {
        self.is_same_place(other)
    }
}

impl Drop for Folder {
    /// Lets go of the chain upward one by one: a recursive drop of 10,000 levels would overflow
    /// the stack.
    fn drop(&mut self) {
        let mut above = self.above.take();
        while let Some(folder) = above {
            match Arc::into_inner(folder) {
                Some(mut folder) => above = folder.above.take(),
                None => break,
            }
        }
    }
}
