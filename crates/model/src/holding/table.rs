//! The table: types of file systems, as mountinfo spells them, and what they hold.
//!
//! "Measured" is Linux 6.18 for ext4, xfs, btrfs, tmpfs and ntfs-3g, and 6.1 for f2fs, exfat and vfat:
//! made there and read back. What was not measured says where it is from.

use super::names::OF_WINDOWS;
use super::{Answer, Fold, Holding, Longest, Names, Times};
use Answer::{No, Unknown, Yes};

const BYTES: Names = Names {
    longest: Some(Longest::Bytes(255)),
    forbidden: b"",
    no_controls: false,
    no_last_space: false,
    no_last_dot: false,
    unicode: false,
    of_windows: false,
    fold: None,
};

const ANY_TIME: Times = Times { step: Some(1), range: None, fractions_before_1970: true };

/// Nothing is known: it is found out when it is tried.
const UNKNOWN: Holding = Holding {
    word: "this file system",
    names: Names { longest: None, ..BYTES },
    links: Unknown,
    longest_text: None,
    hard_links: Unknown,
    special: Unknown,
    owners: Unknown,
    greatest_owner: None,
    modes: Unknown,
    attributes: Unknown,
    longest_value: None,
    lists: Unknown,
    capabilities: Unknown,
    flags: Unknown,
    projects: Unknown,
    times: Times { step: None, range: None, fractions_before_1970: true },
    longest_file: None,
    holes: Unknown,
    reserved: Unknown,
    sharing: Unknown,
    exchange: Unknown,
    per_entry: 0,
};

/// Measured but for the longest file (ext4 wiki, 4 KiB blocks) and the first second (32 bits, signed).
/// With inodes of 128 bytes it holds whole seconds to 2038 only; the copy is looked at again. A value of
/// 4,000 bytes was held and one of 16,000 not: all of an inode's attributes share one block, unless the
/// volume was made with `ea_inode`.
const EXT4: Holding = Holding {
    word: "ext4",
    names: BYTES,
    links: Yes,
    longest_text: None,
    hard_links: Yes,
    special: Yes,
    owners: Yes,
    greatest_owner: None,
    modes: Yes,
    attributes: Yes,
    longest_value: Some(4040),
    lists: Yes,
    capabilities: Yes,
    flags: Yes,
    projects: Unknown,
    times: Times {
        step: Some(1),
        range: Some((-0x8000_0000, 15_032_385_535)),
        fractions_before_1970: true,
    },
    longest_file: Some((1 << 44) - 4096),
    holes: Yes,
    reserved: Yes,
    sharing: No,
    exchange: Yes,
    per_entry: 0,
};

/// ext4's code on older structures: no extents, so no room is reserved (fallocate(2)); 2 TiB (ext4
/// wiki); fractions of seconds and years after 2038 only with large inodes.
const EXT3: Holding = Holding {
    word: "ext3",
    times: Times { step: None, range: None, fractions_before_1970: true },
    longest_file: Some(1 << 41),
    reserved: No,
    ..EXT4
};

/// Measured; 1,023 bytes is `XFS_SYMLINK_MAXLEN` less its end (fs/xfs/libxfs/xfs_format.h); an inode takes 512 bytes.
/// Without `bigtime` it ends in 2038; the copy is looked at again.
const XFS: Holding = Holding {
    word: "XFS",
    longest_text: Some(1023),
    longest_value: None,
    projects: Yes,
    times: Times {
        step: Some(1),
        range: Some((-0x8000_0000, 16_299_260_424)),
        fractions_before_1970: true,
    },
    longest_file: None,
    sharing: Unknown,
    per_entry: 512,
    ..EXT4
};

/// Measured; the longest value fits one leaf of 16 KiB less its heads; a link's text likewise, which is
/// more than the system lets be (fs/btrfs/xattr.c, inode.c); a small file's items take about 1 KiB
/// with their copies.
const BTRFS: Holding = Holding {
    word: "btrfs",
    longest_value: Some(15_900),
    projects: No,
    times: ANY_TIME,
    longest_file: None,
    sharing: Yes,
    per_entry: 1024,
    ..EXT4
};

/// Measured but for the text of links (one block less its end, fs/f2fs/namei.c) and the longest file (3.94 TiB,
/// Documentation/filesystems/f2fs.rst).
const F2FS: Holding = Holding {
    word: "F2FS",
    longest_text: Some(4095),
    times: ANY_TIME,
    longest_file: Some(4_329_690_886_144),
    per_entry: 4096,
    ..EXT4
};

/// Measured. User attributes since Linux 6.6, flags since 6.6: before that, Unknown.
const TMPFS: Holding = Holding {
    word: "tmpfs",
    attributes: Unknown,
    longest_value: None,
    flags: Unknown,
    projects: No,
    times: ANY_TIME,
    longest_file: None,
    sharing: No,
    ..EXT4
};

