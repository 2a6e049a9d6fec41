//! Everything of linkwell that touches the machine.
//!
//! * [`system`]: the few calls that differ between systems, behind one face.
//! * [`folder`]: folders by identity and held descriptor, however deep.
//! * [`live`]: the disk as a [`linkwell_model::view::View`].
//! * [`volumes`]: what is mounted, what should be, and whether it answers.
//! * [`judge`]: the verdict on one link.
//! * [`explain`]: one path, explained.
//! * [`memory`]: where volumes were attached before.
//! * [`refer`]: a path as links may lead to it.
//! * [`scan`]: every link under some folders, each found once.
//! * [`transfer`]: trees brought to another place, verified, and freed by what is on record.
//! * [`likeness`]: what an object is like, so that it is known again.
//! * [`catalogue`]: the links on record; [`track`]: what is recorded of each; [`recording`]: when.
//! * [`reach`]: where a handle leads now.
//! * [`watch`]: links on record follow what they lead to while it moves.
//! * [`clients`]: sync and backup clients on this computer.
//! * [`formats`]: configurations, shortcut files and text stubs, as byte formats.
//! * [`in_use`]: which programs use what is about to be moved.

pub mod catalogue;
pub mod clients;
pub(crate) mod descent;
pub mod disk;
pub mod execute;
pub mod explain;
pub mod folder;
pub mod formats;
pub mod in_use;
pub mod journal;
pub mod judge;
pub mod likeness;
pub mod live;
pub mod look;
pub mod memory;
pub mod named_volumes;
pub mod operator;
pub mod other_tools;
pub(crate) mod parts;
pub mod placements;
pub mod reach;
pub mod recording;
pub mod refer;
pub mod scan;
pub mod state;
pub mod survey;
pub mod system;
pub mod track;
pub mod transfer;
pub mod volumes;
pub mod watch;
