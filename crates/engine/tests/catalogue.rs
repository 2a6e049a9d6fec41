//! The catalogue and what is recorded in it: real links, a real database, several processes' worth of
//! connections, and damage.

use crate::support::{path, volumes};
use libtest_mimic::Trial;
use linkwell_engine::catalogue::links::{Entry, Recorded, Seen};
use linkwell_engine::catalogue::questions::{Event, Proposal, Question};
use linkwell_engine::catalogue::{Catalogue, NAME, Opened, Trouble};
use linkwell_engine::disk::Unix;
use linkwell_engine::folder::Folder;
use linkwell_engine::likeness::Depth;
use linkwell_engine::operator::Held;
use linkwell_engine::state;
use linkwell_engine::system::{Access, System};
use linkwell_engine::track::Tracker;
use linkwell_model::keep::evidence::{Likened, liken};
use linkwell_model::keep::link::{By, Policy};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_testkit::need::test;
use linkwell_testkit::tree::{Scratch, bytes};
use rustix::fd::AsFd as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test(
            "catalogue: what is recorded comes back, and is asked for by what it leads to",
            recorded,
        ),
        test("catalogue: each link keeps its own step, and links on the way are known", steps),
        test(
            "catalogue: a target that moved is the same, and a copy or a bait is not",
            known_again,
        ),
        test("catalogue: a damaged file is set aside and begun anew", damaged),
        test("catalogue: policies go from a damaged one to the new one", carried_over),
        test("catalogue: nobody else may read it", closed),
        test("catalogue: a file of a later version is left as it is", newer),
        test("catalogue: two connections write without losing anything", two),
        test("catalogue: a new link does not inherit what once stood where it leads", orphaned),
        test("catalogue: questions and events", questions),
    ]
}

pub(crate) fn place(of: &Path) -> AbsPath {
    AbsPath::cleaned(&bytes(of)).expect("absolute")
}

fn name(of: &[u8]) -> Name {
    Name::new(of).expect("a name")
}

pub(crate) fn state_in(scratch: &Scratch) -> Held {
    let folder = place(&scratch.join("state"));
    state::open_or_make(&Unix, System::new(), &folder).expect("a state folder")
}

fn open(state: &Held) -> Catalogue {
    Catalogue::open_or_make(state).expect("it opens").0
}

/// What would be recorded of the link at this path.
pub(crate) fn seen(link: &Path) -> Vec<Seen> {
    let system = System::new();
    let volumes = volumes(system, Duration::from_secs(5));
    let mut tracker = Tracker::new(system, &volumes, Depth::Ends);
    let (folder, own) = place(link).split().expect("not the root");
    let folder = Folder::of_place(&folder);
    let held = folder.open(system, Access::Hold).expect("it opens");
    tracker.link(&folder, held.as_fd(), &own, By::Tracked).expect("it can be looked at")
}

fn into(catalogue: &Catalogue, of: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let each = |entry: Entry| {
        found.push(entry.link.place().as_bytes().to_vec());
        ControlFlow::Continue(())
    };
    catalogue.leading_into(&place(of), each).expect("it answers");
    found.sort();
    found
}

