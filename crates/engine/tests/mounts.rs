//! Other volumes: not entered unasked, never woken, never waited for. Each test runs in a child
//! with mounts of its own, so that nothing is left behind and nobody else sees them.

use crate::support::{Child, Row, Scan, systems, until, volumes, wait};
use libtest_mimic::Trial;
use linkwell_engine::judge::Depth;
use linkwell_engine::scan::Trouble;
use linkwell_engine::system::System;
use linkwell_model::entry::LinkKind;
use linkwell_model::health::Health;
use linkwell_model::note::Note;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::tree::{Scratch, make};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, unmount};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::CString;
use std::io::Read as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

pub(crate) const PIECES: &[crate::support::Piece] = &[
    ("mounts::memory", memory),
    ("mounts::bind", bind),
    ("mounts::nosymfollow", nosymfollow),
    ("mounts::overlay", overlay),
    ("mounts::covered", covered),
    ("mounts::on_demand", on_demand),
    ("mounts::hung", hung),
    ("mounts::hangs_later", hangs_later),
    ("mounts::links_hang_later", links_hang_later),
];

pub(crate) fn trials() -> Vec<Trial> {
    let alone = |name, piece: &'static str, more: &[Need]| {
        let mut needs = vec![Need::Root, Need::Program("unshare")];
        needs.extend_from_slice(more);
        test_with(name, &needs, move || {
            Child::under(&["unshare", "--mount", "--propagation", "private"], piece).run();
        })
    };
    let fuse = [Need::Fuse, Need::Program("bindfs")];
    vec![
        alone("mounts: another volume is entered only if asked", "mounts::memory", &[]),
        alone("mounts: a bind of a folder into itself ends, and is listed", "mounts::bind", &[]),
        alone("mounts: links that a volume does not follow loop", "mounts::nosymfollow", &[]),
        alone("mounts: an overlay is one volume, each link once", "mounts::overlay", &[]),
        alone("mounts: a mount below another one is not seen", "mounts::covered", &[]),
        alone("mounts: an automount is never woken", "mounts::on_demand", &[]),
        alone("mounts: a hung volume makes links unknown, and is told", "mounts::hung", &fuse),
        alone("mounts: a volume that hangs later is left behind", "mounts::hangs_later", &fuse),
        alone(
            "mounts: links into a volume that hangs later do not hang the scan",
            "mounts::links_hang_later",
            &fuse,
        ),
    ]
}

/// A mount that goes when it is dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn new(kind: &str, at: PathBuf, flags: MountFlags, data: &str) -> Self {
        let data = CString::new(data).expect("no NUL");
        mount("linkwell-test", &at, kind, flags, data.as_c_str()).expect("a mount");
        Self(at)
    }

    fn memory(at: PathBuf) -> Self {
        Self::new("tmpfs", at, MountFlags::empty(), "size=1m")
    }

    fn bind(from: &Path, at: PathBuf) -> Self {
        mount_bind(from, &at).expect("a bind mount");
        Self(at)
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        unmount(&self.0, UnmountFlags::DETACH).unwrap_or_default();
    }
}

fn bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_bytes().to_vec()
}

fn memory() {
    let scratch = Scratch::with(&["in/", "out -> in/there", "in/hidden -> x"]);
    let top = scratch.path();
    let _mounted = Mounted::memory(scratch.join("in"));
    make(&top, &["in/there", "in/l -> there", "in/d/m -> ../gone"]);
    for system in systems() {
        for depth in [Depth::Health, Depth::Everything] {
            let report = Scan::new(system, depth).of(&top);
            assert_eq!(report.links(), [bytes(&top.join("out"))], "{system:?}");
            assert_eq!(report.other_volumes, [bytes(&top.join("in"))], "{system:?}");
            assert_eq!(report.row(top.join("out")).health, Health::Ok);
            if depth == Depth::Everything {
                assert!(report.row(top.join("out")).notes.has(Note::CrossesVolume), "{system:?}");
            }
            let report = Scan::new(system, depth).cross_volumes().of(&top);
            let wanted = ["in/d/m", "in/l", "out"].map(|name| bytes(&top.join(name)));
            assert_eq!(report.links(), wanted, "{system:?}");
            assert_eq!(report.other_volumes.len(), 0);
            // What was typed is entered, whatever volume it is.
            assert_eq!(Scan::new(system, depth).of(top.join("in")).links().len(), 2);
        }
    }
}

