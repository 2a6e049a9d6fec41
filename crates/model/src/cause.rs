//! Links that need a person, grouped by what is wrong, so that one cause is told once.

use crate::expected::Absent;
use crate::path::AbsPath;
use std::collections::BTreeMap;

/// What is wrong with one or more links.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// This place is not there.
    Missing(AbsPath),
    /// Several names are not there, each wanted by one link, all in this folder.
    MissingIn(AbsPath),
    /// Names that are not there, each wanted by one link and each in a folder of its own.
    MissingApart,
    /// This is no folder, and links pass through it as if it were.
    NotADirectory(AbsPath),
    /// Links that lead back to themselves.
    Loop,
    /// Links that lead through more links than the system follows.
    TooDeep,
    /// The system does not follow these links for what they are: a volume on which no link is
    /// followed, or other people's links in a shared folder.
    Refused,
    /// A mount of a folder that has been deleted.
    DeletedBind,
    /// Real files and folders in the place of links that are on record.
    Replaced,
    /// A volume that is not attached.
    Asleep(AbsPath, crate::expected::Evidence),
    /// A place that may not be looked at.
    Denied(Option<AbsPath>),
    /// A place that gave no answer.
    Unknown(Option<AbsPath>),
    /// Links that work, with another text than is on record.
    Retargeted,
}

impl Cause {
    /// The cause of sleep.
    pub fn asleep(absent: &Absent) -> Self {
        Self::Asleep(absent.point.clone(), absent.evidence.clone())
    }

    /// The place of this kind of cause in the order of telling.
    fn rank(&self) -> u8 {
        match self {
            Self::Missing(_) | Self::MissingIn(_) | Self::MissingApart => 0,
            Self::NotADirectory(_) => 1,
            Self::Loop => 2,
            Self::TooDeep => 3,
            Self::Refused => 4,
            Self::DeletedBind => 5,
            Self::Replaced => 6,
            Self::Asleep(..) => 7,
            Self::Denied(_) => 8,
            Self::Unknown(_) => 9,
            Self::Retargeted => 10,
        }
    }

    /// Whether links with this cause are wrong as they stand, rather than waiting for a volume or
    /// not to be judged.
    pub fn is_wrong(&self) -> bool {
        !matches!(self, Self::Asleep(..) | Self::Denied(_) | Self::Unknown(_) | Self::Retargeted)
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
        // Most causes hurt one link: room for one, not for the four that a first push would make.
        self.0.entry(cause).or_insert_with(|| Vec::with_capacity(1)).push(member);
    }

    /// Adds what another part of the scan found.
    pub fn merge(&mut self, other: Self) {
        for (cause, mut members) in other.0 {
            self.0.entry(cause).or_default().append(&mut members);
        }
    }

    /// The groups: causes of one kind together, those with most links first; each with its links
    /// in order.
    ///
    /// Missing places that are wanted by a single link each are told as one: those in one folder,
    /// and those that are left.
    pub fn groups(mut self) -> Vec<(Cause, Vec<Member>)> {
        self.join_single_ones();
        let mut groups: Vec<_> = self.0.into_iter().collect();
        for (_, members) in &mut groups {
            members.sort();
        }
        // The sort is stable: among groups of one size the places stay in order.
        groups.sort_by_key(|(cause, members)| (cause.rank(), std::cmp::Reverse(members.len())));
        groups
    }

    fn join_single_ones(&mut self) {
        let mut singles: BTreeMap<AbsPath, Vec<AbsPath>> = BTreeMap::new();
        for (cause, members) in &self.0 {
            if let (Cause::Missing(place), [_]) = (cause, members.as_slice()) {
                singles.entry(place.parent()).or_default().push(place.clone());
            }
        }
        let (together, apart): (Vec<_>, Vec<_>) =
            singles.into_iter().partition(|(_, places)| places.len() > 1);
        for (folder, places) in together {
            self.join(places, &Cause::MissingIn(folder));
        }
        if apart.len() > FEW {
            self.join(apart.into_iter().flat_map(|(_, places)| places), &Cause::MissingApart);
        }
    }

    fn join(&mut self, places: impl IntoIterator<Item = AbsPath>, cause: &Cause) {
        for place in places {
            let members = self.0.remove(&Cause::Missing(place)).unwrap_or_default();
            self.0.entry(cause.clone()).or_default().extend(members);
        }
    }
}

/// So many lone links are told one by one, each with its place.
const FEW: usize = 3;

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
        assert_eq!(told, [(missing("/opt/app"), 2), (usr, 2), (missing("/etc/z"), 1)]);
        assert_eq!(groups.first().unwrap().1, [member("a"), member("b")]);
    }

    #[test]
    fn many_lone_links_are_told_as_one() {
        let mut causes = Causes::default();
        for folder in ["a", "b", "c", "d"] {
            causes.add(missing(&format!("/{folder}/gone")), member(folder));
        }
        causes.add(missing("/e/gone"), member("e"));
        causes.add(missing("/e/gone"), member("f"));
        let told: Vec<_> =
            causes.groups().into_iter().map(|(cause, members)| (cause, members.len())).collect();
        assert_eq!(told, [(Cause::MissingApart, 4), (missing("/e/gone"), 2)]);
    }
}
