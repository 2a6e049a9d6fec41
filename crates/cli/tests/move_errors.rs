//! A move of which a call fails: the old path is whole and that is said, or it is done, whole.
//!
//! The errors come from `strace`; full volumes are really full. `LINKWELL_TEST_KILLS=all` tries every
//! error at every call.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test stands outside: it looks at its trees by itself, and prints what was counted"
)]

use crate::kill::{is_unfinished, probe, traced};
use crate::moving::{Drives, Stands};
use libtest_mimic::Trial;
use linkwell_testkit::manifest::{Allowed, Manifest, compare};
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::volume::{Kind, alone};

pub(crate) fn trials() -> Vec<Trial> {
    let traced = [Need::Root, Need::Program("strace")];
    vec![
        test_with("move errors: each call fails in each way", &traced, sweep),
        test_with(
            "move errors: a write that says it was done, and was not, is found",
            &traced,
            lying,
        ),
        test_with(
            "move errors: what cannot be freed is named, and not tried for ever",
            &traced,
            stuck,
        ),
        test_with("move errors: the other volume is full", &[Need::Root], || full("size=1m")),
        test_with("move errors: the other volume has no inodes left", &[Need::Root], || {
            full("size=64m,nr_inodes=20");
        }),
    ]
}

const MOVE: &[&str] = &["move", "-y", "PATH", "DEST"];

const ERRORS: [&str; 5] = ["ENOSPC", "EIO", "EROFS", "EACCES", "EINTR"];

