//! Trees brought to another place: everything that they carry, what changes meanwhile, runs that are
//! stopped and gone on with, and originals that are freed by what is on record.

use crate::fault::is_long;
use crate::faulty::{Fault, Faulty, Lacks, until_stopped};
use crate::guarantees::Watched;
use crate::support::DeepScratch;
use libtest_mimic::Trial;
use linkwell_calls::attributes::{self, Attributes, Flags};
use linkwell_engine::disk::{Disk, Unix};
use linkwell_engine::system::System;
use linkwell_engine::transfer::{
    Brought, Changes, Copied, Manifest, Order, Record, Released, Stays, Trouble, Unwatched, Watch,
    bring, clear, release, still,
};
use linkwell_model::name::Name;
use linkwell_model::plan::{Bytes, Loss, Rewritten, Verify};
use linkwell_model::target::Target;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::tree::{Scratch, make};
use rustix::fd::AsFd as _;
use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags};
use rustix::mount::{UnmountFlags, unmount};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

pub(crate) fn trials() -> Vec<Trial> {
    let on = |kind: &'static str| {
        let title = format!("transfer: everything comes along from ext4 to {kind}");
        let programs = ["mkfs.ext4", "mkfs.xfs", "mkfs.btrfs"].map(Need::Program);
        let needs: Vec<Need> = [Need::LoopDevices].into_iter().chain(programs).collect();
        test_with(&title, &needs, move || volumes_keep(kind))
    };
    vec![
        test_with("transfer: everything comes along within memory", &[Need::Root], in_memory),
        on("ext4"),
        on("xfs"),
        on("btrfs"),
        test("transfer: what cannot be kept is refused, unless it was accepted", losses),
        test("transfer: links get the texts that were ordered, and no others", rewritten),
        test("transfer: what changes meanwhile is copied again, or told of", changes),
        test("transfer: what is open for writing is refused", in_use),
        test("transfer: stopped at every primitive, and gone on with", resumed),
        test("transfer: a record of which a part is missing or other is not believed", torn),
        test("transfer: what is new or changed is not freed", freed),
        test("transfer: what somebody writes to, or whose copy is gone, is not freed", freed_alone),
        test("transfer: freeing is interrupted, and goes on", freed_twice),
        test("transfer: a folder put in the place of one that is freed stays", freed_swapped),
        test("transfer: two threads, as one", many),
        test("transfer: two threads free only what was copied", freed_by_two),
        test("transfer: few folders are held while the last is freed", freed_slowly),
        test("transfer: 10,000 levels", deep),
    ]
}

/// A place to work in: an original, room for the copy and for the record.
pub(crate) struct Ground {
    pub(crate) scratch: Scratch,
    pub(crate) system: System,
}

fn name(text: &str) -> Name {
    Name::new(text.as_bytes()).expect("a name")
}

fn hold(folder: &Path) -> File {
    File::open(folder).expect("a folder")
}

pub(crate) struct Wish<'w> {
    pub(crate) verify: Verify,
    pub(crate) accept: &'w [Loss],
    pub(crate) links: &'w [Rewritten],
    pub(crate) threads: usize,
    pub(crate) alone: bool,
}

pub(crate) const WHOLE: Wish<'static> =
    Wish { verify: Verify::Full, accept: &[], links: &[], threads: 2, alone: true };

impl Ground {
    pub(crate) fn new() -> Self {
        let scratch = Scratch::in_memory();
        make(&scratch.path(), &["from/", "to/", "state/"]);
        Self { scratch, system: System::new() }
    }

    pub(crate) fn with(lines: &[&str]) -> Self {
        let ground = Self::new();
        make(&ground.original(), lines);
        ground
    }

    pub(crate) fn from(&self) -> PathBuf {
        self.scratch.join("from")
    }

    pub(crate) fn to(&self) -> PathBuf {
        self.scratch.join("to")
    }

    pub(crate) fn original(&self) -> PathBuf {
        self.scratch.join("from/tree")
    }

    pub(crate) fn copy(&self) -> PathBuf {
        self.scratch.join("to/copy")
    }

    pub(crate) fn record(&self, resume: bool) -> Record {
        let state = hold(&self.scratch.join("state"));
        let record = if resume { Record::resume } else { Record::begin };
        let record = record(&Unix, self.system, state.as_fd(), &name("tree"));
        record.expect("a record").with_checkpoints(1, 1)
    }

    pub(crate) fn bring(
        &self,
        disk: &dyn Disk,
        wish: &Wish<'_>,
        record: &mut Record,
    ) -> Result<Brought, Trouble> {
        self.bring_named("tree", disk, wish, record, &Unwatched)
    }

    pub(crate) fn bring_named(
        &self,
        of: &str,
        disk: &dyn Disk,
        wish: &Wish<'_>,
        record: &mut Record,
        watch: &dyn Watch,
    ) -> Result<Brought, Trouble> {
        let (from, to) = (hold(&self.from()), hold(&self.to()));
        let facts = self.system.facts(from.as_fd(), of.as_bytes()).expect("it is there");
        // Who goes on has looked that it is their own.
        let stands = self.system.facts(to.as_fd(), b"copy").ok();
        let made = Mutex::new(stands.map(|now| Copied {
            inode: now.id.inode,
            born: now.id.born,
            modified: now.modified,
        }));
        let order = Order {
            disk,
            system: self.system,
            from: (from.as_fd(), &name(of)),
            facts: &facts,
            to: (to.as_fd(), &name("copy")),
            made: &made,
            verify: wish.verify,
            accept: wish.accept,
            links: wish.links,
            alone: wish.alone,
            threads: wish.threads,
            watch,
        };
        bring(&order, Some(record))
    }

