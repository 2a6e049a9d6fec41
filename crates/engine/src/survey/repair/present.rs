//! Which volumes are attached, and whether the one on which something lay is among them.

use crate::system::{Access, System};
use crate::volumes::Volumes;
use linkwell_model::path::AbsPath;
use linkwell_model::volume::{Manner, manner};
use linkwell_model::volume_id::VolumeId;
use rustix::fd::AsFd as _;

/// As statfs(2) numbers types of file systems (linux/magic.h).
const BTRFS: u64 = 0x9123_683e;

/// A local volume that is attached.
#[derive(Clone, Debug)]
struct Attached {
    id: Option<VolumeId>,
    device: Vec<u8>,
    /// All of it is shown there, not one folder of it.
    whole: bool,
    point: AbsPath,
}

/// The local volumes that are attached.
#[derive(Clone, Debug, Default)]
pub(super) struct Present(Vec<Attached>);

/// Where a volume is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// Attached at these places.
    At(Vec<AbsPath>),
    /// Not attached.
    Away,
    /// Nobody can tell.
    Unknown,
}

impl Present {
    /// Looks. Volumes of other computers are not asked.
    pub(super) fn look(system: System, volumes: &Volumes) -> Self {
        let mounts = volumes.mounts();
        let mut all = Vec::new();
        for mount in mounts.iter() {
            let hidden = mounts.covering(&mount.point).is_none_or(|top| top.id != mount.id);
            // What is packed into an image is nothing that a person moves.
            let packed = matches!(&*mount.fs_type, b"squashfs" | b"erofs" | b"iso9660");
            if hidden || packed || manner(&mount.fs_type) != Manner::Local {
                continue;
            }
            let opened = system.open_typed(mount.point.as_bytes(), Access::List);
            let Ok(held) =
                opened.or_else(|_| system.open_typed(mount.point.as_bytes(), Access::Hold))
            else {
                continue;
            };
            all.push(Attached {
                id: system.volume_of(held.as_fd()),
                device: mount.device.clone(),
                whole: mount.root == b"/",
                point: mount.point.clone(),
            });
        }
        Self(all)
    }

    /// Where a volume is.
    pub(super) fn of(&self, volume: Option<&VolumeId>) -> Whereabouts {
        let Some(volume) = volume else { return Whereabouts::Unknown };
        let is = |attached: &Attached| attached.id.as_ref().and_then(|id| volume.is(id));
        let is: Vec<_> = self.0.iter().map(is).collect();
        let here = self.0.iter().zip(&is).filter(|(_, is)| **is == Some(true));
        let here: Vec<AbsPath> = here.map(|(attached, _)| attached.point.clone()).collect();
        if !here.is_empty() {
            return Whereabouts::At(here);
        }
        // What is in memory goes with its mount and never comes back. Subvolumes of btrfs need no mount of
        // their own to be there.
        let elusive = volume.is_in_memory() || volume.kind == BTRFS;
        if elusive || is.contains(&None) || (volume.uuid.is_none() && volume.fsid.is_none()) {
            Whereabouts::Unknown
        } else {
            Whereabouts::Away
        }
    }

    /// Every local volume once, where the most of it is shown.
    pub(super) fn all(&self) -> Vec<AbsPath> {
        let mut chosen: Vec<&Attached> = Vec::new();
        for attached in &self.0 {
            match chosen.iter_mut().find(|known| known.device == attached.device) {
                Some(known) if attached.whole && !known.whole => *known = attached,
                Some(known) if known.whole => {}
                // Two folders of one volume, neither of which is all of it.
                _ => chosen.push(attached),
            }
        }
        chosen.into_iter().map(|attached| attached.point.clone()).collect()
    }
}
