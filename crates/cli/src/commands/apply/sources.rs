//! Where the links that `apply` makes are written: a file of links, a folder of GNU Stow, a configuration of dotbot.

use super::placements;
use crate::World;
use crate::args::links_file::Apply;
use crate::commands::change::surveyor;
use crate::commands::{refuse_if_lost, system, volumes_alone};
use crate::error::{Exit, Failure};
use linkwell_engine::named_volumes::bases;
use linkwell_engine::other_tools::{Asked, Read, dotbot, stow};
use linkwell_model::keep::link::Policy;
use linkwell_model::links_file::{Bases, LinksFile, Spelled, Unplaced, VERSION};
use linkwell_model::path::AbsPath;
use linkwell_model::plan::Why;
use linkwell_model::share::placement::Placement;
use linkwell_model::shown::{quoted, shown};
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt as _;

/// A longer file is not read: it is none that `export` has written.
const MOST: usize = 64 << 20;

/// A longer configuration of dotbot is not read: nobody has written it by hand.
const MOST_DOTBOT: usize = 1 << 20;

/// What is wanted, and what the watcher is to do with which link.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) read: Read,
    pub(super) policies: HashMap<AbsPath, Policy>,
    /// What is shared, and is to be on record as that.
    pub(super) placements: Vec<Placement>,
}

/// Reads what was typed.
pub(super) fn wanted(apply: &Apply, world: &World) -> Result<Wanted, Failure> {
    let all = [&apply.file, &apply.from_stow, &apply.target, &apply.from_dotbot];
    let typed: Vec<Vec<u8>> =
        all.into_iter().flatten().map(|path| path.as_bytes().to_vec()).collect();
    refuse_if_lost(world, &typed)?;
    if let Some(folder) = &apply.from_stow {
        let read = from_stow(folder, apply, world)?;
        return Ok(Wanted { read, ..Wanted::default() });
    }
    if let Some(file) = &apply.from_dotbot {
        let read = from_dotbot(file, world)?;
        return Ok(Wanted { read, ..Wanted::default() });
    }
    apply.file.as_ref().map_or_else(|| Ok(Wanted::default()), |file| from_file(file, apply, world))
}

fn from_stow(folder: &OsString, apply: &Apply, world: &World) -> Result<Read, Failure> {
    let mut surveyor = surveyor(world)?;
    let named = |path: &[u8]| format!("could not look at `{}`; nothing was changed", shown(path));
    let mut held = |path: &[u8]| {
        let found = surveyor.folder(path);
        found.map_err(|why| refused(named(path), Some(why.to_string()), None))
    };
    let packages = held(folder.as_bytes())?;
    let above = packages.place.parent();
    let target = apply.target.as_ref().map_or(above.as_bytes(), |target| target.as_bytes());
    let target = held(target)?;
    let options = stow::Options { no_folding: apply.no_folding, dotfiles: apply.dotfiles };
    stow::stow(system(world), &packages, &target, options)
        .map_err(|error| refused(named(folder.as_bytes()), Some(crate::error::reason(error)), None))
}

fn from_dotbot(file: &OsString, world: &World) -> Result<Read, Failure> {
    let mut surveyor = surveyor(world)?;
    let text = text(file, MOST_DOTBOT, world)?;
    let spot = surveyor.spot(file.as_bytes());
    let spot = spot.map_err(|why| unread(file, Some(why.to_string())))?;
    let bases = dotbot::Bases { folder: spot.held.place, home: world.home.clone() };
    dotbot::dotbot(&text, &bases).map_err(|why| {
        let what = format!(
            "`{}` is no configuration of dotbot; nothing was changed",
            shown(file.as_bytes())
        );
        refused(what, Some(shown(why.as_bytes()).to_string()), None)
    })
}

fn from_file(typed: &OsString, apply: &Apply, world: &World) -> Result<Wanted, Failure> {
    let file = read(typed, world)?;
    let said = said(&apply.volume, &file, world)?;
    let volumes = volumes_alone(world, crate::commands::change::TIME_LIMIT);
    let bases = bases(system(world), &volumes, world.home.clone(), &file.volumes, &said);
    let mut wanted = Wanted::default();
    for link in &file.links {
        match (bases.place(&link.at), bases.place(&link.to)) {
            (Ok(at), Ok(to)) => {
                wanted.policies.insert(at.clone(), link.policy);
                wanted.read.links.push(Asked { at, to, style: link.written.into() });
            }
            (Err(why), _) | (_, Err(why)) => {
                let why = nowhere(why, [&link.at, &link.to], &file, typed);
                wanted.read.problems.push((link.at.0.to_vec(), why));
            }
        }
    }
    let mut here = placements::Here::new(apply, &file, world)?;
    for shared in &file.placements {
        let (folder, root) = (bases.place(&shared.folder), bases.place(&shared.root));
        let found = match (folder, root) {
            (Err(why), _) => Err(nowhere(why, [&shared.folder, &shared.root], &file, typed)),
            // Where a client syncs is its own to say, and only what a person has named is to be in the same place.
            (_, Err(why)) if shared.client.is_none() => {
                Err(nowhere(why, [&shared.folder, &shared.root], &file, typed))
            }
            (Ok(folder), root) => here.placement(folder, root.ok(), shared, world),
        };
        match found {
            Ok(placement) => {
                let (at, to) = (placement.folder.clone(), placement.there());
                wanted.policies.insert(at.clone(), shared.policy);
                wanted.read.links.push(Asked { at, to, style: shared.written.into() });
                wanted.placements.push(placement);
            }
            Err(why) => wanted.read.problems.push((shared.folder.0.to_vec(), why)),
        }
    }
    Ok(wanted)
}

fn unread(file: &OsString, cause: Option<String>) -> Failure {
    let what = format!("could not read `{}`; nothing was changed", shown(file.as_bytes()));
    refused(what, cause, None)
}

fn text(file: &OsString, most: usize, world: &World) -> Result<String, Failure> {
    let bytes = system(world).read_at_most(file.as_bytes(), most);
    let bytes = bytes.map_err(|error| unread(file, Some(crate::error::reason(error))))?;
    String::from_utf8(bytes).map_err(|_| unread(file, Some("it is not UTF-8".into())))
}

fn refused(what: String, cause: Option<String>, hint: Option<String>) -> Failure {
    Failure::Refused { what, cause, hint, exit: Exit::Found }
}

fn read(file: &OsString, world: &World) -> Result<LinksFile, Failure> {
    let named = shown(file.as_bytes());
    let text = text(file, MOST, world)?;
    let unreadable = |cause: String| {
        let hint = "`linkwell export` writes such a file";
        let what = format!("`{named}` is no file of links; nothing was changed");
        refused(what, Some(cause), Some(hint.into()))
    };
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

fn nowhere(why: Unplaced, places: [&Spelled; 2], file: &LinksFile, typed: &OsString) -> Why {
    let (what, hint) = match why {
        Unplaced::NoHome => {
            ("nobody knows where the home folder is: `$HOME` is not set".to_owned(), None)
        }
        Unplaced::Malformed => {
            let wrong =
                |spelled: &Spelled| Bases::default().place(spelled) == Err(Unplaced::Malformed);
            let [first, second] = places;
            let text = if wrong(first) { &first.0 } else { &second.0 };
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
