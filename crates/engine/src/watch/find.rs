//! Where an object is now that is not where it was.

use super::held::Whereabouts;
use super::look::Round;
use super::nodes::{LinkId, NodeId};
use super::settle::{Leading, Told};
use super::watcher::{Tracked, Watcher};
use crate::folder::Folder;
use crate::survey::repair::weigh::is_trash;
use crate::survey::repair::{self, Broken, Found, Lost};
use crate::system::{Access, Facts};
use hashbrown::{HashMap, HashSet};
use linkwell_calls::handle::{self, Raw};
use linkwell_model::entry::{EntryKind, Identity};
use linkwell_model::keep::choice::{Candidate, Doubt};
use linkwell_model::keep::evidence::{Likened, liken};
use linkwell_model::keep::likeness::Likeness;
use linkwell_model::keep::spare::is_spare;
use linkwell_model::path::AbsPath;
use rustix::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

/// What came of looking for what a link led to.
#[derive(Debug)]
pub(super) enum Sought {
    /// It is here; what speaks against leading the link there without asking.
    At(AbsPath, Box<Likeness>, Vec<Doubt>),
    /// It was deleted.
    Deleted,
    /// Nobody knows.
    Unknown,
}

impl Watcher<'_> {
    /// Looks for what a link led to. Only the very object counts, never one that is alike.
    pub(super) fn seek(&self, round: &mut Round<'_>, known: &Tracked) -> Sought {
        let mut candidates = Vec::new();
        // What a deleted object is said to be called names no object, or another one.
        if let Some((place, held)) = self.held.said_place(known.to)
            && let Ok((is, folder)) = round.at(&place, false)
            && is_object(&is, held)
            && known.was.as_ref().is_none_or(|was| was.kind == is.kind)
        {
            let doubts = doubts(&known.link.to, known.was.as_ref(), &is, &place, &folder);
            return Sought::At(place, Box::new(is), doubts);
        }
        match self.held.whereabouts(known.to) {
            Whereabouts::Deleted => return Sought::Deleted,
            Whereabouts::At(_) => {}
            Whereabouts::Unknown => {
                candidates.extend(self.by_moves(known.to));
                // What a person was asked about is there still, or has moved on from there.
                if let Some(proposed) = known.proposed {
                    candidates.push(self.nodes.place(proposed));
                    candidates.extend(self.by_moves(proposed));
                }
            }
        }
        let Some(was) = &known.was else { return Sought::Unknown };
        let heard = candidates.len();
        // What was heard is cheaper to look at than a handle is to open.
        let by_handle = std::iter::once_with(|| self.by_handle(known.to, was)).flatten();
        for (number, place) in candidates.into_iter().chain(by_handle).enumerate() {
            if let Ok((is, folder)) = round.at(&place, false)
                && liken(was, &is).0 == Likened::Same
                && (number < heard || is_its_name(&is, &place, known))
            {
                let doubts = doubts(&known.link.to, Some(was), &is, &place, &folder);
                return Sought::At(place, Box::new(is), doubts);
            }
        }
        Sought::Unknown
    }

    /// Looks for what nobody has seen going, for it went while nothing watched, or from where nothing is
    /// heard: by what needs no walk. Only the very object counts here, too.
    pub(super) fn look_behind(
        &mut self,
        round: &mut Round<'_>,
        links: Vec<LinkId>,
        leads: &mut Vec<Leading>,
        told: &mut Vec<Told>,
    ) {
        let mut lost: Vec<Lost> = Vec::new();
        let mut numbers: HashMap<AbsPath, usize> = HashMap::new();
        for number in &links {
            let Some(known) = self.links.get(number) else { continue };
            let link = known.link.clone();
            let (to, was) = (link.to.clone(), known.was.clone());
            let broken = Broken { link, number: Some(*number), moved: false, mends: Vec::new() };
            let at = *numbers.entry(to.clone()).or_insert_with(|| {
                lost.push(Lost { to, was, links: Vec::new() });
                lost.len() - 1
            });
            if let Some(lost) = lost.get_mut(at) {
                lost.links.push(broken);
            }
        }
        if lost.is_empty() {
            return;
        }
        let program = self.settings.volumes.answers.clone();
        let volumes = Arc::clone(&self.volumes);
        let survey = repair::at_hand(self.system, &volumes, program, lost);
        let mut led: HashSet<LinkId> = HashSet::new();
        for found in &survey.found {
            let Some(candidate) = the_same(found) else { continue };
            for number in found.lost.links.iter().filter_map(|broken| broken.number) {
                let Some(known) = self.links.get(&number) else { continue };
                if let Ok((is, _)) = round.at(&candidate.place, false)
                    && known.was.as_ref().is_some_and(|was| liken(was, &is).0 == Likened::Same)
                    && is_its_name(&is, &candidate.place, known)
                {
                    let place = candidate.place.clone();
                    self.found(number, place, is, &candidate.doubts, leads, told);
                    led.insert(number);
                }
            }
        }
        for number in links.into_iter().filter(|number| !led.contains(number)) {
            let place = self.links.get(&number).map(|known| known.link.place());
            if place.is_some_and(|place| survey.asleep.iter().any(|asleep| asleep.link == place)) {
                self.asleep(number, told);
            } else {
                let words = "where it went is not known; `linkwell repair` looks for it";
                self.is_lost(number, words, told);
            }
        }
    }

    /// Where it may be by what was heard of it and of the folders above it, and by those of them that are
    /// held.
    pub(super) fn by_moves(&self, node: NodeId) -> Vec<AbsPath> {
        let mut found = Vec::new();
        let mut rest: Vec<&[u8]> = Vec::new();
        for up in self.nodes.upward(node) {
            let by_spot = self.moves.of(up).into_iter().flat_map(|spot| {
                let folders = self.nodes.watched(spot.watch);
                folders.map(|folder| self.nodes.place(folder).joined(&spot.name))
            });
            // Of a folder that is mounted twice, by the mount that the link went by.
            let mut by_spot: Vec<AbsPath> = by_spot.collect();
            if by_spot.len() > 1 {
                let own = self.nodes.place(up);
                let shared = |place: &AbsPath| {
                    own.names().zip(place.names()).take_while(|(one, other)| one == other).count()
                };
                by_spot.sort_by_key(|place| std::cmp::Reverse(shared(place)));
            }
            let by_held = match self.held.whereabouts(up) {
                Whereabouts::At(place) if up != node => Some(place),
                _ => None,
            };
            for mut place in by_spot.into_iter().chain(by_held) {
                for name in rest.iter().rev() {
                    place.push(name);
                }
                found.push(place);
            }
            rest.push(self.nodes.name(up));
        }
        found
    }

    /// Where it is by its handle, for who may open handles (root).
    fn by_handle(&self, node: NodeId, was: &Likeness) -> Option<AbsPath> {
        let handle = was.handle.as_ref().filter(|_| self.system.has_handles())?;
        let on_volume = self.on_volume(node, was.device)?;
        let raw = Raw { kind: handle.kind, bytes: handle.bytes.to_vec(), mount: 0 };
        let folder = was.kind == EntryKind::Folder;
        let opened = handle::open(&on_volume, &raw, folder).ok()?;
        self.system.place_of(opened.as_fd(), b"")
    }

    /// The nearest folder above a node that lies on this device, open for reading.
    fn on_volume(&self, node: NodeId, device: u64) -> Option<OwnedFd> {
        self.nodes.upward(node).skip(1).find_map(|up| {
            let place = self.nodes.place(up);
            if !self.volumes.gives_answer(&place) {
                return None;
            }
            let open = Folder::of_place(&place).open(self.system, Access::List).ok()?;
            let facts = self.system.facts_of(open.as_fd()).ok()?;
            (facts.id.device == device).then_some(open)
        })
    }
}

