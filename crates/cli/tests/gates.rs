//! What the program asks of the system, read from `strace`: no changing call names a path, and nothing
//! below the tree is opened in a way that would follow a link.
#![expect(
    clippy::disallowed_methods,
    reason = "a test stands outside: it makes its trees, looks at them by itself"
)]

use crate::kill::{ROWS, Row, row, traced};
use crate::support::Ground;
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::program::Ran;
use std::path::Path;
use std::process::Command;

const TREE: &[&str] = &["f", "d/x", "d/sub/y", "d/l -> x", "d/h == d/x", "d/p |"];
const GO: &[&str] = &["move", "-y", "--no-refs", "d", "other/d"];

/// To another volume, where there is one in memory: `other`.
const ACROSS: [Row; 5] = [
    row("move across", TREE, &[], GO),
    row(
        "move across --no-link",
        TREE,
        &[],
        &["move", "-y", "--no-refs", "--no-link", "d", "other/"],
    ),
    row("move across of a file", TREE, &[], &["move", "-y", "--no-refs", "--keep", "f", "other/f"]),
    row("move across --back", TREE, &[GO], &["move", "-y", "--no-refs", "--back", "d"]),
    row("undo of move across", TREE, &[GO], &["undo", "-y"]),
];

pub(crate) fn trials() -> Vec<Trial> {
    let needs = [Need::Program("strace")];
    vec![
        test_with("gates: the gate sees what a shell does", &needs, control),
        test_with("gates: no changing call names a path", &needs, || all(&[], false)),
        test_with("gates: the same with the plain calls", &needs, || all(&[], true)),
        test_with("gates: the same where the kernel has no openat2", &needs, || {
            all(&["-e", "inject=openat2:error=ENOSYS"], false);
        }),
    ]
}

/// What is run beside the rows of `kill`: `recover` of each row that was killed.
fn all(options: &[&str], plain: bool) {
    let (mut changes, mut opens) = (0, 0);
    for row in ROWS.iter().chain(&ACROSS) {
        let seen = seen(row, options, plain);
        changes += seen.0;
        opens += seen.1;
    }
    // So that a gate that sees nothing is not taken for one that lets nothing through.
    assert!(changes > 5 * ROWS.len() && opens > ROWS.len(), "{changes} changes, {opens} opens");
}

/// Runs a row, and then `recover` after it was killed at its last sync; counts what was looked at.
fn seen(row: &Row, options: &[&str], plain: bool) -> (usize, usize) {
    let ready = || {
        let ground = if row.lines == TREE { Ground::with_other(row.lines) } else { row.ground() };
        row.prepare(&ground);
        ground
    };
    let mut ground = ready();
    let mut counted = (0, 0);
    let kill = ["-e", "inject=syncfs,fsync:signal=KILL:when=3"];
    let cut: Vec<&str> = options.iter().copied().chain(kill).collect();
    let commands: [(&[&str], &[&str], bool); 3] = [
        (row.command, &cut, false),
        (&["recover", "-y"], options, true),
        (row.command, options, true),
    ];
    for (arguments, options, whole) in commands {
        // It may have been done before it was killed, and not everything can be done twice.
        if whole && arguments == row.command {
            ground = ready();
        }
        let trace = ground.scratch().join("trace");
        let out = trace.to_str().expect("a plain path");
        let options: Vec<&str> = ["-y", "-qq", "-s", "5000", "-o", out]
            .into_iter()
            .chain(options.iter().copied())
            .collect();
        let mut command = traced(&ground, &options, arguments);
        if plain {
            command.env("LINKWELL_PLAIN_CALLS", "1");
        }
        let ran: Ran = command.output().expect("strace can be started").into();
        let text = std::fs::read_to_string(&trace).expect("a trace");
        let mut faults = faults(&text, &ground.tree());
        faults.extend(self::faults(&text, &ground.other()));
        assert!(faults.is_empty(), "{}: {arguments:?}: {faults:#?}", row.name);
        assert!(!whole || ran.code == 0, "{}: {arguments:?}: {ran:?}", row.name);
        counted.0 += calls(&text).filter(|call| is_change(call)).count();
        counted.1 += calls(&text).filter(|call| opened(call, &ground.tree()).is_some()).count();
        if plain || options.iter().any(|option| option.contains("ENOSYS")) {
            let used = calls(&text).any(|call| {
                call.name == "openat2" && call.is_whole() && !call.rest.contains("ENOSYS")
            });
            assert!(!used, "{}: openat2 was not hidden", row.name);
        }
    }
    counted
}

/// One call in a trace.
struct Call<'t> {
    name: &'t str,
    /// Its arguments and its result.
    rest: &'t str,
}

impl Call<'_> {
    /// Whether its result is there: a thread that came between, or a death, cuts a line in two.
    fn is_whole(&self) -> bool {
        !self.rest.contains("<unfinished") && !self.rest.ends_with("= ?")
    }
}

fn calls(trace: &str) -> impl Iterator<Item = Call<'_>> {
    trace.lines().filter_map(|line| {
        // `-f -o`: each line begins with the number of the process.
        let (_, call) = line.split_once(' ')?;
        let (name, rest) = call.trim_start().split_once('(')?;
        name.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            .then_some(Call { name, rest })
    })
}

