//! Two volumes, a canary outside, and a program that is stopped behind each of its calls, one run a
//! call: so that an attacker acts in every window, every time.

#![expect(
    clippy::disallowed_methods,
    reason = "a test stands outside: it makes its trees, looks at them by itself"
)]

use crate::race::fingerprint;
use crate::support::{Ground, LINKWELL};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::make;
use linkwell_testkit::volume::{Kind, Volume};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::lchown;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Calls that linkwell makes as often in every run of one kind.
const STEADY: &str = "flock,mkdirat,symlinkat,linkat,mknodat,renameat2,renameat,unlinkat,fchmod,fchownat,\
                      utimensat,setxattr,fsync,syncfs,ftruncate";

/// Calls that are looked at only where they touch the original: the others depend on what else runs.
const LOOKS: &str =
    "openat,openat2,statx,getdents64,read,readlinkat,pread64,copy_file_range,sendfile,close";

/// Where the original is: `a/p` is its parent, beside `a/q`, a link of somebody else's to a canary.
pub(crate) const TREE: [&str; 5] = ["a/p/d/f", "a/p/d/sub/g", "a/p/d/l -> f", "a/p/x", "e"];

/// The tree and another volume, both in memory. Made within `volume::alone`.
pub(crate) struct Field {
    pub(crate) ground: Ground,
    volume: Option<Volume>,
    pub(crate) canary: PathBuf,
    untouched: Vec<String>,
}

impl Field {
    /// The tree of [`TREE`], and a folder `t` on the other volume, or on the same.
    pub(crate) fn new(across: bool) -> Self {
        Self::with(&TREE, across)
    }

    /// The same with another tree.
    pub(crate) fn with(lines: &[&str], across: bool) -> Self {
        let ground = Ground::in_memory(lines);
        let canary = ground.scratch().join("canary");
        for path in ["d/f", "d/sub/g", "d/new", "f", "g", "sub/g"] {
            make(&canary, &[path]);
            fs::write(canary.join(path), format!("outside: {path}")).expect("a file");
        }
        let volume = across.then(|| Volume::in_memory(Kind::Tmpfs, 16 << 20).expect("memory"));
        let untouched = fingerprint(&canary);
        let field = Self { ground, volume, canary, untouched };
        fs::create_dir(field.there()).expect("a folder");
        fs::create_dir_all(field.at("a")).expect("a folder");
        for link in [field.at("a/q"), field.there_beside()] {
            std::os::unix::fs::symlink(&field.canary, &link).expect("a link");
            lchown(&link, Some(65534), Some(65534)).expect("an owner");
        }
        field
    }

    /// A path in the tree.
    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.ground.tree().join(path)
    }

    /// The top of the volume that things go to.
    pub(crate) fn other(&self) -> PathBuf {
        self.volume.as_ref().map_or_else(|| self.ground.tree(), Volume::path)
    }

    /// The folder that things go to.
    pub(crate) fn there(&self) -> PathBuf {
        self.other().join("t")
    }

    /// Somebody else's link to the canary, beside that folder.
    pub(crate) fn there_beside(&self) -> PathBuf {
        self.other().join("u")
    }

    /// What is typed, with `@` for the folder that things go to.
    pub(crate) fn typed(&self, words: &[&str]) -> Vec<String> {
        let there = self.there();
        let there = there.to_str().expect("a plain path");
        words.iter().map(|word| word.replace('@', there)).collect()
    }

    /// Runs linkwell, `@` as in [`Self::typed`].
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        self.ground.run(&self.typed(words))
    }

    /// Every real file in tree and volume: where, and what it holds.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut all = files(&self.ground.tree());
        if let Some(volume) = &self.volume {
            all.extend(files(&volume.path()));
        }
        all
    }

    /// What the files hold.
    pub(crate) fn bytes(&self) -> BTreeSet<Vec<u8>> {
        self.files().into_values().collect()
    }

    /// Names of linkwell's own that were left.
    pub(crate) fn strays(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        let mut todo = vec![self.ground.tree(), self.other()];
        while let Some(folder) = todo.pop() {
            for entry in fs::read_dir(&folder).expect("a folder").flatten() {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.starts_with(".linkwell-") {
                    found.insert(name);
                } else if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    todo.push(entry.path());
                }
            }
        }
        found
    }

    /// Nothing outside was changed, nothing from there came in.
    pub(crate) fn outside(&self, what: &str) {
        assert_eq!(fingerprint(&self.canary), self.untouched, "{what}: something outside changed");
        let theirs: BTreeSet<Vec<u8>> = files(&self.canary).into_values().collect();
        let came: Vec<_> =
            self.files().into_iter().filter(|(_, bytes)| theirs.contains(bytes)).collect();
        assert!(came.is_empty(), "{what}: something from outside was copied: {came:?}");
    }
}

/// Every real file below a folder, through no link.
pub(crate) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(here) = todo.pop() {
        for entry in fs::read_dir(&here).into_iter().flatten().flatten() {
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                todo.push(entry.path());
            } else if kind.is_file()
                && let Ok(bytes) = fs::read(entry.path())
            {
                found.insert(entry.path(), bytes);
            }
        }
    }
    found
}

