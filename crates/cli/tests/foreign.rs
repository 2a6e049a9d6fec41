//! Other people on the same computer: their links are not followed, their folders give them nothing when
//! root works there, and nobody else writes what linkwell acts upon. Plants belong to the user of the
//! number 65534; linkwell runs as root, or as that user.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test is the attacker, and says what it counted"
)]

use crate::support::{Ground, LINKWELL, as_nobody};
use libtest_mimic::Trial;
use linkwell_engine::journal::record;
use linkwell_testkit::crafted::allow;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::make;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

const NOBODY: u32 = 65534;
/// Somebody else again.
const OTHER: u32 = 4242;

pub(crate) fn trials() -> Vec<Trial> {
    let root = |name, run: fn()| test_with(name, &[Need::Root], run);
    let alone = |name, run: fn()| test_with(name, &[Need::Root, Need::Program("unshare")], run);
    vec![
        root("foreign: root's way through somebody's link is refused and named", as_root),
        root("foreign: so is anybody's; own links and root's pass", as_anybody),
        root("foreign: a link of somebody's in a folder like /tmp stays", sticky),
        test_with(
            "foreign: names swapped while root gives a link its owner harm nothing",
            &[Need::Root, Need::Program("strace")],
            swapped,
        ),
        test_with(
            "foreign: root empties no folder that is put under a name of its own",
            &[Need::Root, Need::Program("strace")],
            planted_folder,
        ),
        root("foreign: a state folder that others can change is refused; -n needs none", states),
        root("foreign: records, lock and folder replaced by links and pipes", replaced),
        root("foreign: a forged record touches nothing that it has not made", forged),
        root("foreign: HOME and XDG_STATE_HOME unset, relative, somebody's", homes),
        alone("foreign: a full or read-only disk for the record: not begun", no_room),
    ]
}

/// It ended by itself, within a bound: nothing hangs on a pipe.
fn bounded(command: &mut Command) -> Ran {
    let mut limited = Command::new("timeout");
    limited.args(["--kill-after=1", "20"]).arg(command.get_program()).args(command.get_args());
    limited.env_clear().envs(command.get_envs().filter_map(|(key, value)| Some((key, value?))));
    if let Some(folder) = command.get_current_dir() {
        limited.current_dir(folder);
    }
    let ran: Ran = limited.output().expect("timeout").into();
    assert!(ran.code < 100 && !ran.err.contains("panicked"), "{ran:?}");
    ran
}

fn refused(ran: &Ran, words: &[&str]) {
    assert_eq!(ran.code, 1, "{ran:?}");
    for word in words {
        assert!(ran.err.contains(word), "no `{word}`: {ran:?}");
    }
}

const WAYS: [&[&str]; 8] = [
    &["create", "-y", "f", "theirs/new"],
    &["create", "-y", "f", "theirs/deep/new"],
    &["create", "-y", "f", "real/theirs2/new"],
    &["create", "-y", "-t", "theirs", "f"],
    &["create", "-y", "f", "theirs/"],
    &["create", "-y", "f", "mine/deep/new"],
    &["create", "-y", "--hard", "theirs/inner", "new"],
    &["create", "-yf", "f", "real/deep/../../theirs/l"],
];

const TREE: [&str; 7] = [
    "f",
    "real/inner",
    "real/deep/x",
    "real/l -> x",
    "theirs -> real",
    "real/theirs2 -> deep",
    "mine -> theirs",
];

fn as_root() {
    let ground = Ground::with(&TREE);
    let tree = ground.tree();
    let own = |owner| {
        for link in ["theirs", "real/theirs2"] {
            lchown(tree.join(link), Some(owner), Some(owner)).expect("an owner");
        }
    };
    for typed in WAYS {
        own(NOBODY);
        let before = ground.listing();
        let ran = ground.run(typed);
        refused(&ran, &["theirs", "belongs to nobody"]);
        assert_eq!(ground.listing(), before, "{typed:?}");
        // The same way, when the link is root's.
        own(0);
        let ran = ground.run(typed);
        assert_eq!(ran.code, 0, "{typed:?}: {ran:?}");
        assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    }
    // A place is a place, however this process came to stand there.
    own(NOBODY);
    let ran = bounded(ground.command().current_dir(tree.join("theirs")).args([
        "create",
        "-y",
        "x",
        "m",
        "--allow-broken",
    ]));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(fs::symlink_metadata(tree.join("real/m")).is_ok());
}

