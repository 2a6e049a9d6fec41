//! What `share` has arranged: kept in the state folder, and compared with how it is now.
//!
//! * `kept`: the file. * `stands`: whether an arrangement is still true.

mod kept;
mod stands;

pub use kept::{Trouble, read, write};
pub use stands::{Stands, stands};
