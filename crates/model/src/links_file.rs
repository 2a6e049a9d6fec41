//! The file of links that goes from one computer to another: what `export` writes and `apply` reads.
//!
//! TOML, to be read and changed by people. Places are written from the home folder (`~/Music`) or from a volume
//! that has a name in the file (`{Data}/Music`), since neither lies at the same place everywhere.

use crate::encoded;
use crate::keep::link::Policy;
use crate::path::{self, AbsPath, Component};
use crate::plan::spelling::Style;
use crate::share::arrangement::Arrangement;
use crate::volume_id::{Uuid, VolumeId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the format that is written, and the newest that is read.
pub const VERSION: u32 = 1;

/// All of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinksFile {
    /// The version of the format.
    pub version: u32,
    /// The volumes that places are written from, by the names that they have here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub volumes: BTreeMap<String, Volume>,
    /// The links.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// The folders that clients carry to other computers, and with them the links at their places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub placements: Vec<Shared>,
}

/// A volume, so that it is known again on another computer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// Where it was attached.
    pub at: Spelled,
    /// The number that it was given when it was made, where it has one and the system says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uuid: Option<Uuid>,
    /// The system's own number for it, where that lasts: 16 hexadecimal digits.
    #[serde(default, with = "digits", skip_serializing_if = "Option::is_none")]
    pub fsid: Option<u64>,
}

impl Volume {
    /// The volume with this number, attached at a place.
    pub fn new(at: &AbsPath, id: Option<&VolumeId>) -> Self {
        let (uuid, fsid) = id.map_or((None, None), |id| (id.uuid, id.fsid));
        Self { at: Spelled(at.as_bytes().into()), uuid, fsid: fsid.filter(|_| uuid.is_none()) }
    }

    /// Whether it is this volume. One that could not be told from others is none.
    pub fn is(&self, id: &VolumeId) -> bool {
        match (self.uuid, self.fsid) {
            (Some(uuid), _) => id.uuid == Some(uuid),
            (None, Some(fsid)) => id.fsid == Some(fsid),
            (None, None) => false,
        }
    }
}

/// A number as hexadecimal digits: TOML has none above 2^63.
mod digits {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(number: &Option<u64>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&number.map(|number| format!("{number:016x}")).unwrap_or_default())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
        let text = String::deserialize(from)?;
        let number = u64::from_str_radix(&text, 16);
        number.map(Some).map_err(|_| D::Error::custom("16 hexadecimal digits are wanted"))
    }
}

/// A link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Where it stands.
    pub at: Spelled,
    /// Where it leads.
    pub to: Spelled,
    /// How its target is written: `relative` or `absolute`.
    pub written: Written,
    /// What the watcher does when its target moves.
    #[serde(default, with = "policy", skip_serializing_if = "is_default")]
    pub policy: Policy,
}

/// A folder that was put where a client syncs it. Where the client syncs on another computer is that computer's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shared {
    /// The folder as people know it, where its link stands.
    pub folder: Spelled,
    /// The client's id; none when it was put into a folder that a person has named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The folder that was synced there.
    pub root: Spelled,
    /// The client's own word for that folder, if it has one: the same on all computers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Key>,
    /// What it is called in it.
    #[serde(serialize_with = "encoded::serialize", deserialize_with = "encoded::deserialize")]
    pub name: Box<[u8]>,
    /// How it was arranged.
    pub arrangement: Arrangement,
    /// How the link's target is written.
    #[serde(default)]
    pub written: Written,
    /// What the watcher does when its target moves.
    #[serde(default, with = "policy", skip_serializing_if = "is_default")]
    pub policy: Policy,
}

/// A client's word for a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Key(
    #[serde(serialize_with = "encoded::serialize", deserialize_with = "encoded::deserialize")]
    pub  Box<[u8]>,
);

fn is_default(policy: &Policy) -> bool {
    *policy == Policy::default()
}

