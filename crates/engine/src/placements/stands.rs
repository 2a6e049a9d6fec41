//! Whether something that `share` has arranged is still as it was arranged.

use super::{inside, mirror};
use crate::clients::Found;
use crate::survey::Surveyor;
use linkwell_model::entry::EntryKind;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Object, Why};
use linkwell_model::share::arrangement::Arrangement;
use linkwell_model::share::placement::Placement;

/// How an arrangement stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stands {
    /// As it was arranged.
    True,
    /// The folder has another name where it is synced, or lies elsewhere in it; the link leads there.
    Renamed(AbsPath),
    /// The link leads to a place that is not synced with it.
    Outside(AbsPath),
    /// The link leads to nothing.
    Broken(AbsPath),
    /// Something real stands where the link stood.
    Replaced(EntryKind),
    /// Nothing stands where the link stood; whether the folder is where it was put.
    Gone(bool),
    /// The folder is at its old place, and nothing where it was put.
    Home,
    /// As it was arranged, and nothing is in it any more.
    Empty,
    /// So many files of a mirror are not the same in both any more, or are in one alone.
    Parted(usize),
    /// It is not mounted where it is synced.
    Unmounted,
    /// The client does not sync it any more.
    Unsynced,
    /// The client was told to leave it alone for now.
    Paused,
    /// The folder that is synced is not there: it was removed, or its volume is away (where that would be).
    NoRoot(Option<AbsPath>),
    /// It may not be looked at, or gives no answer.
    Unknown(String),
}

/// Looks.
pub fn stands(surveyor: &mut Surveyor, placement: &Placement) -> Stands {
    let volumes = std::sync::Arc::clone(surveyor.volumes());
    for place in [&placement.root, &placement.folder] {
        if !volumes.gives_answer(place) {
            return Stands::Unknown(format!("no answer from where `{}` is", place.shown()));
        }
    }
    let root = surveyor.led(None, placement.root.as_bytes());
    let Some(root) = root.physical.filter(|_| root.kind == Some(EntryKind::Folder)) else {
        let absent = volumes.absent(&placement.root, b"");
        return Stands::NoRoot(absent.map(|absent| absent.point));
    };
    let there = root.joined(&placement.name);
    if placement.arrangement == Arrangement::Bind {
        return mounted(surveyor, &there, &placement.folder);
    }
    if placement.arrangement == Arrangement::Native {
        // Whether the client still has it is for its configuration to tell.
        return Stands::True;
    }
    if placement.arrangement == Arrangement::Mirror {
        return mirrored(surveyor, &there, &placement.folder);
    }
    // A followed link stands where it is synced, and leads out of it; all others the other way round.
    let at = match placement.arrangement {
        Arrangement::Follow => &there,
        _ => &placement.folder,
    };
    let object = surveyor.spot(at.as_bytes()).and_then(|spot| surveyor.object(&spot));
    match object {
        Err(why) => Stands::Unknown(why.to_string()),
        Ok(None) => Stands::Gone(surveyor.led(None, there.as_bytes()).kind.is_some()),
        Ok(Some(Object::Folder { .. }))
            if placement.arrangement == Arrangement::Inverted
                && surveyor.led(None, there.as_bytes()).kind.is_none() =>
        {
            Stands::Home
        }
        Ok(Some(Object::Link { .. })) => {
            let led = surveyor.led(None, at.as_bytes());
            match (led.physical, placement.arrangement) {
                (None, _) => Stands::Broken(led.end_at),
                (Some(place), Arrangement::Follow) => {
                    let folder = surveyor.led(None, placement.folder.as_bytes()).physical;
                    if Some(&place) == folder.as_ref() {
                        Stands::True
                    } else {
                        Stands::Outside(place)
                    }
                }
                (Some(place), _) if place == there => {
                    if holds_something(surveyor, &there) {
                        Stands::True
                    } else {
                        Stands::Empty
                    }
                }
                (Some(place), _) if place.is_at_or_below(&root) => Stands::Renamed(place),
                (Some(place), _) => Stands::Outside(place),
            }
        }
        Ok(Some(other)) => Stands::Replaced(other.kind()),
    }
}

/// So many folders are looked into until something is found.
const MOST_FOLDERS: u64 = 1000;

/// Whether there is anything in a folder but links and folders, as far as can be seen.
fn holds_something(surveyor: &mut Surveyor, place: &AbsPath) -> bool {
    let Ok(held) = surveyor.folder(place.as_bytes()) else { return true };
    let found = inside(surveyor.system(), &held, MOST_FOLDERS);
    found.map_or(true, |found| found.things > 0 || !found.whole)
}

/// So many things of a mirror are compared.
const MOST_MIRRORED: usize = 200_000;

/// Whether every file has its second name still.
fn mirrored(surveyor: &mut Surveyor, there: &AbsPath, folder: &AbsPath) -> Stands {
    match mirror::compare(surveyor, folder, there, MOST_MIRRORED) {
        Err(why) => Stands::Unknown(why.to_string()),
        Ok(found) if found.folders_there.is_empty() => Stands::Gone(false),
        Ok(found) => match found.missing.len() + found.parted.len() + found.new.len() {
            0 => Stands::True,
            count => Stands::Parted(count),
        },
    }
}

/// Whether a folder is mounted at a place: that is the very folder then.
fn mounted(surveyor: &mut Surveyor, there: &AbsPath, folder: &AbsPath) -> Stands {
    let mut which = |place: &AbsPath| {
        let held = surveyor.folder(place.as_bytes())?;
        surveyor.identity(&held)
    };
    match (which(there), which(folder)) {
        (Ok(one), Ok(other)) if one.is(other) => Stands::True,
        (Ok(_), Ok(_)) => Stands::Unmounted,
        (Err(Why::NoFolder(_)), Ok(_)) => Stands::Gone(false),
        (_, Err(why)) | (Err(why), _) => Stands::Unknown(why.to_string()),
    }
}

/// What the client's own configuration says of a folder that it was told of, or of the folder that it was put into.
pub fn known_to(found: &Found, placement: &Placement) -> Stands {
    let native = placement.arrangement == Arrangement::Native;
    let mut its = found.roots.iter().filter(|root| {
        let at = if native { &placement.folder } else { &placement.root };
        let key = root.key.as_deref() == placement.key.as_ref().map(String::as_bytes);
        // A folder that is away is known by its path alone.
        (root.holds(at) || root.path == *at) && (!native || key)
    });
    match its.next() {
        Some(root) if root.paused => Stands::Paused,
        Some(_) => Stands::True,
        None => Stands::Unsynced,
    }
}
