//! `linkwell watch`: the real program, as a person and as a service manager run it.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "the trees are the test's own, it may stop at the first surprise, and says what it met"
)]

use crate::support::Ground;
use libtest_mimic::Trial;
use linkwell_engine::catalogue::Catalogue;
use linkwell_engine::disk::Unix;
use linkwell_engine::folder::Folder;
use linkwell_engine::likeness::Depth;
use linkwell_engine::state;
use linkwell_engine::system::{Access, System};
use linkwell_engine::track::Tracker;
use linkwell_engine::volumes::{Settings, Volumes};
use linkwell_model::keep::link::By;
use linkwell_model::path::AbsPath;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::tree::bytes;
use rustix::fd::AsFd as _;
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("watch: it says what it heals, and ends when asked", heals),
        test("watch: each thing is one object with --json", json),
        test("watch: --once looks, mends and ends", once),
        test("watch: a second one says so and ends with 1", second),
        test_with(
            "watch: ended by force in the middle, the next one goes on (W6)",
            &[Need::Root],
            killed,
        ),
        test(
            "watch: the service manager is told that it is ready, and reload and end are heeded",
            managed,
        ),
        test(
            "watch: what waits for a person is shown on the desktop, and without one nothing fails",
            desktop,
        ),
        test(
            "watch: who does not read what it says holds nothing up, and misses nothing that is read later",
            unread,
        ),
        test("watch: a bus that takes nobody in holds nothing up", no_room),
        test(
            "watch: installing shows the lines, writes the unit, and replaces nobody else's",
            installed,
        ),
        test_with(
            "watch: systemd takes the unit as it is, whatever the program's path",
            &[Need::Program("systemd-analyze")],
            verified,
        ),
    ]
}

fn place(of: &Path) -> AbsPath {
    AbsPath::cleaned(&bytes(of)).expect("absolute")
}

/// Puts links of the tree on record.
fn track(ground: &Ground, links: &[&str]) {
    let system = System::new();
    let state = place(&ground.scratch().join("state/linkwell"));
    let state = state::open_or_make(&Unix, system, &state).expect("a state folder");
    let (mut catalogue, _) = Catalogue::open_or_make(&state).expect("it opens");
    let volumes = Arc::new(Volumes::read(system, Settings::default()));
    let mut tracker = Tracker::new(system, &volumes, Depth::Ends);
    for link in links {
        let (folder, name) = place(&ground.tree().join(link)).split().expect("not the root");
        let folder = Folder::of_place(&folder);
        let held = folder.open(system, Access::Hold).expect("it opens");
        let seen = tracker.link(&folder, held.as_fd(), &name, By::Tracked).expect("a look");
        catalogue.record(&seen, 1).expect("recorded");
    }
}

pub(crate) fn watch(ground: &Ground, options: &[&str]) -> Command {
    let mut command = ground.command();
    command.args(["watch", "--grace", "100"]).args(options);
    command
}

/// A watcher whose lines are read.
pub(crate) struct Watching {
    pub(crate) child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Watching {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("started");
        let lines = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, lines }
    }

    /// The next line that begins so.
    pub(crate) fn line(&mut self, begin: &str) -> String {
        loop {
            let mut line = String::new();
            let count = self.lines.read_line(&mut line).expect("it reads");
            assert!(count > 0, "it ended before it said `{begin}`: {}", self.errors());
            if line.starts_with(begin) {
                return line;
            }
        }
    }

    fn errors(&mut self) -> String {
        let mut text = String::new();
        let errors = self.child.stderr.as_mut().expect("its errors");
        errors.read_to_string(&mut text).expect("they read");
        text
    }

    fn signal(&self, signal: Signal) {
        let number = i32::try_from(self.child.id()).expect("a number");
        kill_process(Pid::from_raw(number).expect("a number"), signal).expect("sent");
    }

    /// One that watches already.
    pub(crate) fn ready(ground: &Ground) -> Self {
        let mut watching = Self::start(watch(ground, &[]));
        watching.line("watching");
        watching
    }

    /// Asks for the end; how it ended.
    pub(crate) fn end(mut self) -> i32 {
        self.signal(Signal::TERM);
        self.child.wait().expect("it ends").code().unwrap_or(-1)
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) fn mv(ground: &Ground, from: &str, to: &str) {
    fs::rename(ground.tree().join(from), ground.tree().join(to)).expect("renamed");
}

