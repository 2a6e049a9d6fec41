//! Hints on their way from who hears of them to the watcher.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// So many hints wait at the most. Beyond that it is cheaper to look at everything on record once, and
/// whoever makes events without end costs a bounded amount of memory.
const MOST: usize = 1 << 16;

/// A name in a watched folder.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Spot {
    /// The number of the watch.
    pub watch: i32,
    /// The name.
    pub name: Box<[u8]>,
}

/// Something happened, and it is worth looking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// This name is gone, or stands for something else.
    Vacated(Spot),
    /// This name is there, or stands for something else.
    Filled(Spot),
    /// What had the first name has the second now.
    Moved(Spot, Spot),
    /// This watch has ended.
    Ended(i32),
    /// Something was missed.
    Missed,
    /// What is mounted has changed.
    Mounts,
    /// Somebody asks for everything to be looked at again.
    Reload,
    /// Somebody asks for the end.
    Stop,
}

#[derive(Debug, Default)]
struct Waiting {
    hints: VecDeque<Hint>,
    missed: bool,
    stop: bool,
}

/// Where hints are put, from any thread.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    shared: Arc<(Mutex<Waiting>, Condvar)>,
}

impl Queue {
    /// Puts a hint there. Never waits.
    pub fn put(&self, hint: Hint) {
        let (waiting, heard) = &*self.shared;
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        match hint {
            Hint::Stop => waiting.stop = true,
            Hint::Missed => waiting.missed = true,
            // A storm about one name is one hint.
            hint if waiting.hints.back() == Some(&hint) => {}
            hint if waiting.hints.len() < MOST => waiting.hints.push_back(hint),
            _ => {
                // What was not about names stays.
                let kept =
                    |hint: &Hint| matches!(hint, Hint::Ended(_) | Hint::Mounts | Hint::Reload);
                waiting.hints.retain(kept);
                waiting.missed = true;
            }
        }
        heard.notify_one();
    }

    /// Takes all hints that wait; waits for the first one so long.
    pub(super) fn take(&self, patience: Duration) -> Vec<Hint> {
        let (waiting, heard) = &*self.shared;
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let empty =
            |waiting: &mut Waiting| waiting.hints.is_empty() && !waiting.missed && !waiting.stop;
        if !patience.is_zero() {
            let answer = heard.wait_timeout_while(waiting, patience, empty);
            waiting = answer.unwrap_or_else(PoisonError::into_inner).0;
        }
        let mut all: Vec<Hint> = waiting.hints.drain(..).collect();
        if std::mem::take(&mut waiting.missed) {
            all.push(Hint::Missed);
        }
        if waiting.stop {
            all.push(Hint::Stop);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vacated(number: usize) -> Hint {
        Hint::Vacated(Spot { watch: 1, name: number.to_string().into_bytes().into() })
    }

    #[test]
    fn a_storm_is_bounded_and_says_that_something_was_missed() {
        let queue = Queue::default();
        queue.put(Hint::Ended(4));
        for number in 0..3 * MOST {
            queue.put(vacated(number));
        }
        let all = queue.take(Duration::ZERO);
        assert!(all.len() <= MOST + 1, "{}", all.len());
        assert!(all.contains(&Hint::Missed) && all.contains(&Hint::Ended(4)));
        assert!(queue.take(Duration::ZERO).is_empty());
    }

    #[test]
    fn the_same_hint_again_is_one() {
        let queue = Queue::default();
        queue.put(vacated(1));
        queue.put(vacated(1));
        queue.put(vacated(2));
        queue.put(Hint::Stop);
        assert_eq!(queue.take(Duration::ZERO), [vacated(1), vacated(2), Hint::Stop]);
        assert_eq!(queue.take(Duration::ZERO), [Hint::Stop], "the end stays asked for");
    }
}
