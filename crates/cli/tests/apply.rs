//! Links written to a file, and made again from it: here, and as if on another computer.
#![expect(
    clippy::disallowed_methods,
    reason = "a test makes what it looks at, and may stop at the first surprise"
)]

use crate::repair::{ends, track};
use crate::support::{Ground, LINKWELL};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::make;
use linkwell_testkit::volume::{Kind, Volume, alone};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("apply: links that are missing are made again, each as it was", again),
        test(
            "apply: a link through a switch is led through it, not to where that leads now",
            through,
        ),
        test(
            "apply: what stands in the way stays, and one conflict stops no other link",
            in_the_way,
        ),
        test("apply: a real folder is made one with what the link leads to", merged),
        test(
            "apply: of a file that differs it is shown in what, both are kept, and twice is once",
            adopted,
        ),
        test("apply: folders that are missing are made, and only those", folders),
        test("apply: folders are made as `mkdir` makes them, by the umask", masked),
        test_with(
            "apply: the packages of GNU Stow become the links that it makes itself",
            &[Need::Program("stow")],
            stow,
        ),
        test("apply: packages that are in each other's way stop no other link", stow_in_the_way),
        test("apply: a configuration of dotbot is read, and nothing in it is run", dotbot),
        test("apply: names of any bytes", bytes),
        test("apply: what is no file of links is refused, and nothing is changed", refused),
        test("export: only what is asked for, never what is merely on the way", chosen),
        test_with(
            "apply: a volume is found wherever it is attached, and asked for where it is not",
            &[&Kind::Ext4.needs()[..], &[Need::Root]].concat(),
            volume,
        ),
    ]
}

fn text(ground: &Ground, name: &str) -> Option<String> {
    let text = fs::read_link(ground.tree().join(name)).ok()?;
    Some(String::from_utf8_lossy(text.as_os_str().as_bytes()).into_owned())
}

/// Writes the links on record to the file `links` in the tree.
fn export(ground: &Ground) -> Ran {
    let ran = ground.run(&["export"]);
    fs::write(ground.tree().join("links"), &ran.out).expect("written");
    ran
}

fn remove(ground: &Ground, name: &str) {
    fs::remove_file(ground.tree().join(name)).expect("removed");
}

fn again() {
    let ground = Ground::with(&["t/f", "t/d/", "l/f -> ../t/f", "d -> t/d", "gone -> nowhere"]);
    ends(&ground.run(&["track", "-q", "."]), 0);
    ends(&ground.run(&["track", "-q", "--policy", "ask", "d"]), 0);
    symlink(ground.tree().join("t"), ground.tree().join("whole")).expect("a link");
    track(&ground, &["whole"]);
    ends(&export(&ground), 0);
    // Also the one that leads to nothing is as it was.
    let before = ["l/f", "d", "whole"].map(|name| text(&ground, name));
    let check = || ground.run(&["apply", "--check", "links"]);
    ends(&check(), 0);
    for name in ["l/f", "d", "whole"] {
        remove(&ground, name);
    }
    let ran = check();
    ends(&ran, 1);
    assert!(ran.out.contains("l/f → ../t/f") && text(&ground, "l/f").is_none(), "{ran:#?}");
    ends(&ground.run(&["apply", "-y", "links"]), 0);
    assert_eq!(["l/f", "d", "whole"].map(|name| text(&ground, name)), before);
    ends(&check(), 0);
    let listed = ground.run(&["list", "--tracked", "-v"]);
    assert!(listed.out.contains("d → t/d  (made here; ask)"), "{listed:#?}");
    // Twice is once, and it can be taken back.
    let twice = ground.run(&["apply", "-y", "links"]);
    ends(&twice, 0);
    assert!(twice.err.contains("nothing was changed"), "{twice:#?}");
    ends(&ground.run(&["undo", "-y"]), 0);
    assert_eq!(text(&ground, "l/f"), None);
}

