//! What a move must refuse, keep and say: traps that stand there before it begins, and other people's
//! property. Each refusal leaves everything as it was; beside it stands what must pass, and where an
//! ordinary tool is harmed, that it is.

#![expect(
    clippy::disallowed_methods,
    reason = "a test is the attacker, and looks at its trees by itself"
)]

use crate::move_field::{Field, files, seen};
use crate::support::{Ground, as_nobody, objects, shell};
use libtest_mimic::Trial;
use linkwell_testkit::crafted::allow;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::make;
use linkwell_testkit::volume::{Kind, Volume, alone};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_bind, unmount};
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, lchown, symlink};
use std::path::Path;

const NOBODY: u32 = 65534;

pub(crate) fn trials() -> Vec<Trial> {
    fn root(name: &str, run: fn()) -> Trial {
        test_with(name, &[Need::Root], move || alone(run))
    }
    let exfat = Kind::Exfat.needs();
    vec![
        root("move safety: a way through somebody's link is refused, there and back", foreign),
        root("move safety: a new name that is taken is nobody's to take", taken),
        test("move safety: paths as they can be typed", typed),
        root("move safety: into itself, by every spelling, link and mount", itself),
        root("move safety: names of one file stay one, those outside are told", hard_links),
        root("move safety: a volume in it, or on it, stays", mounts),
        root("move safety: somebody who owns only some of it", nobodys),
        root("move safety: a folder where only owners may remove", sticky),
        root("move safety: no foreign right is given when the owner is lost", set_id),
        root("move safety: names that would write to a terminal", hostile_names),
        root("move safety: times of the future and of the past decide nothing", clocks),
        test_with(
            "move safety: after a crash the clock may say anything",
            &[Need::Root, Need::Program("strace"), Need::Program("unshare")],
            || alone(other_clock),
        ),
        test_with("move safety: names that a volume cannot hold apart", &exfat, || {
            alone(narrow_names);
        }),
    ]
}

/// Refused, with these words, and nothing changed.
fn refused(field: &Field, typed: &[&str], words: &[&str]) {
    let before = field.ground.listing();
    let there = files(&field.other());
    let ran = field.run(typed);
    assert_eq!(ran.code, 1, "{typed:?}: {ran:?}");
    for word in words {
        assert!(ran.err.contains(word), "{typed:?}: no `{word}`: {ran:?}");
    }
    assert_eq!(field.ground.listing(), before, "{typed:?}: {ran:?}");
    assert_eq!(files(&field.other()), there, "{typed:?}: {ran:?}");
    field.outside(&format!("{typed:?}"));
}

/// Done, and undone: then everything is as before.
fn passes(field: &Field, typed: &[&str]) {
    let before = field.ground.listing();
    let ran = field.run(typed);
    assert_eq!(ran.code, 0, "{typed:?}: {ran:?}");
    field.outside(&format!("{typed:?}"));
    let ran = field.run(&["undo", "-y"]);
    assert_eq!(ran.code, 0, "{typed:?}: {ran:?}");
    assert_eq!(timeless(&field.ground.listing()), timeless(&before), "{typed:?}");
}

/// A listing without the times: links that a move dropped are made again, and are new.
fn timeless(listing: &str) -> Vec<String> {
    let line = |line: &str| match (line.find(" ("), line.find(") ")) {
        (Some(from), Some(to)) if from < to => {
            let (head, rest) = line.split_at(from);
            format!("{head}{}", rest.get(to - from..).unwrap_or_default())
        }
        _ => line.to_owned(),
    };
    listing.lines().map(line).collect()
}

fn own(path: &Path, owner: u32) {
    lchown(path, Some(owner), Some(owner)).expect("an owner");
}

