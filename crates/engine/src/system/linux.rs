//! The Linux calls: `openat2` (5.6), `statx` (4.11), `getdents64`, mountinfo.

use super::{EndMark, Facts, Links, Listed, Marks, Status, is_self_or_parent, is_shared, kind_of};
use linkwell_model::entry::{EntryKind, FileId, Identity, Time};
use linkwell_model::path::AbsPath;
use linkwell_model::volume::Mounts;
use linkwell_model::volume_id::VolumeId;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, RawDir, ResolveFlags, Statx, StatxAttributes, StatxFlags,
};
use rustix::io::Errno;
use std::mem::MaybeUninit;

/// A rename storm can make the kernel ask to try again (openat2(2), EAGAIN); after this many
/// tries it is an error.
const TRIES: usize = 64;

pub(super) fn open_below(
    at: BorrowedFd<'_>,
    relative: &[u8],
    flags: OFlags,
) -> Result<OwnedFd, Errno> {
    open_by_names(at, relative, flags, ResolveFlags::BENEATH)
}

/// One call less than holding `/` and opening below it; a relative path holds no `..`.
pub(super) fn open_from_root(relative: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let path = [b"/", relative].concat();
    open_by_names(rustix::fs::CWD, &path, flags, ResolveFlags::empty())
}

fn open_by_names(
    at: BorrowedFd<'_>,
    path: &[u8],
    flags: OFlags,
    besides: ResolveFlags,
) -> Result<OwnedFd, Errno> {
    let resolve = besides | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let mut answer = Err(Errno::AGAIN);
    for _ in 0..TRIES {
        answer = rustix::fs::openat2(at, path, flags, Mode::empty(), resolve);
        if !matches!(answer, Err(Errno::AGAIN | Errno::INTR)) {
            break;
        }
    }
    answer
}

fn wanted() -> StatxFlags {
    StatxFlags::TYPE
        | StatxFlags::INO
        | StatxFlags::NLINK
        | StatxFlags::SIZE
        | StatxFlags::UID
        | StatxFlags::MODE
        | StatxFlags::MNT_ID
}

pub(super) fn status<P: rustix::path::Arg>(
    at: BorrowedFd<'_>,
    name: P,
    links: Links,
) -> Result<Status, Errno> {
    let mut flags = AtFlags::NO_AUTOMOUNT | AtFlags::STATX_DONT_SYNC;
    if links == Links::Kept {
        flags |= AtFlags::SYMLINK_NOFOLLOW;
    }
    rustix::fs::statx(at, name, flags, wanted()).map(|statx| from_statx(&statx))
}

pub(super) fn status_of(held: BorrowedFd<'_>) -> Result<Status, Errno> {
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    rustix::fs::statx(held, c"", flags, wanted()).map(|statx| from_statx(&statx))
}

fn from_statx(statx: &Statx) -> Status {
    let file_type = FileType::from_raw_mode(u32::from(statx.stx_mode));
    let has_mount = statx.stx_mask & StatxFlags::MNT_ID.bits() != 0;
    Status {
        id: FileId {
            device: rustix::fs::makedev(statx.stx_dev_major, statx.stx_dev_minor),
            inode: statx.stx_ino,
        },
        // An unknown type has no name in stat(2) either; a device is the most reserved answer.
        kind: kind_of(file_type).unwrap_or(EntryKind::Device),
        names: u64::from(statx.stx_nlink),
        size: statx.stx_size,
        owner: statx.stx_uid,
        shared: is_shared(u32::from(statx.stx_mode)),
        mount: has_mount.then_some(statx.stx_mnt_id),
    }
}

pub(super) fn facts(at: BorrowedFd<'_>, name: &[u8]) -> Result<Facts, Errno> {
    let flags = AtFlags::NO_AUTOMOUNT | AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::statx(at, name, flags, all()).map(|statx| lasting(facts_from(&statx), &statx, at))
}

pub(super) fn facts_of(held: BorrowedFd<'_>) -> Result<Facts, Errno> {
    let statx = rustix::fs::statx(held, c"", AtFlags::EMPTY_PATH, all())?;
    Ok(lasting(facts_from(&statx), &statx, held))
}