fn recorded() {
    let scratch = Scratch::with(&[
        "t/in/deep/file",
        "t/in-not/file",
        "l/to -> ../t/in",
        "l/into -> ../t/in/deep/file",
        "l/beside -> ../t/in-not/file",
        "l/dead -> ../t/in/gone",
    ]);
    std::os::unix::fs::symlink(path(b"../t/in/\xff\n"), scratch.join("l/bytes")).expect("a link");
    let state = state_in(&scratch);
    let mut catalogue = open(&state);
    let links = ["to", "into", "beside", "dead", "bytes"];
    let all: Vec<Seen> =
        links.iter().flat_map(|link| seen(&scratch.join("l").join(link))).collect();
    assert_eq!(catalogue.record(&all, 5).expect("recorded"), 5);
    assert_eq!(catalogue.record(&all, 6).expect("again"), 5);
    assert_eq!(catalogue.count().expect("counted"), 5);
    let l = |name: &str| bytes(&scratch.join("l").join(name));
    assert_eq!(
        into(&catalogue, &scratch.join("t/in")),
        [l("bytes"), l("dead"), l("into"), l("to")]
    );
    let found = catalogue.at(&place(&scratch.join("l")), &name(b"into")).expect("asked");
    let found = found.expect("it is on record");
    assert_eq!((found.seen, &found.link, &found.target), (6, &all[1].link, &all[1].target));
    let target = found.target.expect("it was there");
    assert!(target.sums.ends.is_some() && target.sums.whole == target.sums.ends, "a small file");
    let dead = catalogue.at(&place(&scratch.join("l")), &name(b"dead")).expect("asked");
    assert_eq!(dead.expect("on record").target, None);
    // What a dead target was like before stays.
    std::fs::remove_file(scratch.join("t/in/deep/file")).expect("removed");
    catalogue.record(&seen(&scratch.join("l/into")), 7).expect("recorded");
    let found = catalogue.at(&place(&scratch.join("l")), &name(b"into")).expect("asked");
    assert_eq!(found.expect("on record").target, Some(target));
    let numbers: Vec<i64> = {
        let mut all = Vec::new();
        let each = |entry: Entry| {
            all.push(entry.id);
            ControlFlow::Continue(())
        };
        catalogue.below(&place(&scratch.join("l")), each).expect("asked");
        all
    };
    catalogue.set_policy(&numbers, Policy::Ask).expect("set");
    catalogue.record(&all, 8).expect("recorded");
    let kept = catalogue.at(&place(&scratch.join("l")), &name(b"to")).expect("asked");
    assert_eq!(kept.expect("on record").link.policy, Policy::Ask, "a policy is a person's");
    catalogue.forget(&numbers).expect("forgotten");
    assert_eq!(catalogue.count().expect("counted"), 0);
    let root = Recorded { place: place(&scratch.join("l")), at: 9, links: 5 };
    catalogue.set_recorded(&root).expect("noted");
    assert_eq!(catalogue.recorded().expect("asked"), [root]);
}

fn steps() {
    let scratch =
        Scratch::with(&["real/f", "dir -> real", "b -> dir/f", "a -> b", "up -> real/.."]);
    let all = seen(&scratch.join("a"));
    let step =
        |seen: &Seen| (seen.link.name.as_bytes().to_vec(), seen.link.to.clone(), seen.link.by);
    let at = |name: &str| place(&scratch.join(name));
    let steps: Vec<_> = all.iter().map(step).collect();
    assert_eq!(
        steps,
        [
            (b"a".to_vec(), at("b"), By::Tracked),
            (b"b".to_vec(), at("real/f"), By::Way),
            (b"dir".to_vec(), at("real"), By::Way),
        ]
    );
    let up = seen(&scratch.join("up"));
    assert_eq!(up[0].link.to, place(&scratch.path()));
    assert!(seen(&scratch.join("real/f")).is_empty(), "no link");
}

fn known_again() {
    let scratch =
        Scratch::with(&["t/file", "t/d/one", "t/d/two", "t/d/three", "f -> t/file", "d -> t/d"]);
    let was = |link: &str| seen(&scratch.join(link)).remove(0).target.expect("it is there");
    let (file, folder) = (was("f"), was("d"));
    std::fs::rename(scratch.join("t"), scratch.join("elsewhere")).expect("moved");
    std::fs::rename(scratch.join("elsewhere/file"), scratch.join("other")).expect("moved");
    let link = |to: &str, name: &str| {
        std::os::unix::fs::symlink(to, scratch.join(name)).expect("a link");
        was(name)
    };
    assert_eq!(liken(&file, &link("other", "f2")).0, Likened::Same);
    assert_eq!(liken(&folder, &link("elsewhere/d", "d2")).0, Likened::Same);
    // A copy has the contents, and is not the same; a bait has the name, and is not even alike.
    std::fs::copy(scratch.join("other"), scratch.join("copy")).expect("copied");
    assert_eq!(liken(&file, &link("copy", "f3")).0, Likened::Alike);
    std::fs::create_dir(scratch.join("t")).expect("made");
    std::fs::write(scratch.join("t/file"), "bait").expect("written");
    assert!(liken(&file, &link("t/file", "f4")).0 <= Likened::Faint);
}

