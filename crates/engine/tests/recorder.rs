//! A door that records what went through it, so that a power cut can be made afterwards: what was not
//! synced is taken out again, in every order that a file system might have lost it in.
//!
//! The model: each call happens whole or not at all; a call that needs another (the same name, or a
//! name in a folder that the other made) is not there without it; a synced folder has all of its
//! calls, a synced file its bytes; of other bytes any beginning is there, or zeros. The tree and the
//! state folder are taken for two volumes. Objects keep their identity: nothing is copied, what was
//! dropped is only set aside until it is known what is lost.

use crate::faulty::{Fault, Faulty, Lacks};
use crate::support::Random;
use linkwell_calls::attributes::Attributes;
use linkwell_engine::disk::{Disk, Special, Unix};
use linkwell_model::entry::Time;
use linkwell_model::name::Name;
use linkwell_model::target::Target;
use rustix::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::Mutex;

/// A name in a folder, by the folder's inode number.
type Entry = (u64, Name);

/// What a call did, as far as it must be known to take it out again.
enum Call {
    Make { at: OwnedFd, name: Name, folder: Option<u64> },
    Rename { at: OwnedFd, name: Name, to: OwnedFd, new: Name, over: Option<String> },
    Exchange { at: OwnedFd, name: Name, other: OwnedFd, with: Name },
    Drop { at: OwnedFd, name: Name, aside: String, folder: Option<u64> },
}

struct Event {
    call: Call,
    entries: Vec<Entry>,
    of_state: bool,
    lasts: bool,
}

struct Bytes {
    /// Only held: nobody is to take the recorder for a writer.
    file: OwnedFd,
    synced: u64,
    of_state: bool,
}

#[derive(Default)]
struct Log {
    events: Vec<Event>,
    files: BTreeMap<u64, Bytes>,
}

pub(crate) struct Recorder {
    door: Faulty,
    side: PathBuf,
    state: PathBuf,
    log: Mutex<Log>,
}

fn held(fd: BorrowedFd<'_>) -> OwnedFd {
    rustix::io::fcntl_dupfd_cloexec(fd, 0).expect("a descriptor")
}

/// The file of a descriptor, opened anew.
fn again(fd: BorrowedFd<'_>, how: OFlags) -> OwnedFd {
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    rustix::fs::open(path, how | OFlags::CLOEXEC, Mode::empty()).expect("it is held")
}

fn inode(fd: BorrowedFd<'_>) -> u64 {
    rustix::fs::fstat(fd).expect("it is held").st_ino
}

impl Recorder {
    /// `side` is an empty folder of its own on the same volume.
    pub(crate) fn new(fault: Fault, lacks: Lacks, side: PathBuf, state: PathBuf) -> Self {
        std::fs::create_dir(&side).expect("a folder");
        Self { door: Faulty::new(fault, lacks), side, state, log: Mutex::default() }
    }

