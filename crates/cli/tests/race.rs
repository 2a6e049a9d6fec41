//! Somebody swaps folders and names while linkwell works: nothing outside changes, nothing is lost, and
//! a name that had something to lead to always has. Each row has a positive control: the same done by
//! paths, look first and act then, must fail the same test.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a test is the attacker and the naive program, and says what it counted"
)]

use crate::support::Ground;
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::make;
use rustix::fs::{CWD, RenameFlags};
use std::collections::BTreeSet;
use std::fs;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{MetadataExt as _, lchown, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// An operation whose folder is swapped. In the tree, `a/p` is a folder and `a/q` a link of somebody
/// else's to a canary of the same shape.
pub(crate) struct Row {
    /// What it is called.
    pub(crate) name: &'static str,
    /// What is typed.
    pub(crate) typed: &'static [&'static str],
    /// What was typed before, while nobody swapped.
    pub(crate) first: &'static [&'static str],
    /// The same, done as one must not: the tree is given.
    pub(crate) naive: fn(&Path) -> std::io::Result<()>,
}

/// One line an operation.
const ROWS: &[Row] = &[
    Row {
        name: "create",
        typed: &["create", "-y", "f", "a/p/new"],
        first: &[],
        naive: |tree| symlink("f", looked(tree, "new")?),
    },
    Row {
        name: "create -f",
        typed: &["create", "-yf", "f", "a/p/l"],
        first: &[],
        naive: |tree| {
            let link = looked(tree, "l")?;
            fs::remove_file(&link)?;
            symlink("f", link)
        },
    },
    Row {
        name: "create -t",
        typed: &["create", "-yf", "-t", "a/p", "f", "l"],
        first: &[],
        naive: |tree| symlink("f", looked(tree, "f2")?),
    },
    Row {
        name: "create --hard",
        typed: &["create", "-y", "--hard", "f", "a/p/new"],
        first: &[],
        naive: |tree| fs::hard_link(tree.join("f"), looked(tree, "new")?),
    },
    Row {
        name: "create --hard of a file in it",
        typed: &["create", "-y", "--hard", "a/p/g", "second"],
        first: &[],
        naive: |tree| fs::hard_link(looked(tree, "g")?, tree.join("second")),
    },
    Row {
        name: "create -b",
        typed: &["create", "-yb", "f", "a/p/g"],
        first: &[],
        naive: |tree| {
            let file = looked(tree, "g")?;
            fs::rename(&file, file.with_file_name("g~"))?;
            symlink("f", file)
        },
    },
    Row {
        name: "retarget",
        typed: &["retarget", "-y", "a/p/l", "--to", "f"],
        first: &[],
        naive: |tree| {
            let link = looked(tree, "l")?;
            fs::remove_file(&link)?;
            symlink("f", link)
        },
    },
    Row {
        name: "convert to contents",
        typed: &["convert", "-y", "a/p/l", "--to", "contents"],
        first: &["create", "-yf", "f", "a/p/l"],
        naive: |tree| {
            let link = looked(tree, "l")?;
            fs::remove_file(&link)?;
            fs::write(link, b"what it led to")
        },
    },
    Row {
        name: "remove --forever",
        typed: &["remove", "-y", "--no-refs", "--forever", "a/p/g"],
        first: &[],
        naive: |tree| fs::remove_file(looked(tree, "g")?),
    },
    Row {
        name: "remove into the trash",
        typed: &["remove", "-y", "--no-refs", "a/p/g"],
        first: &[],
        naive: |tree| fs::rename(looked(tree, "g")?, tree.join("trashed")),
    },
    Row {
        name: "move within",
        typed: &["move", "-y", "--no-refs", "a/p/g", "moved"],
        first: &[],
        naive: |tree| moved(&looked(tree, "g")?, &tree.join("moved")),
    },
    Row {
        name: "move across",
        typed: &["move", "-y", "--no-refs", "a/p/g", "other/g"],
        first: &[],
        naive: |tree| moved(&looked(tree, "g")?, &tree.join("other/g")),
    },
    Row {
        name: "move into it, within",
        typed: &["move", "-y", "--no-refs", "h", "a/p/h"],
        first: &[],
        naive: |tree| moved(&tree.join("h"), &looked(tree, "h")?),
    },
    Row {
        name: "move into it, across",
        typed: &["move", "-y", "--no-refs", "other/h", "a/p/h"],
        first: &[],
        naive: |tree| moved(&tree.join("other/h"), &looked(tree, "h")?),
    },
    Row {
        name: "move --back within",
        typed: &["move", "-y", "--no-refs", "--back", "a/p/g"],
        first: &["move", "-y", "--no-refs", "a/p/g", "moved"],
        naive: |tree| home(&tree.join("moved"), &looked(tree, "g")?),
    },
    Row {
        name: "move --back across",
        typed: &["move", "-y", "--no-refs", "--back", "a/p/g"],
        first: &["move", "-y", "--no-refs", "a/p/g", "other/g"],
        naive: |tree| home(&tree.join("moved"), &looked(tree, "g")?),
    },
    Row {
        name: "undo of move within",
        typed: &["undo", "-y"],
        first: &["move", "-y", "--no-refs", "a/p/g", "moved"],
        naive: |tree| home(&tree.join("moved"), &looked(tree, "g")?),
    },
    Row {
        name: "undo of move across",
        typed: &["undo", "-y"],
        first: &["move", "-y", "--no-refs", "a/p/g", "other/g"],
        naive: |tree| home(&tree.join("moved"), &looked(tree, "g")?),
    },
    Row {
        name: "undo of create",
        typed: &["undo", "-y"],
        first: &["create", "-y", "f", "a/p/made"],
        naive: |tree| fs::remove_file(looked(tree, "made")?),
    },
    Row {
        name: "undo of create -b",
        typed: &["undo", "-y"],
        first: &["create", "-yb", "f", "a/p/g"],
        naive: |tree| {
            let file = looked(tree, "g")?;
            fs::rename(file.with_file_name("g~"), file)
        },
    },
];

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = ROWS
        .iter()
        .map(|row| {
            let name = format!("race: {}, its folder swapped for a link", row.name);
            test_with(&name, &[Need::Root], || folder_flips(row))
        })
        .collect();
    for leaf in LEAVES {
        trials.push(test(&format!("race: {}, its name swapped", leaf.name), || leaf_flips(leaf)));
    }
    trials.extend([
        test("race: a name that is replaced always leads somewhere", readers),
        test("race: eight at once: each says the truth, and all can be taken back", eight),
        test("race: eight want one name, and eight take back one operation: one does", one_wins),
    ]);
    trials
}

