//! The time in which a name may come back.
//!
//! Programs save by putting a new file in the place of the old one, and log files are renamed before new
//! ones are made: the name is away for a moment, and means what it says. So nothing is done about a name
//! before it has been left alone for the whole of the grace.

use super::nodes::NodeId;
use hashbrown::HashMap;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

/// What was last heard of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It went away, or was found away.
    Vacated,
    /// It came.
    Filled,
}

/// The names that something was heard of.
#[derive(Debug)]
pub(super) struct Grace {
    grace: Duration,
    pending: HashMap<NodeId, (Instant, Heard)>,
    /// When to look at which. Later news only moves the moment in `pending`.
    heap: BinaryHeap<Reverse<(Instant, NodeId)>>,
}

impl Grace {
    pub(super) fn new(grace: Duration) -> Self {
        Self { grace, pending: HashMap::new(), heap: BinaryHeap::new() }
    }

    /// Something was heard of a name: its grace begins anew.
    pub(super) fn heard(&mut self, node: NodeId, what: Heard, now: Instant) {
        self.at(node, what, now + self.grace);
    }

    /// A name is to be looked at again at this moment.
    pub(super) fn at(&mut self, node: NodeId, what: Heard, when: Instant) {
        let before = self.pending.insert(node, (when, what));
        if before.is_none_or(|(before, _)| when < before) {
            self.heap.push(Reverse((when, node)));
        }
    }

    /// A node is no more.
    pub(super) fn forget(&mut self, node: NodeId) {
        self.pending.remove(&node);
    }

    /// Whether the grace of a name has not ended.
    pub(super) fn is_pending(&self, node: NodeId) -> bool {
        self.pending.contains_key(&node)
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// When the next one may be due; never later than it is.
    pub(super) fn next(&self) -> Option<Instant> {
        if self.pending.is_empty() {
            return None;
        }
        self.heap.peek().map(|Reverse((when, _))| *when)
    }

    /// Takes those whose grace has ended.
    pub(super) fn due(&mut self, now: Instant) -> Vec<(NodeId, Heard)> {
        let mut due = Vec::new();
        while let Some(Reverse((when, node))) = self.heap.peek().copied() {
            if when > now {
                break;
            }
            self.heap.pop();
            match self.pending.get(&node).copied() {
                Some((later, _)) if later > now => self.heap.push(Reverse((later, node))),
                Some((_, what)) => {
                    self.pending.remove(&node);
                    due.push((node, what));
                }
                None => {}
            }
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_due_before_it_was_left_alone_for_the_whole_grace() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut grace = Grace::new(Duration::from_millis(250));
        grace.heard(1, Heard::Vacated, start);
        grace.heard(1, Heard::Filled, after(100));
        grace.heard(1, Heard::Vacated, after(200));
        assert!(grace.due(after(260)).is_empty());
        assert!(grace.due(after(449)).is_empty());
        assert!(grace.is_pending(1));
        assert_eq!(grace.due(after(450)), [(1, Heard::Vacated)]);
        assert!(grace.is_empty() && grace.due(after(9999)).is_empty());
    }

    #[test]
    fn a_name_in_motion_holds_no_other_one_up() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut grace = Grace::new(Duration::from_millis(250));
        grace.heard(2, Heard::Vacated, after(10));
        for moment in 0..300 {
            grace.heard(1, Heard::Vacated, after(moment));
        }
        assert_eq!(grace.due(after(270)), [(2, Heard::Vacated)]);
    }

    #[test]
    fn a_number_that_is_used_again_has_its_own_grace() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut grace = Grace::new(Duration::from_millis(250));
        grace.heard(1, Heard::Vacated, start);
        grace.forget(1);
        grace.heard(1, Heard::Vacated, after(200));
        assert!(grace.due(after(260)).is_empty());
        assert_eq!(grace.due(after(450)).len(), 1);
    }
}
