//! A file system that shows each disk as a file, in the kernel's own protocol (`linux/fuse.h`, 7.31).
//!
//! Spoken here and not by a crate: it takes a dozen calls, and no crate that speaks it comes alone.
//! The files are opened for direct access, so that the kernel keeps nothing of them: what is read is
//! always what the disks hold now.

use super::disks::Disks;
use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::MountFlags;
use std::ffi::CString;
use std::os::fd::AsRawFd as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// The most that is read or written at once.
const MOST: usize = 1 << 20;
const HEADER: usize = 40;
/// The number of the folder; the first file's is one more.
const ROOT: u64 = 1;
const FIRST: u64 = 2;
/// `FUSE_BIG_WRITES`, `FUSE_MAX_PAGES`.
const WANTED: u32 = 1 << 5 | 1 << 22;
/// `FOPEN_DIRECT_IO`.
const DIRECT: u32 = 1;
/// For ever: nothing but the contents changes.
const VALID: u64 = 1 << 30;

/// Mounts the files `0`, `1`, … at `folder`; nothing answers before [`serve`].
pub(super) fn mount(folder: &Path) -> Result<OwnedFd, Errno> {
    let device = rustix::fs::open("/dev/fuse", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())?;
    let number = device.as_raw_fd();
    let options = format!("fd={number},rootmode=40000,user_id=0,group_id=0");
    let options = CString::new(options).expect("digits and letters");
    let flags = MountFlags::NODEV | MountFlags::NOSUID;
    rustix::mount::mount("linkwell-test", folder, "fuse", flags, options.as_c_str())?;
    Ok(device)
}

/// Answers the kernel until the file system is unmounted.
pub(super) fn serve(device: &OwnedFd, disks: &Mutex<Disks>) -> Result<(), Errno> {
    let mut buffer = vec![0; MOST + 4096];
    loop {
        let count = match rustix::io::read(device, &mut buffer) {
            Ok(count) => count,
            Err(Errno::NODEV) => return Ok(()),
            // Interrupted before it was read, or it has been given up.
            Err(Errno::INTR | Errno::AGAIN | Errno::NOENT) => continue,
            Err(errno) => return Err(errno),
        };
        let request = buffer.get(..count).unwrap_or_default();
        let mut disks = disks.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(answer) = answer(request, &mut disks) else { continue };
        drop(disks);
        let (error, body) = match answer {
            Ok(body) => (0, body),
            Err(errno) => (-errno.raw_os_error(), Vec::new()),
        };
        let length = u32::try_from(16 + body.len()).expect("at most what was asked for");
        let mut bytes = Vec::with_capacity(16 + body.len());
        bytes.extend(length.to_ne_bytes());
        bytes.extend(error.to_ne_bytes());
        bytes.extend(long(request, 8).to_ne_bytes());
        bytes.extend(body);
        match rustix::io::write(device, &bytes) {
            // Given up meanwhile.
            Ok(_) | Err(Errno::NOENT) => {}
            Err(errno) => return Err(errno),
        }
    }
}

/// The answer to a request; `None` where the kernel wants none.
fn answer(request: &[u8], disks: &mut Disks) -> Option<Result<Vec<u8>, Errno>> {
    let node = long(request, 16);
    let disk = node.checked_sub(FIRST).and_then(|disk| usize::try_from(disk).ok());
    let disk = disk.filter(|disk| *disk < disks.count());
    let body = request.get(HEADER..).unwrap_or_default();
    Some(match (short(request, 4), disk) {
        (LOOKUP, _) => look_up(body, disks),
        (FORGET | INTERRUPT | BATCH_FORGET, _) => return None,
        (GETATTR | SETATTR, _) => {
            let mut bytes = VALID.to_ne_bytes().to_vec();
            bytes.extend([0; 8]);
            bytes.extend(attributes(node, disks.size));
            Ok(bytes)
        }
        (OPEN | OPENDIR, _) => {
            let mut bytes = vec![0; 8];
            bytes.extend(DIRECT.to_ne_bytes());
            bytes.extend([0; 4]);
            Ok(bytes)
        }
        (READ, Some(disk)) => {
            let count = usize::try_from(short(body, 16)).unwrap_or(MOST).min(MOST);
            Ok(disks.read(disk, long(body, 8), count))
        }
        (WRITE, Some(disk)) => {
            let bytes = body.get(40..).unwrap_or_default();
            disks.write(disk, long(body, 8), bytes);
            let count = u32::try_from(bytes.len()).expect("at most a megabyte");
            Ok([count.to_ne_bytes(), [0; 4]].concat())
        }
        (FSYNC, Some(disk)) => {
            disks.flush(disk);
            Ok(Vec::new())
        }
        (INIT, _) => Ok(init()),
        (FLUSH | RELEASE | RELEASEDIR | ACCESS | DESTROY, _) => Ok(Vec::new()),
        // Among them is the punching of holes: zeros are then written.
        _ => Err(Errno::NOSYS),
    })
}

