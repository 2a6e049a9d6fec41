//! The calls that differ between systems, behind one small face.
//!
//! Every call works on a held folder descriptor. On Linux the newer calls are used (`openat2`,
//! `statx`, raw `getdents64`, `/proc`); where they are refused, or when [`System::plain`] hides
//! them, plain POSIX calls answer instead. The tests run both ways.

#[cfg(target_os = "linux")]
mod linux;
mod posix;

use linkwell_model::entry::{EntryKind, FileId, Identity, Time};
use linkwell_model::path::AbsPath;
use linkwell_model::volume::Mounts;
use linkwell_model::volume_id::VolumeId;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::CStr;
use std::mem::MaybeUninit;

/// What is known about the object at a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Which object.
    pub id: FileId,
    /// What kind of object.
    pub kind: EntryKind,
    /// How many names it has.
    pub names: u64,
    /// Its length in bytes.
    pub size: u64,
    /// The user who owns it.
    pub owner: u32,
    /// It is a folder like `/tmp`: anyone may write to it, and only owners may remove.
    pub shared: bool,
    /// The mount it was found on, where the system says so (Linux 5.8).
    pub mount: Option<u64>,
}

/// All that a change must know of the object at a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Which object, over time.
    pub id: Identity,
    /// What kind of object.
    pub kind: EntryKind,
    /// How many names it has.
    pub names: u64,
    /// Its length in bytes.
    pub size: u64,
    /// The user who owns it.
    pub owner: u32,
    /// The group it belongs to.
    pub group: u32,
    /// Its permission bits.
    pub mode: u32,
    /// When it was last read.
    pub accessed: Time,
    /// When its contents were last changed.
    pub modified: Time,
    /// When anything about it was last changed.
    pub changed: Time,
    /// The room that it takes in bytes.
    pub stored: u64,
    /// What the file system says it does with it, where it says so (Linux 4.11).
    pub marks: Marks,
    /// Of a device: which, and whether it is one of blocks.
    pub device: Option<(u64, bool)>,
    /// The mount it was found on, where the system says so (Linux 5.8).
    pub mount: Option<u64>,
}

/// Some file flags (`chattr`), as statx(2) gives them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Nobody may change, rename or remove it.
    pub immutable: bool,
    /// It may only grow, and not be renamed or removed.
    pub append_only: bool,
    /// It bears another one that is meant to be kept: compressed, not dumped, on memory of its own.
    pub others: bool,
}

/// How to open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To read a folder's entries; a link at the last component is refused.
    List,
    /// To hold a folder without the right to read it, where the system can (O_PATH).
    Hold,
    /// To read a regular file; a FIFO does not block and nothing is followed.
    Read,
}

/// Whether to look at a link or through it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// The entry itself.
    Kept,
    /// What it leads to.
    Followed,
}

/// One entry of a listing.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    /// Its name.
    pub name: &'a CStr,
    /// Its kind, when the file system says so without being asked again.
    pub kind: Option<EntryKind>,
    /// Its inode number; at a mount point that of the folder below.
    pub inode: u64,
}

/// The system's calls, with or without the newer ones.
#[derive(Clone, Copy, Debug)]
pub struct System {
    #[cfg(target_os = "linux")]
    newer_calls: bool,
}

impl Default for System {
    fn default() -> Self {
        Self::new()
    }
}

