//! What the file says is shared: where the client syncs on this computer, and the placement on record.
//!
//! The folder itself comes by the client. So only the link at its place is made here, and what is known of it kept.

use crate::World;
use crate::args::Args;
use crate::args::links_file::Apply;
use crate::commands::change::{TIME_LIMIT, surveyor};
use crate::commands::share::kept;
use crate::commands::{clients, system, volumes};
use crate::error::{Failure, say};
use linkwell_engine::clients::{All, find};
use linkwell_engine::placements::{Stands, stands};
use linkwell_model::links_file::{LinksFile, Shared};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::Why;
use linkwell_model::share::arrangement::Arrangement;
use linkwell_model::share::client::Client;
use linkwell_model::share::knowledge::Knowledge;
use linkwell_model::share::placement::Placement;
use linkwell_model::share::root::{Root, Way};
use linkwell_model::shown::shown;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

/// The clients of this computer, as far as the file needs them.
pub(super) struct Here {
    found: All,
    /// Where a person says that one syncs.
    said: BTreeMap<&'static str, AbsPath>,
    /// The links may lead to nothing.
    allow_broken: bool,
}

impl Here {
    pub(super) fn new(apply: &Apply, file: &LinksFile, world: &World) -> Result<Self, Failure> {
        let mut said = BTreeMap::new();
        for typed in &apply.root {
            let (client, place) = told(typed, file, world)?;
            said.insert(client.id.as_str(), place);
        }
        let asks = file.placements.iter().any(|shared| shared.client.is_some());
        let found = if asks {
            find(system(world), &volumes(world, TIME_LIMIT), &clients::places(world))
        } else {
            All::default()
        };
        Ok(Self { found, said, allow_broken: apply.allow_broken })
    }

    /// What is to be on record here. `root` is the place where it was synced there.
    pub(super) fn placement(
        &mut self,
        folder: AbsPath,
        root: Option<AbsPath>,
        shared: &Shared,
        world: &World,
    ) -> Result<Placement, Why> {
        if Name::new(&*shared.name).is_none() {
            return Err(other(format!("`{}` is no name of a folder", shown(&shared.name)), None));
        }
        let client = match &shared.client {
            None => None,
            Some(id) => Some(Knowledge::known().client(id).ok_or_else(|| {
                other(format!("no client that is known is called `{}`", shown(id.as_bytes())), None)
            })?),
        };
        if shared.arrangement != Arrangement::Inverted {
            let word = shared.arrangement.word();
            return Err(other(
                format!(
                    "it is shared by another arrangement there ({word}), which is not made here"
                ),
                Some("`linkwell share FOLDER --with CLIENT` says how it is done".into()),
            ));
        }
        let root = match client {
            None => {
                let place = root.unwrap_or_else(AbsPath::root);
                let held =
                    surveyor(world).ok().and_then(|mut all| all.folder(place.as_bytes()).ok());
                let what =
                    || format!("the folder that it was put into, `{}`, is not here", place.shown());
                held.ok_or_else(|| other(what(), None))?.place
            }
            Some(client) => match self.said.get(client.id.as_str()) {
                Some(place) => place.clone(),
                None => self.root(client, root.as_ref(), shared)?,
            },
        };
        let placement = Placement {
            folder,
            client: client.map(|client| client.id.clone()),
            root,
            name: shared.name.clone(),
            arrangement: shared.arrangement,
            at: world.now.0,
            key: None,
            ended: false,
        };
        self.arrived(&placement, client, world)?;
        Ok(placement)
    }

