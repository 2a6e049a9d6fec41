//! Who uses what is about to be moved: real processes that hold it in every way, each beside the same
//! without them.

use crate::field::place;
use crate::support::{Child, path};
use libtest_mimic::Trial;
use linkwell_calls::lease;
use linkwell_engine::in_use::{
    Found, How, MOST, Subject, User, lease_walk, look, written_to, written_to_this,
};
use linkwell_engine::system::System;
use linkwell_model::entry::FileId;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::tree::{Scratch, make};
use rustix::fd::AsFd as _;
use rustix::fs::inotify;
use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child as Process, Command, Stdio};

pub(crate) const PIECES: &[crate::support::Piece] = &[
    ("in_use::descriptors", descriptors),
    ("in_use::places", places),
    ("in_use::deleted", deleted),
    ("in_use::odd", odd),
    ("in_use::from_shell", from_shell),
    ("in_use::untold", untold),
    ("in_use::leases", leases),
    ("in_use::tree", tree),
    ("in_use::mapped", mapped),
    ("in_use::many", many),
    ("in_use::rooted", rooted),
    ("in_use::database", database),
    ("in_use::mounts", mounts),
    ("in_use::others", others),
    ("in_use::shell", shell),
    ("in_use::nobody", nobody),
];

/// The tree that a child looks at.
const TREE: &str = "LINKWELL_IN_USE_TREE";

/// Each in a process of its own: a child that another test has just forked holds whatever this one had
/// open, until it becomes the program that was meant.
pub(crate) fn trials() -> Vec<Trial> {
    let python = Need::Program("python3");
    let trial = |name: &str, piece: &'static str, needs: &[Need]| {
        let name = format!("in use: {name}");
        test_with(&name, needs, move || drop(Child::plain(piece).run()))
    };
    let mut trials = vec![
        trial("who writes is named, who reads does not hinder", "in_use::descriptors", &[]),
        trial("who stands in a folder, and who runs a program", "in_use::places", &[]),
        trial("a file that has no name any more does not count", "in_use::deleted", &[]),
        trial("names that look like something else", "in_use::odd", &[]),
        trial("the shell that started this stands in it", "in_use::from_shell", &[]),
        trial("where the system does not tell, that is said", "in_use::untold", &[]),
        trial("a lease is asked for on what has one, and changes nothing", "in_use::leases", &[]),
        trial("leases of a whole tree", "in_use::tree", &[]),
        trial("a writable mapping whose descriptor is closed", "in_use::mapped", &[python]),
        trial("many files of one process are not all told", "in_use::many", &[python]),
        trial("a folder that is somebody's root", "in_use::rooted", &[python, Need::Root]),
        trial("a database with its log", "in_use::database", &[Need::Program("sqlite3")]),
        trial("another user's process", "in_use::others", &[python, Need::Root]),
    ];
    let alone = [Need::Root, Need::Program("unshare")];
    trials.push(test_with("in use: a process with mounts of its own", &alone, || {
        Child::under(&["unshare", "-m", "--propagation", "private"], "in_use::mounts").run();
    }));
    trials
}

/// A process that holds something until it is dropped.
struct Busy(Process);

impl Busy {
    /// Starts it, and waits until it says that it holds what it is to hold.
    fn start(command: &mut Command) -> Self {
        Self::told(command, "")
    }

    fn told(command: &mut Command, input: &str) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().expect("it can be started");
        process.stdin.as_mut().expect("its input").write_all(input.as_bytes()).expect("it reads");
        let mut line = String::new();
        let out = process.stdout.take().expect("its output");
        BufReader::new(out).read_line(&mut line).expect("it says so");
        assert_eq!(line, "ready\n");
        Self(process)
    }

    /// A shell that does `script` in the folder `at`.
    fn shell(at: &Path, script: &str) -> Self {
        let script = format!("{script}\necho ready; read end");
        Self::start(Command::new("/bin/sh").args(["-c", &script]).current_dir(at))
    }

    /// The same in python, with the modules at hand.
    fn python(at: &Path, script: &str) -> Self {
        let script = format!(
            "import os, ctypes\nos.chdir({at:?})\n{script}\nos.write(1, b'ready\\n')\nos.read(0, 1)\n",
            at = at.to_str().expect("text"),
        );
        Self::start(Command::new("python3").args(["-c", &script]).current_dir("/"))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        drop(self.0.wait());
    }
}

