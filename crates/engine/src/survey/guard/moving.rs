//! What must not be moved, and where to it must not go. Everything is known by which object it is:
//! every spelling, link and mount that leads there is the same place.

use super::{Above, Guard, chain_of};
use crate::operator::{Held, Spot};
use crate::state::nearest;
use crate::survey::{Surveyor, refused};
use crate::system::Facts;
use linkwell_model::entry::{EntryKind, FileId};
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Object, Why};
use linkwell_model::shown::{quoted, shown};

/// Where something is to go.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    /// The name that it is to have.
    pub spot: &'a Spot,
    /// What stands there now.
    pub object: Option<&'a Object>,
}

/// Whether what stands at `from` may be moved to `to`: its facts, and the folders that the destination
/// lies in. Nothing in it is looked at.
///
/// # Errors
/// Why not.
pub fn may_move(
    surveyor: &mut Surveyor,
    typed: &[u8],
    (from, object): (&Spot, &Object),
    to: Destination<'_>,
    state: Option<&AbsPath>,
) -> Result<(Facts, Vec<FileId>), Why> {
    let no = |what: String, hint: Option<String>| Err(Why::Other { what, hint });
    match object.kind() {
        EntryKind::Symlink => {
            let typed = quoted(typed.strip_suffix(b"/").unwrap_or(typed));
            let words = if typed.starts_with('-') { "-- " } else { "" };
            let hint = format!(
                "`linkwell move --back {words}{typed}` brings home what it leads to; to move the link itself, \
                 use `mv`"
            );
            return no("this is a link".into(), Some(hint));
        }
        EntryKind::File if from.as_folder => return Err(Why::NotFolder(typed.into())),
        EntryKind::File | EntryKind::Folder => {}
        kind => {
            let hint = format!("`mv {}`", quoted(typed));
            return no(
                format!("this is a {}; only files and folders are moved", kind.word()),
                Some(hint),
            );
        }
    }
    let chain = chain_of(surveyor, &from.held);
    Guard::for_moving(surveyor, state).check(object, &chain, None)?;
    if surveyor.system().is_made_up(from.at()) {
        return no("the system makes this up; it cannot be moved".into(), None);
    }
    if surveyor.system().is_made_up(to.spot.at()) {
        let place = to.spot.held.place.shown();
        return no(format!("nothing can be kept in `{place}`, which the system makes up"), None);
    }
    let facts = is_no_mount(surveyor, from, object)?;
    let above = ids(&chain_of(surveyor, &to.spot.held));
    apart(surveyor, (from, object), &chain, to, &above)?;
    Ok((facts, above))
}

fn ids(chain: &[Above]) -> Vec<FileId> {
    chain.iter().map(|above| above.id).collect()
}

/// A mount point stays: it would be the folder below the volume that moved, or nothing at all.
fn is_no_mount(surveyor: &Surveyor, spot: &Spot, object: &Object) -> Result<Facts, Why> {
    let place = spot.place();
    let unseen = |error| refused("it cannot be looked at", error);
    let here = surveyor.system().facts_of(spot.at()).map_err(unseen)?;
    let there = surveyor.system().facts(spot.at(), spot.name.as_bytes()).map_err(unseen)?;
    let other = match (here.mount, there.mount) {
        (Some(here), Some(there)) => here != there,
        _ => there.kind == EntryKind::Folder && here.id.device != there.id.device,
    };
    let mounts = surveyor.volumes().mounts();
    let is_point = mounts.covering(&place).is_some_and(|mount| mount.point == place);
    if other || is_point {
        return Err(Why::Other {
            what: format!("a volume is mounted here: `{}`", place.shown()),
            hint: Some("to have it somewhere else, mount it there".into()),
        });
    }
    if !there.id.is(object.id()) {
        return Err(refused("it cannot be looked at", rustix::io::Errno::AGAIN));
    }
    Ok(there)
}

/// Both ends are two, and neither lies in the other, through whatever mount it is seen.
fn apart(
    surveyor: &mut Surveyor,
    (from, object): (&Spot, &Object),
    chain: &[Above],
    to: Destination<'_>,
    above: &[FileId],
) -> Result<(), Why> {
    let id = object.id().file();
    let no = |what: String| Err(Why::Other { what, hint: None });
    if let Some(there) = to.object {
        if there.id().file() == id {
            let place = to.spot.place();
            if place == from.place() || matches!(object, Object::Folder { .. }) {
                return no(format!(
                    "`{}` is what is to be moved, and no other place",
                    place.shown()
                ));
            }
            return no(format!(
                "`{}` is another name of the same file already; to have only that one, remove this one",
                place.shown()
            ));
        }
        if matches!(there, Object::Folder { .. }) {
            let all = ids(chain).into_iter().chain(seen_elsewhere(surveyor, &from.held));
            if all.into_iter().any(|above| above == there.id().file()) {
                return no(format!("it lies in `{}` already", to.spot.place().shown()));
            }
        }
    }
    if !matches!(object, Object::Folder { .. }) {
        return Ok(());
    }
    let elsewhere = seen_elsewhere(surveyor, &to.spot.held);
    if above.contains(&id) || elsewhere.contains(&id) {
        return no(format!(
            "`{}` lies in what is to be moved: a folder cannot be moved into itself",
            shown(to.spot.held.place.as_bytes())
        ));
    }
    Ok(())
}

/// The folders that a held one lies in where its volume is seen through other mounts: above a folder
/// that is mounted a second time stands another one.
fn seen_elsewhere(surveyor: &Surveyor, held: &Held) -> Vec<FileId> {
    let system = surveyor.system();
    let Ok(facts) = system.facts_of(rustix::fd::AsFd::as_fd(&*held.folder)) else {
        return Vec::new();
    };
    let aliases = surveyor.volumes().mounts().aliases(&held.place);
    let mut found = Vec::new();
    for alias in aliases.iter().filter(|alias| **alias != held.place) {
        // Text from the table of mounts: only what is that very folder counts.
        let Ok((seen, missing)) = nearest(system, alias) else { continue };
        let same = system.facts_of(rustix::fd::AsFd::as_fd(&*seen.folder));
        if missing.is_empty() && same.is_ok_and(|same| same.id.is(facts.id)) {
            found.extend(ids(&chain_of(surveyor, &seen)));
        }
    }
    found
}
