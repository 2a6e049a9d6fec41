//! Measures how fast linkwell moves a tree, as ratios to other programs in the same run.
//!
//! ```text
//! move-bench --program PATH/TO/linkwell [--cases LIST] [--runs N] [--files N] [--big MIB] [--count]
//! ```
//!
//! From the folder of the workspace, as root:
//!
//! ```text
//! cargo build --release --workspace --bins
//! target/release/move-bench --program target/release/linkwell
//! ```
//!
//! It makes two ext4 images in memory (`/dev/shm`) and moves each tree from one to the other and back,
//! by every program: copying and removal. Cases, all of them unless `--cases` lists some (`a,b`):
//!
//! * `a`: 100,000 small files, 586 MiB (`--files N`: another number);
//! * `A`: a fifth of that number, 4 KiB each;
//! * `b`: one file of 4096 MiB (`--big MIB`);
//! * `c`: as `A`, with 150 files of 1 to 7 MiB, 20 hard links, 200 symbolic links and a hole of a quarter of
//!   the size of `b`;
//! * `s`: ten times as many empty files, moved within a volume.
//!
//! The first round does not count, then come `--runs` (3), in another order each. Before every run all
//! is written out, so that no program pays for what another left; the links that linkwell leaves are
//! removed after it. Times are of both ways. Printed are the least of wall and of processor seconds
//! (children included), the ratio of both to `mv`, the peak memory (the high-water mark of linkwell), and
//! with `--count` the number of system calls an entry, by strace. Then come the goals.
//!
//! The exit status is 0 if everything was measured, whatever came out, and 2 if not.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program whose output is its table"
)]

#[path = "../bench/movers.rs"]
mod movers;
#[path = "../bench/payload.rs"]
mod payload;

use linkwell_testkit::volume::{Kind, Volume, alone};
use movers::{FULL, SIZES, TASKS, Task, WITHIN};
use payload::Payload;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

type Outcome<T> = Result<T, Box<dyn Error>>;

struct Options {
    program: PathBuf,
    cases: String,
    runs: usize,
    files: usize,
    big: u64,
    count: bool,
}

fn main() -> ExitCode {
    match options().and_then(|options| {
        alone(|| run(&options).map_err(|error| error.to_string())).map_err(Into::into)
    }) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("move-bench: {error}");
            ExitCode::from(2)
        }
    }
}

fn options() -> Outcome<Options> {
    let mut program = None;
    let mut found = Options {
        program: PathBuf::new(),
        cases: "aAbcs".into(),
        runs: 3,
        files: 100_000,
        big: 4096,
        count: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--count" {
            found.count = true;
            continue;
        }
        let value = arguments.next().ok_or(format!("{argument}: a value is missing"))?;
        match argument.as_str() {
            "--program" => program = Some(fs::canonicalize(value)?),
            "--cases" => found.cases = value,
            "--runs" => found.runs = value.parse()?,
            "--files" => found.files = value.parse()?,
            "--big" => found.big = value.parse()?,
            _ => return Err(format!("{argument}: unknown argument").into()),
        }
    }
    found.program = program.ok_or("--program is missing")?;
    Ok(found)
}

/// What one program cost.
#[derive(Default)]
struct Record {
    /// Wall and processor seconds of each round, both ways.
    rounds: Vec<[f64; 2]>,
    peak_kib: u64,
    calls: Option<f64>,
    failed: Option<String>,
}

impl Record {
    fn least(&self, which: usize) -> Option<f64> {
        let all = self.rounds.iter().filter_map(|both| both.get(which).copied());
        all.min_by(f64::total_cmp)
    }
}

fn run(options: &Options) -> Outcome<()> {
    for case in options.cases.chars().filter(|case| *case != ',') {
        one_case(options, case)?;
    }
    Ok(())
}

