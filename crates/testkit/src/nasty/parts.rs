//! The parts of the tree, and which file systems can hold them.

use super::{Maker, links};
use crate::crafted::allow;
use crate::volume::Kind;
use linkwell_calls::clone;
use rustix::fs::{FallocateFlags, FileType, makedev};
use std::fs::File;
use std::os::unix::fs::FileExt as _;

/// A part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(missing_docs, reason = "their words say it")]
pub enum Part {
    Plain,
    Many,
    Holes,
    Preallocated,
    HardLinks,
    HardLinkOutside,
    Owners,
    HugeOwner,
    Modes,
    SetId,
    Times,
    Times1905,
    Times2110,
    Times2440,
    UserAttributes,
    LongAttribute,
    RootAttributes,
    LinkAttributes,
    Acls,
    Capabilities,
    Flags,
    Immutable,
    Project,
    Reflinks,
    Pipes,
    Sockets,
    Devices,
    Links,
    LinksOut,
    LinksIn,
    LongLink,
    Newline,
    Bytes,
    LongNames,
    OddNames,
    Cases,
    Forms,
    Deep,
}

impl Part {
    /// Every part.
    pub const ALL: [Self; 38] = [
        Self::Plain,
        Self::Many,
        Self::Holes,
        Self::Preallocated,
        Self::HardLinks,
        Self::HardLinkOutside,
        Self::Owners,
        Self::HugeOwner,
        Self::Modes,
        Self::SetId,
        Self::Times,
        Self::Times1905,
        Self::Times2110,
        Self::Times2440,
        Self::UserAttributes,
        Self::LongAttribute,
        Self::RootAttributes,
        Self::LinkAttributes,
        Self::Acls,
        Self::Capabilities,
        Self::Flags,
        Self::Immutable,
        Self::Project,
        Self::Reflinks,
        Self::Pipes,
        Self::Sockets,
        Self::Devices,
        Self::Links,
        Self::LinksOut,
        Self::LinksIn,
        Self::LongLink,
        Self::Newline,
        Self::Bytes,
        Self::LongNames,
        Self::OddNames,
        Self::Cases,
        Self::Forms,
        Self::Deep,
    ];

    /// Its name, which is that of its folder.
    pub fn word(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Many => "many",
            Self::Holes => "holes",
            Self::Preallocated => "preallocated",
            Self::HardLinks => "hard-links",
            Self::HardLinkOutside => "hard-link-outside",
            Self::Owners => "owners",
            Self::HugeOwner => "huge-owner",
            Self::Modes => "modes",
            Self::SetId => "set-id",
            Self::Times => "times",
            Self::Times1905 => "times-1905",
            Self::Times2110 => "times-2110",
            Self::Times2440 => "times-2440",
            Self::UserAttributes => "user-attributes",
            Self::LongAttribute => "long-attribute",
            Self::RootAttributes => "root-attributes",
            Self::LinkAttributes => "link-attributes",
            Self::Acls => "acls",
            Self::Capabilities => "capabilities",
            Self::Flags => "flags",
            Self::Immutable => "immutable",
            Self::Project => "project",
            Self::Reflinks => "reflinks",
            Self::Pipes => "pipes",
            Self::Sockets => "sockets",
            Self::Devices => "devices",
            Self::Links => "links",
            Self::LinksOut => "links-out",
            Self::LinksIn => "links-in",
            Self::LongLink => "long-link",
            Self::Newline => "newline",
            Self::Bytes => "bytes",
            Self::LongNames => "long-names",
            Self::OddNames => "odd-names",
            Self::Cases => "cases",
            Self::Forms => "forms",
            Self::Deep => "deep",
        }
    }

    /// The part of this name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.word() == word)
    }

    /// Whether a volume of this kind can hold it. `relocation` table of the project: probed.
    pub fn fits(self, kind: Kind) -> bool {
        use Kind::{Btrfs, Exfat, Ext4Project, Ntfs, Tmpfs, Xfs};
        match (self, kind) {
            (_, Exfat) => matches!(self, Self::Plain | Self::Many | Self::Forms),
            (Self::Project, _) => matches!(kind, Xfs | Ext4Project),
            (Self::Reflinks, _) => matches!(kind, Xfs | Btrfs),
            (Self::LongLink, _) => kind != Xfs,
            (Self::Flags | Self::Immutable, _) => !matches!(kind, Tmpfs | Ntfs),
            (_, Ntfs) => !matches!(
                self,
                Self::Bytes
                    | Self::Times1905
                    | Self::HugeOwner
                    | Self::Times
                    | Self::Times2110
                    | Self::Times2440
                    | Self::Acls
                    | Self::Capabilities
                    | Self::RootAttributes
                    | Self::LinkAttributes
                    | Self::Preallocated
                    | Self::Deep
            ),
            _ => true,
        }
    }
}

