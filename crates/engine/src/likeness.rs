//! What an object is like: read now, so that it can be known again later.
//!
//! By a held folder and one name, never followed; no right to read the object itself is needed but for
//! its sums and its shape. What is read leaves no time of reading behind where the system allows that.

use crate::look;
use crate::operator::Held;
use crate::system::{Access, EndMark, Facts, System};
use crate::volumes::Volumes;
use linkwell_calls::handle::{self, For};
use linkwell_model::entry::{EntryKind, Time};
use linkwell_model::keep::likeness::{Handle, Likeness, Shape, Sums};
use linkwell_model::keep::trust::Trust;
use linkwell_model::name::Name;
use linkwell_model::volume::Mounts;
use linkwell_model::volume_id::VolumeId;
use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::CString;
use std::mem::MaybeUninit;
use std::sync::Arc;

/// How much of each end of a file is summed.
pub const END: u64 = 64 * 1024;

/// Folders with more children than this are known by their identity alone: listing them costs more than
/// their shape is worth.
const MOST_CHILDREN: usize = 10_000;

/// How much is to be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// What the system tells without opening it.
    Facts,
    /// A folder's children and a link's text, too.
    Shape,
    /// The ends of a file, too.
    Ends,
    /// All of a file, too, however long.
    Whole,
}

/// The table of mounts, of somebody else or shared.
#[derive(Clone, Debug)]
enum Table<'a> {
    Lent(&'a Mounts),
    Shared(Arc<Volumes>),
}

impl Table<'_> {
    fn mounts(&self) -> &Mounts {
        match self {
            Self::Lent(mounts) => mounts,
            Self::Shared(volumes) => volumes.mounts(),
        }
    }
}

/// Looks at objects; remembers which volumes they lie on.
#[derive(Debug)]
pub struct Looker<'a> {
    system: System,
    table: Table<'a>,
    volumes: HashMap<(u64, Option<u64>), (Option<VolumeId>, Trust)>,
}

impl<'a> Looker<'a> {
    /// A looker that knows these mounts.
    pub fn new(system: System, mounts: &'a Mounts) -> Self {
        Self { system, table: Table::Lent(mounts), volumes: HashMap::new() }
    }

