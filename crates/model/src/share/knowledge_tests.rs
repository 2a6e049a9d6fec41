use super::arrangement::Arrangement;
use super::client::Does;
use super::knowledge::{Broken, Knowledge};

/// A table of its own: the general part, and `rows`.
fn table(rows: &str) -> String {
    let mut text = String::from("[sources]\nhearsay = { by = \"hearsay\" }\n");
    for arrangement in Arrangement::ALL {
        let word = arrangement.word();
        text += &format!("[arrangement.{word}]\nis = \"x\"\n");
        for what in ["edit", "rename", "delete", "missing"] {
            text += &format!("{what} = {{ says = \"unknown\" }}\n");
        }
    }
    text + rows
}

/// A row that is sound, with one piece put in place of another.
fn row(old: &str, new: &str) -> Result<Knowledge, Broken> {
    const ROW: &str = "[[client]]\nid = \"one\"\nname = \"One\"\nkind = \"live\"\n\
        marks = [{ path = \".one\", from = \"seen\" }]\n\
        arrangements = [{ do = \"native\", why = \"w\", from = \"seen\" }]\n\
        [client.sources]\nseen = { by = \"measured\", version = \"1\", date = \"2026-11\" }\n\
        [client.links]\nfolder = { does = \"link\", from = \"seen\" }\nfile = { does = \"unknown\" }\n\
        bind = { does = \"unknown\" }\nmirror = { does = \"unknown\" }\n\
        inverted = { does = \"unknown\" }\ndoubled = { does = \"unknown\" }\n\
        [[client.config]]\nat = [\"~/.one\"]\nshape = \"json\"\nfrom = \"hearsay\"\n";
    assert!(old.is_empty() || ROW.contains(old), "{old}");
    Knowledge::read(&table(&ROW.replacen(old, new, 1)))
}

#[test]
fn the_table_is_whole() {
    let known = Knowledge::known();
    assert!(known.clients.len() >= 35, "{}", known.clients.len());
    for client in &known.clients {
        let best = client.arrangements.first().expect("each has one");
        assert!(known.consequences(best).is_some(), "{}", client.id);
        assert!(!client.statements().is_empty(), "{}", client.id);
        for (about, from) in client.statements() {
            let from = from.and_then(|from| client.source(from));
            let from = from.unwrap_or_else(|| unreachable!("{}: {about}", client.id));
            if from.by == super::said::By::Measured {
                assert!(from.version.is_some() && from.date.is_some(), "{}: {about}", client.id);
                assert!(from.at.is_some(), "{}: {about}", client.id);
            } else if from.by != super::said::By::Hearsay {
                let at = from.at.as_deref().unwrap_or_default();
                assert!(at.starts_with("https://"), "{}: {about}: {at}", client.id);
            }
        }
    }
}

#[test]
fn an_option_is_named_for_every_link_that_is_to_be_followed() {
    for client in &Knowledge::known().clients {
        for one in &client.arrangements {
            let follows = one.arrangement == Arrangement::Follow;
            assert_eq!(follows, one.option.is_some(), "{}: {}", client.id, one.arrangement.word());
        }
    }
}

#[test]
fn what_was_measured_is_what_the_table_says() {
    let known = Knowledge::known();
    let folder = |id: &str| known.client(id).map(|client| client.links.folder.does);
    for (id, does) in [
        ("syncthing", Does::Link),
        ("nextcloud", Does::Nothing),
        ("owncloud", Does::Nothing),
        ("unison", Does::Link),
        ("rclone-bisync", Does::Nothing),
        ("rclone", Does::Nothing),
        ("rsync", Does::Link),
        ("davfs2", Does::Refuses),
        ("restic", Does::Link),
        ("zip", Does::Contents),
    ] {
        assert_eq!(folder(id), Some(does), "{id}");
    }
    let best = |id: &str| {
        let client = known.client(id)?;
        client.arrangements.first().map(|one| one.arrangement)
    };
    assert_eq!(best("Syncthing"), Some(Arrangement::Native));
    assert_eq!(best("dropbox"), Some(Arrangement::Inverted));
    assert_eq!(best("unison"), Some(Arrangement::Follow));
}

#[test]
fn a_name_that_is_nearly_right_is_known() {
    let known = Knowledge::known();
    let nearest = |word: &str| known.nearest(word).map(|client| client.id.as_str());
    assert_eq!(nearest("synchting"), Some("syncthing"));
    assert_eq!(nearest("dropbx"), Some("dropbox"));
    assert_eq!(nearest("NEXTCLOD"), Some("nextcloud"));
    assert_eq!(nearest("qqqqqqqqqqqq"), None);
    assert_eq!(nearest(""), None);
}

#[test]
fn a_broken_row_is_named() {
    assert!(row("", "").is_ok(), "{:?}", row("", ""));
    for (old, new, why) in [
        ("kind = \"live\"", "kind = \"lively\"", "unknown variant `lively`"),
        ("kind = \"live\"", "kind = \"live\"\nmore = 1", "unknown field `more`"),
        ("name = \"One\"\n", "", "missing field `name`"),
        ("do = \"native\"", "do = \"natively\"", "unknown variant `natively`"),
        ("does = \"link\", from = \"seen\"", "does = \"link\"", "`links.folder` is said without"),
        ("from = \"seen\"", "from = \"scene\"", "`scene`, which is none of its sources"),
        (
            "file = { does = \"unknown\" }",
            "file = { does = \"unknown\", from = \"seen\" }",
            "and has a source",
        ),
        ("[{ do = \"native\", why = \"w\", from = \"seen\" }]", "[]", "no arrangement"),
        ("path = \".one\", ", "", "a mark needs"),
        ("path = \".one\"", "path = \".one\", end = \"x\"", "a mark needs"),
        ("~/.one", "/etc/one", "does not begin at a known folder"),
        ("seen = {", "hearsay = {", "`hearsay` is one of the whole table"),
        ("by = \"measured\"", "by = \"guessed\"", "unknown variant `guessed`"),
    ] {
        let broken = row(old, new).expect_err(why).to_string();
        assert!(broken.contains("client `one`") && broken.contains(why), "{broken}");
    }
    let twice = row("[[client]]", "").expect_err("a row without its head").to_string();
    assert!(!twice.is_empty());
    let nameless = row("id = \"one\"\n", "").expect_err("no id").to_string();
    assert!(nameless.contains("client `number 1`"), "{nameless}");
    assert!(Knowledge::read("").is_err());
}

#[test]
fn two_rows_of_one_client_are_refused() {
    let text = include_str!("../../clients.toml");
    let doubled = text.replacen("id = \"owncloud\"", "id = \"nextcloud\"", 1);
    let broken = Knowledge::read(&doubled).expect_err("two").to_string();
    assert!(broken.contains("client `nextcloud`") && broken.contains("two rows"), "{broken}");
}

#[test]
fn sure_marks_come_first() {
    let marks: Vec<(&str, Option<&str>)> = Knowledge::known()
        .marks()
        .map(|(client, mark)| (client.id.as_str(), mark.path.as_deref()))
        .collect();
    let sure = marks.iter().filter(|(_, path)| path.is_some()).count();
    assert!(marks.iter().take(sure).all(|(_, path)| path.is_some()));
    assert!(marks.contains(&("syncthing", Some(".stfolder"))));
    let called = |name: &[u8]| {
        let mut marks = Knowledge::known().marks();
        marks.find(|(_, mark)| mark.is_called(name)).map(|(client, _)| client.id.as_str())
    };
    assert_eq!(called(b".sync_0a1b.db"), Some("nextcloud"));
    assert_eq!(called(b".sync_db"), None);
}
