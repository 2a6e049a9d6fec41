//! `linkwell clients`, with configurations that real programs wrote, and one that runs.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test makes what it looks at, and may stop at the first surprise"
)]

use crate::clients::{client, write};
use crate::support::{Ground, text};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::program::{self, Ran};
use linkwell_testkit::tree::make;
use serde_json::Value;
use std::io::BufRead as _;
use std::process::{Child, Command, Stdio};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test_with(
            "clients: a Syncthing that runs, by the configuration that it wrote",
            &[Need::Program("syncthing")],
            syncthing,
        ),
        test_with("clients: a profile that Unison takes", &[Need::Program("unison")], unison),
        test_with(
            "clients: what rclone writes of its places and pairs",
            &[Need::Program("rclone")],
            rclone,
        ),
    ]
}

/// A command for a client, in the home of this ground.
pub(crate) fn command(ground: &Ground, name: &str) -> Command {
    let mut command = program::command(name, &ground.tree());
    command.env("HOME", ground.scratch().join("home"));
    command.env("STNOUPGRADE", "1");
    // Else Syncthing starts itself once more, and that one outlives the first when it is killed.
    command.env("STMONITORED", "1");
    command
}

/// Whether a folder is told of this client, and how it is.
fn state(ran: &Ran, id: &str, path: &str) -> Option<String> {
    let client = client(ran, id)?;
    let roots = client["roots"].as_array()?.clone();
    roots.iter().find(|root| text(root, "path") == path).map(|root| text(root, "state"))
}

/// A process that is ended, by its own number, when the test is over.
pub(crate) struct Ended(pub(crate) Child);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.kill().unwrap_or_default();
        drop(self.0.wait());
    }
}

fn syncthing() {
    let ground = Ground::with(&[]);
    let own = ground.scratch().join("own");
    let option = format!("--home={}", own.display());
    let ran: Ran = command(&ground, "syncthing")
        .args(["generate", &option])
        .output()
        .expect("Syncthing can be started")
        .into();
    assert_eq!(ran.code, 0, "{ran:?}");
    let config = own.join("config.xml");
    let written = std::fs::read_to_string(&config).expect("it was written");
    let folder = ground.scratch().join("home/Sync").display().to_string();
    // Without the program nobody knows of this place.
    let before = ground.run(&["clients", "--json"]);
    assert_eq!(state(&before, "syncthing", &folder), None, "{before:?}");
    // It shall speak to nobody but this computer.
    let mut quiet = written.clone();
    for (old, new) in [
        ("<listenAddress>default", "<listenAddress>tcp://127.0.0.1:0"),
        ("<globalAnnounceEnabled>true", "<globalAnnounceEnabled>false"),
        ("<localAnnounceEnabled>true", "<localAnnounceEnabled>false"),
        ("<relaysEnabled>true", "<relaysEnabled>false"),
        ("<natEnabled>true", "<natEnabled>false"),
        ("<crashReportingEnabled>true", "<crashReportingEnabled>false"),
    ] {
        assert!(quiet.contains(old), "{old}");
        quiet = quiet.replace(old, new);
    }
    std::fs::write(&config, &quiet).expect("written");
    let key = written.split("<apikey>").nth(1).and_then(|rest| rest.split('<').next());
    let key = key.filter(|key| key.len() > 8).expect("a key");
    let mut child = command(&ground, "syncthing")
        .args(["serve", &option, "--no-browser", "--no-restart", "--gui-address=127.0.0.1:0"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("Syncthing can be started");
    let out = child.stdout.take().expect("a pipe");
    let child = Ended(child);
    let mut lines = std::io::BufReader::new(out).lines().map_while(Result::ok);
    let ready = lines.by_ref().find(|line| line.contains("GUI and API listening"));
    assert!(ready.is_some(), "it ended");
    let ran = ground.run(&["clients", "syncthing", "--json"]);
    let number = Value::from(child.0.id());
    let found = client(&ran, "syncthing").expect("found");
    assert!(found["processes"].as_array().is_some_and(|all| all.contains(&number)), "{ran:?}");
    assert_eq!(found["running"], true);
    assert_eq!(state(&ran, "syncthing", &folder).as_deref(), Some("there"), "{ran:?}");
    let people = ground.run(&["clients", "syncthing"]);
    assert!(people.out.starts_with("Syncthing (`syncthing`): runs\n"), "{people:?}");
    let told = format!("  syncs `{folder}`, called \"Default Folder\"\n");
    assert!(people.out.contains(&told), "{people:?}");
    for ran in [&ran, &people] {
        assert!(!ran.out.contains(key) && !ran.err.contains(key), "{ran:?}");
    }
}

fn unison() {
    let ground = Ground::with(&[]);
    let home = ground.scratch().join("home");
    make(&home, &["one/f", "two/"]);
    let path = |name: &str| home.join(name).display().to_string();
    let profile = format!("root = {}\nroot = {}\nbatch = true\n", path("one"), path("two"));
    write(&ground, ".unison/mine.prf", profile);
    let ran: Ran =
        command(&ground, "unison").args(["-ui", "text", "mine"]).output().expect("started").into();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(home.join("two/f").is_file(), "the profile is one: {ran:?}");
    let ran = ground.run(&["clients", "unison", "--json"]);
    for name in ["one", "two"] {
        assert_eq!(state(&ran, "unison", &path(name)).as_deref(), Some("there"), "{ran:?}");
    }
    assert_eq!(ran.code, 0);
}

fn rclone() {
    let ground = Ground::with(&[]);
    let home = ground.scratch().join("home");
    make(&home, &["one_b/f", "in/two c/f", "in/two d/"]);
    let run = |arguments: &[&str]| -> Ran {
        command(&ground, "rclone").args(arguments).output().expect("started").into()
    };
    let ran = run(&["config", "create", "there", "local"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let path = |name: &str| home.join(name).display().to_string();
    let ran = run(&["bisync", &path("one_b"), &path("in/two c"), "--resync"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let ran = ground.run(&["clients", "rclone-bisync", "rclone", "--json"]);
    for name in ["one_b", "in/two c"] {
        let state = state(&ran, "rclone-bisync", &path(name));
        assert_eq!(state.as_deref(), Some("there"), "{name}: {ran:?}");
    }
    let place = client(&ran, "rclone").expect("found")["remotes"][0].clone();
    assert_eq!((text(&place, "name"), text(&place, "of")), ("there".into(), "local".into()));
    // Two folders that would be written alike: nobody can tell which one it is.
    make(&home, &["in/two:c/"]);
    let ran = ground.run(&["clients", "rclone-bisync", "--json"]);
    assert_eq!(state(&ran, "rclone-bisync", &path("in/two c")), None, "{ran:?}");
    assert_eq!(state(&ran, "rclone-bisync", &path("one_b")).as_deref(), Some("there"));
}
