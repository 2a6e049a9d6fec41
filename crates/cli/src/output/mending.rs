//! What `repair` found, for people and for programs.

use super::json::Object;
use super::paint::Paint;
use super::preview::{counted, things};
use super::text;
use linkwell_engine::survey::repair::{Broken, Found, Replaced, Survey};
use linkwell_model::keep::choice::{Candidate, Choice};
use linkwell_model::shown::shown;
use std::io::Write as _;

/// So many of each group are shown without `--verbose`.
const MOST: usize = 20;

/// Whether a choice belongs to a group.
type Fits = fn(&Choice) -> bool;

/// Everything, for people.
pub(crate) fn survey(out: &mut Vec<u8>, survey: &Survey, verbose: bool, paint: Paint) {
    let most = if verbose { usize::MAX } else { MOST };
    for answer in survey.answers() {
        let links = things(answer.links, "broken link leads into", "broken links lead into");
        drop(writeln!(
            out,
            "{links} `{}`, which looks like `{}` now",
            answer.old.shown(),
            answer.new.shown()
        ));
    }
    let groups: [(&str, Fits); 4] = [
        ("certain", |choice| matches!(choice, Choice::Certain(_))),
        ("likely (mended with `--likely`, or `-i`)", |choice| matches!(choice, Choice::Likely(_))),
        ("for you to decide (`-i` asks)", |choice| matches!(choice, Choice::Ambiguous(_))),
        ("not found", |choice| *choice == Choice::None),
    ];
    for (title, fits) in groups {
        let group: Vec<&Found> = survey.found.iter().filter(|found| fits(&found.choice)).collect();
        if group.is_empty() {
            continue;
        }
        let links = group.iter().map(|found| found.lost.links.len()).sum();
        paint.strong().write(out, &format!("{}: {title}", things(links, "link", "links")));
        out.push(b'\n');
        let mut left = most;
        for found in group {
            for broken in found.lost.links.iter().take(left) {
                self::broken(out, found, broken, survey.is_gone(found), verbose);
            }
            left = left.saturating_sub(found.lost.links.len());
        }
        let more = links.saturating_sub(most);
        if more > 0 {
            drop(writeln!(out, "  … and {} more (`--verbose` shows all)", counted(more)));
        }
    }
    replaced(out, &survey.replaced, most, paint);
}

fn broken(out: &mut Vec<u8>, found: &Found, broken: &Broken, gone: bool, verbose: bool) {
    let mark = if matches!(found.choice, Choice::Certain(_)) { "[x]" } else { "[ ]" };
    drop(write!(out, "  {mark} "));
    text::path(out, broken.link.place().as_bytes());
    drop(writeln!(out, " → {}", shown(broken.link.target.as_bytes())));
    match &found.choice {
        Choice::Certain(_) | Choice::Likely(_) => {
            if let Some(chosen) = found.chosen() {
                drop(writeln!(out, "      now `{}`: {}", chosen.place.shown(), words(chosen)));
            }
        }
        Choice::Ambiguous(numbers) => candidates(out, found, numbers),
        Choice::None => {
            let words = match found.candidates.len() {
                0 if gone => "is gone".into(),
                0 => "was not found".into(),
                many => format!("is not there; {} may be it", things(many, "thing", "things")),
            };
            drop(writeln!(out, "      `{}` {words}", found.lost.to.shown()));
        }
    }
    let most = if verbose { usize::MAX } else { 3 };
    let mends: Vec<String> =
        broken.mends.iter().take(most).map(|link| format!("`{}`", link.shown())).collect();
    if !mends.is_empty() {
        let more = broken.mends.len().saturating_sub(mends.len());
        let more = if more > 0 { format!(" and {} more", counted(more)) } else { String::new() };
        drop(writeln!(out, "      through it lead {}{more}", mends.join(", ")));
    }
}

