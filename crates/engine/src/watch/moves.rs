//! Where names went, as far as was heard: for what is not held.
//!
//! A hint like every other one. What is found where it points is compared before anything is done.

use super::nodes::NodeId;
use super::queue::Spot;
use hashbrown::HashMap;

/// The latest known spot of what stood at a node.
#[derive(Debug, Default)]
pub(super) struct Moves {
    to: HashMap<NodeId, Spot>,
    of: HashMap<Spot, NodeId>,
}

impl Moves {
    /// What stood at `from`, which is the node `node` if it is one, stands at `to` now.
    pub(super) fn moved(&mut self, node: Option<NodeId>, from: &Spot, to: &Spot) {
        // It may have come there only a moment ago: then it is still what stood at an older place.
        let known = self.of.remove(from);
        // What stood at `to` was replaced, or exchanged.
        if let Some(other) = self.of.remove(to) {
            self.to.remove(&other);
        }
        let node = match known {
            Some(known) => known,
            None => match node {
                // Its own object left earlier, and what leaves now is another one.
                Some(node) if !self.to.contains_key(&node) => node,
                _ => return,
            },
        };
        self.to.insert(node, to.clone());
        self.of.insert(to.clone(), node);
    }

    /// Where it went.
    pub(super) fn of(&self, node: NodeId) -> Option<&Spot> {
        self.to.get(&node)
    }

    /// It was looked for, or is no more.
    pub(super) fn forget(&mut self, node: NodeId) {
        if let Some(spot) = self.to.remove(&node) {
            self.of.remove(&spot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spot(name: &str) -> Spot {
        Spot { watch: 1, name: name.as_bytes().into() }
    }

    #[test]
    fn one_that_moves_on_is_followed_and_another_one_is_not_taken_for_it() {
        let mut moves = Moves::default();
        moves.moved(Some(5), &spot("a"), &spot("b"));
        // Another object under the old name, gone at once.
        moves.moved(Some(5), &spot("a"), &spot("x"));
        moves.moved(None, &spot("b"), &spot("c"));
        assert_eq!(moves.of(5), Some(&spot("c")));
        // Something else is put over it.
        moves.moved(Some(6), &spot("y"), &spot("c"));
        assert_eq!((moves.of(5), moves.of(6)), (None, Some(&spot("c"))));
        moves.forget(6);
        moves.moved(None, &spot("c"), &spot("d"));
        assert_eq!(moves.of(6), None);
    }
}
