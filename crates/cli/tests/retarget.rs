//! `linkwell retarget`: what becomes of texts.

#![expect(
    clippy::disallowed_methods,
    reason = "the trees are the test's own, and are looked at and changed as others would"
)]

#[path = "retarget_safe.rs"]
mod safe;
#[path = "retarget_styles.rs"]
mod styles;

use crate::support::{Ground, as_nobody};
use libtest_mimic::Trial;
use linkwell_testkit::crafted;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::process::Stdio;

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        test("retarget: a named link leads elsewhere, written as it was", one_link),
        test("retarget: what is asked must make sense", usage),
        test("retarget: only links are changed, and only themselves", only_links),
        test("retarget: a prefix is whole components, whatever the spelling", prefix),
        test("retarget: the old place may be gone, or be seen through a link", old_place),
        test("retarget: nothing changes where nothing changes", nothing_changes),
        test("retarget: what would not work is refused", unsound),
        test("retarget: what was broken before is no reason to refuse", broken_before),
        test("retarget: links that lead through changed ones are thought of", others),
        test("retarget: texts are right from where the link really lies", from_where_it_lies),
        test("retarget: -i asks for each link", asks),
        test_with(
            "retarget: an unreadable folder is named, the rest done",
            &[Need::Root],
            unreadable,
        ),
    ];
    trials.extend(safe::trials());
    trials.extend(styles::trials());
    trials
}

/// The text of a link in the tree.
pub(crate) fn text(ground: &Ground, link: &str) -> String {
    let target = std::fs::read_link(ground.tree().join(link)).expect("a link");
    target.to_str().expect("a plain text").into()
}

pub(crate) fn ok(ran: &Ran) {
    assert_eq!(ran.code, 0, "{ran:?}");
}

fn one_link() {
    let ground = Ground::with(&["a/old", "a/new", "a/l -> old", "b/new"]);
    let tree = ground.tree();
    std::os::unix::fs::symlink(tree.join("a/old"), tree.join("abs")).expect("a link");
    let before = ground.listing();
    ok(&ground.run(&["retarget", "a/l", "abs", "--to", "b/new", "-n"]));
    assert_eq!(ground.listing(), before, "a dry run changes nothing");
    ok(&ground.run(&["retarget", "a/l", "abs", "--to", "b/new", "-y"]));
    assert_eq!(text(&ground, "a/l"), "../b/new");
    assert_eq!(text(&ground, "abs"), tree.join("b/new").to_str().expect("plain"));
    ok(&ground.run(&["undo", "-y"]));
    assert_eq!(ground.listing(), before);
    ok(&ground.run(&["retarget", "a/l", "--to", "b/new", "--absolute", "-y"]));
    assert_eq!(text(&ground, "a/l"), tree.join("b/new").to_str().expect("plain"));
    ok(&ground.run(&["retarget", "a/l", "--to", "a/new", "-r", "-y"]));
    assert_eq!(text(&ground, "a/l"), "new");
    let again = ground.run(&["retarget", "a/l", "--to", "a/new", "-y"]);
    assert!(again.code == 0 && again.err.contains("as it was asked for"), "{again:?}");
    let no_yes = ground.run(&["retarget", "a/l", "--to", "a/old"]);
    assert_eq!((no_yes.code, text(&ground, "a/l").as_str()), (2, "new"), "nobody to ask");
    assert_eq!(ground.strays(), Vec::<String>::new());
}

fn usage() {
    let ground = Ground::with(&["f", "l -> f"]);
    let before = ground.listing();
    for arguments in [
        "l",
        "--under .",
        "--under . --to f",
        "--under . --from f",
        "l --under . --relative",
        "l --to f --shorten",
        "l --relative --absolute",
        "l --shorten --absolute",
        "--to f",
        "l --to f --cross-volumes",
    ] {
        let ran = ground.run(&arguments.split(' ').fold(vec!["retarget", "-y"], |mut all, one| {
            all.push(one);
            all
        }));
        assert_eq!(ran.code, 2, "{arguments}: {ran:?}");
    }
    for arguments in [&["", "--to", "f"][..], &["l", "--to", ""], &["--under", "", "--relative"]] {
        let ran = ground.run(&[&["retarget", "-y"], arguments].concat());
        assert!(matches!(ran.code, 1 | 2), "{arguments:?}: {ran:?}");
    }
    assert_eq!(ground.listing(), before);
}

