//! Moving something within a volume, with a link at the one name or the other all the time.
//!
//! A link is put at the new name, right for when it stands at the old one, and the two names are exchanged
//! in one call: nobody ever finds either of them missing. Bringing home is the same the other way round:
//! the link that stands in the place is exchanged with the thing, and dropped.

use super::aside::same_object;
use super::back::Past;
use super::{Fail, Placed, Work};
use crate::system::Facts;
use linkwell_model::entry::EntryKind;
use linkwell_model::entry::Identity;
use linkwell_model::name::Name;
use linkwell_model::plan::{Leave, Object, Slot, Step, Token};
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::sync::Arc;

/// A move, with its two folders held.
pub(super) struct Way<'s> {
    pub(super) at: &'s Slot,
    pub(super) old: &'s Object,
    pub(super) to: &'s Slot,
    pub(super) leave: Option<&'s Leave>,
    pub(super) over: Option<&'s Object>,
    /// Under which names a link at the one end, and at the other, is looked at before it is dropped.
    asides: [Name; 2],
}

impl<'s> Way<'s> {
    /// The move that `step` is, if it is one; `number` is its number in the plan.
    pub(super) fn of(step: &'s Step, number: usize, token: &Token) -> Option<Self> {
        match step {
            Step::Move { at, old, to, leave, over } => {
                let (leave, over) = (leave.as_ref(), over.as_ref());
                let asides = [token.staged(number), token.staged_back(number)];
                Some(Self { at, old, to, leave, over, asides })
            }
            _ => None,
        }
    }
}

/// Two names, each in its held folder.
struct Ends {
    here: Arc<OwnedFd>,
    there: Arc<OwnedFd>,
}

/// Whether a file system cannot exchange two names at all, or not these two.
fn cannot(error: Errno) -> bool {
    matches!(error, Errno::INVAL | Errno::NOSYS | Errno::NOTSUP | Errno::XDEV)
}

