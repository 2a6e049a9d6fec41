//! `create` where somebody works against it, and where a person mistypes: the rows of the catalogue.
#![expect(
    clippy::disallowed_methods,
    reason = "a test stands outside: it makes its trees, looks at them by itself"
)]

use crate::create::{create, read_until};
use crate::support::{Ground, as_nobody};
use libtest_mimic::Trial;
use linkwell_testkit::crafted;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::make;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Stdio;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("create: what changes between plan and step (T1, T2)", meanwhile),
        test("create: onto itself, its parents, and second names (T5)", itself),
        test("create: slashes, dots, lengths (T6)", odd_paths),
        test("create: relative text is right from where the link lies (T7)", relative),
        test_with("create: another user's link in a shared folder (T8)", &[Need::Root], sticky),
        test_with("create: a way through another user's link (T9)", &[Need::Root], foreign_way),
    ]
}

/// The preview is on the screen and the question is asked; `plant` changes the disk; then it is a yes.
fn planted(ground: &Ground, arguments: &[&str], plant: impl FnOnce(&Path)) -> Ran {
    let mut command = ground.command();
    command.args(["create", "-i"]).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("linkwell can be started");
    let mut err = child.stderr.take().expect("its errors");
    read_until(&mut err, "[y/N] ");
    plant(&ground.tree());
    child.stdin.take().expect("its input").write_all(b"y\n").expect("it reads");
    let mut said = String::new();
    err.read_to_string(&mut said).expect("text");
    let mut ran: Ran = child.wait_with_output().expect("a child").into();
    ran.err = said;
    ran
}

fn meanwhile() {
    const LINES: [&str; 6] = ["f", "g", "canary/x", "d/l -> ../g", "d/e/", "other/l -> gone"];
    // What is planted, and what must be said.
    type Plant = fn(&Path);
    let cases: [(&str, Plant, &str); 7] = [
        (
            "a file",
            |tree| {
                std::fs::remove_file(tree.join("d/l")).expect("the link");
                make(tree, &["d/l"]);
            },
            "was changed by somebody else meanwhile",
        ),
        (
            "another link",
            |tree| {
                std::fs::remove_file(tree.join("d/l")).expect("the link");
                make(tree, &["d/l -> ../canary"]);
            },
            "was changed by somebody else meanwhile",
        ),
        (
            "the same text, another link",
            |tree| {
                make(tree, &["d/m -> ../g"]);
                std::fs::rename(tree.join("d/m"), tree.join("d/l")).expect("a rename");
            },
            "was changed by somebody else meanwhile",
        ),
        (
            "nothing",
            |tree| {
                std::fs::remove_file(tree.join("d/l")).expect("the link");
            },
            "was changed by somebody else meanwhile",
        ),
        (
            "a folder",
            |tree| {
                std::fs::remove_file(tree.join("d/l")).expect("the link");
                make(tree, &["d/l/x"]);
            },
            "was changed by somebody else meanwhile",
        ),
        (
            "the folder became a link",
            |tree| {
                std::fs::rename(tree.join("d"), tree.join("d.old")).expect("a rename");
                make(tree, &["d -> other"]);
            },
            "",
        ),
        (
            "the folder became another",
            |tree| {
                std::fs::rename(tree.join("d"), tree.join("d.old")).expect("a rename");
                std::fs::rename(tree.join("other"), tree.join("d")).expect("a rename");
            },
            "is no longer the folder that it was",
        ),
    ];
    for (what, plant, said) in cases {
        let ground = Ground::with(&LINES);
        let mut after_planting = String::new();
        let ran = planted(&ground, &["-r", "f", "d/l"], |tree| {
            plant(tree);
            after_planting = linkwell_testkit::listing::listing(tree);
        });
        assert_eq!((ran.code, ground.listing()), (1, after_planting), "{what}: {ran:#?}");
        assert!(ran.err.contains(said), "{what}: {ran:#?}");
    }
    // A name that was free: of two links one is asked about, so the other's name can be taken meanwhile.
    for plant in ["d/f", "d/f/", "d/f -> gone", "d/f -> ../canary"] {
        let ground = Ground::with(&["f", "g", "canary/x", "d/g -> gone"]);
        let ran = planted(&ground, &["-r", "-t", "d", "f", "g"], |tree| make(tree, &[plant]));
        assert_eq!(ran.code, 3, "{plant}: {ran:#?}");
        assert!(ran.err.contains("something has the name"), "{plant}: {ran:#?}");
        let planted = Ground::with(&["f", "g", "canary/x", "d/g -> ../g", plant]);
        let timeless = |ground: &Ground| -> Vec<String> {
            let listing = ground.listing();
            let line = |line: &str| {
                line.split(['(', ')'])
                    .enumerate()
                    .filter(|(at, _)| *at != 1)
                    .map(|(_, part)| part)
                    .collect()
            };
            listing.lines().map(line).collect()
        };
        assert_eq!(timeless(&ground), timeless(&planted), "{plant}: {ran:#?}");
    }
}

