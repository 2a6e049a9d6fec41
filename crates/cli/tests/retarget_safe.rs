//! `linkwell retarget`: what must hold whatever happens beside it.

use super::{ok, text};
use crate::support::{Ground, LINKWELL, as_nobody};
use libtest_mimic::Trial;
use linkwell_testkit::crafted;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, XattrFlags};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

pub(crate) fn trials() -> Vec<Trial> {
    let root = [Need::Root];
    vec![
        test("retarget: times are kept, and brought back", times_stay),
        test_with("retarget: owner, group and attributes are kept", &root, attributes_stay),
        test_with("retarget: what a user may not keep is no error", &root, as_far_as_may_be),
        test_with("retarget: another user's link in a shared folder is left alone", &root, shared),
        test_with("retarget: another user's link on the way is not followed", &root, foreign_way),
        test_with(
            "retarget: 500 of 1,000 fail, and one undo takes back the rest",
            &root,
            half_fail,
        ),
        test_with(
            "retarget: an immutable folder is a clean refusal",
            &[Need::Root, Need::Program("chattr"), Need::Program("unshare"), Need::LoopDevices],
            immutable,
        ),
        test_with(
            "retarget: a read-only volume is a clean refusal",
            &[Need::Root, Need::Program("unshare")],
            read_only,
        ),
        test_with(
            "retarget: a full volume is a clean refusal",
            &[Need::Root, Need::Program("unshare")],
            full,
        ),
        test("retarget: a name is never missing", never_missing),
        test("retarget: somebody else's change wins, and is said", compare_and_swap),
    ]
}

/// Gives all of a tree to the user without rights, links themselves and not what they lead to.
pub(super) fn give(top: &Path) {
    let ran = Command::new("chown").args(["-Rh", "65534:65534"]).arg(top).status();
    assert!(ran.expect("chown can be started").success());
}

fn set_times(link: &Path, seconds: i64) {
    let spec = |nanoseconds| Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    let times = Timestamps { last_access: spec(5), last_modification: spec(123_456_789) };
    rustix::fs::utimensat(CWD, link, &times, AtFlags::SYMLINK_NOFOLLOW).expect("times can be set");
}

fn times_stay() {
    let ground = Ground::with(&["f", "g", "l -> f"]);
    let link = ground.tree().join("l");
    set_times(&link, 1_000_000_000);
    let time = || {
        let status = link.symlink_metadata().expect("a link");
        (status.mtime(), status.mtime_nsec())
    };
    let before = ground.listing();
    ok(&ground.run(&["retarget", "l", "--to", "g", "-y"]));
    assert_eq!((text(&ground, "l").as_str(), time()), ("g", (1_000_000_000, 123_456_789)));
    ok(&ground.run(&["undo", "-y"]));
    assert_eq!(ground.listing(), before);
}

fn attributes_stay() {
    let ground = Ground::with(&["f", "g", "l -> f"]);
    let link = ground.tree().join("l");
    let mark = || {
        let mut value = Vec::with_capacity(64);
        rustix::fs::lgetxattr(&link, "trusted.linkwell", rustix::buffer::spare_capacity(&mut value))
            .map(|_| value)
    };
    rustix::fs::lsetxattr(&link, "trusted.linkwell", b"a\0mark", XattrFlags::empty())
        .expect("a file system with such attributes");
    std::os::unix::fs::lchown(&link, Some(65534), Some(65533)).expect("root may");
    set_times(&link, 1_000_000_000);
    let before = ground.listing();
    ok(&ground.run(&["retarget", "l", "--to", "g", "-y"]));
    assert_eq!(mark().expect("it was kept"), b"a\0mark");
    assert_eq!(ground.listing(), before.replace("-> f", "-> g"));
    ok(&ground.run(&["undo", "-y"]));
    assert_eq!(mark().expect("it was brought back"), b"a\0mark");
    assert_eq!(ground.listing(), before);
}

fn as_far_as_may_be() {
    let ground = Ground::with(&["f", "g", "l -> f", "state/"]);
    let link = ground.tree().join("l");
    give(&ground.tree());
    std::os::unix::fs::lchown(&link, Some(0), Some(0)).expect("root may");
    set_times(&link, 1_000_000_000);
    let ran = nobodys(&ground, &["retarget", "l", "--to", "g", "-y"]);
    ok(&ran);
    let status = link.symlink_metadata().expect("a link");
    assert_eq!((status.uid(), status.mtime()), (65534, 1_000_000_000));
}

/// Runs linkwell as the user without rights in the tree, with a state folder there.
fn nobodys(ground: &Ground, arguments: &[&str]) -> Ran {
    let mut command = as_nobody(ground.scratch());
    command
        .current_dir(ground.tree())
        .env("HOME", ground.tree())
        .env("XDG_STATE_HOME", ground.tree().join("state"));
    command.args(arguments).output().expect("linkwell can be started").into()
}

