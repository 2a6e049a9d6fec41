//! `linkwell convert --to contents`: whole folders, copied with all that they carry.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::zombie_processes,
    reason = "a test builds its own tree, and may stop at the first surprise"
)]

use crate::support::{Ground, LINKWELL, shell};
use libtest_mimic::Trial;
use linkwell_testkit::crafted;
use linkwell_testkit::listing::listing;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::process::Command;

pub(crate) fn trials() -> Vec<Trial> {
    let strace = [Need::Program("strace")];
    let mounts = [Need::Root, Need::Program("unshare")];
    vec![
        test("convert: a copied folder carries all that the original does", everything),
        test("convert: access lists that the new place would add are taken off", access_lists),
        test("convert: 3,000 levels are copied and given up again with 64 descriptors", deep),
        test(
            "convert: links that would lead elsewhere from the copy are told, and refused",
            outward,
        ),
        test("convert: a copy is given up while it is nothing but a copy", given_up),
        test_with(
            "convert: a copy of closed folders is given up by its owner",
            &[Need::Root],
            closed,
        ),
        test_with("convert: mounts inside and other volumes", &mounts, volumes),
        test_with("convert: a volume without room, known before and met on the way", &mounts, full),
        test_with("convert: killed at every call of a copy, and recovered", &strace, killed),
        test_with(
            "convert: what changes while it is copied is not taken for a copy",
            &strace,
            changed,
        ),
        test_with("convert: Ctrl-C in the middle of a copy takes it back", &strace, stopped),
    ]
}

/// A folder `real` with something of everything in it, and a link `l` to it.
fn rich() -> Ground {
    let ground = Ground::with(&[
        "real/a/f",
        "real/a/b/h == real/a/f",
        "real/z/h2 == real/a/f",
        "real/empty/",
        "real/p |",
        "real/inner -> a/f",
        "real/whole -> /etc",
        "real/gone -> nowhere",
        "l -> real",
    ]);
    let real = ground.tree().join("real");
    for name in [&b"new\nline"[..], b"\xff\xfe", &[b'n'; 255], b"-n", b" "] {
        crafted::file(&real, name, name);
    }
    let sparse = std::fs::File::create(real.join("sparse")).expect("a file");
    sparse.write_all_at(b"middle", 5 << 20).expect("written");
    sparse.set_len(20 << 20).expect("a hole at the end");
    std::fs::write(real.join("big"), vec![7; 300_000]).expect("a file");
    for (name, value) in [("user.note", &b"value"[..]), ("user.empty", b"")] {
        for path in [real.join("big"), real.join("a")] {
            rustix::fs::setxattr(path, name, value, rustix::fs::XattrFlags::empty()).expect("set");
        }
    }
    rustix::fs::setxattr(real.join("a"), ACCESS, &list(7), rustix::fs::XattrFlags::empty())
        .expect("an access list");
    rustix::fs::setxattr(real.join("a"), DEFAULT, &list(5), rustix::fs::XattrFlags::empty())
        .expect("an access list");
    crafted::allow(&real.join("big"), 0o4751);
    crafted::allow(&real.join("z"), 0o1705);
    crafted::allow(&real.join("empty"), 0o500);
    crafted::allow(&real.join("p"), 0o620);
    std::os::unix::fs::lchown(real.join("inner"), Some(1234), Some(5678)).expect("lchown");
    std::os::unix::fs::lchown(real.join("a/f"), Some(1234), Some(5678)).expect("lchown");
    for name in ["gone", "p", "big", "a/b", "a", "empty", "."] {
        age(&real.join(name));
    }
    ground
}

/// Sets the times of an entry long back.
fn age(path: &Path) {
    let long_ago = rustix::fs::Timestamps {
        last_access: rustix::fs::Timespec { tv_sec: 1, tv_nsec: 999_999_999 },
        last_modification: rustix::fs::Timespec { tv_sec: -5, tv_nsec: 123_456_789 },
    };
    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::utimensat(rustix::fs::CWD, path, &long_ago, flags).expect("times");
}

const ACCESS: &str = "system.posix_acl_access";
const DEFAULT: &str = "system.posix_acl_default";

/// An access list that gives user 4321 these rights (linux/posix_acl_xattr.h: version, then tag,
/// permissions and number of each entry).
fn list(rights: u16) -> Vec<u8> {
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, rights, who) in [
        (1_u16, 7_u16, u32::MAX),
        (2, rights, 4321),
        (4, 5, u32::MAX),
        (16, 7, u32::MAX),
        (32, 5, u32::MAX),
    ] {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(rights.to_le_bytes());
        bytes.extend(who.to_le_bytes());
    }
    bytes
}

fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0_u8; 4096];
    let length = rustix::fs::getxattr(path, name, value.as_mut_slice()).ok()?;
    value.truncate(length);
    Some(value)
}

fn everything() {
    let ground = rich();
    let before = ground.listing();
    let (real, copy) = (ground.tree().join("real"), ground.tree().join("l"));
    // It was read for the listing.
    age(&real.join("big"));
    let ran = ground.run(&["convert", "-y", "--to", "contents", "l"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("copies 14 files, 21.2 MB") || ran.out.contains("copies"), "{ran:?}");
    let read = copy.join("big").symlink_metadata().expect("a copy");
    assert_eq!((read.atime(), read.atime_nsec()), (1, 999_999_999));
    assert_eq!(listing(&copy), listing(&real));
    let status = |top: &Path, name: &str| top.join(name).symlink_metadata().expect("an entry");
    for name in [".", "a", "a/b", "z", "empty", "p", "big", "gone"] {
        let (one, other) = (status(&real, name), status(&copy, name));
        let known = (one.mode(), one.uid(), one.gid());
        assert_eq!(known, (other.mode(), other.uid(), other.gid()), "{name}");
        assert_eq!((one.mtime(), one.mtime_nsec()), (other.mtime(), other.mtime_nsec()), "{name}");
    }
    for (name, attribute_name) in [
        ("big", "user.note"),
        ("big", "user.empty"),
        ("a", "user.note"),
        ("a", ACCESS),
        ("a", DEFAULT),
        ("a/b", ACCESS),
        ("a/b", DEFAULT),
    ] {
        let pair = [&real, &copy].map(|top| attribute(&top.join(name), attribute_name));
        assert_eq!(pair[0], pair[1], "{name} {attribute_name}");
    }
    assert!(attribute(&copy.join("a"), DEFAULT).is_some(), "the control: there is a list");
    // One file of three names is one of three again, and another than the original.
    let inode = |name: &str| status(&copy, name).ino();
    assert_eq!(inode("a/f"), inode("a/b/h"));
    assert_eq!(inode("a/f"), inode("z/h2"));
    assert_ne!(inode("a/f"), status(&real, "a/f").ino());
    assert!(status(&copy, "sparse").blocks() <= status(&real, "sparse").blocks() + 8, "holes");
    assert_eq!(ground.strays(), Vec::<String>::new());
    let back = ground.run(&["undo", "-y"]);
    assert_eq!(back.code, 0, "{back:?}");
    assert_eq!(ground.listing(), before);
}

fn access_lists() {
    let ground = Ground::with(&["real/sub/f", "here/l -> ../real"]);
    let here = ground.tree().join("here");
    rustix::fs::setxattr(&here, DEFAULT, &list(7), rustix::fs::XattrFlags::empty()).expect("set");
    // The control: what is made there gets the list.
    std::fs::create_dir(here.join("new")).expect("a folder");
    assert!(attribute(&here.join("new"), ACCESS).is_some());
    assert!(attribute(&here.join("new"), DEFAULT).is_some());
    let ran = ground.run(&["convert", "-y", "--to", "contents", "here/l"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for name in ["l", "l/sub", "l/sub/f"] {
        for list in [ACCESS, DEFAULT] {
            assert_eq!(attribute(&here.join(name), list), None, "{name} {list}");
        }
    }
    assert_eq!(listing(&here.join("l")), listing(&ground.tree().join("real")));
}

fn deep() {
    let ground = Ground::with(&["real/", "l -> real"]);
    let path = ground.scratch().path();
    // A second name at the top of what is at the bottom, and a closed folder there.
    let made = shell(
        &path,
        r#"set -e; cd tree/real; echo x >top; i=0
        while [ $i -lt 3000 ]; do mkdir d; cd -P d; i=$((i+1)); done
        echo deep >f; mkdir shut; chmod 500 shut; ln -s f link"#,
    );
    assert_eq!(made.code, 0, "{made:?}");
    let list = || {
        let ran =
            shell(&path, "cd tree && find . -printf '%d %f %y %m %n %l %T@\\n' | sort | sha256sum");
        assert_eq!((ran.err.as_str(), ran.code), ("", 0));
        ran.out
    };
    let few = |arguments: &str| {
        let line = format!(
            "ulimit -n 64; cd tree; HOME=$PWD/../home XDG_STATE_HOME=$PWD/../state exec \"$L\" {arguments}"
        );
        shell(&path, &line)
    };
    shell(&path, "touch -d @9 tree");
    let before = list();
    let ran = few("convert -y --to contents l");
    assert_eq!(ran.code, 0, "{ran:?}");
    let same = |top: &str| {
        shell(&path, &format!("cd tree/{top} && find . -printf '%d %f %y %m %n %l %T@\\n' | sort"))
            .out
    };
    let (real, copy) = (same("real"), same("l"));
    assert!(real == copy && real.lines().count() == 3005, "{} lines", copy.lines().count());
    let ran = few("undo -y");
    assert_eq!(ran.code, 0, "{ran:?}");
    shell(&path, "touch -d @9 tree");
    assert_eq!(list(), before);
    shell(&path, "rm -rf tree/real");
}

fn outward() {
    let ground = Ground::with(&[
        "other",
        "real/a/up -> ../../other",
        "real/in -> a/../a/up",
        "x/l -> ../real",
        "m -> real",
    ]);
    let before = ground.listing();
    let ran = ground.run(&["convert", "-y", "--to", "contents", "x/l"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("real/a/up` in it would lead elsewhere from the copy"), "{ran:?}");
    assert_eq!(ground.listing(), before);
    let ran = ground.run(&["convert", "-y", "--allow-broken", "--to", "contents", "x/l"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(std::fs::read_link(ground.tree().join("x/l/a/up")).ok(), Some("../../other".into()));
    // Beside the original they lead where they led.
    let ran = ground.run(&["convert", "-y", "--to", "contents", "m"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(std::fs::read(ground.tree().join("m/a/up")).ok().as_deref(), Some(&b"other"[..]));
}

fn given_up() {
    for (what, change, refusal) in [
        ("nothing", "true", None),
        ("a file edited", "echo more >>l/a/f", Some("differs from what it was made of")),
        ("a file added", "echo new >l/a/new", Some("differs from what it was made of")),
        ("a link retargeted", "ln -sfn elsewhere l/in", Some("differs from what it was made of")),
        ("the original edited", "echo more >>real/a/f", Some("differs from what it was made of")),
        ("the original gone", "rm -r real", Some("is all that is left of it")),
        ("the copy moved", "mv l other", Some("it is gone")),
        ("replaced", "rm -r l; ln -s x l", Some("it was changed since")),
    ] {
        let ground = Ground::with(&["real/a/f", "real/in -> a/f", "l -> real"]);
        let before = ground.listing();
        assert_eq!(ground.run(&["convert", "-y", "--to", "contents", "l"]).code, 0);
        let changed = shell(&ground.tree(), change);
        assert_eq!(changed.code, 0, "{what}: {changed:?}");
        let now = ground.listing();
        let ran = ground.run(&["undo", "-y"]);
        match refusal {
            None => {
                assert_eq!(ran.code, 0, "{what}: {ran:?}");
                assert_eq!(ground.listing(), before, "{what}");
            }
            Some(refusal) => {
                assert_eq!(ran.code, 1, "{what}: {ran:?}");
                assert!(ran.err.contains(refusal), "{what}: {ran:?}");
                assert_eq!(ground.listing(), now, "{what}");
            }
        }
    }
}

fn closed() {
    let ground = Ground::with(&["real/shut/in/f", "own/l -> ../real"]);
    let (tree, scratch) = (ground.tree(), ground.scratch());
    crafted::allow(&tree.join("real/shut/in"), 0o500);
    crafted::allow(&tree.join("real/shut"), 0o555);
    let given = shell(&scratch.path(), "chown -Rh 65534:65534 tree state home");
    assert_eq!(given.code, 0, "{given:?}");
    let before = ground.listing();
    let run = |arguments: &[&str]| {
        let mut command = crate::support::as_nobody(scratch);
        command.current_dir(&tree).env("HOME", scratch.join("home"));
        command.env("XDG_STATE_HOME", scratch.join("state"));
        Ran::from(command.args(arguments).output().expect("linkwell can be started"))
    };
    let ran = run(&["convert", "-y", "--to", "contents", "own/l"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(listing(&tree.join("own/l")), listing(&tree.join("real")));
    // The control: the plain way to remove it is refused.
    let mut plain = Command::new("rm");
    let plain = std::os::unix::process::CommandExt::uid(
        plain.arg("-rf").arg(tree.join("own/l/shut/in/f")),
        65534,
    );
    assert!(!plain.output().expect("rm").status.success());
    let ran = run(&["undo", "-y"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ground.listing(), before);
}

/// Runs a line of shell in a mount namespace of its own, in the tree, with `run` for linkwell.
fn apart(ground: &Ground, script: &str) -> Ran {
    let script = format!(
        "export HOME=$PWD/../home XDG_STATE_HOME=$PWD/../state\nrun() {{ \"$L\" \"$@\" 2>&1; echo \"= $?\"; }}\n{script}"
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-c", &script]);
    command.current_dir(ground.tree()).env("L", LINKWELL);
    command.output().expect("unshare can be started").into()
}

fn volumes() {
    let ground = Ground::with(&[
        "real/a/f",
        "real/m/",
        "l -> real",
        "disk/",
        "big -> disk",
        "one -> disk/f",
    ]);
    let ran = apart(
        &ground,
        "mount -t tmpfs none disk; mkdir disk/sub; echo x >disk/f; echo y >disk/sub/g
        mount --bind real/a real/m
        run convert -y --to contents l
        umount real/m; mount -t tmpfs none real/m; run convert -y --to contents l; umount real/m
        run convert -y --to hard one
        run convert -y --to contents one big
        umount disk; cat one big/f big/sub/g; run undo -y",
    );
    let codes: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("= ")).collect();
    assert_eq!(codes, ["= 1", "= 1", "= 1", "= 0", "= 1"], "{ran:?}");
    assert_eq!(ran.out.matches("another volume is mounted in it, at").count(), 2, "{ran:?}");
    assert!(ran.out.contains("the two lie on different volumes"), "{ran:?}");
    assert!(ran.out.contains("\nx\nx\ny\n"), "{ran:?}");
    // Without the disk nobody can compare, so the copies stay.
    assert!(ground.tree().join("big/sub/g").exists());
    assert_eq!(ground.strays(), Vec::<String>::new());
}

fn full() {
    let ground = Ground::with(&["real/", "small/", "few/"]);
    for number in 0..20 {
        std::fs::write(ground.tree().join(format!("real/{number}")), vec![1; 10_000])
            .expect("a file");
    }
    let ran = apart(
        &ground,
        "mount -t tmpfs -o size=100k none small; mount -t tmpfs -o size=1m,nr_inodes=9 none few
        ln -s ../real small/l; ln -s ../real few/l
        run convert -y --to contents small/l; ls -A small; readlink small/l
        run convert -y --to contents few/l; ls -A few; readlink few/l
        mount -o remount,nr_inodes=99 few; run convert -y --to contents few/l; ls few/l | wc -l",
    );
    assert!(ran.out.contains("a copy takes 200.0 kB, and there is room for"), "{ran:?}");
    assert!(ran.out.contains("no space left on device"), "{ran:?}");
    assert!(ran.out.contains("= 1\nl\n../real\n"), "{ran:?}");
    assert_eq!(ran.out.matches("= 1\nl\n../real\n").count(), 2, "{ran:?}");
    assert!(ran.out.ends_with("= 0\n20\n"), "{ran:?}");
}

/// Runs linkwell below strace, which does `inject` to it.
fn traced(ground: &Ground, inject: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("strace");
    let call = inject.split(':').next().unwrap_or_default();
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    command.args(["-e", &format!("inject={inject}"), LINKWELL]).args(arguments);
    command.current_dir(ground.tree()).env("HOME", ground.scratch().join("home"));
    command.env("XDG_STATE_HOME", ground.scratch().join("state"));
    command
}

fn killed() {
    let calls = [
        "mkdirat",
        "copy_file_range",
        "linkat",
        "symlinkat",
        "mknodat",
        "fchownat",
        "fchmod",
        "utimensat",
        "setxattr",
        "syncfs",
        "renameat2",
        "unlinkat",
        "fsync",
        "ftruncate",
    ];
    let (mut points, mut finished) = (0, 0);
    for call in calls {
        for when in 1.. {
            let ground = Ground::with(&[
                "real/a/f",
                "real/a/h == real/a/f",
                "real/in -> a/f",
                "real/p |",
                "l -> real",
            ]);
            crafted::link(&ground.tree().join("real"), b"x", b"y");
            let sparse = std::fs::File::create(ground.tree().join("real/sparse")).expect("a file");
            sparse.set_len(1 << 20).expect("a hole");
            let before = ground.listing();
            let inject = format!("{call}:signal=KILL:when={when}");
            let ran =
                traced(&ground, &inject, &["convert", "-y", "--to", "contents", "l"]).output();
            if ran.expect("strace can be started").status.success() {
                break;
            }
            points += 1;
            let ran = ground.run(&["recover", "-y"]);
            assert_eq!(ran.code, 0, "{inject}: {ran:?}");
            let now = ground.listing();
            if now != before {
                // The only other end: all was done and durable, and its record says so.
                assert_eq!(
                    listing(&ground.tree().join("l")),
                    listing(&ground.tree().join("real")),
                    "{inject}"
                );
                assert!(
                    ran.err.contains("it had ended") || ran.err.contains("nothing was interrupted"),
                    "{inject}: {ran:?}"
                );
                finished += 1;
            }
            assert_eq!(ground.strays(), Vec::<String>::new(), "{inject}");
            let again = ground.run(&["recover", "-y"]);
            assert!(again.err.contains("nothing was interrupted"), "{inject}: {again:?}");
        }
    }
    println!("convert: killed at {points} calls, of which {finished} came after the end");
    // What comes after the end is the last words of the record, and the catalogue.
    assert!(points - finished > 25, "{points} {finished}");
}

/// Starts a copy that stops when its first byte is copied; waits until it has.
fn held_up(ground: &Ground) -> (std::process::Child, i32) {
    let mut command =
        traced(ground, "pwrite64:signal=STOP:when=1", &["convert", "-y", "--to", "contents", "l"]);
    command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let child = command.spawn().expect("strace can be started");
    let tracer = child.id();
    let asked = std::time::Instant::now();
    loop {
        let children = std::fs::read_to_string(format!("/proc/{tracer}/task/{tracer}/children"));
        let pid =
            children.ok().and_then(|text| text.split_whitespace().next()?.parse::<i32>().ok());
        let staged = listing_has_staged(&ground.tree());
        if let Some(pid) = pid.filter(|_| staged) {
            let threads = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten();
            let stopped = threads.flatten().all(|thread| {
                let status =
                    std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
                let state = status.rsplit(") ").next().unwrap_or_default();
                state.starts_with('t') || state.starts_with('T')
            });
            if stopped {
                return (child, pid);
            }
        }
        assert!(asked.elapsed().as_secs() < 60, "it never came to copying");
        std::thread::yield_now();
    }
}

fn listing_has_staged(tree: &Path) -> bool {
    let entries = std::fs::read_dir(tree).into_iter().flatten().flatten();
    entries.into_iter().any(|entry| entry.file_name().as_bytes().starts_with(b".linkwell-"))
}

fn go_on(child: std::process::Child, pid: i32, signal: rustix::process::Signal) -> Ran {
    let pid = rustix::process::Pid::from_raw(pid).expect("a process");
    rustix::process::kill_process(pid, signal).expect("a signal");
    rustix::process::kill_process(pid, rustix::process::Signal::CONT).expect("a signal");
    child.wait_with_output().expect("its output").into()
}

fn changed() {
    let (mut again, mut refused) = (0, 0);
    for change in [
        "echo more >>real/f",
        "touch real/f",
        "echo new >real/g",
        "rm real/f",
        "mv real other; mkdir real",
    ] {
        let ground = Ground::with(&["real/f", "l -> real"]);
        let (child, pid) = held_up(&ground);
        let did = shell(&ground.tree(), change);
        assert_eq!(did.code, 0, "{change}: {did:?}");
        let ran = go_on(child, pid, rustix::process::Signal::CONT);
        assert_eq!(ground.strays(), Vec::<String>::new(), "{change}");
        // What has changed is copied once more, so that the copy is what is there in the end.
        if ran.code == 0 {
            let (copy, now) = (ground.tree().join("l"), ground.tree().join("real"));
            assert_eq!(listing(&copy), listing(&now), "{change}: {ran:?}");
            again += 1;
            continue;
        }
        assert_eq!(ran.code, 1, "{change}: {ran:?}");
        assert!(ran.err.contains("was changed by somebody else meanwhile"), "{change}: {ran:?}");
        refused += 1;
        let link = std::fs::read_link(ground.tree().join("l"));
        assert_eq!(link.ok().as_deref().map(Path::as_os_str), Some(OsStr::new("real")), "{change}");
    } // Another folder in its place is no state of it.
    assert!(again > 0 && refused > 0, "{again} copied again, {refused} refused");
}

fn stopped() {
    let ground = Ground::with(&["real/f", "real/z", "l -> real"]);
    let before = ground.listing();
    let (child, pid) = held_up(&ground);
    let ran = go_on(child, pid, rustix::process::Signal::INT);
    assert_eq!(ran.code, 130, "{ran:?}");
    assert!(ran.err.contains("everything is as it was before"), "{ran:?}");
    assert_eq!(ground.listing(), before);
}
