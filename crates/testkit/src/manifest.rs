//! The oracle of a move: everything that a tree is, and how two trees differ, by feature.
//!
//! It asks the system itself and shares nothing with linkwell's engine, so that a blind spot there is
//! not one here; only the bare calls that no library offers come from `linkwell-calls`. Folders are walked
//! by descriptors, so that a path may be of any length.

mod compare;
mod extents;
mod feature;

pub use compare::{Allowed, Difference, compare, table};
pub use feature::Feature;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, SeekFrom, Stat, openat, readlinkat, statat,
};
use rustix::io::Errno;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CString;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// A tree, as it was when it was looked at. The key of an entry is its path below the top, names
/// joined by slashes; that of the top itself is empty.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    /// Everything in it, the top included.
    pub entries: BTreeMap<Vec<u8>, Entry>,
    /// Pairs of files that share room on the disk, and how many bytes; looked for on XFS and Btrfs.
    pub sharing: BTreeMap<(Vec<u8>, Vec<u8>), u64>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: FileType,
    /// The twelve bits of its permissions.
    pub mode: u32,
    /// Who owns it.
    pub owner: u32,
    /// Its group.
    pub group: u32,
    /// Bytes, of files only.
    pub size: u64,
    /// BLAKE3 of the contents, of files only.
    pub hash: Option<[u8; 32]>,
    /// Where its data stand, as SEEK_DATA says: from, to.
    pub data: Vec<(u64, u64)>,
    /// Bytes that it takes on the disk, of files only.
    pub room: u64,
    /// Last changed: seconds, nanoseconds.
    pub modified: (i64, i64),
    /// The text of a link.
    pub text: Option<Vec<u8>>,
    /// Extended attributes, access lists among them.
    pub attributes: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Those that can be had by name and are not listed: ntfs-3g holds more than it lists.
    pub unlisted: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The flags of `chattr` that somebody sets, of files and folders; `None` where there are none.
    pub flags: Option<u32>,
    /// The project, of files and folders; `None` where there is none.
    pub project: Option<u32>,
    /// The numbers of a device.
    pub device: u64,
    /// Which names inside are the same file: device and inode.
    pub file: (u64, u64),
    /// How many names it has altogether.
    pub names: u64,
}

/// The flags that somebody sets by hand: s, u, c, S, i, a, d, A, D, C, P, x. The others are the file
/// system's own business (extents, index, inline data, verity).
const FLAGS: u32 = 0x0001
    | 0x0002
    | 0x0004
    | 0x0008
    | 0x0010
    | 0x0020
    | 0x0040
    | 0x0080
    | 0x0001_0000
    | 0x0080_0000
    | 0x2000_0000
    | 0x0200_0000;

/// File systems that share room between files: their numbers in statfs(2).
const SHARING: [i64; 2] = [0x5846_5342, 0x9123_683e];

impl Manifest {
    /// Looks at all that is at `top`: a folder with everything below it on the same volume, or whatever
    /// else is there. Nothing but access times is changed.
    ///
    /// # Panics
    /// When something cannot be read: only root's trees are looked at.
    pub fn of(top: &Path) -> Self {
        let parent = top.parent().expect("not the root");
        let name = top.file_name().expect("a name").as_bytes();
        let parent = rustix::fs::open(parent, OFlags::PATH | OFlags::DIRECTORY, Mode::empty());
        let parent = parent.expect("the folder above");
        let mut walk = Walk { found: Self::default(), extents: extents::Extents::default() };
        walk.entry(parent.as_fd(), name, Vec::new());
        walk.found.sharing = walk.extents.pairs();
        walk.found
    }

    /// The groups of names inside that are one file.
    pub fn groups(&self) -> BTreeSet<Vec<&[u8]>> {
        let mut by_file: BTreeMap<(u64, u64), Vec<&[u8]>> = BTreeMap::new();
        for (path, entry) in self.entries.iter().filter(|(_, one)| one.kind != FileType::Directory)
        {
            by_file.entry(entry.file).or_default().push(path);
        }
        by_file.into_values().filter(|names| names.len() > 1).collect()
    }

