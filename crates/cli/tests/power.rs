//! The power fails while something is moved to another disk: nothing is lost, and `recover` makes it whole.
//!
//! How is told in `linkwell_testkit::power`. `LINKWELL_TEST_POWER=long` cuts at more moments, and on
//! all pairs of file systems; the program `power-cut` of the test kit does it as long as one likes.

use crate::support::LINKWELL;
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::power::{self, Tally};

/// What is done, and between which file systems; a third one holds the journal.
const ROWS: [(&str, &str); 6] = [
    ("move", "ext4:ext4"),
    ("move", "ext4:xfs:ext4"),
    ("killed:2", "ext4:ext4"),
    ("recover:3", "ext4:ext4"),
    ("undo", "ext4:ext4"),
    ("back", "ext4:ext4"),
];

/// What is done at length.
const LONG: [(&str, &str); 14] = [
    ("move", "ext4:ext4"),
    ("move", "ext4:xfs"),
    ("move", "ext4:btrfs"),
    ("move", "xfs:xfs"),
    ("move", "btrfs:ext4"),
    ("move", "ext4:xfs:ext4"),
    ("killed:2", "ext4:xfs"),
    ("killed:3", "xfs:ext4"),
    ("recover:2", "ext4:xfs"),
    ("recover:3", "ext4:btrfs"),
    ("undo", "ext4:xfs"),
    ("undo", "ext4:btrfs"),
    ("back", "ext4:xfs"),
    ("back", "xfs:xfs"),
];

pub(crate) fn trials() -> Vec<Trial> {
    let long = std::env::var_os("LINKWELL_TEST_POWER").is_some_and(|value| value == "long");
    let rows: &'static [_] = if long { &LONG } else { &ROWS };
    let cuts = if long { "40" } else { "24" };
    let mut needs = power::NEEDS.to_vec();
    let mut trials = vec![test_with("power: without syncs, files are lost", &needs, controls)];
    if long {
        needs.push(Need::Program("mkfs.btrfs"));
    }
    trials.extend(rows.iter().map(|(job, disks)| {
        test_with(&format!("power: {job}, {disks}"), &needs, move || {
            let tally = cut("linkwell", job, disks, cuts);
            assert_eq!(tally.bad(), 0, "{}", tally.text());
            assert!(tally.states >= 72 && tally.files > 50, "{}", tally.text());
        })
    }));
    trials
}

fn cut(mover: &str, job: &str, disks: &str, cuts: &str) -> Tally {
    let words = ["--program", LINKWELL, "--mover", mover, "--job", job, "--pair", disks];
    power::cut(&[&words[..], &["--cuts", cuts]].concat())
}

/// That the cuts find what they are to find.
fn controls() {
    for mover in ["linkwell-unsynced", "mv"] {
        let tally = cut(mover, "move", "ext4:ext4", "24");
        assert!(tally.losing > 0, "{mover}: {}", tally.text());
    }
}
