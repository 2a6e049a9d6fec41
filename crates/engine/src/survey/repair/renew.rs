//! The record, brought up to date after links were led elsewhere.

use super::Broken;
use crate::catalogue::{Catalogue, Trouble};
use crate::folder::Folder;
use crate::likeness::Depth;
use crate::system::{Access, System};
use crate::track::Tracker;
use crate::volumes::Volumes;
use linkwell_model::keep::link::By;
use rustix::fd::AsFd as _;
use std::sync::Arc;

/// Records how these links are now; what was not changed is recorded as it is, too. A link that had moved
/// is forgotten at its old place.
///
/// # Errors
/// The catalogue's. A link that cannot be looked at is passed over.
pub fn renew(
    system: System,
    volumes: &Arc<Volumes>,
    catalogue: &mut Catalogue,
    links: &[&Broken],
    now: i64,
) -> Result<u64, Trouble> {
    let mut tracker = Tracker::new(system, volumes, Depth::Ends);
    let mut seen = Vec::with_capacity(links.len());
    let mut old = Vec::new();
    for broken in links {
        let link = &broken.link;
        let folder = Folder::of_place(&link.folder);
        let Ok(held) = folder.open(system, Access::Hold) else { continue };
        let Ok(found) = tracker.link(&folder, held.as_fd(), &link.name, By::Made) else { continue };
        seen.extend(found);
        old.extend(broken.number.filter(|_| broken.moved));
    }
    let count = catalogue.record(&seen, now)?;
    catalogue.forget(&old)?;
    Ok(count)
}
