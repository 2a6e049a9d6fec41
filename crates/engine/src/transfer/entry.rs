//! What the record of a transfer holds of one entry, and how it is written.

use crate::system::{Facts, Marks};
use linkwell_model::entry::{EntryKind, Identity, Time};
use linkwell_model::name::Name;

/// One entry of the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: Name,
    /// All about the original when it was copied. For a folder: before it was listed.
    pub facts: Facts,
    /// What is in it (see `sum`): of a file that was read while it was copied.
    pub sum: Option<[u8; 32]>,
    /// Whether it carries extended attributes.
    pub carries: bool,
    /// What was made of it; none when it was left out, as was accepted.
    pub copy: Option<Copied>,
}

/// What was made of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Which object.
    pub inode: u64,
    /// When it was made.
    pub born: Option<Time>,
    /// When it says that it was last changed.
    pub modified: Time,
}

impl Copied {
    pub(super) fn of(facts: &Facts) -> Self {
        Self { inode: facts.id.inode, born: facts.id.born, modified: facts.modified }
    }

    /// Whether these are the facts of it, unchanged as far as they tell.
    pub fn is(&self, facts: &Facts) -> bool {
        let born = match (self.born, facts.id.born) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        };
        let same = self.inode == facts.id.inode && born;
        same && (facts.kind == EntryKind::Folder || self.modified == facts.modified)
    }
}

impl Entry {
    /// Whether these are still the facts of the original: which object it is, its length, its times.
    /// `changed`: whether the time of any change counts, which a new name, or one less, changes too.
    pub(super) fn is_still(&self, now: &Facts, changed: bool) -> bool {
        let then = &self.facts;
        then.kind == now.kind
            && then.id.is_after_restart(now.id)
            && (then.kind == EntryKind::Folder || then.size == now.size)
            && then.modified == now.modified
            && (!changed || then.changed == now.changed)
    }
}

/// Writes numbers and bytes one after another: numbers of seven bits a byte, the last with its top
/// bit clear.
pub(super) fn put(to: &mut Vec<u8>, number: u64) {
    let mut rest = number;
    while rest >= 0x80 {
        to.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    to.push((rest & 0x7f) as u8);
}

fn put_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    put(to, u64::try_from(bytes.len()).unwrap_or(0));
    to.extend_from_slice(bytes);
}

pub(super) fn put_name(to: &mut Vec<u8>, name: &Name) {
    put_bytes(to, name.as_bytes());
}

fn put_time(to: &mut Vec<u8>, time: Time) {
    // The sign goes into the lowest bit.
    put(to, ((time.0 << 1) ^ (time.0 >> 63)).cast_unsigned());
    put(to, time.1.into());
}

const KINDS: [EntryKind; 6] = [
    EntryKind::Folder,
    EntryKind::File,
    EntryKind::Symlink,
    EntryKind::Fifo,
    EntryKind::Socket,
    EntryKind::Device,
];

const BORN: u64 = 1;
const SUM: u64 = 2;
const CARRIES: u64 = 4;
const COPY: u64 = 8;
const COPY_BORN: u64 = 16;
const DEVICE: u64 = 32;
const BLOCKS: u64 = 64;

/// Writes an entry.
pub(super) fn put_entry(to: &mut Vec<u8>, entry: &Entry) {
    let facts = &entry.facts;
    let kind = KINDS.iter().position(|kind| *kind == facts.kind).unwrap_or(0);
    let mut flags = 0;
    let mut flag = |is: bool, bit: u64| flags |= if is { bit } else { 0 };
    flag(facts.id.born.is_some(), BORN);
    flag(entry.sum.is_some(), SUM);
    flag(entry.carries, CARRIES);
    flag(entry.copy.is_some(), COPY);
    flag(entry.copy.is_some_and(|copy| copy.born.is_some()), COPY_BORN);
    flag(facts.device.is_some(), DEVICE);
    flag(facts.device.is_some_and(|(_, blocks)| blocks), BLOCKS);
    put(to, u64::try_from(kind).unwrap_or(0));
    put(to, flags);
    put_name(to, &entry.name);
    put(to, facts.id.device);
    put(to, facts.id.inode);
    put(to, facts.names);
    put(to, facts.size);
    put(to, facts.stored);
    put(to, facts.owner.into());
    put(to, facts.group.into());
    put(to, facts.mode.into());
    for time in [facts.accessed, facts.modified, facts.changed] {
        put_time(to, time);
    }
    if let Some(born) = facts.id.born {
        put_time(to, born);
    }
    if let Some((number, _)) = facts.device {
        put(to, number);
    }
    if let Some(sum) = &entry.sum {
        to.extend_from_slice(sum);
    }
    if let Some(copy) = &entry.copy {
        put(to, copy.inode);
        put_time(to, copy.modified);
        if let Some(born) = copy.born {
            put_time(to, born);
        }
    }
}

