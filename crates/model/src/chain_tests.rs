//! The resolver on worlds written down by hand. (That it agrees with the kernel is shown in the
//! engine's tests, on real trees.)

use super::*;
use std::collections::BTreeMap;

/// A world: place → link text, `None` for a folder, `Some("")` for a file.
pub(crate) struct World(BTreeMap<Vec<u8>, Option<&'static str>>, usize);

impl View for World {
    type Folder = AbsPath;

    fn root(&self) -> AbsPath {
        AbsPath::root()
    }

    fn look(&mut self, folder: &AbsPath, component: Component<'_>) -> Seen<AbsPath> {
        match component {
            Component::Here => Seen::Folder(folder.clone()),
            Component::Up => Seen::Folder(folder.parent()),
            Component::Name(name) => {
                let place = folder.joined(name);
                match self.0.get(place.as_bytes()) {
                    None => Seen::Missing,
                    Some(None) => Seen::Folder(place),
                    Some(Some("")) => Seen::Other(EntryKind::File),
                    Some(Some(text)) => {
                        self.1 += 1;
                        Seen::Link(Target::new(text.as_bytes()))
                    }
                }
            }
        }
    }

    fn place(&self, folder: &AbsPath) -> AbsPath {
        folder.clone()
    }
}

pub(crate) fn world(entries: &[(&str, Option<&'static str>)]) -> World {
    World(entries.iter().map(|(at, what)| (at.as_bytes().to_vec(), *what)).collect(), 0)
}

fn end(entries: &[(&str, Option<&'static str>)], path: &str) -> (&'static str, String, usize) {
    let mut world = world(entries);
    let chain = resolve(&mut world, &AbsPath::root(), path.as_bytes());
    let place = chain.end_at(&world);
    (chain.end.word(), crate::shown::shown(place.as_bytes()).to_string(), chain.hops.len())
}

#[test]
fn up_after_a_link_is_physical() {
    let tree = [("/a", None), ("/a/b", None), ("/l", Some("a/b")), ("/a/f", Some(""))];
    assert_eq!(end(&tree, "l/../f"), ("found", "/a/f".into(), 1));
    assert_eq!(end(&tree, "/../../a/b/.."), ("found", "/a".into(), 0));
}

#[test]
fn loops_of_every_shape_end_at_once() {
    assert_eq!(end(&[("/x", Some("x"))], "x"), ("loop", "/x".into(), 1));
    assert_eq!(end(&[("/x", Some("x/y"))], "x"), ("loop", "/x".into(), 1));
    assert_eq!(end(&[("/x", Some("y")), ("/y", Some("x"))], "x"), ("loop", "/x".into(), 2));
    let through_up = [("/d", None), ("/d/x", Some("../d/x"))];
    assert_eq!(end(&through_up, "d/x"), ("loop", "/d/x".into(), 1));
}

#[test]
fn the_same_link_twice_in_a_row_is_no_loop() {
    let tree = [("/a", None), ("/l", Some("a")), ("/a/back", Some(".."))];
    assert_eq!(end(&tree, "l/back/l/back/l"), ("found", "/a".into(), 5));
}

#[test]
fn forty_hops_are_followed_and_the_next_is_not() {
    let names: Vec<String> = (0..=41).map(|n| format!("/l{n:02}")).collect();
    let texts: Vec<&'static str> =
        (0..=41).map(|n| &*Box::leak(format!("l{:02}", n + 1).into_boxed_str())).collect();
    for (links, expected) in [(39, "found"), (40, "found"), (41, "too_many_hops")] {
        let mut tree: Vec<(&str, Option<&'static str>)> = Vec::new();
        for (name, text) in names.iter().zip(&texts).take(links) {
            tree.push((name, Some(text)));
        }
        let last = format!("/l{links:02}");
        tree.push((&last, Some("")));
        assert_eq!(end(&tree, "l00").0, expected, "{links} links");
    }
}

#[test]
fn a_link_bomb_costs_at_most_forty_one_readlinks() {
    let mut tree: Vec<(String, &'static str)> = vec![("/l00".into(), "e")];
    for level in 1..31 {
        let below = format!("l{:02}", level - 1);
        let text = vec![format!("../d/{below}"); 10].join("/../");
        tree.push((format!("/l{level:02}"), &*Box::leak(text.into_boxed_str())));
    }
    let entries: Vec<(&str, Option<&'static str>)> = tree
        .iter()
        .map(|(at, text)| (at.as_str(), Some(*text)))
        .chain([("/e", None), ("/d", None)])
        .collect();
    let mut world = world(&entries);
    let chain = resolve(&mut world, &AbsPath::root(), b"l30");
    assert!(matches!(chain.end, End::TooManyHops | End::Missing));
    assert!(world.1 <= 41, "{} links were read", world.1);
}

#[test]
fn files_are_not_folders_however_they_are_spelled() {
    let tree = [("/f", Some("")), ("/l", Some("f/")), ("/m", Some("f")), ("/n", Some("f/x"))];
    for path in ["f/", "f/.", "f/..", "f/x", "l", "m/", "n"] {
        assert_eq!(end(&tree, path).0, "not_a_directory", "{path}");
    }
    assert_eq!(end(&tree, "m").0, "found");
}

#[test]
fn what_is_missing_is_named_with_its_parent_and_the_rest() {
    let mut world = world(&[("/a", None), ("/l", Some("a/gone/deeper"))]);
    let chain = resolve(&mut world, &AbsPath::root(), b"l/more");
    assert_eq!(chain.end, End::Missing);
    assert_eq!(chain.end_at(&world).as_bytes(), b"/a/gone");
    assert_eq!(chain.folder.as_bytes(), b"/a");
    assert_eq!(chain.rest, b"deeper/more");
    assert_eq!(resolve(&mut world, &AbsPath::root(), b"").end, End::Missing);
}
