//! Volumes that should be mounted and are not: where they belong, and how that is known.
//!
//! Parsed from the administrator's own words (fstab(5), systemd.mount(5)) and from what was seen
//! before; reading the files is the engine's work.

use crate::path::{self, AbsPath, Component};
use crate::volume::{Manner, Mounts, manner, unescape_octal};

/// The mount points worth remembering: volumes of a disk or another computer that no line of
/// fstab and no unit (`anchors`) names, and that are not below the folders of convention or the temporary ones.
pub fn worth_remembering(mounts: &Mounts, anchors: &[Anchor]) -> Vec<AbsPath> {
    let known = |point: &AbsPath| {
        anchors.iter().any(|anchor| anchor.point == *point)
            || CONVENTIONS
                .iter()
                .chain(&TEMPORARY)
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

/// Folders whose mounts are not meant to last.
const TEMPORARY: [&[u8]; 3] = [b"/tmp", b"/var/tmp", b"/run"];

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
    // Only names: what a `..` after a missing folder would mean, nobody knows.
    for step in path::components(rest) {
        match step {
            Component::Name(name) => wanted.push(name),
            Component::Here => {}
            Component::Up => break,
        }
    }
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
#[path = "expected_tests.rs"]
mod tests;
