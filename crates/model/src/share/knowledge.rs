//! All that is known of clients: the table, read once and checked.

use super::arrangement::{Arrangement, General, Recommended};
use super::client::{Client, Does, Mark, is_stated};
use super::said::{Said, Source};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// The table.
const TABLE: &str = include_str!("../../clients.toml");

static KNOWN: LazyLock<Knowledge> =
    LazyLock::new(|| Knowledge::read(TABLE).expect("a test reads the table that is compiled in"));

/// All that is known of clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knowledge {
    /// The clients, in the order of the table.
    pub clients: Vec<Client>,
    general: BTreeMap<Arrangement, General>,
    sources: BTreeMap<String, Source>,
}

/// Why a table cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It is no table of this form.
    #[error("the table: {0}")]
    Table(String),
    /// A row is not of its form.
    #[error("client `{client}`: {why}")]
    Row {
        /// The row's id, or which row it is.
        client: String,
        /// What is wrong.
        why: String,
    },
}

/// The table before its rows are read, so that an error can name the row.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    sources: BTreeMap<String, Source>,
    arrangement: BTreeMap<Arrangement, General>,
    client: Vec<toml::Value>,
}

/// The four things that the other side, or time, may do to a folder.
#[derive(Clone, Copy, Debug)]
pub struct Consequences<'k> {
    /// What an edit on the other side does here.
    pub edit: &'k Said,
    /// What renaming the folder on the other side does here.
    pub rename: &'k Said,
    /// What deleting it on the other side does here.
    pub delete: &'k Said,
    /// What happens when it cannot be reached here for a while.
    pub missing: &'k Said,
}

impl Knowledge {
    /// What this program knows.
    pub fn known() -> &'static Self {
        &KNOWN
    }

    /// Reads a table.
    ///
    /// # Errors
    /// What is wrong, and in which row.
    pub fn read(text: &str) -> Result<Self, Broken> {
        let broken = |error: toml::de::Error| Broken::Table(error.to_string());
        let file: File = toml::from_str(text).map_err(broken)?;
        let mut clients: Vec<Client> = Vec::with_capacity(file.client.len());
        for (at, row) in file.client.into_iter().enumerate() {
            let id = row.get("id").and_then(toml::Value::as_str).map(str::to_owned);
            let name = id.unwrap_or_else(|| format!("number {}", at + 1));
            let row = Client::deserialize(row);
            let broken = |why: String| Broken::Row { client: name.clone(), why };
            let mut client = row.map_err(|error| broken(error.message().to_owned()))?;
            for (shared, source) in &file.sources {
                if client.sources.insert(shared.clone(), source.clone()).is_some() {
                    return Err(broken(format!("its source `{shared}` is one of the whole table")));
                }
            }
            check(&client).map_err(broken)?;
            if clients.iter().any(|other| other.id == client.id) {
                return Err(broken("there are two rows of it".into()));
            }
            clients.push(client);
        }
        let knowledge = Self { clients, general: file.arrangement, sources: file.sources };
        knowledge.check_general().map_err(Broken::Table)?;
        Ok(knowledge)
    }

    /// The client that is called so in commands, or by people; without regard to case.
    pub fn client(&self, called: &str) -> Option<&Client> {
        let is = |client: &&Client| {
            client.id.eq_ignore_ascii_case(called) || client.name.eq_ignore_ascii_case(called)
        };
        self.clients.iter().find(is)
    }

    /// The client whose id or name is nearest to a word that is none of them.
    pub fn nearest(&self, called: &str) -> Option<&Client> {
        let called = called.to_lowercase();
        let how_far = |client: &&Client| {
            let ways = [client.id.to_lowercase(), client.name.to_lowercase()];
            ways.iter().map(|way| distance(way, &called)).min().unwrap_or(usize::MAX)
        };
        let nearest = self.clients.iter().min_by_key(how_far)?;
        // Half of the letters wrong is another word.
        (how_far(&nearest) <= called.chars().count() / 2).then_some(nearest)
    }

    /// What an arrangement means with any client.
    pub fn general(&self, arrangement: Arrangement) -> Option<&General> {
        self.general.get(&arrangement)
    }

    /// What may happen to a folder that is arranged so: what is known of the client, and else what holds
    /// in general.
    pub fn consequences<'k>(&'k self, chosen: &'k Recommended) -> Option<Consequences<'k>> {
        let general = self.general(chosen.arrangement)?;
        Some(Consequences {
            edit: chosen.edit.as_ref().unwrap_or(&general.edit),
            rename: chosen.rename.as_ref().unwrap_or(&general.rename),
            delete: chosen.delete.as_ref().unwrap_or(&general.delete),
            missing: chosen.missing.as_ref().unwrap_or(&general.missing),
        })
    }

    /// Every mark of every client: those with a path first, since they are sure.
    pub fn marks(&self) -> impl Iterator<Item = (&Client, &Mark)> {
        let all = |sure: bool| {
            self.clients.iter().flat_map(move |client| {
                let marks = client.marks.iter().filter(move |mark| mark.path.is_some() == sure);
                marks.map(move |mark| (client, mark))
            })
        };
        all(true).chain(all(false))
    }

    fn check_general(&self) -> Result<(), String> {
        for arrangement in Arrangement::ALL {
            let word = arrangement.word();
            let Some(general) = self.general(arrangement) else {
                return Err(format!("nothing is said of the arrangement `{word}`"));
            };
            for said in [&general.edit, &general.rename, &general.delete, &general.missing] {
                let known = said.from.as_ref().is_some_and(|from| self.sources.contains_key(from));
                if is_stated(said) && !known {
                    return Err(format!("`{word}` says \"{}\" without a source", said.says));
                }
            }
        }
        Ok(())
    }
}

