//! After an operation: links that it made or changed are recorded, those that it removed are forgotten,
//! and what it moved has its new place.

use super::{Asked, Gaze, Standing, look_at};
use crate::catalogue::links::{Entry, Seen};
use crate::catalogue::referring::Renamed;
use crate::catalogue::{Catalogue, Trouble};
use crate::likeness::Depth;
use crate::system::System;
use crate::volumes::Volumes;
use linkwell_model::entry::EntryKind;
use linkwell_model::keep::link::By;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Make, Plan, Step};
use std::collections::{BTreeMap, HashSet};
use std::ops::ControlFlow;
use std::sync::Arc;

/// The places that an operation speaks of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Touched {
    /// Names that it changed; and whether folders stood there before, with links in them.
    pub names: BTreeMap<AbsPath, bool>,
    /// What was to go from one place to another.
    pub moves: Vec<(AbsPath, AbsPath)>,
    /// A link that something real stands in place of stays on record: it was saved over before, and the
    /// operation was taken back, or took back what had been done about it.
    pub keeps: bool,
}

impl Touched {
    /// Whether there is nothing to be looked at.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty() && self.moves.is_empty()
    }

    fn name(&mut self, place: AbsPath, folder: bool) {
        *self.names.entry(place).or_default() |= folder;
    }
}

/// What items of a plan, by number, speak of.
pub fn touched(plan: &Plan, items: impl IntoIterator<Item = usize>) -> Touched {
    let mut touched = Touched::default();
    for step in
        items.into_iter().filter_map(|item| plan.items.get(item)).flat_map(|item| &item.steps)
    {
        let at = plan.place(step.at());
        let folder = step.old().is_some_and(|old| old.kind() == EntryKind::Folder);
        match step.make() {
            Some(Make::Moved { from, .. } | Make::Copy { of: from, .. }) => {
                let from = plan.place(from);
                touched.name(from.clone(), false);
                touched.moves.push((from, at.clone()));
            }
            Some(
                Make::Link { .. }
                | Make::Name { .. }
                | Make::File { .. }
                | Make::Folder
                | Make::CommonFolder,
            )
            | None => {}
        }
        if let Step::Move { to, .. } = step {
            let to = plan.place(to);
            touched.name(to.clone(), false);
            touched.moves.push((at.clone(), to));
        }
        touched.name(at, folder);
    }
    touched
}

/// What was brought up to date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// Links recorded, or recorded anew.
    pub recorded: u64,
    /// Links forgotten.
    pub forgotten: u64,
}

/// From so many links on, only what the system tells without opening anything is recorded of what they
/// lead to.
const MANY: usize = 1000;

/// Brings the catalogue up to date with what stands at the places that an operation touched.
///
/// `now` is in seconds since 1970.
///
/// # Errors
/// The database's. What was recorded by then stays, and is true.
pub fn bring_up(
    catalogue: &mut Catalogue,
    system: System,
    volumes: &Arc<Volumes>,
    touched: &Touched,
    now: i64,
) -> Result<Brought, Trouble> {
    let depth = if touched.names.len() > MANY { Depth::Facts } else { Depth::Ends };
    let mut brought = Brought::default();
    let mut forgotten: Vec<i64> = Vec::new();
    let (again, renamed) = moved(catalogue, system, volumes, touched, &mut forgotten)?;
    catalogue.renamed(&renamed)?;
    let empty = catalogue.count()? == 0;
    let mut asked: Vec<Asked> = Vec::new();
    let mut known: HashSet<AbsPath> = HashSet::new();
    for place in touched.names.keys() {
        let Some((folder, name)) = place.split() else { continue };
        known.insert(place.clone());
        asked.push(Asked { folder, name, by: By::Made });
    }
    asked.extend(
        again.into_iter().filter(|asked| known.insert(asked.folder.joined(asked.name.as_bytes()))),
    );
    // One folder after the other.
    asked.sort_by(|one, other| one.folder.cmp(&other.folder));
    let answers = look_at(system, volumes, depth, &asked);
    let mut seen: Vec<Seen> = Vec::new();
    let mut changed: Vec<AbsPath> = Vec::new();
    for (asked, answer) in asked.iter().zip(answers) {
        match answer {
            Standing::Link(found) => {
                seen.extend(found);
                let place = asked.folder.joined(asked.name.as_bytes());
                changed.extend(touched.names.contains_key(&place).then_some(place));
            }
            Standing::None if !empty && !touched.keeps => {
                let gone = catalogue.at(&asked.folder, &asked.name)?;
                forgotten.extend(gone.map(|entry| entry.id));
            }
            Standing::None | Standing::Unseen => {}
        }
    }
    if !empty {
        for (place, _) in touched.names.iter().filter(|(_, folder)| **folder) {
            gone_below(catalogue, system, volumes, place, &mut forgotten)?;
        }
    }
    if !seen.is_empty() {
        let answered: HashSet<AbsPath> = seen.iter().map(|seen| seen.link.place()).collect();
        if !empty {
            let behind = catalogue.behind(&changed)?;
            seen.extend(behind_them(system, volumes, depth, behind, &known));
        }
        brought.recorded = catalogue.record(&seen, now)?;
        withdraw(catalogue, &answered)?;
    }
    if !forgotten.is_empty() {
        catalogue.forget(&forgotten)?;
        brought.forgotten = u64::try_from(forgotten.len()).unwrap_or(u64::MAX);
    }
    if !renamed.is_empty() || !touched.moves.is_empty() {
        catalogue.tidy()?;
    }
    Ok(brought)
}

