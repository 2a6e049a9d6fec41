//! A path that somebody is about to move or delete, as links may lead to it.

use crate::folder::Folder;
use crate::live::Live;
use crate::system::System;
use crate::volumes::Volumes;
use linkwell_model::chain::{Chain, End, Hop, resolve};
use linkwell_model::path::{self, AbsPath, Component};
use linkwell_model::reference::Place;
use linkwell_model::view::View;
use std::collections::HashMap;
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

/// Places that are about to go, and what they are numbered.
#[derive(Clone, Debug, Default)]
pub struct Going(HashMap<AbsPath, usize>);

impl Going {
    /// Adds a place: where it lies, physically.
    pub fn add(&mut self, place: AbsPath, number: usize) {
        self.0.insert(place, number);
    }

    /// What goes.
    pub fn places(&self) -> impl Iterator<Item = &AbsPath> {
        self.0.keys()
    }

    /// Whether nothing goes.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What goes that holds this place, or is it.
    pub fn holds(&self, place: &AbsPath) -> Option<usize> {
        let mut here = place.clone();
        loop {
            if let Some(number) = self.0.get(&here) {
                return Some(*number);
            }
            if here == AbsPath::root() {
                return None;
            }
            here.pop();
        }
    }

    /// What the link whose way is `chain` needs of what goes, to lead anywhere, and where that link
    /// stands; nothing when it goes itself, or leads nowhere now.
    pub fn needed_by<V: View>(
        &self,
        view: &V,
        chain: &Chain<V::Folder>,
    ) -> Option<(usize, AbsPath)> {
        if !matches!(chain.end, End::Found(_)) {
            return None;
        }
        let place = |hop: &Hop<V::Folder>| view.place(&hop.folder).joined(&hop.name);
        let mut hops = chain.hops.iter().map(place);
        let link = hops.next()?;
        if self.holds(&link).is_some() {
            return None;
        }
        let passed = chain.passed.iter().map(|folder| view.place(folder));
        let mut places = [chain.end_at(view)].into_iter().chain(hops).chain(passed);
        places.find_map(|at| self.holds(&at)).map(|number| (number, link))
    }
}
