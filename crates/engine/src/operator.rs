//! Paths that a person typed.
//!
//! Two kinds of path (the rule is rsync 3.5.0's): what was found by walking, or named by somebody
//! else, passes no link at all; what our user typed may pass through a link only if that link belongs
//! to root or to the user whose rights this program has. For such a path the sign of trust is who
//! owns the link, not where it lies. The walk is one component at a time on held folders, so the link
//! whose owner was looked at is the link that was followed.

use crate::system::{Access, Facts, System};
use linkwell_model::chain::MOST_HOPS;
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::path::{self, AbsPath};
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::sync::Arc;

/// How many folders above are kept open for `..`; beyond that the system is asked for the parent.
const MOST_HELD: usize = 64;

/// Why a typed path leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The folder at this path does not exist.
    NoFolder(Vec<u8>),
    /// What is at this path is no folder.
    NotFolder(Vec<u8>),
    /// This link belongs to somebody else.
    Foreign {
        /// The link, physically.
        link: AbsPath,
        /// The number of its owner.
        owner: u32,
    },
    /// The links lead back to themselves, or are too many.
    Loop,
    /// The path names nothing that could be changed: it is empty, or ends in `.` or `..`.
    NoName,
    /// The system refuses.
    System(Errno),
}

/// A held folder, and where it lies.
#[derive(Clone, Debug)]
pub struct Held {
    /// The folder.
    pub folder: Arc<OwnedFd>,
    /// Where it lies, physically.
    pub place: AbsPath,
}

/// What a typed path names: an entry of a folder, itself not followed.
#[derive(Clone, Debug)]
pub struct Spot {
    /// The folder, held.
    pub held: Held,
    /// The name in it.
    pub name: Name,
    /// The path demanded a folder there, by a trailing slash.
    pub as_folder: bool,
}

impl Spot {
    /// Where it is, physically.
    pub fn place(&self) -> AbsPath {
        self.held.place.joined(self.name.as_bytes())
    }

    /// The folder's descriptor.
    pub fn at(&self) -> BorrowedFd<'_> {
        self.held.folder.as_fd()
    }
}

/// Walks typed paths.
#[derive(Debug)]
pub struct Operator {
    system: System,
    me: u32,
    current: Held,
    /// The last folder that was walked to, since neighbours are often typed together.
    last: Option<(Vec<u8>, Held)>,
}

impl Operator {
    /// Reads relative paths from the current folder, which lies at `current`.
    ///
    /// # Errors
    /// The system's, when it cannot be held.
    pub fn new(system: System, current: &AbsPath) -> Result<Self, Errno> {
        let folder = Arc::new(system.open_typed(b".", Access::Hold)?);
        Ok(Self::at(system, Held { folder, place: current.clone() }))
    }

    /// Reads relative paths from a folder that is held.
    pub fn at(system: System, current: Held) -> Self {
        let me = rustix::process::geteuid().as_raw();
        Self { system, me, current, last: None }
    }

    /// The current folder.
    pub fn current(&self) -> &Held {
        &self.current
    }

    /// The calls it uses.
    pub fn system(&self) -> System {
        self.system
    }

    /// The entry that `typed` names. Everything before its last component is followed.
    ///
    /// # Errors
    /// Where it leads nowhere, or must not be followed.
    pub fn spot(&mut self, typed: &[u8]) -> Result<Spot, Refusal> {
        let as_folder = path::ends_as_folder(typed);
        let end = typed.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
        let trimmed = typed.get(..end).unwrap_or_default();
        let from = trimmed.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        let name = Name::new(trimmed.get(from..).unwrap_or_default()).ok_or(Refusal::NoName)?;
        let held = self.folder(trimmed.get(..from).unwrap_or_default())?;
        Ok(Spot { held, name, as_folder })
    }

    /// The folder that `typed` leads to; the current one for an empty path.
    ///
    /// # Errors
    /// Where it leads to no folder, or must not be followed.
    pub fn folder(&mut self, typed: &[u8]) -> Result<Held, Refusal> {
        if let Some((path, held)) = &self.last
            && path == typed
        {
            return Ok(held.clone());
        }
        let held = self.walk(typed)?;
        self.last = Some((typed.to_vec(), held.clone()));
        Ok(held)
    }

    /// What a link leads to in the end: an entry that is no link. Every link on the way, this one among
    /// them, must belong to root or to the user.
    ///
    /// # Errors
    /// Where it leads to nothing that could be changed, or must not be followed.
    pub fn behind(&self, link: &Spot) -> Result<Spot, Refusal> {
        let mut spot = link.clone();
        for _ in 0..=MOST_HOPS {
            let facts = self.system.facts(spot.at(), spot.name.as_bytes());
            match facts {
                Ok(facts) if facts.kind == EntryKind::Symlink => {}
                Ok(_) => return Ok(spot),
                Err(Errno::NOENT) => {
                    return Err(Refusal::NoFolder(spot.place().as_bytes().to_vec()));
                }
                Err(error) => return Err(Refusal::System(error)),
            }
            let text = self.follow(&spot.held, spot.name.as_bytes())?;
            let mut from_here = Self::at(self.system, spot.held.clone());
            spot = match from_here.spot(&text) {
                Err(Refusal::NoName) => self.spot_of(&from_here.folder(&text)?)?,
                spot => spot?,
            };
        }
        Err(Refusal::Loop)
    }

