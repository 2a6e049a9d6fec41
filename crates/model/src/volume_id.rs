//! Which volume something lies on, over time: recorded now, compared when it may have been detached,
//! swapped or attached elsewhere.
//!
//! Device numbers are given out afresh, and two volumes that were made in the same second have first
//! folders of one number and one birth; so neither tells drives apart.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What tells a volume from others, as far as it can be told.
///
/// Not guaranteed: a copy of a whole volume, block by block, looks like its original.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VolumeId {
    /// The type of its file system, as the system numbers them (statfs(2), `f_type`).
    pub kind: u64,
    /// The number that it was given when it was made, where it has one and the system says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
    /// The system's own number for it, only where that stays when it is attached anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fsid: Option<u64>,
}

/// Types whose `f_fsid` is made of what is on the volume: ext2 to ext4, and btrfs, a number for each
/// subvolume. Of others it is the number of the device, or nothing (xfs, f2fs, FUSE).
const LASTING: [u64; 2] = [0xef53, 0x9123_683e];

/// Its subvolumes differ in the upper half of `fsid` only (Linux, `btrfs_statfs`).
const BTRFS: u64 = 0x9123_683e;

/// Types that are in memory only.
const MEMORY: [u64; 2] = [0x0102_1994, 0x8584_58f6];

impl VolumeId {
    /// What a volume says of itself. Zeros are no numbers, and what does not last is left out.
    pub fn new(kind: u64, uuid: Option<[u8; 16]>, fsid: u64) -> Self {
        let lasts = fsid != 0 && LASTING.contains(&kind);
        let uuid = uuid.filter(|bytes| *bytes != [0; 16]).map(Uuid);
        Self { kind, uuid, fsid: lasts.then_some(fsid) }
    }

    /// Whether both are one volume; `None` when they have nothing in common to tell it by.
    pub fn is(&self, other: &Self) -> Option<bool> {
        if self.kind != other.kind {
            return Some(false);
        }
        let uuid = self.uuid.zip(other.uuid).map(|(one, other)| one == other);
        uuid.or_else(|| self.fsid.zip(other.fsid).map(|(one, other)| one == other))
    }

    /// Whether both are one file system, though perhaps two subvolumes of it; `None` as for [`Self::is`].
    pub fn is_on_one_with(&self, other: &Self) -> Option<bool> {
        let parts = [self, other].map(|id| id.fsid.filter(|_| id.kind == BTRFS));
        let [Some(one), Some(two)] = parts else { return self.is(other) };
        self.uuid
            .zip(other.uuid)
            .map_or(Some((one ^ two) << 32 == 0), |(one, two)| Some(one == two))
    }

    /// Whether it is in memory: such a volume goes with its mount, and never comes back.
    pub fn is_in_memory(&self) -> bool {
        MEMORY.contains(&self.kind)
    }

    /// Whether they are certainly two.
    pub fn is_another(&self, other: &Self) -> bool {
        self.is(other) == Some(false)
    }
}

/// A number of 128 bits, written as 32 hexadecimal digits in five groups.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Uuid(pub [u8; 16]);

impl fmt::Display for Uuid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                formatter.write_str("-")?;
            }
            write!(formatter, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl From<Uuid> for String {
    fn from(uuid: Uuid) -> Self {
        uuid.to_string()
    }
}

impl TryFrom<String> for Uuid {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'-').collect();
        let digits = std::str::from_utf8(&digits).map_err(|_| "digits")?;
        let hexadecimal = digits.len() == 32 && digits.bytes().all(|one| one.is_ascii_hexdigit());
        let number = u128::from_str_radix(digits, 16).ok().filter(|_| hexadecimal);
        number.map(|number| Self(number.to_be_bytes())).ok_or("32 hexadecimal digits are wanted")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    const EXT4: u64 = 0xef53;
    const XFS: u64 = 0x5846_5342;

    #[test]
    fn the_uuid_tells_before_the_systems_number_does() {
        let id = |uuid: u8, fsid| VolumeId::new(EXT4, Some([uuid; 16]), fsid);
        assert_eq!(id(1, 7).is(&id(1, 8)), Some(true));
        assert_eq!(id(1, 7).is(&id(2, 7)), Some(false));
        // On an older kernel only the number can be had.
        assert_eq!(id(1, 7).is(&id(0, 7)), Some(true));
        assert_eq!(id(1, 7).is(&id(0, 8)), Some(false));
        assert_eq!(id(1, 7).is(&id(0, 0)), None);
        assert!(id(1, 7).is_another(&id(2, 7)) && !id(1, 7).is_another(&id(0, 0)));
    }

    #[test]
    fn what_is_only_the_number_of_a_device_tells_nothing() {
        let id = |kind, fsid| VolumeId::new(kind, None, fsid);
        assert_eq!(id(XFS, 7).is(&id(XFS, 8)), None);
        assert_eq!(id(XFS, 7).is(&id(EXT4, 7)), Some(false));
    }

    #[test]
    fn subvolumes_are_on_one_file_system() {
        let id = |kind, fsid| VolumeId::new(kind, None, fsid);
        let (one, other) = (0x105_0000_0007, 0x106_0000_0007);
        assert_eq!(id(BTRFS, one).is(&id(BTRFS, other)), Some(false));
        assert_eq!(id(BTRFS, one).is_on_one_with(&id(BTRFS, other)), Some(true));
        assert_eq!(id(BTRFS, one).is_on_one_with(&id(BTRFS, one + 1)), Some(false));
        assert_eq!(id(EXT4, one).is_on_one_with(&id(EXT4, other)), Some(false));
        assert_eq!(id(EXT4, one).is_on_one_with(&id(BTRFS, one)), Some(false));
    }

    #[test]
    fn it_is_written_and_read_back() {
        let id = VolumeId::new(
            EXT4,
            Some(0xf0f1_f2f3_f4f5_f6f7_f8f9_fafb_fcfd_feff_u128.to_be_bytes()),
            9,
        );
        let text = serde_json::to_string(&id).unwrap();
        let uuid = "f0f1f2f3-f4f5-f6f7-f8f9-fafbfcfdfeff";
        assert_eq!(text, format!("{{\"kind\":61267,\"uuid\":\"{uuid}\",\"fsid\":9}}"));
        assert_eq!(serde_json::from_str::<VolumeId>(&text).unwrap(), id);
        let bare = VolumeId::new(XFS, None, 0);
        assert_eq!(serde_json::from_str::<VolumeId>("{\"kind\":1481003842}").unwrap(), bare);
        for wrong in ["", "f0", "+0f1f2f3f4f5f6f7f8f9fafbfcfdfeff", "é0"] {
            assert!(Uuid::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
