//! What is to be shared, with whom, where to and how: everything is found out before anything is planned.

use super::{bytes, kept};
use crate::World;
use crate::args::share::Share;
use crate::commands::change::surveyor;
use crate::commands::clients::{called, places};
use crate::commands::{refuse_if_lost, system, volumes};
use crate::error::{Exit, Failure};
use crate::output::clients::of_problem;
use linkwell_engine::clients::{All, Found, find};
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::share::arrangement::{Arrangement, Recommended};
use linkwell_model::share::client::Client;
use linkwell_model::share::knowledge::Knowledge;
use linkwell_model::share::placement::Placement;
use linkwell_model::share::root::{Root, State, Way};
use linkwell_model::shown::{quoted, shown};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

/// What is wanted.
pub(super) struct Wanted {
    /// The folder, where it lies.
    pub(super) folder: AbsPath,
    pub(super) client: Option<&'static Client>,
    /// The client, as it was found on this computer.
    pub(super) found: Option<Found>,
    /// The folder that is synced, where it lies; the folder itself, where the client is told of it.
    pub(super) root: AbsPath,
    /// What it will be called there.
    pub(super) name: Name,
    pub(super) arrangement: Arrangement,
}

impl Wanted {
    /// The client runs.
    pub(super) fn runs(&self) -> bool {
        self.found.as_ref().is_some_and(|found| !found.processes.is_empty())
    }

    /// How people call the client.
    pub(super) fn called(&self) -> &str {
        self.client.map_or("whatever syncs it", |client| client.name.as_str())
    }

    /// The option that the client needs, for this folder.
    pub(super) fn option(&self) -> Option<String> {
        let chosen = self.client?.recommended(self.arrangement)?;
        let name = shown(self.name.as_bytes()).to_string();
        Some(chosen.option.as_ref()?.replace("NAME", &name))
    }

    /// What will be on record.
    pub(super) fn placement(&self, world: &World) -> Placement {
        Placement {
            folder: self.folder.clone(),
            client: self.client.map(|client| client.id.clone()),
            root: self.root.clone(),
            name: self.name.as_bytes().into(),
            arrangement: self.arrangement,
            at: world.now.0,
            key: None,
            ended: false,
        }
    }
}

pub(super) fn refused(what: String, hint: Option<String>) -> Failure {
    let what = format!("{what}; nothing was changed");
    Failure::Refused { what, cause: None, hint, exit: Exit::Found }
}

/// The place that a typed path names, itself not followed.
pub(super) fn place(typed: &OsStr, world: &World) -> Result<AbsPath, Failure> {
    refuse_if_lost(world, &[bytes(typed)])?;
    let spot = surveyor(world)?.spot(typed.as_bytes());
    let spot =
        spot.map_err(|why| refused(format!("`{}`: {why}", shown(typed.as_bytes())), why.hint()))?;
    Ok(spot.place())
}

pub(super) fn wanted(share: &Share, world: &World) -> Result<Wanted, Failure> {
    let Some(typed) = &share.folder else {
        return Err(refused("no folder was named".into(), None));
    };
    let folder = a_folder(typed, world)?;
    let client = share.with.as_deref().map(called).transpose()?;
    if client.is_none() && share.into.is_none() {
        return Err(Failure::Usage {
            what: "with whom is it to be shared? Nothing was changed".into(),
            hint: Some(
                "add `--with CLIENT` (`linkwell clients` shows which are here), or `--into PATH`"
                    .into(),
            ),
        });
    }
    let volumes = volumes(world, crate::commands::change::TIME_LIMIT);
    let mut all = find(system(world), &volumes, &places(world));
    not_synced_now(share, &folder, &all, world)?;
    let into = share.into.as_deref().map(|into| into_folder(into, world)).transpose()?;
    if let Some(into) = &into {
        fits(into, &folder, client, &all)?;
    }
    let its =
        client.and_then(|client| all.found.iter().position(|found| found.client.id == client.id));
    let found = its.map(|at| all.found.swap_remove(at));
    let arrangement = arrangement(share, client)?;
    if !share.to.is_empty() && arrangement != Arrangement::Native {
        let what = format!(
            "`--to` is for a client that is told of the folder itself, and this is {}",
            arrangement.word()
        );
        return Err(refused(what, None));
    }
    let root = match into {
        Some(into) => into,
        None if arrangement == Arrangement::Native => folder.clone(),
        None => root_of(client, found.as_ref())?,
    };
    let name = match &share.name {
        Some(name) => Name::new(name.as_bytes()),
        None => folder.split().map(|(_, name)| name),
    };
    let name =
        name.ok_or_else(|| refused("that is no name that a folder can have".into(), None))?;
    Ok(Wanted { arrangement, found, folder, client, root, name })
}

fn name_of(root: &Root) -> &str {
    Knowledge::known().client(root.client).map_or(root.client, |client| client.name.as_str())
}