    /// A held folder as an entry of the folder above it.
    fn spot_of(&self, held: &Held) -> Result<Spot, Refusal> {
        let (_, name) = held.place.split().ok_or(Refusal::NoName)?;
        let above = self.up(held)?;
        let facts = |at: BorrowedFd<'_>, name: &[u8]| self.system.facts(at, name);
        let there = facts(above.folder.as_fd(), name.as_bytes()).map_err(Refusal::System)?;
        let here = self.system.facts_of(held.folder.as_fd()).map_err(Refusal::System)?;
        if !here.id.is(there.id) {
            return Err(Refusal::System(Errno::AGAIN));
        }
        Ok(Spot { held: above, name, as_folder: true })
    }

    fn walk(&self, typed: &[u8]) -> Result<Held, Refusal> {
        let mut todo: Vec<Box<[u8]>> = pieces(typed);
        let mut here = if path::is_absolute(typed) { self.root()? } else { self.current.clone() };
        // The folders above, held: `..` is answered from here, so that nobody can move the way up.
        let mut above: Vec<Held> = Vec::new();
        let mut hops = 0;
        while let Some(piece) = todo.pop() {
            match &*piece {
                b"." => continue,
                b".." => {
                    here = match above.pop() {
                        Some(held) => held,
                        None => self.up(&here)?,
                    };
                    continue;
                }
                _ => {}
            }
            let opened = self.system.open(here.folder.as_fd(), &*piece, Access::Hold);
            match opened {
                Ok(folder) => {
                    let place = here.place.joined(&piece);
                    if above.len() == MOST_HELD {
                        above.remove(0);
                    }
                    let folder = Arc::new(folder);
                    above.push(std::mem::replace(&mut here, Held { folder, place }));
                }
                Err(Errno::LOOP | Errno::NOTDIR) => {
                    let text = self.follow(&here, &piece)?;
                    hops += 1;
                    if hops > MOST_HOPS {
                        return Err(Refusal::Loop);
                    }
                    if path::is_absolute(&text) {
                        here = self.root()?;
                        above.clear();
                    }
                    todo.append(&mut pieces(&text));
                }
                Err(Errno::NOENT) => {
                    return Err(Refusal::NoFolder(here.place.joined(&piece).as_bytes().to_vec()));
                }
                Err(error) => return Err(Refusal::System(error)),
            }
        }
        Ok(here)
    }

    /// The text of the link `name`, if it may be followed. It is held while it is looked at.
    fn follow(&self, here: &Held, name: &[u8]) -> Result<Vec<u8>, Refusal> {
        let link = self.system.hold(here.folder.as_fd(), name).map_err(Refusal::System)?;
        let facts: Facts = self.system.facts_of(link.as_fd()).map_err(Refusal::System)?;
        let place = || here.place.joined(name);
        match facts.kind {
            EntryKind::Symlink => {}
            // It became a folder between two looks.
            EntryKind::Folder => return Err(Refusal::System(Errno::AGAIN)),
            _ => return Err(Refusal::NotFolder(place().as_bytes().to_vec())),
        }
        if facts.owner != 0 && facts.owner != self.me {
            return Err(Refusal::Foreign { link: place(), owner: facts.owner });
        }
        let mut text = Vec::new();
        // readlinkat(2): an empty name reads the link that is held (Linux 2.6.39).
        self.system.read_link(link.as_fd(), c"", &mut text).map_err(Refusal::System)?;
        Ok(text)
    }

    fn root(&self) -> Result<Held, Refusal> {
        let folder =
            self.system.open(rustix::fs::CWD, c"/", Access::Hold).map_err(Refusal::System)?;
        Ok(Held { folder: Arc::new(folder), place: AbsPath::root() })
    }

    /// The parent of a folder whose own way is not held.
    fn up(&self, here: &Held) -> Result<Held, Refusal> {
        let folder =
            self.system.open(here.folder.as_fd(), c"..", Access::Hold).map_err(Refusal::System)?;
        Ok(Held { folder: Arc::new(folder), place: here.place.parent() })
    }
}

/// The components of a path, last first.
fn pieces(path: &[u8]) -> Vec<Box<[u8]>> {
    let pieces = path.split(|byte| *byte == b'/').rev().filter(|piece| !piece.is_empty());
    pieces.map(Into::into).collect()
}
