//! Every request of `create` with everything that can stand at the name: how it ends, what stands there
//! afterwards, and that `undo` brings back the start. Real files are never replaced.
#![expect(
    clippy::disallowed_methods,
    reason = "a test stands outside: it makes its trees, looks at them by itself"
)]

use crate::support::{Ground, LINKWELL};
use libtest_mimic::Trial;
use linkwell_testkit::crafted;
use linkwell_testkit::need::{Need, test, test_with};
use std::path::Path;
use std::process::Command;

/// The name of the link; it ends as a shortcut must, so that all requests speak of one name.
const N: &str = "at/l.desktop";

/// The requests, and what becomes of each situation, in the order of [`SITUATIONS`]:
/// `m` made, `a` as it was asked for already, `r` a link replaced, `b` made and the old kept beside,
/// `i` made inside the folder, `x` refused: exit 1, and nothing changed.
const REQUESTS: [(&[&str], &str); 11] = [
    (&["t", N], "mxxxaxxxx xmxmxx"),
    (&["-f", "t", N], "mxxxarrrr xmxmxx"),
    (&["-b", "t", N], "mbxxabbbb xmxmxx"),
    (&["--backup=numbered", "t", N], "mbxxabbbb xmxmxx"),
    (&["-T", "t", N], "mxxxaxxxx xmxmxx"),
    (&["t", "at/l.desktop/"], "xxiixxxxi xxxxxx"),
    (&["-t", N, "t"], "xxiixxxxi xxxxxx"),
    (&["--hard", "t", N], "mxxxaxxxx xxxxxx"),
    (&["--shortcut", "t", N], "mxxxaxxxx xmxxxx"),
    (&["--relative", "t", N], "mxxxaxxxx xmxmxx"),
    (&["--absolute", "t", N], "mxxxaxxxx xmxmxx"),
];

/// What stands at the name, or what is wrong with its folder: how it is brought about, by shell.
struct Situation {
    name: &'static str,
    /// In the folder above the tree, before anything else.
    mount: &'static str,
    /// In the tree; `$SAME` is the request itself.
    make: &'static str,
    /// linkwell runs as nobody.
    nobody: bool,
    needs: &'static [Need],
}

const fn plain(name: &'static str, make: &'static str) -> Situation {
    Situation { name, mount: ":", make, nobody: false, needs: &[] }
}

const MOUNTING: &[Need] = &[Need::Root, Need::Program("unshare")];

const fn mounted(name: &'static str, mount: &'static str) -> Situation {
    Situation { name, mount, make: ":", nobody: false, needs: MOUNTING }
}

const SITUATIONS: [Situation; 15] = [
    plain("nothing", ":"),
    plain("a file", "printf own > $N"),
    plain("an empty folder", "mkdir $N"),
    plain("a full folder", "mkdir $N; printf own > $N/x"),
    plain("the same link", "$SAME"),
    plain("another link", "ln -s ../u $N"),
    plain("a broken link", "ln -s gone $N"),
    plain("a link to itself", "ln -s l.desktop $N"),
    plain("a link to a folder", "ln -s ../dir $N"),
    Situation {
        name: "a folder of another user's",
        mount: ":",
        make: ":",
        nobody: true,
        needs: &[Need::Root, Need::Program("setpriv")],
    },
    mounted("another volume", "mount -t tmpfs none tree/at"),
    mounted("a read-only volume", "mount -t tmpfs -o ro none tree/at"),
    mounted(
        "a full disk",
        "mount -t tmpfs -o size=64k none tree/at; head -c 100000 /dev/zero > tree/at/all 2>/dev/null || :",
    ),
    mounted(
        "a disk without room for names",
        "mount -t tmpfs -o nr_inodes=3 none tree/at; : > tree/at/one; : > tree/at/two",
    ),
    Situation {
        name: "a folder that may not be changed",
        mount: "head -c 8388608 /dev/zero > image; mkfs.ext4 -q image; mount -o loop image tree/at; \
                rmdir tree/at/lost+found; chattr +i tree/at",
        make: ":",
        nobody: false,
        needs: &[
            Need::LoopDevices,
            Need::Program("unshare"),
            Need::Program("mkfs.ext4"),
            Need::Program("chattr"),
        ],
    },
];

pub(crate) fn trials() -> Vec<Trial> {
    let situations = SITUATIONS.iter().enumerate().map(|(column, situation)| {
        let name = format!("create, all pairs: {}", situation.name);
        test_with(&name, situation.needs, move || with(situation, column))
    });
    let whole = test("create, all pairs: the table is whole", || {
        for (request, cells) in &REQUESTS {
            assert_eq!(cells.replace(' ', "").len(), SITUATIONS.len(), "{request:?}");
        }
    });
    situations.chain([whole]).collect()
}

fn with(situation: &Situation, column: usize) {
    for (request, cells) in &REQUESTS {
        let cells = cells.replace(' ', "");
        let cell = cells.chars().nth(column).expect("the table is whole");
        one(situation, request, cell);
    }
}