fn damaged() {
    let scratch = Scratch::new();
    let state = state_in(&scratch);
    drop(open(&state));
    let file = scratch.join("state").join(NAME);
    for (junk, number) in [
        (b"no database at all, and longer than a header is".repeat(100), 1),
        (Vec::from([0_u8; 8192]), 2),
    ] {
        std::fs::write(&file, &junk).expect("written over");
        for end in ["-wal", "-shm"] {
            let beside = scratch.join("state").join(format!("{NAME}{end}"));
            drop(std::fs::remove_file(beside));
        }
        let (catalogue, opened) = Catalogue::open_or_make(&state).expect("it opens");
        let aside = scratch.join("state").join(format!("catalogue.damaged-{number}"));
        assert_eq!(opened, Opened::SetAside(place(&aside)));
        assert_eq!(std::fs::read(&aside).expect("kept"), junk);
        assert_eq!(
            (catalogue.count().expect("empty"), catalogue.damage().expect("asked")),
            (0, None)
        );
    }
}

fn carried_over() {
    let scratch = Scratch::with(&["t", "a -> t", "b -> t", "c -> t"]);
    let state = state_in(&scratch);
    let mut catalogue = open(&state);
    let at = |name: &str| place(&scratch.join(name)).split().expect("not the root");
    for name in ["a", "b", "c"] {
        catalogue.record(&seen(&scratch.join(name)), 1).expect("recorded");
    }
    for (link, policy) in [("a", Policy::Ask), ("b", Policy::Leave)] {
        let (folder, name) = at(link);
        let number = catalogue.at(&folder, &name).expect("asked").expect("there").id;
        catalogue.set_policy(&[number], policy).expect("set");
    }
    drop(catalogue);
    // One table is gone: it is damaged, and the rest can be read.
    let file = scratch.join("state").join(NAME);
    let database = rusqlite::Connection::open(&file).expect("it opens");
    database.execute_batch("PRAGMA foreign_keys = 0; DROP TABLE question;").expect("harmed");
    drop(database);
    let catalogue = open(&state);
    assert!(catalogue.questions().expect_err("harmed").is_damage());
    let (mut anew, _) = catalogue.begin_anew(&state).expect("begun");
    assert_eq!(anew.count().expect("counted"), 2);
    for link in ["a", "b", "c"] {
        anew.record(&seen(&scratch.join(link)), 2).expect("recorded");
    }
    let policy = |link: &str| {
        let (folder, name) = at(link);
        anew.at(&folder, &name).expect("asked").expect("there").link.policy
    };
    assert_eq!(["a", "b", "c"].map(policy), [Policy::Ask, Policy::Leave, Policy::Follow]);
}

fn closed() {
    use std::os::unix::fs::PermissionsExt as _;
    let scratch = Scratch::with(&["t", "l -> t"]);
    let state = state_in(&scratch);
    let mode = |end: &str| {
        let file = scratch.join("state").join(format!("{NAME}{end}"));
        std::fs::metadata(file).expect("it is there").permissions().mode() & 0o777
    };
    let mut catalogue = open(&state);
    catalogue.record(&seen(&scratch.join("l")), 1).expect("recorded");
    assert_eq!(["", "-wal", "-shm"].map(mode), [0o600; 3]);
    drop(catalogue);
    // As an earlier version made it.
    let file = scratch.join("state").join(NAME);
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o644)).expect("set");
    let _catalogue = open(&state);
    assert_eq!(mode(""), 0o600);
}

fn newer() {
    let scratch = Scratch::new();
    let state = state_in(&scratch);
    drop(open(&state));
    let file = scratch.join("state").join(NAME);
    let database = rusqlite::Connection::open(&file).expect("it opens");
    database.pragma_update(None, "user_version", 999).expect("set");
    drop(database);
    assert!(matches!(Catalogue::open_or_make(&state), Err(Trouble::Newer(999))));
    assert!(matches!(Catalogue::open_if_any(&state), Err(Trouble::Newer(999))));
}

fn two() {
    let scratch = Scratch::with(&["t"]);
    for number in 0..200 {
        std::os::unix::fs::symlink("t", scratch.join(format!("l{number}"))).expect("a link");
    }
    let all: Vec<Seen> =
        (0..200).flat_map(|number| seen(&scratch.join(format!("l{number}")))).collect();
    let state = state_in(&scratch);
    std::thread::scope(|scope| {
        for part in all.chunks(50) {
            let state = &state;
            scope.spawn(move || {
                let mut catalogue = open(state);
                for link in part {
                    catalogue.record([link], 1).expect("recorded");
                }
            });
        }
    });
    assert_eq!(open(&state).count().expect("counted"), 200);
    let (one, mut other) = (open(&state), open(&state));
    let before = one.version().expect("asked");
    other.record([&all[0]], 2).expect("recorded");
    assert_ne!(one.version().expect("asked"), before, "a change elsewhere is noticed");
}

