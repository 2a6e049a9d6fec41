//! `move --merge` while somebody writes into the old folder: what they write is not lost from sight.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the tests look for themselves, and are the ones who write"
)]

use crate::move_field::{Field, Point, Program, points, seen, stopped};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::tree::make;
use linkwell_testkit::volume::alone;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn trials() -> Vec<Trial> {
    let needs = [Need::Root, Need::Program("strace")];
    let mut all = Vec::new();
    for (across, free, name) in [
        (false, false, "move --merge: what is written meanwhile is taken back, not hidden"),
        (true, false, "move --merge: what is written meanwhile, to another volume"),
        (true, true, "move --merge: what is written meanwhile, when the old is freed"),
    ] {
        all.push(test_with(name, &needs, move || alone(|| written(across, free))));
    }
    let name = "move --merge: what is written before recover goes on is not hidden";
    all.push(test_with(name, &needs, || alone(before_recover)));
    let name = "move --merge: the link that is left for a moment is renamed meanwhile";
    all.push(test_with(name, &needs, || alone(link_renamed)));
    let name = "move --merge: what somebody has open for writing is not hidden";
    all.push(test_with(name, &needs, || alone(held_open)));
    let name = "move --merge: one file that somebody has open for writing is not folded away";
    all.push(test_with(name, &needs, || alone(one_held_open)));
    all
}

const TREE: [&str; 6] =
    ["a/p/d/f", "a/p/d/sub/same", "a/p/d/sub/goes", "a/p/d/whole/x", "a/p/d/sub/l -> same", "e"];

/// Two folders that have one folder and one file in common.
fn field(across: bool) -> Field {
    let field = Field::with(&TREE, across);
    make(&field.there(), &["d/sub/", "d/theirs"]);
    let same = fs::read(field.at("a/p/d/sub/same")).expect("a file");
    fs::write(field.there().join("d/sub/same"), same).expect("a file");
    field
}

/// A folder by what is held of it, wherever it lies by then.
fn by_hand(folder: &File) -> PathBuf {
    PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), folder.as_raw_fd()))
}

type Write = fn(&Path) -> std::io::Result<()>;

const WRITES: [(&str, Write); 4] = [
    ("appears", |sub| fs::write(sub.join("new"), "written meanwhile")),
    ("grows", |sub| fs::write(sub.join("same"), "written meanwhile")),
    ("is replaced", |sub| {
        fs::write(sub.join("tmp"), "written meanwhile")?;
        fs::rename(sub.join("tmp"), sub.join("goes"))
    }),
    ("vanishes", |sub| fs::remove_file(sub.join("same"))),
];

fn written(across: bool, free: bool) {
    let mut words = vec!["move", "-y", "--no-refs", "--merge"];
    words.extend(free.then_some("--free"));
    words.extend(["a/p/d", "@/d"]);
    let all = points(&field(across), "a/p/d", &Program::Linkwell(&words), false);
    let mut met = 0;
    for point in all.iter().filter(|point| ["renameat2", "symlinkat"].contains(&&*point.call)) {
        for (name, write) in WRITES {
            met += usize::from(at(across, &words, point, name, write));
        }
    }
    assert!(met >= 12, "it came to pass {met} times");
}

/// Whether the write came to pass before the old folder was put aside.
fn at(across: bool, words: &[&str], point: &Point, name: &str, write: Write) -> bool {
    let field = field(across);
    let what = format!("{name}, {point:?}");
    let sub = File::open(field.at("a/p/d/sub")).expect("a folder");
    let (mut acted, mut tree) = (false, None);
    let aside = field.at("a/p/d (before it was merged)");
    let ran = stopped(&field, "a/p/d", &Program::Linkwell(words), point, || {
        let begun = seen(&field.there().join("d")).len() > 3 || point.call == "symlinkat";
        if !acted && begun && !aside.exists() && by_hand(&sub).join("same").is_file() {
            acted = write(&by_hand(&sub)).is_ok();
            tree = Some(seen(&by_hand(&sub)));
        }
        acted
    });
    let Some(tree) = tree else { return false };
    let through = seen(&field.at("a/p/d/sub"));
    for (below, now) in &tree {
        let here = through.get(below);
        let is_link = now.starts_with("Ok(") && below != b"l";
        assert!(is_link || here == Some(now), "{what}: {ran:?}, {through:?}");
    }
    if name == "vanishes" {
        assert!(!through.contains_key(&b"same"[..]), "{what}: {ran:?}, {through:?}");
    }
    assert_ne!(ran.code, 0, "{what}: {ran:?}");
    assert!(!aside.exists(), "{what}: {ran:?}");
    field.outside(&what);
    true
}

