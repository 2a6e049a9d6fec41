//! linkwell's own state folder: this user's alone, whoever else is on the computer.
//!
//! What is recorded there is acted upon later, so nobody else may be able to write it, or to put
//! another folder in its place: every folder on the way belongs to root or to this user, and nobody
//! else may write to it, unless it is like `/tmp`, where only owners may rename. Links on the way are
//! followed under the rule for typed paths ([`crate::operator`]).

use crate::disk::Disk;
use crate::operator::{Held, Operator, Refusal};
use crate::system::{Access, Facts, System};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::io::Errno;
use std::sync::Arc;

/// Why the state folder cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// There is none: neither `XDG_STATE_HOME` nor a home folder is known.
    Nowhere,
    /// It does not exist, and was not to be made.
    Missing,
    /// This folder, or one above it, belongs to somebody else.
    Foreign(AbsPath, u32),
    /// Others may write to this folder, or to one above it.
    Open(AbsPath),
    /// The way there cannot be walked.
    Way(AbsPath, Refusal),
    /// The system refuses.
    System(AbsPath, Errno),
}

/// Opens the state folder at `state`.
///
/// # Errors
/// When it does not exist, or cannot be trusted.
pub fn open(system: System, state: &AbsPath) -> Result<Held, Trouble> {
    let root = root(system)?;
    let mut operator = Operator::at(system, root);
    let held = operator.folder(state.as_bytes()).map_err(|refusal| match refusal {
        Refusal::NoFolder(_) => Trouble::Missing,
        refusal => Trouble::Way(state.clone(), refusal),
    })?;
    check_way(system, &held, true)?;
    Ok(held)
}

/// Opens the state folder at `state`, and makes it, and what is missing above it, each for nobody but
/// this user.
///
/// # Errors
/// When it cannot be trusted, or made.
pub fn open_or_make(disk: &dyn Disk, system: System, state: &AbsPath) -> Result<Held, Trouble> {
    match open(system, state) {
        Err(Trouble::Missing) => {}
        answer => return answer,
    }
    let (mut held, mut missing) = nearest(system, state)?;
    check_way(system, &held, false)?;
    while let Some(name) = missing.pop() {
        let place = held.place.joined(name.as_bytes());
        let trouble = |error| Trouble::System(place.clone(), error);
        match disk.make_folder(held.folder.as_fd(), &name) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(error) => return Err(trouble(error)),
        }
        let folder =
            system.open(held.folder.as_fd(), name.as_bytes(), Access::Hold).map_err(trouble)?;
        held = Held { folder: Arc::new(folder), place: place.clone() };
        check(&system.facts_of(held.folder.as_fd()).map_err(trouble)?, &place, true)?;
    }
    Ok(held)
}

/// The nearest folder at or above `place` that exists, and the names below it that are missing, the
/// last one first.
pub(crate) fn nearest(system: System, place: &AbsPath) -> Result<(Held, Vec<Name>), Trouble> {
    let mut operator = Operator::at(system, root(system)?);
    let mut missing: Vec<Name> = Vec::new();
    let mut above = place.clone();
    loop {
        match operator.folder(above.as_bytes()) {
            Ok(held) => return Ok((held, missing)),
            Err(Refusal::NoFolder(_)) => {}
            Err(refusal) => return Err(Trouble::Way(above, refusal)),
        }
        let Some((parent, name)) = above.split() else { return Err(Trouble::Nowhere) };
        missing.push(name);
        above = parent;
    }
}

fn root(system: System) -> Result<Held, Trouble> {
    let trouble = |error| Trouble::System(AbsPath::root(), error);
    let folder = system.open(rustix::fs::CWD, c"/", Access::Hold).map_err(trouble)?;
    Ok(Held { folder: Arc::new(folder), place: AbsPath::root() })
}

/// Checks every folder from `/` down to the one that is held, which is then that very folder.
pub(crate) fn check_way(system: System, held: &Held, own: bool) -> Result<(), Trouble> {
    let last = |error| Trouble::System(held.place.clone(), error);
    let wanted = system.facts_of(held.folder.as_fd()).map_err(last)?;
    let mut place = AbsPath::root();
    let mut folder: Arc<OwnedFd> = root(system)?.folder;
    let mut names = held.place.names().peekable();
    loop {
        let trouble = |error| Trouble::System(place.clone(), error);
        let facts = system.facts_of(folder.as_fd()).map_err(trouble)?;
        let Some(name) = names.next() else {
            check(&facts, &place, own)?;
            // Somebody moved it between the two walks.
            return if facts.id.is(wanted.id) { Ok(()) } else { Err(last(Errno::AGAIN)) };
        };
        check(&facts, &place, false)?;
        place.push(name);
        let next = system.open(folder.as_fd(), name, Access::Hold);
        folder = Arc::new(next.map_err(|error| Trouble::System(place.clone(), error))?);
    }
}

/// Whether nobody but root and this user can change what stands in a folder of these facts.
pub(crate) fn check(facts: &Facts, place: &AbsPath, own: bool) -> Result<(), Trouble> {
    let me = rustix::process::geteuid().as_raw();
    if facts.owner != me && (own || facts.owner != 0) {
        return Err(Trouble::Foreign(place.clone(), facts.owner));
    }
    let all = facts.mode & 0o002 != 0;
    // Systems that give each user a group of their own number it as the user, and let it write
    // (umask 002): nobody else is in it.
    let group = facts.mode & 0o020 != 0 && (own || facts.group != facts.owner);
    let sticky = facts.mode & 0o1000 != 0 && !own;
    if (all || group) && !sticky { Err(Trouble::Open(place.clone())) } else { Ok(()) }
}
