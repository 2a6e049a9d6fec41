//! One path, explained: every hop with where it lies, and the end.

use crate::folder::Folder;
use crate::formats::Pointer;
use crate::judge::{self, Depth, Found, Verdict};
use crate::live::Live;
use crate::scan::shortcuts;
use crate::system::{Access, Links, Status, System};
use crate::volumes::Volumes;
use linkwell_model::chain::{Chain, Destination, End, resolve};
use linkwell_model::entry::{EntryKind, LinkKind};
use linkwell_model::expected::Absent;
use linkwell_model::health::Health;
use linkwell_model::note::{Note, Notes};
use linkwell_model::path::{self, AbsPath, Component};
use linkwell_model::target::Target;
use linkwell_model::volume::Mount;
use rustix::fd::AsFd as _;
use std::sync::Arc;

/// Where something physically lies.
#[derive(Clone, Debug)]
pub struct Lies {
    /// The place.
    pub place: AbsPath,
    /// The mount it is on, where the system tells.
    pub mount: Option<Mount>,
    /// The user who owns it, by number and name.
    pub owner: Option<(u32, Option<String>)>,
}

/// One link on the way.
#[derive(Clone, Debug)]
pub struct ExplainedHop {
    /// The link.
    pub at: Lies,
    /// The folder that holds it.
    pub parent: AbsPath,
    /// The text it holds.
    pub target: Target,
    /// It is the thing asked about, not a link on the way to it.
    pub asked_about: bool,
}

/// A path, explained.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The path as seen: absolute, links not followed, `..` left alone.
    pub logical: Vec<u8>,
    /// What kind of link stands there, if one does.
    pub kind: Option<LinkKind>,
    /// What stands there, if anything does and may be seen.
    pub entry: Option<Status>,
    /// The text of a shortcut or stub; the folder that a bind mount shows.
    pub text: Option<Vec<u8>>,
    /// Every link passed, in order.
    pub hops: Vec<ExplainedHop>,
    /// What it ends in.
    pub end: End<Arc<Folder>>,
    /// Where it ends.
    pub end_at: Lies,
    /// What stands at the end, if anything does.
    pub destination: Option<EntryKind>,
    /// For an end that is missing: the nearest folder above it that is there.
    pub nearest: AbsPath,
    /// For an end that is missing: what was to follow it.
    pub rest: Vec<u8>,
    /// The verdict.
    pub health: Health,
    /// The notes.
    pub notes: Notes,
    /// The volume that should hold the end and is not attached.
    pub absent: Option<Absent>,
    /// The resolver finds an end and the kernel refuses all the same.
    pub kernel_refuses: bool,
}

/// Explains `typed`, which is read from the folder `start` when it is relative.
pub fn explain(
    system: System,
    volumes: &Arc<Volumes>,
    start: &Arc<Folder>,
    typed: &[u8],
) -> Explained {
    let mut live = Live::new(system, Arc::clone(volumes));
    let chain = resolve(&mut live, start, typed);
    let last = last_step(&mut live, start, typed);
    let owners = owners(system);
    let owned = |folder: &Arc<Folder>, name: &[u8], place: AbsPath| {
        lies(&live_parts(system, volumes), &owners, folder, name, place)
    };
    let hops = explained_hops(&chain, last.as_ref(), &owned);
    let mut explained = Explained {
        logical: logical(&start.place(), typed),
        kind: None,
        entry: None,
        text: None,
        hops,
        end_at: owned(&chain.folder, &chain.name, chain.end_at(&live)),
        destination: match &chain.end {
            End::Found(Destination::Folder(_)) => Some(EntryKind::Folder),
            End::Found(Destination::Other(kind)) => Some(*kind),
            _ => None,
        },
        nearest: chain.folder.place(),
        rest: chain.rest.clone(),
        health: Health::Ok,
        notes: Notes::default(),
        absent: None,
        kernel_refuses: false,
        end: chain.end.clone(),
    };
    judge_end(&mut live, &chain, &mut explained);
    if let Some((folder, name)) = &last {
        look_at_entry(&mut live, folder, name, &mut explained);
    }
    note_bind(volumes, &mut explained);
    explained
}

