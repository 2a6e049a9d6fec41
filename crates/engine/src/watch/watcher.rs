//! The watcher: what it knows, and what it does when.

use super::grace::{Grace, Heard};
use super::held::Held;
use super::moves::Moves;
use super::nodes::{LinkId, NodeId, Nodes};
use super::queue::{Hint, Queue, Spot};
use super::source::{self, Source};
use super::{Counts, Ended, News, Refusal, Settings, Tell};
use crate::catalogue::links::Entry;
use crate::catalogue::questions::{Event, Proposal};
use crate::catalogue::{self, Catalogue, Opened};
use crate::disk::Unix;
use crate::folder::Folder;
use crate::journal::Store;
use crate::state;
use crate::system::{Access, Links, System};
use crate::volumes::Volumes;
use hashbrown::{HashMap, HashSet};
use linkwell_model::entry::{EntryKind, Identity, LinkKind};
use linkwell_model::keep::likeness::Likeness;
use linkwell_model::keep::link::Kept;
use linkwell_model::path::AbsPath;
use linkwell_model::shown::shown;
use linkwell_model::target::Target;
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::time::{ClockId, clock_gettime};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often it is asked whether somebody else changed the catalogue, or the computer slept.
const TICK: Duration = Duration::from_secs(2);

/// How a link stood when it was looked at last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It was not looked at yet.
    New,
    /// It stands, and what it leads to is there.
    Sound,
    /// It leads to nothing.
    Lost,
    /// Its volume, or that of what it leads to, is away.
    Asleep,
    /// Something real stands in its place.
    Replaced,
    /// It is not where it was, and nobody knows where.
    Gone,
    /// It may not be looked at.
    Unseen,
    /// A person is asked.
    Asked,
    /// While it was led, its target moved on, and something else is where it leads now.
    Misled,
}

/// The mount that something lay on, as it was seen last.
pub(super) type OnMount = Option<Arc<(u64, AbsPath)>>;

/// So many links on record are read into one piece of memory.
const PIECE: usize = 512;

/// A link on record, as the watcher knows it.
#[derive(Debug)]
pub(super) struct Tracked {
    pub(super) link: Kept,
    pub(super) was: Option<Likeness>,
    /// Where it stands, and what its text names.
    pub(super) at: NodeId,
    pub(super) to: NodeId,
    /// Where it may lead, as a person is asked: that may move on, too.
    pub(super) proposed: Option<NodeId>,
    pub(super) state: State,
    /// The mounts that both lay on when they were there.
    pub(super) mounts: (OnMount, OnMount),
    /// The text that it had before it was healed: who gives it that again takes the heal back.
    pub(super) healed_from: Option<Target>,
    /// A person led it to where nothing is: it is led away from there only when they say so.
    pub(super) chosen: bool,
    /// How often it was in motion when it was to be led elsewhere.
    pub(super) tries: u8,
}

/// The watcher.
pub(super) struct Watcher<'t> {
    pub(super) settings: &'t Settings,
    pub(super) system: System,
    pub(super) store: Store,
    pub(super) catalogue: Catalogue,
    pub(super) volumes: Arc<Volumes>,
    pub(super) nodes: Nodes,
    pub(super) held: Held,
    pub(super) grace: Grace,
    pub(super) moves: Moves,
    /// In boxes, since a third of a table is empty.
    pub(super) links: HashMap<LinkId, Box<Tracked>>,
    /// Those about which a question is on record, by whomever and whenever it was asked.
    pub(super) questioned: HashSet<LinkId>,
    pub(super) healed: u64,
    source: Box<dyn Source>,
    queue: Queue,
    tell: &'t mut dyn Tell,
    /// The catalogue as it was read last.
    version: i64,
    /// Not all folders could be watched.
    short: bool,
    /// The folders that may not be watched: what is on record below them is looked at from time to time.
    pub(super) deaf: HashSet<NodeId>,
    /// The operation that nothing can be done before, since it is unfinished.
    pub(super) held_up: Option<u64>,
    /// When everything is to be looked at again.
    pub(super) again: Option<Instant>,
    /// When what could not be looked at was tried last.
    tried: Instant,
    /// The mounts in sight, one value each.
    on: HashMap<u64, Arc<(u64, AbsPath)>>,
    /// The folder that was opened last.
    open: Option<(AbsPath, OwnedFd)>,
    /// What the clock that goes on while the computer sleeps is ahead of the one that does not.
    slept: Duration,
}

