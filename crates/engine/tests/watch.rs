//! The watcher: every way in which targets and links move, and what must not be taken for moving.

use crate::support::path;
use crate::watch_support::{GRACE, Ground, Marker, Watching, place, text};
use libtest_mimic::Trial;
use linkwell_engine::system::System;
use linkwell_model::keep::link::Policy;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::tree::make;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("watch: a target that is renamed, or moved anywhere, is followed", moved),
        test("watch: each folder above a target may be renamed, and each above that", ancestors),
        test("watch: a link that is moved still leads to its target", link_moved),
        test("watch: a link and its target move at once, or one about a grace later", both_move),
        test(
            "watch: a name that comes back within the grace wins, with its new object",
            comes_back,
        ),
        test("watch: log files are rotated, and the name stays meant", rotated),
        test("watch: after the grace the object is followed", after_the_grace),
        test("watch: exchanged names stay meant", exchanged),
        test("watch: of a chain, only the step that broke is mended", chain),
        test("watch: a link on the way is mended, and those behind it are left as they are", way),
        test("watch: a file over the link is told of at once and never overwritten", replaced),
        test("watch: a link that somebody led elsewhere is recorded so", retargeted),
        test("watch: by its policy a link follows, waits for an answer, or is left", policies),
        test(
            "watch: what a person is asked about may move on, and the question follows",
            asked_about,
        ),
        test("watch: links that are recorded while it watches are watched", recorded_meanwhile),
        test("watch: a heal is an operation that can be taken back", undoable),
        test("watch: two at a time are one too many", two),
        test("watch: names of every byte", names),
        test_with("watch: one mark for a whole volume hears the same", &[Need::Root], whole),
        test(
            "watch: without anything held, what was heard is enough within what is watched",
            unheld,
        ),
    ]
}

fn heals(ground: &Ground, watching: &Watching, link: &str, text: &str) {
    watching.until(&format!("{link} leads to {text}"), || ground.text(link) == text);
}

fn to(ground: &Ground, name: &str) -> String {
    String::from_utf8_lossy(place(&ground.join(name)).as_bytes()).into_owned()
}

fn mv(ground: &Ground, from: &str, to: &str) {
    fs::rename(ground.join(from), ground.join(to)).expect("renamed");
}

pub(crate) fn moved() {
    let ground = Ground::new(&["t/f", "t/d/x", "far/away/", "l/rel -> ../t/f", "l/dir -> ../t/d/"]);
    symlink(ground.join("t/f"), ground.join("l/abs")).expect("a link");
    ground.track_all(&["l/rel", "l/abs", "l/dir"]);
    let watching = ground.watch();
    mv(&ground, "t/f", "t/g");
    heals(&ground, &watching, "l/rel", "../t/g");
    heals(&ground, &watching, "l/abs", &to(&ground, "t/g"));
    // To a folder that is not watched.
    mv(&ground, "t/g", "far/away/h");
    mv(&ground, "t/d", "far/d");
    heals(&ground, &watching, "l/rel", "../far/away/h");
    heals(&ground, &watching, "l/abs", &to(&ground, "far/away/h"));
    heals(&ground, &watching, "l/dir", "../far/d/");
    // And from there on.
    mv(&ground, "far/away/h", "far/away/i");
    heals(&ground, &watching, "l/rel", "../far/away/i");
    watching.until("it is on record", || {
        ground.entry("l/rel").is_some_and(|entry| {
            entry.link.to == place(&ground.join("far/away/i"))
                && entry.target.is_some_and(|target| target.sums.ends.is_some())
        })
    });
    assert_eq!(fs::read(ground.join("l/abs")).expect("it reads"), b"t/f");
}

