//! Looking at a place where something lost may be: what it is like, and what speaks against it.

use crate::folder::Folder;
use crate::likeness::{Depth, Looker};
use crate::live::Live;
use crate::system::{Access, Links, System};
use crate::volumes::Volumes;
use linkwell_calls::handle::{self, For};
use linkwell_model::chain::{End, MOST_HOPS, resolve};
use linkwell_model::entry::{EntryKind, Identity};
use linkwell_model::keep::choice::{Candidate, Doubt};
use linkwell_model::keep::evidence::{Evidence, Likened, liken};
use linkwell_model::keep::likeness::Likeness;
use linkwell_model::keep::link::Kept;
use linkwell_model::keep::spare::is_spare;
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use rustix::fd::{AsFd as _, OwnedFd};
use std::collections::HashMap;
use std::ffi::CString;
use std::sync::Arc;

/// Files longer than this are compared at their ends only, though a sum of all of it is on record: reading
/// them takes minutes.
const LONGEST: u64 = 1 << 30;

/// A look at one place.
#[derive(Clone, Debug)]
pub(super) struct Looked {
    pub(super) is: Likeness,
    pub(super) candidate: Candidate,
}

/// Looks, and remembers folders.
pub(super) struct Weigher<'v> {
    system: System,
    volumes: &'v Arc<Volumes>,
    looker: Looker<'v>,
    live: Live,
    me: u32,
    group: u32,
    last: Option<(AbsPath, OwnedFd)>,
    /// Whether others may put something in place of what is in or below a folder.
    open_to_others: HashMap<(AbsPath, Option<u32>), bool>,
}

impl<'v> Weigher<'v> {
    pub(super) fn new(system: System, volumes: &'v Arc<Volumes>) -> Self {
        Self {
            system,
            volumes,
            looker: Looker::new(system, volumes.mounts()),
            live: Live::new(system, Arc::clone(volumes)),
            me: rustix::process::geteuid().as_raw(),
            group: rustix::process::getegid().as_raw(),
            last: None,
            open_to_others: HashMap::new(),
        }
    }

    /// Another one, for another thread.
    pub(super) fn another(&self) -> Self {
        Self::new(self.system, self.volumes)
    }

    /// The calls that it uses.
    pub(super) fn system(&self) -> System {
        self.system
    }

    /// What stands at `place`, compared with what stood at `to`; nothing when it is another thing for sure.
    ///
    /// Only what is the same object by what the kernel says, or fits in length, is opened.
    pub(super) fn look(
        &mut self,
        place: &AbsPath,
        to: &AbsPath,
        was: Option<&Likeness>,
    ) -> Option<Looked> {
        if place.names().any(|name| name.starts_with(b".linkwell-")) {
            return None;
        }
        let (folder, name) = place.split()?;
        let mut is = self.like(&folder, &name, Depth::Facts)?;
        let (likened, evidence) = match was {
            Some(was) => {
                let mut compared = liken(was, &is);
                if compared.0 != Likened::Same
                    && let Some(depth) = depth(was, &is)
                {
                    is = self.like(&folder, &name, depth)?;
                    compared = liken(was, &is);
                }
                compared
            }
            None if to.split().is_some_and(|(_, own)| own == name) => {
                (Likened::Faint, vec![Evidence::Name])
            }
            // Found by what other links say.
            None => (Likened::Faint, Vec::new()),
        };
        if likened == Likened::Unlike {
            return None;
        }
        let same_folder = to.parent() == folder;
        let same_name = to.split().is_some_and(|(_, own)| own == name);
        let candidate = Candidate {
            place: place.clone(),
            id: Identity { device: is.device, inode: is.inode, born: is.born },
            kind: is.kind,
            likened,
            evidence,
            doubts: Vec::new(),
            same_folder,
            same_name,
        };
        Some(Looked { is, candidate })
    }

    fn like(&mut self, folder: &AbsPath, name: &Name, depth: Depth) -> Option<Likeness> {
        if self.last.as_ref().is_none_or(|(known, _)| known != folder) {
            let held = Folder::of_place(folder).open(self.system, Access::Hold).ok()?;
            self.last = Some((folder.clone(), held));
        }
        let (_, held) = self.last.as_ref()?;
        self.looker.look(held.as_fd(), name, depth).ok()
    }

    /// Whether the folder that something stood in is this one, where it stands now; by its handle, which anybody may
    /// ask for. Two volumes may give two folders one handle.
    pub(super) fn stood_in(&self, was: &Likeness, folder: &AbsPath) -> bool {
        let volumes = self.volumes;
        let may = |place: &AbsPath| volumes.gives_answer(place) && volumes.may_enter(place);
        is_same_folder(self.system, Some(was), folder, may)
    }

    /// See [`is_way_changed`].
    pub(super) fn is_way_changed(
        &self,
        then: (&AbsPath, Option<&Likeness>),
        now: &AbsPath,
    ) -> bool {
        is_way_changed(self.system, self.volumes, then, now)
    }

    /// What speaks against leading these links there without asking; they led to `to`.
    pub(super) fn doubts(
        &mut self,
        place: &AbsPath,
        to: &AbsPath,
        is: &Likeness,
        was: Option<&Likeness>,
        links: &[&Kept],
    ) -> Vec<Doubt> {
        let mut doubts = Vec::new();
        let before = was.map(|was| was.owner);
        if is.owner != 0 && is.owner != self.me && Some(is.owner) != before {
            doubts.push(Doubt::OtherOwner(is.owner));
        }
        if self.others_may_replace(&place.parent(), before) {
            doubts.push(Doubt::OpenFolder);
        }
        if is_trash(place) {
            doubts.push(Doubt::Trash);
        }
        if is_spare(to, place) {
            doubts.push(Doubt::Spare);
        }
        if is.kind == EntryKind::Symlink || links.iter().any(|link| link.place() == *place) {
            self.add_loop(place, links, &mut doubts);
        }
        doubts
    }

