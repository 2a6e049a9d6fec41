//! `linkwell convert`: every kind to every other, exactly and back.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a test builds its own tree, and may stop at the first surprise"
)]

use crate::support::{Ground, as_nobody, objects, text};
use libtest_mimic::Trial;
use linkwell_testkit::crafted;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("convert: every kind to every other, whatever it leads to, and back exactly", matrix),
        test("convert: what is no link, or leads to no file, is refused and told", refused),
        test("convert: the other name is found near, or is asked for", other_names),
        test("convert: of several names of one file one always stays", last_name),
        test("convert: a shortcut gets its ending, and one without room for it is refused", ending),
        test("convert: the styles of targets are those of create", styles),
        test("convert: a dry run changes nothing, and --json tells the plan", dry),
        test("convert: the name is never missing in 500 conversions to and fro", never_missing),
        test_with("convert: a user without rights changes nothing", &[Need::Root], without_rights),
        test_with("convert: links of others are not followed as root", &[Need::Root], foreign),
        test_with(
            "convert: a stub of another user keeps its owner, there and back",
            &[Need::Root],
            owner,
        ),
    ]
}

const KINDS: [&str; 7] = ["symlink", "hard", "desktop", "url", "lnk", "cygwin", "interix"];
const TARGETS: [&str; 4] = ["file", "folder", "missing", "loop"];

/// A link of the kind to the destination; its name.
fn build(ground: &Ground, kind: &str, target: &str) -> String {
    let tree = ground.tree();
    let path = match target {
        "file" => "d/f",
        "folder" => "d",
        "missing" => "gone",
        _ => "round",
    };
    let whole = tree.join(path);
    let whole = whole.to_str().expect("a plain path");
    let (name, bytes) = match kind {
        "symlink" => {
            crafted::link(&tree, b"link", path.as_bytes());
            return "link".into();
        }
        "hard" => {
            std::fs::hard_link(tree.join("d/f"), tree.join("link")).expect("a second name");
            return "link".into();
        }
        "desktop" => {
            let file = format!("[Desktop Entry]\nType=Link\nURL=file://{whole}\n");
            ("link.desktop", file.into_bytes())
        }
        "url" => ("link.url", format!("[InternetShortcut]\nURL=file://{whole}\n").into_bytes()),
        "lnk" => ("link.lnk", crafted::lnk(path)),
        "cygwin" => ("link", format!("!<symlink>{path}\0").into_bytes()),
        _ => ("link", crafted::interix(path)),
    };
    crafted::file(&tree, name.as_bytes(), &bytes);
    crafted::allow(&tree.join(name), 0o640);
    name.into()
}

fn matrix() {
    let mut done = 0;
    for kind in KINDS {
        for to in ["symlink", "hard", "contents", "shortcut"] {
            for target in TARGETS {
                if kind == "hard" && target != "file" {
                    continue;
                }
                done += u32::from(one(kind, to, target));
            }
        }
    }
    assert_eq!(done, 37, "conversions that could be done");
}

/// One conversion; whether it changed anything.
fn one(kind: &str, to: &str, target: &str) -> bool {
    let case = format!("{kind} --to {to}, leading to {target}");
    let ground = Ground::with(&["d/f", "d/sub/g", "round -> round2", "round2 -> round"]);
    let name = build(&ground, kind, target);
    let before = ground.listing();
    let shortcut = matches!(kind, "desktop" | "url" | "lnk");
    let already = kind == to || (shortcut && to == "shortcut");
    let possible = match target {
        "file" => true,
        "folder" => to != "hard",
        _ => false,
    };
    let ran = ground.run(&["convert", "-y", "--to", to, &name]);
    if already || !possible {
        assert_eq!(ran.code, i32::from(!already), "{case}: {ran:?}");
        assert_eq!(ground.listing(), before, "{case}");
        return false;
    }
    assert_eq!(ran.code, 0, "{case}: {ran:?}");
    assert_eq!(ground.strays(), Vec::<String>::new(), "{case}");
    check(&ground, &case, to, target, &name);
    let back = ground.run(&["undo", "-y"]);
    assert_eq!(back.code, 0, "{case}: {back:?}");
    assert_eq!(ground.listing(), before, "{case}");
    true
}

