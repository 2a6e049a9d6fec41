//! Syncthing's own interface on this computer: what it syncs with whom, and one folder more or less.
//!
//! <https://docs.syncthing.net/dev/rest.html>. It is spoken to on this computer alone, and only when whoever listens
//! there is this user or root: the key that lets one in would otherwise be given to a stranger while Syncthing is off.

use super::Interface;
use crate::system::{Access, System};
use rustix::fd::AsFd as _;
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};
use thiserror::Error;
use ureq::Agent;
use ureq::http::StatusCode;

/// So long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// So long a new folder may take until it is known whether it can be used.
const UNTIL_KNOWN: Duration = Duration::from_secs(10);

/// An answer is no longer than this many bytes.
const MOST: u64 = 16 << 20;

/// Why it cannot be spoken to, or does not do what it is told.
#[derive(Debug, Error)]
pub enum Trouble {
    /// Its address is none that is spoken to.
    #[error("its interface has an address that linkwell does not speak to: `{0}`")]
    Address(String),
    /// Nobody listens there.
    #[error("nothing answers at its interface: does it run?")]
    Silent,
    /// Somebody else listens there.
    #[error("another user's program listens where its interface should be")]
    Stranger,
    /// It speaks only through an encryption that nobody vouches for.
    #[error("its interface is set to encrypted connections (HTTPS), which linkwell does not speak")]
    Encrypted,
    /// It does not know the key.
    #[error("its interface does not take the key from its own configuration")]
    Key,
    /// It refuses.
    #[error("it refuses: {0}")]
    Refused(String),
    /// What it answers is not what is documented.
    #[error("its interface answers something that linkwell does not understand")]
    Strange,
}

/// Another computer that it knows.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Device {
    /// Its number, by which it proves itself.
    #[serde(rename = "deviceID")]
    pub id: String,
    /// How it is called here.
    #[serde(default)]
    pub name: String,
}

impl Device {
    /// What people call it; the beginning of its number where it has no name.
    pub fn called(&self) -> &str {
        let short = self.id.split('-').next().unwrap_or_default();
        if self.name.is_empty() { short } else { &self.name }
    }
}

/// A folder that it syncs.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Folder {
    /// Its number, the same on every computer.
    pub id: String,
}

/// A Syncthing that runs.
pub struct Syncthing {
    agent: Agent,
    base: String,
    key: String,
}

impl Syncthing {
    /// Makes sure that it is there, and is this user's own.
    ///
    /// # Errors
    /// Why it cannot be spoken to.
    pub fn reach(system: System, interface: &Interface) -> Result<Self, Trouble> {
        let strange = || Trouble::Address(String::from_utf8_lossy(&interface.address).into_owned());
        let address = here(&interface.address).ok_or_else(strange)?;
        let listeners = listeners(system, address.port()).unwrap_or_default();
        let me = rustix::process::geteuid().as_raw();
        if listeners.is_empty() {
            return Err(Trouble::Silent);
        }
        if listeners.iter().any(|user| *user != me && *user != 0) {
            return Err(Trouble::Stranger);
        }
        let key =
            String::from_utf8(interface.secret.reveal().to_vec()).map_err(|_| Trouble::Key)?;
        let agent = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .http_status_as_error(false)
            // Nothing between it and us: the key is for it alone.
            .proxy(None)
            .build()
            .into();
        let it = Self { agent, base: format!("http://{address}/rest/"), key };
        it.get("system/ping")?;
        Ok(it)
    }

    /// The other computers that it knows, by their names.
    ///
    /// # Errors
    /// Those of its interface.
    pub fn others(&self) -> Result<Vec<Device>, Trouble> {
        let status = self.get("system/status")?;
        let own = status.get("myID").and_then(Value::as_str).ok_or(Trouble::Strange)?;
        let mut all: Vec<Device> = read(self.get("config/devices")?)?;
        all.retain(|device| device.id != own);
        all.sort_by(|one, other| one.called().cmp(other.called()));
        Ok(all)
    }

    /// The folders that it syncs.
    ///
    /// # Errors
    /// Those of its interface.
    pub fn folders(&self) -> Result<Vec<Folder>, Trouble> {
        read(self.get("config/folders")?)
    }