    /// Brings it, with nothing in the way.
    pub(crate) fn brought(&self, wish: &Wish<'_>) -> Manifest {
        let mut record = self.record(false);
        self.bring(&Unix, wish, &mut record).expect("it is brought");
        record.into_manifest()
    }

    fn read(&self) -> Manifest {
        let state = hold(&self.scratch.join("state"));
        Manifest::open(self.system, state.as_fd(), &name("tree")).expect("a record")
    }

    pub(crate) fn still(&self, manifest: &Manifest) -> Changes {
        let from = hold(&self.from());
        still(self.system, manifest, (from.as_fd(), &name("tree")), 2, &Unwatched).expect("a look")
    }

    pub(crate) fn release(&self, disk: &dyn Disk, manifest: &Manifest) -> Released {
        let from = hold(&self.from());
        let to = hold(&self.to());
        let (at, copy) = ((from.as_fd(), &name("tree")), (to.as_fd(), &name("copy")));
        release(disk, self.system, manifest, at, copy, 2, &Unwatched)
            .expect("it goes by the record")
    }
}

/// Everything that can be seen of a tree: one line an entry.
fn portrait(top: &Path) -> String {
    let mut lines = Vec::new();
    let mut groups = BTreeMap::new();
    add(top, Path::new(""), &mut lines, &mut groups);
    lines.join("\n")
}

fn add(top: &Path, below: &Path, lines: &mut Vec<String>, groups: &mut BTreeMap<u64, PathBuf>) {
    let path = if below.as_os_str().is_empty() { top.to_path_buf() } else { top.join(below) };
    let status = fs::symlink_metadata(&path).expect("it is there");
    let kind = status.file_type();
    let mut line = format!(
        "{below:?} {:o} {}:{} {}.{:09}",
        status.mode(),
        status.uid(),
        status.gid(),
        status.mtime(),
        status.mtime_nsec()
    );
    let mut more = |text: String| line.push_str(&format!(" {text}"));
    more(attributes_of(&path));
    if kind.is_symlink() {
        more(format!("{:?}", fs::read_link(&path).expect("a link")));
    } else if kind.is_file() {
        let first = groups.entry(status.ino()).or_insert_with(|| below.to_path_buf());
        let bytes = fs::read(&path).expect("it can be read");
        more(format!("= {first:?} {} {}", status.size(), blake3_of(&bytes)));
        let file = File::open(&path).expect("it can be opened");
        more(format!("{:?}", flags_of(&file)));
        // What is sparse stays so.
        more(format!("sparse {}", status.blocks() * 512 + (64 << 10) < status.size()));
        more(format!("reserved {}", status.blocks() * 512 > status.size() + (1 << 20)));
    } else if kind.is_dir() {
        more(format!("{:?}", flags_of(&File::open(&path).expect("it can be opened"))));
    } else {
        more(format!("{:x}", status.rdev()));
    }
    lines.push(line);
    if kind.is_dir() {
        let mut names: Vec<_> = fs::read_dir(&path)
            .expect("a folder")
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        names.sort();
        for name in names {
            add(top, &below.join(name), lines, groups);
        }
    }
}

fn blake3_of(bytes: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}

fn flags_of(file: &File) -> Option<(u32, u32)> {
    let found = attributes::of(file).ok()?;
    Some((found.flags.without(Flags::OBSERVED).bits(), found.project))
}

fn attributes_of(path: &Path) -> String {
    let mut names = vec![0_u8; 4096];
    let count = rustix::fs::llistxattr(path, &mut names[..]).unwrap_or(0);
    let mut all: Vec<String> = Vec::new();
    for attribute in names[..count].split(|byte| *byte == 0).filter(|some| !some.is_empty()) {
        if attribute.starts_with(b"trusted.SGI_ACL_") {
            // How xfs keeps the access lists that are seen anyway.
            continue;
        }
        let mut value = vec![0_u8; 65536];
        let attribute = OsStr::from_bytes(attribute);
        let size = rustix::fs::lgetxattr(path, attribute, &mut value[..]).expect("a value");
        all.push(format!("{attribute:?}={:?}", &value[..size]));
    }
    all.sort();
    all.join(",")
}

