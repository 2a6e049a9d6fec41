//! `linkwell share` and `unshare`: what is said, what is done, what is kept on record, and the way back.
#![expect(
    clippy::disallowed_methods,
    reason = "a test makes what it looks at, and may stop at the first surprise"
)]

use crate::clients::write;
use crate::clients_live::{Ended, command};
use crate::repair::ends;
use crate::support::{Ground, of_type, text};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::make;
use std::fs;
use std::io::BufRead as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("share: a folder goes where it is synced, and comes home as it was", there_and_back),
        test("share: what is there already is made one with it", merged),
        test("share: --check says what is not as it was arranged any more", checked),
        test("share: what cannot be shared is refused, and nothing is changed", refused),
        test("share: a record that cannot be trusted is left as it is", record),
        test_with(
            "share: with two Syncthings the contents arrive and edits come back; of a bare link they do not",
            &[Need::Program("syncthing")],
            syncthing,
        ),
    ]
}

/// A home with Photos, and with a folder that Dropbox syncs.
fn ground() -> Ground {
    let ground = Ground::with(&[]);
    make(&home(&ground), &["Photos/2026/a", "Photos/best -> 2026/a", "Dropbox/own", ".dropbox/"]);
    let settings = format!("{{\"personal\":{{\"path\":{:?}}}}}", home(&ground).join("Dropbox"));
    write(&ground, ".dropbox/info.json", settings);
    ground
}

pub(crate) fn home(ground: &Ground) -> PathBuf {
    ground.scratch().join("home")
}

/// Every entry below a folder, with where links lead.
pub(crate) fn listing(folder: &Path) -> Vec<String> {
    let ran = std::process::Command::new("find")
        .arg(folder)
        .args(["-printf", "%P %y %l %i\n"])
        .output()
        .expect("find can be started");
    let mut all: Vec<String> =
        String::from_utf8_lossy(&ran.stdout).lines().map(str::to_owned).collect();
    all.sort();
    all
}

pub(crate) fn photos(ground: &Ground) -> String {
    home(ground).join("Photos").display().to_string()
}

pub(crate) fn stands(ground: &Ground) -> Vec<String> {
    let ran = ground.run(&["share", "--check", "--json"]);
    of_type(&ran, "placement").iter().map(|one| text(one, "stands")).collect()
}

fn there_and_back() {
    let ground = ground();
    let before = listing(&home(&ground).join("Photos"));
    let shown = ground.run(&["share", "-n", "--no-refs", &photos(&ground), "--with", "dropbox"]);
    ends(&shown, 0);
    for words in
        ["with Dropbox the best way is inverted", "an edit on the other side", "1 link in it"]
    {
        assert!(shown.out.contains(words), "{words}: {shown:#?}");
    }
    assert!(home(&ground).join("Photos").is_dir() && stands(&ground).is_empty());
    ends(
        &ground.run(&["share", "-y", &photos(&ground), "--with", "Dropbox", "--as", "Pictures"]),
        0,
    );
    assert_eq!(listing(&home(&ground).join("Dropbox/Pictures")), before);
    assert!(home(&ground).join("Photos").is_symlink());
    assert_eq!(stands(&ground), ["true"]);
    let listed = ground.run(&["share", "--list"]);
    assert!(listed.out.contains("with Dropbox as"), "{listed:#?}");
    let shown = ground.run(&["unshare", "-n", "--no-refs", &photos(&ground)]);
    assert!(shown.out.contains("deletes its copy on the other side"), "{shown:#?}");
    assert_eq!(stands(&ground), ["true"]);
    ends(&ground.run(&["unshare", "-y", "--no-refs", &photos(&ground)]), 0);
    assert_eq!(listing(&home(&ground).join("Photos")), before);
    assert!(!home(&ground).join("Dropbox/Pictures").exists() && stands(&ground).is_empty());
    // The record before is kept beside.
    assert!(ground.scratch().join("state/linkwell/placements.before.json").is_file());
    ends(&ground.run(&["unshare", "-y", "--no-refs", &photos(&ground)]), 1);
}

fn merged() {
    let ground = ground();
    make(&home(&ground), &["Dropbox/Photos/2026/b"]);
    let ran = ground.run(&["share", "-y", &photos(&ground), "--with", "dropbox"]);
    ends(&ran, 0);
    for name in ["2026/a", "2026/b", "best"] {
        assert!(home(&ground).join("Photos").join(name).is_file(), "{name}: {ran:#?}");
    }
    assert_eq!(stands(&ground), ["true"]);
}

