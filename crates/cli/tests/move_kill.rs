//! A move to another volume, killed at every changing call: afterwards the old path is whole, or the new
//! one is, and nothing lies about; and so it is when `recover` is killed as well.
//!
//! The real program runs below `strace`, as in `kill`. `LINKWELL_TEST_KILLS=all` kills at every call;
//! otherwise at some, with those of the steps that decide always among them.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test stands outside: it looks at its trees by itself, and prints what was counted"
)]

use crate::kill::{is_unfinished, killed, probe};
use crate::moving::{Drives, Stands};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::volume::{Kind, alone};

/// A command that is killed.
struct Row {
    name: &'static str,
    /// What is done before, whole.
    before: &'static [&'static [&'static str]],
    /// The command; `PATH` and `DEST` stand for the two places.
    command: &'static [&'static str],
    /// Where the tree stands at the end.
    goal: Stands,
}

const MOVE: &[&str] = &["move", "-y", "PATH", "DEST"];

const ROWS: [Row; 4] = [
    Row { name: "move", before: &[], command: MOVE, goal: Stands::There },
    Row {
        name: "move --no-link",
        before: &[],
        command: &["move", "-y", "--no-link", "PATH", "DEST"],
        goal: Stands::ThereAlone,
    },
    Row {
        name: "move --back",
        before: &[MOVE],
        command: &["move", "-y", "--back", "PATH"],
        goal: Stands::Here,
    },
    Row { name: "undo of move", before: &[MOVE], command: &["undo", "-y"], goal: Stands::Here },
];

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for (from, to) in [(Kind::Tmpfs, Kind::Tmpfs), (Kind::Ext4, Kind::Ext4)] {
        let mut needs = vec![Need::Root, Need::Program("strace")];
        needs.extend([from.needs(), to.needs()].concat());
        for row in &ROWS {
            // On the second pair of volumes only what is most used.
            if from != Kind::Ext4 || row.name == "move" || all() {
                let name = format!("move kill: {}, {} to {}", row.name, from.word(), to.word());
                trials.push(test_with(&name, &needs, move || sweep(row, (from, to))));
            }
            if from == Kind::Tmpfs && (matches!(row.name, "move" | "move --back") || all()) {
                let name = format!("move kill: recover after {}", row.name);
                trials.push(test_with(&name, &needs, move || sweep_recover(row, (from, to))));
            }
        }
    }
    trials
}

fn all() -> bool {
    std::env::var_os("LINKWELL_TEST_KILLS").is_some_and(|value| value == "all")
}

/// Of the points of a run, those that are tried: every one, or about so many.
fn tried(points: &[(String, usize)], count: usize) -> Vec<(String, usize)> {
    let step = if all() { 1 } else { points.len().div_ceil(count).max(1) };
    // The last symbolic link is the one that is exchanged; around it all is decided.
    let exchanged = points.iter().rposition(|(call, _)| call == "symlinkat");
    let some = points.iter().cloned().enumerate();
    some.filter(|(at, _)| at % step == 0 || Some(*at) == exchanged)
        .map(|(_, point)| point)
        .collect()
}

fn ready(drives: &Drives, row: &Row) -> Vec<String> {
    drives.lay();
    for command in row.before {
        let command = drives.command(command);
        let ran = drives.ground.run(&command);
        assert_eq!(ran.code, 0, "{command:?}: {ran:?}");
    }
    drives.command(row.command)
}

fn words(command: &[String]) -> Vec<&str> {
    command.iter().map(String::as_str).collect()
}

/// The points at which a command can be killed.
fn points(drives: &Drives, command: &[String]) -> Vec<(String, usize)> {
    let (ran, points) = probe(&drives.ground, &words(command));
    assert_eq!(ran.code, 0, "{command:?}: {ran:?}");
    points
        .into_iter()
        .flat_map(|(call, all)| all.into_iter().map(move |at| (call.clone(), at)))
        .collect()
}

/// Some of the last points may not be reached: how many processes are asked what they hold open, and which
/// of two threads does what, differs from run to run.
fn assert_few(missed: usize, kills: usize) {
    assert!(missed <= 2 + kills / 10, "{missed} points were not reached, {kills} were");
}