/// Whether it is what linkwell itself keeps beside a link for a moment.
fn is_own(spot: &Spot) -> bool {
    spot.name.starts_with(b".linkwell-")
}

fn read_volumes(settings: &Settings) -> Arc<Volumes> {
    let volumes = Arc::new(Volumes::read(settings.system, settings.volumes.clone()));
    volumes.find_reach();
    volumes.remember();
    volumes
}

/// How long the computer slept since it was started.
fn slept() -> Duration {
    let moment = |clock| {
        let time = clock_gettime(clock);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or(0))
    };
    #[cfg(target_os = "linux")]
    let through = moment(ClockId::Boottime);
    #[cfg(not(target_os = "linux"))]
    let through = moment(ClockId::Monotonic);
    through.saturating_sub(moment(ClockId::Monotonic))
}

/// Now, in seconds since 1970: for people, and nothing is decided by it.
pub(super) fn clock() -> linkwell_model::entry::Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let since = since.unwrap_or_default();
    linkwell_model::entry::Time(
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        since.subsec_nanos(),
    )
}

impl<'t> Watcher<'t> {
    pub(super) fn new(
        settings: &'t Settings,
        store: Store,
        queue: Queue,
        tell: &'t mut dyn Tell,
    ) -> Result<Self, Refusal> {
        let system = settings.system;
        let folder = state::open(system, &settings.state).map_err(Refusal::State)?;
        let (catalogue, opened) = Catalogue::open_or_make(&folder).map_err(Refusal::Catalogue)?;
        if let Opened::SetAside(place) = opened {
            let words = format!(
                "the catalogue was damaged and is set aside as `{}`; it begins anew",
                place.shown()
            );
            tell.tell(&News::Trouble(words));
        }
        let source = source::best(&queue, settings.whole);
        Ok(Self {
            settings,
            system,
            store,
            version: 0,
            catalogue,
            volumes: read_volumes(settings),
            nodes: Nodes::new(),
            held: Held::new(system, settings.most_held),
            grace: Grace::new(settings.grace),
            moves: Moves::default(),
            links: HashMap::new(),
            questioned: HashSet::new(),
            healed: 0,
            short: source.word() == "nothing",
            deaf: HashSet::new(),
            held_up: None,
            source,
            queue,
            tell,
            again: None,
            tried: Instant::now(),
            on: HashMap::new(),
            open: None,
            slept: slept(),
        })
    }

    pub(super) fn run(mut self) -> Result<Ended, Refusal> {
        self.recover_own();
        self.read().map_err(Refusal::Catalogue)?;
        self.look_at_all();
        self.tell(News::Ready(self.counts()));
        let mut told = Instant::now();
        loop {
            let now = Instant::now();
            // What an unfinished operation holds up can take for ever.
            if self.settings.once && (self.grace.is_empty() || self.held_up.is_some()) {
                break;
            }
            let due = [self.grace.next(), self.again].into_iter().flatten().min();
            let patience = due.map_or(TICK, |due| due.saturating_duration_since(now).min(TICK));
            if !self.hear(patience) {
                break;
            }
            self.act();
            if told.elapsed() >= TICK {
                told = Instant::now();
                self.tick();
                self.tell(News::Alive(self.counts()));
            }
        }
        Ok(Ended { counts: self.counts(), held_up: self.held_up })
    }

