//! `--shortcuts`: the files that stand where a link should be.
#![expect(clippy::indexing_slicing, reason = "a test may stop at the first surprise")]

use crate::support::{links, linkwell, notes, shell, text, timeless};
use libtest_mimic::Trial;
use linkwell_testkit::crafted::{self, allow, file};
use linkwell_testkit::need::{Need, test, test_with};
use linkwell_testkit::tree::{Scratch, make};
use serde_json::{Value, json};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("shortcuts: each kind of file, only when asked", each_kind),
        test("shortcuts: --json", as_json),
        test("shortcuts: the web and other systems are nobody's fault", elsewhere),
        test("shortcuts: files that only look like one", lookalikes),
        test("shortcuts: check tells of broken ones", checked),
        test("shortcuts: pipes and devices are not opened", pipes),
        test_with("shortcuts: the stubs of git, by its index", &[Need::Program("git")], git_stubs),
        test_with("shortcuts: a file that may not be opened", &[Need::Root], closed),
    ]
}

const WEBLOC: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict><key>URL</key><string>ADDRESS</string></dict></plist>
"#;

/// A folder `t` with one shortcut or stub of each kind, all to `t/data`.
fn tree() -> Scratch {
    let scratch = Scratch::with(&["t/data", "t/plain.txt", "t/l -> data"]);
    let folder = scratch.join("t");
    let data = folder.join("data");
    let address = format!("file://{}", data.to_str().expect("a plain path"));
    let desktop = format!("[Desktop Entry]\nType=Link\nName=x\nURL={address}\n");
    file(&folder, b"a.desktop", desktop.as_bytes());
    file(&folder, b"b.url", format!("[InternetShortcut]\r\nURL={address}\r\n").as_bytes());
    file(&folder, b"c.webloc", WEBLOC.replace("ADDRESS", &address).as_bytes());
    file(&folder, b"d.lnk", &crafted::lnk(".\\data"));
    file(&folder, b"e", b"!<symlink>data\0");
    file(&folder, b"f", &crafted::interix("gone"));
    scratch
}

fn each_kind() {
    let scratch = tree();
    let without = linkwell(&scratch.path(), &["list", "t"]);
    assert_eq!(without.out, "ok       symlink  t/l → data\n", "files are opened only when asked");
    let data = scratch.join("t/data");
    let data = data.to_str().expect("a plain path");
    let ran = linkwell(&scratch.path(), &["list", "--shortcuts", "t"]);
    let expected = [
        "broken   stub     t/f → gone".to_owned(),
        format!("ok       shortcut t/a.desktop → {data}"),
        format!("ok       shortcut t/b.url → {data}"),
        format!("ok       shortcut t/c.webloc → {data}"),
        "ok       shortcut t/d.lnk → ./data".to_owned(),
        "ok       stub     t/e → data".to_owned(),
        "ok       symlink  t/l → data".to_owned(),
    ];
    assert_eq!(ran.sorted(), expected);
    assert_eq!((ran.err.as_str(), ran.code), ("", 0));
    let stubs = linkwell(&scratch.path(), &["list", "--shortcuts", "--kind", "stub", "t"]);
    assert_eq!(stubs.sorted(), ["broken   stub     t/f → gone", "ok       stub     t/e → data"]);
    let root = linkwell(&scratch.path(), &["list", "--shortcuts", "t/e"]);
    assert_eq!(root.out, "ok       stub     t/e → data\n");
}

fn as_json() {
    let scratch = tree();
    let ran = linkwell(&scratch.path(), &["list", "--shortcuts", "--json", "t"]);
    let data = scratch.join("t/data");
    let data = data.to_str().expect("a plain path");
    let link = |path: &str, target: &str, kind: &str, notes: &[&str]| {
        json!({"type": "link", "version": 1, "path": path, "target": target, "kind": kind,
               "health": "ok", "notes": notes, "physical": data, "hops": 0})
    };
    let mut found = links(&ran);
    found.retain(|link| text(link, "health") == "ok" && text(link, "kind") != "symlink");
    let expected = [
        link("t/a.desktop", data, "shortcut", &["absolute"]),
        link("t/b.url", data, "shortcut", &["absolute"]),
        link("t/c.webloc", data, "shortcut", &["absolute"]),
        link("t/d.lnk", "./data", "shortcut", &[]),
        link("t/e", "data", "stub", &[]),
    ];
    assert_eq!(found, expected);
}

