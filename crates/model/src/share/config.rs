//! Where a client's configuration is, and how a folder is found in it.

use serde::Deserialize;

/// The few ways in which configurations are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// JSON (RFC 8259).
    Json,
    /// TOML (<https://toml.io>).
    Toml,
    /// XML: elements numbered by order, as `configuration/0/folder/3/path`.
    Xml,
    /// Sections with keys, as Qt and rclone write them. A key is divided at `\`, too.
    Ini,
    /// Lines of a key and a value; every other line is passed over.
    Lines,
    /// Lists of YAML, in block style: the key, and the items below it.
    List,
    /// Names of what `rclone bisync` keeps of each pair.
    Bisync,
    /// That something is there says that the client is; nothing is read.
    Presence,
}

/// A configuration of a client.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where it may be: `~/…`, `$CONFIG/…`, `$STATE/…`, `$DATA/…` or `$CACHE/…`. The last name may hold
    /// one `*`.
    pub at: Vec<String>,
    /// How it is written.
    pub shape: Shape,
    /// Keys whose value is a folder that the client syncs, or saves.
    #[serde(default)]
    pub root: Vec<String>,
    /// The key beside it with the name on the other side, or for people.
    pub name: Option<String>,
    /// The key beside it with the client's own word for the folder.
    pub key: Option<String>,
    /// The key beside it that says whether it is paused.
    pub paused: Option<String>,
    /// The key beside it that says which way it goes.
    pub way: Option<String>,
    /// The folder where the configuration names none.
    pub default: Option<String>,
    /// A value may also be an address of another computer, a pattern, or a path from somewhere else: such
    /// are passed over.
    #[serde(default)]
    pub addresses: bool,
    /// Where this stands in it, the rest is encrypted, and is not read.
    pub sealed: Option<String>,
    /// A key of which each value is a place elsewhere, of which nothing lies here.
    pub remote: Option<String>,
    /// How the running client can be spoken to.
    pub interface: Option<InterfaceKeys>,
    /// Options of the program by which the configuration is elsewhere.
    #[serde(default)]
    pub options: Vec<String>,
    /// What the file is called there, if the option names a folder.
    pub option_file: Option<String>,
    /// The name of the source of all that.
    pub from: String,
}

/// Where the configuration says how the client can be spoken to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterfaceKeys {
    /// The key of the address.
    pub address: String,
    /// The key of the word that lets one in.
    pub secret: String,
}

/// Whether a key is one of those that a pattern means, and the parts that its `*` stand for.
pub fn matches<'k>(pattern: &str, key: &'k [Vec<u8>]) -> Option<Vec<&'k [u8]>> {
    let parts: Vec<&str> = pattern.split('/').collect();
    if parts.len() != key.len() {
        return None;
    }
    let mut stars = Vec::new();
    for (part, is) in parts.iter().zip(key) {
        match *part {
            "*" => stars.push(is.as_slice()),
            part if part.as_bytes() == is.as_slice() => {}
            _ => return None,
        }
    }
    Some(stars)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_one_part() {
        let key: Vec<Vec<u8>> = [&b"a"[..], b"/", b"c"].map(<[u8]>::to_vec).to_vec();
        assert_eq!(matches("a/*/c", &key), Some(vec![&b"/"[..]]));
        assert_eq!(matches("a/*", &key), None);
        assert_eq!(matches("a/*/d", &key), None);
        assert_eq!(matches("*/*/*", &key).map(|stars| stars.len()), Some(3));
    }
}
