//! A plan in words, before it is carried out; and what came of it.

use super::merged;
use super::paint::Paint;
use super::text;
use linkwell_engine::execute::Fail;
use linkwell_model::entry::{EntryKind, Identity};
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Conflict, Fate, Item, Make, Object, Plan, Rewritten, Slot, Step};
use linkwell_model::shown::shown;
use std::io::Write as _;

/// So many items are shown without `--verbose`.
const MOST: usize = 20;

/// Writes what would be done.
pub(crate) fn plan(out: &mut Vec<u8>, plan: &Plan, verbose: bool, _paint: Paint) {
    let most = if verbose { usize::MAX } else { MOST };
    // What is true of every item is said once.
    let shared = shared_remark(plan);
    for item in plan.items.iter().take(most) {
        if let Some(slot) = trashed(item) {
            out.extend_from_slice(b"  trash      ");
            text::path(out, &item.path);
            drop(writeln!(out, "  (it will be `{}`)", plan.place(slot).shown()));
        } else if let Some(moved) = copied_away(item) {
            moved.show(out, plan);
            let links = moved.links.iter().filter(|_| verbose);
            for link in links {
                out.extend_from_slice(b"  rewrite    ");
                text::path(out, &link.below.0);
                drop(writeln!(
                    out,
                    " → `{}`  (`{}` until now)",
                    shown(link.now.as_bytes()),
                    shown(link.was.as_bytes())
                ));
            }
            for step in item.steps.iter().filter(|step| verbose && is_link_changed(step)) {
                self::step(out, plan, item, step);
            }
        } else if let Some(merged) = merged::merged(plan, item) {
            merged.show(out, plan, most);
        } else {
            let moves = item.steps.iter().any(|step| matches!(step, Step::Move { .. }));
            let aside = |step: &Step| moves && !verbose && !matches!(step, Step::Move { .. });
            for step in item.steps.iter().filter(|step| !aside(step)).take(most) {
                self::step(out, plan, item, step);
            }
            let more = item.steps.len().saturating_sub(most);
            if more > 0 {
                drop(writeln!(out, "  … and {} more (`--verbose` shows all)", counted(more)));
            }
        }
        for remark in item.remarks.iter().filter(|remark| Some(*remark) != shared.as_ref()) {
            drop(writeln!(out, "             {remark}"));
        }
    }
    let more = plan.items.len().saturating_sub(most);
    if more > 0 {
        drop(writeln!(out, "  … and {} more (`--verbose` shows all)", counted(more)));
    }
    if let Some(shared) = &shared {
        drop(writeln!(out, "  ({shared})"));
    }
    if plan.already > 0 && !plan.items.is_empty() {
        let already = usize::try_from(plan.already).unwrap_or(usize::MAX);
        let already = things(already, "more is", "more are");
        drop(writeln!(out, "  ({already} already as asked for)"));
    }
    for remark in &plan.remarks {
        drop(writeln!(out, "  {remark}"));
    }
}

/// Where an item goes that is moved into the trash: its record there is not worth a line of its own.
fn trashed(item: &Item) -> Option<&Slot> {
    match item.steps.as_slice() {
        [
            Step::Put { at, make: Make::File { .. } },
            Step::Remove { fate: Fate::Kept(slot), .. },
        ] if at.name.as_bytes().ends_with(b".trashinfo") => Some(slot),
        _ => None,
    }
}

/// A move that is a copy and the giving up of the old: its steps make one sentence.
struct CopiedAway<'p> {
    from: &'p Slot,
    to: &'p Slot,
    leave: Option<&'p Make>,
    /// The link in whose place it comes home.
    over: bool,
    kept: Option<&'p Slot>,
    /// The links inside that get another text.
    links: &'p [Rewritten],
}

/// Whether a step gives a link another text.
fn is_link_changed(step: &Step) -> bool {
    matches!(step, Step::Replace { old: Object::Link { .. }, make: Make::Link { .. }, .. })
}

fn copied_away(item: &Item) -> Option<CopiedAway<'_>> {
    // Between the two, links elsewhere may be changed.
    let [first, links @ .., second] = item.steps.as_slice() else { return None };
    let (Make::Copy { of, manner, .. }, from) = (first.make()?, second.at()) else { return None };
    if !links.iter().all(is_link_changed) {
        return None;
    }
    let fate = second.fate()?;
    let kept = match fate {
        Fate::Kept(slot) => Some(slot),
        _ => None,
    };
    let gives_up = fate.original() == Some(first.at()) || kept.is_some();
    (of == from && gives_up).then(|| CopiedAway {
        from,
        to: first.at(),
        leave: second.make(),
        over: matches!(first, Step::Replace { .. }),
        kept,
        links: manner.as_ref().map_or(&[], |manner| &manner.links),
    })
}

