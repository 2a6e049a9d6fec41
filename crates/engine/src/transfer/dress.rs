//! What an entry carries beside its contents: owner, attributes, permissions, times, flags.
//!
//! Set in this order: a change of the owner takes set-id bits and capabilities away, an access list
//! changes permissions, and all of them change times. Then it is looked at what came of it: some file
//! systems take what they do not keep.

use super::contents::{Tools, cannot};
use super::walk::Job;
use super::{At, Slip};
use crate::look;
use crate::system::Facts;
use linkwell_calls::attributes::{self, Attributes, Flags};
use linkwell_model::entry::EntryKind;
use linkwell_model::plan::Loss;
use rustix::fd::{AsRawFd as _, BorrowedFd};
use rustix::io::Errno;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// An extended attribute: its name and its value.
pub(super) type Carried = (Vec<u8>, Vec<u8>);

/// What keeps anything else from being changed, and so is set when all is done.
pub(super) const LATE: Flags = Flags::IMMUTABLE.with(Flags::APPEND);

/// An access list of a version and no entries, which takes the list away (posix_acl_from_xattr in the
/// kernel).
const NO_LIST: &[u8] = &[2, 0, 0, 0];

/// An original, as it can be asked what it carries.
#[derive(Clone, Copy)]
pub(super) enum Origin<'a> {
    /// A file or folder, open.
    Open(BorrowedFd<'a>),
    /// A link, pipe, socket or device, by its name.
    Named(At<'a>),
}

/// How a copy is, fresh made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Made {
    pub(super) owner: u32,
    pub(super) group: u32,
    pub(super) mode: u32,
    /// Whether its folder may have given it an access list.
    pub(super) inherits: bool,
}

/// How a copy is, dressed.
#[derive(Debug)]
pub(super) struct Dressed {
    pub(super) facts: Facts,
    /// Whether the original has extended attributes.
    pub(super) carries: bool,
    /// What is to be set when all is done.
    pub(super) late: Option<Attributes>,
}

/// What this user, or this file system, may not do is left undone; what came of it is looked at.
fn may(answer: Result<(), Errno>) -> Result<bool, Errno> {
    match answer {
        Ok(()) => Ok(true),
        Err(Errno::ACCESS) => Ok(false),
        Err(error) if cannot(error) => Ok(false),
        Err(error) => Err(error),
    }
}

