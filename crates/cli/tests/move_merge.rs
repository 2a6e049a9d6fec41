//! Two folders become one: nothing is lost, nothing that was there changes, every path leads on, and undo
//! brings both back exactly.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a test stands outside: it makes its trees, looks at them by itself, and prints what was counted"
)]

use crate::support::{Ground, LINKWELL};
use libtest_mimic::Trial;
use linkwell_testkit::listing::listing;
use linkwell_testkit::manifest::Manifest;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::{self, Ran};
use linkwell_testkit::tree::{Scratch, make};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

pub(crate) fn trials() -> Vec<Trial> {
    let mounts = [Need::Root, Need::Program("unshare")];
    vec![
        test("move --merge: every kind against every other, and back", || pairs(false)),
        test("move --merge: the same to another volume", || pairs(true)),
        test("move --merge: undo brings back all that both were, times of folders too", || {
            as_they_were(false);
        }),
        test("move --merge: the same from another volume", || as_they_were(true)),
        test("move --merge: a folder that was changed since keeps its time", changed_since),
        test("move --merge: a file with a file", file_with_file),
        test("move --merge: the same twice, and twice again", names_taken),
        test("move --merge: links that lead out lead where they led", links_out),
        test("move --merge: several names of one file stay so, or are told", hard_links),
        test("move --merge: what is closed here is not opened there", private),
        test("move --merge: what is put there since stays, and undo says so", since),
        test("move --merge: what cannot be", refusals),
        test("move --merge: what is shown, in words and in JSON", shown),
        test("move --merge: generated pairs of trees", || generated(false)),
        test("move --merge: generated pairs of trees, to another volume", || generated(true)),
        test("move --merge: the oracle finds what a copy and `rm` lose", control),
        test_with("kill: move --merge to another volume", &[Need::Program("strace")], || {
            killed_across(&[]);
        }),
        test_with(
            "kill: move --merge --free to another volume",
            &[Need::Program("strace")],
            || {
                killed_across(&["--free"]);
            },
        ),
        test_with("move --merge: a full disk", &mounts, full),
        test_with("move --merge: another volume mounted inside", &mounts, mounted),
    ]
}

/// Two folders, on one volume or on two, and linkwell's own places.
struct Two {
    here: Scratch,
    there: Option<Scratch>,
}

impl Two {
    fn new(across: bool) -> Self {
        let there = across.then(Scratch::in_memory);
        let here = if across { Scratch::new() } else { Scratch::in_memory() };
        let two = Self { here, there };
        make(&two.here.path(), &["home/", "state/", "here/"]);
        make(&two.above(), &["there/"]);
        if across {
            let device = |path: PathBuf| std::fs::metadata(path).expect("it was made").dev();
            assert_ne!(device(two.here.path()), device(two.above()), "two volumes are needed");
        }
        two
    }

    /// The folder that the destination lies in.
    fn above(&self) -> PathBuf {
        self.there.as_ref().unwrap_or(&self.here).path()
    }

    fn from(&self) -> PathBuf {
        self.here.join("here")
    }

    fn to(&self) -> PathBuf {
        self.above().join("there")
    }

    fn kept(&self) -> PathBuf {
        self.here.join("here (before it was merged)")
    }

    fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Ran {
        let mut command = program::command(LINKWELL, &self.here.path());
        command
            .env("HOME", self.here.join("home"))
            .env("XDG_STATE_HOME", self.here.join("state"))
            .env("XDG_DATA_HOME", self.here.join("home/data"));
        command.args(arguments).output().expect("linkwell can be started").into()
    }

    fn merge(&self, more: &[&str]) -> Ran {
        let to = self.to();
        let mut arguments: Vec<&OsStr> = vec!["move".as_ref(), "-y".as_ref(), "--merge".as_ref()];
        arguments.extend(more.iter().map(OsStr::new));
        arguments.extend([OsStr::new("here"), to.as_os_str()]);
        self.run(&arguments)
    }

    fn listings(&self) -> [String; 2] {
        [listing(&self.from()), listing(&self.to())]
    }
}

/// What stands at a path, without following it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Thing {
    Folder,
    File(Vec<u8>),
    Link(PathBuf),
    Pipe,
}

type Things = BTreeMap<PathBuf, Thing>;

