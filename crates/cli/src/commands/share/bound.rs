//! *Bind mount*: the folder is mounted a second time, where it is synced. That needs root, who is asked for it by the
//! commands to be typed; here only the place is made, and closed, so that a mount that is missing never looks like a
//! folder that was emptied.

use super::wanted::{Wanted, refused};
use super::{kept, words};
use crate::World;
use crate::args::Args;
use crate::args::share::{Share, Unshare};
use crate::commands::change::{Manner, carry_out, carry_out_prepared, surveyor};
use crate::commands::system;
use crate::error::{Exit, Failure, say};
use linkwell_engine::disk::Unix;
use linkwell_engine::placements::{self, Stands, stands};
use linkwell_engine::survey::conflict;
use linkwell_model::mounting;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Fate, Item, Make, Object, Plan, Step, Why};
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
    if there.is_at_or_below(&wanted.folder) {
        return Err(refused("a folder cannot be mounted in itself".into(), None));
    }
    let (Some(unit), Some(text)) = (
        mounting::unit_name(&there),
        mounting::unit(&wanted.folder, &there, "A folder that is synced elsewhere, too"),
    ) else {
        let what = "its path cannot be written in a unit of systemd".into();
        return Err(refused(what, Some("give it a plainer name: `--as NAME`".into())));
    };
    let mut surveyor = surveyor(world)?;
    let mut plan = Plan::default();
    let place = surveyor.spot(there.as_bytes()).and_then(|spot| {
        if let Some(object) = surveyor.object(&spot)? {
            return Err(Why::Taken(object.kind()));
        }
        surveyor.claim(&spot)?;
        surveyor.slot(&mut plan, &spot)
    });
    match place {
        Ok(at) => {
            let mut remarks = words::before(wanted);
            remarks.extend(words::of_links_in(wanted, world));
            remarks.push(
                "made here is only the place for it, closed so that a mount that is missing is an error and not an \
                 empty folder; what root has to type is said when that is done"
                    .into(),
            );
            let steps = vec![Step::Put { at, make: Make::Folder }];
            plan.items.push(Item { path: there.as_bytes().into(), steps, remarks });
        }
        Err(why) => conflict(&mut plan, there.as_bytes(), why),
    }
    let before = kept::all(world)?;
    let manner = Manner { change: share.change, each: None, undoes: None, amount: None };
    let prepare = |plan: &mut Plan| kept::prepare(placement.clone(), plan, world);
    let exit = carry_out_prepared(plan, &manner, &surveyor, args, world, prepare);
    if share.change.dry_run {
        return exit;
    }
    if exit.as_ref().ok() != Some(&Exit::Done) {
        if !kept::may_come(&exit) {
            kept::restore(&placement, &before, world)?;
        }
        return exit;
    }
    let closed = close(&there, world);
    let held = kept::opened(world)?;
    let written = placements::write_unit(&held, unit.as_bytes(), text.as_bytes());
    let file = held.place.joined(unit.as_bytes());
    if closed.is_err() {
        say(&format!(
            "warning: `{}` could not be closed: do not let the client run before it is mounted",
            there.shown()
        ));
    }
    if let Err(error) = written {
        let cause = Some(crate::error::reason(error));
        let what = format!("the unit could not be written: `{}`", file.shown());
        let hint = Some(format!(
            "as root: mount --bind {} {}",
            quoted(wanted.folder.as_bytes()),
            quoted(there.as_bytes())
        ));
        return Err(Failure::Refused { what, cause, hint, exit: Exit::Partly });
    }
    if !args.quiet {
        for line in to_be_typed(&file, &unit) {
            say(&line);
        }
    }
    Ok(Exit::Done)
}

/// What root types.
fn to_be_typed(file: &AbsPath, unit: &str) -> [String; 5] {
    let name = quoted(unit.as_bytes());
    [
        "next: type this, which mounts it now and at every start of the computer:".into(),
        format!("    sudo install -m 644 {} /etc/systemd/system/", quoted(file.as_bytes())),
        format!("    sudo systemctl daemon-reload && sudo systemctl enable --now {name}"),
        "then `linkwell share --check` says whether it stands".into(),
        "a client that is a unit of systemd itself is best told to need it: `RequiresMountsFor=` with that place".into(),
    ]
}

/// Nobody but root can look into it while nothing is mounted there.
fn close(there: &AbsPath, world: &World) -> Result<(), Failure> {
    let held = surveyor(world)?.folder(there.as_bytes());
    let held = held.map_err(|why| refused(why.to_string(), None))?;
    placements::close(system(world), &Unix, &held)
        .map_err(|error| refused(crate::error::reason(error), None))
}

pub(super) fn unshare(
    placement: &Placement,
    name: &str,
    unshare: &Unshare,
    args: &Args,
    world: &World,
) -> Result<Exit, Failure> {
    let there = placement.there();
    let mut surveyor = surveyor(world)?;
    let unit = mounting::unit_name(&there).unwrap_or_default();
    if stands(&mut surveyor, placement) == Stands::True {
        let name = quoted(unit.as_bytes());
        let hint = format!(
            "first `sudo systemctl disable --now {name} && sudo rm /etc/systemd/system/{name}` (or `sudo umount {}`), and then the same again",
            quoted(there.as_bytes())
        );
        return Err(refused(
            format!("the folder is still mounted at `{}`", there.shown()),
            Some(hint),
        ));
    }
    let mut plan = Plan::default();
    let spot = surveyor.spot(there.as_bytes());
    let looked = spot.and_then(|spot| {
        let object = surveyor.object(&spot)?;
        if let Some(Object::Folder { .. }) = object {
            surveyor.claim(&spot)?;
            let at = surveyor.slot(&mut plan, &spot)?;
            return Ok((object, Some(at)));
        }
        Ok((object, None))
    });
    let (object, at) =
        looked.map_err(|why: Why| refused(format!("`{}`: {why}", there.shown()), why.hint()))?;
    match (object, at) {
        (Some(old), Some(at)) => {
            let fate = Fate::Dropped { again: Some(Box::new(Make::Folder)) };
            let remarks = vec![
                format!("`{}` stays as it is", placement.folder.shown()),
                format!("{name} then deletes its copy on the other side: it is no longer synced"),
            ];
            let steps = vec![Step::Remove { at, old, fate }];
            plan.items.push(Item { path: there.as_bytes().into(), steps, remarks });
        }
        (Some(other), _) => {
            let what = format!(
                "a {} stands at `{}`; it is left as it is",
                other.kind().word(),
                there.shown()
            );
            return Err(refused(what, None));
        }
        (None, _) => {}
    }
    let manner = Manner { change: unshare.change, each: None, undoes: None, amount: None };
    let exit = carry_out(plan, &manner, &surveyor, args, world)?;
    if !unshare.change.dry_run && exit == Exit::Done {
        kept::remove(placement, world)?;
        placements::drop_unit(&kept::opened(world)?, unit.as_bytes()).unwrap_or_default();
    }
    Ok(exit)
}