impl Job<'_> {
    /// Gives a copy what its original carries; `lose` is told of what could not be kept.
    pub(super) fn dress(
        &self,
        tools: &mut Tools,
        from: Origin<'_>,
        copy: BorrowedFd<'_>,
        facts: &Facts,
        made: Made,
        lose: &dyn Fn(Loss),
    ) -> Result<Dressed, Slip> {
        let is_link = facts.kind == EntryKind::Symlink;
        let mut owned = (made.owner, made.group) == (facts.owner, facts.group);
        if !owned {
            owned = self.own(copy, facts, made)?;
        }
        let (carries, listed) = self.carry(tools, from, copy, made.inherits, lose)?;
        if facts.mode & 0o6000 != 0 && !is_link && owned {
            // Whether it is so: nobody else may get a program with these rights.
            let now = self.system.facts_of(copy).map_err(Slip::copy("look at it"))?;
            owned = (now.owner, now.group) == (facts.owner, facts.group);
        }
        let mode = if owned { facts.mode } else { facts.mode & 0o1777 };
        let asked = !is_link && (made.mode != mode || listed);
        if asked {
            may(self.disk.permit(copy, mode)).map_err(Slip::copy("set its permissions"))?;
        }
        let late = match from {
            Origin::Open(original) => self.flags(original, copy, lose)?,
            Origin::Named(_) => None,
        };
        let times = self.disk.times(copy, facts.accessed, facts.modified);
        may(times).map_err(Slip::copy("set its times"))?;
        let look = || self.system.facts_of(copy).map_err(Slip::copy("look at it"));
        let mut now = look()?;
        let is_ours = (now.owner, now.group) == (facts.owner, facts.group);
        if !is_ours && owned && self.own(copy, facts, made)? {
            // It was not made for whom it was taken to be.
            may(self.disk.permit(copy, mode)).map_err(Slip::copy("set its permissions"))?;
            now = look()?;
        } else if now.mode != mode && !is_link && !asked {
            // The mask of this process took bits away, and will again.
            self.mask.fetch_or(mode & !now.mode & 0o777, Ordering::Relaxed);
            may(self.disk.permit(copy, mode)).map_err(Slip::copy("set its permissions"))?;
            now = look()?;
        }
        let is_ours = (now.owner, now.group) == (facts.owner, facts.group);
        if !is_ours {
            lose(Loss::Owner);
        }
        let wanted = if is_ours { facts.mode } else { facts.mode & 0o1777 };
        if !is_link && now.mode != wanted {
            lose(Loss::Mode);
        }
        if now.modified != facts.modified {
            lose(Loss::Times);
        }
        Ok(Dressed { facts: now, carries, late })
    }

    /// Gives a copy to the owner and the group of its original; or to the group alone. Whether it is
    /// theirs. What was refused once is not asked for again.
    fn own(&self, copy: BorrowedFd<'_>, facts: &Facts, made: Made) -> Result<bool, Slip> {
        let key = (facts.owner, facts.group);
        let refused = || self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        if refused().contains(&key) {
            return Ok(false);
        }
        let own = |owner, group| {
            may(self.disk.own(copy, owner, group)).map_err(Slip::copy("give it to its owner"))
        };
        if own(facts.owner, facts.group)? {
            return Ok(true);
        }
        let by_group =
            facts.group != made.group && facts.owner != made.owner && own(made.owner, facts.group)?;
        if !by_group {
            refused().insert(key);
        }
        Ok(false)
    }

    /// Carries extended attributes over. Whether there are any, and whether an access list is among them.
    fn carry(
        &self,
        tools: &mut Tools,
        from: Origin<'_>,
        copy: BorrowedFd<'_>,
        inherits: bool,
        lose: &dyn Fn(Loss),
    ) -> Result<(bool, bool), Slip> {
        let carried = self.carried(tools, from)?;
        let mut listed = false;
        for (name, value) in &carried {
            listed |= name.starts_with(b"system.posix_acl_access");
            let kept = match self.disk.mark(copy, name, value) {
                // ntfs-3g takes attributes of root's from links and pipes, and keeps none of them.
                Ok(()) => match from {
                    Origin::Open(_) => is_carried(tools, copy, name, value),
                    Origin::Named(_) => is_carried_by_name(tools, copy, name, value),
                },
                // A value that is too long for ext4 and btrfs is told as a lack of room.
                Err(Errno::NOSPC) if value.len() > 2048 => false,
                Err(Errno::ACCESS | Errno::TOOBIG | Errno::RANGE | Errno::NODATA) => false,
                Err(error) if cannot(error) => false,
                Err(error) => return Err(Slip::copy("set its attributes")(error)),
            };
            if !kept {
                lose(kind_of(name));
            }
        }
        if inherits {
            for name in names(tools, copy).unwrap_or_default() {
                let given = name.starts_with(b"system.posix_acl_")
                    && !carried.iter().any(|(carried, _)| *carried == name);
                if given {
                    may(self.disk.mark(copy, &name, NO_LIST))
                        .map_err(Slip::copy("set its attributes"))?;
                    listed = true;
                }
            }
        }
        Ok((!carried.is_empty(), listed))
    }

    /// The extended attributes of an original that a copy can be given, as far as they may be read.
    pub(super) fn carried(
        &self,
        tools: &mut Tools,
        from: Origin<'_>,
    ) -> Result<Vec<Carried>, Slip> {
        match from {
            Origin::Open(original) => {
                let names =
                    names(tools, original).map_err(Slip::original("read its attributes"))?;
                let mut all = Vec::with_capacity(names.len());
                for name in names.into_iter().filter(|name| is_to_carry(name)) {
                    match value(tools, original, &name) {
                        Ok(value) => all.push((name, value.to_vec())),
                        // Not for this user, or gone again.
                        Err(Errno::NODATA | Errno::PERM | Errno::ACCESS | Errno::NOTSUP) => {}
                        Err(error) => return Err(Slip::original("read its attributes")(error)),
                    }
                }
                Ok(all)
            }
            Origin::Named((at, name)) => {
                let all = look::extended(at, name.as_bytes()).into_iter();
                let all = all.map(|(name, value)| (name.0.into_vec(), value.0.into_vec()));
                Ok(all.filter(|(name, _)| is_to_carry(name)).collect())
            }
        }
    }

    /// Carries flags and the project over, and gives what is left for the end.
    fn flags(
        &self,
        original: BorrowedFd<'_>,
        copy: BorrowedFd<'_>,
        lose: &dyn Fn(Loss),
    ) -> Result<Option<Attributes>, Slip> {
        if self.flagless.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let Ok(found) = attributes::of(original) else {
            self.flagless.store(true, Ordering::Relaxed);
            return Ok(None);
        };
        let wanted = Attributes { flags: found.flags.without(Flags::OBSERVED), ..found };
        if wanted == Attributes::default() {
            return Ok(None);
        }
        let now = Attributes { flags: wanted.flags.without(LATE), ..wanted };
        if now != Attributes::default() {
            self.flag(copy, &now, lose)?;
        }
        if wanted.flags.has_any(LATE) && !self.kept_on_record {
            // What is copied aside must be possible to take back as any other copy is.
            lose(Loss::Flags);
            return Ok(None);
        }
        Ok(wanted.flags.has_any(LATE).then_some(wanted))
    }

    /// Sets flags and project, each for itself where not all can be had.
    pub(super) fn flag(
        &self,
        copy: BorrowedFd<'_>,
        wanted: &Attributes,
        lose: &dyn Fn(Loss),
    ) -> Result<(), Slip> {
        let set = |attributes: &Attributes| {
            may(self.disk.flag(copy, attributes)).map_err(Slip::copy("set its flags"))
        };
        if !set(wanted)? && wanted.project != 0 && !set(&Attributes { project: 0, ..*wanted })? {
            let project = wanted.project;
            set(&Attributes { project, ..Attributes::default() })?;
        }
        let now = attributes::of(copy).unwrap_or_default();
        if now.project != wanted.project {
            lose(Loss::Project);
        }
        if now.flags.without(Flags::OBSERVED) != wanted.flags {
            lose(Loss::Flags);
        }
        Ok(())
    }
}

