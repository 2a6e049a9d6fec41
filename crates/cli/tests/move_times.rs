//! What was begun and is taken back leaves folders their times: those in which names came and went only for
//! that.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test stands outside: it makes its trees and looks at them by itself"
)]

use crate::kill::{is_unfinished, killed, probe, traced};
use crate::support::Ground;
use libtest_mimic::Trial;
use linkwell_testkit::listing::listing;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::{Scratch, make};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

pub(crate) fn trials() -> Vec<Trial> {
    let needs = [Need::Program("strace")];
    let mut all = Vec::new();
    for (name, how, across) in [
        ("a merge", &MERGE[..], false),
        ("a merge to another volume", &MERGE, true),
        ("a merge to another volume, which frees", &["--merge", "--free"], true),
        ("a move whose links are rewritten", &[], false),
    ] {
        all.push(test_with(
            &format!("move times: {name} that was killed and is taken back"),
            &needs,
            move || taken_back(how, across),
        ));
        all.push(test_with(
            &format!("move times: {name} that fails and is taken back"),
            &needs,
            move || failed(how, across),
        ));
    }
    all.push(test_with(
        "move times: a folder that was changed since the kill keeps its time",
        &needs,
        changed_since,
    ));
    all
}

const MERGE: [&str; 1] = ["--merge"];

fn then() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)
}

/// Two folders, or one, whose folders were last changed long ago.
struct Old {
    ground: Ground,
    drive: Option<Scratch>,
    words: Vec<String>,
}

impl Old {
    fn new(how: &[&str], across: bool) -> Self {
        let lines = ["out", "far/", "here/x", "here/both/new", "here/both/l -> ../../out"];
        let ground = Ground::in_memory(&lines);
        make(&ground.tree(), &["here/goes/deep/f", "here/goes/l -> ../../out", "here/same"]);
        let drive = across.then(Scratch::new);
        let far = drive.as_ref().map_or_else(|| ground.tree().join("far"), Scratch::path);
        if !how.is_empty() {
            make(&far, &["there/x -> gone", "there/both/own"]);
        }
        let to = far.join("there").to_str().expect("plain").to_owned();
        let words = ["move", "-y", "--no-refs"].iter().chain(how).chain(&["here"]);
        let words = words.map(|word| (*word).to_owned()).chain([to]).collect();
        let old = Self { ground, drive, words };
        for folder in old.folders().keys() {
            std::fs::File::open(folder).expect("a folder").set_modified(then()).expect("a time");
        }
        old
    }

    fn words(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }

    /// Every folder of the two, and when it was last changed. Their own folders are somebody else's: there
    /// names come and go, as with any program.
    fn folders(&self) -> BTreeMap<PathBuf, SystemTime> {
        let mut found = BTreeMap::new();
        let there = PathBuf::from(self.words.last().expect("a place"));
        let mut todo = vec![self.ground.tree().join("here"), there];
        while let Some(place) = todo.pop() {
            let Ok(facts) = std::fs::symlink_metadata(&place) else { continue };
            if facts.is_dir() {
                let all = std::fs::read_dir(&place).expect("a folder");
                todo.extend(all.map(|entry| entry.expect("an entry").path()));
                found.insert(place, facts.modified().expect("a time"));
            }
        }
        found
    }

    /// Names, texts and contents.
    fn looks(&self) -> String {
        let all = listing(&self.ground.tree());
        let far = self.drive.as_ref().map(|drive| listing(&drive.path())).unwrap_or_default();
        let names = |line: &str| line.split(" (").next().unwrap_or_default().to_owned();
        all.lines().chain(far.lines()).map(names).collect::<Vec<_>>().join("\n")
    }

    fn is_old(&self, looks: &str, what: &str) {
        assert_eq!(self.looks(), looks, "{what}");
        let changed: Vec<_> =
            self.folders().into_iter().filter(|(_, time)| *time != then()).collect();
        assert!(changed.is_empty(), "{what}: {changed:?}");
    }
}

fn points(how: &[&str], across: bool) -> Vec<(String, usize)> {
    let old = Old::new(how, across);
    let (ran, points) = probe(&old.ground, &old.words());
    assert_eq!(ran.code, 0, "{ran:?}");
    let calls = ["renameat2", "symlinkat", "unlinkat"];
    let all = points.into_iter().filter(|(call, _)| calls.contains(&call.as_str()));
    all.flat_map(|(call, numbers)| numbers.into_iter().map(move |number| (call.clone(), number)))
        .collect()
}

fn taken_back(how: &[&str], across: bool) {
    let (mut unfinished, mut back) = (0, 0);
    for (call, number) in points(how, across) {
        let old = Old::new(how, across);
        let looks = old.looks();
        killed(&old.ground, &call, number, &old.words());
        if !is_unfinished(&old.ground) {
            continue;
        }
        unfinished += 1;
        let ran = old.ground.run(&["recover", "-y", "--back"]);
        let what = format!("{call} {number}: {ran:?}");
        assert_eq!(ran.code, 0, "{what}");
        // Where something was freed it can only be finished.
        if std::fs::symlink_metadata(old.ground.tree().join("here")).is_ok_and(|it| it.is_dir()) {
            back += 1;
            old.is_old(&looks, &what);
        }
    }
    assert!(unfinished > 5 && back > 4, "{unfinished} {back}");
}

fn failed(how: &[&str], across: bool) {
    let mut back = 0;
    for (call, number) in points(how, across) {
        let old = Old::new(how, across);
        let looks = old.looks();
        let inject = format!("inject={call}:error=EIO:when={number}");
        let trace = format!("trace={call}");
        let options = ["-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
        let ran = traced(&old.ground, &options, &old.words()).output();
        let ran: Ran = ran.expect("strace can be started").into();
        if ran.code == 1 && !is_unfinished(&old.ground) {
            back += 1;
            old.is_old(&looks, &format!("{call} {number}: {ran:?}"));
        }
    }
    assert!(back > 2, "{back}");
}

fn changed_since() {
    let old = Old::new(&MERGE, false);
    let looks = old.looks();
    let all = points(&MERGE, false);
    let (call, number) =
        all.iter().filter(|(call, _)| call == "renameat2").nth(2).expect("several");
    killed(&old.ground, call, *number, &old.words());
    assert!(is_unfinished(&old.ground));
    let there = Path::new(old.words.last().expect("a place")).to_owned();
    let later = SystemTime::now() + Duration::from_secs(60);
    let folder = std::fs::File::open(&there).expect("a folder");
    folder.set_modified(later).expect("a time");
    let ran = old.ground.run(&["recover", "-y", "--back"]);
    assert_eq!((ran.code, old.looks()), (0, looks), "{ran:?}");
    for (folder, time) in old.folders() {
        assert_eq!(time == then(), folder != there, "{folder:?}: {ran:?}");
    }
}