pub(crate) fn ancestors() {
    let ground =
        Ground::new(&["a/b/c/d/f", "a/b/c/d/g", "l/one -> ../a/b/c/d/f", "l/two -> ../a/b/c/d/g"]);
    ground.track_all(&["l/one", "l/two"]);
    let watching = ground.watch();
    mv(&ground, "a/b/c/d", "a/b/c/D");
    heals(&ground, &watching, "l/one", "../a/b/c/D/f");
    mv(&ground, "a/b/c", "a/b/C");
    heals(&ground, &watching, "l/one", "../a/b/C/D/f");
    mv(&ground, "a/b", "a/B");
    heals(&ground, &watching, "l/one", "../a/B/C/D/f");
    mv(&ground, "a", "A");
    heals(&ground, &watching, "l/one", "../A/B/C/D/f");
    heals(&ground, &watching, "l/two", "../A/B/C/D/g");
    // Below a renamed ancestor, what is inside is watched under its new names.
    mv(&ground, "A/B/C/D/f", "A/B/C/D/F");
    heals(&ground, &watching, "l/one", "../A/B/C/D/F");
    // Two of them at once.
    mv(&ground, "A/B/C", "c");
    mv(&ground, "c/D", "d");
    heals(&ground, &watching, "l/two", "../d/g");
    heals(&ground, &watching, "l/one", "../d/F");
}

pub(crate) fn link_moved() {
    let ground = Ground::new(&[
        "t/f",
        "t/g",
        "l/rel -> ../t/f",
        "l/abs -> /dev/null",
        "deep/er/",
        "p/in",
        "p/l -> in",
    ]);
    let marker = Marker::new(&ground);
    ground.track_all(&["l/rel", "l/abs", "p/l"]);
    ground.policy("l/abs", Policy::Ask);
    let watching = ground.watch();
    mv(&ground, "l/rel", "deep/er/rel");
    mv(&ground, "l/abs", "deep/abs");
    heals(&ground, &watching, "deep/er/rel", "../../t/f");
    watching.until("its place is on record", || {
        ground.entry("deep/er/rel").is_some() && ground.entry("l/rel").is_none()
    });
    watching.until("the other one, too", || ground.entry("deep/abs").is_some());
    assert_eq!(ground.entry("deep/abs").expect("on record").link.policy, Policy::Ask);
    // Its folder moves, and what it led to with it: nothing is to be rewritten.
    mv(&ground, "p", "q");
    watching.until("it is on record", || ground.entry("q/l").is_some());
    // Its folder moves, and its target does not.
    mv(&ground, "deep/er", "er");
    heals(&ground, &watching, "er/rel", "../t/f");
    watching.until_settled(&marker);
    assert_eq!(ground.text("q/l"), "in");
    assert_eq!(ground.entries().len(), 4, "{:#?}", ground.entries());
}

fn both_move() {
    // The second renaming comes while the first one is dealt with, in as many of its moments as can be met:
    // the grace is the only thing that is waited for.
    const PAIRS: u32 = 24;
    let ground = Ground::new(&[]);
    let mut links = Vec::new();
    for pair in 0..PAIRS {
        make(&ground.tree.path(), &[&format!("{pair}/t/f"), &format!("{pair}/er/rel -> ../t/f")]);
        links.push(ground.join(&format!("{pair}/er/rel")));
    }
    ground.track(&links);
    let watching = ground.watch();
    for pair in 0..PAIRS {
        let (link, target) = (
            (format!("{pair}/er/rel"), format!("{pair}/rel")),
            (format!("{pair}/t"), format!("{pair}/T")),
        );
        let (first, second) = if pair % 4 == 3 { (target, link) } else { (link, target) };
        mv(&ground, &first.0, &first.1);
        if pair >= 4 {
            std::thread::sleep(GRACE - GRACE / 40 + GRACE / 120 * (pair - 4));
        }
        mv(&ground, &second.0, &second.1);
    }
    for pair in 0..PAIRS {
        heals(&ground, &watching, &format!("{pair}/rel"), "T/f");
    }
}

fn save(ground: &Ground, name: &str, contents: &str) {
    fs::write(ground.join("t/.new"), contents).expect("written");
    mv(ground, "t/.new", name);
}

