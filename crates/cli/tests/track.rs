//! `track`, `untrack`, `list --tracked`, `check --tracked`, and what every operation records.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::indexing_slicing,
    reason = "a test makes what it looks at, and may stop at the first surprise"
)]

use crate::repair::{catalogue, place};
use crate::support::{Ground, links, summary, text};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::make;
use linkwell_testkit::volume::{Kind, Volume, alone};
use serde_json::{Value, json};
use std::path::Path;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("track: what is below is on record, and is told as it is", told),
        test("track: replaced and retargeted links, and links that are gone", changed),
        test("track: one link, a link on the way of another, and untrack", single),
        test("track: a policy is set, and stays until another one is", policy),
        test("track: what cannot be looked at is no whole record", partly),
        test("track: -0, --json and names of any bytes", for_programs),
        test("track: create and remove", created),
        test("track: retarget, undo and convert", retargeted),
        test("track: a move takes its links along, and those that led there", moved),
        test("track: what leads to a link that was changed is known as it is then", behind),
        test("track: recover records what it has done", recovered),
        test("track: a catalogue that fails fails nothing else", failing),
        test("list: --tracked -v says who recorded a link, and its policy", verbose),
        test("check: points to `repair` when links are broken", pointed),
        test("track: a damaged catalogue is set aside and filled again", damaged),
        test_with(
            "track: links whose volume is away stay on record, and those that were deleted do not",
            &Kind::Ext4.needs(),
            || alone(away),
        ),
        test_with(
            "track: what went with a subvolume was deleted",
            &[Kind::Btrfs.needs(), vec![Need::Program("btrfs")]].concat(),
            || alone(subvolume),
        ),
    ]
}

/// `list --tracked` below the tree, sorted; what is written from `/` on is told from the tree on.
fn tracked(ground: &Ground) -> Vec<String> {
    let ran = ground.run(&["list", "--tracked", "."]);
    let tree = format!("{}/", ground.tree().display());
    ran.sorted().into_iter().map(|line| line.replace(&tree, "")).collect()
}

/// Whether this stands in the tree as a link.
fn is_link(ground: &Ground, name: &str) -> bool {
    std::fs::read_link(ground.tree().join(name)).is_ok()
}

fn done(ran: &Ran) {
    assert_eq!(ran.code, 0, "{ran:?}");
}

fn symlink(text: &str, at: &Path) {
    std::os::unix::fs::symlink(text, at).expect("a link");
}

fn told() {
    let ground =
        Ground::with(&["d/f", "l/a -> ../d", "l/b -> ../d/f", "l/c -> ../gone", "l/d -> d"]);
    let ran = ground.run(&["list", "--tracked"]);
    assert_eq!((ran.out.as_str(), ran.code), ("", 0));
    assert_eq!(ran.err, "note: no link is on record; `linkwell track PATH` records them\n");
    let ran = ground.run(&["track", "."]);
    assert_eq!((ran.err.as_str(), ran.code), ("done: 4 links are on record\n", 0));
    let expected = [
        "broken   symlink  ./l/c → ../gone",
        "loop     symlink  ./l/d → d",
        "ok       symlink  ./l/a → ../d",
        "ok       symlink  ./l/b → ../d/f",
    ];
    assert_eq!(tracked(&ground), expected);
    // Without a walk: a link that is not on record is not told.
    symlink("d", &ground.tree().join("new"));
    assert_eq!(tracked(&ground), expected);
    let whole = ground.run(&["list", "--tracked"]);
    assert_eq!(whole.sorted().len(), 4);
    let place = ground.tree().join("l/a").display().to_string();
    assert!(whole.out.contains(&format!("{place} → ../d\n")), "{whole:?}");
    let one = ground.run(&["list", "--tracked", "l/b", "--health", "ok"]);
    assert_eq!(one.out, "ok       symlink  l/b → ../d/f\n");
    let check = ground.run(&["check", "--tracked", "l"]);
    assert_eq!(check.code, 1, "{check:?}");
    assert!(check.out.contains("which is not there") && check.out.contains("l/c"), "{check:?}");
}