fn bind() {
    let scratch = Scratch::with(&["a/l -> f", "a/f", "a/deep/down/"]);
    let top = scratch.join("a");
    let _mounted = Mounted::bind(&top, top.join("deep/down"));
    let binds = |rows: &[Row]| {
        rows.iter().filter(|row| row.kind == LinkKind::Bind).cloned().collect::<Vec<Row>>()
    };
    for threads in [1, 2, 16] {
        let scan = Scan::new(System::new(), Depth::Everything).threads(threads);
        let report = scan.of(&top);
        assert_eq!(report.links(), [bytes(&top.join("l"))]);
        assert_eq!(report.other_volumes, [bytes(&top.join("deep/down"))]);
        let found = binds(&report.rows);
        assert_eq!(found.len(), 1, "{report:?}");
        assert_eq!(found[0].path, bytes(&top.join("deep/down")));
        assert_eq!(found[0].target.as_deref(), Some(&*bytes(&top)));
        assert!(found[0].notes.has(Note::Cycle) && found[0].health == Health::Ok);
        let report = scan.cross_volumes().of(&top);
        let wanted = ["deep/down/l", "l"].map(|name| bytes(&top.join(name)));
        assert_eq!(report.links(), wanted, "{threads} threads");
        assert_eq!(binds(&report.rows).len(), 1);
    }
    // Without the mount table the bind is one more folder, and ends as well.
    let report = Scan::new(System::plain(), Depth::Everything).of(&top);
    assert_eq!(report.links().len(), 2);
}

fn nosymfollow() {
    let scratch = Scratch::with(&["m/", "into -> m/l", "beside -> m/f"]);
    let top = scratch.path();
    let _mounted = Mounted::new("tmpfs", top.join("m"), MountFlags::NOSYMFOLLOW, "size=1m");
    make(&top, &["m/f", "m/l -> f", "m/gone -> x", "m/d/up -> .."]);
    let kernel = |name: &str| rustix::fs::stat(top.join(name)).err();
    assert_eq!(
        kernel("m/l"),
        Some(rustix::io::Errno::LOOP),
        "the mount follows links all the same"
    );
    for system in systems() {
        for depth in [Depth::Health, Depth::Destination, Depth::Everything] {
            let report = Scan::new(system, depth).cross_volumes().of(&top);
            for name in ["m/l", "m/gone", "m/d/up", "into"] {
                let health = report.row(top.join(name)).health;
                assert_eq!(health, Health::Loop, "{name} {system:?} {depth:?}");
            }
            assert_eq!(report.row(top.join("beside")).health, Health::Ok);
            assert_eq!(report.links().len(), 5);
        }
    }
}

fn overlay() {
    let scratch = Scratch::with(&["base/"]);
    let base = scratch.join("base");
    // Two layers on volumes of their own: an overlay shows their files by their devices.
    let _memory = Mounted::memory(base.clone());
    make(
        &base,
        &["low/both -> low", "low/l -> f", "low/f", "low/d/x -> ../f", "up/", "work/", "o/"],
    );
    let data = format!(
        "lowerdir={0}/low,upperdir={0}/up,workdir={0}/work",
        base.to_str().expect("plain letters")
    );
    let top = base.join("o");
    let _mounted = Mounted::new("overlay", top.clone(), MountFlags::empty(), &data);
    make(&top, &["new -> d/x", "d/y -> gone"]);
    std::fs::remove_file(top.join("both")).expect("the lower one is hidden");
    make(&top, &["both -> upper", "upper"]);
    for system in systems() {
        for depth in [Depth::Health, Depth::Destination, Depth::Everything] {
            for threads in [1, 2, 16] {
                let report = Scan::new(system, depth).threads(threads).of(&top);
                let wanted = ["both", "d/x", "d/y", "l", "new"].map(|name| bytes(&top.join(name)));
                assert_eq!(report.links(), wanted, "{system:?} {depth:?}");
                for name in ["both", "d/x", "l", "new"] {
                    let row = report.row(top.join(name));
                    assert_eq!(row.health, Health::Ok, "{name} {system:?} {depth:?}");
                    // The mount table is needed to tell.
                    let tells = system.mounts().iter().next().is_some();
                    if tells && depth == Depth::Everything {
                        assert!(!row.notes.has(Note::CrossesVolume), "{name}: one volume");
                    }
                }
                assert_eq!(report.row(top.join("d/y")).health, Health::Broken);
            }
        }
    }
}

