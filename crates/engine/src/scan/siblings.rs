//! Files that stand beside a link, as its folder's listing named them.
//!
//! Most links on a real system lead to a name in their own folder (`libz.so → libz.so.1`). A file
//! of that name in the same listing is all the proof that the kernel would ask for, and saves it
//! a walk: on a Debian 12, 65 % of all links (4,182 of 6,446 in /usr, /etc, /opt, /var, /root).

use memchr::memmem;
use std::ffi::CStr;

/// Names of regular files in one folder, or in part of it.
#[derive(Debug, Default)]
pub struct Siblings {
    /// Each name between two NULs.
    names: Vec<u8>,
    pub(super) count: usize,
}

impl Siblings {
    pub(super) fn add(&mut self, name: &CStr) {
        if self.names.is_empty() {
            self.names.push(0);
        }
        self.names.extend_from_slice(name.to_bytes_with_nul());
        self.count += 1;
    }

    pub(super) fn clear(&mut self) {
        self.names.clear();
        self.count = 0;
    }

    /// Whether a link's text is the name of one of these files. `false` proves nothing.
    pub fn hold(&self, text: &[u8]) -> bool {
        // The longest name on any Linux file system, and the NULs on both sides.
        let mut needle = [0_u8; 257];
        let Some(place) = needle.get_mut(1..=text.len()) else {
            return false;
        };
        if text.is_empty() || text.contains(&b'/') || text.len() > 255 {
            return false;
        }
        place.copy_from_slice(text);
        needle
            .get(..text.len() + 2)
            .is_some_and(|needle| memmem::find(&self.names, needle).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_are_held() {
        let mut siblings = Siblings::default();
        siblings.add(c"libz.so.1");
        siblings.add(c"b");
        let long = "x".repeat(255);
        let name = std::ffi::CString::new(long.clone()).unwrap_or_default();
        siblings.add(&name);
        assert!(
            siblings.hold(b"libz.so.1") && siblings.hold(b"b") && siblings.hold(long.as_bytes())
        );
        for other in ["libz.so", "z.so.1", "", "./b", "b/", "a", &"x".repeat(254), &"x".repeat(300)]
        {
            assert!(!siblings.hold(other.as_bytes()), "{other}");
        }
        siblings.clear();
        assert!(!siblings.hold(b"b"));
    }
}
