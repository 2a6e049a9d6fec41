//! `linkwell move`: something goes elsewhere, and a link stays; and home again.

use super::change::{Came, Manner, carry, store_if_any, surveyor};
use super::elsewhere::Search;
use super::refuse_if_lost;
use crate::World;
use crate::args::Args;
use crate::args::change::Change;
use crate::args::moving::{Move, Verify as How};
use crate::error::{Exit, Failure, say};
use crate::interrupt;
use crate::output::course::Amount;
use crate::output::in_use as words;
use crate::output::moving::{bind_instead, of_others};
use linkwell_engine::in_use::{self, Subject};
use linkwell_engine::survey::known;
use linkwell_engine::survey::merge;
use linkwell_engine::survey::relocate::{self, Follow, Looked, Moving, Wanted, lead, recorded};
use linkwell_engine::survey::{Surveyor, conflict};
use linkwell_model::entry::EntryKind;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::spelling::Style;
use linkwell_model::plan::{Item, Loss, Object, Plan, Rewritten, Verify, Why};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

pub(super) fn run(moving: &Move, args: &Args, world: &World) -> Result<Exit, Failure> {
    run_and_say(moving, args, world, &|_| Vec::new(), &mut |_| {})
}

/// The same, as a part of something: `say` knows what else a person should read before they decide, and
/// `prepare` is called when they have said yes, right before anything is recorded.
pub(super) fn run_and_say(
    moving: &Move,
    args: &Args,
    world: &World,
    say_more: &dyn Fn(&Moving) -> Vec<String>,
    prepare: &mut dyn FnMut(&mut Plan),
) -> Result<Exit, Failure> {
    let typed: Vec<Vec<u8>> =
        [Some(&moving.path), moving.dest.as_ref()].into_iter().flatten().map(bytes).collect();
    refuse_if_lost(world, &typed)?;
    let under: Vec<Vec<u8>> = moving.under.iter().map(bytes).collect();
    refuse_if_lost(world, &under)?;
    let mut wanted = wanted(moving, world);
    loop {
        let mut surveyor = surveyor(world)?;
        let mut looked = look(&mut surveyor, &wanted, moving, world);
        elsewhere(&mut surveyor, &mut looked, moving, &under, args, world);
        if interrupt::came() {
            return Ok(Exit::Interrupted);
        }
        let mut plan = looked.plan;
        if let Some(found) = &looked.moving {
            if found.copied {
                nobody_uses_it(&mut plan, found, &typed, &surveyor);
            }
            if found.kind == EntryKind::Folder {
                the_desktop_knows_it(&mut plan, found, moving, &mut surveyor, world);
            }
            if !plan.items.is_empty() {
                plan.remarks.extend(say_more(found));
            }
            if found.leaves {
                say_what_others_make_of_it(&mut plan, found, moving);
            }
        }
        let amount = looked.moving.as_ref().filter(|found| found.copied).map(amount);
        let manner = Manner { change: moving.change, each: None, undoes: None, amount };
        match carry(plan, &manner, &surveyor, args, world, &mut *prepare)? {
            Came::Ended(exit) => return Ok(exit),
            Came::OtherVolume => {
                say(
                    "note: the file system does not let it be renamed to there; nothing was changed, and \
                     it is planned again as a copy",
                );
                wanted.copy = true;
            }
        }
    }
}

/// What another verb means by moving `path` to `dest`, or home if there is none: as if it had been typed, so that it
/// is looked at as carefully.
pub(super) fn meant(
    path: &AbsPath,
    dest: Option<&AbsPath>,
    merge: bool,
    style: Option<Style>,
    change: Change,
) -> Move {
    let typed = |place: &AbsPath| OsString::from_vec(place.as_bytes().to_vec());
    Move {
        path: typed(path),
        dest: dest.map(typed),
        back: dest.is_none(),
        no_link: false,
        relative: style == Some(Style::Relative),
        absolute: style == Some(Style::Absolute),
        keep: false,
        verify: How::Full,
        accept_loss: Vec::new(),
        rewrite_inner: false,
        as_is: false,
        follow_refs: false,
        under: Vec::new(),
        no_refs: false,
        allow_broken: false,
        merge,
        exact: false,
        free: false,
        set_known_folder: false,
        // Out of what is synced is where it goes when it comes home.
        synced_anyway: dest.is_none(),
        change,
    }
}

