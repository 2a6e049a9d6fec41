//! Measures how fast linkwell reads a large tree, as ratios to other programs in the same run.
//!
//! ```text
//! scan-bench --program PATH/TO/linkwell [--entries N] [--runs N] [--count]
//!            [--keep DIR | --tree DIR | --cold]
//! scan-bench bare DIR
//! ```
//!
//! From the folder of the workspace:
//!
//! ```text
//! cargo build --release --workspace --bins
//! target/release/scan-bench --program target/release/linkwell
//! ```
//!
//! It makes a tree (1,000,000 entries unless `--entries` says otherwise; always the same one)
//! in the folder for temporary files, and removes it at the end. `--keep DIR` makes it as DIR
//! and leaves it; `--tree DIR` measures on a tree that is there already. Then it runs all
//! programs in turn, `--runs` times (5), after one round that does not count, and prints one
//! table and the list of the goals. A program that is not installed is named as such. Absolute
//! times differ between machines and are no goal; `bare` (the least that one thread must do, see
//! `bench/bare.rs`) is the yardstick. `--count` adds the number of system calls, by strace;
//! that takes long (about a minute for 100,000 entries), so give fewer `--entries` with it.
//!
//! `--cold` needs root. It makes the tree (200,000 entries) on an ext4 image of its own, in the
//! folder for temporary files (`TMPDIR`), which must be on a disk, and empties all caches of the
//! system before each run. The column `read MB` shows what each run read from that disk.
//!
//! The exit status is 0 if everything was measured, whatever came out, and 2 if not.
//! How the runs are timed, and where their output goes, is told in `bench/measure.rs`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program whose output is its table"
)]

#[path = "../bench/bare.rs"]
mod bare;
#[path = "../bench/cold.rs"]
mod cold;
#[path = "../bench/measure.rs"]
mod measure;
#[path = "../bench/table.rs"]
mod table;
#[path = "../bench/tree.rs"]
mod tree;

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cold::Disk;
use measure::{Runner, Task};
use table::{COLD_GOALS, Goal, Record, WARM_GOALS, print_goals, print_programs};

/// A result whose error is only ever shown.
type Outcome<T> = Result<T, Box<dyn Error>>;

/// What the command line asks for.
#[derive(Debug, Default)]
struct Options {
    program: Option<PathBuf>,
    entries: Option<usize>,
    runs: Option<usize>,
    cold: bool,
    count: bool,
    keep: Option<PathBuf>,
    tree: Option<PathBuf>,
    inside_namespace: bool,
}

fn main() -> ExitCode {
    match start() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("scan-bench: {error}");
            ExitCode::from(2)
        }
    }
}

fn start() -> Outcome<ExitCode> {
    let mut arguments = env::args_os().skip(1).peekable();
    if arguments.next_if(|first| first == "bare").is_some() {
        bare::walk(&arguments.next().ok_or("bare: which folder?")?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let options = Options::parse(arguments)?;
    if !options.cold {
        return warm(&options);
    }
    if !rustix::process::geteuid().is_root() {
        return Err("--cold needs root: it mounts a disk and empties the caches".into());
    }
    if options.inside_namespace { chilled(&options) } else { cold::restart_inside() }
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = OsString>) -> Outcome<Self> {
        let mut options = Self::default();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                let missing = format!("{}: a value is missing", argument.display());
                arguments.next().ok_or(missing)
            };
            match argument.to_str() {
                Some("--program") => options.program = Some(value()?.into()),
                Some("--entries") => options.entries = Some(number(&value()?)?),
                Some("--runs") => options.runs = Some(number(&value()?)?),
                Some("--keep") => options.keep = Some(value()?.into()),
                Some("--tree") => options.tree = Some(value()?.into()),
                Some("--cold") => options.cold = true,
                Some("--count") => options.count = true,
                Some(cold::INSIDE) => options.inside_namespace = true,
                _ => return Err(format!("{}: unknown argument", argument.display()).into()),
            }
        }
        let places = [options.keep.is_some(), options.tree.is_some(), options.cold];
        if places.into_iter().filter(|given| *given).count() > 1 {
            return Err("only one of --keep, --tree and --cold".into());
        }
        Ok(options)
    }

    /// The programs that are compared.
    fn tasks(&self) -> Outcome<Vec<Task>> {
        let find_links = &["-type", "l"];
        let with_targets = &["-type", "l", "-printf", "%p %l %Y\n"];
        let mut tasks = vec![
            self.linkwell("linkwell list", &["list"]),
            self.linkwell("linkwell check", &["check"]),
            self.linkwell("linkwell list --json", &["list", "--json"]),
            Task { label: "bare", program: Ok(env::current_exe()?), before: &["bare"], after: &[] },
            Task::installed("find", &["find"], &[], find_links),
            Task::installed("find -printf", &["find"], &[], with_targets),
            Task::installed("fd", &["fd", "fdfind"], &["-uu", "-t", "l", "."], &[]),
            Task::installed("bfs", &["bfs"], &[], find_links),
            Task::installed("symlinks -r", &["symlinks"], &["-r"], &[]),
        ];
        if self.cold {
            let kept = ["linkwell list", "bare", "find", "fd", "bfs"];
            tasks.retain(|task| kept.contains(&task.label));
        }
        Ok(tasks)
    }

    fn linkwell(&self, label: &'static str, before: &'static [&'static str]) -> Task {
        let given = self.program.as_ref();
        let found = given.and_then(|path| path.canonicalize().ok());
        Task { label, program: found.ok_or("not built"), before, after: &[] }
    }

    fn runs(&self) -> usize {
        self.runs.unwrap_or(5).max(1)
    }
}