impl System {
    /// The best this system has.
    pub fn new() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            newer_calls: true,
        }
    }

    /// As if the newer calls and `/proc` were absent.
    pub fn plain() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            newer_calls: false,
        }
    }

    /// Opens one name, or for a typed path the whole of it, as seen from `at`.
    ///
    /// # Errors
    /// The system's. A link at the last component is ELOOP or ENOTDIR, never followed.
    pub fn open<P: rustix::path::Arg>(
        self,
        at: BorrowedFd<'_>,
        name: P,
        access: Access,
    ) -> Result<OwnedFd, Errno> {
        rustix::fs::openat(at, name, flags(access) | OFlags::NOFOLLOW, Mode::empty())
    }

    /// Opens a file to be read without that counting as read, as its owner may; links are refused.
    ///
    /// # Errors
    /// The system's; EPERM for who is not the owner.
    pub fn open_quietly(self, at: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
        let quietly = OFlags::NOFOLLOW | no_atime();
        rustix::fs::openat(at, name, flags(Access::Read) | quietly, Mode::empty())
    }

    /// Opens what a person typed; links on the way and at its end are followed.
    ///
    /// # Errors
    /// The system's.
    pub fn open_typed(self, path: &[u8], access: Access) -> Result<OwnedFd, Errno> {
        rustix::fs::openat(rustix::fs::CWD, path, flags(access), Mode::empty())
    }

    /// Opens a folder some levels below `at`, passing no link on the way.
    ///
    /// `relative` is one or more names joined by slashes, shorter than PATH_MAX.
    ///
    /// # Errors
    /// The system's; ELOOP or ENOTDIR where a name has become a link meanwhile.
    pub fn open_below(
        self,
        at: BorrowedFd<'_>,
        relative: &[u8],
        access: Access,
    ) -> Result<OwnedFd, Errno> {
        #[cfg(target_os = "linux")]
        if self.newer_calls {
            match linux::open_below(at, relative, flags(access)) {
                // seccomp filters and kernels before 5.6 refuse the call itself.
                Err(Errno::NOSYS | Errno::PERM | Errno::INVAL) => {}
                answer => return answer,
            }
        }
        posix::open_below(at, relative, flags(access))
    }

    /// Opens a folder some levels below `/`, passing no link on the way.
    ///
    /// `relative` as in [`Self::open_below`].
    ///
    /// # Errors
    /// As there.
    pub fn open_from_root(self, relative: &[u8], access: Access) -> Result<OwnedFd, Errno> {
        #[cfg(target_os = "linux")]
        if self.newer_calls {
            match linux::open_from_root(relative, flags(access)) {
                Err(Errno::NOSYS | Errno::PERM | Errno::INVAL) => {}
                answer => return answer,
            }
        }
        let root = self.open(rustix::fs::CWD, c"/", Access::Hold)?;
        posix::open_below(rustix::fd::AsFd::as_fd(&root), relative, flags(access))
    }

    /// What stands at `name`, seen from `at`. No automount is triggered at the last component.
    ///
    /// # Errors
    /// The system's.
    pub fn status<P: rustix::path::Arg + Copy>(
        self,
        at: BorrowedFd<'_>,
        name: P,
        links: Links,
    ) -> Result<Status, Errno> {
        #[cfg(target_os = "linux")]
        if self.newer_calls {
            match linux::status(at, name, links) {
                Err(Errno::NOSYS) => {}
                answer => return answer,
            }
        }
        posix::status(at, name, links)
    }

    /// The object that a descriptor holds.
    ///
    /// # Errors
    /// The system's.
    pub fn status_of(self, held: BorrowedFd<'_>) -> Result<Status, Errno> {
        #[cfg(target_os = "linux")]
        if self.newer_calls {
            match linux::status_of(held) {
                Err(Errno::NOSYS) => {}
                answer => return answer,
            }
        }
        posix::status_of(held)
    }

    /// All about the object called `name` in the folder `at`, not followed. No automount is triggered.
    ///
    /// # Errors
    /// The system's.
    pub fn facts(self, at: BorrowedFd<'_>, name: &[u8]) -> Result<Facts, Errno> {
        #[cfg(target_os = "linux")]
        if self.newer_calls {
            match linux::facts(at, name) {
                Err(Errno::NOSYS) => {}
                answer => return answer,
            }
        }
        posix::facts(at, name)
    }

    /// All about the object that a descriptor holds.
    ///
    /// # Errors
    /// The system's.
    pub fn facts_of(self, held: BorrowedFd<'_>) -> Result<Facts, Errno> {
        #[cfg(target_os = "linux")]
        if self.newer_calls {
            match linux::facts_of(held) {
                Err(Errno::NOSYS) => {}
                answer => return answer,
            }
        }
        posix::facts_of(held)
    }

    /// Holds what `name` in the folder `at` is, whatever it is and without opening it: a link itself,
    /// a pipe that nobody writes to.
    ///
    /// # Errors
    /// The system's.
    pub fn hold(self, at: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
        rustix::fs::openat(at, name, hold_any_flags(), Mode::empty())
    }

    /// Reads a link's text into `buffer`, which grows if the text fills it.
    ///
    /// The size that lstat gives is not used: it is 0 for the links of `/proc`.
    ///
    /// # Errors
    /// The system's.
    pub fn read_link<P: rustix::path::Arg + Copy>(
        self,
        at: BorrowedFd<'_>,
        name: P,
        buffer: &mut Vec<u8>,
    ) -> Result<(), Errno> {
        buffer.clear();
        // Of millions of short texts each takes no more than its own room.
        let mut room = [MaybeUninit::<u8>::uninit(); 4096];
        let (text, rest) = rustix::fs::readlinkat_raw(at, name, &mut room)?;
        if !rest.is_empty() {
            buffer.extend_from_slice(text);
            return Ok(());
        }
        buffer.reserve_exact(2 * 4096);
        loop {
            buffer.clear();
            rustix::fs::readlinkat_raw(at, name, rustix::buffer::spare_capacity(buffer))?;
            if buffer.len() < buffer.capacity() {
                return Ok(());
            }
            buffer.reserve_exact(buffer.capacity() * 2);
        }
    }

    /// Whether the kernel can follow `name` to its end without leaving its own caches: it never
    /// waits for a disk, a network or an automount. `None` when it cannot say so.
    pub fn follow_in_cache<P: rustix::path::Arg>(
        self,
        at: BorrowedFd<'_>,
        name: P,
    ) -> Option<Status> {
        #[cfg(target_os = "linux")]
        if self.newer_calls {
            return linux::follow_in_cache(at, name);
        }
        drop((at, name));
        None
    }

    /// Calls `each` with every entry of a folder but `.` and `..`, in the folder's order, until
    /// it answers `false`.
    ///
    /// Each name that is there from beginning to end is given once; one that is made, renamed or
    /// removed meanwhile may be missed or not (readdir(3)).
    ///
    /// # Errors
    /// The system's, after the entries read so far were given.
    pub fn list(
        self,
        held: BorrowedFd<'_>,
        buffer: &mut [MaybeUninit<u8>],
        end: EndMark,
        each: impl FnMut(Listed<'_>) -> bool,
    ) -> Result<(), Errno> {
        #[cfg(target_os = "linux")]
        if self.newer_calls {
            return linux::list(held, buffer, end, each);
        }
        let _ = (buffer, end);
        posix::list(held, each)
    }

    /// How the listing of a folder on this file system shows that it has ended.
    pub fn end_mark(self, held: BorrowedFd<'_>) -> EndMark {
        #[cfg(target_os = "linux")]
        if self.newer_calls {
            return linux::end_mark(held);
        }
        let _ = held;
        EndMark::EmptyRead
    }

    /// Whether a descriptor lies on a file system that the kernel makes up, by its type number.
    /// For when mountinfo is not to be had.
    pub fn is_made_up(self, held: BorrowedFd<'_>) -> bool {
        #[cfg(target_os = "linux")]
        return linux::is_made_up(held);
        #[cfg(not(target_os = "linux"))]
        {
            let _ = held;
            false
        }
    }

    /// Whether a descriptor lies on a file system whose files can share their room, and which tells
    /// where that is; by its type number. XFS is asked whether it was made so.
    pub fn may_share(self, held: BorrowedFd<'_>) -> bool {
        #[cfg(target_os = "linux")]
        return linux::may_share(held);
        #[cfg(not(target_os = "linux"))]
        {
            let _ = held;
            false
        }
    }

    /// Whether a descriptor lies on a file system in memory (tmpfs), by its type number.
    pub fn is_in_memory(self, held: BorrowedFd<'_>) -> bool {
        #[cfg(target_os = "linux")]
        return linux::is_in_memory(held);
        #[cfg(not(target_os = "linux"))]
        {
            let _ = held;
            false
        }
    }

    /// Which volume the folder that a descriptor holds lies on, so that it is known again when it was
    /// detached meanwhile. `None` when the system says nothing of it.
    pub fn volume_of(self, folder: BorrowedFd<'_>) -> Option<VolumeId> {
        #[cfg(target_os = "linux")]
        if self.newer_calls {
            return linux::volume_of(folder);
        }
        let _ = folder;
        None
    }

    /// The whole of a small file of the system's or the administrator's.
    ///
    /// # Errors
    /// The system's.
    pub fn read_file(self, path: &[u8]) -> Result<Vec<u8>, Errno> {
        posix::read_file(path)
    }

    /// The whole of a file that a person has named, if it is no longer than so many bytes. Links are followed; from a
    /// pipe it is read until its writer has ended.
    ///
    /// # Errors
    /// The system's; EFBIG when it is longer.
    pub fn read_at_most(self, path: &[u8], most: usize) -> Result<Vec<u8>, Errno> {
        posix::read_at_most(path, most)
    }

    /// The rest of an open file, however long: for files whose length is known to be bounded.
    ///
    /// # Errors
    /// The system's.
    pub fn read_all(self, file: BorrowedFd<'_>) -> Result<Vec<u8>, Errno> {
        posix::read_all(file)
    }

    /// Appends the rest of an open file to `bytes`.
    ///
    /// # Errors
    /// The system's, with what was read before it appended.
    pub fn read_more(self, file: BorrowedFd<'_>, bytes: &mut Vec<u8>) -> Result<(), Errno> {
        posix::read_more(file, bytes)
    }

    /// The folder in which the system tells of its processes; `None` where there is none.
    pub fn processes(self) -> Option<OwnedFd> {
        #[cfg(target_os = "linux")]
        if self.newer_calls {
            return linux::processes();
        }
        None
    }

    /// Whether handles of objects may be asked for.
    pub fn has_handles(self) -> bool {
        #[cfg(target_os = "linux")]
        return self.newer_calls;
        #[cfg(not(target_os = "linux"))]
        false
    }

    /// Everything that is mounted in sight of this process; empty where the system does not say.
    pub fn mounts(self) -> Mounts {
        #[cfg(target_os = "linux")]
        if self.newer_calls {
            return linux::mounts();
        }
        Mounts::default()
    }

    /// The physical place of a held folder that was opened as `typed`.
    ///
    /// The answer is text about this moment. It is checked: the place it names holds the same
    /// folder. `None` when no such text is to be had (deleted, unreachable, over PATH_MAX).
    pub fn place_of(self, held: BorrowedFd<'_>, typed: &[u8]) -> Option<AbsPath> {
        #[cfg(target_os = "linux")]
        if self.newer_calls
            && let Some(place) = linux::place_of(held)
            && self.is_at(held, &place)
        {
            return Some(place);
        }
        let place = posix::place_of(typed)?;
        self.is_at(held, &place).then_some(place)
    }

    /// Where the system says that something held is, not compared with what stands there: for who compares it.
    pub fn said_place_of(self, held: BorrowedFd<'_>) -> Option<AbsPath> {
        #[cfg(target_os = "linux")]
        if self.newer_calls {
            return linux::place_of(held);
        }
        let _ = held;
        None
    }

    fn is_at(self, held: BorrowedFd<'_>, place: &AbsPath) -> bool {
        let there = self.status(rustix::fs::CWD, place.as_bytes(), Links::Kept);
        match (there, self.status_of(held)) {
            (Ok(there), Ok(here)) => there.id == here.id,
            _ => false,
        }
    }
}