/// The texts in quotes, in order: the paths, and the text of a link.
fn quoted(rest: &str) -> Vec<&str> {
    let mut all = Vec::new();
    let mut from = None;
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate() {
        match (from, byte) {
            (_, b'\\') if !escaped => {
                escaped = true;
                continue;
            }
            (None, b'"') => from = Some(at + 1),
            (Some(begin), b'"') if !escaped => {
                all.extend(rest.get(begin..at));
                from = None;
            }
            _ => {}
        }
        escaped = false;
    }
    all
}

/// Whether an opening call may make or change a file.
fn writes(rest: &str) -> bool {
    ["O_CREAT", "O_WRONLY", "O_RDWR", "O_TRUNC"].iter().any(|flag| rest.contains(flag))
}

/// Whether this call changes a file system by a name.
fn is_change(call: &Call<'_>) -> bool {
    const CHANGES: [&str; 36] = [
        "symlink",
        "symlinkat",
        "link",
        "linkat",
        "rename",
        "renameat",
        "renameat2",
        "unlink",
        "unlinkat",
        "rmdir",
        "mkdir",
        "mkdirat",
        "mknod",
        "mknodat",
        "creat",
        "chown",
        "lchown",
        "fchownat",
        "chmod",
        "fchmodat",
        "fchmodat2",
        "utime",
        "utimes",
        "futimesat",
        "utimensat",
        "truncate",
        "setxattr",
        "lsetxattr",
        "setxattrat",
        "removexattr",
        "lremovexattr",
        "removexattrat",
        "mount",
        "umount2",
        "swapon",
        "acct",
    ];
    CHANGES.contains(&call.name)
        || matches!(call.name, "open" | "openat" | "openat2") && writes(call.rest)
}

/// The path below the tree that this call opens, if it is one.
fn opened(call: &Call<'_>, tree: &Path) -> Option<std::path::PathBuf> {
    if !matches!(call.name, "open" | "openat" | "openat2") {
        return None;
    }
    let path = quoted(call.rest).first().copied()?;
    // `-y` writes the folder behind its descriptor: `5</a/b>`, `AT_FDCWD</a/b>`.
    let folder = call.rest.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    let folder = folder.map(|(folder, _)| folder).filter(|_| call.name != "open");
    let whole = folder.map_or_else(|| tree.to_path_buf(), std::path::PathBuf::from).join(path);
    let below = whole.strip_prefix(tree).is_ok_and(|below| !below.as_os_str().is_empty());
    (below && !matches!(path, "." | "..")).then_some(whole)
}

/// Each call that breaks a rule.
fn faults(trace: &str, tree: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    for call in calls(trace) {
        let names = quoted(call.rest);
        if is_change(&call) {
            // The first text of a link's is its target, which may say anything.
            let names = names.into_iter().skip(usize::from(call.name.starts_with("symlink")));
            // The one path that may be named: the kernel's own name for what is held.
            let own = |name: &str| {
                call.name == "setxattr"
                    && name
                        .strip_prefix("/proc/self/fd/")
                        .is_some_and(|number| number.parse::<u32>().is_ok())
            };
            // SQLite knows no other way to its file than a path. Nobody else can change what lies on that path:
            // the whole way to the state folder is checked for it, before anything there is opened.
            let of_record = |name: &str| {
                let file = name.rsplit_once("/state/linkwell/").map_or("", |(_, file)| file);
                matches!(
                    file.strip_prefix("catalogue.sqlite"),
                    Some("" | "-journal" | "-wal" | "-shm")
                ) && (call.name.starts_with("unlink") || call.rest.contains("O_NOFOLLOW"))
            };
            let own_value = call.name == "setxattr";
            let mut names = names.take(if own_value { 1 } else { usize::MAX });
            if names.any(|name| name.contains('/') && !own(name) && !of_record(name)) {
                faults.push(format!("names a path: {}({}", call.name, call.rest));
            }
        }
        if opened(&call, tree).is_some() {
            // The third only asks whether a link leads somewhere: it holds what is behind and does nothing
            // with it.
            let guarded = ["O_NOFOLLOW", "RESOLVE_NO_SYMLINKS", "O_PATH, resolve=RESOLVE_CACHED"]
                .iter()
                .any(|flag| call.rest.contains(flag));
            if !guarded {
                faults.push(format!("may follow a link: {}({}", call.name, call.rest));
            }
        }
    }
    faults
}

/// The gate must catch programs that do what it forbids.
fn control() {
    let ground = Ground::with(&["dir/f"]);
    let cases = [
        ("ln -s x dir/y", "names a path"),
        ("mkdir dir/z", "names a path"),
        ("mv dir/y dir/w", "names a path"),
        ("rm dir/w", "names a path"),
        ("echo x > dir/new", "names a path"),
        ("touch dir/f", "names a path"),
        ("cat dir/f", "may follow a link"),
        ("cd dir && cat f", "may follow a link"),
    ];
    for (line, word) in cases {
        let trace = ground.scratch().join("trace");
        let out = trace.to_str().expect("a plain path");
        let status = Command::new("strace")
            .args(["-f", "-y", "-qq", "-o", out, "/bin/sh", "-c", line])
            .current_dir(ground.tree())
            .stdout(std::process::Stdio::null())
            .status()
            .expect("strace can be started");
        assert!(status.success(), "{line}");
        let text = std::fs::read_to_string(&trace).expect("a trace");
        let found = faults(&text, &ground.tree());
        assert!(found.iter().any(|fault| fault.starts_with(word)), "not seen in `{line}`: {text}");
    }
}
