//! In what two files differ, for a person who is to decide which one they want.

use crate::operator::Spot;
use crate::survey::amount::size;
use crate::system::{Access, Facts, System};
use linkwell_model::moment::moment;
use linkwell_model::shown::shown;
use rustix::fd::AsFd as _;
use similar::TextDiff;

/// Longer files are told of by size and time alone: nobody reads on that long.
const MOST: u64 = 64 << 10;

/// So many lines are told.
const LINES: usize = 40;

/// So many lines that are the same stand around those that differ.
const AROUND: usize = 2;

/// The lines of a unified diff, from what is there to what is here; of what is no text, sizes and times.
pub(super) fn told(
    system: System,
    (here, facts): (&Spot, &Facts),
    (there, other): (&Spot, &Facts),
) -> Vec<String> {
    let texts = text(system, here, facts).zip(text(system, there, other));
    let Some((ours, theirs)) = texts else { return vec![outside(facts, other)] };
    if ours == theirs {
        return vec![
            "their contents are the same; whose they are, or who may use them, is not".into(),
        ];
    }
    let diff = TextDiff::from_lines(&theirs, &ours);
    let name = |spot: &Spot| spot.place().shown().to_string();
    let unified =
        diff.unified_diff().context_radius(AROUND).header(&name(there), &name(here)).to_string();
    // Every line of a file has a sign before it, so this is none.
    let line = |line: &str| {
        if line.starts_with('\\') { line.into() } else { shown(line.as_bytes()).to_string() }
    };
    let mut lines: Vec<String> = unified.lines().map(line).collect();
    let more = lines.len().saturating_sub(LINES);
    if more > 1 {
        lines.truncate(LINES);
        lines.push(format!("… and {more} lines more"));
    }
    lines
}

/// What it holds, if that is text and short.
fn text(system: System, spot: &Spot, facts: &Facts) -> Option<String> {
    if facts.size > MOST {
        return None;
    }
    let file = system.open(spot.at(), spot.name.as_bytes(), Access::Read).ok()?;
    // It may have become something else by now.
    let now = system.facts_of(file.as_fd()).ok()?;
    if (now.id, now.size) != (facts.id, facts.size) {
        return None;
    }
    let bytes = system.read_all(file.as_fd()).ok()?;
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

fn outside(here: &Facts, there: &Facts) -> String {
    let of = |facts: &Facts| format!("{}, changed {}", size(facts.size), moment(facts.modified));
    format!("this one: {}; the one there: {}", of(here), of(there))
}
