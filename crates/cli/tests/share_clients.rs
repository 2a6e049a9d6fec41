//! `linkwell share` and `unshare` with the clients themselves: what arrives, what comes back, and whether
//! what is said beforehand of an edit, a renaming and a deletion on the other side is what then happens.
//!
//! Every client speaks to this computer alone. Files get their times by hand: some clients see no edit within
//! the second of the one before, and some leave what was written just now for the next time.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::indexing_slicing,
    reason = "a test makes what it looks at, and may stop at the first surprise"
)]

use crate::clients::{client, write};
use crate::clients_live::{Ended, command};
use crate::repair::ends;
use crate::share::{Syncthing, home, photos, stands, until};
use crate::support::{Ground, text};
use libtest_mimic::Trial;
use linkwell_testkit::manifest::{Allowed, Entry, Manifest, compare};
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::make;
use serde_json::Value;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::BufRead as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

pub(crate) fn trials() -> Vec<Trial> {
    let both = |client: &str| {
        format!(
            "share: {client}: edits, a renaming and a deletion there do what was said, and all comes home"
        )
    };
    let bare =
        |client: &str| format!("share: {client}: a bare link does what the table says of it");
    let (rclone, unison) = (Need::Program("rclone"), Need::Program("unison"));
    let (git, rsync) = (Need::Program("git"), Need::Program("rsync"));
    let python = Need::Program("python3");
    let nextcloud = [Need::Program("nextcloudcmd"), python];
    let owncloud = [Need::Program("owncloudcmd"), python];
    vec![
        test_with(&both("two Syncthings"), &[Need::Program("syncthing")], syncthing),
        test_with(&both("Unison"), &[unison], || both_ways(&Unison::new())),
        test_with(&both("rclone bisync"), &[rclone], || both_ways(&Bisync::new())),
        test_with(&both("git"), &[git], || both_ways(&Git::new())),
        test_with(&both("Nextcloud"), &nextcloud, || both_ways(&Cloud::new("nextcloud"))),
        test_with(&both("ownCloud"), &owncloud, || both_ways(&Cloud::new("owncloud"))),
        test_with(&one_way_name("rclone sync"), &[rclone], || one_way(&Rclone::new())),
        test_with(&one_way_name("rsync"), &[rsync], || one_way(&Rsync::new())),
        test_with(&bare("Unison"), &[unison], || bare_link(&Unison::new())),
        test_with(&bare("rclone bisync"), &[rclone], || bare_link(&Bisync::new())),
        test_with(&bare("git"), &[git], || bare_link(&Git::new())),
        test_with(&bare("Nextcloud"), &nextcloud, || bare_link(&Cloud::new("nextcloud"))),
        test_with(&bare("ownCloud"), &owncloud, || bare_link(&Cloud::new("owncloud"))),
        test_with(&bare("rclone sync"), &[rclone], || bare_link(&Rclone::new())),
        test_with(&bare("rsync"), &[rsync], || bare_link(&Rsync::new())),
    ]
}

fn one_way_name(client: &str) -> String {
    format!("share: {client}: contents and edits arrive, nothing comes back, and all comes home")
}

/// A client that carries the folder `Sync` of this home to the folder `there` of the same ground.
trait Carrier {
    /// Its name in the table.
    fn id(&self) -> &'static str;
    fn ground(&self) -> &Ground;
    /// Lets it carry everything once, with further options of its own; one that runs does it by itself.
    fn carry(&self, options: &str);

    /// It leaves files here with the whole seconds of their times.
    fn cuts_times(&self) -> bool {
        false
    }

    fn at(&self, name: &str) -> PathBuf {
        home(self.ground()).join(name)
    }

    fn there(&self, name: &str) -> PathBuf {
        self.ground().scratch().join("there").join(name)
    }

    /// Once everything is carried, this holds.
    fn then(&self, what: &str, mut holds: impl FnMut() -> bool)
    where
        Self: Sized,
    {
        self.carry("");
        assert!(holds(), "{}: not so: {what}", self.id());
    }
}

