//! A move that is stopped: by Ctrl-C, by a kill, by a drive that goes away, by another move.
#![expect(
    clippy::disallowed_methods,
    reason = "a test stands outside: it makes its trees, and looks at them by itself"
)]

use crate::kill::traced;
use crate::moving::{Drives, Stands, names};
use crate::support::Ground;
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::running::Running;
use linkwell_testkit::volume::{Kind, alone};
use std::path::PathBuf;
use std::time::{Duration, Instant};

pub(crate) fn trials() -> Vec<Trial> {
    let root = [Need::Root];
    let mut ext4 = Kind::Ext4.needs();
    ext4.push(Need::Root);
    vec![
        test_with("move stop: Ctrl-C in a long copy keeps it, and recover goes on", &root, long),
        test_with("move stop: Ctrl-C in a long copy, and it is taken back", &root, long_back),
        test_with("move stop: Ctrl-C in a short copy takes it back", &root, || short(1)),
        test_with("move stop: Ctrl-C twice loses nothing", &root, || short(2)),
        test_with("move stop: a killed one holds no lock, and is said", &root, dead_holder),
        test_with("move stop: two of overlapping trees, one at a time", &root, two),
        test_with(
            "move stop: Ctrl-C when it has ended changes no exit status",
            &[Need::Program("strace")],
            ended,
        ),
        test_with("move stop: the drive is away when it is recovered", &ext4, away),
        test_with("move stop: another drive stands in its place", &ext4, another),
        test_with("move stop: the drive goes away while it copies", &ext4, detached),
        test_with("move stop: the progress is told to programs", &root, told),
    ]
}

const MOVE: &[&str] = &["move", "-y", "PATH", "DEST"];

/// Many small files, which take a while.
fn many(drives: &mut Drives) {
    drives.fill(|top| {
        for folder in 0..40 {
            let folder = top.join(format!("d{folder}"));
            std::fs::create_dir_all(&folder).expect("a folder");
            for file in 0..400 {
                std::fs::write(folder.join(format!("f{file}")), file.to_string()).expect("a file");
            }
        }
    });
}

/// One file that takes a moment.
fn one(drives: &mut Drives) {
    drives.fill(|top| {
        std::fs::create_dir_all(top).expect("a folder");
        let bytes: Vec<u8> =
            (0..12_u32 << 20).flat_map(|at| at.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        std::fs::write(top.join("f"), bytes).expect("a file");
    });
}

/// What linkwell is building on the other volume.
fn staged(drives: &Drives) -> Option<PathBuf> {
    let folder = drives.to.join("at");
    let found = names(&folder).into_iter().find(|name| name.starts_with(".linkwell-"))?;
    Some(folder.join(found))
}

/// Starts a move and waits until so many folders of the copy are there.
fn started(drives: &Drives, folders: usize) -> Running {
    let mut command = drives.ground.command();
    let mut running = Running::start(command.args(drives.command(MOVE)));
    let asked = Instant::now();
    loop {
        let count = staged(drives).and_then(|staged| Some(std::fs::read_dir(staged).ok()?.count()));
        if count.is_some_and(|count| count >= folders) {
            return running;
        }
        assert!(running.still_runs(), "it ended too soon: {:?}", running.end());
        assert!(asked.elapsed() < Duration::from_secs(60), "it never began");
        std::thread::yield_now();
    }
}

fn on_two(kind: Kind, act: impl FnOnce(Drives) + Send) {
    alone(|| {
        if let Some(drives) = Drives::new(kind, kind) {
            act(drives);
        }
    });
}

/// A copy of thousands of files, stopped by Ctrl-C.
fn stopped(drives: &Drives) {
    let running = started(drives, 12);
    running.interrupt();
    let (_, err, code, _) = running.end();
    let err = String::from_utf8_lossy(&err).into_owned();
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("`linkwell recover` goes on where it stopped"), "{err}");
    assert!(drives.path().is_dir() && !drives.dest().exists(), "{err}");
    let again = drives.ground.run(&drives.command(MOVE));
    assert_eq!(again.code, 4, "{again:?}");
    assert!(drives.path().is_dir() && !drives.dest().exists(), "{again:?}");
}

fn long() {
    on_two(Kind::Tmpfs, |mut drives| {
        many(&mut drives);
        stopped(&drives);
        let ran = drives.ground.run(&["recover", "-y"]);
        assert_eq!((ran.code, drives.stands("recovered")), (0, Stands::There), "{ran:?}");
        let there = ran.err.split(" of ").next().and_then(|head| head.rsplit(' ').next());
        let there: usize = there.unwrap_or_default().replace(',', "").parse().unwrap_or(0);
        assert!(there > 1000 && ran.err.contains("were there already"), "{ran:?}");
    });
}

