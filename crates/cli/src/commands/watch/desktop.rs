//! Notifications on the desktop, over D-Bus (the freedesktop notification specification 1.2).
//!
//! One call of one method to one service does not need a library with a runtime of its own. Everything here
//! may fail, and nothing depends on it: a watcher without a desktop says what it has to say elsewhere.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{SocketAddr, UnixStream};
use std::time::Duration;

/// How long the bus may take for each step.
const PATIENCE: Duration = Duration::from_millis(500);

/// The bus of this person's session.
pub(super) struct Desktop {
    address: Vec<u8>,
}

impl Desktop {
    /// By the address in the environment (`DBUS_SESSION_BUS_ADDRESS`).
    pub(super) fn new(address: &[u8]) -> Self {
        Self { address: address.to_vec() }
    }

    /// Shows something; whether the bus took it.
    pub(super) fn show(&self, summary: &str, body: &str) -> bool {
        self.try_to_show(summary, body).is_some()
    }

    fn try_to_show(&self, summary: &str, body: &str) -> Option<()> {
        let mut stream = self.address.split(|byte| *byte == b';').find_map(connect)?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        stream.set_write_timeout(Some(PATIENCE)).ok()?;
        let user = rustix::process::geteuid().as_raw().to_string();
        let hex: String = user.bytes().map(|byte| format!("{byte:02x}")).collect();
        stream.write_all(format!("\0AUTH EXTERNAL {hex}\r\n").as_bytes()).ok()?;
        let mut answer = [0; 256];
        let count = stream.read(&mut answer).ok()?;
        if !answer.get(..count)?.starts_with(b"OK ") {
            return None;
        }
        stream.write_all(b"BEGIN\r\n").ok()?;
        let bus =
            ["org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello"];
        stream.write_all(&call(1, bus, "", &[])).ok()?;
        let service = "org.freedesktop.Notifications";
        let notify = [service, "/org/freedesktop/Notifications", service, "Notify"];
        stream.write_all(&call(2, notify, "susssasa{sv}i", &arguments(summary, body))).ok()?;
        // The bus delivers what was sent before the end; one answer says that it reads at all.
        stream.read(&mut answer).ok().filter(|count| *count > 0).map(drop)
    }
}

/// Connects to one address: `unix:path=…` or `unix:abstract=…` (D-Bus specification, "Server Addresses").
fn connect(address: &[u8]) -> Option<UnixStream> {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::ffi::OsStrExt as _;
    let values = address.strip_prefix(b"unix:")?;
    values.split(|byte| *byte == b',').find_map(|pair| {
        if let Some(path) = pair.strip_prefix(b"path=") {
            let path = unescaped(path);
            let path = std::path::Path::new(std::ffi::OsStr::from_bytes(&path));
            return UnixStream::connect(path).ok();
        }
        let name = unescaped(pair.strip_prefix(b"abstract=")?);
        UnixStream::connect_addr(&SocketAddr::from_abstract_name(name).ok()?).ok()
    })
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, more)) = rest.split_first() {
        let code = (*first == b'%').then(|| more.get(..2)).flatten();
        let code = code.and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                plain.push(byte);
                rest = more.get(2..).unwrap_or_default();
            }
            None => {
                plain.push(*first);
                rest = more;
            }
        }
    }
    plain
}

/// A message in the bus's form, little-endian.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn align(&mut self, to: usize) {
        while !self.0.len().is_multiple_of(to) {
            self.0.push(0);
        }
    }

    fn number(&mut self, number: u32) {
        self.align(4);
        self.0.extend(number.to_le_bytes());
    }

    fn length(&mut self, length: usize) {
        self.number(u32::try_from(length).unwrap_or(0));
    }

    fn string(&mut self, text: &str) {
        // The bus ends a connection that sends a NUL.
        let text = text.replace('\0', "");
        self.length(text.len());
        self.0.extend(text.as_bytes());
        self.0.push(0);
    }

    /// A field of the header: its number, the signature of its value, the value.
    fn field(&mut self, number: u8, kind: u8, text: &str) {
        self.align(8);
        self.0.extend([number, 1, kind, 0]);
        if kind == b'g' {
            self.0.push(u8::try_from(text.len()).unwrap_or(0));
            self.0.extend(text.as_bytes());
            self.0.push(0);
        } else {
            self.string(text);
        }
    }
}

/// The arguments of `Notify`.
fn arguments(summary: &str, body: &str) -> Vec<u8> {
    let mut message = Message::default();
    message.string("linkwell");
    message.number(0);
    message.string("emblem-symbolic-link");
    message.string(summary);
    message.string(body);
    // No actions, no hints; the desktop decides for how long.
    message.number(0);
    message.number(0);
    message.align(8);
    message.number(u32::MAX);
    message.0
}

/// A method call: to whom, on which object, of which interface, which method.
fn call(serial: u32, to: [&str; 4], signature: &str, body: &[u8]) -> Vec<u8> {
    let [service, object, interface, method] = to;
    let mut fields = Message::default();
    fields.field(1, b'o', object);
    fields.field(2, b's', interface);
    fields.field(3, b's', method);
    fields.field(6, b's', service);
    if !signature.is_empty() {
        fields.field(8, b'g', signature);
    }
    // Little-endian, a method call, no flags, the first protocol.
    let mut message = Message(vec![b'l', 1, 0, 1]);
    message.length(body.len());
    message.number(serial);
    message.length(fields.0.len());
    message.0.extend(&fields.0);
    message.align(8);
    message.0.extend(body);
    message.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_laid_out_as_the_bus_reads_it() {
        let body = arguments("a", "b");
        let message = call(2, ["x.y", "/x", "x.y", "Do"], "s", &body);
        assert_eq!(message.get(..4), Some(&[b'l', 1, 0, 1][..]));
        let word = |at: usize| {
            let bytes = message.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            bytes.map_or(0, u32::from_le_bytes)
        };
        assert_eq!(usize::try_from(word(4)).ok(), Some(body.len()));
        assert_eq!(word(8), 2);
        let fields = usize::try_from(word(12)).expect("small");
        assert_eq!(message.len(), (16 + fields).next_multiple_of(8) + body.len());
    }

    #[test]
    fn addresses_are_unescaped() {
        assert_eq!(unescaped(b"/run/a%20b%"), b"/run/a b%");
        assert!(connect(b"tcp:host=x").is_none());
    }
}