fn through() {
    let ground = Ground::with(&["r1/x", "r2/x", "current -> r1", "l/w -> ../current/x"]);
    track(&ground, &["l/w"]);
    ends(&export(&ground), 0);
    remove(&ground, "l/w");
    remove(&ground, "current");
    symlink("r2", ground.tree().join("current")).expect("a link");
    ends(&ground.run(&["apply", "-y", "links"]), 0);
    assert_eq!(text(&ground, "l/w").as_deref(), Some("../current/x"));
}

fn in_the_way() {
    let ground = Ground::with(&["t/f", "a -> t/f", "b -> t/f", "c -> t/f", "d -> t/f"]);
    ends(&ground.run(&["track", "-q", "."]), 0);
    ends(&export(&ground), 0);
    for name in ["a", "b", "c", "d"] {
        remove(&ground, name);
    }
    make(&ground.tree(), &["a", "b -> elsewhere", "c/kept"]);
    fs::write(ground.tree().join("a"), "mine").expect("written");
    let ran = ground.run(&["apply", "-y", "links"]);
    ends(&ran, 3);
    assert!(ran.err.contains("--merge") && ran.err.contains("--force"), "{ran:#?}");
    assert_eq!(fs::read(ground.tree().join("a")).expect("read"), b"mine");
    assert_eq!(text(&ground, "b").as_deref(), Some("elsewhere"));
    assert!(ground.tree().join("c/kept").is_file());
    assert_eq!(text(&ground, "d").as_deref(), Some("t/f"));
    ends(&ground.run(&["apply", "-y", "-f", "links"]), 3);
    assert_eq!(text(&ground, "b").as_deref(), Some("t/f"));
    assert_eq!(fs::read(ground.tree().join("a")).expect("read"), b"mine");
}

fn folders() {
    let ground = Ground::with(&["t/f", "real/", "onto -> real", "dead -> nowhere"]);
    let link = |at: &str| {
        let (at, to) = (ground.tree().join(at), ground.tree().join("t/f"));
        format!("[[links]]\nat = {at:?}\nto = {to:?}\nwritten = \"relative\"\n")
    };
    let all = ["a/b/c/l", "a/m", "onto/l", "dead/l", "t/f/l"].map(link).concat();
    fs::write(ground.tree().join("links"), format!("version = 1\n{all}")).expect("written");
    let shown = ground.run(&["apply", "-n", "links"]);
    assert!(!ground.tree().join("a").exists(), "{shown:#?}");
    assert!(shown.out.contains("2 links more in folders that are to be made"), "{shown:#?}");
    let ran = ground.run(&["apply", "-y", "links"]);
    ends(&ran, 3);
    assert_eq!(text(&ground, "a/b/c/l").as_deref(), Some("../../../t/f"), "{ran:#?}");
    assert_eq!(text(&ground, "a/m").as_deref(), Some("../t/f"));
    assert_eq!(text(&ground, "real/l").as_deref(), Some("../t/f"), "a link to a folder will do");
    assert_eq!(text(&ground, "dead").as_deref(), Some("nowhere"), "it is somebody's");
    // The links can be taken back; a folder may be others' by then, and that is said.
    ends(&ground.run(&["undo", "-y"]), 0);
    assert_eq!((text(&ground, "a/m"), text(&ground, "real/l")), (None, None));
    let folder = ground.run(&["undo", "-y"]);
    assert!(ground.tree().join("a/b/c").is_dir(), "{folder:#?}");
    assert!(folder.out.contains("that was made stays"), "{folder:#?}");
}

