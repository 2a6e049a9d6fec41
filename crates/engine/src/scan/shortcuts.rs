//! Shortcut files and text stubs: files that stand where a link should be.

use super::Trouble;
use crate::folder::Folder;
use crate::formats::{self, Pointer};
use crate::judge::{Found, Verdict};
use crate::live::Live;
use crate::system::{Access, Links, System};
use linkwell_model::chain::{End, resolve};
use linkwell_model::entry::{EntryKind, LinkKind};
use linkwell_model::health::Health;
use linkwell_model::note::{Note, Notes};
use linkwell_model::path::AbsPath;
use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::io::Errno;
use std::sync::Arc;

/// Longer files are no shortcuts: a Windows one holds a few kilobytes, with an icon some more.
const LONGEST_SHORTCUT: u64 = 1 << 20;

/// Longer files are no stubs: Cygwin's limit is 32 Ki characters of two bytes.
const LONGEST_STUB: u64 = 66 * 1024;

/// Longer git indexes are not read: that one describes some ten million files.
const LONGEST_INDEX: u64 = 1 << 30;

/// What a file points to.
#[derive(Clone, Debug)]
pub struct Pointed {
    /// Shortcut or stub.
    pub kind: LinkKind,
    /// Where to.
    pub pointer: Pointer,
}

impl Pointed {
    /// The target as text.
    pub fn text(&self) -> &[u8] {
        match &self.pointer {
            Pointer::Path(text) | Pointer::Web(text) | Pointer::Foreign(text) => text,
        }
    }
}

/// A text stub that git left, with the folder it stands in, held open.
#[derive(Debug)]
pub(super) struct GitStub {
    pub(super) folder: Arc<Folder>,
    pub(super) name: Vec<u8>,
    pub(super) pointed: Pointed,
}

/// Reads a file and says what it points to, if it is a shortcut or carries a stub's header.
pub(crate) fn read(system: System, found: Found<'_>) -> Result<Option<Pointed>, Trouble> {
    let format = formats::by_name(found.name);
    let most = if format.is_some() { LONGEST_SHORTCUT } else { LONGEST_STUB };
    // The status first: opening a file on slow storage costs more than asking for its length.
    let status = system.status(found.held, found.name, Links::Kept).map_err(Trouble::System)?;
    if status.kind != EntryKind::File || status.size == 0 || status.size > most {
        return Ok(None);
    }
    let head = if format.is_some() { most } else { STUB_HEAD };
    let bytes = read_file(system, found.held, found.name, head)?;
    let Some(format) = format else {
        if !formats::stub::has_mark(&bytes) {
            return Ok(None);
        }
        let bytes = read_file(system, found.held, found.name, most)?;
        return Ok(formats::stub::read(&bytes)
            .map(|text| Pointed { kind: LinkKind::Stub, pointer: Pointer::Path(text) }));
    };
    // A file that only has a shortcut's name is nobody's fault and no link.
    let pointer = formats::read(format, &bytes).ok().flatten();
    Ok(pointer.map(|pointer| Pointed { kind: LinkKind::Shortcut, pointer }))
}

/// Enough of a file to know a stub by.
const STUB_HEAD: u64 = 16;

fn read_file(
    system: System,
    held: BorrowedFd<'_>,
    name: &[u8],
    most: u64,
) -> Result<Vec<u8>, Trouble> {
    let file = system.open(held, name, Access::Read).map_err(Trouble::System)?;
    // What was listed as a file may be a device by now; nothing but a file is read.
    let status = system.status_of(file.as_fd()).map_err(Trouble::System)?;
    if status.kind != EntryKind::File {
        return Ok(Vec::new());
    }
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let expected = usize::try_from(status.size).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(most.min(expected).saturating_add(1));
    while bytes.len() < most {
        if bytes.len() == bytes.capacity() {
            bytes.reserve(16 * 1024);
        }
        match rustix::io::read(&file, rustix::buffer::spare_capacity(&mut bytes)) {
            Ok(0) => break,
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(Trouble::System(error)),
        }
    }
    bytes.truncate(most);
    Ok(bytes)
}

/// Judges a shortcut or stub as if it were a symbolic link with that text.
pub(crate) fn judge(
    live: &mut Live,
    found: Found<'_>,
    pointed: &Pointed,
    top: &AbsPath,
) -> Verdict {
    let mut notes = Notes::default();
    let Pointer::Path(path) = &pointed.pointer else {
        let web = matches!(pointed.pointer, Pointer::Web(_));
        notes.add(if web { Note::Web } else { Note::Foreign });
        return Verdict {
            health: Health::Unknown,
            notes,
            destination: None,
            chain: None,
            absent: None,
        };
    };
    let chain = resolve(&mut live.from(found.folder, found.held, None), found.folder, path);
    let end_at = chain.end_at(live);
    let absent = match chain.end {
        End::Missing | End::Unavailable => live.volumes().absent(&end_at, &chain.rest),
        _ => None,
    };
    notes.add_if(Note::Absolute, linkwell_model::path::is_absolute(path));
    notes.add_if(Note::Chained, !chain.hops.is_empty());
    notes.add_if(Note::TooDeep, matches!(chain.end, End::TooManyHops));
    notes.add_if(Note::Outer, !end_at.is_at_or_below(top));
    let health = Health::of(&chain.end, absent.as_ref());
    Verdict { health, notes, destination: None, chain: Some(chain), absent }
}