fn checked() {
    let ground = ground();
    let at = |name: &str| home(&ground).join(name);
    ends(
        &ground.run(&[
            "share",
            "-y",
            &photos(&ground),
            "--into",
            &at("Dropbox").display().to_string(),
        ]),
        0,
    );
    fs::rename(at("Dropbox/Photos"), at("Dropbox/Pics")).expect("renamed");
    assert_eq!(stands(&ground), ["broken"]);
    ends(&ground.run(&["repair", "-y", "--near"]), 0);
    assert_eq!(stands(&ground), ["renamed"]);
    ends(&ground.run(&["share", "--check"]), 0);
    fs::rename(at("Dropbox/Pics"), at("elsewhere")).expect("renamed");
    fs::remove_file(at("Photos")).expect("removed");
    symlink(at("elsewhere"), at("Photos")).expect("a link");
    assert_eq!(stands(&ground), ["outside"]);
    fs::remove_file(at("Photos")).expect("removed");
    assert_eq!(stands(&ground), ["gone"]);
    fs::write(at("Photos"), "saved over").expect("written");
    assert_eq!(stands(&ground), ["replaced"]);
    let ran = ground.run(&["share", "--check"]);
    ends(&ran, 1);
    assert!(ran.out.contains("is not synced"), "{ran:#?}");
    fs::rename(at("Dropbox"), at("Gone")).expect("renamed");
    assert_eq!(stands(&ground), ["no_root"]);
}

fn refused() {
    let ground = ground();
    make(&home(&ground), &["file", "link -> Photos"]);
    let at = |name: &str| home(&ground).join(name).display().to_string();
    let before = listing(&home(&ground));
    let rows: [(&[&str], i32, &str); 11] = [
        (&[&at("Photos"), "--with", "dropbx"], 1, "no client that is known"),
        (&[&at("Photos"), "--with", "nextcloud"], 1, "was not found on this computer"),
        (&[&at("Photos"), "--with", "dropbox", "--by", "follow"], 1, "does not go with Dropbox"),
        (&[&at("Photos"), "--with", "dropbox", "--by", "mirror"], 1, "does not go with Dropbox"),
        (&[&at("Photos"), "--with", "dropbox", "--to", "laptop"], 1, "`--to` is for a client"),
        (&[&at("Photos")], 2, "with whom"),
        (&[&at("nothing"), "--with", "dropbox"], 1, "there is nothing at"),
        (&[&at("file"), "--with", "dropbox"], 1, "only folders are shared"),
        (&[&at("link"), "--with", "dropbox"], 1, "is a link"),
        (&[&at("Dropbox/"), "--with", "dropbox"], 1, "syncs already"),
        (&[&at("Photos"), "--into", &at("nothing")], 1, "nothing was changed"),
    ];
    for (arguments, code, words) in rows {
        let ran = ground.run(&[&["share", "-y"], arguments].concat());
        ends(&ran, code);
        assert!(ran.err.contains(words), "{words}: {ran:#?}");
    }
    ends(&ground.run(&["share", "-y", &at(""), "--with", "dropbox"]), 1);
    assert_eq!(listing(&home(&ground)), before);
    assert!(stands(&ground).is_empty());
}

fn record() {
    let ground = ground();
    ends(&ground.run(&["share", "-y", &photos(&ground), "--with", "dropbox"]), 0);
    let file = ground.scratch().join("state/linkwell/placements.json");
    let good = fs::read(&file).expect("read");
    for bad in ["", "[]", "{\"version\":9,\"placements\":[]}", "\u{1b}[31m"] {
        fs::write(&file, bad).expect("written");
        let ran = ground.run(&["share", "--list"]);
        ends(&ran, 1);
        assert!(
            ran.err.contains("placements.before.json") && !ran.err.contains('\u{1b}'),
            "{ran:#?}"
        );
        assert_eq!(fs::read(&file).expect("read"), bad.as_bytes(), "it is left as it is");
    }
    fs::remove_file(&file).expect("removed");
    symlink("elsewhere", &file).expect("a link");
    ends(&ground.run(&["share", "--list"]), 1);
    fs::remove_file(&file).expect("removed");
    fs::write(&file, good).expect("written");
    assert_eq!(stands(&ground), ["true"]);
}

/// Waits for something that another program does.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(90), "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A Syncthing of its own, which speaks to this computer alone.
pub(crate) struct Syncthing {
    own: PathBuf,
    id: String,
    port: u16,
    page: u16,
}

impl Syncthing {
    pub(crate) fn new(ground: &Ground, name: &str) -> Self {
        Self::at(ground, ground.scratch().join(name))
    }

    /// One that keeps its own in this folder.
    pub(crate) fn at(ground: &Ground, own: PathBuf) -> Self {
        let option = format!("--home={}", own.display());
        let ran: Ran = command(ground, "syncthing")
            .args(["generate", "--no-default-folder", &option])
            .output()
            .expect("Syncthing can be started")
            .into();
        assert_eq!(ran.code, 0, "{ran:?}");
        let written = fs::read_to_string(own.join("config.xml")).expect("it was written");
        let id = written.split("<device id=\"").nth(1).and_then(|rest| rest.split('"').next());
        let listeners =
            [(); 2].map(|()| std::net::TcpListener::bind("127.0.0.1:0").expect("a free port"));
        let [port, page] =
            listeners.map(|listener| listener.local_addr().expect("an address").port());
        let it = Self { own, id: id.expect("a number").to_owned(), port, page };
        let (listen, gui) = (
            format!("<listenAddress>tcp://127.0.0.1:{port}"),
            format!("<address>127.0.0.1:{page}</address>"),
        );
        for (old, new) in [
            ("<listenAddress>default", listen.as_str()),
            ("<address>127.0.0.1:8384</address>", &gui),
            ("<globalAnnounceEnabled>true", "<globalAnnounceEnabled>false"),
            ("<localAnnounceEnabled>true", "<localAnnounceEnabled>false"),
            ("<relaysEnabled>true", "<relaysEnabled>false"),
            ("<natEnabled>true", "<natEnabled>false"),
            ("<crashReportingEnabled>true", "<crashReportingEnabled>false"),
            ("<reconnectionIntervalS>60", "<reconnectionIntervalS>1"),
        ] {
            it.change(old, new);
        }
        assert!(it.read().contains(&gui), "its page has a port of its own");
        it
    }

