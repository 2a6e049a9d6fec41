//! Whether a link leads to a place, and how: what would be hurt if that place moved.

use crate::chain::Chain;
use crate::path::{self, AbsPath};
use crate::target::Target;
use crate::view::View;

/// How a link depends on a place. The order is from the closest to the loosest tie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refers {
    /// It ends there.
    To,
    /// It ends below it.
    Into,
    /// It passes through it on the way to somewhere else.
    Through,
    /// It is written so as to lead there, though it does not arrive.
    ByText,
}

impl Refers {
    /// The word used on the command line and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::To => "to",
            Self::Into => "into",
            Self::Through => "through",
            Self::ByText => "text",
        }
    }
}

/// A place that links may lead to, with every way to see it.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where it physically lies: first as asked about, then through other mounts.
    pub seen_at: Vec<AbsPath>,
    /// The same as a person wrote it, links not followed.
    pub written: AbsPath,
}

impl Place {
    fn holds(&self, place: &AbsPath) -> bool {
        self.seen_at.iter().any(|seen| place.is_at_or_below(seen))
    }

    fn is(&self, place: &AbsPath) -> bool {
        self.seen_at.contains(place)
    }

    /// How something that shows `target`, such as a bind mount, refers to this place.
    pub fn shown_by(&self, target: &AbsPath) -> Option<Refers> {
        if self.is(target) {
            return Some(Refers::To);
        }
        self.holds(target).then_some(Refers::Into)
    }

    /// How the link whose way is `chain` refers to this place; `None` when it does not.
    pub fn referred_by<V: View>(&self, view: &V, chain: &Chain<V::Folder>) -> Option<Refers> {
        let end = chain.end_at(view);
        if self.is(&end) && chain.rest.is_empty() {
            return Some(Refers::To);
        }
        if self.holds(&end) {
            return Some(Refers::Into);
        }
        // A link that stands in the place and leads out of it does not come back by leaving.
        let passed_folder = || {
            chain
                .passed
                .iter()
                .map(|folder| self.holds(&view.place(folder)))
                .skip_while(|inside| *inside)
                .any(|inside| inside)
        };
        let passed_link = || {
            chain
                .hops
                .iter()
                .skip(1)
                .any(|hop| self.holds(&view.place(&hop.folder).joined(&hop.name)))
        };
        if passed_folder() || passed_link() {
            return Some(Refers::Through);
        }
        let first = chain.hops.first()?;
        self.is_written_in(&first.target, &view.place(&first.folder)).then_some(Refers::ByText)
    }

    fn is_written_in(&self, target: &Target, folder: &AbsPath) -> bool {
        let text = target.as_bytes();
        let mut place = if path::is_absolute(text) { AbsPath::root() } else { folder.clone() };
        place.extend_as_text(text);
        self.holds(&place) || place.is_at_or_below(&self.written)
    }
}

#[cfg(test)]
#[path = "reference_tests.rs"]
mod tests;
