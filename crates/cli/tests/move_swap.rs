//! Two drives that look alike, swapped: nothing is done on the one that was planned for the other.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test stands outside: it swaps drives, and looks at them by itself"
)]

use crate::kill::{is_unfinished, killed, probe};
use crate::support::Ground;
use libtest_mimic::Trial;
use linkwell_engine::journal::record::forged;
use linkwell_testkit::need::{Need, test_with};
use linkwell_testkit::volume::{Kind, Volume, alone};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn trials() -> Vec<Trial> {
    let needs = [Kind::Ext4.needs(), vec![Need::Program("strace")]].concat();
    vec![
        test_with(
            "undo: a drive made in the same second is told from the one that was there",
            &needs,
            undo,
        ),
        test_with(
            "recover: a drive made in the same second is told from the one that was there",
            &needs,
            recover,
        ),
    ]
}

/// Two drives whose first folders are alike in all that an identity holds, one of them attached.
struct Twins {
    drive: Volume,
    other: PathBuf,
}

impl Twins {
    fn new() -> Option<Self> {
        let mut drive = Volume::in_memory(Kind::Ext4, 0)?;
        drive.vanish();
        let other = drive.image().with_extension("other");
        for (image, digit) in [(&drive.image(), "1"), (&other, "2")] {
            std::fs::remove_file(image).unwrap_or_default();
            let file = std::fs::File::create(image).expect("an image");
            file.set_len(48 << 20).expect("a length");
            let uuid = "********-****-4***-8***-************".replace('*', digit);
            let made = Command::new("mkfs.ext4")
                .env("E2FSPROGS_FAKE_TIME", "1700000000")
                .args(["-q", "-F", "-b", "4096", "-I", "256", "-U", &uuid])
                .args(["-E", "hash_seed=33333333-3333-4333-8333-333333333333"])
                .arg(image)
                .status();
            assert!(made.expect("it can be started").success());
        }
        drive.come_back();
        let mut twins = Self { drive, other };
        let one = twins.looks();
        twins.swap();
        assert_eq!(twins.looks(), one, "they are alike");
        twins.swap();
        Some(twins)
    }

    fn looks(&self) -> (u64, std::time::SystemTime) {
        let top = std::fs::metadata(self.drive.path()).expect("a folder");
        (top.ino(), top.created().expect("a birth"))
    }

    fn swap(&mut self) {
        self.drive.vanish();
        let between = self.other.with_extension("between");
        let pairs = [(&self.other, &between), (&self.drive.image(), &self.other)];
        for (from, to) in pairs.into_iter().chain([(&between, &self.drive.image())]) {
            std::fs::rename(from, to).expect("a rename");
        }
        self.drive.come_back();
    }

    fn names(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.drive.path()).expect("a folder");
        let names = names.map(|entry| entry.expect("an entry").file_name());
        let names = names.map(|name| name.to_string_lossy().into_owned());
        names.filter(|name| name != "lost+found").collect()
    }

    fn path(&self, name: &str) -> String {
        self.drive.join(name).to_str().expect("a plain path").to_owned()
    }
}

fn undo() {
    alone(|| {
        let Some(mut twins) = Twins::new() else { return };
        let ground = Ground::with(&[]);
        std::fs::write(twins.drive.join("f"), "mine").expect("a file");
        let (there, typed) = (twins.path("f"), ["undo", "-y"]);
        let ran = ground.run(&["move", "-y", "--no-refs", "--no-link", &there, "f"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        twins.swap();
        let ran = ground.run(&typed);
        assert!(ran.code == 1 && ran.err.contains("is on another drive now"), "{ran:?}");
        assert!(ran.err.contains("attach the drive that was there"), "{ran:?}");
        assert!(twins.names().is_empty() && ground.tree().join("f").exists());
        // Without volumes on record, as in those of the first version, they are not told apart (control).
        let record = ground.scratch().join("state/linkwell/operations/000001.jsonl");
        let whole = std::fs::read(&record).expect("a record");
        std::fs::write(&record, first_version(&whole)).expect("a record");
        let ran = ground.run(&["undo", "-n"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        std::fs::write(&record, &whole).expect("a record");
        assert_eq!(ground.run(&typed).code, 1);
        twins.swap();
        let ran = ground.run(&typed);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(twins.names() == ["f"] && !ground.tree().join("f").exists());
    });
}

/// The same record as the first version wrote it.
fn first_version(record: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(record).expect("text");
    let lines = text.lines().map(|line| {
        let object = line.rsplit_once(",\"check\"").expect("a check").0;
        format!("{object}}}").replace("{\"linkwell\":2,", "{\"linkwell\":1,")
    });
    let lines: Vec<String> = lines.filter(|line| !line.starts_with("{\"volume\"")).collect();
    assert!(lines.len() < text.lines().count() && text.contains("{\"linkwell\":2,"));
    forged(lines.iter().map(String::as_bytes))
}

fn recover() {
    alone(|| {
        let Some(mut twins) = Twins::new() else { return };
        let ground = Ground::with(&["A/sub/x", "A/y"]);
        let there = twins.path("A");
        let typed = ["move", "-y", "--no-refs", "A", &there];
        let (ran, points) = probe(&ground, &typed);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(ground.run(&["undo", "-y"]).code, 0);
        // In the middle of the copy. The folders of the state were made the first time.
        let made = points.get("mkdirat").expect("folders are made").len();
        assert!(made >= 2, "{points:?}");
        assert!(killed(&ground, "mkdirat", 2, &typed) && is_unfinished(&ground));
        assert!(Path::new(&ground.tree().join("A/y")).exists());
        twins.swap();
        let ran = ground.run(&["recover"]);
        assert!(ran.code != 0 && ran.err.contains("attach the drive"), "{ran:?}");
        assert!(ran.err.contains("another drive is attached in its place"), "{ran:?}");
        assert!(twins.names().is_empty() && is_unfinished(&ground), "{:?}", twins.names());
        twins.swap();
        let ran = ground.run(&["recover"]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(twins.names(), ["A"]);
        assert!(twins.drive.join("A/sub/x").exists());
    });
}
