//! What is shared, as it is written down for another computer.

use crate::World;
use crate::commands::change::surveyor;
use crate::commands::clients;
use crate::commands::share::kept;
use crate::commands::{change, system, volumes};
use crate::error::{Failure, say};
use linkwell_engine::clients::{All, find};
use linkwell_engine::placements::{Stands, stands};
use linkwell_model::keep::link::{Kept, Policy};
use linkwell_model::links_file::{Bases, Key, Shared, Written};
use linkwell_model::path::AbsPath;
use linkwell_model::share::placement::Placement;

/// A placement that is to be written.
pub(super) struct Chosen {
    placement: Placement,
    key: Option<Vec<u8>>,
    written: Written,
    policy: Policy,
}

/// Those at or below these places, or all of them.
pub(super) fn chosen(
    places: &[(Vec<u8>, AbsPath)],
    all_of_them: bool,
    world: &World,
) -> Result<Vec<Chosen>, Failure> {
    let mut surveyor = surveyor(world)?;
    let all = kept::shared(&mut surveyor, world)?;
    let wanted = |one: &Placement| {
        all_of_them || places.iter().any(|(_, place)| one.folder.is_at_or_below(place))
    };
    let all: Vec<Placement> = all.into_iter().filter(wanted).collect();
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let clients = find(system(world), &volumes(world, change::TIME_LIMIT), &clients::places(world));
    let mut chosen = Vec::new();
    for mut placement in all {
        match stands(&mut surveyor, &placement) {
            // What arrives on the other computer has this name.
            Stands::Renamed(place) if place.parent() == root(&mut surveyor, &placement) => {
                if let Some((_, name)) = place.split() {
                    placement.name = name.as_bytes().into();
                }
            }
            // The link is one like any other by now.
            Stands::Outside(place) | Stands::Renamed(place) => {
                say(&format!(
                    "note: `{}` leads to `{}`, and not to where it was shared, so only the link is written",
                    placement.folder.shown(),
                    place.shown()
                ));
                continue;
            }
            _ => {}
        }
        let key = key(&placement, &clients);
        chosen.push(Chosen {
            placement,
            key,
            written: Written::default(),
            policy: Policy::default(),
        });
    }
    Ok(chosen)
}

/// The folder that is synced, where it lies.
fn root(surveyor: &mut linkwell_engine::survey::Surveyor, placement: &Placement) -> AbsPath {
    let led = surveyor.led(None, placement.root.as_bytes());
    led.physical.unwrap_or_else(|| placement.root.clone())
}

/// The client's own word for the folder that it syncs.
fn key(placement: &Placement, clients: &All) -> Option<Vec<u8>> {
    let of_client = |found: &&linkwell_engine::clients::Found| {
        Some(found.client.id.as_str()) == placement.client.as_deref()
    };
    let found = clients.found.iter().find(of_client)?;
    found.roots.iter().find(|root| root.place() == Some(&placement.root))?.key.clone()
}

impl Chosen {
    pub(super) fn is_below(&self, place: &AbsPath) -> bool {
        self.placement.folder.is_at_or_below(place)
    }

    /// Whether this is its link; then it is written as that is.
    pub(super) fn takes(&mut self, link: &Kept) -> bool {
        let its = link.place() == self.placement.folder;
        if its {
            self.written = Written::of(link.target.as_bytes());
            self.policy = link.policy;
        }
        its
    }

    /// What its places are.
    pub(super) fn places(&self) -> [&AbsPath; 2] {
        [&self.placement.folder, &self.placement.root]
    }

    pub(super) fn spelled(&self, bases: &Bases) -> Shared {
        let placement = &self.placement;
        Shared {
            folder: bases.spell(&placement.folder),
            client: placement.client.clone(),
            root: bases.spell(&placement.root),
            key: self.key.as_ref().map(|key| Key(key.as_slice().into())),
            name: placement.name.clone(),
            arrangement: placement.arrangement,
            written: self.written,
            policy: self.policy,
        }
    }
}
