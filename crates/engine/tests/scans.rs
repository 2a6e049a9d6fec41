//! Whole scans: every link once, judged as the kernel would; huge folders; `/proc`.

use crate::forest::Grown;
use crate::support::{Child, Random, Report, Scan, path, shown, systems};
use libtest_mimic::Trial;
use linkwell_engine::judge::Depth;
use linkwell_engine::scan::{Problem, Trouble};
use linkwell_engine::system::System;
use linkwell_model::health::Health;
use linkwell_model::note::Note;
use linkwell_testkit::need::test;
use linkwell_testkit::tree::{Scratch, make};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

pub(crate) const PIECES: &[crate::support::Piece] = &[
    ("scans::unreadable", unreadable),
    ("scans::huge", huge),
    ("scans::huge_collected", huge_collected),
];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("scans: every link of random trees once, judged as the kernel does", each_once),
        test("scans: folders without r or x are told, and what is beside them is found", || {
            Child::unprivileged("scans::unreadable").run();
        }),
        test("scans: 100,000 entries of one folder, each once, in little memory", one_huge_folder),
        test("scans: the tree that a link leads to is not entered", links_are_not_followed),
        test("scans: /proc is left out, unless it is asked for", proc),
        test("scans: a missing place below /media is a volume that is away", media),
        sticky(),
    ]
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Known {
    target: Vec<u8>,
    health: Health,
    end: Option<Vec<u8>>,
}

/// The simplest walk there is.
fn walk(folder: &Path, known: &mut BTreeMap<Vec<u8>, Known>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder") {
        let entry = entry.expect("an entry");
        let here = entry.path();
        let file_type = entry.file_type().expect("a kind");
        if file_type.is_dir() {
            walk(&here, known);
        } else if file_type.is_symlink() {
            let health = kernel_health(&here);
            let target = std::fs::read_link(&here).expect("a link").as_os_str().as_bytes().to_vec();
            let end = std::fs::canonicalize(&here).ok();
            let end = end.map(|end| end.as_os_str().as_bytes().to_vec());
            known.insert(here.as_os_str().as_bytes().to_vec(), Known { target, health, end });
        }
    }
}

fn kernel_health(link: &Path) -> Health {
    let error = match std::fs::metadata(link) {
        Ok(_) => return Health::Ok,
        Err(error) => Errno::from_io_error(&error),
    };
    match error {
        Some(Errno::NOENT | Errno::NAMETOOLONG) => Health::Broken,
        Some(Errno::LOOP) => Health::Loop,
        Some(Errno::NOTDIR) => Health::NotADirectory,
        Some(Errno::ACCESS) => Health::Denied,
        _ => Health::Unknown,
    }
}

fn each_once() {
    let depths = [Depth::Health, Depth::Destination, Depth::Everything];
    let (mut scans, mut compared) = (0_usize, 0_usize);
    let mut by_health: BTreeMap<&str, usize> = BTreeMap::new();
    for seed in 1000..1010 {
        let mut random = Random::new(seed);
        let mut grown = Grown::new(&mut random, 500);
        for number in 0..20 {
            let name = format!("beside{number}");
            let other = random.pick(&grown.entries).clone();
            let other = other.rsplit(|&byte| byte == b'/').next().unwrap_or_default().to_vec();
            grown.link(name.as_bytes(), &other);
        }
        let top = grown.scratch.path();
        let mut known = BTreeMap::new();
        walk(&top, &mut known);
        for system in systems() {
            for (threads, depth) in [1, 2, 16].into_iter().flat_map(|n| depths.map(|d| (n, d))) {
                let report = Scan::new(system, depth).threads(threads).of(&top);
                let told = || {
                    format!(
                        "seed {seed}, {system:?}, {threads} threads, {depth:?}\n{}",
                        grown.told()
                    )
                };
                compared += same(&report, &known, depth, &told);
                scans += 1;
            }
        }
        for link in known.values() {
            *by_health.entry(link.health.word()).or_default() += 1;
        }
    }
    println!("scans: {compared} links compared in {scans} scans: {by_health:?}");
    assert!(compared >= 20_000 && scans == 180, "{compared} in {scans}");
    for word in ["ok", "broken", "loop", "not_a_directory"] {
        assert!(by_health.get(word).is_some_and(|count| *count >= 50), "{by_health:?}");
    }
}

