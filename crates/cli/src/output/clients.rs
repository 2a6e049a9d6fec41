//! Sync and backup clients, in words for people.

use super::paint::Paint;
use crate::error::{reason, say};
use linkwell_engine::clients::{Found, Problem, Trouble};
use linkwell_engine::operator::Refusal;
use linkwell_model::path::AbsPath;
use linkwell_model::share::arrangement::Recommended;
use linkwell_model::share::client::{Client, Does, Kind, Treatment};
use linkwell_model::share::knowledge::Knowledge;
use linkwell_model::share::root::{Root, State, Way};
use linkwell_model::share::said::Said;
use linkwell_model::shown::{quoted, shown};
use std::io::Write as _;

/// Writes a line into memory, which cannot fail.
macro_rules! put {
    ($out:expr, $($what:tt)*) => { drop(writeln!($out, $($what)*)) };
}

/// What a client is for.
fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Live => "keeps folders the same on several computers, by itself",
        Kind::Started => "keeps folders the same on several computers, when it is started",
        Kind::OneWay => "copies in one direction, when it is started",
        Kind::Backup => "keeps copies to come back to",
    }
}

/// What becomes of a link to a folder, in one line.
fn of_links(does: Does) -> &'static str {
    match does {
        Does::Contents => "a link to a folder arrives with its contents",
        Does::Link => "a link to a folder arrives as a link, without its contents",
        Does::Nothing => "of a link to a folder nothing arrives, and no error is shown",
        Does::Twice => "a link to a folder arrives with its contents, once for each link",
        Does::Refuses => "a link to a folder is refused, or passed over",
        Does::Unknown => "nobody knows what becomes of a link to a folder",
    }
}

/// What arrives.
fn arrives(does: Does) -> &'static str {
    match does {
        Does::Contents => "the contents",
        Does::Link => "the link itself, without the contents",
        Does::Nothing => "nothing, and no error is shown",
        Does::Twice => "the contents, once for each link",
        Does::Refuses => "nothing: it is refused, or passed over",
        Does::Unknown => "not known",
    }
}

/// A kind of link, by its word in the table.
fn link(word: &str) -> &'static str {
    match word {
        "folder" => "a link to a folder",
        "file" => "a link to a file",
        "bind" => "a folder that is mounted there a second time",
        "mirror" => "hard links to files elsewhere",
        "inverted" => "the folder itself, with a link at its old place",
        _ => "two links to one folder",
    }
}

/// One client: in short, or with everything that is known of it. `unread`: there is a problem with it.
pub(crate) fn client(
    out: &mut Vec<u8>,
    client: &Client,
    found: Option<&Found>,
    unread: bool,
    full: bool,
    paint: Paint,
) {
    let here = match found {
        Some(found) if !found.processes.is_empty() => "runs",
        Some(_) => "is here, and does not run",
        None if unread => "has a configuration that could not be read",
        None => "was not found here",
    };
    let strong = paint.strong();
    put!(out, "{strong}{}{strong:#} (`{}`): {here}", client.name, client.id);
    put!(out, "  {}", kind(client.kind));
    for root in found.iter().flat_map(|found| &found.roots) {
        put!(out, "  {} {}", verb(client.kind), of_root(root));
    }
    for (name, of) in found.iter().flat_map(|found| &found.remotes) {
        put!(out, "  knows the place `{}` elsewhere ({})", shown(name), shown(of));
    }
    if full {
        return whole(out, client, found);
    }
    let folder = &client.links.folder;
    let source = folder.from.as_deref().and_then(|from| client.source(from));
    let source = source.map_or_else(String::new, |source| format!(" ({})", source.short()));
    put!(out, "  {}{source}", of_links(folder.does));
    if let Some(best) = client.arrangements.first() {
        put!(out, "  best: {}", arrangement(best));
    }
}

fn verb(kind: Kind) -> &'static str {
    match kind {
        Kind::Live | Kind::Started => "syncs",
        Kind::OneWay => "copies",
        Kind::Backup => "saves",
    }
}

/// A folder, and how it was found.
fn of_root(root: &Root) -> String {
    let mut line = format!("`{}`", root.path.shown());
    let mut more: Vec<String> = Vec::new();
    match &root.state {
        State::There { place, .. } if *place == root.path => {}
        State::There { place, .. } => more.push(format!("which is `{}`", place.shown())),
        State::Missing => more.push("which is not there".into()),
        State::Asleep { volume } => {
            more.push(format!("whose volume is not attached (`{}`)", volume.shown()));
        }
        State::NoAnswer { volume } => {
            more.push(format!("whose volume gives no answer (`{}`)", volume.shown()));
        }
        State::NotFolder => more.push("which is no folder".into()),
        State::Unseen => more.push("which could not be looked at".into()),
    }
    if let Some(name) = &root.name {
        more.push(format!("called \"{}\"", shown(name)));
    }
    match root.way {
        Way::Both => {}
        Way::Sends => more.push("only from here".into()),
        Way::Receives => more.push("only to here".into()),
    }
    if root.paused {
        more.push("paused".into());
    }
    for one in more {
        line += ", ";
        line += &one;
    }
    line
}

fn arrangement(one: &Recommended) -> String {
    let general = Knowledge::known().general(one.arrangement);
    let is = general.map_or("", |general| general.is.as_str());
    format!("{} ({is})", one.arrangement.word())
}

