//! What is held of objects that may move: a descriptor each, which always knows where its object is now.
//!
//! A descriptor that only holds (O_PATH) reads nothing and needs no right to read. It does keep a deleted
//! object's room taken and a volume busy; so none is held on what can be taken away, and none longer than
//! its object has a name.

use super::nodes::NodeId;
use crate::system::{Facts, System};
use hashbrown::HashMap;
use linkwell_model::entry::Identity;
use linkwell_model::path::AbsPath;
use linkwell_model::volume::{Manner, Mount, Mounts, manner};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::io::Errno;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// So many descriptors are left for everything else.
const OTHERS: u64 = 256;

/// What is known of where an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// Here; a look at this place has shown the very object.
    At(AbsPath),
    /// It has no name any more.
    Deleted,
    /// Nobody knows.
    Unknown,
}

#[derive(Debug)]
struct Holding {
    descriptor: OwnedFd,
    id: Identity,
}

/// All that is held, by the node at which the object was seen last.
#[derive(Debug)]
pub(super) struct Held {
    system: System,
    all: HashMap<NodeId, Holding>,
    most: usize,
    /// Whether what lies on a mount is held, by the mount's number.
    fixed: HashMap<u64, bool>,
}

impl Held {
    /// Raises the limit of descriptors as far as this process may.
    pub(super) fn new(system: System, most: Option<usize>) -> Self {
        let limit = getrlimit(Resource::Nofile);
        let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
        setrlimit(Resource::Nofile, raised).unwrap_or_default();
        let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        let allowed = usize::try_from(allowed.saturating_sub(OTHERS)).unwrap_or(usize::MAX);
        let most = most.unwrap_or(usize::MAX).min(allowed);
        Self { system, all: HashMap::new(), most, fixed: HashMap::new() }
    }

    /// What is mounted has changed.
    pub(super) fn forget_mounts(&mut self) {
        self.fixed.clear();
    }

    /// How many are held.
    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    /// Whether there is no room for more.
    pub(super) fn is_full(&self) -> bool {
        self.all.len() >= self.most
    }

    /// Whether an object with these facts lies where it may be held.
    fn may_hold(&mut self, mounts: &Mounts, facts: &Facts) -> bool {
        let Some(mount) = facts.mount.and_then(|number| mounts.by_id(number)) else {
            return mounts.is_empty();
        };
        let system = self.system;
        *self.fixed.entry(mount.id).or_insert_with(|| is_fixed(system, mount))
    }

    /// Holds what is called `name` in an open folder, if it may be held and there is room. It takes the
    /// place of what was held for the node. `false` when nothing is called so.
    pub(super) fn hold(
        &mut self,
        mounts: &Mounts,
        node: NodeId,
        folder: &OwnedFd,
        name: &[u8],
    ) -> bool {
        let id = match self.system.facts(folder.as_fd(), name) {
            Ok(facts) if self.may_hold(mounts, &facts) => facts.id,
            Err(Errno::NOENT | Errno::NOTDIR) => return false,
            _ => {
                self.all.remove(&node);
                return true;
            }
        };
        if self.all.get(&node).is_some_and(|held| held.id.is(id)) {
            return true;
        }
        self.all.remove(&node);
        if self.is_full() {
            return true;
        }
        // Another object may have taken the name since; what is held is asked itself.
        let held = self.system.hold(folder.as_fd(), name);
        if let Ok(descriptor) = held
            && let Ok(facts) = self.system.facts_of(descriptor.as_fd())
        {
            self.all.insert(node, Holding { descriptor, id: facts.id });
        }
        true
    }

    /// What was held for one node is held for another one from now on.
    pub(super) fn pass(&mut self, from: NodeId, to: NodeId) {
        if let Some(held) = self.all.remove(&from) {
            self.all.insert(to, held);
        }
    }

    /// Lets go.
    pub(super) fn release(&mut self, node: NodeId) {
        self.all.remove(&node);
    }

