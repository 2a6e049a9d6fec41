//! `linkwell repair`: what is mended, what is asked, what is left alone; and that it all comes back.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test stands outside: it makes its trees, looks at them by itself"
)]

use crate::support::{Ground, bytes, of_type, text};
use libtest_mimic::Trial;
use linkwell_engine::catalogue::Catalogue;
use linkwell_engine::disk::Unix;
use linkwell_engine::folder::Folder;
use linkwell_engine::likeness::Depth;
use linkwell_engine::state;
use linkwell_engine::system::{Access, System};
use linkwell_engine::track::Tracker;
use linkwell_engine::volumes::{Settings, Volumes};
use linkwell_model::keep::link::By;
use linkwell_model::path::AbsPath;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::make;
use linkwell_testkit::volume::{Kind, Volume, alone};
use rustix::fd::AsFd as _;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn trials() -> Vec<Trial> {
    let mut volume = Kind::Ext4.needs();
    volume.push(Need::Root);
    vec![
        test("repair: what is certain is mended, and undo brings the very texts back", certain),
        test("repair: shows and asks as every verb does", asks),
        test("repair: what is likely waits for a word", likely),
        test("repair: -i asks for each, with numbered candidates", interactive),
        test("repair: many links of one moved folder are one answer", one_answer),
        test("repair: --json says all of it", json),
        test("repair: --delete removes what is gone, and undo brings it back", delete),
        test("repair: the record follows, so that it can be mended again", again),
        test("repair: a file saved over a link goes where the link led", into_target),
        test("repair: nothing goes where the text of its link no longer leads", switched),
        test_with(
            "repair: what was saved over is still known after an undo that was killed",
            &[Need::Program("strace")],
            known_after_kill,
        ),
        test("repair: or both are kept, or the link is forgotten", both),
        test("repair: what was saved over is not touched otherwise", untouched),
        test("repair: the link that broke is named with those through it", through),
        test("repair: nothing on record, nothing broken, wrong words", nothing),
        test_with("repair: links to a volume that is away are left alone", &volume, asleep),
    ]
}

pub(crate) fn place(of: &Path) -> AbsPath {
    AbsPath::cleaned(of.as_os_str().as_bytes()).expect("absolute")
}

pub(crate) fn catalogue(ground: &Ground) -> Catalogue {
    let folder = place(&ground.scratch().join("state/linkwell"));
    let held = state::open_or_make(&Unix, System::new(), &folder).expect("a state folder");
    Catalogue::open_or_make(&held).expect("it opens").0
}

/// Puts links on record.
pub(crate) fn track(ground: &Ground, links: &[&str]) {
    let system = System::new();
    let volumes = Arc::new(Volumes::read(
        system,
        Settings { time_limit: Duration::from_secs(5), ..Settings::default() },
    ));
    let mut tracker = Tracker::new(system, &volumes, Depth::Ends);
    let mut seen = Vec::new();
    for link in links {
        let (folder, name) = place(&ground.tree().join(link)).split().expect("no root");
        let folder = Folder::of_place(&folder);
        let held = folder.open(system, Access::Hold).expect("its folder");
        seen.extend(tracker.link(&folder, held.as_fd(), &name, By::Tracked).expect("seen"));
    }
    catalogue(ground).record(&seen, 1).expect("recorded");
}

pub(crate) fn ends(ran: &Ran, code: i32) {
    assert_eq!(ran.code, code, "{ran:#?}");
}

pub(crate) fn target(ground: &Ground, link: &str) -> String {
    let target = std::fs::read_link(ground.tree().join(link)).expect("a link");
    target.to_str().expect("a plain text").into()
}

pub(crate) fn rename(ground: &Ground, from: &str, to: &str) {
    let to = ground.tree().join(to);
    std::fs::create_dir_all(to.parent().expect("a folder")).expect("made");
    std::fs::rename(ground.tree().join(from), to).expect("moved");
}

