//! What is held of objects that may move: a descriptor each, which always knows where its object is now.
//!
//! A descriptor that only holds (O_PATH) reads nothing and needs no right to read. It does keep a deleted
//! object's room taken and a volume busy; so none is held on what can be taken away, and none longer than
//! its object has a name.

use super::nodes::NodeId;
use crate::system::{Access, EndMark, Facts, System};
use hashbrown::{HashMap, HashSet};
use linkwell_model::entry::Identity;
use linkwell_model::path::AbsPath;
use linkwell_model::volume::{Manner, Mount, Mounts, manner};
use rustix::fd::{AsFd as _, OwnedFd};
use rustix::fs::CWD;
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

    /// Where the system says that the object is which is held for a node, and which object that is: to be
    /// compared with what stands there. The text may end in ` (deleted)`.
    pub(super) fn said_place(&self, node: NodeId) -> Option<(AbsPath, Identity)> {
        let held = self.all.get(&node)?;
        Some((self.system.said_place_of(held.descriptor.as_fd())?, held.id))
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
    !can_be_unplugged(device, |place| Block::read(system, place))
}

/// Where the kernel tells of the device of a mount.
fn device(system: System, mount: &Mount) -> Option<Vec<u8>> {
    let named = |path: &[u8]| {
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        [CLASS, name].concat()
    };
    let mut places = vec![[b"/sys/dev/block/", mount.device.as_slice()].concat()];
    // btrfs counts volumes, not devices. What is mapped is called by a link.
    places.push(named(&mount.source));
    let mut text = Vec::new();
    if system.read_link(CWD, mount.source.as_slice(), &mut text).is_ok() {
        places.push(named(&text));
    }
    places.into_iter().find(|place| Block::read(system, place).is_some())
}

/// Where the kernel tells of devices by their names.
const CLASS: &[u8] = b"/sys/class/block/";

/// So many devices are looked at beneath one; who has more is not asked for each.
const MOST_BENEATH: usize = 64;

/// What the kernel tells of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Block {
    /// Where it is in the tree of devices: on which bus.
    path: Vec<u8>,
    /// The kernel's own word.
    removable: bool,
    /// Where it tells of those that it is made of: what is encrypted, a volume of LVM, a RAID.
    beneath: Vec<Vec<u8>>,
}

impl Block {
    fn read(system: System, place: &[u8]) -> Option<Self> {
        let mut path = Vec::new();
        system.read_link(CWD, place, &mut path).ok()?;
        let (mut removable, mut beneath) = (false, Vec::new());
        // A part of a disk is told of below the disk.
        for up in [&b""[..], b"/.."] {
            let file = [place, up, b"/removable"].concat();
            removable |= system.read_file(&file).is_ok_and(|text| text.first() == Some(&b'1'));
            let Ok(folder) = system.open_typed(&[place, up, b"/slaves"].concat(), Access::List)
            else {
                continue;
            };
            let mut buffer = Vec::with_capacity(4096);
            let room = buffer.spare_capacity_mut();
            let listed = system.list(folder.as_fd(), room, EndMark::EmptyRead, |entry| {
                beneath.push([CLASS, entry.name.to_bytes()].concat());
                true
            });
            listed.ok()?;
        }
        Some(Self { path, removable, beneath })
    }
}

/// Whether a device can be unplugged, or one of those that it is made of. In doubt it can.
fn can_be_unplugged(device: Vec<u8>, ask: impl Fn(&[u8]) -> Option<Block>) -> bool {
    let mut known: HashSet<Vec<u8>> = HashSet::new();
    let mut next = vec![device];
    while let Some(place) = next.pop() {
        if !known.insert(place.clone()) {
            continue;
        }
        let Some(block) = ask(&place).filter(|_| known.len() <= MOST_BENEATH) else { return true };
        let is_on = |bus: &[u8]| memchr::memmem::find(&block.path, bus).is_some();
        if block.removable || [&b"/usb"[..], b"/loop", b"/mmc", b"/nbd"].into_iter().any(is_on) {
            return true;
        }
        next.extend(block.beneath);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts of a computer: a place, where it is in the tree of devices, and what it is made of.
    type Part = (&'static str, &'static str, &'static [&'static str]);

    const USB: &str = "../../devices/pci0000:00/0000:00:14.0/usb2/2-1/host6/block/sdb/sdb2";
    const NVME: &str = "../../devices/pci0000:00/0000:00:1d.0/nvme/nvme0/nvme0n1/nvme0n1p2";

    fn unplugged(first: &str, parts: &[Part]) -> bool {
        can_be_unplugged(first.into(), |place| {
            let (_, path, beneath) = parts.iter().find(|(own, ..)| own.as_bytes() == place)?;
            let beneath = beneath.iter().map(|one| one.as_bytes().to_vec()).collect();
            Some(Block { path: path.as_bytes().to_vec(), removable: false, beneath })
        })
    }

    #[test]
    fn what_is_mapped_is_as_fixed_as_what_is_beneath() {
        const DISK: &str = "/sys/dev/block/254:1";
        const MAPPED: &str = "../../devices/virtual/block/dm-1";
        // A volume of LVM in what is encrypted on a disk.
        for (beneath, expected) in [(USB, true), (NVME, false)] {
            let parts: &[Part] = &[
                (DISK, MAPPED, &["/sys/class/block/dm-0"]),
                (
                    "/sys/class/block/dm-0",
                    "../../devices/virtual/block/dm-0",
                    &["/sys/class/block/x"],
                ),
                ("/sys/class/block/x", beneath, &[]),
            ];
            assert_eq!(unplugged(DISK, parts), expected, "{beneath}");
        }
        // One over several disks, of which one is unplugged; one of which one is not known.
        for (second, expected) in [(USB, true), (NVME, false)] {
            let parts: &[Part] = &[
                (DISK, MAPPED, &["/sys/class/block/one", "/sys/class/block/two"]),
                ("/sys/class/block/one", NVME, &[]),
                ("/sys/class/block/two", second, &[]),
            ];
            assert_eq!(unplugged(DISK, parts), expected, "{second}");
        }
        assert!(unplugged(DISK, &[(DISK, MAPPED, &["/sys/class/block/gone"])]));
        // Not without end.
        assert!(!unplugged(DISK, &[(DISK, MAPPED, &[DISK])]));
    }

    #[test]
    fn the_kernel_tells_of_what_is_there() {
        // Whatever computer this is, a device that is there is told of, with a way in the tree.
        let system = System::new();
        let Ok(folder) = system.open_typed(CLASS, Access::List) else { return };
        let (mut names, mut buffer) = (Vec::new(), Vec::with_capacity(16 * 1024));
        let room = buffer.spare_capacity_mut();
        let listed = system.list(folder.as_fd(), room, EndMark::EmptyRead, |entry| {
            names.push(entry.name.to_bytes().to_vec());
            true
        });
        listed.expect("it lists");
        for name in names {
            let block = Block::read(system, &[CLASS, &name].concat()).expect("it is there");
            assert!(memchr::memmem::find(&block.path, b"/devices/").is_some(), "{block:?}");
        }
    }
}