    /// How many names outside the files have that have some.
    fn outside(&self) -> BTreeMap<(u64, u64), u64> {
        let mut left = BTreeMap::new();
        for entry in self.entries.values().filter(|one| one.kind != FileType::Directory) {
            *left.entry(entry.file).or_insert(entry.names) -= 1;
        }
        left.retain(|_, count| *count > 0);
        left
    }
}

struct Walk {
    found: Manifest,
    extents: extents::Extents,
}

impl Walk {
    fn entry(&mut self, parent: BorrowedFd<'_>, name: &[u8], path: Vec<u8>) {
        let stat = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW);
        let stat = stat.unwrap_or_else(|error| unreachable!("{error}: {}", shown(&path)));
        let kind = FileType::from_raw_mode(stat.st_mode);
        let mut entry = plain(&stat, kind);
        match kind {
            FileType::RegularFile => {
                let file = open(parent, name, OFlags::RDONLY);
                entry.size = stat.st_size.unsigned_abs();
                entry.room = stat.st_blocks.unsigned_abs() * 512;
                entry.data = data(file.as_fd(), entry.size);
                entry.hash = Some(hash(file.as_fd(), &entry.data));
                held(&mut entry, file.as_fd());
                if entry.room > 0 && SHARING.contains(&file_system(file.as_fd())) {
                    self.extents.add(&path, entry.file, file.as_fd());
                }
            }
            FileType::Directory => {
                let folder = open(parent, name, OFlags::RDONLY | OFlags::DIRECTORY);
                held(&mut entry, folder.as_fd());
                self.below(folder, &path, entry.file.0);
            }
            _ => {
                if kind == FileType::Symlink {
                    let text = readlinkat(parent, name, Vec::new()).expect("a link");
                    entry.text = Some(text.into_bytes());
                }
                (entry.attributes, entry.unlisted) = attributes_beside(parent, name);
            }
        }
        self.found.entries.insert(path, entry);
    }

    fn below(&mut self, folder: OwnedFd, path: &[u8], device: u64) {
        let mut names: Vec<Vec<u8>> = Vec::new();
        for entry in Dir::read_from(&folder).expect("a folder") {
            let name = entry.expect("it can be read").file_name().to_bytes().to_vec();
            if name != b"." && name != b".." {
                names.push(name);
            }
        }
        names.sort();
        for name in names {
            let stat = statat(&folder, name.as_slice(), AtFlags::SYMLINK_NOFOLLOW);
            if stat.is_ok_and(|stat| stat.st_dev != device) {
                continue;
            }
            let below = if path.is_empty() { name.clone() } else { [path, &name].join(&b'/') };
            self.entry(folder.as_fd(), &name, below);
        }
    }
}

/// What is asked of files and folders that are held.
fn held(entry: &mut Entry, file: BorrowedFd<'_>) {
    (entry.attributes, entry.unlisted) = attributes(file);
    entry.flags = rustix::fs::ioctl_getflags(file).ok().map(|flags| flags.bits() & FLAGS);
    entry.project = linkwell_calls::attributes::of(file).ok().map(|about| about.project);
}

fn open(parent: BorrowedFd<'_>, name: &[u8], flags: OFlags) -> OwnedFd {
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NOATIME;
    openat(parent, name, flags, Mode::empty()).expect("root may open it")
}

fn plain(stat: &Stat, kind: FileType) -> Entry {
    let is_device = matches!(kind, FileType::CharacterDevice | FileType::BlockDevice);
    Entry {
        kind,
        mode: if kind == FileType::Symlink { 0o777 } else { stat.st_mode & 0o7777 },
        owner: stat.st_uid,
        group: stat.st_gid,
        size: 0,
        hash: None,
        data: Vec::new(),
        room: 0,
        modified: (stat.st_mtime, stat.st_mtime_nsec.try_into().expect("below a billion")),
        text: None,
        attributes: BTreeMap::new(),
        unlisted: BTreeMap::new(),
        flags: None,
        project: None,
        device: if is_device { stat.st_rdev } else { 0 },
        file: (stat.st_dev, stat.st_ino),
        names: stat.st_nlink,
    }
}

