//! What stands at a name that is to be converted: what kind of link, where it leads, and how it is made
//! again when that is undone.

use super::super::{Surveyor, refused};
use crate::descent::Descent;
use crate::execute::names;
use crate::folder::Folder;
use crate::formats::{Pointer, stub};
use crate::judge::Found;
use crate::look;
use crate::operator::{Held, Spot};
use crate::scan::shortcuts;
use crate::system::{Access, Facts};
use linkwell_model::entry::{EntryKind, Identity, LinkKind};
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Attributes, Bytes, Fate, Make, Object, Plan, Why};
use linkwell_model::shown::{quoted, shown};
use rustix::fd::AsFd as _;
use rustix::io::Errno;
use std::sync::Arc;

/// Larger files are not kept in the record.
const MOST: u64 = 64 * 1024;

/// Where a link leads.
pub(super) enum Text {
    /// By this text, which a link made of it must hold exactly.
    Exact(Vec<u8>),
    /// By this path.
    Path(Vec<u8>),
    /// To another name of the same file.
    Other(Spot),
}

/// A link of any kind that is to become something else.
pub(super) struct Incoming {
    pub(super) object: Object,
    pub(super) facts: Facts,
    pub(super) text: Text,
    pub(super) fate: Fate,
    /// A stub without a mark of its own, as git leaves them.
    pub(super) plain_text: bool,
}

/// A kind of link, and the text that it holds, if it holds one.
pub(super) struct Kind {
    pub(super) kind: LinkKind,
    text: Vec<u8>,
}

/// What kind of link stands at a spot.
pub(super) fn kind(surveyor: &Surveyor, spot: &Spot, object: &Object) -> Result<Kind, Why> {
    let names = match object {
        Object::Link { target, .. } => {
            return Ok(Kind { kind: LinkKind::Symlink, text: target.as_bytes().to_vec() });
        }
        Object::File { names, .. } => *names,
        other => return Err(Why::NotLink(other.kind())),
    };
    let system = surveyor.system();
    let cannot = |error| refused("it cannot be looked at", error);
    let held = rustix::io::fcntl_dupfd_cloexec(spot.at(), 0).map_err(cannot)?;
    let folder = Folder::held(&spot.held.place, held);
    let found = || Found::new(&folder, spot.at(), spot.name.as_bytes());
    let pointed = match shortcuts::read(system, found()) {
        Ok(Some(pointed)) => Some(pointed),
        Ok(None) => shortcuts::git_stub_here(system, found()),
        // What cannot be read can still be one of several names.
        Err(_) if names > 1 => None,
        Err(crate::scan::Trouble::System(error)) => {
            return Err(refused("it cannot be read", error));
        }
        Err(_) => return Err(refused("it cannot be read", Errno::IO)),
    };
    let Some(pointed) = pointed else {
        if names < 2 {
            return Err(Why::NotLink(EntryKind::File));
        }
        return Ok(Kind { kind: LinkKind::HardLink, text: Vec::new() });
    };
    match pointed.pointer {
        Pointer::Path(text) => Ok(Kind { kind: pointed.kind, text }),
        Pointer::Web(text) => Err(other(
            format!("it leads to the web page `{}`, which is no file or folder", shown(&text)),
            None,
        )),
        Pointer::Foreign(text) => {
            Err(other(format!("it leads to `{}`, a path of another system", shown(&text)), None))
        }
    }
}

/// Which other names of a file may be meant.
pub(super) struct Others<'a> {
    /// The one that was asked for.
    pub(super) asked: Option<&'a [u8]>,
    /// All that are to be converted with it, of which one must stay if there are no others.
    pub(super) all: &'a [Spot],
}

/// All about the link at a spot.
pub(super) fn read(
    surveyor: &mut Surveyor,
    plan: &mut Plan,
    spot: &Spot,
    object: Object,
    kind: &Kind,
    others: &Others<'_>,
) -> Result<Incoming, Why> {
    let facts = surveyor.system().facts(spot.at(), spot.name.as_bytes());
    let facts = facts.map_err(|error| refused("it cannot be looked at", error))?;
    let text = kind.text.clone();
    let (text, fate) = match (&object, kind.kind) {
        (Object::Link { .. }, _) => (Text::Exact(text), Fate::Dropped { again: None }),
        (_, LinkKind::HardLink) => {
            let found = other_name(surveyor, spot, &object, others)?;
            let name = Make::Name { of: surveyor.slot(plan, &found)?, id: object.id() };
            (Text::Other(found), Fate::Dropped { again: Some(Box::new(name)) })
        }
        (_, kind) => {
            let (_, fate) = small(surveyor, spot, &object, &facts)?;
            let stub = kind == LinkKind::Stub;
            (if stub { Text::Exact(text) } else { Text::Path(text) }, fate)
        }
    };
    Ok(Incoming { object, facts, text, fate, plain_text: false })
}

/// A stub that a scan has found to hold `text`.
pub(super) fn stub(surveyor: &mut Surveyor, spot: &Spot, text: &[u8]) -> Result<Incoming, Why> {
    let changed = || other("it was changed by somebody else meanwhile".into(), None);
    let object = surveyor.object(spot)?.ok_or_else(changed)?;
    let facts = surveyor.system().facts(spot.at(), spot.name.as_bytes());
    let facts = facts.map_err(|error| refused("it cannot be looked at", error))?;
    if facts.kind != EntryKind::File {
        return Err(changed());
    }
    let (bytes, fate) = small(surveyor, spot, &object, &facts)?;
    let plain_text = bytes == text;
    if !plain_text && stub::read(&bytes).as_deref() != Some(text) {
        return Err(changed());
    }
    Ok(Incoming { object, facts, text: Text::Exact(text.to_vec()), fate, plain_text })
}