/// Runs it with answers.
pub(crate) fn answered(ground: &Ground, arguments: &[&str], answers: &str) -> Ran {
    let mut child = ground
        .command()
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    child.stdin.take().expect("a pipe").write_all(answers.as_bytes()).expect("an answer");
    child.wait_with_output().expect("it ends").into()
}

const NEAR: &[&str] = &["repair", "--near", "--search", "."];

pub(crate) fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [NEAR, more].concat()
}

fn certain() {
    let ground = Ground::with(&["t/f", "t/d/x", "l/f -> ../t/f", "l/d -> ../t/d/", "l/ok -> ../t"]);
    track(&ground, &["l/f", "l/d", "l/ok"]);
    rename(&ground, "t/f", "u/g");
    rename(&ground, "t/d", "u/e");
    let before = ground.listing();
    let ran = ground.run(&["repair", "--certain"]);
    ends(&ran, 0);
    assert!(ran.out.contains("2 links: certain") && ran.out.contains("u/g"), "{ran:#?}");
    assert_eq!(
        (target(&ground, "l/f"), target(&ground, "l/d")),
        ("../u/g".into(), "../u/e/".into())
    );
    ends(&ground.run(&["check", "l"]), 0);
    ends(&ground.run(&["undo", "-y"]), 0);
    assert_eq!(ground.listing(), before, "to the last bit");
    assert!(ground.strays().is_empty());
}

fn asks() {
    let ground = Ground::with(&["t/f", "l/f -> ../t/f"]);
    track(&ground, &["l/f"]);
    rename(&ground, "t/f", "t/g");
    let before = ground.listing();
    let ran = ground.run(&with(&[]));
    ends(&ran, 2);
    assert!(ran.err.contains("there is no terminal to ask at; nothing was changed"), "{ran:#?}");
    for dry in [with(&["-n"]), with(&["-n", "--certain"]), with(&["-ny"])] {
        let ran = ground.run(&dry);
        ends(&ran, 0);
        assert!(ran.out.contains("../t/g"), "{ran:#?}");
    }
    assert_eq!(ground.listing(), before);
    ends(&ground.run(&with(&["-y"])), 0);
    assert_eq!(target(&ground, "l/f"), "../t/g");
}

/// One thing that is only likely, one that is certain, one that is gone.
fn three() -> Ground {
    let ground =
        Ground::with(&["t/f", "t/g", "t/h", "l/f -> ../t/f", "l/g -> ../t/g", "l/h -> ../t/h"]);
    track(&ground, &["l/f", "l/g", "l/h"]);
    std::fs::create_dir(ground.tree().join("u")).expect("made");
    std::fs::copy(ground.tree().join("t/f"), ground.tree().join("u/copy")).expect("copied");
    std::fs::remove_file(ground.tree().join("t/f")).expect("removed");
    rename(&ground, "t/g", "u/g");
    std::fs::remove_file(ground.tree().join("t/h")).expect("removed");
    ground
}

fn likely() {
    let ground = three();
    let ran = ground.run(&with(&["-y"]));
    ends(&ran, 3);
    assert_eq!(
        (target(&ground, "l/f"), target(&ground, "l/g")),
        ("../t/f".into(), "../u/g".into())
    );
    for said in ["1 link: likely", "its contents are the same, byte by byte", "1 link: not found"] {
        assert!(ran.out.contains(said), "{said}: {ran:#?}");
    }
    // Nothing left that may be done without a word.
    ends(&ground.run(&with(&["--certain"])), 1);
    ends(&ground.run(&with(&["-y", "--likely"])), 3);
    assert_eq!(
        (target(&ground, "l/f"), target(&ground, "l/h")),
        ("../u/copy".into(), "../t/h".into())
    );
    ends(&ground.run(&with(&["--certain", "--likely"])), 2);
}

