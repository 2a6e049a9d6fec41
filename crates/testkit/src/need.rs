//! What a test needs that a machine may lack.
//!
//! A test whose need is not met is counted as ignored, with the need in its name; with
//! `LINKWELL_TEST_ALL=1` it fails instead, so that nothing is skipped where nothing should be.

use libtest_mimic::{Arguments, Failed, Trial};
use std::process::ExitCode;

/// Something that not every machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// A program on the search path.
    Program(&'static str),
    /// To be root, in a place where file systems may be mounted.
    Root,
    /// To be root, with loop devices.
    LoopDevices,
    /// `/dev/fuse`.
    Fuse,
}

impl Need {
    fn is_met(self) -> bool {
        match self {
            Self::Program(name) => on_path(name),
            Self::Root => rustix::process::geteuid().is_root(),
            Self::LoopDevices => {
                rustix::process::geteuid().is_root() && is_there("/dev/loop-control")
            }
            Self::Fuse => is_there("/dev/fuse"),
        }
    }

    fn word(self) -> String {
        match self {
            Self::Program(name) => format!("the program {name}"),
            Self::Root => "to be root".into(),
            Self::LoopDevices => "loop devices".into(),
            Self::Fuse => "/dev/fuse".into(),
        }
    }
}

fn is_there(path: &str) -> bool {
    rustix::fs::stat(path).is_ok()
}

fn on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .any(|folder| rustix::fs::access(folder.join(name), rustix::fs::Access::EXEC_OK).is_ok())
}

/// A test that needs nothing special.
pub fn test(name: &str, run: impl FnOnce() + Send + 'static) -> Trial {
    test_with(name, &[], run)
}

/// A test that needs all of `needs`. It fails by panicking.
pub fn test_with(name: &str, needs: &[Need], run: impl FnOnce() + Send + 'static) -> Trial {
    let missing: Vec<String> =
        needs.iter().filter(|need| !need.is_met()).map(|need| need.word()).collect();
    if missing.is_empty() {
        return Trial::test(name, move || {
            run();
            Ok(())
        });
    }
    let reason = format!("needs {}", missing.join(" and "));
    let all = std::env::var_os("LINKWELL_TEST_ALL").is_some_and(|value| value == "1");
    let failure = reason.clone();
    Trial::test(format!("{name} [{reason}]"), move || Err(Failed::from(failure)))
        .with_ignored_flag(!all)
}

/// Runs the tests of one crate; the whole of its `main`.
pub fn run(trials: Vec<Trial>) -> ExitCode {
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}
