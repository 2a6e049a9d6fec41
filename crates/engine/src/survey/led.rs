//! Where a target leads, for somebody who asks about many.

use super::Surveyor;
use super::neighbours::Heard;
use crate::folder::Folder;
use crate::system::Access;
use linkwell_model::chain::{Chain, Destination, End, resolve};
use linkwell_model::entry::EntryKind;
use linkwell_model::path::{self, AbsPath, Component};
use std::sync::Arc;

/// Where a target leads, as far as can be seen.
#[derive(Clone, Debug)]
pub struct Led {
    /// The place it names: its folder physically, and its last name, itself not followed.
    pub place: AbsPath,
    /// `..` follows something that is not there in it: `place` takes that for a folder.
    pub guessed: bool,
    /// Where it leads in the end, if anywhere.
    pub physical: Option<AbsPath>,
    /// What is there, if anything.
    pub kind: Option<EntryKind>,
    /// What it ends in.
    pub end: End<()>,
    /// The physical place where the walk ended.
    pub end_at: AbsPath,
    /// How many links it passes.
    pub hops: usize,
}

/// The way that targets are written with, before their last name.
pub(super) struct Way {
    text: Vec<u8>,
    folder: Arc<Folder>,
    place: AbsPath,
    hops: usize,
}

impl Surveyor {
    /// Where `target` leads from the folder at hand: the current one for what a person typed.
    pub fn led(&mut self, from: Option<&AbsPath>, target: &[u8]) -> Led {
        let last = path::components(target).next_back();
        let (way, name) = match last {
            Some(Component::Name(name)) if !path::ends_as_folder(target) => {
                (target.get(..target.len() - name.len()).unwrap_or_default(), Some(name))
            }
            _ => (target, None),
        };
        if let (None, Some(name)) = (from, name)
            && let Some(led) = self.led_beside(way, name)
        {
            return led;
        }
        let start = from.map_or_else(|| Arc::clone(&self.current), Folder::of_place);
        let chain = resolve(&mut self.live, &start, target);
        let end_at = chain.end_at(&self.live);
        let climbs = |rest: &[u8]| path::components(rest).any(|one| one == Component::Up);
        let (place, guessed) = match name {
            None => {
                let mut place = end_at.clone();
                place.extend_as_text(&chain.rest);
                (place, climbs(&chain.rest))
            }
            Some(name) if way.is_empty() => (start.place().joined(name), false),
            Some(name) => {
                let above = resolve(&mut self.live, &start, way);
                let mut place = above.end_at(&self.live);
                place.extend_as_text(&above.rest);
                place.push(name);
                (place, climbs(&above.rest))
            }
        };
        let kind = match &chain.end {
            End::Found(Destination::Folder(_)) => Some(EntryKind::Folder),
            End::Found(Destination::Other(kind)) => Some(*kind),
            _ => None,
        };
        let physical = kind.map(|_| end_at.clone());
        let (end, hops) = (bare(&chain), chain.hops.len());
        Led { place, guessed, physical, kind, end, end_at, hops }
    }

    /// [`Surveyor::led`], for a target beside the last ones: its way has been walked, and its folder
    /// been listed.
    fn led_beside(&mut self, way: &[u8], name: &[u8]) -> Option<Led> {
        if self.last_way.as_ref().is_none_or(|last| last.text != way) {
            let start = Arc::clone(&self.current);
            let chain =
                if way.is_empty() { None } else { Some(resolve(&mut self.live, &start, way)) };
            let folder = match &chain {
                None => start,
                Some(chain) => match &chain.end {
                    End::Found(Destination::Folder(folder)) => Arc::clone(folder),
                    _ => return None,
                },
            };
            let hops = chain.map_or(0, |chain| chain.hops.len());
            self.last_way = Some(Way { text: way.to_vec(), place: folder.place(), folder, hops });
        }
        let way = self.last_way.as_ref()?;
        let (system, folder) = (self.system, &way.folder);
        let list = || folder.open(system, Access::List);
        let kind = match self.beside_targets.ask(system, &way.place, name, list) {
            Heard::Is(kind) if kind != EntryKind::Symlink => kind,
            _ => return None,
        };
        let place = way.place.joined(name);
        let end = match kind {
            EntryKind::Folder => Destination::Folder(()),
            kind => Destination::Other(kind),
        };
        Some(Led {
            physical: Some(place.clone()),
            kind: Some(kind),
            end: End::Found(end),
            end_at: place.clone(),
            place,
            guessed: false,
            hops: way.hops,
        })
    }
}

fn bare<F>(chain: &Chain<F>) -> End<()> {
    match &chain.end {
        End::Found(Destination::Folder(_)) => End::Found(Destination::Folder(())),
        End::Found(Destination::Other(kind)) => End::Found(Destination::Other(*kind)),
        End::Missing => End::Missing,
        End::NotADirectory(kind) => End::NotADirectory(*kind),
        End::Loop => End::Loop,
        End::TooManyHops => End::TooManyHops,
        End::Denied => End::Denied,
        End::Unavailable => End::Unavailable,
    }
}
