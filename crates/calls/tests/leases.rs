//! Leases: every writer is seen, and a broken lease does not end the process that holds it.

use crate::ground::{KINDS, file, on};
use libtest_mimic::Trial;
use linkwell_calls::lease::{self, Lease};
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::tree::Scratch;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::fs::{File, OpenOptions};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

pub(crate) fn trials() -> Vec<Trial> {
    let mut trials = vec![
        test("calls: a writer that comes does not end the one who holds a lease", || {
            // In a process of its own: a child that another test has just forked holds all that is open.
            let mut command = Command::new("/proc/self/exe");
            let status = command.env(crate::ground::PIECE, "broken").status().expect("this binary");
            assert!(status.success(), "{status}");
        }),
        test_with(
            "calls: (control) without the other signal it does",
            &[Need::Program("python3")],
            ended_by_sigio,
        ),
        test_with("calls: another's file cannot be leased", &[Need::Root], another),
    ];
    trials.extend(KINDS.into_iter().map(|kind| on(kind, "leases")));
    trials
}

/// Every way of holding a file, and what a lease says to it.
pub(crate) fn all(at: &Path) {
    let path = at.join("f");
    let open = file(&path, &[0; 4096]);
    // Nobody.
    assert_eq!(lease::held(&open), Ok(Lease::None));
    assert_eq!(lease::take_read(&open), Ok(()));
    assert_eq!(lease::held(&open), Ok(Lease::Read));
    assert_eq!(lease::release(&open), Ok(()));
    assert_eq!(lease::held(&open), Ok(Lease::None));
    assert_eq!(lease::release(&open), Err(Errno::AGAIN));
    assert_eq!(lease::take_write(&open), Ok(()));
    assert_eq!(lease::held(&open), Ok(Lease::Write));
    assert_eq!(lease::release(&open), Ok(()));
    // A reader.
    let reader = File::open(&path).expect("a file");
    assert_eq!(lease::take_read(&open), Ok(()));
    assert_eq!(lease::release(&open), Ok(()));
    assert_eq!(lease::take_write(&open), Err(Errno::AGAIN));
    drop(reader);
    assert_eq!(lease::take_write(&open), Ok(()));
    assert_eq!(lease::release(&open), Ok(()));
    // A writer.
    let writer = OpenOptions::new().append(true).open(&path).expect("a file");
    assert_eq!(lease::take_read(&open), Err(Errno::AGAIN));
    drop(writer);
    assert_eq!(lease::take_read(&open), Ok(()));
    assert_eq!(lease::release(&open), Ok(()));
    // No regular file, and a place that is only held.
    let folder = File::open(at).expect("a folder");
    assert!(lease::take_read(&folder).is_err());
    let place = rustix::fs::open(&path, OFlags::PATH, Mode::empty()).expect("a place");
    assert_eq!(lease::take_read(&place), Err(Errno::BADF));
    // One that writes itself.
    let own = OpenOptions::new().read(true).write(true).open(&path).expect("a file");
    assert_eq!(lease::take_read(&own), Err(Errno::AGAIN));
}

/// Waits until somebody waits for the lease.
fn until_wanted(open: &File) {
    let started = Instant::now();
    while lease::held(open) != Ok(Lease::None) {
        assert!(started.elapsed() < Duration::from_secs(20), "nobody ever wanted it");
        std::thread::yield_now();
    }
}

/// A lease is wanted by others, and its holder lives.
pub(crate) fn broken() {
    let scratch = Scratch::new();
    let path = scratch.join("f");
    let open = file(&path, b"x");
    lease::take_read(&open).expect("a lease");
    // Whoever will not wait is told so.
    let flags = OFlags::WRONLY | OFlags::NONBLOCK;
    assert_eq!(rustix::fs::open(&path, flags, Mode::empty()).err(), Some(Errno::AGAIN));
    // That was a wish already: the lease is to end, and this process lives.
    assert_eq!(lease::held(&open), Ok(Lease::None));
    lease::release(&open).expect("it is given up");
    lease::take_read(&open).expect("and taken again");
    let (done, waits) = mpsc::channel();
    let writer = std::thread::spawn(move || {
        let file = OpenOptions::new().write(true).open(&path).expect("in the end");
        done.send(()).expect("somebody waits");
        file
    });
    until_wanted(&open);
    assert_eq!(waits.try_recv(), Err(mpsc::TryRecvError::Empty), "it must wait");
    lease::release(&open).expect("it is given up");
    waits.recv().expect("it goes on");
    let file = writer.join().expect("a writer");
    assert_eq!(lease::take_read(&open), Err(Errno::AGAIN));
    drop(file);
    assert_eq!(lease::take_read(&open), Ok(()));
}

/// The same in a process that asks for no other signal.
fn ended_by_sigio() {
    let scratch = Scratch::new();
    let path = scratch.join("f");
    drop(file(&path, b"x"));
    let script = "import fcntl,os,sys\n\
        f=os.open(sys.argv[1],os.O_RDONLY)\n\
        if sys.argv[2]=='urgent': fcntl.fcntl(f,fcntl.F_SETSIG,23)\n\
        fcntl.fcntl(f,fcntl.F_SETLEASE,fcntl.F_RDLCK)\n\
        try: os.open(sys.argv[1],os.O_WRONLY|os.O_NONBLOCK)\n\
        except BlockingIOError: pass\n";
    for (signal, ends) in [("own", true), ("urgent", false)] {
        let mut command = Command::new("python3");
        command.args(["-c", script]).arg(&path).arg(signal).stdin(Stdio::null());
        let status = command.status().expect("python3");
        assert_eq!(status.signal().is_some(), ends, "{signal}: {status}");
        assert_eq!(status.success(), !ends, "{signal}: {status}");
    }
}

/// A file of root's, read by nobody: no lease, and no false answer.
fn another() {
    let scratch = Scratch::new();
    let path = scratch.join("f");
    let open = file(&path, b"x");
    let mut command = Command::new("/proc/self/exe");
    command.env(crate::ground::PIECE, "another").stdin(open);
    let status = command.uid(65534).gid(65534).status().expect("this binary");
    assert!(status.success(), "{status}");
}

/// What [`another`] runs as nobody, with the file as its standard input.
pub(crate) fn as_another() {
    assert_eq!(lease::take_read(std::io::stdin()), Err(Errno::ACCESS));
    assert_eq!(lease::held(std::io::stdin()), Ok(Lease::None));
}
