//! What about an object survives on which file system.

/// What can be relied on after a volume was attached anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trust {
    /// Nothing but what an object holds: its name, size, time, contents.
    Attributes,
    /// Inode numbers, too.
    Inode,
    /// Handles, too: they hold a generation, so that a number that was given out again is told apart.
    Handle,
}

impl Trust {
    /// By the type of the file system, as the mount table spells it. What is not known is not trusted.
    ///
    /// Measured on Linux 6.18 (ext4, xfs, btrfs, tmpfs, overlay, ntfs-3g, bindfs) and 6.1 (f2fs, vfat,
    /// exfat, 9p) by detaching and attaching each anew. tmpfs does not outlive being detached. On an
    /// overlay, handles can be opened only with `nfs_export`, and births change on copying up.
    pub fn of(fs_type: &str) -> Self {
        match fs_type {
            "ext2" | "ext3" | "ext4" | "xfs" | "btrfs" | "f2fs" | "tmpfs" => Self::Handle,
            "overlay" | "9p" => Self::Inode,
            _ => Self::Attributes,
        }
    }

    /// The number under which the catalogue keeps it.
    pub fn number(self) -> i64 {
        match self {
            Self::Attributes => 0,
            Self::Inode => 1,
            Self::Handle => 2,
        }
    }

    /// The trust of that number; the least for one that is not known.
    pub fn of_number(number: i64) -> Self {
        match number {
            2 => Self::Handle,
            1 => Self::Inode,
            _ => Self::Attributes,
        }
    }
}
