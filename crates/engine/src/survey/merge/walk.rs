//! Looking at both folders, and the steps for each entry of the one.

use super::bent::{self, Tops};
use super::same::{self, At};
use super::{Manner, Wanted, hold, link, named, object};
use crate::descent::Descent;
use crate::execute::names;
use crate::look;
use crate::operator::Held;
use crate::survey::{Surveyor, conflict, refused};
use crate::system::Facts;
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::spelling::Style;
use linkwell_model::plan::{
    self, Bytes, EntrySeen, Fate, FolderSeen, FolderTime, Leave, Loss, Make, Object, Plan, Slot,
    Step, Why,
};
use linkwell_model::shown::quoted;
use linkwell_model::target::Target;
use rustix::fd::AsFd as _;
use rustix::io::Errno;
use std::collections::HashMap;

/// What was found, in numbers.
#[derive(Debug, Default)]
struct Found {
    same: usize,
    dressed_otherwise: usize,
    folders_otherwise: usize,
    more_names: usize,
    rewritten: usize,
}

/// A walk through two folders.
pub(super) struct Walk<'w> {
    surveyor: &'w mut Surveyor,
    plan: &'w mut Plan,
    wanted: &'w Wanted,
    manner: Manner,
    from: AbsPath,
    word: Vec<u8>,
    steps: Vec<Step>,
    /// New links, which are made last: what they lead to is there by then.
    links: Vec<Step>,
    found: Found,
}

/// One folder that both have.
struct Pair {
    here: Held,
    there: Held,
    /// The numbers of the two in the plan.
    slots: (u32, u32),
    /// All about the two.
    facts: (Facts, Facts),
    /// The names that what differs must not get.
    claimed: Vec<Name>,
    /// What stays here as it is.
    stays: Vec<EntrySeen>,
}

/// An entry that goes over.
struct Goes<'a> {
    name: &'a Name,
    new: Name,
    facts: &'a Facts,
}

impl<'w> Walk<'w> {
    pub(super) fn new(
        surveyor: &'w mut Surveyor,
        plan: &'w mut Plan,
        wanted: &'w Wanted,
        manner: Manner,
        from: AbsPath,
        word: Vec<u8>,
    ) -> Self {
        let (steps, links, found) = (Vec::new(), Vec::new(), Found::default());
        Self { surveyor, plan, wanted, manner, from, word, steps, links, found }
    }

    /// The steps, and what is to be said of them.
    pub(super) fn end(mut self) -> (Vec<Step>, Vec<String>) {
        self.steps.append(&mut self.links);
        let mut said = Vec::new();
        let mut say = |count: usize, one: &str, several: &str| match count {
            0 => {}
            1 => said.push(one.to_owned()),
            count => said.push(format!("{count} {several}")),
        };
        let found = &self.found;
        say(
            found.same,
            "one file is the same on both sides; the one there stays",
            "files are the same on both sides; those there stay",
        );
        say(
            found.dressed_otherwise,
            "one of these has other times, permissions or attributes there; those stay",
            "of these have other times, permissions or attributes there; those stay",
        );
        say(
            found.folders_otherwise,
            "one folder has other permissions, owners or attributes there; those stay",
            "folders have other permissions, owners or attributes there; those stay",
        );
        say(
            found.rewritten,
            "one relative link that leads out of it is written anew, to lead where it led",
            "relative links that lead out of it are written anew, to lead where they led",
        );
        if found.more_names > 0 {
            let names = match found.more_names {
                1 => "one file in it has other names as well, and becomes a file of its own there"
                    .into(),
                more => {
                    format!(
                        "{more} files in it have other names as well, and become files of their own there"
                    )
                }
            };
            // What is kept here has its names still.
            let undone = if self.wanted.free {
                "; they are not one file again, nor when it is undone"
            } else {
                ""
            };
            said.push(format!("{names}{undone}"));
        }
        (self.steps, said)
    }

