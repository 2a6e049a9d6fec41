//! Leads astray what people really link to, and looks whether the links find it again.
//!
//! ```text
//! keep-field --program PATH/TO/linkwell [--scene WORD]… [--by WORD]… [--seed N] [--short]
//! ```
//!
//! From the folder of the workspace, as root:
//!
//! ```text
//! cargo build --release --workspace --bins
//! target/release/keep-field --program target/release/linkwell
//! ```
//!
//! A home with links made by GNU stow, a pnpm tree, and this system's alternatives copied aside with what they
//! lead to. What the links lead to is moved, renamed and shuffled by `mv`, by `git mv`, by a file manager on a display
//! in memory, and by `rsync` from one file system to another; while a watcher runs, and while none does. Then
//! `repair --certain`, `repair --likely` and `check --tracked`.
//!
//! It wants the network (npm), and for the file manager `pcmanfm`, `xvfb`, `xdotool`, `openbox` and `dbus`; `--short`
//! makes small trees without the network.
//!
//! The exit status is 0 if no link was led wrong, 1 if one was, and 2 if something could not be tried.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program whose output is its table"
)]

use linkwell_testkit::astray::{Mover, Row, Scene, trial};
use linkwell_testkit::volume::alone;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

struct Options {
    program: PathBuf,
    scenes: Vec<Scene>,
    movers: Vec<Mover>,
    seed: u64,
    long: bool,
}

fn main() -> ExitCode {
    match options() {
        Ok(options) if alone(|| table(&options)) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(why) => {
            eprintln!("keep-field: {why}");
            ExitCode::from(2)
        }
    }
}

fn options() -> Result<Options, String> {
    let (mut program, mut long, mut seed) = (None, true, 1);
    let (mut scenes, mut movers) = (Vec::new(), Vec::new());
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
            "--scene" => {
                let scene = Scene::ALL.into_iter().find(|scene| scene.word() == value);
                scenes.push(scene.ok_or(format!("{value}: no such scene"))?);
            }
            "--by" => {
                let mover = Mover::ALL.into_iter().find(|mover| mover.word() == value);
                movers.push(mover.ok_or(format!("{value}: no such mover"))?);
            }
            "--seed" => seed = value.parse().map_err(|_| format!("{value}: no number"))?,
            _ => return Err(format!("{argument}: unknown argument")),
        }
    }
    if scenes.is_empty() {
        scenes.extend(Scene::ALL);
    }
    if movers.is_empty() {
        movers.extend(Mover::ALL);
    }
    Ok(Options { program: program.ok_or("--program is missing")?, scenes, movers, seed, long })
}

/// Prints a line for each trial; whether no link was led wrong.
fn table(options: &Options) -> bool {
    println!(
        "| links of | moved by | watched | links | moves | dead before `repair` | after `--certain` | after `--likely` | name taken | right | wrong | `check` names | and as gone from its place | `repair` leaves |"
    );
    println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
    let mut all = true;
    for scene in &options.scenes {
        for mover in options.movers.iter().filter(|mover| mover.fits(*scene)) {
            for watched in [false, true] {
                let head = format!(
                    "| {} | {} | {} |",
                    scene.word(),
                    mover.word(),
                    if watched { "yes" } else { "no" }
                );
                eprintln!("keep-field: {head}");
                let gone = trial(
                    &options.program,
                    (*scene, *mover),
                    watched,
                    (options.long, options.seed),
                );
                match gone.and_then(|row| row.ok_or("a file system is missing".into())) {
                    Ok(row) => print(&head, &row),
                    Err(why) => {
                        all = false;
                        println!("{head} NO: {} |", why.replace(['\n', '|'], " "));
                    }
                }
            }
        }
    }
    all
}

fn print(head: &str, row: &Row) {
    let words = |counts: &BTreeMap<String, usize>| {
        let all: Vec<String> =
            counts.iter().map(|(word, count)| format!("{count} {word}")).collect();
        if all.is_empty() { "nothing".into() } else { all.join(", ") }
    };
    println!(
        "{head} {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
        row.links,
        row.moved,
        row.live.dead,
        row.certain.dead,
        row.likely.dead,
        row.likely.taken,
        row.likely.right,
        row.likely.wrong,
        words(&row.named),
        row.elsewhere,
        words(&row.left)
    );
}
