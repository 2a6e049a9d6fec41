//! Where every link and every object is, known from what was moved, and by what is in it.

use std::fs;
use std::io::Error;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A link, and what it led to in the beginning.
#[derive(Debug)]
struct Link {
    place: PathBuf,
    /// Where that object is now.
    target: PathBuf,
    /// Its device and inode, unless it is a copy.
    object: Option<(u64, u64)>,
    /// A sum of what is in it, if it is a file.
    contents: Option<blake3::Hash>,
    /// Where that is now which has taken the name of its object: a watcher that sees it lets the name win.
    heirs: Vec<PathBuf>,
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
    /// They lead by their name to something else, which has that name now.
    pub taken: usize,
    /// They lead to another object, by a text that they did not have.
    pub wrong: usize,
}

#[derive(Debug)]
pub(super) struct Oracle {
    links: Vec<Link>,
    /// Somebody watches.
    watched: bool,
}

impl Oracle {
    /// Every link below `top` that leads to something below it.
    pub(super) fn new(top: &Path, watched: bool) -> Result<Self, Error> {
        let mut places = Vec::new();
        walk(top, &mut |path, kind| {
            if kind.is_symlink() {
                places.push(path.to_owned());
            }
        })?;
        places.sort();
        let mut links = Vec::new();
        for place in places {
            let Ok(target) = fs::canonicalize(&place) else { continue };
            if !target.starts_with(top) {
                continue;
            }
            let about = fs::metadata(&target)?;
            let (object, contents) = (Some((about.dev(), about.ino())), sum(&target)?);
            let text = fs::read_link(&place)?;
            links.push(Link {
                place,
                target,
                object,
                contents,
                heirs: Vec::new(),
                text,
                before: None,
            });
        }
        Ok(Self { links, watched })
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
            let all = [&mut link.place, &mut link.target].into_iter().chain(&mut link.heirs);
            for path in all {
                if let Some(now) = at(path, from, to) {
                    *path = now;
                }
            }
        }
    }

    /// Two things, which were moved already, have each other's names now.
    pub(super) fn exchanged(&mut self, one: &Path, two: &Path) {
        for link in self.links.iter_mut().filter(|_| self.watched) {
            let known = link.heirs.iter().chain([&link.target]);
            let heirs: Vec<PathBuf> = known
                .filter_map(|path| at(path, one, two).or_else(|| at(path, two, one)))
                .collect();
            link.heirs.extend(heirs);
        }
    }

    /// Something was moved to another file system: what is there is a copy.
    pub(super) fn copied(&mut self, from: &Path, to: &Path) {
        for link in self.links.iter_mut().filter(|link| link.target.starts_with(from)) {
            link.object = None;
        }
        self.moved(from, to);
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
        for link in &self.links {
            let text = fs::read_link(&link.place)?;
            let Ok(led) = fs::canonicalize(&link.place) else {
                stand.dead += 1;
                continue;
            };
            if led == link.target {
                let about = fs::metadata(&led)?;
                let other = link.object.is_some_and(|object| object != (about.dev(), about.ino()));
                if other || sum(&led)? != link.contents {
                    // The oracle itself would be wrong.
                    return Err(Error::other(format!(
                        "{} is not what it was",
                        link.target.display()
                    )));
                }
                stand.right += 1;
            } else if text == link.text
                || link.heirs.contains(&led)
                || link.before.as_ref() == Some(&led)
            {
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

/// Where a path is after a move.
fn at(path: &Path, from: &Path, to: &Path) -> Option<PathBuf> {
    let rest = path.strip_prefix(from).ok()?;
    // An empty rest would leave a slash at the end.
    Some(if rest.as_os_str().is_empty() { to.to_owned() } else { to.join(rest) })
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

/// A sum of a file's contents. What is in a folder may be moved like everything else.
fn sum(path: &Path) -> Result<Option<blake3::Hash>, Error> {
    if path.is_dir() {
        return Ok(None);
    }
    Ok(Some(blake3::hash(&fs::read(path)?)))
}
