//! The process that is the disks, and how it is spoken to.
//!
//! It is a process of its own: who waits for a disk must not be the one that answers for it, not even
//! while it is being killed. It takes one line a command on its standard input and answers with one.

use super::disks::{Disks, Model};
use super::fuse;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};

/// The other end.
#[derive(Debug)]
pub(super) struct Recorder {
    process: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Recorder {
    /// Starts it with so many disks of so many bytes; they are the files `0`, `1`, … in `folder`.
    pub(super) fn start(folder: &Path, count: usize, size: u64) -> Self {
        let me = std::env::current_exe().expect("this program");
        let mut process = Command::new(me)
            .env(super::ROLE, "disks")
            .arg(folder)
            .args([count.to_string(), size.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this program can be started again");
        let to = process.stdin.take();
        let from = BufReader::new(process.stdout.take().expect("its output"));
        let mut recorder = Self { process, to, from };
        assert_eq!(recorder.ask("ready"), "ok", "the disks cannot be mounted");
        recorder
    }

    fn ask(&mut self, line: &str) -> String {
        let to = self.to.as_mut().expect("it has not ended");
        writeln!(to, "{line}").expect("it reads");
        let mut answer = String::new();
        self.from.read_line(&mut answer).expect("it answers");
        answer.trim_end().to_owned()
    }

    fn tell(&mut self, line: &str) {
        assert_eq!(self.ask(line), "ok", "{line}");
    }

    /// Records from now on.
    pub(super) fn record(&mut self) {
        self.tell("record");
    }

    /// Records no more.
    pub(super) fn stop(&mut self) {
        self.tell("stop");
    }

    /// How much was recorded.
    pub(super) fn point(&mut self) -> usize {
        self.ask("point").parse().expect("a number")
    }

    /// Where the flushes stand in the record.
    pub(super) fn flushes(&mut self) -> Vec<usize> {
        let answer = self.ask("flushes");
        answer.split_whitespace().map(|number| number.parse().expect("a number")).collect()
    }

    /// Makes the disks what they would be had the power failed at `point`.
    pub(super) fn cut(&mut self, model: Model, point: usize, seed: u64) {
        self.tell(&format!("cut {} {point} {seed}", model.word()));
    }

    /// Writes what is on a disk into a file.
    pub(super) fn save(&mut self, disk: usize, path: &Path) {
        self.tell(&format!("save {disk} {}", path.display()));
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        // At the end of its input it ends.
        drop(self.to.take());
        drop(self.process.wait());
    }
}

/// The whole of the process: mounts the disks and serves until its input ends.
pub(super) fn main(arguments: &[String]) -> ExitCode {
    let [folder, count, size] = arguments else { return ExitCode::from(2) };
    let (Ok(count), Ok(size)) = (count.parse(), size.parse()) else { return ExitCode::from(2) };
    let disks: &'static Mutex<Disks> = Box::leak(Box::new(Mutex::new(Disks::new(count, size))));
    let Ok(device) = fuse::mount(Path::new(folder)) else { return ExitCode::FAILURE };
    std::thread::spawn(move || fuse::serve(&device, disks));
    for line in io::stdin().lines() {
        let Ok(line) = line else { break };
        let answer = obey(&line, &mut disks.lock().unwrap_or_else(PoisonError::into_inner));
        let mut out = io::stdout().lock();
        if writeln!(out, "{answer}").and_then(|()| out.flush()).is_err() {
            break;
        }
    }
    ExitCode::SUCCESS
}

fn obey(line: &str, disks: &mut Disks) -> String {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        ["ready"] => {}
        ["record"] => disks.record(),
        ["stop"] => disks.stop(),
        ["point"] => return disks.point().to_string(),
        ["flushes"] => {
            let flushes: Vec<String> = disks.flushes().iter().map(ToString::to_string).collect();
            return flushes.join(" ");
        }
        ["cut", model, point, seed] => {
            let (Some(model), Ok(point), Ok(seed)) =
                (Model::of(model), point.parse(), seed.parse())
            else {
                return "what?".into();
            };
            disks.cut(model, point, seed);
        }
        ["save", disk, path] => {
            let disk = disk.parse().unwrap_or(usize::MAX);
            if let Err(error) = disks.save(disk, Path::new(path)) {
                return error.to_string();
            }
        }
        _ => return "what?".into(),
    }
    "ok".into()
}
