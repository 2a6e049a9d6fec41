//! One state: the power has been cut, and what is there is looked at.

use super::disks::Model;
use super::goods::{self, Times, Tree};
use super::job::{Places, Stands};
use super::run::{Record, Wish};
use super::tally::Tally;
use super::volumes::Volumes;
use crate::program::Ran;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// When, what is left of it, and by which chance.
pub(super) type State = (Model, usize, u64);

/// What every state is held against.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    pub(super) wish: &'a Wish,
    pub(super) places: &'a Places,
    pub(super) wanted: &'a Tree,
    pub(super) record: &'a Record,
}

impl Judge<'_> {
    /// The power is cut, the disks are mounted again, and what is there is looked at.
    pub(super) fn judge(&self, volumes: &mut Volumes, state: State, tally: &mut Tally) {
        let Self { wish, places, wanted, record } = self;
        let (model, point, seed) = state;
        let after = if point >= record.returned { "after" } else { "before" };
        let state = format!(
            "{}, cut at {point} ({after} the return at {}), {} {seed}",
            record.how.word(),
            record.returned,
            model.word()
        );
        tally.states += 1;
        volumes.recorder.cut(model, point, seed);
        if let Err(why) = volumes.mount() {
            tally.unmountable += 1;
            tally.note(&state, &why);
            volumes.unmount();
            return;
        }
        let lost = goods::lost(wanted, &tops(places));
        if let Some(first) = lost.first() {
            tally.losing += 1;
            tally.most = tally.most.max(lost.len());
            tally.note(&state, &format!("{} files lost, `{}` first", lost.len(), first.display()));
        }
        if wish.mover.recovers() {
            let stands = Stands::at(&places.old);
            let differs = goods::differs(wanted, self.where_it_counts(), Times::All);
            let kept = wish.job.leaves().is_none_or(|left| left == stands) && differs.is_none();
            if record.well && point >= record.returned && !kept {
                tally.forgotten += 1;
                tally.note(&state, &format!("what was done is not: {stands:?}, {differs:?}"));
            }
            self.recover(volumes, &state, tally);
        }
        volumes.unmount();
    }

    /// Where the tree must be whole.
    fn where_it_counts(&self) -> &Path {
        let gone = Stands::at(&self.places.old) == Stands::Nothing;
        if gone && self.wish.job.may_be_gone() { &self.places.new } else { &self.places.old }
    }

    /// Recovers, and looks at what came of that.
    fn recover(&self, volumes: &Volumes, state: &str, tally: &mut Tally) {
        let Self { wish, places, wanted, .. } = self;
        let recover = || -> Ran {
            let recover = &["recover", "-y"];
            places.linkwell(&[], recover).output().expect("linkwell can be started").into()
        };
        let (first, second) = (recover(), recover());
        if first.code != 0 || second.code != 0 || !second.err.contains("nothing was interrupted") {
            tally.unrecovered += 1;
            tally.note(state, &format!("recover: {first:?}, again: {second:?}"));
        }
        let times = if wish.kinds.len() == 1 { Times::Below } else { Times::All };
        if let Some(differs) = goods::differs(wanted, self.where_it_counts(), times) {
            tally.torn += 1;
            tally.note(state, &format!("{differs}; {first:?}"));
        }
        let mut left: Vec<PathBuf> =
            volumes.places().iter().flat_map(|place| goods::debris(place, &places.state)).collect();
        if Stands::at(&places.old) == Stands::Tree && !wish.job.keeps_both() {
            let aside = places.old.with_file_name("old (before it was moved)");
            let others = [places.new.clone(), aside].into_iter();
            left.extend(others.filter(|path| Stands::at(path) != Stands::Nothing));
        }
        if !left.is_empty() {
            tally.littered += 1;
            tally.note(state, &format!("left: {left:?}; {first:?}"));
        }
    }
}

/// Every place where the tree may be: where it was, where it is to be, and beside both what has a name
/// for a moment.
fn tops(places: &Places) -> Vec<PathBuf> {
    let mut tops = vec![places.old.clone(), places.new.clone()];
    for folder in [places.old.parent(), places.new.parent()].into_iter().flatten() {
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let staged =
            entries.filter(|entry| entry.file_name().as_bytes().starts_with(goods::STAGED));
        tops.extend(staged.map(|entry| entry.path()));
    }
    tops
}
