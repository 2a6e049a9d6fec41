//! File systems of a test's own: images on loop devices, memory, and those that a program serves.
//!
//! They are mounted in a mount namespace that only one thread, and what it starts, can see
//! ([`alone`]). With the last of these the kernel takes the mounts away, and with the mounts the loop
//! devices: nothing stays, even when a test panics or is killed.

use crate::need::Need;
use crate::tree::Scratch;
use rustix::mount::{
    MountFlags, MountPropagationFlags, UnmountFlags, mount, mount_change, unmount,
};
use rustix::thread::UnshareFlags;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// Runs `act` in a thread that has a mount namespace of its own, and hands on its panic. What that
/// thread mounts is seen by it, by the threads and the processes it starts, and by nobody else.
///
/// `/proc/self/mountinfo` shows the namespace of the whole process; `/proc/thread-self` shows this one.
pub fn alone<T: Send>(act: impl FnOnce() -> T + Send) -> T {
    std::thread::scope(|scope| {
        let inside = || {
            #[expect(
                deprecated,
                reason = "what may not be unshared by a thread is its table of files, and this is not it"
            )]
            rustix::thread::unshare(UnshareFlags::NEWNS).expect("root may have mounts of its own");
            let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
            mount_change("/", private).expect("mounts that nobody else sees");
            act()
        };
        match scope.spawn(inside).join() {
            Ok(answer) => answer,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// A kind of file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// ext4 with blocks of 4 KiB and inodes of 256 bytes, whatever the size.
    Ext4,
    /// ext4 that counts rooms by project. Not every kernel mounts it (`CONFIG_QUOTA`).
    Ext4Project,
    /// XFS, which can share extents.
    Xfs,
    /// Btrfs, which can share extents.
    Btrfs,
    /// Memory.
    Tmpfs,
    /// NTFS, served by ntfs-3g.
    Ntfs,
    /// exFAT, served by exfat-fuse.
    Exfat,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Ext4,
        Self::Ext4Project,
        Self::Xfs,
        Self::Btrfs,
        Self::Tmpfs,
        Self::Ntfs,
        Self::Exfat,
    ];

    /// Its name, as in a table.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ext4 => "ext4",
            Self::Ext4Project => "ext4+project",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
            Self::Tmpfs => "tmpfs",
            Self::Ntfs => "ntfs-3g",
            Self::Exfat => "exfat-fuse",
        }
    }

    /// The kind of this name.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// What a test with such a volume needs.
    pub fn needs(self) -> Vec<Need> {
        let program = |name| vec![Need::LoopDevices, Need::Program(name)];
        match self {
            Self::Ext4 | Self::Ext4Project => program("mkfs.ext4"),
            Self::Xfs => program("mkfs.xfs"),
            Self::Btrfs => program("mkfs.btrfs"),
            Self::Tmpfs => vec![Need::Root],
            Self::Ntfs => [program("mkntfs"), vec![Need::Program("ntfs-3g"), Need::Fuse]].concat(),
            Self::Exfat => {
                [program("mkfs.exfat"), vec![Need::Program("mount.exfat-fuse"), Need::Fuse]]
                    .concat()
            }
        }
    }

    /// The smallest size that its tools accept, in bytes.
    pub fn least(self) -> u64 {
        match self {
            Self::Xfs => 320 << 20,
            Self::Btrfs => 160 << 20,
            _ => 48 << 20,
        }
    }

    fn format(self) -> &'static [&'static str] {
        match self {
            Self::Ext4 => &["mkfs.ext4", "-q", "-F", "-b", "4096", "-I", "256"],
            Self::Ext4Project => {
                &["mkfs.ext4", "-q", "-F", "-b", "4096", "-I", "256", "-O", "project,quota"]
            }
            Self::Xfs => &["mkfs.xfs", "-q", "-f", "-m", "reflink=1"],
            Self::Btrfs => &["mkfs.btrfs", "-q", "-f"],
            Self::Tmpfs => &[],
            Self::Ntfs => &["mkntfs", "-q", "-F", "-f"],
            Self::Exfat => &["mkfs.exfat"],
        }
    }
}

/// A volume, mounted for as long as this lives. Make it within [`alone`].
#[derive(Debug)]
pub struct Volume {
    kind: Kind,
    size: u64,
    /// Holds the image, and the folder it is mounted at.
    scratch: Scratch,
    mounted: bool,
}

impl Volume {
    /// Makes and mounts a file system of so many bytes (more where the kind needs more), its image in
    /// the folder for temporary files. `None`, and a line on standard error, where the kernel does not
    /// mount it.
    pub fn new(kind: Kind, size: u64) -> Option<Self> {
        Self::within(Scratch::new(), kind, size)
    }

    /// The same, the image in memory.
    pub fn in_memory(kind: Kind, size: u64) -> Option<Self> {
        Self::within(Scratch::in_memory(), kind, size)
    }

