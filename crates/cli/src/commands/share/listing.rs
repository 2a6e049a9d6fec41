//! `linkwell share --list` and `--check`: what is shared, and whether it still is.

use super::kept;
use crate::World;
use crate::args::Args;
use crate::args::share::Share;
use crate::commands::change::surveyor;
use crate::commands::clients::places;
use crate::commands::{system, volumes};
use crate::error::{Exit, Failure, say};
use crate::interrupt;
use crate::output::Output;
use crate::output::json::Object;
use crate::output::progress::Bar;
use linkwell_engine::clients::{Found, find};
use linkwell_engine::placements::{Stands, known_to, stands};
use linkwell_engine::survey::Surveyor;
use linkwell_model::mounting;
use linkwell_model::share::arrangement::Arrangement;
use linkwell_model::share::knowledge::Knowledge;
use linkwell_model::share::placement::Placement;
use linkwell_model::shown::{quoted, shown};
use std::io::Write as _;

pub(super) fn run(share: &Share, args: &Args, world: &World) -> Result<Exit, Failure> {
    let output = Output::new(&interrupt::stop(), Bar::new(true));
    let mut surveyor = surveyor(world)?;
    let all = kept::shared(&mut surveyor, world)?;
    let clients = share.check.then(|| {
        let volumes = volumes(world, crate::commands::change::TIME_LIMIT);
        find(system(world), &volumes, &places(world)).found
    });
    let (mut out, mut wrong) = (Vec::new(), 0_usize);
    for placement in &all {
        let how = clients.as_ref().map(|clients| judged(&mut surveyor, placement, clients));
        let told = how.as_ref().map(|how| told(how, placement));
        let is_wrong = told.as_ref().is_some_and(|(_, wrong, _)| *wrong);
        wrong += usize::from(is_wrong);
        if share.change.json {
            json(&mut out, placement, told.as_ref());
        } else if !share.check
            || is_wrong
            || share.change.verbose
            || told.as_ref().is_some_and(|(word, ..)| *word != "true")
        {
            line(&mut out, placement, told.as_ref());
        }
    }
    output.write(&out);
    output.finish()?;
    if !args.quiet && !share.change.json {
        if all.is_empty() {
            say("note: nothing is shared by linkwell");
        } else if share.check && wrong == 0 {
            say(&format!("done: {} shared, and all of it still is", all.len()));
        }
    }
    Ok(if wrong == 0 { Exit::Done } else { Exit::Found })
}

/// Whether it stands on the disk, and then whether its client still knows of it.
fn judged(surveyor: &mut Surveyor, placement: &Placement, clients: &[Found]) -> Stands {
    let on_disk = stands(surveyor, placement);
    if !matches!(on_disk, Stands::True | Stands::Renamed(_)) {
        return on_disk;
    }
    let is_its = |found: &&Found| Some(&found.client.id) == placement.client.as_ref();
    let found = clients.iter().find(is_its);
    // Of a client that was not found, or of whose folders nothing is known, nothing is said.
    let known = found.filter(|found| !found.roots.is_empty() || placement.key.is_some());
    match known.map(|found| known_to(found, placement)) {
        Some(Stands::True) => on_disk,
        Some(other) => other,
        None if placement.key.is_some() => {
            Stands::Unknown("its client was not found here, or does not run".into())
        }
        None => on_disk,
    }
}

fn with(placement: &Placement) -> String {
    let client = placement.client.as_deref().and_then(|id| Knowledge::known().client(id));
    client.map_or_else(|| placement.root.shown().to_string(), |client| client.name.clone())
}

fn line(out: &mut Vec<u8>, placement: &Placement, told: Option<&(&'static str, bool, String)>) {
    let there = match placement.arrangement {
        Arrangement::Native => shown(&placement.name).to_string(),
        _ => placement.there().shown().to_string(),
    };
    let words = told.map_or_else(String::new, |(.., words)| format!(": {words}"));
    drop(writeln!(
        out,
        "{} with {} as {} ({}){words}",
        placement.folder.shown(),
        with(placement),
        there,
        placement.arrangement.word(),
    ));
}

/// The word for programs, whether a person has to do something, and what.
fn told(how: &Stands, placement: &Placement) -> (&'static str, bool, String) {
    let folder = quoted(placement.folder.as_bytes());
    match how {
        Stands::True => ("true", false, "as it was arranged".into()),
        Stands::Renamed(place) => (
            "renamed",
            false,
            format!("it is `{}` there now, and the link leads there", place.shown()),
        ),
        Stands::Outside(place) => (
            "outside",
            true,
            format!("the link leads to `{}`, which is not synced with it", place.shown()),
        ),
        Stands::Broken(place) => (
            "broken",
            true,
            format!(
                "the link leads to `{}`, which is not there; `linkwell repair {folder}` looks for it",
                place.shown()
            ),
        ),
        Stands::Replaced(kind) => (
            "replaced",
            true,
            format!(
                "a {} stands where the link stood: what is written there is not synced",
                kind.word()
            ),
        ),
        Stands::Gone(true) => (
            "gone",
            true,
            format!(
                "nothing stands there any more; the folder is where it was put: `linkwell create {} {folder}`",
                quoted(placement.there().as_bytes())
            ),
        ),
        Stands::Gone(false) => ("gone", true, "neither the link nor the folder is there".into()),
        Stands::NoRoot(Some(point)) => {
            ("asleep", true, format!("`{}` is not attached", point.shown()))
        }
        Stands::NoRoot(None) => (
            "no_root",
            true,
            format!("the folder `{}` is not there any more", placement.root.shown()),
        ),
        Stands::Home => ("home", true, "the folder is at its old place, and not shared".into()),
        Stands::Empty => (
            "empty",
            false,
            "no file is in it any more; a deletion on the other side does that".into(),
        ),
        Stands::Parted(count) => (
            "parted",
            true,
            format!("{count} of its files are not the same in both any more, or are in one alone"),
        ),
        Stands::Unmounted => {
            let unit = mounting::unit_name(&placement.there()).unwrap_or_default();
            let words = format!(
                "it is not mounted there, so nothing arrives: `sudo systemctl start {}`",
                quoted(unit.as_bytes())
            );
            ("unmounted", true, words)
        }
        Stands::Unsynced => (
            "unsynced",
            true,
            "its client does not sync that folder any more; `linkwell clients` shows what it does"
                .into(),
        ),
        Stands::Paused => ("paused", true, "its client was told to leave it alone for now".into()),
        Stands::Unknown(why) => ("unknown", true, why.clone()),
    }
}

fn json(out: &mut Vec<u8>, placement: &Placement, told: Option<&(&'static str, bool, String)>) {
    let mut object = Object::line(out, "placement");
    object.number("version", 1);
    object.bytes("path", placement.folder.as_bytes());
    object.bytes("root", placement.root.as_bytes());
    object.bytes("name", &placement.name);
    object.text("arrangement", placement.arrangement.word());
    if let Some(client) = &placement.client {
        object.text("client", client);
    }
    if let Some((word, _, words)) = told {
        object.text("stands", word);
        object.text("words", words);
    }
    object.end();
}
