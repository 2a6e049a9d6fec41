//! Measures what it costs to have links on record, as ratios to a scan in the same run.
//!
//! ```text
//! keep-bench --program PATH/TO/linkwell [--links N] [--runs N] [--only record|live|lost]…
//! ```
//!
//! From the folder of the workspace:
//!
//! ```text
//! cargo build --release --workspace --bins
//! target/release/keep-bench --program target/release/linkwell
//! ```
//!
//! Three parts, each in folders of its own in the folder for temporary files.
//!
//! `record`: it makes a tree of N links (1,000,000 unless `--links` says otherwise), 100 in each folder, to a tenth as
//! many files in a thousandth as many folders. `list` walks it, `track`
//! puts all of it on record, the first time and once more; `refs` looks for the links to one file and into
//! one folder, by the record and by a scan; `status` judges every link on record. One round does not count,
//! then the rounds alternate (`--runs`, 5). Printed are the median of wall and processor seconds, the ratio to
//! `list` or to the scan, and the size of the record. All times are of whole processes. What `create` pays for
//! the record is in `change-bench`.
//!
//! `live`: a watcher with N / 100 links on record. Printed are the processor seconds and the memory until it
//! watches; the milliseconds from the end of the grace until a link follows a target that was renamed; and the
//! seconds until all follow, when a folder above all targets was renamed: the first time, and again at once, which ext4
//! makes dearer. It waits for a minute in between.
//!
//! `lost`: in a tree of N files, 100 in each folder, N / 1,000 links lead to files that then move to other
//! folders, each second one under a new name. `repair -n` looks for all of them: by handles, as root may; by a
//! walk, as everybody may (root gives up what it takes, CAP_DAC_READ_SEARCH); and without any record. Beside it stand
//! `list` of the same tree, and `find`, by inode number and by name: a few searches are timed, and multiplied by the number
//! of links. What was found is counted, and must be all that can be.
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

#[path = "../bench/follow.rs"]
mod follow;

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

/// A search for what is lost, as a line of bash; `$S` is how root does without handles.
const LOST: [Task; 6] = [
    Task { label: "list", line: "\"$L\" list \"$T\" > /dev/null", beside: 0, before: "" },
    Task {
        label: "repair, tracked, by handles",
        line: "\"$L\" repair -n --json --near --search \"$T\" \"$T/links\" > \"$T/found-2\" || [ $? = 1 ]",
        beside: 0,
        before: "",
    },
    Task {
        label: "repair, tracked, by a walk",
        line: "$S \"$L\" repair -n --json --near --search \"$T\" \"$T/links\" > \"$T/found-2\" || [ $? = 1 ]",
        beside: 0,
        before: "",
    },
    Task {
        label: "repair, never tracked",
        line: "XDG_STATE_HOME=$T/none \"$L\" repair -n --json --near --search \"$T\" \"$T/links\" > \"$T/found-1\" || [ $? = 1 ]",
        beside: 0,
        before: "",
    },
    Task {
        label: "find -inum, one link",
        line: "find \"$T\" -inum \"$I\" > /dev/null",
        beside: 0,
        before: "",
    },
    Task {
        label: "find -name, one link",
        line: "find \"$T\" -name \"$N\" > /dev/null",
        beside: 0,
        before: "",
    },
];

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
    only: Vec<String>,
}

impl Options {
    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }
}

fn options() -> Outcome<Options> {
    let (mut program, mut links, mut runs, mut only) = (None, 1_000_000, 5, Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        let value = arguments.next().ok_or(format!("{argument}: a value is missing"))?;
        match argument.as_str() {
            "--program" => program = Some(fs::canonicalize(value)?),
            "--links" => links = value.parse()?,
            "--runs" => runs = value.parse()?,
            "--only" if ["record", "live", "lost"].contains(&value.as_str()) => only.push(value),
            _ => return Err(format!("{argument}: unknown argument").into()),
        }
    }
    Ok(Options { program: program.ok_or("--program is missing")?, links, runs, only })
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
    if options.wants("live") {
        live(&top.join("live"), &options)?;
    }
    if options.wants("lost") {
        lost(&top.join("lost"), &options)?;
    }
    if options.wants("record") {
        record(&top.join("record"), &options)?;
    }
    ground.close()?;
    Ok(())
}

