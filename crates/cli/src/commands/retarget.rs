//! `linkwell retarget`: other targets for links that are there.

use super::change::{Manner, carry_out, surveyor};
use super::{refuse_if_lost, typed};
use crate::World;
use crate::args::Args;
use crate::args::change::Retarget;
use crate::error::{Exit, Failure};
use crate::interrupt;
use crate::output::progress::Bar;
use linkwell_engine::scan::Handle;
use linkwell_engine::survey::retarget::{Aim, Wanted, Which, plan};
use linkwell_model::plan::spelling::Style;
use std::os::unix::ffi::OsStrExt as _;

pub(super) fn run(retarget: &Retarget, args: &Args, world: &World) -> Result<Exit, Failure> {
    let aim = aim(retarget)?;
    let which = if retarget.under.is_empty() {
        Which::Named(typed(&retarget.links)?)
    } else {
        Which::Under(typed(&retarget.under)?)
    };
    let (Which::Named(paths) | Which::Under(paths)) = &which;
    let mut all = paths.clone();
    match &aim {
        Aim::To(to) => all.push(to.clone()),
        Aim::Prefix { from, to } => all.extend([from.clone(), to.clone()]),
        Aim::Style | Aim::Shorten => {}
    }
    refuse_if_lost(world, &all)?;
    let wanted = Wanted {
        aim,
        style: if retarget.relative {
            Some(Style::Relative)
        } else {
            retarget.absolute.then_some(Style::Absolute)
        },
        allow_broken: retarget.unsound.allow_broken,
        allow_cycle: retarget.unsound.allow_cycle,
        cross_volumes: retarget.cross_volumes,
        seen_from: world.seen_from.clone(),
    };
    let mut surveyor = surveyor(world)?;
    let handle = Handle { stop: interrupt::stop(), ..Handle::default() };
    let bar = Bar::new(args.quiet);
    let plan = plan(&mut surveyor, &wanted, &which, &handle, bar.ticker());
    bar.finish();
    if interrupt::came() {
        // A part of what was to be found; nothing was changed.
        return Ok(Exit::Interrupted);
    }
    let each = (retarget.interactive && !retarget.change.yes).then_some((|_| true) as fn(&_) -> _);
    let manner = Manner { change: retarget.change, each, undoes: None, amount: None };
    carry_out(plan, &manner, &surveyor, args, world)
}

/// What was asked for; refuses what would be too much or nothing at all.
fn aim(retarget: &Retarget) -> Result<Aim, Failure> {
    let usage = |what: &str, hint: &str| Failure::Usage {
        what: format!("{what}; nothing was changed"),
        hint: Some(hint.into()),
    };
    let to = retarget.to.as_ref().map(|to| to.as_bytes().to_vec());
    let from = retarget.from.as_ref().map(|from| from.as_bytes().to_vec());
    // clap lets it pass, since links and `--under` exclude each other.
    if retarget.cross_volumes && retarget.under.is_empty() {
        return Err(usage(
            "`--cross-volumes` is about folders",
            "name folders with `--under ROOT`, or leave it out",
        ));
    }
    match (from, to) {
        (Some(from), Some(to)) => Ok(Aim::Prefix { from, to }),
        (_, Some(_)) if !retarget.under.is_empty() => Err(usage(
            "with `--under`, `--to` alone would let every link lead to one place",
            "add `--from OLD` to say which links are meant, and which part of their targets",
        )),
        (_, Some(to)) => Ok(Aim::To(to)),
        _ if retarget.shorten => Ok(Aim::Shorten),
        _ if retarget.relative || retarget.absolute => Ok(Aim::Style),
        _ => Err(usage(
            "it was not said what the targets shall become",
            "`--to TARGET`, or one of `--relative`, `--absolute` and `--shorten`",
        )),
    }
}
