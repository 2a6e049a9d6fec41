//! `linkwell share` and `unshare`: a folder put where a client syncs it, and brought home.

pub(super) mod kept;
mod listing;
mod wanted;

use super::change::surveyor;
use super::relocate;
use crate::World;
use crate::args::Args;
use crate::args::share::{Share, Unshare};
use crate::error::{Exit, Failure};
use linkwell_engine::survey::relocate::Moving;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::Object;
use linkwell_model::share::arrangement::Arrangement;
use linkwell_model::share::client::Kind;
use linkwell_model::share::knowledge::Knowledge;
use linkwell_model::share::placement::Placement;
use linkwell_model::share::said::{Said, UNKNOWN};
use linkwell_model::shown::shown;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use wanted::Wanted;

pub(super) fn run(share: &Share, args: &Args, world: &World) -> Result<Exit, Failure> {
    if share.list || share.check {
        return listing::run(share, args, world);
    }
    let wanted = wanted::wanted(share, world)?;
    match wanted.arrangement {
        Arrangement::Inverted => invert(share, &wanted, args, world),
        other => Err(wanted::only_told(other, &wanted)),
    }
}

/// The folder goes where it is synced, and a link stays.
fn invert(share: &Share, wanted: &Wanted, args: &Args, world: &World) -> Result<Exit, Failure> {
    let placement = Placement {
        folder: wanted.folder.clone(),
        client: wanted.client.map(|client| client.id.clone()),
        root: wanted.root.clone(),
        name: wanted.name.as_bytes().into(),
        arrangement: Arrangement::Inverted,
        at: world.now.0,
    };
    let mut surveyor = surveyor(world)?;
    let stands = surveyor.led(None, placement.there().as_bytes()).kind.is_some();
    drop(surveyor);
    let there = placement.there();
    let moving = relocate::meant(&wanted.folder, Some(&there), stands, None, share.change);
    let say = |found: &Moving| words(wanted, found);
    let exit = relocate::run_and_say(&moving, args, world, &say)?;
    if share.change.dry_run || !is_arranged(&placement, world)? {
        return Ok(exit);
    }
    kept::add(placement, world)?;
    Ok(exit)
}

/// A link stands at the old place that leads to the new one.
fn is_arranged(placement: &Placement, world: &World) -> Result<bool, Failure> {
    let mut surveyor = surveyor(world)?;
    let spot = surveyor.spot(placement.folder.as_bytes()).ok();
    let object = spot.and_then(|spot| surveyor.object(&spot).ok().flatten());
    let is_link = matches!(object, Some(Object::Link { .. }));
    let physical = |place: &AbsPath, surveyor: &mut linkwell_engine::survey::Surveyor| {
        surveyor.led(None, place.as_bytes()).physical
    };
    let led = physical(&placement.folder, &mut surveyor);
    Ok(is_link && led.is_some() && led == physical(&placement.there(), &mut surveyor))
}

/// What a person should know before it is done.
fn words(wanted: &Wanted, found: &Moving) -> Vec<String> {
    let known = Knowledge::known();
    let mut lines = Vec::new();
    if let Some(client) = wanted.client
        && let Some(chosen) = client.recommended(wanted.arrangement)
    {
        lines.push(format!("with {} this is the way: {}", client.name, chosen.why));
        if let Some(then) = known.consequences(chosen) {
            let says = |said: &Said| said.says != UNKNOWN;
            let all = [
                ("an edit on the other side", then.edit),
                ("the folder renamed there", then.rename),
                ("the folder deleted there", then.delete),
            ];
            for (what, said) in all.into_iter().filter(|(_, said)| says(said)) {
                lines.push(format!("{what}: {}", said.says));
            }
        }
        if wanted.runs && matches!(client.kind, Kind::Live) {
            lines.push(format!("{} runs: it begins to carry it over at once", client.name));
        }
    }
    if found.freight.links > 0 {
        let (count, s) = (found.freight.links, if found.freight.links == 1 { "" } else { "s" });
        lines.push(format!(
            "{count} link{s} in it will not bring what {} to on the other side",
            if count == 1 { "it leads" } else { "they lead" }
        ));
    }
    lines
}

pub(super) fn unshare(unshare: &Unshare, args: &Args, world: &World) -> Result<Exit, Failure> {
    let all = kept::all(world)?;
    let place = wanted::place(&unshare.folder, world)?;
    let Some(placement) = all.iter().rev().find(|placement| placement.folder == place) else {
        return Err(Failure::Refused {
            what: format!("`{}` was not shared by linkwell; nothing was changed", shown(unshare.folder.as_bytes())),
            cause: None,
            hint: Some("`linkwell share --list` shows what was; `linkwell move --back LINK` brings home what a link leads to".into()),
            exit: Exit::Found,
        });
    };
    let client = placement.client.as_deref().and_then(|id| Knowledge::known().client(id));
    let name = client.map_or("whatever syncs it", |client| client.name.as_str());
    let moving = relocate::meant(&placement.folder, None, false, None, unshare.change);
    let say = |_: &Moving| {
        let mut lines =
            vec![format!("{name} then deletes its copy on the other side: it is no longer synced")];
        if let Some(pause) =
            client.and_then(|client| client.pause.as_ref()).filter(|pause| pause.can)
        {
            lines.push(format!("to let it wait meanwhile: {}", pause.how));
        }
        lines
    };
    let exit = relocate::run_and_say(&moving, args, world, &say)?;
    if unshare.change.dry_run || !is_home(&placement.folder, world)? {
        return Ok(exit);
    }
    kept::remove(placement, world)?;
    Ok(exit)
}

/// A real folder stands at its old place again.
fn is_home(folder: &AbsPath, world: &World) -> Result<bool, Failure> {
    let mut surveyor = surveyor(world)?;
    let spot = surveyor.spot(folder.as_bytes()).ok();
    let object = spot.and_then(|spot| surveyor.object(&spot).ok().flatten());
    Ok(matches!(object, Some(Object::Folder { .. })))
}

/// What was typed, as bytes.
fn bytes(typed: &OsStr) -> Vec<u8> {
    typed.as_bytes().to_vec()
}