/// Runs the move with something injected at one call.
fn injected(drives: &Drives, call: &str, what: &str) -> Ran {
    drives.lay();
    let command = drives.command(MOVE);
    let trace = format!("trace={call}");
    let inject = format!("inject={call}:{what}");
    let options = ["-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
    let ran = traced(&drives.ground, &options, &command).output();
    ran.expect("strace can be started").into()
}

/// Whether what was said is what is there; recovers what was left unfinished.
fn judged(drives: &Drives, ran: &Ran, what: &str) -> Stands {
    let mut ran_last = format!("{ran:?}");
    let unfinished = is_unfinished(&drives.ground);
    assert_eq!(ran.code == 4, unfinished, "{what}: {ran:?}");
    assert!(ran.code == 0 || ran.err.contains("error: "), "{what}: {ran:?}");
    if unfinished {
        let recovered = drives.ground.run(&["recover", "-y"]);
        assert_eq!(recovered.code, 0, "{what}: {ran:?}: {recovered:?}");
        ran_last = format!("{recovered:?}");
    }
    let stands = drives.stands(&format!("{what}: {ran_last}"));
    if !unfinished {
        let wanted = if ran.code == 0 || ran.code == 3 { Stands::There } else { Stands::Here };
        assert_eq!(stands, wanted, "{what}: {ran:?}");
    }
    stands
}

fn sweep() {
    alone(|| {
        let Some(drives) = Drives::new(Kind::Tmpfs, Kind::Tmpfs) else { return };
        drives.lay();
        let command = drives.command(MOVE);
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let (ran, points) = probe(&drives.ground, &command);
        assert_eq!(ran.code, 0, "{ran:?}");
        let all = std::env::var_os("LINKWELL_TEST_KILLS").is_some_and(|value| value == "all");
        // The words for people are no part of it.
        let points: Vec<(String, usize)> = points
            .into_iter()
            .flat_map(|(call, numbers)| {
                numbers.into_iter().map(move |number| (call.clone(), number))
            })
            .collect();
        let step = if all { 1 } else { points.len().div_ceil(22).max(1) };
        let (mut faults, mut done, mut back) = (0, 0, 0);
        for (at, (call, number)) in points.iter().enumerate().step_by(step) {
            let some = ERRORS.iter().cycle().skip(at / step);
            for error in some.take(if all { ERRORS.len() } else { 1 }) {
                let what = format!("{call} {number}: {error}");
                let ran = injected(&drives, call, &format!("error={error}:when={number}"));
                if ran.err.contains("could not write the output") {
                    continue;
                }
                faults += 1;
                match judged(&drives, &ran, &what) {
                    Stands::Here => back += 1,
                    Stands::There | Stands::ThereAlone => done += 1,
                }
            }
        }
        println!(
            "| errors | {} points | {faults} faults | {done} done | {back} as before |",
            points.len()
        );
        assert!(back > 4 && done > 0, "{faults} {done} {back}");
    });
}

/// The system says that a write was done, in part or whole, and it was not: the copy is read back.
fn lying() {
    alone(|| {
        let Some(drives) = Drives::new(Kind::Tmpfs, Kind::Tmpfs) else { return };
        let mut seen = 0;
        for (number, written) in [(1, 1), (2, 2), (4, 3)] {
            let ran = injected(&drives, "pwrite64", &format!("retval={written}:when={number}"));
            let stands = judged(&drives, &ran, &format!("pwrite64 {number} says {written}"));
            seen += usize::from(stands == Stands::Here);
        }
        assert!(seen > 0, "none of them was found");
    });
}

/// Something that has come under protection meanwhile, for good.
fn stuck() {
    alone(|| {
        let Some(drives) = Drives::new(Kind::Tmpfs, Kind::Tmpfs) else { return };
        drives.lay();
        let (_, points) = probe(&drives.ground, &{
            let command = drives.command(MOVE);
            command.iter().map(|word| &*word.clone().leak()).collect::<Vec<&str>>()
        });
        let half = points.get("unlinkat").and_then(|all| all.get(all.len() / 2)).copied();
        let from = format!("error=EPERM:when={}+", half.expect("it frees"));
        let ran = injected(&drives, "unlinkat", &from);
        assert_eq!(ran.code, 4, "{ran:?}");
        assert!(ran.err.contains("linkwell recover"), "{ran:?}");
        // The same again: it ends, and says where what is left lies.
        let inject = "inject=unlinkat:error=EPERM:when=1+";
        let options = ["-qq", "-o", "/dev/null", "-e", "trace=unlinkat", "-e", inject];
        let mut last = ran;
        for _ in 0..3 {
            let ran = traced(&drives.ground, &options, &["recover", "-y"]).output();
            last = ran.expect("strace can be started").into();
            if last.code != 4 {
                break;
            }
        }
        assert_eq!(last.code, 3, "{last:?}");
        assert!(last.err.contains(".linkwell-") && last.err.contains("stays there"), "{last:?}");
        let again = drives.ground.run(&["recover", "-y"]);
        assert!(again.err.contains("nothing was interrupted"), "{again:?}");
        assert_eq!(std::fs::read_link(drives.path()).ok(), Some(drives.dest()));
    });
}

fn full(options: &str) {
    alone(|| {
        let Some(drives) = Drives::new(Kind::Tmpfs, Kind::Tmpfs) else { return };
        let at = drives.to.join("at");
        let line = format!("mount -t tmpfs -o {options} small '{0}'", at.display());
        let ran = crate::support::shell(&std::path::PathBuf::from("/"), &line);
        assert_eq!(ran.code, 0, "{ran:?}");
        std::fs::write(drives.path().join("more"), vec![1; 3 << 20]).expect("a file");
        let before = Manifest::of(&drives.path());
        let ran = drives.ground.run(&drives.command(MOVE));
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains("error: "), "{ran:?}");
        assert_eq!(crate::moving::names(&at), [""; 0], "{ran:?}");
        let differences = compare(&before, &Manifest::of(&drives.path()), &Allowed::default());
        assert!(differences.is_empty(), "{differences:?}");
        let ran = crate::support::shell(
            &std::path::PathBuf::from("/"),
            &format!("umount '{}'", at.display()),
        );
        assert_eq!(ran.code, 0, "{ran:?}");
    });
}
