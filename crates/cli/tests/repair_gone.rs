//! `linkwell repair`: what is there is never called gone, and what came in its place is not led to.
#![expect(
    clippy::disallowed_methods,
    reason = "a test stands outside: it makes its trees, looks at them by itself"
)]

use crate::repair::{ends, rename, target, track, with};
use crate::support::{Ground, LINKWELL, NOBODY, as_nobody, shell};
use libtest_mimic::Trial;
use linkwell_testkit::crafted::allow;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::{self, Ran};
use linkwell_testkit::tree::make;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::process::{Command, Stdio};

pub(crate) fn trials() -> Vec<Trial> {
    let at_terminal: &[Need] = &[Need::Program("script")];
    vec![
        test("repair: a link that was moved leads to what it led to", moved),
        test("repair: a link whose way was led elsewhere is not removed", switched),
        test("repair: an old log or a backup is never taken without asking", spare),
        test("repair: many things of one name are not nothing", many_names),
        test("repair: what stands beside where many things were is found among hundreds", beside),
        test_with("repair: what cannot be searched is not gone", &[Need::Root], unsearched),
        test_with(
            "repair: behind a folder that cannot be listed, each of many folders is looked into",
            &[Need::Root],
            unlisted,
        ),
        test_with(
            "repair: no link is led to what came in place of what was found",
            at_terminal,
            bait,
        ),
        test_with("repair: what came back while a person thought is not gone", at_terminal, back),
    ]
}

/// Copies below the folders in which twenty things stood, and hundreds of their name and length elsewhere in what is to
/// be searched: more than are looked at.
fn beside() {
    let ground = Ground::with(&["g/", "links/"]);
    let at = |path: String| ground.tree().join(path);
    let mut links = Vec::new();
    for number in 0..20 {
        std::fs::create_dir_all(at(format!("g/u{number}/sub"))).expect("made");
        std::fs::write(at(format!("g/u{number}/cover")), format!("cover {number:04}"))
            .expect("written");
        links.push(format!("links/l{number}"));
        symlink(format!("../g/u{number}/cover"), at(format!("links/l{number}"))).expect("a link");
    }
    track(&ground, &links.iter().map(String::as_str).collect::<Vec<_>>());
    for number in 0..20 {
        let (from, to) = (at(format!("g/u{number}/cover")), at(format!("g/u{number}/sub/cover")));
        let copied = Command::new("cp").arg("-p").arg(&from).arg(to).status();
        assert!(copied.is_ok_and(|copied| copied.success()), "copied");
        std::fs::remove_file(from).expect("removed");
    }
    for number in 0..600 {
        std::fs::create_dir_all(at(format!("g/a{number}/cover"))).expect("made");
        std::fs::write(at(format!("g/a{number}/o")), "cover none").expect("written");
    }
    let ran = ground.run(&["repair", "-n", "-v", "--near", "--search", "g", "links"]);
    for number in 0..20 {
        assert!(ran.out.contains(&format!("g/u{number}/sub/cover")), "{number}: {ran:#?}");
    }
    let ran = ground.run(&["repair", "-y", "--near", "--delete", "--search", "g", "links"]);
    for link in &links {
        assert!(is_link(&ground, link), "{link}: {ran:#?}");
    }
    // Those that are nowhere are not called gone either: of so many not all were looked at.
    for number in 0..20 {
        std::fs::remove_file(at(format!("g/u{number}/sub/cover"))).expect("removed");
    }
    let ran = ground.run(&["repair", "-y", "--near", "--delete", "--search", "g", "links"]);
    for link in &links {
        assert!(is_link(&ground, link), "{link}: {ran:#?}");
    }
}

