//! How faithful a move was, whoever made it: made from a nasty tree, judged by the manifest after both
//! volumes were mounted anew.

use crate::manifest::{Allowed, Difference, Feature, Manifest, compare};
use crate::nasty::{self, Made, Part};
use crate::volume::Volume;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// A tree on one volume that is to go to another one.
#[derive(Debug)]
pub struct Trip<'v> {
    from: &'v mut Volume,
    to: &'v mut Volume,
    /// What was made.
    pub made: Made,
    /// Where it must go.
    pub dest: PathBuf,
    /// The tree as it was.
    pub before: Manifest,
    /// Where the links lead that leave the tree.
    leads: BTreeMap<Vec<u8>, PathBuf>,
}

/// How things stand after a move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As before: the old is whole, and nothing is at the destination.
    Home,
    /// The tree is at the destination, but for these differences, and no tree at the old place.
    There(Vec<Difference>),
    /// Neither: in words.
    Half(String),
}

impl<'v> Trip<'v> {
    /// Makes the tree, in place of whatever was left of another trip.
    pub fn new(from: &'v mut Volume, to: &'v mut Volume, parts: &[Part]) -> Self {
        let (top, dest) = (from.join("tree"), to.join("moved/tree"));
        for left in [&top, &from.join("out"), &to.join("moved")] {
            nasty::release(left);
            match left.symlink_metadata() {
                Ok(about) if about.is_dir() => std::fs::remove_dir_all(left).expect("it goes"),
                Ok(_) => std::fs::remove_file(left).expect("it goes"),
                Err(_) => {}
            }
        }
        std::fs::create_dir(to.join("moved")).expect("a folder");
        let made = nasty::make(&top, parts);
        from.reread();
        let before = Manifest::of(&top);
        let leads = made.leaving.iter().map(|link| (link.clone(), leads(&top, link))).collect();
        Self { from, to, made, dest, before, leads }
    }

    /// Mounts both volumes anew and looks.
    pub fn look(&mut self) -> Ended {
        self.from.reread();
        self.to.reread();
        let is_tree = |path: &Path| path.symlink_metadata().is_ok_and(|about| about.is_dir());
        let old = is_tree(&self.made.top)
            .then(|| compare(&self.before, &Manifest::of(&self.made.top), &Allowed::default()));
        let new = self.dest.symlink_metadata().is_ok();
        match old {
            Some(differences) if differences.is_empty() && !new => Ended::Home,
            Some(differences) => {
                let more = if new { ", and something is at the destination" } else { "" };
                Ended::Half(format!("at the old place: {}{more}", text(&differences)))
            }
            None if is_tree(&self.dest) => Ended::There(self.differences()),
            None => Ended::Half("it is nowhere".into()),
        }
    }

    /// How the tree at the destination differs. Links that leave it may have another text there: what
    /// counts is that they lead where they led.
    fn differences(&self) -> Vec<Difference> {
        let after = Manifest::of(&self.dest);
        let mut found = compare(&self.before, &after, &Allowed::default());
        found.retain(|one| {
            one.feature != Feature::LinkText || !self.made.leaving.contains(&one.path)
        });
        for (link, led) in &self.leads {
            if !after.entries.contains_key(link) {
                continue;
            }
            let wanted = match led.strip_prefix(&self.made.top) {
                Ok(below) => self.dest.join(below),
                Err(_) => led.clone(),
            };
            let now = leads(&self.dest, link);
            let same_text = after.entries.get(link).map(|entry| &entry.text)
                == self.before.entries.get(link).map(|entry| &entry.text);
            // What led nowhere before may stay as it was written.
            let stays = same_text && led.symlink_metadata().is_err();
            if now != wanted && !stays {
                let what = format!("led to {}, now to {}", wanted.display(), now.display());
                found.push(Difference { path: link.clone(), feature: Feature::LinkText, what });
            }
        }
        found
    }

    /// The folder that the tree lies in.
    pub fn here(&self) -> PathBuf {
        self.from.path()
    }