/// What our own making and GNU Stow's own make of the same packages.
fn stowed(packages: &[&str], before: &[&str], ours: &[&str], theirs: &[&str]) -> [Vec<String>; 2] {
    [false, true].map(|real| {
        let ground = Ground::with(&[]);
        let prefixed = |lines: &[&str], top: &str| -> Vec<String> {
            lines.iter().map(|line| format!("{top}{line}")).collect()
        };
        let all = [prefixed(packages, "dots/"), prefixed(before, "")].concat();
        make(&ground.tree(), &all.iter().map(String::as_str).collect::<Vec<_>>());
        if real {
            let names = fs::read_dir(ground.tree().join("dots")).expect("listed");
            let names = names.map(|entry| entry.expect("an entry").file_name());
            let names: Vec<_> = names.filter(|name| !name.as_bytes().starts_with(b".")).collect();
            let ran = std::process::Command::new("stow")
                .current_dir(ground.tree().join("dots"))
                .args(theirs)
                .args(&names)
                .output()
                .expect("stow can be started");
            assert!(ran.status.success(), "{ran:?}");
        } else {
            let ran = ground.run(&[&["apply", "-y", "--from-stow", "dots"], ours].concat());
            ends(&ran, 0);
            let again = [&["apply", "--check", "--from-stow", "dots"], ours].concat();
            ends(&ground.run(&again), 0);
        }
        // When each was made, and the permissions of new folders, are each program's own.
        let links = |line: &str| {
            let (start, target) = line.split_once(" -> ")?;
            Some(format!("{} -> {target}", start.split(' ').next()?))
        };
        ground.listing().lines().filter_map(links).collect()
    })
}

fn stow() {
    let packages = [
        "vim/.vimrc",
        "vim/.vim/colors/x.vim",
        "vim/README.md",
        "git/.gitconfig",
        "git/.config/git/ignore",
        "git/.git/HEAD",
        "shell/.config/fish/config.fish",
        "shell/.config/alias -> fish/config.fish",
        "shell/bin/run",
        "shell/bin/run~",
        ".git/HEAD",
    ];
    for before in [&[][..], &[".vim/mine", "bin/"], &[".config/own", ".config/git/"]] {
        let [ours, theirs] = stowed(&packages, before, &[], &["-S"]);
        assert_eq!(ours, theirs, "{before:?}");
        let [ours, theirs] = stowed(&packages, before, &["--no-folding"], &["--no-folding", "-S"]);
        assert_eq!(ours, theirs, "{before:?}");
    }
}

fn stow_in_the_way() {
    let ground = Ground::with(&[
        "dots/a/.x",
        "dots/a/.both",
        "dots/b/.both",
        "dots/b/.y",
        "dots/b/dot-z",
        "dots/c/.stow-local-ignore",
        "dots/c/.w",
        ".x",
    ]);
    let ran = ground.run(&["apply", "-y", "--dotfiles", "--from-stow", "dots"]);
    ends(&ran, 3);
    for words in ["`a` and `b` both have it", ".stow-local-ignore", "--merge"] {
        assert!(ran.err.contains(words), "{words}: {ran:#?}");
    }
    assert_eq!(text(&ground, ".y").as_deref(), Some("dots/b/.y"), "no conflict stops the rest");
    assert_eq!(text(&ground, ".z").as_deref(), Some("dots/b/dot-z"));
    assert_eq!((text(&ground, ".x"), text(&ground, ".w")), (None, None));
    // Elsewhere, if that is asked for.
    make(&ground.tree(), &["else/where/"]);
    ends(&ground.run(&["apply", "-y", "--from-stow", "dots", "--target", "else/where"]), 3);
    assert_eq!(text(&ground, "else/where/.x").as_deref(), Some("../../dots/a/.x"));
}

fn dotbot() {
    let ground = Ground::with(&["dots/vimrc", "dots/config/x/", "dots/zshrc"]);
    let home = ground.scratch().join("home");
    fs::create_dir_all(&home).expect("made");
    let config = "
- defaults: { link: { relative: true, create: true } }
- create: [~/downloads]
- link:
    ~/.vimrc: vimrc
    ~/.config/x: { path: config/x, relative: false }
    ~/.zshrc:
    ~/.no: { path: zshrc, if: 'touch ran' }
- shell: ['touch ran']
";
    fs::write(ground.tree().join("dots/install.conf.yaml"), config).expect("written");
    let ran = ground.run(&["apply", "-y", "--from-dotbot", "dots/install.conf.yaml"]);
    ends(&ran, 3);
    assert!(ran.out.contains("no program is run") && ran.err.contains("(`if`)"), "{ran:#?}");
    let led = |name: &str| fs::read_link(home.join(name)).expect("a link");
    assert_eq!(led(".vimrc"), PathBuf::from("../tree/dots/vimrc"));
    assert_eq!(led(".config/x"), ground.tree().join("dots/config/x"));
    assert_eq!(led(".zshrc"), PathBuf::from("../tree/dots/zshrc"));
    assert!(home.join("downloads").is_dir());
    assert!(!ground.tree().join("ran").exists() && !home.join("ran").exists());
}

