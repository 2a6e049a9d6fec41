//! fanotify: one mark a volume, for whoever may set one (root). No watch has to be set for each folder, and
//! the kernel's queue has no limit.

use super::super::queue::{Hint, Queue, Spot};
use super::inotify::Inotify;
use super::{Source, rest};
use hashbrown::HashMap;
use linkwell_calls::fanotify::{self, Event, Folder, Place};
use linkwell_calls::handle::{self, For};
use linkwell_model::path::AbsPath;
use rustix::event::{EventfdFlags, PollFd, PollFlags};
use rustix::fd::OwnedFd;
use rustix::io::Errno;
use std::ffi::CString;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// Folders have negative numbers here, so that they are not taken for inotify's.
#[derive(Debug, Default)]
struct Known {
    numbers: HashMap<Folder, i32>,
    folders: HashMap<i32, Folder>,
    last: i32,
}

/// Whole volumes; dropping it ends its thread.
#[derive(Debug)]
pub(crate) struct Fanotify {
    listener: Arc<OwnedFd>,
    known: Arc<Mutex<Known>>,
    end: Arc<OwnedFd>,
    reader: Option<JoinHandle<()>>,
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fanotify {
    /// Begins to hear; hints go to the queue.
    ///
    /// # Errors
    /// EPERM without the right to.
    pub(crate) fn start(queue: Queue) -> Result<Self, Errno> {
        let listener = Arc::new(fanotify::listen()?);
        let end = Arc::new(rustix::event::eventfd(0, EventfdFlags::CLOEXEC)?);
        let known: Arc<Mutex<Known>> = Arc::default();
        let reader = {
            let (listener, end) = (Arc::clone(&listener), Arc::clone(&end));
            let known = Arc::clone(&known);
            let name = std::thread::Builder::new().name("hearing-all".into());
            let read = move || read(&listener, &end, &known, &queue);
            name.spawn(read).map_err(|_| Errno::AGAIN)?
        };
        Ok(Self { listener, known, end, reader: Some(reader) })
    }

    fn watch(&mut self, place: &AbsPath) -> Result<i32, Errno> {
        let path = CString::new(place.as_bytes()).map_err(|_| Errno::INVAL)?;
        // Each time: the volume may have been away, and its mark with it.
        fanotify::mark(&*self.listener, &path)?;
        let raw = handle::of(rustix::fs::CWD, &path, For::Comparing)?;
        let volume = rustix::fs::statvfs(&*path)?;
        let fsid = volume.f_fsid.to_ne_bytes();
        let folder = Folder { fsid, kind: raw.kind, bytes: raw.bytes.into() };
        let mut known = lock(&self.known);
        if let Some(number) = known.numbers.get(&folder) {
            return Ok(*number);
        }
        known.last = known.last.checked_sub(1).ok_or(Errno::NOSPC)?;
        let number = known.last;
        known.numbers.insert(folder.clone(), number);
        known.folders.insert(number, folder);
        Ok(number)
    }

    fn unwatch(&mut self, watch: i32) {
        let mut known = lock(&self.known);
        if let Some(folder) = known.folders.remove(&watch) {
            known.numbers.remove(&folder);
        }
    }
}

impl Drop for Fanotify {
    fn drop(&mut self) {
        rustix::io::write(&self.end, &1_u64.to_ne_bytes()).unwrap_or_default();
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap_or_default();
        }
    }
}

fn read(listener: &OwnedFd, end: &OwnedFd, known: &Mutex<Known>, queue: &Queue) {
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let mut polled = [PollFd::new(listener, PollFlags::IN), PollFd::new(end, PollFlags::IN)];
        match rustix::event::poll(&mut polled, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return queue.put(Hint::Missed),
        }
        if polled.get(1).is_some_and(|end| !end.revents().is_empty()) {
            return;
        }
        match rustix::io::read(listener, &mut *buffer) {
            Ok(count) => {
                let known = lock(known);
                let bytes = buffer.get(..count).unwrap_or_default();
                fanotify::parse(bytes, |event| hint(&known, event, queue));
                drop(known);
                rest(end);
            }
            Err(Errno::INTR | Errno::WOULDBLOCK) => {}
            Err(_) => return queue.put(Hint::Missed),
        }
    }
}

/// Passes on what happened in folders that somebody asked for; the rest of the volume is not looked at.
fn hint(known: &Known, event: Event, queue: &Queue) {
    let spot = |place: Place| {
        let watch = *known.numbers.get(&place.folder)?;
        Some(Spot { watch, name: place.name })
    };
    match event {
        Event::Missed => queue.put(Hint::Missed),
        Event::Made(place) => {
            if let Some(spot) = spot(place) {
                queue.put(Hint::Filled(spot));
            }
        }
        Event::Removed(place) => {
            if let Some(spot) = spot(place) {
                queue.put(Hint::Vacated(spot));
            }
        }
        Event::Renamed(old, new) => match (spot(old), spot(new)) {
            (Some(old), Some(new)) => queue.put(Hint::Moved(old, new)),
            (Some(old), None) => queue.put(Hint::Vacated(old)),
            (None, Some(new)) => queue.put(Hint::Filled(new)),
            (None, None) => {}
        },
    }
}

/// Whole volumes where that works, and folder by folder elsewhere.
#[derive(Debug)]
pub(crate) struct Either {
    whole: Fanotify,
    single: Inotify,
}

impl Either {
    pub(crate) fn new(whole: Fanotify, single: Inotify) -> Self {
        Self { whole, single }
    }
}

impl Source for Either {
    fn watch(&mut self, place: &AbsPath, creation: bool) -> Result<i32, Errno> {
        match self.whole.watch(place) {
            Err(Errno::NOENT | Errno::NOTDIR) => Err(Errno::NOENT),
            Err(_) => self.single.watch(place, creation),
            watched => watched,
        }
    }

    fn quiet(&mut self, place: &AbsPath) -> Result<i32, Errno> {
        // A mark for a volume tells of everything anyway.
        match self.whole.watch(place) {
            Err(Errno::NOENT | Errno::NOTDIR) => Err(Errno::NOENT),
            Err(_) => self.single.quiet(place),
            watched => watched,
        }
    }

    fn unwatch(&mut self, watch: i32) {
        if watch < 0 { self.whole.unwatch(watch) } else { self.single.unwatch(watch) }
    }

    fn word(&self) -> &'static str {
        "fanotify"
    }
}
