//! *Native*: the client is told of the folder itself, by its own interface. Nothing moves.

use super::wanted::{Wanted, only_told, refused};
use super::{kept, words};
use crate::World;
use crate::args::Args;
use crate::args::change::Change;
use crate::args::share::{Share, Unshare};
use crate::commands::ask::go_ahead;
use crate::commands::clients::places;
use crate::commands::{system, volumes};
use crate::error::{Exit, Failure, say};
use crate::interrupt;
use crate::output::Output;
use crate::output::json::Object;
use crate::output::progress::Bar;
use linkwell_engine::clients::syncthing::{Device, Syncthing, Trouble};
use linkwell_engine::clients::{Interface, find};
use linkwell_model::share::placement::Placement;
use linkwell_model::shown::{quoted, shown};
use std::io::Write as _;

pub(super) fn share(
    share: &Share,
    wanted: &Wanted,
    args: &Args,
    world: &World,
) -> Result<Exit, Failure> {
    let Some(found) = &wanted.found else {
        let what = format!("{} was not found on this computer", wanted.called());
        let hint = "if it is here, add `--into PATH`, the folder that is synced".into();
        return Err(refused(what, Some(hint)));
    };
    let Some(interface) = &found.interface else { return Err(only_told(wanted)) };
    let syncthing = reach(interface, world).map_err(|why| cannot(wanted, &why))?;
    let (Ok(path), Ok(label)) = (
        std::str::from_utf8(wanted.folder.as_bytes()),
        std::str::from_utf8(wanted.name.as_bytes()),
    ) else {
        let what = "Syncthing takes only folders whose names are UTF-8".into();
        return Err(refused(what, Some("rename it, or add `--by inverted --as NAME`".into())));
    };
    let others = syncthing.others().map_err(|why| cannot(wanted, &why))?;
    let with = chosen(&share.to, &others)?;
    let mut placement = wanted.placement(world);
    let key = fresh_key()?;
    placement.key = Some(key.clone());
    let mut lines = words::before(wanted);
    lines.extend(words::of_links_in(wanted, world));
    lines.push(
        "on the other side it has to be accepted, where Syncthing is not told to do that by itself"
            .into(),
    );
    show(&placement, &with, &lines, share.change, args)?;
    if !agreed(share.change, args)? {
        return Ok(if share.change.dry_run { Exit::Done } else { Exit::Found });
    }
    // On record before it is told: a run that is ended by force leaves something that `--check` can judge.
    let before = kept::all(world)?;
    kept::add(placement.clone(), world)?;
    if let Err(why) = syncthing.add(&key, label, path, &with) {
        // What it cannot use it knows all the same.
        let left = match syncthing.folders() {
            Ok(all) if all.iter().any(|one| one.id == key) => syncthing.forget(&key).is_ok(),
            Ok(_) => true,
            Err(_) => false,
        };
        if left {
            kept::restore(&placement, &before, world)?;
            return Err(cannot(wanted, &why));
        }
        // It stays on record: nobody else would know of it.
        return Err(Failure::Refused {
            what: format!("Syncthing may have taken `{path}`, and gives no answer now"),
            cause: Some(why.to_string()),
            hint: Some("`linkwell share --check` says how it is, when Syncthing runs again".into()),
            exit: Exit::Partly,
        });
    }
    if !args.quiet {
        say(&format!(
            "done: Syncthing has it; `linkwell unshare {}` takes that back",
            quoted(wanted.folder.as_bytes())
        ));
    }
    Ok(Exit::Done)
}

pub(super) fn reach(interface: &Interface, world: &World) -> Result<Syncthing, Trouble> {
    Syncthing::reach(system(world), interface)
}

fn cannot(wanted: &Wanted, why: &Trouble) -> Failure {
    Failure::Refused {
        what: format!(
            "Syncthing could not be told of `{}`; nothing was changed",
            wanted.folder.shown()
        ),
        cause: Some(why.to_string()),
        hint: Some(match why {
            Trouble::Silent => "start it, and type the same again; or add `--by inverted`: the folder moves to where it is synced, and a link stays".into(),
            _ => "add it on Syncthing's page in the browser; or add `--by inverted`: the folder moves to where it is synced, and a link stays".to_owned(),
        }),
        exit: Exit::Found,
    }
}

/// The computers that it is to be shared with: those that were named; without a name the one that there is.
fn chosen(names: &[String], others: &[Device]) -> Result<Vec<Device>, Failure> {
    let list = || {
        let all: Vec<String> =
            others.iter().map(|one| format!("`{}`", shown(one.called().as_bytes()))).collect();
        all.join(", ")
    };
    if others.is_empty() {
        return Err(refused(
            "Syncthing knows no other computer yet".into(),
            Some("add one on its page in the browser first".into()),
        ));
    }
    if names.is_empty() {
        return match others {
            [one] => Ok(vec![one.clone()]),
            _ => Err(refused(
                format!("Syncthing knows several computers: {}", list()),
                Some("say with which: `--to NAME`, once for each".into()),
            )),
        };
    }
    let mut found: Vec<Device> = Vec::new();
    for name in names {
        let is = |one: &&Device| one.name == *name || one.id == *name || one.called() == name;
        let mut those = others.iter().filter(is);
        match (those.next(), those.next()) {
            (Some(one), None) if found.contains(one) => {}
            (Some(one), None) => found.push(one.clone()),
            (Some(_), Some(_)) => {
                let what = format!("several computers are called `{}`", shown(name.as_bytes()));
                return Err(refused(what, Some("name it by its number".into())));
            }
            _ => {
                let what = format!(
                    "Syncthing knows no computer that is called `{}`",
                    shown(name.as_bytes())
                );
                return Err(refused(what, Some(format!("it knows {}", list()))));
            }
        }
    }
    Ok(found)
}

