//! `create` with every name that the system allows, with as many as one likes, and stopped among them.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a test stands outside: it makes its trees, looks at them by itself, and prints what was counted"
)]

use crate::create::{create, listed};
use crate::support::{Ground, LINKWELL, bytes, objects, of_type, text};
use libtest_mimic::Trial;
use linkwell_testkit::crafted;
use linkwell_testkit::need::test;
use linkwell_testkit::program::Ran;
use linkwell_testkit::running::Running;
use linkwell_testkit::tree::Scratch;
use std::ffi::OsStr;
use std::os::fd::AsRawFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("create: every byte in names and targets, and back", every_byte),
        test("create: 255 bytes, 256 bytes, 4,095 bytes, 4,096 bytes", lengths),
        test("create: deeper than a path can be long", deep),
        test("create: --from-list takes every name", from_list),
        test("create: Ctrl-C in the middle: 130, and everything as before", interrupted),
    ]
}

/// So many links are being made when Ctrl-C comes, unless `LINKWELL_TEST_LINKS` says otherwise.
const MANY: usize = 20_000;

/// Names that hold every byte that a name can.
fn all_names() -> Vec<Vec<u8>> {
    let each = (1..=255_u8).filter(|byte| *byte != b'/').map(|byte| vec![b'n', byte]);
    let alone = (1..=255_u8).filter(|byte| !matches!(byte, b'/' | b'.')).map(|byte| vec![byte]);
    let some = [
        &b"-n"[..],
        b"--force",
        b"a\nb",
        b" ",
        b"\xff\xfe\xed\xa0\x80",
        b"...",
        b"\xc3\xa9",
        b"$(x)",
        b"\x1b[31m",
    ];
    let mut all: Vec<Vec<u8>> = each.chain(alone).chain(some.map(<[u8]>::to_vec)).collect();
    all.sort();
    all.dedup();
    all
}

fn every_byte() {
    let ground = Ground::with(&["to/", "in/"]);
    let names = all_names();
    let to = ground.tree().join("to");
    for name in &names {
        crafted::file(&to, name, b"own");
    }
    let before = ground.listing();
    let mut list = Vec::new();
    for name in &names {
        for part in [&b"to/"[..], name, b"\0in/", name, b"\0"] {
            list.extend_from_slice(part);
        }
    }
    let ran = listed(&ground, &list, &["-y", "-r", "--json", "-v"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    // The plan holds each name exactly, and so does the disk.
    let items = of_type(&ran, "item");
    let paths: std::collections::BTreeSet<Vec<u8>> =
        items.iter().filter_map(|item| bytes(item, "path")).collect();
    assert_eq!(paths.len(), names.len());
    for name in &names {
        assert!(paths.contains(&[b"in/", name.as_slice()].concat()), "{name:?}");
        let link = ground.tree().join("in").join(OsStr::from_bytes(name));
        let text = std::fs::read_link(&link).expect("a link");
        assert_eq!(text.as_os_str().as_bytes(), [b"../to/", name.as_slice()].concat());
    }
    // In words, nothing reaches the terminal that it could interpret.
    let shown = ground.run(&["log", "1"]);
    let wild = |byte: &u8| (*byte < 0x20 && *byte != b'\n') || *byte == 0x7f;
    assert!(!shown.out.bytes().any(|byte| wild(&byte)), "{}", shown.out);
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.listing(), before);
    // The same as arguments, one by one, after `--`.
    for name in names.iter().rev().take(20).chain(names.iter().take(3)) {
        let target = [b"to/", name.as_slice()].concat();
        let arguments = [b"create", &b"-yr"[..], b"--", &target, name].map(OsStr::from_bytes);
        let ran = ground.run(&arguments);
        assert_eq!(ran.code, 0, "{name:?}: {ran:?}");
        assert_eq!(ground.run(&["undo", "-y"]).code, 0, "{name:?}");
    }
    assert_eq!(ground.listing(), before);
}

fn lengths() {
    let ground = Ground::with(&["f", "d/"]);
    let before = ground.listing();
    let most = "n".repeat(255);
    for kind in ["-r", "--absolute", "--hard"] {
        let ran = create(&ground, &["-y", kind, "f", &most]);
        assert_eq!(ran.code, 0, "{kind}: {ran:?}");
        assert_eq!(ground.run(&["undo", "-y"]).code, 0);
        let ran = create(&ground, &["-y", kind, "f", &"n".repeat(256)]);
        assert_eq!((ran.code, ground.listing()), (1, before.clone()), "{kind}: {ran:?}");
    }
    // With its ending a shortcut's name would be longer than a name can be.
    let ran = create(&ground, &["-y", "--shortcut", "f", &"n".repeat(250)]);
    assert_eq!((ran.code, ground.listing()), (1, before.clone()), "{ran:?}");
    // So would the backup's.
    assert_eq!(create(&ground, &["-y", "-r", "f", &most]).code, 0);
    let ran = create(&ground, &["-y", "-r", "-b", "d", &most]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(
        create(&ground, &["-y", "-r", "-f", "d", &most]).code,
        0,
        "a link at a long name is replaced"
    );
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.listing(), before);
    // Targets: as long as a link can hold, and a byte longer.
    for (length, code) in [(4095, 0), (4096, 1)] {
        let mut target = "/x".repeat(2100);
        target.truncate(length);
        let ran = create(&ground, &["-y", "--absolute", "--allow-broken", &target, "long"]);
        assert_eq!(ran.code, code, "{length}: {ran:?}");
        if code == 0 {
            let text = std::fs::read_link(ground.tree().join("long")).expect("a link");
            assert_eq!(text.as_os_str().as_bytes(), target.as_bytes());
            assert_eq!(ground.run(&["undo", "-y"]).code, 0);
        }
        assert_eq!(ground.listing(), before);
    }
}

fn deep() {
    // 20 folders of 250 letters: 5,000 bytes, which no path can name whole.
    let ground = Ground::with(&[]);
    let name = "d".repeat(250);
    let mode = rustix::fs::Mode::RWXU;
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY;
    let mut here = rustix::fs::open(ground.tree(), flags, mode).expect("the tree");
    for _ in 0..20 {
        rustix::fs::mkdirat(&here, &name, mode).expect("a folder");
        here = rustix::fs::openat(&here, &name, flags, mode).expect("a folder");
    }
    let line = "echo own > f; mkdir e; \"$L\" create -y -r f l || exit 1; \"$L\" create -y -r f e/ || exit 2; \
         \"$L\" create -y --hard f h || exit 3; cat l e/f h || exit 4; ls -A; \
         \"$L\" undo -y || exit 5; \"$L\" undo -y || exit 6; \"$L\" undo -y || exit 7; echo =; ls -A . e";
    let mut command = Command::new("/bin/sh");
    command.args(["-c", line]).env_clear().env("L", LINKWELL);
    // The only short name that such a folder has.
    command.current_dir(format!("/proc/self/fd/{}", here.as_raw_fd()));
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.env("HOME", ground.scratch().join("home"));
    command.env("XDG_STATE_HOME", ground.scratch().join("state"));
    let ran: Ran = command.output().expect("a shell").into();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("own\nown\nown\ne\nf\nh\nl\n"), "{ran:?}");
    assert!(ran.out.ends_with("=\n.:\ne\nf\n\ne:\n"), "{ran:?}");
}

