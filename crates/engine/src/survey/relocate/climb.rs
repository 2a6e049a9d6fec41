//! How a relative text climbs out of what is moved.

use super::after::Moved;
use crate::survey::Surveyor;
use linkwell_model::path::{self, AbsPath, Component};

/// How a text climbs out.
pub(super) struct Climb {
    /// So many folders above the top.
    pub(super) ups: usize,
    /// What follows.
    pub(super) rest: Vec<u8>,
    /// What comes before, if it passes something that is not there: whether that will be a folder is not
    /// known, so it is kept, and leads to the top if it is.
    pub(super) kept: Option<Vec<u8>>,
}

/// The last time that `text`, read from `folder`, climbs out of the top. Behind something that is not there
/// this cannot be told for certain: the first time that it does by its text alone, if it does not before.
pub(super) fn climbs(
    surveyor: &mut Surveyor,
    moved: &Moved,
    folder: &AbsPath,
    text: &[u8],
) -> Option<Climb> {
    let components: Vec<Component<'_>> = path::components(text).collect();
    let mut here = Some(folder.clone());
    let mut way: Vec<u8> = Vec::new();
    let mut last: Option<(usize, Option<Vec<u8>>)> = None;
    let mut behind_nothing = false;
    for (at, component) in components.iter().enumerate() {
        match component {
            Component::Here => {}
            Component::Name(_) => here = None,
            Component::Up => {
                let place = here.take().unwrap_or_else(|| {
                    let led = surveyor.led(Some(folder), &way);
                    behind_nothing |= led.physical.is_none();
                    led.physical.unwrap_or(led.place)
                });
                if place == moved.top && (!behind_nothing || last.is_none()) {
                    last = Some((at, behind_nothing.then(|| way.clone())));
                }
                here = Some(place.parent());
            }
        }
        way.extend_from_slice(bytes(*component));
        way.push(b'/');
    }
    let (at, kept) = last?;
    let mut rest = components.get(at..)?;
    let mut ups = 0;
    while let Some((component @ (Component::Up | Component::Here), more)) = rest.split_first() {
        ups += usize::from(*component == Component::Up);
        rest = more;
    }
    let mut text_of_rest = rest.iter().map(|part| bytes(*part)).collect::<Vec<_>>().join(&b'/');
    if path::ends_as_folder(text) && !text_of_rest.is_empty() {
        text_of_rest.push(b'/');
    }
    Some(Climb { ups, rest: text_of_rest, kept })
}

fn bytes(component: Component<'_>) -> &[u8] {
    match component {
        Component::Here => b".",
        Component::Up => b"..",
        Component::Name(name) => name,
    }
}
