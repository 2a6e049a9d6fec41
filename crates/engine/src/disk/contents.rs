//! How contents get from one open file to another.

#![expect(clippy::disallowed_methods, reason = "this is the door")]

use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::ops::Range;

/// How much is copied at once where the system cannot copy by itself. More falls out of the nearer
/// caches, and takes twice the time (measured at 1 MiB).
const PIECE: usize = 128 * 1024;

/// Writes all of `bytes` from `at` on.
pub(super) fn write_at(file: BorrowedFd<'_>, bytes: &[u8], at: u64) -> Result<(), Errno> {
    let (mut rest, mut at) = (bytes, at);
    while !rest.is_empty() {
        match rustix::io::pwrite(file, rest, at) {
            // Nothing written and no reason given: not to be tried for ever.
            Ok(0) => return Err(Errno::IO),
            Ok(count) => {
                rest = rest.get(count..).unwrap_or_default();
                at += u64::try_from(count).unwrap_or(0);
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Copies a stretch, by the system alone where it can.
pub(super) fn copy(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    stretch: Range<u64>,
) -> Result<u64, Errno> {
    let at = by_system(from, to, stretch.clone())?;
    if at >= stretch.end {
        return Ok(at);
    }
    by_hand(from, to, at..stretch.end)
}

/// sendfile(2), which also copies between file systems, unlike copy_file_range(2). It writes at the
/// other file's position.
#[cfg(target_os = "linux")]
fn by_system(from: BorrowedFd<'_>, to: BorrowedFd<'_>, stretch: Range<u64>) -> Result<u64, Errno> {
    let mut at = stretch.start;
    if at > 0 {
        rustix::fs::seek(to, rustix::fs::SeekFrom::Start(at))?;
    }
    while at < stretch.end {
        let most = usize::try_from((stretch.end - at).min(1 << 30)).unwrap_or(1 << 30);
        match rustix::fs::sendfile(to, from, Some(&mut at), most) {
            // The end, or a file system of the kernel's own: reading says which.
            Ok(0) => break,
            Ok(_) | Err(Errno::INTR) => {}
            // What cannot be done in this way, and not what went wrong.
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(at)
}

#[cfg(not(target_os = "linux"))]
fn by_system(_: BorrowedFd<'_>, _: BorrowedFd<'_>, stretch: Range<u64>) -> Result<u64, Errno> {
    Ok(stretch.start)
}

fn by_hand(from: BorrowedFd<'_>, to: BorrowedFd<'_>, stretch: Range<u64>) -> Result<u64, Errno> {
    let mut at = stretch.start;
    let mut piece = vec![0; PIECE];
    while at < stretch.end {
        let most = usize::try_from(stretch.end - at).unwrap_or(PIECE).min(PIECE);
        let room = piece.get_mut(..most).unwrap_or_default();
        match rustix::io::pread(from, room, at) {
            Ok(0) => break,
            Ok(count) => {
                write_at(to, piece.get(..count).unwrap_or_default(), at)?;
                at += u64::try_from(count).unwrap_or(0);
            }
            Err(Errno::INTR) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(at)
}
