//! One client: a row of the table.

use super::arrangement::{Arrangement, Recommended};
use super::config::Config;
use super::said::{Said, Source};
use serde::Deserialize;
use std::collections::BTreeMap;

/// What a client is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Keeps folders the same on several computers, by itself.
    Live,
    /// The same, when it is started.
    Started,
    /// Copies in one direction.
    OneWay,
    /// Keeps copies to come back to.
    Backup,
}

impl Kind {
    /// The word for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Started => "started",
            Self::OneWay => "one_way",
            Self::Backup => "backup",
        }
    }

    /// Whether the other side can change anything here.
    pub fn is_changed_from_there(self) -> bool {
        matches!(self, Self::Live | Self::Started)
    }
}

/// What becomes of a link of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Does {
    /// What it leads to arrives.
    Contents,
    /// The link itself arrives.
    Link,
    /// Neither arrives.
    Nothing,
    /// What it leads to arrives once for each link.
    Twice,
    /// It is an error, or passed over on purpose.
    Refuses,
    /// Nobody knows.
    Unknown,
}

impl Does {
    /// The word in the table, and for programs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Contents => "contents",
            Self::Link => "link",
            Self::Nothing => "nothing",
            Self::Twice => "twice",
            Self::Refuses => "refuses",
            Self::Unknown => "unknown",
        }
    }
}

/// What a client does with links of one kind, with no option given.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Treatment {
    /// What.
    pub does: Does,
    /// The name of the source; none where it is unknown.
    pub from: Option<String>,
    /// What else is worth knowing.
    pub note: Option<String>,
}

/// What a client does with each kind of link in a folder that it syncs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Treatments {
    /// A symbolic link to a folder elsewhere.
    pub folder: Treatment,
    /// A symbolic link to a file elsewhere.
    pub file: Treatment,
    /// A folder that is mounted a second time there.
    pub bind: Treatment,
    /// Hard links to files elsewhere.
    pub mirror: Treatment,
    /// The real folder there, and a link at its old place.
    pub inverted: Treatment,
    /// Two links to the same folder.
    pub doubled: Treatment,
}

impl Treatments {
    /// All of them: the word for programs, and what is done.
    pub fn all(&self) -> [(&'static str, &Treatment); 6] {
        [
            ("folder", &self.folder),
            ("file", &self.file),
            ("bind", &self.bind),
            ("mirror", &self.mirror),
            ("inverted", &self.inverted),
            ("doubled", &self.doubled),
        ]
    }
}

/// What is never to be done with a client.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Never {
    /// What.
    pub what: String,
    /// Why not.
    pub why: String,
    /// The name of the source.
    pub from: String,
}

/// What a client keeps in a folder that it syncs: `path`, or a name that begins and ends so.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Its path in the folder.
    pub path: Option<String>,
    /// How its name begins.
    pub begin: Option<String>,
    /// How its name ends.
    pub end: Option<String>,
    /// Only a plain file is it: in the home folder Dropbox has a folder of settings of the same name.
    #[serde(default)]
    pub file: bool,
    /// The name of the source.
    pub from: String,
}

impl Mark {
    /// Whether a name in the folder is this mark. One with a path is looked for by that instead.
    pub fn is_called(&self, name: &[u8]) -> bool {
        match (&self.begin, &self.end) {
            (Some(begin), Some(end)) => {
                name.len() >= begin.len() + end.len()
                    && name.starts_with(begin.as_bytes())
                    && name.ends_with(end.as_bytes())
            }
            _ => false,
        }
    }
}

/// The programs of a client, as the system calls their processes.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Processes {
    /// Their names.
    pub names: Vec<String>,
    /// What one of them must have been told, where several clients are one program.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// The name of the source.
    pub from: String,
}

/// Whether a client can be told to wait, and how.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// Whether it can.
    pub can: bool,
    /// How.
    pub how: String,
    /// The name of the source.
    pub from: String,
}

/// One client.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Client {
    /// How it is called in commands and by programs.
    pub id: String,
    /// How people call it.
    pub name: String,
    /// What it is for.
    pub kind: Kind,
    /// Its sources, by the names that statements point to.
    pub sources: BTreeMap<String, Source>,
    /// What it does with links.
    pub links: Treatments,
    /// How a folder is best made to arrive, the best first.
    pub arrangements: Vec<Recommended>,
    /// What is never to be done.
    #[serde(default)]
    pub never: Vec<Never>,
    /// What it keeps in a folder that it syncs.
    #[serde(default)]
    pub marks: Vec<Mark>,
    /// What else it keeps in a folder that it works on, and that does not make it a folder that is synced.
    #[serde(default)]
    pub signs: Vec<Mark>,
    /// Where its configuration is.
    #[serde(default)]
    pub config: Vec<Config>,
    /// Its programs.
    pub processes: Option<Processes>,
    /// Whether it can be told to wait; none where that is not known.
    pub pause: Option<Pause>,
}

impl Client {
    /// The source that a statement points to.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.get(name)
    }

    /// The best recommendation for an arrangement, if it is recommended.
    pub fn recommended(&self, arrangement: Arrangement) -> Option<&Recommended> {
        self.arrangements.iter().find(|one| one.arrangement == arrangement)
    }

    /// Everything that is said of it: what about, and the name of the source.
    pub fn statements(&self) -> Vec<(String, Option<&str>)> {
        let mut all: Vec<(String, Option<&str>)> = Vec::new();
        for (kind, treatment) in self.links.all() {
            if treatment.does != Does::Unknown || treatment.from.is_some() {
                all.push((format!("links.{kind}"), treatment.from.as_deref()));
            }
        }
        for one in &self.arrangements {
            let word = one.arrangement.word();
            all.push((format!("arrangements.{word}"), Some(&one.from)));
            let more = [("edit", &one.edit), ("rename", &one.rename), ("delete", &one.delete)];
            for (name, said) in more.into_iter().chain([("missing", &one.missing)]) {
                all.extend(said.iter().filter_map(|said| {
                    let about = format!("arrangements.{word}.{name}");
                    is_stated(said).then_some((about, said.from.as_deref()))
                }));
            }
        }
        let plain = |what: &str, from| (what.to_owned(), Some(from));
        all.extend(self.never.iter().map(|never| plain("never", never.from.as_str())));
        all.extend(self.marks.iter().map(|mark| plain("marks", mark.from.as_str())));
        all.extend(self.signs.iter().map(|sign| plain("signs", sign.from.as_str())));
        all.extend(self.config.iter().map(|config| plain("config", config.from.as_str())));
        all.extend(self.processes.iter().map(|these| plain("processes", these.from.as_str())));
        all.extend(self.pause.iter().map(|pause| plain("pause", pause.from.as_str())));
        all
    }
}

/// Whether something is said that needs a source.
pub(super) fn is_stated(said: &Said) -> bool {
    said.is_known() || said.from.is_some()
}