fn shared() {
    let ground = Ground::with(&["s/theirs -> ../f", "s/mine -> ../f", "f", "g", "state/"]);
    let tree = ground.tree();
    crafted::allow(&tree.join("s"), 0o1777);
    std::os::unix::fs::lchown(tree.join("s/theirs"), Some(65534), None).expect("root may");
    let ran = ground.run(&["retarget", "--under", "s", "--from", "f", "--to", "g", "-y"]);
    assert!(ran.code == 3 && ran.err.contains("anyone may write to"), "{ran:?}");
    assert_eq!([text(&ground, "s/theirs"), text(&ground, "s/mine")], ["../f", "../g"]);
    // The other way round the kernel refuses.
    give(&tree.join("state"));
    let ran = nobodys(&ground, &["retarget", "s/mine", "--to", "f", "-y"]);
    assert_eq!((ran.code, text(&ground, "s/mine").as_str()), (1, "../g"), "{ran:?}");
    assert!(ground.strays().is_empty());
    ok(&nobodys(&ground, &["retarget", "s/theirs", "--to", "g", "-y"]));
}

fn foreign_way() {
    let ground = Ground::with(&["d/l -> f", "d/f", "d/g", "theirs -> d", "ours -> d"]);
    let tree = ground.tree();
    std::os::unix::fs::lchown(tree.join("theirs"), Some(65534), None).expect("root may");
    let before = ground.listing();
    for arguments in [["theirs/l", "--to", "d/g"], ["--under", "theirs", "--absolute"]] {
        let ran = ground.run(&[&["retarget", "-y"][..], &arguments].concat());
        assert!(ran.code == 1 && ran.err.contains("other people's"), "{ran:?}");
        assert_eq!(ground.listing(), before);
    }
    ok(&ground.run(&["retarget", "-y", "--under", "ours", "--absolute"]));
    assert_ne!(ground.listing(), before);
}

