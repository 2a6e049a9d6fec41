//! JSON lines for other programs: exact, stable, documented in `docs/json.md`.

use base64::Engine as _;
use linkwell_engine::execute::{Report, State};
use linkwell_engine::journal::record::{How, Operation};
use linkwell_engine::scan::Problem;
use linkwell_engine::scan::judged::Item;
use linkwell_model::health::Health;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Fate, Make, Object as PlanObject, Plan, Step};
use linkwell_model::tally::Tally;
use std::io::Write as _;
use std::time::Duration;

/// One JSON object being written, ended by a newline.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    begun: bool,
}

impl<'a> Object<'a> {
    /// An object of this type.
    pub(crate) fn line(out: &'a mut Vec<u8>, kind: &str) -> Self {
        let mut object = Self::inner(out);
        object.text("type", kind);
        object
    }

    /// An object within another.
    pub(crate) fn inner(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, begun: false }
    }

    fn key(&mut self, name: &str) {
        if self.begun {
            self.out.push(b',');
        }
        self.begun = true;
        write_string(self.out, name);
        self.out.push(b':');
    }

    /// A text of our own.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        self.key(name);
        write_string(self.out, value);
    }

    /// Bytes of somebody else's: `name`, or `name_base64` when they are not UTF-8.
    pub(crate) fn bytes(&mut self, name: &str, value: &[u8]) {
        match std::str::from_utf8(value) {
            Ok(text) => self.text(name, text),
            Err(_) => {
                let encoded = base64::engine::general_purpose::STANDARD.encode(value);
                self.text(&format!("{name}_base64"), &encoded);
            }
        }
    }

    /// Bytes, or null.
    pub(crate) fn bytes_or_null(&mut self, name: &str, value: Option<&[u8]>) {
        match value {
            Some(value) => self.bytes(name, value),
            None => self.raw(name, "null"),
        }
    }

    /// A place, or null.
    pub(crate) fn place_or_null(&mut self, name: &str, value: Option<&AbsPath>) {
        self.bytes_or_null(name, value.map(AbsPath::as_bytes));
    }

    /// A whole number.
    pub(crate) fn number(&mut self, name: &str, value: u64) {
        self.key(name);
        // Writing into memory cannot fail.
        drop(write!(self.out, "{value}"));
    }

    /// A text that is JSON already.
    pub(crate) fn raw(&mut self, name: &str, value: &str) {
        self.key(name);
        self.out.extend_from_slice(value.as_bytes());
    }

    /// A list of words of our own.
    pub(crate) fn words(&mut self, name: &str, words: impl Iterator<Item = &'static str>) {
        self.key(name);
        self.out.push(b'[');
        for (at, word) in words.enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            write_string(self.out, word);
        }
        self.out.push(b']');
    }

    /// A list of objects.
    pub(crate) fn objects<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Object<'_>, T),
    ) {
        self.key(name);
        self.out.push(b'[');
        for (at, item) in items.into_iter().enumerate() {
            if at > 0 {
                self.out.push(b',');
            }
            let mut object = Object::inner(self.out);
            write(&mut object, item);
            object.close();
        }
        self.out.push(b']');
    }

    /// Ends an inner object.
    fn close(self) {
        self.out.push(b'}');
    }

    /// Ends the line.
    pub(crate) fn end(self) {
        self.out.extend_from_slice(b"}\n");
    }
}

fn write_string(out: &mut Vec<u8>, text: &str) {
    let from = out.len();
    // Writing into memory cannot fail, and a string always has a JSON form.
    drop(serde_json::to_writer(&mut *out, text));
    // JSON lets these stand as they are; some terminals take them for commands (0x9b is CSI).
    let steers = |two: &[u8]| matches!(two, [0xc2, 0x80..=0x9f]);
    if !out.get(from..).is_some_and(|new| new.windows(2).any(steers)) {
        return;
    }
    let plain = out.split_off(from);
    let mut rest = plain.as_slice();
    while let Some((byte, tail)) = rest.split_first() {
        match rest.first_chunk() {
            Some([0xc2, low @ 0x80..=0x9f]) => {
                out.extend_from_slice(format!("\\u{low:04x}").as_bytes());
                rest = rest.get(2..).unwrap_or_default();
            }
            _ => {
                out.push(*byte);
                rest = tail;
            }
        }
    }
}

