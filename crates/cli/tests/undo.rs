//! `undo` of what `create` did: exact, or refused with a reason, and never over what was done since.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test stands outside: it makes its trees, looks at them by itself"
)]

use crate::support::{Ground, of_type, text};
use libtest_mimic::Trial;
use linkwell_testkit::crafted;
use linkwell_testkit::need::test;
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::make;
use std::path::Path;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("undo: once, twice, and of an undo (U2)", again),
        test("undo: one by its number, while later ones stand", by_number),
        test("undo: what was changed since stays, and the rest is undone (U1)", changed),
        test("undo: the folder was moved, replaced, or is gone (U1)", folders),
        test("undo: what could not be taken back can be when it can", in_part),
        test("undo: a link that was replaced comes back with its time (T12)", times),
        test("undo: half of many were refused; one undo for the others (T11)", many),
        test("undo: shows and asks as every verb does", asks),
    ]
}

/// Runs linkwell and expects that it does all.
fn does(ground: &Ground, arguments: &[&str]) -> Ran {
    let ran = ground.run(arguments);
    assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
    ran
}

fn refuses(ground: &Ground, arguments: &[&str], said: &str) {
    let before = ground.listing();
    let ran = ground.run(arguments);
    assert_eq!((ran.code, ground.listing()), (1, before), "{arguments:?}: {ran:?}");
    assert!(ran.err.contains(said), "{arguments:?}: {ran:?}");
}

