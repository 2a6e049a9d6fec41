//! One run: made, recorded, cut many times, judged each time.

use super::chance::Chance;
use super::disks::Model;
use super::goods::{self, Tree};
use super::job::{Job, Mover, Places};
use super::volumes::{Volumes, sync};
use crate::program::Ran;
use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// What is to be run.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) program: PathBuf,
    pub(super) mover: Mover,
    pub(super) job: Job,
    /// The file systems there and here; a third one, if there is, holds the journal.
    pub(super) kinds: Vec<String>,
    /// At how many moments the power is cut; three states each.
    pub(super) cuts: usize,
    /// How long the system is left alone after the program has returned.
    pub(super) wait: Duration,
    pub(super) seed: u64,
    /// Where the disks of the first bad states are kept.
    pub(super) keep: Option<PathBuf>,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Tally {
    /// Cuts times models.
    pub states: usize,
    /// In which a file was at none of the places where it may be.
    pub losing: usize,
    /// The most files that were lost in one state.
    pub most: usize,
    /// Of all files.
    pub files: usize,
    /// In which the old path did not yield the whole tree after `recover`.
    pub torn: usize,
    /// In which something was left after `recover`.
    pub littered: usize,
    /// In which `recover` failed, or had something to do when it was run again.
    pub unrecovered: usize,
    /// In which what had returned with success was not so.
    pub forgotten: usize,
    /// In which a file system could not be mounted.
    pub unmountable: usize,
    /// What was wrong, a line each.
    pub wrong: String,
}

impl Tally {
    /// In which anything was wrong.
    pub fn bad(&self) -> usize {
        self.losing
            + self.torn
            + self.littered
            + self.unrecovered
            + self.forgotten
            + self.unmountable
    }

    /// Its numbers, by name.
    fn numbers(&mut self) -> [(&'static str, &mut usize); 9] {
        [
            ("states", &mut self.states),
            ("losing files", &mut self.losing),
            ("files lost at most", &mut self.most),
            ("files", &mut self.files),
            ("torn after recovery", &mut self.torn),
            ("littered after recovery", &mut self.littered),
            ("not recovered", &mut self.unrecovered),
            ("forgotten", &mut self.forgotten),
            ("not mountable", &mut self.unmountable),
        ]
    }

    /// As text, which [`Tally::parse`] reads.
    pub fn text(mut self) -> String {
        let mut text = String::new();
        for (name, number) in self.numbers() {
            writeln!(text, "{number} {name}").expect("writing into memory cannot fail");
        }
        text + &self.wrong
    }

    /// Out of its text.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut tally = Self::default();
        let mut lines = text.lines();
        for (name, number) in tally.numbers() {
            let (value, said) = lines.next()?.split_once(' ')?;
            *number = value.parse().ok().filter(|_| said == name)?;
        }
        lines.for_each(|line| tally.note_line(line));
        Some(tally)
    }

    fn note_line(&mut self, line: &str) {
        self.wrong.push_str(line);
        self.wrong.push('\n');
    }

    fn note(&mut self, state: &str, what: &str) {
        self.note_line(&format!("{state}: {}", what.replace('\n', "\\n")));
    }
}

/// What was recorded.
struct Record {
    /// Where in the record the program was started, returned, and the record ends.
    start: usize,
    returned: usize,
    end: usize,
    /// Whether the program said that it had done it.
    well: bool,
}

/// Makes the disks, records, cuts and judges.
pub(super) fn run(wish: &Wish) -> Tally {
    let mut volumes = Volumes::new(&wish.kinds);
    let places = Places {
        program: wish.program.clone(),
        old: volumes.place(0).join("home/old"),
        new: volumes.place(1).join("store/new"),
        state: volumes.place(if wish.kinds.len() > 2 { 2 } else { 0 }).join("state"),
    };
    for folder in
        [volumes.place(0).join("home"), volumes.place(1).join("store"), places.state.clone()]
    {
        std::fs::create_dir(folder).expect("a folder");
    }
    goods::make(&places.old);
    let wanted = goods::read(&places.old).expect("it was just made");
    if let Some(mut command) = wish.job.before(&places) {
        let ran: Ran = command.output().expect("it can be started").into();
        let killed = matches!(wish.job, Job::Recover(_));
        assert!(killed || ran.code == 0, "{command:?}: {ran:?}");
    }
    volumes.unmount();
    volumes.recorder.record();
    volumes.mount().expect("nothing has happened");
    let record = record(wish, &mut volumes, &places);
    volumes.recorder.stop();
    volumes.unmount();
    let mut chance = Chance::new(wish.seed);
    let points = points(&volumes.recorder.flushes(), &record, wish.cuts, &mut chance);
    let files = wanted.values().filter(|entry| entry.is_file()).count();
    let mut tally = Tally { files, ..Tally::default() };
    for point in points {
        for model in Model::EACH {
            let seed = chance.next();
            let bad = tally.bad();
            judge(wish, &mut volumes, &places, &wanted, &record, (model, point, seed), &mut tally);
            if tally.bad() > bad {
                keep(wish, &mut volumes, (model, point, seed));
            }
        }
    }
    tally
}

