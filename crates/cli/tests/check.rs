//! `linkwell check`: groups, remedies, the summary, and how it ends.

use crate::support::{
    as_nobody, links, linkwell, nul_ended, of_type, raw, summary, text, timeless,
};
use libtest_mimic::Trial;
use linkwell_testkit::crafted::{self, allow};
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::{Scratch, make};
use serde_json::json;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("check: nothing wrong, nothing to judge", nothing),
        test("check: one missing place, one group", missing),
        test("check: single missing names of one folder are told together", missing_in),
        test("check: a file used as a folder", through_a_file),
        test("check: loops", loops),
        test("check: 40 links are followed, 41 are too deep", too_deep),
        test("check: links into one volume that is away are one group, and exit 0", asleep),
        test("check: five links are named, -v names all", named),
        test("check: groups come in order, the summary last", order),
        test("check: cycle and doubled are worth knowing, and no fault", worth_knowing),
        test("check: --json prints only what needs a person", as_json),
        test("check: -0 prints only the paths", exact),
        test("check: exit 3 when nothing wrong was found but part not looked at", partly),
        test_with("check: denied", &[Need::Root], denied),
        test_with("check: broken outweighs denied", &[Need::Root], broken_and_denied),
        test_with("check: a folder that may not be read", &[Need::Root], unreadable),
    ]
}

const GONE: &str = "  what to do: if it was moved, let each link lead to the new place: `linkwell retarget \
                    LINK --to NEW`; if it is gone for good, the link can go too: `linkwell remove LINK`\n";
const LOOP: &str = "  what to do: let one of the links lead to a real file or folder: `linkwell retarget LINK --to TARGET`\n";
const ASLEEP: &str = "  what to do: attach it, and the links work again; nothing needs mending\n";

fn check(scratch: &Scratch, arguments: &[&str]) -> (String, String, i32) {
    let all: Vec<&str> = ["check"].iter().chain(arguments).copied().collect();
    let ran = linkwell(&scratch.path(), &all);
    // Who looks for what is broken is told once and last; see the tests of the record.
    let before = ran.err.find("hint: `linkwell repair ").unwrap_or(ran.err.len());
    let (err, last) = ran.err.split_at(before);
    assert!(last.lines().count() <= 1, "{ran:?}");
    let err = err.to_owned();
    (timeless(&ran.out) + "\n", err, ran.code)
}

fn at(scratch: &Scratch, below: &str) -> String {
    scratch.join(below).to_str().expect("a plain path").trim_end_matches('/').to_owned()
}

fn ended(out: String, code: i32) -> (String, String, i32) {
    (out, String::new(), code)
}

fn nothing() {
    let scratch = Scratch::with(&["a/f"]);
    let expected = "0 links among 3 entries: nothing to judge\n".to_owned();
    assert_eq!(check(&scratch, &[]), ended(expected, 0));
    make(&scratch.path(), &["l -> a/f"]);
    assert_eq!(check(&scratch, &["l"]), ended("1 link among 1 entry: 1 ok\n".into(), 0));
    assert_eq!(check(&scratch, &["."]), ended("1 link among 4 entries: 1 ok\n".into(), 0));
}

fn missing() {
    let scratch = Scratch::with(&["a/b -> ../old/x", "a/c -> ../old/y/z", "d -> old"]);
    let old = at(&scratch, "old");
    let folder = at(&scratch, "");
    let expected = format!(
        "3 links lead to `{old}`, which is not there (`{folder}` is)\n    \
         ./a/b → ../old/x\n    ./a/c → ../old/y/z\n    ./d → old\n{GONE}\n\
         3 links among 5 entries: 3 broken\n"
    );
    assert_eq!(check(&scratch, &[]), ended(expected, 1));
}

fn missing_in() {
    let scratch = Scratch::with(&["t/a -> ../lib/x", "t/b -> ../lib/y", "lib/z"]);
    let lib = at(&scratch, "lib");
    let expected = format!(
        "2 links lead to names that are not in `{lib}`\n    \
         t/a → ../lib/x\n    t/b → ../lib/y\n{GONE}\n\
         2 links among 3 entries: 2 broken\n"
    );
    assert_eq!(check(&scratch, &["t"]), ended(expected, 1));
}

fn through_a_file() {
    let scratch = Scratch::with(&["f", "a -> f/x", "b -> f/"]);
    let f = at(&scratch, "f");
    let expected = format!(
        "2 links need `{f}` to be a folder, which it is not\n    \
         ./a → f/x\n    ./b → f/\n  \
         what to do: let each link lead to the file itself, without what follows it: `linkwell \
         retarget LINK --to FILE`\n\n2 links among 4 entries: 2 through what is not a folder\n"
    );
    assert_eq!(check(&scratch, &[]), ended(expected, 1));
}

