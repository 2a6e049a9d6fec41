//! `linkwell show`: one path, explained.

use crate::support::{as_nobody, linkwell, notes, objects, text};
use libtest_mimic::Trial;
use linkwell_testkit::crafted::{self, allow};
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::tree::{Scratch, make};
use serde_json::{Value, json};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("show: a link, whole", link),
        test("show: a chain, hop by hop, with each hop's place and owner", chain),
        test("show: a broken link: what is missing, what is there, what is left over", broken),
        test("show: a loop, 41 links, and a file on the way", dead_ends),
        test("show: a path that is followable only from nearer by", deep_on_the_way),
        test("show: what is no link, and which links lie on the way", no_link),
        test("show: a path that does not exist is not called a link", missing),
        test("show: asleep, with the evidence", asleep),
        test("show: a hard link", hard),
        test("show: shortcuts and stubs", shortcuts),
        test("show: several paths, the worst ending", several),
        test("show: a path with a slash at its end is what the link leads to", slash),
        test("show --json: a chain, whole", as_json),
        test("show --json: each end has its word", ends),
        test_with("show: denied", &[Need::Root], denied),
    ]
}

fn at(scratch: &Scratch, below: &str) -> String {
    scratch.join(below).to_str().expect("a plain path").trim_end_matches('/').to_owned()
}

/// The lines that `show` printed, with the volume and owner of the machine taken out.
fn show(scratch: &Scratch, path: &str) -> (Vec<String>, i32) {
    let ran = linkwell(&scratch.path(), &["show", path]);
    assert_eq!(ran.err, "", "{ran:?}");
    let lines = ran.out.lines().map(|line| {
        let Some(from) = line.find(" on the volume at `") else { return line.to_owned() };
        let (kept, rest) = line.split_at(from);
        assert!(rest.contains("), owned by "), "{line}");
        let after = rest.find("; it lies").and_then(|at| rest.get(at..)).unwrap_or_default();
        format!("{kept} …{after}")
    });
    (lines.collect(), ran.code)
}

fn link() {
    let scratch = Scratch::with(&["d/f", "l -> d/f"]);
    let (l, f, folder) = (at(&scratch, "l"), at(&scratch, "d/f"), at(&scratch, ""));
    let expected = vec![
        "l is a symbolic link to a file".to_owned(),
        format!("  as seen    {l}"),
        format!("  as stored  {f}"),
        "  the way    1 link".to_owned(),
        format!("     1. {l} → d/f"),
        format!("        stored in `{folder}` …"),
        format!("  ends in    `{f}`, a file …"),
        "  health     ok: the system can follow it".to_owned(),
    ];
    assert_eq!(show(&scratch, "l"), (expected, 0));
}

fn chain() {
    let scratch = Scratch::with(&["d/e/f", "a -> way/l", "way -> d", "d/l -> ./e"]);
    let place = |below: &str| at(&scratch, below);
    let expected = vec![
        "./a is a symbolic link to a folder".to_owned(),
        format!("  as seen    {}", place("a")),
        format!("  as stored  {}", place("d/e")),
        "  the way    3 links, in this order".to_owned(),
        format!("     1. {} → way/l", place("a")),
        format!("        stored in `{}` …", place("")),
        format!("     2. {} → d", place("way")),
        format!("        stored in `{}` …; it lies on the way", place("")),
        format!("     3. {} → ./e", place("d/l")),
        format!("        stored in `{}` …; it lies on the way", place("d")),
        format!("  ends in    `{}`, a folder …", place("d/e")),
        "  health     ok: the system can follow it".to_owned(),
        "  note       chained: it leads through another link, and breaks when any link on the way \
         does"
            .to_owned(),
    ];
    assert_eq!(show(&scratch, "./a"), (expected, 0));
}

