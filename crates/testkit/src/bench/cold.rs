//! A disk of its own whose caches can be emptied: an ext4 image on a loop device.
//!
//! The image has no name any more as soon as the loop device is attached, the device detaches
//! itself when its last user is gone, and the mount lies in a mount namespace of this process.
//! So nothing of it outlives the process, even if that is killed; the `Drop` of [`Disk`] only
//! tidies up sooner, and removes the empty folders. The image is read with direct I/O, so that
//! the filesystem which holds it does not cache it.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, thread};

use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

use super::Outcome;
use super::measure::find_program;

/// The argument that tells the second start of this program that it has its own namespace.
pub(crate) const INSIDE: &str = "--inside-namespace";

/// Starts this program again, with the same arguments, in a mount namespace of its own.
pub(crate) fn restart_inside() -> Outcome<ExitCode> {
    let status = Command::new(tool("unshare")?)
        .args(["--mount", "--propagation", "private", "--"])
        .arg(env::current_exe()?)
        .args(env::args_os().skip(1))
        .arg(INSIDE)
        .status()?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(2)))
}

/// The disk; mounted between two calls of [`Disk::chill`].
#[derive(Debug)]
pub(crate) struct Disk {
    device: PathBuf,
    /// Keeps the loop device, which detaches itself as soon as nobody has it open.
    handle: Option<File>,
    mount_point: tempfile::TempDir,
    empty_folder: tempfile::TempDir,
    mounted: bool,
}

impl Disk {
    /// Makes and mounts a disk with room for so many entries.
    pub(crate) fn new(entries: usize) -> Outcome<Self> {
        let image = tempfile::Builder::new().prefix("scan-bench-image-").tempfile()?;
        let room = u64::try_from(entries)?.saturating_mul(4096);
        image.as_file().set_len(room.max(1 << 28) + (1 << 28))?;
        let inodes = (entries + entries / 8 + 10_000).to_string();
        let options = "lazy_itable_init=0,lazy_journal_init=0,nodiscard";
        let name = image.path().as_os_str();
        run("mkfs.ext4", &["-q", "-F", "-E", options, "-N", &inodes].map(OsStr::new), name)?;
        let attach = ["-f", "--show", "--direct-io=on"].map(OsStr::new);
        let device = PathBuf::from(run("losetup", &attach, name)?.trim());
        let disk = Self {
            handle: Some(File::open(&device)?),
            device,
            mount_point: tempfile::Builder::new().prefix("scan-bench-mount-").tempdir()?,
            empty_folder: tempfile::Builder::new().prefix("scan-bench-empty-").tempdir()?,
            mounted: false,
        };
        // The device is in use by `handle`, so this only says: detach when no longer in use.
        disk.detach()?;
        let mut disk = disk;
        disk.mount()?;
        Ok(disk)
    }

    /// The root of the disk.
    pub(crate) fn root(&self) -> &Path {
        self.mount_point.path()
    }

    /// A folder that is empty and not on the disk: a program that has run on it is in memory
    /// itself, so that its own start is not part of what is measured.
    pub(crate) fn empty_folder(&self) -> &Path {
        self.empty_folder.path()
    }

    /// Unmounts, empties all caches of the system, and mounts again.
    pub(crate) fn chill(&mut self) -> Outcome<()> {
        self.unmount()?;
        run("blockdev", &[OsStr::new("--flushbufs")], self.device.as_os_str())?;
        rustix::fs::sync();
        fs::write("/proc/sys/vm/drop_caches", "3")?;
        self.mount()
    }

    /// How many megabytes have been read from the device since it was attached.
    pub(crate) fn megabytes_read(&self) -> Outcome<f64> {
        let name = self.device.file_name().unwrap_or_default();
        let text = fs::read_to_string(Path::new("/sys/block").join(name).join("stat"))?;
        let sectors = text.split_whitespace().nth(2).unwrap_or("0");
        Ok(sectors.parse::<f64>()? * 512.0 / 1e6)
    }

    fn mount(&mut self) -> Outcome<()> {
        let flags = MountFlags::NOATIME | MountFlags::NODEV | MountFlags::NOSUID;
        mount(&self.device, self.root(), c"ext4", flags, None)?;
        self.mounted = true;
        Ok(())
    }

    fn unmount(&mut self) -> Outcome<()> {
        if self.mounted {
            unmount(self.root(), UnmountFlags::empty())?;
            self.mounted = false;
        }
        Ok(())
    }

    fn detach(&self) -> Outcome<()> {
        run("losetup", &[OsStr::new("-d")], self.device.as_os_str())?;
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Err(error) = self.unmount() {
            eprintln!("scan-bench: {error}; unmounted lazily");
            unmount(self.root(), UnmountFlags::DETACH).ok();
        }
        drop(self.handle.take());
        // The kernel detaches the device a moment after its last user has closed it.
        let name = self.device.file_name().unwrap_or_default();
        let backing = Path::new("/sys/block").join(name).join("loop/backing_file");
        for _ in 0..100 {
            if backing.symlink_metadata().is_err() {
                return;
            }
            thread::sleep(std::time::Duration::from_millis(20));
        }
        eprintln!("scan-bench: {} is still attached", self.device.display());
    }
}

fn tool(name: &str) -> Outcome<PathBuf> {
    let other = ["/usr/sbin", "/sbin"].map(|folder| Path::new(folder).join(name));
    find_program(name)
        .or_else(|| other.into_iter().find(|path| path.is_file()))
        .ok_or_else(|| format!("{name} is needed and not installed").into())
}

/// Runs a tool and returns its output.
fn run(name: &str, options: &[&OsStr], last: &OsStr) -> Outcome<String> {
    let arguments: Vec<OsString> = options.iter().chain([&last]).map(Into::into).collect();
    let finished = Command::new(tool(name)?).args(&arguments).output()?;
    if finished.status.success() {
        return Ok(String::from_utf8_lossy(&finished.stdout).into_owned());
    }
    let errors = String::from_utf8_lossy(&finished.stderr);
    Err(format!("{name} {arguments:?}: {}", errors.trim()).into())
}