fn elsewhere() {
    let scratch = Scratch::new();
    let folder = scratch.path();
    file(&folder, b"a.desktop", b"[Desktop Entry]\nType=Link\nURL=https://example.org/\n");
    file(&folder, b"b.URL", b"[InternetShortcut]\nURL=https://example.org/?a=b\n");
    file(&folder, b"c.webloc", WEBLOC.replace("ADDRESS", "https://example.org/").as_bytes());
    file(&folder, b"d.url", b"[InternetShortcut]\nURL=file:///C:/Users/ada/letter.txt\n");
    let ran = linkwell(&folder, &["list", "--shortcuts", "--json"]);
    let told = |link: &Value| {
        let notes = notes(link).join(" ");
        format!("{} {} {} {notes}", text(link, "path"), text(link, "kind"), text(link, "health"))
    };
    let expected = [
        "./a.desktop shortcut unknown web",
        "./b.URL shortcut unknown web",
        "./c.webloc shortcut unknown web",
        "./d.url shortcut unknown foreign",
    ];
    assert_eq!(links(&ran).iter().map(told).collect::<Vec<_>>(), expected);
    assert_eq!(links(&ran)[0].get("physical"), Some(&Value::Null));
    let check = linkwell(&folder, &["check", "--shortcuts"]);
    assert_eq!((check.out.lines().count(), check.code), (1, 0), "only the summary: {check:?}");
    let check = linkwell(&folder, &["check", "--shortcuts", "--json"]);
    assert_eq!((check.out.lines().count(), check.code), (1, 0), "only the summary: {check:?}");
}

fn lookalikes() {
    let scratch = Scratch::new();
    let folder = scratch.path();
    file(&folder, b"app.desktop", b"[Desktop Entry]\nType=Application\nExec=x\n");
    file(&folder, b"empty.url", b"");
    file(&folder, b"noise.lnk", &[0x4c; 100]);
    file(&folder, b"text.webloc", b"no property list");
    file(&folder, b"socket", b"!<socket >x");
    file(&folder, b".url", b"[InternetShortcut]\nURL=file:///etc/passwd\n");
    file(&folder, b"looks-like-a-path", b"../etc/passwd");
    make(&folder, &["folder.url/"]);
    let ran = linkwell(&folder, &["list", "--shortcuts"]);
    assert_eq!((ran.out.as_str(), ran.err.as_str(), ran.code), ("", "", 0));
}

fn checked() {
    let scratch = tree();
    let ran = linkwell(&scratch.path(), &["check", "--shortcuts", "t"]);
    let folder = scratch.join("t");
    let folder = folder.to_str().expect("a plain path");
    let expected = format!(
        "1 link leads to `{folder}/gone`, which is not there (`{folder}` is)\n    \
         t/f → gone\n"
    );
    assert!(ran.out.starts_with(&expected), "{ran:?}");
    let last = timeless(&ran.out).lines().last().map(str::to_owned);
    assert_eq!(last.as_deref(), Some("7 links among 10 entries: 6 ok, 1 broken"));
    assert_eq!(ran.code, 1);
    assert_eq!(linkwell(&scratch.path(), &["check", "t"]).code, 0);
}

fn pipes() {
    let scratch = Scratch::with(&["p |", "q.url |", "r.desktop |"]);
    let ran = linkwell(&scratch.path(), &["list", "--shortcuts", "--hard"]);
    assert_eq!((ran.out.as_str(), ran.err.as_str(), ran.code), ("", "", 0));
}

const CHECKOUT: &str = "set -e; export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
mkdir one; cd one; git init -q; mkdir d; echo x >d/f; ln -s f d/l; ln -s nowhere gone
printf f >d/plain; git add .
git -c user.name=a -c user.email=a@b commit -qm x
cd ..; git -c core.symlinks=false clone -q one two
rm two/gone; printf 'd/other\\n' >two/gone; printf f >two/d/new";

fn git_stubs() {
    let scratch = Scratch::new();
    let made = shell(&scratch.path(), CHECKOUT);
    assert_eq!(made.code, 0, "{made:?}");
    let without = linkwell(&scratch.path(), &["list", "two"]);
    assert_eq!((without.out.as_str(), without.code), ("", 0));
    let ran = linkwell(&scratch.path(), &["list", "--shortcuts", "two"]);
    // `gone` was changed into a text with a newline, `plain` and `new` were never links.
    assert_eq!(ran.sorted(), ["ok       stub     two/d/l → f"]);
    let shown = linkwell(&scratch.path(), &["show", "two/d/l"]);
    assert!(shown.out.starts_with("two/d/l is a text stub"), "{shown:?}");
    let original = linkwell(&scratch.path(), &["list", "--shortcuts", "one"]);
    let expected = ["broken   symlink  one/gone → nowhere", "ok       symlink  one/d/l → f"];
    assert_eq!(original.sorted(), expected, "real links are no stubs");
}

fn closed() {
    let scratch = tree();
    allow(&scratch.join("t/e"), 0o000);
    let output = crate::support::as_nobody(&scratch).args(["list", "--shortcuts", "t"]).output();
    let ran = linkwell_testkit::program::Ran::from(output.expect("linkwell can be started"));
    assert_eq!(ran.err, "error: could not look at `t/e`: permission denied\n");
    assert_eq!((ran.out.lines().count(), ran.code), (6, 3), "{ran:?}");
}
