//! What stands at a name, as a plan must know it again: seen through a held folder, never followed.

use crate::descent::Descent;
use crate::system::{Access, Facts, System};
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::plan::{Attributes, Bytes, Manner, Object, Rewritten};
use linkwell_model::target::Target;
use rustix::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::mem::MaybeUninit;

/// What stands at `name` in the folder `at`; `None` when nothing does.
///
/// A link's text and its identity are read in two calls. Somebody who swaps it in between makes a
/// picture that fits neither link, and the step that relies on it finds that out.
///
/// # Errors
/// The system's.
pub fn object(system: System, at: BorrowedFd<'_>, name: &[u8]) -> Result<Option<Object>, Errno> {
    let facts = match system.facts(at, name) {
        Ok(facts) => facts,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error),
    };
    if facts.kind != EntryKind::Symlink {
        return Ok(Some(plain(&facts)));
    }
    let mut text = Vec::new();
    match system.read_link(at, name, &mut text) {
        Ok(()) => Ok(Some(Object::Link {
            target: Target::new(text),
            id: facts.id,
            attributes: attributes(&facts),
        })),
        // It was a link, and is none any more, or gone: look once more.
        Err(Errno::INVAL | Errno::NOENT) => match system.facts(at, name) {
            Ok(facts) if facts.kind == EntryKind::Symlink => Err(Errno::AGAIN),
            Ok(facts) => Ok(Some(plain(&facts))),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    }
}

/// The object of these facts, which is no link.
pub fn plain(facts: &Facts) -> Object {
    match facts.kind {
        EntryKind::Folder => Object::Folder { id: facts.id },
        EntryKind::File => Object::File {
            id: facts.id,
            size: facts.size,
            modified: facts.modified,
            names: facts.names,
        },
        kind => Object::Special { kind, id: facts.id },
    }
}

fn attributes(facts: &Facts) -> Attributes {
    Attributes {
        owner: facts.owner,
        group: facts.group,
        accessed: facts.accessed,
        modified: facts.modified,
        extended: Vec::new(),
    }
}

/// [`object`], with a link's extended attributes as far as this user may read them.
///
/// # Errors
/// The system's.
pub fn object_in_full(
    system: System,
    at: BorrowedFd<'_>,
    name: &[u8],
) -> Result<Option<Object>, Errno> {
    let mut found = object(system, at, name)?;
    if let Some(Object::Link { attributes, .. }) = &mut found {
        attributes.extended = extended(at, name);
    }
    Ok(found)
}

