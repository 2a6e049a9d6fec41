//! A folder that a configuration names, looked at: the configuration may be older than the disk.

use crate::live::Live;
use linkwell_model::chain::{Destination, End, resolve};
use linkwell_model::path::AbsPath;
use linkwell_model::share::root::State;
use linkwell_model::view::View as _;

/// How the folder at an absolute path is found. Nothing is waited for, and nothing is woken.
pub(super) fn look(live: &mut Live, path: &[u8]) -> State {
    let root = live.root();
    let chain = resolve(live, &root, path);
    match &chain.end {
        End::Found(Destination::Folder(folder)) => {
            let place = folder.place();
            let volume = live.volumes().mounts().covering(&place).map(|mount| mount.point.clone());
            State::There { place, volume }
        }
        End::Found(Destination::Other(_)) | End::NotADirectory(_) => State::NotFolder,
        End::Missing | End::Unavailable => {
            let at = chain.end_at(live);
            match live.volumes().absent(&at, &chain.rest) {
                Some(absent) => State::Asleep { volume: absent.point },
                None if matches!(chain.end, End::Missing) => State::Missing,
                None => State::NoAnswer { volume: at },
            }
        }
        End::Denied | End::Loop | End::TooManyHops => State::Unseen,
    }
}

/// The folder at a place, if there is one.
pub(super) fn folder(live: &mut Live, path: &AbsPath) -> Option<AbsPath> {
    match look(live, path.as_bytes()) {
        State::There { place, .. } => Some(place),
        _ => None,
    }
}
