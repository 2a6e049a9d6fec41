//! `create` beside GNU's `ln`: the same situations, the same outcome wherever the flags mean the same.
//!
//! Where ours deliberately differs, the difference is named, must be explained by what stands there, and
//! is counted: ours has then refused and changed nothing, or had nothing to do.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test stands outside: it makes its trees, looks at them by itself, and prints what was counted"
)]

use crate::situation::{Random, Situation, situation};
use crate::support::{LINKWELL, text};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::program::{self, Ran};
use linkwell_testkit::tree::{Scratch, make};
use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// So many situations a trial, unless `LINKWELL_TEST_SITUATIONS` says otherwise.
const SITUATIONS: usize = 500;

pub(crate) fn trials() -> Vec<Trial> {
    let needs = [Need::Program("ln")];
    let mut trials: Vec<Trial> = (1..=4_u64)
        .map(|seed| {
            let name = format!("create as ln: the same trees, seed {seed}");
            test_with(&name, &needs, move || compare(seed))
        })
        .collect();
    trials.push(test_with("create as ln: GNU's destroying cases are refused", &needs, destroying));
    trials
}

/// A tree: every entry with its kind, contents or text, and the first of its names.
type Picture = BTreeMap<String, String>;

/// Where the tree is, below the folder that is looked at.
const BELOW: &str = "a/b/tree";

/// What is in the folder above the trees.
fn picture(ground: &Path) -> Picture {
    let tree = &ground.join("above");
    let mut found: BTreeMap<String, (PathBuf, std::fs::Metadata)> = BTreeMap::new();
    let mut todo = vec![tree.to_path_buf()];
    while let Some(folder) = todo.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder of the test's own") {
            let path = entry.expect("an entry").path();
            let status = std::fs::symlink_metadata(&path).expect("it is there");
            if status.is_dir() {
                todo.push(path.clone());
            }
            let below = path.strip_prefix(tree).expect("below").display().to_string();
            found.insert(below, (path, status));
        }
    }
    let mut first: BTreeMap<u64, String> = BTreeMap::new();
    for (below, (_, status)) in &found {
        first.entry(status.ino()).or_insert_with(|| below.clone());
    }
    let show = |(path, status): &(PathBuf, std::fs::Metadata)| {
        if status.is_dir() {
            return "folder".to_owned();
        }
        let group = first.get(&status.ino()).cloned().unwrap_or_default();
        if status.is_symlink() {
            let target = std::fs::read_link(path).expect("a link");
            return format!("link {} = {group}", target.display());
        }
        format!("file {} = {group}", std::fs::read_to_string(path).expect("a file"))
    };
    found.iter().map(|(below, entry)| (below.clone(), show(entry))).collect()
}

/// The contents of all real files, which nobody may lose.
fn contents(picture: &Picture) -> Vec<&str> {
    let mut all: Vec<&str> = picture
        .values()
        .filter_map(|entry| entry.strip_prefix("file "))
        .filter_map(|entry| entry.split(" = ").next())
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// The tree of a situation, built anew, so deep below `ground` that no path leads out of that.
fn build(ground: &Path, lines: &[&str]) {
    let above = ground.join("above");
    drop(std::fs::remove_dir_all(&above));
    let tree = &above.join(BELOW);
    std::fs::create_dir_all(tree).expect("the tree");
    let mut there: Vec<&str> = Vec::new();
    for line in lines {
        // A second name needs the first.
        if line.split_once(" == ").is_none_or(|(_, other)| there.contains(&other)) {
            there.push(line);
        }
    }
    make(tree, &there);
}

/// What ours refused, by its word, and the sentence.
fn refusals(ran: &Ran) -> Vec<(String, String, String)> {
    let object = |line| serde_json::from_str(line).expect("each line is one JSON object");
    let objects: Vec<serde_json::Value> = ran.out.lines().map(object).collect();
    let conflicts = objects.iter().filter(|object| text(object, "type") == "conflict");
    conflicts
        .map(|object| (text(object, "why"), text(object, "error"), text(object, "path")))
        .collect()
}

/// Why ours may refuse what GNU does: found out from the disk, not from what ours says.
fn excuses(
    situation: &Situation,
    here: &Path,
    destination: &str,
    target: &str,
) -> Vec<&'static str> {
    let mut all = Vec::new();
    let place = here.join(destination);
    let link = situation.link.as_deref().unwrap_or(".");
    let force = situation.flags.contains(&"-f");
    let backup = situation.flags.iter().any(|flag| *flag != "-f");
    let real = |path: &Path| std::fs::symlink_metadata(path).is_ok_and(|found| !found.is_symlink());
    if !situation.into
        && !situation.exact
        && std::fs::metadata(here.join(link)).is_ok_and(|found| found.is_dir())
    {
        // `link` is a folder, and nothing said: inside it.
        all.extend(["is_folder", "taken", "taken_by_link", "same"]);
    }
    if real(&place) && (force || !backup) {
        all.push("taken");
    }
    if real(&place) && place.is_dir() {
        all.push("taken");
    }
    if std::fs::metadata(here.join(target)).is_err() {
        // A link that would be broken; also when the two names are the wrong way round.
        all.extend(["would_break", "would_loop", "would_not_be_folder", "too_deep"]);
        all.extend(["other", "nothing_there"]);
    }
    if let (Ok(one), Ok(other)) =
        (std::fs::symlink_metadata(&place), std::fs::symlink_metadata(here.join(target)))
        && (one.dev(), one.ino()) == (other.dev(), other.ino())
    {
        all.push("same");
    }
    // The target leads through the name that would become the link.
    all.push("would_loop");
    if backup {
        // The name of the backup is taken, by the target or by an older backup.
        all.push("other");
    }
    let folder = place.parent().and_then(|folder| std::fs::canonicalize(folder).ok());
    let leads = std::fs::canonicalize(here.join(target)).ok();
    if let (Some(folder), Some(leads)) = (folder, leads)
        && folder.starts_with(leads)
    {
        all.push("other");
    }
    all
}