fn covered() {
    let scratch = Scratch::with(&["m/sub/", "l -> m/sub/first"]);
    let top = scratch.path();
    let _first = Mounted::memory(top.join("m"));
    make(&top, &["m/sub/", "m/FIRST -> x"]);
    let _below = Mounted::memory(top.join("m/sub"));
    make(&top, &["m/sub/first", "m/sub/BELOW -> x"]);
    assert!(rustix::fs::stat(top.join("l")).is_ok(), "it is there before it is covered");
    let _over = Mounted::memory(top.join("m"));
    make(&top, &["m/sub/SEEN -> x"]);
    for system in systems() {
        let report = Scan::new(system, Depth::Everything).cross_volumes().of(&top);
        let wanted = ["l", "m/sub/SEEN"].map(|name| bytes(&top.join(name)));
        assert_eq!(report.links(), wanted, "{system:?}");
        assert_eq!(report.row(top.join("l")).health, Health::Broken);
        let report = Scan::new(system, Depth::Everything).of(&top);
        assert_eq!(report.other_volumes, [bytes(&top.join("m"))], "{system:?}");
        assert_eq!(report.links().len(), 1);
    }
}

/// A process in a group of its own: the kernel lets the group of an automount's keeper pass.
struct Keeper(std::process::Child);

impl Keeper {
    fn new() -> Self {
        Self(Command::new("sleep").arg("100").process_group(0).spawn().expect("sleep"))
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// An automount, and the requests that its keeper gets.
struct Automount {
    mounted: Mounted,
    asked: Receiver<usize>,
}

impl Automount {
    fn new(at: PathBuf, keeper: &Keeper, manner: &str) -> Self {
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        let (fd, pgrp) = (writer.as_raw_fd(), keeper.0.id());
        let data = format!("fd={fd},pgrp={pgrp},minproto=5,maxproto=5,{manner}");
        let mounted = Mounted::new("autofs", at, MountFlags::empty(), &data);
        drop(writer);
        let (tell, asked) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let mut packet = [0_u8; 512];
            while let Ok(length @ 1..) = reader.read(&mut packet) {
                if tell.send(length).is_err() {
                    break;
                }
            }
        });
        Self { mounted, asked }
    }

    fn requests(&self) -> usize {
        self.asked.try_iter().count()
    }
}

