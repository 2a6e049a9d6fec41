//! The watcher and the ways to things: folders with two names, folders that cannot be heard of, what a volume had
//! hidden, ways that are led elsewhere, and names that will soon be another's.

use crate::support::{Child, Piece};
use crate::watch_support::{Ground, Marker, Watching, text};
use libtest_mimic::Trial;
use linkwell_engine::watch::Hint;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::tree::make;
use linkwell_testkit::volume::{Kind, Volume};
use rustix::mount::{UnmountFlags, mount_bind, unmount};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Duration;

pub(crate) fn trials() -> Vec<Trial> {
    let unshare = [Need::Root, Need::Program("unshare")];
    vec![
        test_with(
            "watch: a folder that is mounted twice is heard of under both names",
            &unshare,
            twice,
        ),
        test("watch: a folder that may be entered and not read is looked at now and then", deaf),
        test_with(
            "watch: what a volume had hidden is not taken for what lay on it",
            &Kind::Ext4.needs(),
            hidden,
        ),
        test(
            "watch: a way that is led elsewhere is meant, whatever becomes of the old one",
            switched,
        ),
        test("watch: an old log, a backup: it is asked about, and answers itself", spare),
        test(
            "watch: a link that moves is followed, though a file takes its name at once",
            replaced,
        ),
        test("watch: looking once ends, though an operation is unfinished", unfinished),
    ]
}

/// The pieces that run in a child.
pub(crate) const PIECES: &[Piece] =
    &[("watch: twice", twice_piece), ("watch: deaf", deaf_piece), ("watch: hidden", hidden_piece)];

fn heals(ground: &Ground, watching: &Watching, link: &str, text: &str) {
    watching.until(&format!("{link} leads to {text}"), || ground.text(link) == text);
}

fn mv(ground: &Ground, from: &str, to: &str) {
    fs::rename(ground.join(from), ground.join(to)).expect("renamed");
}

/// In a process of its own: the table of mounts is that of a process, not of a thread.
fn apart(piece: &'static str) -> String {
    Child::under(&["unshare", "-m", "--propagation", "private"], piece).run()
}

fn twice() {
    assert!(apart("watch: twice").contains("under both names"));
}

fn twice_piece() {
    for whole in [false, true] {
        let ground = Ground::new(&["data/d/f", "data/d/g", "data/d/h", "bind/", "l/"]);
        let marker = Marker::new(&ground);
        mount_bind(ground.join("data"), ground.join("bind")).expect("mounted");
        let absolute = |name: &str| ground.join(name).to_str().expect("a plain path").to_owned();
        for (link, to) in [("f", "data/d/f"), ("g", "bind/d/g"), ("lost", "bind/d/later")] {
            symlink(ground.join(to), ground.join("l").join(link)).expect("a link");
        }
        ground.track_all(&["l/f", "l/g", "l/lost"]);
        let mut settings = ground.settings();
        settings.whole = whole;
        let watching = Watching::start(settings);
        let is = |link: &str, to: &str| heals(&ground, &watching, link, &absolute(to));
        // By either name of the folder, both links are followed, each by its own way.
        mv(&ground, "bind/d/f", "bind/d/f2");
        is("l/f", "data/d/f2");
        mv(&ground, "data/d/g", "data/d/g2");
        is("l/g", "bind/d/g2");
        // What is missing under one of the names is still waited for when something came back under the other.
        watching.until("it is lost", || watching.count("lost") > 0);
        fs::remove_file(ground.join("data/d/f2")).expect("removed");
        watching.until("so is the other", || watching.count("lost") > 1);
        fs::write(ground.join("data/d/f2"), "").expect("written");
        watching.until("it is back", || watching.count("back") > 0);
        fs::write(ground.join("data/d/later"), "").expect("written");
        watching.until("and the other", || watching.count("back") > 1);
        // A folder above.
        mv(&ground, "data/d", "data/e");
        is("l/f", "data/e/f2");
        is("l/g", "bind/e/g2");
        watching.until_settled(&marker);
        // One name less: the other is still heard of.
        ground.catalogue().forget(&[ground.entry("l/f").expect("on record").id]).expect("it goes");
        watching.queue.put(Hint::Reload);
        watching.until("it is forgotten", || watching.counts().links == 3);
        mv(&ground, "bind/e/g2", "bind/e/g3");
        is("l/g", "bind/e/g3");
        watching.until_settled(&marker);
        watching.end();
        unmount(ground.join("bind"), UnmountFlags::DETACH).expect("unmounted");
    }
    println!("under both names");
}

fn deaf() {
    assert!(Child::unprivileged("watch: deaf").run().contains("looked at"));
}

fn deaf_piece() {
    let ground = Ground::new(&["srv/in", "srv/other", "t/f", "l/in -> ../srv/in", "l/f -> ../t/f"]);
    let allow = |name: &str, mode: u32| {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(ground.join(name), mode).expect("changed");
    };
    allow("srv", 0o311);
    ground.track_all(&["l/in", "l/f"]);
    let mut settings = ground.settings();
    settings.again = Duration::from_secs(1);
    let watching = Watching::start(settings);
    let said = watching.until_said("trouble");
    assert!(said.words.contains("srv") && said.words.contains("cannot be heard of"), "{said:?}");
    mv(&ground, "srv/in", "srv/moved");
    heals(&ground, &watching, "l/in", "../srv/moved");
    mv(&ground, "srv/moved", "t/again");
    heals(&ground, &watching, "l/in", "../t/again");
    assert_eq!(watching.count("trouble"), 1, "once: {:#?}", watching.said());
    allow("srv", 0o755);
    println!("looked at");
}

fn hidden() {
    assert!(apart("watch: hidden").contains("not taken"));
}

