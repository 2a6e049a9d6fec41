//! The resolver against the kernel: the same random paths in the same random trees.

use crate::forest::Grown;
use crate::support::{Child, Random, fail, path, shown, systems, volumes};
use libtest_mimic::Trial;
use linkwell_engine::folder::Folder;
use linkwell_engine::live::Live;
use linkwell_engine::system::System;
use linkwell_engine::volumes::Volumes;
use linkwell_model::chain::{Chain, Destination, End, MOST_HOPS, resolve};
use linkwell_model::entry::EntryKind;
use linkwell_model::path::AbsPath;
use linkwell_testkit::need::test;
use linkwell_testkit::tree::{Scratch, make};
use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const PIECES: &[crate::support::Piece] =
    &[("oracle::denied", denied), ("oracle::each_denial", each_denial)];

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("oracle: 100,000 random paths lead where the kernel says", || agree(340, 300, false)),
        test("oracle: a resolver that takes `..` as text is found out", textual_is_found_out),
        test("oracle: 40 hops are passed and 41 are not", forty),
        test("oracle: without rights, refusals are the kernel's", || {
            let said = Child::unprivileged("oracle::denied").run();
            assert!(said.contains("compared"), "{said}");
        }),
        test("oracle: `d/.`, `d/..` and `d/` of a folder that may not be searched", || {
            let said = Child::unprivileged("oracle::each_denial").run();
            assert!(said.contains("compared 22"), "{said}");
        }),
    ]
}

/// What following a path comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Answer {
    Found(u64, u64),
    Missing,
    NotADirectory,
    Loop,
    Denied,
    Other(i32),
}

impl Answer {
    fn word(self) -> &'static str {
        match self {
            Self::Found(..) => "found",
            Self::Missing => "missing",
            Self::NotADirectory => "not_a_directory",
            Self::Loop => "loop",
            Self::Denied => "denied",
            Self::Other(_) => "other",
        }
    }
}

fn asked(at: BorrowedFd<'_>, typed: &[u8], flags: AtFlags) -> Result<(Answer, FileType), Answer> {
    match rustix::fs::statat(at, path(typed), flags) {
        Ok(stat) => {
            Ok((Answer::Found(stat.st_dev, stat.st_ino), FileType::from_raw_mode(stat.st_mode)))
        }
        Err(Errno::NOENT | Errno::NAMETOOLONG) => Err(Answer::Missing),
        Err(Errno::NOTDIR) => Err(Answer::NotADirectory),
        Err(Errno::LOOP) => Err(Answer::Loop),
        Err(Errno::ACCESS) => Err(Answer::Denied),
        Err(other) => Err(Answer::Other(other.raw_os_error())),
    }
}

fn kernel(at: BorrowedFd<'_>, typed: &[u8]) -> Answer {
    asked(at, typed, AtFlags::empty()).map_or_else(|error| error, |(answer, _)| answer)
}

/// What the chain says, where it says `found` checked by looking at the place it names.
fn resolver(chain: &Chain<Arc<Folder>>, place: &AbsPath) -> Answer {
    match &chain.end {
        End::Found(destination) => match asked(CWD, place.as_bytes(), AtFlags::SYMLINK_NOFOLLOW) {
            Ok((answer, file_type)) => {
                let folder = matches!(destination, Destination::Folder(_));
                assert_eq!(folder, file_type == FileType::Directory, "the kind at {place:?}");
                let fifo = matches!(destination, Destination::Other(EntryKind::Fifo));
                assert_eq!(fifo, file_type == FileType::Fifo, "the kind at {place:?}");
                answer
            }
            Err(error) => fail(&format!("the chain ends at {place:?}, which is {error:?}")),
        },
        End::Missing => Answer::Missing,
        End::NotADirectory(_) => Answer::NotADirectory,
        End::Loop | End::TooManyHops => Answer::Loop,
        End::Denied => Answer::Denied,
        End::Unavailable => Answer::Other(0),
    }
}

fn open_folder(place: &[u8]) -> Option<rustix::fd::OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, path(place), flags, Mode::empty()).ok()
}

