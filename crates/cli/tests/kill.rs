//! Killed at every changing call: afterwards everything is as before or as after, and the next run knows.
//!
//! The real program runs below `strace`, which kills it as it enters the N-th call of one kind, for N =
//! 1, 2, … until that kind comes no more. `LINKWELL_TEST_KILLS=all` also kills `recover` for every row.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test stands outside: it makes its trees, looks at them by itself, and prints what was counted"
)]

use crate::support::{Ground, LINKWELL};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::program::Ran;
use std::collections::BTreeMap;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

/// A command that is killed at every call.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    /// What stands there.
    pub(crate) lines: &'static [&'static str],
    /// What is done before, whole: by linkwell, or by a shell in the tree (`sh`).
    pub(crate) before: &'static [&'static [&'static str]],
    /// The command.
    pub(crate) command: &'static [&'static str],
}

impl Row {
    /// What stands there, made. `$` in a target is the tree.
    pub(crate) fn ground(&self) -> Ground {
        let ground = Ground::with(&[]);
        let tree = ground.tree();
        let tree = tree.to_str().expect("a plain path");
        let lines: Vec<String> = self.lines.iter().map(|line| line.replace('$', tree)).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        linkwell_testkit::tree::make(&ground.tree(), &lines);
        ground
    }

    /// What stands there, with what is done before.
    pub(crate) fn prepared(&self) -> Ground {
        let ground = self.ground();
        self.prepare(&ground);
        ground
    }

    /// Does what is done before.
    pub(crate) fn prepare(&self, ground: &Ground) {
        for command in self.before {
            if let ["sh", line] = command {
                let done =
                    Command::new("sh").args(["-c", line]).current_dir(ground.tree()).status();
                assert!(done.is_ok_and(|done| done.success()), "{line}");
            } else {
                let ran = ground.run(command);
                assert_eq!(ran.code, 0, "{command:?}: {ran:?}");
            }
        }
    }
}

pub(crate) const fn row(
    name: &'static str,
    lines: &'static [&'static str],
    before: &'static [&'static [&'static str]],
    command: &'static [&'static str],
) -> Row {
    Row { name, lines, before, command }
}