fn only_links() {
    let ground = Ground::with(&["f", "d/inside", "p |", "l -> d", "t", "h == f"]);
    let before = ground.listing();
    let long = "x".repeat(256);
    let deep = vec!["d"; 2100].join("/");
    for (link, to) in [
        ("f", "t"),
        ("h", "t"),
        ("d", "t"),
        ("d/", "t"),
        ("p", "t"),
        ("l/", "t"),
        ("l/.", "t"),
        ("l/inside", "t"),
        (".", "t"),
        ("..", "t"),
        ("/", "t"),
        ("gone", "t"),
        ("f/x", "t"),
        (long.as_str(), "t"),
        ("l", deep.as_str()),
    ] {
        let ran = ground.run(&["retarget", "--allow-broken", "-y", "--to", to, "--", link]);
        assert_eq!(ran.code, 1, "{link}: {ran:?}");
        assert!(ran.err.starts_with("error: "), "{link}: {ran:?}");
    }
    assert_eq!(ground.listing(), before);
    let file = ground.run(&["retarget", "f", "--to", "t", "-y"]);
    assert!(file.err.contains("this is a file") && file.err.contains("hint: "), "{file:?}");
    let slash = ground.run(&["retarget", "l/", "--to", "t", "-y"]);
    assert!(slash.err.contains("leave out the slash"), "{slash:?}");
    let twice = ground.run(&["retarget", "l", "./l", "--to", "t", "-y"]);
    assert!(twice.code == 3 && text(&ground, "l") == "t", "{twice:?}");
    // One that cannot be is no reason not to do the others.
    let some = ground.run(&["retarget", "f", "l", "gone", "--to", "f", "-y"]);
    assert!(some.code == 3 && text(&ground, "l") == "f", "{some:?}");
}

fn prefix() {
    let ground = Ground::with(&["home/al/x/f", "home/alice/x/f", "home/bo/x/f", "home/bo/x/y"]);
    let tree = ground.tree();
    let top = tree.to_str().expect("plain");
    let mut expected = Vec::new();
    let texts = [
        ("T/home/al/x/f", "T/home/bo/x/f"),
        ("T/home//al//x/./f", "T/home/bo//x/./f"),
        ("T/home/al/", "T/home/bo/"),
        ("T/home/al", "T/home/bo"),
        ("T/home/alice/x/f", "T/home/alice/x/f"),
        ("T/home/al/../alice", "T/home/al/../alice"),
        ("../home/al/x/f", "../home/bo/x/f"),
        ("../home/./al/x", "../home/bo/x"),
        (".././home/alice/x", ".././home/alice/x"),
        ("../home/al/x/../x/f", "../home/bo/x/../x/f"),
        ("../home/al/gone", "../home/bo/gone"),
        ("home/al/x/f", "home/al/x/f"),
    ];
    for (number, (old, new)) in texts.iter().enumerate() {
        let name = format!("l{number}");
        crafted::allow(&tree, 0o755);
        std::fs::create_dir_all(tree.join("links")).expect("a folder");
        crafted::link(&tree.join("links"), name.as_bytes(), old.replace('T', top).as_bytes());
        expected.push((name, new.replace('T', top)));
    }
    // Any bytes.
    crafted::link(&tree.join("links"), b"b\xff\n", &[top.as_bytes(), b"/home/al/\xfe\n"].concat());
    let before = ground.listing();
    let wanted = ["retarget", "--under", "links", "--from", "home/al", "--to", "home/bo/", "-y"];
    ok(&ground.run(&wanted));
    for (name, new) in &expected {
        assert_eq!(text(&ground, &format!("links/{name}")), *new, "{name}");
    }
    let odd = tree.join("links").join(std::ffi::OsStr::from_bytes(b"b\xff\n"));
    let odd = std::fs::read_link(odd).expect("a link");
    assert_eq!(odd.as_os_str().as_bytes(), [top.as_bytes(), b"/home/bo/\xfe\n"].concat());
    let again = ground.run(&wanted);
    assert!(again.code == 0 && again.err.contains("nothing was changed"), "{again:?}");
    ok(&ground.run(&["undo", "-y"]));
    assert_eq!(ground.listing(), before);
    // With a style, and for links that were named.
    let named = ["retarget", "links/l0", "links/l4", "--from", "home/al", "--to", "home/bo", "-ry"];
    ok(&ground.run(&named));
    assert_eq!(text(&ground, "links/l0"), "../home/bo/x/f");
    assert_eq!(text(&ground, "links/l4"), format!("{top}/home/alice/x/f"));
}

