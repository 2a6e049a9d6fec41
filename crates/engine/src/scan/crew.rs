//! The threads of a scan: how many, who does what, and when it is over.
//!
//! Reading folders from a cache is the processor's work: as many threads as processors. Reading
//! them from a cold disk is waiting: with 32 to 64 requests under way a disk answers 15 to 25
//! times faster than with one (measured), so threads are added while the disk is being read.

use super::siblings::Siblings;
use super::task::Task;
use super::walk::Walker;
use super::watch::{Doing, Watch};
use super::{Handle, Options, Problem, Progress, Root, Trouble, Visitor};
use crate::folder::{Budget, Folder};
use crate::judge::Found;
use crate::live::Live;
use crate::system::{Access, EndMark, Links, System};
use crate::volumes::Volumes;
use crossbeam_deque::{Injector, Steal, Stealer, Worker};
use hashbrown::HashSet;
use linkwell_model::entry::EntryKind;
use linkwell_model::path::{self, AbsPath, Component};
use linkwell_model::volume::{self, Manner};
use rustix::fd::AsFd as _;
use rustix::process::Resource;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// More threads than this gave nothing on any disk that was measured.
const MOST_THREADS: usize = 64;

/// How often the scan is looked after.
const ROUND: Duration = Duration::from_millis(4);

/// How long threads may take to heed a request to stop.
const STOP_WITHIN: Duration = Duration::from_millis(100);

/// What all threads share.
pub(super) struct Crew {
    pub(super) system: System,
    pub(super) volumes: Arc<Volumes>,
    pub(super) options: Options,
    pub(super) budget: Arc<Budget>,
    pub(super) handle: Handle,
    typed: Vec<Vec<u8>>,
    injector: Injector<Task>,
    stealers: Vec<Stealer<Task>>,
    /// Tasks that are waiting or being done.
    pending: AtomicUsize,
    sleeping: AtomicUsize,
    /// Threads that have not ended.
    running: AtomicUsize,
    bed: Mutex<()>,
    wake: Condvar,
    /// For the keeper: a thread has ended.
    over: Condvar,
    pub(super) watch: Vec<Watch>,
}

impl Crew {
    /// Adds a task, for `own` thread first.
    pub(super) fn push(&self, own: &Worker<Task>, task: Task) {
        self.pending.fetch_add(1, Ordering::Relaxed);
        own.push(task);
        if self.sleeping.load(Ordering::Relaxed) > 0 {
            self.wake.notify_one();
        }
    }

    /// The next task, or `None` when the scan is over or stopped.
    pub(super) fn next(&self, own: &Worker<Task>, number: usize) -> Option<Task> {
        loop {
            if self.handle.stop.load(Ordering::Relaxed) {
                return None;
            }
            if let Some(task) = own.pop().or_else(|| self.steal(own, number)) {
                return Some(task);
            }
            if self.pending.load(Ordering::Acquire) == 0 {
                self.wake.notify_all();
                return None;
            }
            let bed = self.bed.lock().unwrap_or_else(PoisonError::into_inner);
            self.sleeping.fetch_add(1, Ordering::Relaxed);
            // Bounded, since a push may have looked at `sleeping` just before it was raised.
            drop(self.wake.wait_timeout(bed, Duration::from_millis(1)));
            self.sleeping.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn steal(&self, own: &Worker<Task>, number: usize) -> Option<Task> {
        loop {
            let mut again = false;
            match self.injector.steal_batch_and_pop(own) {
                Steal::Success(task) => return Some(task),
                Steal::Retry => again = true,
                Steal::Empty => {}
            }
            let (before, after) = self.stealers.split_at_checked(number)?;
            for stealer in after.iter().skip(1).chain(before) {
                match stealer.steal() {
                    Steal::Success(task) => return Some(task),
                    Steal::Retry => again = true,
                    Steal::Empty => {}
                }
            }
            if !again {
                return None;
            }
        }
    }

    /// A thread ends; the keeper is told at once.
    fn ended(&self) {
        let bed = self.bed.lock().unwrap_or_else(PoisonError::into_inner);
        self.running.fetch_sub(1, Ordering::AcqRel);
        drop(bed);
        self.over.notify_all();
    }

    /// A task is done.
    pub(super) fn done(&self) {
        if self.pending.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.wake.notify_all();
        }
    }
}

/// Tells that a thread ends, however it ends.
struct Ending(Arc<Crew>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.ended();
    }
}

