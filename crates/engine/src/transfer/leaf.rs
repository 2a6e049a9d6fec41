//! One entry that is no folder: looked at, copied, dressed, looked at again, recorded.

use super::contents::{Filled, Tools};
use super::dress::{Made, Origin};
use super::entry::{Copied, Entry};
use super::first::First;
use super::record::Block;
use super::shared::{Claim, Place};
use super::walk::{Job, Late, Level};
use super::{At, Side, Slip};
use crate::disk::Special;
use crate::look;
use crate::system::{Access, Facts};
use linkwell_calls::lease;
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::plan::Loss;
use linkwell_model::target::Target;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::sync::Arc;

/// How often something is copied again that changes while it is read.
const TRIES: usize = 3;

/// What one thread works with.
#[derive(Debug, Default)]
pub(super) struct Hand {
    pub(super) tools: Tools,
    pub(super) block: Block,
}

/// A folder whose entries are copied, open on both sides.
#[derive(Clone, Copy)]
pub(super) struct Inside<'t> {
    pub(super) level: &'t Arc<Level>,
    pub(super) from: BorrowedFd<'t>,
    pub(super) to: BorrowedFd<'t>,
    /// The name of the copy, where it is another than the original's.
    pub(super) renamed: Option<&'t Name>,
}

impl<'t> Inside<'t> {
    /// Where the copy of `name` stands.
    fn copy(self, name: &'t Name) -> At<'t> {
        (self.to, self.renamed.unwrap_or(name))
    }
}

/// A file to be read.
struct Opened {
    file: OwnedFd,
    leased: bool,
    facts: Facts,
}

/// What was made of an original.
struct Done {
    facts: Facts,
    sum: Option<[u8; 32]>,
    carries: bool,
    copy: Option<Copied>,
    bytes: u64,
}

/// What is there no more, or is of another kind now.
fn gone(error: Errno) -> Slip {
    match error {
        Errno::NOENT => Slip::Vanished,
        Errno::LOOP | Errno::NXIO | Errno::NOTDIR | Errno::INVAL => Slip::Changed,
        // Somebody else holds a lease on it for writing.
        Errno::AGAIN => Slip::InUse,
        error => Slip::System("open it", Side::Original, error),
    }
}

impl Job<'_> {
    /// Copies one entry that is no folder.
    ///
    /// `file`: the listing said that it is a file, which is opened at once then.
    pub(super) fn leaf(
        &self,
        hand: &mut Hand,
        at: Inside<'_>,
        name: &Name,
        file: bool,
    ) -> Result<(), Slip> {
        self.heed()?;
        self.watch.at(&|| at.level.below(self), name);
        if self.keeps(hand, at, name)? {
            return Ok(());
        }
        let mut tries = 1;
        let done = loop {
            match self.once(hand, at, name, file && tries == 1) {
                Err(Slip::Changed) if tries < TRIES => {
                    tries += 1;
                    super::clear(self.disk, self.system, at.copy(name))
                        .map_err(Slip::copy("begin anew"))?;
                }
                done => break done?,
            }
        };
        let Done { facts, sum, carries, copy, bytes } = done;
        let entry = Entry { name: name.clone(), facts, sum, carries, copy };
        hand.block.add(at.level.number, &entry);
        hand.tools.tally.entries += 1;
        hand.tools.tally.bytes += bytes;
        Ok(())
    }

    /// Whether an earlier run copied it, and both are as they were then. What is not is removed.
    fn keeps(&self, hand: &mut Hand, at: Inside<'_>, name: &Name) -> Result<bool, Slip> {
        let Some(old) = at.level.known(name) else {
            // It may have been a folder then.
            self.drop_folder_of(at.level, at.copy(name))?;
            return Ok(false);
        };
        let now = self.system.facts(at.from, name.as_bytes()).map_err(gone)?;
        let copy = match self.system.facts(at.to, at.copy(name).1.as_bytes()) {
            Ok(copy) => Some(copy),
            Err(Errno::NOENT) => None,
            Err(error) => return Err(Slip::copy("look at it")(error)),
        };
        let same = match (&old.copy, &copy) {
            (Some(then), Some(copy)) => {
                then.is(copy) && (now.kind != EntryKind::File || copy.size == now.size)
            }
            (None, None) => true,
            _ => false,
        };
        let key = (now.id.device, now.id.inode);
        if same && old.is_still(&now, true) {
            if let Some(copy) = old.copy.filter(|_| now.names > 1) {
                let (sum, carries) = (old.sum, old.carries);
                let folder = Arc::clone(&at.level.folder);
                self.firsts.know(key, || First { folder, name: name.clone(), copy, sum, carries });
            }
            if now.kind == EntryKind::Symlink {
                self.rewritten(hand, at, name)?;
            }
            at.level.forget(name);
            self.late_again(at, name, &now)?;
            self.shared_again(hand, at, name, &old);
            hand.tools.tally.entries += 1;
            self.kept.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            return Ok(true);
        }
        self.firsts.forget(key, name, &at.level.folder);
        if copy.is_some() {
            super::clear(self.disk, self.system, at.copy(name))
                .map_err(Slip::copy("begin anew"))?;
        }
        self.forget(at.level, name)?;
        Ok(false)
    }

