//! `linkwell share --list` and `--check`: what is shared, and whether it still is.

use super::kept;
use crate::World;
use crate::args::Args;
use crate::args::share::Share;
use crate::commands::change::surveyor;
use crate::error::{Exit, Failure, say};
use crate::interrupt;
use crate::output::Output;
use crate::output::json::Object;
use crate::output::progress::Bar;
use linkwell_engine::placements::{Stands, stands};
use linkwell_model::share::knowledge::Knowledge;
use linkwell_model::share::placement::Placement;
use linkwell_model::shown::quoted;
use std::io::Write as _;

pub(super) fn run(share: &Share, args: &Args, world: &World) -> Result<Exit, Failure> {
    let all = kept::all(world)?;
    let output = Output::new(&interrupt::stop(), Bar::new(true));
    let mut surveyor = surveyor(world)?;
    let (mut out, mut wrong) = (Vec::new(), 0_usize);
    for placement in &all {
        let how = share.check.then(|| stands(&mut surveyor, placement));
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

fn with(placement: &Placement) -> String {
    let client = placement.client.as_deref().and_then(|id| Knowledge::known().client(id));
    client.map_or_else(|| placement.root.shown().to_string(), |client| client.name.clone())
}

fn line(out: &mut Vec<u8>, placement: &Placement, told: Option<&(&'static str, bool, String)>) {
    let there = placement.there();
    let words = told.map_or_else(String::new, |(.., words)| format!(": {words}"));
    drop(writeln!(
        out,
        "{} with {} as {} ({}){words}",
        placement.folder.shown(),
        with(placement),
        there.shown(),
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
