//! What the tests share: chance from a seed, a scan whose results are kept, and children.

use linkwell_engine::judge::Depth;
use linkwell_engine::scan::judged::{self, Item, Sink, Wanted};
use linkwell_engine::scan::{Handle, Options, Problem};
use linkwell_engine::system::System;
use linkwell_engine::volumes::{Settings, Volumes};
use linkwell_model::entry::LinkKind;
use linkwell_model::health::Health;
use linkwell_model::note::Notes;
use linkwell_model::tally::Tally;
use linkwell_testkit::tree::Scratch;
use std::ffi::OsStr;
use std::fs::File;
use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Names the piece of a test that a child is to run.
pub(crate) const PIECE: &str = "LINKWELL_ENGINE_TEST_PIECE";

/// A piece of a test that runs in a child: its name, and what it does.
pub(crate) type Piece = (&'static str, fn());

/// Both ways of asking the system.
pub(crate) fn systems() -> [System; 2] {
    [System::new(), System::plain()]
}

/// Numbers that look random and are the same for a seed (SplitMix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).expect("a small number");
        usize::try_from(self.next() % end).expect("below a usize")
    }

    pub(crate) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// A path of raw bytes.
pub(crate) fn path(bytes: &[u8]) -> &Path {
    Path::new(OsStr::from_bytes(bytes))
}

/// The volumes as the program reads them; this binary answers for it.
pub(crate) fn volumes(system: System, time_limit: Duration) -> Arc<Volumes> {
    let answers = std::env::current_exe().ok();
    Arc::new(Volumes::read(system, Settings { time_limit, answers, ..Settings::default() }))
}

/// A link, as a scan gave it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) path: Vec<u8>,
    pub(crate) kind: LinkKind,
    pub(crate) target: Option<Vec<u8>>,
    pub(crate) health: Health,
    pub(crate) notes: Notes,
    pub(crate) physical: Option<Vec<u8>>,
}

/// All that a scan gave.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) rows: Vec<Row>,
    pub(crate) problems: Vec<Problem>,
    pub(crate) other_volumes: Vec<Vec<u8>>,
    pub(crate) tally: Tally,
}

impl Report {
    /// The only row with this path.
    pub(crate) fn row(&self, wanted: impl AsRef<Path>) -> &Row {
        let wanted = wanted.as_ref().as_os_str().as_bytes();
        let mut rows = self.rows.iter().filter(|row| row.path == wanted);
        let row = rows.next();
        assert!(rows.next().is_none(), "twice: {}", shown(wanted));
        row.unwrap_or_else(|| fail(&format!("not found: {}", shown(wanted))))
    }

    /// The paths of the symbolic links, sorted; each must be there once.
    pub(crate) fn links(&self) -> Vec<&[u8]> {
        let links = self.rows.iter().filter(|row| row.kind == LinkKind::Symlink);
        let mut paths: Vec<&[u8]> = links.map(|row| row.path.as_slice()).collect();
        paths.sort_unstable();
        for pair in paths.windows(2) {
            assert!(pair[0] != pair[1], "given twice: {}", shown(pair[0]));
        }
        paths
    }
}

/// Stops the test.
pub(crate) fn fail(why: &str) -> ! {
    panic!("{why}")
}

pub(crate) fn shown(bytes: &[u8]) -> String {
    linkwell_model::shown::shown(bytes).to_string()
}

struct Collect(Arc<Mutex<Report>>);

impl Sink for Collect {
    fn item(&mut self, item: &Item<'_>) {
        let row = Row {
            path: item.path.to_vec(),
            kind: item.kind,
            target: item.target.map(<[u8]>::to_vec),
            health: item.health,
            notes: item.notes,
            physical: item.physical.as_ref().map(|place| place.as_bytes().to_vec()),
        };
        self.0.lock().expect("unpoisoned").rows.push(row);
    }

    fn problem(&mut self, problem: &Problem) {
        self.0.lock().expect("unpoisoned").problems.push(problem.clone());
    }

    fn other_volume(&mut self, path: &[u8]) {
        self.0.lock().expect("unpoisoned").other_volumes.push(path.to_vec());
    }

    fn pause(&mut self) {}

    fn settle(&mut self) {}
}

/// How to scan.
#[derive(Clone)]
pub(crate) struct Scan {
    pub(crate) system: System,
    pub(crate) wanted: Wanted,
    pub(crate) time_limit: Duration,
    pub(crate) volumes: Option<Arc<Volumes>>,
}

