//! The watcher, looking again: questions that answer themselves, what moves on while a link is led, what
//! lies in the trash, and heals that a person took back.

use crate::watch_support::{Ground, Marker, Watching, place};
use libtest_mimic::Trial;
use linkwell_model::keep::link::Policy;
use linkwell_testkit::need::test;
use linkwell_testkit::tree::make;
use std::fs;
use std::os::unix::fs::symlink;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("watch: a question that answered itself is taken back, across restarts", withdrawn),
        test("watch: a question about a link that is gone, or follows now, is taken back", moot),
        test(
            "watch: what moves on while a link is led to it is followed, and not a bait",
            moved_on,
        ),
        test("watch: what is thrown away is not followed, and what is taken out again is", trash),
        test("watch: a heal that a person took back is not done again", taken_back),
        test(
            "watch: what leads to a link that somebody led elsewhere is known as it is then",
            behind,
        ),
    ]
}

fn mv(ground: &Ground, from: &str, to: &str) {
    fs::rename(ground.join(from), ground.join(to)).expect("renamed");
}

fn heals(ground: &Ground, watching: &Watching, link: &str, text: &str) {
    watching.until(&format!("{link} leads to {text}"), || ground.text(link) == text);
}

fn asking(links: usize) -> Ground {
    let ground = Ground::new(&["src/", "other/", "l/"]);
    for number in 1..=links {
        let (file, link) = (format!("src/f{number}"), format!("l/{number} -> ../src/f{number}"));
        make(&ground.tree.path(), &[&file, &link]);
        ground.track_all(&[&format!("l/{number}")]);
        ground.policy(&format!("l/{number}"), Policy::Ask);
    }
    ground
}

fn withdrawn() {
    let ground = asking(2);
    let watching = ground.watch();
    mv(&ground, "src/f1", "other/f1");
    mv(&ground, "src/f2", "other/f2");
    watching.until("both are asked about", || ground.questions().len() == 2);
    watching.end();
    // While nothing watches, one comes back, and the other is deleted.
    mv(&ground, "other/f1", "src/f1");
    fs::remove_file(ground.join("other/f2")).expect("removed");
    let watching = ground.watch();
    watching.until("nothing is asked any more", || ground.questions().is_empty());
}

fn moot() {
    let ground = asking(2);
    let watching = ground.watch();
    mv(&ground, "src/f1", "other/f1");
    mv(&ground, "src/f2", "other/f2");
    watching.until("both are asked about", || ground.questions().len() == 2);
    fs::remove_file(ground.join("l/1")).expect("removed");
    ground.policy("l/2", Policy::Follow);
    heals(&ground, &watching, "l/2", "../other/f2");
    watching.until("nothing is asked any more", || ground.questions().is_empty());
}

fn moved_on() {
    const ALL: usize = 1500;
    let ground = Ground::new(&["t/d/", "far/", "l/"]);
    let name = |number: usize| format!("l/{number}");
    for number in 0..ALL {
        let (file, bait) = (format!("t/d/{number}"), format!("far/bait/{number}"));
        make(&ground.tree.path(), &[&file, &bait, &format!("{} -> ../t/d/{number}", name(number))]);
    }
    ground.track(&(0..ALL).map(|number| ground.join(&name(number))).collect::<Vec<_>>());
    let watching = ground.watch();
    mv(&ground, "t/d", "far/e");
    watching.until("the first ones are led", || {
        (0..ALL).any(|number| ground.text(&name(number)).starts_with("../far/"))
    });
    mv(&ground, "far/e", "far/g");
    mv(&ground, "far/bait", "far/e");
    watching.until("each leads to its own", || {
        (0..ALL).all(|number| ground.text(&name(number)) == format!("../far/g/{number}"))
    });
}

fn trash() {
    let ground = Ground::new(&[
        "t/f",
        "t/g",
        "share/Trash/files/",
        "l/f -> ../t/f",
        "l/g -> ../t/g",
        "new/",
    ]);
    let marker = Marker::new(&ground);
    ground.track_all(&["l/f", "l/g"]);
    let watching = ground.watch();
    mv(&ground, "t/f", "share/Trash/files/f");
    mv(&ground, "t/g", "share/Trash/files/g.2");
    watching.until("both are told", || watching.count("lost") == 2);
    watching.until_settled(&marker);
    assert_eq!((ground.text("l/f"), ground.text("l/g")), ("../t/f".into(), "../t/g".into()));
    assert!(ground.questions().is_empty());
    mv(&ground, "share/Trash/files/f", "t/f");
    mv(&ground, "share/Trash/files/g.2", "new/g");
    watching.until("one is back", || watching.count("back") == 1);
    heals(&ground, &watching, "l/g", "../new/g");
    assert_eq!(ground.text("l/f"), "../t/f");
}

fn taken_back() {
    let ground = Ground::new(&["t/f", "other/", "l/f -> ../t/f"]);
    let marker = Marker::new(&ground);
    ground.track_all(&["l/f"]);
    let watching = ground.watch();
    mv(&ground, "t/f", "other/f");
    heals(&ground, &watching, "l/f", "../other/f");
    watching.until_said("healed");
    let lead_back = || {
        symlink("../t/f", ground.join("l/new")).expect("a link");
        mv(&ground, "l/new", "l/f");
    };
    lead_back();
    watching.until("it is asked about", || !ground.questions().is_empty());
    watching.until_settled(&marker);
    assert_eq!(ground.text("l/f"), "../t/f");
    // As soon as its target is there again, it is followed as ever.
    mv(&ground, "other/f", "t/f");
    watching.until("nothing is asked any more", || ground.questions().is_empty());
    mv(&ground, "t/f", "other/again");
    heals(&ground, &watching, "l/f", "../other/again");
}

fn behind() {
    use std::os::unix::fs::MetadataExt as _;
    let ground = Ground::new(&[
        "c",
        "d",
        "b -> c",
        "a -> b",
        "real/f",
        "real2/f",
        "dir -> real",
        "y -> dir/f",
    ]);
    ground.track_all(&["a", "b", "dir", "y"]);
    let watching = ground.watch();
    let lead = |link: &str, to: &str| {
        symlink(to, ground.join("new")).expect("a link");
        mv(&ground, "new", link);
    };
    let knows = |what: &str| {
        let is = fs::symlink_metadata(ground.join("b")).expect("it is there").ino();
        watching.until(&format!("a leads to what b is after {what}"), || {
            let target = ground.entry("a").and_then(|entry| entry.target);
            target.is_some_and(|target| target.inode == is)
        });
    };
    lead("b", "d");
    knows("it was led elsewhere");
    mv(&ground, "d", "e");
    heals(&ground, &watching, "b", "e");
    knows("it was healed");
    lead("dir", "real2");
    let now = place(&ground.join("real2/f"));
    watching.until("y leads where it leads now", || {
        ground.entry("y").is_some_and(|entry| entry.link.to == now)
    });
    mv(&ground, "b", "bb");
    heals(&ground, &watching, "a", "bb");
    mv(&ground, "real2/f", "real2/g");
    watching
        .until("y is led on", || fs::read(ground.join("y")).is_ok_and(|read| read == b"real2/f"));
}
