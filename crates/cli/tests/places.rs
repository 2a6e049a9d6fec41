//! Where a person stands and looks: odd current folders, roots within roots, and a home that hangs.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test makes what it looks at, and may stop at the first surprise"
)]

use crate::support::{as_nobody, links, linkwell, shell, text};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::Scratch;
use std::os::unix::fs::PermissionsExt as _;

pub(crate) fn trials() -> Vec<Trial> {
    let hang = [
        Need::Root,
        Need::Fuse,
        Need::Program("bindfs"),
        Need::Program("unshare"),
        Need::Program("timeout"),
    ];
    vec![
        test("places: a current folder that is gone leads nowhere", gone),
        test_with("places: a root is kept if the walk cannot come to it", &[Need::Root], kept),
        test("places: one file seen through two roots has its names once", twice),
        test_with("places: a link without text is listed all the same", &[Need::Root], textless),
        test_with("places: a home or a root on a dead volume hangs nothing", &hang, dead),
    ]
}

fn gone() {
    let scratch = Scratch::with(&["g/"]);
    for verb in ["show etc", "refs etc --under /nonexistent", "show ./etc"] {
        let line = format!("cd g && rmdir ../g && \"$L\" {verb}; mkdir -p ../g 2>/dev/null");
        let ran = shell(&scratch.path(), &format!("{{ {line}; }}; mkdir -p g"));
        assert!(ran.err.contains("the current folder"), "{verb}: {ran:?}");
        assert!(!ran.out.contains("/etc"), "{verb}: {ran:?}");
    }
}

fn kept() {
    let scratch = Scratch::with(&["d/a/b/l -> gone"]);
    let closed = scratch.join("d/a");
    std::fs::set_permissions(closed, std::fs::Permissions::from_mode(0o711)).expect("our own");
    let run = |arguments: &[&str]| -> Ran {
        as_nobody(&scratch).args(arguments).output().expect("linkwell can be started").into()
    };
    assert_eq!(links(&run(&["check", "--json", "d/a/b"])).len(), 1);
    assert_eq!(links(&run(&["check", "--json", "d", "d/a/b"])).len(), 1);
    assert_eq!(links(&linkwell(&scratch.path(), &["check", "--json", "d", "d/a/b"])).len(), 1);
}

fn twice() {
    let scratch = Scratch::with(&["a/f", "b/f2 == a/f"]);
    let ran = linkwell(&scratch.path(), &["list", "--hard", "--json", "a", "./a"]);
    for link in links(&ran) {
        assert_eq!(link.get("outside").and_then(serde_json::Value::as_u64), Some(1), "{link}");
    }
    assert_eq!(links(&ran).len(), 2);
}

fn textless() {
    // A thread of the kernel has a link to its program, and no program.
    let stub = std::fs::read_dir("/proc").expect("proc").flatten().find_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        name.parse::<u32>().ok()?;
        let exe = entry.path().join("exe");
        let missing = std::fs::read_link(exe).err()?.kind() == std::io::ErrorKind::NotFound;
        missing.then_some(name)
    });
    // In a container there are none to be seen.
    let Some(number) = stub else { return };
    let path = format!("/proc/{number}/exe");
    let scratch = Scratch::new();
    let ran = linkwell(&scratch.path(), &["list", "--virtual", "--json", &path]);
    let found = links(&ran);
    assert_eq!(found.len(), 1, "{ran:?}");
    assert_eq!(
        (text(&found[0], "health").as_str(), found[0]["target"].is_null()),
        ("unknown", true)
    );
}

fn dead() {
    let scratch = Scratch::with(&["real/d/f", "hung/", "t/ok -> f", "t/f", "L -> hung", "out/"]);
    let script = r#"
        bindfs -f -o entry_timeout=0,attr_timeout=0 real hung & server=$!
        for i in $(seq 500); do mountpoint -q hung && break; sleep 0.01; done
        kill -STOP $server
        run() { timeout -s KILL 15 env "$@" >>out/said 2>&1; echo "$?"; }
        T="--time-limit 0.3"
        run HOME=$PWD/hung "$L" list $T t
        run HOME=/nonexistent XDG_STATE_HOME=$PWD/hung/s "$L" list $T t
        run HOME=$PWD/hung/h XDG_STATE_HOME=/nonexistent/a/b "$L" check $T t
        run HOME=/nonexistent "$L" list $T L/sub
        run HOME=/nonexistent "$L" list $T L/
        run HOME=/nonexistent "$L" refs $T t/f --under L/z
        run HOME=/nonexistent "$L" list $T L
        kill -CONT $server; umount -l hung; wait $server 2>/dev/null; true
    "#;
    let ran = shell(&scratch.path(), &format!("unshare -m --propagation private sh -c '{script}'"));
    let codes: Vec<&str> = ran.out.lines().collect();
    assert_eq!(codes, ["0", "0", "0", "3", "3", "3", "0"], "{ran:?}");
}
