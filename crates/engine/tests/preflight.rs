//! What is found before something is moved: each refusal beside what must pass.

use crate::support::{Child, DeepScratch, path, systems};
use libtest_mimic::Trial;
use linkwell_engine::operator::Spot;
use linkwell_engine::survey::freight::{self, Freight, Wanted};
use linkwell_engine::survey::guard::{Destination, may_move};
use linkwell_engine::survey::synced::{Lies, synced};
use linkwell_engine::survey::{Surveyor, known, room};
use linkwell_engine::system::System;
use linkwell_engine::volumes::{Settings, Volumes};
use linkwell_model::entry::{EntryKind, FileId};
use linkwell_model::holding::{Hindrance, NameTrouble, Objection, Served, holding};
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Loss, Make, Plan, Step, Why};
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::tree::{Scratch, bytes, make};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

pub(crate) const PIECES: &[crate::support::Piece] = &[
    ("preflight::mounts", mounts),
    ("preflight::as_nobody", as_nobody),
    ("preflight::on_volumes", on_volumes),
];

const FOLDER: &str = "LINKWELL_ENGINE_TEST_PREFLIGHT";

pub(crate) fn trials() -> Vec<Trial> {
    let alone = |name, piece: &'static str, needs: &[Need]| {
        let mut all = vec![Need::Root, Need::Program("unshare")];
        all.extend_from_slice(needs);
        test_with(name, &all, move || {
            Child::under(&["unshare", "--mount", "--propagation", "private"], piece).run();
        })
    };
    vec![
        test("preflight: a tree is counted, each file once", counted),
        test("preflight: links are told by where they lead", links),
        test("preflight: names elsewhere are found, those inside are not", hard),
        test("preflight: names that meet, and names that cannot be", names),
        test("preflight: what may be lost is asked, and accepted", losses),
        test("preflight: what must stay is known by identity", refusals),
        test("preflight: a destination inside is found through links", inside),
        test("preflight: a synced folder is known by its marks", sync_marks),
        test("preflight: the desktop's folders are known by identity", desktop),
        test("preflight: room is asked for", enough_room),
        test("preflight: a tree deeper than any path", deep),
        test_with(
            "preflight: immutable entries are found",
            &[Need::Root, Need::Program("chattr")],
            immutable,
        ),
        test_with("preflight: what nobody may read", &[Need::Root], || {
            let scratch =
                Scratch::with(&["t/open/f", "t/shut/f", "t/fixed/f", "t/f", "t/sticky/x"]);
            linkwell_testkit::crafted::allow(&scratch.path(), 0o755);
            Child::unprivileged("preflight::as_nobody").env(FOLDER, prepared(&scratch)).run();
        }),
        alone("preflight: through bind mounts, and mounts inside", "preflight::mounts", &[]),
        alone(
            "preflight: volumes say what they hold",
            "preflight::on_volumes",
            &[
                Need::LoopDevices,
                Need::Program("mkfs.ext4"),
                Need::Program("mkfs.xfs"),
                Need::Program("mkfs.btrfs"),
            ],
        ),
        test_with(
            "preflight: units are named as systemd names them",
            &[Need::Program("systemd-escape")],
            unit_names,
        ),
    ]
}

fn surveyor(system: System, folder: &Path) -> Surveyor {
    let settings =
        Settings { time_limit: std::time::Duration::from_secs(5), ..Settings::default() };
    let volumes = Arc::new(Volumes::read(system, settings));
    let current = AbsPath::cleaned(b"/").expect("absolute");
    let home = AbsPath::cleaned(&bytes(&folder.join("home")));
    Surveyor::new(system, volumes, &current, home).expect("a current folder")
}

fn spot(surveyor: &mut Surveyor, at: &Path) -> Spot {
    surveyor.spot(&bytes(at)).expect("a place")
}

fn weigh(system: System, at: &Path, wanted: &Wanted) -> Freight {
    let mut surveyor = surveyor(system, at);
    let spot = spot(&mut surveyor, at);
    let facts = system.facts(spot.at(), spot.name.as_bytes()).expect("it is there");
    freight::look(&mut surveyor, &spot, &facts, wanted)
}