    /// Takes what was heard; `false` when somebody asks for the end.
    fn hear(&mut self, patience: Duration) -> bool {
        let mut goes_on = true;
        let mut all = false;
        let heard = self.queue.take(patience);
        // Whoever answered before may have stopped since.
        self.volumes.ask_again(self.settings.again / 2);
        for hint in heard {
            match hint {
                Hint::Vacated(spot) => self.heard(&spot, Heard::Vacated),
                Hint::Filled(spot) => self.heard(&spot, Heard::Filled),
                Hint::Moved(from, to) => {
                    if is_own(&from) || is_own(&to) {
                        // What stands there is new, and where the old one went is nowhere.
                        let (from, to) = (self.nodes_of(&from), self.nodes_of(&to));
                        let all = if to.is_empty() { from } else { to };
                        all.into_iter().for_each(|node| self.moves.forget(node));
                    } else {
                        self.moves.moved(&self.nodes_of(&from), &from, &to);
                    }
                    self.heard(&from, Heard::Vacated);
                    self.heard(&to, Heard::Filled);
                }
                Hint::Ended(watch) => {
                    let ended: Vec<NodeId> = self.nodes.watched(watch).collect();
                    for node in ended {
                        self.nodes.set_watch(node, None, false);
                        // The folder was removed, or its volume: what hangs on it is looked at in time.
                        self.grace.heard(node, Heard::Filled, Instant::now());
                    }
                }
                Hint::Missed | Hint::Reload => all = true,
                Hint::Mounts => all |= self.mounts_changed(),
                Hint::Stop => goes_on = false,
            }
        }
        if all && goes_on {
            if let Err(trouble) = self.read() {
                self.trouble(format!("the catalogue cannot be read: {trouble}"));
            }
            self.look_at_all();
        }
        goes_on
    }

    /// The nodes of a spot: most often one, or none.
    fn nodes_of(&self, spot: &Spot) -> Vec<NodeId> {
        let folders = self.nodes.watched(spot.watch);
        folders.filter_map(|folder| self.nodes.child(folder, &spot.name)).collect()
    }

    fn heard(&mut self, spot: &Spot, what: Heard) {
        if is_own(spot) {
            return;
        }
        for node in self.nodes_of(spot) {
            self.grace.heard(node, what, Instant::now());
            // A deleted object's room is free only when nobody holds it.
            self.held.release_if_deleted(node);
            if what == Heard::Filled
                && let Some(link) = self.nodes.link(node)
            {
                self.look_for_replacement(link);
            }
        }
    }

    /// Does what is due now. All that was heard by then has been taken into account.
    fn act(&mut self) {
        let now = Instant::now();
        if self.grace.next().is_some_and(|next| next <= now) {
            if !self.hear(Duration::ZERO) {
                // It is asked for again at the next waiting.
                return;
            }
            let due = self.grace.due(Instant::now());
            if !due.is_empty() {
                self.settle(due);
            }
        }
        if self.again.is_some_and(|again| again <= now) {
            self.again = None;
            self.look_at_all();
        }
    }

    fn tick(&mut self) {
        let slept = slept();
        let woke = slept > self.slept + Duration::from_secs(1);
        self.slept = slept;
        if !self.catalogue.is_in_place() {
            self.open_anew();
        }
        match self.catalogue.version() {
            Ok(version) if version != self.version => {
                if let Err(trouble) = self.read() {
                    self.trouble(format!("the catalogue cannot be read: {trouble}"));
                }
            }
            Ok(_) => {}
            Err(trouble) => self.trouble(format!("the catalogue cannot be read: {trouble}")),
        }
        if woke {
            self.mounts_changed();
            self.look_at_all();
        }
        if self.short && self.again.is_none() {
            self.again = Some(Instant::now() + self.settings.again);
        }
        if self.tried.elapsed() >= self.settings.again {
            self.tried = Instant::now();
            self.look_at_unseen();
        }
    }

    /// Another catalogue stands there: the old one was damaged and set aside, or somebody removed it. What
    /// the new one holds counts.
    fn open_anew(&mut self) {
        let opened = state::open(self.system, &self.settings.state)
            .ok()
            .and_then(|folder| Catalogue::open_or_make(&folder).ok());
        let Some((catalogue, _)) = opened else { return };
        self.catalogue = catalogue;
        self.trouble("the catalogue is another one now; what is in it is watched".into());
        if let Err(trouble) = self.read() {
            self.trouble(format!("the catalogue cannot be read: {trouble}"));
        }
    }