/// How many descriptors this process may have, raised to what it is allowed.
fn descriptors() -> usize {
    let mut limit = rustix::process::getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
        if rustix::process::setrlimit(Resource::Nofile, raised).is_ok() {
            limit = raised;
        }
    }
    let most = limit.current.unwrap_or(1 << 20);
    usize::try_from(most).unwrap_or(1 << 20)
}

pub(super) fn run<V: Visitor>(
    system: System,
    volumes: &Arc<Volumes>,
    options: &Options,
    typed: &[Vec<u8>],
    handle: &Handle,
    visitor: impl Fn() -> V + Send + Sync + 'static,
    mut tick: impl FnMut(&Progress),
) {
    let free = descriptors().saturating_sub(16);
    // A thread needs up to four at once: a folder, the one above, and one to look at a link.
    let most_threads = (free / 8).clamp(1, MOST_THREADS);
    let workers: Vec<Worker<Task>> = (0..most_threads).map(|_| Worker::new_lifo()).collect();
    let crew = Arc::new(Crew {
        system,
        volumes: Arc::clone(volumes),
        options: options.clone(),
        budget: Budget::new((free / 2).clamp(4, 4096)),
        handle: handle.clone(),
        typed: typed.to_vec(),
        injector: Injector::new(),
        stealers: workers.iter().map(Worker::stealer).collect(),
        pending: AtomicUsize::new(0),
        sleeping: AtomicUsize::new(0),
        running: AtomicUsize::new(0),
        bed: Mutex::new(()),
        wake: Condvar::new(),
        over: Condvar::new(),
        watch: workers.iter().map(|_| Watch::default()).collect(),
    });
    let mut first = visitor();
    for path in without_repeats(&crew, typed) {
        if let Some(task) = root_task(&crew, path, &mut first) {
            crew.pending.fetch_add(1, Ordering::Relaxed);
            crew.injector.push(task);
        }
    }
    first.settle();
    drop(first);
    keep_going(&crew, workers, Arc::new(visitor), &mut tick);
}

