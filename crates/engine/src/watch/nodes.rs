//! The places that matter to links on record, as one tree of names: where the links stand, what they lead
//! to, and every folder on the way to either.
//!
//! A node with others below it is a folder to be watched. What happens to a node concerns all below it, so
//! that the renaming of an ancestor is one event and not thousands.

use hashbrown::{HashMap, HashTable};
use linkwell_model::path::AbsPath;
use std::hash::{BuildHasher as _, RandomState};

/// A node's number. It is used again after the node is gone.
pub(super) type NodeId = u32;

/// The number of a link on record.
pub(super) type LinkId = i64;

const NONE: NodeId = NodeId::MAX;

/// The number of `/`, which is always there.
const ROOT: NodeId = 0;

#[derive(Debug)]
struct Node {
    above: NodeId,
    name: Box<[u8]>,
    /// The first one below, and its neighbours in the row below `above`.
    first: NodeId,
    next: NodeId,
    before: NodeId,
    /// How it is watched.
    watch: Option<i32>,
    /// It is also watched for names that are made in it.
    creation: bool,
    /// The links whose texts name it, and those about which a person is asked whether they may.
    led_to: Vec<LinkId>,
    /// The link that stands here.
    link: Option<LinkId>,
}

impl Node {
    fn new(above: NodeId, name: Box<[u8]>) -> Self {
        Self {
            above,
            name,
            first: NONE,
            next: NONE,
            before: NONE,
            watch: None,
            creation: false,
            led_to: Vec::new(),
            link: None,
        }
    }
}

/// The tree.
#[derive(Debug)]
pub(super) struct Nodes {
    all: Vec<Node>,
    free: Vec<NodeId>,
    /// By folder and name. Names are anybody's, so the hashes are keyed by chance.
    table: HashTable<NodeId>,
    hasher: RandomState,
    watches: Watches,
}

/// The folders that a watch is of. Nearly all are of one: only a folder that is mounted in several places
/// has several names here, and the system one watch for all of them.
#[derive(Debug, Default)]
struct Watches {
    first: HashMap<i32, NodeId>,
    others: HashMap<i32, Vec<NodeId>>,
}

impl Watches {
    fn of(&self, watch: i32) -> impl Iterator<Item = NodeId> {
        let others = self.others.get(&watch).map(Vec::as_slice).unwrap_or_default();
        self.first.get(&watch).into_iter().chain(others).copied()
    }

    fn add(&mut self, watch: i32, node: NodeId) {
        if self.of(watch).any(|known| known == node) {
            return;
        }
        if self.first.contains_key(&watch) {
            self.others.entry(watch).or_default().push(node);
        } else {
            self.first.insert(watch, node);
        }
    }

    /// `true` when it was the last one, and nobody has the watch any more.
    fn remove(&mut self, watch: i32, node: NodeId) -> bool {
        let mut all: Vec<NodeId> = self.of(watch).collect();
        let Some(at) = all.iter().position(|known| *known == node) else { return false };
        all.remove(at);
        self.first.remove(&watch);
        self.others.remove(&watch);
        let left = !all.is_empty();
        all.into_iter().for_each(|node| self.add(watch, node));
        !left
    }
}

impl Nodes {
    pub(super) fn new() -> Self {
        Self {
            all: vec![Node::new(ROOT, Box::default())],
            free: Vec::new(),
            table: HashTable::new(),
            hasher: RandomState::new(),
            watches: Watches::default(),
        }
    }

    fn node(&self, id: NodeId) -> Option<&Node> {
        self.all.get(usize::try_from(id).ok()?)
    }

    fn node_mut(&mut self, id: NodeId) -> Option<&mut Node> {
        self.all.get_mut(usize::try_from(id).ok()?)
    }