    /// Reads the catalogue, and takes in what is new, other or gone.
    pub(super) fn read(&mut self) -> Result<(), catalogue::Trouble> {
        self.version = self.catalogue.version()?;
        // In pieces, each of which is given back when it was taken in: so there are never two of all.
        let mut found: Vec<Vec<Entry>> = Vec::new();
        self.catalogue.all(|entry| {
            if entry.link.kind == LinkKind::Symlink {
                match found.last_mut().filter(|piece| piece.len() < PIECE) {
                    Some(piece) => piece.push(entry),
                    None => {
                        let mut piece = Vec::with_capacity(PIECE);
                        piece.push(entry);
                        found.push(piece);
                    }
                }
            }
            ControlFlow::Continue(())
        })?;
        self.questioned =
            self.catalogue.questions()?.into_iter().map(|question| question.link).collect();
        let known: HashSet<LinkId> = found.iter().flatten().map(|entry| entry.id).collect();
        let gone: Vec<LinkId> =
            self.links.keys().filter(|link| !known.contains(*link)).copied().collect();
        for link in gone {
            self.dismiss(link);
        }
        let mut fresh = Vec::new();
        for entry in found.into_iter().flatten() {
            match self.links.get_mut(&entry.id) {
                Some(known) if known.link == entry.link => known.was = entry.target,
                // What is held of it stays: it may be on its way somewhere just now.
                Some(known)
                    if known.link.place() == entry.link.place()
                        && known.link.to == entry.link.to =>
                {
                    (known.link, known.was, known.state) = (entry.link, entry.target, State::New);
                    fresh.push(entry.id);
                }
                Some(known) => {
                    let chosen = known.link.place() == entry.link.place()
                        && (known.healed_from.as_ref() == Some(&entry.link.target)
                            || known.chosen && known.link.target == entry.link.target);
                    self.dismiss(entry.id);
                    let link = self.admit(entry);
                    if let Some(known) = self.links.get_mut(&link) {
                        known.chosen = chosen;
                    }
                    fresh.push(link);
                }
                None => fresh.push(self.admit(entry)),
            }
        }
        self.hold_all(&fresh);
        self.settle_fresh(&fresh);
        Ok(())
    }

    /// Takes a link in: its nodes, and the watches on the way to them.
    pub(super) fn admit(&mut self, entry: Entry) -> LinkId {
        let at = self.nodes.insert(&entry.link.place());
        let to = self.nodes.insert(&entry.link.to);
        self.nodes.tie(entry.id, at, to);
        self.watch_way(at);
        self.watch_way(to);
        let (link, was) = (entry.link, entry.target);
        let (state, mounts) = (State::New, (None, None));
        let tracked = Tracked {
            link,
            was,
            at,
            to,
            proposed: None,
            state,
            mounts,
            healed_from: None,
            chosen: false,
            tries: 0,
        };
        self.links.insert(entry.id, Box::new(tracked));
        entry.id
    }

    /// Forgets a link, and all that is of nobody then.
    pub(super) fn dismiss(&mut self, link: LinkId) {
        self.propose(link, None);
        if let Some(known) = self.links.remove(&link) {
            let gone = self.nodes.untie(link, known.at, known.to);
            self.let_go(gone);
        }
    }

    /// Watches the place that a person is asked about, instead of the one before; which it was.
    pub(super) fn propose(&mut self, link: LinkId, place: Option<&AbsPath>) -> Option<AbsPath> {
        let known = self.links.get(&link)?;
        let (old, ends) = (known.proposed, [known.at, known.to]);
        let before = old.map(|old| self.nodes.place(old));
        if before.as_ref() == place {
            return before;
        }
        let new = place.map(|place| self.nodes.insert(place)).filter(|new| !ends.contains(new));
        if let Some(new) = new {
            self.nodes.propose(link, new);
            self.watch_way(new);
        }
        if let Some(old) = old {
            let gone = self.nodes.unpropose(link, old);
            self.let_go(gone);
        }
        if let Some(known) = self.links.get_mut(&link) {
            known.proposed = new;
        }
        before
    }

