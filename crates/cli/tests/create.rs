//! `create`: what is shown and asked, what is refused and with which words, and every name.

use crate::support::{Ground, LINKWELL, as_nobody, bytes, objects, of_type, text};
use libtest_mimic::Trial;
use linkwell_testkit::crafted;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::running::Running;
use linkwell_testkit::tree::{Scratch, make};
use std::ffi::OsStr;
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

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
        test("create: what changes between plan and step (T1, T2)", meanwhile),
        test("create: onto itself, its parents, and second names (T5)", itself),
        test("create: slashes, dots, lengths (T6)", odd_paths),
        test("create: relative text is right from where the link lies (T7)", relative),
        test_with("create: another user's link in a shared folder (T8)", &[Need::Root], sticky),
        test_with("create: a way through another user's link (T9)", &[Need::Root], foreign_way),
        test("create: names of backups (U9)", backups),
        test("create: every byte in names and targets, and back", every_byte),
        test("create: 255 bytes, 256 bytes, 4,095 bytes, 4,096 bytes", lengths),
        test("create: deeper than a path can be long", deep),
        test("create: --from-list takes every name", from_list),
        test("create: Ctrl-C in the middle: 130, and everything as before", interrupted),
    ]
}

/// A run of `create` with more arguments.
fn create(ground: &Ground, arguments: &[&str]) -> Ran {
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

fn read_until(out: &mut impl std::io::Read, end: &str) -> String {
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
fn answered<S: AsRef<OsStr>>(ground: &Ground, arguments: &[S], answers: &[u8]) -> Ran {
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
fn listed(ground: &Ground, list: &[u8], arguments: &[&str]) -> Ran {
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

/// The preview is on the screen and the question is asked; `plant` changes the disk; then it is a yes.
fn planted(ground: &Ground, arguments: &[&str], plant: impl FnOnce(&Path)) -> Ran {
    let mut command = ground.command();
    command.args(["create", "-i"]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("linkwell can be started");
    let mut err = child.stderr.take().expect("its errors");
    read_until(&mut err, "[y/N] ");
    plant(&ground.tree());
    child.stdin.take().expect("its input").write_all(b"y\n").expect("it reads");
    let mut said = String::new();
    err.read_to_string(&mut said).expect("text");
    let mut ran: Ran = child.wait_with_output().expect("a child").into();
    ran.err = said;
    ran
}

fn meanwhile() {
    const LINES: [&str; 6] = ["f", "g", "canary/x", "d/l -> ../g", "d/e/", "other/l -> gone"];
    // What is planted, and what must be said.
    type Plant = fn(&Path);
    let cases: [(&str, Plant, &str); 7] = [
        (
            "a file",
            |tree| {
                std::fs::remove_file(tree.join("d/l")).expect("the link");
                make(tree, &["d/l"]);
            },
            "was changed by somebody else meanwhile",
        ),
        (
            "another link",
            |tree| {
                std::fs::remove_file(tree.join("d/l")).expect("the link");
                make(tree, &["d/l -> ../canary"]);
            },
            "was changed by somebody else meanwhile",
        ),
        (
            "the same text, another link",
            |tree| {
                make(tree, &["d/m -> ../g"]);
                std::fs::rename(tree.join("d/m"), tree.join("d/l")).expect("a rename");
            },
            "was changed by somebody else meanwhile",
        ),
        (
            "nothing",
            |tree| {
                std::fs::remove_file(tree.join("d/l")).expect("the link");
            },
            "was changed by somebody else meanwhile",
        ),
        (
            "a folder",
            |tree| {
                std::fs::remove_file(tree.join("d/l")).expect("the link");
                make(tree, &["d/l/x"]);
            },
            "was changed by somebody else meanwhile",
        ),
        (
            "the folder became a link",
            |tree| {
                std::fs::rename(tree.join("d"), tree.join("d.old")).expect("a rename");
                make(tree, &["d -> other"]);
            },
            "",
        ),
        (
            "the folder became another",
            |tree| {
                std::fs::rename(tree.join("d"), tree.join("d.old")).expect("a rename");
                std::fs::rename(tree.join("other"), tree.join("d")).expect("a rename");
            },
            "is no longer the folder that it was",
        ),
    ];
    for (what, plant, said) in cases {
        let ground = Ground::with(&LINES);
        let mut after_planting = String::new();
        let ran = planted(&ground, &["-r", "f", "d/l"], |tree| {
            plant(tree);
            after_planting = linkwell_testkit::listing::listing(tree);
        });
        assert_eq!((ran.code, ground.listing()), (1, after_planting), "{what}: {ran:#?}");
        assert!(ran.err.contains(said), "{what}: {ran:#?}");
    }
    // A name that was free: of two links one is asked about, so the other's name can be taken meanwhile.
    for plant in ["d/f", "d/f/", "d/f -> gone", "d/f -> ../canary"] {
        let ground = Ground::with(&["f", "g", "canary/x", "d/g -> gone"]);
        let ran = planted(&ground, &["-r", "-t", "d", "f", "g"], |tree| make(tree, &[plant]));
        assert_eq!(ran.code, 3, "{plant}: {ran:#?}");
        assert!(ran.err.contains("something has the name"), "{plant}: {ran:#?}");
        let planted = Ground::with(&["f", "g", "canary/x", "d/g -> ../g", plant]);
        let timeless = |ground: &Ground| -> Vec<String> {
            let listing = ground.listing();
            let line = |line: &str| {
                line.split(['(', ')'])
                    .enumerate()
                    .filter(|(at, _)| *at != 1)
                    .map(|(_, part)| part)
                    .collect()
            };
            listing.lines().map(line).collect()
        };
        assert_eq!(timeless(&ground), timeless(&planted), "{plant}: {ran:#?}");
    }
}

fn itself() {
    let ground =
        Ground::with(&["f", "h == f", "d/e/x", "l -> f", "up -> d/e", "d/e/deep -> ../.."]);
    let before = ground.listing();
    for arguments in [
        &["f", "f"][..],
        &["-f", "f", "f"],
        &["-f", "l", "l"],
        &["-f", "./l", "d/../l"],
        &["-f", "l", "f"],
        &["-f", "--hard", "l", "f"],
        &["d", "d/e/n"],
        &["d/e/..", "d/e/n"],
        &[".", "n"],
        &["..", "n"],
        &["d/e/deep", "d/n"],
        &["up/deep", "d/e/n"],
        &["-f", "h", "f"],
        &["-f", "d", "up/n"],
    ] {
        let ran = create(&ground, &[&["-y"], arguments].concat());
        assert_eq!((ran.code, ground.listing()), (1, before.clone()), "{arguments:?}: {ran:?}");
    }
    // Asked for by name, a circle can be had; it is not called broken.
    let ran = create(&ground, &["-y", "--allow-cycle", "-r", "d", "d/e/n"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(std::fs::read_link(ground.tree().join("d/e/n")).expect("a link"), Path::new(".."));
    // Already another name of that file.
    let ran = create(&ground, &["-y", "--hard", "-f", "h", "f"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("everything is as it was asked for"), "{ran:?}");
}

fn odd_paths() {
    let ground = Ground::with(&["f", "d/x", "ld -> d", "lf -> f"]);
    let before = ground.listing();
    let long = "n".repeat(256);
    for (arguments, code) in [
        (&["f", ""][..], 1),
        (&["", "n"], 1),
        (&["f", "lf/"], 1),
        (&["f", "n/"], 1),
        (&["-f", "-T", "f", "ld/"], 1),
        (&["-T", "f", "n/"], 1),
        (&["-T", "f", "."], 1),
        (&["-T", "f", ".."], 1),
        (&["-T", "f", "d/.."], 1),
        (&["-T", "f", "/"], 1),
        (&["--hard", "f/", "n"], 1),
        (&["--hard", "ld/", "n"], 1),
        (&["--hard", ".", "n"], 1),
        (&["--hard", "..", "n"], 1),
        (&["/", "d/"], 1),
        (&["f", &long], 1),
    ] {
        let ran = create(&ground, &[&["-y"], arguments].concat());
        assert_eq!((ran.code, ground.listing()), (code, before.clone()), "{arguments:?}: {ran:?}");
    }
    // The link at `ld` is replaced, and nothing is touched inside the folder it led to.
    let ran = create(&ground, &["-y", "-r", "-f", "f", "ld"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(std::fs::read_link(ground.tree().join("ld")).expect("a link"), Path::new("f"));
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.listing(), before);
    // A slash on a target that is a folder is no part of the text; through a link, it is followed.
    assert_eq!(create(&ground, &["-y", "-r", "d/", "n"]).code, 0);
    assert_eq!(std::fs::read_link(ground.tree().join("n")).expect("a link"), Path::new("d"));
}

fn relative() {
    // Each target and link, typed in `a/here`, which is reached through the link `door`.
    let ground = Ground::with(&[
        "a/here/",
        "a/b/c/f",
        "z/deep/er/",
        "a/short -> ../z/deep",
        "z/back -> ../a/b",
        "door -> a/here",
        "z/deep/er/lf -> ../../../a/b/c/f",
    ]);
    let tree = ground.tree();
    let mut made = 0;
    for target in [
        "../b/c/f",
        "../b/c",
        "../short/er",
        "../short/../back/c/f",
        "../../z/back/c",
        "../short/er/lf",
    ] {
        for folder in [
            "",
            "../b/",
            "../short/",
            "../short/er/",
            "../../z/back/",
            "../short/../",
            "../../door/",
        ] {
            let link = format!("{folder}n{made}");
            for style in ["-r", "--absolute", "-v"] {
                let mut command = ground.command();
                let ran = command
                    .current_dir(tree.join("door"))
                    .args(["create", "-y", style, target, &link]);
                let ran: Ran = ran.output().expect("linkwell").into();
                let whole = tree.join("door").join(&link);
                let inode = |path: &Path| std::fs::metadata(path).map(|found| found.ino()).ok();
                // A link to a folder that holds it is refused, and rightly.
                if ran.err.contains("which contains it") {
                    continue;
                }
                assert_eq!(ran.code, 0, "{target} {link}: {ran:?}");
                assert_eq!(
                    inode(&whole),
                    inode(&tree.join("door").join(target)),
                    "{target} {link}: {ran:?}"
                );
                let text = std::fs::read_link(&whole).expect("a link");
                assert_eq!(text.is_relative(), style == "-r", "{text:?}");
                std::fs::remove_file(&whole).expect("the link");
                made += 1;
            }
        }
    }
    assert!(made > 80, "only {made}");
}

fn sticky() {
    let ground = Ground::with(&["f", "shared/"]);
    crafted::allow(&ground.scratch().path(), 0o755);
    crafted::allow(&ground.tree().join("shared"), 0o1777);
    make(&ground.tree(), &["shared/l -> ../f"]);
    std::os::unix::fs::lchown(ground.tree().join("shared/l"), Some(12345), Some(12345))
        .expect("root may");
    let before = ground.listing();
    for arguments in
        [&["-f", "f", "shared/l"][..], &["-i", "f", "shared/l"], &["-b", "f", "shared/l"]]
    {
        let ran = create(&ground, &[&["-y", "--absolute"], arguments].concat());
        assert_eq!((ran.code, ground.listing()), (1, before.clone()), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains("belongs to user 12345"), "{arguments:?}: {ran:?}");
    }
    let ran = nobody(&ground, &["create", "-y", "-f", "--absolute", "f", "shared/l"]);
    assert_eq!((ran.code, ground.listing()), (1, before), "{ran:?}");
    assert!(ran.err.contains("belongs to user 12345"), "{ran:?}");
    // One's own is one's own.
    std::os::unix::fs::lchown(ground.tree().join("shared/l"), Some(65534), Some(65534))
        .expect("root may");
    let ran = nobody(&ground, &["create", "-y", "-f", "--absolute", "f", "shared/l"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

/// Runs linkwell as nobody in the tree, with a state folder of nobody's own.
fn nobody(ground: &Ground, arguments: &[&str]) -> Ran {
    let mut command = as_nobody(ground.scratch());
    let state = ground.scratch().join("nobodys");
    if !state.exists() {
        make(&ground.scratch().path(), &["nobodys/"]);
        std::os::unix::fs::chown(&state, Some(65534), Some(65534)).expect("root may");
    }
    command.current_dir(ground.tree()).env("HOME", &state).env("XDG_STATE_HOME", &state);
    command.args(arguments).output().expect("linkwell can be started").into()
}

fn foreign_way() {
    let ground = Ground::with(&["f", "d/e/", "way -> d", "d/inner -> e"]);
    let own = |owner| {
        std::os::unix::fs::lchown(ground.tree().join("way"), Some(owner), Some(owner))
            .expect("root may");
    };
    own(12345);
    let before = ground.listing();
    for link in ["way/n", "way/", "way/e/n", "way/inner/n", "way/../n"] {
        let ran = create(&ground, &["-y", "f", link]);
        assert_eq!((ran.code, ground.listing()), (1, before.clone()), "{link}: {ran:?}");
        assert!(ran.err.contains("/way`, which belongs to user 12345"), "{link}: {ran:?}");
    }
    // As root, one's own and root's are the same; as nobody, both pass.
    own(0);
    assert_eq!(create(&ground, &["-y", "f", "way/n"]).code, 0);
    std::os::unix::fs::chown(ground.tree().join("d"), Some(65534), Some(65534)).expect("root may");
    for (owner, code) in [(65534, 0), (0, 0), (12345, 1)] {
        own(owner);
        let ran = nobody(&ground, &["create", "-y", "f", &format!("way/as-{owner}")]);
        assert_eq!(ran.code, code, "{owner}: {ran:?}");
    }
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

/// Names that hold every byte that a name can.
fn all_names() -> Vec<Vec<u8>> {
    let each = (1..=255_u8).filter(|byte| *byte != b'/').map(|byte| vec![b'n', byte]);
    let alone = (1..=255_u8).filter(|byte| !matches!(byte, b'/' | b'.')).map(|byte| vec![byte]);
    let some = [
        &b"-n"[..],
        b"--force",
        b"a\nb",
        b" ",
        b"\xff\xfe\xed\xa0\x80",
        b"...",
        b"\xc3\xa9",
        b"$(x)",
        b"\x1b[31m",
    ];
    let mut all: Vec<Vec<u8>> = each.chain(alone).chain(some.map(<[u8]>::to_vec)).collect();
    all.sort();
    all.dedup();
    all
}

fn every_byte() {
    let ground = Ground::with(&["to/", "in/"]);
    let names = all_names();
    let to = ground.tree().join("to");
    for name in &names {
        crafted::file(&to, name, b"own");
    }
    let before = ground.listing();
    let mut list = Vec::new();
    for name in &names {
        for part in [&b"to/"[..], name, b"\0in/", name, b"\0"] {
            list.extend_from_slice(part);
        }
    }
    let ran = listed(&ground, &list, &["-y", "-r", "--json", "-v"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    // The plan holds each name exactly, and so does the disk.
    let items = of_type(&ran, "item");
    let paths: std::collections::BTreeSet<Vec<u8>> =
        items.iter().filter_map(|item| bytes(item, "path")).collect();
    assert_eq!(paths.len(), names.len());
    for name in &names {
        assert!(paths.contains(&[b"in/", name.as_slice()].concat()), "{name:?}");
        let link = ground.tree().join("in").join(OsStr::from_bytes(name));
        let text = std::fs::read_link(&link).expect("a link");
        assert_eq!(text.as_os_str().as_bytes(), [b"../to/", name.as_slice()].concat());
    }
    // In words, nothing reaches the terminal that it could interpret.
    let shown = ground.run(&["log", "1"]);
    let wild = |byte: &u8| (*byte < 0x20 && *byte != b'\n') || *byte == 0x7f;
    assert!(!shown.out.bytes().any(|byte| wild(&byte)), "{}", shown.out);
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.listing(), before);
    // The same as arguments, one by one, after `--`.
    for name in names.iter().rev().take(20).chain(names.iter().take(3)) {
        let target = [b"to/", name.as_slice()].concat();
        let arguments = [b"create", &b"-yr"[..], b"--", &target, name].map(OsStr::from_bytes);
        let ran = ground.run(&arguments);
        assert_eq!(ran.code, 0, "{name:?}: {ran:?}");
        assert_eq!(ground.run(&["undo", "-y"]).code, 0, "{name:?}");
    }
    assert_eq!(ground.listing(), before);
}

fn lengths() {
    let ground = Ground::with(&["f", "d/"]);
    let before = ground.listing();
    let most = "n".repeat(255);
    for kind in ["-r", "--absolute", "--hard"] {
        let ran = create(&ground, &["-y", kind, "f", &most]);
        assert_eq!(ran.code, 0, "{kind}: {ran:?}");
        assert_eq!(ground.run(&["undo", "-y"]).code, 0);
        let ran = create(&ground, &["-y", kind, "f", &"n".repeat(256)]);
        assert_eq!((ran.code, ground.listing()), (1, before.clone()), "{kind}: {ran:?}");
    }
    // With its ending a shortcut's name would be longer than a name can be.
    let ran = create(&ground, &["-y", "--shortcut", "f", &"n".repeat(250)]);
    assert_eq!((ran.code, ground.listing()), (1, before.clone()), "{ran:?}");
    // So would the backup's.
    assert_eq!(create(&ground, &["-y", "-r", "f", &most]).code, 0);
    let ran = create(&ground, &["-y", "-r", "-b", "d", &most]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(
        create(&ground, &["-y", "-r", "-f", "d", &most]).code,
        0,
        "a link at a long name is replaced"
    );
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.listing(), before);
    // Targets: as long as a link can hold, and a byte longer.
    for (length, code) in [(4095, 0), (4096, 1)] {
        let mut target = "/x".repeat(2100);
        target.truncate(length);
        let ran = create(&ground, &["-y", "--absolute", "--allow-broken", &target, "long"]);
        assert_eq!(ran.code, code, "{length}: {ran:?}");
        if code == 0 {
            let text = std::fs::read_link(ground.tree().join("long")).expect("a link");
            assert_eq!(text.as_os_str().as_bytes(), target.as_bytes());
            assert_eq!(ground.run(&["undo", "-y"]).code, 0);
        }
        assert_eq!(ground.listing(), before);
    }
}

fn deep() {
    // 20 folders of 250 letters: 5,000 bytes, which no path can name whole.
    let ground = Ground::with(&[]);
    let name = "d".repeat(250);
    let mode = rustix::fs::Mode::RWXU;
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY;
    let mut here = rustix::fs::open(ground.tree(), flags, mode).expect("the tree");
    for _ in 0..20 {
        rustix::fs::mkdirat(&here, &name, mode).expect("a folder");
        here = rustix::fs::openat(&here, &name, flags, mode).expect("a folder");
    }
    let line = "echo own > f; mkdir e; \"$L\" create -y -r f l || exit 1; \"$L\" create -y -r f e/ || exit 2; \
         \"$L\" create -y --hard f h || exit 3; cat l e/f h || exit 4; ls -A; \
         \"$L\" undo -y || exit 5; \"$L\" undo -y || exit 6; \"$L\" undo -y || exit 7; echo =; ls -A . e";
    let mut command = Command::new("/bin/sh");
    command.args(["-c", line]).env_clear().env("L", LINKWELL);
    // The only short name that such a folder has.
    command.current_dir(format!("/proc/self/fd/{}", here.as_raw_fd()));
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", ground.scratch().join("home"));
    command.env("XDG_STATE_HOME", ground.scratch().join("state"));
    let ran: Ran = command.output().expect("a shell").into();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("own\nown\nown\ne\nf\nh\nl\n"), "{ran:?}");
    assert!(ran.out.ends_with("=\n.:\ne\nf\n\ne:\n"), "{ran:?}");
}

fn from_list() {
    let ground = Ground::with(&["f", "d/"]);
    let before = ground.listing();
    for (list, said) in
        [(&b"f\0n"[..], "does not end with a NUL byte"), (b"f\0n\0g\0", "a target without a link")]
    {
        let ran = listed(&ground, list, &["-y"]);
        assert_eq!((ran.code, ground.listing()), (2, before.clone()), "{ran:?}");
        assert!(ran.err.contains(said), "{ran:?}");
    }
    let ran = listed(&ground, b"", &["-y"]);
    assert_eq!((ran.code, ground.listing()), (0, before.clone()), "{ran:?}");
    // Empty names, the same name twice, one inside a folder.
    let ran = listed(&ground, b"f\0n\0f\0n\0\0m\0f\0\0f\0d/\0", &["-y", "-r", "--json"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let why: Vec<String> = of_type(&ran, "conflict").iter().map(|one| text(one, "why")).collect();
    assert_eq!(why, ["name", "name", "twice"], "{ran:?}");
    let report = objects(&ran).pop().expect("a report");
    assert_eq!(report.get("done").and_then(serde_json::Value::as_u64), Some(2), "{ran:?}");
    assert_eq!(std::fs::read_link(ground.tree().join("d/f")).expect("a link"), Path::new("../f"));
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.listing(), before);
}

/// So many links are being made when Ctrl-C comes, unless `LINKWELL_TEST_LINKS` says otherwise.
const MANY: usize = 20_000;

fn interrupted() {
    let many = std::env::var("LINKWELL_TEST_LINKS")
        .ok()
        .and_then(|many| many.parse().ok())
        .unwrap_or(MANY);
    let ground = Ground::with(&["f", "in/", "in/own"]);
    let before = ground.listing();
    let list = Scratch::new();
    let pairs: String = (0..many).map(|number| format!("f\0in/l{number}\0")).collect();
    crafted::file(&list.path(), b"list", pairs.as_bytes());
    let mut command = ground.command();
    command.args(["create", "--from-list", "-y", "-q", "-r"]);
    command.stdin(std::fs::File::open(list.join("list")).expect("the list"));
    let mut running = Running::start(&mut command);
    running.wait_until_it_heeds();
    // Until the first link is there, it is only planning.
    while std::fs::symlink_metadata(ground.tree().join("in/l0")).is_err() {
        assert!(running.still_runs(), "it ended before a link was made");
        std::thread::yield_now();
    }
    running.interrupt();
    let (_, err, code, took) = running.end();
    let err = String::from_utf8_lossy(&err).into_owned();
    println!("taken back in {took:?}");
    assert_eq!((code, ground.listing()), (130, before), "{err}");
    assert!(err.contains("stopped; everything is as it was before"), "{err}");
    assert!(took < Duration::from_secs(600), "it must end");
    assert_eq!(ground.strays(), Vec::<String>::new());
    let recover = ground.run(&["recover", "-y"]);
    assert!(recover.err.contains("nothing was interrupted"), "{recover:?}");
}
