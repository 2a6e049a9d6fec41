//! The trash of the desktop, as the FreeDesktop.org Trash specification 1.0 has it.
//!
//! What goes there is renamed, so its trash lies on its own volume: the one in the home folder if
//! that is there, else one at the top of the volume. A trash is used only while it is this user's
//! alone, since what is brought back from there must be what was put there.

use super::reason;
use super::trashed::{Taken, info};
use crate::disk::Disk;
use crate::operator::Held;
use crate::state::{self, Trouble};
use crate::system::{Access, Facts, System};
use linkwell_model::entry::{EntryKind, FileId, Identity};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Bytes, Fate, Make, Object, Plan, Slot, Step, Why};
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{Access as May, AtFlags};
use rustix::io::Errno;
use std::sync::Arc;

const INFO: &[u8] = b"info";
const FILES: &[u8] = b"files";

/// Which volume, and which sight of it: a rename passes from neither into another.
type Volume = (u64, Option<u64>);

/// The trashes that a plan uses.
pub struct Trashes {
    system: System,
    me: u32,
    /// Where the trash of the home folder lies, or would.
    home: Option<AbsPath>,
    known: Vec<(Volume, Result<usize, Why>)>,
    /// Which folder is the trash of a volume, where that was asked.
    existing: Vec<(Volume, Option<FileId>)>,
    bins: Vec<Bin>,
}

/// One trash.
struct Bin {
    /// The nearest folder at or above it that exists, and what is missing below, the last name first.
    base: Held,
    missing: Vec<Name>,
    place: AbsPath,
    /// The folder that recorded paths are read from; `/` for the trash of the home folder.
    top: Option<AbsPath>,
    /// Their numbers in the plan.
    info: u32,
    files: u32,
    /// The two folders, if they exist.
    held: Option<(OwnedFd, OwnedFd)>,
    taken: Taken,
}

/// Stands for the identity of a folder that is only made when the person has said yes.
const NOT_YET: Identity = Identity { device: 0, inode: 0, born: None };

impl Trashes {
    /// None is looked at yet. `home` is where the trash of the home folder lies, or would.
    pub fn new(system: System, home: Option<AbsPath>) -> Self {
        let me = rustix::process::geteuid().as_raw();
        Self { system, me, home, known: Vec::new(), existing: Vec::new(), bins: Vec::new() }
    }

    /// The steps that move what stands at `at` into the trash of its volume: first its record, which
    /// claims the name, then the thing itself.
    ///
    /// # Errors
    /// Why it cannot.
    pub(super) fn steps(
        &mut self,
        plan: &mut Plan,
        (at, held): (Slot, &Held),
        old: Object,
        when: &str,
    ) -> Result<Vec<Step>, Why> {
        let number = self.of(plan, held)?;
        let place = plan.place(&at);
        let system = self.system;
        let bin = self.bins.get_mut(number).ok_or_else(|| none("it cannot be had"))?;
        let (record, name) = bin.taken.choose(system, bin.held.as_ref(), &at.name)?;
        let path = match &bin.top {
            Some(top) => place.below(top).ok_or_else(|| none("it lies elsewhere"))?,
            None => place.as_bytes(),
        };
        let bytes = Bytes(info(path, when).into());
        let record = Slot { folder: bin.info, name: record };
        let kept = Slot { folder: bin.files, name };
        Ok(vec![
            Step::Put {
                at: record,
                make: Make::File { bytes, mode: 0o600, modified: None, carried: None },
            },
            Step::Remove { at, old, fate: Fate::Kept(kept) },
        ])
    }

    /// Which folder is the trash for what lies in `held`, if it exists and can be used.
    pub(super) fn existing(&mut self, held: &Held) -> Option<FileId> {
        let facts = self.facts(held.folder.as_fd()).ok()?;
        let volume = (facts.id.device, facts.mount);
        if let Some((_, known)) = self.existing.iter().find(|(known, _)| *known == volume) {
            return *known;
        }
        let bin = self.find(held, volume).ok().filter(|bin| bin.missing.is_empty());
        let facts = bin.and_then(|bin| self.facts(bin.base.folder.as_fd()).ok());
        let found = facts.map(|facts| facts.id.file());
        self.existing.push((volume, found));
        found
    }

    /// The trash for what lies in `held`.
    fn of(&mut self, plan: &mut Plan, held: &Held) -> Result<usize, Why> {
        let facts = self.facts(held.folder.as_fd())?;
        let volume = (facts.id.device, facts.mount);
        if let Some((_, known)) = self.known.iter().find(|(known, _)| *known == volume) {
            return known.clone();
        }
        let found = self.find(held, volume).map(|mut bin| {
            let mut number = |held: Option<&OwnedFd>, name: &[u8]| {
                let facts = held.and_then(|held| self.system.facts_of(held.as_fd()).ok());
                plan.folder(&bin.place.joined(name), facts.map_or(NOT_YET, |facts| facts.id))
            };
            bin.info = number(bin.held.as_ref().map(|held| &held.0), INFO);
            bin.files = number(bin.held.as_ref().map(|held| &held.1), FILES);
            self.bins.push(bin);
            self.bins.len() - 1
        });
        self.known.push((volume, found.clone()));
        found
    }