/// The stubs that git left below a folder that holds a `.git`: files that its index records as
/// links, where they could not be made (core.symlinks=false).
pub(super) fn git_stubs(system: System, found: Found<'_>) -> Result<Vec<GitStub>, Trouble> {
    let Some(index) = git_index(system, found)? else {
        return Ok(Vec::new());
    };
    let paths = links_of(&index).map_err(|_| Trouble::GitIndex)?;
    let mut stubs = Vec::new();
    for path in paths {
        stubs.extend(git_stub(system, found, &path));
    }
    Ok(stubs)
}

/// Whether the file is a stub that git left: by the index of the nearest `.git` at or above it.
pub(crate) fn git_stub_here(system: System, found: Found<'_>) -> Option<Pointed> {
    let mut way = found.name.to_vec();
    let mut folder = Arc::clone(found.folder);
    loop {
        let held = folder.open(system, Access::Hold).ok()?;
        let here = Found::new(&folder, held.as_fd(), b"");
        if let Ok(Some(index)) = git_index(system, here) {
            let listed = links_of(&index).ok()?.contains(&way);
            return listed.then(|| git_stub(system, here, &way)).flatten().map(|stub| stub.pointed);
        }
        let name = folder.name().to_vec();
        let above = Arc::clone(folder.above()?);
        way = [name.as_slice(), b"/", &way].concat();
        folder = above;
    }
}

/// The paths that an index records as links.
fn links_of(index: &[u8]) -> Result<Vec<Vec<u8>>, formats::FormatError> {
    // Object names have 20 bytes, or 32 in repositories made with --object-format=sha256; the
    // index does not say which, but only one of the two makes sense of it.
    formats::git_index::link_entries(index, 20)
        .or_else(|_| formats::git_index::link_entries(index, 32))
}

fn git_index(system: System, found: Found<'_>) -> Result<Option<Vec<u8>>, Trouble> {
    let git = match system.status(found.held, c".git", Links::Kept) {
        Ok(status) => status,
        Err(_) => return Ok(None),
    };
    let held = match git.kind {
        EntryKind::Folder => system.open(found.held, c".git", Access::Hold),
        // A linked work tree or submodule: `gitdir: PATH`.
        EntryKind::File => {
            let bytes = read_file(system, found.held, b".git", 4096 + 16)?;
            let Some(path) = bytes.strip_prefix(b"gitdir: ") else {
                return Ok(None);
            };
            system.open(found.held, path.trim_ascii_end(), Access::Hold)
        }
        _ => return Ok(None),
    };
    let Ok(held) = held else { return Ok(None) };
    match read_file(system, held.as_fd(), b"index", LONGEST_INDEX) {
        Ok(bytes) => Ok((!bytes.is_empty()).then_some(bytes)),
        Err(Trouble::System(Errno::NOENT)) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// The stub at a path of the index, if a file stands there that could be one.
fn git_stub(system: System, found: Found<'_>, path: &[u8]) -> Option<GitStub> {
    let cut = path.iter().rposition(|&byte| byte == b'/');
    let (way, name) = match cut {
        None => (b"".as_slice(), path),
        Some(at) => (path.get(..at)?, path.get(at + 1..)?),
    };
    let hostile = |name: &[u8]| name.is_empty() || name == b"." || name == b"..";
    if hostile(name) || (cut.is_some() && way.split(|&byte| byte == b'/').any(hostile)) {
        return None;
    }
    let place = way
        .split(|&byte| byte == b'/')
        .filter(|name| !name.is_empty())
        .fold(Arc::clone(found.folder), |folder, name| Folder::below(&folder, name));
    let held = if way.is_empty() {
        system.open(found.held, c".", Access::Hold).ok()?
    } else {
        system.open_below(found.held, way, Access::Hold).ok()?
    };
    let status = system.status(held.as_fd(), name, Links::Kept).ok()?;
    if status.kind != EntryKind::File || status.size == 0 || status.size > 4095 {
        return None;
    }
    let text = read_file(system, held.as_fd(), name, 4096).ok()?;
    if !formats::stub::is_path_text(&text) {
        return None;
    }
    place.hold(held);
    let pointed = Pointed { kind: LinkKind::Stub, pointer: Pointer::Path(text) };
    Some(GitStub { folder: place, name: name.to_vec(), pointed })
}