pub(super) fn make(part: Part, maker: &mut Maker) {
    match part {
        Part::Plain => plain(maker),
        Part::Many => {
            for number in 0..300 {
                maker.file(format!("file {number}"));
            }
        }
        Part::Holes => {
            let big = 8 << 20;
            maker.sparse("leading", big, &[((8 << 20) - 65_536, 65_536)]);
            maker.sparse("middle", big, &[(0, 65_536), ((8 << 20) - 65_536, 65_536)]);
            maker.sparse("trailing", big, &[(0, 65_536)]);
            maker.sparse("only a hole", big, &[]);
            let island = |at: u64| (at << 20, 1 << 20);
            maker.sparse("islands", 16 << 20, &[island(0), island(4), island(12)]);
            maker.sparse("huge", 640 << 20, &[(512 << 20, 4096)]);
            // Zeroes that were written are data.
            std::fs::write(maker.path("zeroes"), vec![0; 1 << 20]).expect("a file");
        }
        Part::Preallocated => {
            let file = File::create(maker.file("beyond the end")).expect("a file");
            let reserve = |keep, length| rustix::fs::fallocate(&file, keep, 0, length);
            reserve(FallocateFlags::KEEP_SIZE, 2 << 20).expect("room");
            drop(file);
            let path = maker.file("with contents");
            let file = File::options().write(true).open(path).expect("a file");
            rustix::fs::fallocate(&file, FallocateFlags::KEEP_SIZE, 0, 3 << 20).expect("room");
        }
        Part::HardLinks => {
            let (one, two) = (maker.file("one"), maker.file("two"));
            let folder = maker.folder("folder/below");
            let again = |old: &std::path::Path, new| std::fs::hard_link(old, new).expect("a name");
            again(&one, maker.path("one again"));
            again(&one, folder.join("one too"));
            again(&two, folder.join("two too"));
            let link = maker.link("link", "one");
            again(&link, folder.join("link too"));
            let pipe = maker.special("pipe", FileType::Fifo, 0);
            again(&pipe, folder.join("pipe too"));
        }
        Part::HardLinkOutside => {
            let one = maker.file("both");
            std::fs::hard_link(one, maker.made.outside.join("both")).expect("a name");
        }
        Part::Owners => {
            maker.own(&maker.file("user"), 1001, 1002);
            maker.own(&maker.file("group only"), 0, 1003);
            maker.own(&maker.folder("folder"), 65534, 65534);
            maker.own(&maker.link("link", "user"), 1004, 1005);
            maker.own(&maker.special("pipe", FileType::Fifo, 0), 1006, 1007);
        }
        Part::HugeOwner => maker.own(&maker.file("huge"), 3_000_000_000, 3_000_000_001),
        Part::Modes => modes(maker),
        Part::SetId => {
            for (name, mode) in [("set-user", 0o4755), ("set-group", 0o2755), ("both", 0o6711)] {
                let path = maker.file(name);
                maker.own(&path, 1001, 1002);
                allow(&path, mode);
            }
            let both = maker.file("sticky too");
            allow(&both, 0o7755);
        }
        Part::Times => {
            let (old, new) = (maker.file("before the epoch"), maker.file("to come"));
            maker.times.push((old, (-1, 999_999_999)));
            maker.times.push((new, (4_102_444_800, 1)));
            maker.times.push((maker.folder("folder"), (1_000_000_000, 123_456_789)));
            maker.times.push((maker.link("link", "to come"), (1_000_000_001, 987_654_321)));
            let pipe = maker.special("pipe", FileType::Fifo, 0);
            maker.times.push((pipe, (1_000_000_002, 5)));
        }
        Part::Times1905 => one_time(maker, -2_051_222_400),
        Part::Times2110 => one_time(maker, 4_417_977_600),
        Part::Times2440 => one_time(maker, 14_831_769_600),
        Part::UserAttributes => {
            let (file, folder) = (maker.file("file"), maker.folder("folder"));
            for path in [&file, &folder] {
                maker.attribute(path, "user.comment", b"\0bytes\xff");
                maker.attribute(path, "user.empty", b"");
            }
        }
        Part::LongAttribute => {
            maker.attribute(&maker.file("file"), "user.long", &[b'v'; 3000]);
        }
        Part::RootAttributes => {
            let (file, folder) = (maker.file("file"), maker.folder("folder"));
            for path in [&file, &folder] {
                maker.attribute(path, "trusted.linkwell", b"root's");
                maker.attribute(path, "security.linkwell", b"a module's");
            }
        }
        Part::LinkAttributes => {
            maker.attribute(&maker.link("link", "gone"), "trusted.linkwell", b"a link's");
            let pipe = maker.special("pipe", FileType::Fifo, 0);
            maker.attribute(&pipe, "trusted.linkwell", b"a pipe's");
        }
        Part::Acls => {
            let (file, folder) = (maker.file("file"), maker.folder("folder"));
            for path in [&file, &folder] {
                maker.attribute(path, "system.posix_acl_access", &acl(0o6));
            }
            maker.attribute(&folder, "system.posix_acl_default", &acl(0o7));
            // What a default list would give to a copy made in its folder must not be given.
            std::fs::write(folder.join("inherits"), "x").expect("a file");
            let plain = folder.join("does not");
            std::fs::write(&plain, "x").expect("a file");
            rustix::fs::removexattr(&plain, "system.posix_acl_access").expect("it is there");
            allow(&plain, 0o600);
        }
        Part::Capabilities => {
            let path = maker.file("program");
            allow(&path, 0o755);
            // Version 2 with the effective bit; CAP_NET_BIND_SERVICE (10).
            let mut bytes = 0x0200_0001_u32.to_le_bytes().to_vec();
            bytes.extend((1_u32 << 10).to_le_bytes());
            bytes.resize(20, 0);
            maker.attribute(&path, "security.capability", &bytes);
        }
        Part::Flags => {
            for (name, words) in [("d", &["+d"]), ("A", &["+A"]), ("S", &["+S"])] {
                maker.flags.push((maker.file(name), words));
            }
            maker.flags.push((maker.folder("folder"), &["+d"]));
        }
        Part::Immutable => {
            maker.flags.push((maker.file("immutable"), &["+i"]));
            maker.flags.push((maker.file("append only"), &["+a"]));
        }
        Part::Project => {
            maker.flags.push((maker.file("file"), &["-p", "4242"]));
            maker.flags.push((maker.folder("folder"), &["-p", "4243"]));
        }
        Part::Reflinks => {
            let big = maker.big("original", 1 << 20);
            let original = File::open(big).expect("a file");
            for name in ["clone", "clone too", "one other byte", "longer"] {
                let clone = File::create(maker.path(name)).expect("a file");
                rustix::fs::ioctl_ficlone(&clone, &original).expect("this volume shares");
                let change = |at| clone.write_all_at(b"other", at).expect("it can be written to");
                match name {
                    "one other byte" => change(300_000),
                    "longer" => change(1 << 20),
                    _ => {}
                }
            }
            // From another place, behind data of its own, and with a hole before it.
            let part = File::create(maker.path("part")).expect("a file");
            part.write_all_at(&[7; 4096], 0).expect("it can be written to");
            clone::range(&part, 1 << 16, &original, 1 << 18, 1 << 17).expect("this volume shares");
            // Its last block is not full, and it is too short for xfs and btrfs to be cut in two.
            let odd = maker.big("odd", 70_001);
            let odd = File::open(odd).expect("a file");
            let clone = File::create(maker.path("odd clone")).expect("a file");
            rustix::fs::ioctl_ficlone(&clone, &odd).expect("this volume shares");
        }
        Part::Pipes => {
            maker.special("pipe", FileType::Fifo, 0);
        }
        Part::Sockets => {
            maker.special("socket", FileType::Socket, 0);
        }
        Part::Devices => {
            maker.special("character", FileType::CharacterDevice, makedev(1, 5));
            maker.special("block", FileType::BlockDevice, makedev(259, 70_000));
        }
        Part::Links | Part::LinksOut | Part::LinksIn | Part::LongLink => links::links(part, maker),
        Part::Newline => {
            maker.file("new\nline");
            maker.file("\t\r\x1b[31m");
        }
        Part::Bytes => {
            maker.file(b"caf\xe9");
            maker.folder(b"\xff\xfe");
        }
        Part::LongNames => {
            maker.file("n".repeat(255));
            maker.file("\u{e9}".repeat(127));
        }
        Part::OddNames => {
            let names = ["-rf", "dot.", "space ", ":*?\"<>|\\", "   ", "con", "~", "#x#", "..."];
            for name in names {
                maker.file(name);
            }
        }
        Part::Cases => {
            maker.file("Case");
            maker.file("case");
        }
        Part::Forms => {
            maker.file("caf\u{e9}");
            maker.file("cafe\u{301}");
        }
        Part::Deep => links::deep(maker),
    }
}