/// The candidates, numbered from 1.
pub(crate) fn candidates(out: &mut Vec<u8>, found: &Found, numbers: &[usize]) {
    let all = numbers.iter().filter_map(|number| found.candidates.get(*number));
    for (number, candidate) in all.enumerate() {
        drop(writeln!(
            out,
            "      {}. `{}`: {}",
            number + 1,
            candidate.place.shown(),
            words(candidate)
        ));
    }
}

/// What speaks for a candidate, and against it.
pub(crate) fn words(candidate: &Candidate) -> String {
    let evidence: Vec<String> =
        candidate.evidence.iter().map(|evidence| evidence.words()).collect();
    let mut words = evidence.join("; ");
    if words.is_empty() {
        words.push_str("it is where it would be");
    }
    let doubts: Vec<String> = candidate.doubts.iter().map(|doubt| doubt.words()).collect();
    if !doubts.is_empty() {
        words.push_str("; but ");
        words.push_str(&doubts.join("; "));
    }
    words
}

fn replaced(out: &mut Vec<u8>, all: &[Replaced], most: usize, paint: Paint) {
    if all.is_empty() {
        return;
    }
    let title = things(all.len(), "link was", "links were");
    paint.strong().write(
        out,
        &format!("{title} saved over (`--replaced target`, `both` or `forget`; `-i` asks)"),
    );
    out.push(b'\n');
    for replaced in all.iter().take(most) {
        let link = &replaced.entry.link;
        out.extend_from_slice(b"  ");
        text::path(out, link.place().as_bytes());
        drop(writeln!(out, " is a {} now, and led to `{}`", replaced.kind.word(), link.to.shown()));
    }
    let more = all.len().saturating_sub(most);
    if more > 0 {
        drop(writeln!(out, "  … and {} more (`--verbose` shows all)", counted(more)));
    }
}

/// Everything, for programs.
pub(crate) fn json(out: &mut Vec<u8>, survey: &Survey) {
    for found in &survey.found {
        let mut object = Object::line(out, "lost");
        object.number("version", 1);
        object.bytes("to", found.lost.to.as_bytes());
        let (word, numbers) = match &found.choice {
            Choice::Certain(_) => ("certain", None),
            Choice::Likely(_) => ("likely", None),
            Choice::Ambiguous(numbers) => ("ambiguous", Some(numbers)),
            Choice::None => ("none", None),
        };
        object.text("choice", word);
        object.place_or_null("now", found.chosen().map(|chosen| &chosen.place));
        object.objects("links", &found.lost.links, |object, broken| {
            object.bytes("path", broken.link.place().as_bytes());
            object.bytes("target", broken.link.target.as_bytes());
            object.raw("tracked", if broken.number.is_some() { "true" } else { "false" });
            object.objects("mends", &broken.mends, |object, link| {
                object.bytes("path", link.as_bytes());
            });
        });
        let shown: Vec<&Candidate> = match numbers {
            Some(numbers) => {
                numbers.iter().filter_map(|number| found.candidates.get(*number)).collect()
            }
            None => found.chosen().into_iter().collect(),
        };
        object.objects("candidates", shown, |object, candidate| {
            object.bytes("place", candidate.place.as_bytes());
            object.text("likened", candidate.likened.word());
            object.words("evidence", candidate.evidence.iter().map(|it| it.word()));
            object.words("doubts", candidate.doubts.iter().map(|it| it.word()));
        });
        object.end();
    }
    for replaced in &survey.replaced {
        let link = &replaced.entry.link;
        let mut object = Object::line(out, "replaced");
        object.number("version", 1);
        object.bytes("path", link.place().as_bytes());
        object.bytes("target", link.target.as_bytes());
        object.bytes("to", link.to.as_bytes());
        object.text("kind", replaced.kind.word());
        object.end();
    }
    for asleep in &survey.asleep {
        let mut object = Object::line(out, "asleep");
        object.number("version", 1);
        object.bytes("path", asleep.link.as_bytes());
        object.place_or_null("volume", asleep.volume.as_ref());
        object.end();
    }
    for path in &survey.unjudged {
        let mut object = Object::line(out, "unjudged");
        object.number("version", 1);
        object.bytes("path", path.as_bytes());
        object.end();
    }
}
