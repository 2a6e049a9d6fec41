//! `linkwell share` and `unshare` where people, other clients and other commands have been meanwhile.
#![expect(
    clippy::disallowed_methods,
    reason = "a test makes what it looks at, and may stop at the first surprise"
)]

use crate::clients::write;
use crate::repair::ends;
use crate::share::{home, photos, stands};
use crate::support::{Ground, NOBODY};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::make;
use linkwell_testkit::volume::alone;
use rustix::mount::{MountFlags, mount_bind, mount_remount};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("share: unshare brings home nothing but what was shared", elsewhere),
        test("share: what is in the way of unshare leaves the record as it is", in_the_way),
        test("share: what was brought home already is off the record without an error", at_home),
        test("share: undo takes the record back, too", undone),
        test("share: a record that cannot be used is told before anything is moved", record),
        test_with("share: a configuration that is not read is named", &[Need::Root], unread),
        test_with(
            "share: what an unread configuration may sync is not moved out",
            &[Need::Root],
            blind,
        ),
        test("share: into a folder that only receives, or waits, nothing is shared", receives),
        test("share: a folder in the one that is named is synced already", inside),
        test("share: what lies in a shared folder is synced already", nested),
        test("share: a folder that holds what another client syncs stays", holds_a_root),
        test("share: a hint names no option that share has not", hint),
        test("share: a shared folder is found by its old name through a later link", later_link),
        test("share: --check sees that everything in it is gone", emptied),
        test("share: a followed link that leads elsewhere is seen, and left", followed_elsewhere),
        test_with(
            "share: a folder that cannot be written to is told before",
            &[Need::Root],
            || alone(read_only),
        ),
        test("share: what is arranged already is not arranged anew over it", twice),
    ]
}

fn ground() -> Ground {
    let ground = Ground::with(&[]);
    make(&home(&ground), &["Photos/2026/a", "Dropbox/own", "Sync/own"]);
    let settings = format!("{{\"personal\":{{\"path\":{:?}}}}}", home(&ground).join("Dropbox"));
    write(&ground, ".dropbox/info.json", settings);
    ground
}

fn at(ground: &Ground, name: &str) -> PathBuf {
    home(ground).join(name)
}

fn path(ground: &Ground, name: &str) -> String {
    at(ground, name).display().to_string()
}

fn shared() -> Ground {
    let ground = ground();
    ends(&ground.run(&["share", "-y", &photos(&ground), "--with", "dropbox"]), 0);
    ground
}

fn share(ground: &Ground, folder: &str, into: &str) -> Ran {
    ground.run(&["share", "-y", &path(ground, folder), "--into", &path(ground, into)])
}

fn unshare(ground: &Ground) -> Ran {
    ground.run(&["unshare", "-y", "--no-refs", &photos(ground)])
}

fn elsewhere() {
    let ground = shared();
    make(&home(&ground), &["important/i"]);
    fs::remove_file(at(&ground, "Photos")).expect("removed");
    symlink("important", at(&ground, "Photos")).expect("a link");
    let ran = unshare(&ground);
    assert!(at(&ground, "important/i").is_file(), "it was never shared: {ran:#?}");
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert_eq!(stands(&ground), ["outside"], "{ran:#?}");
}

fn in_the_way() {
    let ground = shared();
    fs::remove_file(at(&ground, "Photos")).expect("removed");
    make(&home(&ground), &["Photos/new"]);
    let ran = unshare(&ground);
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert!(at(&ground, "Dropbox/Photos/2026/a").is_file());
    assert_eq!(stands(&ground), ["replaced"], "it is synced still: {ran:#?}");
}

/// As after a run that was ended by force between the move and the record.
fn at_home() {
    let ground = shared();
    let file = ground.scratch().join("state/linkwell/placements.json");
    let before = fs::read(&file).expect("read");
    ends(&unshare(&ground), 0);
    fs::write(&file, before).expect("written");
    let ran = unshare(&ground);
    assert_eq!(ran.code, 0, "nothing is left to be done: {ran:#?}");
    assert!(stands(&ground).is_empty());
}

fn undone() {
    let ground = shared();
    ends(&unshare(&ground), 0);
    ends(&ground.run(&["undo", "-y"]), 0);
    assert!(at(&ground, "Dropbox/Photos/2026/a").is_file());
    assert_eq!(stands(&ground), ["true"], "it is synced again");
    let ground = shared();
    ends(&ground.run(&["undo", "-y"]), 0);
    assert!(stands(&ground).is_empty(), "it is at home again: {:?}", stands(&ground));
}

fn record() {
    let ground = shared();
    ends(&unshare(&ground), 0);
    let file = ground.scratch().join("state/linkwell/placements.json");
    fs::write(file, "[]").expect("written");
    let ran = ground.run(&["share", "-y", &photos(&ground), "--with", "dropbox"]);
    assert_eq!(ran.code, 1, "{ran:#?}");
    assert!(!at(&ground, "Photos").is_symlink(), "{ran:#?}");
}

fn unread() {
    for (content, owner) in [("{\n\"personal\":\n", 0), ("{}", NOBODY)] {
        let ground = ground();
        let file = write(&ground, ".dropbox/info.json", content);
        std::os::unix::fs::chown(&file, Some(owner), None).expect("root may");
        let ran = ground.run(&["share", "-y", &photos(&ground), "--with", "dropbox"]);
        assert_eq!(ran.code, 1, "{ran:#?}");
        assert!(ran.err.contains(&file.display().to_string()), "{ran:#?}");
        assert!(!ran.err.contains("was not found on this computer"), "it is: {ran:#?}");
    }
}