/// A home with a folder that is synced, with enough in it that a deletion is no alarm, and Photos, whose
/// modes and times are its own.
fn ground() -> Ground {
    let ground = Ground::with(&[]);
    let own: Vec<String> = (0..12).map(|number| format!("Sync/own{number}")).collect();
    make(&home(&ground), &own.iter().map(String::as_str).collect::<Vec<_>>());
    let photos = ["Photos/2026/a", "Photos/two words/b", "Photos/best -> 2026/a", "Photos/edited"];
    make(&home(&ground), &photos);
    make(&home(&ground), &["bare/x"]);
    make(&ground.scratch().path(), &["there/"]);
    for name in own.iter().map(String::as_str).chain(["Photos/edited", "bare/x"]) {
        written(&home(&ground).join(name), SystemTime::now() - Duration::from_secs(3600));
    }
    for (name, mode, second) in [
        ("2026/a", 0o604, 1_000_000_000),
        ("two words/b", 0o750, 1_100_000_000),
        ("2026", 0o711, 1_200_000_000),
        ("two words", 0o2775, 1_300_000_000),
    ] {
        let path = home(&ground).join("Photos").join(name);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("allowed");
        written(&path, SystemTime::UNIX_EPOCH + Duration::new(second, 123_456_789));
    }
    ground
}

/// Writes a minute ago, long after all that lay there.
fn edit(place: &Path, content: &str) {
    fs::write(place, content).expect("written");
    written(place, SystemTime::now() - Duration::from_secs(60));
}

fn written(place: &Path, time: SystemTime) {
    fs::File::open(place).and_then(|file| file.set_modified(time)).expect("a time");
}

fn read(place: PathBuf) -> String {
    fs::read_to_string(place).unwrap_or_default()
}

/// The files below a folder, however deep, with what is in them. Links and folders are not among them.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeMap::new() };
    let mut found = BTreeMap::new();
    for entry in entries.filter_map(Result::ok) {
        let (path, name) = (entry.path(), PathBuf::from(entry.file_name()));
        let kind = entry.file_type().expect("its kind is known");
        if kind.is_dir() {
            found.extend(files(&path).into_iter().map(|(below, is)| (name.join(below), is)));
        } else if kind.is_file() {
            found.insert(name, fs::read(path).unwrap_or_default());
        }
    }
    found
}

/// Everything below a folder but what the test itself changes, and the folder that this is in.
fn untouched(manifest: &Manifest, carrier: &impl Carrier) -> BTreeMap<Vec<u8>, Entry> {
    let mut all = manifest.entries.clone();
    all.retain(|path, _| !path.is_empty() && path != b"edited" && path != b"new");
    if carrier.cuts_times() {
        all.values_mut().for_each(|entry| entry.modified.1 = 0);
    }
    all
}

/// Runs `share` with what is needed for *inverted* with this client.
fn share(carrier: &impl Carrier, flag: &str, with: bool) -> Ran {
    let ground = carrier.ground();
    let (photos, into) = (photos(ground), carrier.at("Sync").display().to_string());
    let mut words = vec!["share", flag, &photos, "--into", &into];
    if with {
        words.extend(["--with", carrier.id(), "--by", "inverted"]);
    }
    let ran = ground.run(&words);
    ends(&ran, 0);
    ran
}

/// What a preview says about one thing.
fn said(shown: &Ran, what: &str) -> String {
    let line = shown.out.lines().find_map(|line| Some(line.split_once(&format!("{what}: "))?.1));
    line.unwrap_or_else(|| unreachable!("nothing is said of {what}: {shown:#?}")).trim().to_owned()
}

