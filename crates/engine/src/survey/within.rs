//! What is in a folder that is to go: counted by held folders, never through a link or into another
//! volume.

use super::Surveyor;
use crate::descent::Descent;
use crate::execute::names;
use crate::system::Facts;
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;

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
}

/// Looks at all that is in the folder called `name` in `above`, which lies at `place`.
pub(super) fn look(
    surveyor: &mut Surveyor,
    above: BorrowedFd<'_>,
    name: &Name,
    facts: &Facts,
    place: &AbsPath,
) -> Within {
    let mut walk = Walk { surveyor, within: Within::default(), top: place, here: place.clone() };
    if let Err(error) = walk.all(above, name, facts) {
        walk.unseen(walk.here.clone(), error);
    }
    walk.within
}

struct Walk<'w> {
    surveyor: &'w mut Surveyor,
    within: Within,
    top: &'w AbsPath,
    here: AbsPath,
}

impl Walk<'_> {
    fn unseen(&mut self, place: AbsPath, error: Errno) {
        self.within.unseen.get_or_insert((place, error));
    }

    fn all(&mut self, above: BorrowedFd<'_>, name: &Name, facts: &Facts) -> Result<(), Errno> {
        let system = self.surveyor.system();
        let mut descent = Descent::begin(system, above, name, facts)?;
        let mut todo = vec![names(system, descent.here())?];
        while let Some(rest) = todo.last_mut() {
            let Some(name) = rest.pop() else {
                todo.pop();
                descent.up()?;
                self.here.pop();
                continue;
            };
            let facts = match system.facts(descent.here(), name.as_bytes()) {
                Err(Errno::NOENT) => continue,
                answer => answer?,
            };
            if descent.look(&name) == Err(Errno::XDEV) {
                let there = self.here.joined(name.as_bytes());
                let same = facts.mount.is_some() && facts.mount == descent.facts().mount;
                let first = if same { &mut self.within.foreign } else { &mut self.within.mounted };
                first.get_or_insert(there);
                continue;
            }
            if facts.kind != EntryKind::Folder {
                self.count(descent.here(), &name, &facts);
                continue;
            }
            self.within.folders += 1;
            self.here.push(name.as_bytes());
            // One folder that cannot be read does not end the walk.
            match descent.down(&name, &facts) {
                Ok(()) => {
                    let listed = names(system, descent.here());
                    todo.push(listed.unwrap_or_else(|error| {
                        self.unseen(self.here.clone(), error);
                        Vec::new()
                    }));
                }
                Err(error) => {
                    self.unseen(self.here.clone(), error);
                    self.here.pop();
                }
            }
        }
        Ok(())
    }

    /// Counts what is no folder.
    fn count(&mut self, folder: BorrowedFd<'_>, name: &Name, facts: &Facts) {
        match facts.kind {
            EntryKind::File => {
                self.within.files += 1;
                self.within.bytes = self.within.bytes.saturating_add(facts.size);
            }
            EntryKind::Symlink => {
                self.within.links += 1;
                let mut text = Vec::new();
                let system = self.surveyor.system();
                if system.read_link(folder, name.as_bytes(), &mut text).is_err() {
                    return;
                }
                let led = self.surveyor.led(Some(&self.here), &text);
                let end = led.physical.unwrap_or(led.place);
                if end.is_at_or_below(self.top) {
                    return;
                }
                self.within.outer += 1;
                if self.within.named.len() < MOST_NAMED {
                    let below = self.here.joined(name.as_bytes());
                    let below = below.below(self.top).unwrap_or_default().to_vec();
                    self.within.named.push((below, end));
                }
            }
            kind => {
                self.within.others += 1;
                let there = self.here.joined(name.as_bytes());
                self.within.other.get_or_insert((there, kind));
            }
        }
    }
}
