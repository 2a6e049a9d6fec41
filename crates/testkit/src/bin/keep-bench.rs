//! Measures what it costs to have links on record, as ratios to a scan in the same run.
//!
//! ```text
//! keep-bench --program PATH/TO/linkwell [--links N] [--runs N]
//! ```
//!
//! From the folder of the workspace:
//!
//! ```text
//! cargo build --release --workspace --bins
//! target/release/keep-bench --program target/release/linkwell
//! ```
//!
//! It makes a tree of N links (1,000,000 unless `--links` says otherwise), 100 in each folder, to a tenth as
//! many files in a thousandth as many folders, in the folder for temporary files. `list` walks it, `track`
//! puts all of it on record, the first time and once more; `refs` looks for the links to one file and into
//! one folder, by the record and by a scan; `status` judges every link on record. One round does not count,
//! then the rounds alternate (`--runs`, 5). Printed are the median of wall and processor seconds, the ratio to
//! `list` or to the scan, and the size of the record. All times are of whole processes. What `create` pays for
//! the record is in `change-bench`.
//!
//! The exit status is 0 if everything was measured, whatever came out, and 2 if not.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program whose output is its table"
)]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// How many links, or files, stand in one folder.
const IN_ONE: usize = 100;

/// One command, as a line of bash. `$L` is linkwell, `$T` the tree.
struct Task {
    label: &'static str,
    line: &'static str,
    /// The number of the task that it is compared with.
    beside: usize,
    /// A line that comes before and is not timed.
    before: &'static str,
}

const TASKS: [Task; 8] = [
    Task { label: "list", line: "\"$L\" list \"$T/links\" > /dev/null", beside: 0, before: "" },
    Task {
        label: "track, nothing on record",
        line: "\"$L\" track -q \"$T/links\"",
        beside: 0,
        before: "rm -f \"$XDG_STATE_HOME\"/linkwell/catalogue.*",
    },
    Task {
        label: "track, all on record",
        line: "\"$L\" track -q \"$T/links\"",
        beside: 0,
        before: "",
    },
    Task {
        label: "refs FILE --scan",
        line: "\"$L\" refs -q \"$T/files/d0/f7\" --under \"$T/links\" --scan > /dev/null",
        beside: 3,
        before: "",
    },
    Task {
        label: "refs FILE, by the record",
        line: "\"$L\" refs -q \"$T/files/d0/f7\" --under \"$T/links\" --recorded > /dev/null",
        beside: 3,
        before: "",
    },
    Task {
        label: "refs FOLDER, by the record",
        line: "\"$L\" refs -q \"$T/files/d0\" --under \"$T/links\" --recorded > /dev/null",
        beside: 3,
        before: "",
    },
    Task { label: "status", line: "\"$L\" status > /dev/null || true", beside: 0, before: "" },
    Task {
        label: "list --tracked",
        line: "\"$L\" list --tracked \"$T/links\" > /dev/null",
        beside: 0,
        before: "",
    },
];

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("keep-bench: {error}");
            ExitCode::from(2)
        }
    }
}

struct Options {
    program: PathBuf,
    links: usize,
    runs: usize,
}

fn options() -> Outcome<Options> {
    let (mut program, mut links, mut runs) = (None, 1_000_000, 5);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let value = arguments.next().ok_or(format!("{argument}: a value is missing"))?;
        match argument.as_str() {
            "--program" => program = Some(fs::canonicalize(value)?),
            "--links" => links = value.parse()?,
            "--runs" => runs = value.parse()?,
            _ => return Err(format!("{argument}: unknown argument").into()),
        }
    }
    Ok(Options { program: program.ok_or("--program is missing")?, links, runs })
}

