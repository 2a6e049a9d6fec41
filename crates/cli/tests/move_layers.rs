//! `move` on an overlay: what its lower layers refuse is refused before anything is done, the rest is moved.

use crate::support::{Ground, LINKWELL};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::program::Ran;
use std::process::Command;

pub(crate) fn trials() -> Vec<Trial> {
    let needs = [Need::Root, Need::Program("unshare")];
    vec![test_with(
        "move: a folder of a lower layer is refused, one above it moves",
        &needs,
        layers,
    )]
}

fn layers() {
    let ground = Ground::with(&["low/A/f", "low/file"]);
    // The upper layer must lie on a file system that can hold one: memory can.
    let script = r#"
        export HOME=$PWD/../home XDG_STATE_HOME=$PWD/../state
        mkdir top && mount -t tmpfs none top && mkdir top/up top/work m &&
        mount -t overlay none -o lowerdir=low,upperdir=top/up,workdir=top/work m && cd m || exit 9
        "$L" move -y A B; echo "= $?"; cat A/f; ls
        mkdir C; echo c >C/g
        "$L" move -y C D; echo "= $?"; cat C/g D/g
        "$L" undo -y; echo "= $?"; [ -L C ] || cat C/g
        "$L" move -y file D; echo "= $?"; cat file
    "#;
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-c", script]);
    command.current_dir(ground.tree()).env("L", LINKWELL);
    let ran: Ran = command.output().expect("unshare can be started").into();
    assert_eq!(ran.code, 0, "{ran:?}");
    let codes: Vec<&str> = ran.out.lines().filter(|line| line.starts_with("= ")).collect();
    assert_eq!(codes, ["= 1", "= 0", "= 0", "= 0"], "{ran:?}");
    assert!(ran.err.contains("lower layer") && ran.err.contains("cp -a"), "{ran:?}");
    assert_eq!(ran.out.lines().filter(|line| *line == "c").count(), 3, "{ran:?}");
    assert_eq!(ran.out.lines().filter(|line| *line == "B").count(), 0, "{ran:?}");
}
