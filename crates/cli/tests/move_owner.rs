//! `move` by an ordinary user of what others own: what cannot be theirs any more is said before anything is
//! done.
#![expect(
    clippy::disallowed_methods,
    reason = "a test stands outside: it makes its trees and looks at them by itself"
)]

use crate::move_field::{Field, Program, files, points, seen, stopped};
use crate::support::{Ground, as_nobody};
use libtest_mimic::Trial;
use linkwell_testkit::crafted::allow;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::Scratch;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, lchown};
use std::path::Path;

const NOBODY: u32 = 65534;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test_with(
            "move: a link inside that is another's does not become the user's unsaid",
            &[Need::Root],
            within,
        ),
        test_with(
            "move: what is another's is refused before the first byte goes to another volume",
            &[Need::Root],
            across,
        ),
        test_with(
            "move --merge: a link that is another's does not become the user's unsaid",
            &[Need::Root],
            merged,
        ),
        test_with(
            "move: nothing is copied into a folder that somebody put in place of the one that was made",
            &[Need::Root, Need::Program("strace")],
            || linkwell_testkit::volume::alone(exchanged),
        ),
    ]
}

/// A tree that is nobody's, beside a home that is.
fn nobodys(lines: &[&str]) -> Ground {
    let ground = Ground::with(lines);
    give(&ground.tree());
    for folder in ["home", "state"] {
        give(&ground.scratch().join(folder));
    }
    ground
}

/// Gives all in a folder to nobody.
fn give(top: &Path) {
    let ran = std::process::Command::new("chown").args(["-Rh", "65534:65534"]).arg(top).status();
    assert!(ran.expect("chown").success());
    allow(top, 0o755);
}

fn run(ground: &Ground, typed: &[&str]) -> Ran {
    let mut command = as_nobody(ground.scratch());
    command.current_dir(ground.tree()).env("HOME", ground.scratch().join("home"));
    command.env("XDG_STATE_HOME", ground.scratch().join("state"));
    command.args(typed).output().expect("linkwell can be started").into()
}

fn owner(path: &Path) -> (u32, u32) {
    let facts = std::fs::symlink_metadata(path).expect("it is there");
    (facts.uid(), facts.gid())
}

const SAID: &str = "made anew, and would be yours then";

fn within() {
    let made = ["out", "A/theirs -> ../out", "A/mine -> ../out", "A/stays -> mine", "e/"];
    // Of another owner, or of a group that the user is not in.
    for foreign in [(0, 0), (NOBODY, 0), (0, NOBODY)] {
        let ground = nobodys(&made);
        let tree = ground.tree();
        for name in ["theirs", "stays"] {
            lchown(tree.join("A").join(name), Some(foreign.0), Some(foreign.1)).expect("root may");
        }
        let before = ground.listing();
        for more in [&["-n"][..], &["-y"], &["-y", "--no-link"]] {
            let ran = run(&ground, &[&["move", "--no-refs"], more, &["A", "e/A"]].concat());
            assert_eq!((ran.code, ground.listing()), (1, before.clone()), "{foreign:?}: {ran:?}");
            assert!(ran.err.contains(SAID) && ran.err.contains("A/theirs`"), "{ran:?}");
            assert!(ran.err.contains("--accept-loss owner"), "{ran:?}");
            // What goes as it is stays whose it is.
            assert!(!ran.err.contains("A/stays") && !ran.err.contains("A/mine"), "{ran:?}");
        }
        assert_eq!(owner(&tree.join("A/theirs")), foreign);
        let ran = run(&ground, &["move", "-y", "--no-refs", "--accept-loss", "owner", "A", "e/A"]);
        assert!(ran.code == 0 && ran.out.contains("A/theirs`"), "{ran:?}");
        assert!(ran.out.contains("as you accepted"), "{ran:?}");
        assert_eq!(owner(&tree.join("e/A/theirs")), (NOBODY, NOBODY));
        assert_eq!(owner(&tree.join("e/A/stays")), foreign);
    }
    // Where a folder gives its group to what is made in it, the link keeps that.
    let ground = nobodys(&made);
    let tree = ground.tree();
    for path in ["A", "A/theirs"] {
        lchown(tree.join(path), Some(NOBODY), Some(0)).expect("root may");
    }
    allow(&tree.join("A"), 0o2755);
    let ran = run(&ground, &["move", "-y", "--no-refs", "A", "e/A"]);
    assert_eq!((ran.code, owner(&tree.join("e/A/theirs"))), (0, (NOBODY, 0)), "{ran:?}");
    // Root keeps it (control), and so does the user what is their own.
    let ground = nobodys(&made);
    assert_eq!(run(&ground, &["move", "-y", "--no-refs", "A", "e/A"]).code, 0);
    assert_eq!(run(&ground, &["undo", "-y"]).code, 0);
    let ground = Ground::with(&made);
    lchown(ground.tree().join("A/theirs"), Some(1), Some(1)).expect("root may");
    assert_eq!(ground.run(&["move", "-y", "--no-refs", "A", "e/A"]).code, 0);
    assert_eq!(owner(&ground.tree().join("e/A/theirs")), (1, 1));
}