fn as_anybody() {
    let ground = Ground::with(&TREE);
    let tree = ground.tree();
    let mut all = vec![ground.scratch().path()];
    while let Some(path) = all.pop() {
        lchown(&path, Some(NOBODY), Some(NOBODY)).expect("an owner");
        if fs::symlink_metadata(&path).expect("it is there").is_dir() {
            all.extend(fs::read_dir(&path).expect("a folder").map(|one| one.expect("one").path()));
        }
    }
    let run = |typed: &[&str]| -> Ran {
        let mut command = as_nobody(ground.scratch());
        command.current_dir(&tree).env("XDG_STATE_HOME", ground.scratch().join("state"));
        command.args(typed).output().expect("linkwell").into()
    };
    for (owner, passes) in [(NOBODY, true), (0, true), (OTHER, false)] {
        for link in ["theirs", "real/theirs2"] {
            lchown(tree.join(link), Some(owner), Some(owner)).expect("an owner");
        }
        for typed in WAYS {
            let before = ground.listing();
            let ran = run(typed);
            if passes {
                assert_eq!(ran.code, 0, "{typed:?}: {ran:?}");
                assert_eq!(run(&["undo", "-y"]).code, 0);
            } else {
                refused(&ran, &["theirs", "belongs to user 4242"]);
            }
            // What is made again is new, with its old time where it was a link.
            assert_eq!(ground.listing(), before, "{typed:?}");
        }
    }
}

fn sticky() {
    let ground = Ground::with(&["f", "tmp/theirs -> f", "tmp/roots -> f", "tmp/file"]);
    let tree = ground.tree();
    allow(&tree.join("tmp"), 0o1777);
    lchown(tree.join("tmp/theirs"), Some(NOBODY), Some(NOBODY)).expect("an owner");
    let before = ground.listing();
    let ran = ground.run(&["create", "-yf", "f", "tmp/theirs"]);
    refused(&ran, &["belongs to nobody", "anyone may write"]);
    assert_eq!(ground.listing(), before);
    allow(&tree, 0o755);
    let state = ground.scratch().join("theirs");
    make(&ground.scratch().path(), &["theirs/"]);
    chown(&state, Some(NOBODY), Some(NOBODY)).expect("an owner");
    for typed in [&["create", "-yf", "f", "tmp/roots"][..], &["create", "-yb", "f", "tmp/file"]] {
        let mut command = as_nobody(ground.scratch());
        command.current_dir(&tree).env("XDG_STATE_HOME", &state);
        let ran: Ran = command.args(typed).output().expect("linkwell").into();
        refused(&ran, &["error: "]);
        assert_eq!(ground.listing(), before, "{typed:?}: {ran:?}");
    }
}

/// How long an attack lasts.
fn time() -> Duration {
    let long = std::env::var_os("LINKWELL_TEST_LONG").is_some();
    Duration::from_secs(if long { 5 } else { 1 })
}

