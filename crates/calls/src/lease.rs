//! Leases (fcntl(2), "Leases"): the one witness that sees every writer of a file on this machine,
//! whoever it belongs to, and also a shared writable mapping whose descriptor was closed.

use rustix::fd::AsFd;
use rustix::io::Errno;

/// What an open file is leased for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// For nothing; also when somebody waits for the lease to be given up, since that is what it
    /// is to become.
    None,
    /// Nobody has the file open for writing.
    Read,
    /// Nobody else has the file open.
    Write,
}

/// Takes a read lease on a regular file that was opened for reading only: nobody has it open for
/// writing, and whoever wants to waits until the lease is released (at most
/// `/proc/sys/fs/lease-break-time`, 45 seconds by default; then it is broken by force).
///
/// The kernel tells the holder by SIGIO when somebody waits, which ends a process that does nothing
/// about it. So the first lease lets this process, and those that it starts, ignore SIGIO, unless
/// somebody handles it already: one call for all leases, where another signal (F_SETSIG) would have
/// to be asked for with each. [`held`] says whether somebody waits.
///
/// The lease ends at the latest when the last copy of the descriptor is closed.
///
/// # Errors
/// EAGAIN when the file is open for writing, or is mapped shared and writable. EACCES when it
/// belongs to somebody else and the process lacks CAP_LEASE. EINVAL when it is no regular file, or
/// its file system has no leases. EBADF for a descriptor that only holds a place (O_PATH).
/// ENOTSUP on other systems than Linux.
pub fn take_read(fd: impl AsFd) -> Result<(), Errno> {
    system::take(fd.as_fd(), Lease::Read)
}

/// The same for a write lease: nobody else has the file open at all.
///
/// # Errors
/// As for [`take_read`]; EAGAIN also when it is open for reading elsewhere.
pub fn take_write(fd: impl AsFd) -> Result<(), Errno> {
    system::take(fd.as_fd(), Lease::Write)
}

/// Gives a lease up. Whoever waits for it goes on.
///
/// # Errors
/// EAGAIN when there is none (any more).
pub fn release(fd: impl AsFd) -> Result<(), Errno> {
    system::set(fd.as_fd(), Lease::None)
}

/// What the open file is leased for now.
///
/// # Errors
/// The system's.
pub fn held(fd: impl AsFd) -> Result<Lease, Errno> {
    system::held(fd.as_fd())
}

#[cfg(target_os = "linux")]
mod system {
    use super::Lease;
    use rustix::fd::{AsRawFd as _, BorrowedFd};
    use rustix::io::Errno;
    use std::ffi::c_int;
    use std::sync::Once;

    /// The commands of fcntl(2) that take a number, or nothing.
    #[derive(Clone, Copy)]
    enum Command {
        SetLease(c_int),
        GetLease,
    }

    pub(super) fn take(fd: BorrowedFd<'_>, lease: Lease) -> Result<(), Errno> {
        // Before the lease: from then on somebody may want it.
        static ONCE: Once = Once::new();
        ONCE.call_once(ignore_sigio);
        set(fd, lease)
    }

    /// Lets the process ignore SIGIO where nothing was decided about it.
    fn ignore_sigio() {
        // SAFETY: an action of zeroes is the default one, with no flags and an empty mask
        // (sigaction(2)); it is only written to.
        let mut before: libc::sigaction = unsafe { std::mem::zeroed() };
        // SAFETY: no action is given, so none is set; the old one is written to memory of ours.
        let asked = unsafe { libc::sigaction(libc::SIGIO, std::ptr::null(), &raw mut before) };
        if asked == 0 && before.sa_sigaction == libc::SIG_DFL {
            // SAFETY: SIG_IGN is no function: nothing of ours runs when the signal comes.
            unsafe { libc::signal(libc::SIGIO, libc::SIG_IGN) };
        }
    }

    pub(super) fn set(fd: BorrowedFd<'_>, lease: Lease) -> Result<(), Errno> {
        let kind = match lease {
            Lease::None => libc::F_UNLCK,
            Lease::Read => libc::F_RDLCK,
            Lease::Write => libc::F_WRLCK,
        };
        control(fd, Command::SetLease(kind)).map(|_| ())
    }

    pub(super) fn held(fd: BorrowedFd<'_>) -> Result<Lease, Errno> {
        match control(fd, Command::GetLease)? {
            libc::F_RDLCK => Ok(Lease::Read),
            libc::F_WRLCK => Ok(Lease::Write),
            _ => Ok(Lease::None),
        }
    }

    fn control(fd: BorrowedFd<'_>, command: Command) -> Result<c_int, Errno> {
        let (command, argument) = match command {
            Command::SetLease(kind) => (libc::F_SETLEASE, kind),
            Command::GetLease => (libc::F_GETLEASE, 0),
        };
        // SAFETY: the descriptor is open as long as it is borrowed, and each of these commands
        // takes a number or nothing (fcntl(2)), so that no memory is read or written by the call.
        let answer = unsafe { libc::fcntl(fd.as_raw_fd(), command, argument) };
        if answer >= 0 {
            return Ok(answer);
        }
        Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::Lease;
    use rustix::fd::BorrowedFd;
    use rustix::io::Errno;

    pub(super) fn take(_: BorrowedFd<'_>, _: Lease) -> Result<(), Errno> {
        Err(Errno::NOTSUP)
    }

    pub(super) fn set(_: BorrowedFd<'_>, _: Lease) -> Result<(), Errno> {
        Err(Errno::NOTSUP)
    }

    pub(super) fn held(_: BorrowedFd<'_>) -> Result<Lease, Errno> {
        Err(Errno::NOTSUP)
    }
}