fn long_back() {
    on_two(Kind::Tmpfs, |mut drives| {
        many(&mut drives);
        stopped(&drives);
        let ran = drives.ground.run(&["recover", "-y", "--back"]);
        assert_eq!((ran.code, drives.stands("taken back")), (0, Stands::Here), "{ran:?}");
        let records = names(&drives.ground.scratch().join("state/linkwell/operations"));
        assert_eq!(records, ["000001.jsonl"], "no record of a copy that nobody has");
    });
}

fn short(times: usize) {
    on_two(Kind::Tmpfs, |mut drives| {
        one(&mut drives);
        let running = started(&drives, 0);
        for _ in 0..times {
            running.interrupt();
        }
        let (_, err, code, _) = running.end();
        assert_eq!((code, drives.stands("stopped")), (130, Stands::Here), "{err:?}");
        let ran = drives.ground.run(&["recover", "-y"]);
        assert!(ran.err.contains("nothing was interrupted"), "{ran:?}");
        let ran = drives.ground.run(&drives.command(MOVE));
        assert_eq!((ran.code, drives.stands("moved")), (0, Stands::There), "{ran:?}");
    });
}

/// A signal at the very last rename, by which the record gets its last name: all is done by then. What is said
/// and noted afterwards is made to take longer than a program that was asked to stop is given.
fn ended() {
    let lines = ["d/f", "e/"];
    let words = ["move", "-y", "--no-refs", "d", "e/"];
    let ground = Ground::in_memory(&lines);
    let file = ground.scratch().join("trace");
    let out = file.to_str().expect("a plain path").to_owned();
    let options = ["-qq", "-o", &out, "-e", "trace=renameat2,write,fsync"];
    let ran: Ran = traced(&ground, &options, &words).output().expect("strace").into();
    assert_eq!(ran.code, 0, "{ran:?}");
    let text = std::fs::read_to_string(&file).expect("a trace");
    let main = text.split(' ').next().expect("a process").to_owned();
    let calls: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix(&main)?.trim_start().split('(').next())
        .filter(|call| ["renameat2", "write", "fsync"].contains(call))
        .collect();
    let first = calls.iter().position(|call| *call == "renameat2").expect("a rename");
    let last = calls.iter().rposition(|call| *call == "renameat2").expect("a rename");
    let count = |call: &str, of: &[&str]| of.iter().filter(|one| **one == call).count();
    let sync = count("fsync", calls.split_at(first).0) + 1;
    let (before, after) = calls.split_at(last + 1);
    let renames = count("renameat2", before);
    let next = count("write", before) + 1;
    assert!(count("write", after) > 0, "something is said: {text}");
    for (signal, number, code) in [
        ("INT", renames, 0),
        ("TERM", renames, 0),
        // While it is still being done, it is taken back (control).
        ("INT", 1, 130),
    ] {
        let ground = Ground::in_memory(&lines);
        let sent = format!("inject=renameat2:signal={signal}:when={number}");
        let slow = format!("inject=write:delay_enter=300000:when={next}+");
        // So that it is heard before anything is done, however busy the machine is: by then the record has its name, and
        // is about to be made durable.
        let wait = if code == 0 { 1 } else { 3_000_000 };
        let busy = format!("inject=fsync:delay_enter={wait}:when={sync}");
        let trace = "trace=renameat2,fsync,write";
        let options =
            ["-qq", "-o", "/dev/null", "-e", trace, "-e", &sent, "-e", &slow, "-e", &busy];
        let ran: Ran = traced(&ground, &options, &words).output().expect("strace").into();
        assert_eq!(ran.code, code, "{signal} {number}: {ran:?}");
        let moved = ground.tree().join("e/d/f").is_file();
        assert_eq!(moved, code == 0, "{signal} {number}: {ran:?}");
        assert_eq!(ran.err.contains("done: 1 change"), code == 0, "{signal} {number}: {ran:?}");
    }
}

fn dead_holder() {
    on_two(Kind::Tmpfs, |mut drives| {
        many(&mut drives);
        let mut running = started(&drives, 3);
        let logged = |json: bool| {
            let words: &[&str] = if json { &["log", "--json"] } else { &["log"] };
            let ran = drives.ground.run(words);
            (ran.code, ran.out)
        };
        running.pause(true);
        let (code, out) = logged(false);
        assert!(code == 0 && out.contains("(running)"), "{code} {out}");
        assert!(logged(true).1.contains("\"state\":\"running\""));
        running.pause(false);
        // `end_unread` kills what has not ended in time.
        let (code, _) = running.end_unread(Duration::ZERO);
        assert_eq!(code, -1);
        let (code, out) = logged(false);
        assert!(code == 4 && out.contains("(not finished: `linkwell recover`)"), "{code} {out}");
        assert!(logged(true).1.contains("\"state\":\"unfinished\""));
        let ran = drives.ground.run(&drives.command(MOVE));
        assert_eq!(ran.code, 4, "{ran:?}");
        assert!(ran.err.contains("operation 1 was begun and is not finished"), "{ran:?}");
        let ran = drives.ground.run(&["recover", "-y"]);
        assert_eq!((ran.code, drives.stands("recovered")), (0, Stands::There), "{ran:?}");
    });
}