    /// Tells it of a folder, and waits until it has looked: it makes a mark in it first.
    ///
    /// # Errors
    /// Those of its interface; and its own word when it cannot use the folder. It knows the folder then all the same.
    pub fn add(&self, id: &str, label: &str, path: &str, with: &[Device]) -> Result<(), Trouble> {
        let devices: Vec<Value> = with.iter().map(|one| json!({ "deviceID": one.id })).collect();
        // What is not said here is as this user has it set for new folders.
        let folder = json!({
            "id": id, "label": label, "path": path, "type": "sendreceive", "devices": devices,
        });
        self.tell("POST", "config/folders", Some(&folder))?;
        let began = Instant::now();
        loop {
            let status = self.get(&format!("db/status?folder={id}"));
            let word = |name: &str| {
                let status = status.as_ref().ok();
                status
                    .and_then(|status| status.get(name))
                    .and_then(Value::as_str)
                    .unwrap_or_default()
            };
            match word("state") {
                "error" => return Err(Trouble::Refused(word("error").to_owned())),
                "" if began.elapsed() > UNTIL_KNOWN => return Err(Trouble::Strange),
                // Until its first look has ended it has not said what is wrong.
                "" | "scan-waiting" | "starting" if began.elapsed() <= UNTIL_KNOWN => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                _ => return Ok(()),
            }
        }
    }

    /// Lets a folder wait, or go on.
    ///
    /// # Errors
    /// Those of its interface.
    pub fn pause(&self, id: &str, paused: bool) -> Result<(), Trouble> {
        let path = format!("config/folders/{}", escaped(id));
        self.tell("PATCH", &path, Some(&json!({ "paused": paused })))
    }

    /// Takes a folder out of its care. The files stay, here and there; it removes its own mark, soon after it has
    /// answered (measured: 1.19.2).
    ///
    /// # Errors
    /// Those of its interface.
    pub fn forget(&self, id: &str) -> Result<(), Trouble> {
        self.tell("DELETE", &format!("config/folders/{}", escaped(id)), None)
    }

    fn get(&self, path: &str) -> Result<Value, Trouble> {
        let request = self.agent.get(format!("{}{path}", self.base)).header("X-API-Key", &self.key);
        let bytes = answer(request.call())?;
        serde_json::from_slice(&bytes).map_err(|_| Trouble::Strange)
    }

    fn tell(&self, method: &str, path: &str, body: Option<&Value>) -> Result<(), Trouble> {
        let uri = format!("{}{path}", self.base);
        let sent = match (method, body) {
            ("DELETE", _) => self.agent.delete(uri).header("X-API-Key", &self.key).call(),
            (method, body) => {
                let request =
                    if method == "PATCH" { self.agent.patch(uri) } else { self.agent.post(uri) };
                let text = body.map(Value::to_string).unwrap_or_default();
                request
                    .header("X-API-Key", &self.key)
                    .header("Content-Type", "application/json")
                    .send(text.as_bytes())
            }
        };
        answer(sent).map(drop)
    }
}

