//! What cannot be done, in words.

use crate::entry::EntryKind;
use crate::path::AbsPath;
use crate::shown::shown;

/// One thing that cannot be done. Conflicts are found all at once, before anything is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The path that it is about, as the person wrote it.
    pub path: Box<[u8]>,
    /// Why it cannot be done.
    pub why: Why,
}

/// Why something cannot be done. What it displays says what is true; [`Why::hint`] says what to type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Something of another kind, or something real, stands at the name.
    #[error("there is a {} with this name already", .0.word())]
    Taken(EntryKind),
    /// A link stands at the name.
    #[error("there is a link with this name already; it leads to `{}`", shown(.0))]
    TakenByLink(Box<[u8]>),
    /// A folder stands at the name, and the person may have meant: inside it.
    #[error("`{}` is a folder", shown(.0))]
    IsFolder(Box<[u8]>),
    /// Two items want the same name.
    #[error("something else in this command goes to the same name")]
    Twice,
    /// Nothing is at a path that must exist.
    #[error("there is nothing at `{}`", shown(.0))]
    Nothing(Box<[u8]>),
    /// A folder on the way is missing.
    #[error("the folder `{}` does not exist", shown(.0))]
    NoFolder(Box<[u8]>),
    /// Something on the way is no folder.
    #[error("`{}` is no folder", shown(.0))]
    NotFolder(Box<[u8]>),
    /// It is not a link.
    #[error("this is a {}, not a link", .0.word())]
    NotLink(EntryKind),
    /// The link would lead nowhere.
    #[error("the link would lead to `{}`, which does not exist", .0.shown())]
    WouldBreak(AbsPath),
    /// The link would lead back to itself.
    #[error("the link would lead back to itself")]
    WouldLoop,
    /// The chain would be longer than the system follows.
    #[error("the link would lead through more than 40 links in a row, and the system stops there")]
    TooDeep,
    /// Something that must be a folder would not be one.
    #[error("the link would lead through `{}`, which is no folder", .0.shown())]
    WouldNotBeFolder(AbsPath),
    /// A link of somebody else's lies on the way.
    #[error(
        "the way leads through the link `{}`, which belongs to {owner}; links of other people's are not followed",
        shown(link)
    )]
    ForeignLink {
        /// The link.
        link: Box<[u8]>,
        /// Its owner, by name or number.
        owner: String,
    },
    /// The system refuses.
    #[error("{doing}: {reason}")]
    System {
        /// What could not be done.
        doing: &'static str,
        /// The system's reason, in its words.
        reason: String,
    },
    /// The names cannot be used.
    #[error("{0}")]
    Name(&'static str),
    /// Both are one and the same.
    #[error("the link and what it would lead to are one and the same, `{}`", shown(.0))]
    Same(Box<[u8]>),
    /// Something that has no words of its own here.
    #[error("{what}")]
    Other {
        /// What is so.
        what: String,
        /// What to type instead.
        hint: Option<String>,
    },
}

impl Why {
    /// What to type, or to do.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Taken(EntryKind::Folder) => {
                "real folders are never replaced by links; choose another name, or move the folder away first"
                    .into()
            }
            Self::Taken(_) => {
                "real files are never replaced by links; to keep it under another name, add `--backup`".into()
            }
            Self::TakenByLink(_) => "to replace that link, add `--force`".into(),
            Self::IsFolder(path) => {
                let path = shown(path);
                format!("to put the link inside it, write `{path}/`")
            }
            Self::WouldBreak(_) | Self::WouldLoop | Self::TooDeep | Self::WouldNotBeFolder(_) => {
                "if that is what you want, add `--allow-broken`".into()
            }
            Self::NotLink(_) => {
                "only a symbolic link holds a target; `linkwell show` says what this is".into()
            }
            Self::NoFolder(path) => format!("make it first: `mkdir -p {}`", crate::shown::quoted(path)),
            Self::Other { hint, .. } => return hint.clone(),
            _ => return None,
        })
    }

    /// The word used in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Taken(_) => "taken",
            Self::TakenByLink(_) => "taken_by_link",
            Self::IsFolder(_) => "is_folder",
            Self::Twice => "twice",
            Self::Nothing(_) => "nothing_there",
            Self::NoFolder(_) => "no_folder",
            Self::NotFolder(_) => "not_a_folder",
            Self::NotLink(_) => "not_a_link",
            Self::WouldBreak(_) => "would_break",
            Self::WouldLoop => "would_loop",
            Self::TooDeep => "too_deep",
            Self::WouldNotBeFolder(_) => "would_not_be_folder",
            Self::ForeignLink { .. } => "foreign_link",
            Self::System { .. } => "system",
            Self::Name(_) => "name",
            Self::Same(_) => "same",
            Self::Other { .. } => "other",
        }
    }
}