    /// Walks through both.
    ///
    /// # Errors
    /// Why it cannot be done at all. What concerns one entry is a conflict in the plan.
    pub(super) fn all(&mut self, here: Held, there: Held) -> Result<(), Why> {
        let top = there.place.clone();
        let mut todo = vec![(here, there)];
        while let Some((here, there)) = todo.pop() {
            let pair = self.pair(here, there)?;
            self.pair_all(pair, &top, &mut todo)?;
        }
        if self.found.more_names > 0 && !self.wanted.moving.accept.contains(&Loss::HardLinks) {
            return Err(Why::Other {
                what: match self.found.more_names {
                    1 => "one file in it has other names as well, and would become a file of its own there"
                        .into(),
                    more => format!(
                        "{more} files in it have other names as well, and would become files of their own there"
                    ),
                },
                hint: Some("if that is what you want, add `--accept-loss hard-links`".into()),
            });
        }
        Ok(())
    }

    fn pair(&mut self, here: Held, there: Held) -> Result<Pair, Why> {
        let look = |error| refused("a folder in it cannot be looked at", error);
        let system = self.surveyor.system();
        let one = system.facts_of(here.folder.as_fd()).map_err(look)?;
        let other = system.facts_of(there.folder.as_fd()).map_err(look)?;
        let slots =
            (self.plan.folder(&here.place, one.id), self.plan.folder(&there.place, other.id));
        for (folder, facts) in [(slots.0, &one), (slots.1, &other)] {
            self.plan.times.push(FolderTime { folder, before: facts.modified, give: None });
        }
        Ok(Pair { here, there, slots, facts: (one, other), claimed: Vec::new(), stays: Vec::new() })
    }

    fn pair_all(
        &mut self,
        mut pair: Pair,
        top: &AbsPath,
        todo: &mut Vec<(Held, Held)>,
    ) -> Result<(), Why> {
        let mut all = self.surveyor.names(&pair.here)?;
        all.sort();
        // What differs must not get a name that something else has here.
        pair.claimed = all.clone();
        for name in &all {
            if let Err(why) = self.entry(&mut pair, name, top, todo) {
                let place = pair.here.place.joined(name.as_bytes());
                conflict(self.plan, place.as_bytes(), why);
            }
        }
        let (folder, entries) = (pair.slots.0, std::mem::take(&mut pair.stays));
        self.plan.seen.push(FolderSeen { folder, entries });
        Ok(())
    }

    fn entry(
        &mut self,
        pair: &mut Pair,
        name: &Name,
        top: &AbsPath,
        todo: &mut Vec<(Held, Held)>,
    ) -> Result<(), Why> {
        let system = self.surveyor.system();
        let look = |error| refused("it cannot be looked at", error);
        let facts = system.facts(pair.here.folder.as_fd(), name.as_bytes()).map_err(look)?;
        of_the_volume(&pair.facts.0, &facts)?;
        let object = match facts.kind {
            EntryKind::Symlink => object(self.surveyor, &pair.here, name)?,
            _ => look::plain(&facts),
        };
        let steps = self.steps.len();
        self.entry_that_is(pair, name, &facts, top, todo)?;
        if self.steps.len() == steps {
            // Another name that is given up changes this time of a file with several.
            let alone = facts.kind == EntryKind::File && facts.names == 1;
            let changed = alone.then_some(facts.changed);
            pair.stays.push(EntrySeen { name: name.clone(), object, changed });
        }
        Ok(())
    }

