//! What is found in something before it is moved.

use crate::support::{path, systems};
use libtest_mimic::Trial;
use linkwell_engine::operator::Spot;
use linkwell_engine::survey::Surveyor;
use linkwell_engine::survey::freight::{self, Freight, Wanted};
use linkwell_engine::survey::room;
use linkwell_engine::system::System;
use linkwell_engine::volumes::{Settings, Volumes};
use linkwell_model::holding::{Hindrance, NameTrouble, Objection, Served, holding};
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Loss, Why};
use linkwell_testkit::need::test;
use linkwell_testkit::tree::{Scratch, bytes, make};
use std::path::Path;
use std::sync::Arc;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("preflight: a tree is counted, each file once", counted),
        test("preflight: links are told by where they lead", links),
        test("preflight: names elsewhere are found, those inside are not", hard),
        test("preflight: names that meet, and names that cannot be", names),
        test("preflight: what may be lost is asked, and accepted", losses),
        test("preflight: room is asked for", enough_room),
    ]
}

pub(crate) fn surveyor(system: System, folder: &Path) -> Surveyor {
    let settings =
        Settings { time_limit: std::time::Duration::from_secs(5), ..Settings::default() };
    let volumes = Arc::new(Volumes::read(system, settings));
    let current = AbsPath::cleaned(b"/").expect("absolute");
    let home = AbsPath::cleaned(&bytes(&folder.join("home")));
    Surveyor::new(system, volumes, &current, home).expect("a current folder")
}

pub(crate) fn spot(surveyor: &mut Surveyor, at: &Path) -> Spot {
    surveyor.spot(&bytes(at)).expect("a place")
}

pub(crate) fn weigh(system: System, at: &Path, wanted: &Wanted) -> Freight {
    let mut surveyor = surveyor(system, at);
    let spot = spot(&mut surveyor, at);
    let facts = system.facts(spot.at(), spot.name.as_bytes()).expect("it is there");
    freight::look(&mut surveyor, &spot, &facts, wanted)
}

pub(crate) fn across(to: &[u8]) -> Wanted {
    let of = |fs_type| holding(fs_type, Served::Unknown);
    Wanted::across(of(b"ext4"), of(to), 4096)
}

pub(crate) fn said(why: Vec<Why>) -> String {
    why.iter().map(|why| format!("{why} | {}\n", why.hint().unwrap_or_default())).collect()
}

fn counted() {
    let scratch = Scratch::with(&[
        "t/a",
        "t/b/c",
        "t/b/l -> c",
        "t/b/p |",
        "t/h == t/a",
        "t/deep/er/f",
        "t/long -> xx/../../none",
    ]);
    std::fs::File::create(scratch.join("t/holes"))
        .expect("a file")
        .set_len(1 << 30)
        .expect("a hole");
    for system in systems() {
        let found = weigh(system, &scratch.join("t"), &across(b"ext4"));
        let counts = (found.files, found.folders, found.links, found.pipes.count);
        assert_eq!(counts, (5, 4, 2, 1), "{system:?}");
        assert_eq!(found.entries(), 12);
        assert_eq!((found.bytes, found.deepest), ((1 << 30) + 3 + 5 + 11, 2), "{found:?}");
        assert_eq!(
            found.largest,
            Some((1 << 30, AbsPath::cleaned(&bytes(&scratch.join("t/holes"))).expect("absolute")))
        );
        assert_eq!(found.inodes, 11, "a file of two names is one");
        // Three small files and four folders of a block each: the hole takes none.
        assert_eq!(found.needed, 7 * 4096, "{system:?}");
        assert_eq!((found.grouped, found.split.count), (1, 0));
        assert_eq!(found.objections.len(), 0, "{:?}", found.objections);
        // Where there are no holes and no second names, all of it takes room.
        let found = weigh(system, &scratch.join("t"), &across(b"exfat"));
        assert_eq!(found.needed, 8 * 4096 + (1 << 30));
        assert_eq!(
            found.objections.get(&Objection::Loss(Loss::Holes)).map(|named| named.count),
            Some(1)
        );
        // Within its volume, files are only counted.
        let within = Wanted::within(holding(b"ext4", Served::Unknown));
        let found = weigh(system, &scratch.join("t"), &within);
        assert_eq!((found.entries(), found.bytes), (12, 0), "{system:?}");
        // A file alone.
        let found = weigh(system, &scratch.join("t/b/c"), &across(b"ext4"));
        assert_eq!((found.files, found.folders, found.bytes), (1, 0, 5));
        let found = weigh(system, &scratch.join("t/h"), &across(b"ext4"));
        assert_eq!(found.split.count, 1);
    }
}

