//! Where a handle leads now: opening objects by the names that the kernel gave them.
//!
//! Root may do it directly. For everybody else a child process does it, in a user and a mount namespace of
//! its own, for folders only, below a folder that belongs to the user (seen on Linux 6.18; older kernels,
//! and systems that forbid such namespaces, refuse). Whether it can be had is found out by trying.
//!
//! An answer is a hint. The path of a handle is taken only when that very object stands there: it may be
//! `/` (of a file that nobody has looked at), or end in ` (deleted)`.

use crate::system::{Access, System};
use linkwell_calls::handle::{self, Raw};
use linkwell_model::keep::likeness::Handle;
use linkwell_model::path::AbsPath;
use rustix::fd::{AsFd as _, BorrowedFd};
use rustix::fs::{CWD, Mode, OFlags};
use rustix::io::Errno;
use rustix::thread::UnshareFlags;
use std::collections::HashSet;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The word with which a program starts itself as the child.
pub const WORD: &str = "reach";

/// Where a handle leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// Here: a path that holds this very object.
    At(AbsPath),
    /// There is no such object any more. Only root can be told so.
    Gone,
    /// Nobody can say.
    Unknown,
}

/// How handles are opened.
#[derive(Debug)]
enum Way {
    /// By this process, as long as it may.
    Direct,
    /// By the child, once there is something that it could open: to start it takes as long as looking at hundreds of links.
    Later,
    /// By the child.
    Child(Box<Helper>),
    /// Not at all, for this reason.
    Not(String),
}

/// Opens handles.
#[derive(Debug)]
pub struct Reach {
    system: System,
    program: Option<PathBuf>,
    way: Way,
}

impl Reach {
    /// `program`: what, called with [`WORD`], calls [`serve`] before it has any thread; this program.
    pub fn new(system: System, program: Option<&Path>) -> Self {
        let way = if system.has_handles() {
            Way::Direct
        } else {
            Way::Not("this system has no handles".into())
        };
        Self { system, program: program.map(Path::to_path_buf), way }
    }

    /// Why handles cannot be opened here, as far as that was found out.
    pub fn absent(&self) -> Option<&str> {
        match &self.way {
            Way::Not(why) => Some(why),
            Way::Direct | Way::Later | Way::Child(_) => None,
        }
    }

    /// Where the object of `handle` is now. `mount` is a folder on its volume; `own` gives folders there that
    /// belong to this user, the widest first, for the child.
    pub fn place<'o>(
        &mut self,
        mount: &AbsPath,
        own: impl FnOnce() -> &'o [AbsPath],
        handle: &Handle,
        folder: bool,
    ) -> Place {
        let raw = Raw { kind: handle.kind, bytes: handle.bytes.to_vec(), mount: 0 };
        if matches!(self.way, Way::Direct) {
            match opened(self.system, mount, &raw, folder) {
                Ok(place) => return place,
                Err(Errno::PERM) => self.way = Way::Later,
                Err(Errno::STALE) => return Place::Gone,
                Err(_) => return Place::Unknown,
            }
        }
        if !folder {
            return Place::Unknown;
        }
        if matches!(self.way, Way::Later) {
            self.start();
        }
        let Way::Child(helper) = &mut self.way else { return Place::Unknown };
        for base in own() {
            match helper.ask(base, &raw) {
                Ok(Some(place)) => return Place::At(place),
                // ESTALE is no proof here: a folder of somebody else on the way gives it, too.
                Ok(None) => {}
                Err(error) => {
                    self.way = Way::Not(error.to_string());
                    break;
                }
            }
        }
        Place::Unknown
    }

    fn start(&mut self) {
        let started = self
            .program
            .as_deref()
            .ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
            .and_then(Helper::start);
        self.way = match started {
            Ok(helper) => Way::Child(Box::new(helper)),
            Err(error) => Way::Not(format!(
                "only root may open handles, and a namespace of one's own cannot be had: {error}"
            )),
        };
    }
}

/// Opens a handle, and finds the place of what was opened.
fn opened(system: System, mount: &AbsPath, raw: &Raw, folder: bool) -> Result<Place, Errno> {
    let mount = system.open_typed(mount.as_bytes(), Access::List)?;
    let held = handle::open(&mount, raw, folder)?;
    // Which is checked: that place must hold this object.
    Ok(system.place_of(held.as_fd(), b"").map_or(Place::Unknown, Place::At))
}

/// The child, and the two pipes to it.
#[derive(Debug)]
struct Helper {
    child: Child,
    asks: Option<BufWriter<ChildStdin>>,
    answers: BufReader<ChildStdout>,
    /// Folders below which the system opens no handle for the child, whichever that is (may_decode_fh in fs/fhandle.c
    /// looks at the folder alone).
    refused: HashSet<AbsPath>,
}