fn changed() {
    let ground =
        Ground::with(&["d/f", "e/", "a -> d", "b -> d/f", "c -> d/f", "gone -> d", "in/x -> ../d"]);
    done(&ground.run(&["track", "."]));
    let at = |name: &str| ground.tree().join(name);
    for name in ["a", "b", "gone", "in/x"] {
        std::fs::remove_file(at(name)).expect("removed");
    }
    symlink("e", &at("a"));
    std::fs::write(at("b"), "saved over").expect("written");
    std::fs::remove_dir(at("in")).expect("removed");
    let ran = ground.run(&["list", "--tracked", "."]);
    assert_eq!(
        ran.sorted(),
        [
            "ok       symlink  ./c → d/f",
            "replaced symlink  ./b → d/f",
            "retargeted symlink  ./a → e",
        ]
    );
    assert_eq!(ran.code, 3, "{ran:?}");
    for gone in ["gone", "in/x"] {
        let line = format!("error: could not look at `./{gone}`: no such file or directory\n");
        assert!(ran.err.contains(&line), "{ran:?}");
    }
    let check = ground.run(&["check", "--tracked", "."]);
    assert_eq!(check.code, 1);
    assert!(check.out.contains("1 link has a real file or folder in its place"), "{check:?}");
    assert!(check.out.contains("1 link leads somewhere else than is on record"), "{check:?}");
    // A scan knows nothing of the record.
    assert!(!ground.run(&["list", "."]).out.contains("retargeted"));
    let only = ground.run(&["list", "--tracked", "--health", "replaced", "-0", "."]);
    assert_eq!(only.out, "./b\0");
    // Tracking anew takes what is there for what is wanted, but for the file over a link.
    let again = ground.run(&["track", "."]);
    assert!(again.err.contains("note: 2 links are not there any more, and forgotten"), "{again:?}");
    assert_eq!(
        tracked(&ground),
        ["ok       symlink  ./a → e", "ok       symlink  ./c → d/f", "replaced symlink  ./b → d/f",]
    );
    done(&ground.run(&["untrack", "b"]));
    assert_eq!(tracked(&ground).len(), 2);
}