fn loops() {
    let scratch = Scratch::with(&["a -> b", "b -> a", "x -> x/y"]);
    let expected = format!(
        "3 links lead back to themselves\n    \
         ./a → b\n    ./b → a\n    ./x → x/y\n{LOOP}\n3 links among 4 entries: 3 in a loop\n"
    );
    assert_eq!(check(&scratch, &[]), ended(expected, 1));
    let one = format!(
        "1 link leads back to itself\n    x → x/y\n{LOOP}\n\
         1 link among 1 entry: 1 in a loop\n"
    );
    assert_eq!(check(&scratch, &["x"]), ended(one, 1));
}

fn too_deep() {
    let scratch = Scratch::with(&["f"]);
    crafted::chain(&scratch.path(), 41, "f");
    let expected = "1 link leads through more than 40 links in a row, where the system stops\n    \
                    l1 → l2\n  what to do: point the link straight at the end: `linkwell show \
                    LINK` names every step\n\n1 link among 1 entry: 1 in a loop\n";
    assert_eq!(check(&scratch, &["l1"]), ended(expected.into(), 1));
    assert_eq!(check(&scratch, &["l2"]), ended("1 link among 1 entry: 1 ok\n".into(), 0));
}

fn asleep() {
    let scratch = Scratch::with(&[
        "a -> /media/linkwell/stick/x",
        "b -> /media/linkwell/stick/y/z",
        "c -> /media/linkwell/stick",
        "d -> a",
    ]);
    let expected = format!(
        "4 links lead into `/media/linkwell/stick`, which is not attached (volumes are attached \
         below `/media`, and none is attached at this place)\n    ./a → /media/linkwell/stick/x\n    \
         ./b → /media/linkwell/stick/y/z\n    ./c → /media/linkwell/stick\n    ./d → a\n{ASLEEP}\n\
         4 links among 5 entries: 4 asleep\n"
    );
    assert_eq!(check(&scratch, &[]), ended(expected, 0));
    make(&scratch.path(), &["e -> gone"]);
    assert_eq!(check(&scratch, &[]).2, 1);
}

