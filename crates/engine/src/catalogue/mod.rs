//! The links on record, and what their targets were like: a cache of what is there.
//!
//! One SQLite file in linkwell's own state folder, used by several processes at once (the command line,
//! the watcher). It can be deleted at any time: nothing of the user's is in it, and what linkwell did is
//! in the journal. So it is never the reason that something fails: a file that is damaged is set aside
//! and begun anew.
//!
//! * [`Catalogue`]: opening it.
//! * [`links`]: links recorded, asked for, forgotten.
//! * [`referring`]: what depends on a place; links that have moved.
//! * [`questions`]: what waits for a person's answer, and what was healed.

pub mod links;
pub mod questions;
pub mod referring;
mod row;
mod schema;

use crate::operator::Held;
use linkwell_model::path::AbsPath;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::fd::AsFd as _;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

/// The catalogue's name in the state folder.
pub const NAME: &str = "catalogue.sqlite";

/// How long another process that writes is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Held while one is opened: locks on a file belong to the process (`fcntl_locking(2)`).
static OPENING: Mutex<()> = Mutex::new(());

/// Why the catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// It was made by a later linkwell.
    #[error("it was made by a later version of linkwell (its form is {0})")]
    Newer(i64),
    /// The database refuses.
    #[error("{0}")]
    Database(#[from] rusqlite::Error),
    /// A file cannot be set aside, or made.
    #[error("{}", crate::survey::reason(*.0))]
    System(Errno),
}

impl Trouble {
    /// Whether the file itself is no sound database any more.
    pub fn is_damage(&self) -> bool {
        use rusqlite::Error;
        let Self::Database(error) = self else { return false };
        match error {
            // A value of another type than the table has: no statement of ours writes that.
            Error::InvalidColumnType(..)
            | Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::Utf8Error(..) => true,
            // Our statements fit our tables: these are not our tables any more.
            Error::SqlInputError { .. } => true,
            Error::SqliteFailure(code, words) => match code.code {
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => true,
                ErrorCode::Unknown => words.as_ref().is_some_and(|words| {
                    ["no such", "malformed", "already exists"]
                        .iter()
                        .any(|sign| words.contains(sign))
                }),
                _ => false,
            },
            _ => false,
        }
    }
}

/// What opening came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// It was there.
    AsItWas,
    /// It was not there, and was made.
    Made,
    /// It was damaged; it was set aside under this name, and made anew.
    SetAside(AbsPath),
}

/// The catalogue, open.
#[derive(Debug)]
pub struct Catalogue {
    database: Connection,
    place: AbsPath,
    /// Which file it is: device and inode number.
    file: Option<(u64, u64)>,
}

/// Which file stands at a place.
fn file_at(place: &AbsPath) -> Option<(u64, u64)> {
    let facts = rustix::fs::lstat(place.as_bytes()).ok()?;
    Some((facts.st_dev, facts.st_ino))
}

impl Catalogue {
    /// Opens the catalogue in the state folder, which has been checked to be this user's alone
    /// ([`crate::state::open`]), and makes it if it is not there.
    ///
    /// # Errors
    /// When it was made by a later linkwell, or cannot be opened or made.
    pub fn open_or_make(state: &Held) -> Result<(Self, Opened), Trouble> {
        let make = OpenFlags::SQLITE_OPEN_CREATE;
        match Self::open_with(state, make) {
            Err(trouble) if trouble.is_damage() => {
                let (anew, aside) = Self::anew(state)?;
                Ok((anew, Opened::SetAside(aside)))
            }
            answer => answer,
        }
    }