    /// Names that linkwell makes for a moment and must not leave, anywhere on the two volumes' tops.
    pub fn strays(&self) -> Vec<PathBuf> {
        let places = [self.from.path(), self.to.path(), self.to.join("moved")];
        let entries = places.iter().filter_map(|place| std::fs::read_dir(place).ok()).flatten();
        let paths = entries.map(|entry| entry.expect("an entry").path());
        paths.filter(|path| path.to_string_lossy().contains(".linkwell-")).collect()
    }
}

impl Drop for Trip<'_> {
    fn drop(&mut self) {
        // So that the volume can be unmounted and the next tree made.
        nasty::release(&self.made.top);
        nasty::release(&self.dest);
    }
}

/// Where a link leads by its text, whether or not something is there.
fn leads(top: &Path, link: &[u8]) -> PathBuf {
    let link = top.join(OsStr::from_bytes(link));
    let text = std::fs::read_link(&link).expect("a link");
    let whole = link.parent().expect("it lies somewhere").join(text);
    let folder = whole.parent().and_then(|folder| folder.canonicalize().ok());
    let folder = folder.unwrap_or_else(|| PathBuf::from("a folder that is not there"));
    let named = whole.file_name().map_or_else(|| folder.clone(), |name| folder.join(name));
    named.canonicalize().unwrap_or(named)
}

/// Differences as text; the first eight.
pub fn text(differences: &[Difference]) -> String {
    let lines: Vec<String> = differences.iter().take(8).map(ToString::to_string).collect();
    format!("{} differences: {}", differences.len(), lines.join("; "))
}

/// The word of `--accept-loss` under which a difference must be named beforehand; `None` for what may
/// never be lost.
pub fn loss(before: &Manifest, difference: &Difference) -> Option<&'static str> {
    use rustix::fs::FileType;
    let kind = before.entries.get(&difference.path).map(|entry| entry.kind);
    Some(match difference.feature {
        Feature::Missing if kind == Some(FileType::Symlink) => "links",
        Feature::Missing => match kind {
            Some(FileType::RegularFile | FileType::Directory) | None => return None,
            Some(_) => "special",
        },
        Feature::Mode | Feature::SetId => "mode",
        Feature::Owner => "owner",
        Feature::FileTime | Feature::FolderTime | Feature::LinkTime | Feature::SpecialTime => {
            "times"
        }
        Feature::UserAttributes | Feature::OtherAttributes | Feature::LinkAttributes => {
            "attributes"
        }
        Feature::Capability => "capabilities",
        Feature::Acl | Feature::DefaultAcl => "access-lists",
        Feature::HardLinks | Feature::OutsideLinks => "hard-links",
        Feature::Holes => "holes",
        Feature::Preallocation => "preallocation",
        Feature::Sharing => "sharing",
        Feature::Flags => "flags",
        Feature::Project => "project",
        Feature::Extra
        | Feature::Kind
        | Feature::Device
        | Feature::Content
        | Feature::LinkText
        | Feature::NewHoles => return None,
    })
}

/// Every word of `--accept-loss`.
const LOSSES: [&str; 14] = [
    "owner",
    "mode",
    "times",
    "attributes",
    "access-lists",
    "capabilities",
    "flags",
    "project",
    "hard-links",
    "holes",
    "preallocation",
    "sharing",
    "special",
    "links",
];

/// The losses that a refusal names: each as `--accept-loss WORD`.
pub fn named(said: &str) -> BTreeSet<&'static str> {
    let mut found = BTreeSet::new();
    for after in said.split("--accept-loss").skip(1) {
        let word: String = after
            .chars()
            .skip_while(|one| !one.is_ascii_alphabetic())
            .take_while(|one| one.is_ascii_alphabetic() || *one == '-')
            .collect();
        found.extend(LOSSES.into_iter().find(|loss| *loss == word));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn losses_are_found_by_their_option() {
        let said = "hint: `--accept-loss times --accept-loss=owner`, or --accept-loss KIND";
        assert_eq!(named(said).into_iter().collect::<Vec<_>>(), ["owner", "times"]);
    }
}