fn named() {
    let scratch = Scratch::new();
    let lines: Vec<String> = (1..=7).map(|number| format!("l{number} -> gone")).collect();
    make(&scratch.path(), &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let members = |count: usize| -> String {
        (1..=count).map(|number| format!("    ./l{number} → gone\n")).collect()
    };
    let (gone, folder) = (at(&scratch, "gone"), at(&scratch, ""));
    let head = format!("7 links lead to `{gone}`, which is not there (`{folder}` is)\n");
    let tail = format!("{GONE}\n7 links among 8 entries: 7 broken\n");
    let few = format!("{head}{}    and 2 more (`-v` names all)\n{tail}", members(5));
    assert_eq!(check(&scratch, &[]), ended(few, 1));
    let all = format!("{head}{}{tail}", members(7));
    assert_eq!(check(&scratch, &["-v"]), ended(all.clone(), 1));
    assert_eq!(check(&scratch, &["--verbose", "."]), ended(all, 1));
}

fn order() {
    let scratch = Scratch::with(&[
        "a -> /media/linkwell/stick/x",
        "b -> b",
        "c -> f/x",
        "d -> gone",
        "f",
        "ok -> f",
    ]);
    let (out, err, code) = check(&scratch, &[]);
    let heads: Vec<&str> = out
        .lines()
        .filter(|line| line.starts_with(|first: char| first.is_ascii_digit()))
        .filter_map(|line| line.split(" `").next())
        .collect();
    let expected = [
        "1 link leads to",
        "1 link needs",
        "1 link leads back to itself",
        "1 link leads into",
        "5 links among 7 entries: 1 ok, 1 broken, 1 asleep, 1 in a loop, 1 through what is not a \
         folder",
    ];
    assert_eq!((heads.as_slice(), err.as_str(), code), (&expected[..], "", 1));
}

fn worth_knowing() {
    let scratch = Scratch::with(&["a/f", "a/up -> ..", "x -> a/f", "y -> a/f", "z -> y", "s -> ."]);
    let expected = "5 links among 8 entries: 5 ok\n\
        worth knowing: 2 links lead to folders that contain them: a program that follows links \
        can walk in circles there (`linkwell list --note cycle` names them)\n\
        worth knowing: 3 links lead where another one led already: a program that follows links \
        meets the same things twice (`linkwell list --note doubled` names them)\n";
    assert_eq!(check(&scratch, &[]), ended(expected.into(), 0));
}

fn as_json() {
    let scratch = Scratch::with(&["f", "ok -> f", "gone -> x", "away -> /media/linkwell/s/x"]);
    let ran = linkwell(&scratch.path(), &["check", "--json", ".", "nosuch"]);
    let paths: Vec<String> = links(&ran).iter().map(|link| text(link, "path")).collect();
    assert_eq!(paths, ["./away", "./gone"]);
    let list = linkwell(&scratch.path(), &["list", "--json"]);
    let mut listed = links(&list);
    listed.retain(|link| text(link, "health") != "ok");
    assert_eq!(links(&ran), listed, "the same objects as list prints");
    let expected =
        [json!({"type": "problem", "path": "nosuch", "error": "no such file or directory"})];
    assert_eq!(of_type(&ran, "problem"), expected);
    let expected = json!({
        "type": "summary", "entries": 5, "links": 3, "problems": 1,
        "by_health": {"ok": 1, "broken": 1, "asleep": 1, "loop": 0, "denied": 0,
                      "not_a_directory": 0, "unknown": 0, "replaced": 0, "retargeted": 0},
    });
    assert_eq!((summary(&ran), ran.code), (expected, 1));
}

fn exact() {
    let scratch = Scratch::with(&["f", "ok -> f", "a\nb -> x", "d/c → d -> x"]);
    let output = raw(&scratch.path(), &["check", "-0"]);
    let expected = [&b"./a\nb"[..], "./d/c → d".as_bytes()];
    assert_eq!(nul_ended(&output.stdout), expected);
    assert_eq!((output.stderr.as_slice(), output.status.code()), (&b""[..], Some(1)));
}

fn partly() {
    let scratch = Scratch::with(&["f", "ok -> f", "away -> /media/linkwell/s/x"]);
    let (out, err, code) = check(&scratch, &["ok", "nosuch"]);
    assert_eq!(out, "1 link among 1 entry: 1 ok\n");
    assert_eq!(err, "error: could not look at `nosuch`: no such file or directory\n");
    assert_eq!(code, 3);
    assert_eq!(check(&scratch, &["away", "nosuch"]).2, 3);
}

/// A tree with a folder that only root may search, and links that lead into it.
fn closed_tree() -> Scratch {
    let scratch = Scratch::with(&["closed/in/f", "t/a -> ../closed/in/f", "t/b -> ../closed/x"]);
    allow(&scratch.join("closed"), 0o700);
    scratch
}

fn nobody(scratch: &Scratch, arguments: &[&str]) -> Ran {
    as_nobody(scratch).args(arguments).output().expect("linkwell can be started").into()
}

fn denied() {
    let scratch = closed_tree();
    let ran = nobody(&scratch, &["check", "t"]);
    // What is closed is the folder, and it is the folder's permissions that are to be changed.
    let closed = at(&scratch, "closed");
    let expected = format!(
        "2 links lead to `{closed}`, which you may not look at\n    \
         t/a → ../closed/in/f\n    t/b → ../closed/x\n  \
         what to do: look as somebody who may, for example with `sudo linkwell check`\n\n\
         2 links among 3 entries: 2 denied"
    );
    assert_eq!((timeless(&ran.out), ran.err.as_str(), ran.code), (expected, "", 3));
    let list = nobody(&scratch, &["list", "t"]);
    let lines = ["denied   symlink  t/a → ../closed/in/f", "denied   symlink  t/b → ../closed/x"];
    assert_eq!((list.sorted().as_slice(), list.err.as_str()), (&lines[..], ""));
    assert_eq!(linkwell(&scratch.path(), &["list", "t/a"]).out.get(..3), Some("ok "), "as root");
}

fn broken_and_denied() {
    let scratch = closed_tree();
    make(&scratch.path(), &["t/c -> gone"]);
    let ran = nobody(&scratch, &["check", "t"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(timeless(&ran.out).ends_with("3 links among 4 entries: 1 broken, 2 denied"), "{ran:?}");
}

fn unreadable() {
    let scratch =
        Scratch::with(&["t/closed/l -> x", "t/listed/l -> f", "t/listed/f", "t/f", "t/ok -> f"]);
    allow(&scratch.join("t/closed"), 0o311);
    allow(&scratch.join("t/listed"), 0o744);
    let ran = nobody(&scratch, &["check", "t"]);
    let expected = "error: could not look at `t/closed`: permission denied\n";
    assert_eq!((ran.err.as_str(), ran.code), (expected, 3), "{ran:?}");
    // Names can be read where the folder may not be searched: the link is found all the same.
    assert!(timeless(&ran.out).ends_with("2 links among 7 entries: 1 ok, 1 denied"), "{ran:?}");
}
