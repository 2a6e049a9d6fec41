//! `remove`: what goes, what stays, what must not go.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "the tests look for themselves, and may stop at the first surprise"
)]

use crate::support::{Ground, objects, text};
use libtest_mimic::Trial;
use linkwell_testkit::listing::listing;
use linkwell_testkit::need::test;
use linkwell_testkit::program::Ran;
use std::io::Write as _;
use std::process::Stdio;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test(
            "remove: every kind goes, is brought back, and nothing behind a link is touched",
            kinds,
        ),
        test("remove: the way by paths empties what `link/` leads to (control)", naive),
        test("remove: what must not go is known by what it is", must_not_go),
        test("remove: what lies in something that goes is not done twice", covered),
        test("remove: what is behind links, and which others break, is said before", told),
        test(
            "remove: pipes are refused; in a folder they go to the trash, and are not freed",
            pipes,
        ),
        test("remove: -i asks for each", asked),
    ]
}

const CANARY: &[&str] = &["canary/c", "canary/d/e", "canary/l -> c"];

pub(crate) fn ground(lines: &[&str]) -> Ground {
    let ground = Ground::with(lines);
    linkwell_testkit::tree::make(&ground.scratch().path(), CANARY);
    ground
}

pub(crate) fn remove(ground: &Ground, arguments: &[&str]) -> Ran {
    ground.run(&[&["remove", "-y", "--no-refs"], arguments].concat())
}

fn kinds() {
    let everything: &[&str] = &[
        "f",
        "empty/",
        "full/a/b/f",
        "full/out -> ../../canary",
        "full/a/up -> ..",
        "full/broken -> nowhere",
        "full/two == f",
        "file-link -> f",
        "link -> ../canary",
        "broken -> nowhere",
        "loop -> loop",
    ];
    for path in [
        "f",
        "empty",
        "empty/",
        "full",
        "full/",
        "file-link",
        "link",
        "link/",
        "broken",
        "loop",
        "loop/",
    ] {
        for forever in [false, true] {
            let ground = ground(everything);
            let (before, canary) = (ground.listing(), listing(&ground.scratch().join("canary")));
            let link = std::fs::symlink_metadata(ground.tree().join(path.trim_end_matches('/')));
            let link = link.expect("it is there").is_symlink();
            let ran = if forever {
                remove(&ground, &["--forever", path])
            } else {
                remove(&ground, &[path])
            };
            assert_eq!(ran.code, 0, "{path}: {ran:?}");
            let name = path.trim_end_matches('/');
            assert!(std::fs::symlink_metadata(ground.tree().join(name)).is_err(), "{path}");
            assert!(ground.strays().is_empty());
            let undone = ground.run(&["undo", "-y"]);
            if forever && !link {
                assert_ne!(undone.code, 0, "{path}: {undone:?}");
                assert!(undone.err.contains("freed"), "{undone:?}");
            } else {
                assert_eq!(undone.code, 0, "{path}: {undone:?}");
                assert_eq!(ground.listing(), before, "{path}");
                for folder in ["info", "files"] {
                    let left = ground.scratch().join("home/data/Trash").join(folder);
                    assert!(forever || listing(&left).is_empty(), "{path}");
                }
            }
            assert_eq!(listing(&ground.scratch().join("canary")), canary, "{path}");
        }
    }
    let ground = ground(everything);
    let before = ground.listing();
    for path in ["absent", "absent/", "f/", "f/x", "absent/x", "broken/x", "loop/x"] {
        for forever in [&["--forever", path][..], &[path]] {
            assert_eq!(remove(&ground, forever).code, 1, "{path}");
        }
    }
    assert_eq!(ground.listing(), before);
}

fn naive() {
    let ground = ground(&["link -> ../canary"]);
    assert!(std::fs::remove_dir_all(ground.tree().join("link/")).is_err());
    assert_eq!(listing(&ground.scratch().join("canary")), "", "the canary sings no more");
}

