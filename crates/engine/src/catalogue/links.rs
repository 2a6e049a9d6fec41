//! Links recorded, asked for, forgotten.

use super::row::{LIKENESS, LINK, LINK_COLUMNS, kept, likeness, put};
use super::{Catalogue, Trouble};
use linkwell_model::keep::likeness::Likeness;
use linkwell_model::keep::link::{Kept, Policy};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use rusqlite::{OptionalExtension as _, Params, TransactionBehavior, params};
use std::ops::ControlFlow;

/// A link to be recorded.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The link.
    pub link: Kept,
    /// What it leads to; absent when nothing is there. What was known of it before stays then.
    pub target: Option<Likeness>,
    /// The other places that it depends on: links and folders on its way, and where its text seems to lead.
    pub ties: Vec<AbsPath>,
}

/// A link on record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number; never given to another link.
    pub id: i64,
    /// The link.
    pub link: Kept,
    /// What its target was like; absent when it was never seen.
    pub target: Option<Likeness>,
    /// When it was last seen, in seconds since 1970.
    pub seen: i64,
}

/// A folder below which every link was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// The folder.
    pub place: AbsPath,
    /// When, in seconds since 1970.
    pub at: i64,
    /// How many links there were.
    pub links: u64,
}

impl Catalogue {
    /// Records links, all or none of them. A link that is on record already is brought up to date; its
    /// policy stays, and *by the way* gives way to who asked for it.
    ///
    /// # Errors
    /// The database's.
    pub fn record<'s>(
        &mut self,
        links: impl IntoIterator<Item = &'s Seen>,
        now: i64,
    ) -> Result<u64, Trouble> {
        let transaction =
            self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut count = 0;
        {
            let values = LIKENESS.replace("target.", "");
            let marks = "?, ".repeat(values.split(',').count());
            let renewed: Vec<String> = values
                .split(',')
                .map(|column| format!("{0} = excluded.{0}", column.trim()))
                .collect();
            // Sums that were not made this time stay, if the object has not changed since.
            let renewed = renewed.join(", ");
            let mut put_target = transaction.prepare_cached(&format!(
                "INSERT INTO target (place, {values}, seen) VALUES (?, {marks}?) \
                 ON CONFLICT (place) DO UPDATE SET {renewed}, seen = excluded.seen RETURNING id"
            ))?;
            let mut old_sums = transaction.prepare_cached(
                "SELECT ends, whole FROM target WHERE place = ? AND inode = ? AND size = ? \
                 AND modified_s = ? AND modified_n = ?",
            )?;
            // What once stood there, and no link leads to any more, says nothing of a new one.
            let mut orphan = transaction.prepare_cached(
                "DELETE FROM target WHERE place = ? \
                 AND NOT EXISTS (SELECT 1 FROM link WHERE link.target = target.id)",
            )?;
            let mut unseen_target = transaction.prepare_cached(
                "INSERT INTO target (place) VALUES (?) \
                 ON CONFLICT (place) DO UPDATE SET place = place RETURNING id",
            )?;
            let mut put_link = transaction.prepare_cached(
                "INSERT INTO link (folder, name, text, kind, device, inode, born_s, born_n, target, by, policy, seen) \
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
                 ON CONFLICT (folder, name) DO UPDATE SET text = excluded.text, kind = excluded.kind, \
                 device = excluded.device, inode = excluded.inode, born_s = excluded.born_s, \
                 born_n = excluded.born_n, target = excluded.target, seen = excluded.seen, \
                 by = CASE WHEN excluded.by = 'way' THEN by ELSE excluded.by END RETURNING id",
            )?;
            let mut untie = transaction.prepare_cached("DELETE FROM tie WHERE link = ?")?;
            let mut tie = transaction
                .prepare_cached("INSERT OR IGNORE INTO tie (place, link) VALUES (?, ?)")?;
            for Seen { link, target, ties } in links {
                let target = match target {
                    Some(found) => {
                        let mut found = found.clone();
                        if found.sums.whole.is_none() {
                            let same = params![
                                link.to.as_bytes(),
                                found.inode.cast_signed(),
                                found.size.cast_signed(),
                                found.modified.0,
                                found.modified.1
                            ];
                            let old = old_sums.query_row(same, |row| {
                                Ok((
                                    row.get::<_, Option<Vec<u8>>>(0)?,
                                    row.get::<_, Option<Vec<u8>>>(1)?,
                                ))
                            });
                            if let Some((ends, whole)) = old.optional()? {
                                let array =
                                    |sum: Option<Vec<u8>>| sum.and_then(|sum| sum.try_into().ok());
                                found.sums.ends = found.sums.ends.or(array(ends));
                                found.sums.whole = array(whole);
                            }
                        }
                        put(&mut put_target, &link.to, &found, now)?
                    }
                    None => {
                        orphan.execute([link.to.as_bytes()])?;
                        unseen_target.query_row([link.to.as_bytes()], |row| row.get(0))?
                    }
                };
                let values = params![
                    link.folder.as_bytes(),
                    link.name.as_bytes(),
                    link.target.as_bytes(),
                    link.kind.word(),
                    link.id.device.cast_signed(),
                    link.id.inode.cast_signed(),
                    link.id.born.map(|born| born.0),
                    link.id.born.map(|born| born.1),
                    target,
                    link.by.word(),
                    link.policy.word(),
                    now,
                ];
                let number: i64 = put_link.query_row(values, |row| row.get(0))?;
                untie.execute([number])?;
                for place in ties {
                    tie.execute(params![place.as_bytes(), number])?;
                }
                count += 1;
            }
        }
        transaction.commit()?;
        Ok(count)
    }

    /// Forgets links by number, all or none of them, and targets that nothing leads to any more.
    ///
    /// # Errors
    /// The database's.
    pub fn forget(&mut self, numbers: &[i64]) -> Result<(), Trouble> {
        let transaction =
            self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut its = transaction.prepare_cached("SELECT target FROM link WHERE id = ?")?;
            let mut forget = transaction.prepare_cached("DELETE FROM link WHERE id = ?")?;
            let mut tidy = transaction.prepare_cached(
                "DELETE FROM target WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM link WHERE target = ?1)",
            )?;
            for number in numbers {
                let target: Option<i64> = its.query_row([number], |row| row.get(0)).optional()?;
                forget.execute([number])?;
                if let Some(target) = target {
                    tidy.execute([target])?;
                }
            }
        }
        Ok(transaction.commit()?)
    }

    /// Sets what the watcher does about links.
    ///
    /// # Errors
    /// The database's.
    pub fn set_policy(&mut self, numbers: &[i64], policy: Policy) -> Result<(), Trouble> {
        let transaction =
            self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut set = transaction.prepare_cached("UPDATE link SET policy = ? WHERE id = ?")?;
            for number in numbers {
                set.execute(params![policy.word(), number])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// The link at a place.
    ///
    /// # Errors
    /// The database's.
    pub fn at(&self, folder: &AbsPath, name: &Name) -> Result<Option<Entry>, Trouble> {
        let mut found = None;
        let of = params![folder.as_bytes(), name.as_bytes()];
        self.some("WHERE folder = ? AND link.name = ?", of, |entry| {
            found = Some(entry);
            ControlFlow::Break(())
        })?;
        Ok(found)
    }

    /// Every link on record, by place.
    ///
    /// # Errors
    /// The database's.
    pub fn all(&self, each: impl FnMut(Entry) -> ControlFlow<()>) -> Result<(), Trouble> {
        self.some("ORDER BY folder, link.name", [], each)
    }

    /// Every link on record that stands in a folder or below it, by place.
    ///
    /// # Errors
    /// The database's.
    pub fn below(
        &self,
        folder: &AbsPath,
        each: impl FnMut(Entry) -> ControlFlow<()>,
    ) -> Result<(), Trouble> {
        let (from, to) = range(folder);
        let filter = "WHERE folder = ? OR (folder >= ? AND folder < ?) ORDER BY folder, link.name";
        self.some(filter, params![folder.as_bytes(), from, to], each)
    }

    /// Every link on record whose text names this place or one below it: one step, links on the way
    /// followed, the last one not.
    ///
    /// # Errors
    /// The database's.
    pub fn leading_into(
        &self,
        place: &AbsPath,
        each: impl FnMut(Entry) -> ControlFlow<()>,
    ) -> Result<(), Trouble> {
        let (from, to) = range(place);
        let filter = "WHERE target.place = ? OR (target.place >= ? AND target.place < ?)";
        self.some(filter, params![place.as_bytes(), from, to], each)
    }

    /// How many links are on record.
    ///
    /// # Errors
    /// The database's.
    pub fn count(&self) -> Result<u64, Trouble> {
        let count: i64 =
            self.database.query_row("SELECT count(*) FROM link", [], |row| row.get(0))?;
        Ok(count.cast_unsigned())
    }

    pub(super) fn some(
        &self,
        filter: &str,
        values: impl Params,
        mut each: impl FnMut(Entry) -> ControlFlow<()>,
    ) -> Result<(), Trouble> {
        let asked = format!(
            "SELECT {LINK}, {LIKENESS} FROM link JOIN target ON target.id = link.target {filter}"
        );
        let mut statement = self.database.prepare_cached(&asked)?;
        let mut rows = statement.query(values)?;
        while let Some(row) = rows.next()? {
            let Some((id, link, seen)) = kept(row)? else { continue };
            let target = likeness(row, LINK_COLUMNS)?;
            if each(Entry { id, link, target, seen }).is_break() {
                break;
            }
        }
        Ok(())
    }

    /// Notes that every link below a folder was recorded.
    ///
    /// # Errors
    /// The database's.
    pub fn set_recorded(&mut self, recorded: &Recorded) -> Result<(), Trouble> {
        self.database.execute(
            "INSERT INTO root (place, recorded, links) VALUES (?, ?, ?) \
             ON CONFLICT (place) DO UPDATE SET recorded = excluded.recorded, links = excluded.links",
            params![recorded.place.as_bytes(), recorded.at, recorded.links.cast_signed()],
        )?;
        Ok(())
    }

    /// The folders below which every link was recorded.
    ///
    /// # Errors
    /// The database's.
    pub fn recorded(&self) -> Result<Vec<Recorded>, Trouble> {
        let mut statement = self
            .database
            .prepare_cached("SELECT place, recorded, links FROM root ORDER BY place")?;
        let rows = statement.query_map([], |row| {
            let place: Vec<u8> = row.get(0)?;
            let links: i64 = row.get(2)?;
            Ok((AbsPath::cleaned(&place), row.get(1)?, links.cast_unsigned()))
        })?;
        let mut all = Vec::new();
        for row in rows {
            if let (Some(place), at, links) = row? {
                all.push(Recorded { place, at, links });
            }
        }
        Ok(all)
    }
}

/// The texts between which all that lies below a folder stands, in the order of bytes.
pub(super) fn range(folder: &AbsPath) -> (Vec<u8>, Vec<u8>) {
    let mut from = folder.as_bytes().to_vec();
    if from.last() != Some(&b'/') {
        from.push(b'/');
    }
    let mut to = from.clone();
    if let Some(last) = to.last_mut() {
        // The byte after the slash.
        *last += 1;
    }
    (from, to)
}