fn foreign() {
    for across in [true, false] {
        let field = Field::with(&["d/f", "real/e/g", "theirs -> real", "v -> real"], across);
        symlink(field.there(), field.at("there")).expect("a link");
        // The old path, the new one, and both the way and the end of what comes home.
        let ways: [(&str, &[&str]); 4] = [
            ("theirs", &["move", "-y", "--no-refs", "theirs/e", "@/e"]),
            ("there", &["move", "-y", "--no-refs", "d", "there/d"]),
            ("there", &["move", "-y", "--no-refs", "d", "there/"]),
            ("there", &["move", "-y", "--no-refs", "d", "there/../t/d"]),
        ];
        for (link, typed) in ways {
            own(&field.at(link), NOBODY);
            refused(&field, typed, &[link, "belongs to nobody"]);
            own(&field.at(link), 0);
            passes(&field, typed);
        }
        // What comes home is named by links: this one, and the next.
        assert_eq!(field.run(&["move", "-y", "--no-refs", "d", "@/d"]).code, 0);
        symlink(field.at("d"), field.at("second")).expect("a link");
        for (link, typed) in [("d", "d"), ("d", "second"), ("second", "second")] {
            own(&field.at(link), NOBODY);
            refused(
                &field,
                &["move", "-y", "--no-refs", "--back", typed],
                &[link, "belongs to nobody"],
            );
            own(&field.at(link), 0);
        }
        // A link of somebody's to what root alone may touch.
        own(&field.at("a/q"), NOBODY);
        refused(
            &field,
            &["move", "-y", "--no-refs", "--back", "a/q"],
            &["a/q", "belongs to nobody"],
        );
        // By paths it would have been taken.
        let naive =
            shell(&field.at("a"), "cp -a q/. n && rm -r \"$(readlink q)\" && ! test -e q/d");
        assert_eq!(naive.code, 0, "{naive:?}");
        make(&field.canary, &["d/f"]);
        assert_eq!(field.run(&["move", "-y", "--no-refs", "--back", "second"]).code, 0);
        assert!(field.at("second/f").is_file());
    }
}

fn taken() {
    for across in [true, false] {
        let field = Field::new(across);
        let name = field.there().join("d");
        let go: &[&str] = &["move", "-y", "--no-refs", "a/p/d", "@/d"];
        fs::write(&name, b"theirs").expect("a file");
        refused(&field, go, &["there is a file at", "already"]);
        fs::remove_file(&name).expect("a file");
        make(&field.there(), &["d/"]);
        refused(&field, go, &["there is a folder at", "end the path in a slash"]);
        fs::remove_dir(&name).expect("a folder");
        for target in [field.canary.clone(), field.canary.join("nothing")] {
            symlink(target, &name).expect("a link");
            refused(&field, go, &["there is a", "link at", "already"]);
            fs::remove_file(&name).expect("a link");
        }
        // With a slash it goes into the folder behind one's own link, and through nobody else's.
        symlink(&field.canary, field.there().join("into")).expect("a link");
        own(&field.there().join("into"), NOBODY);
        refused(&field, &["move", "-y", "--no-refs", "a/p/d", "@/into/"], &["belongs to nobody"]);
        passes(&field, go);
        // GNU's follows the link at the name.
        let there = field.there();
        symlink(field.canary.join("sub"), &name).expect("a link");
        let line = format!("mv a/p/d {}", there.join("d").display());
        assert_eq!(shell(&field.ground.tree(), &line).code, 0);
        assert!(field.canary.join("sub/d/f").is_file(), "it harms nobody");
    }
}

