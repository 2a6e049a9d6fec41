//! What is shared, written to a file and arranged again as if on another computer.
#![expect(
    clippy::disallowed_methods,
    reason = "a test makes what it looks at, and may stop at the first surprise"
)]

use crate::clients::write;
use crate::clients_live::command;
use crate::repair::ends;
use crate::support::{Ground, of_type, text};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::make;
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test(
            "apply: what is shared stands on another computer, is known there, and comes home",
            elsewhere,
        ),
        test("apply: where a client syncs is its own to say, or a person's", roots),
        test("apply: a placement that cannot be made stops nothing else, and is said", not_made),
        test("apply: a real folder in the way of what is shared is made one with it", in_the_way),
        test("export: what is shared is written as it is now", as_it_is),
        test_with(
            "apply: with Unison between two computers an edit through either link arrives at the other",
            &[Need::Program("unison")],
            unison,
        ),
    ]
}

fn home(ground: &Ground) -> PathBuf {
    ground.scratch().join("home")
}

fn at(ground: &Ground, name: &str) -> String {
    home(ground).join(name).display().to_string()
}

/// A home in which Dropbox syncs a folder, with these things in it.
fn computer(dropbox: &str, lines: &[&str]) -> Ground {
    let ground = Ground::with(&[]);
    make(&home(&ground), &[&format!("{dropbox}/"), ".dropbox/"]);
    make(&home(&ground), lines);
    let settings = format!("{{\"personal\":{{\"path\":{:?}}}}}", home(&ground).join(dropbox));
    write(&ground, ".dropbox/info.json", settings);
    ground
}

/// The first computer: Photos is shared, and another link is on record. What `export` wrote.
fn first() -> (Ground, String) {
    let ground = computer("Dropbox", &["Photos/a", "notes", "n -> notes"]);
    let photos = at(&ground, "Photos");
    ends(&ground.run(&["share", "-y", &photos, "--with", "dropbox", "--as", "Pictures"]), 0);
    ends(&ground.run(&["track", "-q", "--policy", "ask", &photos]), 0);
    ends(&ground.run(&["track", "-q", &at(&ground, "n")]), 0);
    let ran = ground.run(&["export"]);
    ends(&ran, 0);
    (ground, ran.out)
}

fn apply(ground: &Ground, file: &str, options: &[&str]) -> Ran {
    fs::write(ground.tree().join("links"), file).expect("written");
    ground.run(&[&["apply", "links"], options].concat())
}

fn stands(ground: &Ground) -> Vec<String> {
    let ran = ground.run(&["share", "--check", "--json"]);
    of_type(&ran, "placement").iter().map(|one| text(one, "stands")).collect()
}

fn led(place: &Path) -> Option<PathBuf> {
    fs::read_link(place).ok()
}

fn elsewhere() {
    let (_first, file) = first();
    let placement = "[[placements]]
folder = \"~/Photos\"
client = \"dropbox\"
root = \"~/Dropbox\"
name = \"Pictures\"
arrangement = \"inverted\"
written = \"relative\"
policy = \"ask\"
";
    assert!(file.contains(placement), "{file}");
    assert_eq!(file.matches("[[links]]").count(), 1, "its link goes with it: {file}");
    // There Dropbox syncs another folder, and has brought the contents.
    let second = computer("Cloud/Dropbox", &["Cloud/Dropbox/Pictures/a", "notes"]);
    let link = home(&second).join("Photos");
    for options in [&["--check"][..], &["-n"]] {
        let ran = apply(&second, &file, options);
        ends(&ran, i32::from(options == ["--check"]));
        assert!(ran.out.contains("Photos → Cloud/Dropbox/Pictures"), "{ran:#?}");
        assert!(ran.err.contains("is shared with Dropbox as"), "{ran:#?}");
        assert!(led(&link).is_none() && stands(&second).is_empty());
    }
    ends(&apply(&second, &file, &["-y"]), 0);
    assert_eq!(led(&link), Some("Cloud/Dropbox/Pictures".into()));
    assert_eq!(stands(&second), ["true"]);
    let listed = second.run(&["list", "--tracked", "-v", &at(&second, "Photos")]);
    assert!(listed.out.contains("ask"), "{listed:#?}");
    // Twice is once.
    let record = second.scratch().join("state/linkwell/placements.json");
    let before = fs::read(&record).expect("read");
    let twice = apply(&second, &file, &["-y"]);
    ends(&twice, 0);
    assert!(twice.err.contains("nothing was changed"), "{twice:#?}");
    assert_eq!(fs::read(&record).expect("read"), before);
    ends(&apply(&second, &file, &["--check"]), 0);
    // What is right on the disk and not on record is drift, too; and that can be mended without a change.
    fs::remove_file(&record).expect("removed");
    ends(&apply(&second, &file, &["--check"]), 1);
    ends(&apply(&second, &file, &["-y"]), 0);
    assert_eq!(stands(&second), ["true"]);
    fs::remove_file(&link).expect("removed");
    ends(&apply(&second, &file, &["--check"]), 1);
    ends(&apply(&second, &file, &["-y"]), 0);
    // From here it goes on as on the first: written again it is the same but for the root, and it comes home.
    let again = second.run(&["export"]);
    assert_eq!(again.out.replace("~/Cloud/Dropbox", "~/Dropbox"), file);
    ends(&second.run(&["unshare", "-y", "--no-refs", &at(&second, "Photos")]), 0);
    assert_eq!(fs::read(link.join("a")).expect("home again"), b"Cloud/Dropbox/Pictures/a");
    assert!(stands(&second).is_empty() && !home(&second).join("Cloud/Dropbox/Pictures").exists());
}

