//! `linkwell clients`, on homes that are made up. With real programs: `clients_live`.
//!
//! Other tests may run a client at the same time as the same user, so each test asks only for its own.
#![expect(
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test makes what it looks at, and may stop at the first surprise"
)]

use crate::support::{Ground, objects, text};
use libtest_mimic::Trial;
use linkwell_testkit::need::test;
use linkwell_testkit::program::Ran;
use linkwell_testkit::tree::make;
use serde_json::Value;
use std::path::{Path, PathBuf};

pub(crate) fn trials() -> Vec<Trial> {
    vec![
        test("clients: each way of writing a configuration", shapes),
        test("clients: a client is here by what it leaves", present),
        test("clients: what Syncthing writes of a folder", syncthing),
        test("clients: how a folder is found", states),
        test("clients: a configuration that is malformed, and the others", malformed),
        test("clients: names of any bytes", any_bytes),
        test("clients: a name that is asked for, and one that is not known", named),
        test("clients: all that are known, in both forms", all),
        test("clients: in words", words),
    ]
}

/// Writes a file in the home folder, with the folders above it.
pub(crate) fn write(ground: &Ground, path: &str, content: impl AsRef<[u8]>) -> PathBuf {
    let path = ground.scratch().join("home").join(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(&path, content).expect("written");
    path
}

pub(crate) fn home(ground: &Ground) -> String {
    ground.scratch().join("home").display().to_string()
}

/// What is told of one client.
pub(crate) fn client(ran: &Ran, id: &str) -> Option<Value> {
    objects(ran)
        .into_iter()
        .find(|object| text(object, "type") == "client" && text(object, "id") == id)
}

/// The paths of its folders below this home, with how each is.
fn roots(ran: &Ran, ground: &Ground, id: &str) -> Vec<String> {
    let home = home(ground);
    let client = client(ran, id).unwrap_or_default();
    let empty = Vec::new();
    let roots = client["roots"].as_array().unwrap_or(&empty);
    let root = |root: &Value| {
        let path = text(root, "path").strip_prefix(&format!("{home}/"))?.to_owned();
        Some(format!("{path} {}", text(root, "state")))
    };
    roots.iter().filter_map(root).collect()
}

fn shapes() {
    let ground = Ground::with(&[]);
    let home = home(&ground);
    make(
        &ground.scratch().join("home"),
        &["D/", "NC/", "OC/", "O D/", "u/", "rs/", "b/c d/", "rp/", "re/"],
    );
    write(
        &ground,
        ".dropbox/info.json",
        format!(r#"{{"personal": {{"path": "{home}/D", "host": 7}}}}"#),
    );
    let folders = |folder: &str| {
        format!(
            "[General]\nclientVersion=3.7\n[Accounts]\n0\\url=https://x.example\n\
             0\\Folders\\1\\localPath={home}/{folder}/\n0\\Folders\\1\\targetPath=/there\n\
             0\\Folders\\1\\paused=true\n0\\FoldersWithPlaceholders\\2\\localPath={home}/gone\n"
        )
    };
    write(&ground, ".config/Nextcloud/nextcloud.cfg", folders("NC"));
    write(&ground, ".config/ownCloud/owncloud.cfg", folders("OC"));
    write(
        &ground,
        ".config/onedrive/config",
        "# sync_dir = \"/no\"\nsync_dir = \"~/O D\"\nskip_symlinks = \"true\"\n",
    );
    write(
        &ground,
        ".unison/mine.prf",
        format!("# mine\nroot = {home}/u\nroot = ssh://there//home/u\ninclude common\n"),
    );
    write(
        &ground,
        ".config/rustic/rustic.toml",
        format!(
            "[repository]\npassword = \"secret\"\n[[backup.snapshots]]\nsources = [\"{home}/rs\"]\n"
        ),
    );
    write(
        &ground,
        ".config/borgmatic/config.yaml",
        format!(
            "source_directories:\n    - \"{home}/b/c d\" # all\nrepositories:\n    - path: /r\n"
        ),
    );
    write(
        &ground,
        ".config/resticprofile/profiles.toml",
        format!("[default.backup]\nsource = [\"{home}/rp\"]\n"),
    );
    write(
        &ground,
        ".config/resilio-sync/config.json",
        format!(r#"{{"shared_folders": [{{"dir": "{home}/re"}}]}}"#),
    );
    write(
        &ground,
        ".config/rclone/rclone.conf",
        "[there]\ntype = drive\ntoken = {\"access_token\":\"secret\"}\n",
    );
    let ran = ground.run(&["clients", "--json"]);
    assert_eq!((ran.err.as_str(), ran.code), ("", 0));
    for (id, expected) in [
        ("dropbox", &["D there"][..]),
        ("nextcloud", &["NC there", "gone missing"]),
        ("owncloud", &["OC there", "gone missing"]),
        ("onedrive", &["O D there"]),
        ("unison", &["u there"]),
        ("rustic", &["rs there"]),
        ("borg", &["b/c d there"]),
        ("restic", &["rp there"]),
        ("resilio", &["re there"]),
    ] {
        assert_eq!(roots(&ran, &ground, id), expected, "{id}");
    }
    assert!(!ran.out.contains("\"secret\""), "{ran:?}");
    let dropbox = client(&ran, "dropbox").expect("found");
    assert_eq!(text(&dropbox["roots"][0], "name"), "personal");
    assert_eq!((&dropbox["found"], &dropbox["running"]), (&true.into(), &false.into()));
    let nextcloud = client(&ran, "nextcloud").expect("found");
    let root = &nextcloud["roots"][0];
    assert_eq!((text(root, "name"), &root["paused"]), ("/there".into(), &true.into()));
    assert_eq!(nextcloud["roots"][1]["paused"], false);
    let rclone = client(&ran, "rclone").expect("found");
    assert_eq!(rclone["remotes"], serde_json::json!([{"name": "there", "of": "drive"}]));
    // What cannot be read without its password is no fault.
    write(&ground, ".config/rclone/rclone.conf", "# Encrypted\n\nRCLONE_ENCRYPT_V0:\nabcd\n");
    // A pattern, a place elsewhere and a path from somewhere else are passed over.
    let sources = "source_directories:\n- /home/*\n- ssh://x/y\n- here\n";
    write(&ground, ".config/borgmatic/config.yaml", sources);
    let ran = ground.run(&["clients", "rclone", "borg", "--json"]);
    assert_eq!((ran.err.as_str(), ran.code), ("", 0));
    assert_eq!(client(&ran, "rclone").expect("found")["remotes"], serde_json::json!([]));
    assert_eq!(client(&ran, "borg").expect("found")["roots"], serde_json::json!([]));
    // Where a configuration names no folder, the client's own default counts.
    let other = Ground::with(&[]);
    write(&other, ".config/onedrive/config", "monitor_interval = \"300\"\n");
    let ran = other.run(&["clients", "--json"]);
    assert_eq!(roots(&ran, &other, "onedrive"), ["OneDrive missing"]);
}

fn present() {
    let ground = Ground::with(&[]);
    make(
        &ground.scratch().join("home"),
        &[".config/Insync/", ".pcloud/", "data/data/Mega Limited/MEGAsync/"],
    );
    write(&ground, ".config/kopia/repository.config", "{}");
    let ran = ground.run(&["clients", "--json"]);
    for id in ["insync", "pcloud", "mega", "kopia"] {
        let client = client(&ran, id).expect(id);
        assert_eq!(client["roots"], serde_json::json!([]), "{id}");
    }
    assert_eq!(client(&ran, "dropbox"), None);
    assert_eq!(ran.code, 0);
}

/// A configuration of Syncthing's, as it writes it.
pub(crate) fn config(folders: &str) -> String {
    format!(
        "<configuration version=\"37\">\n{folders}\
         <gui enabled=\"true\" tls=\"false\">\n<address>127.0.0.1:8384</address>\n\
         <apikey>TOPSECRETKEY</apikey>\n</gui>\n\
         <defaults><folder id=\"\" label=\"\" path=\"~\" type=\"sendreceive\"></folder></defaults>\n\
         </configuration>\n"
    )
}

fn syncthing() {
    let ground = Ground::with(&[]);
    make(&ground.scratch().join("home"), &["S/", "P/"]);
    let folders = "<folder id=\"a-b\" label=\"Photos &amp; more\" path=\"~/P\" type=\"sendonly\">\
        <paused>true</paused></folder>\n<folder id=\"c\" label=\"\" path=\"~/S\" type=\"receiveencrypted\">\
        <paused>false</paused></folder>\n";
    let path = ground.scratch().join("state/syncthing/config.xml");
    make(&ground.scratch().path(), &["state/syncthing/"]);
    std::fs::write(&path, config(folders)).expect("written");
    let ran = ground.run(&["clients", "syncthing", "--json"]);
    assert_eq!((ran.err.as_str(), ran.code), ("", 0));
    assert_eq!(roots(&ran, &ground, "syncthing"), ["P there", "S there"]);
    let client = client(&ran, "syncthing").expect("found");
    let of = |at: usize| {
        let root = &client["roots"][at];
        let word = |name| root[name].as_str().map(ToOwned::to_owned);
        (word("name"), word("key"), word("way"), root["paused"].as_bool())
    };
    let word = |word: &str| Some(word.to_owned());
    assert_eq!(of(0), (word("Photos & more"), word("a-b"), word("sends"), Some(true)));
    assert_eq!(of(1), (None, word("c"), word("receives"), Some(false)));
    assert_eq!(text(&client["roots"][0], "config"), path.display().to_string());
}

fn states() {
    let ground = Ground::with(&[]);
    let home = home(&ground);
    make(
        &ground.scratch().join("home"),
        &["real/", "file", "way -> real", "loop -> loop", "dead -> nowhere", "real/up/"],
    );
    let paths = [
        "~/real",
        "~/way",
        "~/file",
        "~/gone/deeper",
        "~/loop",
        "~/dead",
        "/media/linkwell-nobody/stick/x",
        "~/file/below",
    ];
    let folders: String =
        paths.iter().map(|path| format!("<folder id=\"x\" path=\"{path}\"></folder>\n")).collect();
    write(&ground, ".config/syncthing/config.xml", config(&folders));
    let ran = ground.run(&["clients", "syncthing", "--json"]);
    assert_eq!((ran.err.as_str(), ran.code), ("", 0));
    assert_eq!(
        roots(&ran, &ground, "syncthing"),
        [
            "real there",
            "way there",
            "file not_a_folder",
            "gone/deeper missing",
            "loop unseen",
            "dead missing",
            "file/below not_a_folder"
        ]
    );
    let client = client(&ran, "syncthing").expect("found");
    assert_eq!(text(&client["roots"][1], "place"), format!("{home}/real"));
    let away = &client["roots"][6];
    assert_eq!(text(away, "state"), "asleep");
    assert_eq!(text(away, "volume"), "/media/linkwell-nobody/stick");
    let ran = ground.run(&["clients", "syncthing"]);
    assert!(
        ran.out.contains("whose volume is not attached (`/media/linkwell-nobody/stick`)"),
        "{ran:?}"
    );
    assert!(ran.out.contains(&format!("`{home}/way`, which is `{home}/real`")), "{ran:?}");
}

fn malformed() {
    for (path, content, line, id) in [
        (".dropbox/info.json", &b"{\n\"personal\": \n"[..], 3, "dropbox"),
        (".config/Nextcloud/nextcloud.cfg", b"[Accounts]\nnot a line\n", 2, "nextcloud"),
        (
            ".config/syncthing/config.xml",
            b"<configuration>\n<folder path=\"/x\">\n",
            3,
            "syncthing",
        ),
        (".config/rustic/a.toml", b"a = 1\n\xff", 2, "rustic"),
    ] {
        let ground = Ground::with(&[]);
        make(&ground.scratch().join("home"), &["ok/"]);
        write(&ground, ".config/onedrive/config", "sync_dir = \"~/ok\"\n");
        let file = write(&ground, path, content);
        let ran = ground.run(&["clients", "--json"]);
        assert_eq!(ran.code, 3, "{id}: {ran:?}");
        assert_eq!(roots(&ran, &ground, "onedrive"), ["ok there"], "{id}");
        let told = format!("`{}`, line {line}: ", file.display());
        assert!(ran.err.contains(&told) && ran.err.starts_with("error: "), "{id}: {ran:?}");
        let problem = objects(&ran).into_iter().find(|object| text(object, "type") == "problem");
        let problem = problem.expect("a problem");
        assert_eq!((text(&problem, "client"), &problem["line"]), (id.to_owned(), &line.into()));
        assert_eq!(text(&problem, "path"), file.display().to_string());
        // Whoever asks for another one is not told of it.
        assert_eq!(ground.run(&["clients", "onedrive"]).code, 0, "{id}");
    }
    // A path that leads nowhere by itself.
    let ground = Ground::with(&[]);
    write(&ground, ".dropbox/info.json", r#"{"personal": {"path": "Dropbox"}}"#);
    let ran = ground.run(&["clients", "dropbox"]);
    assert!(ran.err.contains("could not tell which folder `Dropbox` is, of Dropbox"), "{ran:?}");
    assert_eq!(ran.code, 3);
}

fn any_bytes() {
    use std::os::unix::ffi::OsStrExt as _;
    let ground = Ground::with(&[]);
    let home = home(&ground);
    let odd = Path::new(&home).join(std::ffi::OsStr::from_bytes(b"bad\xff"));
    std::fs::create_dir(&odd).expect("a folder");
    std::fs::create_dir(format!("{home}/new\nline \u{202e}")).expect("a folder");
    let lines = [
        b"[Accounts]\n0\\Folders\\1\\localPath=".as_slice(),
        odd.as_os_str().as_bytes(),
        b"\n0\\Folders\\1\\targetPath=\x1b[2J\n",
    ];
    write(&ground, ".config/Nextcloud/nextcloud.cfg", lines.concat());
    let json = format!("{{\"per\\nsonal\": {{\"path\": \"{home}/new\\nline \\u202e\"}}}}");
    write(&ground, ".dropbox/info.json", json);
    let ran = ground.run(&["clients", "dropbox", "nextcloud"]);
    assert_eq!((ran.err.as_str(), ran.code), ("", 0));
    assert!(
        ran.out.contains(r"new\nline \u{202e}`, called") && ran.out.contains(r"per\nsonal"),
        "{ran:?}"
    );
    assert!(ran.out.contains(r"bad\xff`") && ran.out.contains(r"\e[2J"), "{ran:?}");
    let ran = ground.run(&["clients", "dropbox", "nextcloud", "--json"]);
    assert_eq!(roots(&ran, &ground, "dropbox"), ["new\nline \u{202e} there"]);
    let nextcloud = client(&ran, "nextcloud").expect("found");
    assert!(nextcloud["roots"][0]["path_base64"].is_string(), "{nextcloud}");
    assert_eq!(text(&nextcloud["roots"][0], "state"), "there");
}

fn named() {
    let ground = Ground::with(&[]);
    let ran = ground.run(&["clients", "Time Machine"]);
    assert_eq!((ran.err.as_str(), ran.code), ("", 0));
    assert!(ran.out.starts_with("Time Machine (`time-machine`): was not found here\n"), "{ran:?}");
    assert!(ran.out.contains("whose word it is\n    [1] reports of users"), "{ran:?}");
    let ran = ground.run(&["clients", "synchting"]);
    assert_eq!((ran.out.as_str(), ran.code), ("", 1));
    assert_eq!(
        ran.err,
        "error: no client that is known is called `synchting`\n\
         hint: `linkwell clients syncthing` tells of Syncthing\n"
    );
    let ran = ground.run(&["clients", "\u{1b}qqqqqqqqqqqqqqqqq"]);
    assert!(ran.err.contains(r"`\eqqq") && ran.err.contains("`linkwell clients --all`"), "{ran:?}");
    assert_eq!(ground.run(&["clients", "--all", "syncthing"]).code, 2);
    assert_eq!(ground.run(&["clients", "-q", "box"]).err, "");
}

fn all() {
    let ground = Ground::with(&[]);
    let ran = ground.run(&["clients", "--all", "--json"]);
    assert_eq!((ran.err.as_str(), ran.code), ("", 0));
    let all = objects(&ran);
    assert!(all.len() >= 35, "{}", all.len());
    for client in &all {
        assert_eq!(text(client, "type"), "client");
        let sources = client["sources"].as_array().expect("a list");
        let known =
            |name: &Value| name.is_null() || sources.iter().any(|source| source["name"] == *name);
        assert_eq!(client["links"].as_array().expect("a list").len(), 6);
        assert!(!client["arrangements"].as_array().expect("a list").is_empty());
        for list in ["links", "arrangements", "never", "marks", "pause"] {
            for one in client[list].as_array().expect("a list") {
                assert!(known(&one["source"]), "{client}");
                for then in one["then"].as_array().into_iter().flatten() {
                    assert!(known(&then["source"]) && !then["source"].is_null(), "{client}");
                }
            }
        }
    }
    let people = ground.run(&["clients", "--all"]);
    assert_eq!(people.code, 0);
    assert_eq!(people.out.lines().filter(|line| line.starts_with("  best: ")).count(), all.len());
}

fn words() {
    let ground = Ground::with(&[]);
    make(&ground.scratch().join("home"), &["D/"]);
    let text = format!(r#"{{"personal": {{"path": "{}/D"}}}}"#, home(&ground));
    write(&ground, ".dropbox/info.json", text);
    let ran = ground.run(&["clients"]);
    let told = format!(
        "Dropbox (`dropbox`): is here, and does not run\n\
         \x20 keeps folders the same on several computers, by itself\n\
         \x20 syncs `{}/D`, called \"personal\"\n\
         \x20 a link to a folder arrives as a link, without its contents (its maker says so)\n\
         \x20 best: inverted (the folder itself moves to where it is synced, and a link stays at its old place)\n",
        home(&ground)
    );
    assert!(ran.out.contains(&told), "{ran:?}");
    assert!(ran.err.contains("note: `linkwell clients NAME`"), "{ran:?}");
    assert_eq!(ground.run(&["clients", "-q"]).err, "");
    // The other side of a backup changes nothing here, and nobody says that it did.
    let ran = ground.run(&["clients", "restic"]);
    assert!(!ran.out.contains("on the other side"), "{ran:?}");
    let ran = ground.run(&["clients", "-v"]);
    assert!(ran.out.contains("whose word it is"), "{ran:?}");
    // Without the newer calls nobody knows what runs, and that is said.
    let ran: Ran = ground
        .command()
        .env("LINKWELL_PLAIN_CALLS", "1")
        .arg("clients")
        .output()
        .expect("started")
        .into();
    assert!(ran.out.contains(&told) && ran.code == 0, "{ran:?}");
    assert!(ran.err.contains("note: which programs run could not be told"), "{ran:?}");
}
