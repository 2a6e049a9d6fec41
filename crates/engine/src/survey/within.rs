//! What is in a folder that is to go: counted by held folders, never through a link or into another
//! volume.

use super::Surveyor;
use crate::execute::names;
use crate::system::{Access, Facts};
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;

/// How deep it is looked; the executor frees no deeper trees either, since each level holds a
/// descriptor.
const DEEPEST: usize = 400;

/// So many links that lead outside are named.
pub(super) const MOST_NAMED: usize = 5;

/// What is in a folder.
#[derive(Debug, Default)]
pub(super) struct Within {
    pub(super) files: u64,
    pub(super) folders: u64,
    pub(super) links: u64,
    pub(super) others: u64,
    /// The bytes in its files, each counted once a name.
    pub(super) bytes: u64,
    /// How many of its links lead outside, and the first of them: below the folder, and where to.
    pub(super) outer: u64,
    pub(super) named: Vec<(Vec<u8>, AbsPath)>,
    /// The first place where another volume is mounted.
    pub(super) mounted: Option<AbsPath>,
    /// The first place that lies on another device of the same mount: a subvolume.
    pub(super) foreign: Option<AbsPath>,
    /// The first thing that is neither file nor folder nor link.
    pub(super) other: Option<(AbsPath, EntryKind)>,
    /// The first place that could not be looked at.
    pub(super) unseen: Option<(AbsPath, Errno)>,
    /// The first place that lies too deep.
    pub(super) deep: Option<AbsPath>,
}

struct Level {
    folder: OwnedFd,
    names: std::vec::IntoIter<Name>,
}

/// Looks at all that is in the folder called `name` in `above`, which lies at `place`.
pub(super) fn look(
    surveyor: &mut Surveyor,
    above: BorrowedFd<'_>,
    name: &Name,
    place: &AbsPath,
) -> Within {
    let mut within = Within::default();
    let system = surveyor.system();
    let mut here = place.clone();
    let Some((top, level)) = enter(surveyor, above, name, None, &here, &mut within) else {
        return within;
    };
    let mut levels = vec![level];
    loop {
        let depth = levels.len();
        let Some(level) = levels.last_mut() else { return within };
        let Some(name) = level.names.next() else {
            levels.pop();
            here.pop();
            continue;
        };
        let facts = match system.facts(level.folder.as_fd(), name.as_bytes()) {
            Ok(facts) => facts,
            Err(Errno::NOENT) => continue,
            Err(error) => {
                within.unseen.get_or_insert_with(|| (here.joined(name.as_bytes()), error));
                continue;
            }
        };
        let there = || here.joined(name.as_bytes());
        if facts.mount != top.mount {
            within.mounted.get_or_insert_with(there);
            continue;
        }
        if facts.kind == EntryKind::Folder && facts.id.device != top.id.device {
            within.foreign.get_or_insert_with(there);
            if top.mount.is_none() {
                within.mounted.get_or_insert_with(there);
            }
            continue;
        }
        match facts.kind {
            EntryKind::Folder => {
                within.folders += 1;
                if depth >= DEEPEST {
                    within.deep.get_or_insert_with(there);
                    continue;
                }
                let folder = rustix::io::fcntl_dupfd_cloexec(level.folder.as_fd(), 0);
                here.push(name.as_bytes());
                let entered = folder.ok().and_then(|folder| {
                    enter(surveyor, folder.as_fd(), &name, Some(&facts), &here, &mut within)
                });
                match entered {
                    Some((_, level)) => levels.push(level),
                    None => here.pop(),
                }
            }
            EntryKind::File => {
                within.files += 1;
                within.bytes = within.bytes.saturating_add(facts.size);
            }
            EntryKind::Symlink => {
                within.links += 1;
                let mut text = Vec::new();
                if system.read_link(level.folder.as_fd(), name.as_bytes(), &mut text).is_ok() {
                    let led = surveyor.led(Some(&here), &text);
                    let end = led.physical.unwrap_or(led.place);
                    if !end.is_at_or_below(place) {
                        within.outer += 1;
                        if within.named.len() < MOST_NAMED {
                            let below = here.joined(name.as_bytes());
                            let below = below.below(place).unwrap_or_default().to_vec();
                            within.named.push((below, end));
                        }
                    }
                }
            }
            kind => {
                within.others += 1;
                within.other.get_or_insert_with(|| (there(), kind));
            }
        }
    }
}

/// Opens a folder and reads its names; only if it is the one that was looked at.
fn enter(
    surveyor: &Surveyor,
    above: BorrowedFd<'_>,
    name: &Name,
    seen: Option<&Facts>,
    place: &AbsPath,
    within: &mut Within,
) -> Option<(Facts, Level)> {
    let system = surveyor.system();
    let read = || {
        let folder = system.open(above, name.as_bytes(), Access::List)?;
        let facts = system.facts_of(folder.as_fd())?;
        if seen.is_some_and(|seen| !seen.id.is(facts.id)) {
            return Err(Errno::AGAIN);
        }
        let names = names(system, folder.as_fd())?.into_iter();
        Ok((facts, Level { folder, names }))
    };
    match read() {
        Ok(entered) => Some(entered),
        Err(error) => {
            within.unseen.get_or_insert_with(|| (place.clone(), error));
            None
        }
    }
}
