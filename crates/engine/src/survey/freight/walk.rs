//! The walk.

use super::hard::Groups;
use super::names::Clashes;
use super::sharing::Met;
use super::{Freight, Wanted, carried};
use crate::descent::Descent;
use crate::operator::Spot;
use crate::survey::Surveyor;
use crate::survey::giving::Giving;
use crate::system::{Access, EndMark, Facts, System};
use linkwell_model::entry::EntryKind;
use linkwell_model::holding::{Answer, Carried, Entry};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::fs::{Access as May, AtFlags, SeekFrom};
use rustix::io::Errno;
use std::mem::MaybeUninit;

/// What can be known of what stands at `spot` without looking into it: where volumes are mounted in it.
pub fn unseen(surveyor: &Surveyor, spot: &Spot) -> Freight {
    let mut freight = Freight::default();
    for mount in surveyor.volumes().mounts().below(&spot.place()) {
        if !freight.mounted.contains(&mount.point) {
            freight.mounted.push(mount.point.clone());
        }
    }
    freight
}

/// Looks at all that stands at `spot`, whose facts are `facts`.
pub fn look(surveyor: &mut Surveyor, spot: &Spot, facts: &Facts, wanted: &Wanted) -> Freight {
    let asks = wanted.to.as_ref().is_some_and(|to| to.asks_for_attributes(&wanted.from));
    let me = rustix::process::geteuid();
    let mut walk = Walk {
        system: surveyor.system(),
        surveyor,
        wanted,
        freight: Freight::default(),
        top: spot.place(),
        here: spot.held.place.clone(),
        depth: 0,
        groups: Groups::new(facts.id.device),
        clashes: Clashes::new(wanted.to.as_ref().and_then(|to| to.names.fold.map(|_| to.names))),
        pending: Vec::new(),
        named: 0,
        me: me.as_raw(),
        root: me.is_root(),
        giving: Giving::of_this_process(),
        asks,
        met: wanted.sharing.then(Met::default),
        end: EndMark::EmptyRead,
        text: Vec::new(),
    };
    if facts.kind == EntryKind::Folder {
        walk.all(spot, facts);
    } else {
        walk.leaf(spot.at(), spot.name.as_bytes(), facts);
    }
    let Walk { groups, mut freight, .. } = walk;
    // What the walk did not meet: below a folder that it could not enter, or where the system does not
    // tell one mount from another.
    for mount in surveyor.volumes().mounts().below(&spot.place()) {
        if !freight.mounted.contains(&mount.point) {
            freight.mounted.push(mount.point.clone());
        }
    }
    freight.grouped = groups.count();
    freight.split = groups.split();
    freight
}

pub(super) struct Walk<'w> {
    pub(super) system: System,
    pub(super) surveyor: &'w mut Surveyor,
    pub(super) wanted: &'w Wanted,
    pub(super) freight: Freight,
    pub(super) top: AbsPath,
    /// The folder at hand.
    pub(super) here: AbsPath,
    /// How many levels below the top it lies.
    pub(super) depth: usize,
    groups: Groups,
    clashes: Clashes,
    /// The names of folders that are still to be entered, each with a NUL behind it.
    pending: Vec<u8>,
    /// What the names in the folder at hand take.
    named: u64,
    me: u32,
    root: bool,
    giving: Giving,
    asks: bool,
    /// What of the volume has been met, where it is asked what is shared.
    met: Option<Met>,
    /// How listings end: asked once, since the walk stays on one volume.
    end: EndMark,
    /// The text of the link at hand.
    pub(super) text: Vec<u8>,
}

