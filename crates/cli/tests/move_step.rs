//! Somebody changes, swaps, plants and takes while something is moved: behind every call that the move
//! makes, one run a call. Each attack must harm the same move done by paths, or it proves nothing.
//! `LINKWELL_TEST_LONG=1` takes every point; else some of each attack.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a test is the attacker, and says what it counted"
)]

use crate::move_field::{Field, Point, Program, points, seen, stopped};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::volume::alone;
use rustix::fs::{CWD, RenameFlags};
use rustix::mount::{UnmountFlags, mount_bind, unmount};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{lchown, symlink};
use std::path::{Path, PathBuf};

/// What is typed to move, and what before.
struct Way {
    name: &'static str,
    across: bool,
    /// What was done before, while nobody was near.
    before: &'static [&'static [&'static str]],
    typed: &'static [&'static str],
    /// The same, done by paths.
    naive: &'static str,
    /// Where the thing stands: `a/p/d`, or `@/d` there.
    at_home: bool,
}

const OUT: &str = "cat a/p/d/f; cp -a a/p/d @/d && mv a/p/d a/p/.linkwell-n && ln -s @/d a/p/d; \
                   for f in $(find a/p/.linkwell-n -type f); do rm -f $f; done; rm -rf a/p/.linkwell-n";
const HOME: &str = "cp -a @/d a/p/n && rm a/p/d && mv a/p/n a/p/d && mv @/d @/.linkwell-n; \
                    for f in $(find @/.linkwell-n -type f); do rm -f $f; done; rm -rf @/.linkwell-n";
const GO: &[&str] = &["move", "-y", "--no-refs", "a/p/d", "@/d"];
const BACK: &[&str] = &["move", "-y", "--no-refs", "--back", "a/p/d"];

const WAYS: [Way; 6] = [
    Way { name: "across", across: true, before: &[], typed: GO, naive: OUT, at_home: true },
    Way { name: "within", across: false, before: &[], typed: GO, naive: OUT, at_home: true },
    Way {
        name: "--back across",
        across: true,
        before: &[GO],
        typed: BACK,
        naive: HOME,
        at_home: false,
    },
    Way {
        name: "--back within",
        across: false,
        before: &[GO],
        typed: BACK,
        naive: HOME,
        at_home: false,
    },
    Way {
        name: "undo across",
        across: true,
        before: &[GO],
        typed: &["undo", "-y"],
        naive: HOME,
        at_home: false,
    },
    Way {
        name: "undo within",
        across: false,
        before: &[GO],
        typed: &["undo", "-y"],
        naive: HOME,
        at_home: false,
    },
];

/// What somebody does at one moment.
struct Attack {
    name: &'static str,
    act: fn(&Scene<'_>) -> std::io::Result<()>,
    /// Behind which calls only it can come to pass; none are named where it can behind any.
    behind: &'static [&'static str],
    /// What puts the folders right again before anybody looks.
    heal: fn(&Scene<'_>),
    /// What it overwrites or removes: nobody need keep that.
    spends: &'static [&'static str],
    /// What must be seen at the old path in the end, whatever the program did: the tree, changed so.
    /// None where the name itself was taken.
    leaves: Option<fn(&mut Tree)>,
    /// What somebody writes when all is over, to what they had opened: it must be somewhere.
    owes: Option<&'static str>,
    /// Whether the same move by paths must be harmed: not where even it is safe.
    control: bool,
}

/// Whether what was written in the end is anywhere.
fn is_kept(late: Option<&str>, all: &BTreeSet<Vec<u8>>) -> bool {
    late.is_none_or(|late| all.iter().any(|bytes| bytes.ends_with(late.as_bytes())))
}

type Tree = BTreeMap<Vec<u8>, String>;

/// One moment in one way.
struct Scene<'s> {
    field: &'s Field,
    way: &'s Way,
    /// What somebody holds open, to write to it in the end. Of this scene: others are played beside it.
    writer: RefCell<Option<fs::File>>,
}

impl<'s> Scene<'s> {
    fn new(field: &'s Field, way: &'s Way) -> Self {
        Self { field, way, writer: RefCell::default() }
    }