/// Contents and edits arrive both ways, `unshare` brings everything home, and a renaming and a deletion on
/// the other side do what the preview says.
fn both_ways(carrier: &impl Carrier) {
    let ground = carrier.ground();
    let (at, there) = (|name: &str| carrier.at(name), |name: &str| carrier.there(name));
    let first = Manifest::of(&at("Photos"));
    carrier.then("what lay there arrives", || there("own11").is_file());
    let shown = share(carrier, "-n", true);
    assert!(!at("Photos").is_symlink(), "only shown");
    share(carrier, "-y", true);
    carrier.then("the contents arrive", || files(&there("Photos")) == files(&at("Photos")));

    let arrives = "arrives, and is seen through the link";
    assert_eq!(
        said(&shown, "an edit on the other side"),
        arrives,
        "nobody looked whether it is so"
    );
    edit(&there("Photos/edited"), "edited there");
    edit(&at("Photos/new"), "made here, through the link");
    carrier.then("edits travel both ways", || {
        read(at("Photos/edited")) == "edited there"
            && read(there("Photos/new")) == "made here, through the link"
    });
    assert_eq!(stands(ground), ["true"]);

    let before = Manifest::of(&at("Sync/Photos"));
    let ran = ground.run(&["unshare", "-y", "--no-refs", &photos(ground)]);
    ends(&ran, 0);
    let back = Manifest::of(&at("Photos"));
    let differences = compare(&before, &back, &Allowed::default());
    assert!(differences.is_empty(), "{differences:?}");
    assert_eq!(
        untouched(&first, carrier),
        untouched(&back, carrier),
        "as it was before it was ever shared"
    );
    assert!(ran.out.contains("deletes its copy on the other side"), "{ran:#?}");
    carrier.then("it deletes its copy on the other side", || files(&there("Photos")).is_empty());
    assert!(compare(&back, &Manifest::of(&at("Photos")), &Allowed::default()).is_empty());

    share(carrier, "-y", true);
    carrier.then("it arrives again", || files(&there("Photos")) == files(&at("Photos")));
    fs::rename(there("Photos"), there("Pics")).expect("renamed");
    carrier.then("the new name arrives", || {
        files(&at("Sync/Pics")).len() == 4 && files(&at("Sync/Photos")).is_empty()
    });
    let renamed = said(&shown, "the folder renamed there");
    match renamed.as_str() {
        "the link here leads nowhere until it is led to the new name" => {
            carrier.then(&renamed, || at("Photos").is_symlink() && !at("Photos").exists());
            assert_eq!(stands(ground), ["broken"]);
        }
        "its files arrive under the new name; the folder that the link leads to stays here, with nothing but links and empty folders" =>
        {
            assert!(at("Photos/2026").is_dir() && files(&at("Photos")).is_empty(), "{renamed}");
            assert!(at("Photos/best").is_symlink(), "{renamed}");
        }
        other => unreachable!("nobody looked whether this is so: {other}"),
    }
    let new = at("Sync/Pics").display().to_string();
    let lead: &[&str] = if at("Photos").is_dir() {
        &["retarget", "-y", &photos(ground), "--to", &new]
    } else {
        // The client made it anew, so that it is the same by its contents alone.
        &["repair", "-y", "--near", "--likely"]
    };
    ends(&ground.run(lead), 0);
    assert_eq!(stands(ground), ["renamed"]);
    assert_eq!(read(at("Photos/edited")), "edited there");

    fs::remove_dir_all(there("Pics")).expect("removed");
    carrier.then("the deletion arrives", || files(&at("Sync/Pics")).is_empty());
    let deleted = said(&shown, "the folder deleted there");
    match deleted.as_str() {
        "the folder is deleted here too, and the link leads nowhere" => {
            carrier.then(&deleted, || !at("Sync/Pics").exists() && at("Photos").is_symlink());
            assert_eq!(stands(ground), ["broken"]);
        }
        "its files are deleted here; the folder itself stays, with nothing but links and empty folders, and the link leads there" =>
        {
            assert!(at("Photos/2026").is_dir() && files(&at("Photos")).is_empty(), "{deleted}");
        }
        "its files are deleted here; the folder stays if there are links in it, and the link leads there" =>
        {
            assert!(files(&at("Photos")).is_empty() && at("Photos/best").is_symlink(), "{deleted}");
            assert!(!at("Photos/two words").exists(), "{deleted}");
        }
        other => unreachable!("nobody looked whether this is so: {other}"),
    }
}

