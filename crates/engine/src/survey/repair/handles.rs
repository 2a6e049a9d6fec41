//! What is found without a walk: by the handle of what is lost, and by that of the folder that it stood in.

use super::present::{Present, Whereabouts};
use super::weigh::Weigher;
use super::{FEW, Hunt, Survey, Wanted};
use crate::folder::Folder;
use crate::reach::{Place, Reach};
use crate::system::{Access, System};
use linkwell_model::entry::EntryKind;
use linkwell_model::path::AbsPath;
use rustix::fd::AsFd as _;
use std::collections::HashMap;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::sync::Arc;

/// Asks by handle: for the object itself, and for the folder that it stood in. Of many folders those that are where they
/// were are not looked into if they will be walked (`is_walked`) anyway.
pub(super) fn reach(
    present: &Present,
    wanted: &Wanted,
    is_walked: impl Fn(&AbsPath) -> bool,
    weigher: &mut Weigher<'_>,
    hunts: &mut [Hunt],
    survey: &mut Survey,
) {
    let system = weigher.system();
    let mut reach = Reach::new(system, wanted.program.as_deref());
    // Many things stood in one folder.
    let mut parents: HashMap<Vec<u8>, Option<Arc<Listing>>> = HashMap::new();
    let mut owned = Owned { system, known: HashMap::new(), last: None };
    for hunt in hunts {
        let Some(was) = hunt.lost.was.clone() else { continue };
        let Whereabouts::At(points) = present.of(was.volume.as_ref()) else { continue };
        let stood_in = hunt.lost.to.parent();
        let folder = was.kind == EntryKind::Folder;
        for point in &points {
            // The connectable one leads to a file, too.
            for handle in [&was.connectable, &was.handle].into_iter().flatten() {
                if hunt.is_settled() {
                    break;
                }
                let place = reach.place(point, || owned.above(&stood_in), handle, folder);
                if let Place::At(place) = place {
                    hunt.consider(weigher, &place);
                }
            }
            let Some(parent) = was.parent.as_ref().filter(|_| !hunt.is_settled()) else { continue };
            let key = [point.as_bytes(), b"\0", &parent.bytes].concat();
            let many = parents.len() > FEW;
            let listing = parents.entry(key).or_insert_with(|| {
                if stood_in.is_at_or_below(point) && weigher.stood_in(&was, &stood_in) {
                    let left = many && is_walked(&stood_in);
                    return (!left).then(|| Listing::of(system, stood_in.clone()))?.map(Arc::new);
                }
                match reach.place(point, || owned.above(&stood_in), parent, true) {
                    Place::At(place) => Listing::of(system, place).map(Arc::new),
                    Place::Gone | Place::Unknown => None,
                }
            });
            if let Some(listing) = listing.clone() {
                for name in listing.names(was.inode) {
                    hunt.consider(weigher, &listing.place.joined(name));
                }
                hunt.consider(weigher, &listing.place.joined(&was.name));
            }
        }
    }
    if let Some(why) = reach.absent() {
        survey.notes.push(format!("handles could not be opened, and were not used: {why}"));
    }
}

/// A folder's names, by inode number.
pub(super) struct Listing {
    pub(super) place: AbsPath,
    /// Each with the place of its name in `text`, in the order of the numbers.
    entries: Vec<(u64, Range<usize>)>,
    text: Vec<u8>,
}

impl Listing {
    pub(super) fn of(system: System, place: AbsPath) -> Option<Self> {
        let held = Folder::of_place(&place).open(system, Access::List).ok()?;
        let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
        let (mut entries, mut text) = (Vec::new(), Vec::new());
        let end = system.end_mark(held.as_fd());
        system
            .list(held.as_fd(), &mut buffer, end, |entry| {
                let start = text.len();
                text.extend_from_slice(entry.name.to_bytes());
                entries.push((entry.inode, start..text.len()));
                true
            })
            .ok()?;
        entries.sort_by_key(|(inode, _)| *inode);
        Some(Self { place, entries, text })
    }

    /// The names of an inode number.
    pub(super) fn names(&self, inode: u64) -> impl Iterator<Item = &[u8]> {
        let first = self.entries.partition_point(|(number, _)| *number < inode);
        let its = self.entries.iter().skip(first).take_while(move |(number, _)| *number == inode);
        its.filter_map(|(_, range)| self.text.get(range.clone()))
    }
}

/// Which folders belong to this user; what is known is asked no more.
struct Owned {
    system: System,
    known: HashMap<AbsPath, bool>,
    last: Option<(AbsPath, Vec<AbsPath>)>,
}

impl Owned {
    /// Those at or above `folder`, the widest first.
    fn above(&mut self, folder: &AbsPath) -> &[AbsPath] {
        let own = match self.last.take() {
            Some((known, own)) if known == *folder => own,
            _ => self.look(folder),
        };
        &self.last.insert((folder.clone(), own)).1
    }

    fn look(&mut self, folder: &AbsPath) -> Vec<AbsPath> {
        let (system, me) = (self.system, rustix::process::geteuid().as_raw());
        let mut own = Vec::new();
        let mut here = folder.clone();
        loop {
            let is_own = *self.known.entry(here.clone()).or_insert_with_key(|here| {
                let opened = Folder::of_place(here).open(system, Access::Hold);
                let status = opened.and_then(|held| system.status_of(held.as_fd()));
                status.is_ok_and(|status| status.owner == me)
            });
            if is_own {
                own.push(here.clone());
            }
            if here == AbsPath::root() {
                break;
            }
            here.pop();
        }
        own.reverse();
        own
    }
}
