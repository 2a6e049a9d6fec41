//! Volumes by names that people gave them, for places that are written down to be read on another computer.

use crate::system::{Access, System};
use crate::volumes::Volumes;
use linkwell_model::links_file::{Bases, Volume};
use linkwell_model::path::AbsPath;
use linkwell_model::volume::{Manner, Mount, manner};
use linkwell_model::volume_id::VolumeId;
use rustix::fd::AsFd as _;
use std::collections::BTreeMap;

/// The volumes that these places lie on, by names made of their mount points. Left out is what is the same on every
/// computer, or is no volume of its own: the one of `/`, and what lies in the home folder.
pub fn of_places<'p>(
    system: System,
    volumes: &Volumes,
    home: Option<&AbsPath>,
    places: impl Iterator<Item = &'p AbsPath>,
) -> BTreeMap<String, (AbsPath, Volume)> {
    let mut all: BTreeMap<String, (AbsPath, Volume)> = BTreeMap::new();
    for place in places {
        let in_home = home.is_some_and(|home| place.is_at_or_below(home));
        let Some(mount) = volumes.mounts().covering(place).filter(|_| !in_home) else { continue };
        if mount.point == AbsPath::root()
            || matches!(manner(&mount.fs_type), Manner::Virtual)
            || all.values().any(|(point, _)| *point == mount.point)
        {
            continue;
        }
        let name = free_name(&all, &mount.point);
        let volume = Volume::new(&mount.point, id_of(system, volumes, mount).as_ref());
        all.insert(name, (mount.point.clone(), volume));
    }
    all
}

/// `/media/me/Data` is `Data`; a second one of that name is `Data 2`.
fn free_name(taken: &BTreeMap<String, (AbsPath, Volume)>, point: &AbsPath) -> String {
    let last = point.names().next_back().unwrap_or(b"volume");
    let plain = |character: char| !character.is_control() && !matches!(character, '{' | '}');
    let name: String = String::from_utf8_lossy(last).chars().filter(|one| plain(*one)).collect();
    let name = if name.is_empty() { "volume".to_owned() } else { name };
    let mut names =
        std::iter::once(name.clone()).chain((2_u32..).map(|next| format!("{name} {next}")));
    names.find(|name| !taken.contains_key(name)).unwrap_or(name)
}

/// Where home and these volumes are on this computer: each where a person said (`said`), else where the very volume is
/// attached. Those that are not found are missing from the answer.
///
/// A place alone is not trusted: on another computer another volume may be attached there.
pub fn bases(
    system: System,
    volumes: &Volumes,
    home: Option<AbsPath>,
    wanted: &BTreeMap<String, Volume>,
    said: &BTreeMap<String, AbsPath>,
) -> Bases {
    let mut found = said.clone();
    let unsaid = wanted.iter().filter(|(name, _)| !said.contains_key(*name));
    let unsaid: Vec<(&String, &Volume)> = unsaid.collect();
    if unsaid.is_empty() {
        return Bases { home, volumes: found };
    }
    for mount in volumes.mounts().iter() {
        let covered = volumes.mounts().covering(&mount.point).is_none_or(|top| top.id != mount.id);
        if covered || mount.root != b"/" {
            continue;
        }
        let Some(id) = id_of(system, volumes, mount) else { continue };
        for (name, wanted) in &unsaid {
            if wanted.is(&id) && !found.contains_key(*name) {
                found.insert((*name).clone(), mount.point.clone());
            }
        }
    }
    Bases { home, volumes: found }
}

fn id_of(system: System, volumes: &Volumes, mount: &Mount) -> Option<VolumeId> {
    if manner(&mount.fs_type) != Manner::Local || !volumes.gives_answer(&mount.point) {
        return None;
    }
    let held = system.open_typed(mount.point.as_bytes(), Access::List).ok()?;
    let id = system.volume_of(held.as_fd())?;
    (id.uuid.is_some() || id.fsid.is_some()).then_some(id)
}
