//! Rows, and what they stand for.

use linkwell_model::entry::{EntryKind, Identity, LinkKind, Time};
use linkwell_model::keep::likeness::{Handle, Likeness, Shape, Sums};
use linkwell_model::keep::link::{By, Kept, Policy};
use linkwell_model::keep::trust::Trust;
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::target::Target;
use linkwell_model::volume_id::VolumeId;
use rusqlite::{Result, Row, Statement, params};

/// The columns of a target's likeness, in the order in which [`likeness`] reads them.
pub(super) const LIKENESS: &str = "target.kind, volume_kind, uuid, fsid, trust, target.device, target.inode, \
     target.born_s, target.born_n, handle_kind, handle, connectable_kind, connectable, parent_kind, parent, \
     target.name, size, modified_s, modified_n, names, owner, ends, whole, shape";

/// The columns of a link, in the order in which [`kept`] reads them; the target's place comes last.
pub(super) const LINK: &str = "link.id, folder, link.name, text, link.kind, link.device, link.inode, \
     link.born_s, link.born_n, by, policy, link.seen, target.place";

/// How many columns [`LINK`] has.
pub(super) const LINK_COLUMNS: usize = 13;

/// SQLite has signed numbers only; the bits are kept.
fn signed(number: u64) -> i64 {
    number.cast_signed()
}

fn unsigned(row: &Row<'_>, at: usize) -> Result<u64> {
    Ok(row.get::<_, i64>(at)?.cast_unsigned())
}

fn number_of(kind: EntryKind) -> i64 {
    match kind {
        EntryKind::Folder => 1,
        EntryKind::File => 2,
        EntryKind::Symlink => 3,
        EntryKind::Fifo => 4,
        EntryKind::Socket => 5,
        EntryKind::Device => 6,
    }
}

fn kind_of(number: i64) -> Option<EntryKind> {
    Some(match number {
        1 => EntryKind::Folder,
        2 => EntryKind::File,
        3 => EntryKind::Symlink,
        4 => EntryKind::Fifo,
        5 => EntryKind::Socket,
        6 => EntryKind::Device,
        _ => return None,
    })
}

fn time(row: &Row<'_>, at: usize) -> Result<Option<Time>> {
    let seconds: Option<i64> = row.get(at)?;
    let nanoseconds: Option<u32> = row.get(at + 1)?;
    Ok(seconds.zip(nanoseconds).map(|(seconds, nanoseconds)| Time(seconds, nanoseconds)))
}

fn handle(row: &Row<'_>, at: usize) -> Result<Option<Handle>> {
    let kind: Option<i32> = row.get(at)?;
    let bytes: Option<Vec<u8>> = row.get(at + 1)?;
    Ok(kind.zip(bytes).map(|(kind, bytes)| Handle { kind, bytes: bytes.into() }))
}

fn array<const N: usize>(row: &Row<'_>, at: usize) -> Result<Option<[u8; N]>> {
    let bytes: Option<Vec<u8>> = row.get(at)?;
    Ok(bytes.and_then(|bytes| bytes.try_into().ok()))
}

/// The likeness that begins at column `from`; absent when the target has never been seen.
pub(super) fn likeness(row: &Row<'_>, from: usize) -> Result<Option<Likeness>> {
    let kind = row.get::<_, Option<i64>>(from)?.and_then(kind_of);
    let Some(kind) = kind else { return Ok(None) };
    let shape: Option<Vec<u8>> = row.get(from + 23)?;
    Ok(Some(Likeness {
        kind,
        volume: row
            .get::<_, Option<i64>>(from + 1)?
            .map(|kind| -> Result<VolumeId> {
                let fsid: Option<i64> = row.get(from + 3)?;
                let fsid = fsid.map_or(0, i64::cast_unsigned);
                Ok(VolumeId::new(kind.cast_unsigned(), array(row, from + 2)?, fsid))
            })
            .transpose()?,
        trust: Trust::of_number(row.get(from + 4)?),
        device: unsigned(row, from + 5)?,
        inode: unsigned(row, from + 6)?,
        born: time(row, from + 7)?,
        handle: handle(row, from + 9)?,
        connectable: handle(row, from + 11)?,
        parent: handle(row, from + 13)?,
        name: row.get::<_, Vec<u8>>(from + 15)?.into(),
        size: unsigned(row, from + 16)?,
        modified: time(row, from + 17)?.unwrap_or(Time(0, 0)),
        names: unsigned(row, from + 19)?,
        owner: row.get(from + 20)?,
        sums: Sums { ends: array(row, from + 21)?, whole: array(row, from + 22)? },
        shape: shape.and_then(|bytes| Shape::of_bytes(&bytes)),
    }))
}

/// Binds a likeness and runs the statement: place, then [`LIKENESS`], then the moment.
pub(super) fn put(
    statement: &mut Statement<'_>,
    place: &AbsPath,
    found: &Likeness,
    seen: i64,
) -> Result<i64> {
    let born = found.born.map(|born| (born.0, born.1)).unzip();
    let parts = |handle: &Option<Handle>| {
        handle.as_ref().map(|handle| (handle.kind, handle.bytes.to_vec())).unzip()
    };
    let (plain, connectable, parent) =
        (parts(&found.handle), parts(&found.connectable), parts(&found.parent));
    statement.query_row(
        params![
            place.as_bytes(),
            number_of(found.kind),
            found.volume.map(|volume| signed(volume.kind)),
            found.volume.and_then(|volume| volume.uuid).map(|uuid| uuid.0.to_vec()),
            found.volume.and_then(|volume| volume.fsid).map(signed),
            found.trust.number(),
            signed(found.device),
            signed(found.inode),
            born.0,
            born.1,
            plain.0,
            plain.1,
            connectable.0,
            connectable.1,
            parent.0,
            parent.1,
            &*found.name,
            signed(found.size),
            found.modified.0,
            found.modified.1,
            signed(found.names),
            found.owner,
            found.sums.ends.map(|sum| sum.to_vec()),
            found.sums.whole.map(|sum| sum.to_vec()),
            found.shape.as_ref().map(Shape::to_bytes),
            seen,
        ],
        |row| row.get(0),
    )
}

/// The link of a row that begins with [`LINK`]: its number, itself, and when it was seen. `None` when the
/// row makes no sense.
pub(super) fn kept(row: &Row<'_>) -> Result<Option<(i64, Kept, i64)>> {
    let bytes = |at: usize| row.get::<_, Vec<u8>>(at);
    let (folder, name, to) = (AbsPath::cleaned(&bytes(1)?), Name::new(bytes(2)?), bytes(12)?);
    let kind: String = row.get(4)?;
    let kind = LinkKind::ALL.into_iter().find(|known| known.word() == kind);
    let (by, policy): (String, String) = (row.get(9)?, row.get(10)?);
    let sense = folder.zip(name).zip(AbsPath::cleaned(&to)).zip(kind);
    let Some((((folder, name), to), kind)) = sense else { return Ok(None) };
    let kept = Kept {
        folder,
        name,
        target: Target::new(bytes(3)?),
        kind,
        id: Identity { device: unsigned(row, 5)?, inode: unsigned(row, 6)?, born: time(row, 7)? },
        to,
        by: By::of_word(&by).unwrap_or(By::Tracked),
        policy: Policy::of_word(&policy).unwrap_or(Policy::Ask),
    };
    Ok(Some((row.get(0)?, kept, row.get(11)?)))
}