/// Contents and edits arrive; what is done on the other side changes nothing here, and nothing is said of it.
fn one_way(carrier: &impl Carrier) {
    let ground = carrier.ground();
    let (at, there) = (|name: &str| carrier.at(name), |name: &str| carrier.there(name));
    let first = Manifest::of(&at("Photos"));
    let shown = share(carrier, "-n", false);
    assert!(!shown.out.contains("on the other side:"), "{shown:#?}");
    share(carrier, "-y", false);
    carrier.then("the contents arrive", || files(&there("Photos")) == files(&at("Photos")));
    edit(&at("Photos/new"), "made here, through the link");
    carrier.then("an edit arrives", || read(there("Photos/new")).starts_with("made here"));

    let before = Manifest::of(&at("Sync/Photos"));
    edit(&there("Photos/edited"), "edited there, and longer");
    fs::remove_dir_all(there("Photos/2026")).expect("removed");
    fs::rename(there("Photos/two words"), there("Photos/three words")).expect("renamed");
    carrier.then("the other side is made as it is here", || {
        read(there("Photos/edited")) == "Photos/edited"
            && there("Photos/2026/a").is_file()
            && !there("Photos/three words").exists()
    });
    assert!(compare(&before, &Manifest::of(&at("Sync/Photos")), &Allowed::default()).is_empty());
    assert_eq!(stands(ground), ["true"]);

    ends(&ground.run(&["unshare", "-y", "--no-refs", &photos(ground)]), 0);
    let back = Manifest::of(&at("Photos"));
    let differences = compare(&before, &back, &Allowed::default());
    assert!(differences.is_empty(), "{differences:?}");
    assert_eq!(
        untouched(&first, carrier),
        untouched(&back, carrier),
        "as it was before it was ever shared"
    );
    carrier.then("its copy is deleted there, as was said", || files(&there("Photos")).is_empty());
}

/// The control: a link alone does not deliver, unless the client gets the option that the table names.
fn bare_link(carrier: &impl Carrier) {
    let (at, there) = (|name: &str| carrier.at(name), |name: &str| carrier.there(name));
    let ran = carrier.ground().run(&["clients", "--json", carrier.id()]);
    let row = client(&ran, carrier.id()).unwrap_or_else(|| unreachable!("no row: {ran:#?}"));
    let of = |list: &str, key: &str, word: &str| -> Option<Value> {
        row[list].as_array()?.iter().find(|one| text(one, key) == word).cloned()
    };
    symlink(at("bare"), at("Sync/bare")).expect("a link");
    carrier.then("what lies beside arrives", || there("own1").is_file());
    let does = text(&of("links", "link", "folder").expect("a statement"), "does");
    let (is_link, is_there) = (there("bare").is_symlink(), there("bare").exists());
    match does.as_str() {
        "link" => assert!(is_link, "the table is wrong: a link to a folder does not arrive"),
        "nothing" => assert!(!is_link && !is_there, "the table is wrong: something arrives"),
        other => unreachable!("the table is wrong, or the test: {other}"),
    }
    let Some(follow) = of("arrangements", "arrangement", "follow") else { return };
    // Another one, since the first is a link on the other side by now, and is followed there too.
    fs::remove_file(at("Sync/bare")).expect("removed");
    carrier.then("it goes there, too", || !there("bare").is_symlink());
    let option = text(&follow, "option").replace("NAME", "followed");
    assert!(!option.is_empty(), "{follow:?}");
    symlink(at("bare"), at("Sync/followed")).expect("a link");
    carrier.carry(&option);
    assert!(
        !there("followed").is_symlink() && read(there("followed/x")) == "bare/x",
        "the table is wrong: with {option} the contents do not arrive"
    );
    // What the table says of a followed link, on what happens there.
    let then = |what: &str| {
        let all = follow["then"].as_array().expect("a list");
        all.iter().find(|one| text(one, "what") == what).map(|one| text(one, "says"))
    };
    let Some(edited) = then("edit") else { return };
    assert!(edited.starts_with("arrives in"), "nobody looked whether this is so: {edited}");
    edit(&there("followed/x"), "edited there");
    carrier.carry(&option);
    assert_eq!(read(at("bare/x")), "edited there");
    assert!(at("Sync/followed").is_symlink());
    fs::remove_dir_all(there("followed")).expect("removed");
    carrier.carry(&option);
    match then("delete").expect("it is known").as_str() {
        "the folder itself is deleted here, and the link leads nowhere" => {
            assert!(!at("bare").exists() && at("Sync/followed").is_symlink());
        }
        "the files of the folder are deleted here; version 1.75 removes the link, too, and 1.60 does not" =>
        {
            assert!(at("bare").is_dir() && files(&at("bare")).is_empty());
        }
        other => unreachable!("nobody looked whether this is so: {other}"),
    }
}

