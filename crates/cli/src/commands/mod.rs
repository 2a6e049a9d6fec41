//! The verbs, one file each, and what they share.

mod answers;
mod apply;
mod ask;
mod catalogue;
mod change;
mod check;
mod clients;
mod convert;
mod create;
mod elsewhere;
mod export;
mod generate;
mod list;
mod log;
mod recorded;
mod recover;
mod refs;
mod relocate;
mod remove;
mod repair;
mod retarget;
mod share;
mod show;
pub(crate) mod status;
mod track;
mod undo;
mod watch;

use crate::World;
use crate::args::{Args, LinkFormat, Scan, Verb};
use crate::error::{Exit, Failure, say};
use crate::interrupt;
use crate::output::progress::Bar;
use crate::output::{Lines, Output, json};
use linkwell_engine::folder::Folder;
use linkwell_engine::scan::judged::{self, Item, Sink, Wanted};
use linkwell_engine::scan::{Handle, Options, Problem, Trouble};
use linkwell_engine::system::System;
use linkwell_engine::volumes::{Settings, Volumes};
use linkwell_model::path::AbsPath;
use linkwell_model::shown::shown;
use linkwell_model::tally::Tally;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Does what was asked.
pub(crate) fn run(args: &Args, world: &World) -> Result<Exit, Failure> {
    match &args.verb {
        Verb::List(list) => list::run(list, args, world),
        Verb::Check(check) => check::run(check, args, world),
        Verb::Show(show) => show::run(show, args, world),
        Verb::Refs(refs) => refs::run(refs, args, world),
        Verb::Create(create) => create::run(create, args, world),
        Verb::Retarget(retarget) => retarget::run(retarget, args, world),
        Verb::Convert(convert) => convert::run(convert, args, world),
        Verb::Move(moving) => relocate::run(moving, args, world),
        Verb::Remove(remove) => remove::run(remove, args, world),
        Verb::Repair(repair) => repair::run(repair, args, world),
        Verb::Watch(watch) => watch::run(watch, args, world),
        Verb::Log(log) => log::run(log, args, world),
        Verb::Undo(undo) => undo::run(undo, args, world),
        Verb::Recover(recover) => recover::run(recover, args, world),
        Verb::Track(track) => track::run(track, args, world),
        Verb::Untrack(untrack) => track::forget(untrack, args, world),
        Verb::Status(status) => status::run(status, args, world),
        Verb::Share(share) => share::run(share, args, world),
        Verb::Unshare(unshare) => share::unshare(unshare, args, world),
        Verb::Export(export) => export::run(export, args, world),
        Verb::Apply(apply) => apply::run(apply, args, world),
        Verb::Clients(clients) => clients::run(clients, args, world),
        Verb::Answers { path } => Ok(answers::run(path)),
        // `main` does it, before there is any thread.
        Verb::Reach => Ok(Exit::Usage),
        Verb::Generate { folder } => generate::run(folder),
    }
}

/// The system's calls that this run uses.
fn system(world: &World) -> System {
    if world.plain_calls { System::plain() } else { System::new() }
}

/// The volumes of this computer, for a verb that looks: it also says if something is unfinished.
fn volumes(world: &World, time_limit: Duration) -> Arc<Volumes> {
    let volumes = volumes_alone(world, time_limit);
    change::remind(world, &volumes);
    volumes
}

/// The volumes of this computer.
fn volumes_alone(world: &World, time_limit: Duration) -> Arc<Volumes> {
    let settings = Settings {
        home: world.home.clone(),
        state: world.state.clone(),
        time_limit,
        answers: world.program.clone(),
    };
    let volumes = Volumes::read(system(world), settings);
    let volumes = Arc::new(volumes);
    volumes.find_reach();
    volumes.remember();
    volumes
}

/// The folder from which relative paths are read.
fn start(world: &World) -> Result<Arc<Folder>, Failure> {
    let place = world.current.clone().unwrap_or_else(AbsPath::root);
    Folder::current(system(world), &place).map_err(Failure::Current)
}

/// Refuses relative paths when the current folder is gone: they lead nowhere, and must not be
/// taken to be meant from somewhere else.
fn refuse_if_lost(world: &World, paths: &[Vec<u8>]) -> Result<(), Failure> {
    let relative = |path: &Vec<u8>| !linkwell_model::path::is_absolute(path);
    if world.current.is_none() && paths.iter().any(relative) {
        return Err(Failure::Current(rustix::io::Errno::NOENT));
    }
    Ok(())
}

/// Typed paths as bytes; the current folder when there are none. An empty one is refused: it is
/// most often a variable that was not set.
fn typed(paths: &[OsString]) -> Result<Vec<Vec<u8>>, Failure> {
    if paths.is_empty() {
        return Ok(vec![b".".to_vec()]);
    }
    if paths.iter().any(|path| path.is_empty()) {
        return Err(Failure::Usage {
            what: "one of the paths is empty; nothing was looked at".into(),
            hint: Some("write `.` for the current folder".into()),
        });
    }
    Ok(paths.iter().cloned().map(OsString::into_vec).collect())
}