fn merged() {
    let ground = Ground::with(&["big/Music/old", "Music -> big/Music"]);
    track(&ground, &["Music"]);
    ends(&export(&ground), 0);
    remove(&ground, "Music");
    make(&ground.tree(), &["Music/new", "Music/old"]);
    fs::write(ground.tree().join("Music/old"), "another").expect("written");
    let ran = ground.run(&["apply", "-y", "--merge", "links"]);
    ends(&ran, 0);
    assert_eq!(text(&ground, "Music").as_deref(), Some("big/Music"), "{ran:#?}");
    let mut names: Vec<String> = fs::read_dir(ground.tree().join("big/Music"))
        .expect("listed")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names.len(), 3, "both versions, and the new one: {names:?}");
    ends(&ground.run(&["undo", "-y"]), 0);
    assert_eq!(fs::read(ground.tree().join("Music/old")).expect("read"), b"another");
}

fn bytes() {
    let ground = Ground::with(&["t/"]);
    let name = |bytes: &[u8]| -> PathBuf { ground.tree().join(OsStr::from_bytes(bytes)) };
    let (target, link) = (name(b"t/\xff\n\"quoted\""), name(b"l\xfe\\ {x}"));
    fs::write(&target, "").expect("written");
    symlink(&target, &link).expect("a link");
    ends(&ground.run(&["track", "-q", "."]), 0);
    ends(&export(&ground), 0);
    fs::remove_file(&link).expect("removed");
    ends(&ground.run(&["apply", "-y", "links"]), 0);
    assert_eq!(fs::read_link(&link).expect("a link"), target);
}

fn refused() {
    let ground = Ground::with(&["t/f"]);
    let apply = |contents: &str| {
        fs::write(ground.tree().join("links"), contents).expect("written");
        ground.run(&["apply", "-y", "links"])
    };
    let link = |at: &str, to: &str| {
        format!("version = 1\n[[links]]\nat = {at:?}\nto = {to:?}\nwritten = \"absolute\"\n")
    };
    for (contents, words) in [
        ("version = 9", "newer linkwell"),
        ("links = 3", "no file of links"),
        ("version = 1\nlnks = []", "line 2"),
        ("version = 1\nlinks = [{ at = \"~/x\" }]", "no file of links"),
        ("\u{1b}[31m", "no file of links"),
    ] {
        let ran = apply(contents);
        ends(&ran, 1);
        assert!(ran.err.contains(words) && !ran.err.contains('\u{1b}'), "{ran:#?}");
    }
    for (at, to, words) in [
        ("~/../x", "~/y", "`~/../x` in the file is no place"),
        ("x", "~/y", "`x` in the file is no place"),
        ("~/x", "{Data}/y", "the volume `Data` is not known on this computer"),
        ("~/x", "/nowhere/at/all", "--allow-broken"),
        ("~/no/such/folder/x", "~/y", "mkdir -p"),
    ] {
        let ran = apply(&link(at, to));
        ends(&ran, 1);
        assert!(ran.err.contains(words), "{words}: {ran:#?}");
    }
    assert!(!ground.scratch().join("home/no").exists(), "no folder is made for what is refused");
    ends(&ground.run(&["apply", "-y", "nothing"]), 1);
    ends(&ground.run(&["apply", "-y", "--from-dotbot", "nothing"]), 1);
    ends(&ground.run(&["apply", "-y", "--from-stow", "nothing"]), 1);
    ends(&ground.run(&["apply", "-y", "--from-stow", "t", "links"]), 2);
    ends(&ground.run(&["apply", "-y"]), 2);
    ends(&ground.run(&["apply", "-y", "t"]), 1);
    ends(&ground.run(&["apply", "--volume", "x", "links"]), 2);
}