/// Calls `attack` with every name of linkwell's own that shows up in a folder, while `act` runs; gives
/// how often.
fn while_attacked(
    folder: &Path,
    attack: impl Fn(&Path) -> std::io::Result<()> + Sync,
    act: impl FnOnce(),
) -> u64 {
    /// Stops the attack, also when the test fails.
    struct Stop<'s>(&'s AtomicBool);
    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let (stop, count) = (AtomicBool::new(false), AtomicU64::new(0));
    std::thread::scope(|scope| {
        let _stop = Stop(&stop);
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                for entry in fs::read_dir(folder).expect("a folder").flatten() {
                    let own = entry.file_name().to_string_lossy().starts_with(".linkwell-");
                    if own && attack(&entry.path()).is_ok() {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
        act();
    });
    count.load(Ordering::Relaxed)
}

/// What must not change of a file that an attacker gives further names.
fn kept(path: &Path) -> (u32, u32, u32, i64, i64, Vec<u8>) {
    let status = fs::symlink_metadata(path).expect("a canary");
    let content = fs::read(path).expect("a canary");
    (status.uid(), status.gid(), status.mode(), status.mtime(), status.mtime_nsec(), content)
}

fn swapped() {
    let ground = Ground::with(&["f", "g", "att/l -> ../g", "stash/"]);
    let (tree, canary) = (ground.tree(), ground.scratch().join("canary"));
    fs::write(&canary, b"canary").expect("a canary");
    let (folder, link) = (tree.join("att"), tree.join("att/l"));
    for path in [&folder, &canary, &tree.join("stash")] {
        chown(path, Some(NOBODY), Some(NOBODY)).expect("an owner");
    }
    lchown(&link, Some(OTHER), Some(OTHER)).expect("an owner");
    let before = kept(&canary);
    let stashed = AtomicU64::new(0);
    // What is under the name becomes another name of the canary.
    let attack = |name: &Path| {
        let number = stashed.fetch_add(1, Ordering::Relaxed);
        fs::rename(name, tree.join(format!("stash/{number}")))?;
        fs::hard_link(&canary, name)
    };
    let (mut done, mut failed) = (0, 0);
    let swaps = while_attacked(&folder, attack, || {
        let started = Instant::now();
        while started.elapsed() < time() || done + failed < 10 {
            for typed in [&["create", "-yf", "f", "att/l"][..], &["undo", "-y"]] {
                let ran = bounded(&mut slow(&ground, typed));
                if ran.code == 4 {
                    bounded(ground.command().args(["recover", "-y"]));
                }
                if ran.code == 0 {
                    done += 1;
                } else {
                    failed += 1;
                }
            }
            // The link is there again, somebody else's.
            drop(fs::remove_file(&link));
            symlink("../g", &link).expect("a link");
            lchown(&link, Some(OTHER), Some(OTHER)).expect("an owner");
            assert_eq!(kept(&canary), before, "the canary was changed");
        }
    });
    println!("foreign: {done} done, {failed} not, {swaps} names swapped");
    assert!(swaps > 0, "nobody was in the way");
    // By paths, as one must not.
    let name = folder.join(".linkwell-naive");
    let started = Instant::now();
    while_attacked(&folder, attack, || {
        while kept(&canary) == before {
            drop(fs::remove_file(&name));
            drop(symlink("f", &name));
            drop(lchown(&name, Some(OTHER), Some(OTHER)));
            assert!(started.elapsed() < Duration::from_secs(30), "the swap harms nobody");
        }
    });
}

/// linkwell, held up at each call that makes or changes a name, as a busy computer might: there is time for
/// an attack at every step, every time.
fn slow(ground: &Ground, typed: &[&str]) -> Command {
    const CALLS: &str = "symlinkat,linkat,fchownat,utimensat,renameat2";
    let plain = ground.command();
    let mut command = Command::new("strace");
    command.args(["-f", "-o", "/dev/null", "-e", &format!("trace={CALLS}")]);
    command.args(["-e", &format!("inject={CALLS}:delay_enter=2000:delay_exit=4000")]);
    command.arg(plain.get_program()).args(typed).current_dir(ground.tree());
    command.envs(plain.get_envs().filter_map(|(key, value)| Some((key, value?))));
    command
}

fn planted_folder() {
    let ground = Ground::with(&["f", "att/victim/precious", "stash/"]);
    let (tree, folder) = (ground.tree(), ground.tree().join("att"));
    chown(&folder, Some(NOBODY), Some(NOBODY)).expect("an owner");
    let count = AtomicU64::new(0);
    // Whoever owns the folder may rename what is in it, but not empty somebody else's folder.
    let attack = |name: &Path| {
        if fs::symlink_metadata(name)?.is_dir() {
            return Err(std::io::ErrorKind::IsADirectory.into());
        }
        let number = count.fetch_add(1, Ordering::Relaxed);
        fs::rename(name, tree.join(format!("stash/{number}")))?;
        fs::rename(folder.join("victim"), name)?;
        symlink("x", folder.join("h"))
    };
    let find = || {
        let entries = fs::read_dir(&folder).expect("a folder").flatten();
        entries.map(|entry| entry.path()).find(|path| path.join("precious").is_file())
    };
    let started = Instant::now();
    let (mut rounds, mut swaps) = (0, 0);
    while started.elapsed() < time() || rounds < 10 {
        let mut said = Vec::new();
        swaps += while_attacked(&folder, attack, || {
            said.push(bounded(&mut slow(&ground, &["create", "-y", "--hard", "f", "att/h"])));
        });
        // With the attack over, there is one place where it can be.
        let found = find().unwrap_or_else(|| unreachable!("the folder was emptied: {said:?}"));
        said.push(bounded(ground.command().args(["recover", "-y"])));
        if found != folder.join("victim") {
            let name = found.file_name().expect("a name").to_string_lossy().into_owned();
            let told = said.iter().any(|ran| ran.code != 0 && ran.err.contains(&name));
            assert!(told, "`{name}` was left, and not a word: {said:?}");
            fs::rename(found, folder.join("victim")).expect("its old name");
        }
        drop(fs::remove_file(folder.join("h")));
        rounds += 1;
    }
    println!("foreign: a folder was put under a name of linkwell's {swaps} times");
    assert!(swaps > 0, "nobody was in the way");
}

/// Every file and folder below, with its rights, owner and content.
fn below(folder: &Path) -> String {
    linkwell_testkit::listing::listing(folder)
}

fn states() {
    type Setting = (&'static str, fn(&Path), &'static [&'static str]);
    let settings: [Setting; 9] = [
        ("the way is an own link", |top| link(top, "elsewhere", "state", 0), &[]),
        (
            "the way is somebody's link",
            |top| link(top, "elsewhere", "state", NOBODY),
            &["leads through the link", "belongs to user 65534"],
        ),
        ("the folder is an own link", |top| link(top, "elsewhere", "state/linkwell", 0), &[]),
        (
            "the folder is somebody's link",
            |top| link(top, "elsewhere", "state/linkwell", NOBODY),
            &["leads through the link", "belongs to user 65534"],
        ),
        (
            "a group may write",
            |top| linkwell_folder(top, 0o770, 0),
            &["others may write", "chmod go-w"],
        ),
        (
            "all may write",
            |top| linkwell_folder(top, 0o707, 0),
            &["others may write", "chmod go-w"],
        ),
        (
            "it is somebody's",
            |top| linkwell_folder(top, 0o700, NOBODY),
            &["belongs to somebody else"],
        ),
        (
            "others may write above",
            |top| allow(&top.join("state"), 0o777),
            &["others may write", "chmod go-w"],
        ),
        ("above is like /tmp", |top| allow(&top.join("state"), 0o1777), &[]),
    ];
    for (what, set, words) in settings {
        let ground = Ground::with(&["f"]);
        let top = ground.scratch().path();
        make(&top, &["elsewhere/"]);
        allow(&top, 0o755);
        set(&top);
        let before = below(&top);
        for dry in [&["create", "-n", "f", "l"][..], &["create", "-n", "-t", ".", "f"]] {
            let ran = bounded(ground.command().args(dry));
            let wanted = i32::from(dry.len() == 5);
            assert_eq!((ran.code, below(&top) == before), (wanted, true), "{what}: {ran:?}");
        }
        let ran = bounded(ground.command().args(["create", "-y", "f", "l"]));
        if words.is_empty() {
            assert_eq!(ran.code, 0, "{what}: {ran:?}");
            assert_eq!(bounded(ground.command().args(["undo", "-y"])).code, 0, "{what}");
        } else {
            refused(&ran, words);
            assert!(ran.err.contains("nothing was changed"), "{ran:?}");
            assert_eq!(below(&top), before, "{what}: something was changed");
            let any =
                fs::symlink_metadata(top.join("state/linkwell")).is_ok() || what.contains("way");
            for verb in [&["undo", "-y"][..], &["recover", "-y"], &["log"]] {
                let ran = bounded(ground.command().args(verb));
                // Where nothing was ever written, there is nothing that could not be trusted.
                assert!(any || ran.err.contains("nothing") || ran.err.contains("not changed"));
                if any {
                    refused(&ran, words);
                }
            }
        }
    }
}

fn link(top: &Path, to: &str, at: &str, owner: u32) {
    let at = top.join(at);
    drop(fs::remove_dir(&at));
    symlink(top.join(to), &at).expect("a link");
    lchown(&at, Some(owner), Some(owner)).expect("an owner");
}

fn linkwell_folder(top: &Path, mode: u32, owner: u32) {
    make(top, &["state/linkwell/operations/"]);
    let folder = top.join("state/linkwell");
    chown(&folder, Some(owner), Some(owner)).expect("an owner");
    allow(&folder, mode);
}

fn replaced() {
    let ground = Ground::with(&["f"]);
    assert_eq!(ground.run(&["create", "-y", "f", "l"]).code, 0);
    let state = ground.scratch().join("state/linkwell");
    let canary = ground.scratch().join("canary");
    make(&canary, &["file", "folder/000001.jsonl"]);
    let before = (ground.listing(), below(&canary));
    let aside = ground.scratch().join("aside");
    for (name, kind) in
        [("lock", "file"), ("operations/000001.jsonl", "file"), ("operations", "folder")]
    {
        let path = state.join(name);
        fs::rename(&path, &aside).expect("it is set aside");
        type Plant<'p> = (&'static str, Box<dyn Fn() + 'p>);
        let pipe = || {
            make(&state, &[&format!("{name} |")]);
            allow(&path, 0o600);
        };
        let mut plants: Vec<Plant<'_>> = vec![
            ("a link to a canary", Box::new(|| symlink(canary.join(kind), &path).expect("a link"))),
            ("a dangling link", Box::new(|| symlink(canary.join("new"), &path).expect("a link"))),
            ("a pipe", Box::new(pipe)),
        ];
        if kind == "file" {
            plants.push((
                "somebody's file",
                Box::new(|| {
                    fs::copy(&aside, &path).expect("a copy");
                    chown(&path, Some(NOBODY), Some(NOBODY)).expect("an owner");
                }),
            ));
        }
        for (what, plant) in plants {
            plant();
            let typed: &[&str] =
                if name == "lock" { &["create", "-y", "f", "m"] } else { &["undo", "-y"] };
            let ran = bounded(ground.command().args(typed));
            assert_eq!(ran.code, 1, "{name} is {what}: {ran:?}");
            assert!(ran.err.contains("error: "), "{name} is {what}: {ran:?}");
            assert_eq!((ground.listing(), below(&canary)), before, "{name} is {what}");
            fs::remove_file(&path).expect("the plant");
        }
        fs::rename(&aside, &path).expect("it comes back");
    }
    assert_eq!(ground.run(&["undo", "-y"]).code, 0, "as it was, it works");
}

fn forged() {
    let ground = Ground::with(&["f", "other/made -> ../f"]);
    let canary = ground.scratch().join("canary");
    make(&canary, &["made", "folder/x", "link -> x"]);
    assert_eq!(ground.run(&["create", "-y", "f", "made"]).code, 0);
    let path = ground.scratch().join("state/linkwell/operations/000001.jsonl");
    let whole = fs::read_to_string(&path).expect("its record");
    let objects: Vec<String> = whole
        .lines()
        .map(|line| format!("{}}}", line.split(",\"check\":\"").next().expect("a line")))
        .collect();
    let tree = ground.tree();
    let text = |path: &Path| path.to_str().expect("plain letters").to_owned();
    let forge = |from: &str, to: &str| {
        assert!(objects.concat().contains(from), "{from}: {objects:?}");
        let all: Vec<String> = objects.iter().map(|one| one.replace(from, to)).collect();
        fs::write(&path, record::forged(all.iter().map(String::as_bytes))).expect("a record");
    };
    let before = (ground.listing(), below(&canary));
    let place = format!("\"{}\"", text(&tree));
    for (from, to) in [
        (place.clone(), format!("\"{}\"", text(&canary))),
        (place.clone(), format!("\"{}\"", text(&tree.join("other")))),
        (place.clone(), "\"/etc\"".into()),
        (place, format!("\"{}/../../canary\"", text(&tree))),
        ("\"made\"".into(), "\"f\"".into()),
        ("\"made\"".into(), "\"../canary/made\"".into()),
        ("\"made\"".into(), "\"..\"".into()),
        ("\"made\"".into(), "\"passwd\"".into()),
    ] {
        forge(&from, &to);
        for verb in [&["undo", "-y"][..], &["undo", "-y", "1"], &["log", "1"]] {
            let ran = bounded(ground.command().args(verb));
            assert!(verb.contains(&"log") || ran.code != 0, "{to}: {ran:?}");
        }
        assert_eq!((ground.listing(), below(&canary)), before, "{to}");
    }
    // The same record, not forged, is acted upon.
    forge("\"made\"", "\"made\"");
    let ran = ground.run(&["undo", "-y"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

fn homes() {
    let ground = Ground::with(&["f"]);
    let top = ground.scratch().path();
    // Relative: to be ignored, says the XDG specification.
    let ran = bounded(
        ground.command().env("XDG_STATE_HOME", "relative").args(["create", "-y", "f", "a"]),
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(top.join("home/.local/state/linkwell/operations/000001.jsonl").is_file());
    assert!(!ground.tree().join("relative").exists());
    // Root with a user's home.
    make(&top, &["user/"]);
    chown(top.join("user"), Some(NOBODY), Some(NOBODY)).expect("an owner");
    let mut command = ground.command();
    command.env_remove("XDG_STATE_HOME").env("HOME", top.join("user"));
    let ran = bounded(command.args(["create", "-y", "f", "b"]));
    refused(&ran, &["belongs to somebody else", "XDG_STATE_HOME"]);
    assert_eq!(fs::read_dir(top.join("user")).expect("a folder").count(), 0);
    // A user with root's state.
    make(&top, &["theirs/f"]);
    chown(top.join("theirs"), Some(NOBODY), Some(NOBODY)).expect("an owner");
    allow(&top.join("home"), 0o755);
    for (home, wanted) in [(Some(top.join("home")), "error: "), (None, "error: ")] {
        let mut command = as_nobody(ground.scratch());
        command.current_dir(top.join("theirs")).env_remove("HOME");
        if let Some(home) = home {
            command.env("HOME", home);
        }
        for verb in [&["create", "-y", "f", "c"][..], &["undo", "-y", "1"]] {
            let mut command = {
                let mut again = as_nobody(ground.scratch());
                again.current_dir(top.join("theirs")).env_remove("HOME");
                if let Some(Some(home)) =
                    command.get_envs().find(|(key, _)| *key == "HOME").map(|(_, value)| value)
                {
                    again.env("HOME", home);
                }
                again
            };
            let ran: Ran = command.args(verb).output().expect("linkwell").into();
            refused(&ran, &[wanted]);
        }
        assert!(!top.join("theirs/c").exists() && ground.tree().join("a").exists());
        let ran: Ran = command.args(["create", "-n", "f", "c"]).output().expect("linkwell").into();
        assert_eq!(ran.code, 0, "{ran:?}");
    }
}

fn no_room() {
    let ground = Ground::with(&["f"]);
    let before = ground.listing();
    let state = ground.scratch().join("state");
    for (what, prepare) in [
        (
            "no blocks",
            "mount -t tmpfs -o size=16k,mode=700 none S; cat /dev/zero > S/full 2>/dev/null",
        ),
        (
            "no room for a record",
            "mount -t tmpfs -o size=16k,mode=700 none S; mkdir -m 700 S/linkwell S/linkwell/operations; cat /dev/zero > S/full 2>/dev/null",
        ),
        (
            "no inodes",
            "mount -t tmpfs -o nr_inodes=4,mode=700 none S; touch S/1 S/2 S/3 S/4 2>/dev/null",
        ),
        ("read-only", "mount -t tmpfs -o ro,mode=700 none S"),
    ] {
        let line = format!("{prepare}; \"$L\" create -n f l && exec \"$L\" create -y f l");
        let line = line.replace("S/", "\"$S\"/").replace(" S;", " \"$S\";");
        let line = if line.ends_with(" S") { line.replace(" S", " \"$S\"") } else { line };
        let line = line.replace("none S", "none \"$S\"");
        let mut command = Command::new("unshare");
        command.args(["-m", "--propagation", "private", "sh", "-c", &line]);
        command.current_dir(ground.tree()).env("L", LINKWELL).env("S", &state);
        command
            .env("XDG_STATE_HOME", &state)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let ran = bounded(&mut command);
        refused(&ran, &["nothing was changed", "caused by: "]);
        let reason = ["no space left", "read-only file system"];
        assert!(reason.iter().any(|word| ran.err.to_lowercase().contains(word)), "{what}: {ran:?}");
        assert_eq!(ground.listing(), before, "{what}");
    }
    // With room it works: the same line, on a disk that is not full.
    assert_eq!(ground.run(&["create", "-y", "f", "l"]).code, 0);
    let record: PathBuf = state.join("linkwell/operations/000001.jsonl");
    assert!(record.is_file());
}