/// Killed, and then somebody writes into the old folder: what `recover` goes on with is not what it was.
fn before_recover() {
    let words = ["move", "-y", "--no-refs", "--merge", "a/p/d", "@/d"];
    let all = points(&field(true), "a/p/d", &Program::Linkwell(&words), false);
    let (mut met, mut quiet) = (0, 0);
    for point in all.iter().filter(|point| point.call == "renameat2") {
        for (name, write) in WRITES.into_iter().map(Some).chain([None]).map(Option::unzip) {
            let field = field(true);
            let what = format!("{name:?}, {point:?}");
            // Held from before, wherever it lies by then.
            let sub = File::open(field.at("a/p/d/sub")).expect("a folder");
            let aside = field.at("a/p/d (before it was merged)");
            crate::kill::killed(
                &field.ground,
                &point.call,
                point.number,
                &field.typed(&words).iter().map(String::as_str).collect::<Vec<_>>(),
            );
            if !crate::kill::is_unfinished(&field.ground) || aside.exists() {
                continue;
            }
            if let Some(write) = write {
                write(&by_hand(&sub)).expect("one may write there");
            }
            let tree = seen(&by_hand(&sub));
            let recover = field.run(&["recover", "-y"]);
            let through = seen(&field.at("a/p/d/sub"));
            for (below, now) in &tree {
                assert!(
                    through.get(below) == Some(now) || now.starts_with("Ok(\"/"),
                    "{what}: {recover:?}, {through:?}"
                );
            }
            assert_eq!(aside.exists(), write.is_none(), "{what}: {recover:?}");
            if write.is_some() {
                met += 1
            } else {
                quiet += 1
            }
            field.outside(&what);
        }
    }
    assert!(met > 3 && quiet > 0, "{met} {quiet}");
}

/// Somebody gives the link another name that stands where something was moved on: the merge is taken back, as
/// nobody can say what they meant, and the file is where it was.
fn link_renamed() {
    let words = ["move", "-y", "--no-refs", "--merge", "--relative", "a/p/d", "@/d"];
    let all = points(&field(false), "a/p/d", &Program::Linkwell(&words), false);
    let mut met = 0;
    for point in all.iter().filter(|point| ["renameat2", "symlinkat"].contains(&&*point.call)) {
        let field = field(false);
        let what = format!("{point:?}");
        let before = field.bytes();
        let sub = File::open(field.at("a/p/d/sub")).expect("a folder");
        let mut acted = false;
        let aside = field.at("a/p/d (before it was merged)");
        let ran = stopped(&field, "a/p/d", &Program::Linkwell(&words), point, || {
            let (link, new) = (by_hand(&sub).join("goes"), by_hand(&sub).join("renamed"));
            if !acted && !aside.exists() && link.is_symlink() {
                acted = fs::rename(link, new).is_ok();
            }
            acted
        });
        assert!(before.is_subset(&field.bytes()), "{what}: {ran:?}");
        field.outside(&what);
        if !acted {
            continue;
        }
        met += 1;
        assert!(!aside.exists() && ran.code != 0, "{what}: {ran:?}");
        // All is taken back, and said why; what they gave another name to was the link, not the file.
        assert!(
            fs::symlink_metadata(field.at("a/p/d/sub/goes")).is_ok_and(|it| it.is_file()),
            "{what}: {ran:?}"
        );
        assert!(ran.err.contains("a/p/d/sub/"), "{what}: {ran:?}");
        assert!(field.at("a/p/d/sub/renamed").is_symlink(), "{what}: {ran:?}");
    }
    assert!(met > 0, "it came to pass {met} times");
}

/// It stays in the old folder, as the same stands in the other.
/// Two files, not folders: the old one is found by nobody once it is freed.
fn one_held_open() {
    for across in [false, true] {
        let field = Field::with(&["a/p/f", "e"], across);
        // As old, too: else the old one is kept, with its times.
        let same = |from: PathBuf, to: PathBuf| {
            let copied = Command::new("cp").arg("-a").args([from, to]).status();
            assert!(copied.is_ok_and(|copied| copied.success()));
        };
        same(field.at("a/p/f"), field.there().join("f"));
        let words = ["move", "-y", "--no-refs", "--merge", "--free", "a/p/f", "@/f"];
        let mut file = OpenOptions::new().append(true).open(field.at("a/p/f")).expect("it opens");
        let ran = field.run(&words);
        file.write_all(b" and late").expect("acknowledged");
        drop(file);
        assert!(ran.code == 1 && ran.err.contains("open for writing"), "{ran:#?}");
        let text = fs::read_to_string(field.at("a/p/f")).expect("it is there");
        assert!(text.ends_with(" and late"), "{text}");
        assert!(fs::symlink_metadata(field.at("a/p/f")).is_ok_and(|is| is.is_file()));
        assert!(field.strays().is_empty());
        // The control: with nobody at it, and one text again, it is folded.
        same(field.there().join("f"), field.at("a/p/f"));
        let ran = field.run(&words);
        assert_eq!(ran.code, 0, "{ran:#?}");
        assert!(fs::symlink_metadata(field.at("a/p/f")).is_ok_and(|is| is.is_symlink()));
    }
}

fn held_open() {
    for writes in [true, false] {
        let field = field(false);
        let words = ["move", "-y", "--no-refs", "--merge", "a/p/d", "@/d"];
        let point = Point { call: "renameat2".into(), number: 1, near: false };
        let mut held = None;
        let ran = stopped(&field, "a/p/d", &Program::Linkwell(&words), &point, || {
            let file = field.at("a/p/d/sub/same");
            held = OpenOptions::new().append(writes).read(!writes).open(file).ok();
            true
        });
        let mut held = held.expect("it was opened");
        if writes {
            assert_eq!(ran.code, 1, "{ran:?}");
            held.write_all(b"written later").expect("it is open");
            let now = fs::read(field.at("a/p/d/sub/same")).expect("a file");
            assert!(now.ends_with(b"written later"), "{ran:?}");
        } else {
            assert_eq!(ran.code, 0, "{ran:?}");
        }
    }
}
