//! Files that do not tell all of themselves: a length that is not theirs, times that are too coarse to show
//! that they were written to.

use crate::transfer::{Ground, Volume, WHOLE, Wish};
use libtest_mimic::Trial;
use linkwell_engine::disk::Unix;
use linkwell_engine::transfer::Trouble;
use linkwell_model::plan::Verify;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::tree::make;
use rustix::fs::CWD;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
use std::fs;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
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
        let brought = ground.bring_named("waiting", &Unix, &wish, &mut record);
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
