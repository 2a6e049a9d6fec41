//! The verdict on one link.
//!
//! Whether a link works is the kernel's word: it is asked to follow it, once. The resolver says
//! the rest: every hop, the place where it ends, and why. The kernel is asked first where that
//! can neither hang nor wake anything, and last, after the resolver has seen the way, elsewhere.

use crate::folder::Folder;
use crate::live::Live;
use crate::system::{Links, Status};
use linkwell_model::chain::{Chain, End, resolve};
use linkwell_model::entry::{EntryKind, FileId};
use linkwell_model::expected::Absent;
use linkwell_model::health::Health;
use linkwell_model::note::{self, Note, Notes};
use linkwell_model::path::AbsPath;
use linkwell_model::target::Target;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::sync::Arc;

/// A symbolic link, found by a walk and not yet judged.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The folder it stands in.
    pub folder: &'a Arc<Folder>,
    /// That folder, held open.
    pub held: BorrowedFd<'a>,
    /// Its name there.
    pub name: &'a [u8],
    /// What the kernel found at its end, if it has been asked already.
    pub answer: Option<Status>,
}

impl<'a> Found<'a> {
    /// A link of which nothing is known but where it is.
    pub fn new(folder: &'a Arc<Folder>, held: BorrowedFd<'a>, name: &'a [u8]) -> Self {
        Self { folder, held, name, answer: None }
    }
}

/// How much is to be found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Health alone: the kernel's word, and the way only where something is amiss.
    Health,
    /// Also what it leads to, and the notes cycle and doubled.
    Destination,
    /// Every hop and every note.
    Everything,
}

/// What is true of a link.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Its health.
    pub health: Health,
    /// Its notes; complete for [`Depth::Everything`].
    pub notes: Notes,
    /// The thing it leads to.
    pub destination: Option<Status>,
    /// The way, where it was walked.
    pub chain: Option<Chain<Arc<Folder>>>,
    /// The volume that should hold its destination and is not attached.
    pub absent: Option<Absent>,
}

impl Verdict {
    /// The verdict on a link whose text could not be read.
    pub fn unread(error: Errno) -> Self {
        let health = match error {
            Errno::ACCESS | Errno::PERM => Health::Denied,
            _ => Health::Unknown,
        };
        let notes = Notes::default();
        Self { health, notes, destination: None, chain: None, absent: None }
    }

    /// The verdict on a link whose text names a file in its own folder, as the folder's listing
    /// has just said: the kernel could say no more.
    pub fn beside_its_file() -> Self {
        let notes = Notes::default();
        Self { health: Health::Ok, notes, destination: None, chain: None, absent: None }
    }

    /// Where the destination physically lies; `None` when there is none, or the way was not
    /// walked.
    pub fn physical(&self) -> Option<AbsPath> {
        let found = self.health == Health::Ok;
        self.ends_at().filter(|_| {
            found && self.chain.as_ref().is_some_and(|chain| matches!(chain.end, End::Found(_)))
        })
    }

    /// Where the way ended, for good or bad.
    pub fn ends_at(&self) -> Option<AbsPath> {
        let chain = self.chain.as_ref()?;
        let mut place = chain.folder.place();
        if !chain.name.is_empty() {
            place.push(&chain.name);
        }
        Some(place)
    }
}

/// Judges `found`, whose text is `target`; an empty text is one that was not read.
///
/// `top` is the folder that was asked about: what lies outside it is outer.
pub fn judge(
    live: &mut Live,
    found: Found<'_>,
    target: &[u8],
    top: &AbsPath,
    depth: Depth,
) -> Verdict {
    let asked_first = ask_safely(live, found);
    let walk = depth == Depth::Everything || !matches!(asked_first, Some(Ok(_)));
    let text = (!target.is_empty()).then_some(target);
    let mut chain = walk.then(|| walk_from(live, found, text));
    let mut answer = match asked_first {
        Some(answer) => answer,
        None => ask_after(live, found, chain.as_ref()),
    };
    let mut health_and_absent = weigh(live, &answer, chain.as_ref());
    if disagree(health_and_absent.0, chain.as_ref()) {
        // Something changed between the two looks, or the memory of folders is stale.
        live.forget();
        // The link itself may be what changed.
        chain = Some(walk_from(live, found, None));
        answer = match ask_safely(live, found) {
            Some(answer) => answer,
            None => ask_after(live, found, chain.as_ref()),
        };
        health_and_absent = weigh(live, &answer, chain.as_ref());
    }
    let (health, absent) = health_and_absent;
    let destination = answer.ok().filter(|_| health == Health::Ok);
    let mut verdict = Verdict { health, notes: Notes::default(), destination, chain, absent };
    add_notes(live, found, target, top, depth, &mut verdict);
    verdict
}

/// The kernel's answer, where asking can neither wait for a volume nor wake one.
fn ask_safely(live: &Live, found: Found<'_>) -> Option<Result<Status, Errno>> {
    if let Some(answer) = found.answer {
        return Some(Ok(answer));
    }
    if live.volumes().may_hang() {
        return live.system().follow_in_cache(found.held, found.name).map(Ok);
    }
    Some(live.system().status(found.held, found.name, Links::Followed))
}

