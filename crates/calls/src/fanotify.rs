//! fanotify(7) with one mark for a whole file system: every renaming, making and removing of a name on it,
//! told by the handle of the folder and the name. Needs CAP_SYS_ADMIN.

use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use std::ffi::CStr;

/// A name in a folder.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The folder.
    pub folder: Folder,
    /// The name.
    pub name: Box<[u8]>,
}

/// A folder, as events name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Folder {
    /// `f_fsid` of statfs(2), its two words as they lie in memory.
    pub fsid: [u8; 8],
    /// The type of its handle.
    pub kind: i32,
    /// The bytes of its handle.
    pub bytes: Box<[u8]>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A name was given up for another one.
    Renamed(Place, Place),
    /// A name was made.
    Made(Place),
    /// A name was removed.
    Removed(Place),
    /// Events were lost.
    Missed,
}

/// Begins to listen. The queue has no limit, so nothing is lost while nobody reads.
///
/// # Errors
/// EPERM without CAP_SYS_ADMIN; EINVAL before Linux 5.17; ENOTSUP on other systems than Linux.
pub fn listen() -> Result<OwnedFd, Errno> {
    system::listen()
}

/// Marks the whole file system that the folder at `path` lies on; marking it again changes nothing. A link
/// at the last component is not followed.
///
/// # Errors
/// EXDEV for a subvolume of btrfs; ENODEV or EOPNOTSUPP where the file system has no handles for it.
pub fn mark(listener: impl AsFd, path: &CStr) -> Result<(), Errno> {
    system::mark(listener.as_fd(), path)
}

/// The events in what was read from a listener. What makes no sense ends the reading of them, and counts as
/// [`Event::Missed`].
pub fn parse(mut bytes: &[u8], mut each: impl FnMut(Event)) {
    while !bytes.is_empty() {
        let Some((event, rest)) = event(bytes) else { return each(Event::Missed) };
        if let Some(event) = event {
            each(event);
        }
        bytes = rest;
    }
}

// linux/fanotify.h; the words are those of this machine.
const MASK_CREATE: u64 = 0x100;
const MASK_DELETE: u64 = 0x200;
const MASK_OVERFLOW: u64 = 0x4000;
const MASK_RENAME: u64 = 0x1000_0000;
const INFO_DFID_NAME: u8 = 2;
const INFO_OLD_DFID_NAME: u8 = 10;
const INFO_NEW_DFID_NAME: u8 = 12;

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

/// One event and what follows it.
fn event(bytes: &[u8]) -> Option<(Option<Event>, &[u8])> {
    // struct fanotify_event_metadata: length, version, reserved, own length, mask, descriptor, process.
    let length = usize::try_from(word(bytes, 0)?).ok()?;
    let version = *bytes.get(4)?;
    let own = usize::from(u16::from_ne_bytes(bytes.get(6..8)?.try_into().ok()?));
    let mask = u64::from_ne_bytes(bytes.get(8..16)?.try_into().ok()?);
    if version != 3 || length < own || own < 24 {
        return None;
    }
    let (mut infos, rest) = (bytes.get(own..length)?, bytes.get(length..)?);
    let (mut old, mut new, mut at) = (None, None, None);
    while !infos.is_empty() {
        let kind = *infos.first()?;
        let long = usize::from(u16::from_ne_bytes(infos.get(2..4)?.try_into().ok()?));
        if long < 4 {
            return None;
        }
        let info = infos.get(..long)?;
        match kind {
            INFO_DFID_NAME => at = Some(place(info)?),
            INFO_OLD_DFID_NAME => old = Some(place(info)?),
            INFO_NEW_DFID_NAME => new = Some(place(info)?),
            _ => {}
        }
        infos = infos.get(long..)?;
    }
    let event = if mask & MASK_OVERFLOW != 0 {
        Some(Event::Missed)
    } else if mask & MASK_RENAME != 0 {
        old.zip(new).map(|(old, new)| Event::Renamed(old, new))
    } else if mask & MASK_DELETE != 0 {
        // Events about one name may be merged. Which came last is not told; it is a hint to look.
        at.map(Event::Removed)
    } else if mask & MASK_CREATE != 0 {
        at.map(Event::Made)
    } else {
        None
    };
    Some((event, rest))
}

fn place(info: &[u8]) -> Option<Place> {
    // struct fanotify_event_info_fid: header (4), fsid (8), then struct file_handle, then the name.
    let fsid = info.get(4..12)?.try_into().ok()?;
    let length = usize::try_from(word(info, 12)?).ok()?;
    let kind = word(info, 16)?.cast_signed();
    let bytes = info.get(20..20 + length)?;
    let name = CStr::from_bytes_until_nul(info.get(20 + length..)?).ok()?.to_bytes();
    Some(Place { folder: Folder { fsid, kind, bytes: bytes.into() }, name: name.into() })
}

