//! The links inside something that is moved: which of them need another text to lead where they led.
//!
//! A text that goes on leading there from the new place stays. Where the name is moved, a new text is
//! right before and after, or it is written after the move; so at no moment a link lies.

use super::after::{After, Moved};
use super::climb::climbs;
use super::outside::found;
use super::{Ends, Wanted};
use crate::folder::Folder;
use crate::look;
use crate::operator::Held;
use crate::survey::freight::{Freight, Leaving};
use crate::survey::retarget::text::{Made, Rule, Standing, remade};
use crate::survey::{Surveyor, refused, style};
use crate::system::{Access, Facts};
use linkwell_model::chain::{Chain, End, resolve};
use linkwell_model::entry::{Identity, Time};
use linkwell_model::name::Name;
use linkwell_model::path::{self, AbsPath};
use linkwell_model::plan::spelling::{Style, relative, written};
use linkwell_model::plan::{Attributes, Bytes, Object, Rewritten, Why};
use linkwell_model::target::Target;
use rustix::fd::AsFd as _;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A link inside that gets another text.
#[derive(Clone, Debug)]
pub(super) struct Renewed {
    /// Where it lies below the top, and its texts.
    pub(super) text: Rewritten,
    /// Where its folder lies below the top, which folder it is, and the link itself: known where the link
    /// is changed in its place.
    pub(super) folder: Option<(Vec<u8>, Identity, Name, Object)>,
    /// When that folder was last changed.
    pub(super) changed: Option<Time>,
    /// Its new text is right only at the new place.
    pub(super) after: bool,
    /// It leads out of what is moved; else into it from `/`.
    pub(super) leads_out: bool,
}

/// What becomes of the links inside.
#[derive(Default)]
pub(super) struct Inside {
    /// Those that get another text, by where they lie.
    pub(super) renewed: BTreeMap<Vec<u8>, Renewed>,
    /// Those that would be broken, and why.
    pub(super) broken: Vec<(AbsPath, Why)>,
}

/// How the move goes on, as far as the links inside are concerned.
pub(super) struct Way<'a> {
    pub(super) wanted: &'a Wanted,
    /// It is renamed, not copied.
    pub(super) by_name: bool,
    /// Absolute links into the old place get another text, too.
    pub(super) absolute: bool,
    /// The longest text that a link can have where it goes.
    pub(super) longest: usize,
}

/// Finds the new texts.
pub(super) fn inside(
    surveyor: &mut Surveyor,
    ends: &Ends,
    moved: &mut Moved,
    freight: &Freight,
    way: &Way<'_>,
) -> Inside {
    let mut result = Inside::default();
    // What an earlier move has changed gets its very texts again.
    for text in &ends.record {
        let into = AbsPath::cleaned(text.was.as_bytes());
        let leads_out = into.is_none_or(|place| !place.is_at_or_below(&moved.top));
        let renewed =
            Renewed { text: text.clone(), folder: None, changed: None, after: true, leads_out };
        result.renewed.insert(text.below.0.to_vec(), renewed);
    }
    result.renewed.retain(|_, renewed| recorded(surveyor, moved, renewed));
    for link in &freight.leaving {
        if result.renewed.contains_key(&link.below) {
            continue;
        }
        if let Some((now, after)) = new_text(surveyor, moved, link, way) {
            add(&mut result, link, now, true);
            result.renewed.entry(link.below.clone()).and_modify(|link| link.after = after);
        }
    }
    let rule = Rule::Prefix {
        old: vec![moved.top.clone()],
        new: moved.dest.clone(),
        absolute: moved.dest.clone(),
        style: None,
    };
    for link in freight.absolute.iter().filter(|_| way.absolute) {
        if result.renewed.contains_key(&link.below) {
            continue;
        }
        let place = folder_of(&moved.top, &link.below);
        let folder = Folder::of_place(&place);
        let at = Standing { folder: &folder, place: &place };
        if let Made::Text(now) = remade(&mut surveyor.live, at, link.text.as_bytes(), &rule) {
            add(&mut result, link, now, false);
            // Behind a link in the old place the new text leads there only when it stands there.
            let leaves = ends.over.is_none() && !way.wanted.no_link;
            result.renewed.entry(link.below.clone()).and_modify(|link| link.after = leaves);
        }
    }
    for renewed in result.renewed.values() {
        let place = joined(&moved.top, &renewed.text.below.0);
        moved.texts.insert(place, renewed.text.now.clone());
    }
    judge(surveyor, moved, freight, way, &mut result);
    if way.by_name {
        hold(surveyor, moved, &mut result);
    }
    result
}

fn add(found: &mut Inside, link: &Leaving, now: Vec<u8>, leads_out: bool) {
    let below = Bytes(link.below.as_slice().into());
    let text = Rewritten { below, was: link.text.clone(), now: Target::new(now) };
    let renewed = Renewed { text, folder: None, changed: None, after: false, leads_out };
    found.renewed.insert(link.below.clone(), renewed);
}