/// The kernel's answer once the way is known to be safe; the resolver's where it is not.
fn ask_after(
    live: &Live,
    found: Found<'_>,
    chain: Option<&Chain<Arc<Folder>>>,
) -> Result<Status, Errno> {
    match chain.map(|chain| &chain.end) {
        Some(End::Unavailable) => Err(Errno::IO),
        _ => live.system().status(found.held, found.name, Links::Followed),
    }
}

/// The whole way from the link on; `text` is what it holds, where that has been read.
fn walk_from(live: &mut Live, found: Found<'_>, text: Option<&[u8]>) -> Chain<Arc<Folder>> {
    let read = text.map(|text| (found.name, text));
    let mut view = live.from(found.folder, found.held, read);
    resolve(&mut view, found.folder, found.name)
}

/// Puts the kernel's word and the resolver's way together.
fn weigh(
    live: &Live,
    answer: &Result<Status, Errno>,
    chain: Option<&Chain<Arc<Folder>>>,
) -> (Health, Option<Absent>) {
    let health = match answer {
        Ok(_) => Health::Ok,
        Err(Errno::NOENT | Errno::NAMETOOLONG) => Health::Broken,
        Err(Errno::LOOP) => Health::Loop,
        Err(Errno::NOTDIR) => Health::NotADirectory,
        Err(Errno::ACCESS | Errno::PERM) => Health::Denied,
        Err(_) => Health::Unknown,
    };
    if !matches!(health, Health::Broken | Health::Unknown) {
        return (health, None);
    }
    let ends_in_nothing =
        |chain: &&Chain<Arc<Folder>>| matches!(chain.end, End::Missing | End::Unavailable);
    let absent = chain
        .filter(ends_in_nothing)
        .and_then(|chain| live.volumes().absent(&chain.end_at(live), &chain.rest));
    match absent {
        Some(absent) => (Health::Asleep, Some(absent)),
        None => (health, None),
    }
}

/// Whether kernel and resolver tell of different worlds. Denied and loop may differ for good:
/// fs.protected_symlinks, nosymfollow mounts and the links of `/proc` are the kernel's own.
fn disagree(health: Health, chain: Option<&Chain<Arc<Folder>>>) -> bool {
    let Some(chain) = chain else { return false };
    match health {
        Health::Ok => !matches!(chain.end, End::Found(_)),
        Health::Broken | Health::NotADirectory => matches!(chain.end, End::Found(_)),
        _ => false,
    }
}

fn add_notes(
    live: &mut Live,
    found: Found<'_>,
    target: &[u8],
    top: &AbsPath,
    depth: Depth,
    verdict: &mut Verdict,
) {
    let too_deep =
        verdict.chain.as_ref().is_some_and(|chain| matches!(chain.end, End::TooManyHops));
    verdict.notes.add_if(Note::TooDeep, too_deep);
    if depth == Depth::Health {
        return;
    }
    if let Some(destination) = verdict.destination
        && destination.kind == EntryKind::Folder
    {
        let cycle = is_own_ancestor(live, found.folder, destination.id);
        verdict.notes.add_if(Note::Cycle, cycle);
    }
    if depth != Depth::Everything {
        return;
    }
    let target = Target::new(target);
    verdict.notes.add_if(Note::Absolute, target.is_absolute());
    let Some(chain) = &verdict.chain else { return };
    verdict.notes.add_if(Note::Chained, chain.hops.len() > 1);
    let plain = chain.hops.len() == 1 && matches!(chain.end, End::Found(_));
    let shorter = note::shorter(&target, &found.folder.place(), plain);
    verdict.notes.add_if(Note::Lengthy, shorter.is_some());
    let leads_somewhere = !matches!(chain.end, End::Loop | End::TooManyHops);
    if leads_somewhere {
        verdict.notes.add_if(Note::Outer, !chain.end_at(live).is_at_or_below(top));
    }
    let crosses = verdict
        .destination
        .is_some_and(|destination| is_on_another_volume(live, found, &destination));
    verdict.notes.add_if(Note::CrossesVolume, crosses || verdict.absent.is_some());
}

/// Whether `id` is the folder or one above it, up to `/`.
fn is_own_ancestor(live: &Live, folder: &Arc<Folder>, id: FileId) -> bool {
    let mut current = Some(folder);
    while let Some(folder) = current {
        if folder.id(live.system()) == Some(id) {
            return true;
        }
        current = folder.above();
    }
    false
}

/// Devices differ between volumes, but also between the subvolumes of one btrfs; the mount table
/// tells these apart.
fn is_on_another_volume(live: &Live, found: Found<'_>, destination: &Status) -> bool {
    if found.folder.id(live.system()).is_none_or(|here| here.device == destination.id.device) {
        return false;
    }
    let Ok(here) = live.system().status_of(found.held) else { return false };
    let mounts = live.volumes().mounts();
    let device = |mount: Option<u64>| mounts.by_id(mount?).map(|mount| &mount.device);
    match (device(here.mount), device(destination.mount)) {
        (Some(here), Some(there)) => here != there,
        _ => true,
    }
}
