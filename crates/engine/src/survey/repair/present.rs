//! Which volumes are attached, and whether the one on which something lay is among them.

use crate::system::{Access, System};
use crate::volumes::Volumes;
use linkwell_model::path::AbsPath;
use linkwell_model::volume::{Manner, manner};
use linkwell_model::volume_id::VolumeId;
use rustix::fd::AsFd as _;

/// A local volume that is attached.
#[derive(Clone, Debug)]
struct Attached {
    id: VolumeId,
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
            let fs_type = String::from_utf8_lossy(&mount.fs_type).into_owned();
            all.push(Attached {
                id: system.volume_id(held.as_fd(), fs_type),
                device: mount.device.clone(),
                whole: mount.root == b"/",
                point: mount.point.clone(),
            });
        }
        Self(all)
    }

    /// Where a volume is.
    pub(super) fn of(&self, volume: &VolumeId) -> Whereabouts {
        let is: Vec<_> = self.0.iter().map(|attached| volume.is(&attached.id)).collect();
        let here = self.0.iter().zip(&is).filter(|(_, is)| **is == Some(true));
        let here: Vec<AbsPath> = here.map(|(attached, _)| attached.point.clone()).collect();
        if !here.is_empty() {
            return Whereabouts::At(here);
        }
        // What is in memory goes with its mount and never comes back. Subvolumes of btrfs need no mount of
        // their own to be there.
        let elusive = matches!(volume.fs_type.as_str(), "" | "tmpfs" | "ramfs" | "btrfs");
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