/// How long one operation is attacked.
fn time() -> Duration {
    let long = std::env::var_os("LINKWELL_TEST_LONG").is_some();
    Duration::from_secs(if long { 5 } else { 1 })
}

/// The path of something in `a/p`, after a look that says that this is a folder.
fn looked(tree: &Path, name: &str) -> std::io::Result<PathBuf> {
    let folder = tree.join("a/p");
    if fs::symlink_metadata(&folder)?.is_dir() {
        Ok(folder.join(name))
    } else {
        Err(std::io::ErrorKind::NotADirectory.into())
    }
}

/// Moves as one must not: by paths.
fn moved(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::copy(from, to)?;
    fs::remove_file(from)?;
    symlink(to, from)
}

/// Brings home as one must not.
fn home(from: &Path, link: &Path) -> std::io::Result<()> {
    fs::remove_file(link)?;
    fs::write(from, b"g")?;
    fs::rename(from, link)
}

/// Swaps two names until it is dropped.
struct Flipper {
    stop: Arc<AtomicBool>,
    swaps: Arc<AtomicU64>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Flipper {
    fn new(one: PathBuf, other: PathBuf) -> Self {
        let (stop, swaps) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&swaps));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                // One of the two may be away for a moment: that is what is attacked.
                if rustix::fs::renameat_with(CWD, &one, CWD, &other, RenameFlags::EXCHANGE).is_ok()
                {
                    counted.fetch_add(1, Ordering::Relaxed);
                }
            }
        });
        Self { stop, swaps, thread: Some(thread) }
    }

    fn swaps(&self) -> u64 {
        self.swaps.load(Ordering::Relaxed)
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

/// All that can be known of what is in a folder, but for when it was read.
pub(crate) fn fingerprint(folder: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(path) = todo.pop() {
        let status = fs::symlink_metadata(&path).expect("nobody may remove a canary");
        let mut names = vec![0; 4096];
        let marks = rustix::fs::llistxattr(&path, &mut names).map(|length| {
            names.truncate(length);
            names
        });
        let content = match status.file_type() {
            kind if kind.is_symlink() => format!("{:?}", fs::read_link(&path)),
            kind if kind.is_file() => format!("{:?}", fs::read(&path)),
            _ => {
                let entries = fs::read_dir(&path).expect("a folder");
                todo.extend(entries.map(|entry| entry.expect("an entry").path()));
                String::new()
            }
        };
        lines.push(format!(
            "{path:?} {} {:o} {}:{} x{} {} {:?} {:?} {content} {marks:?}",
            status.ino(),
            status.mode(),
            status.uid(),
            status.gid(),
            status.nlink(),
            status.size(),
            (status.mtime(), status.mtime_nsec()),
            (status.ctime(), status.ctime_nsec()),
        ));
    }
    lines.sort();
    lines
}

const INSIDE: [&str; 4] = ["l -> x", "g", "made -> x", "sub/f"];

/// A tree whose folder `a/p` stands beside somebody else's link to a canary.
struct Stage {
    ground: Ground,
    canary: PathBuf,
    /// The folder that `a/p` is, by its descriptor: wherever it is swapped to.
    real: fs::File,
}

impl Stage {
    fn new(row: &Row) -> Self {
        let ground = Ground::with_other(&["f", "l -> f", "a/q -> ../../canary"]);
        let canary = ground.scratch().join("canary");
        make(&canary, &INSIDE);
        fs::create_dir(ground.tree().join("a/p")).expect("a folder");
        lchown(ground.tree().join("a/q"), Some(65534), Some(65534)).expect("an owner");
        let real = fs::File::open(ground.tree().join("a/p")).expect("a folder");
        let stage = Self { ground, canary, real };
        stage.again(row);
        stage
    }

    /// Everything as at the start.
    fn again(&self, row: &Row) {
        let real = PathBuf::from(format!("/proc/self/fd/{}", self.real.as_raw_fd()));
        for entry in fs::read_dir(&real).expect("a folder").flatten() {
            let path = entry.path();
            if fs::remove_file(&path).is_err() {
                fs::remove_dir_all(&path).expect("a folder");
            }
        }
        let (tree, other) = (self.ground.tree(), self.ground.other());
        for path in [tree.join("second"), tree.join("moved"), tree.join("h"), other.join("g")] {
            fs::remove_file(path).unwrap_or_default();
        }
        fs::remove_file(other.join("h")).unwrap_or_default();
        make(&tree, &["h"]);
        make(&other, &["h"]);
        let inside: &[&str] = if row.first.is_empty() { &INSIDE[..2] } else { &["l -> x", "g"] };
        make(&real, inside);
    }

    fn before(&self, row: &Row) {
        if !row.first.is_empty() {
            let ran = self.ground.run(row.first);
            assert_eq!(ran.code, 0, "{ran:?}");
        }
    }

    /// `a/p` is the folder again.
    fn straight(&self) {
        let (p, q) = (self.ground.tree().join("a/p"), self.ground.tree().join("a/q"));
        if fs::symlink_metadata(&p).expect("it is there").is_symlink() {
            rustix::fs::renameat_with(CWD, &p, CWD, &q, RenameFlags::EXCHANGE).expect("a swap");
        }
    }

    fn flipper(&self) -> Flipper {
        Flipper::new(self.ground.tree().join("a/p"), self.ground.tree().join("a/q"))
    }
}

/// It ended, and by itself.
fn calm(ran: &Ran) {
    assert!(!ran.err.contains("panicked") && [0, 1, 3, 4].contains(&ran.code), "{ran:?}");
    assert!(ran.code == 0 || ran.err.contains("error: "), "it failed without a word: {ran:?}");
}

fn folder_flips(row: &Row) {
    let stage = Stage::new(row);
    let canary = fingerprint(&stage.canary);
    let (mut done, mut refused, mut swaps) = (0, 0, 0);
    let started = Instant::now();
    while started.elapsed() < time() || done + refused < 20 {
        stage.straight();
        stage.again(row);
        stage.before(row);
        let flipper = stage.flipper();
        let ran = stage.ground.run(row.typed);
        swaps += flipper.swaps();
        drop(flipper);
        stage.straight();
        calm(&ran);
        if ran.code == 4 {
            let ran = stage.ground.run(&["recover", "-y"]);
            assert_eq!(ran.code, 0, "{ran:?}");
        }
        if ran.code == 0 {
            done += 1;
        } else {
            refused += 1;
        }
        assert_eq!(fingerprint(&stage.canary), canary, "something outside changed: {ran:?}");
        assert_eq!(stage.ground.strays(), Vec::<String>::new(), "{ran:?}");
    }
    println!("race: {}: {done} done, {refused} refused, {swaps} swaps", row.name);
    assert!(refused > 0 && swaps > 100, "nobody was in the way: {done} {refused} {swaps}");
    // The same by paths.
    let flipper = stage.flipper();
    let (started, mut rounds) = (Instant::now(), 0);
    loop {
        stage.again(row);
        let real = PathBuf::from(format!("/proc/self/fd/{}", stage.real.as_raw_fd()));
        make(&real, &["made -> f", "g~"]);
        // It fails often: it looked at a link. What counts is what it does when it does not.
        drop((row.naive)(&stage.ground.tree()));
        rounds += 1;
        let changed = fs::read_dir(&stage.canary).map(Iterator::count).ok() != Some(INSIDE.len());
        if changed || (rounds % 16 == 0 && fingerprint(&stage.canary) != canary) {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "{}: the swap harms nobody", row.name);
    }
    drop(flipper);
    println!("race: {}: by paths, something outside changed after {rounds} rounds", row.name);
}

/// An operation on a name that is swapped with another one.
struct Leaf {
    name: &'static str,
    typed: &'static [&'static str],
    first: &'static [&'static str],
}

