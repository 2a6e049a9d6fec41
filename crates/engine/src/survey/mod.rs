//! Looking before planning: what a typed path names, where a target leads, what a plan would make of
//! it. Nothing here changes anything.

pub mod convert;
pub mod create;
mod guard;
mod neighbours;
pub mod remove;
pub mod retarget;
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
use linkwell_model::chain::{Chain, Destination, End, resolve};
use linkwell_model::entry::{EntryKind, Identity};
use linkwell_model::name::Name;
use linkwell_model::path::{self, AbsPath, Component};
use linkwell_model::plan::spelling::{Shared, Style};
use linkwell_model::plan::{Conflict, Fate, Make, Object, Plan, Slot, Step, Why};
use linkwell_model::planned::{Laid, Overlay, Planned};
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
}

/// The way that targets are written with, before their last name.
struct Way {
    text: Vec<u8>,
    folder: Arc<Folder>,
    place: AbsPath,
    hops: usize,
}

/// Where a target leads, as far as can be seen.
#[derive(Clone, Debug)]
pub struct Led {
    /// The place it names: its folder physically, and its last name, itself not followed.
    pub place: AbsPath,
    /// Where it leads in the end, if anywhere.
    pub physical: Option<AbsPath>,
    /// What is there, if anything.
    pub kind: Option<EntryKind>,
    /// What it ends in.
    pub end: End<()>,
    /// The physical place where the walk ended.
    pub end_at: AbsPath,
    /// How many links it passes.
    pub hops: usize,
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

    /// Where `target` leads from the folder at hand: the current one for what a person typed.
    pub fn led(&mut self, from: Option<&AbsPath>, target: &[u8]) -> Led {
        let last = path::components(target).next_back();
        let (way, name) = match last {
            Some(Component::Name(name)) if !path::ends_as_folder(target) => {
                (target.get(..target.len() - name.len()).unwrap_or_default(), Some(name))
            }
            _ => (target, None),
        };
        if let (None, Some(name)) = (from, name)
            && let Some(led) = self.led_beside(way, name)
        {
            return led;
        }
        let start = from.map_or_else(|| Arc::clone(&self.current), Folder::of_place);
        let chain = resolve(&mut self.live, &start, target);
        let end_at = chain.end_at(&self.live);
        let place = match name {
            None => {
                let mut place = end_at.clone();
                place.extend_as_text(&chain.rest);
                place
            }
            Some(name) if way.is_empty() => start.place().joined(name),
            Some(name) => {
                let above = resolve(&mut self.live, &start, way);
                let mut place = above.end_at(&self.live);
                place.extend_as_text(&above.rest);
                place.push(name);
                place
            }
        };
        let kind = match &chain.end {
            End::Found(Destination::Folder(_)) => Some(EntryKind::Folder),
            End::Found(Destination::Other(kind)) => Some(*kind),
            _ => None,
        };
        let physical = kind.map(|_| end_at.clone());
        Led { place, physical, kind, end: bare(&chain), end_at, hops: chain.hops.len() }
    }

    /// [`Surveyor::led`], for a target beside the last ones: its way has been walked, and its folder
    /// been listed.
    fn led_beside(&mut self, way: &[u8], name: &[u8]) -> Option<Led> {
        if self.last_way.as_ref().is_none_or(|last| last.text != way) {
            let start = Arc::clone(&self.current);
            let chain =
                if way.is_empty() { None } else { Some(resolve(&mut self.live, &start, way)) };
            let folder = match &chain {
                None => start,
                Some(chain) => match &chain.end {
                    End::Found(Destination::Folder(folder)) => Arc::clone(folder),
                    _ => return None,
                },
            };
            let hops = chain.map_or(0, |chain| chain.hops.len());
            self.last_way = Some(Way { text: way.to_vec(), place: folder.place(), folder, hops });
        }
        let way = self.last_way.as_ref()?;
        let (system, folder) = (self.system, &way.folder);
        let list = || folder.open(system, Access::List);
        let kind = match self.beside_targets.ask(system, &way.place, name, list) {
            Heard::Is(kind) if kind != EntryKind::Symlink => kind,
            _ => return None,
        };
        let place = way.place.joined(name);
        let end = match kind {
            EntryKind::Folder => Destination::Folder(()),
            kind => Destination::Other(kind),
        };
        Some(Led {
            physical: Some(place.clone()),
            kind: Some(kind),
            end: End::Found(end),
            end_at: place.clone(),
            place,
            hops: way.hops,
        })
    }