/// The one that is the very object, even if something speaks against it.
fn the_same(found: &Found) -> Option<&Candidate> {
    let mut same = found.candidates.iter().filter(|candidate| candidate.likened == Likened::Same);
    let only = same.next().filter(|_| same.next().is_none())?;
    Some(only)
}

/// Whether a name that a handle gave is the one that was meant, and not another one of the same file: who
/// makes a second name of a file must not be able to lead a link there.
fn is_its_name(is: &Likeness, place: &AbsPath, known: &Tracked) -> bool {
    if is.kind == EntryKind::Folder
        || is.names == 1 && known.was.as_ref().is_none_or(|was| was.names == 1)
    {
        return true;
    }
    let parts = place.split().zip(known.link.to.split());
    parts.is_some_and(|((folder, name), (old_folder, old_name))| {
        folder == old_folder || name == old_name
    })
}

/// Whether what was looked at is the object with this identity, seen while its volume stayed attached.
pub(super) fn is_object(is: &Likeness, id: Identity) -> bool {
    Identity { device: is.device, inode: is.inode, born: is.born }.is(Identity {
        born: id.born.filter(|born| *born != linkwell_model::entry::Time(0, 0)),
        ..id
    })
}

/// What speaks against leading a link to what was found without asking (safety W3).
fn doubts(
    then: &AbsPath,
    was: Option<&Likeness>,
    is: &Likeness,
    place: &AbsPath,
    folder: &Facts,
) -> Vec<Doubt> {
    let (mode, owner, group) = (folder.mode, folder.owner, folder.group);
    let me = rustix::process::geteuid().as_raw();
    let mine = |user: u32| user == 0 || user == me || was.is_some_and(|was| was.owner == user);
    let mut doubts = Vec::new();
    if !mine(is.owner) {
        doubts.push(Doubt::OtherOwner(is.owner));
    }
    // Systems that give each user a group of their own let it write.
    let others = mode & 0o002 != 0 || (mode & 0o020 != 0 && group != owner);
    if others || !mine(owner) {
        doubts.push(Doubt::OpenFolder);
    }
    if is_trash(place) {
        doubts.push(Doubt::Trash);
    }
    if is_spare(then, place) {
        doubts.push(Doubt::Spare);
    }
    doubts
}
