//! Planning a copy of what a link leads to, at the link's own name.

use super::super::amount::{counted, size};
use super::super::{Surveyor, refused};
use super::Wanted;
use crate::descent::Descent;
use crate::execute::names;
use crate::operator::Spot;
use crate::system::{Facts, System};
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::path::{self, AbsPath, Component};
use linkwell_model::plan::{Make, Plan, Why};
use rustix::fd::BorrowedFd;
use rustix::io::Errno;
use std::collections::HashSet;

/// Plans a copy of what stands at `there`, to stand at `spot`.
pub(super) fn make(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    wanted: &Wanted,
    spot: &Spot,
    there: &Spot,
    remarks: &mut Vec<String>,
) -> Result<Make, Why> {
    let system = surveyor.system();
    let facts = system.facts(there.at(), there.name.as_bytes());
    let facts = facts.map_err(|error| refused("what it leads to cannot be looked at", error))?;
    let weight = weigh(system, there, &facts)?;
    let same_folder = surveyor.identity(&spot.held)?.is(surveyor.identity(&there.held)?);
    if let (Some(link), false) = (&weight.first_outward, same_folder) {
        let others = match weight.outward {
            1 => String::new(),
            count => format!(" and {} more", counted(count - 1)),
        };
        let what = format!(
            "`{}`{others} in it would lead elsewhere from the copy: they are written relative, and \
             lead out of the folder",
            link.shown()
        );
        if !wanted.allow_broken {
            let hint = "to copy them as they are all the same, add `--allow-broken`".into();
            return Err(Why::Other { what, hint: Some(hint) });
        }
        remarks.push(format!("{what}, as you allowed"));
    }
    let room = rustix::fs::fstatvfs(spot.at());
    let room = room.map_err(|error| refused("the free space cannot be asked for", error))?;
    let free = if rustix::process::geteuid().is_root() { room.f_bfree } else { room.f_bavail };
    let free = free.saturating_mul(room.f_frsize);
    if weight.stored > free && !shares(surveyor, spot, &facts) {
        return Err(Why::Other {
            what: format!(
                "a copy takes {}, and there is room for {} only",
                size(weight.stored),
                size(free)
            ),
            hint: None,
        });
    }
    let files = match weight.files {
        1 => "1 file".into(),
        count => format!("{} files", counted(count)),
    };
    remarks.push(format!("copies {files}, {}", size(weight.bytes)));
    let of = surveyor.slot(plan, there)?;
    Ok(Make::Copy { of, id: facts.id, folder: facts.kind == EntryKind::Folder, manner: None })
}

/// Whether a copy there may share its blocks with the original, so that it needs no room of its own.
fn shares(surveyor: &Surveyor, spot: &Spot, facts: &Facts) -> bool {
    let same = surveyor.system().facts_of(spot.at());
    let same = same.is_ok_and(|folder| folder.id.device == facts.id.device);
    let mount = surveyor.volumes().mounts().covering(&spot.held.place);
    same && mount.is_some_and(|mount| matches!(&*mount.fs_type, b"btrfs" | b"xfs" | b"bcachefs"))
}

/// How much is to be copied.
#[derive(Default)]
struct Weight {
    files: u64,
    bytes: u64,
    /// The room that it takes now: less than its bytes where there are holes.
    stored: u64,
    /// Links inside that lead out by a relative target.
    outward: u64,
    first_outward: Option<AbsPath>,
    /// Files with several names, which are counted once.
    seen: HashSet<(u64, u64)>,
}