/// A tree with some files, in a folder from which the processes are started.
fn ground() -> (Scratch, PathBuf) {
    let scratch = Scratch::with(&["tree/f", "tree/sub/g", "beside"]);
    let tree = scratch.join("tree");
    (scratch, tree)
}

fn id(at: &Path) -> FileId {
    let found = std::fs::symlink_metadata(at).expect("it is there");
    FileId { device: found.dev(), inode: found.ino() }
}

/// What is found by paths alone.
fn found(tree: &Path) -> Found {
    asked(tree, &|_| false)
}

/// What is found by paths, and by what is in the tree.
fn found_by_all(tree: &Path) -> Found {
    let mut all = HashSet::new();
    let mut todo = vec![tree.to_path_buf()];
    while let Some(at) = todo.pop() {
        all.insert(id(&at));
        let below = std::fs::read_dir(&at).into_iter().flatten().flatten();
        todo.extend(below.map(|entry| entry.path()));
    }
    asked(tree, &|one| all.contains(&one))
}

fn asked(tree: &Path, belongs: &dyn Fn(FileId) -> bool) -> Found {
    let place = place(tree);
    let subject = Subject { place: &place, id: id(tree), belongs };
    look(System::new(), &subject).expect("a system that tells")
}

/// The uses of the only process, as `how path`.
fn uses(found: &Found) -> Vec<String> {
    match found.users.as_slice() {
        [] => Vec::new(),
        [User { uses, .. }] => uses
            .iter()
            .map(|one| {
                let outside = if one.inside { "" } else { " outside" };
                format!("{:?} {}{outside}", one.how, String::from_utf8_lossy(&one.path))
            })
            .collect(),
        more => panic!("{more:?}"),
    }
}

fn quiet(tree: &Path) {
    assert_eq!(found_by_all(tree).users, [], "nobody should use it");
    assert!(!found(tree).hinders());
}

fn descriptors() {
    let (scratch, tree) = ground();
    quiet(&tree);
    let busy = Busy::shell(&scratch.path(), "exec 3>>tree/f 4<>tree/sub/g 5<tree 6>>beside");
    for found in [found(&tree), found_by_all(&tree)] {
        assert_eq!(uses(&found), ["Writes f", "Writes sub/g", "Reads "]);
        let user = &found.users[0];
        assert_eq!((user.process, user.above, user.more), (busy.0.id(), false, 0));
        assert_eq!(user.user, rustix::process::geteuid().as_raw());
        // `sh` may be a link to another one.
        assert!(matches!(user.name.as_slice(), b"sh" | b"dash" | b"bash"), "{user:?}");
        assert!(found.changes() && found.hinders());
    }
    // One file alone.
    let one = found(&tree.join("f"));
    assert_eq!(uses(&one), ["Writes "]);
    make(&scratch.path(), &["besid"]);
    assert_eq!(found(&scratch.join("besid")).users, []);
    drop(busy);
    quiet(&tree);
    let _reads = Busy::shell(&scratch.path(), "exec 3<tree/f");
    let found = found_by_all(&tree);
    assert_eq!(uses(&found), ["Reads f"]);
    assert!(!found.changes() && !found.hinders());
}

fn places() {
    let (scratch, tree) = ground();
    let busy = Busy::shell(&tree.join("sub"), "");
    let found = found_by_all(&tree);
    assert_eq!(uses(&found), ["Stands sub"]);
    assert!(found.hinders() && !found.changes());
    drop(busy);
    quiet(&tree);
    std::fs::copy("/bin/sh", tree.join("program")).expect("a copy");
    let mut command = Command::new(tree.join("program"));
    let _busy = Busy::start(command.args(["-c", "echo ready; read end"]).current_dir("/"));
    assert_eq!(uses(&found_by_all(&tree)), ["Runs program"]);
    assert_eq!(uses(&self::found(&tree)), ["Runs program"]);
    drop(scratch);
}

