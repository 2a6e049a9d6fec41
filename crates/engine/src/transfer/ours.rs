//! Whether the top of a copy is the folder that was just made for it.
//!
//! Whoever may rename in the folder above may have put another in its place, and would read there what is
//! copied into it. Below the top nobody else comes, as the top is closed until all is done.

use super::walk::Job;
use super::{At, Slip};
use crate::system::{Access, Facts};
use linkwell_model::name::Name;
use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::io::Errno;

impl Job<'_> {
    /// The folder that was just made at the top of the copy, if it is that.
    pub(super) fn made_by_us(&self, at: At<'_>) -> Result<Facts, Slip> {
        self.look_for_ours(at).map_err(Slip::copy("look at it"))?.ok_or(Slip::Foreign)
    }

    fn look_for_ours(&self, at: At<'_>) -> Result<Option<Facts>, Errno> {
        let held = match self.system.open(at.0, at.1.as_bytes(), Access::List) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => return Ok(None),
            held => held?,
        };
        let made = self.system.facts_of(held.as_fd())?;
        let is_ours = crate::execute::names(self.system, held.as_fd())?.is_empty()
            && self.is_closed(held.as_fd(), &made)?;
        Ok(is_ours.then_some(made))
    }

    /// Whether a folder belongs to this user alone; where the file system keeps no owners, or no permissions,
    /// whether it is like all that is made there. A file tells that, which nobody can exchange while it is open.
    fn is_closed(&self, folder: BorrowedFd<'_>, made: &Facts) -> Result<bool, Errno> {
        let is_open = |facts: &Facts| facts.mode & 0o077 != 0;
        if made.owner == rustix::process::geteuid().as_raw() && !is_open(made) {
            return Ok(true);
        }
        let name = Name::new(*b".linkwell-owner").ok_or(Errno::INVAL)?;
        let probe = self.disk.make_file_as(folder, &name, 0o600)?;
        let probed = self.system.facts_of(probe.as_fd());
        self.disk.drop_name(folder, &name)?;
        let probed = probed?;
        Ok(probed.owner == made.owner && (is_open(&probed) || !is_open(made)))
    }
}