const SCRIPT: &str = r#"
cd "$W" || exit 90
eval "$MOUNT" || exit 91
run() { if [ -n "$NOBODY" ]; then setpriv --reuid=65534 --regid=65534 --clear-groups "$L" "$@"; else "$L" "$@"; fi; }
list() {
    cd "$W/tree" || exit 92
    find . -mindepth 1 -printf '%P %y %m %l\n' | sort
    echo =
    find . -type f -print0 | sort -z | xargs -0 -r md5sum
}
same() { run create -y "$@" > "$W/same" 2>&1 || ln -s ../t "$N"; }
cd tree || exit 93
eval "$MAKE" || exit 94
list > "$W/1"
cd "$W/tree" || exit 95
run create -y "$@" > "$W/out" 2> "$W/err"
echo $? > "$W/code"
list > "$W/2"
cd "$W/tree" || exit 96
run undo -y >> "$W/out" 2>> "$W/err"
echo $? >> "$W/code"
list > "$W/3"
"#;

fn one(situation: &Situation, request: &[&str], cell: char) {
    let ground = Ground::with(&["t", "u", "dir/", "at/"]);
    let above = ground.scratch().path();
    let program = if situation.nobody {
        crafted::allow(&above, 0o755);
        for folder in ["state", "home"] {
            let owner = std::os::unix::fs::chown(above.join(folder), Some(65534), Some(65534));
            owner.expect("root may give away");
        }
        crafted::copy_program(LINKWELL, &above)
    } else {
        LINKWELL.into()
    };
    let mounts = situation.mount != ":";
    let mut command = Command::new(if mounts { "unshare" } else { "/bin/sh" });
    if mounts {
        command.args(["-m", "/bin/sh"]);
    }
    let make = situation.make.replace("$SAME", "same \"$@\"");
    let ended = command
        .args(["-c", SCRIPT, "sh"])
        .args(request)
        .current_dir(&above)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", above.join("home"))
        .env("XDG_STATE_HOME", above.join("state"))
        .env("W", &above)
        .env("L", program)
        .env("N", N)
        .env("MOUNT", situation.mount)
        .env("MAKE", make)
        .env("NOBODY", if situation.nobody { "yes" } else { "" })
        .output()
        .expect("a shell can be started");
    assert!(ended.status.success(), "{}: {ended:?}", situation.name);
    let read = |name: &str| std::fs::read_to_string(above.join(name)).expect("the script wrote it");
    let (start, then, end) = (read("1"), read("2"), read("3"));
    let say = format!(
        "{request:?} with {}\n{}{}\ncodes {:?}\nbefore:\n{start}\nthen:\n{then}\nafter undo:\n{end}",
        situation.name,
        read("out"),
        read("err"),
        read("code")
    );
    let code = if cell == 'x' { "1" } else { "0" };
    assert_eq!(read("code").lines().next(), Some(code), "{say}");
    let (gone, fresh) = differences(&start, &then);
    let at =
        |lines: &[&str], path: &str| lines.iter().any(|line| line.starts_with(&format!("{path} ")));
    match cell {
        'x' | 'a' => assert_eq!(start, then, "changed: {say}"),
        'm' => assert!(gone.is_empty() && fresh.len() == 1 && at(&fresh, N), "{say}"),
        'r' => {
            assert!(gone.len() == 1 && at(&gone, N) && fresh.len() == 1 && at(&fresh, N), "{say}")
        }
        'i' => {
            let inside = format!("{N}/t");
            let found = at(&fresh, &inside) || at(&fresh, "dir/t");
            assert!(gone.is_empty() && fresh.len() == 1 && found, "{say}");
        }
        'b' => {
            let kept = format!("{N}{}", if request.contains(&"-b") { "~" } else { ".~1~" });
            // What was there is there, all of it, under the other name.
            let old = gone.first().and_then(|line| line.strip_prefix(N)).expect("it was there");
            let moved = format!("{kept}{old}");
            assert!(
                gone.len() == 1 && fresh.len() == 2 && fresh.contains(&moved.as_str()),
                "{say}"
            );
            assert!(at(&fresh, N), "{say}");
        }
        _ => unreachable!("a letter of the table"),
    }
    for sum in sums(&start) {
        assert!(sums(&then).contains(&sum), "a file was lost: {say}");
    }
    if !matches!(cell, 'x' | 'a') {
        assert_eq!((read("code").as_str(), &end), ("0\n0\n", &start), "not undone: {say}");
    }
    leave(&above, situation);
}

/// The lines that are gone, and those that are new; contents are compared by [`sums`].
fn differences<'t>(one: &'t str, other: &'t str) -> (Vec<&'t str>, Vec<&'t str>) {
    let lines =
        |text: &'t str| -> Vec<&'t str> { text.lines().take_while(|line| *line != "=").collect() };
    let (one, other) = (lines(one), lines(other));
    let gone = one.iter().filter(|line| !other.contains(line)).copied().collect();
    let fresh = other.iter().filter(|line| !one.contains(line)).copied().collect();
    (gone, fresh)
}

/// The sums of all files.
fn sums(listing: &str) -> Vec<&str> {
    let sums = listing.lines().skip_while(|line| *line != "=").skip(1);
    sums.filter_map(|line| line.split(' ').next()).collect()
}

/// The folder of an image that a private mount showed is plain again, and can be removed.
fn leave(above: &Path, situation: &Situation) {
    if situation.mount != ":" {
        let left = std::fs::read_dir(above.join("tree/at")).expect("the folder below the mount");
        assert_eq!(left.count(), 0, "{}: written past the mount", situation.name);
    }
}
