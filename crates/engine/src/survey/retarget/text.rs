//! The new text of one link: pure but for the looks that `..` after a name needs.

use crate::folder::Folder;
use linkwell_model::chain::{Destination, End, resolve};
use linkwell_model::note::shorter;
use linkwell_model::path::{self, AbsPath, Component};
use linkwell_model::plan::spelling::{Style, relative, written};
use linkwell_model::target::Target;
use linkwell_model::view::View;
use std::sync::Arc;

/// How texts are to become others.
#[derive(Clone, Debug)]
pub(in crate::survey) enum Rule {
    /// Lead to this place.
    To {
        /// The place: its folder physically, and its last name.
        place: AbsPath,
        /// How it is written from `/`, with a slash at its end if it must be a folder.
        absolute: Vec<u8>,
        /// The same style as now if none.
        style: Option<Style>,
    },
    /// What leads to or into one of `old` leads to or into `new`.
    Prefix {
        /// Ways to say the old place.
        old: Vec<AbsPath>,
        /// The new place: its folder physically, and its last name.
        new: AbsPath,
        /// How the new place is written from `/`.
        absolute: AbsPath,
        /// The same style as now if none.
        style: Option<Style>,
    },
    /// Lead where they lead, written like this.
    Written(Style),
    /// Lead where they lead, written shorter.
    Shorter,
}

impl Rule {
    /// Whether what a link leads to stays the same.
    pub(in crate::survey) fn keeps_destination(&self) -> bool {
        matches!(self, Self::Written(_) | Self::Shorter)
    }
}

/// What a rule makes of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::survey) enum Made {
    /// It is not about this text.
    NotMeant,
    /// The text is as wanted.
    Already,
    /// This text.
    Text(Vec<u8>),
}

/// Where a link stands.
#[derive(Clone, Copy)]
pub(in crate::survey) struct Standing<'a> {
    /// The folder, for looking from it.
    pub(in crate::survey) folder: &'a Arc<Folder>,
    /// Where that lies, physically.
    pub(in crate::survey) place: &'a AbsPath,
}

/// What `rule` makes of `text`, held by a link that stands there.
pub(in crate::survey) fn remade<V: View<Folder = Arc<Folder>>>(
    view: &mut V,
    at: Standing<'_>,
    text: &[u8],
    rule: &Rule,
) -> Made {
    let made = match rule {
        Rule::To { place, absolute, style } => {
            let now = style_of(text);
            let style = style.unwrap_or(now);
            if style == now && named(view, at, text) == *place {
                return Made::Already;
            }
            match style {
                Style::Absolute => absolute.clone(),
                Style::Relative => {
                    let slash = path::ends_as_folder(absolute) && *place != AbsPath::root();
                    joined(relative(at.place, place), if slash { b"/" } else { b"" })
                }
            }
        }
        Rule::Prefix { old, new, absolute, style } => {
            let Some(found) = old.iter().find_map(|old| led_into(view, at, text, old)) else {
                return Made::NotMeant;
            };
            let now = style_of(text);
            let style = style.unwrap_or(now);
            let mut place = new.clone();
            place.extend_as_text(&found.below);
            if style == now && place == found.place {
                return Made::Already;
            }
            let rest = text.get(found.rest..).unwrap_or_default();
            match style {
                Style::Relative => joined(relative(at.place, &place), rest),
                Style::Absolute => {
                    let mut place = absolute.clone();
                    place.extend_as_text(&found.below);
                    joined(place.as_bytes().to_vec(), rest)
                }
            }
        }
        Rule::Written(style) if style_of(text) == *style => return Made::Already,
        Rule::Written(style) => restyled(view, at, text, *style),
        Rule::Shorter => {
            let chain = resolve(view, at.folder, text);
            let plain = chain.hops.is_empty() && matches!(chain.end, End::Found(_));
            match shorter(&Target::new(text), at.place, plain) {
                Some(shorter) => shorter,
                None => return Made::Already,
            }
        }
    };
    if made == text { Made::Already } else { Made::Text(made) }
}

fn style_of(text: &[u8]) -> Style {
    if path::is_absolute(text) { Style::Absolute } else { Style::Relative }
}

/// A path and what follows it, with one slash between them where there must be one.
fn joined(mut head: Vec<u8>, rest: &[u8]) -> Vec<u8> {
    let bare = rest.iter().position(|byte| *byte != b'/').and_then(|at| rest.get(at..));
    match (&*head, bare) {
        // `./x` says no more than `x`.
        (b".", Some(bare)) => return bare.to_vec(),
        (b"/", bare) => {
            head.extend_from_slice(bare.unwrap_or_default());
            return head;
        }
        (_, Some(_)) if !path::is_absolute(rest) && !path::ends_as_folder(&head) => head.push(b'/'),
        _ => {}
    }
    head.extend_from_slice(rest);
    head
}

/// Where a path goes, component by component: as its words say, except that `..` after names is
/// taken where the kernel takes it, at the physical folder reached so far.
struct Steps<'a> {
    text: &'a [u8],
    /// How much of the text has been read.
    read: usize,
    here: AbsPath,
    /// Names were read since the place was last physical.
    named: bool,
    /// The last component was `..`, taken where no name came before: the way up from the link, which
    /// the new text finds for itself.
    upward: bool,
}

