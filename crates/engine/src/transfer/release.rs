//! Frees an original by what is on record: what was copied and is as it was then goes, and nothing else.

use super::entry::Entry;
use super::record::{Manifest, Names};
use super::still::list;
use super::{At, Phase, Trouble, Watch};
use crate::descent::Descent;
use crate::disk::Disk;
use crate::system::System;
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use rustix::io::Errno;

/// So many paths are kept of what stays.
const MOST: usize = 100;

/// Why something stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stays {
    /// It was not there when the tree was copied.
    New,
    /// It has changed since, or is another object.
    Changed,
    /// Another volume is mounted there.
    Mounted,
    /// The system refuses, for this reason.
    Refused(Errno),
}

/// Something that stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Its path below the top; empty for the top.
    pub path: Vec<u8>,
    /// Why.
    pub why: Stays,
}

/// What came of freeing a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Released {
    /// How many entries were freed in this run.
    pub freed: u64,
    /// How much stays that is not only a folder on the way to such.
    pub stays: u64,
    /// The first of it.
    pub left: Vec<Left>,
}

impl Released {
    fn leave(&mut self, why: Stays, path: impl FnOnce() -> Vec<u8>) {
        self.stays += 1;
        if self.left.len() < MOST {
            self.left.push(Left { path: path(), why });
        }
    }
}

/// Frees the original that stands at `at`, under whatever name it has now: every entry that is on
/// record, is the same object and has not changed since, and every folder that is empty then. What is
/// new, has changed, or cannot be removed stays, with the folders that lead to it.
///
/// May be called again when it was interrupted: what is gone already is no matter. Nothing is synced.
///
/// # Errors
/// The record's; [`Trouble::Stopped`].
pub fn release(
    disk: &dyn Disk,
    system: System,
    manifest: &Manifest,
    at: At<'_>,
    watch: &dyn Watch,
) -> Result<Released, Trouble> {
    watch.phase(Phase::Freeing);
    let mut freeing = Freeing { disk, system, manifest, watch, found: Released::default() };
    freeing.all(at)?;
    Ok(freeing.found)
}

struct Freeing<'a> {
    disk: &'a dyn Disk,
    system: System,
    manifest: &'a Manifest,
    watch: &'a dyn Watch,
    found: Released,
}

/// A folder that is being emptied.
struct Emptied {
    number: u32,
    name: Name,
    /// The folders in it that are still to be emptied.
    rest: Vec<u32>,
    /// What stays and was told.
    told: Names,
    /// The permissions that it had, if it was given others.
    mode: Option<u32>,
}

/// Whether an entry is what was copied. Each name of a file that goes changes the time of any change.
fn is_as_copied(entry: &Entry, now: &crate::system::Facts) -> bool {
    entry.is_still(now, entry.facts.names < 2)
}

