//! References in a world written down by hand.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;
use crate::chain::{resolve, tests::world};

const TREE: [(&str, Option<&str>); 14] = [
    ("/p", None),
    ("/p/in", None),
    ("/p/f", Some("")),
    ("/p/in/out", Some("../../q/f")),
    ("/p/in/home", Some("../f")),
    ("/q", None),
    ("/q/f", Some("")),
    ("/to", Some("p")),
    ("/into", Some("to/f")),
    ("/dead", Some("p/gone")),
    ("/past", Some("p/../q/f")),
    ("/text", Some("nowhere/../p/f")),
    ("/away", Some("q/f")),
    ("/chain", Some("into")),
];

fn refers(link: &str, place: &str) -> Option<&'static str> {
    let mut world = world(&TREE);
    let place = AbsPath::cleaned(place.as_bytes()).unwrap();
    let (folder, name) = link.rsplit_once('/').unwrap();
    let start = AbsPath::cleaned(format!("/{folder}").as_bytes()).unwrap();
    let chain = resolve(&mut world, &start, name.as_bytes());
    let place = Place { seen_at: vec![place.clone()], written: place };
    place.referred_by(&world, &chain).map(Refers::word)
}

#[test]
fn a_link_refers_by_its_end_its_way_or_its_text() {
    assert_eq!(refers("/to", "/p"), Some("to"));
    assert_eq!(refers("/into", "/p"), Some("into"));
    assert_eq!(refers("/chain", "/p"), Some("into"), "through other links, too");
    assert_eq!(refers("/dead", "/p"), Some("into"), "also when it arrives nowhere");
    assert_eq!(refers("/past", "/p"), Some("through"));
    assert_eq!(refers("/text", "/p"), Some("text"));
    assert_eq!(refers("/away", "/p"), None);
    assert_eq!(refers("/into", "/to"), Some("through"), "a link is a place, too");
    assert_eq!(refers("/to", "/pp"), None, "by component, not by substring");
}

#[test]
fn a_link_inside_refers_only_if_it_stays_inside() {
    assert_eq!(refers("/p/in/home", "/p"), Some("into"));
    assert_eq!(refers("/p/in/out", "/p"), None);
    assert_eq!(refers("/p/in/out", "/q"), Some("into"));
}