    /// The same, for a thread that outlives whoever starts it.
    pub fn shared(system: System, volumes: Arc<Volumes>) -> Looker<'static> {
        Looker { system, table: Table::Shared(volumes), volumes: HashMap::new() }
    }

    /// What `name` in the held folder is like.
    ///
    /// # Errors
    /// The system's. What can only not be read (sums, shape, handles) is absent from the answer instead.
    pub fn look(
        &mut self,
        at: BorrowedFd<'_>,
        name: &Name,
        depth: Depth,
    ) -> Result<Likeness, Errno> {
        let facts = self.system.facts(at, name.as_bytes())?;
        let mut found = self.of_facts(at, Some(name), &facts);
        found.name = name.as_bytes().into();
        let own = CString::new(name.as_bytes()).map_err(|_| Errno::INVAL)?;
        (found.handle, found.connectable) = self.handles(at, &own);
        found.parent = self.handle(at, c"", For::Comparing);
        if depth >= Depth::Shape {
            self.look_inside(at, name, depth, &mut found);
        }
        Ok(found)
    }

    /// What a held folder is like, known by no name: `/`, or one that a text reached by `..`.
    ///
    /// # Errors
    /// The system's.
    pub fn of_folder(&mut self, held: &Held, depth: Depth) -> Result<Likeness, Errno> {
        let at = held.folder.as_fd();
        let mut found = self.of_facts(at, None, &self.system.facts_of(at)?);
        found.name =
            held.place.split().map_or_else(Box::default, |(_, name)| name.as_bytes().into());
        (found.handle, found.connectable) = self.handles(at, c"");
        found.parent = self.handle(at, c"..", For::Comparing);
        if depth >= Depth::Shape {
            found.shape = self.shape(at, c".");
        }
        Ok(found)
    }

    /// `facts` are those of `name` in the held folder, or of that folder itself.
    fn of_facts(&mut self, at: BorrowedFd<'_>, name: Option<&Name>, facts: &Facts) -> Likeness {
        let (volume, trust) = self.volume(at, name, facts);
        // Image builders write zeros, which are no birth.
        let born = facts.id.born.filter(|born| *born != Time(0, 0));
        Likeness {
            kind: facts.kind,
            volume,
            trust,
            device: facts.id.device,
            inode: facts.id.inode,
            born,
            handle: None,
            connectable: None,
            parent: None,
            name: Box::default(),
            size: if facts.kind == EntryKind::Folder { 0 } else { facts.size },
            modified: facts.modified,
            names: facts.names,
            owner: facts.owner,
            sums: Sums::default(),
            shape: None,
        }
    }

    /// Which volume, and what can be relied on there; asked once for each mount.
    ///
    /// A mount point is asked itself: the folder that it stands in lies on another volume, and what is
    /// remembered here counts for all that lies below.
    fn volume(
        &mut self,
        at: BorrowedFd<'_>,
        name: Option<&Name>,
        facts: &Facts,
    ) -> (Option<VolumeId>, Trust) {
        let key = |facts: &Facts| (facts.id.device, facts.mount);
        let wanted = key(facts);
        if let Some(known) = self.volumes.get(&wanted) {
            return *known;
        }
        let mount = facts.mount.and_then(|mount| self.table.mounts().by_id(mount));
        let fs_type = mount.and_then(|mount| std::str::from_utf8(&mount.fs_type).ok());
        let trust = Trust::of(fs_type.unwrap_or_default());
        let system = self.system;
        let lies_there =
            |held: BorrowedFd<'_>| system.facts_of(held).is_ok_and(|facts| key(&facts) == wanted);
        let volume = if lies_there(at) {
            system.volume_of(at)
        } else {
            let own = name.and_then(|name| system.open(at, name.as_bytes(), Access::Hold).ok());
            let Some(own) = own.filter(|own| lies_there(own.as_fd())) else { return (None, trust) };
            system.volume_of(own.as_fd())
        };
        self.volumes.insert(wanted, (volume, trust));
        (volume, trust)
    }

    fn handles(
        &self,
        at: BorrowedFd<'_>,
        name: &std::ffi::CStr,
    ) -> (Option<Handle>, Option<Handle>) {
        let plain = self.handle(at, name, For::Comparing);
        // A kernel that does not know the one kind will not know it next time, either; asking costs a call.
        let connecting = plain.as_ref().and_then(|_| self.handle(at, name, For::Connecting));
        (plain, connecting)
    }

    fn handle(&self, at: BorrowedFd<'_>, name: &std::ffi::CStr, wanted: For) -> Option<Handle> {
        let raw = self.system.has_handles().then(|| handle::of(at, name, wanted).ok()).flatten()?;
        Some(Handle { kind: raw.kind, bytes: raw.bytes.into() })
    }

    fn look_inside(&self, at: BorrowedFd<'_>, name: &Name, depth: Depth, found: &mut Likeness) {
        match found.kind {
            EntryKind::Folder => {
                let Ok(own) = CString::new(name.as_bytes()) else { return };
                found.shape = self.shape(at, &own);
            }
            EntryKind::Symlink => {
                let mut text = Vec::new();
                let read = self.system.read_link(at, name.as_bytes(), &mut text);
                found.sums.ends = read.ok().map(|()| blake3::hash(&text).into());
            }
            EntryKind::File if depth >= Depth::Ends => {
                let sums = self.sums(at, name, found, depth == Depth::Whole);
                found.sums = sums.unwrap_or_default();
            }
            _ => {}
        }
    }

    /// Sums of a file's contents; it must be the very file that was looked at.
    fn sums(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        expected: &Likeness,
        all: bool,
    ) -> Result<Sums, Errno> {
        let file = match self.system.open_quietly(at, name.as_bytes()) {
            Err(Errno::PERM) => self.system.open(at, name.as_bytes(), Access::Read)?,
            opened => opened?,
        };
        let facts = self.system.facts_of(file.as_fd())?;
        if facts.id.inode != expected.inode || facts.kind != EntryKind::File {
            return Err(Errno::AGAIN);
        }
        let size = facts.size;
        let mut ends = blake3::Hasher::new();
        read(file.as_fd(), 0, size.min(END), &mut ends)?;
        if size > END {
            read(file.as_fd(), size.saturating_sub(END).max(END), size, &mut ends)?;
        }
        let ends = Some(ends.finalize().into());
        let whole = if size <= 2 * END {
            ends
        } else if all {
            let mut sum = blake3::Hasher::new();
            read(file.as_fd(), 0, size, &mut sum)?;
            Some(sum.finalize().into())
        } else {
            None
        };
        let now = self.system.facts_of(file.as_fd())?;
        // What changes while it is read has no sum.
        let steady = now.size == size && now.modified == facts.modified;
        Ok(if steady { Sums { ends, whole } } else { Sums::default() })
    }

    /// The marks of a folder's children; none when it may not be read, or holds too many.
    fn shape(&self, at: BorrowedFd<'_>, name: &std::ffi::CStr) -> Option<Shape> {
        let folder = self.system.open(at, name, Access::List).ok()?;
        let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
        let mut names: Vec<Box<[u8]>> = Vec::new();
        let listed = self.system.list(folder.as_fd(), &mut buffer, EndMark::EmptyRead, |entry| {
            names.push(entry.name.to_bytes().into());
            names.len() <= MOST_CHILDREN
        });
        if listed.is_err() || names.len() > MOST_CHILDREN {
            return None;
        }
        let mark = |name: &[u8]| {
            let facts = self.system.facts(folder.as_fd(), name).ok()?;
            mark(name, facts.kind, facts.size)
        };
        Some(Shape::new(names.iter().filter_map(|name| mark(name)).collect()))
    }
}

/// The mark of a child by its name, kind and, of a file, length: see [`Shape`].
pub fn mark(name: &[u8], kind: EntryKind, size: u64) -> Option<u64> {
    let size = if kind == EntryKind::File { size } else { 0 };
    let mut sum = blake3::Hasher::new();
    sum.update(name).update(&[0]).update(kind.word().as_bytes());
    sum.update(&size.to_le_bytes());
    sum.finalize().as_bytes().first_chunk::<8>().copied().map(u64::from_le_bytes)
}

/// Adds a stretch of a file to a sum.
fn read(
    file: BorrowedFd<'_>,
    mut at: u64,
    end: u64,
    sum: &mut blake3::Hasher,
) -> Result<(), Errno> {
    let mut piece = vec![0; 128 * 1024];
    while at < end {
        let most = usize::try_from(end - at).unwrap_or(usize::MAX).min(piece.len());
        let room = piece.get_mut(..most).unwrap_or_default();
        match rustix::io::pread(file, &mut *room, at) {
            Ok(0) => break,
            Ok(count) => {
                sum.update(room.get(..count).unwrap_or_default());
                at += u64::try_from(count).unwrap_or(0);
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Whether what stands at `name` in the held folder is the link with this text now.
///
/// # Errors
/// The system's.
pub fn holds(system: System, at: BorrowedFd<'_>, name: &Name, text: &[u8]) -> Result<bool, Errno> {
    use linkwell_model::plan::Object;
    let found = look::object(system, at, name.as_bytes())?;
    Ok(matches!(found, Some(Object::Link { target, .. }) if target.as_bytes() == text))
}
