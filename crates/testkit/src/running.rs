//! The real program while it runs: interrupted, unread, timed.

use rustix::process::{Pid, Signal, kill_process};
use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A program that was started and has not been waited for.
#[derive(Debug)]
pub struct Running(Child);

impl Running {
    /// Starts it, with both outputs in pipes that nobody reads yet.
    pub fn start(command: &mut Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Self(command.spawn().expect("the program can be started"))
    }

    /// Waits until it has printed something, and returns that.
    pub fn first_output(&mut self) -> Vec<u8> {
        let mut buffer = vec![0; 4096];
        let out = self.0.stdout.as_mut().expect("its output");
        let count = out.read(&mut buffer).expect("its output can be read");
        buffer.truncate(count);
        buffer
    }

    /// Waits until it has a handler of its own for Ctrl-C (proc_pid_status(5), `SigCgt`); before
    /// that the system ends it, and it has done nothing yet.
    pub fn wait_until_it_heeds(&self) {
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_secs(20) {
            let status = std::fs::read_to_string(format!("/proc/{}/status", self.0.id()));
            let status = status.unwrap_or_default();
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            let mask = caught.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
            // Bit 1 is signal 2, SIGINT.
            if mask.is_some_and(|mask| mask & 2 != 0) {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        unreachable!("it never heeded Ctrl-C");
    }

    /// Whether it has not ended.
    pub fn still_runs(&mut self) -> bool {
        self.0.try_wait().expect("a child").is_none()
    }

    /// Sends it a signal, as Ctrl-C would.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Lets it stand still, or go on.
    pub fn pause(&self, still: bool) {
        self.signal(if still { Signal::STOP } else { Signal::CONT });
    }

    fn signal(&self, signal: Signal) {
        let number = i32::try_from(self.0.id()).expect("a process number");
        let pid = Pid::from_raw(number).expect("a process number");
        kill_process(pid, signal).expect("a signal can be sent");
    }

    /// Waits for its end without reading its output; kills it after `limit`. The answer is the
    /// exit code (-1 when a signal ended it) and how long it took.
    pub fn end_unread(&mut self, limit: Duration) -> (i32, Duration) {
        let asked = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().expect("a child") {
                return (status.code().unwrap_or(-1), asked.elapsed());
            }
            if asked.elapsed() > limit {
                self.0.kill().expect("a child can be killed");
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Reads all that is left of its output until it ends: standard output, standard error, the
    /// exit code, and how long it took.
    pub fn end(mut self) -> (Vec<u8>, Vec<u8>, i32, Duration) {
        let asked = Instant::now();
        let mut err = self.0.stderr.take().expect("its errors");
        let errors = std::thread::spawn(move || {
            let mut bytes = Vec::new();
            err.read_to_end(&mut bytes).expect("its errors can be read");
            bytes
        });
        let mut out = Vec::new();
        let mut stdout = self.0.stdout.take().expect("its output");
        stdout.read_to_end(&mut out).expect("its output can be read");
        let status = self.0.wait().expect("a child");
        let took = asked.elapsed();
        (out, errors.join().expect("a reader"), status.code().unwrap_or(-1), took)
    }
}