fn list(tags: &[(u16, u16, u32)]) -> Vec<u8> {
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in tags {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(permissions.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}

fn mark(path: &Path, attribute: &str, value: &[u8]) {
    rustix::fs::lsetxattr(path, attribute, value, XattrFlags::empty()).expect("an attribute");
}

fn age(path: &Path, seconds: i64, nanoseconds: i64) {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    let times = Timestamps { last_access: time, last_modification: time };
    rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).expect("its times");
}

/// One of every kind, with everything that it can carry.
fn nasty(top: &Path, full: bool) {
    let at = |below: &str| top.join(below);
    make(top, &["a/f", "a/empty", "a/b/c/deep", "l -> a/f", "out -> ../elsewhere/x", "dead -> no"]);
    make(top, &["one", "two == one", "a/three == one", "pipe |", "hidden/", "sticky/", "group/x"]);
    fs::write(at("a/empty"), b"").expect("empty");
    fs::write(at("big"), vec![7; 3 << 20]).expect("a file");
    fs::write(top.join(OsStr::from_bytes(b"odd\n\xff:*?\\ ")), b"odd").expect("an odd name");
    let holes = File::create(at("holes")).expect("a file");
    holes.write_at(b"begin", 0).expect("data");
    holes.write_at(&[9; 5000], 2 << 20).expect("data");
    holes.set_len(9 << 20).expect("a hole at the end");
    File::create(at("hole")).expect("a file").set_len(5 << 20).expect("a hole");
    let own = |path: &Path, owner: u32| {
        std::os::unix::fs::lchown(path, Some(owner), Some(owner)).expect("another owner");
    };
    for (file, owner) in [("a/f", 1000), ("l", 1001), ("pipe", 1002), ("sticky", 1003)] {
        own(&at(file), owner);
    }
    fs::write(at("suid"), b"program").expect("a file");
    own(&at("suid"), 1234);
    for (file, mode) in
        [("suid", 0o6755), ("sticky", 0o1777), ("group", 0o2770), ("hidden", 0o500), ("a/b", 0o711)]
    {
        fs::set_permissions(at(file), fs::Permissions::from_mode(mode)).expect("permissions");
    }
    fs::set_permissions(at("pipe"), fs::Permissions::from_mode(0o666)).expect("permissions");
    mark(&at("a/f"), "user.note", b"a \0 note");
    mark(&at("a/f"), "trusted.thing", &[3; 300]);
    mark(&at("a/b"), "user.folder", b"");
    mark(&at("l"), "trusted.link", b"on the link");
    let entries = [(1, 6, !0), (2, 4, 1000), (4, 4, !0), (16, 4, !0), (32, 0, !0)];
    mark(&at("a/b/c/deep"), "system.posix_acl_access", &list(&entries));
    mark(&at("a/b/c"), "system.posix_acl_default", &list(&entries));
    let capability = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    mark(&at("suid"), "security.capability", &capability);
    let device = |path: &str, kind, number| {
        rustix::fs::mknodat(CWD, at(path), kind, Mode::from_raw_mode(0o620), number).expect("one");
    };
    device("null", FileType::CharacterDevice, rustix::fs::makedev(1, 3));
    device("loop", FileType::BlockDevice, rustix::fs::makedev(7, 300));
    device("socket", FileType::Socket, 0);
    if full {
        let reserved = File::create(at("reserved")).expect("a file");
        let flags = rustix::fs::FallocateFlags::KEEP_SIZE;
        rustix::fs::fallocate(&reserved, flags, 0, 4 << 20).expect("room");
        reserved.write_at(b"a little", 0).expect("data");
        for (file, flags) in [
            ("a/f", Flags::NO_DUMP.with(Flags::NO_ATIME)),
            ("a/b/c", Flags::NO_DUMP),
            ("big", Flags::APPEND),
            ("a/b/c/deep", Flags::IMMUTABLE),
        ] {
            // Times first: what is immutable keeps its own.
            age(&at(file), 1_100_000_000, 5);
            let file = File::open(at(file)).expect("it can be opened");
            attributes::set(&file, &Attributes { flags, ..Attributes::default() }).expect("flags");
        }
    }
    grow_old(top);
}

fn grow_old(path: &Path) {
    let status = fs::symlink_metadata(path).expect("it is there");
    if status.is_dir() {
        for entry in fs::read_dir(path).expect("a folder").flatten() {
            grow_old(&entry.path());
        }
    }
    let depth = i64::try_from(path.as_os_str().len()).expect("short");
    let time = Timespec { tv_sec: 1_000_000_000 + depth, tv_nsec: 123_456_789 };
    let times = Timestamps { last_access: time, last_modification: time };
    // What is immutable refuses, and is old already.
    rustix::fs::utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).unwrap_or_default();
}

/// Takes away what keeps a tree from being removed.
fn loosen(top: &Path) {
    for entry in fs::read_dir(top).into_iter().flatten().flatten() {
        let kind = entry.file_type().expect("it is there");
        if kind.is_file() || kind.is_dir() {
            let file = File::open(entry.path()).expect("it can be opened");
            attributes::set(&file, &Attributes::default()).unwrap_or_default();
        }
        if kind.is_dir() {
            loosen(&entry.path());
        }
    }
}

fn same(original: &Path, copy: &Path) {
    let (wanted, found) = (portrait(original), portrait(copy));
    let other: Vec<(&str, &str)> =
        wanted.lines().zip(found.lines()).filter(|(one, other)| one != other).collect();
    assert_eq!(wanted.lines().count(), found.lines().count(), "{found}");
    assert!(other.is_empty(), "{other:#?}");
}