fn deleted() {
    let (scratch, tree) = ground();
    std::fs::hard_link(scratch.join("beside"), tree.join("named")).expect("a second name");
    std::fs::hard_link(tree.join("f"), scratch.join("kept")).expect("a second name");
    let script = "exec 3>>tree/f 4>>tree/named 5>>tree/sub/g";
    let _busy = Busy::shell(&scratch.path(), script);
    assert_eq!(uses(&found_by_all(&tree)), ["Writes f", "Writes named", "Writes sub/g"]);
    std::fs::remove_file(tree.join("sub/g")).expect("it goes");
    assert_eq!(uses(&found_by_all(&tree)), ["Writes f", "Writes named"]);
    // Opened by its name in the tree, a file may have another one there that nobody knew of: it counts
    // until it has none at all.
    std::fs::remove_file(tree.join("f")).expect("it goes");
    assert_eq!(uses(&found_by_all(&tree)), ["Writes f (deleted)", "Writes named"]);
    std::fs::remove_file(scratch.join("kept")).expect("it goes");
    assert_eq!(uses(&found_by_all(&tree)), ["Writes named"]);
    assert_eq!(uses(&found(&tree)), ["Writes named"]);
    // Opened by a name outside, it is in the tree all the same.
    let _other = Busy::shell(&scratch.path(), "exec 3>>beside");
    assert_eq!(found(&tree).users.len(), 1);
    assert_eq!(found_by_all(&tree).users.len(), 2);
}

fn odd() {
    let scratch = Scratch::new();
    let tree = scratch.join("a\nb\\012 (deleted)");
    std::fs::create_dir(&tree).expect("a folder");
    for name in [&b"x (deleted)"[..], b"y\nz", b"\xff\\040"] {
        std::fs::write(tree.join(path(name)), [0; 4096]).expect("a file");
    }
    std::fs::write(tree.join("x"), b"").expect("a file");
    let quoted = "exec 3>>'x (deleted)' 4>>\"$(printf 'y\\nz')\" 5>>\"$(printf '\\377\\\\040')\"";
    let busy = Busy::shell(&tree, quoted);
    for found in [found(&tree), found_by_all(&tree)] {
        let paths: Vec<_> = found.users[0].uses.iter().map(|one| one.path.as_slice()).collect();
        let wanted = [&b"x (deleted)"[..], b"y\nz", b"\xff\\040", b""];
        assert_eq!(paths, wanted, "{found:?}");
    }
    drop(busy);
    quiet(&tree);
    // Names that only begin alike.
    std::fs::create_dir(scratch.join("tree")).expect("a folder");
    make(&scratch.path(), &["tree-2/f", "tre/f"]);
    let _busy = Busy::shell(&scratch.path(), "exec 3>>tree-2/f 4>>tre/f");
    quiet(&scratch.join("tree"));
}

fn from_shell() {
    let (_scratch, tree) = ground();
    // Something must come after, or the shell becomes what it starts.
    let script = format!("cd '{}' && \"$0\"; exit $?", tree.join("sub").display());
    Child::under(&["/bin/sh", "-c", &script], "in_use::shell").env(TREE, &tree).run();
}

/// Runs below a shell that stands in the tree; and this process itself, which stands there too, is left
/// out.
fn shell() {
    let tree = PathBuf::from(std::env::var_os(TREE).expect("a tree"));
    let found = found_by_all(&tree);
    assert_eq!(uses(&found), ["Stands sub"]);
    assert!(found.users[0].above, "{found:?}");
    assert_eq!(std::env::current_dir().expect("a folder"), tree.join("sub"));
    // One that it starts itself is not above it.
    let _busy = Busy::shell(&tree, "");
    let found = found_by_all(&tree);
    assert_eq!(found.users.iter().filter(|user| user.above).count(), 1);
    assert_eq!(found.users.len(), 2);
}

