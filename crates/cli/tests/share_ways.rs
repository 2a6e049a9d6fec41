//! `linkwell share` by the other ways: Syncthing told of the folder itself, a followed link, a bind mount.
#![expect(
    clippy::disallowed_methods,
    reason = "a test makes what it looks at, and may stop at the first surprise"
)]

use crate::clients_live::command;
use crate::repair::ends;
use crate::share::{Syncthing, home, listing, photos, stands, until};
use crate::support::{Ground, LINKWELL};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::make;
use linkwell_testkit::volume::{Kind, Volume, alone};
use rustix::mount::{UnmountFlags, mount_bind, unmount};
use rustix::process::Uid;
use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A user who is nobody here.
const NOBODY: u32 = 65534;

pub(crate) fn trials() -> Vec<Trial> {
    let syncthing = [Need::Program("syncthing")];
    let clients = ["unison", "rclone", "rsync"].map(Need::Program);
    vec![
        test_with(
            "share: Syncthing is told of a folder itself, its contents arrive, and it is left alone again",
            &syncthing,
            native,
        ),
        test_with(
            "share: of several computers in Syncthing's list one has to be named",
            &syncthing,
            several,
        ),
        test_with(
            "share: Syncthing waits while a folder leaves its root",
            &[syncthing[0], Need::Program("curl")],
            waits,
        ),
        test_with(
            "share: the key of Syncthing is not given to a stranger who listens in its place",
            &[Need::Root, syncthing[0]],
            stranger,
        ),
        test_with(
            "share: Unison follows the link that it is told of, and the link goes again",
            &clients[..1],
            followed,
        ),
        test_with(
            "share: a place for a mount is made, and --check knows whether it is mounted",
            &[Need::Root],
            || alone(bound),
        ),
        test_with(
            "share: a mount that is missing deletes nothing on the other side",
            &[&[Need::Root], &clients[..]].concat(),
            missing,
        ),
        test_with(
            "share: ended by force at any call, it is on record or was not done",
            &[Need::Program("strace")],
            killed,
        ),
        test_with(
            "share: what recover finishes is shared, and on record",
            &[Need::Root, Need::Program("strace")],
            || alone(recovered),
        ),
        test_with("share: the case study goes as its page says", &syncthing, case_study),
        test("share: a mirror is the same files, and what has parted stays", mirrored),
        test("share: the ways are named in their order", ways),
    ]
}

fn read(place: PathBuf) -> String {
    fs::read_to_string(place).unwrap_or_default()
}

/// A home with Photos, and a Syncthing where one is looked for.
fn with_syncthing() -> (Ground, Syncthing) {
    let ground = Ground::with(&[]);
    make(&home(&ground), &["Photos/2026/a", "Photos/best -> 2026/a", "Sync/own"]);
    make(&ground.scratch().path(), &["there/"]);
    fs::write(home(&ground).join("Photos/2026/a"), "picture").expect("written");
    let here = Syncthing::at(&ground, home(&ground).join(".config/syncthing"));
    (ground, here)
}

