//! What is mounted, what should be, and whether it answers.

use crate::live::Live;
use crate::system::{Access, System};
use linkwell_model::expected::{self, Absent, Anchor, Evidence};
use linkwell_model::path::AbsPath;
use linkwell_model::view::View as _;
use linkwell_model::volume::{self, Manner, Mount, Mounts};
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// What the volumes' rules need from the outside.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The person's home folder.
    pub home: Option<AbsPath>,
    /// linkwell's own state folder, for remembering where volumes were attached.
    pub state: Option<AbsPath>,
    /// How long a remote volume may take to answer.
    pub time_limit: Duration,
    /// A program that, called with `answers PATH`, ends with 0 when it could look at PATH: this
    /// program itself. A child process can be left behind when a mount hangs; a thread cannot,
    /// since a process does not end while one of its threads waits in the kernel.
    pub answers: Option<PathBuf>,
}

/// The volumes of this computer, as one run sees them.
#[derive(Debug)]
pub struct Volumes {
    system: System,
    settings: Settings,
    mounts: Mounts,
    /// Mounts in sight that may wait for ever or wake something up.
    hazards: Vec<(AbsPath, u64)>,
    anchors: OnceLock<Vec<Anchor>>,
    /// The person's own folders that can be looked at.
    reach: OnceLock<Vec<AbsPath>>,
    /// Whether each mount that was asked gave an answer, and when.
    answered: Mutex<HashMap<u64, (bool, Instant)>>,
    doubts: AtomicU64,
    turn: Mutex<()>,
    asking: AtomicUsize,
    asked: Mutex<Option<Instant>>,
}

impl Volumes {
    /// Reads what is mounted now.
    pub fn read(system: System, settings: Settings) -> Self {
        let mounts = system.mounts();
        let hazards = mounts
            .below(&AbsPath::root())
            .chain(mounts.covering(&AbsPath::root()))
            .filter(|mount| {
                let manner = volume::manner(&mount.fs_type);
                manner == Manner::OnDemand || (manner == Manner::Remote && !is_own_disk(mount))
            })
            .map(|mount| (mount.point.clone(), mount.id))
            .collect();
        Self {
            system,
            settings,
            mounts,
            hazards,
            anchors: OnceLock::new(),
            reach: OnceLock::new(),
            answered: Mutex::default(),
            doubts: AtomicU64::new(0),
            turn: Mutex::new(()),
            asking: AtomicUsize::new(0),
            asked: Mutex::new(None),
        }
    }

    /// The table of mounts.
    pub fn mounts(&self) -> &Mounts {
        &self.mounts
    }

    /// How long a remote volume may take to answer.
    pub fn time_limit(&self) -> Duration {
        self.settings.time_limit
    }

    /// Whether links are not followed on some volume (mount(8), `nosymfollow`).
    pub fn refuse_links(&self) -> bool {
        self.mounts.iter().any(|mount| mount.refuses_links)
    }

    /// Whether any mount in sight may hang or be woken by a look at it.
    pub fn may_hang(&self) -> bool {
        !self.hazards.is_empty()
    }

    /// Whether the mount point at exactly this place must not be passed: an automount that would
    /// be triggered, or a remote volume that gives no answer. Other places always may.
    pub fn may_enter(&self, place: &AbsPath) -> bool {
        let Some((_, id)) = self.hazards.iter().find(|(point, _)| point == place) else {
            return true;
        };
        self.mounts.by_id(*id).is_none_or(|mount| self.answers(mount))
    }

    /// Whether a look at a place, by names only, waits for nobody and wakes nobody: every mount point on
    /// the way, and the place itself, may be passed.
    pub fn gives_answer(&self, place: &AbsPath) -> bool {
        let mut hazards = self.hazards.iter();
        hazards.all(|(point, _)| !place.is_at_or_below(point) || self.may_enter(point))
    }