    /// Says in the plan where a name may be missing for a moment: something real is replaced on a file
    /// system that may not be able to exchange two names. A link is replaced by one rename even there.
    pub fn say_where_names_may_be_missing(&self, plan: &mut Plan) {
        let steps = plan.items.iter().flat_map(|item| &item.steps);
        let replaced = steps.filter(|step| {
            matches!(step, Step::Replace { old, fate, .. }
                if !matches!((old, fate), (Object::Link { .. }, Fate::Dropped { .. })))
        });
        let mut points: Vec<AbsPath> = Vec::new();
        for step in replaced {
            let place = plan.place(step.at());
            let mount = self.volumes.mounts().covering(&place);
            if let Some(mount) = mount.filter(|mount| may_not_exchange(&mount.fs_type))
                && !points.contains(&mount.point)
            {
                points.push(mount.point.clone());
            }
        }
        for point in points {
            plan.remarks.push(format!(
                "the file system at `{}` may not be able to exchange two names: then the name is missing \
                 for a moment",
                point.shown()
            ));
        }
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

    /// Lays a step over what is seen from now on.
    pub fn lay(&mut self, plan: &Plan, step: &Step) {
        let at = plan.place(step.at());
        let laid = match step.make() {
            None => Laid::Nothing,
            Some(Make::Link { target, .. }) => Laid::Link(target.clone()),
            Some(Make::Name { .. } | Make::File { .. } | Make::Copy { folder: false, .. }) => {
                Laid::Other(EntryKind::File)
            }
            Some(Make::Copy { of, .. }) => Laid::Like(plan.place(of)),
            Some(Make::Moved { from, object }) => match &**object {
                Object::Link { target, .. } => Laid::Link(target.clone()),
                Object::Folder { .. } => Laid::Like(plan.place(from)),
                other => Laid::Other(other.kind()),
            },
            Some(Make::Folder) => Laid::Other(EntryKind::Folder),
        };
        if let Some(Make::Moved { from, .. }) = step.make() {
            let left = plan.place(from).parent();
            self.overlay.lay(&left, from.name.as_bytes(), Laid::Nothing);
        }
        self.overlay.lay(&at.parent(), step.at().name.as_bytes(), laid);
        if let Some(Fate::Kept(slot)) = step.fate() {
            let kept = plan.place(slot);
            let laid = match step.old() {
                Some(Object::Link { target, .. }) => Laid::Link(target.clone()),
                Some(Object::Folder { .. }) => Laid::Like(at),
                Some(other) => Laid::Other(other.kind()),
                None => return,
            };
            self.overlay.lay(&kept.parent(), slot.name.as_bytes(), laid);
        }
    }

    /// What was laid so far.
    pub fn overlay(&self) -> &Overlay {
        &self.overlay
    }

    /// How the link at `slot` would fare when the plan had been carried out; all its steps have been
    /// laid.
    pub fn judge(&mut self, plan: &Plan, slot: &Slot) -> Fare {
        let place = plan.place(slot).parent();
        let folder = Folder::of_place(&place);
        let mut planned = Planned { now: &mut self.live, overlay: &self.overlay };
        let chain = resolve(&mut planned, &folder, slot.name.as_bytes());
        self.fare(&chain, &place, slot.name.as_bytes())
    }

    /// What a chain that begins with the link `name` in the folder at `place` says of it.
    fn fare(&self, chain: &Chain<Arc<Folder>>, place: &AbsPath, name: &[u8]) -> Fare {
        let end_at = chain.end_at(&self.live);
        match &chain.end {
            End::Found(Destination::Folder(_)) if place.joined(name).is_at_or_below(&end_at) => {
                Fare::Cycle(end_at)
            }
            End::Found(_) => Fare::Sound,
            End::Missing => match self.volumes.absent(&end_at, &chain.rest) {
                Some(absent) => Fare::Asleep(absent.point),
                None => Fare::Bad(Why::WouldBreak(end_at)),
            },
            End::NotADirectory(_) => Fare::Bad(Why::WouldNotBeFolder(end_at)),
            End::Loop => Fare::Bad(Why::WouldLoop),
            End::TooManyHops => Fare::Bad(Why::TooDeep),
            End::Denied | End::Unavailable => Fare::Unknown(end_at),
        }
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

/// How a link would fare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fare {
    /// It would lead to something.
    Sound,
    /// It would lead to a folder that contains it: this one.
    Cycle(AbsPath),
    /// It would lead into the volume of this place, which is not attached.
    Asleep(AbsPath),
    /// Nobody can say: this place cannot be looked at.
    Unknown(AbsPath),
    /// It would not work.
    Bad(Why),
}

/// Types of file systems on which RENAME_EXCHANGE is, or can be, refused (measured: bindfs, the lower
/// layers of overlay; rename(2) has the rest).
fn may_not_exchange(fs_type: &[u8]) -> bool {
    fs_type.starts_with(b"fuse")
        || matches!(fs_type, b"overlay" | b"nfs" | b"nfs4" | b"cifs" | b"smb3" | b"9p" | b"vboxsf")
}

fn bare<F>(chain: &Chain<F>) -> End<()> {
    match &chain.end {
        End::Found(Destination::Folder(_)) => End::Found(Destination::Folder(())),
        End::Found(Destination::Other(kind)) => End::Found(Destination::Other(*kind)),
        End::Missing => End::Missing,
        End::NotADirectory(kind) => End::NotADirectory(*kind),
        End::Loop => End::Loop,
        End::TooManyHops => End::TooManyHops,
        End::Denied => End::Denied,
        End::Unavailable => End::Unavailable,
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
