//! Which file system something lies on, recorded now and compared after a restart.

use serde::{Deserialize, Serialize};

/// A file system, by the measures that it offers.
///
/// Device numbers are none of them: they are given out afresh when a volume is attached (loop devices,
/// btrfs, overlays). Measured on Linux 6.18: the UUID is to be had of ext4, xfs and tmpfs, and is all zero
/// on some images; `f_fsid` stays the same on ext4 and btrfs (there it differs by subvolume), is the device
/// number on xfs, and zero on FUSE.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VolumeId {
    /// Its type, as the mount table spells it (`ext4`, `fuse.sshfs`); empty when nobody knows.
    pub fs_type: String,
    /// Its UUID (`FS_IOC_GETFSUUID`); absent when it is all zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<[u8; 16]>,
    /// `f_fsid` of statfs(2), as one number; absent when it is zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fsid: Option<u64>,
}

impl VolumeId {
    /// Whether both are one file system (of btrfs: one subvolume). `None` when what is known does not tell.
    pub fn is(&self, other: &Self) -> Option<bool> {
        if !self.fs_type.is_empty() && !other.fs_type.is_empty() && self.fs_type != other.fs_type {
            return Some(false);
        }
        let uuids = self.uuid.zip(other.uuid).map(|(one, other)| one == other);
        let fsids = self.fsid.zip(other.fsid).map(|(one, other)| one == other);
        match (uuids, fsids.filter(|_| self.has_lasting_fsid())) {
            (Some(false), _) | (_, Some(false)) => Some(false),
            (Some(true), _) | (None, Some(true)) => Some(true),
            (None, None) => None,
        }
    }

    /// Whether `f_fsid` is the same after the volume was attached anew.
    fn has_lasting_fsid(&self) -> bool {
        matches!(self.fs_type.as_str(), "ext2" | "ext3" | "ext4" | "btrfs" | "f2fs")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(fs_type: &str, uuid: Option<u8>, fsid: Option<u64>) -> VolumeId {
        VolumeId { fs_type: fs_type.into(), uuid: uuid.map(|byte| [byte; 16]), fsid }
    }

    #[test]
    fn a_uuid_tells_and_a_device_number_in_its_place_does_not() {
        let xfs = volume("xfs", Some(1), Some(7));
        assert_eq!(xfs.is(&volume("xfs", Some(1), Some(8))), Some(true));
        assert_eq!(xfs.is(&volume("xfs", Some(2), Some(7))), Some(false));
        assert_eq!(volume("xfs", None, Some(7)).is(&volume("xfs", None, Some(7))), None);
    }

    #[test]
    fn a_lasting_fsid_tells_where_there_is_no_uuid() {
        let one = volume("btrfs", None, Some(7));
        assert_eq!(one.is(&volume("btrfs", None, Some(7))), Some(true));
        assert_eq!(one.is(&volume("btrfs", None, Some(8))), Some(false));
    }

    #[test]
    fn types_that_differ_are_different_volumes_and_nothing_known_is_no_answer() {
        assert_eq!(volume("ext4", None, None).is(&volume("xfs", None, None)), Some(false));
        assert_eq!(volume("fuse.x", None, None).is(&volume("fuse.x", None, None)), None);
        assert_eq!(VolumeId::default().is(&VolumeId::default()), None);
    }
}
