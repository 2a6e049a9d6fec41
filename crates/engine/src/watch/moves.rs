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
    of: HashMap<Spot, Vec<NodeId>>,
}

impl Moves {
    /// What stood at `from`, which is these nodes, stands at `to` now.
    pub(super) fn moved(&mut self, nodes: &[NodeId], from: &Spot, to: &Spot) {
        // It may have come there only a moment ago: then it is still what stood at an older place.
        let known = self.of.remove(from);
        // What stood at `to` was replaced, or exchanged.
        for other in self.of.remove(to).into_iter().flatten() {
            self.to.remove(&other);
        }
        // Where a node's own object left earlier, what leaves now is another one.
        let own = |node: &NodeId| !self.to.contains_key(node);
        let moved = known.unwrap_or_else(|| nodes.iter().copied().filter(own).collect());
        if moved.is_empty() {
            return;
        }
        for node in &moved {
            self.to.insert(*node, to.clone());
        }
        self.of.insert(to.clone(), moved);
    }

    /// Where it went.
    pub(super) fn of(&self, node: NodeId) -> Option<&Spot> {
        self.to.get(&node)
    }

    /// It was looked for, or is no more.
    pub(super) fn forget(&mut self, node: NodeId) {
        let Some(spot) = self.to.remove(&node) else { return };
        if let Some(nodes) = self.of.get_mut(&spot) {
            nodes.retain(|known| *known != node);
            if nodes.is_empty() {
                self.of.remove(&spot);
            }
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
        moves.moved(&[5], &spot("a"), &spot("b"));
        // Another object under the old name, gone at once.
        moves.moved(&[5], &spot("a"), &spot("x"));
        moves.moved(&[], &spot("b"), &spot("c"));
        assert_eq!(moves.of(5), Some(&spot("c")));
        // Something else is put over it.
        moves.moved(&[6], &spot("y"), &spot("c"));
        assert_eq!((moves.of(5), moves.of(6)), (None, Some(&spot("c"))));
        moves.forget(6);
        moves.moved(&[], &spot("c"), &spot("d"));
        assert_eq!(moves.of(6), None);
    }

    #[test]
    fn a_folder_that_is_mounted_twice_has_two_nodes_that_move_as_one() {
        let mut moves = Moves::default();
        moves.moved(&[5, 6], &spot("a"), &spot("b"));
        moves.moved(&[], &spot("b"), &spot("c"));
        moves.forget(5);
        moves.moved(&[], &spot("c"), &spot("d"));
        assert_eq!((moves.of(5), moves.of(6)), (None, Some(&spot("d"))));
    }
}
