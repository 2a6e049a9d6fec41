//! Sync and backup clients, for programs (docs/json.md).

use super::clients::of_problem;
use super::json::Object;
use linkwell_engine::clients::{Found, Problem};
use linkwell_model::share::arrangement::Recommended;
use linkwell_model::share::client::{Client, Kind};
use linkwell_model::share::knowledge::Knowledge;
use linkwell_model::share::root::{Root, State};
use linkwell_model::share::said::Said;

/// One client, and what of it is here. How it can be spoken to is left out: it opens doors.
pub(crate) fn client(out: &mut Vec<u8>, client: &Client, found: Option<&Found>) {
    let mut object = Object::line(out, "client");
    object.number("version", 1);
    object.text("id", &client.id);
    object.text("name", &client.name);
    object.text("kind", client.kind.word());
    object.raw("found", truth(found.is_some()));
    object.raw("running", truth(found.is_some_and(|found| !found.processes.is_empty())));
    let numbers: Vec<String> =
        found.iter().flat_map(|found| &found.processes).map(ToString::to_string).collect();
    object.raw("processes", &format!("[{}]", numbers.join(",")));
    object.objects("configs", found.iter().flat_map(|found| &found.configs), |object, place| {
        object.bytes("path", place.as_bytes());
    });
    object.objects("roots", found.iter().flat_map(|found| &found.roots), root);
    let remotes = found.iter().flat_map(|found| &found.remotes);
    object.objects("remotes", remotes, |object, (name, of)| {
        object.bytes("name", name);
        object.bytes("of", of);
    });
    object.objects("links", client.links.all(), |object, (word, treatment)| {
        object.text("link", word);
        object.text("does", treatment.does.word());
        text_or_null(object, "note", treatment.note.as_deref());
        text_or_null(object, "source", treatment.from.as_deref());
    });
    object.objects("arrangements", &client.arrangements, |object, one| {
        arrangement(object, client.kind, one);
    });
    object.objects("never", &client.never, |object, never| {
        object.text("what", &never.what);
        object.text("why", &never.why);
        object.text("source", &never.from);
    });
    object.objects("marks", &client.marks, |object, mark| {
        text_or_null(object, "path", mark.path.as_deref());
        text_or_null(object, "begin", mark.begin.as_deref());
        text_or_null(object, "end", mark.end.as_deref());
        object.text("source", &mark.from);
    });
    object.objects("pause", &client.pause, |object, pause| {
        object.raw("can", truth(pause.can));
        object.text("how", &pause.how);
        object.text("source", &pause.from);
    });
    object.objects("sources", &client.sources, |object, (name, source)| {
        object.text("name", name);
        object.text("by", source.by.word());
        text_or_null(object, "of", source.version.as_deref());
        text_or_null(object, "date", source.date.as_deref());
        text_or_null(object, "where", source.at.as_deref());
    });
    object.end();
}

fn root(object: &mut Object<'_>, root: &Root) {
    object.bytes("path", root.path.as_bytes());
    object.text("state", root.state.word());
    object.place_or_null("place", root.place());
    let volume = match &root.state {
        State::There { volume, .. } => volume.as_ref(),
        State::Asleep { volume } | State::NoAnswer { volume } => Some(volume),
        _ => None,
    };
    object.place_or_null("volume", volume);
    object.bytes_or_null("name", root.name.as_deref());
    object.bytes_or_null("key", root.key.as_deref());
    object.raw("paused", truth(root.paused));
    object.text("way", root.way.word());
    object.bytes("config", root.config.as_bytes());
}

fn arrangement(object: &mut Object<'_>, kind: Kind, one: &Recommended) {
    object.text("arrangement", one.arrangement.word());
    object.text("why", &one.why);
    text_or_null(object, "option", one.option.as_deref());
    object.text("source", &one.from);
    let then = Knowledge::known().consequences(one).filter(|_| kind.is_changed_from_there());
    let all = then.map(|then| {
        [
            ("edit", then.edit),
            ("rename", then.rename),
            ("delete", then.delete),
            ("missing", then.missing),
        ]
    });
    let known = all.into_iter().flatten().filter(|(_, said)| said.is_known());
    object.objects("then", known, |object, (what, said): (&str, &Said)| {
        object.text("what", what);
        object.text("says", &said.says);
        text_or_null(object, "source", said.from.as_deref());
    });
}

/// What could not be read.
pub(crate) fn problem(out: &mut Vec<u8>, problem: &Problem) {
    let mut object = Object::line(out, "problem");
    object.bytes("path", problem.place.as_bytes());
    object.text("client", problem.client);
    match problem.line {
        Some(line) => object.number("line", line),
        None => object.raw("line", "null"),
    }
    object.text("error", &of_problem(problem));
    object.end();
}

fn truth(is: bool) -> &'static str {
    if is { "true" } else { "false" }
}

fn text_or_null(object: &mut Object<'_>, name: &str, value: Option<&str>) {
    match value {
        Some(value) => object.text(name, value),
        None => object.raw(name, "null"),
    }
}
