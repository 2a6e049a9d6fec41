//! What is run while the disks are recorded, and how it is spelled.

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

/// What is recorded, and what is done before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// The move.
    Move,
    /// A move, killed as it enters its so manieth rename.
    Killed(usize),
    /// After such a move: its recovery.
    Recover(usize),
    /// After a move: `undo`.
    Undo,
    /// After a move: `move --back`.
    Back,
    /// Where a link leads to the tree on the other disk: the link becomes a copy of it.
    Contents,
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

impl Job {
    pub(super) fn of(word: &str) -> Option<Self> {
        let (word, number) = match word.split_once(':') {
            Some((word, number)) => (word, number.parse().ok()?),
            None => (word, 1),
        };
        Some(match word {
            "move" => Self::Move,
            "killed" => Self::Killed(number),
            "recover" => Self::Recover(number),
            "undo" => Self::Undo,
            "back" => Self::Back,
            "contents" => Self::Contents,
            _ => return None,
        })
    }

    /// What is done before anything is recorded.
    pub(super) fn before(self, places: &Places) -> Option<Command> {
        match self {
            Self::Move | Self::Killed(_) => None,
            Self::Recover(number) => Some(killed(places, number)),
            Self::Undo | Self::Back => Some(places.linkwell(&[], &there(places))),
            Self::Contents => {
                let mut command = Command::new("sh");
                command.args(["-ec", "mv \"$1\" \"$2\"; ln -s \"$2\" \"$1\"", "sh"]);
                Some(with(command, &[&places.old, &places.new]))
            }
        }
    }

    /// What is recorded.
    pub(super) fn command(self, mover: Mover, places: &Places) -> Command {
        let traced: &[&str] = match mover {
            Mover::Unsynced => &["-e", "inject=fsync,fdatasync,syncfs,sync_file_range:retval=0"],
            _ => &[],
        };
        match (self, mover) {
            (Self::Move, Mover::Mv) => with(Command::new("mv"), &[&places.old, &places.new]),
            (Self::Move, Mover::Rsync) => {
                let mut command = Command::new("rsync");
                command.args(["-aHAXS", "--remove-source-files"]);
                command.arg(places.old.join("")).arg(&places.new);
                command
            }
            (Self::Killed(number), _) => killed(places, number),
            (Self::Move, _) => places.linkwell(traced, &there(places)),
            (Self::Undo, _) => places.linkwell(traced, &["undo".into(), "-y".into()]),
            (Self::Recover(_), _) => places.linkwell(traced, &["recover".into(), "-y".into()]),
            (Self::Contents, _) => {
                let old = places.old.display().to_string();
                let words = ["convert".into(), "-y".into(), old, "--to".into(), "contents".into()];
                places.linkwell(traced, &words)
            }
            (Self::Back, _) => {
                let old = places.old.display().to_string();
                places.linkwell(traced, &["move".into(), "--back".into(), "-y".into(), old])
            }
        }
    }

    /// Whether the old path is a link once it has ended well; `None` where either may be.
    pub(super) fn leaves_link(self) -> Option<bool> {
        match self {
            Self::Move => Some(true),
            Self::Undo | Self::Back | Self::Contents => Some(false),
            Self::Killed(_) | Self::Recover(_) => None,
        }
    }
}

impl Job {
    /// Whether the new place holds the tree even when the old one does.
    pub(super) fn keeps_both(self) -> bool {
        self == Self::Contents
    }
}

impl Places {
    /// linkwell, below strace where strace is to do something.
    pub(super) fn linkwell(&self, traced: &[&str], arguments: &[String]) -> Command {
        let plain = program::command("strace", Path::new("/"));
        let mut command = if traced.is_empty() {
            program::command(&self.program.display().to_string(), Path::new("/"))
        } else {
            let mut command = plain;
            command.args(["-f", "-qq", "-o", "/dev/null"]).args(traced).arg(&self.program);
            command
        };
        command.env("XDG_STATE_HOME", &self.state).args(arguments);
        command
    }
}

fn there(places: &Places) -> [String; 4] {
    let (old, new) = (places.old.display().to_string(), places.new.display().to_string());
    ["move".into(), "-y".into(), old, new]
}

fn killed(places: &Places, number: usize) -> Command {
    let inject = format!("inject=renameat2,renameat,rename:signal=KILL:when={number}");
    places.linkwell(&["-e", &inject], &there(places))
}

fn with(mut command: Command, paths: &[&PathBuf]) -> Command {
    command.args(paths);
    command
}
