//! Folders that another program keeps the same on several computers. What is moved out of one and
//! leaves a link is taken for deleted there, and is deleted on the other side (measured with six
//! clients), so nothing is moved out unless that was asked for.
//!
//! A folder is known by what its client keeps in it (the marks in the table of clients). Clients that
//! keep nothing there are not seen.

use super::Surveyor;
use crate::operator::{Held, Spot};
use crate::system::{Access, Links, System};
use linkwell_model::entry::{EntryKind, FileId};
use linkwell_model::path::AbsPath;
use linkwell_model::plan::Why;
use linkwell_model::share::client::{Client, Mark};
use linkwell_model::share::knowledge::Knowledge;
use rustix::fd::{AsFd as _, BorrowedFd};
use std::mem::MaybeUninit;
use std::sync::Arc;

/// A folder that a client syncs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synced {
    /// The client.
    pub client: &'static str,
    /// The folder.
    pub place: AbsPath,
    /// Where it lies from what is to be moved.
    pub lies: Lies,
    id: FileId,
}

/// Where a folder that is synced lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lies {
    /// Above what is to be moved.
    Above,
    /// It is what is to be moved.
    Here,
    /// In it, at its top level.
    Below,
}

/// The nearest folder that is synced, at or above what stands at `spot`, or in it.
pub fn synced(surveyor: &Surveyor, spot: &Spot, kind: EntryKind) -> Option<Synced> {
    let system = surveyor.system();
    if kind == EntryKind::Folder
        && let Ok(folder) = system.open(spot.at(), spot.name.as_bytes(), Access::Hold)
    {
        let found = |client, lies, at: BorrowedFd<'_>, place| {
            let id = system.facts_of(at).ok()?.id.file();
            Some(Synced { client, place, lies, id })
        };
        if let Some(client) = client(system, folder.as_fd()) {
            return found(client, Lies::Here, folder.as_fd(), spot.place());
        }
        if let Some((client, below, name)) = below(system, folder.as_fd()) {
            return found(client, Lies::Below, below.as_fd(), spot.place().joined(&name));
        }
    }
    above(system, &spot.held)
}

fn above(system: System, held: &Held) -> Option<Synced> {
    let mut folder = Arc::clone(&held.folder);
    let mut place = held.place.clone();
    loop {
        let facts = system.facts_of(folder.as_fd()).ok()?;
        if let Some(client) = client(system, folder.as_fd()) {
            return Some(Synced { client, place, lies: Lies::Above, id: facts.id.file() });
        }
        let up = system.open(folder.as_fd(), c"..", Access::Hold).ok()?;
        let next = system.facts_of(up.as_fd()).ok()?;
        // Only `/` is its own parent.
        if next.id.file() == facts.id.file() && next.mount == facts.mount {
            return None;
        }
        folder = Arc::new(up);
        place.pop();
    }
}

/// The client that keeps a mark in this folder, by the table of what is known of clients.
fn client(system: System, folder: BorrowedFd<'_>) -> Option<&'static str> {
    let known = Knowledge::known();
    let sure = known.marks().find(|(_, mark)| is_there(system, folder, mark));
    if let Some((client, _)) = sure {
        return Some(&client.name);
    }
    let mut found = None;
    each(system, folder, |name, _| {
        found = known
            .marks()
            .find(|(_, mark)| mark.is_called(name))
            .map(|(client, _)| client.name.as_str());
        found.is_none()
    });
    found
}

/// Whether a mark that has a path is in a folder.
fn is_there(system: System, folder: BorrowedFd<'_>, mark: &Mark) -> bool {
    let Some(path) = &mark.path else { return false };
    let found = system.status(folder, path.as_bytes(), Links::Kept);
    found.is_ok_and(|found| !mark.file || found.kind == EntryKind::File)
}

/// The clients that work on a folder, by what they keep in it: those that sync it, and also Git.
pub fn clients_of(system: System, folder: BorrowedFd<'_>) -> Vec<&'static Client> {
    let mut names = Vec::new();
    each(system, folder, |name, _| {
        names.push(name.to_vec());
        true
    });
    let is_kept = |mark: &Mark| match &mark.path {
        Some(_) => is_there(system, folder, mark),
        None => names.iter().any(|name| mark.is_called(name)),
    };
    let works = |client: &&Client| client.marks.iter().chain(&client.signs).any(is_kept);
    Knowledge::known().clients.iter().filter(works).collect()
}

/// The first folder in this one that is synced.
fn below(
    system: System,
    folder: BorrowedFd<'_>,
) -> Option<(&'static str, rustix::fd::OwnedFd, Vec<u8>)> {
    let mut found = None;
    each(system, folder, |name, kind| {
        if kind.is_none_or(|kind| kind == EntryKind::Folder)
            && let Ok(held) = system.open(folder, name, Access::Hold)
            && let Some(client) = client(system, held.as_fd())
        {
            found = Some((client, held, name.to_vec()));
        }
        found.is_none()
    });
    found
}

/// Lists a folder until `go_on` says no. One that cannot be listed has no entries.
fn each(
    system: System,
    folder: BorrowedFd<'_>,
    mut go_on: impl FnMut(&[u8], Option<EntryKind>) -> bool,
) {
    let Ok(folder) = system.open(folder, c".", Access::List) else { return };
    crate::look::without_trace(folder.as_fd());
    let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
    let mark = system.end_mark(folder.as_fd());
    // What could be read was looked at.
    system
        .list(folder.as_fd(), &mut buffer, mark, |entry| go_on(entry.name.to_bytes(), entry.kind))
        .unwrap_or_default();
}

impl Synced {
    /// Whether this folder is one of those that something lies in. What goes to another place in the
    /// same folder is synced there.
    pub fn holds(&self, above: &[FileId]) -> bool {
        self.lies == Lies::Above && above.contains(&self.id)
    }

    /// Why nothing is moved. `go_on` is the option that does it all the same.
    pub fn why(&self, go_on: &str) -> Why {
        let (place, client) = (self.place.shown(), self.client);
        let what = match self.lies {
            Lies::Above => format!(
                "it lies in `{place}`, which {client} syncs; moving it out would delete it on the other \
                 side"
            ),
            Lies::Here => format!(
                "{client} syncs this folder; where only a link is left, it may stop, or delete \
                 everything on the other side"
            ),
            Lies::Below => format!(
                "{client} syncs `{place}` in it; where only a link leads there, it may stop, or \
                 delete everything on the other side"
            ),
        };
        let hint = format!(
            "tell {client} about the new place first, or stop it; to move it all the same, add `{go_on}`"
        );
        Why::Other { what, hint: Some(hint) }
    }

    /// What is said where that is done, or where it stays in the same folder.
    pub fn remark(&self) -> String {
        let (place, client) = (self.place.shown(), self.client);
        format!("{client} syncs `{place}`; most clients do not follow the link that is left there")
    }
}
