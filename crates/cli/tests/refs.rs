//! `linkwell refs`: which links lead to or into a path.
#![expect(clippy::disallowed_methods, reason = "a test makes what it looks at")]

use crate::support::{Ground, links, linkwell, nul_ended, raw, summary, text};
use libtest_mimic::Trial;
use linkwell_testkit::crafted;
use linkwell_testkit::need::test;
use linkwell_testkit::tree::Scratch;
use serde_json::json;

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("refs: to, into, through and by text", each_way),
        test("refs: through other links", through_links),
        test("refs: what only sounds alike is left out", sounds_alike),
        test("refs: broken links that are written to lead there", by_text),
        test("refs: a path that does not exist (any more)", gone),
        test("refs: a link as PATH is the link, with a slash what it leads to", a_link),
        test("refs: a PATH behind a link, and one with dots", behind),
        test("refs: several paths, several roots", several),
        test("refs: -0 and --json", for_programs),
        test("refs: nothing leads there", nothing),
        test("refs: problems, and a PATH that was forgotten", problems),
        test("refs: by the record as by a scan, and said so", recorded),
        test("refs: a record that is old, in part, or of something else", not_fresh),
        test("refs: what the record names is read again", read_again),
        test("refs: links that stand in the place and lead out of it", from_within),
    ]
}

/// The lines that `refs` printed, sorted, and what it said.
fn refs(scratch: &Scratch, arguments: &[&str]) -> (Vec<String>, String, i32) {
    let all: Vec<&str> = ["refs"].iter().chain(arguments).copied().collect();
    let ran = linkwell(&scratch.path(), &all);
    (ran.sorted().into_iter().map(str::to_owned).collect(), ran.err.clone(), ran.code)
}

fn lines(expected: &[&str]) -> Vec<String> {
    expected.iter().map(|line| (*line).to_owned()).collect()
}

fn each_way() {
    let scratch = Scratch::with(&[
        "d/e/f",
        "t/a -> ../d",
        "t/b -> ../d/e/f",
        "t/c -> ../d/../other",
        "t/d -> ../d/gone/../x",
        "other/",
        "t/z -> ../other",
    ]);
    let expected = lines(&[
        "into     broken   symlink  t/d → ../d/gone/../x",
        "into     ok       symlink  t/b → ../d/e/f",
        "through  ok       symlink  t/c → ../d/../other",
        "to       ok       symlink  t/a → ../d",
    ]);
    let said = "4 links below `t` lead to or into `d`\n".to_owned();
    assert_eq!(refs(&scratch, &["d", "--under", "t"]), (expected, said, 0));
    let file = lines(&["to       ok       symlink  t/b → ../d/e/f"]);
    let said = "1 link below `t` leads to or into `d/e/f`\n".to_owned();
    assert_eq!(refs(&scratch, &["--under", "t", "--", "d/e/f"]), (file, said, 0));
}

fn through_links() {
    let scratch = Scratch::with(&[
        "d/f",
        "way -> d",
        "t/a -> ../way/f",
        "t/b -> ../way",
        "t/c -> b",
        "t/d -> c/f",
        "u/other",
        "t/z -> ../u/other",
    ]);
    let expected = lines(&[
        "into     ok       symlink  t/a → ../way/f",
        "into     ok       symlink  t/d → c/f",
        "to       ok       symlink  t/b → ../way",
        "to       ok       symlink  t/c → b",
    ]);
    assert_eq!(refs(&scratch, &["d", "--under", "t"]).0, expected);
}

fn sounds_alike() {
    let scratch =
        Scratch::with(&["d/f", "dd/f", "t/d/f", "t/a -> d/f", "t/b -> ../dd", "t/c -> ../dd/f"]);
    let said = "no link below `t` leads to or into `d`\n".to_owned();
    assert_eq!(refs(&scratch, &["d", "--under", "t"]), (Vec::new(), said, 0));
}

