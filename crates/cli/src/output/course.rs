//! How far a copy has come: one line on a terminal, or objects for programs.

use super::progress::grouped;
use super::{Output, json};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use linkwell_engine::survey::amount::size;
use linkwell_engine::transfer::{Phase, Watch};
use linkwell_model::name::Name;
use linkwell_model::shown::shown;
use std::io::IsTerminal as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What is over sooner shows nothing on a terminal.
const AFTER: Duration = Duration::from_secs(1);

/// How often the line is drawn anew.
const DRAWN: Duration = Duration::from_millis(100);

/// How often programs are told: about five times a second.
const TOLD: Duration = Duration::from_millis(200);

/// About as many bytes of a large file as take as long as making one more entry. Estimated: only the time
/// that is shown depends on it.
const ENTRY: u128 = 32 * 1024;

/// How much there is to do in all: entries, and bytes of contents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Amount {
    /// Files, folders, links and all the rest.
    pub(crate) entries: u64,
    /// The lengths of its files.
    pub(crate) bytes: u64,
}

/// Where it is shown.
#[derive(Debug)]
enum To {
    /// On a terminal.
    Terminal(ProgressBar),
    /// In the output, for programs.
    Programs(Arc<Output>),
}

/// Watches a copy.
#[derive(Debug)]
pub(crate) struct Course {
    to: Option<To>,
    amount: Option<Amount>,
    began: Instant,
    /// Since it began, in milliseconds: when it was shown last.
    shown: AtomicU64,
    entries: AtomicU64,
    bytes: AtomicU64,
    now: Mutex<Now>,
}

/// What is done now.
#[derive(Debug)]
struct Now {
    phase: Phase,
    since: Instant,
    path: Vec<u8>,
}

impl Course {
    /// For programs if `output` is given, else on a terminal, and there only if it is not `quiet`.
    pub(crate) fn new(output: Option<Arc<Output>>, quiet: bool, amount: Option<Amount>) -> Self {
        let to = match output {
            Some(output) => Some(To::Programs(output)),
            None if quiet || !std::io::stderr().is_terminal() => None,
            None => {
                let hidden = ProgressDrawTarget::hidden();
                Some(To::Terminal(ProgressBar::with_draw_target(None, hidden)))
            }
        };
        let began = Instant::now();
        let now = Now { phase: Phase::Copying, since: began, path: Vec::new() };
        Self {
            to,
            amount,
            began,
            shown: AtomicU64::new(0),
            entries: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            now: Mutex::new(now),
        }
    }

    /// Takes the line away for good.
    pub(crate) fn finish(&self) {
        if let Some(To::Terminal(bar)) = &self.to {
            bar.finish_and_clear();
        }
    }

    /// Shows how far it is, if it is time for that again.
    fn show(&self) {
        let Some(to) = &self.to else { return };
        let (first, every) = match to {
            To::Terminal(_) => (AFTER, DRAWN),
            To::Programs(_) => (TOLD, TOLD),
        };
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let last = self.shown.load(Ordering::Relaxed);
        let due = if last == 0 { first } else { every };
        if u128::from(millis.saturating_sub(last)) < due.as_millis() {
            return;
        }
        // Of several threads, one.
        let mine = self.shown.compare_exchange(last, millis, Ordering::Relaxed, Ordering::Relaxed);
        if mine.is_ok() {
            self.tell(to, last == 0);
        }
    }

    fn tell(&self, to: &To, first: bool) {
        let done = Amount {
            entries: self.entries.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        };
        let now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        let at = Point { done, amount: self.amount, now: &now, took: now.since.elapsed() };
        match to {
            To::Terminal(bar) => {
                if first {
                    bar.set_draw_target(ProgressDrawTarget::stderr());
                    let style = ProgressStyle::with_template("{wide_msg}");
                    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
                }
                bar.set_message(at.line());
            }
            To::Programs(output) => {
                let mut out = Vec::new();
                at.object(&mut out);
                output.write(&out);
            }
        }
    }
}

impl Watch for Course {
    fn phase(&self, phase: Phase) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.phase = phase;
        now.since = Instant::now();
        now.path.clear();
        drop(now);
        self.entries.store(0, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        self.show();
    }

    fn done(&self, entries: u64, bytes: u64) {
        self.entries.fetch_add(entries, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.show();
    }

    fn at(&self, below: &dyn Fn() -> Vec<u8>, name: &Name) {
        if self.to.is_none() {
            return;
        }
        let path = [&below(), name.as_bytes()].concat();
        self.now.lock().unwrap_or_else(PoisonError::into_inner).path = path;
    }
}

/// How far it is at one moment.
struct Point<'a> {
    done: Amount,
    amount: Option<Amount>,
    now: &'a Now,
    /// How long this part has taken so far.
    took: Duration,
}