fn interactive() {
    let ground = three();
    std::fs::copy(ground.tree().join("u/copy"), ground.tree().join("u/other")).expect("copied");
    // `f` may be either; `g` is left as it is; nothing is asked about `h`.
    let ran = answered(&ground, &with(&["-i"]), "2\n\n");
    ends(&ran, 3);
    assert!(ran.err.contains("where? [1-2, or Enter to leave it]"), "{ran:#?}");
    assert!(ran.out.contains("1. `") && ran.out.contains("2. `"), "{ran:#?}");
    assert!(["../u/copy", "../u/other"].contains(&&*target(&ground, "l/f")));
    assert_eq!(target(&ground, "l/g"), "../t/g");
    // What nobody answers stays.
    let before = ground.listing();
    ends(&answered(&ground, &with(&["-i"]), "7\n"), 1);
    ends(&answered(&ground, &with(&["-i"]), ""), 1);
    assert_eq!(ground.listing(), before);
}

fn one_answer() {
    let ground = Ground::with(&["old/a/one", "old/b/two", "old/three", "l/"]);
    for name in ["a/one", "b/two", "three"] {
        make(&ground.tree(), &[&format!("l/{} -> ../old/{name}", name.replace('/', "-"))]);
    }
    rename(&ground, "old", "deep/new");
    let ran = answered(&ground, &with(&["-i", "l"]), "y\n");
    ends(&ran, 0);
    let line = "3 broken links lead into `";
    assert!(ran.out.contains(line) && ran.out.contains("which looks like `"), "{ran:#?}");
    assert!(ran.err.contains("lead 3 links that lead into `"), "{ran:#?}");
    assert_eq!(target(&ground, "l/a-one"), "../deep/new/a/one");
    assert_eq!(target(&ground, "l/three"), "../deep/new/three");
    ends(&ground.run(&["undo", "-y"]), 0);
    assert_eq!(target(&ground, "l/three"), "../old/three");
}

fn json() {
    let ground = three();
    let ran = ground.run(&with(&["-n", "--json"]));
    let lost = of_type(&ran, "lost");
    assert_eq!(lost.len(), 3, "{ran:#?}");
    let of = |name: &str| {
        let has = |it: &&serde_json::Value| text(it, "to").ends_with(name);
        lost.iter().find(has).unwrap_or_else(|| unreachable!("{name}: {ran:#?}"))
    };
    assert_eq!(text(of("/t/f"), "choice"), "likely");
    assert_eq!(text(of("/t/g"), "choice"), "certain");
    assert_eq!(text(of("/t/h"), "choice"), "none");
    let now = bytes(of("/t/g"), "now").expect("a place");
    assert_eq!(now, ground.tree().join("u/g").as_os_str().as_bytes());
    let candidate = &of("/t/f")["candidates"][0];
    assert_eq!(text(candidate, "likened"), "alike");
    assert_eq!(candidate["evidence"][0], "contents");
    let link = &of("/t/g")["links"][0];
    assert_eq!((text(link, "target"), link["tracked"].as_bool()), ("../t/g".into(), Some(true)));
    assert_eq!(of_type(&ran, "item").len(), 1, "what would be done");
}

fn delete() {
    let ground = three();
    make(&ground.tree(), &["l/loop -> loop"]);
    track(&ground, &["l/loop"]);
    let before = ground.listing();
    let ran = ground.run(&with(&["-y", "--delete"]));
    ends(&ran, 3);
    assert!(!ground.tree().join("l/h").is_symlink(), "gone: {ran:#?}");
    for stays in ["l/f", "l/g", "l/loop"] {
        assert!(ground.tree().join(stays).is_symlink(), "{stays}: {ran:#?}");
    }
    ends(&ground.run(&["undo", "-y"]), 0);
    assert_eq!(ground.listing(), before);
    // One that leads elsewhere by now is none of this.
    ends(&answered(&ground, &with(&["-i", "--delete"]), "\n\nn\n"), 1);
    assert_eq!(ground.listing(), before);
}

