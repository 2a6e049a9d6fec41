//! Names and targets that somebody chose to do harm: safe for people, exact for programs.
#![expect(clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use crate::support::{LINKWELL, bytes, links, linkwell, nul_ended, objects, raw};
use libtest_mimic::Trial;
use linkwell_testkit::crafted;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program;
use linkwell_testkit::tree::Scratch;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::ffi::OsStringExt as _;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("hostile: every byte in names and targets, for people", every_byte_shown),
        test("hostile: every byte in names and targets, for programs", every_byte_exact),
        test("hostile: known tricks, as they are shown", tricks),
        test("hostile: no two names look alike", distinct),
        test("hostile: names and paths that are arguments", arguments),
        test("hostile: words that the parser refuses", refused_words),
        test_with(
            "hostile: words that the parser refuses, on a terminal",
            &[Need::Program("script")],
            refused_on_a_terminal,
        ),
        test("hostile: the longest names and targets", longest),
    ]
}

const TRICKS: [&[u8]; 12] = [
    b"new\nline",
    b"\x1b]0;title\x07",
    b"\x1b[2K\x1b[1Aok",
    b"\x9b31m",
    b"\xc2\x9b31m",
    b"gpj\xe2\x80\xaeexe.",
    b"a \xe2\x86\x92 b",
    b"back\\slash\\n",
    b"invalid\xff\xfe\xc3",
    b"\xef\xbb\xbfmark",
    b"a\xe2\x80\xa8b",
    b"-rf",
];

/// All names of one byte in the middle, and the tricks.
fn names() -> Vec<Vec<u8>> {
    let bytes = (1..=255_u8).filter(|byte| *byte != b'/').map(|byte| vec![b'a', byte, b'z']);
    bytes.chain(TRICKS.map(<[u8]>::to_vec)).collect()
}

/// A tree where each name is a broken link with a target like it, and a folder with links.
fn tree() -> Scratch {
    let scratch = Scratch::new();
    for name in names() {
        crafted::link(&scratch.path(), &name, &[b"gone/".as_slice(), &name].concat());
    }
    scratch
}

fn is_safe(bytes: &[u8]) -> bool {
    // Valid UTF-8 (a lone byte of 0x80 or more could be a C1 control), no control character but
    // the newline, nothing that turns the direction or is not seen.
    let harmful = |character: char| {
        (character.is_control() && character != '\n')
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{feff}')
    };
    std::str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(harmful))
}

fn every_byte_shown() {
    let scratch = tree();
    let home = scratch.path();
    for arguments in [
        &["list"][..],
        &["list", "--hard", "--shortcuts"],
        &["check", "-v"],
        &["check"],
        &["refs", "gone", "--under", "."],
    ] {
        let output = raw(&home, arguments);
        assert!(is_safe(&output.stdout), "{arguments:?}: {}", output.stdout.escape_ascii());
        assert!(is_safe(&output.stderr), "{arguments:?}: {}", output.stderr.escape_ascii());
        assert!(!output.stdout.is_empty(), "{arguments:?}");
    }
    let list = raw(&home, &["list"]);
    let lines = list.stdout.split(|byte| *byte == b'\n').count() - 1;
    assert_eq!(lines, names().len(), "one line a link, whatever it is called");
    let mut show = vec![OsString::from("show"), OsString::from("--")];
    show.extend(names().into_iter().map(OsString::from_vec));
    let output = raw(&home, &show);
    assert!(is_safe(&output.stdout) && is_safe(&output.stderr), "{}", output.stdout.escape_ascii());
    // As paths that do not exist, they come in errors.
    let elsewhere = Scratch::new();
    for verb in ["list", "check", "show"] {
        show[0] = verb.into();
        let output = raw(&elsewhere.path(), &show);
        assert!(is_safe(&output.stdout), "{verb}: {}", output.stdout.escape_ascii());
        assert!(is_safe(&output.stderr), "{verb}: {}", output.stderr.escape_ascii());
        assert!(output.stdout.len() + output.stderr.len() > names().len() * 10, "{verb}");
    }
}

fn every_byte_exact() {
    let scratch = tree();
    let mut expected: Vec<Vec<u8>> =
        names().iter().map(|name| [b"./".as_slice(), name].concat()).collect();
    expected.sort();
    for arguments in
        [&["list", "-0"][..], &["check", "-0"], &["refs", "-0", "gone", "--under", "."]]
    {
        let output = raw(&scratch.path(), arguments);
        assert_eq!(nul_ended(&output.stdout), expected, "{arguments:?}");
    }
    for arguments in
        [&["list", "--json"][..], &["check", "--json"], &["refs", "--json", "gone", "--under", "."]]
    {
        let ran = linkwell(&scratch.path(), arguments);
        assert!(!ran.out.contains(|one| ('\u{80}'..='\u{9f}').contains(&one)), "{arguments:?}");
        let mut found = Vec::new();
        for link in links(&ran) {
            let path = bytes(&link, "path").expect("a path");
            let target = [b"gone/".as_slice(), path.get(2..).unwrap_or_default()].concat();
            assert_eq!(bytes(&link, "target"), Some(target), "{link}");
            found.push(path);
        }
        found.sort();
        assert_eq!(found, expected, "{arguments:?}");
    }
    let mut show = vec![OsString::from("show"), "--json".into(), "--".into()];
    show.extend(names().into_iter().map(OsString::from_vec));
    let ran = program::run(LINKWELL, &scratch.path(), &show);
    let found: Vec<_> = objects(&ran).iter().map(|object| bytes(object, "path")).collect();
    assert_eq!(found, names().into_iter().map(Some).collect::<Vec<_>>());
}