const LEAVES: &[Leaf] = &[
    Leaf { name: "create", typed: &["create", "-y", "t", "n"], first: &[] },
    Leaf { name: "create -f", typed: &["create", "-yf", "t", "n"], first: &[] },
    Leaf { name: "create -b", typed: &["create", "-yb", "t", "n"], first: &[] },
    Leaf { name: "create --hard -f", typed: &["create", "-yf", "--hard", "t", "n"], first: &[] },
    Leaf { name: "create --hard of it", typed: &["create", "-y", "--hard", "n", "h"], first: &[] },
    Leaf { name: "undo", typed: &["undo", "-y"], first: &["create", "-yf", "t", "n"] },
    Leaf { name: "undo of -b", typed: &["undo", "-y"], first: &["create", "-yb", "t", "n"] },
];

/// The contents of all real files.
fn contents(tree: &Path) -> BTreeSet<Vec<u8>> {
    linkwell_testkit::crafted::contents(tree)
        .into_iter()
        .filter(|(path, _)| {
            fs::symlink_metadata(tree.join(path)).is_ok_and(|status| status.is_file())
        })
        .map(|(_, content)| content)
        .collect()
}

fn leaf_flips(leaf: &Leaf) {
    let (mut done, mut refused, mut swaps, mut healed) = (0, 0, 0, 0);
    let started = Instant::now();
    while started.elapsed() < time() || done + refused < 12 {
        // Swapped with a file, a folder that holds one, or another file that replaces it.
        for other in [&["o"][..], &["o/inner"], &["o -> z"]] {
            let ground = Ground::with(&["t", "z", "n -> z"]);
            let tree = ground.tree();
            make(&tree, other);
            if !leaf.first.is_empty() {
                assert_eq!(ground.run(leaf.first).code, 0);
            }
            let before = contents(&tree);
            let flipper = Flipper::new(tree.join("n"), tree.join("o"));
            let mut said = Vec::new();
            for _ in 0..2 {
                let ran = ground.run(leaf.typed);
                calm(&ran);
                if ran.code == 0 {
                    done += 1;
                } else {
                    refused += 1;
                }
                if ran.code == 4 {
                    healed += 1;
                    said.push(ground.run(&["recover", "-y"]));
                }
                said.push(ran);
            }
            swaps += flipper.swaps();
            drop(flipper);
            // Quiet now: what is unfinished can be finished.
            let last = ground.run(&["recover", "-y"]);
            assert_eq!(last.code, 0, "{last:?} after {said:?}");
            said.push(last);
            let now = contents(&tree);
            assert!(before.is_subset(&now), "{}: a file is lost: {said:?}", leaf.name);
            for stray in ground.strays() {
                // A folder is told of once, by its own name; what is in it goes with it.
                let name = stray.split([' ', '/']).find(|part| part.starts_with(".linkwell-"));
                let name = name.unwrap_or(&stray);
                let told = said.iter().any(|ran| ran.err.contains(name));
                assert!(told, "{}: left, and not a word: {stray}: {said:?}", leaf.name);
            }
        }
    }
    println!(
        "race: {} by a swapped name: {done} done, {refused} refused, {healed} recovered, {swaps} swaps",
        leaf.name
    );
    assert!(swaps > 100, "nobody was in the way");
}

