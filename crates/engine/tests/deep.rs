//! Trees deeper than the system's paths are long, with few descriptors.

use crate::support::{Child, DeepScratch, Report, Scan, path, shown, systems};
use libtest_mimic::Trial;
use linkwell_engine::judge::Depth;
use linkwell_model::health::Health;
use linkwell_model::note::Note;
use linkwell_testkit::need::test;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

pub(crate) const PIECES: &[crate::support::Piece] = &[("deep::few", few)];

const FOLDER: &str = "LINKWELL_ENGINE_TEST_DEEP";

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("deep: a path of 80,000 bytes is found, and told exactly", long_path),
        test("deep: 10,000 levels and a comb of 2,000, with 64 descriptors", few_descriptors),
    ]
}

fn enter(at: impl AsFd, name: &str) -> OwnedFd {
    rustix::fs::mkdirat(&at, name, Mode::RWXU).expect("a folder");
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(&at, name, flags, Mode::empty()).expect("the folder just made")
}

fn link(target: &str, at: impl AsFd, name: &str) {
    rustix::fs::symlinkat(target, at, name).expect("a link");
}

fn hold(folder: &PathBuf) -> OwnedFd {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, folder, flags, Mode::empty()).expect("the folder")
}

fn long_path() {
    let scratch = DeepScratch::new();
    let mut wanted = scratch.path().as_os_str().as_bytes().to_vec();
    let mut held = hold(&scratch.path());
    for level in 0..400 {
        let name = format!("{level:03}{}", "n".repeat(197));
        held = enter(&held, &name);
        wanted.push(b'/');
        wanted.extend_from_slice(name.as_bytes());
    }
    link("here", &held, "gone");
    link("..", &held, "up");
    link("f", &held, "good");
    drop(
        rustix::fs::openat(&held, "f", OFlags::CREATE | OFlags::WRONLY, Mode::RUSR)
            .expect("a file"),
    );
    let full = |name: &str| [wanted.as_slice(), b"/", name.as_bytes()].concat();
    assert!(wanted.len() > 80_000);
    // A walk by paths comes to an end long before.
    let naive = rustix::fs::statat(CWD, path(&wanted), rustix::fs::AtFlags::SYMLINK_NOFOLLOW);
    assert_eq!(naive.err(), Some(Errno::NAMETOOLONG));
    let mut scans = 0;
    for system in systems() {
        for depth in [Depth::Health, Depth::Destination, Depth::Everything] {
            let report = Scan::new(system, depth).of(scratch.path());
            assert_eq!(report.problems, []);
            let mut names = [full("gone"), full("good"), full("up")];
            names.sort();
            assert!(report.links() == names, "other paths, {system:?} {depth:?}");
            let health = |name: &str| report.row(path(&full(name))).health;
            let healths = [health("gone"), health("good"), health("up")];
            assert_eq!(healths, [Health::Broken, Health::Ok, Health::Ok], "{system:?} {depth:?}");
            if depth == Depth::Everything {
                let up = report.row(path(&full("up")));
                assert!(up.notes.has(Note::Cycle), "{system:?}");
                assert!(up.physical.as_ref().is_some_and(|up| up.len() == wanted.len() - 201));
            }
            scans += 1;
        }
    }
    println!("deep: {} bytes of path exact in {scans} scans", wanted.len());
}

const LEVELS: usize = 10_000;
const COMB: usize = 2_000;

fn few_descriptors() {
    let scratch = DeepScratch::new();
    let mut held = enter(hold(&scratch.path()), "deep");
    for _ in 0..LEVELS - 1 {
        held = enter(&held, "d");
    }
    link("gone", &held, "bottom");
    link(".", &held, "here");
    // At each level two folders, of which one goes on.
    held = enter(hold(&scratch.path()), "comb");
    for level in 0..COMB {
        let other = enter(&held, if level % 2 == 0 { "a" } else { "c" });
        link("gone", &other, "l");
        held = enter(&held, "b");
    }
    drop(held);
    let started = std::time::Instant::now();
    Child::plain("deep::few").env(FOLDER, scratch.path()).run();
    println!("deep: scanned in {:?}", started.elapsed());
}

fn few() {
    let limit = Rlimit { current: Some(64), maximum: Some(64) };
    rustix::process::setrlimit(Resource::Nofile, limit).expect("a lower limit");
    let top: PathBuf = std::env::var_os(FOLDER).expect("a folder").into();
    // The limit is real.
    let many: Result<Vec<_>, _> = (0..64).map(|_| rustix::io::dup(std::io::stdin())).collect();
    assert_eq!(many.err(), Some(Errno::MFILE));
    let started = std::time::Instant::now();
    for (number, system) in systems().into_iter().enumerate() {
        // Without openat2 each level is a call of its own for a thread that takes over another's
        // work: one thread, and only the last part of the comb.
        let plain = number == 1;
        let threads = if plain { 1 } else { 0 };
        let report = Scan::new(system, Depth::Destination).threads(threads).of(top.join("deep"));
        check_chain(&report, &top);
        println!("deep: {system:?}: the chain by {:?}", started.elapsed());
        let levels = if plain { 300 } else { COMB };
        let comb = (levels..COMB).fold(top.join("comb"), |path, _| path.join("b"));
        for threads in [1, 16] {
            let report = Scan::new(system, Depth::Health).threads(threads).of(&comb);
            assert_eq!(report.problems, [], "{system:?} {threads}");
            assert_eq!(report.links().len(), levels, "{system:?} {threads}");
            assert_eq!(report.tally.of(Health::Broken), levels as u64);
            let mut lengths: Vec<usize> = report.rows.iter().map(|row| row.path.len()).collect();
            lengths.sort_unstable();
            let first = comb.join("a/l").as_os_str().as_bytes().len();
            let wanted: Vec<usize> = (0..levels).map(|level| first + 2 * level).collect();
            assert!(lengths == wanted, "{system:?}: one link at each level");
            println!("deep: the comb with {threads} threads by {:?}", started.elapsed());
        }
    }
    println!("deep: {LEVELS} levels and a comb of {COMB} with 64 descriptors, both ways");
}

fn check_chain(report: &Report, top: &std::path::Path) {
    assert_eq!(report.problems, []);
    let folder = [top.join("deep").as_os_str().as_bytes(), &b"/d".repeat(LEVELS - 1)].concat();
    let mut found: Vec<_> = report.rows.iter().map(|row| (row.path.clone(), row.health)).collect();
    found.sort_by(|one, two| one.0.cmp(&two.0));
    let wanted = [
        ([&folder[..], b"/bottom"].concat(), Health::Broken),
        ([&folder[..], b"/here"].concat(), Health::Ok),
    ];
    assert!(
        found == wanted,
        "{} links, the first {:?}",
        found.len(),
        found.first().map(|row| row.1)
    );
    let here = report.row(path(&wanted[1].0));
    assert!(here.notes.has(Note::Cycle), "{}", shown(b"here"));
}
