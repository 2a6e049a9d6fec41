//! What depends on a place, by the record; and links that have moved.

use super::links::{Entry, range};
use super::row::{LIKENESS, LINK, LINK_COLUMNS, kept, likeness};
use super::{Catalogue, Trouble};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use rusqlite::{OptionalExtension as _, TransactionBehavior, params};
use std::collections::HashSet;
use std::ops::ControlFlow;

/// A link that stands somewhere else now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renamed {
    /// Its number.
    pub id: i64,
    /// The folder it stands in now, physically.
    pub folder: AbsPath,
    /// Its name there.
    pub name: Name,
}

impl Catalogue {
    /// The links on record that depend on one of these places or on something below it: they lead there,
    /// pass it, or are written so as to lead there, by themselves or through other links on record. Each
    /// once.
    ///
    /// A record is a hint: each is to be read again before anything is said of it.
    ///
    /// # Errors
    /// The database's.
    pub fn depending(&self, places: &[AbsPath]) -> Result<Vec<Entry>, Trouble> {
        let asked = format!(
            "SELECT {LINK}, {LIKENESS} FROM link JOIN target ON target.id = link.target WHERE link.id IN ( \
             SELECT link.id FROM target JOIN link ON link.target = target.id \
             WHERE target.place = ?1 OR (target.place >= ?2 AND target.place < ?3) \
             UNION SELECT link FROM tie WHERE place = ?1 OR (place >= ?2 AND place < ?3))"
        );
        let mut statement = self.database.prepare_cached(&asked)?;
        let mut known: HashSet<i64> = HashSet::new();
        let mut found: Vec<Entry> = Vec::new();
        let mut next: Vec<AbsPath> = places.to_vec();
        while let Some(place) = next.pop() {
            let (from, to) = range(&place);
            let mut rows = statement.query(params![place.as_bytes(), from, to])?;
            while let Some(row) = rows.next()? {
                let Some((id, link, seen)) = kept(row)? else { continue };
                if !known.insert(id) {
                    continue;
                }
                next.push(link.place());
                let target = likeness(row, LINK_COLUMNS)?;
                found.push(Entry { id, link, target, seen });
            }
        }
        Ok(found)
    }

    /// Gives links that have moved their new place, all or none of them. They keep their numbers and
    /// policies; what was on record at the new place gives way.
    ///
    /// # Errors
    /// The database's.
    pub fn renamed(&mut self, links: &[Renamed]) -> Result<(), Trouble> {
        let transaction =
            self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut clear = transaction
                .prepare_cached("DELETE FROM link WHERE folder = ? AND name = ? AND id != ?")?;
            let mut rename =
                transaction.prepare_cached("UPDATE link SET folder = ?, name = ? WHERE id = ?")?;
            for link in links {
                let place = params![link.folder.as_bytes(), link.name.as_bytes(), link.id];
                clear.execute(place)?;
                rename.execute(place)?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// The links on record below a folder that were not seen since a moment.
    ///
    /// # Errors
    /// The database's.
    pub fn unseen_below(&self, folder: &AbsPath, since: i64) -> Result<Vec<Entry>, Trouble> {
        let mut found = Vec::new();
        self.below(folder, |entry| {
            if entry.seen < since {
                found.push(entry);
            }
            ControlFlow::Continue(())
        })?;
        Ok(found)
    }

    /// How many links are on record below a folder.
    ///
    /// # Errors
    /// The database's.
    pub fn count_below(&self, folder: &AbsPath) -> Result<u64, Trouble> {
        let (from, to) = range(folder);
        let count: i64 = self.database.query_row(
            "SELECT count(*) FROM link WHERE folder = ?1 OR (folder >= ?2 AND folder < ?3)",
            params![folder.as_bytes(), from, to],
            |row| row.get(0),
        )?;
        Ok(count.cast_unsigned())
    }

    /// Sets the policy of every link on record at or below a place.
    ///
    /// # Errors
    /// The database's.
    pub fn set_policy_below(
        &mut self,
        place: &AbsPath,
        policy: linkwell_model::keep::link::Policy,
    ) -> Result<(), Trouble> {
        let (from, to) = range(place);
        self.database.execute(
            "UPDATE link SET policy = ?1 WHERE folder = ?2 OR (folder >= ?3 AND folder < ?4)",
            params![policy.word(), place.as_bytes(), from, to],
        )?;
        Ok(())
    }

    /// Forgets that every link below these folders, or below one that holds them, is on record.
    ///
    /// # Errors
    /// The database's.
    pub fn unset_recorded(&mut self, place: &AbsPath) -> Result<(), Trouble> {
        for root in self.recorded()? {
            if root.place.is_at_or_below(place) || place.is_at_or_below(&root.place) {
                let of = [root.place.as_bytes()];
                self.database.execute("DELETE FROM root WHERE place = ?", of)?;
            }
        }
        Ok(())
    }

    /// Forgets targets that nothing leads to any more.
    ///
    /// # Errors
    /// The database's.
    pub fn tidy(&mut self) -> Result<(), Trouble> {
        self.database.execute(
            "DELETE FROM target WHERE NOT EXISTS (SELECT 1 FROM link WHERE link.target = target.id)",
            [],
        )?;
        Ok(())
    }

    /// When the record of a link was last brought up to date, the latest of all.
    ///
    /// # Errors
    /// The database's.
    pub fn latest(&self) -> Result<Option<i64>, Trouble> {
        let latest = self.database.query_row("SELECT max(seen) FROM link", [], |row| row.get(0));
        Ok(latest.optional()?.flatten())
    }
}