    /// Writes what is owed, if somebody came so far.
    fn write_late(&self, attack: &Attack) -> Option<&'static str> {
        let mut writer = self.writer.take()?;
        writer.write_all(attack.owes?.as_bytes()).expect("acknowledged");
        attack.owes
    }

    /// What is moved.
    fn from(&self) -> PathBuf {
        if self.way.at_home { self.field.at("a/p/d") } else { self.field.there().join("d") }
    }

    /// A name beside it, for something to be swapped with.
    fn beside(&self) -> PathBuf {
        self.from().with_file_name("e.link")
    }

    /// What was not freed yet of the original, and its copy, once it has its name.
    fn twice(&self) -> std::io::Result<(PathBuf, PathBuf)> {
        let real = |path: &Path| fs::symlink_metadata(path).is_ok_and(|status| status.is_dir());
        let original =
            Ok(self.from()).and_then(|from| if real(&from) { Ok(from) } else { self.aside() });
        let other =
            if self.way.at_home { self.field.there().join("d") } else { self.field.at("a/p/d") };
        match original {
            Ok(original) if real(&other) && original.join("sub/g").is_file() => {
                Ok((original, other))
            }
            _ => Err(std::io::ErrorKind::NotFound.into()),
        }
    }

    /// By the path that people use, link or not.
    fn path(&self, below: &str) -> PathBuf {
        self.field.at("a/p/d").join(below)
    }

    /// What was set aside, if something is.
    fn aside(&self) -> std::io::Result<PathBuf> {
        let folder = if self.way.at_home { self.field.at("a/p") } else { self.field.there() };
        for entry in fs::read_dir(folder)?.flatten() {
            let own = entry.file_name().to_string_lossy().starts_with(".linkwell-");
            let path = entry.path();
            if own && (path.join("f").is_file() || path.join("sub").is_dir()) {
                return Ok(entry.path());
            }
        }
        Err(std::io::ErrorKind::NotFound.into())
    }
}

fn swap(one: &Path, other: &Path) -> std::io::Result<()> {
    rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?;
    Ok(())
}

/// The first is a folder again, if it is not.
fn straight(folder: &Path, link: &Path) {
    if fs::symlink_metadata(folder).is_ok_and(|status| status.is_symlink()) {
        swap(folder, link).expect("a swap");
    }
}

fn theirs(target: &Path, link: &Path) -> std::io::Result<()> {
    symlink(target, link)?;
    lchown(link, Some(65534), Some(65534))
}