fn typed() {
    let ground = Ground::with(&["d/f", "d/sub/g", "e/x", "f", "l -> d"]);
    let before = ground.listing();
    let long = "n".repeat(256);
    let deep = format!("{}x", "e/../".repeat(1000));
    // Not `/` as a place to go to: as root that works, and would leave something there.
    let no: [(&str, &str); 21] = [
        ("", "e/n"),
        (".", "e/n"),
        ("..", "e/n"),
        ("/", "e/n"),
        ("d/.", "e/n"),
        ("d/..", "e/n"),
        ("d/sub/..", "e/n"),
        ("f/", "e/n"),
        ("nothing", "e/n"),
        ("l", "e/n"),
        ("l/", "e/n"),
        (&long, "e/n"),
        ("d", ""),
        ("d", "."),
        ("d", "e/.."),
        ("d", "e/n/."),
        ("d", "nothing/"),
        ("d", "nothing/n"),
        ("d", "f/"),
        ("d", "f/n"),
        ("d", &long),
    ];
    for (path, dest) in no {
        let ran = ground.run(&["move", "-y", "--no-refs", path, dest]);
        assert_eq!(ran.code, 1, "{path:?} {dest:?}: {ran:?}");
        assert!(ran.err.contains("error: "), "{path:?} {dest:?}: {ran:?}");
        assert_eq!(ground.listing(), before, "{path:?} {dest:?}: {ran:?}");
    }
    let yes = [
        ("d/", "e/n", "e/n"),
        ("d//", ".//e//n", "e/n"),
        ("./d", "e/", "e/d"),
        ("e/../d", "n", "n"),
        ("f", "e/", "e/f"),
        ("l/sub", "l/n", "d/n"),
        ("d", "n", "n"),
        ("d", &deep, "x"),
        ("d", "-n", "-n"),
        ("d/sub", "d/..", "sub"),
        ("f", "e/.", "e/f"),
    ];
    for (path, dest, place) in yes {
        let ran = ground.run(&["move", "-y", "--no-refs", "--", path, dest]);
        assert_eq!(ran.code, 0, "{path:?} {dest:?}: {ran:?}");
        assert!(fs::symlink_metadata(ground.tree().join(place)).is_ok_and(|now| !now.is_symlink()));
        let trimmed = path.trim_end_matches('/');
        assert!(
            fs::symlink_metadata(ground.tree().join(trimmed)).is_ok_and(|now| now.is_symlink())
        );
        assert_eq!(ground.run(&["undo", "-y"]).code, 0, "{path:?} {dest:?}");
        assert_eq!(ground.listing(), before, "{path:?} {dest:?}");
    }
}

fn itself() {
    let field =
        Field::with(&["d/f", "d/sub/g", "l -> d/sub", "m -> d", "o/x", "bound/", "up/"], true);
    let (d, tree) = (field.at("d"), field.ground.tree());
    mount_bind(&d, field.at("bound")).expect("a mount");
    mount_bind(&tree, field.at("up")).expect("a mount");
    let beyond = field.other().join("bound");
    fs::create_dir(&beyond).expect("a folder");
    mount_bind(d.join("sub"), &beyond).expect("a mount");
    let beyond_name = beyond.join("n");
    let beyond_name = beyond_name.to_str().expect("a plain path");
    for dest in [
        "d/n",
        "d/sub/n",
        "./d/sub/../n",
        "o/../d/",
        "l/n",
        "m/sub/",
        "bound/n",
        "bound/sub/n",
        "up/d/sub/n",
        "up/bound/../d/n",
        beyond_name,
    ] {
        // Text alone would let most of them pass.
        refused(&field, &["move", "-y", "--no-refs", "d", dest], &["error: "]);
    }
    for dest in ["d", "./d", "o/../d", "up/d"] {
        refused(&field, &["move", "-y", "--no-refs", "d", dest], &["what is to be moved"]);
        refused(&field, &["move", "-y", "--no-refs", "o/../d", dest], &["what is to be moved"]);
    }
    // Out of it, up, and beside it, it can go.
    for (path, dest) in [("d/sub", "n"), ("d/f", "d/n"), ("o", "d/n")] {
        passes(&field, &["move", "-y", "--no-refs", path, dest]);
    }
    let mounts = [field.at("bound"), field.at("up"), beyond];
    mounts.iter().for_each(|at| unmount(at, UnmountFlags::DETACH).expect("a mount"));
}

fn hard_links() {
    let field = Field::with(&["d/f", "d/sub/g == d/f", "d/h", "o == d/h"], true);
    let shown = field.run(&["move", "-n", "--no-refs", "d", "@/d"]);
    assert!(shown.out.contains("1 file in it has names outside, too"), "{shown:?}");
    assert!(shown.out.contains("d/h"), "{shown:?}");
    let inode = |path: &Path| fs::metadata(path).map(|now| (now.dev(), now.ino())).expect("a file");
    let old = inode(&field.at("o"));
    assert_eq!(field.run(&["move", "-y", "--no-refs", "d", "@/d"]).code, 0);
    let d = field.at("d");
    assert_eq!(inode(&d.join("f")), inode(&d.join("sub/g")), "two files out of one");
    assert_eq!((inode(&field.at("o")), fs::read(field.at("o")).ok()), (old, Some(b"d/h".to_vec())));
    assert_eq!(fs::read(d.join("h")).ok(), Some(b"d/h".to_vec()));
    assert_ne!(inode(&d.join("h")), old);
    // A tool that does not mind makes two of one.
    assert_eq!(shell(&field.ground.tree(), "cp -r d/. n").code, 0);
    assert_ne!(inode(&field.at("n/f")), inode(&field.at("n/sub/g")));
    assert_eq!(field.run(&["undo", "-y"]).code, 0);
    assert_eq!(inode(&d.join("f")), inode(&d.join("sub/g")));
}