/// How much is copied.
fn amount(found: &Moving) -> Amount {
    let freight = &found.freight;
    let special = freight.pipes.count + freight.sockets.count + freight.devices.count;
    let entries = freight.files + freight.folders + freight.links + special;
    Amount { entries, bytes: freight.bytes }
}

/// What somebody has open for writing is not copied: what they write next would be lost.
fn nobody_uses_it(plan: &mut Plan, moving: &Moving, typed: &[Vec<u8>], surveyor: &Surveyor) {
    // By its path alone: the copier asks for a lease on each file besides.
    let it = moving.id.file();
    let belongs = |id| id == it;
    let subject = Subject { place: &moving.from, id: it, belongs: &belongs };
    let Some(found) = in_use::look(surveyor.system(), &subject) else { return };
    if found.hinders() {
        plan.items.clear();
        let path = typed.first().cloned().unwrap_or_default();
        let lines = words::hindering(&found);
        let last = lines.len().saturating_sub(1);
        for (number, what) in lines.into_iter().enumerate() {
            let hint = if number == last { words::hint(&found) } else { None };
            conflict(plan, &path, Why::Other { what, hint });
        }
    } else if let Some(item) = plan.items.first_mut() {
        item.remarks.extend(words::notes(&found));
    }
}

/// Music, Documents and their like: the desktop has a setting for where each is.
fn the_desktop_knows_it(
    plan: &mut Plan,
    found: &Moving,
    moving: &Move,
    surveyor: &mut Surveyor,
    world: &World,
) {
    let (Some(config), Some(home)) = (&world.config, &world.home) else { return };
    if plan.items.is_empty() {
        return;
    }
    let Some(setting) = known::setting(surveyor, config, home, found.id) else {
        if moving.set_known_folder {
            plan.remarks.push("the desktop has no setting for this folder".into());
        }
        return;
    };
    if !moving.set_known_folder {
        plan.remarks.push(setting.offer("--set-known-folder"));
        return;
    }
    let file = config.joined(b"user-dirs.dirs");
    match setting.step(surveyor, plan, &found.to) {
        Ok(step) => {
            // Of its own: what the desktop is told must not be told of a move that was not done.
            plan.needs.insert(plan.items.len(), 0);
            let remarks = vec![format!(
                "tells the desktop that your {} folder is at `{}`",
                setting.known.word(),
                found.to.shown()
            )];
            plan.items.push(Item { path: file.as_bytes().into(), steps: vec![step], remarks });
        }
        Err(why) => conflict(plan, file.as_bytes(), why),
    }
}

/// What other programs will make of the link.
fn say_what_others_make_of_it(plan: &mut Plan, found: &Moving, moving: &Move) {
    if plan.items.is_empty() {
        return;
    }
    let folder = found.kind == EntryKind::Folder;
    let said = of_others(&found.from, folder);
    if moving.change.verbose {
        plan.remarks.extend(said);
        if folder {
            plan.remarks.extend(bind_instead(&found.to, &found.from));
        }
        return;
    }
    plan.remarks.extend(said.into_iter().take(1));
    if folder {
        plan.remarks.push(
            "(`-v` says what else changes for other programs, and how a bind mount does without a link)"
                .into(),
        );
    }
}

fn bytes(typed: &std::ffi::OsString) -> Vec<u8> {
    typed.as_bytes().to_vec()
}

