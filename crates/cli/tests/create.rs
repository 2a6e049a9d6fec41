//! `create`: what is shown and asked, what is refused and with which words, and every name.
#![expect(
    clippy::disallowed_methods,
    reason = "a test stands outside: it makes its trees, looks at them by itself"
)]

use crate::support::{Ground, LINKWELL, of_type, text};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::make;
use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub(crate) fn trials() -> Vec<Trial> {
    let script = [Need::Program("script")];
    vec![
        test("create: the preview names the link and says how its target is written", previews),
        test("create: a dry run changes nothing, whatever stands beside it", dry_run),
        test("create: without a terminal and `--yes` it refuses", no_terminal),
        test_with("create: at a terminal it asks, and takes a yes", &script, terminal),
        test("create: -i asks for each link that is replaced", interactive),
        test("create: all conflicts at once, and the rest is done", conflicts),
        test("create: the words of what is refused", words),
        test("create: names of backups (U9)", backups),
    ]
}

/// A run of `create` with more arguments.
pub(crate) fn create(ground: &Ground, arguments: &[&str]) -> Ran {
    ground.run(&[&["create"], arguments].concat())
}

fn previews() {
    let ground = Ground::with(&["f", "g", "d/", "p/.git/", "p/a/x", "p/b/"]);
    let tree = ground.tree().display().to_string();
    let out = |arguments: &[&str]| create(&ground, &[arguments, &["-n"]].concat()).out;
    let absolute = "  (written absolute: the link and what it leads to share no project, volume or home folder)\n";
    assert_eq!(out(&["f", "d/"]), format!("  make       d/f → {tree}/f\n{absolute}"));
    assert_eq!(out(&["f", "d/."]), format!("  make       d/./f → {tree}/f\n{absolute}"));
    assert_eq!(out(&["d/../f", "n"]), format!("  make       n → {tree}/f\n{absolute}"));
    assert_eq!(out(&["-t", "d", "f"]), format!("  make       d/f → {tree}/f\n{absolute}"));
    let ran = ground
        .command()
        .args(["create", "../f", "-n"])
        .current_dir(ground.tree().join("d"))
        .output();
    let ran: Ran = ran.expect("linkwell").into();
    assert_eq!(ran.out, format!("  make       f → {tree}/f\n{absolute}"));
    assert_eq!(
        out(&["p/a/x", "p/b/"]),
        format!(
            "  make       p/b/x → ../a/x\n  (written relative: both ends lie in the project `{tree}/p`)\n"
        )
    );
    assert_eq!(out(&["-r", "f", "d/n"]), "  make       d/n → ../f\n");
    assert_eq!(
        out(&["--hard", "f", "d/n"]),
        format!("  make       d/n = `{tree}/f` (another name of the same file)\n")
    );
    let shortcut = out(&["--shortcut", "f", "d/n"]);
    assert!(shortcut.starts_with("  make       d/n.desktop  (a small file)\n"), "{shortcut}");
    assert!(shortcut.contains("desktops know shortcuts by that ending"), "{shortcut}");
    assert_eq!(create(&ground, &["-y", "-r", "g", "l"]).code, 0);
    assert_eq!(out(&["-r", "-f", "f", "l"]), "  change     l → f  (led to `g`)\n");
    let kept = out(&["-r", "-b", "f", "g"]);
    assert_eq!(
        kept,
        format!("  change     g → f  (a file until now)  the old one is kept as `{tree}/g~`\n")
    );
    assert!(kept.contains("g~"), "{kept}");
    // What is as it was asked for is not shown as work.
    assert_eq!(out(&["-r", "g", "l"]), "");
    let some: Vec<String> = (0..25).map(|number| format!("f\0n{number}\0")).collect();
    let list =
        |more: &[&str]| listed(&ground, some.concat().as_bytes(), &[&["-n", "-r"], more].concat());
    assert_eq!(list(&[]).out.lines().count(), 21);
    assert!(list(&[]).out.contains("… and 5 more (`--verbose` shows all)"));
    assert_eq!(list(&["-v"]).out.lines().count(), 25);
}