/// Brings, looks again, frees: what every pair of file systems must pass.
fn whole_way(ground: &Ground, verify: Verify) {
    let before = portrait(&ground.original());
    let manifest = ground.brought(&Wish { verify, ..WHOLE });
    assert!(manifest.is_complete());
    same(&ground.original(), &ground.copy());
    assert_eq!(before, portrait(&ground.original()), "the original is as it was");
    assert_eq!(ground.still(&ground.read()), Changes::default());
    loosen(&ground.copy());
    clear(&Unix, ground.system, (hold(&ground.to()).as_fd(), &name("copy"))).expect("cleared");
    assert_eq!(fs::read_dir(ground.to()).expect("a folder").count(), 0);
    fs::remove_file(ground.scratch.join("state/tree")).expect("the record");
}

fn in_memory() {
    let ground = Ground::new();
    fs::create_dir(ground.original()).expect("a folder");
    nasty(&ground.original(), false);
    for verify in [Verify::Full, Verify::Sizes] {
        whole_way(&ground, verify);
    }
    // The control: a copy that is not dressed is told from this.
    let control = ground.scratch.join("control");
    let copied = Command::new("cp").args(["-r"]).arg(ground.original()).arg(&control).status();
    assert!(copied.expect("cp").success());
    assert_ne!(portrait(&ground.original()), portrait(&control));
}

/// A file system in a file.
pub(crate) struct Volume {
    scratch: Scratch,
}

impl Volume {
    fn new(kind: &str) -> Self {
        Self::made(kind, &[])
    }

    pub(crate) fn made(kind: &str, more: &[&str]) -> Self {
        let volume = Self { scratch: Scratch::with(&["top/"]) };
        let image = volume.scratch.join("image");
        File::create(&image).expect("an image").set_len(400 << 20).expect("a length");
        let run = |program: &str, arguments: &[&OsStr]| {
            let status = Command::new(program).args(arguments).status().expect("it can be started");
            assert!(status.success(), "{program}: {status}");
        };
        let more: Vec<&OsStr> = ["-q"].iter().chain(more).map(OsStr::new).collect();
        run(&format!("mkfs.{kind}"), &[&more[..], &[image.as_ref()]].concat());
        let top = volume.top();
        run("mount", &["-o".as_ref(), "loop".as_ref(), image.as_ref(), top.as_ref()]);
        volume
    }

    pub(crate) fn top(&self) -> PathBuf {
        self.scratch.join("top")
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        unmount(self.top(), UnmountFlags::DETACH).unwrap_or_default();
    }
}

fn volumes_keep(kind: &str) {
    let (one, other) = (Volume::new("ext4"), Volume::new(kind));
    let ground = Ground::new();
    for (place, volume) in [("from", &one), ("to", &other)] {
        fs::remove_dir(ground.scratch.join(place)).expect("it is empty");
        make(&volume.top(), &["work/"]);
        symlink(volume.top().join("work"), ground.scratch.join(place)).expect("a link");
    }
    fs::create_dir(ground.original()).expect("a folder");
    nasty(&ground.original(), true);
    for verify in [Verify::Full, Verify::Sizes] {
        whole_way(&ground, verify);
    }
    loosen(&ground.original());
}

fn losses() {
    // Names of one file cannot be kept where nobody may make them; here a door refuses.
    let ground = Ground::with(&["f", "g == f", "l -> f"]);
    let mut record = ground.record(false);
    let faulty = Faulty::new(Fault::None, Lacks { names: true, ..Lacks::default() });
    let Err(Trouble::Lossy(lost)) = ground.bring(&faulty, &WHOLE, &mut record) else {
        panic!("it is refused")
    };
    assert_eq!(
        lost.iter().map(|lost| (lost.kind, lost.count)).collect::<Vec<_>>(),
        [(Loss::HardLinks, 1)]
    );
    clear(&Unix, ground.system, (hold(&ground.to()).as_fd(), &name("copy"))).expect("cleared");
    fs::remove_file(ground.scratch.join("state/tree")).expect("the record");
    let mut record = ground.record(false);
    let wish = Wish { accept: &[Loss::HardLinks], ..WHOLE };
    let brought = ground.bring(&faulty, &wish, &mut record).expect("it was accepted");
    assert_eq!(brought.lost.len(), 1);
    assert_eq!(fs::read(ground.copy().join("g")).expect("a file"), b"f");
    assert_eq!(fs::read(ground.copy().join("f")).expect("a file"), b"f");
    assert_eq!(ground.still(&record.into_manifest()), Changes::default());
}

fn rewritten() {
    let ground = Ground::with(&["a/l -> ../../x", "m -> a", "n -> ../x"]);
    let link = |below: &str, was: &str, now: &str| Rewritten {
        below: Bytes(below.as_bytes().into()),
        was: Target::new(was.as_bytes()),
        now: Target::new(now.as_bytes()),
    };
    let links = [link("a/l", "../../x", "/new/x"), link("n", "../x", "over/there")];
    ground.brought(&Wish { links: &links, ..WHOLE });
    let text = |at: &str| {
        fs::read_link(ground.copy().join(at)).expect("a link").into_os_string().into_vec()
    };
    assert_eq!([text("a/l"), text("m"), text("n")], [&b"/new/x"[..], b"a", b"over/there"]);
    for wrong in [link("n", "other", "x"), link("none", "y", "x")] {
        let ground = Ground::with(&["a/f", "n -> ../x"]);
        let links = [wrong.clone()];
        let mut record = ground.record(false);
        let brought = ground.bring(&Unix, &Wish { links: &links, ..WHOLE }, &mut record);
        assert_eq!(brought, Err(Trouble::Unexpected(wrong.below.0.to_vec())));
    }
}