fn options(scan: &Scan, world: &World) -> Options {
    Options {
        cross_volumes: scan.cross_volumes,
        virtual_too: scan.virtual_too,
        files_too: false,
        threads: scan.threads,
        current: world.current.clone(),
    }
}

/// What a scan left to be said at its end, gathered from all threads.
#[derive(Debug, Default)]
struct Aside {
    problems: Vec<Problem>,
    more_problems: u64,
    other_volumes: Vec<Vec<u8>>,
}

/// So many problems are named one by one.
const MOST_NAMED: usize = 1000;

impl Aside {
    fn add_problem(&mut self, problem: &Problem) {
        if self.problems.len() < MOST_NAMED {
            self.problems.push(problem.clone());
        } else {
            self.more_problems += 1;
        }
    }

    /// Says it on standard error: problems last, so that they are seen.
    fn say(mut self, quiet: bool) {
        if !self.other_volumes.is_empty() && !quiet {
            self.other_volumes.sort();
            let shown: Vec<String> =
                self.other_volumes.iter().map(|path| format!("`{}`", shown(path))).collect();
            let (volumes, them) = if shown.len() == 1 {
                ("another volume is mounted at", "it")
            } else {
                ("other volumes are mounted at", "them")
            };
            say(&format!(
                "note: {volumes} {}; `--cross-volumes` looks into {them} too",
                shown.join(", ")
            ));
        }
        self.problems.sort_by(|one, two| one.path.cmp(&two.path));
        for problem in &self.problems {
            let why = crate::error::trouble(problem.trouble);
            say(&format!("error: could not look at `{}`: {why}", shown(&problem.path)));
            if problem.trouble == Trouble::Virtual && !quiet {
                say("hint: add `--virtual` to look there all the same");
            }
        }
        if self.more_problems > 0 {
            say(&format!("error: and {} more places could not be looked at", self.more_problems));
        }
    }
}

/// One thread's way out: links and problems to standard output in the format that was asked for,
/// and what is said at the end to the one who says it.
struct Channel {
    lines: Lines,
    aside: Arc<Mutex<Aside>>,
    format: LinkFormat,
}

impl Channel {
    /// Prints a link for programs; `false` when it is to be printed for people.
    fn link_for_programs(&mut self, item: &Item<'_>, refers: Option<&'static str>) -> bool {
        let out = &mut self.lines.buffer;
        if self.format.json {
            json::link(out, item, refers);
        } else if self.format.null {
            out.extend_from_slice(item.path);
            out.push(0);
        } else {
            return false;
        }
        self.lines.flush_if_full();
        true
    }

    fn problem(&mut self, problem: &Problem) {
        if self.format.json {
            json::problem(&mut self.lines.buffer, problem);
        }
        self.aside.lock().unwrap_or_else(PoisonError::into_inner).add_problem(problem);
    }

    fn other_volume(&mut self, path: &[u8]) {
        let mut aside = self.aside.lock().unwrap_or_else(PoisonError::into_inner);
        aside.other_volumes.push(path.to_vec());
    }
}

/// A judged scan, as every scanning verb runs it.
struct Scanning<'w> {
    world: &'w World,
    args: &'w Args,
    wanted: Wanted,
    paths: Vec<Vec<u8>>,
    volumes: Arc<Volumes>,
}

/// What a scan came to.
struct Outcome {
    tally: Tally,
    took: Duration,
    output: Arc<Output>,
    aside: Aside,
}

impl Scanning<'_> {
    /// Scans. `sink` makes one sink a thread, from that thread's way to standard output.
    fn run<S: Sink>(
        self,
        format: LinkFormat,
        sink: impl Fn(Channel) -> S + Send + Sync + 'static,
    ) -> Outcome {
        let started = Instant::now();
        let handle = Handle { stop: interrupt::stop(), ..Handle::default() };
        let bar = Bar::new(self.args.quiet);
        let output = Output::new(&handle.stop, bar.clone());
        let aside = Arc::new(Mutex::new(Aside::default()));
        let make = {
            let (output, aside) = (Arc::clone(&output), Arc::clone(&aside));
            move || sink(Channel { lines: Lines::new(&output), aside: Arc::clone(&aside), format })
        };
        let tally = judged::scan(
            system(self.world),
            &self.volumes,
            &self.wanted,
            &self.paths,
            &handle,
            make,
            bar.ticker(),
        );
        bar.finish();
        let aside = std::mem::take(&mut *aside.lock().unwrap_or_else(PoisonError::into_inner));
        Outcome { tally, took: started.elapsed(), output, aside }
    }
}