    /// The node called `name` in the folder `above`.
    pub(super) fn child(&self, above: NodeId, name: &[u8]) -> Option<NodeId> {
        let hash = self.hasher.hash_one((above, name));
        let is = |id: &NodeId| {
            self.node(*id).is_some_and(|node| node.above == above && *node.name == *name)
        };
        self.table.find(hash, is).copied()
    }

    /// The node of a place.
    pub(super) fn find(&self, place: &AbsPath) -> Option<NodeId> {
        place.names().try_fold(ROOT, |above, name| self.child(above, name))
    }

    /// The node of a place, made with all above it where it is not there.
    pub(super) fn insert(&mut self, place: &AbsPath) -> NodeId {
        let mut here = ROOT;
        for name in place.names() {
            here = match self.child(here, name) {
                Some(known) => known,
                None => self.add(here, name),
            };
        }
        here
    }

    fn add(&mut self, above: NodeId, name: &[u8]) -> NodeId {
        let next = self.node(above).map_or(NONE, |above| above.first);
        let mut node = Node::new(above, name.into());
        node.next = next;
        let id = match self.free.pop() {
            Some(id) => {
                if let Some(room) = self.node_mut(id) {
                    *room = node;
                }
                id
            }
            None => {
                let id = NodeId::try_from(self.all.len()).unwrap_or(NONE);
                self.all.push(node);
                id
            }
        };
        if let Some(next) = self.node_mut(next) {
            next.before = id;
        }
        if let Some(above) = self.node_mut(above) {
            above.first = id;
        }
        let hash = self.hasher.hash_one((above, name));
        let (all, hasher) = (&self.all, &self.hasher);
        let rehash = |id: &NodeId| {
            let node = usize::try_from(*id).ok().and_then(|id| all.get(id));
            node.map_or(0, |node| hasher.hash_one((node.above, &*node.name)))
        };
        self.table.insert_unique(hash, id, rehash);
        id
    }

    /// Where a node is.
    pub(super) fn place(&self, id: NodeId) -> AbsPath {
        let mut names = Vec::new();
        let mut here = id;
        while here != ROOT
            && let Some(node) = self.node(here)
        {
            names.push(&*node.name);
            here = node.above;
        }
        let mut place = AbsPath::root();
        for name in names.into_iter().rev() {
            place.push(name);
        }
        place
    }

    /// The node itself, and those above it, the nearest first.
    pub(super) fn upward(&self, id: NodeId) -> impl Iterator<Item = NodeId> {
        std::iter::successors(Some(id), |here| {
            (*here != ROOT).then(|| self.node(*here).map(|node| node.above)).flatten()
        })
    }

    /// The name of a node; empty for `/`.
    pub(super) fn name(&self, id: NodeId) -> &[u8] {
        self.node(id).map(|node| &*node.name).unwrap_or_default()
    }

    /// The node itself, and all below it.
    pub(super) fn subtree(&self, id: NodeId) -> Vec<NodeId> {
        let mut all = vec![id];
        let mut at = 0;
        while let Some(here) = all.get(at).copied() {
            let mut below = self.node(here).map_or(NONE, |node| node.first);
            while let Some(node) = self.node(below) {
                all.push(below);
                below = node.next;
            }
            at += 1;
        }
        all
    }

    /// The links that a node is of: those that are led to it, and the one that stands there.
    pub(super) fn links(&self, id: NodeId) -> impl Iterator<Item = LinkId> {
        let node = self.node(id);
        let led = node.map(|node| node.led_to.as_slice()).unwrap_or_default();
        led.iter().copied().chain(node.and_then(|node| node.link))
    }

    /// The link that stands here.
    pub(super) fn link(&self, id: NodeId) -> Option<LinkId> {
        self.node(id)?.link
    }

    /// Whether it is a folder with others below.
    pub(super) fn is_folder(&self, id: NodeId) -> bool {
        self.node(id).is_some_and(|node| node.first != NONE)
    }