fn on_demand() {
    let scratch = Scratch::with(&[
        "direct/",
        "indirect/",
        "to_direct -> direct",
        "into_direct -> direct/x/y",
        "up_again -> direct/../f",
        "f",
        "into_indirect -> indirect/share/x",
        "ok -> f",
        "to_indirect -> indirect",
        "chained -> into_indirect",
    ]);
    let top = scratch.path();
    let keeper = Keeper::new();
    let direct = Automount::new(top.join("direct"), &keeper, "direct");
    let indirect = Automount::new(top.join("indirect"), &keeper, "indirect");
    let mut looks = 0;
    for depth in [Depth::Health, Depth::Destination, Depth::Everything] {
        for cross in [false, true] {
            let mut scan = Scan::new(System::new(), depth);
            scan.wanted.options.cross_volumes = cross;
            scan.wanted.hard = true;
            let report = scan.of(&top);
            assert_eq!(report.links().len(), 7);
            for name in ["into_direct", "into_indirect", "chained"] {
                let health = report.row(top.join(name)).health;
                assert_eq!(health, Health::Asleep, "{name} {depth:?}");
            }
            assert_eq!(report.row(top.join("ok")).health, Health::Ok);
            let troubles: Vec<_> = report.problems.iter().map(|one| one.trouble).collect();
            let wanted = if cross { vec![Trouble::OnDemand; 2] } else { Vec::new() };
            assert_eq!(troubles, wanted);
            assert_eq!(report.other_volumes.len(), if cross { 0 } else { 2 });
            for typed in ["direct", "direct/x", "indirect", "indirect/share"] {
                let report = scan.of(top.join(typed));
                let troubles: Vec<_> = report.problems.iter().map(|one| one.trouble).collect();
                assert_eq!(troubles, [Trouble::OnDemand], "{typed}");
            }
            let volumes = volumes(System::new(), Duration::from_millis(300));
            let current = linkwell_model::path::AbsPath::cleaned(&bytes(&top)).expect("absolute");
            for typed in ["direct", "direct/x", "to_direct", "into_indirect", "indirect/a/b"] {
                let system = System::new();
                linkwell_engine::explain::explain(
                    system,
                    &volumes,
                    &linkwell_engine::folder::Folder::of_place(&current),
                    typed.as_bytes(),
                );
            }
            looks += 1;
        }
    }
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!((direct.requests(), indirect.requests()), (0, 0), "an automount was woken");
    // The same witness sees what looks without care.
    for (automount, typed) in [(&direct, "direct/"), (&indirect, "indirect/share/")] {
        let mut child = Command::new("ls")
            .arg(top.join(typed))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("ls");
        let mut requests = 0;
        until("a request for the automount", || {
            requests += automount.requests();
            requests > 0
        });
        drop(child.kill());
        assert!(wait(&mut child, Duration::from_secs(5)).is_some(), "ls does not end");
    }
    println!("mounts: {looks} rounds of looks, no request; 2 seen of ls");
    drop((direct.mounted, indirect.mounted));
}

/// A folder served by a program, which can be stopped.
pub(crate) struct Served {
    program: std::process::Child,
    at: PathBuf,
}

impl Served {
    pub(crate) fn new(from: &Path, at: PathBuf) -> Self {
        let program = Command::new("bindfs")
            .args(["-f", "-o", "entry_timeout=0,attr_timeout=0,negative_timeout=0"])
            .arg(from)
            .arg(&at)
            .stdout(Stdio::null())
            .spawn()
            .expect("bindfs");
        let served = Self { program, at };
        until("the folder is served", || {
            let mounts = System::new().mounts();
            let place = bytes(&served.at);
            mounts.iter().any(|mount| mount.point.as_bytes() == place)
        });
        served
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.program);
        kill_process(pid, signal).expect("our own child");
    }

    /// Whether a look at a folder in it ends within `limit`. It is made by a child.
    fn answers(&self, limit: Duration) -> bool {
        let mut child = Command::new("/proc/self/exe")
            .arg("answers")
            .arg(self.at.join("d"))
            .spawn()
            .expect("this binary");
        wait(&mut child, limit).is_some()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.signal(Signal::CONT);
        unmount(&self.at, UnmountFlags::DETACH).unwrap_or_default();
        // Without its mount it ends by itself.
        let _ = wait(&mut self.program, Duration::from_secs(3));
    }
}

fn remote_tree() -> Scratch {
    Scratch::with(&[
        "real/there",
        "real/d/l -> x",
        "real/d/e/m -> x",
        "top/away/",
        "top/f",
        "top/ok -> f",
        "top/gone -> nothing",
        "top/into -> away/there",
        "top/onto -> away",
        "top/deep -> away/d/e",
        "top/chained -> into",
        "top/sub/into -> ../away/d/../there",
    ])
}

const INTO: [&str; 4] = ["into", "deep", "chained", "sub/into"];