impl Job<'_> {
    /// Takes access lists away from an open folder. Whether it is without now.
    pub(super) fn without_lists(
        &self,
        tools: &mut Tools,
        folder: BorrowedFd<'_>,
    ) -> Result<bool, Errno> {
        let mut without = true;
        for name in names(tools, folder)? {
            if name.starts_with(b"system.posix_acl_") {
                without &= may(self.disk.mark(folder, &name, NO_LIST))?;
            }
        }
        Ok(without)
    }
}

/// Whether a copy is to be given this attribute. Others in `system`, and
/// those in which xfs keeps its access lists, are a file system's own views of what is copied anyway.
fn is_to_carry(name: &[u8]) -> bool {
    let is_view = name.starts_with(b"system.") || name.starts_with(b"trusted.SGI_ACL_");
    !is_view || name.starts_with(b"system.posix_acl_")
}

pub(super) fn kind_of(name: &[u8]) -> Loss {
    if name.starts_with(b"system.posix_acl_") {
        Loss::AccessLists
    } else if name == b"security.capability" {
        Loss::Capabilities
    } else {
        Loss::Attributes
    }
}

/// The names of the extended attributes of an open file or folder; none where there cannot be any.
fn names(tools: &mut Tools, held: BorrowedFd<'_>) -> Result<Vec<Vec<u8>>, Errno> {
    loop {
        tools.names.clear();
        match rustix::fs::flistxattr(held, rustix::buffer::spare_capacity(&mut tools.names)) {
            Ok(_) => break,
            // The list is at most 64 KiB long (xattr(7)).
            Err(Errno::RANGE) if tools.names.capacity() < 1 << 16 => tools.names.reserve(1 << 16),
            Err(Errno::NOTSUP | Errno::PERM | Errno::ACCESS | Errno::NOSYS) => break,
            Err(error) => return Err(error),
        }
    }
    let names = tools.names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    Ok(names.map(<[u8]>::to_vec).collect())
}

fn value<'t>(tools: &'t mut Tools, held: BorrowedFd<'_>, name: &[u8]) -> Result<&'t [u8], Errno> {
    tools.value.clear();
    rustix::fs::fgetxattr(held, name, rustix::buffer::spare_capacity(&mut tools.value))?;
    Ok(&tools.value)
}

/// Whether an attribute reads back as it was set.
pub(super) fn is_carried(
    tools: &mut Tools,
    held: BorrowedFd<'_>,
    name: &[u8],
    wanted: &[u8],
) -> bool {
    value(tools, held, name).is_ok_and(|found| found == wanted)
}

/// The same for what only holds a place (`O_PATH`).
fn is_carried_by_name(tools: &mut Tools, held: BorrowedFd<'_>, name: &[u8], wanted: &[u8]) -> bool {
    let path = format!("/proc/self/fd/{}", held.as_raw_fd());
    tools.value.clear();
    let room = rustix::buffer::spare_capacity(&mut tools.value);
    rustix::fs::getxattr(path, name, room).is_ok() && tools.value == wanted
}