/// 128 random bits, for names that nobody else chooses.
///
/// # Errors
/// The system's.
pub fn random() -> Result<u128, Errno> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    let source = rustix::fs::openat(rustix::fs::CWD, c"/dev/urandom", flags, Mode::empty())?;
    let mut bytes = [0; 16];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match rustix::io::read(&source, rest) {
            Ok(0) => return Err(Errno::IO),
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(u128::from_ne_bytes(bytes))
}

/// Opens a file of linkwell's own to append to it. It is not made, not followed, and not changed by
/// that.
///
/// # Errors
/// The system's.
pub(crate) fn open_own_for_writing(at: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDWR | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    rustix::fs::openat(at, name, flags | OFlags::CLOEXEC, Mode::empty())
}

/// How a listing shows that it has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndMark {
    /// By a read that gives nothing: right everywhere.
    EmptyRead,
    /// By the position after the last entry, which saves that read.
    ///
    /// ext4 with hashed folders sets it to `EXT4_HTREE_EOF_64BIT` (fs/ext4/ext4.h) exactly when
    /// nothing is left; 32-bit processes and unhashed folders get another number and the extra
    /// read. A short read alone proves nothing: a signal or a stop can cause one (fs/readdir.c).
    LastPosition(u64),
}

fn flags(access: Access) -> OFlags {
    match access {
        Access::List => OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::CLOEXEC,
        Access::Hold => hold_flags(),
        Access::Read => OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC,
    }
}