fn by_text() {
    let scratch =
        Scratch::with(&["d/e/", "t/a -> ../d/gone", "t/b -> ../no/../d/f", "t/c -> ../no/x"]);
    crafted::link(&scratch.join("t"), b"abs", scratch.join("d/x/y").as_os_str().as_encoded_bytes());
    let (found, _, code) = refs(&scratch, &["d", "--under", "t"]);
    let words: Vec<String> = found
        .iter()
        .filter_map(|line| line.split(" → ").next())
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    assert_eq!(
        words,
        ["into broken symlink t/a", "into broken symlink t/abs", "text broken symlink t/b"]
    );
    assert_eq!(code, 0);
}

fn gone() {
    let scratch = Scratch::with(&["t/a -> ../gone/x", "t/b -> ../gone", "t/c -> ../gone2"]);
    let (found, said, code) = refs(&scratch, &["gone", "--under", "t"]);
    assert_eq!((found.len(), code), (2, 0), "{found:?}");
    assert_eq!(said, "2 links below `t` lead to or into `gone`\n");
    let deeper = refs(&scratch, &["gone/x", "--under", "t"]).0;
    assert_eq!(deeper, ["text     broken   symlink  t/a → ../gone/x"]);
}

fn a_link() {
    let scratch = Scratch::with(&["d/f", "l -> d", "t/a -> ../l", "t/b -> ../d", "t/c -> ../l/f"]);
    let (found, _, _) = refs(&scratch, &["l", "--under", "t"]);
    let paths: Vec<&str> = found.iter().filter_map(|line| line.get(27..)).collect();
    assert_eq!(
        paths,
        ["t/a → ../l", "t/c → ../l/f"],
        "those that break when the link goes: {found:?}"
    );
    let behind = refs(&scratch, &["l/", "--under", "t"]).0;
    assert_eq!(behind.len(), 3, "those that lead to the folder behind it: {behind:?}");
}

fn behind() {
    let scratch = Scratch::with(&["d/e/f", "way -> d/e", "t/a -> ../d/e/f", "t/b -> ../way/f"]);
    let expected = lines(&[
        "to       ok       symlink  t/a → ../d/e/f",
        "to       ok       symlink  t/b → ../way/f",
    ]);
    for path in ["way/f", "./d/e/./f", "way/../e/f", "t/../d/e/f"] {
        assert_eq!(refs(&scratch, &[path, "--under", "t"]).0, expected, "{path}");
    }
    let absolute = scratch.join("d/e/f");
    let absolute = absolute.to_str().expect("a plain path");
    assert_eq!(refs(&scratch, &[absolute, "--under", "t"]).0, expected);
}

fn several() {
    let scratch =
        Scratch::with(&["a", "b", "c", "t/a -> ../a", "u/b -> ../b", "u/c -> ../c", "v/a -> ../a"]);
    let expected =
        lines(&["to       ok       symlink  t/a → ../a", "to       ok       symlink  u/b → ../b"]);
    let said = "2 links below `t`, `u` lead to or into `a`, `b`\n".to_owned();
    let wanted = (expected, said, 0);
    assert_eq!(refs(&scratch, &["a", "b", "--under", "t", "u"]), wanted);
    assert_eq!(refs(&scratch, &["a", "b", "--under", "t", "--under", "u"]), wanted);
}

fn for_programs() {
    let scratch = Scratch::with(&["d/f", "t/a\nb -> ../d/f", "t/c -> ../d", "t/z -> x"]);
    let output = raw(&scratch.path(), &["refs", "-0", "d", "--under", "t"]);
    assert_eq!(nul_ended(&output.stdout), [b"t/a\nb".to_vec(), b"t/c".to_vec()]);
    let ran = linkwell(&scratch.path(), &["refs", "--json", "d", "--under", "t"]);
    let physical = |below: &str| scratch.join(below).to_str().expect("a plain path").to_owned();
    let link = |path: &str, target: &str, physical: String, refers: &str| {
        json!({"type": "link", "version": 1, "path": path, "target": target, "kind": "symlink",
               "health": "ok", "notes": ["outer"], "physical": physical, "hops": 1,
               "refers": refers})
    };
    let expected = [
        link("t/a\nb", "../d/f", physical("d/f"), "into"),
        link("t/c", "../d", physical("d"), "to"),
    ];
    assert_eq!(links(&ran), expected);
    assert_eq!(summary(&ran).get("links"), Some(&json!(3)), "what the scan met");
    assert_eq!((ran.err.as_str(), ran.code), ("", 0));
}

