//! `linkwell clients`: which configurations are read, what of them is shown, and what must not be waited for.
#![expect(
    clippy::disallowed_methods,
    reason = "a test makes what it looks at, and may stop at the first surprise"
)]

use crate::clients::{config, home, write};
use crate::support::{Ground, NOBODY, as_nobody, shell};
use libtest_mimic::Trial;
use linkwell_testkit::crafted;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::Scratch;
use std::path::Path;

pub(crate) fn trials() -> Vec<Trial> {
    let hang = [
        Need::Root,
        Need::Fuse,
        Need::Program("bindfs"),
        Need::Program("unshare"),
        Need::Program("timeout"),
    ];
    vec![
        test("clients: what stands in the place of a configuration", in_its_place),
        test("clients: who else may write to a configuration", written_by_others),
        test_with("clients: a configuration of somebody else's", &[Need::Root], foreign),
        test_with("clients: a configuration behind a link", &[Need::Root], behind),
        test_with("clients: a folder that may not be looked at", &[Need::Root], unseen),
        test("clients: the key of the interface is printed nowhere", secret),
        test_with("clients: a home or a folder on a dead volume hangs nothing", &hang, dead),
    ]
}

/// Runs `linkwell clients dropbox`, which must not take long: it might wait for a FIFO.
fn soon(ground: &Ground) -> Ran {
    let mut command = ground.command();
    let program = command.get_program().to_owned();
    let environment: Vec<_> = command
        .get_envs()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    command = linkwell_testkit::program::command("timeout", &ground.tree());
    command.envs(environment).arg("30").arg(program).args(["clients", "dropbox"]);
    command.output().expect("it can be started").into()
}

