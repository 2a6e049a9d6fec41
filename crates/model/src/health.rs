//! The verdict on a link.

use crate::chain::End;
use crate::expected::Absent;

/// What is true of a link.
///
/// "Could not tell" is a verdict of its own ([`Health::Denied`], [`Health::Unknown`]), never a
/// guess; and a volume that is away is not a destination that is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Health {
    /// The system can follow it.
    Ok,
    /// Its destination is gone: the volume that would hold it is here, and it is not.
    Broken,
    /// The volume, drive or share that would hold its destination is not attached.
    Asleep,
    /// Its chain returns to itself, or is longer than the system follows.
    Loop,
    /// Not allowed to look.
    Denied,
    /// It passes through something that is not a folder.
    NotADirectory,
    /// No answer.
    Unknown,
    /// Of a link on record: a real file or folder stands in its place, since a program saved over it.
    Replaced,
    /// Of a link on record: it works, and holds another text than is on record.
    Retargeted,
}

impl Health {
    /// Every health, in the order in which they are counted and documented.
    pub const ALL: [Self; 9] = [
        Self::Ok,
        Self::Broken,
        Self::Asleep,
        Self::Loop,
        Self::Denied,
        Self::NotADirectory,
        Self::Unknown,
        Self::Replaced,
        Self::Retargeted,
    ];

    /// The verdict on a chain. `absent` is the volume that should hold its missing end, if one
    /// is expected there and not attached ([`crate::expected::absent`]).
    pub fn of<Folder>(end: &End<Folder>, absent: Option<&Absent>) -> Self {
        match end {
            End::Found(_) => Self::Ok,
            End::Missing | End::Unavailable if absent.is_some() => Self::Asleep,
            End::Missing => Self::Broken,
            End::NotADirectory(_) => Self::NotADirectory,
            End::Loop | End::TooManyHops => Self::Loop,
            End::Denied => Self::Denied,
            End::Unavailable => Self::Unknown,
        }
    }

    /// Whether the link is wrong as it stands, so that a person must do something: what `check`
    /// exits with 1 for.
    pub fn is_wrong(self) -> bool {
        matches!(self, Self::Broken | Self::Loop | Self::NotADirectory | Self::Replaced)
    }

    /// Whether no verdict could be given.
    pub fn is_unjudged(self) -> bool {
        matches!(self, Self::Denied | Self::Unknown)
    }

    /// The word used on the command line and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Broken => "broken",
            Self::Asleep => "asleep",
            Self::Loop => "loop",
            Self::Denied => "denied",
            Self::NotADirectory => "not_a_directory",
            Self::Unknown => "unknown",
            Self::Replaced => "replaced",
            Self::Retargeted => "retargeted",
        }
    }
}
