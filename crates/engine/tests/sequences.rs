//! Long rows of operations on grown trees, taken back to the very beginning; large ones; and records
//! that are damaged.
//!
//! `LINKWELL_SEQUENCES=N` tries N rows instead of a few hundred.

use crate::fault::{is_long, same, set_up};
use crate::faulty::{Fault, Faulty, Lacks, until_stopped};
use crate::field::{DROPPED, Draft, Field, dressed, file, link, place, the_volumes};
use crate::requests::{Request, all};
use crate::support::Random;
use libtest_mimic::Trial;
use linkwell_engine::execute::State;
use linkwell_engine::execute::recover::Recovered;
use linkwell_engine::folder::Folder;
use linkwell_engine::live::Live;
use linkwell_model::chain::resolve;
use linkwell_model::plan::{Fate, Make, Object, Step};
use linkwell_model::planned::Planned;
use linkwell_testkit::need::test;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("sequences: what is undone, last first, leaves the tree as it was at first", rows),
        test("sequences: ten thousand items are done and undone as one", ten_thousand),
        test("sequences: of a thousand items the half that can is done, and undone as one", half),
        test(
            "journal: damaged anywhere, its good beginning is read and nothing else",
            damaged_read,
        ),
        test("journal: damaged anywhere, recovery keeps to what is on record", damaged_recovered),
    ]
}

fn good() -> Faulty {
    Faulty::new(Fault::None, Lacks::default())
}

const PLACES: [&str; 12] =
    ["a", "b", "c", "x/a", "x/b", "x/c", "x/y/a", "x/y/b", "z/a", "z/b", "z/c", "z/k"];

fn rows() {
    let nothing = linkwell_model::plan::Plan::default();
    let wanted = std::env::var("LINKWELL_SEQUENCES").ok().and_then(|count| count.parse().ok());
    let rows = wanted.unwrap_or(400);
    let (mut operations, mut judged) = (0, 0);
    for seed in 0..rows {
        let mut random = Random::new(seed);
        let mut field = Field::new(&["x/y/", "z/", "kept/"]);
        grow(&mut field, &mut random);
        let start = field.listing();
        let mut numbers = Vec::new();
        for turn in 0..=random.below(6) {
            let mut draft = Draft::new(&field);
            let count = 1 + random.below(3);
            let mut taken = Vec::new();
            for item in 0..count {
                let at = *random.pick(&PLACES);
                if !taken.contains(&at) {
                    taken.push(at);
                    draw(&mut draft, &mut random, at, &format!("kept/{turn}.{item}"));
                }
            }
            let plan = draft.plan;
            if plan.items.is_empty() {
                continue;
            }
            let planned = ends(&field, &plan);
            let report = field.run(&good(), &plan).expect("it begins");
            assert_eq!((&report.failed, &report.state), (&Vec::new(), &State::Ended), "{seed}");
            assert_eq!(planned, ends(&field, &nothing), "{seed}");
            judged += planned.len();
            operations += 1;
            numbers.push(report.number);
        }
        for number in numbers.into_iter().rev() {
            field.undo(&good(), number).unwrap_or_else(|why| panic!("row {seed}: {why}"));
        }
        same(&format!("row {seed}"), &start, &field.listing())
            .unwrap_or_else(|why| panic!("{why}"));
    }
    println!("{rows} rows, {operations} operations, {judged} links judged before and after");
    assert!(operations > rows && judged > 0);
}

fn grow(field: &mut Field, random: &mut Random) {
    let mut lines = Vec::new();
    for at in PLACES {
        match random.below(5) {
            0 => lines.push(at.to_owned()),
            1 | 2 => lines.push(format!("{at} -> {}", random.pick(&TEXTS))),
            3 if !at.starts_with('x') => lines.push(format!("{at}/inner -> ../a")),
            _ => {}
        }
    }
    *field = Field::new(
        &["x/y/", "z/", "kept/"]
            .into_iter()
            .chain(lines.iter().map(String::as_str))
            .collect::<Vec<_>>(),
    );
}

