//! For the tests of linkwell only.
//!
//! * [`astray`]: what people really link to, moved by what people move it with, and whether the links find it again.
//! * [`daily`]: what people really move, moved and used through the link.
//! * [`listing`]: a tree as text, for comparing it before and after.
//! * [`need`]: what a test needs that a machine may lack, and what happens then.
//! * [`tree`]: trees of files and links, written as text.
//! * [`power`]: power cuts, with the real journals of real file systems.
//! * [`program`]: the real program, run with a cleared environment.
//! * [`manifest`]: all that a tree is, and how two trees differ; independent of the engine.
//! * [`fidelity`]: a nasty tree moved from one volume to another, and what became of it.
//! * [`nasty`]: a tree with every kind of entry.
//! * [`volume`]: file systems of a test's own.
//! * [`crafted`]: names, contents and permissions that trees written as text cannot hold.
//! * [`running`]: the real program while it runs: interrupted, unread, timed.

pub mod astray;
pub mod crafted;
pub mod daily;
pub mod fidelity;
pub mod listing;
pub mod manifest;
pub mod nasty;
pub mod need;
pub mod power;
pub mod program;
pub mod running;
pub mod tree;
pub mod volume;
