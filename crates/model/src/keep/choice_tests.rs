//! What is chosen, and what is never chosen.

use super::choice::{Candidate, Choice, Doubt, choose};
use super::evidence::Likened;
use crate::entry::{EntryKind, Identity};
use crate::path::AbsPath;

fn candidate(likened: Likened) -> Candidate {
    Candidate {
        place: AbsPath::root(),
        id: Identity::TO_COME,
        kind: EntryKind::File,
        likened,
        evidence: Vec::new(),
        doubts: Vec::new(),
        same_folder: false,
        same_name: false,
    }
}

#[test]
fn one_same_object_is_certain_and_beats_whatever_is_alike() {
    let all = [candidate(Likened::Alike), candidate(Likened::Same), candidate(Likened::Alike)];
    assert_eq!(choose(&all), Choice::Certain(1));
}

#[test]
fn of_names_of_one_file_the_old_folder_then_the_old_name_decides() {
    let mut all = [candidate(Likened::Same), candidate(Likened::Same)];
    assert_eq!(choose(&all), Choice::Ambiguous(vec![0, 1]));
    all[1].same_name = true;
    assert_eq!(choose(&all), Choice::Certain(1));
    all[0].same_folder = true;
    assert_eq!(choose(&all), Choice::Certain(0));
    all[1].same_folder = true;
    assert_eq!(choose(&all), Choice::Certain(1), "both in the folder, one with the name");
}

#[test]
fn a_doubt_is_always_for_a_person() {
    for doubt in [Doubt::OtherOwner(7), Doubt::OpenFolder, Doubt::WouldLoop, Doubt::Contested] {
        for likened in [Likened::Same, Likened::Alike] {
            let mut only = candidate(likened);
            only.doubts.push(doubt);
            assert_eq!(choose(&[only]), Choice::Ambiguous(vec![0]), "{doubt:?}");
        }
    }
}

#[test]
fn a_single_alike_is_likely_and_two_are_ambiguous() {
    assert_eq!(choose(&[candidate(Likened::Alike)]), Choice::Likely(0));
    let two = [candidate(Likened::Alike), candidate(Likened::Faint), candidate(Likened::Alike)];
    assert_eq!(choose(&two), Choice::Ambiguous(vec![0, 2]));
}

#[test]
fn what_is_faint_is_shown_and_never_chosen() {
    assert_eq!(choose(&[candidate(Likened::Faint)]), Choice::Ambiguous(vec![0]));
    assert_eq!(choose(&vec![candidate(Likened::Faint); 6]), Choice::None);
    assert_eq!(choose(&[candidate(Likened::Unlike)]), Choice::None);
    assert_eq!(choose(&[]), Choice::None);
}
