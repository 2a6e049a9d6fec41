//! What the watcher says, and where: lines or JSON on standard output, the journal of the system, its
//! service manager, the desktop.

use super::desktop::Desktop;
use super::manager::Manager;
use super::teller::{MOST, Teller, Words};
use crate::World;
use crate::args::Args;
use crate::args::watch::Watch;
use crate::error::{Failure, say};
use crate::output::progress::Bar;
use crate::output::{Output, json};
use linkwell_engine::catalogue::questions::{Event, Proposal};
use linkwell_engine::system::System;
use linkwell_engine::watch::{Counts, Hint, News, Queue, Tell};
use linkwell_model::shown::shown;
use rustix::fd::AsFd as _;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// So many notifications at a time; what comes more is in `linkwell status`.
const MOST_SHOWN: u32 = 3;

/// After so long, notifications are counted from nothing again.
const PAUSE: Duration = Duration::from_secs(60);

pub(super) struct Voice {
    json: bool,
    quiet: bool,
    /// Standard error is the journal of the system, which takes a priority before each line.
    journal: bool,
    output: Arc<Output>,
    teller: Teller,
    /// Of its own: who shows something may have to be started first, and lines wait for nobody.
    desktop: Option<Teller>,
    manager: Manager,
    /// The manager is still to be told that it is ready.
    ready: bool,
    shown: (Instant, u32),
}

/// Whether standard error leads to the journal (systemd.exec(5), `$JOURNAL_STREAM`).
fn is_journal(told: Option<&OsStr>, system: System) -> bool {
    let text = told.and_then(OsStr::to_str).and_then(|told| told.split_once(':'));
    let numbers = text.and_then(|(device, inode)| {
        Some((device.parse::<u64>().ok()?, inode.parse::<u64>().ok()?))
    });
    let own = system.status_of(std::io::stderr().as_fd());
    numbers.zip(own.ok()).is_some_and(|(told, own)| told == (own.id.device, own.id.inode))
}

/// What the thread that tells does with words: it writes them, and may wait for who reads.
struct Mouth {
    json: bool,
    journal: bool,
    output: Arc<Output>,
    /// Set when nobody reads standard output any more.
    unread: Arc<AtomicBool>,
    queue: Queue,
}

impl Mouth {
    fn tell(&self, all: Vec<Words>) {
        // Lines that follow each other go in one piece.
        let mut lines = Vec::new();
        for words in all {
            if let Words::Out(line) = words {
                lines.extend(line);
                continue;
            }
            self.write(&mut lines);
            match words {
                Words::Out(_) | Words::Show(..) => {}
                Words::Line(line) => say(&line),
                Words::Dropped(count) => {
                    if self.json {
                        let mut object = json::Object::line(&mut lines, "missed");
                        object.number("lines", count);
                        object.end();
                    }
                    say(&marked(self.journal, 4, &dropped(count)));
                }
            }
        }
        self.write(&mut lines);
    }

    fn write(&self, lines: &mut Vec<u8>) {
        self.output.write(lines);
        lines.clear();
        if self.unread.load(Ordering::SeqCst) {
            self.queue.put(Hint::Stop);
        }
    }
}

fn dropped(count: u64) -> String {
    let (things, were) = if count == 1 { ("line", "was") } else { ("lines", "were") };
    format!(
        "note: {count} {things} {were} dropped here, since nobody read what was told; \
         `linkwell status` shows how the links stand"
    )
}

fn marked(journal: bool, priority: u8, line: &str) -> String {
    if journal { format!("<{priority}>{line}") } else { line.into() }
}

/// What the other thread does: one after the other is shown.
fn show(desktop: &Desktop, all: Vec<Words>) {
    for words in all {
        if let Words::Show(summary, body) = words {
            desktop.show(summary, &body);
        }
    }
}

impl Voice {
    pub(super) fn new(watch: &Watch, args: &Args, world: &World, queue: Queue) -> Self {
        let unread: Arc<AtomicBool> = Arc::default();
        let bus = world.bus.as_ref().filter(|_| !watch.no_notifications && !watch.once);
        let desktop = bus.map(|bus| Desktop::new(bus.as_bytes()));
        let journal = is_journal(world.journal.as_deref(), super::system(world));
        let output = Output::new(&unread, Bar::new(true));
        let json = watch.format.json;
        let mouth = Mouth { json, journal, output: Arc::clone(&output), unread, queue };
        Self {
            json,
            quiet: args.quiet,
            journal,
            output,
            teller: Teller::new(MOST, move |words| mouth.tell(words)),
            desktop: desktop.map(|desktop| Teller::new(MOST, move |words| show(&desktop, words))),
            manager: Manager::new(world.manager.as_deref()),
            ready: false,
            shown: (Instant::now(), 0),
        }
    }

    /// It ends: whether everything could be written. From when somebody `asked` for the end, who does not
    /// read is not waited for, and then nobody can know.
    pub(super) fn end(&mut self, asked: &AtomicBool) -> Result<(), Failure> {
        self.manager.tell("STOPPING=1");
        // Whoever ended it, what is shown is waited for a moment only: it is on record.
        if let Some(desktop) = &self.desktop {
            desktop.end(&AtomicBool::new(true));
        }
        if self.teller.end(asked) { self.output.finish() } else { Ok(()) }
    }

