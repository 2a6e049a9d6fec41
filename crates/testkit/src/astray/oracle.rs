//! Where every link and every object is, known from what was moved, and by what is in it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Error, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// A link, and what it led to in the beginning.
#[derive(Debug)]
struct Link {
    place: PathBuf,
    /// Where that object is now.
    target: PathBuf,
    /// A sum of what is in it.
    contents: blake3::Hash,
    /// Its text at the beginning.
    text: PathBuf,
    /// Where it led before anybody mended anything, and after all was moved.
    before: Option<PathBuf>,
}

/// How links stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stand {
    /// They lead to their own object.
    pub right: usize,
    /// They lead to nothing.
    pub dead: usize,
    /// Something else stands under the name that their text has always had.
    pub taken: usize,
    /// They lead to another object, by a text that they did not have.
    pub wrong: usize,
}

#[derive(Debug)]
pub(super) struct Oracle {
    links: Vec<Link>,
}

impl Oracle {
    /// Every link below `top` that leads to something below it.
    pub(super) fn new(top: &Path) -> Result<Self, Error> {
        let mut places = Vec::new();
        walk(top, &mut |path, kind| {
            if kind.is_symlink() {
                places.push(path.to_owned());
            }
        })?;
        places.sort();
        let mut sums: BTreeMap<PathBuf, blake3::Hash> = BTreeMap::new();
        let mut links = Vec::new();
        for place in places {
            let Ok(target) = fs::canonicalize(&place) else { continue };
            if !target.starts_with(top) {
                continue;
            }
            let contents = match sums.get(&target) {
                Some(known) => *known,
                None => sum(&target)?,
            };
            sums.insert(target.clone(), contents);
            let text = fs::read_link(&place)?;
            links.push(Link { place, target, contents, text, before: None });
        }
        Ok(Self { links })
    }

    pub(super) fn len(&self) -> usize {
        self.links.len()
    }

    /// What links lead to, each once, where it is now.
    pub(super) fn targets(&self) -> Vec<PathBuf> {
        let mut all: Vec<PathBuf> = self.links.iter().map(|link| link.target.clone()).collect();
        all.sort();
        all.dedup();
        all
    }

    /// Something was moved, with everything in it.
    pub(super) fn moved(&mut self, from: &Path, to: &Path) {
        for link in &mut self.links {
            for path in [&mut link.place, &mut link.target] {
                if let Ok(rest) = path.strip_prefix(from) {
                    // An empty rest would leave a slash at the end.
                    let plain = rest.as_os_str().is_empty();
                    *path = if plain { to.to_owned() } else { to.join(rest) };
                }
            }
        }
    }

    /// Everything was moved: where the links lead that nobody mends.
    pub(super) fn all_moved(&mut self) {
        for link in &mut self.links {
            link.before = fs::canonicalize(&link.place).ok();
        }
    }

    /// How they stand, and in words what is wrong.
    pub(super) fn judge(&self) -> Result<(Stand, Vec<String>), Error> {
        let (mut stand, mut wrong) = (Stand::default(), Vec::new());
        let mut sums: BTreeMap<PathBuf, blake3::Hash> = BTreeMap::new();
        for link in &self.links {
            let text = fs::read_link(&link.place)?;
            let Ok(led) = fs::canonicalize(&link.place) else {
                stand.dead += 1;
                continue;
            };
            if led == link.target {
                let contents = match sums.get(&led) {
                    Some(known) => *known,
                    None => sum(&led)?,
                };
                sums.insert(led, contents);
                if contents != link.contents {
                    // The oracle itself would be wrong.
                    return Err(Error::other(format!(
                        "{} is not what it was",
                        link.target.display()
                    )));
                }
                stand.right += 1;
            } else if text == link.text || link.before.as_ref() == Some(&led) {
                stand.taken += 1;
            } else {
                stand.wrong += 1;
                wrong.push(format!(
                    "{} leads to {}, and its object is {}",
                    link.place.display(),
                    led.display(),
                    link.target.display()
                ));
            }
        }
        Ok((stand, wrong))
    }
}

/// Everything below `folder`, links not followed.
fn walk(folder: &Path, each: &mut impl FnMut(&Path, fs::FileType)) -> Result<(), Error> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        each(&entry.path(), kind);
        if kind.is_dir() {
            walk(&entry.path(), each)?;
        }
    }
    Ok(())
}

/// A sum of a file's contents; of a folder the names and contents of all files in it. Links in it are not counted:
/// they may have been mended.
fn sum(path: &Path) -> Result<blake3::Hash, Error> {
    let mut all = blake3::Hasher::new();
    let mut files = Vec::new();
    if path.is_dir() {
        walk(path, &mut |inside, kind| {
            if kind.is_file() {
                files.push(inside.to_owned());
            }
        })?;
        files.sort();
    } else {
        files.push(path.to_owned());
    }
    for file in files {
        if let Ok(name) = file.strip_prefix(path) {
            all.update(name.as_os_str().as_bytes()).update(&[0]);
        }
        let mut bytes = Vec::new();
        fs::File::open(&file)?.read_to_end(&mut bytes)?;
        all.update(&blake3::hash(&bytes).as_bytes()[..]);
    }
    Ok(all.finalize())
}
