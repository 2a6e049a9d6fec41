//! The tree that is measured: made from a seed, so that it is the same on every machine.
//!
//! Of its entries 10 % are folders, 20 % symbolic links and the rest empty files. A folder's
//! parent is drawn with a lean towards the older folders, which makes the average depth about
//! half the natural logarithm of the number of folders: about 6 for 100,000. Everything is
//! planned first, by one thread; then the folders are filled level by level, by all of them.
#![expect(clippy::indexing_slicing, reason = "every index comes from the plan's own numbering")]

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fmt, iter, thread};

use rustix::fs::{CWD, FileType, Mode, OFlags, mkdirat, mknodat, openat, symlinkat};

use super::Outcome;

/// Words that names begin with, of the lengths that names usually have.
const WORDS: [&str; 16] = [
    "src", "include", "test", "data", "docs", "lib", "assets", "vendor", "node", "cache", "image",
    "build", "module", "common", "public", "local",
];

/// Endings of file names.
const ENDINGS: [&str; 8] = ["", ".rs", ".txt", ".json", ".so", ".html", ".png", ".toml"];

/// How many folders a thread takes at a time.
const CHUNK: usize = 64;

/// What was made, for the line above the table.
#[derive(Debug)]
pub(crate) struct Census {
    folders: usize,
    links: usize,
    files: usize,
    average_depth: f64,
}

impl fmt::Display for Census {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} entries: {} folders (average depth {:.1}), {} symbolic links, {} files",
            self.folders + self.links + self.files,
            self.folders,
            self.average_depth,
            self.links,
            self.files
        )
    }
}

/// Makes a tree of `entries` entries in `base`, a folder that exists and is empty.
pub(crate) fn generate(base: &Path, entries: usize) -> Outcome<Census> {
    let base = base.canonicalize()?;
    let absolute = base.to_str().ok_or("the folder of the tree needs a name in UTF-8")?;
    let plan = Plan::new(absolute, entries);
    let handle = open_folder(CWD, absolute)?;
    plan.create(handle.as_fd())?;
    Ok(plan.census())
}

/// Numbers from a fixed seed (xorshift64*).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number from 0 up to but without `bound`.
    fn below(&mut self, bound: usize) -> usize {
        let wide = u128::from(self.next()) * (bound as u128);
        usize::try_from(wide >> 64).unwrap_or(0)
    }
}

/// One entry of a folder.
#[derive(Clone, Copy)]
enum Item {
    Folder(usize),
    File(usize),
    Link(usize),
}

/// One folder; number 0 is the root of the tree, with an empty path.
struct Folder {
    path: String,
    depth: usize,
    items: Vec<Item>,
}

/// The whole tree, before anything is made.
struct Plan {
    folders: Vec<Folder>,
    file_homes: Vec<usize>,
    link_homes: Vec<usize>,
    link_targets: Vec<String>,
}

impl Plan {
    fn new(base: &str, entries: usize) -> Self {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        let folder_count = (entries / 10).max(1);
        let link_count = entries / 5;
        let file_count = entries.saturating_sub(folder_count + link_count);
        let root = Folder { path: String::new(), depth: 0, items: Vec::new() };
        let mut plan = Self {
            folders: vec![root],
            file_homes: Vec::with_capacity(file_count),
            link_homes: Vec::with_capacity(link_count),
            link_targets: Vec::with_capacity(link_count),
        };
        for index in 1..=folder_count {
            plan.add_folder(&mut random, index);
        }
        for index in 0..file_count {
            let home = random.below(plan.folders.len());
            plan.file_homes.push(home);
            plan.folders[home].items.push(Item::File(index));
        }
        for index in 0..link_count {
            let home = random.below(plan.folders.len());
            let target = plan.target(&mut random, base, home);
            plan.link_homes.push(home);
            plan.link_targets.push(target);
            plan.folders[home].items.push(Item::Link(index));
        }
        plan
    }

    fn add_folder(&mut self, random: &mut Random, index: usize) {
        let older = random.below(index);
        let parent = random.below(older + 1);
        let path = join(&self.folders[parent].path, &folder_name(index));
        let depth = self.folders[parent].depth + 1;
        self.folders[parent].items.push(Item::Folder(index));
        self.folders.push(Folder { path, depth, items: Vec::new() });
    }

    /// The text of the next link, which will lie in folder `home`.
    fn target(&self, random: &mut Random, base: &str, home: usize) -> String {
        let from = &self.folders[home].path;
        match random.below(100) {
            0 => format!("missing-{:x}", random.below(1 << 20)),
            1 => format!("../gone/missing-{:x}", random.below(1 << 20)),
            2..5 if !self.link_homes.is_empty() => {
                let link = random.below(self.link_homes.len());
                let folder = &self.folders[self.link_homes[link]];
                relative(from, &join(&folder.path, &link_name(link)))
            }
            5..35 => {
                self.sibling(random, home).unwrap_or_else(|| relative(from, &self.any_file(random)))
            }
            65..80 => join(base, &self.any_file(random)),
            80..90 => relative(from, &self.any_folder(random)),
            90..100 => join(base, &self.any_folder(random)),
            _ => relative(from, &self.any_file(random)),
        }
    }

