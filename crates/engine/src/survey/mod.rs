//! Looking before planning: what a typed path names, where a target leads, what a plan would make of
//! it. Nothing here changes anything.

pub mod amount;
pub mod convert;
pub mod create;
pub mod freight;
mod future;
mod giving;
pub mod guard;
pub mod known;
pub mod lead;
mod led;
pub mod merge;
mod neighbours;
pub mod relocate;
pub mod remove;
pub mod repair;
pub mod retarget;
pub mod room;
pub mod synced;
pub mod trash;
mod trashed;
pub mod undo;
mod within;

use crate::folder::Folder;
use crate::live::Live;
use crate::look;
use crate::operator::{Held, Operator, Refusal, Spot};
use crate::system::{Access, Links, System};
use crate::volumes::Volumes;
pub use future::Fare;
pub use led::Led;
use led::Way;
use linkwell_model::entry::Identity;
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::spelling::{Shared, Style};
use linkwell_model::plan::{Conflict, Object, Plan, Slot, Why};
use linkwell_model::planned::Overlay;
use neighbours::{Heard, Neighbours};
use rustix::fd::AsFd as _;
use rustix::io::Errno;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Looks, for the verbs that plan.
pub struct Surveyor {
    system: System,
    volumes: Arc<Volumes>,
    live: Live,
    operator: Operator,
    current: Arc<Folder>,
    home: Option<AbsPath>,
    /// The project that a folder belongs to, where that was asked.
    projects: HashMap<AbsPath, Option<AbsPath>>,
    /// Folders whose identity was asked.
    folders: HashMap<AbsPath, Identity>,
    owners: Option<Vec<(u32, String)>>,
    /// The slots that the plan at hand changes.
    taken: HashSet<(AbsPath, Name)>,
    overlay: Overlay,
    /// The folder in which spots were looked at last, and the one that targets led into.
    beside_spots: Neighbours,
    beside_targets: Neighbours,
    /// The last way that a target was written with, and where it led.
    last_way: Option<Way>,
    /// The folder in which a link was judged last.
    judged: Option<(AbsPath, Arc<Folder>)>,
}

/// Marks that make a folder a project.
const MARKS: [&str; 10] = [
    ".git",
    ".hg",
    ".svn",
    ".jj",
    ".bzr",
    "Cargo.toml",
    "package.json",
    "pyproject.toml",
    "go.mod",
    "composer.json",
];

impl Surveyor {
    /// Reads relative paths from the current folder.
    ///
    /// # Errors
    /// The system's, when it cannot be held.
    pub fn new(
        system: System,
        volumes: Arc<Volumes>,
        current: &AbsPath,
        home: Option<AbsPath>,
    ) -> Result<Self, Errno> {
        let operator = Operator::new(system, current)?;
        let descriptor = rustix::io::fcntl_dupfd_cloexec(operator.current().folder.as_fd(), 0)?;
        // Home may be typed or configured through a link; what is compared is where it lies.
        let home = home.map(|home| {
            let held = Operator::at(system, operator.current().clone()).folder(home.as_bytes());
            held.map_or(home, |held| held.place)
        });
        Ok(Self {
            system,
            live: Live::new(system, Arc::clone(&volumes)),
            volumes,
            current: Folder::held(current, descriptor),
            operator,
            home,
            projects: HashMap::new(),
            folders: HashMap::new(),
            owners: None,
            taken: HashSet::new(),
            overlay: Overlay::default(),
            beside_spots: Neighbours::default(),
            beside_targets: Neighbours::default(),
            last_way: None,
            judged: None,
        })
    }

    /// The calls that it uses.
    pub fn system(&self) -> System {
        self.system
    }

    /// The volumes that it respects.
    pub fn volumes(&self) -> &Arc<Volumes> {
        &self.volumes
    }

    /// The folder that relative paths are read from.
    pub fn current(&self) -> &Held {
        self.operator.current()
    }