fn wanted(moving: &Move, world: &World) -> Wanted {
    Wanted {
        no_link: moving.no_link,
        style: if moving.relative {
            Some(Style::Relative)
        } else {
            moving.absolute.then_some(Style::Absolute)
        },
        keep: moving.keep,
        verify: match moving.verify {
            How::Full => Verify::Full,
            How::Sizes => Verify::Sizes,
        },
        accept: moving.accept_loss.iter().filter_map(|word| Loss::from_word(word)).collect(),
        copy: false,
        as_is: moving.as_is,
        synced_anyway: moving.synced_anyway,
        state: world.state.clone(),
        rewrite_inner: moving.rewrite_inner,
        allow_broken: moving.allow_broken,
    }
}

/// Looks for links elsewhere that lead into what is moved, and plans for them.
fn elsewhere(
    surveyor: &mut Surveyor,
    looked: &mut Looked,
    moving: &Move,
    under: &[Vec<u8>],
    args: &Args,
    world: &World,
) {
    let leaves = looked.moving.as_ref().is_none_or(|moving| moving.leaves);
    // A search takes seconds. What goes on working is looked for only where somebody will read of it
    // before they decide, or said where to look.
    let change = moving.change;
    let read = change.dry_run || change.verbose || !(change.yes || args.quiet);
    let needed = read || moving.follow_refs || !leaves || !under.is_empty();
    // What is merged leaves a link that leads to all of it: links elsewhere go on working.
    if moving.merge {
        return;
    }
    let Some(item) = looked.plan.items.first_mut() else { return };
    // These are known without a search.
    let mut links = std::mem::take(&mut looked.on_the_way);
    let follow = Follow {
        follow: moving.follow_refs,
        allow_broken: moving.allow_broken,
        accept_owner: moving.accept_loss.iter().any(|word| word == Loss::Owner.word()),
    };
    if moving.no_refs || !needed {
        if !leaves {
            item.remarks.push(
                "no link is left there, and links elsewhere were not looked for: those that lead into it \
                 will be broken"
                    .into(),
            );
        }
        if !links.is_empty() {
            lead(surveyor, looked, &links, follow);
        }
        return;
    }
    let volumes = std::sync::Arc::clone(surveyor.volumes());
    let going = std::mem::take(&mut looked.going);
    // Home again: links to the link that brings it home are most likely where that is.
    let home = looked.moving.as_ref().filter(|_| moving.dest.is_none()).map(|found| &found.to);
    let places = going.places().chain(home).cloned().collect();
    let search = Search { going, places, under, volumes: &volumes };
    let found = search.run(args, world);
    let no = if links.is_empty() { "no link" } else { "no other link" };
    links.extend(found.found.iter().map(|link| link.place.clone()));
    lead(surveyor, looked, &links, follow);
    if let Some(item) = looked.plan.items.first_mut() {
        item.remarks.extend(found.remarks(no, "leads into it"));
    }
}

/// What the operation that has left `link` is on record to have changed in what stands at `place` now.
fn record(world: &World, link: &Object, place: &AbsPath) -> Vec<Rewritten> {
    let Ok(Some(store)) = store_if_any(world) else { return Vec::new() };
    let mut numbers = store.ended().unwrap_or_default();
    numbers.sort_unstable();
    let operations = numbers.into_iter().rev().filter_map(|number| store.read(number).ok());
    recorded(operations, link, place)
}

fn look(surveyor: &mut Surveyor, wanted: &Wanted, moving: &Move, world: &World) -> Looked {
    match &moving.dest {
        Some(dest) if moving.merge => {
            let wanted =
                merge::Wanted { moving: wanted.clone(), free: moving.free, exact: moving.exact };
            merge::plan(surveyor, &wanted, moving.path.as_bytes(), dest.as_bytes())
        }
        Some(dest) => relocate::plan(surveyor, wanted, moving.path.as_bytes(), dest.as_bytes()),
        None => {
            let record = |link: &Object, place: &AbsPath| record(world, link, place);
            relocate::home(surveyor, wanted, moving.path.as_bytes(), record)
        }
    }
}
