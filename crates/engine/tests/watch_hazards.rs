//! The hazards of watching: deletion, baits, strangers, loops, lost events, volumes that go, the end by
//! force, an attacker beside root.

use crate::mounts::Served;
use crate::support::{Child, Piece, Random, fail};
use crate::watch_support::{GRACE, Ground, Marker, Watching, place, text};
use libtest_mimic::Trial;
use linkwell_engine::watch::Hint;
use linkwell_model::keep::link::Policy;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::tree::make;
use linkwell_testkit::volume::{Kind, Volume};
use rustix::process::Signal;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test(
            "watch: what is deleted is told, never guessed, and its room is free at once",
            deleted,
        ),
        test("watch: a bait under the old name or beside it is not taken (W2)", bait),
        test_with(
            "watch: what belongs to somebody else, or lies where others may write, is asked about (W3)",
            &[Need::Root],
            strangers,
        ),
        test("watch: a link is never led to itself or into a loop (W9)", loops),
        test("watch: another name of a deleted file is not taken for it", hard_link),
        test(
            "watch: events that were lost are made up for by looking, and by nothing more (W1)",
            overflow,
        ),
        test("watch: a storm of renaming settles, and the link is right (W5)", storm),
        test(
            "watch: folders that are renamed while they are being watched (W8)",
            renamed_meanwhile,
        ),
        test_with(
            "watch: a volume goes while it is watched, sleeps, and comes back (W4)",
            &Kind::Ext4.needs(),
            volume,
        ),
        test_with(
            "watch: a volume that gives no answer holds nothing up, and is followed when it does again",
            &[Need::Root, Need::Program("unshare"), Need::Fuse, Need::Program("bindfs")],
            hung,
        ),
        test_with(
            "watch: root's watcher in a user's tree changes nothing outside (W7)",
            &[Need::Root],
            flipped,
        ),
        test("watch: ended by force in between, it goes on by what is on record (W6)", restarted),
        test(
            "watch: what moved while nothing watched is found at the start, if no walk is needed",
            behind,
        ),
        test("watch: names that come back 0, 100 and 400 ms later, with a grace of 250", gaps),
        test("watch: a chain of 40 links, whose links move one by one", forty),
        test("watch: as an ordinary user, without any right", ordinary),
        test("watch: the catalogue is set aside while it watches", set_aside),
        test_with(
            "watch: too few watches: that is said, and it looks from time to time",
            &[Need::Program("unshare")],
            few_watches,
        ),
        test("watch: many links: figures, and memory stays flat under a random mover", many),
        test("watch: a random mover never leads a link to the wrong thing", mover),
    ]
}

/// The pieces that run in a child.
pub(crate) const PIECES: &[Piece] = &[
    ("watch: overflow", overflow_piece),
    ("watch: volume", volume_piece),
    ("watch: hung", hung_piece),
    ("watch: many", many_piece),
    ("watch: behind", behind_piece),
    ("watch: ordinary", ordinary_piece),
    ("watch: few", few_piece),
];

fn heals(ground: &Ground, watching: &Watching, link: &str, text: &str) {
    watching.until(&format!("{link} leads to {text}"), || ground.text(link) == text);
}

fn mv(ground: &Ground, from: &str, to: &str) {
    fs::rename(ground.join(from), ground.join(to)).expect("renamed");
}

fn deleted() {
    let ground = Ground::new(&["t/f", "t/d/x", "l/f -> ../t/f", "l/d -> ../t/d"]);
    let marker = Marker::new(&ground);
    ground.track_all(&["l/f", "l/d"]);
    let watching = ground.watch();
    assert!(holds(&ground.join("t/f")), "it is held: otherwise the rest proves nothing");
    fs::remove_file(ground.join("t/f")).expect("removed");
    // Before the grace has ended, too.
    watching.until("it is let go", || !holds_deleted(&ground.join("t/f")));
    fs::remove_dir_all(ground.join("t/d")).expect("removed");
    watching.until("both are told", || watching.count("lost") == 2);
    watching.until_settled(&marker);
    assert_eq!((ground.text("l/f"), ground.text("l/d")), ("../t/f".into(), "../t/d".into()));
    assert!(ground.questions().is_empty());
    // What is made there later is meant again.
    make(&ground.tree.path(), &["t/d/y", "t/f"]);
    watching.until("both are back", || watching.count("back") == 2);
    mv(&ground, "t/f", "t/g");
    heals(&ground, &watching, "l/f", "../t/g");
}

/// What this process has open, as the system says it.
fn open_files() -> Vec<String> {
    let all = fs::read_dir("/proc/self/fd").expect("it lists").flatten();
    all.filter_map(|entry| text(&entry.path())).collect()
}

fn holds(what: &Path) -> bool {
    open_files().iter().any(|open| *open == what.to_string_lossy())
}