/// What is synced where it lies must not leave: its client would delete the other side's copy.
fn not_synced_now(
    share: &Share,
    folder: &AbsPath,
    all: &All,
    world: &World,
) -> Result<(), Failure> {
    let roots = || all.found.iter().flat_map(|found| &found.roots);
    if let Some(root) = roots().find(|root| root.holds(folder)) {
        let (folder, at) = (folder.shown(), root.path.shown());
        let what = format!("`{folder}` lies in `{at}`, which {} syncs already", name_of(root));
        return Err(refused(what, None));
    }
    let inside = |root: &&Root| root.place().is_some_and(|place| place.is_at_or_below(folder));
    if let Some(root) = roots().find(inside) {
        let (name, at) = (name_of(root), root.path.shown());
        let what = format!("{name} syncs `{at}`, which lies in `{}`", folder.shown());
        return Err(refused(what, Some("share what is beside it, folder by folder".into())));
    }
    let mut surveyor = surveyor(world)?;
    for placement in kept::shared(&mut surveyor, world)? {
        let known = placement.folder.shown();
        if placement.folder == *folder {
            let hint = format!("`linkwell unshare {}` first", quoted(folder.as_bytes()));
            return Err(refused(format!("`{known}` is shared already"), Some(hint)));
        }
        // What it was put into is synced by whoever syncs that.
        let there = [&placement.root, &placement.there()].into_iter().find_map(|place| {
            let place = surveyor.led(None, place.as_bytes()).physical?;
            folder.is_at_or_below(&place).then_some(place)
        });
        if let Some(there) = there {
            let (folder, there) = (folder.shown(), there.shown());
            let what =
                format!("`{folder}` lies in `{there}`, which is synced: `{known}` is shared there");
            return Err(refused(what, None));
        }
    }
    match all.problems.first().filter(|_| !share.synced_anyway) {
        Some(problem) => Err(Failure::Refused {
            what: format!(
                "whether `{}` is synced already cannot be told; nothing was changed",
                folder.shown()
            ),
            cause: Some(of_problem(problem)),
            hint: Some("mend that, or add `--synced-anyway` if you know that it is not".into()),
            exit: Exit::Found,
        }),
        None => Ok(()),
    }
}

/// Whether a folder that was named is one to share into.
fn fits(
    into: &AbsPath,
    folder: &AbsPath,
    client: Option<&'static Client>,
    all: &All,
) -> Result<(), Failure> {
    if folder.is_at_or_below(into) {
        let what = format!("`{}` lies in `{}` already", folder.shown(), into.shown());
        return Err(refused(what, None));
    }
    let roots = all.found.iter().flat_map(|found| &found.roots);
    let holding: Vec<&Root> = roots.filter(|root| root.holds(into)).collect();
    // The client that was named, or the one that there is.
    let its = holding.iter().find(|root| client.is_none_or(|client| client.id == root.client));
    let (into, hint) = (into.shown(), || Some("`linkwell clients` shows what each syncs".into()));
    match (its, holding.first(), client) {
        (None, Some(other), Some(client)) => {
            let what =
                format!("`{into}` is synced by {}, and not by {}", name_of(other), client.name);
            Err(refused(what, hint()))
        }
        (Some(root), ..) if root.way == Way::Receives => {
            let what = format!("{} only receives in `{into}`: nothing would arrive", name_of(root));
            Err(refused(what, hint()))
        }
        (Some(root), ..) if root.paused => {
            let what = format!("`{into}` is paused in {}: nothing would arrive", name_of(root));
            Err(refused(what, Some("let it go on first".into())))
        }
        _ => Ok(()),
    }
}

/// A real folder: a link to one is not what arrives.
fn a_folder(typed: &OsStr, world: &World) -> Result<AbsPath, Failure> {
    refuse_if_lost(world, &[bytes(typed)])?;
    let mut surveyor = surveyor(world)?;
    let named = shown(typed.as_bytes());
    let trimmed: Vec<u8> = {
        let end =
            typed.as_bytes().iter().rposition(|byte| *byte != b'/').map_or(1, |last| last + 1);
        typed.as_bytes().get(..end).unwrap_or_default().to_vec()
    };
    let spot =
        surveyor.spot(&trimmed).map_err(|why| refused(format!("`{named}`: {why}"), why.hint()))?;
    let object =
        surveyor.object(&spot).map_err(|why| refused(format!("`{named}`: {why}"), None))?;
    match object.map(|object| object.kind()) {
        Some(EntryKind::Folder) => Ok(spot.place()),
        None => Err(refused(format!("there is nothing at `{named}`"), None)),
        Some(EntryKind::Symlink) => {
            let led = surveyor.led(None, &trimmed);
            let to = led.physical.unwrap_or(led.place);
            let hint = format!("share what it leads to: `{}`", quoted(to.as_bytes()));
            Err(refused(format!("`{named}` is a link"), Some(hint)))
        }
        Some(kind) => Err(refused(
            format!("`{named}` is a {}, and only folders are shared", kind.word()),
            None,
        )),
    }
}

