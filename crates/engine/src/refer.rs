//! A path that somebody is about to move or delete, as links may lead to it.

use crate::folder::Folder;
use crate::live::Live;
use crate::system::System;
use crate::volumes::Volumes;
use linkwell_model::chain::resolve;
use linkwell_model::path::{self, AbsPath, Component};
use linkwell_model::reference::Place;
use std::sync::Arc;

/// The place that `typed` names, read from `start` when it is relative: the entry itself, not
/// what a link leads to, unless the path ends in a slash or in `..`.
///
/// A path that does not exist (any more) is a place, too: links may still be written to lead
/// there.
pub fn place(system: System, volumes: &Arc<Volumes>, start: &Arc<Folder>, typed: &[u8]) -> Place {
    let mut live = Live::new(system, Arc::clone(volumes));
    let current = start.place();
    let mut written = if path::is_absolute(typed) { AbsPath::root() } else { current.clone() };
    written.extend_as_text(typed);
    let last = path::components(typed).next_back();
    let (way, name) = match last {
        Some(Component::Name(name)) if !path::ends_as_folder(typed) => {
            (typed.get(..typed.len() - name.len()).unwrap_or_default(), Some(name))
        }
        _ => (typed, None),
    };
    let mut place = if way.is_empty() {
        current
    } else {
        let chain = resolve(&mut live, start, way);
        let mut place = chain.end_at(&live);
        place.extend_as_text(&chain.rest);
        place
    };
    if let Some(name) = name {
        place.push(name);
    }
    Place { seen_at: volumes.mounts().aliases(&place), written }
}
