//! `linkwell repair`: broken links are led to where their targets are now.

use super::change::{Manner, carry_out_prepared, state, surveyor, trouble};
use super::{refuse_if_lost, system};
use crate::World;
use crate::args::Args;
use crate::args::repair::{Keep, Repair};
use crate::error::{Exit, Failure, say};
use crate::interrupt;
use crate::output::paint::Paint;
use crate::output::preview::things;
use crate::output::progress::Bar;
use crate::output::{Output, mending};
use linkwell_engine::catalogue::{Catalogue, Opened};
use linkwell_engine::disk::Unix;
use linkwell_engine::folder::Folder;
use linkwell_engine::scan::Handle;
use linkwell_engine::state::{self, Trouble};
use linkwell_engine::survey::lead::{self, Lead};
use linkwell_engine::survey::repair::{
    Broken, Found, Replaced, Survey, Wanted, renew, replaced, survey,
};
use linkwell_engine::survey::{Surveyor, conflict};
use linkwell_engine::system::{Access, System};
use linkwell_model::keep::choice::Choice;
use linkwell_model::keep::link::Kept;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Plan, Why};
use linkwell_model::shown::shown;
use rustix::fd::AsFd as _;
use rustix::io::Errno;
use std::ffi::OsString;
use std::io::BufRead as _;
use std::os::unix::ffi::OsStringExt as _;

pub(super) fn run(repair: &Repair, args: &Args, world: &World) -> Result<Exit, Failure> {
    let bytes = |paths: &[OsString]| -> Vec<Vec<u8>> {
        paths.iter().cloned().map(OsString::into_vec).collect()
    };
    let (paths, search) = (bytes(&repair.paths), bytes(&repair.search));
    if paths.iter().chain(&search).any(Vec::is_empty) {
        return Err(Failure::Usage {
            what: "one of the paths is empty; nothing was looked at".into(),
            hint: Some("write `.` for the current folder".into()),
        });
    }
    refuse_if_lost(world, &paths)?;
    refuse_if_lost(world, &search)?;
    let catalogue = catalogue_if_any(world)?;
    if paths.is_empty() && catalogue.is_none() {
        say("note: no link is tracked yet, and no folder was named; nothing was looked at");
        say("hint: `linkwell repair FOLDER` looks at all broken links below FOLDER");
        return Ok(Exit::Done);
    }
    let mut surveyor = surveyor(world)?;
    let wanted = Wanted {
        paths,
        cross_volumes: repair.cross_volumes,
        search,
        near: repair.near,
        program: world.program.clone(),
    };
    let handle = Handle { stop: interrupt::stop(), ..Handle::default() };
    let bar = Bar::new(args.quiet);
    let mut tick = bar.ticker();
    let found = survey(&mut surveyor, catalogue.as_ref(), &wanted, &handle, &mut tick);
    bar.finish();
    if interrupt::came() {
        // A part of what was to be looked at: what it says may be wrong.
        return Ok(Exit::Interrupted);
    }
    show(&found, repair, args)?;
    let wishes = if repair.interactive && !repair.change.yes {
        asked(&found, repair)
    } else {
        Wishes::of(&found, repair)
    };
    let exit = mend(&mut surveyor, &found, wishes, catalogue, repair, args, world)?;
    say_rest(&found, repair, args);
    Ok(exit)
}

/// The links on record, if there are any and they can be read.
fn catalogue_if_any(world: &World) -> Result<Option<Catalogue>, Failure> {
    let held = match state::open(system(world), state(world)?) {
        Ok(held) => held,
        Err(Trouble::Missing) => return Ok(None),
        Err(found) => return Err(trouble(&found)),
    };
    Ok(Catalogue::open_if_any(&held).unwrap_or_else(|error| {
        say(&format!("note: the record of links cannot be read, and is not used: {error}"));
        None
    }))
}

fn show(found: &Survey, repair: &Repair, args: &Args) -> Result<(), Failure> {
    let output = Output::new(&interrupt::stop(), Bar::new(true));
    let mut out = Vec::new();
    if repair.change.json {
        mending::json(&mut out, found);
    } else if !args.quiet || repair.change.dry_run {
        mending::survey(&mut out, found, repair.change.verbose, Paint::new(args.color));
    }
    output.write(&out);
    output.finish()
}

/// What is to be done.
#[derive(Default)]
struct Wishes {
    leads: Vec<Lead>,
    /// Links whose targets are gone, to be removed.
    gone: Vec<Broken>,
    replaced: Vec<(Replaced, replaced::Keep)>,
    /// Links on record to be forgotten, by number.
    forget: Vec<i64>,
    /// Each was agreed to already.
    agreed: bool,
    /// Something stays as it is.
    left: bool,
}

