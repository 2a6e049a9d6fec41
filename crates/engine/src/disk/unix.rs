//! The primitives as the system has them.

#![expect(clippy::disallowed_methods, reason = "this is the door")]

use super::{Disk, Special, contents};
use linkwell_calls::attributes::Attributes;
use linkwell_model::entry::Time;
use linkwell_model::name::Name;
use linkwell_model::target::Target;
use rustix::fd::{AsRawFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags, RenameFlags, Timespec, Timestamps};
use rustix::io::Errno;
use std::ops::Range;

/// The real file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unix;

impl Disk for Unix {
    fn make_folder(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        rustix::fs::mkdirat(at, name.as_bytes(), Mode::RWXU)
    }

    fn make_common_folder(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        // The kernel takes away what the umask says, or lets the folder above decide if that has rules of its own.
        rustix::fs::mkdirat(at, name.as_bytes(), Mode::RWXU | Mode::RWXG | Mode::RWXO)
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

    fn make_file_as(&self, at: BorrowedFd<'_>, name: &Name, mode: u32) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let mode = Mode::from_raw_mode(mode as rustix::fs::RawMode);
        rustix::fs::openat(at, name.as_bytes(), flags | OFlags::CLOEXEC, mode)
    }

    fn make_special(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        special: Special,
        mode: u32,
    ) -> Result<(), Errno> {
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::FileType;
            let mode = Mode::from_raw_mode(mode);
            let (kind, number) = match special {
                Special::Pipe => (FileType::Fifo, 0),
                Special::Socket => (FileType::Socket, 0),
                Special::Character(number) => (FileType::CharacterDevice, number),
                Special::Block(number) => (FileType::BlockDevice, number),
            };
            rustix::fs::mknodat(at, name.as_bytes(), kind, mode, number)
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = (at, name, special, mode);
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

    fn write_at(&self, file: BorrowedFd<'_>, bytes: &[u8], at: u64) -> Result<(), Errno> {
        contents::write_at(file, bytes, at)
    }

    fn copy(
        &self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        stretch: Range<u64>,
    ) -> Result<u64, Errno> {
        contents::copy(from, to, stretch)
    }

    fn share(&self, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<(), Errno> {
        #[cfg(target_os = "linux")]
        return rustix::fs::ioctl_ficlone(to, from);
        #[cfg(not(target_os = "linux"))]
        {
            let _ = (from, to);
            Err(Errno::NOTSUP)
        }
    }

    fn share_stretch(
        &self,
        from: (BorrowedFd<'_>, u64),
        to: BorrowedFd<'_>,
        stretch: Range<u64>,
    ) -> Result<(), Errno> {
        let length = stretch.end.saturating_sub(stretch.start);
        linkwell_calls::clone::range(to, stretch.start, from.0, from.1, length)
    }

    fn allocate(&self, file: BorrowedFd<'_>, stretch: Range<u64>) -> Result<(), Errno> {
        #[cfg(target_os = "linux")]
        {
            let length = stretch.end.saturating_sub(stretch.start);
            let flags = rustix::fs::FallocateFlags::KEEP_SIZE;
            rustix::io::retry_on_intr(|| rustix::fs::fallocate(file, flags, stretch.start, length))
        }
        #[cfg(not(target_os = "linux"))]
        {
            let _ = (file, stretch);
            Err(Errno::NOTSUP)
        }
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
        let mode = Mode::from_raw_mode(mode as rustix::fs::RawMode);
        match rustix::fs::fchmod(held, mode) {
            // What is only held: by the kernel's own name for it, as in `mark`.
            Err(Errno::BADF) => {
                rustix::fs::chmod(format!("/proc/self/fd/{}", held.as_raw_fd()), mode)
            }
            answer => answer,
        }
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
        // The only kind of path with slashes that is handed to a changing call: it is the kernel's own
        // name for what is held, and setxattrat(2) (Linux 6.13) cannot be called without unsafe code yet.
        let path = format!("/proc/self/fd/{}", held.as_raw_fd());
        rustix::fs::setxattr(path, name, value, rustix::fs::XattrFlags::empty())
    }

    fn flag(&self, held: BorrowedFd<'_>, attributes: &Attributes) -> Result<(), Errno> {
        linkwell_calls::attributes::set(held, attributes)
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
