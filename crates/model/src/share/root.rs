//! A folder that a client syncs, or saves, on this computer.

use crate::path::AbsPath;

/// How such a folder was found when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// A folder, physically at this place, on the volume that is attached at the second one.
    There {
        /// Where it lies, with no link on the way.
        place: AbsPath,
        /// Where its volume is attached, where the system says so.
        volume: Option<AbsPath>,
    },
    /// Nothing is there.
    Missing,
    /// Its volume is not attached.
    Asleep {
        /// Where the volume would be.
        volume: AbsPath,
    },
    /// Its volume gives no answer, or would be woken by a look.
    NoAnswer {
        /// Where it is attached.
        volume: AbsPath,
    },
    /// Something is there, and is no folder.
    NotFolder,
    /// It could not be looked at.
    Unseen,
}

impl State {
    /// The word for programs.
    pub fn word(&self) -> &'static str {
        match self {
            Self::There { .. } => "there",
            Self::Missing => "missing",
            Self::Asleep { .. } => "asleep",
            Self::NoAnswer { .. } => "no_answer",
            Self::NotFolder => "not_a_folder",
            Self::Unseen => "unseen",
        }
    }
}

/// Which way changes go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    /// Both ways, as far as is known.
    #[default]
    Both,
    /// Only from here.
    Sends,
    /// Only to here.
    Receives,
}

impl Way {
    /// The word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Both => "both",
            Self::Sends => "sends",
            Self::Receives => "receives",
        }
    }
}

/// A folder that a client syncs, or saves, on this computer: by its configuration, which is a hint, and
/// by a look, which is the truth of that moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The client's id.
    pub client: &'static str,
    /// The folder, as its configuration has it, from `/` on.
    pub path: AbsPath,
    /// How it was found.
    pub state: State,
    /// What it is called there, or for people.
    pub name: Option<Vec<u8>>,
    /// The client's own word for it.
    pub key: Option<Vec<u8>>,
    /// Whether the client was told to leave it alone for now.
    pub paused: bool,
    /// Which way changes go.
    pub way: Way,
    /// The configuration that says so.
    pub config: AbsPath,
}

impl Root {
    /// Where it lies, if it is there.
    pub fn place(&self) -> Option<&AbsPath> {
        match &self.state {
            State::There { place, .. } => Some(place),
            _ => None,
        }
    }

    /// Whether a place, with no link on the way, is this folder or lies in it.
    pub fn holds(&self, place: &AbsPath) -> bool {
        self.place().is_some_and(|root| place.is_at_or_below(root))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> AbsPath {
        AbsPath::cleaned(text.as_bytes()).unwrap_or_else(AbsPath::root)
    }

    #[test]
    fn what_counts_is_where_it_lies() {
        let there = State::There { place: place("/mnt/big/Sync"), volume: None };
        let mut root = Root {
            client: "syncthing",
            path: place("/home/ada/Sync"),
            state: there,
            name: None,
            key: None,
            paused: false,
            way: Way::Both,
            config: place("/c"),
        };
        assert!(root.holds(&place("/mnt/big/Sync")) && root.holds(&place("/mnt/big/Sync/a/b")));
        assert!(!root.holds(&place("/home/ada/Sync/a")) && !root.holds(&place("/mnt/big/Sync2")));
        root.state = State::Missing;
        assert!(!root.holds(&place("/mnt/big/Sync")) && root.place().is_none());
    }
}