/// ntfs-3g, measured (its type is `fuseblk` on a disk and `fuse` on an image): accepts access lists and reads back others, which is found out by looking; a
/// half second was added to times of 1969; exchange gives EINVAL.
const NTFS_3G: Holding = Holding {
    word: "NTFS",
    names: Names { longest: Some(Longest::Units(255)), unicode: true, of_windows: true, ..BYTES },
    links: Yes,
    longest_text: None,
    hard_links: Yes,
    special: Yes,
    owners: Unknown,
    greatest_owner: Some(1 << 31),
    modes: Unknown,
    attributes: Yes,
    longest_value: None,
    lists: Unknown,
    capabilities: Unknown,
    flags: No,
    projects: No,
    times: Times {
        step: Some(100),
        // 64 bits, signed, in steps of 100 ns from 1601 ([MS-DTYP] FILETIME).
        range: Some((-11_644_473_600, 910_692_730_085)),
        fractions_before_1970: false,
    },
    longest_file: Some((1 << 44) - (1 << 16)),
    holes: Yes,
    reserved: No,
    sharing: No,
    exchange: No,
    per_entry: 1024,
};

/// The kernel's own driver (Documentation/filesystems/ntfs3.rst); not measured, so little is said.
const NTFS3: Holding = Holding {
    special: Unknown,
    owners: Unknown,
    greatest_owner: None,
    flags: Unknown,
    times: Times { fractions_before_1970: true, ..NTFS_3G.times },
    longest_value: None,
    reserved: Unknown,
    exchange: Unknown,
    ..NTFS_3G
};

/// Measured: no links, one owner and one mode for all, times clamped to 1980..2107 in silence, a last
/// dot stripped in silence, names that differ in case overwrite each other. The length of names is in
/// units of UTF-16, and capitals are by its own table (exFAT specification 7.7.3, 7.2).
const EXFAT: Holding = Holding {
    word: "exFAT",
    names: Names {
        longest: Some(Longest::Units(255)),
        forbidden: OF_WINDOWS,
        no_controls: true,
        no_last_space: false,
        no_last_dot: true,
        unicode: true,
        of_windows: true,
        fold: Some(Fold::Case),
    },
    links: No,
    longest_text: None,
    hard_links: No,
    special: No,
    owners: No,
    greatest_owner: None,
    modes: No,
    attributes: No,
    longest_value: None,
    lists: No,
    capabilities: No,
    flags: No,
    projects: No,
    times: Times {
        step: Some(10_000_000),
        range: Some((315_532_800, 4_354_819_199)),
        fractions_before_1970: true,
    },
    longest_file: None,
    holes: No,
    reserved: No,
    sharing: No,
    exchange: No,
    per_entry: 0,
};

/// exfat-fuse 1.3 on Linux 6.18, measured: whole seconds, and a last dot is kept.
const EXFAT_FUSE: Holding = Holding {
    names: Names { no_last_dot: false, ..EXFAT.names },
    times: Times { step: Some(1_000_000_000), ..EXFAT.times },
    ..EXFAT
};

/// Measured: as exfat, in steps of two seconds, no file of 4 GiB, a last space refused.
const VFAT: Holding = Holding {
    word: "FAT",
    names: Names { no_last_space: true, ..EXFAT.names },
    times: Times { step: Some(2_000_000_000), ..EXFAT.times },
    longest_file: Some(0xffff_ffff),
    ..EXFAT
};

/// HFS+ on Linux: names in 255 units of UTF-16, composed characters taken apart, case folded unless it
/// was made case-sensitive; whole seconds from 1904 to 2040 (Apple TN1150).
const HFSPLUS: Holding = Holding {
    word: "HFS+",
    names: Names {
        longest: Some(Longest::Units(255)),
        unicode: true,
        fold: Some(Fold::Both),
        ..BYTES
    },
    links: Yes,
    hard_links: Yes,
    times: Times {
        step: Some(1_000_000_000),
        range: Some((-2_082_844_800, 2_212_122_495)),
        fractions_before_1970: true,
    },
    holes: No,
    sharing: No,
    ..UNKNOWN
};

/// APFS: names of 255 bytes of UTF-8 that keep their form and are compared without it, and without case
/// unless it was made case-sensitive (Apple File System Reference).
const APFS: Holding = Holding {
    word: "APFS",
    names: Names { unicode: true, fold: Some(Fold::Both), ..BYTES },
    links: Yes,
    hard_links: Yes,
    ..UNKNOWN
};

/// What a program serves as a file system, where its type does not say it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    /// NTFS, by ntfs-3g.
    Ntfs,
    /// exFAT, by exfat-fuse.
    Exfat,
    /// Nobody knows, or no program serves it.
    Unknown,
}

/// What the file system of this type can hold, as mountinfo spells it.
pub fn holding(fs_type: &[u8], served: Served) -> Holding {
    match fs_type {
        b"ext4" => EXT4,
        b"ext3" => EXT3,
        b"ext2" => Holding { word: "ext2", ..EXT3 },
        b"xfs" => XFS,
        b"btrfs" => BTRFS,
        b"f2fs" => F2FS,
        b"tmpfs" | b"ramfs" => TMPFS,
        b"ntfs3" | b"ntfs" => NTFS3,
        b"fuse.exfat" => EXFAT_FUSE,
        b"exfat" => EXFAT,
        b"vfat" | b"msdos" => VFAT,
        b"hfsplus" => HFSPLUS,
        b"apfs" | b"fuse.apfs" => APFS,
        _ => match served {
            Served::Ntfs => NTFS_3G,
            Served::Exfat => EXFAT_FUSE,
            Served::Unknown => UNKNOWN,
        },
    }
}
