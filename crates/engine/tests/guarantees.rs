//! What holds on which file system, measured: is the name ever missing, is the change there after the
//! power is cut right after success, and is everything as before or as after when it is cut at any call
//! on the way.
//!
//! The power is cut by copying the image of a mounted file system: the copy holds what was written to the
//! device until then, and nothing of what the system still kept in memory. It is mounted in the place of
//! the first, which recovers the file system's own log, and then linkwell recovers.

use crate::support::Child;
use libtest_mimic::Trial;
use linkwell_calls::attributes::Attributes;
use linkwell_engine::disk::{Disk, Special, Unix};
use linkwell_engine::execute::recover::{Wish, recover};
use linkwell_engine::execute::{Means, Report, State, execute};
use linkwell_engine::journal::Store;
use linkwell_engine::journal::record::{Header, VERSION};
use linkwell_engine::state::Trouble;
use linkwell_engine::survey::Surveyor;
use linkwell_engine::survey::create::{Control, Kind, Pair, Wanted, Whither};
use linkwell_engine::system::System;
use linkwell_engine::transfer::Unwatched;
use linkwell_model::entry::Time;
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Plan, Token};
use linkwell_model::target::Target;
use linkwell_testkit::listing::listing;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::tree::{Scratch, make};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::io::Errno;
use rustix::mount::{UnmountFlags, unmount};
use std::fs;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(crate) const PIECES: &[crate::support::Piece] = &[("guarantees::one", one)];

/// Names the file system and the operation of a child.
const CASE: &str = "LINKWELL_GUARANTEES_CASE";

/// The operations: what is done first, and what is measured. A row more is a line more.
const OPERATIONS: [&str; 8] = [
    "create",
    "create -f",
    "create --hard",
    "create --backup",
    "create --shortcut",
    "undo of create",
    "undo of create -f",
    "undo of create --backup",
];

pub(crate) fn trials() -> Vec<Trial> {
    let trial = |kind: &'static str, needs: &[Need]| {
        let needs = [&[Need::Root, Need::Program("unshare")], needs].concat();
        test_with(&format!("guarantees: {kind}"), &needs, move || {
            for operation in OPERATIONS {
                let said =
                    Child::under(&["unshare", "-m", "--propagation", "private"], "guarantees::one")
                        .env(CASE, format!("{kind}:{operation}"))
                        .run();
                assert!(said.lines().any(|line| line.starts_with('|')), "no row of the table");
            }
        })
    };
    let image = |program| [Need::LoopDevices, Need::Program(program)];
    vec![
        trial("ext4", &image("mkfs.ext4")),
        trial("xfs", &image("mkfs.xfs")),
        trial("btrfs", &image("mkfs.btrfs")),
        trial("vfat", &image("mkfs.vfat")),
        trial("tmpfs", &[]),
        trial("overlay", &[]),
        trial("overlay, lower layer", &[]),
        trial("fuse", &[Need::Fuse, Need::Program("bindfs")]),
    ]
}