#[cfg(target_os = "linux")]
mod system {
    use rustix::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
    use rustix::io::Errno;
    use std::ffi::CStr;

    pub(super) fn listen() -> Result<OwnedFd, Errno> {
        let flags = libc::FAN_CLASS_NOTIF
            | libc::FAN_CLOEXEC
            | libc::FAN_NONBLOCK
            | libc::FAN_UNLIMITED_QUEUE
            | libc::FAN_REPORT_DFID_NAME_TARGET;
        // SAFETY: it takes two numbers and gives a new descriptor.
        let answer = unsafe { libc::fanotify_init(flags, 0) };
        if answer < 0 {
            return Err(last());
        }
        // SAFETY: the kernel has just given this descriptor to us, and to nobody else.
        Ok(unsafe { OwnedFd::from_raw_fd(answer) })
    }

    pub(super) fn mark(listener: BorrowedFd<'_>, path: &CStr) -> Result<(), Errno> {
        let flags = libc::FAN_MARK_ADD
            | libc::FAN_MARK_FILESYSTEM
            | libc::FAN_MARK_ONLYDIR
            | libc::FAN_MARK_DONT_FOLLOW;
        let mask = libc::FAN_RENAME | libc::FAN_CREATE | libc::FAN_DELETE | libc::FAN_ONDIR;
        // SAFETY: the path ends with a NUL and is only read; the descriptor is open as long as it is
        // borrowed.
        let answer = unsafe {
            libc::fanotify_mark(listener.as_raw_fd(), flags, mask, libc::AT_FDCWD, path.as_ptr())
        };
        if answer == 0 { Ok(()) } else { Err(last()) }
    }

    fn last() -> Errno {
        Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use rustix::fd::{BorrowedFd, OwnedFd};
    use rustix::io::Errno;
    use std::ffi::CStr;

    pub(super) fn listen() -> Result<OwnedFd, Errno> {
        Err(Errno::NOTSUP)
    }

    pub(super) fn mark(_: BorrowedFd<'_>, _: &CStr) -> Result<(), Errno> {
        Err(Errno::NOTSUP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(kind: u8, name: &[u8]) -> Vec<u8> {
        let mut bytes = vec![kind, 0, 0, 0];
        bytes.extend([7; 8]);
        bytes.extend(4_u32.to_ne_bytes());
        bytes.extend(1_i32.to_ne_bytes());
        bytes.extend([1, 2, 3, 4]);
        bytes.extend(name);
        bytes.push(0);
        while bytes.len() % 4 != 0 {
            bytes.push(0);
        }
        let length = u16::try_from(bytes.len()).expect("short").to_ne_bytes();
        bytes.splice(2..4, length);
        bytes
    }

    fn whole(mask: u64, infos: &[Vec<u8>]) -> Vec<u8> {
        let infos = infos.concat();
        let mut bytes = u32::try_from(24 + infos.len()).expect("short").to_ne_bytes().to_vec();
        bytes.extend([3, 0]);
        bytes.extend(24_u16.to_ne_bytes());
        bytes.extend(mask.to_ne_bytes());
        bytes.extend([0xff; 4]);
        bytes.extend([0; 4]);
        bytes.extend(infos);
        bytes
    }

    fn read(bytes: &[u8]) -> Vec<Event> {
        let mut all = Vec::new();
        parse(bytes, |event| all.push(event));
        all
    }

    fn at(name: &[u8]) -> Place {
        let bytes = [1, 2, 3, 4].into();
        Place { folder: Folder { fsid: [7; 8], kind: 1, bytes }, name: name.into() }
    }

    #[test]
    fn events_are_read_with_every_byte_of_their_names() {
        let renamed = whole(
            MASK_RENAME,
            &[info(INFO_OLD_DFID_NAME, b"a\n"), info(INFO_NEW_DFID_NAME, b"\xff")],
        );
        let removed = whole(MASK_DELETE, &[info(INFO_DFID_NAME, b"gone"), info(1, b"")]);
        let both = [renamed, removed, whole(MASK_OVERFLOW, &[])].concat();
        assert_eq!(
            read(&both),
            [Event::Renamed(at(b"a\n"), at(b"\xff")), Event::Removed(at(b"gone")), Event::Missed]
        );
    }

    #[test]
    fn what_is_cut_off_or_makes_no_sense_is_missed_and_never_a_panic() {
        let good = whole(MASK_DELETE, &[info(INFO_DFID_NAME, b"name")]);
        for end in 1..good.len() {
            let cut = good.get(..end).unwrap_or_default();
            assert_eq!(read(cut), [Event::Missed], "{end}");
        }
        for at in 0..good.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut bent = good.clone();
                if let Some(byte) = bent.get_mut(at) {
                    *byte = value;
                }
                drop(read(&bent));
            }
        }
    }
}
