//! `linkwell list --json`: the contract, field by field, and every note.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use crate::support::{bytes, links, linkwell, notes, objects, of_type, summary, text};
use libtest_mimic::Trial;
use linkwell_testkit::crafted;
use linkwell_testkit::need::test;
use linkwell_testkit::tree::Scratch;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("list --json: links of each health, whole", each_health),
        test("list --json: the summary is last and counts all seven words", counts),
        test("list --json: values that are not UTF-8 come as Base64", not_utf8),
        test("list --json: a problem is an object, the summary counts it", problem),
        test("list --json: each note where it holds and nowhere else", every_note),
        test("list --json: hops and physical through a chain", hops),
        test("list --json: 40 hops are ok, 41 are a loop and too deep", forty),
        test("list --json: filters leave the counts alone", filtered),
        test("list --json: a root that is a link", root_link),
    ]
}

fn place(scratch: &Scratch, below: &str) -> String {
    scratch.join(below).to_str().expect("a plain path").to_owned()
}

fn each_health() {
    let scratch = Scratch::with(&[
        "f",
        "ok -> f",
        "gone -> no/where",
        "circle -> circle/x",
        "through -> f/x",
        "away -> /media/linkwell/stick/x",
    ]);
    let ran = linkwell(&scratch.path(), &["list", "--json"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let link = |path: &str, target: &str, health: &str, hops: u64| {
        json!({"type": "link", "version": 1, "path": path, "target": target, "kind": "symlink",
               "health": health, "notes": [], "physical": null, "hops": hops})
    };
    let with = |mut object: Value, fields: Value| {
        let more = fields.as_object().cloned().unwrap_or_default();
        object.as_object_mut().expect("an object").extend(more);
        object
    };
    let expected = [
        with(
            link("./away", "/media/linkwell/stick/x", "asleep", 1),
            json!({"notes": ["absolute", "outer", "crosses_volume"],
                   "ends_at": "/media/linkwell", "volume": "/media/linkwell/stick"}),
        ),
        with(
            link("./circle", "circle/x", "loop", 1),
            json!({"ends_at": place(&scratch, "circle")}),
        ),
        with(link("./gone", "no/where", "broken", 1), json!({"ends_at": place(&scratch, "no")})),
        with(link("./ok", "f", "ok", 1), json!({"physical": place(&scratch, "f")})),
        with(
            link("./through", "f/x", "not_a_directory", 1),
            json!({"ends_at": place(&scratch, "f")}),
        ),
    ];
    assert_eq!(links(&ran), expected);
}

fn counts() {
    let scratch = Scratch::with(&["f", "ok -> f", "ok2 -> f", "gone -> x", "circle -> circle"]);
    let ran = linkwell(&scratch.path(), &["list", "--json"]);
    let expected = json!({
        "type": "summary", "entries": 6, "links": 4, "problems": 0,
        "by_health": {"ok": 2, "broken": 1, "asleep": 0, "loop": 1, "denied": 0,
                      "not_a_directory": 0, "unknown": 0, "replaced": 0, "retargeted": 0},
    });
    assert_eq!(summary(&ran), expected);
    assert_eq!(objects(&ran).len(), 5);
    assert!(ran.out.ends_with("}\n") && !ran.out.contains("\n\n"), "one object a line: {ran:?}");
}

fn not_utf8() {
    let scratch = Scratch::new();
    crafted::file(&scratch.path(), b"bad\xff", b"");
    crafted::link(&scratch.path(), b"to-bad", b"bad\xff");
    crafted::link(&scratch.path(), b"name\xfe", b"gone\xfe");
    let ran = linkwell(&scratch.path(), &["list", "--json"]);
    let links = links(&ran);
    let [odd, plain] = links.as_slice() else { panic!("{ran:?}") };
    let keys = |object: &Value| {
        let keys = object.as_object().map(|fields| fields.keys().cloned().collect::<Vec<_>>());
        keys.unwrap_or_default().join(" ")
    };
    assert_eq!(
        keys(odd),
        "ends_at_base64 health hops kind notes path_base64 physical target_base64 type version"
    );
    assert_eq!(
        keys(plain),
        "health hops kind notes path physical_base64 target_base64 type version"
    );
    assert_eq!(bytes(odd, "path").as_deref(), Some(&b"./name\xfe"[..]));
    assert_eq!(bytes(odd, "target").as_deref(), Some(&b"gone\xfe"[..]));
    assert_eq!(text(plain, "target_base64"), "YmFk/w==");
    let physical = [place(&scratch, "bad").as_bytes(), b"\xff"].concat();
    assert_eq!(bytes(plain, "physical"), Some(physical));
}

fn problem() {
    let scratch = Scratch::with(&["l -> f", "f"]);
    let ran = linkwell(&scratch.path(), &["list", "--json", ".", "nosuch"]);
    let expected =
        [json!({"type": "problem", "path": "nosuch", "error": "no such file or directory"})];
    assert_eq!(of_type(&ran, "problem"), expected);
    assert_eq!(summary(&ran).get("problems"), Some(&json!(1)));
    assert_eq!((links(&ran).len(), ran.code), (1, 3));
    assert_eq!(ran.err, "error: could not look at `nosuch`: no such file or directory\n");
}

fn every_note() {
    let scratch = Scratch::with(&[
        "t/f",
        "t/g",
        "t/plain -> f",
        "t/long -> .//g",
        "t/d/back -> ../../t/h",
        "t/h",
        "t/chained -> next",
        "t/next -> i",
        "t/i",
        "t/out -> ../other",
        "other/",
        "t/self -> .",
        "t/deep/a/b/up -> ../..",
        "t/deep/a/here -> b",
        "t/kernel -> /proc/version",
    ]);
    crafted::link(&scratch.join("t"), b"written", place(&scratch, "t/k").as_bytes());
    crafted::file(&scratch.join("t"), b"k", b"");
    let ran = linkwell(&scratch.path(), &["list", "--json", "t"]);
    let mut found = BTreeMap::new();
    for link in links(&ran) {
        // Which of two links to one place comes first is not said.
        let stable: Vec<String> =
            notes(&link).into_iter().filter(|note| note != "doubled").collect();
        found.insert(text(&link, "path"), stable.join(" "));
    }
    let expected = [
        ("t/chained", "chained"),
        ("t/d/back", "lengthy"),
        ("t/deep/a/b/up", "cycle"),
        ("t/deep/a/here", ""),
        ("t/kernel", "absolute outer crosses_volume"),
        ("t/long", "lengthy"),
        ("t/next", ""),
        ("t/out", "outer"),
        ("t/plain", ""),
        ("t/self", "cycle"),
        ("t/written", "absolute"),
    ]
    .map(|(path, notes)| (path.to_owned(), notes.to_owned()));
    assert_eq!(found, BTreeMap::from(expected));
    let doubled: Vec<String> = links(&ran)
        .iter()
        .filter(|link| notes(link).contains(&"doubled".to_owned()))
        .map(|link| text(link, "path"))
        .collect();
    let one_of = ["t/chained", "t/next"];
    assert!(doubled.len() == 1 && one_of.contains(&doubled[0].as_str()), "{doubled:?}");
}

fn hops() {
    let scratch = Scratch::with(&["d/f", "l1 -> l2/f", "l2 -> l3", "l3 -> d", "gone -> l2/x/y"]);
    let ran = linkwell(&scratch.path(), &["list", "--json"]);
    let told = |link: &Value| {
        (text(link, "path"), link.get("hops").and_then(Value::as_u64), text(link, "physical"))
    };
    let expected = [
        ("./gone".to_owned(), Some(3), String::new()),
        ("./l1".to_owned(), Some(3), place(&scratch, "d/f")),
        ("./l2".to_owned(), Some(2), place(&scratch, "d")),
        ("./l3".to_owned(), Some(1), place(&scratch, "d")),
    ];
    assert_eq!(links(&ran).iter().map(told).collect::<Vec<_>>(), expected);
    let gone = links(&ran).remove(0);
    assert_eq!(text(&gone, "ends_at"), place(&scratch, "d/x"), "the component that is missing");
}

fn forty() {
    let scratch = Scratch::with(&["f"]);
    crafted::chain(&scratch.path(), 42, "f");
    let ran = linkwell(&scratch.path(), &["list", "--json"]);
    for link in links(&ran) {
        let number: u64 = text(&link, "path").trim_start_matches("./l").parse().expect("a number");
        let length = 43 - number;
        let health = if length <= 40 { "ok" } else { "loop" };
        assert_eq!(text(&link, "health"), health, "{length} hops: {link}");
        assert_eq!(notes(&link).contains(&"too_deep".to_owned()), length > 40, "{link}");
        assert_eq!(link.get("hops").and_then(Value::as_u64), Some(length.min(40)), "{link}");
    }
    assert_eq!(links(&ran).len(), 42);
}

fn filtered() {
    let scratch = Scratch::with(&["f", "ok -> f", "gone -> x"]);
    let ran = linkwell(&scratch.path(), &["list", "--json", "--health", "broken"]);
    assert_eq!(links(&ran).iter().map(|link| text(link, "path")).collect::<Vec<_>>(), ["./gone"]);
    assert_eq!(summary(&ran).get("links"), Some(&json!(2)));
}

fn root_link() {
    let scratch = Scratch::with(&["t/f", "l -> t/f", "t/m -> ../l"]);
    let ran = linkwell(&scratch.path(), &["list", "--json", "l"]);
    let expected = [json!({
        "type": "link", "version": 1, "path": "l", "target": "t/f", "kind": "symlink",
        "health": "ok", "notes": [], "physical": place(&scratch, "t/f"), "hops": 1,
    })];
    assert_eq!(links(&ran), expected);
    assert_eq!(summary(&ran).get("entries"), Some(&json!(1)));
}