/// Runs a line of shell with a client in it, in the home.
fn line(ground: &Ground, line: &str) {
    let mut command = command(ground, "/bin/sh");
    command.current_dir(home(ground)).args(["-ec", line]);
    let ran: Ran = command.output().expect("a shell can be started").into();
    assert_eq!(ran.code, 0, "{line}: {ran:#?}");
}

struct Unison(Ground);

impl Unison {
    fn new() -> Self {
        Self(ground())
    }
}

impl Carrier for Unison {
    fn id(&self) -> &'static str {
        "unison"
    }

    fn ground(&self) -> &Ground {
        &self.0
    }

    fn carry(&self, options: &str) {
        line(&self.0, &format!("unison Sync ../there -ui text -batch {options}"));
    }
}

/// Two work trees, and what both push to.
struct Git(Ground);

impl Git {
    fn new() -> Self {
        let ground = ground();
        write(
            &ground,
            ".gitconfig",
            "[user]\nname=x\nemail=x@x\n[init]\ndefaultBranch=main\n[pull]\nrebase=false\n",
        );
        line(
            &ground,
            "git init -q --bare ../hub; git init -q Sync; cd Sync; git add -A; git commit -qm one
             git remote add origin ../../hub; git push -qu origin main
             rmdir ../../there; git clone -q ../../hub ../../there",
        );
        Self(ground)
    }
}

impl Carrier for Git {
    fn id(&self) -> &'static str {
        "git"
    }

    fn ground(&self) -> &Ground {
        &self.0
    }

    fn carry(&self, _: &str) {
        let all =
            "git add -A; git commit -q --allow-empty -m more; git pull -q --no-edit; git push -q";
        line(
            &self.0,
            &format!("cd Sync; {all}; cd ../../there; {all}; cd ../home/Sync; git pull -q"),
        );
    }
}

/// `rclone serve webdav` of the folder `there`. It looks anew at every folder that it is asked for.
struct Served {
    ground: Ground,
    url: String,
    _server: Ended,
}

impl Served {
    fn new() -> Self {
        let ground = ground();
        let mut child = command(&ground, "rclone")
            .args(["serve", "webdav", "--addr", "127.0.0.1:0", "--dir-cache-time", "0s"])
            .arg(ground.scratch().join("there"))
            .stderr(Stdio::piped())
            .spawn()
            .expect("rclone can be started");
        let err = child.stderr.take().expect("a pipe");
        let server = Ended(child);
        let mut lines = std::io::BufReader::new(err).lines().map_while(Result::ok);
        let url =
            lines.by_ref().find_map(|line| Some(line.split_once("started on ")?.1.to_owned()));
        let url = url.expect("it serves");
        // What it says later is read, so that it is never held up by that.
        std::thread::spawn(move || lines.for_each(drop));
        Self { ground, url, _server: server }
    }