fn thing(path: &Path) -> Option<Thing> {
    let facts = std::fs::symlink_metadata(path).ok()?;
    let kind = facts.file_type();
    Some(if kind.is_dir() {
        Thing::Folder
    } else if kind.is_symlink() {
        Thing::Link(std::fs::read_link(path).expect("a link"))
    } else if kind.is_fifo() {
        Thing::Pipe
    } else {
        Thing::File(std::fs::read(path).expect("a file"))
    })
}

fn things(top: &Path) -> Things {
    let mut found = Things::new();
    let mut todo = vec![PathBuf::new()];
    while let Some(below) = todo.pop() {
        for entry in std::fs::read_dir(top.join(&below)).expect("a folder") {
            let below = below.join(entry.expect("an entry").file_name());
            let thing = thing(&top.join(&below)).expect("it is there");
            if thing == Thing::Folder {
                todo.push(below.clone());
            }
            found.insert(below, thing);
        }
    }
    found
}

/// What is wrong after a merge of what held `here` into what held `there`.
fn wrongs(two: &Two, here: &Things, there: &Things, kept: bool) -> Vec<String> {
    let (from, to) = (two.from(), two.to());
    let mut wrong = Vec::new();
    let now = if to.is_dir() { things(&to) } else { Things::new() };
    for (below, thing) in there {
        if now.get(below) != Some(thing) {
            wrong.push(format!("changed there: {below:?}: {thing:?}, now {:?}", now.get(below)));
        }
    }
    for (below, thing) in here {
        let same = now.get(below) == Some(thing);
        let apart = now.iter().any(|(path, found)| {
            let name = path.file_name().expect("a name").to_string_lossy();
            found == thing && path.parent() == below.parent() && name.contains(" (from ")
        });
        // A link that leads out has another text, and is looked at elsewhere.
        let link = matches!(thing, Thing::Link(_));
        if !same && !apart && !link {
            wrong.push(format!("not there: {below:?}: {thing:?}"));
        }
        if std::fs::symlink_metadata(from.join(below)).is_err() {
            wrong.push(format!("leads nowhere: {below:?}"));
        }
        if let (true, Thing::File(bytes)) = (kept, thing)
            && std::fs::read(two.kept().join(below)).ok().as_ref() != Some(bytes)
        {
            wrong.push(format!("not in what is kept: {below:?}"));
        }
    }
    if std::fs::canonicalize(&from).ok() != Some(to) {
        wrong.push("the old place does not lead there".into());
    }
    wrong
}

/// Merges, looks, takes back, and looks.
fn there_and_back(two: &Two, more: &[&str], what: &str) {
    let before = two.listings();
    let (here, there) = (things(&two.from()), things(&two.to()));
    let ran = two.merge(more);
    assert_eq!(ran.code, 0, "{what}: {ran:?}");
    assert_eq!(wrongs(two, &here, &there, true), Vec::<String>::new(), "{what}: {ran:?}");
    let undo = two.run(&["undo", "-y"]);
    assert_eq!((undo.code, two.listings()), (0, before), "{what}: {undo:?}");
    assert!(!two.kept().exists(), "{what}");
    let strays = [listing(&two.here.path()), listing(&two.above())].join("\n");
    assert!(!strays.contains(".linkwell-"), "{what}: {strays}");
}

fn at_noon(path: &Path) {
    let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    std::fs::File::options()
        .write(true)
        .open(path)
        .expect("a file")
        .set_modified(noon)
        .expect("so");
}

fn write(path: &Path, text: &str) {
    std::fs::write(path, text).expect("a file");
    at_noon(path);
}

/// One entry of a kind, with contents.
fn put(path: &Path, kind: &str, text: &str) {
    let folder = path.parent().expect("a folder");
    let name = path.file_name().expect("a name").to_str().expect("plain");
    match kind {
        "nothing" => {}
        "file" => write(path, text),
        "link" => make(folder, &[&format!("{name} -> {text}")]),
        "pipe" => make(folder, &[&format!("{name} |")]),
        "empty folder" => make(folder, &[&format!("{name}/")]),
        _ => {
            make(folder, &[&format!("{name}/")]);
            write(&path.join(text), text);
        }
    }
}

const KINDS: [&str; 6] = ["nothing", "file", "link", "pipe", "empty folder", "full folder"];

/// What the destination has in the end under the name, and beside it, for each pair: `h` what was here, `t`
/// what was there, `2` both, `=` one for both, `+` one folder of two, `x` refused.
const TABLE: [(&str, &str); 6] = [
    ("nothing", ".ttttt"),
    ("file", "h22222"),
    ("link", "h22222"),
    ("pipe", "h22=22"),
    ("empty folder", "hxxx++"),
    ("full folder", "hxxx++"),
];