fn comes_back() {
    let ground = Ground::new(&["t/f", "l/link -> ../t/f"]);
    let marker = Marker::new(&ground);
    ground.track_all(&["l/link"]);
    let watching = ground.watch();
    save(&ground, "t/f", "saved");
    // Away for a moment, as some programs save.
    mv(&ground, "t/f", "t/elsewhere");
    std::thread::sleep(GRACE / 4);
    save(&ground, "t/f", "saved again");
    // `mv a b; mv new a`, without a gap.
    mv(&ground, "t/f", "t/older");
    save(&ground, "t/f", "and again");
    watching.until_settled(&marker);
    assert_eq!(ground.text("l/link"), "../t/f");
    assert_eq!(fs::read(ground.join("l/link")).expect("it reads"), b"and again");
    watching.until("the new object is on record", || {
        // Not by its number, which may be that of the first one again.
        let now = ground.entry("l/link").expect("on record").target.expect("seen");
        now.size == 9 && now.inode == inode(&ground, "t/f")
    });
    // And that one is followed.
    mv(&ground, "t/f", "t/moved");
    heals(&ground, &watching, "l/link", "../t/moved");
    assert_eq!(fs::read(ground.join("l/link")).expect("it reads"), b"and again");
}

fn inode(ground: &Ground, name: &str) -> u64 {
    use std::os::unix::fs::MetadataExt as _;
    fs::symlink_metadata(ground.join(name)).expect("it is there").ino()
}

fn rotated() {
    let ground = Ground::new(&["log/log", "l/link -> ../log/log"]);
    let marker = Marker::new(&ground);
    ground.track_all(&["l/link"]);
    let watching = ground.watch();
    for turn in 1..4 {
        mv(&ground, "log/log", &format!("log/log.{turn}"));
        // Within the grace, and long after it: nobody knows how long that takes.
        std::thread::sleep(if turn == 3 { GRACE * 4 } else { GRACE / 3 });
        fs::write(ground.join("log/log"), "fresh").expect("written");
    }
    watching.until_settled(&marker);
    assert_eq!(ground.text("l/link"), "../log/log");
    assert_eq!(watching.count("healed"), 2, "the marker's alone: {:#?}", watching.said());
}

fn after_the_grace() {
    let ground = Ground::new(&["t/f", "l/link -> ../t/f"]);
    ground.track_all(&["l/link"]);
    let mut settings = ground.settings();
    settings.grace = std::time::Duration::from_millis(400);
    let grace = settings.grace;
    let watching = Watching::start(settings);
    let began = std::time::Instant::now();
    mv(&ground, "t/f", "t/g");
    let healed = watching.until_said("healed");
    assert!(healed.at - began >= grace, "not before the grace has ended: {:?}", healed.at - began);
    assert_eq!(ground.text("l/link"), "../t/g");
    // A new file under the old name comes too late.
    fs::write(ground.join("t/f"), "late").expect("written");
    mv(&ground, "t/g", "t/h");
    heals(&ground, &watching, "l/link", "../t/h");
}

fn exchanged() {
    let ground = Ground::new(&["t/a", "t/b", "l/a -> ../t/a", "l/b -> ../t/b"]);
    let marker = Marker::new(&ground);
    ground.track_all(&["l/a", "l/b"]);
    let watching = ground.watch();
    let flags = rustix::fs::RenameFlags::EXCHANGE;
    let cwd = rustix::fs::CWD;
    rustix::fs::renameat_with(cwd, ground.join("t/a"), cwd, ground.join("t/b"), flags)
        .expect("exchanged");
    watching.until_settled(&marker);
    assert_eq!((ground.text("l/a"), ground.text("l/b")), ("../t/a".into(), "../t/b".into()));
    watching.until("what stands there is on record", || {
        let of = |link| ground.entry(link).expect("on record").target.expect("seen").inode;
        of("l/a") == inode(&ground, "t/a") && of("l/b") == inode(&ground, "t/b")
    });
}

