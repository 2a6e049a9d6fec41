//! Somebody writes to a file while it is moved, and gives it the old time back: at every call that the move
//! makes, one run a call.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    clippy::print_stdout,
    reason = "a test is who writes, and says what it counted"
)]

use crate::move_field::{Field, Program, points, stopped};
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::volume::alone;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

pub(crate) fn trials() -> Vec<Trial> {
    let needs = [Need::Root, Need::Program("strace")];
    let ways: [(&str, &'static [&'static str]); 3] = [
        ("with a link", &["move", "-y", "--no-refs", "a/p/f", "@/f"]),
        ("without", &["move", "-y", "--no-refs", "--no-link", "a/p/f", "@/f"]),
        ("and kept", &["move", "-y", "--no-refs", "--keep", "a/p/f", "@/f"]),
    ];
    let trial = |(name, typed)| {
        let name = format!("move told: a single file is written over, as long and as old, {name}");
        test_with(&name, &needs, move || alone(|| written_over(typed)))
    };
    ways.into_iter().map(trial).collect()
}

fn write_over(path: &Path) -> std::io::Result<()> {
    // Who waits for a lease would wait for a program that is stopped.
    let waits_not = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = fs::OpenOptions::new().write(true).custom_flags(waits_not).open(path)?;
    let modified = file.metadata()?.modified()?;
    (&file).write_all(b"A/P/F")?;
    file.set_modified(modified)
}

/// Where the file may stand by now: where it was, where it goes, set aside. Behind the last look at what was
/// set aside is the call that frees it, so not behind every look.
fn places(field: &Field, near: bool) -> Vec<PathBuf> {
    let aside = fs::read_dir(field.at("a/p")).expect("a folder").flatten();
    let aside = aside.filter(|entry| entry.file_name().to_string_lossy().starts_with(".linkwell-"));
    let aside = aside.map(|entry| entry.path()).filter(|path| !near && !path.is_symlink());
    aside.chain([field.at("a/p/f"), field.there().join("f")]).collect()
}

fn written_over(typed: &[&str]) {
    let new = || Field::with(&["a/p/f", "a/p/x"], true);
    let program = Program::Linkwell(typed);
    let mut windows = points(&new(), "a/p/f", &program, false);
    if !typed.contains(&"--keep") {
        windows.extend(points(&new(), "a/p/f", &program, true));
    }
    let (mut acted, mut refused) = (0, 0);
    for point in &windows {
        let field = new();
        let mut written = None;
        let ran = stopped(&field, "a/p/f", &program, point, || {
            written = places(&field, point.near).into_iter().find(|path| write_over(path).is_ok());
            written.is_some()
        });
        let met = written.is_some();
        acted += usize::from(met);
        refused += usize::from(met && ran.code != 0);
        let texts: Vec<Vec<u8>> = field.files().into_values().collect();
        let text: &[u8] = if met { b"A/P/F" } else { b"a/p/f" };
        assert!(texts.iter().any(|found| found == text), "behind {point:?}: lost: {ran:?}");
        let is_aside = |path: &PathBuf| path.file_name() != Some("f".as_ref());
        if written.as_ref().is_some_and(is_aside) && (ran.code != 0 || typed.contains(&"--keep")) {
            continue;
        }
        // Who looks for it finds what was written.
        let seen = [field.at("a/p/f"), field.there().join("f")].map(|path| fs::read(path).ok());
        let seen = seen.into_iter().flatten().next();
        assert_eq!(seen.as_deref(), Some(text), "behind {point:?}: {ran:?}");
    }
    println!("move told: {} windows, {acted} times, {refused} of these refused", windows.len());
    assert!(acted > 20 && refused > 3, "{acted} {refused}");
}