fn old_place() {
    let ground =
        Ground::with(&["real/new/f", "seen -> real", "real/sub/", "w/rel -> ../real/old/f"]);
    let (tree, link) = (ground.tree(), |name: &str| text(&ground, name));
    let seen = tree.join("seen/old/f");
    std::os::unix::fs::symlink(&seen, tree.join("w/seen")).expect("a link");
    std::os::unix::fs::symlink(tree.join("real/old/f"), tree.join("w/abs")).expect("a link");
    let shell = |line: &str| -> Ran {
        let mut command = ground.command();
        let program = command.get_program().to_owned();
        let mut sh = std::process::Command::new("/bin/sh");
        sh.args(["-c", line]).current_dir(ground.tree()).env("L", program);
        sh.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env_clear();
        sh.stdin(Stdio::null()).output().expect("a shell").into()
    };
    // As seen from a folder that was reached through a link: all three ways to say it are meant.
    ok(&shell("cd seen && $L retarget --under ../w --from old --to new -y"));
    assert_eq!(link("w/rel"), "../real/new/f");
    assert_eq!(link("w/seen"), tree.join("real/new/f").to_str().expect("plain"));
    assert_eq!(link("w/abs"), tree.join("real/new/f").to_str().expect("plain"));
    // A folder that says it is somewhere else is not believed.
    ok(&ground.run(&["undo", "-y"]));
    ok(&shell("cd real && PWD=$PWD/../w $L retarget --under ../w --from old --to new -y"));
    assert_eq!(link("w/rel"), "../real/new/f");
    assert_eq!(link("w/seen"), seen.to_str().expect("plain"), "nobody said `seen/old`");
}

fn nothing_changes() {
    let ground =
        Ground::with(&["a/f", "l1 -> ./a//f", "l2 -> a/f", "l3 -> a/../a/f", "l4 -> gone"]);
    let before = ground.listing();
    for arguments in [
        "--under . --from a --to a",
        "--under . --from a --to ./a/",
        "--under . --from b --to a",
        "--under . --relative",
        "l1 l2 l3 --to a/f",
        "l1 l2 --to ./a/f --relative",
    ] {
        let mut all = vec!["retarget", "-y"];
        all.extend(arguments.split(' '));
        let ran = ground.run(&all);
        assert!(ran.code == 0 && ran.err.contains("nothing was changed"), "{arguments}: {ran:?}");
    }
    assert_eq!(ground.listing(), before);
}

fn unsound() {
    let ground =
        Ground::with(&["d/sub/l -> f", "d/sub/f", "x -> y", "y -> d/sub/f", "d/far -> sub"]);
    crafted::chain(&ground.tree().join("d"), 40, "sub");
    let before = ground.listing();
    let refused = [
        ("x", "nothing", "does not exist", "--allow-broken"),
        ("y", "x", "back to itself", "--allow-broken"),
        ("x", "x", "back to itself", "--allow-broken"),
        ("x", "d/l1", "more than 40", "--allow-broken"),
        ("x", "d/sub/f/z", "no folder", "--allow-broken"),
        ("d/sub/l", "d", "walk in circles", "--allow-cycle"),
        ("d/sub/l", "d/far", "walk in circles", "--allow-cycle"),
    ];
    for (link, to, word, allow) in refused {
        let ran = ground.run(&["retarget", link, "--to", to, "-y"]);
        assert!(ran.code == 1 && ran.err.contains(word) && ran.err.contains(allow), "{ran:?}");
        assert_eq!(ground.listing(), before);
        ok(&ground.run(&["retarget", link, "--to", to, "-y", allow]));
        assert_ne!(ground.listing(), before);
        ok(&ground.run(&["undo", "-y"]));
        assert_eq!(ground.listing(), before);
    }
    ok(&ground.run(&["retarget", "x", "--to", "d/l2", "-y"]));
    // Two that are each fine alone, and a loop together.
    let ground = Ground::with(&["f", "a -> f", "b -> f"]);
    let tree = ground.tree();
    ok(&ground.run(&["retarget", "a", "--to", "b", "-y"]));
    let ran = ground.run(&["retarget", "--under", ".", "--from", "f", "--to", "a", "-y"]);
    assert!(ran.code == 1 && ran.err.contains("back to itself"), "{ran:?}");
    assert_eq!(std::fs::read(tree.join("a")).expect("it leads to the file"), b"f");
}

