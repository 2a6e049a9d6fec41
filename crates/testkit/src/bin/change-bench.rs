//! Measures how fast linkwell makes and retargets links, as ratios to other programs in the same run.
//!
//! ```text
//! change-bench --program PATH/TO/linkwell [--links N] [--runs N]
//! ```
//!
//! From the folder of the workspace:
//!
//! ```text
//! cargo build --release --workspace --bins
//! target/release/change-bench --program target/release/linkwell
//! ```
//!
//! It makes a folder of N empty files (100,000 unless `--links` says otherwise), 100 in each subfolder,
//! in the folder for temporary files. Then every program makes a link to each of them, or retargets
//! such links, in a fresh folder of its own each time; all of it is removed at the end only, since
//! ext4 is slow to reuse inodes that were freed within the last five seconds. One round does not
//! count, then the rounds of all programs alternate (`--runs`, 5). Printed are the median of wall
//! and processor seconds, and the ratio of each to linkwell's.
//!
//! linkwell records each operation durably, syncs once, and can take it back; the others do none of
//! this. Spawning one `ln` a link is measured on a twentieth of the links and scaled.
//!
//! The exit status is 0 if everything was measured, whatever came out, and 2 if not.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program whose output is its table"
)]

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// How many files stand in one folder.
const IN_ONE: usize = 100;

/// One program, as a line of bash. `$L` is linkwell, `$SRC` the files, `$D` a fresh folder, in
/// which `dst` has the subfolders, and `tree` links to the files where `linked` says so.
struct Task {
    group: &'static str,
    label: &'static str,
    needs: &'static str,
    linked: bool,
    /// It does only this part of the links.
    part: usize,
    line: &'static str,
}

const TASKS: [Task; 9] = [
    Task {
        group: "make",
        label: "linkwell create --from-list",
        needs: "bash",
        linked: false,
        part: 1,
        line: "\"$L\" create --from-list --yes --quiet < \"$D/pairs\"",
    },
    // Where the catalogue should be is a folder, so that nothing can be put on record.
    Task {
        group: "make",
        label: "the same, without the catalogue",
        needs: "bash",
        linked: false,
        part: 1,
        line: "mkdir -p -m 700 \"$D/state/linkwell/catalogue.sqlite/x\" && \"$L\" create --from-list --yes --quiet < \"$D/pairs\"",
    },
    Task {
        group: "make",
        label: "cp -rs",
        needs: "cp",
        linked: false,
        part: 1,
        line: "cp -rs \"$SRC\" \"$D/copy\"",
    },
    Task {
        group: "make",
        label: "ln -s, one xargs",
        needs: "xargs",
        linked: false,
        part: 1,
        line: "cd \"$SRC\" && printf '%s\\0' * | xargs -0 -I{} sh -c 'ln -s \"$0\"/\"$1\"/* \"$2\"/dst/\"$1\"' \"$SRC\" {} \"$D\"",
    },
    Task {
        group: "make",
        label: "stow --no-folding",
        needs: "stow",
        linked: false,
        part: 1,
        line: "stow --no-folding -d \"$SRC/..\" -t \"$D/dst\" files",
    },
    Task {
        group: "retarget",
        label: "linkwell retarget --from --to",
        needs: "bash",
        linked: true,
        part: 1,
        line: "\"$L\" retarget --under \"$D/tree\" --from \"$SRC\" --to \"$SRC-too\" --yes --quiet",
    },
    Task {
        group: "retarget",
        label: "linkwell retarget --relative",
        needs: "bash",
        linked: true,
        part: 1,
        line: "\"$L\" retarget --under \"$D/tree\" --relative --yes --quiet",
    },
    Task {
        group: "retarget",
        label: "symlinks -rc",
        needs: "symlinks",
        linked: true,
        part: 1,
        line: "symlinks -rc \"$D/tree\" > /dev/null",
    },
    Task {
        group: "retarget",
        label: "find -exec ln -sfn (a spawn each)",
        needs: "find",
        linked: true,
        part: 20,
        line: "find \"$D/tree\" -type l -path '*0/*5' -exec ln -sfn \"$SRC-too/x\" {} \\;",
    },
];

