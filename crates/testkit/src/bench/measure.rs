//! Runs whole programs and says what each run cost.
//!
//! Standard output is a file in memory (a memfd), the same for every program. Not `/dev/null`,
//! because some programs see that and stop working; not a pipe, because the thread that drains
//! it would need a processor that the measured program could use. The file is written over, not
//! emptied, so that its pages exist from the first (unmeasured) run on.
//!
//! Wall time and CPU time of a run are those of bash's `time`, which asks the kernel for the
//! resources used by its child, to the millisecond: no safe Rust at hand can ask for that, and
//! `/proc/PID/stat` counts in hundredths of a second. Peak memory is the high-water mark
//! (`VmHWM`) of the first run, read every millisecond while it lasts.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;
use std::{env, fs, thread};

use rustix::fs::{MemfdFlags, memfd_create};

use super::Outcome;

/// What bash is told: run the program, then print seconds of wall, user and system time.
const SCRIPT: &str = r#"TIMEFORMAT='%3R %3U %3S'; time "$@" 2>/dev/null"#;

/// How long to wait between two looks at the memory of the first run.
const LOOK: Duration = Duration::from_millis(1);

/// A program with its arguments; the folder goes between `before` and `after`.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) label: &'static str,
    /// The program, or why there is none.
    pub(crate) program: Result<PathBuf, &'static str>,
    pub(crate) before: &'static [&'static str],
    pub(crate) after: &'static [&'static str],
}

impl Task {
    /// A task for a program that is looked for under `names` in the folders of `PATH`.
    pub(crate) fn installed(
        label: &'static str,
        names: &[&str],
        before: &'static [&'static str],
        after: &'static [&'static str],
    ) -> Self {
        Self {
            label,
            program: names.iter().find_map(|name| find_program(name)).ok_or("not installed"),
            before,
            after,
        }
    }

    fn arguments(&self, folder: &Path) -> Vec<OsString> {
        let own = |texts: &[&str]| -> Vec<OsString> { texts.iter().map(Into::into).collect() };
        let mut all = own(self.before);
        all.push(folder.into());
        all.extend(own(self.after));
        all
    }
}

/// One timed run, in seconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) wall: f64,
    pub(crate) cpu: f64,
}

/// What the first, unmeasured run of a program showed.
#[derive(Debug)]
pub(crate) struct First {
    pub(crate) peak_kib: u64,
    pub(crate) lines: usize,
    pub(crate) exit: String,
    /// Whether the program did its work: it may find broken links (1), but not fail.
    pub(crate) worked: bool,
}

/// Looks for a program in the folders of `PATH`.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Runs programs, all with the same standard output.
#[derive(Debug)]
pub(crate) struct Runner {
    output: File,
    bash: PathBuf,
}

impl Runner {
    pub(crate) fn new() -> Outcome<Self> {
        Ok(Self {
            output: memory_file()?,
            bash: find_program("bash").ok_or("bash is needed: its `time` is the clock here")?,
        })
    }

    /// A command with the surroundings that all of them get.
    fn command(&mut self, program: &OsStr) -> Outcome<Command> {
        self.output.rewind()?;
        let mut command = Command::new(program);
        command
            .stdin(Stdio::null())
            .stdout(self.output.try_clone()?)
            .env("LC_ALL", "C.UTF-8")
            .env_remove("BASH_ENV");
        Ok(command)
    }

