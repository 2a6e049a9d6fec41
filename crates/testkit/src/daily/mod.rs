//! What people really move, moved: from one volume to another, used there through the link, and brought back.
//!
//! One [`Journey`] is one [`Input`] on two volumes. After each step the oracle ([`crate::manifest`]) says whether the
//! tree is what it was.

pub(crate) mod input;
mod journey;

pub use input::Input;
pub use journey::{Journey, Row};
