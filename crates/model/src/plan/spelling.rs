//! How a target is written: from `/`, or from where the link lies.

use crate::path::AbsPath;

/// How a target shall be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// From the link's own folder (`../a/b`).
    Relative,
    /// From `/`.
    Absolute,
}

impl Style {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Relative => "relative",
            Self::Absolute => "absolute",
        }
    }
}

/// What both ends of a link share, so that they will most likely be moved, copied or attached together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shared {
    /// A project: a folder with a version control system's or a build tool's mark in it.
    Project(AbsPath),
    /// The top folder of a volume other than the system's own.
    Volume(AbsPath),
    /// The home folder.
    Home,
}

impl Shared {
    /// Why the target is written as it is.
    pub fn why(shared: Option<&Self>) -> String {
        match shared {
            Some(Self::Project(place)) => {
                format!("written relative: both ends lie in the project `{}`", place.shown())
            }
            Some(Self::Volume(place)) => {
                format!("written relative: both ends lie on the volume at `{}`", place.shown())
            }
            Some(Self::Home) => "written relative: both ends lie in your home folder".into(),
            None => "written absolute: the link and what it leads to share no project, volume or home folder"
                .into(),
        }
    }
}

/// The way from the folder at `folder` to `place`, both physical: `../` as often as needed, then down.
///
/// Right only if `folder` is where the link really lies, since `..` is taken physically.
pub fn relative(folder: &AbsPath, place: &AbsPath) -> Vec<u8> {
    let here: Vec<&[u8]> = folder.names().collect();
    let there: Vec<&[u8]> = place.names().collect();
    let shared = here.iter().zip(&there).take_while(|(one, other)| one == other).count();
    let ups = std::iter::repeat_n(&b".."[..], here.len() - shared);
    let way: Vec<&[u8]> = ups.chain(there.into_iter().skip(shared)).collect();
    if way.is_empty() { b".".to_vec() } else { way.join(&b'/') }
}

/// `place` as a target of a link in `folder`.
pub fn written(style: Style, folder: &AbsPath, place: &AbsPath) -> Vec<u8> {
    match style {
        Style::Relative => relative(folder, place),
        Style::Absolute => place.as_bytes().to_vec(),
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn the_way_goes_up_as_far_as_needed_and_down() {
        let way = |from: &str, to: &str| {
            let place = |text: &str| AbsPath::cleaned(text.as_bytes()).unwrap();
            String::from_utf8(relative(&place(from), &place(to))).unwrap()
        };
        assert_eq!(way("/a/b", "/a/c/d"), "../c/d");
        assert_eq!(way("/a/b", "/a/b/d"), "d");
        assert_eq!(way("/a/b", "/a/b"), ".");
        assert_eq!(way("/a/b", "/a"), "..");
        assert_eq!(way("/", "/a"), "a");
        assert_eq!(way("/ab", "/a"), "../a");
    }
}