/// `below` as a place below `top`.
pub(super) fn joined(top: &AbsPath, below: &[u8]) -> AbsPath {
    let mut place = top.clone();
    below.split(|byte| *byte == b'/').filter(|name| !name.is_empty()).for_each(|name| {
        place.push(name);
    });
    place
}

/// The folder below `top` in which something lies.
fn folder_of(top: &AbsPath, below: &[u8]) -> AbsPath {
    joined(top, below).parent()
}

/// Whether a link on record still has the text that it was given.
fn recorded(surveyor: &mut Surveyor, moved: &Moved, renewed: &Renewed) -> bool {
    let place = joined(&moved.top, &renewed.text.below.0);
    let Some((folder, name)) = place.split() else { return false };
    let system = surveyor.system();
    let opened = Folder::of_place(&folder).open(system, Access::Hold);
    let mut text = Vec::new();
    opened.is_ok_and(|folder| system.read_link(folder.as_fd(), name.as_bytes(), &mut text).is_ok())
        && text == renewed.text.was.as_bytes()
}

/// The text with which a link that leads out, or out and in again, leads there from the new place, and
/// whether it does so only from there; nothing if it does with the one that it has.
///
/// What stands there does not matter: one that is broken or asleep goes on naming the place that it names.
fn new_text(
    surveyor: &mut Surveyor,
    moved: &Moved,
    link: &Leaving,
    way: &Way<'_>,
) -> Option<(Vec<u8>, bool)> {
    let text = link.text.as_bytes();
    let (old, new) = (folder_of(&moved.top, &link.below), folder_of(&moved.dest, &link.below));
    if link.returns {
        if leads_back(surveyor, moved, link, &old) {
            return None;
        }
        let below = link.place.below(&moved.top)?;
        let slash = if path::ends_as_folder(text) { &b"/"[..] } else { b"" };
        return Some(([&*relative(&new, &moved.below_dest(below)), slash].concat(), false));
    }
    let climb = climbs(surveyor, moved, &old, text)?;
    let (mut from, mut to) = (moved.top.clone(), moved.dest.clone());
    for _ in 0..climb.ups {
        from.pop();
        to.pop();
    }
    // It may pass the tree by its old name on the way.
    if from == to && leads_back(surveyor, moved, link, &old) {
        return None;
    }
    let mut place = from.clone();
    place.extend_as_text(&climb.rest);
    let asked = way.by_name.then_some(Style::Absolute);
    let shared =
        if way.by_name { None } else { surveyor.shared(&moved.below_dest(&link.below), &place) };
    let mut made = match &climb.kept {
        None => written(style(asked, shared.as_ref()), &new, &from),
        Some(kept) => [&**kept, &*relative(&moved.dest, &from)].concat(),
    };
    if !climb.rest.is_empty() {
        if !path::ends_as_folder(&made) {
            made.push(b'/');
        }
        made.extend_from_slice(&climb.rest);
    } else if path::ends_as_folder(text) && !path::ends_as_folder(&made) {
        made.push(b'/');
    }
    Some((made, climb.kept.is_some()))
}

/// Whether a link leads where it led from the new place as well, without the link that is left.
fn leads_back(surveyor: &mut Surveyor, moved: &Moved, link: &Leaving, old: &AbsPath) -> bool {
    let text = link.text.as_bytes();
    let chain = then(surveyor, moved, old, text);
    if chain.hops.iter().any(|hop| hop.folder.place().joined(&hop.name) == moved.top) {
        return false;
    }
    match &link.end {
        Some(end) => found(&chain).as_ref() == Some(end),
        None => names_the_same(surveyor, moved, &chain, old, text),
    }
}

/// Whether a link that leads nowhere will name the place that it names now: what is not there is taken for
/// a folder.
fn names_the_same(
    surveyor: &mut Surveyor,
    moved: &Moved,
    then: &Chain<Arc<Folder>>,
    old: &AbsPath,
    text: &[u8],
) -> bool {
    let now = resolve(&mut surveyor.live, &Folder::of_place(old), text);
    let mut named = now.end_at(&surveyor.live);
    named.extend_as_text(&now.rest);
    let mut then_named = then.end_at(&After { now: &mut surveyor.live, moved });
    then_named.extend_as_text(&then.rest);
    then_named == moved.then(&named)
}

fn then(
    surveyor: &mut Surveyor,
    moved: &Moved,
    folder: &AbsPath,
    text: &[u8],
) -> Chain<Arc<Folder>> {
    let mut after = After { now: &mut surveyor.live, moved };
    resolve(&mut after, &Folder::of_place(folder), text)
}

