//! Handles: the kernel's own names of objects (name_to_handle_at(2)). They hold a generation, so that an
//! inode number that was given out again makes another handle, and outlive a restart on most disk file
//! systems.

use rustix::fd::{AsFd, OwnedFd};
use rustix::io::Errno;
use std::ffi::CStr;

/// A handle as the kernel gave it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Raw {
    /// Its type; without a meaning for anybody but the file system.
    pub kind: i32,
    /// Its bytes, at most [`MOST`] of them.
    pub bytes: Vec<u8>,
    /// The number of the mount through which it was asked for.
    pub mount: i32,
}

/// `MAX_HANDLE_SZ` (linux/exportfs.h): no handle is longer.
pub const MOST: usize = 128;

/// What a handle is to be good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// For being compared, and opened where the file system can.
    Comparing,
    /// The same, and it also knows the folder that the object stands in, so that a file can be found
    /// though nothing of it is in the kernel's caches (`AT_HANDLE_CONNECTABLE`, Linux 6.13).
    Connecting,
}

/// The handle of what is called `name` in the folder `at`, a link itself if it is one; of `at` itself
/// when the name is empty. No right to read the object is needed.
///
/// # Errors
/// ENOTSUP where the file system has no handles; EINVAL where connectable ones are not known; ENOENT,
/// EACCES and the like as for any look; ENOTSUP on other systems than Linux.
pub fn of(at: impl AsFd, name: &CStr, wanted: For) -> Result<Raw, Errno> {
    system::of(at.as_fd(), name, wanted)
}

/// Opens the object of a handle, on the mount that `mount` lies on.
///
/// `folder`: only a folder is opened, which a user can do without any privilege in namespaces of their own
/// below a folder of theirs (about Linux 6.11; seen on 6.18). Otherwise what is opened is only held
/// (O_PATH): nothing is read, no device or pipe is touched.
///
/// # Errors
/// ESTALE when there is no such object any more, or when it may not be reached from `mount`: which of the
/// two cannot be told without privilege. EPERM without the right; EBADF when `mount` was opened with
/// O_PATH; ENOTSUP on other systems than Linux.
pub fn open(mount: impl AsFd, handle: &Raw, folder: bool) -> Result<OwnedFd, Errno> {
    system::open(mount.as_fd(), handle, folder)
}

#[cfg(target_os = "linux")]
mod system {
    use super::{For, MOST, Raw};
    use rustix::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
    use rustix::io::{Errno, retry_on_intr};
    use std::ffi::{CStr, c_int, c_uint};

    /// `AT_HANDLE_CONNECTABLE` (linux/fcntl.h).
    const AT_HANDLE_CONNECTABLE: c_int = 0x002;

    /// `struct file_handle` with room for the longest (linux/fcntl.h).
    #[repr(C)]
    struct Room {
        length: c_uint,
        kind: c_int,
        bytes: [u8; MOST],
    }

    const _: () = assert!(size_of::<Room>() == 8 + MOST, "no padding: as the kernel has it");
    const _: () = assert!(align_of::<Room>() >= align_of::<libc::file_handle>());

    pub(super) fn of(at: BorrowedFd<'_>, name: &CStr, wanted: For) -> Result<Raw, Errno> {
        let length = c_uint::try_from(MOST).unwrap_or(c_uint::MAX);
        let mut room = Room { length, kind: 0, bytes: [0; MOST] };
        let mut mount: c_int = 0;
        let mut flags = if name.is_empty() { libc::AT_EMPTY_PATH } else { 0 };
        if wanted == For::Connecting {
            flags |= AT_HANDLE_CONNECTABLE;
        }
        let handle = (&raw mut room).cast::<libc::file_handle>();
        // SAFETY: the name ends with a NUL and the descriptor is open as long as it is borrowed. The kernel
        // writes a header, at most `length` bytes behind it, for which `room` has the place, and a number
        // to `mount`; both are ours alone.
        let answer = unsafe {
            libc::name_to_handle_at(at.as_raw_fd(), name.as_ptr(), handle, &raw mut mount, flags)
        };
        if answer != 0 {
            return Err(last());
        }
        let length = usize::try_from(room.length).unwrap_or(MOST).min(MOST);
        let bytes = room.bytes.get(..length).unwrap_or_default().to_vec();
        Ok(Raw { kind: room.kind, bytes, mount })
    }

    pub(super) fn open(
        mount: BorrowedFd<'_>,
        handle: &Raw,
        folder: bool,
    ) -> Result<OwnedFd, Errno> {
        let length = c_uint::try_from(handle.bytes.len()).map_err(|_| Errno::INVAL)?;
        let mut room = Room { length, kind: handle.kind, bytes: [0; MOST] };
        let place = room.bytes.get_mut(..handle.bytes.len()).ok_or(Errno::INVAL)?;
        place.copy_from_slice(&handle.bytes);
        let flags = if folder {
            libc::O_RDONLY | libc::O_DIRECTORY | libc::O_NONBLOCK | libc::O_CLOEXEC
        } else {
            libc::O_PATH | libc::O_NOFOLLOW | libc::O_CLOEXEC
        };
        retry_on_intr(|| {
            let handle = (&raw mut room).cast::<libc::file_handle>();
            // SAFETY: `room` is a handle of `length` bytes and stays alive during the call, which only
            // reads it; the descriptor is open as long as it is borrowed.
            let answer = unsafe { libc::open_by_handle_at(mount.as_raw_fd(), handle, flags) };
            if answer < 0 {
                return Err(last());
            }
            // SAFETY: the kernel has just given this descriptor to us, and to nobody else.
            Ok(unsafe { OwnedFd::from_raw_fd(answer) })
        })
    }

    fn last() -> Errno {
        Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::{For, Raw};
    use rustix::fd::{BorrowedFd, OwnedFd};
    use rustix::io::Errno;
    use std::ffi::CStr;

    pub(super) fn of(_: BorrowedFd<'_>, _: &CStr, _: For) -> Result<Raw, Errno> {
        Err(Errno::NOTSUP)
    }

    pub(super) fn open(_: BorrowedFd<'_>, _: &Raw, _: bool) -> Result<OwnedFd, Errno> {
        Err(Errno::NOTSUP)
    }
}