/// As Syncthing itself makes them up: two times five letters and digits.
fn fresh_key() -> Result<String, Failure> {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnopqrstuvwxyz2345679";
    let random = linkwell_engine::system::random()
        .map_err(|_| refused("could not get random numbers from the system".into(), None))?;
    let letter = |byte: &u8| LETTERS.get(usize::from(byte % 32)).copied().map(char::from);
    let mut key: String = random.to_le_bytes().iter().take(10).filter_map(letter).collect();
    key.insert(5, '-');
    Ok(key)
}

fn show(
    placement: &Placement,
    with: &[Device],
    lines: &[String],
    change: Change,
    args: &Args,
) -> Result<(), Failure> {
    let output = Output::new(&interrupt::stop(), Bar::new(true));
    let mut out = Vec::new();
    if change.json {
        let mut object = Object::line(&mut out, "native");
        object.number("version", 1);
        object.bytes("path", placement.folder.as_bytes());
        object.text("client", placement.client.as_deref().unwrap_or_default());
        object.bytes("name", &placement.name);
        object.text("key", placement.key.as_deref().unwrap_or_default());
        let names: Vec<&[u8]> = with.iter().map(|one| one.called().as_bytes()).collect();
        object.bytes("with", &names.join(&b", "[..]));
        object.end();
    } else if !args.quiet || change.dry_run {
        let names: Vec<String> =
            with.iter().map(|one| shown(one.called().as_bytes()).to_string()).collect();
        let to =
            if names.is_empty() { String::new() } else { format!(", with {}", names.join(", ")) };
        drop(writeln!(
            out,
            "  share      {}  by Syncthing itself, as `{}`{to}; nothing moves",
            placement.folder.shown(),
            shown(&placement.name)
        ));
        for line in lines {
            drop(writeln!(out, "             {line}"));
        }
    }
    output.write(&out);
    output.finish()
}

/// Whether to go on.
fn agreed(change: Change, args: &Args) -> Result<bool, Failure> {
    if change.dry_run {
        if !args.quiet && !change.json {
            say("note: a dry run; nothing was changed");
        }
        return Ok(false);
    }
    let yes = go_ahead(change)?;
    if !yes {
        say("note: nothing was changed");
    }
    Ok(yes)
}

/// Syncthing is told to leave the folder alone. Every file stays.
pub(super) fn unshare(
    placement: &Placement,
    unshare: &Unshare,
    args: &Args,
    world: &World,
) -> Result<Exit, Failure> {
    let key = placement.key.clone().unwrap_or_default();
    let volumes = volumes(world, crate::commands::change::TIME_LIMIT);
    let all = find(system(world), &volumes, &places(world));
    let found = all.found.iter().find(|found| Some(&found.client.id) == placement.client.as_ref());
    let interface = found.and_then(|found| found.interface.as_ref());
    let off = |cause: String| Failure::Refused {
        what: format!(
            "Syncthing could not be told to leave `{}` alone; nothing was changed",
            placement.folder.shown()
        ),
        cause: Some(cause),
        hint: Some("start it, and type the same again".into()),
        exit: Exit::Found,
    };
    let interface = interface.ok_or_else(|| off("it was not found here".into()))?;
    let syncthing = reach(interface, world).map_err(|why| off(why.to_string()))?;
    let folders = syncthing.folders().map_err(|why| off(why.to_string()))?;
    // By the number that it was given: where it lies may have been changed there since.
    let known = folders.iter().find(|one| one.id == key);
    let mut lines = vec!["every file stays, here and on the other side".to_owned()];
    if known.is_none() {
        lines.push("Syncthing has left it alone already".into());
    }
    if !unshare.change.json && (!args.quiet || unshare.change.dry_run) {
        let output = Output::new(&interrupt::stop(), Bar::new(true));
        let mut out = Vec::new();
        drop(writeln!(out, "  unshare    {}  by Syncthing itself", placement.folder.shown()));
        for line in &lines {
            drop(writeln!(out, "             {line}"));
        }
        output.write(&out);
        output.finish()?;
    }
    if !agreed(unshare.change, args)? {
        return Ok(if unshare.change.dry_run { Exit::Done } else { Exit::Found });
    }
    if known.is_some() {
        syncthing.forget(&key).map_err(|why| off(why.to_string()))?;
    }
    kept::remove(placement, world)?;
    if !args.quiet {
        say("done: Syncthing leaves it alone");
    }
    Ok(Exit::Done)
}