fn compare(seed: u64) {
    let mut random = Random(seed);
    let situations = std::env::var("LINKWELL_TEST_SITUATIONS").ok();
    let situations = situations.and_then(|count| count.parse().ok()).unwrap_or(SITUATIONS);
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    let mut ground = Scratch::new();
    for number in 0..situations {
        if number % 50 == 0 {
            ground = Scratch::new();
            make(&ground.path(), &["state/", "home/"]);
        }
        let situation = situation(&mut random);
        for word in one(&ground, &situation, number % 4 == 0) {
            *counted.entry(word).or_default() += 1;
        }
    }
    println!("seed {seed}: {counted:?}");
    let count = |word: &str| counted.get(word).copied().unwrap_or(0);
    // The generator must bring about what this test is for.
    assert!(count("both done") > situations / 20, "{counted:?}");
    assert!(count("both refused") > situations / 20, "{counted:?}");
    for word in ["differs: is_folder", "differs: taken", "differs: would_break", "already there"] {
        assert!(count(word) > 0, "never seen: {word}: {counted:?}");
    }
    assert!(count("GNU lost a file") > 0, "{counted:?}");
}

/// Runs one situation in both; gives the words that it is counted under.
fn one(ground: &Scratch, situation: &Situation, undo: bool) -> Vec<String> {
    let (ground_path, tree) = (ground.path(), ground.join("above").join(BELOW));
    build(&ground_path, &situation.lines);
    let here = tree.join(situation.folder);
    let gnu = program::run("ln", &here, &situation.arguments(&tree, true));
    let theirs = picture(&ground_path);
    build(&ground_path, &situation.lines);
    let before = picture(&ground_path);
    let destinations = situation.destinations(&here);
    let excuses: Vec<Vec<&str>> = destinations
        .iter()
        .zip(&situation.targets)
        .map(|(link, target)| excuses(situation, &here, link, target))
        .collect();
    let arguments = situation.arguments(&tree, false);
    let mut command = program::command(LINKWELL, &here);
    command.env("HOME", ground.join("home")).env("XDG_STATE_HOME", ground.join("state"));
    let ours: Ran = command.args(&arguments).output().expect("linkwell can be started").into();
    let after = picture(&ground_path);
    let say = || {
        format!(
            "{situation:#?}\nGNU: {gnu:?}\nours: {ours:#?}\nbefore: {before:#?}\nGNU's: {theirs:#?}\nours: {after:#?}"
        )
    };
    let mut words = Vec::new();
    if contents(&theirs) != contents(&before) {
        words.push("GNU lost a file".to_owned());
    }
    assert_eq!(contents(&after), contents(&before), "a file was lost: {}", say());
    let refused = refusals(&ours);
    match ours.code {
        0 => assert!(refused.is_empty(), "{}", say()),
        1 | 2 => assert_eq!(after, before, "refused and changed: {}", say()),
        3 => assert!(!refused.is_empty() && situation.targets.len() > 1, "{}", say()),
        _ => unreachable!("{}", say()),
    }
    let dotted = situation
        .targets
        .iter()
        .any(|target| matches!(target.trim_end_matches('/').rsplit('/').next(), Some("." | "..")));
    match (gnu.code == 0, ours.code == 0) {
        (false, false) if ours.code != 3 => words.push("both refused".into()),
        (true, true) if after == theirs => words.push("both done".into()),
        // Ours leaves alone what is as it was asked for; GNU replaces it, or makes a backup of it.
        (_, true) if after == before => {
            words.push("already there".into());
            for (link, target) in destinations.iter().zip(&situation.targets) {
                let leads =
                    |path: &str| std::fs::metadata(here.join(path)).map(|found| found.ino()).ok();
                assert_eq!(leads(link), leads(target), "{}", say());
            }
        }
        // `..` and `.` as a last name: ours takes the name of the folder that they lead to.
        (false, true) if dotted => words.push("ours knows the name of `..`".into()),
        // One of several was refused, or was there already.
        _ if situation.targets.len() > 1 && dotted => words.push("in part: dotted".into()),
        // The same name twice: ours takes the first, GNU, with backups or `-f`, the last.
        _ if refused.iter().any(|(why, _, _)| why == "twice") => {
            words.push("in part: twice".into())
        }
        _ if situation.targets.len() > 1 => {
            words.extend(each(&before, &theirs, &after, &refused, &excuses, &say))
        }
        (true, false) => {
            let why = refused.first().map(|(why, _, _)| why.as_str()).unwrap_or("usage");
            let excused = excuses.iter().flatten().any(|excuse| *excuse == why);
            assert!(excused, "no reason to refuse: {}", say());
            words.push(format!("differs: {why}"));
        }
        _ => unreachable!("{}", say()),
    }
    if undo && ours.code == 0 && after != before {
        let mut command = program::command(LINKWELL, &here);
        command.env("HOME", ground.join("home")).env("XDG_STATE_HOME", ground.join("state"));
        let undone: Ran = command.args(["undo", "-y"]).output().expect("linkwell").into();
        assert_eq!(
            (undone.code, picture(&ground_path)),
            (0, before.clone()),
            "{undone:?}: {}",
            say()
        );
        words.push("undone".into());
    }
    words
}