/// One line a command. All that changes something belongs here; `gates` runs the same.
pub(crate) const ROWS: [Row; 39] = [
    row("create a link", F, &[], &["create", "-y", "f", "d/new"]),
    row("create --hard", F, &[], &["create", "-y", "--hard", "f", "d/new"]),
    row("create -f", F, &[], &["create", "-y", "-f", "f", "l"]),
    row("create -b over a file", F, &[], &["create", "-y", "-b", "f", "g"]),
    row("create --hard -b", F, &[], &["create", "-y", "--hard", "-b", "f", "g"]),
    row("create --shortcut", F, &[], &["create", "-y", "--shortcut", "f", "d/new"]),
    row("create -t, three", F, &[], &["create", "-y", "-t", "d", "f", "g", "e"]),
    row("undo of a link", F, &[&["create", "-y", "f", "d/new"]], &["undo", "-y"]),
    row("undo of --hard", F, &[&["create", "-y", "--hard", "f", "d/new"]], &["undo", "-y"]),
    row("undo of -f", F, &[&["create", "-y", "-f", "f", "l"]], &["undo", "-y"]),
    row("undo of -b", F, &[&["create", "-y", "-b", "f", "g"]], &["undo", "-y"]),
    row("undo of --shortcut", F, &[&["create", "-y", "--shortcut", "f", "n"]], &["undo", "-y"]),
    row("undo of three", F, &[&["create", "-y", "-t", "d", "f", "g", "e"]], &["undo", "-y"]),
    row("retarget", F, &[], &["retarget", "-y", "l", "--to", "f"]),
    row("retarget --absolute", F, &[], &["retarget", "-y", "--under", ".", "--absolute"]),
    row("undo of retarget", F, &[&["retarget", "-y", "l", "--to", "f"]], &["undo", "-y"]),
    row("convert to contents", F, &[], &["convert", "-y", "l", "--to", "contents"]),
    row("convert to hard", F, &[], &["convert", "-y", "l", "--to", "hard"]),
    row("move", F, &[], &["move", "-y", "--no-refs", "d", "e/d"]),
    row("move --no-link", F, &[], &["move", "-y", "--no-refs", "--no-link", "f", "e/"]),
    row(
        "move --back",
        F,
        &[&["move", "-y", "--no-refs", "d", "e/d"]],
        &["move", "-y", "--no-refs", "--back", "d"],
    ),
    row("undo of move", F, &[&["move", "-y", "--no-refs", "d", "e/d"]], &["undo", "-y"]),
    row(
        "undo of move --back",
        F,
        &[&["move", "-y", "--no-refs", "d", "e/d"], &["move", "-y", "--no-refs", "--back", "d"]],
        &["undo", "-y"],
    ),
    row(
        "move, links rewritten",
        M,
        &[],
        &["move", "-y", "--rewrite-inner", "--under", ".", "A", "e/B"],
    ),
    row(
        "move, links followed",
        M,
        &[],
        &["move", "-y", "--follow-refs", "--under", ".", "A", "e/B"],
    ),
    row("move --no-link, links", M, &[], &["move", "-y", "--no-link", "--under", ".", "A", "e/B"]),
    row(
        "move --back, links",
        M,
        &[&["move", "-y", "--follow-refs", "--under", ".", "A", "e/B"]],
        &["move", "-y", "--under", ".", "--back", "A"],
    ),
    row(
        "undo of move --no-link, links",
        M,
        &[&["move", "-y", "--no-link", "--under", ".", "A", "e/B"]],
        &["undo", "-y"],
    ),
    row("move --merge", MERGED, &[], &["move", "-y", "--merge", "here", "there"]),
    row("move --merge --free", MERGED, &[], &["move", "-y", "--merge", "--free", "here", "there"]),
    row(
        "undo of move --merge",
        MERGED,
        &[&["move", "-y", "--merge", "here", "there"]],
        &["undo", "-y"],
    ),
    row("repair", F, LOST, &["repair", "-y", "--near"]),
    row("undo of repair", F, REPAIRED, &["undo", "-y"]),
    row("repair --delete", F, GONE, &["repair", "-y", "--near", "--delete"]),
    row(
        "repair --replaced target",
        F,
        SAVED_OVER,
        &["repair", "-y", "--near", "--replaced", "target"],
    ),
    row("repair --replaced both", F, SAVED_OVER, &["repair", "-y", "--near", "--replaced", "both"]),
    row("undo of repair --replaced", F, UNDER, &["undo", "-y"]),
    row("remove into the trash", F, &[], &["remove", "-y", "--no-refs", "d", "l"]),
    row("remove --forever", F, &[], &["remove", "-y", "--no-refs", "--forever", "d", "l"]),
];

/// A folder with links that lead out of it and into it, and some elsewhere that do.
const M: &[&str] = &[
    "f",
    "e/",
    "A/x",
    "A/s/out -> ../../f",
    "A/in -> ../A/x",
    "A/abs -> $/A/x",
    "l -> A/x",
    "e/m -> ../A/s",
];

/// `here/only` leads out of it; `x` differs, and `one` is one file.
const MERGED: &[&str] = &[
    "here/x",
    "there/x/in",
    "here/only/l -> ../../out",
    "here/only/f",
    "here/new -> ../out",
    "there/one",
    "here/one == there/one",
    "out",
];

const TRACK: &[&str] = &["track", "."];

/// What a link on record leads to has moved.
const LOST: &[&[&str]] = &[TRACK, AWAY];

const AWAY: &[&str] = &["sh", "mv g e/h"];

/// Nothing else may look like it.
const GONE: &[&[&str]] = &[&["sh", "echo longer >g"], TRACK, &["sh", "rm g"]];

const OVER: &[&str] = &["sh", "mv f l"];

const REPAIRED: &[&[&str]] = &[TRACK, AWAY, &["repair", "-y", "--near"]];

/// A program saved a file over a link on record.
const SAVED_OVER: &[&[&str]] = &[TRACK, OVER];

const UNDER: &[&[&str]] = &[TRACK, OVER, &["repair", "-y", "--near", "--replaced", "target"]];

const F: &[&str] = &["f", "g", "d/x", "e/", "l -> g"];

/// The kinds of call that change something. A kind that a row does not make costs one run.
const CALLS: [&str; 28] = [
    "symlinkat",
    "linkat",
    "renameat2",
    "renameat",
    "unlinkat",
    "mkdirat",
    "mknodat",
    "write",
    "fsync",
    "fdatasync",
    "syncfs",
    "ftruncate",
    "utimensat",
    "fchownat",
    "fchmod",
    "fchmodat",
    "setxattr",
    "fsetxattr",
    "removexattr",
    "fremovexattr",
    "fallocate",
    "ioctl",
    "pwrite64",
    "pwritev",
    "copy_file_range",
    "sendfile",
    "openat",
    "flock",
];

