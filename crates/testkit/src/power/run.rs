//! One run: made, recorded, cut many times, judged each time.

use super::chance::Chance;
use super::disks::Model;
use super::goods::{self, Goods};
use super::job::{Job, Mover, Places};
use super::judge::{Judge, State};
use super::tally::Tally;
use super::volumes::{Volumes, sync};
use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What is to be run.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) program: PathBuf,
    pub(super) mover: Mover,
    pub(super) job: Job,
    pub(super) goods: Goods,
    /// The file systems there and here; a third one, if there is, holds the journal.
    pub(super) kinds: Vec<String>,
    /// At how many moments the power is cut; three states each.
    pub(super) cuts: usize,
    /// In how many recordings.
    pub(super) runs: usize,
    /// How long the system is left alone after the program has returned.
    pub(super) wait: Duration,
    pub(super) seed: u64,
    /// Whether the disks have other device numbers after the power cut.
    pub(super) renumber: bool,
    /// Where the disks of the first bad states are kept.
    pub(super) keep: Option<PathBuf>,
}

/// What the system writes out in its own time, while the program runs and before the power is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writes {
    /// The disk that is moved from, again and again.
    First,
    /// Now one, now the other.
    Both,
    /// The disk that is moved to, again and again.
    Second,
    /// What it likes.
    Own,
}

impl Writes {
    const EACH: [Self; 4] = [Self::First, Self::Both, Self::Second, Self::Own];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::First => "first disk written out",
            Self::Both => "both disks written out",
            Self::Second => "second disk written out",
            Self::Own => "left alone",
        }
    }

    /// Which disk is written out next.
    fn disk(self, chance: &mut Chance) -> Option<usize> {
        match self {
            Self::First => Some(0),
            Self::Both => Some(usize::from(chance.even())),
            Self::Second => Some(1),
            Self::Own => None,
        }
    }
}

/// What was recorded.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) how: Writes,
    /// Where in the record the program was started, returned, one disk had been written out after
    /// that, and then the other.
    pub(super) start: usize,
    pub(super) returned: usize,
    pub(super) half: usize,
    pub(super) end: usize,
    /// Whether the program said that it had done it.
    pub(super) well: bool,
}

/// Makes the disks, records, cuts and judges.
pub(super) fn run(wish: &Wish) -> Tally {
    let mut volumes = Volumes::new(&wish.kinds);
    // With one disk alone, the move is within it.
    let there = usize::from(wish.kinds.len() > 1);
    let places = Places {
        program: wish.program.clone(),
        old: volumes.place(0).join("home/old"),
        new: volumes.place(there).join("store/new"),
        state: volumes.place(if wish.kinds.len() > 2 { 2 } else { 0 }).join("state"),
    };
    for folder in
        [volumes.place(0).join("home"), volumes.place(there).join("store"), places.state.clone()]
    {
        std::fs::create_dir(folder).expect("a folder");
    }
    wish.goods.make(&places.old);
    let wanted = goods::read(&places.old).expect("it was just made");
    for (mut command, is_killed) in wish.job.before(&places) {
        let ran = command.output().expect("it can be started");
        judge_end(&command, ran.status, is_killed, &ran.stderr);
    }
    volumes.unmount();
    let files = wanted.values().filter(|entry| entry.is_file()).count();
    let mut tally = Tally { files, ..Tally::default() };
    let mut chance = Chance::new(wish.seed);
    // Where the system is given time, it is left alone.
    let rest = if wish.wait.is_zero() { wish.runs } else { 0 };
    let ways = Writes::EACH.into_iter().cycle().take(rest);
    let ways: Vec<Writes> =
        ways.chain(std::iter::repeat_n(Writes::Own, wish.runs - rest)).collect();
    for how in ways {
        volumes.recorder.record();
        let record = record(wish, how, &mut volumes, &places, &mut chance);
        if wish.renumber {
            volumes.renumber();
        }
        let judge = Judge { wish, places: &places, wanted: &wanted, record: &record };
        let cuts = wish.cuts.div_ceil(wish.runs);
        for point in points(&volumes.recorder.flushes(), &record, cuts, &mut chance) {
            for model in Model::EACH {
                let state = (model, point, chance.next());
                let bad = tally.bad();
                judge.judge(&mut volumes, state, &mut tally);
                if tally.bad() > bad {
                    keep(wish, &mut volumes, state);
                }
            }
        }
        // As it was before.
        volumes.recorder.cut(Model::All, 0, 0);
    }
    tally
}