fn sweep(row: &Row, (from, to): (Kind, Kind)) {
    alone(|| {
        let Some(drives) = Drives::new(from, to) else { return };
        let command = ready(&drives, row);
        let points = points(&drives, &command);
        assert_eq!(drives.stands(row.name), row.goal, "{}", row.name);
        let (mut unfinished, mut forward, mut back, mut kills, mut missed) = (0, 0, 0, 0, 0);
        let some = tried(&points, if row.name == "move" { 16 } else { 10 });
        for (at, (call, number)) in some.into_iter().enumerate() {
            let what = format!("{}, killed at {call} {number}", row.name);
            let command = ready(&drives, row);
            let began = drives.stands(&what);
            if !killed(&drives.ground, &call, number, &words(&command)) {
                missed += 1;
                continue;
            }
            kills += 1;
            if is_unfinished(&drives.ground) {
                unfinished += 1;
                // The same command again must not make a second copy: it refuses, and says what to do.
                let ran = drives.ground.run(&command);
                assert_eq!(ran.code, 4, "{what}: {ran:?}");
                assert!(ran.err.contains("linkwell recover"), "{what}: {ran:?}");
            }
            let recover: &[&str] =
                if at % 2 == 0 { &["recover", "-y"] } else { &["recover", "-y", "--back"] };
            match mended(&drives, row, recover, began, &what) {
                stands if stands == began => back += 1,
                _ => forward += 1,
            }
        }
        println!(
            "| {} | {} to {} | {} | {kills} | {unfinished} | {back} | {forward} | 0 |",
            row.name,
            from.word(),
            to.word(),
            points.len()
        );
        assert!(unfinished > 0 && back > 0 && forward > 0, "never killed in the middle");
        assert_few(missed, kills);
    });
}

/// After a kill: recovered, the tree is whole at one place; a second recovery does nothing; and then the
/// command can be given again.
fn mended(drives: &Drives, row: &Row, recover: &[&str], began: Stands, what: &str) -> Stands {
    let ran = drives.ground.run(recover);
    assert_eq!(ran.code, 0, "{what}: {ran:?}");
    let stands = drives.stands(what);
    assert!(stands == began || stands == row.goal, "{what}: {stands:?}: {ran:?}");
    let again = drives.ground.run(&["recover", "-y"]);
    assert!(again.code == 0 && again.err.contains("nothing was interrupted"), "{what}: {again:?}");
    if stands == began {
        let ran = drives.ground.run(&drives.command(row.command));
        assert_eq!((ran.code, drives.stands(what)), (0, row.goal), "{what}: {ran:?}");
    } else {
        // Nothing nests, and nothing is moved twice.
        let ran = drives.ground.run(&drives.command(row.command));
        assert!(ran.code != 0 || row.command.contains(&"undo"), "{what}: {ran:?}");
        if !row.command.contains(&"undo") {
            assert_eq!(drives.stands(what), row.goal, "{what}: {ran:?}");
        }
    }
    stands
}

/// Killed in the middle of the copy, right after the exchange, and while the old is freed; then `recover`
/// killed at every call of its own, and `recover --back` too.
fn sweep_recover(row: &Row, kinds: (Kind, Kind)) {
    alone(|| {
        let Some(drives) = Drives::new(kinds.0, kinds.1) else { return };
        let command = ready(&drives, row);
        let points = points(&drives, &command);
        let last = |wanted: &str| points.iter().rfind(|(call, _)| call == wanted).cloned();
        let some = |wanted: &str, part: usize| {
            let of: Vec<_> = points.iter().filter(|(call, _)| call == wanted).collect();
            of.get(of.len() * part / 4).map(|point| (*point).clone())
        };
        // The exchange comes right before the record's last name.
        let exchanged = last("symlinkat");
        let stops = [some("utimensat", 2), exchanged, last("renameat2"), some("unlinkat", 2)];
        let (mut kills, mut met, mut missed) = (0, 0, 0);
        for (call, number) in stops.into_iter().flatten() {
            for recover in [&["recover", "-y"][..], &["recover", "-y", "--back"]] {
                let command = ready(&drives, row);
                assert!(killed(&drives.ground, &call, number, &words(&command)), "{call} {number}");
                if !is_unfinished(&drives.ground) {
                    continue;
                }
                met += 1;
                let recovering: Vec<String> = recover.iter().map(|word| (*word).into()).collect();
                let inner = self::points(&drives, &recovering);
                for (inner_call, inner_number) in tried(&inner, 2) {
                    let what = format!(
                        "{}, killed at {call} {number}, {recover:?} at {inner_call} {inner_number}",
                        row.name
                    );
                    let command = ready(&drives, row);
                    let began = drives.stands(&what);
                    assert!(killed(&drives.ground, &call, number, &words(&command)), "not {what}");
                    if !killed(&drives.ground, &inner_call, inner_number, recover) {
                        missed += 1;
                        continue;
                    }
                    kills += 1;
                    mended(&drives, row, &["recover", "-y"], began, &what);
                }
            }
        }
        println!("| recover after {} | tmpfs to tmpfs | | {kills} | | | | 0 |", row.name);
        assert!(met > 2 && kills > 10, "{met} {kills}");
        assert_few(missed, kills);
    });
}