fn pairs(across: bool) {
    let mut count = 0;
    for (row, (here, cells)) in TABLE.iter().enumerate() {
        assert_eq!(KINDS.get(row), Some(here));
        for (cell, there) in cells.chars().zip(KINDS) {
            for same in [false, true] {
                for more in [&[][..], &["--free"]] {
                    one_pair(across, (here, there), cell, same, more);
                    count += 1;
                }
            }
        }
    }
    println!("{count} pairs");
}

fn one_pair(across: bool, (here, there): (&str, &str), cell: char, same: bool, more: &[&str]) {
    let two = Two::new(across);
    let what = format!("{here} with {there}, same: {same}, {more:?}");
    put(&two.from().join("x.txt"), here, "one");
    put(&two.to().join("x.txt"), there, if same { "one" } else { "two" });
    let (before, trees) = (two.listings(), (things(&two.from()), things(&two.to())));
    if cell == 'x' {
        let ran = two.merge(more);
        assert_eq!((ran.code, two.listings()), (1, before), "{what}: {ran:?}");
        assert!(ran.err.contains("paths into the folder would lead nowhere"), "{what}: {ran:?}");
        return;
    }
    let ran = two.merge(more);
    assert_eq!(ran.code, 0, "{what}: {ran:?}");
    let now = things(&two.to());
    let beside = format!("x (from {}).txt", "here");
    let has_both = now.contains_key(Path::new(&beside));
    let one = same && here == there && matches!(here, "file" | "link") || matches!(cell, '=' | '+');
    assert_eq!(has_both, cell == '2' && !one, "{what}: {now:?}");
    if has_both {
        assert_eq!(now.get(Path::new(&beside)), trees.0.get(Path::new("x.txt")), "{what}");
    }
    let undo = two.run(&["undo", "-y"]);
    assert_eq!((undo.code, two.listings()), (0, before), "{what}: {undo:?}");
    there_and_back(&two, more, &what);
}

/// Two trees with all that a merge makes of them, whose folders were last changed long ago.
fn old_trees(across: bool) -> Two {
    let two = Two::new(across);
    make(&two.above(), &["out/"]);
    make(&two.here.path(), &["out/"]);
    make(
        &two.from(),
        &[
            "same",
            "differs",
            "new",
            "goes/deep/f",
            "goes/deep/l -> ../../../out",
            "both/x",
            "both/in/y",
        ],
    );
    make(&two.to(), &["same", "differs", "old", "both/z", "both/in/w"]);
    write(&two.from().join("differs"), "one");
    write(&two.to().join("differs"), "two");
    for top in [two.from(), two.to()] {
        let ran = program::command("/bin/sh", &top)
            .args(["-c", "find . -depth -exec touch -h -d '2001-02-03 04:05:06.789' {} +"])
            .status();
        assert!(ran.expect("a shell").success());
    }
    two
}

fn as_they_were(across: bool) {
    let all = |two: &Two| [Manifest::of(&two.from()), Manifest::of(&two.to())];
    for more in [&[][..], &["--free"]] {
        let two = old_trees(across);
        let before = all(&two);
        let ran = two.merge(more);
        assert_eq!(ran.code, 0, "{more:?}: {ran:?}");
        let changed = std::fs::metadata(two.to()).expect("a folder").modified().expect("a time");
        assert!(changed > SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000));
        let merged = Manifest::of(&two.to());
        let is = |old: &[Manifest; 2], what: &str| {
            for (old, new) in old.iter().zip(&all(&two)) {
                for (path, entry) in &old.entries {
                    let now = new.entries.get(path).expect("it is back");
                    let name = String::from_utf8_lossy(path);
                    assert_eq!(now.modified, entry.modified, "{more:?}, {what}: `{name}`");
                    assert_eq!(
                        (now.mode, &now.hash, &now.text),
                        (entry.mode, &entry.hash, &entry.text)
                    );
                }
                assert_eq!(new.entries.len(), old.entries.len());
            }
        };
        let ran = two.run(&["undo", "-y"]);
        assert_eq!(ran.code, 0, "{more:?}: {ran:?}");
        is(&before, "undo");
        // The undo is undone: the folders get the times that they had when they were one.
        let ran = two.run(&["undo", "-y", "2"]);
        assert_eq!(ran.code, 0, "{more:?}: {ran:?}");
        let again = Manifest::of(&two.to());
        let top = |tree: &Manifest| tree.entries.get(&b""[..]).map(|entry| entry.modified);
        assert_eq!(top(&again), top(&merged), "{more:?}");
        let ran = two.run(&["undo", "-y", "3"]);
        assert_eq!(ran.code, 0, "{more:?}: {ran:?}");
        is(&before, "undo of the undo of the undo");
    }
}