/// Runs the command on disks that are recorded.
fn record(
    wish: &Wish,
    how: Writes,
    volumes: &mut Volumes,
    places: &Places,
    chance: &mut Chance,
) -> Record {
    volumes.mount().expect("nothing has happened");
    let start = volumes.recorder.point();
    let (mut command, is_killed) = wish.job.command(wish.mover, places);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let there = usize::from(wish.kinds.len() > 1);
    let disks = [volumes.place(0).to_path_buf(), volumes.place(there).to_path_buf()];
    let ended = AtomicBool::new(false);
    let (status, returned) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Acquire) {
                let disk = how.disk(chance).and_then(|disk| disks.get(disk));
                disk.into_iter().for_each(|disk| sync(disk));
                std::thread::sleep(Duration::from_millis(chance.next() % 20));
            }
        });
        let status = child.wait().expect("a child");
        let returned = volumes.recorder.point();
        ended.store(true, Ordering::Release);
        (status, returned)
    });
    judge_end(&command, status, is_killed, &said(&mut child));
    std::thread::sleep(wish.wait);
    // The disks know nothing of each other: one may be written out long before the other.
    let first = how.disk(chance).unwrap_or_default();
    disks.get(first).into_iter().for_each(|disk| sync(disk));
    let half = volumes.recorder.point();
    disks.get(1 - first).into_iter().for_each(|disk| sync(disk));
    let end = volumes.recorder.point();
    volumes.recorder.stop();
    volumes.unmount();
    Record { how, start, returned, half, end, well: !is_killed }
}

fn said(child: &mut Child) -> Vec<u8> {
    let mut said = Vec::new();
    if let Some(mut errors) = child.stderr.take() {
        errors.read_to_end(&mut said).expect("its errors can be read");
    }
    said
}

/// What is to be killed was, and what is not has succeeded.
fn judge_end(command: &Command, status: ExitStatus, is_killed: bool, said: &[u8]) {
    let said = String::from_utf8_lossy(said);
    // strace ends as what it traces did.
    let killed = status.signal() == Some(9) || status.code() == Some(137);
    let as_wanted = if is_killed { killed } else { status.success() };
    assert!(as_wanted, "{command:?}: {status}: {said}");
}

/// Where the power is cut: at the moments that stand out after the return, then around flushes, then
/// anywhere, half of those after the program has returned.
fn points(flushes: &[usize], record: &Record, cuts: usize, chance: &mut Chance) -> Vec<usize> {
    let mut points = vec![record.returned, record.half, record.end];
    let mut around: Vec<usize> = flushes
        .iter()
        .flat_map(|flush| [*flush, flush + 1])
        .filter(|point| (record.start..=record.end).contains(point))
        .collect();
    while points.len() < 3 + cuts.saturating_sub(3).div_ceil(2) && !around.is_empty() {
        points.push(around.swap_remove(chance.between(0, around.len())));
    }
    while points.len() < cuts {
        points.push(if chance.even() {
            chance.between(record.returned, record.end)
        } else {
            chance.between(record.start, record.returned)
        });
    }
    points.sort_unstable();
    points
}

/// Keeps the disks of a bad state, as they were before anything was mounted.
fn keep(wish: &Wish, volumes: &mut Volumes, (model, point, seed): State) {
    let Some(folder) = &wish.keep else { return };
    volumes.recorder.cut(model, point, seed);
    for disk in 0..wish.kinds.len() {
        let file = format!("{point}-{}-{seed}.{disk}", model.word());
        volumes.recorder.save(disk, &Path::new(folder).join(file));
    }
}
