//! What `share` has arranged: kept in the state folder, and compared with how it is now.
//!
//! * `kept`: the file, and units beside it. * `closed`: a place for a mount, closed. * `inside`: what is in a folder. * `mirror`: two folders of the same files. * `stands`: whether an arrangement is still true.

mod closed;
mod inside;
mod kept;
pub mod mirror;
mod stands;

pub use closed::close;
pub use inside::{Inside, inside};
pub use kept::{Trouble, drop_unit, read, write, write_unit};
pub use stands::{Stands, known_to, stands};