    fn once(&self, hand: &mut Hand, at: Inside<'_>, name: &Name, file: bool) -> Result<Done, Slip> {
        if file {
            let file = self.open(at.from, name)?;
            return self.one(hand, at, name, &{ file.facts }, Some(file));
        }
        let look = || self.system.facts(at.from, name.as_bytes()).map_err(gone);
        let facts = self.settled(look, |facts| facts)?;
        self.one(hand, at, name, &facts, None)
    }

    fn one(
        &self,
        hand: &mut Hand,
        at: Inside<'_>,
        name: &Name,
        facts: &Facts,
        open: Option<Opened>,
    ) -> Result<Done, Slip> {
        if at.level.is_elsewhere(facts) {
            return Err(Slip::Mounted);
        }
        if facts.kind == EntryKind::Folder {
            return Err(Slip::Changed);
        }
        if facts.names < 2 {
            return self.single(hand, at, name, facts, open);
        }
        let claim = match self.firsts.claim((facts.id.device, facts.id.inode)) {
            Ok(first) => match self.another(at, name, facts, &first)? {
                Some(done) => return Ok(done),
                None => {
                    self.lose(at.level, name, Loss::HardLinks);
                    return self.single(hand, at, name, facts, open);
                }
            },
            Err(claim) => claim,
        };
        let done = self.single(hand, at, name, facts, open)?;
        if let Some(copy) = done.copy {
            claim.settle(First {
                folder: Arc::clone(&at.level.folder),
                name: name.clone(),
                copy,
                sum: done.sum,
                carries: done.carries,
            });
        }
        Ok(done)
    }

    /// Gives the copy of a file's first name another name; `None` where there cannot be one.
    fn another(
        &self,
        at: Inside<'_>,
        name: &Name,
        facts: &Facts,
        first: &First,
    ) -> Result<Option<Done>, Slip> {
        let system = self.system;
        let folder = first.folder.open(system, Access::Hold);
        let folder = folder.map_err(Slip::copy("find its first name"))?;
        let held = system.hold(folder.as_fd(), first.name.as_bytes());
        let held = held.map_err(Slip::copy("find its first name"))?;
        let copy = system.facts_of(held.as_fd()).map_err(Slip::copy("look at it"))?;
        if copy.id.inode != first.copy.inode {
            return Err(Slip::System("find its first name", Side::Copy, Errno::AGAIN));
        }
        let made =
            self.disk.make_name(held.as_fd(), folder.as_fd(), &first.name, at.to, at.copy(name).1);
        match made {
            Ok(()) => {}
            Err(Errno::PERM | Errno::NOTSUP | Errno::MLINK | Errno::NOSYS) => return Ok(None),
            Err(error) => return Err(Slip::copy("give it another name")(error)),
        }
        Ok(Some(Done {
            facts: *facts,
            sum: first.sum,
            carries: first.carries,
            copy: Some(first.copy),
            bytes: 0,
        }))
    }

    fn single(
        &self,
        hand: &mut Hand,
        at: Inside<'_>,
        name: &Name,
        facts: &Facts,
        open: Option<Opened>,
    ) -> Result<Done, Slip> {
        match facts.kind {
            EntryKind::File => {
                let open = match open {
                    Some(open) => open,
                    None => self.open(at.from, name)?,
                };
                if !open.facts.id.is(facts.id) {
                    return Err(Slip::Changed);
                }
                self.file(hand, at, name, &open)
            }
            EntryKind::Symlink => self.link(hand, at, name, facts),
            EntryKind::Fifo => self.special(hand, at, name, facts, Special::Pipe),
            EntryKind::Socket => self.special(hand, at, name, facts, Special::Socket),
            EntryKind::Device => match facts.device {
                Some((number, false)) => {
                    self.special(hand, at, name, facts, Special::Character(number))
                }
                Some((number, true)) => self.special(hand, at, name, facts, Special::Block(number)),
                None => Err(Slip::original("copy it")(Errno::NOTSUP)),
            },
            EntryKind::Folder => Err(Slip::Changed),
        }
    }