fn holds_deleted(what: &Path) -> bool {
    open_files().iter().any(|open| *open == format!("{} (deleted)", what.display()))
}

fn bait() {
    let ground = Ground::new(&["t/f", "t/g", "far/", "l/f -> ../t/f", "l/g -> ../t/g"]);
    let marker = Marker::new(&ground);
    ground.track_all(&["l/f", "l/g"]);
    let watching = ground.watch();
    // The target moves away and another file with its name, length, time and contents lies beside it.
    let times = fs::metadata(ground.join("t/f")).expect("it is there");
    mv(&ground, "t/f", "far/real");
    fs::write(ground.join("far/f"), "t/f").expect("written");
    let bait = fs::File::options().write(true).open(ground.join("far/f")).expect("it opens");
    bait.set_modified(times.modified().expect("told")).expect("set");
    heals(&ground, &watching, "l/f", "../far/real");
    // Deleted, and at once another file has its inode number: 200 of 200 times on ext4.
    for turn in 0..20 {
        let number = fs::metadata(ground.join("t/g")).expect("there").ino();
        fs::remove_file(ground.join("t/g")).expect("removed");
        let other = ground.join(&format!("far/bait{turn}"));
        fs::write(&other, "t/g").expect("written");
        if fs::metadata(&other).expect("there").ino() == number {
            break;
        }
        fs::write(ground.join("t/g"), "t/g").expect("written");
        watching.until_settled(&marker);
    }
    if ground.join("t/g").symlink_metadata().is_err() {
        watching.until_said("lost");
    }
    watching.until_settled(&marker);
    assert_eq!(ground.text("l/g"), "../t/g");
    assert!(ground.questions().is_empty());
}

fn strangers() {
    let ground = Ground::new(&[
        "t/f",
        "t/g",
        "t/h",
        "open/",
        "mine/",
        "l/f -> ../t/f",
        "l/g -> ../t/g",
        "l/h -> ../t/h",
    ]);
    let marker = Marker::new(&ground);
    fs::set_permissions(ground.join("open"), fs::Permissions::from_mode(0o1777)).expect("set");
    ground.track_all(&["l/f", "l/g", "l/h"]);
    let watching = ground.watch();
    mv(&ground, "t/f", "open/f");
    std::os::unix::fs::chown(ground.join("t/g"), Some(65534), None).expect("given away");
    mv(&ground, "t/g", "mine/g");
    // The control: nothing speaks against this one.
    mv(&ground, "t/h", "mine/h");
    heals(&ground, &watching, "l/h", "../mine/h");
    watching.until("both are asked about", || watching.count("asked") == 2);
    watching.until_settled(&marker);
    assert_eq!((ground.text("l/f"), ground.text("l/g")), ("../t/f".into(), "../t/g".into()));
    let words: Vec<String> = ground
        .questions()
        .into_iter()
        .flat_map(|question| question.proposals)
        .map(|proposal| proposal.words)
        .collect();
    assert!(words.iter().any(|words| words.contains("others can write to")), "{words:?}");
    assert!(words.iter().any(|words| words.contains("user 65534")), "{words:?}");
}

fn loops() {
    // `a → b`, `b → f`: `b` moves onto the place to which a text would then lead back.
    let ground = Ground::new(&["x/f", "x/b -> f", "y/", "y/a -> ../x/b"]);
    let marker = Marker::new(&ground);
    ground.track_all(&["y/a"]);
    let watching = ground.watch();
    // The object that `a` leads to takes the place of `a` itself: a link cannot lead to its own place.
    mv(&ground, "x/b", "y/a");
    watching.until_settled(&marker);
    assert_eq!(ground.text("y/a"), "../x/f", "moved and mended, or left: never a circle");
    assert_eq!(fs::read(ground.join("y/a")).expect("it reads"), b"x/f");
}

fn hard_link() {
    let ground = Ground::new(&["t/f", "far/other == t/f", "l/f -> ../t/f"]);
    let marker = Marker::new(&ground);
    ground.track_all(&["l/f"]);
    let watching = ground.watch();
    fs::remove_file(ground.join("t/f")).expect("removed");
    watching.until_said("lost");
    watching.until_settled(&marker);
    assert_eq!(ground.text("l/f"), "../t/f");
    // The name that moved is followed, whatever other names there are.
    fs::hard_link(ground.join("far/other"), ground.join("t/f")).expect("a second name");
    watching.until_said("back");
    mv(&ground, "t/f", "t/g");
    heals(&ground, &watching, "l/f", "../t/g");
}

fn overflow() {
    // In a process of its own, since it is stopped.
    let said = Child::plain("watch: overflow").run();
    assert!(said.contains("healed after the overflow"), "{said}");
}