    fn is_state(&self, fd: BorrowedFd<'_>) -> bool {
        let path = std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd()));
        path.expect("a path").starts_with(&self.state)
    }

    fn note(&self, call: Call, entries: &[(BorrowedFd<'_>, &Name)]) {
        let of_state = self.is_state(entries[0].0);
        let entries = entries.iter().map(|(at, name)| (inode(*at), (*name).clone())).collect();
        let event = Event { call, entries, of_state, lasts: false };
        self.log.lock().expect("unpoisoned").events.push(event);
    }

    fn set_aside(&self, at: BorrowedFd<'_>, name: &Name) -> Result<String, Errno> {
        let aside = format!("{}", self.log.lock().expect("unpoisoned").events.len());
        rustix::fs::renameat(at, name.as_bytes(), CWD, self.side.join(&aside))?;
        Ok(aside)
    }

    fn wrote(&self, file: BorrowedFd<'_>) {
        let of_state = self.is_state(file);
        // What was there before the recording began is taken to last.
        let size = rustix::fs::fstat(file).expect("a file").st_size;
        let synced = u64::try_from(size).expect("a length");
        let files = &mut self.log.lock().expect("unpoisoned").files;
        let fresh = || Bytes { file: again(file, OFlags::PATH), synced, of_state };
        files.entry(inode(file)).or_insert_with(fresh);
    }

    /// Whether `later` cannot be without `earlier`.
    fn needs(later: &Event, earlier: &Event) -> bool {
        let shares = later.entries.iter().any(|entry| earlier.entries.contains(entry));
        let inside = |folder: Option<u64>, other: &Event| {
            folder.is_some_and(|folder| other.entries.iter().any(|(at, _)| *at == folder))
        };
        let made = match &earlier.call {
            Call::Make { folder, .. } => inside(*folder, later),
            _ => false,
        };
        let emptied = match &later.call {
            Call::Drop { folder, .. } => inside(*folder, earlier),
            _ => false,
        };
        shares || made || emptied
    }

    /// How many calls a cut now could lose.
    pub(crate) fn unsynced(&self) -> usize {
        let log = self.log.lock().expect("unpoisoned");
        log.events.iter().filter(|event| !event.lasts).count()
    }

    /// Makes the power cut. With bit `n` of `kept` unset, the n-th call that was not synced is lost if
    /// it can be; every call that needs it with it.
    pub(crate) fn cut(self, kept: u64, random: &mut Random) {
        let log = self.log.into_inner().expect("unpoisoned");
        let mut stays: Vec<bool> = Vec::new();
        let mut bit = 0;
        for (number, event) in log.events.iter().enumerate() {
            let mut stay = event.lasts;
            if !stay {
                let before = log.events[..number].iter().zip(&stays);
                let whole = before.filter(|(other, _)| Self::needs(event, other));
                stay = kept >> bit & 1 == 1 && whole.clone().all(|(_, stays)| *stays);
                bit = (bit + 1) % 64;
            }
            stays.push(stay);
        }
        for (event, stays) in log.events.iter().zip(&stays).rev() {
            if !stays {
                take_out(&event.call, &self.side);
            }
        }
        for bytes in log.files.values() {
            let length = u64::try_from(rustix::fs::fstat(&bytes.file).expect("a file").st_size);
            let length = length.expect("a length");
            if length <= bytes.synced {
                continue;
            }
            let lost = usize::try_from(length - bytes.synced).expect("small");
            let to = match random.below(4) {
                0 => length,
                1 => bytes.synced,
                _ => bytes.synced + u64::try_from(random.below(lost + 1)).expect("small"),
            };
            let file = again(bytes.file.as_fd(), OFlags::WRONLY);
            rustix::fs::ftruncate(&file, to).expect("it can be cut");
            // The length may last before the bytes do.
            if random.percent(25) {
                rustix::fs::ftruncate(&file, length).expect("it can be filled");
            }
        }
        std::fs::remove_dir_all(&self.side).expect("what was dropped goes for good");
    }
}

fn take_out(call: &Call, side: &std::path::Path) {
    let back = |from: &OwnedFd, name: &Name, to: &OwnedFd, new: &Name| {
        rustix::fs::renameat(from, name.as_bytes(), to, new.as_bytes()).expect("it goes back");
    };
    let from_aside = |aside: &str, at: &OwnedFd, name: &Name| {
        rustix::fs::renameat(CWD, side.join(aside), at, name.as_bytes()).expect("it comes back");
    };
    match call {
        Call::Make { at, name, folder } => {
            let flags = if folder.is_some() { AtFlags::REMOVEDIR } else { AtFlags::empty() };
            rustix::fs::unlinkat(at, name.as_bytes(), flags).expect("it was made");
        }
        Call::Rename { at, name, to, new, over } => {
            back(to, new, at, name);
            if let Some(aside) = over {
                from_aside(aside, to, new);
            }
        }
        Call::Exchange { at, name, other, with } => {
            let flags = rustix::fs::RenameFlags::EXCHANGE;
            rustix::fs::renameat_with(at, name.as_bytes(), other, with.as_bytes(), flags)
                .expect("they go back");
        }
        Call::Drop { at, name, aside, .. } => from_aside(aside, at, name),
    }
}

impl Recorder {
    /// A folder was made.
    fn note_folder(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW;
        let made = rustix::fs::openat(at, name.as_bytes(), flags, Mode::empty())?;
        let folder = Some(inode(made.as_fd()));
        self.note(Call::Make { at: held(at), name: name.clone(), folder }, &[(at, name)]);
        Ok(())
    }
}

impl Disk for Recorder {
    fn make_folder(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        self.door.make_folder(at, name)?;
        self.note_folder(at, name)
    }

    fn make_common_folder(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        self.door.make_common_folder(at, name)?;
        self.note_folder(at, name)
    }

    fn make_link(&self, at: BorrowedFd<'_>, name: &Name, target: &Target) -> Result<(), Errno> {
        self.door.make_link(at, name, target)?;
        self.note(Call::Make { at: held(at), name: name.clone(), folder: None }, &[(at, name)]);
        Ok(())
    }

    fn make_name(
        &self,
        file: BorrowedFd<'_>,
        from: BorrowedFd<'_>,
        of: &Name,
        at: BorrowedFd<'_>,
        name: &Name,
    ) -> Result<(), Errno> {
        self.door.make_name(file, from, of, at, name)?;
        let call = Call::Make { at: held(at), name: name.clone(), folder: None };
        self.note(call, &[(at, name), (from, of)]);
        Ok(())
    }

    fn make_file(&self, at: BorrowedFd<'_>, name: &Name) -> Result<OwnedFd, Errno> {
        let file = self.door.make_file(at, name)?;
        self.note(Call::Make { at: held(at), name: name.clone(), folder: None }, &[(at, name)]);
        Ok(file)
    }

    fn make_file_as(&self, at: BorrowedFd<'_>, name: &Name, mode: u32) -> Result<OwnedFd, Errno> {
        let file = self.door.make_file_as(at, name, mode)?;
        self.note(Call::Make { at: held(at), name: name.clone(), folder: None }, &[(at, name)]);
        Ok(file)
    }

    fn make_special(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        special: Special,
        mode: u32,
    ) -> Result<(), Errno> {
        self.door.make_special(at, name, special, mode)?;
        self.note(Call::Make { at: held(at), name: name.clone(), folder: None }, &[(at, name)]);
        Ok(())
    }

    fn write(&self, file: BorrowedFd<'_>, bytes: &[u8]) -> Result<(), Errno> {
        self.wrote(file);
        self.door.write(file, bytes)
    }

    fn write_at(&self, file: BorrowedFd<'_>, bytes: &[u8], at: u64) -> Result<(), Errno> {
        self.wrote(file);
        self.door.write_at(file, bytes, at)
    }

    fn copy(
        &self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        stretch: Range<u64>,
    ) -> Result<u64, Errno> {
        self.wrote(to);
        self.door.copy(from, to, stretch)
    }

    fn share(&self, from: BorrowedFd<'_>, to: BorrowedFd<'_>) -> Result<(), Errno> {
        self.wrote(to);
        self.door.share(from, to)
    }

    fn share_stretch(
        &self,
        from: (BorrowedFd<'_>, u64),
        to: BorrowedFd<'_>,
        stretch: Range<u64>,
    ) -> Result<(), Errno> {
        self.wrote(to);
        self.door.share_stretch(from, to, stretch)
    }

    fn allocate(&self, file: BorrowedFd<'_>, stretch: Range<u64>) -> Result<(), Errno> {
        self.door.allocate(file, stretch)
    }

    fn cut(&self, file: BorrowedFd<'_>, length: u64) -> Result<(), Errno> {
        self.door.cut(file, length)?;
        // Cut and written anew: of that nothing is safe before the next sync.
        let mut log = self.log.lock().expect("unpoisoned");
        if let Some(bytes) = log.files.get_mut(&inode(file)) {
            bytes.synced = bytes.synced.min(length);
        }
        Ok(())
    }

    fn exchange(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        other: BorrowedFd<'_>,
        with: &Name,
    ) -> Result<(), Errno> {
        self.door.exchange(at, name, other, with)?;
        let (from, to) = (held(at), held(other));
        let call = Call::Exchange { at: from, name: name.clone(), other: to, with: with.clone() };
        self.note(call, &[(at, name), (other, with)]);
        Ok(())
    }

    fn rename_new(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        to: BorrowedFd<'_>,
        new: &Name,
    ) -> Result<(), Errno> {
        self.door.rename_new(at, name, to, new)?;
        let (from, into) = (held(at), held(to));
        let call =
            Call::Rename { at: from, name: name.clone(), to: into, new: new.clone(), over: None };
        self.note(call, &[(at, name), (to, new)]);
        Ok(())
    }

    fn rename_over(
        &self,
        at: BorrowedFd<'_>,
        name: &Name,
        to: BorrowedFd<'_>,
        new: &Name,
    ) -> Result<(), Errno> {
        self.door.whole("rename_over")?;
        let over = self.set_aside(to, new).ok();
        Unix.rename_over(at, name, to, new)?;
        let (from, into) = (held(at), held(to));
        let call = Call::Rename { at: from, name: name.clone(), to: into, new: new.clone(), over };
        self.note(call, &[(at, name), (to, new)]);
        Ok(())
    }

    fn drop_name(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        self.door.whole("drop_name")?;
        let aside = self.set_aside(at, name)?;
        let call = Call::Drop { at: held(at), name: name.clone(), aside, folder: None };
        self.note(call, &[(at, name)]);
        Ok(())
    }

    fn drop_folder(&self, at: BorrowedFd<'_>, name: &Name) -> Result<(), Errno> {
        self.door.whole("drop_folder")?;
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
        let folder = rustix::fs::openat(at, name.as_bytes(), flags, Mode::empty())?;
        let path = format!("/proc/self/fd/{}", folder.as_raw_fd());
        if std::fs::read_dir(path).expect("a folder").next().is_some() {
            return Err(Errno::NOTEMPTY);
        }
        let aside = self.set_aside(at, name)?;
        let folder = Some(inode(folder.as_fd()));
        self.note(Call::Drop { at: held(at), name: name.clone(), aside, folder }, &[(at, name)]);
        Ok(())
    }

    fn own(&self, held: BorrowedFd<'_>, owner: u32, group: u32) -> Result<(), Errno> {
        self.door.own(held, owner, group)
    }

    fn permit(&self, held: BorrowedFd<'_>, mode: u32) -> Result<(), Errno> {
        self.door.permit(held, mode)
    }

    fn times(&self, held: BorrowedFd<'_>, accessed: Time, modified: Time) -> Result<(), Errno> {
        self.door.times(held, accessed, modified)
    }

    fn mark(&self, held: BorrowedFd<'_>, name: &[u8], value: &[u8]) -> Result<(), Errno> {
        self.door.mark(held, name, value)
    }

    fn flag(&self, held: BorrowedFd<'_>, attributes: &Attributes) -> Result<(), Errno> {
        self.door.flag(held, attributes)
    }

    fn sync(&self, held: BorrowedFd<'_>) -> Result<(), Errno> {
        self.door.sync(held)?;
        let number = inode(held);
        let mut log = self.log.lock().expect("unpoisoned");
        if let Some(bytes) = log.files.get_mut(&number) {
            let size = rustix::fs::fstat(held).expect("a file").st_size;
            bytes.synced = u64::try_from(size).expect("a length");
        }
        for at in (0..log.events.len()).rev() {
            let needed = log.events[at + 1..]
                .iter()
                .any(|later| later.lasts && Self::needs(later, &log.events[at]));
            let here = log.events[at].entries.iter().any(|(folder, _)| *folder == number);
            log.events[at].lasts |= here || needed;
        }
        Ok(())
    }

    fn sync_volume(&self, held: BorrowedFd<'_>) -> Result<(), Errno> {
        self.door.sync_volume(held)?;
        let of_state = self.is_state(held);
        let mut log = self.log.lock().expect("unpoisoned");
        for bytes in log.files.values_mut().filter(|bytes| bytes.of_state == of_state) {
            let size = rustix::fs::fstat(&bytes.file).expect("a file").st_size;
            bytes.synced = u64::try_from(size).expect("a length");
        }
        for event in log.events.iter_mut().filter(|event| event.of_state == of_state) {
            event.lasts = true;
        }
        Ok(())
    }
}

/// The names in a folder, sorted.
pub(crate) fn names_in(folder: &std::path::Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder).expect("a folder").flatten();
    let mut names: Vec<Vec<u8>> =
        entries.map(|entry| entry.file_name().as_bytes().to_vec()).collect();
    names.sort();
    names
}