pub(crate) fn text(ground: &Ground, link: &str) -> String {
    let text = fs::read_link(ground.tree().join(link)).expect("a link");
    text.to_string_lossy().into_owned()
}

pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(40), "never: {what}");
        std::thread::sleep(Duration::from_millis(3));
    }
}

fn heals() {
    let ground = Ground::with(&["t/f", "l -> t/f"]);
    track(&ground, &["l"]);
    let mut watching = Watching::start(watch(&ground, &[]));
    let line = watching.line("watching");
    assert!(line.starts_with("watching 1 link in "), "{line}");
    mv(&ground, "t/f", "t/g");
    let line = watching.line("healed");
    assert!(line.contains("l → t/g (it was t/f; operation 1)"), "{line}");
    assert_eq!(text(&ground, "l"), "t/g");
    assert_eq!(watching.end(), 0);
    // It is an operation like any other. But without a number, a person's own is meant.
    linkwell_testkit::tree::make(&ground.tree(), &["own -> t/g"]);
    let led = ground.run(&["retarget", "-y", "own", "--to", "t"]);
    assert_eq!(led.code, 0, "{led:?}");
    let mut again = Watching::ready(&ground);
    mv(&ground, "t/g", "t/h");
    again.line("healed");
    assert_eq!(again.end(), 0);
    let undone = ground.run(&["undo", "-y"]);
    assert_eq!((text(&ground, "own").as_str(), undone.code), ("t/g", 0), "{undone:?}");
    assert!(undone.err.contains("note: operation 3 is the watcher's"), "{undone:?}");
    let undone = ground.run(&["undo", "-y"]);
    assert_eq!((text(&ground, "l").as_str(), undone.code), ("t/g", 0), "{undone:?}");
    let undone = ground.run(&["undo", "-y"]);
    assert_eq!(undone.code, 0, "{undone:?}");
    assert_eq!(text(&ground, "l"), "t/f");
    assert!(ground.strays().is_empty());
}

fn json() {
    let ground = Ground::with(&["t/f", "t/g", "f -> t/f", "g -> t/g"]);
    track(&ground, &["f", "g"]);
    let mut watching = Watching::start(watch(&ground, &["--json"]));
    let mut next = |what: &str| -> serde_json::Value {
        serde_json::from_str(&watching.line(what)).expect("one object a line")
    };
    let ready = next("{\"type\":\"watching\"");
    assert_eq!((&ready["links"], &ready["by"]), (&2.into(), &"inotify".into()));
    mv(&ground, "t/f", "t/F");
    let healed = next("{\"type\":\"event\"");
    assert_eq!(healed["what"], "healed");
    assert_eq!(healed["path"], ground.tree().join("f").to_str().expect("text"));
    assert_eq!((&healed["old"], &healed["new"]), (&"t/f".into(), &"t/F".into()));
    assert_eq!(healed["operation"], 1);
    fs::remove_file(ground.tree().join("t/g")).expect("removed");
    let lost = next("{\"type\":\"event\"");
    assert_eq!(
        (&lost["what"], &lost["new"], &lost["operation"]),
        (&"lost".into(), &().into(), &().into())
    );
}

fn once() {
    let ground = Ground::with(&["t/f", "f -> t/f"]);
    track(&ground, &["f"]);
    let ran: linkwell_testkit::program::Ran =
        watch(&ground, &["--once"]).output().expect("it ran").into();
    assert_eq!(ran.code, 0, "{ran:?}");
    fs::remove_file(ground.tree().join("t/f")).expect("removed");
    let ran: linkwell_testkit::program::Ran =
        watch(&ground, &["--once"]).output().expect("it ran").into();
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("lost"), "{ran:?}");
}

fn second() {
    let ground = Ground::with(&["t/f", "f -> t/f"]);
    track(&ground, &["f"]);
    let mut watching = Watching::start(watch(&ground, &[]));
    watching.line("watching");
    let ran: linkwell_testkit::program::Ran = watch(&ground, &[]).output().expect("it ran").into();
    assert_eq!(ran.code, 1, "{ran:?}");
    let who = format!("another linkwell watches already (process {})", watching.child.id());
    assert!(ran.err.contains(&who), "{ran:?}");
    let status = ground.run(&["watch", "--status"]);
    assert!(status.out.contains("a watcher runs") && status.code == 0, "{status:?}");
    assert_eq!(watching.end(), 0);
    assert_eq!(ground.run(&["watch", "--status"]).code, 1);
}

