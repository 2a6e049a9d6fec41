//! One pass over all processes.

use super::process::{self, Mapping};
use super::{Found, How, MOST, Subject, Use, User};
use crate::system::{Access, EndMark, Links, Status, System};
use linkwell_model::entry::FileId;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::CWD;
use rustix::io::Errno;
use std::mem::MaybeUninit;

pub(super) fn look(system: System, subject: &Subject<'_>) -> Option<Found> {
    let folder = system.processes()?;
    let mut scout = Scout {
        system,
        subject,
        folder,
        listing: vec![MaybeUninit::uninit(); 16 * 1024],
        text: Vec::new(),
        memory: Vec::new(),
        found: Found::default(),
    };
    scout.all();
    Some(scout.found)
}

struct Scout<'s> {
    system: System,
    subject: &'s Subject<'s>,
    folder: OwnedFd,
    listing: Vec<MaybeUninit<u8>>,
    text: Vec<u8>,
    memory: Vec<u8>,
    found: Found,
}

/// What is known of the process at hand.
struct Seen {
    process: OwnedFd,
    uses: Vec<Use>,
    refused: bool,
}

impl Scout<'_> {
    fn all(&mut self) {
        let own = own_number();
        let open = self.system.open(self.folder.as_fd(), c".", Access::List);
        let Ok(all) = open.and_then(|open| self.numbers(open.as_fd())) else { return };
        let above = self.above(own);
        // Where the first process of all is hidden, so are those of others.
        self.found.hidden = !all.contains(&1);
        for number in all.into_iter().filter(|number| *number != own) {
            // It may have ended meanwhile; its number is not given to another one as long as it is
            // held here.
            let name = number.to_string();
            let Ok(process) = self.system.open(self.folder.as_fd(), name.as_bytes(), Access::Hold)
            else {
                continue;
            };
            let mut seen = Seen { process, uses: Vec::new(), refused: false };
            self.process(&mut seen);
            if seen.refused && !self.stat(seen.process.as_fd()).is_none_or(|stat| stat.empty) {
                self.found.unseen += 1;
                // Its folder says nothing of whose it is: that is root's then (proc(5)).
                let status = self.read(seen.process.as_fd(), b"status").unwrap_or_default();
                let me = rustix::process::geteuid().as_raw();
                self.found.guarded += u64::from(process::user(&status) == Some(me));
            }
            self.tell(number, seen, above.contains(&number));
        }
        self.found.users.sort_by_key(|user| {
            (user.uses.first().map_or(How::Reads, |one| one.how), user.process)
        });
        self.swaps();
    }

    /// The numbers by which a folder of `/proc`, or of a process in it, calls its entries.
    fn numbers(&mut self, at: BorrowedFd<'_>) -> Result<Vec<u32>, Errno> {
        let mut all = Vec::new();
        self.system.list(at, &mut self.listing, EndMark::EmptyRead, |entry| {
            all.extend(entry.name.to_str().ok().and_then(|name| name.parse::<u32>().ok()));
            true
        })?;
        Ok(all)
    }

    /// Those that started the process `of`, up to the first of all.
    fn above(&self, of: u32) -> Vec<u32> {
        let mut all = Vec::new();
        let mut number = of;
        while all.len() < 1000 {
            let name = number.to_string();
            let held = self.system.open(self.folder.as_fd(), name.as_bytes(), Access::Hold);
            let stat = held.ok().and_then(|process| self.stat(process.as_fd()));
            match stat.map(|stat| stat.parent) {
                Some(parent) if parent != 0 => number = parent,
                _ => break,
            }
            all.push(number);
        }
        all
    }

    fn stat(&self, process: BorrowedFd<'_>) -> Option<process::Stat> {
        process::stat(&self.read(process, b"stat").ok()?)
    }

    fn read(&self, process: BorrowedFd<'_>, name: &[u8]) -> Result<Vec<u8>, Errno> {
        let file = self.system.open(process, name, Access::Read)?;
        self.system.read_all(file.as_fd())
    }

    fn process(&mut self, seen: &mut Seen) {
        for (name, how) in [(&b"cwd"[..], How::Stands), (b"root", How::Rooted), (b"exe", How::Runs)]
        {
            if self.entry(seen, None, name) {
                let one = self.named(how);
                seen.uses.push(one);
            }
        }
        self.descriptors(seen).unwrap_or_else(|error| seen.refused |= is_refusal(error));
        self.memory(seen);
    }

    fn descriptors(&mut self, seen: &mut Seen) -> Result<(), Errno> {
        let open = self.system.open(seen.process.as_fd(), c"fd", Access::List)?;
        let at = open.as_fd();
        for number in self.numbers(at)? {
            let name = number.to_string();
            if !self.entry(seen, Some(at), name.as_bytes()) {
                continue;
            }
            // The link's own permission says how the file is open (fs/proc/fd.c). The flags in
            // `fdinfo` say the same, and take 10 times as long to ask for. An error means that it was
            // closed meanwhile.
            let Ok(facts) = self.system.facts(at, name.as_bytes()) else { continue };
            let how = if facts.mode & 0o200 != 0 { How::Writes } else { How::Reads };
            let one = self.named(how);
            seen.uses.push(one);
        }
        Ok(())
    }

    /// Whether one of the links by which the kernel tells what a process holds leads to what the
    /// subject is about. `at` is the folder that holds the link, if it is not the process's own.
    fn entry(&mut self, seen: &mut Seen, at: Option<BorrowedFd<'_>>, name: &[u8]) -> bool {
        let process = seen.process.as_fd();
        let at = at.unwrap_or(process);
        match self.system.read_link(at, name, &mut self.text) {
            // What has no path: pipes, sockets.
            Ok(()) if self.text.first() != Some(&b'/') => return false,
            Ok(()) => {}
            // A path that is longer than the system can say.
            Err(Errno::NAMETOOLONG) => self.text.clear(),
            Err(error) => {
                seen.refused |= is_refusal(error);
                return false;
            }
        }
        let status = self.system.status(at, name, Links::Followed).ok();
        self.is_in(process, status.as_ref())
    }

    /// Whether what was just read as `text` is what the subject is about.
    fn is_in(&self, process: BorrowedFd<'_>, status: Option<&Status>) -> bool {
        let below = below(self.subject, &self.text).is_some();
        let Some(status) = status else {
            return below && !self.text.ends_with(b" (deleted)");
        };
        if status.names == 0 {
            return false;
        }
        if status.id == self.subject.id || (self.subject.belongs)(status.id) {
            return true;
        }
        if !below {
            return false;
        }
        // The path is that of the process's own mounts, which may be others than these.
        let here = self.system.status(CWD, self.text.as_slice(), Links::Kept);
        here.is_ok_and(|here| here.id == status.id)
            || (status.id.device == self.subject.id.device && self.has_these_mounts(process))
    }

    fn has_these_mounts(&self, process: BorrowedFd<'_>) -> bool {
        let name = own_number().to_string();
        let read = |at: BorrowedFd<'_>| {
            let mut text = Vec::new();
            self.system.read_link(at, c"ns/mnt", &mut text).ok().map(|()| text)
        };
        let own = self.system.open(self.folder.as_fd(), name.as_bytes(), Access::Hold);
        own.ok().and_then(|own| read(own.as_fd())).is_some_and(|own| read(process) == Some(own))
    }

    fn named(&self, how: How) -> Use {
        match below(self.subject, &self.text) {
            Some(path) => Use { how, path: path.to_vec(), inside: true },
            None => Use { how, path: self.text.clone(), inside: false },
        }
    }

    /// What a process has in its memory: also what it has closed the descriptor of.
    fn memory(&mut self, seen: &mut Seen) {
        let mut memory = std::mem::take(&mut self.memory);
        memory.clear();
        match self.system.open(seen.process.as_fd(), c"maps", Access::Read) {
            // A process that ends meanwhile leaves less to read.
            Ok(file) => drop(self.system.read_more(file.as_fd(), &mut memory)),
            Err(error) => seen.refused |= is_refusal(error),
        }
        let mut before = None;
        for mapping in memory.split(|byte| *byte == b'\n').filter_map(process::mapping) {
            let this = (mapping.device, mapping.inode, mapping.changes);
            // One file is there in several pieces, one after the other.
            if before.replace(this) != Some(this) {
                self.mapped(seen, &mapping);
            }
        }
        self.memory = memory;
    }

    fn mapped(&mut self, seen: &mut Seen, mapping: &Mapping<'_>) {
        let (major, minor) = mapping.device;
        let told = FileId { device: rustix::fs::makedev(major, minor), inode: mapping.inode };
        let here = FileId { device: self.subject.id.device, inode: mapping.inode };
        let belongs = |id: FileId| id == self.subject.id || (self.subject.belongs)(id);
        // Most lines are of libraries elsewhere, and are done with here.
        let below = if mapping.path.contains(&b'\\') {
            below(self.subject, &process::unescaped(mapping.path)).is_some()
        } else {
            below(self.subject, mapping.path).is_some()
        };
        if !below && !belongs(told) && !belongs(here) {
            return;
        }
        self.text = process::unescaped(mapping.path);
        let process = seen.process.as_fd();
        let name = [b"map_files/", mapping.range].concat();
        // Not everybody may ask so; then the path must lead to that file.
        let status = self.system.status(process, name.as_slice(), Links::Followed).ok();
        let is_in = match &status {
            Some(_) => self.is_in(process, status.as_ref()),
            None => {
                let there = self.system.status(CWD, self.text.as_slice(), Links::Kept);
                belongs(told) || below && there.is_ok_and(|there| there.id.inode == mapping.inode)
            }
        };
        if is_in {
            let one = self.named(if mapping.changes { How::Maps } else { How::Reads });
            seen.uses.push(one);
        }
    }

    fn tell(&mut self, number: u32, mut seen: Seen, above: bool) {
        seen.uses.sort();
        // The same file by many descriptors; and whoever runs a program has it in its memory as well.
        seen.uses.dedup_by(|next, one| next.path == one.path && next.how == one.how);
        let running: Vec<Vec<u8>> = seen
            .uses
            .iter()
            .filter(|one| one.how == How::Runs)
            .map(|one| one.path.clone())
            .collect();
        seen.uses.retain(|one| one.how != How::Reads || !running.contains(&one.path));
        let more = seen.uses.len().saturating_sub(MOST);
        seen.uses.truncate(MOST);
        if seen.uses.is_empty() {
            return;
        }
        let process = seen.process.as_fd();
        let name = self.read(process, b"comm").unwrap_or_default();
        let status = self.read(process, b"status").unwrap_or_default();
        self.found.users.push(User {
            process: number,
            name: name.trim_ascii_end().to_vec(),
            user: process::user(&status).unwrap_or(0),
            above,
            uses: seen.uses,
            more: u64::try_from(more).unwrap_or(u64::MAX),
        });
    }

    fn swaps(&mut self) {
        let text = self.read(self.folder.as_fd(), b"swaps").unwrap_or_default();
        for path in process::swaps(&text) {
            let there = self.system.status(CWD, path.as_slice(), Links::Kept);
            let below = below(self.subject, &path).map(<[u8]>::to_vec);
            let belongs = there
                .is_ok_and(|there| there.id == self.subject.id || (self.subject.belongs)(there.id));
            if below.is_some() || belongs {
                self.found.swaps.push(below.unwrap_or(path));
            }
        }
    }
}

/// What a path adds to the subject's place; nothing for the place itself.
fn below<'p>(subject: &Subject<'_>, path: &'p [u8]) -> Option<&'p [u8]> {
    let place = subject.place.as_bytes();
    let rest = path.strip_prefix(place)?;
    match rest.split_first() {
        None => Some(rest),
        Some((b'/', rest)) => Some(rest),
        Some(_) => place.ends_with(b"/").then_some(rest),
    }
}

fn is_refusal(error: Errno) -> bool {
    matches!(error, Errno::ACCESS | Errno::PERM)
}

fn own_number() -> u32 {
    std::process::id()
}