/// Several links, of which ours refused some: each entry is as GNU has it, or as it was.
fn each(
    before: &Picture,
    theirs: &Picture,
    after: &Picture,
    refused: &[(String, String, String)],
    excuses: &[Vec<&str>],
    say: &dyn Fn() -> String,
) -> Vec<String> {
    // The group of names of one file depends on which names there are.
    let bare = |entry: Option<&String>| {
        entry.map(|entry| entry.split(" = ").next().unwrap_or("").to_owned())
    };
    for name in before.keys().chain(theirs.keys()).chain(after.keys()) {
        let now = bare(after.get(name));
        assert!(
            now == bare(theirs.get(name)) || now == bare(before.get(name)),
            "`{name}` is neither as before nor as GNU has it: {}",
            say()
        );
    }
    for (why, _, _) in refused {
        let known = [
            "twice",
            "no_folder",
            "not_a_folder",
            "nothing_there",
            "taken_by_link",
            "name",
            "system",
            "taken",
            "other",
        ];
        let excused =
            known.contains(&why.as_str()) || excuses.iter().flatten().any(|excuse| excuse == why);
        assert!(excused, "no reason to refuse ({why}): {}", say());
    }
    refused.iter().map(|(why, _, _)| format!("in part: {why}")).collect()
}

/// The cases in which GNU destroys what a person had: shown with GNU, refused by ours.
fn destroying() {
    // What stands there, GNU's command, ours, and the content that GNU loses (none: a link).
    type Words = &'static [&'static str];
    let cases: [(Words, Words, Words, Option<&str>); 4] = [
        (&["f", "l -> f"], &["-f", "l", "f"], &["--hard", "-f", "l", "f"], Some("f")),
        (&["g", "g~"], &["-b", "g~", "g"], &["--hard", "-b", "g~", "g"], Some("g~")),
        (&["f", "x -> f"], &["-sf", "x", "x"], &["-f", "x", "x"], None),
        (&["f", "g"], &["-sf", "f", "g"], &["-f", "f", "g"], Some("g")),
    ];
    for (lines, theirs, ours, lost) in cases {
        let ground = Scratch::new();
        make(&ground.path(), &["state/", "home/"]);
        let (ground_path, tree) = (ground.path(), ground.join("above").join(BELOW));
        build(&ground_path, lines);
        let before = picture(&ground_path);
        let gnu = program::run("ln", &tree, theirs);
        let after = picture(&ground_path);
        assert_eq!(gnu.code, 0, "GNU no longer does {theirs:?}: {gnu:?}");
        match lost {
            Some(lost) => assert!(!contents(&after).contains(&lost), "GNU keeps {lost}: {after:?}"),
            None => assert!(std::fs::metadata(tree.join("x")).is_err(), "GNU keeps x: {after:?}"),
        }
        build(&ground_path, lines);
        let mut command = program::command(LINKWELL, &tree);
        command.env("HOME", ground.join("home")).env("XDG_STATE_HOME", ground.join("state"));
        let ran: Ran = command.args(["create", "-y"]).args(ours).output().expect("linkwell").into();
        assert_eq!((ran.code, picture(&ground_path)), (1, before), "{ours:?}: {ran:?}");
    }
}
