//! What must not be removed or moved, known by which folder it is.

mod moving;

pub use moving::{Destination, may_move};

use super::Surveyor;
use crate::operator::Held;
use crate::state::nearest;
use crate::system::{Access, Links};
use linkwell_model::entry::FileId;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Object, Why};
use rustix::fd::AsFd as _;
use std::collections::HashMap;
use std::sync::Arc;

/// A folder above something, and whether both are seen through the same mount.
#[derive(Clone, Copy, Debug)]
pub struct Above {
    /// Which folder.
    pub id: FileId,
    pub(super) near: bool,
}

/// What must not go.
pub(super) struct Guard {
    /// Folders that must not be removed, nor any folder that they lie in.
    kept: HashMap<FileId, &'static str>,
    /// Folders in which nothing is removed, and why; `true`: only as far as no other volume is
    /// mounted in them.
    closed: Vec<(FileId, bool, &'static str)>,
}

impl Guard {
    pub(super) fn new(
        surveyor: &Surveyor,
        state: Option<&AbsPath>,
        trash: Option<&AbsPath>,
    ) -> Self {
        let mut guard = Self { kept: HashMap::new(), closed: Vec::new() };
        let system = surveyor.system();
        guard.keep(surveyor, surveyor.current(), CURRENT);
        if let Some(home) = surveyor.home.clone()
            && let Ok((held, _)) = nearest(system, &home)
        {
            guard.keep(surveyor, &held, "your home folder lies in it, or is it");
        }
        let own = [
            (state, "linkwell keeps its record in it", "linkwell keeps its record here"),
            (trash, "the trash lies in it, or is it", IN_TRASH),
        ];
        for (place, kept, closed) in own {
            let Some(place) = place else { continue };
            let Ok((held, missing)) = nearest(system, place) else { continue };
            guard.keep(surveyor, &held, kept);
            if missing.is_empty()
                && let Ok(facts) = system.facts_of(held.folder.as_fd())
            {
                guard.closed.push((facts.id.file(), false, closed));
            }
        }
        for place in [&b"/proc"[..], b"/sys", b"/dev"] {
            if let Ok(status) = system.status(rustix::fs::CWD, place, Links::Followed) {
                guard.kept.entry(status.id).or_insert("the system needs it");
                guard.closed.push((status.id, true, "the system needs it"));
            }
        }
        guard
    }

    /// For what is to be moved: the folders that the system and its users are found by stay, and so
    /// does all that makes up `/proc`, `/sys` and `/dev`.
    pub(super) fn for_moving(surveyor: &Surveyor, state: Option<&AbsPath>) -> Self {
        let mut guard = Self::new(surveyor, state, None);
        guard.kept.retain(|_, why| *why != CURRENT);
        for place in OF_THE_SYSTEM {
            if let Ok(status) =
                surveyor.system().status(rustix::fs::CWD, place.as_bytes(), Links::Followed)
            {
                guard.kept.entry(status.id).or_insert("the system needs it at its place");
            }
        }
        guard
    }

    /// Keeps a folder and all that it lies in.
    fn keep(&mut self, surveyor: &Surveyor, held: &Held, why: &'static str) {
        for above in chain_of(surveyor, held) {
            self.kept.entry(above.id).or_insert(why);
        }
    }

    pub(super) fn check(
        &self,
        object: &Object,
        chain: &[Above],
        trash: Option<FileId>,
    ) -> Result<(), Why> {
        let no = |what: &str, hint: Option<&str>| {
            Err(Why::Other { what: what.into(), hint: hint.map(Into::into) })
        };
        if let Some(why) = self.kept.get(&object.id().file())
            && matches!(object, Object::Folder { .. })
        {
            return no(why, None);
        }
        for above in chain {
            let closed =
                self.closed.iter().find(|(id, near, _)| *id == above.id && (!near || above.near));
            let in_trash = trash == Some(above.id);
            if in_trash || closed.is_some_and(|(_, _, why)| *why == IN_TRASH) {
                return no(
                    IN_TRASH,
                    Some(
                        "empty the trash with your file manager, or take it back with `linkwell undo`",
                    ),
                );
            }
            if let Some((_, _, why)) = closed {
                return no(why, None);
            }
        }
        if trash == Some(object.id().file()) {
            return no("it is the trash", Some("empty the trash with your file manager"));
        }
        Ok(())
    }
}

const CURRENT: &str = "the current folder lies in it, or is it";

/// Folders that programs look for by these names before anything could lead them elsewhere (the
/// Filesystem Hierarchy Standard 3.0, sections 3 and 4).
const OF_THE_SYSTEM: [&str; 29] = [
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/media",
    "/mnt",
    "/proc",
    "/root",
    "/run",
    "/sbin",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/sbin",
    "/usr/share",
    "/var",
    "/var/lib",
    "/var/run",
    "/var/tmp",
];

const IN_TRASH: &str = "it is in the trash already";

/// Which folders something in `held` lies in: that one, and all above it.
pub fn chain_of(surveyor: &Surveyor, held: &Held) -> Vec<Above> {
    let system = surveyor.system();
    let mut chain = Vec::new();
    let mut folder = Arc::clone(&held.folder);
    let Ok(mut facts) = system.facts_of(folder.as_fd()) else { return chain };
    let (mount, device) = (facts.mount, facts.id.device);
    let mut near = true;
    loop {
        near &= match (facts.mount, mount) {
            (Some(one), Some(other)) => one == other,
            // Where the system does not number its mounts, another device is another one.
            _ => facts.id.device == device,
        };
        chain.push(Above { id: facts.id.file(), near });
        let Ok(up) = system.open(folder.as_fd(), c"..", Access::Hold) else { break };
        let Ok(above) = system.facts_of(up.as_fd()) else { break };
        // Only `/` is its own parent.
        if above.id.file() == facts.id.file() && above.mount == facts.mount {
            break;
        }
        (folder, facts) = (Arc::new(up), above);
    }
    chain
}
