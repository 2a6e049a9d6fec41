//! What a journal holds: the records, in the order in which they are written.

use linkwell_model::entry::Time;
use linkwell_model::plan::{Bytes, FolderSeen, FolderTime, Item, Object, Plan, PlanFolder, Token};
use linkwell_model::volume_id::VolumeId;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The version of the format. Those before are read, too: 1 had no volumes and no times. One of a later version is shown
/// as unreadable and never acted upon.
pub const VERSION: u32 = 2;

/// Which volumes the folders of a plan lie on, by the device numbers that these had then.
pub type Volumes = std::collections::BTreeMap<u64, VolumeId>;

/// How an operation began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`VERSION`].
    pub linkwell: u32,
    /// The number of the operation.
    pub operation: u64,
    /// When it was begun. For people: nothing is decided by it.
    pub time: Time,
    /// The verb and its arguments, as typed.
    pub command: Vec<Bytes>,
    /// The current folder then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<Bytes>,
    /// The user whose rights it had.
    pub user: u32,
    /// What is in the names that it keeps things under for a moment.
    pub token: Token,
    /// The operation that it takes back, in whole or in part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<u64>,
}

impl Header {
    /// The verb that was typed: the first word that is neither an option nor the colour of one.
    pub fn verb(&self) -> Option<&[u8]> {
        let mut words = self.command.iter().map(|word| &*word.0);
        while let Some(word) = words.next() {
            if word == b"--color" {
                words.next();
            } else if !word.starts_with(b"-") {
                return Some(word);
            }
        }
        None
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record<'a> {
    /// The first line.
    Operation(Cow<'a, Header>),
    /// A folder of the plan; their numbers are their order.
    Folder(Cow<'a, PlanFolder>),
    /// A volume that folders of the plan lie on.
    Volume {
        /// The number of its device then.
        device: u64,
        /// Which volume it is.
        id: VolumeId,
    },
    /// When a folder of the plan was last changed before.
    Time(FolderTime),
    /// What must still stand in a folder of the plan when a link takes its place.
    Seen(Cow<'a, FolderSeen>),
    /// An item of the plan; their numbers are their order, and so are those of the steps in them,
    /// counted through all items.
    Item(Cow<'a, Item>),
    /// The plan is whole. This was durable before the first step was done.
    Ready {
        /// How many items there are.
        items: u64,
    },
    /// A step has been done, and this stands at its slot now.
    Did {
        /// The number of the step.
        step: u64,
        /// What it made; nothing where it removed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Option<Cow<'a, Object>>,
    },
    /// An item was not done, or was taken back at once.
    Failed {
        /// The number of the item.
        item: u64,
        /// Why, in words.
        why: Cow<'a, str>,
    },
    /// A step was taken back, and what stood there before had to be made anew: this is it.
    Back {
        /// The number of the step.
        step: u64,
        /// What stands there now.
        made: Cow<'a, Object>,
    },
    /// All that is to be replaced has been, durably. From here on things are freed, so the operation
    /// is finished, not taken back.
    ///
    /// With braces: a line is a JSON object, and its last brace makes room for the checksum.
    Freeing {},
    /// What a step had set aside could not be freed. When it fails again in the same way, it stays.
    Stuck {
        /// The number of the step.
        step: u64,
        /// Why, in words.
        why: Cow<'a, str>,
    },
    /// The last line.
    Ended(Ended),
}

/// How an operation ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// In which way.
    pub how: How,
    /// How many items were done.
    pub done: u64,
    /// When folders were last changed whose times are on record, by their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub times: Vec<(u32, Time)>,
    /// Paths at which something was left that does not belong there, and that a person may want.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Bytes>,
}

/// In which way an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum How {
    /// It was carried out; items that failed are named.
    Done,
    /// It was taken back: everything is as it was before.
    TakenBack,
    /// It was left as it was found, because a person said so.
    Left,
}

/// An operation as its journal tells it.
#[derive(Clone, Debug)]
pub struct Operation {
    /// How it began.
    pub header: Header,
    /// What was planned: as much as could be read.
    pub plan: Plan,
    /// Which volumes its folders lie on; those are missing that told nothing of themselves.
    pub volumes: Volumes,
    /// Whether the whole plan is there.
    pub ready: bool,
    /// What each step made, by number; absent for steps that were not, or not known to be, done.
    pub did: std::collections::HashMap<u64, Option<Object>>,
    /// What was made anew when steps were taken back, by number.
    pub back: std::collections::HashMap<u64, Object>,
    /// Items that were not done, and why.
    pub failed: std::collections::BTreeMap<u64, String>,
    /// Whether freeing had begun.
    pub freeing: bool,
    /// Steps whose old could not be freed at the last try, by number, and why.
    pub stuck: std::collections::BTreeMap<u64, String>,
    /// How it ended, if it did.
    pub ended: Option<Ended>,
    /// The number of the first line that is not sound, or is missing, if there is one.
    pub damaged: Option<u64>,
    /// How many lines are sound.
    pub lines: u64,
    /// Whether its file has the name of those that ended.
    pub put_away: bool,
    /// Whether what is not sound says that freeing had begun.
    pub freeing_lost: bool,
    /// How long the sound part is, in bytes.
    pub sound: u64,
    /// The checksum of the last sound line.
    pub(super) chain: super::line::Chain,
}

impl Operation {
    /// Whether a part of its record is lost that was once durable: then nobody can say what it did,
    /// and nothing is done by it.
    ///
    /// A crash leaves half a line or some zeros at the end of an operation that has not ended, which
    /// is no loss: what is relied on was made durable first, the whole plan before all.
    pub fn is_mutilated(&self) -> bool {
        !self.ready || self.freeing_lost || (self.put_away && self.damaged.is_some())
    }

    /// Whether a step is known to have been done.
    pub fn was_done(&self, step: usize) -> bool {
        u64::try_from(step).is_ok_and(|step| self.did.contains_key(&step))
    }
}

/// Reads a journal as far as it is sound. `None` when not even its first line is.
///
/// Whether it is of this version, and of the operation that its name says, is not asked here.
pub fn read(bytes: &[u8]) -> Option<Operation> {
    let mut chain = super::line::Chain::default();
    let mut operation: Option<Operation> = None;
    let mut rest = bytes;
    let mut number = 0;
    while !rest.is_empty() {
        number += 1;
        let end = memchr::memchr(b'\n', rest);
        let line = end.and_then(|end| rest.get(..end));
        let before = chain.clone();
        let record = line.and_then(|line| super::line::parse(line, &mut chain));
        let fits = record.is_some_and(|record| add(&mut operation, record));
        let operation = operation.as_mut()?;
        if !fits {
            operation.damaged = Some(number);
            operation.chain = before;
            operation.freeing_lost = speaks_of_freeing(rest);
            break;
        }
        operation.chain = chain.clone();
        operation.lines = number;
        let length = end.map_or(rest.len(), |end| end + 1);
        operation.sound += u64::try_from(length).unwrap_or(0);
        rest = rest.get(length..).unwrap_or_default();
    }
    operation
}

/// A journal of these JSON objects, whatever they are, with sound checksums: for the tests, which forge
/// what no run of linkwell would write.
pub fn forged<'o>(objects: impl IntoIterator<Item = &'o [u8]>) -> Vec<u8> {
    let (mut bytes, mut chain) = (Vec::new(), super::line::Chain::default());
    for object in objects {
        let from = bytes.len();
        bytes.extend_from_slice(object);
        super::line::seal(&mut bytes, from, &mut chain);
    }
    bytes
}

/// Whether a whole line of what is not sound begins like the record of freeing. Half a line was never
/// durable: nothing was freed yet.
fn speaks_of_freeing(rest: &[u8]) -> bool {
    let mut lines = rest.split_inclusive(|byte| *byte == b'\n');
    lines.any(|line| line.starts_with(b"{\"freeing\"") && line.ends_with(b"\n"))
}

/// Adds a record to what was read; `false` when it cannot stand there.
fn add(operation: &mut Option<Operation>, record: Record<'static>) -> bool {
    let Some(found) = operation else {
        let Record::Operation(header) = record else { return false };
        let header = header.into_owned();
        if !header.token.is_sound() {
            return false;
        }
        *operation = Some(Operation {
            header,
            plan: Plan::default(),
            volumes: Volumes::new(),
            ready: false,
            did: std::collections::HashMap::new(),
            back: std::collections::HashMap::new(),
            failed: std::collections::BTreeMap::new(),
            freeing: false,
            stuck: std::collections::BTreeMap::new(),
            ended: None,
            damaged: None,
            lines: 0,
            put_away: false,
            freeing_lost: false,
            sound: 0,
            chain: super::line::Chain::default(),
        });
        return true;
    };
    if found.ended.is_some() {
        return false;
    }
    match record {
        Record::Operation(_) => return false,
        Record::Folder(folder) if !found.ready => found.plan.folders.push(folder.into_owned()),
        Record::Volume { device, id } if !found.ready => {
            found.volumes.insert(device, id);
        }
        Record::Time(time) if !found.ready => found.plan.times.push(time),
        Record::Seen(seen) if !found.ready => found.plan.seen.push(seen.into_owned()),
        Record::Item(item) if !found.ready => {
            let folders = found.plan.folders.len();
            if item.slots().any(|slot| usize::try_from(slot.folder).is_ok_and(|at| at >= folders)) {
                return false;
            }
            found.plan.items.push(item.into_owned());
        }
        Record::Ready { items } if !found.ready => {
            if u64::try_from(found.plan.items.len()) != Ok(items) {
                return false;
            }
            found.ready = true;
        }
        Record::Did { step, made } if found.ready => {
            found.did.insert(step, made.map(Cow::into_owned));
        }
        Record::Back { step, made } if found.ready => {
            found.back.insert(step, made.into_owned());
        }
        Record::Failed { item, why } if found.ready => {
            found.failed.insert(item, why.into_owned());
        }
        Record::Freeing {} if found.ready => found.freeing = true,
        Record::Stuck { step, why } if found.freeing => {
            found.stuck.insert(step, why.into_owned());
        }
        Record::Ended(ended) => found.ended = Some(ended),
        _ => return false,
    }
    true
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Header, Time, Token};

    #[test]
    fn the_verb_is_found_behind_options() {
        let verb = |typed: &[&str]| {
            let header = Header {
                linkwell: super::VERSION,
                operation: 1,
                time: Time(0, 0),
                command: typed.iter().map(|word| Bytes(word.as_bytes().into())).collect(),
                folder: None,
                user: 0,
                token: Token::new(1),
                undoes: None,
            };
            header.verb().map(<[u8]>::to_vec)
        };
        for typed in [&["watch"][..], &["-q", "watch", "-v"], &["--color", "never", "watch"]] {
            assert_eq!(verb(typed).as_deref(), Some(&b"watch"[..]), "{typed:?}");
        }
        // A name that looks like a verb is none.
        assert_eq!(verb(&["--color=never", "move", "watch"]).as_deref(), Some(&b"move"[..]));
        assert_eq!(verb(&["-q"]), None);
    }
}
