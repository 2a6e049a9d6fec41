//! Which names a file system can hold, and which two it takes for one.

use unicode_normalization::UnicodeNormalization as _;

/// The longest name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Longest {
    /// In bytes.
    Bytes(usize),
    /// In units of UTF-16.
    Units(usize),
}

/// Which names it takes for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    /// Those that differ in case alone.
    Case,
    /// Those that are composed of the same characters in other ways (`é` as one character or two).
    Form,
    /// Both.
    Both,
}

/// Which names can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Names {
    /// The longest, if that is known.
    pub longest: Option<Longest>,
    /// Characters that cannot be in one, beside `/` and NUL.
    pub forbidden: &'static [u8],
    /// Control characters below 32 cannot be in one.
    pub no_controls: bool,
    /// It cannot end in a space.
    pub no_last_space: bool,
    /// It cannot end in a dot, or loses it.
    pub no_last_dot: bool,
    /// Only Unicode can be held.
    pub unicode: bool,
    /// Names that Windows cannot open can be held, but it is Windows' own file system.
    pub of_windows: bool,
    /// Which it takes for one.
    pub fold: Option<Fold>,
}

/// Why a name cannot be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum NameTrouble {
    /// It is too long.
    Long,
    /// It holds a character that cannot be in a name.
    Character,
    /// It ends in a dot or a space.
    End,
    /// It is not UTF-8.
    Encoding,
}

impl NameTrouble {
    /// What is so.
    pub fn words(self) -> &'static str {
        match self {
            Self::Long => "the name is too long for there",
            Self::Character => "there is a character in the name that cannot be in names there",
            Self::End => "names cannot end in a dot or a space there",
            Self::Encoding => "the name is no UTF-8, and must be there",
        }
    }
}

/// What cannot be in a name on Windows, beside control characters (Win32 "Naming Files").
pub(super) const OF_WINDOWS: &[u8] = b"\"*:<>?\\|";

impl Names {
    /// Why `name` cannot be held, and whether Windows could not open it.
    pub(super) fn trouble(&self, name: &[u8]) -> (Option<NameTrouble>, bool) {
        let trouble = self.why_not(name);
        let foreign = self.of_windows && trouble.is_none() && is_foreign(name);
        (trouble, foreign)
    }

    fn why_not(&self, name: &[u8]) -> Option<NameTrouble> {
        // The usual name on the usual file system costs no more than this.
        let short = match self.longest {
            Some(Longest::Bytes(most) | Longest::Units(most)) => name.len() <= most,
            None => true,
        };
        let text = if self.unicode || !short {
            match std::str::from_utf8(name) {
                Ok(text) => Some(text),
                Err(_) if self.unicode => return Some(NameTrouble::Encoding),
                Err(_) => None,
            }
        } else {
            None
        };
        if !short {
            let fits = match (self.longest, text) {
                (Some(Longest::Units(most)), Some(text)) => text.encode_utf16().count() <= most,
                _ => false,
            };
            if !fits {
                return Some(NameTrouble::Long);
            }
        }
        let bad = |byte: &u8| self.forbidden.contains(byte) || self.no_controls && *byte < 32;
        if (self.no_controls || !self.forbidden.is_empty()) && name.iter().any(bad) {
            return Some(NameTrouble::Character);
        }
        match name.last() {
            Some(b' ') if self.no_last_space => Some(NameTrouble::End),
            Some(b'.') if self.no_last_dot => Some(NameTrouble::End),
            _ => None,
        }
    }

    /// `name` as it is compared there: two names that give the same are one. `None` where names are
    /// compared byte by byte.
    ///
    /// Case is taken as Unicode's simple mappings have it. The tables of file systems are older, so
    /// that two names may be told to clash that do not.
    pub fn folded(&self, name: &[u8]) -> Option<Vec<u8>> {
        let fold = self.fold?;
        if name.is_ascii() {
            let mut folded = name.to_vec();
            if fold != Fold::Form {
                folded.make_ascii_lowercase();
            }
            return Some(folded);
        }
        let Ok(text) = std::str::from_utf8(name) else { return Some(name.to_vec()) };
        Some(match fold {
            Fold::Case => text.chars().map(simple).collect::<String>().into_bytes(),
            Fold::Form => text.nfd().collect::<String>().into_bytes(),
            // Once more after the case: `İ` becomes two characters by it.
            Fold::Both => text.nfd().map(simple).nfd().collect::<String>().into_bytes(),
        })
    }
}

/// The small letter of the capital of a character, where each is one character.
fn simple(character: char) -> char {
    let one = |mut letters: std::char::ToUppercase| match (letters.next(), letters.next()) {
        (Some(letter), None) => letter,
        _ => character,
    };
    let capital = one(character.to_uppercase());
    let mut small = capital.to_lowercase();
    match (small.next(), small.next()) {
        (Some(letter), None) => letter,
        _ => capital,
    }
}

/// Whether Windows cannot open it by this name: what is reserved there since DOS, characters that
/// mean something else, and ends that it strips (Win32 "Naming Files, Paths, and Namespaces").
fn is_foreign(name: &[u8]) -> bool {
    if name.iter().any(|byte| *byte < 32 || OF_WINDOWS.contains(byte)) {
        return true;
    }
    if matches!(name.last(), Some(b'.' | b' ')) {
        return true;
    }
    let stem = name.split(|byte| *byte == b'.').next().unwrap_or_default();
    let stem = stem.trim_ascii_end();
    let is = |word: &[u8]| stem.eq_ignore_ascii_case(word);
    match stem.split_last() {
        Some((b'1'..=b'9', port)) if stem.len() == 4 => {
            port.eq_ignore_ascii_case(b"com") || port.eq_ignore_ascii_case(b"lpt")
        }
        _ => is(b"con") || is(b"prn") || is(b"aux") || is(b"nul"),
    }
}