/// Starts threads, adds some while the disk is the bottleneck, and waits for the end.
fn keep_going<V: Visitor>(
    crew: &Arc<Crew>,
    workers: Vec<Worker<Task>>,
    visitor: Arc<impl Fn() -> V + Send + Sync + 'static>,
    tick: &mut impl FnMut(&Progress),
) {
    let started = Instant::now();
    let processors = std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
    let wanted = crew.options.threads.map(NonZeroUsize::get);
    let most = wanted.unwrap_or(workers.len());
    let mut waiting = workers.into_iter().enumerate();
    let mut threads = 0_usize;
    let mut start = |threads: &mut usize, count: usize| {
        for (number, own) in waiting.by_ref().take(count) {
            let (crew, visitor) = (Arc::clone(crew), Arc::clone(&visitor));
            crew.running.fetch_add(1, Ordering::AcqRel);
            *threads += 1;
            std::thread::spawn(move || {
                let _ending = Ending(Arc::clone(&crew));
                Walker::new(crew, own, number, visitor(), started).work();
            });
        }
    };
    if crew.pending.load(Ordering::Acquire) > 0 {
        start(&mut threads, wanted.unwrap_or(processors).min(most));
    }
    let mut left = 0;
    let mut stopped: Option<Instant> = None;
    let mut read_before = blocks_read();
    loop {
        // A thread that does not heed the request to stop hangs in the system.
        let stopping = *stopped.get_or_insert_with(Instant::now);
        if !crew.handle.stop.load(Ordering::Relaxed) {
            stopped = None;
        }
        let running = crew.running.load(Ordering::Acquire);
        if running <= left || (stopped.is_some() && stopping.elapsed() > STOP_WITHIN) {
            break;
        }
        tick(&crew.handle.progress);
        let bed = crew.bed.lock().unwrap_or_else(PoisonError::into_inner);
        if crew.running.load(Ordering::Acquire) == running {
            drop(crew.over.wait_timeout(bed, ROUND));
        }
        let read = blocks_read();
        let busy = crew.pending.load(Ordering::Relaxed) > 1;
        if wanted.is_none() && busy && read > read_before && threads < most {
            let more = threads.min(most - threads);
            start(&mut threads, more);
        }
        read_before = read;
        let more = leave_behind(crew, started, &*visitor);
        left += more;
        // What a thread that hangs would have done, others must do.
        start(&mut threads, more);
    }
    tick(&crew.handle.progress);
    if crew.pending.load(Ordering::Acquire) > 0 && !crew.handle.stop.load(Ordering::Relaxed) {
        // Every thread that could be had hangs: what is left was not looked at.
        let mut teller = visitor();
        let path = crew.typed.first().cloned().unwrap_or_default();
        teller.problem(Problem { path, trouble: Trouble::NoAnswer });
        teller.settle();
    }
}

/// Blocks that this process has read from disks (getrusage(2), `ru_inblock`): caches do not
/// count.
fn blocks_read() -> i64 {
    #[cfg(target_os = "linux")]
    return read_bytes().unwrap_or(0);
    #[cfg(not(target_os = "linux"))]
    0
}

/// From `/proc/self/io` (proc_pid_io(5)): rustix has no getrusage.
#[cfg(target_os = "linux")]
fn read_bytes() -> Option<i64> {
    let text = System::new().read_file(b"/proc/self/io").ok()?;
    text.split(|&byte| byte == b'\n').find_map(|line| {
        let number = line.strip_prefix(b"read_bytes: ")?;
        std::str::from_utf8(number).ok()?.parse().ok()
    })
}

/// Gives up on threads whose look at a remote volume has taken too long; returns how many.
fn leave_behind<V: Visitor>(
    crew: &Crew,
    started: Instant,
    visitor: &(impl Fn() -> V + Send + Sync + 'static),
) -> usize {
    let limit = crew.volumes.time_limit();
    if crew.volumes.quiet_for().is_none_or(|quiet| quiet < limit) {
        return 0;
    }
    let late = crew.watch.iter().filter_map(|watch| watch.leave_if_late(started, limit));
    let mut count = 0;
    for doing in late {
        crew.volumes.doubt();
        let mut teller = visitor();
        tell_unanswered(crew, doing, &mut teller);
        teller.settle();
        crew.done();
        count += 1;
    }
    count
}

fn tell_unanswered<V: Visitor>(crew: &Crew, doing: Doing, teller: &mut V) {
    let trouble = Trouble::NoAnswer;
    let (root, folder, name, remote) = match doing {
        Doing::Folder(path) => return teller.problem(Problem { path, trouble }),
        Doing::Link { root, folder, name, remote } => (root, folder, name, remote),
    };
    // The link itself can be looked at only if it does not lie on such a volume, too.
    let held = if remote { None } else { folder.open(crew.system, Access::Hold).ok() };
    match held {
        Some(held) => teller.unanswered(&root, Found::new(&folder, held.as_fd(), &name)),
        None => teller.problem(Problem { path: root.path_of(&folder, &name), trouble }),
    }
}

/// The typed paths without those whose entries another one gives by the same paths: the same once
/// more, or a folder below another. A folder on another volume, or behind a link, stays.
fn without_repeats<'t>(crew: &Crew, typed: &'t [Vec<u8>]) -> Vec<&'t [u8]> {
    let all: HashSet<&[u8]> = typed.iter().map(Vec::as_slice).collect();
    // Only shorter paths are asked about: a path with a slash at its end begins with itself.
    let is_given = |path: &[u8]| {
        let above = (1..path.len())
            .filter(|&at| path.get(at - 1..=at).is_some_and(|two| two.contains(&b'/')));
        above.filter_map(|at| path.split_at_checked(at)).any(|(other, below)| {
            all.contains(other)
                && !path::components(below).any(|step| step == Component::Up)
                && is_plain_way(crew, other, path)
        })
    };
    let is_folder = |path: &[u8]| {
        let entry = crew.system.status(rustix::fs::CWD, bare(path), Links::Kept);
        entry.is_ok_and(|entry| entry.kind == EntryKind::Folder)
    };
    let mut seen: HashSet<&[u8]> = HashSet::new();
    typed
        .iter()
        .map(Vec::as_slice)
        .filter(|&path| {
            let key = if path != bare(path) && is_folder(path) { bare(path) } else { path };
            seen.insert(key) && !is_given(path)
        })
        .collect()
}