/// The folder and name of the thing asked about, when the path names one and does not look
/// through it.
fn last_step(live: &mut Live, start: &Arc<Folder>, typed: &[u8]) -> Option<(Arc<Folder>, Vec<u8>)> {
    if path::ends_as_folder(typed) {
        return None;
    }
    let Some(Component::Name(name)) = path::components(typed).next_back() else {
        return None;
    };
    let way = typed.get(..typed.len() - name.len())?;
    let folder = if way.is_empty() {
        Arc::clone(start)
    } else {
        match resolve(live, start, way).end {
            End::Found(Destination::Folder(folder)) => folder,
            _ => return None,
        }
    };
    Some((folder, name.to_vec()))
}

struct Parts<'v> {
    system: System,
    volumes: &'v Volumes,
}

fn live_parts(system: System, volumes: &Volumes) -> Parts<'_> {
    Parts { system, volumes }
}

fn lies(
    parts: &Parts<'_>,
    owners: &[(u32, String)],
    folder: &Arc<Folder>,
    name: &[u8],
    place: AbsPath,
) -> Lies {
    let mount = parts.volumes.mounts().covering(&place).cloned();
    let safe = mount.as_ref().is_none_or(|mount| parts.volumes.answers(mount));
    let name = if name.is_empty() { b".".as_slice() } else { name };
    let status = safe.then(|| {
        folder.at(parts.system, None, name, |at, path| parts.system.status(at, path, Links::Kept))
    });
    let owner = status.and_then(Result::ok).map(|status| {
        let name = owners.iter().find(|(number, _)| *number == status.owner);
        (status.owner, name.map(|(_, name)| name.clone()))
    });
    Lies { place, mount, owner }
}

fn explained_hops(
    chain: &Chain<Arc<Folder>>,
    last: Option<&(Arc<Folder>, Vec<u8>)>,
    owned: &impl Fn(&Arc<Folder>, &[u8], AbsPath) -> Lies,
) -> Vec<ExplainedHop> {
    let mut seen_last = false;
    chain
        .hops
        .iter()
        .map(|hop| {
            let parent = hop.folder.place();
            let is_last =
                last.is_some_and(|(folder, name)| *folder == hop.folder && **name == *hop.name);
            let asked_about = is_last && !std::mem::replace(&mut seen_last, is_last);
            ExplainedHop {
                at: owned(&hop.folder, &hop.name, parent.joined(&hop.name)),
                parent,
                target: hop.target.clone(),
                asked_about,
            }
        })
        .collect()
}

fn judge_end(live: &mut Live, chain: &Chain<Arc<Folder>>, explained: &mut Explained) {
    if matches!(chain.end, End::Missing | End::Unavailable) {
        explained.absent = live.volumes().absent(&explained.end_at.place, &chain.rest);
    }
    explained.health = Health::of(&chain.end, explained.absent.as_ref());
    explained.notes.add_if(Note::TooDeep, matches!(chain.end, End::TooManyHops));
}

/// Looks at the entry itself: what kind of link it is, and the kernel's verdict on it.
fn look_at_entry(live: &mut Live, folder: &Arc<Folder>, name: &[u8], explained: &mut Explained) {
    let system = live.system();
    let Ok(held) = folder.open(system, Access::Hold) else {
        return;
    };
    let found = Found::new(folder, held.as_fd(), name);
    let in_reach =
        !live.volumes().may_hang() || live.volumes().may_enter(&folder.place().joined(name));
    if !in_reach {
        return;
    }
    let Ok(status) = system.status(found.held, name, Links::Kept) else {
        return;
    };
    explained.entry = Some(status);
    match status.kind {
        EntryKind::Symlink => {
            explained.kind = Some(LinkKind::Symlink);
            let mut target = Vec::new();
            if system.read_link(found.held, name, &mut target).is_ok() {
                let top = AbsPath::root();
                let verdict = judge::judge(live, found, &target, &top, Depth::Everything);
                explained.kernel_refuses =
                    verdict.health != Health::Ok && matches!(explained.end, End::Found(_));
                take_verdict(verdict, explained);
            }
        }
        EntryKind::File => look_at_file(live, found, status, explained),
        _ => {}
    }
}