    fn read(&self) -> String {
        fs::read_to_string(self.own.join("config.xml")).expect("it was written")
    }

    pub(crate) fn change(&self, old: &str, new: &str) {
        fs::write(self.own.join("config.xml"), self.read().replace(old, new)).expect("written");
    }

    /// The word that lets one in.
    pub(crate) fn key(&self) -> String {
        let text = self.read();
        let key = text.split("<apikey>").nth(1).and_then(|rest| rest.split('<').next());
        key.expect("a key").to_owned()
    }

    /// The port of its page.
    pub(crate) fn page(&self) -> u16 {
        self.page
    }

    /// Knows another, which is called so here; and takes whatever folder that one shares, if it shall.
    pub(crate) fn knows(&self, other: &Self, name: &str, accepts: bool) {
        let device = format!(
            "<device id=\"{}\" name=\"{name}\"><autoAcceptFolders>{accepts}</autoAcceptFolders>\
             <address>tcp://127.0.0.1:{}</address></device></configuration>",
            other.id, other.port
        );
        self.change("</configuration>", &device);
    }

    pub(crate) fn configure(&self, other: &Self, folder: &Path) {
        self.knows(other, "other", false);
        let folder = format!(
            "<folder id=\"shared\" label=\"shared\" path=\"{}\" type=\"sendreceive\" rescanIntervalS=\"3\" \
             fsWatcherEnabled=\"true\" fsWatcherDelayS=\"1\"><device id=\"{}\"></device><device id=\"{}\">\
             </device></folder></configuration>",
            folder.display(),
            self.id,
            other.id,
        );
        self.change("</configuration>", &folder);
    }

    pub(crate) fn start(&self, ground: &Ground) -> Ended {
        let option = format!("--home={}", self.own.display());
        let mut child = command(ground, "syncthing")
            .args(["serve", &option, "--no-browser", "--no-restart"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("Syncthing can be started");
        let out = child.stdout.take().expect("a pipe");
        let child = Ended(child);
        let mut lines = std::io::BufReader::new(out).lines().map_while(Result::ok);
        let ready = lines.by_ref().any(|line| line.contains("GUI and API listening"));
        assert!(ready, "it ended");
        // What it says later is read, so that it is never held up by that.
        std::thread::spawn(move || lines.for_each(drop));
        child
    }
}

fn syncthing() {
    let ground = Ground::with(&[]);
    let at = |name: &str| home(&ground).join(name);
    make(&home(&ground), &["Sync/own", "Photos/2026/a", "bare/x"]);
    make(&ground.scratch().path(), &["there/"]);
    let there = |name: &str| ground.scratch().join("there").join(name);
    fs::write(at("Photos/2026/a"), "picture").expect("written");
    let (here, other) = (Syncthing::new(&ground, "one"), Syncthing::new(&ground, "two"));
    here.configure(&other, &at("Sync"));
    other.configure(&here, &ground.scratch().join("there"));
    let _running = (here.start(&ground), other.start(&ground));
    until("the two know each other", || there("own").is_file());
    let into = at("Sync").display().to_string();
    // Who names a folder to share into wants it there, and not that Syncthing is told of it.
    let ran =
        ground.run(&["share", "-y", &photos(&ground), "--with", "syncthing", "--into", &into]);
    ends(&ran, 0);
    assert!(ran.out.contains("Syncthing runs") && ran.out.contains("`--by native`"), "{ran:#?}");
    symlink(at("bare"), at("Sync/bare")).expect("a link");
    let read = |place: PathBuf| fs::read_to_string(place).unwrap_or_default();
    until("the contents arrive", || read(there("Photos/2026/a")) == "picture");
    until("the bare link arrives", || there("bare").is_symlink());
    fs::write(there("Photos/2026/a"), "edited there").expect("written");
    until("the edit comes back", || read(at("Photos/2026/a")) == "edited there");
    fs::write(at("Photos/new"), "made here, through the link").expect("written");
    until("what is made through the link arrives", || there("Photos/new").is_file());
    assert_eq!(stands(&ground), ["true"]);
    ends(&ground.run(&["unshare", "-y", "--no-refs", &photos(&ground)]), 0);
    assert_eq!(read(at("Photos/2026/a")), "edited there");
    until("the other side deletes its copy, as was said", || !there("Photos/new").exists());
    assert!(at("Photos/new").is_file() && stands(&ground).is_empty());
}
