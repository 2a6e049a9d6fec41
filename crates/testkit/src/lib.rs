//! For the tests of linkwell only.
//!
//! * [`listing`]: a tree as text, for comparing it before and after.
//! * [`need`]: what a test needs that a machine may lack, and what happens then.
//! * [`tree`]: trees of files and links, written as text.
//! * [`power`]: power cuts, with the real journals of real file systems.
//! * [`program`]: the real program, run with a cleared environment.
//! * [`crafted`]: names, contents and permissions that trees written as text cannot hold.
//! * [`running`]: the real program while it runs: interrupted, unread, timed.

pub mod crafted;
pub mod listing;
pub mod need;
pub mod power;
pub mod program;
pub mod running;
pub mod tree;