    /// The run that warms up and shows the memory, the output and the exit status.
    pub(crate) fn first(&mut self, task: &Task, folder: &Path) -> Outcome<First> {
        let program = task.program.clone()?;
        let mut errors = memory_file()?;
        let mut child = self
            .command(program.as_os_str())?
            .args(task.arguments(folder))
            .stderr(errors.try_clone()?)
            .spawn()?;
        let status_file = format!("/proc/{}/status", child.id());
        let mut peak_kib = 0;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            peak_kib = high_water_mark(&status_file).unwrap_or(peak_kib);
            thread::sleep(LOOK);
        };
        let worked = matches!(status.code(), Some(0 | 1));
        if !worked {
            let mut text = String::new();
            errors.rewind()?;
            errors.read_to_string(&mut text)?;
            eprintln!("{}: {}", task.label, text.lines().next().unwrap_or(""));
        }
        Ok(First { peak_kib, lines: self.count_lines()?, exit: describe(status), worked })
    }

    /// A run that counts.
    pub(crate) fn timed(&mut self, task: &Task, folder: &Path) -> Outcome<Run> {
        let program = task.program.clone()?;
        let bash = self.bash.clone();
        let finished = self
            .command(bash.as_os_str())?
            .args(["--norc", "-c", SCRIPT, "scan-bench"])
            .arg(program)
            .args(task.arguments(folder))
            .stderr(Stdio::piped())
            .output()?;
        let text = String::from_utf8_lossy(&finished.stderr);
        parse_times(&text).ok_or_else(|| format!("{}: no times in {text:?}", task.label).into())
    }

    /// How many system calls the program makes, all its threads together.
    pub(crate) fn system_calls(&mut self, task: &Task, folder: &Path) -> Outcome<Option<u64>> {
        let Some(strace) = find_program("strace") else {
            return Ok(None);
        };
        let report = tempfile::NamedTempFile::with_prefix("scan-bench-calls-")?;
        self.command(strace.as_os_str())?
            .args(["-f", "-qq", "-c", "-o"])
            .arg(report.path())
            .arg(task.program.clone()?)
            .args(task.arguments(folder))
            .stderr(Stdio::null())
            .status()?;
        Ok(parse_calls(&fs::read_to_string(report.path())?))
    }

    /// Counts the lines that the last program wrote.
    fn count_lines(&mut self) -> Outcome<usize> {
        let end = self.output.stream_position()?;
        self.output.seek(SeekFrom::Start(0))?;
        let mut left = Read::by_ref(&mut self.output).take(end);
        let mut chunk = vec![0_u8; 1 << 20];
        let mut lines = 0;
        loop {
            let length = left.read(&mut chunk)?;
            if length == 0 {
                return Ok(lines);
            }
            let read = chunk.iter().take(length);
            lines += read.filter(|byte| **byte == b'\n').count();
        }
    }
}

fn memory_file() -> Outcome<File> {
    Ok(memfd_create("scan-bench", MemfdFlags::CLOEXEC)?.into())
}

fn describe(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => code.to_string(),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "unknown".to_owned(),
    }
}

/// The most memory the process has used so far, in KiB.
fn high_water_mark(status_file: &str) -> Option<u64> {
    let text = fs::read_to_string(status_file).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Reads bash's line of times, which comes last.
fn parse_times(text: &str) -> Option<Run> {
    let mut numbers = text.lines().last()?.split(' ').map(str::parse::<f64>);
    let mut next = || numbers.next()?.ok();
    let (wall, user, system) = (next()?, next()?, next()?);
    Some(Run { wall, cpu: user + system })
}

/// Reads the number of calls from the last line of `strace -c`.
fn parse_calls(text: &str) -> Option<u64> {
    let total = text.lines().rfind(|line| line.ends_with(" total"))?;
    total.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{parse_calls, parse_times};

    #[test]
    fn the_times_are_in_the_last_line_of_bash() {
        let run = parse_times("Killed\n0.250 0.010 0.200\n").map(|run| (run.wall, run.cpu));
        assert_eq!(run, Some((0.25, 0.01 + 0.2)));
        assert!(parse_times("").is_none());
        assert!(parse_times("no times").is_none());
    }

    #[test]
    fn the_calls_are_the_fourth_number_of_the_total() {
        let text = "100.00    0.125   1   1234   12 total\n";
        assert_eq!(parse_calls(text), Some(1234));
        assert_eq!(parse_calls(""), None);
    }
}