    /// Lets go of everything that lies on mounts which are not there any more, or are to be left alone.
    pub(super) fn release_where(&mut self, gone: impl Fn(&Facts) -> bool) {
        let system = self.system;
        self.all.retain(|_, held| {
            system.facts_of(held.descriptor.as_fd()).is_ok_and(|facts| !gone(&facts))
        });
    }

    /// Lets go if the object has no name any more, so that its room is free at once. Whether it had to.
    pub(super) fn release_if_deleted(&mut self, node: NodeId) -> bool {
        let Some(held) = self.all.get(&node) else { return false };
        let facts = self.system.facts_of(held.descriptor.as_fd());
        let deleted = facts.is_ok_and(|facts| facts.names == 0);
        if deleted {
            self.all.remove(&node);
        }
        deleted
    }

    /// Whether what is held for a node has a name, wherever that is.
    pub(super) fn lives(&self, node: NodeId) -> bool {
        let held = self.all.get(&node);
        let facts = held.map(|held| self.system.facts_of(held.descriptor.as_fd()));
        facts.is_some_and(|facts| facts.is_ok_and(|facts| facts.names > 0))
    }

    /// Which object is held for a node.
    pub(super) fn id(&self, node: NodeId) -> Option<Identity> {
        self.all.get(&node).map(|held| held.id)
    }

    /// Where the object is that is held for a node.
    pub(super) fn whereabouts(&self, node: NodeId) -> Whereabouts {
        let Some(held) = self.all.get(&node) else { return Whereabouts::Unknown };
        let at = held.descriptor.as_fd();
        match self.system.facts_of(at) {
            Ok(facts) if facts.names == 0 => return Whereabouts::Deleted,
            Ok(_) => {}
            Err(_) => return Whereabouts::Unknown,
        }
        // Its answer has been compared with what stands there: no ` (deleted)`, no `(unreachable)`.
        self.system.place_of(at, b"").map_or(Whereabouts::Unknown, Whereabouts::At)
    }
}

/// Whether a volume stays where it is: none that is unplugged, and none that answers from elsewhere. In
/// doubt it does not, since nothing is worse than a drive that cannot be removed.
fn is_fixed(system: System, mount: &Mount) -> bool {
    if manner(&mount.fs_type) != Manner::Local || mount.fs_type == b"fuseblk" {
        return false;
    }
    let removable = [&b"/media"[..], b"/run/media", b"/mnt", b"/Volumes"];
    let below =
        |top: &&[u8]| AbsPath::cleaned(top).is_some_and(|top| mount.point.is_at_or_below(&top));
    if removable.iter().any(below) {
        return false;
    }
    // Memory, and layers of other file systems, have no device.
    if !mount.source.starts_with(b"/dev/") {
        return true;
    }
    let Some(device) = device(system, mount) else { return true };
    let has = |what: &[u8]| memchr::memmem::find(&device, what).is_some();
    if has(b"/usb") || has(b"/loop") || has(b"/mmc") || has(b"/nbd") {
        return false;
    }
    let says = |up: &[u8]| {
        let file = [b"/sys/dev/block/", mount.device.as_slice(), up, b"/removable"].concat();
        system.read_file(&file).is_ok_and(|text| text.first() == Some(&b'1'))
    };
    !says(b"") && !says(b"/..")
}

/// The device of a mount, as the kernel has it in its tree of devices.
fn device(system: System, mount: &Mount) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let by_number = [b"/sys/dev/block/", mount.device.as_slice()].concat();
    if system.read_link(rustix::fs::CWD, by_number.as_slice(), &mut text).is_ok() {
        return Some(text);
    }
    // btrfs counts volumes, not devices.
    let name = mount.source.rsplit(|byte| *byte == b'/').next()?;
    let by_name = [b"/sys/class/block/", name].concat();
    system.read_link(rustix::fs::CWD, by_name.as_slice(), &mut text).ok().map(|()| text)
}