fn untold() {
    let (_scratch, tree) = ground();
    let place = place(&tree);
    let subject = Subject { place: &place, id: id(&tree), belongs: &|_| false };
    assert_eq!(look(System::plain(), &subject), None);
}

const MAP: &str = "libc = ctypes.CDLL(None)\n\
    libc.mmap.restype = ctypes.c_void_p\n\
    def map(name, flags):\n    \
        f = os.open(name, os.O_RDWR)\n    \
        assert libc.mmap(None, 4096, 3, flags, f, ctypes.c_long(0)) != 2**64 - 1\n    \
        os.close(f)\n";

fn mapped() {
    let (_scratch, tree) = ground();
    std::fs::write(tree.join("a\nb"), [0; 4096]).expect("a file");
    std::fs::write(tree.join("gone"), [0; 4096]).expect("a file");
    let script = format!("{MAP}map('f', 1)\nmap('a\\nb', 1)\nmap('gone', 1)\nos.chdir('/')");
    let busy = Busy::python(&tree, &script);
    let gone = uses(&found_by_all(&tree));
    assert_eq!(gone, ["Maps a\nb", "Maps f", "Maps gone"]);
    std::fs::remove_file(tree.join("gone")).expect("it goes");
    for found in [found(&tree), found_by_all(&tree)] {
        assert_eq!(uses(&found), ["Maps a\nb", "Maps f"]);
        assert!(found.changes());
    }
    let held = File::open(&tree).expect("a folder");
    assert_eq!(written_to(System::new(), held.as_fd(), b"f"), Some(true));
    assert_eq!(written_to(System::new(), held.as_fd(), b"sub/g"), Some(false));
    drop(busy);
    quiet(&tree);
    assert_eq!(written_to(System::new(), held.as_fd(), b"f"), Some(false));
    drop(held);
    // A mapping of one's own changes nothing of the file.
    let _busy = Busy::python(&tree, &format!("{MAP}map('f', 2)\nos.chdir('/')"));
    assert_eq!(uses(&found_by_all(&tree)), ["Reads f"]);
}

fn many() {
    let (_scratch, tree) = ground();
    let script = "for n in range(100): os.open('m%03d' % n, os.O_WRONLY | os.O_CREAT)\n\
        os.open('f', os.O_PATH)";
    let _busy = Busy::python(&tree, script);
    let found = found_by_all(&tree);
    let user = &found.users[0];
    assert_eq!((user.uses.len(), user.more), (MOST, 102 - 64));
    assert!(user.uses.iter().all(|one| one.how == How::Writes));
    assert_eq!(user.uses[0].path, b"m000");
    // A place that is only held is no file that is written to.
    let one = found_by_all(&tree.join("f"));
    assert_eq!(uses(&one), ["Reads "]);
}

fn rooted() {
    let (_scratch, tree) = ground();
    let busy = Busy::python(&tree, "f = os.open('/', 0)\nos.chroot('sub')\nos.fchdir(f)");
    assert_eq!(uses(&found_by_all(&tree)), ["Rooted sub"]);
    assert_eq!(uses(&found(&tree)), ["Rooted sub"]);
    drop(busy);
    quiet(&tree);
}

fn database() {
    let (_scratch, tree) = ground();
    let held = File::open(&tree).expect("a folder");
    let mut command = Command::new("sqlite3");
    command.arg(tree.join("db")).current_dir("/");
    let input = "PRAGMA journal_mode=WAL;\nCREATE TABLE t(x);\nINSERT INTO t VALUES(1);\n\
        .output stdout\n.system echo ready\n";
    // What it answers to the first line comes late, when nobody reads any more.
    let busy = Busy::told(&mut command, &format!(".output /dev/null\n{input}"));
    let found = found_by_all(&tree);
    let wanted = ["Writes db", "Writes db-shm", "Writes db-wal", "Maps db-shm"];
    assert_eq!(uses(&found), wanted);
    assert_eq!(found.users[0].name, b"sqlite3");
    let mut walked = lease_walk(System::new(), held.as_fd(), 1000).expect("a walk");
    walked.written.sort();
    assert_eq!(walked.written, [&b"db"[..], b"db-shm", b"db-wal"]);
    drop(busy);
    quiet(&tree);
    let walked = lease_walk(System::new(), held.as_fd(), 1000).expect("a walk");
    assert!(walked.written.is_empty() && walked.whole, "{walked:?}");
}