/// Sources, numbered as they are met.
struct Sources<'c> {
    client: &'c Client,
    names: Vec<&'c str>,
}

impl<'c> Sources<'c> {
    /// The number of a source, in brackets; nothing where there is none.
    fn of(&mut self, name: Option<&'c str>) -> String {
        let Some(name) = name else { return String::new() };
        let at = self.names.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        });
        format!(" [{}]", at + 1)
    }

    fn said(&mut self, said: &'c Said) -> String {
        if !said.is_known() {
            return "not known".into();
        }
        format!("{}{}", said.says, self.of(said.from.as_deref()))
    }

    fn treatment(&mut self, treatment: &'c Treatment) -> String {
        let note = treatment.note.as_ref().map_or_else(String::new, |note| format!(" ({note})"));
        format!("{}{note}{}", arrives(treatment.does), self.of(treatment.from.as_deref()))
    }
}

/// Everything that is known, each statement with its source.
fn whole(out: &mut Vec<u8>, client: &Client, found: Option<&Found>) {
    let mut sources = Sources { client, names: Vec::new() };
    for config in found.iter().flat_map(|found| &found.configs) {
        put!(out, "  its configuration: `{}`", config.shown());
    }
    put!(out, "  what arrives of");
    for (word, treatment) in client.links.all() {
        put!(out, "    {}: {}", link(word), sources.treatment(treatment));
    }
    put!(out, "  how to let a folder arrive, the best first");
    for one in &client.arrangements {
        put!(out, "    {}", arrangement(one));
        put!(out, "      why: {}{}", one.why, sources.of(Some(&one.from)));
        if let Some(option) = &one.option {
            put!(out, "      its option: {option}");
        }
        if client.kind.is_changed_from_there()
            && let Some(then) = Knowledge::known().consequences(one)
        {
            put!(out, "      an edit on the other side: {}", sources.said(then.edit));
            put!(out, "      the folder renamed there: {}", sources.said(then.rename));
            put!(out, "      the folder deleted there: {}", sources.said(then.delete));
            put!(out, "      the folder out of reach here: {}", sources.said(then.missing));
        }
    }
    for never in &client.never {
        let source = sources.of(Some(&never.from));
        put!(out, "  never {}: {}{source}", never.what, never.why);
    }
    if let Some(pause) = &client.pause {
        let can = if pause.can { "to let it wait" } else { "it cannot be told to wait" };
        put!(out, "  {can}: {}{}", pause.how, sources.of(Some(&pause.from)));
    }
    for mark in &client.marks {
        let (begin, end) = (mark.begin.as_deref(), mark.end.as_deref());
        let name = mark.path.clone().unwrap_or_else(|| {
            format!("{}…{}", begin.unwrap_or_default(), end.unwrap_or_default())
        });
        let source = sources.of(Some(&mark.from));
        put!(out, "  a folder that it syncs is known by `{name}` in it{source}");
    }
    if !sources.names.is_empty() {
        put!(out, "  whose word it is");
    }
    for (at, name) in sources.names.iter().enumerate() {
        let source = sources.client.source(name);
        let words = source.map_or_else(String::new, |source| source.whole());
        put!(out, "    [{}] {words}", at + 1);
    }
}

/// What could not be read, on standard error.
pub(crate) fn problem(problem: &Problem, quiet: bool) {
    say(&format!("error: {}", of_problem(problem)));
    if quiet {
        return;
    }
    let path = quoted(problem.place.as_bytes());
    match &problem.why {
        Trouble::Open => say(&format!("hint: if that is not meant, `chmod go-w {path}`")),
        Trouble::OpenFolder => {
            let folder = quoted(problem.place.parent().as_bytes());
            say(&format!("hint: if that is not meant, `chmod go-w {folder}`"));
        }
        _ => {}
    }
}

/// What could not be read, and why.
pub(crate) fn of_problem(problem: &Problem) -> String {
    let name = Knowledge::known().client(problem.client).map_or("", |client| client.name.as_str());
    let line = problem.line.map_or_else(String::new, |line| format!(", line {line}"));
    let place = problem.place.shown();
    let at = |place: &AbsPath| format!("`{}`", place.shown());
    let why = match &problem.why {
        Trouble::NotAbsolute(path) => {
            let path = shown(path);
            return format!(
                "could not tell which folder `{path}` is, of {name} in `{place}`{line}: the path does not begin with `/`"
            );
        }
        Trouble::Link => "a link stands in its place, and leads to no file".into(),
        Trouble::NotFile => "it is no file".into(),
        Trouble::TooLarge => "it is larger than a mebibyte".into(),
        Trouble::Foreign(owner) => format!("it belongs to another user (number {owner})"),
        Trouble::Open => "others may write to it".into(),
        Trouble::OpenFolder => "others may put another file in its place".into(),
        Trouble::Malformed(detail) => (*detail).to_owned(),
        Trouble::NoAnswer(volume) => format!("{} gives no answer", at(volume)),
        Trouble::Way(Refusal::Foreign { link, .. }) => {
            format!("the link {} on the way belongs to another user", at(link))
        }
        Trouble::Way(Refusal::Loop) => "the links on the way lead back to themselves".into(),
        Trouble::Way(Refusal::System(error)) | Trouble::System(error) => reason(*error),
        Trouble::Way(_) => "nothing could be there".into(),
    };
    format!("could not read the configuration of {name}, `{place}`{line}: {why}")
}