fn other(what: String, hint: Option<String>) -> Why {
    Why::Other { what, hint }
}

/// The bytes of a small file, and how it is made again.
fn small(
    surveyor: &Surveyor,
    spot: &Spot,
    object: &Object,
    facts: &Facts,
) -> Result<(Vec<u8>, Fate), Why> {
    if facts.names > 1 {
        return Err(other(
            format!("it has {} names, and would be parted from the others", facts.names),
            Some("convert a copy of it".into()),
        ));
    }
    if facts.size > MOST {
        return Err(other(
            "it is larger than 64 kB, too large to be kept in the record for undo".into(),
            None,
        ));
    }
    let system = surveyor.system();
    let read = || {
        let file = system.open(spot.at(), spot.name.as_bytes(), Access::Read)?;
        let before = look::plain(&system.facts_of(file.as_fd())?);
        let bytes = system.read_all(file.as_fd())?;
        let after = look::plain(&system.facts_of(file.as_fd())?);
        let still = before == *object && after == *object;
        if still { Ok(bytes) } else { Err(Errno::AGAIN) }
    };
    let bytes = read().map_err(|error| refused("it cannot be read", error))?;
    let carried = Attributes {
        owner: facts.owner,
        group: facts.group,
        accessed: facts.accessed,
        modified: facts.modified,
        extended: look::extended(spot.at(), spot.name.as_bytes()),
    };
    let again = Make::File {
        bytes: Bytes(bytes.clone().into()),
        mode: facts.mode,
        modified: Some(facts.modified),
        carried: Some(Box::new(carried)),
    };
    Ok((bytes, Fate::Dropped { again: Some(Box::new(again)) }))
}

/// Another name of the file at `spot`: the one that was asked for, else one in the same folder, else one
/// below the project that it belongs to or below the current folder; and of those that are to be
/// converted too the last, which stays then.
fn other_name(
    surveyor: &mut Surveyor,
    spot: &Spot,
    object: &Object,
    others: &Others<'_>,
) -> Result<Spot, Why> {
    let id = object.id();
    if let Some(of) = others.asked {
        let found = surveyor.spot(of)?;
        let there = surveyor.object(&found)?;
        let there = there.ok_or_else(|| Why::Nothing(of.into()))?;
        let same_slot = found.place() == spot.place();
        if same_slot || surveyor.taken.contains(&(found.held.place.clone(), found.name.clone())) {
            return Err(other(
                format!("`{}` is the very name that is to be converted", shown(of)),
                Some("after `--of` comes another name of the same file".into()),
            ));
        }
        if !there.id().is(id) {
            return Err(other(format!("`{}` is another file", shown(of)), None));
        }
        return Ok(found);
    }
    let mut places = vec![(spot.held.clone(), false)];
    let project = surveyor.project(&spot.held.place);
    let project = project.and_then(|place| surveyor.folder(place.as_bytes()).ok());
    places.extend(project.map(|held| (held, true)));
    places.push((surveyor.current().clone(), true));
    let volume = surveyor.identity(&spot.held)?.device;
    for (held, deep) in places {
        if surveyor.identity(&held)?.device != volume {
            continue;
        }
        if let Some(found) = search(surveyor, &held, id, others.all, deep) {
            return Ok(found);
        }
    }
    for last in others.all.iter().rev() {
        let taken = surveyor.taken.contains(&(last.held.place.clone(), last.name.clone()));
        let same = surveyor.object(last)?.is_some_and(|there| there.id().is(id));
        if same && !taken && last.place() != spot.place() {
            return Ok(last.clone());
        }
    }
    let typed = quoted(spot.name.as_bytes());
    let names = match object {
        Object::File { names, .. } => *names,
        _ => 0,
    };
    Err(other(
        format!("it has {names} names, and none of the others is to be found near it"),
        Some(format!(
            "say which: `linkwell convert {typed} --to … --of OTHER-NAME`; \
             `linkwell list --hard` finds them"
        )),
    ))
}

/// A name of a file in a folder or, if `deep`, below it, on its volume. What may not be looked into is
/// passed over.
fn search(
    surveyor: &Surveyor,
    held: &Held,
    id: Identity,
    but: &[Spot],
    deep: bool,
) -> Option<Spot> {
    let system = surveyor.system();
    let mut descent = Descent::at(system, held.folder.as_fd()).ok()?;
    let listed = |descent: &Descent| {
        let mut all = names(system, descent.here()).unwrap_or_default();
        all.sort_by(|one, two| two.cmp(one));
        all
    };
    let mut todo = vec![(held.place.clone(), listed(&descent))];
    while let Some((place, rest)) = todo.last_mut() {
        let Some(name) = rest.pop() else {
            todo.pop();
            descent.up().ok()?;
            continue;
        };
        let Ok(facts) = descent.look(&name) else { continue };
        let taken =
            |place: &AbsPath| but.iter().any(|but| but.name == name && but.held.place == *place);
        if facts.kind == EntryKind::File && facts.id.is(id) && !taken(place) {
            let folder = system.open(descent.here(), c".", Access::Hold).ok()?;
            let held = Held { folder: Arc::new(folder), place: place.clone() };
            return Some(Spot { held, name, as_folder: false });
        }
        if deep && facts.kind == EntryKind::Folder && descent.down(&name, &facts).is_ok() {
            let below: AbsPath = place.joined(Name::as_bytes(&name));
            let below = (below, listed(&descent));
            todo.push(below);
        }
    }
    None
}
