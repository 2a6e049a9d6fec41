//! How things will stand when a plan has been carried out, and what the plan must say beforehand.

use super::Surveyor;
use crate::folder::Folder;
use linkwell_model::chain::{Chain, Destination, End, resolve};
use linkwell_model::entry::EntryKind;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Fate, Make, Object, Plan, Slot, Step, Why};
use linkwell_model::planned::{Laid, Overlay, Planned};
use std::sync::Arc;

/// How a link would fare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fare {
    /// It would lead to something.
    Sound,
    /// It would lead to a folder that contains it: this one.
    Cycle(AbsPath),
    /// It would lead into the volume of this place, which is not attached.
    Asleep(AbsPath),
    /// Nobody can say: this place cannot be looked at.
    Unknown(AbsPath),
    /// It would not work.
    Bad(Why),
}

impl Surveyor {
    /// Lays a step over what is seen from now on.
    pub fn lay(&mut self, plan: &Plan, step: &Step) {
        let at = plan.place(step.at());
        if let Step::Move { old, to, leave, .. } = step {
            let there = plan.place(to).parent();
            let arrived = match old {
                Object::Link { target, .. } => Laid::Link(target.clone()),
                Object::Folder { .. } => Laid::Like(at.clone()),
                other => Laid::Other(other.kind()),
            };
            self.overlay.lay(&there, to.name.as_bytes(), arrived);
            let left = leave.as_ref().map(|leave| Laid::Link(leave.target.clone()));
            let left = left.unwrap_or(Laid::Nothing);
            self.overlay.lay(&at.parent(), step.at().name.as_bytes(), left);
            return;
        }
        let laid = match step.make() {
            None => Laid::Nothing,
            Some(Make::Link { target, .. }) => Laid::Link(target.clone()),
            Some(Make::Name { .. } | Make::File { .. } | Make::Copy { folder: false, .. }) => {
                Laid::Other(EntryKind::File)
            }
            Some(Make::Copy { of, .. }) => Laid::Like(plan.place(of)),
            Some(Make::Moved { from, object }) => match &**object {
                Object::Link { target, .. } => Laid::Link(target.clone()),
                Object::Folder { .. } => Laid::Like(plan.place(from)),
                other => Laid::Other(other.kind()),
            },
            Some(Make::Folder | Make::CommonFolder) => Laid::Other(EntryKind::Folder),
        };
        if let Some(Make::Moved { from, .. }) = step.make() {
            let left = plan.place(from).parent();
            self.overlay.lay(&left, from.name.as_bytes(), Laid::Nothing);
        }
        self.overlay.lay(&at.parent(), step.at().name.as_bytes(), laid);
        if let Some(Fate::Kept(slot)) = step.fate() {
            let kept = plan.place(slot);
            let laid = match step.old() {
                Some(Object::Link { target, .. }) => Laid::Link(target.clone()),
                Some(Object::Folder { .. }) => Laid::Like(at),
                Some(other) => Laid::Other(other.kind()),
                None => return,
            };
            self.overlay.lay(&kept.parent(), slot.name.as_bytes(), laid);
        }
    }

    /// What was laid so far.
    pub fn overlay(&self) -> &Overlay {
        &self.overlay
    }

    /// How the link at `slot` would fare when the plan had been carried out; all its steps have been
    /// laid.
    pub fn judge(&mut self, plan: &Plan, slot: &Slot) -> Fare {
        let place = plan.place(slot).parent();
        // The very folder that the links beside it were judged from, so that what was learned of their way is known.
        let folder = match self.judged.take() {
            Some((known, folder)) if known == place => folder,
            _ => Folder::of_place(&place),
        };
        self.judged = Some((place.clone(), Arc::clone(&folder)));
        let mut planned = Planned { now: &mut self.live, overlay: &self.overlay };
        let chain = resolve(&mut planned, &folder, slot.name.as_bytes());
        self.fare(&chain, &place, slot.name.as_bytes())
    }

    /// What a chain that begins with the link `name` in the folder at `place` says of it.
    pub(super) fn fare(&self, chain: &Chain<Arc<Folder>>, place: &AbsPath, name: &[u8]) -> Fare {
        let end_at = chain.end_at(&self.live);
        match &chain.end {
            End::Found(Destination::Folder(_)) if place.joined(name).is_at_or_below(&end_at) => {
                Fare::Cycle(end_at)
            }
            End::Found(_) => Fare::Sound,
            End::Missing => match self.volumes.absent(&end_at, &chain.rest) {
                Some(absent) => Fare::Asleep(absent.point),
                None => Fare::Bad(Why::WouldBreak(end_at)),
            },
            End::NotADirectory(_) => Fare::Bad(Why::WouldNotBeFolder(end_at)),
            End::Loop => Fare::Bad(Why::WouldLoop),
            End::TooManyHops => Fare::Bad(Why::TooDeep),
            End::Denied | End::Unavailable => Fare::Unknown(end_at),
        }
    }

    /// Says in the plan where a name may be missing for a moment: something real is replaced on a file
    /// system that may not be able to exchange two names. A link is replaced by one rename even there.
    pub fn say_where_names_may_be_missing(&self, plan: &mut Plan) {
        let steps = plan.items.iter().flat_map(|item| &item.steps);
        let replaced = steps.filter(|step| match step {
            Step::Replace { old, fate, .. } => {
                !matches!((old, fate), (Object::Link { .. }, Fate::Dropped { .. }))
            }
            Step::Move { leave, over, .. } => leave.is_some() || over.is_some(),
            Step::Put { .. } | Step::Remove { .. } => false,
        });
        let mut points: Vec<AbsPath> = Vec::new();
        for step in replaced {
            let place = plan.place(step.at());
            let mount = self.volumes.mounts().covering(&place);
            if let Some(mount) = mount.filter(|mount| may_not_exchange(&mount.fs_type))
                && !points.contains(&mount.point)
            {
                points.push(mount.point.clone());
            }
        }
        for point in points {
            plan.remarks.push(format!(
                "the file system at `{}` may not be able to exchange two names: then the name is missing \
                 for a moment",
                point.shown()
            ));
        }
    }
}

/// Types of file systems on which RENAME_EXCHANGE is, or can be, refused (measured: bindfs, the lower
/// layers of overlay; rename(2) has the rest).
fn may_not_exchange(fs_type: &[u8]) -> bool {
    fs_type.starts_with(b"fuse")
        || matches!(fs_type, b"overlay" | b"nfs" | b"nfs4" | b"cifs" | b"smb3" | b"9p" | b"vboxsf")
}