#[cfg(target_os = "linux")]
fn no_atime() -> OFlags {
    OFlags::NOATIME
}

#[cfg(not(target_os = "linux"))]
fn no_atime() -> OFlags {
    OFlags::empty()
}

#[cfg(target_os = "linux")]
fn hold_flags() -> OFlags {
    OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC
}

#[cfg(not(target_os = "linux"))]
fn hold_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

#[cfg(target_os = "linux")]
fn hold_any_flags() -> OFlags {
    OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC
}

/// macOS opens a link itself with O_SYMLINK.
#[cfg(not(target_os = "linux"))]
fn hold_any_flags() -> OFlags {
    const O_SYMLINK: u32 = 0x20_0000;
    OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::from_bits_retain(O_SYMLINK)
}

fn kind_of(file_type: FileType) -> Option<EntryKind> {
    match file_type {
        FileType::Directory => Some(EntryKind::Folder),
        FileType::RegularFile => Some(EntryKind::File),
        FileType::Symlink => Some(EntryKind::Symlink),
        FileType::Fifo => Some(EntryKind::Fifo),
        FileType::Socket => Some(EntryKind::Socket),
        FileType::CharacterDevice | FileType::BlockDevice => Some(EntryKind::Device),
        FileType::Unknown => None,
    }
}

/// Sticky and writable by all.
fn is_shared(mode: u32) -> bool {
    mode & 0o1002 == 0o1002
}

/// `.` and `..`, which every listing holds.
fn is_self_or_parent(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}
