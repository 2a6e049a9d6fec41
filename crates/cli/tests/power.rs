//! The power fails while something is moved to another disk: nothing is lost, and `recover` makes it whole.
//!
//! How is told in `linkwell_testkit::power`. `LINKWELL_TEST_POWER=long` cuts at more moments, and on
//! all pairs of file systems; the program `power-cut` of the test kit does it as long as one likes.

#![expect(
    clippy::disallowed_methods,
    reason = "a test stands outside: it asks how long it may take"
)]

use crate::support::LINKWELL;
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::power::{self, Tally};

/// What is done, with what, and on which file systems.
type Row = (&'static str, &'static str, &'static str);

const ROWS: [Row; 8] = [
    ("move", "tree", "ext4:ext4"),
    ("move", "tree", "ext4:xfs:ext4"),
    ("move", "few", "ext4:ext4"),
    ("move", "tree", "ext4"),
    ("move@renameat2:3", "tree", "ext4:ext4"),
    ("move@unlinkat:9,recover", "tree", "ext4:ext4"),
    ("move,undo", "tree", "ext4:ext4"),
    ("move,back", "tree", "ext4:ext4"),
];

/// What is done at length.
const LONG: [Row; 26] = [
    ("move", "tree", "ext4:ext4"),
    ("move", "tree", "ext4:xfs"),
    ("move", "tree", "ext4:btrfs"),
    ("move", "tree", "xfs:xfs"),
    ("move", "tree", "btrfs:ext4"),
    ("move", "tree", "ext4:xfs:ext4"),
    ("move", "tree", "xfs:ext4:btrfs"),
    ("move", "few", "ext4:xfs"),
    ("move", "few", "ext4:btrfs:ext4"),
    ("move", "many", "ext4:ext4"),
    ("move", "file", "xfs:xfs"),
    ("move", "tree", "ext4"),
    ("move+keep,undo", "tree", "ext4:xfs"),
    ("move+no-link", "tree", "xfs:btrfs"),
    ("move", "tree", "xfs"),
    ("move", "tree", "btrfs"),
    ("move@renameat2:2", "tree", "ext4:xfs"),
    ("move@renameat2:3", "tree", "xfs:ext4"),
    ("move@unlinkat:30", "tree", "ext4:btrfs"),
    ("move@renameat2:3,recover", "tree", "ext4:btrfs"),
    ("move@unlinkat:30,recover", "many", "xfs:xfs"),
    ("move,undo", "tree", "ext4:xfs"),
    ("move,undo@renameat2:3,recover", "tree", "ext4:xfs"),
    ("move,back", "tree", "ext4:btrfs"),
    ("move,back@unlinkat:30,recover", "tree", "xfs:xfs"),
    ("aside,contents", "tree", "ext4:xfs"),
];

pub(crate) fn trials() -> Vec<Trial> {
    let long = std::env::var_os("LINKWELL_TEST_POWER").is_some_and(|value| value == "long");
    let rows: &'static [_] = if long { &LONG } else { &ROWS };
    let cuts: &'static [_] =
        if long { &["--cuts", "40"] } else { &["--cuts", "16", "--runs", "2"] };
    let mut needs = power::NEEDS.to_vec();
    let mut trials = vec![test_with("power: without syncs, files are lost", &needs, controls)];
    if long {
        needs.push(Need::Program("mkfs.btrfs"));
    }
    trials.extend(rows.iter().map(|(job, goods, disks)| {
        test_with(&format!("power: {job}, {goods}, on {disks}"), &needs, move || {
            let words = ["--job", job, "--goods", goods, "--disks", disks];
            let tally = cut("linkwell", &[&words, cuts].concat());
            assert!(tally.states >= 48 && tally.files > 0, "{}", tally.text());
            assert_eq!(tally.bad(), 0, "{}", tally.text());
        })
    }));
    trials
}

fn cut(mover: &str, words: &[&str]) -> Tally {
    let tally = power::cut(&[&["--program", LINKWELL, "--mover", mover], words].concat());
    tally.unwrap_or_else(|why| unreachable!("{why}"))
}

/// That the cuts find what they are to find.
fn controls() {
    for mover in ["linkwell-unsynced", "mv"] {
        let tally = cut(mover, &["--cuts", "24"]);
        assert!(tally.losing > 0, "{mover}: {}", tally.text());
        // Nobody recovers after `mv`.
        let found = [tally.torn, tally.forgotten].map(|count| count > 0);
        assert_eq!(found, [mover != "mv"; 2], "{mover}: {}", tally.text());
    }
}