impl CopiedAway<'_> {
    fn show(&self, out: &mut Vec<u8>, plan: &Plan) {
        out.extend_from_slice(b"  move       ");
        text::path(out, plan.place(self.from).as_bytes());
        let over = if self.over { ", in place of the link there" } else { "" };
        let how = if self.kept.is_some() {
            "another volume: it is copied and compared"
        } else {
            "another volume: it is copied, compared, and then freed here"
        };
        drop(writeln!(out, "  to `{}`{over} ({how})", plan.place(self.to).shown()));
        if let Some(Make::Link { target, .. }) = self.leave {
            out.extend_from_slice(b"  link       ");
            text::path(out, plan.place(self.from).as_bytes());
            out.extend_from_slice(" → ".as_bytes());
            text::path(out, target.as_bytes());
            out.push(b'\n');
        }
        if let Some(kept) = self.kept {
            out.extend_from_slice(b"  keep       the old one as ");
            text::path(out, plan.place(kept).as_bytes());
            out.push(b'\n');
        }
    }
}

fn shared_remark(plan: &Plan) -> Option<String> {
    let first = plan.items.first()?.remarks.first()?;
    let all = plan.items.iter().all(|item| item.remarks.first() == Some(first));
    all.then(|| first.clone())
}

/// One step, on one line.
fn step(out: &mut Vec<u8>, plan: &Plan, item: &Item, step: &Step) {
    let verb = match step {
        Step::Put { make: Make::Moved { .. }, .. } => "bring back",
        Step::Put { make: Make::Folder | Make::CommonFolder, .. } => "make",
        Step::Put { .. } => "make",
        Step::Replace { .. } => "change",
        Step::Remove { fate: Fate::Kept(_), .. } => "move",
        Step::Remove { .. } => "remove",
        Step::Move { .. } => "move",
    };
    out.extend_from_slice(b"  ");
    out.extend_from_slice(verb.as_bytes());
    out.extend(std::iter::repeat_n(b' ', 11_usize.saturating_sub(verb.len()).max(1)));
    // The path that was typed for the item's main step; else where it is.
    let alone = item.steps.len() == 1 && !matches!(step, Step::Move { over: Some(_), .. });
    if alone {
        text::path(out, &item.path);
    } else {
        text::path(out, plan.place(step.at()).as_bytes());
    }
    if let Step::Move { to, leave, over, .. } = step {
        drop(write!(out, "  to `{}`", plan.place(to).shown()));
        match (leave, over) {
            (Some(leave), _) => {
                out.extend_from_slice(b"\n  link       ");
                if alone {
                    text::path(out, &item.path);
                } else {
                    text::path(out, plan.place(step.at()).as_bytes());
                }
                out.extend_from_slice(" → ".as_bytes());
                text::path(out, leave.target.as_bytes());
            }
            // One that the plan itself puts there for a moment is no link of theirs.
            (None, Some(link)) if link.id() == Identity::TO_COME => {}
            (None, Some(_)) => out.extend_from_slice(b", in place of the link there"),
            (None, None) => {}
        }
    } else if let Some(make) = step.make() {
        self::make(out, plan, make);
    } else if let Some(Object::Link { target, .. }) = step.old() {
        out.extend_from_slice(" → ".as_bytes());
        text::path(out, target.as_bytes());
    }
    if let Step::Replace { old, .. } = step {
        was(out, old);
    }
    match step.fate() {
        Some(Fate::Kept(slot)) => {
            let place = plan.place(slot);
            let word =
                if matches!(step, Step::Remove { .. }) { "to" } else { "the old one is kept as" };
            drop(write!(out, "  {word} `{}`", place.shown()));
        }
        Some(Fate::Freed) if matches!(step.make(), None | Some(Make::Link { .. })) => {
            let what = match step.old().map(Object::kind) {
                Some(EntryKind::Folder) => "  (the folder and all that is in it is freed)",
                _ => "  (it is freed)",
            };
            out.extend_from_slice(what.as_bytes());
        }
        _ => {}
    }
    out.push(b'\n');
}

