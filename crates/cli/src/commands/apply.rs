//! `linkwell apply`: the links of a file made where they are missing.

use super::change::{Came, Manner, carry, carry_out, surveyor};
use super::{catalogue, system, volumes_alone};
use crate::World;
use crate::args::Args;
use crate::args::links_file::Apply;
use crate::error::{Exit, Failure, say};
use linkwell_engine::named_volumes::bases;
use linkwell_engine::survey::conflict;
use linkwell_engine::survey::create::{self, Kind, Pair, Whither};
use linkwell_engine::survey::{merge, relocate};
use linkwell_model::entry::EntryKind;
use linkwell_model::keep::link::Policy;
use linkwell_model::links_file::{Bases, Link, LinksFile, Spelled, Unplaced, VERSION};
use linkwell_model::path::AbsPath;
use linkwell_model::plan::spelling::Style;
use linkwell_model::plan::{Object, Plan, Verify, Why};
use linkwell_model::shown::{quoted, shown};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

/// A longer file is not read: it is none that `export` has written.
const MOST: usize = 64 << 20;

/// A link of the file, on this computer.
struct Placed<'f> {
    link: &'f Link,
    at: AbsPath,
    to: AbsPath,
}

pub(super) fn run(apply: &Apply, args: &Args, world: &World) -> Result<Exit, Failure> {
    let file = read(&apply.file, world)?;
    let said = said(&apply.volume, &file, world)?;
    let volumes = volumes_alone(world, super::change::TIME_LIMIT);
    let bases = bases(system(world), &volumes, world.home.clone(), &file.volumes, &said);
    let mut unplaced = Plan::default();
    let mut placed = Vec::new();
    for link in &file.links {
        match (bases.place(&link.at), bases.place(&link.to)) {
            (Ok(at), Ok(to)) => placed.push(Placed { link, at, to }),
            (Err(why), _) | (_, Err(why)) => {
                conflict(&mut unplaced, &link.at.0, nowhere(why, link, &file, &apply.file));
            }
        }
    }
    let mut worst = Exit::Done;
    if apply.merge {
        for one in &placed {
            worst = worse(worst, fold(one, apply, args, world)?);
        }
    }
    let wanted = create::Wanted {
        kind: Kind::Symlink,
        style: None,
        force: apply.force,
        backup: None,
        allow_broken: apply.allow_broken,
        allow_cycle: false,
        exact: true,
    };
    let pairs: Vec<Pair> = placed.iter().map(pair).collect();
    let mut surveyor = surveyor(world)?;
    let mut plan = create::plan(&mut surveyor, &wanted, &pairs);
    if !apply.merge {
        plan.conflicts.iter_mut().for_each(|conflict| offer_merge(&mut conflict.why));
    }
    plan.conflicts.append(&mut unplaced.conflicts);
    let drifted = !plan.items.is_empty() || !plan.conflicts.is_empty();
    let mut change = apply.change;
    change.dry_run |= apply.check;
    let manner = Manner { change, each: None, undoes: None, amount: None };
    let exit = carry_out(plan, &manner, &surveyor, args, world)?;
    if apply.check {
        return Ok(if drifted { Exit::Found } else { Exit::Done });
    }
    if !change.dry_run {
        policies(&placed, world)?;
    }
    Ok(worse(worst, exit))
}

fn pair(one: &Placed<'_>) -> Pair {
    Pair {
        target: one.to.as_bytes().to_vec(),
        link: Whither::At(one.at.as_bytes().to_vec()),
        as_named: Some(one.link.written.into()),
    }
}

/// The one that says more of what is wrong.
fn worse(one: Exit, other: Exit) -> Exit {
    let rank = |exit: &Exit| match exit {
        Exit::Done => 0,
        Exit::Found => 1,
        Exit::Partly => 2,
        Exit::Unfinished => 3,
        Exit::Interrupted | Exit::Usage => 4,
    };
    if rank(&other) > rank(&one) { other } else { one }
}

fn refused(what: String, cause: Option<String>, hint: Option<String>) -> Failure {
    Failure::Refused { what, cause, hint, exit: Exit::Found }
}

fn read(file: &OsString, world: &World) -> Result<LinksFile, Failure> {
    let named = shown(file.as_bytes());
    let bytes = system(world).read_at_most(file.as_bytes(), MOST).map_err(|error| {
        let cause = Some(crate::error::reason(error));
        refused(format!("could not read `{named}`; nothing was changed"), cause, None)
    })?;
    let unreadable = |cause: String| {
        let hint = "`linkwell export` writes such a file";
        let what = format!("`{named}` is no file of links; nothing was changed");
        refused(what, Some(cause), Some(hint.into()))
    };
    let text = String::from_utf8(bytes).map_err(|_| unreadable("it is not UTF-8".into()))?;
    let file: LinksFile = toml::from_str(&text).map_err(|error| {
        let line = error.span().and_then(|span| text.get(..span.start));
        let line = line.map_or(1, |before| before.matches('\n').count() + 1);
        unreadable(format!("line {line}: {}", shown(error.message().as_bytes())))
    })?;
    if file.version > VERSION {
        let cause = format!("it is of version {}, and this linkwell reads {VERSION}", file.version);
        return Err(refused(
            format!("`{named}` was written by a newer linkwell; nothing was changed"),
            Some(cause),
            None,
        ));
    }
    Ok(file)
}

