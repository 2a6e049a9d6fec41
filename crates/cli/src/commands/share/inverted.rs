//! *Inverted*: the folder itself moves to where it is synced, and a link stays at its old place.

use super::wanted::{Wanted, refused};
use super::{kept, words};
use crate::World;
use crate::args::Args;
use crate::args::moving::Move;
use crate::args::share::{Refs, Share, Unshare};
use crate::commands::change::surveyor;
use crate::commands::clients::places;
use crate::commands::{relocate, system, volumes};
use crate::error::{Exit, Failure, say};
use linkwell_engine::clients::find;
use linkwell_engine::clients::syncthing::Syncthing;
use linkwell_engine::placements::{Stands, stands};
use linkwell_engine::survey::Surveyor;
use linkwell_engine::survey::relocate::Moving;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::Object;
use linkwell_model::share::client::Client;
use linkwell_model::share::placement::Placement;
use linkwell_model::shown::quoted;

pub(super) fn share(
    share: &Share,
    wanted: &Wanted,
    args: &Args,
    world: &World,
) -> Result<Exit, Failure> {
    let placement = wanted.placement(world);
    let there = placement.there();
    let merged = surveyor(world)?.led(None, there.as_bytes()).kind.is_some();
    let mut moving = relocate::meant(&wanted.folder, Some(&there), merged, None, share.change);
    moving.synced_anyway = share.synced_anyway;
    look_elsewhere(&mut moving, &share.refs);
    let say = |found: &Moving| {
        let mut lines = words::before(wanted);
        lines.extend(words::of_links(found.freight.links));
        lines
    };
    let before = kept::all(world)?;
    // On record before anything moves: a run that is ended by force leaves something that `--check` can judge.
    let mut prepare = |plan: &mut _| kept::prepare(placement.clone(), plan, world);
    let exit = relocate::run_and_say(&moving, args, world, &say, &mut prepare);
    if !share.change.dry_run && !kept::may_come(&exit) && !is_arranged(&placement, world)? {
        kept::restore(&placement, &before, world)?;
    }
    exit
}

/// What becomes of links elsewhere is as it was asked for.
fn look_elsewhere(moving: &mut Move, refs: &Refs) {
    moving.follow_refs = refs.follow_refs;
    moving.under.clone_from(&refs.under);
    moving.no_refs = refs.no_refs;
}

/// A link stands at the old place that leads to the new one.
fn is_arranged(placement: &Placement, world: &World) -> Result<bool, Failure> {
    let mut surveyor = surveyor(world)?;
    let spot = surveyor.spot(placement.folder.as_bytes()).ok();
    let object = spot.and_then(|spot| surveyor.object(&spot).ok().flatten());
    let is_link = matches!(object, Some(Object::Link { .. }));
    let physical =
        |place: &AbsPath, surveyor: &mut Surveyor| surveyor.led(None, place.as_bytes()).physical;
    let led = physical(&placement.folder, &mut surveyor);
    Ok(is_link && led.is_some() && led == physical(&placement.there(), &mut surveyor))
}

pub(super) fn unshare(
    placement: &Placement,
    client: Option<&'static Client>,
    unshare: &Unshare,
    args: &Args,
    world: &World,
) -> Result<Exit, Failure> {
    let name = client.map_or("whatever syncs it", |client| client.name.as_str());
    let folder = quoted(placement.folder.as_bytes());
    match stands(&mut surveyor(world)?, placement) {
        Stands::Home => {
            kept::remove(placement, world)?;
            return Ok(Exit::Done);
        }
        Stands::Outside(place) => {
            let what = format!(
                "the link leads to `{}`, and not to what was shared, `{}`",
                place.shown(),
                placement.there().shown()
            );
            let hint = format!(
                "`linkwell retarget {folder} --to {}` first",
                quoted(placement.there().as_bytes())
            );
            return Err(refused(what, Some(hint)));
        }
        Stands::Replaced(kind) => {
            let what = format!(
                "a {} stands in the place of the link, and what was shared is at `{}`",
                kind.word(),
                placement.there().shown()
            );
            let hint = format!(
                "move the {} away, or `linkwell move --merge {folder} {}` makes one of both",
                kind.word(),
                quoted(placement.there().as_bytes())
            );
            return Err(refused(what, Some(hint)));
        }
        _ => {}
    }
    let mut moving = relocate::meant(&placement.folder, None, false, None, unshare.change);
    look_elsewhere(&mut moving, &unshare.refs);
    let waiting = client.and_then(|client| waiting(placement, client, world));
    let words = |_: &Moving| {
        let mut lines =
            vec![format!("{name} then deletes its copy on the other side: it is no longer synced")];
        let pause = client.and_then(|client| client.pause.as_ref()).filter(|pause| pause.can);
        match (&waiting, pause) {
            (Some(_), _) => lines.push(format!("{name} is told to wait while it moves")),
            (None, Some(pause)) => {
                lines.push(format!("to let it wait meanwhile: {}", pause.how));
            }
            (None, None) => {}
        }
        lines
    };
    let mut waits = false;
    let mut prepare = |_: &mut _| {
        if let Some((syncthing, folder)) = &waiting {
            match syncthing.pause(folder, true) {
                Ok(()) => waits = true,
                Err(why) => say(&format!("note: {name} goes on meanwhile: {why}")),
            }
        }
    };
    let exit = relocate::run_and_say(&moving, args, world, &words, &mut prepare);
    if let Some((syncthing, folder)) = waiting.as_ref().filter(|_| waits)
        && let Err(why) = syncthing.pause(folder, false)
    {
        say(&format!("warning: {name} still waits with the folder `{folder}`: {why}"));
    }
    let exit = exit?;
    // What is left there in part is synced still.
    let done = exit == Exit::Done || stands(&mut surveyor(world)?, placement) == Stands::Home;
    if !unshare.change.dry_run && done {
        kept::remove(placement, world)?;
    }
    Ok(exit)
}

/// A client that runs and can be told to let a folder wait, and its word for that folder.
fn waiting(
    placement: &Placement,
    client: &'static Client,
    world: &World,
) -> Option<(Syncthing, String)> {
    let volumes = volumes(world, crate::commands::change::TIME_LIMIT);
    let all = find(system(world), &volumes, &places(world));
    let found = all.found.into_iter().find(|found| found.client.id == client.id)?;
    let root = found.roots.iter().find(|root| root.holds(&placement.root))?;
    let key = String::from_utf8(root.key.clone()?).ok()?;
    let interface = found.interface.as_ref().filter(|_| !root.paused)?;
    Some((Syncthing::reach(system(world), interface).ok()?, key))
}