fn make(out: &mut Vec<u8>, plan: &Plan, make: &Make) {
    let at = |slot: &Slot| plan.place(slot);
    match make {
        Make::Link { target, .. } => {
            out.extend_from_slice(" → ".as_bytes());
            text::path(out, target.as_bytes());
        }
        Make::Name { of, .. } => {
            drop(write!(out, " = `{}` (another name of the same file)", at(of).shown()))
        }
        Make::File { .. } => out.extend_from_slice(b"  (a small file)"),
        Make::Copy { of, folder, .. } => {
            let what = if *folder { "a copy of the folder" } else { "a copy of" };
            drop(write!(out, "  ({what} `{}`)", at(of).shown()));
        }
        Make::Moved { from, .. } => drop(write!(out, "  (from `{}`)", at(from).shown())),
        Make::Folder | Make::CommonFolder => out.push(b'/'),
    }
}

fn was(out: &mut Vec<u8>, old: &Object) {
    match old {
        Object::Link { target, .. } => {
            drop(write!(out, "  (led to `{}`)", shown(target.as_bytes())))
        }
        other => drop(write!(out, "  (a {} until now)", other.kind().word())),
    }
}

/// One conflict, with what to type.
pub(crate) fn conflict(conflict: &Conflict) -> Vec<String> {
    let mut lines = vec![format!("error: `{}`: {}", shown(&conflict.path), conflict.why)];
    lines.extend(conflict.why.hint().map(|hint| format!("hint: {hint}")));
    lines
}

/// Not everything was freed of what was copied or folded: why, and where it is.
pub(crate) fn left_over(place: &AbsPath) -> String {
    format!(
        "error: not all of the old place was given up: something in it was new, was changed or written to in \
         the last moment, or is not at the new place any more; it is kept at `{}`",
        place.shown()
    )
}

/// Why a step was not done, in words.
pub(crate) fn fail(failed: &Fail) -> String {
    match failed {
        Fail::Folder { place, error: Some(error) } => {
            format!(
                "the folder `{}` cannot be opened: {}",
                place.shown(),
                crate::error::reason(*error)
            )
        }
        Fail::Folder { place, error: None } => {
            format!("`{}` is no longer the folder that it was", place.shown())
        }
        Fail::Taken(place) => format!("something has the name `{}` now", place.shown()),
        Fail::Changed(place) => {
            format!("`{}` was changed by somebody else meanwhile", place.shown())
        }
        Fail::LastName(place) => {
            format!("`{}` is the only name left of its file, which would be lost", place.shown())
        }
        Fail::NotAsMade(place) => format!(
            "`{}` is not what was written there, when it is read again: the drive may be failing, or somebody \
             else has changed it",
            place.shown()
        ),
        Fail::OtherVolume(place) => {
            format!("the file system does not let it be renamed to `{}`", place.shown())
        }
        Fail::InUse { place, by: Some((process, name)) } => format!(
            "`{}` is open for writing by `{}` (process {process}): what it writes next would be lost",
            place.shown(),
            shown(name)
        ),
        Fail::InUse { place, by: None } => format!(
            "somebody has `{}` open for writing: what they write next would be lost",
            place.shown()
        ),
        Fail::Lossy { place, lost } => {
            let lines = lost.iter().map(|lost| {
                let path = lost.paths.first().map(Vec::as_slice).unwrap_or_default();
                let mut first = place.clone();
                first.extend_as_text(path);
                let others = match lost.count {
                    0 | 1 => String::new(),
                    count => format!(" and {} more", counted_u64(count - 1)),
                };
                format!(
                    "`{}`{others} cannot keep {} there (`--accept-loss {}` goes on without)",
                    first.shown(),
                    lost.kind.sentence(),
                    lost.kind.word()
                )
            });
            lines.collect::<Vec<_>>().join("; ")
        }
        Fail::Mounted(place) => {
            format!(
                "there is another volume, or something of an unknown kind, in `{}`",
                place.shown()
            )
        }
        Fail::System { doing, place, error } if place.as_bytes() == b"/" => {
            format!("could not {doing}: {}", crate::error::reason(*error))
        }
        Fail::System { doing, place, error } => {
            format!("`{}`: could not {doing}: {}", place.shown(), crate::error::reason(*error))
        }
        Fail::Left(why) => format!("not all of it could be freed: {}", fail(why)),
        Fail::Needs => "another change that it relies on was not done, so it was not begun".into(),
        Fail::Record => "linkwell's record of it makes no sense, so nothing is done by it".into(),
        Fail::Interrupted => "you asked to stop".into(),
    }
}

/// The same for counts of entries.
fn counted_u64(number: u64) -> String {
    counted(usize::try_from(number).unwrap_or(usize::MAX))
}

/// A number with its thousands apart.
pub(crate) fn counted(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 link`, `2 links`.
pub(crate) fn things(count: usize, one: &str, several: &str) -> String {
    format!("{} {}", counted(count), if count == 1 { one } else { several })
}
