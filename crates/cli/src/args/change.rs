//! What can be typed to the verbs that change something.

use clap::{Args as ClapArgs, ValueEnum, ValueHint};
use std::ffi::OsString;

/// What all verbs that change something understand.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct Change {
    /// Only show what would be done.
    #[arg(short = 'n', long)]
    pub(crate) dry_run: bool,

    /// Do it without asking.
    #[arg(short, long)]
    pub(crate) yes: bool,

    /// Show every item, however many there are.
    #[arg(short, long)]
    pub(crate) verbose: bool,

    /// Print one JSON object a line (documented in docs/json.md).
    #[arg(long)]
    pub(crate) json: bool,
}

/// What verbs that leave links behind understand.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct Unsound {
    /// Also make links that lead nowhere, to themselves, or through too many others.
    #[arg(long)]
    pub(crate) allow_broken: bool,

    /// Also make links to a folder that contains them.
    #[arg(long)]
    pub(crate) allow_cycle: bool,
}

/// Which backups to make: GNU's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backup {
    /// Never (also: off).
    #[value(alias = "off")]
    None,
    /// Numbered ones: `name.~1~` (also: t).
    #[value(alias = "t")]
    Numbered,
    /// Numbered if there are numbered ones, else simple (also: nil).
    #[value(alias = "nil")]
    Existing,
    /// Always simple ones: `name~` (also: never).
    #[value(alias = "never")]
    Simple,
}

