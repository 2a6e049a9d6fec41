//! `linkwell create`: new links.

use super::change::{Manner, carry_out, surveyor};
use super::refuse_if_lost;
use crate::World;
use crate::args::Args;
use crate::args::change::{Backup, Create};
use crate::error::{Exit, Failure, say};
use clap::ValueEnum as _;
use linkwell_engine::survey::create::{Control, Kind, Pair, Wanted, Whither, plan};
use linkwell_model::plan::Step;
use linkwell_model::plan::spelling::Style;
use linkwell_model::shown::shown;
use std::ffi::OsString;
use std::io::Read as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};

pub(super) fn run(create: &Create, args: &Args, world: &World) -> Result<Exit, Failure> {
    let pairs = if create.from_list { read_pairs()? } else { pairs(create)? };
    let typed: Vec<Vec<u8>> = pairs.iter().flat_map(paths_of).collect();
    refuse_if_lost(world, &typed)?;
    if create.change.dry_run && !args.quiet && is_ln_habit(world) {
        say(
            "note: `-n` only shows what would be done; links are never followed here, so `ln`'s `-n` is not needed",
        );
    }
    let wanted = Wanted {
        kind: if create.hard {
            Kind::Hard
        } else if create.shortcut {
            Kind::Shortcut
        } else {
            Kind::Symlink
        },
        style: if create.relative {
            Some(Style::Relative)
        } else {
            create.absolute.then_some(Style::Absolute)
        },
        force: create.force || create.interactive,
        backup: backup(create, world)?,
        allow_broken: create.unsound.allow_broken,
        allow_cycle: create.unsound.allow_cycle,
        exact: create.no_target_directory,
    };
    let mut surveyor = surveyor(world)?;
    let plan = plan(&mut surveyor, &wanted, &pairs);
    let replaces: fn(&Step) -> bool = |step| matches!(step, Step::Replace { .. });
    let each = (create.interactive && !create.change.yes).then_some(replaces);
    let manner = Manner { change: create.change, each, undoes: None, amount: None };
    carry_out(plan, &manner, &surveyor, args, world)
}

fn paths_of(pair: &Pair) -> [Vec<u8>; 2] {
    let (Whither::At(link) | Whither::In(link)) = &pair.link;
    [pair.target.clone(), link.clone()]
}

/// Whether `-n` came in company of letters that make it look like `ln -sfn`.
fn is_ln_habit(world: &World) -> bool {
    world.typed.iter().any(|typed| {
        typed.len() > 2
            && typed.starts_with(b"-")
            && !typed.starts_with(b"--")
            && typed.contains(&b'n')
            && typed.iter().any(|letter| matches!(letter, b's' | b'f'))
    })
}

/// What was typed, as targets and links.
fn pairs(create: &Create) -> Result<Vec<Pair>, Failure> {
    let mut paths: Vec<Vec<u8>> = create.paths.iter().cloned().map(OsString::into_vec).collect();
    if let Some(folder) = &create.target_directory {
        let folder = folder.as_bytes().to_vec();
        let pair = |target| Pair::new(target, Whither::In(folder.clone()));
        return Ok(paths.into_iter().map(pair).collect());
    }
    let usage = |what: String, hint: &str| Err(Failure::Usage { what, hint: Some(hint.into()) });
    let Some(last) = paths.pop() else { return Ok(Vec::new()) };
    match paths.len() {
        0 if create.no_target_directory => usage(
            format!("there is no link's name after `{}`; nothing was changed", shown(&last)),
            "`linkwell create -T TARGET LINK`",
        ),
        0 => Ok(vec![Pair::new(last, Whither::In(b".".to_vec()))]),
        1 => Ok(paths
            .into_iter()
            .map(|target| Pair::new(target, Whither::At(last.clone())))
            .collect()),
        _ if create.no_target_directory => usage(
            "with `-T` there is one TARGET and one LINK; nothing was changed".into(),
            "leave out `-T`, or name two paths",
        ),
        _ if last.ends_with(b"/") => Ok(paths
            .into_iter()
            .map(|target| Pair::new(target, Whither::In(last.clone())))
            .collect()),
        _ => usage(
            "with several targets the last path must be a folder, and say so; nothing was changed"
                .into(),
            &format!("write `{0}/`, or `-t {0}`", linkwell_model::shown::quoted(&last)),
        ),
    }
}

/// Pairs from standard input: TARGET, NUL, LINK, NUL.
fn read_pairs() -> Result<Vec<Pair>, Failure> {
    let mut list = Vec::new();
    let usage = |what: &str| Failure::Usage {
        what: format!("{what}; nothing was changed"),
        hint: Some("the list is TARGET, NUL, LINK, NUL, and so on, on standard input".into()),
    };
    if std::io::stdin().lock().read_to_end(&mut list).is_err() {
        return Err(usage("the list could not be read"));
    }
    if list.is_empty() {
        return Ok(Vec::new());
    }
    if list.pop() != Some(0) {
        return Err(usage("the list does not end with a NUL byte"));
    }
    let mut names = list.split(|byte| *byte == 0);
    let mut pairs = Vec::new();
    while let Some(target) = names.next() {
        let Some(link) = names.next() else {
            return Err(usage("the list has a target without a link at its end"));
        };
        pairs.push(Pair::new(target.to_vec(), Whither::At(link.to_vec())));
    }
    Ok(pairs)
}

/// Which backups are wanted; the words, and the order in which they count, are GNU's.
fn backup(create: &Create, world: &World) -> Result<Option<(Control, Vec<u8>)>, Failure> {
    if create.backup.is_none() && !create.simple_backup && create.suffix.is_none() {
        return Ok(None);
    }
    let typed = create.backup.as_deref().filter(|word| !word.is_empty());
    let from_outside = world.version_control.as_ref().and_then(|word| word.to_str());
    let word = typed.or(from_outside).filter(|word| !word.is_empty()).unwrap_or("existing");
    let Ok(control) = Backup::from_str(word, false) else {
        return Err(Failure::Usage {
            what: format!("`{}` is no kind of backup; nothing was changed", shown(word.as_bytes())),
            hint: Some("`none`, `numbered`, `existing` or `simple`".into()),
        });
    };
    let suffix = create.suffix.as_ref().or(world.backup_suffix.as_ref());
    let suffix = suffix.map(|suffix| suffix.as_bytes().to_vec());
    // A suffix that could lead elsewhere is not used; GNU takes `~` then, too.
    let sound = suffix.filter(|suffix| !suffix.is_empty() && !suffix.contains(&b'/'));
    if create.suffix.is_some() && sound.is_none() {
        return Err(Failure::Usage {
            what: "the suffix must not be empty, nor hold a `/`; nothing was changed".into(),
            hint: None,
        });
    }
    let control = match control {
        Backup::None => return Ok(None),
        Backup::Numbered => Control::Numbered,
        Backup::Existing => Control::Existing,
        Backup::Simple => Control::Simple,
    };
    Ok(Some((control, sound.unwrap_or_else(|| b"~".to_vec()))))
}
