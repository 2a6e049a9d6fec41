//! What must not be moved, or not there: each refusal beside what must pass.

use crate::preflight::{across, spot, surveyor, weigh};
use crate::support::systems;
use libtest_mimic::Trial;
use linkwell_engine::survey::freight::Wanted;
use linkwell_engine::survey::guard::{Destination, may_move};
use linkwell_engine::survey::known;
use linkwell_engine::survey::synced::{Lies, clients_of, synced};
use linkwell_engine::system::{Access, System};
use linkwell_model::entry::{EntryKind, FileId};
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Make, Plan, Step, Why};
use linkwell_testkit::need::test;
use linkwell_testkit::tree::{Scratch, bytes};
use rustix::fd::AsFd as _;
use std::path::Path;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("preflight: what must stay is known by identity", refusals),
        test("preflight: a destination inside is found through links", inside),
        test("preflight: a synced folder is known by its marks", sync_marks),
        test("preflight: the desktop's folders are known by identity", desktop),
    ]
}

/// Whether something may be moved, and the words if not.
pub(crate) fn may(
    system: System,
    scratch: &Scratch,
    from: &Path,
    to: &Path,
) -> Result<Vec<FileId>, String> {
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
pub(crate) fn refused(answer: Result<Vec<FileId>, String>, words: &str) {
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
        let answer =
            super::preflight_refusals::may(system, &scratch, &at("t"), Path::new("/proc/self/x"));
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
        "g/.git/HEAD",
        "annexed/.git/annex/",
        "not/.sync/other",
        "not/.sync_x",
        "not/stfolder/",
        "not/.dropbox/info.json",
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
        let of = |name: &str| -> Vec<&str> {
            let path = scratch.join(name);
            let held = system.open_typed(&bytes(&path), Access::List);
            let clients = clients_of(system, held.expect("a folder").as_fd());
            clients.iter().map(|client| client.id.as_str()).collect()
        };
        assert_eq!((of("s"), of("n"), of("not")), (vec!["syncthing"], vec!["nextcloud"], vec![]));
        assert_eq!((of("g"), of("annexed")), (vec!["git"], vec!["git", "git-annex"]));
        // A work tree may go anywhere with all that is in it.
        assert_eq!(found("g", EntryKind::Folder), None);
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