/// Something that somebody does to a tree.
type Deed = (&'static str, fn(&Path));

const DEEDS: [Deed; 10] = [
    ("a file becomes a folder", |top| {
        drop(fs::remove_file(top.join("a/g")));
        make(top, &["a/g/inner"]);
    }),
    ("a file grows", |top| {
        let mut file = fs::OpenOptions::new().append(true).open(top.join("a/f")).expect("a file");
        file.write_all(b"more").expect("room");
    }),
    ("a file is written to and gets its time back", |top| {
        let path = top.join("a/g");
        fs::write(&path, b"G/a").expect("a file");
        age(&path, 1_000_000_000, 0);
    }),
    ("a file is replaced by an equal one", |top| {
        fs::write(top.join("a/new"), b"a/f").expect("a file");
        age(&top.join("a/new"), 1_000_000_000, 0);
        fs::rename(top.join("a/new"), top.join("a/f")).expect("renamed");
    }),
    ("a file appears", |top| fs::write(top.join("a/b/fresh"), b"x").expect("a file")),
    ("a file vanishes", |top| drop(fs::remove_file(top.join("z")))),
    ("a folder appears", |top| make(top, &["a/more/x", "a/more/y"])),
    ("a folder vanishes", |top| drop(fs::remove_dir_all(top.join("a/b")))),
    ("a link gets another text", |top| {
        drop(fs::remove_file(top.join("l")));
        symlink("other", top.join("l")).expect("a link");
    }),
    ("a folder becomes a file", |top| {
        drop(fs::remove_dir_all(top.join("a/b")));
        drop(fs::remove_file(top.join("a/b")));
        fs::write(top.join("a/b"), b"now a file").expect("a file");
    }),
];

const PLAIN: [&str; 7] = ["a/f", "a/g", "a/b/c/h", "a/b/i", "l -> a/f", "z", "y == z"];

fn changes() {
    let (mut points, mut noticed, mut again) = (0, 0, 0);
    for (what, deed) in DEEDS {
        for at in (0..).step_by(if is_long() { 1 } else { 5 }) {
            let ground = Ground::with(&PLAIN);
            grow_old(&ground.original());
            let (mut calls, mut done) = (0, false);
            let mut after = |_: &'static str| {
                calls += 1;
                if calls == at + 1 {
                    deed(&ground.original());
                    done = true;
                }
            };
            let brought = {
                let watched = Watched { after: Mutex::new(&mut after) };
                // Who writes would wait for the lease, and here it is this very thread.
                let wish = Wish { alone: false, ..WHOLE };
                ground.bring(&watched, &wish, &mut ground.record(false))
            };
            points += 1;
            if !done {
                assert!(at > 20, "{what}: it has so many calls");
                break;
            }
            match brought {
                Err(Trouble::Changed(_)) => again += 1,
                Err(other) => panic!("{what} after call {at}: {other:?}"),
                Ok(_) => {
                    let is_same = portrait(&ground.original()) == portrait(&ground.copy());
                    let is_still = ground.still(&ground.read()).is_none();
                    assert!(
                        is_same || !is_still,
                        "{what} after call {at}: a stale copy is taken for good"
                    );
                    // The control: without that look a stale copy would be taken.
                    noticed += u32::from(!is_same);
                    again += u32::from(is_same && is_still);
                }
            }
        }
    }
    assert!(noticed > 5 && again > 10, "{noticed} {again} of {points}");
    println!(
        "transfer: {points} points, {again} copied again or refused, {noticed} found by the look"
    );
}

fn in_use() {
    let ground = Ground::with(&["a/f", "a/g"]);
    let open = fs::OpenOptions::new().append(true).open(ground.original().join("a/g"));
    let brought = ground.bring(&Unix, &WHOLE, &mut ground.record(false));
    assert_eq!(brought, Err(Trouble::InUse(b"a/g".to_vec())));
    drop(open);
    let mut record = ground.record(true);
    ground.bring(&Unix, &WHOLE, &mut record).expect("nobody has it open now");
    same(&ground.original(), &ground.copy());
}

fn resumed() {
    let (mut points, mut kept) = (0, 0);
    for at in 1.. {
        let ground = Ground::with(&PLAIN);
        let faulty = Faulty::new(Fault::Stop { at }, Lacks::default());
        let ended = until_stopped(|| {
            let state = hold(&ground.scratch.join("state"));
            let record = Record::begin(&faulty, ground.system, state.as_fd(), &name("tree"));
            let mut record = record.expect("a record").with_checkpoints(1, 1);
            ground.bring(&faulty, &WHOLE, &mut record).map(|_| ())
        });
        points += 1;
        // Meanwhile one file changes, one comes and one goes.
        fs::write(ground.original().join("a/g"), b"other").expect("a file");
        fs::write(ground.original().join("a/b/new"), b"new").expect("a file");
        drop(fs::remove_file(ground.original().join("a/b/i")));
        let inodes = inodes(&ground.copy());
        let mut record = ground.record(true);
        ground.bring(&Unix, &WHOLE, &mut record).unwrap_or_else(|why| panic!("{at}: {why:?}"));
        same(&ground.original(), &ground.copy());
        let changes = ground.still(&ground.read());
        assert!(changes.is_none(), "{at}: {changes:?}");
        kept += inodes.iter().filter(|inode| self::inodes(&ground.copy()).contains(inode)).count();
        let released = ground.release(&Unix, &record.into_manifest());
        assert_eq!((released.stays, ground.original().exists()), (0, false), "{at}: {released:?}");
        if matches!(ended, Ok(Ok(()))) {
            break;
        }
    }
    assert!(points > 40 && kept > 100, "{points} {kept}");
    println!("transfer: gone on with from {points} points, {kept} entries were kept");
}

