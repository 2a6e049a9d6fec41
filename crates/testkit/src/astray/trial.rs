//! One tree, one program that moves things, with a watcher or without.

use super::mover::{Ground, act, run};
use super::oracle::{Oracle, Stand};
use super::{Mover, Scene};
use crate::program::Ran;
use crate::tree::Scratch;
use crate::volume::{Kind, Volume};
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// What came out: a line of the table.
#[derive(Debug, Default)]
pub struct Row {
    /// How many links.
    pub links: usize,
    /// How many things were moved.
    pub moved: usize,
    /// How the links stood before `repair`: with a watcher, after it had its time.
    pub live: Stand,
    /// How they stood after `repair --certain`.
    pub certain: Stand,
    /// How they stood after `repair --likely`.
    pub likely: Stand,
    /// What `check --tracked` names afterwards: how many links of which health.
    pub named: BTreeMap<String, usize>,
    /// How many links it names that are not where they are on record.
    pub elsewhere: usize,
    /// What `repair` says of the lost places that it leaves: how many of which choice.
    pub left: BTreeMap<String, usize>,
}

/// How long a watcher is waited for, when it does not come to the end.
const PATIENCE: Duration = Duration::from_secs(20);

struct Trial<'t> {
    program: &'t Path,
    scratch: Scratch,
    tree: PathBuf,
    other: PathBuf,
}

/// Goes through one; within [`crate::volume::alone`]. `None` where a file system cannot be mounted.
///
/// # Errors
/// The first thing that was not as it should be, in words: a link that was led wrong, above all.
pub fn trial(
    program: &Path,
    (scene, mover): (Scene, Mover),
    watched: bool,
    (long, seed): (bool, u64),
) -> Result<Option<Row>, String> {
    let scratch = Scratch::new();
    // The others stay on the disk of this machine, since a disk image is nothing that a watcher holds on to.
    let volumes = if mover == Mover::Rsync {
        let size = if long { 4 << 30 } else { 96 << 20 };
        let both = Volume::new(Kind::Ext4, size).zip(Volume::new(Kind::Xfs, size));
        let Some(both) = both else { return Ok(None) };
        Some(both)
    } else {
        None
    };
    let own = |name: &str| {
        let place = scratch.join(name);
        std::fs::create_dir_all(&place).map(|()| place).map_err(|error| error.to_string())
    };
    let (tree, other) = match &volumes {
        Some((from, to)) => (from.join("tree"), to.join("other")),
        None => (own("on")?.join("tree"), own("other")?),
    };
    std::fs::create_dir_all(&other).map_err(|error| error.to_string())?;
    let trial = Trial { program, tree, other, scratch };
    let row = trial.go(scene, mover, watched, long, seed);
    drop(trial);
    drop(volumes);
    row.map(Some)
}