    pub(super) fn let_go(&mut self, gone: Vec<(NodeId, Option<i32>)>) {
        for (node, watch) in gone {
            // The same folder may have been taken in under its new name since: then it has the same watch.
            if let Some(watch) = watch
                && self.nodes.watched(watch).next().is_none()
            {
                self.source.unwatch(watch);
            }
            self.held.release(node);
            self.grace.forget(node);
            self.moves.forget(node);
            self.deaf.remove(&node);
        }
    }

    /// Watches the folders on the way to a node, up to the first that is watched.
    pub(super) fn watch_way(&mut self, node: NodeId) {
        let way: Vec<NodeId> = self.nodes.upward(node).skip(1).collect();
        for folder in way {
            if self.nodes.watch(folder).is_some() {
                break;
            }
            self.watch_folder(folder, false);
        }
    }

    /// Watches a folder, or watches it anew; whether it is watched then.
    fn watch_folder(&mut self, node: NodeId, creation: bool) -> bool {
        let place = self.nodes.place(node);
        if !self.volumes.gives_answer(&place) {
            return false;
        }
        let watched = self.source.watch(&place, creation);
        self.note_watch(node, &place, watched, creation)
    }

    fn note_watch(
        &mut self,
        node: NodeId,
        place: &AbsPath,
        watched: Result<i32, Errno>,
        creation: bool,
    ) -> bool {
        let watched = match watched {
            Ok(watched) => watched,
            // The folder itself may only have another name: then it is still heard of, until it is known by
            // that.
            Err(Errno::NOENT | Errno::NOTDIR | Errno::NOSYS) => return false,
            Err(Errno::NOSPC) => {
                if !std::mem::replace(&mut self.short, true) {
                    self.trouble(
                        "not every folder can be watched: the limit of the system is reached (`sysctl \
                         fs.inotify.max_user_watches`); what is on record is looked at every 30 seconds"
                            .into(),
                    );
                }
                return false;
            }
            Err(error) => {
                self.is_deaf(node, place, error);
                return false;
            }
        };
        self.deaf.remove(&node);
        if let Some(old) = self.nodes.set_watch(node, Some(watched), creation) {
            self.source.unwatch(old);
        }
        // It is the same folder by another mount; or it had the other name, and has it no more.
        for twin in self.nodes.twins(node) {
            let creation = self.nodes.sees_creation(twin);
            let place = self.nodes.place(twin);
            if self.volumes.gives_answer(&place) {
                let again = self.source.watch(&place, creation).ok();
                if let Some(old) = self.nodes.set_watch(twin, again, creation) {
                    self.source.unwatch(old);
                }
            }
        }
        true
    }

    /// A folder that may be entered and not read (0711), or of which the system tells nothing.
    fn is_deaf(&mut self, node: NodeId, place: &AbsPath, error: Errno) {
        let first = self.deaf.is_empty();
        if self.deaf.insert(node) && first {
            self.trouble(format!(
                "changes in `{}` cannot be heard of: {}; what leads through it, or through others like it, \
                 is looked at every {} seconds",
                place.shown(),
                crate::survey::reason(error),
                self.settings.again.as_secs(),
            ));
        }
    }

    /// Watches the folders of a part of the tree anew: other ones may have their names by now.
    pub(super) fn watch_again(&mut self, top: NodeId) {
        for node in self.nodes.subtree(top) {
            if self.nodes.is_folder(node) {
                let creation = self.nodes.sees_creation(node);
                self.watch_folder(node, creation);
            }
        }
        self.watch_way(top);
    }

    /// Tries once more to watch what could not be watched.
    pub(super) fn watch_deaf(&mut self) {
        let deaf: Vec<NodeId> = self.deaf.iter().copied().collect();
        for node in deaf {
            let creation = self.nodes.sees_creation(node);
            self.watch_folder(node, creation);
        }
    }

