//! The mount points below a root, as a tree of names that the walk descends beside the folders:
//! a folder without mount points below it costs nothing.

use linkwell_model::path::AbsPath;
use linkwell_model::volume::Mounts;
use std::sync::Arc;

/// Mount points at and below one folder.
#[derive(Debug, Default)]
pub(super) struct Points {
    /// The mount that stands here, if one does.
    pub(super) mount: Option<u64>,
    below: Vec<(Box<[u8]>, Points)>,
}

/// A place in the tree of points, shared by the threads.
#[derive(Clone, Debug)]
pub(super) struct PointsAt {
    tree: Arc<Points>,
    way: Vec<usize>,
}

impl Points {
    fn insert<'n>(&mut self, mut names: impl Iterator<Item = &'n [u8]>, mount: u64) {
        let Some(name) = names.next() else {
            self.mount = Some(mount);
            return;
        };
        if let Some((_, points)) = self.below.iter_mut().find(|(known, _)| **known == *name) {
            points.insert(names, mount);
        } else {
            let mut points = Self::default();
            points.insert(names, mount);
            self.below.push((name.into(), points));
        }
    }
}

impl PointsAt {
    /// The points strictly below `place`; `None` when there are none.
    pub(super) fn below(mounts: &Mounts, place: &AbsPath) -> Option<Self> {
        let mut tree = Points::default();
        for mount in mounts.below(place) {
            let way = mount.point.below(place)?;
            tree.insert(way.split(|&byte| byte == b'/'), mount.id);
        }
        (!tree.below.is_empty()).then(|| Self { tree: Arc::new(tree), way: Vec::new() })
    }

    fn here(&self) -> &Points {
        let mut points = &*self.tree;
        for &step in &self.way {
            match points.below.get(step) {
                Some((_, below)) => points = below,
                None => break,
            }
        }
        points
    }

    /// The points at and below the entry called `name`.
    pub(super) fn at(&self, name: &[u8]) -> Option<(Option<u64>, Self)> {
        let step = self.here().below.iter().position(|(known, _)| **known == *name)?;
        let mut way = self.way.clone();
        way.push(step);
        let inner = Self { tree: Arc::clone(&self.tree), way };
        Some((inner.here().mount, inner))
    }
}
