//! A folder of GNU Stow: each folder in it is a package, and what is in a package is wanted in the target folder
//! under the same path (stow(8), version 2.4).
//!
//! As Stow does it: a folder that only one package has, and that is not there yet, becomes one link to the package's
//! (folding); otherwise it is a real folder with links in it. Unlike Stow, what stands in the way of one link hinders no
//! other one, and nothing of the person's is ever put into a package.

use super::{Asked, Read};
use crate::operator::Held;
use crate::system::{Access, System};
use linkwell_model::entry::EntryKind;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::spelling::Style;
use linkwell_model::shown::shown;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::mem::MaybeUninit;

/// How it is read; the words are Stow's.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Links to files alone, never to folders (`--no-folding`).
    pub no_folding: bool,
    /// `dot-bashrc` is wanted as `.bashrc` (`--dotfiles`).
    pub dotfiles: bool,
}

/// Deeper than this nobody has dotfiles, and each level is held open.
const DEEPEST: usize = 100;

/// A package's folder at the level that is looked at.
struct Part {
    package: Box<[u8]>,
    folder: OwnedFd,
    place: AbsPath,
}

/// A name in a folder.
struct Entry {
    name: Box<[u8]>,
    kind: EntryKind,
}

/// A name in a package: the number of its part, and the entry there.
type Own = (usize, Entry);

struct Reader {
    system: System,
    options: Options,
    read: Read,
}

/// Reads all packages of the folder `packages` for the folder `target`.
///
/// # Errors
/// The system's, when the folder itself cannot be listed.
pub fn stow(
    system: System,
    packages: &Held,
    target: &Held,
    options: Options,
) -> Result<Read, Errno> {
    let mut reader = Reader { system, options, read: Read::default() };
    let mut parts = Vec::new();
    for Entry { name, kind } in list(system, packages.folder.as_fd())? {
        // What is hidden at the top, such as `.git`, is no package.
        if kind != EntryKind::Folder || name.starts_with(b".") {
            continue;
        }
        let place = packages.place.joined(&name);
        match system.open(packages.folder.as_fd(), &*name, Access::Hold) {
            Ok(folder) if has_own_rules(system, &folder) => {
                reader.read.problem(
                    place.as_bytes(),
                    "the package says itself what of it is left out (`.stow-local-ignore`), in patterns that \
                     are not read here; all of it is left out"
                        .into(),
                    None,
                );
            }
            Ok(folder) => parts.push(Part { package: name, folder, place }),
            Err(error) => reader.unseen(&place, error),
        }
    }
    parts.sort_by(|one, other| one.package.cmp(&other.package));
    reader.level(&parts, Some(&target.folder), &target.place, 0);
    Ok(reader.read)
}

fn has_own_rules(system: System, package: &OwnedFd) -> bool {
    system.facts(package.as_fd(), b".stow-local-ignore").is_ok()
}

fn list(system: System, folder: rustix::fd::BorrowedFd<'_>) -> Result<Vec<Entry>, Errno> {
    let open = system.open(folder, c".", Access::List)?;
    let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
    let mark = system.end_mark(open.as_fd());
    let mut found: Vec<(Box<[u8]>, Option<EntryKind>)> = Vec::new();
    system.list(open.as_fd(), &mut buffer, mark, |entry| {
        found.push((entry.name.to_bytes().into(), entry.kind));
        true
    })?;
    let known = |(name, kind): (Box<[u8]>, Option<EntryKind>)| {
        let kind = kind.or_else(|| system.facts(open.as_fd(), &name).ok().map(|facts| facts.kind));
        kind.map(|kind| Entry { name, kind })
    };
    Ok(found.into_iter().filter_map(known).collect())
}

impl Reader {
    fn unseen(&mut self, place: &AbsPath, error: Errno) {
        let what = format!("it cannot be looked at: {}", crate::survey::reason(error));
        self.read.problem(place.as_bytes(), what, None);
    }