fn record(top: &Path, options: &Options) -> Outcome<()> {
    eprintln!("keep-bench: making {} links", options.links);
    make(top, options.links)?;
    let surroundings = [("T", top.to_owned()), ("XDG_STATE_HOME", top.join("state"))];
    let seconds = rounds(&TASKS, &surroundings, options)?;
    let size = fs::metadata(top.join("state/linkwell/catalogue.sqlite"))?.len();
    println!("{} links, median of {} runs\n", options.links, options.runs);
    print(&TASKS, &seconds);
    let links = u64::try_from(options.links).unwrap_or(u64::MAX).max(1);
    println!("\nthe record: {} KiB, {} bytes a link\n", size / 1024, size / links);
    Ok(())
}

fn live(top: &Path, options: &Options) -> Outcome<()> {
    let links = (options.links / 100).max(1);
    eprintln!("keep-bench: watching {links} links");
    let followed = follow::follow(&options.program, top, links, options.runs)?;
    let (seconds, memory) = followed.ready;
    println!("{links} links watched\n");
    println!("| | |\n|---|---|");
    println!("| until it watches, processor s | {seconds:.2} |");
    println!("| the most memory by then, MB | {:.1} |", measured(memory) / 1000.0);
    println!(
        "| one target renamed, from the end of the grace, median, ms | {:.2} |",
        followed.one.0
    );
    println!("| the same, the slowest, ms | {:.2} |", followed.one.1);
    println!("| a folder above all renamed, until all are healed, s | {:.3} |", followed.all.0);
    println!("| the same again at once, s | {:.3} |\n", followed.all.1);
    Ok(())
}

fn lost(top: &Path, options: &Options) -> Outcome<()> {
    let (files, links) = (options.links, (options.links / 1000).max(1));
    eprintln!("keep-bench: making {files} files");
    let tree = top.join("tree");
    let targets = lost_tree(&tree, files, links)?;
    let state = top.join("state");
    let mut tracked = Command::new(&options.program);
    tracked.args(["track", "-q"]).arg(tree.join("links"));
    if !tracked.env("HOME", top).env("XDG_STATE_HOME", &state).status()?.success() {
        return Err("they could not be tracked".into());
    }
    let mut sample = PathBuf::new();
    let mut inode = 0;
    let folders = files.div_ceil(IN_ONE);
    for (number, target) in targets.iter().enumerate() {
        let name = target.file_name().ok_or("a name")?.to_string_lossy().into_owned();
        let name = if number % 2 == 0 { name } else { format!("new-{name}") };
        let into = tree.join(format!("d{}", (number * 31 + 17) % folders));
        fs::rename(target, into.join(&name))?;
        if number == links / 2 / 2 * 2 {
            inode = std::os::unix::fs::MetadataExt::ino(&fs::metadata(into.join(&name))?);
            sample = name.into();
        }
    }
    let without =
        rustix::process::geteuid().is_root().then_some("setpriv --bounding-set=-dac_read_search");
    let surroundings = [
        ("T", tree.clone()),
        ("XDG_STATE_HOME", state),
        ("N", sample),
        ("I", inode.to_string().into()),
        ("S", without.unwrap_or_default().into()),
    ];
    let seconds = rounds(&LOST, &surroundings, options)?;
    println!("{links} lost among {files} files, median of {} runs\n", options.runs);
    print(&LOST, &seconds);
    let found = |name: &str| -> Outcome<usize> {
        let text = fs::read_to_string(tree.join(name))?;
        Ok(text
            .lines()
            .filter(|line| line.contains("\"choice\":"))
            .filter(|line| !line.contains("\"choice\":\"none\""))
            .count())
    };
    let (recorded, by_name) = (found("found-2")?, found("found-1")?);
    println!(
        "\nfound: {recorded} of {links} on record, {by_name} of {} never tracked that kept their names",
        links.div_ceil(2)
    );
    if recorded != links || by_name != links.div_ceil(2) {
        return Err("not all was found that is there".into());
    }
    let cost = |task: usize| seconds.get(task).map_or(f64::NAN, |seconds| median(seconds, 1));
    for (search, repair) in [(4, 2), (5, 3)] {
        let label = LOST.get(search).map_or("", |task| task.label);
        println!(
            "`{label}`, {} times and multiplied by {links}: {:.0} times the processor time of the one repair",
            options.runs,
            cost(search) * measured(u64::try_from(links)?) / cost(repair)
        );
    }
    println!();
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "shown with few digits")]
fn measured(number: u64) -> f64 {
    number as f64
}