fn overflow_piece() {
    let ground = Ground::new(&["t/f", "t/noise", "far/", "l/f -> ../t/f"]);
    ground.track_all(&["l/f"]);
    let watching = ground.watch();
    let me = std::process::id();
    // Another process renames while this one, and its reader with it, is stopped.
    let script = format!(
        "kill -STOP {me}; cd '{}'; i=0; while [ $i -lt 64 ]; do echo \"rename $i\"; i=$((i+1)); done >/dev/null; \
         perl -e 'for (1..20000) {{ rename \"t/noise\", \"t/noise2\"; rename \"t/noise2\", \"t/noise\" }}'; \
         mv t/f far/f; kill -CONT {me}",
        ground.tree.path().display()
    );
    let mut child =
        std::process::Command::new("sh").args(["-c", &script]).spawn().expect("started");
    heals(&ground, &watching, "l/f", "../far/f");
    child.wait().expect("it ends");
    println!("healed after the overflow");
}

fn storm() {
    let ground = Ground::new(&["t/f", "u/", "l/f -> ../t/f"]);
    ground.track_all(&["l/f"]);
    let watching = ground.watch();
    for turn in 0..30_000 {
        mv(&ground, "t/f", "u/g");
        if turn % 3 == 0 {
            mv(&ground, "u/g", "u/h");
            mv(&ground, "u/h", "u/g");
        }
        mv(&ground, "u/g", "t/f");
    }
    mv(&ground, "t/f", "u/last");
    heals(&ground, &watching, "l/f", "../u/last");
    assert_eq!(watching.count("lost") + watching.count("asked"), 0, "{:#?}", watching.said());
}

fn renamed_meanwhile() {
    let ground = Ground::new(&["l/"]);
    let mut links = Vec::new();
    for number in 0..300 {
        make(&ground.tree.path(), &[&format!("a/b{number}/c/f")]);
        let link = ground.join(&format!("l/{number}"));
        symlink(format!("../a/b{number}/c/f"), &link).expect("a link");
        links.push(link);
    }
    ground.track(&links);
    let top = ground.tree.path();
    let renames = std::thread::spawn(move || {
        for number in 0..300 {
            let (from, to) = (format!("a/b{number}"), format!("a/B{number}"));
            fs::rename(top.join(from), top.join(to)).expect("renamed");
        }
    });
    let watching = ground.watch();
    renames.join().expect("it ended");
    // What moved before its watch was set was found away by looking. It was not held yet, so where it went
    // need not be known; but nothing may be missed in silence, or led elsewhere.
    watching.until("each is healed, or told of", || {
        links.iter().all(|link| {
            fs::read(link).is_ok()
                || watching.said().iter().any(|said| said.link.as_ref() == Some(&place(link)))
        })
    });
    for (number, link) in links.iter().enumerate() {
        if let Ok(read) = fs::read(link) {
            assert_eq!(read, format!("a/b{number}/c/f").into_bytes());
        }
    }
    // From now on all of it is watched.
    mv(&ground, "a", "A");
    watching.until("those that were healed are healed again", || {
        let lost = |link: &PathBuf| {
            watching
                .said()
                .iter()
                .any(|said| said.what == "lost" && said.link.as_ref() == Some(&place(link)))
        };
        links.iter().all(|link| fs::read(link).is_ok() || lost(link))
    });
}

fn volume() {
    // In a process of its own: the table of mounts is that of a process, not of a thread.
    let unshare = ["unshare", "-m", "--propagation", "private"];
    let said = Child::under(&unshare, "watch: volume").run();
    assert!(said.contains("asleep and back") || said.contains("not tried"), "{said}");
}

fn volume_piece() {
    let Some(mut volume) = Volume::new(Kind::Ext4, 32 << 20) else { return };
    make(&volume.path(), &["t/f", "in/l -> ../t/f"]);
    let ground = Ground::new(&["l/"]);
    let marker = Marker::new(&ground);
    symlink(volume.join("t/f"), ground.join("l/f")).expect("a link");
    ground.track(&[ground.join("l/f"), volume.join("in/l")]);
    let watching = ground.watch();
    assert!(!holds(&volume.join("t/f")), "nothing is held on what can be taken away");
    fs::rename(volume.join("t/f"), volume.join("t/g")).expect("renamed");
    watching.until("it is healed by what was heard", || {
        text(&volume.join("in/l")).is_some_and(|text| text == "../t/g")
    });
    watching.until_settled(&marker);
    let healed = text(&ground.join("l/f"));
    assert!(healed.as_ref().is_some_and(|text| text.ends_with("/t/g")), "{healed:?}");
    // Taken away properly: nothing stands in the way of that.
    volume.take_away().expect("it is not busy");
    watching.until_said("asleep");
    watching.until_settled(&marker);
    assert_eq!(text(&ground.join("l/f")), healed);
    assert_eq!(watching.count("lost") + watching.count("gone"), 0, "{:#?}", watching.said());
    assert_eq!(ground.entries().len(), 3, "nothing was forgotten");
    volume.come_back();
    watching.until_said("back");
    fs::rename(volume.join("t/g"), volume.join("t/h")).expect("renamed");
    watching.until("it is watched again", || {
        text(&volume.join("in/l")).is_some_and(|text| text == "../t/h")
    });
    watching.end();
    println!("asleep and back");
}