fn plain(maker: &Maker) {
    std::fs::write(maker.path("empty"), "").expect("a file");
    maker.file("small");
    maker.big("300 KiB", 300 << 10);
    maker.folder("empty folder");
    maker.folder("a/b/c");
    std::fs::write(maker.path("a/b/c/leaf"), "leaf").expect("a file");
}

fn modes(maker: &Maker) {
    let modes = [("none", 0), ("read", 0o400), ("all", 0o777), ("odd", 0o617)];
    for (name, mode) in modes {
        allow(&maker.file(name), mode);
    }
    let modes = [
        ("closed", 0),
        ("read only", 0o500),
        ("search only", 0o311),
        ("sticky", 0o1777),
        ("set-group", 0o2770),
        ("set-user", 0o4750),
    ];
    for (name, mode) in modes {
        let folder = maker.folder(name);
        std::fs::write(folder.join("inside"), name).expect("a file");
        allow(&folder, mode);
    }
    allow(&maker.special("pipe", FileType::Fifo, 0), 0o606);
}

fn one_time(maker: &mut Maker, seconds: i64) {
    maker.times.push((maker.file("file"), (seconds, 500_000_000)));
    maker.times.push((maker.folder("folder"), (seconds, 0)));
}

/// An access list: owner all, user 1001 `bits`, group read, group 1002 `bits`, mask all, others none.
/// The kernel's form (posix_acl_xattr.h): version 2, then tag, permissions, number.
fn acl(bits: u16) -> Vec<u8> {
    let none = u32::MAX;
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    let entries = [
        (0x01_u16, 7_u16, none),
        (0x02, bits, 1001),
        (0x04, 4, none),
        (0x08, bits, 1002),
        (0x10, 7, none),
        (0x20, 0, none),
    ];
    for (tag, permissions, number) in entries {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(permissions.to_le_bytes());
        bytes.extend(number.to_le_bytes());
    }
    bytes
}
