//! What waits for a person's answer, and what the watcher did of late.

use super::{Catalogue, Trouble};
use hashbrown::HashMap;
use linkwell_model::path::AbsPath;
use rusqlite::{Connection, TransactionBehavior, params};

/// One place that a link may be led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// Where.
    pub place: AbsPath,
    /// What speaks for it and against it, for a person.
    pub words: String,
}

/// A question about one link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The link's number.
    pub link: i64,
    /// When it was asked, in seconds since 1970.
    pub asked: i64,
    /// Why somebody is asked, in one sentence.
    pub why: String,
    /// Where it may lead, best first.
    pub proposals: Vec<Proposal>,
}

/// Something that the watcher did or saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When, in seconds since 1970.
    pub time: i64,
    /// What: `healed`, `rewritten`, `replaced`, `lost`, `asleep`, `back` …
    pub what: String,
    /// The link.
    pub place: AbsPath,
    /// Where it led, or what it held.
    pub old: Option<Vec<u8>>,
    /// Where it leads now, or what it holds.
    pub new: Option<Vec<u8>>,
    /// The operation that `undo` takes back.
    pub operation: Option<u64>,
}

/// So many events are kept.
const MOST_EVENTS: i64 = 10_000;

/// What a link is found to be, and not what happens to it: each watcher that begins finds it anew.
const STATES: [&str; 3] = ["lost", "asleep", "replaced"];

/// What happened, from what, to what.
type Seen = (String, Option<Vec<u8>>, Option<Vec<u8>>);

/// The last that is noted of each link.
fn last_of_each(database: &Connection) -> Result<HashMap<Vec<u8>, Seen>, Trouble> {
    let mut statement =
        database.prepare_cached("SELECT place, what, old, new FROM event ORDER BY id")?;
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?))))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl Catalogue {
    /// Asks; an older question about the same link is replaced.
    ///
    /// # Errors
    /// The database's.
    pub fn ask(&mut self, question: &Question) -> Result<(), Trouble> {
        let transaction =
            self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute("DELETE FROM question WHERE link = ?", [question.link])?;
        {
            let mut put = transaction.prepare_cached(
                "INSERT INTO question (link, number, asked, why, place, words) VALUES (?, ?, ?, ?, ?, ?)",
            )?;
            let of = (question.link, question.asked, &question.why);
            if question.proposals.is_empty() {
                put.execute(params![of.0, 0, of.1, of.2, None::<Vec<u8>>, None::<String>])?;
            }
            for (number, proposal) in question.proposals.iter().enumerate() {
                let number = i64::try_from(number).unwrap_or(i64::MAX);
                let place = proposal.place.as_bytes();
                put.execute(params![of.0, number, of.1, of.2, place, proposal.words])?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Takes questions about links back: they were answered, or answered themselves.
    ///
    /// # Errors
    /// The database's.
    pub fn answered(&mut self, links: &[i64]) -> Result<(), Trouble> {
        let transaction =
            self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for link in links {
            transaction.execute("DELETE FROM question WHERE link = ?", [link])?;
        }
        Ok(transaction.commit()?)
    }

    /// Every question, the oldest first.
    ///
    /// # Errors
    /// The database's.
    pub fn questions(&self) -> Result<Vec<Question>, Trouble> {
        let mut statement = self.database.prepare_cached(
            "SELECT link, asked, why, place, words FROM question ORDER BY asked, link, number",
        )?;
        let mut rows = statement.query([])?;
        let mut all: Vec<Question> = Vec::new();
        while let Some(row) = rows.next()? {
            let link = row.get(0)?;
            let known = all.last().is_some_and(|last| last.link == link);
            if !known {
                let (asked, why) = (row.get(1)?, row.get(2)?);
                all.push(Question { link, asked, why, proposals: Vec::new() });
            }
            let place: Option<Vec<u8>> = row.get(3)?;
            let place = place.and_then(|place| AbsPath::cleaned(&place));
            if let (Some(place), Some(last)) = (place, all.last_mut()) {
                let words: Option<String> = row.get(4)?;
                last.proposals.push(Proposal { place, words: words.unwrap_or_default() });
            }
        }
        Ok(all)
    }

    /// Notes what was done or seen; the oldest are forgotten when there are too many. That it
    /// is lost, asleep or replaced is not noted again while that is the last that is noted of a link.
    ///
    /// # Errors
    /// The database's.
    pub fn note(&mut self, events: &[Event]) -> Result<(), Trouble> {
        let is_state = |event: &Event| STATES.contains(&event.what.as_str());
        let any_state = events.iter().any(is_state);
        let transaction =
            self.database.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut last = if any_state { last_of_each(&transaction)? } else { HashMap::new() };
            let mut put = transaction.prepare_cached(
                "INSERT INTO event (time, what, place, old, new, operation) VALUES (?, ?, ?, ?, ?, ?)",
            )?;
            for event in events {
                if any_state {
                    let seen = (event.what.clone(), event.old.clone(), event.new.clone());
                    let before = last.insert(event.place.as_bytes().to_vec(), seen.clone());
                    if is_state(event) && before.is_some_and(|before| before == seen) {
                        continue;
                    }
                }
                put.execute(params![
                    event.time,
                    event.what,
                    event.place.as_bytes(),
                    event.old,
                    event.new,
                    event.operation.map(u64::cast_signed),
                ])?;
            }
        }
        transaction.execute(
            "DELETE FROM event WHERE id <= (SELECT max(id) FROM event) - ?",
            [MOST_EVENTS],
        )?;
        Ok(transaction.commit()?)
    }

    /// The last so many events, the latest first.
    ///
    /// # Errors
    /// The database's.
    pub fn events(&self, most: u32) -> Result<Vec<Event>, Trouble> {
        let mut statement = self.database.prepare_cached(
            "SELECT time, what, place, old, new, operation FROM event ORDER BY id DESC LIMIT ?",
        )?;
        let rows = statement.query_map([most], |row| {
            let place: Vec<u8> = row.get(2)?;
            let operation: Option<i64> = row.get(5)?;
            Ok((
                AbsPath::cleaned(&place),
                Event {
                    time: row.get(0)?,
                    what: row.get(1)?,
                    place: AbsPath::root(),
                    old: row.get(3)?,
                    new: row.get(4)?,
                    operation: operation.map(i64::cast_unsigned),
                },
            ))
        })?;
        let mut all = Vec::new();
        for row in rows {
            if let (Some(place), event) = row? {
                all.push(Event { place, ..event });
            }
        }
        Ok(all)
    }
}
