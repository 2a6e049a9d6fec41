//! Volumes: what is mounted, and what should be and is not.
//!
//! Parsed from the kernel's and the administrator's own words (proc_pid_mountinfo(5), fstab(5),
//! systemd.mount(5)); reading the files is the engine's work.

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
fn unescape_octal(text: &[u8]) -> Vec<u8> {
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

/// The mount points worth remembering: volumes of a disk or another computer that no line of
/// fstab and no unit (`anchors`) names, and that are not below the folders of convention.
pub fn worth_remembering(mounts: &Mounts, anchors: &[Anchor]) -> Vec<AbsPath> {
    let known = |point: &AbsPath| {
        anchors.iter().any(|anchor| anchor.point == *point)
            || CONVENTIONS
                .iter()
                .filter_map(|folder| AbsPath::cleaned(folder))
                .any(|folder| point.is_at_or_below(&folder))
    };
    mounts
        .below(&AbsPath::root())
        .filter(|mount| match manner(&mount.fs_type) {
            Manner::Remote => true,
            // A disk is named by its device; memory and layers are named by a word. A bind mount
            // shows part of a volume and is none.
            Manner::Local => mount.source.starts_with(b"/dev/") && mount.root == b"/",
            Manner::OnDemand | Manner::Virtual => false,
        })
        .map(|mount| mount.point.clone())
        .filter(|point| !known(point))
        .collect()
}

/// Mount points as text to be kept: one a line, with mountinfo's escapes.
pub fn to_remember<'p>(places: impl IntoIterator<Item = &'p AbsPath>) -> Vec<u8> {
    let mut text = Vec::new();
    for place in places {
        for &byte in place.as_bytes() {
            match byte {
                b' ' | b'\t' | b'\n' | b'\\' => {
                    text.extend_from_slice(format!("\\{byte:03o}").as_bytes());
                }
                plain => text.push(plain),
            }
        }
        text.push(b'\n');
    }
    text
}

/// The mount points kept in such a text; lines that make no sense are passed over.
pub fn remembered(text: &[u8]) -> Vec<AbsPath> {
    text.split(|&byte| byte == b'\n')
        .filter_map(|line| AbsPath::cleaned(&unescape_octal(line)))
        .filter(|place| *place != AbsPath::root())
        .collect()
}

/// How it is known that a volume belongs at a place.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Evidence {
    /// A line of `/etc/fstab`.
    Fstab,
    /// A systemd mount, automount or service unit, by its name.
    Unit(Vec<u8>),
    /// A folder where by convention volumes are attached, such as `/media`.
    Convention(AbsPath),
    /// An automount point, which would attach the volume when somebody looks.
    OnDemand,
    /// It was mounted there when linkwell last looked.
    Remembered,
}

/// A place at which a volume is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// Where the volume would be attached.
    pub point: AbsPath,
    /// How that is known.
    pub evidence: Evidence,
}

/// A volume that is expected and not attached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absent {
    /// Where it would be attached.
    pub point: AbsPath,
    /// How that is known.
    pub evidence: Evidence,
}

/// Folders below which volumes are attached by convention (file-hierarchy(7), udisks2, gvfs).
const CONVENTIONS: [&[u8]; 3] = [b"/mnt", b"/media", b"/run/media"];

/// The volume that should hold `place` and is not attached, if there is reason to expect one.
///
/// Asked about a place that is missing; `rest` is what was to follow it. In doubt the answer is that a volume is expected: a link
/// that is called asleep is never deleted or repaired, one that is called broken may be.
pub fn absent(mounts: &Mounts, anchors: &[Anchor], place: &AbsPath, rest: &[u8]) -> Option<Absent> {
    let covering = mounts.covering(place);
    let attached =
        |point: &AbsPath| covering.is_some_and(|mount| mount.point.is_at_or_below(point));
    if let Some(mount) = covering
        && manner(&mount.fs_type) == Manner::OnDemand
    {
        return Some(Absent { point: mount.point.clone(), evidence: Evidence::OnDemand });
    }
    let declared = anchors
        .iter()
        .filter(|anchor| place.is_at_or_below(&anchor.point) && !attached(&anchor.point))
        .rev()
        .max_by_key(|anchor| anchor.point.as_bytes().len());
    if let Some(anchor) = declared {
        return Some(Absent { point: anchor.point.clone(), evidence: anchor.evidence.clone() });
    }
    let mut wanted = place.clone();
    wanted.extend_as_text(rest);
    by_convention(&wanted, attached)
}

fn by_convention(place: &AbsPath, attached: impl Fn(&AbsPath) -> bool) -> Option<Absent> {
    for convention in CONVENTIONS {
        let folder = AbsPath::cleaned(convention)?;
        let Some(below) = place.below(&folder) else {
            continue;
        };
        if attached(&folder) {
            return None;
        }
        // /mnt/VOLUME, but /media/PERSON/VOLUME with udisks2.
        let levels = if convention == b"/mnt" { 1 } else { 2 };
        let mut point = folder.clone();
        for name in below.split(|&byte| byte == b'/').filter(|name| !name.is_empty()).take(levels) {
            point.push(name);
        }
        return Some(Absent { point, evidence: Evidence::Convention(folder) });
    }
    gvfs_share(place)
}

