//! How two trees differ.

use super::{Entry, Feature, Manifest, shown};
use rustix::fs::FileType;
use std::collections::{BTreeMap, BTreeSet};

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// Where it lies below the top.
    pub path: Vec<u8>,
    /// What is another.
    pub feature: Feature,
    /// In words: before and after.
    pub what: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut path = shown(&self.path);
        if path.len() > 120 {
            let end = path.char_indices().map(|(at, _)| at).take_while(|at| *at <= 110).last();
            path.truncate(end.unwrap_or(0));
            path.push('…');
        }
        write!(to, "{}: `{path}`: {}", self.feature.word(), self.what)
    }
}

/// What may differ.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    /// Links with the text that they must have now, by their paths.
    pub rewritten: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Features that are not looked at.
    pub lost: BTreeSet<Feature>,
}

impl Allowed {
    /// Nothing may differ but these features.
    pub fn losing(lost: impl IntoIterator<Item = Feature>) -> Self {
        Self { rewritten: BTreeMap::new(), lost: lost.into_iter().collect() }
    }
}

/// What a file may take more or less on another file system, and how far an edge of a hole may lie
/// from where it lay: file systems give room in blocks and clusters, and ahead of a writer.
const SLACK: u64 = 128 << 10;

/// How `after` differs from `before`, in order of path and feature.
pub fn compare(before: &Manifest, after: &Manifest, allowed: &Allowed) -> Vec<Difference> {
    let mut list = List { found: Vec::new() };
    let (names_before, names_after) = (before.outside(), after.outside());
    for (path, old) in &before.entries {
        match after.entries.get(path) {
            Some(new) => {
                let text = allowed.rewritten.get(path).or(old.text.as_ref());
                list.entry(path, old, new, text);
                let (was, is) = (names_before.get(&old.file), names_after.get(&new.file));
                if was != is {
                    list.add(
                        path,
                        Feature::OutsideLinks,
                        format!("{was:?} names outside, now {is:?}"),
                    );
                }
            }
            None => list.add(path, Feature::Missing, format!("{:?}", old.kind)),
        }
    }
    for (path, new) in &after.entries {
        if !before.entries.contains_key(path) {
            list.add(path, Feature::Extra, format!("{:?}", new.kind));
        }
    }
    let (was, is) = (before.groups(), after.groups());
    for group in was.symmetric_difference(&is) {
        let names: Vec<String> = group.iter().map(|name| shown(name)).collect();
        let when = if was.contains(group) { "no longer one file" } else { "now one file" };
        let first = group.first().map_or(&b""[..], |name| name);
        list.add(first, Feature::HardLinks, format!("{when}: {}", names.join(", ")));
    }
    for (pair, bytes) in &before.sharing {
        let now = after.sharing.get(pair).copied().unwrap_or(0);
        if now < *bytes {
            let what = format!("shares {now} of {bytes} bytes with `{}`", shown(&pair.1));
            list.add(&pair.0, Feature::Sharing, what);
        }
    }
    list.found.retain(|one| !allowed.lost.contains(&one.feature));
    list.found.sort();
    list.found
}

/// How many entries each feature is lost at.
pub fn table(differences: &[Difference]) -> BTreeMap<Feature, usize> {
    let mut counts = BTreeMap::new();
    for one in differences {
        *counts.entry(one.feature).or_insert(0) += 1;
    }
    counts
}

struct List {
    found: Vec<Difference>,
}

impl List {
    fn add(&mut self, path: &[u8], feature: Feature, what: String) {
        self.found.push(Difference { path: path.to_vec(), feature, what });
    }

    fn differ<T: PartialEq + std::fmt::Debug>(
        &mut self,
        path: &[u8],
        feature: Feature,
        was: &T,
        is: &T,
    ) {
        if was != is {
            self.add(path, feature, format!("{was:?}, now {is:?}"));
        }
    }

