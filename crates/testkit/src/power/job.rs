//! What is run while the disks are recorded, what before, and how it is spelled.

use crate::program;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Who moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mover {
    Linkwell,
    /// linkwell below strace, which answers every sync with success and does none: the control.
    Unsynced,
    Mv,
    Rsync,
}

/// What one command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Move,
    Undo,
    /// `move --back`.
    Back,
    Recover,
    /// No linkwell: the tree is put on the other disk, and a link to it in its place.
    Aside,
    /// `convert --to contents`: such a link becomes a copy.
    Contents,
}

/// What stands at the old path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stands {
    Link,
    Tree,
    Nothing,
}

impl Stands {
    pub(super) fn at(path: &Path) -> Self {
        match path.symlink_metadata() {
            Err(_) => Self::Nothing,
            Ok(status) if status.is_symlink() => Self::Link,
            Ok(_) => Self::Tree,
        }
    }
}

/// A command, which may be killed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    verb: Verb,
    /// What `move` is given besides: `--no-link`, `--keep`, …
    flags: Vec<String>,
    /// As it enters its so manieth call of this kind.
    kill: Option<(String, usize)>,
}

/// Commands one after the other, of which the last is recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Job {
    before: Vec<Step>,
    last: Step,
}

/// Where everything is.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// The program.
    pub(super) program: PathBuf,
    /// What is moved.
    pub(super) old: PathBuf,
    /// Where to.
    pub(super) new: PathBuf,
    /// Where linkwell keeps its journal.
    pub(super) state: PathBuf,
}

impl Mover {
    pub(super) fn of(word: &str) -> Option<Self> {
        Some(match word {
            "linkwell" => Self::Linkwell,
            "linkwell-unsynced" => Self::Unsynced,
            "mv" => Self::Mv,
            "rsync" => Self::Rsync,
            _ => return None,
        })
    }

    /// Whether it has a `recover`, and what it left is to be looked at after that.
    pub(super) fn recovers(self) -> bool {
        matches!(self, Self::Linkwell | Self::Unsynced)
    }
}

impl Step {
    /// `move`, `move+keep` or `move@renameat2:3`.
    fn of(text: &str) -> Option<Self> {
        let (verb, kill) = match text.split_once('@') {
            Some((verb, kill)) => (verb, Some(kill.split_once(':')?)),
            None => (text, None),
        };
        let mut words = verb.split('+');
        let verb = match words.next()? {
            "move" => Verb::Move,
            "undo" => Verb::Undo,
            "back" => Verb::Back,
            "recover" => Verb::Recover,
            "aside" => Verb::Aside,
            "contents" => Verb::Contents,
            _ => return None,
        };
        let kill = match kill {
            Some((call, number)) => Some((call.to_owned(), number.parse().ok()?)),
            None => None,
        };
        let flags = words.map(|word| format!("--{word}")).collect();
        Some(Self { verb, flags, kill })
    }

    fn command(&self, mover: Mover, places: &Places) -> Command {
        let (old, new) = (places.old.display().to_string(), places.new.display().to_string());
        let words: &[&str] = match (self.verb, mover) {
            (Verb::Move, Mover::Mv) => return program_with("mv", &[&old, &new]),
            (Verb::Move, Mover::Rsync) => {
                let old = format!("{old}/");
                return program_with("rsync", &["-aHAXS", "--remove-source-files", &old, &new]);
            }
            (Verb::Aside, _) => {
                let line = "mv \"$1\" \"$2\"; ln -s \"$2\" \"$1\"";
                return program_with("sh", &["-ec", line, "sh", &old, &new]);
            }
            (Verb::Move, _) => &["move", "-y", &old, &new],
            (Verb::Back, _) => &["move", "--back", "-y", &old],
            (Verb::Undo, _) => &["undo", "-y"],
            (Verb::Recover, _) => &["recover", "-y"],
            (Verb::Contents, _) => &["convert", "-y", &old, "--to", "contents"],
        };
        let mut injected = Vec::new();
        if mover == Mover::Unsynced {
            injected.push("inject=fsync,fdatasync,syncfs,sync_file_range:retval=0".to_owned());
        }
        if let Some((call, number)) = &self.kill {
            injected.push(format!("inject={call}:signal=KILL:when={number}"));
        }
        let mut command = places.linkwell(&injected, words);
        command.args(&self.flags);
        command
    }
}

impl Job {
    /// `move`, `move,undo`, `move@renameat2:3,recover`.
    pub(super) fn of(text: &str) -> Option<Self> {
        let mut before: Vec<Step> = text.split(',').map(Step::of).collect::<Option<_>>()?;
        let last = before.pop()?;
        Some(Self { before, last })
    }

    /// What is done before anything is recorded, and whether it is to be killed.
    pub(super) fn before(&self, places: &Places) -> Vec<(Command, bool)> {
        let steps = self.before.iter();
        steps.map(|step| (step.command(Mover::Linkwell, places), step.kill.is_some())).collect()
    }

    /// What is recorded, and whether it is to be killed.
    pub(super) fn command(&self, mover: Mover, places: &Places) -> (Command, bool) {
        (self.last.command(mover, places), self.last.kill.is_some())
    }

    /// What stands at the old path once it has ended well; `None` where more than one may be.
    pub(super) fn leaves(&self) -> Option<Stands> {
        match self.last.verb {
            Verb::Move if self.last.flags.iter().any(|flag| flag == "--no-link") => {
                Some(Stands::Nothing)
            }
            Verb::Move | Verb::Aside => Some(Stands::Link),
            Verb::Undo | Verb::Back | Verb::Contents => Some(Stands::Tree),
            Verb::Recover => None,
        }
    }

    /// Whether the old path may be gone: then it is the new one that counts.
    pub(super) fn may_be_gone(&self) -> bool {
        let steps = self.before.iter().chain([&self.last]);
        steps.flat_map(|step| &step.flags).any(|flag| flag == "--no-link")
    }

    /// Whether the new place holds the tree even when the old one does.
    pub(super) fn keeps_both(&self) -> bool {
        self.last.verb == Verb::Contents
    }
}

impl Places {
    /// linkwell, below strace where something is to be injected.
    pub(super) fn linkwell(&self, injected: &[String], words: &[&str]) -> Command {
        let root = Path::new("/");
        let mut command = if injected.is_empty() {
            program::command(&self.program.display().to_string(), root)
        } else {
            let mut command = program::command("strace", root);
            command.args(["-f", "-qq", "-o", "/dev/null"]);
            for inject in injected {
                command.args(["-e", inject]);
            }
            command.arg(&self.program);
            command
        };
        command.env("XDG_STATE_HOME", &self.state).args(words);
        command
    }
}

fn program_with(name: &str, words: &[&str]) -> Command {
    let mut command = Command::new(name);
    command.args(words);
    command
}