const TEXTS: [&str; 9] =
    ["a", "b", "../a", "../x/b", "x/y", "nowhere", "../z", "c/inner", "../../c"];

/// Draws one item at a place, whatever stands there.
fn draw(draft: &mut Draft<'_>, random: &mut Random, at: &str, kept: &str) {
    let of = PLACES
        .iter()
        .find(|of| **of != at && matches!(draft.find(**of), Some(Object::File { .. })));
    let make = match (random.below(6), of) {
        (0, Some(of)) => draft.name(of),
        (1, Some(of)) => draft.copy(of),
        (2, _) => file("[Desktop Entry]"),
        (3, _) => dressed(one_of(random)),
        _ => link(one_of(random)),
    };
    let step = match draft.find(at) {
        None => draft.put(at, make),
        Some(Object::Link { .. }) => match random.below(4) {
            0 => draft.remove(at, DROPPED),
            1 => {
                let fate = draft.kept(kept);
                draft.remove(at, fate)
            }
            2 => {
                let fate = draft.kept(kept);
                draft.replace(at, make, fate)
            }
            _ => draft.replace(at, make, DROPPED),
        },
        Some(Object::Folder { .. }) => {
            let fate = draft.kept(kept);
            if random.percent(50) { draft.remove(at, fate) } else { draft.replace(at, make, fate) }
        }
        Some(_) => match (random.below(3), of) {
            (0, _) => {
                let fate = draft.again(at);
                draft.remove(at, fate)
            }
            (1, _) => {
                let fate = draft.kept(kept);
                draft.replace(at, make, fate)
            }
            _ => {
                let fate = draft.kept(kept);
                draft.remove(at, fate)
            }
        },
    };
    // What another item takes away cannot be made of in the same plan, nor be named twice.
    let of = step.make().and_then(Make::slot).cloned();
    let changed: Vec<_> = draft.plan.items.iter().flat_map(|item| &item.steps).collect();
    let clash = changed.iter().any(|other| {
        Some(other.at()) == of.as_ref()
            || other.make().and_then(Make::slot) == Some(step.at())
            || matches!(other, Step::Put { .. }) && other.at() == step.at()
    });
    // The number of names of a file that is removed must be what it was.
    let names = matches!(step.old(), Some(Object::File { names, .. }) if *names > 1)
        && matches!(step.fate(), Some(Fate::Dropped { .. }));
    if !clash && !names {
        draft.item(vec![step]);
    }
}

/// Where every link in the tree ends: with the plan laid over it.
fn ends(field: &Field, plan: &linkwell_model::plan::Plan) -> BTreeMap<String, String> {
    let mut surveyor = field.surveyor();
    for step in plan.items.iter().flat_map(|item| &item.steps) {
        surveyor.lay(plan, step);
    }
    let mut live = Live::new(field.system, the_volumes());
    let mut planned = Planned { now: &mut live, overlay: surveyor.overlay() };
    let top: Arc<Folder> = Folder::of_place(&place(field.tree()));
    let mut found = BTreeMap::new();
    for at in PLACES {
        let chain = resolve(&mut planned, &top, at.as_bytes());
        // Where a copy lies does not matter: only what it ends in.
        found.insert(at.to_owned(), format!("{} {}", chain.end.word(), chain.hops.len()));
    }
    found
}