impl Wishes {
    /// As the options say.
    fn of(survey: &Survey, repair: &Repair) -> Self {
        let mut wishes = Self { agreed: repair.certain, ..Self::default() };
        for found in &survey.found {
            let meant = match found.choice {
                Choice::Certain(_) => true,
                Choice::Likely(_) => repair.likely,
                Choice::Ambiguous(_) | Choice::None => false,
            };
            match found.chosen().filter(|_| meant) {
                Some(chosen) => wishes.leads.extend(found.leads(&chosen.place)),
                None if repair.delete && survey.is_gone(found) => {
                    wishes.gone.extend(found.lost.links.iter().cloned());
                }
                None => wishes.left = true,
            }
        }
        // What is certain says nothing about what a program saved.
        let keep = repair.replaced.filter(|_| !repair.certain);
        for replaced in &survey.replaced {
            wishes.keep(replaced, keep);
        }
        wishes
    }

    fn keep(&mut self, replaced: &Replaced, keep: Option<Keep>) {
        match keep {
            Some(Keep::Target) => {
                self.replaced.push((replaced.clone(), replaced::Keep::IntoTarget));
            }
            Some(Keep::Both) => self.replaced.push((replaced.clone(), replaced::Keep::Both)),
            Some(Keep::Forget) => self.forget.push(replaced.entry.id),
            None => self.left = true,
        }
    }
}

/// As a person says, one by one.
fn asked(survey: &Survey, repair: &Repair) -> Wishes {
    let mut wishes = Wishes { agreed: true, ..Wishes::default() };
    // One answer for what one move explains.
    let mut refused: Vec<(AbsPath, AbsPath)> = Vec::new();
    let mut agreed: Vec<(AbsPath, AbsPath)> = Vec::new();
    for answer in survey.answers() {
        let links = things(answer.links, "link that leads", "links that lead");
        let question = format!(
            "lead {links} into `{}` into `{}` instead? [y/N] ",
            answer.old.shown(),
            answer.new.shown()
        );
        let yes = matches!(line(&question).as_slice(), b"y" | b"yes");
        if yes { &mut agreed } else { &mut refused }.push((answer.old, answer.new));
    }
    for found in &survey.found {
        let by = |changes: &[(AbsPath, AbsPath)]| {
            found.chosen().is_some_and(|chosen| {
                changes.iter().any(|(old, new)| {
                    let rest = found.lost.to.below(old);
                    rest.is_some() && rest == chosen.place.below(new)
                })
            })
        };
        if by(&agreed) {
            if let Some(chosen) = found.chosen() {
                wishes.leads.extend(found.leads(&chosen.place));
            }
            continue;
        }
        match pick(found) {
            Some(place) => wishes.leads.extend(found.leads(&place)),
            None if repair.delete && survey.is_gone(found) => {
                for broken in &found.lost.links {
                    let link = broken.link.place();
                    if yes(&format!("remove `{}`? [y/N] ", link.shown())) {
                        wishes.gone.push(broken.clone());
                    } else {
                        wishes.left = true;
                    }
                }
            }
            None => wishes.left = true,
        }
    }
    for replaced in &survey.replaced {
        let link = &replaced.entry.link;
        let question = format!(
            "`{}` led to `{}`, and a program saved a {} over it: 1 the new one goes there (what is there \
             is kept), 2 both are kept and the link comes back, 3 the link is forgotten; [1-3, or Enter] ",
            link.place().shown(),
            link.to.shown(),
            replaced.kind.word()
        );
        let keep = match line(&question).as_slice() {
            b"1" => Some(Keep::Target),
            b"2" => Some(Keep::Both),
            b"3" => Some(Keep::Forget),
            _ => None,
        };
        wishes.keep(replaced, keep);
    }
    wishes
}

