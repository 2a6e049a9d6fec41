//! What looking remembers, and that it writes nowhere but in a folder of this user's own.

use crate::support::fail;
use libtest_mimic::Trial;
use linkwell_engine::memory::{recall, remember};
use linkwell_engine::system::System;
use linkwell_model::path::AbsPath;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::tree::{Scratch, bytes};
use std::collections::BTreeSet;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("memory: a place is remembered, and forgotten with its folder", remembered),
        test("memory: nothing is written where others may write", shared),
        test("memory: no link is followed, and no more than two folders are made", links),
        test_with("memory: nothing is written in other people's folders", &[Need::Root], foreign),
    ]
}

fn place(path: &Path) -> AbsPath {
    AbsPath::cleaned(&bytes(path)).unwrap_or_else(|| fail("not absolute"))
}

fn places(path: &Path) -> BTreeSet<AbsPath> {
    BTreeSet::from([place(path)])
}

fn allow(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("our own");
}

/// Everything below a folder, with modes: what must not change.
fn below(folder: &Path) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("our own") {
        let entry = entry.expect("our own");
        let status = entry.metadata().expect("our own");
        found.push((entry.path().display().to_string(), status.permissions().mode()));
        if status.is_dir() {
            found.extend(below(&entry.path()));
        }
    }
    found.sort();
    found
}

fn remembered() {
    let scratch = Scratch::with(&["disk/", "other/"]);
    let state = scratch.join("state/linkwell");
    let (system, disk) = (System::new(), places(&scratch.join("disk")));
    assert_eq!(recall(system, &place(&state)), BTreeSet::new());
    remember(system, &place(&state), &disk);
    assert_eq!(recall(system, &place(&state)), disk);
    let mode = |path: &Path| path.metadata().expect("it was made").permissions().mode() & 0o777;
    assert_eq!((mode(&state), mode(&state.join("mounts"))), (0o700, 0o600));
    remember(system, &place(&state), &places(&scratch.join("other")));
    assert_eq!(recall(system, &place(&state)).len(), 2, "added, not replaced");
    std::fs::remove_dir(scratch.join("disk")).expect("our own");
    assert_eq!(recall(system, &place(&state)), places(&scratch.join("other")));
    assert_eq!(below(&state).len(), 1, "no other file is left behind");
}

fn shared() {
    for mode in [0o770, 0o707, 0o1777] {
        let scratch = Scratch::with(&["disk/", "shared/", "own/linkwell/"]);
        allow(&scratch.join("shared"), mode);
        allow(&scratch.join("own/linkwell"), mode);
        let before = below(&scratch.path());
        for state in ["shared/linkwell", "shared/state/linkwell", "own/linkwell"] {
            let state = place(&scratch.join(state));
            remember(System::new(), &state, &places(&scratch.join("disk")));
            assert_eq!(recall(System::new(), &state), BTreeSet::new());
        }
        assert_eq!(below(&scratch.path()), before, "{mode:o}");
    }
}

fn links() {
    let scratch = Scratch::with(&["disk/", "victim/linkwell/", "own/", "file/mounts"]);
    symlink("victim", scratch.join("way")).expect("our own");
    symlink("../victim/linkwell", scratch.join("own/linkwell")).expect("our own");
    symlink("../victim/linkwell/new", scratch.join("file/linkwell")).expect("our own");
    let before = below(&scratch.path());
    for state in ["way/linkwell", "own/linkwell", "file/linkwell", "own/a/b/c"] {
        let state = place(&scratch.join(state));
        remember(System::new(), &state, &places(&scratch.join("disk")));
    }
    assert_eq!(below(&scratch.path()), before);
    // The control: without a link, the same is written.
    remember(System::new(), &place(&scratch.join("own/a/b")), &places(&scratch.join("disk")));
    assert_eq!(below(&scratch.path()).len(), before.len() + 3);
}

fn foreign() {
    let scratch = Scratch::with(&["disk/", "theirs/linkwell/", "home/"]);
    for name in ["theirs", "theirs/linkwell", "home"] {
        chown(scratch.join(name), Some(65534), Some(65534)).expect("as root");
    }
    let before = below(&scratch.path());
    for state in ["theirs/linkwell", "theirs/new", "home/state/linkwell"] {
        remember(System::new(), &place(&scratch.join(state)), &places(&scratch.join("disk")));
    }
    assert_eq!(below(&scratch.path()), before);
}