fn killed() {
    let ground = Ground::with(&["t/a/", "l/"]);
    let names: Vec<String> = (0..300).map(|number| format!("l/{number}")).collect();
    for (number, link) in names.iter().enumerate() {
        linkwell_testkit::tree::make(&ground.tree(), &[&format!("t/a/{number}")]);
        let to = format!("../t/a/{number}");
        std::os::unix::fs::symlink(to, ground.tree().join(link)).expect("a link");
    }
    let links: Vec<&str> = names.iter().map(String::as_str).collect();
    track(&ground, &links);
    let (mut from, mut struck) = ("t/a".to_owned(), 0);
    let whole = |link: &str| fs::read(ground.tree().join(link)).is_ok();
    for turn in 0..12_u64 {
        let mut watching = Watching::start(watch(&ground, &[]));
        watching.line("watching");
        let to = format!("t/b{turn}");
        mv(&ground, &from, &to);
        from = to;
        // In the middle, as far as that can be met: when the first one is healed, and a moment later.
        until("one is healed", || links.iter().any(|link| whole(link)));
        std::thread::sleep(Duration::from_micros(turn * 150));
        watching.signal(Signal::KILL);
        watching.child.wait().expect("it ends");
        let dead = links.iter().filter(|link| !whole(link)).count();
        struck += usize::from(dead > 0);
        // The next one takes back what was begun, and sees by looking what is to be done.
        let mut watching = Watching::start(watch(&ground, &[]));
        watching.line("watching");
        until("all are healed", || links.iter().all(|link| whole(link)));
        assert_eq!(watching.end(), 0);
        for link in &links {
            let read = fs::read(ground.tree().join(link)).expect("it reads");
            assert_eq!(read, format!("t/a/{}", link.trim_start_matches("l/")).into_bytes());
        }
        assert!(ground.strays().is_empty(), "{:?}", ground.strays());
    }
    println!("killed 12 times, {struck} times in the middle");
    let recovered = ground.run(&["recover"]);
    assert_eq!(recovered.code, 0, "{recovered:?}");
}

fn managed() {
    let ground = Ground::with(&["t/f", "f -> t/f"]);
    track(&ground, &["f"]);
    let socket = ground.scratch().join("notify");
    let manager = UnixDatagram::bind(&socket).expect("a socket");
    manager.set_read_timeout(Some(Duration::from_secs(40))).expect("set");
    let mut command = watch(&ground, &[]);
    command.env("NOTIFY_SOCKET", &socket);
    let mut watching = Watching::start(command);
    let told = || {
        let mut buffer = [0; 4096];
        let count = manager.recv(&mut buffer).expect("it tells");
        String::from_utf8_lossy(&buffer[..count]).into_owned()
    };
    let ready = told();
    assert!(ready.starts_with("READY=1\n") && ready.contains("STATUS=1 link on record"), "{ready}");
    watching.line("watching");
    let alive = told();
    assert!(alive.starts_with("WATCHDOG=1\n"), "{alive}");
    // What is on record is read anew, and it goes on.
    linkwell_testkit::tree::make(&ground.tree(), &["t/g", "g -> t/g"]);
    track(&ground, &["g"]);
    watching.signal(Signal::HUP);
    while !told().contains("STATUS=2 links") {}
    mv(&ground, "t/g", "t/G");
    watching.line("healed");
    assert_eq!(watching.end(), 0);
    while told() != "STOPPING=1" {}
}