/// Compares one path; returns what both sides said.
fn compare(live: &mut Live, start: &[u8], typed: &[u8], told: &dyn Fn() -> String) -> Answer {
    let held = open_folder(start).expect("the folder to start from");
    let place = AbsPath::cleaned(start).expect("absolute");
    let wanted = kernel(held.as_fd(), typed);
    let chain = resolve(live, &Folder::of_place(&place), typed);
    let end_at = chain.end_at(live);
    let got = resolver(&chain, &end_at);
    if wanted != got {
        let hops: Vec<_> = chain.hops.iter().map(|hop| (shown(&hop.name), &hop.target)).collect();
        fail(&format!(
            "{}\nfrom {} the path {}\nkernel {wanted:?}, resolver {got:?} at {end_at:?} after {} \
             hops {hops:?} ({:?})",
            told(),
            shown(start),
            shown(typed),
            hops.len(),
            live.system(),
        ));
    }
    assert!(chain.hops.len() <= MOST_HOPS, "{}: {} hops", shown(typed), chain.hops.len());
    wanted
}

fn memory_of_systems() -> Vec<(System, Arc<Volumes>)> {
    systems().into_iter().map(|system| (system, volumes(system, Duration::from_secs(5)))).collect()
}

/// Compares `paths` random paths in each of `trees` random trees.
fn agree(trees: u64, paths: usize, without_rights: bool) {
    let systems = memory_of_systems();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut compared = 0_usize;
    for seed in 0..trees {
        let mut random = Random::new(seed);
        let size = 40 + random.below(41);
        let grown = Grown::new(&mut random, size);
        let locked = without_rights.then(|| Locked::new(&mut random, &grown));
        let told = || format!("seed {seed}\n{}{}", grown.told(), locked_told(locked.as_ref()));
        let mut lives: Vec<Live> = systems
            .iter()
            .map(|(system, volumes)| Live::new(*system, Arc::clone(volumes)))
            .collect();
        let starts: Vec<&Vec<u8>> = grown
            .folders
            .iter()
            .filter(|folder| open_folder(&grown.full(folder)).is_some())
            .collect();
        for number in 0..paths {
            let from = if random.percent(40) { &grown.folders[0] } else { *random.pick(&starts) };
            let typed = if number == 0 { Vec::new() } else { grown.text(&mut random, from) };
            let start = grown.full(from);
            if number % 50 == 49 {
                lives.iter_mut().for_each(Live::forget);
            }
            for live in &mut lives {
                let answer = compare(live, &start, &typed, &told);
                *counts.entry(answer.word()).or_default() += 1;
            }
            compared += 1;
        }
    }
    println!("oracle: compared {compared} paths in {trees} trees, both ways: {counts:?}");
    let least = if without_rights { 500 } else { 1000 };
    let mut words = vec!["found", "missing", "not_a_directory", "loop"];
    words.extend(without_rights.then_some("denied"));
    for word in words {
        let count = counts.get(word).copied().unwrap_or_default();
        assert!(count >= least, "only {count} were {word}: the trees are too dull");
    }
    assert!(without_rights || compared >= 100_000, "only {compared}");
    assert!(!counts.contains_key("other"), "{counts:?}");
}

/// What a path library does, `a/../b` = `b`, must show in these trees, or they prove nothing.
fn textual_is_found_out() {
    let systems = memory_of_systems();
    let (mut wrong, mut compared) = (0, 0);
    for seed in 0..40 {
        let mut random = Random::new(seed);
        let grown = Grown::new(&mut random, 60);
        let top = grown.full(b"");
        let held = open_folder(&top).expect("the top");
        let (system, volumes) = &systems[0];
        let mut live = Live::new(*system, Arc::clone(volumes));
        for _ in 0..100 {
            let typed = grown.text(&mut random, b"");
            let mut cleaned = AbsPath::cleaned(&top).expect("absolute");
            if typed.first() == Some(&b'/') {
                cleaned = AbsPath::root();
            }
            cleaned.extend_as_text(&typed);
            let chain = resolve(&mut live, &Folder::root(), cleaned.as_bytes());
            let end_at = chain.end_at(&live);
            compared += 1;
            wrong += usize::from(resolver(&chain, &end_at) != kernel(held.as_fd(), &typed));
        }
    }
    assert!(wrong > 100, "only {wrong} of {compared} differ");
    println!("oracle: {wrong} of {compared} wrong when `..` is taken as text");
}

