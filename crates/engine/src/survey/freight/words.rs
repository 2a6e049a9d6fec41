//! What was found, in words: what stops a move, and what should be known before it.

use super::{Freight, Named};
use crate::survey::amount::{counted, size};
use crate::survey::reason;
use linkwell_model::holding::Objection;
use linkwell_model::path::AbsPath;
use linkwell_model::plan::{Loss, Why};
use linkwell_model::shown::quoted;

/// What belongs to somebody else.
const OTHERS: &str = "there is something in it that belongs to somebody else, and only root can give it to them there";

impl Freight {
    /// What stops it from being moved within its volume. Nothing is copied then, so what stands in it
    /// does not matter, but where it would stand.
    pub fn against_renaming(&self) -> Vec<Why> {
        self.itself().into_iter().chain(self.with_mounts()).collect()
    }

    /// What of it was not looked into before a rename, so that nobody knows of the links in there: those
    /// that lead out of it may lead elsewhere from the new place.
    pub fn links_not_known(&self) -> Vec<String> {
        let reason = self.reason.map_or_else(|| "permission denied".to_owned(), reason);
        let found = [(&self.shut, "permission denied".to_owned()), (&self.unseen, reason)];
        let found = found.into_iter().filter(|(named, _)| !named.is_empty());
        let words = found.map(|(named, reason)| {
            format!(
                "it cannot all be looked into ({reason}), and links in there that lead out of it may lead \
                 elsewhere then: {}",
                places(named)
            )
        });
        words.collect()
    }

    /// What begins in it and is not looked into, though it moves as well.
    pub fn subvolumes_in_it(&self) -> Option<String> {
        (!self.subvolumes.is_empty()).then(|| {
            format!(
                "subvolumes begin in it, which are not looked into: links in them that lead out of it may \
                 lead elsewhere then: {}",
                places(&self.subvolumes)
            )
        })
    }

    /// What stops it from being copied to another volume and freed here. `accepted` is what may be lost;
    /// `there` is the name of the file system there.
    pub fn against_copying(&self, there: &str, accepted: &[Loss]) -> Vec<Why> {
        let mut found: Vec<Why> = self.itself().into_iter().collect();
        found.extend(self.with_mounts());
        let mut stop = |named: &Named, what: &str, hint: &str| {
            if !named.is_empty() {
                let hint = (!hint.is_empty()).then(|| hint.to_owned());
                found.push(Why::Other { what: format!("{what}: {}", places(named)), hint });
            }
        };
        stop(
            &self.subvolumes,
            "subvolumes begin in it, which a copy would make plain folders of",
            "move them on their own first, or send them with `btrfs send`",
        );
        stop(
            &self.immutable,
            "there is something in it that nobody may change or remove (`chattr +i`)",
            &self.chattr("i", &self.immutable),
        );
        stop(
            &self.append_only,
            "there is something in it that may only grow, and not be removed (`chattr +a`)",
            &self.chattr("a", &self.append_only),
        );
        stop(&self.unread, "there are files in it that you may not read", "");
        stop(
            &self.closed,
            "there are folders in it that you may not look into, or remove anything from",
            "",
        );
        stop(
            &self.foreign,
            "there is something of somebody else's in it, in a folder where only owners may remove",
            "",
        );
        if let Some(error) = self.reason {
            stop(
                &self.unseen,
                &format!("what is in it cannot all be looked at ({})", reason(error)),
                "",
            );
        }
        if !accepted.contains(&Loss::Owner) {
            stop(&self.others, OTHERS, "to go on without that, add `--accept-loss owner`");
        }
        if self.clashes > 0 {
            let pairs: Vec<String> = self
                .clashing
                .iter()
                .map(|(one, other)| format!("`{}` and `{}`", one.shown(), last(other)))
                .collect();
            let more = more(self.clashes, pairs.len());
            found.push(Why::Other {
                what: format!(
                    "{} are one and the same there ({there}): {}{more}",
                    several(self.clashes, "pair of names", "pairs of names"),
                    pairs.join(", ")
                ),
                hint: Some("rename one of each first".into()),
            });
        }
        for (objection, named) in &self.objections {
            if let Objection::Loss(loss) = objection
                && accepted.contains(loss)
            {
                continue;
            }
            let (what, hint) = match objection {
                Objection::Hindrance(_) => (objection.words().to_owned(), None),
                Objection::Loss(loss) => (
                    format!("{there} cannot keep {}", loss.sentence()),
                    Some(format!("to go on without that, add `--accept-loss {}`", loss.word())),
                ),
            };
            found.push(Why::Other { what: format!("{what}: {}", places(named)), hint });
        }
        found
    }

