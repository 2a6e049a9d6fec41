//! How far a scan has come: on standard error, on a terminal, after a second.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use linkwell_engine::scan::Progress;
use std::io::IsTerminal as _;
use std::time::{Duration, Instant};

/// Shorter scans show nothing.
const AFTER: Duration = Duration::from_secs(1);

/// How often the line is drawn anew.
const EVERY: Duration = Duration::from_millis(100);

/// The line that shows progress.
#[derive(Clone, Debug)]
pub(crate) struct Bar {
    bar: ProgressBar,
    wanted: bool,
}

impl Bar {
    /// Shown only if standard error is a terminal and it is not `quiet`.
    pub(crate) fn new(quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        Self { bar, wanted: !quiet && std::io::stderr().is_terminal() }
    }

    /// A function to be called often, which draws now and then.
    pub(crate) fn ticker(&self) -> impl FnMut(&Progress) + use<> {
        let (bar, wanted) = (self.bar.clone(), self.wanted);
        let started = Instant::now();
        let mut drawn: Option<Instant> = None;
        move |progress| {
            if !wanted || started.elapsed() < AFTER {
                return;
            }
            if drawn.is_none() {
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.set_style(ProgressStyle::default_spinner());
            } else if drawn.is_some_and(|drawn| drawn.elapsed() < EVERY) {
                return;
            }
            drawn = Some(Instant::now());
            let entries = progress.entries();
            let millis = started.elapsed().as_millis().max(1);
            let rate = u128::from(entries) * 1000 / millis;
            bar.set_message(format!(
                "{} entries, {} links, {} entries a second",
                grouped(entries),
                grouped(progress.links()),
                grouped(u64::try_from(rate).unwrap_or(u64::MAX)),
            ));
            bar.tick();
        }
    }

    /// Does `act` while the line is out of the way.
    pub(crate) fn hidden_while<T>(&self, act: impl FnOnce() -> T) -> T {
        if self.wanted { self.bar.suspend(act) } else { act() }
    }

    /// Takes the line away for good.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A number with its thousands apart: `1,234,567`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::grouped;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1000), "1,000");
        assert_eq!(grouped(1_234_567), "1,234,567");
    }
}