pub(super) const CREATE: &str = "\
Examples:
  linkwell create /mnt/big/Music ~/Music    a link ~/Music that leads to the folder on the big drive
  linkwell create -t ~/bin tools/*          a link in ~/bin to each of several files
  linkwell create --hard report.txt copy.txt
                                            a second name for one file";

/// `linkwell create`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Create {
    /// What the links shall lead to, as seen from the current folder; and then the link. With one
    /// name alone the link is made in the current folder.
    #[arg(value_name = "TARGET… LINK", value_hint = ValueHint::AnyPath,
        required_unless_present = "from_list", num_args = 1..)]
    pub(crate) paths: Vec<OsString>,

    /// Make the links in this folder.
    #[arg(short = 't', long, value_name = "DIR", value_hint = ValueHint::DirPath,
        conflicts_with_all = ["no_target_directory", "from_list"])]
    pub(crate) target_directory: Option<OsString>,

    /// Take LINK as the link's own name, even if a folder stands there.
    #[arg(short = 'T', long, conflicts_with = "from_list")]
    pub(crate) no_target_directory: bool,

    /// Make symbolic links (this is the default).
    #[arg(short, long, conflicts_with_all = ["hard", "shortcut"])]
    pub(crate) symbolic: bool,

    /// Make hard links: further names of the same file.
    #[arg(long, conflicts_with = "shortcut")]
    pub(crate) hard: bool,

    /// Make shortcut files for the desktop (`.desktop`).
    #[arg(long)]
    pub(crate) shortcut: bool,

    /// Write targets from where each link lies (`../a/b`).
    #[arg(short, long, conflicts_with_all = ["hard", "shortcut", "absolute"])]
    pub(crate) relative: bool,

    /// Write targets from `/`.
    #[arg(long, conflicts_with_all = ["hard", "shortcut"])]
    pub(crate) absolute: bool,

    /// Replace links that stand in the way; real files and folders never.
    #[arg(short, long)]
    pub(crate) force: bool,

    /// Ask for each link that would be replaced.
    #[arg(short, long)]
    pub(crate) interactive: bool,

    /// Keep what stands in the way under another name.
    #[arg(long, value_name = "CONTROL", num_args = 0..=1, require_equals = true,
        default_missing_value = "")]
    pub(crate) backup: Option<String>,

    /// The same as `--backup`, without a CONTROL.
    #[arg(short = 'b')]
    pub(crate) simple_backup: bool,

    /// What simple backups end in.
    #[arg(short = 'S', long, value_name = "SUFFIX")]
    pub(crate) suffix: Option<OsString>,

    /// Read pairs from standard input: TARGET, NUL, LINK, NUL.
    #[arg(long, conflicts_with = "paths")]
    pub(crate) from_list: bool,

    #[command(flatten)]
    pub(crate) unsound: Unsound,

    #[command(flatten)]
    pub(crate) change: Change,
}

pub(super) const LOG: &str = "\
Examples:
  linkwell log                          what linkwell did, the newest last
  linkwell log 12                       everything that operation 12 did";

/// `linkwell log`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Log {
    /// The number of one operation, to see all of it.
    #[arg(value_name = "ID")]
    pub(crate) id: Option<u64>,

    /// Print one JSON object a line (documented in docs/json.md).
    #[arg(long)]
    pub(crate) json: bool,
}

pub(super) const UNDO: &str = "\
Examples:
  linkwell undo                         takes back the last thing that linkwell did
  linkwell undo 12                      takes back operation 12 (`linkwell log` names them)
  linkwell undo -n                      only shows what that would do";

/// `linkwell undo`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Undo {
    /// The number of the operation; by default the last one that was not taken back.
    #[arg(value_name = "ID")]
    pub(crate) id: Option<u64>,

    #[command(flatten)]
    pub(crate) change: Change,
}

pub(super) const RECOVER: &str = "\
Examples:
  linkwell recover                      finishes or takes back what was interrupted
  linkwell recover -n                   only shows what was interrupted
  linkwell recover --back               takes it back, also where it could go on
  linkwell recover --leave              leaves everything as it is, and says what lies where";

/// `linkwell recover`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Recover {
    /// Take it back, also where it could go on: what was copied by then is removed.
    #[arg(long)]
    pub(crate) back: bool,

    /// Go on with it, also where it would be taken back.
    #[arg(long, conflicts_with = "back")]
    pub(crate) forward: bool,

    /// Leave everything as it is now, and only close the record.
    #[arg(long, conflicts_with_all = ["back", "forward"])]
    pub(crate) leave: bool,

    #[command(flatten)]
    pub(crate) change: Change,
}

pub(super) const RETARGET: &str = "\
Examples:
  linkwell retarget ~/Music --to /mnt/new/Music
                                        lets the link ~/Music lead to another folder
  linkwell retarget --under ~ --from /mnt/old --to /mnt/new
                                        every link below home that leads into /mnt/old
  linkwell retarget --under . --relative
                                        writes targets relative; they lead where they led";

/// `linkwell retarget`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Retarget {
    /// The links.
    #[arg(value_name = "LINK", value_hint = ValueHint::AnyPath, required_unless_present = "under")]
    pub(crate) links: Vec<OsString>,

    /// Where they shall lead; with --from, what the beginning of their targets becomes.
    #[arg(long, value_name = "TARGET", value_hint = ValueHint::AnyPath)]
    pub(crate) to: Option<OsString>,

    /// All links below these folders.
    #[arg(long, value_name = "ROOT", value_hint = ValueHint::DirPath, conflicts_with = "links")]
    pub(crate) under: Vec<OsString>,

    /// Only links that lead to this path or into it, and only this part of their targets.
    #[arg(long, value_name = "OLD", value_hint = ValueHint::AnyPath, requires = "to")]
    pub(crate) from: Option<OsString>,

    /// Write targets from where each link lies (`../a/b`).
    #[arg(short, long, conflicts_with = "absolute")]
    pub(crate) relative: bool,

    /// Write targets from `/`.
    #[arg(long)]
    pub(crate) absolute: bool,

    /// Write targets as short as they can be; they lead where they led.
    #[arg(long, conflicts_with_all = ["to", "relative", "absolute"])]
    pub(crate) shorten: bool,

    /// Also change links on other volumes that are mounted below.
    #[arg(long, requires = "under")]
    pub(crate) cross_volumes: bool,

    /// Ask for each link.
    #[arg(short, long)]
    pub(crate) interactive: bool,

    #[command(flatten)]
    pub(crate) unsound: Unsound,

    #[command(flatten)]
    pub(crate) change: Change,
}

/// What a link becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Become {
    /// A symbolic link to the same place.
    Symlink,
    /// Another name of the file it leads to.
    Hard,
    /// A copy of what it leads to.
    Contents,
    /// A shortcut file for the desktop.
    Shortcut,
}

pub(super) const CONVERT: &str = "\
Examples:
  linkwell convert ~/Music --to contents    puts a copy of the folder in place of the link
  linkwell convert notes.txt --to symlink   makes a second name of a file a symbolic link
  linkwell convert --revive ~/project       makes links of what git or Cygwin left as text files";

/// `linkwell convert`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Convert {
    /// The links.
    #[arg(value_name = "LINK", value_hint = ValueHint::AnyPath, required_unless_present = "revive")]
    pub(crate) links: Vec<OsString>,

    /// What they become.
    #[arg(long, value_name = "KIND", required_unless_present = "revive")]
    pub(crate) to: Option<Become>,

    /// For a file with several names: the name that the symbolic link shall lead to.
    #[arg(long, value_name = "NAME", value_hint = ValueHint::AnyPath)]
    pub(crate) of: Option<OsString>,

    /// Make symbolic links of all text files below these folders that git, Cygwin or WSL left in their
    /// place.
    #[arg(long, value_name = "ROOT", value_hint = ValueHint::DirPath,
        conflicts_with_all = ["links", "to", "of"])]
    pub(crate) revive: Vec<OsString>,

    /// Write targets from where each link lies (`../a/b`).
    #[arg(short, long, conflicts_with = "absolute")]
    pub(crate) relative: bool,

    /// Write targets from `/`.
    #[arg(long)]
    pub(crate) absolute: bool,

    /// Ask for each.
    #[arg(short, long)]
    pub(crate) interactive: bool,

    #[command(flatten)]
    pub(crate) unsound: Unsound,

    #[command(flatten)]
    pub(crate) change: Change,
}

pub(super) const REMOVE: &str = "\
Examples:
  linkwell remove ~/old                 moves a folder or a link into the trash; never what links lead to
  linkwell remove --forever build       frees it at once
  linkwell remove -n ~/Photos           only shows what lies behind its links, and which others break";

/// `linkwell remove`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Remove {
    /// What to remove.
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<OsString>,

    /// Free it at once instead of moving it into the trash.
    #[arg(long)]
    pub(crate) forever: bool,

    /// Where to look for links that would be left broken; by default in the home folder and on the
    /// volume of each PATH.
    #[arg(long, value_name = "ROOT", value_hint = ValueHint::DirPath)]
    pub(crate) under: Vec<OsString>,

    /// Do not look for links that would be left broken.
    #[arg(long)]
    pub(crate) no_refs: bool,

    /// Ask for each.
    #[arg(short, long)]
    pub(crate) interactive: bool,

    #[command(flatten)]
    pub(crate) change: Change,
}
