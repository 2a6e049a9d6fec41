//! Volumes that are mounted, parsed from the kernel's own words (proc_pid_mountinfo(5)); reading
//! the file is the engine's work. For those that should be and are not, see [`crate::expected`].

use crate::path::AbsPath;
use std::collections::HashMap;

/// How far a file system can be trusted to answer, by its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// A disk of this computer, or memory.
    Local,
    /// Answers come from another computer or from a program, and may never come.
    Remote,
    /// An automount point: looking wakes something up.
    OnDemand,
    /// Made up by the kernel (`/proc`, `/sys`): no user's files, and links unlike others.
    Virtual,
}

/// The manner of a file-system type, as mountinfo spells it.
pub fn manner(fs_type: &[u8]) -> Manner {
    match fs_type {
        b"autofs" => Manner::OnDemand,
        b"proc" | b"sysfs" | b"cgroup" | b"cgroup2" | b"devpts" | b"debugfs" | b"tracefs"
        | b"securityfs" | b"configfs" | b"bpf" | b"pstore" | b"mqueue" | b"hugetlbfs"
        | b"binfmt_misc" | b"efivarfs" | b"fusectl" | b"selinuxfs" | b"nsfs" | b"rpc_pipefs"
        | b"binder" | b"resctrl" | b"devtmpfs" => Manner::Virtual,
        b"nfs" | b"nfs4" | b"cifs" | b"smb3" | b"smbfs" | b"9p" | b"afs" | b"ceph" | b"coda"
        | b"ncpfs" | b"gfs2" | b"ocfs2" | b"glusterfs" | b"davfs" | b"virtiofs" | b"fuse"
        | b"lustre" | b"beegfs" | b"orangefs" => Manner::Remote,
        // fuseblk is ntfs-3g and its like: a local disk, though served by a program.
        b"fuseblk" => Manner::Local,
        other if other.starts_with(b"fuse.") => Manner::Remote,
        _ => Manner::Local,
    }
}

/// One line of mountinfo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The mount's number; unique among those attached now.
    pub id: u64,
    /// The mount on which it stands.
    pub parent: u64,
    /// Which file system, as `major:minor`.
    pub device: Vec<u8>,
    /// The folder of that file system which is shown here.
    pub root: Vec<u8>,
    /// Where it is shown.
    pub point: AbsPath,
    /// The type of the file system.
    pub fs_type: Vec<u8>,
    /// What was mounted, in the file system's own words.
    pub source: Vec<u8>,
    /// No link is followed on it (mount(8), `nosymfollow`).
    pub refuses_links: bool,
}

/// Everything that is mounted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mounts {
    /// In the kernel's order.
    list: Vec<Mount>,
    /// Which mount stands on which, and where: a host of containers has thousands.
    standing: HashMap<(u64, AbsPath), usize>,
    numbers: HashMap<u64, usize>,
    /// How many names the deepest mount point has: below that, nothing can be mounted.
    deepest: usize,
}

/// A mount that shows a folder which another mount shows too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind<'a> {
    /// The mount.
    pub mount: &'a Mount,
    /// The folder as the other mount shows it; `None` when no other mount in sight does.
    pub target: Option<AbsPath>,
    /// The folder that it shows has been deleted.
    pub deleted: bool,
}

impl Mounts {
    /// Reads the text of `/proc/self/mountinfo`. Lines that make no sense are passed over.
    pub fn parse(text: &[u8]) -> Self {
        let list: Vec<Mount> = text.split(|&byte| byte == b'\n').filter_map(mount_line).collect();
        let numbers = list.iter().enumerate().map(|(at, mount)| (mount.id, at)).collect();
        let standing = list
            .iter()
            .enumerate()
            .map(|(at, mount)| ((mount.parent, mount.point.clone()), at))
            .collect();
        let deepest = list.iter().map(|mount| mount.point.names().count()).max().unwrap_or(0);
        Self { list, standing, numbers, deepest }
    }

    /// Whether nothing is known about mounts (the system did not say).
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All mounts, in the kernel's order.
    pub fn iter(&self) -> impl Iterator<Item = &Mount> {
        self.list.iter()
    }

    /// The mount with this number.
    pub fn by_id(&self, id: u64) -> Option<&Mount> {
        self.list.get(*self.numbers.get(&id)?)
    }

    /// The mount that a walk from `/` to `place` ends on. Mounts hidden by later ones are not
    /// taken for it.
    pub fn covering(&self, place: &AbsPath) -> Option<&Mount> {
        let mut prefix = AbsPath::root();
        let mut current = self.first()?;
        self.climb(&mut current, &prefix);
        for name in place.names().take(self.deepest) {
            prefix.push(name);
            self.climb(&mut current, &prefix);
        }
        Some(current)
    }

