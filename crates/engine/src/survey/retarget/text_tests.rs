//! Texts, on a view that is all folders.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use linkwell_model::view::Seen;

/// Every name is a folder, except that `l` is a link to `/far/away`, and `no` is not there.
struct Folders;

impl View for Folders {
    type Folder = Arc<Folder>;

    fn root(&self) -> Arc<Folder> {
        Folder::root()
    }

    fn look(&mut self, folder: &Arc<Folder>, component: Component<'_>) -> Seen<Arc<Folder>> {
        match component {
            Component::Here => Seen::Folder(Arc::clone(folder)),
            Component::Up => Seen::Folder(folder.parent()),
            Component::Name(b"no") => Seen::Missing,
            Component::Name(b"l") => Seen::Link(Target::new(&b"/far/away"[..])),
            Component::Name(b"o") => Seen::Link(Target::new(&b"o"[..])),
            Component::Name(name) => Seen::Folder(Folder::below(folder, name)),
        }
    }

    fn place(&self, folder: &Arc<Folder>) -> AbsPath {
        folder.place()
    }
}

fn place(text: &str) -> AbsPath {
    AbsPath::cleaned(text.as_bytes()).unwrap()
}

/// What a rule makes of a text of a link in `/t/a/b`.
fn made(text: &str, rule: &Rule) -> String {
    let here = place("/t/a/b");
    let folder = Folder::of_place(&here);
    let at = Standing { folder: &folder, place: &here };
    match remade(&mut Folders, at, text.as_bytes(), rule) {
        Made::NotMeant => "(not meant)".into(),
        Made::Already => "(already)".into(),
        Made::Text(text) => String::from_utf8(text).unwrap(),
    }
}

fn prefix(old: &str, new: &str, style: Option<Style>) -> Rule {
    Rule::Prefix { old: vec![place(old)], new: place(new), absolute: place(new), style }
}

#[test]
fn a_prefix_is_whole_components_and_the_rest_stays_byte_for_byte() {
    let rule = prefix("/home/al", "/home/bo", None);
    for (text, expected) in [
        ("/home/al", "/home/bo"),
        ("/home/al/", "/home/bo/"),
        ("/home/al//x/./y//", "/home/bo//x/./y//"),
        ("//home/./al/x", "/home/bo/x"),
        ("/home/alice", "(not meant)"),
        ("/home/alice/al", "(not meant)"),
        ("/mnt/home/al", "(not meant)"),
        ("/home/al/../x", "(not meant)"),
        ("/home/al/../al/x", "/home/bo/x"),
        ("/home/al/x/../y", "/home/bo/x/../y"),
        ("/home", "(not meant)"),
        ("../../../home/al/x", "../../../home/bo/x"),
        ("../../../home/./al", "../../../home/bo"),
        ("../../../home/alice", "(not meant)"),
    ] {
        assert_eq!(made(text, &rule), expected, "{text}");
    }
}

#[test]
fn a_prefix_may_hold_the_link_itself() {
    let rule = prefix("/t/a", "/t/c", None);
    assert_eq!(made("../x", &rule), "../../c/x");
    assert_eq!(made("x", &rule), "../../c/b/x");
    assert_eq!(made("../../a/x", &rule), "../../c/x");
    assert_eq!(made("../../z", &rule), "(not meant)");
    assert_eq!(made("x", &prefix("/t/a/b", "/t/a/b/n", None)), "n/x");
    assert_eq!(made("/x/y", &prefix("/", "/t", None)), "/t/x/y");
    assert_eq!(made("/t/x", &prefix("/t", "/", None)), "/x");
    assert_eq!(made("/t", &prefix("/t", "/", None)), "/");
}

#[test]
fn up_is_taken_where_the_kernel_takes_it() {
    // `l` leads to `/far/away`: `l/..` is `/far`.
    assert_eq!(made("/h/l/../x", &prefix("/h", "/n", None)), "(not meant)");
    assert_eq!(made("/h/l/../x", &prefix("/far", "/near", None)), "/near/x");
    assert_eq!(made("/h/l/x", &prefix("/h", "/n", None)), "/n/l/x");
    assert_eq!(made("/h/no/../x", &prefix("/h", "/n", None)), "/n/no/../x");
}

#[test]
fn a_prefix_changes_nothing_where_nothing_changes() {
    assert_eq!(made("//h/./x", &prefix("/h", "/h", None)), "(already)");
    assert_eq!(made("../../../h/x", &prefix("/h", "/h", None)), "(already)");
    assert_eq!(made("../../../h/x", &prefix("/h", "/h", Some(Style::Absolute))), "/h/x");
    assert_eq!(made("/h/x/", &prefix("/h", "/n", Some(Style::Relative))), "../../../n/x/");
}

#[test]
fn a_style_keeps_the_place() {
    let (absolute, relative) = (Rule::Written(Style::Absolute), Rule::Written(Style::Relative));
    for (text, there) in [
        ("x", "/t/a/b/x"),
        ("..", "/t/a"),
        (".", "/t/a/b"),
        ("../", "/t/a/"),
        ("../x/", "/t/a/x/"),
        ("../../../", "/"),
        ("no", "/t/a/b/no"),
        ("../no/x", "/t/a/no/x"),
        ("no/../x", "/t/a/b/no/../x"),
        ("o/x", "/t/a/b/o/x"),
    ] {
        assert_eq!(made(text, &absolute), there, "{text}");
        let back = if text == "../../../" { "../../.." } else { text };
        assert_eq!(made(there, &relative), back, "{there}");
    }
    assert_eq!(made("l/x", &absolute), "/far/away/x");
    assert_eq!(made("l/../x", &absolute), "/far/x");
    assert_eq!(made("l", &absolute), "/t/a/b/l", "the last name is not followed");
    assert_eq!(made("l/", &absolute), "/t/a/b/l/");
    assert_eq!(made("/no/../x", &relative), "../../../no/../x");
    assert_eq!(made("x", &relative), "(already)");
    assert_eq!(made("/x", &absolute), "(already)");
    assert_eq!(made("/", &relative), "../../..");
}

#[test]
fn one_place_for_all() {
    let to = |style| Rule::To { place: place("/t/x"), absolute: b"/t/x".to_vec(), style };
    assert_eq!(made("y", &to(None)), "../../x");
    assert_eq!(made("/y", &to(None)), "/t/x");
    assert_eq!(made("y", &to(Some(Style::Absolute))), "/t/x");
    assert_eq!(made("..//../x", &to(None)), "(already)", "it leads there");
    assert_eq!(made("../../x", &to(Some(Style::Absolute))), "/t/x");
}

#[test]
fn shorter_leaves_out_what_adds_nothing() {
    assert_eq!(made("../../a/b/x", &Rule::Shorter), "x");
    assert_eq!(made("./x//y", &Rule::Shorter), "x/y");
    assert_eq!(made("x/../y", &Rule::Shorter), "y");
    assert_eq!(made("l/../y", &Rule::Shorter), "(already)", "it leads through a link");
    assert_eq!(made("no/../y", &Rule::Shorter), "(already)");
    assert_eq!(made("x", &Rule::Shorter), "(already)");
}