fn broken() {
    let scratch = Scratch::with(&["d/f", "l -> d/gone/x/y"]);
    let place = |below: &str| at(&scratch, below);
    let expected = vec![
        "l is a symbolic link".to_owned(),
        format!("  as seen    {}", place("l")),
        "  the way    1 link".to_owned(),
        format!("     1. {} → d/gone/x/y", place("l")),
        format!("        stored in `{}` …", place("")),
        format!("  ends at    `{}`, which is not there", place("d/gone")),
        format!("  there is   `{}`", place("d")),
        "  left over  `x/y`".to_owned(),
        "  health     broken: what it leads to is gone".to_owned(),
    ];
    assert_eq!(show(&scratch, "l"), (expected, 1));
}

/// The lines from the end of the chain on.
fn end(scratch: &Scratch, path: &str) -> (String, i32) {
    let (lines, code) = show(scratch, path);
    let from = lines.iter().position(|line| line.starts_with("  ends "));
    (lines.get(from.expect("an end")..).expect("lines").join("\n"), code)
}

fn dead_ends() {
    let scratch = Scratch::with(&["f", "x -> x/y", "a -> b", "b -> a", "t -> f/x"]);
    crafted::chain(&scratch.path(), 41, "f");
    let place = |below: &str| at(&scratch, below);
    let circle = |name: &str, notes: &str| {
        format!(
            "  ends at    `{}`, which leads back to itself\n  health     loop: it never \
             arrives{notes}",
            place(name)
        )
    };
    let chained = "\n  note       chained: it leads through another link, and breaks when any link \
                   on the way does";
    assert_eq!(end(&scratch, "x"), (circle("x", ""), 1));
    assert_eq!(end(&scratch, "a"), (circle("a", chained), 1));
    let deep = format!(
        "  ends at    `{}`, the 41st link: the system follows 40\n  health     loop: it never \
         arrives{chained}\n  note       too_deep: it leads through more than 40 links in a row, \
         and the system stops there",
        place("l41")
    );
    assert_eq!(end(&scratch, "l1"), (deep, 1));
    assert_eq!(show(&scratch, "l2").1, 0);
    let through = format!(
        "  ends at    `{}`, a file, where a folder is needed\n  health     not_a_directory: it \
         passes through what is not a folder",
        place("f")
    );
    assert_eq!(end(&scratch, "t"), (through, 1));
}

fn deep_on_the_way() {
    let scratch = Scratch::with(&["d/f", "way -> d"]);
    crafted::chain(&scratch.join("d"), 40, "f");
    assert_eq!(show(&scratch, "d/l1").1, 0);
    // With the link on the way it is the 41st: the path as typed cannot be followed.
    let ran = linkwell(&scratch.path(), &["show", "--json", "way/l1"]);
    let told = objects(&ran).remove(0);
    let health_fits = (text(&told, "end") == "found") == (text(&told, "health") == "ok");
    assert!(health_fits, "end and health must tell one story: {told}");
}

fn no_link() {
    let scratch = Scratch::with(&["d/e/f", "way -> d", "p |"]);
    let place = |below: &str| at(&scratch, below);
    let expected = vec![
        "way/e/f is a file, not a link".to_owned(),
        format!("  as seen    {}", place("way/e/f")),
        format!("  as stored  {}", place("d/e/f")),
        "  the way    1 link".to_owned(),
        format!("     1. {} → d", place("way")),
        format!("        stored in `{}` …; it lies on the way", place("")),
        format!("  ends in    `{}`, a file …", place("d/e/f")),
        "  health     ok: the system can follow it".to_owned(),
    ];
    assert_eq!(show(&scratch, "way/e/f"), (expected, 0));
    let first = |path: &str| show(&scratch, path).0.first().cloned().unwrap_or_default();
    assert_eq!(first("d"), "d is a folder, not a link");
    assert_eq!(first("p"), "p is a named pipe, not a link");
    assert_eq!(first("/dev/null"), "/dev/null is a device, not a link");
    assert_eq!(first("d/.."), "d/.. is a folder, not a link");
    let plain = vec![
        "d is a folder, not a link".to_owned(),
        format!("  as seen    {}", place("d")),
        format!("  as stored  {}", place("d")),
        "  no link lies on the way".to_owned(),
        format!("  ends in    `{}`, a folder …", place("d")),
    ];
    assert_eq!(show(&scratch, "d"), (plain, 0));
}