/// One link.
pub(crate) fn link(out: &mut Vec<u8>, item: &Item<'_>, refers: Option<&'static str>) {
    let mut object = Object::line(out, "link");
    object.number("version", 1);
    object.bytes("path", item.path);
    object.bytes_or_null("target", item.target);
    object.text("kind", item.kind.word());
    object.text("health", item.health.word());
    object.words("notes", item.notes.iter().map(linkwell_model::note::Note::word));
    object.place_or_null("physical", item.physical.as_ref());
    object.number("hops", u64::try_from(item.hops).unwrap_or(u64::MAX));
    if let Some(refers) = refers {
        object.text("refers", refers);
    }
    if item.health != Health::Ok
        && let Some(place) = &item.ends_at
    {
        object.bytes("ends_at", place.as_bytes());
    }
    if let Some(absent) = item.absent {
        object.bytes("volume", absent.point.as_bytes());
    }
    if let Some(record) = item.record {
        object.text("by", record.by.word());
        object.text("policy", record.policy.word());
    }
    if let Some(group) = item.group {
        object.number("device", group.id.device);
        object.number("inode", group.id.inode);
        object.number("names", group.names);
        if let Some(outside) = group.outside {
            object.number("outside", outside);
        }
    }
    object.end();
}

/// One place that could not be looked at.
pub(crate) fn problem(out: &mut Vec<u8>, problem: &Problem) {
    let mut object = Object::line(out, "problem");
    object.bytes("path", &problem.path);
    object.text("error", &crate::error::trouble(problem.trouble));
    object.end();
}

/// The counts, last.
pub(crate) fn summary(out: &mut Vec<u8>, tally: &Tally, took: Duration) {
    summary_with(out, tally, took, |_| {});
}

/// The same of an answer that was given from the record; and how old that is, in seconds.
pub(crate) fn summary_of_record(out: &mut Vec<u8>, tally: &Tally, took: Duration, age: i64) {
    summary_with(out, tally, took, |object| object.raw("recorded_ago", &age.to_string()));
}

