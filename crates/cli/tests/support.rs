//! What the modules share: the program, its output taken apart.

use linkwell_testkit::program::{self, Ran};
use linkwell_testkit::tree::Scratch;
use serde_json::Value;
use std::ffi::OsStr;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

pub(crate) const LINKWELL: &str = env!("CARGO_BIN_EXE_linkwell");

/// The number of the user `nobody`, and of a group without rights.
pub(crate) const NOBODY: u32 = 65534;

/// Where the program stands for everybody: the build folder may be closed to others.
static NOBODYS: Mutex<Option<Scratch>> = Mutex::new(None);

/// Runs linkwell in `folder`.
pub(crate) fn linkwell(folder: &Path, arguments: &[&str]) -> Ran {
    program::run(LINKWELL, folder, arguments)
}

/// Runs linkwell in `folder` and gives the bytes that it printed.
pub(crate) fn raw<S: AsRef<OsStr>>(folder: &Path, arguments: &[S]) -> Output {
    program::command(LINKWELL, folder).args(arguments).output().expect("linkwell can be started")
}

/// Runs a line of shell in `folder`, with linkwell as `$L`.
pub(crate) fn shell(folder: &Path, line: &str) -> Ran {
    let mut command = program::command("/bin/sh", folder);
    command.args(["-c", line]).env("L", LINKWELL);
    command.output().expect("a shell can be started").into()
}

/// A tree to be changed, with a state folder and a home of its own beside it.
pub(crate) struct Ground {
    scratch: Scratch,
    /// On another volume, as far as the machine has one in memory.
    other: Option<Scratch>,
}

impl Ground {
    /// A tree made of `lines` (see `linkwell_testkit::tree::make`).
    pub(crate) fn with(lines: &[&str]) -> Self {
        Self::on(Scratch::new(), lines)
    }

    /// The same in memory: for tests that make hundreds of trees.
    pub(crate) fn in_memory(lines: &[&str]) -> Self {
        Self::on(Scratch::in_memory(), lines)
    }

    /// The same, with a link `other` in the tree that leads to an empty folder of another volume.
    pub(crate) fn with_other(lines: &[&str]) -> Self {
        let mut ground = Self::with(lines);
        let other = Scratch::in_memory();
        let line = format!("other -> {}", other.path().display());
        linkwell_testkit::tree::make(&ground.tree(), &[&line]);
        ground.other = Some(other);
        ground
    }

    /// That folder; the tree where there is none.
    pub(crate) fn other(&self) -> std::path::PathBuf {
        self.other.as_ref().map_or_else(|| self.tree(), Scratch::path)
    }

    fn on(scratch: Scratch, lines: &[&str]) -> Self {
        for folder in ["tree", "home", "state"] {
            linkwell_testkit::tree::make(&scratch.path(), &[&format!("{folder}/")]);
        }
        linkwell_testkit::tree::make(&scratch.join("tree"), lines);
        Self { scratch, other: None }
    }

    /// The folder that holds tree, home and state.
    pub(crate) fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// The tree.
    pub(crate) fn tree(&self) -> std::path::PathBuf {
        self.scratch.join("tree")
    }

    /// A command for linkwell, to be run in the tree.
    pub(crate) fn command(&self) -> Command {
        let mut command = program::command(LINKWELL, &self.tree());
        command
            .env("HOME", self.scratch.join("home"))
            .env("XDG_STATE_HOME", self.scratch.join("state"))
            .env("XDG_DATA_HOME", self.scratch.join("home/data"));
        command
    }

    /// Runs linkwell in the tree.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Ran {
        self.command().args(arguments).output().expect("linkwell can be started").into()
    }

    /// The tree as text.
    pub(crate) fn listing(&self) -> String {
        linkwell_testkit::listing::listing(&self.tree())
    }

    /// The names in the tree that linkwell made for a moment and left.
    pub(crate) fn strays(&self) -> Vec<String> {
        self.listing().lines().filter(|line| line.contains(".linkwell-")).map(Into::into).collect()
    }
}

