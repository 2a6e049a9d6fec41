//! A tree with a state folder beside it, plans drawn up by hand, and what came of them.

use crate::fault::is_long;
use crate::support::{path, volumes};
use linkwell_engine::disk::Disk;
use linkwell_engine::execute::recover::{Recovered, Wish, recover};
use linkwell_engine::execute::{Fail, Means, Report, execute};
use linkwell_engine::journal::Store;
use linkwell_engine::journal::record::{Header, VERSION};
use linkwell_engine::look;
use linkwell_engine::survey::{Surveyor, undo};
use linkwell_engine::system::System;
use linkwell_engine::transfer::Unwatched;
use linkwell_engine::volumes::Volumes;
use linkwell_model::entry::{Identity, Time};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{
    Attributes, Bytes, Fate, Item, Leave, Make, Manner, Object, Plan, Slot, Step, Token,
};
use linkwell_model::target::Target;
use linkwell_testkit::listing::listing;
use linkwell_testkit::tree::{Scratch, make};
use rustix::fd::AsFd as _;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};
use rustix::io::Errno;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// When everything in a tree was changed last, before the test.
const THEN: i64 = 1_000_000_000;

/// A tree, and a state folder.
pub(crate) struct Field {
    scratch: Scratch,
    tree: PathBuf,
    pub(crate) system: System,
}

impl Field {
    pub(crate) fn new(lines: &[&str]) -> Self {
        let scratch = if is_long() { Scratch::new() } else { Scratch::in_memory() };
        let tree = scratch.join("tree");
        std::fs::create_dir(&tree).expect("a folder");
        make(&tree, lines);
        if lines.contains(&"empty/") {
            // As linkwell makes folders.
            linkwell_testkit::crafted::allow(&tree.join("empty"), 0o700);
        }
        age(&tree);
        Self { scratch, tree, system: System::new() }
    }

    pub(crate) fn tree(&self) -> &Path {
        &self.tree
    }

    /// Somewhere beside the tree.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// The tree as text; of times only whether they are those of before.
    pub(crate) fn listing(&self) -> String {
        let times = |line: &str| {
            let Some((start, rest)) = line.split_once(" (") else { return line.to_owned() };
            let Some((time, end)) = rest.split_once(')') else { return line.to_owned() };
            let then = time == format!("{THEN}, 0");
            format!("{start} ({}){end}", if then { "then" } else { "now" })
        };
        listing(&self.tree).lines().map(times).collect::<Vec<_>>().join("\n")
    }

    /// Where the journals lie.
    pub(crate) fn operations(&self) -> PathBuf {
        self.scratch.join("state/operations")
    }

    pub(crate) fn state(&self) -> AbsPath {
        place(&self.scratch.join("state"))
    }

    pub(crate) fn store(&self, disk: &dyn Disk) -> Store {
        Store::open_or_make(disk, self.system, &self.state()).expect("a store")
    }

    /// The file in which an operation that has not ended is recorded.
    pub(crate) fn unfinished(&self, number: u64) -> PathBuf {
        self.scratch.join(format!("state/operations/{number:06}.unfinished"))
    }

    /// The beginning of a record.
    pub(crate) fn header(&self, number: u64) -> Header {
        header(number, None)
    }

    /// Carries out a plan.
    pub(crate) fn run(&self, disk: &dyn Disk, plan: &Plan) -> Result<Report, Errno> {
        self.run_as(disk, plan, None)
    }

    fn run_as(&self, disk: &dyn Disk, plan: &Plan, undoes: Option<u64>) -> Result<Report, Errno> {
        let store = self.store(&linkwell_engine::disk::Unix);
        let lock = locked(&store);
        let stop = AtomicBool::new(false);
        let means =
            Means { disk, system: self.system, current: None, stop: &stop, watch: &Unwatched };
        execute(&means, &store, &lock, |number| header(number, undoes), plan)
    }

    /// Takes back all that is unfinished; the last first.
    pub(crate) fn recover(&self, disk: &dyn Disk) -> Vec<Result<Recovered, Fail>> {
        self.recover_as(disk, Wish::Back)
    }

    /// Recovers all that is unfinished, as is wanted; the last first.
    pub(crate) fn recover_as(&self, disk: &dyn Disk, wish: Wish) -> Vec<Result<Recovered, Fail>> {
        let store = self.store(&linkwell_engine::disk::Unix);
        let lock = locked(&store);
        let stop = AtomicBool::new(false);
        let means =
            Means { disk, system: self.system, current: None, stop: &stop, watch: &Unwatched };
        let numbers = store.unfinished().expect("it can be listed");
        let one = |number: &u64| {
            let operation = store.read(*number).expect("a record that can be read");
            recover(&means, &store, &lock, &operation, wish)
        };
        numbers.iter().rev().map(one).collect()
    }

    /// The plan that takes an operation back.
    pub(crate) fn undo_plan(&self, number: u64) -> Plan {
        let store = self.store(&linkwell_engine::disk::Unix);
        let operation = store.read(number).expect("its record");
        let ended = store.ended().expect("it can be listed");
        let read = |number: &u64| store.read(*number).expect("its record");
        let since: Vec<_> = ended.iter().filter(|other| **other > number).map(read).collect();
        undo::plan(&mut self.surveyor(), &operation, &since.iter().collect::<Vec<_>>())
    }

