//! A statement about a client, and whom it is from. What nobody vouches for is not said.

use serde::Deserialize;

/// The word of the table for what is not known.
pub const UNKNOWN: &str = "unknown";

/// Who says so; the most trustworthy first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Tried by us.
    Measured,
    /// The client's maker says so.
    Maker,
    /// People who use it say so, at a place that can be named.
    Reports,
    /// Told, with no place to name, and not tried.
    Hearsay,
}

impl By {
    /// The word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::Maker => "maker",
            Self::Reports => "reports",
            Self::Hearsay => "hearsay",
        }
    }
}

/// Whom a statement is from.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Who says so.
    pub by: By,
    /// Of which version.
    pub version: Option<String>,
    /// Since when: the month in which it was measured, or the year of a report.
    pub date: Option<String>,
    /// Where it can be read, or where it was measured.
    #[serde(rename = "where")]
    pub at: Option<String>,
}

impl Source {
    /// The source in a few words, such as `measured: 1.29.5, 2026-11`.
    pub fn short(&self) -> String {
        let mut words = match self.by {
            By::Measured => "measured".to_owned(),
            By::Maker => "its maker says so".to_owned(),
            By::Reports => "reports of users".to_owned(),
            By::Hearsay => "hearsay, not tried".to_owned(),
        };
        let more: Vec<&str> =
            [&self.version, &self.date].into_iter().flatten().map(String::as_str).collect();
        if !more.is_empty() {
            words += &format!(": {}", more.join(", "));
        }
        words
    }

    /// The source with the place where it can be read.
    pub fn whole(&self) -> String {
        let mut words = self.short();
        if let Some(at) = &self.at {
            words += &format!(" ({at})");
        }
        words
    }
}

/// A statement in words. `unknown` has no source.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// The statement, or [`UNKNOWN`].
    pub says: String,
    /// The name of its source; see [`super::client::Client::source`].
    pub from: Option<String>,
}

impl Said {
    /// Whether anything is known.
    pub fn is_known(&self) -> bool {
        self.says != UNKNOWN
    }
}
