//! Power cuts, with the real journals of real file systems.
//!
//! Two disks (or three) are files of a file system of our own (`fuse`), which writes down every
//! write and every flush of all of them in one order (`disks`). Loop devices stand on them, and ext4,
//! xfs or btrfs on those (`volumes`). A program is run on them (`job`); then the disks are made what
//! they would be had the power failed at some moment, and mounted, so that the kernel reads the
//! journals as it would after a real cut; and what is there is looked at (`run`, `judge`, `goods`).
//!
//! Three models say what a disk keeps: all that was written; only what a flush had covered; that and an
//! arbitrary half of the rest, by blocks of 4 KiB. A real disk may do any of these. While the program
//! runs and after it has returned, one disk is written out without the other, as the system does it
//! in its own time.
//!
//! The whole happens in a namespace of its own, in which everything vanishes that was mounted. A
//! program that uses this calls [`role`] first of all: it is started again for the parts of it.

mod chance;
mod disks;
mod fuse;
mod goods;
mod job;
mod judge;
mod recorder;
mod run;
mod tally;
mod volumes;

use crate::need::Need;
use goods::Goods;
use job::{Job, Mover};
use run::Wish;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;
pub use tally::Tally;

/// In which variable a part of this is told which part it is.
const ROLE: &str = "LINKWELL_TEST_POWER_ROLE";

/// What this needs.
pub const NEEDS: [Need; 9] = [
    Need::Root,
    Need::LoopDevices,
    Need::Fuse,
    Need::Program("mkfs.ext4"),
    Need::Program("mkfs.xfs"),
    Need::Program("losetup"),
    Need::Program("blockdev"),
    Need::Program("unshare"),
    Need::Program("strace"),
];

/// The words after the program's name:
///
/// ```text
/// --program LINKWELL [--mover linkwell|linkwell-unsynced|mv|rsync]
/// [--job STEP[+FLAG][@CALL:N][,…]] [--goods tree|few|many|file] [--disks ext4[:xfs[:ext4]]]
/// [--cuts 24] [--runs 4] [--wait SECONDS] [--seed N] [--devices same|other] [--keep FOLDER]
/// ```
fn wish(arguments: &[String]) -> Result<Wish, String> {
    let mut wish = Wish {
        program: PathBuf::new(),
        mover: Mover::Linkwell,
        job: Job::of("move").ok_or("a job")?,
        goods: Goods::Tree,
        kinds: vec!["ext4".into(), "ext4".into()],
        cuts: 24,
        runs: 4,
        wait: Duration::ZERO,
        seed: 1,
        renumber: true,
        keep: None,
    };
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return Err(format!("a value is missing: {pair:?}")) };
        let wrong = || format!("{name} cannot be `{value}`");
        match name.as_str() {
            "--program" => wish.program = std::fs::canonicalize(value).map_err(|_| wrong())?,
            "--mover" => wish.mover = Mover::of(value).ok_or_else(wrong)?,
            "--job" => wish.job = Job::of(value).ok_or_else(wrong)?,
            "--goods" => wish.goods = Goods::of(value).ok_or_else(wrong)?,
            "--disks" => wish.kinds = value.split(':').map(Into::into).collect(),
            "--cuts" => wish.cuts = value.parse().map_err(|_| wrong())?,
            "--runs" => wish.runs = value.parse().map_err(|_| wrong())?,
            "--wait" => wish.wait = Duration::from_secs(value.parse().map_err(|_| wrong())?),
            "--seed" => wish.seed = value.parse().map_err(|_| wrong())?,
            "--devices" => wish.renumber = value == "other",
            "--keep" => wish.keep = Some(value.into()),
            _ => return Err(format!("{name} is not known")),
        }
    }
    if !(1..=3).contains(&wish.kinds.len()) {
        return Err("--disks names one file system, two, or three".into());
    }
    if wish.runs == 0 {
        return Err("--runs is at least 1".into());
    }
    Ok(wish)
}

/// Is the part of this that the program was started for; `None` when it was started for none.
pub fn role() -> Option<ExitCode> {
    let role = std::env::var(ROLE).ok()?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if role == "disks" {
        return Some(recorder::main(&arguments));
    }
    let mut out = std::io::stdout().lock();
    let (text, code) = match wish(&arguments) {
        Ok(wish) => (run::run(&wish).text(), ExitCode::SUCCESS),
        Err(why) => (why, ExitCode::from(2)),
    };
    writeln!(out, "{text}").expect("somebody reads");
    Some(code)
}

/// Runs what the words say, in a namespace of its own, and gives what came of it.
///
/// # Errors
/// Why it could not be done; what came of it is never an error.
pub fn cut<S: AsRef<str>>(words: &[S]) -> Result<Tally, String> {
    let me = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private"])
        .arg(me)
        .args(words.iter().map(AsRef::as_ref))
        .env(ROLE, "run")
        .output()
        .map_err(|error| format!("unshare: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let out = String::from_utf8_lossy(&output.stdout);
    let tally = Tally::parse(&out).filter(|_| output.status.success());
    tally.ok_or_else(|| format!("{out}{said}"))
}
