//! `remove`: the trash, other volumes, and what cannot be done.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "the tests look for themselves, and may stop at the first surprise"
)]

use crate::remove::{ground, remove};
use crate::support::{Ground, as_nobody};
use libtest_mimic::Trial;
use linkwell_testkit::crafted;
use linkwell_testkit::listing::listing;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::{self, Ran};
use linkwell_testkit::tree::Scratch;
use std::ffi::OsStr;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::ExitCode;

pub(crate) fn trials() -> Vec<Trial> {
    let root = &[Need::Root];
    vec![
        test("remove: the trash is told the local time", local_time),
        test("remove: undo says that the trash was emptied", emptied),
        test("remove: another program finds and restores what is in the trash", oracle_agrees),
        test("remove: every byte in a name, names of 255 bytes, one name many times", names),
        test("remove: ten thousand paths at once", many),
        test_with("remove: without the right to, nothing is changed", root, forbidden),
        test_with(
            "remove: what cannot be freed is named and keeps its name",
            &[Need::Root, Need::Program("chattr")],
            immutable,
        ),
        test_with(
            "remove: what cannot be freed is named by `recover`, too",
            &[Need::Root, Need::Program("chattr"), Need::Program("strace")],
            immutable_and_killed,
        ),
        test_with("remove: nothing goes in which a volume is mounted", root, mounted),
        test_with("remove: each volume has its trash, or says why not", root, volumes),
    ]
}