fn dry_run() {
    let ground = Ground::with(&["f", "g", "l -> g"]);
    let before = ground.listing();
    for arguments in [
        &["-n", "f", "n"][..],
        &["-n", "-y", "f", "n"],
        &["-n", "-f", "f", "l"],
        &["-n", "-f", "-y", "f", "l"],
        &["-n", "-b", "-y", "f", "g"],
        &["-n", "--json", "-y", "f", "n"],
        &["-sfn", "f", "l"],
    ] {
        let ran = create(&ground, arguments);
        assert_eq!((ran.code, ground.listing()), (0, before.clone()), "{arguments:?}: {ran:?}");
        assert!(!ran.out.is_empty(), "{arguments:?}: {ran:?}");
        let made = ground.scratch().join("state/linkwell").exists();
        assert!(!made, "{arguments:?}: a dry run wrote a record");
    }
    assert!(create(&ground, &["-sfn", "f", "l"]).err.contains("`ln`'s `-n` is not needed"));
    let ran = create(&ground, &["-n", "f", "g"]);
    assert_eq!((ran.code, ground.listing()), (1, before), "{ran:?}");
}

fn no_terminal() {
    let ground = Ground::with(&["f"]);
    let before = ground.listing();
    for arguments in [&["f", "n"][..], &["-f", "f", "n"], &["-i", "f", "n"], &["--json", "f", "n"]]
    {
        let ran = create(&ground, arguments);
        assert_eq!((ran.code, ground.listing()), (2, before.clone()), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains("there is no terminal to ask at"), "{ran:?}");
    }
}

