//! Ctrl-C and its like: stop, show what was found, end within 0.2 seconds.

use crate::error;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

static CAME: AtomicBool = AtomicBool::new(false);

/// While something is being changed, a signal asks to stop and does not end the program by force: what
/// was begun is taken back first.
static CHANGING: AtomicBool = AtomicBool::new(false);

/// What was to be changed is changed.
static DONE: AtomicBool = AtomicBool::new(false);

/// What was heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The terminal went, or somebody wants everything to be read anew.
    HangUp,
    /// It is to end.
    End,
}

type Hearer = Box<dyn Fn(Heard) + Send>;

/// Who takes signals as they are meant for a service.
static HEARER: Mutex<Option<Hearer>> = Mutex::new(None);

/// From now on signals are told to `hearer`, and end nothing by themselves; ending is no interruption then.
pub(crate) fn hear(hearer: impl Fn(Heard) + Send + 'static) {
    *HEARER.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(hearer));
}

/// Tells the hearer, if there is one.
fn told(signal: i32) -> bool {
    let hearer = HEARER.lock().unwrap_or_else(PoisonError::into_inner);
    let heard = if signal == SIGHUP { Heard::HangUp } else { Heard::End };
    hearer.as_ref().map(|hearer| hearer(heard)).is_some()
}

static STOP: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// How long the rest of the program has for ending by itself after a signal.
const GRACE: Duration = Duration::from_millis(170);

/// What is set when a signal asks this program to end.
pub(crate) fn stop() -> Arc<AtomicBool> {
    Arc::clone(&STOP)
}

/// Sets [`stop`] when a signal asks this program to end. Ends it by force when it has not ended soon
/// after, or at a second signal: a thread may hang in the system, or a reader not read. The first
/// thing that `main` does.
pub(crate) fn heed() {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else {
        // Without the handler a signal still ends the program, by the system's default.
        return;
    };
    let stop = stop();
    std::thread::spawn(move || {
        for signal in signals.forever() {
            if told(signal) {
                continue;
            }
            let again = CAME.swap(true, Ordering::SeqCst);
            stop.store(true, Ordering::SeqCst);
            if CHANGING.load(Ordering::SeqCst) {
                if again {
                    error::say("note: stopping; what was begun is being taken back");
                }
                continue;
            }
            if again {
                error::end_interrupted();
            }
            std::thread::spawn(|| {
                std::thread::sleep(GRACE);
                if !CHANGING.load(Ordering::SeqCst) && !DONE.load(Ordering::SeqCst) {
                    error::end_interrupted();
                }
            });
        }
    });
}

/// Does `act` without being ended by force meanwhile.
pub(crate) fn unbroken<T>(act: impl FnOnce() -> T) -> T {
    CHANGING.store(true, Ordering::SeqCst);
    let done = act();
    CHANGING.store(false, Ordering::SeqCst);
    done
}

/// What was to be changed is changed: a signal that came, or that comes while that is said, was too late to
/// stop anything, and the exit status is that of what was done.
pub(crate) fn forget() {
    DONE.store(true, Ordering::SeqCst);
}

/// Whether a signal came that may have stopped something.
pub(crate) fn came() -> bool {
    CAME.load(Ordering::SeqCst) && !DONE.load(Ordering::SeqCst)
}