fn forty() {
    let scratch = Scratch::with(&["end", "d/f"]);
    let mut text: Vec<u8> = b"end".to_vec();
    for number in 1..=43 {
        let name = format!("l{number}");
        std::os::unix::fs::symlink(path(&text), scratch.join(&name)).expect("a link");
        text = name.into_bytes();
    }
    make(&scratch.path(), &["x -> x/y", "s -> s", "bomb0 -> .", "here -> ."]);
    for number in 1..=30 {
        let before = format!("bomb{}", number - 1);
        let target = format!("{before}/{before}");
        std::os::unix::fs::symlink(target, scratch.join(format!("bomb{number}"))).expect("a link");
    }
    let start = scratch.path().as_os_str().as_bytes().to_vec();
    let held = open_folder(&start).expect("the folder");
    let told = || "forty".to_owned();
    for (system, volumes) in memory_of_systems() {
        let mut live = Live::new(system, volumes);
        for (name, found) in [
            ("l39", true),
            ("l40", true),
            ("l41", false),
            ("x", false),
            ("s", false),
            ("bomb30", false),
        ] {
            let answer = compare(&mut live, &start, name.as_bytes(), &told);
            assert_eq!(answer == kernel(held.as_fd(), b"end"), found, "{name}");
            assert_eq!(answer == Answer::Loop, !found, "{name}");
        }
        for count in [40, 41] {
            let typed = vec![&b"here"[..]; count].join(&b'/');
            let answer = compare(&mut live, &start, &typed, &told);
            assert_eq!(answer == Answer::Loop, count == 41, "{count} times here");
        }
        // `x -> x/y` is known for a loop at once, not after 40 hops.
        let place = AbsPath::cleaned(&start).expect("absolute");
        let chain = resolve(&mut live, &Folder::of_place(&place), b"x");
        assert_eq!((chain.end, chain.hops.len()), (End::Loop, 1));
    }
}

/// Folders whose rights were taken; they are given back at the end, so that all can be removed.
struct Locked {
    folders: Vec<(Vec<u8>, u32)>,
}

impl Locked {
    fn new(random: &mut Random, grown: &Grown) -> Self {
        let mut folders = Vec::new();
        for folder in grown.folders.iter().skip(1) {
            if random.percent(35) {
                let mode = *random.pick(&[0o600, 0o400, 0o000, 0o200, 0o300, 0o100]);
                folders.push((grown.full(folder), mode));
            }
        }
        // From below, while the way there is still open.
        for (folder, mode) in folders.iter().rev() {
            rustix::fs::chmod(path(folder), Mode::from_raw_mode(*mode)).expect("chmod");
        }
        Self { folders }
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        for (folder, _) in &self.folders {
            rustix::fs::chmod(path(folder), Mode::RWXU).unwrap_or_default();
        }
    }
}

fn locked_told(locked: Option<&Locked>) -> String {
    let folders = locked.map(|locked| locked.folders.as_slice()).unwrap_or_default();
    folders.iter().map(|(folder, mode)| format!("  {mode:03o} {}\n", shown(folder))).collect()
}

fn denied() {
    assert!(!rustix::process::geteuid().is_root(), "root is refused nothing");
    agree(120, 200, true);
}

fn each_denial() {
    assert!(!rustix::process::geteuid().is_root(), "root is refused nothing");
    let scratch =
        Scratch::with(&["d/f", "d/e/g", "r/f", "l -> d", "m -> d/f", "n -> d/.", "o -> d/"]);
    let start = scratch.path().as_os_str().as_bytes().to_vec();
    let locked = Locked {
        folders: vec![([&start[..], b"/d"].concat(), 0o600), ([&start[..], b"/r"].concat(), 0o300)],
    };
    for (folder, mode) in &locked.folders {
        rustix::fs::chmod(path(folder), Mode::from_raw_mode(*mode)).expect("chmod");
    }
    let wanted = [
        ("d", false),
        ("d/", false),
        ("d//", false),
        ("d/.", true),
        ("d/..", true),
        ("d/../d", true),
        ("d/f", true),
        ("d/gone", true),
        ("d/f/", true),
        ("d/e/g", true),
        ("l", false),
        ("l/", false),
        ("l/.", true),
        ("l/..", true),
        ("m", true),
        ("n", true),
        ("o", false),
        ("o/", false),
        ("o/.", true),
        ("r/f", false),
        ("r/.", false),
        ("r/../d/.", true),
    ];
    let told = || "each denial".to_owned();
    let mut compared = 0;
    for (system, volumes) in memory_of_systems() {
        compared = 0;
        let mut live = Live::new(system, volumes);
        for (typed, refused) in wanted {
            let answer = compare(&mut live, &start, typed.as_bytes(), &told);
            assert_eq!(answer == Answer::Denied, refused, "{typed}");
            compared += 1;
        }
        // From inside the folder that may not be searched.
        let inside = [&start[..], b"/d"].concat();
        for typed in [".", "..", "f"] {
            let answer = compare(&mut live, &inside, typed.as_bytes(), &told);
            assert_eq!(answer, Answer::Denied, "{typed} from inside");
        }
    }
    println!("oracle: compared {compared} refusals, both ways");
}
