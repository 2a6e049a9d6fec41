//! What is found before something is moved, where that needs rights, mounts or programs.

use crate::preflight::{across, said, spot, surveyor, weigh};
use crate::preflight_refusals::{may, refused};
use crate::support::{Child, DeepScratch, path, systems};
use libtest_mimic::Trial;
use linkwell_engine::survey::freight::{self, Wanted};
use linkwell_engine::survey::room;
use linkwell_engine::system::System;
use linkwell_model::holding::{Served, holding};
use linkwell_model::path::AbsPath;
use linkwell_model::plan::Loss;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::tree::{Scratch, bytes, make};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;

pub(crate) const PIECES: &[crate::support::Piece] = &[
    ("preflight::mounts", mounts),
    ("preflight::as_nobody", as_nobody),
    ("preflight::on_volumes", on_volumes),
    ("preflight::by_fuse", by_fuse),
];

const FOLDER: &str = "LINKWELL_ENGINE_TEST_PREFLIGHT";

pub(crate) fn trials() -> Vec<Trial> {
    let alone = |name, piece: &'static str, needs: &[Need]| {
        let mut all = vec![Need::Root, Need::Program("unshare")];
        all.extend_from_slice(needs);
        test_with(name, &all, move || {
            Child::under(&["unshare", "--mount", "--propagation", "private"], piece).run();
        })
    };
    let disks = ["mkfs.ext4", "mkfs.xfs", "mkfs.btrfs"].map(Need::Program);
    let disks = [&[Need::LoopDevices][..], &disks].concat();
    let programs = ["mkfs.ntfs", "ntfs-3g", "mkfs.exfat", "mount.exfat-fuse"].map(Need::Program);
    let programs = [&[Need::LoopDevices, Need::Fuse][..], &programs].concat();
    let chattr = [Need::Root, Need::Program("chattr")];
    let escape = [Need::Program("systemd-escape")];
    vec![
        test("preflight: a tree deeper than any path", deep),
        test_with("preflight: immutable entries are found", &chattr, immutable),
        test_with("preflight: what nobody may read", &[Need::Root], || {
            let scratch =
                Scratch::with(&["t/open/f", "t/shut/f", "t/fixed/f", "t/f", "t/sticky/x"]);
            linkwell_testkit::crafted::allow(&scratch.path(), 0o755);
            Child::unprivileged("preflight::as_nobody").env(FOLDER, prepared(&scratch)).run();
        }),
        alone("preflight: through bind mounts, and mounts inside", "preflight::mounts", &[]),
        alone("preflight: volumes say what they hold", "preflight::on_volumes", &disks),
        alone("preflight: what programs serve is known", "preflight::by_fuse", &programs),
        test_with("preflight: units are named as systemd names them", &escape, unit_names),
    ]
}

fn immutable() {
    let scratch = Scratch::with(&["t/fixed", "t/grows", "t/f"]);
    let chattr = |sign: &str, name: &str| {
        let done = Command::new("chattr").arg(sign).arg(scratch.join(name)).status();
        assert!(done.expect("it runs").success());
    };
    chattr("+i", "t/fixed");
    chattr("+a", "t/grows");
    let found = weigh(System::new(), &scratch.join("t"), &across(b"ext4"));
    chattr("-i", "t/fixed");
    chattr("-a", "t/grows");
    assert_eq!((found.immutable.count, found.append_only.count), (1, 1));
    let why = said(found.against_copying("ext4", &Loss::ALL));
    assert!(why.contains("`chattr -i ") && why.contains("`chattr -a "), "{why}");
    let found = weigh(System::new(), &scratch.join("t"), &across(b"ext4"));
    assert!(found.against_copying("ext4", &[]).is_empty());
}

/// Gives the tree to nobody, but for some of it.
fn prepared(scratch: &Scratch) -> std::path::PathBuf {
    use std::os::unix::fs::{PermissionsExt as _, chown};
    let mode = |name: &str, mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(scratch.join(name), mode).expect("permissions");
    };
    for name in ["t", "t/open", "t/open/f", "t/shut", "t/fixed", "t/fixed/f"] {
        chown(scratch.join(name), Some(65534), Some(65534)).expect("an owner");
    }
    mode("t/f", 0o600);
    mode("t/shut", 0o000);
    mode("t/fixed", 0o555);
    mode("t/sticky", 0o1777);
    mode("t/sticky/x", 0o644);
    scratch.join("t")
}

