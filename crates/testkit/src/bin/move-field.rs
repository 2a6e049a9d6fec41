//! Moves what people really move between two file systems, uses it there, and brings it back.
//!
//! ```text
//! move-field --program PATH/TO/linkwell [--pair FROM:TO]… [--input WORD]… [--short]
//! ```
//!
//! From the folder of the workspace, as root:
//!
//! ```text
//! cargo build --release --workspace --bins
//! target/release/move-field --program target/release/linkwell
//! ```
//!
//! A cargo registry with a crate and its target folder, a pnpm tree, a git repository, a SQLite database in
//! use and large files are moved from `ext4` to `xfs`, from `xfs` to `ext4`, and from `ext4` to `btrfs`, on loop images of
//! their own; used through the link by the programs that they belong to; undone, moved again, brought
//! home; killed while they are copied, recovered, and moved by the same words; and moved within a volume.
//! After each step everything about the tree is compared with what it was.
//!
//! It wants the network (crates.io, npm) and about 10 GB of room, unless `--short` makes small ones.
//!
//! The exit status is 0 if all of it held, 1 if something did not, and 2 if it could not be tried.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program whose output is its table"
)]

use linkwell_testkit::daily::{Input, Journey};
use linkwell_testkit::volume::{Kind, alone};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

const PAIRS: [(Kind, Kind); 3] =
    [(Kind::Ext4, Kind::Xfs), (Kind::Xfs, Kind::Ext4), (Kind::Ext4, Kind::Btrfs)];

struct Options {
    program: PathBuf,
    pairs: Vec<(Kind, Kind)>,
    inputs: Vec<Input>,
    long: bool,
}

fn main() -> ExitCode {
    match options() {
        Ok(options) if alone(|| table(&options)) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("move-field: {why}");
            ExitCode::from(2)
        }
    }
}

fn options() -> Result<Options, String> {
    let (mut program, mut long) = (None, true);
    let (mut pairs, mut inputs) = (Vec::new(), Vec::new());
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--short" {
            long = false;
            continue;
        }
        let value = arguments.next().ok_or(format!("{argument}: a value is missing"))?;
        match argument.as_str() {
            "--program" => {
                let path = std::fs::canonicalize(&value);
                program = Some(path.map_err(|error| format!("{value}: {error}"))?);
            }
            "--pair" => {
                let kinds = value
                    .split_once(':')
                    .and_then(|(from, to)| Some((Kind::from_word(from)?, Kind::from_word(to)?)));
                pairs.push(kinds.ok_or(format!("{value}: no such pair of file systems"))?);
            }
            "--input" => {
                let input = Input::ALL.into_iter().find(|input| input.word() == value);
                inputs.push(input.ok_or(format!("{value}: no such input"))?);
            }
            _ => return Err(format!("{argument}: unknown argument")),
        }
    }
    if pairs.is_empty() {
        pairs.extend(PAIRS);
    }
    if inputs.is_empty() {
        inputs.extend(Input::ALL);
    }
    Ok(Options { program: program.ok_or("--program is missing")?, pairs, inputs, long })
}

/// Prints a line for each journey; whether all held.
fn table(options: &Options) -> bool {
    println!(
        "| what | disks | entries | MB | named losses | move | undo | back | killed | within | held |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|");
    let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
    let mut all = true;
    for input in &options.inputs {
        for (from, to) in &options.pairs {
            eprintln!("move-field: {}, {} to {}", input.word(), from.word(), to.word());
            let gone = Journey::new(&options.program, *input, (*from, *to), options.long)
                .and_then(|journey| journey.ok_or("a file system is missing")?.go());
            let head = format!("| {} | {}:{} |", input.word(), from.word(), to.word());
            match gone {
                Ok(row) => {
                    let named: Vec<&str> = row.named.iter().copied().collect();
                    let times = [row.across, row.undo, row.back].map(seconds).join(" | ");
                    println!(
                        "{head} {} | {} | {} | {times} | {} | {} | yes |",
                        row.entries,
                        row.bytes / 1_000_000,
                        if named.is_empty() { "none".into() } else { named.join(", ") },
                        row.killed,
                        seconds(row.within)
                    );
                }
                Err(why) => {
                    all = false;
                    println!("{head} | | | | | | | | NO: {} |", why.replace(['\n', '|'], " "));
                }
            }
        }
    }
    all
}
