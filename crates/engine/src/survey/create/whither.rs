//! Where a link shall be: the folder and the name, and how that is shown.

use super::{Pair, Wanted, Whither};
use crate::operator::Spot;
use crate::survey::{Led, Surveyor};
use linkwell_model::entry::EntryKind;
use linkwell_model::name::Name;
use linkwell_model::path::{self, Component};
use linkwell_model::plan::{Object, Why};
use linkwell_model::shown::{quoted, shown};

/// The link's path as the person would write it, with the name that it gets where only a folder was
/// typed.
pub(super) fn path_of(pair: &Pair, got: Option<&Name>) -> Vec<u8> {
    let typed = match &pair.link {
        Whither::At(path) if !goes_inside(path) => return with_name(path, got),
        Whither::At(folder) | Whither::In(folder) => folder,
    };
    let name = got.map(Name::as_bytes).or_else(|| last_name(&pair.target)).unwrap_or_default();
    if typed == b"." {
        return name.to_vec();
    }
    let mut path = typed.clone();
    if !path.ends_with(b"/") {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

/// The same path with another last name, if it got another: a shortcut's ending was added.
fn with_name(path: &[u8], got: Option<&Name>) -> Vec<u8> {
    match (got, path::components(path).next_back()) {
        (Some(got), Some(Component::Name(last))) if path.ends_with(last) => {
            let mut whole = path.get(..path.len() - last.len()).unwrap_or_default().to_vec();
            whole.extend_from_slice(got.as_bytes());
            whole
        }
        _ => path.to_vec(),
    }
}

/// Whether a path says by itself that it means: inside this folder.
pub(in crate::survey) fn goes_inside(path: &[u8]) -> bool {
    let last = path::components(path).next_back();
    !path.is_empty()
        && (path::ends_as_folder(path)
            || matches!(last, Some(Component::Here | Component::Up) | None))
}

pub(in crate::survey) fn last_name(target: &[u8]) -> Option<&[u8]> {
    match path::components(target).next_back() {
        Some(Component::Name(name)) => Some(name),
        _ => None,
    }
}

/// Where the link shall be.
pub(super) fn spot(
    surveyor: &mut Surveyor,
    wanted: &Wanted,
    pair: &Pair,
    led: &Led,
) -> Result<Spot, Why> {
    let inside = |surveyor: &mut Surveyor, folder: &[u8]| {
        let held = surveyor.folder(folder)?;
        let name = last_name(&pair.target).or_else(|| led.place.names().next_back());
        let name = name.and_then(Name::new);
        let name = name.ok_or(Why::Name("the target has no last name that the link could get"))?;
        Ok(Spot { held, name, as_folder: false })
    };
    match &pair.link {
        Whither::In(folder) => inside(surveyor, folder),
        Whither::At(path) if path.is_empty() => Err(Why::Name("the link's path is empty")),
        Whither::At(path) if !wanted.exact && goes_inside(path) => inside(surveyor, path),
        Whither::At(path) => {
            let spot = surveyor.spot(path)?;
            // The system would go through a link at that name.
            if spot.as_folder {
                return Err(Why::Name("with `-T` the link's name cannot end in a slash"));
            }
            Ok(spot)
        }
    }
}

/// A folder at the name, or behind a link there, may be where the person wanted to go: into it.
pub(super) fn into_folder(
    surveyor: &mut Surveyor,
    wanted: &Wanted,
    pair: &Pair,
    led: &Led,
) -> Result<(), Why> {
    let Whither::At(path) = &pair.link else { return Ok(()) };
    if wanted.exact || wanted.force || wanted.backup.is_some() || goes_inside(path) {
        return Ok(());
    }
    let seen = surveyor.led(None, path);
    if seen.kind == Some(EntryKind::Folder) && !led_same(&seen, led) {
        return Err(Why::IsFolder(path.as_slice().into()));
    }
    Ok(())
}

/// Whether the name already leads where the target leads: then there is nothing to ask about.
fn led_same(seen: &Led, led: &Led) -> bool {
    seen.physical.is_some() && seen.physical == led.physical
}

/// The target is not there, and the link is: most likely the two names were given the wrong way round.
pub(super) fn reversed(
    surveyor: &mut Surveyor,
    pair: &Pair,
    led: &Led,
    there: Option<&Object>,
) -> Result<(), Why> {
    let Whither::At(link) = &pair.link else { return Ok(()) };
    let real = !matches!(there, Some(Object::Link { .. }) | None);
    let parent = surveyor.led(None, led.place.parent().as_bytes());
    if real && parent.kind == Some(EntryKind::Folder) {
        let (target, link) = (quoted(&pair.target), quoted(link));
        return Err(Why::Other {
            what: format!(
                "there is nothing at `{}`, the target, and something at `{}`, the link's name",
                shown(&pair.target),
                shown(match &pair.link {
                    Whither::At(path) | Whither::In(path) => path,
                })
            ),
            hint: Some(format!(
                "the target comes first, as in `cp`; did you mean `linkwell create {link} {target}`?"
            )),
        });
    }
    Ok(())
}
