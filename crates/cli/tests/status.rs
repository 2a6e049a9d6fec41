//! `linkwell status`: one screen about the links on record.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test makes what it looks at, and may stop at the first surprise"
)]

use crate::support::{Ground, text};
use crate::watch::Watching;
use libtest_mimic::Trial;
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::program::Ran;
use serde_json::{Value, json};

pub(crate) fn trials() -> Vec<Trial> {
    let sqlite = &[Need::Program("sqlite3")];
    vec![
        test("status: nothing on record", nothing),
        test("status: health, and what is wrong by name", health),
        test("status: what is asleep, and on which volume", asleep),
        test_with("status: what waits, with what to type, and what was healed", sqlite, waiting),
        test("status: whether a watcher runs", watcher),
        test("status: --json and --quiet", for_programs),
    ]
}

fn status(ground: &Ground) -> Ran {
    ground.run(&["status"])
}

/// Runs SQL on the catalogue.
fn sql(ground: &Ground, text: &str) {
    let file = ground.scratch().join("state/linkwell/catalogue.sqlite");
    let ran = std::process::Command::new("sqlite3").arg(file).arg(text).output().expect("started");
    assert!(ran.status.success(), "{ran:?}");
}

fn nothing() {
    let ground = Ground::with(&["d/"]);
    let ran = status(&ground);
    assert_eq!((ran.out.as_str(), ran.code), ("0 links on record\n", 0));
    assert_eq!(ran.err, "note: no link is on record; `linkwell track PATH` records them\n");
    let state = ground.scratch().join("state/linkwell");
    assert!(std::fs::symlink_metadata(state).is_err(), "a look makes nothing");
}

fn health() {
    let ground = Ground::with(&["d/f", "a -> d", "b -> d/f", "c -> d/f", "gone -> d"]);
    assert_eq!(ground.run(&["track", "."]).code, 0);
    let ran = status(&ground);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.starts_with("4 links on record: 4 ok\n"), "{ran:?}");
    let at = |name: &str| ground.tree().join(name);
    assert!(ran.out.contains(
        &format!("all links below `{}` were recorded", at("").display()).replace("/`", "`")
    ));
    for name in ["a", "b", "gone"] {
        std::fs::remove_file(at(name)).expect("removed");
    }
    std::fs::write(at("b"), "saved over").expect("written");
    std::os::unix::fs::symlink("nothing", at("a")).expect("a link");
    let ran = status(&ground);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.starts_with("4 links on record: 1 ok, 1 broken, 1 replaced\n"), "{ran:?}");
    for (word, name, to) in [("broken", "a", "nothing"), ("replaced", "b", "d/f")] {
        let line = format!("  {word:<11}{} → {to}\n", at(name).display());
        assert!(ran.out.contains(&line), "{line}{ran:?}");
    }
    let gone = at("gone").display().to_string();
    assert!(ran.out.contains(&format!("gone       {gone} (`linkwell untrack ")), "{ran:?}");
}

fn asleep() {
    let ground = Ground::with(&["d/f", "a -> /mnt/linkwell-no-such-disk/x", "b -> d"]);
    assert_eq!(ground.run(&["track", "."]).code, 0);
    let ran = status(&ground);
    assert_eq!(ran.code, 0, "what sleeps needs nobody: {ran:?}");
    assert!(ran.out.starts_with("2 links on record: 1 ok, 1 asleep\n"), "{ran:?}");
    let line =
        "  asleep     1 link waits for `/mnt/linkwell-no-such-disk`, which is not attached\n";
    assert!(ran.out.contains(line), "{ran:?}");
}

fn waiting() {
    let ground = Ground::with(&["d/f", "l -> d/f"]);
    assert_eq!(ground.run(&["track", "."]).code, 0);
    sql(
        &ground,
        "INSERT INTO question (link, number, asked, why, place, words) \
         SELECT id, 0, 5, 'two things are alike', CAST('/x/y' AS BLOB), 'it has the same name' FROM link; \
         INSERT INTO event (time, what, place, old, new, operation) \
         VALUES (5, 'healed', CAST('/home/l' AS BLOB), CAST('old' AS BLOB), CAST('new' AS BLOB), 7)",
    );
    let ran = status(&ground);
    assert_eq!(ran.code, 1, "something waits: {ran:?}");
    let link = ground.tree().join("l").display().to_string();
    for said in [
        format!("  `{link}`: two things are alike\n    `/x/y` (it has the same name)\n"),
        format!("what to type: `linkwell retarget {link} --to /x/y`"),
        "  healed     /home/l: old → new, ".into(),
        "(`linkwell undo 7` takes it back)".into(),
    ] {
        assert!(ran.out.contains(&said), "{said}: {ran:?}");
    }
    let json: Value = serde_json::from_str(&ground.run(&["status", "--json"]).out).expect("one");
    assert_eq!(
        json.get("events"),
        Some(&json!([{"time": 5, "what": "healed", "path": "/home/l", "old": "old", "new": "new",
                      "operation": 7}]))
    );
    assert_eq!(
        json.get("questions"),
        Some(&json!([{"path": link, "asked": 5, "why": "two things are alike",
                      "proposals": [{"place": "/x/y", "words": "it has the same name"}]}]))
    );
}

fn watcher() {
    let ground = Ground::with(&["d/f", "l -> d/f"]);
    assert_eq!(ground.run(&["track", "."]).code, 0);
    assert!(status(&ground).out.contains("\nno watcher runs"));
    let watching = Watching::ready(&ground);
    let process = watching.child.id();
    let told = status(&ground);
    assert!(told.out.contains(&format!("\na watcher runs (process {process})\n")), "{told:?}");
    let json: Value = serde_json::from_str(&ground.run(&["status", "--json"]).out).expect("one");
    assert_eq!(
        (json.get("watcher"), json.get("process")),
        (Some(&json!(true)), Some(&json!(process)))
    );
    assert_eq!(watching.end(), 0);
    assert!(status(&ground).out.contains("\nno watcher runs"), "its file alone is no watcher");
}

fn for_programs() {
    let ground = Ground::with(&["d/f", "l -> d/f", "m -> nothing"]);
    assert_eq!(ground.run(&["track", "."]).code, 0);
    let ran = ground.run(&["status", "--json"]);
    let mut line: Value = serde_json::from_str(&ran.out).expect("one object");
    let fields = line.as_object_mut().expect("an object");
    assert!(fields.remove("latest").is_some_and(|latest| latest.is_number()));
    let roots = fields.remove("roots").expect("roots");
    assert_eq!(text(&roots[0], "path"), ground.tree().to_str().expect("a plain path"));
    let expected = json!({"type": "status", "version": 1, "links": 2,
        "by_health": {"ok": 1, "broken": 1, "asleep": 0, "loop": 0, "denied": 0, "not_a_directory": 0,
                      "unknown": 0, "replaced": 0, "retargeted": 0},
        "gone": 0, "asleep": [], "questions": [], "events": [], "watcher": false, "process": null});
    assert_eq!((line, ran.err.as_str(), ran.code), (expected, "", 1));
    let quiet = ground.run(&["status", "-q"]);
    assert_eq!((quiet.out.as_str(), quiet.err.as_str(), quiet.code), ("", "", 1));
}