impl Point<'_> {
    /// The word of the phase, for people and programs.
    fn word(&self) -> &'static str {
        match self.now.phase {
            Phase::Copying => "copying",
            Phase::Syncing => "syncing",
            Phase::Verifying => "verifying",
            Phase::Looking => "looking",
            Phase::Freeing => "freeing",
        }
    }

    /// Bytes a second, where bytes are what it is about.
    fn rate(&self) -> Option<u64> {
        let millis = self.took.as_millis().max(1);
        let rate = u128::from(self.done.bytes) * 1000 / millis;
        u64::try_from(rate).ok().filter(|rate| *rate > 0)
    }

    /// Seconds that are left of this part, by what it has taken so far. Large files take their time by
    /// their bytes, small ones by their number: each entry counts as so many bytes more.
    fn left(&self) -> Option<u64> {
        let all = self.amount?;
        // Where contents are not touched, entries alone tell.
        let each = if self.done.bytes == 0 { (1, 0) } else { (ENTRY, 1) };
        let work = |amount: Amount| {
            u128::from(amount.entries) * each.0 + u128::from(amount.bytes) * each.1
        };
        let done = work(self.done);
        let rest = work(all).saturating_sub(done);
        let left = (done > 0).then(|| self.took.as_millis() * rest / done / 1000)?;
        u64::try_from(left).ok()
    }

    fn line(&self) -> String {
        let mut words = vec![self.word().to_owned()];
        let of = |all: Option<String>| all.map_or_else(String::new, |all| format!(" of {all}"));
        if self.done.bytes > 0 {
            let all = self.amount.map(|amount| size(amount.bytes));
            words.push(format!("{}{}", size(self.done.bytes), of(all)));
        }
        if self.done.entries > 0 {
            let all = self.amount.map(|amount| grouped(amount.entries));
            words.push(format!("{}{} entries", grouped(self.done.entries), of(all)));
        }
        words.extend(self.rate().map(|rate| format!("{} a second", size(rate))));
        words.extend(self.left().map(|left| format!("{} left", duration(left))));
        let mut line = words.join(", ");
        if !self.now.path.is_empty() {
            line.push_str(&format!(", at {}", shown(&self.now.path)));
        }
        line
    }

    fn object(&self, out: &mut Vec<u8>) {
        let mut object = json::Object::line(out, "progress");
        object.text("phase", self.word());
        object.number("entries", self.done.entries);
        object.number("bytes", self.done.bytes);
        if let Some(amount) = self.amount {
            object.number("of_entries", amount.entries);
            object.number("of_bytes", amount.bytes);
        }
        if let Some(rate) = self.rate() {
            object.number("bytes_a_second", rate);
        }
        if let Some(left) = self.left() {
            object.number("seconds_left", left);
        }
        if !self.now.path.is_empty() {
            object.bytes("path", &self.now.path);
        }
        object.end();
    }
}

/// Seconds, in words.
fn duration(seconds: u64) -> String {
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    if hours > 0 {
        format!("{hours} h {minutes} min")
    } else if minutes > 0 {
        format!("{minutes} min {} s", seconds % 60)
    } else {
        format!("{seconds} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!(duration(59), "59 s");
        assert_eq!(duration(61), "1 min 1 s");
        assert_eq!(duration(7260), "2 h 1 min");
    }

    #[test]
    fn what_is_left_goes_by_bytes_and_by_entries() {
        const MEGA: u64 = 1_000_000;
        let now = Now { phase: Phase::Copying, since: Instant::now(), path: b"a\n".to_vec() };
        let left = |(done, of): (u64, u64), (bytes, of_bytes): (u64, u64)| {
            let amount = Some(Amount { entries: of, bytes: of_bytes });
            let done = Amount { entries: done, bytes };
            Point { done, amount, now: &now, took: Duration::from_secs(10) }.left()
        };
        // One large file among few: that four of five entries are left says nothing.
        assert_eq!(left((1, 5), (900 * MEGA, 1000 * MEGA)), Some(1));
        // Many that hold nearly nothing.
        assert_eq!(left((100, 1000), (MEGA / 10, MEGA)), Some(90));
        assert_eq!(left((500, 1000), (0, 1000 * MEGA)), Some(10), "nothing is read");
        assert_eq!(left((1000, 1000), (1000 * MEGA, 1000 * MEGA)), Some(0));
        assert_eq!(left((0, 5), (0, MEGA)), None);
    }

    #[test]
    fn a_line_says_how_far_it_is() {
        let now = Now { phase: Phase::Copying, since: Instant::now(), path: b"a\n".to_vec() };
        let amount = Some(Amount { entries: 100, bytes: 1_000_000_000 });
        let done = Amount { entries: 50, bytes: 100_000_000 };
        let at = Point { done, amount, now: &now, took: Duration::from_secs(10) };
        assert_eq!((at.rate(), at.left()), (Some(10_000_000), Some(88)));
        let wanted = "copying, 100.0 MB of 1.0 GB, 50 of 100 entries, 10.0 MB a second, 1 min 28 s left, at ";
        assert!(at.line().starts_with(wanted) && !at.line().contains('\n'), "{}", at.line());
    }
}