fn ten_thousand() {
    const COUNT: usize = 10_000;
    let field = Field::new(&["d/", "e/"]);
    let before = field.listing();
    let mut draft = Draft::new(&field);
    let slot = draft.slot("d/x");
    for number in 0..COUNT {
        let name = linkwell_model::name::Name::new(format!("l{number}").into_bytes());
        let at = linkwell_model::plan::Slot { name: name.expect("a name"), ..slot.clone() };
        draft.item(vec![Step::Put { at, make: link("../e") }]);
    }
    let plan = draft.plan;
    let report = field.run(&good(), &plan).expect("it begins");
    assert_eq!((report.done.len(), &report.state), (COUNT, &State::Ended));
    assert_eq!(std::fs::read_dir(field.tree().join("d")).expect("a folder").count(), COUNT);
    field.undo(&good(), report.number).expect("undone");
    assert_eq!(before, field.listing());
    // Stopped in the middle, it is taken back as one.
    let disk = Faulty::new(Fault::Stop { at: COUNT }, Lacks::default());
    assert!(until_stopped(|| field.run(&disk, &plan)).is_err());
    assert_ne!(before, field.listing());
    assert_eq!(field.recover(&good()), [Ok(Recovered::TakenBack(Vec::new()))]);
    assert_eq!(before, field.listing());
}

fn half() {
    let field = Field::new(&["d/", "e/"]);
    let mut draft = Draft::new(&field);
    for number in 0..1000 {
        let step = draft.put(format!("d/l{number}"), link("../e"));
        draft.item(vec![step]);
    }
    let plan = draft.plan;
    for number in (0..1000).step_by(2) {
        let taken = field.tree().join(format!("d/l{number}"));
        std::fs::write(taken, format!("mine {number}")).expect("a file");
    }
    let before = field.listing();
    let report = field.run(&good(), &plan).expect("it begins");
    assert_eq!((report.done.len(), report.failed.len()), (500, 500));
    assert_eq!(report.state, State::Ended);
    field.undo(&good(), report.number).expect("one undo for the 500");
    assert_eq!(before, field.listing());
}

/// The requests whose records are damaged.
fn damageable() -> Vec<Request> {
    let names = ["three kinds", "file to link, the file kept", "remove a folder, freed"];
    let wanted = |one: &Request| names.contains(&one.name) && one.lacks == Lacks::default();
    all().into_iter().filter(wanted).collect()
}

/// Every kind of damage to `bytes`, some thinned out; with the number of lines that stay sound.
fn damages(bytes: &[u8], thin: usize) -> Vec<(String, Vec<u8>, usize)> {
    let line_of = |at: usize| bytes[..at].iter().filter(|byte| **byte == b'\n').count();
    let mut all = Vec::new();
    for at in (0..bytes.len()).step_by(thin) {
        all.push((format!("cut at {at}"), bytes[..at].to_vec(), line_of(at)));
        let mut flipped = bytes.to_vec();
        flipped[at] ^= 1 << (at % 8);
        all.push((format!("flipped at {at}"), flipped, line_of(at)));
    }
    for at in (0..bytes.len()).step_by(61 * thin) {
        let mut zeros = bytes.to_vec();
        let end = (at + 512).min(bytes.len());
        zeros[at..end].fill(0);
        all.push((format!("zeros from {at}"), zeros, line_of(at)));
    }
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    for at in 0..lines.len() {
        let mut doubled = lines.clone();
        doubled.insert(at, lines[at]);
        all.push((format!("line {at} doubled"), doubled.concat(), at + 1));
        let mut missing = lines.clone();
        missing.remove(at);
        all.push((format!("line {at} missing"), missing.concat(), at));
        if at > 0 {
            let mut swapped = lines.clone();
            swapped.swap(at - 1, at);
            all.push((format!("lines {} and {at} swapped", at - 1), swapped.concat(), at - 1));
        }
    }
    all
}

