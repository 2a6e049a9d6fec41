//! What is in a folder that does not arrive as people expect: its links.

use crate::descent::Descent;
use crate::look::without_trace;
use crate::operator::Held;
use crate::system::{EndMark, System};
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use rustix::fd::AsFd as _;
use rustix::io::Errno;
use std::mem::MaybeUninit;

/// What lies in a folder and below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// Symbolic links.
    pub links: u64,
    /// Everything else that is no folder.
    pub things: u64,
    /// Whether all of it was looked at.
    pub whole: bool,
}

/// Counts what lies in a folder and below. No link is followed, and no other volume is entered. At most `limit` folders
/// are looked into.
///
/// # Errors
/// The system's, where the folder itself cannot be read; EAGAIN when the tree is moved meanwhile.
pub fn inside(system: System, top: &Held, limit: u64) -> Result<Inside, Errno> {
    let mut walk = Walk {
        system,
        descent: Descent::at(system, top.folder.as_fd())?,
        listing: vec![MaybeUninit::uninit(); 32 * 1024],
        found: Inside { whole: true, ..Inside::default() },
    };
    let mut looked = 1;
    let mut todo = vec![walk.folder()?];
    while let Some(rest) = todo.last_mut() {
        let Some(name) = rest.pop() else {
            todo.pop();
            walk.descent.up()?;
            continue;
        };
        if looked == limit {
            walk.found.whole = false;
            break;
        }
        looked += 1;
        let down = walk.descent.look(&name).and_then(|facts| walk.descent.down(&name, &facts));
        walk.found.whole &= down.is_ok();
        if down.is_ok() {
            let folders = walk.folder();
            walk.found.whole &= folders.is_ok();
            todo.push(folders.unwrap_or_default());
        }
    }
    Ok(walk.found)
}

struct Walk {
    system: System,
    descent: Descent,
    listing: Vec<MaybeUninit<u8>>,
    found: Inside,
}

impl Walk {
    /// Counts what is in the folder at hand, and gives the names of its folders.
    fn folder(&mut self) -> Result<Vec<Name>, Errno> {
        let (system, mut folders) = (self.system, Vec::new());
        let list = self.descent.here();
        without_trace(list);
        let found = &mut self.found;
        system.list(list, &mut self.listing, EndMark::EmptyRead, |entry| {
            let name = Name::new(entry.name.to_bytes());
            let looked = || Some(system.facts(list, name.as_ref()?.as_bytes()).ok()?.kind);
            match entry.kind.or_else(looked) {
                Some(EntryKind::Symlink) => found.links += 1,
                Some(EntryKind::Folder) => folders.extend(name),
                _ => found.things += 1,
            }
            true
        })?;
        Ok(folders)
    }
}

#[cfg(test)]
#[expect(clippy::expect_used, clippy::disallowed_methods, reason = "a test makes what it looks at")]
mod tests {
    use super::*;
    use linkwell_model::path::AbsPath;
    use linkwell_testkit::tree::{Scratch, make};
    use std::sync::Arc;

    #[test]
    fn links_are_counted_and_not_followed() {
        let scratch = Scratch::new();
        make(
            &scratch.path(),
            &["t/a", "t/l -> a", "t/sub/m -> ..", "t/sub/deep/n -> /nowhere", "o -> t"],
        );
        let folder = std::fs::File::open(scratch.path().join("t")).expect("a folder");
        let held = Held { folder: Arc::new(folder.into()), place: AbsPath::root() };
        let found = |limit| inside(System::new(), &held, limit);
        assert_eq!(found(100), Ok(Inside { links: 3, things: 1, whole: true }));
        assert_eq!(found(2), Ok(Inside { links: 2, things: 1, whole: false }));
    }
}