/// A typed path without its last slashes. With and without them a folder is the same, and a link
/// is not.
fn bare(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|&byte| byte != b'/').map_or(1, |last| last + 1);
    path.get(..end).unwrap_or(path)
}

/// Whether a walk of `top` would come to `path`: no link and no other volume lies between.
fn is_plain_way(crew: &Crew, top: &[u8], path: &[u8]) -> bool {
    if unsafe_to_touch(crew, top).is_some() || unsafe_to_touch(crew, path).is_some() {
        return false;
    }
    let is_folder = |typed: &[u8]| {
        let entry = crew.system.status(rustix::fs::CWD, typed, Links::Kept);
        entry.is_ok_and(|entry| entry.kind == EntryKind::Folder)
    };
    // A link as a root is listed as itself: it gives nothing of what lies behind it.
    if !is_folder(top) {
        return false;
    }
    let above = path.iter().rposition(|&byte| byte == b'/').unwrap_or_default();
    let folder = if is_folder(path) { path } else { path.get(..above.max(1)).unwrap_or(path) };
    if bare(folder) == bare(top) {
        return true;
    }
    // The walk comes through only if it may read every folder on the way.
    let slashes = (top.len()..folder.len()).filter(|&at| folder.get(at) == Some(&b'/'));
    let mut steps = slashes.filter_map(|at| folder.get(..at)).chain([top, folder]);
    if !steps.all(|step| crew.system.open_typed(step, Access::List).is_ok()) {
        return false;
    }
    let place = |typed: &[u8]| {
        let held = crew.system.open_typed(typed, Access::Hold).ok()?;
        let status = crew.system.status_of(held.as_fd()).ok()?;
        let place = crew.system.place_of(held.as_fd(), typed)?;
        Some((place, status.id.device, status.mount))
    };
    let (Some(top_place), Some(found)) = (place(top), place(folder)) else { return false };
    let mut expected = top_place.0;
    expected.extend_as_text(folder.strip_prefix(top).unwrap_or_default());
    is_folder(folder) && (expected, top_place.1, top_place.2) == found
}