    fn within(scratch: Scratch, kind: Kind, size: u64) -> Option<Self> {
        std::fs::create_dir(scratch.join("top")).expect("a folder");
        let size = size.max(kind.least());
        let mut volume = Self { kind, size, scratch, mounted: false };
        if let Some((program, options)) = kind.format().split_first() {
            let image = std::fs::File::create(volume.image()).expect("an image");
            image.set_len(size).expect("a length");
            let image = volume.image();
            run(program, options.iter().map(OsStr::new).chain([image.as_os_str()]))
                .expect("a file system can be made");
        }
        match volume.attach() {
            Ok(()) => Some(volume),
            Err(why) => {
                #[expect(clippy::print_stderr, reason = "what a test leaves out is said")]
                {
                    eprintln!("not tried: {} cannot be mounted here: {why}", kind.word());
                }
                None
            }
        }
    }

    /// Where it is mounted.
    pub fn path(&self) -> PathBuf {
        self.scratch.join("top")
    }

    /// The path of something in it.
    pub fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.path().join(name)
    }

    /// The file that holds it; there is none for memory.
    pub fn image(&self) -> PathBuf {
        self.scratch.join("image")
    }

    /// What kind it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Takes it away while it may be in use, as a drive is unplugged: its paths show the empty folder
    /// below, and who holds a file of it can go on for now.
    pub fn vanish(&mut self) {
        if std::mem::take(&mut self.mounted) {
            unmount(self.path(), UnmountFlags::DETACH).expect("it can be detached");
        }
    }

    /// Unmounts it as a person does who wants to unplug it.
    ///
    /// # Errors
    /// The system's; EBUSY while something on it is held.
    pub fn take_away(&mut self) -> Result<(), rustix::io::Errno> {
        unmount(self.path(), UnmountFlags::empty())?;
        self.mounted = false;
        Ok(())
    }

    /// Mounts it again after [`Volume::vanish`] or [`Volume::take_away`].
    pub fn come_back(&mut self) {
        if !self.mounted {
            self.attach().expect("it was mounted before");
        }
    }

    /// Unmounts it and mounts it again: what is read then comes from the medium, not out of a cache.
    /// Memory has no other place, and stays.
    pub fn reread(&mut self) {
        if self.kind == Kind::Tmpfs {
            return;
        }
        // A program that was just ended may hold it for a moment.
        let mut tries = 0..3000;
        while let Err(error) = unmount(self.path(), UnmountFlags::empty()) {
            assert!(tries.next().is_some(), "{}: {error}", self.path().display());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.mounted = false;
        // What the program that served it has written is in the image once it has closed its device.
        let image = self.image();
        let words = [OsStr::new("-j"), image.as_os_str()];
        while !run("losetup", words).expect("loop devices can be listed").is_empty() {
            assert!(tries.next().is_some(), "{} is still attached", image.display());
            std::thread::sleep(Duration::from_millis(20));
        }
        self.attach().expect("it was mounted before");
    }

    fn attach(&mut self) -> Result<(), String> {
        let (at, image) = (self.path(), self.image());
        fn os<'w>(words: &[&'w str]) -> Vec<&'w OsStr> {
            words.iter().map(|word| OsStr::new(*word)).collect()
        }
        match self.kind {
            Kind::Tmpfs => {
                let data = std::ffi::CString::new(format!("size={}", self.size)).expect("no NUL");
                let none = MountFlags::empty();
                mount("linkwell-test", &at, "tmpfs", none, data.as_c_str())
                    .map_err(|error| error.to_string())?;
            }
            Kind::Ntfs | Kind::Exfat => {
                // A block device: exfat-fuse takes nothing else, and only then does the kernel wait, when
                // it is unmounted, until the program has written all.
                let mut words = os(&["-f", "--show"]);
                words.push(image.as_os_str());
                let device = run("losetup", words)?;
                let device = OsStr::new(device.trim());
                let mounted = if self.kind == Kind::Ntfs {
                    let mut words = os(&["-o", "permissions,acl,streams_interface=xattr"]);
                    words.extend([device, at.as_os_str()]);
                    run("ntfs-3g", words)
                } else {
                    run("mount.exfat-fuse", [device, at.as_os_str()])
                };
                // In use, it is only told to go with its last user.
                run("losetup", [OsStr::new("-d"), device])?;
                mounted?;
            }
            kind => {
                let name = if kind == Kind::Ext4Project { "ext4" } else { kind.word() };
                let options = match kind {
                    Kind::Xfs => "loop,nouuid",
                    Kind::Ext4Project => "loop,prjquota",
                    _ => "loop",
                };
                let mut words = [OsStr::new("-t"), OsStr::new(name)].to_vec();
                words.extend([OsStr::new("-o"), OsStr::new(options)]);
                words.extend([image.as_os_str(), at.as_os_str()]);
                run("mount", words)?;
            }
        }
        self.mounted = true;
        Ok(())
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        if self.mounted {
            unmount(self.path(), UnmountFlags::DETACH).unwrap_or_default();
        }
    }
}

/// Runs a program; what it printed, or what it complained about.
fn run<'a>(program: &str, words: impl IntoIterator<Item = &'a OsStr>) -> Result<String, String> {
    let ran = Command::new(program).args(words).output();
    let ran = ran.map_err(|error| format!("{program}: {error}"))?;
    if ran.status.success() {
        return Ok(String::from_utf8_lossy(&ran.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    Err(format!("{program}: {}", said.lines().next().unwrap_or("it failed")))
}
