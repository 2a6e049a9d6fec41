//! One path explained, for people and for programs.

use super::groups::why_expected;
use super::json::Object;
use super::paint::Paint;
use super::text::path as name;
use linkwell_engine::explain::{Explained, ExplainedHop, Lies};
use linkwell_model::chain::End;
use linkwell_model::entry::{EntryKind, LinkKind};
use linkwell_model::health::Health;
use linkwell_model::note::Note;
use linkwell_model::shown::shown;
use std::io::Write as _;

/// Writing into memory cannot fail.
macro_rules! put {
    ($out:expr, $($what:tt)*) => { drop(writeln!($out, $($what)*)) };
}

/// Explains to a person.
pub(crate) fn text(out: &mut Vec<u8>, typed: &[u8], found: &Explained, paint: Paint) {
    let strong = paint.strong();
    put!(out, "{strong}{}{strong:#} {}", shown(typed), what_it_is(found));
    put!(out, "  as seen    {}", shown(&found.logical));
    if matches!(found.end, End::Found(_)) {
        put!(out, "  as stored  {}", shown(found.end_at.place.as_bytes()));
    }
    if found.hops.is_empty() {
        put!(out, "  no link lies on the way");
    } else {
        put!(out, "  the way    {}", hop_count(found.hops.len()));
        for (at, hop) in found.hops.iter().enumerate() {
            write_hop(out, at + 1, hop);
        }
    }
    write_end(out, found, paint);
    write_notes(out, found);
}

fn what_it_is(found: &Explained) -> String {
    let led_to = found.destination.map_or("", EntryKind::word);
    match found.kind {
        Some(LinkKind::Symlink) if led_to.is_empty() => "is a symbolic link".into(),
        Some(LinkKind::Symlink) => format!("is a symbolic link to a {led_to}"),
        Some(LinkKind::HardLink) => {
            let names = found.entry.map_or(0, |entry| entry.names);
            format!(
                "is a file with {names} names: each is as real as the others, and they share \
                     one content"
            )
        }
        Some(LinkKind::Shortcut) => "is a shortcut: a file that desktops follow, and the system \
                                     and most programs do not"
            .into(),
        Some(LinkKind::Stub) => "is a text stub: a file that stands where a link should be, and \
                                 leads nowhere by itself"
            .into(),
        Some(LinkKind::Bind) => {
            let text = found.text.as_deref().unwrap_or_default();
            format!("is a bind mount: it shows `{}` a second time", shown(text))
        }
        Some(LinkKind::Junction) => "is a junction".into(),
        None => match (found.entry.map(|entry| entry.kind).or(found.destination), &found.end) {
            (Some(kind), _) => format!("is a {}, not a link", kind.word()),
            (None, End::Missing) => "does not exist".into(),
            (None, _) => "cannot be looked at".into(),
        },
    }
}

fn hop_count(count: usize) -> String {
    if count == 1 { "1 link".into() } else { format!("{count} links, in this order") }
}

fn write_hop(out: &mut Vec<u8>, number: usize, hop: &ExplainedHop) {
    drop(write!(out, "  {number:>4}. "));
    name(out, hop.at.place.as_bytes());
    out.extend_from_slice(" → ".as_bytes());
    name(out, hop.target.as_bytes());
    put!(out, "");
    let on_the_way = if hop.asked_about { "" } else { "; it lies on the way" };
    put!(
        out,
        "        stored in `{}`{}{on_the_way}",
        shown(hop.parent.as_bytes()),
        where_on(&hop.at)
    );
}

/// ` on /mnt/big (xfs), owned by al`.
fn where_on(lies: &Lies) -> String {
    let mut words = String::new();
    if let Some(mount) = &lies.mount {
        let (point, fs_type) = (mount.point.as_bytes(), &mount.fs_type);
        words = format!(" on the volume at `{}` ({})", shown(point), shown(fs_type));
    }
    if let Some((number, owner)) = &lies.owner {
        let owner = owner.clone().unwrap_or_else(|| format!("user {number}"));
        words = format!("{words}, owned by {}", shown(owner.as_bytes()));
    }
    words
}