impl Scan {
    pub(crate) fn new(system: System, depth: Depth) -> Self {
        let options = Options::default();
        let wanted = Wanted { depth, doubled: false, hard: false, shortcuts: false, options };
        Self { system, wanted, time_limit: Duration::from_secs(5), volumes: None }
    }

    pub(crate) fn threads(mut self, threads: usize) -> Self {
        self.wanted.options.threads = NonZeroUsize::new(threads);
        self
    }

    pub(crate) fn cross_volumes(mut self) -> Self {
        self.wanted.options.cross_volumes = true;
        self
    }

    pub(crate) fn of(&self, root: impl AsRef<Path>) -> Report {
        let volumes = self.volumes.clone().unwrap_or_else(|| volumes(self.system, self.time_limit));
        let report = Arc::new(Mutex::new(Report::default()));
        let for_sinks = Arc::clone(&report);
        let typed = [root.as_ref().as_os_str().as_bytes().to_vec()];
        let tally = judged::scan(
            self.system,
            &volumes,
            &self.wanted,
            &typed,
            &Handle::default(),
            move || Collect(Arc::clone(&for_sinks)),
            |_| {},
        );
        let mut report = std::mem::take(&mut *report.lock().expect("unpoisoned"));
        report.tally = tally;
        report
    }
}

/// This binary, started again to run one piece of a test.
pub(crate) struct Child {
    command: Command,
    piece: &'static str,
    limit: Duration,
}

/// So long a piece may take, if nothing else was said.
const LIMIT: Duration = Duration::from_secs(50);

impl Child {
    /// As it is.
    pub(crate) fn plain(piece: &'static str) -> Self {
        Self { command: Command::new("/proc/self/exe"), piece, limit: LIMIT }
    }

    /// As a user without rights, if this one is root.
    pub(crate) fn unprivileged(piece: &'static str) -> Self {
        // By the link in /proc: the user need not be able to reach the build folder.
        let mut child = Self::plain(piece);
        if rustix::process::geteuid().is_root() {
            child.command.uid(65534).gid(65534).current_dir("/");
        }
        child
    }

    /// Below another program, such as `unshare -m`.
    pub(crate) fn under(program: &[&str], piece: &'static str) -> Self {
        let mut command = Command::new(program[0]);
        command.args(&program[1..]);
        command.arg(std::env::current_exe().expect("a path of this binary"));
        Self { command, piece, limit: LIMIT }
    }

    pub(crate) fn env(mut self, key: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(key, value);
        self
    }

    /// May take so much longer, where it is made to.
    pub(crate) fn longer(mut self, by: Duration) -> Self {
        self.limit += by;
        self
    }

    /// Runs it to its end, within a bound; returns what it printed.
    pub(crate) fn run(mut self) -> String {
        let said = Scratch::new();
        let out = File::create(said.join("said")).expect("a file");
        let err = out.try_clone().expect("the same file");
        self.command.env(PIECE, self.piece).stdin(Stdio::null()).stdout(out).stderr(err);
        let mut child = self.command.spawn().expect("this binary can be started");
        let ended = wait(&mut child, self.limit);
        let text = std::fs::read(said.join("said")).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        match ended {
            Some(status) => {
                assert!(status.success(), "{} ended with {status}:\n{text}", self.piece)
            }
            None => fail(&format!("{} did not end:\n{text}", self.piece)),
        }
        print!("{text}");
        text
    }
}

/// Waits for a child no longer than `limit`, and ends it then.
pub(crate) fn wait(
    child: &mut std::process::Child,
    limit: Duration,
) -> Option<std::process::ExitStatus> {
    let started = Instant::now();
    while started.elapsed() < limit {
        if let Some(status) = child.try_wait().expect("it is our child") {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(3));
    }
    child.kill().expect("it is our child");
    // What cannot even be killed hangs in the kernel; the next lines of the test may free it.
    for _ in 0..300 {
        if child.try_wait().expect("it is our child").is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(3));
    }
    None
}

/// Waits until `holds`, within a bound.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(10), "never: {what}");
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// A folder that goes by `rm`, however deep it is.
pub(crate) struct DeepScratch(Scratch);

impl DeepScratch {
    pub(crate) fn new() -> Self {
        Self(Scratch::new())
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.0.path()
    }
}

impl Drop for DeepScratch {
    fn drop(&mut self) {
        // The standard library holds a descriptor a level.
        let entries = std::fs::read_dir(self.0.path()).into_iter().flatten().flatten();
        let paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        drop(Command::new("rm").arg("-rf").args(paths).status());
    }
}