fn native() {
    let (ground, here) = with_syncthing();
    let at = |name: &str| home(&ground).join(name);
    let there = |name: &str| ground.scratch().join("there").join(name);
    let other = Syncthing::new(&ground, "two");
    here.knows(&other, "laptop", false);
    other.knows(&here, "desk", true);
    for place in ["path=\"~\"", "<path>~</path>"] {
        let folder = ground.scratch().join("there").display().to_string();
        other.change(place, &place.replace('~', &folder));
    }
    let before = listing(&at("Photos"));
    let share = ["share", "-y", &photos(&ground), "--with", "syncthing", "--as", "Pictures"];
    let off = ground.run(&share);
    ends(&off, 1);
    assert!(off.err.contains("does it run?") && off.err.contains("--by inverted"), "{off:#?}");
    let _running = (here.start(&ground), other.start(&ground));
    let shown = ground.run(&[&["share", "-n", "--no-refs"], &share[2..]].concat());
    ends(&shown, 0);
    for words in ["nothing moves", "with laptop", "1 link in it", "`--by inverted`"] {
        assert!(shown.out.contains(words), "{words}: {shown:#?}");
    }
    assert!(stands(&ground).is_empty() && listing(&at("Photos")) == before);
    let ran = ground.run(&share);
    ends(&ran, 0);
    assert!(!ran.err.contains(&here.key()) && !ran.out.contains(&here.key()), "{ran:#?}");
    until("the contents arrive", || read(there("Pictures/2026/a")) == "picture");
    fs::write(there("Pictures/2026/a"), "edited there").expect("written");
    until("the edit comes back", || read(at("Photos/2026/a")) == "edited there");
    assert_eq!(stands(&ground), ["true"]);
    // It lies in what Syncthing syncs now.
    let again = ground.run(&share);
    ends(&again, 1);
    assert!(again.err.contains("syncs already"), "{again:#?}");
    ends(&ground.run(&["unshare", "-y", "--no-refs", &photos(&ground)]), 0);
    let names = |all: &[String]| -> Vec<String> {
        // A file that came back is another one.
        all.iter().filter_map(|line| Some(line.rsplit_once(' ')?.0.to_owned())).collect()
    };
    until("no mark is left", || names(&listing(&at("Photos"))) == names(&before));
    assert!(stands(&ground).is_empty());
    // Everything stays on the other side as well.
    assert!(there("Pictures/best").is_symlink() && there("Pictures/2026/a").is_file());
    ends(&ground.run(&["unshare", "-y", "--no-refs", &photos(&ground)]), 1);
}

fn several() {
    let (ground, here) = with_syncthing();
    let refused = |ground: &Ground, more: &[&str], words: &str| {
        let share = ["share", "-y", &photos(ground), "--with", "syncthing"];
        let ran = ground.run(&[&share, more].concat());
        ends(&ran, 1);
        let nothing = ran.err.contains("nothing was changed");
        assert!(ran.err.contains(words) && nothing, "{words}: {ran:#?}");
        assert!(stands(ground).is_empty() && !home(ground).join("Photos/.stfolder").exists());
    };
    let running = here.start(&ground);
    refused(&ground, &[], "knows no other computer");
    drop(running);
    let (ground, here) = with_syncthing();
    for name in ["laptop", "phone"] {
        here.knows(&Syncthing::new(&ground, name), name, false);
    }
    let _running = here.start(&ground);
    let share = ["share", "-y", &photos(&ground), "--with", "syncthing"];
    refused(&ground, &[], "`laptop`, `phone`");
    refused(&ground, &["--to", "tablet"], "no computer that is called `tablet`");
    ends(&ground.run(&[&share[..], &["--to", "phone"]].concat()), 0);
    assert_eq!(stands(&ground), ["true"]);
}

fn waits() {
    let (ground, here) = with_syncthing();
    let other = Syncthing::new(&ground, "two");
    here.configure(&other, &home(&ground).join("Sync"));
    let _running = here.start(&ground);
    let into = home(&ground).join("Sync").display().to_string();
    let share = ["share", "-y", &photos(&ground), "--with", "syncthing", "--into", &into];
    ends(&ground.run(&share), 0);
    let shown = ground.run(&["unshare", "-n", "--no-refs", &photos(&ground)]);
    assert!(shown.out.contains("Syncthing is told to wait while it moves"), "{shown:#?}");
    assert_eq!(stands(&ground), ["true"]);
    // Every change of its configuration is told by its interface, in order.
    let events = || -> Vec<bool> {
        let url = format!(
            "http://127.0.0.1:{}/rest/events?events=ConfigSaved&timeout=1&since=0",
            here.page()
        );
        let ran: Ran = command(&ground, "curl")
            .args(["-s", "-H", &format!("X-API-Key: {}", here.key()), &url])
            .output()
            .expect("curl can be started")
            .into();
        let all: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
        let paused = |event: &serde_json::Value| event.pointer("/data/folders/0/paused")?.as_bool();
        all.as_array().expect("a list").iter().filter_map(paused).collect()
    };
    let before = events().len();
    ends(&ground.run(&["unshare", "-y", "--no-refs", &photos(&ground)]), 0);
    until("it is told to wait, and to go on", || {
        events().get(before..).is_some_and(|new| *new == [true, false])
    });
    assert!(home(&ground).join("Photos/2026/a").is_file());
}