fn again() {
    let ground = Ground::with(&["t/f", "l/f -> ../t/f"]);
    track(&ground, &["l/f"]);
    for number in 0..4 {
        let name = |number: i32| if number == 0 { "t/f".into() } else { format!("t/{number}") };
        rename(&ground, &name(number), &name(number + 1));
        ends(&ground.run(&["repair", "--certain"]), 0);
        assert_eq!(target(&ground, "l/f"), format!("../t/{}", number + 1));
    }
    // The link itself moves, and then what it leads to.
    rename(&ground, "l/f", "m/n/f");
    rename(&ground, "t/4", "t/5");
    ends(&ground.run(&with(&["--certain", "."])), 0);
    assert_eq!(target(&ground, "m/n/f"), "../../t/5");
    rename(&ground, "t/5", "t/6");
    ends(&ground.run(&["repair", "--certain"]), 0);
    assert_eq!(target(&ground, "m/n/f"), "../../t/6");
    let catalogue = catalogue(&ground);
    assert_eq!(catalogue.count().expect("counted"), 1, "forgotten at its old place");
}

fn saved_over() -> Ground {
    let ground = Ground::with(&["t/settings", "l/settings -> ../t/settings"]);
    track(&ground, &["l/settings"]);
    std::fs::remove_file(ground.tree().join("l/settings")).expect("removed");
    std::fs::write(ground.tree().join("l/settings"), "new").expect("saved over");
    ground
}

fn read(ground: &Ground, name: &str) -> String {
    std::fs::read_to_string(ground.tree().join(name)).expect("it is there")
}

fn into_target() {
    let ground = saved_over();
    let before = ground.listing();
    let ran = ground.run(&with(&["-y", "--replaced", "target"]));
    ends(&ran, 0);
    assert!(ran.out.contains("the old one is kept beside it as `settings.~1~`"), "{ran:#?}");
    assert_eq!(target(&ground, "l/settings"), "../t/settings");
    assert_eq!(
        (read(&ground, "t/settings"), read(&ground, "t/settings.~1~")),
        ("new".into(), "t/settings".into())
    );
    ends(&ground.run(&["undo", "-y"]), 0);
    assert_eq!(ground.listing(), before);
    // What the link led to is gone: then the new one is all there is.
    std::fs::remove_file(ground.tree().join("t/settings")).expect("removed");
    let before = ground.listing();
    ends(&ground.run(&with(&["-y", "--replaced", "target"])), 0);
    assert_eq!(
        (target(&ground, "l/settings"), read(&ground, "t/settings")),
        ("../t/settings".into(), "new".into())
    );
    ends(&ground.run(&["undo", "-y"]), 0);
    assert_eq!(ground.listing(), before);
    assert!(ground.strays().is_empty());
}

/// A link through another one, which was led elsewhere since.
fn switched() {
    let ground = Ground::with(&["r1/x", "r2/x", "current -> r1", "l -> current/x"]);
    let tree = ground.tree();
    track(&ground, &["l", "current"]);
    std::fs::remove_file(tree.join("l")).expect("removed");
    std::fs::write(tree.join("l"), "new").expect("saved over");
    std::fs::remove_file(tree.join("current")).expect("removed");
    std::os::unix::fs::symlink("r2", tree.join("current")).expect("a link");
    let before = ground.listing();
    let ran = ground.run(&with(&["-y", "--replaced", "target"]));
    assert!(ran.code == 1 && ran.err.contains("its text leads to"), "{ran:#?}");
    assert_eq!(ground.listing(), before);
    ends(&ground.run(&with(&["-y", "--replaced", "both"])), 0);
    assert_eq!((read(&ground, "l"), read(&ground, "l.~1~")), ("r2/x".into(), "new".into()));
}

fn known_after_kill() {
    let mut recovered = 0;
    for number in 1.. {
        let ground = saved_over();
        let before = ground.listing();
        ends(&ground.run(&with(&["-y", "--replaced", "target"])), 0);
        if !crate::kill::killed(&ground, "fsync", number, &["undo", "-y"]) {
            break;
        }
        recovered += usize::from(crate::kill::is_unfinished(&ground));
        ends(&ground.run(&["recover", "-y"]), 0);
        // If that took it back, or it was killed before it had begun.
        if ground.listing() != before {
            ends(&ground.run(&["undo", "-y"]), 0);
        }
        assert_eq!(ground.listing(), before, "killed at {number}");
        let ran = ground.run(&with(&["-y", "--replaced", "target"]));
        assert!(ran.out.contains("kept beside it"), "killed at {number}: {ran:#?}");
    }
    assert!(recovered > 0, "never killed in the middle");
}