fn across(to: &[u8]) -> Wanted {
    let of = |fs_type| holding(fs_type, Served::Unknown);
    Wanted::across(of(b"ext4"), of(to), 4096)
}

fn said(why: Vec<Why>) -> String {
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
            let text = "n/".repeat(512);
            std::os::unix::fs::symlink(&text[..length], long.join(name)).expect("a link");
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

/// Whether something may be moved, and the words if not.
fn may(system: System, scratch: &Scratch, from: &Path, to: &Path) -> Result<Vec<FileId>, String> {
    let mut surveyor = surveyor(system, &scratch.path());
    let typed = bytes(from);
    let state = AbsPath::cleaned(&bytes(&scratch.join("state/linkwell")));
    let words = |why: Why| format!("{why} | {}", why.hint().unwrap_or_default());
    let from = surveyor.spot(&typed).map_err(words)?;
    let object = surveyor.object(&from).map_err(words)?.expect("it is there");
    let to = surveyor.spot(&bytes(to)).map_err(words)?;
    let there = surveyor.object(&to).map_err(words)?;
    let to = Destination { spot: &to, object: there.as_ref() };
    may_move(&mut surveyor, &typed, (&from, &object), to, state.as_ref())
        .map(|(_, above)| above)
        .map_err(words)
}

#[track_caller]
fn refused(answer: Result<Vec<FileId>, String>, words: &str) {
    let said = answer.expect_err("it must be refused");
    assert!(said.contains(words), "{said}");
}

fn refusals() {
    let scratch = Scratch::with(&[
        "home/Music/f",
        "home/x",
        "state/linkwell/journal/",
        "t/l -> ../home/Music",
        "t/f",
        "t/p |",
        "t/g == t/f",
        "d/",
    ]);
    let at = |name: &str| scratch.join(name);
    for system in systems() {
        let may = |from: &Path, to: &str| may(system, &scratch, from, &at(to));
        assert!(
            may(&at("home/Music"), "d/Music").is_ok(),
            "{:?}",
            may(&at("home/Music"), "d/Music")
        );
        assert!(may(&at("t/f"), "d/f").is_ok() && may(&at("t"), "d/t").is_ok());
        // What is needed where it is, by whatever name.
        refused(may(&at("home"), "d/x"), "your home folder");
        refused(may(&scratch.path(), "../x"), "your home folder");
        refused(may(&at("state"), "d/x"), "linkwell keeps its record");
        refused(may(&at("state/linkwell"), "d/x"), "linkwell keeps its record");
        refused(may(&at("state/linkwell/journal"), "d/x"), "linkwell keeps its record");
        refused(may(&at("t/../home"), "d/x"), "your home folder");
        refused(may(Path::new("/usr"), "d/x"), "the system needs it");
        refused(may(Path::new("/usr/lib/../bin"), "d/x"), "the system needs it");
        refused(may(Path::new("/"), "d/x"), "names no entry");
        refused(may(Path::new("/tmp/../etc/."), "d/x"), "names no entry");
        refused(may(Path::new("/proc/self"), "d/x"), "");
        refused(may(Path::new("/proc/sys"), "d/x"), "the system needs it");
        // What is no folder and no file.
        refused(may(&at("t/l"), "d/x"), "this is a link | `linkwell move --back");
        refused(may(&at("t/p"), "d/x"), "this is a named pipe");
        // Both ends are one.
        refused(may(&at("t"), "t"), "is what is to be moved");
        refused(may(&at("t"), "d/../t"), "is what is to be moved");
        refused(may(&at("t/f"), "t/g"), "another name of the same file");
        refused(may(&at("home/Music/f"), "home/Music"), "it lies in");
        assert!(may(&at("home/Music/f"), "home/f").is_ok());
        let answer = super::preflight::may(system, &scratch, &at("t"), Path::new("/proc/self/x"));
        refused(answer, "");
    }
}

fn inside() {
    let scratch = Scratch::with(&["home/", "t/sub/deep/", "link -> t/sub", "beside/", "t2/"]);
    let at = |name: &str| scratch.join(name);
    for system in systems() {
        let may = |from: &str, to: &str| may(system, &scratch, &at(from), &at(to));
        refused(may("t", "t/x"), "into itself");
        refused(may("t", "t/sub/deep/x"), "into itself");
        refused(may("t", "link/x"), "into itself");
        refused(may("t", "link/../x"), "into itself");
        // A name that only begins like it.
        assert!(may("t", "t2/x").is_ok() && may("t", "beside/t").is_ok());
        assert!(may("t/sub", "t/x").is_ok(), "up is no way in");
        // The walk finds it, too, by the folders themselves.
        let above = may("t2", "link/deep/x").expect("two places");
        let wanted = Wanted { above_destination: above, ..across(b"ext4") };
        let found = weigh(system, &at("t"), &wanted);
        assert!(found.destination.is_some() && !found.against_renaming().is_empty());
        let found = weigh(system, &at("beside"), &wanted);
        assert!(found.destination.is_none() && found.against_renaming().is_empty());
    }
}

fn sync_marks() {
    let scratch = Scratch::with(&[
        "s/.stfolder/",
        "s/a/b/f",
        "s/c/",
        "n/.sync_0af1.db",
        "n/a/",
        "r/.sync/ID",
        "r/a/",
        "box/.dropbox",
        "box/f",
        "holds/box/.dropbox.cache/",
        "holds/f",
        "not/.sync/other",
        "not/.sync_x",
        "not/stfolder/",
        "not/a/f",
    ]);
    for system in systems() {
        let mut surveyor = surveyor(system, &scratch.path());
        let mut found = |name: &str, kind| {
            let at = spot(&mut surveyor, &scratch.join(name));
            synced(&surveyor, &at, kind)
        };
        let rows = [
            ("s/a/b", EntryKind::Folder, Some(("Syncthing", Lies::Above))),
            ("s/a/b/f", EntryKind::File, Some(("Syncthing", Lies::Above))),
            ("s", EntryKind::Folder, Some(("Syncthing", Lies::Here))),
            ("n/a", EntryKind::Folder, Some(("Nextcloud", Lies::Above))),
            ("r/a", EntryKind::Folder, Some(("Resilio Sync", Lies::Above))),
            ("box/f", EntryKind::File, Some(("Dropbox", Lies::Above))),
            ("holds", EntryKind::Folder, Some(("Dropbox", Lies::Below))),
            ("holds/f", EntryKind::File, None),
            ("not/a", EntryKind::Folder, None),
            ("not", EntryKind::Folder, None),
        ];
        for (name, kind, wanted) in rows {
            let found = found(name, kind).map(|synced| (synced.client, synced.lies));
            assert_eq!(found, wanted, "{name} {system:?}");
        }
        let above = found("s/a", EntryKind::Folder).expect("it is synced");
        let why = above.why("--even-if-synced");
        assert!(why.to_string().contains("which Syncthing syncs"), "{why}");
        assert!(why.hint().is_some_and(|hint| hint.contains("`--even-if-synced`")));
        // Within the same folder it goes on being synced.
        let answer = |to: &str| may(system, &scratch, &scratch.join("s/a"), &scratch.join(to));
        assert!(above.holds(&answer("s/c/a").expect("it may")));
        assert!(!above.holds(&answer("not/x").expect("it may")));
    }
}

fn desktop() {
    let scratch = Scratch::with(&[
        "home/M/f",
        "home/link -> M",
        "other/",
        "kept/",
        "config/user-dirs.dirs -> ../kept/dirs",
    ]);
    let home = AbsPath::cleaned(&bytes(&scratch.join("home"))).expect("absolute");
    let text = "# mine\nXDG_MUSIC_DIR=\"$HOME/link\"\nXDG_VIDEOS_DIR=\"$HOME/V\"\n";
    std::fs::write(scratch.join("kept/dirs"), text).expect("a file");
    let config = AbsPath::cleaned(&bytes(&scratch.join("config"))).expect("absolute");
    for system in systems() {
        let mut surveyor = surveyor(system, &scratch.path());
        let id = |name: &str| {
            let held = std::fs::File::open(scratch.join(name)).expect("a folder");
            system.facts_of(rustix::fd::AsFd::as_fd(&held)).expect("facts").id
        };
        let other = known::setting(&mut surveyor, &config, &home, id("other"));
        assert!(other.is_none());
        let found =
            known::setting(&mut surveyor, &config, &home, id("home/M")).expect("it is known");
        assert_eq!(found.known.word(), "Music");
        let mut plan = Plan::default();
        let place = AbsPath::cleaned(b"/mnt/d/My Music").expect("absolute");
        let step = found.step(&mut surveyor, &mut plan, &place).expect("it can be written");
        let Step::Replace { at, make: Make::File { bytes: new, .. }, .. } = &step else {
            panic!("{step:?}")
        };
        // What is kept elsewhere is changed there, and the link to it stays.
        assert_eq!(plan.place(at).as_bytes(), bytes(&scratch.join("kept/dirs")));
        let wanted = "# mine\nXDG_MUSIC_DIR=\"/mnt/d/My Music\"\nXDG_VIDEOS_DIR=\"$HOME/V\"\n";
        assert_eq!(String::from_utf8_lossy(&new.0), wanted);
        let none = AbsPath::cleaned(b"/nothing").expect("absolute");
        assert!(known::setting(&mut surveyor, &none, &home, id("home/M")).is_none());
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

fn deep() {
    let scratch = DeepScratch::new();
    std::fs::create_dir(scratch.path().join("t")).expect("a folder");
    let mut held: rustix::fd::OwnedFd =
        std::fs::File::open(scratch.path().join("t")).expect("a folder").into();
    let name = "n".repeat(200);
    for _ in 0..100 {
        rustix::fs::mkdirat(&held, &*name, rustix::fs::Mode::RWXU).expect("a folder");
        let flags = rustix::fs::OFlags::DIRECTORY;
        held = rustix::fs::openat(&held, &*name, flags, rustix::fs::Mode::empty()).expect("it");
    }
    rustix::fs::symlinkat(format!("{}out", "../".repeat(101)), &held, "leaves").expect("a link");
    rustix::fs::symlinkat(format!("{}out", "../".repeat(100)), &held, "stays").expect("a link");
    for system in systems() {
        let found = weigh(system, &scratch.path().join("t"), &across(b"ext4"));
        assert_eq!((found.folders, found.deepest, found.links), (101, 100, 2), "{system:?}");
        assert_eq!(
            (found.unseen.count, found.closed.count),
            (0, 0),
            "{system:?} {:?}",
            found.reason
        );
        let [link] = &found.leaving[..] else { panic!("{}", found.leaving.len()) };
        assert!(link.below.len() > 20_000 && link.below.ends_with(b"n/leaves"));
        assert_eq!(link.place.as_bytes(), bytes(&scratch.path().join("out")));
    }
}

fn immutable() {
    let scratch = Scratch::with(&["t/fixed", "t/grows", "t/f"]);
    let chattr = |sign: &str, name: &str| {
        let done = Command::new("chattr").arg(sign).arg(scratch.join(name)).status();
        assert!(done.expect("it runs").success());
    };
    chattr("+i", "t/fixed");
    chattr("+a", "t/grows");
    let found = weigh(System::new(), &scratch.join("t"), &across(b"ext4"));
    chattr("-i", "t/fixed");
    chattr("-a", "t/grows");
    assert_eq!((found.immutable.count, found.append_only.count), (1, 1));
    let why = said(found.against_copying("ext4", &Loss::ALL));
    assert!(why.contains("`chattr -i ") && why.contains("`chattr -a "), "{why}");
    let found = weigh(System::new(), &scratch.join("t"), &across(b"ext4"));
    assert!(found.against_copying("ext4", &[]).is_empty());
}

/// Gives the tree to nobody, but for some of it.
fn prepared(scratch: &Scratch) -> std::path::PathBuf {
    use std::os::unix::fs::{PermissionsExt as _, chown};
    let mode = |name: &str, mode| {
        let mode = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(scratch.join(name), mode).expect("permissions");
    };
    for name in ["t", "t/open", "t/open/f", "t/shut", "t/fixed", "t/fixed/f"] {
        chown(scratch.join(name), Some(65534), Some(65534)).expect("an owner");
    }
    mode("t/f", 0o600);
    mode("t/shut", 0o000);
    mode("t/fixed", 0o555);
    mode("t/sticky", 0o1777);
    mode("t/sticky/x", 0o644);
    scratch.join("t")
}

fn as_nobody() {
    let top = std::env::var_os(FOLDER).expect("a folder");
    for system in systems() {
        let found = weigh(system, Path::new(&top), &across(b"ext4"));
        let names = |named: &freight::Named| -> Vec<String> {
            let mut names: Vec<String> = named
                .first
                .iter()
                .map(|place| {
                    place
                        .below(&AbsPath::cleaned(top.as_bytes()).expect("absolute"))
                        .unwrap_or_default()
                })
                .map(|below| String::from_utf8_lossy(below).into_owned())
                .collect();
            names.sort();
            names
        };
        assert_eq!(names(&found.unread), ["f"], "{system:?}");
        assert_eq!(names(&found.closed), ["fixed", "shut"], "{system:?}");
        assert_eq!(names(&found.foreign), ["sticky/x"], "{system:?}");
        let why = said(found.against_copying("ext4", &[]));
        assert_eq!(why.lines().count(), 3, "{why}");
        // What is this user's own and open has nothing against it.
        let found = weigh(system, &Path::new(&top).join("open"), &across(b"ext4"));
        assert!(found.against_copying("ext4", &[]).is_empty());
    }
}

fn mounts() {
    use rustix::mount::{MountFlags, mount, mount_bind};
    let scratch = Scratch::with(&[
        "home/",
        "t/sub/deep/",
        "t/m/",
        "b/",
        "s/",
        "v/in/",
        "out/",
        "point/",
        "f",
        "g",
    ]);
    let at = |name: &str| scratch.join(name);
    mount_bind(at("t"), at("b")).expect("a bind mount");
    mount_bind(at("t/sub"), at("s")).expect("a bind mount");
    mount_bind(at("f"), at("g")).expect("a bind mount");
    mount("linkwell-test", at("point"), "tmpfs", MountFlags::empty(), c"size=1m").expect("a mount");
    make(&at("point"), &["x/"]);
    for system in systems() {
        let may = |from: &str, to: &str| may(system, &scratch, &at(from), &at(to));
        // The same folder by another path, and a part of it seen elsewhere.
        refused(may("t", "b/x"), "into itself");
        refused(may("t", "b/sub/x"), "into itself");
        if format!("{system:?}").contains("true") {
            // Above the mount stands another folder: only the table of mounts knows.
            refused(may("t", "s/x"), "into itself");
            refused(may("t", "s/deep/x"), "into itself");
            refused(may("s/deep", "t"), "it lies in");
            refused(may("g", "out/g"), "a volume is mounted here");
        }
        refused(may("b/sub", "t/sub"), "is what is to be moved");
        refused(may("t/sub", "b/sub"), "is what is to be moved");
        refused(may("point", "out/x"), "a volume is mounted here");
        assert!(may("point/x", "out/x").is_ok() && may("t/sub", "out/x").is_ok());
        assert!(may("t/sub/deep", "s/x").is_ok(), "that is up");
        // Whatever the table says, the walk meets the folder itself.
        let above = may("home/../out", "s/deep/x").expect("two places");
        let found =
            weigh(system, &at("t"), &Wanted { above_destination: above, ..across(b"ext4") });
        assert!(found.destination.is_some(), "{system:?}");
        assert!(weigh(system, &at("t"), &across(b"ext4")).mounted.is_empty());
    }
    mount("linkwell-test", at("t/m"), "tmpfs", MountFlags::empty(), c"size=1m").expect("a mount");
    mount_bind(at("out"), at("v/in")).expect("a bind mount");
    make(&at("t/m"), &["not-ours"]);
    for system in systems() {
        let found = weigh(system, &at("t"), &across(b"ext4"));
        assert_eq!((found.mounted.len(), found.files), (1, 0), "it is not entered");
        let why = said(found.against_renaming());
        assert!(why.contains("t/m`") && why.contains("umount"), "{why}");
        if format!("{system:?}").contains("true") {
            // A bind mount of the same volume has the same device, and is one all the same.
            assert_eq!(weigh(system, &at("v"), &across(b"ext4")).mounted.len(), 1);
        }
    }
}

/// What volumes say of themselves, and what stands on them.
fn on_volumes() {
    let scratch = Scratch::with(&["home/", "ext4/", "xfs/", "btrfs/"]);
    let run = |program: &str, arguments: &[&std::ffi::OsStr]| {
        let done = Command::new(program).args(arguments).output().expect("it runs");
        assert!(done.status.success(), "{program}: {done:?}");
    };
    for kind in ["ext4", "xfs", "btrfs"] {
        let image = scratch.join(format!("{kind}.image"));
        std::fs::File::create(&image).expect("a file").set_len(320 << 20).expect("a length");
        run(&format!("mkfs.{kind}"), &["-q".as_ref(), image.as_ref()]);
        run(
            "mount",
            &["-o".as_ref(), "loop".as_ref(), image.as_ref(), scratch.join(kind).as_ref()],
        );
    }
    run("btrfs", &["subvolume".as_ref(), "create".as_ref(), scratch.join("btrfs/sub").as_ref()]);
    let top = scratch.join("btrfs");
    make(&top, &["t/f"]);
    run("btrfs", &["subvolume".as_ref(), "create".as_ref(), top.join("t/inner").as_ref()]);
    make(&top.join("t"), &["inner/f"]);
    let words: Vec<_> = ["ext4", "xfs", "btrfs"]
        .iter()
        .map(|kind| {
            let mut surveyor = surveyor(System::new(), &scratch.path());
            let spot = spot(&mut surveyor, &scratch.join(kind).join("x"));
            room::holding_at(&surveyor, &spot.held).word
        })
        .collect();
    assert_eq!(words, ["ext4", "XFS", "btrfs"]);
    let found = weigh(System::new(), &top.join("t"), &across(b"ext4"));
    assert_eq!((found.subvolumes.count, found.files), (1, 1));
    assert!(found.against_renaming().is_empty(), "within a volume it moves along");
    assert!(said(found.against_copying("ext4", &Loss::ALL)).contains("subvolumes begin in it"));
    // A hole beside what is only packed: compressed contents take the room that they are long.
    let holes = std::fs::File::create(top.join("t/holes")).expect("a file");
    holes.set_len(64 << 20).expect("a hole");
    let from =
        Wanted::across(holding(b"btrfs", Served::Unknown), holding(b"ext4", Served::Unknown), 4096);
    assert_eq!(weigh(System::new(), &top.join("t/holes"), &from).needed, 0);
    for kind in ["btrfs", "xfs", "ext4"] {
        run("umount", &[scratch.join(kind).as_ref()]);
    }
}

fn unit_names() {
    let places: [&[u8]; 8] = [
        b"/",
        b"/home/u/Music",
        b"/.x/.y",
        b"/a-b c@\\",
        b"/a:b_c.d",
        b"/x/\xc3\xa9\xff",
        b"/-",
        b"/a/..b/%",
    ];
    for place in places {
        let place = AbsPath::cleaned(place).expect("absolute");
        let said = Command::new("systemd-escape")
            .args(["--path", "--suffix=mount", "--"])
            .arg(path(place.as_bytes()))
            .output()
            .expect("it runs");
        let said = String::from_utf8_lossy(&said.stdout).trim_end().to_owned();
        assert_eq!(linkwell_model::mounting::unit_name(&place), Some(said), "{place:?}");
    }
}