fn same(
    report: &Report,
    known: &BTreeMap<Vec<u8>, Known>,
    depth: Depth,
    told: &dyn Fn() -> String,
) -> usize {
    assert_eq!(report.problems, [], "{}", told());
    let mut compared = 0;
    let links = report.links();
    for (name, link) in known {
        assert!(links.binary_search(&&**name).is_ok(), "missed {}\n{}", shown(name), told());
        let row = report.row(path(name));
        assert_eq!(row.health, link.health, "{}\n{}", shown(name), told());
        if let Some(target) = &row.target {
            assert_eq!(shown(target), shown(&link.target), "{}", told());
        } else {
            assert_eq!((depth, row.health), (Depth::Destination, Health::Ok), "{}", told());
        }
        if depth == Depth::Everything {
            assert_eq!(row.physical, link.end, "{}\n{}", shown(name), told());
            let absolute = link.target.first() == Some(&b'/');
            assert_eq!(row.notes.has(Note::Absolute), absolute, "{}", told());
        }
        compared += 1;
    }
    assert_eq!(links.len(), known.len(), "more than there are\n{}", told());
    assert_eq!(report.tally.links, known.len() as u64, "{}", told());
    compared
}

/// Folders that get their rights back, so that they can be removed.
struct Reopened([PathBuf; 3]);

impl Drop for Reopened {
    fn drop(&mut self) {
        for folder in &self.0 {
            rustix::fs::chmod(folder, rustix::fs::Mode::RWXU).unwrap_or_default();
        }
    }
}

fn unreadable() {
    assert!(!rustix::process::geteuid().is_root(), "root is refused nothing");
    let scratch = Scratch::with(&[
        "a -> f",
        "f",
        "no_r/l -> f",
        "no_r/d/l -> f",
        "no_x/l -> f",
        "no_x/d/l -> f",
        "none/l -> f",
        "z/l -> ../no_x/f",
        "z/m -> ../no_r/gone",
        "z/n -> ../no_r/l",
    ]);
    let modes = [("no_r", 0o300), ("no_x", 0o600), ("none", 0o000)];
    let set = |name: &str, mode| {
        rustix::fs::chmod(scratch.join(name), rustix::fs::Mode::from_raw_mode(mode))
            .expect("chmod");
    };
    let _reopened = Reopened(modes.map(|(name, _)| scratch.join(name)));
    modes.iter().for_each(|(name, mode)| set(name, *mode));
    for system in systems() {
        for depth in [Depth::Health, Depth::Destination, Depth::Everything] {
            let report = Scan::new(system, depth).of(scratch.path());
            let mut troubles: Vec<_> = report
                .problems
                .iter()
                .map(|problem| (problem.path.clone(), problem.trouble))
                .collect();
            troubles.sort_by(|one, two| one.0.cmp(&two.0));
            let wanted = ["no_r", "no_x/d", "none"].map(|name| {
                let full = scratch.join(name).as_os_str().as_bytes().to_vec();
                (full, Trouble::System(Errno::ACCESS))
            });
            assert_eq!(troubles, wanted, "{system:?} {depth:?}");
            let healths = ["a", "no_x/l", "z/l", "z/m", "z/n"]
                .map(|name| report.row(scratch.join(name)).health);
            let wanted =
                [Health::Ok, Health::Denied, Health::Denied, Health::Broken, Health::Broken];
            assert_eq!(healths, wanted, "{system:?} {depth:?}");
            assert_eq!(report.links().len(), 5, "{system:?} {depth:?}");
        }
    }
    println!("scans: 3 problems and 5 links, 6 times");
}

const HUGE: usize = 100_000;
const HUGE_FOLDER: &str = "LINKWELL_ENGINE_TEST_HUGE";
/// What a scan may add to the memory of the process at its height, in KiB: most is the memory of
/// links that were seen, which is bounded.
const HUGE_MOST: u64 = 12 * 1024;

fn huge_name(number: usize) -> String {
    format!("{number:06}{}", "n".repeat(249))
}