    fn entry_that_is(
        &mut self,
        pair: &mut Pair,
        name: &Name,
        facts: &Facts,
        top: &AbsPath,
        todo: &mut Vec<(Held, Held)>,
    ) -> Result<(), Why> {
        let system = self.surveyor.system();
        let look = |error| refused("it cannot be looked at", error);
        let there = match system.facts(pair.there.folder.as_fd(), name.as_bytes()) {
            Err(Errno::NOENT) => {
                return self.goes(pair, &Goes { name, new: name.clone(), facts }, top);
            }
            answer => answer.map_err(look)?,
        };
        let below = |held: &Held| held.place.joined(name.as_bytes());
        let (one, other) = (below(&pair.here), below(&pair.there));
        if facts.kind == EntryKind::Folder {
            of_the_volume(&pair.facts.1, &there)?;
            if there.kind != EntryKind::Folder {
                return Err(no_folder(&other, there.kind));
            }
            if same::opens(facts, &there, &self.wanted.moving.accept) {
                return Err(open_there(&one, &other));
            }
            let dress = |facts: &Facts| (facts.mode, facts.owner, facts.group);
            self.found.folders_otherwise += usize::from(dress(facts) != dress(&there));
            todo.push((hold(self.surveyor, one)?, hold(self.surveyor, other)?));
            return Ok(());
        }
        if self.is_same(pair, name, (facts, &there), top)? {
            return Ok(());
        }
        let new = named::beside(self.surveyor, &pair.there, name, &self.word, &pair.claimed)?;
        pair.claimed.push(new.clone());
        self.goes(pair, &Goes { name, new, facts }, top)
    }

    /// Whether both have the same under a name; then it is noted, and given up here if that is wanted.
    fn is_same(
        &mut self,
        pair: &Pair,
        name: &Name,
        (here, there): (&Facts, &Facts),
        top: &AbsPath,
    ) -> Result<bool, Why> {
        let system = self.surveyor.system();
        match (here.kind, there.kind) {
            (EntryKind::File, EntryKind::File) => {
                let one: At<'_> = (pair.here.folder.as_fd(), name, here);
                let other: At<'_> = (pair.there.folder.as_fd(), name, there);
                let same = same::files(system, one, other, &self.wanted.moving.accept)?;
                let Some(same) = same else { return Ok(false) };
                self.found.same += 1;
                self.found.dressed_otherwise += usize::from(!same.dressed);
                let slot = Slot { folder: pair.slots.1, name: name.clone() };
                let again = same.again(slot, there.id).filter(|_| same.one || here.names == 1);
                if let Some(again) = again.filter(|_| self.wanted.free) {
                    let place = pair.there.place.joined(name.as_bytes());
                    self.give_up(pair, name, &place, again)?;
                }
                Ok(true)
            }
            (EntryKind::Symlink, EntryKind::Symlink) => {
                let text = |held: &Held| {
                    let mut text = Vec::new();
                    let read = system.read_link(held.folder.as_fd(), name.as_bytes(), &mut text);
                    read.map(|()| text).map_err(|error| refused("it cannot be read", error))
                };
                let (ours, theirs) = (text(&pair.here)?, text(&pair.there)?);
                let ours = self.bent(pair, &ours, top).map_or(ours, |new| new.as_bytes().to_vec());
                self.found.same += usize::from(ours == theirs);
                Ok(ours == theirs)
            }
            _ => Ok(same::pipes(here, there)),
        }
    }

    fn bent(&mut self, pair: &Pair, text: &[u8], top: &AbsPath) -> Option<Target> {
        let tops = Tops { from: &self.from, to: top };
        let (here, there) = (&pair.here.place, &pair.there.place);
        bent::text(self.surveyor, tops, here, there, text, Style::Relative)
    }

    /// The steps for something that goes over, under a name that is free there.
    fn goes(&mut self, pair: &Pair, goes: &Goes<'_>, top: &AbsPath) -> Result<(), Why> {
        let at = Slot { folder: pair.slots.0, name: goes.name.clone() };
        let to = Slot { folder: pair.slots.1, name: goes.new.clone() };
        let old = object(self.surveyor, &pair.here, goes.name)?;
        if let Object::Link { target, attributes, .. } = old {
            let bent = self.bent(pair, target.as_bytes(), top);
            self.found.rewritten += usize::from(bent.is_some());
            let make = Make::Link { target: bent.unwrap_or(target), attributes: Some(attributes) };
            self.links.push(Step::Put { at: to, make });
            return Ok(());
        }
        let place = pair.there.place.joined(goes.new.as_bytes());
        let within = self.within(pair, goes, &place, top)?;
        if self.manner.by_name {
            self.steps.extend(within.replaced);
            let Make::Link { target, .. } = link(self.manner.style, &pair.here.place, &place)?
            else {
                return Ok(());
            };
            let leave = Some(Leave { target, attributes: None });
            self.steps.push(Step::Move { at, old, to, leave, over: None });
            return Ok(());
        }
        self.found.more_names += within.more_names;
        let folder = goes.facts.kind == EntryKind::Folder;
        let manner = plan::Manner {
            verify: self.wanted.moving.verify,
            accept: self.wanted.moving.accept.clone(),
            links: within.rewritten,
        };
        let id = goes.facts.id;
        let back = Some(Box::new(manner.reversed()));
        let make = Make::Copy { of: at, id, folder, manner: Some(Box::new(manner)) };
        self.steps.push(Step::Put { at: to.clone(), make });
        if self.wanted.free {
            let again = Make::Copy { of: to, id, folder, manner: back };
            self.give_up(pair, goes.name, &place, again)?;
        }
        Ok(())
    }