/// The link `name`, whose text has just been read, with its extended attributes; `None` when it is no
/// link any more. As with [`object`], a swap between the two looks is found out later.
///
/// # Errors
/// The system's.
pub fn link_in_full(
    system: System,
    at: BorrowedFd<'_>,
    name: &[u8],
    text: &[u8],
) -> Result<Option<Object>, Errno> {
    let facts = match system.facts(at, name) {
        Ok(facts) if facts.kind == EntryKind::Symlink => facts,
        Ok(_) | Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut attributes = attributes(&facts);
    attributes.extended = extended(at, name);
    Ok(Some(Object::Link { target: Target::new(text), id: facts.id, attributes }))
}

/// The extended attributes of a link. `l*xattr` takes no folder, so the folder is named as the kernel
/// names what is held.
pub(crate) fn extended(at: BorrowedFd<'_>, name: &[u8]) -> Vec<(Bytes, Bytes)> {
    let mut path = format!("/proc/self/fd/{}/", at.as_raw_fd()).into_bytes();
    path.extend_from_slice(name);
    // Most links have none.
    let mut names = Vec::new();
    let mut room = [MaybeUninit::<u8>::uninit(); 1024];
    match rustix::fs::llistxattr(&*path, &mut room) {
        Ok((found, _)) => names.extend_from_slice(found),
        Err(Errno::RANGE) => {
            // XATTR_LIST_MAX (linux/limits.h).
            names.reserve(1 << 16);
            let all = rustix::fs::llistxattr(&*path, rustix::buffer::spare_capacity(&mut names));
            if all.is_err() {
                return Vec::new();
            }
        }
        Err(_) => return Vec::new(),
    }
    let mut all = Vec::new();
    for attribute in names.split(|byte| *byte == 0).filter(|attribute| !attribute.is_empty()) {
        let mut value = Vec::with_capacity(1 << 16);
        let spare = rustix::buffer::spare_capacity(&mut value);
        if rustix::fs::lgetxattr(&*path, attribute, spare).is_ok() {
            all.push((Bytes(attribute.into()), Bytes(value.into())));
        }
    }
    all
}

/// Whether two entries hold the same: the same bytes in files, the same texts in links, the same names
/// in folders, all the way down, however deep. Permissions and times do not count; another volume
/// mounted inside is not looked into. Links that were given another text when the second was copied in
/// this manner must have it.
///
/// # Errors
/// The system's, where one of the two cannot be read; EXDEV where another volume is mounted in one.
pub fn equal(
    system: System,
    one: (BorrowedFd<'_>, &Name),
    other: (BorrowedFd<'_>, &Name),
    manner: Option<&Manner>,
) -> Result<bool, Errno> {
    compare(system, one, other, same_names, manner)
}

/// Whether `part` holds nothing that `whole` does not hold, at the same names; [`equal`] but for what is
/// missing in `part`. Links that were given another text when it was copied in this manner must have it.
///
/// # Errors
/// As [`equal`].
pub fn is_part(
    system: System,
    whole: (BorrowedFd<'_>, &Name),
    part: (BorrowedFd<'_>, &Name),
    manner: Option<&Manner>,
) -> Result<bool, Errno> {
    compare(system, whole, part, some_names, manner)
}

/// Which names of two folders are to be compared; none at all when that shows that the folders differ.
type Names = fn(System, &Descent, &Descent) -> Result<Option<Vec<Name>>, Errno>;

fn compare(
    system: System,
    one: (BorrowedFd<'_>, &Name),
    other: (BorrowedFd<'_>, &Name),
    to_compare: Names,
    manner: Option<&Manner>,
) -> Result<bool, Errno> {
    let facts = |(at, name): (BorrowedFd<'_>, &Name)| system.facts(at, name.as_bytes());
    let (first, second) = (facts(one)?, facts(other)?);
    if first.kind != EntryKind::Folder || second.kind != EntryKind::Folder {
        return same_entry(system, one, &first, other, &second, None);
    }
    let mut left = Descent::begin(system, one.0, one.1, &first)?;
    let mut right = Descent::begin(system, other.0, other.1, &second)?;
    let Some(names) = to_compare(system, &left, &right)? else { return Ok(false) };
    let mut todo = vec![names];
    // Where the walk is below the top.
    let mut way: Vec<u8> = Vec::new();
    while let Some(names) = todo.last_mut() {
        let Some(name) = names.pop() else {
            todo.pop();
            left.up()?;
            right.up()?;
            way.truncate(memchr::memrchr(b'/', &way).unwrap_or(0));
            continue;
        };
        let (first, second) = (left.look(&name)?, right.look(&name)?);
        if first.kind == EntryKind::Folder && second.kind == EntryKind::Folder {
            left.down(&name, &first)?;
            right.down(&name, &second)?;
            if !way.is_empty() {
                way.push(b'/');
            }
            way.extend_from_slice(name.as_bytes());
            let Some(names) = to_compare(system, &left, &right)? else { return Ok(false) };
            todo.push(names);
        } else {
            let rewritten = manner.filter(|manner| !manner.links.is_empty()).and_then(|manner| {
                let below = [&*way, name.as_bytes()].join(&b"/"[..]);
                manner.now(below.strip_prefix(b"/").unwrap_or(&below))
            });
            let (one, other) = ((left.here(), &name), (right.here(), &name));
            if !same_entry(system, one, &first, other, &second, rewritten)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// The names in two folders, if they are the same.
fn same_names(system: System, one: &Descent, other: &Descent) -> Result<Option<Vec<Name>>, Errno> {
    let mut names = crate::execute::names(system, one.here())?;
    let mut found = crate::execute::names(system, other.here())?;
    names.sort();
    found.sort();
    Ok((names == found).then_some(names))
}

/// The names in the second folder, if the first has them all.
fn some_names(system: System, one: &Descent, other: &Descent) -> Result<Option<Vec<Name>>, Errno> {
    let mut all = crate::execute::names(system, one.here())?;
    let names = crate::execute::names(system, other.here())?;
    all.sort();
    let has_all = names.iter().all(|name| all.binary_search(name).is_ok());
    Ok(has_all.then_some(names))
}

/// [`equal`] for two entries that are not both folders.
fn same_entry(
    system: System,
    one: (BorrowedFd<'_>, &Name),
    first: &Facts,
    other: (BorrowedFd<'_>, &Name),
    second: &Facts,
    rewritten: Option<&Rewritten>,
) -> Result<bool, Errno> {
    Ok(match (first.kind, second.kind) {
        (EntryKind::Symlink, EntryKind::Symlink) => {
            let (mut left, mut right) = (Vec::new(), Vec::new());
            system.read_link(one.0, one.1.as_bytes(), &mut left)?;
            system.read_link(other.0, other.1.as_bytes(), &mut right)?;
            match rewritten {
                None => left == right,
                Some(text) => left == text.was.as_bytes() && right == text.now.as_bytes(),
            }
        }
        (EntryKind::File, EntryKind::File) => {
            first.size == second.size && same_bytes(system, one, other)?
        }
        (one, other) => one == other && one != EntryKind::Folder,
    })
}

fn same_bytes(
    system: System,
    one: (BorrowedFd<'_>, &Name),
    other: (BorrowedFd<'_>, &Name),
) -> Result<bool, Errno> {
    let first = system.open(one.0, one.1.as_bytes(), Access::Read)?;
    let second = system.open(other.0, other.1.as_bytes(), Access::Read)?;
    without_trace(first.as_fd());
    without_trace(second.as_fd());
    let (mut left, mut right) = (vec![0; 128 * 1024], vec![0; 128 * 1024]);
    loop {
        let (one, other) = (fill(&first, &mut left)?, fill(&second, &mut right)?);
        if left.get(..one) != right.get(..other) {
            return Ok(false);
        }
        if one == 0 {
            return Ok(true);
        }
    }
}

/// Lets what is read through an open file or folder not count as read, where the system allows that to
/// this user (it does to the owner): a copy keeps the times of its original though it is read back.
pub(crate) fn without_trace(held: BorrowedFd<'_>) {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
        if let Ok(flags) = fcntl_getfl(held) {
            fcntl_setfl(held, flags | OFlags::NOATIME).unwrap_or(());
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = held;
}

/// Reads until `buffer` is full or the file ends.
fn fill(file: &OwnedFd, buffer: &mut [u8]) -> Result<usize, Errno> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match rustix::io::read(file, rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