    /// One level of all packages that have it. `target` is the real folder there, if there is one.
    fn level(
        &mut self,
        parts: &[Part],
        target: Option<&std::sync::Arc<OwnedFd>>,
        place: &AbsPath,
        depth: usize,
    ) {
        let mut names: BTreeMap<Box<[u8]>, Vec<Own>> = BTreeMap::new();
        for (number, part) in parts.iter().enumerate() {
            match list(self.system, part.folder.as_fd()) {
                Ok(entries) => {
                    for entry in entries {
                        if !is_left_out(&entry.name, depth) {
                            let wanted = self.wanted_name(&entry.name);
                            names.entry(wanted).or_default().push((number, entry));
                        }
                    }
                }
                Err(error) => self.unseen(&part.place, error),
            }
        }
        for (name, all) in names {
            let at = place.joined(&name);
            let stands = target.and_then(|target| self.system.facts(target.as_fd(), &name).ok());
            let stands = stands.map(|facts| facts.kind);
            let folders = all.iter().all(|(_, entry)| entry.kind == EntryKind::Folder);
            let alone = match &*all {
                [(number, own)] => parts.get(*number).map(|part| part.place.joined(&own.name)),
                _ => None,
            };
            match (alone, stands) {
                (Some(to), _) if !folders => self.link(at, to),
                (Some(to), None | Some(EntryKind::Symlink)) if !self.options.no_folding => {
                    self.link(at, to);
                }
                (_, None) if folders => {
                    self.read.folders.insert(at.clone());
                    self.descend(parts, &all, None, &at, depth);
                }
                (_, Some(EntryKind::Folder)) if folders => {
                    let open =
                        target.map(|target| self.system.open(target.as_fd(), &*name, Access::Hold));
                    match open {
                        Some(Ok(open)) => {
                            let open = std::sync::Arc::new(open);
                            self.descend(parts, &all, Some(&open), &at, depth);
                        }
                        Some(Err(error)) => self.unseen(&at, error),
                        None => {}
                    }
                }
                _ => self.in_each_others_way(parts, &all, &at, stands),
            }
        }
    }

    fn link(&mut self, at: AbsPath, to: AbsPath) {
        self.read.links.push(Asked { at, to, style: Style::Relative });
    }

    fn descend(
        &mut self,
        parts: &[Part],
        all: &[Own],
        target: Option<&std::sync::Arc<OwnedFd>>,
        at: &AbsPath,
        depth: usize,
    ) {
        if depth >= DEEPEST {
            let what = format!("folders more than {DEEPEST} deep are not looked into");
            return self.read.problem(at.as_bytes(), what, None);
        }
        let mut below = Vec::new();
        for (number, entry) in all {
            let Some(part) = parts.get(*number) else { continue };
            let place = part.place.joined(&entry.name);
            match self.system.open(part.folder.as_fd(), &*entry.name, Access::Hold) {
                Ok(folder) => below.push(Part { package: part.package.clone(), folder, place }),
                Err(error) => self.unseen(&place, error),
            }
        }
        self.level(&below, target, at, depth + 1);
    }

    fn in_each_others_way(
        &mut self,
        parts: &[Part],
        all: &[Own],
        at: &AbsPath,
        stands: Option<EntryKind>,
    ) {
        let packages = all.iter().filter_map(|(number, ..)| parts.get(*number));
        let packages: Vec<String> =
            packages.map(|part| format!("`{}`", shown(&part.package))).collect();
        let packages = packages.join(" and ");
        match stands.filter(|_| all.iter().all(|(_, entry)| entry.kind == EntryKind::Folder)) {
            Some(kind) => self.read.problem(
                at.as_bytes(),
                format!(
                    "a real folder is wanted there for {packages}, and it is a {}",
                    kind.word()
                ),
                Some("remove it, if it leads into one of the packages, and apply again"),
            ),
            None => self.read.problem(at.as_bytes(), format!("{packages} both have it"), None),
        }
    }

    fn wanted_name(&self, name: &[u8]) -> Box<[u8]> {
        match name.strip_prefix(b"dot-").filter(|rest| self.options.dotfiles && !rest.is_empty()) {
            Some(rest) => [b".", rest].concat().into(),
            None => name.into(),
        }
    }
}

/// What Stow leaves out of every package that does not say otherwise (stow(8), "Types and syntax of ignore lists").
fn is_left_out(name: &[u8], depth: usize) -> bool {
    const NAMES: [&[u8]; 11] = [
        b"RCS",
        b"CVS",
        b".cvsignore",
        b".svn",
        b"_darcs",
        b".hg",
        b".git",
        b".gitignore",
        b".gitmodules",
        b".stow",
        b".nonstow",
    ];
    let at_top = depth == 0
        && [&b"README"[..], b"LICENSE", b"COPYING"].iter().any(|start| name.starts_with(start));
    NAMES.contains(&name)
        || at_top
        || (name.len() > 2 && name.ends_with(b",v"))
        || (name.len() > 1 && name.ends_with(b"~"))
        || name.starts_with(b".#")
        || (name.starts_with(b"#") && name.ends_with(b"#") && name.len() > 1)
}
