//! Random journals, and random paths through random trees against the kernel's own walk.
//!
//! A bounded number of rounds, the same each time; with `LINKWELL_FUZZ_SECONDS` set, for so long, with
//! other seeds. Random link texts through the resolver are in `oracle.rs`.

use crate::support::{Random, path, shown, systems};
use libtest_mimic::Trial;
use linkwell_engine::journal::record::{self, Operation};
use linkwell_engine::operator::{Held, Operator, Refusal};
use linkwell_engine::system::{Access, System};
use linkwell_model::path::AbsPath;
use linkwell_testkit::need::test;
use linkwell_testkit::tree::{Scratch, bytes};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("fuzz: damaged and forged journals are read to their sound end", journals),
        test("fuzz: typed paths lead where the kernel leads", paths),
    ]
}

/// Calls `round` with seeds: `few` of them, or as long as was asked for.
fn rounds(few: u64, mut round: impl FnMut(u64)) -> u64 {
    let seconds = std::env::var("LINKWELL_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let Some(seconds) = seconds else {
        (0..few).for_each(round);
        return few;
    };
    let (started, mut seed) = (Instant::now(), 1 << 32);
    while started.elapsed() < Duration::from_secs(seconds) {
        round(seed);
        seed += 1;
    }
    seed - (1 << 32)
}

/// The objects of a journal with all kinds of records in it.
const OBJECTS: [&str; 11] = [
    r#"{"operation":{"linkwell":1,"operation":1,"time":[1,2],"command":["create",{"base64":"/w=="}],"user":0,"token":"0123456789abcdef0123456789abcdef"}}"#,
    r#"{"folder":{"place":"/a","id":{"device":1,"inode":2,"born":[3,4]}}}"#,
    r#"{"folder":{"place":"/b","id":{"device":1,"inode":3}}}"#,
    r#"{"item":{"path":"a/l","steps":[{"put":{"at":{"folder":0,"name":"l"},"make":{"link":{"target":"f"}}}}]}}"#,
    r#"{"item":{"path":"a/h","steps":[{"put":{"at":{"folder":1,"name":"h"},"make":{"name":{"of":{"folder":0,"name":"f"},"id":{"device":1,"inode":9}}}}}]}}"#,
    r#"{"item":{"path":"a/g","steps":[{"remove":{"at":{"folder":0,"name":"g"},"old":{"folder":{"id":{"device":1,"inode":7}}},"fate":"freed"}}]}}"#,
    r#"{"ready":{"items":3}}"#,
    r#"{"did":{"step":0,"made":{"link":{"target":"f","id":{"device":1,"inode":5},"attributes":{"owner":0,"group":0,"accessed":[1,2],"modified":[1,2]}}}}}"#,
    r#"{"failed":{"item":1,"why":"because"}}"#,
    r#"{"freeing":{}}"#,
    r#"{"ended":{"how":"done","done":2,"kept":["/a/x"]}}"#,
];

/// What stands in a JSON text where something else might.
const OTHERS: [&str; 14] = [
    "0",
    "1",
    "-1",
    "4294967295",
    "4294967296",
    "18446744073709551615",
    "18446744073709551616",
    "1e308",
    "null",
    "\"..\"",
    "\"a/b\"",
    "\"\"",
    "[]",
    "{}",
];

fn journals() {
    let whole = record::forged(OBJECTS.map(str::as_bytes));
    let read = record::read(&whole).expect("a journal");
    assert!(read.damaged.is_none() && read.freeing && read.ended.is_some(), "{read:?}");
    assert_eq!((read.plan.items.len(), read.did.len(), read.failed.len()), (3, 1, 1));
    let (mut some, mut damaged) = (0, 0);
    let count = rounds(20_000, |seed| {
        let mut random = Random::new(seed);
        let journal =
            if random.percent(50) { mutated(&whole, &mut random) } else { crooked(&mut random) };
        if let Some(operation) = record::read(&journal) {
            some += 1;
            damaged += u64::from(operation.damaged.is_some());
            consistent(&operation, &journal, seed);
        }
    });
    println!("fuzz: {count} journals, {some} with a sound beginning, {damaged} with damage");
    assert!(some * 4 > count && damaged * 10 > count, "the chance is badly led");
}

fn consistent(operation: &Operation, journal: &[u8], seed: u64) {
    let sound = usize::try_from(operation.sound).expect("small");
    assert!(sound <= journal.len(), "seed {seed}");
    let again = record::read(&journal[..sound]).expect("the sound part is sound");
    assert!(again.damaged.is_none() && again.lines == operation.lines, "seed {seed}");
    assert_eq!(operation.damaged.is_none(), sound == journal.len(), "seed {seed}");
    assert_eq!(format!("{:?}", again.plan), format!("{:?}", operation.plan), "seed {seed}");
    for slot in operation.plan.items.iter().flat_map(linkwell_model::plan::Item::slots) {
        let folder = usize::try_from(slot.folder).expect("small");
        assert!(folder < operation.plan.folders.len(), "seed {seed}: a slot in no folder");
        assert!(!slot.name.as_bytes().contains(&b'/'), "seed {seed}");
    }
}

/// The same bytes, with some of them changed, gone, twice or elsewhere.
fn mutated(whole: &[u8], random: &mut Random) -> Vec<u8> {
    let mut out = whole.to_vec();
    for _ in 0..=random.below(3) {
        if out.is_empty() {
            break;
        }
        let (from, length) = (random.below(out.len()), random.below(80));
        let to = (from + length).min(out.len());
        match random.below(6) {
            0 => out[from] ^= 1 << random.below(8),
            1 => out.truncate(from),
            2 => drop(out.drain(from..to)),
            3 => out[from..to].fill(0),
            4 => {
                let piece = out[from..to].to_vec();
                let at = random.below(out.len());
                drop(out.splice(at..at, piece));
            }
            _ => {
                let lines: Vec<Vec<u8>> =
                    out.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
                let line = random.pick(&lines).clone();
                out.extend(line);
            }
        }
    }
    out
}

