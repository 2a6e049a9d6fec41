//! File systems on the recorded disks: made, mounted where they always are, unmounted.

use super::recorder::Recorder;
use crate::tree::Scratch;
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Of each disk. xfs wants 300 MiB; what is not written takes no memory.
const SIZE: u64 = 320 << 20;

/// A disk with a file system on it.
#[derive(Debug)]
struct Volume {
    kind: String,
    device: String,
    place: PathBuf,
    mounted: bool,
    /// While this is open, the loop device stays; then it goes by itself.
    held: File,
}

/// The disks of a run.
#[derive(Debug)]
pub(super) struct Volumes {
    /// Dropped before what follows: the file systems go before their disks.
    volumes: Vec<Volume>,
    pub(super) recorder: Recorder,
    scratch: Scratch,
}

impl Volumes {
    /// New ones with these file systems, mounted at `0`, `1`, … in a folder of their own.
    pub(super) fn new(kinds: &[String]) -> Self {
        let scratch = Scratch::new();
        let disks = scratch.join("disks");
        std::fs::create_dir(&disks).expect("a folder");
        let recorder = Recorder::start(&disks, kinds.len(), SIZE);
        let mut volumes = Self { volumes: Vec::new(), recorder, scratch };
        for (number, kind) in kinds.iter().enumerate() {
            let (device, held) = attached(&disks.join(number.to_string()));
            let place = volumes.scratch.join(number.to_string());
            std::fs::create_dir(&place).expect("a folder");
            let options: &[&str] = match kind.as_str() {
                "ext4" => {
                    &["-F", "-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard"]
                }
                _ => &["-f", "-K"],
            };
            done(Command::new(format!("mkfs.{kind}")).arg("-q").args(options).arg(&device));
            let kind = kind.clone();
            volumes.volumes.push(Volume { kind, device, place, mounted: false, held });
        }
        volumes.mount().expect("what was just made can be mounted");
        volumes
    }

    /// Where a disk is mounted.
    pub(super) fn place(&self, disk: usize) -> &Path {
        &self.volumes.get(disk).expect("so many disks").place
    }

    /// Where all disks are mounted.
    pub(super) fn places(&self) -> Vec<PathBuf> {
        self.volumes.iter().map(|volume| volume.place.clone()).collect()
    }

    /// Gives every disk another device number, as may happen when a computer is started again. They
    /// must be unmounted.
    pub(super) fn renumber(&mut self) {
        let disks = self.scratch.join("disks");
        let devices = (0..self.volumes.len()).rev();
        // The last disk first, so that the second time they get each other's.
        let devices: Vec<_> = devices.map(|disk| attached(&disks.join(disk.to_string()))).collect();
        for (volume, (device, held)) in self.volumes.iter_mut().zip(devices.into_iter().rev()) {
            (volume.device, volume.held) = (device, held);
        }
    }

    /// Mounts all; the file systems then read their journals.
    ///
    /// # Errors
    /// What `mount` says.
    pub(super) fn mount(&mut self) -> Result<(), String> {
        for volume in &mut self.volumes {
            // What the system remembers of a device that somebody holds open, of another state.
            done(Command::new("blockdev").args(["--flushbufs", &volume.device]));
            let mut command = Command::new("mount");
            command.args(["-t", &volume.kind, &volume.device]).arg(&volume.place);
            let output = command.output().expect("mount can be started");
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr).into_owned();
                return Err(format!("{} {}", volume.kind, said.trim()));
            }
            volume.mounted = true;
        }
        Ok(())
    }

    /// Unmounts all.
    pub(super) fn unmount(&mut self) {
        for volume in &mut self.volumes {
            if std::mem::take(&mut volume.mounted) {
                done(Command::new("umount").arg(&volume.place));
            }
        }
    }
}

/// A loop device on a file, which goes when what comes with it is closed.
fn attached(file: &Path) -> (String, File) {
    let device = done(Command::new("losetup").args(["--find", "--show"]).arg(file));
    let device = device.trim().to_owned();
    let held = rustix::fs::open(&device, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let held = File::from(held.expect("a loop device"));
    // Of a device that is open it only says: when it is closed.
    done(Command::new("losetup").args(["--detach", &device]));
    (device, held)
}

/// Has the volume at `place` written out.
pub(super) fn sync(place: &Path) {
    let folder = File::open(place).expect("a volume");
    rustix::fs::syncfs(folder).expect("a disk that works");
}

impl Drop for Volumes {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.unmount();
        } else {
            // The rest goes with the namespace.
            for volume in &self.volumes {
                drop(Command::new("umount").arg("-l").arg(&volume.place).output());
            }
        }
        self.volumes.clear();
        drop(Command::new("umount").arg("-l").arg(self.scratch.join("disks")).output());
    }
}

/// Runs a program that must succeed; what it printed.
pub(super) fn done(command: &mut Command) -> String {
    let output = command.output().expect("the program can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