fn one_huge_folder() {
    let scratch = Scratch::new();
    let top = scratch.path();
    for number in 0..HUGE {
        let name = top.join(huge_name(number));
        if number % 2 == 0 {
            std::os::unix::fs::symlink("t", name).expect("a link");
        } else {
            std::os::unix::fs::symlink(".", name).expect("a link");
        }
    }
    let frugal = number_in(&Child::plain("scans::huge").env(HUGE_FOLDER, &top).run());
    let greedy = number_in(&Child::plain("scans::huge_collected").env(HUGE_FOLDER, &top).run());
    assert!(frugal < HUGE_MOST, "{frugal} KiB");
    assert!(greedy > HUGE_MOST + 4 * 1024, "a version that collects needs only {greedy} KiB");
    println!("scans: {HUGE} entries: {frugal} KiB, collected {greedy} KiB");
}

/// The number after `grew by`.
fn number_in(said: &str) -> u64 {
    let rest = said.split("grew by ").nth(1).expect("a number");
    rest.split(' ').next().expect("a number").parse().expect("a number")
}

fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

fn huge_folder() -> PathBuf {
    std::env::var_os(HUGE_FOLDER).expect("a folder").into()
}

/// Counts each number of a name in a field of bits, as large whatever the scan does.
struct Count(std::sync::Arc<Vec<std::sync::atomic::AtomicU8>>);

impl linkwell_engine::scan::judged::Sink for Count {
    fn item(&mut self, item: &linkwell_engine::scan::judged::Item<'_>) {
        let name = item.path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let digits = std::str::from_utf8(&name[..6]).expect("digits");
        let number: usize = digits.parse().expect("a number");
        self.0[number].fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let broken = item.health == Health::Broken;
        assert_eq!(broken, number.is_multiple_of(2), "{number} is {:?}", item.health);
    }
    fn problem(&mut self, problem: &Problem) {
        crate::support::fail(&format!("{problem:?}"));
    }
    fn other_volume(&mut self, _: &[u8]) {}
    fn pause(&mut self) {}
    fn settle(&mut self) {}
}

fn huge() {
    use linkwell_engine::scan::{Handle, judged};
    let top = huge_folder();
    let mut most = 0;
    for system in systems() {
        let seen: Vec<_> = (0..HUGE).map(|_| std::sync::atomic::AtomicU8::new(0)).collect();
        let seen = std::sync::Arc::new(seen);
        let for_sinks = std::sync::Arc::clone(&seen);
        let volumes = crate::support::volumes(system, std::time::Duration::from_secs(1));
        let wanted = Scan::new(system, Depth::Health).wanted;
        let before = peak();
        let typed = [top.as_os_str().as_bytes().to_vec()];
        let sink = move || Count(std::sync::Arc::clone(&for_sinks));
        judged::scan(system, &volumes, &wanted, &typed, &Handle::default(), sink, |_| {});
        most = most.max(peak() - before);
        for (number, count) in seen.iter().enumerate() {
            let count = count.load(std::sync::atomic::Ordering::Relaxed);
            assert_eq!(count, 1, "entry {number}, {system:?}");
        }
    }
    println!("scans: grew by {most} KiB");
}