/// What somebody of this number hears on a port, from the first who connects while `act` is done.
fn heard(user: u32, port: u16, act: impl FnOnce()) -> String {
    std::thread::scope(|scope| {
        let (ready, is_ready) = std::sync::mpsc::channel();
        let (end, is_over) = std::sync::mpsc::channel::<()>();
        let listener = scope.spawn(move || {
            // Of this thread alone: the socket is theirs then.
            let user = Uid::from_raw(user);
            rustix::thread::set_thread_res_uid(user, user, user).expect("root may be anybody");
            let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port is free");
            listener.set_nonblocking(true).expect("allowed");
            ready.send(()).expect("somebody waits");
            loop {
                if let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nonblocking(false).expect("allowed");
                    let mut bytes = [0; 4096];
                    let count = stream.read(&mut bytes).unwrap_or(0);
                    return String::from_utf8_lossy(bytes.get(..count).unwrap_or_default())
                        .into_owned();
                }
                if is_over.try_recv().is_ok() {
                    return String::new();
                }
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        });
        is_ready.recv().expect("it listens");
        act();
        end.send(()).unwrap_or_default();
        listener.join().expect("it ends")
    })
}

fn stranger() {
    let (ground, here) = with_syncthing();
    let share = ["share", "-y", &photos(&ground), "--with", "syncthing"];
    let told = heard(NOBODY, here.page(), || {
        let ran = ground.run(&share);
        ends(&ran, 1);
        assert!(ran.err.contains("another user's program"), "{ran:#?}");
    });
    assert_eq!(told, "");
    // The same listener, if it is this user's, is given the key: so it would have been.
    let told = heard(0, here.page(), || ends(&ground.run(&share), 1));
    assert!(told.contains(&here.key()), "{told}");
    assert!(stands(&ground).is_empty());
}

fn followed() {
    let ground = Ground::with(&[]);
    let at = |name: &str| home(&ground).join(name);
    make(&home(&ground), &["one/own", "two/", "Photos/2026/a"]);
    fs::write(at("Photos/2026/a"), "picture").expect("written");
    let before = listing(&at("Photos"));
    let sync = |option: &[&str; 2]| {
        let ran: Ran = command(&ground, "unison")
            .args(["-ui", "text", "-batch"])
            .args(option)
            .args([at("one"), at("two")])
            .output()
            .expect("Unison can be started")
            .into();
        assert_eq!(ran.code, 0, "{ran:?}");
    };
    let option = ["-follow", "Path My Photos"];
    sync(&option);
    let into = at("one").display().to_string();
    let share = ["share", "-y", &photos(&ground), "--with", "unison", "--into", &into];
    let ran = ground.run(&[&share[..], &["--as", "My Photos"]].concat());
    ends(&ran, 0);
    assert!(ran.out.contains("`-follow 'Path My Photos'`"), "{ran:#?}");
    assert!(at("one/My Photos").is_symlink() && listing(&at("Photos")) == before);
    assert_eq!(stands(&ground), ["true"]);
    sync(&option);
    assert_eq!(read(at("two/My Photos/2026/a")), "picture");
    fs::write(at("two/My Photos/2026/a"), "edited there").expect("written");
    sync(&option);
    assert_eq!(read(at("Photos/2026/a")), "edited there");
    assert!(at("one/My Photos").is_symlink());
    ends(&ground.run(&["unshare", "-y", "--no-refs", &photos(&ground)]), 0);
    assert!(fs::symlink_metadata(at("one/My Photos")).is_err() && stands(&ground).is_empty());
    sync(&option);
    assert!(!at("two/My Photos").exists() && at("Photos/2026/a").is_file(), "as was said");
    // What somebody has put in the place of the link is not removed.
    ends(&ground.run(&share), 0);
    fs::remove_file(at("one/Photos")).expect("removed");
    make(&at("one"), &["Photos/theirs"]);
    let ran = ground.run(&["unshare", "-y", "--no-refs", &photos(&ground)]);
    ends(&ran, 1);
    assert!(at("one/Photos/theirs").is_file() && ran.err.contains("is left as it is"), "{ran:#?}");
}