    /// Bisync asks for times, and of the kinds of server that rclone knows, only some keep them.
    fn run(&self, words: &str) {
        let url = self.url.trim_end_matches('/');
        let place = "export RCLONE_CONFIG_THERE_TYPE=webdav RCLONE_CONFIG_THERE_VENDOR=owncloud";
        line(&self.ground, &format!("{place} RCLONE_CONFIG_THERE_URL={url}; rclone {words}"));
    }
}

struct Rclone(Served);

impl Rclone {
    fn new() -> Self {
        Self(Served::new())
    }
}

impl Carrier for Rclone {
    fn id(&self) -> &'static str {
        "rclone"
    }

    fn ground(&self) -> &Ground {
        &self.0.ground
    }

    fn carry(&self, options: &str) {
        self.0.run(&format!("sync Sync there: {options}"));
    }
}

struct Bisync {
    served: Served,
    /// With another option it is another pair to it, and has to be set up.
    set_up: Cell<bool>,
}

impl Bisync {
    fn new() -> Self {
        let served = Served::new();
        served.run("bisync Sync there: --resync");
        Self { served, set_up: Cell::new(false) }
    }
}

impl Carrier for Bisync {
    fn id(&self) -> &'static str {
        "rclone-bisync"
    }

    fn ground(&self) -> &Ground {
        &self.served.ground
    }

    fn carry(&self, options: &str) {
        let anew = !options.is_empty() && !self.set_up.replace(!options.is_empty());
        let anew = if anew { "--resync" } else { "" };
        self.served.run(&format!("bisync Sync there: {options} {anew}"));
    }
}

struct Rsync(Ground);

impl Rsync {
    fn new() -> Self {
        Self(ground())
    }
}

impl Carrier for Rsync {
    fn id(&self) -> &'static str {
        "rsync"
    }

    fn ground(&self) -> &Ground {
        &self.0
    }

    fn carry(&self, options: &str) {
        line(&self.0, &format!("rsync -a --delete {options} Sync/ ../there/"));
    }
}

/// The command of Nextcloud or ownCloud, which is the client without its window, and a server that knows
/// as much of theirs as it asks for.
struct Cloud {
    id: &'static str,
    ground: Ground,
    port: String,
    _server: Ended,
}

impl Cloud {
    fn new(id: &'static str) -> Self {
        let ground = ground();
        let mut child = command(&ground, "python3")
            .args(["-c", include_str!("nextcloud.py")])
            .arg(ground.scratch().join("there"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python can be started");
        let out = child.stdout.take().expect("a pipe");
        let server = Ended(child);
        let port = std::io::BufReader::new(out).lines().next().expect("it serves").expect("a port");
        Self { id, ground, port, _server: server }
    }
}

impl Carrier for Cloud {
    fn id(&self) -> &'static str {
        self.id
    }

    fn ground(&self) -> &Ground {
        &self.ground
    }

    fn cuts_times(&self) -> bool {
        true
    }

    fn carry(&self, _: &str) {
        let (id, port) = (self.id, &self.port);
        // Without a list of what it leaves out, which is in another package, ownCloud's ends at once.
        let options = "--non-interactive -u x -p x --exclude /dev/null";
        line(&self.ground, &format!("{id}cmd {options} Sync http://127.0.0.1:{port}"));
    }
}

/// Two that run, and carry by themselves.
struct Syncthings {
    ground: Ground,
    _running: (Ended, Ended),
}

impl Syncthings {
    fn new() -> Self {
        let ground = ground();
        let (here, other) = (Syncthing::new(&ground, "one"), Syncthing::new(&ground, "two"));
        here.configure(&other, &home(&ground).join("Sync"));
        other.configure(&here, &ground.scratch().join("there"));
        let running = (here.start(&ground), other.start(&ground));
        Self { ground, _running: running }
    }
}

impl Carrier for Syncthings {
    fn id(&self) -> &'static str {
        "syncthing"
    }

    fn ground(&self) -> &Ground {
        &self.ground
    }

    fn carry(&self, _: &str) {}

    fn then(&self, what: &str, holds: impl FnMut() -> bool) {
        until(what, holds);
    }
}

fn syncthing() {
    both_ways(&Syncthings::new());
}