/// Runs a program that must succeed; gives whether it did.
fn does(program: &str, arguments: &[&str]) -> bool {
    let output = Command::new(program).args(arguments).output().expect("the program");
    if !output.status.success() {
        println!("{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
    output.status.success()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("plain letters")
}

/// A file system to try, mounted at `top`.
struct Ground {
    scratch: Scratch,
    kind: String,
}

impl Ground {
    fn top(&self) -> PathBuf {
        self.scratch.join("top")
    }

    fn image(&self) -> PathBuf {
        self.scratch.join("image")
    }

    fn has_image(&self) -> bool {
        matches!(self.kind.as_str(), "ext4" | "xfs" | "btrfs")
    }

    fn state(&self) -> AbsPath {
        AbsPath::cleaned(self.top().join("state/linkwell").as_os_str().as_bytes())
            .expect("absolute")
    }

    /// Mounts it; `None` where this system does not know it.
    fn new(kind: &str) -> Option<Self> {
        let ground = Self { scratch: Scratch::with(&["top/"]), kind: kind.to_owned() };
        let (top, image) = (ground.top(), ground.image());
        let made = match kind {
            "ext4" | "xfs" | "btrfs" | "vfat" => {
                let size = if kind == "ext4" || kind == "vfat" { 64 << 20 } else { 320 << 20 };
                let file = fs::File::create(&image).expect("an image");
                file.set_len(size).expect("a length");
                let quiet: &[&str] = if kind == "vfat" { &[] } else { &["-q"] };
                assert!(does(&format!("mkfs.{kind}"), &[quiet, &[text(&image)]].concat()));
                ground.mount()
            }
            "tmpfs" => does("mount", &["-t", "tmpfs", "none", text(&top)]),
            "overlay" | "overlay, lower layer" => {
                let base = ground.scratch.join("base");
                make(&ground.scratch.path(), &["base/"]);
                assert!(does("mount", &["-t", "tmpfs", "none", text(&base)]));
                make(&base, &["low/", "up/", "work/"]);
                if kind != "overlay" {
                    fill(&base.join("low"));
                }
                let data =
                    format!("lowerdir={0}/low,upperdir={0}/up,workdir={0}/work", text(&base));
                does("mount", &["-t", "overlay", "none", "-o", &data, text(&top)])
            }
            "fuse" => {
                make(&ground.scratch.path(), &["base/"]);
                does("bindfs", &[text(&ground.scratch.join("base")), text(&top)])
            }
            _ => unreachable!("{kind}"),
        };
        if made && kind != "overlay, lower layer" {
            fill(&top);
        }
        made.then_some(ground)
    }

    fn mount(&self) -> bool {
        let data = if self.kind == "xfs" { "loop,nouuid" } else { "loop" };
        does("mount", &["-t", &self.kind, "-o", data, text(&self.image()), text(&self.top())])
    }

    fn surveyor(&self) -> Surveyor {
        let place = AbsPath::cleaned(self.top().join("tree").as_os_str().as_bytes());
        let volumes = crate::support::volumes(System::new(), Duration::from_secs(5));
        Surveyor::new(System::new(), volumes, &place.expect("absolute"), None).expect("a place")
    }

    /// Plans one of the operations.
    fn plan(&self, operation: &str) -> (Plan, Option<u64>) {
        std::env::set_current_dir(self.top().join("tree")).expect("a folder");
        let mut surveyor = self.surveyor();
        if operation.starts_with("undo") {
            let store = Store::open(System::new(), &self.state()).expect("a store");
            let done = store.read(1).expect("its record");
            return (linkwell_engine::survey::undo::plan(&mut surveyor, &done, &[]), Some(1));
        }
        let wanted = Wanted {
            kind: match operation {
                "create --hard" => Kind::Hard,
                "create --shortcut" => Kind::Shortcut,
                _ => Kind::Symlink,
            },
            style: None,
            force: operation == "create -f",
            backup: (operation == "create --backup").then(|| (Control::Simple, b"~".to_vec())),
            allow_broken: false,
            allow_cycle: false,
            exact: false,
        };
        let name = match operation {
            "create -f" => "l",
            "create --backup" => "g",
            "create --shortcut" => "new.desktop",
            _ => "new",
        };
        let pair = Pair::new(b"f".to_vec(), Whither::At(name.into()));
        (linkwell_engine::survey::create::plan(&mut surveyor, &wanted, &[pair]), None)
    }

    /// Does one of the operations through `disk`; words where it cannot be planned.
    fn run(&self, operation: &str, disk: &dyn Disk) -> Result<Report, String> {
        let (plan, undoes) = self.plan(operation);
        if let Some(conflict) = plan.conflicts.first() {
            return Err(conflict.why.to_string());
        }
        let system = System::new();
        let store = Store::open_or_make(disk, system, &self.state()).expect("a store");
        let lock = store.lock(disk).expect("the lock");
        let stop = AtomicBool::new(false);
        let means = Means { disk, system, current: None, stop: &stop, watch: &Unwatched };
        let header = |operation| Header {
            linkwell: VERSION,
            operation,
            time: Time(0, 0),
            command: Vec::new(),
            folder: None,
            user: rustix::process::geteuid().as_raw(),
            token: Token::new(u128::from(operation)),
            undoes,
        };
        let report =
            execute(&means, &store, &lock, header, &plan).map_err(|error| error.to_string())?;
        match (&report.state, report.failed.first()) {
            (State::Ended, None) => Ok(report),
            (State::Ended, Some((_, linkwell_engine::execute::Fail::System { doing, .. }))) => {
                Err(format!("could not {doing}"))
            }
            (State::Ended, Some((_, why))) => Err(format!("{why:?}")),
            (state, _) => Err(format!("{state:?}")),
        }
    }

    fn tree(&self) -> String {
        listing(&self.top().join("tree"))
    }

    /// Recovers whatever is unfinished, twice; the second time there must be nothing.
    fn recover(&self) {
        let system = System::new();
        let store = match Store::open(system, &self.state()) {
            Ok(store) => store,
            Err(Trouble::Missing) => return,
            Err(trouble) => unreachable!("{trouble:?}"),
        };
        let lock = store.lock(&Unix).expect("the lock");
        let stop = AtomicBool::new(false);
        let means = Means { disk: &Unix, system, current: None, stop: &stop, watch: &Unwatched };
        for number in store.unfinished().expect("a listing").into_iter().rev() {
            let operation = store.read(number).expect("a record that can be read");
            recover(&means, &store, &lock, &operation, Wish::Back).expect("it can be recovered");
        }
        assert_eq!(store.unfinished().expect("a listing"), Vec::<u64>::new());
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        std::env::set_current_dir("/").unwrap_or_default();
        unmount(self.top(), UnmountFlags::DETACH).unwrap_or_default();
        unmount(self.scratch.join("base"), UnmountFlags::DETACH).unwrap_or_default();
    }
}

/// What every file system holds at first, as far as it can.
fn fill(top: &Path) {
    make(top, &["tree/f", "tree/g", "tree/deep/x", "state/"]);
    if std::os::unix::fs::symlink("g", top.join("tree/l")).is_err() {
        println!("no symbolic links");
    }
    for folder in ["state", "tree"] {
        linkwell_testkit::crafted::allow(&top.join(folder), 0o755);
    }
}

/// The disk, and a look at it after every call.
pub(crate) struct Watched<'w> {
    pub(crate) after: Mutex<&'w mut (dyn FnMut(&'static str) + Send)>,
}