    pub(crate) fn surveyor(&self) -> Surveyor {
        let current = place(&self.tree);
        Surveyor::new(self.system, the_volumes(), &current, None).expect("a surveyor")
    }

    /// Takes an operation back, all of it.
    pub(crate) fn undo(&self, disk: &dyn Disk, number: u64) -> Result<(), String> {
        let plan = self.undo_plan(number);
        if !plan.conflicts.is_empty() {
            return Err(format!("conflicts: {:?}", plan.conflicts));
        }
        if plan.items.is_empty() {
            return Ok(());
        }
        let report = self.run_as(disk, &plan, Some(number)).map_err(|error| format!("{error}"))?;
        if report.done.len() == plan.items.len() { Ok(()) } else { Err(format!("{report:?}")) }
    }
}

pub(crate) fn the_volumes() -> Arc<Volumes> {
    static VOLUMES: OnceLock<Arc<Volumes>> = OnceLock::new();
    Arc::clone(VOLUMES.get_or_init(|| volumes(System::new(), Duration::from_secs(5))))
}

fn header(operation: u64, undoes: Option<u64>) -> Header {
    static COUNT: AtomicU64 = AtomicU64::new(1);
    Header {
        linkwell: VERSION,
        operation,
        time: Time(THEN, 0),
        command: vec![Bytes((*b"test").into())],
        folder: None,
        user: rustix::process::geteuid().as_raw(),
        token: Token::new(u128::from(COUNT.fetch_add(1, Ordering::Relaxed)) << 64),
        undoes,
    }
}

/// Gives everything below a folder the same times.
fn age(folder: &Path) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        if entry.file_type().expect("it is there").is_dir() {
            age(&entry.path());
        }
        let then = Timespec { tv_sec: THEN, tv_nsec: 0 };
        let times = Timestamps { last_access: then, last_modification: then };
        rustix::fs::utimensat(CWD, entry.path(), &times, AtFlags::SYMLINK_NOFOLLOW)
            .expect("its times can be set");
    }
}

pub(crate) fn place(at: &Path) -> AbsPath {
    AbsPath::cleaned(at.as_os_str().as_bytes()).expect("an absolute path")
}

/// A plan that is being drawn up. Paths are from the top of the tree.
pub(crate) struct Draft<'f> {
    field: &'f Field,
    pub(crate) plan: Plan,
}

/// The lock. Another test of this process may just have started a child, which holds all that was open
/// until it has become another program.
pub(crate) fn locked(store: &Store) -> linkwell_engine::journal::Lock {
    let since = std::time::Instant::now();
    loop {
        match store.lock(&linkwell_engine::disk::Unix) {
            Ok(lock) => return lock,
            Err(linkwell_engine::journal::NoLock::Held(_)) if since.elapsed().as_secs() < 20 => {
                std::thread::yield_now();
            }
            Err(why) => panic!("no lock: {why:?}"),
        }
    }
}

impl<'f> Draft<'f> {
    pub(crate) fn new(field: &'f Field) -> Self {
        Self { field, plan: Plan::default() }
    }

    fn parts(&self, at: &[u8]) -> (PathBuf, Name) {
        let whole = self.field.tree().join(path(at));
        let parent = whole.parent().expect("a folder").to_path_buf();
        let name = Name::new(whole.file_name().expect("a name").as_bytes());
        (parent, name.expect("one component"))
    }

    pub(crate) fn slot(&mut self, at: impl AsRef<[u8]>) -> Slot {
        let (parent, name) = self.parts(at.as_ref());
        let held = rustix::fs::open(&parent, rustix::fs::OFlags::PATH, 0.into()).expect("a folder");
        let facts = self.field.system.facts_of(held.as_fd()).expect("a folder");
        Slot { folder: self.plan.folder(&place(&parent), facts.id), name }
    }

    pub(crate) fn find(&self, at: impl AsRef<[u8]>) -> Option<Object> {
        let (parent, name) = self.parts(at.as_ref());
        let held = rustix::fs::open(&parent, rustix::fs::OFlags::PATH, 0.into()).expect("a folder");
        look::object_in_full(self.field.system, held.as_fd(), name.as_bytes()).expect("a look")
    }

    pub(crate) fn object(&self, at: impl AsRef<[u8]>) -> Object {
        self.find(at).expect("it is there")
    }

    pub(crate) fn put(&mut self, at: impl AsRef<[u8]>, make: Make) -> Step {
        Step::Put { at: self.slot(at), make }
    }

    pub(crate) fn replace(&mut self, at: impl AsRef<[u8]>, make: Make, fate: Fate) -> Step {
        let old = self.object(&at);
        Step::Replace { at: self.slot(at), old, make, fate }
    }

    pub(crate) fn remove(&mut self, at: impl AsRef<[u8]>, fate: Fate) -> Step {
        let old = self.object(&at);
        Step::Remove { at: self.slot(at), old, fate }
    }

