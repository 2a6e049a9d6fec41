//! *Followed link*: a link where it is synced, and an option that lets the client follow it.

use super::wanted::{Wanted, refused};
use super::{kept, words};
use crate::World;
use crate::args::Args;
use crate::args::share::{Share, Unshare};
use crate::commands::change::{Manner, carry_out, carry_out_prepared, surveyor};
use crate::error::{Exit, Failure};
use linkwell_engine::placements::{Stands, stands};
use linkwell_engine::survey::create::{self, Kind, Pair, Whither};
use linkwell_model::plan::{Fate, Item, Object, Plan, Step};
use linkwell_model::share::placement::Placement;
use linkwell_model::shown::shown;

pub(super) fn share(
    share: &Share,
    wanted: &Wanted,
    args: &Args,
    world: &World,
) -> Result<Exit, Failure> {
    let placement = wanted.placement(world);
    let link = placement.there();
    let links = create::Wanted {
        kind: Kind::Symlink,
        style: None,
        force: false,
        backup: None,
        allow_broken: false,
        allow_cycle: false,
        exact: true,
    };
    let pair = Pair::new(wanted.folder.as_bytes().to_vec(), Whither::At(link.as_bytes().to_vec()));
    let mut surveyor = surveyor(world)?;
    let mut plan = create::plan(&mut surveyor, &links, &[pair]);
    if let Some(item) = plan.items.first_mut() {
        item.remarks.extend(words::before(wanted));
        item.remarks.extend(words::of_links_in(wanted, world));
        item.remarks.extend(wanted.option().map(|option| format!("it has to be told: `{option}`")));
    }
    let before = kept::all(world)?;
    let manner = Manner { change: share.change, each: None, undoes: None, amount: None };
    let prepare = |plan: &mut Plan| kept::prepare(placement.clone(), plan, world);
    let exit = carry_out_prepared(plan, &manner, &surveyor, args, world, prepare);
    if !share.change.dry_run && !kept::may_come(&exit) && !is_link(&placement, world)? {
        kept::restore(&placement, &before, world)?;
    }
    exit
}

fn is_link(placement: &Placement, world: &World) -> Result<bool, Failure> {
    let mut surveyor = surveyor(world)?;
    let spot = surveyor.spot(placement.there().as_bytes()).ok();
    let object = spot.and_then(|spot| surveyor.object(&spot).ok().flatten());
    Ok(matches!(object, Some(Object::Link { .. })))
}

/// The link goes; the folder is where it always was.
pub(super) fn unshare(
    placement: &Placement,
    name: &str,
    unshare: &Unshare,
    args: &Args,
    world: &World,
) -> Result<Exit, Failure> {
    let there = placement.there();
    let mut surveyor = surveyor(world)?;
    if let Stands::Outside(place) = stands(&mut surveyor, placement) {
        let what =
            format!("`{}` leads to `{}` now; it is left as it is", there.shown(), place.shown());
        return Err(refused(what, Some("if it is not needed, `linkwell remove` it".into())));
    }
    let mut plan = Plan::default();
    let look = |plan: &mut Plan, surveyor: &mut linkwell_engine::survey::Surveyor| {
        let spot = surveyor.spot(there.as_bytes())?;
        let object = surveyor.object(&spot)?;
        if let Some(Object::Link { .. }) = object {
            surveyor.claim(&spot)?;
            let at = surveyor.slot(plan, &spot)?;
            return Ok((object, Some(at)));
        }
        Ok((object, None))
    };
    let found = look(&mut plan, &mut surveyor).map_err(|why: linkwell_model::plan::Why| {
        refused(format!("`{}`: {why}", there.shown()), why.hint())
    })?;
    match found {
        (Some(old), Some(at)) => {
            let step = Step::Remove { at, old, fate: Fate::Dropped { again: None } };
            let remarks = vec![
                format!("`{}` stays as it is", placement.folder.shown()),
                format!("{name} then deletes its copy on the other side: it is no longer synced"),
            ];
            plan.items.push(Item { path: there.as_bytes().into(), steps: vec![step], remarks });
        }
        (Some(other), _) => {
            let what = format!(
                "a {} stands at `{}` where the link stood; it is left as it is",
                other.kind().word(),
                shown(there.as_bytes())
            );
            return Err(refused(
                what,
                Some("look whether it holds what is not in the folder".into()),
            ));
        }
        // Somebody has removed it already.
        (None, _) => {}
    }
    let manner = Manner { change: unshare.change, each: None, undoes: None, amount: None };
    let exit = carry_out(plan, &manner, &surveyor, args, world)?;
    if !unshare.change.dry_run && exit == Exit::Done {
        kept::remove(placement, world)?;
    }
    Ok(exit)
}
