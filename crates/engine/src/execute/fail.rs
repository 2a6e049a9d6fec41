//! Why a step was not done.

use crate::transfer::Lost;
use linkwell_model::path::AbsPath;
use rustix::io::Errno;

/// Why a step was not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fail {
    /// The folder at this place cannot be opened, or is another one than was planned with.
    Folder {
        /// Where.
        place: AbsPath,
        /// The system's reason; none when it is another folder.
        error: Option<Errno>,
    },
    /// Something has taken the name meanwhile.
    Taken(AbsPath),
    /// What stands here is not what was planned with.
    Changed(AbsPath),
    /// It is the last name of its file, which would be lost.
    LastName(AbsPath),
    /// What was made does not read back as it should.
    NotAsMade(AbsPath),
    /// Somebody has this open for writing: the process of this number and name, where that is known.
    InUse {
        /// What.
        place: AbsPath,
        /// Who.
        by: Option<(u32, Vec<u8>)>,
    },
    /// A copy would lack something that was not accepted.
    Lossy {
        /// What was copied.
        place: AbsPath,
        /// All that the copy would lack; the paths are below the place.
        lost: Vec<Lost>,
    },
    /// A folder in it belongs to another volume, or something in it is of an unknown kind.
    Mounted(AbsPath),
    /// It cannot be moved here by renaming: the two places belong to different volumes, or to parts of one
    /// that names cannot be moved between.
    OtherVolume(AbsPath),
    /// The system refuses.
    System {
        /// What could not be done.
        doing: &'static str,
        /// Where.
        place: AbsPath,
        /// The system's reason.
        error: Errno,
    },
    /// Not all of it could be freed, for this reason; what is left has its name again, unless somebody
    /// has taken that.
    Left(Box<Fail>),
    /// What it relies on was not done.
    Needs,
    /// The record makes no sense.
    Record,
    /// The person asked to stop.
    Interrupted,
}
