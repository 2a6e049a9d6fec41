//! What the service manager is told: ready, alive, and how it stands (sd_notify(3)).

use std::ffi::OsStr;
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
            Some((UnixDatagram::unbound().ok()?, address))
        });
        Self { socket }
    }

    /// Tells it. Nothing depends on whether it listens.
    pub(super) fn tell(&self, lines: &str) {
        if let Some((socket, address)) = &self.socket {
            drop(socket.send_to_addr(lines.as_bytes(), address));
        }
    }
}