    fn entry(&mut self, path: &[u8], old: &Entry, new: &Entry, text: Option<&Vec<u8>>) {
        if old.kind != new.kind {
            self.differ(path, Feature::Kind, &old.kind, &new.kind);
            return;
        }
        let is_file = old.kind == FileType::RegularFile;
        let set = if is_file { 0o6000 } else { 0 };
        let octal = |mode: u32| format!("{mode:04o}");
        self.differ(path, Feature::Mode, &octal(old.mode & !set), &octal(new.mode & !set));
        self.differ(path, Feature::SetId, &octal(old.mode & set), &octal(new.mode & set));
        self.differ(path, Feature::Owner, &(old.owner, old.group), &(new.owner, new.group));
        let time = match old.kind {
            FileType::RegularFile => Feature::FileTime,
            FileType::Directory => Feature::FolderTime,
            FileType::Symlink => Feature::LinkTime,
            _ => Feature::SpecialTime,
        };
        self.differ(path, time, &old.modified, &new.modified);
        self.differ(path, Feature::Content, &(old.size, old.hash), &(new.size, new.hash));
        self.differ(path, Feature::Device, &old.device, &new.device);
        let words = |text: Option<&Vec<u8>>| text.map(|text| shown(text));
        self.differ(path, Feature::LinkText, &words(text), &words(new.text.as_ref()));
        self.differ(path, Feature::Flags, &old.flags.unwrap_or(0), &new.flags.unwrap_or(0));
        self.differ(path, Feature::Project, &old.project.unwrap_or(0), &new.project.unwrap_or(0));
        self.attributes(path, old, new);
        if is_file {
            self.room(path, old, new);
        }
    }

    fn attributes(&mut self, path: &[u8], old: &Entry, new: &Entry) {
        let names: BTreeSet<&Vec<u8>> =
            old.attributes.keys().chain(new.attributes.keys()).collect();
        for name in names {
            let was = old.attributes.get(name).or(old.unlisted.get(name));
            let is = new.attributes.get(name).or(new.unlisted.get(name));
            if was != is {
                let held = matches!(old.kind, FileType::RegularFile | FileType::Directory);
                let feature = match name.as_slice() {
                    b"system.posix_acl_access" => Feature::Acl,
                    b"system.posix_acl_default" => Feature::DefaultAcl,
                    b"security.capability" => Feature::Capability,
                    _ if !held => Feature::LinkAttributes,
                    name if name.starts_with(b"user.") => Feature::UserAttributes,
                    _ => Feature::OtherAttributes,
                };
                let length = |value: Option<&Vec<u8>>| value.map(Vec::len);
                let (was, is) = (length(was), length(is));
                self.add(path, feature, format!("{}: {was:?}, now {is:?} bytes", shown(name)));
            }
        }
    }

    fn room(&mut self, path: &[u8], old: &Entry, new: &Entry) {
        let bytes = |entry: &Entry| entry.data.iter().map(|(from, to)| to - from).sum::<u64>();
        let holes = old.size.saturating_sub(bytes(old));
        let reserved = old.room.saturating_sub(old.size.next_multiple_of(64 << 10));
        if holes > SLACK {
            // What tells holes may be missing there; the room never is.
            let most = (bytes(old) + bytes(old) / 64).max(old.room) + SLACK;
            if new.room > most {
                self.add(path, Feature::Holes, format!("takes {}, now {}", old.room, new.room));
            }
        } else if reserved > SLACK {
            if new.room + SLACK < old.room {
                self.add(path, Feature::Preallocation, format!("{}, now {}", old.room, new.room));
            }
        } else if new.room > old.room.max(old.size) + (1 << 20) {
            self.add(path, Feature::Holes, format!("takes {}, now {}", old.room, new.room));
        }
        if bytes(new) + SLACK < bytes(old) {
            let what = format!("{} bytes of data, now {}", bytes(old), bytes(new));
            self.add(path, Feature::NewHoles, what);
        }
    }
}
