//! The shell completions and manual pages that are checked in.

use crate::support::{linkwell, shell};
use libtest_mimic::Trial;
use linkwell_testkit::crafted;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::tree::Scratch;
use std::path::{Path, PathBuf};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("generated: what is checked in is what the program writes", up_to_date),
        test("generated: completions know every verb and option", completions),
        test("generated: completions offer nothing that is not for people", hidden),
        test("generated: there is a page for each verb, with the exit status", pages),
        test("generated: a folder that cannot be written to", refused),
        test_with("generated: the pages are clean", &[Need::Program("mandoc")], clean),
        test_with("generated: bash takes its completions", &[Need::Program("bash")], bash),
    ]
}

const VERBS: [&str; 22] = [
    "list", "check", "show", "refs", "create", "retarget", "convert", "move", "remove", "log",
    "undo", "recover", "track", "untrack", "status", "repair", "watch", "export", "apply",
    "clients", "share", "unshare",
];

fn top() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    folder.ancestors().nth(2).expect("crates/cli lies two folders below the top").to_path_buf()
}

fn generate() -> Scratch {
    let scratch = Scratch::new();
    let ran = linkwell(&scratch.path(), &["generate", "."]);
    assert_eq!((ran.out.as_str(), ran.err.as_str(), ran.code), ("", "", 0));
    scratch
}

fn up_to_date() {
    let scratch = generate();
    for folder in ["completions", "man"] {
        let fresh = crafted::contents(&scratch.join(folder));
        let kept = crafted::contents(&top().join(folder));
        let names: Vec<_> = fresh.keys().collect();
        assert_eq!(names, kept.keys().collect::<Vec<_>>(), "in {folder}");
        for (name, content) in &fresh {
            let same = kept.get(name) == Some(content);
            assert!(same, "{folder}/{} is stale: run `cargo run -- generate .`", name.display());
        }
    }
}

fn completions() {
    let scratch = generate();
    let files = crafted::contents(&scratch.join("completions"));
    assert_eq!(files.len(), 4, "bash, zsh, fish and PowerShell");
    for (name, content) in &files {
        let text = String::from_utf8_lossy(content);
        for word in
            VERBS.iter().chain(&["cross-volumes", "under", "shortcuts", "health", "version"])
        {
            assert!(text.contains(word), "{} knows nothing of {word}", name.display());
        }
        // The generator offers no values in PowerShell.
        if name.extension().is_some_and(|end| end == "ps1") {
            continue;
        }
        for value in ["not_a_directory", "crosses_volume", "junction"] {
            let knows = text.contains(value);
            assert!(knows, "{} does not offer {value}", name.display());
        }
    }
}

fn hidden() {
    let scratch = generate();
    for (name, content) in &crafted::contents(&scratch.join("completions")) {
        let text = String::from_utf8_lossy(content);
        for hidden in ["answers", "generate"] {
            let offered = text.contains(hidden);
            assert!(!offered, "{} offers `{hidden}`, which is not for people", name.display());
        }
    }
}

fn pages() {
    let scratch = generate();
    let files = crafted::contents(&scratch.join("man"));
    let names: Vec<String> = files.keys().map(|name| name.display().to_string()).collect();
    let mut expected: Vec<String> = VERBS.iter().map(|verb| format!("linkwell-{verb}.1")).collect();
    expected.push("linkwell.1".into());
    expected.sort();
    assert_eq!(names, expected);
    for (name, content) in &files {
        let text = String::from_utf8_lossy(content);
        assert!(text.contains("130"), "{} says nothing of exit status", name.display());
    }
}

fn refused() {
    let scratch = Scratch::with(&["file"]);
    let ran = linkwell(&scratch.path(), &["generate", "file"]);
    assert!(
        ran.err.starts_with("error: could not write `file/completions`\ncaused by: "),
        "{ran:?}"
    );
    assert!(!ran.err.contains("os error"), "no error numbers: {ran:?}");
    assert_eq!((ran.out.as_str(), ran.code), ("", 3));
}

fn clean() {
    let scratch = generate();
    let ran = shell(&scratch.join("man"), "mandoc -Tlint -Wwarning *.1");
    let serious: Vec<&str> = ran
        .out
        .lines()
        // What the generator writes is not ours: its order of sections and empty paragraphs.
        .filter(|line| {
            line.contains("ERROR") || line.contains("UNSUPP") || line.contains("WARNING")
        })
        .filter(|line| !line.contains("skipping paragraph macro"))
        .filter(|line| !line.contains("missing date"))
        .collect();
    assert!(serious.is_empty(), "{serious:#?}");
}

fn bash() {
    let scratch = generate();
    let line = "bash -c '. completions/linkwell.bash; COMP_WORDS=(linkwell l); COMP_CWORD=1; \
                _linkwell linkwell l linkwell; echo \"${COMPREPLY[@]}\"'";
    let ran = shell(&scratch.path(), line);
    assert_eq!((ran.out.as_str(), ran.err.as_str(), ran.code), ("list ln log\n", "", 0));
}