fn chain() {
    let ground = Ground::new(&["x/c", "x/b -> c", "x/a -> b"]);
    ground.track_all(&["x/a"]);
    let watching = ground.watch();
    mv(&ground, "x/c", "x/C");
    heals(&ground, &watching, "x/b", "C");
    assert_eq!(ground.text("x/a"), "b");
    mv(&ground, "x/b", "x/B");
    heals(&ground, &watching, "x/a", "B");
    assert_eq!(ground.text("x/B"), "C");
    // Both at once.
    mv(&ground, "x/C", "c");
    mv(&ground, "x/B", "b");
    heals(&ground, &watching, "x/a", "../b");
    heals(&ground, &watching, "b", "c");
    assert_eq!(fs::read(ground.join("x/a")).expect("it reads"), b"x/c");
}

fn way() {
    let ground =
        Ground::new(&["real/f", "real/g", "dir -> real", "l/f -> ../dir/f", "l/g -> ../dir/g"]);
    let marker = Marker::new(&ground);
    ground.track_all(&["l/f", "l/g"]);
    let watching = ground.watch();
    mv(&ground, "real", "REAL");
    heals(&ground, &watching, "dir", "REAL");
    watching.until_settled(&marker);
    assert_eq!((ground.text("l/f"), ground.text("l/g")), ("../dir/f".into(), "../dir/g".into()));
    assert_eq!(watching.count("healed"), 1 + 2, "{:#?}", watching.said());
    // The file moves out of the folder that the way leads into.
    mv(&ground, "REAL/f", "f");
    heals(&ground, &watching, "l/f", "../f");
    assert_eq!(ground.text("l/g"), "../dir/g");
}

fn replaced() {
    let ground = Ground::new(&["t/f", "l/link -> ../t/f"]);
    let marker = Marker::new(&ground);
    ground.track_all(&["l/link"]);
    let mut settings = ground.settings();
    // So long that nothing else is told first.
    settings.grace = GRACE * 4;
    let watching = Watching::start(settings);
    fs::write(ground.join("l/new"), "saved over the link").expect("written");
    mv(&ground, "l/new", "l/link");
    watching.until_said("replaced");
    mv(&ground, "t/f", "t/g");
    watching.until_settled(&marker);
    assert_eq!(fs::read(ground.join("l/link")).expect("it reads"), b"saved over the link");
    assert_eq!(watching.count("replaced"), 1);
    assert_eq!(ground.questions().len(), 1);
    // The link comes back, and with it the question is answered.
    fs::remove_file(ground.join("l/link")).expect("removed");
    symlink("../t/g", ground.join("l/link")).expect("a link");
    watching.until("it is answered", || ground.questions().is_empty());
}

fn retargeted() {
    let ground = Ground::new(&["t/f", "t/other", "l/link -> ../t/f"]);
    ground.track_all(&["l/link"]);
    let watching = ground.watch();
    symlink("../t/other", ground.join("l/.tmp")).expect("a link");
    mv(&ground, "l/.tmp", "l/link");
    watching.until_said("retargeted");
    watching.until("it is on record", || {
        ground.entry("l/link").is_some_and(|entry| entry.link.target.as_bytes() == b"../t/other")
    });
    mv(&ground, "t/f", "t/g");
    mv(&ground, "t/other", "t/o");
    heals(&ground, &watching, "l/link", "../t/o");
}

