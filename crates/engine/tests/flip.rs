//! A folder that is swapped for a link, again and again, while a scan goes through it.

use crate::support::{Child, Scan, shown, systems};
use libtest_mimic::Trial;
use linkwell_engine::judge::Depth;
use linkwell_model::entry::LinkKind;
use linkwell_testkit::need::test;
use linkwell_testkit::tree::{Scratch, make};
use rustix::fs::{CWD, RenameFlags};
use rustix::process::{Resource, Rlimit};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub(crate) const PIECES: &[crate::support::Piece] = &[("flip::few", few)];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("flip: nothing behind a link that takes a folder's place is ever told", || {
            flip(Duration::from_secs(3), true);
        }),
        test("flip: nor with few descriptors, when folders are opened from far above", || {
            Child::plain("flip::few").run();
        }),
    ]
}

fn few() {
    let limit = Rlimit { current: Some(40), maximum: Some(40) };
    rustix::process::setrlimit(Resource::Nofile, limit).expect("a lower limit");
    flip(Duration::from_secs(2), false);
}

/// Swaps folder and link until it is dropped.
struct Flipper {
    stop: Arc<AtomicBool>,
    swaps: Arc<AtomicU64>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Flipper {
    fn new(one: PathBuf, other: PathBuf) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let swaps = Arc::new(AtomicU64::new(0));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&swaps));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                rustix::fs::renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE)
                    .expect("both stay there");
                counted.fetch_add(1, Ordering::Relaxed);
            }
        });
        Self { stop, swaps, thread: Some(thread) }
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

/// `top/mid` is a folder of folders, `top/link` leads to a canary of the same shape.
fn tree() -> Scratch {
    let scratch = Scratch::new();
    let mut lines = vec!["top/link -> ../canary".to_owned()];
    for number in 0..30 {
        lines.push(format!("top/mid/d{number}/e/REAL -> x"));
        lines.push(format!("canary/d{number}/e/CANARY -> x"));
    }
    lines.push("canary/CANARY -> x".to_owned());
    lines.push("top/mid/REAL -> x".to_owned());
    make(&scratch.path(), &lines.iter().map(String::as_str).collect::<Vec<_>>());
    scratch
}

fn flip(time: Duration, control: bool) {
    let scratch = tree();
    let top = scratch.join("top");
    let flipper = Flipper::new(scratch.join("top/mid"), scratch.join("top/link"));
    let started = Instant::now();
    let (mut scans, mut real) = (0_u64, 0_u64);
    while started.elapsed() < time {
        for (system, threads) in systems().into_iter().flat_map(|one| [(one, 1), (one, 2)]) {
            let report = Scan::new(system, Depth::Everything).threads(threads).of(&top);
            for row in &report.rows {
                assert!(!row.path.ends_with(b"CANARY"), "{} was told", shown(&row.path));
                assert_eq!(row.kind, LinkKind::Symlink);
                real += u64::from(row.path.ends_with(b"REAL"));
            }
            scans += 1;
        }
    }
    let swaps = flipper.swaps.load(Ordering::Relaxed);
    println!("flip: {scans} scans told {real} links during {swaps} swaps");
    assert!(scans >= 8 && real >= 100 && swaps >= 1000, "too little happened");
    if control {
        let started = Instant::now();
        let (mut walks, mut canaries) = (0, 0);
        while canaries == 0 {
            assert!(started.elapsed() < Duration::from_secs(20), "the swap harms nobody: {walks}");
            naive(&top, &mut canaries);
            walks += 1;
        }
        println!("flip: a walk by paths told {canaries} canaries after {walks} walks");
    }
    drop(flipper);
}

/// Looks, and then opens by path what it saw: the way in which one must not walk.
fn naive(folder: &Path, canaries: &mut usize) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        *canaries += usize::from(path.ends_with("CANARY"));
        if std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir()) {
            naive(&path, canaries);
        }
    }
}