fn tricks() {
    let scratch = Scratch::new();
    for name in TRICKS {
        crafted::link(&scratch.path(), name, name);
    }
    let ran = linkwell(&scratch.path(), &["list"]);
    let shown = [
        "-rf",
        "\\e[2K\\e[1Aok",
        "\\e]0;title\\x07",
        "\\u{9b}31m",
        "\\u{feff}mark",
        "\\x9b31m",
        "a \\u{2192} b",
        "a\\u{2028}b",
        "back\\\\slash\\\\n",
        "gpj\\u{202e}exe.",
        "invalid\\xff\\xfe\\xc3",
        "new\\nline",
    ];
    let expected = shown.map(|name| format!("loop     symlink  ./{name} → {name}"));
    assert_eq!(ran.sorted(), expected);
}

fn distinct() {
    let scratch = tree();
    let ran = linkwell(&scratch.path(), &["list"]);
    let mut lines = ran.sorted();
    let all = lines.len();
    lines.dedup();
    assert_eq!((lines.len(), all), (names().len(), names().len()));
}

fn arguments() {
    let scratch = tree();
    for name in names() {
        let output =
            raw(&scratch.path(), &[OsStr::new("list"), "--".as_ref(), OsStr::from_bytes(&name)]);
        assert_eq!(output.status.code(), Some(0), "{}", name.escape_ascii());
        assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 1);
    }
    let refused = raw(&scratch.path(), &["list", "-rf"]);
    assert_eq!(refused.status.code(), Some(2), "without `--` it is an option");
}

/// Words with each control character, and the tricks.
fn words() -> Vec<Vec<u8>> {
    let controls = (1..0x20_u8).chain([0x7f, 0x80, 0x9b, 0x9f]).map(|byte| vec![b'a', byte, b'z']);
    controls.chain(TRICKS.map(<[u8]>::to_vec)).collect()
}

fn refused_words() {
    let scratch = Scratch::new();
    for word in words() {
        let word = word.strip_prefix(b"-").unwrap_or(&word).to_vec();
        for arguments in [
            vec![OsString::from_vec(word.clone())],
            vec!["list".into(), OsString::from_vec([b"--".as_slice(), &word].concat())],
            vec!["list".into(), "--kind".into(), OsString::from_vec(word)],
        ] {
            let output = raw(&scratch.path(), &arguments);
            assert_eq!(output.status.code(), Some(2), "{arguments:?}");
            assert!(is_safe(&output.stderr), "{arguments:?}: {}", output.stderr.escape_ascii());
        }
    }
}

fn refused_on_a_terminal() {
    let scratch = Scratch::new();
    let mut command = program::command("script", &scratch.path());
    let line = "\"$L\" list --kind \"$(printf '\\033]0;title\\007')\"";
    command.args(["-qec", line, "/dev/null"]).env("L", LINKWELL).env("TERM", "xterm");
    let output = command.output().expect("script can be started");
    let text = output.stdout.escape_ascii().to_string();
    assert!(text.contains("title"), "it says what it refused: {text}");
    let raw = output.stdout.windows(4).any(|window| window == b"\x1b]0;");
    assert!(!raw, "the title of the terminal's window was set: {text}");
}

fn longest() {
    let scratch = Scratch::new();
    let name = vec![b'n'; 255];
    let target = [b"x/".repeat(2047), b"y".to_vec()].concat();
    assert_eq!(target.len(), 4095);
    crafted::link(&scratch.path(), &name, &target);
    let own = vec![b'o'; 255];
    crafted::link(&scratch.path(), &own, &name);
    let ran = linkwell(&scratch.path(), &["list"]);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let expected = [
        format!("broken   symlink  ./{} → {}", text(&name), text(&target)),
        format!("broken   symlink  ./{} → {}", text(&own), text(&name)),
    ];
    assert_eq!((ran.sorted(), ran.code), (expected.iter().map(String::as_str).collect(), 0));
    let ran = linkwell(&scratch.path(), &["list", "--json"]);
    let targets: Vec<_> = links(&ran).iter().map(|link| bytes(link, "target")).collect();
    assert_eq!(targets, [Some(target), Some(name)]);
    let long = "z".repeat(300);
    let ran = linkwell(&scratch.path(), &["list", &long]);
    let expected = format!("error: could not look at `{long}`: file name too long\n");
    assert_eq!((ran.err, ran.code), (expected, 3));
}