fn emptied() {
    let ground = ground(&["d/f"]);
    assert_eq!(remove(&ground, &["d"]).code, 0);
    let trash = ground.scratch().join("home/data/Trash");
    std::fs::remove_dir_all(trash.join("files/d")).expect("it is there");
    let ran = ground.run(&["undo", "-y"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("is gone") && ran.err.contains("Trash/files/d"), "{ran:?}");
    assert_eq!(ground.listing(), "");
}

/// What this binary does when it is started as another program that knows the trash.
pub(crate) fn oracle() -> Option<ExitCode> {
    let wish = std::env::var_os("LINKWELL_TEST_TRASH")?;
    let items = trash::os_limited::list().expect("the trash can be listed");
    let mut paths: Vec<Vec<u8>> =
        items.iter().map(|item| item.original_path().as_os_str().as_bytes().to_vec()).collect();
    paths.sort();
    if wish == "restore" {
        trash::os_limited::restore_all(items).expect("all can be restored");
    }
    std::io::stdout().write_all(&paths.join(&0)).expect("somebody reads");
    Some(ExitCode::SUCCESS)
}

fn trash_says(ground: &Ground, wish: &str) -> Vec<Vec<u8>> {
    let me = std::env::current_exe().expect("this program");
    let ran = program::command(me.to_str().expect("a plain path"), &ground.tree())
        .env("HOME", ground.scratch().join("home"))
        .env("XDG_DATA_HOME", ground.scratch().join("home/data"))
        .env("LINKWELL_TEST_TRASH", wish)
        .output()
        .expect("it can be started");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let own = ground.scratch().path();
    let paths = ran.stdout.split(|byte| *byte == 0).map(<[u8]>::to_vec);
    paths.filter(|path| path.starts_with(own.as_os_str().as_bytes())).collect()
}

fn oracle_agrees() {
    let ground = ground(&["a b/f", "é%\n", "l -> ../canary", "d/a b/g"]);
    let before = ground.listing();
    assert_eq!(remove(&ground, &["a b", "é%\n", "l", "d/a b"]).code, 0);
    let mut wanted: Vec<Vec<u8>> = ["a b", "d/a b", "l", "é%\n"]
        .map(|name| ground.tree().join(name).as_os_str().as_bytes().to_vec())
        .to_vec();
    wanted.sort();
    assert_eq!(trash_says(&ground, "list"), wanted);
    trash_says(&ground, "restore");
    assert_eq!(ground.listing(), before);
    assert!(trash_says(&ground, "list").is_empty());
}

/// The record holds the local time.
fn local_time() {
    let hour = |zone: &str| -> i32 {
        let ground = ground(&["f"]);
        let mut command = ground.command();
        let ran = command.env("TZ", zone).args(["remove", "-y", "--no-refs", "f"]).output();
        assert!(ran.expect("linkwell can be started").status.success());
        let record = ground.scratch().join("home/data/Trash/info/f.trashinfo");
        let text = std::fs::read_to_string(record).expect("a record");
        let date = text.lines().find_map(|line| line.strip_prefix("DeletionDate="));
        let time = date.and_then(|date| date.split_once('T')).expect("a date and a time").1;
        assert_eq!(time.len(), 8, "{text}");
        time.split(':').next().and_then(|hour| hour.parse().ok()).expect("an hour")
    };
    let (here, there) = (hour("UTC0"), hour("XYZ-9"));
    // The hour may have ended between the two.
    assert!(matches!((there - here).rem_euclid(24), 9 | 10), "{here} {there}");
}

fn names() {
    let ground = ground(&[]);
    let every: Vec<u8> = (1..=255).filter(|byte| *byte != b'/').collect();
    let long = [b'n'; 255];
    let wide = "é".repeat(127);
    let all: Vec<&[u8]> = vec![&every[..100], &every[100..], &long, wide.as_bytes(), b".", b"\xff"];
    let all: Vec<&[u8]> = all.into_iter().filter(|name| *name != b".").collect();
    let mut paths = Vec::new();
    for folder in ["one", "two", "three"] {
        std::fs::create_dir(ground.tree().join(folder)).expect("a folder");
        for name in &all {
            crafted::file(&ground.tree().join(folder), name, folder.as_bytes());
            paths.push(Path::new(folder).join(OsStr::from_bytes(name)));
        }
    }
    let before = ground.listing();
    let run = |arguments: &[&str]| {
        let ran = ground.command().args(arguments).args(&paths).output();
        Ran::from(ran.expect("linkwell can be started"))
    };
    let ran = run(&["remove", "-y", "--no-refs", "--"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(trash_says(&ground, "list").len(), paths.len());
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.listing(), before);
    assert_eq!(run(&["remove", "-y", "--no-refs", "--forever", "--"]).code, 0);
    assert_eq!(ground.listing().lines().count(), 3);
}

fn many() {
    let ground = ground(&["keep"]);
    let names: Vec<String> = (0..10_000).map(|number| format!("f{number}")).collect();
    let make = || names.iter().for_each(|name| crafted::file(&ground.tree(), name.as_bytes(), b""));
    make();
    let before = ground.listing();
    let run = |first: &[&str]| {
        ground
            .run(&first.iter().copied().chain(names.iter().map(String::as_str)).collect::<Vec<_>>())
    };
    let ran = run(&["remove", "-yq", "--no-refs"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(ground.listing().lines().count(), 1);
    assert_eq!(ground.run(&["undo", "-y", "-q"]).code, 0);
    assert_eq!(ground.listing(), before);
    assert_eq!(run(&["remove", "-yq", "--no-refs", "--forever"]).code, 0);
    assert_eq!(ground.listing().lines().count(), 1);
}

fn forbidden() {
    let scratch = Scratch::with(&["mine/f", "others/d/f", "others/l -> ../mine"]);
    crafted::allow(&scratch.join("others"), 0o755);
    for folder in ["home", "state"] {
        std::fs::create_dir(scratch.join(folder)).expect("a folder");
        std::os::unix::fs::chown(scratch.join(folder), Some(65534), Some(65534)).expect("root");
    }
    let before = listing(&scratch.join("others"));
    for arguments in
        [&["others/d"][..], &["others/l"], &["others/l/"], &["--forever", "others/d", "others/l"]]
    {
        let ran: Ran = as_nobody(&scratch)
            .env("HOME", scratch.join("home"))
            .env("XDG_STATE_HOME", scratch.join("state"))
            .args(["remove", "-y", "--no-refs"])
            .args(arguments)
            .output()
            .expect("linkwell can be started")
            .into();
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains("ermission denied"), "{ran:?}");
        assert_eq!(listing(&scratch.join("others")), before);
    }
}

fn immutable() {
    let ground = ground(&["d/a/f", "d/a/g", "d/z", "e/f"]);
    let stays = ground.tree().join("d/a/f");
    let chattr = |how: &str| {
        let done = std::process::Command::new("chattr").arg(how).arg(&stays).status();
        assert!(done.expect("chattr").success());
    };
    chattr("+i");
    let ran = remove(&ground, &["--forever", "d", "e"]);
    let left = ground.listing();
    let again = ground.run(&["recover"]);
    chattr("-i");
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("d/a/f`: could not remove it"), "{ran:?}");
    assert!(
        left.contains("d/a/f ") && !left.contains("e/f") && !left.contains(".linkwell-"),
        "{left}"
    );
    assert!(again.err.contains("nothing was interrupted"), "{again:?}");
}

/// Killed while it frees what cannot all be freed; meanwhile the name is given to something else.
fn immutable_and_killed() {
    for taken in [false, true] {
        let ground = ground(&["d/a/f", "d/z"]);
        let stays = ground.tree().join("d/a/f");
        let script = format!(
            "chattr +i {0}; strace -f -qq -o /dev/null -e trace=unlinkat -e \
             inject=unlinkat:signal=KILL:when=1 $L remove -yq --no-refs --forever d; \
             {1} $L recover; echo $?; chattr -i $(find . -path '*/a/f'); $L recover; find .",
            stays.display(),
            if taken { "echo mine > d;" } else { "" }
        );
        let ran = apart(&ground, &format!("set +e; {script}"));
        assert!(ran.out.starts_with("3\n"), "{ran:?}");
        assert!(ran.err.contains("/a/f`: could not remove it"), "{ran:?}");
        assert!(ran.err.contains("nothing was interrupted"), "{ran:?}");
        if taken {
            assert_eq!(std::fs::read(ground.tree().join("d")).expect("mine"), b"mine\n");
            assert!(ran.err.contains("it is at `") && ran.err.contains(".linkwell-"), "{ran:?}");
        } else {
            assert!(ran.out.contains("./d/a/f\n") && !ran.out.contains(".linkwell-"), "{ran:?}");
        }
    }
}

/// Runs a script of shell in a mount namespace of its own, with linkwell as `$L`.
fn apart(ground: &Ground, script: &str) -> Ran {
    let mut command = program::command("unshare", &ground.tree());
    command
        .args(["-m", "--propagation", "private", "sh", "-eu", "-c", script])
        .env("L", crate::support::LINKWELL)
        .env("HOME", ground.scratch().join("home"))
        .env("XDG_STATE_HOME", ground.scratch().join("state"))
        .env("XDG_DATA_HOME", ground.scratch().join("home/data"));
    command.output().expect("unshare").into()
}

fn mounted() {
    for mount in
        ["mount -t tmpfs none d/in/m && echo x > d/in/m/f", "mount --bind ../canary d/in/m"]
    {
        let ground = ground(&["d/in/m/", "d/f"]);
        let canary = listing(&ground.scratch().join("canary"));
        let before = ground.listing();
        for arguments in ["d", "--forever d", "d/in/m", "--forever d/in/m", "--forever d/in"] {
            let script = format!("{mount}; $L remove -y --no-refs {arguments}");
            let ran = apart(&ground, &script);
            assert_eq!(ran.code, 1, "{script}: {ran:?}");
            assert!(ran.err.contains("mounted") && ran.err.contains("umount"), "{ran:?}");
            assert_eq!(ground.listing(), before);
            assert_eq!(listing(&ground.scratch().join("canary")), canary);
            // Without the newer calls and `/proc`, only another device tells of a mount.
            if mount.contains("tmpfs") {
                let plain = format!("export LINKWELL_PLAIN_CALLS=1; {script} || cat d/in/m/f");
                let ran = apart(&ground, &plain);
                assert!(ran.err.contains("mounted") && ran.out.ends_with("x\n"), "{ran:?}");
            }
        }
        // The control: it is the mount that is in the way.
        assert_eq!(remove(&ground, &["--forever", "d"]).code, 0);
    }
}

fn volumes() {
    let run = |script: &str| {
        let ground = ground(&["m/"]);
        let make = "mount -t tmpfs none m; mkdir -p m/d/e; echo x > m/d/e/f; ln -s ../../../canary m/d/l; cd m; R='remove -y --no-refs';";
        let ran = apart(&ground, &format!("{make} {script}"));
        assert_eq!(ran.code, 0, "{script}: {ran:?}");
        assert!(listing(&ground.scratch().join("canary")).contains("c "));
        ran
    };
    let none = "no trash on its volume";
    let ran = run(
        "$L $R d; ls -A; cat .Trash-0/info/d.trashinfo; $L undo -y; test -f d/e/f; test -z \"$(ls .Trash-0/files)\"",
    );
    assert!(ran.out.contains("Path=d\n") && ran.out.contains(".Trash-0\n"), "{ran:?}");
    let ran = run(
        "mkdir .Trash; chmod 1777 .Trash; $L $R d/e; cat .Trash/0/info/e.trashinfo; test ! -e .Trash-0; $L undo -y; test -f d/e/f",
    );
    assert!(ran.out.contains("Path=d/e\n"), "{ran:?}");
    run("mkdir .Trash; $L $R d/e; test -f .Trash-0/files/e/f");
    run(
        "mkdir t; chmod 1777 t; ln -s t .Trash; $L $R d/e; test -f .Trash-0/files/e/f; test -z \"$(ls t)\"",
    );
    for spoil in [
        "ln -s d .Trash-0",
        "touch .Trash-0",
        "mkdir .Trash-0; chown 1 .Trash-0",
        "mkdir .Trash-0; chmod 777 .Trash-0",
        "mkdir .Trash-0; ln -s ../d .Trash-0/files",
        "mkdir .Trash-0; mkdir .Trash-0/info; chown 1 .Trash-0/info",
    ] {
        let ran = run(&format!(
            "{spoil}; ! $L $R d; test -f d/e/f; test $(ls d | wc -l) = 2; $L $R --forever d; test ! -e d"
        ));
        assert!(ran.err.contains(none) && ran.err.contains("--forever"), "{spoil}: {ran:?}");
    }
    let ran = run(
        "mkdir -p .Trash-0/files/x .Trash-0/info; ! $L $R .Trash-0; ! $L $R .Trash-0/files/x; ! $L $R --forever .Trash-0/files",
    );
    assert!(
        ran.err.contains("it is the trash") && ran.err.contains("in the trash already"),
        "{ran:?}"
    );
    let ran = run("mount -o remount,ro .; ! $L $R d; ! $L $R --forever d; test -f d/e/f");
    assert!(ran.err.contains("ead-only"), "{ran:?}");
}
