//! The real program, run as a person would, in an environment of its own.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What a run printed and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Ran {
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code().unwrap_or(-1),
        }
    }
}

impl Ran {
    /// The lines of standard output, sorted: a scan gives them in no particular order.
    pub fn sorted(&self) -> Vec<&str> {
        let mut lines: Vec<&str> = self.out.lines().collect();
        lines.sort_unstable();
        lines
    }
}

/// A command for the program at `program`, in the folder `current`, with an empty environment but
/// for a home folder that does not exist and the search path.
pub fn command(program: &str, current: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .current_dir(current)
        .env_clear()
        .env("HOME", "/nonexistent")
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .stdin(Stdio::null());
    command
}

/// Runs the program at `program` in the folder `current`.
pub fn run<S: AsRef<OsStr>>(program: &str, current: &Path, arguments: &[S]) -> Ran {
    let output = command(program, current).args(arguments).output();
    output.expect("the program can be started").into()
}