fn desktop() {
    let ground = Ground::with(&["t/f", "f -> t/f", "new"]);
    track(&ground, &["f"]);
    // Nobody listens at that address.
    let mut command = watch(&ground, &[]);
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    let mut watching = Watching::start(command);
    watching.line("watching");
    mv(&ground, "new", "f");
    until("it is told", || {
        let log = fs::read(ground.tree().join("f"));
        log.is_ok_and(|read| read == b"new")
    });
    assert_eq!(watching.end(), 0);
    // A bus that takes it.
    fs::remove_file(ground.tree().join("f")).expect("removed");
    linkwell_testkit::tree::make(&ground.tree(), &["f -> t/f", "new"]);
    let socket = ground.scratch().join("bus");
    let bus = UnixListener::bind(&socket).expect("a socket");
    let mut command = watch(&ground, &[]);
    command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", socket.display()));
    let mut watching = Watching::start(command);
    watching.line("watching");
    mv(&ground, "new", "f");
    let (mut stream, _) = bus.accept().expect("it connects");
    let mut all = Vec::new();
    let mut read = |until: &[u8], stream: &mut UnixStream| {
        while !all.windows(until.len()).any(|window| window == until) {
            let mut buffer = [0; 4096];
            let count = stream.read(&mut buffer).expect("it sends");
            assert!(count > 0, "it ended");
            all.extend_from_slice(&buffer[..count]);
        }
    };
    read(b"AUTH EXTERNAL", &mut stream);
    stream.write_all(b"OK 0123456789abcdef\r\n").expect("sent");
    // It waits for each answer: of who is gone the bus may throw away what it has not delivered.
    read(b"Hello\0", &mut stream);
    stream.write_all(&answer(1, "s", &listed(b":1.1"))).expect("sent");
    read(b"GetCapabilities\0", &mut stream);
    let texts = listed(b"body");
    let count = u32::try_from(texts.len()).expect("small").to_le_bytes();
    stream.write_all(&answer(2, "as", &[&count, &texts[..]].concat())).expect("sent");
    read(b"Notify\0", &mut stream);
    read(b"A file was saved over a link", &mut stream);
    stream.write_all(&answer(3, "u", &[1, 0, 0, 0])).expect("sent");
    assert_eq!(watching.end(), 0);
}

/// A text as it goes over the bus.
fn listed(text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).expect("small").to_le_bytes();
    [&length, text, b"\0"].concat()
}

/// An answer of the bus to a call (D-Bus specification, "Message Format").
fn answer(to: u8, signature: &str, body: &[u8]) -> Vec<u8> {
    let length = u8::try_from(signature.len()).expect("small");
    let mut fields = vec![5, 1, b'u', 0, to, 0, 0, 0, 8, 1, b'g', 0, length];
    fields.extend(signature.as_bytes());
    fields.push(0);
    let mut message = vec![b'l', 2, 1, 1];
    for number in [body.len(), 9, fields.len()] {
        message.extend(u32::try_from(number).expect("small").to_le_bytes());
    }
    message.extend(fields);
    message.resize(message.len().next_multiple_of(8), 0);
    message.extend(body);
    message
}