pub(crate) fn trials() -> Vec<Trial> {
    let needs = [Need::Program("strace")];
    let mut trials: Vec<Trial> = ROWS
        .iter()
        .map(|row| test_with(&format!("kill: {}", row.name), &needs, move || sweep(row)))
        .collect();
    let all = std::env::var_os("LINKWELL_TEST_KILLS").is_some_and(|value| value == "all");
    let some =
        ROWS.iter().filter(|row| all || matches!(row.name, "create -b over a file" | "undo of -f"));
    trials.extend(some.map(|row| {
        test_with(&format!("kill: recover after {}", row.name), &needs, move || sweep_recover(row))
    }));
    trials
}

/// linkwell below strace, with these options of strace's.
pub(crate) fn traced<S: AsRef<std::ffi::OsStr>>(
    ground: &Ground,
    options: &[&str],
    arguments: &[S],
) -> Command {
    // Only its surroundings are wanted.
    let command = ground.command();
    let mut traced = Command::new("strace");
    traced.arg("-f").args(options).arg(LINKWELL).args(arguments);
    traced.current_dir(ground.tree()).env_clear().stdin(std::process::Stdio::null());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            traced.env(name, value);
        }
    }
    traced
}

/// How many calls of each kind the command makes, by what strace wrote down.
pub(crate) fn probe(ground: &Ground, arguments: &[&str]) -> (Ran, BTreeMap<String, Vec<usize>>) {
    let file = ground.scratch().join("trace");
    let kinds = format!("trace={}", CALLS.join(","));
    let out = file.to_str().expect("a plain path").to_owned();
    let ran = traced(ground, &["-qq", "-o", &out, "-e", &kinds], arguments).output();
    let ran: Ran = ran.expect("strace can be started").into();
    let text = std::fs::read_to_string(&file).expect("a trace");
    std::fs::remove_file(&file).expect("the trace");
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut points: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for line in text.lines() {
        let call = line.split_once(' ').map(|(_, call)| call.trim_start()).unwrap_or_default();
        let Some((name, rest)) = call.split_once('(') else { continue };
        if !CALLS.contains(&name) {
            continue;
        }
        let count = counts.entry(name.to_owned()).or_default();
        *count += 1;
        // Opening is a change only where something may be made or written; and of what is asked of
        // drivers only this.
        let changes: &[&str] = match name {
            "openat" => &["O_CREAT", "O_WRONLY", "O_RDWR"],
            "ioctl" => &["FICLONE", "FS_IOC_FSSETXATTR", "FS_IOC_SETFLAGS"],
            _ => &[""],
        };
        if changes.iter().any(|change| rest.contains(change)) {
            points.entry(name.to_owned()).or_default().push(*count);
        }
    }
    assert!(points.len() > 3, "strace saw too little: {text}");
    (ran, points)
}

/// Runs the command, killed at one call; `false` when it was not.
pub(crate) fn killed(ground: &Ground, call: &str, number: usize, arguments: &[&str]) -> bool {
    let inject = format!("inject={call}:signal=KILL:when={number}");
    let trace = format!("trace={call}");
    let options = ["-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    let status = traced(ground, &options, arguments)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .expect("strace can be started");
    status.signal() == Some(9) || status.code() == Some(137)
}

/// The listing without the times, which are other ones for what is made anew.
fn timeless(listing: &str) -> String {
    // A name may hold such signs as well, but no digit behind them.
    let begin = |line: &str| {
        let all = line.match_indices(" (").map(|(at, _)| at);
        let mut times = all.filter(|at| {
            line.get(at + 2..)
                .is_some_and(|rest| rest.starts_with(|sign: char| sign.is_ascii_digit()))
        });
        times.next()
    };
    let line = |line: &str| match begin(line) {
        Some(from) => {
            let (head, rest) = line.split_at(from);
            let to = rest.find(") ").unwrap_or(0);
            format!("{head}{}", rest.get(to..).unwrap_or_default())
        }
        None => line.to_owned(),
    };
    // A shortcut names the whole path of what it leads to.
    listing.lines().map(line).map(|line| scratchless(&line)).collect::<Vec<_>>().join("\n")
}

/// A line without the name of the temporary folder.
fn scratchless(line: &str) -> String {
    let mut parts = line.split("linkwell-test-");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push_str(part.get(6..).unwrap_or_default());
    }
    out
}