fn check(ground: &Ground, case: &str, to: &str, target: &str, name: &str) {
    let tree = ground.tree();
    let there = tree.join(if target == "file" { "d/f" } else { "d" });
    let made = tree.join(name);
    let status = |path: &Path| path.symlink_metadata().expect("an entry");
    match to {
        "symlink" => {
            assert!(status(&made).is_symlink(), "{case}");
            assert_eq!(made.canonicalize().ok(), Some(there), "{case}");
        }
        "hard" => assert_eq!(status(&made).ino(), status(&there).ino(), "{case}"),
        "contents" => {
            assert_ne!(status(&made).ino(), status(&there).ino(), "{case}");
            assert_eq!(status(&made).mtime_nsec(), status(&there).mtime_nsec(), "{case}");
            if target == "file" {
                assert_eq!(std::fs::read(&made).ok(), std::fs::read(&there).ok(), "{case}");
            } else {
                assert_eq!(crafted::contents(&made), crafted::contents(&there), "{case}");
            }
        }
        _ => {
            let named = name.to_owned() + ".desktop";
            assert!(!made.exists(), "{case}");
            let listed = ground.run(&["list", "--shortcuts", "--json", &named]);
            let found = objects(&listed);
            let first = found.first().expect("a shortcut");
            assert_eq!(text(first, "target"), there.to_str().expect("plain"), "{case}");
        }
    }
}

fn says(ran: &Ran, words: &str) {
    assert!(ran.err.contains(words), "{words:?} in {ran:?}");
}