    fn write(&self, bytes: Vec<u8>) {
        self.teller.put(Words::Out(bytes));
    }

    /// A line for a person; `priority` as in syslog(3).
    fn line(&self, priority: u8, line: &str) {
        if self.journal || priority <= 4 {
            self.teller.put(Words::Line(marked(self.journal, priority, line)));
        } else if !self.quiet {
            self.write(format!("{line}\n").into_bytes());
        }
    }

    fn happened(&mut self, event: &Event, words: Option<&str>, proposals: &[Proposal]) {
        if self.json {
            let mut out = Vec::new();
            let mut object = json::Object::line(&mut out, "event");
            object.text("what", &event.what);
            object.bytes("path", event.place.as_bytes());
            object.bytes_or_null("old", event.old.as_deref());
            object.bytes_or_null("new", event.new.as_deref());
            match event.operation {
                Some(number) => object.number("operation", number),
                None => object.raw("operation", "null"),
            }
            match words {
                Some(words) => object.text("words", words),
                None => object.raw("words", "null"),
            }
            object.objects("proposals", proposals, |object, proposal| {
                object.bytes("path", proposal.place.as_bytes());
                object.text("words", &proposal.words);
            });
            object.end();
            self.write(out);
        } else {
            let priority = match event.what.as_str() {
                "replaced" | "asked" | "lost" => 4,
                _ => 6,
            };
            self.line(priority, &sentence(event, words));
        }
        if matches!(event.what.as_str(), "replaced" | "asked") {
            self.show(event, words);
        }
    }

    fn show(&mut self, event: &Event, words: Option<&str>) {
        let Some(desktop) = &self.desktop else { return };
        if self.shown.0.elapsed() > PAUSE {
            self.shown = (Instant::now(), 0);
        }
        self.shown.1 += 1;
        if self.shown.1 > MOST_SHOWN {
            return;
        }
        let summary = if event.what == "replaced" {
            "A file was saved over a link"
        } else {
            "A link waits for your answer"
        };
        let body = format!(
            "{}: {}\n`linkwell status` shows it.",
            event.place.shown(),
            words.unwrap_or_default()
        );
        desktop.put(Words::Show(summary, body));
    }

    /// The manager is told by the watcher's own thread, and never waited for: what keeps its watchdog quiet
    /// must come from who does the work, neither from a thread that goes on while the work stands still,
    /// nor from one that a reader holds up.
    fn stands(&mut self, counts: &Counts, first: bool) {
        self.ready |= first;
        let ready = if self.ready { "READY=1\n" } else { "" };
        let told = self.manager.tell(&format!(
            "{ready}WATCHDOG=1\nSTATUS={} on record; {} healed, {} lost, {} asleep, {} waiting for an answer",
            links(counts.links), counts.healed, counts.lost, counts.asleep, counts.asked
        ));
        self.ready &= !told;
    }
}

fn links(count: usize) -> String {
    if count == 1 { "1 link".into() } else { format!("{count} links") }
}

/// What happened, in one line.
fn sentence(event: &Event, words: Option<&str>) -> String {
    let text = |bytes: &Option<Vec<u8>>| shown(bytes.as_deref().unwrap_or_default()).to_string();
    let link = event.place.shown();
    let (old, new) = (text(&event.old), text(&event.new));
    let why = words.map_or_else(String::new, |words| format!(" ({words})"));
    match event.what.as_str() {
        "healed" => {
            let operation = event.operation.unwrap_or(0);
            format!("healed: {link} → {new} (it was {old}; operation {operation})")
        }
        "moved" => format!("moved: {old} is {link} now"),
        "retargeted" => format!("retargeted: {link} → {new} (it was {old})"),
        "back" => format!("back: {link} works again"),
        "asked" => format!("asked: {link}{why}; `linkwell status` shows it"),
        other => format!("{other}: {link}{why}"),
    }
}

impl Tell for Voice {
    fn tell(&mut self, news: &News) {
        match news {
            News::Ready(counts) => {
                self.stands(counts, true);
                if self.json {
                    let mut out = Vec::new();
                    let mut object = json::Object::line(&mut out, "watching");
                    let number = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
                    object.number("links", number(counts.links));
                    object.number("folders", number(counts.watched));
                    object.number("held", number(counts.held));
                    object.text("by", counts.source);
                    object.end();
                    self.write(out);
                } else {
                    let line = format!(
                        "watching {} in {} folders ({} held, by {})",
                        links(counts.links),
                        counts.watched,
                        counts.held,
                        counts.source
                    );
                    self.line(6, &line);
                }
            }
            News::Alive(counts) => self.stands(counts, false),
            News::Trouble(words) => self.line(3, &format!("error: {words}")),
            News::Happened { event, words, proposals } => {
                self.happened(event, words.as_deref(), proposals);
            }
        }
    }
}