fn nothing() {
    let scratch = Scratch::with(&["d/f", "t/a -> x"]);
    let said = "no link below `t` leads to or into `d`\n".to_owned();
    assert_eq!(refs(&scratch, &["d", "--under", "t"]), (Vec::new(), said, 0));
    assert_eq!(refs(&scratch, &["-q", "d", "--under", "t"]), (Vec::new(), String::new(), 0));
    let ran = linkwell(&scratch.path(), &["refs", "--json", "d", "--under", "t"]);
    assert_eq!(ran.out.lines().count(), 1, "the summary alone: {ran:?}");
}

fn problems() {
    let scratch = Scratch::with(&["d/f", "t/a -> ../d"]);
    let (found, said, code) = refs(&scratch, &["d", "--under", "t", "nosuch"]);
    assert_eq!((found.len(), code), (1, 3));
    assert!(
        said.ends_with("error: could not look at `nosuch`: no such file or directory\n"),
        "{said}"
    );
    assert_eq!(refs(&scratch, &["--under", "t"]).2, 2, "a PATH is needed");
    let empty = refs(&scratch, &["", "--under", "t"]);
    assert!(empty.1.contains("nothing was looked at") && empty.2 == 2, "{empty:?}");
}

fn from_within() {
    let scratch = Scratch::with(&[
        "d/f",
        "other",
        "d/in -> f",
        "d/out -> ../other",
        "d/out2 -> ./../other",
        "d/s/out3 -> ../../other",
    ]);
    let ran = linkwell(&scratch.path(), &["refs", "--json", "d", "--under", "d"]);
    let paths: Vec<String> = links(&ran).iter().map(|link| text(link, "path")).collect();
    assert_eq!(paths, ["d/in"], "those that lead out of it do not refer to it: {ran:?}");
}

/// Sets the time at which folders were recorded back by so many seconds.
fn age(ground: &Ground, seconds: u32) {
    let file = ground.scratch().join("state/linkwell/catalogue.sqlite");
    let ask = format!("UPDATE root SET recorded = recorded - {seconds}");
    let ran = std::process::Command::new("sqlite3").arg(file).arg(ask).output().expect("started");
    assert!(ran.status.success(), "{ran:?}");
}

/// The lines of standard output, sorted.
fn sorted(ran: &linkwell_testkit::program::Ran) -> Vec<String> {
    ran.sorted().into_iter().map(str::to_owned).collect()
}

fn recorded() {
    let ground = Ground::with(&[
        "d/e/f",
        "d/in -> e/f",
        "d/out -> ../other",
        "d/way -> ../other",
        "other/x",
        "way -> d",
        "t/to -> ../d",
        "t/into -> ../d/e/f",
        "t/through -> ../d/../other",
        "t/back -> ../t/../d/e/../../other",
        "t/text -> ../no/../d/f",
        "t/gone -> ../d/gone/../x",
        "t/by-way -> ../way/e/f",
        "t/the-way -> ../way",
        "t/chain -> the-way",
        "t/chain2 -> chain/e",
        "t/past -> ../d/way/x",
        "t/loop -> loop",
        "t/z -> ../other",
        "t/s/up -> ../../t/../d",
    ]);
    let outside = ground.tree().join("d/e").display().to_string();
    std::os::unix::fs::symlink(outside, ground.tree().join("t/abs")).expect("a link");
    let asked =
        ["d", "d/e", "d/e/f", "d/way", "way", "way/", "other", "t", "t/chain", "nosuch", "d/gone"];
    let ask = |path: &str, more: &[&str]| {
        let all: Vec<&str> =
            ["refs", path, "--under", "."].into_iter().chain(more.iter().copied()).collect();
        ground.run(&all)
    };
    let before: Vec<_> = asked.iter().map(|path| ask(path, &[])).collect();
    assert_eq!(ground.run(&["track", "."]).code, 0);
    for (path, scanned) in asked.iter().zip(&before) {
        let known = ask(path, &[]);
        assert_eq!(sorted(&known), sorted(scanned), "{path}");
        assert_eq!(known.code, scanned.code);
        let note = known.err.strip_prefix(&scanned.err).expect("the same, and more");
        assert!(note.starts_with("note: by the record of "), "{known:?}");
        let walked = ask(path, &["--scan"]);
        assert_eq!((sorted(&walked), &walked.err), (sorted(scanned), &scanned.err), "{path}");
        let (one, other) = (ask(path, &["--json"]), ask(path, &["--json", "--scan"]));
        assert_eq!(links(&one), links(&other), "{path}");
        assert!(summary(&one).get("recorded_ago").is_some_and(|age| age.is_number()), "{one:?}");
        assert_eq!(summary(&other).get("recorded_ago"), None);
    }
    let found = sorted(&ask("d", &[]));
    assert!(found.len() > 12, "the question was worth asking: {found:?}");
}

