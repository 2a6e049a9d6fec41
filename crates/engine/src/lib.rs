//! Everything of linkwell that touches the machine.
//!
//! In this version it only looks: nothing here changes a disk.
//!
//! * [`system`]: the few calls that differ between systems, behind one face.
//! * [`folder`]: folders by identity and held descriptor, however deep.
//! * [`live`]: the disk as a [`linkwell_model::view::View`].
//! * [`volumes`]: what is mounted, what should be, and whether it answers.
//! * [`judge`]: the verdict on one link.
//! * [`explain`]: one path, explained.
//! * [`refer`]: a path as links may lead to it.
//! * [`scan`]: every link under some folders, each found once.
//! * [`formats`]: shortcut files and text stubs, as byte formats.

pub mod explain;
pub mod folder;
pub mod formats;
pub mod judge;
pub mod live;
pub mod refer;
pub mod scan;
pub mod system;
pub mod volumes;