impl Watched<'_> {
    fn then<T>(&self, name: &'static str, answer: T) -> T {
        (self.after.lock().expect("one at a time"))(name);
        answer
    }
}

macro_rules! watched {
    ($($call:ident($($name:ident: $kind:ty),*) -> $out:ty;)*) => {
        impl Disk for Watched<'_> {
            $(fn $call(&self, $($name: $kind),*) -> Result<$out, Errno> {
                self.then(stringify!($call), Unix.$call($($name),*))
            })*
        }
    };
}

type Fd<'f> = BorrowedFd<'f>;

watched! {
    make_folder(at: Fd<'_>, name: &Name) -> ();
    make_common_folder(at: Fd<'_>, name: &Name) -> ();
    make_link(at: Fd<'_>, name: &Name, target: &Target) -> ();
    make_name(file: Fd<'_>, from: Fd<'_>, of: &Name, at: Fd<'_>, name: &Name) -> ();
    make_file(at: Fd<'_>, name: &Name) -> OwnedFd;
    make_file_as(at: Fd<'_>, name: &Name, mode: u32) -> OwnedFd;
    make_special(at: Fd<'_>, name: &Name, special: Special, mode: u32) -> ();
    write(file: Fd<'_>, bytes: &[u8]) -> ();
    write_at(file: Fd<'_>, bytes: &[u8], at: u64) -> ();
    copy(from: Fd<'_>, to: Fd<'_>, stretch: Range<u64>) -> u64;
    share(from: Fd<'_>, to: Fd<'_>) -> ();
    share_stretch(from: (Fd<'_>, u64), to: Fd<'_>, stretch: Range<u64>) -> ();
    allocate(file: Fd<'_>, stretch: Range<u64>) -> ();
    cut(file: Fd<'_>, length: u64) -> ();
    exchange(at: Fd<'_>, name: &Name, other: Fd<'_>, with: &Name) -> ();
    rename_new(at: Fd<'_>, name: &Name, to: Fd<'_>, new: &Name) -> ();
    rename_over(at: Fd<'_>, name: &Name, to: Fd<'_>, new: &Name) -> ();
    drop_name(at: Fd<'_>, name: &Name) -> ();
    drop_folder(at: Fd<'_>, name: &Name) -> ();
    own(held: Fd<'_>, owner: u32, group: u32) -> ();
    permit(held: Fd<'_>, mode: u32) -> ();
    times(held: Fd<'_>, accessed: Time, modified: Time) -> ();
    mark(held: Fd<'_>, name: &[u8], value: &[u8]) -> ();
    flag(held: Fd<'_>, attributes: &Attributes) -> ();
    sync(held: Fd<'_>) -> ();
    sync_volume(held: Fd<'_>) -> ();
}

/// What a file system may refuse: FAT has no links, and most of FUSE cannot exchange two names.
fn may_refuse(kind: &str, why: &str) -> bool {
    kind == "vfat" || kind == "fuse" && why.contains("exchange two names")
}

/// Measures one operation on one file system, and prints a row of the table.
fn one() {
    let case = std::env::var(CASE).expect("a case");
    let (kind, operation) = case.split_once(':').expect("a case");
    let Some(ground) = Ground::new(kind) else {
        println!("| {kind} | {operation} | not tried: this system does not know it | | | |");
        return;
    };
    if let Some(first) = operation.strip_prefix("undo of ")
        && let Err(why) = ground.run(first, &Unix)
    {
        assert!(may_refuse(kind, &why), "refused: {why}");
        println!("| {kind} | {operation} | not tried: {why} | | | |");
        return;
    }
    rustix::fs::sync();
    let before = ground.tree();
    let tree = fs::File::open(ground.top().join("tree")).expect("a folder");
    let born = System::new().facts(rustix::fd::AsFd::as_fd(&tree), b"f");
    drop(tree);
    let born = if born.expect("a file").id.born.is_some() { "yes" } else { "no" };
    let (images, mut calls) = (Scratch::new(), Vec::new());
    let copies = |number: usize| images.join(format!("{number}"));
    let copy = |number: usize| {
        let (from, to) = (ground.image(), copies(number));
        assert!(does("cp", &["--sparse=always", text(&from), text(&to)]), "a copy");
    };
    let mut after_call = |name: &'static str| {
        if ground.has_image() {
            copy(calls.len());
        }
        calls.push(name);
    };
    let watched = Watched { after: Mutex::new(&mut after_call) };
    let (gaps, outcome) = gaps(&ground, operation, || ground.run(operation, &watched));
    if let Err(why) = outcome {
        println!("| {kind} | {operation} | refused: {why} | {born} | | |");
        assert_eq!(ground.tree(), before, "refused, and something was changed");
        assert!(may_refuse(kind, &why), "refused: {why}");
        return;
    }
    let after = ground.tree();
    assert_ne!(before, after, "nothing was done");
    let exchanged = calls.contains(&"exchange") && !calls.contains(&"rename_over");
    let atomic = match (operation, gaps) {
        ("create" | "create --hard" | "create --shortcut" | "undo of create", _) => {
            "one call".into()
        }
        (_, 0) if exchanged => "yes, exchanged".into(),
        (_, 0) => "yes, replaced by a rename".into(),
        (_, gaps) => format!("**no**, {gaps} reads found nothing"),
    };
    if !ground.has_image() {
        println!("| {kind} | {operation} | {atomic} | {born} | not tried | |");
        return;
    }
    // A power cut after success, and one after each call.
    copy(calls.len());
    std::env::set_current_dir("/").expect("a folder");
    unmount(ground.top(), UnmountFlags::empty()).expect("nothing holds it");
    let stride = if std::env::var_os("LINKWELL_TEST_LONG").is_some() { 1 } else { 3 };
    let (mut tried, mut back) = (0, 0);
    for cut in (0..=calls.len()).rev().step_by(stride) {
        fs::rename(copies(cut), ground.image()).expect("an image");
        assert!(ground.mount(), "a power cut left a file system that cannot be attached");
        let found = ground.tree();
        if cut == calls.len() {
            assert_eq!(found, after, "it was told to be done, and is not");
        }
        ground.recover();
        let now = ground.tree();
        let call = if cut < calls.len() { calls[cut] } else { "the end" };
        assert!(
            now == before || now == after,
            "cut after {cut} ({call}): {now}\nbefore it was {found}"
        );
        tried += 1;
        back += u32::from(now == before);
        unmount(ground.top(), UnmountFlags::empty()).expect("nothing holds it");
    }
    println!(
        "| {kind} | {operation} | {atomic} | {born} | yes | {tried} of {}, {back} as before, {} as after, 0 lost |",
        calls.len() + 1,
        tried - back
    );
}

/// Runs `act` while another thread reads the name that is replaced; gives how often it led nowhere.
fn gaps<T>(ground: &Ground, operation: &str, act: impl FnOnce() -> T) -> (u64, T) {
    let name = if operation.ends_with("--backup") { "tree/g" } else { "tree/l" };
    let path = ground.top().join(name);
    let was_there = fs::symlink_metadata(&path).is_ok();
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut gaps = 0;
            while !stop.load(Ordering::Relaxed) {
                gaps += u64::from(was_there && fs::symlink_metadata(&path).is_err());
            }
            gaps
        });
        let answer = act();
        stop.store(true, Ordering::Relaxed);
        (reader.join().expect("a reader"), answer)
    })
}