/// What the form of a row cannot say by itself.
fn check(client: &Client) -> Result<(), String> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if client.id.is_empty() || !client.id.bytes().all(plain) {
        return Err("its id is not made of small letters, digits and `-`".into());
    }
    if client.arrangements.is_empty() {
        return Err("no arrangement is recommended".into());
    }
    let different: BTreeSet<_> = client.arrangements.iter().map(|one| one.arrangement).collect();
    if different.len() != client.arrangements.len() {
        return Err("an arrangement is recommended twice".into());
    }
    for (about, from) in client.statements() {
        match from {
            None => return Err(format!("`{about}` is said without a source")),
            Some(from) if client.source(from).is_none() => {
                return Err(format!("`{about}` is from `{from}`, which is none of its sources"));
            }
            Some(_) => {}
        }
    }
    for (kind, treatment) in client.links.all() {
        if treatment.does == Does::Unknown && treatment.from.is_some() {
            return Err(format!("`links.{kind}` is unknown, and has a source"));
        }
    }
    for mark in client.marks.iter().chain(&client.signs) {
        match (&mark.path, &mark.begin, &mark.end) {
            (Some(_), None, None) | (None, Some(_), Some(_)) => {}
            _ => return Err("a mark needs a path, or a beginning and an end".into()),
        }
    }
    let bases = ["~/", "$CONFIG/", "$STATE/", "$DATA/", "$CACHE/"];
    for at in client.config.iter().flat_map(|config| &config.at) {
        if !bases.iter().any(|base| at.starts_with(base)) {
            return Err(format!("`{at}` does not begin at a known folder"));
        }
    }
    Ok(())
}

/// How many letters have to be changed, added or left out to make one word into the other
/// (Levenshtein's distance).
fn distance(one: &str, two: &str) -> usize {
    let two: Vec<char> = two.chars().collect();
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut left = at + 1;
        let mut corner = at;
        for (other, above) in two.iter().zip(row.iter_mut().skip(1)) {
            let changed = corner + usize::from(*other != letter);
            corner = *above;
            left = changed.min(*above + 1).min(left + 1);
            *above = left;
        }
        if let Some(first) = row.first_mut() {
            *first = at + 1;
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}
