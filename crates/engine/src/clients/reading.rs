//! A configuration, read with care.
//!
//! Whoever can write a configuration can send a person's folder anywhere. So it must be a plain file of
//! this user's or root's, or behind links of theirs, in a folder of theirs, that nobody else may write to; it is looked at before it is
//! opened, so that no FIFO and no device is; and no more than [`MOST`] is read.

use super::Trouble;
use crate::live::Live;
use crate::operator::{Held, Operator, Refusal, Spot};
use crate::state;
use crate::system::{Access, EndMark};
use linkwell_model::entry::EntryKind;
use linkwell_model::path::AbsPath;
use linkwell_model::view::View as _;
use rustix::fd::AsFd as _;
use rustix::io::Errno;
use std::mem::MaybeUninit;
use std::sync::Arc;

/// Syncthing with a thousand folders writes less.
pub(super) const MOST: u64 = 1024 * 1024;

/// So many files of one pattern are read.
const MOST_FILES: usize = 1000;

/// The whole of a configuration; `None` where there is none.
///
/// # Errors
/// Why it is not to be read.
pub(super) fn whole(live: &mut Live, place: &AbsPath) -> Result<Option<Vec<u8>>, Trouble> {
    let system = live.system();
    let Some(mut spot) = spot(live, place)? else { return Ok(None) };
    let mut facts = match system.facts(spot.at(), spot.name.as_bytes()) {
        Ok(facts) => facts,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(Trouble::System(error)),
    };
    if facts.kind == EntryKind::Symlink {
        answers(live, &place.joined(b"."))?;
        // A person's own link, as people have who keep their settings elsewhere; and what it leads to is looked at
        // as carefully.
        spot = operator(live)?.behind(&spot).map_err(|refusal| match refusal {
            Refusal::Foreign { .. } => Trouble::Way(refusal),
            _ => Trouble::Link,
        })?;
        facts = system.facts(spot.at(), spot.name.as_bytes()).map_err(|_| Trouble::Link)?;
    }
    if facts.kind != EntryKind::File {
        return Err(Trouble::NotFile);
    }
    if facts.size > MOST {
        return Err(Trouble::TooLarge);
    }
    match state::check(&facts, place, false) {
        Ok(()) => {}
        Err(state::Trouble::Foreign(_, owner)) => return Err(Trouble::Foreign(owner)),
        Err(_) => return Err(Trouble::Open),
    }
    let above = system.facts_of(spot.at()).map_err(Trouble::System)?;
    state::check(&above, &spot.held.place, false).map_err(|_| Trouble::OpenFolder)?;
    let file = system.open(spot.at(), spot.name.as_bytes(), Access::Read);
    let file = file.map_err(Trouble::System)?;
    let opened = system.facts_of(file.as_fd()).map_err(Trouble::System)?;
    if !opened.id.is(facts.id) {
        return Err(Trouble::System(Errno::AGAIN));
    }
    let mut bytes = Vec::new();
    loop {
        bytes.reserve(16 * 1024);
        match rustix::io::read(&file, rustix::buffer::spare_capacity(&mut bytes)) {
            Ok(0) => return Ok(Some(bytes)),
            Ok(_) if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MOST => {
                return Err(Trouble::TooLarge);
            }
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(Trouble::System(error)),
        }
    }
}

/// Whether anything is there.
///
/// # Errors
/// Why that cannot be told.
pub(super) fn is_there(live: &mut Live, place: &AbsPath) -> Result<bool, Trouble> {
    let Some(spot) = spot(live, place)? else { return Ok(false) };
    match live.system().facts(spot.at(), spot.name.as_bytes()) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(Trouble::System(error)),
    }
}

/// The files that a pattern means: its last name may hold one `*`. They are in order.
///
/// # Errors
/// Why the folder cannot be listed.
pub(super) fn meant(live: &mut Live, pattern: &AbsPath) -> Result<Vec<AbsPath>, Trouble> {
    let Some((folder, name)) = pattern.split() else { return Ok(Vec::new()) };
    let name = name.as_bytes();
    let Some(star) = name.iter().position(|byte| *byte == b'*') else {
        return Ok(vec![pattern.clone()]);
    };
    let (begin, end) =
        (name.get(..star).unwrap_or_default(), name.get(star + 1..).unwrap_or_default());
    let mut found = names(live, &folder)?;
    found.retain(|name| {
        name.len() > begin.len() + end.len() && name.starts_with(begin) && name.ends_with(end)
    });
    found.sort_unstable();
    found.truncate(MOST_FILES);
    Ok(found.iter().map(|name| folder.joined(name)).collect())
}

/// The names in a folder; none where there is no such folder.
///
/// # Errors
/// Why it cannot be listed.
pub(super) fn names(live: &mut Live, folder: &AbsPath) -> Result<Vec<Vec<u8>>, Trouble> {
    let inside = folder.joined(b".");
    answers(live, &inside)?;
    let system = live.system();
    let held = match operator(live)?.folder(folder.as_bytes()) {
        Ok(held) => held,
        Err(Refusal::NoFolder(_) | Refusal::NotFolder(_)) => return Ok(Vec::new()),
        Err(refusal) => return Err(Trouble::Way(refusal)),
    };
    let list = system.open(held.folder.as_fd(), c".", Access::List).map_err(Trouble::System)?;
    crate::look::without_trace(list.as_fd());
    let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
    let mut names = Vec::new();
    let listed = system.list(list.as_fd(), &mut buffer, EndMark::EmptyRead, |entry| {
        names.push(entry.name.to_bytes().to_vec());
        true
    });
    listed.map_err(Trouble::System)?;
    Ok(names)
}

/// The entry at a place; `None` where its folder does not exist.
fn spot(live: &mut Live, place: &AbsPath) -> Result<Option<Spot>, Trouble> {
    answers(live, place)?;
    match operator(live)?.spot(place.as_bytes()) {
        Ok(spot) => Ok(Some(spot)),
        Err(Refusal::NoFolder(_) | Refusal::NotFolder(_)) => Ok(None),
        Err(refusal) => Err(Trouble::Way(refusal)),
    }
}

/// Refuses a place that a look at would wait for.
fn answers(live: &mut Live, place: &AbsPath) -> Result<(), Trouble> {
    if !live.volumes().may_hang() {
        return Ok(());
    }
    let root = live.root();
    live.unanswered(&root, place.as_bytes()).map_or(Ok(()), |at| Err(Trouble::NoAnswer(at)))
}

fn operator(live: &Live) -> Result<Operator, Trouble> {
    let folder = live.system().open(rustix::fs::CWD, c"/", Access::Hold);
    let folder = Arc::new(folder.map_err(Trouble::System)?);
    Ok(Operator::at(live.system(), Held { folder, place: AbsPath::root() }))
}
