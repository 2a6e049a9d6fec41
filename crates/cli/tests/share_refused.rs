//! `linkwell share`, given what it cannot work with: it says what is wrong, and nothing is changed.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test makes what it looks at, and may stop at the first surprise"
)]

use crate::clients::write;
use crate::share::{home, photos, stands};
use crate::support::{Ground, NOBODY, shell};
use libtest_mimic::Trial;
use linkwell_testkit::crafted;
use linkwell_testkit::listing::listing;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::make;
use linkwell_testkit::volume::{Kind, Volume, alone};
use std::fs;
use std::io::Write as _;
use std::path::Path;

pub(crate) fn trials() -> Vec<Trial> {
    let root = [Need::Root];
    vec![
        test("share refused: a client that nobody knows", unknown_client),
        test("share refused: the volume of what is synced is away", volume_away),
        test_with("share refused: a volume that goes while it is synced", &root, volume_goes),
        test_with("share refused: no room where it is synced", &root, no_room),
        test_with("share refused: a file in it is open for writing", &root, open_for_writing),
        test("share refused: the configuration of the client is malformed", malformed),
        test_with("share refused: somebody else wrote the configuration", &root, somebody_elses),
    ]
}

/// A home with Photos, and with a folder that may be synced.
fn ground() -> Ground {
    let ground = Ground::with(&[]);
    make(&home(&ground), &["Photos/2026/a", "Photos/best -> 2026/a", "Dropbox/own"]);
    ground
}

/// Tells Dropbox which folder it syncs.
fn settings(ground: &Ground, folder: &Path) -> std::path::PathBuf {
    write(ground, ".dropbox/info.json", format!("{{\"personal\":{{\"path\":{folder:?}}}}}"))
}

/// It is refused in each of the ways to ask for it, with these words, and nothing is changed or on record.
fn refused(ground: &Ground, arguments: &[&str], words: &[&str]) -> Ran {
    let before = listing(&home(ground));
    let mut last = None;
    for flag in ["-n", "-y"] {
        let ran = ground.run(&[&["share", flag, &photos(ground)], arguments].concat());
        assert_eq!(ran.code, 1, "{ran:#?}");
        assert!(ran.err.starts_with("error: ") || ran.err.contains("\nerror: "), "{ran:#?}");
        for words in words {
            assert!(ran.err.contains(words), "{words}: {ran:#?}");
        }
        assert_eq!(listing(&home(ground)), before, "{ran:#?}");
        last = Some(ran);
    }
    assert!(stands(ground).is_empty());
    let log = ground.run(&["log"]);
    assert!(!log.out.contains("Photos"), "{log:#?}");
    last.expect("it ran")
}

fn unknown_client() {
    let ground = ground();
    let ran = refused(&ground, &["--with", "dropbx"], &["no client that is known", "`dropbx`"]);
    assert!(ran.err.contains("dropbox"), "what was meant is offered: {ran:#?}");
    // A name that a terminal would obey.
    let ran = refused(&ground, &["--with", "\u{1b}[31m"], &["no client that is known"]);
    assert!(!ran.err.contains('\u{1b}'), "{ran:#?}");
}

fn volume_away() {
    let ground = ground();
    let away = Path::new("/media/linkwell-nobody/stick/Dropbox");
    settings(&ground, away);
    let path = away.display().to_string();
    refused(&ground, &["--with", "dropbox"], &[&path, "nothing was changed"]);
    refused(&ground, &["--into", &path], &["linkwell-nobody", "nothing was changed"]);
    refused(
        &ground,
        &["--with", "dropbox", "--into", &path],
        &["linkwell-nobody", "nothing was changed"],
    );
    assert!(!Path::new("/media/linkwell-nobody").exists());
}

/// What is then seen at its place is the empty folder below.
fn volume_goes() {
    alone(|| {
        let Some(mut volume) = Volume::in_memory(Kind::Ext4, 0) else { return };
        let ground = ground();
        make(&volume.path(), &["Dropbox/own"]);
        settings(&ground, &volume.join("Dropbox"));
        let ran = ground.run(&["share", "-n", "--no-refs", &photos(&ground), "--with", "dropbox"]);
        assert_eq!(ran.code, 0, "{ran:#?}");
        volume.vanish();
        let path = volume.join("Dropbox").display().to_string();
        refused(&ground, &["--with", "dropbox"], &[&path, "nothing was changed"]);
        refused(&ground, &["--into", &path], &[&path, "nothing was changed"]);
        assert_eq!(listing(&volume.path()), "");
    });
}