fn bound() {
    let ground = Ground::with(&[]);
    let at = |name: &str| home(&ground).join(name);
    make(&home(&ground), &["Sync/own", "My Photos/2026/a"]);
    let before = listing(&at("My Photos"));
    let (folder, into) = (at("My Photos"), at("Sync").display().to_string());
    let share = ["share", "-y", folder.to_str().expect("plain"), "--into", &into, "--by", "bind"];
    let ran = ground.run(&share);
    ends(&ran, 0);
    let there = at("Sync/My Photos");
    assert_eq!(fs::metadata(&there).expect("it is there").permissions().mode() & 0o7777, 0);
    assert_eq!(stands(&ground), ["unmounted"]);
    // The unit is what was said to be installed, and systemd takes it.
    let line =
        ran.err.lines().find(|line| line.contains("sudo install")).expect("a line to be typed");
    let unit = line.split('\'').nth(1).expect("quoted, for the backslashes in it").to_owned();
    let text = read(PathBuf::from(&unit));
    assert!(text.contains(&format!("What={}\n", folder.display())), "{text}");
    assert!(text.contains(&format!("Where={}\n", there.display())), "{text}");
    let again = ground.run(&share);
    ends(&again, 1);
    mount_bind(&folder, &there).expect("root may");
    assert_eq!(stands(&ground), ["true"]);
    let ran = ground.run(&["unshare", "-y", "--no-refs", folder.to_str().expect("plain")]);
    ends(&ran, 1);
    assert!(ran.err.contains("still mounted") && ran.err.contains("systemctl disable"), "{ran:#?}");
    unmount(&there, UnmountFlags::empty()).expect("root may");
    assert_eq!(stands(&ground), ["unmounted"]);
    ends(&ground.run(&["unshare", "-y", "--no-refs", folder.to_str().expect("plain")]), 0);
    assert!(!there.exists() && !Path::new(&unit).exists() && stands(&ground).is_empty());
    assert_eq!(listing(&folder), before);
}

/// A client that is no root meets what `share` has made, and then an empty folder that is open.
fn missing() {
    let carriers: [(&str, &[&str]); 3] = [
        ("unison", &["-ui", "text", "-batch", "Sync", "there"]),
        ("rclone", &["sync", "Sync", "there"]),
        ("rsync", &["-a", "--delete", "Sync/", "there/"]),
    ];
    for (program, arguments) in carriers {
        let ground = Ground::with(&[]);
        let at = |name: &str| home(&ground).join(name);
        make(&home(&ground), &["Sync/own", "there/", "Photos/2026/a"]);
        let into = at("Sync").display().to_string();
        ends(&ground.run(&["share", "-y", &photos(&ground), "--into", &into, "--by", "bind"]), 0);
        let carry = || {
            let mut client = command(&ground, program);
            client.args(arguments).current_dir(home(&ground)).uid(NOBODY).gid(NOBODY);
            drop(client.output().expect("it can be started"));
        };
        // What is carried is theirs, and so is the folder that is made for the mount.
        let theirs = |path: PathBuf| chown(path, Some(NOBODY), Some(NOBODY)).expect("root may");
        let scratch = ground.scratch().path();
        fs::set_permissions(&scratch, fs::Permissions::from_mode(0o755)).expect("allowed");
        for name in [
            "",
            "Sync",
            "there",
            "Sync/own",
            "Sync/Photos",
            "Photos",
            "Photos/2026",
            "Photos/2026/a",
        ] {
            theirs(at(name));
        }
        // As if it were mounted: what lies there has another name while it is not.
        fs::rename(at("Sync/Photos"), at("place")).expect("renamed");
        fs::rename(at("Photos"), at("Sync/Photos")).expect("renamed");
        carry();
        assert!(at("there/Photos/2026/a").is_file(), "{program}: it arrives");
        fs::rename(at("Sync/Photos"), at("Photos")).expect("renamed");
        fs::rename(at("place"), at("Sync/Photos")).expect("renamed");
        carry();
        // Some carry the permissions over, too.
        fs::set_permissions(at("there/Photos"), fs::Permissions::from_mode(0o700))
            .expect("allowed");
        assert!(at("there/Photos/2026/a").is_file(), "{program}: nothing is deleted");
        fs::set_permissions(at("Sync/Photos"), fs::Permissions::from_mode(0o700)).expect("allowed");
        carry();
        assert!(!at("there/Photos/2026/a").exists(), "{program}: of an open one everything is");
    }
}

