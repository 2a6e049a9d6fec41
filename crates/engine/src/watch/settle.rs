//! Looking at the links whose grace has ended, and saying what is to be done about each.

use super::find::Sought;
use super::grace::Heard;
use super::held::Whereabouts;
use super::look::{Looked, Round};
use super::nodes::{LinkId, NodeId};
use super::watcher::{State, Tracked, Watcher, clock};
use crate::catalogue::links::Seen;
use crate::catalogue::questions::{Event, Proposal, Question};
use crate::survey::repair::weigh::is_way_changed;
use hashbrown::{HashMap, HashSet};
use linkwell_model::entry::{EntryKind, Identity};
use linkwell_model::health::Health;
use linkwell_model::keep::choice::Doubt;
use linkwell_model::keep::likeness::Likeness;
use linkwell_model::keep::link::{By, Kept, Policy};
use linkwell_model::keep::spare::is_spare;
use linkwell_model::path::AbsPath;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// When a link on the way of others has changed, those are looked at after so long, once for many.
const SOON: Duration = Duration::from_secs(1);

/// So many new targets at a time have their contents summed; more are known by their facts alone.
const MOST_SUMMED: usize = 256;

/// The names whose grace has ended, and what was heard of them last.
pub(super) type Due = HashMap<NodeId, Heard>;

/// Something to be told and recorded.
pub(super) type Told = (Event, Option<String>, Vec<Proposal>);

/// A link that is to be led to where its target is now.
#[derive(Debug)]
pub(super) struct Leading {
    pub(super) link: LinkId,
    pub(super) to: AbsPath,
    pub(super) is: Likeness,
}

/// A link to be recorded anew.
#[derive(Debug)]
pub(super) struct Renewal {
    pub(super) old: LinkId,
    pub(super) link: Kept,
    pub(super) was: Option<Likeness>,
}

/// What a round of looking came to.
#[derive(Debug, Default)]
struct Findings {
    vacant: Vec<LinkId>,
    gone: Vec<LinkId>,
    renewed: Vec<Renewal>,
    told: Vec<Told>,
    answered: Vec<LinkId>,
    /// The links that somebody led elsewhere.
    led: Vec<AbsPath>,
}

pub(super) fn event(
    what: &str,
    link: &Kept,
    old: Option<&[u8]>,
    new: Option<&[u8]>,
    operation: Option<u64>,
) -> Event {
    Event {
        time: clock().0,
        what: what.into(),
        place: link.place(),
        old: old.map(<[u8]>::to_vec),
        new: new.map(<[u8]>::to_vec),
        operation,
    }
}

/// Whether it is the object that was seen before, while its volume stayed attached.
pub(super) fn is_unchanged(was: Option<&Likeness>, is: &Likeness) -> bool {
    was.is_some_and(|was| {
        (was.device, was.inode, was.born, was.kind) == (is.device, is.inode, is.born, is.kind)
    })
}

/// The object as it is, with what only reading it would tell taken over if it cannot have changed.
pub(super) fn with_old_sums(mut is: Likeness, was: Option<&Likeness>) -> Likeness {
    if let Some(was) = was
        && was.kind == is.kind
        && was.modified == is.modified
        && was.size == is.size
    {
        is.sums.ends = is.sums.ends.or(was.sums.ends);
        is.sums.whole = is.sums.whole.or(was.sums.whole);
        is.shape = is.shape.or_else(|| was.shape.clone());
    }
    is
}