fn summary_with(
    out: &mut Vec<u8>,
    tally: &Tally,
    took: Duration,
    more: impl FnOnce(&mut Object<'_>),
) {
    let mut object = Object::line(out, "summary");
    object.number("entries", tally.entries);
    object.number("links", tally.links);
    let counts: Vec<String> = Health::ALL
        .iter()
        .map(|health| format!("\"{}\":{}", health.word(), tally.of(*health)))
        .collect();
    object.raw("by_health", &format!("{{{}}}", counts.join(",")));
    object.number("problems", tally.problems);
    object.raw("seconds", &format!("{:.3}", took.as_secs_f64()));
    more(&mut object);
    object.end();
}

/// A plan: one line an item, one a conflict.
pub(crate) fn plan(out: &mut Vec<u8>, plan: &Plan) {
    for item in &plan.items {
        let mut object = Object::line(out, "item");
        object.number("version", 1);
        object.bytes("path", &item.path);
        object.objects("steps", &item.steps, |object, step| self::step(object, plan, step));
        let remarks: Vec<String> = item.remarks.iter().map(|remark| string(remark)).collect();
        object.raw("remarks", &format!("[{}]", remarks.join(",")));
        object.end();
    }
    for conflict in &plan.conflicts {
        let mut object = Object::line(out, "conflict");
        object.number("version", 1);
        object.bytes("path", &conflict.path);
        object.text("why", conflict.why.word());
        object.text("error", &conflict.why.to_string());
        if let Some(hint) = conflict.why.hint() {
            object.text("hint", &hint);
        }
        object.end();
    }
}

fn string(text: &str) -> String {
    let mut out = Vec::new();
    write_string(&mut out, text);
    String::from_utf8_lossy(&out).into_owned()
}

fn step(object: &mut Object<'_>, plan: &Plan, step: &Step) {
    let action = match step {
        Step::Put { .. } => "put",
        Step::Replace { .. } => "replace",
        Step::Remove { .. } => "remove",
        Step::Move { .. } => "move",
    };
    object.text("action", action);
    object.bytes("at", plan.place(step.at()).as_bytes());
    if let Some(make) = step.make() {
        let (word, slot) = match make {
            Make::Link { .. } => ("symlink", None),
            Make::Name { of, .. } => ("hardlink", Some(of)),
            Make::File { .. } => ("file", None),
            Make::Copy { of, .. } => ("copy", Some(of)),
            Make::Moved { from, .. } => ("moved", Some(from)),
            Make::Folder | Make::CommonFolder => ("folder", None),
        };
        object.text("makes", word);
        if let Make::Link { target, .. } = make {
            object.bytes("target", target.as_bytes());
        }
        if let Some(slot) = slot {
            object.bytes("of", plan.place(slot).as_bytes());
        }
        if let Make::Copy { manner: Some(manner), .. } = make {
            object.objects("rewrites", &manner.links, |object, link| {
                object.bytes("below", &link.below.0);
                object.bytes("old_target", link.was.as_bytes());
                object.bytes("target", link.now.as_bytes());
            });
        }
    }
    if let Some(old) = step.old() {
        object.text("old", old.kind().word());
        if let PlanObject::Link { target, .. } = old {
            object.bytes("old_target", target.as_bytes());
        }
    }
    if let Step::Move { to, leave, .. } = step {
        object.bytes("to", plan.place(to).as_bytes());
        if let Some(leave) = leave {
            object.bytes("target", leave.target.as_bytes());
        }
    }
    match step.fate() {
        Some(Fate::Kept(slot)) => object.bytes("kept", plan.place(slot).as_bytes()),
        Some(Fate::Freed) => object.raw("freed", "true"),
        _ => {}
    }
}

/// An operation, from its journal.
pub(crate) fn operation(out: &mut Vec<u8>, operation: &Operation, runs: bool) {
    let mut object = Object::line(out, "operation");
    object.number("version", 1);
    object.number("operation", operation.header.operation);
    object.raw("time", &operation.header.time.0.to_string());
    object.objects("command", &operation.header.command, |object, word| {
        object.bytes("word", &word.0);
    });
    object.bytes_or_null("folder", operation.header.folder.as_ref().map(|folder| &*folder.0));
    match operation.header.undoes {
        Some(undoes) => object.number("undoes", undoes),
        None => object.raw("undoes", "null"),
    }
    let state = match operation.ended.as_ref().map(|ended| ended.how) {
        None if operation.is_mutilated() => "damaged",
        None if runs => "running",
        None => "unfinished",
        Some(How::Done) => "ended",
        Some(How::TakenBack) => "taken_back",
        Some(How::Left) => "left",
    };
    object.text("state", state);
    object.number("items", u64::try_from(operation.plan.items.len()).unwrap_or(u64::MAX));
    object.number("done", operation.ended.as_ref().map_or(0, |ended| ended.done));
    match operation.damaged {
        Some(line) => object.number("damaged", line),
        None => object.raw("damaged", "null"),
    }
    object.end();
}

/// What came of an operation: one line an item that was not done, then the whole.
pub(crate) fn report(out: &mut Vec<u8>, plan: &Plan, report: &Report) {
    for (item, why) in &report.failed {
        let mut object = Object::line(out, "failure");
        object.number("version", 1);
        let path = plan.items.get(*item).map(|item| &*item.path);
        object.bytes_or_null("path", path);
        object.text("error", &super::preview::fail(why));
        object.end();
    }
    let mut object = Object::line(out, "report");
    object.number("version", 1);
    object.number("operation", report.number);
    let state = match report.state {
        State::Ended => "ended",
        State::TakenBack(_) => "taken_back",
        State::Unfinished(..) => "unfinished",
    };
    object.text("state", state);
    object.number("done", u64::try_from(report.done.len()).unwrap_or(u64::MAX));
    object.number("failed", u64::try_from(report.failed.len()).unwrap_or(u64::MAX));
    object.number("conflicts", u64::try_from(plan.conflicts.len()).unwrap_or(u64::MAX));
    object.objects("kept", &report.kept, |object, place| object.bytes("path", place.as_bytes()));
    object.end();
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn every_name_comes_back_exactly() {
        let steering = "\u{7f}\u{80}a\u{9b}31m\u{9f}\u{a0}é\u{109b}".as_bytes();
        for name in
            [&b"plain"[..], b"\xff\xfe", b"a\"b\\c\n\x1b\x7f", "\u{2028}é".as_bytes(), steering]
        {
            let mut out = Vec::new();
            let mut object = Object::line(&mut out, "t");
            object.bytes("path", name);
            object.end();
            let text = std::str::from_utf8(&out).unwrap();
            assert!(!text.contains(|one| ('\u{80}'..='\u{9f}').contains(&one)), "{text:?}");
            let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
            let back = match value.get("path") {
                Some(text) => text.as_str().unwrap().as_bytes().to_vec(),
                None => base64::engine::general_purpose::STANDARD
                    .decode(value.get("path_base64").unwrap().as_str().unwrap())
                    .unwrap(),
            };
            assert_eq!(back, name);
        }
    }

    #[test]
    fn what_could_steer_a_terminal_is_escaped() {
        assert_eq!(string("\u{9b}31m"), "\"\\u009b31m\"");
        assert_eq!(string("\u{80}\u{9f}\u{a0}"), "\"\\u0080\\u009f\u{a0}\"");
    }
}