/// Walks what is to be copied. What cannot be copied is a conflict before anything is begun.
fn weigh(system: System, there: &Spot, facts: &Facts) -> Result<Weight, Why> {
    let mut weight = Weight::default();
    let top = there.place();
    if facts.kind != EntryKind::Folder {
        weight.entry(system, there.at(), &there.name, facts, &there.held.place, None)?;
        return Ok(weight);
    }
    let unread = |place: &AbsPath, error| Why::Other {
        what: format!(
            "`{}` in what it leads to cannot be read: {}",
            place.shown(),
            super::super::reason(error)
        ),
        hint: None,
    };
    let begun = Descent::begin(system, there.at(), &there.name, facts);
    let mut descent = begun.map_err(|error| unread(&top, error))?;
    let listed = names(system, descent.here()).map_err(|error| unread(&top, error))?;
    let mut todo = vec![(top, listed)];
    while let Some((place, rest)) = todo.last_mut() {
        let place = place.clone();
        let Some(name) = rest.pop() else {
            todo.pop();
            descent.up().map_err(|error| unread(&place, error))?;
            continue;
        };
        let depth = todo.len() - 1;
        let below = || place.joined(name.as_bytes());
        let facts = descent.look(&name).map_err(|error| match error {
            Errno::XDEV => Why::Other {
                what: format!("another volume is mounted in it, at `{}`", below().shown()),
                hint: Some("detach it, or copy by hand what is wanted".into()),
            },
            error => unread(&below(), error),
        })?;
        if facts.kind == EntryKind::Folder {
            descent.down(&name, &facts).map_err(|error| unread(&below(), error))?;
            let listed = names(system, descent.here()).map_err(|error| unread(&below(), error))?;
            todo.push((below(), listed));
        } else {
            weight.entry(system, descent.here(), &name, &facts, &place, Some(depth))?;
        }
    }
    Ok(weight)
}

impl Weight {
    fn entry(
        &mut self,
        system: System,
        at: BorrowedFd<'_>,
        name: &Name,
        facts: &Facts,
        folder: &AbsPath,
        depth: Option<usize>,
    ) -> Result<(), Why> {
        match facts.kind {
            EntryKind::Socket | EntryKind::Device => {
                return Err(Why::Other {
                    what: format!(
                        "`{}` is a {}, which cannot be copied",
                        folder.joined(name.as_bytes()).shown(),
                        facts.kind.word()
                    ),
                    hint: None,
                });
            }
            EntryKind::Symlink => {
                let mut text = Vec::new();
                let read = system.read_link(at, name.as_bytes(), &mut text);
                read.map_err(|error| refused("a link in it cannot be read", error))?;
                if depth.is_some_and(|depth| leads_out(depth, &text)) {
                    self.outward += 1;
                    self.first_outward.get_or_insert_with(|| folder.joined(name.as_bytes()));
                }
            }
            _ => {}
        }
        self.files += 1;
        let key = (facts.id.device, facts.id.inode);
        if facts.kind == EntryKind::File && (facts.names < 2 || self.seen.insert(key)) {
            self.bytes = self.bytes.saturating_add(facts.size);
            let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
            let blocks = rustix::fs::statat(at, name.as_bytes(), flags);
            let blocks = blocks.map_or(u64::MAX, |status| status.st_blocks.cast_unsigned());
            self.stored = self.stored.saturating_add(facts.size.min(blocks.saturating_mul(512)));
        }
        Ok(())
    }
}

/// Whether a relative target leads out of the tree whose top lies `depth` levels above the link's folder,
/// by its text alone.
fn leads_out(depth: usize, text: &[u8]) -> bool {
    if path::is_absolute(text) {
        return false;
    }
    let mut level = depth;
    for component in path::components(text) {
        match component {
            Component::Name(_) => level += 1,
            Component::Here => {}
            Component::Up => match level.checked_sub(1) {
                Some(above) => level = above,
                None => return true,
            },
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_climbs_above_the_top_leads_out() {
        for (depth, text, out) in [
            (0, &b"a/b"[..], false),
            (0, b"..", true),
            (0, b"a/../b", false),
            (0, b"a/../../b", true),
            (1, b"../b", false),
            (1, b"../../b", true),
            (0, b"/etc", false),
        ] {
            assert_eq!(leads_out(depth, text), out, "{depth} {text:?}");
        }
    }
}
