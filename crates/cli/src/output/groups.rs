//! What is wrong, cause by cause: what it is, which links, and what to do.

use super::paint::Paint;
use super::progress::grouped;
use super::text;
use linkwell_model::cause::{Cause, Causes, Member};
use linkwell_model::expected::Evidence;
use linkwell_model::health::Health;
use linkwell_model::note::Note;
use linkwell_model::path::AbsPath;
use linkwell_model::shown::shown;
use linkwell_model::tally::Tally;
use std::io::Write as _;
use std::time::Duration;

/// So many links of a group are named unless all are asked for.
const NAMED: usize = 5;

/// So many causes are told unless all are asked for.
const TOLD: usize = 30;

/// Writes the groups; every one if `all`.
pub(crate) fn write(out: &mut Vec<u8>, causes: Causes, all: bool, paint: Paint) {
    let groups = causes.groups();
    let told = if all { groups.len() } else { TOLD };
    for (cause, members) in groups.iter().take(told) {
        write_group(out, cause, members, all, paint);
        out.push(b'\n');
    }
    let rest: Vec<_> = groups.iter().skip(told).collect();
    if !rest.is_empty() {
        let members: usize = rest.iter().map(|(_, members)| members.len()).sum();
        // Writing into memory cannot fail.
        drop(writeln!(
            out,
            "and {} more causes with {} links (`-v` tells all)\n",
            grouped(rest.len() as u64),
            grouped(members as u64),
        ));
    }
}

fn write_group(out: &mut Vec<u8>, cause: &Cause, members: &[Member], all: bool, paint: Paint) {
    paint.health(health(cause)).write(out, &format!("{}\n", headline(cause, members.len())));
    let named = if all { members.len() } else { NAMED };
    for member in members.iter().take(named) {
        out.extend_from_slice(b"    ");
        text::path(out, &member.path);
        out.extend_from_slice(" → ".as_bytes());
        match &member.target {
            Some(target) => text::path(out, target),
            None => out.extend_from_slice(b"?"),
        }
        out.push(b'\n');
    }
    let more = members.len().saturating_sub(named);
    // Writing into memory cannot fail.
    if more > 0 {
        drop(writeln!(out, "    and {} more (`-v` names all)", grouped(more as u64)));
    }
    drop(writeln!(out, "  what to do: {}", remedy(cause)));
}

fn health(cause: &Cause) -> Health {
    match cause {
        Cause::Missing(_) | Cause::MissingIn(_) | Cause::MissingApart | Cause::DeletedBind => {
            Health::Broken
        }
        Cause::NotADirectory(_) => Health::NotADirectory,
        Cause::Loop | Cause::TooDeep | Cause::Refused => Health::Loop,
        Cause::Asleep(..) => Health::Asleep,
        Cause::Denied(_) => Health::Denied,
        Cause::Unknown(_) => Health::Unknown,
        Cause::Replaced => Health::Replaced,
        Cause::Retargeted => Health::Retargeted,
    }
}

/// "1 link leads", "14 links lead".
fn links(count: usize, one: &str, many: &str) -> String {
    if count == 1 {
        format!("1 link {one}")
    } else {
        format!("{} links {many}", grouped(count as u64))
    }
}

fn at(place: &AbsPath) -> String {
    format!("`{}`", shown(place.as_bytes()))
}

fn headline(cause: &Cause, count: usize) -> String {
    match cause {
        Cause::Missing(place) => format!(
            "{} to {}, which is not there ({} is)",
            links(count, "leads", "lead"),
            at(place),
            at(&place.parent()),
        ),
        Cause::MissingIn(folder) => {
            format!("{} to names that are not in {}", links(count, "leads", "lead"), at(folder),)
        }
        Cause::MissingApart => format!(
            "{} to names that are not there, each in a folder of its own",
            links(count, "leads", "lead"),
        ),
        Cause::NotADirectory(place) => format!(
            "{} {} to be a folder, which it is not",
            links(count, "needs", "need"),
            at(place),
        ),
        Cause::Loop => links(count, "leads back to itself", "lead back to themselves"),
        Cause::Refused => {
            format!(
                "{} by the system, though the way is whole",
                links(count, "is refused", "are refused")
            )
        }
        Cause::TooDeep => format!(
            "{} through more than 40 links in a row, where the system stops",
            links(count, "leads", "lead"),
        ),
        Cause::DeletedBind => {
            format!("{} a folder that has been deleted", links(count, "shows", "show"))
        }
        Cause::Asleep(volume, evidence) => format!(
            "{} into {}, which is not attached ({})",
            links(count, "leads", "lead"),
            at(volume),
            why_expected(evidence),
        ),
        Cause::Denied(Some(place)) => {
            format!("{} to {}, which you may not look at", links(count, "leads", "lead"), at(place),)
        }
        Cause::Denied(None) => {
            format!("{} in a folder that you may not look into", links(count, "lies", "lie"))
        }
        Cause::Unknown(Some(place)) => {
            format!("{} to {}, which gave no answer", links(count, "leads", "lead"), at(place))
        }
        Cause::Replaced => format!(
            "{} a real file or folder in its place: a program saved over it",
            links(count, "has", "have each"),
        ),
        Cause::Retargeted => {
            format!("{} somewhere else than is on record", links(count, "leads", "lead"))
        }
        Cause::Unknown(None) => {
            format!("{} be judged", links(count, "could not", "could not"))
        }
    }
}

