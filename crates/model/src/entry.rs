//! What stands at a name, not followed.

/// Which object this is, for as long as its volume stays attached.
///
/// Two entries with equal `FileId` are names of one object *now*. It is no proof over time: ext4
/// hands a freed inode number to the next file created (measured: 200 times of 200).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId {
    /// `st_dev`, as one number.
    pub device: u64,
    /// `st_ino`.
    pub inode: u64,
}

/// A moment, as file systems keep it: since 1970-01-01 00:00 UTC.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct Time(
    /// Whole seconds; negative before 1970.
    pub i64,
    /// Nanoseconds after that, below 1,000,000,000.
    pub u32,
);

/// Which object this is, over time: recorded now, compared later.
///
/// The birth time tells an object from a later one that was given the same inode number. Where the
/// system does not say it (before Linux 4.11, and on file systems that do not keep it), an inode
/// number is all there is, and a later object can be mistaken for this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Identity {
    /// `st_dev`; it can change when the volume is attached anew.
    pub device: u64,
    /// `st_ino`.
    pub inode: u64,
    /// When it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born: Option<Time>,
}

impl Identity {
    /// Which object nobody knows yet: an earlier step of the same plan makes it. No real object has it
    /// (0 is no inode's number).
    pub const TO_COME: Self = Self { device: 0, inode: 0, born: None };

    /// The object's number, without its birth.
    pub fn file(self) -> FileId {
        FileId { device: self.device, inode: self.inode }
    }

    /// Whether both are one object, seen while the volume stayed attached.
    pub fn is(self, other: Self) -> bool {
        self.device == other.device && self.is_after_restart(other)
    }

    /// Whether both are one object, perhaps seen before and after the computer was started
    /// anew: device numbers are given out afresh then.
    pub fn is_after_restart(self, other: Self) -> bool {
        let born = match (self.born, other.born) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        self.inode == other.inode && born
    }
}

/// What kind of object stands at a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A folder.
    Folder,
    /// A regular file.
    File,
    /// A symbolic link.
    Symlink,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A character or block device.
    Device,
}

impl EntryKind {
    /// The kind in the words that people read.
    pub fn word(self) -> &'static str {
        match self {
            Self::Folder => "folder",
            Self::File => "file",
            Self::Symlink => "symbolic link",
            Self::Fifo => "named pipe",
            Self::Socket => "socket",
            Self::Device => "device",
        }
    }
}

/// The kinds of link that linkwell tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LinkKind {
    /// A symbolic link.
    Symlink,
    /// One of several names of a file.
    HardLink,
    /// A mount that shows a folder a second time.
    Bind,
    /// A file that a desktop follows: `.desktop`, `.url`, `.lnk`, `.webloc`.
    Shortcut,
    /// A file of text left where a link should be (git, Cygwin, Interix).
    Stub,
    /// A Windows junction.
    Junction,
}

impl LinkKind {
    /// Every kind, in the order in which they are documented.
    pub const ALL: [Self; 6] =
        [Self::Symlink, Self::HardLink, Self::Bind, Self::Shortcut, Self::Stub, Self::Junction];

    /// The word used on the command line and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Symlink => "symlink",
            Self::HardLink => "hardlink",
            Self::Bind => "bind",
            Self::Shortcut => "shortcut",
            Self::Stub => "stub",
            Self::Junction => "junction",
        }
    }
}
