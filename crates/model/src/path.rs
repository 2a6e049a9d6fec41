//! Paths as bytes, and their components.
//!
//! `std::path` is not used: its comparison drops trailing slashes, its `components()` drops `.`,
//! and `join` discards the base when the right side is absolute. Each of these changes what the
//! kernel would do, and a rule about links must not.

use std::fmt;

/// One step of a path, as the kernel's path walk sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Component<'a> {
    /// `.`: stay, but this must be a folder that may be searched.
    Here,
    /// `..`: the physical parent.
    Up,
    /// A name in the present folder.
    Name(&'a [u8]),
}

/// The components of a path, in order. Empty components (`a//b`) vanish, as they do in the kernel.
///
/// A trailing slash is not a component: ask [`ends_as_folder`].
pub fn components(path: &[u8]) -> impl DoubleEndedIterator<Item = Component<'_>> {
    path.split(|&byte| byte == b'/').filter(|piece| !piece.is_empty()).map(|piece| match piece {
        b"." => Component::Here,
        b".." => Component::Up,
        name => Component::Name(name),
    })
}

/// Whether the path begins at the root of the file system.
pub fn is_absolute(path: &[u8]) -> bool {
    path.first() == Some(&b'/')
}

/// Whether the spelling demands a folder at the end (`a/`).
///
/// path_resolution(7): a pathname with a trailing slash is resolved as if `.` followed, but the
/// folder need not be searchable.
pub fn ends_as_folder(path: &[u8]) -> bool {
    path.last() == Some(&b'/')
}

/// An absolute path without `.`, `..`, empty components or a trailing slash: a physical place.
///
/// It is text about a place at one moment, never proof that the place still is what it was.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AbsPath(Vec<u8>);

impl AbsPath {
    /// `/`.
    pub fn root() -> Self {
        Self(vec![b'/'])
    }

    /// The path made of `bytes`, cleaned of `.`, `..` and doubled slashes *as text*.
    ///
    /// Returns `None` when `bytes` is not absolute. `..` is taken textually, which is right only
    /// for a path that passes no link: use this for the kernel's own words (mountinfo, fstab),
    /// and [`crate::chain::resolve`] for everything else.
    pub fn cleaned(bytes: &[u8]) -> Option<Self> {
        if !is_absolute(bytes) {
            return None;
        }
        let mut path = Self::root();
        path.extend_as_text(bytes);
        Some(path)
    }

    /// This path with the components of `more` appended as text.
    pub fn extend_as_text(&mut self, more: &[u8]) {
        for component in components(more) {
            match component {
                Component::Here => {}
                Component::Up => self.pop(),
                Component::Name(name) => self.push(name),
            }
        }
    }

    /// Appends one name.
    pub fn push(&mut self, name: &[u8]) {
        if self.0.last() != Some(&b'/') {
            self.0.push(b'/');
        }
        self.0.extend_from_slice(name);
    }

    /// Drops the last name; `/` stays `/`.
    pub fn pop(&mut self) {
        let keep = self.0.iter().rposition(|&byte| byte == b'/').unwrap_or(0).max(1);
        self.0.truncate(keep);
    }

    /// The path with one more name.
    pub fn joined(&self, name: &[u8]) -> Self {
        let mut path = self.clone();
        path.push(name);
        path
    }

    /// The parent folder; `/` is its own parent.
    pub fn parent(&self) -> Self {
        let mut path = self.clone();
        path.pop();
        path
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As it may be shown to a person.
    pub fn shown(&self) -> crate::shown::Shown<'_> {
        crate::shown::shown(&self.0)
    }

    /// The folder above, and the name in it; `None` for `/`.
    pub fn split(&self) -> Option<(Self, crate::name::Name)> {
        let name = crate::name::Name::new(self.names().next_back()?)?;
        Some((self.parent(), name))
    }

    /// The names from the root down.
    pub fn names(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|&byte| byte == b'/').filter(|name| !name.is_empty())
    }

    /// Whether this place is `folder` or lies below it: by whole components, never by substring.
    pub fn is_at_or_below(&self, folder: &Self) -> bool {
        self.below(folder).is_some()
    }

    /// What follows `folder` in this path, without a leading slash; `Some(b"")` for itself.
    pub fn below(&self, folder: &Self) -> Option<&[u8]> {
        if folder.0 == b"/" {
            return self.0.get(1..);
        }
        let rest = self.0.strip_prefix(folder.0.as_slice())?;
        match rest.first() {
            None => Some(rest),
            Some(b'/') => rest.get(1..),
            Some(_) => None,
        }
    }
}

impl serde::Serialize for AbsPath {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        crate::encoded::serialize(&self.0, serializer)
    }
}

impl<'de> serde::Deserialize<'de> for AbsPath {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = crate::encoded::deserialize(deserializer)?;
        Self::cleaned(&bytes)
            .filter(|cleaned| *cleaned.0 == *bytes && !bytes.contains(&0))
            .ok_or_else(|| serde::de::Error::custom("not a physical place"))
    }
}

impl fmt::Debug for AbsPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", crate::shown::shown(&self.0))
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn below_goes_by_whole_components() {
        let alice = AbsPath::cleaned(b"/home/alice").unwrap();
        let al = AbsPath::cleaned(b"/home/al").unwrap();
        assert!(!alice.is_at_or_below(&al));
        assert_eq!(alice.joined(b"x").below(&alice), Some(&b"x"[..]));
        assert_eq!(alice.below(&alice), Some(&b""[..]));
        assert_eq!(alice.below(&AbsPath::root()), Some(&b"home/alice"[..]));
    }

    #[test]
    fn cleaning_is_textual_and_stops_at_the_root() {
        let path = AbsPath::cleaned(b"//a/./b/../../../c/").unwrap();
        assert_eq!(path.as_bytes(), b"/c");
        assert_eq!(AbsPath::cleaned(b"a"), None);
        assert_eq!(AbsPath::cleaned(b"/..").unwrap().as_bytes(), b"/");
    }

    #[test]
    fn components_keep_what_the_kernel_keeps() {
        let found: Vec<_> = components(b"//a/./../b//").collect();
        assert_eq!(
            found,
            [Component::Name(b"a"), Component::Here, Component::Up, Component::Name(b"b")]
        );
        assert!(ends_as_folder(b"a/") && !ends_as_folder(b"a/."));
    }
}