fn hidden_piece() {
    let Some(mut volume) = Volume::new(Kind::Ext4, 32 << 20) else { return };
    let ground = Ground::new(&["l/"]);
    let marker = Marker::new(&ground);
    make(&volume.path(), &["t/f", "in/l -> ../t/f"]);
    symlink(volume.join("t/f"), ground.join("l/f")).expect("a link");
    // Below the volume, the same names.
    volume.take_away().expect("it is not busy");
    make(&volume.path(), &["t/f", "in/l"]);
    volume.come_back();
    ground.track(&[ground.join("l/f"), volume.join("in/l")]);
    let before = ground.entry("l/f").expect("on record").target.expect("seen");
    let watching = ground.watch();
    watching.until_settled(&marker);
    volume.take_away().expect("it is not busy");
    watching.until("both sleep", || watching.count("asleep") == 2);
    watching.until_settled(&marker);
    let kept = ground.entry("l/f").expect("on record").target.expect("seen");
    assert_eq!((kept.inode, kept.volume), (before.inode, before.volume));
    assert_eq!(watching.count("replaced"), 0, "{:#?}", watching.said());
    volume.come_back();
    watching.until("both are back", || watching.count("back") == 2);
    // And what lay on it is known as ever.
    fs::rename(volume.join("t/f"), volume.join("t/g")).expect("renamed");
    let led = |link: std::path::PathBuf| text(&link).is_some_and(|text| text.ends_with("t/g"));
    watching.until("both are healed", || led(ground.join("l/f")) && led(volume.join("in/l")));
    // Away and back before anybody looks: it is the volume that it was.
    watching.until_settled(&marker);
    volume.take_away().expect("it is not busy");
    volume.come_back();
    watching.until_settled(&marker);
    fs::rename(volume.join("t/g"), volume.join("t/h")).expect("renamed");
    let led = |link: std::path::PathBuf| text(&link).is_some_and(|text| text.ends_with("t/h"));
    watching.until("both are healed again", || led(ground.join("l/f")) && led(volume.join("in/l")));
    watching.end();
    println!("not taken");
}

fn switched() {
    let ground = Ground::new(&["r1/x", "r2/", "current -> r1", "w -> current/x"]);
    let marker = Marker::new(&ground);
    ground.track_all(&["w"]);
    let watching = ground.watch();
    symlink("r2", ground.join("new")).expect("a link");
    mv(&ground, "new", "current");
    watching.until_said("retargeted");
    watching.until_settled(&marker);
    mv(&ground, "r1", "archive");
    watching.until_settled(&marker);
    assert_eq!(ground.text("w"), "current/x", "{:#?}", watching.said());
    watching.end();
    // The same for one that begins only now.
    mv(&ground, "archive", "far");
    let watching = ground.watch();
    watching.until_settled(&marker);
    assert_eq!(ground.text("w"), "current/x", "{:#?}", watching.said());
    fs::write(ground.join("r2/x"), "new").expect("written");
    watching.until("it leads to the new one", || {
        let to = ground.entry("w").map(|entry| entry.link.to.as_bytes().to_vec());
        to.is_some_and(|to| to.ends_with(b"/r2/x"))
    });
    mv(&ground, "r2", "r3");
    heals(&ground, &watching, "current", "r3");
    assert_eq!(ground.text("w"), "current/x");
}

fn spare() {
    let ground = Ground::new(&["t/app.log", "t/d/f", "l/log -> ../t/app.log", "l/f -> ../t/d/f"]);
    let marker = Marker::new(&ground);
    ground.track_all(&["l/log", "l/f"]);
    let watching = ground.watch();
    mv(&ground, "t/app.log", "t/app.log.1");
    mv(&ground, "t/d", "t/d.old");
    watching.until("both are asked about", || ground.questions().len() == 2);
    watching.until_settled(&marker);
    assert_eq!(
        (ground.text("l/log"), ground.text("l/f")),
        ("../t/app.log".into(), "../t/d/f".into())
    );
    make(&ground.tree.path(), &["t/app.log", "t/d/f"]);
    watching.until("nothing is asked any more", || ground.questions().is_empty());
    // The control: any other name is followed.
    mv(&ground, "t/app.log", "t/application.log");
    heals(&ground, &watching, "l/log", "../t/application.log");
}

fn replaced() {
    let ground = Ground::new(&["t1", "t2", "l -> t1", "m -> t2", "sub/"]);
    let marker = Marker::new(&ground);
    ground.track_all(&["l", "m"]);
    let watching = ground.watch();
    mv(&ground, "l", "sub/l");
    fs::write(ground.join("l"), "x").expect("written");
    heals(&ground, &watching, "sub/l", "../t1");
    watching.until_settled(&marker);
    assert_eq!(watching.count("replaced"), 0, "{:#?}", watching.said());
    assert_eq!(fs::read(ground.join("l")).expect("read"), b"x");
    // The control: a program that saves over a link, and keeps that as a backup.
    mv(&ground, "m", "m~");
    fs::write(ground.join("m"), "saved").expect("written");
    watching.until_said("replaced");
}

fn unfinished() {
    let ground = Ground::new(&["t/f", "other/", "l/f -> ../t/f"]);
    ground.track_all(&["l/f"]);
    let operations = ground.state_path().join("operations");
    fs::create_dir(&operations).expect("a folder");
    fs::write(operations.join("000001.unfinished"), "").expect("written");
    mv(&ground, "t/f", "other/f");
    let mut settings = ground.settings();
    settings.once = true;
    let watching = Watching::start(settings);
    watching.until_said("trouble");
    assert_eq!(watching.ends().held_up, Some(1));
    assert_eq!(ground.text("l/f"), "../t/f");
}