/// `/run/user/UID/gvfs/SHARE` and `…/.gvfs/SHARE`: the shares are folders of one mount, so the
/// mount being there says nothing about the share.
fn gvfs_share(place: &AbsPath) -> Option<Absent> {
    let mut point = AbsPath::root();
    let mut names = place.names();
    let mut depth = 0_usize;
    while let Some(name) = names.next() {
        let runtime = depth == 3 && point.is_at_or_below(&AbsPath::cleaned(b"/run/user")?);
        point.push(name);
        depth += 1;
        if name == b".gvfs" || (runtime && name == b"gvfs") {
            let folder = point.clone();
            if let Some(share) = names.next() {
                point.push(share);
            }
            return Some(Absent { point, evidence: Evidence::Convention(folder) });
        }
    }
    None
}

/// The places where `/etc/fstab` says that a volume belongs. Memory file systems and swap are
/// left out: nothing of theirs can be away.
pub fn fstab_anchors(text: &[u8]) -> Vec<Anchor> {
    text.split(|&byte| byte == b'\n')
        .filter_map(|line| {
            let mut fields =
                line.split(|byte| byte.is_ascii_whitespace()).filter(|field| !field.is_empty());
            let what = fields.next()?;
            let point = AbsPath::cleaned(&unescape_octal(fields.next()?))?;
            let fs_type = fields.next()?;
            let counts = !what.starts_with(b"#")
                && point != AbsPath::root()
                && fs_type != b"tmpfs"
                && fs_type != b"swap"
                && manner(fs_type) != Manner::Virtual;
            counts.then_some(Anchor { point, evidence: Evidence::Fstab })
        })
        .collect()
}

/// The place where a systemd mount or automount unit attaches its volume.
///
/// `name` is the unit's file name and `text` its contents. `None` for other units, for templates
/// and for memory file systems.
pub fn unit_anchor(name: &[u8], text: &[u8]) -> Option<Anchor> {
    if !name.ends_with(b".mount") && !name.ends_with(b".automount") {
        return None;
    }
    let value = |key: &[u8]| {
        text.split(|&byte| byte == b'\n').rev().find_map(|line| {
            let rest = line.trim_ascii().strip_prefix(key)?.trim_ascii_start();
            Some(rest.strip_prefix(b"=")?.trim_ascii())
        })
    };
    let memory = value(b"Type")
        .is_some_and(|fs_type| fs_type == b"tmpfs" || manner(fs_type) == Manner::Virtual)
        || value(b"What") == Some(b"tmpfs");
    // A specifier such as %h needs systemd to be read; the name then says it as well.
    let point = match value(b"Where").filter(|path| !path.contains(&b'%')) {
        Some(path) => AbsPath::cleaned(path)?,
        None => unit_path(name)?,
    };
    (!memory && point != AbsPath::root())
        .then(|| Anchor { point, evidence: Evidence::Unit(name.to_vec()) })
}

/// The place where a service attaches a remote folder: `rclone mount` and `sshfs` are usually
/// kept by a service of one's own, which is then the only record of where they belong.
///
/// `home` stands for `%h` and `~`. The place is taken to be the last argument that is a path.
pub fn service_anchor(name: &[u8], text: &[u8], home: Option<&AbsPath>) -> Option<Anchor> {
    if !name.ends_with(b".service") {
        return None;
    }
    let joined = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let command = joined
        .skip_while(|line| !line.starts_with(b"ExecStart="))
        .scan(true, |goes_on, line| {
            let here = *goes_on;
            *goes_on = line.ends_with(b"\\");
            here.then_some(line.strip_suffix(b"\\").unwrap_or(line))
        })
        .collect::<Vec<_>>()
        .join(&b' ');
    let words: Vec<&[u8]> = command
        .split(|byte| byte.is_ascii_whitespace())
        .map(|word| word.trim_ascii())
        .filter(|word| !word.is_empty())
        .collect();
    let program = words.first()?.rsplit(|&byte| byte == b'/' || byte == b'=').next()?;
    let attaches = match program {
        b"rclone" => words.contains(&&b"mount"[..]) || words.contains(&&b"mount2"[..]),
        b"sshfs" | b"gocryptfs" | b"cryfs" | b"encfs" | b"s3fs" | b"davfs2" => true,
        _ => false,
    };
    let place = words.iter().skip(1).rev().find_map(|word| {
        let word = word.strip_prefix(b"\"").unwrap_or(word);
        let word = word.strip_suffix(b"\"").unwrap_or(word);
        let below_home = word.strip_prefix(b"%h/").or_else(|| word.strip_prefix(b"~/"));
        match (below_home, home) {
            (Some(below), Some(home)) => {
                let mut place = home.clone();
                place.extend_as_text(below);
                Some(place)
            }
            _ => AbsPath::cleaned(word),
        }
    })?;
    attaches.then(|| Anchor { point: place, evidence: Evidence::Unit(name.to_vec()) })
}

/// The path that a unit's name stands for: `mnt-my\x2ddisk.mount` → `/mnt/my-disk`
/// (systemd.unit(5), "String escaping").
fn unit_path(name: &[u8]) -> Option<AbsPath> {
    let dot = name.iter().rposition(|&byte| byte == b'.')?;
    let mut bytes = vec![b'/'];
    let mut rest = name.get(..dot)?;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'-' => bytes.push(b'/'),
            b'\\' => {
                let digits = tail.strip_prefix(b"x")?.get(..2)?;
                bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
                rest = tail.get(3..)?;
            }
            b'@' => return None,
            plain => bytes.push(plain),
        }
    }
    AbsPath::cleaned(&bytes)
}

#[cfg(test)]
#[path = "volume_tests.rs"]
mod tests;