fn two() {
    on_two(Kind::Tmpfs, |mut drives| {
        many(&mut drives);
        let running = started(&drives, 3);
        let inner = drives.path().join("d7");
        let other = drives.to.join("at/out");
        let second = [
            "move",
            "-y",
            inner.to_str().expect("a plain path"),
            other.to_str().expect("a plain path"),
        ];
        let ran = drives.ground.run(&second);
        assert_ne!(ran.code, 0, "{ran:?}");
        assert!(!other.exists(), "{ran:?}");
        let (_, err, code, _) = running.end();
        assert_eq!((code, drives.stands("both ended")), (0, Stands::There), "{err:?}");
    });
}

fn away() {
    on_two(Kind::Ext4, |mut drives| {
        many(&mut drives);
        let mut running = started(&drives, 5);
        assert_eq!(running.end_unread(Duration::ZERO).0, -1);
        drives.to.vanish();
        for recover in [&["recover", "-y"][..], &["recover", "-y", "--back"]] {
            let ran = drives.ground.run(recover);
            assert_eq!(ran.code, 4, "{ran:?}");
            let whole = format!("note: `{}` is whole and untouched", drives.path().display());
            assert!(ran.err.contains(&whole) && ran.err.contains("attach the drive"), "{ran:?}");
            assert_eq!(names(&drives.to.path()), [""; 0], "nothing may be made where it was");
        }
        drives.to.come_back();
        let ran = drives.ground.run(&["recover", "-y"]);
        assert_eq!((ran.code, drives.stands("attached again")), (0, Stands::There), "{ran:?}");
    });
}

fn another() {
    on_two(Kind::Ext4, |mut drives| {
        many(&mut drives);
        let mut running = started(&drives, 5);
        assert_eq!(running.end_unread(Duration::ZERO).0, -1);
        drives.to.vanish();
        // Another drive, with a folder of the same name on it.
        let at = drives.to.path();
        let ran = crate::support::shell(
            &at,
            &format!(
                "mount -t tmpfs other {0} && mkdir {0}/at && touch {0}/at/theirs",
                at.display()
            ),
        );
        assert_eq!(ran.code, 0, "{ran:?}");
        let ran = drives.ground.run(&["recover", "-y"]);
        assert_eq!(ran.code, 4, "{ran:?}");
        assert_eq!(names(&at.join("at")), ["theirs"], "{ran:?}");
        let ran = crate::support::shell(&PathBuf::from("/"), &format!("umount {}", at.display()));
        assert_eq!(ran.code, 0, "{ran:?}");
        drives.to.come_back();
        let ran = drives.ground.run(&["recover", "-y"]);
        assert_eq!((ran.code, drives.stands("attached again")), (0, Stands::There), "{ran:?}");
    });
}

fn detached() {
    on_two(Kind::Ext4, |mut drives| {
        many(&mut drives);
        let running = started(&drives, 5);
        drives.to.vanish();
        let (_, err, code, _) = running.end();
        let err = String::from_utf8_lossy(&err).into_owned();
        assert_ne!(code, 0, "{err}");
        assert_eq!(names(&drives.to.path()), [""; 0], "nothing may be made where it was: {err}");
        assert!(drives.path().is_dir(), "{err}");
        drives.to.come_back();
        let ran = drives.ground.run(&["recover", "-y", "--back"]);
        assert_eq!((ran.code, drives.stands("attached again")), (0, Stands::Here), "{err}{ran:?}");
    });
}

fn told() {
    on_two(Kind::Tmpfs, |mut drives| {
        many(&mut drives);
        let mut words = drives.command(MOVE);
        words.push("--json".into());
        let ran = drives.ground.run(&words);
        let objects = crate::support::objects(&ran);
        let progress: Vec<_> = objects
            .iter()
            .filter(|object| crate::support::text(object, "type") == "progress")
            .collect();
        for object in &progress {
            let number = |field: &str| object.get(field).and_then(serde_json::Value::as_u64);
            assert_eq!(number("of_entries"), Some(16_041), "{object}");
            assert!(number("entries") <= number("of_entries"), "{object}");
        }
        assert!(!progress.is_empty() && ran.err.is_empty(), "{ran:?}");
        let quiet = drives.ground.run(&["undo", "-y", "-q"]);
        assert_eq!((quiet.code, quiet.out.as_str(), quiet.err.as_str()), (0, "", ""));
        assert_eq!(drives.stands("undone"), Stands::Here);
    });
}