    /// What should be known before it is copied. `accepted` is what may be lost.
    pub fn remarks(&self, there: &str, accepted: &[Loss]) -> Vec<String> {
        let mut words = vec![self.summary()];
        if !self.split.is_empty() {
            let (they, become_, are) = if self.split.count == 1 {
                (
                    "1 file in it has names outside, too",
                    "becomes a file of its own",
                    "under the other names stays what it was",
                )
            } else {
                (
                    "files in it have names outside, too",
                    "become files of their own",
                    "under the other names stays what it was",
                )
            };
            let they = if self.split.count == 1 {
                they.to_owned()
            } else {
                format!("{} {they}", counted(self.split.count))
            };
            words.push(format!(
                "{they}, and {become_} there, while the file {are}: {}",
                places(&self.split)
            ));
        }
        words.extend(self.unshared(&format!("{there} cannot keep that")));
        if !self.others.is_empty() && accepted.contains(&Loss::Owner) {
            words.push(format!("{OTHERS}, as you accepted: {}", places(&self.others)));
        }
        let lost = self.objections.iter().filter_map(|(objection, named)| match objection {
            Objection::Loss(loss) if accepted.contains(loss) => Some((loss, named)),
            _ => None,
        });
        for (loss, named) in lost {
            words.push(format!(
                "{there} cannot keep {}, as you accepted: {}",
                loss.sentence(),
                places(named)
            ));
        }
        words
    }

    /// What becomes of room that files in it share. It needs nobody's leave: no byte is lost by it, and the
    /// room that it takes is looked for.
    pub fn unshared(&self, why: &str) -> Option<String> {
        let they = if self.sharing.count == 1 {
            "1 file in it shares".to_owned()
        } else {
            format!("{} files in it share", counted(self.sharing.count))
        };
        (!self.sharing.is_empty()).then(|| {
            format!(
                "{they} room with another file in it; {why}, and the copy takes {} more: {}",
                size(self.shared),
                places(&self.sharing)
            )
        })
    }

    /// What it is all in all.
    pub fn summary(&self) -> String {
        let special = self.pipes.count + self.sockets.count + self.devices.count;
        let parts: Vec<String> = [
            (self.files, "file", "files"),
            (self.folders, "folder", "folders"),
            (self.links, "link", "links"),
            (special, "pipe, socket or device", "pipes, sockets or devices"),
        ]
        .into_iter()
        .filter(|(count, _, _)| *count > 0)
        .map(|(count, one, many)| several(count, one, many))
        .collect();
        format!("{}, {}", parts.join(", "), size(self.bytes))
    }

    fn itself(&self) -> Option<Why> {
        let place = self.destination.as_ref()?;
        Some(Why::Other {
            what: format!("the destination lies in what is to be moved: in `{}`", place.shown()),
            hint: None,
        })
    }

    fn with_mounts(&self) -> Vec<Why> {
        let mount = |place: &AbsPath| Why::Other {
            what: format!("a volume is mounted in it: `{}`", place.shown()),
            hint: Some(format!("detach it first: `umount {}`", quoted(place.as_bytes()))),
        };
        self.mounted.iter().map(mount).collect()
    }

    fn chattr(&self, letter: &str, named: &Named) -> String {
        let first = named.first.first().map(|place| quoted(place.as_bytes())).unwrap_or_default();
        format!("take that away first: `chattr -{letter} {first}`")
    }
}

fn last(place: &AbsPath) -> String {
    let name = place.names().next_back().unwrap_or(b"/");
    linkwell_model::shown::shown(name).to_string()
}

fn several(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", counted(count), if count == 1 { one } else { many })
}

fn more(count: u64, named: usize) -> String {
    match count.saturating_sub(named as u64) {
        0 => String::new(),
        rest if named == 0 => counted(rest),
        rest => format!(" and {} more", counted(rest)),
    }
}

/// The first places, and how many more there are.
pub(in crate::survey) fn places(named: &Named) -> String {
    let first: Vec<String> =
        named.first.iter().map(|place| format!("`{}`", place.shown())).collect();
    format!("{}{}", first.join(", "), more(named.count, first.len()))
}
