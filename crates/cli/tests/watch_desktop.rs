//! `linkwell watch` beside real programs of a desktop: a daemon that shows notifications, and a file manager.
//!
//! Each test has a display in memory and a bus of its own, and ends by number whatever was started on them.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::indexing_slicing,
    reason = "a test makes what it looks at, and may stop at the first surprise"
)]

use crate::clients_live::Ended;
use crate::repair::ends;
use crate::support::Ground;
use crate::watch::{Watching, mv, text, until, watch};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::program;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::DirBuilderExt as _;
use std::process::{Command, Stdio};

/// What all of them need: a display, a bus, and something that calls over the bus.
const DESKTOP: [Need; 3] =
    [Need::Program("Xvfb"), Need::Program("dbus-daemon"), Need::Program("busctl")];

/// `dunstctl` belongs to it.
const DUNST: [Need; 2] = [Need::Program("dunst"), Need::Program("dunstctl")];

pub(crate) fn trials() -> Vec<Trial> {
    let dunst = [&DESKTOP[..], &DUNST[..]].concat();
    let thunar = [&DESKTOP[..], &[Need::Program("thunar")]].concat();
    vec![
        test_with(
            "watch: a real notification daemon shows what waits for an answer, and nothing else",
            &dunst,
            || shown(false),
        ),
        test_with(
            "watch: a notification daemon that the bus must start first shows it, too",
            &dunst,
            || shown(true),
        ),
        test_with(
            "watch: what a real file manager moves is followed, and into the trash it is not",
            &thunar,
            file_manager,
        ),
    ]
}

/// A display and a bus of a test's own. What is started on them ends before they do.
struct Stage<'g> {
    ground: &'g Ground,
    display: String,
    _bus: Ended,
    _screen: Ended,
}

/// Starts it; what it says first.
fn started(mut command: Command) -> (Ended, String) {
    let mut child =
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it can be started");
    let out = child.stdout.take().expect("a pipe");
    let child = Ended(child);
    let mut line = String::new();
    BufReader::new(out).read_line(&mut line).expect("it reads");
    assert!(!line.is_empty(), "it ended");
    (child, line.trim().to_owned())
}

impl<'g> Stage<'g> {
    fn new(ground: &'g Ground) -> Self {
        let scratch = ground.scratch();
        // A person's folder for such things is theirs alone, and programs insist on that.
        fs::DirBuilder::new().mode(0o700).create(scratch.join("run")).expect("made");
        fs::create_dir(scratch.join("services")).expect("made");
        let mut screen = program::command("Xvfb", &scratch.path());
        // The number of the first display that is free.
        screen.args(["-displayfd", "1", "-nolisten", "tcp"]);
        let (screen, number) = started(screen);
        let rules = format!(
            "<busconfig><type>session</type><listen>unix:path={}</listen><auth>EXTERNAL</auth>\
             <servicedir>{}</servicedir><policy context='default'>\
             <allow send_destination='*' eavesdrop='true'/><allow eavesdrop='true'/><allow own='*'/></policy></busconfig>",
            scratch.join("run/bus").display(),
            scratch.join("services").display(),
        );
        fs::write(scratch.join("bus.conf"), rules).expect("written");
        let mut bus = program::command("dbus-daemon", &scratch.path());
        bus.arg(format!("--config-file={}", scratch.join("bus.conf").display()));
        bus.args(["--nofork", "--nopidfile", "--print-address"]);
        let (bus, _) = started(bus);
        Self { ground, display: format!(":{number}"), _bus: bus, _screen: screen }
    }

    /// A command of somebody who sits before this display.
    fn command(&self, name: &str) -> Command {
        let mut command = program::command(name, &self.ground.tree());
        self.at(&mut command);
        command
    }

    fn at(&self, command: &mut Command) {
        let scratch = self.ground.scratch();
        command
            .env("HOME", scratch.join("home"))
            .env("XDG_RUNTIME_DIR", scratch.join("run"))
            .env("DBUS_SESSION_BUS_ADDRESS", self.address())
            .env("DISPLAY", &self.display)
            // No helpers of the desktop's file systems, which would be started and stay.
            .env("GIO_USE_VFS", "local");
    }

    fn address(&self) -> String {
        format!("unix:path={}", self.ground.scratch().join("run/bus").display())
    }

    /// Starts it, and waits until it has this name on the bus.
    fn serve(&self, mut command: Command, name: &str) -> Ended {
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = Ended(command.spawn().expect("it can be started"));
        until("it is on the bus", || self.asked("busctl", &["--user", "status", name]).is_some());
        child
    }

    /// What it prints, if it ends well.
    fn asked(&self, name: &str, arguments: &[&str]) -> Option<String> {
        let ran = self.command(name).args(arguments).output().expect("it can be started");
        ran.status.success().then(|| String::from_utf8_lossy(&ran.stdout).into_owned())
    }

    fn watching(&self) -> Watching {
        let mut command = watch(self.ground, &["--json"]);
        self.at(&mut command);
        let mut watching = Watching::start(command);
        watching.line("{\"type\":\"watching\"");
        watching
    }

    /// What was shown and is closed by now, the last first.
    fn history(&self) -> Vec<Value> {
        self.asked("dunstctl", &["close-all"]);
        let said = self.asked("dunstctl", &["history"]).expect("it is there");
        let said: Value = serde_json::from_str(&said).expect("JSON");
        said["data"][0].as_array().cloned().unwrap_or_default()
    }
}