fn both() {
    let ground = saved_over();
    let before = ground.listing();
    ends(&answered(&ground, &with(&["-i"]), "2\n"), 0);
    assert_eq!(target(&ground, "l/settings"), "../t/settings");
    assert_eq!(
        (read(&ground, "t/settings"), read(&ground, "l/settings.~1~")),
        ("t/settings".into(), "new".into())
    );
    ends(&ground.run(&["undo", "-y"]), 0);
    assert_eq!(ground.listing(), before);
    let ran = ground.run(&with(&["-y", "--replaced", "forget"]));
    ends(&ran, 0);
    assert!(ran.err.contains("1 link was forgotten"), "{ran:#?}");
    assert_eq!((ground.listing(), catalogue(&ground).count().expect("counted")), (before, 0));
}

fn untouched() {
    let ground = saved_over();
    let before = ground.listing();
    for arguments in
        [with(&["-y"]), with(&["--certain"]), with(&["--certain", "--replaced", "target"])]
    {
        let ran = ground.run(&arguments);
        ends(&ran, 1);
        assert!(ran.out.contains("1 link was saved over"), "{ran:#?}");
    }
    ends(&answered(&ground, &with(&["-i"]), "\n"), 1);
    assert_eq!(ground.listing(), before);
    // A folder where a file was: nobody can say what is meant.
    std::fs::remove_file(ground.tree().join("l/settings")).expect("removed");
    make(&ground.tree(), &["l/settings/x"]);
    let before = ground.listing();
    let ran = ground.run(&with(&["-y", "--replaced", "target"]));
    ends(&ran, 1);
    assert!(ran.err.contains("the new one is a folder, and the link led to a file"), "{ran:#?}");
    assert_eq!(ground.listing(), before);
}

fn through() {
    let ground = Ground::with(&["t/c", "b -> t/c", "a -> b", "a2 -> b"]);
    track(&ground, &["a", "a2"]);
    rename(&ground, "t/c", "t/d");
    let ran = ground.run(&["repair", "--certain", "a"]);
    ends(&ran, 0);
    assert!(ran.out.contains("through it lead `") && ran.out.contains("/a`"), "{ran:#?}");
    assert_eq!((target(&ground, "a"), target(&ground, "b")), ("b".into(), "t/d".into()));
}

fn nothing() {
    let ground = Ground::with(&["f", "l -> f", "d/"]);
    let ran = ground.run(&["repair"]);
    ends(&ran, 0);
    assert!(ran.err.contains("no link is tracked yet"), "{ran:#?}");
    let ran = ground.run(&with(&["."]));
    ends(&ran, 0);
    assert!(ran.err.contains("no link is broken here"), "{ran:#?}");
    ends(&ground.run(&["repair", ""]), 2);
    let ran = ground.run(&with(&["nowhere"]));
    ends(&ran, 1);
    assert!(ran.err.contains("there is nothing at `nowhere`"), "{ran:#?}");
    ends(&ground.run(&with(&["--search", "nowhere", "."])), 1);
}

fn asleep() {
    alone(|| {
        let Some(mut volume) = Volume::in_memory(Kind::Ext4, 48 << 20) else { return };
        let ground = Ground::with(&["l/"]);
        make(&volume.path(), &["t/f"]);
        std::os::unix::fs::symlink(volume.join("t/f"), ground.tree().join("l/f")).expect("a link");
        // That the volume was there is remembered.
        ends(&ground.run(&["check", "l"]), 0);
        volume.vanish();
        let before = ground.listing();
        let ran = ground.run(&with(&["-y", "--likely", "--delete", "l"]));
        ends(&ran, 0);
        assert!(ran.err.contains("on a volume that is not attached"), "{ran:#?}");
        assert_eq!(ground.listing(), before);
    });
}
