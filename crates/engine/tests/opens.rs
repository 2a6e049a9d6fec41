//! What a scan opens: folders, and nothing else. `strace` is the witness.

use crate::support::{PIECE, Scan, systems, wait};
use libtest_mimic::Trial;
use linkwell_engine::judge::Depth;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::tree::{Scratch, make};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

pub(crate) const PIECES: &[crate::support::Piece] =
    &[("opens::scan", scan), ("opens::shortcuts", shortcuts), ("opens::naive", naive)];

const FOLDER: &str = "LINKWELL_ENGINE_TEST_OPENS";

pub(crate) fn trials() -> Vec<Trial> {
    let strace = [Need::Program("strace")];
    vec![
        test_with("opens: pipes, sockets, devices and files are never opened", &strace, || {
            never_opened("opens::scan", true);
        }),
        test_with("opens: with shortcuts, files are opened and nothing else", &strace, || {
            never_opened("opens::shortcuts", false);
        }),
    ]
}

/// The calls that open, in a run of `piece`.
fn opened(piece: &str, folder: &Path) -> Vec<String> {
    let traces = Scratch::new();
    let trace = traces.join("trace");
    let mut child = Command::new("strace")
        .args([
            "-f",
            "-qq",
            "-s",
            "4096",
            "-e",
            "trace=open,openat,openat2,creat,mknod,mknodat",
            "-o",
        ])
        .arg(&trace)
        .arg(std::env::current_exe().expect("this binary"))
        .env(PIECE, piece)
        .env(FOLDER, folder)
        .stdin(Stdio::null())
        .spawn()
        .expect("strace");
    let ended = wait(&mut child, Duration::from_secs(40));
    assert!(ended.is_some_and(|status| status.success()), "{piece}: {ended:?}");
    let text = std::fs::read(trace).expect("the trace");
    String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()
}

fn tree() -> (Scratch, Vec<&'static str>) {
    let scratch = Scratch::new();
    make(
        &scratch.path(),
        &[
            "THE_FILE",
            "in/THE_FILE_2.desktop",
            "in/THE_FILE_3",
            "THE_FIFO |",
            "in/THE_FIFO_2.url |",
            "to_fifo -> THE_FIFO",
            "in/to_fifo -> THE_FIFO_2.url",
            "to_socket -> THE_SOCKET",
            "to_device -> THE_DEVICE",
            "to_file -> THE_FILE",
            "in/up -> ../in/THE_FILE_3",
            "gone -> no",
        ],
    );
    std::fs::write(scratch.join("in/THE_FILE_3"), b"").expect("an empty file");
    drop(std::os::unix::net::UnixListener::bind(scratch.join("THE_SOCKET")).expect("a socket"));
    let device = rustix::fs::makedev(1, 7);
    let made = rustix::fs::mknodat(
        rustix::fs::CWD,
        scratch.join("THE_DEVICE"),
        rustix::fs::FileType::CharacterDevice,
        rustix::fs::Mode::RUSR,
        device,
    );
    let mut special = vec!["THE_FIFO", "THE_SOCKET"];
    if made.is_ok() {
        // Only root can make one; a user's trees hold none.
        special.push("THE_DEVICE");
    }
    (scratch, special)
}

fn never_opened(piece: &str, nor_files: bool) {
    let (scratch, mut never) = tree();
    if nor_files {
        never.push("THE_FILE");
    }
    let naive = opened("opens::naive", &scratch.path());
    for name in ["THE_FIFO", "THE_FILE"] {
        assert!(naive.iter().any(|line| line.contains(name)), "{name} unseen: {naive:?}");
    }
    let lines = opened(piece, &scratch.path());
    let folder = scratch.path();
    let folder = folder.file_name().and_then(|name| name.to_str()).expect("plain letters");
    assert!(lines.iter().any(|line| line.contains(folder)), "the scan itself unseen: {lines:?}");
    assert!(lines.iter().any(|line| line.contains("\"in\"")), "{lines:?}");
    for name in never {
        let bad: Vec<_> = lines.iter().filter(|line| line.contains(name)).collect();
        assert!(bad.is_empty(), "{bad:?}");
    }
    let files = lines.iter().filter(|line| line.contains("THE_FILE")).count();
    assert_eq!(files > 0, !nor_files, "{files} opens of files");
    println!("opens: {} opens, {files} of files", lines.len());
}

fn folder() -> PathBuf {
    std::env::var_os(FOLDER).expect("a folder").into()
}

fn scan() {
    for system in systems() {
        for depth in [Depth::Health, Depth::Destination, Depth::Everything] {
            let mut scan = Scan::new(system, depth);
            scan.wanted.hard = true;
            scan.wanted.doubled = true;
            assert_eq!(scan.of(folder()).links().len(), 7);
        }
    }
}

fn shortcuts() {
    for system in systems() {
        let mut scan = Scan::new(system, Depth::Everything);
        scan.wanted.shortcuts = true;
        assert_eq!(scan.of(folder()).links().len(), 7);
    }
}

/// Opens a pipe and a file, as a scan must not.
fn naive() {
    let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).expect("a small number");
    let pipe =
        std::fs::File::options().read(true).custom_flags(nonblock).open(folder().join("THE_FIFO"));
    drop(pipe.expect("the pipe"));
    drop(std::fs::File::open(folder().join("THE_FILE")).expect("the file"));
}