fn hung() {
    let unshare = ["unshare", "-m", "--propagation", "private"];
    let said = Child::under(&unshare, "watch: hung").run();
    assert!(said.contains("not held up"), "{said}");
}

fn hung_piece() {
    let ground = Ground::new(&[
        "real/d/f",
        "real/l -> d/f",
        "real/out -> nothing",
        "away/",
        "t/f",
        "t/g",
        "l/f -> ../t/f",
        "l/onto -> ../away",
        "l/into -> ../away/d/f",
    ]);
    let marker = Marker::new(&ground);
    let served = Served::new(&ground.join("real"), ground.join("away"));
    fs::remove_file(ground.join("away/out")).expect("removed");
    symlink(ground.join("t/g"), ground.join("away/out")).expect("a link");
    ground.track_all(&["l/f", "l/onto", "l/into", "away/l", "away/out"]);
    let settings = || {
        let mut settings = ground.settings();
        settings.volumes.time_limit = Duration::from_millis(300);
        settings.again = Duration::from_secs(2);
        settings
    };
    let watching = Watching::start(settings());
    watching.until_settled(&marker);
    served.signal(Signal::STOP);
    // It must be noticed before anything is touched, also by who has heard an answer before.
    watching.queue.put(Hint::Reload);
    mv(&ground, "t/f", "t/h");
    heals(&ground, &watching, "l/f", "../t/h");
    // What leads here stands where nobody can look, and follows later.
    mv(&ground, "t/g", "t/k");
    watching.until_settled(&marker);
    watching.end();
    let watching = Watching::start(settings());
    mv(&ground, "t/h", "t/i");
    heals(&ground, &watching, "l/f", "../t/i");
    watching.until_settled(&marker);
    let told = ["lost", "gone", "asked", "asleep", "replaced"].map(|what| watching.count(what));
    assert_eq!(told, [0; 5], "nobody knows: {:#?}", watching.said());
    served.signal(Signal::CONT);
    let out = || text(&ground.join("away/out"));
    watching.until("the link there follows", || out().is_some_and(|out| out.ends_with("/t/k")));
    // What comes and goes there is heard of again.
    fs::remove_file(ground.join("away/d/f")).expect("removed");
    watching.until("both links to it are told as lost", || watching.count("lost") == 2);
    fs::write(ground.join("away/d/f"), "again").expect("written");
    watching.until("and as back", || watching.count("back") == 2);
    assert_eq!(
        (ground.text("l/onto"), ground.text("l/into")),
        ("../away".into(), "../away/d/f".into())
    );
    watching.end();
    drop(served);
    println!("not held up");
}