    fn find(&self, held: &Held, volume: Volume) -> Result<Bin, Why> {
        if let Some(home) = &self.home
            && let Ok((base, missing)) = state::nearest(self.system, home)
            && self.volume(&base).is_ok_and(|found| found == volume)
        {
            let own = missing.is_empty();
            return state::check_way(self.system, &base, own)
                .and_then(|()| self.bin(base, missing, None, volume))
                .map_err(|trouble| unusable(home, &trouble));
        }
        let top = self.top(held, volume)?;
        let trash = |name: &str| Name::new(name.as_bytes()).ok_or_else(|| none("it has no name"));
        // The administrator's: for all users, if it is sticky and no link. What is wrong with it is not
        // ours to say.
        let shared = self.system.facts(top.folder.as_fd(), b".Trash");
        if shared.is_ok_and(|facts| facts.kind == EntryKind::Folder && facts.mode & 0o1000 != 0)
            && let Ok(shared) = self.enter(&top, b".Trash")
            && let Ok(bin) = self.in_folder(shared, trash(&self.me.to_string())?, &top, volume)
        {
            return Ok(bin);
        }
        let name = trash(&format!(".Trash-{}", self.me))?;
        let place = top.place.joined(name.as_bytes());
        let bin = self.in_folder(top.clone(), name, &top, volume);
        bin.map_err(|trouble| match trouble {
            Trouble::System(_, Errno::ROFS) => read_only(),
            trouble => unusable(&place, &trouble),
        })
    }

    /// The trash called `name` in `folder`, which exists or can be made.
    fn in_folder(
        &self,
        folder: Held,
        name: Name,
        top: &Held,
        volume: Volume,
    ) -> Result<Bin, Trouble> {
        match self.system.facts(folder.folder.as_fd(), name.as_bytes()) {
            Ok(_) => {
                let trash = self.enter(&folder, name.as_bytes())?;
                self.bin(trash, Vec::new(), Some(top.place.clone()), volume)
            }
            Err(Errno::NOENT) => self.bin(folder, vec![name], Some(top.place.clone()), volume),
            Err(error) => Err(Trouble::System(folder.place.joined(name.as_bytes()), error)),
        }
    }

    fn bin(
        &self,
        base: Held,
        missing: Vec<Name>,
        top: Option<AbsPath>,
        volume: Volume,
    ) -> Result<Bin, Trouble> {
        let mut place = base.place.clone();
        missing.iter().rev().for_each(|name| place.push(name.as_bytes()));
        let mut held = None;
        if missing.is_empty() {
            self.check(&base, true, volume)?;
            let both = (self.enter(&base, INFO), self.enter(&base, FILES));
            for inner in [&both.0, &both.1].into_iter().flatten() {
                self.check(inner, false, volume)?;
            }
            held = match both {
                (Ok(info), Ok(files)) => Some((owned(&info)?, owned(&files)?)),
                (Err(trouble), _) | (_, Err(trouble)) => match trouble {
                    Trouble::System(_, Errno::NOENT) => None,
                    trouble => return Err(trouble),
                },
            };
        }
        if held.is_none() {
            // It is made later; whether that is allowed is asked now, while nothing has been begun.
            let may = May::WRITE_OK | May::EXEC_OK;
            let asked = rustix::fs::accessat(base.folder.as_fd(), c".", may, AtFlags::EACCESS);
            asked.map_err(|error| Trouble::System(base.place.clone(), error))?;
        }
        Ok(Bin { base, missing, place, top, info: 0, files: 0, held, taken: Taken::default() })
    }

    /// Whether a folder is this user's, on that volume, and (the trash itself) nobody else may write
    /// to it.
    fn check(&self, held: &Held, closed: bool, volume: Volume) -> Result<(), Trouble> {
        let trouble = |error| Trouble::System(held.place.clone(), error);
        let facts = self.system.facts_of(held.folder.as_fd()).map_err(trouble)?;
        if (facts.id.device, facts.mount) != volume {
            return Err(trouble(Errno::XDEV));
        }
        if facts.owner != self.me {
            return Err(Trouble::Foreign(held.place.clone(), facts.owner));
        }
        state::check(&facts, &held.place, closed)
    }

    fn enter(&self, above: &Held, name: &[u8]) -> Result<Held, Trouble> {
        let place = above.place.joined(name);
        match self.system.open(above.folder.as_fd(), name, Access::Hold) {
            Ok(folder) => Ok(Held { folder: Arc::new(folder), place }),
            Err(error) => Err(Trouble::System(place, error)),
        }
    }