fn take_verdict(verdict: Verdict, explained: &mut Explained) {
    // The path as typed may pass more links than the link itself does: then it is the path that
    // the system does not follow.
    if !matches!(explained.end, End::TooManyHops) {
        explained.health = verdict.health;
    }
    let too_deep = explained.notes.has(Note::TooDeep);
    explained.notes = verdict.notes;
    explained.notes.add_if(Note::TooDeep, too_deep);
    explained.absent = verdict.absent;
}

fn look_at_file(live: &mut Live, found: Found<'_>, status: Status, explained: &mut Explained) {
    if status.names > 1 {
        explained.kind = Some(LinkKind::HardLink);
    }
    let pointed = shortcuts::read(live.system(), found)
        .ok()
        .flatten()
        .or_else(|| shortcuts::git_stub_here(live.system(), found));
    let Some(pointed) = pointed else { return };
    explained.kind = Some(pointed.kind);
    explained.text = Some(pointed.text().to_vec());
    let verdict = shortcuts::judge(live, found, &pointed, &AbsPath::root());
    if let (Pointer::Path(_), Some(place), Some(chain)) =
        (&pointed.pointer, verdict.ends_at(), &verdict.chain)
    {
        explained.end_at = Lies { place, mount: None, owner: None };
        explained.end = chain.end.clone();
        explained.nearest = chain.folder.place();
        explained.rest.clone_from(&chain.rest);
        explained.destination = match &chain.end {
            End::Found(Destination::Folder(_)) => Some(EntryKind::Folder),
            End::Found(Destination::Other(kind)) => Some(*kind),
            _ => None,
        };
    }
    take_verdict(verdict, explained);
}

fn note_bind(volumes: &Volumes, explained: &mut Explained) {
    if explained.kind.is_some() || !matches!(explained.end, End::Found(_)) {
        return;
    }
    let place = &explained.end_at.place;
    let bind = volumes.mounts().binds(place).find(|bind| bind.mount.point == *place);
    if let Some(bind) = bind {
        let shown = bind.target.as_ref().map_or(bind.mount.root.as_slice(), AbsPath::as_bytes);
        explained.text = Some(shown.to_vec());
        explained.kind = Some(LinkKind::Bind);
        if bind.deleted {
            explained.health = Health::Broken;
        }
    }
}

/// The path as a person sees it: from `/`, `.` and doubled slashes left out, `..` kept, since
/// after a link it is not what it seems.
fn logical(current: &AbsPath, typed: &[u8]) -> Vec<u8> {
    let mut place = if path::is_absolute(typed) { AbsPath::root() } else { current.clone() };
    for component in path::components(typed) {
        match component {
            Component::Here => {}
            Component::Up => place.push(b".."),
            Component::Name(name) => place.push(name),
        }
    }
    place.as_bytes().to_vec()
}

/// The users of this computer by number (passwd(5)); users of a directory service keep their
/// numbers.
pub(crate) fn owners(system: System) -> Vec<(u32, String)> {
    let text = system.read_file(b"/etc/passwd").unwrap_or_default();
    text.split(|&byte| byte == b'\n')
        .filter_map(|line| {
            let mut fields = line.split(|&byte| byte == b':');
            let name = std::str::from_utf8(fields.next()?).ok()?;
            let number = std::str::from_utf8(fields.nth(1)?).ok()?.parse().ok()?;
            Some((number, name.to_owned()))
        })
        .collect()
}
