//! What exchanging two names does to the thing that gets another name: nothing.

use crate::support::shell;
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::tree::Scratch;

pub(crate) fn trials() -> Vec<Trial> {
    let needs =
        [Need::Root, Need::LoopDevices, Need::Program("mkfs.xfs"), Need::Program("unshare")];
    vec![test_with(
        "move: a folder keeps its time where an exchange gives it another",
        &needs,
        time,
    )]
}

/// xfs counts the new `..` of a folder as a change of its contents when two names are exchanged, and only
/// then: `mv` leaves the time as it is.
fn time() {
    let scratch = Scratch::new();
    let line = "unshare -m sh -ec '
        truncate -s 320M img; mkfs.xfs -q img; mkdir v; mount -o loop img v; cd v
        export XDG_STATE_HOME=$PWD/state; mkdir state home big; mkdir home/music; echo x > home/music/song
        touch -d @1000000000.123456789 home/music
        time() { stat -L -c \"$1 %.9Y\" home/music; }
        \"$L\" move -yq home/music big/music; test -L home/music; time there
        \"$L\" undo -yq; test -d home/music -a ! -L home/music; time undone
        \"$L\" move -yq home/music big/music; \"$L\" move --back -yq home/music
        test ! -L home/music; time back'";
    let ran = shell(&scratch.path(), line);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told = ["there", "undone", "back"].map(|when| format!("{when} 1000000000.123456789\n"));
    assert!(ran.out.ends_with(&told.concat()), "{ran:?}");
}