/// Asks where one lost thing is.
fn pick(found: &Found) -> Option<AbsPath> {
    let numbers = match &found.choice {
        Choice::Certain(number) | Choice::Likely(number) => vec![*number],
        Choice::Ambiguous(numbers) => numbers.clone(),
        Choice::None => return None,
    };
    let links: Vec<String> = found
        .lost
        .links
        .iter()
        .take(3)
        .map(|broken| {
            let target = shown(broken.link.target.as_bytes()).to_string();
            format!("`{} → {target}`", broken.link.place().shown())
        })
        .collect();
    let more = found.lost.links.len().saturating_sub(links.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let mut text = Vec::new();
    mending::candidates(&mut text, found, &numbers);
    say(&format!("{}{more}", links.join(", ")));
    say(String::from_utf8_lossy(&text).trim_end());
    let said = line(&format!("where? [1-{}, or Enter to leave it] ", numbers.len()));
    let number: usize = std::str::from_utf8(&said).ok()?.parse().ok()?;
    let number = numbers.get(number.checked_sub(1)?)?;
    found.candidates.get(*number).map(|candidate| candidate.place.clone())
}

fn yes(question: &str) -> bool {
    matches!(line(question).as_slice(), b"y" | b"yes")
}

/// Asks, and reads one line; an empty one when nobody answers.
fn line(question: &str) -> Vec<u8> {
    use std::io::Write as _;
    let mut err = std::io::stderr().lock();
    if err.write_all(question.as_bytes()).and_then(|()| err.flush()).is_err() {
        return Vec::new();
    }
    drop(err);
    let mut line = Vec::new();
    let read = std::io::stdin().lock().read_until(b'\n', &mut line);
    read.map(|_| line.trim_ascii().to_ascii_lowercase()).unwrap_or_default()
}

/// Plans it all, carries it out, and brings the record up to date.
fn mend(
    surveyor: &mut Surveyor,
    found: &Survey,
    wishes: Wishes,
    catalogue: Option<Catalogue>,
    repair: &Repair,
    args: &Args,
    world: &World,
) -> Result<Exit, Failure> {
    let mut plan = lead::plan(surveyor, &wishes.leads);
    for (path, why) in &found.refused {
        conflict(&mut plan, path, why.clone());
    }
    for broken in &wishes.gone {
        add(&mut plan, broken.link.place(), |plan| replaced::remove(surveyor, plan, &broken.link));
    }
    for (replaced, keep) in &wishes.replaced {
        let place = replaced.entry.link.place();
        add(&mut plan, place, |plan| replaced::add(surveyor, plan, replaced, *keep));
    }
    let wrong = wishes.left || !found.problems.is_empty();
    if plan.items.is_empty() && plan.conflicts.is_empty() {
        forget(catalogue, &wishes, repair);
        return Ok(if wrong { Exit::Found } else { Exit::Done });
    }
    let mut change = repair.change;
    change.yes |= wishes.agreed;
    let manner = Manner { change, each: None, undoes: None, amount: None };
    let exit = carry_out_prepared(plan, &manner, surveyor, args, world, |plan| {
        // What was found may have been replaced, or come back, while a person thought about the question.
        for lead in &wishes.leads {
            drop_if(plan, &lead.link.place(), lead::still_there(surveyor, lead));
        }
        for broken in &wishes.gone {
            drop_if(plan, &broken.link.place(), replaced::leads_nowhere(surveyor, &broken.link));
        }
    })?;
    if !change.dry_run && matches!(exit, Exit::Done | Exit::Partly) {
        record(found, &wishes, catalogue, surveyor, world);
    }
    Ok(match exit {
        Exit::Done if wrong && !change.dry_run => Exit::Partly,
        Exit::Done if wrong => Exit::Found,
        exit => exit,
    })
}

fn add(plan: &mut Plan, place: AbsPath, plan_it: impl FnOnce(&mut Plan) -> Result<(), Why>) {
    if let Err(why) = plan_it(plan) {
        conflict(plan, place.as_bytes(), why);
    }
}

/// Takes out what must not be done any more.
fn drop_if(plan: &mut Plan, place: &AbsPath, asked: Result<(), Why>) {
    if let Err(why) = asked {
        plan.items.retain(|item| *item.path != *place.as_bytes());
        conflict(plan, place.as_bytes(), why);
    }
}

fn forget(catalogue: Option<Catalogue>, wishes: &Wishes, repair: &Repair) {
    if wishes.forget.is_empty() || repair.change.dry_run {
        return;
    }
    let Some(mut catalogue) = catalogue else { return };
    match catalogue.forget(&wishes.forget) {
        Ok(()) => say(&format!(
            "note: {} forgotten; nothing else was changed",
            things(wishes.forget.len(), "link was", "links were")
        )),
        Err(error) => say(&format!("error: the record of links cannot be changed: {error}")),
    }
}

/// Brings the record up to date. What cannot be recorded is said, and nothing fails by it.
fn record(
    found: &Survey,
    wishes: &Wishes,
    catalogue: Option<Catalogue>,
    surveyor: &Surveyor,
    world: &World,
) {
    let led: std::collections::HashSet<AbsPath> =
        wishes.leads.iter().map(|lead| lead.link.place()).collect();
    let all = found.found.iter().flat_map(|found| &found.lost.links);
    let mut links: Vec<Broken> =
        all.filter(|broken| led.contains(&broken.link.place())).cloned().collect();
    links.extend(wishes.replaced.iter().map(|(replaced, _)| Broken {
        link: replaced.entry.link.clone(),
        number: Some(replaced.entry.id),
        moved: false,
        mends: Vec::new(),
    }));
    let done = || -> Result<(), String> {
        let mut catalogue = match catalogue {
            Some(catalogue) => catalogue,
            None => made(world)?,
        };
        let links: Vec<&Broken> = links.iter().collect();
        let (system, volumes) = (surveyor.system(), surveyor.volumes());
        let renewed = renew(system, volumes, &mut catalogue, &links, world.now.0);
        renewed.map_err(|error| error.to_string())?;
        // What was not removed after all stays on record.
        let removed = |broken: &&Broken| !stands(surveyor.system(), &broken.link);
        let gone = wishes.gone.iter().filter(removed).filter_map(|broken| broken.number);
        let numbers: Vec<i64> = gone.chain(wishes.forget.iter().copied()).collect();
        catalogue.forget(&numbers).map_err(|error| error.to_string())
    };
    if let Err(why) = done() {
        say(&format!("note: what was changed could not be put on record: {why}"));
    }
}

fn stands(system: System, link: &Kept) -> bool {
    let folder = Folder::of_place(&link.folder).open(system, Access::Hold);
    let found = folder.and_then(|held| system.facts(held.as_fd(), link.name.as_bytes()));
    !matches!(found, Err(Errno::NOENT | Errno::NOTDIR))
}

fn made(world: &World) -> Result<Catalogue, String> {
    let place = world.state.as_ref().ok_or("there is no place for it")?;
    let held = state::open_or_make(&Unix, system(world), place);
    let held = held.map_err(|_| "its folder cannot be used")?;
    let opened = Catalogue::open_or_make(&held).map_err(|error| error.to_string())?;
    if let Opened::SetAside(place) = &opened.1 {
        say(&format!("note: the record of links was damaged; it is kept as `{}`", place.shown()));
    }
    Ok(opened.0)
}

fn is_not_found(found: &Found) -> bool {
    found.choice == Choice::None
}

/// What is left to be said, on standard error.
fn say_rest(found: &Survey, repair: &Repair, args: &Args) {
    if !args.quiet {
        let asleep = found.asleep.len();
        if asleep > 0 {
            say(&format!(
                "note: {} on a volume that is not attached; nothing is to be done about that",
                things(asleep, "link leads to something", "links lead to something")
            ));
        }
        if repair.delete && found.unsearched > 0 && found.found.iter().any(is_not_found) {
            say(&format!(
                "note: {} could not be searched, so that nothing is known to be gone, and no link was removed",
                things(usize::try_from(found.unsearched).unwrap_or(usize::MAX), "place", "places")
            ));
            if !repair.near {
                say("hint: `--near --search FOLDER` searches only where it may be");
            }
        }
        if !found.unjudged.is_empty() {
            say(&format!(
                "note: {} could not be judged, and was left alone",
                things(found.unjudged.len(), "link", "links")
            ));
        }
        if found.missing > 0 && repair.change.verbose {
            say(&format!(
                "note: {} on record not at its place any more",
                things(
                    usize::try_from(found.missing).unwrap_or(usize::MAX),
                    "link is",
                    "links are"
                )
            ));
        }
        if repair.change.verbose {
            if found.unsearched > 0 {
                say(&format!(
                    "note: {} could not be searched",
                    things(
                        usize::try_from(found.unsearched).unwrap_or(usize::MAX),
                        "place",
                        "places"
                    )
                ));
            }
            for note in &found.notes {
                say(&format!("note: {note}"));
            }
        }
        for volume in &found.other_volumes {
            say(&format!(
                "note: another volume is mounted at `{}`; `--cross-volumes` looks into it too",
                shown(volume)
            ));
        }
        let nothing = found.found.is_empty() && found.replaced.is_empty();
        if nothing && found.refused.is_empty() && !repair.change.json {
            say("note: no link is broken here; nothing was changed");
        }
    }
    for problem in found.problems.iter().take(super::MOST_NAMED) {
        let why = crate::error::trouble(problem.trouble);
        say(&format!("error: could not look at `{}`: {why}", shown(&problem.path)));
    }
}
