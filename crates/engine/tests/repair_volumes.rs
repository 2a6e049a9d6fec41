//! The hazards that only real volumes have; each in a child with a mount namespace of its own.

use super::{Kept, certain, disguise, likely, of, place, rename, unchosen};
use crate::support::{Child, Piece, path};
use libtest_mimic::Trial;
use linkwell_calls::handle::{self, Raw};
use linkwell_engine::folder::Folder;
use linkwell_engine::likeness::{Depth, Looker};
use linkwell_engine::reach::{Place, Reach};
use linkwell_engine::system::{Access, System};
use linkwell_model::keep::choice::Choice;
use linkwell_model::keep::evidence::Likened;
use linkwell_model::keep::likeness::Likeness;
use linkwell_model::path::AbsPath;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::tree::{Scratch, make};
use linkwell_testkit::volume::{Kind, Volume};
use rustix::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

pub(super) const PIECES: &[Piece] = &[
    ("repair::reuse", reuse),
    ("repair::zero", zero),
    ("repair::twin", twin),
    ("repair::cold", cold),
    ("repair::deleted", deleted),
    ("repair::across", across),
    ("repair::away", away),
    ("repair::point", point),
    ("repair::namespace", namespace),
    ("repair::closed", closed),
    ("repair::chance", super::chance::on_ext4),
];

pub(super) fn trials() -> Vec<Trial> {
    let alone = |name, piece: &'static str, kind: Kind, more: &[Need]| {
        let mut needs = kind.needs();
        needs.push(Need::Program("unshare"));
        needs.extend_from_slice(more);
        test_with(name, &needs, move || {
            Child::under(&["unshare", "--mount", "--propagation", "private"], piece).run();
        })
    };
    let (ext4, debugfs) = (Kind::Ext4, [Need::Program("debugfs")]);
    vec![
        alone("repair: a number that is used again is another thing", "repair::reuse", ext4, &[]),
        alone(
            "repair: without generation and birth nothing is certain",
            "repair::zero",
            ext4,
            &debugfs,
        ),
        alone(
            "repair: the twin in a snapshot is not the thing itself",
            "repair::twin",
            Kind::Btrfs,
            &[Need::Program("btrfs")],
        ),
        alone(
            "repair: after attaching anew a file is found, and `/` is not it",
            "repair::cold",
            ext4,
            &[],
        ),
        alone("repair: a name that ends in (deleted) is a name", "repair::deleted", ext4, &[]),
        alone("repair: what mv copied to another volume is likely", "repair::across", ext4, &[]),
        alone("repair: what lay on a volume that is away is asleep", "repair::away", ext4, &[]),
        alone(
            "repair: a link to a mount point says of no volume that it is another",
            "repair::point",
            ext4,
            &[],
        ),
        alone(
            "repair: in 100 scenarios no link is led wrong, on ext4",
            "repair::chance",
            ext4,
            &[],
        ),
        test_with(
            "repair: a user opens handles in a namespace, and not found is not gone there",
            &[Need::Root],
            || drop(Child::unprivileged("repair::namespace").run()),
        ),
        test_with(
            "repair: behind a folder of a group that is not the user's, a handle says nothing",
            &[Need::Root],
            foreign_group,
        ),
    ]
}

fn volume(kind: Kind) -> Option<Volume> {
    Volume::in_memory(kind, 64 << 20)
}

fn inode(at: &Path) -> u64 {
    std::fs::symlink_metadata(at).expect("it is there").ino()
}

fn reuse() {
    let Some(volume) = volume(Kind::Ext4) else { return };
    let top = volume.path();
    make(&top, &["t/", "l/"]);
    let mut kept = Kept::at(&top);
    let mut again = 0;
    for number in 0..200 {
        let (target, link) = (format!("t/{number}"), format!("l/{number}"));
        std::fs::write(top.join(&target), format!("{number:04}")).expect("written");
        std::os::unix::fs::symlink(format!("../{target}"), top.join(&link)).expect("a link");
        kept.record(&[&link]);
        let was = inode(&top.join(&target));
        std::fs::remove_file(top.join(&target)).expect("removed");
        let other = top.join(format!("t/other {number}"));
        std::fs::write(&other, format!("{:04}", number + 5000)).expect("written");
        again += usize::from(inode(&other) == was);
    }
    // The control: by number alone these would have been taken.
    println!("{again} of 200 numbers were given out again");
    assert!(again > 150);
    let survey = kept.survey();
    assert_eq!(survey.found.len(), 200);
    for found in &survey.found {
        assert_eq!(found.choice, Choice::None, "{found:#?}");
    }
}

