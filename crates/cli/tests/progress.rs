//! The line that shows how far a scan has come, on a terminal and nowhere else.

use crate::support::{LINKWELL, shell};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program;
use linkwell_testkit::tree::Scratch;
use std::path::Path;
use std::time::{Duration, Instant};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test_with(
            "progress: shown on a terminal after a second, and gone at the end",
            &[Need::Program("script"), Need::Program("strace")],
            on_a_terminal,
        ),
        test_with(
            "progress: not with -q",
            &[Need::Program("script"), Need::Program("strace")],
            quiet,
        ),
        test_with("progress: not for a short scan", &[Need::Program("script")], short),
        test("progress: nothing where standard error is no terminal", no_terminal),
    ]
}

/// Each reading of a folder made to wait a little, so that a small tree takes its time on any
/// machine.
const SLOWLY: &str = "strace -f -qq -o /dev/null -e trace=getdents64 \
                      -e inject=getdents64:delay_enter=40ms";

fn tree() -> Scratch {
    let scratch = Scratch::new();
    let lines: Vec<String> = (0..80).map(|number| format!("d{number}/l -> gone")).collect();
    linkwell_testkit::tree::make(
        &scratch.path(),
        &lines.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    scratch
}

/// What appears on a terminal while `line` runs, with its standard output elsewhere.
fn seen(folder: &Path, line: &str) -> String {
    let mut command = program::command("script", folder);
    let output = command.args(["-qec", line, "/dev/null"]).env("L", LINKWELL).env("TERM", "xterm");
    let output = output.output().expect("script can be started");
    assert!(output.status.code().is_some_and(|code| code < 2), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn on_a_terminal() {
    let scratch = tree();
    let line = format!("{SLOWLY} \"$L\" list --threads 1 >out");
    let text = seen(&scratch.path(), &line);
    let last = text.rsplit("entries a second").next().unwrap_or_default();
    assert!(text.contains(" entries, ") && text.contains(" links, "), "{text:?}");
    // After the last drawing the line is cleared, and nothing is left on it.
    let visible: String = last.replace("\x1b[2K", "").replace("\x1b[1A", "").replace('\r', "");
    assert!(last.contains("\x1b[2K") && visible.trim().is_empty(), "{last:?}");
    let both = format!("{SLOWLY} \"$L\" list --threads 1");
    let text = seen(&scratch.path(), &both);
    let links = text.matches("/l → gone").count();
    assert_eq!(links, 80, "results and progress do not overwrite each other: {text:?}");
}

fn quiet() {
    let scratch = tree();
    let text = seen(&scratch.path(), &format!("{SLOWLY} \"$L\" list -q --threads 1 >out"));
    assert_eq!(text, "");
}

fn short() {
    let scratch = Scratch::with(&["l -> f", "f"]);
    assert_eq!(seen(&scratch.path(), "\"$L\" list >out"), "");
}

fn no_terminal() {
    let scratch = Scratch::new();
    let started = Instant::now();
    let ran = shell(&scratch.path(), "\"$L\" check -q --threads 1 / >/dev/null");
    let slow = started.elapsed() > Duration::from_millis(1200);
    // A small machine may be looked at in less than a second; that shows nothing and is no fault.
    let progress = ran.err.contains("entries a second") || ran.err.contains('\x1b');
    assert!(!progress, "after a slow scan: {slow}; {ran:?}");
}
