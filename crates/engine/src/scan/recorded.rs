//! Links on record, judged as a scan would judge them: each is read again, and nothing else is.

use super::judged::{Item, Judging, Shared, Sink, Wanted};
use super::{Handle, Problem, Progress, Root, Siblings, Trouble, Visitor};
use crate::folder::Folder;
use crate::judge::Found;
use crate::live::Live;
use crate::system::{Access, Links, System};
use crate::volumes::Volumes;
use linkwell_model::entry::{EntryKind, LinkKind};
use linkwell_model::health::Health;
use linkwell_model::keep::link::Terms;
use linkwell_model::name::Name;
use linkwell_model::note::Notes;
use linkwell_model::path::AbsPath;
use linkwell_model::tally::Tally;
use linkwell_model::target::Target;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::io::Errno;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// A link on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The folder in which it stands, physically.
    pub folder: AbsPath,
    /// Its name there.
    pub name: Name,
    /// The text that is on record.
    pub text: Target,
    /// By whom it is on record, and its policy.
    pub terms: Terms,
    /// Which of the roots it belongs to.
    pub root: usize,
}

/// What is wanted beside what a scan would tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// How each stands as a record: *replaced*, *retargeted*, and a problem where nothing is.
    Standing,
    /// Only what is a link now, and bind mounts, as a scan would tell.
    Links,
}

/// The root that shows places from `/` on.
pub fn whole() -> Arc<Root> {
    let place = AbsPath::root();
    Arc::new(Root { typed: b"/".to_vec(), top: Some(Folder::root()), place })
}

/// The root that shows what lies below a folder, or the entry itself, as it was typed.
pub fn root(typed: &[u8], place: &AbsPath, folder: bool) -> Arc<Root> {
    let top = folder.then(|| Folder::of_place(place));
    Arc::new(Root { typed: typed.to_vec(), top, place: place.clone() })
}

/// Where a typed path lies, if it is a folder, and no link, that can be looked at without waiting; read from
/// `start` when it is relative, which must be the current folder.
pub fn folder(
    system: System,
    volumes: &Arc<Volumes>,
    start: &Arc<Folder>,
    typed: &[u8],
) -> Option<AbsPath> {
    if volumes.may_hang() {
        let mut live = Live::new(system, Arc::clone(volumes));
        if live.unanswered(start, typed).is_some() {
            return None;
        }
    }
    let status = system.status(rustix::fs::CWD, typed, Links::Kept).ok()?;
    if status.kind != EntryKind::Folder {
        return None;
    }
    let held = system.open_typed(typed, Access::Hold).ok()?;
    system.place_of(held.as_fd(), typed)
}

/// So many links are judged by one thread before it asks for more.
const BLOCK: usize = 256;

/// Judges links on record, and gives each to a sink; returns the counts. The links of one folder should
/// stand together.
///
/// With [`Handle::stop`] set meanwhile, what was judged so far was given and is counted.
///
/// Not guaranteed: an order; anything about links that are not on record.
#[expect(
    clippy::too_many_arguments,
    reason = "it is the scan's way to be asked, and what is on record"
)]
pub fn scan<S: Sink>(
    system: System,
    volumes: &Arc<Volumes>,
    wanted: &Wanted,
    told: Told,
    roots: &[Arc<Root>],
    asked: &[Asked],
    handle: &Handle,
    sink: impl Fn() -> S + Sync,
    mut tick: impl FnMut(&Progress),
) -> Tally {
    let shared = Arc::new(Shared::default());
    shared.roots.lock().unwrap_or_else(PoisonError::into_inner).extend(roots.iter().cloned());
    let make = || Judging::new(system, volumes, wanted, Arc::clone(&shared), sink());
    let most = wanted.options.threads.or_else(|| std::thread::available_parallelism().ok());
    let most = most.map_or(1, NonZeroUsize::get);
    let blocks: Vec<&[Asked]> = asked.chunks(BLOCK).collect();
    let next = AtomicUsize::new(0);
    let work = |mut judging: Judging<S>| {
        let mut eyes = Eyes { system, volumes, told, roots, folder: None };
        while let Some(block) = blocks.get(next.fetch_add(1, Ordering::Relaxed)) {
            if handle.stop.load(Ordering::Relaxed) {
                break;
            }
            for asked in *block {
                eyes.look(&mut judging, asked);
            }
            let count = u64::try_from(block.len()).unwrap_or(0);
            handle.progress.entries.fetch_add(count, Ordering::Relaxed);
            handle.progress.links.fetch_add(count, Ordering::Relaxed);
            judging.pause();
        }
        judging.settle();
    };
    if blocks.len() < 2 || most < 2 {
        work(make());
    } else {
        let running = Mutex::new(most.min(blocks.len()));
        std::thread::scope(|scope| {
            for _ in 0..most.min(blocks.len()) {
                scope.spawn(|| {
                    work(make());
                    *running.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
                });
            }
            while *running.lock().unwrap_or_else(PoisonError::into_inner) > 0 {
                std::thread::sleep(Duration::from_millis(2));
                tick(&handle.progress);
            }
        });
    }
    if told == Told::Links {
        let mut last = make();
        last.tell_binds(volumes);
        last.settle();
    }
    let mut tally = shared.tally.lock().unwrap_or_else(PoisonError::into_inner).clone();
    tally.entries = handle.progress.entries.load(Ordering::Relaxed);
    tally
}

