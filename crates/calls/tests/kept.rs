//! Attributes, extents and clones, each checked by another witness: `lsattr`, the bytes, and what
//! the file system refuses.

use crate::ground::{KINDS, file, on};
use libtest_mimic::Trial;
use linkwell_calls::attributes::{self, Flags};
use linkwell_calls::clone;
use linkwell_calls::extents::{self, Buffer, Cached, Extent};
use linkwell_testkit::need::test;
use linkwell_testkit::tree::Scratch;
use rustix::fs::{FallocateFlags, OFlags, fallocate};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

pub(crate) fn trials() -> Vec<Trial> {
    let on_all = |subject| KINDS.into_iter().map(move |kind| on(kind, subject));
    let mut trials = vec![test("calls: flags have words, and are a set", words)];
    trials.push(test("calls: a place that is only held has no attributes", held));
    trials.extend(on_all("attributes"));
    trials.extend(on_all("extents"));
    trials.extend(on_all("clones"));
    trials
}

fn words() {
    let two = Flags::IMMUTABLE.with(Flags::NO_DUMP);
    assert_eq!(two.words().collect::<Vec<_>>(), ["immutable", "not dumped"]);
    assert!(two.has(Flags::IMMUTABLE) && !two.has(Flags::APPEND) && two.has(Flags::NONE));
    assert!(!two.has(two.with(Flags::SYNC)) && two.has_any(two.with(Flags::SYNC)));
    assert_eq!(two.without(Flags::IMMUTABLE), Flags::NO_DUMP);
    assert!(two.without(two).is_empty());
    // A bit from the future stays, and has no word.
    let new = Flags::from_bits(0x0800_0000);
    assert_eq!((new.bits(), new.words().count()), (0x0800_0000, 0));
}

fn held() {
    let scratch = Scratch::with(&["f"]);
    let place = rustix::fs::open(scratch.join("f"), OFlags::PATH, rustix::fs::Mode::empty());
    assert_eq!(attributes::of(place.expect("a place")), Err(Errno::BADF));
}

/// What is set is read back, by this crate and by the other call that the kernel has for it.
pub(crate) fn attributes(kind: &str, at: &Path) {
    let open = file(&at.join("f"), b"x");
    let folder = at.join("d");
    std::fs::create_dir(&folder).expect("a folder");
    let folder = File::open(&folder).expect("a folder");
    let before = attributes::of(&open).expect("its attributes");
    assert_eq!(before.flags.without(Flags::OBSERVED), Flags::NONE);
    for flag in [Flags::NO_DUMP, Flags::NO_ATIME, Flags::APPEND, Flags::IMMUTABLE] {
        let mut wanted = before;
        wanted.flags = before.flags.with(flag);
        attributes::set(&open, &wanted).expect("it can be set");
        assert_eq!(attributes::of(&open), Ok(wanted), "{kind}: {flag:?}");
        let other = rustix::fs::ioctl_getflags(&open).expect("the older flags").bits();
        let older = match flag {
            Flags::NO_DUMP => 0x40,
            Flags::NO_ATIME => 0x80,
            Flags::APPEND => 0x20,
            _ => 0x10,
        };
        assert_eq!(other & 0xf0, older, "{kind}: {flag:?}");
        let writes = OpenOptions::new().write(true).open(at.join("f"));
        assert_eq!(writes.is_err(), flag == Flags::APPEND || flag == Flags::IMMUTABLE, "{kind}");
    }
    attributes::set(&open, &before).expect("it can be taken off");
    assert_eq!(attributes::of(&open), Ok(before));
    // ext4 has projects only where the kernel has quotas.
    if kind == "xfs" {
        let mut wanted = attributes::of(&folder).expect("its attributes");
        wanted.project = 4711;
        wanted.flags = wanted.flags.with(Flags::PROJECT_INHERITED);
        attributes::set(&folder, &wanted).expect("a project");
        assert_eq!(attributes::of(&folder), Ok(wanted));
        // And the file system acts on it.
        let inside = file(&at.join("d/inside"), b"x");
        assert_eq!(attributes::of(&inside).expect("its attributes").project, 4711);
    }
    if kind == "xfs" {
        let mut wanted = attributes::of(&folder).expect("its attributes");
        wanted.extent_size = 1 << 20;
        wanted.flags = wanted.flags.with(Flags::EXTENT_SIZE_INHERITED);
        attributes::set(&folder, &wanted).expect("an extent size");
        assert_eq!(attributes::of(&folder), Ok(wanted));
        // What the system itself puts on is seen, and does not hinder.
        let reserved = File::create(at.join("reserved")).expect("a file");
        fallocate(&reserved, FallocateFlags::KEEP_SIZE, 0, 1 << 20).expect("space");
        let seen = attributes::of(&reserved).expect("its attributes");
        assert!(seen.flags.has(Flags::RESERVED), "{seen:?}");
        attributes::set(&reserved, &seen).expect("the same again");
    }
    // A pair that makes no sense is refused, and nothing is changed.
    if kind != "xfs" {
        let mut senseless = before;
        senseless.extent_size = 4096;
        senseless.flags = before.flags.with(Flags::EXTENT_SIZE);
        if attributes::set(&open, &senseless).is_ok() {
            println!("{kind} took an extent size in silence");
        }
        assert_eq!(attributes::of(&open), Ok(before), "{kind}");
    }
}

const BLOCK: u64 = 1 << 16;

