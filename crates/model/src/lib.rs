//! The words and rules of linkwell.
//!
//! This crate decides from facts that it is given. It reads no disk, no clock and no environment
//! (its `clippy.toml` holds that wall up), so every rule here can be tried on facts that a test
//! writes down, and the disk, a survey and a planned future are judged by the same code.
//!
//! * [`path`], [`target`], [`entry`]: what a link is made of, as bytes.
//! * [`name`]: one name in one folder, which is all that a change may be given.
//! * [`plan`]: what is to be done, as inert data; [`planned`]: how it will look then.
//! * [`view`], [`chain`]: how a file system looks, and where a path leads in it.
//! * [`holding`]: what a file system can hold.
//! * [`keep`]: links on record, and how a lost target is known again.
//! * [`mounting`]: lines that mount a folder a second time, for others to carry out.
//! * [`volume`], [`expected`]: mounted volumes, and those that should be there and are not.
//! * [`volume_id`]: which volume something lies on, over time.
//! * [`health`], [`note`]: the verdicts.
//! * [`cause`]: links grouped by what is wrong.
//! * [`mod@reference`]: whether a link leads to a place.
//! * [`encoded`]: bytes as the journal writes them.
//! * [`share`]: sync and backup clients, and the folders that they carry elsewhere.
//! * [`tally`]: verdicts counted.
//! * [`shown`]: names as they may be shown to a person.

pub mod cause;
pub mod chain;
pub mod encoded;
pub mod entry;
pub mod expected;
pub mod health;
pub mod holding;
pub mod keep;
pub mod links_file;
pub mod moment;
pub mod mounting;
pub mod name;
pub mod note;
pub mod path;
pub mod plan;
pub mod planned;
pub mod reference;
pub mod service;
pub mod share;
pub mod shown;
pub mod tally;
pub mod target;
pub mod view;
pub mod volume;
pub mod volume_id;