fn flipped() {
    let ground = Ground::new(&[
        "user/in/f",
        "user/out/",
        "secret/f",
        "secret/l -> nowhere",
        "user/l/l -> ../in/f",
    ]);
    let user = 65534;
    for name in ["user", "user/in", "user/out", "user/in/f", "user/l"] {
        std::os::unix::fs::chown(ground.join(name), Some(user), Some(user)).expect("given");
    }
    std::os::unix::fs::lchown(ground.join("user/l/l"), Some(user), Some(user)).expect("given");
    ground.track_all(&["user/l/l"]);
    let watching = ground.watch();
    let top = ground.tree.path();
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // The folder that holds the link is a folder at one moment and a link to somebody else's folder
            // at the next.
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                fs::rename(top.join("user/l"), top.join("user/away")).expect("renamed");
                symlink("../secret", top.join("user/l")).expect("a link");
                std::thread::sleep(Duration::from_micros(200));
                fs::remove_file(top.join("user/l")).expect("removed");
                fs::rename(top.join("user/away"), top.join("user/l")).expect("renamed");
                std::thread::sleep(Duration::from_micros(200));
            }
        });
        for turn in 0..15 {
            let (from, to) = if turn % 2 == 0 { ("in", "out") } else { ("out", "in") };
            mv(&ground, &format!("user/{from}/f"), &format!("user/{to}/f"));
            let began = Instant::now();
            while began.elapsed() < GRACE * 2 {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    // The control: it does heal when nobody plays with it.
    mv(&ground, "user/out/f", "user/in/g");
    heals(&ground, &watching, "user/l/l", "../in/g");
    assert_eq!(ground.text("secret/l"), "nowhere");
    assert_eq!(fs::read_dir(ground.join("secret")).expect("it lists").count(), 2);
    assert_eq!(fs::symlink_metadata(ground.join("user/l/l")).expect("there").uid(), user);
}

fn restarted() {
    let ground = Ground::new(&["t/f", "t/g", "far/", "l/f -> ../t/f", "l/g -> ../t/g"]);
    ground.track_all(&["l/f", "l/g"]);
    ground.watch().end();
    mv(&ground, "t/f", "t/F");
    fs::remove_file(ground.join("t/g")).expect("removed");
    fs::write(ground.join("far/g"), "t/g").expect("a bait");
    let watching = ground.watch();
    heals(&ground, &watching, "l/f", "../t/F");
    watching.until("the other one is told as lost", || watching.count("lost") == 1);
    assert_eq!(ground.text("l/g"), "../t/g");
}

fn gaps() {
    let ground = Ground::new(&[
        "t/0",
        "t/100",
        "t/400",
        "l/0 -> ../t/0",
        "l/100 -> ../t/100",
        "l/400 -> ../t/400",
    ]);
    let marker = Marker::new(&ground);
    ground.track_all(&["l/0", "l/100", "l/400"]);
    let mut settings = ground.settings();
    settings.grace = Duration::from_millis(250);
    let watching = Watching::start(settings);
    for gap in [0, 100, 400] {
        let name = format!("t/{gap}");
        let began = Instant::now();
        mv(&ground, &name, &format!("{name}-moved"));
        std::thread::sleep(Duration::from_millis(gap));
        fs::write(ground.join(&name), "saved").expect("written");
        let in_time = began.elapsed() < Duration::from_millis(250);
        watching.until_settled(&marker);
        let text = ground.text(&format!("l/{gap}"));
        if gap == 400 {
            assert_eq!(text, "../t/400-moved", "it was away for longer than the grace");
        } else if in_time {
            assert_eq!(text, format!("../{name}"), "the name came back within the grace");
        } else {
            println!("{gap}: this machine was too slow to say");
        }
    }
}

fn forty() {
    // As many as the kernel follows.
    let ground = Ground::new(&["c/f", "out/", "deep/er/"]);
    let marker = Marker::new(&ground);
    let mut last = "f".to_owned();
    for number in (0..40).rev() {
        symlink(&last, ground.join(&format!("c/{number}"))).expect("a link");
        last = number.to_string();
    }
    ground.track_all(&["c/0"]);
    assert_eq!(ground.entries().len(), 41, "each of them, and the marker");
    let watching = ground.watch();
    let whole = || fs::read(ground.join("c/0")).is_ok_and(|read| read == b"c/f");
    assert!(whole());
    mv(&ground, "c/f", "out/f");
    watching.until("the last one follows", whole);
    assert_eq!(ground.text("c/39"), "../out/f");
    // One in the middle, with a relative text, to a folder of another depth.
    mv(&ground, "c/20", "deep/er/20");
    watching.until("the one before it and its own text follow", || {
        ground.text("c/19") == "../deep/er/20" && ground.text("deep/er/20") == "../../c/21"
    });
    watching.until("it is whole again", whole);
    watching.until_settled(&marker);
    assert_eq!(watching.count("lost") + watching.count("asked"), 0, "{:#?}", watching.said());
}

fn ordinary() {
    let said = Child::unprivileged("watch: ordinary").run();
    assert!(said.contains("as an ordinary user"), "{said}");
}

fn ordinary_piece() {
    let status = fs::read_to_string("/proc/self/status").expect("it reads");
    let none = status.lines().any(|line| line == "CapEff:\t0000000000000000");
    assert!(none || !rustix::process::geteuid().is_root(), "{status}");
    crate::watch::moved();
    crate::watch::ancestors();
    crate::watch::link_moved();
    println!("as an ordinary user");
}

fn set_aside() {
    let ground = Ground::new(&["t/f", "t/g", "l/f -> ../t/f", "l/g -> ../t/g"]);
    ground.track_all(&["l/f", "l/g"]);
    ground.policy("l/g", Policy::Ask);
    let watching = ground.watch();
    let state =
        linkwell_engine::state::open(linkwell_engine::system::System::new(), &ground.state());
    let (anew, _) = ground.catalogue().begin_anew(&state.expect("there")).expect("begun");
    drop(anew);
    // What somebody had chosen for is in the new one, the other one is not until it is recorded again.
    watching.until("the new one is read", || watching.counts().links == 1);
    ground.track_all(&["l/f", "l/g"]);
    watching.until("both are watched", || watching.counts().links == 2);
    mv(&ground, "t/f", "t/F");
    mv(&ground, "t/g", "t/G");
    heals(&ground, &watching, "l/f", "../t/F");
    watching.until("it is asked in the new one", || ground.questions().len() == 1);
    assert_eq!(ground.text("l/g"), "../t/g");
}

fn few_watches() {
    let unshare = ["unshare", "--user", "--map-root-user"];
    let said = Child::under(&unshare, "watch: few").run();
    assert!(said.contains("healed without a watch") || said.contains("not tried"), "{said}");
}

fn few_piece() {
    // The limit of this namespace alone.
    if fs::write("/proc/sys/user/max_inotify_watches", "6").is_err() {
        println!("not tried: the limit cannot be set here");
        return;
    }
    let ground = Ground::new(&["a/b/c/t", "y/z/t", "far/", "l/a -> ../a/b/c/t", "l/z -> ../y/z/t"]);
    ground.track_all(&["l/a", "l/z"]);
    let watching = ground.watch();
    assert!(watching.counts().watched <= 6, "{:?}", watching.counts());
    assert_eq!(watching.count("trouble"), 1, "{:#?}", watching.said());
    // Of these folders there was no room for the last.
    let began = Instant::now();
    mv(&ground, "y/z/t", "far/T");
    heals(&ground, &watching, "l/z", "../far/T");
    assert!(began.elapsed() > Duration::from_secs(5), "by looking, and not by hearing of it");
    println!("healed without a watch");
}

fn behind() {
    // As who runs this, and as somebody without any right.
    for child in [Child::plain("watch: behind"), Child::unprivileged("watch: behind")] {
        let said = child.run();
        assert!(said.contains("found behind"), "{said}");
    }
}

/// Everything moved while nothing watched: what needs no walk is done at the start, and nothing else.
fn behind_piece() {
    let ground = Ground::new(&[
        "near/f",
        "deep/er/d/x",
        "up/on/f",
        "two/f",
        "two/other == two/f",
        "gone/f",
        "old/f",
        "far/",
        "l/near -> ../near/f",
        "l/dir -> ../deep/er/d",
        "l/up -> ../up/on/f",
        "l/two -> ../two/f",
        "l/gone -> ../gone/f",
        "l/old -> ../old/f",
    ]);
    let marker = Marker::new(&ground);
    ground.track_all(&["l/near", "l/dir", "l/up", "l/two", "l/gone", "l/old"]);
    ground.policy("l/old", Policy::Ask);
    ground.watch().end();
    mv(&ground, "near/f", "near/g");
    mv(&ground, "deep/er/d", "far/D");
    mv(&ground, "up", "UP");
    // One of two names goes: nobody can say that the other one is meant.
    fs::remove_file(ground.join("two/f")).expect("removed");
    mv(&ground, "two/other", "far/other");
    // Another file with the very name, length, time and perhaps number.
    let time = fs::metadata(ground.join("gone/f")).expect("there").modified().expect("told");
    fs::remove_file(ground.join("gone/f")).expect("removed");
    fs::write(ground.join("gone/g"), "gone/f").expect("a bait");
    let bait = fs::File::options().write(true).open(ground.join("gone/g")).expect("it opens");
    bait.set_modified(time).expect("set");
    mv(&ground, "old/f", "old/g");
    let watching = ground.watch();
    heals(&ground, &watching, "l/near", "../near/g");
    watching.until("the question is told", || watching.count("asked") == 1);
    watching.until_settled(&marker);
    // Folders need handles, which nobody but root may open on older kernels.
    let has = rustix::process::geteuid().is_root() || ground.text("l/dir") == "../far/D";
    if has {
        assert_eq!(ground.text("l/dir"), "../far/D");
        assert_eq!(ground.text("l/up"), "../UP/on/f");
    } else {
        println!("without handles");
    }
    assert_eq!(
        ["l/two", "l/gone", "l/old"].map(|link| ground.text(link)),
        ["../two/f", "../gone/f", "../old/f"]
    );
    let questions = ground.questions();
    assert_eq!(questions.len(), 1, "{questions:?}");
    assert_eq!(questions[0].proposals[0].place, place(&ground.join("old/g")));
    println!("found behind");
}

/// How many scenarios: a number in `LINKWELL_WATCH_SCENARIOS`, for long runs.
fn scenarios() -> usize {
    let wanted = std::env::var("LINKWELL_WATCH_SCENARIOS").ok();
    wanted.and_then(|wanted| wanted.parse().ok()).unwrap_or(300)
}

/// One scenario is one thing that happens to one of the links, at random; all of them share a watcher.
fn mover() {
    const LINKS: usize = 30;
    let seed = std::env::var("LINKWELL_WATCH_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed = seed.unwrap_or(20_261_128);
    let mut random = Random::new(seed);
    let ground = Ground::new(&["far/a/", "far/b/", "l/"]);
    let marker = Marker::new(&ground);
    let mut at: Vec<Option<PathBuf>> = Vec::new();
    let mut links = Vec::new();
    for number in 0..LINKS {
        let target = format!("t{}/s/f{number}", number % 5);
        make(&ground.tree.path(), &[&target]);
        fs::write(ground.join(&target), format!("{number}")).expect("written");
        let link = ground.join(&format!("l/{number}"));
        if number % 2 == 0 {
            symlink(format!("../{target}"), &link).expect("a link");
        } else {
            symlink(ground.join(&target), &link).expect("a link");
        }
        links.push(link);
        at.push(Some(ground.join(&target)));
    }
    ground.track(&links);
    let watching = ground.watch();
    let (mut healed, mut dead) = (0_usize, 0_usize);
    let mut fresh = 0;
    let mut name = || {
        fresh += 1;
        format!("n{fresh}")
    };
    let mut holds: Vec<String> = (0..LINKS).map(|number| format!("{number}")).collect();
    let all = scenarios();
    let mut done = 0;
    while done < all {
        // What each link is known to lead to, while that has a name somewhere.
        let known = holds.clone();
        let mut known_lives = [true; LINKS];
        // Several at once, so that they meet.
        let batch = 1 + random.below(8);
        for _ in 0..batch {
            done += 1;
            let number = random.below(LINKS);
            let Some(here) = at[number].clone() else { continue };
            let folder = here.parent().expect("in a folder").to_path_buf();
            match random.below(10) {
                0..=3 => {
                    let to =
                        if random.percent(50) { folder } else { ground.join("far/a") }.join(name());
                    fs::rename(&here, &to).expect("renamed");
                    at[number] = Some(to);
                }
                4 | 5 => {
                    // The folder that it lies in, and everything in it.
                    if folder.starts_with(ground.join("far")) {
                        continue;
                    }
                    let to = folder.parent().expect("above").join(name());
                    fs::rename(&folder, &to).expect("renamed");
                    for other in at.iter_mut().flatten() {
                        if let Ok(rest) = other.strip_prefix(&folder) {
                            *other = to.join(rest);
                        }
                    }
                }
                6 => {
                    // Saved atomically: the old object is gone.
                    if holds[number] == known[number] {
                        known_lives[number] = false;
                    }
                    holds[number] = format!("{number} saved as {}", name());
                    fs::write(folder.join(".tmp"), &holds[number]).expect("written");
                    fs::rename(folder.join(".tmp"), &here).expect("renamed");
                }
                7 => {
                    // Another one takes its place at once: the name wins.
                    fs::rename(&here, ground.join("far/b").join(name())).expect("renamed");
                    holds[number] = format!("{number} instead {}", name());
                    fs::write(&here, &holds[number]).expect("written");
                }
                8 => {
                    // A bait beside the place where it goes.
                    let to = ground.join("far/b").join(name());
                    fs::rename(&here, &to).expect("renamed");
                    let bait = ground.join("far/a").join(here.file_name().expect("a name"));
                    // Under the very old name it would be meant.
                    if bait != here {
                        fs::write(bait, "bait").expect("written");
                    }
                    at[number] = Some(to);
                }
                _ => {
                    if holds[number] == known[number] {
                        known_lives[number] = false;
                    }
                    fs::remove_file(&here).expect("removed");
                    fs::write(ground.join("far/b").join(name()), "bait").expect("written");
                    at[number] = None;
                }
            }
        }
        watching.until_settled(&marker);
        for (number, link) in links.iter().enumerate() {
            let read = fs::read(link).ok().map(|read| String::from_utf8_lossy(&read).into_owned());
            // Right is what has its name, and what it was known to lead to, wherever that is. Of what came and
            // went within one grace nothing is on record.
            let by_name = at[number].is_some() && read.as_ref() == Some(&holds[number]);
            let by_object = read.as_ref() == Some(&known[number]);
            match &read {
                Some(_) if by_name || by_object => healed += 1,
                None if known_lives[number] => dead += 1,
                None => {}
                Some(read) => fail(&format!(
                    "seed {seed}, after {done}: {number} leads to `{read}`; it was `{}`, its name holds `{}`",
                    known[number], holds[number]
                )),
            }
        }
        // Those that are dead begin anew.
        for number in 0..LINKS {
            if fs::read(&links[number]).is_err() || at[number].is_none() {
                let target = ground.join("far/a").join(name());
                holds[number] = format!("{number} anew {}", name());
                fs::write(&target, &holds[number]).expect("written");
                let staged = ground.join("l/.new");
                symlink(&target, &staged).expect("a link");
                fs::rename(&staged, &links[number]).expect("renamed");
                at[number] = Some(target);
            } else {
                let target = fs::canonicalize(&links[number]).expect("it leads there");
                holds[number] = fs::read_to_string(&target).expect("it reads");
                at[number] = Some(target);
            }
        }
        watching.until_settled(&marker);
    }
    println!(
        "{all} scenarios, seed {seed}: {healed} looks found the link right, {dead} found it dead"
    );
    if dead * 100 > healed + dead {
        fail(&format!("more than one of a hundred was not healed: {dead} of {}", healed + dead));
    }
}

/// How many links, and for how many seconds they move: `LINKWELL_WATCH_LINKS` and `LINKWELL_WATCH_SECONDS`, for
/// measuring.
fn size(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|wanted| wanted.parse().ok()).unwrap_or(default)
}

/// Processor seconds of this process, and its memory in MB.
fn spent() -> (f64, f64) {
    let stat = fs::read_to_string("/proc/self/stat").expect("it reads");
    let fields: Vec<&str> = stat.rsplit(") ").next().expect("fields").split(' ').collect();
    let ticks: f64 =
        fields[11].parse::<f64>().expect("a number") + fields[12].parse::<f64>().expect("a number");
    let memory = fs::read_to_string("/proc/self/statm").expect("it reads");
    let pages: f64 = memory.split(' ').nth(1).expect("resident").parse().expect("a number");
    (ticks / 100.0, pages * 4096.0 / 1e6)
}

fn many() {
    // In a process of its own, whose memory and time are its own.
    let (links, seconds) = extent();
    // A debug build makes, leads and reads some hundred links a second beside others.
    let longer = u64::try_from(seconds + links / 20).expect("small");
    Child::plain("watch: many").longer(Duration::from_secs(longer)).run();
}

fn extent() -> (usize, usize) {
    (size("LINKWELL_WATCH_LINKS", 600), size("LINKWELL_WATCH_SECONDS", 3))
}

fn many_piece() {
    let (links, seconds) = extent();
    let ground = Ground::new(&["top/", "l/", "far/"]);
    let mut all = Vec::new();
    for number in 0..links {
        let folder = format!("top/{}/{}", number % 97, number % 7919);
        fs::create_dir_all(ground.join(&folder)).expect("made");
        fs::write(ground.join(&format!("{folder}/f{number}")), number.to_string())
            .expect("written");
        let link = ground.join(&format!("l/{number}"));
        symlink(format!("../{folder}/f{number}"), &link).expect("a link");
        all.push(link);
    }
    ground.track(&all);
    let before = spent();
    let watching = ground.watch();
    let after = spent();
    println!(
        "{links} links: set up in {:.2} s CPU, {:.1} MB more, {} folders",
        after.0 - before.0,
        after.1 - before.1,
        watching.counts().watched
    );
    let mut random = Random::new(7);
    let mut late: Vec<f64> = Vec::new();
    for turn in 0..15 {
        let link = &all[random.below(links)];
        let here = fs::canonicalize(link).expect("it leads there");
        let to = ground.join(&format!("far/n{turn}"));
        let began = Instant::now();
        fs::rename(&here, &to).expect("renamed");
        watching.until("it is healed", || fs::read(link).is_ok());
        late.push((began.elapsed().as_secs_f64() - GRACE.as_secs_f64()) * 1000.0);
    }
    late.sort_by(f64::total_cmp);
    println!("one link: {:.1} ms after the grace at the median, {:.1} at most", late[7], late[14]);
    let (began, start) = (Instant::now(), spent());
    mv(&ground, "top", "TOP");
    watching.until("all are healed", || {
        all.iter().all(|link| fs::read_link(link).is_ok_and(|text| !text.starts_with("../top")))
    });
    let took = began.elapsed() - GRACE;
    println!(
        "one ancestor of all: {:.2} s after the grace, {:.2} s CPU",
        took.as_secs_f64(),
        spent().0 - start.0
    );
    let mut warm = spent().1;
    let began = Instant::now();
    let mut moves = 0_usize;
    let mut shown = Instant::now();
    let long = Duration::from_secs(u64::try_from(seconds).expect("small"));
    while began.elapsed() < long {
        // What is needed once for moving at all is not what grows.
        if began.elapsed() < long / 3 {
            warm = spent().1;
        }
        let link = &all[random.below(links)];
        if let Ok(here) = fs::canonicalize(link) {
            moves += 1;
            let to = here.with_file_name(format!("m{moves}"));
            fs::rename(&here, to).expect("renamed");
        }
        if shown.elapsed() > Duration::from_secs(10) {
            shown = Instant::now();
            println!(
                "{:.0} s: {moves} moves, {:.1} MB, {} healed",
                began.elapsed().as_secs_f64(),
                spent().1,
                watching.counts().healed
            );
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    watching.until("all are healed", || all.iter().all(|link| fs::read(link).is_ok()));
    for (number, link) in all.iter().enumerate() {
        assert_eq!(fs::read_to_string(link).expect("it reads"), number.to_string());
    }
    let end = spent().1;
    println!("{moves} moves: memory {warm:.1} MB after a third of them, {end:.1} MB after all");
    assert!(end < warm * 1.05 + 4.0, "it grows: {warm:.1} MB, then {end:.1} MB");
}
