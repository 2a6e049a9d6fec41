//! Words on their way to who reads them: standard output, standard error, the desktop.
//!
//! A reader may stand still, and a bus give no answer. So threads of their own tell: one writes, and one shows.
//! The watcher only puts words into a queue that has an end: what nobody reads in time is dropped, and that is
//! said as soon as somebody reads again. What is told here is on record already (`linkwell status`, `linkwell log`).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// So many bytes of words wait at the most: a burst of a hundred thousand lines, which a reader that reads
/// at all takes at once.
pub(super) const MOST: usize = 16 << 20;

/// How long is waited at the end for who does not read.
const PATIENCE: Duration = Duration::from_millis(700);

/// How often it is asked meanwhile whether somebody wants the end.
const ASKED: Duration = Duration::from_millis(50);

/// Something to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Words {
    /// Lines for standard output.
    Out(Vec<u8>),
    /// A line for standard error.
    Line(String),
    /// Something to be shown on the desktop.
    Show(&'static str, String),
    /// So many of these were dropped here.
    Dropped(u64),
}

impl Words {
    fn length(&self) -> usize {
        let text = match self {
            Self::Out(bytes) => bytes.len(),
            Self::Line(text) | Self::Show(_, text) => text.len(),
            Self::Dropped(_) => 0,
        };
        text + size_of::<Self>()
    }
}

#[derive(Debug, Default)]
struct Waiting {
    words: VecDeque<Words>,
    length: usize,
    dropped: u64,
    /// Nothing more will come.
    closed: bool,
    /// All was told.
    ended: bool,
}

/// Where words are put.
#[derive(Debug)]
pub(super) struct Teller {
    shared: Arc<(Mutex<Waiting>, Condvar)>,
    most: usize,
}

impl Teller {
    /// `tell` is called by a thread of its own, with all that waits.
    pub(super) fn new(most: usize, mut tell: impl FnMut(Vec<Words>) + Send + 'static) -> Self {
        let shared: Arc<(Mutex<Waiting>, Condvar)> = Arc::default();
        let its = Arc::clone(&shared);
        std::thread::spawn(move || {
            while let Some(words) = next(&its) {
                tell(words);
            }
        });
        Self { shared, most }
    }

    /// Puts words there. Never waits.
    pub(super) fn put(&self, words: Words) {
        let (waiting, heard) = &*self.shared;
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let length = waiting.length.saturating_add(words.length());
        if length > self.most {
            waiting.dropped += 1;
        } else {
            waiting.length = length;
            waiting.words.push_back(words);
        }
        heard.notify_all();
    }

    /// Waits until all is told; from when somebody `asked` for the end, not longer than a moment. Whether all
    /// was told.
    pub(super) fn end(&self, asked: &AtomicBool) -> bool {
        let (waiting, heard) = &*self.shared;
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.closed = true;
        heard.notify_all();
        let mut since: Option<Instant> = None;
        while !waiting.ended {
            if asked.load(Ordering::SeqCst)
                && since.get_or_insert_with(Instant::now).elapsed() >= PATIENCE
            {
                return false;
            }
            let answer = heard.wait_timeout(waiting, ASKED);
            waiting = answer.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }
}

/// All that waits, as soon as something does; `None` at the end.
fn next(shared: &(Mutex<Waiting>, Condvar)) -> Option<Vec<Words>> {
    let (waiting, heard) = shared;
    let waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
    let nothing =
        |waiting: &mut Waiting| waiting.words.is_empty() && waiting.dropped == 0 && !waiting.closed;
    let answer = heard.wait_while(waiting, nothing);
    let mut waiting = answer.unwrap_or_else(PoisonError::into_inner);
    let mut all: Vec<Words> = std::mem::take(&mut waiting.words).into();
    waiting.length = 0;
    // What was dropped came after all that had room.
    match std::mem::take(&mut waiting.dropped) {
        0 => {}
        dropped => all.push(Words::Dropped(dropped)),
    }
    if all.is_empty() {
        waiting.ended = true;
        heard.notify_all();
        return None;
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    fn line(text: &str) -> Words {
        Words::Line(text.into())
    }

    #[test]
    fn who_does_not_read_holds_nobody_up_and_hears_how_much_was_dropped() {
        let (go, gone) = channel::<()>();
        let (told, heard) = channel();
        let most = 3 * line("1").length();
        let teller = Teller::new(most, move |words| {
            told.send(words).expect("the test listens");
            // It stands still until it is let go on.
            gone.recv().unwrap_or_default();
        });
        teller.put(line("0"));
        assert_eq!(heard.recv(), Ok(vec![line("0")]));
        for number in 1..=9 {
            teller.put(line(&number.to_string()));
        }
        let asked = AtomicBool::new(true);
        let began = Instant::now();
        assert!(!teller.end(&asked) && began.elapsed() < 10 * PATIENCE);
        go.send(()).expect("it waits");
        let all = vec![line("1"), line("2"), line("3"), Words::Dropped(6)];
        assert_eq!(heard.recv(), Ok(all));
        go.send(()).expect("it waits");
        assert!(teller.end(&AtomicBool::new(false)), "all is told now");
    }
}
