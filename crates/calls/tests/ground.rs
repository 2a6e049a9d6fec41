//! Volumes of every kind, and the children that look at them.

use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::tree::Scratch;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Names the piece of a test that a child is to run, as `KIND SUBJECT`.
pub(crate) const PIECE: &str = "LINKWELL_CALLS_TEST_PIECE";

/// The kinds of volume that are looked at.
pub(crate) const KINDS: [&str; 4] = ["tmpfs", "ext4", "xfs", "btrfs"];

/// A trial of `subject` on a volume of its own.
pub(crate) fn on(kind: &'static str, subject: &'static str) -> Trial {
    let mut needs = vec![Need::Root, Need::Program("unshare")];
    match kind {
        "ext4" => needs.extend([Need::LoopDevices, Need::Program("mkfs.ext4")]),
        "xfs" => needs.extend([Need::LoopDevices, Need::Program("mkfs.xfs")]),
        "btrfs" => needs.extend([Need::LoopDevices, Need::Program("mkfs.btrfs")]),
        _ => {}
    }
    test_with(&format!("calls: {subject} on {kind}"), &needs, move || {
        let mut command = Command::new("unshare");
        command.args(["-m", "--propagation", "private"]);
        command.arg(std::env::current_exe().expect("a path of this binary"));
        let output = command.env(PIECE, format!("{kind} {subject}")).output().expect("unshare");
        let said = String::from_utf8_lossy(&output.stdout);
        let why = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{kind}, {subject}: {}\n{said}{why}", output.status);
    })
}

/// Runs what [`on`] asked for, and lets go of the volume.
pub(crate) fn piece(piece: &str) {
    match piece {
        "another" => return crate::leases::as_another(),
        "broken" => return crate::leases::broken(),
        _ => {}
    }
    let (kind, subject) = piece.split_once(' ').expect("a kind and a subject");
    let scratch = Scratch::new();
    let volume = Volume::new(kind, &scratch);
    match subject {
        "attributes" => crate::kept::attributes(kind, &volume.at),
        "extents" => crate::kept::extents(kind, &volume.at),
        "clones" => crate::kept::clones(kind, &volume.at),
        "leases" => crate::leases::all(&volume.at),
        _ => panic!("{subject}"),
    }
}

struct Volume {
    at: PathBuf,
}

impl Volume {
    fn new(kind: &str, scratch: &Scratch) -> Self {
        let at = scratch.join("volume");
        std::fs::create_dir(&at).expect("a folder");
        if kind == "tmpfs" {
            run("mount", &["-t", "tmpfs", "tmpfs", text(&at)]);
            return Self { at };
        }
        let image = scratch.join("image");
        // xfs takes no less.
        File::create(&image).and_then(|file| file.set_len(320 << 20)).expect("an image");
        let quiet = if kind == "ext4" { ["-q", "-F"] } else { ["-q", "-f"] };
        run(&format!("mkfs.{kind}"), &[&quiet[..], &[text(&image)]].concat());
        run("mount", &["-t", kind, "-o", "loop", text(&image), text(&at)]);
        Self { at }
    }
}

impl Drop for Volume {
    fn drop(&mut self) {
        run("umount", &[text(&self.at)]);
    }
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().expect("it can be started");
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {why}");
}

/// A path that is text.
pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary path is text")
}

/// A file with these bytes, open for reading alone.
pub(crate) fn file(at: &Path, bytes: &[u8]) -> File {
    let mut file = File::create(at).expect("a file");
    file.write_all(bytes).expect("its bytes");
    file.sync_all().expect("on the disk");
    drop(file);
    File::open(at).expect("a file")
}
