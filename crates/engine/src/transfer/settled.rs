//! Whether a later write to something would show in its times.
//!
//! The clock of a file system has steps: a second on some (ext4 with small inodes, HFS+, sshfs), two on FAT, a
//! tick of the kernel on most. What is written in the step of the last change leaves the times as they were.
//! So nothing is copied before the clock has moved on since it was changed; git does so with what it calls
//! racily clean. A server whose clock goes wrong by more than a step is not seen through.

use super::Slip;
use super::walk::Job;
use crate::system::Facts;
use linkwell_model::entry::Time;
use rustix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// More than the longest step of a clock with parts of a second: the slowest tick of the kernel, and exFAT's.
const FINE: Duration = Duration::from_millis(20);

/// The same of a clock without.
const COARSE: Duration = Duration::from_millis(2020);

/// So long it sleeps before it is looked whether the person asks to stop.
const NAP: Duration = Duration::from_millis(50);

/// How long until a write would show; nothing when it would by now.
fn rest(facts: &Facts, now: Duration) -> Option<Duration> {
    let rest = |Time(seconds, part): Time| {
        let step = if part == 0 { COARSE } else { FINE };
        // Before 1970 is long ago.
        let at = Duration::new(u64::try_from(seconds).ok()?, part);
        // What lies further ahead was set so: no waiting would help.
        (now < at + step && at < now + step).then(|| (at + step).saturating_sub(now))
    };
    [facts.modified, facts.changed].into_iter().filter_map(rest).max()
}

fn now() -> Duration {
    let now = clock_gettime(ClockId::Realtime);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    Duration::new(seconds, u32::try_from(now.tv_nsec).unwrap_or(0))
}

impl Job<'_> {
    /// Looks at something when every write from then on shows in its times, as far as its original is looked
    /// at again. What was found before is let go of, and it is looked at anew.
    pub(super) fn settled<T>(
        &self,
        look: impl Fn() -> Result<T, Slip>,
        facts: impl Fn(&T) -> &Facts,
    ) -> Result<T, Slip> {
        let found = look()?;
        if !self.kept_on_record {
            return Ok(found);
        }
        let Some(rest_of_step) = rest(facts(&found), now()) else { return Ok(found) };
        drop(found);
        let mut left = rest_of_step;
        while !left.is_zero() {
            self.heed()?;
            std::thread::sleep(left.min(NAP));
            left = left.saturating_sub(NAP);
        }
        let found = look()?;
        // Somebody writes to it all the time.
        if rest(facts(&found), now()).is_some() { Err(Slip::Changed) } else { Ok(found) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::Marks;
    use linkwell_model::entry::{EntryKind, Identity};

    fn facts(modified: Time, changed: Time) -> Facts {
        Facts {
            id: Identity { device: 1, inode: 2, born: None },
            kind: EntryKind::File,
            names: 1,
            size: 3,
            owner: 0,
            group: 0,
            mode: 0o644,
            accessed: Time(0, 0),
            modified,
            changed,
            stored: 4096,
            marks: Marks::default(),
            device: None,
            mount: None,
        }
    }

    #[test]
    fn what_was_changed_in_this_step_is_waited_for() {
        let now = Duration::new(1000, 500_000_000);
        let at =
            |modified, changed| rest(&facts(modified, changed), now).map(|rest| rest.as_millis());
        let old = Time(900, 1);
        assert_eq!(at(old, old), None);
        assert_eq!(at(Time(-1, 0), Time(900, 0)), None);
        // By seconds, and by two.
        assert_eq!(at(old, Time(1000, 0)), Some(1520));
        assert_eq!(at(Time(999, 0), old), Some(520));
        assert_eq!(at(Time(998, 0), Time(998, 0)), None);
        // By ticks.
        assert_eq!(at(old, Time(1000, 496_000_000)), Some(16));
        assert_eq!(at(old, Time(1000, 479_000_000)), None);
        // A little ahead, and far.
        assert_eq!(at(Time(1001, 0), old), Some(2520));
        assert_eq!(at(Time(2000, 0), old), None);
        assert_eq!(at(Time(2000, 7), Time(1001, 7)), None);
    }
}