/// Changes fields of inodes while the volume is detached.
fn debugfs(volume: &mut Volume, commands: &[String]) {
    let image = volume.image();
    volume.vanish();
    let mut tries = 0;
    loop {
        let listed = Command::new("losetup").arg("-j").arg(&image).output().expect("losetup");
        if listed.stdout.is_empty() {
            break;
        }
        tries += 1;
        assert!(tries < 500, "still attached");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    for command in commands {
        let ran = Command::new("debugfs").args(["-w", "-R", command]).arg(&image).output();
        let ran = ran.expect("debugfs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    }
    volume.come_back();
}

fn zeroed(file: &str) -> Vec<String> {
    ["generation", "crtime", "crtime_extra"]
        .iter()
        .map(|field| format!("sif {file} {field} 0"))
        .collect()
}

fn zero() {
    let Some(mut volume) = volume(Kind::Ext4) else { return };
    let top = volume.path();
    make(&top, &["t/moved", "t/reused", "l/moved -> ../t/moved", "l/reused -> ../t/reused"]);
    debugfs(&mut volume, &[zeroed("/t/moved"), zeroed("/t/reused")].concat());
    let mut kept = Kept::at(&top);
    kept.record(&["l/moved", "l/reused"]);
    let was = inode(&top.join("t/reused"));
    // The next file gets the number, and no generation and birth either.
    std::fs::write(top.join("t/next"), "12345678").expect("written");
    disguise(&top.join("t/next"), &top.join("t/reused"));
    std::fs::remove_file(top.join("t/next")).expect("removed");
    let like = Scratch::with(&["like"]);
    std::fs::write(like.join("like"), std::fs::read(top.join("t/reused")).expect("read"))
        .expect("written");
    disguise(&like.join("like"), &top.join("t/reused"));
    std::fs::remove_file(top.join("t/reused")).expect("removed");
    std::fs::write(top.join("t/bait"), "12345678").expect("written");
    disguise(&top.join("t/bait"), &like.join("like"));
    assert_eq!(inode(&top.join("t/bait")), was, "the number was given out again");
    rename(&top, "t/moved", "u/gone");
    debugfs(&mut volume, &[zeroed("/t/bait"), zeroed("/u/gone")].concat());
    disguise(&top.join("t/bait"), &like.join("like"));
    let survey = kept.survey();
    assert!(of(&survey, "reused").chosen().is_none(), "{survey:#?}");
    // What it holds still tells: likely, and not certain, though number and device are the same.
    likely(&survey, "moved", &kept.there("u/gone"));
}

fn twin() {
    let Some(volume) = volume(Kind::Btrfs) else { return };
    let top = volume.path();
    let btrfs = |words: &[&str]| {
        let ran = Command::new("btrfs").args(words).current_dir(&top).output().expect("btrfs");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    };
    btrfs(&["subvolume", "create", "sub"]);
    make(&top, &["sub/t/file", "sub/t/last", "l/f -> ../sub/t/file", "l/last -> ../sub/t/last"]);
    let mut kept = Kept::at(&top);
    kept.record(&["l/f", "l/last"]);
    btrfs(&["subvolume", "snapshot", "sub", "snap"]);
    rename(&top, "sub/t/file", "sub/moved");
    std::fs::remove_file(top.join("sub/t/last")).expect("removed");
    // The control: number and birth are the same.
    let (one, other) = (top.join("sub/moved"), top.join("snap/t/file"));
    let born = |at: &Path| std::fs::metadata(at).and_then(|it| it.created()).expect("a birth");
    assert_eq!((inode(&one), born(&one)), (inode(&other), born(&other)));
    let survey = kept.survey_of(&[], &[&top]);
    certain(&survey, "f", &kept.there("sub/moved"));
    let last = of(&survey, "last");
    assert!(!matches!(last.choice, Choice::Certain(_)), "{last:#?}");
    assert!(last.candidates.iter().all(|it| it.likened < Likened::Same), "{last:#?}");
}

fn like(at: &Path) -> Likeness {
    let system = System::new();
    let mounts = system.mounts();
    let (folder, name) = place(at).split().expect("not the root");
    let held = Folder::of_place(&folder).open(system, Access::Hold).expect("it opens");
    Looker::new(system, &mounts).look(held.as_fd(), &name, Depth::Ends).expect("it is there")
}

fn cold() {
    let Some(mut volume) = volume(Kind::Ext4) else { return };
    let top = volume.path();
    make(&top, &["t/file", "t/dir/x", "l/f -> ../t/file", "l/d -> ../t/dir"]);
    let mut kept = Kept::at(&top);
    kept.record(&["l/f", "l/d"]);
    let was = like(&top.join("t/file"));
    rename(&top, "t/file", "u/v/moved");
    rename(&top, "t/dir", "u/dir");
    volume.reread();
    // The control: the kernel names the cold file `/`, and that is somewhere.
    let handle = was.handle.expect("ext4 has handles");
    let raw = Raw { kind: handle.kind, bytes: handle.bytes.to_vec(), mount: 0 };
    let mount = System::new().open_typed(place(&top).as_bytes(), Access::List).expect("it opens");
    let held = handle::open(&mount, &raw, false).expect("it is there");
    let said = std::fs::read_link(format!("/proc/self/fd/{}", held.as_raw_fd())).expect("a path");
    assert!(std::fs::metadata(&said).is_ok_and(|it| it.is_dir()), "{}", said.display());
    let mut reach = Reach::new(System::new(), None);
    assert_eq!(reach.place(&place(&top), || &[], &handle, false), Place::Unknown);
    let survey = kept.survey();
    certain(&survey, "f", &kept.there("u/v/moved"));
    certain(&survey, "d", &kept.there("u/dir"));
}

fn deleted() {
    let Some(volume) = volume(Kind::Ext4) else { return };
    let top = volume.path();
    make(&top, &["t/x", "t/x (deleted)", "t/y (deleted)", "l/x -> ../t/x"]);
    make(&top, &["l/y -> ../t/y (deleted)"]);
    let mut kept = Kept::at(&top);
    kept.record(&["l/x", "l/y"]);
    let was = like(&top.join("t/x"));
    let open = std::fs::File::open(top.join("t/x")).expect("it opens");
    std::fs::remove_file(top.join("t/x")).expect("removed");
    rename(&top, "t/y (deleted)", "t/z (deleted)");
    // The control: what the kernel says of the deleted file is the name of another one.
    let said = std::fs::read_link(format!("/proc/self/fd/{}", open.as_raw_fd())).expect("a path");
    assert_eq!(said, top.join("t/x (deleted)"));
    let mut reach = Reach::new(System::new(), None);
    let found = reach.place(&place(&top), || &[], &was.handle.expect("a handle"), false);
    assert!(!matches!(found, Place::At(_)), "{found:?}");
    let survey = kept.survey();
    assert!(unchosen(&survey, "x").is_empty());
    certain(&survey, "y", &kept.there("t/z (deleted)"));
}

fn across() {
    let (Some(one), Some(other)) = (volume(Kind::Ext4), volume(Kind::Tmpfs)) else { return };
    let (top, there) = (one.path(), other.path());
    // The top of such a volume is open to all.
    std::fs::set_permissions(&there, std::fs::Permissions::from_mode(0o755)).expect("changed");
    make(&top, &["t/file", "t/renamed", "t/d/a", "t/d/b", "t/d/c", "t/tiny/a"]);
    make(
        &top,
        &["l/f -> ../t/file", "l/r -> ../t/renamed", "l/d -> ../t/d", "l/tiny -> ../t/tiny"],
    );
    let mut kept = Kept::at(&top);
    kept.record(&["l/f", "l/r", "l/d", "l/tiny"]);
    let mv = |from: &str, to: &Path| {
        let ran = Command::new("mv").arg(top.join(from)).arg(to).status().expect("mv");
        assert!(ran.success());
    };
    mv("t/file", &there);
    mv("t/renamed", &there.join("other name"));
    mv("t/d", &there);
    mv("t/tiny", &there);
    let survey = kept.survey_of(&[], &[&there]);
    likely(&survey, "f", &place(&there.join("file")));
    likely(&survey, "r", &place(&there.join("other name")));
    likely(&survey, "d", &place(&there.join("d")));
    assert_eq!(unchosen(&survey, "tiny"), [&place(&there.join("tiny"))]);
    // Not asked to look there, nobody finds it.
    assert!(unchosen(&kept.survey(), "f").is_empty());
}

fn away() {
    let (Some(one), Some(mut other)) = (volume(Kind::Tmpfs), volume(Kind::Ext4)) else { return };
    let top = one.path();
    make(&other.path(), &["t/file"]);
    std::os::unix::fs::symlink(other.join("t/file"), top.join("l")).expect("a link");
    let mut kept = Kept::at(&top);
    kept.record(&["l"]);
    // A bait that is all that an attribute search could wish for.
    make(&top, &["b/"]);
    std::fs::copy(other.join("t/file"), top.join("b/file")).expect("copied");
    other.vanish();
    let survey = kept.survey_of(&[], &[&top]);
    assert!(survey.found.is_empty(), "{survey:#?}");
    assert_eq!(survey.asleep[0].link, kept.there("l"));
    // The control: with the volume there and the file gone, it is a candidate.
    other.come_back();
    std::fs::remove_file(other.join("t/file")).expect("removed");
    let survey = kept.survey_of(&[], &[&top]);
    assert_eq!(of(&survey, "l").candidates[0].place, kept.there("b/file"));
}

/// The volume of a mount point is the one that is mounted there, and so is that of all below it.
fn point() {
    let (Some(one), Some(mut other)) = (volume(Kind::Tmpfs), volume(Kind::Ext4)) else { return };
    let top = one.path();
    make(&top, &["l/"]);
    make(&other.path(), &["t/file"]);
    let link = |name: &str, to: &Path| {
        std::os::unix::fs::symlink(to, top.join(name)).expect("a link");
    };
    link("l/disk", &other.path());
    link("l/file", &other.join("t/file"));
    let mut kept = Kept::at(&top);
    // The mount point first.
    kept.record(&["l/disk", "l/file"]);
    other.vanish();
    let survey = kept.survey_of(&[], &[&top]);
    assert!(survey.found.is_empty(), "{survey:#?}");
    assert_eq!(survey.asleep[0].link, kept.there("l/file"));
    // The folder on which it was mounted still stands: that link leads there for now.
    assert_eq!(survey.asleep.len(), 1);
}

/// As a user without rights, in a folder of that user's.
fn namespace() {
    let scratch = Scratch::new();
    let top = scratch.path();
    make(&top, &["home/t/dir/x", "home/u/"]);
    let handle = like(&top.join("home/t/dir")).handle.expect("a handle");
    rename(&top, "home/t/dir", "home/u/moved");
    let own = [place(&top.join("home"))];
    let mount = AbsPath::root();
    let mut reach = Reach::new(System::new(), Some(path(b"/proc/self/exe")));
    let found = reach.place(&mount, || &own, &handle, true);
    if let Some(why) = reach.absent() {
        println!("not tried: {why}");
        return;
    }
    assert_eq!(found, Place::At(place(&top.join("home/u/moved"))));
    // A folder that is closed to its own owner hides it, as one of somebody else's does.
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(top.join("home"), mode).expect("changed");
    std::fs::remove_dir_all(top.join("home/u/moved")).expect("removed");
    assert_eq!(reach.place(&mount, || &own, &handle, true), Place::Unknown, "not: gone");
    assert!(chown(&top, Some(0), None).is_err(), "this one is no root");
    let elsewhere = like(Path::new("/etc")).handle.expect("a handle");
    assert_eq!(reach.place(&mount, || &own, &elsewhere, true), Place::Unknown);
}

/// Two folders of a user's; above one of them is a folder that has a group which is not the user's.
fn foreign_group() {
    let scratch = Scratch::new();
    let top = scratch.path();
    make(&top, &["home/own/dir/x", "home/group/dir/x"]);
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&top, mode).expect("changed");
    for name in ["", "own", "own/dir", "group", "group/dir"] {
        chown(top.join("home").join(name), Some(65534), Some(65534)).expect("given away");
    }
    chown(top.join("home/group"), None, Some(0)).expect("changed");
    Child::unprivileged("repair::closed").env(TOP, &top).run();
}

const TOP: &str = "LINKWELL_REPAIR_TOP";

fn closed() {
    let top = std::path::PathBuf::from(std::env::var_os(TOP).expect("a folder"));
    let handle = |name: &str| like(&top.join(name)).handle.expect("a handle");
    let (own, group) = (handle("home/own/dir"), handle("home/group/dir"));
    let base = [place(&top.join("home"))];
    let mut reach = Reach::new(System::new(), Some(path(b"/proc/self/exe")));
    // The control: without such a folder it is found.
    let found = reach.place(&AbsPath::root(), || &base, &own, true);
    if let Some(why) = reach.absent() {
        println!("not tried: {why}");
        return;
    }
    assert_eq!(found, Place::At(place(&top.join("home/own/dir"))));
    assert_eq!(reach.place(&AbsPath::root(), || &base, &group, true), Place::Unknown);
}