fn orphaned() {
    let scratch = Scratch::with(&["a", "b", "l -> a", "m -> a"]);
    let state = state_in(&scratch);
    let mut catalogue = open(&state);
    let folder = place(&scratch.path());
    let target = |catalogue: &Catalogue, of: &[u8]| {
        catalogue.at(&folder, &name(of)).expect("asked").expect("on record").target
    };
    catalogue.record(&seen(&scratch.join("l")), 1).expect("recorded");
    assert!(target(&catalogue, b"l").is_some(), "the control: it is known what it leads to");
    std::fs::remove_file(scratch.join("a")).expect("removed");
    // As long as a link leads there that has seen it, another one that leads there means the same.
    catalogue.record(&seen(&scratch.join("m")), 2).expect("recorded");
    assert!(target(&catalogue, b"m").is_some());
    for link in ["l", "m"] {
        std::fs::remove_file(scratch.join(link)).expect("removed");
        std::os::unix::fs::symlink("b", scratch.join(link)).expect("a link");
        catalogue.record(&seen(&scratch.join(link)), 3).expect("recorded");
    }
    std::os::unix::fs::symlink("a", scratch.join("n")).expect("a link");
    catalogue.record(&seen(&scratch.join("n")), 4).expect("recorded");
    assert_eq!(target(&catalogue, b"n"), None, "it never led there");
}

fn questions() {
    let scratch = Scratch::with(&["t", "l -> t"]);
    let state = state_in(&scratch);
    let mut catalogue = open(&state);
    catalogue.record(&seen(&scratch.join("l")), 1).expect("recorded");
    let link =
        catalogue.at(&place(&scratch.path()), &name(b"l")).expect("asked").expect("there").id;
    let proposal = |name: &str| Proposal { place: place(&scratch.join(name)), words: name.into() };
    let question = |proposals| Question { link, asked: 3, why: "two".into(), proposals };
    catalogue.ask(&question(Vec::new())).expect("asked");
    assert_eq!(catalogue.questions().expect("there"), [question(Vec::new())]);
    let two = question(vec![proposal("x"), proposal("y")]);
    catalogue.ask(&two).expect("asked again");
    assert_eq!(catalogue.questions().expect("there"), [two]);
    catalogue.forget(&[link]).expect("forgotten");
    assert_eq!(catalogue.questions().expect("there"), [], "a question goes with its link");
    let event = |time| Event {
        time,
        what: "healed".into(),
        place: place(&scratch.join("l")),
        old: Some(b"\xff".to_vec()),
        new: None,
        operation: Some(7),
    };
    catalogue.note(&[event(1), event(2)]).expect("noted");
    assert_eq!(catalogue.events(5).expect("there"), [event(2), event(1)]);
    // What each watcher sees anew when it begins is news once, until something else happens to that link.
    let seen = |time, what: &str, name| Event {
        what: what.into(),
        place: place(&scratch.join(name)),
        operation: None,
        ..event(time)
    };
    catalogue.note(&[seen(3, "lost", "l"), seen(4, "lost", "k")]).expect("noted");
    let again = [seen(5, "lost", "l"), seen(6, "lost", "l"), seen(7, "back", "k")];
    catalogue.note(&again).expect("noted");
    catalogue.note(&[seen(8, "lost", "k"), seen(9, "lost", "k")]).expect("noted");
    let all: Vec<i64> = catalogue.events(9).expect("there").iter().map(|one| one.time).collect();
    assert_eq!(all, [8, 7, 4, 3, 2, 1]);
    // A link that is moved there, back, and there again has been moved each time.
    for (time, name) in [(10, "there"), (11, "here"), (12, "there")] {
        catalogue.note(&[seen(time, "moved", name)]).expect("noted");
    }
    let all: Vec<i64> = catalogue.events(3).expect("there").iter().map(|one| one.time).collect();
    assert_eq!(all, [12, 11, 10]);
}