fn across() {
    let kinds: [(&str, &[&str]); 4] =
        [("f", &["A/f"]), ("l", &["A/l -> x"]), ("d", &["A/d/"]), ("", &["A/f"])];
    for (name, lines) in kinds {
        for foreign in [(0, 0), (NOBODY, 0)] {
            let ground = nobodys(lines);
            let tree = ground.tree();
            let far = Scratch::in_memory();
            allow(&far.path(), 0o1777);
            let theirs = tree.join("A").join(name);
            lchown(&theirs, Some(foreign.0), Some(foreign.1)).expect("root may");
            if !theirs.is_symlink() {
                // Open to all: whose it is, and nothing else, speaks against it.
                allow(&theirs, 0o777);
            }
            let dest = far.join("B");
            let dest = dest.to_str().expect("plain");
            let before = ground.listing();
            for how in ["-n", "-y"] {
                let ran = run(&ground, &["move", how, "--no-refs", "A", dest]);
                let what = format!("{name:?} {foreign:?}: {ran:?}");
                assert_eq!((ran.code, ground.listing()), (1, before.clone()), "{what}");
                assert!(ran.err.contains("only root can give it to them there"), "{what}");
                assert!(ran.err.contains("--accept-loss owner"), "{what}");
                assert!(
                    ran.err.contains(&format!("{}`", theirs.display()).replace("/`", "`")),
                    "{what}"
                );
            }
            // Nothing was begun: nothing is on record.
            let ran = run(&ground, &["log"]);
            assert!(!ran.out.contains("move"), "{ran:?}");
            let ran =
                run(&ground, &["move", "-y", "--no-refs", "--accept-loss", "owner", "A", dest]);
            assert_eq!(ran.code, 0, "{name:?} {foreign:?}: {ran:?}");
            assert!(ran.out.contains("as you accepted"), "{ran:?}");
            assert_eq!(owner(&far.join("B").join(name)), (NOBODY, NOBODY));
        }
    }
}

fn merged() {
    let ground = nobodys(&["out", "A/l -> ../out", "A/d/l -> ../../out", "e/A/other"]);
    let tree = ground.tree();
    for name in ["A/l", "A/d/l"] {
        lchown(tree.join(name), Some(0), Some(0)).expect("root may");
    }
    let before = ground.listing();
    let ran = run(&ground, &["move", "-y", "--no-refs", "--merge", "A", "e/A"]);
    assert_eq!((ran.code, ground.listing()), (1, before), "{ran:?}");
    assert!(
        ran.err.contains(SAID) && ran.err.contains("A/l`") && ran.err.contains("A/d/l`"),
        "{ran:?}"
    );
    let accept = ["move", "-y", "--no-refs", "--merge", "--accept-loss", "owner", "A", "e/A"];
    let ran = run(&ground, &accept);
    assert!(ran.code == 0 && ran.out.contains("as you accepted"), "{ran:?}");
    assert!(tree.join("e/A/l").exists() && tree.join("e/A/d/l").exists());
}

/// What somebody puts in place of the folder that was made: its owner, its permissions, what is in it.
const THEIRS: [(u32, u32, Option<&str>); 4] =
    [(NOBODY, 0o777, None), (NOBODY, 0o700, None), (0, 0o755, None), (0, 0o700, Some("kept"))];

fn exchanged() {
    let typed = ["move", "-y", "--no-refs", "a/p/d", "@/d"];
    let program = Program::Linkwell(&typed);
    let windows = points(&Field::new(true), "a/p/d", &program, false);
    let mut acted = 0;
    for point in windows.iter().filter(|point| point.call == "mkdirat") {
        for (owner, mode, inside) in THEIRS {
            let field = Field::new(true);
            let theirs = field.there().join("theirs");
            let before = seen(&field.at("a/p/d"));
            let mut met = false;
            let ran = stopped(&field, "a/p/d", &program, point, || {
                let mut there = fs::read_dir(field.there()).expect("a folder").flatten();
                let Some(made) = there.next().map(|entry| entry.path()) else { return false };
                if fs::read_dir(&made).expect("a folder").next().is_some() {
                    return false;
                }
                fs::create_dir(&theirs).expect("a folder");
                if let Some(name) = inside {
                    fs::write(theirs.join(name), name).expect("a file");
                }
                lchown(&theirs, Some(owner), Some(owner)).expect("an owner");
                fs::set_permissions(&theirs, fs::Permissions::from_mode(mode)).expect("a mode");
                let flags = rustix::fs::RenameFlags::EXCHANGE;
                let (cwd, one) = (rustix::fs::CWD, &made);
                rustix::fs::renameat_with(cwd, one, cwd, &theirs, flags).expect("exchanged");
                met = true;
                true
            });
            if !met {
                continue;
            }
            acted += 1;
            let what = format!("{owner} {mode:o} behind {point:?}: {ran:?}");
            assert!(ran.code == 1 && ran.err.contains("somebody else"), "{what}");
            assert_eq!(seen(&field.at("a/p/d")), before, "{what}");
            let there = files(&field.there());
            let texts: Vec<&[u8]> = there.values().map(Vec::as_slice).collect();
            let wanted: Vec<&[u8]> = inside.iter().map(|text| text.as_bytes()).collect();
            assert_eq!(texts, wanted, "{what}");
        }
    }
    assert_eq!(acted, THEIRS.len(), "of {windows:?}");
}