/// A walk of all comes by none of these folders; their names are known by what is lost alone.
fn unlisted() {
    let ground = Ground::with(&["g/", "links/"]);
    let at = |path: String| ground.tree().join(path);
    for number in 0..30 {
        make(&ground.tree(), &[&format!("g/u{number}/cover"), &format!("g/u{number}/sub/")]);
        symlink(format!("../g/u{number}/cover"), at(format!("links/l{number}"))).expect("a link");
    }
    let given = shell(&ground.scratch().path(), "chown -Rh 65534:65534 tree state home");
    assert_eq!(given.code, 0, "{given:?}");
    chown(at("g".into()), Some(0), Some(0)).expect("root may");
    allow(&at("g".into()), 0o711);
    let run = |arguments: &[&str]| -> Ran {
        let mut command = as_nobody(ground.scratch());
        command.current_dir(ground.tree()).args(arguments);
        command.env("HOME", ground.scratch().join("home"));
        command.env("XDG_STATE_HOME", ground.scratch().join("state"));
        command.output().expect("started").into()
    };
    ends(&run(&["track", "-q", "links"]), 0);
    for number in 0..30 {
        std::fs::rename(at(format!("g/u{number}/cover")), at(format!("g/u{number}/sub/other")))
            .expect("renamed");
    }
    // The control: nothing is found there by a walk that must list the folder above.
    let listed = run(&["list", "g"]);
    assert_ne!(listed.code, 0, "{listed:?}");
    let ran = run(&["repair", "-y", "--certain", "--near", "--search", ".", "links"]);
    for number in 0..30 {
        let led = target(&ground, &format!("links/l{number}"));
        assert_eq!(led, format!("../g/u{number}/sub/other"), "{ran:#?}");
    }
}

fn is_link(ground: &Ground, name: &str) -> bool {
    ground.tree().join(name).is_symlink()
}

fn moved() {
    let ground = Ground::with(&["t1", "l -> t1", "sub/"]);
    track(&ground, &["l"]);
    rename(&ground, "l", "sub/l");
    let ran = ground.run(&["repair", "-y", "--near", "--delete", "sub"]);
    ends(&ran, 0);
    assert_eq!(target(&ground, "sub/l"), "../t1", "{ran:#?}");
}

fn switched() {
    let ground = Ground::with(&["r1/x", "r2/", "current -> r1", "w -> current/x"]);
    track(&ground, &["w"]);
    std::fs::remove_file(ground.tree().join("current")).expect("removed");
    symlink("r2", ground.tree().join("current")).expect("a link");
    let ran = ground.run(&["repair", "-y", "--near", "--delete", "--likely", "w"]);
    ends(&ran, 1);
    assert_eq!(target(&ground, "w"), "current/x", "{ran:#?}");
    assert!(ran.out.contains("the way there leads elsewhere now"), "{ran:#?}");
    // Nor is it led after the old one when that moves on.
    rename(&ground, "r1", "archive");
    let ran = ground.run(&["repair", "-y", "--near", "--search", ".", "--likely", "w"]);
    ends(&ran, 1);
    assert_eq!(target(&ground, "w"), "current/x", "{ran:#?}");
    // The control: the very folder on the way has another name, which is no other way.
    let ground = Ground::with(&["r1/x", "far/", "current -> r1", "w -> current/x"]);
    track(&ground, &["w"]);
    rename(&ground, "r1", "r2");
    rename(&ground, "r2/x", "far/y");
    // One step after the other: the second is known to be broken when the first is mended.
    for _ in 0..2 {
        ends(&ground.run(&["repair", "-y", "--near", "--search", ".", "--certain"]), 0);
    }
    assert_eq!((target(&ground, "current"), target(&ground, "w")), ("r2".into(), "far/y".into()));
}

fn spare() {
    let ground = Ground::with(&["t/log", "l/log -> ../t/log"]);
    track(&ground, &["l/log"]);
    rename(&ground, "t/log", "t/log.1");
    let repair = ["repair", "-y", "--near", "--likely", "l"];
    let ran = ground.run(&repair);
    ends(&ran, 1);
    assert_eq!(target(&ground, "l/log"), "../t/log");
    assert!(ran.out.contains("that of a backup or an old log"), "{ran:#?}");
    // The control: with any other name it is certain.
    rename(&ground, "t/log.1", "t/first");
    ends(&ground.run(&repair), 0);
    assert_eq!(target(&ground, "l/log"), "../t/first");
}

fn many_names() {
    let ground = Ground::with(&["t/readme", "l/r -> ../t/readme"]);
    for number in 0..7 {
        make(&ground.tree(), &[&format!("p{number}/readme")]);
    }
    std::fs::remove_dir_all(ground.tree().join("t")).expect("removed");
    let ran = ground.run(&with(&["-y", "--delete", "l"]));
    ends(&ran, 1);
    assert!(is_link(&ground, "l/r"), "{ran:#?}");
    assert!(ran.out.contains("is not there; 7 things may be it"), "{ran:#?}");
    // The control: without them it is gone.
    for number in 0..7 {
        std::fs::remove_dir_all(ground.tree().join(format!("p{number}"))).expect("removed");
    }
    ends(&ground.run(&with(&["-y", "--delete", "l"])), 0);
    assert!(!is_link(&ground, "l/r"));
}