fn from_list() {
    let ground = Ground::with(&["f", "d/"]);
    let before = ground.listing();
    for (list, said) in
        [(&b"f\0n"[..], "does not end with a NUL byte"), (b"f\0n\0g\0", "a target without a link")]
    {
        let ran = listed(&ground, list, &["-y"]);
        assert_eq!((ran.code, ground.listing()), (2, before.clone()), "{ran:?}");
        assert!(ran.err.contains(said), "{ran:?}");
    }
    let ran = listed(&ground, b"", &["-y"]);
    assert_eq!((ran.code, ground.listing()), (0, before.clone()), "{ran:?}");
    // Empty names, the same name twice, one inside a folder.
    let ran = listed(&ground, b"f\0n\0f\0n\0\0m\0f\0\0f\0d/\0", &["-y", "-r", "--json"]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let why: Vec<String> = of_type(&ran, "conflict").iter().map(|one| text(one, "why")).collect();
    assert_eq!(why, ["name", "name", "twice"], "{ran:?}");
    let report = objects(&ran).pop().expect("a report");
    assert_eq!(report.get("done").and_then(serde_json::Value::as_u64), Some(2), "{ran:?}");
    assert_eq!(std::fs::read_link(ground.tree().join("d/f")).expect("a link"), Path::new("../f"));
    assert_eq!(ground.run(&["undo", "-y"]).code, 0);
    assert_eq!(ground.listing(), before);
}

fn interrupted() {
    let many = std::env::var("LINKWELL_TEST_LINKS")
        .ok()
        .and_then(|many| many.parse().ok())
        .unwrap_or(MANY);
    let ground = Ground::with(&["f", "in/", "in/own"]);
    let before = ground.listing();
    let list = Scratch::new();
    let pairs: String = (0..many).map(|number| format!("f\0in/l{number}\0")).collect();
    crafted::file(&list.path(), b"list", pairs.as_bytes());
    let mut command = ground.command();
    command.args(["create", "--from-list", "-y", "-q", "-r"]);
    command.stdin(std::fs::File::open(list.join("list")).expect("the list"));
    let mut running = Running::start(&mut command);
    running.wait_until_it_heeds();
    // Until the first link is there, it is only planning.
    while std::fs::symlink_metadata(ground.tree().join("in/l0")).is_err() {
        assert!(running.still_runs(), "it ended before a link was made");
        std::thread::yield_now();
    }
    running.interrupt();
    let (_, err, code, took) = running.end();
    let err = String::from_utf8_lossy(&err).into_owned();
    println!("taken back in {took:?}");
    assert_eq!((code, ground.listing()), (130, before), "{err}");
    assert!(err.contains("stopped; everything is as it was before"), "{err}");
    assert!(took < Duration::from_secs(600), "it must end");
    assert_eq!(ground.strays(), Vec::<String>::new());
    let recover = ground.run(&["recover", "-y"]);
    assert!(recover.err.contains("nothing was interrupted"), "{recover:?}");
}