fn inodes(top: &Path) -> Vec<u64> {
    let mut all = Vec::new();
    let mut todo = vec![top.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let status = entry.metadata().expect("it is there");
            all.push(status.ino());
            if status.is_dir() {
                todo.push(entry.path());
            }
        }
    }
    all
}

fn torn() {
    let ground = Ground::with(&PLAIN);
    ground.brought(&WHOLE);
    let path = ground.scratch.join("state/tree");
    let whole = fs::read(&path).expect("a record");
    let opened = || {
        let state = hold(&ground.scratch.join("state"));
        Manifest::open(ground.system, state.as_fd(), &name("tree")).ok()
    };
    for cut in (0..whole.len()).step_by(5) {
        fs::write(&path, &whole[..cut]).expect("half of it");
        assert!(!opened().is_some_and(|found| found.is_complete()), "{cut}");
    }
    for at in (0..whole.len()).step_by(5) {
        let mut other = whole.clone();
        other[at] ^= 0x20;
        fs::write(&path, &other).expect("another one");
        assert!(!opened().is_some_and(|found| found.is_complete()), "{at}");
    }
    fs::write(&path, &whole).expect("the whole");
    assert!(opened().is_some_and(|found| found.is_complete()));
}

/// What stays, by name.
fn left(released: &Released) -> Vec<(String, Stays)> {
    let mut left: Vec<(String, Stays)> = released
        .left
        .iter()
        .map(|left| (String::from_utf8_lossy(&left.path).into_owned(), left.why))
        .collect();
    left.sort_by(|one, other| one.0.cmp(&other.0));
    left
}

fn freed_alone() {
    let lines = [
        "k/free",
        "k/written",
        "k/gone",
        "k/short",
        "k/grown",
        "k/saved",
        "k/e/f",
        "m/f",
        "l -> f",
    ];
    let ground = Ground::with(&[]);
    make(&ground.original(), &lines);
    let manifest = ground.brought(&WHOLE);
    let (top, copy) = (ground.original(), ground.copy());
    // By another way than the one that is freed: a lease asks the file, not the path.
    fs::hard_link(top.join("k/written"), ground.scratch.join("alias")).expect("another name");
    let writer = File::options().append(true).open(ground.scratch.join("alias")).expect("it opens");
    fs::remove_file(ground.scratch.join("alias")).expect("one name again");
    fs::remove_file(copy.join("k/gone")).expect("removed");
    fs::write(copy.join("k/short"), "").expect("cut off");
    let mut grown = File::options().append(true).open(copy.join("k/grown")).expect("it opens");
    grown.write_all(b"more").expect("written");
    // As a program saves; that is another object, and of another length.
    fs::write(copy.join("new"), "saved anew").expect("written");
    fs::rename(copy.join("new"), copy.join("k/saved")).expect("renamed");
    fs::remove_dir_all(copy.join("k/e")).expect("removed");
    fs::rename(copy.join("m"), ground.scratch.join("m")).expect("moved away");
    fs::remove_file(copy.join("l")).expect("removed");
    let released = ground.release(&Unix, &manifest);
    drop(writer);
    let left = left(&released);
    let wanted = [
        ("k/e/f", Stays::Alone),
        ("k/gone", Stays::Alone),
        ("k/saved", Stays::Alone),
        ("k/short", Stays::Alone),
        // Its other name came and went: that is a change as well, but the writer is met first.
        ("k/written", Stays::Written),
        ("l", Stays::Alone),
        ("m/f", Stays::Alone),
    ];
    assert_eq!(left, wanted.map(|(path, why)| (path.to_owned(), why)));
    for path in ["k/free", "k/grown"] {
        assert!(fs::symlink_metadata(top.join(path)).is_err(), "{path} is there");
    }
    // Of all of it.
    let ground = Ground::with(&["a/b", "c"]);
    let manifest = ground.brought(&WHOLE);
    fs::rename(ground.copy(), ground.to().join("elsewhere")).expect("moved away");
    let released = ground.release(&Unix, &manifest);
    assert_eq!((released.freed, released.stays), (0, 1), "{released:?}");
    fs::create_dir(ground.copy()).expect("an empty folder in its place");
    let released = ground.release(&Unix, &manifest);
    assert_eq!((released.freed, released.stays), (0, 2), "{released:?}");
    fs::remove_dir(ground.copy()).expect("removed");
    fs::rename(ground.to().join("elsewhere"), ground.copy()).expect("it comes back");
    let released = ground.release(&Unix, &manifest);
    assert_eq!((released.freed, released.stays), (4, 0), "{released:?}");
}