fn answer(sent: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Vec<u8>, Trouble> {
    let mut answer = sent.map_err(|error| match error {
        ureq::Error::Timeout(_) | ureq::Error::Io(_) | ureq::Error::ConnectionFailed => {
            Trouble::Silent
        }
        _ => Trouble::Strange,
    })?;
    let status = answer.status();
    let body = answer.body_mut().with_config().limit(MOST).read_to_vec();
    let body = body.map_err(|_| Trouble::Strange)?;
    if status.is_success() {
        return Ok(body);
    }
    Err(match status {
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Trouble::Key,
        status if status.is_redirection() => Trouble::Encrypted,
        _ => Trouble::Refused(first_line(&body).unwrap_or_else(|| status.to_string())),
    })
}

/// What it says in the first line, without anything that a terminal would obey.
fn first_line(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let line: String =
        text.lines().next()?.chars().filter(|one| !one.is_control()).take(200).collect();
    (!line.is_empty()).then_some(line)
}

fn read<T: for<'a> Deserialize<'a>>(value: Value) -> Result<T, Trouble> {
    serde_json::from_value(value).map_err(|_| Trouble::Strange)
}

/// As one part of a path.
fn escaped(id: &str) -> String {
    let mut out = String::new();
    for byte in id.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The address, if it is of this computer. One that stands for all addresses is answered here, too.
fn here(address: &[u8]) -> Option<SocketAddr> {
    let text = std::str::from_utf8(address).ok()?;
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse().ok()?;
    let host: IpAddr = match host {
        "" | "localhost" => Ipv4Addr::LOCALHOST.into(),
        host => host.trim_start_matches('[').trim_end_matches(']').parse().ok()?,
    };
    let host = match host {
        IpAddr::V4(host) if host.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(host) if host.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        host => host,
    };
    host.is_loopback().then_some(SocketAddr::new(host, port))
}

/// The users who listen on a port of this computer, at whatever address of it; `None` where the system does not say.
fn listeners(system: System, port: u16) -> Option<Vec<u32>> {
    let folder = system.processes()?;
    let own = std::process::id().to_string();
    let own = system.open(folder.as_fd(), own.as_bytes(), Access::Hold).ok()?;
    let net = system.open(own.as_fd(), c"net", Access::Hold).ok()?;
    let mut all = Vec::new();
    for name in [c"tcp", c"tcp6"] {
        let Ok(file) = system.open(net.as_fd(), name, Access::Read) else { continue };
        let text = system.read_all(file.as_fd()).ok()?;
        all.extend(String::from_utf8_lossy(&text).lines().filter_map(|line| listens(line, port)));
    }
    Some(all)
}

/// The user of a line of `/proc/net/tcp`, if somebody listens on the port (proc_net(5): the second field is the local
/// address, the fourth the state, in which 0A is listening, the eighth the user).
fn listens(line: &str, port: u16) -> Option<u32> {
    let mut fields = line.split_ascii_whitespace();
    let local = fields.nth(1)?;
    let state = fields.nth(1)?;
    let user = fields.nth(3)?;
    let (_, at) = local.rsplit_once(':')?;
    (state == "0A" && u16::from_str_radix(at, 16) == Ok(port)).then(|| user.parse().ok()).flatten()
}

#[cfg(test)]
#[expect(clippy::expect_used, reason = "a test may stop at the first surprise")]
mod tests {
    use super::*;

    #[test]
    fn only_this_computer_is_spoken_to() {
        for (text, is) in [
            ("127.0.0.1:8384", Some("127.0.0.1:8384")),
            ("0.0.0.0:1", Some("127.0.0.1:1")),
            (":8384", Some("127.0.0.1:8384")),
            ("localhost:8384", Some("127.0.0.1:8384")),
            ("[::1]:8384", Some("[::1]:8384")),
            ("[::]:8384", Some("[::1]:8384")),
            ("192.168.0.9:8384", None),
            ("example.org:8384", None),
            ("/run/syncthing.sock", None),
            ("unix:///run/syncthing.sock", None),
            ("127.0.0.1:99999", None),
            ("", None),
        ] {
            let found = here(text.as_bytes()).map(|address| address.to_string());
            assert_eq!(found.as_deref(), is, "{text}");
        }
    }

    #[test]
    fn who_listens_is_found() {
        let line = "   3: 0100007F:20C0 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1";
        assert_eq!(listens(line, 8384), Some(1000));
        assert_eq!(listens(line, 8385), None);
        assert_eq!(listens(&line.replace(" 0A ", " 01 "), 8384), None);
        assert_eq!(listens("  sl  local_address rem_address   st", 8384), None);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let me = rustix::process::geteuid().as_raw();
        assert_eq!(listeners(System::new(), port), Some(vec![me]));
        drop(listener);
        assert_eq!(listeners(System::new(), port), Some(Vec::new()));
    }

    #[test]
    fn a_folders_number_is_one_part_of_a_path() {
        assert_eq!(escaped("abcde-fghij"), "abcde-fghij");
        assert_eq!(escaped("../x y"), "..%2Fx%20y");
    }
}
