//! What depends on a place, by the record and by a look at every link: the same, whatever the tree.

use crate::catalogue::{place, seen, state_in};
use crate::support::{Random, volumes};
use libtest_mimic::Trial;
use linkwell_engine::catalogue::Catalogue;
use linkwell_engine::folder::Folder;
use linkwell_engine::live::Live;
use linkwell_engine::refer;
use linkwell_engine::system::System;
use linkwell_model::chain::resolve;
use linkwell_model::path::AbsPath;
use linkwell_testkit::need::test;
use linkwell_testkit::tree::{Scratch, bytes};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn trials() -> Vec<Trial> {
    vec![test("catalogue: what depends on a place, as a look at every link tells", as_a_scan)]
}

/// A path of one to four pieces: names that may be there, and steps up and nowhere.
fn text(random: &mut Random, top: &str) -> String {
    const PIECES: [&str; 9] = ["a", "b", "c", "a", "b", "..", "..", ".", "l0"];
    let mut pieces: Vec<String> = Vec::new();
    if random.percent(25) {
        pieces.push(top.to_owned());
    }
    for _ in 0..=random.below(4) {
        let piece = *random.pick(&PIECES);
        let number = random.below(6);
        pieces.push(if piece == "l0" { format!("l{number}") } else { piece.to_owned() });
    }
    let slash = if random.percent(10) { "/" } else { "" };
    format!("{}{slash}", pieces.join("/"))
}

/// A random tree: its links, and every place worth asking about.
fn grow(random: &mut Random) -> (Scratch, Vec<PathBuf>, Vec<PathBuf>) {
    let scratch = Scratch::new();
    let (mut folders, mut links) = (vec![scratch.join("t")], Vec::new());
    std::fs::create_dir(scratch.join("t")).expect("made");
    for _ in 0..6 {
        let folder = random.pick(&folders).join(random.pick(&["a", "b", "c"]));
        if std::fs::create_dir(&folder).is_ok() {
            folders.push(folder);
        }
    }
    let top = scratch.join("t");
    let top = top.to_str().expect("a plain path");
    for _ in 0..10 {
        let at = random.pick(&folders).join(format!("l{}", random.below(6)));
        if std::os::unix::fs::symlink(text(random, top), &at).is_ok() {
            links.push(at);
        }
    }
    let mut places: Vec<PathBuf> = folders.iter().chain(&links).cloned().collect();
    for folder in &folders {
        places.push(folder.join("nothing"));
        places.push(folder.join("a"));
        places.push(folder.join("l1"));
    }
    (scratch, links, places)
}

fn as_a_scan() {
    let system = System::new();
    let (mut compared, mut found) = (0, 0);
    for seed in 0..150 {
        let mut random = Random::new(seed);
        let (scratch, links, places) = grow(&mut random);
        let state = state_in(&scratch);
        let mut catalogue = Catalogue::open_or_make(&state).expect("it opens").0;
        for link in &links {
            catalogue.record(&seen(link), 1).expect("recorded");
        }
        let volumes = volumes(system, Duration::from_secs(5));
        let mut live = Live::new(system, Arc::clone(&volumes));
        let start = Folder::root();
        for asked in &places {
            let asked = refer::place(system, &volumes, &start, &bytes(asked));
            let mut depends = |link: &AbsPath| {
                let (folder, name) = link.split().expect("not the root");
                let folder = Folder::of_place(&folder);
                let chain = resolve(&mut live, &folder, name.as_bytes());
                asked.referred_by(&live, &chain).is_some()
            };
            let truth: BTreeSet<AbsPath> =
                links.iter().map(|link| place(link)).filter(&mut depends).collect();
            let mut wanted = asked.seen_at.clone();
            wanted.push(asked.written.clone());
            let known = catalogue.depending(&wanted).expect("asked");
            let known: BTreeSet<AbsPath> =
                known.iter().map(|entry| entry.link.place()).filter(&mut depends).collect();
            compared += 1;
            found += truth.len();
            assert_eq!(known, truth, "seed {seed}: {asked:?}");
        }
    }
    println!("{compared} places, {found} links that depend on them");
    assert!(found > 2000, "the trees were worth asking about: {found}");
}