/// A tree as it shows itself to who goes by its path, links in it not followed: below its top, what
/// each thing is.
pub(crate) fn seen(top: &Path) -> BTreeMap<Vec<u8>, String> {
    let mut found = BTreeMap::new();
    let Ok(real) = fs::canonicalize(top) else { return found };
    let mut todo = vec![real.clone()];
    while let Some(here) = todo.pop() {
        for entry in fs::read_dir(&here).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else { continue };
            let what = if kind.is_dir() {
                todo.push(path.clone());
                "folder".into()
            } else if kind.is_file() {
                format!(
                    "{:?}",
                    fs::read(&path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                )
            } else {
                format!("{:?}", fs::read_link(&path))
            };
            let below = path.strip_prefix(&real).expect("it is below");
            found.insert(below.as_os_str().as_bytes().to_vec(), what);
        }
    }
    found
}

/// A program to be stopped: linkwell with these words, or a line of shell.
pub(crate) enum Program<'p> {
    Linkwell(&'p [&'p str]),
    Shell(&'p str),
}

impl Program<'_> {
    fn below_strace(&self, field: &Field, options: &[String]) -> Command {
        let plain = field.ground.command();
        let mut command = Command::new("strace");
        command.arg("-f").args(options);
        match self {
            Self::Linkwell(words) => command.arg(LINKWELL).args(field.typed(words)),
            Self::Shell(line) => command.args(["/bin/sh", "-c"]).args(field.typed(&[line])),
        };
        command.current_dir(field.ground.tree()).env_clear().stdin(Stdio::null());
        command.envs(plain.get_envs().filter_map(|(key, value)| Some((key, value?))));
        command
    }
}

/// Behind which call a program is stopped.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Point {
    pub(crate) call: String,
    pub(crate) number: usize,
    /// Counted are only calls that touch the original.
    pub(crate) near: bool,
}

/// `-P` for the original and all that is in it.
fn near(field: &Field, top: &str) -> Vec<String> {
    let top = field.at(top);
    let mut paths = vec![top.clone()];
    paths.extend(top.parent().map(Path::to_path_buf));
    let inside = seen(&top);
    paths.extend(inside.keys().map(|below| top.join(std::ffi::OsStr::from_bytes(below))));
    let text = |path: PathBuf| path.to_str().expect("a plain path").to_owned();
    paths.into_iter().flat_map(|path| ["-P".to_owned(), text(path)]).collect()
}

/// Where a program can be stopped that moves `top`: every point, by one whole run of it.
pub(crate) fn points(field: &Field, top: &str, program: &Program<'_>, looks: bool) -> Vec<Point> {
    let file = field.ground.scratch().join("trace");
    let out = file.to_str().expect("a plain path").to_owned();
    let mut options: Vec<String> = ["-qq", "-o", &out, "-e"].map(str::to_owned).into();
    options.push(format!("trace={}", if looks { LOOKS } else { STEADY }));
    if looks {
        options.extend(near(field, top));
    }
    let ran: Ran = program.below_strace(field, &options).output().expect("strace").into();
    assert_eq!(ran.code, 0, "{ran:?}");
    let text = fs::read_to_string(&file).expect("a trace");
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut points = Vec::new();
    for line in text.lines() {
        let Some((process, call)) = line.split_once(' ') else { continue };
        let Some((call, _)) = call.trim_start().split_once('(') else { continue };
        if !call.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            continue;
        }
        let count = counts.entry((process.to_owned(), call.to_owned())).or_default();
        *count += 1;
        let point = Point { call: call.to_owned(), number: *count, near: looks };
        if !points.contains(&point) {
            points.push(point);
        }
    }
    points
}

/// Runs a program that is stopped behind one call, and so is each process that it starts; `act` is what
/// happens then, until it says that it came to pass. Gives what the program said.
pub(crate) fn stopped(
    field: &Field,
    top: &str,
    program: &Program<'_>,
    point: &Point,
    mut act: impl FnMut() -> bool,
) -> Ran {
    let file = field.ground.scratch().join("trace");
    drop(fs::remove_file(&file));
    let out = file.to_str().expect("a plain path").to_owned();
    let Point { call, number, near: by_path } = point;
    let mut options: Vec<String> = ["-qq", "-o", &out, "-e"].map(str::to_owned).into();
    options.push(format!("trace={call}"));
    options.extend(["-e".into(), format!("inject={call}:signal=SIGSTOP:when={number}")]);
    if *by_path {
        options.extend(near(field, top));
    }
    let mut command = program.below_strace(field, &options);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("strace");
    let mut acted = false;
    let mut answered = 0;
    let started = Instant::now();
    while child.try_wait().expect("a child").is_none() {
        assert!(started.elapsed() < Duration::from_secs(60), "{point:?}: it does not end");
        let text = fs::read_to_string(&file).unwrap_or_default();
        let stops: Vec<&str> =
            text.lines().filter(|line| line.ends_with("--- stopped by SIGSTOP ---")).collect();
        for stop in stops.iter().skip(answered) {
            if !acted {
                acted = act();
            }
            let process = stop.split(' ').next().and_then(|number| number.parse().ok());
            let process = process.and_then(Pid::from_raw).expect("a process number");
            // Every thread says that it is stopped, and one word wakes all of them.
            kill_process(process, Signal::CONT).unwrap_or_default();
        }
        answered = answered.max(stops.len());
        std::thread::sleep(Duration::from_micros(300));
    }
    child.wait_with_output().expect("its output").into()
}
