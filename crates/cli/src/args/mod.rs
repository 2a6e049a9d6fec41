//! What can be typed.

pub(crate) mod change;
pub(crate) mod clients;
pub(crate) mod links_file;
pub(crate) mod moving;
pub(crate) mod repair;
pub(crate) mod share;
pub(crate) mod track;
pub(crate) mod watch;

use clap::{ArgAction, Args as ClapArgs, Parser, Subcommand, ValueEnum, ValueHint};
use linkwell_model::entry::LinkKind;
use linkwell_model::health::Health;
use linkwell_model::note::Note;
use std::ffi::OsString;

const AFTER: &str = "\
Exit status: 0 done, nothing wrong; 1 problems found, or a conflict and nothing was changed; \
2 wrong usage; 3 done or looked at in part only; 4 unfinished, `linkwell recover` goes on; \
130 interrupted, nothing half done. Any other number counts as failure.";

/// Makes, finds, explains and mends every kind of link.
///
/// What changes something is shown first, asked for once, written down, and can be taken back.
#[derive(Debug, Parser)]
#[command(name = "linkwell", version, after_help = AFTER, propagate_version = true)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,

    /// When to use colour.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,

    /// Print results only: no hints, no progress.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
}

/// When to use colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal that wants it (NO_COLOR and CLICOLOR are heeded).
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// List every link under some folders, with its health.
    #[command(before_help = LIST, after_help = AFTER)]
    List(List),
    /// Judge every link under some folders and print what needs a person.
    #[command(before_help = CHECK, after_help = AFTER)]
    Check(Check),
    /// Explain where a path leads, hop by hop.
    #[command(before_help = SHOW, after_help = AFTER)]
    Show(Show),
    /// Find the links that lead to or into a path, before it is moved or deleted.
    #[command(before_help = REFS, after_help = AFTER)]
    Refs(Refs),
    /// Make links.
    #[command(visible_alias = "ln", before_help = change::CREATE, after_help = AFTER)]
    Create(change::Create),
    /// Let links lead somewhere else, or write their targets otherwise.
    #[command(before_help = change::RETARGET, after_help = AFTER)]
    Retarget(change::Retarget),
    /// Make a link of one kind into another kind, or into the real thing.
    #[command(before_help = change::CONVERT, after_help = AFTER)]
    Convert(change::Convert),
    /// Move a file or folder elsewhere, and leave a link; or bring it home.
    #[command(before_help = moving::MOVE, after_help = AFTER)]
    Move(moving::Move),
    /// Remove files, folders and links, never what links lead to.
    #[command(before_help = change::REMOVE, after_help = AFTER)]
    Remove(change::Remove),
    /// Lead broken links to where their targets are now.
    #[command(before_help = repair::REPAIR, after_help = AFTER)]
    Repair(repair::Repair),
    /// Let links on record follow what they lead to, while it moves.
    #[command(before_help = watch::WATCH, after_help = AFTER)]
    Watch(watch::Watch),
    /// Show what linkwell did.
    #[command(before_help = change::LOG, after_help = AFTER)]
    Log(change::Log),
    /// Take back what linkwell did.
    #[command(before_help = change::UNDO, after_help = AFTER)]
    Undo(change::Undo),
    /// Finish or take back what was interrupted.
    #[command(before_help = change::RECOVER, after_help = AFTER)]
    Recover(change::Recover),
    /// Put links on record, with what they lead to.
    #[command(before_help = track::TRACK, after_help = AFTER)]
    Track(track::Track),
    /// Forget what is on record of links.
    #[command(before_help = track::UNTRACK, after_help = AFTER)]
    Untrack(track::Untrack),
    /// Show how the links on record are, and what waits for an answer.
    #[command(before_help = track::STATUS, after_help = AFTER)]
    Status(track::Status),
    /// Show which sync and backup clients are here, and what they do with links.
    #[command(before_help = clients::CLIENTS, after_help = AFTER)]
    Clients(clients::Clients),
    /// Put a folder where a sync client brings it to other computers, and leave it where it is found.
    #[command(before_help = share::SHARE, after_help = AFTER)]
    Share(share::Share),
    /// Bring a shared folder home.
    #[command(before_help = share::UNSHARE, after_help = AFTER)]
    Unshare(share::Unshare),
    /// Write the links on record to a file for another computer.
    #[command(before_help = links_file::EXPORT, after_help = AFTER)]
    Export(links_file::Export),
    /// Make the links of such a file that are missing here.
    #[command(before_help = links_file::APPLY, after_help = AFTER)]
    Apply(links_file::Apply),
    /// Look at a path and end: how linkwell finds out whether a volume answers.
    #[command(hide = true)]
    Answers {
        /// The path to look at.
        path: OsString,
    },
    /// Tell where handles lead, from namespaces of its own: how linkwell opens them for who is not root.
    #[command(hide = true)]
    Reach,
    /// Write the shell completions and manual pages into a folder.
    #[command(hide = true)]
    Generate {
        /// The folder.
        folder: OsString,
    },
}