fn in_part() {
    let ground = Ground::with(&["f", "d/", "e/"]);
    let before = ground.listing();
    does(&ground, &["create", "-y", "-t", "d", "f", "e"]);
    // One of the two is away for now.
    std::fs::rename(ground.tree().join("d/e"), ground.tree().join("away")).expect("a rename");
    let ran = ground.run(&["undo", "-y"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    std::fs::rename(ground.tree().join("away"), ground.tree().join("d/e")).expect("a rename");
    let ran = ground.run(&["undo", "-y", "1"]);
    assert_eq!(ran.code, 3, "the other is gone already: {ran:?}");
    assert_eq!(ground.listing(), before);
    refuses(&ground, &["undo", "-y", "1"], "was taken back already");
}

fn again() {
    let ground = Ground::with(&["f", "g", "l -> g"]);
    refuses(&ground, &["undo", "-y"], "there is nothing to take back");
    let before = ground.listing();
    does(&ground, &["create", "-y", "-b", "f", "g"]);
    // What is said to take it back is what does.
    let ran = does(&ground, &["undo", "-y"]);
    assert!(ran.err.contains("operation 2; `linkwell undo 2` takes it back"), "{ran:?}");
    assert_eq!(ground.listing(), before);
    refuses(&ground, &["undo", "-y"], "there is nothing to take back");
    refuses(&ground, &["undo", "-y", "1"], "was taken back already");
    refuses(&ground, &["undo", "-y", "77"], "there is no operation 77");
    // The undo is an operation too, and can be taken back; and that one as well.
    does(&ground, &["undo", "-y", "2"]);
    assert!(ground.tree().join("g").is_symlink() && ground.tree().join("g~").is_file());
    does(&ground, &["undo", "-y", "3"]);
    assert_eq!(ground.listing(), before);
    let log = does(&ground, &["log"]);
    assert_eq!(log.out.lines().count(), 4, "{log:?}");
    assert!(log.out.contains("taken back since"), "{log:?}");
    // Again and again, with a link that is made anew each time.
    does(&ground, &["create", "-y", "-r", "-f", "f", "l"]);
    for number in 5..9 {
        does(&ground, &["undo", "-y", &number.to_string()]);
        let text = std::fs::read_link(ground.tree().join("l")).expect("a link");
        assert_eq!(text, Path::new(if number % 2 == 1 { "g" } else { "f" }), "after {number}");
    }
}

fn by_number() {
    let ground = Ground::with(&["f", "g"]);
    let before = ground.listing();
    for name in ["a", "b", "c"] {
        does(&ground, &["create", "-y", "-r", "f", name]);
    }
    does(&ground, &["undo", "-y", "2"]);
    let there = |name: &str| ground.tree().join(name).is_symlink();
    assert!(there("a") && !there("b") && there("c"));
    does(&ground, &["undo", "-y"]);
    assert!(there("a") && !there("c"), "the last that stands");
    does(&ground, &["undo", "-y"]);
    assert_eq!(ground.listing(), before);
    // A link over a link: the first cannot be taken back while the second stands.
    does(&ground, &["create", "-y", "-r", "f", "l"]);
    does(&ground, &["create", "-y", "-r", "-f", "g", "l"]);
    refuses(&ground, &["undo", "-y", "7"], "it was changed since: a link to `g` is there now");
    does(&ground, &["undo", "-y"]);
    does(&ground, &["undo", "-y"]);
    assert_eq!(ground.listing(), before);
}

fn changed() {
    type Change = fn(&Path);
    let cases: [(&str, Change, &str); 6] = [
        ("gone", |link| std::fs::remove_file(link).expect("the link"), "it is gone"),
        (
            "a file",
            |link| {
                std::fs::remove_file(link).expect("the link");
                std::fs::write(link, "own").expect("a file");
            },
            "another file is there now",
        ),
        (
            "a folder",
            |link| {
                std::fs::remove_file(link).expect("the link");
                std::fs::create_dir(link).expect("a folder");
            },
            "another folder is there now",
        ),
        (
            "another text",
            |link| {
                std::fs::remove_file(link).expect("the link");
                std::os::unix::fs::symlink("elsewhere", link).expect("a link");
            },
            "a link to `elsewhere` is there now",
        ),
        (
            "renamed",
            |link| std::fs::rename(link, link.with_extension("old")).expect("a rename"),
            "it is gone",
        ),
        (
            "the same text, somebody else's link",
            |link| {
                let text = std::fs::read_link(link).expect("a link");
                let other = link.with_extension("other");
                std::os::unix::fs::symlink(text, &other).expect("a link");
                std::fs::rename(other, link).expect("a rename");
            },
            "it was changed since",
        ),
    ];
    for (what, change, said) in cases {
        let ground = Ground::with(&["a", "b", "c", "d/"]);
        does(&ground, &["create", "-y", "-r", "-t", "d", "a", "b", "c"]);
        change(&ground.tree().join("d/b"));
        let mut expected = ground.listing();
        let ran = ground.run(&["undo", "-y"]);
        assert_eq!(ran.code, 3, "{what}: {ran:?}");
        assert!(ran.err.contains(said) && ran.err.contains("`d/b`"), "{what}: {ran:?}");
        let undone = |line: &&str| !line.starts_with("d/a ") && !line.starts_with("d/c ");
        expected = expected.lines().filter(undone).collect::<Vec<_>>().join("\n");
        assert_eq!(ground.listing(), expected, "{what}: {ran:?}");
    }
    // The name that was kept beside is taken again, or what was kept is another file now.
    let ground = Ground::with(&["f", "g"]);
    does(&ground, &["create", "-y", "-r", "-b", "f", "g"]);
    std::fs::write(ground.tree().join("g~"), "changed").expect("a file");
    refuses(&ground, &["undo", "-y"], "what was kept at");
    // What the link led to may change as it likes.
    let ground = Ground::with(&["f", "g"]);
    does(&ground, &["create", "-y", "-r", "f", "n"]);
    does(&ground, &["create", "-y", "--hard", "f", "h"]);
    std::fs::remove_file(ground.tree().join("f")).expect("the file");
    refuses(&ground, &["undo", "-y"], "it is the only name left of its file, which would be lost");
    does(&ground, &["undo", "-y", "1"]);
    assert!(!ground.tree().join("n").is_symlink() && ground.tree().join("h").is_file());
}

fn folders() {
    let with = || {
        let ground = Ground::with(&["f", "d/own", "e/l -> ../f"]);
        does(&ground, &["create", "-y", "-r", "f", "d/l"]);
        ground
    };
    let ground = with();
    std::fs::rename(ground.tree().join("d"), ground.tree().join("moved")).expect("a rename");
    refuses(&ground, &["undo", "-y"], "its folder cannot be opened");
    // Another folder in its place, with just such a link.
    std::fs::rename(ground.tree().join("e"), ground.tree().join("d")).expect("a rename");
    refuses(&ground, &["undo", "-y"], "is another folder now");
    // A link in its place that leads to the folder itself: a record is not followed through links.
    std::fs::rename(ground.tree().join("d"), ground.tree().join("e")).expect("a rename");
    make(&ground.tree(), &["d -> moved"]);
    refuses(&ground, &["undo", "-y"], "its folder cannot be opened");
    std::fs::remove_file(ground.tree().join("d")).expect("the link");
    std::fs::rename(ground.tree().join("moved"), ground.tree().join("d")).expect("a rename");
    does(&ground, &["undo", "-y"]);
    assert!(!ground.tree().join("d/l").is_symlink() && ground.tree().join("d/own").is_file());
}

fn times() {
    let ground = Ground::with(&["f", "g", "l -> g", "m -> g"]);
    let touched = |name: &str| {
        let ran = linkwell_testkit::program::run(
            "touch",
            &ground.tree(),
            &["-h", "-d", "2001-02-03 04:05:06.789", name],
        );
        assert_eq!(ran.code, 0, "{ran:?}");
    };
    touched("l");
    touched("m");
    let before = ground.listing();
    assert!(before.contains("789000000"), "{before}");
    does(&ground, &["create", "-y", "-r", "-f", "f", "l"]);
    does(&ground, &["create", "-y", "-r", "-b", "f", "m"]);
    assert_ne!(ground.listing(), before);
    does(&ground, &["undo", "-y"]);
    does(&ground, &["undo", "-y"]);
    assert_eq!(ground.listing(), before);
}

fn many() {
    let ground = Ground::with(&["f", "d/"]);
    for number in 0..500 {
        crafted::file(&ground.tree().join("d"), format!("l{number}").as_bytes(), b"own");
    }
    let before = ground.listing();
    let pairs: String = (0..1000).map(|number| format!("f\0d/l{number}\0")).collect();
    crafted::file(&ground.scratch().path(), b"list", pairs.as_bytes());
    let mut command = ground.command();
    command.args(["create", "--from-list", "-y", "-r", "--json"]);
    command.stdin(std::fs::File::open(ground.scratch().join("list")).expect("the list"));
    let ran: Ran = command.output().expect("linkwell").into();
    assert_eq!(ran.code, 3, "{}", ran.err);
    let refused = of_type(&ran, "conflict");
    assert_eq!(refused.len(), 500);
    assert!(refused.iter().all(|one| text(one, "why") == "taken"));
    let made = std::fs::read_dir(ground.tree().join("d")).expect("a folder");
    let made =
        made.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_symlink())).count();
    assert_eq!(made, 500);
    let undone = does(&ground, &["undo", "-y"]);
    assert!(undone.err.contains("done: 500 changes"), "{undone:?}");
    assert_eq!(ground.listing(), before);
}

fn asks() {
    let ground = Ground::with(&["f"]);
    does(&ground, &["create", "-y", "-r", "f", "n"]);
    let before = ground.listing();
    let ran = ground.run(&["undo"]);
    assert_eq!((ran.code, ground.listing()), (2, before.clone()), "{ran:?}");
    for arguments in [&["undo", "-n"][..], &["undo", "-n", "-y"], &["undo", "-n", "--json"]] {
        let ran = does(&ground, arguments);
        assert_eq!(ground.listing(), before, "{ran:?}");
        assert!(ran.out.contains("n") && !ran.out.is_empty(), "{ran:?}");
    }
    let ran = does(&ground, &["undo", "-n"]);
    assert_eq!(ran.out, "  remove     n → f\n");
    assert!(ran.err.starts_with("taking back operation 1: linkwell create -y -r f n\n"), "{ran:?}");
}