fn nothing(_: &Scene<'_>) {}

fn same(_: &mut Tree) {}

fn file(text: &str) -> String {
    format!("Ok({text:?})")
}

const ATTACKS: &[Attack] = &[
    Attack {
        name: "the folder that it is in is swapped for a link",
        act: |scene| swap(&scene.field.at("a/p"), &scene.field.at("a/q")),
        behind: &[],
        heal: |scene| straight(&scene.field.at("a/p"), &scene.field.at("a/q")),
        spends: &[],
        leaves: Some(same),
        owes: None,
        control: true,
    },
    Attack {
        name: "the folder that it goes to is swapped for a link",
        act: |scene| swap(&scene.field.there(), &scene.field.there_beside()),
        behind: &[],
        heal: |scene| straight(&scene.field.there(), &scene.field.there_beside()),
        spends: &[],
        leaves: Some(same),
        owes: None,
        control: true,
    },
    Attack {
        name: "a folder in it is swapped for a link",
        act: |scene| {
            let link = scene.beside();
            theirs(&scene.field.canary.join("sub"), &link)?;
            swap(&scene.from().join("sub"), &link)
        },
        behind: &[],
        heal: nothing,
        spends: &[],
        leaves: None,
        owes: None,
        control: false,
    },
    Attack {
        name: "a file in it is swapped for a link",
        act: |scene| {
            let link = scene.beside();
            theirs(&scene.field.canary.join("f"), &link)?;
            swap(&scene.from().join("f"), &link)
        },
        behind: &[],
        heal: nothing,
        spends: &[],
        leaves: None,
        owes: None,
        control: false,
    },
    Attack {
        name: "it is swapped for a link",
        act: |scene| {
            let link = scene.beside();
            theirs(&scene.field.canary.join("d"), &link)?;
            swap(&scene.from(), &link)
        },
        behind: &[],
        heal: nothing,
        spends: &[],
        leaves: None,
        owes: None,
        control: false,
    },
    Attack {
        name: "a file in it grows",
        act: |scene| {
            let file = fs::OpenOptions::new().append(true).open(scene.path("sub/g"))?;
            (&file).write_all(b" and more")
        },
        behind: &[],
        heal: nothing,
        spends: &["a/p/d/sub/g"],
        leaves: Some(|tree| drop(tree.insert(b"sub/g".into(), file("a/p/d/sub/g and more")))),
        owes: None,
        control: true,
    },
    Attack {
        name: "a file in it is replaced, as long and as old",
        act: |scene| {
            let (path, new) = (scene.path("sub/g"), scene.path("sub/.g"));
            let status = fs::metadata(&path)?;
            fs::write(&new, b"A/P/D/SUB/G")?;
            fs::File::options().write(true).open(&new)?.set_modified(status.modified()?)?;
            fs::rename(&new, path)
        },
        behind: &[],
        heal: nothing,
        spends: &["a/p/d/sub/g"],
        leaves: Some(|tree| drop(tree.insert(b"sub/g".into(), file("A/P/D/SUB/G")))),
        owes: None,
        control: true,
    },
    Attack {
        name: "a file in it is written over, as long and as old",
        act: |scene| {
            let path = scene.path("f");
            let modified = fs::metadata(&path)?.modified()?;
            let file = fs::File::options().write(true).open(&path)?;
            (&file).write_all(b"A/P/D/F")?;
            file.set_modified(modified)
        },
        behind: &[],
        heal: nothing,
        spends: &["a/p/d/f"],
        leaves: Some(|tree| drop(tree.insert(b"f".into(), file("A/P/D/F")))),
        owes: None,
        control: true,
    },
    Attack {
        name: "a file appears in it",
        act: |scene| fs::write(scene.path("sub/new one"), b"new"),
        behind: &[],
        heal: nothing,
        spends: &[],
        leaves: Some(|tree| drop(tree.insert(b"sub/new one".into(), file("new")))),
        owes: None,
        control: true,
    },
    Attack {
        name: "a file vanishes from it",
        act: |scene| fs::remove_file(scene.path("sub/g")),
        behind: &[],
        heal: nothing,
        spends: &["a/p/d/sub/g"],
        leaves: Some(|tree| drop(tree.remove(b"sub/g".as_slice()))),
        owes: None,
        control: true,
    },
    Attack {
        name: "a link in it gets another text",
        act: |scene| {
            let (link, new) = (scene.path("l"), scene.path("n"));
            symlink("sub/g", &new)?;
            fs::rename(new, link)
        },
        behind: &[],
        heal: nothing,
        spends: &[],
        leaves: Some(|tree| drop(tree.insert(b"l".into(), "Ok(\"sub/g\")".into()))),
        owes: None,
        control: true,
    },
    Attack {
        name: "what is set aside gets a file, a link, and another content",
        act: |scene| {
            let aside = scene.aside()?;
            fs::write(aside.join("late"), b"late")?;
            theirs(&scene.field.canary, &aside.join("trap"))?;
            if aside.join("sub").is_dir() {
                fs::write(aside.join("sub/late"), b"later")?;
            }
            fs::write(aside.join("f"), b"somebody's last words")
        },
        behind: &["unlinkat", "renameat2", "fsync"],
        heal: nothing,
        spends: &["a/p/d/f"],
        leaves: None,
        owes: None,
        control: true,
    },
    Attack {
        name: "a folder in what is set aside is swapped for a link",
        act: |scene| {
            let (aside, link) = (scene.aside()?, scene.beside());
            fs::write(aside.join("sub/late"), b"later")?;
            theirs(&scene.field.canary.join("sub"), &link)?;
            swap(&aside.join("sub"), &link)
        },
        behind: &["unlinkat", "renameat2", "fsync"],
        heal: nothing,
        spends: &[],
        leaves: None,
        owes: None,
        control: false,
    },
    Attack {
        name: "a file in it is opened by another way, and written to in the end",
        act: |scene| {
            let from = scene.from();
            let real = fs::symlink_metadata(&from).is_ok_and(|status| status.is_dir());
            let from = if real { from } else { scene.aside()? };
            // No path of the original is to be seen in /proc then.
            let other = scene.field.ground.scratch().join("alias");
            fs::create_dir_all(&other)?;
            mount_bind(&from, &other)?;
            let file = fs::OpenOptions::new().append(true).open(other.join("sub/g"));
            unmount(&other, UnmountFlags::DETACH)?;
            scene.writer.replace(Some(file?));
            Ok(())
        },
        behind: &[],
        heal: nothing,
        spends: &["a/p/d/sub/g"],
        leaves: None,
        owes: Some(" and late"),
        control: true,
    },
    Attack {
        name: "a file of the copy is removed",
        act: |scene| fs::remove_file(scene.twice()?.1.join("sub/g")),
        behind: &["symlinkat", "renameat2", "fsync", "syncfs", "unlinkat"],
        heal: nothing,
        spends: &[],
        leaves: None,
        owes: None,
        control: true,
    },
    Attack {
        name: "the copy is removed",
        act: |scene| fs::remove_dir_all(scene.twice()?.1.join("sub")),
        behind: &["symlinkat", "renameat2", "fsync", "syncfs", "unlinkat"],
        heal: nothing,
        spends: &[],
        leaves: None,
        owes: None,
        control: true,
    },
    Attack {
        name: "the new name is taken by a file",
        act: |scene| {
            let name = scene.field.there().join("d");
            let name = if scene.way.at_home { name } else { scene.field.at("a/p/d") };
            if !scene.way.at_home {
                fs::remove_file(&name)?;
            }
            let mut file = fs::File::options().write(true).create_new(true).open(name)?;
            file.write_all(b"somebody's")
        },
        behind: &[],
        heal: nothing,
        spends: &[],
        leaves: None,
        owes: None,
        control: false,
    },
    Attack {
        name: "the new name is taken by a link",
        act: |scene| {
            if !scene.way.at_home {
                fs::remove_file(scene.field.at("a/p/d"))?;
                return theirs(&scene.field.canary, &scene.field.at("a/p/d"));
            }
            theirs(&scene.field.canary, &scene.field.there().join("d"))
        },
        behind: &[],
        heal: nothing,
        spends: &[],
        leaves: None,
        owes: None,
        control: true,
    },
];

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for way in &WAYS {
        let needs = [Need::Root, Need::Program("strace")];
        let name = format!("move step: {}, in every window", way.name);
        trials.push(test_with(&name, &needs, move || alone(|| sweep(way))));
    }
    for (naive, way) in [("there", 0), ("home", 2)] {
        let Some(way) = WAYS.get(way) else { continue };
        let needs = [Need::Root, Need::Program("strace")];
        let name = format!("move step: by paths, {naive}, every attack harms");
        trials.push(test_with(&name, &needs, move || alone(|| control(way))));
    }
    trials
}