fn roots() {
    let (_first, file) = first();
    // No Dropbox is here: a person says where.
    let ground = Ground::with(&[]);
    make(&home(&ground), &["Box/Pictures/a", "Other/", "notes"]);
    let ran = apply(&ground, &file, &["-y"]);
    ends(&ran, 3);
    assert!(
        ran.err.contains("was not found") && ran.err.contains("--root dropbox=PATH"),
        "{ran:#?}"
    );
    assert!(led(&home(&ground).join("n")).is_some() && stands(&ground).is_empty());
    for (root, code) in [("Box", 2), ("nextcloud=.", 2), ("dropbox=nowhere", 2)] {
        ends(&apply(&ground, &file, &["-y", "--root", root]), code);
    }
    let root = format!("dropbox={}", at(&ground, "Box"));
    ends(&apply(&ground, &file, &["-y", "--root", &root]), 0);
    assert_eq!(led(&home(&ground).join("Photos")), Some("Box/Pictures".into()));
    ends(&apply(&ground, &file, &["--check", "--root", &root]), 0);
    // Syncthing has a word of its own for each folder, the same everywhere.
    let config = |ground: &Ground, folders: &[(&str, &str)]| {
        let folder = |(id, path): &(&str, &str)| {
            format!("<folder id=\"{id}\" label=\"\" path=\"{}\"></folder>", at(ground, path))
        };
        let folders: String = folders.iter().map(folder).collect();
        let text = format!("<configuration version=\"37\">{folders}</configuration>");
        write(ground, ".config/syncthing/config.xml", text);
    };
    let one = Ground::with(&[]);
    make(&home(&one), &["Sync/", "Work/", "Photos/a"]);
    config(&one, &[("aaaa-1", "Sync"), ("bbbb-2", "Work")]);
    let into = at(&one, "Sync");
    let share = [
        "share",
        "-y",
        &at(&one, "Photos"),
        "--with",
        "syncthing",
        "--by",
        "inverted",
        "--into",
        &into,
    ];
    ends(&one.run(&share), 0);
    let file = one.run(&["export"]).out;
    assert!(file.contains("key = \"aaaa-1\""), "{file}");
    let two = Ground::with(&[]);
    make(&home(&two), &["Work/", "S1/Photos/a", "Sync/Photos/wrong"]);
    config(&two, &[("bbbb-2", "Sync"), ("aaaa-1", "S1")]);
    ends(&apply(&two, &file, &["-y"]), 0);
    assert_eq!(led(&home(&two).join("Photos")), Some("S1/Photos".into()));
    // Without that word it is asked for, unless one is where it was.
    let three = Ground::with(&[]);
    make(&home(&three), &["S1/Photos/a", "S2/Photos/a"]);
    config(&three, &[("bbbb-2", "S2"), ("cccc-3", "S1")]);
    let ran = apply(&three, &file, &["-y"]);
    ends(&ran, 1);
    assert!(ran.err.contains("`aaaa-1`"), "{ran:#?}");
    let ran = apply(&three, &file.replace("key = \"aaaa-1\"\n", ""), &["-y"]);
    ends(&ran, 1);
    assert!(ran.err.contains("several folders"), "{ran:#?}");
}

fn not_made() {
    let (_first, file) = first();
    let rows: [(&str, &str, &str); 5] = [
        ("name = \"Pictures\"", "name = \"../x\"", "no name of a folder"),
        ("client = \"dropbox\"", "client = \"dropbx\"", "no client that is known"),
        ("\"inverted\"", "\"bind\"", "another arrangement"),
        ("folder = \"~/Photos\"", "folder = \"~/../x\"", "is no place"),
        // It has not come yet.
        ("", "", "has not brought it yet"),
    ];
    for (old, new, words) in rows {
        let ground = computer("Dropbox", &["notes"]);
        let ran = apply(&ground, &file.replace(old, new), &["-y"]);
        ends(&ran, 3);
        assert!(ran.err.contains(words), "{words}: {ran:#?}");
        assert_eq!(led(&home(&ground).join("n")), Some("notes".into()), "{words}");
        assert!(led(&home(&ground).join("Photos")).is_none() && stands(&ground).is_empty());
    }
    // A link that leads elsewhere stays, and nothing is on record of it.
    let ground = computer("Dropbox", &["Dropbox/Pictures/a", "notes", "Photos -> notes"]);
    ends(&apply(&ground, &file, &["-y"]), 3);
    assert_eq!(led(&home(&ground).join("Photos")), Some("notes".into()));
    assert!(stands(&ground).is_empty());
    ends(&apply(&ground, &file, &["-y", "-f"]), 0);
    assert_eq!(stands(&ground), ["true"]);
}