    /// Lets it be told when a missing name is made: in the nearest folder on its way that is there.
    pub(super) fn await_creation(&mut self, node: NodeId) {
        let way: Vec<NodeId> = self.nodes.upward(node).collect();
        for pair in way.windows(2) {
            let [missing, folder] = *pair else { continue };
            if !self.watch_folder(folder, true) {
                continue;
            }
            // It may have been made a moment ago.
            let place = self.nodes.place(missing);
            if self.volumes.may_enter(&place)
                && self.system.status(rustix::fs::CWD, place.as_bytes(), Links::Kept).is_ok()
            {
                self.grace.heard(missing, Heard::Filled, Instant::now());
            }
            return;
        }
    }

    /// Nothing is missing in this folder any more.
    pub(super) fn stop_awaiting(&mut self, node: NodeId) {
        let folder = self.nodes.upward(node).nth(1);
        let Some(folder) = folder.filter(|folder| self.nodes.sees_creation(*folder)) else {
            return;
        };
        if self.nodes.twins(folder).iter().any(|twin| self.nodes.sees_creation(*twin)) {
            let watch = self.nodes.watch(folder);
            self.nodes.set_watch(folder, watch, false);
            return;
        }
        let place = self.nodes.place(folder);
        if self.volumes.gives_answer(&place) {
            let watched = self.source.quiet(&place);
            self.note_watch(folder, &place, watched, false);
        }
    }

    /// Holds what is on record, while there is room: files first, then folders, then the links themselves.
    fn hold_all(&mut self, links: &[LinkId]) {
        let mut nodes: Vec<(u8, NodeId)> = Vec::with_capacity(links.len() * 2);
        for known in links.iter().filter_map(|link| self.links.get(link)) {
            let folder = known.was.as_ref().is_some_and(|was| was.kind == EntryKind::Folder);
            nodes.push((u8::from(folder), known.to));
            nodes.push((2, known.at));
        }
        nodes.sort_by_key(|(rank, _)| *rank);
        for (_, node) in nodes {
            if self.held.is_full() {
                break;
            }
            self.hold(node);
        }
        self.open = None;
    }

    /// Holds what stands at a node now.
    pub(super) fn hold(&mut self, node: NodeId) {
        let Some(above) = self.nodes.upward(node).nth(1) else { return };
        let place = self.nodes.place(above);
        if self.open.as_ref().is_none_or(|(known, _)| *known != place) {
            self.open = None;
            if self.volumes.gives_answer(&place) {
                let opened = Folder::of_place(&place).open(self.system, Access::Hold);
                self.open = opened.ok().map(|opened| (place, opened));
            }
        }
        if !self.volumes.may_enter(&self.nodes.place(node)) {
            return;
        }
        let there = self.open.as_ref().is_some_and(|(_, folder)| {
            self.held.hold(self.volumes.mounts(), node, folder, self.nodes.name(node))
        });
        // It moved on a moment ago: what is held of it is all that knows where it is.
        if !there && self.held.id(node).is_some_and(|held| !self.is_on_record(node, held)) {
            self.held.release(node);
        }
    }

    /// Whether this object is the one on record that stands at a node.
    fn is_on_record(&self, node: NodeId, held: Identity) -> bool {
        self.nodes.links(node).filter_map(|link| self.links.get(&link)).any(|known| {
            let was = known.was.as_ref().filter(|_| known.to == node);
            (known.at == node && known.link.id.is(held))
                || was.is_some_and(|was| (was.device, was.inode) == (held.device, held.inode))
        })
    }

    /// Forgets which folder was opened last.
    pub(super) fn close(&mut self) {
        self.open = None;
    }