fn ways() {
    let ground = Ground::with(&[]);
    make(&home(&ground), &["Sync/own", "Photos/a"]);
    let into = home(&ground).join("Sync").display().to_string();
    let share = ["share", "-n", "--no-refs", &photos(&ground), "--with", "unison", "--into", &into];
    for (by, words) in [
        ("follow", "the best way is follow"),
        ("inverted", "this way is inverted"),
        ("bind", "this way is bind"),
    ] {
        let ran = ground.run(&[&share[..], &["--by", by]].concat());
        ends(&ran, 0);
        assert!(ran.out.contains(words), "{words}: {ran:#?}");
        let named: Vec<usize> = ["`--by follow`", "`--by inverted`", "`--by bind`"]
            .iter()
            .filter_map(|way| ran.out.find(way))
            .collect();
        assert!(named.len() == 2 && named.is_sorted(), "{ran:#?}");
    }
}

/// The script compares all that it shows, but for the words; here it is whether its page is the one that it writes.
fn case_study() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/case-study");
    let ran: Ran = Command::new("bash")
        .arg(folder.join("share.sh"))
        .env("LINKWELL", LINKWELL)
        .output()
        .expect("bash can be started")
        .into();
    assert_eq!(ran.code, 0, "{ran:#?}");
    let typed = |text: &str| -> Vec<String> {
        text.lines().filter(|line| line.starts_with("$ ")).map(str::to_owned).collect()
    };
    let page = read(folder.join("share.md"));
    assert!(typed(&page).len() > 15, "{page}");
    assert_eq!(
        typed(&ran.out),
        typed(&page),
        "docs/case-study/share.sh > docs/case-study/share.md"
    );
}

/// Whatever was done when it was ended by force is on record: nothing is shared that `--check` does not know of.
fn killed() {
    let mut moved = 0;
    let points = ["renameat2:1", "renameat2:2", "fsync:2", "fsync:6"];
    for point in points {
        let (call, number) = point.split_once(':').expect("two parts");
        let ground = Ground::with(&[]);
        let at = |name: &str| home(&ground).join(name);
        make(&home(&ground), &["Sync/own", "Photos/2026/a"]);
        let before = listing(&at("Photos"));
        let plain = ground.command();
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e"]);
        command.arg(format!("inject={call}:signal=SIGKILL:when={number}"));
        command.arg(LINKWELL).args(["share", "-y"]).arg(at("Photos")).arg("--into").arg(at("Sync"));
        command.current_dir(ground.tree()).env_clear();
        command.envs(plain.get_envs().filter_map(|(key, value)| Some((key, value?))));
        drop(command.output().expect("strace can be started"));
        drop(ground.run(&["recover", "-y"]));
        let linked = at("Photos").is_symlink();
        let there = if linked { at("Sync/Photos") } else { at("Photos") };
        assert_eq!(listing(&there), before, "{call} {number}: nothing is lost");
        let now = stands(&ground);
        if linked {
            moved += 1;
            assert_eq!(now, ["true"], "{call} {number}");
            ends(&ground.run(&["unshare", "-y", "--no-refs", &photos(&ground)]), 0);
        } else {
            assert!(now.is_empty() || now == ["replaced"], "{call} {number}: {now:?}");
            ends(
                &ground.run(&[
                    "share",
                    "-y",
                    &photos(&ground),
                    "--into",
                    &at("Sync").display().to_string(),
                ]),
                0,
            );
        }
    }
    assert!(moved > 0, "the move was reached {moved} times");
}

