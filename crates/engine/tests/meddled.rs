//! A door at which somebody else is a moment earlier: just before a rename to a certain name, that name
//! is taken.

use crate::field::{Draft, Field, file};
use libtest_mimic::Trial;
use linkwell_calls::attributes::Attributes;
use linkwell_engine::disk::{Disk, Special, Unix};
use linkwell_model::entry::Time;
use linkwell_model::name::Name;
use linkwell_model::target::Target;
use linkwell_testkit::need::test;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::io::Errno;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

pub(crate) fn trials() -> Vec<Trial> {
    vec![test("fault: what somebody puts at the name in the last moment stays", foreign)]
}

/// Somebody takes the name between the last look and the last call, with something that looks the same.
fn foreign() {
    for (make, theirs) in [(file("12345"), "54321"), (file("12345"), "12345")] {
        let field = Field::new(&["d/"]);
        let mut draft = Draft::new(&field);
        let step = draft.put("d/new", make);
        draft.item(vec![step]);
        let plan = draft.plan;
        let path = field.tree().join("d/new");
        let disk = Meddled { put: Mutex::new(Some((path.clone(), theirs))) };
        let report = field.run(&disk, &plan).expect("it begins");
        assert!(disk.put.lock().expect("unpoisoned").is_none(), "somebody came");
        assert_eq!((report.done.len(), report.failed.len()), (0, 1), "{report:?}");
        assert_eq!(std::fs::read(&path).expect("it stays"), theirs.as_bytes());
        assert!(!field.listing().contains(".linkwell-"), "{}", field.listing());
    }
}

struct Meddled {
    /// Where somebody will put a file, and what is in it; nothing once they did.
    put: Mutex<Option<(PathBuf, &'static str)>>,
}

fn name_of(name: &Name) -> &Path {
    crate::support::path(name.as_bytes())
}

impl Disk for Meddled {
    fn make_folder(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        Unix.make_folder(at, name)
    }

    fn make_link(&self, at: BorrowedFd<'_>, name: &Name, target: &Target) -> Result<(), Errno> {
        Unix.make_link(at, name, target)
    }

    fn make_name(
        &self,
        file: BorrowedFd<'_>,
        from: BorrowedFd<'_>,
        of: &Name,
        at: BorrowedFd<'_>,
        name: &Name,
    ) -> Result<(), Errno> {
        Unix.make_name(file, from, of, at, name)
    }

    fn make_file(&self, at: BorrowedFd<'_>, name: &Name) -> Result<OwnedFd, Errno> {
        Unix.make_file(at, name)
    }

    fn make_file_as(&self, at: BorrowedFd<'_>, name: &Name, mode: u32) -> Result<OwnedFd, Errno> {
        Unix.make_file_as(at, name, mode)
    }

    fn make_special(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        special: Special,
        mode: u32,
    ) -> Result<(), Errno> {
        Unix.make_special(at, name, special, mode)
    }

    fn write(&self, file: BorrowedFd<'_>, bytes: &[u8]) -> Result<(), Errno> {
        Unix.write(file, bytes)
    }

    fn write_at(&self, file: BorrowedFd<'_>, bytes: &[u8], at: u64) -> Result<(), Errno> {
        Unix.write_at(file, bytes, at)
    }

    fn copy(
        &self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        stretch: Range<u64>,
    ) -> Result<u64, Errno> {
        Unix.copy(from, to, stretch)
    }

    fn share(&self, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<(), Errno> {
        Unix.share(from, to)
    }

    fn share_stretch(
        &self,
        from: (BorrowedFd<'_>, u64),
        to: BorrowedFd<'_>,
        stretch: Range<u64>,
    ) -> Result<(), Errno> {
        Unix.share_stretch(from, to, stretch)
    }

    fn allocate(&self, file: BorrowedFd<'_>, stretch: Range<u64>) -> Result<(), Errno> {
        Unix.allocate(file, stretch)
    }

    fn cut(&self, file: BorrowedFd<'_>, length: u64) -> Result<(), Errno> {
        Unix.cut(file, length)
    }

    fn exchange(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        other: BorrowedFd<'_>,
        with: &Name,
    ) -> Result<(), Errno> {
        Unix.exchange(at, name, other, with)
    }

    fn rename_new(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        to: BorrowedFd<'_>,
        new: &Name,
    ) -> Result<(), Errno> {
        let mut put = self.put.lock().expect("unpoisoned");
        let wanted = put.as_ref().is_some_and(|(path, _)| path.ends_with(name_of(new)));
        if wanted && let Some((path, theirs)) = put.take() {
            std::fs::write(path, theirs).expect("somebody may write here");
        }
        Unix.rename_new(at, name, to, new)
    }

    fn rename_over(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        to: BorrowedFd<'_>,
        new: &Name,
    ) -> Result<(), Errno> {
        Unix.rename_over(at, name, to, new)
    }

    fn drop_name(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        Unix.drop_name(at, name)
    }

    fn drop_folder(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        Unix.drop_folder(at, name)
    }

    fn own(&self, held: BorrowedFd<'_>, owner: u32, group: u32) -> Result<(), Errno> {
        Unix.own(held, owner, group)
    }

    fn permit(&self, held: BorrowedFd<'_>, mode: u32) -> Result<(), Errno> {
        Unix.permit(held, mode)
    }

    fn times(&self, held: BorrowedFd<'_>, accessed: Time, modified: Time) -> Result<(), Errno> {
        Unix.times(held, accessed, modified)
    }

    fn mark(&self, held: BorrowedFd<'_>, name: &[u8], value: &[u8]) -> Result<(), Errno> {
        Unix.mark(held, name, value)
    }

    fn flag(&self, held: BorrowedFd<'_>, attributes: &Attributes) -> Result<(), Errno> {
        Unix.flag(held, attributes)
    }

    fn sync(&self, _held: BorrowedFd<'_>) -> Result<(), Errno> {
        Ok(())
    }

    fn sync_volume(&self, _held: BorrowedFd<'_>) -> Result<(), Errno> {
        Ok(())
    }
}
