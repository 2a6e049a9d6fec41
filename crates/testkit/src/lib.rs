//! For the tests of linkwell only.
//!
//! * [`need`]: what a test needs that a machine may lack, and what happens then.
//! * [`tree`]: trees of files and links, written as text.
//! * [`program`]: the real program, run with a cleared environment.

pub mod need;
pub mod program;
pub mod tree;