fn one_case(options: &Options, case: char) -> Outcome<()> {
    let fifth = options.files.div_ceil(5);
    let within = case == 's';
    let mib = match case {
        'b' => options.big + options.big / 4 + 256,
        // Room, and inodes enough that none is used again within the seconds in which that is slow.
        's' => (options.files as u64 * 10 / 50).max(1024),
        _ => (options.files as u64 / 12).max(2048),
    };
    let volume = || Volume::in_memory(Kind::Ext4, mib << 20).ok_or("ext4 cannot be mounted here");
    let (here, there) = (volume()?, if within { None } else { Some(volume()?) });
    let ends = [here.join("one"), there.as_ref().unwrap_or(&here).join("two")];
    for end in &ends {
        fs::create_dir(end)?;
    }
    let state = tempfile::Builder::new().prefix("move-bench-").tempdir()?;
    let tree = ends[0].join("tree");
    let mut payload = Payload::new();
    if case != 'b' {
        fs::create_dir(&tree)?;
    }
    match case {
        'a' => payload.small(&tree, options.files, 6144)?,
        'A' => payload.small(&tree, fifth, 4246)?,
        'b' => payload.file(&tree, options.big << 20)?,
        'c' => payload.mixed(&tree, fifth, options.big << 18)?,
        's' => payload.small(&tree, options.files * 10, 0)?,
        _ => return Err(format!("there is no case `{case}`").into()),
    }
    let bench = Bench { options, ends, state: state.path().into(), entries: payload.entries };
    let mut records: Vec<Record> = TASKS.iter().map(|_| Record::default()).collect();
    for round in 0..=options.runs {
        for which in order(round) {
            let (Some(task), Some(record)) = (TASKS.get(which), records.get_mut(which)) else {
                continue;
            };
            if within && !WITHIN.contains(&task.label) || record.failed.is_some() {
                continue;
            }
            eprintln!("move-bench: {case}: round {round} of {}: {}", options.runs, task.label);
            if let Err(why) = bench.there_and_back(task, record, round) {
                record.failed = Some(why.to_string());
                bench.is_home()?;
            }
        }
    }
    println!(
        "\n**{case}**: {} entries, {} MiB, least of {} runs, there and back\n",
        payload.entries,
        payload.bytes >> 20,
        options.runs
    );
    print(&records, within);
    if !within {
        goals(&records, case);
    }
    Ok(())
}

/// The programs in another order each round, the same on every machine.
fn order(round: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..TASKS.len()).collect();
    let mut state = (round as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut order = Vec::new();
    while !left.is_empty() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        order.push(left.swap_remove(usize::try_from(state >> 33).unwrap_or(0) % left.len()));
    }
    order
}

struct Bench<'o> {
    options: &'o Options,
    ends: [PathBuf; 2],
    state: PathBuf,
    entries: usize,
}

impl Bench<'_> {
    fn there_and_back(&self, task: &Task, record: &mut Record, round: usize) -> Outcome<()> {
        if !installed(task.needs) {
            return Err("not installed".into());
        }
        let [one, two] = &self.ends;
        let mut sum = [0.0; 2];
        for (from, to) in [(one, two), (two, one)] {
            // So that no program pays for writing what another has left.
            for end in &self.ends {
                rustix::fs::syncfs(fs::File::open(end)?)?;
            }
            if round == 0 && from == one && task.ours {
                record.peak_kib = self.peak(task, from, to)?;
            } else if round == 0 && self.options.count && (from == two) == task.ours {
                record.calls = Some(self.calls(task, from, to)?);
            } else {
                let [wall, processor] = self.timed(task, from, to)?;
                sum = [sum[0] + wall, sum[1] + processor];
            }
            let old = from.join("tree");
            if old.symlink_metadata().is_ok_and(|old| old.is_symlink()) {
                fs::remove_file(&old)?;
            }
            let came = to.join("tree").symlink_metadata().is_ok_and(|new| !new.is_symlink());
            if !came || old.symlink_metadata().is_ok() {
                return Err("it said that all was well and moved nothing".into());
            }
        }
        if round > 0 {
            record.rounds.push(sum);
        }
        Ok(())
    }

    /// After a failure the tree must be whole at the first place, or nothing more can be measured.
    fn is_home(&self) -> Outcome<()> {
        let [one, two] = self.ends.each_ref().map(|end| end.join("tree"));
        let there = |path: &Path| path.symlink_metadata().is_ok();
        if there(&one) && !there(&two) { Ok(()) } else { Err("a program left a half".into()) }
    }

    fn command(&self, program: &str, from: &Path, to: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env("L", &self.options.program)
            .env("A", from.join("tree"))
            .env("B", to.join("tree"))
            .env("AD", from)
            .env("BD", to)
            .env("HOME", &self.state)
            .env("XDG_STATE_HOME", self.state.join("state"))
            .stdin(Stdio::null());
        command
    }

    fn timed(&self, task: &Task, from: &Path, to: &Path) -> Outcome<[f64; 2]> {
        let script = format!("TIMEFORMAT='%3R %3U %3S'; time {{ {}; }} 2>\"$HOME/err\"", task.line);
        let ran = self.command("bash", from, to).args(["--norc", "-c", &script]).output()?;
        if !ran.status.success() {
            let said = fs::read_to_string(self.state.join("err")).unwrap_or_default();
            return Err(format!("{} {}", ran.status, first_line(&said)).into());
        }
        let text = String::from_utf8(ran.stderr)?;
        let numbers: Vec<f64> =
            text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [wall, user, system] = numbers.as_slice() else {
            return Err(format!("no times in {text:?}").into());
        };
        Ok([*wall, user + system])
    }

    /// Runs it once and reads its high-water mark (`VmHWM`) every millisecond.
    fn peak(&self, task: &Task, from: &Path, to: &Path) -> Outcome<u64> {
        let line = format!("exec {} 2>\"$HOME/err\"", task.line);
        let mut child = self.command("bash", from, to).args(["--norc", "-c", &line]).spawn()?;
        let about = format!("/proc/{}/status", child.id());
        let mut peak = 0;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            let text = fs::read_to_string(&about).unwrap_or_default();
            let mark = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let mark = mark.and_then(|mark| mark.split_whitespace().next()?.parse().ok());
            peak = mark.unwrap_or(peak);
            std::thread::sleep(Duration::from_millis(1));
        };
        if status.success() {
            return Ok(peak);
        }
        let said = fs::read_to_string(self.state.join("err")).unwrap_or_default();
        Err(format!("{status} {}", first_line(&said)).into())
    }

    /// System calls an entry.
    fn calls(&self, task: &Task, from: &Path, to: &Path) -> Outcome<f64> {
        let report = self.state.join("calls");
        let ran = self
            .command("strace", from, to)
            .args(["-f", "-qq", "-c", "-o"])
            .arg(&report)
            .args(["bash", "--norc", "-c", task.line])
            .output()?;
        if !ran.status.success() {
            let said = String::from_utf8_lossy(&ran.stderr).into_owned();
            return Err(format!("{} {}", ran.status, first_line(&said)).into());
        }
        let text = fs::read_to_string(report)?;
        let total = text.lines().rfind(|line| line.ends_with(" total")).ok_or("no total")?;
        let total: f64 = total.split_whitespace().nth(3).ok_or("no total")?.parse()?;
        Ok(total / self.entries as f64)
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or("")
}

fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).symlink_metadata().is_ok())
}

fn find<'r>(records: &'r [Record], label: &str) -> Option<&'r Record> {
    let which = TASKS.iter().position(|task| task.label == label)?;
    records.get(which)
}

fn ratio(records: &[Record], one: &str, other: &str, which: usize) -> Option<f64> {
    Some(find(records, one)?.least(which)? / find(records, other)?.least(which)?)
}

fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".into(), |value| format!("{value:.digits$}"))
}

fn print(records: &[Record], within: bool) {
    println!("| | wall s | processor s | wall / mv | processor / mv | peak MB | calls an entry |");
    println!("|---|--:|--:|--:|--:|--:|--:|");
    for (task, record) in TASKS.iter().zip(records) {
        if within && !WITHIN.contains(&task.label) {
            continue;
        }
        if let Some(why) = &record.failed {
            println!("| {} | {why} | | | | | |", task.label);
            continue;
        }
        let digits = if within { 3 } else { 2 };
        let peak = (record.peak_kib > 0).then_some(record.peak_kib as f64 / 1024.0);
        println!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            task.label,
            number(record.least(0), digits),
            number(record.least(1), digits),
            number(ratio(records, task.label, "mv", 0), 2),
            number(ratio(records, task.label, "mv", 1), 2),
            number(peak, 1),
            number(record.calls, 1),
        );
    }
}

/// What must hold: which program against which, by wall (0) or processor time (1), at most how much.
fn goals(records: &[Record], case: char) {
    let goals: &[(&str, &str, usize, f64)] = match case {
        'a' | 'A' => &[
            (SIZES, "mv", 1, 0.75),
            (SIZES, "rsync -aHAXS; rm", 1, 0.55),
            (SIZES, "mv", 0, 0.6),
            (FULL, SIZES, 1, 1.8),
        ],
        'b' => &[(SIZES, "mv", 1, 1.0), (SIZES, "rsync -aHAXS; rm", 1, 0.3), (FULL, SIZES, 1, 1.8)],
        _ => &[(SIZES, "mv", 1, 0.8), (FULL, SIZES, 1, 1.8)],
    };
    println!("\n| goal | at most | measured | |\n|---|--:|--:|---|");
    for (one, other, which, most) in goals {
        let by = if *which == 0 { "wall" } else { "processor" };
        let measured = ratio(records, one, other, *which);
        let holds = measured.map_or("-", |value| if value <= *most { "yes" } else { "**no**" });
        println!("| {one} / {other}, {by} | {most} | {} | {holds} |", number(measured, 2));
    }
}
