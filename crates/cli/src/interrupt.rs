//! Ctrl-C and its like: stop, show what was found, end within 0.2 seconds.

use crate::error;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

static CAME: AtomicBool = AtomicBool::new(false);

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
        for _ in signals.forever() {
            if CAME.swap(true, Ordering::SeqCst) {
                error::end_interrupted();
            }
            stop.store(true, Ordering::SeqCst);
            std::thread::spawn(|| {
                std::thread::sleep(GRACE);
                error::end_interrupted();
            });
        }
    });
}

/// Whether a signal came.
pub(crate) fn came() -> bool {
    CAME.load(Ordering::SeqCst)
}
