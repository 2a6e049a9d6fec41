//! The primitives as the system has them.

#![expect(clippy::disallowed_methods, reason = "this is the door")]

use super::Disk;
use linkwell_model::entry::Time;
use linkwell_model::name::Name;
use linkwell_model::target::Target;
use rustix::fd::{AsRawFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, Timespec, Timestamps};
use rustix::io::Errno;

/// The real file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unix;

/// How much is copied at once where the system cannot copy by itself.
const PIECE: usize = 256 * 1024;

impl Disk for Unix {
    fn make_folder(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        rustix::fs::mkdirat(at, name.as_bytes(), Mode::RWXU)
    }

    fn make_link(&self, at: BorrowedFd<'_>, name: &Name, target: &Target) -> Result<(), Errno> {
        rustix::fs::symlinkat(target.as_bytes(), at, name.as_bytes())
    }

    fn make_name(
        &self,
        file: BorrowedFd<'_>,
        from: BorrowedFd<'_>,
        of: &Name,
        at: BorrowedFd<'_>,
        name: &Name,
    ) -> Result<(), Errno> {
        #[cfg(target_os = "linux")]
        match rustix::fs::linkat(file, c"", at, name.as_bytes(), AtFlags::EMPTY_PATH) {
            // ENOENT is how a lack of privilege is told (linkat(2)).
            Err(Errno::NOENT | Errno::INVAL | Errno::NOSYS) => {}
            answer => return answer,
        }
        let _ = file;
        rustix::fs::linkat(from, of.as_bytes(), at, name.as_bytes(), AtFlags::empty())
    }

    fn make_file(&self, at: BorrowedFd<'_>, name: &Name) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::openat(at, name.as_bytes(), flags | OFlags::CLOEXEC, mode)
    }

    fn make_pipe(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        #[cfg(target_os = "linux")]
        {
            let mode = Mode::RUSR | Mode::WUSR;
            rustix::fs::mknodat(at, name.as_bytes(), rustix::fs::FileType::Fifo, mode, 0)
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = (at, name);
            Err(Errno::NOTSUP)
        }
    }

