//! Leading links to where their targets are now: one plan for all that is due, carried out like any other.

use super::find::is_object;
use super::grace::Heard;
use super::look::Round;
use super::nodes::LinkId;
use super::settle::{Leading, Told, event, is_unchanged, with_old_sums};
use super::watcher::{State, Watcher, clock};
use crate::catalogue::links::Seen;
use crate::disk::Unix;
use crate::execute::{self, Fail, Means};
use crate::journal::record::{Header, VERSION};
use crate::journal::{Lock, NoLock};
use crate::survey::lead::{self, Lead};
use crate::survey::{self, Surveyor};
use crate::transfer::Unwatched;
use hashbrown::{HashMap, HashSet};
use linkwell_model::entry::Identity;
use linkwell_model::keep::likeness::{Likeness, Sums};
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Bytes, Plan, Token, Why};
use rustix::io::Errno;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

/// When to try again while another linkwell changes something.
const BUSY: Duration = Duration::from_millis(100);

/// So often a link is tried that is changed by somebody each time.
const MOST_TRIES: u8 = 20;

/// When to try again while an operation waits for `linkwell recover`.
const HELD_UP: Duration = Duration::from_secs(5);

impl Watcher<'_> {
    pub(super) fn means<'a>(&self, stop: &'a AtomicBool) -> Means<'a> {
        Means { disk: &Unix, system: self.system, current: None, stop, watch: &Unwatched }
    }

    /// Leads links; whether any was led.
    pub(super) fn heal(&mut self, leads: Vec<Leading>) -> bool {
        let Some(lock) = self.right_to_change(&leads) else { return false };
        let Some(mut plan) = self.plan(&leads) else { return false };
        let by_place: HashMap<AbsPath, &Leading> = leads
            .iter()
            .filter_map(|lead| Some((self.links.get(&lead.link)?.link.place(), lead)))
            .collect();
        let of = |path: &[u8]| AbsPath::cleaned(path).and_then(|at| by_place.get(&at).copied());
        let mut told: Vec<Told> = Vec::new();
        for conflict in std::mem::take(&mut plan.conflicts) {
            let Some(lead) = of(&conflict.path) else { continue };
            // Most often something is in motion.
            self.once_more(lead, &words(&conflict.why), &mut told);
        }
        // Planning takes its time, and names move on meanwhile.
        let there = self.are_there(leads.iter());
        plan.items.retain(|item| {
            let lead = of(&item.path);
            lead.is_none_or(|lead| there.contains(&lead.link))
        });
        for lead in leads.iter().filter(|lead| !there.contains(&lead.link)) {
            self.once_more(lead, "what it led to moves on each time", &mut told);
        }
        if plan.items.is_empty() {
            self.happened(told);
            return false;
        }
        let stop = AtomicBool::new(false);
        let Ok(token) = crate::system::random().map(Token::new) else { return false };
        let header = |number| Header {
            linkwell: VERSION,
            operation: number,
            time: clock(),
            command: self
                .settings
                .command
                .iter()
                .map(|typed| Bytes(typed.as_slice().into()))
                .collect(),
            folder: None,
            user: rustix::process::geteuid().as_raw(),
            token,
            undoes: None,
        };
        let executed = execute::execute(&self.means(&stop), &self.store, &lock, header, &plan);
        drop(lock);
        let report = match executed {
            Ok(report) => report,
            Err(error) => {
                self.trouble(format!(
                    "what would be done could not be recorded, so nothing was done: {}",
                    survey::reason(error)
                ));
                self.later(&leads, HELD_UP);
                return false;
            }
        };
        let made: HashMap<usize, Identity> =
            report.made.iter().map(|(step, object)| (*step, object.id())).collect();
        let mut done = Vec::new();
        for (number, item) in plan.items.iter().enumerate() {
            let Some(lead) = of(&item.path) else { continue };
            if report.done.contains(&number) {
                // Each item is one step.
                done.push((lead, made.get(&number).copied().unwrap_or(Identity::TO_COME)));
            } else if let Some((_, why)) =
                report.failed.iter().find(|(failed, _)| *failed == number)
            {
                self.failed(lead, why, &mut told);
            } else {
                self.later(std::slice::from_ref(lead), HELD_UP);
            }
        }
        self.healed += u64::try_from(done.len()).unwrap_or(0);
        let any = !done.is_empty();
        self.record(&done, report.number, &mut told);
        self.happened(told);
        any
    }

    /// Those whose object is where they are to lead, by names from `/` at this moment.
    fn are_there<'l>(&self, leads: impl Iterator<Item = &'l Leading>) -> HashSet<LinkId> {
        let volumes = Arc::clone(&self.volumes);
        let mut round = Round::new(self.system, &volumes);
        let is_there = |lead: &&Leading| {
            let found = round.which(&lead.to);
            found.is_ok_and(|(id, kind)| lead.is.kind == kind && is_object(&lead.is, id))
        };
        leads.filter(is_there).map(|lead| lead.link).collect()
    }

    /// The right to change something, unless somebody else has it or an earlier operation is unfinished.
    fn right_to_change(&mut self, leads: &[Leading]) -> Option<Lock> {
        let lock = match self.store.lock(&Unix) {
            Ok(lock) => lock,
            Err(NoLock::Held(_)) => {
                self.later(leads, BUSY);
                return None;
            }
            Err(NoLock::System(error)) => {
                self.trouble(format!("the lock cannot be had: {}", survey::reason(error)));
                self.later(leads, HELD_UP);
                return None;
            }
        };
        let mut unfinished = self.store.unfinished().unwrap_or_default();
        unfinished
            .retain(|number| self.store.read(*number).map_or(true, |found| found.ended.is_none()));
        let first = unfinished.first().copied();
        if let Some(first) = first {
            if self.held_up != Some(first) {
                self.trouble(format!(
                    "operation {first} was begun and is not finished; nothing is healed until `linkwell \
                     recover` has finished it or taken it back"
                ));
            }
            self.later(leads, HELD_UP);
        }
        self.held_up = first;
        if first.is_some() {
            return None;
        }
        Some(lock)
    }

    /// They are looked at again after a while.
    fn later(&mut self, leads: &[Leading], after: Duration) {
        for lead in leads {
            let Some(known) = self.links.get_mut(&lead.link) else { continue };
            known.state = State::New;
            self.grace.at(known.to, Heard::Vacated, Instant::now() + after);
        }
    }

    fn plan(&mut self, leads: &[Leading]) -> Option<Plan> {
        let volumes = Arc::clone(&self.volumes);
        let home = self.settings.volumes.home.clone();
        let surveyor = Surveyor::new(self.system, volumes, &AbsPath::root(), home);
        let mut surveyor = match surveyor {
            Ok(surveyor) => surveyor,
            Err(error) => {
                self.trouble(format!("the current folder is gone: {}", survey::reason(error)));
                return None;
            }
        };
        let wanted: Vec<Lead> = leads
            .iter()
            .filter_map(|lead| {
                let link = self.links.get(&lead.link)?.link.clone();
                Some(Lead { link, to: lead.to.clone(), object: None })
            })
            .collect();
        Some(lead::plan(&mut surveyor, &wanted))
    }

    /// A link cannot be led there: it would loop, its text would be too long, it is somebody else's.
    fn refused(&mut self, lead: &Leading, words: &str, told: &mut Vec<Told>) {
        let why = format!("it was not led to where its target is now: {words}");
        self.ask(lead.link, &why, Some((lead.to.clone(), "it is the same object".into())), told);
    }

    fn failed(&mut self, lead: &Leading, why: &Fail, told: &mut Vec<Told>) {
        match why {
            // Of that there will be more again, and no person can do anything about it.
            why if is_short(why) => self.later(std::slice::from_ref(lead), HELD_UP),
            Fail::System { doing, error, .. } => {
                self.refused(lead, &format!("could not {doing}: {}", survey::reason(*error)), told);
            }
            // Somebody was faster. What stands there now is looked at like everything else.
            _ => self.once_more(lead, "something else changed it each time", told),
        }
    }

    /// Whether a link that is in motion is tried once more: not for ever.
    pub(super) fn may_try_again(&mut self, link: LinkId) -> bool {
        let Some(known) = self.links.get_mut(&link) else { return false };
        known.tries = if known.tries < MOST_TRIES { known.tries + 1 } else { 0 };
        known.tries > 0
    }

    /// Something is in motion: it is looked at again after another grace.
    fn once_more(&mut self, lead: &Leading, words: &str, told: &mut Vec<Told>) {
        if !self.may_try_again(lead.link) {
            return self.refused(lead, words, told);
        }
        let Some(known) = self.links.get_mut(&lead.link) else { return };
        known.state = State::New;
        let (at, to) = (known.at, known.to);
        self.grace.heard(at, Heard::Vacated, Instant::now());
        self.grace.heard(to, Heard::Vacated, Instant::now());
    }

    /// Records links that were led elsewhere.
    fn record(&mut self, done: &[(&Leading, Identity)], operation: u64, told: &mut Vec<Told>) {
        let mut links: Vec<LinkId> = Vec::with_capacity(done.len());
        let mut seen: Vec<Seen> = Vec::with_capacity(done.len());
        let volumes = Arc::clone(&self.volumes);
        let mut round = Round::new(self.system, &volumes);
        // A link that was led here is another object now, also for those that were led to it here.
        let own: HashMap<AbsPath, Identity> = done
            .iter()
            .filter_map(|(lead, made)| Some((self.links.get(&lead.link)?.link.place(), *made)))
            .collect();
        for (lead, made) in done {
            let Some(known) = self.links.get(&lead.link) else { continue };
            let mut link = known.link.clone();
            let old = std::mem::replace(&mut link.target, lead::text(&known.link, &lead.to));
            link.to = lead.to.clone();
            link.id = *made;
            let event = event(
                "healed",
                &link,
                Some(old.as_bytes()),
                Some(link.target.as_bytes()),
                Some(operation),
            );
            told.push((event, None, Vec::new()));
            let mut target = with_old_sums(lead.is.clone(), known.was.as_ref());
            if let Some(id) = own.get(&lead.to) {
                become_other(&mut target, *id);
            }
            let target = Some(target);
            links.push(lead.link);
            seen.push(round.seen(link, target));
        }
        if let Err(trouble) = self.catalogue.record(&seen, clock().0) {
            self.trouble(format!("what was healed could not be recorded: {trouble}"));
        }
        self.withdraw(&links);
        let mut behind = Vec::new();
        for (link, seen) in links.into_iter().zip(seen) {
            let id = seen.link.id;
            let before = self.links.get(&link).map(|known| known.link.target.clone());
            let link = self.take_over(link, seen);
            if let Some(known) = self.links.get_mut(&link) {
                known.healed_from = before;
            }
            behind.extend(self.is_other(link, id));
            self.again_if_on_the_way(link);
        }
        self.record_those_behind(&mut round, &behind);
        // From here on it is heard of. What has moved on before is looked for once more.
        let there = self.are_there(done.iter().map(|(lead, _)| *lead));
        let is_away = |lead: &Leading| !there.contains(&lead.link) && !own.contains_key(&lead.to);
        for (lead, _) in done.iter().filter(|(lead, _)| is_away(lead)) {
            let Some(known) = self.links.get_mut(&lead.link) else { continue };
            known.state = State::Misled;
            self.grace.heard(known.to, Heard::Vacated, Instant::now());
        }
    }

    /// A link that was healed is another object now, and those that lead to it know it so: which they are.
    fn is_other(&mut self, link: LinkId, id: Identity) -> Vec<LinkId> {
        let Some(known) = self.links.get(&link) else { return Vec::new() };
        let others: Vec<LinkId> =
            self.nodes.links(known.at).filter(|other| *other != link).collect();
        for other in &others {
            if let Some(was) = self.links.get_mut(other).and_then(|known| known.was.as_mut()) {
                become_other(was, id);
            }
        }
        others
    }

    /// Puts links on record that lead to one which was healed.
    fn record_those_behind(&mut self, round: &mut Round<'_>, links: &[LinkId]) {
        let mut seen = Vec::new();
        for known in links.iter().filter_map(|link| self.links.get(link)) {
            let Some(was) = known.was.clone() else { continue };
            let found = round.at(&known.link.to, true).map(|(is, _)| is);
            let target = found.ok().filter(|is| is_unchanged(Some(&was), is)).unwrap_or(was);
            seen.push(round.seen(known.link.clone(), Some(target)));
        }
        if !seen.is_empty()
            && let Err(trouble) = self.catalogue.record(&seen, clock().0)
        {
            self.trouble(format!("what was healed could not be recorded: {trouble}"));
        }
    }
}