fn chosen() {
    let ground = Ground::with(&["t/f", "way -> t", "a/l -> ../way/f", "b/l -> ../t/f"]);
    let none = ground.run(&["export"]);
    ends(&none, 1);
    assert!(none.err.contains("linkwell track"), "{none:#?}");
    track(&ground, &["a/l", "b/l"]);
    let all = ground.run(&["export"]);
    assert_eq!(all.out.matches("[[links]]").count(), 2, "{all:#?}");
    assert!(!all.out.contains("at = \"~/way\""), "{all:#?}");
    let one = ground.run(&["export", "a"]);
    assert!(one.out.contains("a/l") && !one.out.contains("b/l"), "{one:#?}");
    ends(&ground.run(&["export", "a", "c"]), 1);
}

fn volume() {
    alone(|| {
        let Some(mut volume) = Volume::new(Kind::Ext4, 32 << 20) else { return };
        make(&volume.path(), &["Music/song"]);
        let ground = Ground::with(&["t/"]);
        symlink(volume.join("Music"), ground.tree().join("Music")).expect("a link");
        track(&ground, &["Music"]);
        let ran = export(&ground);
        ends(&ran, 0);
        assert!(ran.out.contains("uuid = ") || ran.out.contains("fsid = "), "{ran:#?}");
        remove(&ground, "Music");
        volume.take_away().expect("it is not busy");
        let away = ground.run(&["apply", "-y", "links"]);
        ends(&away, 1);
        assert!(away.err.contains("is not known on this computer"), "{away:#?}");
        assert_eq!(text(&ground, "Music"), None);
        // Attached elsewhere, it is the same volume.
        let elsewhere = ground.tree().join("elsewhere");
        fs::create_dir(&elsewhere).expect("made");
        volume.come_back();
        rustix::mount::mount_move(volume.path(), &elsewhere).expect("moved");
        ends(&ground.run(&["apply", "-y", "links"]), 0);
        let led = fs::read_link(ground.tree().join("Music")).expect("a link");
        assert_eq!(led, elsewhere.join("Music"));
        rustix::mount::mount_move(&elsewhere, volume.path()).expect("moved back");
    });
}