/// Makes the files, and the links to them in turn.
fn make(top: &Path, links: usize) -> Outcome<()> {
    let files = (links / 10).max(IN_ONE);
    for folder in 0..files.div_ceil(IN_ONE) {
        let folder = top.join("files").join(format!("d{folder}"));
        fs::create_dir_all(&folder)?;
        for file in 0..IN_ONE {
            fs::File::create(folder.join(format!("f{file}")))?;
        }
    }
    let files = files.div_ceil(IN_ONE) * IN_ONE;
    let mut next = 0;
    for folder in 0..links.div_ceil(IN_ONE) {
        let folder =
            top.join("links").join(format!("s{}", folder / 100)).join(format!("d{folder}"));
        fs::create_dir_all(&folder)?;
        for link in 0..IN_ONE {
            // A prime, so that the links of one folder lead into many.
            next = (next + 7919) % files;
            let text = format!("../../../files/d{}/f{}", next / IN_ONE, next % IN_ONE);
            std::os::unix::fs::symlink(text, folder.join(format!("l{link}")))?;
        }
    }
    Ok(())
}

fn start() -> Outcome<()> {
    let options = options()?;
    let ground = tempfile::Builder::new().prefix("keep-bench-").tempdir()?;
    let top = fs::canonicalize(ground.path())?;
    eprintln!("keep-bench: making {} links", options.links);
    make(&top, options.links)?;
    let mut seconds: Vec<Vec<[f64; 2]>> = TASKS.iter().map(|_| Vec::new()).collect();
    for round in 0..=options.runs {
        for (task, seconds) in TASKS.iter().zip(&mut seconds) {
            eprintln!("keep-bench: round {round} of {}: {}", options.runs, task.label);
            let took = timed(task, &top, &options)?;
            if round > 0 {
                seconds.push(took);
            }
        }
    }
    let record = top.join("state/linkwell/catalogue.sqlite");
    let size = fs::metadata(record)?.len();
    print(&options, &seconds, size);
    ground.close()?;
    Ok(())
}

/// Runs a task once: wall and processor seconds.
fn timed(task: &Task, top: &Path, options: &Options) -> Outcome<[f64; 2]> {
    let before = if task.before.is_empty() { ":" } else { task.before };
    let script =
        format!("{before}; TIMEFORMAT='%3R %3U %3S'; time {{ {}; }} 2> \"$T/err\"", task.line);
    let ran = Command::new("bash")
        .args(["-c", &script])
        .env("L", &options.program)
        .env("T", top)
        .env("HOME", top)
        .env("XDG_STATE_HOME", top.join("state"))
        .output()?;
    if !ran.status.success() {
        let said = fs::read_to_string(top.join("err")).unwrap_or_default();
        return Err(format!("{}: {} {said}", task.label, ran.status).into());
    }
    let text = String::from_utf8(ran.stderr)?;
    let numbers: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [wall, user, system] = numbers.as_slice() else {
        return Err(format!("{}: no times in {text:?}", task.label).into());
    };
    Ok([*wall, user + system])
}

fn median(seconds: &[[f64; 2]], which: usize) -> f64 {
    let mut all: Vec<f64> = seconds.iter().filter_map(|both| both.get(which).copied()).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

fn print(options: &Options, seconds: &[Vec<[f64; 2]>], size: u64) {
    println!("{} links, median of {} runs\n", options.links, options.runs);
    println!("| | wall s | processor s | wall, beside | |");
    println!("|---|---|---|---|---|");
    let wall = |task: usize| seconds.get(task).map_or(f64::NAN, |seconds| median(seconds, 0));
    for (number, task) in TASKS.iter().enumerate() {
        let processor = seconds.get(number).map_or(f64::NAN, |seconds| median(seconds, 1));
        let beside = TASKS.get(task.beside).map_or("", |task| task.label);
        println!(
            "| {} | {:.3} | {processor:.3} | {:.3} | of `{beside}` |",
            task.label,
            wall(number),
            wall(number) / wall(task.beside)
        );
    }
    let links = u64::try_from(options.links).unwrap_or(u64::MAX).max(1);
    println!("\nthe record: {} KiB, {} bytes a link", size / 1024, size / links);
}
