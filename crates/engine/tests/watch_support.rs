//! What the tests of the watcher share: links put on record, the watcher in a thread of its own, and
//! waiting for the thing itself.

use crate::support::volumes;
use linkwell_engine::catalogue::Catalogue;
use linkwell_engine::catalogue::links::{Entry, Seen};
use linkwell_engine::catalogue::questions::Question;
use linkwell_engine::disk::Unix;
use linkwell_engine::folder::Folder;
use linkwell_engine::likeness::Depth;
use linkwell_engine::operator::Held;
use linkwell_engine::state;
use linkwell_engine::system::{Access, System};
use linkwell_engine::track::Tracker;
use linkwell_engine::volumes::Settings as Volumes;
use linkwell_engine::watch::{self, Counts, Ended, Hint, News, Queue, Refusal, Settings, Tell};
use linkwell_model::keep::link::{By, Policy};
use linkwell_model::path::AbsPath;
use linkwell_testkit::tree::{Scratch, bytes};
use rustix::fd::AsFd as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub(crate) fn place(of: &Path) -> AbsPath {
    AbsPath::cleaned(&bytes(of)).expect("absolute")
}

/// A tree, and a state folder of its own beside it.
pub(crate) struct Ground {
    pub(crate) tree: Scratch,
    state: Scratch,
}

impl Ground {
    pub(crate) fn new(lines: &[&str]) -> Self {
        Self { tree: Scratch::with(lines), state: Scratch::new() }
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.tree.join(name)
    }

    pub(crate) fn state(&self) -> AbsPath {
        place(&self.state.join("state"))
    }

    pub(crate) fn state_path(&self) -> PathBuf {
        self.state.join("state")
    }

    fn state_folder(&self) -> Held {
        state::open_or_make(&Unix, System::new(), &self.state()).expect("a state folder")
    }

    pub(crate) fn catalogue(&self) -> Catalogue {
        Catalogue::open_or_make(&self.state_folder()).expect("it opens").0
    }

    /// Puts links on record, as `linkwell track` does.
    pub(crate) fn track(&self, links: &[PathBuf]) {
        let system = System::new();
        let volumes = volumes(system, Duration::from_secs(5));
        let mut tracker = Tracker::new(system, &volumes, Depth::Ends);
        let mut all: Vec<Seen> = Vec::new();
        for link in links {
            let (folder, name) = place(link).split().expect("not the root");
            let folder = Folder::of_place(&folder);
            let held = folder.open(system, Access::Hold).expect("it opens");
            all.extend(tracker.link(&folder, held.as_fd(), &name, By::Tracked).expect("a look"));
        }
        self.catalogue().record(&all, 1).expect("recorded");
    }

    /// The same, by names in the tree.
    pub(crate) fn track_all(&self, names: &[&str]) {
        let links: Vec<PathBuf> = names.iter().map(|name| self.join(name)).collect();
        self.track(&links);
    }

    pub(crate) fn entries(&self) -> Vec<Entry> {
        let mut all = Vec::new();
        let each = |entry| {
            all.push(entry);
            ControlFlow::Continue(())
        };
        self.catalogue().all(each).expect("it answers");
        all
    }

    pub(crate) fn entry(&self, link: &str) -> Option<Entry> {
        let (folder, name) = place(&self.join(link)).split().expect("not the root");
        self.catalogue().at(&folder, &name).expect("it answers")
    }

    pub(crate) fn policy(&self, link: &str, policy: Policy) {
        let number = self.entry(link).expect("on record").id;
        self.catalogue().set_policy(&[number], policy).expect("set");
    }

    pub(crate) fn questions(&self) -> Vec<Question> {
        self.catalogue().questions().expect("it answers")
    }

    pub(crate) fn settings(&self) -> Settings {
        Settings {
            system: System::new(),
            volumes: Volumes {
                time_limit: Duration::from_secs(5),
                answers: std::env::current_exe().ok(),
                state: Some(self.state()),
                ..Volumes::default()
            },
            state: self.state(),
            grace: GRACE,
            again: linkwell_engine::watch::AGAIN,
            whole: false,
            most_held: None,
            command: vec![b"watch".to_vec()],
            once: false,
        }
    }

    pub(crate) fn watch(&self) -> Watching {
        Watching::start(self.settings())
    }

    /// The text of a link in the tree.
    pub(crate) fn text(&self, link: &str) -> String {
        text(&self.join(link)).unwrap_or_default()
    }
}

/// Short, so that tests are; the rules do not depend on it.
pub(crate) const GRACE: Duration = Duration::from_millis(120);

/// How long something is waited for at the most: machines are slow. For measuring, seconds in
/// `LINKWELL_WATCH_PATIENCE`.
fn patience() -> Duration {
    let wanted = std::env::var("LINKWELL_WATCH_PATIENCE").ok();
    Duration::from_secs(wanted.and_then(|wanted| wanted.parse().ok()).unwrap_or(40))
}

pub(crate) fn text(link: &Path) -> Option<String> {
    let text = std::fs::read_link(link).ok()?;
    Some(String::from_utf8_lossy(&bytes(&text)).into_owned())
}

