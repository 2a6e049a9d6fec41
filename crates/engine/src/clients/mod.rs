//! Which sync and backup clients are on this computer, by what they wrote themselves.
//!
//! What to look for stands in the table of clients (`linkwell_model::share`); here are the few ways to
//! look. A configuration is a hint by somebody else: it is read only if nobody but this user and root can
//! have written it (`reading`), and a folder that it names is looked at (`rooted`).
//!
//! * `places`: where configurations may be.
//! * `reading`: a small file, read with care.
//! * `running`: this user's processes.
//! * `rooted`: a folder that a configuration names, looked at.
//! * `pairs`: the folders that `rclone bisync` keeps names of.
//! * `syncthing`: Syncthing's own interface, which alone is spoken to.

mod finding;
mod pairs;
mod places;
mod reading;
mod rooted;
mod running;
pub mod syncthing;

pub use finding::find;
pub use places::Places;

use crate::operator::Refusal;
use linkwell_model::path::AbsPath;
use linkwell_model::share::client::Client;
use linkwell_model::share::root::Root;
use rustix::io::Errno;
use std::fmt;

/// A client that is on this computer.
#[derive(Debug)]
pub struct Found {
    /// Which.
    pub client: &'static Client,
    /// The configurations that say so.
    pub configs: Vec<AbsPath>,
    /// The folders that it syncs or saves, as far as they can be told.
    pub roots: Vec<Root>,
    /// Places elsewhere that it knows by name, and of what kind each is.
    pub remotes: Vec<(Vec<u8>, Vec<u8>)>,
    /// The processes of this user's that run it.
    pub processes: Vec<u32>,
    /// How it can be spoken to while it runs.
    pub interface: Option<Interface>,
}

/// Everything that was found.
#[derive(Debug, Default)]
pub struct All {
    /// The clients, in the order of the table.
    pub found: Vec<Found>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// Nobody could say which programs run.
    pub blind: bool,
}

/// How a running client can be spoken to, on this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its address, as the configuration has it.
    pub address: Vec<u8>,
    /// The word that lets one in.
    pub secret: Secret,
}

/// A word that opens doors, and is printed nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// The word itself, for the client alone.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

/// A configuration, or a folder that it names, that could not be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The client's id.
    pub client: &'static str,
    /// The configuration.
    pub place: AbsPath,
    /// The line in it, where that is known.
    pub line: Option<u64>,
    /// What is wrong.
    pub why: Trouble,
}

/// What is wrong with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// A link that leads to no file stands in its place.
    Link,
    /// It is no file.
    NotFile,
    /// It is larger than any configuration.
    TooLarge,
    /// It belongs to another user.
    Foreign(u32),
    /// Others may write to it.
    Open,
    /// Others may put another one in its place.
    OpenFolder,
    /// It breaks the rules of its format.
    Malformed(&'static str),
    /// It names a folder by a path that leads nowhere by itself.
    NotAbsolute(Vec<u8>),
    /// It is on a volume that gives no answer, or at this place.
    NoAnswer(AbsPath),
    /// The way there must not be walked.
    Way(Refusal),
    /// The system refuses.
    System(Errno),
}
