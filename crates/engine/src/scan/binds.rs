//! Bind mounts below a root, from the mount table.

use super::Root;
use crate::volumes::Volumes;
use linkwell_model::path::AbsPath;
use linkwell_model::volume::{self, Bind, Manner};

/// A bind mount in a tree.
#[derive(Clone, Debug)]
pub struct FoundBind<'v> {
    /// Where it is shown, as a person would type it.
    pub path: Vec<u8>,
    /// Where it is shown.
    pub place: AbsPath,
    /// What it shows.
    pub bind: Bind<'v>,
}

/// The bind mounts at or below a root.
pub fn below<'v>(volumes: &'v Volumes, root: &'v Root, virtual_too: bool) -> Vec<FoundBind<'v>> {
    let Some(top) = &root.top else {
        return Vec::new();
    };
    volumes
        .mounts()
        .binds(&root.place)
        .filter(|bind| virtual_too || volume::manner(&bind.mount.fs_type) != Manner::Virtual)
        .filter_map(|bind| {
            let below = bind.mount.point.below(&root.place)?;
            let mut path = root.typed.clone();
            if !below.is_empty() {
                path = root.prefix(top);
                path.extend_from_slice(below);
            }
            Some(FoundBind { path, place: bind.mount.point.clone(), bind })
        })
        .collect()
}
