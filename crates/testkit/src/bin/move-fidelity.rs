//! Says what each program loses that moves a tree from one file system to another, as a table.
//!
//! ```text
//! move-fidelity --program PATH/TO/linkwell [--pair FROM:TO]… [--verbose]
//! ```
//!
//! From the folder of the workspace, as root:
//!
//! ```text
//! cargo build --release --workspace --bins
//! target/release/move-fidelity --program target/release/linkwell --pair xfs:xfs
//! ```
//!
//! The parts of a nasty tree (`nasty.rs`) that the first file system can hold are moved one by one, so that
//! one failure hides no other; then both file systems are mounted anew, and the oracle (`manifest.rs`)
//! counts at how many entries each feature is lost. `.` is kept; `(3)` was named beforehand and lost with
//! `--accept-loss` only. Below stand the parts that a program did not move, and those that it left in
//! halves. Links that lead out of the tree count as lost when they lead elsewhere.
//!
//! The exit status is 0 if everything was measured, whatever came out, and 2 if not.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program whose output is its table"
)]

#[path = "../bench/movers.rs"]
#[expect(dead_code, reason = "the benchmark measures more")]
mod movers;

use linkwell_testkit::fidelity::{Ended, Trip, loss, named, text};
use linkwell_testkit::manifest::{Feature, table};
use linkwell_testkit::nasty::{Part, fitting};
use linkwell_testkit::volume::{Kind, Volume, alone};
use movers::{FULL, SIZES, TASKS, Task};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What one program did to all parts.
#[derive(Default)]
struct Column {
    lost: BTreeMap<Feature, usize>,
    /// Of these, how many were named beforehand.
    told: BTreeMap<Feature, usize>,
    /// Parts that stayed as they were, with the exit status.
    stayed: Vec<String>,
    /// Parts that are neither here nor there.
    halves: Vec<String>,
}

struct Options {
    program: PathBuf,
    pairs: Vec<(Kind, Kind)>,
    verbose: bool,
}

fn main() -> ExitCode {
    let done = options().and_then(|options| {
        alone(|| {
            options.pairs.iter().try_for_each(|(from, to)| {
                pair(&options, *from, *to).map_err(|error| error.to_string())
            })
        })
        .map_err(Into::into)
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("move-fidelity: {error}");
            ExitCode::from(2)
        }
    }
}

fn options() -> Outcome<Options> {
    let (mut program, mut pairs, mut verbose) = (None, Vec::new(), false);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--verbose" {
            verbose = true;
            continue;
        }
        let value = arguments.next().ok_or(format!("{argument}: a value is missing"))?;
        match argument.as_str() {
            "--program" => program = Some(std::fs::canonicalize(value)?),
            "--pair" => {
                let kinds = value
                    .split_once(':')
                    .and_then(|(from, to)| Some((Kind::from_word(from)?, Kind::from_word(to)?)));
                pairs.push(kinds.ok_or(format!("{value}: no such pair of file systems"))?);
            }
            _ => return Err(format!("{argument}: unknown argument").into()),
        }
    }
    if pairs.is_empty() {
        pairs.push((Kind::Xfs, Kind::Xfs));
    }
    Ok(Options { program: program.ok_or("--program is missing")?, pairs, verbose })
}

fn pair(options: &Options, from: Kind, to: Kind) -> Outcome<()> {
    let size = 96 << 20;
    let volume = |kind| Volume::new(kind, size).ok_or("it cannot be mounted here");
    let (mut here, mut there) = (volume(from)?, volume(to)?);
    let tasks: Vec<&Task> =
        TASKS.iter().filter(|task| task.label != SIZES && installed(task.needs)).collect();
    let parts: Vec<Part> =
        fitting(from).into_iter().filter(|part| *part != Part::Immutable).collect();
    let state = tempfile::Builder::new().prefix("move-fidelity-").tempdir()?;
    let mut columns = Vec::new();
    for task in &tasks {
        eprintln!("move-fidelity: {} to {}: {}", from.word(), to.word(), task.label);
        let mut column = Column::default();
        for part in &parts {
            let mut trip = Trip::new(&mut here, &mut there, &[*part]);
            one(options, task, &mut trip, state.path(), *part, &mut column)?;
        }
        columns.push(column);
    }
    print(from, to, &tasks, &columns);
    Ok(())
}

