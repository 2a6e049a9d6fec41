//! The slots of an operation as they are today: the same folders, and in them what the operation left.

use super::{Ours, Returns, itself, other, still, taken};
use crate::execute::is_another;
use crate::folder::Folder;
use crate::journal::record::Operation;
use crate::look;
use crate::operator::{Held, Spot};
use crate::survey::{Surveyor, refused};
use crate::system::Access;
use linkwell_model::entry::Identity;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Fate, FolderTime, Make, Object, Plan, Slot, Step, Why};
use linkwell_model::target::Target;
use rustix::fd::AsFd as _;
use std::sync::Arc;

/// What is known of the operation, and today's plan.
pub(super) struct Slots<'a> {
    pub(super) surveyor: &'a mut Surveyor,
    pub(super) plan: &'a mut Plan,
    pub(super) operation: &'a Operation,
    pub(super) ours: &'a Ours,
    pub(super) returns: &'a mut Returns,
}

impl Slots<'_> {
    pub(super) fn still(
        &self,
        left: &Object,
        now: Option<Object>,
        spot: &Spot,
    ) -> Result<Object, Why> {
        still(left, now, self.ours, &spot.place())
    }

    /// A slot of the operation's, in today's plan.
    pub(super) fn slot(&mut self, slot: &Slot) -> Result<(Slot, Spot), Why> {
        let (number, held) = self.folder(slot.folder)?;
        let spot = Spot { held, name: slot.name.clone(), as_folder: false };
        Ok((Slot { folder: number, name: slot.name.clone() }, spot))
    }

    /// A folder of the operation's, in today's plan.
    fn folder(&mut self, number: u32) -> Result<(u32, Held), Why> {
        let folder = usize::try_from(number).ok();
        let folder = folder.and_then(|at| self.operation.plan.folders.get(at));
        let folder = folder.ok_or_else(|| other("the record is damaged", None))?;
        let held = self.hold(&folder.place)?;
        let id = self.surveyor.identity(&held)?;
        if !id.is_after_restart(folder.id) {
            let another =
                || other(&format!("`{}` is another folder now", folder.place.shown()), None);
            return Err(self.away(&folder.place).unwrap_or_else(another));
        }
        let (system, volumes) = (self.surveyor.system(), &self.operation.volumes);
        if is_another(system, volumes, folder.id, held.folder.as_fd()) {
            return Err(other(
                &format!("`{}` is on another drive now than it was then", folder.place.shown()),
                Some("attach the drive that was there, and type the same again".into()),
            ));
        }
        Ok((self.plan.folder(&folder.place, id), held))
    }

    /// Adds the times that folders are given back: of those that nobody has changed since.
    pub(super) fn times(&mut self) {
        let operation = self.operation;
        let Some(ended) = &operation.ended else { return };
        for time in &operation.plan.times {
            let left = ended.times.iter().find(|(folder, _)| *folder == time.folder);
            let Ok((folder, held)) = self.folder(time.folder) else { continue };
            let now = self.surveyor.system().facts_of(held.folder.as_fd());
            let Some(now) = now.ok().map(|now| now.modified) else { continue };
            let give = left.is_some_and(|(_, left)| *left == now).then_some(time.before);
            self.plan.times.push(FolderTime { folder, before: now, give });
        }
    }

    fn hold(&mut self, place: &AbsPath) -> Result<Held, Why> {
        // What lies in a folder that is brought back first is looked at where that folder is now.
        let mut now = place.clone();
        for (then, here) in self.returns.iter().rev() {
            if let Some(below) = now.below(then) {
                let below = below.to_vec();
                now = here.clone();
                now.extend_as_text(&below);
            }
        }
        let opened = Folder::of_place(&now).open(self.surveyor.system(), Access::Hold);
        let closed = |error| refused("its folder cannot be opened", error);
        let folder = opened.map_err(|error| self.away(&now).unwrap_or_else(|| closed(error)))?;
        Ok(Held { folder: Arc::new(folder), place: place.clone() })
    }

    /// The volume that should hold this folder is not attached.
    fn away(&self, folder: &AbsPath) -> Option<Why> {
        let absent = self.surveyor.volumes().absent(folder, b"")?;
        let what = format!("`{}` is not attached now", absent.point.shown());
        Some(other(&what, Some("attach it, and try again".into())))
    }

    /// Whether one of these steps leaves a link with this text there.
    pub(super) fn is_left(&self, before: &[Step], spot: &Spot, text: &Target) -> bool {
        let place = spot.place();
        before.iter().any(|step| match step {
            Step::Move { at, leave: Some(leave), .. } => {
                leave.target == *text && self.plan.place(at) == place
            }
            Step::Put { at, make: Make::Link { target, .. } } => {
                *target == *text && self.plan.place(at) == place
            }
            _ => false,
        })
    }

    /// What the operation is on record to have put at a slot of its own.
    fn made_at(&self, slot: &Slot) -> Option<Identity> {
        let steps = self.operation.plan.items.iter().flat_map(|item| &item.steps);
        let number = steps.enumerate().find(|(_, step)| step.at() == slot)?.0;
        let made = self.operation.did.get(&u64::try_from(number).ok()?)?;
        made.as_ref().map(Object::id)
    }

    pub(super) fn make(&mut self, make: Make) -> Result<Make, Why> {
        Ok(match make {
            Make::Name { of, id } => {
                let (of, spot) = self.slot(&of)?;
                let now = self.surveyor.object(&spot)?;
                let now = now.filter(|now| now.id().is_after_restart(id));
                let now = now.ok_or_else(|| {
                    other(&format!("the file is no longer at `{}`", spot.place().shown()), None)
                })?;
                Make::Name { of, id: now.id() }
            }
            Make::Moved { from, object } => {
                let (from, spot) = self.slot(&from)?;
                let now = self.surveyor.object(&spot)?;
                let object = self.still(&object, now, &spot).map_err(|why| {
                    other(&format!("what was kept at `{}`: {why}", spot.place().shown()), None)
                })?;
                Make::Moved { from, object: Box::new(object) }
            }
            Make::Copy { of, id, folder, manner } => {
                // What was made in the same operation was not known yet when it was planned.
                let id = self.made_at(&of).unwrap_or(id);
                let (of, spot) = self.slot(&of)?;
                let now = self.surveyor.object(&spot)?;
                let now = now.filter(|now| now.id().is_after_restart(id));
                let now = now.ok_or_else(|| other("what would be copied back is gone", None))?;
                Make::Copy { of, id: now.id(), folder, manner }
            }
            make => make,
        })
    }

    pub(super) fn fate(&mut self, fate: Fate) -> Result<Fate, Why> {
        Ok(match fate {
            Fate::Kept(slot) => {
                let (slot, spot) = self.slot(&slot)?;
                if self.surveyor.object(&spot)?.is_some() {
                    return Err(taken(&spot.place()));
                }
                Fate::Kept(slot)
            }
            // It was compared with what is there now, whichever object that is.
            Fate::Dropped { again: Some(make) } if matches!(*make, Make::Copy { .. }) => {
                let Make::Copy { of, id, folder, manner } = *make else {
                    return Err(other("the record is damaged", None));
                };
                let (of, spot) = self.slot(&of)?;
                let id = self.surveyor.object(&spot)?.map_or(id, |now| now.id());
                Fate::Dropped { again: Some(Box::new(Make::Copy { of, id, folder, manner })) }
            }
            Fate::Dropped { again: Some(make) } => {
                Fate::Dropped { again: Some(Box::new(self.make(*make)?)) }
            }
            fate => fate,
        })
    }

    /// What stands at a slot and is to go, if it may go.
    pub(super) fn given_up(
        &mut self,
        (done, before): (&Step, &[Step]),
        at: &Slot,
        old: Object,
        now: Option<Object>,
        fate: &Fate,
        spot: &Spot,
    ) -> Result<Object, Why> {
        // What was moved away by copying goes home as it is now, and is given up for that.
        let home = match fate.original() {
            Some(home) => Some(self.slot(home)?.0),
            None => None,
        };
        let goes_home = home.is_some_and(|home| {
            let brings =
                |step: &Step| matches!(step.make(), Some(Make::Copy { of, .. }) if of == at);
            before.iter().any(|step| *step.at() == home && brings(step))
        });
        if goes_home {
            return itself(&old, now, &spot.place());
        }
        let old = self.still(&old, now, spot)?;
        self.may_free(done, fate, spot)?;
        Ok(old)
    }

    /// A copy is given up only while it is nothing but a copy: the same stands where it was made of.
    fn may_free(&mut self, done: &Step, fate: &Fate, copy: &Spot) -> Result<(), Why> {
        let (true, Some(Make::Copy { of, manner, .. })) = (fate.frees(), done.make()) else {
            return Ok(());
        };
        let (_, original) = self.slot(of)?;
        let original = self.as_it_stands(original)?;
        if self.surveyor.object(&original)?.is_none() {
            return Err(other(
                "what it was made of is gone, so the copy is all that is left of it, and stays",
                None,
            ));
        }
        let system = self.surveyor.system();
        // By contents alone: the original may have been removed and brought back since.
        let (whole, part) = ((original.at(), &original.name), (copy.at(), &copy.name));
        let equal = look::is_part(system, whole, part, manner.as_deref())
            .map_err(|error| refused("the copy cannot be compared with its original", error))?;
        if equal {
            return Ok(());
        }
        Err(other(
            "the copy differs from what it was made of, so it is not given up",
            Some("to put the link back all the same, move the copy away first".into()),
        ))
    }

    /// Where something is now that the plan brings back to this spot.
    fn as_it_stands(&mut self, spot: Spot) -> Result<Spot, Why> {
        let place = spot.place();
        let returns = self.returns.iter().rev().find(|(then, _)| *then == place);
        let Some((folder, name)) = returns.and_then(|(_, now)| now.split()) else {
            return Ok(spot);
        };
        Ok(Spot { held: self.hold(&folder)?, name, as_folder: false })
    }

    /// A second name is given up only while there is another.
    pub(super) fn not_the_last(&self, old: &Object, fate: &Fate) -> Result<(), Why> {
        match (old, fate) {
            (Object::File { names, .. }, Fate::Dropped { again: Some(make) })
                if *names < 2 && matches!(**make, Make::Name { .. }) =>
            {
                Err(other("it is the only name left of its file, which would be lost", None))
            }
            _ => Ok(()),
        }
    }
}