/// What a walk would need that first reads the whole folder.
fn huge_collected() {
    let before = peak();
    let names: Vec<_> = std::fs::read_dir(huge_folder())
        .expect("the folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    assert_eq!(names.len(), HUGE);
    println!("scans: grew by {} KiB", peak() - before);
}

fn links_are_not_followed() {
    let scratch =
        Scratch::with(&["tree/a -> ../canary", "tree/b/c -> ../..", "canary/CANARY -> x"]);
    let typed = [scratch.join("tree"), scratch.join("tree/b/c")];
    for system in systems() {
        let report = Scan::new(system, Depth::Everything).of(&typed[0]);
        assert_eq!(report.links().len(), 2, "{report:?}");
        assert!(report.row(scratch.join("tree/b/c")).notes.has(Note::Cycle));
        // A link that was typed is itself the answer.
        let report = Scan::new(system, Depth::Everything).of(&typed[1]);
        assert_eq!(report.links().len(), 1, "{report:?}");
    }
}

fn proc() {
    let mut virtual_too = Scan::new(System::new(), Depth::Health);
    virtual_too.wanted.options.virtual_too = true;
    let own = PathBuf::from(format!("/proc/{}", std::process::id()));
    for top in [&own, Path::new("/proc")] {
        let off = Scan::new(System::new(), Depth::Health).of(top);
        assert_eq!((off.rows.len(), off.problems.len()), (0, 1), "{off:?}");
        assert_eq!(off.problems[0].trouble, Trouble::Virtual);
    }
    // A file held open by a long path: lstat gives its link no true length.
    let scratch = Scratch::new();
    let deep = (0..15).fold(scratch.path(), |path, _| path.join("p".repeat(200)));
    std::fs::create_dir_all(&deep).expect("folders");
    let file = deep.join("file");
    std::fs::write(&file, b"").expect("a file");
    let held = std::fs::File::open(&file).expect("the file");
    let number = std::os::fd::AsRawFd::as_raw_fd(&held);
    for (depth, system) in [(Depth::Health, System::new()), (Depth::Everything, System::new())] {
        let mut scan = virtual_too.clone();
        scan.wanted.depth = depth;
        scan.system = system;
        let report = scan.of(&own);
        let row = report.row(own.join(format!("fd/{number}")));
        assert_eq!(row.health, Health::Ok);
        assert_eq!(row.target.as_deref(), Some(file.as_os_str().as_bytes()), "the text in full");
        for name in ["cwd", "root", "exe", "ns/mnt"] {
            let row = report.row(own.join(name));
            let text = std::fs::read_link(own.join(name)).expect("a link");
            assert_eq!(row.target.as_deref(), Some(text.as_os_str().as_bytes()), "{name}");
            assert_eq!(row.health, Health::Ok, "{name}: the kernel follows it");
        }
        let links = report.links().len();
        assert!(links >= 20, "{links}");
        println!("scans: {links} links in {}", own.display());
    }
    drop(held);
}

fn media() {
    let scratch = Scratch::with(&[
        "photos -> /media/linkwell-test-nobody/STICK/photos",
        "gone -> /linkwell-test-gone/photos",
    ]);
    for system in systems() {
        for depth in [Depth::Health, Depth::Destination, Depth::Everything] {
            let report = Scan::new(system, depth).of(scratch.path());
            let photos = report.row(scratch.join("photos"));
            assert_eq!(photos.health, Health::Asleep, "{system:?} {depth:?}");
            let gone = report.row(scratch.join("gone"));
            assert_eq!(gone.health, Health::Broken, "{system:?} {depth:?}");
        }
    }
}

/// With fs.protected_symlinks, a link in a sticky folder that all may write to is followed only
/// by its owner, or if it belongs to the folder's owner.
fn sticky() -> Trial {
    let name = "scans: links in a sticky folder are judged as fs.protected_symlinks has it";
    let on = std::fs::read("/proc/sys/fs/protected_symlinks").is_ok_and(|text| text == b"1\n");
    let root = rustix::process::geteuid().is_root();
    if on && root {
        return test(name, judge_sticky);
    }
    let name = format!("{name} [needs fs.protected_symlinks=1 and to be root]");
    let all = std::env::var_os("LINKWELL_TEST_ALL").is_some_and(|value| value == "1");
    let failed = || Err(libtest_mimic::Failed::from("needs fs.protected_symlinks=1"));
    // The setting is the machine's, not a test's to change: there it is never failed for.
    Trial::test(name, failed).with_ignored_flag(!(all && on))
}

fn judge_sticky() {
    let scratch = Scratch::new();
    make(&scratch.path(), &["open/f", "open/theirs -> f", "open/ours -> f"]);
    let uid = Some(rustix::fs::Uid::from_raw(65534));
    let theirs = scratch.join("open/theirs");
    let kept = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
    rustix::fs::chownat(rustix::fs::CWD, theirs, uid, None, kept).expect("chown");
    rustix::fs::chmod(scratch.join("open"), rustix::fs::Mode::from_raw_mode(0o1777))
        .expect("chmod");
    for system in systems() {
        for depth in [Depth::Health, Depth::Destination, Depth::Everything] {
            let report = Scan::new(system, depth).of(scratch.path());
            for name in ["open/theirs", "open/ours"] {
                let link = scratch.join(name);
                assert_eq!(report.row(&link).health, kernel_health(&link), "{name} {depth:?}");
            }
            assert_eq!(kernel_health(&scratch.join("open/theirs")), Health::Denied);
        }
    }
}