/// What the child says where the system refuses; no path, which an answer is otherwise.
const REFUSED: &[u8] = b"refused";

impl Helper {
    fn start(program: &Path) -> io::Result<Self> {
        let mut child = Command::new(program)
            .arg(WORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let missing = || io::Error::from(io::ErrorKind::BrokenPipe);
        let asks = child.stdin.take().ok_or_else(missing)?;
        let answers = child.stdout.take().ok_or_else(missing)?;
        let (asks, answers) = (BufWriter::new(asks), BufReader::new(answers));
        let mut helper = Self { child, asks: Some(asks), answers, refused: HashSet::new() };
        // The child says first whether it has its namespaces.
        let said = read_frame(&mut helper.answers)?;
        if said == b"ready" {
            return Ok(helper);
        }
        Err(io::Error::other(String::from_utf8_lossy(&said).into_owned()))
    }

    fn ask(&mut self, base: &AbsPath, raw: &Raw) -> io::Result<Option<AbsPath>> {
        if self.refused.contains(base) {
            return Ok(None);
        }
        let Some(asks) = &mut self.asks else {
            return Err(io::Error::from(io::ErrorKind::BrokenPipe));
        };
        write_frame(asks, base.as_bytes())?;
        write_frame(asks, &raw.kind.to_le_bytes())?;
        write_frame(asks, &raw.bytes)?;
        asks.flush()?;
        let said = read_frame(&mut self.answers)?;
        if said == REFUSED {
            self.refused.insert(base.clone());
        }
        Ok(AbsPath::cleaned(&said))
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // It ends when nobody asks any more.
        self.asks = None;
        drop(self.child.wait());
    }
}

/// What the child does: takes namespaces of its own, then answers from standard input to standard output
/// until nobody asks any more. To be called before the process has any thread but its first.
///
/// # Errors
/// When the pipes break; that the namespaces are refused is told through them.
pub fn serve() -> io::Result<()> {
    let (mut asks, mut answers) = (io::stdin().lock(), io::stdout().lock());
    let system = System::new();
    if let Err(error) = alone() {
        write_frame(&mut answers, crate::survey::reason(error).as_bytes())?;
        return answers.flush();
    }
    write_frame(&mut answers, b"ready")?;
    answers.flush()?;
    loop {
        let base = match read_frame(&mut asks) {
            Ok(base) => base,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        let kind = read_frame(&mut asks)?;
        let bytes = read_frame(&mut asks)?;
        let kind = <[u8; 4]>::try_from(kind.as_slice()).map(i32::from_le_bytes).unwrap_or_default();
        let raw = Raw { kind, bytes, mount: 0 };
        let place = AbsPath::cleaned(&base).map(|base| opened(system, &base, &raw, true));
        match place {
            Some(Ok(Place::At(place))) => write_frame(&mut answers, place.as_bytes())?,
            Some(Err(Errno::PERM)) => write_frame(&mut answers, REFUSED)?,
            _ => write_frame(&mut answers, b"")?,
        }
        answers.flush()?;
    }
}

/// A user namespace in which only this user exists, and a mount namespace that belongs to it.
fn alone() -> Result<(), Errno> {
    let (user, group) = (rustix::process::geteuid(), rustix::process::getegid());
    #[expect(
        deprecated,
        reason = "what may not be unshared safely is the table of files, and this is not it"
    )]
    rustix::thread::unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNS)?;
    // user_namespaces(7): a group may be mapped only when setgroups(2) is given up.
    for (file, text) in [
        (c"/proc/self/setgroups", "deny".to_owned()),
        (c"/proc/self/uid_map", format!("{0} {0} 1", user.as_raw())),
        (c"/proc/self/gid_map", format!("{0} {0} 1", group.as_raw())),
    ] {
        let file = rustix::fs::openat(CWD, file, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
        write_once(file.as_fd(), text.as_bytes())?;
    }
    Ok(())
}

/// These files take their text in one piece.
fn write_once(file: BorrowedFd<'_>, text: &[u8]) -> Result<(), Errno> {
    let written = rustix::io::write(file, text)?;
    if written == text.len() { Ok(()) } else { Err(Errno::IO) }
}

/// No frame is longer: a path, or a handle.
const LONGEST: u32 = 1 << 20;

fn write_frame(to: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    to.write_all(&length.to_le_bytes())?;
    to.write_all(bytes)
}

fn read_frame(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let length = u32::from_le_bytes(length);
    if length > LONGEST {
        return Err(io::Error::from(io::ErrorKind::InvalidData));
    }
    let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}
