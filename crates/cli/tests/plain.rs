//! The same answers where the newer system calls are absent.
#![expect(clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use crate::support::{LINKWELL, summary, timeless};
use libtest_mimic::Trial;
use linkwell_testkit::crafted;
use linkwell_testkit::need::test;
use linkwell_testkit::program::{self, Ran};
use linkwell_testkit::tree::{Scratch, make};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("plain calls: list, check, show and refs say the same", same),
        test("plain calls: odd names and deep folders", odd),
    ]
}

fn run(scratch: &Scratch, arguments: &[&str], plain: bool) -> Ran {
    let mut command = program::command(LINKWELL, &scratch.path());
    if plain {
        command.env("LINKWELL_PLAIN_CALLS", "1");
    }
    command.args(arguments).output().expect("linkwell can be started").into()
}

/// Both ways, which must be one.
fn both(scratch: &Scratch, arguments: &[&str]) {
    let (newer, plain) = (run(scratch, arguments, false), run(scratch, arguments, true));
    let json = arguments.contains(&"--json");
    let sorted = |ran: &Ran| {
        let text = timeless(&ran.out);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if arguments[0] == "list" || arguments[0] == "refs" || json {
            lines.retain(|line| !line.starts_with("{\"type\":\"summary\""));
            lines.sort();
        }
        lines
    };
    assert_eq!(sorted(&plain), sorted(&newer), "{arguments:?}");
    assert_eq!((&plain.err, plain.code), (&newer.err, newer.code), "{arguments:?}");
    assert!(!newer.out.is_empty(), "{arguments:?}");
    if json && arguments[0] != "show" {
        assert_eq!(summary(&plain), summary(&newer), "{arguments:?}");
    }
}

fn same() {
    let scratch = Scratch::with(&[
        "a/f",
        "a/b/up -> ../f",
        "a/b/parent -> ..",
        "self -> .",
        "gone -> no/where",
        "circle -> circle/x",
        "through -> a/f/x",
        "away -> /media/linkwell/stick/x",
        "chained -> next",
        "next -> a/b",
        "way -> a",
        "long -> .//a/../a",
        "root -> /",
        "p |",
        "to-p -> p",
        "dots -> way/../a/b/..",
        "slash -> a/",
        "file-slash -> a/f/",
    ]);
    make(&scratch.path(), &["a/h == a/f"]);
    crafted::chain(&scratch.join("a"), 42, "f");
    crafted::file(&scratch.path(), b"s.lnk", &crafted::lnk("a\\f"));
    for arguments in [
        &["list"][..],
        &["list", "--hard", "--shortcuts"],
        &["list", "--health", "broken,loop"],
        &["check", "-v"],
        &["check", "--json"],
        &["refs", "a", "--under", "."],
        &["refs", "--json", "a/f", "--under", "."],
        &["list", "way", "way/", "nosuch", "a/f/", "."],
    ] {
        both(&scratch, arguments);
    }
    // Notes but for doubled, which depends on what is met first; one thread makes that the same.
    both(&scratch, &["list", "--json", "--threads", "1"]);
    let hops = |plain| {
        let ran = run(&scratch, &["show", "way/b/up", "gone", "a/h", "self", "a/l1"], plain);
        // Without the table of mounts nothing can be said of volumes.
        let lines = ran.out.lines().map(|line| match line.split_once(" on the volume at `") {
            Some((kept, rest)) => {
                kept.to_owned() + rest.split_once(')').map_or("", |(_, after)| after)
            }
            None => line.to_owned(),
        });
        (lines.collect::<Vec<_>>(), ran.err.clone(), ran.code)
    };
    assert_eq!(hops(true), hops(false));
}

fn odd() {
    let scratch = Scratch::new();
    for byte in (1..=255_u8).filter(|byte| *byte != b'/') {
        crafted::link(&scratch.path(), &[b'a', byte], &[b'b', byte]);
    }
    let deep = "d/".repeat(100) + "l -> x";
    make(&scratch.path(), &[&deep]);
    both(&scratch, &["list"]);
    both(&scratch, &["list", "--json"]);
    both(&scratch, &["check", "-v"]);
}