fn into_folder(typed: &OsStr, world: &World) -> Result<AbsPath, Failure> {
    refuse_if_lost(world, &[bytes(typed)])?;
    let held = surveyor(world)?.folder(typed.as_bytes());
    let held =
        held.map_err(|why| refused(format!("`{}`: {why}", shown(typed.as_bytes())), why.hint()))?;
    Ok(held.place)
}

/// The one folder that a client syncs both ways here.
fn root_of(client: Option<&'static Client>, found: Option<&Found>) -> Result<AbsPath, Failure> {
    let Some(client) = client else {
        return Err(refused("no folder to share into was named".into(), None));
    };
    let into = "add `--into PATH`, the folder that is synced".to_owned();
    let Some(found) = found else {
        let hint = format!("if it is here, {into}");
        return Err(refused(format!("{} was not found on this computer", client.name), Some(hint)));
    };
    let usable = |root: &&Root| root.way != Way::Receives && !root.paused;
    let there: Vec<(&Root, &AbsPath)> =
        found.roots.iter().filter(usable).filter_map(|root| Some((root, root.place()?))).collect();
    match *there {
        [(_, place)] => Ok(place.clone()),
        [] => {
            let away = found
                .roots
                .iter()
                .map(|root| format!("`{}` ({})", root.path.shown(), unusable(root)));
            let away: Vec<String> = away.collect();
            let what = if away.is_empty() {
                format!("no folder that {} syncs is known", client.name)
            } else {
                format!("no folder that {} syncs can be used: {}", client.name, away.join(", "))
            };
            Err(refused(what, Some(into)))
        }
        _ => {
            let names = there.iter().map(|(root, _)| format!("`{}`", root.path.shown()));
            let names: Vec<String> = names.collect();
            let what = format!("{} syncs several folders: {}", client.name, names.join(", "));
            Err(refused(what, Some("say which: `--into PATH`".into())))
        }
    }
}

/// Why a folder that is synced cannot be shared into.
fn unusable(root: &Root) -> &'static str {
    match root.state {
        State::There { .. } if root.way == Way::Receives => "only receives",
        State::There { .. } if root.paused => "paused",
        State::There { .. } => "in use",
        State::Missing => "not there",
        State::Asleep { .. } => "its volume is not attached",
        State::NoAnswer { .. } => "its volume gives no answer",
        State::NotFolder => "no folder",
        State::Unseen => "cannot be looked at",
    }
}

/// The one that was asked for, or the best.
fn arrangement(share: &Share, client: Option<&Client>) -> Result<Arrangement, Failure> {
    let asked = share.by.as_deref();
    let asked = Arrangement::ALL.into_iter().find(|one| Some(one.word()) == asked);
    let Some(client) = client else { return Ok(asked.unwrap_or(Arrangement::Inverted)) };
    match asked {
        Some(asked) if client.recommended(asked).is_some() => Ok(asked),
        Some(asked) => {
            let hint = format!("`linkwell clients {}` says what does", client.id);
            let what =
                format!("{} does not go with {}, as far as is known", asked.word(), client.name);
            Err(refused(what, Some(hint)))
        }
        None => {
            // Who names a folder to share into wants it there.
            let put =
                |one: &&Recommended| share.into.is_none() || one.arrangement != Arrangement::Native;
            let best = client.arrangements.iter().find(put);
            best.map(|best| best.arrangement).ok_or_else(|| {
                refused(format!("no way is known to share with {}", client.name), None)
            })
        }
    }
}

/// What linkwell can only tell of: the best way, what is to be done there, and what it can do itself.
pub(super) fn only_told(wanted: &Wanted) -> Failure {
    let name = wanted.called();
    let chosen = wanted.client.and_then(|client| client.recommended(wanted.arrangement));
    let how = chosen.and_then(|chosen| chosen.how.as_ref());
    let how = how.map_or_else(
        || "that has to be done there".to_owned(),
        |how| format!("do it there: {}", how.replace("FOLDER", &wanted.folder.shown().to_string())),
    );
    let itself =
        wanted.client.is_some_and(|client| client.recommended(Arrangement::Inverted).is_some());
    let hint = itself.then(|| {
        "or add `--by inverted`: the folder moves to where it is synced, and a link stays at its old place".to_owned()
    });
    Failure::Refused {
        what: format!(
            "best with {name} is that it is told of the folder itself, and only you can tell it; nothing was changed. {}{}",
            how.chars().next().map(|first| first.to_uppercase().to_string()).unwrap_or_default(),
            how.chars().skip(1).collect::<String>(),
        ),
        cause: chosen.map(|chosen| chosen.why.clone()),
        hint,
        exit: Exit::Found,
    }
}