fn adopted() {
    let lines = [
        "dots/a/.text",
        "dots/a/.bytes",
        "dots/a/.folder",
        "dots/a/.mine",
        "dots/b/.other",
        ".folder/x",
    ];
    let ground = Ground::with(&lines);
    let at = |name: &str| ground.tree().join(name);
    let theirs = "one\ntwo\nthree\nfour\nfive\n";
    let contents: [(&str, &[u8]); 6] = [
        ("dots/a/.text", theirs.as_bytes()),
        (".text", b"one\ntwo\nthree\n\x1b[31mvier\nfive"),
        ("dots/a/.bytes", b"\0\x01"),
        (".bytes", b"\0\x01\x02"),
        ("dots/a/.mine", b"same"),
        (".mine", b"same"),
    ];
    for (name, contents) in contents {
        fs::write(at(name), contents).expect("written");
    }
    // The same contents, and the one in the package is open to more people.
    for (name, mode) in [(".mine", 0o600), ("dots/a/.mine", 0o644)] {
        fs::set_permissions(at(name), fs::Permissions::from_mode(mode)).expect("set");
    }
    let all = ["apply", "--merge", "--from-stow", "dots"];
    let shown = ground.run(&[&all[..], &["-n"]].concat());
    let diff = "@@ -1,5 +1,5 @@\n one\n two\n three\n-four\n-five\n+\\e[31mvier\n+five\n\\ No newline at end of file\n";
    let told = shown.out.lines().map(|line| line.strip_prefix("  ").unwrap_or(line));
    let told: String = told.map(|line| format!("{line}\n")).collect();
    assert!(told.contains(diff.trim_start_matches("@@ -1,5 +1,5 @@\n one\n")), "{shown:#?}");
    for words in [
        "--- ",
        "this one: 3 bytes, changed ",
        "; the one there: 2 bytes, changed ",
        "their contents are the same",
        "the old one is kept as `",
        "dots/b/.other",
    ] {
        assert!(shown.out.contains(words), "{words}: {shown:#?}");
    }
    assert!(!shown.out.contains('\u{1b}') && text(&ground, ".text").is_none());
    // What would be merged is in nobody's way; and what is, stops nothing else.
    assert!(!shown.err.contains(".text") && shown.err.contains(".folder"), "{shown:#?}");
    let ran = ground.run(&[&all[..], &["-y"]].concat());
    ends(&ran, 3);
    for name in [".text", ".bytes", ".mine"] {
        assert_eq!(text(&ground, name), Some(format!("dots/a/{name}")), "{ran:#?}");
        assert!(at(&format!("{name} (before it was merged)")).is_file(), "{name}");
    }
    assert_eq!(text(&ground, ".other").as_deref(), Some("dots/b/.other"));
    assert_eq!(fs::read(at("dots/a/.text")).expect("read"), theirs.as_bytes());
    let kept = fs::read(at(".text (before it was merged)")).expect("read");
    assert!(kept.ends_with(b"vier\nfive"));
    assert!(at(".folder/x").is_file());
    // What stands in a person's files is nothing for the record of operations.
    for entry in fs::read_dir(ground.scratch().join("state/linkwell/operations")).expect("listed") {
        let record = fs::read(entry.expect("an entry").path()).expect("read");
        let record = String::from_utf8_lossy(&record).into_owned();
        assert!(!record.contains("vier") && !record.contains("three"), "{record}");
    }
    // Nothing new is in the packages, so nothing new is linked.
    fs::rename(at(".folder"), at("elsewhere")).expect("renamed");
    ends(&ground.run(&[&all[..], &["-y"]].concat()), 0);
    let before = ground.listing();
    ends(&ground.run(&[&all[..], &["-y"]].concat()), 0);
    ends(&ground.run(&["apply", "--check", "--from-stow", "dots"]), 0);
    assert_eq!(ground.listing(), before);
    // And the way back.
    for _ in 0..5 {
        ends(&ground.run(&["undo", "-y"]), 0);
    }
    assert_eq!(text(&ground, ".text"), None, "{before}");
    assert_eq!(fs::read(at(".text")).expect("read"), kept);
}

fn masked() {
    for (umask, mode) in [("022", 0o755), ("077", 0o700), ("002", 0o775)] {
        let ground = Ground::with(&["t/f"]);
        let (at, to) = (ground.tree().join("a/b/l"), ground.tree().join("t/f"));
        let link = format!("[[links]]\nat = {at:?}\nto = {to:?}\nwritten = \"relative\"\n");
        fs::write(ground.tree().join("links"), format!("version = 1\n{link}")).expect("written");
        let mut command = std::process::Command::new("/bin/sh");
        command
            .current_dir(ground.tree())
            .args(["-c", &format!("umask {umask}; exec \"$0\" apply -y links"), LINKWELL])
            .env("HOME", ground.scratch().join("home"))
            .env("XDG_STATE_HOME", ground.scratch().join("state"));
        let ran: Ran = command.output().expect("a shell can be started").into();
        ends(&ran, 0);
        for name in ["a", "a/b"] {
            let it = fs::metadata(ground.tree().join(name)).expect("made");
            assert_eq!(it.permissions().mode() & 0o7777, mode, "{name} with {umask}");
        }
        // What is linkwell's own is for its owner alone, whatever the umask.
        let state = fs::metadata(ground.scratch().join("state/linkwell")).expect("made");
        assert_eq!(state.permissions().mode() & 0o777, 0o700);
    }
}