mod policy {
    use crate::keep::link::Policy;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<S: Serializer>(policy: &Policy, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(policy.word())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Policy, D::Error> {
        let word = String::deserialize(from)?;
        Policy::of_word(&word)
            .ok_or_else(|| D::Error::custom("a policy is `follow`, `ask` or `leave`"))
    }
}

/// How a target is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Written {
    /// From where the link lies.
    #[default]
    Relative,
    /// From `/`.
    Absolute,
}

impl Written {
    /// How this target is written.
    pub fn of(target: &[u8]) -> Self {
        if path::is_absolute(target) { Self::Absolute } else { Self::Relative }
    }
}

impl From<Written> for Style {
    fn from(written: Written) -> Self {
        match written {
            Written::Relative => Self::Relative,
            Written::Absolute => Self::Absolute,
        }
    }
}

/// A place as it is written in the file: `~/…`, `{VOLUME}/…` or `/…`. Bytes that are not UTF-8 are written in Base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Spelled(
    #[serde(serialize_with = "encoded::serialize", deserialize_with = "encoded::deserialize")]
    pub  Box<[u8]>,
);

/// Why a place of a file is none on this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unplaced {
    /// It is no place: it begins with nothing that is known, or goes up by `..`.
    Malformed,
    /// It is written from the home folder, and nobody knows where that is.
    NoHome,
    /// It lies on a volume that is not known here.
    Volume(String),
}

/// Where home and the named volumes are on one computer.
#[derive(Clone, Debug, Default)]
pub struct Bases {
    /// The home folder.
    pub home: Option<AbsPath>,
    /// Each volume that is here.
    pub volumes: BTreeMap<String, AbsPath>,
}

impl Bases {
    /// Writes a place: from home if it lies there, else from the nearest named volume, else from `/`.
    pub fn spell(&self, place: &AbsPath) -> Spelled {
        let from = |base: &AbsPath, start: &[u8]| {
            let below = place.below(base)?;
            let slash: &[u8] = if below.is_empty() { b"" } else { b"/" };
            Some([start, slash, below].concat())
        };
        let own = self.home.as_ref().filter(|home| **home != AbsPath::root());
        if let Some(text) = own.and_then(|home| from(home, b"~")) {
            return Spelled(text.into());
        }
        let holding = self.volumes.iter().filter(|(_, point)| place.is_at_or_below(point));
        let nearest = holding.max_by_key(|(_, point)| point.as_bytes().len());
        let text = nearest.and_then(|(name, point)| from(point, format!("{{{name}}}").as_bytes()));
        Spelled(text.unwrap_or_else(|| place.as_bytes().to_vec()).into())
    }

    /// The place of what is written.
    ///
    /// # Errors
    /// Why there is none here.
    pub fn place(&self, spelled: &Spelled) -> Result<AbsPath, Unplaced> {
        let text = &*spelled.0;
        // What `..` means depends on the links on the way, and those are another computer's.
        if text.contains(&0) || path::components(text).any(|one| one == Component::Up) {
            return Err(Unplaced::Malformed);
        }
        let (base, rest) = match text.first() {
            Some(b'/') => (AbsPath::root(), text),
            Some(b'~') => {
                (self.home.clone().ok_or(Unplaced::NoHome)?, text.get(1..).unwrap_or_default())
            }
            Some(b'{') => {
                let end = text.iter().position(|byte| *byte == b'}').ok_or(Unplaced::Malformed)?;
                let name = text.get(1..end).unwrap_or_default();
                let name = String::from_utf8(name.to_vec()).map_err(|_| Unplaced::Malformed)?;
                let Some(point) = self.volumes.get(&name) else {
                    return Err(Unplaced::Volume(name));
                };
                (point.clone(), text.get(end + 1..).unwrap_or_default())
            }
            _ => return Err(Unplaced::Malformed),
        };
        if !rest.is_empty() && !rest.starts_with(b"/") {
            return Err(Unplaced::Malformed);
        }
        let mut place = base;
        place.extend_as_text(rest);
        Ok(place)
    }
}