/// Removes what all tests share: what is static is never dropped.
pub(crate) fn clean_up() {
    drop(NOBODYS.lock().unwrap_or_else(PoisonError::into_inner).take());
}

/// A command for linkwell as a user without rights, who is let into `scratch`.
pub(crate) fn as_nobody(scratch: &Scratch) -> Command {
    use linkwell_testkit::crafted;
    crafted::allow(&scratch.path(), 0o755);
    let mut copy = NOBODYS.lock().unwrap_or_else(PoisonError::into_inner);
    let copy = copy.get_or_insert_with(|| {
        let own = Scratch::new();
        crafted::allow(&own.path(), 0o755);
        crafted::copy_program(LINKWELL, &own.path());
        own
    });
    let copy = copy.join("program");
    let mut command = program::command(copy.to_str().expect("a plain path"), &scratch.path());
    command.uid(NOBODY).gid(NOBODY);
    command
}

/// The objects that `--json` printed, in order.
pub(crate) fn objects(ran: &Ran) -> Vec<Value> {
    let object = |line| serde_json::from_str(line).expect("each line is one JSON object");
    ran.out.lines().map(object).collect()
}

/// The objects of one type, by path.
pub(crate) fn of_type(ran: &Ran, wanted: &str) -> Vec<Value> {
    let mut found: Vec<Value> =
        objects(ran).into_iter().filter(|object| text(object, "type") == wanted).collect();
    found.sort_by_key(|object| (text(object, "path"), text(object, "kind")));
    found
}

/// The links that `--json` printed, by path.
pub(crate) fn links(ran: &Ran) -> Vec<Value> {
    of_type(ran, "link")
}

/// A field as text; empty when it is none.
pub(crate) fn text(object: &Value, field: &str) -> String {
    object.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The notes of a link.
pub(crate) fn notes(object: &Value) -> Vec<String> {
    let notes = object.get("notes").and_then(Value::as_array).cloned().unwrap_or_default();
    notes.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The summary, which must be the last object, without its time.
pub(crate) fn summary(ran: &Ran) -> Value {
    let mut last = objects(ran).pop().expect("a summary");
    let seconds = last.as_object_mut().and_then(|fields| fields.remove("seconds"));
    assert!(seconds.is_some_and(|seconds| seconds.is_number()), "{ran:?}");
    assert_eq!(text(&last, "type"), "summary", "{ran:?}");
    last
}

/// A text with the `(0.1 s)` of a summary line taken out.
pub(crate) fn timeless(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        let timed = line.ends_with(" s)") && line.contains(" among ");
        let cut = line.rfind(" (").filter(|_| timed).unwrap_or(line.len());
        lines.push(line.get(..cut).unwrap_or(line).to_owned());
    }
    lines.join("\n")
}

/// Each value of an object that is bytes, by name: plain, or out of Base64.
pub(crate) fn bytes(object: &Value, field: &str) -> Option<Vec<u8>> {
    use base64::Engine as _;
    let encoded = object.get(format!("{field}_base64"));
    match (object.get(field), encoded) {
        (Some(plain), None) => Some(plain.as_str()?.as_bytes().to_vec()),
        (None, Some(encoded)) => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(encoded.as_str()?);
            let bytes = bytes.expect("valid Base64");
            assert!(std::str::from_utf8(&bytes).is_err(), "valid UTF-8 must stand as it is");
            Some(bytes)
        }
        _ => None,
    }
}

/// NUL-ended paths, sorted.
pub(crate) fn nul_ended(out: &[u8]) -> Vec<Vec<u8>> {
    assert!(out.is_empty() || out.ends_with(b"\0"), "each path must be ended by a NUL");
    let mut paths: Vec<Vec<u8>> = out.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    paths.pop();
    paths.sort();
    paths
}
