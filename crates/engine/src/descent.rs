//! Going down and up in a tree, however deep, with few of its folders held.
//!
//! Down goes by one name at a time, through no link and into no other volume; up goes to the folder
//! that is still held or, further up, to what the kernel says is above, which must be the folder that
//! was left. So a tree that somebody moves meanwhile leads nowhere else.

use crate::system::{Access, Facts, System};
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::sync::Arc;

/// How many folders above the one at hand stay held: so that what cannot be searched, and so has
/// nothing below it that could be reached, can be left again.
const HELD: usize = 4;

/// A place in a tree.
#[derive(Debug)]
pub(crate) struct Descent {
    system: System,
    here: Arc<OwnedFd>,
    facts: Facts,
    above: Vec<(Option<Arc<OwnedFd>>, Facts)>,
}

impl Descent {
    /// Begins at the folder `name` in `at`, which must be the one of `expected`.
    ///
    /// # Errors
    /// The system's; EXDEV when another volume lies there, EAGAIN when another folder does.
    pub(crate) fn begin(
        system: System,
        at: BorrowedFd<'_>,
        name: &Name,
        expected: &Facts,
    ) -> Result<Self, Errno> {
        let (here, facts) = enter(system, at, name, expected)?;
        Ok(Self { system, here: Arc::new(here), facts, above: Vec::new() })
    }

    /// Begins at a folder that is held, to be listed.
    ///
    /// # Errors
    /// The system's.
    pub(crate) fn at(system: System, held: BorrowedFd<'_>) -> Result<Self, Errno> {
        let here = Arc::new(system.open(held, c".", Access::List)?);
        let facts = system.facts_of(here.as_fd())?;
        Ok(Self { system, here, facts, above: Vec::new() })
    }

    /// The folder at hand.
    pub(crate) fn here(&self) -> BorrowedFd<'_> {
        self.here.as_fd()
    }

    /// The same, to be kept longer.
    pub(crate) fn kept(&self) -> Arc<OwnedFd> {
        Arc::clone(&self.here)
    }

    /// The same, to be looked into by another thread.
    pub(crate) fn place(&self) -> Place {
        Place { system: self.system, held: self.kept(), facts: self.facts }
    }

    /// What was known of the folder at hand when it was entered.
    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// All about an entry of the folder at hand.
    ///
    /// # Errors
    /// The system's; EXDEV when another volume is mounted there.
    pub(crate) fn look(&self, name: &Name) -> Result<Facts, Errno> {
        look(self.system, self.here.as_fd(), &self.facts, name)
    }

    /// Goes down into the folder `name`, which must be the one of `expected`.
    ///
    /// # Errors
    /// As [`Descent::begin`].
    pub(crate) fn down(&mut self, name: &Name, expected: &Facts) -> Result<(), Errno> {
        let (next, facts) = enter(self.system, self.here.as_fd(), name, expected)?;
        let left = std::mem::replace(&mut self.here, Arc::new(next));
        let left_facts = std::mem::replace(&mut self.facts, facts);
        self.above.push((Some(left), left_facts));
        let distant = self.above.len().checked_sub(HELD + 1);
        if let Some((held, _)) = distant.and_then(|distant| self.above.get_mut(distant)) {
            *held = None;
        }
        Ok(())
    }

    /// Goes up again, and gives the folder that was left, with what was known of it. `None` at the top.
    ///
    /// # Errors
    /// The system's; EAGAIN when the folder above is another one now.
    pub(crate) fn up(&mut self) -> Result<Option<(Arc<OwnedFd>, Facts)>, Errno> {
        let Some((held, facts)) = self.above.pop() else { return Ok(None) };
        let above = match held {
            Some(held) => held,
            None => {
                let above = Arc::new(self.system.open(self.here.as_fd(), c"..", Access::List)?);
                if !self.system.facts_of(above.as_fd())?.id.is(facts.id) {
                    return Err(Errno::AGAIN);
                }
                above
            }
        };
        let left = std::mem::replace(&mut self.here, above);
        Ok(Some((left, std::mem::replace(&mut self.facts, facts))))
    }
}

/// A folder of a tree that was entered, held.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    system: System,
    held: Arc<OwnedFd>,
    facts: Facts,
}

impl Place {
    /// The folder.
    pub(crate) fn held(&self) -> BorrowedFd<'_> {
        self.held.as_fd()
    }

    /// What was known of it when it was entered.
    pub(crate) fn facts(&self) -> &Facts {
        &self.facts
    }

    /// All about an entry in it.
    ///
    /// # Errors
    /// As [`Descent::look`].
    pub(crate) fn look(&self, name: &Name) -> Result<Facts, Errno> {
        look(self.system, self.held.as_fd(), &self.facts, name)
    }
}

/// All about an entry of a folder.
fn look(
    system: System,
    folder: BorrowedFd<'_>,
    about: &Facts,
    name: &Name,
) -> Result<Facts, Errno> {
    let facts = system.facts(folder, name.as_bytes())?;
    // Files in layered file systems may bear other device numbers than their folder.
    let elsewhere = match (about.mount, facts.mount) {
        (Some(here), Some(there)) => here != there,
        _ => false,
    };
    let is_folder = facts.kind == EntryKind::Folder;
    if elsewhere || (is_folder && facts.id.device != about.id.device) {
        return Err(Errno::XDEV);
    }
    Ok(facts)
}

fn enter(
    system: System,
    at: BorrowedFd<'_>,
    name: &Name,
    expected: &Facts,
) -> Result<(OwnedFd, Facts), Errno> {
    let folder = system.open(at, name.as_bytes(), Access::List).map_err(|error| match error {
        // It was a folder when it was looked at.
        Errno::LOOP | Errno::NOTDIR => Errno::AGAIN,
        error => error,
    })?;
    crate::look::without_trace(folder.as_fd());
    let facts = system.facts_of(folder.as_fd())?;
    if facts.id.device != expected.id.device {
        return Err(Errno::XDEV);
    }
    if facts.id.is(expected.id) { Ok((folder, facts)) } else { Err(Errno::AGAIN) }
}