impl Walk<'_> {
    fn all(&mut self, spot: &Spot, facts: &Facts) {
        let mut buffer = vec![MaybeUninit::uninit(); 64 * 1024];
        self.here = self.top.clone();
        self.folder(spot.at(), spot.name.as_bytes(), facts, None);
        let mut descent = match Descent::begin(self.system, spot.at(), &spot.name, facts) {
            Ok(descent) => descent,
            Err(error) => return self.not_entered(error),
        };
        self.end = self.system.end_mark(descent.here());
        // Where the names that are to be entered from each level begin.
        let mut begins = vec![0];
        self.list(&descent, &mut buffer);
        while let Some(begin) = begins.last().copied() {
            let Some(name) = self.next_pending(begin) else {
                begins.pop();
                if let Err(error) = descent.up() {
                    let here = self.here.clone();
                    return self.freight.unseen(error, || here);
                }
                self.here.pop();
                self.depth = self.depth.saturating_sub(1);
                continue;
            };
            self.here.push(name.as_bytes());
            self.depth += 1;
            let entered = self
                .system
                .facts(descent.here(), name.as_bytes())
                .and_then(|facts| descent.down(&name, &facts));
            match entered {
                Ok(()) => {
                    begins.push(self.pending.len());
                    self.list(&descent, &mut buffer);
                }
                Err(error) => {
                    self.not_entered(error);
                    self.here.pop();
                    self.depth -= 1;
                }
            }
        }
    }

    fn next_pending(&mut self, begin: usize) -> Option<Name> {
        let names = self.pending.get(begin..)?;
        let names = names.strip_suffix(b"\0")?;
        let from = names.iter().rposition(|byte| *byte == 0).map_or(0, |nul| nul + 1);
        let name = Name::new(names.get(from..)?);
        self.pending.truncate(begin + from);
        name
    }

    fn not_entered(&mut self, error: Errno) {
        let here = || self.here.clone();
        match error {
            Errno::ACCESS | Errno::PERM => {
                self.freight.shut.add(here);
                self.freight.closed.add(here);
            }
            // It went meanwhile.
            Errno::NOENT => {}
            error => self.freight.unseen(error, here),
        }
    }

    /// Looks at the entries of the folder that has been entered.
    fn list(&mut self, descent: &Descent, buffer: &mut [MaybeUninit<u8>]) {
        self.freight.deepest = self.freight.deepest.max(self.depth);
        if self.wanted.above_destination.contains(&descent.facts().id.file()) {
            self.freight.destination.get_or_insert_with(|| self.here.clone());
        }
        self.may_be_emptied(descent);
        let (system, mark) = (self.system, self.end);
        self.named = 0;
        let listed = system.list(descent.here(), buffer, mark, |entry| {
            match entry.kind {
                // Within a volume all moves as it is: what is no folder and no link is counted alone,
                // and mounts on files are in the table.
                Some(EntryKind::File) if self.wanted.to.is_none() => self.freight.files += 1,
                _ => self.entry(descent, entry.name.to_bytes()),
            }
            true
        });
        if let Err(error) = listed {
            self.not_entered(error);
        }
        let block = self.wanted.block.max(1);
        // Names stand in folders with their numbers, and folders are not packed full.
        let takes = (self.named / 3).saturating_mul(4).max(1);
        self.need(takes.next_multiple_of(block));
        if self.clashes.found() {
            let (count, first) = self.clashes.tell(system, descent.here(), &self.here);
            self.freight.clashes += count;
            let room = super::MOST_NAMED.saturating_sub(self.freight.clashing.len());
            self.freight.clashing.extend(first.into_iter().take(room));
        }
    }

    /// Whether this user may remove something from the folder at hand: asked now, so that it is said
    /// before anything is done.
    fn may_be_emptied(&mut self, descent: &Descent) {
        if self.root && self.depth > 0 {
            return;
        }
        let may = May::READ_OK | May::WRITE_OK | May::EXEC_OK;
        let asked = rustix::fs::accessat(descent.here(), c".", may, AtFlags::EACCESS);
        if let Err(Errno::ACCESS | Errno::PERM | Errno::ROFS) = asked {
            self.freight.closed.add(|| self.here.clone());
        }
    }

    fn entry(&mut self, descent: &Descent, name: &[u8]) {
        let facts = match self.system.facts(descent.here(), name) {
            Ok(facts) => facts,
            Err(Errno::NOENT) => return,
            Err(error) => return self.freight.unseen(error, || self.here.joined(name)),
        };
        let folder = descent.facts();
        let (here, there) = (folder.mount, facts.mount);
        if here.is_some() && there.is_some() && here != there {
            return self.freight.mounted.push(self.here.joined(name));
        }
        if facts.kind == EntryKind::Folder && facts.id.device != folder.id.device {
            return match there {
                Some(_) => self.freight.subvolumes.add(|| self.here.joined(name)),
                None => self.freight.mounted.push(self.here.joined(name)),
            };
        }
        // Only its owner, the folder's and root may remove what is in a sticky folder (unlink(2)).
        let others = folder.owner != self.me && facts.owner != self.me;
        if folder.mode & 0o1000 != 0 && !self.root && others {
            self.freight.foreign.add(|| self.here.joined(name));
        }
        self.named += name.len() as u64 + 16;
        self.clashes.add(name);
        if facts.kind == EntryKind::Folder {
            self.folder(descent.here(), name, &facts, Some(()));
            self.pending.extend_from_slice(name);
            self.pending.push(0);
        } else {
            self.leaf(descent.here(), name, &facts);
        }
    }

    fn folder(&mut self, at: BorrowedFd<'_>, name: &[u8], facts: &Facts, below: Option<()>) {
        self.freight.folders += 1;
        self.freight.inodes += 1;
        let here = self.here.clone();
        let place = || if below.is_some() { here.joined(name) } else { here.clone() };
        self.freight.marks(facts, place);
        self.object(at, name, facts, place);
    }

    fn leaf(&mut self, at: BorrowedFd<'_>, name: &[u8], facts: &Facts) {
        let here = std::mem::replace(&mut self.here, AbsPath::root());
        let place = || here.joined(name);
        self.freight.marks(facts, place);
        match facts.kind {
            EntryKind::File => self.file(at, name, facts, place),
            EntryKind::Symlink => {
                self.freight.links += 1;
                self.freight.inodes += 1;
                // ext4 keeps a text of up to 59 bytes in the inode, others more.
                if facts.size > 59 {
                    self.need(self.wanted.block);
                }
            }
            kind => {
                self.freight.inodes += 1;
                let named = match kind {
                    EntryKind::Fifo => &mut self.freight.pipes,
                    EntryKind::Socket => &mut self.freight.sockets,
                    _ => &mut self.freight.devices,
                };
                named.add(place);
            }
        }
        self.object(at, name, facts, place);
        self.here = here;
        if facts.kind == EntryKind::Symlink {
            self.link(at, name);
        }
    }

    fn file(
        &mut self,
        at: BorrowedFd<'_>,
        name: &[u8],
        facts: &Facts,
        place: impl Fn() -> AbsPath,
    ) {
        self.freight.files += 1;
        if !self.root && !self.may_read(at, name, facts) {
            self.freight.unread.add(&place);
        }
        let again = facts.names > 1 && !self.groups.add(facts, &place);
        let to = self.wanted.to.as_ref();
        if !again {
            self.freight.bytes = self.freight.bytes.saturating_add(facts.size);
            self.freight.stored = self.freight.stored.saturating_add(facts.stored);
            if self.freight.largest.as_ref().is_none_or(|(size, _)| *size < facts.size) {
                self.freight.largest = Some((facts.size, place()));
            }
            if let Some(met) = self.met.as_mut().filter(|_| facts.size > 0) {
                let again = met.add(self.system, at, name, facts.size);
                if again > 0 {
                    self.freight.sharing.add(&place);
                    self.freight.shared = self.freight.shared.saturating_add(again);
                }
            }
        }
        if !again || to.is_some_and(|to| to.hard_links == Answer::No) {
            self.freight.inodes += 1;
            let data = self.data(at, name, facts);
            let block = self.wanted.block.max(1);
            self.need(data.checked_next_multiple_of(block).unwrap_or(u64::MAX));
        }
    }

    /// How much a copy of a file holds beside holes.
    fn data(&self, at: BorrowedFd<'_>, name: &[u8], facts: &Facts) -> u64 {
        let Some(to) = self.wanted.to.as_ref() else { return facts.size };
        if to.holes == Answer::No || facts.stored >= facts.size {
            let kept =
                to.reserved != Answer::No && facts.stored > facts.size.saturating_add(1 << 16);
            return if kept { facts.stored } else { facts.size };
        }
        // What takes less room than it is long has holes, where nothing is compressed or packed.
        if matches!(self.wanted.from.word, "ext4" | "ext3" | "ext2" | "XFS" | "tmpfs") {
            return facts.stored;
        }
        if facts.size <= 1 << 16 {
            return facts.size;
        }
        data_in(self.system, at, name).unwrap_or(facts.size).min(facts.size)
    }

    /// Whether this user may read a file; asked of the system where its permissions leave doubt.
    fn may_read(&self, at: BorrowedFd<'_>, name: &[u8], facts: &Facts) -> bool {
        if facts.owner == self.me {
            return facts.mode & 0o400 != 0;
        }
        // Not followed: it is no link, and if it has become one since, the copy finds that out.
        let flags = AtFlags::EACCESS | AtFlags::SYMLINK_NOFOLLOW;
        let asked = rustix::fs::accessat(at, name, May::READ_OK, flags);
        !matches!(asked, Err(Errno::ACCESS | Errno::PERM))
    }

    fn need(&mut self, bytes: u64) {
        let each = self.wanted.to.as_ref().map_or(0, |to| to.per_entry);
        self.freight.needed = self.freight.needed.saturating_add(bytes).saturating_add(each);
    }

    /// What of an entry cannot be held where it goes.
    fn object(
        &mut self,
        at: BorrowedFd<'_>,
        name: &[u8],
        facts: &Facts,
        place: impl Fn() -> AbsPath,
    ) {
        let Some(to) = self.wanted.to.as_ref() else { return };
        let mut carried = if self.asks { carried::asked(at, name) } else { Carried::default() };
        carried.flags = facts.marks.others;
        let all = &mut self.freight.carried;
        all.attributes |= carried.attributes;
        all.lists |= carried.lists;
        all.capabilities |= carried.capabilities;
        all.longest_value = all.longest_value.max(carried.longest_value);
        let file = facts.kind == EntryKind::File;
        let has_holes = to.holes == Answer::No
            && file
            && facts.stored.saturating_add(1 << 16) <= facts.size
            && data_in(self.system, at, name).is_none_or(|data| data < facts.size);
        let entry = Entry {
            name,
            kind: facts.kind,
            size: facts.size,
            names: if file { facts.names } else { 1 },
            has_holes,
            owners: (facts.owner, facts.group),
            mode: facts.mode,
            modified: facts.modified,
            carried,
        };
        let whose = (facts.owner, facts.group);
        let kept = match &self.wanted.into {
            Some(into) => self.giving.may_in(into, whose),
            None => self.giving.may(whose),
        };
        // Where owners cannot be kept at all, that is said of everything.
        if !kept && to.owners != Answer::No {
            self.freight.others.add(&place);
        }
        for objection in to.objections(&entry) {
            self.freight.objections.entry(objection).or_default().add(&place);
        }
    }
}

/// So many pieces of a file are counted.
const MOST_PIECES: usize = 4096;

/// How much of a file is no hole, in bytes; `None` where that cannot be asked, or takes long.
fn data_in(system: System, at: BorrowedFd<'_>, name: &[u8]) -> Option<u64> {
    let file = system.open(at, name, Access::Read).ok()?;
    let (mut data, mut from) = (0_u64, 0);
    for _ in 0..MOST_PIECES {
        let begin = match rustix::fs::seek(file.as_fd(), SeekFrom::Data(from)) {
            Ok(begin) => begin,
            // Nothing but a hole is left (lseek(2)).
            Err(Errno::NXIO) => return Some(data),
            Err(_) => return None,
        };
        let end = rustix::fs::seek(file.as_fd(), SeekFrom::Hole(begin)).ok()?;
        data = data.saturating_add(end.saturating_sub(begin));
        from = end;
    }
    None
}
