//! A door at which somebody else is a moment earlier: just before a rename to a certain name, that name
//! is taken; or right behind: what was exchanged is moved on at once.

use crate::field::{DROPPED, Draft, Field, file, link};
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
    vec![
        test("fault: what somebody puts at the name in the last moment stays", foreign),
        test(
            "fault: a link that is moved on, or replaced, as soon as it is new, was made",
            moved_on,
        ),
    ]
}

/// Somebody moves the new link on, removes it, or puts something else there, right behind the exchange: the
/// old link must neither be back nor lie about.
fn moved_on() {
    for then in [Then::Moved, Then::Removed, Then::Replaced] {
        let field = Field::new(&["d/l -> old"]);
        let mut draft = Draft::new(&field);
        let step = draft.replace("d/l", link("new"), DROPPED);
        draft.item(vec![step]);
        let plan = draft.plan;
        let path = field.tree().join("d/l");
        let disk = Meddled { put: Mutex::new(None), then: Mutex::new(Some((path.clone(), then))) };
        let report = field.run(&disk, &plan).expect("it begins");
        assert!(disk.then.lock().expect("unpoisoned").is_none(), "somebody came");
        assert_eq!((report.done.len(), report.failed.len()), (1, 0), "{report:?}");
        let text = |path: &Path| std::fs::read_link(path).ok();
        match then {
            Then::Moved => {
                assert_eq!(text(&path.with_file_name("on")), Some(PathBuf::from("new")));
                assert_eq!(text(&path), None);
            }
            Then::Removed => assert!(path.symlink_metadata().is_err()),
            Then::Replaced => assert_eq!(std::fs::read(&path).expect("it stays"), b"theirs"),
        }
        assert!(!field.listing().contains(".linkwell-"), "{}", field.listing());
    }
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
        let disk =
            Meddled { put: Mutex::new(Some((path.clone(), theirs))), then: Mutex::new(None) };
        let report = field.run(&disk, &plan).expect("it begins");
        assert!(disk.put.lock().expect("unpoisoned").is_none(), "somebody came");
        assert_eq!((report.done.len(), report.failed.len()), (0, 1), "{report:?}");
        assert_eq!(std::fs::read(&path).expect("it stays"), theirs.as_bytes());
        assert!(!field.listing().contains(".linkwell-"), "{}", field.listing());
    }
}

/// What somebody does with a link that has just been put in place.
#[derive(Clone, Copy, Debug)]
enum Then {
    Moved,
    Removed,
    Replaced,
}

fn meddle(path: &Path, then: Then) {
    match then {
        Then::Moved => std::fs::rename(path, path.with_file_name("on")).expect("renamed"),
        Then::Removed => std::fs::remove_file(path).expect("removed"),
        Then::Replaced => {
            let staged = path.with_file_name("theirs");
            std::fs::write(&staged, "theirs").expect("written");
            std::fs::rename(staged, path).expect("renamed");
        }
    }
}

struct Meddled {
    /// Where somebody will put a file, and what is in it; nothing once they did.
    put: Mutex<Option<(PathBuf, &'static str)>>,
    /// What somebody will do once two names were exchanged, and where; nothing once they did.
    then: Mutex<Option<(PathBuf, Then)>>,
}

fn name_of(name: &Name) -> &Path {
    crate::support::path(name.as_bytes())
}

impl Disk for Meddled {
    fn make_folder(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        Unix.make_folder(at, name)
    }

    fn make_common_folder(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        Unix.make_common_folder(at, name)
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
        Unix.exchange(at, name, other, with)?;
        if let Some((path, then)) = self.then.lock().expect("unpoisoned").take() {
            meddle(&path, then);
        }
        Ok(())
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
