//! A move that is taken back: what somebody wrote meanwhile is kept, wherever they wrote it.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test is the one who writes, and looks by itself"
)]

use crate::kill::killed;
use crate::move_field::{Field, Point, Program, stopped};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::tree::make;
use linkwell_testkit::volume::alone;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::chown;
use std::path::PathBuf;

pub(crate) fn trials() -> Vec<Trial> {
    let tests: [(&str, fn()); 6] = [
        ("move back: what was put into the copy before it is removed stays", put_in),
        ("move back: and what was put in when it was half removed", put_in_late),
        ("move back: a program that opened the copy loses nothing it writes", opened),
        ("move back: nor when the same run takes it back", opened_in_run),
        ("move back: a folder that somebody put in the place of a copy is not emptied", planted),
        ("move back: what is saved over a link right before it is dropped stays", saved_over),
    ];
    let needs = [Need::Root, Need::Program("strace")];
    tests.map(|(name, run)| test_with(name, &needs, move || alone(run))).into()
}

const MOVE: &[&str] = &["move", "-y", "--no-refs", "a/p/d", "@/d"];
const BACK: &[&str] = &["recover", "-y", "--back"];

/// A move that was killed when the copy stood there and nothing else was done.
fn with_copy() -> Field {
    let stopped = (1..=3).find_map(|number| {
        let field = Field::new(true);
        let typed = field.typed(MOVE);
        let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
        let killed = killed(&field.ground, "symlinkat", number, &typed);
        (killed && field.there().join("d").is_dir()).then_some(field)
    });
    let field = stopped.expect("it is killed there");
    assert!(!field.at("a/p/d").is_symlink());
    field
}

/// The copy under a name of linkwell's own.
fn aside(field: &Field) -> Option<PathBuf> {
    let entries = fs::read_dir(field.there()).expect("a folder").flatten();
    let mut paths = entries.map(|entry| entry.path());
    paths.find(|path| path.to_string_lossy().contains("/.linkwell-"))
}

/// What was written is there, and told of; the original is at home.
fn kept(field: &Field, bytes: &str, said: &str) {
    let files = field.files();
    let found = files.iter().find(|(_, found)| String::from_utf8_lossy(found).contains(bytes));
    assert!(found.is_some(), "lost: {files:?}: {said}");
    let (path, _) = found.expect("it is there");
    let mut told = path.ancestors().map(|path| path.to_string_lossy().into_owned());
    assert!(told.any(|path| said.contains(&format!("`{path}`"))), "{path:?}: not a word: {said}");
    assert_eq!(fs::read(field.at("a/p/d/sub/g")).expect("it is at home"), b"a/p/d/sub/g");
    assert!(field.strays().is_empty(), "{:?}: {said}", field.strays());
}

fn put_in() {
    let field = with_copy();
    let point = Point { call: "renameat2".into(), number: 1, near: false };
    let mut acted = false;
    // It was set aside just now, and its writer stands in it.
    let ran = stopped(&field, "a/p/d", &Program::Linkwell(BACK), &point, || {
        let aside = aside(&field);
        acted = aside.is_some_and(|aside| fs::write(aside.join("new"), "precious").is_ok());
        acted
    });
    assert!(acted, "{ran:?}");
    let again = field.run(BACK);
    assert_eq!(again.code, 0, "{again:?}");
    kept(&field, "precious", &format!("{}{}", ran.err, again.err));
}

fn put_in_late() {
    let field = with_copy();
    assert!(killed(&field.ground, "unlinkat", 2, BACK));
    fs::write(aside(&field).expect("the copy").join("new"), "precious").expect("a file");
    let ran = field.run(BACK);
    assert_eq!(ran.code, 0, "{ran:?}");
    kept(&field, "precious", &ran.err);
    // The rest of it was removed.
    let left = field.there().join("d (left over)");
    assert_eq!(fs::read_dir(left).expect("a folder").count(), 1);
}

/// Opened at the new place, or through the link that stands at the old one by then.
fn opened() {
    let (mut copy, mut link) = (0, 0);
    for number in 1..40 {
        let field = Field::new(true);
        let typed = field.typed(MOVE);
        let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
        if !killed(&field.ground, "fsync", number, &typed) {
            break;
        }
        if !field.there().join("d").is_dir() {
            continue;
        }
        let through = field.at("a/p/d").is_symlink();
        let opened = if through { field.at("a/p/d/f") } else { field.there().join("d/f") };
        let mut writer = fs::File::options().append(true).open(opened).expect("a file");
        let ran = field.run(BACK);
        assert_eq!(ran.code, 0, "{ran:?}");
        writer.write_all(b" and acknowledged").expect("it writes");
        if field.at("a/p/d").is_symlink() {
            // It was finished, or had been.
            continue;
        }
        *(if through { &mut link } else { &mut copy }) += 1;
        kept(&field, "and acknowledged", &ran.err);
    }
    assert!(copy > 0 && link > 0, "{copy} {link}");
}

