//! Whole trees: freed, and copied. By held folders, never through a link or into another volume,
//! however deep, with few descriptors.

use super::aside::same_object;
use super::{Fail, Work};
use crate::descent::Descent;
use crate::system::{Facts, System};
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::plan::{Fate, Slot, Step};
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::mem::MaybeUninit;
use std::sync::Arc;

impl Work<'_> {
    /// Frees what a step had set aside. What cannot be freed gets its name back, and is told.
    pub(super) fn free(&mut self, number: usize, step: &Step) -> Result<Option<Fail>, Fail> {
        let at = step.at();
        let staged = self.token.staged(number);
        let folder = self.places.folder(at)?;
        self.places.touch(at);
        if let (None, Some(now), Some(old)) =
            (self.look(&folder, &staged, at)?, self.look(&folder, &at.name, at)?, step.old())
            && same_object(old, &now, self.same)
        {
            // It could not be freed, and has its name back. What was put into it since is not known,
            // so it stays.
            return Ok(Some(self.refused(at, "remove it", Errno::INTR)));
        }
        if let Some(released) = self.release(step, &folder, &staged) {
            return released.map(|()| None);
        }
        // Its record is lost, or it never had one: then by its contents, once more, as nobody can say what
        // was put into it since.
        if let Some((of, manner)) = step.fate().and_then(Fate::copied)
            && self.look(&folder, &staged, at)?.is_some()
            && (self.nobody_writes(at, &folder, &staged).is_err()
                || !self.is_copy_of(&folder, &staged, of, manner))
        {
            self.keep_left_over(&folder, &staged, at);
            return Ok(None);
        }
        let Err(fail) = self.free_tree(&folder, &staged, at) else { return Ok(None) };
        // What is left of something that was moved away must not look like the thing itself: it is tried
        // again, and stays under the name of our own until then.
        if step.fate().is_some_and(|fate| fate.original().is_some()) {
            return Err(fail);
        }
        match self.rename_new(&folder, &staged, &folder, &at.name) {
            Ok(()) => {}
            // The name is somebody else's now, and will be the next time: what is left stays here. Where
            // something of ours has replaced it, it is tried again.
            Err(Errno::EXIST) if matches!(step, Step::Remove { .. }) => {
                let place = self.places.place(at).parent().joined(staged.as_bytes());
                self.kept.push(place);
            }
            Err(_) => return Err(fail),
        }
        Ok(Some(Fail::Left(Box::new(fail))))
    }

    /// Notes that what a step had set aside stays where it is.
    pub(super) fn keep_staged(&mut self, number: usize, step: &Step) {
        let name = self.token.staged(number);
        self.keep_where_it_is(&Slot { folder: step.at().folder, name });
    }

    /// Removes what stands at `name`, with all that is in it.
    pub(super) fn free_tree(
        &self,
        folder: &Arc<OwnedFd>,
        name: &Name,
        at: &Slot,
    ) -> Result<(), Fail> {
        let mut way = Vec::new();
        let freed = match self.system.facts(folder.as_fd(), name.as_bytes()) {
            Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error),
            Ok(facts) if facts.kind == EntryKind::Folder => {
                self.free_folder(folder.as_fd(), name, &facts, &mut way)
            }
            Ok(_) => self.disk.drop_name(folder.as_fd(), name),
        };
        let mut place = self.places.place(at);
        freed.map_err(|error| {
            way.iter().for_each(|name: &Name| place.push(name.as_bytes()));
            match error {
                Errno::XDEV => Fail::Mounted(place),
                error => Fail::System { doing: "remove it", place, error },
            }
        })
    }

    /// Frees a folder. When it fails, `way` are the names that lead to what could not be freed.
    fn free_folder(
        &self,
        above: BorrowedFd<'_>,
        name: &Name,
        facts: &Facts,
        way: &mut Vec<Name>,
    ) -> Result<(), Errno> {
        let mut descent = Descent::begin(self.system, above, name, facts)?;
        self.open_up(&descent)?;
        let mut todo = vec![(name.clone(), names(self.system, descent.here())?)];
        while let Some((_, rest)) = todo.last_mut() {
            if let Some(entry) = rest.pop() {
                way.push(entry.clone());
                let facts = descent.look(&entry)?;
                if facts.kind == EntryKind::Folder {
                    descent.down(&entry, &facts)?;
                    self.open_up(&descent)?;
                    todo.push((entry, names(self.system, descent.here())?));
                } else {
                    self.disk.drop_name(descent.here(), &entry)?;
                    way.pop();
                }
            } else if let Some((name, _)) = todo.pop() {
                match descent.up()? {
                    Some(_) => self.disk.drop_folder(descent.here(), &name)?,
                    None => self.disk.drop_folder(above, &name)?,
                }
                way.pop();
            }
        }
        Ok(())
    }

    /// Lets its owner write to a folder that is being freed: a copy keeps the permissions of what it
    /// was made of, and must be given up all the same.
    fn open_up(&self, descent: &Descent) -> Result<(), Errno> {
        let facts = descent.facts();
        if facts.mode & 0o300 == 0o300 || facts.owner != rustix::process::geteuid().as_raw() {
            return Ok(());
        }
        self.disk.permit(descent.here(), facts.mode | 0o700)
    }
}

/// The names in a folder, all read before anything in it is changed.
pub(crate) fn names(system: System, folder: BorrowedFd<'_>) -> Result<Vec<Name>, Errno> {
    let mut buffer = vec![MaybeUninit::uninit(); 32 * 1024];
    let mut all = Vec::new();
    system.list(folder, &mut buffer, system.end_mark(folder), |entry| {
        all.extend(Name::new(entry.name.to_bytes()));
        true
    })?;
    Ok(all)
}
