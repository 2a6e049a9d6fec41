//! One name in one folder.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// One component: not empty, no `/`, no NUL, neither `.` nor `..`.
///
/// Whatever reaches a call that changes a disk is a `Name`, so that no text, wherever it came from,
/// can lead out of the folder that is held. A trailing slash cannot be part of it: with one, the
/// kernel follows a link at the last component in spite of `O_NOFOLLOW` (CVE-2026-39822).
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Box<[u8]>);

impl Name {
    /// The name made of `bytes`; `None` when they are not one component.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Option<Self> {
        let bytes = bytes.into();
        let is_one = !bytes.is_empty()
            && !bytes.iter().any(|byte| matches!(byte, b'/' | 0))
            && !matches!(&*bytes, b"." | b"..");
        is_one.then_some(Self(bytes))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", crate::shown::shown(&self.0))
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        crate::encoded::serialize(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = crate::encoded::deserialize(deserializer)?;
        Self::new(bytes).ok_or_else(|| serde::de::Error::custom("not one component of a path"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_component_is_a_name() {
        for bad in [&b""[..], b".", b"..", b"a/", b"/a", b"a/b", b"a\0"] {
            assert_eq!(Name::new(bad), None, "{bad:?}");
        }
        for good in [&b"a"[..], b"...", b" ", b"\xff", b"-n", b"a\nb"] {
            assert!(Name::new(good).is_some(), "{good:?}");
        }
    }
}