/// What is to be recorded of links that lead to one that has changed, or pass it: it is another object now, and
/// may lead elsewhere. Where that breaks them, what they led to before stays on record: `repair` knows it
/// by that.
fn behind_them(
    system: System,
    volumes: &Arc<Volumes>,
    depth: Depth,
    behind: Vec<Entry>,
    known: &HashSet<AbsPath>,
) -> Vec<Seen> {
    let links = behind.into_iter().map(|entry| entry.link);
    let asked: Vec<Asked> = links
        .filter(|link| !known.contains(&link.place()))
        .map(|link| Asked { folder: link.folder, name: link.name, by: link.by })
        .collect();
    let answers = look_at(system, volumes, depth, &asked);
    let found = answers.into_iter().flat_map(|answer| match answer {
        Standing::Link(found) => found,
        Standing::None | Standing::Unseen => Vec::new(),
    });
    found.filter(|seen| seen.target.is_some()).collect()
}

/// Takes back what a person was asked about links that an operation led elsewhere, or made anew: that was
/// the answer. What is to be asked about them now, the watcher sees by looking.
fn withdraw(catalogue: &mut Catalogue, places: &HashSet<AbsPath>) -> Result<(), Trouble> {
    let questions = catalogue.questions()?;
    if questions.is_empty() {
        return Ok(());
    }
    let mut answered = Vec::new();
    for question in questions {
        let link = catalogue.numbered(question.link)?;
        if link.is_some_and(|entry| places.contains(&entry.link.place())) {
            answered.push(question.link);
        }
    }
    catalogue.answered(&answered)
}

/// The links on record that what has moved concerns: those to be looked at again, and those that stand
/// somewhere else now.
fn moved(
    catalogue: &Catalogue,
    system: System,
    volumes: &Arc<Volumes>,
    touched: &Touched,
    forgotten: &mut Vec<i64>,
) -> Result<(Vec<Asked>, Vec<Renamed>), Trouble> {
    let (mut again, mut renamed) = (Vec::new(), Vec::new());
    let mut gaze = Gaze::new(system, volumes, Depth::Facts);
    for (from, to) in &touched.moves {
        for entry in at_or_below(catalogue, from)? {
            let link = &entry.link;
            let was = Asked { folder: link.folder.clone(), name: link.name.clone(), by: link.by };
            let new = link.place().below(from).map_or_else(
                || to.clone(),
                |rest| {
                    let mut place = to.clone();
                    place.extend_as_text(rest);
                    place
                },
            );
            let still = match gaze.at(&was) {
                // The link that is left where a link stood is another one.
                Standing::Link(seen) => {
                    seen.first().is_some_and(|seen| seen.link.target == link.target)
                }
                Standing::None => false,
                Standing::Unseen => true,
            };
            let Some((folder, name)) = new.split() else { continue };
            let there = Asked { folder, name, by: link.by };
            if still {
                again.push(was);
            } else if matches!(gaze.at(&there), Standing::Link(_)) {
                let (folder, name) = (there.folder.clone(), there.name.clone());
                renamed.push(Renamed { id: entry.id, folder, name });
                again.push(there);
            } else if !touched.keeps {
                forgotten.push(entry.id);
            }
        }
        for entry in catalogue.depending(&[from.clone(), to.clone()])? {
            let link = entry.link;
            again.push(Asked { folder: link.folder, name: link.name, by: link.by });
        }
    }
    Ok((again, renamed))
}

fn at_or_below(catalogue: &Catalogue, place: &AbsPath) -> Result<Vec<Entry>, Trouble> {
    let mut all = Vec::new();
    if let Some((folder, name)) = place.split() {
        all.extend(catalogue.at(&folder, &name)?);
    }
    catalogue.below(place, |entry| {
        all.push(entry);
        ControlFlow::Continue(())
    })?;
    Ok(all)
}

/// The links on record below a folder where there are none any more.
fn gone_below(
    catalogue: &Catalogue,
    system: System,
    volumes: &Arc<Volumes>,
    place: &AbsPath,
    gone: &mut Vec<i64>,
) -> Result<(), Trouble> {
    let mut gaze = Gaze::new(system, volumes, Depth::Facts);
    catalogue.below(place, |entry| {
        let link = entry.link;
        let asked = Asked { folder: link.folder, name: link.name, by: link.by };
        if matches!(gaze.at(&asked), Standing::None) {
            gone.push(entry.id);
        }
        ControlFlow::Continue(())
    })
}
