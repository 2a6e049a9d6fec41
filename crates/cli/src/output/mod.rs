//! What is printed: results on standard output, words about the run on standard error.

pub(crate) mod clients;
pub(crate) mod clients_json;
pub(crate) mod course;
pub(crate) mod explained;
pub(crate) mod groups;
#[cfg_attr(not(test), expect(dead_code, reason = "the words for a command that is being made"))]
pub(crate) mod in_use;
pub(crate) mod json;
pub(crate) mod mending;
mod merged;
#[expect(dead_code, reason = "`move` says it, and is being built")]
pub(crate) mod moving;
pub(crate) mod paint;
pub(crate) mod preview;
pub(crate) mod progress;
pub(crate) mod status;
pub(crate) mod text;

use crate::error::Failure;
use rustix::io::Errno;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Standard output, shared by threads. The first failure to write stops the scan.
#[derive(Debug)]
pub(crate) struct Output {
    failed: Mutex<Option<Errno>>,
    stop: Arc<AtomicBool>,
    progress: progress::Bar,
}

impl Output {
    /// Standard output; `stop` is set when it cannot be written to any more.
    pub(crate) fn new(stop: &Arc<AtomicBool>, progress: progress::Bar) -> Arc<Self> {
        Arc::new(Self { failed: Mutex::new(None), stop: Arc::clone(stop), progress })
    }

    /// Writes all of `bytes` in one piece; lines of several threads never mix.
    pub(crate) fn write(&self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if failed.is_some() {
            return;
        }
        *failed = self.progress.hidden_while(|| write_all(bytes).err());
        if failed.is_some() {
            self.stop.store(true, Ordering::SeqCst);
        }
    }

    /// Whether everything could be written.
    pub(crate) fn finish(&self) -> Result<(), Failure> {
        match *self.failed.lock().unwrap_or_else(PoisonError::into_inner) {
            None => Ok(()),
            Some(error) => Err(Failure::Output(error)),
        }
    }
}

fn write_all(mut bytes: &[u8]) -> Result<(), Errno> {
    let stdout = std::io::stdout();
    while !bytes.is_empty() {
        match rustix::io::write(&stdout, bytes) {
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            // A terminal or pipe that somebody else set to non-blocking.
            Err(Errno::AGAIN) => std::thread::sleep(std::time::Duration::from_millis(1)),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// One thread's lines on their way to standard output.
#[derive(Debug)]
pub(crate) struct Lines {
    output: Arc<Output>,
    pub(crate) buffer: Vec<u8>,
    written: std::time::Instant,
}

/// Enough for a write to be worth its while.
const FULL: usize = 48 * 1024;

/// Nobody waits longer than this for a line that was found.
const STALE: std::time::Duration = std::time::Duration::from_millis(50);

impl Lines {
    /// No lines yet.
    pub(crate) fn new(output: &Arc<Output>) -> Self {
        Self {
            output: Arc::clone(output),
            buffer: Vec::with_capacity(FULL + 16 * 1024),
            written: std::time::Instant::now(),
        }
    }

    /// Writes if there is much, or if it has waited.
    pub(crate) fn pause(&mut self) {
        if self.buffer.is_empty() {
            return;
        }
        if self.buffer.len() >= FULL || self.written.elapsed() > STALE {
            self.flush();
        }
    }

    /// Writes if there is much: for within one folder of a million entries.
    pub(crate) fn flush_if_full(&mut self) {
        if self.buffer.len() >= FULL {
            self.flush();
        }
    }

    /// Writes.
    pub(crate) fn flush(&mut self) {
        self.output.write(&self.buffer);
        self.buffer.clear();
        self.written = std::time::Instant::now();
    }
}