/// How it is known that a volume belongs somewhere, in words.
pub(crate) fn why_expected(evidence: &Evidence) -> String {
    match evidence {
        Evidence::Fstab => "`/etc/fstab` says that a volume belongs there".into(),
        Evidence::Unit(name) => {
            format!("the systemd unit `{}` attaches a volume there", shown(name))
        }
        Evidence::Convention(folder) => {
            format!("volumes are attached below {}, and none is attached at this place", at(folder))
        }
        Evidence::OnDemand => "it is attached when somebody looks, and nobody did".into(),
        Evidence::Remembered => "a volume was attached there before".into(),
    }
}

fn remedy(cause: &Cause) -> &'static str {
    match cause {
        Cause::Missing(_) | Cause::MissingIn(_) | Cause::MissingApart => {
            "if it was moved, let each link lead to the new place: `linkwell retarget LINK --to \
             NEW`; if it is gone for good, the link can go too: `linkwell remove LINK`"
        }
        Cause::NotADirectory(_) => {
            "let each link lead to the file itself, without what follows it: `linkwell retarget LINK --to FILE`"
        }
        Cause::Loop => {
            "let one of the links lead to a real file or folder: `linkwell retarget LINK --to TARGET`"
        }
        Cause::Refused => {
            "`linkwell show LINK` says why: the volume is mounted so, or the link belongs to somebody \
             else and lies in a folder that is open to all"
        }
        Cause::TooDeep => {
            "point the link straight at the end: `linkwell show LINK` names every step"
        }
        Cause::DeletedBind => "detach it: `umount PATH`, as root",
        Cause::Asleep(..) => "attach it, and the links work again; nothing needs mending",
        Cause::Denied(_) => "look as somebody who may, for example with `sudo linkwell check`",
        Cause::Replaced => {
            "`linkwell repair LINK` shows both versions and asks which is to be kept; `linkwell untrack LINK` \
             takes the new one for what is wanted"
        }
        Cause::Retargeted => {
            "nothing, if that was meant: `linkwell track LINK` records it; else `linkwell retarget LINK --to OLD`"
        }
        Cause::Unknown(_) => "look again when the disk, network or server answers",
    }
}

/// Writes the counts, last.
pub(crate) fn summary(out: &mut Vec<u8>, tally: &Tally, took: Duration, paint: Paint) {
    let counts: Vec<String> = Health::ALL
        .iter()
        .filter(|health| tally.of(**health) > 0)
        .map(|health| format!("{} {}", grouped(tally.of(*health)), words(*health)))
        .collect();
    let counts = if counts.is_empty() { "nothing to judge".into() } else { counts.join(", ") };
    let entries = if tally.entries == 1 { "entry" } else { "entries" };
    let found = if tally.links == 1 { "link" } else { "links" };
    // Writing into memory cannot fail.
    drop(writeln!(
        out,
        "{}{} {found} among {} {entries}{:#}: {counts} ({:.1} s)",
        paint.strong(),
        grouped(tally.links),
        grouped(tally.entries),
        paint.strong(),
        took.as_secs_f64(),
    ));
    for note in [Note::Cycle, Note::Doubled] {
        let count = tally.with(note);
        if count > 0 {
            drop(writeln!(out, "worth knowing: {}", worth_knowing(note, count)));
        }
    }
}

fn worth_knowing(note: Note, count: u64) -> String {
    let (one, many) = match note {
        Note::Cycle => (
            "link leads to a folder that contains it: a program that follows links can walk in \
             circles there",
            "links lead to folders that contain them: a program that follows links can walk in \
             circles there",
        ),
        _ => (
            "link leads where another one led already: a program that follows links meets the \
             same thing twice",
            "links lead where another one led already: a program that follows links meets the \
             same things twice",
        ),
    };
    let word = note.word();
    let phrase = if count == 1 { one } else { many };
    format!("{} {phrase} (`linkwell list --note {word}` names them)", grouped(count))
}

/// A health in a sentence.
pub(crate) fn words(health: Health) -> &'static str {
    match health {
        Health::Loop => "in a loop",
        Health::NotADirectory => "through what is not a folder",
        other => other.word(),
    }
}