/// Runs the command on disks that are recorded. Meanwhile one disk after the other is written out, at
/// moments that depend on chance, as the system may do it at any time.
fn record(wish: &Wish, volumes: &mut Volumes, places: &Places) -> Record {
    let start = volumes.recorder.point();
    let mut command = wish.job.command(wish.mover, places);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it can be started");
    let mut chance = Chance::new(wish.seed);
    let disks = [volumes.place(0).to_path_buf(), volumes.place(1).to_path_buf()];
    let ended = AtomicBool::new(false);
    let (status, returned) = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(Ordering::Acquire) {
                disks.get(usize::from(chance.even())).into_iter().for_each(|disk| sync(disk));
                std::thread::sleep(Duration::from_millis(chance.next() % 20));
            }
        });
        let status = child.wait().expect("a child");
        let returned = volumes.recorder.point();
        ended.store(true, Ordering::Release);
        (status, returned)
    });
    let well = status.success();
    assert!(
        well || matches!(wish.job, Job::Killed(_)),
        "{command:?}: {status}: {}",
        said(&mut child)
    );
    std::thread::sleep(wish.wait);
    // The disks know nothing of each other: one may be written out long before the other.
    let first = usize::from(chance.even());
    sync(volumes.place(first));
    sync(volumes.place(1 - first));
    Record { start, returned, end: volumes.recorder.point(), well }
}

fn said(child: &mut std::process::Child) -> String {
    let mut said = String::new();
    if let Some(mut errors) = child.stderr.take() {
        drop(std::io::Read::read_to_string(&mut errors, &mut said));
    }
    said
}

/// Where the power is cut: the moment of return and the end, then around flushes, then anywhere, half
/// of those after the program has returned.
fn points(flushes: &[usize], record: &Record, cuts: usize, chance: &mut Chance) -> Vec<usize> {
    let mut points = vec![record.returned, record.end];
    let mut around: Vec<usize> = flushes
        .iter()
        .flat_map(|flush| [*flush, flush + 1])
        .filter(|point| (record.start..=record.end).contains(point))
        .collect();
    while points.len() < cuts.div_ceil(2) && !around.is_empty() {
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

/// The power is cut, the disks are mounted again, and what is there is looked at.
fn judge(
    wish: &Wish,
    volumes: &mut Volumes,
    places: &Places,
    wanted: &Tree,
    record: &Record,
    (model, point, seed): (Model, usize, u64),
    tally: &mut Tally,
) {
    let after = if point >= record.returned { "after" } else { "before" };
    let state = format!("cut at {point} ({after} the return), {} {seed}", model.word());
    tally.states += 1;
    volumes.recorder.cut(model, point, seed);
    if let Err(why) = volumes.mount() {
        tally.unmountable += 1;
        tally.note(&state, &why);
        volumes.unmount();
        return;
    }
    let lost = goods::lost(wanted, &tops(places));
    if let Some(first) = lost.first() {
        tally.losing += 1;
        tally.most = tally.most.max(lost.len());
        tally.note(&state, &format!("{} files lost, `{}` first", lost.len(), first.display()));
    }
    if wish.mover.promises() {
        let is_link = places.old.symlink_metadata().is_ok_and(|status| status.is_symlink());
        let kept = wish.job.leaves_link().is_none_or(|link| link == is_link);
        if record.well && point >= record.returned {
            let differs = goods::differs(wanted, &places.old);
            if !kept || differs.is_some() {
                tally.forgotten += 1;
                tally.note(&state, &format!("what was done is not: link {is_link}, {differs:?}"));
            }
        }
        recover(volumes, places, wanted, &state, tally);
    }
    volumes.unmount();
}

/// Recovers, and looks at what came of that.
fn recover(volumes: &Volumes, places: &Places, wanted: &Tree, state: &str, tally: &mut Tally) {
    let recover = || -> Ran {
        let arguments = ["recover".to_owned(), "-y".to_owned()];
        places.linkwell(&[], &arguments).output().expect("linkwell can be started").into()
    };
    let (first, second) = (recover(), recover());
    if first.code != 0 || second.code != 0 || !second.err.contains("nothing was interrupted") {
        tally.unrecovered += 1;
        tally.note(state, &format!("recover: {first:?}, again: {second:?}"));
    }
    if let Some(differs) = goods::differs(wanted, &places.old) {
        tally.torn += 1;
        tally.note(state, &format!("{differs}; {first:?}"));
    }
    let is_link = places.old.symlink_metadata().is_ok_and(|status| status.is_symlink());
    let mut left: Vec<PathBuf> =
        volumes.places().iter().flat_map(|place| goods::debris(place, &places.state)).collect();
    if !is_link && places.new.symlink_metadata().is_ok() {
        left.push(places.new.clone());
    }
    if !left.is_empty() {
        tally.littered += 1;
        tally.note(state, &format!("left: {left:?}; {first:?}"));
    }
}

/// Every place where the tree may be: where it was, where it is to be, and beside both what has a name
/// for a moment.
fn tops(places: &Places) -> Vec<PathBuf> {
    let mut tops = vec![places.old.clone(), places.new.clone()];
    for folder in [places.old.parent(), places.new.parent()].into_iter().flatten() {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let staged =
            entries.filter(|entry| entry.file_name().as_bytes().starts_with(goods::STAGED));
        tops.extend(staged.map(|entry| entry.path()));
    }
    tops
}

/// Keeps the disks of a bad state, as they were before anything was mounted.
fn keep(wish: &Wish, volumes: &mut Volumes, (model, point, seed): (Model, usize, u64)) {
    let Some(folder) = &wish.keep else { return };
    volumes.recorder.cut(model, point, seed);
    for disk in 0..wish.kinds.len() {
        let file = format!("{point}-{}-{seed}.{disk}", model.word());
        volumes.recorder.save(disk, &Path::new(folder).join(file));
    }
}
