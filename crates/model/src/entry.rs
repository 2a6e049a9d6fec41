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

/// What kind of object stands at a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