fn freed() {
    let ground = Ground::with(&PLAIN);
    make(&ground.original(), &["k/same", "k/swap", "k/linked", "k/touched", "gone/x"]);
    grow_old(&ground.original());
    let manifest = ground.brought(&WHOLE);
    let top = ground.original();
    fs::write(top.join("a/b/new"), b"new").expect("a file");
    fs::write(top.join("a/g"), b"G/a").expect("a file");
    age(&top.join("a/g"), 1_000_000_000, 0);
    fs::write(top.join("k/other"), b"k/swap").expect("a file");
    fs::rename(top.join("k/other"), top.join("k/swap")).expect("another file of that name");
    fs::hard_link(top.join("k/linked"), top.join("k/second")).expect("another name");
    fs::set_permissions(top.join("k/touched"), fs::Permissions::from_mode(0o600)).expect("mode");
    fs::remove_dir_all(top.join("gone")).expect("it goes");
    symlink(&top, top.join("gone")).expect("a link in its place");
    let changes = ground.still(&manifest);
    assert!(!changes.is_none());
    let released = ground.release(&Unix, &manifest);
    let left = left(&released);
    let wanted = [
        ("a/b/new", Stays::New),
        ("a/g", Stays::Changed),
        ("gone", Stays::Changed),
        ("k/linked", Stays::Changed),
        ("k/second", Stays::New),
        ("k/swap", Stays::Changed),
        ("k/touched", Stays::Changed),
    ];
    assert_eq!(left, wanted.map(|(path, why)| (path.to_owned(), why)));
    for (path, _) in wanted {
        assert!(fs::symlink_metadata(top.join(path)).is_ok(), "{path} is gone");
    }
    for path in ["a/f", "z", "y", "l", "k/same", "a/b/c"] {
        assert!(fs::symlink_metadata(top.join(path)).is_err(), "{path} is there");
    }
    // The control: to remove all that is there loses what is new.
    clear(&Unix, ground.system, (hold(&ground.from()).as_fd(), &name("tree"))).expect("cleared");
    assert!(!top.exists());
}

fn freed_twice() {
    let mut points = 0;
    for at in 1.. {
        let ground = Ground::with(&PLAIN);
        let manifest = ground.brought(&WHOLE);
        let faulty = Faulty::new(Fault::Stop { at }, Lacks::default());
        let ended = until_stopped(|| drop(ground.release(&faulty, &manifest))).is_ok();
        let released = ground.release(&Unix, &ground.read());
        assert_eq!((released.stays, ground.original().exists()), (0, false), "{at}: {released:?}");
        assert_eq!(fs::read(ground.copy().join("y")).expect("it stays"), b"z");
        points += 1;
        if ended {
            break;
        }
    }
    assert!(points > 10, "{points}");
}

/// While the only file in a folder is freed, another folder gets that folder's name.
struct Swapping<'g>(&'g Ground);

impl Watch for Swapping<'_> {
    fn done(&self, _: u64, _: u64) {
        let folder = self.0.original().join("k");
        fs::rename(&folder, self.0.from().join("away")).expect("it is moved");
        fs::create_dir(&folder).expect("an empty folder in its place");
    }
}

fn freed_swapped() {
    let ground = Ground::new();
    make(&ground.original(), &["k/one"]);
    let manifest = ground.brought(&WHOLE);
    let from = hold(&ground.from());
    let at = (from.as_fd(), &name("tree"));
    let to = hold(&ground.to());
    let copy = (to.as_fd(), &name("copy"));
    let released = release(&Unix, ground.system, &manifest, at, copy, 2, &Swapping(&ground));
    let released = released.expect("it goes by the record");
    assert_eq!((released.freed, released.stays), (1, 1), "{released:?}");
    let left = released.left.first().map(|left| (left.path.as_slice(), left.why));
    assert_eq!(left, Some((b"k".as_slice(), Stays::Changed)));
    assert!(ground.original().join("k").is_dir(), "somebody's folder is gone");
    assert!(!ground.from().join("away/one").exists());
}

/// Enough for the threads to begin, and some of it changed.
fn freed_by_two() {
    let ground = Ground::new();
    for folder in 0..30 {
        let lines: Vec<String> = (0..50).map(|file| format!("e{folder}/f/f{file}")).collect();
        make(&ground.original(), &lines.iter().map(String::as_str).collect::<Vec<_>>());
    }
    grow_old(&ground.original());
    let manifest = ground.brought(&WHOLE);
    assert_eq!(ground.still(&manifest), Changes::default());
    let top = ground.original();
    let new: Vec<PathBuf> = (0..30).step_by(3).map(|at| top.join(format!("e{at}/new"))).collect();
    let other: Vec<PathBuf> =
        (1..30).step_by(3).map(|at| top.join(format!("e{at}/f/f{at}"))).collect();
    for path in new.iter().chain(&other) {
        fs::write(path, b"other").expect("a file");
    }
    for at in (2..30).step_by(3) {
        fs::remove_file(top.join(format!("e{at}/f/f7"))).expect("it goes");
    }
    let changes = ground.still(&manifest);
    let counts = [changes.changed.count, changes.appeared.count, changes.vanished.count];
    // The folders in which something came or went have changed, too.
    assert_eq!(counts, [10 + 20, 10, 10], "{changes:?}");
    let released = ground.release(&Unix, &manifest);
    assert_eq!(released.stays, 20, "{released:?}");
    assert_eq!(released.freed, 30 * 50 - 10 - 10 + 60 - 30, "{released:?}");
    for path in new.iter().chain(&other) {
        assert_eq!(fs::read(path).expect("it stays"), b"other");
    }
    assert_eq!(inodes(&top).len(), 20 + 20 + 10, "nothing else stays");
}

