//! Notifications on the desktop, over D-Bus (the freedesktop notification specification 1.2).
//!
//! One call of one method to one service does not need a library with a runtime of its own. Everything here
//! may fail, and nothing depends on it: a watcher without a desktop says what it has to say elsewhere.

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// How long the bus may take in all.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often a bus that has no room for one more is asked.
const ASKED: Duration = Duration::from_millis(20);

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
        let until = Instant::now() + PATIENCE;
        let mut addresses = self.address.split(|byte| *byte == b';');
        let mut bus = Bus { stream: addresses.find_map(|address| connect(address, until))?, until };
        let user = rustix::process::geteuid().as_raw().to_string();
        let hex: String = user.bytes().map(|byte| format!("{byte:02x}")).collect();
        bus.send(format!("\0AUTH EXTERNAL {hex}\r\n").as_bytes())?;
        if !bus.answer()?.starts_with(b"OK ") {
            return None;
        }
        bus.send(b"BEGIN\r\n")?;
        let to = ["org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello"];
        bus.send(&call(1, to, "", &[]))?;
        let service = "org.freedesktop.Notifications";
        let notify = [service, "/org/freedesktop/Notifications", service, "Notify"];
        bus.send(&call(2, notify, "susssasa{sv}i", &arguments(summary, body)))?;
        // The bus delivers what was sent before the end; one answer says that it reads at all.
        bus.answer().filter(|answer| !answer.is_empty()).map(drop)
    }
}

/// A connection that is waited for until one moment, and no longer.
struct Bus {
    stream: UnixStream,
    until: Instant,
}

impl Bus {
    fn left(&self) -> Option<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    fn send(&mut self, mut bytes: &[u8]) -> Option<()> {
        while !bytes.is_empty() {
            self.stream.set_write_timeout(Some(self.left()?)).ok()?;
            let count = self.stream.write(bytes).ok().filter(|count| *count > 0)?;
            bytes = bytes.get(count..)?;
        }
        Some(())
    }

    fn answer(&mut self) -> Option<Vec<u8>> {
        self.stream.set_read_timeout(Some(self.left()?)).ok()?;
        let mut answer = [0; 256];
        let count = self.stream.read(&mut answer).ok()?;
        answer.get(..count).map(<[u8]>::to_vec)
    }
}

/// Connects to one address: `unix:path=…` or `unix:abstract=…` (D-Bus specification, "Server Addresses").
fn connect(address: &[u8], until: Instant) -> Option<UnixStream> {
    let values = address.strip_prefix(b"unix:")?;
    values.split(|byte| *byte == b',').find_map(|pair| {
        let address = match pair.strip_prefix(b"path=") {
            Some(path) => SocketAddrUnix::new(unescaped(path)),
            None => SocketAddrUnix::new_abstract_name(&unescaped(pair.strip_prefix(b"abstract=")?)),
        };
        connect_to(&address.ok()?, until)
    })
}

/// Connects without waiting for a bus that takes nobody in.
fn connect_to(address: &SocketAddrUnix, until: Instant) -> Option<UnixStream> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).ok()?;
    loop {
        match rustix::net::connect(&socket, address) {
            Ok(()) => break,
            Err(Errno::INTR) => {}
            // Too many wait already.
            Err(Errno::AGAIN) if Instant::now() < until => std::thread::sleep(ASKED),
            Err(_) => return None,
        }
    }
    let stream = UnixStream::from(socket);
    stream.set_nonblocking(false).ok()?;
    Some(stream)
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
        assert!(connect(b"tcp:host=x", Instant::now()).is_none());
    }
}