/// The volumes that a person has told the place of.
fn said(
    typed: &[OsString],
    file: &LinksFile,
    world: &World,
) -> Result<BTreeMap<String, AbsPath>, Failure> {
    let usage = |what: String| Failure::Usage {
        what: format!("{what}; nothing was changed"),
        hint: Some("`--volume NAME=PATH`, where NAME is one of the volumes in the file".into()),
    };
    let mut said = BTreeMap::new();
    for one in typed {
        let bytes = one.as_bytes();
        let Some(end) = bytes.iter().position(|byte| *byte == b'=') else {
            return Err(usage(format!("`{}` names no place", shown(bytes))));
        };
        let (name, path) =
            (bytes.get(..end).unwrap_or_default(), bytes.get(end + 1..).unwrap_or_default());
        let name = String::from_utf8_lossy(name).into_owned();
        if !file.volumes.contains_key(&name) {
            return Err(usage(format!("the file has no volume `{}`", shown(name.as_bytes()))));
        }
        let mut surveyor = surveyor(world)?;
        let held =
            surveyor.folder(path).map_err(|_| usage(format!("`{}` is no folder", shown(path))))?;
        said.insert(name, held.place);
    }
    Ok(said)
}

fn nowhere(why: Unplaced, link: &Link, file: &LinksFile, typed: &OsString) -> Why {
    let (what, hint) = match why {
        Unplaced::NoHome => {
            ("nobody knows where the home folder is: `$HOME` is not set".to_owned(), None)
        }
        Unplaced::Malformed => {
            let wrong =
                |spelled: &Spelled| Bases::default().place(spelled) == Err(Unplaced::Malformed);
            let text = if wrong(&link.at) { &link.at.0 } else { &link.to.0 };
            let hint =
                "a place begins with `~/`, `/`, or the name of a volume in braces, and has no `..`";
            (format!("`{}` in the file is no place", shown(text)), Some(hint.to_owned()))
        }
        Unplaced::Volume(name) => {
            let known = file.volumes.get(&name);
            let was = known.map_or_else(String::new, |volume| {
                format!(" (there it was at `{}`)", shown(&volume.at.0))
            });
            let again = quoted(typed.as_bytes());
            let place = format!("{name}=PATH");
            let hint = known.map(|_| {
                let said = quoted(place.as_bytes());
                format!("attach it, or say where it is: `linkwell apply --volume {said} {again}`")
            });
            (
                format!(
                    "the volume `{}` is not known on this computer{was}",
                    shown(name.as_bytes())
                ),
                hint,
            )
        }
    };
    Why::Other { what, hint }
}

/// A real thing in the way may be what the link is to lead to.
fn offer_merge(why: &mut Why) {
    if let Why::Taken(EntryKind::File | EntryKind::Folder) = why {
        let hint = Some("to make it one with what the link leads to, add `--merge`".into());
        *why = Why::Other { what: why.to_string(), hint };
    }
}

/// Makes what stands in the place of a link one with what the link leads to.
fn fold(one: &Placed<'_>, apply: &Apply, args: &Args, world: &World) -> Result<Exit, Failure> {
    let mut surveyor = surveyor(world)?;
    let real = surveyor
        .spot(one.at.as_bytes())
        .ok()
        .and_then(|spot| surveyor.object(&spot).ok().flatten());
    if !matches!(real, Some(Object::File { .. } | Object::Folder { .. })) {
        return Ok(Exit::Done);
    }
    let wanted = merge::Wanted {
        moving: relocate::Wanted {
            style: Some(Style::from(one.link.written)),
            verify: Verify::Full,
            state: world.state.clone(),
            ..relocate::Wanted::default()
        },
        free: false,
    };
    let looked = merge::plan(&mut surveyor, &wanted, one.at.as_bytes(), one.to.as_bytes());
    let manner = Manner { change: apply.change, each: None, undoes: None, amount: None };
    Ok(match carry(looked.plan, &manner, &surveyor, args, world, |_| {})? {
        Came::Ended(exit) => exit,
        Came::OtherVolume => {
            let to = quoted(one.to.as_bytes());
            say(&format!(
                "error: `{}` can only be copied to there; nothing was changed: `linkwell move --merge {} {to}`",
                one.at.shown(),
                quoted(one.at.as_bytes()),
            ));
            Exit::Found
        }
    })
}

/// What the watcher does with each, as the file has it.
fn policies(placed: &[Placed<'_>], world: &World) -> Result<(), Failure> {
    let others = placed.iter().filter(|one| one.link.policy != Policy::default());
    let others: Vec<&Placed<'_>> = others.collect();
    if others.is_empty() {
        return Ok(());
    }
    let Some(mut open) = catalogue::open_if_any(world)? else { return Ok(()) };
    let unusable = |found| catalogue::unusable(&found);
    for one in others {
        let Some((folder, name)) = one.at.split() else { continue };
        if let Some(entry) = open.catalogue.at(&folder, &name).map_err(unusable)? {
            open.catalogue.set_policy(&[entry.id], one.link.policy).map_err(unusable)?;
        }
    }
    Ok(())
}