fn all() -> StatxFlags {
    StatxFlags::BASIC_STATS | StatxFlags::BTIME | StatxFlags::MNT_ID
}

/// The same facts, as far as they last. What lies in a lower layer of an overlay is copied up when
/// anything about it changes, be it a new entry in a folder, and has another time of birth then
/// (measured on Linux 6.18); its number stays (Documentation/filesystems/overlayfs.rst).
fn lasting(mut facts: Facts, statx: &Statx, on: BorrowedFd<'_>) -> Facts {
    // An overlay has no device of its own, so volumes of disks need not be asked.
    if statx.stx_dev_major == 0 && is_overlay(on) {
        facts.id.born = None;
    }
    facts
}

fn is_overlay(held: BorrowedFd<'_>) -> bool {
    // OVERLAYFS_SUPER_MAGIC (linux/magic.h).
    rustix::fs::fstatfs(held).is_ok_and(|found| file_system_type(&found) == 0x794c_7630)
}

fn facts_from(statx: &Statx) -> Facts {
    let status = from_statx(statx);
    let time = |stamp: rustix::fs::StatxTimestamp| Time(stamp.tv_sec, stamp.tv_nsec);
    let has_birth = statx.stx_mask & StatxFlags::BTIME.bits() != 0;
    Facts {
        id: Identity {
            device: status.id.device,
            inode: status.id.inode,
            born: has_birth.then(|| time(statx.stx_btime)),
        },
        kind: status.kind,
        names: status.names,
        size: status.size,
        owner: status.owner,
        group: statx.stx_gid,
        mode: u32::from(statx.stx_mode) & 0o7777,
        accessed: time(statx.stx_atime),
        modified: time(statx.stx_mtime),
        changed: time(statx.stx_ctime),
        stored: statx.stx_blocks.saturating_mul(512),
        marks: marks(statx.stx_attributes),
        device: device(statx),
        mount: status.mount,
    }
}

fn device(statx: &Statx) -> Option<(u64, bool)> {
    let number = rustix::fs::makedev(statx.stx_rdev_major, statx.stx_rdev_minor);
    match FileType::from_raw_mode(u32::from(statx.stx_mode)) {
        FileType::CharacterDevice => Some((number, false)),
        FileType::BlockDevice => Some((number, true)),
        _ => None,
    }
}

fn marks(attributes: StatxAttributes) -> Marks {
    let others = StatxAttributes::COMPRESSED | StatxAttributes::NODUMP | StatxAttributes::DAX;
    Marks {
        immutable: attributes.contains(StatxAttributes::IMMUTABLE),
        append_only: attributes.contains(StatxAttributes::APPEND),
        others: attributes.intersects(others),
    }
}

/// RESOLVE_CACHED (5.12) keeps the walk in the kernel's caches: no disk, no network, and no
/// automount, since all of these would need it to wait.
pub(super) fn follow_in_cache<P: rustix::path::Arg>(at: BorrowedFd<'_>, name: P) -> Option<Status> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let end = rustix::fs::openat2(at, name, flags, Mode::empty(), ResolveFlags::CACHED).ok()?;
    status_of(end.as_fd()).ok()
}