fn changed_since() {
    let two = old_trees(false);
    let time = |below: &str| {
        let folder = std::fs::metadata(two.to().join(below)).expect("a folder");
        folder.modified().expect("a time")
    };
    let (top, both) = (time(""), time("both"));
    assert_eq!(two.merge(&[]).code, 0);
    write(&two.to().join("both/since"), "new");
    let ran = two.run(&["undo", "-y"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(time("") == top && time("both") > both, "{ran:?}");
}

fn file_with_file() {
    for across in [false, true] {
        let two = Two::new(across);
        let (one, other) = (two.from().join("a.jpg"), two.to().join("b.jpg"));
        let run = |more: &[&str]| {
            let mut arguments: Vec<&OsStr> = vec!["move".as_ref(), "-y".as_ref()];
            arguments.extend(more.iter().map(OsStr::new));
            arguments.extend([one.as_os_str(), other.as_os_str()]);
            two.run(&arguments)
        };
        write(&one, "same");
        write(&other, "same");
        let before = two.listings();
        assert_eq!((run(&[]).code, two.listings()), (1, before.clone()));
        for more in [&["--merge"][..], &["--merge", "--free"]] {
            let ran = run(more);
            assert_eq!(ran.code, 0, "{ran:?}");
            assert_eq!(std::fs::canonicalize(&one).expect("it leads"), other, "{ran:?}");
            let kept = two.from().join("a.jpg (before it was merged)");
            assert_eq!(kept.exists(), more.len() == 1, "{ran:?}");
            let undo = two.run(&["undo", "-y"]);
            assert_eq!((undo.code, two.listings()), (0, before.clone()), "{undo:?}");
        }
        // Where they differ, the link leads to what was here.
        write(&other, "else");
        let before = two.listings();
        let ran = run(&["--merge"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(std::fs::read(&one).expect("it leads"), b"same");
        assert_eq!(std::fs::read(two.to().join("b (from here).jpg")).expect("it is"), b"same");
        assert_eq!(std::fs::read(&other).expect("it is"), b"else");
        let undo = two.run(&["undo", "-y"]);
        assert_eq!((undo.code, two.listings()), (0, before), "{undo:?}");
    }
}

fn names_taken() {
    let two = Two::new(false);
    for name in ["x.txt", "x (from here 2).txt"] {
        write(&two.from().join(name), &format!("here {name}"));
    }
    for name in ["x.txt", "x (from here).txt"] {
        write(&two.to().join(name), &format!("there {name}"));
    }
    std::fs::create_dir(two.kept()).expect("a folder");
    let ran = two.merge(&[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let read = |name: &str| std::fs::read_to_string(two.to().join(name)).unwrap_or_default();
    assert_eq!(read("x.txt"), "there x.txt");
    assert_eq!(read("x (from here).txt"), "there x (from here).txt");
    assert_eq!(read("x (from here 2).txt"), "here x (from here 2).txt");
    assert_eq!(read("x (from here 3).txt"), "here x.txt");
    assert!(two.here.join("here (before it was merged 2)").exists());
    assert_eq!(std::fs::read_dir(two.kept()).expect("a folder").count(), 0);
}

fn links_out() {
    for across in [false, true] {
        let two = Two::new(across);
        make(&two.here.path(), &["out/x", "here/both/l -> ../../out/x", "here/top -> ../out/x"]);
        make(&two.from(), &["only/deep/l -> ../../../out/x", "only/in -> deep/l", "only/abs -> /"]);
        make(&two.from(), &["only/round -> ../../here/only/deep", "only/gone -> ../../out/none"]);
        make(&two.to(), &["both/y"]);
        let ends = |top: PathBuf| {
            ["both/l", "top", "only/deep/l", "only/in", "only/abs"]
                .map(|below| std::fs::canonicalize(top.join(below)).expect("it leads somewhere"))
        };
        let before = (two.listings(), ends(two.from()));
        let ran = two.merge(&[]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!((ends(two.from()), ends(two.to())), (before.1.clone(), before.1), "{ran:?}");
        assert_eq!(ends(two.kept()), ends(two.from()), "{ran:?}");
        let round = std::fs::canonicalize(two.from().join("only/round")).expect("it leads");
        assert_eq!(round, two.to().join("only/deep"));
        let gone = std::fs::read_link(two.to().join("only/gone")).expect("a link");
        assert!(gone.ends_with("out/none"), "{gone:?}");
        let undo = two.run(&["undo", "-y"]);
        assert_eq!((undo.code, two.listings()), (0, before.0), "{undo:?}");
    }
}

fn hard_links() {
    let lines = ["a", "b == a", "only/c", "only/d == only/c", "both/e == only/c", "same"];
    for across in [false, true] {
        let two = Two::new(across);
        make(&two.from(), &lines);
        make(&two.to(), &["both/"]);
        if across {
            let before = two.listings();
            let ran = two.merge(&[]);
            assert_eq!((ran.code, two.listings()), (1, before), "{ran:?}");
            assert!(ran.err.contains("--accept-loss hard-links"), "{ran:?}");
            let ran = two.merge(&["--accept-loss", "hard-links"]);
            assert_eq!(ran.code, 0, "{ran:?}");
            let names = std::fs::metadata(two.to().join("only/c")).expect("a file").nlink();
            assert_eq!(names, 2, "those that go together stay together");
            groups_undone();
            continue;
        }
        there_and_back(&two, &[], "names");
        assert_eq!(two.merge(&[]).code, 0);
        let inode = |below: &str| std::fs::metadata(two.to().join(below)).expect("a file").ino();
        assert_eq!(inode("a"), inode("b"));
        assert_eq!((inode("only/c"), inode("only/c")), (inode("only/d"), inode("both/e")));
    }
    // One file on both sides.
    let two = Two::new(false);
    write(&two.to().join("x"), "one");
    std::fs::hard_link(two.to().join("x"), two.from().join("x")).expect("a second name");
    there_and_back(&two, &["--free"], "one file");
}

/// Several names of one file, each of which goes on its own: they are one file again after undo where that is
/// kept, and else it is said, before it is given up and before it is taken back.
fn groups_undone() {
    const SAID: &str = "nor when it is undone";
    const UNDONE: &str = "come back as files of their own";
    for (lines, free) in [
        (&["a", "b == a", "only/c"][..], false),
        (&["a", "b == a", "only/c"], true),
        (&["only/c", "both/e == only/c"], true),
        // Those of one folder go together, and come back so.
        (&["a", "only/c", "only/d == only/c"], true),
    ] {
        let two = Two::new(true);
        make(&two.from(), lines);
        make(&two.to(), &["both/"]);
        let before = two.listings();
        let more = ["--accept-loss", "hard-links", "--free"];
        let ran = two.merge(more.get(..if free { 3 } else { 2 }).expect("so many"));
        assert_eq!(ran.code, 0, "{ran:?}");
        let apart = !lines.contains(&"only/d == only/c");
        assert_eq!(ran.out.contains("files of their own there"), apart, "{lines:?}: {ran:?}");
        assert_eq!(ran.out.contains(SAID), free && apart, "{lines:?}: {ran:?}");
        let undo = two.run(&["undo", "-y"]);
        assert_eq!(undo.code, 0, "{undo:?}");
        let same = two.listings() == before;
        assert_eq!(same, !(free && apart), "{lines:?}: {undo:?}");
        // Of a folder it is not on record whether there were such names in it.
        assert!(same || undo.out.contains(UNDONE), "{lines:?}: {undo:?}");
        assert!(free || !undo.out.contains(UNDONE), "{lines:?}: {undo:?}");
        for name in ["a", "b", "only/c", "only/d", "both/e"] {
            let was = lines.iter().any(|line| line.split(' ').next() == Some(name));
            assert_eq!(two.from().join(name).exists(), was, "{lines:?}: {undo:?}");
        }
    }
}

fn private() {
    let allow = |path: &Path, mode| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("own");
    };
    let two = Two::new(false);
    for (name, here, there) in [("closed", 0o600, 0o644), ("open", 0o644, 0o600)] {
        write(&two.from().join(name), "same");
        write(&two.to().join(name), "same");
        allow(&two.from().join(name), here);
        allow(&two.to().join(name), there);
    }
    let ran = two.merge(&["--free"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(two.to().join("closed (from here)").exists(), "{ran:?}");
    assert!(!two.to().join("open (from here)").exists(), "{ran:?}");
    assert!(ran.out.contains("one of these has other times, permissions"), "{ran:?}");
    assert!(two.kept().join("open").symlink_metadata().expect("it is kept").is_file());
    let two = Two::new(false);
    make(&two.from(), &["f/x"]);
    make(&two.to(), &["f/"]);
    allow(&two.from().join("f"), 0o700);
    let before = two.listings();
    let ran = two.merge(&[]);
    assert_eq!((ran.code, two.listings()), (1, before), "{ran:?}");
    assert!(ran.err.contains("is open to more people than this one"), "{ran:?}");
    there_and_back(&two, &["--accept-loss", "mode"], "as was asked");
}

fn since() {
    let two = Two::new(false);
    write(&two.from().join("x"), "one");
    make(&two.from(), &["f/y"]);
    assert_eq!(two.merge(&[]).code, 0);
    write(&two.to().join("new"), "new");
    write(&two.to().join("f/new"), "new");
    let undo = two.run(&["undo", "-y"]);
    assert_eq!(undo.code, 0, "{undo:?}");
    // What was put into a folder that came from here goes home with it; the other stays.
    assert!(two.from().join("f/new").is_file() && two.to().join("new").is_file(), "{undo:?}");
    assert_eq!(std::fs::read(two.from().join("x")).expect("it is back"), b"one");
    // What is kept is gone: then undo has nothing to bring back, and says so.
    assert_eq!(two.merge(&[]).code, 0);
    std::fs::remove_dir_all(two.kept()).expect("it was kept");
    let before = listing(&two.to());
    let undo = two.run(&["undo", "-y"]);
    assert_eq!((undo.code, listing(&two.to())), (1, before), "{undo:?}");
    assert_eq!(std::fs::read(two.from().join("x")).expect("it leads"), b"one");
}

fn refusals() {
    let ground = Ground::with(&["a/b/c", "a/l -> b", "l -> a", "f", "p |", "a/f/"]);
    let before = ground.listing();
    let rows: [(&[&str], &str); 7] = [
        (&["a", "a"], "is what is to be moved"),
        (&["a", "l"], "is a link"),
        (&["a/b", "a"], "it lies in"),
        (&["a", "a/b"], "cannot be moved into itself"),
        (&["l", "a"], "this is a link"),
        (&["f", "a"], "it is a file"),
        (&["a", "f"], "it is a folder"),
    ];
    for (paths, why) in rows {
        let mut arguments = vec!["move", "-y", "--merge"];
        arguments.extend(paths);
        let ran = ground.run(&arguments);
        assert_eq!((ran.code, ground.listing()), (1, before.clone()), "{paths:?}: {ran:?}");
        assert!(ran.err.contains(why), "{paths:?}: {ran:?}");
    }
    // Nothing there: it is moved.
    let ran = ground.run(&["move", "-y", "--merge", "a", "new"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ground.tree().join("new/b/c").exists() && !ground.listing().contains("before it was"));
}

fn shown() {
    let ground = Ground::with(&["here/", "there/", "here/d.jpg -> x", "there/d.jpg -> y"]);
    for number in 0..25 {
        make(&ground.tree(), &[&format!("here/{number:02}")]);
    }
    write(&ground.tree().join("here/s"), "s");
    write(&ground.tree().join("there/s"), "s");
    let before = ground.listing();
    let ran = ground.run(&["move", "--dry-run", "--merge", "here", "there"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for line in [
        "  merge      here",
        "  add        00\n",
        "  … and 6 more (`--verbose` shows all)\n",
        "one file is the same on both sides",
        "  keep       what is left of it as ",
    ] {
        assert!(ran.out.contains(line), "{line}: {ran:?}");
    }
    let all = ground.run(&["move", "--dry-run", "-v", "--merge", "here", "there"]);
    assert!(all.out.contains("  add        24\n") && !all.out.contains(" more ("), "{all:?}");
    assert!(all.out.contains("d (from here).jpg"), "{all:?}");
    let json = ground.run(&["move", "--dry-run", "--json", "--merge", "here", "there"]);
    let items = crate::support::of_type(&json, "item");
    let steps = items.first().and_then(|item| item.get("steps")).and_then(|all| all.as_array());
    assert_eq!(steps.map(Vec::len), Some(27), "{json:?}");
    assert_eq!(ground.listing(), before);
}

/// A small generator of numbers that look random (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % sides
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        let sides = u64::try_from(all.len()).expect("few");
        let at = usize::try_from(self.roll(sides)).expect("few");
        *all.get(at).expect("as many sides as there are")
    }

    /// Fills a folder. Names, contents and texts are few, so that many meet.
    fn grow(&mut self, folder: &Path, depth: u64, names: bool) {
        let mut files: Vec<PathBuf> = Vec::new();
        for name in ["a", "b.txt", "c", ".d", "e (from here)"] {
            let path = folder.join(name);
            match self.roll(10) {
                0..=2 => {
                    write(&path, self.one_of(&["one", "two", ""]));
                    if self.roll(3) == 0 {
                        std::fs::File::options()
                            .write(true)
                            .open(&path)
                            .and_then(|file| file.set_modified(SystemTime::now()))
                            .expect("own");
                    }
                    let mode = self.one_of(&[0o644, 0o600, 0o755]);
                    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))
                        .expect("own");
                    files.push(path);
                }
                3 => {
                    let text = self.one_of(&["a", "../a", "../../out/x", "/", "none", "c/b.txt"]);
                    make(folder, &[&format!("{name} -> {text}")]);
                }
                4 if names => match files.first() {
                    Some(first) => std::fs::hard_link(first, &path).expect("a second name"),
                    None => make(folder, &[&format!("{name} |")]),
                },
                5 | 6 if depth > 0 => {
                    std::fs::create_dir(&path).expect("a folder");
                    self.grow(&path, depth - 1, names);
                }
                _ => {}
            }
        }
    }
}

/// So many pairs, or as `LINKWELL_TEST_MERGES` says.
fn many(few: u64) -> u64 {
    let asked = std::env::var("LINKWELL_TEST_MERGES").ok();
    asked.and_then(|asked| asked.parse().ok()).unwrap_or(few)
}

fn generated(across: bool) {
    let (mut merged, mut refused) = (0, 0);
    for seed in 1..=many(if across { 40 } else { 150 }) {
        let two = Two::new(across);
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        make(&two.here.path(), &["out/x"]);
        dice.grow(&two.from(), 3, !across);
        dice.grow(&two.to(), 3, !across);
        let (here, there) = (things(&two.from()), things(&two.to()));
        let clash = here.iter().any(|(below, thing)| {
            let other = there.get(below);
            *thing == Thing::Folder && other.is_some_and(|other| *other != Thing::Folder)
        });
        let more: &[&str] = if dice.roll(2) == 0 { &[] } else { &["--free"] };
        if clash {
            let before = two.listings();
            let ran = two.merge(more);
            assert_eq!((ran.code, two.listings()), (1, before), "{seed}: {ran:?}");
            refused += 1;
        } else {
            there_and_back(&two, more, &format!("seed {seed}"));
            merged += 1;
        }
    }
    println!("{merged} merged and taken back, {refused} refused");
    assert!(merged > refused);
}

/// What people do by hand, judged by the same eyes.
fn control() {
    let mut lost = 0;
    for seed in 1..=20_u64 {
        let two = Two::new(false);
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        dice.grow(&two.from(), 3, true);
        dice.grow(&two.to(), 3, true);
        let (here, there) = (things(&two.from()), things(&two.to()));
        let line = "cp -an here/. there/ 2>/dev/null; rm -rf here; ln -s there here";
        let mut command = program::command("/bin/sh", &two.here.path());
        command.args(["-c", line]).output().expect("a shell can be started");
        lost += usize::from(!wrongs(&two, &here, &there, false).is_empty());
    }
    println!("{lost} of 20 lost something");
    assert!(lost > 5);
}

/// Two trees on two volumes, to be made one.
fn two_drives() -> (Ground, Scratch) {
    let ground = Ground::with(&["here/x", "here/only/f", "here/only/l -> ../../out", "here/same"]);
    let drive = Scratch::in_memory();
    make(&ground.tree(), &["here/both/new", "out"]);
    make(&drive.path(), &["there/x -> gone", "there/both/own"]);
    write(&ground.tree().join("here/same"), "same");
    write(&drive.join("there/same"), "same");
    (ground, drive)
}

/// Killed at some calls (all of them with `LINKWELL_TEST_KILLS=all`), and recovered: both are as before, or
/// are one.
fn killed_across(more: &[&str]) {
    let command = |drive: &Scratch| {
        let to = drive.join("there").to_str().expect("a plain path").to_owned();
        let fixed = ["move", "-y", "--merge"].iter().chain(more).chain(&["here"]);
        fixed.map(|word| (*word).to_owned()).chain([to]).collect::<Vec<String>>()
    };
    let all = std::env::var_os("LINKWELL_TEST_KILLS").is_some_and(|value| value == "all");
    let (ground, drive) = two_drives();
    let words = command(&drive);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (ran, points) = crate::kill::probe(&ground, &words);
    assert_eq!(ran.code, 0, "{ran:?}");
    let goal = things(&drive.join("there"));
    let (mut kills, mut unfinished, mut merged) = (0, 0, 0);
    for (call, numbers) in points {
        let often = matches!(call.as_str(), "unlinkat" | "renameat2" | "symlinkat");
        for (at, number) in numbers.into_iter().enumerate() {
            if !(all || often || at % 4 == 0) {
                continue;
            }
            let (ground, drive) = two_drives();
            let look = || (listing(&ground.tree()), listing(&drive.path()));
            let before = look();
            let words = command(&drive);
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let what = format!("{more:?}, killed at {call} {number}");
            kills += usize::from(crate::kill::killed(&ground, &call, number, &words));
            unfinished += usize::from(crate::kill::is_unfinished(&ground));
            let recover = ground.run(&["recover", "-y"]);
            assert_eq!(recover.code, 0, "{what}: {recover:?}");
            let now = look();
            let strays = format!("{}{}", now.0, now.1).contains(".linkwell-");
            assert!(!strays, "{what}: {recover:?}: {now:?}");
            if now == before {
                continue;
            }
            merged += 1;
            let there = things(&drive.join("there"));
            let text = |things: &Things| {
                // The links are written from where the ground lies.
                let plain = things.iter().filter(|(_, thing)| !matches!(thing, Thing::Link(_)));
                format!("{:?}", plain.collect::<Vec<_>>())
            };
            assert_eq!(text(&there), text(&goal), "{what}: {recover:?}");
            let undo = ground.run(&["undo", "-y"]);
            assert_eq!((undo.code, look()), (0, before), "{what}: {undo:?}");
        }
    }
    println!("killed {kills} times: {unfinished} unfinished, {merged} merged in the end");
    assert!(unfinished > 10 && merged > 0);
}

/// Runs a script with mounts of its own; `run` tells the code.
fn apart(ground: &Ground, script: &str) -> Ran {
    let mut command = std::process::Command::new("unshare");
    let script = format!("run() {{ \"$L\" \"$@\" 2>&1; echo \"= $?\"; }}\n{script}");
    command.args(["-m", "--propagation", "private", "sh", "-c", &script]);
    command
        .current_dir(ground.tree())
        .env("L", LINKWELL)
        .env("HOME", ground.scratch().join("home"))
        .env("XDG_STATE_HOME", ground.scratch().join("state"));
    command.output().expect("unshare can be started").into()
}

fn full() {
    let ground = Ground::with(&["here/a/", "here/b/", "small/"]);
    for folder in ["a", "b"] {
        for number in 0..10 {
            let path = ground.tree().join(format!("here/{folder}/{number}"));
            std::fs::write(path, vec![1; 10_000]).expect("a file");
        }
    }
    let before = ground.listing();
    let ran = apart(
        &ground,
        "mount -t tmpfs -o size=160k none small; mkdir small/there; echo own >small/there/own
        run move -y --merge here small/there; find small -mindepth 1 | sort
        mount -o remount,size=1m small; run move -y --merge here small/there; find here/ | wc -l
        run undo -y; find small -mindepth 1 | sort; umount small",
    );
    assert_eq!(
        ran.out.matches("small/there\nsmall/there/own\n").count(),
        2,
        "nothing half done is left: {ran:?}"
    );
    let codes: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("= ")).collect();
    assert_eq!(codes, ["= 1", "= 0", "= 0"], "{ran:?}");
    assert_eq!(ground.listing(), before, "{ran:?}");
}

fn mounted() {
    let ground = Ground::with(&["here/a/x", "here/m/", "there/m/", "there/y"]);
    let before = ground.listing();
    let ran = apart(
        &ground,
        "mount -t tmpfs none here/m; echo x >here/m/f
        run move -y --merge here there; cat here/m/f; umount here/m
        mount -t tmpfs none there/m; run move -y --merge here there; umount there/m",
    );
    assert_eq!(ran.out.matches("= 1\n").count(), 2, "{ran:?}");
    assert!(ran.out.contains("\nx\n"), "{ran:?}");
    assert_eq!(ground.listing(), before, "{ran:?}");
}