/// Finds out which links would not lead where they led, with all new texts in place.
fn judge(
    surveyor: &mut Surveyor,
    moved: &Moved,
    freight: &Freight,
    way: &Way<'_>,
    inside: &mut Inside,
) {
    let mut broken = Vec::new();
    for renewed in inside.renewed.values() {
        let length = renewed.text.now.as_bytes().len();
        if length > way.longest {
            let what = format!(
                "its target would be {length} bytes long, and {} is the most that a link can hold there",
                way.longest
            );
            let place = joined(&moved.top, &renewed.text.below.0);
            broken.push((place, Why::Other { what, hint: None }));
        }
    }
    let absolute = freight.absolute.iter().filter(|_| way.absolute);
    for link in freight.leaving.iter().chain(absolute) {
        let place = joined(&moved.top, &link.below);
        let text = moved.texts.get(&place).unwrap_or(&link.text);
        let chain = then(surveyor, moved, &place.parent(), text.as_bytes());
        let end = link.end.as_ref().unwrap_or(&link.place);
        let leads_there = match &link.end {
            Some(end) => found(&chain).as_ref() == Some(end),
            // Where a way through too many links fails depends on where it begins.
            None => {
                !matches!(chain.end, End::Missing | End::NotADirectory(_) | End::Found(_))
                    || names_the_same(
                        surveyor,
                        moved,
                        &chain,
                        &place.parent(),
                        link.text.as_bytes(),
                    )
            }
        };
        if !leads_there && !broken.iter().any(|(known, _)| *known == place) {
            let what = format!("it would no longer lead to `{}`", moved.then(end).shown());
            broken.push((place, Why::Other { what, hint: None }));
        }
    }
    inside.broken.extend(broken);
}

/// Looks at the links that are to be changed where they are.
fn hold(surveyor: &mut Surveyor, moved: &Moved, inside: &mut Inside) {
    let mut last: Option<Last> = None;
    let mut refusals = Vec::new();
    for renewed in inside.renewed.values_mut() {
        let place = joined(&moved.top, &renewed.text.below.0);
        match held(surveyor, &mut last, &place, renewed) {
            Ok(()) => {}
            Err(why) => refusals.push((place, why)),
        }
    }
    inside.renewed.retain(|_, renewed| renewed.folder.is_some());
    inside.broken.extend(refusals);
}

/// The folder that was looked at last: mostly the next link lies in it, too.
struct Last {
    held: Held,
    facts: Facts,
}

fn held(
    surveyor: &mut Surveyor,
    last: &mut Option<Last>,
    place: &AbsPath,
    renewed: &mut Renewed,
) -> Result<(), Why> {
    let (folder, name) =
        place.split().ok_or(Why::Name("this names no entry that could be changed"))?;
    if last.as_ref().is_none_or(|last| last.held.place != folder) {
        let system = surveyor.system();
        let looked = |error| refused("its folder cannot be opened", error);
        let opened = Folder::of_place(&folder).open(system, Access::Hold).map_err(looked)?;
        let facts = system.facts_of(opened.as_fd()).map_err(looked)?;
        let held = Held { folder: Arc::new(opened), place: folder };
        may_change_in(&held)?;
        *last = Some(Last { held, facts });
    }
    let Some(Last { held, facts }) = last.as_ref() else { return Ok(()) };
    let shared = facts.mode & 0o1002 == 0o1002;
    let found = look::object_in_full(surveyor.system(), held.folder.as_fd(), name.as_bytes());
    let found = found.map_err(|error| refused("it cannot be looked at", error))?;
    let object = match found {
        Some(Object::Link { target, id, attributes }) if target == renewed.text.was => {
            Object::Link { target, id, attributes }
        }
        _ => {
            let what = "somebody else is changing it right now".to_owned();
            return Err(Why::Other { what, hint: Some("try again".into()) });
        }
    };
    if let (true, Object::Link { attributes, .. }) = (shared, &object) {
        may_change(surveyor, attributes)?;
    }
    let below = renewed.text.below.0.to_vec();
    let slash = memchr::memrchr(b'/', &below).unwrap_or(0);
    let below = below.get(..slash).unwrap_or_default().to_vec();
    renewed.folder = Some((below, facts.id, name, object));
    renewed.changed = Some(facts.modified);
    Ok(())
}

/// Whether this user may change names in a folder, as far as the system says so beforehand.
pub(super) fn may_change_in(held: &Held) -> Result<(), Why> {
    use rustix::fs::{Access as May, AtFlags};
    let may = May::WRITE_OK | May::EXEC_OK;
    rustix::fs::accessat(held.folder.as_fd(), c".", may, AtFlags::EACCESS)
        .map_err(|error| refused("its folder cannot be written to", error))
}

/// Whether a link in a folder that anyone may write to may be changed: another user's is not, not even by
/// root.
pub(super) fn may_change(surveyor: &mut Surveyor, link: &Attributes) -> Result<(), Why> {
    let me = rustix::process::geteuid().as_raw();
    if link.owner == me || link.owner == 0 {
        return Ok(());
    }
    let owner = surveyor.owner(link.owner);
    let what = format!("it belongs to {owner}, in a folder that anyone may write to");
    Err(Why::Other { what, hint: None })
}