const LIST: &str = "\
Examples:
  linkwell list ~/Documents             every link in Documents, and whether it works
  linkwell list --health broken -0 . | xargs -0 ls -ld
                                        the broken ones, for another program
  linkwell list --hard --kind hardlink photos
                                        files that have more than one name";

const CHECK: &str = "\
Examples:
  linkwell check                        what is wrong with the links below this folder
  linkwell check ~ /srv                 in your home folder and in /srv
  linkwell check -0 . | xargs -0 ls -ld the links that need you, for another program";

const SHOW: &str = "\
Examples:
  linkwell show ~/Music                 where Music really is, and what lies on the way
  linkwell show /usr/bin/editor         a chain of links, hop by hop
  linkwell show --json link             the same for another program";

const REFS: &str = "\
Examples:
  linkwell refs ~/Photos                which links would break if Photos moved
  linkwell refs old.txt --under .       only look for them below this folder
  linkwell refs /opt/app -0 | xargs -0 ls -ld
                                        the links themselves, for another program";

/// Where and how to look; shared by the verbs that scan.
#[derive(Clone, Debug, ClapArgs)]
pub(crate) struct Scan {
    /// Also enter other volumes that are mounted below.
    #[arg(long, overrides_with = "one_file_system")]
    pub(crate) cross_volumes: bool,

    /// Stay on the volume of each PATH (this is the default).
    #[arg(short = 'x', long, overrides_with = "cross_volumes")]
    pub(crate) one_file_system: bool,

    /// Also look into what the kernel makes up, such as /proc and /sys.
    #[arg(long = "virtual")]
    pub(crate) virtual_too: bool,

    /// How long a remote volume may take to answer.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(crate) time_limit: std::time::Duration,

    /// How many folders to read at once; by default as many as the disk rewards.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<std::num::NonZeroUsize>,
}

fn seconds(text: &str) -> Result<std::time::Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_owned())?;
    std::time::Duration::try_from_secs_f64(seconds)
        .map_err(|_| "not a number of seconds".to_owned())
}

/// How to print; shared by all verbs.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct Format {
    /// Print one JSON object a line (documented in docs/json.md).
    #[arg(long)]
    pub(crate) json: bool,
}

/// How to print links.
#[derive(Clone, Copy, Debug, ClapArgs)]
pub(crate) struct LinkFormat {
    /// Print one JSON object a line (documented in docs/json.md).
    #[arg(long, conflicts_with = "null")]
    pub(crate) json: bool,

    /// Print only the paths, exactly, each ended by a NUL byte.
    #[arg(short = '0', long = "null")]
    pub(crate) null: bool,
}

/// `linkwell list`.
#[derive(Debug, ClapArgs)]
pub(crate) struct List {
    /// Where to look; the current folder if none is given.
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<OsString>,