fn mounts() {
    let field = Field::with(&["d/f", "d/in/", "on/"], true);
    for at in ["d/in", "on"] {
        mount("linkwell-test", field.at(at), "tmpfs", MountFlags::empty(), c"size=1m")
            .expect("tmpfs");
        make(&field.at(at), &["precious"]);
    }
    for typed in [
        &["move", "-y", "--no-refs", "d", "@/d"][..],
        &["move", "-y", "--no-refs", "d", "e"],
        &["move", "-y", "--no-refs", "d/in", "@/in"],
        &["move", "-y", "--no-refs", "on", "@/on"],
        &["move", "-y", "--no-refs", "on", "e"],
        &["move", "-y", "--no-refs", "on", "e", "--no-link"],
    ] {
        refused(&field, typed, &["a volume is mounted"]);
        assert!(field.at("on/precious").is_file() && field.at("d/in/precious").is_file());
    }
    // Out of a volume something can be moved.
    passes(&field, &["move", "-y", "--no-refs", "on/precious", "@/n"]);
    // GNU's empties the volume.
    let line = format!("mv d {}", field.there().join("d").display());
    assert_ne!(shell(&field.ground.tree(), &line).code, 0);
    assert!(!field.at("d/in/precious").exists(), "it harms nobody");
    for at in ["d/in", "on"] {
        unmount(field.at(at), UnmountFlags::DETACH).expect("a mount");
    }
}

/// Gives a whole tree, and the folder that it goes to, to nobody.
fn give_all(field: &Field) {
    let scratch = field.ground.scratch().path();
    for name in ["tree", "home", "state"] {
        let mut todo = vec![scratch.join(name)];
        while let Some(path) = todo.pop() {
            own(&path, NOBODY);
            if fs::symlink_metadata(&path).expect("it is there").is_dir() {
                todo.extend(
                    fs::read_dir(&path).expect("a folder").map(|one| one.expect("one").path()),
                );
            }
        }
    }
    own(&field.there(), NOBODY);
    allow(&field.other(), 0o755);
    let above = field.other();
    allow(above.parent().expect("a folder above"), 0o755);
}

/// Runs linkwell as nobody.
fn nobody(field: &Field, typed: &[&str]) -> Ran {
    let mut command = as_nobody(field.ground.scratch());
    command.current_dir(field.ground.tree());
    command.env("HOME", field.ground.scratch().join("home"));
    command.env("XDG_STATE_HOME", field.ground.scratch().join("state"));
    command.args(field.typed(typed)).output().expect("linkwell").into()
}

/// Refused to nobody, and nothing changed.
fn refused_to_nobody(field: &Field, typed: &[&str], words: &[&str]) {
    let before = (field.ground.listing(), field.files());
    let ran = nobody(field, typed);
    assert_eq!(ran.code, 1, "{typed:?}: {ran:?}");
    for word in words {
        assert!(ran.err.contains(word), "{typed:?}: no `{word}`: {ran:?}");
    }
    assert_eq!((field.ground.listing(), field.files()), before, "{typed:?}: {ran:?}");
}

const ACROSS: &[&str] = &["move", "-y", "--no-refs", "d", "@/d"];