    /// Notes a link: where it stands, and what its text names.
    pub(super) fn tie(&mut self, link: LinkId, at: NodeId, to: NodeId) {
        if let Some(node) = self.node_mut(at) {
            node.link = Some(link);
        }
        if let Some(node) = self.node_mut(to) {
            node.led_to.push(link);
        }
    }

    /// Forgets a link. The nodes that are then of nobody go; their numbers, and how they were watched, are
    /// the answer.
    pub(super) fn untie(
        &mut self,
        link: LinkId,
        at: NodeId,
        to: NodeId,
    ) -> Vec<(NodeId, Option<i32>)> {
        if let Some(node) = self.node_mut(at)
            && node.link == Some(link)
        {
            node.link = None;
        }
        if let Some(node) = self.node_mut(to) {
            node.led_to.retain(|led| *led != link);
            node.led_to.shrink_to_fit();
        }
        let mut gone = Vec::new();
        self.release(at, &mut gone);
        self.release(to, &mut gone);
        gone
    }

    /// A link stands elsewhere now, or its text names something else: the new nodes are noted before the old
    /// ones go, so that what both have in common stays. The answer is as for [`Self::untie`].
    pub(super) fn shift(
        &mut self,
        link: LinkId,
        old: (NodeId, NodeId),
        new: (NodeId, NodeId),
    ) -> Vec<(NodeId, Option<i32>)> {
        if let Some(node) = self.node_mut(old.0)
            && node.link == Some(link)
        {
            node.link = None;
        }
        if let Some(node) = self.node_mut(old.1) {
            node.led_to.retain(|led| *led != link);
        }
        self.tie(link, new.0, new.1);
        let mut gone = Vec::new();
        self.release(old.0, &mut gone);
        self.release(old.1, &mut gone);
        gone
    }

    /// Notes that a person is asked whether a link may lead here.
    pub(super) fn propose(&mut self, link: LinkId, at: NodeId) {
        if let Some(node) = self.node_mut(at) {
            node.led_to.push(link);
        }
    }

    /// Nobody is asked that any more. The answer is as for [`Self::untie`].
    pub(super) fn unpropose(&mut self, link: LinkId, at: NodeId) -> Vec<(NodeId, Option<i32>)> {
        if let Some(node) = self.node_mut(at)
            && let Some(number) = node.led_to.iter().position(|led| *led == link)
        {
            // Once: by now it may lead here.
            node.led_to.swap_remove(number);
        }
        let mut gone = Vec::new();
        self.release(at, &mut gone);
        gone
    }

    fn release(&mut self, id: NodeId, gone: &mut Vec<(NodeId, Option<i32>)>) {
        let mut here = id;
        while here != ROOT
            && let Some(node) = self.node(here)
            && node.first == NONE
            && node.led_to.is_empty()
            && node.link.is_none()
            && !gone.iter().any(|(gone, _)| *gone == here)
        {
            let (above, before, next, watch) = (node.above, node.before, node.next, node.watch);
            let hash = self.hasher.hash_one((above, &*node.name));
            if let Ok(entry) = self.table.find_entry(hash, |found| *found == here) {
                entry.remove();
            }
            if let Some(next) = self.node_mut(next) {
                next.before = before;
            }
            match self.node_mut(before) {
                Some(before) => before.next = next,
                None => {
                    if let Some(above) = self.node_mut(above) {
                        above.first = next;
                    }
                }
            }
            // Whoever has the same watch under another name keeps it.
            let watch = watch.filter(|watch| self.watches.remove(*watch, here));
            gone.push((here, watch));
            self.free.push(here);
            here = above;
        }
    }

    /// How a node is watched.
    pub(super) fn watch(&self, id: NodeId) -> Option<i32> {
        self.node(id)?.watch
    }

    /// Whether it is watched for new names.
    pub(super) fn sees_creation(&self, id: NodeId) -> bool {
        self.node(id).is_some_and(|node| node.watch.is_some() && node.creation)
    }