impl<'a> Steps<'a> {
    fn new(at: Standing<'_>, text: &'a [u8]) -> Self {
        let absolute = path::is_absolute(text);
        let here = if absolute { AbsPath::root() } else { at.place.clone() };
        Self { text, read: 0, here, named: false, upward: false }
    }

    /// Reads one component; `false` at the end.
    fn step<V: View<Folder = Arc<Folder>>>(&mut self, view: &mut V, at: Standing<'_>) -> bool {
        let rest = self.text.get(self.read..).unwrap_or_default();
        let Some(slashes) = rest.iter().position(|byte| *byte != b'/') else { return false };
        let piece = rest.get(slashes..).unwrap_or_default();
        let length = piece.iter().position(|byte| *byte == b'/').unwrap_or(piece.len());
        let before = self.text.get(..self.read).unwrap_or_default();
        self.read += slashes + length;
        self.upward = false;
        match piece.get(..length).unwrap_or_default() {
            b"." => {}
            b".." => {
                self.upward = !self.named;
                if self.named {
                    let chain = resolve(view, at.folder, before);
                    if let End::Found(Destination::Folder(folder)) = &chain.end
                        && !chain.hops.is_empty()
                    {
                        self.here = view.place(folder);
                        self.named = false;
                    }
                }
                self.here.pop();
            }
            name => {
                self.here.push(name);
                self.named = true;
            }
        }
        true
    }
}

/// The place that a text names, itself not followed.
fn named<V: View<Folder = Arc<Folder>>>(view: &mut V, at: Standing<'_>, text: &[u8]) -> AbsPath {
    let mut steps = Steps::new(at, text);
    while steps.step(view, at) {}
    steps.here
}

/// How a text leads to or into a place.
#[derive(Debug, PartialEq, Eq)]
struct Into {
    /// Where in the text that begins which is kept as it is.
    rest: usize,
    /// The way from the place to where that begins.
    below: Vec<u8>,
    /// Where that begins.
    place: AbsPath,
}

/// How `text` leads to or into `old`, by whole components; from some component on it must stay there.
fn led_into<V: View<Folder = Arc<Folder>>>(
    view: &mut V,
    at: Standing<'_>,
    text: &[u8],
    old: &AbsPath,
) -> Option<Into> {
    let mut steps = Steps::new(at, text);
    let mut found: Option<Into> = None;
    loop {
        if steps.upward {
            found = None;
        }
        match (steps.here.below(old), &found) {
            (None, _) => found = None,
            (Some(below), None) => {
                let (below, place) = (below.to_vec(), steps.here.clone());
                found = Some(Into { rest: steps.read, below, place });
            }
            (Some(_), Some(_)) => {}
        }
        if !steps.step(view, at) {
            return found;
        }
    }
}

/// The same place, in another style: the folder physically, the last name as it is.
fn restyled<V: View<Folder = Arc<Folder>>>(
    view: &mut V,
    at: Standing<'_>,
    text: &[u8],
    style: Style,
) -> Vec<u8> {
    let end = text.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
    let (bare, slashes) = text.split_at_checked(end).unwrap_or((text, b""));
    if bare.is_empty() {
        return written(style, at.place, &AbsPath::root());
    }
    let (way, name) = match path::components(bare).next_back() {
        Some(Component::Name(name)) => {
            (bare.get(..bare.len() - name.len()).unwrap_or_default(), name)
        }
        // `a/..` is the folder itself, which has no other name here.
        _ => (bare, &b""[..]),
    };
    let (head, rest) = physically(view, at, way);
    let mut place = head;
    if rest.is_empty() {
        if !name.is_empty() {
            place.push(name);
        }
        let slashes = if place == AbsPath::root() { b"" } else { slashes };
        return joined(written(style, at.place, &place), slashes);
    }
    let mut text = joined(written(style, at.place, &place), &rest);
    if !name.is_empty() {
        text = joined(text, name);
    }
    text.extend_from_slice(slashes);
    text
}

/// The physical folder that `way` leads to; or as much of the way as leads to one, and what follows:
/// that stays as it is, `..` and all, since behind something that is missing it leads nowhere, and must
/// not come to lead somewhere.
fn physically<V: View<Folder = Arc<Folder>>>(
    view: &mut V,
    at: Standing<'_>,
    way: &[u8],
) -> (AbsPath, Vec<u8>) {
    let mut known = way;
    while !known.is_empty() {
        let chain = resolve(view, at.folder, known);
        let rest = way.get(known.len()..).unwrap_or_default();
        match chain.end {
            End::Found(_) => return (chain.end_at(view), rest.to_vec()),
            End::Missing | End::NotADirectory(_) if rest.is_empty() => {
                let missing = chain.end_at(view);
                let (above, name) = (missing.parent(), missing.names().next_back());
                return (above, joined(name.unwrap_or_default().to_vec(), &chain.rest));
            }
            // Links in a circle, or nobody may look: one component less.
            _ => {}
        }
        let end = known.iter().rposition(|byte| *byte != b'/').map_or(0, |last| last + 1);
        let bare = known.get(..end).unwrap_or_default();
        let slash = bare.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        known = bare.get(..slash).unwrap_or_default();
    }
    (at.place.clone(), way.to_vec())
}

#[cfg(test)]
#[path = "text_tests.rs"]
mod tests;