impl Freeing<'_> {
    fn all(&mut self, at: At<'_>) -> Result<(), Trouble> {
        let top = self.manifest.top()?;
        let now = match self.system.facts(at.0, at.1.as_bytes()) {
            Err(Errno::NOENT) => return Ok(()),
            Err(error) => {
                self.found.leave(Stays::Refused(error), Vec::new);
                return Ok(());
            }
            Ok(now) => now,
        };
        let same = top.facts.kind == now.kind && top.facts.id.is_after_restart(now.id);
        if !same || (now.kind != EntryKind::Folder && !top.is_still(&now, false)) {
            self.found.leave(Stays::Changed, Vec::new);
            return Ok(());
        }
        if now.kind != EntryKind::Folder {
            match self.disk.drop_name(at.0, at.1) {
                Ok(()) | Err(Errno::NOENT) => self.found.freed += 1,
                Err(error) => self.found.leave(Stays::Refused(error), Vec::new),
            }
            return Ok(());
        }
        let mut descent = match Descent::begin(self.system, at.0, at.1, &now) {
            Ok(descent) => descent,
            Err(error) => {
                self.found.leave(why(error), Vec::new);
                return Ok(());
            }
        };
        let mut todo = vec![self.begin(0, at.1.clone(), &descent)?];
        while let Some(last) = todo.last_mut() {
            if self.watch.stops() {
                return Err(Trouble::Stopped);
            }
            let Some(number) = last.rest.pop() else {
                let Some(emptied) = todo.pop() else { break };
                self.end(&emptied, &mut descent, todo.last_mut(), at)?;
                continue;
            };
            let Some(folder) = self.manifest.folder(number)? else { continue };
            let entered = descent.look(&folder.name).and_then(|now| {
                let same =
                    folder.facts.id.is_after_restart(now.id) && now.kind == EntryKind::Folder;
                if same {
                    descent.down(&folder.name, &now)?;
                }
                Ok(same)
            });
            let path = || self.manifest.path(number, None);
            match entered {
                Ok(true) => {
                    let next = self.begin(number, folder.name, &descent)?;
                    todo.push(next);
                }
                Ok(false) => {
                    last.told.add(folder.name.as_bytes());
                    self.found.leave(Stays::Changed, path);
                }
                Err(Errno::NOENT) => {}
                Err(error) => {
                    last.told.add(folder.name.as_bytes());
                    self.found.leave(why(error), path);
                }
            }
        }
        Ok(())
    }

    /// Frees what is in a folder and is no folder.
    fn begin(&mut self, number: u32, name: Name, here: &Descent) -> Result<Emptied, Trouble> {
        let (manifest, disk, watch) = (self.manifest, self.disk, self.watch);
        let mode = self.open_up(here);
        let mut told = Names::default();
        let found = &mut self.found;
        manifest.entries::<Trouble>(number, &mut |entry| {
            if watch.stops() {
                return Err(Trouble::Stopped);
            }
            watch.done(1, 0);
            let gone = match here.look(&entry.name) {
                Ok(now) if is_as_copied(&entry, &now) => {
                    disk.drop_name(here.here(), &entry.name).map_err(why)
                }
                Ok(_) => Err(Stays::Changed),
                Err(Errno::NOENT) => return Ok(()),
                Err(error) => Err(why(error)),
            };
            match gone {
                Ok(()) => found.freed += 1,
                Err(why) => {
                    told.add(entry.name.as_bytes());
                    found.leave(why, || manifest.path(number, Some(&entry.name)));
                }
            }
            Ok(())
        })?;
        Ok(Emptied { number, name, rest: manifest.children(number), told, mode })
    }

    /// Removes a folder that is empty now, or tells what is still in it.
    fn end(
        &mut self,
        emptied: &Emptied,
        descent: &mut Descent,
        above: Option<&mut Emptied>,
        at: At<'_>,
    ) -> Result<(), Trouble> {
        let path = || self.manifest.path(emptied.number, None);
        let mut new = Vec::new();
        let listed = list(self.system, descent, &mut |name| {
            if !emptied.told.has(name) {
                new.extend(Name::new(name));
            }
        });
        let mut left = |why, path: &dyn Fn() -> Vec<u8>| self.found.leave(why, path);
        if let Err(error) = listed {
            left(why(error), &path);
        }
        for name in &new {
            left(Stays::New, &|| self.manifest.path(emptied.number, Some(name)));
        }
        let came_up = match descent.up() {
            Ok(came_up) => came_up,
            Err(_) => {
                // It was moved: there is no way back to the rest.
                left(Stays::Changed, &path);
                return Err(Trouble::Changed(path()));
            }
        };
        let (folder, from) = match &came_up {
            Some(_) => (descent.here(), &emptied.name),
            None => (at.0, at.1),
        };
        match self.disk.drop_folder(folder, from) {
            Ok(()) => self.found.freed += 1,
            Err(error) => {
                if let Some(above) = above {
                    above.told.add(emptied.name.as_bytes());
                }
                let full = matches!(error, Errno::NOTEMPTY | Errno::EXIST);
                if !full && error != Errno::NOENT {
                    self.found.leave(why(error), path);
                }
                // What stays in it is told already; it gets its permissions back.
                let held = came_up.as_ref().map(|(left, _)| rustix::fd::AsFd::as_fd(left));
                if let Some(mode) = emptied.mode {
                    let held = held.unwrap_or_else(|| descent.here());
                    self.disk.permit(held, mode).unwrap_or_default();
                }
            }
        }
        Ok(())
    }

    /// Lets its owner write to a folder that is being emptied; gives the permissions that it had.
    fn open_up(&self, here: &Descent) -> Option<u32> {
        let facts = here.facts();
        let mine = facts.owner == rustix::process::geteuid().as_raw();
        if facts.mode & 0o300 == 0o300 || !mine || rustix::process::geteuid().is_root() {
            return None;
        }
        self.disk.permit(here.here(), facts.mode | 0o700).ok().map(|()| facts.mode)
    }
}

fn why(error: Errno) -> Stays {
    match error {
        Errno::XDEV => Stays::Mounted,
        Errno::AGAIN => Stays::Changed,
        error => Stays::Refused(error),
    }
}
