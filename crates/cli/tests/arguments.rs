//! What can be typed, and what is refused.

use crate::support::{LINKWELL, linkwell, nul_ended, raw, shell};
use libtest_mimic::Trial;
use linkwell_testkit::crafted;
use linkwell_testkit::need::test;
use linkwell_testkit::program;
use linkwell_testkit::tree::{Scratch, make};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

const VERBS: [&str; 4] = ["list", "check", "show", "refs"];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("arguments: names that begin with a dash, after --", dashes),
        test("arguments: an empty path is refused, and nothing is looked at", empty),
        test("arguments: an unknown verb or option is wrong usage", unknown),
        test("arguments: ten thousand paths", ten_thousand),
        test("arguments: paths that are not UTF-8", not_utf8),
        test("arguments: help shows examples first", examples_first),
        test("arguments: --version, and the help of the whole", whole),
        test("arguments: numbers that make no sense", numbers),
        test("arguments: a current folder that is gone", folder_gone),
    ]
}

fn dashes() {
    let scratch = Scratch::with(&["-x/l -> f", "-x/f", "--json -> -x"]);
    let ran = linkwell(&scratch.path(), &["list", "--", "-x", "--json"]);
    let expected = ["ok       symlink  --json → -x", "ok       symlink  -x/l → f"];
    assert_eq!((ran.sorted().as_slice(), ran.code), (&expected[..], 0));
    let refs = linkwell(&scratch.path(), &["refs", "--under", ".", "--", "-x"]);
    assert_eq!(refs.out.lines().count(), 2, "{refs:?}");
    let show = linkwell(&scratch.path(), &["show", "--", "--json"]);
    assert!(show.out.starts_with("--json is a symbolic link to a folder\n"), "{show:?}");
    assert_eq!(linkwell(&scratch.path(), &["check", "--", "--json"]).code, 0);
}

fn empty() {
    let scratch = Scratch::with(&["l -> gone"]);
    let said = "error: one of the paths is empty; nothing was looked at\n\
                hint: write `.` for the current folder\n";
    for verb in VERBS {
        for paths in [&[""][..], &["l", ""], &["", "l"]] {
            let arguments: Vec<&str> = [verb].iter().chain(paths).copied().collect();
            let ran = linkwell(&scratch.path(), &arguments);
            assert_eq!((ran.out.as_str(), ran.err.as_str(), ran.code), ("", said, 2), "{verb}");
        }
    }
    let under = linkwell(&scratch.path(), &["refs", "l", "--under", ""]);
    assert_eq!((under.out.as_str(), under.err.as_str(), under.code), ("", said, 2));
}

fn unknown() {
    let scratch = Scratch::new();
    for arguments in [
        &["frobnicate"][..],
        &[],
        &["list", "--frobnicate"],
        &["check", "-Z"],
        &["show"],
        &["refs"],
        &["list", "--color", "pink"],
        &["show", "-0", "x"],
        &["--frobnicate", "list"],
    ] {
        let ran = linkwell(&scratch.path(), arguments);
        assert_eq!((ran.out.as_str(), ran.code), ("", 2), "{arguments:?}: {ran:?}");
        let helps = ran.err.contains("Usage: linkwell") || ran.err.contains("try '--help'");
        assert!(helps, "{arguments:?}: {ran:?}");
    }
}

