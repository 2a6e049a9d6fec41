//! What `share` has arranged: on record, since no look at the disk tells why a link is there.

use super::arrangement::Arrangement;
use crate::encoded;
use crate::name::Name;
use crate::path::AbsPath;
use serde::{Deserialize, Serialize};

/// A folder that was put where a client syncs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    /// The folder as people know it: where it stood, and where its link stands now. Of a followed link, where it stands.
    pub folder: AbsPath,
    /// The client's id; none when it was put into a folder that a person has named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The folder that is synced; of one that the client was told of, that folder.
    pub root: AbsPath,
    /// What it is called there.
    #[serde(serialize_with = "encoded::serialize", deserialize_with = "encoded::deserialize")]
    pub name: Box<[u8]>,
    /// How it was arranged.
    pub arrangement: Arrangement,
    /// When, in seconds since 1970.
    pub at: i64,
    /// The client's own word for it, where it was told of the folder itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// It was taken back. It counts again while it stands all the same: that was undone then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

impl Placement {
    /// Where it was put.
    pub fn there(&self) -> AbsPath {
        match self.arrangement {
            Arrangement::Native => self.root.clone(),
            _ => self.root.joined(&self.name),
        }
    }

    /// The name, if it is one.
    pub fn name(&self) -> Option<Name> {
        Name::new(&*self.name)
    }
}

/// The file of placements.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placements {
    /// The version of the format.
    pub version: u32,
    /// All of them, in the order in which they were made.
    pub placements: Vec<Placement>,
}

/// The version that is written, and the newest that is read.
pub const VERSION: u32 = 1;