impl Work<'_> {
    fn ends(&mut self, way: &Way<'_>) -> Result<Ends, Fail> {
        let (here, there) = (self.places.folder(way.at)?, self.places.folder(way.to)?);
        self.places.touch(way.at);
        self.places.touch(way.to);
        Ok(Ends { here, there })
    }

    /// Does a move, and gives the link that it left.
    pub(super) fn relocate(&mut self, way: &Way<'_>) -> Result<Option<Object>, Fail> {
        let ends = self.ends(way)?;
        match self.look(&ends.here, &way.at.name, way.at)? {
            // Nothing is read of it: it may be written to meanwhile.
            Some(now) if self.is_it(way, &now) => {}
            _ => return Err(Fail::Changed(self.places.place(way.at))),
        }
        match (self.look(&ends.there, &way.to.name, way.to)?, way.over) {
            (None, None) => {}
            (Some(now), Some(over)) if over.is_still(&now, self.same) => {}
            (Some(_), None) => return Err(Fail::Taken(self.places.place(way.to))),
            (_, Some(_)) => return Err(Fail::Changed(self.places.place(way.to))),
        }
        match (way.leave, way.over) {
            (Some(leave), None) => self.move_out(way, &ends, leave).map(Some),
            (None, Some(over)) => self.move_home(way, &ends, over).map(|()| None),
            (None, None) => {
                self.begun = true;
                self.plain_rename(way, &ends)?;
                self.arrived(way, &ends).map(|()| None)
            }
            (Some(_), Some(_)) => Err(Fail::Record),
        }
    }

    fn move_out(&mut self, way: &Way<'_>, ends: &Ends, leave: &Leave) -> Result<Object, Fail> {
        let link = self.make_left(&ends.there, way.to, leave)?;
        self.begun = true;
        self.placed = Placed::Unknown;
        let exchanged = self.exchange(way, ends);
        match exchanged {
            Ok(()) => {}
            Err(error) if cannot(error) => {
                // The thing is missing for a moment: that was said before, and recovery knows it by
                // what stands at the two names.
                self.drop_link(&ends.there, way.to, &way.asides[1], &link)?;
                self.plain_rename(way, ends)?;
                self.arrived(way, ends)?;
                return self.make_left(&ends.here, way.at, leave);
            }
            Err(error) => return Err(self.refused(way.at, "exchange it with a link", error)),
        }
        self.arrived(way, ends)?;
        match self.look(&ends.here, &way.at.name, way.at)? {
            Some(now) if link.is_still(&now, self.same) => Ok(now),
            _ => Err(Fail::NotAsMade(self.places.place(way.at))),
        }
    }

    fn move_home(&mut self, way: &Way<'_>, ends: &Ends, over: &Object) -> Result<(), Fail> {
        self.begun = true;
        self.placed = Placed::Unknown;
        match self.exchange(way, ends) {
            Ok(()) => {}
            Err(error) if cannot(error) => {
                self.drop_link(&ends.there, way.to, &way.asides[1], over)?;
                self.plain_rename(way, ends)?;
                return self.arrived(way, ends);
            }
            Err(error) => return Err(self.refused(way.at, "exchange it with the link", error)),
        }
        self.arrived(way, ends)?;
        self.drop_link(&ends.here, way.at, &way.asides[0], over)
    }

    fn exchange(&self, way: &Way<'_>, ends: &Ends) -> Result<(), Errno> {
        let (here, there) = (ends.here.as_fd(), ends.there.as_fd());
        let before = [(here, &way.at.name), (there, &way.to.name)].map(|(folder, name)| {
            let held = self.system.hold(folder, name.as_bytes()).ok()?;
            let facts = self.system.facts_of(held.as_fd()).ok()?;
            (facts.kind == EntryKind::Folder).then_some((held, facts))
        });
        self.disk.exchange(there, &way.to.name, here, &way.at.name)?;
        for (held, facts) in before.into_iter().flatten() {
            self.give_back_time(held.as_fd(), &facts);
        }
        Ok(())
    }

    /// Gives a folder the time back that it had before two names were exchanged.
    ///
    /// xfs counts the other parent as a change of its contents, when names are exchanged and only then
    /// (measured on Linux 6.18). Where the time may not be set, it stays.
    fn give_back_time(&self, folder: BorrowedFd<'_>, before: &Facts) {
        let now = self.system.facts_of(folder);
        if now.is_ok_and(|now| now.modified != before.modified) {
            self.disk.times(folder, before.accessed, before.modified).unwrap_or_default();
        }
    }

    fn plain_rename(&self, way: &Way<'_>, ends: &Ends) -> Result<(), Fail> {
        let renamed = self.rename_new(&ends.here, &way.at.name, &ends.there, &way.to.name);
        renamed.map_err(|error| match error {
            Errno::XDEV => Fail::OtherVolume(self.places.place(way.to)),
            Errno::EXIST => Fail::Taken(self.places.place(way.to)),
            error => self.refused(way.at, "move it", error),
        })
    }

    /// What stands at the new name must be what was planned with. If not, `back` puts it back.
    fn arrived(&self, way: &Way<'_>, ends: &Ends) -> Result<(), Fail> {
        match self.look(&ends.there, &way.to.name, way.to)? {
            Some(out) if self.is_it(way, &out) => Ok(()),
            _ => Err(Fail::Changed(self.places.place(way.at))),
        }
    }

    /// Makes the link that is left.
    fn make_left(
        &mut self,
        folder: &Arc<OwnedFd>,
        at: &Slot,
        leave: &Leave,
    ) -> Result<Object, Fail> {
        let made = self.disk.make_link(folder.as_fd(), &at.name, &leave.target);
        made.map_err(|error| self.refused(at, "make a link", error))?;
        self.begun = true;
        if let Some(attributes) = &leave.attributes {
            let carried = self.carry(folder.as_fd(), &at.name, attributes);
            carried.map_err(|error| self.refused(at, "make a link", error))?;
        }
        let not = || Fail::NotAsMade(self.places.place(at));
        let made = self.look(folder, &at.name, at)?.ok_or_else(not)?;
        match &made {
            Object::Link { target, .. } if *target == leave.target => Ok(made),
            _ => Err(not()),
        }
    }

    /// Removes a link, if it is that very link. It is looked at under a name that nobody else has chosen:
    /// what somebody saved over it in that moment gets its name back.
    fn drop_link(
        &mut self,
        folder: &Arc<OwnedFd>,
        at: &Slot,
        aside: &Name,
        link: &Object,
    ) -> Result<(), Fail> {
        let same = self.same;
        let is_it = |found: Option<Object>| found.is_some_and(|now| link.is_still(&now, same));
        let changed = Fail::Changed(self.places.place(at));
        if !is_it(self.look(folder, &at.name, at)?) {
            return Err(changed);
        }
        let refused = |work: &Self, error| work.refused(at, "remove the link", error);
        let set_aside = self.rename(folder, &at.name, folder, aside);
        set_aside.map_err(|error| refused(self, error))?;
        if !is_it(self.look(folder, aside, at)?) {
            self.return_stranger(folder, aside, folder, &at.name, at);
            return Err(changed);
        }
        let dropped = self.disk.drop_name(folder.as_fd(), aside);
        dropped.map_err(|error| refused(self, error))
    }

    /// Settles what stood where a link was to be dropped, if that was interrupted.
    fn settle_dropped(&mut self, way: &Way<'_>, ends: &Ends) -> Result<(), Fail> {
        let [here, there] = &way.asides;
        for (folder, at, aside) in [(&ends.here, way.at, here), (&ends.there, way.to, there)] {
            let Some(found) = self.look(folder, aside, at)? else { continue };
            let text = match &found {
                Object::Link { target, .. } => Some(target),
                _ => None,
            };
            let left = way.leave.map(|leave| &leave.target);
            let over = match way.over {
                Some(Object::Link { target, .. }) => Some(target),
                _ => None,
            };
            if text.is_some() && (text == left || text == over) {
                let dropped = self.disk.drop_name(folder.as_fd(), aside);
                dropped.map_err(|error| self.refused(at, "remove the link", error))?;
            } else if self.look(folder, &at.name, at)?.is_none() {
                self.put_back(folder, aside, at)?;
            } else {
                self.cannot_return(folder, aside, &found, at, false)?;
            }
        }
        Ok(())
    }

    /// Takes a move back, wherever it stopped, by what stands at the two names.
    pub(super) fn relocate_back(&mut self, past: &Past<'_>, way: &Way<'_>) -> Result<(), Fail> {
        let ends = self.ends(way)?;
        self.settle_dropped(way, &ends)?;
        let here = self.look(&ends.here, &way.at.name, way.at)?;
        let there = self.look(&ends.there, &way.to.name, way.to)?;
        let is_old =
            |found: &Option<Object>| found.as_ref().is_some_and(|found| self.is_it(way, found));
        match (is_old(&here), is_old(&there)) {
            // A rename that is two calls was stopped between them.
            (true, true) if ends_are_two(way) => {
                self.drop_double(&ends.there, &way.to.name, way.to)?;
                self.clear_new_name(way, &ends, None)
            }
            (true, _) => self.clear_new_name(way, &ends, there),
            (false, true) => match here {
                None => self.home_to_nothing(way, &ends),
                Some(left) if self.is_ours_here(past, way, &left) => self.home(way, &ends),
                Some(_) => {
                    self.keep_where_it_is(way.to);
                    Ok(())
                }
            },
            // Neither: somebody came between the last look and the exchange, or has moved it on since.
            (false, false) => match (here, there) {
                (Some(left), Some(stranger))
                    if !matches!(past.placed, Placed::This(_))
                        && way.leave.is_some()
                        && !self.is_ours_here(past, way, &stranger)
                        && self.is_ours_here(past, way, &left) =>
                {
                    self.home(way, &ends)
                }
                _ => Ok(()),
            },
        }
    }

    /// What a move left, if all of it is done.
    pub(super) fn has_moved(
        &mut self,
        past: &Past<'_>,
        way: &Way<'_>,
    ) -> Result<Option<Option<Object>>, Fail> {
        let ends = self.ends(way)?;
        self.settle_dropped(way, &ends)?;
        let here = self.look(&ends.here, &way.at.name, way.at)?;
        let there = self.look(&ends.there, &way.to.name, way.to)?;
        if !there.is_some_and(|there| self.is_it(way, &there)) {
            return Ok(None);
        }
        Ok(match (way.leave, here) {
            (None, None) => Some(None),
            (Some(_), Some(left)) if self.is_ours_here(past, way, &left) => Some(Some(left)),
            _ => None,
        })
    }

    /// Whether this is what was moved, whatever was written to it since.
    fn is_it(&self, way: &Way<'_>, found: &Object) -> bool {
        same_object(way.old, found, self.same)
    }

    /// Whether this is the link that the move has at the old name in the end, or in the middle.
    fn is_ours_here(&self, past: &Past<'_>, way: &Way<'_>, found: &Object) -> bool {
        let Object::Link { target: found_text, .. } = found else { return false };
        match (way.leave, way.over) {
            (Some(leave), _) => match past.placed {
                Placed::This(made) => made.is_still(found, self.same),
                Placed::Not => false,
                Placed::Unknown => leave.target == *found_text,
            },
            // The very link, or one that an earlier taking back has made again.
            (None, Some(Object::Link { target, .. })) => target == found_text,
            (None, Some(_)) => false,
            (None, None) => false,
        }
    }

    /// The thing is where it was; the new name gets back what it had.
    fn clear_new_name(
        &mut self,
        way: &Way<'_>,
        ends: &Ends,
        there: Option<Object>,
    ) -> Result<(), Fail> {
        match (way.leave, way.over, there) {
            (Some(leave), _, Some(link)) => {
                let ours = matches!(&link, Object::Link { target, .. } if *target == leave.target);
                if ours {
                    self.drop_link(&ends.there, way.to, &way.asides[1], &link)
                } else {
                    Ok(())
                }
            }
            // A link that this very plan had put there is gone because that was taken back already.
            (None, Some(over), None) if over.id() == Identity::TO_COME => Ok(()),
            (None, Some(over), None) => self.remake(&ends.there, way.to, over),
            (None, Some(over), Some(_)) => self.dress_again(&ends.there, way.to, over),
            _ => Ok(()),
        }
    }

    /// The thing stands at the new name, and nothing at the old.
    fn home_to_nothing(&mut self, way: &Way<'_>, ends: &Ends) -> Result<(), Fail> {
        if let Some(over) = way.over {
            self.remake(&ends.here, way.at, over)?;
            return self.home(way, ends);
        }
        let renamed = self.rename_new(&ends.there, &way.to.name, &ends.here, &way.at.name);
        renamed.map_err(|error| self.refused(way.at, "move it back", error))
    }

    /// The thing stands at the new name, a link of ours at the old: the two are exchanged again.
    fn home(&mut self, way: &Way<'_>, ends: &Ends) -> Result<(), Fail> {
        if let Some(over) = way.over {
            self.dress_again(&ends.here, way.at, over)?;
        }
        match self.exchange(way, ends) {
            Ok(()) => {}
            Err(error) if cannot(error) => {
                if let Some(link) = self.look(&ends.here, &way.at.name, way.at)? {
                    self.drop_link(&ends.here, way.at, &way.asides[0], &link)?;
                }
                let renamed = self.rename_new(&ends.there, &way.to.name, &ends.here, &way.at.name);
                renamed.map_err(|error| self.refused(way.at, "move it back", error))?;
                return match way.over {
                    Some(over) => self.remake(&ends.there, way.to, over),
                    None => Ok(()),
                };
            }
            Err(error) => return Err(self.refused(way.at, "move it back", error)),
        }
        let there = self.look(&ends.there, &way.to.name, way.to)?;
        if way.over.is_some() { Ok(()) } else { self.clear_new_name(way, ends, there) }
    }

    /// Gives a link that was made again what it carried: that may have been interrupted.
    fn dress_again(&self, folder: &Arc<OwnedFd>, at: &Slot, link: &Object) -> Result<(), Fail> {
        let Object::Link { target, attributes, .. } = link else { return Err(Fail::Record) };
        match self.look(folder, &at.name, at)? {
            Some(now) if link.is_still(&now, self.same) => Ok(()),
            Some(Object::Link { target: found, .. }) if found == *target => {
                let carried = self.carry(folder.as_fd(), &at.name, attributes);
                carried.map_err(|error| self.refused(at, "make a link", error))
            }
            _ => Ok(()),
        }
    }

    /// Makes a link again that was dropped, as its record says.
    fn remake(&mut self, folder: &Arc<OwnedFd>, at: &Slot, link: &Object) -> Result<(), Fail> {
        let Object::Link { target, attributes, .. } = link else { return Err(Fail::Record) };
        let leave = Leave { target: target.clone(), attributes: Some(attributes.clone()) };
        self.make_left(folder, at, &leave).map(drop)
    }
}

/// Whether the two ends are two names.
fn ends_are_two(way: &Way<'_>) -> bool {
    let name = |slot: &Slot| -> (u32, Name) { (slot.folder, slot.name.clone()) };
    name(way.at) != name(way.to)
}