    /// The lowest mount at `/`: the one whose parent is not in sight.
    fn first(&self) -> Option<&Mount> {
        let root = AbsPath::root();
        let at_root = || self.list.iter().filter(|mount| mount.point == root);
        at_root()
            .find(|mount| mount.parent == mount.id || !self.numbers.contains_key(&mount.parent))
            .or_else(|| at_root().next())
    }

    /// Goes from a mount to what is mounted on it at `point`, and on that, to the top.
    fn climb<'m>(&'m self, current: &mut &'m Mount, point: &AbsPath) {
        // The bound guards against a table that was read while it changed.
        for _ in 0..self.list.len() {
            let above = self.standing.get(&(current.id, point.clone()));
            match above.and_then(|&at| self.list.get(at)).filter(|mount| mount.id != current.id) {
                Some(mount) => *current = mount,
                None => break,
            }
        }
    }

    /// The mounts whose points lie strictly below `place` and are in sight.
    pub fn below(&self, place: &AbsPath) -> impl Iterator<Item = &Mount> {
        self.list.iter().filter(move |mount| {
            mount.point != *place
                && mount.point.is_at_or_below(place)
                && self.covering(&mount.point).is_some_and(|top| top.id == mount.id)
        })
    }

    /// The bind mounts in sight at or below `place`: those whose folder an earlier mount of the same file system
    /// shows as well, and those that show a folder (not the top) of a file system otherwise
    /// unseen. A subvolume of btrfs mounted by name is no bind mount unless its parent is in
    /// sight too.
    pub fn binds<'m>(&'m self, place: &'m AbsPath) -> impl Iterator<Item = Bind<'m>> {
        self.list.iter().enumerate().filter_map(move |(at, mount)| {
            if !mount.point.is_at_or_below(place) {
                return None;
            }
            if self.covering(&mount.point)?.id != mount.id {
                return None;
            }
            let (root, deleted) = match mount.root.strip_suffix(b"//deleted") {
                Some(root) => (root, true),
                None => (mount.root.as_slice(), false),
            };
            let root = AbsPath::cleaned(root)?;
            let target = self.list.iter().take(at).find_map(|earlier| {
                if earlier.device != mount.device || earlier.point == mount.point {
                    return None;
                }
                let below = root.below(&AbsPath::cleaned(&earlier.root)?)?;
                let mut place = earlier.point.clone();
                place.extend_as_text(below);
                // It must really be seen there, not hidden by something mounted over it.
                (self.covering(&place)?.id == earlier.id).then_some(place)
            });
            let is_bind = target.is_some()
                || deleted
                || (root != AbsPath::root() && mount.fs_type != b"btrfs");
            is_bind.then_some(Bind { mount, target, deleted })
        })
    }

    /// Every place at which `place` can be seen, `place` first: the same folder through other
    /// mounts of its file system.
    pub fn aliases(&self, place: &AbsPath) -> Vec<AbsPath> {
        let mut found = vec![place.clone()];
        let Some(mount) = self.covering(place) else {
            return found;
        };
        let Some(mut inside) = AbsPath::cleaned(&mount.root) else {
            return found;
        };
        inside.extend_as_text(place.below(&mount.point).unwrap_or_default());
        for other in self.list.iter().filter(|other| other.device == mount.device) {
            let Some(root) = AbsPath::cleaned(&other.root) else {
                continue;
            };
            let Some(below) = inside.below(&root) else {
                continue;
            };
            let mut alias = other.point.clone();
            alias.extend_as_text(below);
            let in_sight = self.covering(&alias).is_some_and(|top| top.id == other.id);
            if in_sight && !found.contains(&alias) {
                found.push(alias);
            }
        }
        found
    }
}

fn mount_line(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|&byte| byte == b' ');
    let id = number(fields.next()?)?;
    let parent = number(fields.next()?)?;
    let device = fields.next()?.to_vec();
    let root = unescape_octal(fields.next()?);
    let point = AbsPath::cleaned(&unescape_octal(fields.next()?))?;
    let refuses_links =
        fields.next()?.split(|&byte| byte == b',').any(|option| option == b"nosymfollow");
    let mut fields = fields.skip_while(|field| *field != b"-").skip(1);
    let fs_type = fields.next()?.to_vec();
    let source = unescape_octal(fields.next().unwrap_or_default());
    Some(Mount { id, parent, device, root, point, fs_type, source, refuses_links })
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Undoes the `\040` escapes of mountinfo and fstab.
pub(crate) fn unescape_octal(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte == b'\\'
            && let Some([a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7']) = tail.first_chunk()
        {
            out.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
            rest = tail.get(3..).unwrap_or_default();
        } else {
            out.push(byte);
        }
    }
    out
}

#[cfg(test)]
#[path = "volume_tests.rs"]
mod tests;