fn as_nobody() {
    let top = std::env::var_os(FOLDER).expect("a folder");
    for system in systems() {
        let found = weigh(system, Path::new(&top), &across(b"ext4"));
        let names = |named: &freight::Named| -> Vec<String> {
            let mut names: Vec<String> = named
                .first
                .iter()
                .map(|place| {
                    place
                        .below(&AbsPath::cleaned(top.as_bytes()).expect("absolute"))
                        .unwrap_or_default()
                })
                .map(|below| String::from_utf8_lossy(below).into_owned())
                .collect();
            names.sort();
            names
        };
        assert_eq!(names(&found.unread), ["f"], "{system:?}");
        assert_eq!(names(&found.closed), ["fixed", "shut"], "{system:?}");
        assert_eq!(names(&found.foreign), ["sticky/x"], "{system:?}");
        assert_eq!(names(&found.others), ["f", "sticky", "sticky/x"], "{system:?}");
        let why = said(found.against_copying("ext4", &[]));
        assert_eq!(why.lines().count(), 4, "{why}");
        // What is this user's own and open has nothing against it.
        let found = weigh(system, &Path::new(&top).join("open"), &across(b"ext4"));
        assert!(found.against_copying("ext4", &[]).is_empty());
    }
}

fn mounts() {
    use rustix::mount::{MountFlags, mount, mount_bind};
    let scratch = Scratch::with(&[
        "home/",
        "t/sub/deep/",
        "t/m/",
        "b/",
        "s/",
        "v/in/",
        "w/f",
        "out/",
        "point/",
        "f",
        "g",
    ]);
    let at = |name: &str| scratch.join(name);
    mount_bind(at("t"), at("b")).expect("a bind mount");
    mount_bind(at("t/sub"), at("s")).expect("a bind mount");
    mount_bind(at("f"), at("g")).expect("a bind mount");
    mount("linkwell-test", at("point"), "tmpfs", MountFlags::empty(), c"size=1m").expect("a mount");
    make(&at("point"), &["x/"]);
    for system in systems() {
        let may = |from: &str, to: &str| may(system, &scratch, &at(from), &at(to));
        // The same folder by another path, and a part of it seen elsewhere.
        refused(may("t", "b/x"), "into itself");
        refused(may("t", "b/sub/x"), "into itself");
        if format!("{system:?}").contains("true") {
            // Above the mount stands another folder: only the table of mounts knows.
            refused(may("t", "s/x"), "into itself");
            refused(may("t", "s/deep/x"), "into itself");
            refused(may("s/deep", "t"), "it lies in");
            refused(may("g", "out/g"), "a volume is mounted here");
        }
        refused(may("b/sub", "t/sub"), "is what is to be moved");
        refused(may("t/sub", "b/sub"), "is what is to be moved");
        refused(may("point", "out/x"), "a volume is mounted here");
        assert!(may("point/x", "out/x").is_ok() && may("t/sub", "out/x").is_ok());
        assert!(may("t/sub/deep", "s/x").is_ok(), "that is up");
        // Whatever the table says, the walk meets the folder itself.
        let above = may("home/../out", "s/deep/x").expect("two places");
        let found =
            weigh(system, &at("t"), &Wanted { above_destination: above, ..across(b"ext4") });
        assert!(found.destination.is_some(), "{system:?}");
        assert!(weigh(system, &at("t"), &across(b"ext4")).mounted.is_empty());
    }
    mount("linkwell-test", at("t/m"), "tmpfs", MountFlags::empty(), c"size=1m").expect("a mount");
    mount_bind(at("out"), at("v/in")).expect("a bind mount");
    mount_bind(at("f"), at("w/f")).expect("a bind mount");
    make(&at("t/m"), &["not-ours"]);
    for system in systems() {
        let found = weigh(system, &at("t"), &across(b"ext4"));
        assert_eq!((found.mounted.len(), found.files), (1, 0), "it is not entered");
        let why = said(found.against_renaming());
        assert!(why.contains("t/m`") && why.contains("umount"), "{why}");
        if format!("{system:?}").contains("true") {
            // A bind mount of the same volume has the same device, and is one all the same.
            assert_eq!(weigh(system, &at("v"), &across(b"ext4")).mounted.len(), 1);
            // Nor is one on a file missed where files are only counted.
            let within = Wanted::within(holding(b"ext4", Served::Unknown));
            assert_eq!(weigh(system, &at("w"), &within).mounted.len(), 1);
        }
    }
}

