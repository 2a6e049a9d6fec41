//! Links whose targets were never seen: all that is known are their texts. One folder that was moved or
//! renamed leaves many texts with one beginning, and where that folder is now, their ends are found again.

use super::Hunt;
use super::weigh::Weigher;
use linkwell_model::keep::evidence::{Evidence, Likened};
use linkwell_model::path::AbsPath;
use std::collections::HashMap;

/// A folder that many lost places lay in, and where it seems to be now.
pub(super) type Change = (AbsPath, AbsPath);

/// What of two places differs: each without the names at their ends that they have in common.
pub(super) fn change(old: &AbsPath, new: &AbsPath) -> Change {
    let (mut old, mut new) = (old.clone(), new.clone());
    while let (Some((above, name)), Some((above_new, name_new))) = (old.split(), new.split()) {
        if name != name_new {
            break;
        }
        (old, new) = (above, above_new);
    }
    (old, new)
}

/// Weighs what was found for links that were never on record: a change that explains at least two lost
/// places, and more than any other does, is taken for alike.
pub(super) fn weigh(weigher: &mut Weigher<'_>, hunts: &mut [Hunt]) {
    let votes = votes(hunts);
    // A place whose name is too common to be searched for is found by the change alone.
    let mut agreed: Vec<&Change> =
        votes.iter().filter(|(_, votes)| **votes > 1).map(|(change, _)| change).collect();
    agreed.sort();
    for hunt in hunts.iter_mut().filter(|hunt| hunt.lost.was.is_none()) {
        for (old, new) in &agreed {
            if let Some(rest) = hunt.lost.to.below(old) {
                let mut place = new.clone();
                place.extend_as_text(rest);
                hunt.consider(weigher, &place);
            }
        }
    }
    let votes = self::votes(hunts);
    for hunt in hunts.iter_mut().filter(|hunt| hunt.lost.was.is_none()) {
        let to = hunt.lost.to.clone();
        let count = |place: &AbsPath| votes.get(&change(&to, place)).copied().unwrap_or(0);
        let counts: Vec<u32> =
            hunt.found.iter().map(|looked| count(&looked.candidate.place)).collect();
        let most = counts.iter().copied().max().unwrap_or(0);
        let alone = counts.iter().filter(|count| **count == most).count() == 1;
        for (looked, count) in hunt.found.iter_mut().zip(counts) {
            if count == most && alone && most > 1 {
                looked.candidate.likened = Likened::Alike;
                looked.candidate.evidence.push(Evidence::Together(most));
            }
        }
        // What has only the name says nothing where something says more.
        if alone && most > 1 {
            hunt.found.retain(|looked| looked.candidate.likened > Likened::Faint);
        }
    }
}

/// How many lost places each change explains.
fn votes(hunts: &[Hunt]) -> HashMap<Change, u32> {
    let mut votes: HashMap<Change, u32> = HashMap::new();
    for hunt in hunts.iter().filter(|hunt| hunt.lost.was.is_none()) {
        let mut changes: Vec<Change> = hunt
            .found
            .iter()
            .map(|looked| change(&hunt.lost.to, &looked.candidate.place))
            .collect();
        changes.sort();
        changes.dedup();
        for change in changes {
            *votes.entry(change).or_default() += 1;
        }
    }
    votes
}