/// Data, a hole, reserved space, a hole, data: each found where it is, whatever range is asked for.
pub(crate) fn extents(kind: &str, at: &Path) {
    let mut buffer = Buffer::default();
    let path = at.join("f");
    let made = File::create(&path).expect("a file");
    made.write_all_at(&vec![1; 65536], 0).expect("data");
    fallocate(&made, FallocateFlags::empty(), 2 * BLOCK, BLOCK).expect("reserved");
    made.write_all_at(&vec![2; 65536], 4 * BLOCK).expect("data");
    drop(made);
    let open = File::open(&path).expect("a file");
    if kind == "tmpfs" {
        let answer = extents::map(&open, 0..u64::MAX, Cached::Left, &mut buffer);
        assert!(matches!(answer, Err(Errno::NOTSUP | Errno::NOTTY)), "{answer:?}");
        return;
    }
    let all = extents::map(&open, 0..u64::MAX, Cached::WrittenFirst, &mut buffer).expect("a map");
    let bytes = |all: &[Extent], unwritten: bool| {
        let those = all.iter().filter(|one| one.is_unwritten() == unwritten);
        those.map(|one| one.length).sum::<u64>()
    };
    assert_eq!((bytes(&all, false), bytes(&all, true)), (2 * BLOCK, BLOCK), "{kind}: {all:?}");
    let reserved: Vec<_> = all.iter().filter(|one| one.is_unwritten()).collect();
    assert_eq!((reserved[0].logical, reserved[0].end()), (2 * BLOCK, 3 * BLOCK));
    assert!(all.iter().all(|one| one.is_placed() && !one.is_shared()), "{all:?}");
    assert_eq!(all.iter().filter(|one| one.is_last()).count(), 1);
    let middle = extents::map(&open, BLOCK..4 * BLOCK, Cached::WrittenFirst, &mut buffer);
    // As the last one of the range, it may be called the last one.
    let plain = |one: &Extent| (one.logical, one.physical, one.length, one.is_unwritten());
    let middle: Vec<_> = middle.expect("a map").iter().map(plain).collect();
    assert_eq!(middle, all[1..2].iter().map(plain).collect::<Vec<_>>(), "{kind}");
    let hole = extents::map(&open, BLOCK..2 * BLOCK, Cached::WrittenFirst, &mut buffer);
    assert_eq!(hole.expect("a map"), [], "{kind}");
    assert_eq!(extents::map(&open, 5..5, Cached::Left, &mut buffer), Ok(Vec::new()));
    many(kind, at, &mut buffer);
}

/// More pieces than one answer holds: none is missed and none comes twice.
fn many(kind: &str, at: &Path, buffer: &mut Buffer) {
    const PIECES: u64 = 700;
    let made = File::create(at.join("many")).expect("a file");
    for piece in 0..PIECES {
        made.write_all_at(&[7; 4096], piece * BLOCK).expect("data");
    }
    let all = extents::map(&made, 0..u64::MAX, Cached::WrittenFirst, buffer).expect("a map");
    // xfs reserves some space of its own accord.
    let written = all.iter().filter(|one| !one.is_unwritten());
    let starts: Vec<u64> = written.map(|one| one.logical).collect();
    let wanted: Vec<u64> = (0..PIECES).map(|piece| piece * BLOCK).collect();
    assert!(starts == wanted, "{kind}: {} of {PIECES}, {} in all", starts.len(), all.len());
    let mut count = 0;
    let few = extents::each(&made, 0..u64::MAX, Cached::Left, buffer, |_| {
        count += 1;
        count < 3
    });
    assert_eq!((few, count), (Ok(()), 3));
}

/// A part of a file shares the data of another one where the volume can, and is refused elsewhere.
pub(crate) fn clones(kind: &str, at: &Path) {
    let mut buffer = Buffer::default();
    let mut bytes = vec![3; 65536];
    bytes.extend(vec![4; 65536]);
    let from = file(&at.join("from"), &bytes);
    let mut to = OpenOptions::new();
    let to = to.create_new(true).read(true).write(true).open(at.join("to")).expect("a file");
    if kind == "xfs" {
        assert_eq!(clone::is_possible_on_xfs(&from), Ok(true));
    }
    let answer = clone::range(&to, 0, &from, BLOCK, BLOCK);
    if matches!(kind, "tmpfs" | "ext4") {
        assert!(matches!(answer, Err(Errno::NOTSUP | Errno::NOTTY)), "{kind}: {answer:?}");
        assert_eq!(to.metadata().expect("its length").len(), 0);
        return;
    }
    assert_eq!(answer, Ok(()), "{kind}");
    assert_eq!(std::fs::read(at.join("to")).expect("its bytes"), vec![4; 65536]);
    let map = |file: &File, buffer: &mut Buffer| {
        extents::map(file, 0..u64::MAX, Cached::WrittenFirst, buffer).expect("a map")
    };
    let (old, new) = (map(&from, &mut buffer), map(&to, &mut buffer));
    assert!(new.iter().all(Extent::is_shared), "{kind}: {new:?}");
    let last = old.last().expect("an extent");
    assert_eq!(last.physical + last.length, new[0].physical + new[0].length, "{kind}: {old:?}");
    // To the end of the other, and farther in.
    assert_eq!(clone::range(&to, BLOCK, &from, 0, 0), Ok(()), "{kind}");
    assert_eq!(to.metadata().expect("its length").len(), 3 * BLOCK);
    // A write parts the two.
    let mut writes = &to;
    writes.write_all(&[9; 4096]).expect("a write");
    assert_eq!(std::fs::read(at.join("from")).expect("its bytes"), bytes);
    // What cannot be shared is an error and no copy.
    assert_eq!(clone::range(&to, 1, &from, 0, 4096), Err(Errno::INVAL), "{kind}");
    let shm = Scratch::new();
    let elsewhere = File::create(shm.join("f")).expect("a file");
    assert_eq!(clone::range(&elsewhere, 0, &from, 0, 0), Err(Errno::XDEV), "{kind}");
}