impl Trial<'_> {
    fn go(
        &self,
        scene: Scene,
        mover: Mover,
        watched: bool,
        long: bool,
        seed: u64,
    ) -> Result<Row, String> {
        let fail = |error: std::io::Error| error.to_string();
        let mut make = Command::new("bash");
        make.args(["--norc", "-euo", "pipefail", "-c", scene.make()])
            .env("T", &self.tree)
            .env("S", self.scratch.path())
            .env("LONG", if long { "1" } else { "0" });
        std::fs::create_dir_all(&self.tree).map_err(fail)?;
        run(&mut make, None)?;
        let mut oracle = Oracle::new(&self.tree, watched).map_err(fail)?;
        let tree = self.tree.to_string_lossy().into_owned();
        self.linkwell(&["track", "-q", &tree], &[0])?;
        let watcher = if watched { Some(self.watch()?) } else { None };
        let ground = Ground {
            scene,
            tree: &self.tree,
            other: &self.other,
            scratch: &self.scratch.path(),
            most: if long { 60 } else { 8 },
            seed,
        };
        let moved = act(mover, &ground, &mut oracle)?;
        let mut row = Row { links: oracle.len(), moved, ..Row::default() };
        if let Some(watcher) = watcher {
            let began = Instant::now();
            let judge = |oracle: &Oracle| oracle.judge().map(|(stand, _)| stand).map_err(fail);
            while judge(&oracle)?.dead > 0 && began.elapsed() < PATIENCE {
                std::thread::sleep(Duration::from_millis(200));
            }
            drop(watcher);
        } else {
            oracle.all_moved();
        }
        row.live = right(&oracle, "before repair")?;
        let other = self.other.to_string_lossy().into_owned();
        let search = ["--near", "--search", &tree, "--search", &other];
        self.linkwell(&[&["repair", "-y", "--certain"][..], &search].concat(), &[0, 1, 3])?;
        row.certain = right(&oracle, "what is certain")?;
        self.linkwell(&[&["repair", "-y", "--likely"][..], &search].concat(), &[0, 1, 3])?;
        row.likely = right(&oracle, "what is likely")?;
        let said = self.linkwell(&[&["repair", "-n", "--json"][..], &search].concat(), &[0, 1])?;
        row.left = counted(&said.out, "choice");
        let said = self.linkwell(&["check", "--tracked", "--json"], &[0, 1, 3])?;
        row.named = counted(&said.out, "health");
        // A link that went along with its folder and works is on record where it was.
        row.elsewhere =
            said.out.lines().filter(|line| line.contains("\"type\":\"problem\"")).count();
        let named: usize = row.named.values().sum();
        if row.likely.dead > named {
            return Err(format!("{} lead to nothing, and {named} are named", row.likely.dead));
        }
        Ok(row)
    }

    fn linkwell_command(&self) -> Command {
        let mut command = Command::new(self.program);
        command.current_dir(self.scratch.path()).stdin(Stdio::null());
        command.env("HOME", self.scratch.join("home"));
        command.env("XDG_STATE_HOME", self.scratch.join("state"));
        command
    }

    fn linkwell(&self, words: &[&str], codes: &[i32]) -> Result<Ran, String> {
        let ran =
            self.linkwell_command().args(words).output().map_err(|error| error.to_string())?;
        let ran = Ran::from(ran);
        if codes.contains(&ran.code) { Ok(ran) } else { Err(format!("{words:?}: {ran:?}")) }
    }

    fn watch(&self) -> Result<Watching, String> {
        let mut command = self.linkwell_command();
        command.args(["watch", "--json", "--no-notifications"]);
        let child = command.stdout(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
        let mut watching = Watching(child);
        let out = watching.0.stdout.take().ok_or("no pipe")?;
        let mut out = BufReader::new(out);
        let mut line = String::new();
        out.read_line(&mut line).map_err(|error| error.to_string())?;
        if !line.contains("\"watching\"") {
            return Err(format!("the watcher said {line:?}"));
        }
        // Its output is read all along, so that it never waits for its reader.
        std::thread::spawn(move || out.lines().map_while(Result::ok).count());
        Ok(watching)
    }
}

struct Watching(Child);

impl Drop for Watching {
    fn drop(&mut self) {
        let number = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        if let Some(number) = number {
            kill_process(number, Signal::TERM).ok();
        }
        drop(self.0.wait());
    }
}

fn right(oracle: &Oracle, when: &str) -> Result<Stand, String> {
    let (stand, wrong) = oracle.judge().map_err(|error| format!("{when}: {error}"))?;
    if wrong.is_empty() { Ok(stand) } else { Err(format!("{when}: {}", wrong.join("; "))) }
}

/// How many lines have which word in this field.
fn counted(json: &str, field: &str) -> BTreeMap<String, usize> {
    let begin = format!("\"{field}\":\"");
    let mut counts = BTreeMap::new();
    for line in json.lines() {
        let word = line.split_once(&begin).and_then(|(_, rest)| rest.split_once('"'));
        if let Some((word, _)) = word {
            *counts.entry(word.to_owned()).or_default() += 1;
        }
    }
    counts
}