fn links() {
    let scratch = Scratch::with(&[
        "out/x",
        "t/f",
        "t/sub/f",
        "t/stays -> sub/f",
        "t/sub/up -> ../f",
        "t/sub/round -> ../sub/../f",
        "t/sub/leaves -> ../../out/x",
        "t/away -> ../out",
        "t/back -> ../t/f",
        "t/sub/gone -> ../../none",
        "t/here -> .",
        "t/sub/over -> ../here/../out/x",
        "t/through -> away/../out/x",
        "t/broken -> none",
        "t/loop -> loop",
        "t/etc -> /etc",
    ]);
    let top = scratch.join("t");
    let inside = bytes(&top.join("sub/f"));
    std::os::unix::fs::symlink(path(&inside), top.join("whole")).expect("a link");
    for system in systems() {
        let found = weigh(system, &top, &Wanted { absolute: true, ..across(b"ext4") });
        let mut leaving: Vec<_> = found
            .leaving
            .iter()
            .map(|link| {
                let place =
                    link.place.below(&AbsPath::cleaned(&bytes(&scratch.path())).expect("absolute"));
                let below = String::from_utf8_lossy(&link.below).into_owned();
                let place = String::from_utf8_lossy(place.expect("below")).into_owned();
                (below, place, link.end.is_some(), link.returns)
            })
            .collect();
        leaving.sort();
        let wanted = [
            ("away", "out", true, false),
            ("back", "t/f", true, true),
            ("sub/gone", "none", false, false),
            ("sub/leaves", "out/x", true, false),
            // By text it stays inside: the link `here` makes the `..` climb out.
            ("sub/over", "out/x", true, false),
        ]
        .map(|(below, place, ends, returns)| (below.to_owned(), place.to_owned(), ends, returns));
        assert_eq!(leaving, wanted, "{system:?}");
        assert_eq!((found.absolute_in, found.absolute_out), (1, 1));
        assert_eq!(
            found.absolute.first().map(|link| link.text.as_bytes().to_vec()),
            Some(inside.clone())
        );
        // `stays`, `up`, `round`, `here`, `through` (whose `..` is taken outside), `broken`, `loop`.
        assert_eq!(found.inner, 7, "{system:?}");
        assert_eq!(found.broken.count, 3, "{:?}", found.broken);
        let found = weigh(system, &top, &across(b"ext4"));
        assert_eq!((found.absolute.len(), found.absolute_in, found.leaving.len()), (0, 1, 5));
        // A text that XFS cannot hold.
        let long = scratch.join("longer");
        std::fs::create_dir_all(&long).expect("a folder");
        for (name, length) in [("fits", 1023), ("long", 1024)] {
            let text: String = "n/".chars().cycle().take(length).collect();
            std::os::unix::fs::symlink(text, long.join(name)).expect("a link");
        }
        let found = weigh(system, &long, &across(b"xfs"));
        let hindered = found.objections.get(&Objection::Hindrance(Hindrance::Text));
        let place = AbsPath::cleaned(&bytes(&long.join("long")));
        assert_eq!(
            hindered.map(|named| (named.count, named.first.clone())),
            Some((1, vec![place.expect("absolute")]))
        );
        assert!(weigh(system, &long, &across(b"ext4")).objections.is_empty());
        std::fs::remove_dir_all(&long).expect("it goes");
    }
}