fn policies() {
    let ground = Ground::new(&[
        "t/f",
        "t/g",
        "t/h",
        "l/follow -> ../t/f",
        "l/ask -> ../t/g",
        "l/leave -> ../t/h",
    ]);
    let marker = Marker::new(&ground);
    ground.track_all(&["l/follow", "l/ask", "l/leave"]);
    ground.policy("l/ask", Policy::Ask);
    ground.policy("l/leave", Policy::Leave);
    let watching = ground.watch();
    for (from, to) in [("t/f", "t/F"), ("t/g", "t/G"), ("t/h", "t/H")] {
        mv(&ground, from, to);
    }
    heals(&ground, &watching, "l/follow", "../t/F");
    watching.until_said("asked");
    watching.until_settled(&marker);
    assert_eq!((ground.text("l/ask"), ground.text("l/leave")), ("../t/g".into(), "../t/h".into()));
    let questions = ground.questions();
    assert_eq!(questions.len(), 1);
    assert_eq!(questions[0].proposals[0].place, place(&ground.join("t/G")));
    // Answered by the thing itself.
    mv(&ground, "t/G", "t/g");
    watching.until("it is answered", || ground.questions().is_empty());
}

fn asked_about() {
    // Held, and not: then what was heard of the proposed place is all that is known.
    for most_held in [None, Some(0)] {
        let ground = Ground::new(&["t/f", "t/g", "u/", "far/", "l/f -> ../t/f", "l/g -> ../t/g"]);
        let marker = Marker::new(&ground);
        ground.track_all(&["l/f", "l/g"]);
        ground.policy("l/f", Policy::Ask);
        ground.policy("l/g", Policy::Ask);
        let mut settings = ground.settings();
        settings.most_held = most_held;
        let watching = Watching::start(settings);
        let proposed = |name: &str| {
            let at = place(&ground.join(name));
            ground.questions().iter().any(|asked| asked.proposals[0].place == at)
        };
        mv(&ground, "t/g", "t/h");
        // Out of all that is watched, it is known only of what is held.
        if most_held.is_none() {
            mv(&ground, "t/f", "far/f");
            watching.until("it is asked", || proposed("far/f"));
            mv(&ground, "far/f", "u/g");
            watching.until("the proposal follows", || proposed("u/g"));
            mv(&ground, "u", "U");
            watching.until("also when a folder above is renamed", || proposed("U/g"));
            fs::remove_file(ground.join("U/g")).expect("removed");
        }
        watching.until("the other one is asked", || proposed("t/h"));
        mv(&ground, "t/h", "t/i");
        watching.until("its proposal follows", || proposed("t/i"));
        watching.until_settled(&marker);
        assert_eq!(ground.questions().len(), 1, "{:?}", ground.questions());
        assert_eq!(watching.count("asked"), if most_held.is_none() { 5 } else { 2 });
        // Something else takes its place: the proposal would be wrong.
        save(&ground, "t/i", "other");
        watching.until("it is withdrawn", || ground.questions().is_empty());
        watching.until("and told as lost", || {
            let at = place(&ground.join("l/g"));
            watching.said().iter().any(|said| said.what == "lost" && said.link == Some(at.clone()))
        });
        assert_eq!((ground.text("l/f"), ground.text("l/g")), ("../t/f".into(), "../t/g".into()));
    }
}

fn recorded_meanwhile() {
    let ground = Ground::new(&["t/f", "l/link -> ../t/f", "far/"]);
    let watching = ground.watch();
    assert_eq!(watching.counts().links, 0);
    ground.track_all(&["l/link"]);
    watching.until("it is taken in", || watching.counts().links == 1);
    mv(&ground, "t/f", "far/g");
    heals(&ground, &watching, "l/link", "../far/g");
}

fn undoable() {
    let ground = Ground::new(&["t/a/f", "t/a/g", "l/f -> ../t/a/f", "l/g -> ../t/a/g"]);
    ground.track_all(&["l/f", "l/g"]);
    let watching = ground.watch();
    mv(&ground, "t/a", "t/b");
    heals(&ground, &watching, "l/f", "../t/b/f");
    heals(&ground, &watching, "l/g", "../t/b/g");
    watching.end();
    let store =
        linkwell_engine::journal::Store::open(System::new(), &ground.state()).expect("it opens");
    let ended = store.ended().expect("it answers");
    assert_eq!(ended.len(), 1, "one operation for all that was due");
    let operation = store.read(ended[0]).expect("it reads");
    assert_eq!(operation.plan.items.len(), 2);
    let events = ground.catalogue().events(10).expect("it answers");
    assert!(events.iter().all(|event| event.operation == Some(ended[0])), "{events:?}");
}