/// What volumes say of themselves, and what stands on them.
fn on_volumes() {
    let scratch = Scratch::with(&["home/", "ext4/", "xfs/", "btrfs/"]);
    let run = |program: &str, arguments: &[&std::ffi::OsStr]| {
        let done = Command::new(program).args(arguments).output().expect("it runs");
        assert!(done.status.success(), "{program}: {done:?}");
    };
    for kind in ["ext4", "xfs", "btrfs"] {
        let image = scratch.join(format!("{kind}.image"));
        std::fs::File::create(&image).expect("a file").set_len(320 << 20).expect("a length");
        run(&format!("mkfs.{kind}"), &["-q".as_ref(), image.as_ref()]);
        run(
            "mount",
            &["-o".as_ref(), "loop".as_ref(), image.as_ref(), scratch.join(kind).as_ref()],
        );
    }
    run("btrfs", &["subvolume".as_ref(), "create".as_ref(), scratch.join("btrfs/sub").as_ref()]);
    let top = scratch.join("btrfs");
    make(&top, &["t/f"]);
    run("btrfs", &["subvolume".as_ref(), "create".as_ref(), top.join("t/inner").as_ref()]);
    make(&top.join("t"), &["inner/f"]);
    let words: Vec<_> = ["ext4", "xfs", "btrfs"]
        .iter()
        .map(|kind| {
            let mut surveyor = surveyor(System::new(), &scratch.path());
            let spot = spot(&mut surveyor, &scratch.join(kind).join("x"));
            room::holding_at(&surveyor, &spot.held).word
        })
        .collect();
    assert_eq!(words, ["ext4", "XFS", "btrfs"]);
    let found = weigh(System::new(), &top.join("t"), &across(b"ext4"));
    assert_eq!((found.subvolumes.count, found.files), (1, 1));
    assert!(found.against_renaming().is_empty(), "within a volume it moves along");
    assert!(said(found.against_copying("ext4", &Loss::ALL)).contains("subvolumes begin in it"));
    // A hole beside what is only packed: compressed contents take the room that they are long.
    std::fs::File::create(top.join("t/holes")).expect("a file").set_len(64 << 20).expect("a hole");
    let from =
        Wanted::across(holding(b"btrfs", Served::Unknown), holding(b"ext4", Served::Unknown), 4096);
    assert_eq!(weigh(System::new(), &top.join("t/holes"), &from).needed, 0);
    for kind in ["btrfs", "xfs", "ext4"] {
        run("umount", &[scratch.join(kind).as_ref()]);
    }
}

fn unit_names() {
    let places: [&[u8]; 8] = [
        b"/",
        b"/home/u/Music",
        b"/.x/.y",
        b"/a-b c@\\",
        b"/a:b_c.d",
        b"/x/\xc3\xa9\xff",
        b"/-",
        b"/a/..b/%",
    ];
    for place in places {
        let place = AbsPath::cleaned(place).expect("absolute");
        let said = Command::new("systemd-escape")
            .args(["--path", "--suffix=mount", "--"])
            .arg(path(place.as_bytes()))
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&said.stdout).trim_end().to_owned();
        assert_eq!(linkwell_model::mounting::unit_name(&place), Some(said), "{place:?}");
    }
}