    /// Whether a mount answers within the time limit; asked once in a run, unless there is
    /// [doubt](Self::doubt) or [time](Self::ask_again).
    pub fn answers(&self, mount: &Mount) -> bool {
        match volume::manner(&mount.fs_type) {
            Manner::OnDemand => return false,
            Manner::Remote => {}
            Manner::Local | Manner::Virtual => return true,
        }
        let known = || self.lock_answered().get(&mount.id).map(|(answers, _)| *answers);
        if let Some(known) = known() {
            return known;
        }
        self.asking.fetch_add(1, Ordering::AcqRel);
        // One at a time: who waits here for somebody else's answer need not ask again.
        let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = known().unwrap_or_else(|| {
            let answer = self.ask(&mount.point);
            self.lock_answered().insert(mount.id, (answer, Instant::now()));
            answer
        });
        drop(turn);
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.asking.fetch_sub(1, Ordering::AcqRel);
        answer
    }

    /// Lets every remote volume be asked anew when it is to be looked at next; those that gave no answer
    /// only after `patience`, since each asking waits the whole time limit.
    pub fn ask_again(&self, patience: Duration) {
        if self.may_hang() {
            let mut answered = self.lock_answered();
            answered.retain(|_, (answers, asked)| !*answers && asked.elapsed() < patience);
        }
    }

    fn lock_answered(&self) -> MutexGuard<'_, HashMap<u64, (bool, Instant)>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long nobody has been waiting for a volume's answer; `None` while somebody is. Waiting
    /// here is bounded, and must not be taken for hanging.
    pub fn quiet_for(&self) -> Option<Duration> {
        if self.asking.load(Ordering::Acquire) > 0 {
            return None;
        }
        let asked = *self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        Some(asked.map_or(Duration::MAX, |asked| asked.elapsed()))
    }

    /// Something that answered has stopped: every remote volume is asked anew before it is
    /// looked at again.
    pub fn doubt(&self) {
        self.lock_answered().retain(|_, (answers, _)| !*answers);
        self.doubts.fetch_add(1, Ordering::Release);
    }

    /// How often there has been doubt. What was learned before the last one may not be passed by
    /// again without asking.
    pub fn doubts(&self) -> u64 {
        self.doubts.load(Ordering::Acquire)
    }

    /// Whether something on this mount can be looked at without waiting for anyone.
    pub fn is_prompt(&self, mount: Option<u64>) -> bool {
        let mount = mount.and_then(|id| self.mounts.by_id(id));
        mount.is_some_and(|mount| volume::manner(&mount.fs_type) == Manner::Local)
    }

