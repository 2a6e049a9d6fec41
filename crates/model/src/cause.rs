//! Links that need a person, grouped by what is wrong, so that one cause is told once.

use crate::path::AbsPath;
use crate::volume::Absent;
use std::collections::BTreeMap;

/// What is wrong with one or more links. The order is the order of telling.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// This place is not there.
    Missing(AbsPath),
    /// Several names are not there, each wanted by one link, all in this folder.
    MissingIn(AbsPath),
    /// This is no folder, and links pass through it as if it were.
    NotADirectory(AbsPath),
    /// Links that lead back to themselves.
    Loop,
    /// Links that lead through more links than the system follows.
    TooDeep,
    /// A mount of a folder that has been deleted.
    DeletedBind,
    /// A volume that is not attached.
    Asleep(AbsPath, crate::volume::Evidence),
    /// A place that may not be looked at.
    Denied(Option<AbsPath>),
    /// A place that gave no answer.
    Unknown(Option<AbsPath>),
}

impl Cause {
    /// The cause of sleep.
    pub fn asleep(absent: &Absent) -> Self {
        Self::Asleep(absent.point.clone(), absent.evidence.clone())
    }

    /// Whether links with this cause are wrong as they stand, rather than waiting for a volume or
    /// not to be judged.
    pub fn is_wrong(&self) -> bool {
        !matches!(self, Self::Asleep(..) | Self::Denied(_) | Self::Unknown(_))
    }
}

/// One link of a group.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// The link, as a person would type it.
    pub path: Box<[u8]>,
    /// The text it holds; `None` when it could not be read.
    pub target: Option<Box<[u8]>>,
}

/// Links by cause.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Causes(BTreeMap<Cause, Vec<Member>>);

impl Causes {
    /// Adds a link.
    pub fn add(&mut self, cause: Cause, member: Member) {
        self.0.entry(cause).or_default().push(member);
    }

    /// Adds what another part of the scan found.
    pub fn merge(&mut self, other: Self) {
        for (cause, mut members) in other.0 {
            self.0.entry(cause).or_default().append(&mut members);
        }
    }

    /// The groups, in the order of telling, each with its links in order.
    ///
    /// Places that are missing from one folder, and wanted by a single link each, are told as
    /// one.
    pub fn groups(mut self) -> Vec<(Cause, Vec<Member>)> {
        self.join_single_ones();
        let mut groups: Vec<_> = self.0.into_iter().collect();
        for (_, members) in &mut groups {
            members.sort();
        }
        groups
    }

    fn join_single_ones(&mut self) {
        let mut singles: BTreeMap<AbsPath, Vec<AbsPath>> = BTreeMap::new();
        for (cause, members) in &self.0 {
            if let (Cause::Missing(place), [_]) = (cause, members.as_slice()) {
                singles.entry(place.parent()).or_default().push(place.clone());
            }
        }
        for (folder, places) in singles.into_iter().filter(|(_, places)| places.len() > 1) {
            for place in places {
                let members = self.0.remove(&Cause::Missing(place)).unwrap_or_default();
                self.0.entry(Cause::MissingIn(folder.clone())).or_default().extend(members);
            }
        }
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    fn missing(place: &str) -> Cause {
        Cause::Missing(AbsPath::cleaned(place.as_bytes()).unwrap())
    }

    fn member(path: &str) -> Member {
        Member { path: path.as_bytes().into(), target: None }
    }

    #[test]
    fn one_cause_is_told_once_and_single_ones_of_a_folder_together() {
        let mut causes = Causes::default();
        for path in ["b", "a"] {
            causes.add(missing("/opt/app"), member(path));
        }
        causes.add(missing("/usr/x"), member("c"));
        causes.add(missing("/usr/y"), member("d"));
        causes.add(missing("/etc/z"), member("e"));
        let groups = causes.groups();
        let told: Vec<_> =
            groups.iter().map(|(cause, members)| (cause.clone(), members.len())).collect();
        let usr = Cause::MissingIn(AbsPath::cleaned(b"/usr").unwrap());
        assert_eq!(told, [(missing("/etc/z"), 1), (missing("/opt/app"), 2), (usr, 2)]);
        assert_eq!(groups.get(1).unwrap().1, [member("a"), member("b")]);
    }
}