    /// Where the client syncs here: by its own word for the folder, which is the same everywhere; else where it was
    /// there, or the only one.
    fn root(
        &self,
        client: &'static Client,
        there: Option<&AbsPath>,
        shared: &Shared,
    ) -> Result<AbsPath, Why> {
        let name = &client.name;
        let say_where = || Some(format!("say where it syncs: `--root {}=PATH`", client.id));
        let found = self.found.found.iter().find(|found| found.client.id == client.id);
        let Some(found) = found else {
            return Err(other(format!("{name} was not found on this computer"), say_where()));
        };
        let usable = |root: &&Root| root.way != Way::Sends && !root.paused;
        let all = found.roots.iter().filter(usable);
        let mut all: Vec<(&Root, &AbsPath)> =
            all.filter_map(|root| Some((root, root.place()?))).collect();
        if let Some(key) = &shared.key {
            all.retain(|(root, _)| root.key.as_deref() == Some(&*key.0));
            if all.is_empty() {
                let what = format!("{name} does not sync its folder `{}` here", shown(&key.0));
                return Err(other(what, say_where()));
            }
        }
        let same =
            all.iter().find(|(root, place)| there == Some(place) || there == Some(&root.path));
        match (&*all, same) {
            ([(_, place)], _) | (_, Some((_, place))) => Ok((*place).clone()),
            ([], _) => {
                Err(other(format!("no folder that {name} syncs here can be used"), say_where()))
            }
            _ => {
                let names = all.iter().map(|(_, place)| format!("`{}`", place.shown()));
                let names: Vec<String> = names.collect();
                Err(other(
                    format!("{name} syncs several folders: {}", names.join(", ")),
                    say_where(),
                ))
            }
        }
    }

    /// The client may not have brought it yet, and a link to nothing helps nobody.
    fn arrived(
        &self,
        placement: &Placement,
        client: Option<&Client>,
        world: &World,
    ) -> Result<(), Why> {
        let there = placement.there();
        let led =
            surveyor(world).ok().map(|mut all| all.led(None, there.as_bytes()).kind.is_some());
        if self.allow_broken || led == Some(true) {
            return Ok(());
        }
        let who = client.map_or("what syncs it", |client| client.name.as_str());
        Err(other(
            format!("`{}` is not here: {who} has not brought it yet", there.shown()),
            Some("apply the file again when it has; or add `--allow-broken`".into()),
        ))
    }
}

fn other(what: String, hint: Option<String>) -> Why {
    Why::Other { what, hint }
}

/// `CLIENT=PATH`, as it was typed.
fn told(
    typed: &OsStr,
    file: &LinksFile,
    world: &World,
) -> Result<(&'static Client, AbsPath), Failure> {
    let usage = |what: String| Failure::Usage {
        what: format!("{what}; nothing was changed"),
        hint: Some("`--root CLIENT=PATH`, where the file shares something with CLIENT".into()),
    };
    let bytes = typed.as_bytes();
    let Some(end) = bytes.iter().position(|byte| *byte == b'=') else {
        return Err(usage(format!("`{}` names no place", shown(bytes))));
    };
    let (name, path) =
        (bytes.get(..end).unwrap_or_default(), bytes.get(end + 1..).unwrap_or_default());
    let client = clients::called(&String::from_utf8_lossy(name))?;
    if !file.placements.iter().any(|shared| shared.client.as_ref() == Some(&client.id)) {
        return Err(usage(format!("the file shares nothing with {}", client.name)));
    }
    let held = surveyor(world)?.folder(path);
    let held = held.map_err(|_| usage(format!("`{}` is no folder", shown(path))))?;
    Ok((client, held.place))
}

/// Those that are not on record as they are wanted.
pub(super) fn unknown(wanted: Vec<Placement>, world: &World) -> Result<Vec<Placement>, Failure> {
    if wanted.is_empty() {
        return Ok(wanted);
    }
    let known = kept::all(world)?;
    let is_known = |one: &Placement| {
        known.iter().any(|known| Placement { at: one.at, ..known.clone() } == *one)
    };
    Ok(wanted.into_iter().filter(|one| !is_known(one)).collect())
}

/// Says which would be put on record.
pub(super) fn announce(unknown: &[Placement], args: &Args) {
    for placement in unknown.iter().filter(|_| !args.quiet) {
        say(&format!("note: {}: would be put on record", is_shared(placement)));
    }
}

/// Puts them on record, if their links stand.
pub(super) fn record(unknown: Vec<Placement>, args: &Args, world: &World) -> Result<(), Failure> {
    for placement in unknown {
        if stands(&mut surveyor(world)?, &placement) == Stands::True {
            let line = is_shared(&placement);
            kept::add(placement, world)?;
            if !args.quiet {
                say(&format!("done: {line}, and on record as that"));
            }
        }
    }
    Ok(())
}

fn is_shared(placement: &Placement) -> String {
    let client = placement.client.as_deref().and_then(|id| Knowledge::known().client(id));
    let with = client.map_or_else(String::new, |client| format!(" with {}", client.name));
    format!("`{}` is shared{with} as `{}`", placement.folder.shown(), placement.there().shown())
}