fn in_its_place() {
    let info = |ground: &Ground| ground.scratch().join("home/.dropbox/info.json");
    let good = |ground: &Ground| format!(r#"{{"personal": {{"path": "{}"}}}}"#, home(ground));
    type Make<'m> = &'m dyn Fn(&Path, &Ground);
    let cases: [(&str, Make<'_>); 5] = [
        ("a link stands in its place, and leads to no file", &|path, ground| {
            std::os::unix::fs::symlink(ground.tree().join("x"), path).expect("a link");
        }),
        ("it is no file", &|path, _| std::fs::create_dir(path).expect("a folder")),
        ("it is no file", &|path, _| {
            let mode = rustix::fs::Mode::RWXU;
            rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0)
                .expect("a FIFO");
        }),
        ("it is no file", &|path, _| {
            drop(std::os::unix::net::UnixListener::bind(path).expect("a socket"));
        }),
        ("it is larger than a mebibyte", &|path, ground| {
            let text = good(ground);
            let room = " ".repeat(1024 * 1024 + 1 - text.len());
            std::fs::write(path, text + &room).expect("written");
        }),
    ];
    for (why, make) in cases {
        let ground = Ground::with(&[]);
        write(&ground, ".dropbox/other", "");
        make(&info(&ground), &ground);
        let ran = soon(&ground);
        let told = format!(
            "error: could not read the configuration of Dropbox, `{}`: {why}\n",
            info(&ground).display()
        );
        assert_eq!((ran.err.as_str(), ran.code), (told.as_str(), 3));
        assert!(!ran.out.contains("  syncs `"), "{ran:?}");
        let head = "Dropbox (`dropbox`): has a configuration that could not be read\n";
        assert!(ran.out.starts_with(head), "{ran:?}");
    }
    // The control: exactly a mebibyte is read.
    let ground = Ground::with(&[]);
    let text = good(&ground);
    let room = " ".repeat(1024 * 1024 - text.len());
    write(&ground, ".dropbox/info.json", text + &room);
    let ran = soon(&ground);
    assert_eq!((ran.err.as_str(), ran.code), ("", 0));
    assert!(ran.out.contains("  syncs `"), "{ran:?}");
}

/// A person's own link is followed, and what it leads to is looked at as carefully; nobody else's is.
fn behind() {
    for (link, file, mode, told) in [
        (0, 0, 0o644, None),
        (NOBODY, 0, 0o644, Some("belongs to another user")),
        (0, NOBODY, 0o644, Some("it belongs to another user (number 65534)")),
        (0, 0, 0o646, Some("others may write to it")),
    ] {
        let ground = Ground::with(&[]);
        let text = format!(r#"{{"personal": {{"path": "{}"}}}}"#, home(&ground));
        let real = write(&ground, "dotfiles/info.json", text);
        write(&ground, ".dropbox/other", "");
        let path = ground.scratch().join("home/.dropbox/info.json");
        std::os::unix::fs::symlink(&real, &path).expect("a link");
        std::os::unix::fs::lchown(&path, Some(link), None).expect("root may");
        std::os::unix::fs::chown(&real, Some(file), None).expect("root may");
        crafted::allow(&real, mode);
        let ran = ground.run(&["clients", "dropbox"]);
        assert_eq!(ran.code, if told.is_some() { 3 } else { 0 }, "{ran:?}");
        assert_eq!(ran.out.contains("  syncs `"), told.is_none(), "{ran:?}");
        assert!(told.is_none_or(|told| ran.err.contains(told)), "{ran:?}");
    }
}

fn written_by_others() {
    for (mode, folder, told) in [
        (0o600, 0o700, None),
        (0o644, 0o755, None),
        (0o646, 0o755, Some("others may write to it")),
        (0o644, 0o757, Some("others may put another file in its place")),
    ] {
        let ground = Ground::with(&[]);
        let text = format!(r#"{{"personal": {{"path": "{}"}}}}"#, home(&ground));
        let path = write(&ground, ".dropbox/info.json", text);
        crafted::allow(&path, mode);
        crafted::allow(path.parent().expect("a folder"), folder);
        let ran = ground.run(&["clients", "dropbox"]);
        assert_eq!(ran.code, if told.is_some() { 3 } else { 0 }, "{mode:o}: {ran:?}");
        assert_eq!(ran.out.contains("  syncs `"), told.is_none(), "{mode:o}: {ran:?}");
        if let Some(told) = told {
            assert!(ran.err.contains(told) && ran.err.contains("hint: "), "{ran:?}");
        }
    }
}

fn foreign() {
    for (owner, group, mode, told) in [
        (NOBODY, 0, 0o644, Some("it belongs to another user (number 65534)")),
        (0, NOBODY, 0o664, Some("others may write to it")),
        (0, NOBODY, 0o644, None),
    ] {
        let ground = Ground::with(&[]);
        let text = format!(r#"{{"personal": {{"path": "{}"}}}}"#, home(&ground));
        let path = write(&ground, ".dropbox/info.json", text);
        std::os::unix::fs::chown(&path, Some(owner), Some(group)).expect("root may");
        crafted::allow(&path, mode);
        let ran = ground.run(&["clients", "dropbox"]);
        assert_eq!(ran.code, if told.is_some() { 3 } else { 0 }, "{ran:?}");
        assert_eq!(ran.out.contains("  syncs `"), told.is_none(), "{ran:?}");
        assert!(told.is_none_or(|told| ran.err.contains(told)), "{ran:?}");
    }
    // What is root's is trusted by everybody.
    let scratch = Scratch::with(&["home/.dropbox/", "home/D/"]);
    let home = scratch.join("home");
    let text = format!(r#"{{"personal": {{"path": "{}/D"}}}}"#, home.display());
    std::fs::write(home.join(".dropbox/info.json"), text).expect("written");
    for path in ["home/.dropbox/info.json", "home/.dropbox", "home"] {
        crafted::allow(&scratch.join(path), 0o755);
    }
    let mut command = as_nobody(&scratch);
    let ran: Ran =
        command.env("HOME", &home).args(["clients", "dropbox"]).output().expect("started").into();
    assert!(ran.out.contains("  syncs `") && ran.code == 0, "{ran:?}");
}

fn unseen() {
    let scratch = Scratch::with(&["home/.dropbox/", "shut/in/"]);
    let home = scratch.join("home");
    let text = format!(r#"{{"personal": {{"path": "{}/in"}}}}"#, scratch.join("shut").display());
    std::fs::write(home.join(".dropbox/info.json"), text).expect("written");
    for (path, mode) in [
        ("home/.dropbox/info.json", 0o644),
        ("home/.dropbox", 0o755),
        ("home", 0o755),
        ("shut", 0o700),
    ] {
        crafted::allow(&scratch.join(path), mode);
    }
    let mut command = as_nobody(&scratch);
    command.env("HOME", &home).args(["clients", "dropbox"]);
    let ran: Ran = command.output().expect("started").into();
    assert!(ran.out.contains("which could not be looked at") && ran.code == 0, "{ran:?}");
    // A configuration in a folder that is shut.
    crafted::allow(&home.join(".dropbox"), 0o700);
    let ran: Ran = command.output().expect("started").into();
    assert!(ran.err.contains("info.json`: permission denied") && ran.code == 3, "{ran:?}");
}

fn secret() {
    let ground = Ground::with(&[]);
    write(&ground, ".config/syncthing/config.xml", config(""));
    let mut told = String::new();
    for arguments in [
        &["clients", "syncthing"][..],
        &["clients", "--json"],
        &["clients", "-v"],
        &["clients", "--all", "-v"],
        &["clients", "syncthing", "--json", "-v"],
    ] {
        let ran = ground.run(arguments);
        assert_eq!(ran.code, 0, "{ran:?}");
        told += &(ran.out + &ran.err);
    }
    let sound = config("");
    for broken in [
        sound.replace("</apikey>", ""),
        sound.replace("</configuration>", ""),
        sound.replace("<apikey>", "<apikey>\u{0}&x;"),
        sound.replace("<gui enabled", "<folder path=\"TOPSECRETKEY/x\"></folder><gui enabled"),
    ] {
        write(&ground, ".config/syncthing/config.xml", &broken);
        let ran = ground.run(&["clients", "syncthing", "-v"]);
        // The last one put it where a path belongs: that is no place for keys.
        if !broken.contains("TOPSECRETKEY/x") {
            told += &(ran.out + &ran.err);
        }
        assert_eq!(ran.code, 3, "{broken}");
    }
    assert!(told.contains("syncthing") && !told.contains("TOPSECRETKEY"), "{told}");
    assert!(!told.contains("8384"), "{told}");
}

fn dead() {
    let scratch = Scratch::with(&["real/.dropbox/", "home/.dropbox/", "hung/", "out/"]);
    let info = format!(r#"{{"personal": {{"path": "{}"}}}}"#, scratch.join("hung/D").display());
    std::fs::write(scratch.join("home/.dropbox/info.json"), &info).expect("written");
    std::fs::write(scratch.join("real/.dropbox/info.json"), &info).expect("written");
    let script = r#"
        bindfs -f -o entry_timeout=0,attr_timeout=0 real hung & server=$!
        for i in $(seq 500); do mountpoint -q hung && break; sleep 0.01; done
        kill -STOP $server
        run() { timeout -s KILL 15 env "$@" >>out/said 2>&1; echo "$?"; }
        T="--time-limit 0.3"
        run HOME=$PWD/home "$L" clients $T dropbox
        run HOME=$PWD/hung "$L" clients $T dropbox
        kill -CONT $server; umount -l hung; wait $server 2>/dev/null; true
    "#;
    let ran = shell(&scratch.path(), &format!("unshare -m --propagation private sh -c '{script}'"));
    let codes: Vec<&str> = ran.out.lines().collect();
    let said = std::fs::read_to_string(scratch.join("out/said")).expect("readable");
    assert_eq!(codes, ["0", "3"], "{ran:?} {said}");
    assert!(said.contains("whose volume gives no answer"), "{said}");
    let told = format!("`{}` gives no answer", scratch.join("hung").display());
    assert!(said.contains(&told), "{said}");
}