fn not_fresh() {
    let ground = Ground::with(&["d/f", "t/a -> ../d", "u/b -> ../d"]);
    assert_eq!(ground.run(&["track", "t"]).code, 0);
    let by_record = |arguments: &[&str]| {
        let ran = ground.run(arguments);
        assert_eq!(ran.code, 0, "{ran:?}");
        ran.err.contains("note: by the record of ")
    };
    assert!(by_record(&["refs", "d", "--under", "t"]));
    // Only a part is on record; or more is asked for than is recorded.
    assert!(!by_record(&["refs", "d", "--under", "."]));
    assert!(!by_record(&["refs", "d", "--under", "t", "u"]));
    assert!(!by_record(&["refs", "d", "--under", "t", "--shortcuts"]));
    assert!(!by_record(&["refs", "d", "--under", "t", "--cross-volumes"]));
    std::os::unix::fs::symlink("../d", ground.tree().join("t/new")).expect("a link");
    age(&ground, 870);
    let known = ground.run(&["refs", "d", "--under", "t"]);
    assert_eq!(known.out.lines().count(), 1, "what it cannot know, and says so: {known:?}");
    assert!(known.err.contains("by the record of 14 minutes ago"), "{known:?}");
    age(&ground, 120);
    let old = ground.run(&["refs", "d", "--under", "t"]);
    assert_eq!(old.out.lines().count(), 2, "{old:?}");
    assert!(old.err.contains("too old to be relied upon (it was made 16 minutes ago)"), "{old:?}");
    assert!(by_record(&["refs", "d", "--under", "t", "--recorded"]));
    // A record of the future is another clock's.
    let file = ground.scratch().join("state/linkwell/catalogue.sqlite");
    let ask = "UPDATE root SET recorded = recorded + 100000";
    let ran = std::process::Command::new("sqlite3").arg(file).arg(ask).output().expect("started");
    assert!(ran.status.success());
    assert!(!by_record(&["refs", "d", "--under", "t"]));
    assert_eq!(ground.run(&["untrack", "t/a"]).code, 0);
    let ran = ground.run(&["refs", "d", "--under", "t", "--recorded"]);
    assert_eq!(ran.code, 1, "it is not whole any more: {ran:?}");
}

fn read_again() {
    let ground =
        Ground::with(&["d/f", "e/", "t/a -> ../d", "t/b -> ../d", "t/c -> ../d/f", "t/d -> ../d"]);
    assert_eq!(ground.run(&["track", "t"]).code, 0);
    let at = |name: &str| ground.tree().join("t").join(name);
    for name in ["a", "b", "d"] {
        std::fs::remove_file(at(name)).expect("removed");
    }
    std::os::unix::fs::symlink("../e", at("a")).expect("a link");
    std::fs::write(at("b"), "a file").expect("written");
    let ran = ground.run(&["refs", "d", "--under", "t"]);
    assert_eq!(
        (ran.out.as_str(), ran.code),
        ("into     ok       symlink  t/c → ../d/f\n", 0),
        "{ran:?}"
    );
    // What linkwell itself does is on record at once.
    assert_eq!(ground.run(&["create", "-y", "d", "t/new"]).code, 0);
    let ran = ground.run(&["refs", "d", "--under", "t"]);
    assert!(ran.out.contains("  t/new → ") && ran.err.contains("by the record"), "{ran:?}");
}