/// Where the text of a link in `folder` leads, as it is named: links on its way are not followed, so that a link
/// through a switch such as `current` stays one. `None` where a `..` behind a name makes that unknowable.
pub fn named(folder: &AbsPath, text: &[u8]) -> Option<AbsPath> {
    let mut place = if path::is_absolute(text) { AbsPath::root() } else { folder.clone() };
    let mut down = false;
    for component in path::components(text) {
        match component {
            Component::Here => {}
            Component::Up if down => return None,
            Component::Up => place.pop(),
            Component::Name(name) => {
                down = true;
                place.push(name);
            }
        }
    }
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> AbsPath {
        AbsPath::cleaned(text.as_bytes()).expect("absolute")
    }

    fn bases() -> Bases {
        let volumes = [("Data", "/mnt/data"), ("Deep", "/mnt/data/deep")];
        Bases {
            home: Some(place("/home/me")),
            volumes: volumes.map(|(name, point)| (name.to_owned(), place(point))).into(),
        }
    }

    fn spelled(text: &[u8]) -> Spelled {
        Spelled(text.into())
    }

    #[test]
    fn what_is_written_is_the_same_place_when_it_is_read() {
        let pairs = [
            ("/home/me", "~"),
            ("/home/me/Music", "~/Music"),
            ("/home/meow", "/home/meow"),
            ("/mnt/data/Music", "{Data}/Music"),
            ("/mnt/data", "{Data}"),
            ("/mnt/data/deep/x", "{Deep}/x"),
            ("/srv/x", "/srv/x"),
            ("/", "/"),
        ];
        for (at, text) in pairs {
            assert_eq!(bases().spell(&place(at)), spelled(text.as_bytes()));
            assert_eq!(bases().place(&spelled(text.as_bytes())), Ok(place(at)));
        }
    }

    #[test]
    fn what_is_no_place_here_says_why() {
        for text in ["", "x", "~x", "~/../x", "/a/../b", "{Data", "{Data}x", "~/a\0"] {
            assert_eq!(
                bases().place(&spelled(text.as_bytes())),
                Err(Unplaced::Malformed),
                "{text}"
            );
        }
        let none = Bases::default();
        assert_eq!(none.place(&spelled(b"~/x")), Err(Unplaced::NoHome));
        assert_eq!(none.place(&spelled(b"{Data}/x")), Err(Unplaced::Volume("Data".into())));
    }

    #[test]
    fn bytes_of_any_kind_go_through_the_file() {
        let link = Link {
            at: spelled(b"~/\xff\n\"x"),
            to: spelled("~/ä\u{7}".as_bytes()),
            written: Written::Relative,
            policy: Policy::Ask,
        };
        let id = VolumeId::new(0xef53, None, u64::MAX - 5);
        let volumes = [("Data".to_owned(), Volume::new(&place("/mnt/data"), Some(&id)))].into();
        let shared = Shared {
            folder: spelled(b"~/\xfe"),
            client: Some("syncthing".into()),
            root: spelled(b"{Data}/Sync"),
            key: Some(Key(b"abcd-\xff".as_slice().into())),
            name: b"a\xff".as_slice().into(),
            arrangement: Arrangement::Inverted,
            written: Written::Absolute,
            policy: Policy::Leave,
        };
        let placements = vec![shared];
        let file = LinksFile { version: VERSION, volumes, links: vec![link], placements };
        let is = |id: &VolumeId| file.volumes.get("Data").is_some_and(|volume| volume.is(id));
        assert!(is(&id) && !is(&VolumeId::new(1, None, 7)));
        let text = toml::to_string(&file).expect("it can be written");
        assert_eq!(toml::from_str::<LinksFile>(&text).expect("it can be read"), file);
        assert!(toml::from_str::<LinksFile>("version = 1\nlnks = []").is_err());
    }

    #[test]
    fn a_way_through_a_link_stays_as_it_is_named() {
        let of = |text: &str| named(&place("/home/me/l"), text.as_bytes());
        assert_eq!(of("../current/x"), Some(place("/home/me/current/x")));
        assert_eq!(of("/srv/x/"), Some(place("/srv/x")));
        assert_eq!(of("a/../x"), None);
    }
}