    pub(crate) fn item(&mut self, steps: Vec<Step>) {
        let path = steps[0].at().name.as_bytes().into();
        self.plan.items.push(Item { path, steps, remarks: Vec::new() });
    }

    pub(crate) fn name(&mut self, of: impl AsRef<[u8]>) -> Make {
        let id = self.object(&of).id();
        Make::Name { of: self.slot(of), id }
    }

    pub(crate) fn copy(&mut self, of: impl AsRef<[u8]>) -> Make {
        let object = self.object(&of);
        let folder = matches!(object, Object::Folder { .. });
        Make::Copy { of: self.slot(of), id: object.id(), folder, manner: None }
    }

    /// A move to a name that is free, with a link left.
    pub(crate) fn relocate(&mut self, at: &str, to: &str, leave: Option<&str>) -> Step {
        let leave =
            leave.map(|text| Leave { target: Target::new(text.as_bytes()), attributes: None });
        let old = self.object(at);
        Step::Move { at: self.slot(at), old, to: self.slot(to), leave, over: None }
    }

    /// Another link in a folder that an earlier step moves: its folder is called by its new place.
    pub(crate) fn within_moved(&mut self, top: &str, to: &str, below: &str, make: Make) -> Step {
        let old = self.object(format!("{top}/{below}"));
        let slot = self.slot(format!("{top}/{below}"));
        let (parent, _) = self.parts(format!("{to}/{below}").as_bytes());
        let id = self.plan.folders[usize::try_from(slot.folder).expect("a number")].id;
        let at = Slot { folder: self.plan.folder(&place(&parent), id), name: slot.name };
        Step::Replace { at, old, make, fate: DROPPED }
    }

    /// How a place is written from `/`.
    pub(crate) fn text_of(&self, at: &str) -> String {
        self.field.tree().join(at).to_str().expect("a plain path").to_owned()
    }

    /// A move to the place of a link that the plan itself makes.
    pub(crate) fn over_to_come(&mut self, at: &str, to: &str, text: &str) -> Step {
        let Make::Link { attributes: Some(attributes), .. } = dressed("") else { panic!("a link") };
        let target = Target::new(text.as_bytes());
        let over = Some(Object::Link { target, id: Identity::TO_COME, attributes });
        let old = self.object(at);
        Step::Move { at: self.slot(at), old, to: self.slot(to), leave: None, over }
    }

    /// A move to the place of a link.
    pub(crate) fn home(&mut self, at: &str, to: &str) -> Step {
        let (old, over) = (self.object(at), Some(self.object(to)));
        Step::Move { at: self.slot(at), old, to: self.slot(to), leave: None, over }
    }

    /// The two steps of a move that is a copy.
    pub(crate) fn by_copy(&mut self, at: &str, to: &str, leave: Option<&str>) -> Vec<Step> {
        let make = self.copy(at);
        let Make::Copy { of, id, folder, .. } = make else { panic!("a copy") };
        let manner = || Some(Box::new(Manner::default()));
        let make = Make::Copy { of, id, folder, manner: manner() };
        let first = match self.find(to) {
            Some(_) => self.replace(to, make, DROPPED),
            None => self.put(to, make),
        };
        let again = Make::Copy { of: self.slot(to), id, folder, manner: manner() };
        let fate = Fate::Dropped { again: Some(Box::new(again)) };
        let second = match leave {
            Some(text) => self.replace(at, link(text), fate),
            None => self.remove(at, fate),
        };
        vec![first, second]
    }

    pub(crate) fn moved(&mut self, from: impl AsRef<[u8]>) -> Make {
        let object = Box::new(self.object(&from));
        Make::Moved { from: self.slot(from), object }
    }

    pub(crate) fn kept(&mut self, at: impl AsRef<[u8]>) -> Fate {
        Fate::Kept(self.slot(at))
    }

    /// How the file that is there can be made again.
    pub(crate) fn again(&self, at: impl AsRef<[u8]>) -> Fate {
        let bytes = std::fs::read(self.field.tree().join(path(at.as_ref()))).expect("a file");
        let Object::File { modified, .. } = self.object(&at) else { panic!("a file") };
        let make = Make::File {
            bytes: Bytes(bytes.into()),
            mode: 0o644,
            modified: Some(modified),
            carried: None,
        };
        Fate::Dropped { again: Some(Box::new(make)) }
    }
}

pub(crate) const DROPPED: Fate = Fate::Dropped { again: None };

pub(crate) fn link(text: &str) -> Make {
    Make::Link { target: Target::new(text.as_bytes()), attributes: None }
}

/// A link that carries what an old one did.
pub(crate) fn dressed(text: &str) -> Make {
    let attributes = Attributes {
        owner: rustix::process::geteuid().as_raw(),
        group: rustix::process::getegid().as_raw(),
        accessed: Time(THEN, 0),
        modified: Time(THEN, 0),
        extended: Vec::new(),
    };
    Make::Link { target: Target::new(text.as_bytes()), attributes: Some(attributes) }
}

pub(crate) fn file(text: &str) -> Make {
    Make::File { bytes: Bytes(text.as_bytes().into()), mode: 0o644, modified: None, carried: None }
}