fn main() -> ExitCode {
    match start() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("change-bench: {error}");
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
    let (mut program, mut links, mut runs) = (None, 100_000, 5);
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

fn start() -> Outcome<()> {
    let options = options()?;
    let ground = tempfile::Builder::new().prefix("change-bench-").tempdir()?;
    let ground_path = fs::canonicalize(ground.path())?;
    let files = ground_path.join("files");
    let folders = options.links.div_ceil(IN_ONE);
    for folder in 0..folders {
        let folder = files.join(format!("d{folder}"));
        fs::create_dir_all(&folder)?;
        for file in 0..IN_ONE {
            fs::File::create(folder.join(format!("f{file}")))?;
        }
    }
    std::os::unix::fs::symlink(&files, ground_path.join("files-too"))?;
    let mut seconds: Vec<Vec<[f64; 2]>> = TASKS.iter().map(|_| Vec::new()).collect();
    for round in 0..=options.runs {
        for (task, seconds) in TASKS.iter().zip(&mut seconds) {
            if !installed(task.needs) {
                continue;
            }
            eprintln!("change-bench: round {round} of {}: {}", options.runs, task.label);
            let fresh = tempfile::Builder::new().prefix("run-").tempdir_in(&ground_path)?.keep();
            prepare(task, &fresh, &files, folders)?;
            let took = timed(task, &fresh, &files, &options)?;
            if round > 0 {
                seconds.push(took);
            }
        }
    }
    print(&options, &seconds);
    ground.close()?;
    Ok(())
}

fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).symlink_metadata().is_ok())
}

/// Makes what a task starts from.
fn prepare(task: &Task, fresh: &Path, files: &Path, folders: usize) -> Outcome<()> {
    let mut pairs = Vec::new();
    for number in 0..folders {
        let name = format!("d{number}");
        let (from, to) = (files.join(&name), fresh.join("dst").join(&name));
        fs::create_dir_all(&to)?;
        if task.linked {
            fs::create_dir_all(fresh.join("tree").join(&name))?;
        }
        for file in 0..IN_ONE {
            let file = format!("f{file}");
            if task.linked {
                let link = fresh.join("tree").join(&name).join(&file);
                std::os::unix::fs::symlink(from.join(&file), link)?;
            } else {
                for path in [from.join(&file), to.join(&file)] {
                    pairs.extend_from_slice(path.as_os_str().as_encoded_bytes());
                    pairs.push(0);
                }
            }
        }
    }
    fs::write(fresh.join("pairs"), pairs)?;
    // So that no program pays for writing what another has left.
    Command::new("sync").status()?;
    Ok(())
}

/// Runs a task once: wall and processor seconds.
fn timed(task: &Task, fresh: &Path, files: &Path, options: &Options) -> Outcome<[f64; 2]> {
    let script = format!("TIMEFORMAT='%R %U %S'; time {{ {}; }} 2> \"$D/err\"", task.line);
    let ran = Command::new("bash")
        .args(["-c", &script])
        .env("L", &options.program)
        .env("SRC", files)
        .env("D", fresh)
        .env("HOME", fresh)
        .env("XDG_STATE_HOME", fresh.join("state"))
        .output()?;
    if !ran.status.success() {
        let said = fs::read_to_string(fresh.join("err")).unwrap_or_default();
        return Err(format!("{}: {} {said}", task.label, ran.status).into());
    }
    let text = String::from_utf8(ran.stderr)?;
    let numbers: Vec<f64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let [wall, user, system] = numbers.as_slice() else {
        return Err(format!("{}: no times in {text:?}", task.label).into());
    };
    let part = f64::from(u32::try_from(task.part)?);
    Ok([wall * part, (user + system) * part])
}

fn median(seconds: &[[f64; 2]], which: usize) -> Option<f64> {
    let mut all: Vec<f64> = seconds.iter().filter_map(|both| both.get(which).copied()).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied()
}

fn print(options: &Options, seconds: &[Vec<[f64; 2]>]) {
    println!("{} links, median of {} runs\n", options.links, options.runs);
    println!("| | | wall s | processor s | wall, linkwell = 1 |");
    println!("|---|---|---|---|---|");
    let mut ours = ("", 1.0);
    for (task, seconds) in TASKS.iter().zip(seconds) {
        let mut line = format!("| {} | {} |", task.group, task.label);
        let (Some(wall), Some(processor)) = (median(seconds, 0), median(seconds, 1)) else {
            println!("{line} not installed | | |");
            continue;
        };
        if ours.0 != task.group {
            ours = (task.group, wall);
        }
        let written = write!(line, " {wall:.2} | {processor:.2} | {:.2} |", wall / ours.1);
        written.unwrap_or_default();
        println!("{line}");
    }
}
