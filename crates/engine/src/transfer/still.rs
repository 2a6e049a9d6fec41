//! Whether an original is still as it was copied, and a copy as it was made.

use super::entry::Entry;
use super::record::{Manifest, Names};
use super::{At, Phase, Side, Slip, Trouble, Watch};
use crate::descent::Descent;
use crate::system::{EndMark, Facts, System};
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use rustix::io::Errno;
use std::mem::MaybeUninit;

/// So many paths are kept.
const MOST: usize = 20;

/// Some things, of which the first are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Few {
    /// How many.
    pub count: u64,
    /// The first of them, below the top.
    pub paths: Vec<Vec<u8>>,
}

impl Few {
    fn add(&mut self, path: impl FnOnce() -> Vec<u8>) {
        self.count += 1;
        if self.paths.len() < MOST {
            self.paths.push(path());
        }
    }
}

/// What is not as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// What is another object, or has changed.
    pub changed: Few,
    /// What was not there.
    pub appeared: Few,
    /// What is not there any more.
    pub vanished: Few,
}

impl Changes {
    /// Whether everything is as it was.
    pub fn is_none(&self) -> bool {
        self.changed.count + self.appeared.count + self.vanished.count == 0
    }

    /// The first path of all.
    pub fn first(&self) -> Option<&[u8]> {
        let all = [&self.changed, &self.appeared, &self.vanished];
        all.into_iter().find_map(|few| few.paths.first()).map(Vec::as_slice)
    }
}

/// Looks whether the tree at `at`, under whatever name it stands now, is what was copied: which objects
/// these are, their lengths and times, and which names there are. Contents are not read: whoever
/// changes them changes a time, as far as the clock of the file system is fine enough.
///
/// Of the top, whose name may be another by now, the time of any change does not count.
///
/// # Errors
/// The system's, where it could not be looked; [`Trouble::Stopped`].
pub fn still(
    system: System,
    manifest: &Manifest,
    at: At<'_>,
    watch: &dyn Watch,
) -> Result<Changes, Trouble> {
    watch.phase(Phase::Looking);
    let found = Changes::default();
    let mut looking = Looking { system, manifest, watch, side: Side::Original, found };
    looking.all(at)?;
    Ok(looking.found)
}

/// Looks whether the copy that stands at `at` is as it was made: nobody has written to it, or put
/// anything into it. As with [`still`], contents are not read.
///
/// # Errors
/// The system's, where it could not be looked; [`Trouble::Stopped`].
pub fn untouched(
    system: System,
    manifest: &Manifest,
    at: At<'_>,
    watch: &dyn Watch,
) -> Result<Changes, Trouble> {
    let found = Changes::default();
    let mut looking = Looking { system, manifest, watch, side: Side::Copy, found };
    looking.all(at)?;
    Ok(looking.found)
}

struct Looking<'a> {
    system: System,
    manifest: &'a Manifest,
    watch: &'a dyn Watch,
    side: Side,
    found: Changes,
}

/// Whether an entry is what is on record, on this side. `changed`: whether the time of any change counts,
/// which is on record of the original alone.
fn fits(side: Side, entry: &Entry, now: &Facts, changed: bool) -> bool {
    match (side, &entry.copy) {
        // A folder is on record as it was before anything was put into it; what is in it is compared.
        (Side::Copy, Some(copy)) => {
            is_it(side, entry, now)
                && copy.is(now)
                && (now.kind != EntryKind::File || entry.facts.size == now.size)
        }
        (Side::Copy, None) => false,
        _ => entry.is_still(now, changed),
    }
}

/// Whether it is that very object.
fn is_it(side: Side, entry: &Entry, now: &Facts) -> bool {
    match (side, &entry.copy) {
        (Side::Copy, Some(copy)) => {
            let born = copy.born.is_none() || now.id.born.is_none() || copy.born == now.id.born;
            entry.facts.kind == now.kind && copy.inode == now.id.inode && born
        }
        (Side::Copy, None) => false,
        _ => entry.facts.kind == now.kind && entry.facts.id.is_after_restart(now.id),
    }
}