/// Whether an operation was begun and has not ended, by the names and the last line of the records.
pub(crate) fn is_unfinished(ground: &Ground) -> bool {
    let Ok(records) = std::fs::read_dir(ground.scratch().join("state/linkwell/operations")) else {
        return false;
    };
    records.map(|record| record.expect("a record").path()).any(|path| {
        path.extension().is_some_and(|end| end == "unfinished")
            && !std::fs::read_to_string(path).expect("a record").contains("{\"ended\":")
    })
}

/// How the tree looks when the command has been done.
fn goal(row: &Row) -> (String, BTreeMap<String, Vec<usize>>) {
    let ground = row.prepared();
    let (ran, points) = probe(&ground, row.command);
    assert_eq!(ran.code, 0, "{}: {ran:?}", row.name);
    (timeless(&ground.listing()), points)
}

/// How many pages the catalogue writes depends on numbers of inodes and on times.
fn may_be_missed(call: &str) -> bool {
    call == "pwrite64"
}

fn sweep(row: &Row) {
    let (goal, points) = goal(row);
    let (mut kills, mut torn, mut unfinished) = (0, 0, 0);
    for (call, numbers) in points {
        for number in numbers {
            let ground = row.prepared();
            let before = ground.listing();
            let what = format!("{}, killed at {call} {number}", row.name);
            // The kinds and their order do not depend on chance, so each point that was seen is met: but for
            // those of the database.
            if !killed(&ground, call.as_str(), number, row.command) {
                assert!(may_be_missed(&call), "not {what}");
                continue;
            }
            kills += 1;
            let now = ground.listing();
            torn += usize::from(now != before && timeless(&now) != goal);
            unfinished += usize::from(is_unfinished(&ground));
            mended(row, &ground, &before, &goal, &what);
        }
    }
    println!("{}: killed {kills} times; {unfinished} unfinished; {torn} times half done", row.name);
    assert!(unfinished > 0, "never killed in the middle");
}

/// After a kill: what is unfinished is said, recovered once, and then the command can be given again.
fn mended(row: &Row, ground: &Ground, before: &str, goal: &str, what: &str) {
    let unfinished = is_unfinished(ground);
    let list = ground.run(&["list", "."]);
    assert_eq!(list.err.contains("is not finished"), unfinished, "{what}: {list:?}");
    let recover = ground.run(&["recover", "-y"]);
    assert_eq!(recover.code, 0, "{what}: {recover:?}");
    let now = ground.listing();
    let is_before = now == before;
    assert!(
        is_before || timeless(&now) == goal,
        "{what}: {recover:?}\nbefore:\n{before}\n\nnow:\n{now}\n\ngoal:\n{goal}"
    );
    assert_eq!(ground.strays(), Vec::<String>::new(), "{what}");
    let again = ground.run(&["recover", "-y"]);
    assert_eq!((again.code, ground.listing()), (0, now), "{what}: {again:?}");
    assert!(again.err.contains("nothing was interrupted"), "{what}: {again:?}");
    if is_before {
        let ran = ground.run(row.command);
        assert_eq!(
            (ran.code, timeless(&ground.listing())),
            (0, goal.to_owned()),
            "{what}: {ran:?}"
        );
    }
}

/// Killed near its end, and then `recover` killed at every call of its own.
fn sweep_recover(row: &Row) {
    let (goal, points) = goal(row);
    // The last sync that leaves the operation unfinished: its steps are done, its end is not recorded.
    let stops = points.get("fsync").into_iter().flatten().rev();
    let found = stops.copied().find_map(|number| {
        let ground = row.prepared();
        let met = killed(&ground, "fsync", number, row.command) && is_unfinished(&ground);
        met.then_some((number, ground))
    });
    let Some((stop, first)) = found else { unreachable!("{}: never unfinished", row.name) };
    let (ran, recovering) = probe(&first, &["recover", "-y"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let mut kills = 0;
    for (call, numbers) in recovering {
        for number in numbers {
            let ground = row.prepared();
            let before = ground.listing();
            assert!(killed(&ground, "fsync", stop, row.command) && is_unfinished(&ground));
            let what = format!("{}, recover killed at {call} {number}", row.name);
            if !killed(&ground, &call, number, &["recover", "-y"]) {
                assert!(may_be_missed(&call), "not {what}");
                continue;
            }
            kills += 1;
            mended(row, &ground, &before, &goal, &what);
        }
    }
    println!("recover after {}: killed {kills} times", row.name);
}