/// Reads a link until it is told to stop; gives how often, and how often it led nowhere.
fn reader(link: PathBuf, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<(u64, u64)> {
    std::thread::spawn(move || {
        let (mut reads, mut gaps) = (0, 0);
        while !stop.load(Ordering::Relaxed) {
            let sound = fs::read(&link).is_ok_and(|content| content == b"f" || content == b"g");
            gaps += u64::from(!sound);
            reads += 1;
        }
        (reads, gaps)
    })
}

fn readers() {
    let ground = Ground::with(&["f", "g", "l -> g"]);
    let link = ground.tree().join("l");
    let watch = |act: &mut dyn FnMut()| {
        let stop = Arc::new(AtomicBool::new(false));
        let reader = reader(link.clone(), Arc::clone(&stop));
        act();
        stop.store(true, Ordering::Relaxed);
        reader.join().expect("a reader")
    };
    let mut rounds = 0;
    let (reads, gaps) = watch(&mut || {
        let started = Instant::now();
        while started.elapsed() < time() || rounds < 10 {
            assert_eq!(ground.run(&["create", "-yf", "f", "l"]).code, 0);
            assert_eq!(ground.run(&["create", "-yf", "g", "l"]).code, 0);
            assert_eq!(ground.run(&["undo", "-y"]).code, 0);
            assert_eq!(ground.run(&["undo", "-y"]).code, 0);
            rounds += 1;
        }
    });
    println!("race: {reads} reads during {} replacements, {gaps} led nowhere", rounds * 4);
    assert!(reads > 1000 && gaps == 0, "{gaps} of {reads}");
    let (reads, gaps) = watch(&mut || {
        let started = Instant::now();
        while started.elapsed() < Duration::from_millis(500) {
            fs::remove_file(&link).expect("a link");
            symlink("f", &link).expect("a link");
        }
    });
    println!("race: by remove and make: {gaps} of {reads} reads led nowhere");
    assert!(gaps > 0, "the reader sees nothing");
}

/// The number that a run says its operation has.
fn number(ran: &Ran) -> String {
    let rest = ran.err.split("(operation ").nth(1).or_else(|| ran.out.split("(operation ").nth(1));
    rest.and_then(|rest| rest.split(';').next()).expect("it says its number").to_owned()
}

fn eight() {
    let ground = Ground::with(&["f", "d/x"]);
    let start = ground.listing();
    let rounds = if time() > Duration::from_secs(1) { 25 } else { 5 };
    let counts: Vec<(u32, u32)> = std::thread::scope(|scope| {
        let work = |worker: usize| {
            let (ground, mut done, mut refused) = (&ground, 0, 0);
            for round in 0..rounds {
                let name = format!("d/w{worker}-{round}");
                let link = ground.tree().join(&name);
                let ran = ground.run(&["create", "-y", "f", &name]);
                let there = fs::symlink_metadata(&link).is_ok();
                assert_eq!(ran.code == 0, there, "it did not say the truth: {ran:?}");
                if ran.code != 0 {
                    assert!(ran.err.contains("another linkwell"), "{ran:?}");
                    refused += 1;
                    continue;
                }
                done += 1;
                if round % 2 == 0 {
                    let ran = ground.run(&["undo", "-y", &number(&ran)]);
                    let there = fs::symlink_metadata(&link).is_ok();
                    assert_eq!(ran.code == 0, !there, "it did not say the truth: {ran:?}");
                    assert!(ran.code == 0 || ran.err.contains("another linkwell"), "{ran:?}");
                }
            }
            (done, refused)
        };
        let workers: Vec<_> = (0..8).map(|worker| scope.spawn(move || work(worker))).collect();
        workers.into_iter().map(|worker| worker.join().expect("a worker")).collect()
    });
    println!("race: eight at once: {counts:?} done and refused");
    let log = ground.run(&["log"]);
    assert_eq!(log.code, 0, "{log:?}");
    assert!(!log.out.contains("damaged") && !log.out.contains("not finished"), "{log:?}");
    loop {
        let ran = ground.run(&["undo", "-y"]);
        if ran.code != 0 {
            assert!(ran.err.contains("nothing to take back"), "{ran:?}");
            break;
        }
    }
    assert_eq!(ground.listing(), start);
}

fn one_wins() {
    let ground = Ground::with(&["f0", "f1", "f2", "f3", "f4", "f5", "f6", "f7"]);
    let start = ground.listing();
    let at_once = |arguments: &(dyn Fn(usize) -> Vec<String> + Sync)| -> Vec<Ran> {
        let gate = std::sync::Barrier::new(8);
        let one = |number: usize| {
            gate.wait();
            ground.run(&arguments(number))
        };
        let one = &one;
        std::thread::scope(|scope| {
            let all: Vec<_> = (0..8).map(|number| scope.spawn(move || one(number))).collect();
            all.into_iter().map(|one| one.join().expect("a run")).collect()
        })
    };
    let winners = |runs: &[Ran]| runs.iter().filter(|ran| ran.code == 0).count();
    for _ in 0..3 {
        let runs = at_once(&|number| {
            ["create", "-y", &format!("f{number}"), "same"].map(str::to_owned).to_vec()
        });
        runs.iter().for_each(calm);
        assert_eq!(winners(&runs), 1, "{runs:?}");
        let target = fs::read_link(ground.tree().join("same")).expect("a link");
        let won = runs.iter().position(|ran| ran.code == 0).expect("one has won");
        assert!(target.ends_with(format!("f{won}")), "{target:?} {runs:?}");
        let won = number(runs.get(won).expect("it is there"));
        let runs = at_once(&|_| ["undo", "-y", &won].map(str::to_owned).to_vec());
        runs.iter().for_each(calm);
        assert_eq!(winners(&runs), 1, "{runs:?}");
        assert_eq!(ground.listing(), start);
    }
    assert_eq!(ground.run(&["log"]).code, 0);
}