    /// A link that leads to another link may come back to itself.
    fn add_loop(&mut self, place: &AbsPath, links: &[&Kept], doubts: &mut Vec<Doubt>) {
        let Some((folder, name)) = place.split() else { return };
        let chain = resolve(&mut self.live, &Folder::of_place(&folder), name.as_bytes());
        let back = chain.hops.iter().any(|hop| {
            let at = hop.folder.place();
            links.iter().any(|link| link.folder == at && link.name.as_bytes() == &*hop.name)
        });
        let long = matches!(chain.end, End::Loop | End::TooManyHops);
        if back || long || chain.hops.len() >= MOST_HOPS {
            doubts.push(Doubt::WouldLoop);
        }
    }

    /// Whether somebody may put something of theirs into `folder`, or another folder in its place: who is
    /// neither root, nor this user, nor who owned what was lost.
    fn others_may_replace(&mut self, folder: &AbsPath, before: Option<u32>) -> bool {
        let mut here = folder.clone();
        let mut within = true;
        let mut asked = Vec::new();
        let answer = loop {
            let key = (here.clone(), before);
            if let Some(known) = self.open_to_others.get(&key).filter(|_| !within) {
                break *known;
            }
            let opened = Folder::of_place(&here).open(self.system, Access::Hold);
            let Ok(facts) = opened.and_then(|held| self.system.facts_of(held.as_fd())) else {
                break true;
            };
            let known = |owner: u32| owner == 0 || owner == self.me || Some(owner) == before;
            // A group of one's own, as most systems give to each user, has nobody else in it.
            let group = facts.mode & 0o020 != 0
                && facts.group != facts.owner
                && facts.group != self.group
                && facts.group != 0;
            let open = facts.mode & 0o002 != 0 || group;
            // In a folder like `/tmp` nobody can rename what is another's.
            let sticky = !within && facts.mode & 0o1000 != 0;
            if !known(facts.owner) || open && !sticky {
                break true;
            }
            if !within {
                asked.push(key);
            }
            within = false;
            if here == AbsPath::root() {
                break false;
            }
            here.pop();
        };
        for key in asked {
            self.open_to_others.insert(key, answer);
        }
        answer
    }
}

/// How much more is worth finding out; nothing when it could not help.
fn depth(was: &Likeness, is: &Likeness) -> Option<Depth> {
    if was.kind != is.kind {
        return None;
    }
    match was.kind {
        EntryKind::Folder => was.shape.is_some().then_some(Depth::Shape),
        EntryKind::Symlink => was.sums.ends.is_some().then_some(Depth::Shape),
        EntryKind::File if was.size == is.size && was.size > 0 => {
            was.sums.ends.is_some().then_some(())?;
            let all = was.sums.whole.is_some() && was.size <= LONGEST;
            Some(if all { Depth::Whole } else { Depth::Ends })
        }
        _ => None,
    }
}

/// Whether the way of a link has been led elsewhere: it led `then`, where it led to what `was` there; its text leads
/// `now`, and where the two begin to differ there is something. What is only missing may have been renamed; and the very
/// folder under a new name is the way that it was.
///
/// Not to be asked of a link that was itself moved, which may lead elsewhere by that alone.
pub(crate) fn is_way_changed(
    system: System,
    volumes: &Volumes,
    (then, was): (&AbsPath, Option<&Likeness>),
    now: &AbsPath,
) -> bool {
    let shared = then.names().zip(now.names()).take_while(|(then, now)| then == now).count();
    let names: Vec<&[u8]> = now.names().take(shared + 1).collect();
    if names.len() == shared {
        return false;
    }
    let mut place = AbsPath::root();
    names.into_iter().for_each(|name| place.push(name));
    let may = |place: &AbsPath| volumes.gives_answer(place) && volumes.may_enter(place);
    let is_there =
        may(&place) && system.status(rustix::fs::CWD, place.as_bytes(), Links::Kept).is_ok();
    is_there && !is_same_folder(system, was, &now.parent(), may)
}

fn is_same_folder(
    system: System,
    was: Option<&Likeness>,
    folder: &AbsPath,
    may: impl Fn(&AbsPath) -> bool,
) -> bool {
    let Some(parent) = was.and_then(|was| was.parent.as_ref()) else { return false };
    let Ok(path) = CString::new(folder.as_bytes()) else { return false };
    let found = (system.has_handles() && may(folder))
        .then(|| handle::of(rustix::fs::CWD, &path, For::Comparing).ok())
        .flatten();
    found.is_some_and(|found| found.kind == parent.kind && *found.bytes == *parent.bytes)
}

/// Whether a place is in a trash of a desktop's (the trash specification of freedesktop.org).
pub(crate) fn is_trash(place: &AbsPath) -> bool {
    let names: Vec<&[u8]> = place.names().collect();
    names.iter().zip(names.iter().skip(1)).any(|(name, next)| {
        let home = *name == b"Trash" && *next == b"files";
        let volume = *name == b".Trash" || name.starts_with(b".Trash-");
        home || volume
    })
}