const LOOKUP: u32 = 1;
const FORGET: u32 = 2;
const GETATTR: u32 = 3;
const SETATTR: u32 = 4;
const OPEN: u32 = 14;
const READ: u32 = 15;
const WRITE: u32 = 16;
const RELEASE: u32 = 18;
const FSYNC: u32 = 20;
const FLUSH: u32 = 25;
const INIT: u32 = 26;
const OPENDIR: u32 = 27;
const RELEASEDIR: u32 = 29;
const ACCESS: u32 = 34;
const INTERRUPT: u32 = 36;
const DESTROY: u32 = 38;
const BATCH_FORGET: u32 = 42;

fn look_up(body: &[u8], disks: &Disks) -> Result<Vec<u8>, Errno> {
    let name = body.split(|byte| *byte == 0).next().unwrap_or_default();
    let disk: Option<usize> = std::str::from_utf8(name).ok().and_then(|name| name.parse().ok());
    let disk = disk.filter(|disk| *disk < disks.count()).ok_or(Errno::NOENT)?;
    let node = FIRST + disk as u64;
    let mut bytes = node.to_ne_bytes().to_vec();
    bytes.extend([0; 8]);
    bytes.extend(VALID.to_ne_bytes());
    bytes.extend(VALID.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend(attributes(node, disks.size));
    Ok(bytes)
}

/// `struct fuse_attr`.
fn attributes(node: u64, size: u64) -> Vec<u8> {
    let folder = node == ROOT;
    let (mode, size): (u32, u64) = if folder { (0o40_700, 0) } else { (0o100_600, size) };
    let mut bytes = Vec::with_capacity(88);
    bytes.extend(node.to_ne_bytes());
    bytes.extend(size.to_ne_bytes());
    bytes.extend((size / 512).to_ne_bytes());
    // The three times, and their nanoseconds.
    bytes.extend([0; 36]);
    bytes.extend(mode.to_ne_bytes());
    bytes.extend(1_u32.to_ne_bytes());
    // Owner, group, number of a device.
    bytes.extend([0; 12]);
    bytes.extend(4096_u32.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes
}

/// `struct fuse_init_out`.
fn init() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64);
    bytes.extend(7_u32.to_ne_bytes());
    bytes.extend(31_u32.to_ne_bytes());
    // Nothing is read ahead.
    bytes.extend(0_u32.to_ne_bytes());
    bytes.extend(WANTED.to_ne_bytes());
    bytes.extend(16_u16.to_ne_bytes());
    bytes.extend(12_u16.to_ne_bytes());
    bytes.extend((1_u32 << 20).to_ne_bytes());
    // Times to the nanosecond.
    bytes.extend(1_u32.to_ne_bytes());
    // Pages at once.
    bytes.extend(256_u16.to_ne_bytes());
    bytes.resize(64, 0);
    bytes
}

fn long(bytes: &[u8], at: usize) -> u64 {
    let found = bytes.get(at..at + 8).and_then(|found| found.try_into().ok());
    found.map_or(0, u64::from_ne_bytes)
}

fn short(bytes: &[u8], at: usize) -> u32 {
    let found = bytes.get(at..at + 4).and_then(|found| found.try_into().ok());
    found.map_or(0, u32::from_ne_bytes)
}