    /// The other names of the folder that a node is, as far as they are watched: it is mounted there, too,
    /// or had that name before.
    pub(super) fn twins(&self, id: NodeId) -> Vec<NodeId> {
        let all = self.watch(id).map(|watch| self.watches.of(watch));
        all.into_iter().flatten().filter(|twin| *twin != id).collect()
    }

    /// Notes how a node is watched. The answer is the watch that it had before and that nobody has now.
    pub(super) fn set_watch(
        &mut self,
        id: NodeId,
        watch: Option<i32>,
        creation: bool,
    ) -> Option<i32> {
        let old = self.watch(id).filter(|old| Some(*old) != watch);
        let old = old.filter(|old| self.watches.remove(*old, id));
        if let Some(node) = self.node_mut(id) {
            node.watch = watch;
            node.creation = creation;
        }
        if let Some(watch) = watch {
            self.watches.add(watch, id);
        }
        old
    }

    /// The nodes that a watch is of.
    pub(super) fn watched(&self, watch: i32) -> impl Iterator<Item = NodeId> {
        self.watches.of(watch)
    }

    /// How many folders are watched.
    pub(super) fn watches(&self) -> usize {
        self.watches.first.len()
    }

    /// `/`.
    pub(super) fn root() -> NodeId {
        ROOT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> AbsPath {
        AbsPath::cleaned(text.as_bytes()).unwrap_or_else(AbsPath::root)
    }

    #[test]
    fn what_is_of_nobody_goes_with_all_above_it_and_neighbours_stay() {
        let mut nodes = Nodes::new();
        let (at, to) = (nodes.insert(&place("/l/a")), nodes.insert(&place("/t/x/one")));
        nodes.tie(1, at, to);
        let (other, two) = (nodes.insert(&place("/l/b")), nodes.insert(&place("/t/x/two")));
        nodes.tie(2, other, two);
        let x = nodes.find(&place("/t/x")).expect("it is there");
        assert!(nodes.set_watch(x, Some(7), false).is_none());
        assert_eq!(nodes.subtree(x).len(), 3);
        assert_eq!(nodes.untie(1, at, to).len(), 2, "the two ends");
        assert_eq!(nodes.find(&place("/t/x/one")), None);
        assert_eq!(nodes.find(&place("/t/x/two")), Some(two));
        let gone = nodes.untie(2, other, two);
        assert!(gone.contains(&(x, Some(7))), "its watch is to be given up: {gone:?}");
        assert_eq!(nodes.subtree(Nodes::root()), [Nodes::root()]);
        assert_eq!(nodes.watched(7).next(), None);
    }

    #[test]
    fn a_watch_that_another_node_has_by_now_is_not_given_up() {
        let mut nodes = Nodes::new();
        let (old, new) = (nodes.insert(&place("/old/f")), nodes.insert(&place("/new/f")));
        nodes.tie(1, old, new);
        let folder = |nodes: &Nodes, name| nodes.find(&place(name)).expect("it is there");
        let (was, is) = (folder(&nodes, "/old"), folder(&nodes, "/new"));
        nodes.set_watch(was, Some(3), false);
        // The same folder, renamed or mounted there as well: the system gives the same watch.
        nodes.set_watch(is, Some(3), false);
        assert_eq!(nodes.watched(3).collect::<Vec<_>>(), [was, is]);
        assert_eq!((nodes.twins(is), nodes.watches()), (vec![was], 1));
        assert_eq!(nodes.set_watch(was, None, false), None, "the other one has it still");
        assert_eq!(nodes.watched(3).collect::<Vec<_>>(), [is]);
        assert_eq!(nodes.set_watch(is, Some(4), false), Some(3));
    }

    #[test]
    fn a_link_that_leads_to_itself_is_one_node() {
        let mut nodes = Nodes::new();
        let it = nodes.insert(&place("/l/a"));
        nodes.tie(1, it, it);
        assert_eq!(nodes.untie(1, it, it).len(), 2);
        assert_eq!(nodes.find(&place("/l")), None);
    }
}
