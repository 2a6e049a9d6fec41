//! Links that are kept: what is on record of them, how a target is known again, and who decides.
//!
//! Pure rules. Everything about *is this the object that the link led to?* is decided here, from facts
//! that somebody else has gathered.
//!
//! * [`likeness`]: what an object was like, enough to know it again.
//! * [`trust`]: what of that survives on which file system.
//! * [`evidence`]: how a found object compares, and why, in words.
//! * [`spare`]: new names that say that the old one will be another's.
//! * [`choice`]: what is made of all candidates.
//! * [`link`]: a link on record, and how it stands.

pub mod choice;
pub mod evidence;
pub mod likeness;
pub mod link;
pub mod spare;
pub mod trust;

#[cfg(test)]
mod choice_tests;
#[cfg(test)]
mod evidence_tests;
#[cfg(test)]
mod spare_tests;
