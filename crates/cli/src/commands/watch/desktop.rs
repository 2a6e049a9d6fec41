//! Notifications on the desktop, over D-Bus (the freedesktop notification specification 1.2).
//!
//! One call of one method to one service does not need a library with a runtime of its own. Everything here
//! may fail, and nothing depends on it: a watcher without a desktop says what it has to say elsewhere.

use super::message::{Came, Message, START, call, came, rest};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};
use std::io::{ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// How long the bus may take until it has taken one in.
const PATIENCE: Duration = Duration::from_millis(500);

/// How long may pass until something is shown: the bus may have to start who shows it. So long programs usually wait
/// for an answer (`_DBUS_DEFAULT_TIMEOUT_VALUE` of libdbus).
const SHOWN: Duration = Duration::from_secs(25);

/// How often a bus that has no room for one more is asked.
const ASKED: Duration = Duration::from_millis(20);

const SERVICE: &str = "org.freedesktop.Notifications";
const OBJECT: &str = "/org/freedesktop/Notifications";

/// The bus of this person's session.
pub(super) struct Desktop {
    address: Vec<u8>,
}

impl Desktop {
    /// By the address in the environment (`DBUS_SESSION_BUS_ADDRESS`).
    pub(super) fn new(address: &[u8]) -> Self {
        Self { address: address.to_vec() }
    }

    /// Shows something; whether it was taken by who shows it.
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
        if !bus.line()?.starts_with(b"OK ") {
            return None;
        }
        bus.send(b"BEGIN\r\n")?;
        let to = ["org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "Hello"];
        bus.send(&call(1, to, "", &[]))?;
        bus.answer(1)?;
        // Both are waited for: of who is gone by then, the bus throws away what it has not delivered, as it has not
        // where it must start who shows it.
        bus.until = Instant::now() + SHOWN;
        bus.send(&call(2, [SERVICE, OBJECT, SERVICE, "GetCapabilities"], "", &[]))?;
        let markup = bus.answer(2)?.texts()?.contains(&&b"body-markup"[..]);
        let body = if markup { marked_up(body) } else { body.to_owned() };
        let notify = [SERVICE, OBJECT, SERVICE, "Notify"];
        bus.send(&call(3, notify, "susssasa{sv}i", &arguments(summary, &body)))?;
        bus.answer(3).map(drop)
    }
}

/// A text as it is written where `<` begins something: a name may hold any character.
fn marked_up(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
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

    /// What the bus says while it takes one in: a line.
    fn line(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        while line.len() < 256 && !line.ends_with(b"\r\n") {
            let mut byte = [0];
            self.fill(&mut byte)?;
            line.extend(byte);
        }
        Some(line)
    }

    /// The answer to a call, unless that is an error. What else comes is nothing to us.
    fn answer(&mut self, to: u32) -> Option<Came> {
        loop {
            let mut start = [0; START];
            self.fill(&mut start)?;
            let mut message = start.to_vec();
            message.resize(START + rest(&start)?, 0);
            self.fill(message.get_mut(START..)?)?;
            if let Some(came) = came(&message).filter(|came| came.answers == Some(to)) {
                return (!came.failed).then_some(came);
            }
        }
    }

    fn fill(&mut self, mut bytes: &mut [u8]) -> Option<()> {
        while !bytes.is_empty() {
            self.stream.set_read_timeout(Some(self.left()?)).ok()?;
            match self.stream.read(bytes) {
                Ok(0) => return None,
                Ok(count) => bytes = bytes.get_mut(count..)?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
        Some(())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_unescaped() {
        assert_eq!(unescaped(b"/run/a%20b%"), b"/run/a b%");
        assert!(connect(b"tcp:host=x", Instant::now()).is_none());
    }

    #[test]
    fn a_name_begins_no_markup() {
        assert_eq!(marked_up("a <b> & \"c\""), "a &lt;b&gt; &amp; \"c\"");
    }
}
