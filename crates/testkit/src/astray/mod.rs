//! What people really link to, led astray: moved, renamed and shuffled by the programs that people do it with;
//! then it is looked whether the links have found it again.
//!
//! A [`Scene`] is a tree as stow, pnpm or the system makes it. A [`Mover`] is a program that moves things. One
//! [`trial`] is both, with a watcher or without. Where everything is, the oracle knows from what was
//! moved, and by what is in it; from linkwell it takes nothing.

mod manager;
mod mover;
mod oracle;
mod scene;
mod trial;

pub use mover::Mover;
pub use scene::Scene;
pub use trial::{Row, trial};