    fn write(&self, file: BorrowedFd<'_>, bytes: &[u8]) -> Result<(), Errno> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match rustix::io::write(file, rest) {
                // Nothing written and no reason given: not to be tried for ever.
                Ok(0) => return Err(Errno::IO),
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn copy(&self, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<(), Errno> {
        #[cfg(target_os = "linux")]
        if rustix::fs::ioctl_ficlone(to, from).is_ok() {
            return Ok(());
        }
        let mut at = 0;
        while let Some((data, hole)) = stretch(from, at) {
            at = copy_stretch(from, to, data, hole)?;
            if at < hole {
                break;
            }
        }
        // A hole at the end.
        let length = u64::try_from(rustix::fs::fstat(from)?.st_size).unwrap_or(0);
        if length > at { rustix::fs::ftruncate(to, length) } else { Ok(()) }
    }

    fn cut(&self, file: BorrowedFd<'_>, length: u64) -> Result<(), Errno> {
        rustix::fs::ftruncate(file, length)?;
        // The position is where it was: what is written next would stand behind a hole.
        rustix::fs::seek(file, rustix::fs::SeekFrom::Start(length)).map(drop)
    }

    fn exchange(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        other: BorrowedFd<'_>,
        with: &Name,
    ) -> Result<(), Errno> {
        let flags = RenameFlags::EXCHANGE;
        rustix::fs::renameat_with(at, name.as_bytes(), other, with.as_bytes(), flags)
    }

    fn rename_new(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        to: BorrowedFd<'_>,
        new: &Name,
    ) -> Result<(), Errno> {
        let flags = RenameFlags::NOREPLACE;
        rustix::fs::renameat_with(at, name.as_bytes(), to, new.as_bytes(), flags)
    }

    fn rename_over(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        to: BorrowedFd<'_>,
        new: &Name,
    ) -> Result<(), Errno> {
        rustix::fs::renameat(at, name.as_bytes(), to, new.as_bytes())
    }

    fn drop_name(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        rustix::fs::unlinkat(at, name.as_bytes(), AtFlags::empty())
    }

    fn drop_folder(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        rustix::fs::unlinkat(at, name.as_bytes(), AtFlags::REMOVEDIR)
    }

    fn own(&self, held: BorrowedFd<'_>, owner: u32, group: u32) -> Result<(), Errno> {
        let owner = rustix::fs::Uid::from_raw(owner);
        let group = rustix::fs::Gid::from_raw(group);
        #[cfg(target_os = "linux")]
        return rustix::fs::chownat(held, c"", Some(owner), Some(group), AtFlags::EMPTY_PATH);
        #[cfg(not(target_os = "linux"))]
        rustix::fs::fchown(held, Some(owner), Some(group))
    }

    fn permit(&self, held: BorrowedFd<'_>, mode: u32) -> Result<(), Errno> {
        rustix::fs::fchmod(held, Mode::from_raw_mode(mode as rustix::fs::RawMode))
    }

    fn times(&self, held: BorrowedFd<'_>, accessed: Time, modified: Time) -> Result<(), Errno> {
        let spec = |time: Time| Timespec { tv_sec: time.0, tv_nsec: time.1.into() };
        let times = Timestamps { last_access: spec(accessed), last_modification: spec(modified) };
        #[cfg(target_os = "linux")]
        return rustix::fs::utimensat(held, c"", &times, AtFlags::EMPTY_PATH);
        #[cfg(not(target_os = "linux"))]
        rustix::fs::futimens(held, &times)
    }

    fn mark(&self, held: BorrowedFd<'_>, name: &[u8], value: &[u8]) -> Result<(), Errno> {
        // The only path with slashes that is handed to a changing call: it is the kernel's own name
        // for what is held, and setxattrat(2) (Linux 6.13) cannot be called without unsafe code yet.
        let path = format!("/proc/self/fd/{}", held.as_raw_fd());
        rustix::fs::setxattr(path, name, value, rustix::fs::XattrFlags::empty())
    }

    fn sync(&self, held: BorrowedFd<'_>) -> Result<(), Errno> {
        rustix::fs::fsync(held)
    }

    fn sync_volume(&self, held: BorrowedFd<'_>) -> Result<(), Errno> {
        #[cfg(target_os = "linux")]
        return rustix::fs::syncfs(held);
        #[cfg(not(target_os = "linux"))]
        rustix::fs::fsync(held)
    }
}

/// The next stretch of a file, from `at` on, that holds data; to the end of the file where the file
/// system does not tell. `None` when only a hole is left.
fn stretch(file: BorrowedFd<'_>, at: u64) -> Option<(u64, u64)> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{SeekFrom, seek};
        // A made-up file says that it is empty, and is read all the same.
        let empty = at == 0 && rustix::fs::fstat(file).is_ok_and(|status| status.st_size == 0);
        let data = match seek(file, SeekFrom::Data(at)) {
            Ok(data) => data,
            Err(Errno::NXIO) if !empty => return None,
            Err(_) => return Some((at, u64::MAX)),
        };
        let hole = seek(file, SeekFrom::Hole(data)).ok().filter(|hole| *hole > data);
        Some((data, hole.unwrap_or(u64::MAX)))
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = file;
        Some((at, u64::MAX))
    }
}

/// Copies what lies between two places of a file to the same places of another, and gives the place
/// that was reached: less than `end` when the file ended.
fn copy_stretch(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    start: u64,
    end: u64,
) -> Result<u64, Errno> {
    let mut at = start;
    #[cfg(target_os = "linux")]
    {
        let mut there = start;
        while at < end {
            let most = usize::try_from((end - at).min(1 << 30)).unwrap_or(1 << 30);
            match rustix::fs::copy_file_range(from, Some(&mut at), to, Some(&mut there), most) {
                // Some file systems of the kernel's own give 0 at once (copy_file_range(2)), some
                // cannot do it at all: reading says how it is.
                Ok(0) => break,
                Ok(_) | Err(Errno::INTR) => {}
                Err(_) => break,
            }
        }
    }
    let mut piece = vec![0; PIECE];
    while at < end {
        let most = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
        let room = piece.get_mut(..most).unwrap_or_default();
        match rustix::io::pread(from, room, at) {
            Ok(0) => break,
            Ok(count) => {
                let mut rest = piece.get(..count).unwrap_or_default();
                while !rest.is_empty() {
                    match rustix::io::pwrite(to, rest, at) {
                        Ok(0) => return Err(Errno::IO),
                        Ok(count) => {
                            rest = rest.get(count..).unwrap_or_default();
                            at += u64::try_from(count).unwrap_or(0);
                        }
                        Err(Errno::INTR) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(at)
}