fn must_not_go() {
    let ground = ground(&["here/f", "up -> .."]);
    assert_eq!(remove(&ground, &["here/f"]).code, 0);
    let all = || listing(&ground.scratch().join("home")) + &listing(&ground.tree());
    let before = all();
    let scratch = ground.scratch().path();
    let path = |name: &str| scratch.join(name).to_str().expect("a plain path").to_owned();
    let paths = [
        "/",
        "/.",
        "/..",
        "//",
        ".",
        "..",
        "./",
        "../tree",
        "../tree/.",
        "up/tree",
        "up/home",
        "/proc",
        "/proc/self",
        "/proc/version",
        "/sys/kernel",
        "/dev/null",
        "/dev",
        "/tmp",
        "up/home/data/Trash",
        "up/home/data/Trash/files",
        "up/home/data/Trash/files/f",
        "up/home/data/Trash/info/f.trashinfo",
        "up/home/data",
        "up/state",
        "up/state/linkwell",
        "up/state/linkwell/operations",
        "",
    ]
    .map(str::to_owned);
    let more = [path(""), path("home"), path("tree"), path("../") + "//" + &path("home")[1..]];
    for path in paths.iter().chain(&more) {
        for forever in [true, false] {
            let ran = if forever {
                remove(&ground, &["--forever", path])
            } else {
                remove(&ground, &[path])
            };
            assert!(matches!(ran.code, 1 | 2), "{path}: {ran:?}");
            assert_eq!(all(), before, "{path}");
        }
    }
    // The control: what only looks alike goes.
    assert_eq!(remove(&ground, &["--forever", "up", "here"]).code, 0);
    assert_eq!(ground.listing(), "");
}

fn covered() {
    let ground = ground(&["a/b/c", "a/f", "way -> a", "x"]);
    let before = ground.listing();
    let ran = remove(&ground, &["a/b", "a", "way/f", "a/", "x", "./x"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for said in [
        "`a/b` lies in `a`",
        "`way/f` lies in `a`",
        "`a/` was named twice",
        "`./x` was named twice",
    ] {
        assert!(ran.out.contains(said), "{said}: {ran:?}");
    }
    assert!(ran.err.contains("2 changes"), "{ran:?}");
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.listing(), before);
    // What cannot go takes nothing with it.
    let ran = remove(&ground, &["../tree", "x"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(
        ground.listing(),
        before.lines().filter(|line| !line.starts_with("x ")).collect::<Vec<_>>().join("\n")
    );
}

fn told() {
    let ground = ground(&[
        "a/out -> ../../canary",
        "a/in -> f",
        "a/f",
        "a/deep/back -> ../f",
        "to -> a",
        "into -> a/f",
        "through -> a/out/c",
        "hop -> to",
        "other -> x",
        "dead -> a/nothing",
        "x",
    ]);
    let ran = ground.run(&["remove", "-n", "--under", ".", "a"]);
    assert!(
        ran.out.contains("1 link in it leads outside; what it leads to stays: `out → "),
        "{ran:?}"
    );
    assert!(ran.out.contains("4 links elsewhere would be left broken: "), "{ran:?}");
    for link in ["to → a", "into → a/f", "through → a/out/c", "hop → to"] {
        assert!(ran.out.contains(&format!("`./{link}`")), "{link}: {ran:?}");
    }
    assert!(!ran.out.contains("other") && !ran.out.contains("dead"), "{ran:?}");
    let ran = ground.run(&["remove", "-n", "--json", "--under", ".", "x", "to/"]);
    let remarks: Vec<String> = objects(&ran)
        .iter()
        .map(|object| text(object, "path") + &object["remarks"].to_string())
        .collect();
    assert!(remarks[0].starts_with("x") && remarks[0].contains("other → x"), "{remarks:?}");
    assert!(remarks[1].starts_with("to/") && remarks[1].contains("hop → to"), "{remarks:?}");
    assert!(remarks[1].contains("the link itself goes"), "{remarks:?}");
    let ran = ground.run(&["remove", "-n", "--under", ".", "other"]);
    assert!(ran.out.contains("no link found below `.` would be left broken"), "{ran:?}");
    assert_eq!(std::fs::read_dir(ground.scratch().join("home")).expect("home").count(), 0);
}

fn pipes() {
    let ground = ground(&["p |", "d/p |", "d/f"]);
    let before = ground.listing();
    let ran = remove(&ground, &["p"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("named pipe") && ran.err.contains("`rm p`"), "{ran:?}");
    let ran = remove(&ground, &["--forever", "d"]);
    assert!(ran.code == 1 && ran.err.contains("named pipe"), "{ran:?}");
    assert_eq!(ground.listing(), before);
    assert_eq!(remove(&ground, &["d"]).code, 0);
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.listing(), before);
}

fn asked() {
    let ground = ground(&["a", "b", "c"]);
    let mut child = ground
        .command()
        .args(["remove", "-i", "--no-refs", "a", "b", "c"])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("linkwell can be started");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(b"n\ny\n").expect("it reads");
    drop(stdin);
    assert_eq!(child.wait().expect("a child").code(), Some(0));
    let names: Vec<String> = ground.listing().lines().map(|line| line[..1].to_owned()).collect();
    assert_eq!(names, ["a", "c"]);
}