    /// Gives up what stands here, since it stands at `place` as well: a link takes its name.
    fn give_up(
        &mut self,
        pair: &Pair,
        name: &Name,
        place: &AbsPath,
        again: Make,
    ) -> Result<(), Why> {
        let old = object(self.surveyor, &pair.here, name)?;
        let at = Slot { folder: pair.slots.0, name: name.clone() };
        let make = link(self.manner.style, &pair.here.place, place)?;
        let fate = Fate::Dropped { again: Some(Box::new(again)) };
        self.steps.push(Step::Replace { at, old, make, fate });
        Ok(())
    }

    /// What is to be known of something that goes over whole.
    fn within(
        &mut self,
        pair: &Pair,
        goes: &Goes<'_>,
        place: &AbsPath,
        top: &AbsPath,
    ) -> Result<Within, Why> {
        let mut within = Within::default();
        if goes.facts.kind != EntryKind::Folder {
            let more = goes.facts.kind == EntryKind::File && goes.facts.names > 1;
            within.more_names = usize::from(more);
            return Ok(within);
        }
        let mut inner = Inner {
            walk: self,
            within: &mut within,
            here: pair.here.place.joined(goes.name.as_bytes()),
            there: place.clone(),
            below: Vec::new(),
            numbers: HashMap::new(),
            top,
        };
        inner.all(pair.here.folder.as_fd(), goes.name, goes.facts).map_err(|error| {
            if error == Errno::XDEV {
                elsewhere()
            } else {
                refused("what is in it cannot be looked at", error)
            }
        })?;
        let numbers = inner.numbers;
        within.more_names = numbers.values().filter(|(has, seen)| has > seen).count();
        within.rewritten.sort_by(|one, other| one.below.0.cmp(&other.below.0));
        self.found.rewritten += within.rewritten.len() + within.replaced.len();
        Ok(within)
    }
}

/// A folder here, something else there: whatever has the one name, the ways into the folder would end.
fn no_folder(place: &AbsPath, kind: EntryKind) -> Why {
    Why::Other {
        what: format!(
            "it is a folder, and `{}` is a {}: paths into the folder would lead nowhere",
            place.shown(),
            kind.word()
        ),
        hint: Some("rename one of the two first".into()),
    }
}

fn open_there(here: &AbsPath, there: &AbsPath) -> Why {
    let (one, other) = (quoted(here.as_bytes()), quoted(there.as_bytes()));
    Why::Other {
        what: format!(
            "the folder `{}` belongs to somebody else, or is open to more people than this one",
            there.shown()
        ),
        hint: Some(format!(
            "make them alike first (`chmod --reference={one} {other}`), or go on with \
             `--accept-loss owner,mode`"
        )),
    }
}

fn elsewhere() -> Why {
    Why::Other {
        what: "another volume is mounted there, which would not go with it".into(),
        hint: Some("unmount it first, or move the folders beside it one by one".into()),
    }
}

/// Refuses what belongs to another volume than its folder.
fn of_the_volume(folder: &Facts, entry: &Facts) -> Result<(), Why> {
    let device = entry.kind == EntryKind::Folder && folder.id.device != entry.id.device;
    if folder.mount != entry.mount || device { Err(elsewhere()) } else { Ok(()) }
}

