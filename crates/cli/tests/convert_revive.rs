//! `linkwell convert --revive`: what other systems left as text becomes links again.
#![expect(clippy::disallowed_methods, reason = "a test builds its own tree")]

use crate::support::{Ground, shell};
use libtest_mimic::Trial;
use linkwell_testkit::crafted;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use std::path::{Path, PathBuf};

pub(crate) fn trials() -> Vec<Trial> {
    let git = [Need::Program("git")];
    let mounts = [Need::Root, Need::Program("unshare")];
    vec![
        test_with(
            "convert: revive: a repository cloned without links has them again, says git",
            &git,
            repository,
        ),
        test_with("convert: revive: one stub of git's by its name", &git, by_name),
        test("convert: revive: what Cygwin and Interix left", marked),
        test("convert: revive: nothing through links, nothing that is only text", untouched),
        test_with("convert: revive: nothing on other volumes", &mounts, other_volume),
        test_with("convert: revive: what cannot be looked at is told", &[Need::Root], unreadable),
    ]
}

/// A repository with links, cloned into `tree/clone` where none could be made.
fn clone() -> Ground {
    let ground = Ground::with(&[]);
    let made = shell(
        &ground.scratch().path(),
        r#"set -e; export HOME=$PWD/home GIT_CONFIG_NOSYSTEM=1
        git init -q origin; cd origin; mkdir -p a/b; echo x >a/file
        ln -s a/file one; ln -s ../file a/b/two; ln -s gone a/broken; ln -s / a/b/root
        ln -s a folder; ln -s "$(printf 'a\377b')" odd; ln -s . a/self
        printf 'a/file' >text; echo readme >README
        git add -A; git -c user.name=n -c user.email=e commit -qm all; cd ..
        git clone -q -c core.symlinks=false origin tree/clone
        cd tree/clone; test ! -L one; test "$(cat one)" = a/file"#,
    );
    assert_eq!(made.code, 0, "{made:?}");
    ground
}

fn git(ground: &Ground, line: &str) -> Ran {
    let path = ground.tree().join("clone");
    shell(&path, &format!("export HOME=$PWD/../../home GIT_CONFIG_NOSYSTEM=1; {line}"))
}

fn link(ground: &Ground, name: &str) -> Option<PathBuf> {
    std::fs::read_link(ground.tree().join(name)).ok()
}

fn repository() {
    let ground = clone();
    let before = ground.listing();
    let status = git(&ground, "git config core.symlinks true; git status --porcelain");
    assert_eq!(
        status.out.lines().count(),
        7,
        "the control: git sees the links missing: {status:?}"
    );
    let ran = ground.run(&["convert", "-n", "--revive", "clone"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = ground.run(&["convert", "-y", "--revive", "clone"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("git config core.symlinks true"), "{ran:?}");
    assert!(ran.out.contains("it is made all the same"), "{ran:?}");
    assert_eq!(link(&ground, "clone/one").as_deref(), Some(Path::new("a/file")));
    assert_eq!(link(&ground, "clone/text"), None);
    let status = git(&ground, "git status --porcelain");
    assert_eq!((status.out.as_str(), status.code), ("", 0), "{status:?}");
    assert_eq!(ground.run(&["convert", "-y", "--revive", "clone"]).code, 0, "nothing left to do");
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    let (before, now) = (but_git(&before), but_git(&ground.listing()));
    assert_eq!(now, before);
}

/// A listing without what git itself writes.
fn but_git(listing: &str) -> Vec<String> {
    listing.lines().filter(|line| !line.contains("/.git")).map(Into::into).collect()
}

fn by_name() {
    let ground = clone();
    let ran = ground.run(&["convert", "-y", "--to", "symlink", "clone/a/b/two"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(link(&ground, "clone/a/b/two").as_deref(), Some(Path::new("../file")));
    let ran = ground.run(&["convert", "-y", "--to", "contents", "clone/one"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let contents = std::fs::read(ground.tree().join("clone/one"));
    assert_eq!(contents.ok().as_deref(), Some(&b"x\n"[..]));
    // The same text outside of git's index is a text.
    let ran = ground.run(&["convert", "-y", "--to", "symlink", "clone/text"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("this is a file, not a link"), "{ran:?}");
}

fn marked() {
    let ground = Ground::with(&["d/f", "d/sub/"]);
    let tree = ground.tree();
    crafted::file(&tree, b"cygwin", b"!<symlink>d/f\0");
    crafted::file(&tree, b"wide", &[&b"!<symlink>\xff\xfe"[..], b"d\0/\0f\0\0\0"].concat());
    crafted::file(&tree, b"d/sub/interix", &crafted::interix("../f"));
    crafted::file(&tree, b"d/round", b"!<symlink>round\0");
    crafted::allow(&tree.join("wide"), 0o400);
    let before = ground.listing();
    let ran = ground.run(&["convert", "-y", "--revive", ".", "--revive", "d"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    for (name, target) in
        [("cygwin", "d/f"), ("wide", "d/f"), ("d/sub/interix", "../f"), ("d/round", "round")]
    {
        assert_eq!(link(&ground, name).as_deref(), Some(Path::new(target)), "{name} {ran:?}");
    }
    assert!(!ran.out.contains("git"), "{ran:?}");
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.listing(), before);
}

fn untouched() {
    let ground = Ground::with(&["f", "in/through -> ../out", "out/", "in/two"]);
    let tree = ground.tree();
    crafted::file(&tree, b"out/stub", b"!<symlink>f\0");
    crafted::file(&tree, b"in/text", b"../f");
    crafted::file(&tree, b"in/empty", b"!<symlink>\0");
    crafted::file(&tree, b"in/many", b"!<symlink>two\0");
    std::fs::hard_link(tree.join("in/many"), tree.join("in/names")).expect("a name");
    let before = ground.listing();
    let ran = ground.run(&["convert", "-y", "--revive", "in"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(ran.err.matches("it has 2 names").count(), 2, "{ran:?}");
    assert_eq!(ground.listing(), before);
}

fn other_volume() {
    let ground = Ground::with(&["in/m/"]);
    crafted::file(&ground.tree(), b"in/stub", b"!<symlink>m\0");
    let ran = shell(
        &ground.tree(),
        r#"export HOME=$PWD/../home XDG_STATE_HOME=$PWD/../state
        unshare -m --propagation private sh -c 'mount -t tmpfs none in/m; printf "!<symlink>m\0" >in/m/stub
        "$L" convert -y --revive in; echo "= $?"; test -L in/stub && test ! -L in/m/stub && echo right'"#,
    );
    assert!(ran.out.ends_with("= 0\nright\n"), "{ran:?}");
}

fn unreadable() {
    let ground = Ground::with(&["in/shut/", "in/f"]);
    let (tree, scratch) = (ground.tree(), ground.scratch());
    crafted::file(&tree, b"in/stub", b"!<symlink>f\0");
    shell(
        &scratch.path(),
        "chown -R 65534:65534 tree/in state home; chown 0 tree/in/shut; chmod 700 tree/in/shut",
    );
    let mut command = crate::support::as_nobody(scratch);
    command.current_dir(&tree).env("HOME", scratch.join("home"));
    command.env("XDG_STATE_HOME", scratch.join("state"));
    let ran = command.args(["convert", "-y", "--revive", "in"]).output();
    let ran = Ran::from(ran.expect("linkwell can be started"));
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("in/shut`: could not look there"), "{ran:?}");
    assert!(tree.join("in/stub").is_symlink());
}