fn single() {
    let ground = Ground::with(&["d/f", "way -> d", "l -> way/f", "dir/x -> ../d", "to -> dir"]);
    let ran = ground.run(&["track", "l"]);
    assert_eq!((ran.err.as_str(), ran.code), ("done: 1 link is on record\n", 0));
    assert_eq!(
        tracked(&ground),
        ["ok       symlink  ./l → way/f", "ok       symlink  ./way → d"],
        "the link on the way is known, too"
    );
    done(&ground.run(&["track", "dir"]));
    let through = ground.run(&["list", "--tracked", "to"]);
    assert_eq!(through.out, "ok       symlink  to/x → ../d\n", "{through:?}");
    let ran = ground.run(&["untrack", "l"]);
    assert_eq!((ran.err.as_str(), ran.code), ("done: 1 link forgotten\n", 0));
    let ran = ground.run(&["untrack", "l", "nosuch"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("error: nothing is on record of `nosuch`"), "{ran:?}");
    assert!(is_link(&ground, "l"), "only the record was forgotten");
    let ran = ground.run(&["track", "nosuch"]);
    assert_eq!(ran.code, 3, "{ran:?}");
}

/// The names and policies on record.
fn policies(ground: &Ground) -> String {
    let file = ground.scratch().join("state/linkwell/catalogue.sqlite");
    let ran = std::process::Command::new("sqlite3")
        .arg(file)
        .arg("SELECT name, policy FROM link ORDER BY name")
        .output()
        .expect("sqlite3 can be started");
    String::from_utf8(ran.stdout).expect("text")
}

fn policy() {
    let ground = Ground::with(&["d/f", "l/a -> ../d", "l/b -> ../d"]);
    let ran = ground.run(&["track", "--policy", "ask", "l"]);
    assert_eq!(ran.err, "done: 2 links are on record (policy: ask)\n");
    assert_eq!(policies(&ground), "a|ask\nb|ask\n");
    done(&ground.run(&["track", "l"]));
    assert_eq!(policies(&ground), "a|ask\nb|ask\n", "a policy is a person's");
    done(&ground.run(&["track", "--policy=leave", "l/a"]));
    assert_eq!(policies(&ground), "a|leave\nb|ask\n");
    assert_eq!(ground.run(&["track", "--policy", "other", "l"]).code, 2);
}

fn partly() {
    let ground = Ground::with(&["d/f", "l/a -> ../d"]);
    let ran = ground.run(&["track", "l", "nosuch"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    // `l` may not be taken for whole: nobody can say to what the other path belonged.
    let refs = ground.run(&["refs", "d", "--under", "l", "--recorded"]);
    assert_eq!(refs.code, 1, "{refs:?}");
    assert!(refs.err.contains("not all links below these folders are on record"), "{refs:?}");
    done(&ground.run(&["track", "l"]));
    done(&ground.run(&["refs", "d", "--under", "l", "--recorded"]));
}

fn for_programs() {
    use std::os::unix::ffi::OsStrExt as _;
    let ground = Ground::with(&["d/f"]);
    let name = std::ffi::OsStr::from_bytes(b"a\n\xff");
    std::os::unix::fs::symlink("d", ground.tree().join(name)).expect("a link");
    let ran = ground.run(&["track", "--json", "."]);
    let line: Value = serde_json::from_str(&ran.out).expect("one object");
    let place = ground.tree().to_str().expect("a plain path").to_owned();
    let expected = json!({"type": "tracked", "version": 1, "links": 1, "forgotten": 0,
                          "away": 0, "whole": [{"path": place}]});
    assert_eq!((line, ran.err.as_str()), (expected, ""));
    let output = ground.command().args(["list", "--tracked", "-0", "."]).output().expect("run");
    assert_eq!(output.stdout, b"./a\n\xff\0");
    let listed = ground.run(&["list", "--tracked", "--json", "."]);
    assert_eq!(links(&listed).len(), 1);
    assert_eq!(links(&listed)[0].get("path_base64"), Some(&json!("Li9hCv8=")));
    assert_eq!(summary(&listed).get("links"), Some(&json!(1)));
    let ran = ground.run(&["untrack", "--json", "."]);
    let line: Value = serde_json::from_str(&ran.out).expect("one object");
    assert_eq!(text(&line, "target"), "d");
}

fn created() {
    let ground = Ground::with(&["d/f", "list/"]);
    done(&ground.run(&["create", "-y", "d/f", "l"]));
    done(&ground.run(&["create", "-y", "-t", "list", "d", "d/f"]));
    done(&ground.run(&["create", "-y", "--hard", "d/f", "hard"]));
    assert_eq!(
        tracked(&ground),
        [
            "ok       symlink  ./l → d/f",
            "ok       symlink  ./list/d → d",
            "ok       symlink  ./list/f → d/f",
        ]
    );
    done(&ground.run(&["remove", "-y", "--forever", "list"]));
    assert_eq!(tracked(&ground), ["ok       symlink  ./l → d/f"]);
    done(&ground.run(&["undo", "-y", "1"]));
    assert_eq!(tracked(&ground), Vec::<String>::new());
    // A dry run records nothing.
    done(&ground.run(&["create", "-n", "d", "m"]));
    assert_eq!(tracked(&ground), Vec::<String>::new());
}

fn retargeted() {
    let ground = Ground::with(&["d/f", "e/f"]);
    done(&ground.run(&["create", "-y", "d/f", "l"]));
    done(&ground.run(&["retarget", "-y", "l", "--to", "e/f"]));
    assert_eq!(tracked(&ground), ["ok       symlink  ./l → e/f"]);
    done(&ground.run(&["undo", "-y"]));
    assert_eq!(tracked(&ground), ["ok       symlink  ./l → d/f"]);
    done(&ground.run(&["convert", "-y", "l", "--to", "contents"]));
    assert_eq!(tracked(&ground), Vec::<String>::new(), "it is no link any more, as was wanted");
    done(&ground.run(&["undo", "-y"]));
    assert_eq!(tracked(&ground), ["ok       symlink  ./l → d/f"]);
}

fn moved() {
    for other in [false, true] {
        let ground =
            Ground::with_other(&["d/f", "d/in -> f", "d/s/deep -> ../f", "l -> d/f", "m -> d"]);
        done(&ground.run(&["track", "--policy", "ask", "."]));
        let to = if other { ground.other().join("d2") } else { ground.tree().join("d2") };
        done(&ground.run(&["move", "-y", "d", to.to_str().expect("a plain path")]));
        let all = ground.run(&["list", "--tracked", "--json"]);
        let mut found: Vec<String> = links(&all)
            .iter()
            .map(|link| format!("{} {}", text(link, "health"), text(link, "path")))
            .filter(|line| !line.ends_with("/other"))
            .collect();
        found.sort();
        let below = |name: &str| format!("ok {}", to.join(name).display());
        let here = |name: &str| format!("ok {}", ground.tree().join(name).display());
        let mut expected = vec![below("in"), below("s/deep"), here("d"), here("l"), here("m")];
        expected.sort();
        assert_eq!(found, expected, "to another volume: {other}");
        assert!(!all.out.contains("\"problem\""), "{all:?}");
        // What they lead to has its new place, and the policy is still the person's.
        let file = ground.scratch().join("state/linkwell/catalogue.sqlite");
        let ask = "SELECT link.policy, target.place FROM link JOIN target ON target.id = link.target \
                   WHERE link.name = CAST('in' AS BLOB)";
        let ran = std::process::Command::new("sqlite3").arg(file).arg(ask).output().expect("run");
        let said = String::from_utf8(ran.stdout).expect("text");
        assert_eq!(said, format!("ask|{}\n", to.join("f").display()));
    }
}

fn behind() {
    use std::os::unix::fs::MetadataExt as _;
    let ground = Ground::with(&[
        "c",
        "b -> c",
        "a -> b",
        "real/f",
        "real2/f",
        "real3/",
        "dir -> real",
        "y -> dir/f",
    ]);
    done(&ground.run(&["track", "--policy", "ask", "."]));
    let entry = |name: &str| {
        let (folder, name) = place(&ground.tree().join(name)).split().expect("no root");
        catalogue(&ground).at(&folder, &name).expect("it answers").expect("on record")
    };
    let known = |what: &str| {
        let target = entry("a").target.expect("it is there");
        let is = std::fs::symlink_metadata(ground.tree().join("b")).expect("it is there");
        assert_eq!(target.inode, is.ino(), "after {what}");
    };
    known("track");
    std::fs::rename(ground.tree().join("c"), ground.tree().join("c2")).expect("renamed");
    done(&ground.run(&["repair", "-y", "--near", "--search", "."]));
    known("repair");
    done(&ground.run(&["undo", "-y"]));
    known("undo");
    done(&ground.run(&["retarget", "-y", "b", "--to", "c2"]));
    known("retarget");
    // What passes a link is led elsewhere with it.
    let at = |name: &str| place(&ground.tree().join(name));
    done(&ground.run(&["retarget", "-y", "dir", "--to", "real2"]));
    assert_eq!(entry("y").link.to, at("real2/f"));
    // Not to nothing: what it led to would be forgotten.
    let before = entry("y").target;
    done(&ground.run(&["retarget", "-y", "dir", "--to", "real3"]));
    let after = entry("y");
    assert_eq!((after.link.to, after.target), (at("real2/f"), before));
    assert!(!policies(&ground).contains("follow"), "{}", policies(&ground));
    // So a link that was moved is found again.
    std::fs::rename(ground.tree().join("b"), ground.tree().join("bb")).expect("renamed");
    let ran = ground.run(&["repair", "-y", "--certain", "--near", "--search", ".", "a"]);
    done(&ran);
    assert_eq!(std::fs::read_link(ground.tree().join("a")).expect("a link"), Path::new("bb"));
}

fn recovered() {
    let ground = Ground::with(&["d/f"]);
    let mut many = Vec::new();
    for number in 0..2000 {
        many.extend_from_slice(format!("d/f\0l{number}\0").as_bytes());
    }
    std::fs::write(ground.scratch().join("pairs"), many).expect("written");
    let pairs = std::fs::File::open(ground.scratch().join("pairs")).expect("there");
    let mut child = ground
        .command()
        .args(["create", "--from-list", "-y", "-q"])
        .stdin(pairs)
        .spawn()
        .expect("started");
    while std::fs::symlink_metadata(ground.tree().join("l0")).is_err() {
        if child.try_wait().expect("a child").is_some() {
            break;
        }
        std::thread::yield_now();
    }
    drop(child.kill());
    drop(child.wait());
    let ran = ground.run(&["recover", "--forward"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let made = std::fs::read_dir(ground.tree()).expect("listed").count() - 1;
    let kept = tracked(&ground).len();
    // What ended before it was killed may not be on record; what was recovered is.
    let whole = ran.err.contains("nothing was interrupted");
    assert!(whole || kept == made, "{kept} of {made} are on record: {ran:?}");
}

fn failing() {
    let ground = Ground::with(&["d/f"]);
    let state = ground.scratch().join("state/linkwell");
    done(&ground.run(&["create", "-y", "d", "first"]));
    // No file can be made there: it is a folder with something in it.
    let file = state.join("catalogue.sqlite");
    for end in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(state.join(format!("catalogue.sqlite{end}"))));
    }
    std::fs::create_dir_all(file.join("x")).expect("made");
    let ran = ground.run(&["create", "-y", "d", "l"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.err.matches("note: the catalogue of links could not be").count(), 1, "{ran:?}");
    assert!(is_link(&ground, "l"));
    let quiet = ground.run(&["create", "-q", "-y", "d", "l2"]);
    assert_eq!((quiet.err.as_str(), quiet.code), ("", 0));
    let ran = ground.run(&["track", "."]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("hint: it can be deleted at any time"), "{ran:?}");
    done(&ground.run(&["refs", "d", "--under", "."]));
}

fn verbose() {
    let ground = Ground::with(&["d/f", "e -> d", "l -> e/f"]);
    done(&ground.run(&["track", "--policy", "ask", "l"]));
    let ran = ground.run(&["list", "--tracked", "-v", "."]);
    let mut lines: Vec<&str> = ran.out.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "ok       symlink  ./e → d  (on the way of another link; follow)",
            "ok       symlink  ./l → e/f  (tracked; ask)",
        ]
    );
    let ran = ground.run(&["list", "--tracked", "--json", "l"]);
    assert!(ran.out.contains(r#""by":"tracked","policy":"ask""#), "{ran:?}");
    // Only a record knows it.
    let ran = ground.run(&["list", "--json", "."]);
    assert!(!ran.out.contains("policy"), "{ran:?}");
    assert_eq!(ground.run(&["list", "-v"]).code, 2);
}

fn pointed() {
    let ground = Ground::with(&["d/f", "l -> d/nothing", "m -> nothing", "my own/l -> nothing"]);
    for (words, repair) in [
        (&["check"][..], "repair ."),
        (&["check", "my own"], "repair 'my own'"),
        (&["check", "l", "m"], "repair PATH…"),
    ] {
        let ran = ground.run(words);
        let last = ran.err.lines().last().unwrap_or_default();
        let wanted = format!("hint: `linkwell {repair}` looks for what broken links led to");
        assert_eq!(last, wanted, "{ran:?}");
    }
    assert_eq!(ground.run(&["check", "-q"]).err, "");
    assert_eq!(ground.run(&["check", "--shortcuts", "."]).err, "");
    assert_eq!(ground.run(&["check", "d"]).err, "");
}

fn damaged() {
    let ground = Ground::with(&["d/f", "l -> d"]);
    done(&ground.run(&["track", "."]));
    let state = ground.scratch().join("state/linkwell");
    let junk = b"no database any more".repeat(1000);
    let harm = || {
        std::fs::write(state.join("catalogue.sqlite"), &junk).expect("written");
        for end in ["-wal", "-shm"] {
            drop(std::fs::remove_file(state.join(format!("catalogue.sqlite{end}"))));
        }
    };
    harm();
    let ran = ground.run(&["list", "--tracked", "."]);
    assert_eq!((ran.out.as_str(), ran.code), ("", 0), "{ran:?}");
    let refs = ground.run(&["refs", "d", "--under", "."]);
    assert_eq!((refs.out.as_str(), refs.code), ("to       ok       symlink  ./l → d\n", 0));
    let ran = ground.run(&["track", "."]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("catalogue.damaged-1"), "{ran:?}");
    assert_eq!(std::fs::read(state.join("catalogue.damaged-1")).expect("kept"), junk);
    assert_eq!(tracked(&ground), ["ok       symlink  ./l → d"]);
    harm();
    let ran = ground.run(&["create", "-y", "d", "m"]);
    assert!(ran.code == 0 && ran.err.contains("catalogue.damaged-2"), "{ran:?}");
    assert_eq!(tracked(&ground), ["ok       symlink  ./m → d"]);
}

fn away() {
    let Some(mut volume) = Volume::in_memory(Kind::Ext4, 48 << 20) else { return };
    let Some(mut other) = Volume::in_memory(Kind::Ext4, 48 << 20) else { return };
    let ground = Ground::with(&["here -> .", "gone -> ."]);
    make(&volume.path(), &["f", "l -> f", "m -> f", "dead -> nothing", "sub/n -> ../f"]);
    let top = volume.path();
    let above = top.parent().expect("it has one").to_owned();
    let all = [above.to_str().expect("a plain path"), "."];
    let track = |expected: &str| {
        let ran = ground.run(&[&["track", "--cross-volumes"], &all[..]].concat());
        done(&ran);
        let notes: Vec<&str> = ran.err.lines().filter(|line| line.starts_with("note: ")).collect();
        assert_eq!(notes.join("; "), expected, "{ran:?}");
    };
    done(&ground.run(&[&["track", "--cross-volumes", "--policy", "ask"], &all[..]].concat()));
    let whole = "dead|ask\ngone|ask\nhere|ask\nl|ask\nm|ask\nn|ask\n";
    assert_eq!(policies(&ground), whole);
    volume.vanish();
    std::fs::remove_file(ground.tree().join("gone")).expect("removed");
    let whole = whole.replace("gone|ask\n", "");
    let kept = "note: 4 links are kept on record: the volume they stood on is not attached there";
    track(&format!("note: 1 link is not there any more, and forgotten; {kept}"));
    assert_eq!(policies(&ground), whole);
    let ran = ground.run(&["track", "--json", top.to_str().expect("a plain path")]);
    let line: Value = serde_json::from_str(&ran.out).expect("one object");
    assert_eq!((line.get("forgotten"), line.get("away")), (Some(&json!(0)), Some(&json!(4))));
    // The folder that it was mounted at is gone as well, or shows another volume.
    std::fs::rename(&top, above.join("elsewhere")).expect("renamed");
    track(kept);
    std::fs::rename(above.join("elsewhere"), &top).expect("renamed");
    let bound = std::process::Command::new("mount")
        .arg("--bind")
        .args([other.path(), top.clone()])
        .status();
    assert!(bound.expect("mount can be started").success());
    track(kept);
    assert_eq!(policies(&ground), whole);
    let ended = std::process::Command::new("umount").arg(&top).status();
    assert!(ended.expect("umount can be started").success());
    other.vanish();
    // The control: what is deleted where it is attached goes, whatever number the volume has now.
    volume.come_back();
    for name in ["l", "dead"] {
        std::fs::remove_file(top.join(name)).expect("removed");
    }
    std::fs::remove_dir_all(top.join("sub")).expect("removed");
    track("note: 3 links are not there any more, and forgotten");
    assert_eq!(policies(&ground), "here|ask\nm|ask\n");
}

fn subvolume() {
    let Some(volume) = Volume::in_memory(Kind::Btrfs, 48 << 20) else { return };
    let ground = Ground::with(&[]);
    let (top, sub) = (volume.path(), volume.join("sub"));
    let btrfs = |what: &str| {
        let ran = std::process::Command::new("btrfs").args(["subvolume", what]).arg(&sub).output();
        assert!(ran.expect("btrfs can be started").status.success());
    };
    btrfs("create");
    make(&top, &["x -> sub/f", "sub/f", "sub/l -> f", "sub/dead -> nothing"]);
    let top = top.to_str().expect("a plain path");
    done(&ground.run(&["track", top]));
    btrfs("delete");
    let ran = ground.run(&["track", top]);
    assert!(ran.err.contains("note: 2 links are not there any more, and forgotten"), "{ran:?}");
    assert_eq!(policies(&ground), "x|follow\n");
}