fn two() {
    use linkwell_engine::watch::{Queue, Refusal, Tell, watch};
    struct Silent;
    impl Tell for Silent {
        fn tell(&mut self, _: &linkwell_engine::watch::News) {}
    }
    let ground = Ground::new(&["t/f", "l/link -> ../t/f"]);
    ground.track_all(&["l/link"]);
    let watching = ground.watch();
    let second = watch(&ground.settings(), &Queue::default(), &mut Silent);
    assert!(matches!(second, Err(Refusal::Other(Some(process))) if process == std::process::id()));
    watching.end();
    ground.watch().end();
}

fn names() {
    let ground = Ground::new(&["l/"]);
    let marker = Marker::new(&ground);
    let mut links: Vec<PathBuf> = Vec::new();
    let folder = ground.tree.join(path(b"t\xff\n (deleted)"));
    fs::create_dir(&folder).expect("made");
    for byte in (1..=255_u8).filter(|byte| *byte != b'/') {
        let name = [&[byte][..], b" (deleted)"].concat();
        fs::write(folder.join(path(&name)), [byte]).expect("written");
        let link = ground.join(&format!("l/{byte}"));
        let text = [b"../t\xff\n (deleted)/".as_slice(), &name].concat();
        symlink(path(&text), &link).expect("a link");
        links.push(link);
    }
    ground.track(&links);
    let watching = ground.watch();
    fs::rename(&folder, ground.tree.join(path(b"\xfe\n"))).expect("renamed");
    for byte in (1..=255_u8).filter(|byte| *byte != b'/') {
        let link = ground.join(&format!("l/{byte}"));
        watching.until("it is healed", || fs::read(&link).is_ok_and(|read| read == [byte]));
    }
    watching.until_settled(&marker);
    assert_eq!(watching.count("lost"), 0, "{:#?}", watching.said());
}

fn whole() {
    let ground = Ground::new(&["t/f", "far/", "a/b/c/g", "l/f -> ../t/f", "l/g -> ../a/b/c/g"]);
    ground.track_all(&["l/f", "l/g"]);
    let mut settings = ground.settings();
    settings.whole = true;
    let watching = Watching::start(settings);
    assert_eq!(watching.counts().source, "fanotify");
    mv(&ground, "t/f", "far/f");
    heals(&ground, &watching, "l/f", "../far/f");
    mv(&ground, "a", "A");
    heals(&ground, &watching, "l/g", "../A/b/c/g");
    mv(&ground, "A/b/c/g", "A/b/g");
    heals(&ground, &watching, "l/g", "../A/b/g");
    fs::remove_file(ground.join("far/f")).expect("removed");
    watching.until_said("lost");
}

fn unheld() {
    let ground = Ground::new(&["t/a/f", "t/b/", "u/", "l/f -> ../t/a/f", "l/g -> ../u/x"]);
    make(&ground.tree.path(), &["u/x"]);
    ground.track_all(&["l/f", "l/g"]);
    let mut settings = ground.settings();
    settings.most_held = Some(0);
    let watching = Watching::start(settings);
    assert_eq!(watching.counts().held, 0);
    mv(&ground, "t/a/f", "t/a/g");
    heals(&ground, &watching, "l/f", "../t/a/g");
    mv(&ground, "t/a", "t/c");
    heals(&ground, &watching, "l/f", "../t/c/g");
    // More than once within the grace.
    mv(&ground, "t/c/g", "t/h");
    mv(&ground, "t/h", "u/i");
    heals(&ground, &watching, "l/f", "../u/i");
    assert!(text(&ground.join("l/g")).is_some_and(|text| text == "../u/x"));
}
