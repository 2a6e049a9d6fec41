//! Links that are themselves not where they were.

use super::find::Sought;
use super::grace::Heard;
use super::held::Whereabouts;
use super::look::Round;
use super::nodes::LinkId;
use super::settle::{Leading, Renewal, Told, event};
use super::watcher::{State, Tracked, Watcher};
use crate::track::{Found, Step};
use linkwell_model::entry::Identity;
use linkwell_model::keep::evidence::{Likened, liken};
use linkwell_model::keep::likeness::Likeness;
use linkwell_model::keep::link::Kept;
use linkwell_model::path::{self, AbsPath};
use std::time::Instant;

impl Watcher<'_> {
    /// Links that are gone, and whose grace has ended. One that only moved is recorded where it is now, and
    /// still leads to what it led to.
    pub(super) fn strayed(
        &mut self,
        round: &mut Round<'_>,
        gone: Vec<LinkId>,
        leads: &mut Vec<Leading>,
        told: &mut Vec<Told>,
    ) {
        for link in gone {
            let Some(known) = self.links.get(&link) else { continue };
            if self.is_away(&known.mounts.0) {
                self.set_state(link, State::Asleep);
                continue;
            }
            let node = known.at;
            let found = self.find_link(round, known);
            let done = found.is_some_and(|at| self.moved(round, link, &at, leads, told));
            if done {
                continue;
            }
            // It moved on while it was looked for.
            if self.held.lives(node) && self.may_try_again(link) {
                self.grace.heard(node, Heard::Vacated, Instant::now());
            } else {
                self.is_gone(link, told);
            }
        }
    }

    fn is_gone(&mut self, link: LinkId, told: &mut Vec<Told>) {
        let Some(known) = self.links.get(&link) else { return };
        let node = known.at;
        let deleted = self.held.whereabouts(node) == Whereabouts::Deleted;
        if known.state != State::Gone {
            let event = event("gone", &known.link, Some(known.link.target.as_bytes()), None, None);
            let words = if deleted { "it was deleted" } else { "where it went is not known" };
            told.push((event, Some(words.into()), Vec::new()));
        }
        self.withdraw(&[link]);
        self.propose(link, None);
        self.held.release(node);
        self.set_state(link, State::Gone);
        self.await_creation(node);
    }

    /// Where a link is now: the very object, with its text.
    fn find_link(&self, round: &mut Round<'_>, known: &Tracked) -> Option<AbsPath> {
        let mut candidates = Vec::new();
        match self.held.whereabouts(known.at) {
            Whereabouts::At(place) => candidates.push(place),
            Whereabouts::Deleted => return None,
            Whereabouts::Unknown => candidates.extend(self.by_moves(known.at)),
        }
        let is = |round: &mut Round<'_>, place: &AbsPath| {
            let found = round.link_at(place);
            // A link that was moved right after it was healed has not been seen at its place; where it went
            // was heard.
            let same = |id| known.link.id.is(id) || known.link.id == Identity::TO_COME;
            found.is_some_and(|(id, text)| same(id) && text == known.link.target)
        };
        candidates.into_iter().find(|place| is(round, place))
    }

    /// Records a link where it is now, and lets it lead to what it led to; `false` when it is not there any
    /// more.
    fn moved(
        &mut self,
        round: &mut Round<'_>,
        link: LinkId,
        at: &AbsPath,
        leads: &mut Vec<Leading>,
        told: &mut Vec<Told>,
    ) -> bool {
        let Some(known) = self.links.get(&link) else { return false };
        let Some((folder, name)) = at.split() else { return false };
        let (old, was) = (known.link.clone(), known.was.clone());
        let Some(step) = round.step(&folder, &old.target) else { return false };
        let relative = !path::is_absolute(old.target.as_bytes());
        // Its target, if that stayed where it was.
        let stayed = relative.then(|| self.stayed(round, &old, was.as_ref())).flatten();
        // And if that moved as well.
        let followed = match &step.found {
            Found::Nothing if stayed.is_none() => match self.seek(round, known) {
                Sought::At(place, is, doubts) => Some((place, is, doubts)),
                _ => None,
            },
            _ => None,
        };
        let mut kept = Kept { folder, name, ..old.clone() };
        let event = event("moved", &kept, Some(old.place().as_bytes()), Some(at.as_bytes()), None);
        told.push((event, Some("the link itself was moved".into()), Vec::new()));
        let Step { to, found } = step;
        match found {
            Found::Here(is) => {
                let same = was.as_ref().is_some_and(|was| liken(was, &is).0 == Likened::Same);
                let other = stayed.filter(|_| !same && to != old.to);
                kept.to = to;
                let new = self.renew_moved(round, link, kept, Some(*is));
                if let Some((place, _)) = other {
                    let words = "this is what it led to before it was moved".to_owned();
                    let why = "since it was moved, it leads to something else";
                    self.ask(new, why, Some((place, words)), told);
                }
            }
            Found::Nothing | Found::Unseen => {
                let new = self.renew_moved(round, link, kept, was);
                self.set_state(new, State::New);
                match (stayed, followed) {
                    (Some((place, is)), _) => self.found(new, place, is, &[], leads, told),
                    (None, Some((place, is, doubts))) => {
                        self.found(new, place, *is, &doubts, leads, told);
                    }
                    (None, None) => {
                        let to = self.links.get(&new).map(|known| known.to);
                        match to.filter(|to| self.held.lives(*to)) {
                            // It is on its way, too.
                            Some(to) => self.grace.heard(to, Heard::Vacated, Instant::now()),
                            None => self.is_lost(new, "and what it led to is not there", told),
                        }
                    }
                }
            }
        }
        true
    }

    /// The place that a link led to, if the very object is still there.
    fn stayed(
        &self,
        round: &mut Round<'_>,
        old: &Kept,
        was: Option<&Likeness>,
    ) -> Option<(AbsPath, Likeness)> {
        let was = was?;
        let (is, _) = round.at(&old.to, false).ok()?;
        (liken(was, &is).0 == Likened::Same).then(|| (old.to.clone(), is))
    }

    /// Records a link at its new place; its number there is the answer.
    fn renew_moved(
        &mut self,
        round: &mut Round<'_>,
        old: LinkId,
        link: Kept,
        was: Option<Likeness>,
    ) -> LinkId {
        let (folder, name) = (link.folder.clone(), link.name.clone());
        self.renew(round, vec![Renewal { old, link, was }]);
        let found = self.nodes.find(&folder.joined(name.as_bytes()));
        found.and_then(|node| self.nodes.link(node)).unwrap_or(old)
    }
}