/// Reads what was written. Every method gives nothing where the bytes make no sense.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'b> {
    pub(super) rest: &'b [u8],
}

impl<'b> Reader<'b> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    pub(super) fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    fn bytes(&mut self, count: usize) -> Option<&'b [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(bytes)
    }

    pub(super) fn name(&mut self) -> Option<Name> {
        let count = usize::try_from(self.number()?).ok()?;
        Name::new(self.bytes(count)?)
    }

    fn time(&mut self) -> Option<Time> {
        let seconds = self.number()?;
        let sign = (seconds & 1).cast_signed();
        Some(Time((seconds >> 1).cast_signed() ^ -sign, self.small()?))
    }

    pub(super) fn entry(&mut self) -> Option<Entry> {
        let kind = *KINDS.get(usize::try_from(self.number()?).ok()?)?;
        let flags = self.number()?;
        let has = |bit| flags & bit != 0;
        let name = self.name()?;
        let (device, inode) = (self.number()?, self.number()?);
        let (names, size, room) = (self.number()?, self.number()?, self.number()?);
        let (owner, group, mode) = (self.small()?, self.small()?, self.small()?);
        let (accessed, modified, changed) = (self.time()?, self.time()?, self.time()?);
        let born = if has(BORN) { Some(self.time()?) } else { None };
        let number = if has(DEVICE) { Some((self.number()?, has(BLOCKS))) } else { None };
        let sum = if has(SUM) { Some(self.bytes(32)?.try_into().ok()?) } else { None };
        let copy = if has(COPY) {
            let (inode, modified) = (self.number()?, self.time()?);
            let born = if has(COPY_BORN) { Some(self.time()?) } else { None };
            Some(Copied { inode, born, modified })
        } else {
            None
        };
        let id = Identity { device, inode, born };
        let facts = Facts {
            id,
            kind,
            names,
            size,
            owner,
            group,
            mode,
            accessed,
            modified,
            changed,
            stored: room,
            marks: Marks::default(),
            device: number,
            mount: None,
        };
        Some(Entry { name, facts, sum, carries: has(CARRIES), copy })
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at once")]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        let mut all = Vec::new();
        for (number, kind) in KINDS.into_iter().enumerate() {
            let at = Time(-1 - i64::try_from(number).unwrap(), 999_999_999);
            let odd = number % 2 == 1;
            let facts = Facts {
                id: Identity { device: u64::MAX, inode: 1 << 40, born: odd.then_some(at) },
                kind,
                names: 3,
                size: u64::MAX >> 1,
                owner: u32::MAX,
                group: 0,
                mode: 0o7777,
                accessed: Time(i64::MAX >> 2, 1),
                modified: at,
                changed: Time(0, 0),
                stored: 4096,
                marks: Marks::default(),
                device: (kind == EntryKind::Device).then_some((0x0801, true)),
                mount: None,
            };
            let copy = Copied { inode: 7, born: (!odd).then_some(at), modified: at };
            all.push(Entry {
                name: Name::new(vec![0xff; number + 1]).unwrap(),
                facts,
                sum: odd.then_some([7; 32]),
                carries: odd,
                copy: (number != 3).then_some(copy),
            });
        }
        all
    }

    #[test]
    fn what_is_written_reads_back_and_half_of_it_does_not() {
        let mut bytes = Vec::new();
        for entry in entries() {
            put_entry(&mut bytes, &entry);
        }
        let mut reader = Reader { rest: &bytes };
        for entry in entries() {
            assert_eq!(reader.entry(), Some(entry));
        }
        assert!(reader.rest.is_empty());
        let mut one = Vec::new();
        put_entry(&mut one, &entries()[1]);
        for cut in 0..one.len() {
            assert_eq!(Reader { rest: &one[..cut] }.entry(), None, "{cut}");
        }
    }
}