/// Asks for the end; it comes soon, whoever does not read.
fn ends_soon(watching: &mut Watching) {
    watching.signal(Signal::TERM);
    let began = Instant::now();
    while watching.child.try_wait().expect("a child").is_none() {
        assert!(began.elapsed() < Duration::from_secs(20), "it does not heed the signal");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn unread() {
    const ALL: usize = 400;
    let ground = Ground::with(&["t/0/", "l/"]);
    let names: Vec<String> = (0..ALL).map(|number| format!("l/{number}")).collect();
    for (number, link) in names.iter().enumerate() {
        linkwell_testkit::tree::make(&ground.tree(), &[&format!("t/0/{number}")]);
        let to = format!("../t/0/{number}");
        std::os::unix::fs::symlink(to, ground.tree().join(link)).expect("a link");
    }
    let links: Vec<&str> = names.iter().map(String::as_str).collect();
    track(&ground, &links);
    let socket = ground.scratch().join("notify");
    let manager = UnixDatagram::bind(&socket).expect("a socket");
    manager.set_nonblocking(true).expect("set");
    let mut command = watch(&ground, &["--json"]);
    command.env("NOTIFY_SOCKET", &socket);
    let mut watching = Watching::start(command);
    watching.line("{\"type\":\"watching\"");
    // Each turn says more than a pipe has room for.
    let turn = |turn: usize| {
        mv(&ground, &format!("t/{turn}"), &format!("t/{}", turn + 1));
        let begin = format!("../t/{}/", turn + 1);
        until("all are healed", || {
            links.iter().all(|link| text(&ground, link).starts_with(&begin))
        });
    };
    turn(0);
    turn(1);
    // The service manager hears all the while that it lives.
    let mut buffer = [0; 4096];
    while manager.recv(&mut buffer).is_ok() {}
    until("it says that it lives", || {
        let count = manager.recv(&mut buffer).unwrap_or(0);
        buffer[..count].starts_with(b"WATCHDOG=1\n")
    });
    for number in 0..2 * ALL {
        let line = watching.line("{");
        assert!(line.contains("\"what\":\"healed\""), "{number}: {line}");
    }
    turn(2);
    turn(3);
    ends_soon(&mut watching);
}

fn no_room() {
    let ground = Ground::with(&["t/f", "f -> t/f", "g -> t/f", "new"]);
    track(&ground, &["f", "g"]);
    let socket = ground.scratch().join("bus");
    let bus = UnixListener::bind(&socket).expect("a socket");
    rustix::net::listen(&bus, 0).expect("room for one");
    let first = UnixStream::connect(&socket).expect("that one");
    let mut command = watch(&ground, &[]);
    command.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}", socket.display()));
    let mut watching = Watching::start(command);
    watching.line("watching");
    mv(&ground, "new", "f");
    until("it is recorded", || ground.run(&["status"]).out.contains("f"));
    mv(&ground, "t/f", "t/g");
    until("the other one is healed", || text(&ground, "g") == "t/g");
    ends_soon(&mut watching);
    drop(first);
}

fn installed() {
    let ground = Ground::with(&["f"]);
    let unit = ground.scratch().join("home/.config/systemd/user/linkwell-watch.service");
    let ran = ground.run(&["watch", "--install", "-n"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("ExecStart="), "{ran:?}");
    assert!(ran.out.contains("systemctl --user enable --now linkwell-watch.service"), "{ran:?}");
    assert!(fs::symlink_metadata(&unit).is_err(), "a dry run");
    // There is no manager for this home; the unit is written all the same, and that is said.
    let ran = ground.run(&["watch", "--install"]);
    assert!(matches!(ran.code, 0 | 3), "{ran:?}");
    let text = fs::read_to_string(&unit).expect("it is written");
    assert!(
        text.contains(&format!("XDG_STATE_HOME={}", ground.scratch().join("state").display())),
        "{text}"
    );
    // Without a service manager that is said, and the rest is told.
    let mut asked = ground.command();
    asked.args(["watch", "--status"]).env("PATH", "/nowhere");
    let said = asked.output().expect("it ran");
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("no watcher runs\ninstalled: "), "{said}");
    assert!(said.contains("the service manager cannot be asked\n"), "{said}");
    let ran = ground.run(&["watch", "--uninstall"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(fs::symlink_metadata(&unit).is_err());
    // Somebody else's.
    fs::write(&unit, "[Service]\nExecStart=/bin/true\n").expect("written");
    for options in [["watch", "--install"], ["watch", "--uninstall"]] {
        let ran = ground.run(&options);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains("somebody else's file"), "{ran:?}");
    }
    assert_eq!(fs::read_to_string(&unit).expect("there"), "[Service]\nExecStart=/bin/true\n");
}

fn verified() {
    let ground = Ground::with(&["f"]);
    // As an argument, since systemd takes no such name for a program.
    let odd = ground.scratch().join("odd %h $HOME \"q\" \\/link well");
    assert_eq!(complaints(&ground, &odd), Vec::<String>::new());
    let plain = ground.scratch().join("a %h $HOME b/link well");
    assert_eq!(complaints(&ground, &plain), Vec::<String>::new());
    // The control: systemd does find a program that is not there.
    fs::remove_file(&plain).expect("removed");
    assert_ne!(verify(&ground), Vec::<String>::new());
}

/// What systemd says about the unit that the program at this path installs.
fn complaints(ground: &Ground, program: &Path) -> Vec<String> {
    fs::create_dir(program.parent().expect("a folder")).expect("made");
    fs::copy(crate::support::LINKWELL, program).expect("copied");
    let mut command = Command::new(program);
    command
        .args(["watch", "--install"])
        .env("HOME", ground.scratch().join("home"))
        .env("XDG_STATE_HOME", ground.scratch().join("state"))
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("DBUS_SESSION_BUS_ADDRESS")
        .env_remove("XDG_RUNTIME_DIR");
    command.output().expect("it ran");
    verify(ground)
}

fn verify(ground: &Ground) -> Vec<String> {
    let unit = ground.scratch().join("home/.config/systemd/user/linkwell-watch.service");
    let ran = Command::new("systemd-analyze")
        .args(["verify", "--user", "--man=no"])
        .arg(&unit)
        .env("XDG_RUNTIME_DIR", ground.scratch().path())
        .output()
        .expect("it ran");
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    let about_it = said.lines().filter(|line| line.contains("linkwell-watch.service"));
    about_it.map(Into::into).collect()
}
