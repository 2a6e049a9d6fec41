//! Whether what two folders have under one name is the same.

use crate::look;
use crate::survey::refused;
use crate::system::{Facts, System};
use linkwell_model::entry::{EntryKind, Identity};
use linkwell_model::name::Name;
use linkwell_model::plan::{Bytes, Loss, Make, Slot, Why};
use rustix::fd::BorrowedFd;

/// An entry: its folder, its name, all about it.
pub(super) type At<'a> = (BorrowedFd<'a>, &'a Name, &'a Facts);

/// Two files that are the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct Same {
    /// They are one file with two names.
    pub(super) one: bool,
    /// Their permissions, owners, times and attributes are the same as well.
    pub(super) dressed: bool,
}

impl Same {
    /// How the one is made again of the other, exactly; `None` when it cannot be.
    pub(super) fn again(self, of: Slot, id: Identity) -> Option<Make> {
        if self.one {
            return Some(Make::Name { of, id });
        }
        self.dressed.then_some(Make::Copy { of, id, folder: false, manner: None })
    }
}

/// Whether two files are the same, byte by byte, so that one of them will do for both. `None` when they
/// are not: also where the one there is open to others than the one here.
///
/// # Errors
/// Where one cannot be read.
pub(super) fn files(
    system: System,
    here: At<'_>,
    there: At<'_>,
    accept: &[Loss],
) -> Result<Option<Same>, Why> {
    let (one, other) = (here.2, there.2);
    if one.id.file() == other.id.file() {
        return Ok(Some(Same { one: true, dressed: true }));
    }
    if one.size != other.size || opens(one, other, accept) {
        return Ok(None);
    }
    let carried = |at: &At<'_>| carried(at.0, at.1);
    let (ours, theirs) = (carried(&here), carried(&there));
    let is_list = |(name, _): &&(Bytes, Bytes)| name.0.starts_with(b"system.posix_acl");
    let other_list = ours.iter().filter(is_list).ne(theirs.iter().filter(is_list));
    if other_list && !accept.contains(&Loss::AccessLists) {
        return Ok(None);
    }
    let equal = look::equal(system, (here.0, here.1), (there.0, there.1), None);
    let equal = equal.map_err(|error| refused("the two cannot be compared", error))?;
    let dress = |facts: &Facts| (facts.mode, facts.owner, facts.group, facts.modified);
    let dressed = dress(one) == dress(other) && ours == theirs;
    Ok(equal.then_some(Same { one: false, dressed }))
}

fn carried(folder: BorrowedFd<'_>, name: &Name) -> Vec<(Bytes, Bytes)> {
    let mut all = look::extended(folder, name.as_bytes());
    all.sort_by(|one, other| one.0.0.cmp(&other.0.0));
    all
}

/// Whether something with the owner and permissions of `there` is open to somebody to whom something with
/// those of `here` is closed.
pub(super) fn opens(here: &Facts, there: &Facts, accept: &[Loss]) -> bool {
    let owner = (here.owner, here.group) != (there.owner, there.group);
    let more = there.mode & !here.mode & 0o6077 != 0;
    (owner && !accept.contains(&Loss::Owner)) || (more && !accept.contains(&Loss::Mode))
}

/// Whether two special entries will do for each other: pipes do, which hold nothing.
pub(super) fn pipes(here: &Facts, there: &Facts) -> bool {
    (here.kind, there.kind) == (EntryKind::Fifo, EntryKind::Fifo) && !opens(here, there, &[])
}
