//! What depends on a place, by the record; and links that have moved.

use super::links::{Entry, range};
use super::row::{LIKENESS, LINK, LINK_COLUMNS, kept, likeness};
use super::{Catalogue, Trouble};
use linkwell_model::keep::link::{By, Policy, Terms};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::target::Target;
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

    /// The links on record that lead to one of these links, or pass it. Each once.
    ///
    /// # Errors
    /// The database's.
    pub fn behind(&self, links: &[AbsPath]) -> Result<Vec<Entry>, Trouble> {
        let asked = format!(
            "SELECT {LINK}, {LIKENESS} FROM link JOIN target ON target.id = link.target WHERE link.id IN ( \
             SELECT link.id FROM target JOIN link ON link.target = target.id WHERE target.place = ?1 \
             UNION SELECT link FROM tie WHERE place = ?1)"
        );
        let mut statement = self.database.prepare_cached(&asked)?;
        let mut known: HashSet<i64> = HashSet::new();
        let mut found: Vec<Entry> = Vec::new();
        for place in links {
            let mut rows = statement.query([place.as_bytes()])?;
            while let Some(row) = rows.next()? {
                let Some((id, link, seen)) = kept(row)? else { continue };
                if known.insert(id) {
                    let target = likeness(row, LINK_COLUMNS)?;
                    found.push(Entry { id, link, target, seen });
                }
            }
        }
        Ok(found)
    }

    /// Where links on record stand and what they hold, by place: all, or those in a folder or below it. For
    /// many links that is a tenth of what [`Self::all`] costs.
    ///
    /// # Errors
    /// The database's.
    pub fn texts(
        &self,
        below: Option<&AbsPath>,
        mut each: impl FnMut(AbsPath, Name, Target, Terms),
    ) -> Result<(), Trouble> {
        let (place, (from, to)) = match below {
            Some(place) => (place.as_bytes().to_vec(), range(place)),
            // Every folder is `/`, or begins with it.
            None => (b"/".to_vec(), (b"/".to_vec(), b"0".to_vec())),
        };
        let mut statement = self.database.prepare_cached(
            "SELECT folder, name, text, by, policy FROM link WHERE folder = ?1 OR (folder >= ?2 AND folder < ?3) \
             ORDER BY folder, name",
        )?;
        let mut rows = statement.query(params![place, from, to])?;
        let mut last: Option<(Vec<u8>, AbsPath)> = None;
        while let Some(row) = rows.next()? {
            let bytes =
                |at: usize| Ok::<_, Trouble>(row.get_ref(at)?.as_blob().unwrap_or_default());
            let folder = bytes(0)?;
            let known = last.as_ref().filter(|(known, _)| known == folder);
            let place = match known {
                Some((_, place)) => place.clone(),
                None => {
                    let Some(place) = AbsPath::cleaned(folder) else { continue };
                    last = Some((folder.to_vec(), place.clone()));
                    place
                }
            };
            let word = |at: usize| Ok::<_, Trouble>(row.get_ref(at)?.as_str().unwrap_or_default());
            let by = By::of_word(word(3)?).unwrap_or(By::Made);
            let policy = Policy::of_word(word(4)?).unwrap_or_default();
            if let Some(name) = Name::new(bytes(1)?) {
                each(place, name, Target::new(bytes(2)?), Terms { by, policy });
            }
        }
        Ok(())
    }

    /// The link of a number.
    ///
    /// # Errors
    /// The database's.
    pub fn numbered(&self, id: i64) -> Result<Option<Entry>, Trouble> {
        let mut found = None;
        self.some("WHERE link.id = ?", [id], |entry| {
            found = Some(entry);
            ControlFlow::Break(())
        })?;
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

    /// The links on record in a folder or below it, by number, folder and name, of which `wanted` says so.
    ///
    /// # Errors
    /// The database's.
    pub fn places_below(
        &self,
        folder: &AbsPath,
        wanted: impl Fn(&[u8], &[u8]) -> bool,
    ) -> Result<Vec<(i64, AbsPath, Name)>, Trouble> {
        let (from, to) = range(folder);
        let mut statement = self.database.prepare_cached(
            "SELECT id, folder, name FROM link WHERE folder = ?1 OR (folder >= ?2 AND folder < ?3)",
        )?;
        let mut rows = statement.query(params![folder.as_bytes(), from, to])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let bytes =
                |at: usize| Ok::<_, Trouble>(row.get_ref(at)?.as_blob().unwrap_or_default());
            let (folder, name) = (bytes(1)?, bytes(2)?);
            if wanted(folder, name)
                && let Some((folder, name)) = AbsPath::cleaned(folder).zip(Name::new(name))
            {
                found.push((row.get(0)?, folder, name));
            }
        }
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

    /// Sets the policy of links by where they stand, all or none of them.
    ///
    /// # Errors
    /// The database's.
    pub fn set_policy_at<'p>(
        &mut self,
        links: impl IntoIterator<Item = (&'p AbsPath, &'p Name)>,
        policy: Policy,
    ) -> Result<(), Trouble> {
        let transaction =
            self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut set = transaction
                .prepare_cached("UPDATE link SET policy = ? WHERE folder = ? AND name = ?")?;
            for (folder, name) in links {
                set.execute(params![policy.word(), folder.as_bytes(), name.as_bytes()])?;
            }
        }
        Ok(transaction.commit()?)
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