    fn ask(&self, place: &AbsPath) -> bool {
        use std::os::unix::ffi::OsStrExt as _;
        let Some(program) = &self.settings.answers else {
            return self.ask_in_a_thread(place);
        };
        let child = Command::new(program)
            .arg("answers")
            .arg(std::ffi::OsStr::from_bytes(place.as_bytes()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut child) = child else {
            return self.ask_in_a_thread(place);
        };
        let asked = Instant::now();
        loop {
            match child.try_wait() {
                // Any end is an answer, refusals too: what matters is that it did not hang.
                Ok(Some(_)) => return true,
                Ok(None) if asked.elapsed() < self.settings.time_limit => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                _ => {
                    // It may be past killing; it is nobody's parent and holds nothing of ours.
                    drop(child.kill());
                    return false;
                }
            }
        }
    }

    fn ask_in_a_thread(&self, place: &AbsPath) -> bool {
        let (tell, told) = std::sync::mpsc::channel();
        let (system, place) = (self.system, place.clone());
        std::thread::spawn(move || {
            look_at(system, &place);
            // The asker may have stopped listening.
            tell.send(()).unwrap_or_default();
        });
        told.recv_timeout(self.settings.time_limit).is_ok()
    }

    /// The volume that should hold a missing place and is not attached.
    ///
    /// `rest` is what was to follow the missing place.
    pub fn absent(&self, place: &AbsPath, rest: &[u8]) -> Option<Absent> {
        let anchors = self.anchors.get_or_init(|| self.read_anchors());
        expected::absent(&self.mounts, anchors, place, rest)
    }

    fn read_anchors(&self) -> Vec<Anchor> {
        let fstab = self.system.read_file(b"/etc/fstab").unwrap_or_default();
        let mut anchors = expected::fstab_anchors(&fstab);
        // The vendor's own units (/usr/lib/systemd) are left out: they attach the system's
        // memory file systems, not volumes.
        let mut folders: Vec<Vec<u8>> = [
            "/etc/systemd/system",
            "/run/systemd/system",
            "/run/systemd/generator",
            "/run/systemd/transient",
            "/etc/systemd/user",
        ]
        .map(Vec::from)
        .to_vec();
        if let Some(home) = self.settings.home.as_ref().filter(|home| self.is_in_reach(home)) {
            folders.push(home.joined(b".config/systemd/user").as_bytes().to_vec());
        }
        for folder in folders {
            self.read_units(&folder, &mut anchors);
        }
        if let Some(state) = self.settings.state.as_ref().filter(|state| self.is_in_reach(state)) {
            let remembered = crate::memory::recall(self.system, state);
            anchors.extend(
                remembered
                    .into_iter()
                    .map(|point| Anchor { point, evidence: Evidence::Remembered }),
            );
        }
        anchors
    }

    /// Finds out which of the person's own folders can be looked at: a home folder may lie on a
    /// server that is away. Until this was done, none is looked at.
    pub fn find_reach(self: &Arc<Self>) {
        let mut live = Live::new(self.system, Arc::clone(self));
        let places = [&self.settings.home, &self.settings.state].into_iter().flatten();
        let reached = places.filter(|place| {
            let root = live.root();
            !self.may_hang() || live.unanswered(&root, &[place.as_bytes(), b"/"].concat()).is_none()
        });
        self.reach.get_or_init(|| reached.cloned().collect());
    }

    /// Whether one of the person's own folders can be looked at without hanging; see
    /// [`Volumes::find_reach`].
    pub fn is_in_reach(&self, place: &AbsPath) -> bool {
        self.reach.get().is_some_and(|places| places.contains(place))
    }

    /// Remembers where volumes are attached now, for when they no longer are.
    ///
    /// Writes only linkwell's own state, and only when there is something new.
    pub fn remember(&self) {
        let Some(state) = self.settings.state.as_ref().filter(|state| self.is_in_reach(state))
        else {
            return;
        };
        let worth = expected::worth_remembering(&self.mounts, &[]);
        if worth.is_empty() {
            return;
        }
        let anchors = self.anchors.get_or_init(|| self.read_anchors());
        let fresh = expected::worth_remembering(&self.mounts, anchors).into_iter().collect();
        crate::memory::remember(self.system, state, &fresh);
    }

    fn read_units(&self, folder: &[u8], anchors: &mut Vec<Anchor>) {
        use rustix::fd::AsFd as _;
        let Ok(held) = self.system.open_typed(folder, Access::List) else {
            return;
        };
        let mut names = Vec::new();
        let mut buffer = Vec::with_capacity(16 * 1024);
        let listed = self.system.list(
            held.as_fd(),
            buffer.spare_capacity_mut(),
            crate::system::EndMark::EmptyRead,
            |entry| {
                names.push(entry.name.to_bytes().to_vec());
                true
            },
        );
        if listed.is_err() {
            return;
        }
        for name in names {
            let unit = [b".mount".as_slice(), b".automount", b".service"];
            if !unit.iter().any(|ending| name.ends_with(ending)) {
                continue;
            }
            let path = [folder, b"/", &name].concat();
            let Ok(text) = self.system.read_file(&path) else {
                continue;
            };
            anchors.extend(expected::unit_anchor(&name, &text));
            anchors.extend(expected::service_anchor(&name, &text, self.settings.home.as_ref()));
        }
    }
}

/// A 9p or virtiofs mount at `/` is a virtual machine's own disk; if that hangs, so does all.
fn is_own_disk(mount: &Mount) -> bool {
    mount.point == AbsPath::root()
}

/// Looks at a place as a walk would: its status, and the first of its entries. The result does
/// not matter, only that it comes.
pub fn look_at(system: System, place: &AbsPath) {
    use rustix::fd::AsFd as _;
    if let Ok(held) = system.open_typed(place.as_bytes(), Access::List) {
        let mut buffer = Vec::with_capacity(4096);
        // Whether it could be read does not matter.
        system
            .list(
                held.as_fd(),
                buffer.spare_capacity_mut(),
                crate::system::EndMark::EmptyRead,
                |_| false,
            )
            .unwrap_or_default();
    }
}