fn missing() {
    let scratch = Scratch::with(&["d/f"]);
    let (lines, code) = show(&scratch, "d/gone/x");
    assert_eq!(lines.first().map(String::as_str), Some("d/gone/x does not exist"));
    let wanted = format!("  ends at    `{}`, which is not there", at(&scratch, "d/gone"));
    assert!(lines.contains(&wanted), "{lines:?}");
    assert_eq!(code, 1);
    // Nothing stands there, so nothing "leads" anywhere.
    assert!(!lines.iter().any(|line| line.contains("what it leads to")), "{lines:?}");
}

fn asleep() {
    let scratch = Scratch::with(&["l -> /media/linkwell/stick/x"]);
    let (lines, code) = show(&scratch, "l");
    let wanted = "  health     asleep: `/media/linkwell/stick` is not attached: volumes are \
                  attached below `/media`, and none is attached at this place";
    assert!(lines.contains(&wanted.to_owned()), "{lines:?}");
    assert_eq!(code, 0);
}

fn hard() {
    let scratch = Scratch::with(&["a"]);
    make(&scratch.path(), &["b == a", "c == a"]);
    let (lines, code) = show(&scratch, "b");
    let first =
        "b is a file with 3 names: each is as real as the others, and they share one content";
    assert_eq!((lines.first().map(String::as_str), code), (Some(first), 0));
}

fn shortcuts() {
    let scratch = Scratch::with(&["data"]);
    crafted::file(&scratch.path(), b"a.lnk", &crafted::lnk("..\\gone\\x"));
    crafted::file(&scratch.path(), b"b", b"!<symlink>data\0");
    crafted::file(&scratch.path(), b"c.url", b"[InternetShortcut]\nURL=https://example.org/\n");
    let (lines, code) = show(&scratch, "a.lnk");
    let first = "a.lnk is a shortcut: a file that desktops follow, and the system and most programs \
                 do not";
    assert_eq!((lines.first().map(String::as_str), code), (Some(first), 1));
    assert!(lines.contains(&"  it says    ../gone/x".to_owned()), "{lines:?}");
    let (lines, code) = show(&scratch, "b");
    let first =
        "b is a text stub: a file that stands where a link should be, and leads nowhere by itself";
    assert_eq!((lines.first().map(String::as_str), code), (Some(first), 0));
    let (lines, code) = show(&scratch, "c.url");
    let web = "  note       web: it leads to a page of the web, which cannot be judged from here";
    assert!(lines.contains(&web.to_owned()), "{lines:?}");
    assert_eq!(code, 0, "nothing is wrong and nothing was left out: {lines:?}");
}

fn several() {
    let scratch = Scratch::with(&["f", "ok -> f", "gone -> x"]);
    let ran = linkwell(&scratch.path(), &["show", "gone", "ok", "f"]);
    let heads: Vec<&str> = ran.out.lines().filter(|line| line.contains(" is ")).collect();
    assert!(heads.first().is_some_and(|line| line.starts_with("gone is")), "{ran:?}");
    assert_eq!(ran.out.matches("\n\n").count(), 2, "an empty line between: {ran:?}");
    assert_eq!(ran.code, 1);
    let ran = linkwell(&scratch.path(), &["show", "--json", "gone", "ok", "f"]);
    let paths: Vec<String> = objects(&ran).iter().map(|object| text(object, "path")).collect();
    assert_eq!(paths, ["gone", "ok", "f"], "in the order in which they were given");
    assert_eq!(linkwell(&scratch.path(), &["show"]).code, 2);
}

