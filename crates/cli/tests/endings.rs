//! How a run ends when it cannot go on as it likes: readers that leave, full disks, Ctrl-C.

use crate::support::{LINKWELL, shell};
use libtest_mimic::Trial;
use linkwell_testkit::need::test;
use linkwell_testkit::program;
use linkwell_testkit::running::Running;
use linkwell_testkit::tree::{Scratch, make};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("endings: `| head -1` ends quietly", head),
        test("endings: a reader that has gone before anything was printed", no_reader),
        test("endings: a full disk is told, and exit 3", full),
        test("endings: standard error closed or full does no harm", no_errors),
        test("endings: Ctrl-C during a scan: 130 at once, and whole lines", interrupted),
        test("endings: Ctrl-C with --json: whole objects", interrupted_json),
        test("endings: Ctrl-C while nobody reads the output", interrupted_unread),
        test("endings: Ctrl-C twice", interrupted_twice),
    ]
}

/// Much longer than the 0.2 seconds that are promised, since machines are noisy; what was measured
/// is printed.
const LIMIT: Duration = Duration::from_secs(1);

/// A tree with so many links that its list does not fit a pipe.
fn big() -> Scratch {
    let scratch = Scratch::new();
    let long = "x".repeat(100);
    let lines: Vec<String> =
        (0..4000).map(|number| format!("d{}/{long}{number} -> {long}", number % 40)).collect();
    make(&scratch.path(), &lines.iter().map(String::as_str).collect::<Vec<_>>());
    scratch
}

fn head() {
    let scratch = big();
    for arguments in
        ["list", "list --json", "list -0", "check -v", "check --json", "refs --under . -- d1"]
    {
        let line = format!("\"$L\" {arguments} | head -c 1 >/dev/null");
        let ran = shell(&scratch.path(), &line);
        let quiet =
            ran.err.is_empty() || arguments.starts_with("refs") && !ran.err.contains("error");
        assert!(quiet, "{arguments}: {ran:?}");
        assert_eq!(ran.code, 0, "the code of head: {ran:?}");
    }
    let ran = shell(&scratch.path(), "\"$L\" list | head -1");
    assert_eq!((ran.out.lines().count(), ran.err.as_str()), (1, ""));
}

fn no_reader() {
    let scratch = Scratch::with(&["l -> gone"]);
    let line = "{ sleep 0.1; \"$L\" VERB; echo \"code $?\" >&2; } | true";
    for verb in ["list", "check", "show l", "list --json", "--help", "help list", "--version"] {
        let ran = shell(&scratch.path(), &line.replace("VERB", verb));
        assert!(ran.err.starts_with("code ") && ran.err.lines().count() == 1, "{verb}: {ran:?}");
        assert!(!ran.err.contains("code 101") && !ran.err.contains("code 134"), "{verb}: {ran:?}");
    }
}

fn full() {
    let scratch = Scratch::with(&["l -> f", "f"]);
    let said = "error: could not write the output; what was printed is not the whole\n\
                caused by: no space left on device\n";
    for verb in ["list", "list --json", "list -0", "check", "show l", "refs --json f --under ."] {
        let ran = shell(&scratch.path(), &format!("\"$L\" {verb} >/dev/full"));
        assert_eq!((ran.err.as_str(), ran.code), (said, 3), "{verb}");
    }
    let nothing = shell(&scratch.path(), "\"$L\" list f >/dev/full");
    assert_eq!((nothing.err.as_str(), nothing.code), ("", 0), "nothing was to be printed");
    let big = big();
    let ran = shell(&big.path(), "\"$L\" list >/dev/full");
    assert_eq!((ran.err.as_str(), ran.code), (said, 3), "told once");
}

fn no_errors() {
    let scratch = Scratch::with(&["l -> f", "f"]);
    for place in ["2>&-", "2>/dev/full"] {
        let ran = shell(&scratch.path(), &format!("\"$L\" list l nosuch {place}"));
        assert_eq!((ran.out.as_str(), ran.code), ("ok       symlink  l → f\n", 3), "{place}");
    }
    let ran = shell(&scratch.path(), "\"$L\" list l <&-");
    assert_eq!((ran.out.as_str(), ran.code), ("ok       symlink  l → f\n", 0));
    // The language's own start opens /dev/null in the place of a closed output: what matters is
    // that nothing else is opened there and written to.
    let ran = shell(&scratch.path(), "\"$L\" list l >&-");
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("", ""));
}

/// A scan of the whole machine, which takes a while.
fn whole_machine(arguments: &[&str]) -> Command {
    let mut command = program::command(LINKWELL, Path::new("/"));
    command.args(arguments).args(["--cross-volumes", "--virtual", "/", "/proc", "/sys"]);
    command
}

fn told(what: &str, took: Duration) {
    let line = format!("    {what}: ended {} ms after the signal\n", took.as_millis());
    // Past the test runner's own lines, for whoever watches.
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap_or_default();
    assert!(took < LIMIT, "{what}: {took:?}");
}

fn interrupted() {
    let mut running = Running::start(&mut whole_machine(&["list"]));
    let first = running.first_output();
    running.interrupt();
    let (rest, err, code, took) = running.end();
    assert_eq!(code, 130, "{}", String::from_utf8_lossy(&err));
    told("list", took);
    let text = String::from_utf8([first, rest].concat()).expect("what is for people is UTF-8");
    assert!(text.ends_with('\n'), "whole lines only: {:?}", text.lines().last());
    let whole = text.lines().all(|line| line.contains(" symlink  ") || line.contains(" bind "));
    assert!(whole && text.lines().count() > 0);
}

fn interrupted_json() {
    let mut running = Running::start(&mut whole_machine(&["list", "--json"]));
    let first = running.first_output();
    running.interrupt();
    let (rest, _, code, took) = running.end();
    assert_eq!(code, 130);
    told("list --json", took);
    let text = String::from_utf8([first, rest].concat()).expect("JSON is UTF-8");
    assert!(text.ends_with("}\n"), "{:?}", text.lines().last());
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line).expect("each line is whole");
    }
    let mut running = Running::start(&mut whole_machine(&["check"]));
    running.wait_until_it_heeds();
    assert!(running.still_runs(), "the whole machine takes longer than that");
    running.interrupt();
    let (_, _, code, took) = running.end();
    assert_eq!(code, 130);
    told("check", took);
}

fn interrupted_unread() {
    let scratch = big();
    for arguments in [&["list"][..], &["list", "--json"], &["check", "-v"]] {
        let mut command = program::command(LINKWELL, &scratch.path());
        let mut running = Running::start(command.args(arguments));
        std::thread::sleep(Duration::from_millis(500));
        assert!(running.still_runs(), "its output must not fit the pipe: {arguments:?}");
        running.interrupt();
        let (code, took) = running.end_unread(Duration::from_secs(5));
        assert_eq!(code, 130, "{arguments:?}");
        told("unread", took);
    }
}

fn interrupted_twice() {
    let scratch = big();
    let mut command = program::command(LINKWELL, &scratch.path());
    let mut running = Running::start(command.arg("list"));
    running.wait_until_it_heeds();
    running.interrupt();
    std::thread::sleep(Duration::from_millis(20));
    running.interrupt();
    let (code, took) = running.end_unread(Duration::from_secs(5));
    assert_eq!(code, 130);
    told("twice", took);
}