impl Looking<'_> {
    fn all(&mut self, at: At<'_>) -> Result<(), Trouble> {
        let top = self.manifest.top()?;
        let looked = |error| Slip::original("look at it")(error).at(Vec::new());
        let now = match self.system.facts(at.0, at.1.as_bytes()) {
            Err(Errno::NOENT) => {
                self.found.vanished.add(Vec::new);
                return Ok(());
            }
            answer => answer.map_err(looked)?,
        };
        let side = self.side;
        if !fits(side, &top, &now, false) {
            self.found.changed.add(Vec::new);
            if !is_it(side, &top, &now) {
                return Ok(());
            }
        }
        if now.kind != EntryKind::Folder {
            return Ok(());
        }
        let mut descent = Descent::begin(self.system, at.0, at.1, &now).map_err(looked)?;
        let mut todo = vec![self.folder(0, &descent)?];
        while let Some(rest) = todo.last_mut() {
            if self.watch.stops() {
                return Err(Trouble::Stopped);
            }
            let Some((number, folder)) = rest.pop() else {
                todo.pop();
                descent.up().map_err(looked)?;
                continue;
            };
            let looked =
                |error| Slip::original("look at it")(error).at(self.manifest.path(number, None));
            match descent.look(&folder.name).and_then(|now| {
                let same = fits(side, &folder, &now, true);
                let entered = is_it(side, &folder, &now) && now.kind == EntryKind::Folder;
                if entered {
                    descent.down(&folder.name, &now)?;
                }
                Ok((same, entered))
            }) {
                Ok((same, entered)) => {
                    if !same {
                        self.found.changed.add(|| self.manifest.path(number, None));
                    }
                    if entered {
                        todo.push(self.folder(number, &descent)?);
                    }
                }
                Err(Errno::NOENT) => {
                    self.found.vanished.add(|| self.manifest.path(number, None));
                }
                Err(Errno::XDEV | Errno::AGAIN) => {
                    self.found.changed.add(|| self.manifest.path(number, None));
                }
                Err(error) => return Err(looked(error)),
            }
        }
        Ok(())
    }

    /// Compares what is in one folder, and gives the folders that should be in it.
    fn folder(&mut self, number: u32, here: &Descent) -> Result<Vec<(u32, Entry)>, Trouble> {
        let (system, manifest, side) = (self.system, self.manifest, self.side);
        let mut there = 0_u64;
        let found = &mut self.found;
        let watch = self.watch;
        manifest.entries::<Trouble>(number, &mut |entry| {
            watch.done(1, 0);
            let path = || manifest.path(number, Some(&entry.name));
            match here.look(&entry.name) {
                Ok(now) => {
                    there += 1;
                    if !fits(side, &entry, &now, true) {
                        found.changed.add(path);
                    }
                    Ok(())
                }
                Err(Errno::NOENT) => {
                    found.vanished.add(path);
                    Ok(())
                }
                Err(Errno::XDEV) => {
                    there += 1;
                    found.changed.add(path);
                    Ok(())
                }
                Err(error) => Err(Slip::original("look at it")(error).at(path())),
            }
        })?;
        let mut folders = Vec::new();
        for child in manifest.children(number) {
            folders.extend(manifest.folder(child)?.map(|folder| (child, folder)));
        }
        let listed = |error| Slip::original("list it")(error).at(manifest.path(number, None));
        let mut count = 0_u64;
        list(system, here, &mut |_| count += 1).map_err(listed)?;
        let known = u64::try_from(folders.len()).unwrap_or(u64::MAX);
        if count == there + known {
            return Ok(folders);
        }
        // There is more, or less: by name then. A folder that is missing is found when it is entered.
        let mut names = Names::default();
        for (_, folder) in &folders {
            names.add(folder.name.as_bytes());
        }
        manifest.entries::<Trouble>(number, &mut |entry| {
            names.add(entry.name.as_bytes());
            Ok(())
        })?;
        list(system, here, &mut |name| {
            if !names.has(name) {
                let name = Name::new(name);
                found.appeared.add(|| manifest.path(number, name.as_ref()));
            }
        })
        .map_err(listed)?;
        Ok(folders)
    }
}

/// Gives every name in a folder.
pub(super) fn list(
    system: System,
    here: &Descent,
    each: &mut dyn FnMut(&[u8]),
) -> Result<(), Errno> {
    // A descriptor of its own: a listing has a position.
    let folder = system.open(here.here(), c".", crate::system::Access::List)?;
    crate::look::without_trace(rustix::fd::AsFd::as_fd(&folder));
    let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
    system.list(rustix::fd::AsFd::as_fd(&folder), &mut buffer, EndMark::EmptyRead, |entry| {
        each(entry.name.to_bytes());
        true
    })
}