/// Sound checksums, and objects that no run would write.
fn crooked(random: &mut Random) -> Vec<u8> {
    let mut objects: Vec<String> = OBJECTS.map(str::to_owned).to_vec();
    for _ in 0..=random.below(3) {
        let (one, other) = (random.below(objects.len()), random.below(objects.len()));
        match random.below(5) {
            0 => objects.swap(one, other),
            1 => drop(objects.remove(one)),
            2 => objects.insert(one, objects[other].clone()),
            _ => {
                let text = &objects[one];
                // A value: from behind a colon or a comma to the next mark.
                let starts: Vec<usize> =
                    text.match_indices([':', ',']).map(|(at, _)| at + 1).collect();
                if starts.is_empty() {
                    continue;
                }
                let from = *random.pick(&starts);
                let (before, rest) = text.split_at(from);
                let length = rest.find([',', '}', ']']).unwrap_or(rest.len());
                let value = *random.pick(&OTHERS);
                objects[one] = format!("{before}{value}{}", rest.split_at(length).1);
            }
        }
        if objects.is_empty() {
            break;
        }
    }
    record::forged(objects.iter().map(String::as_bytes))
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "\u{fc}", "-n"];

/// A path of a few random components.
fn some_path(random: &mut Random, top: &Path) -> Vec<u8> {
    let mut out = Vec::new();
    if random.percent(15) {
        out.extend(bytes(top));
        out.push(b'/');
    }
    for number in 0..=random.below(5) {
        if number > 0 {
            out.extend(*random.pick(&[&b"/"[..], b"//", b"/./"]));
        }
        match random.below(10) {
            0 => out.extend(b".."),
            1 => out.push(b'.'),
            2 => out.extend(b"\xff"),
            _ => out.extend(random.pick(&NAMES).as_bytes()),
        }
    }
    if random.percent(20) {
        out.push(b'/');
    }
    out
}

fn paths() {
    let (mut found, mut refused) = (0_u64, 0_u64);
    let count = rounds(60, |seed| {
        let mut random = Random::new(seed);
        let scratch = Scratch::new();
        let top = scratch.path();
        for _ in 0..30 {
            let at = scratch.join(path(&some_path(&mut random, &top)));
            // What cannot be made is not made.
            match random.below(4) {
                0 => drop(fs::create_dir_all(at)),
                1 => drop(fs::write(at, b"")),
                _ => {
                    let target = some_path(&mut random, &top);
                    drop(std::os::unix::fs::symlink(path(&target), at));
                }
            }
        }
        // Chains as long as the kernel follows, and longer.
        for number in 0..44 {
            let next = if number == 0 { "a".to_owned() } else { format!("chain{}", number - 1) };
            drop(std::os::unix::fs::symlink(next, scratch.join(format!("chain{number}"))));
        }
        let chains = [b"chain38", b"chain39", b"chain40", b"chain43"].map(|name| name.to_vec());
        let typed = (0..40).map(|_| some_path(&mut random, &top)).chain(chains);
        for typed in typed.collect::<Vec<_>>() {
            for system in systems() {
                if one(system, &top, &typed, seed) {
                    found += 1;
                } else {
                    refused += 1;
                }
            }
        }
    });
    println!("fuzz: {count} trees, {found} paths led to a folder, {refused} to none");
    assert!(found > count * 10 && refused > count * 10, "the chance is badly led");
}

/// Whether the path leads to a folder, by both.
fn one(system: System, top: &Path, typed: &[u8], seed: u64) -> bool {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let start = Arc::new(rustix::fs::openat(CWD, top, flags, Mode::empty()).expect("a folder"));
    let kernel = rustix::fs::openat(&*start, typed, flags, Mode::empty());
    let place = AbsPath::cleaned(top.as_os_str().as_bytes()).expect("absolute");
    let mut operator = Operator::at(system, Held { folder: start, place });
    let ours = operator.folder(typed);
    let what = || format!("seed {seed}, `{}` from {top:?}", shown(typed));
    match (kernel, ours) {
        (Ok(kernel), Ok(ours)) => {
            let there = rustix::fs::fstat(kernel).expect("it is held");
            let here = rustix::fs::fstat(&*ours.folder).expect("it is held");
            assert_eq!((there.st_dev, there.st_ino), (here.st_dev, here.st_ino), "{}", what());
            let real = fs::canonicalize(top.join(path(typed))).expect("the kernel has been there");
            assert_eq!(shown(&bytes(&real)), shown(ours.place.as_bytes()), "{}", what());
            assert!(system.open(CWD, ours.place.as_bytes(), Access::Hold).is_ok(), "{}", what());
            true
        }
        (Err(kernel), Err(ours)) => {
            let fits = match &ours {
                Refusal::NoFolder(_) => kernel == Errno::NOENT,
                Refusal::NotFolder(_) => kernel == Errno::NOTDIR,
                Refusal::Loop => kernel == Errno::LOOP,
                Refusal::System(error) => *error == kernel,
                Refusal::Foreign { .. } | Refusal::NoName => false,
            };
            assert!(fits, "{}: {kernel:?} and {ours:?}", what());
            false
        }
        (kernel, ours) => unreachable!("{}: {kernel:?} and {ours:?}", what()),
    }
}