fn refused() {
    let ground = Ground::with(&["f", "d/", "p |", "d/up -> ..", "l -> f", "broken -> gone/on"]);
    let tree = ground.tree();
    crafted::file(&tree, b"w.url", b"[InternetShortcut]\nURL=https://example.org/\n");
    crafted::file(&tree, b"c.url", b"[InternetShortcut]\nURL=file:///C:/Users\n");
    let socket = std::os::unix::net::UnixListener::bind(tree.join("s")).expect("a socket");
    crafted::link(&tree, b"to-socket", b"s");
    crafted::link(&tree, b"to-pipe", b"p");
    let before = ground.listing();
    for (name, to, words) in [
        ("f", "symlink", "this is a file, not a link"),
        ("d", "contents", "this is a folder, not a link"),
        ("p", "contents", "this is a named pipe, not a link"),
        ("nothing", "hard", "there is nothing at"),
        ("", "hard", "the path is empty"),
        ("w.url", "symlink", "it leads to the web page `https://example.org/`"),
        ("c.url", "contents", "a path of another system"),
        ("d/up", "contents", "which contains it"),
        ("d/up", "hard", "which contains it"),
        ("broken", "contents", "which does not exist"),
        ("to-socket", "contents", "is a socket, which cannot be copied"),
        ("to-pipe", "hard", "only files can have second names"),
    ] {
        let ran = ground.run(&["convert", "-y", "--to", to, name]);
        assert_eq!(ran.code, 1, "{name} {ran:?}");
        says(&ran, words);
        assert_eq!(ground.listing(), before, "{name}");
    }
    // One that cannot be done stops none of the others.
    let ran = ground.run(&["convert", "-y", "--to", "hard", "f", "l"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(tree.join("l").symlink_metadata().is_ok_and(|status| status.is_file()));
    drop(socket);
}

fn other_names() {
    let lines = ["p/.git/", "p/a/one", "p/b/c/two == p/a/one", "x/three == p/a/one", "x/four"];
    let ground = Ground::with(&lines);
    let tree = ground.tree();
    let target = |name: &str| std::fs::read_link(tree.join(name)).expect("a link");
    let ran = ground.run(&["convert", "-y", "--to", "symlink", "p/a/one"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(target("p/a/one"), Path::new("../b/c/two"), "found in its project");
    let with = |of: &str| ground.run(&["convert", "-y", "--to", "symlink", "--of", of, "x/three"]);
    says(&with("x/three"), "is the very name that is to be converted");
    says(&with("x/../x/three"), "is the very name that is to be converted");
    says(&with("x/four"), "is another file");
    says(&with("x/gone"), "there is nothing at");
    assert_eq!(with("p/b/c/two").code, 0);
    assert!(tree.join("x/three").is_symlink());
    // The last of them is no link any more; and one whose others lie far away asks for them.
    std::fs::hard_link(tree.join("x/four"), ground.scratch().join("far")).expect("a name");
    let ran = ground.run(&["convert", "-y", "--to", "symlink", "x/four"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    says(&ran, "none of the others is to be found near it");
    says(&ran, "--of OTHER-NAME");
    assert_eq!(
        ground.run(&["convert", "-y", "--to", "symlink", "--of", "../far", "x/four"]).code,
        0
    );
    assert_eq!(std::fs::read(tree.join("x/four")).ok().as_deref(), Some(&b"x/four"[..]));
}

fn last_name() {
    let ground = Ground::with(&["a", "b == a", "c == a"]);
    let before = ground.listing();
    let ran = ground.run(&["convert", "-y", "--to", "symlink", "a", "b", "c"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let real = |name: &&str| !ground.tree().join(name).is_symlink();
    assert_eq!(["a", "b", "c"].iter().filter(|name| real(name)).count(), 1);
    for name in ["a", "b", "c"] {
        assert_eq!(std::fs::read(ground.tree().join(name)).ok().as_deref(), Some(&b"a"[..]));
    }
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.listing(), before);
}

fn ending() {
    let ground = Ground::with(&["f", "a -> f", "b.desktop -> f", "c -> f", "c.desktop"]);
    let long = "n".repeat(250);
    crafted::link(&ground.tree(), long.as_bytes(), b"f");
    let before = ground.listing();
    let ran = ground.run(&["convert", "-y", "--to", "shortcut", "a", "b.desktop", "c", &long]);
    assert_eq!(ran.code, 3, "{ran:?}");
    says(&ran, "the shortcut would be named `c.desktop`, and there is a file with this name");
    says(&ran, "its name is too long to get the ending");
    assert!(ran.out.contains("it is then named `a.desktop`"), "{ran:?}");
    let is_file = |name: &str| {
        ground.tree().join(name).symlink_metadata().is_ok_and(|status| status.is_file())
    };
    assert!(is_file("a.desktop") && is_file("b.desktop") && !ground.tree().join("a").exists());
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.listing(), before);
}

fn styles() {
    let ground = Ground::with(&["d/f", "h == d/f"]);
    let target = || std::fs::read_link(ground.tree().join("h")).expect("a link");
    let whole = ground.tree().join("d/f");
    for (style, wanted) in [("--relative", Path::new("d/f")), ("--absolute", &whole)] {
        let ran = ground.run(&["convert", "-y", "--to", "symlink", style, "--of", "d/f", "h"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(target(), wanted);
        assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    }
}

fn dry() {
    let ground = Ground::with(&["d/f", "l -> d"]);
    let before = ground.listing();
    let ran = ground.run(&["convert", "-n", "--to", "contents", "l"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("copies 1 file, 3 bytes"), "{ran:?}");
    let ran = ground.run(&["convert", "-n", "--json", "--to", "contents", "l"]);
    assert!(ran.out.contains(r#""makes":"copy""#), "{ran:?}");
    assert_eq!(ground.run(&["convert", "--to", "contents", "l"]).code, 2, "nobody to ask");
    assert_eq!(ground.listing(), before);
}

/// Looks for `name` again and again, and counts how often it was looked for and was not there.
struct Reader {
    stop: Arc<AtomicBool>,
    counts: Arc<(AtomicU64, AtomicU64)>,
    thread: std::thread::JoinHandle<()>,
}

impl Reader {
    fn of(path: std::path::PathBuf) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let counts = Arc::new((AtomicU64::new(0), AtomicU64::new(0)));
        let thread = {
            let (stop, counts) = (Arc::clone(&stop), Arc::clone(&counts));
            std::thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    // Through the name, as programs do: a link, another name and a copy all hold it.
                    let missing = std::fs::File::open(&path).is_err();
                    counts.0.fetch_add(1, Ordering::SeqCst);
                    counts.1.fetch_add(u64::from(missing), Ordering::SeqCst);
                }
            })
        };
        Self { stop, counts, thread }
    }

    fn looked(&self) -> u64 {
        self.counts.0.load(Ordering::SeqCst)
    }

    fn missed(&self) -> u64 {
        self.counts.1.load(Ordering::SeqCst)
    }

    fn end(self) -> (u64, u64) {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().expect("a reader");
        (self.counts.0.load(Ordering::SeqCst), self.counts.1.load(Ordering::SeqCst))
    }
}

fn never_missing() {
    let ground = Ground::with(&["d/f", "l -> d/f"]);
    let name = ground.tree().join("l");
    let reader = Reader::of(name.clone());
    for round in 0..250 {
        let (to, of) = if round % 5 == 4 { ("contents", None) } else { ("hard", Some("d/f")) };
        let ran = ground.run(&["convert", "-y", "-q", "--to", to, "l"]);
        assert_eq!(ran.code, 0, "{round}: {ran:?}");
        let ran = match of {
            Some(of) => ground.run(&["convert", "-yq", "--to", "symlink", "--of", of, "l"]),
            None => ground.run(&["undo", "-yq"]),
        };
        assert_eq!(ran.code, 0, "{round}: {ran:?}");
    }
    let (looked, missed) = reader.end();
    assert_eq!(missed, 0, "of {looked}");
    assert!(looked > 500, "{looked}");
    // The same reader finds the hole that removing and making leaves.
    let reader = Reader::of(name.clone());
    while reader.missed() == 0 {
        std::fs::remove_file(&name).expect("a link");
        crafted::link(&ground.tree(), b"l", b"d/f");
        assert!(reader.looked() < 50_000_000, "the reader sees nothing");
    }
    assert!(reader.end().1 > 0);
    println!("convert: looked {looked} times in 500 conversions");
}

fn without_rights() {
    let ground = Ground::with(&["own/l -> ../d/f", "d/f", "shut/f", "s -> shut"]);
    let (tree, scratch) = (ground.tree(), ground.scratch());
    crafted::allow(&tree.join("shut"), 0o700);
    for folder in ["state", "home"] {
        std::os::unix::fs::chown(scratch.join(folder), Some(65534), Some(65534)).expect("chown");
    }
    let before = ground.listing();
    let run = |arguments: &[&str]| {
        let mut command = as_nobody(scratch);
        command.current_dir(&tree).env("HOME", scratch.join("home"));
        command.env("XDG_STATE_HOME", scratch.join("state"));
        Ran::from(command.args(arguments).output().expect("linkwell can be started"))
    };
    // Nobody may not write there; what it may not look into is refused before.
    for (to, name) in
        [("contents", "own/l"), ("hard", "own/l"), ("shortcut", "own/l"), ("contents", "s")]
    {
        let ran = run(&["convert", "-y", "--to", to, name]);
        assert_eq!(ran.code, 1, "{to} {name} {ran:?}");
        assert_eq!(ground.listing(), before, "{to} {name}");
    }
    // The control: where it may, it does.
    std::os::unix::fs::chown(tree.join("own"), Some(65534), Some(65534)).expect("chown");
    let ran = run(&["convert", "-y", "--to", "contents", "own/l"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let copy = tree.join("own/l").symlink_metadata().expect("a copy");
    assert!(copy.is_file() && copy.uid() == 65534);
}

fn foreign() {
    let ground = Ground::with(&["secret/f", "l -> secret"]);
    std::os::unix::fs::lchown(ground.tree().join("l"), Some(65534), Some(65534)).expect("lchown");
    let before = ground.listing();
    for to in ["contents", "hard"] {
        let ran = ground.run(&["convert", "-y", "--to", to, "l"]);
        assert_eq!(ran.code, 1, "{ran:?}");
        says(&ran, "links of other people's are not followed");
        assert_eq!(ground.listing(), before);
    }
}

fn owner() {
    let ground = Ground::with(&["f"]);
    let stub = ground.tree().join("stub");
    crafted::file(&ground.tree(), b"stub", b"!<symlink>f\0");
    rustix::fs::setxattr(&stub, "user.note", b"kept", rustix::fs::XattrFlags::empty())
        .expect("an attribute");
    std::os::unix::fs::lchown(&stub, Some(1234), Some(5678)).expect("lchown");
    let before = ground.listing();
    assert_eq!(ground.run(&["convert", "-y", "--to", "symlink", "stub"]).code, 0);
    let made = stub.symlink_metadata().expect("a link");
    assert_eq!((made.is_symlink(), made.uid(), made.gid()), (true, 1234, 5678));
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.listing(), before);
    let mut value = [0_u8; 16];
    let length = rustix::fs::getxattr(&stub, "user.note", &mut value).expect("an attribute");
    assert_eq!(&value[..length], b"kept");
}
