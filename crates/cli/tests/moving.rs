//! Two volumes, a nasty tree on the one, and where it stands.
#![expect(
    clippy::disallowed_methods,
    reason = "a test stands outside: it makes its trees, and looks at them by itself"
)]

use crate::support::Ground;
use linkwell_testkit::listing::listing;
use linkwell_testkit::manifest::{Allowed, Manifest, compare};
use linkwell_testkit::nasty::{self, Part};
use linkwell_testkit::volume::{Kind, Volume};
use std::path::{Path, PathBuf};

/// What the tree is made of: every kind of entry, and few of each.
const PARTS: [Part; 18] = [
    Part::Plain,
    Part::Holes,
    Part::HardLinks,
    Part::Owners,
    Part::Modes,
    Part::SetId,
    Part::Times,
    Part::UserAttributes,
    Part::RootAttributes,
    Part::LinkAttributes,
    Part::Acls,
    Part::Capabilities,
    Part::Pipes,
    Part::Sockets,
    Part::Devices,
    Part::Links,
    Part::Newline,
    Part::Bytes,
];

/// Where the tree stands, whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    /// At its old path, and nothing at the new one.
    Here,
    /// At the new one, and a link to it at the old one.
    There,
    /// At the new one, and nothing at the old one.
    ThereAlone,
}

/// Two volumes, with linkwell's own folders beside them.
pub(crate) struct Drives {
    pub(crate) from: Volume,
    pub(crate) to: Volume,
    pub(crate) ground: Ground,
    before: Manifest,
    /// Of a tree of so many files that the manifest, which asks a program about each, takes too long.
    listing: Option<String>,
}

impl Drives {
    /// Two volumes of these kinds, with a tree; within `alone`.
    pub(crate) fn new(from: Kind, to: Kind) -> Option<Self> {
        let from = Volume::in_memory(from, 192 << 20)?;
        let to = Volume::in_memory(to, 192 << 20)?;
        let before = Manifest::default();
        let mut drives = Self { from, to, ground: Ground::with(&[]), before, listing: None };
        drives.lay();
        drives.before = Manifest::of(&drives.path());
        assert!(drives.before.entries.len() > 40, "{}", drives.before.entries.len());
        Some(drives)
    }

    /// The old path.
    pub(crate) fn path(&self) -> PathBuf {
        self.from.join("at/tree")
    }

    /// The new one.
    pub(crate) fn dest(&self) -> PathBuf {
        self.to.join("at/tree")
    }

    /// Lays the tree out anew, at its old path, and nothing else; nothing was ever done.
    pub(crate) fn lay(&self) {
        let state = self.ground.scratch().join("state/linkwell");
        if state.exists() {
            std::fs::remove_dir_all(state).expect("it can be removed");
        }
        for folder in [self.from.join("at"), self.to.join("at")] {
            if folder.exists() {
                std::fs::remove_dir_all(&folder).expect("it can be removed");
            }
            std::fs::create_dir(&folder).expect("a folder");
        }
        drop(nasty::make(&self.path(), &PARTS));
    }

    /// Puts another tree at the old path, made by `make`.
    pub(crate) fn fill(&mut self, make: impl FnOnce(&Path)) {
        std::fs::remove_dir_all(self.path()).expect("it can be removed");
        make(&self.path());
        self.listing = Some(listing(&self.path()));
    }

    /// A command with the two places in it.
    pub(crate) fn command(&self, words: &[&str]) -> Vec<String> {
        let text = |path: PathBuf| path.to_str().expect("a plain path").to_owned();
        let word = |word: &&str| match *word {
            "PATH" => text(self.path()),
            "DEST" => text(self.dest()),
            word => word.to_owned(),
        };
        words.iter().map(word).collect()
    }

    /// Where the tree stands, whole, with nothing lying about.
    pub(crate) fn stands(&self, what: &str) -> Stands {
        for folder in [self.from.join("at"), self.to.join("at")] {
            let names = names(&folder);
            let known = ["tree", "out"];
            assert!(names.iter().all(|name| known.contains(&name.as_str())), "{what}: {names:?}");
        }
        let (path, dest) = (self.path(), self.dest());
        let here = std::fs::symlink_metadata(&path).ok();
        let stands = match (here, std::fs::symlink_metadata(&dest).is_ok()) {
            (Some(here), false) if here.is_dir() => Stands::Here,
            (Some(here), true) if here.is_symlink() => Stands::There,
            (None, true) => Stands::ThereAlone,
            (here, there) => unreachable!("{what}: {here:?}, {there}"),
        };
        if stands == Stands::There {
            assert_eq!(std::fs::read_link(&path).expect("a link"), dest, "{what}");
        }
        if let Some(before) = &self.listing {
            let now = listing(if stands == Stands::Here { &path } else { &dest });
            assert!(*before == now, "{what}: {} and {} bytes", before.len(), now.len());
            return stands;
        }
        let now = Manifest::of(if stands == Stands::Here { &path } else { &dest });
        let differences = compare(&self.before, &now, &Allowed::default());
        let lines: Vec<String> = differences.iter().take(9).map(ToString::to_string).collect();
        assert!(lines.is_empty(), "{what}: {stands:?}: {lines:#?}");
        stands
    }
}

/// The names in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let all = std::fs::read_dir(folder).expect("a folder");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.expect("an entry").file_name().to_string_lossy().into_owned()
    };
    let mut all: Vec<String> = all.map(name).collect();
    all.sort();
    all
}