fn write_end(out: &mut Vec<u8>, found: &Explained, paint: Paint) {
    let place = shown(found.end_at.place.as_bytes());
    if let (Some(text), Some(LinkKind::Shortcut | LinkKind::Stub)) = (&found.text, found.kind) {
        put!(out, "  it says    {}", shown(text));
    }
    match &found.end {
        End::Found(_) => {
            let kind = found.destination.map_or("thing", EntryKind::word);
            put!(out, "  ends in    `{place}`, a {kind}{}", where_on(&found.end_at));
        }
        End::Missing => {
            put!(out, "  ends at    `{place}`, which is not there");
            put!(out, "  there is   `{}`", shown(found.nearest.as_bytes()));
            if !found.rest.is_empty() {
                put!(out, "  left over  `{}`", shown(&found.rest));
            }
        }
        End::NotADirectory(kind) => {
            put!(out, "  ends at    `{place}`, a {}, where a folder is needed", kind.word());
        }
        End::Loop => put!(out, "  ends at    `{place}`, which leads back to itself"),
        End::TooManyHops => {
            put!(out, "  ends at    `{place}`, the 41st link: the system follows 40");
        }
        End::Denied => put!(out, "  ends at    `{place}`, which you may not look at"),
        End::Unavailable => put!(out, "  ends at    `{place}`, which gives no answer"),
    }
    // A health is a link's: of a path without any there is nothing to say beyond where it ends.
    if found.kind.is_none() && found.hops.is_empty() {
        return;
    }
    let style = paint.health(found.health);
    put!(out, "  health     {style}{}{style:#}: {}", found.health.word(), verdict(found));
}

fn verdict(found: &Explained) -> String {
    if found.notes.has(Note::Web) || found.notes.has(Note::Foreign) {
        return "it leads out of this system".into();
    }
    match found.health {
        Health::Ok => "the system can follow it".into(),
        Health::Broken => "what it leads to is gone".into(),
        Health::Asleep => match &found.absent {
            Some(absent) => format!(
                "`{}` is not attached: {}",
                shown(absent.point.as_bytes()),
                why_expected(&absent.evidence)
            ),
            None => "the volume it leads to is not attached".into(),
        },
        Health::Loop if found.kernel_refuses => {
            "the system refuses to follow links on this volume (it is mounted `nosymfollow`)".into()
        }
        Health::Loop => "it never arrives".into(),
        Health::Denied if found.kernel_refuses => {
            "the system refuses to follow this link: it lies in a shared folder and belongs to \
             somebody else (fs.protected_symlinks)"
                .into()
        }
        Health::Denied => "you may not look, so there is no verdict".into(),
        Health::NotADirectory => "it passes through what is not a folder".into(),
        Health::Unknown => "no answer, so there is no verdict".into(),
        Health::Replaced => "something real stands in its place".into(),
        Health::Retargeted => "it works, and leads somewhere else than is on record".into(),
    }
}

fn write_notes(out: &mut Vec<u8>, found: &Explained) {
    for note in found.notes.iter() {
        put!(out, "  note       {}: {}", note.word(), note.why());
    }
}

/// The same for programs.
pub(crate) fn json(out: &mut Vec<u8>, typed: &[u8], found: &Explained) {
    let mut object = Object::line(out, "chain");
    object.number("version", 1);
    object.bytes("path", typed);
    object.bytes("logical", &found.logical);
    match found.kind {
        Some(kind) => object.text("kind", kind.word()),
        None => object.raw("kind", "null"),
    }
    object.text("health", found.health.word());
    object.words("notes", found.notes.iter().map(Note::word));
    object.objects("hops", &found.hops, |object, hop| {
        object.bytes("at", hop.at.place.as_bytes());
        object.bytes("target", hop.target.as_bytes());
        object.bytes("physical_parent", hop.parent.as_bytes());
        lies(object, &hop.at);
    });
    object.text("end", found.end.word());
    object.bytes("end_at", found.end_at.place.as_bytes());
    if found.kind == Some(LinkKind::Bind)
        || matches!(found.kind, Some(LinkKind::Shortcut | LinkKind::Stub))
    {
        object.bytes_or_null("target", found.text.as_deref());
    }
    match found.destination {
        Some(kind) => object.text("end_kind", kind_word(kind)),
        None => object.raw("end_kind", "null"),
    }
    if !matches!(found.end, End::Found(_)) {
        object.bytes("nearest", found.nearest.as_bytes());
        object.bytes("rest", &found.rest);
    }
    if let Some(absent) = &found.absent {
        object.bytes("volume", absent.point.as_bytes());
    }
    if let Some(entry) = found.entry {
        object.number("names", entry.names);
    }
    lies(&mut object, &found.end_at);
    object.end();
}

fn lies(object: &mut Object<'_>, lies: &Lies) {
    if let Some(mount) = &lies.mount {
        object.bytes("mount", mount.point.as_bytes());
        object.bytes("file_system", &mount.fs_type);
    }
    if let Some((number, _)) = lies.owner {
        object.number("owner", u64::from(number));
    }
}

fn kind_word(kind: EntryKind) -> &'static str {
    match kind {
        EntryKind::Folder => "folder",
        EntryKind::File => "file",
        EntryKind::Symlink => "symlink",
        EntryKind::Fifo => "fifo",
        EntryKind::Socket => "socket",
        EntryKind::Device => "device",
    }
}