pub(super) fn list(
    held: BorrowedFd<'_>,
    buffer: &mut [MaybeUninit<u8>],
    end: EndMark,
    mut each: impl FnMut(Listed<'_>) -> bool,
) -> Result<(), Errno> {
    let mut raw = RawDir::new(held, buffer);
    while let Some(entry) = raw.next() {
        let entry = entry?;
        let position = entry.next_entry_cookie();
        let name = entry.file_name();
        let listed = Listed { name, kind: kind_of(entry.file_type()), inode: entry.ino() };
        if !is_self_or_parent(name) && !each(listed) {
            break;
        }
        if end == EndMark::LastPosition(position) && raw.is_buffer_empty() {
            break;
        }
    }
    Ok(())
}

pub(super) fn end_mark(held: BorrowedFd<'_>) -> EndMark {
    const EXT4: u64 = 0xef53;
    const EXT4_HTREE_EOF_64BIT: u64 = i64::MAX.cast_unsigned();
    match rustix::fs::fstatfs(held) {
        Ok(found) if file_system_type(&found) == EXT4 => {
            EndMark::LastPosition(EXT4_HTREE_EOF_64BIT)
        }
        _ => EndMark::EmptyRead,
    }
}

/// statfs(2), "Filesystem types": proc, sysfs, devpts, cgroup, cgroup2, debugfs, tracefs,
/// securityfs, bpf, selinuxfs, pstore, mqueue, hugetlbfs, nsfs, binfmt_misc, efivarfs.
const MADE_UP: [u64; 16] = [
    0x9fa0,
    0x6265_6572,
    0x1cd1,
    0x0027_e0eb,
    0x6367_7270,
    0x6462_6720,
    0x7472_6163,
    0x7363_6673,
    0xcafe_4a11,
    0xf97c_ff8c,
    0x6165_676c,
    0x1980_0202,
    0x9584_58f6,
    0x6e73_6673,
    0x4249_4e4d,
    0xde5e_81e4,
];

pub(super) fn is_made_up(held: BorrowedFd<'_>) -> bool {
    rustix::fs::fstatfs(held).is_ok_and(|found| MADE_UP.contains(&file_system_type(&found)))
}

const XFS: u64 = 0x5846_5342;

/// Besides: Btrfs, bcachefs, OCFS2 (linux/magic.h; ocfs2_fs.h).
const SHARING: [u64; 3] = [0x9123_683e, 0xca45_1a4e, 0x7461_636f];

pub(super) fn may_share(held: BorrowedFd<'_>) -> bool {
    let found = rustix::fs::fstatfs(held).map(|found| file_system_type(&found));
    match found {
        Ok(XFS) => {
            // What holds a place alone cannot be asked.
            let flags = super::flags(super::Access::List);
            let open = rustix::fs::openat(held, c".", flags, Mode::empty());
            let asked = open.and_then(linkwell_calls::clone::is_possible_on_xfs);
            asked.unwrap_or(true)
        }
        Ok(found) => SHARING.contains(&found),
        Err(_) => false,
    }
}

pub(super) fn is_in_memory(held: BorrowedFd<'_>) -> bool {
    // TMPFS_MAGIC (linux/magic.h).
    const TMPFS: u64 = 0x0102_1994;
    rustix::fs::fstatfs(held).is_ok_and(|found| file_system_type(&found) == TMPFS)
}

fn file_system_type(found: &rustix::fs::StatFs) -> u64 {
    // `f_type` is a word of 32 or 64 bits, signed or not, by architecture; the numbers have 32.
    found.f_type as u64 & 0xffff_ffff
}

pub(super) fn volume_of(folder: BorrowedFd<'_>) -> Option<VolumeId> {
    let kind = file_system_type(&rustix::fs::fstatfs(folder).ok()?);
    let fsid = rustix::fs::fstatvfs(folder).map_or(0, |found| found.f_fsid);
    let uuid = match linkwell_calls::volume::uuid(folder) {
        // It is only held.
        Err(Errno::BADF) => {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let opened = rustix::fs::openat(folder, c".", flags, Mode::empty());
            opened.and_then(linkwell_calls::volume::uuid)
        }
        answer => answer,
    };
    Some(VolumeId::new(kind, uuid.ok().flatten(), fsid))
}

pub(super) fn mounts() -> Mounts {
    match super::posix::read_file(b"/proc/self/mountinfo") {
        Ok(text) => Mounts::parse(&text),
        Err(_) => Mounts::default(),
    }
}

pub(super) fn processes() -> Option<OwnedFd> {
    // PROC_SUPER_MAGIC (linux/magic.h): somebody may have put another folder there.
    const PROC: u64 = 0x9fa0;
    let flags = super::flags(super::Access::Hold);
    let folder = rustix::fs::open(c"/proc", flags, Mode::empty()).ok()?;
    let found = rustix::fs::fstatfs(&folder).ok()?;
    (file_system_type(&found) == PROC).then_some(folder)
}

pub(super) fn place_of(held: BorrowedFd<'_>) -> Option<AbsPath> {
    use std::os::fd::AsRawFd as _;
    let name = format!("/proc/self/fd/{}", held.as_raw_fd());
    let text = rustix::fs::readlinkat(rustix::fs::CWD, name, Vec::new()).ok()?;
    AbsPath::cleaned(text.as_bytes())
}