fn unsearched() {
    let ground = Ground::with(&["t/f", "new/", "state/", "l/r -> ../t/f"]);
    let allow = |name: &str, mode: u32| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(ground.tree().join(name), mode).expect("changed");
    };
    let nobody = |arguments: &[&str]| -> Ran {
        let mut command = as_nobody(ground.scratch());
        command
            .current_dir(ground.tree())
            .env("HOME", ground.tree())
            .env("XDG_STATE_HOME", ground.tree().join("state"));
        command.args(arguments).output().expect("it starts").into()
    };
    for name in ["", "l", "t", "state"] {
        chown(ground.tree().join(name), Some(NOBODY), Some(NOBODY)).expect("root may");
    }
    rename(&ground, "t/f", "new/other");
    allow("new", 0o700);
    let arguments = with(&["-y", "--delete", "l"]);
    let ran = nobody(&arguments);
    ends(&ran, 1);
    assert!(is_link(&ground, "l/r"), "{ran:#?}");
    assert!(ran.err.contains("no link was removed"), "{ran:#?}");
    // The control: with nothing that is closed it goes.
    allow("new", 0o755);
    ends(&nobody(&arguments), 0);
    assert!(!is_link(&ground, "l/r"));
}

/// Answers `y` at a terminal, after `meanwhile`.
pub(crate) fn at_terminal(ground: &Ground, arguments: &[&str], meanwhile: impl FnOnce()) -> Ran {
    let mut command = program::command("script", &ground.tree());
    for (name, value) in ground.command().get_envs() {
        command.env(name, value.expect("nothing is taken away"));
    }
    let mut child = command
        .args(["--quiet", "--return", "--command"])
        .arg(format!("{LINKWELL} {}", arguments.join(" ")))
        .arg("/dev/null")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut out = child.stdout.take().expect("a pipe");
    let (mut said, mut byte) = (Vec::new(), [0]);
    while !said.ends_with(b"[y/N] ") && out.read(&mut byte).is_ok_and(|count| count > 0) {
        said.extend(byte);
    }
    meanwhile();
    let mut typed = child.stdin.take().expect("a pipe");
    typed.write_all(b"y\n").expect("an answer");
    out.read_to_end(&mut said).expect("the rest");
    drop(typed);
    let code = child.wait().expect("it ends").code().unwrap_or(-1);
    Ran { code, out: String::from_utf8_lossy(&said).into_owned(), err: String::new() }
}

fn back() {
    let ground = Ground::with(&["l/r -> ../t/f"]);
    let ran = at_terminal(&ground, &with(&["--delete", "l"]), || make(&ground.tree(), &["t/f"]));
    assert!(is_link(&ground, "l/r"), "{ran:#?}");
    assert!(ran.out.contains("again"), "{ran:#?}");
    // The control: what stays away goes.
    std::fs::remove_file(ground.tree().join("t/f")).expect("removed");
    let ran = at_terminal(&ground, &with(&["--delete", "l"]), || {});
    ends(&ran, 0);
    assert!(!is_link(&ground, "l/r"));
}

fn bait() {
    let ground = Ground::with(&["t/f", "t/g", "o/", "l/f -> ../t/f", "l/g -> ../t/g"]);
    track(&ground, &["l/f", "l/g"]);
    rename(&ground, "t/f", "o/f");
    rename(&ground, "t/g", "o/g");
    let ran = at_terminal(&ground, &with(&[]), || {
        rename(&ground, "o/f", "o/h");
        std::fs::write(ground.tree().join("o/f"), "bait").expect("written");
    });
    assert_eq!(target(&ground, "l/f"), "../t/f", "{ran:#?}");
    assert!(ran.out.contains("something else stands at"), "{ran:#?}");
    assert_eq!(target(&ground, "l/g"), "../o/g", "the other one is mended");
    // The link is as much on record as before.
    ends(&ground.run(&with(&["-y"])), 0);
    assert_eq!(target(&ground, "l/f"), "../o/h");
}