fn half_fail() {
    let mut lines: Vec<String> = Vec::new();
    for number in 0..500 {
        lines.push(format!("good/l{number} -> ../old/f{number}"));
        lines.push(format!("stuck/l{number} -> ../old/f{number}"));
    }
    lines.push("state/".into());
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let ground = Ground::with(&lines);
    let tree = ground.tree();
    give(&tree);
    crafted::allow(&tree.join("stuck"), 0o555);
    let before = listing_of(&ground);
    let ran = nobodys(&ground, &["retarget", "--under", ".", "--from", "old", "--to", "new", "-y"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(ran.err.matches("stuck/l").count(), 1000, "each is named, with its reason");
    assert!(ran.err.contains("done: 500 changes"), "{ran:?}");
    let after = listing_of(&ground);
    assert_eq!(after.matches("-> ../new/f").count(), 500);
    assert_eq!(after.matches("-> ../old/f").count(), 500);
    ok(&nobodys(&ground, &["undo", "-y"]));
    assert_eq!(listing_of(&ground), before);
}

/// The tree without the state folder in it.
fn listing_of(ground: &Ground) -> String {
    let listing = ground.listing();
    let lines: Vec<&str> = listing.lines().filter(|line| !line.starts_with("state")).collect();
    lines.join("\n")
}

/// Runs a script in a mount namespace of its own, in the tree, with linkwell as `$L`.
fn in_namespace(ground: &Ground, script: &str) -> Ran {
    let mut command = Command::new("unshare");
    command
        .args(["-m", "--propagation", "private", "/bin/sh", "-euc", script])
        .current_dir(ground.tree())
        .env("L", LINKWELL)
        .env("HOME", ground.scratch().join("home"))
        .env("XDG_STATE_HOME", ground.scratch().join("state"))
        .stdin(Stdio::null());
    command.output().expect("unshare can be started").into()
}

/// What every clean refusal looks like: the link is as it was, no stray is left, the reason is said, and
/// once the obstacle is away all goes well.
const REFUSED: &str = "
    set +e; $L -q retarget v/l --to v/b -y 2>err; code=$?; set -e
    [ $code = 1 ] || { echo \"code $code\"; cat err; }
    [ \"$(readlink v/l)\" = a ] || echo changed
    ls -A v | grep linkwell || true
    grep -q \"$word\" err || cat err";

fn refused_then_done(ground: &Ground, before: &str, after: &str) {
    let then =
        "$L -q retarget v/l --to v/b -y 2>/dev/null; [ \"$(readlink v/l)\" = b ] || echo unchanged";
    let ran = in_namespace(ground, &format!("{before}\n{REFUSED}\n{after}\n{then}"));
    assert!(ran.code == 0 && ran.out.is_empty(), "{ran:?}");
}

fn immutable() {
    let ground = Ground::with(&["v/"]);
    let before = "
        truncate -s 8M img; mkfs.ext4 -q img; mount -o loop img v; cd v; touch a b; ln -s a l; cd ..
        chattr +i v; word='not permitted'";
    refused_then_done(&ground, before, "chattr -i v");
}

fn read_only() {
    let ground = Ground::with(&["v/a", "v/b", "v/l -> a"]);
    let before = "mount --bind v v; mount -o remount,bind,ro v; word='read-only'";
    refused_then_done(&ground, before, "mount -o remount,bind,rw v");
}

fn full() {
    // Neither room nor inodes are left, then one of the two, then both.
    let ground = Ground::with(&["v/"]);
    let fill = "touch a b; ln -s a l; cd ..";
    let before = format!("mount -t tmpfs -o nr_inodes=4 none v; cd v; {fill}; word='no space'");
    refused_then_done(&ground, &before, "mount -o remount,nr_inodes=9 v");
    let long = "x".repeat(3000);
    let before = format!(
        "mount -t tmpfs -o size=64k none v; cd v; {fill}
         dd if=/dev/zero of=v/fill bs=4k 2>/dev/null || true
         set +e; $L -q retarget v/l --to v/{long} --allow-broken -y 2>err; code=$?; set -e
         [ $code = 1 ] || echo \"code $code\"
         [ \"$(readlink v/l)\" = a ] || echo changed
         ls -A v | grep linkwell || true
         word='no space'; rm v/fill"
    );
    let ran = in_namespace(&ground, &before);
    assert!(ran.code == 0 && ran.out.is_empty(), "{ran:?}");
}

/// Reads each name again and again until it leads to `new`, and counts how often it was not there: the
/// reader is always at the very name that is being changed.
fn missing(folder: &Path, count: usize, new: &str, over: &AtomicBool) -> usize {
    let mut missing = 0;
    for number in 0..count {
        let path = folder.join(format!("l{number:04}"));
        loop {
            match std::fs::read_link(&path) {
                Ok(target) if target == Path::new(new) => break,
                Ok(_) if over.load(Ordering::SeqCst) => break,
                Ok(_) => {}
                Err(_) => missing += 1,
            }
        }
    }
    missing
}

fn never_missing() {
    const COUNT: usize = 2000;
    let mut lines = vec!["old".to_owned(), "new".to_owned()];
    lines.extend((0..COUNT).map(|number| format!("links/l{number:04} -> ../old")));
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let ground = Ground::with(&lines);
    let links = ground.tree().join("links");
    let watched = |new: &str, act: &dyn Fn()| {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let reader = scope.spawn(|| missing(&links, COUNT, new, &over));
            act();
            over.store(true, Ordering::SeqCst);
            reader.join().expect("a reader")
        })
    };
    let seen = watched("../new", &|| {
        let wanted = ["retarget", "--under", "links", "--from", "old", "--to", "new", "-y"];
        ok(&ground.run(&wanted));
    });
    assert_eq!(seen, 0);
    assert_eq!(watched("../old", &|| ok(&ground.run(&["undo", "-y"]))), 0);
    // The reader does see it where a name is missing for a moment.
    let seen = watched("../new", &|| {
        for number in 0..COUNT {
            let link = links.join(format!("l{number:04}"));
            std::fs::remove_file(&link).expect("it is there");
            std::thread::yield_now();
            std::os::unix::fs::symlink("../new", &link).expect("it is not there");
        }
    });
    assert!(seen > 0, "the reader sees nothing at all");
}

fn compare_and_swap() {
    let mut refused = 0;
    for round in 0..25 {
        let ground = Ground::with(&["a", "b", "c", "l -> a", "aside/"]);
        let tree = ground.tree();
        let over = AtomicBool::new(false);
        let ran = std::thread::scope(|scope| {
            let other = scope.spawn(|| {
                let mut turn = 0;
                while !over.load(Ordering::SeqCst) {
                    let fresh = tree.join("aside/fresh");
                    turn += 1;
                    // The last thing it puts there is a real file, and there it stays; by then our
                    // program has begun.
                    if turn == 20 * (round + 1) {
                        std::fs::write(&fresh, b"precious").expect("a file");
                        std::fs::rename(&fresh, tree.join("l")).expect("it replaces");
                        return;
                    }
                    std::os::unix::fs::symlink("b", &fresh).expect("a link");
                    std::fs::rename(&fresh, tree.join("l")).expect("it replaces");
                }
            });
            let ran = ground.run(&["retarget", "l", "--to", "c", "--allow-broken", "-y"]);
            over.store(true, Ordering::SeqCst);
            other.join().expect("the other");
            ran
        });
        assert!(matches!(ran.code, 0 | 1), "{ran:?}");
        refused += usize::from(ran.code == 1);
        assert!(ran.code == 0 || ran.err.contains("`l`"), "it is said what was not done: {ran:?}");
        assert_eq!(ground.strays(), Vec::<String>::new(), "round {round}: {ran:?}");
        let status = tree.join("l").symlink_metadata().expect("the name is there");
        if status.is_file() {
            assert_eq!(std::fs::read(tree.join("l")).expect("a file"), b"precious", "{ran:?}");
        } else {
            let target = text(&ground, "l");
            assert!(["b", "c"].contains(&target.as_str()), "{target}: {ran:?}");
            assert!(!over.load(Ordering::SeqCst) || target != "a");
        }
    }
    assert!(refused > 0, "nobody ever came between");
}