    /// Opens the catalogue if there is one. A damaged one counts as none; it is left for
    /// [`Self::open_or_make`] to set aside.
    ///
    /// # Errors
    /// As for [`Self::open_or_make`].
    pub fn open_if_any(state: &Held) -> Result<Option<Self>, Trouble> {
        match Self::open_with(state, OpenFlags::empty()) {
            Ok((opened, _)) => Ok(Some(opened)),
            Err(Trouble::Database(error))
                if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) =>
            {
                Ok(None)
            }
            Err(trouble) if trouble.is_damage() => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    fn open_with(state: &Held, make: OpenFlags) -> Result<(Self, Opened), Trouble> {
        let place = state.place.joined(NAME.as_bytes());
        // By its path, since SQLite knows no other way. Nobody else can change what is on it: that is what
        // the state folder was checked for.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_NOFOLLOW
            | make;
        let path = Path::new(OsStr::from_bytes(place.as_bytes()));
        // A thread that makes the file and closes it would end the locks that another one has on it by then.
        let opening = OPENING.lock();
        if make.contains(OpenFlags::SQLITE_OPEN_CREATE) {
            close_to_others(state)?;
        }
        let mut database = Connection::open_with_flags(path, flags)?;
        database.busy_timeout(PATIENCE)?;
        let made = schema::prepare(&mut database)?;
        let opened = if made { Opened::Made } else { Opened::AsItWas };
        let file = file_at(&place);
        drop(opening);
        Ok((Self { database, place, file }, opened))
    }

    /// Sets a damaged catalogue aside, and begins a new one.
    ///
    /// # Errors
    /// When it cannot be renamed, or a new one not be made.
    pub fn begin_anew(self, state: &Held) -> Result<(Self, AbsPath), Trouble> {
        drop(self);
        Self::anew(state)
    }

    /// Sets what is there aside, and begins a new one with the policies of the old one.
    fn anew(state: &Held) -> Result<(Self, AbsPath), Trouble> {
        let aside = set_aside(state)?;
        let (mut anew, _) = Self::open_with(state, OpenFlags::SQLITE_OPEN_CREATE)?;
        // What cannot be read there any more is lost, as it would be without trying.
        carry_over(&aside, &mut anew).unwrap_or_default();
        Ok((anew, aside))
    }

    /// Leaves what was written in the log beside the file for another time, instead of putting it into the
    /// file when this connection is the last one: a small change is done sooner so.
    pub fn leave_log(&self) {
        // Without it, it takes a little longer.
        let kept = self.database.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        kept.unwrap_or_default();
    }

    /// Whether the file that stands at its place is still the one that was opened, or a moment ago none was.
    pub fn is_in_place(&self) -> bool {
        self.file.is_none() || file_at(&self.place).is_none_or(|file| Some(file) == self.file)
    }

    /// Where it lies.
    pub fn place(&self) -> &AbsPath {
        &self.place
    }

    /// A number that is another one as soon as any other process has changed something.
    ///
    /// # Errors
    /// The database's.
    pub fn version(&self) -> Result<i64, Trouble> {
        Ok(self.database.pragma_query_value(None, "data_version", |row| row.get(0))?)
    }

    /// Looks through the whole file for damage: the first thing that is wrong, if any.
    ///
    /// # Errors
    /// The database's.
    pub fn damage(&self) -> Result<Option<String>, Trouble> {
        let found: String =
            self.database.pragma_query_value(None, "quick_check", |row| row.get(0))?;
        Ok((found != "ok").then_some(found))
    }
}

/// Makes the file, or takes from others what an earlier version or a wide umask left them: it names files
/// and says what is in them. What lies beside it gets the same permissions from the database.
fn close_to_others(state: &Held) -> Result<(), Trouble> {
    use crate::disk::{Disk as _, Unix};
    use linkwell_model::name::Name;
    let system = |error| Trouble::System(error);
    let at = state.folder.as_fd();
    let name = Name::new(NAME.as_bytes().to_vec()).ok_or(Trouble::System(Errno::INVAL))?;
    match Unix.make_file_as(at, &name, 0o600) {
        Ok(_) => return Ok(()),
        Err(Errno::EXIST) => {}
        // The database says it better.
        Err(_) => return Ok(()),
    }
    // Only held, since closing it otherwise would end the locks that this process has on it.
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let held = rustix::fs::openat(at, NAME, flags, Mode::empty()).map_err(system)?;
    let facts = rustix::fs::fstat(&held).map_err(system)?;
    if FileType::from_raw_mode(facts.st_mode).is_file() && facts.st_mode & 0o077 != 0 {
        // Root's file in a user's state folder stays as it is.
        Unix.permit(held.as_fd(), 0o600).unwrap_or_default();
    }
    Ok(())
}

/// Puts the links of a damaged catalogue on record whose policy somebody has chosen, as far as they can be
/// read: nothing but that was ever told only to the catalogue.
fn carry_over(aside: &AbsPath, anew: &mut Catalogue) -> Result<(), Trouble> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let path = Path::new(OsStr::from_bytes(aside.as_bytes()));
    let database = Connection::open_with_flags(path, flags)?;
    let old = Catalogue { database, place: aside.clone(), file: None };
    let mut chosen: Vec<links::Seen> = Vec::new();
    let mut now = 0;
    // It may end in the middle.
    let read = old.some("WHERE policy <> 'follow'", [], |entry| {
        now = now.max(entry.seen);
        chosen.push(links::Seen { link: entry.link, target: None, ties: Vec::new() });
        ControlFlow::Continue(())
    });
    anew.record(&chosen, now)?;
    read
}

/// Gives the damaged catalogue, and what belongs to it, another name.
fn set_aside(state: &Held) -> Result<AbsPath, Trouble> {
    use crate::disk::{Disk as _, Unix};
    use linkwell_model::name::Name;
    let name = |text: String| Name::new(text.into_bytes()).ok_or(Trouble::System(Errno::INVAL));
    let at = state.folder.as_fd();
    for number in 1_u32..1000 {
        let aside = name(format!("catalogue.damaged-{number}"))?;
        match Unix.rename_new(at, &name(NAME.into())?, at, &aside) {
            Ok(()) => {
                // What was not yet in the file itself is of no use without it, and would harm a new one.
                for end in ["-wal", "-shm"] {
                    let beside = name(format!("{NAME}{end}"))?;
                    let its = name(format!("catalogue.damaged-{number}{end}"))?;
                    match Unix.rename_new(at, &beside, at, &its) {
                        Ok(()) | Err(Errno::NOENT) => {}
                        Err(error) => return Err(Trouble::System(error)),
                    }
                }
                return Ok(state.place.joined(aside.as_bytes()));
            }
            Err(Errno::EXIST) => {}
            Err(error) => return Err(Trouble::System(error)),
        }
    }
    Err(Trouble::System(Errno::EXIST))
}
