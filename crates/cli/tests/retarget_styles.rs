//! `linkwell retarget`: texts are written otherwise, and lead where they led.

use super::{ok, text};
use crate::support::Ground;
use libtest_mimic::Trial;
use linkwell_testkit::need::test;
use linkwell_testkit::program::Ran;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("retarget: a style keeps every destination, there and back", there_and_back),
        test("retarget: the same without the newer system calls", there_and_back_plain),
        test("retarget: --shorten leads where it led", shorten),
    ]
}

/// A small generator of numbers that look random (xorshift).
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(sides).expect("few")).expect("few")
    }
}

/// A tree of folders, files and links with odd texts.
fn random_tree(ground: &Ground, seed: u64) {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) + 1);
    let tree = ground.tree();
    let mut folders = vec![PathBuf::new()];
    for number in 0..8 {
        let above = folders.get(dice.roll(folders.len())).cloned().unwrap_or_default();
        folders.push(above.join(format!("d{number}")));
    }
    for folder in &folders {
        std::fs::create_dir_all(tree.join(folder)).expect("a folder");
        std::fs::write(tree.join(folder).join("f"), b"f").expect("a file");
    }
    for number in 0..30 {
        let pieces = ["..", ".", "", "f", "d0", "d1", "d2", "d3", "d5", "l1", "l4", "l9", "gone"];
        let count = 1 + dice.roll(5);
        let some: Vec<&str> =
            (0..count).filter_map(|_| pieces.get(dice.roll(pieces.len())).copied()).collect();
        let mut target = some.join("/");
        if dice.roll(3) == 0 {
            target = format!("{}/{target}", tree.to_str().expect("plain"));
        } else if dice.roll(3) == 0 {
            target = format!("../../{target}");
        }
        if target.is_empty() || target.starts_with('/') && !target.contains("tree") {
            target = "f".into();
        }
        let folder = folders.get(dice.roll(folders.len())).cloned().unwrap_or_default();
        std::os::unix::fs::symlink(target, tree.join(folder).join(format!("l{number}")))
            .expect("a link");
    }
}

/// The object that a link leads to, or why it leads to none.
type Destination = Result<(u64, u64), Option<i32>>;

/// Every link, with its destination.
fn destinations(folder: &Path) -> Vec<(PathBuf, Destination)> {
    let mut found = Vec::new();
    let mut todo = vec![folder.to_path_buf()];
    while let Some(here) = todo.pop() {
        for entry in std::fs::read_dir(&here).expect("a folder") {
            let path = entry.expect("an entry").path();
            let kind = path.symlink_metadata().expect("an entry").file_type();
            if kind.is_dir() {
                todo.push(path);
            } else if kind.is_symlink() {
                let end = std::fs::metadata(&path).map(|end| (end.dev(), end.ino()));
                let end = end.map_err(|error| error.raw_os_error());
                found.push((path, end));
            }
        }
    }
    found.sort();
    found
}

fn texts(folder: &Path) -> Vec<(PathBuf, PathBuf)> {
    let links = destinations(folder).into_iter();
    links.map(|(path, _)| (path.clone(), std::fs::read_link(path).expect("a link"))).collect()
}

fn there_and_back() {
    style_round(false);
}

fn there_and_back_plain() {
    style_round(true);
}

fn style_round(plain: bool) {
    let mut healthy = 0;
    for seed in 0..if plain { 8 } else { 40 } {
        let ground = Ground::with(&[]);
        random_tree(&ground, seed);
        let tree = ground.tree();
        let run = |arguments: &[&str]| -> Ran {
            let mut command = ground.command();
            if plain {
                command.env("LINKWELL_PLAIN_CALLS", "1");
            }
            command.args(arguments).output().expect("linkwell can be started").into()
        };
        let (before, listing) = (destinations(&tree), ground.listing());
        healthy += before.iter().filter(|(_, end)| end.is_ok()).count();
        ok(&run(&["retarget", "--under", ".", "--absolute", "-y"]));
        assert_eq!(destinations(&tree), before, "seed {seed}");
        assert!(texts(&tree).iter().all(|(_, text)| text.is_absolute()), "seed {seed}");
        let all_absolute = ground.listing();
        ok(&run(&["retarget", "--under", ".", "--relative", "-y"]));
        assert_eq!(destinations(&tree), before, "seed {seed}");
        let relative = texts(&tree);
        assert!(relative.iter().all(|(_, text)| text.is_relative()), "seed {seed}");
        // From here on the texts are in their shortest form: there and back is byte for byte.
        ok(&run(&["retarget", "--under", ".", "--absolute", "-y"]));
        assert_eq!(destinations(&tree), before, "seed {seed}");
        ok(&run(&["retarget", "--under", ".", "--relative", "-y"]));
        assert_eq!(texts(&tree), relative, "seed {seed}");
        assert!(ground.strays().is_empty(), "seed {seed}");
        for _ in 0..3 {
            ok(&run(&["undo", "-y"]));
        }
        assert_eq!(ground.listing(), all_absolute, "seed {seed}");
        ok(&run(&["undo", "-y"]));
        assert_eq!(ground.listing(), listing, "seed {seed}");
    }
    assert!(healthy > 20, "the trees must hold links that work: {healthy}");
}

fn shorten() {
    let ground = Ground::with(&[
        "a/b/f",
        "a/b/l -> ../../a//b/./f",
        "a/b/m -> ../../a/b/gone/../f",
        "k -> a/b/f",
    ]);
    let before = destinations(&ground.tree());
    ok(&ground.run(&["retarget", "--under", ".", "--shorten", "-y"]));
    assert_eq!(text(&ground, "a/b/l"), "f");
    assert_eq!(text(&ground, "a/b/m"), "gone/../f");
    assert_eq!(text(&ground, "k"), "a/b/f");
    assert_eq!(destinations(&ground.tree()), before);
    for seed in 0..20 {
        let ground = Ground::with(&[]);
        random_tree(&ground, seed);
        let (before, listing) = (destinations(&ground.tree()), ground.listing());
        ok(&ground.run(&["retarget", "--under", ".", "--shorten", "-y"]));
        assert_eq!(destinations(&ground.tree()), before, "seed {seed}");
        ok(&ground.run(&["undo", "-y"]));
        assert_eq!(ground.listing(), listing, "seed {seed}");
    }
}
