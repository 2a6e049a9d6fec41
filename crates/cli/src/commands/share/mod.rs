//! `linkwell share` and `unshare`: a folder made to arrive where a client brings it, and the way back. Each arrangement
//! has a file of its own.

mod bound;
mod followed;
mod inverted;
pub(super) mod kept;
mod listing;
mod mirrored;
mod native;
mod wanted;
mod words;

use crate::World;
use crate::args::Args;
use crate::args::share::{Share, Unshare};
use crate::commands::change::surveyor;
use crate::error::{Exit, Failure};
use linkwell_model::share::arrangement::Arrangement;
use linkwell_model::share::knowledge::Knowledge;
use linkwell_model::share::placement::Placement;
use linkwell_model::shown::shown;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

pub(super) fn run(share: &Share, args: &Args, world: &World) -> Result<Exit, Failure> {
    if share.list || share.check {
        return listing::run(share, args, world);
    }
    let wanted = wanted::wanted(share, world)?;
    match wanted.arrangement {
        Arrangement::Native => native::share(share, &wanted, args, world),
        Arrangement::Inverted => inverted::share(share, &wanted, args, world),
        Arrangement::Bind => bound::share(share, &wanted, args, world),
        Arrangement::Follow => followed::share(share, &wanted, args, world),
        Arrangement::Mirror => mirrored::share(share, &wanted, args, world),
    }
}

pub(super) fn unshare(unshare: &Unshare, args: &Args, world: &World) -> Result<Exit, Failure> {
    let place = wanted::place(&unshare.folder, world)?;
    let mut surveyor = surveyor(world)?;
    let shared = kept::shared(&mut surveyor, world)?;
    // What is home already is taken off the record, and no more.
    let recorded = kept::all(world)?;
    let all = shared.iter().chain(recorded.iter().filter(|placement| !placement.ended));
    // What is on the way to it may be a link by now.
    let mut is_it = |placement: &&Placement| {
        placement.folder == place
            || surveyor.spot(placement.folder.as_bytes()).is_ok_and(|spot| spot.place() == place)
    };
    let found = all.into_iter().find(|placement| is_it(placement));
    let Some(placement) = found else {
        return Err(Failure::Refused {
            what: format!("`{}` was not shared by linkwell; nothing was changed", shown(unshare.folder.as_bytes())),
            cause: None,
            hint: Some("`linkwell share --list` shows what was; `linkwell move --back LINK` brings home what a link leads to".into()),
            exit: Exit::Found,
        });
    };
    let client = placement.client.as_deref().and_then(|id| Knowledge::known().client(id));
    let name = client.map_or("whatever syncs it", |client| client.name.as_str());
    match placement.arrangement {
        Arrangement::Native => native::unshare(placement, unshare, args, world),
        Arrangement::Inverted => inverted::unshare(placement, client, unshare, args, world),
        Arrangement::Mirror => mirrored::unshare(placement, name, unshare, args, world),
        Arrangement::Bind => bound::unshare(placement, name, unshare, args, world),
        Arrangement::Follow => followed::unshare(placement, name, unshare, args, world),
    }
}

/// What was typed, as bytes.
fn bytes(typed: &OsStr) -> Vec<u8> {
    typed.as_bytes().to_vec()
}
