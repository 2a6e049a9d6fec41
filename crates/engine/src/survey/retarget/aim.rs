//! What a person asked for, as a rule for texts.

use super::text::Rule;
use super::{Aim, Wanted};
use crate::survey::Surveyor;
use crate::system::Links as Follow;
use linkwell_model::path::{self, AbsPath, Component};
use linkwell_model::plan::Why;
use linkwell_model::plan::spelling::Style;
use rustix::fd::AsFd as _;

/// The rule that says what each text becomes.
pub(super) fn rule(surveyor: &mut Surveyor, wanted: &Wanted) -> Result<Rule, (Vec<u8>, Why)> {
    let style = wanted.style;
    Ok(match &wanted.aim {
        Aim::To(to) => {
            let place = usable(to).map(|()| surveyor.led(None, to).place);
            let place = place.map_err(|why| (to.clone(), why))?;
            let mut absolute =
                if path::is_absolute(to) { to.clone() } else { place.as_bytes().to_vec() };
            if path::ends_as_folder(to) && !path::ends_as_folder(&absolute) {
                absolute.push(b'/');
            }
            Rule::To { place, absolute, style }
        }
        Aim::Prefix { from, to } => {
            for path in [from, to] {
                usable(path).map_err(|why| (path.clone(), why))?;
            }
            let new = surveyor.led(None, bare(to)).place;
            let absolute = AbsPath::cleaned(to).filter(|_| !has_up(to));
            let absolute = absolute.unwrap_or_else(|| new.clone());
            Rule::Prefix { old: ways_to_say(surveyor, wanted, from), new, absolute, style }
        }
        Aim::Style => Rule::Written(style.unwrap_or(Style::Relative)),
        Aim::Shorten => Rule::Shorter,
    })
}

fn usable(path: &[u8]) -> Result<(), Why> {
    if path.is_empty() {
        return Err(Why::Name("the target is empty; a link cannot lead to nothing"));
    }
    if path.contains(&0) {
        return Err(Why::Name("the target holds a NUL byte, which no path can"));
    }
    Ok(())
}

fn has_up(path: &[u8]) -> bool {
    path::components(path).any(|component| component == Component::Up)
}

/// A path without the slashes at its end.
pub(super) fn bare(path: &[u8]) -> &[u8] {
    let end = path.iter().rposition(|byte| *byte != b'/').map_or(1, |last| last + 1);
    path.get(..end).unwrap_or(path)
}

/// An old place may be gone, and it may be written in links as people see it or as it lies.
fn ways_to_say(surveyor: &mut Surveyor, wanted: &Wanted, from: &[u8]) -> Vec<AbsPath> {
    let from = bare(from);
    let mut ways = Vec::new();
    let base = if path::is_absolute(from) {
        Some(AbsPath::root())
    } else {
        // `$PWD` is what somebody says; it counts only if it leads here.
        wanted.seen_from.clone().filter(|seen| {
            let system = surveyor.system();
            let seen = system.status(rustix::fs::CWD, seen.as_bytes(), Follow::Followed);
            let here = system.status_of(surveyor.current().folder.as_fd());
            matches!((seen, here), (Ok(seen), Ok(here)) if seen.id == here.id)
        })
    };
    if let Some(mut logical) = base {
        logical.extend_as_text(from);
        ways.push(logical);
    }
    let led = surveyor.led(None, from);
    for way in std::iter::once(led.place).chain(led.physical) {
        if !ways.contains(&way) {
            ways.push(way);
        }
    }
    ways
}