fn number(text: &OsString) -> Outcome<usize> {
    let number = text.to_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| format!("{}: not a number", text.display()).into())
}

/// The comparison with everything in the caches.
fn warm(options: &Options) -> Outcome<ExitCode> {
    let entries = options.entries.unwrap_or(1_000_000);
    if let Some(tree) = &options.tree {
        println!("tree: {}", tree.display());
        compare(options, &tree.canonicalize()?, None, WARM_GOALS)?;
    } else if let Some(kept) = &options.keep {
        fs::create_dir(kept)?;
        if let Err(error) = make_tree(kept, entries) {
            fs::remove_dir_all(kept)?;
            return Err(error);
        }
        compare(options, &kept.canonicalize()?, None, WARM_GOALS)?;
    } else {
        // Removed when dropped, however this ends.
        let folder = tempfile::Builder::new().prefix("scan-bench-").tempdir()?;
        make_tree(folder.path(), entries)?;
        compare(options, &folder.path().canonicalize()?, None, WARM_GOALS)?;
        folder.close()?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The comparison with nothing in the caches.
fn chilled(options: &Options) -> Outcome<ExitCode> {
    let entries = options.entries.unwrap_or(200_000);
    let mut disk = Disk::new(entries)?;
    let folder = disk.root().join("tree");
    fs::create_dir(&folder)?;
    make_tree(&folder, entries)?;
    compare(options, &folder, Some(&mut disk), COLD_GOALS)?;
    Ok(ExitCode::SUCCESS)
}

fn make_tree(folder: &Path, entries: usize) -> Outcome<()> {
    eprintln!("scan-bench: making the tree");
    println!("tree: {}", tree::generate(folder, entries)?);
    Ok(())
}

/// Runs all programs on `folder` and prints what came out.
fn compare(
    options: &Options,
    folder: &Path,
    mut disk: Option<&mut Disk>,
    goals: &[Goal],
) -> Outcome<()> {
    let tasks = options.tasks()?;
    let mut runner = Runner::new()?;
    let mut records = Vec::new();
    println!("load before: {}", load()?);
    for task in &tasks {
        eprintln!("scan-bench: first run of {}", task.label);
        prepare(task, &mut runner, disk.as_deref_mut())?;
        records.push(first_record(task, folder, &mut runner, options.count)?);
    }
    for round in 1..=options.runs() {
        eprintln!("scan-bench: round {round} of {}", options.runs());
        for (task, record) in tasks.iter().zip(&mut records) {
            if task.program.is_err() {
                continue;
            }
            prepare(task, &mut runner, disk.as_deref_mut())?;
            let disk = disk.as_deref();
            let before = disk.map(Disk::megabytes_read).transpose()?;
            record.runs.push(runner.timed(task, folder)?);
            let after = disk.map(Disk::megabytes_read).transpose()?;
            let read = before.zip(after).map(|(before, after)| after - before);
            record.read_megabytes.extend(read);
        }
    }
    println!("load after: {}\n", load()?);
    print_programs(&records);
    println!();
    print_goals(goals, &records);
    Ok(())
}

/// Empties the caches if that is wanted, and loads the program itself into memory again.
fn prepare(task: &Task, runner: &mut Runner, disk: Option<&mut Disk>) -> Outcome<()> {
    let Some(disk) = disk else { return Ok(()) };
    disk.chill()?;
    if task.program.is_ok() {
        runner.timed(task, disk.empty_folder())?;
    }
    Ok(())
}

/// The record of a task after its first run, which does not count.
fn first_record(task: &Task, folder: &Path, runner: &mut Runner, count: bool) -> Outcome<Record> {
    let absent = task.program.as_ref().err().copied();
    let mut record = Record {
        label: task.label,
        absent,
        runs: Vec::new(),
        first: None,
        system_calls: None,
        read_megabytes: Vec::new(),
    };
    if absent.is_none() {
        record.first = Some(runner.first(task, folder)?);
        if count {
            record.system_calls = runner.system_calls(task, folder)?;
        }
    }
    Ok(record)
}

/// How busy the machine is: the load of the last 1, 5 and 15 minutes.
fn load() -> Outcome<String> {
    let text = fs::read_to_string("/proc/loadavg")?;
    let parts: Vec<&str> = text.split(' ').take(3).collect();
    Ok(parts.join(" "))
}