/// It stands where it was, and is another object.
fn become_other(was: &mut Likeness, id: Identity) {
    (was.device, was.inode, was.born) = (id.device, id.inode, id.born);
    (was.handle, was.connectable, was.sums) = (None, None, Sums::default());
}

/// Whether there were too few descriptors, or too little memory.
fn is_short(why: &Fail) -> bool {
    let error = match why {
        Fail::System { error, .. } => Some(*error),
        Fail::Folder { error, .. } => *error,
        _ => None,
    };
    matches!(error, Some(Errno::MFILE | Errno::NFILE | Errno::NOMEM))
}

fn words(why: &Why) -> String {
    match why {
        Why::Other { what, .. } => what.clone(),
        Why::System { doing, reason } => format!("{doing}: {reason}"),
        Why::Name(what) => (*what).into(),
        Why::NoFolder(_) | Why::Nothing(_) | Why::NotLink(_) => "it is not there any more".into(),
        _ => "it would not lead there: back to itself, or through too many others".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_too_little_of_is_waited_for_and_nothing_else() {
        let place = AbsPath::root();
        let system = |error| Fail::System { doing: "open it", place: AbsPath::root(), error };
        for error in [Errno::MFILE, Errno::NFILE, Errno::NOMEM] {
            assert!(is_short(&system(error)));
            assert!(is_short(&Fail::Folder { place: place.clone(), error: Some(error) }));
        }
        for error in [Errno::NOSPC, Errno::ACCESS, Errno::IO] {
            assert!(!is_short(&system(error)));
            assert!(!is_short(&Fail::Folder { place: place.clone(), error: Some(error) }));
        }
        assert!(!is_short(&Fail::Folder { place: place.clone(), error: None }));
        assert!(!is_short(&Fail::Changed(place)));
    }
}