fn damaged_read() {
    let mut count = 0;
    for request in damageable() {
        let (field, plan) = set_up(&request);
        let whole = Faulty::new(Fault::None, Lacks::default());
        field.run(&whole, &plan).expect("it begins");
        let path = field.beside("state/operations/000001.jsonl");
        let bytes = std::fs::read(&path).expect("a record");
        let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
        let store = field.store(&good());
        let sound = store.read(1).expect("it can be read");
        assert!(sound.damaged.is_none() && sound.ended.is_some(), "{}", request.name);
        for (what, damaged, good_lines) in damages(&bytes, 1) {
            std::fs::write(&path, &damaged).expect("it can be damaged");
            let read = store.read(1);
            count += 1;
            let what = format!("{}: {what}", request.name);
            if good_lines == 0 {
                assert!(read.is_err(), "{what}");
                continue;
            }
            let read = read.unwrap_or_else(|error| panic!("{what}: {error}"));
            let length: usize = bytes
                .split_inclusive(|byte| *byte == b'\n')
                .take(good_lines)
                .map(<[u8]>::len)
                .sum();
            assert_eq!(read.sound, length as u64, "{what}");
            assert_eq!(read.ended.is_some(), good_lines >= lines, "{what}");
            assert!(read.plan.items.iter().zip(&sound.plan.items).all(|(one, other)| one == other));
            assert!(
                read.did.iter().all(|(step, made)| sound.did.get(step) == Some(made)),
                "{what}"
            );
        }
    }
    println!("{count} damaged records read");
    assert!(count > 3000);
}

fn damaged_recovered() {
    let mut count = 0;
    for request in damageable() {
        let before = set_up(&request).0.listing();
        let (field, plan) = set_up(&request);
        let whole = Faulty::new(Fault::None, Lacks::default());
        field.run(&whole, &plan).expect("it begins");
        let done = field.listing();
        for back in if is_long() { vec![1, 2, 3, 5, 8] } else { vec![3] } {
            let stop = Fault::Stop { at: whole.count() - back };
            let mut number = 0;
            loop {
                let (field, plan) = set_up(&request);
                let disk = Faulty::new(stop, Lacks::default());
                assert!(until_stopped(|| field.run(&disk, &plan)).is_err());
                let path = field.unfinished(1);
                let bytes = std::fs::read(&path).expect("a record");
                let all = damages(&bytes, if is_long() { 7 } else { 97 });
                let Some((what, damaged, good_lines)) = all.into_iter().nth(number) else { break };
                number += 1;
                count += 1;
                std::fs::write(&path, damaged).expect("it can be damaged");
                let what = format!("{}, {stop:?}, {what}", request.name);
                let now = field.listing();
                if good_lines == 0 {
                    // Nobody can say what it did; recovery is refused, and nothing is touched.
                    assert!(field.store(&good()).read(1).is_err(), "{what}");
                    assert_eq!(now, field.listing());
                    continue;
                }
                for recovered in field.recover(&good()) {
                    assert!(recovered.is_ok(), "{what}: {recovered:?}");
                }
                keeps(&what, &[&before, &done, &now], &field.listing());
                let once = field.listing();
                assert!(field.recover(&good()).is_empty(), "{what}");
                assert_eq!(once, field.listing(), "{what}");
            }
        }
    }
    println!("{count} damaged records recovered");
    assert!(count > 150);
}

/// Whether all contents that were there are there, under whatever name, and nothing else is.
fn keeps(what: &str, pictures: &[&str; 3], after: &str) {
    let contents = |listing: &str| -> Vec<String> {
        let files = listing.lines().filter(|line| line.contains(" file ("));
        let mut all: Vec<String> =
            files.filter_map(|line| line.rsplit(' ').next().map(str::to_owned)).collect();
        all.sort();
        all.dedup();
        all
    };
    for content in contents(pictures[2]) {
        // The small file of the request itself may go: it is in the record.
        let ours = content.contains("Info]");
        assert!(ours || contents(after).contains(&content), "{what}: lost {content}\n{after}");
    }
    for line in after.lines() {
        let name = line.split(' ').next().unwrap_or_default();
        let known = pictures
            .iter()
            .any(|picture| picture.lines().any(|other| other.split(' ').next() == Some(name)));
        assert!(known, "{what}: {line}");
    }
}

fn one_of(random: &mut Random) -> &'static str {
    TEXTS[random.below(TEXTS.len())]
}
