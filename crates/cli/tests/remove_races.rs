//! `remove` while somebody swaps folders for links, and killed at any moment.
#![expect(clippy::disallowed_methods, reason = "the tests look for themselves")]

use crate::support::{Ground, LINKWELL};
use libtest_mimic::Trial;
use linkwell_testkit::listing::listing;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::{self, Ran};
use linkwell_testkit::tree::make;
use rustix::fs::{CWD, Mode, OFlags, RenameFlags};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("remove: nothing behind a link that takes a folder's place is freed", flip),
        test_with(
            "remove: killed at any call, it is recovered to before or after",
            &[Need::Program("strace")],
            killed,
        ),
    ]
}

/// `top/mid` is a folder, `top/link` leads to a canary of the same shape.
fn tree(ground: &Ground) {
    let mut lines = vec!["tree/top/link -> ../../canary".to_owned()];
    for number in 0..40 {
        lines.push(format!("tree/top/mid/d{number}/f"));
        lines.push(format!("canary/d{number}/f"));
    }
    make(&ground.scratch().path(), &lines.iter().map(String::as_str).collect::<Vec<_>>());
}

/// Swaps the two in a held folder, wherever that is renamed to, until one of them is gone.
struct Flipper {
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Flipper {
    fn new(top: &Path, swaps: &Arc<AtomicU64>) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, swaps) = (Arc::clone(&stop), Arc::clone(swaps));
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let top = rustix::fs::openat(CWD, top, flags, Mode::empty()).expect("a folder");
        let thread = std::thread::spawn(move || {
            let swap = || {
                rustix::fs::renameat_with(&top, "mid", &top, "link", RenameFlags::EXCHANGE).is_ok()
            };
            while !stopped.load(Ordering::Relaxed) && swap() {
                swaps.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Flipper {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn flip() {
    let ground = Ground::with(&[]);
    let top = ground.tree().join("top");
    let swaps = Arc::new(AtomicU64::new(0));
    tree(&ground);
    let canary = || listing(&ground.scratch().join("canary"));
    let count = canary().lines().count();
    let started = Instant::now();
    let (mut rounds, mut whole) = (0, 0);
    // Four seconds, and as much more as a busy machine needs to come to enough.
    let enough = |rounds: u64| rounds >= 5 && swaps.load(Ordering::Relaxed) >= 1000;
    let least = Duration::from_secs(4);
    let most = Duration::from_secs(120);
    while started.elapsed() < least || !enough(rounds) && started.elapsed() < most {
        let flipper = Flipper::new(&top, &swaps);
        let ran = ground.run(&["remove", "-yq", "--forever", "--no-refs", "top"]);
        drop(flipper);
        assert_eq!(canary().lines().count(), count, "{ran:?}");
        assert!(ground.strays().is_empty(), "{ran:?}");
        assert!(matches!(ran.code, 0 | 1 | 3), "{ran:?}");
        whole += u64::from(ran.code == 0);
        rounds += 1;
        drop(std::fs::remove_dir_all(&top));
        tree(&ground);
    }
    let swapped = swaps.load(Ordering::Relaxed);
    assert!(rounds >= 5 && swapped >= 1000, "too little: {rounds}, {whole} whole, {swapped} swaps");
    // The control: the one swap that counts, between the look and what follows from it.
    let swap = |seen: &Path| {
        if seen == top.join("mid") {
            let (one, other) = (top.join("mid"), top.join("link"));
            let swapped = rustix::fs::renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE);
            swapped.expect("both are there");
        }
    };
    naive(&top, &swap);
    assert!(canary().lines().count() < count, "the swap harms nobody");
}

/// Looks, and then frees by path what it saw: the way in which one must not do it. `meanwhile` is what happens
/// when a folder has been looked at.
fn naive(folder: &Path, meanwhile: &dyn Fn(&Path)) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let is_folder =
        |path: &PathBuf| std::fs::symlink_metadata(path).is_ok_and(|found| found.is_dir());
    let (folders, others): (Vec<PathBuf>, Vec<PathBuf>) =
        entries.flatten().map(|entry| entry.path()).partition(is_folder);
    for path in folders {
        meanwhile(&path);
        naive(&path, meanwhile);
    }
    for path in others {
        drop(std::fs::remove_file(&path));
    }
    drop(std::fs::remove_dir(folder));
}

const TREE: &[&str] = &["a/b/f", "a/l -> ../../canary", "g", "l -> ../canary"];

fn killed() {
    let mut killed = 0;
    for forever in [false, true] {
        let after = {
            let ground = Ground::with(TREE);
            assert_eq!(run(&ground, forever, None).code, 0);
            ground.listing()
        };
        for call in ["renameat2", "unlinkat", "fsync", "syncfs", "write", "mkdirat"] {
            for number in 1.. {
                let ground = Ground::with(TREE);
                make(&ground.scratch().path(), &["canary/c", "canary/d/e"]);
                let canary = listing(&ground.scratch().join("canary"));
                let before = ground.listing();
                let ran = run(&ground, forever, Some((call, number)));
                if ran.code == 0 {
                    break;
                }
                killed += 1;
                let moment = format!("{call} {number}, forever: {forever}");
                let recovered = ground.run(&["recover"]);
                assert_eq!(recovered.code, 0, "{moment}: {recovered:?}");
                let now = ground.listing();
                let trash = ground.scratch().join("home/data/Trash");
                let trashed = if trash.is_dir() { listing(&trash) } else { String::new() };
                let things = trashed.lines().filter(|line| line.contains('/')).count();
                let again = ground.run(&["recover"]);
                assert!(again.err.contains("nothing was interrupted"), "{moment}: {again:?}");
                assert_eq!(ground.listing(), now, "{moment}");
                assert!(now == before || now == after, "{moment}: {now}");
                if now == before || forever {
                    assert_eq!(things, 0, "{moment}: {trashed}");
                } else {
                    // Three records; three things, the folder with what is in it.
                    assert_eq!(things, 9, "{moment}: {trashed}");
                }
                assert_eq!(listing(&ground.scratch().join("canary")), canary, "{moment}");
                // What is left can be worked with.
                if now == before {
                    assert_eq!(run(&ground, forever, None).code, 0, "{moment}");
                    assert_eq!(ground.listing(), after, "{moment}");
                }
            }
        }
    }
    assert!(killed >= 30, "too few kills: {killed}");
}

fn run(ground: &Ground, forever: bool, kill: Option<(&str, u32)>) -> Ran {
    let mut command = match kill {
        None => program::command(LINKWELL, &ground.tree()),
        Some((call, number)) => {
            let mut command = program::command("strace", &ground.tree());
            let inject = format!("inject={call}:signal=KILL:when={number}");
            command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
            command.args(["-e", &inject, LINKWELL]);
            command
        }
    };
    command
        .env("HOME", ground.scratch().join("home"))
        .env("XDG_STATE_HOME", ground.scratch().join("state"))
        .env("XDG_DATA_HOME", ground.scratch().join("home/data"))
        .args(["remove", "-yq", "--no-refs", "a", "g", "l"])
        .args(forever.then_some("--forever"))
        .output()
        .expect("it can be started")
        .into()
}