fn one(
    options: &Options,
    task: &Task,
    trip: &mut Trip<'_>,
    state: &Path,
    part: Part,
    column: &mut Column,
) -> Outcome<()> {
    let mut accepted: BTreeSet<&str> = BTreeSet::new();
    loop {
        let mut line = task.line.to_owned();
        if task.label == FULL {
            for word in &accepted {
                line = line.replace(" -y ", &format!(" -y --accept-loss={word} "));
            }
        }
        let ran = Command::new("bash")
            .args(["--norc", "-c", &line])
            .env("L", &options.program)
            .env("A", &trip.made.top)
            .env("B", &trip.dest)
            .env("AD", trip.here())
            .env("BD", trip.dest.parent().unwrap_or(&trip.dest))
            .env("HOME", state)
            .env("XDG_STATE_HOME", state.join("state"))
            .stdin(Stdio::null())
            .output()?;
        let said = format!("{}{}", text_of(&ran.stdout), text_of(&ran.stderr));
        let code = ran.status.code().unwrap_or(-1);
        match trip.look() {
            Ended::Home => {
                let more = named(&said);
                if task.label == FULL && !more.is_subset(&accepted) {
                    accepted.extend(more);
                    continue;
                }
                column.stayed.push(format!("{} ({code})", part.word()));
            }
            Ended::There(differences) => {
                if options.verbose {
                    eprintln!("  {}: {}", part.word(), text(&differences));
                }
                for one in &differences {
                    let word = loss(&trip.before, one);
                    let tie = one.feature == Feature::OutsideLinks;
                    if tie && said.contains("has names outside")
                        || word.is_some_and(|word| accepted.contains(word))
                    {
                        *column.told.entry(one.feature).or_default() += 1;
                    }
                }
                for (feature, count) in table(&differences) {
                    *column.lost.entry(feature).or_default() += count;
                }
            }
            Ended::Half(what) => {
                if options.verbose {
                    eprintln!("  {}: {what}: {said}", part.word());
                }
                column.halves.push(format!("{} ({code})", part.word()));
            }
        }
        return Ok(());
    }
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).symlink_metadata().is_ok())
}

fn print(from: Kind, to: Kind, tasks: &[&Task], columns: &[Column]) {
    let labels: Vec<String> = tasks.iter().map(|task| task.label.replace('|', "\\|")).collect();
    println!("\n| {} → {} | {} |", from.word(), to.word(), labels.join(" | "));
    println!("|---|{}", "---|".repeat(labels.len()));
    let row = |name: &str, cells: Vec<String>| println!("| {name} | {} |", cells.join(" | "));
    for feature in Feature::ALL {
        let cell = |column: &Column| {
            let count = |map: &BTreeMap<Feature, usize>| map.get(&feature).copied().unwrap_or(0);
            match (count(&column.lost), count(&column.told)) {
                (0, _) => ".".to_owned(),
                (lost, told) if lost == told => format!("({lost})"),
                (lost, 0) => format!("**{lost}**"),
                (lost, told) => format!("**{}** ({told})", lost - told),
            }
        };
        if columns.iter().any(|column| column.lost.contains_key(&feature)) {
            row(feature.word(), columns.iter().map(cell).collect());
        }
    }
    let list = |parts: &[String]| {
        if parts.is_empty() { ".".to_owned() } else { parts.join(", ") }
    };
    row("not moved (exit status)", columns.iter().map(|one| list(&one.stayed)).collect());
    row("left in halves", columns.iter().map(|one| list(&one.halves)).collect());
}