/// What is to be known of something that goes over whole.
#[derive(Default)]
struct Within {
    /// The links in it that a copy has otherwise.
    rewritten: Vec<plan::Rewritten>,
    /// The same before it is moved by its name.
    replaced: Vec<Step>,
    /// How many files in it have names outside.
    more_names: usize,
}

/// A walk through something that goes over whole.
struct Inner<'i, 'w> {
    walk: &'i mut Walk<'w>,
    within: &'i mut Within,
    here: AbsPath,
    there: AbsPath,
    below: Vec<u8>,
    /// How many names each file has, and how many of them were seen.
    numbers: HashMap<(u64, u64), (u64, u64)>,
    top: &'i AbsPath,
}

impl Inner<'_, '_> {
    fn all(
        &mut self,
        above: rustix::fd::BorrowedFd<'_>,
        name: &Name,
        facts: &Facts,
    ) -> Result<(), Errno> {
        let system = self.walk.surveyor.system();
        let mut descent = Descent::begin(system, above, name, facts)?;
        let mut todo = vec![names(system, descent.here())?];
        while let Some(rest) = todo.last_mut() {
            let Some(name) = rest.pop() else {
                todo.pop();
                descent.up()?;
                self.here.pop();
                self.there.pop();
                self.below.truncate(memchr::memrchr(b'/', &self.below).unwrap_or(0));
                continue;
            };
            let facts = descent.look(&name)?;
            match facts.kind {
                EntryKind::Folder => {
                    descent.down(&name, &facts)?;
                    self.here.push(name.as_bytes());
                    self.there.push(name.as_bytes());
                    if !self.below.is_empty() {
                        self.below.push(b'/');
                    }
                    self.below.extend_from_slice(name.as_bytes());
                    todo.push(names(system, descent.here())?);
                }
                EntryKind::Symlink => self.link(&descent, &name, &facts)?,
                _ if facts.names > 1 => {
                    let key = (facts.id.device, facts.id.inode);
                    self.numbers.entry(key).or_insert((facts.names, 0)).1 += 1;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn link(&mut self, descent: &Descent, name: &Name, facts: &Facts) -> Result<(), Errno> {
        let system = self.walk.surveyor.system();
        let mut text = Vec::new();
        system.read_link(descent.here(), name.as_bytes(), &mut text)?;
        let tops = Tops { from: &self.walk.from, to: self.top };
        // What is moved by its name is right before and after only if it is written from `/`.
        let by_name = self.walk.manner.by_name;
        let style = if by_name { Style::Absolute } else { Style::Relative };
        let new = bent::text(self.walk.surveyor, tops, &self.here, &self.there, &text, style);
        let Some(now) = new else { return Ok(()) };
        if !by_name {
            let below = [&*self.below, name.as_bytes()].join(&b"/"[..]);
            let below = below.strip_prefix(b"/").unwrap_or(&below).into();
            let was = Target::new(text);
            self.within.rewritten.push(plan::Rewritten { below: Bytes(below), was, now });
            return Ok(());
        }
        let found = crate::look::link_in_full(system, descent.here(), name.as_bytes(), &text)?;
        let Some(Object::Link { target, id, attributes }) = found else { return Err(Errno::AGAIN) };
        debug_assert!(facts.id.file() == id.file());
        let above = descent.facts();
        let folder = self.walk.plan.folder(&self.here, above.id);
        let times = &mut self.walk.plan.times;
        if times.last().is_none_or(|last| last.folder != folder) {
            times.push(FolderTime { folder, before: above.modified, give: Some(above.modified) });
        }
        let at = Slot { folder, name: name.clone() };
        let make = Make::Link { target: now, attributes: Some(attributes.clone()) };
        let old = Object::Link { target, id, attributes };
        let fate = Fate::Dropped { again: None };
        self.within.replaced.push(Step::Replace { at, old, make, fate });
        Ok(())
    }
}