/// Looks at one typed path: a folder becomes a task, anything else is told at once.
fn root_task<V: Visitor>(crew: &Arc<Crew>, typed: &[u8], visitor: &mut V) -> Option<Task> {
    let problem = |trouble| Problem { path: typed.to_vec(), trouble };
    if let Some(trouble) = unsafe_to_touch(crew, typed) {
        visitor.problem(problem(trouble));
        return None;
    }
    let system = crew.system;
    let status = match system.status(rustix::fs::CWD, typed, Links::Kept) {
        Ok(status) => status,
        Err(error) => {
            visitor.problem(problem(Trouble::System(error)));
            return None;
        }
    };
    crew.handle.progress.entries.fetch_add(1, Ordering::Relaxed);
    if status.kind != EntryKind::Folder {
        tell_entry(crew, typed, status.kind, visitor);
        return None;
    }
    let held = match system.open_typed(typed, Access::List) {
        Ok(held) => held,
        Err(error) => {
            visitor.problem(problem(Trouble::System(error)));
            return None;
        }
    };
    let made_up = system.is_made_up(held.as_fd());
    if made_up && !crew.options.virtual_too {
        visitor.problem(problem(Trouble::Virtual));
        return None;
    }
    let place = system.place_of(held.as_fd(), typed).unwrap_or_else(|| typed_place(crew, typed));
    let end = if made_up { EndMark::EmptyRead } else { system.end_mark(held.as_fd()) };
    // Some hundred roots must not take all the descriptors there are.
    let top = Folder::of_place(&place);
    drop(top.keep(held, &crew.budget));
    let root = Arc::new(Root { typed: typed.to_vec(), top: Some(Arc::clone(&top)), place });
    visitor.root(&root);
    Some(Task::root(crew, root, top, end))
}

/// Where a typed path would be looked up, as text; for when the system cannot say it.
fn typed_place(crew: &Crew, typed: &[u8]) -> AbsPath {
    AbsPath::cleaned(typed).unwrap_or_else(|| {
        let mut place = crew.options.current.clone().unwrap_or_else(AbsPath::root);
        place.extend_as_text(typed);
        place
    })
}

/// Whether merely looking at a typed path could hang or wake something: links on the way to it
/// lead on, the last one does not unless a slash follows.
fn unsafe_to_touch(crew: &Crew, typed: &[u8]) -> Option<Trouble> {
    if !crew.volumes.may_hang() {
        return None;
    }
    let mut live = Live::new(crew.system, Arc::clone(&crew.volumes));
    let current = crew.options.current.clone().unwrap_or_else(AbsPath::root);
    let stuck = live.unanswered(&Folder::of_place(&current), typed)?;
    let mount = crew.volumes.mounts().covering(&stuck);
    let on_demand = mount.is_some_and(|mount| volume::manner(&mount.fs_type) == Manner::OnDemand);
    Some(if on_demand { Trouble::OnDemand } else { Trouble::NoAnswer })
}

/// Tells of a typed path that is no folder, from the folder that holds it.
fn tell_entry<V: Visitor>(crew: &Crew, typed: &[u8], kind: EntryKind, visitor: &mut V) {
    let trimmed = typed.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last + 1);
    let bare = typed.get(..trimmed).unwrap_or(typed);
    let cut = bare.iter().rposition(|&byte| byte == b'/');
    let (parent, name) = match cut {
        None => (b".".as_slice(), bare),
        Some(at) => (bare.get(..=at).unwrap_or(b"/"), bare.get(at + 1..).unwrap_or_default()),
    };
    let held = match crew.system.open_typed(parent, Access::Hold) {
        Ok(held) => held,
        Err(error) => {
            let trouble = Trouble::System(error);
            visitor.problem(Problem { path: typed.to_vec(), trouble });
            return;
        }
    };
    let place =
        crew.system.place_of(held.as_fd(), parent).unwrap_or_else(|| typed_place(crew, parent));
    let root = Arc::new(Root { typed: typed.to_vec(), top: None, place: place.clone() });
    let folder = Folder::held(&place, held);
    let Some(held) = folder.descriptor() else {
        return;
    };
    let found = Found::new(&folder, held, name);
    if kind == EntryKind::Symlink {
        crew.handle.progress.links.fetch_add(1, Ordering::Relaxed);
        visitor.link(&root, found, &Siblings::default(), &|| true);
    } else if crew.options.files_too {
        visitor.file(&root, found, kind);
    }
}
