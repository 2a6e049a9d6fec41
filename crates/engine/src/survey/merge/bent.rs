//! Links that would lead elsewhere when they lie elsewhere.
//!
//! A relative link that goes up and out of the folder takes its way from where it lies; what it leads to
//! is written anew, so that it leads where it led. One that stays inside goes by the names in it, and so
//! do all paths through the folder: where both folders had a name, that is the one of the destination.

use super::Surveyor;
use linkwell_model::path::{self, AbsPath, Component};
use linkwell_model::plan::spelling::{Style, written};
use linkwell_model::target::Target;

/// Two folders that become one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tops<'a> {
    pub(super) from: &'a AbsPath,
    pub(super) to: &'a AbsPath,
}

/// The text that a link in the folder at `here` needs to lead where it leads, when it lies in the folder at
/// `there`; `None` when it may stay as it is.
pub(super) fn text(
    surveyor: &mut Surveyor,
    tops: Tops<'_>,
    here: &AbsPath,
    there: &AbsPath,
    text: &[u8],
    style: Style,
) -> Option<Target> {
    if !leaves(tops.from, here, text) {
        return None;
    }
    let led = surveyor.led(Some(here), text);
    let mut place = led.place;
    // Out and in again. Written absolute, it goes through the link that will be in the old place, and is
    // right at every moment.
    if style == Style::Relative
        && let Some(below) = place.below(tops.from)
    {
        let below = below.to_vec();
        place = tops.to.clone();
        place.extend_as_text(&below);
    }
    let mut new = written(style, there, &place);
    if path::ends_as_folder(text) && !new.ends_with(b"/") {
        new.push(b'/');
    }
    (new != text).then(|| Target::new(new))
}

/// Whether a relative text goes up beyond the folder at `top`, from the folder at `here` in it.
fn leaves(top: &AbsPath, here: &AbsPath, text: &[u8]) -> bool {
    if path::is_absolute(text) {
        return false;
    }
    let mut depth = here.names().count().saturating_sub(top.names().count());
    for component in path::components(text) {
        match component {
            Component::Up if depth == 0 => return true,
            Component::Up => depth -= 1,
            Component::Name(_) => depth += 1,
            Component::Here => {}
        }
    }
    false
}