fn blind() {
    let ground = ground();
    make(&home(&ground), &["Dropbox/In/x"]);
    let file = at(&ground, ".dropbox/info.json");
    std::os::unix::fs::chown(&file, Some(NOBODY), None).expect("root may");
    let ran = share(&ground, "Dropbox/In", "Sync");
    let told = ran.err.contains("info.json") || ran.out.contains("info.json");
    assert!(told, "moved out of what Dropbox may sync, without a word: {ran:#?}");
}

fn receives() {
    for (way, paused) in [("receiveonly", false), ("sendreceive", true)] {
        let ground = ground();
        let config = format!(
            "<configuration version=\"36\"><folder id=\"x\" label=\"x\" path=\"{}\" type=\"{way}\"><paused>{paused}</paused>\
             </folder></configuration>",
            path(&ground, "Sync")
        );
        write(&ground, ".config/syncthing/config.xml", config);
        let ran = ground.run(&[
            "share",
            "-y",
            &photos(&ground),
            "--with",
            "syncthing",
            "--by",
            "inverted",
            "--into",
            &path(&ground, "Sync"),
        ]);
        let told = ["only to here", "receives", "paused"]
            .iter()
            .any(|word| (ran.err.clone() + &ran.out).contains(word));
        assert!(told, "{way}: {ran:#?}");
        assert!(way == "sendreceive" || ran.code == 1, "nothing would arrive: {ran:#?}");
    }
}

fn inside() {
    let ground = ground();
    make(&home(&ground), &["Sync/a/b/x"]);
    let ran = share(&ground, "Sync/a/b", "Sync");
    assert_eq!(ran.code, 1, "the other side gets a link in place of a/b: {ran:#?}");
}

fn nested() {
    let ground = ground();
    ends(&share(&ground, "Photos", "Sync"), 0);
    make(&home(&ground), &["Other/"]);
    let ran = share(&ground, "Photos/2026", "Other");
    assert_eq!(ran.code, 1, "it is synced already, as is on record: {ran:#?}");
}

fn holds_a_root() {
    let ground = ground();
    make(&home(&ground), &["Docs/Box/x"]);
    write(&ground, ".config/onedrive/config", "sync_dir = \"~/Docs/Box\"\n");
    let ran = ground.run(&["share", "-y", &path(&ground, "Docs"), "--with", "dropbox"]);
    let told = ran.err.contains("OneDrive") || ran.out.contains("OneDrive");
    assert!(told, "two clients sync it now: {ran:#?}");
}

fn hint() {
    let ground = ground();
    make(&home(&ground), &["Sync/.stfolder/", "Sync/In/x"]);
    let ran = share(&ground, "Sync/In", "Dropbox");
    assert_eq!(ran.code, 1);
    if ran.err.contains("--synced-anyway") {
        let help = ground.run(&["share", "--help"]);
        assert!(help.out.contains("--synced-anyway"), "{ran:#?}");
    }
}

fn later_link() {
    let ground = ground();
    make(&home(&ground), &["P/Photos/x", "big/"]);
    ends(&share(&ground, "P/Photos", "Sync"), 0);
    ends(&ground.run(&["move", "-y", &path(&ground, "P"), &path(&ground, "big/P")]), 0);
    assert_eq!(stands(&ground), ["true"]);
    let ran = ground.run(&["unshare", "-y", "--no-refs", &path(&ground, "P/Photos")]);
    assert_eq!(ran.code, 0, "`share --list` calls it so: {ran:#?}");
}

fn emptied() {
    let ground = shared();
    fs::remove_dir_all(at(&ground, "Dropbox/Photos/2026")).expect("removed");
    assert_ne!(stands(&ground), ["true"], "as rclone bisync leaves it");
}

fn follow(ground: &Ground) -> Ran {
    let (photos, into) = (photos(ground), path(ground, "Sync"));
    ground.run(&["share", "-y", &photos, "--with", "unison", "--by", "follow", "--into", &into])
}

fn followed_elsewhere() {
    let ground = ground();
    ends(&follow(&ground), 0);
    make(&home(&ground), &["other/o"]);
    fs::remove_file(at(&ground, "Sync/Photos")).expect("removed");
    symlink("../other", at(&ground, "Sync/Photos")).expect("a link");
    let ran = unshare(&ground);
    assert!(at(&ground, "Sync/Photos").is_symlink(), "it is somebody's own: {ran:#?}");
    assert_ne!(stands(&ground), ["true"]);
}

fn twice() {
    let ground = ground();
    ends(&follow(&ground), 0);
    let ran = ground.run(&["share", "-y", &photos(&ground), "--with", "dropbox"]);
    let known = ground.run(&["share", "--list"]);
    assert!(
        ran.code == 1 || known.out.contains("Sync/Photos"),
        "the first is off the record: {ran:#?} {known:#?}"
    );
}

fn read_only() {
    let ground = ground();
    let into = at(&ground, "Sync");
    mount_bind(&into, &into).expect("root may");
    mount_remount(&into, MountFlags::BIND | MountFlags::RDONLY, "").expect("root may");
    for verb in [["share", "-n", "--no-refs"], ["share", "-y", "--no-refs"]] {
        let rest = [&photos(&ground), "--into", &path(&ground, "Sync")];
        let ran = ground.run(&[&verb[..], &rest].concat());
        ends(&ran, 1);
        assert!(ran.err.contains("cannot be written to") && ran.err.contains("Sync"), "{ran:#?}");
    }
    assert!(at(&ground, "Photos/2026/a").is_file() && stands(&ground).is_empty());
}