fn mirrored() {
    let ground = Ground::with(&[]);
    let at = |name: &str| home(&ground).join(name);
    make(
        &home(&ground),
        &["Sync/own", "Photos/2026/a", "Photos/2026/deep/b", "Photos/2026/l -> a", "Photos/c"],
    );
    let before = listing(&at("Photos"));
    let into = at("Sync").display().to_string();
    let share = ["share", "-y", &photos(&ground), "--into", &into, "--by", "mirror"];
    let shown = ground.run(&[&["share", "-n", "--no-refs"], &share[2..]].concat());
    ends(&shown, 0);
    for words in ["3 files get a second name", "never change again", "1 links and other things"] {
        assert!(shown.out.contains(words), "{words}: {shown:#?}");
    }
    ends(&ground.run(&share), 0);
    // The same files: the number is in each line.
    let without_links: Vec<&String> = before.iter().filter(|line| line.contains(" f ")).collect();
    let there = listing(&at("Sync/Photos"));
    assert_eq!(there.iter().filter(|line| line.contains(" f ")).collect::<Vec<_>>(), without_links);
    assert_eq!(stands(&ground), ["true"]);
    ends(&ground.run(&["unshare", "-y", "--no-refs", &photos(&ground)]), 0);
    assert!(!at("Sync/Photos").exists() && listing(&at("Photos")) == before);
    assert!(stands(&ground).is_empty());
    ends(&ground.run(&share), 0);
    // One is saved anew there, and one is new.
    fs::remove_file(at("Sync/Photos/c")).expect("removed");
    fs::write(at("Sync/Photos/c"), "saved there").expect("written");
    fs::write(at("Sync/Photos/2026/new"), "new there").expect("written");
    assert_eq!(stands(&ground), ["parted"]);
    let ran = ground.run(&["unshare", "-y", "--no-refs", &photos(&ground)]);
    ends(&ran, 0);
    assert!(ran.err.contains("Sync/Photos/c") && ran.err.contains("2026/new"), "{ran:#?}");
    assert_eq!(read(at("Sync/Photos/c")), "saved there");
    assert_eq!(read(at("Sync/Photos/2026/new")), "new there");
    assert!(!at("Sync/Photos/2026/a").exists() && !at("Sync/Photos/2026/deep").exists());
    assert_eq!(listing(&at("Photos")), before);
}

/// It stops after the copy, and `recover` goes on: what it finishes then is shared.
fn recovered() {
    for inject in ["renameat2:error=EIO:when=3+", "unlinkat:error=EIO:when=5+"] {
        let ground = Ground::with(&[]);
        make(&home(&ground), &["Photos/2026/a"]);
        let volume = Volume::in_memory(Kind::Tmpfs, 16 << 20).expect("memory");
        let plain = ground.command();
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("inject={inject}"), LINKWELL]);
        command.args(["share", "-y", "--no-refs"]).arg(home(&ground).join("Photos"));
        command.arg("--into").arg(volume.path()).current_dir(ground.tree()).env_clear();
        command.envs(plain.get_envs().filter_map(|(key, value)| Some((key, value?))));
        let ran: Ran = command.output().expect("strace can be started").into();
        ends(&ran, 4);
        ends(&ground.run(&["recover", "-y"]), 0);
        assert!(home(&ground).join("Photos").is_symlink(), "{inject}: it went on");
        assert_eq!(stands(&ground), ["true"], "{inject}: {ran:#?}");
    }
}
