//! Clients that carry folders elsewhere: what is known of them, and of the folders that they sync.
//!
//! The knowledge is data (`clients.toml`), compiled in: a new client is a row there and no code here.
//!
//! * [`said`]: a statement, and whom it is from.
//! * [`arrangement`]: the five ways in which a folder is made to arrive.
//! * [`client`]: one row.
//! * [`config`]: where a client's configuration is, and how a folder is found in it.
//! * [`knowledge`]: all rows, checked.
//! * [`placement`]: a folder that was put where a client syncs it.
//! * [`root`]: a folder that a client syncs on this computer.

pub mod arrangement;
pub mod client;
pub mod config;
pub mod knowledge;
pub mod placement;
pub mod root;
pub mod said;

#[cfg(test)]
mod knowledge_tests;
