//! One screen about the links on record.

use super::groups;
use super::json::Object;
use super::paint::Paint;
use super::progress::grouped;
use crate::commands::status::Found;
use linkwell_engine::catalogue::questions::Event;
use linkwell_model::health::Health;
use linkwell_model::path::AbsPath;
use linkwell_model::shown::{quoted, shown};
use std::io::Write as _;

/// Writes a line into memory, which cannot fail.
macro_rules! put {
    ($out:expr, $($what:tt)*) => { drop(writeln!($out, $($what)*)) };
}

fn at(place: &AbsPath) -> String {
    format!("`{}`", place.shown())
}

fn links(count: u64) -> String {
    if count == 1 { "1 link".into() } else { format!("{} links", grouped(count)) }
}

/// For a person. `ago` tells so many seconds.
pub(crate) fn people(
    out: &mut Vec<u8>,
    found: &Found,
    now: i64,
    ago: impl Fn(i64) -> String,
    paint: Paint,
) {
    let counts: Vec<String> = found
        .by_health
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(health, count)| format!("{} {}", grouped(*count), groups::words(*health)))
        .collect();
    let counts = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
    put!(out, "{}{} on record{:#}{counts}", paint.strong(), links(found.links), paint.strong());
    for (health, named) in &found.named {
        let count = found.by_health.iter().find(|(its, _)| its == health).map_or(0, |(_, it)| *it);
        for (path, target) in named {
            paint.health(*health).write(out, &format!("  {:<11}", groups::words(*health)));
            put!(out, "{} → {}", shown(path), shown(target));
        }
        let more = count.saturating_sub(u64::try_from(named.len()).unwrap_or(0));
        if more > 0 {
            let word = health.word();
            put!(out, "  and {} more (`linkwell list --tracked --health {word}`)", grouped(more));
        }
    }
    for (point, count) in &found.asleep {
        let verb = if *count == 1 { "waits" } else { "wait" };
        put!(
            out,
            "  {:<11}{} {verb} for {}, which is not attached",
            "asleep",
            links(*count),
            at(point)
        );
    }
    for path in &found.gone {
        put!(
            out,
            "  {:<11}{} (`linkwell untrack {}` forgets it)",
            "gone",
            shown(path),
            quoted(path)
        );
    }
    let more = found.gone_count.saturating_sub(u64::try_from(found.gone.len()).unwrap_or(0));
    if more > 0 {
        put!(out, "  and {} more that are gone", grouped(more));
    }
    if found.named.keys().any(|health| *health != Health::Retargeted) {
        put!(out, "  what to do: `linkwell repair` looks for what they led to");
    }
    if !found.questions.is_empty() {
        put!(out, "\nwaiting for your answer:");
    }
    for (place, question) in &found.questions {
        put!(out, "  {}: {}", at(place), question.why);
        for proposal in &question.proposals {
            put!(out, "    {} ({})", at(&proposal.place), proposal.words);
        }
        let link = quoted(place.as_bytes());
        match question.proposals.first() {
            Some(first) => put!(
                out,
                "    what to type: `linkwell retarget {link} --to {}`, or `linkwell repair {link}`",
                quoted(first.place.as_bytes())
            ),
            None => put!(out, "    what to type: `linkwell repair {link}`"),
        }
    }
    if !found.events.is_empty() {
        put!(out, "\nof late:");
    }
    for event in &found.events {
        put!(out, "  {}", of_late(event, ago(now.saturating_sub(event.time))));
    }
    if found.links == 0 && found.watcher.is_none() && found.roots.is_empty() {
        return;
    }
    put!(out, "");
    match found.watcher {
        Some(Some(process)) => put!(out, "a watcher runs (process {process})"),
        Some(None) => put!(out, "a watcher runs"),
        None => put!(out, "no watcher runs (`linkwell watch` keeps links true while it does)"),
    }
    for root in &found.roots {
        put!(
            out,
            "all links below {} were recorded {} ({})",
            at(&root.place),
            ago(now.saturating_sub(root.at)),
            links(root.links)
        );
    }
    if let Some(latest) = found.latest {
        put!(out, "the latest record was made {}", ago(now.saturating_sub(latest)));
    }
}

fn of_late(event: &Event, ago: String) -> String {
    let mut line = format!("{:<11}{}", event.what, event.place.shown());
    match (&event.old, &event.new) {
        (Some(old), Some(new)) => line += &format!(": {} → {}", shown(old), shown(new)),
        (None, Some(new)) => line += &format!(" → {}", shown(new)),
        (Some(old), None) => line += &format!(" (led to {})", shown(old)),
        (None, None) => {}
    }
    line += &format!(", {ago}");
    if let Some(operation) = event.operation {
        line += &format!(" (`linkwell undo {operation}` takes it back)");
    }
    line
}

/// For programs: one object.
pub(crate) fn json(out: &mut Vec<u8>, found: &Found) {
    let mut object = Object::line(out, "status");
    object.number("version", 1);
    object.number("links", found.links);
    let counts: Vec<String> = Health::ALL
        .iter()
        .map(|health| {
            let count = found.by_health.iter().find(|(its, _)| its == health);
            format!("\"{}\":{}", health.word(), count.map_or(0, |(_, count)| *count))
        })
        .collect();
    object.raw("by_health", &format!("{{{}}}", counts.join(",")));
    object.number("gone", found.gone_count);
    object.objects("asleep", &found.asleep, |object, (point, count)| {
        object.bytes("volume", point.as_bytes());
        object.number("links", *count);
    });
    object.objects("questions", &found.questions, |object, (place, question)| {
        object.bytes("path", place.as_bytes());
        object.raw("asked", &question.asked.to_string());
        object.text("why", &question.why);
        object.objects("proposals", &question.proposals, |object, proposal| {
            object.bytes("place", proposal.place.as_bytes());
            object.text("words", &proposal.words);
        });
    });
    object.objects("events", &found.events, |object, event| {
        object.raw("time", &event.time.to_string());
        object.text("what", &event.what);
        object.bytes("path", event.place.as_bytes());
        object.bytes_or_null("old", event.old.as_deref());
        object.bytes_or_null("new", event.new.as_deref());
        match event.operation {
            Some(operation) => object.number("operation", operation),
            None => object.raw("operation", "null"),
        }
    });
    object.raw("watcher", if found.watcher.is_some() { "true" } else { "false" });
    match found.watcher.flatten() {
        Some(process) => object.number("process", u64::from(process)),
        None => object.raw("process", "null"),
    }
    object.objects("roots", &found.roots, |object, root| {
        object.bytes("path", root.place.as_bytes());
        object.raw("recorded", &root.at.to_string());
        object.number("links", root.links);
    });
    match found.latest {
        Some(latest) => object.raw("latest", &latest.to_string()),
        None => object.raw("latest", "null"),
    }
    object.end();
}