fn deep() {
    let scratch = DeepScratch::new();
    std::fs::create_dir(scratch.path().join("t")).expect("a folder");
    let mut held: rustix::fd::OwnedFd =
        std::fs::File::open(scratch.path().join("t")).expect("a folder").into();
    let name = "n".repeat(200);
    for _ in 0..100 {
        rustix::fs::mkdirat(&held, &*name, rustix::fs::Mode::RWXU).expect("a folder");
        let flags = rustix::fs::OFlags::DIRECTORY;
        held = rustix::fs::openat(&held, &*name, flags, rustix::fs::Mode::empty()).expect("it");
    }
    rustix::fs::symlinkat(format!("{}out", "../".repeat(101)), &held, "leaves").expect("a link");
    rustix::fs::symlinkat(format!("{}out", "../".repeat(100)), &held, "stays").expect("a link");
    for system in systems() {
        let found = weigh(system, &scratch.path().join("t"), &across(b"ext4"));
        assert_eq!((found.folders, found.deepest, found.links), (101, 100, 2), "{system:?}");
        assert_eq!(
            (found.unseen.count, found.closed.count),
            (0, 0),
            "{system:?} {:?}",
            found.reason
        );
        let [link] = &found.leaving[..] else { panic!("{}", found.leaving.len()) };
        assert!(link.below.len() > 20_000 && link.below.ends_with(b"n/leaves"));
        assert_eq!(link.place.as_bytes(), bytes(&scratch.path().join("out")));
    }
}

/// A file system that a program serves, as the table has it, against what it does.
fn by_fuse() {
    let scratch = Scratch::with(&[
        "home/",
        "ntfs/",
        "exfat/",
        "t/README",
        "t/readme",
        "t/a:b",
        "t/l -> README",
    ]);
    let image = |kind: &str| {
        let image = scratch.join(format!("{kind}.image"));
        std::fs::File::create(&image).expect("a file").set_len(64 << 20).expect("a length");
        image
    };
    let run = |program: &str, arguments: &[&std::ffi::OsStr]| {
        let done = Command::new(program).args(arguments).output().expect("it runs");
        assert!(done.status.success(), "{program}: {done:?}");
        String::from_utf8_lossy(&done.stdout).trim_end().to_owned()
    };
    let (ntfs, exfat) = (image("ntfs"), image("exfat"));
    run("mkfs.ntfs", &["-F".as_ref(), "-q".as_ref(), ntfs.as_ref()]);
    run("ntfs-3g", &[ntfs.as_ref(), scratch.join("ntfs").as_ref()]);
    run("mkfs.exfat", &[exfat.as_ref()]);
    let disk = run("losetup", &["-f".as_ref(), "--show".as_ref(), exfat.as_ref()]);
    let gone = Gone { disk, places: vec![scratch.join("ntfs"), scratch.join("exfat")] };
    run("mount.exfat-fuse", &[gone.disk.as_ref(), scratch.join("exfat").as_ref()]);
    for (kind, word, clashes, links, colon) in
        [("ntfs", "NTFS", 0, true, true), ("exfat", "exFAT", 1, false, false)]
    {
        let place = scratch.join(kind);
        let held = {
            let mut surveyor = surveyor(System::new(), &scratch.path());
            let spot = spot(&mut surveyor, &place.join("x"));
            room::holding_at(&surveyor, &spot.held)
        };
        assert_eq!(held.word, word);
        let from = holding(b"ext4", Served::Unknown);
        let found = weigh(System::new(), &scratch.join("t"), &Wanted::across(from, held, 4096));
        assert_eq!(found.clashes, clashes, "{kind}");
        // What the table says is what the file system does.
        for name in ["README", "readme"] {
            std::fs::write(place.join(name), name).expect("a file");
        }
        let read = std::fs::read(place.join("README")).expect("a file");
        assert_eq!(read == b"readme", clashes == 1, "{kind}: one overwrote the other");
        let made = std::os::unix::fs::symlink("x", place.join("l")).is_ok();
        assert_eq!(made, links, "{kind}");
        assert_eq!(std::fs::write(place.join("a:b"), "").is_ok(), colon, "{kind}");
        let why = said(found.against_copying(word, &[]));
        assert_eq!(why.contains("`--accept-loss links`"), !links, "{why}");
        assert_eq!(why.contains("a character in the name that cannot be"), !colon, "{why}");
    }
    drop(gone);
}

/// Detaches what a test attached, when it is dropped.
struct Gone {
    disk: String,
    places: Vec<std::path::PathBuf>,
}

impl Drop for Gone {
    fn drop(&mut self) {
        for place in &self.places {
            drop(Command::new("umount").arg(place).status());
        }
        drop(Command::new("losetup").args(["-d", &self.disk]).status());
    }
}
