//! Files that do not tell all of themselves: a length that is not theirs, times that are too coarse to show
//! that they were written to.

use crate::transfer::{Ground, Volume, WHOLE, Wish};
use libtest_mimic::Trial;
use linkwell_engine::disk::Unix;
use linkwell_engine::transfer::{Phase, Trouble, Unwatched, Watch};
use linkwell_model::plan::Verify;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::tree::make;
use rustix::fs::CWD;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use std::fs;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test_with(
            "transfer told: what says that it is empty, and is not, is no copy of nothing",
            &[Need::Root, Need::Fuse],
            empty,
        ),
        test_with(
            "transfer told: a write in the same second is seen where times are in seconds",
            &[Need::LoopDevices, Need::Program("mkfs.ext4")],
            in_seconds,
        ),
        test_with(
            "transfer told: a failed write is told, though another sync was told of it before",
            &[Need::LoopDevices, Need::Program("mkfs.ext4")],
            failed_write,
        ),
    ]
}

/// Mounted until it is dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn new(at: PathBuf, kind: &str, options: &str) -> Self {
        fs::create_dir_all(&at).expect("a folder");
        let options = std::ffi::CString::new(options).expect("plain options");
        mount(kind, &at, kind, MountFlags::empty(), Some(options.as_c_str())).expect("mounted");
        Self(at)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        unmount(&self.0, UnmountFlags::DETACH).unwrap_or_default();
    }
}

/// What the kernel tells of a FUSE mount are such files; nobody need answer for the mount.
fn empty() {
    let ground = Ground::new();
    let device = fs::File::options().read(true).write(true).open("/dev/fuse").expect("it is there");
    let options = format!("fd={},rootmode=40000,user_id=0,group_id=0", device.as_raw_fd());
    let _silent = Mounted::new(ground.scratch.join("silent"), "fuse", &options);
    let control = Mounted::new(ground.scratch.join("control"), "fusectl", "");
    let mine = rustix::fs::statx(
        CWD,
        ground.scratch.join("silent"),
        rustix::fs::AtFlags::STATX_DONT_SYNC,
        rustix::fs::StatxFlags::empty(),
    );
    let number = mine.expect("it is mounted").stx_dev_minor.to_string();
    let file = control.0.join(number).join("waiting");
    assert_eq!(fs::metadata(&file).expect("a file").len(), 0);
    assert!(!fs::read(&file).expect("it can be read").is_empty());
    // A plain folder that leads there: a tree is not entered where another volume is mounted.
    fs::remove_dir(ground.from()).expect("it is empty");
    symlink(file.parent().expect("a folder"), ground.from()).expect("a link");
    for verify in [Verify::Full, Verify::Sizes] {
        let wish = Wish { verify, ..WHOLE };
        let mut record = ground.record(false);
        let brought = ground.bring_named("waiting", &Unix, &wish, &mut record, &Unwatched);
        assert_eq!(brought, Err(Trouble::Changed(Vec::new())), "{verify:?}");
        drop(fs::remove_file(ground.copy()));
        fs::remove_file(ground.scratch.join("state/tree")).expect("the record");
    }
}

/// Small inodes have no room for parts of a second.
fn in_seconds() {
    let volume = Volume::made("ext4", &["-I", "128"]);
    let ground = Ground::new();
    make(&volume.top(), &["work/"]);
    fs::remove_dir(ground.from()).expect("it is empty");
    symlink(volume.top().join("work"), ground.from()).expect("a link");
    make(&ground.original(), &["f", "l -> one"]);
    for (verify, of) in [(Verify::Sizes, "f"), (Verify::Full, "f"), (Verify::Sizes, "l")] {
        // Early in a second: what is copied without waiting is copied in it.
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        let part = Duration::from_nanos(since.subsec_nanos().into());
        std::thread::sleep(Duration::from_millis(1010).saturating_sub(part));
        let path = ground.original().join(of);
        let again = |text: &str| match of {
            "f" => fs::write(&path, text).expect("a file"),
            _ => {
                fs::remove_file(&path).expect("it goes");
                symlink(text, &path).expect("a link");
            }
        };
        again("one");
        let manifest = ground.brought(&Wish { verify, ..WHOLE });
        again("two");
        let changes = ground.still(&manifest);
        assert!(changes.changed.paths.iter().any(|path| path == of.as_bytes()), "{changes:?}");
        again_from_nothing(&ground);
    }
    // What was written long enough ago is not waited for, nor is anything where times are finer.
    std::thread::sleep(Duration::from_millis(2100));
    let started = Instant::now();
    ground.brought(&WHOLE);
    let fine = Ground::with(&["a/f", "a/g", "l -> a"]);
    fine.brought(&WHOLE);
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}

fn again_from_nothing(ground: &Ground) {
    fs::remove_dir_all(ground.copy()).expect("the copy");
    fs::remove_file(ground.scratch.join("state/tree")).expect("the record");
}

/// Syncs a volume right before the copy is synced, as anybody may.
struct Sooner(fs::File, Mutex<Option<rustix::io::Result<()>>>);

impl Watch for Sooner {
    fn phase(&self, phase: Phase) {
        if phase == Phase::Syncing {
            *self.1.lock().expect("one thread") = Some(rustix::fs::syncfs(&self.0));
        }
    }
}

/// A disk whose room is not there: writes are taken, and fail when they are sent to it.
fn failed_write() {
    let ground = Ground::new();
    let memory = Mounted::new(ground.scratch.join("memory"), "tmpfs", "size=24m");
    let image = memory.0.join("image");
    fs::File::create(&image).and_then(|image| image.set_len(64 << 20)).expect("an image");
    let run = |program: &str, more: &[&str], at: &[&Path]| {
        let status = Command::new(program).args(more).args(at).status();
        assert!(status.expect("it can be started").success(), "{program}");
    };
    run("mkfs.ext4", &["-q", "-O", "^has_journal"], &[&image]);
    let top = ground.scratch.join("volume");
    fs::create_dir(&top).expect("a folder");
    run("mount", &["-o", "loop"], &[&image, &top]);
    let _volume = Mounted(top.clone());
    fs::create_dir(top.join("work")).expect("a folder");
    fs::remove_dir(ground.to()).expect("it is empty");
    symlink(top.join("work"), ground.to()).expect("a link");
    rustix::fs::syncfs(fs::File::open(&top).expect("a folder")).expect("there is room so far");
    fs::create_dir(ground.original()).expect("a folder");
    for number in 0..40 {
        fs::write(ground.original().join(number.to_string()), vec![7; 64 << 10]).expect("a file");
    }
    // All that is left of the room goes.
    let mut rest = fs::File::create(memory.0.join("rest")).expect("a file");
    while rest.write_all(&[1; 4096]).is_ok() {}
    let sooner = Sooner(fs::File::open(&top).expect("a folder"), Mutex::default());
    let wish = Wish { verify: Verify::Sizes, ..WHOLE };
    let mut record = ground.record(false).with_checkpoints(u64::MAX, u64::MAX);
    let brought = ground.bring_named("tree", &Unix, &wish, &mut record, &sooner);
    let told = sooner.1.into_inner().expect("one thread");
    assert!(told.is_some_and(|told| told.is_err()), "no write failed: {told:?} {brought:?}");
    assert!(matches!(brought, Err(Trouble::System { doing: "make it last", .. })), "{brought:?}");
}