    /// The topmost folder of a volume, upwards from one that is held.
    fn top(&self, held: &Held, volume: Volume) -> Result<Held, Why> {
        let mut here = held.clone();
        loop {
            let up = self.system.open(here.folder.as_fd(), c"..", Access::Hold);
            let up = up.map_err(|error| none(&reason(error)))?;
            let above = Held { folder: Arc::new(up), place: here.place.parent() };
            if here.place == above.place || self.volume(&above)? != volume {
                return Ok(here);
            }
            here = above;
        }
    }

    fn volume(&self, held: &Held) -> Result<Volume, Why> {
        self.facts(held.folder.as_fd()).map(|facts| (facts.id.device, facts.mount))
    }

    fn facts(&self, held: BorrowedFd<'_>) -> Result<Facts, Why> {
        let facts = self.system.facts_of(held);
        facts.map_err(|error| super::refused("its folder cannot be looked at", error))
    }

    /// Makes the trash folders that are missing, each for nobody but this user, and tells the plan
    /// which they are. To be called when the person has said yes: a plan speaks of folders that
    /// exist, and nothing is made before. An empty trash is no harm, so these are never taken back.
    ///
    /// # Errors
    /// What cannot be done then, by the number of the folder in the plan; the items that need such a
    /// folder must be left out.
    pub fn prepare(&self, disk: &dyn Disk, plan: &mut Plan) -> Result<(), Vec<(u32, Why)>> {
        let mut refused = Vec::new();
        for bin in &self.bins {
            match self.made(disk, bin) {
                Ok(ids) => {
                    for (number, id) in [bin.info, bin.files].into_iter().zip(ids) {
                        let number = usize::try_from(number).unwrap_or(usize::MAX);
                        if let Some(folder) = plan.folders.get_mut(number) {
                            folder.id = id;
                        }
                    }
                }
                Err(trouble) => {
                    refused.push((bin.files, unusable(&bin.place, &trouble)));
                }
            }
        }
        if refused.is_empty() { Ok(()) } else { Err(refused) }
    }

    fn made(&self, disk: &dyn Disk, bin: &Bin) -> Result<[Identity; 2], Trouble> {
        let at = |held: &Held| {
            let facts = self.system.facts_of(held.folder.as_fd());
            facts.map_err(|error| Trouble::System(held.place.clone(), error))
        };
        let facts = at(&bin.base)?;
        let volume = (facts.id.device, facts.mount);
        let make = |above: &Held, name: &Name, closed| {
            match disk.make_folder(above.folder.as_fd(), name) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => {
                    return Err(Trouble::System(above.place.joined(name.as_bytes()), error));
                }
            }
            let made = self.enter(above, name.as_bytes())?;
            self.check(&made, closed, volume)?;
            Ok(made)
        };
        let mut trash = bin.base.clone();
        for name in bin.missing.iter().rev() {
            trash = make(&trash, name, true)?;
        }
        let inner = |name: &[u8]| match &bin.held {
            Some(_) => self.enter(&trash, name),
            None => {
                let name = Name::new(name).ok_or(Trouble::Missing)?;
                make(&trash, &name, false)
            }
        };
        Ok([at(&inner(INFO)?)?.id, at(&inner(FILES)?)?.id])
    }
}

fn owned(held: &Held) -> Result<OwnedFd, Trouble> {
    let copy = rustix::io::fcntl_dupfd_cloexec(held.folder.as_fd(), 0);
    copy.map_err(|error| Trouble::System(held.place.clone(), error))
}

fn read_only() -> Why {
    Why::Other {
        what: "its volume can only be read, so nothing on it can be removed".into(),
        hint: None,
    }
}

fn none(why: &str) -> Why {
    Why::Other {
        what: format!("there is no trash on its volume that could be used: {why}"),
        hint: Some("to free it at once, add `--forever`".into()),
    }
}

/// Why a trash cannot be used, in words.
fn unusable(place: &AbsPath, trouble: &Trouble) -> Why {
    let shown = place.shown();
    none(&match trouble {
        Trouble::Foreign(place, owner) => format!("`{}` belongs to user {owner}", place.shown()),
        Trouble::Open(place) => format!("others may write to `{}`", place.shown()),
        Trouble::System(place, Errno::LOOP | Errno::NOTDIR) => {
            format!("`{}` is no folder", place.shown())
        }
        Trouble::System(_, Errno::XDEV) => format!("`{shown}` lies on another volume"),
        Trouble::System(_, error) => format!("`{shown}`: {}", reason(*error)),
        Trouble::Way(..) | Trouble::Nowhere | Trouble::Missing => {
            format!("`{shown}` cannot be reached")
        }
    })
}