/// A folder on record: where, below which root, and as it was opened.
type LastFolder = (AbsPath, usize, Arc<Folder>, Result<OwnedFd, Errno>);

/// What one thread looks with.
struct Eyes<'a> {
    system: System,
    volumes: &'a Volumes,
    told: Told,
    roots: &'a [Arc<Root>],
    /// The folder of the last link.
    folder: Option<LastFolder>,
}

impl Eyes<'_> {
    fn look<S: Sink>(&mut self, judging: &mut Judging<S>, asked: &Asked) {
        let Some(root) = self.roots.get(asked.root) else { return };
        self.open(root, asked);
        let Some((_, _, folder, open)) = &self.folder else { return };
        let folder = Arc::clone(folder);
        let held = match open {
            Ok(held) => held.as_fd(),
            Err(error) => return self.unseen(judging, root, &folder, asked, *error),
        };
        let found = Found::new(&folder, held, asked.name.as_bytes());
        match self.system.status(held, asked.name.as_bytes(), Links::Kept) {
            Ok(status) if status.kind == EntryKind::Symlink => {
                judging.recorded =
                    (self.told == Told::Standing).then(|| (asked.text.clone(), asked.terms));
                judging.link(root, found, &Siblings::default(), &|| true);
            }
            Ok(_) if self.told == Told::Standing => {
                let path = root.path_of(&folder, asked.name.as_bytes());
                give(judging, &path, asked, Health::Replaced);
            }
            Ok(_) => {}
            Err(error) => self.unseen(judging, root, &folder, asked, error),
        }
    }

    /// Opens the folder of a link, below the root that it belongs to.
    fn open(&mut self, root: &Arc<Root>, asked: &Asked) {
        let known = self
            .folder
            .as_ref()
            .is_some_and(|(place, number, ..)| *place == asked.folder && *number == asked.root);
        if known {
            return;
        }
        let folder = match (&root.top, asked.folder.below(&root.place)) {
            (Some(top), Some(below)) => below
                .split(|byte| *byte == b'/')
                .filter(|name| !name.is_empty())
                .fold(Arc::clone(top), |above, name| Folder::below(&above, name)),
            _ => Folder::of_place(&asked.folder),
        };
        let open = if self.volumes.gives_answer(&asked.folder) {
            folder.open(self.system, Access::Hold)
        } else {
            Err(Errno::IO)
        };
        self.folder = Some((asked.folder.clone(), asked.root, folder, open));
    }

    /// Tells of a link that cannot be looked at, or is not there.
    fn unseen<S: Sink>(
        &self,
        judging: &mut Judging<S>,
        root: &Arc<Root>,
        folder: &Arc<Folder>,
        asked: &Asked,
        error: Errno,
    ) {
        let gone = matches!(error, Errno::NOENT | Errno::NOTDIR | Errno::LOOP);
        if gone && self.told == Told::Links {
            return;
        }
        let away = gone && self.volumes.absent(&asked.folder, asked.name.as_bytes()).is_some();
        let health = match error {
            _ if away => Health::Asleep,
            Errno::ACCESS | Errno::PERM => Health::Denied,
            _ => Health::Unknown,
        };
        if gone && !away {
            let path = root.path_of(folder, asked.name.as_bytes());
            judging.problem(Problem { path, trouble: Trouble::System(Errno::NOENT) });
            return;
        }
        let path = root.path_of(folder, asked.name.as_bytes());
        give(judging, &path, asked, health);
    }
}

fn give<S: Sink>(judging: &mut Judging<S>, path: &[u8], asked: &Asked, health: Health) {
    judging.give(&Item {
        path,
        kind: LinkKind::Symlink,
        target: Some(asked.text.as_bytes()),
        health,
        notes: Notes::default(),
        physical: None,
        hops: 1,
        ends_at: None,
        absent: None,
        group: None,
        record: Some(asked.terms),
        verdict: None,
    });
}