    fn file(
        &self,
        hand: &mut Hand,
        at: Inside<'_>,
        name: &Name,
        open: &Opened,
    ) -> Result<Done, Slip> {
        let (system, disk) = (self.system, self.disk);
        let Opened { file, leased, facts } = open;
        let mode = if at.level.is_private() { facts.mode & 0o777 } else { 0o600 };
        let copy =
            disk.make_file_as(at.to, at.copy(name).1, mode).map_err(Slip::copy("make it"))?;
        let here = (copy.as_fd(), at.copy(name));
        let Filled { sum, bytes, holes, lost, sharing } =
            self.fill(&mut hand.tools, file.as_fd(), here, facts)?;
        let (owner, group) = at.level.made_as;
        let mode = mode & !self.mask();
        let made = Made { owner, group, mode, inherits: at.level.inherits };
        let lose = |kind| self.lose(at.level, name, kind);
        let origin = Origin::Open(file.as_fd());
        let dressed = self.dress(&mut hand.tools, origin, copy.as_fd(), facts, made, &lose)?;
        if !(*leased && self.kept_on_record) || bytes > LONG {
            let after = system.facts_of(file.as_fd()).map_err(Slip::original("look at it"))?;
            let state = |facts: &Facts| (facts.size, facts.modified, facts.changed);
            if state(&after) != state(facts) {
                return Err(Slip::Changed);
            }
        }
        if dressed.facts.size != facts.size && !self.made_up {
            return Err(Slip::Changed);
        }
        if let Some(kind) = lost {
            lose(kind);
        }
        if holes && dressed.facts.stored >= facts.size && facts.stored + SPARE < facts.size {
            lose(Loss::Holes);
        }
        if let Some(attributes) = dressed.late {
            if at.level.is_private() {
                let folder = Arc::clone(&at.level.folder);
                self.later(Late { folder, name: Some(name.clone()), attributes });
            } else {
                // It could not be given its name any more.
                lose(Loss::Flags);
            }
        }
        self.settle(&at.level.folder, Some(at.copy(name).1));
        let copy = Copied::of(&dressed.facts);
        if let Some(sharing) = sharing {
            if sharing.lost {
                lose(Loss::Sharing);
            }
            self.may_be_shared(sharing.claim, at, name, copy);
        }
        Ok(Done { facts: *facts, sum, carries: dressed.carries, copy: Some(copy), bytes })
    }

    /// Others may share from a copy.
    fn may_be_shared(&self, claim: Claim<'_>, at: Inside<'_>, name: &Name, copy: Copied) {
        claim.settle(|| Place {
            folder: Arc::clone(&at.level.folder),
            name: at.copy(name).1.clone(),
            copy,
        });
    }

    /// Others may share from what an earlier run copied, too.
    fn shared_again(&self, hand: &mut Hand, at: Inside<'_>, name: &Name, old: &Entry) {
        let is_asked = self.resumed && self.shared.is_asked() && old.facts.kind == EntryKind::File;
        if let Some(copy) = old.copy.filter(|_| is_asked && old.facts.size > 0)
            && let Ok(file) = self.open_to_read(at.from, name)
        {
            let size = old.facts.size;
            let found = self.shared.extents(file.as_fd(), size, &mut hand.tools.extents);
            if let Some(claim) = self.shared.claim(&found, &|| self.watch.stops()) {
                self.may_be_shared(claim, at, name, copy);
            }
        }
    }

    /// Opens a file to be read, and looks at it; nobody opens it for writing meanwhile, where that was
    /// ordered and the system can see to it.
    fn open(&self, at: BorrowedFd<'_>, name: &Name) -> Result<Opened, Slip> {
        self.settled(|| self.open_now(at, name), |open| &open.facts)
    }

    fn open_now(&self, at: BorrowedFd<'_>, name: &Name) -> Result<Opened, Slip> {
        let file = self.open_to_read(at, name)?;
        let leased = self.alone
            && match lease::take_read(&file) {
                Ok(()) => true,
                Err(Errno::AGAIN) => return Err(Slip::InUse),
                // No leases there, or none for this user.
                Err(_) => false,
            };
        let facts = self.system.facts_of(file.as_fd()).map_err(Slip::original("look at it"))?;
        if facts.kind != EntryKind::File {
            return Err(Slip::Changed);
        }
        Ok(Opened { file, leased, facts })
    }