    /// Reads anew what is mounted; whether that concerns anything on record.
    fn mounts_changed(&mut self) -> bool {
        let volumes = read_volumes(self.settings);
        let mounts = volumes.mounts();
        let lasts =
            |on: &(u64, AbsPath)| mounts.by_id(on.0).is_some_and(|mount| mount.point == on.1);
        let lost = self.on.values().any(|on| !lasts(on));
        let old = self.volumes.mounts();
        let came = mounts.iter().any(|mount| {
            let is_new = old.by_id(mount.id).is_none_or(|old| old.point != mount.point);
            is_new && self.nodes.find(&mount.point).is_some()
        });
        self.on.retain(|_, on| lasts(on));
        let numbers: HashSet<u64> = mounts.iter().map(|mount| mount.id).collect();
        self.volumes = volumes;
        self.held.forget_mounts();
        self.close();
        if lost {
            // A volume that was taken away while it was in use goes only when nobody holds it.
            self.held
                .release_where(|facts| facts.mount.is_some_and(|mount| !numbers.contains(&mount)));
        }
        lost || came
    }

    /// The mount that a place lies on.
    pub(super) fn mount_of(&mut self, place: &AbsPath) -> OnMount {
        let mount = self.volumes.mounts().covering(place)?;
        let fresh = || Arc::new((mount.id, mount.point.clone()));
        Some(Arc::clone(self.on.entry(mount.id).or_insert_with(fresh)))
    }

    /// Whether something lay on a mount that is not there any more.
    pub(super) fn is_away(&self, on: &OnMount) -> bool {
        on.as_ref().is_some_and(|on| {
            let mount = self.volumes.mounts().by_id(on.0);
            mount.is_none_or(|mount| mount.point != on.1)
        })
    }

    /// Whether something lay on a mount that is not there any more, and what is seen at its place now was hidden
    /// below that.
    pub(super) fn is_uncovered(&self, on: &OnMount, place: &AbsPath) -> bool {
        let now = self.volumes.mounts().covering(place);
        self.is_away(on)
            && on.as_ref().is_some_and(|on| now.is_none_or(|mount| mount.point != on.1))
    }

    /// Takes back what an earlier watcher was doing when it was ended by force. What is to be done about it
    /// is seen by looking, like everything else.
    fn recover_own(&mut self) {
        use crate::execute::recover::{Wish, recover};
        let Ok(numbers) = self.store.unfinished() else { return };
        for number in numbers {
            let Ok(operation) = self.store.read(number) else { continue };
            if operation.header.verb() != Some(b"watch") {
                continue;
            }
            let silent = operation.plan.items.iter().find(|item| {
                let place = AbsPath::cleaned(&item.path);
                place.is_some_and(|place| !self.volumes.gives_answer(&place))
            });
            if let Some(item) = silent {
                self.trouble(format!(
                    "operation {number} was begun and cannot be taken back now: there is no answer from where \
                     `{}` is",
                    shown(&item.path)
                ));
                continue;
            }
            let Ok(lock) = self.store.lock(&Unix) else { continue };
            let stop = std::sync::atomic::AtomicBool::new(false);
            let recovered = recover(&self.means(&stop), &self.store, &lock, &operation, Wish::Back);
            if recovered.is_err() {
                self.trouble(format!("operation {number} was begun and could not be taken back"));
            }
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let of = |state| self.links.values().filter(|known| known.state == state).count();
        Counts {
            links: self.links.len(),
            watched: self.nodes.watches(),
            held: self.held.count(),
            healed: self.healed,
            lost: of(State::Lost),
            asleep: of(State::Asleep),
            asked: of(State::Asked) + of(State::Replaced),
            source: self.source.word(),
        }
    }

    pub(super) fn tell(&mut self, news: News) {
        self.tell.tell(&news);
    }

    pub(super) fn trouble(&mut self, words: String) {
        self.tell(News::Trouble(words));
    }

    /// Records events, and tells of them.
    pub(super) fn happened(&mut self, all: Vec<(Event, Option<String>, Vec<Proposal>)>) {
        if all.is_empty() {
            return;
        }
        let events: Vec<Event> = all.iter().map(|(event, ..)| event.clone()).collect();
        if let Err(trouble) = self.catalogue.note(&events) {
            self.trouble(format!("what happened could not be recorded: {trouble}"));
        }
        for (event, words, proposals) in all {
            self.tell(News::Happened { event, words, proposals });
        }
    }
}