/// How the line begins that tells of it.
fn happened(what: &str) -> String {
    format!("{{\"type\":\"event\",\"what\":\"{what}\"")
}

/// What the bus has started is ended by the number that it wrote down.
struct ByNumber(std::path::PathBuf);

impl Drop for ByNumber {
    fn drop(&mut self) {
        let number = fs::read_to_string(&self.0).ok().and_then(|text| text.trim().parse().ok());
        if let Some(pid) = number.and_then(Pid::from_raw) {
            kill_process(pid, Signal::KILL).unwrap_or_default();
        }
    }
}

fn shown(by_the_bus: bool) {
    // A name that would be read as bold, and as the begin of a character.
    let asked = "<b>asked & more";
    let ground = Ground::with(&["t/f", "t/g", "followed -> t/f", &format!("{asked} -> t/g")]);
    ends(&ground.run(&["track", "-q", "followed"]), 0);
    ends(&ground.run(&["track", "-q", "--policy", "ask", asked]), 0);
    let stage = Stage::new(&ground);
    let number = ByNumber(ground.scratch().join("number"));
    let daemon = if by_the_bus {
        let start = ground.scratch().join("start");
        let script = format!(
            "echo $$ > '{}'\nDISPLAY={} HOME='{}' exec dunst\n",
            number.0.display(),
            stage.display,
            ground.scratch().join("home").display(),
        );
        fs::write(&start, script).expect("written");
        let service = format!(
            "[D-BUS Service]\nName=org.freedesktop.Notifications\nExec=/bin/sh {}\n",
            start.display()
        );
        fs::write(ground.scratch().join("services/n.service"), service).expect("written");
        stage.asked(
            "busctl",
            &[
                "--user",
                "call",
                "org.freedesktop.DBus",
                "/",
                "org.freedesktop.DBus",
                "ReloadConfig",
            ],
        );
        None
    } else {
        Some(stage.serve(stage.command("dunst"), "org.freedesktop.Notifications"))
    };
    let mut watching = stage.watching();
    // The control: nobody is asked about this one, and so nothing is shown.
    mv(&ground, "t/f", "t/F");
    watching.line(&happened("healed"));
    mv(&ground, "t/g", "t/G");
    watching.line(&happened("asked"));
    // To ask the daemon would start it: it is to be the watcher that has it started.
    if by_the_bus {
        until("the bus starts it", || number.0.is_file());
    }
    let mut all = Vec::new();
    until("it is shown", || {
        all = stage.history();
        !all.is_empty()
    });
    assert_eq!(all.len(), 1, "{all:#?}");
    let of = |field: &str| all[0][field]["data"].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (of("appname"), of("summary")),
        ("linkwell".into(), "A link waits for your answer".into())
    );
    // As it is drawn: a name is a name.
    let name =
        format!("{}/&lt;b&gt;asked &amp; more: what it led to was moved", ground.tree().display());
    assert!(of("message").contains(&name), "{all:#?}");
    let status = ground.run(&["status"]);
    assert!(status.out.contains("asked & more") && text(&ground, asked) == "t/g", "{status:#?}");
    assert_eq!(text(&ground, "followed"), "t/F");
    assert_eq!(watching.end(), 0);
    drop(daemon);
}

fn file_manager() {
    let ground = Ground::with(&["t/d/f", "far/", "new/", "l -> t/d", "in -> t/d/f"]);
    ends(&ground.run(&["track", "-q", "."]), 0);
    let stage = Stage::new(&ground);
    let mut thunar = stage.command("thunar");
    thunar.arg("--daemon");
    let thunar = stage.serve(thunar, "org.xfce.FileManager");
    let mut watching = stage.watching();
    let address = |name: &str| format!("file://{}", ground.tree().join(name).display());
    let tree = ground.tree().display().to_string();
    let call = |interface: &str, method: &str, rest: &[&str]| {
        let begin = ["--user", "call", "org.xfce.FileManager", "/org/xfce/FileManager"];
        let all = [&begin[..], &[interface, method], rest, &[&stage.display, ""]].concat();
        assert!(stage.asked("busctl", &all).is_some(), "{all:?}");
    };
    let manager = "org.xfce.FileManager";
    for (from, to) in [("t/d", "far"), ("far/d", "new")] {
        let (from, folder) = (address(from), address(to));
        call(manager, "MoveInto", &["sassss", &tree, "1", &from, &folder]);
        watching.line(&happened("healed"));
        let led = format!("{to}/d");
        until("both follow", || {
            text(&ground, "l") == led && text(&ground, "in") == format!("{led}/f")
        });
        assert_eq!(fs::read(ground.tree().join("in")).expect("it reads"), b"t/d/f");
    }
    call("org.xfce.Trash", "MoveToTrash", &["asss", "1", &address("new/d")]);
    watching.line(&happened("lost"));
    assert_eq!((text(&ground, "l").as_str(), text(&ground, "in").as_str()), ("new/d", "new/d/f"));
    let trash = ground.scratch().join("home/.local/share/Trash/files/d/f");
    assert_eq!(fs::read(trash).expect("the file manager's own trash"), b"t/d/f");
    assert_eq!(watching.end(), 0);
    drop(thunar);
}