/// Files, and links to some of them.
fn lost_tree(tree: &Path, files: usize, links: usize) -> Outcome<Vec<PathBuf>> {
    fs::create_dir_all(tree.join("links"))?;
    let mut targets = Vec::with_capacity(links);
    for number in 0..files {
        let folder = tree.join(format!("d{}", number / IN_ONE));
        if number % IN_ONE == 0 {
            fs::create_dir(&folder)?;
        }
        let file = folder.join(format!("f{number}"));
        if number % (files / links) == 0 && targets.len() < links {
            fs::write(&file, number.to_string())?;
            std::os::unix::fs::symlink(&file, tree.join(format!("links/l{number}")))?;
            targets.push(file);
        } else {
            fs::File::create(&file)?;
        }
    }
    Ok(targets)
}

/// Each task in turn, again and again: what each took. The first round does not count.
fn rounds(
    tasks: &[Task],
    surroundings: &[(&str, PathBuf)],
    options: &Options,
) -> Outcome<Vec<Vec<[f64; 2]>>> {
    let mut seconds: Vec<Vec<[f64; 2]>> = tasks.iter().map(|_| Vec::new()).collect();
    for round in 0..=options.runs {
        for (task, seconds) in tasks.iter().zip(&mut seconds) {
            eprintln!("keep-bench: round {round} of {}: {}", options.runs, task.label);
            let took = timed(task, surroundings, options)?;
            if round > 0 {
                seconds.push(took);
            }
        }
    }
    Ok(seconds)
}

/// Runs a task once: wall and processor seconds.
fn timed(task: &Task, surroundings: &[(&str, PathBuf)], options: &Options) -> Outcome<[f64; 2]> {
    let before = if task.before.is_empty() { ":" } else { task.before };
    let script =
        format!("{before}; TIMEFORMAT='%3R %3U %3S'; time {{ {}; }} 2> \"$T/err\"", task.line);
    let mut bash = Command::new("bash");
    bash.args(["-c", &script]).env("L", &options.program);
    for (name, value) in surroundings {
        bash.env(name, value);
    }
    let home = surroundings.first().map(|(_, tree)| tree.as_path());
    let ran = bash.env("HOME", home.unwrap_or(Path::new("/"))).output()?;
    if !ran.status.success() {
        let said = home.and_then(|tree| fs::read_to_string(tree.join("err")).ok());
        return Err(format!("{}: {} {}", task.label, ran.status, said.unwrap_or_default()).into());
    }
    let text = String::from_utf8(ran.stderr)?;
    let numbers: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [wall, user, system] = numbers.as_slice() else {
        return Err(format!("{}: no times in {text:?}", task.label).into());
    };
    Ok([*wall, user + system])
}

fn middle(all: &[f64]) -> f64 {
    let mut all = all.to_vec();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

fn median(seconds: &[[f64; 2]], which: usize) -> f64 {
    let all: Vec<f64> = seconds.iter().filter_map(|both| both.get(which).copied()).collect();
    middle(&all)
}

fn print(tasks: &[Task], seconds: &[Vec<[f64; 2]>]) {
    println!("| | wall s | processor s | wall, beside | processor, beside | |");
    println!("|---|---|---|---|---|---|");
    let taken =
        |task: usize, which| seconds.get(task).map_or(f64::NAN, |seconds| median(seconds, which));
    for (number, task) in tasks.iter().enumerate() {
        let beside = tasks.get(task.beside).map_or("", |task| task.label);
        println!(
            "| {} | {:.3} | {:.3} | {:.3} | {:.3} | of `{beside}` |",
            task.label,
            taken(number, 0),
            taken(number, 1),
            taken(number, 0) / taken(task.beside, 0),
            taken(number, 1) / taken(task.beside, 1)
        );
    }
}