fn itself() {
    let ground =
        Ground::with(&["f", "h == f", "d/e/x", "l -> f", "up -> d/e", "d/e/deep -> ../.."]);
    let before = ground.listing();
    for arguments in [
        &["f", "f"][..],
        &["-f", "f", "f"],
        &["-f", "l", "l"],
        &["-f", "./l", "d/../l"],
        &["-f", "l", "f"],
        &["-f", "--hard", "l", "f"],
        &["d", "d/e/n"],
        &["d/e/..", "d/e/n"],
        &[".", "n"],
        &["..", "n"],
        &["d/e/deep", "d/n"],
        &["up/deep", "d/e/n"],
        &["-f", "h", "f"],
        &["-f", "d", "up/n"],
    ] {
        let ran = create(&ground, &[&["-y"], arguments].concat());
        assert_eq!((ran.code, ground.listing()), (1, before.clone()), "{arguments:?}: {ran:?}");
    }
    // Asked for by name, a circle can be had; it is not called broken.
    let ran = create(&ground, &["-y", "--allow-cycle", "-r", "d", "d/e/n"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(std::fs::read_link(ground.tree().join("d/e/n")).expect("a link"), Path::new(".."));
    // Already another name of that file.
    let ran = create(&ground, &["-y", "--hard", "-f", "h", "f"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("everything is as it was asked for"), "{ran:?}");
}

fn sticky() {
    let ground = Ground::with(&["f", "shared/"]);
    crafted::allow(&ground.scratch().path(), 0o755);
    crafted::allow(&ground.tree().join("shared"), 0o1777);
    make(&ground.tree(), &["shared/l -> ../f"]);
    std::os::unix::fs::lchown(ground.tree().join("shared/l"), Some(12345), Some(12345))
        .expect("root may");
    let before = ground.listing();
    for arguments in
        [&["-f", "f", "shared/l"][..], &["-i", "f", "shared/l"], &["-b", "f", "shared/l"]]
    {
        let ran = create(&ground, &[&["-y", "--absolute"], arguments].concat());
        assert_eq!((ran.code, ground.listing()), (1, before.clone()), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains("belongs to user 12345"), "{arguments:?}: {ran:?}");
    }
    let ran = nobody(&ground, &["create", "-y", "-f", "--absolute", "f", "shared/l"]);
    assert_eq!((ran.code, ground.listing()), (1, before), "{ran:?}");
    assert!(ran.err.contains("belongs to user 12345"), "{ran:?}");
    // One's own is one's own.
    std::os::unix::fs::lchown(ground.tree().join("shared/l"), Some(65534), Some(65534))
        .expect("root may");
    let ran = nobody(&ground, &["create", "-y", "-f", "--absolute", "f", "shared/l"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

/// Runs linkwell as nobody in the tree, with a state folder of nobody's own.
fn nobody(ground: &Ground, arguments: &[&str]) -> Ran {
    let mut command = as_nobody(ground.scratch());
    let state = ground.scratch().join("nobodys");
    if !state.exists() {
        make(&ground.scratch().path(), &["nobodys/"]);
        std::os::unix::fs::chown(&state, Some(65534), Some(65534)).expect("root may");
    }
    command.current_dir(ground.tree()).env("HOME", &state).env("XDG_STATE_HOME", &state);
    command.args(arguments).output().expect("linkwell can be started").into()
}

fn foreign_way() {
    let ground = Ground::with(&["f", "d/e/", "way -> d", "d/inner -> e"]);
    let own = |owner| {
        std::os::unix::fs::lchown(ground.tree().join("way"), Some(owner), Some(owner))
            .expect("root may");
    };
    own(12345);
    let before = ground.listing();
    for link in ["way/n", "way/", "way/e/n", "way/inner/n", "way/../n"] {
        let ran = create(&ground, &["-y", "f", link]);
        assert_eq!((ran.code, ground.listing()), (1, before.clone()), "{link}: {ran:?}");
        assert!(ran.err.contains("/way`, which belongs to user 12345"), "{link}: {ran:?}");
    }
    // As root, one's own and root's are the same; as nobody, both pass.
    own(0);
    assert_eq!(create(&ground, &["-y", "f", "way/n"]).code, 0);
    std::os::unix::fs::chown(ground.tree().join("d"), Some(65534), Some(65534)).expect("root may");
    for (owner, code) in [(65534, 0), (0, 0), (12345, 1)] {
        own(owner);
        let ran = nobody(&ground, &["create", "-y", "f", &format!("way/as-{owner}")]);
        assert_eq!(ran.code, code, "{owner}: {ran:?}");
    }
}

fn odd_paths() {
    let ground = Ground::with(&["f", "d/x", "ld -> d", "lf -> f"]);
    let before = ground.listing();
    let long = "n".repeat(256);
    for (arguments, code) in [
        (&["f", ""][..], 1),
        (&["", "n"], 1),
        (&["f", "lf/"], 1),
        (&["f", "n/"], 1),
        (&["-f", "-T", "f", "ld/"], 1),
        (&["-T", "f", "n/"], 1),
        (&["-T", "f", "."], 1),
        (&["-T", "f", ".."], 1),
        (&["-T", "f", "d/.."], 1),
        (&["-T", "f", "/"], 1),
        (&["--hard", "f/", "n"], 1),
        (&["--hard", "ld/", "n"], 1),
        (&["--hard", ".", "n"], 1),
        (&["--hard", "..", "n"], 1),
        (&["/", "d/"], 1),
        (&["f", &long], 1),
    ] {
        let ran = create(&ground, &[&["-y"], arguments].concat());
        assert_eq!((ran.code, ground.listing()), (code, before.clone()), "{arguments:?}: {ran:?}");
    }
    // The link at `ld` is replaced, and nothing is touched inside the folder it led to.
    let ran = create(&ground, &["-y", "-r", "-f", "f", "ld"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(std::fs::read_link(ground.tree().join("ld")).expect("a link"), Path::new("f"));
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.listing(), before);
    // A slash on a target that is a folder is no part of the text; through a link, it is followed.
    assert_eq!(create(&ground, &["-y", "-r", "d/", "n"]).code, 0);
    assert_eq!(std::fs::read_link(ground.tree().join("n")).expect("a link"), Path::new("d"));
}

fn relative() {
    // Each target and link, typed in `a/here`, which is reached through the link `door`.
    let ground = Ground::with(&[
        "a/here/",
        "a/b/c/f",
        "z/deep/er/",
        "a/short -> ../z/deep",
        "z/back -> ../a/b",
        "door -> a/here",
        "z/deep/er/lf -> ../../../a/b/c/f",
    ]);
    let tree = ground.tree();
    let mut made = 0;
    for target in [
        "../b/c/f",
        "../b/c",
        "../short/er",
        "../short/../back/c/f",
        "../../z/back/c",
        "../short/er/lf",
    ] {
        for folder in [
            "",
            "../b/",
            "../short/",
            "../short/er/",
            "../../z/back/",
            "../short/../",
            "../../door/",
        ] {
            let link = format!("{folder}n{made}");
            for style in ["-r", "--absolute", "-v"] {
                let mut command = ground.command();
                let ran = command
                    .current_dir(tree.join("door"))
                    .args(["create", "-y", style, target, &link]);
                let ran: Ran = ran.output().expect("linkwell").into();
                let whole = tree.join("door").join(&link);
                let inode = |path: &Path| std::fs::metadata(path).map(|found| found.ino()).ok();
                // A link to a folder that holds it is refused, and rightly.
                if ran.err.contains("which contains it") {
                    continue;
                }
                assert_eq!(ran.code, 0, "{target} {link}: {ran:?}");
                assert_eq!(
                    inode(&whole),
                    inode(&tree.join("door").join(target)),
                    "{target} {link}: {ran:?}"
                );
                let text = std::fs::read_link(&whole).expect("a link");
                assert_eq!(text.is_relative(), style == "-r", "{text:?}");
                std::fs::remove_file(&whole).expect("the link");
                made += 1;
            }
        }
    }
    assert!(made > 80, "only {made}");
}
