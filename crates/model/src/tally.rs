//! Verdicts, counted.

use crate::health::Health;
use crate::note::{Note, Notes};

/// What a scan came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Entries looked at, the roots included.
    pub entries: u64,
    /// Links found.
    pub links: u64,
    /// Links by health, in the order of [`Health::ALL`].
    pub by_health: [u64; Health::ALL.len()],
    /// Links by note, in the order of [`Note::ALL`].
    pub by_note: [u64; Note::ALL.len()],
    /// Places that could not be looked at.
    pub problems: u64,
    /// Shortcuts to the web or to another system: listed, and nobody's fault.
    pub elsewhere: u64,
}

impl Tally {
    /// Counts one link.
    pub fn count(&mut self, health: Health, notes: Notes) {
        self.links += 1;
        for (count, each) in self.by_health.iter_mut().zip(Health::ALL) {
            *count += u64::from(each == health);
        }
        for (count, each) in self.by_note.iter_mut().zip(Note::ALL) {
            *count += u64::from(notes.has(each));
        }
        let elsewhere = notes.has(Note::Web) || notes.has(Note::Foreign);
        self.elsewhere += u64::from(elsewhere);
    }

    /// Links of this health.
    pub fn of(&self, health: Health) -> u64 {
        let counts = Health::ALL.iter().zip(self.by_health);
        counts.filter(|(each, _)| **each == health).map(|(_, count)| count).sum()
    }

    /// Links that bear this note.
    pub fn with(&self, note: Note) -> u64 {
        let counts = Note::ALL.iter().zip(self.by_note);
        counts.filter(|(each, _)| **each == note).map(|(_, count)| count).sum()
    }

    /// Adds what another part of the scan counted.
    pub fn add(&mut self, other: &Self) {
        self.entries += other.entries;
        self.links += other.links;
        self.problems += other.problems;
        self.elsewhere += other.elsewhere;
        for (count, more) in self.by_health.iter_mut().zip(other.by_health) {
            *count += more;
        }
        for (count, more) in self.by_note.iter_mut().zip(other.by_note) {
            *count += more;
        }
    }

    /// Whether anything is wrong that a person must mend.
    pub fn anything_wrong(&self) -> bool {
        Health::ALL.iter().any(|health| health.is_wrong() && self.of(*health) > 0)
    }

    /// Whether some part could not be looked at.
    pub fn anything_unjudged(&self) -> bool {
        let unjudged = Health::ALL.iter().filter(|health| health.is_unjudged());
        self.problems > 0 || unjudged.map(|health| self.of(*health)).sum::<u64>() > self.elsewhere
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tally_counts_each_link_once_and_adds_up() {
        let mut one = Tally::default();
        one.count(Health::Broken, Notes::default());
        let mut other = Tally::default();
        let mut notes = Notes::default();
        notes.add(Note::Web);
        other.count(Health::Unknown, notes);
        assert!(!other.anything_unjudged(), "a shortcut to the web is no part left unseen");
        one.add(&other);
        assert_eq!((one.links, one.of(Health::Broken), one.with(Note::Web)), (2, 1, 1));
        assert!(one.anything_wrong() && !one.anything_unjudged());
        other.problems = 1;
        assert!(other.anything_unjudged() && !other.anything_wrong());
    }
}
