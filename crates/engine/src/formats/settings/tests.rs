use super::*;
use crate::formats::test_support::Random;

/// The values by their keys, as text.
fn all(shape: Shape, bytes: &[u8]) -> Vec<String> {
    let settings = read(shape, bytes);
    assert_eq!(settings.malformed, None);
    let text = |entry: &Entry| {
        let parts: Vec<String> =
            entry.key.iter().map(|part| part.escape_ascii().to_string()).collect();
        format!("{}={}", parts.join("/"), entry.value.escape_ascii())
    };
    settings.entries.iter().map(text).collect()
}

fn wrong(shape: Shape, bytes: &[u8]) -> Option<(Option<u64>, &'static str)> {
    let settings = read(shape, bytes);
    settings.malformed.map(|malformed| (malformed.line, malformed.detail))
}

#[test]
fn json_is_flat() {
    let text = br#"{"personal": {"path": "/home/ada/Drop\nbox", "host": 1}, "x": [{"dir": "/a"}, null, true]}"#;
    let expected =
        ["personal/host=1", "personal/path=/home/ada/Drop\\nbox", "x/0/dir=/a", "x/2=true"];
    let mut found = all(Shape::Json, text);
    found.sort();
    assert_eq!(found, expected);
    let remarks = b"// x\n{ /* \" \n */ \"a\": \"//b\\\"/*c*/\" // \"\n}//";
    assert_eq!(all(Shape::Json, remarks), ["a=//b\\\"/*c*/"]);
    assert_eq!(wrong(Shape::Json, b"{}\n/* x").map(|(line, _)| line), None);
    assert_eq!(wrong(Shape::Json, b"{\n\"a\": \n}"), Some((Some(3), "it is not JSON")));
    assert!(wrong(Shape::Json, &[b'['; 100_000]).is_some());
    assert!(wrong(Shape::Json, b"{\"a\": \"\xff\"}").is_some());
}

#[test]
fn toml_is_flat() {
    let text = b"[backup]\n[[backup.snapshots]]\nsources = [\"/home\", \"/etc\"]\n";
    let expected = ["backup/snapshots/0/sources/0=/home", "backup/snapshots/0/sources/1=/etc"];
    assert_eq!(all(Shape::Toml, text), expected);
    assert_eq!(wrong(Shape::Toml, b"a = 1\nb = \n"), Some((Some(2), "it is not TOML")));
    assert_eq!(wrong(Shape::Toml, b"a = 1\n\xff"), Some((Some(2), "it is not UTF-8")));
    assert!(wrong(Shape::Toml, &[b"a = ".as_slice(), &[b'['; 100_000]].concat()).is_some());
}

#[test]
fn xml_is_flat_and_numbered() {
    let text = b"<?xml version=\"1.0\"?>\n<c v='1'>\n<folder path=\"/a&#xA;b\" label='&lt;x&gt;'>\n\
        <paused>false</paused></folder>\n<folder path='/c'/><gui><apikey>k&amp;y</apikey></gui></c>\n";
    let expected = [
        "c/0/v=1",
        "c/0/folder/0/path=/a\\nb",
        "c/0/folder/0/label=<x>",
        "c/0/folder/0/paused=false",
        "c/0/folder/1/path=/c",
        "c/0/gui/0/apikey=k&y",
    ];
    assert_eq!(all(Shape::Xml, text), expected);
    assert_eq!(read(Shape::Xml, text).entries.get(1).and_then(|entry| entry.line), Some(3));
    for (bad, line) in
        [(&b""[..], 1), (b"<a>\n<b>\n", 3), (b"<a>\n</b>", 2), (b"<a>\n&x;</a>", 2), (b"<a\n", 1)]
    {
        let found = wrong(Shape::Xml, bad).and_then(|(found, _)| found);
        assert_eq!(found, Some(line), "{}", bad.escape_ascii());
    }
    assert!(wrong(Shape::Xml, &b"<a>".repeat(10_000)).is_some());
}

#[test]
fn ini_is_flat() {
    let text = b"; c\n[Accounts]\r\n0\\Folders\\1\\localPath=/home/ada/Next cloud/\r\n\
        0\\Folders\\1\\paused=false\n0\\x=\"a\\\\b\\n\\x20acz\"\n0\\y=@ByteArray(/z)\n[r]\ntype = drive\n";
    let expected = [
        "Accounts/0/Folders/1/localPath=/home/ada/Next cloud/",
        "Accounts/0/Folders/1/paused=false",
        "Accounts/0/x=a\\\\b\\n\\xe2\\x82\\xacz",
        "Accounts/0/y=/z",
        "r/type=drive",
    ];
    assert_eq!(all(Shape::Ini, text), expected);
    let bad = read(Shape::Ini, b"[a]\nb=1\nnothing\nc=\xff");
    assert_eq!(bad.entries.len(), 2);
    assert_eq!(bad.malformed.and_then(|malformed| malformed.line), Some(3));
}

#[test]
fn lines_and_lists() {
    let text = b"# sync_dir = \"/no\"\nsync_dir = \"~/One Drive\"\ninclude x\nroot=/a b \n=\n";
    assert_eq!(all(Shape::Lines, text), ["sync_dir=~/One Drive", "root=/a b"]);
    let text = b"source_directories:\n    - /home # mine\n    - \"/e t c\" # too\n\nrepositories:\n  - path: ssh://x\nsource: /one\n- stray\n";
    assert_eq!(
        all(Shape::List, text),
        [
            "source_directories/0=/home",
            "source_directories/1=/e t c",
            "repositories/0=path: ssh://x",
            "source=/one"
        ]
    );
}

#[test]
fn no_reader_panics_on_what_went_bad() {
    let mut random = Random::new(0x5e77);
    let sound: [(Shape, &[u8]); 6] = [
        (Shape::Json, br#"{"personal": {"path": "/home/ada/Dropbox"}}"#),
        (Shape::Toml, b"[[backup.snapshots]]\nsources = [\"/home\"]\n"),
        (Shape::Xml, b"<c><folder path=\"/a&#xA;b\"><paused>false</paused></folder></c>"),
        (Shape::Ini, b"[Accounts]\n0\\Folders\\1\\localPath=\"/h\\x20ac\"\n"),
        (Shape::Lines, b"sync_dir = \"~/OneDrive\"\n"),
        (Shape::List, b"source_directories:\n  - /home\n"),
    ];
    for _ in 0..2_000 {
        for (shape, text) in sound {
            let bad = random.mutated(text);
            assert!(read(shape, &bad).entries.len() <= bad.len());
        }
    }
}