/// In a namespace of its own: others have it mounted elsewhere, or something else at its place.
fn mounts() {
    let (scratch, tree) = ground();
    let other = scratch.join("other");
    std::fs::create_dir(&other).expect("a folder");
    let held = File::open(&tree).expect("a folder");
    let run = |script: &str| {
        let script = format!("{script}\necho ready; read end");
        let mut command = Command::new("unshare");
        command.args(["-m", "--propagation", "private", "/bin/sh", "-c", &script]);
        Busy::start(command.current_dir(scratch.path()))
    };
    let busy = run("mount --bind tree other && cd other/sub && exec 3>>../f");
    let text = |name: &str| other.join(name).to_str().expect("text").to_owned();
    let wanted =
        [format!("Writes {} outside", text("f")), format!("Stands {} outside", text("sub"))];
    assert_eq!(uses(&found_by_all(&tree)), wanted);
    // By its path alone it is not to be known; but the lease knows.
    assert_eq!(found(&tree).users, []);
    assert_eq!(written_to(System::new(), held.as_fd(), b"f"), Some(true));
    drop(busy);
    quiet(&tree);
    // The same path, and something else: on another volume, and on this one.
    for mount in ["-t tmpfs tmpfs tree", "--bind other tree"] {
        let _busy = run(&format!("mount {mount} && cd tree && exec 3>>f"));
        quiet(&tree);
        assert_eq!(written_to(System::new(), held.as_fd(), b"f"), Some(false));
    }
}

fn others() {
    let (scratch, tree) = ground();
    for at in [scratch.path(), tree.clone(), tree.join("f"), tree.join("sub")] {
        linkwell_testkit::crafted::allow(&at, 0o755);
        chown(&at, Some(65534), Some(65534)).expect("another owner");
    }
    let child = || Child::unprivileged("in_use::nobody").env(TREE, &tree);
    let said = child().run();
    assert!(said.contains("Some(false)"));
    // Even root may not look into some; but into more.
    let unseen = said.lines().find_map(|line| line.strip_prefix("unseen "));
    let unseen: u64 = unseen.expect("how many").parse().expect("a number");
    assert!(found(&tree).unseen < unseen);
    let _busy = Busy::shell(&scratch.path(), "exec 3>>tree/f");
    assert_eq!(uses(&found(&tree)), ["Writes f"]);
    assert!(child().run().contains("Some(true)"));
}

/// As nobody: the process of root's is not seen, and that is said; the lease sees it.
fn nobody() {
    let tree = PathBuf::from(std::env::var_os(TREE).expect("a tree"));
    let found = found(&tree);
    assert_eq!(found.users, []);
    println!("unseen {}", found.unseen + u64::from(found.hidden));
    // Those of others are not taken for one's own, nor one's own for those of others.
    // (prctl(2), `PR_SET_DUMPABLE`)
    let _shut = Busy::python(Path::new("/"), "ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)");
    let place = place(&tree);
    let meta = std::fs::metadata(&tree).expect("a folder");
    let id = FileId { device: meta.dev(), inode: meta.ino() };
    let now = look(System::new(), &Subject { place: &place, id, belongs: &|_| false });
    let now = now.expect("the system tells");
    assert!(now.guarded >= 1 && (now.hidden || now.unseen > now.guarded), "{now:?}");
    let held = File::open(&tree).expect("a folder");
    println!("{:?}", written_to(System::new(), held.as_fd(), b"f"));
    // A file of root's cannot be asked about.
    let sub = File::open(tree.join("sub")).expect("a folder");
    assert_eq!(written_to(System::new(), sub.as_fd(), b"g"), None);
    let walked = lease_walk(System::new(), held.as_fd(), 10).expect("a walk");
    assert_eq!((walked.unasked, walked.whole), (1, true));
    assert_eq!(walked.quiet + walked.written.len() as u64, 1);
}

