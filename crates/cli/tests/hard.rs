//! `linkwell list --hard`: files with more than one name.
#![expect(
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may stop at the first surprise"
)]

use crate::support::{links, linkwell, nul_ended, raw, summary, text};
use libtest_mimic::Trial;
use linkwell_testkit::need::test;
use linkwell_testkit::tree::{Scratch, make};
use serde_json::{Value, json};
use std::os::unix::fs::MetadataExt as _;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("hard: only when asked, grouped, with the names outside", grouped),
        test("hard: --json holds the group", as_json),
        test(
            "hard: a symbolic link with two names is listed as a link, with its number of names",
            linked_link,
        ),
        test("hard: roots that overlap do not hide the names outside", overlapping),
        test("hard: a pipe with two names, and a folder, which has none", pipes),
    ]
}

fn inode(scratch: &Scratch, name: &str) -> u64 {
    scratch.join(name).symlink_metadata().expect("an entry").ino()
}

fn grouped() {
    let scratch = Scratch::new();
    make(
        &scratch.path(),
        &["t/z", "t/b/a == t/z", "t/m", "t/n == t/m", "o/m3 == t/m", "o/m4 == t/m", "t/one", "o/x"],
    );
    make(&scratch.path(), &["t/single == o/x"]);
    let without = linkwell(&scratch.path(), &["list", "t"]);
    assert_eq!((without.out.as_str(), without.code), ("", 0));
    let ran = linkwell(&scratch.path(), &["list", "--hard", "t"]);
    let (first, second) = (inode(&scratch, "t/z"), inode(&scratch, "t/m"));
    let third = inode(&scratch, "t/single");
    // Groups come in the order of their first path, and so do the names of each.
    let expected = format!(
        "ok       hardlink t/b/a  (file {first}: 2 names)\n\
         ok       hardlink t/z  (file {first}: 2 names)\n\
         ok       hardlink t/m  (file {second}: 4 names, 2 of them elsewhere)\n\
         ok       hardlink t/n  (file {second}: 4 names, 2 of them elsewhere)\n\
         ok       hardlink t/single  (file {third}: 2 names, 1 of them elsewhere)\n"
    );
    assert_eq!((ran.out, ran.code), (expected, 0));
    let paths = nul_ended(&raw(&scratch.path(), &["list", "--hard", "-0", "t"]).stdout);
    assert_eq!(paths.concat(), b"t/b/at/mt/nt/singlet/z");
}

fn as_json() {
    let scratch = Scratch::new();
    make(&scratch.path(), &["t/a", "t/b == t/a", "o/c == t/a"]);
    let ran = linkwell(&scratch.path(), &["list", "--hard", "--json", "t"]);
    let number = inode(&scratch, "t/a");
    let mut found = links(&ran);
    let devices: Vec<Value> = found
        .iter_mut()
        .filter_map(|link| link.as_object_mut().and_then(|fields| fields.remove("device")))
        .collect();
    assert!(devices.len() == 2 && devices[0] == devices[1] && devices[0].is_u64(), "{ran:?}");
    let link = |path: &str| {
        json!({"type": "link", "version": 1, "path": path, "target": null, "kind": "hardlink",
               "health": "ok", "notes": [], "physical": null, "hops": 0,
               "inode": number, "names": 3, "outside": 1})
    };
    assert_eq!(found, [link("t/a"), link("t/b")]);
    assert_eq!(summary(&ran).get("links"), Some(&json!(2)));
}

fn linked_link() {
    let scratch = Scratch::with(&["f", "l -> f"]);
    make(&scratch.path(), &["m == l"]);
    let ran = linkwell(&scratch.path(), &["list", "--hard", "--json"]);
    let number = json!(inode(&scratch, "l"));
    for link in links(&ran) {
        assert_eq!(
            (text(&link, "kind").as_str(), text(&link, "health").as_str()),
            ("symlink", "ok")
        );
        assert_eq!((link.get("names"), link.get("inode")), (Some(&json!(2)), Some(&number)));
    }
    let paths: Vec<String> = links(&ran).iter().map(|link| text(link, "path")).collect();
    assert_eq!(paths, ["./l", "./m"], "each once: it is one link");
    let without = linkwell(&scratch.path(), &["list", "--json"]);
    assert!(links(&without).iter().all(|link| link.get("names").is_none()), "{without:?}");
}

fn overlapping() {
    let scratch = Scratch::new();
    make(&scratch.path(), &["t/a/f", "o/g == t/a/f"]);
    let ran = linkwell(&scratch.path(), &["list", "--hard", "--json", "t", "t/a"]);
    for link in links(&ran) {
        assert_eq!(link.get("outside"), Some(&json!(1)), "o/g lies outside: {ran:?}");
    }
    assert!(!links(&ran).is_empty());
}

fn pipes() {
    let scratch = Scratch::with(&["p |", "d/e/"]);
    make(&scratch.path(), &["q == p"]);
    let number = inode(&scratch, "p");
    let ran = linkwell(&scratch.path(), &["list", "--hard"]);
    let expected = format!(
        "ok       hardlink ./p  (file {number}: 2 names)\n\
         ok       hardlink ./q  (file {number}: 2 names)\n"
    );
    assert_eq!((ran.out, ran.code), (expected, 0));
}