/// Runs `create` at a terminal of `script`'s making, and types `typed`.
fn at_terminal(ground: &Ground, line: &str, typed: &str) -> (String, i32) {
    let mut command = Command::new("script");
    command
        .args(["-qec", &format!("{LINKWELL} {line}"), "/dev/null"])
        .current_dir(ground.tree())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", ground.scratch().join("home"))
        .env("XDG_STATE_HOME", ground.scratch().join("state"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut child = command.spawn().expect("script can be started");
    let mut seen = said_until(&mut child, "[y/N] ");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(typed.as_bytes()).expect("it reads");
    let mut rest = String::new();
    child.stdout.take().expect("its output").read_to_string(&mut rest).expect("text");
    seen.push_str(&rest);
    drop(stdin);
    (seen, child.wait().expect("a child").code().unwrap_or(-1))
}

/// What a child prints on standard output until it ends in `end`.
fn said_until(child: &mut Child, end: &str) -> String {
    let out = child.stdout.as_mut().expect("its output");
    read_until(out, end)
}

pub(crate) fn read_until(out: &mut impl std::io::Read, end: &str) -> String {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(end.as_bytes()) {
        let count = out.read(&mut byte).expect("its output can be read");
        assert_eq!(count, 1, "it ended first: {}", String::from_utf8_lossy(&seen));
        seen.extend(byte);
    }
    String::from_utf8_lossy(&seen).into_owned()
}

fn terminal() {
    let ground = Ground::with(&["f", "g"]);
    let before = ground.listing();
    for no in ["n\n", "\n", "nonsense\n", "\u{4}"] {
        let (seen, code) = at_terminal(&ground, "create f n", no);
        assert_eq!((code, ground.listing()), (1, before.clone()), "{no:?}: {seen}");
        assert!(seen.contains("make       n → ") && seen.contains("Go ahead? [y/N]"), "{seen}");
        assert!(seen.contains("nothing was changed"), "{seen}");
    }
    let (seen, code) = at_terminal(&ground, "create f n", "y\n");
    assert_eq!(code, 0, "{seen}");
    assert!(ground.tree().join("n").is_symlink());
    // One of two cannot be done: that is said before the question, and is not done.
    make(&ground.tree(), &["d/f"]);
    let (seen, code) = at_terminal(&ground, "create -t d f g", "yes\n");
    assert!(seen.contains("1 thing cannot be done, as said above; the rest can"), "{seen}");
    assert_eq!(code, 3, "done in part: {seen}");
    assert_eq!(seen.matches("there is a file with this name already").count(), 1, "{seen}");
    assert!(ground.tree().join("d/g").is_symlink());
}

fn interactive() {
    let ground = Ground::with(&["f", "l -> g", "m -> g", "g"]);
    let list = b"f\0l\0f\0m\0";
    let ran = answered(&ground, &["create", "-i", "-r", "-t", ".", "f"], b"");
    assert_eq!(ran.code, 1, "{ran:?}");
    // The list is on standard input, so there nobody can answer: each is a no.
    let ran = listed(&ground, list, &["-i", "-r"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let before = ground.listing();
    for answer in ["n\n", "", "\n", "q\n"] {
        let ran = answered(&ground, &["create", "-i", "f", "l"], answer.as_bytes());
        assert_eq!((ran.code, ground.listing()), (1, before.clone()), "{ran:?}");
        assert!(ran.err.contains("change `l`? [y/N]"), "{ran:?}");
    }
    let ran = answered(&ground, &["create", "-i", "-r", "f", "l"], b"y\n");
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(std::fs::read_link(ground.tree().join("l")).expect("a link"), Path::new("f"));
    // A real file is not replaced whatever is answered.
    let ran = answered(&ground, &["create", "-i", "f", "g"], b"y\n");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ground.tree().join("g").is_file());
}

/// Runs linkwell with these answers on standard input.
pub(crate) fn answered<S: AsRef<OsStr>>(ground: &Ground, arguments: &[S], answers: &[u8]) -> Ran {
    let mut command = ground.command();
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("linkwell can be started");
    let mut stdin = child.stdin.take().expect("its input");
    // It may have ended without reading.
    drop(stdin.write_all(answers));
    drop(stdin);
    child.wait_with_output().expect("a child").into()
}

/// Runs `create --from-list` with this list.
pub(crate) fn listed(ground: &Ground, list: &[u8], arguments: &[&str]) -> Ran {
    answered(ground, &[&["create", "--from-list"], arguments].concat(), list)
}

fn conflicts() {
    let ground = Ground::with(&["a", "b", "c", "d/a", "d/b -> gone", "d/e/"]);
    let before = ground.listing();
    let ran = create(&ground, &["-n", "--json", "-t", "d", "a", "b", "c", "e", "gone"]);
    assert_eq!((ran.code, ground.listing()), (1, before), "{ran:?}");
    let why: Vec<String> = of_type(&ran, "conflict")
        .iter()
        .map(|one| text(one, "path") + " " + &text(one, "why"))
        .collect();
    assert_eq!(
        why,
        ["d/a taken", "d/b taken_by_link", "d/e other", "d/gone would_break"],
        "{ran:?}"
    );
    let ran = create(&ground, &["-y", "-r", "-t", "d", "a", "b", "c"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(std::fs::read_link(ground.tree().join("d/c")).expect("a link"), Path::new("../c"));
    assert!(ground.tree().join("d/a").is_file());
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
}

fn words() {
    let ground = Ground::with(&["f", "g", "d/x", "l -> f", "ld -> d"]);
    let before = ground.listing();
    for (arguments, said, hint) in [
        (
            &["nope", "f"][..],
            "there is nothing at `nope`",
            "did you mean `linkwell create f nope`?",
        ),
        (&["f", "d"], "`d` is a folder", "to put the link inside it, write `d/`"),
        (&["f", "ld"], "`ld` is a folder", "write `ld/`"),
        (&["f", "g"], "there is a file with this name already", "add `--backup`"),
        (
            &["-f", "f", "g"],
            "there is a file with this name already",
            "real files are never replaced",
        ),
        (
            &["-f", "f", "d"],
            "there is a folder with this name already",
            "real folders are never replaced",
        ),
        (
            &["-b", "f", "d"],
            "there is a folder with this name already",
            "move the folder away first",
        ),
        (&["g", "l"], "it leads to `f`", "add `--force`"),
        (&["nope", "n"], "which does not exist", "add `--allow-broken`"),
        (&["f/x", "n"], "is no folder", "add `--allow-broken`"),
        (&["f", "new/n"], "new` does not exist", "mkdir -p"),
        (&["f", "f/n"], "f` is no folder", ""),
        (&["--hard", "d", "n"], "no hard link to a folder", "leave out `--hard`"),
        (&["--hard", "nope", "n"], "there is nothing at `nope`", ""),
        (&["--hard", "f", "f"], "", ""),
        (&["d", "d/n"], "which contains it", "add `--allow-cycle`"),
        (&["--shortcut", "nope", "n"], "there is nothing at", ""),
        (&["x", "d/n"], "as seen from here, though there is as seen from the link", "as with `cp`"),
    ] {
        let ran = create(&ground, &[&["-y"], arguments].concat());
        if said.is_empty() {
            // Already another name of the same file: itself.
            assert_eq!(ran.code, 0, "{arguments:?}: {ran:?}");
            continue;
        }
        assert_eq!((ran.code, ground.listing()), (1, before.clone()), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains(said) && ran.err.contains(hint), "{arguments:?}: {ran:#?}");
    }
    for (arguments, said) in [
        (&["f", "g", "n"][..], "the last path must be a folder, and say so"),
        (&["-T", "f"], "there is no link's name after `f`"),
        (&["--backup=sometimes", "f", "n"], "is no kind of backup"),
        (&["-S", "_/../c", "f", "n"], "the suffix must not be empty, nor hold a `/`"),
    ] {
        let ran = create(&ground, &[&["-y"], arguments].concat());
        assert_eq!((ran.code, ground.listing()), (2, before.clone()), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains(said), "{arguments:?}: {ran:?}");
    }
    // The habit of `ln`: its letters mean here what they mean there.
    assert_eq!(create(&ground, &["-y", "-sf", "g", "l"]).code, 0);
    assert_eq!(ground.run(&["ln", "-sv", "-y", "f", "by-alias"]).code, 0);
}

fn backups() {
    let ground = Ground::with(&["f", "g", "g~", "n", "n.~1~", "n.~9~", "o"]);
    let before = ground.listing();
    for arguments in [
        &["-b", "f", "g"][..],
        &["-b", "g~", "g"],
        &["--hard", "-b", "g~", "g"],
        &["--backup=simple", "f", "g"],
    ] {
        let ran = create(&ground, &[&["-y"], arguments].concat());
        assert_eq!((ran.code, ground.listing()), (1, before.clone()), "{arguments:?}: {ran:?}");
    }
    let outside = |key: &str, value: &str, arguments: &[&str]| -> Ran {
        let mut command = ground.command();
        command.args(["create", "-y", "-r"]).args(arguments).env(key, value);
        command.output().expect("linkwell").into()
    };
    let kept = |ran: Ran, name: &str| {
        assert_eq!(ran.code, 0, "{name}: {ran:?}");
        assert!(ground.tree().join(name).is_file(), "{name}: {}", ground.listing());
        assert_eq!(ground.run(&["undo", "-y"]).code, 0);
        assert_eq!(ground.listing(), before, "{name}");
    };
    kept(create(&ground, &["-y", "-r", "-b", "f", "n"]), "n.~10~");
    kept(create(&ground, &["-y", "-r", "--backup=simple", "f", "n"]), "n~");
    kept(create(&ground, &["-y", "-r", "--backup=numbered", "f", "g"]), "g.~1~");
    kept(create(&ground, &["-y", "-r", "-S", ".bak", "f", "o"]), "o.bak");
    kept(outside("SIMPLE_BACKUP_SUFFIX", ".old", &["-b", "f", "o"]), "o.old");
    // A suffix from outside that could lead elsewhere is not used.
    kept(outside("SIMPLE_BACKUP_SUFFIX", "_/../c", &["-b", "f", "o"]), "o~");
    kept(outside("SIMPLE_BACKUP_SUFFIX", "", &["-b", "f", "o"]), "o~");
    kept(outside("VERSION_CONTROL", "numbered", &["-b", "f", "o"]), "o.~1~");
    let ran = outside("VERSION_CONTROL", "none", &["-b", "f", "o"]);
    assert_eq!((ran.code, ground.listing()), (1, before.clone()), "{ran:?}");
}