fn all() -> bool {
    std::env::var_os("LINKWELL_TEST_LONG").is_some()
}

fn ready(way: &Way) -> Field {
    let field = Field::new(way.across);
    for command in way.before {
        let ran = field.run(command);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    field
}

/// Where a way can be stopped.
fn windows(way: &Way, program: &Program<'_>) -> Vec<Point> {
    let top = if way.at_home { "a/p/d" } else { "a/p/d/" };
    let mut found = points(&ready(way), top, program, false);
    found.extend(points(&ready(way), top, program, true));
    found
}

fn sweep(way: &Way) {
    let program = Program::Linkwell(way.typed);
    let windows = windows(way, &program);
    assert!(windows.len() > 20, "{}: too little was seen: {windows:?}", way.name);
    let count = if way.name == "across" { 7 } else { 4 };
    for (number, attack) in ATTACKS.iter().enumerate() {
        let can = |point: &&Point| {
            attack.behind.is_empty() || !point.near && attack.behind.contains(&point.call.as_str())
        };
        let windows: Vec<&Point> = windows.iter().filter(can).collect();
        // So that the attacks together meet all windows. Where it can seldom come to pass, all are tried.
        let narrow = all() || !attack.behind.is_empty();
        let every = if narrow { 1 } else { windows.len().div_ceil(count).max(1) };
        let some = windows.into_iter().skip(number % every).step_by(every);
        let (mut acted, mut done, mut refused) = (0, 0, 0);
        for point in some {
            let (ended, met) = attacked(way, attack, &program, point);
            if !met {
                continue;
            }
            acted += 1;
            done += usize::from(ended == 0);
            refused += usize::from(ended != 0);
        }
        println!(
            "move step: {}, {}: {acted} times; {done} done, {refused} not",
            way.name, attack.name
        );
    }
}

/// One run, attacked at one point; its end, and whether the attack came to pass.
fn attacked(way: &Way, attack: &Attack, program: &Program<'_>, point: &Point) -> (i32, bool) {
    let field = ready(way);
    let scene = Scene::new(&field, way);
    let what = format!("{}, {}, behind {point:?}", way.name, attack.name);
    let mut tree = seen(&field.at("a/p/d"));
    let (mut bytes, mut acted) = (field.bytes(), false);
    let ran = stopped(&field, "a/p/d", program, point, || {
        acted = act(&scene, attack, &mut bytes);
        acted
    });
    (attack.heal)(&scene);
    let mut said = vec![ran];
    verdict(&scene, attack, &what, &mut said, &bytes);
    if let Some(leaves) = attack.leaves {
        if acted {
            leaves(&mut tree);
        }
        let now = seen(&field.at("a/p/d"));
        assert_eq!(now, tree, "{what}: not what is to be seen there: {said:#?}");
    }
    (said.first().map_or(0, |ran| ran.code), acted)
}

/// Acts; `bytes`, which must be kept, are from now on what was written, too, and not what was overwritten.
fn act(scene: &Scene<'_>, attack: &Attack, bytes: &mut BTreeSet<Vec<u8>>) -> bool {
    let before = scene.field.bytes();
    if (attack.act)(scene).is_err() {
        return false;
    }
    bytes.extend(scene.field.bytes().difference(&before).cloned());
    bytes.retain(|bytes| !attack.spends.iter().any(|spent| spent.as_bytes() == bytes));
    true
}

/// What holds whatever was done.
fn verdict(
    scene: &Scene<'_>,
    attack: &Attack,
    what: &str,
    said: &mut Vec<Ran>,
    bytes: &BTreeSet<Vec<u8>>,
) {
    let field = scene.field;
    let ran = said.first().expect("one run");
    assert!(!ran.err.contains("panicked") && [0, 1, 3, 4].contains(&ran.code), "{what}: {ran:?}");
    assert!(ran.code == 0 || ran.err.contains("error: "), "{what}: without a word: {ran:?}");
    field.outside(what);
    if ran.code == 4 {
        let ran = field.ground.run(&["recover", "-y"]);
        (attack.heal)(scene);
        field.outside(what);
        said.push(ran);
    }
    let late = scene.write_late(attack);
    let now = field.bytes();
    let lost: Vec<String> =
        bytes.difference(&now).map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
    assert!(lost.is_empty(), "{what}: lost: {lost:?}: {said:#?}");
    assert!(is_kept(late, &now), "{what}: lost what was written in the end: {said:#?}");
    for stray in field.strays() {
        let told = said.iter().any(|ran| ran.err.contains(&stray) || ran.out.contains(&stray));
        assert!(told, "{what}: left, and not a word: {stray}: {said:#?}");
    }
}

/// The same attacks on the same move by paths: each must do harm somewhere.
fn control(way: &Way) {
    let program = Program::Shell(way.naive);
    let windows = windows(way, &program);
    // At home there is a link, and what `mv` puts in its place is a copy: some traps are for the other way.
    let spared = ["taken", "it is swapped"];
    let here = |attack: &&Attack| {
        attack.control && (way.at_home || !spared.iter().any(|word| attack.name.contains(word)))
    };
    for attack in ATTACKS.iter().filter(here) {
        let harmed = windows.iter().any(|point| {
            let field = ready(way);
            let scene = Scene::new(&field, way);
            let mut tree = seen(&field.at("a/p/d"));
            let mut bytes = field.bytes();
            let mut acted = false;
            stopped(&field, "a/p/d", &program, point, || {
                acted = act(&scene, attack, &mut bytes);
                acted
            });
            (attack.heal)(&scene);
            let late = scene.write_late(attack);
            let outside =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| field.outside("")));
            let now = field.bytes();
            let lost = bytes.difference(&now).next().is_some() || !is_kept(late, &now);
            let other = attack.leaves.is_some_and(|leaves| {
                leaves(&mut tree);
                seen(&field.at("a/p/d")) != tree
            });
            acted && (outside.is_err() || lost || other)
        });
        assert!(harmed, "by paths, {}: {} harms nobody", way.name, attack.name);
    }
}