impl Watcher<'_> {
    /// Looks at everything on record. What is found vacant has its grace from now on.
    pub(super) fn look_at_all(&mut self) {
        self.watch_again(super::nodes::Nodes::root());
        let all: Vec<LinkId> = self.links.keys().copied().collect();
        self.round(all, &Due::new());
    }

    /// Looks once more at the links that could not be looked at: nothing is heard from where they are.
    pub(super) fn look_at_unseen(&mut self) {
        let unseen = self.links.iter().filter(|(_, known)| known.state == State::Unseen);
        let mut unseen: HashSet<LinkId> = unseen.map(|(link, _)| *link).collect();
        self.watch_deaf();
        for deaf in &self.deaf {
            for below in self.nodes.subtree(*deaf) {
                unseen.extend(self.nodes.links(below));
            }
        }
        if !unseen.is_empty() {
            self.round(unseen.into_iter().collect(), &Due::new());
        }
    }

    /// Looks at links that were taken in a moment ago.
    pub(super) fn settle_fresh(&mut self, links: &[LinkId]) {
        if !links.is_empty() {
            self.round(links.to_vec(), &Due::new());
        }
    }

    /// Looks at all that hangs on names whose grace has ended.
    pub(super) fn settle(&mut self, due: Vec<(NodeId, Heard)>) {
        let mut links = HashSet::new();
        for (node, _) in &due {
            for below in self.nodes.subtree(*node) {
                links.extend(self.nodes.links(below));
            }
            // Before anything below is looked at, so that nothing changes unheard after the look.
            self.watch_again(*node);
        }
        let due: Due = due.into_iter().collect();
        self.round(links.into_iter().collect(), &due);
        for node in due.keys() {
            // What could not be done yet is looked for again.
            if !self.nodes.subtree(*node).iter().any(|below| self.grace.is_pending(*below)) {
                self.moves.forget(*node);
            }
        }
    }

    /// Whether the grace of a node has ended, and nothing on the way to it is in motion.
    pub(super) fn is_ripe(&self, node: NodeId, due: &Due) -> bool {
        let heard = |up: NodeId| due.get(&up) == Some(&Heard::Vacated);
        self.nodes.upward(node).any(heard) && !self.is_in_motion(node)
    }

    /// Whether something was heard of a node or what is above it, and nothing of it is in motion.
    fn is_due(&self, node: NodeId, due: &Due) -> bool {
        self.nodes.upward(node).any(|up| due.contains_key(&up)) && !self.is_in_motion(node)
    }

    fn is_in_motion(&self, node: NodeId) -> bool {
        self.nodes.upward(node).any(|up| self.grace.is_pending(up))
    }

    fn round(&mut self, mut links: Vec<LinkId>, due: &Due) {
        self.close();
        // Neighbours together: their folder is opened once.
        links.sort_by(|one, two| {
            let place =
                |link| self.links.get(link).map(|known| (&known.link.folder, &known.link.name));
            let (one, two) = (place(one), place(two));
            one.map(|(folder, name)| (folder.as_bytes(), name.as_bytes()))
                .cmp(&two.map(|(folder, name)| (folder.as_bytes(), name.as_bytes())))
        });
        let volumes = Arc::clone(&self.volumes);
        let mut round = Round::new(self.system, &volumes);
        let mut found = Findings::default();
        for link in links {
            self.look_at(&mut round, link, due, &mut found);
        }
        self.withdraw(&found.answered);
        self.renew(&mut round, found.renewed);
        self.look_behind_led(&found.led);
        let mut leads = Vec::new();
        let mut told = found.told;
        self.strayed(&mut round, found.gone, &mut leads, &mut told);
        let waiting = self.lost(&mut round, found.vacant, &mut leads, &mut told);
        self.happened(told);
        if !leads.is_empty() {
            let done = self.heal(leads);
            // What lies behind a link that was healed is as it was.
            if done && !waiting.is_empty() {
                self.round(waiting, due);
            }
        }
        self.close();
    }

    fn look_at(&mut self, round: &mut Round<'_>, link: LinkId, due: &Due, found: &mut Findings) {
        let Some(known) = self.links.get(&link) else { return };
        let (at, to, state) = (known.at, known.to, known.state);
        let asked = known.proposed.is_some_and(|proposed| self.is_due(proposed, due));
        if self.is_uncovered(&known.mounts.0, &known.link.place()) {
            return self.asleep(link, &mut found.told);
        }
        match round.look(&known.link) {
            Looked::Sound(_, _, is)
                if state == State::Misled && !is_unchanged(known.was.as_ref(), &is) =>
            {
                // Nobody meant what stands there.
                if self.is_ripe(to, due) {
                    found.vacant.push(link);
                } else {
                    self.found_away(link, to, state);
                }
            }
            Looked::Sound(id, leads_to, is) => {
                self.sound(link, id, leads_to, *is, found);
            }
            Looked::Vacant if self.is_ripe(to, due) || asked => found.vacant.push(link),
            Looked::Vacant => self.found_away(link, to, state),
            Looked::Gone if self.is_ripe(at, due) => found.gone.push(link),
            Looked::Gone => self.found_away(link, at, state),
            Looked::Unseen => self.set_state(link, State::Unseen),
            // The link itself was moved, and something else took its name at once.
            Looked::Replaced(_) if self.has_moved(known) && self.is_due(at, due) => {
                found.gone.push(link);
            }
            Looked::Replaced(_) if self.has_moved(known) && self.is_in_motion(at) => {}
            Looked::Replaced(kind) => {
                let told = self.replaced(link, kind);
                found.told.extend(told);
            }
            Looked::Retargeted(text) => {
                let event = event(
                    "retargeted",
                    &known.link,
                    Some(known.link.target.as_bytes()),
                    Some(text.as_bytes()),
                    None,
                );
                found.told.push((event, Some("somebody led it elsewhere".into()), Vec::new()));
                let mut kept = known.link.clone();
                kept.target = text;
                found.answered.push(link);
                found.led.push(kept.place());
                self.again_if_on_the_way(link);
                if let Some((id, _)) = round.link_at(&kept.place()) {
                    kept.id = id;
                }
                if let Some(step) = round.step(&kept.folder, &kept.target) {
                    kept.to = step.to;
                    let was = match step.found {
                        crate::track::Found::Here(is) => Some(*is),
                        _ => None,
                    };
                    if let Some(known) = self.links.get_mut(&link) {
                        known.chosen = was.is_none();
                    }
                    found.renewed.push(Renewal { old: link, link: kept, was });
                }
            }
        }
    }

    /// Something is away whose grace has not ended: it begins now if it was not known to be away.
    fn found_away(&mut self, link: LinkId, node: NodeId, state: State) {
        if self.is_in_motion(node) {
            return;
        }
        match state {
            State::Lost | State::Asked | State::Gone => self.await_creation(node),
            _ => {
                self.set_state_if(link, State::Sound, State::New);
                self.grace.heard(node, Heard::Vacated, Instant::now());
            }
        }
    }

    pub(super) fn set_state(&mut self, link: LinkId, state: State) {
        if let Some(known) = self.links.get_mut(&link) {
            known.state = state;
        }
    }

    fn set_state_if(&mut self, link: LinkId, is: State, state: State) {
        if let Some(known) = self.links.get_mut(&link).filter(|known| known.state == is) {
            known.state = state;
        }
    }

    fn sound(
        &mut self,
        link: LinkId,
        id: Identity,
        leads_to: AbsPath,
        is: Likeness,
        found: &mut Findings,
    ) {
        let Some(known) = self.links.get(&link) else { return };
        let (stands, node, state) = (known.at, known.to, known.state);
        let same = is_unchanged(known.was.as_ref(), &is);
        if !same && self.is_hidden(known, &is, &leads_to) {
            return self.asleep(link, &mut found.told);
        }
        if !matches!(state, State::Sound | State::New | State::Unseen | State::Misled) {
            let event = event("back", &known.link, None, Some(known.link.to.as_bytes()), None);
            found.told.push((event, None, Vec::new()));
        }
        found.answered.push(link);
        let as_recorded = same && leads_to == known.link.to && known.link.id.is(id);
        let place = known.link.place();
        if !as_recorded {
            let mut kept = known.link.clone();
            kept.to = leads_to.clone();
            kept.id = id;
            found.renewed.push(Renewal { old: link, link: kept, was: Some(is.clone()) });
        }
        let mounts = &known.mounts;
        let known_mounts = mounts.0.is_some() && mounts.1.is_some() && as_recorded;
        // A volume may have been taken away and attached again between two looks.
        let attached_anew = self.is_away(&mounts.0) || self.is_away(&mounts.1);
        if !known_mounts || attached_anew || matches!(state, State::Asleep) {
            let mounts = (self.mount_of(&place), self.mount_of(&leads_to));
            if let Some(known) = self.links.get_mut(&link) {
                known.mounts = mounts;
            }
        }
        if state == State::Unseen {
            // They could not be watched then.
            self.watch_way(stands);
            self.watch_way(node);
        }
        if !matches!(state, State::Sound | State::New) {
            self.stop_awaiting(node);
        }
        self.propose(link, None);
        if let Some(known) = self.links.get_mut(&link) {
            (known.state, known.tries, known.chosen) = (State::Sound, 0, false);
        }
        let held = self.held.id(node).map(|held| (held.device, held.inode));
        if held != Some((is.device, is.inode)) && as_recorded && state != State::New {
            self.hold(node);
        }
    }

    /// Whether what a link leads to is only what its volume had hidden, which is away now: that is nothing that
    /// anybody led it to.
    fn is_hidden(&self, known: &Tracked, is: &Likeness, place: &AbsPath) -> bool {
        let volumes = known.was.as_ref().and_then(|was| was.volume).zip(is.volume);
        self.is_uncovered(&known.mounts.1, place)
            || volumes.is_some_and(|(was, is)| was.is_another(&is))
                && self.volumes.absent(place, b"").is_some()
    }

    /// Records links anew: elsewhere, with another text, or leading to another object.
    pub(super) fn renew(&mut self, round: &mut Round<'_>, all: Vec<Renewal>) {
        if all.is_empty() {
            return;
        }
        let summed = all.len() <= MOST_SUMMED;
        let mut seen = Vec::with_capacity(all.len());
        for renewal in &all {
            let old = self.links.get(&renewal.old).and_then(|known| known.was.as_ref());
            let target = renewal.was.clone().map(|is| {
                let is = with_old_sums(is, old);
                let known = is.sums.ends.is_some() || is.shape.is_some();
                let deep =
                    (summed && !known).then(|| round.at(&renewal.link.to, true).ok()).flatten();
                deep.map_or(is, |(deep, _)| deep)
            });
            seen.push(round.seen(renewal.link.clone(), target));
        }
        if let Err(trouble) = self.catalogue.record(&seen, clock().0) {
            self.trouble(format!("the catalogue cannot be written: {trouble}"));
            return;
        }
        for (renewal, seen) in all.into_iter().zip(seen) {
            self.take_over(renewal.old, seen);
        }
    }

    /// A link is known as it is recorded now. Its number may be another one then, which is the answer.
    pub(super) fn take_over(&mut self, old: LinkId, seen: Seen) -> LinkId {
        let Some(known) = self.links.get(&old) else { return old };
        let moved = known.link.folder != seen.link.folder || known.link.name != seen.link.name;
        let policy = known.link.policy;
        if moved {
            return self.take_over_moved(old, seen, policy);
        }
        let before = (known.at, known.to);
        let place = seen.link.to.clone();
        let after = (known.at, self.nodes.insert(&place));
        let gone = self.nodes.shift(old, before, after);
        if before.1 != after.1 {
            self.watch_way(after.1);
            // Unless others are still led to the old place: then it stays theirs.
            if self.nodes.links(before.1).next().is_none() {
                self.held.pass(before.1, after.1);
            }
        }
        let kept: Vec<_> = gone.into_iter().filter(|(node, _)| *node != after.1).collect();
        self.let_go(kept);
        self.propose(old, None);
        let mounts = (self.mount_of(&seen.link.place()), self.mount_of(&place));
        let found = seen.target.is_some();
        if let Some(known) = self.links.get_mut(&old) {
            known.link = Kept { policy, ..seen.link };
            known.was = seen.target.or(known.was.take());
            known.to = after.1;
            known.mounts = mounts;
            known.state = if found { State::Sound } else { State::New };
        }
        // What was held of it on its way is the object; what has its name by now may be another one.
        if !self.holds_what_was(old) {
            self.hold(after.1);
            if !self.holds_what_was(old) {
                self.held.release(after.1);
            }
        }
        self.hold(after.0);
        if !found {
            self.grace.heard(after.1, Heard::Vacated, Instant::now());
        }
        old
    }

    /// Whether the object that a link led to is held where it leads.
    fn holds_what_was(&self, link: LinkId) -> bool {
        let Some(known) = self.links.get(&link) else { return false };
        let held = self.held.id(known.to);
        let was = known.was.as_ref();
        held.zip(was)
            .is_some_and(|(held, was)| (held.device, held.inode) == (was.device, was.inode))
    }

    fn take_over_moved(&mut self, old: LinkId, seen: Seen, policy: Policy) -> LinkId {
        let number = |watcher: &Self| {
            let found = watcher.catalogue.at(&seen.link.folder, &seen.link.name).ok().flatten();
            found.map(|entry| entry.id)
        };
        let Some(new) = number(self) else { return old };
        let set = self.catalogue.set_policy(&[new], policy);
        if let Err(trouble) = set.and_then(|()| self.catalogue.forget(&[old])) {
            self.trouble(format!("the catalogue cannot be written: {trouble}"));
        }
        // Another link on record stood there, and is replaced.
        self.dismiss(new);
        let link = Kept { policy, ..seen.link };
        let entry = crate::catalogue::links::Entry { id: new, link, target: seen.target, seen: 0 };
        let found = entry.target.is_some();
        self.admit(entry);
        let after = self.links.get(&new).map(|known| (known.at, known.to));
        let before = self.links.get(&old).map(|known| (known.at, known.to));
        if let (Some(before), Some(after)) = (before, after) {
            self.held.pass(before.0, after.0);
            if before.1 != after.1 && self.nodes.links(before.1).all(|link| link == old) {
                self.held.pass(before.1, after.1);
            }
        }
        self.dismiss(old);
        if found {
            self.set_state(new, State::Sound);
        }
        if let Some((at, to)) = after {
            self.hold(at);
            if found {
                self.hold(to);
            }
        }
        new
    }

    /// Links that lead to nothing, and whose grace has ended. Those that only lie behind another one which
    /// is about to be healed are the answer.
    fn lost(
        &mut self,
        round: &mut Round<'_>,
        vacant: Vec<LinkId>,
        leads: &mut Vec<Leading>,
        told: &mut Vec<Told>,
    ) -> Vec<LinkId> {
        let away: HashSet<LinkId> = vacant.iter().copied().collect();
        let mut waiting = Vec::new();
        let mut unknown = Vec::new();
        for link in vacant {
            let Some(known) = self.links.get(&link) else { continue };
            let own = &known.link;
            if self.is_away(&known.mounts.1) || self.is_away(&known.mounts.0) {
                self.asleep(link, told);
                continue;
            }
            match round.health(&own.folder, &own.name, &own.target) {
                Health::Asleep => {
                    self.asleep(link, told);
                    continue;
                }
                Health::Denied | Health::Unknown => {
                    self.set_state(link, State::Unseen);
                    continue;
                }
                _ => {}
            }
            let way = round.way(&own.folder, &own.target);
            let behind = way.iter().filter_map(|place| self.nodes.link(self.nodes.find(place)?));
            let behind: Vec<LinkId> = behind.filter(|other| *other != link).collect();
            if behind.iter().any(|other| away.contains(other)) {
                waiting.push(link);
                continue;
            }
            // A link on the way is led elsewhere: who did that means something that is still to come there.
            let now = (!way.is_empty()).then(|| round.step(&own.folder, &own.target)).flatten();
            let then = (&own.to, known.was.as_ref());
            let now = now.filter(|now| is_way_changed(self.system, &self.volumes, then, &now.to));
            if let Some(now) = now {
                self.way_changed(round, link, now.to, told);
                continue;
            }
            if !self.lost_one(round, link, leads, told) {
                unknown.push(link);
            }
        }
        self.look_behind(round, unknown, leads, told);
        waiting
    }

    pub(super) fn asleep(&mut self, link: LinkId, told: &mut Vec<Told>) {
        let Some(known) = self.links.get(&link) else { return };
        if known.state != State::Asleep {
            let event = event("asleep", &known.link, Some(known.link.to.as_bytes()), None, None);
            told.push((event, Some("its volume is not attached".into()), Vec::new()));
        }
        let nodes = (known.at, known.to);
        self.set_state(link, State::Asleep);
        self.await_creation(nodes.0);
        self.await_creation(nodes.1);
    }

    /// `false` when nobody knows where it went.
    fn lost_one(
        &mut self,
        round: &mut Round<'_>,
        link: LinkId,
        leads: &mut Vec<Leading>,
        told: &mut Vec<Told>,
    ) -> bool {
        let Some(known) = self.links.get(&link) else { return true };
        let sought = self.seek(round, known);
        let node = known.to;
        match sought {
            Sought::At(place, ..) if place == known.link.to => {
                if matches!(round.look(&known.link), Looked::Sound(..)) {
                    // It came back just now, and may go again.
                    self.grace.heard(node, Heard::Filled, Instant::now());
                    return true;
                }
                // It is where it was: somebody changed the way to it, and meant that.
                self.is_lost(link, "the way to it leads elsewhere now", told);
                if let Some(known) = self.links.get_mut(&link) {
                    known.chosen = true;
                }
            }
            Sought::At(place, is, doubts) => self.found(link, place, *is, &doubts, leads, told),
            Sought::Deleted => {
                self.held.release(node);
                self.is_lost(link, "what it led to was deleted", told);
            }
            // It moved on while it was looked for.
            Sought::Unknown if self.held.lives(node) && self.may_try_again(link) => {
                self.grace.heard(node, Heard::Vacated, Instant::now());
            }
            Sought::Unknown => {
                self.held.release(node);
                return false;
            }
        }
        true
    }

    /// A link leads elsewhere by its way, and nothing is there yet. That is what it waits for from now on; what it
    /// led to is nothing that it would be led back to without a person.
    fn way_changed(
        &mut self,
        round: &mut Round<'_>,
        link: LinkId,
        to: AbsPath,
        told: &mut Vec<Told>,
    ) {
        self.is_lost(link, "the way to it leads elsewhere now", told);
        let Some(known) = self.links.get_mut(&link) else { return };
        known.was = None;
        let kept = Kept { to, ..known.link.clone() };
        self.renew(round, vec![Renewal { old: link, link: kept, was: None }]);
        let Some(known) = self.links.get_mut(&link) else { return };
        (known.state, known.chosen) = (State::Lost, true);
        let node = known.to;
        // What was held of the old one came along.
        self.held.release(node);
        self.await_creation(node);
    }

    pub(super) fn is_lost(&mut self, link: LinkId, words: &str, told: &mut Vec<Told>) {
        let Some(known) = self.links.get(&link) else { return };
        let node = known.to;
        self.withdraw(&[link]);
        self.propose(link, None);
        let Some(known) = self.links.get(&link) else { return };
        if known.state != State::Lost {
            let event = event("lost", &known.link, Some(known.link.to.as_bytes()), None, None);
            told.push((event, Some(words.into()), Vec::new()));
        }
        self.set_state(link, State::Lost);
        self.await_creation(node);
    }

    /// What a link led to is at another place now: by its policy it is led there, or a person is asked.
    pub(super) fn found(
        &mut self,
        link: LinkId,
        place: AbsPath,
        is: Likeness,
        doubts: &[Doubt],
        leads: &mut Vec<Leading>,
        told: &mut Vec<Told>,
    ) {
        let Some(known) = self.links.get(&link) else { return };
        if doubts.contains(&Doubt::Trash) {
            // Who threw it away meant that. It may be taken out again, to here or to anywhere.
            self.is_lost(link, "what it led to is in the trash", told);
            self.propose(link, Some(&place));
            return;
        }
        match known.link.policy {
            Policy::Follow if known.chosen => {
                let why = "it was led back to where nothing is any more";
                let words = "it is the same object".to_owned();
                self.ask(link, why, Some((place, words)), told);
            }
            Policy::Follow if doubts.is_empty() => leads.push(Leading { link, to: place, is }),
            Policy::Follow => {
                let words: Vec<String> = doubts.iter().map(|doubt| doubt.words()).collect();
                self.ask(
                    link,
                    "what it led to was found, and something speaks against it",
                    Some((place, words.join("; "))),
                    told,
                );
            }
            Policy::Ask => {
                let words = "it is the same object".to_owned();
                self.ask(link, "what it led to was moved", Some((place, words)), told);
            }
            Policy::Leave => {
                self.is_lost(link, "what it led to was moved, and it is to be left as it is", told);
            }
        }
    }

    fn put(&mut self, question: &Question) {
        self.questioned.insert(question.link);
        if let Err(trouble) = self.catalogue.ask(question) {
            self.trouble(format!("a question could not be recorded: {trouble}"));
        }
    }

    /// Takes back what is asked about links, whoever asked it: it has answered itself. A look at the links
    /// themselves would not tell, for what was asked before this watcher began is known from the catalogue only.
    pub(super) fn withdraw(&mut self, links: &[LinkId]) {
        let asked: Vec<LinkId> =
            links.iter().copied().filter(|link| self.questioned.remove(link)).collect();
        if asked.is_empty() {
            return;
        }
        if let Err(trouble) = self.catalogue.answered(&asked) {
            self.trouble(format!("the catalogue cannot be written: {trouble}"));
        }
    }

    /// Asks a person; the same question is asked once.
    pub(super) fn ask(
        &mut self,
        link: LinkId,
        why: &str,
        proposal: Option<(AbsPath, String)>,
        told: &mut Vec<Told>,
    ) {
        let Some(known) = self.links.get(&link) else { return };
        let proposals: Vec<Proposal> =
            proposal.map(|(place, words)| Proposal { place, words }).into_iter().collect();
        let question =
            Question { link, asked: clock().0, why: why.into(), proposals: proposals.clone() };
        let new = proposals.first().map(|proposal| proposal.place.as_bytes());
        let event = event("asked", &known.link, Some(known.link.to.as_bytes()), new, None);
        let (node, is_asked) = (known.to, known.state == State::Asked);
        let place = proposals.first().map(|proposal| proposal.place.clone());
        let before = self.propose(link, place.as_ref());
        if !is_asked || before != place {
            told.push((event, Some(why.into()), proposals));
        }
        self.put(&question);
        self.set_state(link, State::Asked);
        self.await_creation(node);
    }

    /// Something real stands where a link was; told of once.
    fn replaced(&mut self, link: LinkId, kind: EntryKind) -> Option<Told> {
        let known = self.links.get(&link).filter(|known| known.state != State::Replaced)?;
        let event = event("replaced", &known.link, Some(known.link.target.as_bytes()), None, None);
        let why = format!("a {} stands where the link was; nothing is overwritten", kind.word());
        let question = Question { link, asked: clock().0, why: why.clone(), proposals: Vec::new() };
        self.put(&question);
        self.set_state(link, State::Replaced);
        Some((event, Some(why), Vec::new()))
    }

    /// Something came to where a link stands: if that is no link, it is told at once, unless the link itself only
    /// moved away.
    pub(super) fn look_for_replacement(&mut self, link: LinkId) {
        let Some(known) = self.links.get(&link) else { return };
        let place = known.link.place();
        if !self.volumes.gives_answer(&place) || self.has_moved(known) {
            return;
        }
        let found =
            self.system.status(rustix::fs::CWD, place.as_bytes(), crate::system::Links::Kept);
        if let Ok(found) = found
            && found.kind != EntryKind::Symlink
        {
            let told = self.replaced(link, found.kind);
            self.happened(told.into_iter().collect());
        }
    }

    /// Whether the very link has another name by now, and that is no spare one: a program that saves over a link
    /// may keep it under such a name, and the link was still saved over.
    fn has_moved(&self, known: &Tracked) -> bool {
        let place = known.link.place();
        let held = self.held.id(known.at).is_some_and(|held| known.link.id.is(held));
        let elsewhere = match self.held.whereabouts(known.at) {
            Whereabouts::At(now) if held => vec![now],
            Whereabouts::At(_) | Whereabouts::Deleted => Vec::new(),
            Whereabouts::Unknown => self.by_moves(known.at),
        };
        elsewhere.iter().any(|now| *now != place && !is_spare(&place, now))
    }

    /// Those that lead to a link which somebody led elsewhere, or pass it, are looked at after a grace: they may
    /// lead elsewhere with it.
    fn look_behind_led(&mut self, led: &[AbsPath]) {
        if led.is_empty() {
            return;
        }
        match self.catalogue.behind(led) {
            Ok(behind) => {
                let links = behind.iter().filter_map(|entry| self.links.get(&entry.id));
                for node in links.map(|known| known.at) {
                    if !self.grace.is_pending(node) {
                        self.grace.heard(node, Heard::Filled, Instant::now());
                    }
                }
            }
            Err(trouble) => self.trouble(format!("the catalogue cannot be read: {trouble}")),
        }
    }

    /// Others may lead through this link: they are looked at soon.
    pub(super) fn again_if_on_the_way(&mut self, link: LinkId) {
        let on_the_way = self.links.get(&link).is_some_and(|known| known.link.by == By::Way);
        if on_the_way && self.again.is_none() {
            self.again = Some(Instant::now() + SOON);
        }
    }
}