fn opened_in_run() {
    let mut met = 0;
    for number in 1..=3 {
        let field = Field::new(true);
        let point = Point { call: "symlinkat".into(), number, near: false };
        let mut writer = None;
        let ran = stopped(&field, "a/p/d", &Program::Linkwell(MOVE), &point, || {
            let copy = field.there().join("d");
            if !copy.is_dir() {
                return false;
            }
            writer = fs::File::options().append(true).open(copy.join("f")).ok();
            fs::write(field.at("a/p/d/l"), "changed meanwhile").is_ok()
        });
        let Some(mut writer) = writer else { continue };
        met += 1;
        assert_eq!(ran.code, 3, "{ran:?}");
        writer.write_all(b" and acknowledged").expect("it writes");
        kept(&field, "and acknowledged", &ran.err);
        assert_eq!(fs::read(field.at("a/p/d/f")).expect("a file"), b"changed meanwhile");
    }
    assert!(met > 0, "it never came to pass");
}

/// Whoever owns the folder that things go to can put there under linkwell's own name what they could not
/// remove themselves: half a copy stands there, a whole one, or one that was not begun.
fn planted() {
    let mut met = 0;
    for (call, number) in [("utimensat", 1), ("fsync", 4), ("fsync", 5), ("mkdirat", 3)] {
        for words in [BACK, BACK, &["recover", "-y"]] {
            let field = Field::new(true);
            let there = field.there();
            chown(&there, Some(65534), Some(65534)).expect("an owner");
            let typed = field.typed(MOVE);
            let typed: Vec<&str> = typed.iter().map(String::as_str).collect();
            assert!(killed(&field.ground, call, number, &typed), "{call} {number}");
            let staged = aside(&field);
            let Some(staged) = staged else { continue };
            met += 1;
            if met % 3 == 1 {
                // Nobody came: it is removed (control).
                let ran = field.run(words);
                assert_eq!(ran.code, 0, "{call} {number}: {ran:?}");
                assert_eq!(fs::read_dir(&there).expect("a folder").count(), 0, "{ran:?}");
                continue;
            }
            fs::rename(&staged, there.join("x")).expect("a rename");
            make(&there, &["theirs/in/file"]);
            fs::rename(there.join("theirs"), &staged).expect("a rename");
            let ran = field.run(words);
            let kept = there.join("d (left over)/in/file");
            assert!(kept.is_file(), "{call} {number}, {words:?}: {ran:?}");
            assert!(ran.err.contains("d (left over)`"), "{call} {number}: {ran:?}");
            assert_eq!(ran.code, 0, "{call} {number}: {ran:?}");
            assert!(field.at("a/p/d/sub/g").is_file(), "{call} {number}: {ran:?}");
            assert!(field.strays().is_empty(), "{:?}: {ran:?}", field.strays());
        }
    }
    assert!(met >= 6, "{met}");
}

/// Something comes home within a volume; an editor saves it at the place that it leaves, between the last look
/// at the link that stands there and its end.
fn saved_over() {
    let mut met = 0;
    for number in 1..=8 {
        let field = Field::new(false);
        let moved = field.run(&["move", "-y", "--no-refs", "a/p/x", "@/x"]);
        assert_eq!(moved.code, 0, "{moved:?}");
        let (real, new) = (field.there().join("x"), field.there().join("saving"));
        let point = Point { call: "readlinkat".into(), number, near: true };
        let words = ["move", "-y", "--no-refs", "--back", "a/p/x"];
        let mut acted = false;
        let ran = stopped(&field, "t/x", &Program::Linkwell(&words), &point, || {
            acted = real.is_symlink()
                && fs::write(&new, "saved").is_ok()
                && fs::rename(&new, &real).is_ok();
            acted
        });
        if !acted {
            continue;
        }
        met += 1;
        assert_eq!(fs::read(&real).ok().as_deref(), Some(&b"saved"[..]), "{number}: {ran:?}");
        assert!(ran.code != 0 && field.bytes().contains(b"a/p/x".as_slice()), "{ran:?}");
        assert!(field.strays().is_empty(), "{:?}: {ran:?}", field.strays());
    }
    assert!(met > 0, "it never came to pass");
}
