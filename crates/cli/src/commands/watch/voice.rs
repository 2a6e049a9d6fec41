//! What the watcher says, and where: lines or JSON on standard output, the journal of the system, its
//! service manager, the desktop.

use super::desktop::Desktop;
use super::manager::Manager;
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
    /// Set when nobody reads standard output any more.
    unread: Arc<AtomicBool>,
    queue: Queue,
    manager: Manager,
    desktop: Option<Desktop>,
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

impl Voice {
    pub(super) fn new(watch: &Watch, args: &Args, world: &World, queue: Queue) -> Self {
        let unread: Arc<AtomicBool> = Arc::default();
        let bus = world.bus.as_ref().filter(|_| !watch.no_notifications && !watch.once);
        Self {
            json: watch.format.json,
            quiet: args.quiet,
            journal: is_journal(world.journal.as_deref(), super::system(world)),
            output: Output::new(&unread, Bar::new(true)),
            unread,
            queue,
            manager: Manager::new(world.manager.as_deref()),
            desktop: bus.map(|bus| Desktop::new(bus.as_bytes())),
            shown: (Instant::now(), 0),
        }
    }

    /// It ends.
    pub(super) fn end(&self) {
        self.manager.tell("STOPPING=1");
    }

    /// Whether everything could be written.
    pub(super) fn finish(&self) -> Result<(), Failure> {
        self.output.finish()
    }

    fn write(&self, bytes: &[u8]) {
        self.output.write(bytes);
        if self.unread.load(Ordering::SeqCst) {
            self.queue.put(Hint::Stop);
        }
    }

    /// A line for a person; `priority` as in syslog(3).
    fn line(&self, priority: u8, line: &str) {
        if self.journal {
            say(&format!("<{priority}>{line}"));
        } else if priority <= 4 {
            say(line);
        } else if !self.quiet {
            self.write(format!("{line}\n").as_bytes());
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
            self.write(&out);
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
        desktop.show(summary, &body);
    }

    fn stands(&self, counts: &Counts, first: bool) {
        let ready = if first { "READY=1\n" } else { "" };
        self.manager.tell(&format!(
            "{ready}WATCHDOG=1\nSTATUS={} links on record; {} healed, {} lost, {} asleep, {} waiting for an answer",
            counts.links, counts.healed, counts.lost, counts.asleep, counts.asked
        ));
    }
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
                    self.write(&out);
                } else {
                    let line = format!(
                        "watching {} links in {} folders ({} held, by {})",
                        counts.links, counts.watched, counts.held, counts.source
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
