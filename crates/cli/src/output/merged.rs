//! A merge in words: what goes over, what is kept twice, what is left.

use super::preview::counted;
use super::text;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Fate, Item, Make, Object, Plan, Slot, Step};
use linkwell_model::shown::shown;
use std::io::Write as _;

/// The parts of an item that makes two folders one.
pub(super) struct Merged<'p> {
    item: &'p Item,
    /// What goes over, one step or two each.
    steps: &'p [Step],
    at: &'p Slot,
    make: &'p Make,
    kept: &'p Slot,
}

/// The merge that an item is, if it is one: its last step puts a link in the place of a folder, which is
/// kept, and the others change what is in that folder, or copy it.
pub(super) fn merged<'p>(plan: &Plan, item: &'p Item) -> Option<Merged<'p>> {
    let (last, steps) = item.steps.split_last()?;
    let Step::Replace { at, old: Object::Folder { .. }, make, fate: Fate::Kept(kept) } = last
    else {
        return None;
    };
    let top = plan.place(at);
    let into = |step: &Step| {
        let from = match step {
            Step::Put { make: Make::Copy { of, .. }, .. } => of,
            Step::Put { make: Make::Link { .. }, .. } => return true,
            step => step.at(),
        };
        let place = plan.place(from);
        place != top && place.is_at_or_below(&top)
    };
    let link = matches!(make, Make::Link { .. });
    (link && steps.iter().all(into)).then_some(Merged { item, steps, at, make, kept })
}

impl Merged<'_> {
    /// Writes it, with at most so many of the things that go over.
    pub(super) fn show(&self, out: &mut Vec<u8>, plan: &Plan, most: usize) {
        let top = plan.place(self.at);
        word(out, "merge");
        text::path(out, &self.item.path);
        if let Make::Link { target, .. } = self.make {
            drop(writeln!(out, "  into `{}`", shown(target.as_bytes())));
        }
        let mut more = 0_usize;
        for (number, step) in self.steps.iter().enumerate() {
            if number < most {
                line(out, plan, &top, step);
            } else {
                more += 1;
            }
        }
        if more > 0 {
            drop(writeln!(out, "  … and {} more (`--verbose` shows all)", counted(more)));
        }
        if let Make::Link { target, .. } = self.make {
            word(out, "link");
            text::path(out, top.as_bytes());
            out.extend_from_slice(" → ".as_bytes());
            text::path(out, target.as_bytes());
            out.push(b'\n');
        }
        word(out, "keep");
        out.extend_from_slice(b"what is left of it as ");
        text::path(out, plan.place(self.kept).as_bytes());
        out.push(b'\n');
    }
}

fn word(out: &mut Vec<u8>, word: &str) {
    drop(write!(out, "  {word:<11}"));
}

/// One thing that goes over.
fn line(out: &mut Vec<u8>, plan: &Plan, top: &AbsPath, step: &Step) {
    let below = |slot: &Slot| {
        let place = plan.place(slot);
        let below = place.below(top).unwrap_or(place.as_bytes());
        below.strip_prefix(b"/").unwrap_or(below).to_vec()
    };
    let (from, to) = match step {
        Step::Move { at, to, .. } => (at, to),
        Step::Put { at, make: Make::Copy { of, .. } } => (of, at),
        Step::Put { at, make } => {
            word(out, "add");
            text::path(out, plan.place(at).as_bytes());
            if let Make::Link { target, .. } = make {
                out.extend_from_slice(" → ".as_bytes());
                text::path(out, target.as_bytes());
            }
            out.push(b'\n');
            return;
        }
        Step::Replace { at, old: Object::Link { .. }, make: Make::Link { target, .. }, .. } => {
            word(out, "rewrite");
            text::path(out, &below(at));
            out.extend_from_slice(" → ".as_bytes());
            text::path(out, target.as_bytes());
            out.push(b'\n');
            return;
        }
        Step::Replace { at, .. } | Step::Remove { at, .. } => {
            word(out, "give up");
            text::path(out, &below(at));
            out.extend_from_slice(b"  (the same is there by then)\n");
            return;
        }
    };
    if from.name == to.name {
        word(out, "add");
        text::path(out, &below(from));
        out.push(b'\n');
    } else {
        word(out, "keep both");
        text::path(out, &below(from));
        drop(writeln!(out, "  (this one as `{}`)", shown(to.name.as_bytes())));
    }
}