    /// The entry that a typed path names.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub fn spot(&mut self, typed: &[u8]) -> Result<Spot, Why> {
        self.operator.spot(typed).map_err(|refusal| self.why(refusal))
    }

    /// The folder that a typed path leads to.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub fn folder(&mut self, typed: &[u8]) -> Result<Held, Why> {
        self.operator.folder(typed).map_err(|refusal| self.why(refusal))
    }

    /// What a link leads to in the end, by links of root's and the user's own alone.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub fn behind(&mut self, link: &Spot) -> Result<Spot, Why> {
        self.operator.behind(link).map_err(|refusal| self.why(refusal))
    }

    /// A refusal in the words of conflicts.
    pub fn why(&mut self, refusal: Refusal) -> Why {
        match refusal {
            Refusal::NoFolder(path) => Why::NoFolder(path.into()),
            Refusal::NotFolder(path) => Why::NotFolder(path.into()),
            Refusal::Foreign { link, owner } => {
                Why::ForeignLink { link: link.as_bytes().into(), owner: self.owner(owner) }
            }
            Refusal::Loop => {
                Why::Name("the way there leads through links that lead back to themselves")
            }
            Refusal::NoName => Why::Name("this names no entry that could be changed"),
            Refusal::System(error) => refused("the way there cannot be walked", error),
        }
    }

    /// The name of a user, or the number where there is none.
    pub fn owner(&mut self, number: u32) -> String {
        let system = self.system;
        let owners = self.owners.get_or_insert_with(|| crate::explain::owners(system));
        let name = owners.iter().find(|(known, _)| *known == number);
        name.map_or_else(|| format!("user {number}"), |(_, name)| name.clone())
    }

    /// What stands at a spot. A link is read in full.
    ///
    /// # Errors
    /// Why it cannot be looked at.
    pub fn object(&mut self, spot: &Spot) -> Result<Option<Object>, Why> {
        let (system, name) = (self.system, spot.name.as_bytes());
        let list = || system.open(spot.at(), c".", Access::List);
        let heard = self.beside_spots.ask(system, &spot.held.place, name, list);
        if heard == Heard::Absent {
            return Ok(None);
        }
        let found = look::object_in_full(self.system, spot.at(), spot.name.as_bytes());
        found.map_err(|error| refused("it cannot be looked at", error))
    }

    /// Which folder is held, asked once a place.
    ///
    /// # Errors
    /// Why it cannot be looked at.
    pub fn identity(&mut self, held: &Held) -> Result<Identity, Why> {
        if let Some(id) = self.folders.get(&held.place) {
            return Ok(*id);
        }
        let facts = self.system.facts_of(held.folder.as_fd());
        let id = facts.map_err(|error| refused("its folder cannot be looked at", error))?.id;
        self.folders.insert(held.place.clone(), id);
        Ok(id)
    }

    /// The slot of a spot in `plan`.
    ///
    /// # Errors
    /// Why its folder cannot be looked at.
    pub fn slot(&mut self, plan: &mut Plan, spot: &Spot) -> Result<Slot, Why> {
        let id = self.identity(&spot.held)?;
        Ok(Slot { folder: plan.folder(&spot.held.place, id), name: spot.name.clone() })
    }

    /// Claims a name for the plan at hand.
    ///
    /// # Errors
    /// [`Why::Twice`] when it was claimed already.
    pub fn claim(&mut self, spot: &Spot) -> Result<(), Why> {
        let fresh = self.taken.insert((spot.held.place.clone(), spot.name.clone()));
        if fresh { Ok(()) } else { Err(Why::Twice) }
    }

    /// What two places share; `None` when nothing that makes a relative target the better one.
    pub fn shared(&mut self, link: &AbsPath, target: &AbsPath) -> Option<Shared> {
        if let Some(project) = self.project(&link.parent())
            && target.is_at_or_below(&project)
        {
            return Some(Shared::Project(project));
        }
        let top = self.volumes.mounts().covering(link).map(|mount| mount.point.clone());
        let there = self.volumes.mounts().covering(target).map(|mount| &mount.point);
        if let Some(top) = top
            && top != AbsPath::root()
            && there == Some(&top)
        {
            return Some(Shared::Volume(top));
        }
        let home = self.home.as_ref().filter(|home| **home != AbsPath::root())?;
        (link.is_at_or_below(home) && target.is_at_or_below(home)).then_some(Shared::Home)
    }

    /// The nearest folder at or above `folder` that is a project.
    fn project(&mut self, folder: &AbsPath) -> Option<AbsPath> {
        let mut asked = Vec::new();
        let mut here = folder.clone();
        let found = loop {
            if here == AbsPath::root() {
                break None;
            }
            if let Some(known) = self.projects.get(&here) {
                break known.clone();
            }
            let marked = MARKS.iter().any(|mark| {
                let path = here.joined(mark.as_bytes());
                self.system.status(rustix::fs::CWD, path.as_bytes(), Links::Kept).is_ok()
            });
            if marked {
                break Some(here.clone());
            }
            asked.push(here.clone());
            here.pop();
        };
        for place in asked {
            self.projects.insert(place, found.clone());
        }
        if let Some(project) = &found {
            self.projects.insert(project.clone(), found.clone());
        }
        found
    }

    /// Whether a folder may be listed and searched for names, and the names in it.
    ///
    /// # Errors
    /// Why it cannot be listed.
    pub fn names(&self, held: &Held) -> Result<Vec<Name>, Why> {
        let list = || {
            let folder = self.system.open(held.folder.as_fd(), c".", Access::List)?;
            crate::execute::names(self.system, folder.as_fd())
        };
        list().map_err(|error| refused("the folder cannot be listed", error))
    }
}

/// A refusal of the system's as a conflict.
pub fn refused(doing: &'static str, error: Errno) -> Why {
    Why::System { doing, reason: reason(error) }
}

/// The system's reason in plain words, without its number.
pub fn reason(error: Errno) -> String {
    let text = std::io::Error::from(error).to_string();
    let words = text.split(" (os error").next().unwrap_or_default();
    let mut characters = words.chars();
    let first = characters.next().map(char::to_lowercase).into_iter().flatten();
    first.chain(characters).collect()
}

/// Gathers what cannot be done.
pub fn conflict(plan: &mut Plan, path: &[u8], why: Why) {
    plan.conflicts.push(Conflict { path: path.into(), why });
}

/// The style that was asked for, or the one that what both ends share speaks for.
pub fn style(asked: Option<Style>, shared: Option<&Shared>) -> Style {
    asked.unwrap_or(if shared.is_some() { Style::Relative } else { Style::Absolute })
}