    /// Reading leaves no trace where that is allowed.
    fn open_to_read(&self, at: BorrowedFd<'_>, name: &Name) -> Result<OwnedFd, Slip> {
        if self.quietly
            && let Ok(file) = self.system.open_quietly(at, name.as_bytes())
        {
            return Ok(file);
        }
        let file = self.system.open(at, name.as_bytes(), Access::Read).map_err(gone)?;
        look::without_trace(file.as_fd());
        Ok(file)
    }

    /// The text that a link gets, which is read from the original.
    fn rewritten(&self, hand: &mut Hand, at: Inside<'_>, name: &Name) -> Result<Target, Slip> {
        let text = &mut hand.tools.text;
        self.system.read_link(at.from, name.as_bytes(), text).map_err(gone)?;
        if self.links.is_empty() {
            return Ok(Target::new(text.as_slice()));
        }
        let below = at.level.path(self, name);
        let found = self.links.binary_search_by(|link| (*link.below.0).cmp(&below));
        let Some((number, link)) =
            found.ok().and_then(|number| self.links.get(number).map(|link| (number, link)))
        else {
            return Ok(Target::new(text.as_slice()));
        };
        if link.was.as_bytes() != text.as_slice() {
            return Err(Slip::Unexpected);
        }
        self.used(number);
        Ok(link.now.clone())
    }

    fn link(
        &self,
        hand: &mut Hand,
        at: Inside<'_>,
        name: &Name,
        facts: &Facts,
    ) -> Result<Done, Slip> {
        let target = self.rewritten(hand, at, name)?;
        match self.disk.make_link(at.to, at.copy(name).1, &target) {
            Ok(()) => {}
            Err(Errno::PERM | Errno::NOTSUP | Errno::NOSYS) => {
                self.lose(at.level, name, Loss::Links);
                return Ok(left_out(facts));
            }
            Err(error) => return Err(Slip::copy("make it")(error)),
        }
        self.held(hand, at, name, facts, 0o777)
    }

    fn special(
        &self,
        hand: &mut Hand,
        at: Inside<'_>,
        name: &Name,
        facts: &Facts,
        special: Special,
    ) -> Result<Done, Slip> {
        let mode = if at.level.is_private() { facts.mode & 0o777 } else { 0o600 };
        match self.disk.make_special(at.to, at.copy(name).1, special, mode) {
            Ok(()) => {}
            Err(Errno::PERM | Errno::NOTSUP | Errno::NOSYS | Errno::INVAL) => {
                self.lose(at.level, name, Loss::Special);
                return Ok(left_out(facts));
            }
            Err(error) => return Err(Slip::copy("make it")(error)),
        }
        self.held(hand, at, name, facts, mode & !self.mask())
    }

    /// Dresses the copy of what cannot be opened, and looks at the original again.
    fn held(
        &self,
        hand: &mut Hand,
        at: Inside<'_>,
        name: &Name,
        facts: &Facts,
        mode: u32,
    ) -> Result<Done, Slip> {
        let system = self.system;
        let held =
            system.hold(at.to, at.copy(name).1.as_bytes()).map_err(Slip::copy("look at it"))?;
        let (owner, group) = at.level.made_as;
        let made = Made { owner, group, mode, inherits: false };
        let lose = |kind| self.lose(at.level, name, kind);
        let origin: At<'_> = (at.from, name);
        let dressed =
            self.dress(&mut hand.tools, Origin::Named(origin), held.as_fd(), facts, made, &lose)?;
        if dressed.facts.kind != facts.kind || dressed.facts.names != 1 {
            return Err(Slip::System("make it", Side::Copy, Errno::AGAIN));
        }
        let after = system.facts(at.from, name.as_bytes()).map_err(gone)?;
        if !after.id.is(facts.id) || after.changed != facts.changed {
            return Err(Slip::Changed);
        }
        let copy = Some(Copied::of(&dressed.facts));
        Ok(Done { facts: *facts, sum: None, carries: dressed.carries, copy, bytes: 0 })
    }
}

/// A lease on what takes longer than this to read may have been broken meanwhile (45 seconds: fcntl(2)).
const LONG: u64 = 1 << 26;

/// So much less room than its length shows that a file has holes.
const SPARE: u64 = 64 * 1024;

fn left_out(facts: &Facts) -> Done {
    Done { facts: *facts, sum: None, carries: false, copy: None, bytes: 0 }
}