/// Keeps the first thing that another thread frees waiting, and counts how far the walk goes meanwhile.
struct Slow {
    walker: std::thread::ThreadId,
    met: AtomicBool,
    waits: AtomicBool,
    steps: AtomicUsize,
}

impl Watch for Slow {
    fn stops(&self) -> bool {
        if std::thread::current().id() == self.walker && self.waits.load(Ordering::SeqCst) {
            self.steps.fetch_add(1, Ordering::SeqCst);
        }
        false
    }

    fn done(&self, _: u64, _: u64) {
        let other = std::thread::current().id() != self.walker;
        if other && !self.met.swap(true, Ordering::SeqCst) {
            self.waits.store(true, Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(700));
            self.waits.store(false, Ordering::SeqCst);
        }
    }
}

/// Each folder that is left holds a descriptor until all below it is gone.
fn freed_slowly() {
    const LEVELS: usize = 600;
    // So much is done by the thread that walks.
    const ALONE: usize = 256;
    let ground = Ground::new();
    let lines: Vec<String> = (1..=LEVELS).map(|level| format!("{}f", "d/".repeat(level))).collect();
    make(&ground.original(), &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let manifest = ground.brought(&WHOLE);
    let slow = Slow {
        walker: std::thread::current().id(),
        met: AtomicBool::new(false),
        waits: AtomicBool::new(false),
        steps: AtomicUsize::new(0),
    };
    let from = hold(&ground.from());
    let at = (from.as_fd(), &name("tree"));
    let to = hold(&ground.to());
    let copy = (to.as_fd(), &name("copy"));
    let released = release(&Unix, ground.system, &manifest, at, copy, 2, &slow).expect("freed");
    assert_eq!((released.freed, released.stays), (2 * LEVELS as u64 + 1, 0), "{released:?}");
    assert!(slow.met.into_inner(), "no thread began");
    let steps = slow.steps.into_inner();
    // Down to the end, up again to where it waits, and few folders further.
    let most = 2 * (LEVELS - ALONE) + 64;
    assert!(steps < most, "{steps} steps, at most {most}");
}

/// Enough for the threads to begin.
fn many() {
    let ground = Ground::new();
    for folder in 0..40 {
        let lines: Vec<String> =
            (0..60).map(|file| format!("d{}/e{folder}/f{file}", folder % 7)).collect();
        make(&ground.original(), &lines.iter().map(String::as_str).collect::<Vec<_>>());
        if folder > 0 {
            let link = format!("d{}/e{folder}/h == d0/e0/f{folder}", folder % 7);
            make(&ground.original(), &[&link, &format!("d{}/e{folder}/l -> f1", folder % 7)]);
        }
    }
    grow_old(&ground.original());
    for verify in [Verify::Full, Verify::Sizes] {
        whole_way(&ground, verify);
    }
    let manifest = ground.brought(&WHOLE);
    let released = ground.release(&Unix, &manifest);
    assert_eq!((released.stays, ground.original().exists()), (0, false), "{released:?}");
    assert_eq!(released.freed, 40 * 60 + 39 * 2 + 40 + 7 + 1);
}

fn deep() {
    const LEVELS: usize = 10_000;
    let (from, to) = (DeepScratch::new(), DeepScratch::new());
    let system = System::new();
    let mut held = std::os::fd::OwnedFd::from(hold(&from.path()));
    for level in 0..LEVELS {
        let next = if level == 0 { "tree" } else { "d" };
        rustix::fs::mkdirat(&held, next, Mode::RWXU).expect("a folder");
        let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY;
        held = rustix::fs::openat(&held, next, flags, Mode::empty()).expect("a folder");
    }
    rustix::fs::symlinkat("end", &held, "bottom").expect("a link");
    let state = Scratch::new();
    let (from, to, state) = (hold(&from.path()), hold(&to.path()), hold(&state.path()));
    let mut record = Record::begin(&Unix, system, state.as_fd(), &name("tree")).expect("a record");
    let facts = system.facts(from.as_fd(), b"tree").expect("it is there");
    let order = Order {
        disk: &Unix,
        system,
        from: (from.as_fd(), &name("tree")),
        facts: &facts,
        to: (to.as_fd(), &name("copy")),
        made: &Mutex::new(None),
        verify: Verify::Full,
        accept: &[],
        links: &[],
        alone: true,
        threads: 2,
        watch: &Unwatched,
    };
    let brought = bring(&order, Some(&mut record)).expect("it is brought");
    assert_eq!(brought.entries, 10_001);
    let manifest = record.into_manifest();
    let at = (from.as_fd(), &name("tree"));
    assert!(still(system, &manifest, at, 2, &Unwatched).expect("a look").is_none());
    let copy = (to.as_fd(), &name("copy"));
    let released = release(&Unix, system, &manifest, at, copy, 2, &Unwatched).expect("freed");
    assert_eq!((released.freed, released.stays), (10_001, 0));
    clear(&Unix, system, (to.as_fd(), &name("copy"))).expect("the copy is removed");
}