fn nobodys() {
    let field = Field::with(&["d/f", "d/sub/g", "closed/d/f"], true);
    give_all(&field);
    let (f, sub) = (field.at("d/f"), field.at("d/sub"));
    // Nothing but its own: there and back.
    let ran = nobody(&field, ACROSS);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(nobody(&field, &["undo", "-y"]).code, 0);
    // A file that it may not read.
    own(&f, 0);
    allow(&f, 0o600);
    refused_to_nobody(&field, ACROSS, &["you may not read", "d/f"]);
    // One that it may, but whose owner would be lost.
    allow(&f, 0o644);
    refused_to_nobody(&field, ACROSS, &["owner", "--accept-loss"]);
    // A folder that it may not remove anything from: GNU's has moved half of it by then.
    own(&f, NOBODY);
    own(&sub, 0);
    refused_to_nobody(&field, ACROSS, &["remove anything from", "d/sub"]);
    refused_to_nobody(
        &field,
        &["move", "-y", "--no-refs", "d", "@/d", "--accept-loss", "owner"],
        &["remove anything from", "d/sub"],
    );
    // Within the volume it is one name that changes, whatever is in it.
    let ran = nobody(&field, &["move", "-y", "--no-refs", "d", "e"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(nobody(&field, &["undo", "-y"]).code, 0);
    // Out of, or into a folder of somebody else's: no.
    own(&field.at("closed"), 0);
    refused_to_nobody(&field, &["move", "-y", "--no-refs", "closed/d", "e"], &["error: "]);
    refused_to_nobody(&field, &["move", "-y", "--no-refs", "closed/d", "@/d"], &["error: "]);
    refused_to_nobody(&field, &["move", "-y", "--no-refs", "d", "closed/e"], &["error: "]);
    own(&sub, NOBODY);
    own(&field.there(), 0);
    refused_to_nobody(&field, ACROSS, &["error: "]);
}

fn sticky() {
    let field = Field::with(&["t/mine/f", "t/roots/f", "d/tmp/theirs", "d/f"], true);
    give_all(&field);
    for folder in ["t", "d/tmp"] {
        chown(field.at(folder), Some(0), Some(0)).expect("an owner");
        allow(&field.at(folder), 0o1777);
    }
    for path in ["t/roots", "t/roots/f", "d/tmp/theirs"] {
        own(&field.at(path), 0);
    }
    for (path, dest) in [("t/roots", "e"), ("t/roots", "@/e"), ("t/roots/f", "@/e")] {
        refused_to_nobody(&field, &["move", "-y", "--no-refs", path, dest], &["error: "]);
    }
    refused_to_nobody(
        &field,
        &["move", "-y", "--no-refs", "d", "@/d", "--accept-loss", "owner"],
        &["d/tmp"],
    );
    for dest in ["e", "@/e"] {
        let ran = nobody(&field, &["move", "-y", "--no-refs", "t/mine", dest]);
        assert_eq!(ran.code, 0, "{ran:?}");
        let ran = nobody(&field, &["undo", "-y"]);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
}

fn set_id() {
    let field = Field::with(&["d/f", "d/g"], true);
    give_all(&field);
    own(&field.at("d/f"), 0);
    allow(&field.at("d/f"), 0o6755);
    allow(&field.at("d/g"), 0o4755);
    refused_to_nobody(&field, ACROSS, &["owner", "--accept-loss"]);
    let ran = nobody(
        &field,
        &["move", "-y", "--no-refs", "d", "@/d", "--accept-loss", "owner,permissions"],
    );
    let ran = if ran.code == 2 {
        nobody(&field, &["move", "-y", "--no-refs", "d", "@/d", "--accept-loss", "owner"])
    } else {
        ran
    };
    let now = fs::metadata(field.there().join("d/f"));
    let Ok(now) = now else { unreachable!("it was not moved: {ran:?}") };
    assert_eq!(
        (now.uid(), now.mode() & 0o7000),
        (NOBODY, 0),
        "a right that root had given: {ran:?}"
    );
    // Its own it may keep.
    let own = fs::metadata(field.there().join("d/g")).expect("a file");
    assert_eq!((own.uid(), own.mode() & 0o7777), (NOBODY, 0o4755));
    // By hand, as one must not.
    let (old, new) = (field.at("x"), field.at("y"));
    fs::write(&old, b"x").expect("a file");
    allow(&old, 0o4755);
    fs::copy(&old, &new).expect("a copy");
    lchown(&new, Some(NOBODY), None).expect("an owner");
    allow(&new, fs::metadata(&old).expect("a file").permissions().mode());
    assert_eq!(fs::metadata(&new).expect("a file").mode() & 0o7000, 0o4000);
}

/// Nothing in it makes a terminal do something, and no line is forged.
fn is_calm(ran: &Ran) {
    for text in [&ran.out, &ran.err] {
        let raw = text.chars().find(|one| one.is_control() && *one != '\n');
        assert_eq!(raw, None, "{ran:?}");
        assert!(!text.lines().any(|line| line.starts_with("forged")), "{ran:?}");
        assert!(!text.contains('\u{202e}'), "{ran:?}");
    }
}

fn hostile_names() {
    let names =
        ["a\nforged: done", "\u{1b}[2Jx", "\u{1b}]0;x\u{7}", "\u{9b}2J", "\u{202e}x", "\r", "-rf"];
    for name in names {
        let field = Field::with(&["e/x"], true);
        let lines =
            [format!("top{name}/{name}"), format!("top{name}/h{name}"), format!("top{name}/p |")];
        make(&field.ground.tree(), &lines.each_ref().map(String::as_str));
        let top = field.at(&format!("top{name}"));
        fs::hard_link(top.join(format!("h{name}")), field.at("outside")).expect("a second name");
        let (path, dest) = (format!("./top{name}"), format!("@/new{name}"));
        let (back, inside) = (["move", "-y", "--back", &path], format!("{path}/{name}/x"));
        let before = seen(&top);
        for typed in [
            &["move", "-n", "--no-refs", &path, &dest][..],
            &["move", "-nv", "--no-refs", &path, &dest],
            &["move", "-y", "--no-refs", &path, &inside],
            &["move", "-y", "--no-refs", &path, &format!("nothing{name}/x")],
            &["move", "-y", "--no-refs", &format!("nothing{name}"), &dest],
            &["move", "-y", "--no-refs", &path, "e"],
            &["move", "-y", "--no-refs", "--json", &path, &dest],
            &["move", "-y", "--no-refs", &path, &dest],
            &["show", &path],
            &back,
            &["move", "-yv", "--no-refs", &path, &dest],
            &["undo", "-y"],
            &["log"],
            &["log", "1"],
        ] {
            let ran = field.run(typed);
            if typed.contains(&"--json") {
                // What stands for a byte there is the reader's matter: it must be one object a line.
                assert!(!objects(&ran).is_empty(), "{ran:?}");
            } else {
                is_calm(&ran);
            }
            assert!([0, 1].contains(&ran.code), "{typed:?}: {ran:?}");
        }
        assert_eq!(seen(&top), before, "{name:?}");
        assert!(fs::symlink_metadata(&top).is_ok_and(|now| now.is_dir()), "{name:?}");
        let ran = field.run(&["move", "-y", "--no-refs", &path, &dest]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(seen(&top), before, "{name:?}");
    }
    // The check sees what `ls` would have written.
    let ran = Ran { out: "a\nforged: done\u{1b}[2J".into(), err: String::new(), code: 0 };
    assert!(std::panic::catch_unwind(|| is_calm(&ran)).is_err());
}

/// Gives a path another time of change, in seconds.
fn dated(path: &Path, seconds: i64) {
    let time = rustix::fs::Timespec { tv_sec: seconds, tv_nsec: 123_456_789 };
    let times = rustix::fs::Timestamps { last_access: time, last_modification: time };
    let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, flags).expect("a time");
}

fn clocks() {
    // The year 2400, the last second of 1969, 1905.
    for seconds in [13_569_465_600, -1, -2_051_222_400] {
        let field = Field::with(&["d/f", "d/sub/g", "d/l -> f"], true);
        let all = ["d/f", "d/sub/g", "d/l", "d/sub", "d"];
        all.iter().for_each(|path| dated(&field.at(path), seconds));
        let there = || -> Vec<i64> {
            let time = |path: &&str| fs::symlink_metadata(field.at(path)).map(|now| now.mtime());
            all.get(..4)
                .into_iter()
                .flatten()
                .map(|path| time(path).expect("it is there"))
                .collect()
        };
        let back: &[&str] = &["move", "-y", "--no-refs", "--back", "d"];
        for typed in [ACROSS, back, &["undo", "-y"], back, ACROSS, &["undo", "-y"]] {
            let ran = field.run(typed);
            assert_eq!(ran.code, 0, "{seconds}: {typed:?}: {ran:?}");
            assert_eq!(there(), [seconds; 4], "{seconds}: {typed:?}: {ran:?}");
            // What is on record is of no certain time either.
            let mut todo = vec![field.ground.scratch().join("state")];
            while let Some(path) = todo.pop() {
                if path.is_dir() {
                    todo.extend(
                        fs::read_dir(&path).expect("a folder").map(|one| one.expect("one").path()),
                    );
                }
                dated(&path, seconds);
            }
        }
        assert!(!fs::symlink_metadata(field.at("d")).expect("a folder").is_symlink());
        // What is replaced by something as old, as long, is found all the same: by its number.
        assert_eq!(field.run(ACROSS).code, 0);
        let link = field.at("d");
        let text = fs::read_link(&link).expect("a link");
        fs::remove_file(&link).expect("a link");
        symlink("sub", &link).expect("a link");
        dated(&link, seconds);
        let ran = field.run(&["undo", "-y"]);
        assert_ne!(ran.code, 0, "{ran:?}");
        assert!(text.join("f").is_file(), "{ran:?}");
    }
}

/// Killed, and recovered where the machine says that it has run for years, or for less than it has.
fn other_clock() {
    for offset in ["100000000", "-1"] {
        let field = Field::with(&["d/f", "d/sub/g"], true);
        let before = field.files();
        let typed = field.typed(ACROSS);
        let words: Vec<&str> = typed.iter().map(String::as_str).collect();
        let killed = crate::kill::killed(&field.ground, "symlinkat", 1, &words);
        assert!(killed && crate::kill::is_unfinished(&field.ground), "not killed in the middle");
        let plain = field.ground.command();
        let mut command = std::process::Command::new("unshare");
        command.args(["-T", "--monotonic", offset, "--boottime", offset, "--fork"]);
        command.arg(plain.get_program()).args(["recover", "-y"]).current_dir(field.ground.tree());
        command.envs(plain.get_envs().filter_map(|(key, value)| Some((key, value?))));
        let ran: Ran = command.output().expect("unshare").into();
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(field.strays().len(), 0, "{ran:?}");
        let whole = seen(&field.at("d"));
        assert_eq!(whole.len(), 3, "{ran:?}");
        let bytes = |files: std::collections::BTreeMap<_, Vec<u8>>| -> Vec<Vec<u8>> {
            files.into_values().collect()
        };
        assert_eq!(bytes(field.files()), bytes(before), "{ran:?}");
        assert_eq!(field.run(&["recover", "-y"]).code, 0);
    }
}

fn narrow_names() {
    let Some(volume) = Volume::new(Kind::Exfat, 0) else { return };
    let there = volume.join("d");
    let there = there.to_str().expect("a plain path");
    let wide = "\u{e4}".repeat(127);
    for (lines, words) in [
        (&["d/A", "d/a"][..], &["one and the same there", "d/A"][..]),
        (&["d/sub/Stra\u{df}e", "d/sub/STRA\u{df}E"], &["one and the same there"]),
        (&["d/a:b"], &["d/a:b"]),
        (&["d/dot."], &["d/dot."]),
        (&["d/a\u{1}b"], &["error: "]),
    ] {
        let field = Field::with(lines, false);
        let ran = field.run(&["move", "-y", "--no-refs", "d", there]);
        assert_eq!(ran.code, 1, "{lines:?}: {ran:?}");
        for word in words {
            assert!(ran.err.contains(word), "{lines:?}: no `{word}`: {ran:?}");
        }
        assert_eq!(files(&field.at("d")).len(), lines.len(), "{ran:?}");
        assert_eq!(fs::read_dir(volume.path()).expect("a folder").count(), 0, "{lines:?}: {ran:?}");
    }
    // Names that differ by more, and long ones, are no matter there.
    for lines in [&["d/A", "d/b"][..], &[&format!("d/{wide}")]] {
        let field = Field::with(lines, false);
        let ran = field.run(&["move", "-n", "--no-refs", "d", there]);
        let about_names = ["one and the same", "cannot hold", "name"];
        assert!(!about_names.iter().any(|word| ran.err.contains(word)), "{lines:?}: {ran:?}");
    }
    // GNU's: one of two is gone.
    let field = Field::with(&["d/A", "d/a"], false);
    shell(&field.ground.tree(), &format!("cp -r d {there}"));
    assert_eq!(files(&volume.path()).len(), 1, "it harms nobody");
}
