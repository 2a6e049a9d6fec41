//! Two folders that shall hold the same files by hard links: what is one file in both, and what is not.

use crate::survey::Surveyor;
use linkwell_model::entry::EntryKind;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Object, Why};
use std::collections::BTreeSet;

/// How two folders compare. Each list is of paths below both, parents before what is in them; the folders begin with
/// the empty path of the top.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mirror {
    /// The folders of the first.
    pub folders: Vec<Vec<u8>>,
    /// Files that are one in both.
    pub same: Vec<Vec<u8>>,
    /// Files that only the first has.
    pub missing: Vec<Vec<u8>>,
    /// Names that both have, for different things.
    pub parted: Vec<Vec<u8>>,
    /// Files, links and whatever else only the second has.
    pub new: Vec<Vec<u8>>,
    /// The folders of the second.
    pub folders_there: Vec<Vec<u8>>,
    /// What the first holds that is neither folder nor file: it is not mirrored.
    pub left_out: u64,
    /// There is more than was looked at.
    pub more: bool,
}

/// Compares. No link is followed; nothing need stand at `there`. At most `limit` entries are looked at.
///
/// # Errors
/// Why a folder cannot be looked at.
pub fn compare(
    surveyor: &mut Surveyor,
    folder: &AbsPath,
    there: &AbsPath,
    limit: usize,
) -> Result<Mirror, Why> {
    let mut found = Mirror::default();
    let (mut todo, mut looked) = (vec![Vec::new()], 0_usize);
    while let Some(below) = todo.pop() {
        let here = entries(surveyor, &place(folder, &below))?;
        let other = entries(surveyor, &place(there, &below))?;
        looked += here.as_ref().map_or(0, BTreeSet::len) + other.as_ref().map_or(0, BTreeSet::len);
        if looked > limit {
            found.more = true;
            return Ok(found);
        }
        if here.is_some() {
            found.folders.push(below.clone());
        }
        if other.is_some() {
            found.folders_there.push(below.clone());
        }
        let (here, other) = (here.unwrap_or_default(), other.unwrap_or_default());
        for name in here.union(&other) {
            let mut path = below.clone();
            if !path.is_empty() {
                path.push(b'/');
            }
            path.extend_from_slice(name);
            let one = object(surveyor, &place(folder, &path))?;
            let two = object(surveyor, &place(there, &path))?;
            match (&one, &two) {
                (Some(Object::Folder { .. }), Some(Object::Folder { .. }) | None)
                | (None, Some(Object::Folder { .. })) => todo.push(path),
                (Some(Object::File { id, .. }), Some(Object::File { id: other, .. }))
                    if id.is(*other) =>
                {
                    found.same.push(path);
                }
                (Some(Object::File { .. }), None) => found.missing.push(path),
                (Some(_), None) => found.left_out += 1,
                (None, Some(_)) => found.new.push(path),
                (Some(_), Some(_)) => found.parted.push(path),
                (None, None) => {}
            }
        }
    }
    found.folders.sort();
    found.folders_there.sort();
    Ok(found)
}

/// What lies below a place.
pub fn place(top: &AbsPath, below: &[u8]) -> AbsPath {
    let mut place = top.clone();
    for name in below.split(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
        place.push(name);
    }
    place
}

/// The names in a folder; none where no folder stands, itself and not behind a link.
fn entries(surveyor: &mut Surveyor, place: &AbsPath) -> Result<Option<BTreeSet<Box<[u8]>>>, Why> {
    if object(surveyor, place)?.map(|object| object.kind()) != Some(EntryKind::Folder) {
        return Ok(None);
    }
    let held = surveyor.folder(place.as_bytes())?;
    let names = surveyor.names(&held)?;
    Ok(Some(names.iter().map(|name| name.as_bytes().into()).collect()))
}

fn object(surveyor: &mut Surveyor, place: &AbsPath) -> Result<Option<Object>, Why> {
    match surveyor.spot(place.as_bytes()) {
        Ok(spot) => surveyor.object(&spot),
        // The other folder has not even what it would lie in.
        Err(Why::NoFolder(_) | Why::NotFolder(_)) => Ok(None),
        Err(why) => Err(why),
    }
}