fn ten_thousand() {
    let scratch = Scratch::with(&["f"]);
    let names: Vec<String> = (0..10_000).map(|number| format!("l{number}")).collect();
    let lines: Vec<String> = names.iter().map(|name| format!("{name} -> f")).collect();
    make(&scratch.path(), &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let mut arguments = vec!["list", "-0"];
    arguments.extend(names.iter().map(String::as_str));
    let output = raw(&scratch.path(), &arguments);
    let mut expected: Vec<Vec<u8>> = names.iter().map(|name| name.clone().into_bytes()).collect();
    expected.sort();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    assert_eq!(nul_ended(&output.stdout), expected);
}

fn not_utf8() {
    let scratch = Scratch::new();
    crafted::link(&scratch.path(), b"\xff\x80", b"gone");
    let path = || OsString::from_vec(b"\xff\x80".to_vec());
    for (verb, code) in [("list", 0), ("check", 1), ("show", 1)] {
        let ran = program::run(LINKWELL, &scratch.path(), &[verb.into(), path()]);
        assert!(ran.code == code && ran.out.contains("\\xff\\x80"), "{ran:?}");
    }
    let exact = raw(&scratch.path(), &["list".into(), "-0".into(), path()]);
    assert_eq!(exact.stdout, b"\xff\x80\0");
    let refs = ["refs".into(), path(), "--under".into(), path()];
    let ran = program::run(LINKWELL, &scratch.path(), &refs);
    assert_eq!(ran.code, 0, "{ran:?}");
}

fn examples_first() {
    let scratch = Scratch::new();
    for verb in VERBS {
        for arguments in [&["help", verb][..], &[verb, "--help"], &[verb, "-h"]] {
            let ran = linkwell(&scratch.path(), arguments);
            assert!(ran.out.starts_with("Examples:\n"), "{arguments:?}: {ran:?}");
            let (examples, rest) = ran.out.split_once("\n\n").expect("a paragraph of examples");
            let count = examples.lines().filter(|line| line.starts_with("  linkwell ")).count();
            assert_eq!(count, 3, "three worked examples: {examples}");
            assert!(rest.contains(&format!("Usage: linkwell {verb} ")), "{arguments:?}: {rest}");
            assert!(rest.contains("Exit status: 0 "), "{arguments:?}: {rest}");
            assert_eq!((ran.err.as_str(), ran.code), ("", 0));
        }
    }
}

fn whole() {
    let scratch = Scratch::new();
    let version = format!("linkwell {}\n", env!("CARGO_PKG_VERSION"));
    for argument in ["--version", "-V"] {
        let ran = linkwell(&scratch.path(), &[argument]);
        assert_eq!((ran.out.as_str(), ran.err.as_str(), ran.code), (version.as_str(), "", 0));
    }
    let ran = linkwell(&scratch.path(), &["--help"]);
    let named = |verb: &str| ran.out.lines().any(|line| line.starts_with(&format!("  {verb} ")));
    assert!(VERBS.into_iter().all(named), "{ran:?}");
    assert!(!named("answers") && !named("generate"), "what is not for people: {ran:?}");
    assert_eq!((ran.err.as_str(), ran.code), ("", 0));
}

fn numbers() {
    let scratch = Scratch::new();
    for (option, value) in [
        ("--threads", "0"),
        ("--threads", "-1"),
        ("--threads", "many"),
        ("--time-limit", "soon"),
        ("--time-limit", "-1"),
        ("--time-limit", "NaN"),
        ("--time-limit", "inf"),
        ("--time-limit", "1e300"),
    ] {
        let ran = linkwell(&scratch.path(), &["list", &format!("{option}={value}")]);
        assert_eq!((ran.out.as_str(), ran.code), ("", 2), "{option} {value}: {ran:?}");
    }
    for (option, value) in [("--threads", "1"), ("--threads", "200"), ("--time-limit", "0.5")] {
        assert_eq!(linkwell(&scratch.path(), &["list", option, value]).code, 0, "{option} {value}");
    }
}

fn folder_gone() {
    let scratch = Scratch::with(&["here/", "d/l -> f", "d/f"]);
    let line = "cd here && rmdir ../here && \"$L\" LIST";
    let absolute = scratch.join("d");
    let absolute = absolute.to_str().expect("a plain path");
    let list = shell(&scratch.path(), &line.replace("LIST", &format!("list {absolute}")));
    assert_eq!((list.out, list.code), (format!("ok       symlink  {absolute}/l → f\n"), 0));
    make(&scratch.path(), &["here/"]);
    let list = shell(&scratch.path(), &line.replace("LIST", "list gone"));
    let said = "error: could not look at `gone`: no such file or directory\n";
    assert_eq!((list.out.as_str(), list.err.as_str(), list.code), ("", said, 3));
}