fn slash() {
    let scratch = Scratch::with(&["d/f", "way -> d", "l -> d/f"]);
    let (lines, code) = show(&scratch, "way/");
    assert_eq!(lines.first().map(String::as_str), Some("way/ is a folder, not a link"));
    assert_eq!(code, 0);
    let (lines, code) = show(&scratch, "l/");
    assert_eq!(code, 1, "a file with a slash at its end is not_a_directory: {lines:?}");
}

fn as_json() {
    let scratch = Scratch::with(&["d/f", "way -> d", "a -> way/f"]);
    let ran = linkwell(&scratch.path(), &["show", "--json", "a"]);
    let mut found = objects(&ran);
    // What depends on the machine is there, and taken out.
    let strip = |object: &mut Value| {
        let fields = object.as_object_mut().expect("an object");
        for (name, is) in [
            ("mount", Value::is_string as fn(&Value) -> bool),
            ("file_system", Value::is_string),
            ("owner", Value::is_u64),
        ] {
            let value = fields.remove(name);
            assert!(value.as_ref().is_some_and(is), "{name}: {value:?}");
        }
    };
    for object in &mut found {
        strip(object);
        let hops = object.get_mut("hops").and_then(Value::as_array_mut);
        hops.into_iter().flatten().for_each(strip);
    }
    let place = |below: &str| at(&scratch, below);
    let expected = [json!({
        "type": "chain", "version": 1, "path": "a", "logical": place("a"), "kind": "symlink",
        "health": "ok", "notes": ["chained"],
        "hops": [
            {"at": place("a"), "target": "way/f", "physical_parent": place("")},
            {"at": place("way"), "target": "d", "physical_parent": place("")},
        ],
        "end": "found", "end_at": place("d/f"), "end_kind": "file", "names": 1,
    })];
    assert_eq!((found.as_slice(), ran.code), (&expected[..], 0));
}

fn ends() {
    let scratch = Scratch::with(&["f", "ok -> f", "gone -> d/x", "x -> x", "t -> f/x", "e/f"]);
    crafted::chain(&scratch.join("e"), 41, "f");
    for (path, end, end_at, hops, code) in [
        ("ok", "found", "f", 1, 0),
        ("f", "found", "f", 0, 0),
        ("gone", "missing", "d", 1, 1),
        ("x", "loop", "x", 1, 1),
        ("t", "not_a_directory", "f", 1, 1),
        ("e/l1", "too_many_hops", "e/l41", 40, 1),
    ] {
        let ran = linkwell(&scratch.path(), &["show", "--json", path]);
        let told = objects(&ran).remove(0);
        let count = told.get("hops").and_then(Value::as_array).map(Vec::len);
        assert_eq!(
            (text(&told, "end").as_str(), text(&told, "end_at"), count, ran.code),
            (end, at(&scratch, end_at), Some(hops), code),
            "{path}: {told}"
        );
        let too_deep = notes(&told).contains(&"too_deep".to_owned());
        assert_eq!(too_deep, end == "too_many_hops", "{told}");
    }
}

fn denied() {
    let scratch = Scratch::with(&["closed/f", "l -> closed/f"]);
    allow(&scratch.join("closed"), 0o700);
    let run = |arguments: &[&str]| {
        let output = as_nobody(&scratch).args(arguments).output().expect("linkwell can be started");
        linkwell_testkit::program::Ran::from(output)
    };
    let ran = run(&["show", "l"]);
    let wanted = "  health     denied: you may not look, so there is no verdict\n";
    assert!(ran.out.ends_with(wanted) && ran.code == 3, "{ran:?}");
    let ran = run(&["show", "--json", "closed/f"]);
    let told = objects(&ran).remove(0);
    assert_eq!((text(&told, "end").as_str(), ran.code), ("denied", 3), "{told}");
}
