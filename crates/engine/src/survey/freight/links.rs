//! Where the links inside lead, and which of them need another text at the new place.

use super::walk::Walk;
use linkwell_model::chain::End;
use linkwell_model::path::{self, AbsPath, Component};
use linkwell_model::target::Target;
use rustix::fd::BorrowedFd;

/// A link inside, and where it leads.
#[derive(Clone, Debug)]
pub struct Leaving {
    /// Where it lies below the top: names joined by slashes.
    pub below: Vec<u8>,
    /// Its text.
    pub text: Target,
    /// The place that it names: its folder physically, and its last name, itself not followed.
    pub place: AbsPath,
    /// Where it leads in the end, if anywhere.
    pub end: Option<AbsPath>,
    /// The place that it names lies in the tree, for certain: it leads out and in again.
    pub returns: bool,
}

impl Walk<'_> {
    /// Looks at the link `name` in the folder at hand.
    pub(super) fn link(&mut self, at: BorrowedFd<'_>, name: &[u8]) {
        let mut text = std::mem::take(&mut self.text);
        match self.system.read_link(at, name, &mut text) {
            Ok(()) => self.text_of(at, name, &text),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::INVAL) => {}
            Err(error) => self.freight.unseen(error, || self.here.joined(name)),
        }
        self.text = text;
    }

    fn text_of(&mut self, at: BorrowedFd<'_>, name: &[u8], text: &[u8]) {
        let absolute = path::is_absolute(text);
        if !absolute && !self.leaves(text) {
            self.freight.inner += 1;
            // Mostly the kernel knows without being made to look.
            if self.system.follow_in_cache(at, name).is_none() {
                let led = self.surveyor.led(Some(&self.here), text);
                self.broken(name, &led.end);
            }
            return;
        }
        let led = self.surveyor.led(Some(&self.here), text);
        self.broken(name, &led.end);
        let returns = !led.guessed && led.place.is_at_or_below(&self.top);
        let gathered = if absolute {
            if !led.place.is_at_or_below(&self.top) {
                self.freight.absolute_out += 1;
                return;
            }
            self.freight.absolute_in += 1;
            if !self.wanted.absolute {
                return;
            }
            &mut self.freight.absolute
        } else {
            &mut self.freight.leaving
        };
        let below = self.here.joined(name);
        gathered.push(Leaving {
            below: below.below(&self.top).unwrap_or_default().to_vec(),
            text: Target::new(text),
            place: led.place,
            end: led.physical,
            returns,
        });
    }

    fn broken(&mut self, name: &[u8], end: &End<()>) {
        // What cannot be looked at is not known to be broken.
        if !matches!(end, End::Found(_) | End::Denied | End::Unavailable) {
            self.freight.broken.add(|| self.here.joined(name));
        }
    }

    /// Whether a relative text climbs out of the tree: by `..` from its top. Those at its beginning are
    /// counted; after a name, which may be that of a link, it is asked where that leads. What is not there
    /// is taken for a folder.
    fn leaves(&mut self, text: &[u8]) -> bool {
        let mut level = self.depth;
        let mut named = false;
        for component in path::components(text) {
            match component {
                Component::Name(_) => named = true,
                Component::Here => {}
                Component::Up if named => return self.leaves_after_a_name(text),
                Component::Up => match level.checked_sub(1) {
                    Some(above) => level = above,
                    None => return true,
                },
            }
        }
        false
    }

    fn leaves_after_a_name(&mut self, text: &[u8]) -> bool {
        let mut way = Vec::with_capacity(text.len() + 1);
        for component in path::components(text) {
            match component {
                Component::Name(name) => way.extend_from_slice(name),
                Component::Here => way.push(b'.'),
                Component::Up => {
                    let from = if way.is_empty() { &b"."[..] } else { &way };
                    let led = self.surveyor.led(Some(&self.here), from);
                    if led.physical.unwrap_or(led.place) == self.top {
                        return true;
                    }
                    way.extend_from_slice(b"..");
                }
            }
            way.push(b'/');
        }
        false
    }
}