/// Where the data of a file stand.
fn data(file: BorrowedFd<'_>, size: u64) -> Vec<(u64, u64)> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < size {
        let from = match rustix::fs::seek(file, SeekFrom::Data(at)) {
            Ok(from) => from,
            Err(Errno::NXIO) => break,
            Err(_) => return vec![(0, size)],
        };
        let to = rustix::fs::seek(file, SeekFrom::Hole(from)).expect("after data comes a hole");
        found.push((from, to));
        at = to;
    }
    found
}

/// The hash of the contents: of every 64 KiB with something in it, and where that stands. So a hole and
/// zeroes are the same contents, and a hole of gigabytes costs nothing.
fn hash(file: BorrowedFd<'_>, data: &[(u64, u64)]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 64 << 10];
    let window = buffer.len() as u64;
    let mut next = 0;
    for (from, to) in data {
        let mut at = next.max(from / window * window);
        while at < *to {
            let bytes = read(file, &mut buffer, at);
            if bytes.iter().any(|byte| *byte != 0) {
                hasher.update(&at.to_le_bytes()).update(bytes);
            }
            at += window;
        }
        next = at;
    }
    *hasher.finalize().as_bytes()
}

/// Reads until the buffer is full or the file ends.
fn read<'b>(file: BorrowedFd<'_>, buffer: &'b mut [u8], at: u64) -> &'b [u8] {
    let mut full = 0;
    while let Some(free) = buffer.get_mut(full..).filter(|free| !free.is_empty()) {
        match rustix::io::pread(file, free, at + full as u64).expect("it can be read") {
            0 => break,
            more => full += more,
        }
    }
    buffer.get(..full).unwrap_or_default()
}

fn file_system(file: BorrowedFd<'_>) -> i64 {
    rustix::fs::fstatfs(file).map_or(0, |about| about.f_type)
}

/// Attributes by name.
type Values = BTreeMap<Vec<u8>, Vec<u8>>;

/// Attributes that are asked for by name where they are not listed.
const UNLISTED: [&[u8]; 5] = [
    b"system.posix_acl_access",
    b"system.posix_acl_default",
    b"security.capability",
    b"trusted.linkwell",
    b"security.linkwell",
];

fn attributes(file: BorrowedFd<'_>) -> (Values, Values) {
    let mut list = vec![0; 64 << 10];
    let length = rustix::fs::flistxattr(file, list.as_mut_slice()).unwrap_or(0);
    list.truncate(length);
    all_attributes(&list, |name, value| rustix::fs::fgetxattr(file, name, value))
}

/// Those of a link or a special file, which cannot be held for this.
fn attributes_beside(parent: BorrowedFd<'_>, name: &[u8]) -> (Values, Values) {
    let path = [format!("/proc/self/fd/{}", parent.as_raw_fd()).as_bytes(), name].join(&b'/');
    let path = CString::new(path).expect("no NUL");
    let mut list = vec![0; 64 << 10];
    let length = rustix::fs::llistxattr(path.as_c_str(), list.as_mut_slice()).unwrap_or(0);
    list.truncate(length);
    all_attributes(&list, |name, value| rustix::fs::lgetxattr(path.as_c_str(), name, value))
}

fn all_attributes(
    list: &[u8],
    get: impl Fn(&[u8], &mut [u8]) -> Result<usize, Errno>,
) -> (Values, Values) {
    let listed: Vec<&[u8]> = list.split(|byte| *byte == 0).filter(|name| is_own(name)).collect();
    let (mut found, mut unlisted) = (BTreeMap::new(), BTreeMap::new());
    let mut value = vec![0; 64 << 10];
    for name in listed.iter().chain(UNLISTED.iter().filter(|name| !listed.contains(name))) {
        let is_listed = listed.contains(name);
        match get(name, &mut value) {
            Ok(length) => {
                let into = if is_listed { &mut found } else { &mut unlisted };
                into.insert(name.to_vec(), value.get(..length).unwrap_or_default().to_vec());
            }
            Err(error) => assert!(!is_listed, "{}: {error}", shown(name)),
        }
    }
    (found, unlisted)
}

/// XFS shows its access lists a second time to root, under names of its own.
fn is_own(name: &[u8]) -> bool {
    !name.is_empty() && !name.starts_with(b"trusted.SGI_ACL_")
}

/// A path, readable.
fn shown(path: &[u8]) -> String {
    linkwell_model::shown::shown(path).to_string()
}
