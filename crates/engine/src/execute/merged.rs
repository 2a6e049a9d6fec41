//! The last step of a merge: a link takes the place of a folder, and what is left of that is kept aside, where
//! nobody looks for what they have written. So it is looked at again, right before and right behind the exchange.

use super::{Fail, Work, names};
use crate::system::Access;
use linkwell_model::entry::Time;
use linkwell_model::name::Name;
use linkwell_model::plan::{EntrySeen, Fate, FolderSeen, Make, Manner, Object, Plan, Slot, Step};
use linkwell_model::target::Target;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::io::Errno;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// What the steps before have left at a slot.
#[derive(Clone, Copy, Debug)]
enum Left<'p> {
    /// A link with this text.
    Link(&'p Target),
    /// What it was, which was copied to there.
    Copied(&'p Slot, Option<&'p Manner>),
}

/// What should stand in one folder.
struct Wanted<'p> {
    seen: HashMap<&'p [u8], &'p EntrySeen>,
    left: HashMap<&'p [u8], Left<'p>>,
    /// What was set aside, to be freed last.
    staged: HashSet<Name>,
}

impl Work<'_> {
    /// Refuses to put a link in place of a folder in which something was made, changed or removed since the
    /// plan: it would be lost from sight.
    pub(super) fn nothing_new(&mut self, at: &Slot, fate: &Fate) -> Result<(), Fail> {
        let plan = self.places.plan();
        let Fate::Kept(_) = fate else { return Ok(()) };
        let top = plan.place(at);
        let mut left = left(plan);
        let mut staged = self.to_be_freed(plan);
        for seen in &plan.seen {
            let number = usize::try_from(seen.folder).unwrap_or(usize::MAX);
            let folder = plan.folders.get(number).ok_or(Fail::Record)?;
            if folder.place.below(&top).is_some() {
                let left = left.remove(&seen.folder).unwrap_or_default();
                let entries = seen.entries.iter().map(|entry| (entry.name.as_bytes(), entry));
                let staged = staged.remove(&seen.folder).unwrap_or_default();
                self.nothing_new_in(seen, &Wanted { seen: entries.collect(), left, staged })?;
            }
        }
        Ok(())
    }

    /// The same behind the exchange, when it stands at `staged`: nor may anybody have something in it open
    /// for writing.
    pub(super) fn nothing_new_behind(
        &mut self,
        at: &Slot,
        folder: &Arc<OwnedFd>,
        staged: &Name,
        fate: &Fate,
    ) -> Result<(), Fail> {
        if self.places.plan().seen.is_empty() || !matches!(fate, Fate::Kept(_)) {
            return Ok(());
        }
        self.nobody_writes(at, folder, staged)?;
        self.nothing_new(at, fate)
    }

    /// The names of what is freed in the end, by folder.
    fn to_be_freed(&self, plan: &Plan) -> HashMap<u32, HashSet<Name>> {
        let mut all: HashMap<u32, HashSet<Name>> = HashMap::new();
        let steps = plan.items.iter().flat_map(|item| &item.steps).enumerate();
        for (number, step) in steps.filter(|(_, step)| step.frees()) {
            all.entry(step.at().folder).or_default().insert(self.token.staged(number));
        }
        all
    }

    fn nothing_new_in(&mut self, seen: &FolderSeen, wanted: &Wanted<'_>) -> Result<(), Fail> {
        let slot = |name| Slot { folder: seen.folder, name };
        let Some(any) = Name::new(b"any".to_vec()) else { return Ok(()) };
        let held = self.places.folder(&slot(any.clone()))?;
        let there = self.system.open(held.as_fd(), c".", Access::List).and_then(|list| {
            crate::look::without_trace(list.as_fd());
            names(self.system, list.as_fd())
        });
        let there = there.map_err(|error| self.refused(&slot(any), "list it", error))?;
        let mut count = 0;
        for name in there.into_iter().filter(|name| !wanted.staged.contains(name)) {
            count += 1;
            let at = slot(name);
            let name = at.name.as_bytes();
            let is = match (wanted.left.get(name), wanted.seen.get(name)) {
                (Some(Left::Copied(to, manner)), _) => {
                    self.is_as_copied((&at, to), *manner, &held)?;
                    true
                }
                (Some(Left::Link(target)), _) => {
                    let found = self.look(&held, &at.name, &at)?;
                    matches!(found, Some(Object::Link { target: found, .. }) if found == **target)
                }
                (None, Some(seen)) => self.is_as_seen(&held, seen, &at)?,
                (None, None) => false,
            };
            if !is {
                return Err(Fail::Changed(self.places.place(&at)));
            }
        }
        if count == wanted.left.len() + wanted.seen.len() {
            return Ok(());
        }
        let all = wanted.left.keys().chain(wanted.seen.keys());
        for name in all {
            let gone = self.system.facts(held.as_fd(), name).err() == Some(Errno::NOENT);
            if let (true, Some(name)) = (gone, Name::new(*name)) {
                return Err(Fail::Changed(self.places.place(&slot(name))));
            }
        }
        Ok(())
    }

    fn is_as_seen(&self, held: &Arc<OwnedFd>, seen: &EntrySeen, at: &Slot) -> Result<bool, Fail> {
        let Some(found) = self.look(held, &at.name, at)? else { return Ok(false) };
        let changed = |then: Time| {
            let now = self.system.facts(held.as_fd(), at.name.as_bytes());
            now.is_ok_and(|now| now.changed == then)
        };
        Ok(seen.object.is_still(&found, self.same) && seen.changed.is_none_or(changed))
    }
}

/// What the steps of a plan leave, by folder and name.
fn left(plan: &Plan) -> HashMap<u32, HashMap<&[u8], Left<'_>>> {
    let mut all: HashMap<u32, HashMap<&[u8], Left<'_>>> = HashMap::new();
    for step in plan.items.iter().flat_map(|item| &item.steps) {
        let (at, left) = match step {
            Step::Move { at, leave: Some(leave), .. } => (at, Left::Link(&leave.target)),
            Step::Replace { at, make: Make::Link { target, .. }, .. } => (at, Left::Link(target)),
            Step::Put { at, make: Make::Copy { of, manner, .. } } => {
                (of, Left::Copied(at, manner.as_deref()))
            }
            _ => continue,
        };
        all.entry(at.folder).or_default().insert(at.name.as_bytes(), left);
    }
    all
}