fn hung() {
    let scratch = remote_tree();
    let top = scratch.join("top");
    let served = Served::new(&scratch.join("real"), top.join("away"));
    for depth in [Depth::Health, Depth::Destination, Depth::Everything] {
        let report = Scan::new(System::new(), depth).cross_volumes().of(&top);
        assert_eq!(report.problems, [], "while it answers, it is a volume like others");
        assert_eq!(report.links().len(), 9);
        assert_eq!(report.row(top.join("into")).health, Health::Ok);
    }
    assert!(served.answers(Duration::from_secs(10)), "it answers");
    served.signal(Signal::STOP);
    let half = Duration::from_millis(500);
    assert!(!served.answers(half), "a stopped program answers no more");
    let started = Instant::now();
    let mut scans = 0;
    for depth in [Depth::Health, Depth::Destination, Depth::Everything] {
        for cross in [false, true] {
            let mut scan = Scan::new(System::new(), depth);
            scan.wanted.options.cross_volumes = cross;
            scan.time_limit = Duration::from_millis(300);
            let report = scan.of(&top);
            assert_eq!(report.links().len(), 7);
            for name in INTO {
                let health = report.row(top.join(name)).health;
                assert_eq!(health, Health::Unknown, "{name} {depth:?}");
            }
            assert_eq!(report.row(top.join("ok")).health, Health::Ok);
            assert_eq!(report.row(top.join("gone")).health, Health::Broken);
            let troubles: Vec<_> = report.problems.iter().map(|one| one.trouble).collect();
            assert_eq!(troubles, if cross { vec![Trouble::NoAnswer] } else { Vec::new() });
            assert_eq!(scan.of(top.join("away")).problems[0].trouble, Trouble::NoAnswer);
            scans += 2;
        }
    }
    let took = started.elapsed();
    assert!(took < Duration::from_secs(scans), "{scans} scans took {took:?}");
    println!("mounts: {scans} scans with a hung volume in {took:?}");
    drop(served);
}

/// It answered when it was asked, and hangs when it is read.
fn hangs_later() {
    let scratch = remote_tree();
    let top = scratch.join("top");
    let served = Served::new(&scratch.join("real"), top.join("away"));
    let volumes = volumes(System::new(), Duration::from_millis(1500));
    let place = linkwell_model::path::AbsPath::cleaned(&bytes(&served.at)).expect("absolute");
    let known = volumes.mounts().covering(&place).is_some_and(|mount| volumes.answers(mount));
    assert!(known, "it answers at first");
    served.signal(Signal::STOP);
    // Only folders: links into it are another matter.
    for name in INTO.into_iter().chain(["onto"]) {
        std::fs::remove_file(top.join(name)).expect("a link");
    }
    let mut scan = Scan::new(System::new(), Depth::Health).cross_volumes();
    scan.volumes = Some(volumes);
    let report = bounded(scan, top.clone()).expect("the scan ends");
    let links = ["gone", "ok"].map(|name| bytes(&top.join(name)));
    assert_eq!(report.links(), links);
    let troubles: Vec<_> = report.problems.iter().map(|one| one.trouble).collect();
    assert_eq!(troubles, [Trouble::NoAnswer]);
    drop(served);
}

fn links_hang_later() {
    let scratch = remote_tree();
    let top = scratch.join("top");
    let served = Served::new(&scratch.join("real"), top.join("away"));
    let volumes = volumes(System::new(), Duration::from_millis(1500));
    let place = linkwell_model::path::AbsPath::cleaned(&bytes(&served.at)).expect("absolute");
    let known = volumes.mounts().covering(&place).is_some_and(|mount| volumes.answers(mount));
    assert!(known, "it answers at first");
    served.signal(Signal::STOP);
    let mut scan = Scan::new(System::new(), Depth::Health);
    scan.volumes = Some(volumes);
    let report = bounded(scan, top.clone());
    drop(served);
    let report = report.expect("the scan ends, though links lead into what hangs");
    assert_eq!(report.row(top.join("ok")).health, Health::Ok);
}

/// A scan in a thread of its own; `None` when it has not ended after ten seconds.
fn bounded(scan: Scan, top: PathBuf) -> Option<crate::support::Report> {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let report = scan.of(&top);
        // Nobody listens any more if it took too long.
        drop(tell.send(report));
    });
    told.recv_timeout(Duration::from_secs(10)).ok()
}
