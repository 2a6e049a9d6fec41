//! What goes where: the two ends of a move, and what stands there.

use super::{Ends, Wanted, no};
use crate::folder::Folder;
use crate::operator::Spot;
use crate::survey::Surveyor;
use crate::survey::create::{self, goes_inside, last_name};
use crate::survey::guard::{Destination, may_move};
use linkwell_model::chain::resolve;
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Object, Why};
use linkwell_model::shown::quoted;

/// The ends of a move to `dest`.
pub(super) fn out(
    surveyor: &mut Surveyor,
    wanted: &Wanted,
    path: &[u8],
    dest: &[u8],
) -> Result<Ends, Why> {
    has_both(path, dest)?;
    let from = surveyor.spot(path)?;
    let object = surveyor.object(&from)?;
    let object = object.ok_or_else(|| Why::Nothing(path.into()))?;
    let to = destination(surveyor, path, dest, &from)?;
    let there = surveyor.object(&to)?;
    let place = Destination { spot: &to, object: there.as_ref() };
    let state = wanted.state.as_ref();
    let (facts, above) = may_move(surveyor, path, (&from, &object), place, state)?;
    if let Some(there) = there {
        return Err(taken(surveyor, dest, &to, &there));
    }
    Ok(Ends { from, object, facts, above, to, over: None, record: Vec::new() })
}

/// Both paths say something.
pub(in crate::survey) fn has_both(path: &[u8], dest: &[u8]) -> Result<(), Why> {
    match (path.is_empty(), dest.is_empty()) {
        (true, _) => Err(Why::Name("the path is empty")),
        (false, true) => Err(Why::Name("the path that says where to is empty")),
        (false, false) => Ok(()),
    }
}

/// Where something goes that is to go to `dest`.
pub(in crate::survey) fn destination(
    surveyor: &mut Surveyor,
    path: &[u8],
    dest: &[u8],
    from: &Spot,
) -> Result<Spot, Why> {
    if !goes_inside(dest) {
        return surveyor.spot(dest);
    }
    let held = surveyor.folder(dest)?;
    let name = last_name(path).and_then(Name::new).unwrap_or_else(|| from.name.clone());
    Ok(Spot { held, name, as_folder: false })
}

/// Something stands where it is to go.
fn taken(surveyor: &mut Surveyor, dest: &[u8], to: &Spot, there: &Object) -> Why {
    let inside = quoted(&[dest, b"/"].concat());
    let led = surveyor.led(None, dest);
    let hint = match (there, led.kind) {
        _ if goes_inside(dest) => None,
        (Object::Folder { .. }, _) => Some(format!(
            "to move it into that folder, end the path in a slash: `{inside}`; to make one folder of the \
             two, add `--merge`"
        )),
        (Object::Link { .. }, Some(EntryKind::Folder)) => Some(format!(
            "to move it into the folder behind the link, end the path in a slash: `{inside}`"
        )),
        _ => None,
    };
    no(format!("there is a {} at `{}` already", there.kind().word(), to.place().shown()), hint)
}

/// The ends of a way home, in place of the link at `link`.
pub(super) fn back(surveyor: &mut Surveyor, wanted: &Wanted, link: &[u8]) -> Result<Ends, Why> {
    if link.is_empty() {
        return Err(Why::Name("the path is empty"));
    }
    let trimmed = link.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    let to = surveyor.spot(link.get(..trimmed).unwrap_or_default())?;
    let object = surveyor.object(&to)?;
    let object = object.ok_or_else(|| Why::Nothing(link.into()))?;
    let Object::Link { attributes, .. } = &object else {
        let what = format!("it is a {}, not a link", object.kind().word());
        return Err(no(
            what,
            Some("`--back` is given the link that stands in the old place".into()),
        ));
    };
    create::may_replace(surveyor, &to, attributes.owner)?;
    let led = surveyor.led(Some(&to.held.place), to.name.as_bytes());
    if led.physical.is_none() {
        return Err(nowhere(surveyor, &to, &led.end_at, link));
    }
    if led.physical.is_some_and(|place| place.split().is_none()) {
        return Err(no("it leads to the top of all folders".into(), None));
    }
    // Whoever has made a link on the way says what is moved: that may be the user and root.
    let from = surveyor.behind(&to)?;
    let place = from.place();
    let there = surveyor.object(&from)?;
    let there = there.ok_or_else(|| Why::Nothing(place.as_bytes().into()))?;
    let end = Destination { spot: &to, object: Some(&object) };
    let state = wanted.state.as_ref();
    let (facts, above) = may_move(surveyor, place.as_bytes(), (&from, &there), end, state)?;
    Ok(Ends { from, object: there, facts, above, to, over: Some(object), record: Vec::new() })
}

/// The links by which that at the new place leads to what is moved, and that lead into it themselves.
pub(super) fn on_the_way_to(surveyor: &mut Surveyor, ends: &Ends) -> Vec<AbsPath> {
    let folder = Folder::of_place(&ends.to.held.place);
    let chain = resolve(&mut surveyor.live, &folder, ends.to.name.as_bytes());
    let (from, to) = (ends.from.place(), ends.to.place());
    let leads = |surveyor: &mut Surveyor, folder: &AbsPath, name: &[u8]| {
        let led = surveyor.led(Some(folder), name);
        led.physical.is_some_and(|place| place.is_at_or_below(&from))
    };
    let hops = chain.hops.iter().map(|hop| (hop.folder.place(), &hop.name));
    let hops = hops.filter(|(folder, name)| leads(surveyor, folder, name));
    hops.map(|(folder, name)| folder.joined(name)).filter(|place| *place != to).collect()
}

/// The link `link`, which stands at `to`, leads nowhere: its volume may only be away.
fn nowhere(surveyor: &mut Surveyor, to: &Spot, end: &AbsPath, link: &[u8]) -> Why {
    let folder = Folder::of_place(&to.held.place);
    let chain = resolve(&mut surveyor.live, &folder, to.name.as_bytes());
    match surveyor.volumes.absent(end, &chain.rest) {
        Some(absent) => no(
            format!("it leads into `{}`, which is not attached now", absent.point.shown()),
            Some("attach it, and try again".into()),
        ),
        None => no(
            "it leads nowhere now, so there is nothing to bring home".into(),
            Some(format!("`linkwell show {}` says why", quoted(link))),
        ),
    }
}
