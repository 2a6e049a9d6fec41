//! What people really move, between two real file systems: used through the link, undone, brought home,
//! killed and recovered. Small and without the network here; the program `move-field` of the test kit does it
//! with a registry, a pnpm tree and gigabytes.
#![expect(clippy::disallowed_methods, reason = "a test stands outside, and looks by itself")]

use crate::support::LINKWELL;
use libtest_mimic::Trial;
use linkwell_testkit::daily::{Input, Journey};
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::program::{self, Ran};
use linkwell_testkit::tree::{Scratch, make};
use linkwell_testkit::volume::{Kind, Volume, alone};
use std::path::Path;

/// Each input once on ext4 and XFS, either way round.
const JOURNEYS: [(Input, Kind, Kind); 6] = [
    (Input::Cargo, Kind::Ext4, Kind::Xfs),
    (Input::Pnpm, Kind::Xfs, Kind::Ext4),
    (Input::Git, Kind::Ext4, Kind::Xfs),
    (Input::Sqlite, Kind::Xfs, Kind::Ext4),
    (Input::Large, Kind::Ext4, Kind::Xfs),
    (Input::Large, Kind::Xfs, Kind::Ext4),
];

pub(crate) fn trials() -> Vec<Trial> {
    let trials = JOURNEYS.iter().map(|(input, from, to)| {
        let needs: Vec<Need> =
            [&from.needs()[..], &to.needs(), input.needs(), &[Need::Program("bash")]].concat();
        let name = format!(
            "move daily: {} from {} to {}, used, undone, brought home, killed",
            input.word(),
            from.word(),
            to.word()
        );
        test_with(&name, &needs, move || go(*input, (*from, *to)))
    });
    let first = test_with(
        "move daily: a drive that goes after somebody's very first move is away, not gone",
        &Kind::Ext4.needs(),
        first,
    );
    let memory = test_with(
        "move daily: what goes into memory is said to go with it",
        &Kind::Ext4.needs(),
        into_memory,
    );
    trials.chain([first, memory]).collect()
}

/// On a new computer linkwell has nothing yet in which to remember where drives were.
fn first() {
    alone(|| {
        let Some(volume) = Volume::new(Kind::Ext4, 48 << 20) else { return };
        let scratch = Scratch::with(&["home/Music/song"]);
        let home = scratch.join("home");
        // Below the folder for temporary files, nothing is expected to last.
        shell("mount -t tmpfs none /srv && mkdir /srv/big", &volume, &home);
        shell("mount --bind \"$V\" /srv/big && mkdir /srv/big/old", &volume, &home);
        let ran = linkwell(&home, &["move", "-y", "Music", "/srv/big/"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        shell("umount -l /srv/big", &volume, &home);
        let ran = linkwell(&home, &["check"]);
        assert!(ran.code == 0 && ran.out.contains("which is not attached"), "{ran:?}");
        let away = "`/srv/big`, which is not attached now\nhint: attach it, and try again";
        let ran = linkwell(&home, &["move", "-y", "--back", "Music"]);
        assert!(ran.code == 1 && ran.err.contains(away), "{ran:?}");
        let away = "`/srv/big` is not attached now\nhint: attach it, and try again";
        let ran = linkwell(&home, &["undo", "-y"]);
        assert!(ran.code == 1 && ran.err.contains(away), "{ran:?}");
        shell("mount --bind \"$V\" /srv/big", &volume, &home);
        let ran = linkwell(&home, &["undo", "-y"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(home.join("Music/song").symlink_metadata().is_ok(), "it is home");
    });
}

fn into_memory() {
    alone(|| {
        let volumes = Volume::new(Kind::Tmpfs, 8 << 20).zip(Volume::new(Kind::Ext4, 48 << 20));
        let Some((memory, disk)) = volumes else { return };
        let home = disk.join("home");
        make(&home, &["Music/song", "there/"]);
        let there = memory.join("Music");
        let ran = linkwell(&home, &["move", "-n", "Music", there.to_str().expect("plain")]);
        assert!(ran.code == 0 && ran.out.contains("lies in memory and on no disk"), "{ran:?}");
        let ran = linkwell(&home, &["move", "-n", "Music", "there/"]);
        assert!(ran.code == 0 && !ran.out.contains("memory"), "{ran:?}");
        let ran = linkwell(&home, &["move", "-n", "Music", ""]);
        assert!(
            ran.code == 1 && ran.err.contains("the path that says where to is empty"),
            "{ran:?}"
        );
    });
}

/// As somebody whose home is this.
fn linkwell(home: &Path, words: &[&str]) -> Ran {
    let mut command = program::command(LINKWELL, home);
    command.env("HOME", home).args(words).output().expect("linkwell can be started").into()
}

fn shell(line: &str, volume: &Volume, folder: &Path) {
    let mut command = program::command("/bin/sh", folder);
    let ran = command.args(["-ec", line]).env("V", volume.path()).output().expect("a shell");
    assert!(ran.status.success(), "{ran:?}");
}

fn go(input: Input, disks: (Kind, Kind)) {
    alone(|| {
        let journey = Journey::new(Path::new(LINKWELL), input, disks, false);
        let Some(journey) = journey.unwrap_or_else(|why| unreachable!("{why}")) else { return };
        let row = journey.go().unwrap_or_else(|why| unreachable!("{why}"));
        assert!(row.entries > 1 && row.bytes > 0, "{row:?}");
        let named: Vec<&str> = row.named.iter().copied().collect();
        let wanted: &[&str] = if input == Input::Pnpm { &["hard-links"] } else { &[] };
        assert_eq!(named, wanted, "what cannot be kept, and was said beforehand");
    });
}