/// Something that was told, and when.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) what: String,
    pub(crate) link: Option<AbsPath>,
    pub(crate) words: String,
    pub(crate) at: Instant,
}

/// So much of what was told is remembered: more than any test asks for.
const MOST_SAID: usize = 8192;

struct Ear {
    said: Arc<Mutex<Vec<Said>>>,
    counts: Arc<Mutex<Option<Counts>>>,
}

impl Tell for Ear {
    fn tell(&mut self, news: &News) {
        let said = |what: &str, link: Option<AbsPath>, words: String| {
            let said = Said { what: what.into(), link, words, at: Instant::now() };
            let mut all = self.said.lock().expect("unpoisoned");
            // Whoever measures memory for an hour measures the watcher's, not what was told.
            if all.len() == MOST_SAID {
                all.clear();
            }
            all.push(said);
        };
        match news {
            News::Ready(counts) | News::Alive(counts) => {
                *self.counts.lock().expect("unpoisoned") = Some(counts.clone());
            }
            News::Happened { event, words, .. } => {
                let words = words.clone().unwrap_or_default();
                said(&event.what, Some(event.place.clone()), words);
            }
            News::Trouble(words) => said("trouble", None, words.clone()),
        }
    }
}

/// A watcher in a thread of its own. It ends when this is dropped.
pub(crate) struct Watching {
    pub(crate) queue: Queue,
    said: Arc<Mutex<Vec<Said>>>,
    counts: Arc<Mutex<Option<Counts>>>,
    thread: Option<JoinHandle<Result<Ended, Refusal>>>,
}

impl Watching {
    /// Starts it, and waits until it watches.
    pub(crate) fn start(settings: Settings) -> Self {
        let queue = Queue::default();
        let said: Arc<Mutex<Vec<Said>>> = Arc::default();
        let counts: Arc<Mutex<Option<Counts>>> = Arc::default();
        let mut ear = Ear { said: Arc::clone(&said), counts: Arc::clone(&counts) };
        let thread = {
            let queue = queue.clone();
            std::thread::spawn(move || watch::watch(&settings, &queue, &mut ear))
        };
        let watching = Self { queue, said, counts, thread: Some(thread) };
        watching.until("it watches", || watching.counts.lock().expect("unpoisoned").is_some());
        watching
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts.lock().expect("unpoisoned").clone().expect("it watches")
    }

    /// Waits until `holds`, and says all that was told when it never does.
    pub(crate) fn until(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let started = Instant::now();
        while !holds() {
            let ended = self.thread.as_ref().is_some_and(JoinHandle::is_finished);
            assert!(
                started.elapsed() < patience() && !ended,
                "never: {what} (ended: {ended}); told: {:#?}",
                self.said()
            );
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(crate) fn said(&self) -> Vec<Said> {
        self.said.lock().expect("unpoisoned").clone()
    }

    /// How often such a thing was told.
    pub(crate) fn count(&self, what: &str) -> usize {
        self.said().iter().filter(|said| said.what == what).count()
    }

    pub(crate) fn until_said(&self, what: &str) -> Said {
        self.until(&format!("`{what}` is told"), || self.count(what) > 0);
        self.said().into_iter().find(|said| said.what == what).expect("just now")
    }

    /// Waits until everything that was done before has been heard of, and had its grace twice over: a
    /// marker link of its own is moved, and healed after all the rest.
    pub(crate) fn until_settled(&self, marker: &Marker) {
        marker.bump(self);
    }

    pub(crate) fn end(self) -> Ended {
        self.queue.put(Hint::Stop);
        self.ends()
    }

    /// Waits for its end.
    pub(crate) fn ends(mut self) -> Ended {
        let thread = self.thread.take().expect("it runs");
        thread.join().expect("it does not panic").expect("it watched")
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.queue.put(Hint::Stop);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

/// A link on record whose only purpose is to be healed: when it is, everything that was due before has
/// been dealt with.
pub(crate) struct Marker {
    folder: PathBuf,
    turn: std::cell::Cell<u32>,
}

impl Marker {
    /// Makes it, and puts it on record.
    pub(crate) fn new(ground: &Ground) -> Self {
        linkwell_testkit::tree::make(&ground.tree.path(), &["marker/t0", "marker/link -> t0"]);
        ground.track_all(&["marker/link"]);
        Self { folder: ground.join("marker"), turn: std::cell::Cell::new(0) }
    }

    fn bump(&self, watching: &Watching) {
        let link = self.folder.join("link");
        let at = place(&link);
        let told = || watching.said().iter().filter(|said| said.link.as_ref() == Some(&at)).count();
        for _ in 0..2 {
            let turn = self.turn.get();
            self.turn.set(turn + 1);
            let (old, new) = (format!("t{turn}"), format!("t{}", turn + 1));
            let before = told();
            std::fs::rename(self.folder.join(old), self.folder.join(&new)).expect("renamed");
            watching.until("the marker is healed", || text(&link).is_some_and(|text| text == new));
            // What it is told of comes a moment later.
            watching.until("it is told", || told() > before);
        }
    }
}
