//! The text a link holds.

use std::fmt;

/// A link's target: the bytes exactly as stored, never normalised.
///
/// A type of its own so that the two sides of `at → target` cannot be swapped by mistake.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Target(Box<[u8]>);

impl Target {
    /// The target whose stored text is `bytes`.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The stored bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether the target is written from the root of the file system.
    pub fn is_absolute(&self) -> bool {
        crate::path::is_absolute(&self.0)
    }
}

impl serde::Serialize for Target {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        crate::encoded::serialize(&self.0, serializer)
    }
}

impl<'de> serde::Deserialize<'de> for Target {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::encoded::deserialize(deserializer).map(Self)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", crate::shown::shown(&self.0))
    }
}
