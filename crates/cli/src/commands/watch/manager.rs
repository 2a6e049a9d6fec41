//! What the service manager is told: ready, alive, and how it stands (sd_notify(3)).

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The manager that started this program, if one did.
pub(super) struct Manager {
    socket: Option<(UnixDatagram, SocketAddr)>,
}

impl Manager {
    /// By its address in the environment (`NOTIFY_SOCKET`).
    pub(super) fn new(address: Option<&OsStr>) -> Self {
        let socket = address.and_then(|address| {
            let bytes = address.as_bytes();
            let address = match bytes.strip_prefix(b"@") {
                Some(name) => SocketAddr::from_abstract_name(name).ok()?,
                None => SocketAddr::from_pathname(address).ok()?,
            };
            let socket = UnixDatagram::unbound().ok()?;
            socket.set_nonblocking(true).ok()?;
            Some((socket, address))
        });
        Self { socket }
    }

    /// Tells it, without waiting for room; whether that was taken, or nobody is there to be told.
    pub(super) fn tell(&self, lines: &str) -> bool {
        let Some((socket, address)) = &self.socket else { return true };
        let sent = socket.send_to_addr(lines.as_bytes(), address);
        !sent.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manager_that_does_not_listen_is_not_waited_for() {
        let name = format!("linkwell-test-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(name.as_bytes()).expect("short");
        let listening = UnixDatagram::bind_addr(&address).expect("nobody else has it");
        let manager = Manager::new(Some(OsStr::new(&format!("@{name}"))));
        let taken = (0..100_000).take_while(|_| manager.tell("WATCHDOG=1")).count();
        assert!(taken < 100_000, "it has room for a few");
        listening.recv(&mut [0; 16]).expect("the first one");
        assert!(manager.tell("READY=1"), "there is room again");
        assert!(Manager::new(None).tell("READY=1"), "there is none");
    }
}