fn broken_before() {
    let ground =
        Ground::with(&["new/f", "l1 -> old/f", "l2 -> old/gone", "l3 -> old/gone/..", "s -> s"]);
    ok(&ground.run(&["retarget", "--under", ".", "--from", "old", "--to", "new", "-y"]));
    assert_eq!(text(&ground, "l1"), "new/f");
    assert_eq!(text(&ground, "l2"), "new/gone");
    // What works today and would not then is refused; what is broken already goes on.
    let ran = ground.run(&["retarget", "--under", ".", "--from", "new", "--to", "old", "-y"]);
    assert!(ran.code == 3 && ran.err.contains("`./l1`"), "{ran:?}");
    assert_eq!(text(&ground, "l1"), "new/f");
    assert_eq!(text(&ground, "l2"), "old/gone");
    // Broken is not as bad as a loop.
    let worse = ground.run(&["retarget", "--under", ".", "--from", "old", "--to", "s", "-y"]);
    assert!(worse.code == 1 && worse.err.contains("back to itself"), "{worse:?}");
}

fn others() {
    let ground = Ground::with(&[
        "a/f",
        "a/only",
        "b/f",
        "way -> a",
        "t/x -> ../way/f",
        "t/y -> ../way/only",
    ]);
    let before = ground.listing();
    let wanted = ["retarget", "--under", ".", "--from", "a", "--to", "b", "-y"];
    let ran = ground.run(&wanted);
    assert!(ran.code == 1 && ran.err.contains("`./t/y` leads through it"), "{ran:?}");
    assert_eq!(ground.listing(), before);
    std::fs::write(ground.tree().join("b/only"), b"too").expect("a file");
    let ran = ground.run(&wanted);
    assert!(ran.code == 0 && ran.out.contains("2 other links lead through"), "{ran:?}");
    assert_eq!(std::fs::read(ground.tree().join("t/y")).expect("it leads on"), b"too");
}

fn from_where_it_lies() {
    let ground =
        Ground::with(&["deep/er/f", "deep/f", "f", "short -> deep/er", "deep/er/l -> f", "t/f"]);
    // The link lies behind a link; the target's `..` comes after one.
    for (to, place) in [("short/../f", "deep/f"), ("t/f", "t/f"), ("short/f", "deep/er/f")] {
        for style in ["--relative", "--absolute"] {
            ok(&ground.run(&["retarget", "short/l", "--to", to, style, "-y"]));
            let inode = |name: &str| {
                std::fs::metadata(ground.tree().join(name)).expect("it is there").ino()
            };
            assert_eq!(inode("deep/er/l"), inode(place), "{to} {style}");
        }
    }
    let mut command = ground.command();
    let ran: Ran = command
        .current_dir(ground.tree().join("short"))
        .args(["retarget", "l", "--to", "../f", "-ry"])
        .output()
        .expect("linkwell can be started")
        .into();
    ok(&ran);
    assert_eq!(text(&ground, "deep/er/l"), "../f");
}

fn asks() {
    let ground = Ground::with(&["f", "g", "l1 -> f", "l2 -> f", "l3 -> f"]);
    let mut command = ground.command();
    let mut child = command
        .args(["retarget", "l1", "l2", "l3", "--to", "g", "-i"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("linkwell can be started");
    child.stdin.take().expect("a pipe").write_all(b"y\nn\nyes\n").expect("an answer");
    let ran: Ran = child.wait_with_output().expect("it ends").into();
    ok(&ran);
    assert_eq!(["l1", "l2", "l3"].map(|link| text(&ground, link)), ["g", "f", "g"]);
}

fn unreadable() {
    let ground =
        Ground::with(&["tree/ok/l -> ../old/f", "tree/no/l -> ../old/f", "tree/new/f", "state/"]);
    let tree = ground.tree();
    safe::give(&tree);
    crafted::allow(&tree.join("tree/no"), 0o000);
    let mut command = as_nobody(ground.scratch());
    command.current_dir(&tree).env("HOME", &tree).env("XDG_STATE_HOME", tree.join("state"));
    let ran = command
        .args(["retarget", "--under", "tree", "--from", "tree/old", "--to", "tree/new", "-y"]);
    let ran: Ran = ran.output().expect("linkwell can be started").into();
    assert!(ran.code == 3 && ran.err.contains("`tree/no`"), "{ran:?}");
    assert_eq!(text(&ground, "tree/ok/l"), "../new/f");
    assert_eq!(text(&ground, "tree/no/l"), "../old/f");
}