fn no_room() {
    for (options, why) in
        [("size=1m", "there is room for 1.0 MB only"), ("size=64m,nr_inodes=4", "inodes")]
    {
        alone(|| {
            let ground = ground();
            let at = home(&ground).join("Dropbox");
            let line = format!("mount -t tmpfs -o {options} small '{}'", at.display());
            let ran = shell(Path::new("/"), &line);
            assert_eq!(ran.code, 0, "{ran:?}");
            fs::write(home(&ground).join("Photos/more"), vec![1; 3 << 20]).expect("a file");
            settings(&ground, &at);
            let before = listing(&home(&ground));
            let ran = ground.run(&["share", "-y", &photos(&ground), "--with", "dropbox"]);
            assert_eq!(ran.code, 1, "{ran:#?}");
            assert!(ran.err.contains("error: "), "{ran:#?}");
            assert!(ran.err.contains(why), "{ran:#?}");
            assert_eq!(listing(&home(&ground)), before, "{ran:#?}");
            assert!(stands(&ground).is_empty(), "{ran:#?}");
            let ran = shell(Path::new("/"), &format!("umount '{}'", at.display()));
            assert_eq!(ran.code, 0, "{ran:?}");
        });
    }
}

fn open_for_writing() {
    alone(|| {
        let Some(volume) = Volume::new(Kind::Tmpfs, 0) else { return };
        let ground = ground();
        settings(&ground, &volume.path());
        let place = home(&ground).join("Photos/2026/a");
        let mut file = fs::File::options().append(true).open(&place).expect("it opens");
        refused(&ground, &["--with", "dropbox"], &["open for writing", "Photos"]);
        assert_eq!(listing(&volume.path()), "");
        file.write_all(b" and late").expect("acknowledged");
        assert!(fs::read_to_string(&place).is_ok_and(|text| text.ends_with(" and late")));
        drop(file);
        let ran = ground.run(&["share", "-y", &photos(&ground), "--with", "dropbox"]);
        assert_eq!(ran.code, 0, "nobody writes any more: {ran:#?}");
        // On the way home it is as careful.
        let there = volume.join("Photos/2026/a");
        let mut file = fs::File::options().append(true).open(&there).expect("it opens");
        let ran = ground.run(&["unshare", "-y", "--no-refs", &photos(&ground)]);
        assert!(ran.code == 1 && ran.err.contains("open for writing"), "{ran:#?}");
        file.write_all(b" and later").expect("acknowledged");
        drop(file);
        assert!(fs::read_to_string(&place).is_ok_and(|text| text.ends_with(" and later")));
        assert_eq!(stands(&ground), ["true"]);
        let ran = ground.run(&["unshare", "-y", "--no-refs", &photos(&ground)]);
        assert_eq!(ran.code, 0, "{ran:#?}");
        assert!(fs::read_to_string(&place).is_ok_and(|text| text.ends_with(" and later")));
    });
    // Within the volume it is renamed, and what is written then is in the folder all the same.
    let ground = ground();
    settings(&ground, &home(&ground).join("Dropbox"));
    let place = home(&ground).join("Photos/2026/a");
    let mut file = fs::File::options().append(true).open(&place).expect("it opens");
    let ran = ground.run(&["share", "-y", &photos(&ground), "--with", "dropbox"]);
    file.write_all(b" and late").expect("acknowledged");
    assert!(fs::read_to_string(&place).is_ok_and(|text| text.ends_with(" and late")), "{ran:#?}");
}

fn malformed() {
    for broken in ["", "{\n\"personal\":\n", "\u{1b}[31m"] {
        let ground = ground();
        write(&ground, ".dropbox/info.json", broken);
        let ran = refused(&ground, &["--with", "dropbox"], &["Dropbox", "nothing was changed"]);
        assert!(!ran.err.contains('\u{1b}'), "{ran:#?}");
    }
}

fn somebody_elses() {
    for (owner, mode) in [(NOBODY, 0o644), (0, 0o646)] {
        let ground = ground();
        let file = settings(&ground, &home(&ground).join("Dropbox"));
        std::os::unix::fs::chown(&file, Some(owner), None).expect("root may");
        crafted::allow(&file, mode);
        refused(&ground, &["--with", "dropbox"], &["Dropbox", "nothing was changed"]);
    }
}