fn leases() {
    let scratch = Scratch::with(&["f", "d/", "l -> f", "p |"]);
    let held = File::open(scratch.path()).expect("a folder");
    let before = std::fs::metadata(scratch.join("f")).expect("a file");
    let at = held.as_fd();
    let system = System::new();
    assert_eq!(written_to(system, at, b"f"), Some(false));
    for name in ["d", "l", "p", "gone"] {
        assert_eq!(written_to(system, at, name.as_bytes()), None, "{name}");
    }
    // What is no regular file is not opened for that: a device might act on it.
    let watch = |name: &str| {
        let flags = inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC;
        let watch = inotify::init(flags).expect("a watch");
        inotify::add_watch(&watch, scratch.join(name), inotify::WatchFlags::OPEN).expect("a watch");
        written_to(system, at, name.as_bytes());
        rustix::io::read(&watch, &mut [0; 512]).is_ok()
    };
    assert_eq!((watch("p"), watch("f")), (false, true));
    // Another file than the one that was meant.
    make(&scratch.path(), &["g"]);
    let id = |name: &[u8]| system.facts(at, name).expect("it is there").id;
    assert_eq!(written_to_this(system, at, b"f", id(b"f")), Some(false));
    assert_eq!(written_to_this(system, at, b"f", id(b"g")), None);
    let after = std::fs::metadata(scratch.join("f")).expect("a file");
    assert_eq!((before.atime(), before.atime_nsec()), (after.atime(), after.atime_nsec()));
    assert_eq!((before.ctime(), before.ctime_nsec()), (after.ctime(), after.ctime_nsec()));
    // Whoever has it for reading is no writer; who has a lease to write has it alone.
    let reader = File::open(scratch.join("f")).expect("a file");
    assert_eq!(written_to(system, at, b"f"), Some(false));
    lease::take_write(&reader).expect("a lease");
    assert_eq!(written_to(system, at, b"f"), Some(true));
    drop(reader);
    let writer = File::options().append(true).open(scratch.join("f")).expect("a file");
    assert_eq!(written_to(system, at, b"f"), Some(true));
    assert_eq!(written_to(System::plain(), at, b"f"), Some(true));
    drop(writer);
    assert_eq!(written_to(System::plain(), at, b"f"), Some(false));
}

fn tree() {
    let lines = ["a", "d/b", "d/e/c", "d/e/l -> /etc/passwd", "d/p |", "h == a", "z/"];
    let scratch = Scratch::with(&lines);
    let held = File::open(scratch.path()).expect("a folder");
    let walk = |limit| lease_walk(System::new(), held.as_fd(), limit).expect("a walk");
    let all = walk(100);
    assert_eq!((all.quiet, all.unasked, all.whole), (4, 0, true), "{all:?}");
    assert_eq!(all.written, [] as [Vec<u8>; 0]);
    let writer = File::options().append(true).open(scratch.join("d/e/c")).expect("a file");
    let some = walk(100);
    assert_eq!(some.written, [b"d/e/c".to_vec()]);
    assert_eq!((some.quiet, some.whole), (3, true));
    drop(writer);
    let less = walk(2);
    assert_eq!((less.quiet, less.whole), (2, false));
    // Deeper than a path can say.
    let mut command = Command::new("/bin/sh");
    let name = "n".repeat(200);
    let script = format!(
        "i=0; while [ $i -lt 30 ]; do mkdir {name}; cd -P {name}; i=$((i+1)); done; echo x >end; exec 3>>end"
    );
    let busy = format!("{script}; echo ready; read end");
    let _busy = Busy::start(command.args(["-c", &busy]).current_dir(scratch.path()));
    let deep = walk(100);
    assert_eq!(deep.written.len(), 1);
    assert_eq!(deep.written[0].len(), 30 * 201 + 3);
    assert!(Command::new("rm").arg("-rf").arg(scratch.join(&name)).status().expect("rm").success());
}
