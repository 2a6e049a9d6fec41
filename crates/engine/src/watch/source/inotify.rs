//! inotify: a watch for each folder, without any privilege.
//!
//! A thread of its own reads, so that the kernel's queue (16,384 events by default) is empty again at
//! once, whatever the watcher does meanwhile.

use super::super::queue::{Hint, Queue, Spot};
use super::{Source, rest};
use linkwell_model::path::AbsPath;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::mem::MaybeUninit;
use std::sync::Arc;
use std::thread::JoinHandle;

/// The folder watches; dropping it ends its thread.
#[derive(Debug)]
pub(crate) struct Inotify {
    descriptor: Arc<OwnedFd>,
    end: Arc<OwnedFd>,
    reader: Option<JoinHandle<()>>,
}

impl Inotify {
    /// Begins to hear; hints go to the queue.
    ///
    /// # Errors
    /// The system's: EMFILE when this user has too many instances.
    pub(crate) fn start(queue: Queue) -> Result<Self, Errno> {
        let flags = CreateFlags::CLOEXEC | CreateFlags::NONBLOCK;
        let descriptor = Arc::new(inotify::init(flags)?);
        let end = Arc::new(rustix::event::eventfd(0, EventfdFlags::CLOEXEC)?);
        let reader = {
            let (descriptor, end) = (Arc::clone(&descriptor), Arc::clone(&end));
            let name = std::thread::Builder::new().name("hearing".into());
            name.spawn(move || read(&descriptor, &end, &queue)).map_err(|_| Errno::AGAIN)?
        };
        Ok(Self { descriptor, end, reader: Some(reader) })
    }
}

/// What every watched folder is watched for.
const FLAGS: WatchFlags = WatchFlags::MOVED_FROM
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::ONLYDIR)
    .union(WatchFlags::EXCL_UNLINK)
    .union(WatchFlags::DONT_FOLLOW);

impl Source for Inotify {
    fn watch(&mut self, place: &AbsPath, creation: bool) -> Result<i32, Errno> {
        // The same folder may be watched under another name, and for more: that stays.
        let flags = FLAGS | WatchFlags::MASK_ADD;
        let flags = if creation { flags | WatchFlags::CREATE } else { flags };
        inotify::add_watch(&self.descriptor, place.as_bytes(), flags)
    }

    fn quiet(&mut self, place: &AbsPath) -> Result<i32, Errno> {
        inotify::add_watch(&self.descriptor, place.as_bytes(), FLAGS)
    }

    fn unwatch(&mut self, watch: i32) {
        // It has ended by itself when the folder is gone.
        inotify::remove_watch(&self.descriptor, watch).unwrap_or_default();
    }

    fn word(&self) -> &'static str {
        "inotify"
    }
}

impl Drop for Inotify {
    fn drop(&mut self) {
        rustix::io::write(&self.end, &1_u64.to_ne_bytes()).unwrap_or_default();
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap_or_default();
        }
    }
}

/// What tells that something was mounted or unmounted (proc_pid_mountinfo(5)).
fn mounts() -> Option<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC;
    rustix::fs::open(c"/proc/self/mountinfo", flags, Mode::empty()).ok()
}

/// So long the second half of a renaming is waited for. The kernel tells of both at once, but not in one
/// step: it can be read in between.
const HALF: Timespec = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };

/// The first half of a renaming: its cookie, and the name that is gone.
type Half = Option<(u32, Spot)>;

fn read(descriptor: &OwnedFd, end: &OwnedFd, queue: &Queue) {
    let mounts = mounts();
    let mut half: Half = None;
    let mut buffer = vec![MaybeUninit::uninit(); 64 * 1024];
    loop {
        let mut polled =
            vec![PollFd::new(descriptor, PollFlags::IN), PollFd::new(end, PollFlags::IN)];
        // It is always readable; what is asked for is the news.
        polled.extend(mounts.as_ref().map(|mounts| PollFd::new(mounts, PollFlags::PRI)));
        match rustix::event::poll(&mut polled, half.is_some().then_some(&HALF)) {
            Ok(0) => {
                let alone = half.take();
                alone.into_iter().for_each(|(_, spot)| queue.put(Hint::Vacated(spot)));
                continue;
            }
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return queue.put(Hint::Missed),
        }
        let came = |at: usize| polled.get(at).is_some_and(|polled| !polled.revents().is_empty());
        if came(1) {
            return;
        }
        let (events, news) = (came(0), came(2));
        if news {
            queue.put(Hint::Mounts);
        }
        if events {
            drain(descriptor, &mut buffer, &mut half, queue);
            rest(end);
        }
    }
}

/// Reads all that is there. The second half of a renaming comes right behind its first one, if at all.
fn drain(descriptor: &OwnedFd, buffer: &mut [MaybeUninit<u8>], half: &mut Half, queue: &Queue) {
    let mut reader = Reader::new(descriptor.as_fd(), buffer);
    loop {
        let event = match reader.next() {
            Ok(event) => event,
            Err(Errno::INTR) => continue,
            Err(Errno::WOULDBLOCK) => break,
            Err(_) => {
                queue.put(Hint::Missed);
                break;
            }
        };
        let (flags, cookie, watch) = (event.events(), event.cookie(), event.wd());
        if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
            queue.put(Hint::Missed);
            continue;
        }
        if flags.intersects(ReadFlags::IGNORED | ReadFlags::UNMOUNT) {
            queue.put(Hint::Ended(watch));
            continue;
        }
        let Some(name) = event.file_name() else { continue };
        let spot = Spot { watch, name: name.to_bytes().into() };
        if flags.contains(ReadFlags::MOVED_FROM) {
            let before = half.replace((cookie, spot));
            if let Some((_, spot)) = before {
                queue.put(Hint::Vacated(spot));
            }
        } else if flags.contains(ReadFlags::MOVED_TO) {
            match half.take() {
                Some((first, from)) if first == cookie => queue.put(Hint::Moved(from, spot)),
                other => {
                    if let Some((_, from)) = other {
                        queue.put(Hint::Vacated(from));
                    }
                    queue.put(Hint::Filled(spot));
                }
            }
        } else if flags.contains(ReadFlags::DELETE) {
            queue.put(Hint::Vacated(spot));
        } else {
            queue.put(Hint::Filled(spot));
        }
    }
}