    /// Only links of these kinds.
    #[arg(long, value_name = "KIND", value_delimiter = ',', action = ArgAction::Append,
        value_parser = kind_parser())]
    pub(crate) kind: Vec<LinkKind>,

    /// Only links of this health.
    #[arg(long, value_name = "HEALTH", value_delimiter = ',', action = ArgAction::Append,
        value_parser = health_parser())]
    pub(crate) health: Vec<Health>,

    /// Only links that bear one of these notes.
    #[arg(long, value_name = "NOTE", value_delimiter = ',', action = ArgAction::Append,
        value_parser = note_parser())]
    pub(crate) note: Vec<Note>,

    /// Only the links on record, without looking for others; all of them if no PATH is given.
    #[arg(long, conflicts_with_all = ["hard", "shortcuts"])]
    pub(crate) tracked: bool,

    /// With --tracked: also who put each on record, and what is done when its target moves.
    #[arg(short, long, requires = "tracked")]
    pub(crate) verbose: bool,

    /// Also list files that have more than one name, grouped.
    #[arg(long)]
    pub(crate) hard: bool,

    /// Also open files, to find shortcuts and what git, Cygwin and WSL leave in place of links.
    #[arg(long)]
    pub(crate) shortcuts: bool,

    #[command(flatten)]
    pub(crate) format: LinkFormat,

    #[command(flatten)]
    pub(crate) scan: Scan,
}

/// `linkwell check`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Check {
    /// Where to look; the current folder if none is given.
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<OsString>,

    /// Only the links on record, without looking for others; all of them if no PATH is given.
    #[arg(long, conflicts_with = "shortcuts")]
    pub(crate) tracked: bool,

    /// Also open files, to find shortcuts and what git, Cygwin and WSL leave in place of links.
    #[arg(long)]
    pub(crate) shortcuts: bool,

    /// Name every link of a group, not only the first.
    #[arg(short, long)]
    pub(crate) verbose: bool,

    #[command(flatten)]
    pub(crate) format: LinkFormat,

    #[command(flatten)]
    pub(crate) scan: Scan,
}

/// `linkwell show`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Show {
    /// What to explain.
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<OsString>,

    /// How long a remote volume may take to answer.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(crate) time_limit: std::time::Duration,

    #[command(flatten)]
    pub(crate) format: Format,
}

/// `linkwell refs`.
#[derive(Debug, ClapArgs)]
pub(crate) struct Refs {
    /// What the links should lead to or into.
    #[arg(required = true, value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(crate) paths: Vec<OsString>,

    /// Where to look for links; by default in the home folder and on the volume of each PATH.
    #[arg(long, value_name = "ROOT", action = ArgAction::Append, num_args = 1..,
        value_hint = ValueHint::AnyPath)]
    pub(crate) under: Vec<OsString>,

    /// Look through all folders, even if all their links are on record.
    #[arg(long = "scan")]
    pub(crate) walk: bool,

    /// Answer from the record, however old it is.
    #[arg(long, conflicts_with_all = ["walk", "shortcuts", "cross_volumes", "virtual_too"])]
    pub(crate) recorded: bool,

    /// Also open files, to find shortcuts and what git, Cygwin and WSL leave in place of links.
    #[arg(long)]
    pub(crate) shortcuts: bool,

    #[command(flatten)]
    pub(crate) format: LinkFormat,

    #[command(flatten)]
    pub(crate) scan: Scan,
}

fn words<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    word: fn(T) -> &'static str,
) -> impl clap::builder::TypedValueParser<Value = T> {
    use clap::builder::TypedValueParser as _;
    clap::builder::PossibleValuesParser::new(all.iter().map(move |each| word(*each))).try_map(
        move |text| all.iter().copied().find(|each| word(*each) == text).ok_or("no such word"),
    )
}

fn kind_parser() -> impl clap::builder::TypedValueParser<Value = LinkKind> {
    words(&LinkKind::ALL, LinkKind::word)
}

fn health_parser() -> impl clap::builder::TypedValueParser<Value = Health> {
    words(&Health::ALL, Health::word)
}

fn note_parser() -> impl clap::builder::TypedValueParser<Value = Note> {
    words(&Note::ALL, Note::word)
}