    /// The bare name of a file in the same folder.
    fn sibling(&self, random: &mut Random, home: usize) -> Option<String> {
        let items = &self.folders[home].items;
        let start = random.below(items.len().max(1));
        let mut around = items.iter().skip(start).chain(items.iter().take(start));
        around.find_map(|item| match item {
            Item::File(index) => Some(file_name(*index)),
            Item::Folder(_) | Item::Link(_) => None,
        })
    }

    fn any_file(&self, random: &mut Random) -> String {
        if self.file_homes.is_empty() {
            return self.any_folder(random);
        }
        let file = random.below(self.file_homes.len());
        join(&self.folders[self.file_homes[file]].path, &file_name(file))
    }

    /// The path of a folder below the root.
    fn any_folder(&self, random: &mut Random) -> String {
        self.folders[1 + random.below(self.folders.len() - 1)].path.clone()
    }

    fn census(&self) -> Census {
        let folders = self.folders.len() - 1;
        let depths: usize = self.folders.iter().map(|folder| folder.depth).sum();
        Census {
            folders,
            links: self.link_homes.len(),
            files: self.file_homes.len(),
            average_depth: depths as f64 / folders as f64,
        }
    }

    /// Makes it all: a level's folders exist before any of them is filled.
    fn create(&self, base: BorrowedFd<'_>) -> Outcome<()> {
        let deepest = self.folders.iter().map(|folder| folder.depth).max();
        let mut levels = vec![Vec::new(); deepest.unwrap_or(0) + 1];
        for folder in &self.folders {
            levels[folder.depth].push(folder);
        }
        for level in &levels {
            self.create_level(base, level)?;
        }
        Ok(())
    }

    fn create_level(&self, base: BorrowedFd<'_>, level: &[&Folder]) -> Outcome<()> {
        let taken = AtomicUsize::new(0);
        let work = || -> rustix::io::Result<()> {
            loop {
                let start = taken.fetch_add(CHUNK, Ordering::Relaxed);
                if start >= level.len() {
                    return Ok(());
                }
                for folder in level.iter().skip(start).take(CHUNK) {
                    self.fill(base, folder)?;
                }
            }
        };
        let threads = thread::available_parallelism()?.get();
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            for worker in workers {
                worker.join().map_err(|_| "a thread that makes the tree died")??;
            }
            Ok(())
        })
    }

    fn fill(&self, base: BorrowedFd<'_>, folder: &Folder) -> rustix::io::Result<()> {
        let path = if folder.path.is_empty() { "." } else { &folder.path };
        let handle = open_folder(base, path)?;
        for item in &folder.items {
            match *item {
                Item::Folder(index) => {
                    mkdirat(&handle, folder_name(index), Mode::from_raw_mode(0o755))?;
                }
                Item::File(index) => {
                    let mode = Mode::from_raw_mode(0o644);
                    mknodat(&handle, file_name(index), FileType::RegularFile, mode, 0)?;
                }
                Item::Link(index) => {
                    let target = self.link_targets[index].as_str();
                    symlinkat(target, &handle, link_name(index))?;
                }
            }
        }
        Ok(())
    }
}

fn open_folder(base: BorrowedFd<'_>, path: &str) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(base, path, flags, Mode::empty())
}

fn folder_name(index: usize) -> String {
    format!("{}{index:x}", WORDS[index % 16])
}

fn file_name(index: usize) -> String {
    format!("{}-{index:x}{}", WORDS[index % 16], ENDINGS[index / 16 % 8])
}

fn link_name(index: usize) -> String {
    format!("{}-link-{index:x}", WORDS[index % 16])
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// `target` as written in a link that lies in the folder `from`, both seen from the root.
fn relative(from: &str, target: &str) -> String {
    let from: Vec<&str> = from.split('/').filter(|part| !part.is_empty()).collect();
    let to: Vec<&str> = target.split('/').collect();
    let pairs = from.iter().zip(&to);
    let shared = pairs.take_while(|(left, right)| left == right).count();
    let shared = shared.min(to.len() - 1);
    let climbs = iter::repeat_n("..", from.len() - shared);
    let parts: Vec<&str> = climbs.chain(to.into_iter().skip(shared)).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::{Plan, relative};

    #[test]
    fn a_relative_target_climbs_to_the_shared_folder() {
        assert_eq!(relative("", "a/b"), "a/b");
        assert_eq!(relative("a", "a/b"), "b");
        assert_eq!(relative("a/b", "a/c/d"), "../c/d");
        assert_eq!(relative("a/b", "x"), "../../x");
        assert_eq!(relative("a/b", "a"), "../../a");
        assert_eq!(relative("a", "a"), "../a");
    }

    #[test]
    fn the_plan_is_the_same_every_time_and_has_the_promised_shares() {
        let plan = Plan::new("/base", 10_000);
        assert_eq!(plan.folders.len(), 1_001);
        assert_eq!(plan.link_homes.len(), 2_000);
        assert_eq!(plan.file_homes.len(), 7_000);
        assert_eq!(plan.link_targets, Plan::new("/base", 10_000).link_targets);
    }
}
