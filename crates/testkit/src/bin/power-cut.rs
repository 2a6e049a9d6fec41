//! Cuts the power while something is moved from one disk to another, and counts what is lost.
//!
//! ```text
//! power-cut --program PATH/TO/linkwell [--mover M] [--job J] [--goods G] [--disks A[:B[:C]]]
//!           [--cuts N] [--runs N] [--wait SECONDS] [--seed N] [--devices D] [--keep FOLDER]
//! power-cut --program PATH/TO/linkwell --table [--cuts N] [--runs N] [--wait SECONDS] [--seed N]
//! ```
//!
//! As root, in a place where loop devices and FUSE may be used. See `linkwell_testkit::power` for how.
//!
//! * `--mover`: `linkwell`; `linkwell-unsynced`, which is told that every sync was done when none was;
//!   `mv`; `rsync` (with `--remove-source-files`).
//! * `--job`: commands with commas between them: `move`, `undo`, `back`, `recover`, `aside` (without
//!   linkwell, the tree is put there and a link here), `contents` (the link becomes a copy). The last is
//!   recorded. With `@CALL:N` it is killed at its N-th call: `move@renameat2:3,recover`; with `+FLAG`
//!   it is given that flag: `move+keep`.
//! * `--goods`: a `tree` of sixty files, `few` or `many` files in a folder, or a `file`.
//! * `--disks`: the file systems here and there, `ext4:xfs`. A third one holds linkwell's journal,
//!   which is otherwise on the first; with one alone, the move is within it.
//! * `--cuts`: at how many moments; each gives three states. `--runs`: in how many recordings. In the
//!   first of four the disk that is moved from is written out all the time, in the second both, in
//!   the third the other one, in the fourth none.
//! * `--wait`: how many seconds the system is left alone after the program has returned, instead; 40
//!   show when it writes by itself.
//! * `--devices`: `other` (so it is) or the `same` device numbers after the cut.
//! * `--keep`: a folder for the disks of every state in which something is wrong.
//!
//! The exit status is 0 when linkwell, with its syncs, was never wrong, 1 when it was, and 2
//! when it could not be tried.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program whose output is its table"
)]

use linkwell_testkit::power;
use std::process::ExitCode;

const PAIRS: [&str; 4] = ["ext4:ext4", "ext4:xfs", "ext4:btrfs", "xfs:xfs"];

/// Movers and jobs of the table.
const ROWS: [(&str, &str); 8] = [
    ("linkwell", "move"),
    ("linkwell", "move@renameat2:3"),
    ("linkwell", "move@renameat2:3,recover"),
    ("linkwell", "move,undo"),
    ("linkwell", "move,back"),
    ("linkwell-unsynced", "move"),
    ("mv", "move"),
    ("rsync", "move"),
];

fn main() -> ExitCode {
    if let Some(ended) = power::role() {
        return ended;
    }
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let table = words.iter().position(|word| word == "--table");
    let ended = match table {
        Some(at) => {
            words.remove(at);
            rows(&words)
        }
        None => one(&words),
    };
    match ended {
        Ok(well) => ExitCode::from(u8::from(!well)),
        Err(why) => {
            eprintln!("error: {}", why.trim_end());
            ExitCode::from(2)
        }
    }
}

/// One run; whether nothing was wrong that should not be.
fn one(words: &[String]) -> Result<bool, String> {
    let tally = power::cut(words)?;
    let others = ["mv", "rsync", "linkwell-unsynced"];
    let may_be_wrong = words.iter().any(|word| others.contains(&word.as_str()));
    let well = may_be_wrong || tally.bad() == 0;
    print!("{}", tally.text());
    Ok(well)
}

/// All rows of the table; whether nothing was wrong that should not be.
fn rows(words: &[String]) -> Result<bool, String> {
    println!("| mover | job | disks | states | losing files | at most | other faults |");
    println!("|---|---|---|---|---|---|---|");
    let mut well = true;
    for (mover, job) in ROWS {
        for pair in PAIRS {
            let mut words = words.to_vec();
            words.extend(["--mover", mover, "--job", job, "--disks", pair].map(Into::into));
            let tally = power::cut(&words)?;
            let (states, losing, most) = (tally.states, tally.losing, tally.most);
            let (files, other) = (tally.files, tally.bad() - losing);
            println!(
                "| {mover} | {job} | {pair} | {states} | {losing} | {most} of {files} | {other} |"
            );
            if mover == "linkwell" && tally.bad() > 0 {
                well = false;
                print!("{}", tally.wrong);
            }
        }
    }
    Ok(well)
}
