//! What is made of all candidates for one lost target.

use super::evidence::{Evidence, Likened};
use crate::entry::{EntryKind, Identity};
use crate::path::AbsPath;

/// Why a candidate is never chosen without a person, however alike it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It belongs to another user than before, who is neither root nor this user.
    OtherOwner(u32),
    /// It stands in a folder that others can write to.
    OpenFolder,
    /// The link would lead back to itself, or through too many others.
    WouldLoop,
    /// It lies outside the folder in which the link may be led.
    Outside,
    /// Another link that is looked for may have it as well.
    Contested,
    /// It lies in the trash: somebody threw it away.
    Trash,
    /// The way of the link leads elsewhere now than to where it led: somebody led it there.
    WayChanged,
    /// Its new name is that of a backup or of an old log: something else will soon have the old one.
    Spare,
}

impl Doubt {
    /// The word used in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::OtherOwner(_) => "other_owner",
            Self::OpenFolder => "open_folder",
            Self::WouldLoop => "would_loop",
            Self::Outside => "outside",
            Self::Contested => "contested",
            Self::Trash => "trash",
            Self::WayChanged => "way_changed",
            Self::Spare => "spare",
        }
    }

    /// For a person.
    pub fn words(self) -> String {
        match self {
            Self::OtherOwner(owner) => format!("it belongs to user {owner}"),
            Self::OpenFolder => "it stands in a folder that others can write to".into(),
            Self::WouldLoop => "the link would lead back to itself".into(),
            Self::Outside => "it lies outside the folder that the link is kept in".into(),
            Self::Contested => "another broken link may have led there".into(),
            Self::Trash => "it lies in the trash".into(),
            Self::WayChanged => "the way there leads elsewhere now".into(),
            Self::Spare => "its new name is that of a backup or an old log".into(),
        }
    }
}

/// Something that may be what a link led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Where it is, physically.
    pub place: AbsPath,
    /// Which object it is.
    pub id: Identity,
    /// Of which kind.
    pub kind: EntryKind,
    /// How it compares with what is on record.
    pub likened: Likened,
    /// Why.
    pub evidence: Vec<Evidence>,
    /// What speaks against taking it without asking.
    pub doubts: Vec<Doubt>,
    /// It stands in the folder in which the lost one stood.
    pub same_folder: bool,
    /// It has the name that the lost one had.
    pub same_name: bool,
}

/// What is made of them; the numbers are those of the candidates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// It is this one.
    Certain(usize),
    /// It is most probably this one: a person confirms it.
    Likely(usize),
    /// It may be any of these, best first; or this single one, against which something speaks.
    Ambiguous(Vec<usize>),
    /// Nothing was found.
    None,
}

/// So many faint candidates are worth a person's time; more say nothing.
const MOST_FAINT: usize = 5;

/// Chooses.
///
/// Certain is only what is the same object, has no doubt, and is one: of several names of one file, that
/// one which kept its folder or its name. Likely is a single one that is alike. Nothing is ever chosen by
/// its name alone.
pub fn choose(candidates: &[Candidate]) -> Choice {
    let of = |likened| {
        let all = candidates.iter().enumerate();
        all.filter(move |(_, candidate)| candidate.likened == likened).map(|(number, _)| number)
    };
    let same: Vec<usize> = of(Likened::Same).collect();
    if !same.is_empty() {
        return one_of(candidates, same).map_or_else(Choice::Ambiguous, Choice::Certain);
    }
    let alike: Vec<usize> = of(Likened::Alike).collect();
    if let [only] = *alike {
        let sure = candidates.get(only).is_some_and(|candidate| candidate.doubts.is_empty());
        return if sure { Choice::Likely(only) } else { Choice::Ambiguous(alike) };
    }
    if !alike.is_empty() {
        return Choice::Ambiguous(ranked(candidates, alike));
    }
    let faint: Vec<usize> = of(Likened::Faint).collect();
    match faint.len() {
        1..=MOST_FAINT => Choice::Ambiguous(ranked(candidates, faint)),
        _ => Choice::None,
    }
}

/// Of names of one object the one that is meant; or all of them, best first.
fn one_of(candidates: &[Candidate], same: Vec<usize>) -> Result<usize, Vec<usize>> {
    let is =
        |number: &usize, test: fn(&Candidate) -> bool| candidates.get(*number).is_some_and(test);
    let single = |test: fn(&Candidate) -> bool| {
        let mut fitting = same.iter().filter(|number| is(number, test));
        fitting.next().filter(|_| fitting.next().is_none()).copied()
    };
    let found = match *same {
        [only] => Some(only),
        _ => single(|candidate| candidate.same_folder).or_else(|| single(|it| it.same_name)),
    };
    let sure = found.filter(|number| is(number, |candidate| candidate.doubts.is_empty()));
    sure.ok_or_else(|| ranked(candidates, same))
}

fn ranked(candidates: &[Candidate], mut numbers: Vec<usize>) -> Vec<usize> {
    numbers.sort_by_key(|number| {
        candidates.get(*number).map(|it| (it.doubts.len(), !it.same_folder, !it.same_name))
    });
    numbers
}