fn hard() {
    let scratch = Scratch::with(&[
        "t/a",
        "t/b == t/a",
        "t/c",
        "out/c == t/c",
        "t/d",
        "t/e == t/d",
        "out/d == t/d",
    ]);
    for system in systems() {
        let found = weigh(system, &scratch.join("t"), &across(b"ext4"));
        assert_eq!((found.grouped, found.split.count), (3, 2), "{system:?}");
        let named: Vec<_> = found
            .split
            .first
            .iter()
            .map(|place| place.names().next_back().map(<[u8]>::to_vec))
            .collect();
        assert_eq!(named.len(), 2);
        assert!(
            named.iter().all(|name| matches!(name.as_deref(), Some(b"c" | b"d" | b"e"))),
            "{named:?}"
        );
        let words = found.remarks("ext4", &[]).join("\n");
        assert!(words.contains("2 files in it have names outside, too"), "{words}");
        std::fs::remove_file(scratch.join("out/d")).expect("it goes");
        let found = weigh(system, &scratch.join("t"), &across(b"ext4"));
        assert_eq!(found.split.count, 1, "one name was all that was outside");
        make(&scratch.path(), &["out/d == t/d"]);
    }
}

fn names() {
    let scratch = Scratch::with(&[
        "t/README",
        "t/readme",
        "t/Sub/x",
        "t/sub/X",
        "t/a:b",
        "t/con",
        "t/plain",
        "t/\u{e9}",
        "t/e\u{301}",
    ]);
    let mut hostile = bytes(&scratch.join("t"));
    hostile.extend_from_slice(b"/\xff\n\x1b[2J");
    std::fs::write(path(&hostile), b"").expect("a file");
    for system in systems() {
        let found = weigh(system, &scratch.join("t"), &across(b"exfat"));
        assert_eq!(found.clashes, 2, "{:?}", found.clashing);
        let why = said(found.against_copying("exFAT", &Loss::ALL));
        assert!(why.contains("2 pairs of names are one and the same there (exFAT)"), "{why}");
        assert!(why.contains("README` and `readme`") && why.contains("Sub` and `sub`"), "{why}");
        let count = |trouble| {
            found
                .objections
                .get(&Objection::Hindrance(Hindrance::Name(trouble)))
                .map_or(0, |named| named.count)
        };
        assert_eq!((count(NameTrouble::Character), count(NameTrouble::Encoding)), (1, 1));
        let foreign = found.objections.get(&Objection::Loss(Loss::Names)).map(|named| named.count);
        assert_eq!(foreign, Some(1), "con");
        assert!(!why.chars().any(|one| one.is_control() && one != '\n'), "{why:?}");
        // Forms are folded elsewhere.
        assert_eq!(weigh(system, &scratch.join("t"), &across(b"hfsplus")).clashes, 3);
        // On the same names, a file system like ours has nothing to say.
        let found = weigh(system, &scratch.join("t"), &across(b"ext4"));
        assert!(found.clashes == 0 && found.against_copying("ext4", &[]).is_empty());
    }
}

fn losses() {
    let scratch = Scratch::with(&["t/f", "t/p |", "t/l -> f", "t/h == t/f"]);
    for system in systems() {
        let found = weigh(system, &scratch.join("t"), &across(b"vfat"));
        let why = said(found.against_copying("FAT", &[]));
        for word in ["links", "special", "hard-links", "owner", "mode"] {
            assert!(why.contains(&format!("`--accept-loss {word}`")), "{word}: {why}");
        }
        assert!(said(found.against_copying("FAT", &Loss::ALL)).is_empty());
        let words = found.remarks("FAT", &Loss::ALL).join("\n");
        assert!(words.contains("as you accepted"), "{words}");
    }
}

fn enough_room() {
    let scratch = Scratch::with(&["t/f"]);
    let folder = std::fs::File::open(scratch.path()).expect("a folder");
    let found = room::room(rustix::fd::AsFd::as_fd(&folder)).expect("it says so");
    assert!(found.block >= 512 && found.free > 0);
    let freight = weigh(System::new(), &scratch.join("t"), &across(b"ext4"));
    let exact = room::Room { block: 4096, free: freight.needed, inodes: Some(freight.inodes) };
    assert_eq!(exact.is_enough(&freight), Ok(()));
    let uncounted = room::Room { inodes: None, ..exact };
    assert_eq!(uncounted.is_enough(&freight), Ok(()));
    let less = room::Room { free: freight.needed - 1, ..exact };
    let why = less.is_enough(&freight).expect_err("one byte is missing").to_string();
    assert!(why.starts_with("a copy takes 8.1 kB, and there is room for 8.1 kB only"), "{why}");
    let few = room::Room { inodes: Some(1), ..exact };
    let why = few.is_enough(&freight).expect_err("one is missing").to_string();
    assert!(why.contains("2 inodes") && why.contains("1 left"), "{why}");
}
