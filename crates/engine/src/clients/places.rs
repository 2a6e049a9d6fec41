//! Where configurations may be.

use linkwell_model::path::AbsPath;

/// The folders in which programs keep what is theirs (the XDG base directory specification).
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// The person's home folder.
    pub home: Option<AbsPath>,
    /// `$XDG_CONFIG_HOME`, or what stands for it.
    pub config: Option<AbsPath>,
    /// `$XDG_STATE_HOME`, likewise.
    pub state: Option<AbsPath>,
    /// `$XDG_DATA_HOME`, likewise.
    pub data: Option<AbsPath>,
    /// `$XDG_CACHE_HOME`, likewise.
    pub cache: Option<AbsPath>,
}

impl Places {
    /// A place as the table of clients writes it.
    pub(super) fn of(&self, written: &str) -> Option<AbsPath> {
        let (base, rest) = written.split_once('/')?;
        let base = match base {
            "~" => &self.home,
            "$CONFIG" => &self.config,
            "$STATE" => &self.state,
            "$DATA" => &self.data,
            "$CACHE" => &self.cache,
            _ => return None,
        };
        let mut place = base.clone()?;
        for name in rest.split('/') {
            place.push(name.as_bytes());
        }
        Some(place)
    }

    /// A folder as a configuration names it: from `/` on, or from the home folder on (`~/…`).
    pub(super) fn named(&self, value: &[u8]) -> Option<AbsPath> {
        let below_home = match value {
            b"~" => Some(&b""[..]),
            _ => value.strip_prefix(b"~/"),
        };
        let value = match (below_home, &self.home) {
            (Some(rest), Some(home)) => [home.as_bytes(), b"/", rest].concat(),
            _ => value.to_vec(),
        };
        AbsPath::cleaned(&value)
    }
}
