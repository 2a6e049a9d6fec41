//! The five ways in which a folder that lives elsewhere is made to arrive.

use super::said::Said;
use serde::{Deserialize, Serialize};

/// How a folder is made to arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arrangement {
    /// The client is told of the folder itself.
    Native,
    /// The folder moves to where it is synced, and a link stays at its old place.
    Inverted,
    /// The folder is mounted a second time, where it is synced.
    Bind,
    /// A link where it is synced, and an option that lets the client follow it.
    Follow,
    /// Hard links to the same files: for files that never change again.
    Mirror,
}

impl Arrangement {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Native, Self::Inverted, Self::Bind, Self::Follow, Self::Mirror];

    /// The word in the table, for programs, and to be typed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Inverted => "inverted",
            Self::Bind => "bind",
            Self::Follow => "follow",
            Self::Mirror => "mirror",
        }
    }
}

/// What an arrangement means with any client.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct General {
    /// What it is, in words.
    pub is: String,
    /// What an edit on the other side does here.
    pub edit: Said,
    /// What renaming the folder on the other side does here.
    pub rename: Said,
    /// What deleting it on the other side does here.
    pub delete: Said,
    /// What happens when the folder cannot be reached here for a while.
    pub missing: Said,
}

/// An arrangement that is recommended for one client.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recommended {
    /// Which.
    #[serde(rename = "do")]
    pub arrangement: Arrangement,
    /// Why, in one sentence.
    pub why: String,
    /// The name of the source of that.
    pub from: String,
    /// The option that the client needs. In it, `NAME` is what the folder is called where it is synced.
    pub option: Option<String>,
    /// What is to be done in the client itself, step by step. In it, `FOLDER` is the folder.
    pub how: Option<String>,
    /// Where this client differs from what holds in general.
    pub edit: Option<Said>,
    /// Likewise.
    pub rename: Option<Said>,
    /// Likewise.
    pub delete: Option<Said>,
    /// Likewise.
    pub missing: Option<Said>,
}