fn in_the_way() {
    let (_first, file) = first();
    let ground = computer("Dropbox", &["Dropbox/Pictures/a", "notes", "Photos/mine"]);
    let ran = apply(&ground, &file, &["-y"]);
    ends(&ran, 3);
    assert!(ran.err.contains("--merge") && stands(&ground).is_empty(), "{ran:#?}");
    ends(&apply(&ground, &file, &["-y", "--merge"]), 0);
    for name in ["a", "mine"] {
        assert!(home(&ground).join("Dropbox/Pictures").join(name).is_file(), "{name}");
    }
    assert_eq!(stands(&ground), ["true"]);
}

fn as_it_is() {
    let (ground, _) = first();
    // Under its new name it arrives on the other computers.
    fs::rename(at(&ground, "Dropbox/Pictures"), at(&ground, "Dropbox/Pics")).expect("renamed");
    ends(&ground.run(&["repair", "-y", "--near"]), 0);
    assert_eq!(stands(&ground), ["renamed"]);
    let file = ground.run(&["export"]).out;
    assert!(file.contains("name = \"Pics\"") && !file.contains("Pictures"), "{file}");
    // Only what is asked for.
    let some = ground.run(&["export", &at(&ground, "n")]);
    assert!(!some.out.contains("placements") && some.out.contains("~/n\""), "{some:#?}");
    let some = ground.run(&["export", &at(&ground, "Photos")]);
    assert!(some.out.contains("[[placements]]") && !some.out.contains("[[links]]"), "{some:#?}");
    ends(&some, 0);
    // The catalogue can be made again, a placement cannot.
    for entry in fs::read_dir(ground.scratch().join("state/linkwell")).expect("listed") {
        let path = entry.expect("an entry").path();
        if path.display().to_string().contains("/catalogue.") {
            fs::remove_file(path).expect("removed");
        }
    }
    let only = ground.run(&["export"]);
    ends(&only, 0);
    assert!(only.out.contains("[[placements]]") && !only.out.contains("[[links]]"), "{only:#?}");
    // What leads elsewhere is a link like any other.
    let photos = at(&ground, "Photos");
    make(&home(&ground), &["else/"]);
    ends(&ground.run(&["retarget", "-y", &photos, "--to", &at(&ground, "else")]), 0);
    ends(&ground.run(&["track", "-q", &photos]), 0);
    let ran = ground.run(&["export"]);
    assert!(!ran.out.contains("[[placements]]") && ran.out.contains("to = \"~/else\""), "{ran:#?}");
    assert!(ran.err.contains("only the link is written"), "{ran:#?}");
}

fn unison() {
    let (one, two) = (Ground::with(&[]), Ground::with(&[]));
    make(&home(&one), &["Sync/own", "Photos/a"]);
    make(&home(&two), &["Mine/", "Other/"]);
    let profile = |ground: &Ground, own: &str, other: &str| {
        write(ground, ".unison/mine.prf", format!("root = {own}\nroot = {other}\nbatch = true\n"));
    };
    let (there, here) = (at(&one, "Sync"), at(&two, "Mine"));
    profile(&one, &there, &here);
    // Here it knows of two folders, one of which is the other computer's.
    profile(&two, &here, &there);
    let sync = || {
        let ran: Ran = command(&one, "unison")
            .args(["-ui", "text", "mine"])
            .output()
            .expect("Unison can be started")
            .into();
        assert_eq!(ran.code, 0, "{ran:?}");
    };
    let photos = at(&one, "Photos");
    let share = ["share", "-y", &photos, "--with", "unison", "--by", "inverted", "--into", &there];
    ends(&one.run(&share), 0);
    let file = one.run(&["export"]).out;
    let root = format!("unison={here}");
    let early = apply(&two, &file, &["-y", "--root", &root]);
    ends(&early, 1);
    assert!(early.err.contains("Unison has not brought it yet"), "{early:#?}");
    sync();
    ends(&apply(&two, &file, &["-y", "--root", &root]), 0);
    assert_eq!(stands(&two), ["true"]);
    let through = |ground: &Ground| home(ground).join("Photos/a");
    for (writer, reader) in [(&two, &one), (&one, &two)] {
        let words = format!("written through the link at {}", through(writer).display());
        fs::write(through(writer), &words).expect("written");
        sync();
        assert_eq!(fs::read(through(reader)).expect("it arrived"), words.as_bytes());
    }
    assert_eq!((stands(&one), stands(&two)), (vec!["true".into()], vec!["true".into()]));
}
