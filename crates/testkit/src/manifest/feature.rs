//! The features of a tree that a move can lose; the rows of the fidelity table.

/// A feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Feature {
    /// The entry itself.
    Missing,
    /// An entry that was not there before.
    Extra,
    /// What kind of entry it is.
    Kind,
    /// The bytes of a file, and their number.
    Content,
    /// Permissions, without the set-id bits of files.
    Mode,
    /// The set-id bits of files.
    SetId,
    /// Owner and group.
    Owner,
    /// When a file was changed.
    FileTime,
    /// When a folder was changed.
    FolderTime,
    /// When a link was changed.
    LinkTime,
    /// When a pipe, a socket or a device was changed.
    SpecialTime,
    /// The text of a link.
    LinkText,
    /// Attributes of users.
    UserAttributes,
    /// Attributes of root (`trusted.`), and of security modules.
    OtherAttributes,
    /// Attributes of links and special files.
    LinkAttributes,
    /// Capabilities of a program.
    Capability,
    /// Access lists.
    Acl,
    /// The access lists that a folder gives to what is made in it.
    DefaultAcl,
    /// Which names inside are one file.
    HardLinks,
    /// That a file has names outside.
    OutsideLinks,
    /// Holes.
    Holes,
    /// Holes that were not there before.
    NewHoles,
    /// Room reserved beyond the contents.
    Preallocation,
    /// Room shared by files.
    Sharing,
    /// Flags of `chattr`.
    Flags,
    /// The project.
    Project,
    /// The numbers of a device.
    Device,
}

impl Feature {
    /// Every feature, in the order of the table.
    pub const ALL: [Self; 27] = [
        Self::Missing,
        Self::Extra,
        Self::Kind,
        Self::Device,
        Self::Content,
        Self::Mode,
        Self::SetId,
        Self::Owner,
        Self::FileTime,
        Self::FolderTime,
        Self::LinkTime,
        Self::SpecialTime,
        Self::LinkText,
        Self::UserAttributes,
        Self::OtherAttributes,
        Self::LinkAttributes,
        Self::Capability,
        Self::Acl,
        Self::DefaultAcl,
        Self::HardLinks,
        Self::OutsideLinks,
        Self::Holes,
        Self::NewHoles,
        Self::Preallocation,
        Self::Sharing,
        Self::Flags,
        Self::Project,
    ];

    /// Its name in a table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "entry is gone",
            Self::Extra => "entry that was not there",
            Self::Kind => "kind of entry",
            Self::Device => "numbers of a device",
            Self::Content => "contents",
            Self::Mode => "permissions",
            Self::SetId => "set-id bits of files",
            Self::Owner => "owner and group",
            Self::FileTime => "time of a file",
            Self::FolderTime => "time of a folder",
            Self::LinkTime => "time of a link",
            Self::SpecialTime => "time of a pipe, socket, device",
            Self::LinkText => "text of a link",
            Self::UserAttributes => "user attributes",
            Self::OtherAttributes => "trusted and security attributes",
            Self::LinkAttributes => "attributes of links",
            Self::Capability => "capabilities",
            Self::Acl => "access lists",
            Self::DefaultAcl => "default access lists",
            Self::HardLinks => "hard links inside",
            Self::OutsideLinks => "hard links to outside",
            Self::Holes => "holes",
            Self::NewHoles => "holes that were data",
            Self::Preallocation => "preallocated room",
            Self::Sharing => "shared room (reflinks)",
            Self::Flags => "flags (`chattr`)",
            Self::Project => "project",
        }
    }
}
